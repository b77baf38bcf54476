"""What the page shows now: its charts, and what its player says. For the panel with which one takes them along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pages.ui.look import session

if TYPE_CHECKING:  # the look of a page needs this before torch is loaded
    import numpy as np

    from pages.ui.charts.model import View


class Played(NamedTuple):
    """What the player was given, see `player.put`."""

    numbers: Mapping[str, np.ndarray]
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


@dataclass
class Showing:
    """What a visitor sees.

    Attributes:
        drawn: The page.
        taking: The name of the page whose panel for taking it along is open.
    """

    drawn: Drawn = field(default_factory=Drawn)
    taking: str | None = None


def now() -> Drawn:
    """What this visitor's page shows. What is drawn anew takes the place of what had its key."""
    return session.held(Showing).drawn


def being_taken() -> bool:
    """Whether the panel is open: a run of the whole page would close it and open it anew."""
    return session.held(Showing).taking is not None


def is_open_for(page: str) -> bool:
    """Whether the panel is open for this very page."""
    return session.held(Showing).taking == page


def open_for(page: str | None) -> None:
    """Remember that the panel is open for a page, or for none: the page may run anew meanwhile."""
    session.held(Showing).taking = page


def clear() -> None:
    """All charts of the page are about to be drawn anew."""
    session.held(Showing).drawn = Drawn()
