"""Why a run is slow: the rate, the momentum, how far from alike the directions are; who lags; and the cheapest remedy."""

import math
from dataclasses import replace

import torch

from gd_core import gone_on
from gd_core.outcome import WINDOW
from gd_core.reasons.phrases import (
    FLAT,
    ILL_CONDITIONED,
    advised,
    held_back,
    kappa,
    near,
    phase_of,
    sizes_of,
    upper,
)
from gd_core.remedies import Remedies, remedies_of
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import Phase, typed_rate
from gd_core.settings.rules import OPTIMIZER_INFO, LinearRule, linear_step
from gd_core.settings.table_fields import with_columns
from gd_core.theory import Forecast, factor, first_step_rate, limit_along
from gd_core.training import Epochs
from gd_core.words import counted, of_column, percent, short, some

MOVES = 0.02  # of its size: a parameter that has a way to go
NEARLY = 0.1  # of its size off: one that is nearly there,
LAGS = 0.5  # and one that lags, by what is left of its way
SHORT_WAIT = 2.0  # times the epochs trained so far: then going on is all that is needed
HELPS = 0.25  # of the gap: another rate that is worth its name leaves less
HARDLY = 1e-11  # in an epoch: its digits are rounding


def why_descending(recording: Epochs, experiment: Experiment, forecast: Forecast) -> tuple[str, ...]:
    """Who or what is slow, and what is quicker; that nothing is, if so."""
    phase, first = phase_of(recording, experiment)
    if linear_step(phase) is None:
        now = float(recording.epoch_loss[-1]) - forecast.curvature.floor_loss
        better = at_a_tenth_of_the_way(recording, experiment, forecast, now)
        return _way_done(recording, forecast), better or held_back(phase, forecast) or _more(recording, phase)
    rises = experiment.loss_info.rises
    before, now = recording.epoch_rmse[[max(0, recording.epochs - WINDOW), -1]].tolist()
    if rises and before < now <= forecast.floor_rmse:
        return (f"{upper(rises.removeprefix('Up: ').removesuffix('.'))} towards that.",)
    remedies = remedies_of(forecast)
    assert remedies is not None
    trained = recording.epochs - first
    if remedies.stay <= trained and not experiment.before and remedies.more_than is None:
        why = _lagging(recording, experiment, forecast) or _why_slow(experiment, forecast)
        return (why, f"It is {near(forecast)} already; more epochs bring it lower.")
    if (
        remedies.stay <= SHORT_WAIT * trained + WINDOW
        and not experiment.before
        and remedies.more_than is None
    ):
        return (
            _lagging(recording, experiment, forecast),
            f"More epochs bring it lower: {near(forecast)} after {some(remedies.stay)}.",
        )
    why = _lagging(recording, experiment, forecast) or _why_slow(experiment, forecast)
    best = remedies.best
    if best is None:
        return (why, _go_on(remedies, experiment, forecast))
    return (why, advised(remedies, best, forecast))


def _way_done(recording: Epochs, forecast: Forecast) -> str:
    """How much of the way from the start's RMSE to the floor is done."""
    rmse = recording.epoch_rmse
    way = float(rmse[0]) - forecast.floor_rmse
    share = (float(rmse[0]) - float(rmse[-1])) / way if way > 0 else 0.0
    whither = "the floor" if forecast.curvature.bounds_rmse else "there"
    return f"{percent(share)} of the way from the start’s RMSE to {whither} is done." if 0 < share < 1 else ""


def at_a_tenth_of_the_way(recording: Epochs, experiment: Experiment, forecast: Forecast, now: float) -> str:
    """For a rule without theory: the rate that goes a tenth of the way in the first epoch, and where it ends; if that helps."""
    curvature, problem = forecast.curvature, forecast.problem
    alone, epochs = replace(experiment, before=()), experiment.epochs
    rate = typed_rate(first_step_rate(alone, problem, curvature))
    if experiment.before or not recording.complete or not gone_on.soon_done(alone, epochs):
        return ""
    there = float(gone_on.gaps_gone_on(alone, problem, curvature, epochs, rate / alone.learning_rate)[-1])
    now = min(now, float(curvature.gap(problem.start).sum()))
    if not there < HELPS * now or forecast.floor_is_zero or experiment.loss_info.rises:
        return ""
    rmse = short(curvature.unit * math.sqrt(curvature.floor_loss + there))
    return f"At a rate of {short(rate)} it is at RMSE {rmse} after {counted(epochs, 'epoch')}."


def _more(recording: Epochs, phase: Phase) -> str:
    """What brings a rule without theory lower."""
    theory = OPTIMIZER_INFO[phase.optimizer].theory
    flat = "" if isinstance(theory, LinearRule) or not _is_flat(recording) else theory.flat
    return flat or "More epochs bring it lower."


def _is_flat(recording: Epochs) -> bool:
    rmse = recording.epoch_rmse
    return len(rmse) > 1 and float(rmse[-1]) > (1 - FLAT) * float(rmse[-2])


def _go_on(remedies: Remedies, experiment: Experiment, forecast: Forecast) -> str:
    """That nothing is much quicker than to go on."""
    if not math.isfinite(remedies.stay) or remedies.more_than is not None:
        return "More epochs bring it lower."
    blame = "" if experiment.updates_per_epoch > 1 else ", and neither the rate nor scaling is to blame"
    return f"More epochs bring it lower: {near(forecast)} after {some(remedies.stay)} in all{blame}."


def _why_slow(experiment: Experiment, forecast: Forecast) -> str:
    """What makes it slow: the rate, the momentum, or how far from alike the directions are; with the number."""
    phase, curvature = experiment.phase, forecast.curvature
    limit, slowest = (
        limit_along(curvature.largest, phase),
        factor(phase, phase.learning_rate, curvature.smallest),
    )
    beta = phase.momentum_or_zero
    per_epoch = slowest**experiment.updates_per_epoch
    if beta and abs(slowest - math.sqrt(beta)) < 1e-6:
        return f"The momentum is what is slow: with β = {short(beta)} every swing keeps {percent(math.sqrt(beta))} of its size an epoch."
    alike = OPTIMIZER_INFO[phase.optimizer].over_curvature
    which = "every" if alike else "the slow"
    shrinks = (
        f"along {which} direction the error shrinks by {percent(1 - per_epoch)} an epoch"
        if per_epoch < 1 - HARDLY
        else f"along {which} direction the error hardly shrinks at all"
    )
    share = phase.learning_rate / limit
    if share < 0.25 and experiment.updates_per_epoch == 1:
        return f"The rate {short(phase.learning_rate)} is {percent(share)} of the limit {short(limit)}: {shrinks}."
    if alike or curvature.largest / curvature.smallest <= ILL_CONDITIONED:
        return f"{upper(shrinks)} at the rate {short(phase.learning_rate)}."
    return f"{upper(shrinks)}, because κ = {kappa(forecast)}."


def _lagging(recording: Epochs, experiment: Experiment, forecast: Forecast) -> str:
    """Which parameter is nearly there and which has hardly moved, in raw units, and why with one feature."""
    problem, names = forecast.problem, with_columns(vars(experiment), experiment.info.parameters)
    if bool((forecast.curvature.eigenvalues == 0).any()) or len(names) < 2:
        return ""
    starts, ends = problem.raw(problem.start), problem.raw(recording.epoch_theta[-1])
    best = torch.tensor(forecast.optimum, dtype=torch.float64)
    sizes = torch.maximum(best.abs(), 1e-6 * sizes_of(forecast))
    off, way = (ends - best).abs() / sizes, best - starts
    gone = torch.where(way == 0, 1.0, (ends - starts) / torch.where(way == 0, 1.0, way))
    left = torch.where(way.abs() > MOVES * sizes, (1 - gone).abs(), 0.0)
    near, late = int(torch.where(best.abs() < sizes, torch.inf, off).argmin()), int(left.argmax())
    if near == late or not float(off[near]) < NEARLY or not float(left[late]) > LAGS:
        return ""
    share = float(off[near])
    moved, whole = float(ends[late] - starts[late]), float(way[late])
    went = short(moved if whole > 0 else -moved)
    of = "of its" if abs(moved) <= abs(whole) else "though its way is"
    text = f"{names[near]} is nearly there ({percent(share)} off), {names[late]} has gone {went} {of} {short(abs(whole))}"
    x = problem.dataset.x
    middle, width = float(x[:, 0].mean()), float(x[:, 0].std(correction=0))
    if x.shape[1] == 1 and abs(middle) > width and not experiment.scale_features and len(names) == 2:
        name = problem.dataset.feature_names[0]
        return f"{text}: {name} is {of_column(name, middle)} on average, so both pull on the same thing."
    return f"{text}."
