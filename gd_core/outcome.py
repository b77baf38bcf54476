"""How a run ended, told apart by a test that can be named; and where overfitting begins."""

import math
from enum import StrEnum
from typing import NamedTuple

import torch
from torch import Tensor

from gd_core.theory import Curvature
from gd_core.training import Epochs

CONVERGED_BELOW = 1e-6  # of a direction's first gap to the optimum,
NEGLIGIBLE = 1e-4  # or of the lowest loss: the RMSE is then within 0.005 % of the floor
WINDOW = 20  # epochs looked back on
LEVEL = 1e-9  # relative changes of the loss below it are rounding
PARTED = 0.02  # the held-out RMSE ends at least this share above its lowest,
TAIL = 10  # in all of the last tenth of the epochs, so that one lucky mini-batch decides nothing
CERTAIN = 3.0  # standard errors by which a loss that scatters must fall or rise


class Outcome(StrEnum):
    """The ways in which a run can end."""

    CONVERGED = "converged"
    DESCENDING = "still descending"
    OVERSHOOTING = "overshooting"
    HOVERING = "hovering"
    GROWING = "growing"
    DIVERGED = "diverged"
    STOPPED = "stopped"


class Finding(NamedTuple):
    """An outcome and the epoch at which its test was first passed, where there is one."""

    outcome: Outcome
    epoch: int | None = None


def outcome(recording: Epochs, curvature: Curvature | None) -> Finding:
    """Tell how a run ended.

    - diverged: the loss passed 10⁶ × max(1, first loss), or is not finite.
    - stopped: by hand, before its epochs were done.
    - converged: along every eigenvector of the Hessian, the gap to the lowest loss is at most a millionth of what it
      was at the start, or a ten-thousandth of the lowest loss itself.
    - growing: within the last 20 epochs the loss reaches higher and higher; with mini-batches, to twice as much.
    - overshooting: along some eigenvector of the Hessian the error keeps changing its sign.
    - hovering: mini-batches, and the loss no longer falls.
    - still descending: none of these.

    A loss that is no parabola has neither eigenvectors nor a known lowest loss: see `_by_losses_alone`.
    """
    if recording.diverged_at is not None:
        return Finding(Outcome.DIVERGED, recording.diverged_at)
    if recording.stopped:
        return Finding(Outcome.STOPPED, recording.epochs)
    if curvature is None:
        return _by_losses_alone(recording)
    gap = recording.epoch_loss - curvature.floor_loss
    parts = curvature.gap(recording.epoch_theta)  # of each direction, [E + 1, P]
    rounding = 1e-14 * max(abs(curvature.floor_loss), float(recording.epoch_loss[0]))
    left = (CONVERGED_BELOW * parts[0]).clamp(min=max(NEGLIGIBLE * curvature.floor_loss, rounding))
    close = (parts <= left).all(1)
    if bool(close[-1]):
        never = (~close).nonzero()
        return Finding(Outcome.CONVERGED, int(never[-1]) + 1 if len(never) else 0)
    if recording.epochs == 0:
        return Finding(Outcome.DESCENDING)
    recent = gap[-WINDOW - 1 :]
    older, newer = recent.split([len(recent) - len(recent) // 2, len(recent) // 2])
    if recording.mini_batches:
        return Finding(_drift(older, newer) if len(recent) > WINDOW else _trend(gap))
    if newer.max() > older.max() * (1 + LEVEL):
        return Finding(Outcome.GROWING)
    if _alternates(recording.epoch_theta[-WINDOW - 1 :], curvature):
        return Finding(Outcome.OVERSHOOTING)
    return Finding(Outcome.DESCENDING)


def _by_losses_alone(recording: Epochs) -> Finding:
    """Tell how a run ended whose loss is no parabola.

    - converged: for 20 epochs or more the loss has been within a millionth of the whole fall of where it ends. That is
      where this run comes to rest, whether or not a lower loss lies elsewhere.
    - growing, hovering: as on a parabola, with the loss in place of the gap. A short run of mini-batches still descends
      if each loss of its later half is below each of its earlier one.
    - overshooting: within the last 20 epochs the loss rises in every third epoch or more.
    """
    loss = recording.epoch_loss
    recent = loss[-WINDOW - 1 :]
    older, newer = recent.split([len(recent) - len(recent) // 2, len(recent) // 2])
    if recording.epochs == 0:
        return Finding(Outcome.DESCENDING)
    away = ((loss - loss[-1]).abs() > CONVERGED_BELOW * (loss[0] - loss[-1])).nonzero()
    rests_from = int(away[-1]) + 1 if len(away) else 0
    if loss[-1] < loss[0] and recording.epochs - rests_from >= WINDOW:
        return Finding(Outcome.CONVERGED, rests_from)
    if recording.mini_batches:
        if len(recent) > WINDOW:
            return Finding(_drift(older, newer))
        return Finding(Outcome.DESCENDING if newer.max() < older.min() else _trend(loss))
    if newer.max() > older.max() * (1 + LEVEL):
        return Finding(Outcome.GROWING)
    rises = int((recent[1:] > recent[:-1] * (1 + LEVEL)).sum())
    return Finding(
        Outcome.OVERSHOOTING if rises >= 2 and 3 * rises >= len(recent) - 1 else Outcome.DESCENDING
    )


def _trend(gap: Tensor) -> Outcome:
    """Where a short run of mini-batches has moved the gap: to less than half, to more than twice, or neither."""
    change = float(gap[-1] / gap[0].clamp(min=1e-300))
    return Outcome.DESCENDING if change < 0.5 else Outcome.GROWING if change > 2 else Outcome.HOVERING


def _drift(older: Tensor, newer: Tensor) -> Outcome:
    """Where mini-batches move the gap, told from their scatter: by its logarithm, in standard errors."""
    before, after = (gap.clamp(min=1e-300).log() for gap in (older, newer))
    change = float(after.mean() - before.mean())
    scatter = float((before.var() / len(before) + after.var() / len(after)).sqrt())
    if change < -CERTAIN * scatter:
        return Outcome.DESCENDING
    return Outcome.GROWING if change > max(CERTAIN * scatter, math.log(2)) else Outcome.HOVERING


def _alternates(theta: Tensor, curvature: Curvature) -> bool:
    """Whether the error along a direction that matters changes sign at least twice, and in every third epoch or more."""
    matters = curvature.gap(theta[-1]) > 1e-3 * curvature.gap(theta[-1]).sum()
    signs = torch.sign(curvature.along(theta))
    changes = (signs[1:] * signs[:-1] < 0).sum(0)
    often = (changes >= 2) & (changes * 3 >= len(signs) - 1)
    slow_swing = (changes >= 2) & (len(signs) > WINDOW)  # momentum swings over several epochs
    return bool(((often | slow_swing) & matters).any())


class Overfitting(NamedTuple):
    """The epoch after which the errors on training and on held-out rows part, and the held-out RMSE there, its lowest."""

    epoch: int
    lowest: float


def overfitting(recording: Epochs) -> Overfitting | None:
    """Where the two errors part, or None if they do not, or if no row is held out.

    They part after the epoch at which the held-out RMSE is lowest, if in the whole last tenth of the run it stays more
    than 2 % above that while the mean training RMSE there is below the training RMSE of that epoch. So both errors
    rising together, as in a run that diverges, is no parting, and neither is a held-out error that is only higher.
    """
    held_out, training = recording.epoch_held_out_rmse, recording.epoch_rmse
    if held_out is None:
        return None
    epoch = int(held_out.argmin())
    lowest = float(held_out[epoch])
    tail = max(1, recording.epochs // TAIL)
    if epoch > recording.epochs - tail:
        return None
    rose = float(held_out[-tail:].min()) > lowest * (1 + PARTED) + LEVEL * float(held_out[0])
    fell = float(training[-tail:].mean()) < float(training[epoch])
    return Overfitting(epoch, lowest) if rose and fell else None
