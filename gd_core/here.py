"""What is known of a loss that is no bowl: only what holds here, at one θ, and the best that many starts have found.

A gradient of 0 is a lowest point where the Hessian has no negative eigenvalue, a saddle where it has one. Of the whole
loss none of that tells anything: there may be a lower valley elsewhere, and nobody can prove that there is none.
"""

from dataclasses import dataclass
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from gd_core.objective import Absolute, Objective, hessians, mse, value_and_gradient
from gd_core.problem import Problem
from gd_core.settings.experiment import Experiment
from gd_core.settings.rules import linear_step
from gd_core.theory import hessian, limit_along

STARTS = 200
STEPS = 80  # of each; the best of them goes on by
POLISHED = 30  # steps of Newton's at most
CANDIDATES = 3  # of the starts: the lowest of them go on by these
HALVED = 20  # times at most, until such a step leads down
# Of a step along one parameter, where its slope keeps its sign and where it changes it.
GROWS, SHRINKS = (1.2, 0.5)
FIRST = 0.01  # of the map's side: the first step
LEVEL = 1e-6  # of the steepest slope of the map's: below it a place is level
MANY = 2e7  # residuals times parameters, twice, at many places together: what is soon worked out
SETTLED = 1e-15  # of the loss: what a step is to gain at least
FLAT = 1e-9  # of the largest curvature: below it there is none
ARRIVED = 1e-4  # of the loss at the bottom of a valley: closer is there
NONE = 1e-12  # of the steepest slope: below it a slope is rounding
ROUNDING = 1e-14  # of the highest loss of the starts

_found: WeakKeyDictionary[Objective, "Best"] = WeakKeyDictionary()


class Best(NamedTuple):
    """The lowest point that many starts have found. Nobody knows whether there is a lower one.

    Attributes:
        theta: θ, [P].
        loss: L(θ).
        rmse: Root mean squared error there, in the data's units.
        steepest: The largest length of the gradient at the starts,
        highest: and the largest loss.
    """

    theta: Tensor
    loss: float
    rmse: float
    steepest: float
    highest: float

    @property
    def is_perfect(self) -> bool:
        """Whether the fit is perfect, up to rounding."""
        return self.loss <= ROUNDING * self.highest


@dataclass(frozen=True, kw_only=True)
class Local:
    """A loss at one θ, its penalty with it.

    Attributes:
        loss: L(θ).
        rmse: Of θ.
        slope: Length of the gradient.
        curvatures: Eigenvalues of the Hessian, smallest first.
    """

    loss: float
    rmse: float
    slope: float
    curvatures: tuple[float, ...]

    @property
    def smallest(self) -> float:
        """The least curvature up to which there is any, either way."""
        return FLAT * max(map(abs, self.curvatures))

    @property
    def down(self) -> tuple[float, ...]:
        """The negative curvatures, the strongest first."""
        return tuple(x for x in self.curvatures if x < -self.smallest)

    @property
    def flat(self) -> int:
        """Along how many directions the loss does not curve."""
        return sum(abs(x) <= self.smallest for x in self.curvatures)

    @property
    def limit(self) -> float | None:
        """2/λ of the steepest curvature, above which a step of gradient descent along it is too long here; None where nothing curves upwards."""
        return 2 / self.curvatures[-1] if self.curvatures[-1] > 0 else None


@dataclass(frozen=True, kw_only=True)
class Here(Local):
    """The same of a loss with several valleys, and what is known of them.

    Attributes:
        falling: Length of the gradient's part along directions of negative curvature.
        bottom: The loss at the bottom of the valley that θ is in; None where it does not curve upwards in every direction.
        is_mean_square: Whether the root of the loss is the RMSE: there is no penalty.
        best: What many starts have found.
    """

    falling: float
    bottom: float | None
    is_mean_square: bool
    best: Best

    @property
    def is_level(self) -> bool:
        """Whether the gradient is next to nothing, or the loss next to that of its valley's bottom."""
        at_bottom = self.bottom is not None and self.loss - self.bottom <= ARRIVED * self.bottom
        return at_bottom or self.slope <= LEVEL * self.best.steepest

    @property
    def is_minimum(self) -> bool:
        """Whether it is the lowest point of its surroundings: level, and curved upwards in every direction."""
        return self.is_level and self.bottom is not None

    @property
    def is_saddle(self) -> bool:
        """Whether it is level and falls off in some direction."""
        return self.is_level and bool(self.down)

    @property
    def stays(self) -> bool:
        """Whether no slope leads down the directions of negative curvature, but for rounding."""
        return self.falling <= NONE * self.best.steepest

    @property
    def lowest(self) -> float:
        """The loss at the bottom of its valley, or of θ where that has none."""
        return self.loss if self.bottom is None else self.bottom

    @property
    def is_best(self) -> bool:
        """Whether no start has found a lower valley, up to rounding: the same curve by other parameters is as low."""
        return self.lowest <= self.best.loss * (1 + 2e-6) + ROUNDING * self.best.highest


def best_of(problem: Problem, box: Tensor) -> Best:
    """The lowest point that STARTS starts in a box come to, each by steps of its own along each parameter.

    A step grows while its slope keeps its sign and is halved where it changes it: resilient propagation, which needs no rate.

    Args:
        problem: Whose loss.
        box: Lowest and highest of each parameter, [P, 2].

    Source:
        Riedmiller and Braun, "A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP Algorithm", 1993.
    """
    objective = problem.objective
    if (found := _found.get(objective)) is not None:
        return found
    low, side = box[:, 0], box[:, 1] - box[:, 0]
    generator = torch.Generator().manual_seed(0)
    theta = low + side * torch.rand(STARTS, len(box), generator=generator, dtype=torch.float64)
    highest = float(objective.many(theta).max())
    step, before = (FIRST * side).expand_as(theta), torch.zeros_like(theta)
    steepest = 0.0
    for number in range(STEPS):
        _, gradient = value_and_gradient(lambda many: objective.many(many).sum(), theta)
        if number == 0:
            steepest = float(gradient.norm(dim=1).max())
        same = gradient * before
        step = torch.where(same > 0, GROWS * step, torch.where(same < 0, SHRINKS * step, step))
        before = torch.where(same < 0, 0.0, gradient)
        theta = theta - before.sign() * step
    theta = theta.detach()[objective.many(theta).argsort()[:CANDIDATES]]
    places = [_bottom(objective, place) for place in theta]
    place = min(places, key=lambda one: float(objective(one)))
    loss, rmse = float(objective(place)), float(objective.rmse(place))
    found = _found[objective] = Best(place, loss, rmse, steepest, highest)
    return found


def _bottom(objective: Objective, place: Tensor) -> Tensor:
    """Where steps of Newton's lead from a place, each halved until it leads down, while the loss curves upwards in every direction."""
    for _ in range(POLISHED):
        loss, gradient = value_and_gradient(objective, place)
        bowl, falls = torch.linalg.cholesky_ex(hessian(objective, place))
        if falls:
            break
        step = torch.cholesky_solve(gradient[:, None], bowl)[:, 0]
        if float(gradient @ step) <= SETTLED * float(loss):
            break
        lower = (place - step / 2**times for times in range(HALVED))
        nearer = next((one for one in lower if objective(one) < loss), None)
        if nearer is None:
            break
        place = nearer
    return place


def here_of(experiment: Experiment, problem: Problem, theta: Tensor) -> Here | None:
    """What the loss is like at θ, [P]; None of a data set that says no part of it to look for its lowest point in.

    Nor of another loss than the mean squared error, with a penalty or without, and of so many rows that it takes long.
    """
    objective = problem.objective
    takes_long = STARTS * theta.numel() * len(objective.target) > MANY
    if not experiment.info.shown or objective.loss is not mse or takes_long:
        return None
    best = best_of(problem, theta.new_tensor(experiment.info.shown))
    local, gradient, directions = _local(objective, theta)
    falling = (gradient @ directions)[[one < -local.smallest for one in local.curvatures]]
    bowl = local.curvatures[0] > local.smallest
    return Here(
        **vars(local),
        falling=float(falling.norm()),
        bottom=float(objective(_bottom(objective, theta))) if bowl else None,
        is_mean_square=objective.is_mean_square,
        best=best,
    )


def local_of(problem: Problem, theta: Tensor) -> Local | None:
    """What any loss is like at θ, [P]; None of the absolute error, whose curvature is 0 between kinks, and where it takes long."""
    objective = problem.objective
    if isinstance(objective.loss, Absolute) or theta.numel() * len(objective.target) > MANY:
        return None
    return _local(objective, theta)[0]


def _local(objective: Objective, theta: Tensor) -> tuple[Local, Tensor, Tensor]:
    """That, the gradient, [P], and the directions of the curvatures, [P, P] by column."""
    loss, gradient = value_and_gradient(objective, theta)
    curvatures, directions = torch.linalg.eigh(hessian(objective, theta))
    local = Local(
        loss=float(loss),
        rmse=float(objective.rmse(theta)),
        slope=float(gradient.norm()),
        curvatures=tuple(curvatures.tolist()),
    )
    return local, gradient, directions


def limits_along(experiment: Experiment, problem: Problem, theta: Tensor) -> Tensor | None:
    """The largest rate that is short enough for the steepest curvature at each of K places, [K, P] → [K]; 0 where none is too large.

    None of a rule that has no limit, of mini-batches, and where it takes long.
    """
    phase, size = experiment.phase, theta.numel() * theta.shape[1] * experiment.training_rows
    kinks = isinstance(problem.objective.loss, Absolute)  # whose curvature is 0 between them
    if linear_step(phase) is None or experiment.updates_per_epoch > 1 or size > MANY or kinks:
        return None
    matrices = hessians(problem.objective.many, theta)
    known = matrices.flatten(1).isfinite().all(1)  # not far out in a run that has diverged
    steepest = torch.linalg.eigvalsh(torch.where(known[:, None, None], matrices, 0.0))[:, -1]
    limits = [limit_along(one, phase) if one > 0 else 0.0 for one in steepest.tolist()]
    return theta.new_tensor(limits)
