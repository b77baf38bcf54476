"""What is said of a run on a loss that is no parabola and whose lowest loss is known: absolute error, Huber's, log loss."""

import math

from gd_core.outcome import Finding, Outcome
from gd_core.reasons.phrases import BATCHES, joined, phase_of
from gd_core.reasons.scheduled import goes_lower, hovers_lower, too_little
from gd_core.reasons.too_large import gone_at, too_far
from gd_core.robust import Lowest, closest, settles_below
from gd_core.settings import schedules
from gd_core.settings.experiment import Experiment
from gd_core.settings.rules import OPTIMIZER_INFO, NoLimit, is_plain
from gd_core.training import Epochs
from gd_core.words import counted, percent, short, significant, times

FAR = 0.25  # of a rate that is sure to settle: one below it is told so


def of_run(recording: Epochs, experiment: Experiment, finding: Finding, lowest: Lowest) -> str:
    """The run in at most three sentences."""
    name, end = experiment.loss_info.name, float(recording.epoch_loss[-1])
    beside = f"RMSE {significant(float(recording.epoch_rmse[-1]))}"
    if finding.accuracy is not None:
        right = round(finding.accuracy * experiment.training_rows)
        beside = (
            f"Right are {right:,} of {counted(experiment.training_rows, 'row')}, {percent(finding.accuracy)}"
        )
    known = "0 (a perfect fit, up to rounding)" if lowest.is_zero else significant(lowest.loss)
    least = f"the lowest is {known}" if lowest.attained else f"it nears {known} and never gets there"
    at = f"at {name} {significant(end)}; {least}. {beside}."
    after = f"after {counted(recording.epochs, 'epoch')}, {at}"
    match finding.outcome:
        case Outcome.CONVERGED:
            return f"Converged at epoch {finding.epoch:,}, {at}"
        case Outcome.DESCENDING:
            if not lowest.attained:
                return joined(f"Still descending {after}", *_why_for_ever(experiment, lowest))
            return joined(f"Still descending {after}", *_how_slow(recording, experiment, lowest))
        case Outcome.HOVERING:
            return joined(f"Hovering {after}", *_why_hovering(recording, experiment, lowest))
        case Outcome.GROWING:
            return joined(f"Growing {after}", _why_growing(experiment))
        case Outcome.STILL if not recording.still:
            phase, first = phase_of(recording, experiment)
            return joined(f"Standing still {after}", too_little(experiment, phase, recording.epochs - first))
        case Outcome.STILL:
            return (
                f"Stopped at epoch {recording.epochs:,}, where the loss changed by less than {short(experiment.tolerance)} in "
                f"an epoch, {at}"
            )
        case Outcome.DIVERGED:
            return joined(gone_at(recording, finding), _why_gone(recording, experiment, lowest))
        case Outcome.STOPPED:
            return f"Stopped at epoch {recording.epochs:,} of {experiment.total_epochs:,}, {at}"
        case _:
            raise ValueError(f"outcome must be one that such a loss can have. Got {finding.outcome}.")


def _why_for_ever(experiment: Experiment, lowest: Lowest) -> tuple[str, ...]:
    """Why the weights of a log loss never come to rest, and what holds them."""
    parted = "all rows" if lowest.loss == 0 else "some of the rows"
    return (
        f"The model can part yes from no in {parted} without an error: the surer it is of them the lower the loss, so the weights grow "
        "for ever.",
        "Penalise all parameters: that holds the intercept too."
        if experiment.penalty
        else "A penalty λ of all parameters holds them.",
    )


def _how_slow(recording: Epochs, experiment: Experiment, lowest: Lowest) -> tuple[str, ...]:
    """That there is more to come, and where the rate is far below one that is sure to settle."""
    more = goes_lower(recording, experiment)
    plain = is_plain(experiment) and schedules.is_constant(experiment) and experiment.updates_per_epoch == 1
    if (
        not experiment.loss_info.yes_no
        or not plain
        or experiment.learning_rate >= FAR * settles_below(lowest)
    ):
        return (more,)
    share = percent(experiment.learning_rate / settles_below(lowest))
    return (more, f"Every rate below {short(settles_below(lowest))} settles; yours is {share} of that.")


def _why_gone(recording: Epochs, experiment: Experiment, lowest: Lowest) -> str:
    """Why the loss has passed its bound, although its slope is bounded."""
    phase = phase_of(recording, experiment)[0]
    theory = OPTIMIZER_INFO[phase.optimizer].theory
    if isinstance(theory, NoLimit):
        return too_far(phase, theory)
    if lowest.penalty and not math.isfinite(lowest.bends):
        if is_plain(phase) and phase.learning_rate * lowest.penalty > 1:
            over = f"1/λ = {short(1 / lowest.penalty)}; yours is {times(phase.learning_rate * lowest.penalty)} × that"
            return f"The penalty throws each step farther than the last at every rate above {over}."
        return f"At the rate {short(phase.learning_rate)} each of its steps is too long."
    if experiment.penalty:  # whose slope is not bounded
        limit = settles_below(lowest)
        return f"Gradient descent settles at every rate below {short(limit)}; yours is {times(phase.learning_rate / limit)} × that."
    return (
        f"The slope of this loss is bounded, so its steps do not grow: at the rate {short(phase.learning_rate)} each of them "
        "is too long."
    )


def _why_hovering(recording: Epochs, experiment: Experiment, lowest: Lowest) -> tuple[str, ...]:
    """Why it comes no lower, and what helps."""
    if experiment.updates_per_epoch > 1:
        return (BATCHES, hovers_lower(recording, experiment))
    if not is_plain(experiment):
        theory = OPTIMIZER_INFO[experiment.optimizer].theory
        why = (
            theory.swing
            if isinstance(theory, NoLimit)
            else "The velocity carries the point past the bottom and back."
        )
        return (why, "A smaller rate may hover lower.")
    if not schedules.is_constant(experiment):
        return ("The steps are still too long to come to rest.", "A rate that ends smaller hovers lower.")
    rate = experiment.learning_rate
    if math.isfinite(lowest.bends):  # so there is a rate that settles
        limit = settles_below(lowest)
        share = rate / limit
        told = f"{times(share)} ×" if share > 1 else f"{percent(share)} of"
        here = ""
        if lowest.there and rate > 2 / lowest.there:
            here = f"At the lowest point itself the limit is {short(2 / lowest.there)}: no larger rate comes to rest there."
        return (f"Every rate below {short(limit)} settles; yours is {told} that.", here)
    promise = closest(lowest, rate)
    within = f"At η = {short(rate)} it is sure to come within {short(promise)} of the lowest, and a third of the rate within a third of that."
    return (
        "The slope does not shrink near the bottom, so steps of a fixed rate jump to and fro over it.",
        within if math.isfinite(promise) else "A smaller rate may hover lower.",
    )


def _why_growing(experiment: Experiment) -> str:
    """Why it gets worse: from a start that is lower than where such steps hover."""
    if experiment.updates_per_epoch > 1:
        return f"{BATCHES} A smaller rate follows them less far."
    return "Steps at this rate are too long for this place: they climb to where they hover. A smaller rate stays lower."
