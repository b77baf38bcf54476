"""What the page shows now: its charts, and what its player says. For the panel with which one takes them along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

if TYPE_CHECKING:  # the look of a page needs this before torch is loaded
    import pandas as pd

    from pages.ui.charts.model import View


class Played(NamedTuple):
    """What the player was given, see `player.put`."""

    numbers: pd.DataFrame
    templates: Sequence[str]
    summary: str
    sums: Mapping[str, Sequence[tuple[str, float]]]
    names: Sequence[str]
    last: int
    planned: int
    stride: int


class Drawn:
    """One visitor's page.

    Attributes:
        views: Its charts by key, in the order in which they were drawn.
        played: What its player plays.
    """

    def __init__(self) -> None:
        self.views: dict[str, View] = {}
        self.played: Played | None = None


def now() -> Drawn:
    """What this visitor's page shows. What is drawn anew takes the place of what had its key."""
    return st.session_state.setdefault("drawn", Drawn())


def being_taken() -> bool:
    """Whether the panel is open: a run of the whole page would close it and open it anew."""
    return "taking" in st.session_state


def clear() -> None:
    """All charts of the page are about to be drawn anew."""
    st.session_state["drawn"] = Drawn()
