"""Settings with which data that were never seen before can be trained at once: a rate that settles, from their curvature."""

import math
from collections.abc import Callable
from dataclasses import replace

from gd_core.problem import Problem, build
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import LEARNING_RATE
from gd_core.theory import (
    Curvature,
    first_step_rate,
    parabola_of,
    stability_limit,
    why_no_limit,
)
from gd_core.words import short

SHARE = 0.5  # of the limit: 1/λ for gradient descent, with which no direction overshoots
MANY_NUMBERS = 1_000_000  # rows times parameters, from which on an epoch takes long
FEW_EPOCHS = 100


def safe_rate(experiment: Experiment, problem: Problem, curvature: Curvature) -> float:
    """Half of the stability limit, or, for a rule without one, a first step of a tenth of the way; cut to three digits."""
    if why_no_limit(experiment) is None:
        rate = SHARE * stability_limit(curvature, experiment.phase)
    else:
        rate = first_step_rate(experiment, problem, curvature)
    unit = 10.0 ** (math.floor(math.log10(rate)) - 2)
    return float(f"{math.floor(rate / unit * (1 + 1e-12)) * unit:.2e}")


def measured(experiment: Experiment) -> tuple[Problem, Curvature | None]:
    """The problem of an experiment and the parabola that its loss is, if it is one."""
    problem = build(experiment)
    return problem, parabola_of(experiment, problem.objective)


def why_scaled(
    experiment: Experiment, measure: Callable[[Experiment], tuple[Problem, Curvature | None]] = measured
) -> str | None:
    """That no rate that can be typed settles on the columns as they are, and what to do; None if one does."""
    raw = replace(experiment, scale_features=False, batch_size=0, before=())
    problem, curvature = measure(raw)
    if curvature is None or (rate := safe_rate(raw, problem, curvature)) >= LEARNING_RATE.low:
        return None
    then = "so the features are scaled" if experiment.scale_features else "scale the features"
    return (
        f"On these columns as they are a rate of {short(rate)} would settle, and the least that can be typed is "
        f"{short(LEARNING_RATE.low)}: {then}."
    )


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
