"""The gradient row by row: a bar for every row's contribution; and the finite difference over its step size."""

from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np

from gd_core.lessons.gradient.finite_differences import SMALLEST, SWEPT, Trial, sweep
from gd_core.lessons.gradient.per_row import contributions
from pages.ui.charts.elements import (
    FRAME,
    NOW,
    _ends,
    expression,
    finish,
    kept,
    level,
    log_axis,
    one_row,
    rows_from,
    span,
    x_axis_of,
    y_axis_of,
)
from pages.ui.charts.model import Run, View, frame_table, rows_of, table
from pages.ui.look.palette import Palette

ROOM = 2.0  # times the longest bar at the start: what a run may outgrow before its bars leave the chart
FEWEST = 7  # rows that there is room for
STEP_TICKS = [1e-16, 1e-12, 1e-8, 1e-4, 1]
LINES = {"forward": "forward", "central": "central"}


@lru_cache(32)
def _bars_spec(parameters: int, parameter: int, title: str, height: int, colours: Palette) -> dict[str, Any]:
    prediction = " + ".join(f"now.p{j} * datum.f{j}" for j in range(parameters))
    rows = (
        rows_from("rows")
        .transform_calculate(pull=f"2 * ({prediction} - datum.target) * datum.f{parameter}")
        .transform_calculate(
            left="datum.i - 0.4", right="datum.i + 0.4", x="datum.left", y="0", end="datum.pull"
        )
    )
    inside = f"datum.value >= 1 && datum.value <= {FRAME}.rows ? datum.label : ''"
    places: dict[str, Any] = {
        "x": x_axis_of("row i", tickMinStep=1, labelExpr=inside),
        "x2": "right:Q",
        "y": y_axis_of(title),
        "y2": "end:Q",
    }
    tooltip = [alt.Tooltip("i:Q", title="row", format="d"), alt.Tooltip("pull:Q", title=title, format=".5~g")]
    bars = rows.mark_rect(color=colours.data, opacity=0.6, clip=True).encode(**places, tooltip=tooltip)
    chosen = rows.transform_filter(f"datum.i == {FRAME}.row")
    marked = chosen.mark_rect(
        color=colours.data, stroke=colours.ink, strokeWidth=2, clip=True, tooltip=None
    ).encode(**places)
    # at the top, or at the foot where the bar itself reaches the top
    name = _haloed(
        chosen.transform_calculate(
            label="'row ' + datum.i",
            y="datum.pull > 0.7 * y1 ? y0 : y1",
            side="datum.pull > 0.7 * y1 ? -7 : 9",
        ),
        {"x": alt.X("i:Q"), "y": "y:Q"},
        colours,
        dy=alt.ExprRef("datum.side"),
    )
    nothing = one_row().transform_calculate(y="0").mark_rule(color=colours.ink, strokeWidth=1).encode(y="y:Q")
    mean = (
        one_row()
        .transform_calculate(y=f"now.g{parameter}")
        .mark_rule(color=colours.run, strokeWidth=3, strokeDash=[7, 3], clip=True)
        .encode(y="y:Q")
    )
    outside = _haloed(
        one_row()
        .transform_filter("now.longest > max(y1, -y0)")
        .transform_calculate(label="'some bars are longer than the chart'"),
        {"x": alt.value(0), "y": alt.value(0)},
        colours,
        align="left",
        dx=6,
        dy=10,
    )
    layers = [kept("run"), bars, marked, nothing, mean, *name, *outside]
    return _close(finish(layers, height, [expression("now", NOW)]))


def bars(run: Run, parameter: int, row: int, colours: Palette, height: int) -> View:
    """Each row's contribution to ∂L/∂θⱼ as a bar, at the player's epoch, and their mean, the gradient, as a line.

    Args:
        run: What is drawn, over all of its rows.
        parameter: j.
        row: The row that is marked, from 1.
        colours: The theme's colours.
        height: In pixels.
    """
    objective = run.problem.linear
    theta = run.recording.epoch_theta[rows_of(run)]
    features, target = objective.features.numpy(), objective.target.numpy()
    pull = contributions(objective, theta)[:, :, parameter].numpy()
    most = ROOM * np.abs(pull[0]).max() or 1.0
    low, high = np.clip([min(0.0, pull.min()), max(0.0, pull.max())], -most, most)
    air = 0.08 * (high - low) or 1.0
    names = run.experiment.info.parameters
    x0, x1 = _row_ends(len(target))
    tables = {
        "rows": table(
            {"i": np.arange(1, len(target) + 1), "target": target}
            | {f"f{j}": features[:, j] for j in range(len(names))}
        ),
        "run": table(
            {f"p{j}": theta[:, j].numpy() for j in range(len(names))}
            | {f"g{parameter}": pull.mean(1), "longest": np.abs(pull).max(1)}
        ),
        "frame": frame_table(run, x0=x0, x1=x1, y0=low - air, y1=high + air, row=row, rows=len(target)),
    }
    name = names[parameter]
    text = (
        f"A bar for each row: what it adds to the slope for {name}, at the player’s epoch. The marked bar is the chosen row. "
        "The thick dashed line is the mean of the bars, which is the gradient. A click chooses a row."
    )
    return View(_bars_spec(len(names), parameter, f"∂Lᵢ/∂{name}", height, colours), tables, text)


def _haloed(base: alt.Chart, places: dict[str, Any], colours: Palette, **style: Any) -> list[alt.Chart]:
    """The field `label` as text that can be read on a bar as well."""
    return [
        base.mark_text(fontWeight=600, color=colours.ink, **paint, **style).encode(**places, text="label:N")
        for paint in ({"stroke": colours.paper, "strokeWidth": 4}, {})
    ]


def _close(spec: dict[str, Any]) -> dict[str, Any]:
    """Without the 20 pixels that Streamlit leaves below a chart: here one stands close under the other."""
    return {**spec, "padding": {"bottom": 4}}


def _row_ends(rows: int) -> tuple[float, float]:
    """The ends of the axis of rows: half a row beyond the outer ones, and room for a few, so that a bar stays slim."""
    middle, half = (rows + 1) / 2, max(rows, FEWEST) / 2
    return middle - half, middle + half


def row_at(share: float, rows: int) -> int:
    """The row whose bar stands at, or nearest to, a share of the chart's width."""
    low, high = _row_ends(rows)
    return min(rows, max(1, round(low + share * (high - low))))


@lru_cache(16)
def _steps_spec(height: int, colours: Palette) -> dict[str, Any]:
    x_scale = alt.Scale(type="log", domain=_ends("x"), nice=False)
    step_axis = log_axis("step size h")["axis"]
    step_axis["values"] = STEP_TICKS
    x_axis = alt.X("x:Q", scale=x_scale, axis=step_axis)
    axes: dict[str, Any] = {"x": x_axis, "y": log_axis("|difference − autograd|"), "order": "x:Q"}
    styles = {"forward": (colours.run, [1, 0], 2.0), "central": (colours.optimum, [4, 3], 1.6)}
    scale = alt.Scale(domain=list(LINES.values()), range=[colour for colour, _, _ in styles.values()])
    legend = alt.Legend(symbolType="stroke", symbolSize=260)
    lines = [
        rows_from("sweep")
        .transform_calculate(x="datum.step", y=f"datum.{kind}", name=f"'{LINES[kind]}'")
        .mark_line(strokeDash=dash, strokeWidth=width, clip=True)
        .encode(**axes, color=alt.Color("name:N", scale=scale, legend=legend))
        for kind, (_, dash, width) in styles.items()
    ]
    guides = [
        span(32)
        .transform_calculate(x="pow(10, log(x0) / LN10 * (1 - datum.u) + log(x1) / LN10 * datum.u)")
        .transform_calculate(y=error)
        .mark_line(color=colours.ink, strokeWidth=1, strokeDash=[1, 3], clip=True)
        .encode(**axes)
        for error in (f"{FRAME}.bend * datum.x", f"{FRAME}.rounding / datum.x")
    ]
    labels: list[tuple[str, str, str, Any, int]] = [
        ("0.5", f"{FRAME}.bend * 0.5", "bend ½·h·L″", "right", -9),
        ("1e-12", f"{FRAME}.rounding * 1e12", "rounding ε·L/h", "left", -9),
    ]
    words = [
        one_row()
        .transform_calculate(x=x, y=y, label=f"'{label}'")
        .mark_text(color=colours.ink, align=align, dy=dy)
        .encode(x="x:Q", y="y:Q", text="label:N")
        for x, y, label, align, dy in labels
    ]
    mine = rows_from("frame").transform_calculate(x="datum.step", y="datum.off")
    rule = mine.mark_rule(color=colours.ink, strokeWidth=1.5).encode(x="x:Q")
    spot = mine.mark_point(
        shape="diamond", size=130, filled=True, color=colours.ink, stroke=colours.paper, opacity=1
    ).encode(x="x:Q", y="y:Q")
    left = (
        mine.transform_filter("datum.left > 0")
        .transform_calculate(label="'◂ your h is left of the chart'")
        .mark_text(align="left", dx=8, dy=10, color=colours.ink, fontWeight=600)
        .encode(x=alt.value(0), y=alt.value(0), text="label:N")
    )
    zero = level("zero", colours.start, [2, 3], "'no difference at all'")
    return _close(finish([*guides, *lines, *words, *zero, rule, spot, left], height))


def steps(run: Run, parameter: int, trial: Trial, colours: Palette, height: int) -> View:
    """How far both finite differences at the start are from autograd, over the step size, with the student's h.

    Args:
        run: Gives the loss and where it starts.
        parameter: Whose slope.
        trial: The step size that was chosen, tried at the start for this parameter.
        colours: The theme's colours.
        height: In pixels.
    """
    swept = sweep(run.problem.objective, run.problem.start, parameter)
    off = {kind: values.numpy() for kind, values in swept.off.items()}
    seen = np.concatenate([*off.values(), [trial.off]])
    low = seen[seen > 0].min(initial=1.0)
    high = max(seen.max(), low * 10)
    zero = low / 10
    edge = 10.0 ** SWEPT[0]
    tables = {
        "sweep": table({"step": swept.steps.numpy()} | {k: np.maximum(v, zero) for k, v in off.items()}),
        "frame": frame_table(
            run,
            x0=edge,
            x1=10.0 ** SWEPT[1],
            y0=zero / 2,
            y1=high * 1e3,
            zero=zero if seen.min() <= 0 else np.nan,
            step=max(trial.step, edge),
            left=int(trial.step < edge),
            off=max(trial.off, zero),
            bend=0.5 * float(run.curvature.hessian[parameter, parameter]),
            rounding=trial.rounding * trial.step * (1 if trial.kind == "forward" else 2),
        ),
    }
    name = run.experiment.info.parameters[parameter]
    text = (
        f"Distance of the finite difference for {name} from autograd, over the step size h from 1e-16 to 1, both on logarithmic axes. "
        "Solid: forward, a V. Dashed: central. Dotted: the error by the bend of the curve and that by rounding. "
        "Diamond: the chosen h. A click chooses another."
    )
    return View(_steps_spec(height, colours), tables, text)


def step_at(share: float) -> float:
    """The step size at a share of the chart's width, to two digits."""
    low, high = SWEPT
    power = low + (high - low) * min(1.0, max(0.0, share))
    return max(SMALLEST, float(f"{10**power:.1e}"))
