"""Whether a run has reached a task's target, told from its recording and in words."""

from typing import NamedTuple

from gd_core.settings.fields import said
from gd_core.settings.task import Target
from gd_core.training import Epochs
from gd_core.words import counted, significant

TYPED = 8  # characters that somebody may have meant


class Judgement(NamedTuple):
    """What a run made of a target.

    Attributes:
        reached: The first epoch with an RMSE below the target, within the target's epochs or not; None if there is none.
        in_time: Whether that was within the target's epochs.
        best: The lowest RMSE within the target's epochs,
        best_epoch: and its epoch.
        epochs: How many epochs were looked at.
    """

    reached: int | None
    in_time: bool
    best: float
    best_epoch: int
    epochs: int


def judge(target: Target, recording: Epochs) -> Judgement | None:
    """Look for the target among the trained epochs, 1 to the last; the start does not count. None if there are none."""
    trained = recording.epoch_rmse[1:]  # [E]
    if not len(trained):
        return None
    below = (trained < target.rmse).nonzero()
    reached = int(below[0]) + 1 if len(below) else None
    allowed = trained[: target.within]
    best = int(allowed.argmin())
    return Judgement(
        reached=reached,
        in_time=reached is not None and reached <= len(allowed),
        best=float(allowed[best]),
        best_epoch=best + 1,
        epochs=len(allowed),
    )


def in_words(target: Target) -> str:
    """The target as a sentence."""
    within = "" if target.within is None else f" within {counted(target.within, 'epoch')}"
    typed = said(target.rmse)  # a challenge's was worked out, and has up to 17 digits
    return f"RMSE below {typed if len(typed) <= TYPED else significant(target.rmse, 4)}{within}"


def verdict(target: Target, judgement: Judgement) -> str:
    """What the run made of it, in a sentence or two."""
    if judgement.in_time:
        return f"Reached at epoch {judgement.reached:,}."
    best = f"The best was RMSE {significant(judgement.best)} at epoch {judgement.best_epoch:,}."
    if judgement.reached is not None:
        return f"Not reached within {counted(judgement.epochs, 'epoch')}: it took until epoch {judgement.reached:,}. {best}"
    return f"Not reached in {counted(judgement.epochs, 'epoch')}. {best}"
