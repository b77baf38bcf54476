"""Data and fit: the curve over one feature, or predicted against actual and the fit along each feature."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pyarrow as pa
from torch import Tensor

from gd_core.datasets import Dataset
from gd_core.robust import Lowest, lowest_of
from gd_core.settings.catalog import model_info
from gd_core.settings.table_fields import is_always_scaled
from pages.ui.charts.elements import (
    FIRST,
    FRAME,
    NOW,
    answered,
    expression,
    finish,
    held_out,
    kept,
    named,
    off_mark,
    prediction,
    rows_from,
    span,
    x_axis_of,
    y_axis_of,
)
from pages.ui.charts.ghosts import (
    Ghost,
    columns_of_fits,
    columns_of_lines,
    fit_layers,
    hidden_names,
    line_layers,
    tables_of_fits,
    tables_of_lines,
    told,
    told_of_lines,
    trend_of,
)
from pages.ui.charts.model import (
    MOVED_ROWS,
    Run,
    View,
    both_kinds,
    centre_of,
    column_of,
    curve_parameters,
    frame_table,
    off_chart,
    padded,
    parameters,
    points_of,
    rows_of,
    table,
    values_of,
)
from pages.ui.look.palette import Palette


def lines_of(colours: Palette, *, best: bool = True) -> dict[str, tuple[str, list[int]]]:
    """Colour and dash of the lines that such a chart has, by name."""
    known = {"optimum": (colours.optimum, [7, 4])} if best else {}
    return {"fit": (colours.run, [1, 0]), "start": (colours.start, [2, 3])} | known


NOT_YET = "datum.label == 'optimum' && !answered ? 'optimum: after a run' : datum.label"
HELD_OUT_TEXT = " Held-out rows are hollow diamonds."


def require_plane(model: str) -> None:
    """Of several features only a plane is drawn.

    Raises:
        ValueError: If the model is none.
    """
    if not model_info(model).plane:
        raise ValueError(f"model must be a plane to be drawn over several features. Got {model}.")


@lru_cache(16)
def _fit_spec(
    model: str,
    weights: int,
    x_title: str,
    y_title: str,
    height: int,
    colours: Palette,
    ghosts: int = 0,
    *,
    judged: bool = False,
    best: bool = True,
    yes_no: bool = False,
) -> dict[str, Any]:
    """Data and the fitted curve over one feature; the curve is computed in the chart from θ.

    With pinned runs `ghosts` is the number of parameters, else 0. `best` says whether the optimum is known, `yes_no` whether
    the curve is that of a probability.
    """
    lines = lines_of(colours, best=best)
    label = NOT_YET if best else None
    names = named(lines | hidden_names(colours), list(lines), label) if ghosts else named(lines, label=label)

    def curve(theta: str, name: str, width: float) -> alt.Chart:
        made = span(100)
        return (
            (made.transform_filter("answered") if name == "optimum" else made)
            .transform_calculate(x="x0 + (x1 - x0) * datum.u")
            .transform_calculate(y=prediction(model, theta, weights, yes_no), name=f"'{name}'")
            .mark_line(clip=True, strokeWidth=width)
            .encode(x="x:Q", y="y:Q", order="u:Q", **names)
        )

    axes = {
        "x": x_axis_of(x_title),
        "y": y_axis_of(y_title, {"zero": False}),  # a curve that starts among the rows need not see it
        "tooltip": [alt.Tooltip("x:Q", title=x_title), alt.Tooltip("y:Q", title=y_title)],
    }
    points = rows_from("points").mark_circle(size=55, color=colours.data, opacity=0.85).encode(**axes)
    layers = [
        kept("run"),
        curve("first", "start", 2),
        *([curve(FRAME, "optimum", 2)] if best else []),
        points,
        *([held_out(axes, colours, 60)] if judged else []),
        *(fit_layers(prediction(model, "datum", weights, yes_no), ghosts, colours, 1.6) if ghosts else ()),
        curve("now", "fit", 3),
        off_mark(colours, "the curve is"),
    ]
    return finish(layers, height, [expression("now", NOW), expression("first", FIRST), answered()])


def fit(
    run: Run, colours: Palette, height: int, answer_from: float = 0, ghosts: Sequence[Ghost] = ()
) -> View:
    """One feature: data, the start, the curve at this epoch, those of pinned runs, and from an epoch on the optimum."""
    dataset = run.problem.dataset
    x0, x1 = padded(values_of(run, lambda rows: rows.x[:, 0]), 0.04)
    in_sight = [values_of(run, lambda rows: rows.y[:, 0])]
    # where the start is not at 0, and where a single row alone would leave its line outside of the frame
    own = is_always_scaled(vars(run.experiment))
    if not own:
        in_sight.append(np.zeros(1))
    if own or run.experiment.info.is_a_single_row:
        in_sight.append(run.problem.predicted(run.problem.start).numpy())
    yes_no, info = run.experiment.loss_info.yes_no, run.experiment.info
    y0, y1 = padded(np.concatenate(in_sight), 0.12 if yes_no else 0.45)
    best = run.parabola or (lowest_of(run.problem.objective) if yes_no else None)
    if isinstance(best, Lowest) and not best.attained:
        best = None
    optimum = {} if best is None else curve_parameters(run, best.optimum)
    tables = {
        **both_kinds(run, lambda rows: {"x": rows.x[:, 0].numpy(), "y": rows.y[:, 0].numpy()}),
        "run": table(
            curve_parameters(run, run.recording.epoch_theta[rows_of(run)])
            | off_chart(run, rows_of(run), y1 - y0)
            | columns_of_fits(ghosts, rows_of(run))
        ),
        "frame": frame_table(
            run, x0=x0, x1=x1, y0=y0, y1=y1, **centre_of(run), **optimum, answer_from=answer_from
        ),
        **(tables_of_fits(ghosts) if ghosts else {}),
    }
    judged = run.problem.held_out is not None
    spec = _fit_spec(
        info.model,
        info.weights,
        dataset.feature_names[0],
        dataset.target_name,
        height,
        colours,
        len(info.parameters) if ghosts else 0,
        judged=judged,
        best=best is not None,
        yes_no=yes_no,
    )
    what = "probability of a 1" if yes_no else "fitted curve"
    text = (
        f"Data as points, {dataset.target_name} over {dataset.feature_names[0]}; the {what} at the player’s epoch, "
        f"solid; the start, dotted{'; after a run the optimum, dashed' if best else ''}."
    )
    return View(spec, tables, text + (HELD_OUT_TEXT if judged else "") + told(ghosts))


@lru_cache(16)
def _agreement_spec(
    target: str,
    features: int,
    height: int,
    colours: Palette,
    ghosts: bool = False,
    *,
    judged: bool = False,
    intercept: bool = True,
) -> dict[str, Any]:
    axes = {"x": x_axis_of(f"actual {target}"), "y": y_axis_of(f"predicted {target}")}
    predicted = " + ".join(f"now.p{i} * datum.x{i + 1}" for i in range(features))
    predicted += f" + now.p{features}" if intercept else ""
    # all points as one broken line with round ends: as marks of their own they cost several times as long an epoch
    points = (
        rows_from("points")
        .transform_calculate(x="datum.y", y=f"datum.row % 2 ? NaN : {predicted}")
        .mark_line(strokeCap="round", strokeWidth=5.5, color=colours.run, opacity=0.6, clip=True)
        .encode(**axes, order="row:Q")
    )
    others = [held_out(axes, colours, 32, x="datum.y", y=predicted)] if judged else []
    diagonal = (
        span(1)
        .transform_calculate(x="x0 + (x1 - x0) * datum.u", y="x0 + (x1 - x0) * datum.u")
        .mark_line(color=colours.optimum, strokeDash=[7, 4], clip=True)
        .encode(x="x:Q", y="y:Q")
    )
    trends = line_layers(colours) if ghosts else []
    gone = off_mark(colours, "predictions are")
    return finish([kept("run"), diagonal, points, *others, *trends, gone], height, [expression("now", NOW)])


def agreement(run: Run, colours: Palette, height: int, ghosts: Sequence[Ghost] = ()) -> View:
    """Several features: predicted against actual. On the dashed diagonal both are the same.

    Of pinned runs only the straight trend is drawn: several clouds over each other could not be told apart.
    """
    require_plane(run.experiment.info.model)
    dataset = run.problem.dataset
    judged = run.problem.held_out is not None
    low, high = padded(values_of(run, lambda rows: rows.y[:, 0]), 0.1)
    tables = {
        **_moving_points(run),
        "run": table(
            parameters(run, rows_of(run))
            | off_chart(run, rows_of(run), high - low)
            | columns_of_lines(ghosts, rows_of(run), trend_of)
        ),
        "frame": frame_table(run, x0=low, x1=high, y0=low, y1=high),
        **(tables_of_lines(ghosts) if ghosts else {}),
    }
    text = "Predicted against actual value of each row at the player’s epoch; on the dashed diagonal both are the same."
    text += HELD_OUT_TEXT if judged else ""
    spec = _agreement_spec(
        dataset.target_name,
        dataset.x.shape[1],
        height,
        colours,
        bool(ghosts),
        judged=judged,
        intercept=run.experiment.intercept,
    )
    text += told_of_lines(ghosts, "the trend of predicted over actual values")
    return View(spec, tables, text)


@lru_cache(16)
def _along_spec(
    feature: str,
    target: str,
    slope: str,
    height: int,
    colours: Palette,
    ghosts: bool = False,
    *,
    judged: bool = False,
    best: bool = True,
) -> dict[str, Any]:
    axes = {"x": x_axis_of(feature), "y": y_axis_of(target)}
    points = rows_from("points").mark_circle(size=12, color=colours.data, opacity=0.5).encode(**axes)

    def line(theta: str, name: str, width: float) -> alt.Chart:
        made = span(1)
        return (
            (made.transform_filter("answered") if name == "optimum" else made)
            .transform_calculate(x="x0 + (x1 - x0) * datum.u")
            .transform_calculate(y=f"{theta}.{slope} * datum.x + {theta}.rest")
            .mark_line(
                clip=True,
                strokeWidth=width,
                color=lines_of(colours)[name][0],
                strokeDash=lines_of(colours)[name][1],
            )
            .encode(x="x:Q", y="y:Q")
        )

    layers = [
        kept("run"),
        points,
        *([held_out(axes, colours, 20)] if judged else []),
        line("first", "start", 1.5),
        *([line(FRAME, "optimum", 1.5)] if best else []),
        *(line_layers(colours, numbers=False) if ghosts else ()),
        line("now", "fit", 3),
    ]
    return finish(layers, height, [expression("now", NOW), expression("first", FIRST), answered()])


def along(
    run: Run,
    feature: int,
    colours: Palette,
    height: int,
    answer_from: float = 0,
    ghosts: Sequence[Ghost] = (),
) -> View:
    """Several features: the fit along one of them, the others at their mean; from an epoch on the optimum's as well."""
    require_plane(run.experiment.info.model)
    dataset = run.problem.dataset
    others = run.problem.linear.model.features(dataset.x.mean(0, keepdim=True))[0]  # an intercept's 1 as well
    others[feature] = 0.0

    def line(theta: Tensor) -> dict[str, Any]:  # raw [..., P] → slope and what the others and the bias add
        return {f"p{feature}": theta[..., feature].numpy(), "rest": (theta @ others).numpy()}

    def of_ghost(ghost: Ghost, theta: Tensor) -> tuple[Tensor, Tensor]:
        raw = ghost.problem.raw(theta)
        return raw[..., feature], raw @ others

    judged = run.problem.held_out is not None
    x0, x1 = padded(values_of(run, lambda rows: rows.x[:, feature]), 0.04)
    y0, y1 = padded(values_of(run, lambda rows: rows.y[:, 0]), 0.1)
    drawn = rows_of(run)
    best = {} if run.parabola is None else line(run.problem.raw(run.parabola.optimum))
    optimum = {name: float(value) for name, value in best.items()}
    tables = {
        **both_kinds(run, lambda rows: {"x": rows.x[:, feature].numpy(), "y": rows.y[:, 0].numpy()}),
        "run": table(
            line(run.problem.raw(run.recording.epoch_theta[drawn]))
            | columns_of_lines(ghosts, drawn, of_ghost)
        ),
        "frame": frame_table(run, x0=x0, x1=x1, y0=y0, y1=y1, **optimum, answer_from=answer_from),
        **(tables_of_lines(ghosts) if ghosts else {}),
    }
    name = dataset.feature_names[feature]
    text = f"{dataset.target_name} over {name}, and the fitted line along it with the other features at their mean."
    text += HELD_OUT_TEXT if judged else ""
    spec = _along_spec(
        name,
        dataset.target_name,
        f"p{feature}",
        height,
        colours,
        bool(ghosts),
        judged=judged,
        best=bool(best),
    )
    text += told_of_lines(ghosts, "the fitted line", numbers=False)
    return View(spec, tables, text)


def _moving_points(run: Run) -> dict[str, pa.Table]:
    """Features and target of the drawn rows; the training rows each twice: at the second the line is broken."""

    def columns(rows: Dataset) -> dict[str, np.ndarray]:
        x, y = rows.x.numpy(), rows.y[:, 0].numpy()
        return {f"x{i + 1}": x[:, i] for i in range(x.shape[1])} | {"y": y}

    tables = both_kinds(run, columns, MOVED_ROWS)
    twice = tables["points"].take(column_of(np.repeat(np.arange(len(tables["points"])), 2)))
    return tables | {"points": twice.append_column("row", column_of(np.arange(len(twice), dtype=np.int16)))}


@lru_cache(16)
def _panel_spec(x_title: str, y_title: str, height: int, colours: Palette) -> dict[str, Any]:
    axes: dict[str, Any] = {"x": x_axis_of(x_title, tickCount=3), "y": y_axis_of(y_title, tickCount=4)}
    data = rows_from("points").mark_circle(size=22, color=colours.data).encode(**axes)
    fitted = (
        rows_from("points")
        .transform_filter(f"epoch >= {FRAME}.shown_from")
        .transform_calculate(y="datum.fitted")
        .mark_point(shape="cross", size=26, filled=True, color=colours.run, clip=True, opacity=1)
        .encode(**axes)
    )
    return finish([data, fitted], height)


def panel(run: Run, epoch: int, colours: Palette, height: int, shown_from: int = 0) -> View:
    """One of the article's small panels: data as dots and predictions as crosses at one epoch.

    The crosses appear when the player has come to `shown_from`. An epoch that the run has not reached has none.
    """
    dataset = run.problem.dataset
    y = dataset.y[:, 0].numpy()
    reached = epoch <= run.recording.epochs
    theta = run.recording.epoch_theta[epoch if reached else 0]
    fitted = run.problem.predicted(theta).numpy() if reached else np.full(len(y), np.nan)
    several = dataset.x.shape[1] > 1
    x = y if several else dataset.x[:, 0].numpy()
    x0, x1 = padded(x, 0.05)
    y0, y1 = (x0, x1) if several else padded(np.append(y, 0.0), 0.45)
    tables = {
        "points": points_of({"x": x, "y": y, "fitted": fitted}),
        "frame": frame_table(run, x0=x0, x1=x1, y0=y0, y1=y1, shown_from=shown_from),
    }
    titles = (
        (f"actual {dataset.target_name}", "predicted")
        if several
        else (dataset.feature_names[0], dataset.target_name)
    )
    text = f"Epoch {epoch}: data as dots and predictions as crosses, {titles[1]} over {titles[0]}."
    return View(_panel_spec(*titles, height, colours), tables, text)
