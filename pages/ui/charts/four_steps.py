"""The loop's moments: what the curve misses while the loss is measured, where a step moves it, the error so far."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pyarrow as pa

from gd_core.lessons.four_steps import Instants, Stage
from gd_core.words import floor_label
from pages.ui.charts.elements import (
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
    off_mark,
    prediction,
    rows_from,
    span,
    trail,
    x_axis_of,
    y_axis_of,
)
from pages.ui.charts.model import (
    Run,
    View,
    frame_table,
    last_epoch,
    log_zero,
    off_chart,
    padded,
    points_of,
    table,
)
from pages.ui.look.palette import Palette

NEVER = 1_000_000_000  # a moment that does not come
BEST = "best, at Stop"
STOPPED = f"max(epoch, seen) >= {FRAME}.stop"  # the best curve is shown when the loop has ended, and stays


@lru_cache(16)
def _fit_spec(
    model: str, parameters: int, x_title: str, y_title: str, height: int, colours: Palette
) -> dict[str, Any]:
    styles = {
        "curve": (colours.run, [1, 0]),
        "before step": (colours.start, [2, 3]),
        BEST: (colours.optimum, [7, 4]),
    }

    def curve(theta: str, name: str, width: float, when: str) -> alt.Chart:
        return (
            span(100)
            .transform_filter(when)
            .transform_calculate(x="x0 + (x1 - x0) * datum.u")
            .transform_calculate(y=prediction(model, theta), name=f"'{name}'")
            .mark_line(clip=True, strokeWidth=width)
            .encode(x="x:Q", y="y:Q", order="u:Q", **named(styles))
        )

    misses = (
        rows_from("points")
        .transform_filter(f"now.stage == {int(Stage.LOSS)}")
        .transform_calculate(predicted=prediction(model, "now"))
        .mark_rule(clip=True, color=colours.data, strokeWidth=1.5, opacity=0.8)
        .encode(x="x:Q", y="y:Q", y2="predicted:Q")
    )
    points = (
        rows_from("points")
        .mark_circle(size=55, color=colours.data, opacity=0.85)
        .encode(x=x_axis_of(x_title), y=y_axis_of(y_title))
    )
    layers = [
        kept("run"),
        misses,
        curve("before", "before step", 2, f"now.stage == {int(Stage.STEP)}"),
        curve(FRAME, BEST, 2, STOPPED),
        points,
        curve("now", "curve", 3, "true"),
        off_mark(colours, "the curve is"),
    ]
    past = "{" + ", ".join(f"p{i}: now.q{i}" for i in range(parameters)) + "}"
    return finish(layers, height, [expression("now", NOW), expression("before", past)])


def moment_fit(run: Run, shown: Instants, colours: Palette, height: int) -> View:
    """Data and curve. While the loss is measured, what each row is missed by; after a step, where the curve was."""
    dataset = run.problem.dataset
    x, y = dataset.x[:, 0].numpy(), dataset.y[:, 0].numpy()
    x0, x1 = padded(x, 0.04)
    y0, y1 = padded(np.append(y, 0.0), 0.45)
    best = run.problem.raw(run.curvature.optimum).tolist()
    tables = {
        "points": points_of({"x": x, "y": y}),
        "run": _instants(run, shown, off_chart(run, _after(run, shown), y1 - y0)),
        "frame": _frame(run, shown, x0=x0, x1=x1, y0=y0, y1=y1, **{f"p{i}": p for i, p in enumerate(best)}),
    }
    model = run.experiment.info.model
    spec = _fit_spec(model, len(best), dataset.feature_names[0], dataset.target_name, height, colours)
    text = (
        f"Data as points, {dataset.target_name} over {dataset.feature_names[0]}, and the curve at this moment, solid. "
        "At Loss a line from each point to the curve; at Step the curve before it, dotted; at Stop the best curve, dashed."
    )
    return View(spec, tables, text)


@lru_cache(16)
def _error_spec(height: int, colours: Palette) -> dict[str, Any]:
    epoch_axis = count_axis()
    measured = rows_from("path").transform_calculate(x="datum.k", y="datum.rmse")
    layers = [
        kept("run"),
        *trail(
            measured,
            {"x": epoch_axis, "y": log_axis("RMSE (m/s)"), "order": "x:Q"},
            colour=colours.run,
            points=True,
        ),
        *level("floor", colours.optimum, [7, 4], "datum.floor_label", STOPPED),
        head_at("now.k", "now.rmse", colours),
    ]
    return finish(layers, height, [expression("now", NOW)])


def moment_error(run: Run, shown: Instants, colours: Palette, height: int) -> View:
    """RMSE on a logarithmic axis, a point when a loss is measured; the floor when the loop has stopped."""
    measured = np.flatnonzero(_measures(shown))
    first, floor = float(run.recording.epoch_rmse[0]), run.curvature.floor_rmse
    zero = log_zero(first)
    drawn = np.maximum(shown.rmse.numpy()[measured], zero)
    low, high = float(drawn.min(initial=first)), float(drawn.max(initial=first))
    # before the run even the axis would tell how much lower an error can be
    shows_floor = run.recording.complete and floor >= max(zero, low / 1000)
    tables = {
        "run": _instants(run, shown),
        "path": table({"epoch": measured, "k": _axis_epoch(run, shown)[measured], "rmse": drawn}),
        "frame": _frame(
            run,
            shown,
            x0=-0.02 * last_epoch(run),
            x1=1.02 * last_epoch(run),
            y0=(min(low, floor) if shows_floor else low) / 1.6,
            y1=high * 1.25,
            floor=floor if shows_floor else np.nan,
            floor_label=floor_label(run.curvature),
        ),
    }
    text = (
        "Root mean squared error by epoch on a logarithmic axis, a point when the loss is measured; "
        "at Stop the floor, dashed, below which no curve gets."
    )
    return View(_error_spec(height, colours), tables, text)


def _measures(shown: Instants) -> np.ndarray:
    """At which moments an error is measured, [M]."""
    stage = shown.stage.numpy()
    return (stage == Stage.LOSS) | (stage == Stage.STOP)


def _axis_epoch(run: Run, shown: Instants) -> np.ndarray:
    """The epoch whose error is the last one known: after the loop that is one more than its last, [M]."""
    return np.where(shown.stage.numpy() == Stage.STOP, run.recording.epochs, shown.epoch.numpy())


def _after(run: Run, shown: Instants) -> np.ndarray:
    """The epoch at whose start the curve of each moment stands: that of a step is the next one's, [M]."""
    stage = shown.stage.numpy()
    return np.where(stage == Stage.STOP, run.recording.epochs, shown.epoch.numpy() + (stage == Stage.STEP))


def _instants(run: Run, shown: Instants, more: Mapping[str, np.ndarray] | None = None) -> pa.Table:
    now, before = (run.problem.raw(theta).numpy() for theta in (shown.theta, shown.before))
    columns: dict[str, Any] = {
        "stage": shown.stage.numpy(),
        "k": _axis_epoch(run, shown),
        "rmse": shown.rmse.numpy(),
    }
    columns |= {f"p{i}": now[:, i] for i in range(now.shape[1])}
    columns |= {f"q{i}": before[:, i] for i in range(now.shape[1])}
    return table(columns | dict(more or {}))


def _frame(run: Run, shown: Instants, **columns: Any) -> pa.Table:
    ends = {"stop": shown.last if run.recording.complete else NEVER, "last": shown.last, "stride": 1}
    return frame_table(run, **ends, **columns)
