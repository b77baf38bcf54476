"""What is known of a loss that is no bowl: only what holds here, at one θ, and the best that many starts have found.

A gradient of 0 is a lowest point where the Hessian has no negative eigenvalue, a saddle where it has one. Of the whole
loss none of that tells anything: there may be a lower valley elsewhere, and nobody can prove that there is none.
"""

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
POLISHED = 20  # steps of Newton's at most
GROWS, SHRINKS = (
    1.2,
    0.5,
)  # of a step along one parameter, where its slope keeps its sign and where it changes it
FIRST = 0.01  # of the map's side: the first step
LEVEL = 1e-6  # of the steepest slope of the map's: below it a place is level
MANY = 2e7  # residuals times parameters, twice, at many places together: what is soon worked out
FLAT = 1e-9  # of the largest curvature: below it there is none

_found: WeakKeyDictionary[Objective, "Best"] = WeakKeyDictionary()


class Best(NamedTuple):
    """The lowest point that many starts have found. Nobody knows whether there is a lower one.

    Attributes:
        theta: θ, [P].
        loss: L(θ).
        rmse: Root mean squared error there, in the data's units.
        steepest: The largest length of the gradient at the starts.
    """

    theta: Tensor
    loss: float
    rmse: float
    steepest: float


class Here(NamedTuple):
    """A loss at one θ.

    Attributes:
        slope: Length of the gradient.
        curvatures: Eigenvalues of the Hessian, smallest first.
        is_level: Whether the gradient is next to nothing.
        best: What many starts have found.
        rmse: Of θ.
    """

    slope: float
    curvatures: tuple[float, ...]
    is_level: bool
    best: Best
    rmse: float

    @property
    def is_minimum(self) -> bool:
        """Whether it is the lowest point of its surroundings: level, and curved upwards in every direction."""
        return self.is_level and self.curvatures[0] > FLAT * max(map(abs, self.curvatures))

    @property
    def is_saddle(self) -> bool:
        """Whether it is level and falls off in some direction."""
        return self.is_level and self.curvatures[0] < -FLAT * max(map(abs, self.curvatures))

    @property
    def limit(self) -> float | None:
        """The largest rate at which gradient descent stays near a lowest point, 2/λ of the steepest; None elsewhere."""
        return 2 / self.curvatures[-1] if self.curvatures[-1] > 0 else None

    @property
    def is_best(self) -> bool:
        """Whether no start has found a lower one, up to rounding."""
        return self.rmse <= self.best.rmse * (1 + 1e-6)


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
    place = theta[int(objective.many(theta).argmin())].detach()
    for _ in range(POLISHED):
        loss, gradient = value_and_gradient(objective, place)
        bowl, falls = torch.linalg.cholesky_ex(hessian(objective, place))
        if falls or objective(nearer := place - torch.cholesky_solve(gradient[:, None], bowl)[:, 0]) >= loss:
            break
        place = nearer
    found = _found[objective] = Best(place, float(objective(place)), float(objective.rmse(place)), steepest)
    return found


def here_of(experiment: Experiment, problem: Problem, theta: Tensor) -> Here | None:
    """What the loss is like at θ, [P]; None of a data set that says no part of it to look for its lowest point in.

    Nor of another loss than the mean squared error, whose lowest point is not where the RMSE is lowest.
    """
    plain = problem.objective.loss is mse and problem.objective.penalty is None
    if not experiment.info.shown or not plain:
        return None
    objective, best = problem.objective, best_of(problem, theta.new_tensor(experiment.info.shown))
    _, gradient = value_and_gradient(objective, theta)
    slope = float(gradient.norm())
    curvatures = tuple(torch.linalg.eigvalsh(hessian(objective, theta)).tolist())
    return Here(slope, curvatures, slope <= LEVEL * best.steepest, best, float(objective.rmse(theta)))


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
