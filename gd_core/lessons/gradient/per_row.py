"""The gradient, row by row: each row pulls at each parameter, and the gradient is the mean of the pulls.

L = (1/N) Σᵢ (ŷᵢ − yᵢ)² is a mean over rows, so ∂L/∂θⱼ = (1/N) Σᵢ 2 (ŷᵢ − yᵢ) φᵢⱼ is a mean over rows as well.
"""

from enum import StrEnum
from typing import NamedTuple

from torch import Tensor

from gd_core.objective import LinearObjective
from gd_core.training import Epochs
from gd_core.words import short, significant, times

VANISHED = 0.01  # of its first mean length: bars below it have shrunk to nothing
ROUNDING = (
    1e-6  # of the bars that stand where all predictions are 0: no more than the rounding of data in 32 bits
)
LEVEL = 1e-9  # relative changes of a length below it are rounding
AT_REST = 1e-4  # of the floor: an RMSE that is nearer is at the optimum
BALANCED = 0.05  # of the bars' mean length: a mean below it counts as near 0


def contributions(objective: LinearObjective, theta: Tensor) -> Tensor:
    """Each row's own gradient of the mean squared error, ∂Lᵢ/∂θⱼ = 2 (ŷᵢ − yᵢ) φᵢⱼ. [..., P] → [..., N, P]."""
    residual = theta @ objective.features.T - objective.target  # ŷ − y, [..., N]
    return 2 * residual.unsqueeze(-1) * objective.features


class Ending(StrEnum):
    """How the rows' contributions stand at the end of a run."""

    VANISH = "vanish"
    CANCEL = "cancel"
    STILL = "still"
    GROW = "grow"


class Pulls(NamedTuple):
    """The contributions at one point, for each parameter.

    Attributes:
        length: Mean of their absolute values, [P].
        mean: Their mean, which is the gradient, [P].
    """

    length: Tensor
    mean: Tensor


def pulls(objective: LinearObjective, theta: Tensor) -> Pulls:
    """The contributions at θ in two numbers a parameter."""
    rows = contributions(objective, theta)
    return Pulls(rows.abs().mean(-2), rows.mean(-2))


def ending(recording: Epochs, objective: LinearObjective) -> Ending:
    """Tell how the contributions stand at the end of a run.

    - grow: the run has diverged.
    - vanish: for every parameter they are on average shorter than 1/100 of what they were at the start, or rounding.
    - cancel: for every parameter their mean is below 1/20 of their mean length.
    - grow: the gradient is longer than at the start, and so are the bars of a parameter.
    - still: none of these; the gradient is on its way.
    """
    first, last = (pulls(objective, recording.epoch_theta[epoch]) for epoch in (0, -1))
    if recording.diverged_at is not None:
        return Ending.GROW
    if bool((last.length <= (VANISHED * first.length).maximum(_rounding(objective))).all()):
        return Ending.VANISH
    if bool((last.mean.abs() <= BALANCED * last.length).all()):
        return Ending.CANCEL
    longer = bool((last.length > (1 + LEVEL) * first.length).any())
    return Ending.GROW if longer and last.mean.norm() > (1 + LEVEL) * first.mean.norm() else Ending.STILL


def _rounding(objective: LinearObjective) -> Tensor:
    """Up to which mean length a parameter's bars are rounding, [P]."""
    return ROUNDING * 2 * (objective.target.abs().unsqueeze(-1) * objective.features.abs()).mean(0)


_TEMPTING = {
    Ending.VANISH: "Bars do shrink where the rows are met better and better.",
    Ending.CANCEL: "At the lowest point they do cancel.",
    Ending.STILL: "A short run at a small rate does end so.",
    Ending.GROW: "Too large a rate does that.",
}
_INSTEAD = {
    Ending.VANISH: "Here every row is met so well that hardly anything pulls.",
    Ending.CANCEL: "Here rows are missed on both sides, so they go on pulling against each other.",
    Ending.STILL: "This run is still on its way.",
    Ending.GROW: "These steps were too long: the gradient grew.",
}


def tempting(said: Ending, told: Ending) -> str:
    """Why a wrong answer about the bars was tempting, and what the run did instead."""
    return f"{_TEMPTING[said]} {_INSTEAD[told]}"


def said(recording: Epochs, objective: LinearObjective, names: tuple[str, ...], floor: float) -> str:
    """The end of a run that has not grown, in words with its numbers: of the parameter that is farthest from rest.

    Args:
        recording: The run.
        objective: The loss.
        names: Of the parameters.
        floor: RMSE at the optimum.

    Raises:
        ValueError: If it has grown.
    """
    first, last = (pulls(objective, recording.epoch_theta[epoch]) for epoch in (0, -1))
    before, rmse = (float(recording.epoch_rmse[epoch]) for epoch in (0, -1))
    match ending(recording, objective):
        case Ending.GROW:
            raise ValueError("recording must be of a run that has not grown. Got one that has.")
        case Ending.VANISH if bool((first.length <= _rounding(objective)).all()):
            return "From the start on the bars are 0 up to rounding: the start meets every row."
        case Ending.VANISH:
            worst = int((last.length / first.length).nan_to_num().argmax())
            return (
                f"For {names[worst]} the bars were {short(float(first.length[worst]))} long on average and are "
                f"{short(float(last.length[worst]))} now. The rows are met better, so they pull less: RMSE "
                f"{significant(before, 4)} → {significant(rmse, 4)}."
            )
        case Ending.CANCEL:
            worst = int((last.mean / last.length).nan_to_num().abs().argmax())
            balance = "The pulls up and down balance: that is the optimum."
            if rmse > (1 + AT_REST) * floor:
                above = f", {times(rmse / floor)} × the floor" if floor > ROUNDING * before else ""
                balance = f"The pulls up and down nearly balance, but this is not the optimum: RMSE {significant(rmse, 5)}{above}."
            return (
                f"For {names[worst]} the bars are {short(float(last.length[worst]))} long on average, but their "
                f"mean is {_mean(last, worst)}. {balance}"
            )
        case Ending.STILL:
            worst = int((last.mean / last.length).nan_to_num().abs().argmax())
            return (
                f"For {names[worst]} the bars are {short(float(last.length[worst]))} long on average and their mean is "
                f"{_mean(last, worst)}. The gradient is not 0 yet, so the steps go on."
            )


def _mean(pull: Pulls, place: int) -> str:
    """The mean of a parameter's bars, which is 0 where it is rounding."""
    mean, length = float(pull.mean[place]), float(pull.length[place])
    return short(0.0 if abs(mean) <= 1e-12 * length else mean)
