"""A map of the loss over two parameters: level lines that a narrow valley cannot hide from.

The other parameters stand where the run is. When they move, a parabola keeps its shape and only slides, so the
lines are computed once, around the slice's own lowest point, and the map moves them along with the run.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import contourpy
import numpy as np
import torch
from torch import Tensor

from gd_core.objective import LinearObjective, Objective, Robust, hessians, mse
from gd_core.problem import Problem
from gd_core.robust import lowest_of
from gd_core.settings.experiment import Experiment
from gd_core.theory import Curvature, curvature_of
from gd_core.training import Epochs

GRID = 161  # points along each side of the grid behind the level lines
LINES = 12  # level lines at most
TERRAIN = 81  # points along each side of a map of a loss that is no bowl,
TERRACES = 18  # and its levels
SPECKS = 1e-9  # of the heights on a map: what is less above its lowest is rounding
AT_ONCE = 2**22  # losses of rows, so that memory stays small
MOST_ROWS = 20_000  # of such a map, which takes a second then
POINTS_A_LINE = 41  # drawn points of one line; the grid has more
SAME = 1e-4  # of the loss: a place is the same as typed if that changes it by less
RESTS = 1e-9  # share of two curvatures below which their parameters have nothing to do with each other
FIRST_TWO = (0, 1)  # parameters
MARGIN = 1.3  # the map's half-width as a multiple of the distance from start to optimum


@dataclass(frozen=True)
class Window:
    """The part of the plane that a map shows: centre and half-width on each axis."""

    centre: tuple[float, float]
    half: tuple[float, float]


@dataclass(frozen=True, eq=False)
class LevelLines:
    """Level lines relative to the slice's lowest point.

    Attributes:
        line: Number of the line that a point belongs to, [M].
        offset: Position minus the lowest point of the slice, [M, 2].
        level: Number of the level, lowest first, [M].
        heights: Loss above that of the lowest point for each level.
    """

    line: np.ndarray
    offset: np.ndarray
    level: np.ndarray
    heights: np.ndarray


def rests(curvature: Curvature, axes: Sequence[int]) -> bool:
    """Whether a slice over two axes has its lowest point at one place, whatever the other parameters are: H_po = 0.

    Such a map is the whole bowl, less what the others add to it. See `slice_minimum`.
    """
    size = curvature.hessian.diagonal().sqrt()
    tied = curvature.hessian.abs() > RESTS * size * size[:, None]
    others = [i for i in range(len(size)) if i not in axes]
    return not bool(tied[others][:, list(axes)].any())


def resting_axes(curvature: Curvature) -> tuple[int, int]:
    """The first two parameters over which a map rests, or the first two of all. Twice 0 if there is one."""
    count = len(curvature.optimum)
    pairs = (pair for pair in combinations(range(count), 2) if rests(curvature, pair))
    return next(pairs, (0, min(1, count - 1)))


def window(curvature: Curvature, start: Tensor, axes: Sequence[int]) -> Window:
    """A map around the optimum that holds the start, the lowest point of the start's slice, and their mirror images.

    It depends on the problem, not on the rate, so that two runs are seen on the same map. A start that is already
    optimal along an axis still gets a half-width: as far as the loss takes to grow by as much as from the floor to
    the start, or 1.
    """
    rise = float(curvature.gap(start).sum())
    lowest = dict(zip(axes, slice_minimum(curvature, start, tuple(dict.fromkeys(axes))), strict=False))

    def half(axis: int) -> float:
        distance = max(abs(float(place - curvature.optimum[axis])) for place in (start[axis], lowest[axis]))
        steepness = float(curvature.hessian[axis, axis])
        reach = math.sqrt(2 * rise / steepness) if steepness > 0 and rise > 0 else 1.0
        # wide enough that both ends differ in 32 bits
        return MARGIN * max(distance, 0.2 * reach, 1e-5 * abs(float(curvature.optimum[axis])), 1e-9)

    u, v = axes
    return Window((float(curvature.optimum[u]), float(curvature.optimum[v])), (half(u), half(v)))


def around(curvature: Curvature, starts: Sequence[Tensor], axes: Sequence[int]) -> Window:
    """A map that holds several starts and their mirror images."""
    windows = [window(curvature, start, axes) for start in starts]
    half = (max(one.half[0] for one in windows), max(one.half[1] for one in windows))
    return Window(windows[0].centre, half)


def typed_start(problem: Problem, curvature: Curvature, theta: Tensor) -> str | None:
    """A point of the map as it is typed into the start, in raw units; None if 17 digits of those do not hold the curve."""
    reach = float(curvature.loss(theta) + curvature.gap(problem.start).sum())
    for digits in (7, 17):
        texts = [f"{number:.{digits}g}" for number in problem.raw(theta).tolist()]
        away = problem.scaled(theta.new_tensor([float(text) for text in texts])) - theta
        if float(curvature.gap(curvature.optimum + away).sum()) <= SAME * reach:
            return ", ".join(texts)
    return None


def slice_minimum(curvature: Curvature, theta: Tensor, axes: Sequence[int]) -> Tensor:
    """Where the loss is lowest in the plane of two axes, the other parameters standing as in θ. [..., P] → [..., 2].

    The gradient within the plane is 0 there: H_pp (p − p*) = −H_po (o − o*). Along a flat direction, the point
    nearest to the optimum.
    """
    projection = list(axes)
    others = [i for i in range(theta.shape[-1]) if i not in projection]
    within = curvature.hessian[projection][:, projection]
    across = curvature.hessian[projection][:, others]
    away = (theta - curvature.optimum)[..., others]
    return curvature.optimum[projection] - away @ (torch.linalg.pinv(within, hermitian=True) @ across).T


def rings_at(zoom: np.ndarray) -> np.ndarray:
    """How many times as large level lines are drawn on a map that shows `zoom` times as much: the next power of 2.

    A parabola's rings, as many times as large, are its rings again; by doublings they seldom change.
    """
    return 2.0 ** np.ceil(np.log2(zoom))


def level_lines(
    curvature: Curvature, shown: Window, lowest: Tensor, axes: Sequence[int], zoom: np.ndarray | None = None
) -> LevelLines:
    """Lines of equal loss in the plane of two axes, around the slice's lowest point.

    Levels grow by a constant factor. The lowest is chosen so that its line is still a few grid cells wide across
    the narrowest valley; the highest is about the largest loss on the map.

    Args:
        curvature: The parabola.
        shown: The part of the plane to cover.
        lowest: Lowest points of the slices that the run passes through, [K, 2]; the lines cover the map around each.
        axes: The two parameters.
        zoom: How many times as much the map shows at each of them, [K], from 1 on; if not given, once. The lines are drawn
            `rings_at` of it times as large there.
    """
    projection = list(axes)
    form = curvature.hessian[projection][:, projection].numpy()
    centre, half = np.array(shown.centre), np.array(shown.half)
    zoom = np.ones(len(lowest)) if zoom is None else zoom
    zoom = zoom[:, None]
    # a run that leaves the map far behind must not make the grid coarse
    away = np.clip(lowest.numpy() - centre, -2 * half * zoom, 2 * half * zoom)
    low = ((-half * zoom - away) / rings_at(zoom)).min(0)
    high = ((half * zoom - away) / rings_at(zoom)).max(0)
    x, y = (np.linspace(low[i], high[i], GRID) for i in (0, 1))
    grid_x, grid_y = np.meshgrid(x, y)
    loss = 0.5 * (form[0, 0] * grid_x**2 + 2 * form[0, 1] * grid_x * grid_y + form[1, 1] * grid_y**2)
    cell = np.diag([x[1] - x[0], y[1] - y[0]])
    steepest = float(np.linalg.eigvalsh(cell @ form @ cell)[-1])  # per cell², on the drawn map
    top = float(loss.max())
    if not 0 < steepest <= top:
        return LevelLines(np.zeros(0, int), np.zeros((0, 2)), np.zeros(0, int), np.zeros(0))
    levels = np.geomspace(0.5 * steepest * 2.5**2, 0.7 * top, LINES)
    return _lines_at(levels, x, y, loss)


def box_of(experiment: Experiment, start: Tensor, axes: Sequence[int] = FIRST_TWO) -> Window | None:
    """The map of a loss that is no bowl: as its data set says, and wider where a start lies outside.

    None of a data set that says nothing, and of many rows.
    """
    if not experiment.info.shown or experiment.training_rows > MOST_ROWS:
        return None
    shown = [experiment.info.shown[axis] for axis in axes]
    centre = tuple((low + high) / 2 for low, high in shown)
    half = tuple(
        max((high - low) / 2, MARGIN * abs(float(start[axis]) - middle))
        for (low, high), axis, middle in zip(shown, axes, centre, strict=True)
    )
    return Window((centre[0], centre[1]), (half[0], half[1]))


def terrain_box(experiment: Experiment, problem: Problem, axes: Sequence[int]) -> Window | None:
    """The same of any loss that is no parabola: of a convex one around its lowest point, as wide as `bowl_of` would be."""
    if (box := box_of(experiment, problem.start, axes)) or (bowl := bowl_of(problem)) is None:
        return box
    return window(bowl, problem.start, axes)


def why_no_terrain(problem: Problem) -> str:
    """Why `terrain_box` is None, in a sentence for a student."""
    if len(problem.objective.target) > MOST_ROWS:
        return f"No map: of this loss one is drawn of up to {MOST_ROWS:,} rows."
    if len(problem.start) == 1:
        return "No map: it takes two parameters, and this model has one. “Parameters” draws the loss over it."
    if lowest_of(problem.objective) is None:
        return "No map: which part of this loss to show is not known."
    return "No map: this loss has no lowest point that one could be drawn around. It falls for ever, and the weights grow."


def bowl_of(problem: Problem) -> Curvature | None:
    """A parabola at the lowest point of a convex loss: that of the log loss there, of a robust one the squared error's.

    None of another loss, of one that has no lowest point or one parameter, and of many rows.
    """
    objective = problem.objective
    lowest = lowest_of(objective)
    if lowest is None or not lowest.attained or len(lowest.optimum) == 1 or len(objective.target) > MOST_ROWS:
        return None
    assert isinstance(objective, LinearObjective)  # which alone have a lowest point that is known
    bowl = replace(curvature_of(replace(objective, loss=mse)), optimum=lowest.optimum)
    if isinstance(objective.loss, Robust):
        return bowl
    hessian = hessians(objective.many, lowest.optimum[None])[0]
    values, vectors = torch.linalg.eigh(hessian)
    return replace(bowl, hessian=hessian, eigenvalues=values.clamp(min=0), eigenvectors=vectors)


def place_on(shown: Window, share: tuple[float, float]) -> tuple[float, float]:
    """A place of such a map, from its shares of the map's sides."""
    u, v = (c + h * (2 * part - 1) for c, h, part in zip(shown.centre, shown.half, share, strict=True))
    return u, v


def sliced_at(recording: Epochs) -> Tensor:
    """Where such a map is a slice through all parameters, [P]: where the run is last; of one that has gone where it began."""
    return recording.epoch_theta[0 if recording.diverged_at is not None else -1]


def typed_place(
    places: tuple[float, float],
    through: Tensor | None = None,
    axes: Sequence[int] = FIRST_TWO,
    problem: Problem | None = None,
) -> str:
    """The same as it is typed into the start, the other parameters as in `through`, [P], if there are others.

    In raw units, if the problem is given, on whose map it is.
    """
    if problem is not None and through is not None and problem.objective.dataset is not problem.dataset:
        theta = through.clone()
        theta[list(axes)] = theta.new_tensor(places)
        return ", ".join(f"{number:.7g}" for number in problem.raw(theta).tolist())
    texts = ["", ""] if through is None else [f"{number:.7g}" for number in through.tolist()]
    for axis, place in zip(axes, places, strict=True):
        texts[axis] = f"{place:.4g}"
    return ", ".join(texts)


def losses_at(objective: Objective, places: np.ndarray, through: Tensor, axes: Sequence[int]) -> np.ndarray:
    """The loss at places of a map, [K, 2] → [K], the other parameters as in `through`, [P]."""
    theta = through.detach().repeat(len(places), 1)
    theta[:, list(axes)] = torch.from_numpy(places)
    with torch.no_grad():
        parts = theta.split(max(1, AT_ONCE // len(objective.target)))
        return torch.cat([objective.many(part) for part in parts]).numpy()


def losses_on(
    objective: Objective,
    shown: Window,
    through: Tensor,
    axes: Sequence[int] = FIRST_TWO,
    points: int = TERRAIN,
) -> np.ndarray:
    """The same on a grid, [points, points]: rows along the second parameter, columns along the first."""
    u, v = (np.linspace(c - h, c + h, points) for c, h in zip(shown.centre, shown.half, strict=True))
    places = np.stack(np.meshgrid(u, v), -1).reshape(-1, 2)
    return losses_at(objective, places, through, axes).reshape(points, points)


def lines_on(losses: np.ndarray, shown: Window) -> LevelLines:
    """Level lines of a grid of losses, relative to the map's middle, as many of them below the median as above it.

    None lies within a floor that is level up to rounding, as the slice of a robust loss may have: it would be of specks.
    """
    x, y = (np.linspace(-half, half, len(losses)) for half in shown.half)
    levels = np.unique(np.quantile(losses, np.linspace(0.01, 0.97, TERRACES)))
    above = levels[levels > losses.min() + SPECKS * np.ptp(losses)]
    return _lines_at(above if len(above) else levels, x, y, losses)


def _lines_at(levels: np.ndarray, x: np.ndarray, y: np.ndarray, losses: np.ndarray) -> LevelLines:
    """The lines of a grid of losses, [Y, X], at these levels, thinned."""
    generator = contourpy.contour_generator(x=x, y=y, z=losses)
    cell = np.array([x[1] - x[0], y[1] - y[0]])
    lines = [
        (n, _thinned(np.asarray(line), cell))
        for n, level in enumerate(levels)
        for line in generator.lines(level)
    ]
    if not lines:  # a slice may be level everywhere
        return LevelLines(np.zeros(0, int), np.zeros((0, 2)), np.zeros(0, int), levels)
    return LevelLines(
        line=np.concatenate([np.full(len(line), i) for i, (_, line) in enumerate(lines)]),
        offset=np.concatenate([line for _, line in lines]),
        level=np.concatenate([np.full(len(line), n) for n, line in lines]),
        heights=levels,
    )


def _thinned(line: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """At most POINTS_A_LINE points of a line, both ends among them, closer together where it bends."""
    if len(line) <= POINTS_A_LINE:
        return line
    steps = np.diff(line / cell, axis=0)
    length = np.hypot(*steps.T)
    heading = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    bend = np.abs(np.diff(heading, prepend=heading[0]))
    travelled = np.concatenate([[0.0], np.cumsum(length / length.sum() + bend / max(bend.sum(), 1e-9))])
    keep = np.searchsorted(travelled, np.linspace(0, travelled[-1], POINTS_A_LINE))
    return line[np.unique(np.append(keep.clip(max=len(line) - 1), len(line) - 1))]
