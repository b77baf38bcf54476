"""Recordings and theory as charts. Pure: values in, Altair out; no Streamlit.

A chart is a fixed specification and a few small tables. Everything that changes from run to run, the axes' ends
included, is in the tables, so that a new run only replaces data and nothing is drawn anew. Everything that changes
from epoch to epoch is computed in the chart from the parameter `epoch`, which the player moves.

Every chart has a table `frame` of one row (axes, stride, what is constant in a run) and most have a table `run`
with one row a drawn epoch. The parameter `seen` is the last epoch shown so far: what lies beyond stays hidden.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pyarrow as pa
from torch import Tensor

from gd_core.experiment import MAX_UPDATES, Experiment
from gd_core.landscape import Frame, level_lines, slice_minimum
from gd_core.landscape import frame as map_frame
from gd_core.problem import Problem
from gd_core.theory import Curvature
from gd_core.training import Recording
from pages.ui.palette import Palette

DRAWN_EPOCHS = 1000  # at most about this many rows of a run are drawn
DRAWN_ROWS = 250  # at most this many data points are drawn
STEPS_OUT = 4  # half-widths around the map's centre in which positions are told apart
PATH_STEP = 0.005  # of half a chart, about a pixel: nearer points of a line are drawn as one
ZERO = 1e-16  # of the first value: below it a logarithmic axis says "zero to rounding"
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

FRAME = "data('frame')[0]"
AT = f"epoch >= {FRAME}.last ? length(data('run')) - 1 : floor(epoch / {FRAME}.stride)"
EPOCH_LABEL = "format(datum.value, datum.value >= 1e5 ? '~s' : ',d')"
NOW = f"data('run')[min({AT}, length(data('run')) - 1)]"


class View(NamedTuple):
    """A chart: its specification, its tables by name, and its text for those who cannot see it."""

    spec: Mapping[str, Any]
    tables: Mapping[str, pa.Table]
    text: str


class Run(NamedTuple):
    """All that the charts of one page need to know about a run, or about a start that is not trained yet."""

    experiment: Experiment
    problem: Problem
    curve: Curvature
    recording: Recording


def drawn_epochs(recorded: int, planned: int) -> np.ndarray:
    """Which epochs are drawn: every n-th, so that a whole run has about DRAWN_EPOCHS, and always the last."""
    stride = stride_of(planned)
    epochs = np.arange(0, recorded + 1, stride, dtype=np.int32)
    return epochs if epochs[-1] == recorded else np.append(epochs, np.int32(recorded))


def stride_of(planned: int) -> int:
    """Every how many epochs one is drawn."""
    return -(-planned // DRAWN_EPOCHS)


def _rows(run: Run) -> np.ndarray:
    return drawn_epochs(run.recording.epochs, run.experiment.total_epochs)


def _table(columns: Mapping[str, Any]) -> pa.Table:
    """A table in 32 bits or less. Arrow, not pandas, whose description of itself is longer than a small table."""
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    small = {np.dtype(np.float64): np.float32, np.dtype(np.int64): np.int32}
    return pa.table(
        {name: values.astype(small.get(values.dtype, values.dtype)) for name, values in arrays.items()}
    )


def _frame(run: Run, **columns: Any) -> pa.Table:
    experiment = run.experiment
    common = {"last": run.recording.epochs, "planned": experiment.total_epochs}
    return _table(
        {k: [v] for k, v in ({"stride": stride_of(experiment.total_epochs)} | common | columns).items()}
    )


def _last_epoch(run: Run) -> int:
    """Where an axis of epochs ends: as planned, or where a run has ended before."""
    return max(1, run.recording.epochs if run.recording.complete else run.experiment.total_epochs)


def _parameters(run: Run, rows: np.ndarray) -> dict[str, np.ndarray]:
    theta = run.problem.raw(run.recording.epoch_theta[rows]).numpy()
    return {f"p{i}": theta[:, i] for i in range(theta.shape[1])}


# ── pieces of a specification ───────────────────────────────────────────────────────────────────────────────────


def _from(table: str) -> alt.Chart:
    return alt.Chart(alt.NamedData(table))


def _kept(table: str) -> alt.Chart:
    """A layer that draws nothing and keeps a table in the chart, for expressions to read."""
    return _from(table).transform_filter("false").mark_point()


def _expression(name: str, expression: str) -> alt.Parameter:
    return alt.param(name=name, expr=expression)


def _ends(axis: str) -> list[Any]:
    """An axis' domain, read from the table `frame`."""
    return [alt.ExprRef(f"{axis}0"), alt.ExprRef(f"{axis}1")]


def _x(title: str, **axis: Any) -> alt.X:
    return alt.X("x:Q", scale=alt.Scale(domain=_ends("x"), nice=False), axis=alt.Axis(title=title, **axis))


def _y(title: str, **axis: Any) -> alt.Y:
    return alt.Y("y:Q", scale=alt.Scale(domain=_ends("y"), nice=False), axis=alt.Axis(title=title, **axis))


def _finish(layers: Sequence[Any], height: int, parameters: Sequence[alt.Parameter] = ()) -> dict[str, Any]:
    """Layers as one chart that the player can move."""
    moved = [
        alt.param(name=name, value=0, bind=alt.binding_range(min=0, max=MAX_UPDATES, step=1, name=name))
        for name in ("epoch", "seen")
    ]
    ends = [_expression(name, f"{FRAME}.{name}") for name in ("x0", "x1", "y0", "y1")]
    chart = (
        alt.layer(_kept("frame"), *layers).add_params(*moved, *ends, *parameters).properties(height=height)
    )
    spec = chart.to_dict()
    spec["config"] = _config()
    return spec


def _config() -> dict[str, Any]:
    """The look that all charts share, on top of Streamlit's theme, which knows light from dark."""
    return {
        "axis": {
            "titleFontWeight": "normal",
            "titlePadding": 6,
            "labelFlush": True,
            "tickCount": 6,
            "gridOpacity": 0.6,
        },
        "axisY": {"minExtent": 36},
        "legend": {"orient": "top", "title": None, "offset": 4, "symbolStrokeWidth": 2.5, "padding": 0},
        "view": {"strokeOpacity": 0},
        # a sentence for each of a thousand marks costs a third of the frames; the chart's own text says it once
        "mark": {"aria": False},
    }


def _named(names: Mapping[str, tuple[str, list[int]]]) -> dict[str, Any]:
    """Colour, dash and legend of lines that carry their name in the field `name`."""
    colours, dashes = zip(*names.values(), strict=True)
    legend = alt.Legend(symbolType="stroke", symbolSize=260)
    return {
        "color": alt.Color("name:N", scale=alt.Scale(domain=list(names), range=list(colours)), legend=legend),
        "strokeDash": alt.StrokeDash(
            "name:N",
            scale=alt.Scale(domain=list(names), range=[list(dash) for dash in dashes]),
            legend=legend,
        ),
    }


def _lines(colours: Palette) -> dict[str, tuple[str, list[int]]]:
    return {
        "fit": (colours.run, [1, 0]),
        "start": (colours.start, [2, 3]),
        "optimum": (colours.optimum, [7, 4]),
    }


# ── data and fit ────────────────────────────────────────────────────────────────────────────────────────────────


def _prediction(model: str, theta: str) -> str:
    """ŷ as a Vega expression, with the parameters in the object `theta` and the feature in `datum.x`."""
    return {
        "quadratic": f"{theta}.p0 * datum.x * datum.x + {theta}.p1 * datum.x + {theta}.p2",
        "proportional": f"{theta}.p0 * datum.x",
    }[model]


@lru_cache(16)
def _fit_spec(model: str, x_title: str, y_title: str, height: int, colours: Palette) -> dict[str, Any]:
    """Data and the fitted curve over one feature; the curve is computed in the chart from θ."""

    def curve(theta: str, name: str, width: float) -> alt.Chart:
        return (
            alt.Chart(alt.sequence(0, 1.0001, 1 / 100, as_="u"))
            .transform_calculate(x="x0 + (x1 - x0) * datum.u")
            .transform_calculate(y=_prediction(model, theta), name=f"'{name}'")
            .mark_line(clip=True, strokeWidth=width)
            .encode(x="x:Q", y="y:Q", order="u:Q", **_named(_lines(colours)))
        )

    points = (
        _from("points")
        .mark_circle(size=55, color=colours.data, opacity=0.85)
        .encode(
            x=_x(x_title),
            y=_y(y_title),
            tooltip=[alt.Tooltip("x:Q", title=x_title), alt.Tooltip("y:Q", title=y_title)],
        )
    )
    layers = [
        _kept("run"),
        curve("first", "start", 2),
        curve(FRAME, "optimum", 2),
        points,
        curve("now", "fit", 3),
    ]
    return _finish(layers, height, [_expression("now", NOW), _expression("first", "data('run')[0]")])


def fit(run: Run, colours: Palette, height: int) -> View:
    """One feature: data, the start, the optimum and the curve at this epoch."""
    dataset = run.problem.dataset
    x, y = dataset.x[:, 0].numpy(), dataset.y[:, 0].numpy()
    x0, x1 = _padded(x, 0.04)
    y0, y1 = _padded(np.append(y, 0.0), 0.45)
    optimum = run.problem.raw(run.curve.optimum).tolist()
    tables = {
        "points": _points({"x": x, "y": y}),
        "run": _table(_parameters(run, _rows(run))),
        "frame": _frame(run, x0=x0, x1=x1, y0=y0, y1=y1, **{f"p{i}": p for i, p in enumerate(optimum)}),
    }
    spec = _fit_spec(
        run.experiment.info.model, dataset.feature_names[0], dataset.target_name, height, colours
    )
    text = (
        f"Data as points, {dataset.target_name} over {dataset.feature_names[0]}; the fitted curve at the player’s epoch, "
        "solid; the start, dotted; the optimum, dashed."
    )
    return View(spec, tables, text)


@lru_cache(16)
def _agreement_spec(target: str, height: int, colours: Palette) -> dict[str, Any]:
    points = (
        _from("points")
        .transform_calculate(x="datum.y", y="now.p0 * datum.x1 + now.p1 * datum.x2 + now.p2")
        .mark_circle(size=22, color=colours.run, opacity=0.6, clip=True)
        .encode(x=_x(f"actual {target}"), y=_y(f"predicted {target}"))
    )
    diagonal = (
        alt.Chart(alt.sequence(0, 1.1, 1, as_="u"))
        .transform_calculate(x="x0 + (x1 - x0) * datum.u", y="x0 + (x1 - x0) * datum.u")
        .mark_line(color=colours.optimum, strokeDash=[7, 4], clip=True)
        .encode(x="x:Q", y="y:Q")
    )
    return _finish([_kept("run"), diagonal, points], height, [_expression("now", NOW)])


def agreement(run: Run, colours: Palette, height: int) -> View:
    """Several features: predicted against actual. On the dashed diagonal both are the same."""
    dataset = run.problem.dataset
    low, high = _padded(dataset.y[:, 0].numpy(), 0.1)
    tables = {
        "points": _feature_points(run),
        "run": _table(_parameters(run, _rows(run))),
        "frame": _frame(run, x0=low, x1=high, y0=low, y1=high),
    }
    text = "Predicted against actual value of each row at the player’s epoch; on the dashed diagonal both are the same."
    return View(_agreement_spec(dataset.target_name, height, colours), tables, text)


@lru_cache(16)
def _along_spec(feature: str, target: str, slope: str, height: int, colours: Palette) -> dict[str, Any]:
    points = (
        _from("points")
        .mark_circle(size=12, color=colours.data, opacity=0.5)
        .encode(x=_x(feature), y=_y(target))
    )

    def line(theta: str, name: str, width: float) -> alt.Chart:
        return (
            alt.Chart(alt.sequence(0, 1.1, 1, as_="u"))
            .transform_calculate(x="x0 + (x1 - x0) * datum.u")
            .transform_calculate(y=f"{theta}.{slope} * datum.x + {theta}.rest")
            .mark_line(
                clip=True,
                strokeWidth=width,
                color=_lines(colours)[name][0],
                strokeDash=_lines(colours)[name][1],
            )
            .encode(x="x:Q", y="y:Q")
        )

    layers = [
        _kept("run"),
        points,
        line("first", "start", 1.5),
        line(FRAME, "optimum", 1.5),
        line("now", "fit", 3),
    ]
    return _finish(layers, height, [_expression("now", NOW), _expression("first", "data('run')[0]")])


def along(run: Run, feature: int, colours: Palette, height: int) -> View:
    """Several features: the fit along one of them, the others at their mean."""
    dataset = run.problem.dataset
    x, y = dataset.x[:, feature].numpy(), dataset.y[:, 0].numpy()
    others = dataset.mean.clone()
    others[feature] = 0.0

    def line(theta: Tensor) -> dict[str, Any]:  # raw [..., P] → slope and what the others and the bias add
        return {
            f"p{feature}": theta[..., feature].numpy(),
            "rest": (theta[..., :-1] @ others + theta[..., -1]).numpy(),
        }

    x0, x1 = _padded(x, 0.04)
    y0, y1 = _padded(y, 0.1)
    optimum = {name: float(value) for name, value in line(run.problem.raw(run.curve.optimum)).items()}
    tables = {
        "points": _points({"x": x, "y": y}),
        "run": _table(line(run.problem.raw(run.recording.epoch_theta[_rows(run)]))),
        "frame": _frame(run, x0=x0, x1=x1, y0=y0, y1=y1, **optimum),
    }
    name = dataset.feature_names[feature]
    text = f"{dataset.target_name} over {name}, and the fitted line along it with the other features at their mean."
    return View(_along_spec(name, dataset.target_name, f"p{feature}", height, colours), tables, text)


def _padded(values: np.ndarray, share: float) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    pad = share * (high - low) or max(1.0, 0.5 * abs(high))
    return low - pad, high + pad


def _points(columns: Mapping[str, np.ndarray]) -> pa.Table:
    """Data points, thinned evenly where there are too many to draw; the page says so."""
    rows = len(next(iter(columns.values())))
    keep = np.unique(np.linspace(0, rows - 1, min(rows, DRAWN_ROWS)).astype(int))
    return _table({name: values[keep] for name, values in columns.items()})


def _feature_points(run: Run) -> pa.Table:
    x, y = run.problem.dataset.x.numpy(), run.problem.dataset.y[:, 0].numpy()
    return _points({f"x{i + 1}": x[:, i] for i in range(x.shape[1])} | {"y": y})


# ── error by epoch ──────────────────────────────────────────────────────────────────────────────────────────────


def _by_epoch(columns: Mapping[str, tuple[str, float]]) -> list[alt.Chart]:
    """Lines by epoch from the thinned table `path`: strong up to this epoch, faint where they were seen before."""
    axes: dict[str, Any] = {"x": "x:Q", "y": "y:Q", "order": "x:Q"}
    layers = []
    for name, (colour, width) in columns.items():
        base = _from("path").transform_calculate(x="datum.epoch", y=f"datum.{name}")
        for shown, style in (("seen", {"opacity": 0.3}), ("epoch", {"strokeWidth": width})):
            line = base.transform_filter(f"datum.epoch <= {shown}").mark_line(
                color=colour, clip=True, **style
            )
            layers.append(line.encode(**axes))
    return layers


def _head(column: str, colour: str, paper: str) -> alt.Chart:
    return (
        alt.Chart(alt.sequence(0, 1, 1, as_="u"))
        .transform_calculate(x=f"min(epoch, {FRAME}.last)", y=f"now.{column}")
        .mark_point(filled=True, size=110, color=colour, stroke=paper, strokeWidth=1.5, opacity=1, clip=True)
        .encode(x="x:Q", y="y:Q")
    )


def _log(title: str) -> alt.Y:
    scale = alt.Scale(type="log", domain=_ends("y"), nice=False)
    # only 1, 2 and 5 times a power of ten are labelled, as many as fit
    label = "indexof('125', slice(format(datum.value, '.0e'), 0, 1)) < 0 ? '' : format(datum.value, datum.value < 1e-3 ? '.0e' : '~g')"
    axis = alt.Axis(title=title, labelExpr=label, labelOverlap="greedy", labelSeparation=3)
    return alt.Y("y:Q", scale=scale, axis=axis)


def _level(column: str, colour: str, dash: list[int], label: str) -> list[alt.Chart]:
    """A horizontal line across the chart at a value of `frame`, with its name on it."""
    base = _from("frame").transform_filter(f"isValid(datum.{column})")
    rule = base.mark_rule(color=colour, strokeDash=dash, strokeWidth=2).encode(y=alt.Y(f"{column}:Q"))
    text = (
        base.transform_calculate(label=label)
        .mark_text(align="right", dx=-4, dy=-7, color=colour, fontWeight=600)
        .encode(x=alt.value("width"), y=alt.Y(f"{column}:Q"), text="label:N")
    )
    return [rule, text]


@lru_cache(16)
def _error_spec(broadcast: bool, height: int, colours: Palette) -> dict[str, Any]:
    epoch_axis = alt.X(
        "x:Q",
        scale=alt.Scale(domain=_ends("x"), nice=False),
        axis=alt.Axis(title="epoch", labelExpr=EPOCH_LABEL, tickMinStep=1),
    )
    carrier = (
        _from("frame")
        .transform_filter("false")
        .transform_calculate(x="0", y="1")
        .mark_point()
        .encode(x=epoch_axis, y=_log("RMSE"))
    )
    below = (
        _from("frame")
        .transform_filter("isValid(datum.floor_below)")
        .transform_calculate(label="'floor ' + format(datum.floor_below, '.2~g') + ' is below ↓'")
        .mark_text(align="left", dx=6, dy=-8, color=colours.optimum, fontWeight=600)
        .encode(x=alt.value(0), y=alt.value("height"), text="label:N")
    )
    thin = {"root_loss": (colours.data, 1.5)} if broadcast else {}
    layers: list[Any] = [_kept("run"), carrier, *_by_epoch(thin | {"rmse": (colours.run, 2.5)})]
    layers += _level("floor", colours.optimum, [7, 4], "'floor ' + format(datum.exact_floor, '.4~g')")
    layers += _level("zero", colours.start, [2, 3], "'zero to rounding'")
    layers.append(below)
    layers.append(_head("rmse", colours.run, colours.paper))
    return _finish(layers, height, [_expression("now", NOW)])


def error(run: Run, colours: Palette, height: int) -> View:
    """RMSE by epoch on a logarithmic axis, with the floor below which the loss cannot get."""
    rows = _rows(run)
    rmse = run.recording.epoch_rmse.numpy()[rows]
    columns = {"rmse": rmse}
    broadcast = run.experiment.loss == "mse-broadcast"
    if broadcast:
        columns["root_loss"] = run.recording.epoch_loss.numpy()[rows] ** 0.5
    zero = ZERO * max(rmse[0], 1e-300)
    reaches_zero = bool(min(values.min() for values in columns.values()) <= zero)
    drawn = {name: np.maximum(values, zero) for name, values in columns.items()}
    low, high = (f(f(values) for values in drawn.values()) for f in (min, max))
    floor = run.curve.floor_rmse
    shows_floor = zero < floor and floor >= low / 100
    low = zero if reaches_zero else min(low, floor) if shows_floor else low
    tables = {
        "run": _table({"rmse": drawn["rmse"]}),
        "path": _log_path(rows, drawn),
        "frame": _frame(
            run,
            x0=0,
            x1=_last_epoch(run),
            y0=low / 1.6,
            y1=high * 1.25,
            floor=floor if shows_floor else np.nan,
            exact_floor=floor,
            floor_below=np.nan if shows_floor or reaches_zero else floor,
            zero=zero if reaches_zero else np.nan,
        ),
    }
    text = "Root mean squared error by epoch on a logarithmic axis, and the floor, dashed, below which the loss cannot get."
    if broadcast:
        text += " The thin line is the root of the loss that is minimised."
    return View(_error_spec(broadcast, height, colours), tables, text)


# ── landscape ───────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(32)
def _map_spec(x_name: str, y_name: str, height: int, colours: Palette) -> dict[str, Any]:
    lines = (
        _from("lines")
        .transform_calculate(x="datum.dx + slide_x", y="datum.dy + slide_y")
        .mark_line(clip=True, strokeWidth=1.2)
        .encode(
            x=_x(x_name),
            y=_y(y_name),
            detail="line:N",
            order="i:Q",
            color=alt.Color(
                "level:Q",
                scale=alt.Scale(range=[colours.line, colours.line_high]),
                legend=None,
            ),
        )
    )
    base = _from("path").transform_calculate(x="datum.u", y="datum.v")
    axes: dict[str, Any] = {"x": "x:Q", "y": "y:Q", "order": "epoch:Q"}
    path = [
        base.transform_filter("datum.epoch <= seen")
        .mark_line(color=colours.run, opacity=0.25, clip=True)
        .encode(**axes),
        base.transform_filter("datum.epoch <= epoch")
        .mark_line(color=colours.run, strokeWidth=2.5, clip=True, point=False)
        .encode(**axes),
    ]

    def mark(x: str, y: str, **style: Any) -> alt.Chart:
        return (
            alt.Chart(alt.sequence(0, 1, 1, as_="u"))
            .transform_calculate(x=x, y=y)
            .mark_point(clip=True, opacity=1, **style)
            .encode(x="x:Q", y="y:Q")
        )

    layers = [
        lines,
        *path,
        mark(_place("mu"), _place("mv"), shape="cross", size=45, filled=True, color=colours.start),
        mark(f"{FRAME}.ou", f"{FRAME}.ov", shape="diamond", size=130, filled=True, color=colours.optimum),
        mark(
            _place("u", "first"),
            _place("v", "first"),
            shape="circle",
            size=80,
            filled=False,
            stroke=colours.ink,
            strokeWidth=2,
        ),
        mark(
            _place("u"),
            _place("v"),
            shape="circle",
            size=110,
            filled=True,
            color=colours.run,
            stroke=colours.paper,
        ),
    ]
    # the lines slide by half pixels, so that they rest when the slice hardly moves
    slide = [
        _expression(
            "slide_x", "round(2 * width * " + _place("mu") + " / (x1 - x0)) * (x1 - x0) / (2 * width)"
        ),
        _expression(
            "slide_y", "round(2 * height * " + _place("mv") + " / (y1 - y0)) * (y1 - y0) / (2 * height)"
        ),
    ]
    return _finish(
        [_kept("run"), *layers],
        height,
        [_expression("now", NOW), _expression("first", "data('run')[0]"), *slide],
    )


def landscape(run: Run, axes: tuple[int, int], names: Sequence[str], colours: Palette, height: int) -> View:
    """Level lines of the loss over two parameters, the others where the run is, and the path up to this epoch."""
    rows = _rows(run)
    u, v = axes
    theta = run.recording.epoch_theta[rows]
    shown = map_frame(run.curve, run.problem.start, axes)
    lowest = slice_minimum(run.curve, theta, axes)
    levels = level_lines(run.curve, shown, lowest, axes)
    (cx, cy), (hx, hy) = shown.centre, shown.half
    tables = {
        "lines": _table(
            {
                "i": np.arange(len(levels.line), dtype=np.int16),
                "line": levels.line.astype(np.int16),
                "level": levels.level.astype(np.int8),
                "dx": levels.offset[:, 0],
                "dy": levels.offset[:, 1],
            }
        ),
        "run": _placed({"u": theta[:, u], "v": theta[:, v], "mu": lowest[:, 0], "mv": lowest[:, 1]}, shown),
        "path": _path(rows, theta[:, u].numpy() / hx, theta[:, v].numpy() / hy, (hx, hy)),
        "frame": _frame(run, x0=cx - hx, x1=cx + hx, y0=cy - hy, y1=cy + hy, ou=cx, ov=cy),
    }
    text = (
        f"Level lines of the loss over {names[u]} and {names[v]}, other parameters where the run is. "
        "Open circle: start. Diamond: optimum. Small cross: lowest point of this slice. Line and dot: the run. "
        "A click sets the start."
    )
    return View(_map_spec(names[u], names[v], height, colours), tables, text)


@lru_cache(16)
def _parabola_spec(name: str, height: int, colours: Palette) -> dict[str, Any]:
    curve = (
        _from("loss")
        .mark_line(color=colours.line, strokeWidth=2, clip=True)
        .encode(x=_x(name), y=_y("loss"), order="x:Q")
    )
    base = _from("path").transform_calculate(x="datum.u", y="datum.v")
    axes: dict[str, Any] = {"x": "x:Q", "y": "y:Q", "order": "epoch:Q"}
    path = [
        base.transform_filter("datum.epoch <= seen")
        .mark_line(color=colours.run, opacity=0.25, clip=True)
        .encode(**axes),
        base.transform_filter("datum.epoch <= epoch")
        .mark_line(
            color=colours.run,
            strokeWidth=1.5,
            clip=True,
            point=alt.OverlayMarkDef(color=colours.run, size=25),
        )
        .encode(**axes),
    ]

    def mark(x: str, y: str, **style: Any) -> alt.Chart:
        return (
            alt.Chart(alt.sequence(0, 1, 1, as_="u"))
            .transform_calculate(x=x, y=y)
            .mark_point(clip=True, opacity=1, **style)
            .encode(x="x:Q", y="y:Q")
        )

    layers = [
        _kept("run"),
        curve,
        *path,
        mark(f"{FRAME}.ou", f"{FRAME}.ov", shape="diamond", size=130, filled=True, color=colours.optimum),
        mark(
            "first.u", "first.loss", shape="circle", size=80, filled=False, stroke=colours.ink, strokeWidth=2
        ),
        mark(
            "now.u",
            "now.loss",
            shape="circle",
            size=110,
            filled=True,
            color=colours.run,
            stroke=colours.paper,
        ),
    ]
    return _finish(layers, height, [_expression("now", NOW), _expression("first", "data('run')[0]")])


def parabola(run: Run, name: str, colours: Palette, height: int) -> View:
    """One parameter: the loss as a curve, and the run jumping along it."""
    rows = _rows(run)
    shown = map_frame(run.curve, run.problem.start, (0, 0))
    centre, half = shown.centre[0], shown.half[0]
    x = np.linspace(centre - half, centre + half, 121)
    rise = 0.5 * run.curve.largest * (x - centre) ** 2
    top = run.curve.floor_loss + float(rise.max())
    u, loss = run.recording.epoch_theta[rows, 0].numpy(), run.recording.epoch_loss.numpy()[rows]
    tables = {
        "loss": _table({"x": x, "y": run.curve.floor_loss + rise}),
        "run": _table({"epoch": rows, "u": u, "loss": loss}),
        "path": _path(rows, u / half, loss / top, (half, top)),
        "frame": _frame(
            run,
            x0=centre - half,
            x1=centre + half,
            y0=-0.06 * top,
            y1=1.05 * top,
            ou=centre,
            ov=run.curve.floor_loss,
        ),
    }
    text = (
        f"The loss as a curve over {name}. Open circle: start. Diamond: optimum. Line and dot: the run. "
        "A click sets the start."
    )
    return View(_parabola_spec(name, height, colours), tables, text)


def _placed(columns: Mapping[str, Tensor], shown: Frame) -> pa.Table:
    """Positions on the map in 16 bits: steps of a thirtieth of a pixel, up to STEPS_OUT half-widths off the map.

    A position farther out is drawn there, which is out of sight; the numbers beside the map are exact.
    """
    places = {}
    for name, values in columns.items():
        axis = 0 if name.endswith("u") else 1
        share = (values.numpy() - shown.centre[axis]) / shown.half[axis]
        places[name] = np.round(np.clip(share, -STEPS_OUT, STEPS_OUT) * (32767 / STEPS_OUT)).astype(np.int16)
    return pa.table(places)


def _place(column: str, row: str = "now") -> str:
    """The position behind a 16-bit column of a row of the table `run`, as a Vega expression."""
    axis = "x" if column.endswith("u") else "y"
    return f"(({axis}0 + {axis}1) / 2 + ({axis}1 - {axis}0) / 2 * {row}.{column} * {STEPS_OUT} / 32767)"


def _path(rows: np.ndarray, x: np.ndarray, y: np.ndarray, units: tuple[float, float]) -> pa.Table:
    """A path on the map, thinned. x and y are shares of its half-width and half-height, `units` what 1 is."""
    keep = _told_apart(np.column_stack([x, y]))
    return _table({"epoch": rows[keep], "u": x[keep] * units[0], "v": y[keep] * units[1]})


def _log_path(rows: np.ndarray, columns: Mapping[str, np.ndarray]) -> pa.Table:
    """Lines by epoch on a logarithmic axis, thinned together."""
    logs = [np.log(values) for values in columns.values()]
    span = max(max(log.max() for log in logs) - min(log.min() for log in logs), 1e-9)
    places = np.column_stack([2 * rows / max(rows[-1], 1), *(2 * log / span for log in logs)])
    keep = _told_apart(places)
    return _table({"epoch": rows[keep]} | {name: values[keep] for name, values in columns.items()})


def _told_apart(places: np.ndarray) -> list[int]:
    """Rows of a line that are far enough from the last drawn one to be seen apart, and both ends.

    Args:
        places: One row a point; 2 is the chart's whole side.
    """
    keep = [0]
    for i in range(1, len(places)):
        if np.abs(places[i] - places[keep[-1]]).max() >= PATH_STEP:
            keep.append(i)
    return keep if keep[-1] == len(places) - 1 else [*keep, len(places) - 1]


# ── tabs ────────────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(32)
def _trace_spec(x_title: str, y_title: str, log: bool, height: int, colours: Palette) -> dict[str, Any]:
    x_axis = alt.X(
        "x:Q", scale=alt.Scale(domain=_ends("x"), nice=False), axis=alt.Axis(title=x_title, tickCount=4)
    )
    y_axis = _log(y_title) if log else _y(y_title)
    base = _from("run").transform_calculate(order="datum.epoch")
    path = [
        base.transform_filter("datum.epoch <= seen").mark_line(color=colours.run, opacity=0.25, clip=True),
        base.transform_filter("datum.epoch <= epoch").mark_line(color=colours.run, strokeWidth=2, clip=True),
        base.transform_filter(f"datum.epoch <= epoch && datum.epoch % {FRAME}.every == 0").mark_point(
            shape="cross", filled=True, size=45, color=colours.run, clip=True, opacity=1
        ),
    ]
    layers = [layer.encode(x=x_axis, y=y_axis, order="order:Q") for layer in path]
    head = (
        alt.Chart(alt.sequence(0, 1, 1, as_="u"))
        .transform_calculate(x="now.x", y="now.y")
        .mark_point(filled=True, size=90, color=colours.run, stroke=colours.paper, opacity=1, clip=True)
        .encode(x="x:Q", y="y:Q")
    )
    optimum = (
        _from("frame")
        .transform_filter("isValid(datum.optimum)")
        .transform_calculate(x="datum.optimum")
        .mark_rule(color=colours.optimum, strokeDash=[7, 4], strokeWidth=1.5)
    )
    optimum = optimum.encode(y="x:Q") if x_title == "epoch" else optimum.encode(x="x:Q")
    return _finish([*layers, optimum, head], height, [_expression("now", NOW)])


def trace(run: Run, parameter: int, name: str, against: str, colours: Palette, height: int) -> View:
    """One parameter against the loss, as the two-feature article drew it, or by epoch. A cross every tenth of the run.

    Args:
        run: What is drawn.
        parameter: Its number in θ.
        name: Its name.
        against: "loss" or "epoch".
        colours: The theme's colours.
        height: In pixels.
    """
    rows = _rows(run)
    value = run.problem.raw(run.recording.epoch_theta[rows])[:, parameter].numpy()
    loss = run.recording.epoch_loss.numpy()[rows]
    by_epoch = against == "epoch"
    x, y = (rows, value) if by_epoch else (value, np.maximum(loss, ZERO * max(loss[0], 1e-300)))
    optimum = float(run.problem.raw(run.curve.optimum)[parameter])
    x0, x1 = (0, _last_epoch(run)) if by_epoch else _padded(np.append(value, optimum), 0.06)
    y0, y1 = _padded(np.append(value, optimum), 0.06) if by_epoch else (y.min() / 1.3, y.max() * 1.3)
    stride = stride_of(run.experiment.total_epochs)
    every = max(1, round(run.experiment.total_epochs / 10 / stride)) * stride
    tables = {
        "run": _table({"epoch": rows, "x": x, "y": y}),
        "frame": _frame(run, x0=x0, x1=x1, y0=y0, y1=y1, optimum=optimum, every=every),
    }
    titles = ("epoch", name) if by_epoch else (name, "loss")
    text = f"{titles[1]} over {titles[0]}; the optimum dashed; a cross every {every:,} epochs."
    return View(_trace_spec(*titles, not by_epoch, height, colours), tables, text)


@lru_cache(16)
def _gap_spec(directions: int, height: int, colours: Palette) -> dict[str, Any]:
    names = [f"direction {i + 1}" for i in range(directions)]
    dashes = [[1, 0], [8, 3], [2, 3], [8, 3, 2, 3]]
    shades = [colours.optimum, colours.data, colours.run, colours.start]
    epoch_axis = alt.X(
        "x:Q",
        scale=alt.Scale(domain=_ends("x"), nice=False),
        axis=alt.Axis(title="epoch", labelExpr=EPOCH_LABEL, tickMinStep=1),
    )
    entries = ["whole gap", *names]
    styles = {
        name: (colour, dash)
        for name, colour, dash in zip(
            entries, [colours.ink, *(shades * directions)], [[1, 0], *(dashes * directions)], strict=False
        )
    }
    columns = dict(zip(["whole", *(f"g{i}" for i in range(directions))], entries, strict=True))
    axes: dict[str, Any] = {"x": epoch_axis, "y": _log("gap to the optimum, L − L*"), "order": "x:Q"}
    layers: list[Any] = []
    for column, name in columns.items():
        base = _from("path").transform_calculate(x="datum.epoch", y=f"datum.{column}", name=f"'{name}'")
        for shown, style in (
            ("seen", {"opacity": 0.3}),
            ("epoch", {"strokeWidth": 1.2 if column == "whole" else 2.5}),
        ):
            line = base.transform_filter(f"datum.epoch <= {shown}").mark_line(clip=True, **style)
            layers.append(line.encode(**axes, **_named(styles)))
    layers += _level("zero", colours.start, [2, 3], "'zero to rounding'")
    return _finish(layers, height)


def gap(run: Run, colours: Palette, height: int) -> View:
    """The gap to the optimum by epoch, split along the Hessian's eigenvectors; direction 1 is the flattest."""
    rows = _rows(run)
    parts = run.curve.gap(run.recording.epoch_theta[rows]).numpy()
    whole = parts.sum(1)
    zero = ZERO * max(whole[0], 1e-300)
    columns = {"whole": whole} | {f"g{i}": parts[:, i] for i in range(parts.shape[1])}
    drawn = {name: np.maximum(values, zero) for name, values in columns.items()}
    low = min(values.min() for values in drawn.values())
    tables = {
        "path": _log_path(rows, drawn),
        "frame": _frame(
            run,
            x0=0,
            x1=_last_epoch(run),
            y0=low / 2,
            y1=max(values.max() for values in drawn.values()) * 2,
            zero=zero if low <= zero else np.nan,
        ),
    }
    text = "Gap to the lowest loss by epoch on a logarithmic axis, whole and along each eigenvector of the Hessian."
    return View(_gap_spec(parts.shape[1], height, colours), tables, text)


@lru_cache(16)
def _panel_spec(x_title: str, y_title: str, height: int, colours: Palette) -> dict[str, Any]:
    axes: dict[str, Any] = {"x": _x(x_title, tickCount=3), "y": _y(y_title, tickCount=4)}
    data = _from("points").mark_circle(size=22, color=colours.data).encode(**axes)
    fitted = (
        _from("points")
        .transform_calculate(y="datum.fitted")
        .mark_point(shape="cross", size=26, filled=True, color=colours.run, clip=True, opacity=1)
        .encode(**axes)
    )
    return _finish([data, fitted], height)


def panel(run: Run, epoch: int, colours: Palette, height: int) -> View:
    """One of the article's small panels: data as dots and predictions as crosses at one epoch."""
    dataset = run.problem.dataset
    y = dataset.y[:, 0].numpy()
    fitted = run.problem.objective.predict(run.recording.epoch_theta[epoch]).numpy()
    several = dataset.x.shape[1] > 1
    x = y if several else dataset.x[:, 0].numpy()
    x0, x1 = _padded(x, 0.05)
    y0, y1 = (x0, x1) if several else _padded(np.append(y, 0.0), 0.45)
    tables = {
        "points": _points({"x": x, "y": y, "fitted": fitted}),
        "frame": _frame(run, x0=x0, x1=x1, y0=y0, y1=y1),
    }
    titles = (
        (f"actual {dataset.target_name}", "predicted")
        if several
        else (dataset.feature_names[0], dataset.target_name)
    )
    text = f"Epoch {epoch}: data as dots and predictions as crosses, {titles[1]} over {titles[0]}."
    return View(_panel_spec(*titles, height, colours), tables, text)
