"""How large the gradient of each layer of a deep network is: at one epoch as a line, at many as colours.

Gradients reach from 1e−60 to 1e30. Their logarithms are sent, because numbers in 32 bits end at 1e−38.
"""

from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
from torch import Tensor

from gd_core.lessons.deep_networks.network import DEPTH
from gd_core.lessons.deep_networks.recorder import DeepRecording
from pages.ui.charts.deep_networks.curve import end_of, frame_of
from pages.ui.charts.elements import (
    FIRST,
    FRAME,
    NOW,
    Rows,
    _ends,
    count_axis,
    expression,
    finish,
    kept,
    named,
    rows_from,
)
from pages.ui.charts.model import View, table
from pages.ui.look.palette import Palette

MOST_LAYERS = int(DEPTH.high) + 1  # the output layer is one more
HEAT_COLUMNS = 60
LOG_UNIT = 0.005  # what logarithms of norms are counted in, in 16 bits: less than half a pixel
NO_LOG = -32768  # of 0
POWER = "datum.value == 0 ? '1' : '1e' + datum.label"  # the label of a logarithm


def _logs(norms: Tensor) -> np.ndarray:
    """Base 10; NaN for a norm that is exactly 0, or more than a number can hold."""
    logs = norms.log10().numpy()
    return np.where(np.isfinite(logs), logs, np.nan)


# --------------------------------------------------------------------------------------------- gradients by layer


def _layer_axis(channel: Any, title: str, step: str) -> Any:
    """Layers by number, every `step`-th counted from the output layer, which is called out."""
    name = "x" if channel is alt.X else "y"
    axis = alt.Axis(
        title=title,
        values=alt.ExprRef(f"sequence(({FRAME}.layers - 1) % {step} + 1, {FRAME}.layers + 1, {step})"),
        labelExpr=f"datum.value == {FRAME}.layers ? 'out' : datum.value",
        tickCount=MOST_LAYERS,  # or every other value would be left out until there are six
        labelOverlap=False,
        grid=False,
    )
    return channel(f"{name}:Q", scale=alt.Scale(domain=_ends(name), nice=False), axis=axis)


@lru_cache(4)
def _norms_spec(height: int, colours: Palette) -> dict[str, Any]:
    lines = {"this epoch": (colours.run, [1, 0]), "start": (colours.start, [2, 3])}
    numbers = alt.SequenceParams(start=1, stop=MOST_LAYERS + 1, step=1, **{"as": "layer"})
    layer = Rows(alt.SequenceGenerator(sequence=numbers)).transform_filter(f"datum.layer <= {FRAME}.shown")

    def norms(row: str, name: str) -> alt.Chart:
        return layer.transform_calculate(
            x="datum.layer", count=f"{row}['g' + datum.layer]", name=f"'{name}'"
        ).transform_calculate(y=f"datum.count == {NO_LOG} ? NaN : {LOG_UNIT} * datum.count")

    def line(row: str, name: str, width: float, size: int) -> alt.Chart:
        style = named(lines)
        return (
            norms(row, name)
            .transform_filter("isValid(datum.y)")
            .mark_line(strokeWidth=width, point=alt.OverlayMarkDef(size=size, opacity=1) if size else False)
            .encode(
                x=_layer_axis(
                    alt.X, "layer, from the input to the output", f"ceil({FRAME}.layers * 20 / width)"
                ),
                y=alt.Y(
                    "y:Q",
                    scale=alt.Scale(domain=_ends("y"), nice=False),
                    axis=alt.Axis(title="‖∂L/∂W‖, logarithmic", labelExpr=POWER, tickMinStep=1),
                ),
                **style,
            )
        )

    zeros = (
        norms("now", "this epoch")
        .transform_filter("!isValid(datum.y)")
        .transform_calculate(y="y0", label="'0'")
        .mark_text(fontWeight=700, dy=-9, color=colours.run)
        .encode(x="x:Q", y="y:Q", text="label:N")
    )
    waiting = (
        rows_from("frame")
        .transform_filter("datum.shown == 0")
        .transform_calculate(label="'The gradients are shown after your answer.'")
        .mark_text(color=colours.ink, fontSize=13)
        .encode(x=alt.value({"expr": "width / 2"}), y=alt.value({"expr": "height / 2"}), text="label:N")
    )
    layers = [kept("run"), line("first", "start", 1.5, 0), line("now", "this epoch", 2, 60), zeros, waiting]
    return finish(layers, height, [expression("now", NOW), expression("first", FIRST)])


def _decades(logs: np.ndarray) -> tuple[float, float]:
    """Whole powers of ten around all values, at least two apart."""
    if not np.isfinite(logs).any():
        return -6.0, 0.0
    low, high = np.floor(np.nanmin(logs) - 0.15), np.ceil(np.nanmax(logs) + 0.15)
    return float(low), float(max(high, low + 2))


def deep_norms(recording: DeepRecording, colours: Palette, height: int, *, waiting: bool) -> View:
    """How large each layer's gradient is at this epoch, and was at the start."""
    logs = _logs(recording.norms)
    rows = logs[recording.drawn.numpy()]
    y0, y1 = (-6.0, 0.0) if waiting else _decades(logs)
    layers = recording.network.depth + 1
    counts = np.round(rows / LOG_UNIT)
    counts = np.where(np.isnan(counts) | waiting, NO_LOG, counts).astype(np.int16)
    tables = {
        "run": table({f"g{i + 1}": counts[:, i] for i in range(layers)}),
        "frame": frame_of(recording, x0=0.5, x1=layers + 0.5, y0=y0, y1=y1, shown=0 if waiting else layers),
    }
    text = (
        "Norm of the gradient of each layer’s weights on a logarithmic axis, from the first layer to the output layer: "
        "at the player’s epoch, solid with points; at the start, dotted. A 0 at the bottom is exactly 0."
    )
    return View(_norms_spec(height, colours), tables, text)


# ------------------------------------------------------------------------------------------- layer × epoch, in colour


@lru_cache(4)
def _heat_spec(height: int, colours: Palette) -> dict[str, Any]:
    shades = alt.Scale(domain=_ends("c"), range=[colours.line_high, colours.line, colours.run])
    legend = alt.Legend(
        title=None,
        orient="right",
        labelExpr=POWER,
        tickMinStep=1,
        padding=3,  # its highest number stands over its end
        gradientLength=height - 76,
        gradientThickness=10,
    )
    cells = (
        rows_from("cells")
        .transform_calculate(
            x="datum.epoch",
            x2=f"datum.epoch + 1.06 * {FRAME}.step",  # a little over the next, or the paper shines through
            y="datum.layer - 0.5",
            y2="datum.layer + 0.56",
        )
        .mark_rect(clip=True, strokeWidth=0)
        .encode(
            x=count_axis(grid=False),
            x2="x2:Q",
            y=_layer_axis(alt.Y, "layer", f"ceil({FRAME}.layers / 6)"),
            y2="y2:Q",
            color=alt.Color("log:Q", scale=shades, legend=legend),
        )
    )
    shown = f"min(max(epoch, seen) + {FRAME}.step, x1)"
    cover = (  # what was not seen yet
        rows_from("frame")
        .transform_calculate(x=shown, x2="x1")
        .mark_rect(color=colours.paper, opacity=1, clip=True)
        .encode(x="x:Q", x2="x2:Q", y=alt.value(0), y2=alt.value("height"))
    )
    now = (
        rows_from("frame")
        .transform_calculate(x=f"min(epoch, {FRAME}.last)")
        .mark_rule(color=colours.ink, strokeWidth=1.5)
        .encode(x="x:Q")
    )
    ends = [expression("c0", f"{FRAME}.c0"), expression("c1", f"{FRAME}.c1")]
    return finish([cells, cover, now], height, ends)


def heat_step(recording: DeepRecording) -> int:
    """Every how many epochs the heat map has a column."""
    return -(-(recording.network.epochs + 1) // HEAT_COLUMNS)


def deep_heat(recording: DeepRecording, colours: Palette, height: int, *, waiting: bool) -> View:
    """The same norms for every layer and many epochs at once, as colours."""
    step, layers = heat_step(recording), recording.network.depth + 1
    logs = _logs(recording.norms[:: 1 if waiting else step])
    epochs = np.arange(len(logs), dtype=np.int32) * step
    c0, c1 = (-6.0, 0.0) if waiting else _decades(logs)
    cells = {
        "epoch": np.repeat(epochs, layers),
        "layer": np.tile(np.arange(1, layers + 1, dtype=np.int8), len(epochs)),
        "log": logs.ravel(),
    }
    known = np.isfinite(cells["log"]) & (not waiting)
    tables = {
        "cells": table({name: values[known] for name, values in cells.items()}),
        "frame": frame_of(
            recording, x0=0, x1=end_of(recording), y0=0.5, y1=layers + 0.5, c0=c0, c1=c1, step=step
        ),
    }
    text = (
        "Norm of the gradient by layer and epoch as colour, on a logarithmic scale: the stronger the colour, the larger. "
        "Empty cells are exactly 0. A line marks the player’s epoch."
    )
    return View(_heat_spec(height, colours), tables, text)
