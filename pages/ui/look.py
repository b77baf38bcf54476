"""The page's own look, on top of the theme: tight spacing, a sticky transport, live numbers in tabular figures."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from pages.ui.palette import palette

_CSS = (Path(__file__).parent / "look.css").read_text(encoding="utf-8")


def apply() -> None:
    """Put the style sheet on the page."""
    colours = palette(st.context.theme.type)
    ours = f"--lab-paper: {colours.paper}; --lab-on-run: {colours.on_run};"
    st.html(f"<style>:root {{ {ours} }}\n{_CSS}</style>")


def title(heading: str, sentence: str) -> None:
    """The page's heading with one sentence beside it."""
    st.html(f'<div class="lab-title"><h1>{heading}</h1><p>{sentence}</p></div>')


@contextmanager
def first_visit() -> Generator[None]:
    """Say that PyTorch is being loaded, if it is: once after the server has started, for about two seconds."""
    if "gd_core.training" in sys.modules:
        yield
    else:
        with st.spinner("Loading PyTorch, once after the server has started …"):
            yield
