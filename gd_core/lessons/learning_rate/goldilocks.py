"""A challenge: reach a target error in as few epochs as one fixed rate can. And the fewest that any fixed rate needs."""

import math
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from gd_core.lessons.learning_rate.four_rates import WITHOUT_A_LIMIT
from gd_core.lessons.learning_rate.sweep import paths, rates_between, sweep
from gd_core.objective import Objective
from gd_core.settings.experiment_fields import Phase
from gd_core.settings.rules import is_plain, linear_step
from gd_core.theory import Curvature, stability_limit

SHARES = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5)  # of the way from the floor to the first RMSE; hardest first
GRID = 1000  # rates tried where there is no better way than trying,
SMALL_GRID = 300  # and where trying takes an update of all of them in every epoch
VALLEYS = 6  # between the rates of a grid, looked into for one that needs an epoch less
EXACT = 1e-12  # relative; a run that misses the target by rounding has reached it


class Goal(NamedTuple):
    """What is asked for.

    Attributes:
        rmse: The target.
        share: How much of the first RMSE's height above the floor it leaves.
        epochs: The fewest epochs that any fixed rate needs; None if none gets there in the epochs allowed.
        learning_rate: A rate that needs no more.
        exact: Whether no rate at all needs fewer; otherwise none of those tried.
    """

    rmse: float
    share: float
    epochs: int | None
    learning_rate: float | None
    exact: bool


class Attempt(NamedTuple):
    """What one rate has made of it.

    Attributes:
        learning_rate: η.
        epochs: The first epoch at or below the target, or None.
        diverged: Whether the run passed 10⁶ × its first loss before.
        rmse: Where it stands at its end, if it has not diverged.
    """

    learning_rate: float
    epochs: int | None
    diverged: bool
    rmse: float

    def score(self, goal: Goal) -> int:
        """100 for the fewest epochs possible, 50 for twice as many, 0 if the target is not reached."""
        if self.epochs is None or goal.epochs is None:
            return 0
        return 100 if self.epochs <= goal.epochs else round(100 * goal.epochs / self.epochs)


def goal_of(
    objective: Objective, curvature: Curvature, phase: Phase, start: Tensor, allowed: int
) -> Goal | None:
    """The hardest target that some fixed rate reaches in half of the epochs allowed, or else the easiest.

    Returns:
        The goal, or None if the start is the optimum, to rounding.
    """
    first = math.sqrt(float(objective(start)))
    if first - curvature.floor_rmse <= 1e-9 * first:
        return None
    exact = is_plain(phase)
    search = (
        _of_parabola(curvature, start, allowed)
        if exact
        else _of_grid(objective, curvature, phase, start, allowed)
    )
    goals = []
    for share in SHARES:
        rmse = curvature.floor_rmse + share * (first - curvature.floor_rmse)
        goals.append(Goal(rmse, share, *search((rmse**2 - curvature.floor_loss) * (1 + EXACT)), exact))
        epochs = goals[-1].epochs
        if epochs is not None and epochs <= max(1, allowed // 2):
            break
    return goals[-1]


Found = tuple[int | None, float | None]  # epochs and a rate that needs no more
Search = Callable[[float], Found]  # the fewest epochs in which a gap L − L* is reached


def _of_parabola(curvature: Curvature, start: Tensor, allowed: int) -> Search:
    lowest, rates = lowest_of_parabola(curvature, start, allowed)

    def search(gap: float) -> Found:
        reached = (lowest <= gap).nonzero()
        return (int(reached[0]) + 1, float(rates[reached[0]])) if len(reached) else (None, None)

    return search


def lowest_of_parabola(curvature: Curvature, start: Tensor, epochs: int) -> tuple[Tensor, Tensor]:
    """The smallest L − L* that any fixed rate of gradient descent leaves after 1, 2 … `epochs` epochs, and that rate.

    The gap Σ cᵢ (1 − ηλᵢ)²ⁿ is convex in η, and beyond 1/λ₁ it only rises. So its lowest point is where its slope
    changes sign, found by bisection for all n together; it may lie above the stability limit, where a start with little
    error along the steepest direction does best for a few epochs. [E] and [E].
    """
    parts = curvature.gap(start)
    parts, curvatures = parts[parts > 0], curvature.eigenvalues[parts > 0]
    powers = torch.arange(1, epochs + 1).unsqueeze(1)  # [E, 1]
    low = torch.zeros(epochs, dtype=torch.float64)
    high = torch.full((epochs,), 1 / float(curvatures.min()), dtype=torch.float64)
    for _ in range(90):
        middle = (low + high) / 2
        left = 1 - middle.unsqueeze(1) * curvatures
        falls = (parts * curvatures * left ** (2 * powers - 1)).sum(1) > 0
        low, high = torch.where(falls, middle, low), torch.where(falls, high, middle)
    left = 1 - high.unsqueeze(1) * curvatures
    return (parts * left ** (2 * powers)).sum(1), high


def _of_grid(objective: Objective, curvature: Curvature, phase: Phase, start: Tensor, allowed: int) -> Search:
    """Try many rates, then look into the valleys between them for one that needs an epoch less, until none does."""
    if linear_step(phase) is None:
        rates = rates_between(*WITHOUT_A_LIMIT, count=SMALL_GRID)
    else:
        limit = stability_limit(curvature, phase)
        rates = rates_between(1e-4 * limit, limit, count=GRID)
    every = torch.stack([*islice(paths(objective, start, phase, rates, curvature=curvature), allowed + 1)])
    left = every - curvature.floor_loss  # [E + 1, K]

    def looked_into(epochs: int) -> tuple[float, float]:
        """The smallest gap after so many epochs, near the lowest points of the grid, and its rate."""
        row = left[epochs]
        walls = torch.nn.functional.pad(row, (1, 1), value=math.inf)
        valleys = torch.where((row <= walls[:-2]) & (row <= walls[2:]), row, math.inf).argsort()[:VALLEYS]
        lower, upper = rates[(valleys - 1).clamp(min=0)], rates[(valleys + 1).clamp(max=len(rates) - 1)]
        smallest, rate = math.inf, math.nan
        for _ in range(3):
            around = lower[:, None] + (upper - lower)[:, None] * torch.linspace(0, 1, 17, dtype=torch.float64)
            gaps = (
                sweep(objective, start, phase, around.flatten(), epochs, curvature=curvature)
                - curvature.floor_loss
            )
            gaps = gaps.view_as(around)
            best = gaps.argmin(1, keepdim=True)
            lower = around.gather(1, (best - 1).clamp(min=0)).squeeze(1)
            upper = around.gather(1, (best + 1).clamp(max=16)).squeeze(1)
            place = int(gaps.argmin())
            smallest, rate = float(gaps.flatten()[place]), float(around.flatten()[place])
        return smallest, rate

    def search(gap: float) -> Found:
        reached = (left[1:].min(1).values <= gap).nonzero()
        if not len(reached):
            return None, None
        epochs = int(reached[0]) + 1
        rate = float(rates[left[epochs].argmin()])
        while epochs > 1:
            smallest, better = looked_into(epochs - 1)
            if smallest > gap:
                break
            epochs, rate = epochs - 1, better
        return epochs, rate

    return search


def attempts(
    objective: Objective,
    curvature: Curvature,
    phase: Phase,
    start: Tensor,
    learning_rates: Sequence[float],
    goal: Goal,
    allowed: int,
) -> list[Attempt]:
    """How each of these rates does."""
    rates = torch.tensor(learning_rates, dtype=torch.float64)
    losses = torch.stack(
        [*islice(paths(objective, start, phase, rates, curvature=curvature), allowed + 1)]
    )  # [E + 1, K]
    reached = losses.sqrt() <= goal.rmse * (1 + EXACT)
    return [
        Attempt(
            rate,
            int(reached[:, k].nonzero()[0]) if bool(reached[:, k].any()) else None,
            bool(losses[:, k].isinf().any()),
            float(losses[-1, k].sqrt()),
        )
        for k, rate in enumerate(learning_rates)
    ]
