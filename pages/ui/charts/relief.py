"""The loss over two parameters in relief: the bowl as a net, seen from a side that can be turned, with the run on it.

The chart is what is taken along: the net is projected within it, as Vega's expressions, so that the picture is saved as every
other one. On the page its tables are drawn by `pages/ui/player/relief.js`. It has no shading: one sees through it, to the level
lines below.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pyarrow as pa

from gd_core.landscape import (
    LevelLines,
    Window,
    level_lines,
    lines_on,
    losses_on,
    slice_minimum,
    sliced_at,
    window,
)
from gd_core.objective import LinearObjective
from pages.ui.charts.elements import (
    FRAME,
    NOW,
    PLACE_LABEL,
    Rows,
    answered,
    dot,
    expression,
    finish,
    kept,
    one_row,
    rows_from,
    trail,
)
from pages.ui.charts.loss_map import ZOOM, of_a_slice, zooms
from pages.ui.charts.model import NEVER, Run, View, frame_table, rows_of, table, told_apart
from pages.ui.look.palette import Palette

KNOTS = 41  # of the net, along each side
FLOOR = -0.55  # where the level lines lie, with the height of the box as 1
SEEN = 1.62  # half of what is seen, with half the side of the box as 1
STRETCHED = 1.3  # how many times as long to the right as up a way is drawn, at most
TURN, TILT = 30, 30  # degrees, at first
RAISED = 1.25  # the box's height, with half its side as 1


def _turned(u: str, v: str) -> str:
    """How far to the right a place of the box is seen; u and v reach from −1 to 1."""
    return f"({u}) * turned_x + ({v}) * turned_y"


def _raised(u: str, v: str, height: str) -> str:
    """How far up it is seen, from a side and from above at once."""
    return f"(({v}) * turned_x - ({u}) * turned_y) * from_above + {RAISED} * (({height}) - 0.3) * from_aside"


def _seen(u: str, v: str, height: str) -> dict[str, str]:
    return {"x": _turned(u, v), "y": _raised(u, v, height)}


def _x() -> alt.X:
    return alt.X("x:Q", scale=alt.Scale(domain=[alt.ExprRef("x0"), alt.ExprRef("x1")], nice=False), axis=None)


def _y() -> alt.Y:
    return alt.Y("y:Q", scale=alt.Scale(domain=[alt.ExprRef("y0"), alt.ExprRef("y1")], nice=False), axis=None)


def _net(colour: str, *, terrain: bool, along_u: bool) -> alt.Chart:
    """Every other line along one side of the box, over a parabola, or as the table `net` has it; what is higher than the box is left out."""
    made = alt.SequenceParams(start=0, stop=KNOTS * KNOTS, step=1, **{"as": "n"})
    parabola = (
        f"low + steep * ({FRAME}.uu * pow(datum.u - low_u, 2) + {FRAME}.vv * pow(datum.v - low_v, 2)"
        f" + {FRAME}.uv * (datum.u - low_u) * (datum.v - low_v))"
    )
    i, j = f"datum.n % {KNOTS}", f"floor(datum.n / {KNOTS})"
    return (
        (rows_from("net") if terrain else Rows(alt.SequenceGenerator(sequence=made)))
        .transform_calculate(line=j if along_u else i)
        .transform_filter("datum.line % 2 == 0")
        .transform_calculate(u=f"{i} * 2 / {KNOTS - 1} - 1", v=f"{j} * 2 / {KNOTS - 1} - 1")
        .transform_calculate(h="datum.loss / now.top" if terrain else parabola)
        .transform_calculate(h="datum.h <= 1 ? datum.h : NaN")
        .transform_calculate(**_seen("datum.u", "datum.v", "datum.h"))
        .mark_line(strokeWidth=0.8, color=colour, invalid="break-paths-filter-domains")
        .encode(x=_x(), y=_y(), detail="line:N", order=alt.Order("n:Q"))
    )  # fmt: skip


def _box(colour: str) -> alt.Chart:
    """The four sides of the box's floor."""
    corner = "indexof([1, 2], datum.n % 4) >= 0 ? 1 : -1"
    made = alt.SequenceParams(start=0, stop=5, step=1, **{"as": "n"})
    return (
        Rows(alt.SequenceGenerator(sequence=made))
        .transform_calculate(u=corner, v="datum.n % 4 >= 2 ? 1 : -1")
        .transform_calculate(**_seen("datum.u", "datum.v", str(FLOOR)))
        .mark_line(strokeWidth=1, color=colour)
        .encode(x=_x(), y=_y(), order=alt.Order("n:Q"))
    )


def _words(x_name: str, y_name: str, colours: Palette) -> list[alt.Chart]:
    """The two sides that are nearest to who looks, with the name and both ends of the axis on each."""
    layers = []
    for name, low, high, along_u in ((x_name, "u0", "u1", True), (y_name, "v0", "v1", False)):
        near = "(turned_x > 0 ? -1 : 1)" if along_u else "(turned_y > 0 ? 1 : -1)"
        for share, label in (
            (-0.86, f"{FRAME}.{low}"),
            (0, None),
            (0.86, f"{FRAME}.{high}"),
        ):
            out = f"1.14 * {near}" if label else f"1.3 * {near}"
            u, v = (str(share), out) if along_u else (out, str(share))
            row = one_row().transform_calculate(**_seen(u, v, str(FLOOR)))
            if label:
                centre = f"({FRAME}.{low} + {FRAME}.{high}) / 2"
                row = row.transform_calculate(number=f"{centre} + {ZOOM} * ({label} - {centre})")
                row = row.transform_calculate(label=PLACE_LABEL)
            else:
                row = row.transform_calculate(label=f"'{name}'")
            size = 10 if label else 12
            text = row.mark_text(fontSize=size, color=colours.ink, opacity=0.75 if label else 1)
            layers.append(text.encode(x=_x(), y=_y(), text="label:N"))
    return layers


@lru_cache(16)
def _spec(
    x_name: str, y_name: str, height: int, colours: Palette, *, terrain: bool = False
) -> dict[str, Any]:
    place = {"x": _x(), "y": _y()}
    lines = (
        rows_from("lines")
        .transform_calculate(u="datum.du + low_u", v="datum.dv + low_v")
        .transform_filter("abs(datum.u) <= 1 && abs(datum.v) <= 1")
        .transform_calculate(**_seen("datum.u", "datum.v", str(FLOOR)))
        .mark_line(strokeWidth=1, clip=True)
        .encode(
            **place, detail="part:N", order=alt.Order("i:Q"),
            color=alt.Color("level:Q", scale=alt.Scale(range=[colours.line, colours.line_high]), legend=None),
        )
    )  # fmt: skip
    walked = rows_from("path").transform_calculate(u=f"datum.u / {ZOOM}", v=f"datum.v / {ZOOM}")
    along = {**place, "order": alt.Order("epoch:Q")}
    on_net = walked.transform_calculate(h="datum.h / now.top").transform_calculate(
        **_seen("datum.u", "datum.v", "datum.h")
    )
    below = walked.transform_calculate(**_seen("datum.u", "datum.v", str(FLOOR)))
    here = (f"now.u / {ZOOM}", f"now.v / {ZOOM}")
    plumb = (
        one_row()
        .transform_calculate(
            x=_turned(*here), y=_raised(*here, "now.h / now.top"), y2=_raised(*here, str(FLOOR))
        )
        .mark_rule(color=colours.run, strokeDash=[2, 3])
        .encode(**place, y2="y2:Q")
    )
    head = dot(
        _turned(*here), _raised(*here, "now.h / now.top"),
        shape="circle", size=110, filled=True, color=colours.run, stroke=colours.paper,
    ).encode(**place)  # fmt: skip
    optimum = _seen("0", "0", "0")
    lowest = dot(
        optimum["x"], optimum["y"], "answered", shape="diamond", size=130, filled=True, color=colours.optimum
    ).encode(**place)
    layers = [
        kept("run"),
        _box(colours.line),
        lines,
        *trail(below, along, colour=colours.run, width=1.2),
        *(_net(colours.line, terrain=terrain, along_u=one) for one in (True, False)),
        lowest,
        plumb,
        *trail(on_net, along, colour=colours.run),
        head,
        *_words(x_name, y_name, colours),
    ]
    views = [
        alt.param(name=name, value=value, bind=alt.binding_range(min=low, max=high, step=1, name=name))
        for name, value, low, high in (("turn", TURN, -180, 180), ("tilt", TILT, 0, 90))
    ]
    parameters = [
        expression("now", NOW),
        answered(),
        *views,
        expression("turned_x", "cos(turn * PI / 180)"),
        expression("turned_y", "sin(turn * PI / 180)"),
        expression("from_above", "sin(tilt * PI / 180)"),
        expression("from_aside", "cos(tilt * PI / 180)"),
        # by steps too small to be seen, so that the net rests when the slice hardly moves
        expression("low_u", f"round(512 * now.mu / {ZOOM}) / 512"),
        expression("low_v", f"round(512 * now.mv / {ZOOM}) / 512"),
        expression("steep", f"{ZOOM} * {ZOOM} / now.top"),
        expression("low", "round(512 * now.low / now.top) / 512"),
    ]
    across = f"({SEEN} * max(1, width / height / {STRETCHED}))"
    down = f"({SEEN} * max(1, height / width))"
    ends = {"x0": f"-{across}", "x1": across, "y0": f"-{down}", "y1": down}  # fmt: skip
    return finish(layers, height, parameters, ends)


def relief(
    run: Run,
    axes: tuple[int, int],
    names: Sequence[str],
    colours: Palette,
    height: int,
    answer_from: float = 0,
) -> View:
    """The loss over two parameters as a net, the others where the run is, level lines below it and the run on it.

    Up is the loss above its lowest, in equal steps. The box is as high as the highest loss of the run so far.
    """
    rows = rows_of(run)
    u, v = axes
    curvature, theta = run.curvature, run.recording.epoch_theta[rows]
    shown = window(curvature, run.problem.start, axes)
    centre, half = np.array(shown.centre), np.array(shown.half)
    zoomed = zooms(run, shown, axes)
    lowest = slice_minimum(curvature, theta, axes).numpy()
    form = curvature.hessian[[u, v]][:, [u, v]].numpy() * np.outer(half, half)
    placed, slid = (theta[:, [u, v]].numpy() - centre) / half, (lowest - centre) / half
    gap = np.minimum(curvature.gap(theta).sum(-1).numpy(), 3e38)
    away = placed - slid
    low = np.maximum(gap - 0.5 * np.einsum("ki,ij,kj->k", away, form, away), 0.0)
    top = np.maximum.accumulate(gap) if zoomed is not None else np.full(len(gap), gap.max())
    top = np.maximum(1.05 * top, 1e-300)
    levels = level_lines(curvature, shown, slice_minimum(curvature, theta, axes), axes)
    columns = {"u": placed[:, 0], "v": placed[:, 1], "h": gap, "top": top, "mu": slid[:, 0], "mv": slid[:, 1], "low": low}  # fmt: skip
    if zoomed is not None:
        columns["zoom"] = zoomed[rows]
    tables = _tables(run, rows, shown, levels, columns) | {
        "frame": frame_table(
            run, **_ends(shown), uu=0.5 * form[0, 0], uv=form[0, 1], vv=0.5 * form[1, 1], answer_from=answer_from
        ),
    }  # fmt: skip
    text = (
        f"The loss over {names[u]} and {names[v]} as a net in relief, other parameters where the run is; below it the level "
        "lines of the same. Line and dot: the run. Diamond, after a run: optimum. Turn and tilt are two sliders."
    )
    return View(_spec(names[u], names[v], height, colours), tables, text)


def terrain(
    run: Run, shown: Window, axes: tuple[int, int], names: Sequence[str], colours: Palette, height: int
) -> View:
    """The same of a loss that is no bowl, with the height of the box from the lowest place to the highest.

    Of more than two parameters the net is a slice, and the run is as high as its own loss: on the net where it is last.
    """
    rows = rows_of(run)
    losses = losses_on(run.problem.objective, shown, sliced_at(run.recording), axes)
    theta = run.recording.epoch_theta[rows][:, list(axes)].numpy()
    lowest = min(float(losses.min()), float(run.recording.epoch_loss.min()))
    placed = (theta - shown.centre) / shown.half
    gap = np.minimum(run.recording.epoch_loss[rows].numpy() - lowest, 3e38)
    still = np.zeros(len(rows))
    top = still + max(1.02 * (losses.max() - lowest), 1e-300)  # a slice may be level everywhere
    columns = {
        "u": placed[:, 0],
        "v": placed[:, 1],
        "h": gap,
        "top": top,
        "mu": still,
        "mv": still,
        "low": still,
    }
    tables = _tables(run, rows, shown, lines_on(losses, shown), columns) | {
        "net": _net_over(run, shown, axes, lowest),
        "frame": frame_table(run, **_ends(shown), answer_from=NEVER),
    }
    u, v = (names[axis] for axis in axes)
    valleys = "" if isinstance(run.problem.objective, LinearObjective) else ", with several valleys"
    text = (
        f"The loss over {u} and {v} as a net in relief{valleys}{of_a_slice(names)}; below it the level lines of the "
        "same. Line and dot: the run. Turn and tilt are two sliders."
    )
    return View(_spec(u, v, height, colours, terrain=True), tables, text)


def _net_over(run: Run, shown: Window, axes: tuple[int, int], lowest: float) -> pa.Table:
    """The loss above the lowest at each knot: rows along the second parameter, from low to high."""
    found = losses_on(run.problem.objective, shown, sliced_at(run.recording), axes, KNOTS).ravel()
    return table({"n": np.arange(len(found), dtype=np.int16), "loss": found - lowest})


def _ends(shown: Window) -> dict[str, float]:
    (u, v), (half_u, half_v) = shown.centre, shown.half
    return {"u0": u - half_u, "u1": u + half_u, "v0": v - half_v, "v1": v + half_v}


def _tables(
    run: Run, rows: np.ndarray, shown: Window, levels: LevelLines, columns: Mapping[str, np.ndarray]
) -> dict[str, pa.Table]:
    """Level lines, the run, and its way, thinned."""
    keep = told_apart(np.column_stack([columns["u"], columns["v"], 2 * columns["h"] / columns["top"][-1]]))
    return {
        "lines": table(
            {
                "i": np.arange(len(levels.line), dtype=np.int16),
                "part": levels.line.astype(np.int16),
                "level": levels.level.astype(np.int8),
                "du": levels.offset[:, 0] / shown.half[0],
                "dv": levels.offset[:, 1] / shown.half[1],
            }
        ),
        "run": table(columns),
        "path": table({"epoch": rows[keep]} | {name: columns[name][keep] for name in ("u", "v", "h")}),
    }
