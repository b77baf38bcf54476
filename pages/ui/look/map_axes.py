"""The choice of a map's two parameters: a button for each pair while they are few, else one list for each axis."""

from collections.abc import Callable, Sequence

import streamlit as st

from pages.ui.look import written

PAIRS = 6  # as buttons in a line; twenty parameters would have 190
Axes = tuple[int, int]


def pairs_of(parameters: int) -> list[Axes]:
    """Every two of so many parameters, the first named first."""
    return [(i, j) for i in range(parameters) for j in range(i + 1, parameters)]


def fits(axes: Sequence[int], parameters: int) -> bool:
    """Whether a map can have these axes: any two where each has its list, else a pair that has its button."""
    pairs = pairs_of(parameters)
    if len(axes) != 2:
        return False
    return tuple(sorted(axes) if len(pairs) > PAIRS else axes) in pairs


def control(key: str, names: Sequence[str], axes: Axes, pick: Callable[[Axes], None]) -> None:
    """Draw the choice, where there is one.

    Args:
        key: Of the widgets. With lists they are the key and x or y.
        names: Of all parameters.
        axes: The two that are shown.
        pick: Is given the two that were chosen. For a callback.
    """
    pairs = pairs_of(len(names))
    if len(pairs) > PAIRS:
        _lists(key, names, axes, pick)
    elif len(pairs) > 1:
        written.write(key, axes)
        st.segmented_control(
            "Axes", pairs, format_func=lambda pair: f"{names[pair[0]]}, {names[pair[1]]}", key=key,
            label_visibility="collapsed", required=True, on_change=written.changed, args=(key, pick),
        )  # fmt: skip


def _lists(key: str, names: Sequence[str], axes: Axes, pick: Callable[[Axes], None]) -> None:
    def picked(new: int, which: int) -> None:
        other = axes[1 - which]
        if new == other:  # chosen twice: the two change places
            other = axes[which]
        pick((new, other) if which == 0 else (other, new))

    for which, letter in enumerate("xy"):
        written.write(f"{key} {letter}", axes[which])
        st.selectbox(
            f"{letter} axis", range(len(names)), format_func=names.__getitem__, key=f"{key} {letter}",
            label_visibility="collapsed", on_change=written.changed, args=(f"{key} {letter}", picked, which), width=92,
        )  # fmt: skip
