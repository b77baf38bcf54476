"""What several verdicts say alike: the end of a run, a remedy with what it takes, and numbers of a problem in words."""

import math

from torch import Tensor

from gd_core.outcome import Trained
from gd_core.remedies import BETTER, FEW, Remedies, Remedy, remedies_of
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import LEARNING_RATE, Phase
from gd_core.settings.rules import OPTIMIZER_INFO, decay_of
from gd_core.theory import Forecast
from gd_core.training import Epochs
from gd_core.words import counted, rounded, short, significant, some

ILL_CONDITIONED = 100.0  # κ above which scaling is the first advice
CLOSE = 0.002  # of the floor: an RMSE that is nearer is as good
FLAT = 0.01  # relative change of the RMSE below which a step is called almost flat
BATCHES = "Each mini-batch points a little elsewhere."


def joined(*sentences: str) -> str:
    """Those that say something, one after another."""
    return " ".join(sentence for sentence in sentences if sentence)


def phase_of(recording: Epochs, experiment: Experiment) -> tuple[Phase, int]:
    """The phase in which the run ended, and the epoch at which it began."""
    end = recording.diverged_at if recording.diverged_at is not None else recording.epochs
    trained = Trained(experiment.phases, experiment.training_rows, experiment.rows_per_update)
    return trained.at(end)


def can_leave(phase: Phase) -> str:
    """That a rule's steps become long again where it rests."""
    title = OPTIMIZER_INFO[phase.optimizer].title
    return f"{title} can leave it again: its memory of the gradients fades, and its steps become long again."


def rmse_of(recording: Epochs, forecast: Forecast | None) -> str:
    """The RMSE at the end; 0 where it is no more than rounding of a perfect fit."""
    rmse = recording.epoch_rmse
    end = forecast.curvature.error(rmse[-1], float(rmse[0])) if forecast else rmse[-1]
    return significant(float(end))


def held_back(phase: Phase, forecast: Forecast) -> str:
    """That a decoupled weight decay keeps a run from the lowest point, if it does: steady steps of Adam are no longer than η.

    So where a parameter rests, ηλ|θ| ≤ η. Source: Xie and Li, "Implicit Bias of AdamW", ICML 2024.
    """
    decay, sizes = decay_of(phase), forecast.curvature.optimum.abs()
    place = int(sizes.argmax())
    if decay * float(sizes[place]) <= 1:
        return ""
    name, value = forecast.experiment.trained_names[place], float(forecast.curvature.optimum[place])
    return (
        f"The weight decay {short(decay)} holds parameters near 1/λ = {short(1 / decay)} or below; the lowest point has "
        f"{name} = {short(value)}."
    )


def sizes_of(forecast: Forecast) -> Tensor:
    """How large each raw parameter would have to be to move the curve by the deviation of y, about. [P]."""
    problem = forecast.problem
    features = problem.linear.model.features(problem.dataset.x)
    spread = problem.dataset.y.std(correction=0)
    return spread / features.square().mean(0).sqrt().clamp(min=1e-300)


def kappa(forecast: Forecast) -> str:
    """κ of the directions that are not flat."""
    return rounded(forecast.curvature.largest / forecast.curvature.smallest)


def advised(remedies: Remedies, best: Remedy, forecast: Forecast) -> str:
    """A remedy with what it takes, beside the simplest one."""
    if said := _none_settles(remedies, forecast):
        return said
    if best.scaled:
        beside = remedies.rate if remedies.rate and remedies.rate.epochs < remedies.stay else None
        as_it_is = (
            f"as it is, at {short(beside.rate)}, {_took(beside.epochs)}" if beside else _as_it_is(remedies)
        )
        return f"{upper(scale(best, forecast)[:-1])}; {as_it_is}."
    if best.momentum is not None:
        beta = f"With β = {short(best.momentum)}" if best.momentum else "Without momentum"
        return (
            f"{beta}, the best for κ = {kappa(forecast)}, and a rate of {short(best.rate)} it comes {near(forecast)} in {_took(best.epochs)}; "
            f"{_as_it_is(remedies)}."
        )
    text = f"A rate of {short(best.rate)} comes {near(forecast)} in {_took(best.epochs)}"
    other = remedies.scaling
    if other and other.epochs < BETTER * best.epochs:
        text += f"; with scaled features {short(other.rate)} does in {_took(other.epochs)}"
    return text + "."


def scale(remedy: Remedy, forecast: Forecast) -> str:
    """To scale the features, with the rate and what it takes then."""
    return f"scale the features, and {short(remedy.rate)} comes {near(forecast)} in {_took(remedy.epochs)}."


def upper(text: str) -> str:
    """With a capital letter."""
    return text[:1].upper() + text[1:]


def _took(epochs: float) -> str:
    return some(epochs) if math.isfinite(epochs) else "more than anyone waits for"


def _as_it_is(remedies: Remedies) -> str:
    if remedies.more_than is not None:
        return f"as it is more than {counted(remedies.more_than, 'epoch')}"
    if not math.isfinite(remedies.stay):
        return "as it is it never gets there"
    return f"as it is {some(remedies.stay)}"


def near(forecast: Forecast) -> str:
    """What a remedy is measured by: see `remedies.epochs_to_floor`."""
    if forecast.floor_is_zero:
        return "to a millionth of the first RMSE"
    return "within 1 % of the floor" if forecast.curvature.bounds_rmse else "within 2 % of the lowest loss"


def less_momentum(forecast: Forecast) -> str:
    """The β that is best for this κ, where it is worth its name."""
    remedies = remedies_of(forecast)
    if remedies is None or remedies.momentum is None:
        return ""
    if not remedies.momentum.epochs < min(BETTER * remedies.stay, remedies.stay - FEW):
        return ""
    return advised(remedies, remedies.momentum, forecast)


def settles_at(forecast: Forecast) -> str:
    """A rate that settles, and how long that takes; what else would help more."""
    remedies = remedies_of(forecast)
    if remedies is None:
        return ""
    if remedies.rate:
        return advised(remedies, remedies.rate, forecast)
    return _none_settles(remedies, forecast) or (
        upper(scale(remedies.scaling, forecast)) if remedies.scaling else ""
    )


def _none_settles(remedies: Remedies, forecast: Forecast) -> str:
    """That no rate which can be typed settles, where that is so, and what does."""
    limit = forecast.stability_limit
    if not limit or limit >= LEARNING_RATE.low or not remedies.scaling:
        return ""
    return f"No rate from {short(LEARNING_RATE.low)} on settles here: {scale(remedies.scaling, forecast)}"
