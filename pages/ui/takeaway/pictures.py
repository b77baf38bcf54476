"""A chart of the page as a picture of its own: standing at one epoch, on white or dark paper, with its settings below.

The page's own drawing is taken, not a second one: its specification, with the tables put in and the player's
parameters held still.
"""

import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa

from pages.ui.charts.model import View
from pages.ui.look.palette import DARK, LIGHT, Palette

WIDTH, LEAST_HEIGHT = 560, 240  # pixels of a picture's plot
PAPERS = {"white": LIGHT._replace(paper="#FFFFFF"), "dark": DARK}
LETTER = 5.6  # pixels of an average letter of a caption
CAPTION_SIZE = 11
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")


class Place(NamedTuple):
    """Where the player stands: the epoch that is shown, and the last one that was seen before."""

    epoch: int
    seen: int


def picture(view: View, place: Place, paper: str, caption: Sequence[str]) -> dict[str, Any]:
    """A chart as a specification that needs nothing else.

    Args:
        view: As the page draws it, in the colours of either theme.
        place: The epoch that it shows.
        paper: Key of `PAPERS`.
        caption: Lines under it; what is too long for one is broken.
    """
    spec = alone(view, paper, place)
    lines = [part for line in caption for part in textwrap.wrap(line, int(WIDTH / LETTER))]
    title = {
        "text": lines,
        "orient": "bottom",
        "anchor": "start",
        "frame": "bounds",
        "offset": 12,
        "fontSize": CAPTION_SIZE,
        "fontWeight": "normal",
        "lineHeight": CAPTION_SIZE + 4,
        "color": PAPERS[paper].ink,
    }
    size = {"width": WIDTH, "height": max(LEAST_HEIGHT, spec["height"])}
    return spec | size | {"title": title, "padding": 16, "autosize": {"type": "pad"}}


def moves(view: View) -> bool:
    """Whether a chart changes from epoch to epoch."""
    return any(parameter["name"] == "epoch" for parameter in view.spec["params"])


def alone(view: View, paper: str, place: Place) -> dict[str, Any]:
    """A chart's specification with its tables in it, at an epoch, in the colours of a paper. No width yet."""
    colours = PAPERS[paper]
    spec = recoloured(dict(view.spec), colours)
    spec["params"] = [_still(parameter, place) for parameter in spec["params"]]
    spec["datasets"] = {name: rows(table) for name, table in view.tables.items()}
    spec["config"] = _merged(_look(colours), spec["config"])
    return spec


def recoloured(part: Any, colours: Palette) -> Any:
    """The same with the palette's colours in place of the other's. What they mean stays."""
    if isinstance(part, str):
        return _COLOUR.sub(lambda found: _in(colours).get(found[0].upper(), found[0]), part)
    if isinstance(part, dict):
        return {name: recoloured(value, colours) for name, value in part.items()}
    return [recoloured(value, colours) for value in part] if isinstance(part, list) else part


@lru_cache(2)
def _in(colours: Palette) -> Mapping[str, str]:
    """Either theme's colour → the one with its meaning in `colours`."""
    mine = _flat(colours)
    return {
        theirs.upper(): own
        for palette in (LIGHT, DARK)
        for theirs, own in zip(_flat(palette), mine, strict=True)
        if theirs != own
    }


def _flat(colours: Palette) -> list[str]:
    return [one for entry in colours for one in ((entry,) if isinstance(entry, str) else entry)]


def rows(table: pa.Table) -> list[dict[str, Any]]:
    """A table as JSON has it: one object a row, seven digits, and null where there is no number."""
    columns = {name: [_plain(value) for value in table[name].to_pylist()] for name in table.column_names}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return float(f"{value:.7g}") if math.isfinite(value) else None


def _still(parameter: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """A parameter without the page's own slider for it; `epoch` and `seen` stand at their place."""
    kept = {name: value for name, value in parameter.items() if name != "bind"}
    return kept | ({"value": getattr(place, kept["name"])} if kept["name"] in Place._fields else {})


def _look(colours: Palette) -> dict[str, Any]:
    """What the page's theme gives its charts, for where there is no page."""
    text = {"labelFontSize": 12, "titleFontSize": 12, "labelColor": colours.data, "titleColor": colours.ink}
    axis = {"domain": False, "ticks": False, "gridColor": colours.line_high, "labelPadding": 8}
    return {"background": colours.paper, "axis": text | axis, "legend": text}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two configurations, the second counting more."""
    both = {name: {**below[name], **above[name]} for name in below if isinstance(above.get(name), dict)}
    return {**below, **above, **both}
