"""Pinned runs in a chart: as light lines beside the run on the page, or as the lines themselves.

A pinned run has a number, and with it a colour, a dash and a shape. What does not move is drawn once: a path, an error.
What moves with the player reads the columns that `columns_of_…` add to the table `run`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from gd_core.least_squares import EPSILON
from gd_core.problem import Problem
from gd_core.run_summary import RunSummary, trend
from gd_core.theory import Curvature
from gd_core.words import significant
from pages.ui.charts.elements import rows_from
from pages.ui.charts.marks import CROSS, PENTAGON, SHAPES
from pages.ui.charts.model import (
    apart,
    column_of,
    drawn_epochs,
    of_parabola,
    parameters_of_curve,
    table,
    where_it_leaves,
)
from pages.ui.look.palette import Palette

PLACES = range(8)
ORDER = (2, 3, 5, 4, 6, 7, 1, 0)  # of the racers' colours: the teal of the run on the page comes last
STROKES = ([8, 3], [2, 2], [12, 3, 2, 3], [5, 2], [8, 2, 2, 2, 2, 2], [3, 4], [14, 4], [1, 3])
MARKS = (*SHAPES[1:], PENTAGON)  # no circle: that is the run on the page
TOP = 10.0  # times the highest first RMSE: a pinned run that gets above it has left the chart
CURVE = 41  # points of a pinned fit


class Ghost(NamedTuple):
    """A pinned run, ready to be drawn: its place, from 0, what is kept of it, and its problem."""

    place: int
    summary: RunSummary
    problem: Problem
    parabola: Curvature | None

    @property
    def curvature(self) -> Curvature:
        """The parabola. Raises `ValueError` where the loss is none."""
        return of_parabola(self.parabola, self.summary.experiment)

    def shown_rmse(self, epochs: np.ndarray) -> np.ndarray:
        """RMSE at these epochs in words: 0 where it is no more than the rounding of a perfect fit."""
        return self._shown(self.summary.rmse_at(epochs))

    @property
    def final_rmse(self) -> float:
        """The same at the end."""
        return float(self._shown(self.summary.rmse[-1:])[0])

    @property
    def held_out_rmse(self) -> float | None:
        """The same of the held-out rows; None if there are none."""
        rmse = self.summary.held_out_rmse
        return None if rmse is None else float(self._shown(np.array([rmse]))[0])

    def _shown(self, rmse: np.ndarray) -> np.ndarray:
        if self.parabola is None:
            return rmse
        return self.parabola.error(torch.from_numpy(rmse), float(self.summary.rmse[0])).numpy()

    @property
    def gap(self) -> str:
        """L − L* at the end in words: nothing where the loss is the lowest to its last digit; – where nobody knows it."""
        known, gap = self.parabola, self.summary.gap
        if known is None or gap is None:
            return "–"
        is_nothing = gap <= EPSILON * known.floor_loss or (known.floor_is_zero and self.final_rmse == 0)
        return "0 up to rounding" if is_nothing else significant(gap, 4)


def colours_of(colours: Palette) -> list[str]:
    """The colour of each place."""
    return [colours.racers[i] for i in ORDER]


def told(ghosts: Sequence[Ghost]) -> str:
    """What a chart's text says of its pinned runs."""
    if not ghosts:
        return ""
    numbers = ", ".join(str(ghost.place + 1) for ghost in ghosts)
    which = "pinned run" if len(ghosts) == 1 else "pinned runs"
    return f" Light, each with its dash, shape and number: {which} {numbers}."


def told_of_lines(ghosts: Sequence[Ghost], what: str, *, numbers: bool = True) -> str:
    """What a chart's text says of pinned runs that are straight lines in it. `what` says which lines."""
    if not ghosts:
        return ""
    listed = ", ".join(str(ghost.place + 1) for ghost in ghosts)
    which = f"of pinned run {listed}" if len(ghosts) == 1 else f"of each of the pinned runs {listed}"
    return f" Light and straight, with its dash{' and number' if numbers else ''}: {what} {which}."


# ------------------------------------------------------------------------------------------------- pieces of a chart


def look(colours: Palette) -> dict[str, Any]:
    """Colour and dash by place. As stroke, not as colour: level lines have a colour scale of their own."""
    domain = list(PLACES)
    return {
        "stroke": alt.Stroke(
            "ghost:N", scale=alt.Scale(domain=domain, range=colours_of(colours)), legend=None
        ),
        "strokeDash": alt.StrokeDash(
            "ghost:N", scale=alt.Scale(domain=domain, range=[list(one) for one in STROKES]), legend=None
        ),
    }


def _fill(colours: Palette) -> alt.Fill:
    return alt.Fill("ghost:N", scale=alt.Scale(domain=list(PLACES), range=colours_of(colours)), legend=None)


def still(colours: Palette, *, named: bool = False) -> list[alt.Chart]:
    """Whole lines, light, from the table `ghost_path`.

    Where the chart's own lines are `named`, colour and dash come from their scale, to which `hidden_names` adds these.
    """
    base = rows_from("ghost_path").transform_calculate(name="'' + (datum.ghost + 1)")
    looks: dict[str, Any] = {"color": "name:N", "strokeDash": "name:N"} if named else look(colours)
    lines = base.mark_line(clip=True, opacity=0.75, strokeWidth=1.5)
    return [lines.encode(x="x:Q", y="y:Q", order="epoch:Q", **looks)]


def heads(x: str, y: str, colours: Palette) -> alt.Chart:
    """Where each pinned run is, by expressions of `datum.ghost`; its rows are in the table `ghosts`."""
    return (
        rows_from("ghosts")
        .transform_calculate(x=x, y=y)
        .mark_point(clip=True, opacity=1, size=75, filled=True, stroke=colours.paper, strokeWidth=1)
        .encode(
            x="x:Q",
            y="y:Q",
            fill=_fill(colours),
            shape=alt.Shape("ghost:N", scale=alt.Scale(domain=list(PLACES), range=list(MARKS)), legend=None),
        )
    )


def discs(base: alt.Chart, colours: Palette) -> list[alt.Chart]:
    """A run's number in a disc, at x and y."""
    numbered = base.transform_calculate(number="datum.ghost + 1")
    return [
        numbered.mark_point(shape="circle", size=170, filled=True, opacity=1, clip=True).encode(
            x="x:Q", y="y:Q", fill=_fill(colours)
        ),
        numbered.mark_text(color=colours.paper, fontWeight=700, fontSize=10, clip=True).encode(
            x="x:Q", y="y:Q", text="number:Q"
        ),
    ]


def crosses(colours: Palette) -> alt.Chart:
    """Where a run that has diverged is seen last."""
    return (
        rows_from("ghost_ends")
        .mark_point(shape=CROSS, size=110, opacity=1, filled=False, strokeWidth=2.5)
        .encode(
            x="x:Q",
            y="y:Q",
            stroke=alt.Stroke(
                "ghost:N", scale=alt.Scale(domain=list(PLACES), range=colours_of(colours)), legend=None
            ),
        )
    )


def stacked(rows: Sequence[Mapping[str, np.ndarray | float]], names: Sequence[str]) -> pa.Table:
    """Many small columns put on top of each other, `ghost` in 8 bits."""
    columns = {
        name: np.concatenate([np.atleast_1d(np.asarray(row[name], dtype=float)) for row in rows])
        if rows
        else np.zeros(0)
        for name in names
    }
    return table({name: a.astype(np.int8) if name == "ghost" else a for name, a in columns.items()})


def row(ghost: Ghost, **columns: Any) -> dict[str, Any]:
    length = max(np.size(values) for values in columns.values())
    return {"ghost": np.full(length, ghost.place), **columns}


def widened(run: pa.Table, columns: Mapping[str, np.ndarray]) -> pa.Table:
    """The table `run` with more columns."""
    more = table(columns)
    for name in more.column_names:
        run = run.append_column(name, more[name])
    return run


# ---------------------------------------------------------------------------------------------------------- the error


def reach_of(ghosts: Sequence[Ghost], end: int) -> tuple[float, float]:
    """Lowest and highest RMSE of pinned runs up to an epoch; what is above TOP times the start has left the chart."""
    seen = [np.asarray(ghost.summary.rmse[: end + 1]) for ghost in ghosts]
    first = max(float(one[0]) for one in seen)
    return min(float(one.min()) for one in seen), min(max(float(one.max()) for one in seen), TOP * first)


def columns_of_errors(ghosts: Sequence[Ghost], epochs: np.ndarray, zero: float) -> dict[str, np.ndarray]:
    """RMSE at each drawn epoch, one column a run."""
    return {f"r{g.place}": np.maximum(g.summary.rmse_at(epochs), zero) for g in ghosts}


def tables_of_errors(
    ghosts: Sequence[Ghost], end: int, low: float, high: float, zero: float
) -> dict[str, pa.Table]:
    """Paths, ends and labels over the epochs up to `end`."""
    paths, labels, ends = [], [], []
    for number, ghost in enumerate(ghosts):
        last = min(ghost.summary.epochs, end)
        epochs = drawn_epochs(last, end)
        y = np.maximum(ghost.summary.rmse[epochs], zero)
        seen = apart(np.column_stack([2 * epochs / max(end, 1), 2 * np.log(y) / np.log(high / low)]))
        paths.append(row(ghost, epoch=epochs[seen], x=epochs[seen], y=y[seen]))
        # one after the other along the axis, so that lines that end alike keep their numbers apart
        at = int(last * (0.06 + 0.11 * number))
        if y_of(ghost, at, zero) <= high:
            labels.append(row(ghost, epoch=at, x=at, y=y_of(ghost, at, zero)))
        if ghost.summary.diverged and ghost.summary.epochs <= end:
            above = np.flatnonzero(ghost.summary.rmse[: last + 1] > high)
            left = int(above[0]) if len(above) else last
            ends.append(row(ghost, epoch=left, x=left, y=min(y_of(ghost, left, zero), high / 1.15)))
    names = ("ghost", "epoch", "x", "y")
    return {
        "ghosts": stacked([row(g, last=g.summary.epochs) for g in ghosts], ("ghost", "last")),
        "ghost_path": stacked(paths, names),
        "ghost_labels": stacked(labels, names),
        "ghost_ends": stacked(ends, names),
    }


def y_of(ghost: Ghost, epoch: int, zero: float) -> float:
    return max(float(ghost.summary.rmse[epoch]), zero)


def error_heads(colours: Palette) -> alt.Chart:
    return heads("min(epoch, datum.last)", "now['r' + datum.ghost]", colours)


# ------------------------------------------------------------------------------------------------------------ the map


def columns_of_places(ghosts: Sequence[Ghost], epochs: np.ndarray, axes: tuple[int, int]) -> dict[str, Any]:
    """Where each run is on the map at each drawn epoch, in the coordinates that are trained."""
    columns = {}
    for ghost in ghosts:
        theta = ghost.summary.theta[ghost.summary.rows_at(epochs)]
        columns |= {f"u{ghost.place}": theta[:, axes[0]], f"v{ghost.place}": _height(ghost, theta, axes)}
    return columns


def _height(ghost: Ghost, theta: Tensor, axes: tuple[int, int]) -> Tensor:
    """The second coordinate: the second parameter, or over a single one the loss."""
    if axes[0] != axes[1]:
        return theta[:, axes[1]]
    return ghost.curvature.floor_loss + ghost.curvature.gap(theta).sum(-1)


def tables_of_places(
    ghosts: Sequence[Ghost], axes: tuple[int, int], centre: tuple[float, float], half: tuple[float, float]
) -> dict[str, pa.Table]:
    """Paths, and where a run that has diverged leaves the map."""
    paths, ends = [], []
    for ghost in ghosts:
        rows = ghost.summary.drawn
        theta = ghost.summary.theta[rows]
        places = np.column_stack([theta[:, axes[0]].numpy(), _height(ghost, theta, axes).numpy()])
        share = (places - centre) / half
        when = ghost.summary.kept[rows]
        if ghost.summary.diverged:  # it does not come back, whatever it crosses on its way
            left, edge = where_it_leaves(share)
            ends.append(
                row(ghost, epoch=when[left], x=centre[0] + half[0] * edge[0], y=centre[1] + half[1] * edge[1])
            )
            share, places, when = share[: left + 1], places[: left + 1], when[: left + 1]
        seen = apart(share)
        paths.append(row(ghost, epoch=when[seen], x=places[seen, 0], y=places[seen, 1]))
    names = ("ghost", "epoch", "x", "y")
    return {
        "ghosts": stacked([row(g, last=g.summary.epochs) for g in ghosts], ("ghost", "last")),
        "ghost_path": stacked(paths, names),
        "ghost_ends": stacked(ends, names),
    }


def map_heads(colours: Palette) -> alt.Chart:
    return heads("now['u' + datum.ghost]", "now['v' + datum.ghost]", colours)


# ------------------------------------------------------------------------------------------------------------ the fit


def columns_of_fits(ghosts: Sequence[Ghost], epochs: np.ndarray) -> dict[str, np.ndarray]:
    """Each run's curve at each drawn epoch: p0_3 is the first parameter of the run at place 3."""
    columns = {}
    for ghost in ghosts:
        theta = ghost.summary.theta[ghost.summary.rows_at(epochs)]
        of_curve = parameters_of_curve(ghost.summary.experiment.info.model, ghost.problem, theta)
        columns |= {f"{name}_{ghost.place}": values for name, values in of_curve.items()}
    return columns


def tables_of_fits(ghosts: Sequence[Ghost]) -> dict[str, pa.Table]:
    """The rows of the curves, and of their numbers: one after the other along the axis."""
    u = np.linspace(0, 1, CURVE)
    names = [str(ghost.place + 1) for ghost in ghosts]
    curves = stacked([row(ghost, u=u) for ghost in ghosts], ("ghost", "u"))
    return {
        "ghost_span": curves.append_column("name", column_of(np.repeat(names, CURVE))),
        "ghost_labels": stacked(
            [row(g, u=0.05 + 0.09 * number) for number, g in enumerate(ghosts)], ("ghost", "u")
        ),
    }


def fit_layers(prediction: str, parameters: int, colours: Palette, width: float) -> list[alt.Chart]:
    """Curves that move with the player. `prediction` is ŷ by `datum.p0` … and `datum.x`.

    Their colour and dash come from the scale of the named lines, to which `hidden_names` adds them.
    """

    def base(rows: str) -> alt.Chart:
        theta = {f"p{i}": f"now['p{i}_' + datum.ghost]" for i in range(parameters)}
        return (
            rows_from(rows)
            .transform_calculate(x="x0 + (x1 - x0) * datum.u", **theta)
            .transform_calculate(y=prediction)
        )

    curves = base("ghost_span").mark_line(clip=True, strokeWidth=width, opacity=0.8)
    encoding: dict[str, Any] = {"color": "name:N", "strokeDash": "name:N"}
    return [
        curves.encode(x="x:Q", y="y:Q", order="u:Q", **encoding),
        *discs(base("ghost_labels"), colours),
    ]


def hidden_names(colours: Palette) -> dict[str, tuple[str, list[int]]]:
    """Colour and dash of the numbers that name pinned curves."""
    return {
        str(place + 1): (colour, list(STROKES[place])) for place, colour in enumerate(colours_of(colours))
    }


def columns_of_lines(
    ghosts: Sequence[Ghost], epochs: np.ndarray, slope_and_rest: Any
) -> dict[str, np.ndarray]:
    """Slope s and rest t of a straight line a run at each drawn epoch. `slope_and_rest` has θ [R, P] and its ghost."""
    columns = {}
    for ghost in ghosts:
        slope, rest = slope_and_rest(ghost, ghost.summary.theta[ghost.summary.rows_at(epochs)])
        columns |= {f"s{ghost.place}": slope.numpy(), f"t{ghost.place}": rest.numpy()}
    return columns


def tables_of_lines(ghosts: Sequence[Ghost]) -> dict[str, pa.Table]:
    return {
        "ghost_span": stacked([row(ghost, u=np.array([0.0, 1.0])) for ghost in ghosts], ("ghost", "u")),
        "ghost_labels": stacked(
            [row(g, u=0.05 + 0.09 * number) for number, g in enumerate(ghosts)], ("ghost", "u")
        ),
    }


def line_layers(colours: Palette, *, numbers: bool = True) -> list[alt.Chart]:
    """Straight lines that move with the player."""

    def base(rows: str) -> alt.Chart:
        return (
            rows_from(rows)
            .transform_calculate(x="x0 + (x1 - x0) * datum.u")
            .transform_calculate(y="now['s' + datum.ghost] * datum.x + now['t' + datum.ghost]")
        )

    lines = base("ghost_span").mark_line(clip=True, strokeWidth=1.6, opacity=0.85)
    labels = discs(base("ghost_labels"), colours) if numbers else []
    return [lines.encode(x="x:Q", y="y:Q", order="u:Q", **look(colours)), *labels]


def trend_of(ghost: Ghost, theta: Tensor) -> tuple[Tensor, Tensor]:
    """The straight line through predicted over actual values, in the data's units."""
    slope, rest = trend(replace(ghost.problem.linear, dataset=ghost.problem.dataset))
    raw = ghost.problem.raw(theta)
    return raw @ slope, raw @ rest
