"""A challenge: reach a target error in as few epochs as one rate can. And the fewest that any rate needs.

What counts is the first epoch at which the error is at most the target, whether it stays there or not: with momentum and
the adaptive rules it may come and go. So the fewest epochs are the first at which any rate's error is, and every epoch
has to be asked, since a valley between two rates of a grid may be open at one of them only. Under a schedule a rate is the η
of which the epochs have their shares.
"""

import math
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from gd_core.lessons.learning_rate.four_rates import WITHOUT_A_LIMIT
from gd_core.lessons.learning_rate.sweep import paths, rates_between
from gd_core.objective import Objective
from gd_core.rate_search import IN_A_HALF_SWING, multiples, swinging_rates
from gd_core.settings.experiment_fields import LEARNING_RATE, Phase
from gd_core.settings.rules import is_plain, linear_step
from gd_core.settings.schedules import is_constant, share_of
from gd_core.theory import Curvature, stability_limit

SHARES = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5)  # of the way from the floor to the first RMSE; hardest first
GRID = 2250  # rates tried of a rule that has no limit,
LEAST = 1e-3  # of η: smaller shares of a schedule are not made up for
ABOVE = 500  # and above the limit of one that has, where a few epochs may still do
WAYS = (1e-5, 1e3)  # of the longest way that a parameter has to go, where it is longer than 1
PER_EPOCH = 24  # valleys of the error over the rate that are remembered,
VALLEYS = 2048  # and at most looked into for a rate that needs fewer epochs
SAFE = 0.1  # of three rates' bend, by which a valley may be lower than their parabola
TRAINED = 64  # rates that seem to need fewer, at most
INSIDE = 9  # rates, each time
ROUNDS = 4
EXACT = 1e-12  # relative; a run that misses the target by rounding has reached it


class Goal(NamedTuple):
    """What is asked for.

    Attributes:
        rmse: The target.
        share: How much of the first RMSE's height above the floor it leaves.
        epochs: The fewest epochs that any fixed rate needs; None if none gets there in the epochs allowed.
        learning_rate: A rate that needs no more.
        tried: Of how many rates none needs fewer; None where no rate at all does.
    """

    rmse: float
    share: float
    epochs: int | None
    learning_rate: float | None
    tried: int | None


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
        """100 for the fewest epochs known to do, or fewer; 50 for twice as many; 0 if the target is not reached."""
        if self.epochs is None:
            return 0
        return (
            100
            if goal.epochs is None or self.epochs <= goal.epochs
            else round(100 * goal.epochs / self.epochs)
        )


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
    search = (
        _of_parabola(curvature, start, allowed)
        if is_plain(phase) and is_constant(phase)
        else _Tried(objective, curvature, phase, start, allowed).search
    )
    goals = []
    for share in SHARES:
        rmse = curvature.floor_rmse + share * (first - curvature.floor_rmse)
        goals.append(Goal(rmse, share, *search((rmse * (1 + EXACT)) ** 2 - curvature.floor_loss)))
        epochs = goals[-1].epochs
        if epochs is not None and epochs <= max(1, allowed // 2):
            break
    return goals[-1]


# Epochs, a rate that needs no more, and how many were tried.
Found = tuple[int | None, float | None, int | None]
Search = Callable[[float], Found]  # the fewest epochs in which a gap L − L* is reached


def _of_parabola(curvature: Curvature, start: Tensor, allowed: int) -> Search:
    lowest, rates = lowest_of_parabola(curvature, start, allowed)

    def search(gap: float) -> Found:
        reached = (lowest <= gap).nonzero()
        return (int(reached[0]) + 1, float(rates[reached[0]]), None) if len(reached) else (None, None, None)

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


class _Valleys(NamedTuple):
    """Where, after some epochs, the gap over the rate is lowest: between two rates each, at most so low. [V]."""

    epochs: Tensor
    low: Tensor
    high: Tensor
    lowest: Tensor


class _Tried:
    """Many rates, trained together for as many epochs as it takes; then the valleys between them, for every epoch."""

    def __init__(
        self, objective: Objective, curvature: Curvature, phase: Phase, start: Tensor, allowed: int
    ) -> None:
        self.allowed = allowed
        self.floor = curvature.floor_loss
        self.curvature, self.first = curvature, curvature.gap(start)
        self.step = (
            linear_step(phase) if is_constant(phase) else None
        )  # of which an epoch is known without those before
        self.follow = lambda rates: paths(objective, start, phase, rates, curvature=curvature)
        self.rates = _rates_to_try(curvature, phase, start, allowed)
        self.count = len(self.rates)
        self.states = self.follow(self.rates)
        next(self.states)
        self.best: list[tuple[float, float]] = []  # gap and rate after 1, 2 … epochs
        self.valleys: list[_Valleys] = []

    def search(self, gap: float) -> Found:
        for done in range(self.allowed):
            if done == len(self.best):
                self._go_on()
            if self.best[done][0] <= gap:
                return self._earlier(gap, done + 1, self.best[done][1])
        return self._earlier(gap, None, None)

    def _go_on(self) -> None:
        """One more epoch of all rates."""
        left = next(self.states) - self.floor
        at = int(left.argmin())
        self.best.append((float(left[at]), float(self.rates[at])))
        self.valleys.append(_valleys(self.rates[None], left[None], torch.tensor([len(self.best)]), PER_EPOCH))

    def _earlier(self, gap: float, epochs: int | None, rate: float | None) -> Found:
        """Look into the valleys that may reach the gap in fewer epochs, closer and closer."""
        last = self.allowed if epochs is None else epochs - 1
        valleys = self.valleys[:last]
        for _ in range(ROUNDS):
            if not valleys or last < 1:
                break
            one = _Valleys(*(torch.cat(parts) for parts in zip(*valleys, strict=True)))
            open_ = (one.lowest <= gap) & (one.epochs <= last)
            order = one.lowest[open_].argsort()[:VALLEYS]
            one = _Valleys(*(part[open_][order] for part in one))
            if not len(one.epochs):
                break
            shares = torch.linspace(0, 1, INSIDE, dtype=torch.float64)
            rates = one.low[:, None] + (one.high - one.low)[:, None] * shares  # [V, 9]
            self.count += rates.numel()
            left, reached = self._look(rates, one.epochs, last, gap)
            if reached is not None:
                epochs, rate = reached
                last = epochs - 1
            valleys = [_valleys(rates, left, one.epochs, 1)]
        return epochs, rate, self.count

    def _look(
        self, rates: Tensor, epochs: Tensor, last: int, gap: float
    ) -> tuple[Tensor, tuple[int, float] | None]:
        """The gap of each valley's rates after its own epochs, [V, 9], and the first epoch at which one is there.

        A rule that is linear in the gradient needs at one rate no epoch but the last for it; who seems to be there is trained.
        """
        left = torch.full_like(rates, math.inf)
        if self.step is not None:
            multiplied = multiples(
                self.step,
                rates.numpy()[..., None] * self.curvature.eigenvalues.numpy(),
                epochs.numpy()[:, None, None],
            )
            left = torch.from_numpy(multiplied**2 @ self.first.numpy()).nan_to_num(nan=math.inf)
            seem = (left <= gap).nonzero()
            seem = seem[epochs[seem[:, 0]].argsort(stable=True)][:TRAINED]
            if not len(seem):
                return left, None
            last, rates = int(epochs[seem[:, 0]].max()), rates[seem[:, 0], seem[:, 1]]
        for after, losses in enumerate(islice(self.follow(rates.flatten()), 1, last + 1), 1):
            now = losses - self.floor
            if float(now.min()) <= gap:
                return left, (after, float(rates.flatten()[now.argmin()]))
            if self.step is None and len(rows := (epochs == after).nonzero().flatten()):
                left[rows] = now.view_as(rates)[rows]
        return left, None


def _rates_to_try(curvature: Curvature, phase: Phase, start: Tensor, epochs: int) -> Tensor:
    """Equally far apart in the swings of the steepest direction up to the limit and in equal ratios above; sorted.

    Of a rule without a limit in equal ratios alone. What a schedule takes from the rate a larger η may give back.
    """
    step = linear_step(phase)
    away = (start - curvature.optimum).abs()
    if step is None:
        low, high = WITHOUT_A_LIMIT
        low, high = min(low, WAYS[0] * float(away.max())), max(high, WAYS[1] * float(away.max()))
        return rates_between(max(low, LEARNING_RATE.low), min(high, LEARNING_RATE.high), count=GRID)
    limit = stability_limit(curvature, phase)
    flattest = float(curvature.eigenvalues[curvature.gap(start) > 0].min())
    below = swinging_rates(step, curvature.largest, IN_A_HALF_SWING * max(epochs, GRID // 10), limit)
    highest, above = max(1.5, curvature.largest / flattest), ABOVE
    if not is_constant(phase):
        share = share_of(phase)
        highest, above = highest / max(LEAST, min(map(share, range(epochs)), default=1.0)), GRID
    above = rates_between(limit, limit * highest, count=above)
    return torch.cat([torch.from_numpy(below), above]).unique()


def _valleys(rates: Tensor, left: Tensor, epochs: Tensor, most: int) -> _Valleys:
    """The lowest valleys of each row over its rates, and how low each may be. Rates and gaps [R, K], epochs [R].

    As low as the parabola through three rates, and a tenth of their bend below it: a swing whose half has eight rates is
    nearer to it than that.
    """
    walls = torch.nn.functional.pad(left, (1, 1), value=math.inf)
    before, after = walls[:, :-2], walls[:, 2:]
    bend = before + after - 2 * left
    below = (before - after) ** 2 / (8 * bend).clamp(min=1e-300) + SAFE * bend
    lowest = left - torch.where(bend.isfinite(), below, left)
    lowest = torch.where((left <= before) & (left <= after) & left.isfinite(), lowest, math.inf)
    lowest, at = lowest.topk(min(most, lowest.shape[1]), dim=1, largest=False)
    low = rates.gather(1, (at - 1).clamp(min=0))
    high = rates.gather(1, (at + 1).clamp(max=rates.shape[1] - 1))
    there = lowest.isfinite()
    return _Valleys(epochs[:, None].expand_as(at)[there], low[there], high[there], lowest[there])


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
    # [E + 1, K].
    losses = torch.stack([*islice(paths(objective, start, phase, rates, curvature=curvature), allowed + 1)])
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
