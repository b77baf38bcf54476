"""A step and a run in plain words, with the numbers that explain them.

Of a run at most three short sentences: what happened; why, with the number; what helps most, with the number. By which
test a run was judged stands in `test_of`, for whoever asks why.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from gd_core.outcome import CONVERGED_BELOW, Finding, Outcome, overfitting
from gd_core.reasons import robust, scheduled, tolerance
from gd_core.reasons.arrived import converged
from gd_core.reasons.early import stopped_early
from gd_core.reasons.phrases import BATCHES, FLAT, advised, can_leave, joined, phase_of, rmse_of
from gd_core.reasons.scattering import hovering, why_swing
from gd_core.reasons.slow import why_descending
from gd_core.reasons.too_large import gone_at, grows, too_far, why_gone, why_growing
from gd_core.reasons.valleys import at_a_start, at_rest, on_the_way
from gd_core.remedies import remedies_of
from gd_core.settings.experiment import Experiment
from gd_core.settings.rules import OPTIMIZER_INFO, LinearRule
from gd_core.theory import Forecast, unsure_step
from gd_core.training import Epochs
from gd_core.words import counted, digits_beside, floor_of, percent, rounded, short, significant

LEVEL = 1e-9  # relative changes of the RMSE below it are rounding
STEP = "Epoch {epoch} → {next}: RMSE {rmse} → {next_rmse}. "


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
        now, after = float(rmse[epoch]), float(rmse[min(epoch + 1, len(rmse) - 1)])
        digits = digits_beside(now, after)
        return self.templates[int(self.choice[epoch])].format(
            epoch=f"{epoch:,}",
            next=f"{epoch + 1:,}",
            rmse=significant(now, digits),
            next_rmse=significant(after, digits),
            percent=significant(100 * abs(after / now - 1), 3) if now else "0",
        )


def of_steps(recording: Epochs, experiment: Experiment, forecast: Forecast | None) -> StepVerdicts:
    """Classify every epoch: falls, almost flat, close to the floor, rises; and the last one. Without theory there is no floor."""
    rmse = recording.epoch_rmse
    change = torch.cat([rmse[1:] / rmse[:-1].clamp(min=1e-300) - 1, torch.zeros(1, dtype=rmse.dtype)])
    floor = forecast.floor_rmse * (1 + FLAT) + 1e-9 * rmse[0] if forecast else -math.inf
    near = rmse <= floor
    if forecast and not forecast.curvature.bounds_rmse:  # which another loss may have far below it
        near &= rmse >= forecast.floor_rmse * (1 - FLAT)
    name = experiment.loss_info.name
    templates = (
        STEP + "Down by {percent} %.",
        STEP + _why_flat(experiment, forecast),
        STEP + (_why_close(experiment, forecast) if forecast else ""),
        STEP + _why_up(experiment, forecast),
        "Epoch {epoch}: RMSE {rmse}. " + _at_the_edge(recording),
        STEP + "Up by {percent} %.",
        STEP + _why_up_while_the_loss_falls(experiment),
    )
    choice = torch.zeros(len(rmse), dtype=torch.int8)
    choice[change > -FLAT] = 1
    choice[change > LEVEL] = 3
    choice[near & (change <= LEVEL)] = 2
    if name:
        falls = torch.cat([recording.epoch_loss.diff() < 0, choice.new_zeros(1, dtype=torch.bool)])
        choice[falls & (change > LEVEL)] = 6
    earlier = torch.arange(len(rmse)) < sum(phase.epochs for phase in experiment.before)
    choice[earlier & (change <= LEVEL)] = 0  # theory speaks of the last phase only
    choice[earlier & (change > LEVEL)] = 5
    choice[-1] = 4
    return StepVerdicts(templates, choice)


def _why_up_while_the_loss_falls(experiment: Experiment) -> str:
    loss = experiment.loss_info
    count = "more" if loss.yes_no else "less"
    return (
        loss.rises
        or f"Up, and the {loss.name or 'loss'} goes down: rows that are far off count {count} in it."
    )


def _at_the_edge(recording: Epochs) -> str:
    if recording.complete:
        return "The run ends here."
    return "More is coming." if recording.epochs else "This is the start."


def of_run(recording: Epochs, experiment: Experiment, forecast: Forecast | None, finding: Finding) -> str:
    """The whole run in two or three sentences: what happened, why, what to try; and what the held-out rows say."""
    if finding.outcome is Outcome.EARLY:
        return joined(*stopped_early(recording, experiment, forecast))
    if finding.lowest:
        return robust.of_run(recording, experiment, finding, finding.lowest) + _of_held_out(recording)
    return _of_training(recording, experiment, forecast, finding) + _of_held_out(recording)


def _of_held_out(recording: Epochs) -> str:
    """Whether the error on held-out rows parts from that on training rows."""
    if recording.epoch_held_out_rmse is None:
        return ""
    end = significant(float(recording.epoch_held_out_rmse[-1]))
    kept = recording.best if recording.best is not None and recording.complete else recording.epochs
    keeps = f" Kept is epoch {kept:,}." if kept < recording.epochs else ""
    found = overfitting(recording)
    if found is None:
        return f" Held-out RMSE {end}: the two errors do not part.{keeps}"
    return (
        f" Held-out RMSE {end}: the two errors part after epoch {found.epoch:,}, where it was lowest, "
        f"{significant(found.lowest)}.{keeps or ' Training goes on falling.'}"
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
    after = f"after {counted(recording.epochs, 'epoch')}, at RMSE {rmse_of(recording, forecast)}"
    if forecast is None:
        return _without_theory(recording, experiment, finding, after)
    if unsure_step(experiment.phase, forecast.curvature) and finding.outcome is not Outcome.STILL:
        return _by_rounding(recording, experiment, finding, after)
    if scheduled.speaks_of(recording, experiment, finding):
        return joined(*scheduled.of_run(recording, experiment, forecast, finding))
    floor = f"the floor is {floor_of(forecast)}"
    if experiment.loss_info.rises:
        floor = f"where its loss is lowest it is {significant(forecast.floor_rmse)}"
    match finding.outcome:
        case Outcome.STILL:
            return _stood_still(recording, experiment, forecast)
        case Outcome.EARLY:
            raise ValueError("outcome must be one of the training rows. Got stopped early.")
        case Outcome.DIVERGED:
            return joined(gone_at(recording, finding), *why_gone(recording, experiment, forecast))
        case Outcome.STOPPED:
            return f"Stopped at epoch {recording.epochs:,} of {experiment.total_epochs:,}, at RMSE {rmse_of(recording, forecast)}; {floor}."
        case Outcome.CONVERGED:
            return joined(*converged(recording, experiment, forecast, finding))
        case Outcome.GROWING:
            return joined(f"Growing {after}.", *why_growing(recording, experiment, forecast))
        case Outcome.OVERSHOOTING:
            return joined(f"Overshooting {after}; {floor}.", *why_swing(recording, experiment, forecast))
        case Outcome.HOVERING:
            return joined(*hovering(recording, experiment, forecast, finding, f"{after}; {floor}"))
        case Outcome.DESCENDING:
            return joined(
                f"Still descending {after}; {floor}.",
                *why_descending(recording, experiment, forecast),
            )


def _by_rounding(recording: Epochs, experiment: Experiment, finding: Finding, after: str) -> str:
    """Of steps that divide by a curvature whose inverse has no digits: what became of them, and why theory says nothing."""
    news = f"{_word(finding)} {after}."
    if finding.outcome is Outcome.DIVERGED:
        news = gone_at(recording, finding)
    why = "The columns are so much alike that H⁻¹ has no sure digits: these steps are rounding."
    return joined(news, why, "" if experiment.scale_features else "With scaled features one at η = 1 lands.")


def _word(finding: Finding) -> str:
    return f"{finding.outcome[0].upper()}{finding.outcome[1:]}"


def _without_theory(recording: Epochs, experiment: Experiment, finding: Finding, after: str) -> str:
    """Of a loss that is no parabola: what the losses alone tell."""
    word = _word(finding)
    match finding.outcome:
        case Outcome.STILL if finding.here and recording.epoch_theta[0].equal(recording.epoch_theta[-1]):
            return joined(
                f"Standing still {after}.", *at_a_start(experiment, finding.here, recording.epoch_theta[0])
            )
        case Outcome.STILL if finding.here:
            return joined(f"Standing still {after}.", *at_rest(finding.here))
        case Outcome.STILL if not recording.still:
            phase, first = phase_of(recording, experiment)
            return joined(
                f"Standing still {after}.", scheduled.too_little(experiment, phase, recording.epochs - first)
            )
        case Outcome.STILL:
            return _stood_still(recording, experiment, None)
        case Outcome.EARLY:
            raise ValueError("outcome must be one of the training rows. Got stopped early.")
        case Outcome.CONVERGED if finding.here:
            rmse = significant(float(recording.epoch_rmse[-1]))
            leaves = can_leave(phase_of(recording, experiment)[0]) if finding.leaves else ""
            return joined(
                f"Converged at epoch {finding.epoch:,}, at RMSE {rmse}.", *at_rest(finding.here), leaves
            )
        case Outcome.CONVERGED:
            return (
                f"Converged at epoch {finding.epoch:,}: since then the loss has not moved by more than a millionth of its "
                f"whole fall. RMSE {significant(float(recording.epoch_rmse[-1]))}. Whether another start ends lower, no theory says."
            )
        case Outcome.DIVERGED:
            phase = phase_of(recording, experiment)[0]
            theory = OPTIMIZER_INFO[phase.optimizer].theory
            why = f"The rate {short(phase.learning_rate)} is too large from this start. No theory knows the limit."
            if not isinstance(theory, LinearRule):
                why = too_far(phase, theory)
            return joined(gone_at(recording, finding), why)
        case Outcome.STOPPED:
            return f"Stopped at epoch {recording.epochs:,} of {experiment.total_epochs:,}, at RMSE {significant(float(recording.epoch_rmse[-1]))}."
        case Outcome.GROWING:
            return joined(f"{word} {after}.", _why_up(experiment, None))
        case Outcome.OVERSHOOTING:
            return joined(f"{word} {after}.", why_swing(recording, experiment, None)[0])
        case Outcome.HOVERING:
            return f"{word} {after}. {BATCHES} {scheduled.hovers_lower(recording, experiment)}"
        case Outcome.DESCENDING:
            where = on_the_way(finding.here) if finding.here else ()
            what = "the penalised loss" if experiment.penalty else "it"
            until = (
                f" until epoch {finding.until:,}; after that its steps are too long, and it rises again"
                if finding.until
                else ""
            )
            more = scheduled.goes_lower(recording, experiment, f"More epochs bring {what} lower{until}.")
            return joined(f"{word} {after}.", *where, more)


def _stood_still(recording: Epochs, experiment: Experiment, forecast: Forecast | None) -> str:
    """A run that its own tolerance has stopped."""
    otherwise = ""
    if forecast and not experiment.before and (remedies := remedies_of(forecast)) and remedies.best:
        otherwise = advised(remedies, remedies.best, forecast)
    return joined(*tolerance.of_run(recording, experiment, forecast, rmse_of(recording, forecast), otherwise))


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
    which = "every" if OPTIMIZER_INFO[experiment.optimizer].over_curvature else "the slow"
    text = f"Almost flat: along {which} direction the error shrinks by {percent(1 - slow)} an epoch"
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
    return experiment.loss_info.close.format(floor=floor_of(forecast))


def _why_up(experiment: Experiment, forecast: Forecast | None) -> str:
    if experiment.updates_per_epoch > 1:
        return "Up: each mini-batch points a little elsewhere, and the rate is large enough to follow it."
    theory = OPTIMIZER_INFO[experiment.optimizer].theory
    if not isinstance(theory, LinearRule):
        return theory.up
    if experiment.loss_info.name:
        return "Up: the step jumped over the bottom."
    if forecast is None:
        return "Up: the step was too long for the curvature here. Elsewhere it may fit: no theory knows the limit."
    assert forecast.stability_limit is not None
    if above := scheduled.above_the_limit(experiment, forecast):
        return f"Up: {above[0].lower()}{above[1:]}"
    if experiment.learning_rate > forecast.stability_limit:
        return grows(forecast, experiment.phase)
    if rises := experiment.loss_info.rises:
        return rises
    if experiment.phase.momentum_or_zero:
        return "Up for a moment: the velocity carries the point past the valley. It comes back."
    return "Up by {percent} %."
