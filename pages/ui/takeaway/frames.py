"""The run as a moving picture: which epochs, for how long, and what stands around the charts.

The charts are the page's own, in the large type of a projector; `converter.film` draws them. It lasts as long as the
player plays, so what it shows slowly or quickly is what the page does.
"""

import re
import textwrap
from collections.abc import Mapping
from html import escape
from typing import Any, NamedTuple

import numpy as np

from gd_core.words import counted, short
from pages.ui.charts.model import View
from pages.ui.look.current_charts import Played
from pages.ui.look.palette import Palette
from pages.ui.look.projector import LETTERS, in_large_type
from pages.ui.takeaway.page_html import epochs_of, names_of, rows_of, sentences
from pages.ui.takeaway.pictures import CAPTION_SIZE, LETTER, PAPERS, Place, alone

PER_SECOND = 10  # pictures: some programs slow down a GIF that has many more
FIRST, LAST = 1.0, 3.0  # seconds for which the first and the last picture stand still
MOST_CHARTS = 4
WIDTH = 853  # pixels of the drawing, which is then scaled: a projector's, see projector.css
EDGE, GAP = 16, 12
HEIGHTS = {1: 330, 2: 300, 3: 270, 4: 190}  # of a chart, by how many there are
LINE = 20
LETTERS_A_LINE = int((WIDTH - 2 * EDGE) / LETTER * CAPTION_SIZE / LETTERS)
BAR = 260  # pixels from the left edge, beside the epoch
KILOBYTES = (3.2, 0.7)  # measured: of a picture 853 pixels wide, by its sentence and by each chart
ON_THE_PAGE = " A click sets the start."  # in the text of a chart
# as in player.js
SECONDS_AT_1X, SLOWEST, RESTS, AT_REST = 6.0, 2.5, 0.005, 0.1
_MOVES = re.compile(r"rmse|p\d+")


class Moment(NamedTuple):
    """A picture: the row of the player's table that it shows, and for how long, in milliseconds."""

    row: int
    ms: int


def moments(played: Played) -> list[Moment]:
    """Which rows are shown and for how long. A row that the player would pass in a blink is left out."""
    starts = np.append(0, np.cumsum(seconds_of(played)))
    ticks = np.arange(int(starts[-1] * PER_SECOND) + 1) / PER_SECOND
    shown = np.unique(np.append(np.searchsorted(starts, ticks + 1e-6, side="right") - 1, len(starts) - 1))
    hundredths = np.append(np.diff(np.round(100 * starts[shown])), 100 * LAST)
    hundredths[0] += 100 * FIRST
    return [Moment(int(row), 10 * int(each)) for row, each in zip(shown, hundredths, strict=True)]


def seconds_of(played: Played) -> np.ndarray:
    """How many seconds of play each row but the last stays [rows − 1]: what `secondsOf` in player.js says."""
    table, rows = played.numbers, rows_of(played)
    moving = 0
    for name in table:
        if not _MOVES.fullmatch(name):
            continue
        places = table[name].astype(float)
        if name == "rmse":
            with np.errstate(divide="ignore", invalid="ignore"):
                places = np.log(places)
        seen = places[np.isfinite(places)]
        whole = np.ptp(seen) if len(seen) else -np.inf
        with np.errstate(invalid="ignore"):
            away = ~(abs(places - places[-1]) <= RESTS * whole)
        moving = max(moving, int(np.flatnonzero(away)[-1]) + 1 if away.any() else 0)
    steps = max(1, rows - 1)
    early = 0 < moving < steps / 2
    each = (1 - AT_REST) * SECONDS_AT_1X / moving if early else SECONDS_AT_1X / steps
    seconds = np.full(steps, min(1 / SLOWEST, each))
    if early:
        seconds[moving:] = AT_REST * SECONDS_AT_1X / (steps - moving)
    return seconds


class Layout(NamedTuple):
    """Where what stands, in pixels.

    Attributes:
        size: Width and height of a chart.
        charts: Their upper left corners.
        foot: Where the epoch and what is said begin, from the top.
        below: Where the settings begin.
        settings: Their lines.
        height: Of all.
    """

    size: tuple[int, int]
    charts: list[tuple[int, int]]
    foot: int
    below: int
    settings: list[str]
    height: int


def layout(played: Played, charts: int, settings: str) -> Layout:
    """The layout for so many charts, in a row or two, and for the longest sentence."""
    across = 2 if charts == 4 else charts
    width = (WIDTH - 2 * EDGE - (across - 1) * GAP) // across
    height = HEIGHTS[charts]
    row = LINE + height + GAP
    places = [(EDGE + n % across * (width + GAP), EDGE + n // across * row + LINE) for n in range(charts)]
    foot = EDGE + -(-charts // across) * row
    lines = max(len(textwrap.wrap(text, LETTERS_A_LINE)) for text in said(played))
    small = textwrap.wrap(settings, int((WIDTH - 2 * EDGE) / LETTER))
    below = foot + LINE * (1 + lines) + (CAPTION_SIZE + 4) * len(small) + EDGE
    return Layout((width, height), places, foot, foot + LINE * (1 + lines), small, below)


def said(played: Played) -> list[str]:
    """What stands under the charts at each row: the player's sentence, and at the end its verdict."""
    steps = sentences(played)
    return [*steps[:-1], played.summary or steps[-1]]


class Size(NamedTuple):
    """How large a moving picture will be, and how much work: before it is made."""

    width: int
    height: int
    pictures: int
    seconds: float
    megabytes: float
    work: float  # seconds of a processor that does nothing else

    @classmethod
    def of(cls, played: Played, charts: int, settings: str, width: int) -> "Size":
        """That of so many charts."""
        many, scale = len(moments(played)), width / WIDTH
        height = round(scale * layout(played, charts, settings).height)
        sentence, chart = KILOBYTES
        megabytes = many * scale * (sentence + charts * chart) / 1000
        work = 2 + (many + 3) * (0.05 + charts * (0.05 + 0.04 * scale))
        return cls(width, height, many, seconds(played), megabytes, work)

    def in_words(self) -> str:
        """One sentence."""
        return (
            f"{self.width:,} × {self.height:,} pixels, {counted(round(self.seconds), 'second')} long. About {short(self.megabytes, 1)} MB, "
            f"made in about {counted(round(self.work), 'second')}, longer on a busy server."
        )


def film(
    views: Mapping[str, View],
    played: Played,
    paper: str,
    settings: str,
    *,
    width: int,
    again: bool,
) -> dict[str, Any]:
    """What `converter.film` draws.

    Args:
        views: Title → chart; `MOST_CHARTS` at most.
        played: What the page's player was given.
        paper: Key of `PAPERS`.
        settings: The run's settings in a line.
        width: Pixels of the picture.
        again: Whether it begins again at its end.
    """
    colours = PAPERS[paper]
    laid = layout(played, len(views), settings)
    size = {"width": laid.size[0], "height": laid.size[1], "padding": 0}
    fit = size | {"autosize": {"type": "fit", "contains": "padding"}}
    opened = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{laid.height}" font-family="sans-serif">',
        f'<rect width="100%" height="100%" fill="{colours.paper}"/>',
        *(
            _text(x, y - 6, LETTERS, colours.ink, title, bold=True)
            for title, (x, y) in zip(views, laid.charts, strict=True)
        ),
        *(
            _text(EDGE, laid.below + (CAPTION_SIZE + 4) * n, CAPTION_SIZE, colours.data, line)
            for n, line in enumerate(laid.settings, 1)
        ),
    ]
    epochs, names, words = epochs_of(played), names_of(played), said(played)
    return {
        "again": again,
        "scale": width / WIDTH,
        "open": "".join(opened),
        "charts": [
            {"spec": in_large_type(alone(view, paper, Place(0, 0))) | fit, "x": x, "y": y}
            for view, (x, y) in zip(views.values(), laid.charts, strict=True)
        ],
        "frames": [
            {
                "signals": {"epoch": epochs[row], "seen": epochs[row]},
                "svg": _foot(laid.foot, names[row], words[row], epochs[row] / played.last, colours),
                "ms": ms,
            }
            for row, ms in moments(played)
        ],
    }


def _foot(top: int, name: str, sentence: str, share: float, colours: Palette) -> str:
    """The epoch, how far the run has come, and what is said."""
    whole = WIDTH - EDGE - BAR
    bar = "".join(
        f'<rect x="{BAR}" y="{top + 5}" width="{round(length, 1)}" height="6" rx="3" fill="{colour}"/>'
        for length, colour in ((whole, colours.line_high), (share * whole, colours.run))
    )
    lines = [name, *textwrap.wrap(sentence, LETTERS_A_LINE)]
    return bar + "".join(
        _text(EDGE, top + 13 + LINE * n, LETTERS, colours.ink, line, bold=n == 0)
        for n, line in enumerate(lines)
    )


def _text(x: float, y: float, size: int, colour: str, text: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}"{weight}>{escape(text)}</text>'


def seconds(played: Played) -> float:
    """How long the moving picture lasts."""
    return sum(ms for _, ms in moments(played)) / 1000


def described(views: Mapping[str, View], played: Played) -> str:
    """The moving picture in words, for those who cannot see it."""
    names = names_of(played)
    charts = " ".join(f"{title}: {view.text.replace(ON_THE_PAGE, '')}" for title, view in views.items())
    return f"{counted(round(seconds(played)), 'second')}, {names[0]} to {names[-1]}. {charts} {played.summary}".strip()
