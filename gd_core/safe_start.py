"""Settings with which data that were never seen before can be trained at once: a rate that settles, from their curvature."""

import math
from collections.abc import Callable
from dataclasses import replace

from gd_core.problem import Problem, build
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import LEARNING_RATE
from gd_core.theory import (
    Curvature,
    best_for,
    first_step_rate,
    parabola_of,
    stability_limit,
    why_no_limit,
)
from gd_core.verdict import ILL_CONDITIONED

SHARE = 0.5  # of the limit: 1/λ for gradient descent, with which no direction overshoots
MANY_NUMBERS = 1_000_000  # rows times parameters, from which on an epoch takes long
FEW_EPOCHS = 100


def safe_rate(experiment: Experiment, problem: Problem, curvature: Curvature) -> float:
    """Half of the stability limit, or, for a rule without one, a first step of a tenth of the way; cut to three digits."""
    if why_no_limit(experiment) is None:
        rate = SHARE * stability_limit(curvature, experiment.phase)
    else:
        rate = first_step_rate(experiment, problem, curvature)
    return _cut(rate)


def _cut(rate: float) -> float:
    """A rate with three digits, the others cut off."""
    unit = 10.0 ** (math.floor(math.log10(rate)) - 2)
    return float(f"{math.floor(rate / unit * (1 + 1e-12)) * unit:.2e}")


def measured(experiment: Experiment) -> tuple[Problem, Curvature | None]:
    """The problem of an experiment and the parabola that its loss is, if it is one."""
    problem = build(experiment)
    return problem, parabola_of(experiment, problem.objective)


def safe_start(
    experiment: Experiment, measure: Callable[[Experiment], tuple[Problem, Curvature | None]] = measured
) -> Experiment:
    """The same data from their usual start, all rows at a time, with a rate that settles.

    Features stay as they are, unless no rate that can be typed is small enough for them: then they are scaled. Where the
    loss is no parabola nobody knows a rate that settles, and the rate stays.

    Args:
        experiment: The data, the rule and the epochs.
        measure: Where problem and parabola come from, if they are kept somewhere.
    """
    plain = replace(experiment, batch_size=0, before=(), start="published")
    low, high = LEARNING_RATE.low, LEARNING_RATE.high
    for scaled in (plain.scale_features, True):
        one = replace(plain, scale_features=scaled)
        problem, curvature = measure(one)
        if curvature is None:
            return plain
        rate = safe_rate(one, problem, curvature)
        if rate >= low:
            break
    many = one.points * len(one.info.parameters) > MANY_NUMBERS
    epochs = min(one.epochs, FEW_EPOCHS) if many else one.epochs
    return replace(one, learning_rate=min(high, max(low, rate)), epochs=epochs)


def best_rate(experiment: Experiment, problem: Problem, curvature: Curvature) -> float:
    """The best for exactly the epochs of a run from its start; where no line tells that, one that settles. Three digits."""
    if why_no_limit(experiment) is not None or experiment.before or experiment.updates_per_epoch > 1:
        return safe_rate(experiment, problem, curvature)
    return _cut(best_for(curvature, experiment.phase, problem.start, experiment.epochs))


def opening(
    experiment: Experiment, measure: Callable[[Experiment], tuple[Problem, Curvature | None]] = measured
) -> Experiment:
    """A table as it opens: scaled where κ > 100 and scaling helps, at the best rate for its epochs.

    Args:
        experiment: The data, the rule and the epochs.
        measure: Where problem and parabola come from, if they are kept somewhere.
    """
    plain = safe_start(experiment, measure)
    _, curvature = measure(plain)
    if curvature is None:
        return plain
    one = plain
    if not plain.scale_features and curvature.condition_number > ILL_CONDITIONED:
        scaled = safe_start(replace(plain, scale_features=True), measure)
        then = measure(scaled)[1]
        one = scaled if then and then.condition_number < curvature.condition_number else plain
    problem, curvature = measure(one)
    assert curvature is not None  # it is one of the same loss
    rate = best_rate(one, problem, curvature)
    return replace(one, learning_rate=min(LEARNING_RATE.high, max(LEARNING_RATE.low, rate)))
