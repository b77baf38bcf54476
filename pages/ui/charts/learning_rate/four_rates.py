"""Four rates side by side: a small fit or path each, and all errors in one chart."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np

from gd_core.landscape import level_lines, window
from gd_core.training import DIVERGED_ABOVE
from gd_core.words import floor_label
from pages.ui.charts.elements import (
    FIRST,
    FRAME,
    NOW,
    Rows,
    count_axis,
    dot,
    expression,
    finish,
    head_at,
    kept,
    level,
    log_axis,
    prediction,
    rows_from,
    span,
    trail,
    x_axis_of,
    y_axis_of,
)
from pages.ui.charts.loss_map import parabola
from pages.ui.charts.model import (
    Run,
    View,
    centre_of,
    curve_parameters,
    frame_table,
    log_zero,
    padded,
    points_of,
    rows_of,
    table,
    told_apart,
)
from pages.ui.look.palette import Palette

RUNS = (1, 2, 3, 4)
DASHES = ([2, 3], [1, 0], [8, 3], [8, 3, 2, 3])
AXES = (0, 1)  # the two parameters of a small map
FAR = 1e4  # half-widths off the map beyond which a place is drawn there


def colours_of(colours: Palette) -> tuple[str, ...]:
    """The colours of the four runs."""
    return tuple(colours.several[i] for i in (2, 0, 1, 3))


# -------------------------------------------------------------------------------------------------- one of the four


def small(run: Run, number: int, colours: Palette, height: int) -> View:
    """What one of the four runs does: the curve over the data, the jumps on the parabola, or the path on the map."""
    own = colours._replace(run=colours_of(colours)[number - 1])
    names = run.experiment.info.parameters
    if len(names) > 1 and run.problem.dataset.x.shape[1] == 1:
        view = _small_fit(run, own, height)
    elif len(names) == 1:
        view = parabola(run, names[0], own, height)
    else:
        view = _small_map(run, list(run.experiment.trained_names), own, height)
    text = f"Run {number}. " + view.text.replace(" A click sets the start.", "")
    return view._replace(spec=tight(view.spec), text=text)


def tight(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The same chart with less air around its plot, for a small place."""
    config = spec["config"]
    axis = {**config["axis"], "labelPadding": 5, "titlePadding": 3}
    return {
        **spec,
        "padding": {"left": 0, "right": 8, "top": 6, "bottom": 2},
        "config": {**config, "axis": axis},
    }


@lru_cache(16)
def _small_fit_spec(
    model: str, weights: int, x_title: str, y_title: str, height: int, colours: Palette
) -> dict[str, Any]:
    def curve(theta: str, **style: Any) -> alt.Chart:
        return (
            span(50)
            .transform_calculate(x="x0 + (x1 - x0) * datum.u")
            .transform_calculate(y=prediction(model, theta, weights))
            .mark_line(clip=True, **style)
            .encode(x="x:Q", y="y:Q", order="u:Q")
        )

    points = (
        rows_from("points")
        .mark_circle(size=22, color=colours.data, opacity=0.85)
        .encode(x=x_axis_of(x_title, tickCount=4), y=y_axis_of(y_title, tickCount=4))
    )
    layers = [
        kept("run"),
        curve("first", color=colours.start, strokeDash=[2, 3], strokeWidth=1.5),
        curve(FRAME, color=colours.optimum, strokeDash=[7, 4], strokeWidth=1.5),
        points,
        curve("now", color=colours.run, strokeWidth=3),
        rows_from("frame")
        .transform_filter("datum.gone && epoch >= datum.last")
        .mark_text(text=["the curve", "leaves the chart"], color=colours.run, fontWeight=600)
        .encode(x=alt.value(alt.expr("width / 2")), y=alt.value(12)),
    ]
    return finish(layers, height, [expression("now", NOW), expression("first", FIRST)])


def _small_fit(run: Run, colours: Palette, height: int) -> View:
    dataset = run.problem.dataset
    x, y = dataset.x[:, 0].numpy(), dataset.y[:, 0].numpy()
    x0, x1 = padded(x, 0.04)
    y0, y1 = padded(np.append(y, 0.0), 0.45)
    optimum = curve_parameters(run, run.curvature.optimum)
    tables = {
        "points": points_of({"x": x, "y": y}),
        "run": table(curve_parameters(run, run.recording.epoch_theta[rows_of(run)])),
        "frame": frame_table(
            run,
            x0=x0,
            x1=x1,
            y0=y0,
            y1=y1,
            gone=run.recording.diverged_at is not None,
            **centre_of(run),
            **optimum,
        ),
    }
    titles = dataset.feature_names[0], dataset.target_name
    text = (
        f"{titles[1]} over {titles[0]}: data as points, the start dotted, the optimum dashed, "
        "the fit at the player’s epoch solid."
    )
    info = run.experiment.info
    return View(_small_fit_spec(info.model, info.weights, *titles, height, colours), tables, text)


@lru_cache(16)
def _small_map_spec(x_name: str, y_name: str, height: int, colours: Palette) -> dict[str, Any]:
    shade = alt.Color("level:Q", scale=alt.Scale(range=[colours.line, colours.line_high]), legend=None)
    lines = (
        rows_from("lines")
        .mark_line(clip=True, strokeWidth=1)
        .encode(
            x=x_axis_of(x_name, tickCount=4),
            y=y_axis_of(y_name, tickCount=4),
            detail="line:N",
            order="i:Q",
            color=shade,
        )
    )
    path = trail(
        rows_from("path"), {"x": "x:Q", "y": "y:Q", "order": "epoch:Q"}, colour=colours.run, width=1.8
    )
    open_circle: dict[str, Any] = {
        "shape": "circle",
        "size": 80,
        "filled": False,
        "stroke": colours.ink,
        "strokeWidth": 2,
    }
    diamond: dict[str, Any] = {"shape": "diamond", "size": 110, "filled": True, "color": colours.optimum}
    layers = [
        kept("run"),
        lines,
        *path,
        dot(f"{FRAME}.ou", f"{FRAME}.ov", **diamond),
        dot("first.u", "first.v", **open_circle),
        head_at("now.u", "now.v", colours),
    ]
    return finish(layers, height, [expression("now", NOW), expression("first", FIRST)])


def _small_map(run: Run, names: Sequence[str], colours: Palette, height: int) -> View:
    """The path over two parameters. The level lines stand still, unlike those of a large map: four maps are drawn."""
    shown = window(run.curvature, run.problem.start, AXES)
    (cx, cy), (hx, hy) = shown.centre, shown.half
    levels = level_lines(run.curvature, shown, run.curvature.optimum[[*AXES]].unsqueeze(0), AXES)
    rows = rows_of(run)
    place = run.recording.epoch_theta[rows][:, [*AXES]].numpy()
    # out of sight either way, but browsers lose lines that are millions of pixels long
    share = np.clip((place - shown.centre) / shown.half, -FAR, FAR)
    keep = told_apart(share)
    x, y = (np.array(shown.centre) + share * shown.half).T
    tables = {
        "lines": table(
            {
                "i": np.arange(len(levels.line), dtype=np.int16),
                "line": levels.line.astype(np.int16),
                "level": levels.level.astype(np.int8),
                "x": levels.offset[:, 0] + cx,
                "y": levels.offset[:, 1] + cy,
            }
        ),
        "run": table({"u": x, "v": y}),
        "path": table({"epoch": rows[keep], "x": x[keep], "y": y[keep]}),
        "frame": frame_table(run, x0=cx - hx, x1=cx + hx, y0=cy - hy, y1=cy + hy, ou=cx, ov=cy),
    }
    text = (
        f"Level lines of the loss over {names[0]} and {names[1]}, the other parameter at its optimum. "
        "Open circle: start. Diamond: optimum. Line and dot: the run."
    )
    return View(_small_map_spec(names[0], names[1], height, colours), tables, text)


# ------------------------------------------------------------------------------------------------------ all the errors


def _paint(colours: Palette) -> dict[str, Any]:
    """Colour and dash by the number of the run."""
    own = list(colours_of(colours))
    return {
        "color": alt.Color("run:N", scale=alt.Scale(domain=[*RUNS], range=own), legend=None),
        "strokeDash": alt.StrokeDash("run:N", scale=alt.Scale(domain=[*RUNS], range=[*DASHES]), legend=None),
    }


def numbered(base: alt.Chart, colours: Palette) -> list[alt.Chart]:
    """Discs with the number of the run in them, at x and y."""
    scale = alt.Scale(domain=[*RUNS], range=list(colours_of(colours)))
    discs = base.mark_point(
        shape="circle", size=210, filled=True, opacity=1, stroke=colours.paper, strokeWidth=1
    ).encode(x="x:Q", y="y:Q", fill=alt.Fill("run:N", scale=scale, legend=None))
    numbers = base.mark_text(color=colours.paper, fontWeight=700, fontSize=11, baseline="middle").encode(
        x="x:Q", y="y:Q", text="run:N"
    )
    return [discs, numbers]


@lru_cache(16)
def _errors_spec(height: int, colours: Palette) -> dict[str, Any]:
    epoch_axis = count_axis()
    carrier = (
        rows_from("frame")
        .transform_filter("false")
        .transform_calculate(x="0", y="1")
        .mark_point()
        .encode(x=epoch_axis, y=log_axis("RMSE"))
    )
    base = rows_from("path").transform_calculate(x="datum.epoch")
    four = alt.SequenceParams(start=1, stop=5, step=1, **{"as": "run"})
    heads = Rows(alt.SequenceGenerator(sequence=four)).transform_calculate(
        x=f"min(epoch, {FRAME}['e' + datum.run])", y="now['r' + datum.run]"
    )
    heads = heads.transform_filter(f"{FRAME}.last > 0")  # at the start all four lie on one another
    layers: list[Any] = [
        kept("run"),
        carrier,
        *level("floor", colours.optimum, [7, 4], "datum.floor_label"),
        *level("zero", colours.start, [2, 3], "'zero to rounding'"),
        *trail(base, {"x": "x:Q", "y": "y:Q", "order": "x:Q"} | _paint(colours)),
        *numbered(heads, colours),
    ]
    return finish(layers, height, [expression("now", NOW)])


def four_errors(runs: Sequence[Run], colours: Palette, height: int) -> View:
    """RMSE by epoch of all four on one logarithmic axis. A run that has diverged ends where it did."""
    every = [run.recording.epoch_rmse.numpy() for run in runs]
    planned = runs[0].experiment.total_epochs
    last = max(len(rmse) for rmse in every) - 1
    zero = log_zero(float(every[0][0]))
    reaches_zero = min(rmse.min() for rmse in every) <= zero
    every = [np.maximum(rmse, zero) for rmse in every]
    low, high = (f(f(rmse) for rmse in every) for f in (min, max))
    floor = runs[0].curvature.floor_rmse
    trained = runs[0].recording.complete  # before the answer nothing tells how low an error can get
    shows_floor = trained and zero < floor and floor >= low / 100
    low = zero if reaches_zero else min(low, floor) if shows_floor else low
    top = min(high, math.sqrt(DIVERGED_ABOVE) * float(every[0][0]))  # who is above has left the chart
    span_of = max(np.log(top / low), 1e-9)
    parts = []
    for number, rmse in zip(RUNS, every, strict=True):
        epochs = np.arange(len(rmse))
        keep = told_apart(np.column_stack([2 * epochs / max(planned, 1), 2 * np.log(rmse) / span_of]))
        parts.append({"run": np.full(len(keep), number, np.int8), "epoch": epochs[keep], "y": rmse[keep]})
    tables = {
        "run": table(
            {
                f"r{number}": np.minimum(np.append(rmse, np.full(last + 1 - len(rmse), rmse[-1])), top)
                for number, rmse in zip(RUNS, every, strict=True)
            }
        ),
        "path": table({name: np.concatenate([part[name] for part in parts]) for name in parts[0]}),
        "frame": table(
            {
                name: [value]
                for name, value in {
                    "last": last, "planned": planned, "stride": 1, "x0": 0, "x1": max(1, planned), "y0": low / max(top / low, 2) ** 0.14,
                    "y1": top * max(top / low, 2) ** 0.06, "floor": floor if shows_floor else np.nan, "floor_label": floor_label(runs[0].curvature),
                    "zero": zero if reaches_zero else np.nan,
                    **{f"e{number}": len(rmse) - 1 for number, rmse in zip(RUNS, every, strict=True)},
                }.items()
            }
        ),
    }  # fmt: skip
    text = (
        "RMSE by epoch of runs 1 to 4 on one logarithmic axis, each with its number, colour and dash. "
        "The floor is dashed. A run that has diverged stays where it ended, or at the upper edge."
    )
    return View(tight(_errors_spec(height, colours)), tables, text)
