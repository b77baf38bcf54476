"""A race: many paths on one map, and many errors over one axis. Every racer has its colour, its dash and its shape."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np

from gd_core.landscape import level_lines
from gd_core.lessons.variants.race import Race, Result, map_of
from gd_core.lessons.variants.racers import RACERS
from gd_core.problem import Problem
from gd_core.theory import Curvature
from gd_core.words import floor_label, short
from pages.ui.charts import marks
from pages.ui.charts.elements import (
    FRAME,
    NOW,
    Rows,
    contours,
    count_axis,
    dot,
    expression,
    finish,
    kept,
    level,
    log_axis,
    rows_from,
    trail,
)
from pages.ui.charts.loss_map import STEPS_OUT
from pages.ui.charts.marks import CROSS
from pages.ui.charts.model import DRAWN_EPOCHS, View, apart, log_zero, table, where_it_leaves
from pages.ui.look.palette import Palette

PLACES = {key: place for place, key in enumerate(RACERS)}  # a racer's number in tables and scales
# Eight of each. A ninth racer has the fourth one's colour, for it races against the first three, with the dash of another and
# the shape of a third, and so on: any two of up to 32 differ in two of the three.
COLOURS = [(place + 3 * (place // 8)) % 8 for place in PLACES.values()]
DASHES = [marks.DASHES[(place + place // 8) % 8] for place in PLACES.values()]
SHAPES = [marks.SHAPES[(place + 2 * (place // 8)) % 8] for place in PLACES.values()]
TITLES = {"epoch": "epoch", "update": "update", "row": "rows seen"}
NOT_IN = -32768  # stands in a 16-bit column for a racer that does not take part
TOP = 10.0  # times the RMSE at the start: who is above has left the chart


def colours_of(colours: Palette) -> list[str]:
    """Each racer's colour."""
    return [colours.racers[colour] for colour in COLOURS]


def ticks(race: Race, unit: str) -> tuple[np.ndarray, int]:
    """The places on a unit's axis that are drawn, and every how many: about DRAWN_EPOCHS, and always the end."""
    end = race.end(unit)
    stride = -(-end // DRAWN_EPOCHS)
    drawn = np.arange(0, end + 1, stride)
    return (drawn if drawn[-1] == end else np.append(drawn, end)), stride


def _drawn_updates(one: Result, unit: str, end: int) -> np.ndarray:
    """Updates of a racer up to the end of an axis, thinned evenly, and always the last of them."""
    last = int(one.done(unit, np.asarray(end)))
    return np.unique(np.append(np.arange(0, last + 1, -(-max(last, 1) // DRAWN_EPOCHS)), last))


def _look(colours: Palette) -> dict[str, Any]:
    """A racer's colour and dash, by its number."""
    numbers = list(PLACES.values())
    return {
        "color": alt.Color(
            "racer:N", scale=alt.Scale(domain=numbers, range=colours_of(colours)), legend=None
        ),
        "strokeDash": alt.StrokeDash("racer:N", scale=alt.Scale(domain=numbers, range=DASHES), legend=None),
    }


def _shape(colours: Palette) -> dict[str, Any]:
    """A racer's colour and shape, by its number."""
    numbers = list(PLACES.values())
    return {
        "fill": alt.Fill("racer:N", scale=alt.Scale(domain=numbers, range=colours_of(colours)), legend=None),
        "shape": alt.Shape("racer:N", scale=alt.Scale(domain=numbers, range=SHAPES), legend=None),
    }


def _heads(x: str, y: str, condition: str, colours: Palette) -> alt.Chart:
    """Where each racer is; x and y are expressions of `datum.racer`."""
    numbers = alt.SequenceParams(start=0, stop=len(PLACES), step=1, **{"as": "racer"})
    return (
        Rows(alt.SequenceGenerator(sequence=numbers))
        .transform_filter(condition)
        .transform_calculate(x=x, y=y)
        .mark_point(clip=True, opacity=1, size=95, filled=True, stroke=colours.paper, strokeWidth=1)
        .encode(x="x:Q", y="y:Q", **_shape(colours))
    )


def _ends(colours: Palette) -> alt.Chart:
    """A cross where a racer that has diverged is seen last."""
    return (
        rows_from("ends")
        .transform_filter("datum.epoch <= epoch")
        .mark_point(shape=CROSS, size=160, opacity=1, filled=False, strokeWidth=3)
        .encode(
            x="x:Q",
            y="y:Q",
            stroke=alt.Stroke(
                "racer:N",
                scale=alt.Scale(domain=list(PLACES.values()), range=colours_of(colours)),
                legend=None,
            ),
        )
    )


def _of_ends(ends: Sequence[tuple[int, float, float, float]]) -> Any:
    racer, epoch, x, y = np.array(ends, dtype=float).reshape(-1, 4).T
    return table({"racer": racer.astype(np.int8), "epoch": epoch, "x": x, "y": y})


# ----------------------------------------------------------------------------------------------------------- the map


@lru_cache(16)
def _paths_spec(x_name: str, y_name: str, height: int, colours: Palette) -> dict[str, Any]:
    paths = trail(
        rows_from("path"),
        {"x": "x:Q", "y": "y:Q", "order": "i:Q"} | _look(colours),
        width=2,
    )

    def place(axis: str, name: str) -> str:
        half, middle = f"({axis}1 - {axis}0) / 2", f"({axis}0 + {axis}1) / 2"
        return f"{middle} + {half} * now['{name}' + datum.racer] * {STEPS_OUT} / 32767"

    layers: list[Any] = [
        kept("run"),
        contours(x_name, y_name, colours),
        *paths,
        dot(
            f"{FRAME}.ou", f"{FRAME}.ov", shape="diamond", size=130, filled=True, color=colours.optimum
        ),
        dot(
            f"{FRAME}.su", f"{FRAME}.sv", shape="circle", size=110, filled=False, stroke=colours.ink, strokeWidth=2
        ),
        _heads(place("x", "u"), place("y", "v"), f"now['u' + datum.racer] > {NOT_IN}", colours),
        _ends(colours),
    ]  # fmt: skip
    spec = finish(layers, height, [expression("now", NOW)])
    return _independent(spec)


def _independent(spec: dict[str, Any]) -> dict[str, Any]:
    """Level lines and racers each with colours of their own."""
    return {**spec, "resolve": {"scale": {"color": "independent"}}}


def race_map(
    race: Race, problem: Problem, curvature: Curvature, unit: str, axes: tuple[int, int], names: Sequence[str],
    colours: Palette, height: int,
) -> View:  # fmt: skip
    """Level lines over two parameters, the others at the optimum, and every racer's path."""
    shown = map_of(curvature, problem.start, axes)
    (cx, cy), (hx, hy) = shown.centre, shown.half
    levels = level_lines(curvature, shown, curvature.optimum[list(axes)].unsqueeze(0), axes)
    places, stride = ticks(race, unit)
    run = {f"{name}{i}": np.full(len(places), NOT_IN, np.int16) for i in PLACES.values() for name in "uv"}
    path: list[dict[str, np.ndarray]] = []
    ends = []
    for one in race.results:
        number = PLACES[one.entry.key]
        share = (one.theta[:, list(axes)].numpy() - shown.centre) / shown.half
        seen = np.clip(share, -STEPS_OUT, STEPS_OUT)  # farther out it is out of sight
        at = np.round(seen[one.done(unit, places)] * (32767 / STEPS_OUT)).astype(np.int16)
        run[f"u{number}"], run[f"v{number}"] = at.T
        updates = _drawn_updates(one, unit, int(places[-1]))
        if one.diverged_at is not None:  # it does not come back, whatever it crosses on its way
            left, edge = where_it_leaves(share)
            ends.append((number, float(one.at(unit, left)), cx + hx * edge[0], cy + hy * edge[1]))
            updates = np.unique(np.append(updates[updates < left], left))
        updates = updates[apart(share[updates])]
        when, where = one.at(unit, updates), share[updates]
        path.append(
            {
                "racer": np.full(len(updates), number, np.int8),
                "i": np.arange(len(updates), dtype=np.int16),
                "epoch": when.astype(np.float32),
                "x": cx + hx * where[:, 0],
                "y": cy + hy * where[:, 1],
            }
        )
    su, sv = (float(problem.start[axis]) for axis in axes)
    tables = {
        "lines": table(
            {
                "i": np.arange(len(levels.line), dtype=np.int16),
                "line": levels.line.astype(np.int16),
                "level": levels.level.astype(np.int8),
                "x": levels.offset[:, 0] + cx,
                "y": levels.offset[:, 1] + cy,
            }
        ),
        "run": table(run),
        "path": table({name: np.concatenate([one[name] for one in path]) for name in path[0]}),
        "ends": _of_ends(ends),
        "frame": table(
            {
                name: [value]
                for name, value in {
                    "stride": stride, "last": int(places[-1]), "x0": cx - hx, "x1": cx + hx, "y0": cy - hy,
                    "y1": cy + hy, "ou": cx, "ov": cy, "su": su, "sv": sv,
                }.items()
            }
        ),
    }  # fmt: skip
    text = (
        f"Level lines of the loss over {names[axes[0]]} and {names[axes[1]]}, the other parameter at its optimum, and "
        "the path of every racer in its own colour, dash and shape. Open circle: start. Diamond: optimum. "
        "A cross is where a racer that diverged left the map. A click sets the start."
    )
    return View(_paths_spec(names[axes[0]], names[axes[1]], height, colours), tables, text)


# --------------------------------------------------------------------------------------------------------- the error


@lru_cache(16)
def _errors_spec(unit: str, height: int, colours: Palette) -> dict[str, Any]:
    axis = count_axis(TITLES[unit])
    carrier = (
        rows_from("frame")
        .transform_filter("false")
        .transform_calculate(x="0", y="1")
        .mark_point()
        .encode(x=axis, y=log_axis("RMSE"))
    )
    base = rows_from("path").transform_calculate(x="datum.epoch")
    arrivals = (
        rows_from("arrivals")
        .transform_filter("datum.epoch <= epoch")
        .mark_point(opacity=1, size=110, filled=False, strokeWidth=1.6, fill=colours.paper)
        .encode(
            x="epoch:Q",
            y="y:Q",
            stroke=alt.Stroke(
                "racer:N",
                scale=alt.Scale(domain=list(PLACES.values()), range=colours_of(colours)),
                legend=None,
            ),
            shape=alt.Shape(
                "racer:N",
                scale=alt.Scale(domain=list(PLACES.values()), range=SHAPES),
                legend=None,
            ),
        )
    )
    target = rows_from("frame")
    goal = (  # at the left: at the right is where the lines end
        target.transform_calculate(label="'target ' + datum.target_label")
        .mark_text(align="left", dx=4, dy=9, color=colours.ink, fontWeight=600)
        .encode(x=alt.value(0), y="target:Q", text="label:N")
    )
    layers: list[Any] = [
        kept("run"),
        carrier,
        *level("floor", colours.optimum, [7, 4], "datum.floor_label"),
        *level("zero", colours.start, [2, 3], "'zero to rounding'"),
        target.mark_rule(color=colours.ink, strokeDash=[2, 3], strokeWidth=2).encode(y="target:Q"),
        *trail(base, {"x": "x:Q", "y": "y:Q", "order": "x:Q"} | _look(colours), width=2),
        arrivals,
        goal,
        _heads(
            f"min(epoch, {FRAME}['e' + datum.racer])",
            "now['r' + datum.racer]",
            "isValid(now['r' + datum.racer])",
            colours,
        ),
        _ends(colours),
    ]
    return finish(layers, height, [expression("now", NOW)])


def race_errors(race: Race, unit: str, colours: Palette, height: int) -> View:
    """RMSE over epochs, updates or rows on a logarithmic axis, with the target and the floor."""
    places, stride = ticks(race, unit)
    end = int(places[-1])
    zero = log_zero(race.start_rmse)
    lowest = min(float(one.rmse.min()) for one in race.results)
    highest = max(race.start_rmse, *(float(one.rmse.max()) for one in race.results))
    reaches_zero = lowest <= zero
    # Before the answer no floor tells how low it gets.
    trained = all(one.recording.complete for one in race.results)
    shows_floor = trained and zero < race.floor_rmse and race.floor_rmse >= lowest / 100
    low = zero if reaches_zero else min(lowest, race.floor_rmse, race.target) if shows_floor else lowest
    low, high = min(low, race.target) / 1.6, min(highest, TOP * race.start_rmse) * 1.25
    span = np.log(high / low)
    run = {f"r{i}": np.full(len(places), np.nan, np.float32) for i in PLACES.values()}
    stops = {f"e{i}": np.nan for i in PLACES.values()}
    path: list[dict[str, np.ndarray]] = []
    arrivals, ends = [], []
    for one in race.results:
        number = PLACES[one.entry.key]
        rmse = np.maximum(one.rmse, zero)
        run[f"r{number}"] = rmse[one.done(unit, places)]
        stops[f"e{number}"] = float(one.at(unit, one.updates))
        updates = _drawn_updates(one, unit, end)
        when = one.at(unit, updates)
        seen = apart(np.column_stack([2 * when / end, 2 * np.log(rmse[updates]) / span]))
        path.append(
            {
                "racer": np.full(int(seen.sum()), number, np.int8),
                "epoch": when[seen].astype(np.float32),
                "y": rmse[updates[seen]],
            }
        )
        if one.reached is not None:
            arrivals.append((number, float(getattr(one.reached, unit)), 0.0, max(race.target, zero)))
        if one.diverged_at is not None:
            above = np.flatnonzero(rmse > high)
            left = int(above[0]) if len(above) else one.updates
            ends.append((number, float(one.at(unit, left)), min(float(rmse[left]), high / 1.4)))
    frame = {
        "stride": stride, "last": end, "x0": 0, "x1": end, "y0": low, "y1": high, "target": race.target,
        "target_label": short(race.target, 4),
        "floor": race.floor_rmse if shows_floor else np.nan, "floor_label": floor_label(race),
        "zero": zero if reaches_zero else np.nan,
    }  # fmt: skip
    tables = {
        "run": table(run),
        "path": table({name: np.concatenate([one[name] for one in path]) for name in path[0]}),
        "arrivals": _of_ends(arrivals),
        "ends": _of_ends([(number, when, when, y) for number, when, y in ends]),
        "frame": table({name: [value] for name, value in (frame | stops).items()}),
    }
    text = (
        f"Root mean squared error of every racer over {TITLES[unit]} on a logarithmic axis, each in its own colour, "
        "dash and shape; dotted the target, dashed the floor. An open mark on the target is where a racer arrived, "
        "a cross where one that diverged left the chart."
    )
    return View(_errors_spec(unit, height, colours), tables, text)
