"""What a run that its own tolerance has stopped is told: how far from the floor that was, why there, what stops nearer.

A tolerance looks at the steps and not at the way that is left: small steps change the loss little wherever they are.
"""

import math
from itertools import pairwise

import torch

from gd_core.reasons.phrases import CLOSE, kappa
from gd_core.remedies import WITHIN, remedies_of
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import MAX_UPDATES, Phase
from gd_core.settings.rules import OPTIMIZER_INFO, is_plain, linear_step
from gd_core.settings.schedules import is_constant, rate_at
from gd_core.theory import Forecast, gaps, limit_along
from gd_core.training import Epochs
from gd_core.words import floor_of, percent, short, significant, times

SMALL = 0.25  # of the limit: a rate below it is what makes the steps small
LOOKED_AHEAD = 20  # epochs
ROUNDING = 1e-12  # of a loss: a tolerance below it compares rounding


def of_run(
    recording: Epochs, experiment: Experiment, forecast: Forecast | None, rmse: str, otherwise: str = ""
) -> tuple[str, ...]:
    """The run in at most three sentences.

    Args:
        recording: The run.
        experiment: What was trained, with its tolerance.
        forecast: What theory knows of it; None where it knows nothing.
        rmse: The RMSE at the end, in words.
        otherwise: What helps where no tolerance does, in words.
    """
    news = (
        f"Stopped at epoch {recording.epochs:,}, where the loss changed by less than {short(experiment.tolerance)} in an "
        f"epoch: RMSE {rmse}"
    )
    if forecast is None:
        return f"{news}.", "How far that is from the lowest loss, no theory says."
    floor, end = forecast.floor_rmse, float(recording.epoch_rmse[-1])
    if experiment.loss_info.rises:
        return f"{news}; where the loss is lowest it is {significant(floor)}.", LATER
    if forecast.floor_is_zero:
        why, then = _why(recording, experiment, forecast)
        return f"{news}; the floor is {floor_of(forecast)}.", why, then or otherwise or LATER
    above = end / floor - 1
    if above <= CLOSE:
        return (f"{news}, as good as the floor {significant(floor)}.",)
    far = f"{short(100 * above)} % above" if above < 0.995 else f"{times(end / floor)} ×"
    why, then = _why(recording, experiment, forecast)
    helps = (then or otherwise or LATER) if above > WITHIN else ""
    return f"{news}, {far} the floor {significant(floor)}.", why, helps


LATER = "A smaller tolerance stops later."


def _why(recording: Epochs, experiment: Experiment, forecast: Forecast) -> tuple[str, str]:
    """Why it stands still there, and which tolerance stops nearer to the floor; "" where none is known."""
    phase, curvature = experiment.phase, forecast.curvature
    if experiment.updates_per_epoch > 1 and experiment.shuffle:
        return (
            "In mini-batches the loss scatters, and an epoch that changes it little comes by chance.",
            LATER,
        )
    if linear_step(phase) is None or experiment.updates_per_epoch > 1:
        return "A tolerance sees small steps, and not how far there is to go.", LATER
    if not is_constant(phase):
        rate = rate_at(
            phase,
            experiment.updates_per_epoch,
            recording.epochs - experiment.total_epochs + experiment.epochs,
        )
        return (
            f"The schedule has brought the rate to {short(rate)}: small steps change the loss little, however far there is to go.",
            LATER,
        )
    limit = limit_along(curvature.largest, phase)
    share = phase.learning_rate / limit
    if share > 1:
        return (
            f"That is for a moment only: the rate {short(phase.learning_rate)} is {times(share)} × the limit "
            f"{short(limit)}, and gone on it grows.",
            "",
        )
    if not experiment.before and (change := _next_change(recording, experiment, forecast)) is not None:
        return (
            f"That is for a moment only, where the velocity turns: within {LOOKED_AHEAD} epochs more the loss changes by "
            f"{short(change)} in one.",
            LATER,
        )
    why = f"The rate {short(phase.learning_rate)} is {percent(share)} of the limit: small steps change the loss little, however far there is to go."
    if share >= SMALL and not OPTIMIZER_INFO[phase.optimizer].over_curvature:
        why = f"Along the flattest direction a step changes the loss little, however far there is to go: κ = {kappa(forecast)}."
    return why, _nearer(experiment, forecast, phase)


def _gap(forecast: Forecast, phase: Phase, epochs: int) -> float:
    rate = torch.tensor([phase.learning_rate], dtype=torch.float64)
    return float(gaps(forecast.curvature, phase, forecast.problem.start, rate, epochs))


def _next_change(recording: Epochs, experiment: Experiment, forecast: Forecast) -> float | None:
    """The largest change of the loss in one of the next epochs, if it is no longer below the tolerance."""
    if is_plain(experiment):
        return None  # whose changes only become smaller
    later = [_gap(forecast, experiment.phase, recording.epochs + n) for n in range(LOOKED_AHEAD + 1)]
    change = max(abs(after - before) for before, after in pairwise(later))
    return change if change >= experiment.tolerance else None


def _nearer(experiment: Experiment, forecast: Forecast, phase: Phase) -> str:
    """The tolerance with which the run would come within 1 % of the floor, and the epoch at which it stops it.

    Of gradient descent below its limit, whose changes become smaller in each epoch, and on a floor above 0.
    """
    remedies = remedies_of(forecast)
    if experiment.before or remedies is None or not is_plain(phase) or forecast.floor_is_zero:
        return ""
    if not remedies.stay < MAX_UPDATES:
        return ""

    def change(epoch: int) -> float:
        return _gap(forecast, phase, epoch - 1) - _gap(forecast, phase, epoch)

    there = change(max(1, math.ceil(remedies.stay)))
    if not there > ROUNDING * forecast.curvature.floor_loss:
        return ""
    power = 10.0 ** math.floor(math.log10(there))
    needed = float(f"{math.floor(there / power * (1 + 1e-12)) * power:.0e}")
    low, high = 0, 1
    while change(high) >= needed:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if change(middle) >= needed else (low, middle)
    return f"A tolerance of {short(needed)} stops within 1 % of the floor, at epoch {high:,}."
