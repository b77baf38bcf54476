"""Why the error grows, in the rule’s own limit or in what a batch bears, and the rate that settles."""

import math

from gd_core import in_batches
from gd_core.objective import as_parabola
from gd_core.outcome import WINDOW, Finding
from gd_core.reasons.phrases import BATCHES, less_momentum, phase_of, settles_at
from gd_core.reasons.scattering import levels_of, lower_by_a_smaller_rate
from gd_core.reasons.slow import at_a_tenth_of_the_way
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import Phase
from gd_core.settings.rules import OPTIMIZER_INFO, LinearRule, NoLimit, decay_of
from gd_core.theory import Forecast, factor, limit_along
from gd_core.training import DIVERGED_ABOVE, Epochs
from gd_core.words import percent, short, times


def gone_at(recording: Epochs, finding: Finding) -> str:
    """When the run diverged, and what that means."""
    times_first = " times its first value" if recording.epoch_loss[0] >= 1 else ""
    return f"Diverged at epoch {finding.epoch:,}: the loss passed {short(DIVERGED_ABOVE)}{times_first}."


def too_far(phase: Phase, theory: NoLimit) -> str:
    """Why the loss has passed its bound with a rule without a limit."""
    rate, decay = phase.learning_rate, decay_of(phase)
    if rate * decay > 2:
        return (
            f"Each update multiplies every parameter by 1 − ηλ = {short(1 - rate * decay)} before its step: this weight decay "
            f"shrinks them at rates below 2/λ = {short(2 / decay)} only."
        )
    return theory.gone.format(rate=short(rate), first=short(rate / theory.rate_of_one(phase)))


def why_gone(recording: Epochs, experiment: Experiment, forecast: Forecast) -> tuple[str, ...]:
    """Why a run has diverged, with the number, and what does not."""
    phase, first = phase_of(recording, experiment)
    earlier = phase != experiment.phase or first != experiment.total_epochs - experiment.epochs
    before = f"In the earlier part, with {OPTIMIZER_INFO[phase.optimizer].title.lower()}, " if earlier else ""
    theory = OPTIMIZER_INFO[phase.optimizer].theory
    if isinstance(theory, NoLimit):
        better = "" if earlier else at_a_tenth_of_the_way(recording, experiment, forecast, math.inf)
        return (too_far(phase, theory), better)
    if experiment.updates_per_epoch > 1:
        return (
            too_large_for_batches(experiment, forecast, phase),
            _smaller_for_batches(experiment, forecast, phase),
        )
    limit = limit_along(forecast.eigenvalues[-1], phase)
    if phase.learning_rate > limit:
        return (grows(forecast, phase, before), "" if earlier else settles_at(forecast))
    return (
        f"{before}{'the' if before else 'Your'} rate {short(phase.learning_rate)} is {percent(phase.learning_rate / limit)} of the limit: "
        f"this is one wide swing of the velocity, which keeps {percent(phase.momentum)} of itself.",
        (less_momentum(forecast) if not earlier else "") or "Less momentum swings less.",
    )


def grows(forecast: Forecast, phase: Phase, before: str = "") -> str:
    """By how much the error grows, and the rate as so many times the limit."""
    steepest = forecast.eigenvalues[-1]
    growth, limit = factor(phase, phase.learning_rate, steepest), limit_along(steepest, phase)
    which = "every" if OPTIMIZER_INFO[phase.optimizer].over_curvature else "the steepest"
    return (
        f"{before}{'along' if before else 'Along'} {which} direction the error grows × {times(growth)} an epoch: "
        f"your rate {short(phase.learning_rate)} is {times(phase.learning_rate / limit)} × the limit {short(limit)}."
    )


def too_large_for_batches(experiment: Experiment, forecast: Forecast, phase: Phase) -> str:
    """The limit of all rows, and the rate up to which no batch alone makes the error grow."""
    whole = as_parabola(forecast.problem.objective)
    assert whole is not None
    batch = experiment.rows_per_update
    safe = in_batches.safe_rate(whole, batch, phase)
    one = "single row" if batch == 1 else f"batch of {batch:,}"
    why = f"up to {short(safe)} no {one} makes errors grow"
    if phase.learning_rate <= safe:
        why = f"up to {short(safe)} no {one} alone makes errors grow, but the velocity carries each into the others"
    rate, all_rows = short(phase.learning_rate), short(limit_along(forecast.eigenvalues[-1], phase))
    return (
        f"The rate {rate} is too large for {'single rows' if batch == 1 else f'batches of {batch:,}'}: "
        f"{why}; the limit for all rows together is {all_rows}."
    )


def _smaller_for_batches(experiment: Experiment, forecast: Forecast, phase: Phase) -> str:
    return settles_at(forecast) if phase == experiment.phase else ""


def _why_it_will_grow(
    recording: Epochs, experiment: Experiment, forecast: Forecast, phase: Phase
) -> tuple[str, ...]:
    """Of a rule without theory: where it comes to when it goes on, though it may still fall now."""
    info, rmse = OPTIMIZER_INFO[phase.optimizer], recording.epoch_rmse
    levels = levels_of(recording, experiment, forecast)
    if levels is None or experiment.loss_info.rises:
        steps = f"{info.title}’s last steps changed a parameter by up to {_last_steps(recording)} an epoch"
        return (f"It is on its way up to where it hovers: {steps}.",)
    unit, floor = forecast.curvature.unit, forecast.curvature.floor_loss
    at, third = (short(unit * math.sqrt(floor + gap)) for gap in levels)
    falls = recording.epochs and rmse[-1] < rmse[max(0, recording.epochs - WINDOW)]
    so_far = "It still falls, but " if falls else ""
    steps = f"{info.title}’s steps {'become long again' if info.forgets else 'are too long'}"
    comes = "diverges" if math.isinf(levels[0]) else f"is about RMSE {at}"
    return (
        f"{so_far}{steps}: gone on, it {comes}.",
        f"A third of the rate is about {third} then." if levels[1] < 0.8 * levels[0] and third != at else "",
    )


def _last_steps(recording: Epochs) -> str:
    """The longest step of a parameter in an epoch of late."""
    return short(float(recording.epoch_theta[-WINDOW - 1 :].diff(dim=0).abs().max()))


def why_growing(recording: Epochs, experiment: Experiment, forecast: Forecast) -> tuple[str, ...]:
    """Why an error grows that has not yet diverged: for good, or up to where it hovers."""
    phase = phase_of(recording, experiment)[0]
    theory = OPTIMIZER_INFO[phase.optimizer].theory
    if not isinstance(theory, LinearRule):
        return _why_it_will_grow(recording, experiment, forecast, phase)
    if experiment.updates_per_epoch > 1:
        whole = as_parabola(forecast.problem.objective)
        assert whole is not None
        batch = experiment.rows_per_update
        if in_batches.explodes(whole, batch, phase, experiment.shuffle):
            return (
                too_large_for_batches(experiment, forecast, phase),
                _smaller_for_batches(experiment, forecast, phase),
            )
        return (
            f"{BATCHES[:-1]}, and the rate {short(phase.learning_rate)} follows: it rises to where it hovers.",
            lower_by_a_smaller_rate(recording, experiment, forecast),
        )
    fell = recording.epoch_rmse[-1] < recording.epoch_rmse[max(0, recording.epochs - 1)]
    so_far = "It still falls, but " if fell and recording.epochs else ""
    return (grows(forecast, phase, so_far), settles_at(forecast))
