"""One parameter against the loss, or by epoch."""

from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np

from gd_core.words import counted
from pages.ui.charts.elements import (
    FRAME,
    NOW,
    NUMBER_LABEL,
    _ends,
    expression,
    finish,
    head_at,
    log_axis,
    rows_from,
    trail,
    y_axis_of,
)
from pages.ui.charts.model import (
    Run,
    View,
    drawn_until,
    frame_table,
    last_epoch,
    log_zero,
    padded,
    rows_of,
    stride_of,
    table,
    told_apart,
)
from pages.ui.look.palette import Palette


@lru_cache(32)
def _trace_spec(
    x_title: str, y_title: str, log: bool, truth: bool, height: int, colours: Palette
) -> dict[str, Any]:
    x_axis = alt.X(
        "x:Q",
        scale=alt.Scale(domain=_ends("x"), nice=False),
        axis=alt.Axis(title=x_title, tickCount=4, labelExpr=NUMBER_LABEL if log else alt.Undefined),
    )
    y_axis = log_axis(y_title) if log else y_axis_of(y_title, labelExpr=NUMBER_LABEL)
    base = rows_from("path").transform_calculate(order="datum.epoch")
    encoding: dict[str, Any] = {"x": x_axis, "y": y_axis, "order": "order:Q"}
    # in two filters, because the first need not run again at every epoch
    crosses = (
        rows_from("run")
        .transform_filter(f"datum.epoch % {FRAME}.every == 0")
        .transform_filter("datum.epoch <= epoch")
        .transform_calculate(order="datum.epoch")
        .mark_point(shape="cross", filled=True, size=45, color=colours.run, clip=True, opacity=1)
        .encode(**encoding)
    )
    layers = [*trail(base, encoding, width=2, colour=colours.run), crosses]
    head = head_at("now.x", "now.y", colours)
    optimum = (
        rows_from("frame")
        .transform_filter("isValid(datum.optimum)")
        .transform_calculate(x="datum.optimum")
        .mark_rule(color=colours.optimum, strokeDash=[7, 4], strokeWidth=1.5)
    )
    optimum = optimum.encode(y="x:Q") if x_title == "epoch" else optimum.encode(x="x:Q")
    labels = _both_named(colours) if truth else []
    return finish([*layers, optimum, *labels, head], height, [expression("now", NOW)])


def _both_named(colours: Palette) -> list[alt.Chart]:
    """Where the loss is lowest, and what the data were made with, each with its name; against the loss only."""
    base = rows_from("frame").transform_filter("isValid(datum.truth)")
    base = base.transform_calculate(x="datum.truth", o="datum.optimum")
    rule = base.mark_rule(color=colours.data, strokeDash=[2, 3], strokeWidth=2).encode(x="x:Q")
    # one under the other, each on the side of its line where there is room
    texts = []
    for place, label, y, colour in (
        ("x", "data", 7, colours.data),
        ("o", "lowest loss", 20, colours.optimum),
    ):
        for left in (True, False):
            side = f"(datum.{place} - x0) / (x1 - x0) {'>' if left else '<='} 0.5"
            texts.append(
                base.transform_filter(side)
                .mark_text(
                    align="right" if left else "left",
                    dx=-4 if left else 4,
                    color=colour,
                    fontWeight=600,
                )
                .encode(x=f"{place}:Q", y=alt.value(y), text=alt.value(label))
            )
    return [rule, *texts]


def trace(
    run: Run,
    parameter: int,
    name: str,
    against: str,
    colours: Palette,
    height: int,
    truth: float | None = None,
    marked: bool = True,
) -> View:
    """One parameter against the loss, as the two-feature article drew it, or by epoch. A cross every tenth of the run.

    Args:
        run: What is drawn.
        parameter: Its number in θ.
        name: Its name.
        against: "loss" or "epoch".
        colours: The theme's colours.
        height: In pixels.
        truth: What the data were made with; drawn against the loss, dotted, if it is given.
        marked: Whether this and the optimum are drawn already; before an answer they are not.
    """
    rows = rows_of(run)
    value = run.problem.raw(run.recording.epoch_theta[rows])[:, parameter].numpy()
    loss = run.recording.epoch_loss.numpy()[rows]
    by_epoch = against == "epoch"
    x, y = (rows, value) if by_epoch else (value, np.maximum(loss, log_zero(float(loss[0]))))
    known = None
    if run.parabola is not None and marked:
        known = float(run.problem.raw(run.parabola.optimum)[parameter])
    best = [] if known is None else [known]
    places = [*best, truth] if truth is not None and marked else best
    x0, x1 = (0, last_epoch(run)) if by_epoch else padded(np.append(value, places), 0.06)
    y0, y1 = padded(np.append(value, best), 0.06) if by_epoch else (y.min() / 1.3, y.max() * 1.3)
    stride = stride_of(drawn_until(run))
    every = max(1, round(drawn_until(run) / 10 / stride)) * stride
    heights = y if by_epoch else np.log(y)
    tall = float(np.ptp(heights)) or 1.0
    drawn = told_apart(np.column_stack([2 * x / (x1 - x0), 2 * heights / tall]))
    named = {} if truth is None else {"truth": truth if marked else np.nan}
    tables = {
        "run": table({"epoch": rows, "x": x, "y": y}),
        "path": table({"epoch": rows[drawn], "x": x[drawn], "y": y[drawn]}),
        "frame": frame_table(
            run, x0=x0, x1=x1, y0=y0, y1=y1, optimum=np.nan if known is None else known, every=every, **named
        ),
    }
    shows_truth = truth is not None and not by_epoch
    loss_name = "loss of the scaled y" if run.experiment.scale_target else "loss"
    titles = ("epoch", name) if by_epoch else (name, loss_name)
    # the same before they are drawn: with another text the chart would be drawn anew
    dashed = "" if run.parabola is None else "the optimum dashed; "
    text = f"{titles[1]} over {titles[0]}; {dashed}a cross every {counted(every, 'epoch')}."
    if shows_truth:
        text += " Dotted: what the data were made with."
    return View(_trace_spec(*titles, not by_epoch, shows_truth, height, colours), tables, text)
