"""What is left above the floor: of single rows at a constant rate, at one that shrinks, and of the mean of the points."""

from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from gd_core.lessons.learning_rate.arriving import CONSTANT, MEAN, SHRINKING, Arriving
from pages.ui.charts.elements import count_axis, finish, log_axis, named, rows_from
from pages.ui.charts.model import View, column_of, log_path, table
from pages.ui.look.palette import Palette

WIDTHS = {CONSTANT: 1.6, SHRINKING: 2.5, MEAN: 2.5}


@lru_cache(16)
def _spec(height: int, colours: Palette) -> dict[str, Any]:
    styles = {
        CONSTANT: (colours.data, [1, 0]),
        SHRINKING: (colours.run, [8, 3]),
        MEAN: (colours.several[1], [2, 2]),
    }
    axes: dict[str, Any] = {"x": count_axis(), "y": log_axis("RMSE above the floor"), "order": "x:Q"}
    layers = [
        rows_from("path")
        .transform_filter(f"datum.line == {place}")
        .transform_calculate(x="datum.epoch", y="datum.above", name=f"'{name}'")
        .mark_line(clip=True, strokeWidth=WIDTHS[name])
        .encode(**axes, **named(styles))
        for place, name in enumerate(styles)
    ]
    spec = finish(layers, height)
    # nothing in here hangs on the epoch: without these the player leaves the chart alone
    spec["params"] = [one for one in spec["params"] if one["name"] not in ("epoch", "seen")]
    return spec


def above_the_floor(found: Arriving, colours: Palette, height: int) -> View:
    """RMSE minus the floor by epoch, on a logarithmic axis, of all three."""
    parts = []
    for place, name in enumerate(WIDTHS):
        one = log_path(np.arange(len(found.above[name])), {"above": found.above[name]})
        parts.append(one.append_column("line", column_of(np.full(len(one), place, dtype=np.int8))))
    drawn = np.concatenate([part["above"].to_numpy() for part in parts])
    ends = {
        "x0": 0,
        "x1": found.constant.epochs,
        "y0": float(drawn.min()) / 1.6,
        "y1": float(drawn.max()) * 1.25,
    }
    tables = {"path": pa.concat_tables(parts), "frame": table({name: [end] for name, end in ends.items()})}
    text = (
        "RMSE above the floor by epoch on a logarithmic axis, of single rows at a constant rate, with dashes at a rate that "
        "shrinks, and dotted of the mean of the points of the last half at the constant rate."
    )
    return View(_spec(height, colours), tables, text)
