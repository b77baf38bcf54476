"""Several pinned runs as equals under one player: their errors, their paths on one map, their fits."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pyarrow as pa

from gd_core.landscape import around, level_lines
from gd_core.run_summary import stride_for
from gd_core.theory import Curvature
from gd_core.words import floor_label, short
from pages.ui.charts.elements import (
    FRAME,
    NOW,
    contours,
    count_axis,
    dot,
    expression,
    finish,
    floor_rule,
    kept,
    level,
    log_axis,
    named,
    prediction,
    rows_from,
    span,
    trail,
    x_axis_of,
    y_axis_of,
)
from pages.ui.charts.ghosts import (
    MARKS,
    PLACES,
    Ghost,
    colours_of,
    columns_of_errors,
    columns_of_fits,
    columns_of_lines,
    columns_of_places,
    crosses,
    discs,
    error_heads,
    fit_layers,
    hidden_names,
    line_layers,
    look,
    map_heads,
    reach_of,
    row,
    stacked,
    tables_of_errors,
    tables_of_fits,
    tables_of_lines,
    tables_of_places,
    trend_of,
)
from pages.ui.charts.model import (
    DRAWN_EPOCHS,
    View,
    centre_of_curve,
    log_zero,
    padded,
    parameters_of_curve,
    points_of,
    table,
)
from pages.ui.look.palette import Palette


def places_of(ghosts: Sequence[Ghost]) -> tuple[np.ndarray, int]:
    """The epochs that are drawn of all together, and every how many."""
    end = max((ghost.summary.epochs for ghost in ghosts), default=0)
    stride = stride_for(max(end, 1), DRAWN_EPOCHS)
    return np.unique(np.append(np.arange(0, end + 1, stride), end)), stride


def _frame(ghosts: Sequence[Ghost], everyone: Sequence[Ghost], **columns: Any) -> pa.Table:
    places, stride = places_of(everyone)
    common = {"stride": stride, "last": int(places[-1]), "planned": int(places[-1])}
    return table({name: [value] for name, value in (common | columns).items()})


@lru_cache(16)
def _errors_spec(height: int, colours: Palette) -> dict[str, Any]:
    carrier = (
        rows_from("frame")
        .transform_filter("false")
        .transform_calculate(x="0", y="1")
        .mark_point()
        .encode(x=count_axis(), y=log_axis("RMSE"))
    )
    frame = rows_from("frame").transform_filter("isValid(datum.target)")
    # where the runs come late: they leave on the left
    goal = frame.mark_text(align="right", dx=-4, dy=-9, color=colours.ink, fontWeight=600).encode(
        x=alt.value("width"), y="target:Q", text="target_label:N"
    )
    arrivals = (
        rows_from("arrivals")
        .transform_filter("datum.epoch <= epoch")
        .mark_point(opacity=1, size=90, filled=False, strokeWidth=1.6, fill=colours.paper)
        .encode(
            x="x:Q",
            y="y:Q",
            stroke=alt.Stroke(
                "ghost:N", scale=alt.Scale(domain=list(PLACES), range=colours_of(colours)), legend=None
            ),
            shape=alt.Shape("ghost:N", scale=alt.Scale(domain=list(PLACES), range=list(MARKS)), legend=None),
        )
    )
    layers: list[Any] = [
        kept("run"),
        carrier,
        *floor_rule(colours),
        *level("zero", colours.start, [2, 3], "'zero to rounding'"),
        frame.mark_rule(color=colours.ink, strokeDash=[2, 3], strokeWidth=1.5).encode(y="target:Q"),
        *trail(rows_from("ghost_path"), {"x": "x:Q", "y": "y:Q", "order": "epoch:Q"} | look(colours), width=2),
        *discs(rows_from("ghost_labels").transform_filter("datum.epoch <= max(epoch, seen)"), colours),
        arrivals,
        goal,
        crosses(colours).transform_filter("datum.epoch <= epoch"),
        error_heads(colours),
    ]  # fmt: skip
    return finish(layers, height, [expression("now", NOW)])


def errors(
    ghosts: Sequence[Ghost], known: Curvature | None, target: float | None, colours: Palette, height: int
) -> View:
    """RMSE of every run by epoch on a logarithmic axis, with the floor if they share one, which is then `known`, and the target."""
    places, _ = places_of(ghosts)
    end = max(1, int(places[-1]))
    zero = log_zero(max(float(ghost.summary.rmse[0]) for ghost in ghosts))
    low, high = reach_of(ghosts, end)
    reaches_zero = low <= zero
    low = max(low, zero)
    floor = math.nan if known is None else known.floor_rmse
    shows_floor = zero < floor and floor >= low / 100
    inside = [low, high]
    if shows_floor:
        inside.append(floor)
    if target is not None:
        inside.append(target)
    low, high = max(min(inside), zero) / 1.6, max(inside) * 1.25
    arrivals = []
    for ghost in ghosts:
        reached = np.flatnonzero(ghost.summary.rmse <= (-1 if target is None else target))
        if len(reached):
            arrivals.append(row(ghost, epoch=reached[0], x=reached[0], y=target))
    tables = {
        "run": table({"epoch": places} | columns_of_errors(ghosts, places, zero)),
        **tables_of_errors(ghosts, end, low, high, zero),
        "arrivals": stacked(arrivals, ("ghost", "epoch", "x", "y")),
        "frame": _frame(
            ghosts,
            ghosts,
            x0=0,
            x1=end,
            y0=low,
            y1=high,
            target=np.nan if target is None else target,
            floor=floor if shows_floor else np.nan,
            floor_label="" if known is None else floor_label(known, bounds=known.bounds_rmse),
            target_label="" if target is None else f"target {short(target, 4)}",
            zero=zero if reaches_zero else np.nan,
        ),
    }
    text = (
        "Root mean squared error of every pinned run by epoch on a logarithmic axis, each with its number, colour, dash "
        "and shape; dotted the target, dashed the floor. An open mark is where a run came to the target, a cross where "
        "one that diverged left the chart."
    )
    return View(_errors_spec(height, colours), tables, text)


@lru_cache(16)
def _paths_spec(x_name: str, y_name: str, height: int, colours: Palette) -> dict[str, Any]:
    starts = (
        rows_from("starts")
        .mark_point(shape="circle", size=100, filled=False, stroke=colours.ink, strokeWidth=2, clip=True)
        .encode(x="x:Q", y="y:Q")
    )
    encoding = {"x": "x:Q", "y": "y:Q", "order": "epoch:Q"} | look(colours)
    optimum = dot(f"{FRAME}.ou", f"{FRAME}.ov", shape="diamond", size=130, filled=True, color=colours.optimum)
    layers = [
        kept("run"),
        contours(x_name, y_name, colours),
        *trail(rows_from("ghost_path"), encoding, width=2),
        optimum,
        starts,
        crosses(colours).transform_filter("datum.epoch <= epoch"),
        map_heads(colours),
    ]
    return finish(layers, height, [expression("now", NOW)])


def paths(
    ghosts: Sequence[Ghost],
    everyone: Sequence[Ghost],
    axes: tuple[int, int],
    names: Sequence[str],
    colours: Palette,
    height: int,
) -> View:
    """Runs on one map: level lines over two parameters, the others at the optimum, or over one the loss as a curve."""
    curvature = ghosts[0].curvature
    single = axes[0] == axes[1]
    starts = [ghost.summary.theta[0] for ghost in ghosts]
    shown = around(curvature, starts, axes)
    (cx, cy), (hx, hy) = shown.centre, shown.half
    if single:
        x = np.linspace(cx - hx, cx + hx, 121)
        y = curvature.floor_loss + 0.5 * curvature.largest * (x - cx) ** 2
        top = float(y.max())
        cy, hy = 0.5 * top, 0.56 * top
        drawn = {"i": np.arange(121), "line": np.zeros(121), "level": np.zeros(121), "x": x, "y": y}
    else:
        levels = level_lines(curvature, shown, curvature.optimum[list(axes)].unsqueeze(0), axes)
        drawn = {
            "i": np.arange(len(levels.line), dtype=np.int16),
            "line": levels.line.astype(np.int16),
            "level": levels.level.astype(np.int8),
            "x": levels.offset[:, 0] + cx,
            "y": levels.offset[:, 1] + cy,
        }
    places, _ = places_of(everyone)
    first = columns_of_places(ghosts, np.zeros(1, int), axes)
    tables = {
        "lines": table(drawn),
        "run": table({"epoch": places} | columns_of_places(ghosts, places, axes)),
        **tables_of_places(ghosts, axes, (cx, cy), (hx, hy)),
        "starts": table(
            {name: np.concatenate([first[f"{column}{g.place}"].numpy() for g in ghosts]) for name, column in (("x", "u"), ("y", "v"))}
        ),
        "frame": _frame(
            ghosts, everyone, x0=cx - hx, x1=cx + hx, y0=cy - hy, y1=cy + hy,
            ou=cx, ov=curvature.floor_loss if single else cy,
        ),
    }  # fmt: skip
    where = (
        f"The loss over {names[axes[0]]}"
        if single
        else f"Level lines of the loss over {names[axes[0]]} and {names[axes[1]]}"
    )
    text = (
        f"{where}, and the path of every run, each with its colour, dash and shape. Open circle: start. Diamond: optimum. "
        "A cross is where a run that diverged left the map."
    )
    y_name = "loss" if single else names[axes[1]]
    return View(_paths_spec(names[axes[0]], y_name, height, colours), tables, text)


@lru_cache(16)
def _fits_spec(
    formula: str, parameters: int, best: bool, x_title: str, y_title: str, height: int, colours: Palette
) -> dict[str, Any]:
    points = (
        rows_from("points")
        .mark_circle(size=55, color=colours.data, opacity=0.85)
        .encode(x=x_axis_of(x_title), y=y_axis_of(y_title))
    )
    theta = {f"p{i}": f"{FRAME}.p{i}" for i in range(parameters)}
    lines = hidden_names(colours) | {"optimum": (colours.optimum, [7, 4])}
    optimum = (
        # Its scale is that of the others as well.
        (span(100) if best else span(100).transform_filter("false"))
        .transform_calculate(x="x0 + (x1 - x0) * datum.u", name="'optimum'", **theta)
        .transform_calculate(y=formula)
        .mark_line(clip=True, strokeWidth=1.5)
        .encode(x="x:Q", y="y:Q", order="u:Q", **named(lines, shown=["optimum"] if best else []))
    )
    layers = [kept("run"), points, optimum, *fit_layers(formula, parameters, colours, 2)]
    return finish(layers, height, [expression("now", NOW)])


def fits(ghosts: Sequence[Ghost], everyone: Sequence[Ghost], colours: Palette, height: int) -> View:
    """One feature: data, the optimum, and the curve of every run at this epoch."""
    problem, best = ghosts[0].problem, ghosts[0].parabola
    dataset = problem.dataset
    x, y = dataset.x[:, 0].numpy(), dataset.y[:, 0].numpy()
    x0, x1 = padded(x, 0.04)
    y0, y1 = padded(np.append(y, 0.0), 0.45)
    info = ghosts[0].summary.experiment.info
    model = info.model
    optimum = {} if best is None else parameters_of_curve(model, problem, best.optimum)
    places, _ = places_of(everyone)
    tables = {
        "points": points_of({"x": x, "y": y}),
        "run": table({"epoch": places} | columns_of_fits(ghosts, places)),
        **tables_of_fits(ghosts),
        "frame": _frame(
            ghosts, everyone, x0=x0, x1=x1, y0=y0, y1=y1, **centre_of_curve(model, problem), **optimum
        ),
    }
    text = (
        f"Data as points, {dataset.target_name} over {dataset.feature_names[0]}, and the fitted curve of every run at "
        f"the player’s epoch, each with its number, colour and dash{'; the optimum, dashed' if best else ''}."
    )
    spec = _fits_spec(
        prediction(model, "datum", info.weights, ghosts[0].summary.experiment.loss_info.yes_no),
        len(info.parameters),
        best is not None,
        dataset.feature_names[0],
        dataset.target_name,
        height,
        colours,
    )
    return View(spec, tables, text)


@lru_cache(16)
def _trends_spec(target: str, height: int, colours: Palette) -> dict[str, Any]:
    diagonal = (
        span(1)
        .transform_calculate(x="x0 + (x1 - x0) * datum.u", y="x0 + (x1 - x0) * datum.u")
        .mark_line(color=colours.optimum, strokeDash=[7, 4], clip=True)
        .encode(x=x_axis_of(f"actual {target}"), y=y_axis_of(f"predicted {target}, trend"), order="u:Q")
    )
    return finish([kept("run"), diagonal, *line_layers(colours)], height, [expression("now", NOW)])


def trends(ghosts: Sequence[Ghost], everyone: Sequence[Ghost], colours: Palette, height: int) -> View:
    """Several features: the trend of predicted over actual values. On the dashed diagonal both are the same."""
    dataset = ghosts[0].problem.dataset
    low, high = padded(dataset.y[:, 0].numpy(), 0.1)
    places, _ = places_of(everyone)
    tables = {
        "run": table({"epoch": places} | columns_of_lines(ghosts, places, trend_of)),
        **tables_of_lines(ghosts),
        "frame": _frame(ghosts, everyone, x0=low, x1=high, y0=low, y1=high),
    }
    text = (
        "The straight trend of predicted over actual values of every run at the player’s epoch, each with its number, "
        "colour and dash; on the dashed diagonal both are the same."
    )
    return View(_trends_spec(dataset.target_name, height, colours), tables, text)
