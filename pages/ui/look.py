"""The page's own look, on top of the theme: tight spacing, a sticky transport, live numbers in tabular figures."""

from pathlib import Path

import streamlit as st

from pages.ui.palette import palette

_CSS = (Path(__file__).parent / "look.css").read_text(encoding="utf-8")


def apply() -> None:
    """Put the style sheet on the page."""
    paper = palette(st.context.theme.type).paper
    st.html(f"<style>:root {{ --lab-paper: {paper}; }}\n{_CSS}</style>")


def title(heading: str, sentence: str) -> None:
    """The page's heading with one sentence beside it."""
    st.html(f'<div class="lab-title"><h1>{heading}</h1><p>{sentence}</p></div>')


def place_for_charts():  # noqa: ANN201
    """A container that says that the engine starts, as long as it is the first visit to this server."""
    return st.container(key="lab")
