"""A shape mistake: what [N, 1] minus [N] computes, and whether a run with it finds what the data were made of."""

from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from gd_core.objective import mse
from gd_core.problem import Problem
from gd_core.settings.experiment import Experiment
from gd_core.theory import Curvature, best_in_the_long_run, curvature_of, gaps
from gd_core.training import Epochs, Recording
from gd_core.words import parameter, short, significant, times

PLANE_OF_DATA = (1.3, -1.0, -3.5)  # w₁, w₂, b with which `datasets.two_features` makes y
CLOSE = 0.01  # of the variance of y: what a model may leave unexplained beside the best one
LEVEL = 1e-9  # relative changes of the loss below it are rounding,
NOTHING = 1e-20  # and such shares of the mean of y²


def differences(prediction: Tensor, target: Tensor) -> Tensor:
    """What ŷ of shape [N, 1] minus y of shape [N] is: every prediction against every target, [N, N].

    Only the diagonal compares a row with its own target.
    """
    return prediction.reshape(-1, 1) - target.reshape(-1)


def best_of(problem: Problem) -> Curvature:
    """The parabola of the loss that was meant, whatever loss is minimised."""
    return curvature_of(replace(problem.objective, loss=mse))


def explained(problem: Problem, rmse: float) -> float:
    """R², the share of y's variance that a model with this error explains; below 0 it is worse than the mean of y."""
    return 1 - rmse**2 / float(problem.objective.target.var(correction=0))


Standing = Literal["grows", "wrong", "found", "coming"]


def standing(recording: Epochs, experiment: Experiment, problem: Problem, curvature: Curvature) -> Standing:
    """Whether the model is right, told from the run.

    Args:
        recording: The run.
        experiment: Its settings.
        problem: Its data and loss.
        curvature: The parabola of the loss that it minimises.

    Returns:
        "grows" if the loss has risen, or must rise because the rate is above the limit; "wrong" if the lowest point of the loss explains less of y
        than the best plane does; "found" if the run explains as much as the best plane, "coming" if not yet. A
        hundredth of the variance of y is let through.
    """
    loss, floor = recording.epoch_loss, best_of(problem).floor_rmse
    nothing = NOTHING * float(problem.objective.target.square().mean())
    falls = bool((loss[1:] <= loss[:-1] * (1 + LEVEL) + nothing).all())
    if recording.diverged_at is not None or not falls or experiment.learning_rate > 2 / curvature.largest:
        return "grows"
    best = explained(problem, floor)
    if explained(problem, curvature.floor_rmse) < best - CLOSE:
        return "wrong"
    return "found" if explained(problem, float(recording.epoch_rmse[-1])) >= best - CLOSE else "coming"


_TEMPTING = {
    "found": "A loss that falls looks like learning.",
    "coming": "More epochs do help where the lowest loss is at the plane.",
    "wrong": "A loss with a mistake in it does that.",
    "grows": "Too large a rate does that.",
}
_INSTEAD = {
    "found": "Here the lowest loss is as good as the best plane, and the run has come there.",
    "coming": "Here the lowest loss is as good as the best plane, and the run is not there yet.",
    "wrong": "Here the lowest loss itself is at another plane.",
    "grows": "Here the steps were too long for any plane.",
}


def tempting(said: str, told: str) -> str:
    """Why a wrong answer about the plane was tempting, and what the run did instead."""
    return f"{_TEMPTING[said]} {_INSTEAD[told]}"


def of_run(recording: Epochs, experiment: Experiment, problem: Problem, curvature: Curvature) -> str:
    """What became of the run, for a student: the loss, what it says, and how good the plane is."""
    first, last = (significant(float(recording.epoch_loss[epoch]), 4) for epoch in (0, -1))
    rmse, best = float(recording.epoch_rmse[-1]), best_of(problem)
    spread = float(problem.objective.target.std(correction=0))
    raw = problem.raw(recording.epoch_theta[-1]).tolist()
    size = max(map(abs, raw))
    found = ", ".join(
        f"{name} = {'0' if parameter(value, size) == '0' else significant(value, 3)}"
        for name, value in zip(experiment.info.parameters, raw, strict=True)
    )
    fell = f"The loss fell from {first} to {last}, to {found}. "
    if first == last:
        fell = f"The loss, {first}, is the same to four digits, at {found}. "
    match standing(recording, experiment, problem, curvature):
        case "grows":
            rate, limit = experiment.learning_rate, 2 / curvature.largest
            gone = (
                f"The loss blew up at epoch {short(recording.diverged_at)}. " if recording.diverged_at else ""
            )
            return (
                f"{gone}The rate {short(rate)} is {times(rate / limit)} × the limit {short(limit)}: along the steepest "
                "direction each step makes the error larger."
            )
        case "wrong":
            mine, mean = significant(rmse, 4), significant(spread, 4)
            than = (
                "the same, to four digits, as"
                if mine == mean
                else "more than"
                if rmse > spread
                else "less than"
            )
            return (
                f"{fell}RMSE {mine} is {than} {mean}, the RMSE of always predicting the mean of y. "
                "That mean is all this loss can find."
            )
        case "found":
            floor = "0, up to rounding" if best.floor_is_zero else significant(best.floor_rmse, 3)
            return f"{fell}RMSE {significant(rmse, 3)}; that of the best plane is {floor}."
        case "coming":
            larger = best_in_the_long_run(curvature, experiment.phase)
            rates = torch.tensor([experiment.learning_rate, larger], dtype=torch.float64)
            left = gaps(curvature, experiment.phase, problem.start, rates, recording.epochs)
            quicker = larger > experiment.learning_rate and bool(left[1] < left[0] / 2)
            faster = f", and a rate of {short(larger)} is quicker" if quicker else ""
            return f"{fell}RMSE {significant(rmse, 4)}: more epochs get all the way{faster}."


def rows_of(problem: Problem, rows: int) -> tuple[Tensor, Tensor]:
    """Φ and y of the first rows, [R, P] and [R]."""
    return problem.linear.features[:rows], problem.objective.target[:rows]


def predictions(recording: Recording, problem: Problem, rows: int) -> list[float]:
    """ŷ of the first rows at the end of a run."""
    with torch.no_grad():
        return problem.objective.predict(recording.theta[-1])[:rows].tolist()
