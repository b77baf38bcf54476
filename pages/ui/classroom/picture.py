"""A small picture of a run for the phones of a class, as SVG: numbers by epoch, as lines. A kilobyte or two, the same for all.

Its colours are those of the page that it stands in, so it is told in shapes: each of several lines has dashes and a name of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import takewhile
from typing import TYPE_CHECKING

from gd_core.words import brief, counted

if TYPE_CHECKING:
    from gd_core.training import Epochs

LINES = 8
POINTS = 60  # of a line; so many epochs each have a dot of their own, where there is one line
DOTS = 40
WIDTH, HEIGHT = 360, 190
LEFT, RIGHT, TOP, BOTTOM = 8, 12, 29, 168  # of the plot
LETTER = 6.3  # of a name beside it, where there are several lines
DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4", "4 2", "1 5", "6 2 1 2 1 2")
DECADES = 1.3  # from so many on an axis is logarithmic


@dataclass(frozen=True)
class Drawn:
    """What a picture shows.

    Attributes:
        title: What is drawn, and over what: "RMSE by epoch".
        lines: Numbers by name. What is not finite ends a line.
        over: What is counted: "epoch",
        first: and from which number on.
    """

    title: str
    lines: Mapping[str, Sequence[float]]
    over: str = "epoch"
    first: int = 0


def errors(runs: Mapping[str, Epochs]) -> Drawn:
    """The error of each run, by its name."""
    return Drawn("RMSE by epoch", {name: run.epoch_rmse.tolist() for name, run in runs.items()})


def svg(drawn: Drawn) -> str:
    """The picture, with a text for who cannot see it; "" where there is nothing to draw."""
    lines = {name: _finite(values) for name, values in [*drawn.lines.items()][:LINES]}
    lines = {name: values for name, values in lines.items() if values}
    if not lines:
        return ""
    low, high = (end(map(end, lines.values())) for end in (min, max))
    log = low > 0 and math.log10(high / low) > DECADES
    longest = max(map(len, lines.values()))
    several = len(lines) > 1
    right = WIDTH - (math.ceil(8 + LETTER * max(map(len, lines))) if several else RIGHT)

    def height(value: float) -> float:
        a, b, c = (math.log10(one) for one in (low, value, high)) if log else (low, value, high)
        return BOTTOM - (BOTTOM - TOP) * ((b - a) / (c - a) if c > a else 0.5)

    shapes, ends = "", []
    for dash, (name, values) in zip(DASHES, lines.items(), strict=False):
        step = max(1, math.ceil(len(values) / POINTS))
        shown = sorted({*range(0, len(values), step), len(values) - 1})
        places = [
            (round(LEFT + (right - LEFT) * k / max(1, longest - 1)), round(height(values[k]))) for k in shown
        ]
        path = " ".join(f"{x},{y}" for x, y in places)
        shapes += (
            f'<polyline points="{path}"{f" stroke-dasharray={chr(34)}{dash}{chr(34)}" if dash else ""}/>'
        )
        if not several and len(values) <= DOTS:
            shapes += "".join(f'<circle cx="{x}" cy="{y}" r="2.5"/>' for x, y in places)
        if len(values) < len(drawn.lines[name]):  # it has left every scale
            x, y = places[-1]
            shapes += f'<path d="M{x - 5},{y - 5}l10,10m0,-10l-10,10"/>'
        ends.append((*places[-1], name))
    scale = ", logarithmic" if log else ""
    told = (
        f"{drawn.title}{scale}: {'; '.join(_told(name, values, several) for name, values in lines.items())}."
    )
    last = drawn.first + longest - 1
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" fill="currentColor" '
        f'font-family="system-ui,sans-serif" font-size="12"><title>{escape(told)}</title>'
        f'<text x="{LEFT}" y="12">{escape(drawn.title)}{scale}</text>'
        f'<path d="M{LEFT},{TOP}H{right}M{LEFT},{BOTTOM}H{right}" stroke="currentColor" stroke-opacity=".3"/>'
        f'<text x="{LEFT}" y="{TOP - 3}" fill-opacity=".8" font-size="10">{brief(high)}</text>'
        f'<text x="{LEFT}" y="{BOTTOM - 3}" fill-opacity=".8" font-size="10">{brief(low)}</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 6}">{drawn.over} {drawn.first}</text>'
        f'<text x="{right}" y="{HEIGHT - 6}" text-anchor="end">{counted(last, drawn.over)}</text>'
        f'<g class="drawn" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round">{shapes}</g>'
        f"{_names(ends) if several else ''}</svg>"
    )


def _finite(values: Sequence[float]) -> list[float]:
    return list(takewhile(math.isfinite, map(float, values)))


def _told(name: str, values: Sequence[float], named: bool) -> str:
    return f"{f'{name} ' if named else ''}from {brief(values[0])} to {brief(values[-1])}"


def _names(ends: Iterable[tuple[int, int, str]]) -> str:
    """Each line's name at its end; one below the other where lines end close together."""
    sorted_ends = sorted(ends, key=lambda one: one[1])
    heights = [y + 4 for _, y, _ in sorted_ends]
    for k in range(1, len(heights)):
        heights[k] = max(heights[k], heights[k - 1] + 12)
    below = HEIGHT + 8
    for k in reversed(range(len(heights))):  # and none below the picture
        heights[k] = below = min(heights[k], below - 12)
    return "".join(
        f'<text x="{x + 4}" y="{y}" font-size="11">{escape(name)}</text>'
        for (x, _, name), y in zip(sorted_ends, heights, strict=True)
    )
