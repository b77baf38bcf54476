"""The loop, and what it leaves behind. Start reading here."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, repeat
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from gd_core.objective import value_and_gradient
from gd_core.optimizers import UpdateRule
from gd_core.settings.engines import LOOP

IMPROVES = 1e-9  # of the lowest held-out RMSE: a smaller fall is rounding
DIVERGED_ABOVE = 1e6  # times the first loss, or times 1 where that is smaller


class Step(NamedTuple):
    """What is known before the update that leaves θ."""

    update: int
    theta: Tensor  # θₖ, [P]
    loss: Tensor  # L(θₖ) on the rows of this update, []
    gradient: Tensor  # ∇L(θₖ) on the same rows, [P]


class Trainable(Protocol):
    """A loss of one flat vector θ, on all rows or on some: a parabola's `Objective`, a `Deep` network."""

    def on(self, rows: Tensor | None) -> Callable[[Tensor], Tensor]: ...


def train(
    objective: Trainable, start: Tensor, rule: UpdateRule, batches: Iterator[Tensor | None] | None = None
) -> Iterator[Step]:
    """Yield the iterates of gradient descent on `objective` from `start`, for as long as there are batches.

    θₖ₊₁ = θₖ − η ∇L(θₖ), with ∇L from autograd and η inside `rule`.
    The caller stops it: `islice(train(...), updates + 1)`.

    Args:
        objective: θ [P] ↦ loss.
        start: θ₀, [P].
        rule: How a gradient becomes a step.
        batches: Row numbers of each update; None stands for all rows. By default every update takes all rows.
    """
    theta, state = start.clone(), rule.initial(start)
    for k, rows in enumerate(batches or repeat(None)):
        loss, gradient = value_and_gradient(objective.on(rows), theta)
        yield Step(k, theta, loss, gradient)
        theta, state = rule.update(theta, gradient, state)


def batches(num_rows: int, batch_size: int, seed: int, shuffle: bool = True) -> Iterator[Tensor | None]:
    """Row numbers of every update, forever: ⌈N/B⌉ updates an epoch, of which the last may see fewer rows.

    Args:
        num_rows: N.
        batch_size: B; 0 or N means all rows, unshuffled.
        seed: Seeds a private generator, so that the same seed visits the rows in the same order.
        shuffle: Whether each epoch has an order of its own; else it is that of the rows, and the batches are always the
            same, as those of torch's `DataLoader(shuffle=False)`.
    """
    if batch_size in (0, num_rows):
        yield from repeat(None)
    if not shuffle:
        yield from cycle(torch.arange(num_rows).split(batch_size))
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield from torch.randperm(num_rows, generator=generator).split(batch_size)


def diverged_above(first_loss: float) -> float:
    """The loss above which a run has diverged: 10⁶ × max(1, first loss)."""
    return DIVERGED_ABOVE * max(1.0, first_loss)


def has_diverged(loss: float, first_loss: float) -> bool:
    """Whether a loss is not finite or above the bound."""
    return not loss <= diverged_above(first_loss)


def stands_still(loss: float, before: float, tolerance: float) -> bool:
    """Whether an epoch has changed the loss by less than the tolerance, |Lₜ − Lₜ₋₁| < tolerance, and a run stops there.

    The test of most courses' loops, one epoch at a time. scikit-learn's `SGDRegressor(tol=…)` asks for Lₜ > best − tol
    instead, five epochs in a row (`n_iter_no_change`), and so stops later and of a rising loss too. 0 never stops.
    """
    return abs(loss - before) < tolerance


@dataclass
class Patience:
    """Early stopping: which epoch has the lowest held-out RMSE, and for how long none has been lower.

    As Keras's `EarlyStopping(patience=…, restore_best_weights=True)`. Lower is by more than `IMPROVES`, so that rounding
    about a floor is no progress, and both engines stop at the same epoch.

    Attributes:
        epochs: How many without a lower one end the run; 0 never.
        best: The epoch that is kept; None before the first.
        lowest: The held-out RMSE there.
    """

    epochs: int
    best: int | None = None
    lowest: float = math.inf

    def is_over(self, epoch: int, rmse: float) -> bool:
        """Note the held-out RMSE of the next epoch. Whether the run ends with it."""
        if self.best is None or rmse < self.lowest * (1 - IMPROVES):
            self.best, self.lowest = epoch, rmse
        return epoch - self.best >= self.epochs


@dataclass(frozen=True, eq=False, kw_only=True)
class Epochs:
    """A run so far by its epochs, E of them: all that is asked of it to say how it went, and to draw it.

    Attributes:
        epoch_theta: θ at the start of each epoch and at the end, [E + 1, P].
        epoch_loss: Loss over all training rows at the same points, [E + 1].
        epoch_rmse: Root mean squared error against the training rows at the same points, [E + 1].
        epoch_held_out_rmse: The same against the held-out rows, [E + 1]; None if no row is held out.
        mini_batches: Whether an update sees some of the rows only, so that the loss scatters.
        diverged_at: The epoch at which the loss passed the bound, or None. The recording ends before it.
        complete: Whether nothing is left to train: all epochs are done, or the run has diverged or stands still.
        stopped: Whether someone stopped it before.
        still: Whether the last epoch changed the loss by less than the run's tolerance, which ended it.
        engine: What worked it out: the "loop", or the "spectrum" of eigenvectors.
        early: Whether its patience ended it.
        best: Of a run with a patience, the epoch that is kept: of the last part, that of the lowest held-out RMSE. Else None.
    """

    epoch_theta: Tensor
    epoch_loss: Tensor
    epoch_rmse: Tensor
    epoch_held_out_rmse: Tensor | None = None
    mini_batches: bool = False
    diverged_at: int | None = None
    complete: bool = True
    stopped: bool = False
    still: bool = False
    engine: str = LOOP
    early: bool = False
    best: int | None = None

    @property
    def epochs(self) -> int:
        """Whole epochs recorded, E."""
        return len(self.epoch_loss) - 1

    @property
    def kept(self) -> int:
        """The epoch whose θ the run hands over: its best with a patience, else its last."""
        return self.epochs if self.best is None else self.best


@dataclass(frozen=True, eq=False, kw_only=True)
class Recording(Epochs):
    """A run so far with every update: T of them, and what was known at each of the T + 1 points.

    `loss` and `gradient` are those of the rows that the update saw; `epoch_loss` is of all training rows.

    Attributes:
        theta: θ before each update, and after the last, [T + 1, P].
        loss: [T + 1].
        gradient: [T + 1, P].
        updates_per_epoch: ⌈N/B⌉; T is E times as many, and more where the run ends within an epoch.
    """

    theta: Tensor
    loss: Tensor
    gradient: Tensor
    updates_per_epoch: int

    @property
    def updates(self) -> int:
        """Updates recorded, T."""
        return len(self.loss) - 1
