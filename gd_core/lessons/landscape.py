"""A valley and its directions: planes to look at it, arrows downhill, how long a run needs, and what scaling changes.

Everything follows from the error along each eigenvector of the Hessian, which gradient descent multiplies by
1 − ηλᵢ in each epoch. See `theory`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from gd_core.landscape import Window, window
from gd_core.problem import build
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import LEARNING_RATE
from gd_core.theory import Curvature, curvature_of, stability_limit
from gd_core.training import Epochs

MILLIONTH = 1e-6  # of the first gap: what is left of it then cannot be seen in a chart
ROUNDING = 1e-14  # of the first gap: where a chart of gaps ends for want of digits
ARROWS = (10, 8)  # columns and rows of the field; even, so that none stands on the optimum


@dataclass(frozen=True, eq=False)
class Projection:
    """Two coordinates of a loss as a map shows them: two parameters, or two directions of the valley.

    Attributes:
        curvature: The same parabola in the map's coordinates.
        axes: The two coordinates that are shown.
        basis: One axis of the coordinates a column, in units of θ, [P, P].
        origin: θ where all coordinates are 0, [P].
    """

    curvature: Curvature
    axes: tuple[int, int]
    basis: Tensor
    origin: Tensor

    def coordinates(self, theta: Tensor) -> Tensor:
        """[..., P] → [..., P]."""
        return (theta - self.origin) @ self.basis

    def theta(self, coordinates: Tensor) -> Tensor:
        """The inverse of `coordinates`; the basis is orthonormal."""
        return self.origin + coordinates @ self.basis.T


def parameter_projection(curvature: Curvature, axes: tuple[int, int]) -> Projection:
    """The plane of two parameters."""
    size = len(curvature.optimum)
    return Projection(
        curvature, axes, torch.eye(size, dtype=torch.float64), torch.zeros(size, dtype=torch.float64)
    )


def valley_projection(curvature: Curvature) -> Projection:
    """The plane of the flattest and the steepest direction, seen from the optimum.

    Its axes are the valley's own, so the level lines stand upright: the Hessian is diag(λ) there.
    """
    size = len(curvature.optimum)
    own = replace(
        curvature,
        hessian=torch.diag(curvature.eigenvalues),
        eigenvectors=torch.eye(size, dtype=torch.float64),
        optimum=torch.zeros(size, dtype=torch.float64),
        unsure=curvature.eigenvectors.T.abs() @ curvature.unsure,
    )
    return Projection(own, (0, size - 1), signed(curvature.eigenvectors), curvature.optimum)


def signed(eigenvectors: Tensor) -> Tensor:
    """Eigenvectors with their largest component positive, so that every machine draws the same map. [P, P]."""
    largest = eigenvectors.abs().argmax(0, keepdim=True)
    return eigenvectors * eigenvectors.gather(0, largest).sign()


def window_around(projection: Projection, starts: Tensor) -> Window:
    """A map around the optimum that holds each of K starts [K, P] and its mirror image."""
    windows = [
        window(projection.curvature, projection.coordinates(start), projection.axes) for start in starts
    ]
    halves = zip(*(one.half for one in windows), strict=True)
    x, y = (max(half) for half in halves)
    return Window(windows[0].centre, (x, y))


def mirrored(projection: Projection, start: Tensor, number: int) -> Tensor:
    """A start in another quarter of the map, for the second, third and fourth; half as far out for the fifth. [P]."""
    across, along = {1: (-1.0, -1.0), 2: (1.0, -1.0), 3: (-1.0, 1.0)}.get(number, (0.5, -0.5))
    away = projection.coordinates(start) - projection.curvature.optimum
    away[projection.axes[0]] *= across
    away[projection.axes[1]] *= along
    return projection.theta(projection.curvature.optimum + away)


class Arrows(NamedTuple):
    """The gradient within a map's plane at the points of a grid.

    Attributes:
        place: Where, [K, 2].
        gradient: ∇L there, its two components in the plane, [K, 2].
    """

    place: Tensor
    gradient: Tensor


def gradient_field(projection: Projection, shown: Window, lowest: Tensor) -> Arrows:
    """∇L over the map, in a slice whose lowest point is m [2]: H_pp (p − m).

    In another slice all gradients change by the same amount, −H_pp times the way from one lowest point to the other.
    """
    (cx, cy), (hx, hy) = shown.centre, shown.half
    columns, rows = ((2 * torch.arange(n, dtype=torch.float64) + 1) / n - 1 for n in ARROWS)
    place = torch.cartesian_prod(cx + hx * columns, cy + hy * rows)
    return Arrows(place, (place - lowest) @ within(projection))


def within(projection: Projection) -> Tensor:
    """H_pp, the Hessian within a map's plane, [2, 2]."""
    axes = list(projection.axes)
    return projection.curvature.hessian[axes][:, axes]


def picked(projection: Projection, shown: Window, slice_at: Tensor, place: tuple[float, float]) -> Tensor:
    """θ at a place on the map, given as shares of its width and height from the lower left corner. [P].

    Args:
        projection: What the map shows.
        shown: The part of it.
        slice_at: The other coordinates are those of this θ, [P].
        place: Where.
    """
    coordinates = projection.coordinates(slice_at).clone()
    for axis, share, centre, half in zip(projection.axes, place, shown.centre, shown.half, strict=True):
        coordinates[axis] = centre + half * (2 * share - 1)
    return projection.theta(coordinates)


class Direction(NamedTuple):
    """What gradient descent does along one eigenvector of the Hessian.

    Attributes:
        eigenvalue: λ, the curvature.
        weights: The eigenvector, its largest component positive.
        factor: 1 − ηλ, what the error is multiplied by in an epoch; below 0 it changes sides.
        tenth: Epochs that leave a tenth of the error; infinite if it does not shrink, 0 if one epoch ends it.
    """

    eigenvalue: float
    weights: tuple[float, ...]
    factor: float
    tenth: float


def directions(curvature: Curvature, learning_rate: float) -> tuple[Direction, ...]:
    """Every direction of a valley under gradient descent, flattest first."""
    vectors = signed(curvature.eigenvectors).T.tolist()
    return tuple(
        Direction(value, tuple(vector), 1 - learning_rate * value, _tenth(learning_rate * value))
        for value, vector in zip(curvature.eigenvalues.tolist(), vectors, strict=True)
    )


def _tenth(share: float) -> float:
    shrinks = -_log_factor(share)
    return math.log(10) / shrinks if shrinks > 0 else math.inf


def _log_factor(share: float) -> float:
    """log |1 − ηλ|, also where ηλ is so small that 1 − ηλ would round."""
    if share == 1:
        return -math.inf
    return math.log1p(-share) if share < 1 else math.log(share - 1)


def epochs_to(
    curvature: Curvature, start: Tensor, learning_rate: float, share: float = MILLIONTH
) -> int | None:
    """The first epoch from which on the gap to the lowest loss is at most `share` of what it was at the start.

    From the exact sum Σ ½ λᵢ eᵢ² (1 − ηλᵢ)²ᵏ, whose terms only fall where |1 − ηλᵢ| ≤ 1, so by bisection and without
    training. None if that epoch never comes: the run diverges, or it bounces at the limit.
    """
    terms = [gap for gap in curvature.gap(start).tolist() if gap > 0]
    factors = [
        _log_factor(learning_rate * value)
        for value, gap in zip(curvature.eigenvalues.tolist(), curvature.gap(start).tolist(), strict=True)
        if gap > 0
    ]
    target = share * sum(terms)
    if any(factor > 0 for factor in factors):
        return None

    def is_close(epochs: int) -> bool:
        left = (gap * math.exp(2 * epochs * factor) for gap, factor in zip(terms, factors, strict=True))
        return sum(left) <= target if epochs else sum(terms) <= target

    if is_close(0):
        return 0
    low, high = 0, 1
    while not is_close(high):
        low, high = high, 2 * high
        if high > 2**60:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_close(middle) else (middle, high)
    return high


def lagging(curvature: Curvature, recording: Epochs) -> int:
    """The direction with the largest gap where a run ends; 0 is the flattest."""
    return int(curvature.gap(recording.epoch_theta[-1]).argmax())


def shares(curvature: Curvature, theta: Tensor) -> Tensor:
    """Each direction's part of the gap, [..., P] → [..., P]; nothing where there is no gap."""
    parts = curvature.gap(theta)
    whole = parts.sum(-1, keepdim=True)
    return torch.where(whole > 0, parts / whole, 0.0)


class Pair(NamedTuple):
    """The same run without and with scaled features, and each rate as a share of its own limit."""

    plain: Experiment
    scaled: Experiment
    shares: tuple[float, float]


def pair(experiment: Experiment) -> Pair:
    """An experiment and its twin. Its own rate stays; the twin's is `twin_rate`."""
    own = experiment.scale_features
    twin = replace(experiment, scale_features=not own, learning_rate=twin_rate(experiment))
    plain, scaled = (twin, experiment) if own else (experiment, twin)
    return Pair(plain, scaled, (plain.learning_rate / _limit(plain), scaled.learning_rate / _limit(scaled)))


def twin_rate(experiment: Experiment) -> float:
    """The rate that is the same share of the limit when the features are scaled instead of plain, or the reverse.

    The shortest number within a billionth of it, so that going there and back gives the rate that one had. Where that
    may not be set, the nearest rate that may: far beyond the limit, or next to nothing.
    """
    twin = replace(experiment, scale_features=not experiment.scale_features)
    exact = experiment.learning_rate / _limit(experiment) * _limit(twin)
    rounded = (float(f"{exact:.{digits}g}") for digits in range(1, 17))
    shortest = next((rate for rate in rounded if abs(rate / exact - 1) <= 1e-9), exact)
    low, high = LEARNING_RATE.low, LEARNING_RATE.high
    return min(max(shortest, low), high)


def _limit(experiment: Experiment) -> float:
    return stability_limit(curvature_of(build(experiment).objective), experiment.phase)


def nearer(gaps: Sequence[tuple[float, float]], factor: float = 2.0) -> int | None:
    """Which of several runs is closest to the lowest loss at its end, by more than a factor; −1 if all have moved away.

    Args:
        gaps: The gap to the lowest loss at the start and at the end of each run.
        factor: Runs that differ by less are about equal, and None is returned. So are gaps that are rounding alone.
    """
    if all(last > first for first, last in gaps):
        return -1
    left = [max(last, ROUNDING * first) for first, last in gaps]
    best = min(range(len(left)), key=left.__getitem__)
    others = [value for i, value in enumerate(left) if i != best]
    return best if min(others) > factor * left[best] else None
