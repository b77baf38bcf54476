"""One parameter: the loss as a curve, the tangent where the point is, and its step as an arrow along the axis."""

import math
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np

from gd_core.lessons.one_parameter.behaviour import loss_changes
from gd_core.words import brief, short
from pages.ui.charts.elements import (
    FIRST,
    FRAME,
    NOW,
    Rows,
    dot,
    expression,
    finish,
    head_at,
    kept,
    one_row,
    rows_from,
    x_axis_of,
    y_axis_of,
)
from pages.ui.charts.model import RecordedRun, Run, View, frame_table, rows_of, table
from pages.ui.look.palette import Palette

USUAL = 5.0  # half the width of the chart, in units of A, for an ordinary start
NEAREST = 0.015  # a start nearer to the optimum than this, and not at it, is looked at more closely
SMALLEST = 1e-3  # half-width; in a smaller one 32 bits run out
BELOW = 0.24  # of the height of the start's chart: the strip under the axis, where the arrow is
STRIP = 44  # pixels that it has at least: the arrow and its words below it, which a low chart would cut
AXIS = 55  # pixels of a chart's height that its x axis takes
TANGENT = 0.22  # half the tangent's width, as a share of the chart's half-width
TICKS: dict[str, Any] = {"format": ",.6~g", "grid": False}  # from a million on with an exponent
TICK = "replace(datum.label, 'e+', 'e')"
KINDS = {  # what the loss does: shaft, arrow head, words
    -1: ([1, 0], True, "loss falls"),
    0: ([2, 3], False, "loss stays"),
    1: ([7, 4], False, "loss rises"),
}


def reach(run: Run) -> tuple[float, float]:
    """The ends of the axis of A: −6 and 4 for an ordinary start, and round numbers around the optimum for others.

    They depend on the start alone, so a run that flies away leaves the chart, and the chart says so.
    """
    optimum = float(run.curvature.optimum[0])
    distance = abs(float(run.problem.start[0]) - optimum)
    half = USUAL
    if distance > 0.96 * USUAL or 1e-14 < distance < NEAREST:
        needed = max(1.04 * distance, SMALLEST)
        power = 10.0 ** math.floor(math.log10(needed))
        half = next(nice * power for nice in (1, 2, 5, 10) if nice * power >= needed)
    return optimum - half, optimum + half


def value_at(run: Run, share: float) -> float:
    """The value of A at a share of the chart's width, rounded to about a pixel."""
    low, high = reach(run)
    digits = 2 - math.floor(math.log10(0.49 * (high - low)))
    return round(low + share * (high - low), digits)


@lru_cache(16)
def _tangent_spec(name: str, height: int, colours: Palette) -> dict[str, Any]:
    curve = (
        rows_from("loss")
        .mark_line(color=colours.line, strokeWidth=2.5, clip=True)
        .encode(
            x=x_axis_of(f"{name}, the parameter", labelExpr=TICK, **TICKS),
            y=y_axis_of(
                f"L({name}), the loss", labelExpr=f"datum.value < 0 ? '' : {TICK}", ticks=False, **TICKS
            ),
            order="x:Q",
        )
    )
    floor = one_row().mark_rule(color=colours.start, strokeWidth=1).encode(y=alt.datum(0))
    visited = rows_from("run").transform_calculate(x="datum.a", y="datum.loss").encode(x="x:Q", y="y:Q")
    layers = [
        kept("run"),
        curve,
        floor,
        visited.transform_filter("datum.epoch <= seen").mark_point(
            clip=True, filled=True, size=26, opacity=0.35, color=colours.run
        ),
        visited.transform_filter("datum.epoch < epoch").mark_point(
            clip=True, filled=True, size=34, opacity=0.9, color=colours.run
        ),
        dot(f"{FRAME}.optimum", "0", shape="diamond", size=130, filled=True, color=colours.optimum),
        *_tangent(colours),
        *_step(colours),
        dot(
            "first.a", "first.loss", shape="circle", size=90, filled=False, stroke=colours.ink, strokeWidth=2
        ),
        head_at("now.a", "now.loss", colours),
        _beyond(name, colours),
    ]
    expressions = {
        "now": NOW,
        "first": FIRST,
        "arrow_y": "0.45 * y0",
        "reach_x": f"{TANGENT} * (x1 - x0) / 2",
        "moves": "isValid(now.next) && abs(now.next - now.a) * width / (x1 - x0) > 1.5",
    }
    return finish(layers, height, [expression(key, text) for key, text in expressions.items()])


def _tangent(colours: Palette) -> list[alt.Chart]:
    """The tangent with its slope on it, and the way down to the axis."""
    line = (
        one_row()
        .transform_calculate(
            x="now.a - reach_x",
            x2="now.a + reach_x",
            y="now.loss - reach_x * now.slope",
            y2="now.loss + reach_x * now.slope",
        )
        .mark_rule(color=colours.ink, strokeWidth=2, clip=True)
        .encode(x="x:Q", x2="x2:Q", y="y:Q", y2="y2:Q")
    )
    down = (
        one_row()
        .transform_calculate(x="now.a", y="now.loss", y2="arrow_y")
        .mark_rule(color=colours.data, strokeWidth=1, strokeDash=[2, 3], clip=True)
        .encode(x="x:Q", y="y:Q", y2="y2:Q")
    )
    words = (
        one_row()
        .transform_filter("now.a >= x0 && now.a <= x1 && now.loss <= y1")
        .transform_calculate(
            x="now.a",
            y="now.loss",
            label="'slope ' + now.slope_label",
        )
    )
    style: dict[str, Any] = {"color": colours.ink, "fontWeight": 600, "fontSize": 13, "clip": True}
    at: dict[str, Any] = {"x": "x:Q", "y": "y:Q", "text": "label:N"}
    # inside the bowl, where there is room: over the point where it is flat
    flat = f"abs(now.a - {FRAME}.optimum) < 0.15 * (x1 - x0) / 2"
    left = words.transform_filter(f"!({flat}) && now.a > {FRAME}.optimum")
    right = words.transform_filter(f"!({flat}) && now.a < {FRAME}.optimum")
    return [
        down,
        line,
        left.mark_text(align="right", dx=-12, dy=-14, **style).encode(**at),
        right.mark_text(align="left", dx=12, dy=-14, **style).encode(**at),
        words.transform_filter(flat).mark_text(dy=-24, **style).encode(**at),
    ]


def _step(colours: Palette) -> list[Rows]:
    """The step along the axis, told apart by colour, dash, head and words; and where it lands on the curve."""
    paint = {-1: colours.run, 0: colours.data, 1: colours.several[3]}
    landing = one_row().transform_filter("isValid(now.next)")
    layers = [
        landing.transform_calculate(x="now.next", y="arrow_y", y2="now.next_loss")
        .mark_rule(color=colours.data, strokeWidth=1, strokeDash=[2, 3], clip=True)
        .encode(x="x:Q", y="y:Q", y2="y2:Q"),
        landing.transform_calculate(x="now.next", y="now.next_loss")
        .mark_point(clip=True, shape="circle", size=70, filled=False, stroke=colours.run, strokeWidth=1.5)
        .encode(x="x:Q", y="y:Q"),
    ]
    for kind, (dash, filled, words) in KINDS.items():
        moving = one_row().transform_filter(f"moves && now.change == {kind}")
        layers.append(
            moving.transform_calculate(x="now.a", x2="now.next", y="arrow_y")
            .mark_rule(color=paint[kind], strokeWidth=3, strokeDash=dash, clip=True)
            .encode(x="x:Q", x2="x2:Q", y="y:Q")
        )
        for shape, way in (("triangle-left", "<"), ("triangle-right", ">")):
            layers.append(
                moving.transform_filter(f"now.next {way} now.a")
                .transform_calculate(x="now.next", y="arrow_y")
                .mark_point(
                    clip=True,
                    shape=shape,
                    size=150,
                    filled=True,
                    opacity=1,
                    color=paint[kind] if filled else colours.paper,
                    stroke=paint[kind],
                    strokeWidth=2,
                )
                .encode(x="x:Q", y="y:Q")
            )
        layers.append(
            one_row()
            .transform_filter(f"isValid(now.next) && now.change == {kind}")
            .transform_calculate(
                x="clamp((now.a + now.next) / 2, x0 + 0.13 * (x1 - x0), x1 - 0.13 * (x1 - x0))",
                y="arrow_y",
                label=f"'step ' + now.step_label + ', {words}'",
            )
            .mark_text(color=paint[kind], dy=17, fontWeight=600, fontSize=13, clip=True)
            .encode(x="x:Q", y="y:Q", text="label:N")
        )
    return layers


def _beyond(name: str, colours: Palette) -> alt.Chart:
    """A sentence where the point is outside the chart."""
    return (
        one_row()
        .transform_filter("now.a < x0 || now.a > x1")
        .transform_calculate(
            label=f"(now.a < x0 ? '← ' : '') + '{name} = ' + now.a_label + ' is off the chart' + (now.a > x1 ? ' →' : '')"
        )
        .mark_text(color=colours.several[3], fontWeight=600, fontSize=13, dy=14)
        .encode(x=alt.value(alt.ExprRef("width / 2")), y=alt.value(0), text="label:N")
    )


def _label(number: float) -> str:
    """A number on the chart: four digits; from a million on with an exponent, as on the axes."""
    return short(number, 4) if abs(number) < 1e6 else brief(number)


def tangent(run: RecordedRun, name: str, colours: Palette, height: int) -> View:
    """The loss over one parameter; the point, its tangent, and its next step as an arrow along the axis.

    Args:
        run: What is drawn, on a parabola with its lowest loss 0.
        name: The parameter's name.
        colours: The theme's colours.
        height: In pixels.
    """
    rows = rows_of(run)
    recording = run.recording
    a, loss = recording.epoch_theta[:, 0].numpy(), recording.epoch_loss.numpy()
    after = np.minimum(rows + 1, recording.epochs)
    forecast = rows < recording.epochs  # the last epoch has no next one
    change = np.append(loss_changes(recording).numpy(), 0).astype(np.int8)
    slope = recording.gradient[rows, 0].numpy()
    x0, x1 = reach(run)
    optimum = float(run.curvature.optimum[0])
    x = np.linspace(x0, x1, 161)
    rise = 0.5 * run.curvature.largest * (x - optimum) ** 2
    top = float(rise.max())
    below = max(BELOW, STRIP / (height - AXIS - STRIP))
    tables = {
        "loss": table({"x": x, "y": run.curvature.floor_loss + rise}),
        "run": table(
            {
                "epoch": rows,
                "a": a[rows],
                "loss": loss[rows],
                "slope": slope,
                "next": np.where(forecast, a[after], np.nan),
                "next_loss": np.where(forecast, loss[after], np.nan),
                "change": change[rows],
            }
            | {
                f"{name}_label": [_label(number) for number in numbers.tolist()]
                for name, numbers in {"a": a[rows], "slope": slope, "step": a[after] - a[rows]}.items()
            }
        ),
        "frame": frame_table(run, x0=x0, x1=x1, y0=-below * top, y1=top, optimum=optimum),
    }
    text = (
        f"The loss as a curve over {name}. Dot: where the point is, with its tangent and slope. Arrow under the axis: "
        "the next step, solid with a full head where the loss falls, dashed with an open head where it rises. "
        "Open circle: start. Diamond: optimum. A click sets the start."
    )
    return View(_tangent_spec(name, height, colours), tables, text)
