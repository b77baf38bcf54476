"""Hills and saddles: in which valley of a loss a run ends, and how seldom a level place is a lowest one.

A place belongs to the valley into which small steps downhill lead from it. So a run is told that has not come to rest, or that
its mini-batches never let rest.
"""

from functools import lru_cache
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from gd_core.here import LEVEL, STARTS, Here, here_of
from gd_core.objective import Objective, value_and_gradient
from gd_core.problem import Problem
from gd_core.settings.experiment import Experiment
from gd_core.theory import hessian
from gd_core.training import Epochs
from gd_core.words import counted, short, significant, times

REACH = 0.005  # of a map's side: the longest step downhill
STEPS = 3000  # of them, at most
# Of the rate, after a step that falls as the slope says and after one that does not.
GROWS, SHRINKS = (1.5, 0.5)
FALLS = 0.1  # of what the slope says: less is too little
SAME = 1e-3  # of the RMSE: two ends that differ by less are one valley, or as good
LAST = 20  # epochs at the end of a run that are looked at
BETWEEN = 101  # places on the straight way to the best that is known
MATRICES = 10_000  # random ones, of which it is counted how many curve upwards only

Ending = Literal["lowest", "higher", "saddle", "none"]


class Found(NamedTuple):
    """Where a run has ended.

    Attributes:
        ending: Which valley, or on a top or a saddle, or in none.
        valley: RMSE at the bottom of its valley; nan where it is in none.
        here: What its loss is like at its end.
        between: The highest RMSE on the straight way from its end to the best that is known.
        looked_at: At so many epochs, the last ones.
    """

    ending: Ending
    valley: float
    here: Here
    between: float
    looked_at: int


def downhill(objective: Objective, theta: Tensor, reach: float, level: float) -> Tensor:
    """Where small steps against the gradient lead from each of K places, [K, P] → [K, P].

    A step is at most `reach` long, so that it does not leave its valley, and is taken only if the loss falls by a share
    of what the slope says (Armijo's rule). It ends where no gradient is longer than `level`.

    Source:
        Armijo, "Minimization of functions having Lipschitz continuous first partial derivatives", 1966.
    """
    losses = objective.many(theta)
    rate = torch.full((len(theta), 1), torch.inf, dtype=theta.dtype)
    for _ in range(STEPS):
        _, gradient = value_and_gradient(lambda many: objective.many(many).sum(), theta)
        slope = gradient.norm(dim=1, keepdim=True)
        if float(slope.max()) <= level:
            break
        rate = torch.minimum(rate, reach / slope.clamp(min=1e-300))
        there = theta - rate * gradient
        lower = objective.many(there)
        falls = (lower <= losses - FALLS * (rate * slope.square())[:, 0])[:, None]
        theta, losses = torch.where(falls, there, theta), torch.where(falls[:, 0], lower, losses)
        rate = torch.where(falls, GROWS * rate, SHRINKS * rate)
    return theta


def found(experiment: Experiment, problem: Problem, recording: Epochs) -> Found:
    """In which valley a run has ended.

    - saddle: its gradient is next to nothing there, and some curvature is negative.
    - none: from its last epochs different valleys are reached.
    - lowest: that valley is as deep as any that is known; higher: it is not.
    """
    objective, end = problem.objective, recording.epoch_theta[-1]
    here = here_of(experiment, problem, end)
    if here is None:
        raise ValueError(f"dataset must be one with several valleys. Got {experiment.dataset}.")
    best = here.best
    share = torch.linspace(0, 1, BETWEEN, dtype=end.dtype)[:, None]
    between = float(objective.rmse(end + share * (best.theta - end)).max())
    last = min(LAST, max(1, recording.epochs // 4))
    if here.is_saddle:
        return Found("saddle", float("nan"), here, between, last)
    sides = torch.tensor(experiment.info.shown, dtype=end.dtype).diff(dim=1)
    ends = downhill(
        objective, recording.epoch_theta[-last:], REACH * float(sides.min()), LEVEL * best.steepest
    )
    bottoms = objective.rmse(ends)
    low, high = float(bottoms.min()), float(bottoms.max())
    if high > low * (1 + SAME):
        return Found("none", float("nan"), here, between, last)
    return Found("lowest" if low <= best.rmse * (1 + SAME) else "higher", low, here, between, last)


def of_run(found: Found) -> str:
    """In which valley a run has ended, for a student."""
    best = significant(found.here.best.rmse, 4)
    match found.ending:
        case "lowest":
            return f"It is in the lowest valley that {STARTS} starts know, whose bottom has RMSE {best}."
        case "higher":
            share = times(found.valley / found.here.best.rmse)
            return f"The bottom of its valley has RMSE {significant(found.valley, 4)}, {share} × the best that {STARTS} starts found."
        case "saddle":
            return f"The slope is 0 here, up to rounding, and the loss falls off on a side: curvature {short(found.here.curvatures[0])}."
        case "none":
            return f"Small steps downhill from its last {counted(found.looked_at, 'epoch')} lead into different valleys."


_TEMPTING = {
    "lowest": "Every step goes down, but only from where it is.",
    "higher": "Many starts do end in a higher valley.",
    "saddle": "On a top the slope is 0, but a hair beside it is not, and then each step is longer than the last.",
    "none": "Steps that are too long, or that follow single rows, do jump on for ever.",
}


def tempting(said: Ending, found: Found) -> str:
    """Why a wrong answer was tempting, and what this run met instead."""
    here, best = significant(found.here.rmse, 3), significant(found.here.best.rmse, 3)
    match found.ending:
        case "lowest":
            instead = f"From this start it found the way down to the valley of RMSE {best}."
        case "higher":
            instead = f"On the straight way from its RMSE {here} to the best known, {best}, the error first rises to {significant(found.between, 3)}."
        case "saddle":
            instead = "This start is so close to one that no step leaves it in time."
        case "none":
            instead = "This run does not stay in one valley."
    return f"{_TEMPTING[said]} {instead}"


def at_its_start(problem: Problem) -> tuple[float, tuple[float, ...]]:
    """The length of the gradient where a run starts, and the eigenvalues of the Hessian there, smallest first."""
    _, gradient = value_and_gradient(problem.objective, problem.start)
    values = torch.linalg.eigvalsh(hessian(problem.objective, problem.start))
    return float(gradient.norm()), tuple(values.tolist())


@lru_cache(16)
def all_upwards(dimensions: int) -> float:
    """The share of MATRICES random symmetric matrices whose eigenvalues are all positive: a level place that is a lowest one.

    Entries are normal with mean 0, those of the diagonal with twice the variance (the Gaussian orthogonal ensemble). The
    probability is 1/2, (2 − √2)/4, (π − 2√2)/(4π) for one, two and three dimensions, and falls as 3^(−P²/4).

    Source:
        Dean and Majumdar, "Large deviations of extreme eigenvalues of random matrices", Physical Review Letters 97, 2006.
    """
    generator = torch.Generator().manual_seed(0)
    entries = torch.randn(MATRICES, dimensions, dimensions, generator=generator, dtype=torch.float64)
    smallest = torch.linalg.eigvalsh(entries + entries.mT)[:, 0]
    return float((smallest > 0).double().mean())
