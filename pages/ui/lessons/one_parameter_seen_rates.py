"""Which learning rates a visitor has seen run in the lesson of one parameter. No torch here."""

from dataclasses import dataclass, field

from pages.ui.look import session


@dataclass
class SeenRates:
    """The rates themselves: a name would give the answer away, so each is named once its run has been seen."""

    rates: set[float] = field(default_factory=set)


def seen() -> set[float]:
    """The visitor's own."""
    return session.held(SeenRates).rates
