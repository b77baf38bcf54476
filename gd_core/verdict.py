"""A step and a run in plain words, with the numbers that explain them."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from gd_core.outcome import CONVERGED_BELOW, Finding, Outcome, overfitting
from gd_core.settings.catalog import LOSS_INFO, why_not_scaled
from gd_core.settings.experiment import Experiment
from gd_core.settings.rules import OPTIMIZER_INFO, LinearRule
from gd_core.theory import Forecast, limit_along
from gd_core.training import DIVERGED_ABOVE, Epochs

ILL_CONDITIONED = 100.0  # κ above which scaling is the first advice
LEVEL = 1e-9  # relative changes of the RMSE below it are rounding
FLAT = 0.01  # relative change of the RMSE below which a step is called almost flat


def significant(number: float, digits: int = 6) -> str:
    """A number with so many significant digits; 1.8e−5 style only outside 10⁻⁴ … 10⁷.

    The player's JavaScript writes numbers the same way.
    """
    if not math.isfinite(number):
        return "∞" if number > 0 else "−∞" if number < 0 else "not a number"
    if number == 0:
        return "0"
    mantissa, exponent = f"{number:.{digits - 1}e}".split("e")  # rounded first: 9.9999999 is 10.0000
    if 1e-4 <= abs(number) < 1e7:
        text = f"{number:.{max(0, digits - 1 - int(exponent))}f}"
    else:
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−")


def short(number: float) -> str:
    """A number for a sentence: three significant digits without trailing zeros, thousands with commas."""
    if math.isfinite(number) and 1000 <= abs(number) < 1e15:
        return f"{number:,.0f}".replace("-", "−")
    text = significant(number, 3)
    mantissa, e, exponent = text.partition("e")
    return (mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa) + e + exponent


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


def _of_training(
    recording: Epochs, experiment: Experiment, forecast: Forecast | None, finding: Finding
) -> str:
    epochs = f"{recording.epochs:,} epoch{'' if recording.epochs == 1 else 's'}"
    rmse = significant(float(recording.epoch_rmse[-1]))
    if forecast is None and finding.outcome is Outcome.CONVERGED:
        return (
            f"Converged at epoch {finding.epoch:,}: since then the loss has not moved by more than a millionth of its "
            f"whole fall. RMSE {rmse}. Whether another start ends lower, no theory says."
        )
    known = "" if forecast is None else significant(forecast.floor_rmse)
    floor = known and f"; the floor is {known}"
    match finding.outcome:
        case Outcome.DIVERGED:
            times = " times its first value" if recording.epoch_loss[0] >= 1 else ""
            return (
                f"Diverged at epoch {finding.epoch:,}: the loss passed {short(DIVERGED_ABOVE)}{times}. "
                f"{_why_gone(experiment, forecast)} The last epoch below that is kept."
            )
        case Outcome.STOPPED:
            return f"Stopped at epoch {recording.epochs:,} of {experiment.total_epochs:,}, at RMSE {rmse}.{known and f' The floor is {known}.'}"
        case Outcome.CONVERGED:
            share = f"1/{round(1 / CONVERGED_BELOW):,}"
            return (
                f"Converged at epoch {finding.epoch:,}: along every direction less than {share} of the gap is left, "
                "or next to nothing beside the floor. "
                f"RMSE {rmse}, floor {known}."
            )
        case Outcome.GROWING:
            return f"Growing after {epochs}, at RMSE {rmse}. {_why_up(experiment, forecast)}"
        case Outcome.OVERSHOOTING:
            return f"Overshooting after {epochs}, at RMSE {rmse}{floor}. {_why_swing(experiment, forecast)}"
        case Outcome.HOVERING:
            return (
                f"Hovering after {epochs}, at RMSE {rmse}{floor}. "
                "Each mini-batch points a little elsewhere. A smaller rate or a larger batch hovers lower."
            )
        case Outcome.DESCENDING:
            flat = _is_flat(recording) and forecast is not None and forecast.factors is not None
            advice = _why_flat(experiment, forecast) if flat else "More epochs bring it lower."
            return f"Still descending after {epochs}, at RMSE {rmse}{floor}. {advice}"


def _is_flat(recording: Epochs) -> bool:
    rmse = recording.epoch_rmse
    return len(rmse) > 1 and float(rmse[-1]) > (1 - FLAT) * float(rmse[-2])


def _why_flat(experiment: Experiment, forecast: Forecast | None) -> str:
    if forecast is None or forecast.factors is None:
        theory = OPTIMIZER_INFO[experiment.optimizer].theory
        own = "" if isinstance(theory, LinearRule) else theory.flat
        return own or "Down by {percent} %, a small step."
    slow = max((f for f, x in zip(forecast.factors, forecast.eigenvalues, strict=True) if x > 0), default=1.0)
    if forecast.stability_limit and abs(experiment.learning_rate / forecast.stability_limit - 1) < 1e-9:
        return "Each step lands on the other side of the valley, just as high: the rate is exactly the limit."
    if slow >= 1:
        return "Almost flat."
    wait = 1 / -math.log(slow) if slow > 0 else 0.0
    text = f"Almost flat: along the slow direction the error shrinks by {short(100 * (1 - slow))} % an epoch"
    text += (
        f"; at this rate each factor e takes about {short(float(f'{wait:.3g}'))} epochs." if wait > 2 else "."
    )
    scalable = not experiment.scale_features and why_not_scaled(experiment.info) is None
    if forecast.condition_number > ILL_CONDITIONED and scalable:
        return text + " Scale the features."
    if forecast.zone(experiment.learning_rate) == "slow":
        return text + f" The rate is {_share(experiment, forecast)} the limit: a larger one is faster."
    return text


def _why_close(experiment: Experiment, forecast: Forecast) -> str:
    return LOSS_INFO[experiment.loss].close.format(floor=significant(forecast.floor_rmse))


def _why_up(experiment: Experiment, forecast: Forecast | None) -> str:
    if experiment.updates_per_epoch > 1:
        return "Up: each mini-batch points a little elsewhere, and the rate is large enough to follow it."
    theory = OPTIMIZER_INFO[experiment.optimizer].theory
    if not isinstance(theory, LinearRule):
        return theory.up
    if forecast is None:
        return "Up: the step was too long for the curvature here. Elsewhere it may fit: no theory knows the limit."
    assert forecast.factors is not None
    assert forecast.stability_limit is not None
    if experiment.learning_rate > forecast.stability_limit:
        growth = max(forecast.factors)
        return (
            f"Along the steepest direction the error grows × {growth:.4g} an epoch: "
            f"your rate {short(experiment.learning_rate)} is {_share(experiment, forecast)} "
            f"the limit {short(forecast.stability_limit)}."
        )
    if rises := LOSS_INFO[experiment.loss].rises:
        return rises
    return "Up for a moment: the velocity carries the point past the valley. It comes back."


def _why_gone(experiment: Experiment, forecast: Forecast | None) -> str:
    """Why a run has diverged, with the number."""
    rate, theory = short(experiment.learning_rate), OPTIMIZER_INFO[experiment.optimizer].theory
    if not isinstance(theory, LinearRule):
        return theory.gone.format(rate=rate)
    if forecast is None:
        return f"The rate {rate} is too large from this start. No theory knows the limit."
    if experiment.updates_per_epoch == 1:
        return _why_up(experiment, forecast)
    whole = short(limit_along(forecast.eigenvalues[-1], experiment.phase))
    return (
        f"The rate {rate} is too large for batches of {experiment.rows_per_update}. "
        f"The limit for all rows together is {whole}; a batch’s own may be lower."
    )


def _why_swing(experiment: Experiment, forecast: Forecast | None) -> str:
    """Why the error changes sides. Full batches only: with mini-batches a run hovers."""
    theory = OPTIMIZER_INFO[experiment.optimizer].theory
    if not isinstance(theory, LinearRule):
        return theory.swing
    if forecast is None:
        return "The loss rises and falls: steps jump over the bottom. A smaller rate does not jump."
    assert forecast.factors is not None
    return theory.swing.format(kept=short(100 * forecast.factors[-1]))


def _share(experiment: Experiment, forecast: Forecast) -> str:
    share = experiment.learning_rate / (forecast.stability_limit or math.inf)
    return f"{significant(share, 3 if share > 1.1 else 4)} ×" if share >= 1 else f"{short(100 * share)} % of"
