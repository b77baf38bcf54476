"""What would help a slow run, and how many epochs each remedy takes to come within 1 % of the floor.

For rules that are linear in the gradient the gap after n epochs is known in closed form, so remedies are compared by
what they would take, not by rules of thumb. In mini-batches the mean error goes the same way, an update at a time.
"""

import math
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from gd_core import in_batches
from gd_core.objective import as_parabola
from gd_core.problem import Problem, build
from gd_core.settings.catalog import why_not_scaled
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import HYPERPARAMETERS, LEARNING_RATE, Phase
from gd_core.settings.rules import linear_step
from gd_core.theory import Curvature, Forecast, best_in_the_long_run, curvature_of, gaps, limit_along

WITHIN = 0.01  # of the floor,
NOTHING_LEFT = 1e-6  # or of the first RMSE where the floor is 0
SHARES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)  # of the limit: rates that are tried
LONGEST = 10**12  # epochs that are looked for
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


class Remedies(NamedTuple):
    """What can be done about a slow run.

    Attributes:
        stay: Epochs at the rate and with the rule as they are; infinite if it never gets there.
        rate: Another rate alone.
        momentum: Another β and its rate, for a rule that has one; else None.
        scaling: Scaled features and their rate; None if they are scaled, or cannot be.
    """

    stay: float
    rate: Remedy
    momentum: Remedy | None
    scaling: Remedy | None

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
    """What would help; None for a rule without theory. Worked out once for a forecast."""
    if "remedies" not in forecast.worked_out:
        forecast.worked_out["remedies"] = _remedies(forecast)
    return forecast.worked_out["remedies"]


def _remedies(forecast: Forecast) -> Remedies | None:
    experiment, curvature, problem = forecast.experiment, forecast.curvature, forecast.problem
    phase = experiment.phase
    if linear_step(phase) is None or not bool((curvature.eigenvalues > 0).any()):
        return None
    start = problem.start
    return Remedies(
        stay=epochs_to_floor(curvature, phase, start, experiment.updates_per_epoch),
        rate=_best_rate(experiment, problem, curvature, phase, start),
        momentum=_less_momentum(experiment, problem, curvature, phase, start),
        scaling=_scaled(experiment),
    )


def epochs_to_floor(curvature: Curvature, phase: Phase, start: Tensor, updates_per_epoch: int = 1) -> float:
    """Epochs until the RMSE is within 1 % of the floor, or a millionth of the first where the floor is 0, and stays there; infinite if that never comes."""
    first = float(curvature.gap(start).sum())
    least = max((2 * WITHIN + WITHIN**2) * curvature.floor_loss, 1e-14 * (first + curvature.floor_loss))
    if curvature.floor_is_zero:
        least = max(NOTHING_LEFT**2 * first, 1e-14 * curvature.floor_loss)

    def arrived(updates: int) -> bool:  # momentum comes by more than once before it stays
        return all(
            float(gaps(curvature, phase, start, rate, math.ceil(updates * later))) <= least
            for later in ((1.0, 1.03, 1.1, 1.3) if phase_swings else (1.0,))
        )

    rate = torch.tensor([phase.learning_rate], dtype=torch.float64)
    step = linear_step(phase)
    phase_swings = step is not None and step.beta > 0
    high = 1
    if first <= least:
        return 0
    while not arrived(high):
        high *= 4
        if high > LONGEST * updates_per_epoch:
            return math.inf
    low = high // 4
    while high - low > max(1, high // 200):
        middle = (low + high) // 2
        low, high = (low, middle) if arrived(middle) else (middle, high)
    return -(-high // updates_per_epoch)


def _best_rate(
    experiment: Experiment, problem: Problem, curvature: Curvature, phase: Phase, start: Tensor
) -> Remedy:
    """The quickest of some rates below the limit; in mini-batches of some that no batch makes grow."""
    if experiment.updates_per_epoch > 1:
        rate = _settling(experiment, problem, phase)
        rates = [rate, rate / 2]
    else:
        limit = limit_along(curvature.largest, phase)
        rates = [share * limit for share in SHARES]
        patient = best_in_the_long_run(curvature, phase)
        rates += [patient] if patient < 0.999 * limit else []
    tried = []
    for rate in rates:
        typed = _typed(rate)
        took = epochs_to_floor(
            curvature, phase._replace(learning_rate=typed), start, experiment.updates_per_epoch
        )
        tried.append(Remedy(took, typed))
    return min(tried, key=lambda remedy: (remedy.epochs, remedy.rate))


def _settling(experiment: Experiment, problem: Problem, phase: Phase) -> float:
    """A rate at which batches settle: a quarter of the way of a batch's own steepest; 1/(1 − β) gradients count in all."""
    step, whole = linear_step(phase), as_parabola(problem.objective)
    assert step is not None
    assert whole is not None
    plain = phase._replace(optimizer="gradient-descent")
    return 0.25 * step.per_gradient * in_batches.safe_rate(whole.features, experiment.rows_per_update, plain)


def _less_momentum(
    experiment: Experiment, problem: Problem, curvature: Curvature, phase: Phase, start: Tensor
) -> Remedy | None:
    """The β that is best for this κ, ((√κ − 1)/(√κ + 1))², and its rate."""
    step = linear_step(phase)
    if step is None or step.beta == 0 or experiment.updates_per_epoch > 1:
        return None
    root = math.sqrt(curvature.largest / curvature.smallest)
    beta = float(f"{((root - 1) / (root + 1)) ** 2:.2g}")
    beta = beta if beta > NO_MOMENTUM else 0.0
    if not HYPERPARAMETERS["momentum"].low <= beta <= HYPERPARAMETERS["momentum"].high:
        return None
    found = _best_rate(experiment, problem, curvature, phase._replace(momentum=beta), start)
    return found._replace(momentum=beta)


def _scaled(experiment: Experiment) -> Remedy | None:
    """The same run with scaled features, at the quickest of its rates."""
    if experiment.scale_features or why_not_scaled(experiment.info) is not None:
        return None
    other = replace(experiment, scale_features=True)
    problem = build(other)
    curvature = curvature_of(problem.objective)
    found = _best_rate(other, problem, curvature, other.phase, problem.start)
    return found._replace(scaled=True)


def _typed(rate: float) -> float:
    """A rate as one would type it: three digits, rounded down, within its bounds."""
    power = 10.0 ** (math.floor(math.log10(rate)) - 2)
    return min(
        LEARNING_RATE.high, max(LEARNING_RATE.low, float(f"{math.floor(rate / power + 1e-9) * power:.2e}"))
    )
