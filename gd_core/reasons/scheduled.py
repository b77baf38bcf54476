"""What is said of a run whose rate changes: to which rate it has come, where it was above the limit, what one rate does."""

import math
from dataclasses import replace
from itertools import pairwise

import torch

from gd_core import gone_on
from gd_core.outcome import Finding, Outcome
from gd_core.reasons.arrived import converged
from gd_core.reasons.phrases import BATCHES, phase_of, rmse_of
from gd_core.reasons.slow import HELPS
from gd_core.reasons.too_large import gone_at, too_large_for_batches
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import LEARNING_RATE, Phase, typed_rate
from gd_core.settings.rules import OPTIMIZER_INFO, LinearRule, linear_step
from gd_core.settings.schedules import CONSTANT, at_constant_rate, is_constant, rate_at
from gd_core.theory import Forecast, gaps, limit_along
from gd_core.training import Epochs
from gd_core.words import counted, floor_of, percent, short, significant, times

SEEN = 20  # epochs from which on one can say that a run hovers:
LOOKED_AT = 2_000  # rates, of a part of a run
LITTLE = 0.1  # of the rates so far, which do not bring a run much farther
HOVERS = 0.7  # of its gap at least is left when it has gone on
BESIDE = "The velocity carries the point past the valley, and the rate becomes too small to bring it back."
LATER = 10  # times its epochs,
GOES_ON = 0.5  # after which a rate that goes on down has less than this share left
LIKE = 1.02  # times as far from the floor, from which on one is farther


def speaks_of(recording: Epochs, experiment: Experiment, finding: Finding) -> bool:
    """Whether the part in which the run ended has a schedule; where a tolerance has stopped it, or it has left the optimum, others speak."""
    others = recording.still or finding.outcome is Outcome.STOPPED or finding.left
    return not others and not is_constant(phase_of(recording, experiment)[0])


def of_run(
    recording: Epochs, experiment: Experiment, forecast: Forecast, finding: Finding
) -> tuple[str, ...]:
    """The run in at most three sentences."""
    phase, first = phase_of(recording, experiment)
    if finding.outcome is Outcome.DIVERGED:
        return (
            gone_at(recording, finding),
            _too_large(experiment, forecast, phase, first),
            _at_the_best(experiment, forecast, phase, math.inf),
        )
    end, floor = f"after {counted(recording.epochs, 'epoch')}, at RMSE {rmse_of(recording, forecast)}", ""
    floor = f"; the floor is {floor_of(forecast)}"
    if experiment.loss_info.rises:
        floor = f"; where its loss is lowest it is {significant(forecast.floor_rmse)}"
    now = float(recording.epoch_loss[-1]) - forecast.curvature.floor_loss
    if finding.outcome is Outcome.CONVERGED or rmse_of(recording, forecast) == "0":
        now = 0.0  # there is nothing to gain
    if finding.outcome is Outcome.GROWING:
        best = _at_the_best(experiment, forecast, phase, now)
        return f"Growing {end}.", _why_it_grows(experiment, forecast, phase, first), best
    if finding.leaves:
        return converged(recording, experiment, forecast, finding)
    if finding.outcome is Outcome.CONVERGED:
        news = converged(recording, experiment, forecast, finding)[0]
    else:
        word = {Outcome.STILL: "Standing still"}.get(finding.outcome, finding.outcome.capitalize())
        news = f"{word} {end}{floor}."
    return (
        news,
        _brought(experiment, forecast, phase, first, recording.epochs - first, finding),
        _at_the_best(experiment, forecast, phase, now)
        or _at_one_rate(recording, experiment, forecast, phase),
    )


def _brought(
    experiment: Experiment, forecast: Forecast, phase: Phase, first: int, done: int, finding: Finding
) -> str:
    """To which rate the schedule has come, where it was above the limit, and whether that is the end of it."""
    if not done:
        return ""
    if finding.outcome is Outcome.STILL:
        return too_little(experiment, phase, done)
    said = _come_to(experiment, phase, done)
    above = above_the_limit(experiment, forecast, phase, first)
    return f"{said}; {above[0].lower()}{above[1:]}" if above else f"{said}."


def too_little(experiment: Experiment, phase: Phase, done: int) -> str:
    """That the schedule has ended a part of a run after so many of its epochs."""
    return f"{_come_to(experiment, phase, done)}: too little to move it any more."


def goes_lower(recording: Epochs, experiment: Experiment, more: str = "More epochs bring it lower.") -> str:
    """What brings a run lower that is still on its way, in a sentence; `more` where the rate is the same all the time."""
    phase, first = phase_of(recording, experiment)
    if is_constant(phase) or recording.epochs == first:
        return more
    done = recording.epochs - first
    left = rates_to_come(phase, experiment.updates_per_epoch, done)
    if left < LITTLE:
        more = f"The rates to come add up to {percent(left)} of those so far: this schedule ends too soon."
    return f"{_come_to(experiment, phase, done)}; {more[0].lower()}{more[1:]}"


def rates_to_come(phase: Phase, updates_per_epoch: int, done: int) -> float:
    """To which share of those so far the rates of ten times the epochs add up, from a rate in the middle of each of `LOOKED_AT` blocks."""

    def added(first: int, end: int) -> float:
        blocks = min(end - first, LOOKED_AT)
        edges = [first + k * (end - first) // blocks for k in range(blocks + 1)]
        return sum((b - a) * rate_at(phase, updates_per_epoch, (a + b - 1) // 2) for a, b in pairwise(edges))

    return added(done, LATER * done) / added(0, done)


def hovers_lower(recording: Epochs, experiment: Experiment) -> str:
    """What brings a run in mini-batches lower that hovers, in a sentence."""
    phase, first = phase_of(recording, experiment)
    done, each = recording.epochs - first, experiment.updates_per_epoch
    if is_constant(phase) or not done or (now := rate_at(phase, each, done - 1)) == phase.learning_rate:
        return "A smaller rate or a larger batch may hover lower."
    came = _come_to(experiment, phase, done)
    if rate_at(phase, each, LATER * phase.epochs) < GOES_ON * now:
        return f"{came}, and goes on down: more epochs hover lower."
    return f"{came}: one that ends smaller, or a larger batch, may hover lower."


def _come_to(experiment: Experiment, phase: Phase, done: int) -> str:
    rate = rate_at(phase, experiment.updates_per_epoch, done - 1)
    if rate == phase.learning_rate:
        return (
            f"The warm-up has brought the rate to {short(rate)}"
            if phase.warmup
            else f"The rate is still {short(rate)}"
        )
    return f"The rate has come to {short(rate)}, {percent(rate / phase.learning_rate)} of {short(phase.learning_rate)}"


def above_the_limit(
    experiment: Experiment, forecast: Forecast, phase: Phase | None = None, first: int = 0
) -> str:
    """In which epochs the rate is above the limit, as a sentence; "" where it never is, or there is none.

    Args:
        experiment: The run.
        forecast: What theory says of it.
        phase: The part that is meant: the last one if none.
        first: The epoch of the run at which that begins.
    """
    if phase is None:
        phase, first = experiment.phase, sum(part.epochs for part in experiment.before)
    if is_constant(phase) or linear_step(phase) is None or experiment.updates_per_epoch > 1:
        return ""
    limit = limit_along(forecast.eigenvalues[-1], phase)
    if not (when := when_above(phase, limit, first)):
        return ""
    most = times(rate_at(phase, 1, _top(phase)) / limit)
    return f"The rate is above the limit {short(limit)} {when}, up to {most} × as large."


def _top(phase: Phase) -> int:
    """The epoch at the largest rate of a part: the end of its warm-up."""
    return phase.warmup if phase.warmup < phase.epochs else phase.epochs - 1


def when_above(phase: Phase, limit: float, begins: int = 0) -> str:
    """In which epochs of a run the rate of a part is above the limit: until epoch 3; "" where in none. `begins` is the part's first."""
    if phase.learning_rate <= limit:
        return ""
    # up in the warm-up, down or level from there on: so the epochs above it are those between two
    top = _top(phase)
    if rate_at(phase, 1, top) <= limit:
        return ""
    last = _edge(phase, limit, phase.epochs, top)
    first, end = begins + _edge(phase, limit, -1, top), begins + last + 1
    if last == phase.epochs - 1:
        return f"from epoch {first:,} on" if first else "all the time"
    return f"from epoch {first:,} to {end:,}" if first else f"until epoch {end:,}"


def _edge(phase: Phase, limit: float, below: int, above: int) -> int:
    """The last epoch above the limit on the way from one above it to one that is not."""
    while abs(below - above) > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if rate_at(phase, 1, middle) > limit else (middle, above)
    return above


def _why_it_grows(experiment: Experiment, forecast: Forecast, phase: Phase, first: int) -> str:
    """The rates above the limit, in these epochs or those to come; else what carries it up."""
    if not isinstance(OPTIMIZER_INFO[phase.optimizer].theory, LinearRule):
        return "Its steps are too long to settle, and gone on it is higher."
    if experiment.updates_per_epoch > 1:
        return f"{BATCHES[:-1]}, and at these rates it follows: gone on it is higher."
    if above := above_the_limit(experiment, forecast, phase, first):
        return above
    if phase.learning_rate > (limit := limit_along(forecast.eigenvalues[-1], phase)):
        return f"The warm-up goes on to {short(phase.learning_rate)}, above the limit {short(limit)}."
    return BESIDE if phase.momentum_or_zero else ""


def _too_large(experiment: Experiment, forecast: Forecast, phase: Phase, begins: int) -> str:
    theory = OPTIMIZER_INFO[phase.optimizer].theory
    if not isinstance(theory, LinearRule):
        first = phase.learning_rate / theory.rate_of_one(phase)
        return theory.gone.format(rate=short(phase.learning_rate), first=short(first))
    if experiment.updates_per_epoch > 1:
        return too_large_for_batches(experiment, forecast, at_constant_rate(phase, phase.learning_rate))
    return above_the_limit(experiment, forecast, phase, begins)


def _at_the_best(experiment: Experiment, forecast: Forecast, phase: Phase, now: float) -> str:
    """Where the run ends at the best η under its schedule; "" where none is known, or little is left by it to gain."""
    best, curvature = forecast.best_for_epochs, forecast.curvature
    if best is None or phase != experiment.phase or experiment.loss_info.rises or not curvature.bounds_rmse:
        return ""
    if experiment.tolerance or experiment.patience:  # which may stop that run before
        return ""

    def left(part: Phase) -> float:
        rate = torch.tensor([part.learning_rate], dtype=torch.float64)
        return float(gaps(curvature, part, forecast.problem.start, rate, experiment.epochs))

    rate = typed_rate(best)
    gap, at_one_rate = (
        left(phase._replace(learning_rate=rate)),
        left(at_constant_rate(phase, phase.learning_rate)),
    )
    if not gap < HELPS * now or at_one_rate <= gap or not LEARNING_RATE.low <= rate <= LEARNING_RATE.high:
        return ""
    rmse = torch.tensor(curvature.unit * math.sqrt(curvature.floor_loss + gap), dtype=torch.float64)
    first = float(forecast.problem.objective.rmse(forecast.problem.start))
    return f"Under the same schedule η = {short(rate)} leaves RMSE {significant(float(curvature.error(rmse, first)))}."


def _at_one_rate(recording: Epochs, experiment: Experiment, forecast: Forecast, phase: Phase) -> str:
    """Where the same run at its first rate is after as many epochs, tried; "" where that takes long, or the RMSE tells little."""
    epochs = recording.epochs
    if experiment.before or phase != experiment.phase or not recording.complete:
        return ""
    constant = replace(experiment, schedule=CONSTANT, warmup=0)
    if experiment.loss_info.rises or not gone_on.soon_done(constant, epochs):
        return ""
    longer = gone_on.far_enough(constant, 0, epochs) if recording.mini_batches and epochs >= SEEN else None
    gaps = gone_on.gaps_gone_on(constant, forecast.problem, forecast.curvature, longer or epochs, 1.0)
    gap = float(gaps[: epochs + 1][-max(1, epochs // 5) :].mean())
    later = float(gaps[-max(1, len(gaps) // 5) :].mean())
    does = "hovers about" if longer and later >= HOVERS * gap else "is about"
    if not recording.mini_batches and linear_step(phase) is not None:
        gap, does = float(gaps[epochs]), "ends at"
    rate, curvature = short(phase.learning_rate), forecast.curvature
    if math.isinf(gap):
        return f"At the constant rate {rate} it diverges."
    there = curvature.unit * math.sqrt(max(0.0, curvature.floor_loss + gap))
    here, floor = float(recording.epoch_rmse[-1]), forecast.floor_rmse
    said = f"At the constant rate {rate} it {does} RMSE {significant(there)}"
    if forecast.floor_is_zero or min(there, here) - floor <= 1e-6 * floor:
        return f"{said}."
    ratio = (there - floor) / (here - floor)
    if ratio < 1 / LIKE:
        return f"{said}, which is lower: this schedule ends too soon."
    return f"{said}, {f'{times(ratio)} ×' if ratio > LIKE else 'about'} as far above the floor."
