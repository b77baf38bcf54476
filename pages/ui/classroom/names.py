"""Nicknames on the teacher's page: whether there are any, and each hidden from the class with a press."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from gd_core.classroom.rooms import NoRoom
from pages.ui.look import look

if TYPE_CHECKING:
    from gd_core.classroom.kept import Look


def menu(
    place: str, looked: Callable[[], Look], allow: Callable[[bool], None], hide: Callable[[int, bool], None]
) -> None:
    """Closed at first, since a wall may show the page.

    Args:
        place: What the keys of its widgets begin with.
        looked: Gives the room. Where it cannot be read, the box of the question says why.
        allow: Lets students give themselves one, or no longer.
        hide: Hides a member's, or shows it again.
    """
    closed = st.popover(
        "Nicknames", icon=":material/badge:", type="tertiary", on_change="rerun", key=f"{place}_names"
    )
    if not closed.open:
        return
    from gd_core.classroom.database import StoreDown

    try:
        seen = looked()
    except (NoRoom, StoreDown):
        return
    with closed:
        label = "Allow no more nicknames" if seen.room.nicknames else "Allow nicknames"
        st.button(label, key=f"{place}_allow", on_click=allow, args=(not seen.room.nicknames,))
        named = sorted((own for own in seen.members.values() if own.nickname), key=lambda own: own.number)
        if not named:
            st.markdown("Nobody has one yet.")
        for own in named:
            label = f"{'Show' if own.hidden else 'Hide'} {look.plain(own.nickname)}"
            st.button(
                label, key=f"{place}_hide {own.number}", on_click=hide, args=(own.number, not own.hidden)
            )
