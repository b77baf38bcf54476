"""The table of a run: what is known at the start of each epoch and at the end, over all rows that are trained on."""

import csv
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TextIO

import torch
from torch import Tensor

from gd_core.objective import Objective, accuracy, as_parabola, value_and_gradient
from gd_core.problem import Problem
from gd_core.settings.experiment import Experiment
from gd_core.theory import hessian
from gd_core.training import Recording

AT_ONCE = 10_000  # epochs turned into Python's numbers together
FORMULA = "=+-@\t\r＝＋－＠"  # with these a spreadsheet begins a formula


class Epoch(NamedTuple):
    """A row of the table."""

    epoch: int
    loss: float
    rmse: float
    parameters: list[float]
    gradient: list[float]
    raw: list[float]  # parameters in the units of the data; empty unless something is scaled
    held_out_rmse: list[float]  # a single number; empty unless rows are held out
    # a single number; empty unless the target is a yes or no to which a probability is fitted
    accuracy: list[float]

    def as_json(self, names: Sequence[str]) -> dict[str, Any]:
        """As it stands in a record, its parameters by name."""

        def named(numbers: Sequence[float]) -> dict[str, float]:
            return dict(zip(names, numbers, strict=True))

        found = {"epoch": self.epoch, "loss": self.loss, "rmse": self.rmse}
        found |= {"parameters": named(self.parameters), "gradient": named(self.gradient)}
        if self.held_out_rmse:
            found["held_out_rmse"] = self.held_out_rmse[0]
        if self.accuracy:
            found["accuracy"] = self.accuracy[0]
        return found | {"raw_parameters": named(self.raw)} if self.raw else found


def rows(experiment: Experiment, problem: Problem, recording: Recording, every: int = 1) -> Iterator[Epoch]:
    """Each so many-th epoch, from the start, and the last."""
    last, thetas = recording.epochs, recording.epoch_theta
    wanted = [*range(0, last, every), last]
    for first in range(0, len(wanted), AT_ONCE):
        some = wanted[first : first + AT_ONCE]
        theta = thetas[some]
        gradient = (
            _gradients(problem.objective, theta)
            if recording.updates_per_epoch > 1
            else recording.gradient[some]
        )
        raw = problem.raw(theta) if experiment.is_rescaled else theta[:, :0]
        held_out = recording.epoch_held_out_rmse
        held_out = theta[:, :0] if held_out is None else held_out[some, None]
        right = accuracy(problem.objective, theta)
        right = theta[:, :0] if right is None else right[:, None]
        known = recording.epoch_loss[some], recording.epoch_rmse[some]
        columns = (*known, theta, gradient, raw, held_out, right)
        yield from map(Epoch, some, *(column.tolist() for column in columns))


def _gradients(objective: Objective, theta: Tensor) -> Tensor:
    """∇L over all rows at each of K points, [K, P] → [K, P]: of a parabola ∇L(θ) = ∇L(θ′) + H (θ − θ′), else one by one.

    θ′ is the last of the points, and so not far away: H θ alone would lose digits where the gradient is small.
    """
    if as_parabola(objective) is None:
        return torch.stack([value_and_gradient(objective, point)[1] for point in theta])
    near = theta[-1]
    return value_and_gradient(objective, near)[1] + (theta - near) @ hessian(objective, near)


def write_csv(experiment: Experiment, problem: Problem, recording: Recording, file: TextIO) -> None:
    """Every epoch as a line, each number with all its digits; below the names of the columns."""
    names = experiment.info.parameters
    raw = [f"raw_{name}" for name in names if experiment.is_rescaled]
    writer = csv.writer(file, lineterminator="\n")
    judged = ["held_out_rmse"] if experiment.holdout else []
    judged += ["accuracy"] if experiment.loss_info.yes_no else []
    head = ["epoch", "loss", "rmse", *names, *(f"gradient_{name}" for name in names), *raw, *judged]
    writer.writerow(map(harmless, head))
    for row in rows(experiment, problem, recording):
        numbers = (
            row.loss,
            row.rmse,
            *row.parameters,
            *row.gradient,
            *row.raw,
            *row.held_out_rmse,
            *row.accuracy,
        )
        writer.writerow([row.epoch, *numbers])


def harmless(text: str) -> str:
    """A cell that is text in a spreadsheet too: one that would be a formula gets an apostrophe before it."""
    return f"'{text}" if text.lstrip(" ")[:1] in tuple(FORMULA) else text
