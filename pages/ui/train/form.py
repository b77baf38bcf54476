"""What the side bar says: the values of its widgets by field, and the last good experiment. No torch here."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from gd_core.settings.examples import OPENING
from gd_core.settings.experiment import Experiment
from pages.ui.look import session

PREFIX = "w_"  # what the keys of the fields' widgets begin with
STATE = st.session_state


@dataclass
class Form:
    """What the session keeps beside the widgets.

    Attributes:
        good: The last experiment that broke no rule: a field with a bad value keeps its value from here.
        axes: The landscape's two parameters, by number; not always such as the experiment has.
    """

    good: Experiment = OPENING.experiment
    axes: tuple[int, int] = (0, 1)


def held() -> Form:
    """The visitor's own."""
    return session.held(Form)


def key(name: str) -> str:
    """The key of a field's widget."""
    return f"{PREFIX}{name}"


def value(name: str) -> Any:
    """What the widget of a field holds."""
    return STATE[key(name)]


def value_or(name: str, otherwise: Any) -> Any:
    """The same, where the widget may not have been drawn yet."""
    return STATE.get(key(name), otherwise)


def put(name: str, what: Any) -> None:
    """Have a field's widget hold a value. Before it is drawn, or in a callback."""
    STATE[key(name)] = what


def values() -> dict[str, Any]:
    """What all widgets hold, by field."""
    return {str(one).removeprefix(PREFIX): STATE[one] for one in STATE if str(one).startswith(PREFIX)}


def keep_alive() -> None:
    """Streamlit forgets a widget that one run did not draw; a write makes its value stay."""
    for name, what in values().items():
        put(name, what)
