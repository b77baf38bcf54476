"""Four rates worth seeing side by side, and what happens close to the stability limit. All from the problem itself."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gd_core.lessons.learning_rate.sweep import TRIED, rates_between, sweep
from gd_core.lessons.perfect_fit import nothing
from gd_core.objective import Objective
from gd_core.problem import Problem
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import LEARNING_RATE, Phase
from gd_core.settings.rules import is_plain
from gd_core.theory import Curvature, Forecast, factor, gaps, stability_limit
from gd_core.training import Epochs, diverged_above
from gd_core.words import counted, percent, short, times

SLOW = 0.02  # of the limit, inside the zone "slow" of gradient descent
OVERSHOOTING = 0.95  # of the limit, or half-way from the best rate to it, whichever is higher
DIVERGING = 1.4  # of the limit
WITHOUT_A_LIMIT = (1e-5, 1e3)  # where the best rate of an adaptive rule is looked for
MILLIONTH, ROUNDING = 1e-6, 1e-12  # of the best gap, or of the floor: what is so near is as good
FEW = 5e-3  # of the way: what is left of it is named, not what is done
CLOSE = 1e-9  # of the way: so near the floor a run is at it
FOREVER = 10**15  # epochs; a loss that has not passed the bound by then is not said to


def four_rates(
    experiment: Experiment, problem: Problem, curvature: Curvature, forecast: Forecast
) -> tuple[float, ...]:
    """A slow rate, the best for these epochs, one that overshoots and one that diverges, to three digits or what it takes.

    The best has six or more: with momentum near 1 the sixth may part a valley from its wall. A rule without a
    limit has no such names: there a hundredth of the best, the best, 10 and 100 times it.
    """
    limit, best = forecast.stability_limit, forecast.best_for_epochs
    phase, epochs = experiment.phase, experiment.epochs

    def left(rates: Tensor) -> Tensor:
        return sweep(problem.objective, problem.start, phase, rates, epochs, curvature=curvature)

    if limit is None or best is None:
        rates = rates_between(*WITHOUT_A_LIMIT)
        best = float(rates[left(rates).argmin()])
        four = [float(f"{rate:.6g}") for rate in (best / 100, best, best * 10, best * 100)]
    else:
        overshooting = max(OVERSHOOTING, (1 + best / limit) / 2)
        wanted = (min(SLOW * limit, best / 10), best, overshooting * limit, DIVERGING * limit)
        four = [_few_digits(rate, (0, best, limit)) for rate in wanted]
    digits = [float(f"{best:.{digits}g}") for digits in range(6, 18)]
    gap = left(torch.tensor(digits, dtype=torch.float64)) - curvature.floor_loss
    as_good = gap <= gap[-1] + MILLIONTH * gap[-1].abs() + ROUNDING * curvature.floor_loss
    four[1] = digits[int(as_good.nonzero()[0])]
    return tuple(min(LEARNING_RATE.high, max(LEARNING_RATE.low, rate)) for rate in four)


def best_words(forecast: Forecast, epochs: int, above: bool) -> str:
    """What the second of the four is called beside its share of the limit; `above`: whether a rate above leaves less.

    Without a limit it is the best of those that were tried.
    """
    if forecast.stability_limit is None:
        return f"best of {short(TRIED)} rates tried"
    return "best below it" if above else f"best for {counted(epochs, 'epoch')}"


def share_words(forecast: Forecast, rate: float) -> str:
    """Where a rate lies: 95 % of the limit, 1.4 × the limit."""
    if forecast.stability_limit is None:
        return "this rule has no limit"
    share = rate / forecast.stability_limit
    if share == 1:
        return "exactly the limit"
    return f"{percent(share)} of the limit" if share < 1 else f"{times(share)} × the limit"


def way_words(recording: Epochs, forecast: Forecast) -> str:
    """How far a run came that has not diverged, of the RMSE's way from its start to the floor."""
    first, last = (float(recording.epoch_rmse[epoch]) for epoch in (0, -1))
    way = first - forecast.floor_rmse
    if way <= CLOSE * first:
        return ""
    if last - forecast.floor_rmse <= max(CLOSE * way, nothing(first, forecast)):
        return "at the floor"
    if last > first:
        return f"{times(last / first)} × the RMSE of the start"
    left = (last - forecast.floor_rmse) / way
    return (
        f"{percent(left)} of the way left" if left < FEW else f"{percent(1 - left)} of the way to the floor"
    )


def _few_digits(rate: float, others: Sequence[float]) -> float:
    """A rate as it is typed: with three digits, or more where that would bring it nearer to another one."""
    near = min(abs(rate - other) for other in others if other != rate) / 10
    return next(told for digits in range(3, 18) if abs((told := float(f"{rate:.{digits}g}")) - rate) <= near)


class NearLimit(NamedTuple):
    """What a rate near the limit does to the error along the steepest direction.

    Attributes:
        learning_rate: η.
        share: η over the limit.
        factor: What that error is multiplied by in an epoch, in the long run; without its sign.
        jumps: Whether that error changes its sign in every epoch; None for momentum, which swings at a pace of its own.
        has_part: Whether the start has any error along that direction.
        half_life: Epochs in which it halves; infinite at the limit and above.
        diverges_at: The epoch at which the loss passes 10⁶ × max(1, first loss); None if it never does.
    """

    learning_rate: float
    share: float
    factor: float
    jumps: bool | None
    has_part: bool
    half_life: float
    diverges_at: int | None

    @property
    def outcome(self) -> str:
        """shrinks, bounces or grows."""
        if self.share == 1:
            return "bounces"
        return "shrinks" if self.share < 1 else "grows"


def near_limit(
    objective: Objective, curvature: Curvature, phase: Phase, start: Tensor, share: float
) -> NearLimit:
    """What happens at a share of the stability limit, without training.

    Just above the limit the factor is just above 1, and the loss takes long to pass the bound that ends a run. The
    first epoch above it is found by doubling and halving: above the limit the loss, once it rises, only rises.

    Raises:
        ValueError: If the rule has no limit.
    """
    rate = share * stability_limit(curvature, phase)
    multiplied = 1.0 if share == 1 else factor(phase, rate, curvature.largest)
    error = curvature.along(start)
    has_part = abs(float(error[-1])) > 1e-12 * float(error.norm())
    half_life = (
        math.log(0.5) / math.log(multiplied) if 0 < multiplied < 1 else 0.0 if multiplied == 0 else math.inf
    )
    diverges_at = None
    if share > 1 and bool(
        (gaps(curvature, phase, start, torch.tensor([rate], dtype=torch.float64), 0) > 0).all()
    ):
        diverges_at = _first_above(objective, curvature, phase, start, rate)
    jumps = rate * curvature.largest > 1 if is_plain(phase) else None
    return NearLimit(rate, share, multiplied, jumps, has_part, half_life, diverges_at)


def _first_above(
    objective: Objective, curvature: Curvature, phase: Phase, start: Tensor, rate: float
) -> int | None:
    bound = diverged_above(float(objective(start)))
    rates = torch.tensor([rate], dtype=torch.float64)

    def is_above(epoch: int) -> bool:
        return not curvature.floor_loss + float(gaps(curvature, phase, start, rates, epoch)) <= bound

    low, high = 0, 1
    while not is_above(high):
        low, high = high, 2 * high
        if high > FOREVER:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_above(middle) else (middle, high)
    return high
