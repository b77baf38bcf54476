"""A deep network in training: its curve, the loss, and the numbers that the player says."""

from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
from torch import Tensor

from gd_core.lessons.deep_networks.model import ROWS, curve, flat_loss
from gd_core.lessons.deep_networks.recorder import DeepRecording, stride_of
from gd_core.words import brief
from pages.ui.charts.elements import (
    FIRST,
    FRAME,
    NOW,
    count_axis,
    expression,
    finish,
    head_at,
    kept,
    level,
    log_axis,
    named,
    rows_from,
    span,
    trail,
    x_axis_of,
    y_axis_of,
)
from pages.ui.charts.model import View, log_path, padded, table
from pages.ui.look.palette import Palette

FAR = 1e4  # where a curve is far outside of its chart, it does not matter how far


def frame_of(recording: DeepRecording, **columns: Any) -> Any:
    common = {
        "last": recording.epochs,
        "planned": recording.network.epochs,
        "stride": stride_of(recording.network.epochs),
        "layers": recording.network.depth + 1,
    }
    return table({name: [value] for name, value in (common | columns).items()})


def end_of(recording: DeepRecording) -> int:
    """Where an axis of epochs ends: as planned, or where the training has ended before."""
    return max(1, recording.epochs if recording.complete else recording.network.epochs)


# ------------------------------------------------------------------------------------------------------- the curve


@lru_cache(4)
def _curve_spec(height: int, colours: Palette) -> dict[str, Any]:
    lines = {"network": (colours.run, [1, 0]), "start": (colours.start, [2, 3])}

    def line(row: str, name: str, width: float) -> alt.Chart:
        return (
            span(ROWS - 1)
            .transform_calculate(x="2 * datum.u - 1", y=f"{row}['y' + round({ROWS - 1} * datum.u)]")
            .transform_calculate(name=f"'{name}'")
            .mark_line(clip=True, strokeWidth=width)
            .encode(x="x:Q", y="y:Q", order="u:Q", **named(lines))
        )

    points = (
        rows_from("points")
        .mark_circle(size=30, color=colours.data, opacity=0.7)
        .encode(x=x_axis_of("x"), y=y_axis_of("y"))
    )
    beyond = (
        rows_from("frame")
        .transform_calculate(reach="now.reach")
        .transform_filter("datum.reach > y1")
        .transform_calculate(label="'the network reaches ± ' + now.reach_label")
        .mark_text(align="right", dx=-4, dy=10, color=colours.run, fontWeight=600)
        .encode(x=alt.value("width"), y=alt.value(0), text="label:N")
    )
    layers = [kept("run"), points, line("first", "start", 2), line("now", "network", 3), beyond]
    return finish(layers, height, [expression("now", NOW), expression("first", FIRST)])


def deep_curve(recording: DeepRecording, colours: Palette, height: int) -> View:
    """The data, the network's curve at this epoch, and the one it started with."""
    x, y = (column[:, 0].numpy() for column in curve())
    x0, x1 = padded(x, 0.04)
    y0, y1 = padded(y, 0.25)
    curves = recording.curves.clamp(-FAR, FAR).numpy()
    reach = recording.curves.abs().amax(1)
    tables = {
        "points": table({"x": x, "y": y}),
        "run": table(
            {f"y{i}": curves[:, i] for i in range(curves.shape[1])}
            | {"reach": reach.numpy(), "reach_label": [brief(number) for number in reach.tolist()]}
        ),
        "frame": frame_of(recording, x0=x0, x1=x1, y0=y0, y1=y1),
    }
    text = (
        "Data as points, a sine over x; the network’s curve at the player’s epoch, solid; the start, dotted."
    )
    return View(_curve_spec(height, colours), tables, text)


# --------------------------------------------------------------------------------------------------------- the loss


@lru_cache(4)
def _loss_spec(height: int, colours: Palette) -> dict[str, Any]:
    epoch_axis = count_axis()
    carrier = (
        rows_from("frame")
        .transform_filter("false")
        .transform_calculate(x="0", y="1")
        .mark_point()
        .encode(x=epoch_axis, y=log_axis("loss L"))
    )
    base = rows_from("path").transform_calculate(x="datum.epoch", y="datum.loss")
    layers: list[Any] = [kept("run"), carrier]
    layers += trail(base, {"x": "x:Q", "y": "y:Q", "order": "x:Q"}, colour=colours.run)
    layers += level("flat", colours.optimum, [7, 4], "'a flat line'")
    layers.append(head_at(f"min(epoch, {FRAME}.last)", "now.loss", colours))
    return finish(layers, height, [expression("now", NOW)])


def deep_loss(recording: DeepRecording, colours: Palette, height: int) -> View:
    """The loss by epoch, beside that of the best horizontal line."""
    loss = np.clip(recording.loss.numpy(), 1e-30, 1e38)
    flat = flat_loss()
    drawn = recording.drawn.numpy()
    tables = {
        "run": table({"loss": loss[drawn]}),
        "path": log_path(drawn, {"loss": loss[drawn]}),
        "frame": frame_of(
            recording,
            x0=0,
            x1=end_of(recording),
            y0=min(loss.min(), flat) / 1.6,
            y1=min(max(loss.max(), flat) * 1.6, 3e38),
            flat=flat,
        ),
    }
    text = "Mean squared error by epoch on a logarithmic axis, and that of the best flat line, dashed."
    return View(_loss_spec(height, colours), tables, text)


# ------------------------------------------------------------------------------------------------------- the player


def deep_numbers(recording: DeepRecording, template: Tensor) -> dict[str, np.ndarray]:
    """The player's table: one row a drawn epoch. In 64 bits, because a share of 1e−45 is a result here."""
    drawn = recording.drawn
    norms = recording.norms[drawn, :-1]
    columns = {
        "epoch": drawn.int(),
        "loss": recording.loss[drawn],
        "first": norms[:, 0],
        "largest": norms.amax(1),
        "share": recording.share[drawn],
    }
    numbers = {name: np.asarray(values) for name, values in columns.items()}
    return numbers | {"template": template.numpy().astype(np.int8)}
