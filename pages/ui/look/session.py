"""What a visitor's session keeps: dataclasses, one of a kind, each in the hands of the module that defines it.

Other modules ask that module. Values of widgets are not kept here: Streamlit has them under the widgets' own keys.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)

STATE = st.session_state


def key(kind: type[DataclassInstance]) -> str:
    """Where the one instance of a kind is kept."""
    return f"{kind.__module__}.{kind.__qualname__}"


def held(kind: type[T]) -> T:
    """The visitor's own instance of a dataclass whose fields all have defaults; made at first use.

    Ask for it anew wherever something is read or written, and never keep it across slow work. A setting changed
    meanwhile starts the page's next run beside the one at work, which is to write nothing more: it ends as soon as it
    turns to the session.
    """
    found = STATE.get(key(kind))
    if (
        type(found) is not kind
    ):  # none yet, or of a class that Streamlit has loaded anew since: its values stay
        there = {field.name for field in fields(kind) if hasattr(found, field.name)}
        found = STATE[key(kind)] = kind(**{name: getattr(found, name) for name in there})
    return found
