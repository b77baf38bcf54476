"""Why a run swings or hovers, and what of a smaller rate, less momentum or a larger batch was tried and helps."""

import math
from dataclasses import replace

from torch import Tensor

from gd_core import gone_on, in_batches
from gd_core.averaging import averaged, last_half
from gd_core.gone_on import LONGER
from gd_core.objective import as_parabola
from gd_core.outcome import Finding
from gd_core.reasons.phrases import (
    BATCHES,
    ILL_CONDITIONED,
    advised,
    held_back,
    kappa,
    less_momentum,
    phase_of,
    scale,
    settles_at,
)
from gd_core.remedies import BETTER, remedies_of
from gd_core.settings.experiment import Experiment
from gd_core.settings.rules import OPTIMIZER_INFO, LinearRule, linear_step
from gd_core.theory import Forecast, factor
from gd_core.training import Epochs
from gd_core.words import counted, percent, significant, times

ENOUGH = 10  # epochs, from which on a mean of their points is one
BETTER_MEAN = 1.5  # times nearer, from which on it is worth a word


def why_swing(recording: Epochs, experiment: Experiment, forecast: Forecast | None) -> tuple[str, ...]:
    """Why the error changes sides, and what does not."""
    phase = phase_of(recording, experiment)[0]
    theory = OPTIMIZER_INFO[phase.optimizer].theory
    if not isinstance(theory, LinearRule):
        return theory.swing, "" if forecast is None else _closer_by_a_smaller_rate(
            recording, experiment, forecast
        )
    if forecast is None:
        return ("The loss rises and falls: steps jump over the bottom. A smaller rate does not jump.",)
    steepest = forecast.eigenvalues[-1]
    kept = factor(phase, phase.learning_rate, steepest)
    if abs(kept - 1) <= 1e-12 * max(1.0, phase.learning_rate * steepest) and phase.momentum_or_zero == 0:
        return (
            "Each step lands on the other side of the valley, just as high: the rate is exactly the limit.",
            settles_at(forecast),
        )
    said = theory.swing.format(kept=percent(kept).removesuffix(" %"))
    remedies = remedies_of(forecast) if phase == experiment.phase else None
    if remedies and phase.momentum_or_zero == 0 and remedies.best:
        remedy = advised(remedies, remedies.best, forecast)
    else:
        remedy = less_momentum(forecast) if remedies else ""
    return (f"{said.partition('. ')[0]}." if remedy else said, remedy)


def hovering(
    recording: Epochs, experiment: Experiment, forecast: Forecast, finding: Finding, after: str
) -> tuple[str, ...]:
    """That the run stays about where it is: why, and what hovers lower."""
    phase = phase_of(recording, experiment)[0]
    info = OPTIMIZER_INFO[phase.optimizer]
    if finding.left is not None:
        often = "once" if finding.left.times == 1 else f"{finding.left.times:,} times"
        return (
            f"Hovering {after}: reached at epoch {finding.epoch:,}, and left {often} since, up to RMSE {significant(finding.left.farthest)}.",
            f"{info.title} has forgotten how steep it was, so its steps become long again.",
            _left_less_far(recording, experiment, forecast),
        )
    if not recording.mini_batches:
        return (
            f"Hovering {after}.",
            held_back(phase, forecast)
            or "The steps no longer become shorter, so they jump about the bottom.",
            lower_by_a_smaller_rate(recording, experiment, forecast),
        )
    why = _by_averaging(recording, experiment, forecast) or BATCHES
    return f"Hovering {after}.", why, lower_by_a_smaller_rate(recording, experiment, forecast)


def _by_averaging(recording: Epochs, experiment: Experiment, forecast: Forecast) -> str:
    """By how much the mean of the points is nearer to the floor than these are, where it is; "" where RMSE tells little of that."""
    first, curvature, floor = phase_of(recording, experiment)[1], forecast.curvature, forecast.floor_rmse
    if recording.epochs - first < ENOUGH or forecast.floor_is_zero or experiment.loss_info.rises:
        return ""
    points = last_half(recording, first)

    def above(gap: Tensor) -> float:
        return curvature.unit * math.sqrt(curvature.floor_loss + float(gap)) - floor

    run, mean = (
        above(curvature.gap(points).sum(1).mean()),
        above(curvature.gap(averaged(recording, first)).sum()),
    )
    if not 0 < BETTER_MEAN * mean < run:
        return ""
    return (
        f"{BATCHES[:-1]}; the mean of the points of its last {counted(len(points), 'epoch')} is at RMSE "
        f"{significant(floor + mean)}, {times(run / mean)} × nearer to the floor than they are."
    )


def lower_by_a_smaller_rate(recording: Epochs, experiment: Experiment, forecast: Forecast) -> str:
    """Whether a third of the rate hovers lower when the run has gone on, worked out; else what does."""
    levels = levels_of(recording, experiment, forecast)
    if levels is None:
        return _condition(experiment, forecast) or "A smaller rate, given more epochs, hovers lower."
    now, lower = levels
    if not lower < 0.8 * now:
        return _condition(experiment, forecast) or _by_a_larger_batch(recording, experiment, forecast, now)
    floor = forecast.curvature.floor_loss
    at, lower_at = (significant(forecast.curvature.unit * math.sqrt(floor + gap), 4) for gap in (now, lower))
    if forecast.floor_is_zero or experiment.loss_info.rises or lower_at == at:
        return "A smaller rate hovers lower."
    return f"A third of the rate hovers about RMSE {lower_at}, where this one does about {at}."


def _closer_by_a_smaller_rate(recording: Epochs, experiment: Experiment, forecast: Forecast) -> str:
    """That a third of the rate is closer after as many epochs, where it is tried and is."""
    phase, _ = phase_of(recording, experiment)
    epochs = experiment.total_epochs
    if phase != experiment.phase or not recording.complete or not gone_on.soon_done(experiment, epochs):
        return ""
    own, third = (_comes_to(experiment, forecast, epochs, times) for times in (1, 1 / 3))
    return "A third of the rate is closer by now." if third < 0.8 * own else ""


def levels_of(recording: Epochs, experiment: Experiment, forecast: Forecast) -> tuple[float, float] | None:
    """The gaps to which the run comes when it goes on, and at a third of its rate; None if that takes long."""
    phase, first = phase_of(recording, experiment)
    if not recording.complete or phase != experiment.phase:
        return None
    curvature = forecast.curvature
    if epochs := gone_on.far_enough(experiment, first, recording.epochs - first):
        now, lower = (_comes_to(experiment, forecast, epochs, times) for times in (1, 1 / 3))
        return now, lower
    whole = as_parabola(forecast.problem.objective)
    assert whole is not None
    if linear_step(phase) is None or not recording.mini_batches:
        return None
    error, batch = recording.epoch_theta[-1] - curvature.optimum, experiment.rows_per_update
    third = phase._replace(learning_rate=phase.learning_rate / 3)
    if not experiment.shuffle:
        epochs = (LONGER - 1) * (recording.epochs - first)
        now, lower = (
            in_batches.level_in_order(whole, curvature, batch, one, error, epochs) for one in (phase, third)
        )
        return now, lower
    updates = in_batches.UPDATES // 2
    if not in_batches.can_be_tried(whole.features.shape[1], batch, updates):
        return None
    now, lower = (in_batches.level(whole, curvature, batch, one, error, updates) for one in (phase, third))
    return now, lower


def _comes_to(experiment: Experiment, forecast: Forecast, epochs: int, times: float = 1) -> float:
    """The mean gap over the last fifth of a run that has gone on, at so many times its rate."""
    gaps = gone_on.gaps_gone_on(experiment, forecast.problem, forecast.curvature, epochs, times)
    return float(gaps[-max(1, len(gaps) // 5) :].mean())


def _by_a_larger_batch(recording: Epochs, experiment: Experiment, forecast: Forecast, now: float) -> str:
    """That a batch four times as large hovers lower, where it is tried and does."""
    epochs = gone_on.far_enough(experiment, 0, recording.epochs)
    rows = 4 * experiment.rows_per_update
    if not recording.mini_batches or experiment.before or rows >= experiment.training_rows:
        return ""
    larger = replace(experiment, batch_size=rows)
    if epochs is None or not _comes_to(larger, forecast, epochs) < 0.8 * now:
        return ""
    return (
        f"A batch of {rows:,} hovers lower; a smaller rate would need more than {counted(epochs, 'epoch')}."
    )


def _left_less_far(recording: Epochs, experiment: Experiment, forecast: Forecast) -> str:
    """That a smaller rate leaves the optimum less far, where it is tried and does."""
    epochs = gone_on.far_enough(experiment, 0, recording.epochs)
    if experiment.before or not recording.complete or epochs is None:
        return ""
    own, third = (
        float(
            gone_on.gaps_gone_on(experiment, forecast.problem, forecast.curvature, epochs, t)[
                epochs // 2 :
            ].max()
        )
        for t in (1, 1 / 3)
    )
    return "A third of the rate leaves it less far." if third < 0.5 * own else ""


def _condition(experiment: Experiment, forecast: Forecast) -> str:
    """That the directions are far from alike, where scaling would change it."""
    remedies = remedies_of(forecast)
    if forecast.condition_number <= ILL_CONDITIONED:
        return ""
    if remedies and remedies.scaling and remedies.scaling.epochs < BETTER * remedies.stay:
        return (
            f"The directions are far from alike, κ = {kappa(forecast)}: {scale(remedies.scaling, forecast)}"
        )
    return ""
