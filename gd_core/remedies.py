"""What would help a slow run, and how many epochs each remedy takes to come within 1 % of the floor.

For rules that are linear in the gradient the gap after n epochs is known in closed form, so remedies are compared by
what they would take, not by rules of thumb. What mini-batches do beside that is tried: a remedy counts if the run itself,
with the change, comes there and stays.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from torch import Tensor

from gd_core import gone_on, in_batches
from gd_core.problem import Problem, build
from gd_core.rate_search import each_under, multiples, widest
from gd_core.settings.catalog import why_not_scaled
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import HYPERPARAMETERS, LEARNING_RATE, Phase, typed_rate
from gd_core.settings.rules import OPTIMIZER_INFO, felt, linear_step
from gd_core.settings.schedules import is_constant, share_of
from gd_core.theory import Curvature, Forecast, best_in_the_long_run, curvature_of, limit_along
from gd_core.training import diverged_above

WITHIN = 0.01  # of the floor,
NOTHING_LEFT = 1e-6  # or of the first RMSE where the floor is 0
SHARES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)  # of the limit: rates that are tried
LONGEST = 10**12  # epochs that are looked for
LOOKS = 2000  # epochs looked at, of a run that swings to the floor
SMALLER = (1.0, 0.4, 0.1)  # of a rate at which batches settle: those that are tried,
TRIED = 2000  # for so many updates,
STAYS = 0.7  # of which the rest must stay near the floor
BETTER = 0.67  # of the epochs, from which a remedy is worth its name,
MUCH_BETTER = 0.33  # and one that changes more than the rate
FEW = 8  # epochs that it must save
NO_MOMENTUM = 0.02  # a β below it is none


class Remedy(NamedTuple):
    """A change, and what it would take.

    Attributes:
        epochs: From the start of the phase to within 1 % of the floor.
        rate: The learning rate.
        momentum: Another β, or None for the same.
        scaled: Whether the features are scaled first.
    """

    epochs: float
    rate: float
    momentum: float | None = None
    scaled: bool = False


@dataclass(frozen=True, eq=False)
class Remedies:
    """What can be done about a slow run; each is worked out when it is asked for."""

    experiment: Experiment
    problem: Problem
    curvature: Curvature

    @property
    def stay(self) -> float:
        """Epochs at the rate and with the rule as they are; infinite if it never gets there."""
        return self._as_it_is[0]

    @property
    def more_than(self) -> int | None:
        """Epochs tried in vain where mini-batches take too long to be tried to the end: `stay` is the mean error's then."""
        return self._as_it_is[1]

    @cached_property
    def _as_it_is(self) -> tuple[float, int | None]:
        return _as_it_is(self.experiment, self.problem, self.curvature)

    @cached_property
    def rate(self) -> Remedy | None:
        """Another rate alone; None if none that was tried comes there."""
        return _best_rate(self.experiment, self.problem, self.curvature)

    @cached_property
    def momentum(self) -> Remedy | None:
        """Another β and its rate, for a rule that has one; else None."""
        return _less_momentum(self.experiment, self.problem, self.curvature)

    @cached_property
    def scaling(self) -> Remedy | None:
        """Scaled features and their rate; None if they are scaled, or cannot be, or do not come there."""
        return _scaled(self.experiment)

    @property
    def best(self) -> Remedy | None:
        """The cheapest; of several that take about as long the simplest. None if nothing is much quicker than to go on."""
        found, left = None, self.stay
        for remedy in (self.rate, self.momentum, self.scaling):
            if (
                remedy
                and remedy.epochs < (MUCH_BETTER if found else BETTER) * left
                and left - remedy.epochs >= FEW
            ):
                found, left = remedy, remedy.epochs
        return found


def remedies_of(forecast: Forecast) -> Remedies | None:
    """What would help; None for a rule without theory, and under a schedule. Kept with the forecast."""
    experiment, curvature = forecast.experiment, forecast.curvature
    if (
        not is_constant(experiment)
        or linear_step(experiment.phase) is None
        or not bool((curvature.eigenvalues > 0).any())
    ):
        return None
    return forecast.worked_out.setdefault("remedies", Remedies(experiment, forecast.problem, curvature))


def _least(curvature: Curvature, first: float) -> float:
    """The gap at which the RMSE is within 1 % of the floor, or a millionth of the first where the floor is 0."""
    if curvature.floor_is_zero:
        return max(NOTHING_LEFT**2 * first, 1e-14 * curvature.floor_loss)
    return (2 * WITHIN + WITHIN**2) * curvature.floor_loss


def epochs_to_floor(curvature: Curvature, phase: Phase, start: Tensor) -> float:
    """Epochs on all rows until the RMSE is near the floor, and stays there; infinite if that never comes.

    First a bound in which swings count as if they were at their widest, then the last epoch below it that is not near.
    """
    step, first = linear_step(phase), curvature.gap(start).numpy()
    assert step is not None
    least, rates = (
        _least(curvature, float(first.sum())),
        phase.learning_rate * felt(phase, curvature.eigenvalues).numpy(),
    )
    if first.sum() <= least:
        return 0
    if not widest(step, rates, LONGEST) ** 2 @ first <= least:
        return math.inf
    low, high = 0, LONGEST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if widest(step, rates, middle) ** 2 @ first <= least else (middle, high)
    while high:
        looked_at = np.unique(np.linspace(high // 2, high, LOOKS).round())
        far = looked_at[multiples(step, rates, looked_at[:, None]) ** 2 @ first > least]
        if len(far):
            return int(far[-1]) + 1
        high //= 2
    return 1


def epochs_under(curvature: Curvature, phase: Phase, start: Tensor, first_loss: float) -> float:
    """The same under the phase's schedule, of its own epochs: infinite if that is in none of them, or it is lost before."""
    step, first = linear_step(phase), curvature.gap(start).numpy()
    assert step is not None
    rates = phase.learning_rate * felt(phase, curvature.eigenvalues).numpy()
    shares = map(share_of(phase), range(phase.epochs))
    with np.errstate(all="ignore"):
        left = np.array([multiplied**2 @ first for multiplied in each_under(step, rates, shares)])
        if not (curvature.floor_loss + left <= diverged_above(first_loss)).all():
            return math.inf
    far = np.flatnonzero(left > _least(curvature, float(first.sum())))
    arrived = int(far[-1]) + 1 if len(far) else 0
    return arrived if arrived <= phase.epochs else math.inf


def _tried(experiment: Experiment, problem: Problem, curvature: Curvature) -> tuple[float, int]:
    """Epochs until mini-batches are near the floor and stay there, by the run itself; infinite if not by the epochs tried.

    From then on the mean over each last tenth is near, for twice as long again as the mean
    error takes. Returned with how many epochs were tried.
    """
    first = float(curvature.gap(problem.start).sum())
    if first <= (least := _least(curvature, first)):
        return 0, 0
    mean = min(LONGEST, epochs_to_floor(curvature, experiment.phase, problem.start))
    enough = 3 * math.ceil(mean / experiment.updates_per_epoch) + FEW
    tried = min(gone_on.epochs_in(experiment, TRIED), enough)
    if tried < 1:
        return math.inf, 0
    alone = replace(experiment, before=(), epochs=1)
    gaps = gone_on.gaps_gone_on(alone, build(alone, problem), curvature, tried, 1.0).numpy()[1:]
    # From each epoch on: so no large sum hides a small gap.
    to_come = np.append(gaps[::-1].cumsum()[::-1], 0.0)
    counts = np.arange(1, tried + 1)
    tail = np.maximum(1, counts // 10)
    with np.errstate(invalid="ignore"):
        far = np.flatnonzero(~((to_come[counts - tail] - to_come[counts]) / tail <= least))
    arrived = int(far[-1]) + 2 if len(far) else 1
    return (arrived, tried) if arrived <= STAYS * tried else (math.inf, tried)


def _as_it_is(experiment: Experiment, problem: Problem, curvature: Curvature) -> tuple[float, int | None]:
    """What the run takes as it is; and, where that is the mean error's alone, how many epochs were tried in vain."""
    mean = epochs_to_floor(curvature, experiment.phase, problem.start)
    if experiment.updates_per_epoch == 1:
        return mean, None
    found, tried = _tried(experiment, problem, curvature)
    mean = mean / experiment.updates_per_epoch
    return (mean, tried) if math.isinf(found) and mean > STAYS * tried / 2 else (found, None)


def _best_rate(experiment: Experiment, problem: Problem, curvature: Curvature) -> Remedy | None:
    """The quickest of some rates below the limit; in mini-batches the first of some with which the run comes there."""
    phase = experiment.phase
    if experiment.updates_per_epoch > 1:
        rate = in_batches.settling_rate(curvature, phase, experiment.rows_per_update)
        for share in SMALLER:
            typed = typed_rate(share * rate)
            if not LEARNING_RATE.low <= typed <= LEARNING_RATE.high:
                continue
            found, _ = _tried(replace(experiment, before=(), learning_rate=typed), problem, curvature)
            if math.isfinite(found):
                return Remedy(found, typed)
        return None
    limit = limit_along(curvature.largest, phase)
    patient = best_in_the_long_run(curvature, phase)
    rates = [share * limit for share in SHARES] + ([patient] if patient < 0.999 * limit else [])
    tried = [
        Remedy(epochs_to_floor(curvature, phase._replace(learning_rate=typed), problem.start), typed)
        for typed in map(typed_rate, rates)
        if LEARNING_RATE.low <= typed <= LEARNING_RATE.high
    ]
    return min(tried, key=lambda remedy: (remedy.epochs, remedy.rate), default=None)


def _less_momentum(experiment: Experiment, problem: Problem, curvature: Curvature) -> Remedy | None:
    """The β that is best for this κ, ((√κ − 1)/(√κ + 1))², and its rate."""
    step = linear_step(experiment.phase)
    if step is None or step.beta == 0 or experiment.updates_per_epoch > 1:
        return None
    root = math.sqrt(curvature.largest / curvature.smallest)
    beta = float(f"{((root - 1) / (root + 1)) ** 2:.2g}")
    beta = beta if beta > NO_MOMENTUM else 0.0
    if not HYPERPARAMETERS["momentum"].low <= beta <= HYPERPARAMETERS["momentum"].high:
        return None
    found = _best_rate(replace(experiment, momentum=beta), problem, curvature)
    return found and found._replace(momentum=beta)


def _scaled(experiment: Experiment) -> Remedy | None:
    """The same run with scaled features, at the quickest of its rates. Of scaled weights a penalty is another loss."""
    if experiment.scale_features or experiment.penalty or why_not_scaled(experiment.info) is not None:
        return None
    if OPTIMIZER_INFO[experiment.optimizer].over_curvature:
        return None  # for which all scales are one
    other = replace(experiment, scale_features=True)
    problem = build(other)
    curvature = curvature_of(problem.objective)
    found = _best_rate(other, problem, curvature)
    return found and found._replace(scaled=True)
