"""How a run ended, told apart by a test that can be named."""

from enum import StrEnum
from typing import NamedTuple

import torch
from torch import Tensor

from gd_core.theory import Curvature
from gd_core.training import Recording

CONVERGED_BELOW = 1e-6  # of the first gap to the optimum
WINDOW = 20  # epochs looked back on
LEVEL = 1e-9  # relative changes of the loss below it are rounding


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


def outcome(recording: Recording, curve: Curvature) -> Finding:
    """Tell how a run ended.

    - diverged: the loss passed 10⁶ × max(1, first loss), or is not finite.
    - stopped: by hand, before its epochs were done.
    - converged: L − L* is at most a millionth of what it was at the start.
    - growing: within the last 20 epochs the loss reaches higher and higher.
    - overshooting: along some eigenvector of the Hessian the error keeps changing its sign.
    - hovering: mini-batches, and the loss no longer falls.
    - still descending: none of these.
    """
    if recording.diverged_at is not None:
        return Finding(Outcome.DIVERGED, recording.diverged_at)
    if recording.stopped:
        return Finding(Outcome.STOPPED, recording.epochs)
    gap = recording.epoch_loss - curve.floor_loss
    rounding = 1e-14 * max(abs(curve.floor_loss), float(recording.epoch_loss[0]))
    close = gap <= CONVERGED_BELOW * gap[0].clamp(min=rounding / CONVERGED_BELOW)
    if bool(close[-1]):
        never = (~close).nonzero()
        return Finding(Outcome.CONVERGED, int(never[-1]) + 1 if len(never) else 0)
    if recording.epochs == 0:
        return Finding(Outcome.DESCENDING)
    recent = gap[-WINDOW - 1 :]
    half = len(recent) // 2
    older, newer = float(recent[: len(recent) - half].max()), float(recent[len(recent) - half :].max())
    if recording.updates_per_epoch > 1:
        if newer < 0.95 * older or len(recent) <= WINDOW:
            return Finding(Outcome.DESCENDING)
        return Finding(Outcome.GROWING if newer > 2 * older else Outcome.HOVERING)
    if newer > older * (1 + LEVEL):
        return Finding(Outcome.GROWING)
    if _alternates(recording.epoch_theta[-WINDOW - 1 :], curve):
        return Finding(Outcome.OVERSHOOTING)
    return Finding(Outcome.DESCENDING)


def _alternates(theta: Tensor, curve: Curvature) -> bool:
    """Whether the error along a direction that matters changes sign at least twice, and in every third epoch or more."""
    matters = curve.gap(theta[-1]) > 1e-3 * curve.gap(theta[-1]).sum()
    signs = torch.sign(curve.along(theta))
    changes = (signs[1:] * signs[:-1] < 0).sum(0)
    often = (changes >= 2) & (changes * 3 >= len(signs) - 1)
    slow_swing = (changes >= 2) & (len(signs) > WINDOW)  # momentum swings over several epochs
    return bool(((often | slow_swing) & matters).any())
