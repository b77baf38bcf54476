"""The gradient, row by row: each row pulls at each parameter, and the gradient is the mean of the pulls.

J = (1/N) Σᵢ (ŷᵢ − yᵢ)² is a mean over rows, so ∂J/∂θⱼ = (1/N) Σᵢ 2 (ŷᵢ − yᵢ) φᵢⱼ is a mean over rows as well.
J is the loss, as textbooks write it; elsewhere in this code it is L.
"""

from enum import StrEnum
from typing import NamedTuple

from torch import Tensor

from gd_core.objective import LinearObjective
from gd_core.training import Epochs
from gd_core.words import short

VANISHED = 0.01  # of its first mean length: bars below it have shrunk to nothing
BALANCED = 0.05  # of the bars' mean length: a mean below it counts as near 0


def contributions(objective: LinearObjective, theta: Tensor) -> Tensor:
    """Each row's own gradient of the mean squared error, ∂Jᵢ/∂θⱼ = 2 (ŷᵢ − yᵢ) φᵢⱼ. [..., P] → [..., N, P]."""
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
    - vanish: for every parameter they are on average shorter than 1/100 of what they were at the start.
    - cancel: for every parameter their mean is below 1/20 of their mean length.
    - grow: the gradient is longer than at the start.
    - still: none of these; the gradient is on its way.
    """
    first, last = (pulls(objective, recording.epoch_theta[epoch]) for epoch in (0, -1))
    if recording.diverged_at is not None:
        return Ending.GROW
    if bool((last.length <= VANISHED * first.length).all()):
        return Ending.VANISH
    if bool((last.mean.abs() <= BALANCED * last.length).all()):
        return Ending.CANCEL
    return Ending.GROW if last.mean.norm() > first.mean.norm() else Ending.STILL


def said(recording: Epochs, objective: LinearObjective, names: tuple[str, ...]) -> str:
    """The end of a run that has not grown, in words with its numbers: of the parameter that is farthest from rest.

    Args:
        recording: The run.
        objective: The loss.
        names: Of the parameters.

    Raises:
        ValueError: If it has grown.
    """
    first, last = (pulls(objective, recording.epoch_theta[epoch]) for epoch in (0, -1))
    match ending(recording, objective):
        case Ending.GROW:
            raise ValueError("recording must be of a run that has not grown. Got one that has.")
        case Ending.VANISH:
            worst = int((last.length / first.length).nan_to_num().argmax())
            return (
                f"For {names[worst]} the bars were {short(float(first.length[worst]))} long on average and are "
                f"{short(float(last.length[worst]))} now. Every row is met, so no row pulls any more."
            )
        case Ending.CANCEL:
            worst = int((last.mean / last.length).nan_to_num().abs().argmax())
            return (
                f"For {names[worst]} the bars are still {short(float(last.length[worst]))} long on average, but their "
                f"mean is {short(float(last.mean[worst]))}. The pulls up and down balance: that is the optimum."
            )
        case Ending.STILL:
            worst = int((last.mean / last.length).nan_to_num().abs().argmax())
            return (
                f"For {names[worst]} the bars are {short(float(last.length[worst]))} long on average and their mean is "
                f"{short(float(last.mean[worst]))}. The gradient is not 0 yet, so the steps go on."
            )
