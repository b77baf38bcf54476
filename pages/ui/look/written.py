"""What a page writes into its widgets before they are drawn, and what a browser says of them that is older.

With every press a browser sends what all widgets hold. A field that the page has just changed still holds there what stood in
it before, until the new value has come and is drawn; Streamlit, which compares with the new one, takes it for typed. So for a
while the page knows what it has written over.

What somebody typed makes a message of its own: nothing else is new in it. So even the value before can be typed again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pages.ui.look import session

STATE = st.session_state


@dataclass
class Replaced:
    """What the page has written over, and when, by the key of the widget."""

    values: dict[str, list[tuple[float, Any]]] = field(default_factory=dict)


def write(key: str, value: Any) -> None:
    """Have a widget hold a value when it is drawn, which comes next."""
    if (before := STATE.get(key, value)) != value:
        session.held(Replaced).values[key] = [*_not_seen(key), (time.monotonic(), before)]
    STATE[key] = value


def changed(key: str, then: Callable[..., object], *args: Any) -> None:
    """Hand on what a widget holds, and these after it, if somebody has changed it. For `on_change`."""
    if not _is_late(key):
        then(STATE[key], *args)


def _is_late(key: str) -> bool:
    """Whether a widget says what the page has written over, and something else has made its browser speak."""
    return any(STATE[key] == before for _, before in _not_seen(key)) and not session.is_alone_new(key)


def _not_seen(key: str) -> list[tuple[float, Any]]:
    """What a browser may still hold in a widget."""
    now = time.monotonic()
    return [one for one in session.held(Replaced).values.get(key, []) if now - one[0] < session.LATE]
