"""Projector mode: the page in large type, chart first, with a key for everything; and the card that lists the keys.

It is a way to look at a page, not a setting of its run: `view=projector` in the address, P on the keyboard. A key that
stands for a button presses that very button, in the browser; a key for what has no button is told to the server, and
`taken` hands it to the page at the start of its next run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from gd_core.settings.fields import one_number, quoted
from pages.ui.look import session
from pages.ui.look.buttons import with_buttons

VIEW = "view"  # its name in the address
LETTERS = 15  # pixels of the page, which is then scaled up: the size of its prose
STATE = st.session_state
_HERE = Path(__file__).parent
_keys = component(
    "keys",
    html=(_HERE / "keys.html").read_text(encoding="utf-8"),
    css=with_buttons(_HERE / "keys.css"),
    js="\n".join((_HERE / script).read_text(encoding="utf-8") for script in ("predicted.js", "keys.js")),
)


@dataclass
class Projector:
    """How a visitor looks at the pages.

    Attributes:
        on: Whether they are shown for a projector.
        pressed: Whether a key of this module made this run of the page.
        asked: What keys have asked the page for, and it has not taken yet.
        heard: The number of the last press that has changed the rate, as the browser counts them.
        to_keep: The word by which this tab finds its class again after a reload; "" for none any more, None while nothing
            is known of one.
        kept: What the tab has kept before a reload, and nobody has taken yet.
    """

    on: bool = False
    pressed: bool = False
    asked: dict[str, Any] = field(default_factory=dict)
    heard: int = 0
    to_keep: str | None = None
    kept: str = ""


def on() -> bool:
    """Whether the page is shown for a projector."""
    return session.held(Projector).on


def query() -> dict[str, str]:
    """What the address says of it."""
    return {VIEW: "projector"} if on() else {}


def follow(address: Mapping[str, str], *, entered: bool) -> list[str]:
    """Look at a page as an address says; a sentence if it says something else.

    Args:
        address: What someone followed.
        entered: Whether this page was just come to. The menu leads to a bare address, which then changes nothing.
    """
    if entered and not address:
        return []
    text = address.get(VIEW)
    session.held(Projector).on = text == "projector"
    return [f"{VIEW} must be projector. Got {quoted(text)}."] if text not in (None, "projector") else []


def pressed() -> bool:
    """Whether a key of this module made this run of the page. Its address may then be the one before last."""
    held = session.held(Projector)
    was, held.pressed = held.pressed, False
    return was


def taken(what: str) -> bool:
    """Whether a key asked the page for something, once: "on" to go on to what comes next, "teach" to open a class."""
    return bool(session.held(Projector).asked.pop(what, None))


def taken_rate() -> float | None:
    """The learning rate that keys asked for, once: as it was at the first press that was not heard yet, times all since."""
    held = session.held(Projector)
    if (asked := held.asked.pop("factor", None)) is None:
        return None
    held.heard = asked["number"]
    return float(one_number(asked["rate"])) * asked["factor"]


def keep(word: str) -> None:
    """Have the tab keep the word of a class, or forget it if it is empty."""
    session.held(Projector).to_keep = word


def kept() -> str:
    """The word that the tab has kept through a reload, once; mostly empty."""
    held = session.held(Projector)
    word, held.kept = held.kept, ""
    return word


def bare(address: Mapping[str, str]) -> bool:
    """Whether an address says no more than how to look at a page."""
    return address.keys() <= {VIEW}


def height(usual: int, large: int) -> int:
    """A chart's height in pixels, for a page whose type is large; in the frame of another page one between the two."""
    return large if on() else (usual + large) // 2 if st.context.is_embedded else usual


def lettered(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """A chart whose axes, legends and notes are in the type of the page, if the page is in large type."""
    return in_large_type(spec) if on() else spec


def in_large_type(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The same on any page."""
    config = dict(spec["config"])
    for part, names in {
        "axis": ("labelFontSize", "titleFontSize"),
        "legend": ("labelFontSize",),
        "text": ("fontSize",),
    }.items():
        config[part] = config.get(part, {}) | dict.fromkeys(names, LETTERS)
    config["legend"] |= {
        "columnPadding": 2,
        "labelOffset": 2,
        "symbolSize": 64,
    }  # or it is wider than a narrow chart
    return {**spec, "config": config}


def show(*, rate: str | None, following: str, may_teach: bool) -> None:
    """Listen to the keys, and draw the small button that opens their card; a bar of buttons on a projector.

    Args:
        rate: The learning rate as the page writes it, if the keys may change it.
        following: What N goes on to.
        may_teach: Whether a class can be opened here.
    """
    st.set_page_config(initial_sidebar_state="collapsed" if on() else "auto")
    _keys(
        key="keys",
        data={
            "projector": on(),
            "rate": rate,
            "heard": session.held(Projector).heard,
            "following": following,
            "theme": st.context.theme.type,
            "may_teach": may_teach,
            "class": session.held(Projector).to_keep,
        },
        on_view_change=_toggled,
        on_factor_change=_asked,
        on_on_change=_asked,
        on_teach_change=_asked,
        on_stale_change=_stale,
        on_class_change=_found,
    )


def _stale() -> None:
    """The page is connected again, or has another theme: it has only to run."""


def _found() -> None:
    session.held(Projector).kept = str(STATE["keys"].get("class") or "")


def _toggled() -> None:
    if STATE["keys"].get("view"):
        held = session.held(Projector)
        held.on, held.pressed = not held.on, True


def _asked() -> None:
    for what in ("factor", "on", "teach"):
        if (value := STATE["keys"].get(what)) is not None:
            held = session.held(Projector)
            held.asked[what], held.pressed = value, True
