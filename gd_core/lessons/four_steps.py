"""The training loop taken apart: which of its four stages is at work at each moment, and what is known by then.

Initialise, then for each epoch Loss and Step, then Stop. E epochs have 2E + 2 moments.
"""

from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor

from gd_core.lessons.perfect_fit import rmse_of
from gd_core.outcome import Finding, Outcome
from gd_core.settings.experiment import Experiment
from gd_core.theory import Forecast
from gd_core.training import Epochs
from gd_core.verdict import of_run
from gd_core.words import counted, floor_of, significant, times

LEVEL = 1e-7  # of the RMSE: a change below it cannot be read,
NOTHING = 1e-12  # and one below this share of the first RMSE is rounding
SETTLED = 1e-3  # of the RMSE: a smaller change looks like none
ROUNDING = (
    1e-6  # of the first RMSE: data without noise have a floor of about nothing, since they are in 32 bits
)
BEST, NEAR = 1.01, 2.0  # times the floor: up to here a fit is called the best, or nearly


class Stage(IntEnum):
    """What the loop is doing."""

    INITIALISE = 0
    LOSS = 1
    STEP = 2
    STOP = 3


@dataclass(frozen=True, eq=False)
class Instants:
    """A run as a sequence of M moments.

    Attributes:
        stage: The `Stage` at work, [M].
        epoch: The number of the epoch at work, counted from 0 as `range` does, [M].
        theta: θ as it is at this moment, [M, P]; a step has been taken when its moment is shown.
        before: θ before the step that has just been taken; elsewhere the same as `theta`, [M, P].
        rmse: The error measured last, [M]; NaN before the first loss. After the loop it is measured once more.
    """

    stage: Tensor
    epoch: Tensor
    theta: Tensor
    before: Tensor
    rmse: Tensor

    @property
    def last(self) -> int:
        """The number of the last moment, counted from 0: M − 1."""
        return len(self.stage) - 1


def instants(recording: Epochs) -> Instants:
    """Take a run apart. A start that waits to be trained has its first moment only."""
    epochs, theta, rmse = recording.epochs, recording.epoch_theta, recording.epoch_rmse
    if not recording.complete:
        epochs, theta, rmse = 0, theta[:1], rmse[:1]
    inside = torch.arange(epochs)
    stage = [torch.tensor([int(Stage.INITIALISE)])]
    stage += [torch.tensor([int(Stage.LOSS), int(Stage.STEP)]).repeat(epochs)]
    now = [theta[:1], theta[torch.stack([inside, inside + 1], 1).flatten()]]
    before = [theta[:1], theta[inside.repeat_interleave(2)]]
    measured = [torch.full_like(rmse[:1], torch.nan), rmse[inside.repeat_interleave(2)]]
    at = [torch.zeros(1, dtype=torch.long), inside.repeat_interleave(2)]
    if recording.complete:
        stage.append(torch.tensor([int(Stage.STOP)]))
        now.append(theta[-1:])
        before.append(theta[-1:])
        measured.append(rmse[-1:])
        at.append(torch.tensor([max(0, epochs - 1)]))
    return Instants(
        stage=torch.cat(stage).to(torch.int8),
        epoch=torch.cat(at),
        theta=torch.cat(now),
        before=torch.cat(before),
        rmse=torch.cat(measured),
    )


def standing(recording: Epochs, floor: float) -> str:
    """How good the curve is that the loop has left, by its distance from the best one.

    Args:
        recording: A complete run.
        floor: RMSE of the best curve.

    Returns:
        "worse" if it ends higher than it began or has diverged; "best" up to 1 % above the floor, "near" up to
        twice the floor, else "far".
    """
    first, last = float(recording.epoch_rmse[0]), float(recording.epoch_rmse[-1])
    rounding = ROUNDING * first
    if last <= BEST * floor + rounding and recording.diverged_at is None:
        return "best"
    if recording.diverged_at is not None or last > first:
        return "worse"
    return "near" if last <= NEAR * floor + rounding else "far"


def tempting(said: str, recording: Epochs, floor: float) -> str:
    """Why a wrong answer about how good the curve is was tempting, and what it overlooks.

    Args:
        said: The answer, as `standing` names it.
        recording: A complete run.
        floor: RMSE of the best curve.
    """
    rmse = recording.epoch_rmse
    change = abs(float(rmse[-1] - rmse[-2])) if recording.epochs else 0.0
    match said, standing(recording, floor):
        case _, "worse":
            return "Each step starts downhill. One that is too long ends higher up."
        case "worse", "best":
            return "A rate that is too large does that. This run ended as good as the best."
        case "worse", _:
            return "A rate that is too large does that. This run ended no higher than it began."
        case (("best" | "near"), "far") if change < SETTLED * float(rmse[-1]):
            return (
                "The RMSE hardly changes any more, and that looks like the goal. It only says that the last step "
                "brought little."
            )
        case (("best" | "near"), "far"):
            return "An RMSE that has fallen looks good. It does not say how far there is to go."
        case "best", _:
            return "In the chart it looks like the best. It is still more than 1 % above the best RMSE."
        case _, "near":
            return "A few epochs often stop far away. These came below 2 × the best RMSE."
        case _:
            return "A few epochs often stop on the way. These arrived."


@dataclass(frozen=True)
class Sentences:
    """What is said at each moment: sentences with places for numbers, and which of them belongs to a moment, [M]."""

    templates: tuple[str, ...]
    choice: Tensor


def sentences(recording: Epochs, names: tuple[str, ...]) -> Sentences:
    """A sentence for each moment. Its places are the columns `epoch`, `rmse`, `fell`, `rose`, p and q of θ and before."""
    shown = instants(recording)
    values = ", ".join(f"{name} = {{p{i}}}" for i, name in enumerate(names))
    moves = ", ".join(f"{name} {{q{i}}} → {{p{i}}}" for i, name in enumerate(names))
    templates = (
        f"Initialise: {values}. Nothing has been learned yet.",
        "Epoch {epoch}, loss: the grey lines are the misses. RMSE {rmse}.",
        "Epoch {epoch}, loss: RMSE {rmse}, lower by {fell}.",
        "Epoch {epoch}, loss: RMSE {rmse}, lower by only {fell}. It looks settled.",
        "Epoch {epoch}, loss: RMSE {rmse}, higher by {rose}.",
        f"Epoch {{epoch}}, step: {moves}.",
        "Stop.",
        "Epoch {epoch}, loss: RMSE {rmse}, the same to six digits. It looks settled.",
    )
    stage, epoch, rmse = shown.stage, shown.epoch, recording.epoch_rmse
    earlier = rmse[(epoch - 1).clamp(min=0)]
    fell = earlier - rmse[epoch]
    choice = torch.zeros(len(stage), dtype=torch.int8)
    loss = stage == Stage.LOSS
    choice[loss] = 2
    choice[loss & (fell.abs() < SETTLED * earlier)] = 3
    choice[loss & (fell < 0)] = 4
    choice[loss & (fell.abs() <= LEVEL * earlier + NOTHING * rmse[0])] = 7
    choice[loss & (epoch == 0)] = 1
    choice[stage == Stage.STEP] = 5
    choice[stage == Stage.STOP] = 6
    return Sentences(templates, choice)


def of_stop(recording: Epochs, experiment: Experiment, forecast: Forecast, finding: Finding) -> str:
    """Why the loop has stopped, and how good the curve is that it has left."""
    first, rmse, floor = float(recording.epoch_rmse[0]), float(recording.epoch_rmse[-1]), forecast.floor_rmse
    kind = standing(recording, floor)
    if kind == "worse" and finding.outcome != Outcome.DIVERGED:
        return f"RMSE began at {significant(first)} and ends at {significant(rmse)}. " + of_run(
            recording, experiment, forecast, finding
        )
    if kind == "worse":
        return of_run(recording, experiment, forecast, finding)
    epochs = f"{counted(recording.epochs, 'epoch')} {'was' if recording.epochs == 1 else 'were'} counted"
    stopped = f"It stopped because {epochs}. RMSE {rmse_of(rmse, first, forecast)}"
    if forecast.floor_is_zero or floor <= ROUNDING * first:
        return f"{stopped}; the floor, of the dashed curve, is {floor_of(forecast)}."
    if kind == "best" and rmse <= BEST * floor:
        return f"{stopped}, floor {floor_of(forecast)}: no other curve is 1 % better."
    return f"{stopped} is {times(rmse / floor)} × the floor {floor_of(forecast)} of the dashed curve."


def planned(epochs: int) -> int:
    """The number of the last moment, counted from 0, if a run of so many epochs comes to its end."""
    return 2 * epochs + 1
