"""The loss over two parameters as a map with the run's path, or over one as a curve."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from gd_core.landscape import (
    LevelLines,
    Window,
    level_lines,
    lines_on,
    losses_on,
    rests,
    slice_minimum,
    sliced_at,
    window,
)
from gd_core.starts import Ends
from pages.ui.charts import averages, preview, starts
from pages.ui.charts.elements import (
    FIRST,
    FRAME,
    NOW,
    NUMBER_LABEL,
    answered,
    dot,
    expression,
    finish,
    head_at,
    kept,
    rows_from,
    trail,
    x_axis_of,
    y_axis_of,
)
from pages.ui.charts.ghosts import (
    Ghost,
    columns_of_places,
    crosses,
    map_heads,
    still,
    tables_of_places,
    told,
    widened,
)
from pages.ui.charts.model import Run, View, arrow, column_of, frame_table, rows_of, table, told_apart
from pages.ui.look.palette import Palette

LABEL = NUMBER_LABEL.replace("1e6", "1e4")  # a map that grows has little room beside it
ROOM = 1.15  # of a map around a run that leaves it
ZOOM = f"({NOW}.zoom || 1)"  # how many times as much a map shows now as it did at first
ZOOMED = {  # its ends
    f"{axis}{end}": f"({FRAME}.{axis}0 + {FRAME}.{axis}1) / 2 {sign} {ZOOM} * ({FRAME}.{axis}1 - {FRAME}.{axis}0) / 2"
    for axis in "xy"
    for end, sign in (("0", "-"), ("1", "+"))
}
RINGS = "pow(2, ceil(log(" + ZOOM + ") / LN2))"  # see `rings_at`
STEPS_OUT = 4  # half-widths around the map's centre in which positions are told apart


@lru_cache(32)
def _map_spec(
    x_name: str,
    y_name: str,
    height: int,
    colours: Palette,
    ghosts: bool = False,
    directions: int = 0,
    averaged: bool = False,
    ends: bool = False,
) -> dict[str, Any]:
    axes = {"x": x_axis_of(x_name, labelExpr=LABEL), "y": y_axis_of(y_name, labelExpr=LABEL)}
    lines = (
        rows_from("lines")
        .transform_calculate(  # between two lines of a level there is no place
            x="isValid(datum.dx) ? datum.dx * rings + slide_x : NaN", y="datum.dy * rings + slide_y"
        )
        .mark_line(clip=True, strokeWidth=1.2)
        .encode(
            **axes,
            detail="line:N",
            order="i:Q",
            color=alt.Color(
                "level:Q",
                scale=alt.Scale(range=[colours.line, colours.line_high]),
                legend=None,
            ),
        )
    )
    path = trail(
        rows_from("path").transform_calculate(x="datum.u", y="datum.v"),
        {"x": "x:Q", "y": "y:Q", "order": "epoch:Q"},
        colour=colours.run,
    )
    still, moving = _pinned(colours) if ghosts else ((), ())
    means = rows_from("means").transform_calculate(x="datum.u", y="datum.v")
    layers = [
        *([starts.areas(axes["x"], axes["y"], colours)] if ends else ()),
        lines,
        *([starts.letters(colours)] if ends else ()),
        *([preview.path_layer(directions, colours)] if directions else []),
        *still,
        *path,
        *([averages.line(means, {"x": "x:Q", "y": "y:Q", "order": "epoch:Q"}, colours)] if averaged else []),
        dot(
            _place("mu"),
            _place("mv"),
            f"{FRAME}.slides",
            shape="cross",
            size=45,
            filled=True,
            color=colours.start,
        ),
        _optimum(colours, "answered"),
        _start(_place("u", "first"), _place("v", "first"), colours),
        *moving,
        head_at(_place("u"), _place("v"), colours),
        *([averages.head(_place("au"), _place("av"), colours)] if averaged else []),
    ]
    # the lines slide by half pixels, so that they rest when the slice hardly moves
    slide = [
        expression(
            "slide_x", "round(2 * width * " + _place("mu") + " / (x1 - x0)) * (x1 - x0) / (2 * width)"
        ),
        expression(
            "slide_y", "round(2 * height * " + _place("mv") + " / (y1 - y0)) * (y1 - y0) / (2 * height)"
        ),
    ]
    return finish(
        [kept("run"), *layers],
        height,
        [
            expression("now", NOW),
            expression("first", FIRST),
            answered(),
            expression("rings", RINGS),
            *slide,
            *([preview.parameter()] if directions else []),
        ],
        ZOOMED,
    )


def zooms(run: Run, shown: Window, axes: Sequence[int]) -> np.ndarray | None:
    """How many times as much of the loss a map shows at each epoch, [E + 1]; None where a run stays on it.

    It grows with the way that the run has gone, so that a run that swings wider and wider is seen to its end.
    """
    theta = run.recording.epoch_theta[:, list(axes)].numpy()
    away = (np.abs(theta - shown.centre[: len(axes)]) / shown.half[: len(axes)]).max(1)
    return None if away.max() <= 1 else np.maximum(1.0, ROOM * np.maximum.accumulate(away))


def landscape(
    run: Run,
    axes: tuple[int, int],
    names: Sequence[str],
    colours: Palette,
    height: int,
    answer_from: float = 0,
    ghosts: Sequence[Ghost] = (),
) -> View:
    """Level lines of the loss over two parameters, the others where the run is, and the path up to this epoch.

    From `answer_from` on the optimum is marked.

    Pinned runs are drawn where their two parameters are, with their whole path.
    """
    rows = rows_of(run)
    u, v = axes
    theta = run.recording.epoch_theta[rows]
    shown = window(run.curvature, run.problem.start, axes)
    lowest = slice_minimum(run.curvature, theta, axes)
    zoomed = None if ghosts else zooms(run, shown, axes)  # a pinned run ends at the border of the map
    levels = level_lines(run.curvature, shown, lowest, axes, None if zoomed is None else zoomed[rows])
    (cx, cy), (hx, hy) = shown.centre, shown.half
    averaged = averages.is_averaged(run)
    means = averages.points_of(run, rows)[:, [u, v]] if averaged else theta[:0, [u, v]]
    along_u, along_v = (means.numpy() / (hx, hy)).T
    directions = preview.directions(run)
    coming = preview.columns_of_path(run, axes) if directions else {}
    tables = {
        "lines": _lines(levels),
        "run": widened(
            _zooming(
                _placed(
                    {"u": theta[:, u], "v": theta[:, v], "mu": lowest[:, 0], "mv": lowest[:, 1]}
                    | ({"au": means[:, 0], "av": means[:, 1]} if averaged else {}),
                    shown,
                    anywhere=zoomed is not None,
                ),
                zoomed,
                rows,
            ),
            columns_of_places(ghosts, rows, axes),
        ),
        "path": _path(rows, theta[:, u].numpy() / hx, theta[:, v].numpy() / hy, (hx, hy)),
        **({"means": _path(rows, along_u, along_v, (hx, hy))} if averaged else {}),
        "frame": frame_table(
            run,
            x0=cx - hx,
            x1=cx + hx,
            y0=cy - hy,
            y1=cy + hy,
            ou=cx,
            ov=cy,
            answer_from=answer_from,
            slides=not rests(run.curvature, axes),
            **coming,
        ),
        **(tables_of_places(ghosts, axes, (cx, cy), (hx, hy)) if ghosts else {}),
    }
    text = (
        f"Level lines of the loss over {names[u]} and {names[v]}, other parameters where the run is. "
        "Open circle: start. Diamond, after a run: optimum. Small cross: lowest point of this slice. Line and dot: the run. "
        "A click sets the start."
    )
    text += averages.TEXT if averaged else ""
    spec = _map_spec(names[u], names[v], height, colours, bool(ghosts), directions, averaged)
    return View(spec, tables, text + told(ghosts))


def of_a_slice(names: Sequence[str], at_start: bool = False) -> str:
    """What a map leaves out that stands still, of more parameters than it shows."""
    where = "at the start" if at_start else "where the run is last"
    return f", a slice: the other parameters as {where}" if len(names) > 2 else ""


def terrain(
    run: Run,
    shown: Window,
    axes: tuple[int, int],
    names: Sequence[str],
    colours: Palette,
    height: int,
    answer_from: float | None = None,
    ghosts: Sequence[Ghost] = (),
    ends: Ends | None = None,
) -> View:
    """The same of a loss that is no parabola: it stands still.

    With `answer_from` its lowest point is in the middle; of one with several valleys nobody knows it. With
    `ends`, over the ground of where starts end, and as a slice through these.
    """
    rows, lowest = rows_of(run), answer_from is not None
    theta = run.recording.epoch_theta[rows][:, list(axes)]
    through = run.problem.start if ends else sliced_at(run.recording)
    (cx, cy), (hx, hy) = shown.centre, shown.half
    middle = torch.tensor(shown.centre, dtype=theta.dtype).expand(len(theta), 2)
    places = {"u": theta[:, 0], "v": theta[:, 1], "mu": middle[:, 0], "mv": middle[:, 1]}
    tables = {
        "lines": _lines(_one_a_level(lines_on(losses_on(run.problem.objective, shown, through, axes), shown))),
        "run": widened(_placed(places, shown), columns_of_places(ghosts, rows, axes)),
        "path": _path(rows, theta[:, 0].numpy() / hx, theta[:, 1].numpy() / hy, (hx, hy)),
        "frame": frame_table(
            run, x0=cx - hx, x1=cx + hx, y0=cy - hy, y1=cy + hy, ou=cx if lowest else np.nan, ov=cy if lowest else np.nan,
            answer_from=answer_from or 0, slides=False,
        ),
        **(tables_of_places(ghosts, axes, (cx, cy), (hx, hy)) if ghosts else {}),
        **(starts.tables_of(ends) if ends else {}),
    }  # fmt: skip
    u, v = (names[axis] for axis in axes)
    valleys = "" if lowest else ", which has several valleys"
    text = (
        f"Level lines of the loss over {u} and {v}{valleys}{of_a_slice(names, ends is not None)}. "
        f"{starts.TEXT if ends else ''}Open circle: start. {'Diamond, after a run: lowest point. ' if lowest else ''}"
        "Line and dot: the run. A click sets the start."
    )
    spec = _map_spec(u, v, height, colours, bool(ghosts), ends=ends is not None)
    return View(spec, tables, text + told(ghosts))


def _one_a_level(levels: LevelLines) -> LevelLines:
    """The same, all lines of a level as one that is broken between them: each costs a browser seven elements."""
    ends = np.flatnonzero(np.diff(levels.line)) + 1
    level = np.insert(levels.level, ends, levels.level[ends - 1])
    return replace(levels, line=level, level=level, offset=np.insert(levels.offset, ends, np.nan, axis=0))


def _lines(levels: LevelLines) -> pa.Table:
    return table(
        {
            "i": np.arange(len(levels.line), dtype=np.int16),
            "line": levels.line.astype(np.int16),
            "level": levels.level.astype(np.int8),
            "dx": levels.offset[:, 0],
            "dy": levels.offset[:, 1],
        }
    )


@lru_cache(16)
def _parabola_spec(
    name: str, height: int, colours: Palette, ghosts: bool = False, averaged: bool = False
) -> dict[str, Any]:
    curve = (
        rows_from("loss")
        .transform_calculate(
            x=f"{FRAME}.ou + {ZOOM} * (datum.u - {FRAME}.ou)",
            y=f"{FRAME}.ov + {ZOOM} * {ZOOM} * (datum.v - {FRAME}.ov)",
        )
        .mark_line(color=colours.line, strokeWidth=2, clip=True)
        .encode(
            x=x_axis_of(name, labelExpr=LABEL),
            y=y_axis_of("loss", labelExpr=LABEL),
            order="x:Q",
        )
    )
    path = trail(
        rows_from("path").transform_calculate(x="datum.u", y="datum.v"),
        {"x": "x:Q", "y": "y:Q", "order": "epoch:Q"},
        colour=colours.run,
        width=1.5,
        points=True,
    )
    still, moving = _pinned(colours) if ghosts else ((), ())
    layers = [
        kept("run"),
        curve,
        *still,
        *path,
        _optimum(colours, "answered"),
        _start("first.u", "first.loss", colours),
        *moving,
        head_at("now.u", "now.loss", colours),
        *([averages.head("now.au", "now.av", colours)] if averaged else []),
    ]
    ends = {end: f"{ZOOM} * {ZOOM} * {FRAME}.{end}" for end in ("y0", "y1")}
    ends |= {end: ZOOMED[end] for end in ("x0", "x1")}
    return finish(layers, height, [expression("now", NOW), expression("first", FIRST), answered()], ends)


def parabola(
    run: Run, name: str, colours: Palette, height: int, answer_from: float = 0, ghosts: Sequence[Ghost] = ()
) -> View:
    """One parameter: the loss as a curve, and the run jumping along it."""
    rows = rows_of(run)
    shown = window(run.curvature, run.problem.start, (0, 0))
    centre, half = shown.centre[0], shown.half[0]
    x = np.linspace(centre - half, centre + half, 121)
    rise = 0.5 * run.curvature.largest * (x - centre) ** 2
    top = run.curvature.floor_loss + float(rise.max())
    u, loss = run.recording.epoch_theta[rows, 0].numpy(), run.recording.epoch_loss.numpy()[rows]
    averaged = averages.is_averaged(run)
    columns = {"epoch": rows, "u": u, "loss": loss}
    if averaged:
        mean = averages.points_of(run, rows)
        columns |= {
            "au": mean[:, 0].numpy(),
            "av": run.curvature.floor_loss + run.curvature.gap(mean).sum(1).numpy(),
        }
    tables = {
        "loss": table({"u": x, "v": run.curvature.floor_loss + rise}),
        "run": _zooming(
            table(columns | columns_of_places(ghosts, rows, (0, 0))),
            None if ghosts else zooms(run, shown, (0,)),
            rows,
        ),
        "path": _path(rows, u / half, loss / top, (half, top)),
        "frame": frame_table(
            run,
            x0=centre - half,
            x1=centre + half,
            y0=-0.06 * top,
            y1=1.05 * top,
            ou=centre,
            ov=run.curvature.floor_loss,
            answer_from=answer_from,
        ),
        **(tables_of_places(ghosts, (0, 0), (centre, 0.495 * top), (half, 0.555 * top)) if ghosts else {}),
    }
    text = (
        f"The loss as a curve over {name}. Open circle: start. Diamond, after a run: optimum. Line and dot: the run. "
        "A click sets the start."
    )
    text += averages.TEXT if averaged else ""
    return View(_parabola_spec(name, height, colours, bool(ghosts), averaged), tables, text + told(ghosts))


def _pinned(colours: Palette) -> tuple[list[alt.Chart], list[alt.Chart]]:
    """Layers of pinned runs under the run's own path, and above it."""
    return still(colours), [crosses(colours), map_heads(colours)]


def _optimum(colours: Palette, when: str = "") -> alt.Chart:
    return dot(
        f"{FRAME}.ou", f"{FRAME}.ov", when, shape="diamond", size=130, filled=True, color=colours.optimum
    )


def _start(x: str, y: str, colours: Palette) -> alt.Chart:
    return dot(x, y, shape="circle", size=80, filled=False, stroke=colours.ink, strokeWidth=2)


def _placed(columns: Mapping[str, Tensor], shown: Window, *, anywhere: bool = False) -> pa.Table:
    """Positions on the map in 16 bits: steps of a thirtieth of a pixel, up to STEPS_OUT half-widths off the map.

    A position farther out is drawn there, which is out of sight; the numbers beside the map are exact. On a map that
    follows its run they may be `anywhere`, and take 32 bits.
    """
    places = {}
    for name, values in columns.items():
        axis = 0 if name.endswith("u") else 1
        share = (values.numpy() - shown.centre[axis]) / shown.half[axis]
        if anywhere:
            places[name] = np.clip(share * (32767 / STEPS_OUT), -3e38, 3e38).astype(np.float32)
            continue
        places[name] = np.round(np.clip(share, -STEPS_OUT, STEPS_OUT) * (32767 / STEPS_OUT)).astype(np.int16)
    return arrow(places)


def _zooming(places: pa.Table, zoomed: np.ndarray | None, rows: np.ndarray) -> pa.Table:
    """The table `run` with how much the map shows, of a run that leaves it."""
    if zoomed is None:
        return places
    return places.append_column("zoom", column_of(np.clip(zoomed[rows], 1, 3e38).astype(np.float32)))


def _place(column: str, row: str = "now") -> str:
    """The position behind a column of a row of the table `run`, as a Vega expression."""
    low, high = (f"{FRAME}.{'x' if column.endswith('u') else 'y'}{end}" for end in "01")
    return f"(({low} + {high}) / 2 + ({high} - {low}) / 2 * {row}.{column} * {STEPS_OUT} / 32767)"


def _path(rows: np.ndarray, x: np.ndarray, y: np.ndarray, units: tuple[float, float]) -> pa.Table:
    """A path on the map, thinned. x and y are shares of its half-width and half-height, `units` what 1 is."""
    keep = told_apart(np.column_stack([x, y]))
    return table({"epoch": rows[keep], "u": x[keep] * units[0], "v": y[keep] * units[1]})
