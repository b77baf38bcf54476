"""The page's own look, on top of the theme: tight spacing, a sticky transport, live numbers in tabular figures."""

import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from pages.ui.look import current_charts, described, navigation, projector
from pages.ui.look.palette import palette

_HERE = Path(__file__).parent
_LARGE = (_HERE / "projector.css").read_text(encoding="utf-8")
_SLIM = (_HERE / "embedded.css").read_text(encoding="utf-8")


class _Sheet(str):
    """A style sheet as it is: Streamlit would look for indented lines in a plain string, a millisecond for ours."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)


def apply() -> None:
    """Put the style sheet on the page. The first thing that a page does after it has read its address.

    What all pages have in common stands in the HTML already, where our server has sent that.
    """
    navigation.enter()
    current_charts.clear()
    colours = palette(st.context.theme.type)
    ours = f"--lab-paper: {colours.paper}; --lab-run: {colours.run}; --lab-optimum: {colours.optimum}; --lab-data: {colours.data}; --lab-on-run: {colours.on_run};"
    ours += f" --lab-serif: {st.get_option('theme.headingFont')};"
    common = "" if described.serves() else described.SHEET
    mode = _LARGE if projector.on() else _SLIM if st.context.is_embedded else ""
    st.html(_Sheet(f"<style>:root {{ {ours} }}\n{common}{mode}</style>"))


def title(heading: str, sentence: str, place: str = "") -> None:
    """The page's heading with one sentence beside it; for a lesson also its place among all."""
    small = f"<small>{place}</small>" if place else ""
    whole = ""
    # In the frame of another page there is no menu: all else is in a tab of its own.
    if st.context.is_embedded:
        here = escape("?" + urlencode(st.query_params.to_dict()))
        whole = f'<a class="whole" href="{here}" target="_blank">Open in a new tab ↗</a>'
    st.html(f'<div class="lab-title">{small}<h1>{heading}</h1><p>{sentence}</p>{whole}</div>')


def plain(text: str) -> str:
    """Text as it is, whatever a link brought along: nothing in it is Markdown."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


@contextmanager
def first_visit() -> Generator[None]:
    """Say that PyTorch is being loaded, if it is: once, where `app.py` is run as a script and not served (see there)."""
    if "gd_core.training" in sys.modules:
        yield
    else:
        with st.spinner("Loading PyTorch, once after the server has started …"):
            yield


def clickable(name: str) -> Any:
    """A container for one plot whose clicks the player reports under this name."""
    return st.container(key=f"click_{name}")


def wide(label: str, table: str) -> str:
    """A table that may be wider than its room: it scrolls in a box of its own, by keys too.

    Args:
        label: What the box is called for who cannot see it.
        table: HTML.
    """
    return f'<div class="wide" tabindex="0" role="region" aria-label="{label}">{table}</div>'


def panel_title(text: str, note: str = "") -> None:
    """The heading of a panel, with a note in small type, which says tap where one has a finger and no pointer."""
    note = re.sub(
        r"\b(click)\b", r'<span class="by-pointer">\1</span><span class="by-touch">tap</span>', note
    )
    small = f" <small>{note}</small>" if note else ""
    st.html(f'<p class="panel-title">{text}{small}</p>')
