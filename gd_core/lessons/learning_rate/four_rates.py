"""Four rates worth seeing side by side, and what happens close to the stability limit. All from the problem itself."""

import math
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gd_core.lessons.learning_rate.sweep import TRIED, paths, rates_between, sweep
from gd_core.lessons.perfect_fit import nothing
from gd_core.objective import Objective
from gd_core.problem import Problem
from gd_core.rate_search import each_under
from gd_core.reasons.scheduled import when_above
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import LEARNING_RATE, Phase
from gd_core.settings.rules import felt, is_plain, linear_step
from gd_core.settings.schedules import is_constant, share_of
from gd_core.theory import Curvature, Forecast, factor, gaps, stability_limit
from gd_core.training import Epochs, diverged_above
from gd_core.words import counted, percent, short, times

SLOW = 0.02  # of the limit, inside the zone "slow" of gradient descent
OVERSHOOTING = 0.95  # of the limit, or half-way from the best rate to it, whichever is higher
DIVERGING = 1.4  # of the limit
HIGHER, FAR = 1.25, 40  # steps by which under a schedule a rate is sought that diverges, and how many
WITHOUT_A_LIMIT = (1e-5, 1e3)  # where the best rate of an adaptive rule is looked for
NEXT_TO_IT = 0.99995  # of the limit
MILLIONTH, ROUNDING = 1e-6, 1e-12  # of the best gap, or of the floor: what is so near is as good
FEW = 5e-3  # of the way: what is left of it is named, not what is done
CLOSE = 1e-9  # of the way: so near the floor a run is at it
FOREVER = 10**15  # epochs; a loss that has not passed the bound by then is not said to


def four_rates(
    experiment: Experiment, problem: Problem, curvature: Curvature, forecast: Forecast
) -> tuple[float, ...]:
    """A slow rate, the best for these epochs, one that overshoots and one that diverges, to three digits or what it takes.

    The best has six or more: with momentum near 1 the sixth may part a valley from its wall. Under a schedule the best up
    to the limit may lie next to it, and the best of all above: then the third is half-way to the one that diverges. A rule without a
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
        diverging = DIVERGING
        if not is_constant(experiment):  # which may make up for more
            higher = DIVERGING * HIGHER ** torch.arange(FAR, dtype=torch.float64)
            lost = left(limit * higher).isinf().nonzero()
            diverging = float(higher[int(lost[0]) if len(lost) else 0])
            if best > OVERSHOOTING * limit:
                overshooting = math.sqrt(diverging)
        wanted = (min(SLOW * limit, best / 10), best, overshooting * limit, diverging * limit)
        four = [_few_digits(rate, (0, best, limit)) for rate in wanted]
    digits = [float(f"{best:.{digits}g}") for digits in range(6, 18)]
    if limit is not None:  # the best may be next to it, and is below
        digits = [rate for rate in digits if rate <= limit]
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
    share, phase = rate / forecast.stability_limit, forecast.experiment.phase
    if share == 1:
        return "exactly the limit"
    if NEXT_TO_IT < share < 1:
        return "just below the limit"
    if share < 1:
        return f"{percent(share)} of the limit"
    above = ""
    if not is_constant(phase):
        when = when_above(phase._replace(learning_rate=rate), forecast.stability_limit)
        above = f", above it {when}" if when else ", which no epoch comes to"
    return f"{times(share)} × the limit{above}"


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
    """What happens at a share of the stability limit, without training, where the rate stays as it is.

    Just above the limit the factor is just above 1, and the loss takes long to pass the bound that ends a run. The
    first epoch above it is found by doubling and halving: above the limit the loss, once it rises, only rises.

    Raises:
        ValueError: If the rule has no limit.
    """
    rate = share * stability_limit(curvature, phase)
    multiplied = 1.0 if share == 1 else factor(phase, rate, curvature.largest)
    has_part = _has_part(curvature, start)
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


class Passing(NamedTuple):
    """What a run under a schedule does to the error along the steepest direction, its η being near the limit.

    Attributes:
        learning_rate: η.
        above: The epochs in which the rate is above the limit, in words; "" where in none.
        has_part: Whether the start has any error along that direction.
        largest: The largest size of that error, as a share of the first.
        left: Its size after the epochs.
        epochs: How many.
        diverges_at: The epoch at which the loss passes 10⁶ × max(1, first loss); None if in none of them.
    """

    learning_rate: float
    above: str
    has_part: bool
    largest: float
    left: float
    epochs: int
    diverges_at: int | None


def passing(objective: Objective, curvature: Curvature, phase: Phase, start: Tensor, share: float) -> Passing:
    """What happens under the phase's schedule with η at a share of the stability limit.

    Raises:
        ValueError: If the rule has no limit.
    """
    limit = stability_limit(curvature, phase)
    rate, epochs = share * limit, phase.epochs
    run = paths(objective, start, phase, torch.tensor([rate], dtype=torch.float64), curvature=curvature)
    losses = torch.cat([*islice(run, epochs + 1)])
    steepest, step = np.array(rate * float(felt(phase, curvature.largest))), linear_step(phase)
    assert step is not None
    sizes = [abs(float(one)) for one in each_under(step, steepest, map(share_of(phase), range(epochs)))]
    gone = losses.isinf().nonzero()
    return Passing(
        rate,
        when_above(phase._replace(learning_rate=rate), limit),
        _has_part(curvature, start),
        max(sizes),
        sizes[-1],
        epochs,
        int(gone[0]) if len(gone) else None,
    )


def _has_part(curvature: Curvature, start: Tensor) -> bool:
    """Whether a start has any error along the steepest direction."""
    error = curvature.along(start)
    return abs(float(error[-1])) > 1e-12 * float(error.norm())


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
