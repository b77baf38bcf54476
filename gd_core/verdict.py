"""A step and a run in plain words, with the numbers that explain them.

Of a run at most three short sentences: what happened; why, with the number; what helps most, with the number. By which
test a run was judged stands in `test_of`, for whoever asks why.
"""

import math
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from gd_core import gone_on, in_batches, tolerance
from gd_core.objective import as_parabola
from gd_core.outcome import CONVERGED_BELOW, LONGER, WINDOW, Finding, Outcome, Trained, overfitting
from gd_core.remedies import BETTER, FEW, Remedies, Remedy, remedies_of
from gd_core.settings.catalog import LOSS_INFO
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import LEARNING_RATE, Phase
from gd_core.settings.rules import OPTIMIZER_INFO, LinearRule, linear_step
from gd_core.theory import Forecast, factor, first_step_rate, limit_along
from gd_core.training import DIVERGED_ABOVE, Epochs
from gd_core.words import counted, floor_of, percent, rounded, short, significant, some, times

ILL_CONDITIONED = 100.0  # κ above which scaling is the first advice
LEVEL = 1e-9  # relative changes of the RMSE below it are rounding
FLAT = 0.01  # relative change of the RMSE below which a step is called almost flat
MOVES = 0.02  # of its size: a parameter that has a way to go
NEARLY = 0.1  # of its size off: one that is nearly there,
LAGS = 0.5  # and one that lags, by what is left of its way
OFF = 5e-3  # of a coefficient: the third digit shows it,
RIGHT = 5e-4  # and from here on no longer
SHORT_WAIT = 2.0  # times the epochs trained so far: then going on is all that is needed
CLOSE = 0.002  # of the floor: an RMSE that is nearer is as good
HELPS = 0.25  # of the gap: another rate that is worth its name leaves less
HARDLY = 1e-11  # in an epoch: its digits are rounding


class StepVerdicts(NamedTuple):
    """What is said at each epoch: a template, to be filled in with this epoch's numbers.

    Attributes:
        templates: Sentences with the places {epoch}, {next}, {rmse}, {next_rmse} and {percent}.
        choice: Index into `templates` for each epoch, [E + 1].
    """

    templates: tuple[str, ...]
    choice: Tensor

    def sentence(self, epoch: int, recording: Epochs) -> str:
        """The sentence at an epoch, as the page shows it."""
        rmse = recording.epoch_rmse
        after = rmse[min(epoch + 1, len(rmse) - 1)]
        return self.templates[int(self.choice[epoch])].format(
            epoch=f"{epoch:,}",
            next=f"{epoch + 1:,}",
            rmse=significant(float(rmse[epoch])),
            next_rmse=significant(float(after)),
            percent=significant(100 * abs(float(after / rmse[epoch]) - 1), 3) if rmse[epoch] else "0",
        )


STEP = "Epoch {epoch} → {next}: RMSE {rmse} → {next_rmse}. "


def of_steps(recording: Epochs, experiment: Experiment, forecast: Forecast | None) -> StepVerdicts:
    """Classify every epoch: falls, almost flat, close to the floor, rises; and the last one. Without theory there is no floor."""
    rmse = recording.epoch_rmse
    change = torch.cat([rmse[1:] / rmse[:-1].clamp(min=1e-300) - 1, torch.zeros(1, dtype=rmse.dtype)])
    floor = forecast.floor_rmse * (1 + FLAT) + 1e-9 * rmse[0] if forecast else -math.inf
    near = rmse <= floor
    templates = (
        STEP + "Down by {percent} %.",
        STEP + _why_flat(experiment, forecast),
        STEP + (_why_close(experiment, forecast) if forecast else ""),
        STEP + _why_up(experiment, forecast),
        "Epoch {epoch}: RMSE {rmse}. " + _at_the_edge(recording),
        STEP + "Up by {percent} %.",
    )
    choice = torch.zeros(len(rmse), dtype=torch.int8)
    choice[change > -FLAT] = 1
    choice[change > LEVEL] = 3
    choice[near & (change <= LEVEL)] = 2
    earlier = torch.arange(len(rmse)) < sum(phase.epochs for phase in experiment.before)
    choice[earlier & (change <= LEVEL)] = 0  # theory speaks of the last phase only
    choice[earlier & (change > LEVEL)] = 5
    choice[-1] = 4
    return StepVerdicts(templates, choice)


def _at_the_edge(recording: Epochs) -> str:
    if recording.complete:
        return "The run ends here."
    return "More is coming." if recording.epochs else "This is the start."


def of_run(recording: Epochs, experiment: Experiment, forecast: Forecast | None, finding: Finding) -> str:
    """The whole run in two or three sentences: what happened, why, what to try; and what the held-out rows say."""
    return _of_training(recording, experiment, forecast, finding) + _of_held_out(recording)


def _of_held_out(recording: Epochs) -> str:
    """Whether the error on held-out rows parts from that on training rows."""
    if recording.epoch_held_out_rmse is None:
        return ""
    end = significant(float(recording.epoch_held_out_rmse[-1]))
    found = overfitting(recording)
    if found is None:
        return f" Held-out RMSE {end}: the two errors do not part."
    return (
        f" Held-out RMSE {end}: the two errors part after epoch {found.epoch:,}, where it was lowest, "
        f"{significant(found.lowest)}. Training goes on falling."
    )


def test_of(finding: Finding) -> str:
    """By which test a run was judged, for whoever asks why."""
    if finding.outcome is not Outcome.CONVERGED:
        return ""
    share = f"1/{round(1 / CONVERGED_BELOW):,}"
    return (
        f"Converged at epoch {finding.epoch:,}: since then less than {share} of the first gap is left along every "
        "direction, or less than 1/10,000 of the lowest loss."
    )


def _of_training(
    recording: Epochs, experiment: Experiment, forecast: Forecast | None, finding: Finding
) -> str:
    after = f"after {counted(recording.epochs, 'epoch')}, at RMSE {_rmse(recording, forecast)}"
    if forecast is None:
        return _without_theory(recording, experiment, finding, after)
    known = floor_of(forecast)
    floor = f"; the floor is {known}"
    if LOSS_INFO[experiment.loss].rises:
        floor = f"; where its loss is lowest it is {significant(forecast.floor_rmse)}"
    match finding.outcome:
        case Outcome.STILL:
            return _stood_still(recording, experiment, forecast)
        case Outcome.DIVERGED:
            return _joined(_gone(recording, finding), *_why_gone(recording, experiment, forecast))
        case Outcome.STOPPED:
            return f"Stopped at epoch {recording.epochs:,} of {experiment.total_epochs:,}, at RMSE {_rmse(recording, forecast)}. The floor is {known}."
        case Outcome.CONVERGED:
            return _joined(*_converged(recording, experiment, forecast, finding))
        case Outcome.GROWING:
            return _joined(f"Growing {after}.", *_why_growing(recording, experiment, forecast))
        case Outcome.OVERSHOOTING:
            return _joined(f"Overshooting {after}{floor}.", *_why_swing(recording, experiment, forecast))
        case Outcome.HOVERING:
            return _joined(*_hovering(recording, experiment, forecast, finding, f"{after}{floor}"))
        case Outcome.DESCENDING:
            return _joined(
                f"Still descending {after}{floor}.",
                *_why_descending(recording, experiment, forecast),
            )


def _without_theory(recording: Epochs, experiment: Experiment, finding: Finding, after: str) -> str:
    """Of a loss that is no parabola: what the losses alone tell."""
    word = f"{finding.outcome[0].upper()}{finding.outcome[1:]}"
    match finding.outcome:
        case Outcome.STILL:
            return _stood_still(recording, experiment, None)
        case Outcome.CONVERGED:
            return (
                f"Converged at epoch {finding.epoch:,}: since then the loss has not moved by more than a millionth of its "
                f"whole fall. RMSE {significant(float(recording.epoch_rmse[-1]))}. Whether another start ends lower, no theory says."
            )
        case Outcome.DIVERGED:
            phase = _phase_of(recording, experiment)[0]
            theory = OPTIMIZER_INFO[phase.optimizer].theory
            why = f"The rate {short(phase.learning_rate)} is too large from this start. No theory knows the limit."
            if not isinstance(theory, LinearRule):
                why = theory.gone.format(rate=short(phase.learning_rate))
            return _joined(_gone(recording, finding), why)
        case Outcome.STOPPED:
            return f"Stopped at epoch {recording.epochs:,} of {experiment.total_epochs:,}, at RMSE {significant(float(recording.epoch_rmse[-1]))}."
        case Outcome.GROWING:
            return _joined(f"{word} {after}.", _why_up(experiment, None))
        case Outcome.OVERSHOOTING:
            return _joined(f"{word} {after}.", _why_swing(recording, experiment, None)[0])
        case Outcome.HOVERING:
            return f"{word} {after}. {BATCHES} A smaller rate or a larger batch may hover lower."
        case Outcome.DESCENDING:
            return f"{word} {after}. More epochs bring it lower."


def _stood_still(recording: Epochs, experiment: Experiment, forecast: Forecast | None) -> str:
    """A run that its own tolerance has stopped."""
    otherwise = ""
    if forecast and not experiment.before and (remedies := remedies_of(forecast)) and remedies.best:
        otherwise = _advised(remedies, remedies.best, forecast)
    return _joined(*tolerance.of_run(recording, experiment, forecast, _rmse(recording, forecast), otherwise))


BATCHES = "Each mini-batch points a little elsewhere."


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _phase_of(recording: Epochs, experiment: Experiment) -> tuple[Phase, int]:
    """The phase in which the run ended, and the epoch at which it began."""
    end = recording.diverged_at if recording.diverged_at is not None else recording.epochs
    trained = Trained(experiment.phases, experiment.training_rows, experiment.rows_per_update)
    return trained.at(end)


def _rmse(recording: Epochs, forecast: Forecast | None) -> str:
    """The RMSE at the end; 0 where it is no more than rounding of a perfect fit."""
    rmse = recording.epoch_rmse
    end = forecast.curvature.error(rmse[-1], float(rmse[0])) if forecast else rmse[-1]
    return significant(float(end))


# ------------------------------------------------------------------------------------------------------- converged


def _converged(
    recording: Epochs, experiment: Experiment, forecast: Forecast, finding: Finding
) -> tuple[str, ...]:
    since = f"since epoch {finding.epoch:,}" if finding.epoch else "from the start"
    rmse, rest = recording.epoch_rmse, ""
    above = float(rmse[-1]) - forecast.floor_rmse
    if above > CLOSE * forecast.floor_rmse and _rmse(recording, forecast) != "0":
        rest = f" but for {percent(above / float(rmse[0]))} of the first error"
    news = f"As good as this curve gets{rest}, {since}: RMSE {_rmse(recording, forecast)}, floor {floor_of(forecast)}."
    if LOSS_INFO[experiment.loss].rises and not forecast.floor_is_zero:
        news = f"The loss is as low as it gets, {since}: RMSE {_rmse(recording, forecast)}, where its minimum has {significant(forecast.floor_rmse)}."
    phase = _phase_of(recording, experiment)[0]
    if finding.leaves:
        title = OPTIMIZER_INFO[phase.optimizer].title
        return (
            news,
            f"{title} can leave it again: its memory of the gradients fades, and its steps become long again.",
        )
    return news, _undetermined(experiment, forecast) or _coefficient_off(recording, experiment, forecast)


def _undetermined(experiment: Experiment, forecast: Forecast) -> str:
    """Which parameters are not determined by the data, but only their combination."""
    curvature, names = forecast.curvature, experiment.info.parameters
    flat = curvature.eigenvectors[:, curvature.eigenvalues == 0]
    if not flat.shape[1]:
        return ""
    raw = flat.T @ forecast.problem.to_raw.T  # [F, P]
    size = forecast.problem.dataset.x.abs().amax(0)
    weight = torch.ones(len(names), dtype=torch.float64)
    if len(size) == experiment.info.weights:
        weight[: len(size)] = size  # what a parameter changes of the curve
    part = (raw * weight).abs().amax(0)
    taking = [name for name, share in zip(names, (part / part.max()).tolist(), strict=True) if share > 1e-6]
    listed = ", ".join(taking[:-1]) + f" and {taking[-1]}" if len(taking) > 1 else taking[0]
    if len(taking) > 5:
        listed = f"{len(taking)} of the parameters"
    if len(taking) == 1:
        return f"Nothing in the data determines {listed}: its column is 0, and it stays where it starts."
    return (
        f"Only a combination of {listed} is determined, because their columns say the same: the rest depends on the "
        "start, and another program prints other, equally good numbers."
    )


def _coefficient_off(recording: Epochs, experiment: Experiment, forecast: Forecast) -> str:
    """The raw coefficient that is furthest from least squares, where three digits show it, and how long it takes."""
    problem, curvature = forecast.problem, forecast.curvature
    theta = recording.epoch_theta[-1]
    ends, best = problem.raw(theta), torch.tensor(forecast.optimum, dtype=torch.float64)
    scale = _sizes(forecast)
    shares = ((ends - best) / best).abs()
    counts = (best.abs() > 1e-6 * scale) & (torch.tensor(forecast.optimum_digits) >= 4)
    shares = torch.where(counts, shares, 0.0)
    place = int(shares.argmax())
    if not float(shares[place]) > OFF:
        return ""
    name = experiment.info.parameters[place]
    text = (
        f"{name} is still {percent(float(shares[place]))} off: {short(float(ends[place]))}, where least squares has "
        f"{short(float(best[place]))}"
    )
    factors = forecast.factors
    if factors is None or experiment.before:
        return f"{text}."
    slow = max(
        (f for f, x in zip(factors, forecast.eigenvalues, strict=True) if x > 0 and f < 1), default=0.0
    )
    if not 0 < slow < 1 or bool((curvature.eigenvalues == 0).any()):
        return f"{text}."
    wait = math.log(float(shares[place]) / RIGHT) / -math.log(slow)
    return f"{text}; three digits take {some(recording.epochs + wait)}."


def _sizes(forecast: Forecast) -> Tensor:
    """How large each raw parameter would have to be to move the curve by the deviation of y, about. [P]."""
    problem = forecast.problem
    features = problem.linear.model.features(problem.dataset.x)
    spread = problem.dataset.y.std(correction=0)
    return spread / features.square().mean(0).sqrt().clamp(min=1e-300)


# -------------------------------------------------------------------------------------------------- too large a rate


def _gone(recording: Epochs, finding: Finding) -> str:
    times_first = " times its first value" if recording.epoch_loss[0] >= 1 else ""
    return f"Diverged at epoch {finding.epoch:,}: the loss passed {short(DIVERGED_ABOVE)}{times_first}."


def _why_gone(recording: Epochs, experiment: Experiment, forecast: Forecast) -> tuple[str, ...]:
    """Why a run has diverged, with the number, and what does not."""
    phase, first = _phase_of(recording, experiment)
    earlier = phase != experiment.phase or first != experiment.total_epochs - experiment.epochs
    before = f"In the earlier part, with {OPTIMIZER_INFO[phase.optimizer].title.lower()}, " if earlier else ""
    theory = OPTIMIZER_INFO[phase.optimizer].theory
    if not isinstance(theory, LinearRule):
        said = theory.gone.format(
            rate=short(phase.learning_rate), first=short(phase.learning_rate / theory.rate_of_one(phase))
        )
        return (said, "" if earlier else _at_a_tenth_of_the_way(recording, experiment, forecast, math.inf))
    if experiment.updates_per_epoch > 1:
        return (
            _too_large_for_batches(experiment, forecast, phase),
            _smaller_for_batches(experiment, forecast, phase),
        )
    limit = limit_along(forecast.eigenvalues[-1], phase)
    if phase.learning_rate > limit:
        return (_grows(forecast, phase, before), "" if earlier else _settles_at(forecast))
    return (
        f"{before}{'the' if before else 'Your'} rate {short(phase.learning_rate)} is {percent(phase.learning_rate / limit)} of the limit: "
        f"this is one wide swing of the velocity, which keeps {percent(phase.momentum)} of itself.",
        (_less_momentum(forecast) if not earlier else "") or "Less momentum swings less.",
    )


def _grows(forecast: Forecast, phase: Phase, before: str = "") -> str:
    """By how much the error grows, and the rate as so many times the limit."""
    steepest = forecast.eigenvalues[-1]
    growth, limit = factor(phase, phase.learning_rate, steepest), limit_along(steepest, phase)
    return (
        f"{before}{'along' if before else 'Along'} the steepest direction the error grows × {times(growth)} an epoch: "
        f"your rate {short(phase.learning_rate)} is {times(phase.learning_rate / limit)} × the limit {short(limit)}."
    )


def _settles_at(forecast: Forecast) -> str:
    """A rate that settles, and how long that takes; what else would help more."""
    remedies = remedies_of(forecast)
    if remedies is None:
        return ""
    if remedies.rate:
        return _advised(remedies, remedies.rate, forecast)
    return _upper(_scale(remedies.scaling, forecast)) if remedies.scaling else ""


def _too_large_for_batches(experiment: Experiment, forecast: Forecast, phase: Phase) -> str:
    """The limit of all rows, and the rate up to which no batch alone makes the error grow."""
    whole = as_parabola(forecast.problem.objective)
    assert whole is not None
    batch = experiment.rows_per_update
    safe = in_batches.safe_rate(whole.features, batch, phase)
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
    return _settles_at(forecast) if phase == experiment.phase else ""


def _last_steps(recording: Epochs) -> str:
    """The longest step of a parameter in an epoch of late."""
    return short(float(recording.epoch_theta[-WINDOW - 1 :].diff(dim=0).abs().max()))


def _why_growing(recording: Epochs, experiment: Experiment, forecast: Forecast) -> tuple[str, ...]:
    phase = _phase_of(recording, experiment)[0]
    theory = OPTIMIZER_INFO[phase.optimizer].theory
    if not isinstance(theory, LinearRule):
        title = OPTIMIZER_INFO[phase.optimizer].title
        return (
            f"It is on its way up to where it hovers: {title}’s last steps changed a parameter by up to {_last_steps(recording)} an epoch.",
            _lower_by_a_smaller_rate(recording, experiment, forecast),
        )
    if experiment.updates_per_epoch > 1:
        whole = as_parabola(forecast.problem.objective)
        assert whole is not None
        batch = experiment.rows_per_update
        if in_batches.explodes(whole.features, batch, phase, experiment.shuffle):
            return (
                _too_large_for_batches(experiment, forecast, phase),
                _smaller_for_batches(experiment, forecast, phase),
            )
        return (
            f"{BATCHES[:-1]}, and the rate {short(phase.learning_rate)} follows: it rises to where it hovers.",
            _lower_by_a_smaller_rate(recording, experiment, forecast),
        )
    fell = recording.epoch_rmse[-1] < recording.epoch_rmse[max(0, recording.epochs - 1)]
    so_far = "It still falls, but " if fell and recording.epochs else ""
    return (_grows(forecast, phase, so_far), _settles_at(forecast))


# ------------------------------------------------------------------------------------------------ swinging, hovering


def _why_swing(recording: Epochs, experiment: Experiment, forecast: Forecast | None) -> tuple[str, ...]:
    """Why the error changes sides, and what does not."""
    phase = _phase_of(recording, experiment)[0]
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
            _settles_at(forecast),
        )
    said = theory.swing.format(kept=percent(kept).removesuffix(" %"))
    remedies = remedies_of(forecast) if phase == experiment.phase else None
    if remedies and phase.momentum_or_zero == 0 and remedies.best:
        remedy = _advised(remedies, remedies.best, forecast)
    else:
        remedy = _less_momentum(forecast) if remedies else ""
    return (f"{said.partition('. ')[0]}." if remedy else said, remedy)


def _less_momentum(forecast: Forecast) -> str:
    """The β that is best for this κ, where it is worth its name."""
    remedies = remedies_of(forecast)
    if remedies is None or remedies.momentum is None:
        return ""
    if not remedies.momentum.epochs < min(BETTER * remedies.stay, remedies.stay - FEW):
        return ""
    return _advised(remedies, remedies.momentum, forecast)


def _hovering(
    recording: Epochs, experiment: Experiment, forecast: Forecast, finding: Finding, after: str
) -> tuple[str, ...]:
    phase = _phase_of(recording, experiment)[0]
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
            "The steps no longer become shorter, so they jump about the bottom.",
            _lower_by_a_smaller_rate(recording, experiment, forecast),
        )
    return f"Hovering {after}.", BATCHES, _lower_by_a_smaller_rate(recording, experiment, forecast)


def _lower_by_a_smaller_rate(recording: Epochs, experiment: Experiment, forecast: Forecast) -> str:
    """Whether a third of the rate hovers lower when the run has gone on, worked out; else what does."""
    levels = _levels(recording, experiment, forecast)
    if levels is None:
        return _condition(experiment, forecast) or "A smaller rate, given more epochs, hovers lower."
    now, lower = levels
    if not lower < 0.8 * now:
        return _condition(experiment, forecast) or _by_a_larger_batch(recording, experiment, forecast, now)
    floor = forecast.curvature.floor_loss
    at, lower_at = (significant(forecast.curvature.unit * math.sqrt(floor + gap), 4) for gap in (now, lower))
    if forecast.floor_is_zero or LOSS_INFO[experiment.loss].rises or lower_at == at:
        return "A smaller rate hovers lower."
    return f"A third of the rate hovers about RMSE {lower_at}, where this one does about {at}."


def _closer_by_a_smaller_rate(recording: Epochs, experiment: Experiment, forecast: Forecast) -> str:
    """That a third of the rate is closer after as many epochs, where it is tried and is."""
    phase, _ = _phase_of(recording, experiment)
    epochs = experiment.total_epochs
    if phase != experiment.phase or not recording.complete or not gone_on.soon_done(experiment, epochs):
        return ""
    own, third = (_comes_to(experiment, forecast, epochs, times) for times in (1, 1 / 3))
    return "A third of the rate is closer by now." if third < 0.8 * own else ""


def _levels(recording: Epochs, experiment: Experiment, forecast: Forecast) -> tuple[float, float] | None:
    """The gaps to which the run comes when it goes on, and at a third of its rate; None if that takes long."""
    phase, first = _phase_of(recording, experiment)
    if not recording.complete or phase != experiment.phase:
        return None
    curvature, epochs = forecast.curvature, first + LONGER * (recording.epochs - first)
    if gone_on.soon_done(experiment, epochs):
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
            in_batches.level_in_order(whole, curvature.optimum, batch, one, error, epochs)
            for one in (phase, third)
        )
        return now, lower
    updates = in_batches.UPDATES // 2
    if not in_batches.can_be_tried(len(whole.features), whole.features.shape[1], batch, updates):
        return None
    now, lower = (
        in_batches.level(whole, curvature.optimum, batch, one, error, updates) for one in (phase, third)
    )
    return now, lower


def _comes_to(experiment: Experiment, forecast: Forecast, epochs: int, times: float = 1) -> float:
    """The mean gap over the last fifth of a run that has gone on, at so many times its rate."""
    gaps = gone_on.gaps_gone_on(experiment, forecast.problem, forecast.curvature, epochs, times)
    return float(gaps[-max(1, len(gaps) // 5) :].mean())


def _by_a_larger_batch(recording: Epochs, experiment: Experiment, forecast: Forecast, now: float) -> str:
    """That a batch four times as large hovers lower, where it is tried and does."""
    epochs, rows = LONGER * recording.epochs, 4 * experiment.rows_per_update
    if not recording.mini_batches or experiment.before or rows >= experiment.training_rows:
        return ""
    larger = replace(experiment, batch_size=rows)
    if not gone_on.soon_done(larger, epochs) or not _comes_to(larger, forecast, epochs) < 0.8 * now:
        return ""
    return (
        f"A batch of {rows:,} hovers lower; a smaller rate would need more than {counted(epochs, 'epoch')}."
    )


def _left_less_far(recording: Epochs, experiment: Experiment, forecast: Forecast) -> str:
    """That a smaller rate leaves the optimum less far, where it is tried and does."""
    epochs = LONGER * recording.epochs
    if experiment.before or not recording.complete or not gone_on.soon_done(experiment, epochs):
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
            f"The directions are far from alike, κ = {_kappa(forecast)}: {_scale(remedies.scaling, forecast)}"
        )
    return ""


def _kappa(forecast: Forecast) -> str:
    """κ of the directions that are not flat."""
    return rounded(forecast.curvature.largest / forecast.curvature.smallest)


# --------------------------------------------------------------------------------------------------------- too slow


def _why_descending(recording: Epochs, experiment: Experiment, forecast: Forecast) -> tuple[str, ...]:
    phase, first = _phase_of(recording, experiment)
    if linear_step(phase) is None:
        now = float(recording.epoch_loss[-1]) - forecast.curvature.floor_loss
        better = _at_a_tenth_of_the_way(recording, experiment, forecast, now)
        return _way_done(recording, forecast), better or _more(recording, phase)
    rises = LOSS_INFO[experiment.loss].rises
    if rises and recording.epoch_rmse[-1] > recording.epoch_rmse[max(0, recording.epochs - WINDOW)]:
        return ("The mistaken loss falls, while the error against the data rises towards that.",)
    remedies = remedies_of(forecast)
    assert remedies is not None
    trained = recording.epochs - first
    if remedies.stay <= trained and not experiment.before and remedies.more_than is None:
        why = _lagging(recording, experiment, forecast) or _why_slow(experiment, forecast)
        return (why, f"It is {_near(forecast)} already; more epochs bring it lower.")
    if (
        remedies.stay <= SHORT_WAIT * trained + WINDOW
        and not experiment.before
        and remedies.more_than is None
    ):
        return (
            _lagging(recording, experiment, forecast),
            f"More epochs bring it lower: {_near(forecast)} after {some(remedies.stay)}.",
        )
    why = _lagging(recording, experiment, forecast) or _why_slow(experiment, forecast)
    best = remedies.best
    if best is None:
        return (why, _go_on(remedies, experiment, forecast))
    return (why, _advised(remedies, best, forecast))


def _way_done(recording: Epochs, forecast: Forecast) -> str:
    """How much of the way from the start's RMSE to the floor is done."""
    rmse = recording.epoch_rmse
    way = float(rmse[0]) - forecast.floor_rmse
    share = (float(rmse[0]) - float(rmse[-1])) / way if way > 0 else 0.0
    return f"{percent(share)} of the way from the start’s RMSE to the floor is done." if 0 < share < 1 else ""


def _at_a_tenth_of_the_way(recording: Epochs, experiment: Experiment, forecast: Forecast, now: float) -> str:
    """For a rule without theory: the rate that goes a tenth of the way in the first epoch, and where it ends; if that helps."""
    curvature, problem = forecast.curvature, forecast.problem
    alone, epochs = replace(experiment, before=()), experiment.epochs
    rate = float(f"{first_step_rate(alone, problem, curvature):.2g}")
    if experiment.before or not recording.complete or not gone_on.soon_done(alone, epochs):
        return ""
    there = float(gone_on.gaps_gone_on(alone, problem, curvature, epochs, rate / alone.learning_rate)[-1])
    if not there < HELPS * now or forecast.floor_is_zero or LOSS_INFO[experiment.loss].rises:
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
    return f"More epochs bring it lower: {_near(forecast)} after {some(remedies.stay)} in all{blame}."


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
    shrinks = (
        f"along the slow direction the error shrinks by {percent(1 - per_epoch)} an epoch"
        if per_epoch < 1 - HARDLY
        else "along the slow direction the error hardly shrinks at all"
    )
    share = phase.learning_rate / limit
    if share < 0.25 and experiment.updates_per_epoch == 1:
        return f"The rate {short(phase.learning_rate)} is {percent(share)} of the limit {short(limit)}: {shrinks}."
    if curvature.largest / curvature.smallest <= ILL_CONDITIONED:
        return f"{_upper(shrinks)} at the rate {short(phase.learning_rate)}."
    return f"{_upper(shrinks)}, because κ = {_kappa(forecast)}."


def _advised(remedies: Remedies, best: Remedy, forecast: Forecast) -> str:
    """A remedy with what it takes, beside the simplest one."""
    if forecast.stability_limit and forecast.stability_limit < LEARNING_RATE.low and remedies.scaling:
        return (
            f"No rate from {short(LEARNING_RATE.low)} on settles here: {_scale(remedies.scaling, forecast)}"
        )
    if best.scaled:
        beside = remedies.rate if remedies.rate and remedies.rate.epochs < remedies.stay else None
        as_it_is = (
            f"as it is, at {short(beside.rate)}, {_took(beside.epochs)}" if beside else _as_it_is(remedies)
        )
        return f"{_upper(_scale(best, forecast)[:-1])}; {as_it_is}."
    if best.momentum is not None:
        beta = f"With β = {short(best.momentum)}" if best.momentum else "Without momentum"
        return (
            f"{beta}, the best for κ = {_kappa(forecast)}, and a rate of {short(best.rate)} it takes {_took(best.epochs)}; "
            f"{_as_it_is(remedies)}."
        )
    text = f"A rate of {short(best.rate)} comes {_near(forecast)} in {_took(best.epochs)}"
    other = remedies.scaling
    if other and other.epochs < BETTER * best.epochs:
        text += f"; with scaled features {short(other.rate)} does in {_took(other.epochs)}"
    return text + "."


def _scale(remedy: Remedy, forecast: Forecast) -> str:
    return f"scale the features, and {short(remedy.rate)} comes {_near(forecast)} in {_took(remedy.epochs)}."


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _took(epochs: float) -> str:
    return some(epochs) if math.isfinite(epochs) else "more than anyone waits for"


def _as_it_is(remedies: Remedies) -> str:
    if remedies.more_than is not None:
        return f"as it is more than {counted(remedies.more_than, 'epoch')}"
    if not math.isfinite(remedies.stay):
        return "as it is it never gets there"
    return f"as it is {some(remedies.stay)}"


def _near(forecast: Forecast) -> str:
    """What a remedy is measured by: see `remedies.epochs_to_floor`."""
    return "to a millionth of the first RMSE" if forecast.floor_is_zero else "within 1 % of the floor"


def _lagging(recording: Epochs, experiment: Experiment, forecast: Forecast) -> str:
    """Which parameter is nearly there and which has hardly moved, in raw units, and why with one feature."""
    problem, names = forecast.problem, experiment.info.parameters
    if bool((forecast.curvature.eigenvalues == 0).any()) or len(names) < 2:
        return ""
    starts, ends = problem.raw(problem.start), problem.raw(recording.epoch_theta[-1])
    best = torch.tensor(forecast.optimum, dtype=torch.float64)
    sizes = torch.maximum(best.abs(), 1e-6 * _sizes(forecast))
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
        return f"{text}: {problem.dataset.feature_names[0]} is {short(middle)} on average, so both pull on the same thing."
    return f"{text}."


# ------------------------------------------------------------------------------------------------------- single steps


def _why_flat(experiment: Experiment, forecast: Forecast | None) -> str:
    if forecast is None or forecast.factors is None:
        theory = OPTIMIZER_INFO[experiment.optimizer].theory
        own = "" if isinstance(theory, LinearRule) else theory.flat
        return own or "Down by {percent} %, a small step."
    if forecast.stability_limit and abs(experiment.learning_rate / forecast.stability_limit - 1) < 1e-9:
        return "Each step lands on the other side of the valley, just as high: the rate is exactly the limit."
    slow = max((f for f, x in zip(forecast.factors, forecast.eigenvalues, strict=True) if x > 0), default=1.0)
    if slow >= 1:
        return "Almost flat."
    wait = 1 / -math.log(slow) if slow > 0 else 0.0
    text = f"Almost flat: along the slow direction the error shrinks by {percent(1 - slow)} an epoch"
    text += f"; at this rate each factor e takes {_about(wait)}." if wait > 2 else "."
    remedies = remedies_of(forecast)
    best = remedies and remedies.best
    if not best:
        return text
    if best.scaled:
        return text + " Scale the features."
    if best.momentum is not None:
        return text + f" Less momentum: β = {short(best.momentum)}."
    share = experiment.learning_rate / (forecast.stability_limit or math.inf)
    return text + f" The rate is {percent(share)} of the limit: a larger one is faster."


def _about(epochs: float) -> str:
    return f"about {rounded(epochs)} epochs"


def _why_close(experiment: Experiment, forecast: Forecast) -> str:
    return LOSS_INFO[experiment.loss].close.format(floor=floor_of(forecast))


def _why_up(experiment: Experiment, forecast: Forecast | None) -> str:
    if experiment.updates_per_epoch > 1:
        return "Up: each mini-batch points a little elsewhere, and the rate is large enough to follow it."
    theory = OPTIMIZER_INFO[experiment.optimizer].theory
    if not isinstance(theory, LinearRule):
        return theory.up
    if forecast is None:
        return "Up: the step was too long for the curvature here. Elsewhere it may fit: no theory knows the limit."
    assert forecast.stability_limit is not None
    if experiment.learning_rate > forecast.stability_limit:
        return _grows(forecast, experiment.phase)
    if rises := LOSS_INFO[experiment.loss].rises:
        return rises
    if experiment.phase.momentum_or_zero:
        return "Up for a moment: the velocity carries the point past the valley. It comes back."
    return "Up by {percent} %."
