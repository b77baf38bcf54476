"""What is kept of a run for a comparison: the error of every epoch, and the parameters at those that are drawn.

A recording of 100,000 epochs holds θ, loss and gradient of every update; eight of them side by side would fill the
memory for nothing, because no screen shows them. A summary keeps the RMSE of every epoch, so the epoch at which a target
was reached is exact; θ at each of the first epochs, where it moves most, and later at every second, fourth, eighth …
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gd_core.objective import LinearObjective, Objective
from gd_core.outcome import Finding, Outcome, Trained, outcome
from gd_core.problem import Problem
from gd_core.settings.experiment import Experiment
from gd_core.theory import Curvature
from gd_core.training import Epochs

SHARE_LEFT = 0.05  # the usual target: this share of the way from the start’s RMSE to the floor is left
KEPT = 2048  # of the first epochs each, and about so many after them
DRAWN = 1000  # of these, at most about so many are drawn


@dataclass(frozen=True, eq=False)
class RunSummary:
    """A run as a comparison sees it. E epochs, P parameters, R of the epochs kept with their θ.

    Attributes:
        experiment: What was trained.
        kept: The epochs whose θ is kept, 0 and E among them, [R].
        theta: θ in the coordinates that were trained at these epochs, [R, P].
        rmse: Root mean squared error at the start of each epoch and at the end, [E + 1].
        gap: L − L* at the end, in the data's units; None if nobody knows L*, because the loss is no parabola.
        finding: How the run ended.
        complete: Whether nothing is left to train.
        held_out_rmse: RMSE of the held-out rows at the end, or at the epoch that a patience keeps; None if no row is held out.
    """

    experiment: Experiment
    kept: np.ndarray
    theta: Tensor
    rmse: np.ndarray
    gap: float | None
    finding: Finding
    complete: bool = True
    held_out_rmse: float | None = None

    @property
    def epochs(self) -> int:
        """Whole epochs recorded, E."""
        return len(self.rmse) - 1

    @property
    def diverged(self) -> bool:
        """Whether the loss has passed its bound."""
        return self.finding.outcome is Outcome.DIVERGED

    @property
    def drawn(self) -> np.ndarray:
        """Rows of `theta` that are drawn as a path: about DRAWN of them, evenly, and the last."""
        rows = len(self.theta)
        return np.unique(np.append(np.arange(0, rows, -(-rows // DRAWN)), rows - 1))

    def rows_at(self, epochs: np.ndarray) -> np.ndarray:
        """Rows of `theta` that are shown at these epochs: the last one kept before, and after the end the end's."""
        return np.searchsorted(self.kept, epochs, side="right") - 1

    def rmse_at(self, epochs: np.ndarray) -> np.ndarray:
        """RMSE at these epochs; after the end the end's."""
        return self.rmse[np.minimum(epochs, self.epochs)]


def stride_for(epochs: int, most: int) -> int:
    """The smallest power of two that leaves at most so many steps: two such strides always fit into one another."""
    return 1 << max(0, (-(-epochs // most) - 1).bit_length())


def kept_epochs(epochs: int) -> np.ndarray:
    """The first KEPT epochs, then every so many, about KEPT again, and the last."""
    late = np.arange(KEPT, epochs + 1, stride_for(max(epochs - KEPT, 1), KEPT))
    return np.unique(np.concatenate([np.arange(min(KEPT, epochs) + 1), late, [epochs]]))


def summarised(
    experiment: Experiment, problem: Problem, recording: Epochs, curvature: Curvature | None
) -> RunSummary:
    """Keep of a recording what a comparison needs. Nothing in it holds on to the recording."""
    kept = kept_epochs(recording.epochs)
    held_out = recording.epoch_held_out_rmse
    return RunSummary(
        experiment=experiment,
        kept=kept,
        theta=recording.epoch_theta[kept],  # a list of rows, so a copy
        rmse=recording.epoch_rmse.numpy().copy(),
        gap=None
        if curvature is None
        else curvature.unit**2 * float(curvature.gap(recording.epoch_theta[-1]).sum()),
        finding=outcome(recording, curvature, Trained.of(experiment, problem)),
        complete=recording.complete,
        held_out_rmse=None if held_out is None else float(held_out[recording.kept]),
    )


def epochs_to(rmse: np.ndarray, target: float) -> int | None:
    """The first epoch whose RMSE is at most the target, or None."""
    below = np.flatnonzero(rmse <= target)
    return int(below[0]) if len(below) else None


def usual_target(summaries: Sequence[RunSummary], floor: float | None) -> float | None:
    """A target that tells runs of one problem apart.

    A twentieth of the way from the highest first RMSE to the floor is left. Where no run gets so far, or nobody knows the floor, the highest RMSE
    that one of them ends with, of those whose RMSE has fallen: each of these has been there, the better the sooner.
    None if no run's RMSE has fallen.
    """
    runs = [one for one in summaries if one.epochs]
    if floor is not None:
        usual = floor + SHARE_LEFT * (max((float(one.rmse[0]) for one in runs), default=floor) - floor)
        if any(epochs_to(one.rmse, usual) for one in runs):
            return usual
    ends = [float(one.rmse[-1]) for one in runs if not one.diverged and one.rmse[-1] < one.rmse[0]]
    return max(ends, default=None)


# ------------------------------------------------------------------------------------ what may share a chart


def same_data(one: Problem, other: Problem) -> bool:
    """Whether two problems fit the same rows, in raw units: their fits can be drawn over each other."""
    return one is other or (_equal(one.dataset.x, other.dataset.x) and same_target(one, other))


def same_target(one: Problem, other: Problem) -> bool:
    """Whether two problems have the same values to predict: then an RMSE means the same."""
    return one is other or _equal(one.dataset.y, other.dataset.y)


def same_model(one: Experiment, other: Experiment) -> bool:
    """Whether two runs fit curves of one kind, with as many parameters."""
    return (one.info.model, one.info.parameters) == (other.info.model, other.info.parameters)


def same_landscape(one: Problem, other: Problem) -> bool:
    """Whether two problems have the same loss over the same parameters: then their paths share a map."""
    a, b = one.objective, other.objective
    same_loss = a.loss == b.loss and a.penalty == b.penalty
    return one is other or (same_loss and _equal(a.target, b.target) and _same_predictions(a, b))


def _same_predictions(one: Objective, other: Objective) -> bool:
    """Whether two objectives predict the same at each θ: they have one Φ, or else one model of the same features."""
    if isinstance(one, LinearObjective) and isinstance(other, LinearObjective):
        return _equal(one.features, other.features)
    return type(one.model) is type(other.model) and _equal(one.dataset.x, other.dataset.x)


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool((one == other).all())


def trend(objective: LinearObjective) -> tuple[Tensor, Tensor]:
    """The straight line through predicted over actual values, as two linear forms in θ, [P] and [P].

    The line of least squares through the points (yᵢ, ŷᵢ) has slope cov(y, Φ)θ / var(y) and passes through the means.

    Returns:
        `slope` and `rest`: at an actual value y the trend is (slope·θ) y + rest·θ. A target without spread has slope 0.
    """
    y, features = objective.target, objective.features
    away = y - y.mean()
    spread = away.square().sum()
    slope = away @ features / spread if spread > 0 else torch.zeros_like(features[0])
    return slope, features.mean(0) - slope * y.mean()
