"""Settings with which data that were never seen before can be trained at once: a rate that settles, from their curvature."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from gd_core import in_batches
from gd_core.problem import Problem, build
from gd_core.reasons.phrases import ILL_CONDITIONED
from gd_core.remedies import remedies_of
from gd_core.robust import lowest_of, settles_below, slope_of
from gd_core.settings.catalog import OFFERED
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import LEARNING_RATE, typed_rate
from gd_core.settings.rules import is_plain, linear_step
from gd_core.settings.table_fields import is_always_scaled
from gd_core.theory import (
    Curvature,
    Forecast,
    best_for,
    best_is_sought,
    first_step_rate,
    parabola_of,
    why_no_limit,
)
from gd_core.words import counted, rounded, short, some

MUST_BE_SCALED = (
    "scale_features must be true for this table, whose features as they are take a rate smaller than any that can be typed. "
    "Got false."
)
MANY_NUMBERS = 1_000_000  # rows times parameters, from which on an epoch takes long
FEW_EPOCHS = 100


def safe_rate(experiment: Experiment, problem: Problem, curvature: Curvature) -> float:
    """A rate that settles; for a rule without theory one with a first step of a tenth of the way. In three digits."""
    if linear_step(experiment.phase) is None:
        return typed_rate(first_step_rate(experiment, problem, curvature))
    batch_size = experiment.batch_size if experiment.updates_per_epoch > 1 else 0
    return typed_rate(in_batches.settling_rate(curvature, experiment.phase, batch_size))


class Safe(NamedTuple):
    """A rate to begin with on rows that nobody has tried: what it is called, and why it is safe, for a student."""

    label: str
    rate: float
    why: str

    @property
    def title(self) -> str:
        """Its name where it does not stand among rates."""
        return f"{self.label} rate" if self.label == "Safe" else self.label


def safe_of(forecast: Forecast) -> Safe:
    """The safe rate beside the best ones, which lie close to the limit."""
    experiment = forecast.experiment
    rate = safe_rate(experiment, forecast.problem, forecast.curvature)
    if linear_step(experiment.phase) is None:
        return Safe(
            "To begin with", rate, "The first step goes a tenth of the way. The best rate has to be tried."
        )
    if experiment.updates_per_epoch > 1:
        return Safe("Safe", rate, "Half of what a batch is likely to bear. Smaller ones hover lower.")
    return Safe(
        "Safe", rate, "Half the limit: it still settles on other rows that are nearly twice as steep."
    )


def safe_without_parabola(experiment: Experiment, problem: Problem) -> Safe | None:
    """The same for gradient descent on all rows, of a loss that is no parabola and whose lowest point is known; else None.

    Of the absolute error there is no rate that settles. Of n epochs at a rate η the lowest loss is sure to be within R²/(2ηn) + ηG²/2 of
    the lowest of all, R the way to it and G the largest slope: least at R/(G√n).

    Source:
        Nesterov, "Introductory Lectures on Convex Optimization", 2004, section 3.2.3.
    """
    lowest = lowest_of(problem.objective)
    if lowest is None or experiment.updates_per_epoch > 1 or not is_plain(experiment):
        return None
    if math.isfinite(lowest.bends):
        sure = "Half of a rate that is sure to settle, from any start. A larger one may settle too."
        return Safe("Safe", typed_rate(settles_below(lowest) / 2), sure)
    way = float((problem.start - lowest.optimum).norm())
    rate = way / (slope_of(lowest) * experiment.epochs**0.5)
    promised = f"Of all fixed rates the one whose lowest loss in {counted(experiment.epochs, 'epoch')} is sure to come closest."
    return Safe("To begin with", typed_rate(rate), promised) if rate else None


def epochs_needed(forecast: Forecast) -> float | None:
    """Epochs to within 1 % of the floor at the rate as it is, see `Remedies.stay`; None where nobody knows."""
    experiment, limit = forecast.experiment, forecast.stability_limit
    if limit is None or experiment.before or experiment.learning_rate >= limit:
        return None
    remedies = remedies_of(forecast)
    return remedies and remedies.stay


def so_many(epochs: float) -> str:
    """That number in a sentence."""
    return some(epochs) if math.isfinite(epochs) else "more than a trillion epochs"


def measured(experiment: Experiment) -> tuple[Problem, Curvature | None]:
    """The problem of an experiment and the parabola that its loss is, if it is one."""
    problem = build(experiment)
    return problem, parabola_of(experiment, problem.objective)


def why_scaled(
    experiment: Experiment, measure: Callable[[Experiment], tuple[Problem, Curvature | None]] = measured
) -> str | None:
    """That no rate that can be typed settles on the columns as they are, and what to do; None if one does."""
    if is_always_scaled(vars(experiment)):
        return None
    raw = replace(experiment, scale_features=False, batch_size=0, before=())
    problem, curvature = measure(raw)
    if curvature is None or (rate := safe_rate(raw, problem, curvature)) >= LEARNING_RATE.low:
        return None
    return said_too_small(
        rate, "so the features are scaled" if experiment.scale_features else "scale the features"
    )


def safe_start(
    experiment: Experiment, measure: Callable[[Experiment], tuple[Problem, Curvature | None]] = measured
) -> Experiment:
    """The same data from their usual start, all rows at a time, with a rate that settles.

    Features stay as they are, unless no rate that can be typed is small enough for them: then they are scaled. Where the
    loss is no parabola see `safe_without_parabola`.

    Args:
        experiment: The data, the rule and the epochs.
        measure: Where problem and parabola come from, if they are kept somewhere.
    """
    plain = replace(experiment, batch_size=0, before=(), start="published")
    for scaled in (plain.scale_features, True):
        one = replace(plain, scale_features=scaled)
        problem, curvature = measure(one)
        if curvature is None:
            return _without_parabola(plain, measure)
        rate = safe_rate(one, problem, curvature)
        if rate > LEARNING_RATE.low:
            break
    many = one.points * len(one.info.parameters) > MANY_NUMBERS
    epochs = min(one.epochs, FEW_EPOCHS) if many else one.epochs
    return replace(one, learning_rate=min(LEARNING_RATE.high, rate), epochs=epochs)


def _without_parabola(
    experiment: Experiment, measure: Callable[[Experiment], tuple[Problem, Curvature | None]]
) -> Experiment:
    """At the rate of `safe_without_parabola`; else nobody knows one: that which its model is offered with, or as it is."""
    safe = safe_without_parabola(experiment, measure(experiment)[0])
    if safe is None and is_always_scaled(vars(experiment)):
        return replace(experiment, learning_rate=OFFERED[experiment.model].learning_rate)
    if safe is None:
        return experiment
    return replace(experiment, learning_rate=min(LEARNING_RATE.high, max(LEARNING_RATE.low, safe.rate)))


def best_rate(experiment: Experiment, problem: Problem, curvature: Curvature) -> float:
    """The best for exactly the epochs of a run from its start; where no line tells that, one that settles. Three digits."""
    unknown = why_no_limit(experiment) is not None or experiment.before or experiment.updates_per_epoch > 1
    if unknown or not best_is_sought(experiment.phase, len(problem.start), experiment.epochs):
        return safe_rate(experiment, problem, curvature)
    return typed_rate(best_for(curvature, experiment.phase, problem.start, experiment.epochs))


def opening(
    experiment: Experiment, measure: Callable[[Experiment], tuple[Problem, Curvature | None]] = measured
) -> Experiment:
    """A table as it opens: scaled where κ > 100 and scaling helps, at the best rate for its epochs.

    Args:
        experiment: The data, the rule and the epochs.
        measure: Where problem and parabola come from, if they are kept somewhere.
    """
    if is_always_scaled(vars(experiment)):
        return safe_start(experiment, measure)
    if not experiment.loss_info.squared:  # columns that slow one loss down slow the other
        square = opening(replace(experiment, loss=Experiment.loss), measure)
        return safe_start(replace(experiment, scale_features=square.scale_features), measure)
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
    return replace(one, learning_rate=min(LEARNING_RATE.high, best_rate(one, problem, curvature)))


def as_opened(experiment: Experiment) -> tuple[Experiment, str]:
    """An experiment on a table of whose rate nothing was said: as the page opens it, from its own start and in its own batches.

    Returns:
        It, scaled where that helps, at the best rate for its epochs; and the sentence that says so, or "".
    """
    scaled = opening(experiment).scale_features
    one = replace(experiment, scale_features=scaled)
    problem, curvature = measured(one)
    said = ""
    if scaled and not experiment.scale_features:
        plain = measured(experiment)[1]
        said = why_scaled(one) or (said_scaled(plain.condition_number) if plain else "")
    if curvature is None:
        return _without_parabola(one, measured), said
    rate = best_rate(one, problem, curvature)
    return replace(one, learning_rate=min(LEARNING_RATE.high, max(LEARNING_RATE.low, rate))), said


def said_too_small(rate: float, then: str) -> str:
    """That a rate which settles cannot be typed."""
    return (
        f"On these columns as they are a rate of {short(rate)} would settle, and the least that can be typed is "
        f"{short(LEARNING_RATE.low)}: {then}."
    )


def said_scaled(condition_number: float) -> str:
    """That features are scaled of which nobody has said it, and how not."""
    return f"The features are scaled: as they are, κ = {rounded(condition_number)}. --no-scale-features leaves them so."
