"""Where starts end, as the ground of a map of the loss: squares in the colour of their valley, and its letter on each area."""

import altair as alt
import numpy as np
import pyarrow as pa

from gd_core.starts import DIVERGED, LEVEL_GROUND, NOT_YET, UNDER_WAY, Ends
from pages.ui.charts.elements import rows_from
from pages.ui.charts.model import table
from pages.ui.look.palette import Palette

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SIGNS = {DIVERGED: "×", UNDER_WAY: "?", LEVEL_GROUND: "="}  # of what is no valley
GREY = {UNDER_WAY: 0.2, LEVEL_GROUND: 0.5, DIVERGED: 0.75}  # shares of it in what they are painted with
COLOURED = 6  # valleys of a colour of their own; the seventh has that of the first again, and its own letter
LEAST = 8  # squares: a smaller area has no letter
TEXT = (
    "Ground of the map: where a run that starts there ends. Each area is coloured and lettered by its valley, A the lowest that was "
    "found; × diverges, ? is still on the way or goes to and fro, = rests where the slope is 0. "
)


def sign_of(which: int) -> str:
    """A letter for a valley, after Z with a number; a sign for what is none."""
    if which < 0:
        return SIGNS.get(which, "")
    return LETTERS[which % 26] + (str(which // 26 + 1) if which >= 26 else "")


def hues_of(ends: Ends) -> dict[int, int]:
    """The hue of each valley, by number: the largest areas have one of their own each. Of what is no valley the kind itself."""
    kinds, sizes = np.unique(ends.which, return_counts=True)
    valleys = [kind for kind in kinds[np.argsort(-sizes, kind="stable")].tolist() if kind >= 0]
    return {kind: place % COLOURED for place, kind in enumerate(valleys)} | {
        kind: kind for kind in (*SIGNS, NOT_YET)
    }


def colour_of(hue: int, colours: Palette) -> str:
    """What an area is painted with: a hue, grey where there is no valley, and thinned with the paper, so that lines show on it."""
    if hue == NOT_YET:
        return colours.paper
    full, share = (colours.racers[2 + hue], 0.42) if hue >= 0 else (colours.racers[1], GREY[hue])
    mixed = (
        round(share * int(full[i : i + 2], 16) + (1 - share) * int(colours.paper[i : i + 2], 16))
        for i in (1, 3, 5)
    )
    return f"#{bytes(mixed).hex()}"


def areas(x: alt.X, y: alt.Y, colours: Palette) -> alt.Chart:
    """The ground, below all else of a map with these axes."""
    hues = [*SIGNS, NOT_YET, *range(COLOURED)]
    scale = alt.Scale(domain=hues, range=[colour_of(hue, colours) for hue in hues])
    paint = {"shorthand": "hue:O", "scale": scale, "legend": None}
    return (
        rows_from("ends")
        .mark_rect(clip=True, strokeWidth=0.7)  # without it the paper shines through between two rows
        .encode(x=x, x2="x2:Q", y=y, y2="y2:Q", fill=alt.Fill(**paint), stroke=alt.Stroke(**paint))
    )


def letters(colours: Palette) -> alt.Chart:
    """One on each area, above the level lines."""
    return (
        rows_from("letters")
        .mark_text(fontSize=15, fontWeight=700, color=colours.ink)
        .encode(x="x:Q", y="y:Q", text="sign:N")
    )


def tables_of(ends: Ends) -> dict[str, pa.Table]:
    """The areas, as many neighbours in a row as one; and the letters in their middles."""
    side, which, hues = len(ends.which), ends.which, hues_of(ends)
    differs = np.diff(which, axis=1, prepend=NOT_YET - 1) != 0
    rows, first = np.nonzero(differs)
    last = np.append(first[1:], side)
    last[np.append(rows[1:] != rows[:-1], False)] = side
    kinds = which[rows, first]
    (u, v), (half_u, half_v) = ends.shown.centre, ends.shown.half
    x, y = (
        middle - half + np.arange(side + 1) * 2 * half / side for middle, half in ((u, half_u), (v, half_v))
    )
    marks = [(square, kind) for kind in np.unique(kinds) for square in middles(which == kind)]
    places = np.array([ends.start(*square) for square, _ in marks]).reshape(-1, 2)
    return {
        "ends": table(
            {
                "x": x[first], "x2": x[last], "y": y[rows], "y2": y[rows + 1],
                "hue": np.array([hues[kind] for kind in kinds.tolist()], dtype=np.int8),
            }
        ),
        "letters": table({"x": places[:, 0], "y": places[:, 1], "sign": np.array([sign_of(kind) for _, kind in marks] or [""])[: len(marks)]}),
    }  # fmt: skip


def middles(inside: np.ndarray) -> list[tuple[int, int]]:
    """A square deep inside each area that hangs together and is not too small, of those that are `inside`."""
    found, rest = [], inside.copy()
    while rest.any():
        area = np.zeros_like(rest)
        area[tuple(np.argwhere(rest)[0])] = True
        while (grown := _or_neighbours(area) & rest).sum() > area.sum():
            area = grown
        rest &= ~area
        if area.sum() < LEAST:
            continue
        while (inner := ~_or_neighbours(~np.pad(area, 1))[1:-1, 1:-1]).any():
            area = inner
        row, column = np.argwhere(area)[area.sum() // 2]
        found.append((int(row), int(column)))
    return found


def _or_neighbours(squares: np.ndarray) -> np.ndarray:
    """Squares, and those beside, above and below them."""
    framed = np.pad(squares, 1)
    return squares | framed[:-2, 1:-1] | framed[2:, 1:-1] | framed[1:-1, :-2] | framed[1:-1, 2:]
