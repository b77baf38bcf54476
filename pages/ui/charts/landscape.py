"""A valley as a map with up to five runs and arrows downhill, and the gaps of two runs side by side."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from gd_core.landscape import Window, level_lines, slice_minimum
from gd_core.lessons.landscape import MILLIONTH, Projection, gradient_field, window_around, within
from pages.ui.charts.elements import (
    FRAME,
    NOW,
    contours,
    count_axis,
    dot,
    expression,
    finish,
    kept,
    level,
    log_axis,
    named,
    one_row,
    rows_from,
    trail,
)
from pages.ui.charts.loss_map import STEPS_OUT, _optimum, _path, _place
from pages.ui.charts.model import (
    Run,
    View,
    arrow,
    column_of,
    drawn_epochs,
    frame_table,
    log_path,
    log_zero,
    table,
)
from pages.ui.look.palette import Palette

MOST = 5  # runs on one map
DASHES = ([1, 0], [7, 3], [2, 2.5], [9, 3, 2, 3], [4, 2])
SHAPES = ("circle", "square", "triangle-up", "triangle-down", "triangle-right")
ARROW = 24  # pixels of the longest arrow, or of every one
DECADES = 4  # powers of ten of the gradient's length that an arrow's length tells apart
SHORTEST = 0.3  # of the longest arrow: where the gradient is so many powers of ten smaller, or more


@lru_cache(64)
def _map_spec(x_title: str, y_title: str, height: int, colours: Palette) -> dict[str, Any]:
    lines = contours(x_title, y_title, colours).transform_calculate(
        x="datum.dx + slide_x", y="datum.dy + slide_y"
    )
    numbers = list(range(1, MOST + 1))
    colour = alt.Color("run:N", scale=alt.Scale(domain=numbers, range=[*colours.several]), legend=None)
    dash = alt.StrokeDash(
        "run:N", scale=alt.Scale(domain=numbers, range=[list(dash) for dash in DASHES]), legend=None
    )
    path = trail(
        rows_from("path").transform_calculate(x="datum.u", y="datum.v"),
        {"x": "x:Q", "y": "y:Q", "order": "epoch:Q", "color": colour, "strokeDash": dash},
    )
    starts = rows_from("starts").transform_calculate(x="datum.u", y="datum.v").encode(x="x:Q", y="y:Q")
    heads = (
        rows_from("starts")
        .transform_calculate(x=_now_at("u", "x"), y=_now_at("v", "y"))
        .mark_point(clip=True, filled=True, opacity=1, size=120, stroke=colours.paper)
        .encode(
            x="x:Q",
            y="y:Q",
            color=colour,
            shape=alt.Shape("run:N", scale=alt.Scale(domain=numbers, range=list(SHAPES)), legend=None),
        )
    )
    layers = [
        lines,
        _arrows(colours),
        *path,
        dot(_place("mu"), _place("mv"), shape="cross", size=45, filled=True, color=colours.start),
        _optimum(colours),
        starts.mark_point(clip=True, shape="circle", size=80, opacity=1, filled=False, strokeWidth=2).encode(
            stroke=alt.Stroke("run:N", scale=alt.Scale(domain=numbers, range=[*colours.several]), legend=None)
        ),
        starts.transform_filter(f"{FRAME}.runs > 1")
        .mark_text(clip=True, dx=11, dy=-8, fontWeight=700, fontSize=13)
        .encode(text="run:N", color=colour),
        heads,
        _off_mark(colours),
    ]
    # the lines slide by half pixels, so that they rest when the slice hardly moves
    moved = [
        expression(
            "slide_x", "round(2 * width * " + _place("mu") + " / (x1 - x0)) * (x1 - x0) / (2 * width)"
        ),
        expression(
            "slide_y", "round(2 * height * " + _place("mv") + " / (y1 - y0)) * (y1 - y0) / (2 * height)"
        ),
        # in another slice the whole field of gradients changes by the same amount
        expression("away_x", _place("mu") + " - (x0 + x1) / 2"),
        expression("away_y", _place("mv") + " - (y0 + y1) / 2"),
        expression("less_x", f"{FRAME}.hxx * away_x + {FRAME}.hxy * away_y"),
        expression("less_y", f"{FRAME}.hxy * away_x + {FRAME}.hyy * away_y"),
    ]
    return finish([kept("run"), *layers], height, [expression("now", NOW), *moved])


def _now_at(column: str, axis: str) -> str:
    """Where the run of a row of `starts` is now, from its 16-bit column in the table `run`."""
    share = f"now['{column}' + datum.run] * {STEPS_OUT} / 32767"
    return f"({axis}0 + {axis}1) / 2 + ({axis}1 - {axis}0) / 2 * {share}"


def _off_mark(colours: Palette) -> alt.Chart:
    """Where the chosen run is, once it has left the map."""
    far = {side: f"now['{side}' + {FRAME}.lead] * {STEPS_OUT} / 32767" for side in "uv"}
    sideways = "abs(datum.u) > abs(datum.v)"
    side = f"{sideways} ? (datum.u > 0 ? '→' : '←') : (datum.v > 0 ? '↑' : '↓')"
    return (
        one_row()
        .transform_calculate(**far)
        .transform_filter("max(abs(datum.u), abs(datum.v)) > 1")
        .transform_calculate(label=f"({side}) + ' the run is off the map'")
        .mark_text(baseline="top", color=colours.ink, fontWeight=600, fontSize=13)
        .encode(x=alt.value(alt.expr("width / 2")), y=alt.value(6), text="label:N")
    )


def _arrows(colours: Palette) -> alt.Chart:
    """−∇L over the map: the way that a step from there is drawn on this map."""
    size = f"log(max(datum.size, 1e-300)) / LN10 - {FRAME}.log_top"
    shrunk = f"clamp(1 + (1 - {SHORTEST}) * ({size}) / {DECADES}, {SHORTEST}, 1)"
    return (
        rows_from("arrows")
        .transform_calculate(gx="datum.du - less_x", gy="datum.dv - less_y")
        .transform_calculate(
            size="sqrt(datum.gx * datum.gx + datum.gy * datum.gy)",
            angle="atan2(-datum.gx * width / (x1 - x0), -datum.gy * height / (y1 - y0)) * 180 / PI",
        )
        .transform_calculate(length=f"{ARROW} * ({FRAME}.log_length ? {shrunk} : 1)")
        .transform_calculate(area="datum.length * datum.length")
        .mark_point(clip=True, shape="arrow", filled=True, opacity=0.5, color=colours.ink, strokeWidth=0)
        .encode(
            x=alt.X("u:Q"),
            y=alt.Y("v:Q"),
            angle=alt.Angle("angle:Q", scale=None),
            size=alt.Size("area:Q", scale=None, legend=None),
        )
    )


def valley(
    runs: Sequence[Run],
    projection: Projection,
    titles: tuple[str, str],
    colours: Palette,
    height: int,
    *,
    lead: int = 0,
    follow: bool = True,
    arrows: str = "off",
    around: Sequence[Tensor] = (),
) -> View:
    """Level lines over two coordinates, and the paths of up to `MOST` runs up to this epoch.

    Args:
        runs: From different starts, on the same loss.
        projection: What the map shows.
        titles: Of its two axes.
        colours: The palette.
        height: Of the plot, in pixels.
        lead: The run whose slice is shown.
        follow: Whether the other parameters stand where that run is; otherwise they stand at the optimum.
        arrows: "off"; "unit", all of one length; "log", by the powers of ten of the gradient's length.
        around: More points that the map has to hold, θ as it is trained, [P] each.
    """
    shown = window_around(projection, torch.stack([*(run.problem.start for run in runs), *around]))
    (cx, cy), (hx, hy) = shown.centre, shown.half
    axes = list(projection.axes)
    rows = rows_of_all(runs)
    paths = [projection.coordinates(run.recording.epoch_theta) for run in runs]
    at = [path[np.minimum(rows, len(path) - 1)] for path in paths]
    centre = projection.curvature.optimum[axes]
    lowest = (
        slice_minimum(projection.curvature, at[lead], projection.axes)
        if follow
        else centre.expand(len(rows), 2)
    )
    levels = level_lines(projection.curvature, shown, lowest, projection.axes)
    places = {
        f"{name}{n}": one[:, axis]
        for n, one in enumerate(at, 1)
        for name, axis in zip("uv", axes, strict=True)
    }
    form = within(projection).numpy()
    tables = {
        "lines": table(
            {
                "i": np.arange(len(levels.line), dtype=np.int16),
                "line": levels.line.astype(np.int16),
                "level": levels.level.astype(np.int8),
                "dx": levels.offset[:, 0],
                "dy": levels.offset[:, 1],
            }
        ),
        "run": _placed(places | {"mu": lowest[:, 0], "mv": lowest[:, 1]}, shown),
        "path": _paths(
            [path[:, axes].numpy() for path in paths], [drawn_rows(run) for run in runs], (hx, hy)
        ),
        "starts": table(
            {
                "run": np.arange(1, len(runs) + 1, dtype=np.int8),
                "u": [float(path[0, axes[0]]) for path in paths],
                "v": [float(path[0, axes[1]]) for path in paths],
            }
        ),
        "arrows": _field(projection, shown, centre, arrows),
        "frame": frame_table(
            runs[lead],
            last=int(rows[-1]),
            runs=len(runs),
            lead=lead + 1,
            x0=cx - hx,
            x1=cx + hx,
            y0=cy - hy,
            y1=cy + hy,
            ou=cx,
            ov=cy,
            hxx=form[0, 0],
            hxy=form[0, 1],
            hyy=form[1, 1],
            log_length=int(arrows == "log"),
            log_top=_log_top(projection, shown, lowest, centre),
        ),
    }
    # the same words whatever is switched on: another text draws the chart anew
    text = (
        f"Level lines of the loss over {titles[0]} and {titles[1]}. Open circles: starts, with numbers if there are "
        "several. Diamond: optimum. Lines and marks: the runs. Arrows, if switched on: the way downhill."
    )
    return View(_map_spec(*titles, height, colours), tables, text)


def rows_of_all(runs: Sequence[Run]) -> np.ndarray:
    """The drawn epochs of the longest of several runs; the others stay at their end."""
    return drawn_epochs(max(run.recording.epochs for run in runs), runs[0].experiment.total_epochs)


def drawn_rows(run: Run) -> np.ndarray:
    return drawn_epochs(run.recording.epochs, run.experiment.total_epochs)


def _placed(columns: Mapping[str, Tensor], shown: Window) -> pa.Table:
    """Positions on the map in 16 bits, see `landscape`; the axis of a column is the u or v in its name."""
    places = {}
    for name, values in columns.items():
        axis = 0 if "u" in name else 1
        share = (values.numpy() - shown.centre[axis]) / shown.half[axis]
        places[name] = np.round(np.clip(share, -STEPS_OUT, STEPS_OUT) * (32767 / STEPS_OUT)).astype(np.int16)
    return arrow(places)


def _paths(paths: Sequence[np.ndarray], rows: Sequence[np.ndarray], half: tuple[float, float]) -> pa.Table:
    """All paths in one table, each thinned, with the number of their run."""
    parts = []
    for number, (path, drawn) in enumerate(zip(paths, rows, strict=True), 1):
        one = _path(drawn, path[drawn, 0] / half[0], path[drawn, 1] / half[1], half)
        parts.append(one.append_column("run", column_of(np.full(len(one), number, dtype=np.int8))))
    return pa.concat_tables(parts)


def _field(projection: Projection, shown: Window, lowest: Tensor, arrows: str) -> pa.Table:
    field = gradient_field(projection, shown, lowest)
    some = slice(0 if arrows == "off" else None)
    place, gradient = field.place.numpy()[some], field.gradient.numpy()[some]
    return table({"u": place[:, 0], "v": place[:, 1], "du": gradient[:, 0], "dv": gradient[:, 1]})


def _log_top(projection: Projection, shown: Window, lowest: Tensor, centre: Tensor) -> float:
    """The power of ten of the longest gradient in the slice at the start and in the one through the optimum."""
    longest = max(
        float(gradient_field(projection, shown, one).gradient.norm(dim=1).max())
        for one in (lowest[0], centre)
    )
    return float(np.log10(max(longest, 1e-300)))


@lru_cache(16)
def _both_spec(height: int, names: tuple[str, ...], colours: Palette) -> dict[str, Any]:
    styles = dict(zip(names, [(colours.data, [7, 3]), (colours.run, [1, 0])], strict=True))
    label = f"{list(names)}[datum.run]"
    epoch_axis = count_axis()
    base = rows_from("path").transform_calculate(x="datum.epoch", y="datum.gap", name=label)
    axes: dict[str, Any] = {"x": epoch_axis, "y": log_axis("gap, L − L*"), "order": "x:Q"}
    layers = trail(base, axes | named(styles))
    target = rows_from("frame").transform_filter("isValid(datum.target)")
    layers.append(
        target.mark_rule(color=colours.optimum, strokeDash=[2, 3], strokeWidth=2).encode(y="target:Q")
    )
    layers.append(
        target.transform_calculate(label="'a millionth'")
        .mark_text(align="left", dx=6, dy=-8, color=colours.optimum, fontWeight=600)
        .encode(x=alt.value(0), y=alt.Y("target:Q"), text="label:N")
    )
    layers += level("zero", colours.start, [2, 3], "'zero to rounding'")
    return finish(layers, height)


def both_gaps(runs: Mapping[str, Run], colours: Palette, height: int) -> View:
    """The gaps of two runs by epoch, named, from the same start and to the same lowest loss."""
    gaps = {name: run.curvature.gap(run.recording.epoch_theta).sum(1).numpy() for name, run in runs.items()}
    first = next(iter(gaps.values()))[0]
    zero, target = log_zero(float(first)), MILLIONTH * float(first)
    parts = []
    for number, (name, run) in enumerate(runs.items()):
        rows = drawn_rows(run)
        one = log_path(rows, {"gap": np.maximum(gaps[name][rows], zero)})
        parts.append(one.append_column("run", column_of(np.full(len(one), number, dtype=np.int8))))
    drawn = np.concatenate([part["gap"].to_numpy() for part in parts])
    low = float(drawn.min())
    some = next(iter(runs.values()))
    last = max(run.recording.epochs for run in runs.values())
    tables = {
        "path": pa.concat_tables(parts),
        "frame": frame_table(
            some,
            last=last,
            x0=0,
            x1=max(1, last if some.recording.complete else some.experiment.total_epochs),
            y0=max(min(low, target) / 2, 1e-37),
            y1=float(drawn.max()) * 2,
            target=target if target > zero else np.nan,
            zero=zero if low <= zero else np.nan,
        ),
    }
    text = "Gap to the lowest loss by epoch on a logarithmic axis, without and with scaled features."
    return View(_both_spec(height, tuple(runs), colours), tables, text)
