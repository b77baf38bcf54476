"""Recording an experiment, on the engine that trains it: the loop, or the eigenvectors."""

from dataclasses import replace
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from gd_core.in_slices import InSlices
from gd_core.objective import LinearObjective
from gd_core.problem import Problem, build
from gd_core.settings.engines import LOOP, SPECTRUM
from gd_core.settings.experiment import Experiment
from gd_core.spectrum import Stretch, path
from gd_core.training import (
    Patience,
    Recording,
    Step,
    batches,
    diverged_above,
    has_diverged,
    stands_still,
    train,
)

WATCHED = 3  # epochs that are to be seen of every run, also of one that is far above the limit
STACKED_AT_ONCE = 10_000  # steps; three small tensors each take 40 times the room of three rows
ERRORS_AT_ONCE = 2**20  # residuals in memory together, or long runs on many rows would take gigabytes


class Recorder(InSlices[Step, Recording]):
    """The loop's run in the making, an update after another.

    Args:
        experiment: The run.
        problem: Its problem, where that is there already.
        at_least: Epochs that are kept also when the run has diverged, as far as its numbers are finite.
    """

    engine = LOOP

    def __init__(self, experiment: Experiment, problem: Problem | None = None, at_least: int = 0) -> None:
        self.experiment = experiment
        self._at_least = at_least
        self._gone: int | None = None  # the epoch at which the loss passed the bound
        self.problem = problem or build(experiment)
        rows = batches(experiment.training_rows, experiment.batch_size, experiment.seed, experiment.shuffle)
        updates = experiment.total_epochs * experiment.updates_per_epoch
        steps = train(self.problem.objective, self.problem.start, self.problem.rule, rows)
        super().__init__(islice(steps, updates + 1))
        self._pending: list[Step] = [next(self._steps)]
        self._kept: tuple[Tensor, ...] = ()  # θ, loss and gradient of every update
        self._epochs: tuple[Tensor, ...] = ()  # loss, RMSE and held-out RMSE of every epoch
        self._first_loss = float(self.problem.objective(self.problem.start))  # of all rows
        self._last_loss = self._first_loss  # of the epoch before, where a tolerance asks for it
        self._patience = Patience(experiment.patience)
        self._judge(self._pending[0])

    def keep(self, step: Step) -> int | None:
        if self._gone is None and has_diverged(step.loss.item(), self._first_loss):
            self._gone = -(-step.update // self.experiment.updates_per_epoch)
        if self._gone and not self._is_watched(step):
            return self._gone
        self._pending.append(step)
        if len(self._pending) == STACKED_AT_ONCE:
            self._stack()
        if self.experiment.tolerance:
            self._compare(step)
        self._judge(step)
        return None

    def _judge(self, step: Step) -> None:
        """Note the held-out RMSE of an epoch of the last phase, where a patience asks for it."""
        epoch, turn = divmod(step.update, self.experiment.updates_per_epoch)
        watched = self.experiment.patience and epoch >= self.experiment.total_epochs - self.experiment.epochs
        if watched and not turn and self.problem.validation:
            self.early = self._patience.is_over(epoch, float(self.problem.validation.rmse(step.theta)))

    def _is_watched(self, step: Step) -> bool:
        """Whether a step beyond the bound is kept."""
        finite = all(bool(column.isfinite().all()) for column in step[1:])
        return finite and step.update <= self._at_least * self.experiment.updates_per_epoch

    def _compare(self, step: Step) -> None:
        """Note where an epoch of the last phase has changed the loss of all rows by less than the tolerance."""
        epoch, turn = divmod(step.update, self.experiment.updates_per_epoch)
        first = self.experiment.total_epochs - self.experiment.epochs
        if turn or epoch < first:
            return
        whole = self.experiment.updates_per_epoch == 1
        loss = step.loss.item() if whole else float(self.problem.objective(step.theta))
        self.still = epoch > first and stands_still(loss, self._last_loss, self.experiment.tolerance)
        self._last_loss = loss

    def recording(self) -> Recording:
        self._stack()
        theta, loss, gradient = self._kept
        stride = self.experiment.updates_per_epoch
        epoch_theta = theta[::stride]
        known = len(self._epochs[0]) if self._epochs else 0
        fresh, objective, validation = epoch_theta[known:], self.problem.objective, self.problem.validation
        if len(fresh):
            some = fresh.split(max(1, ERRORS_AT_ONCE // self.experiment.training_rows))
            losses = torch.cat([objective.many(one) for one in some]) if stride > 1 else loss[known:]
            rmse = torch.cat([objective.rmse(one) for one in some])
            judged = (torch.cat([validation.rmse(one) for one in some]),) if validation else ()
            self._epochs = _joined(self._epochs, (losses, rmse, *judged))
        epoch_loss, epoch_rmse, *epoch_held_out = self._epochs
        return Recording(
            theta=theta,
            loss=loss,
            gradient=gradient,
            updates_per_epoch=stride,
            epoch_theta=epoch_theta,
            epoch_loss=epoch_loss,
            epoch_rmse=epoch_rmse,
            epoch_held_out_rmse=epoch_held_out[0] if epoch_held_out else None,
            mini_batches=stride > 1,
            diverged_at=self.diverged_at or self._gone,
            complete=self.complete,
            stopped=self.stopped,
            still=self.still,
            engine=self.engine,
            early=self.early,
            best=self._patience.best,
        )

    def _stack(self) -> None:
        if self._pending:
            _, *columns = zip(*self._pending, strict=True)
            self._kept = _joined(self._kept, tuple(map(torch.stack, columns)))
            self._pending.clear()


def _joined(kept: tuple[Tensor, ...], new: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Columns made longer."""
    return tuple(map(torch.cat, zip(kept, new, strict=True))) if kept else new


class SpectrumRecorder(InSlices[Stretch, Recording]):
    """A run in the making that is worked out along the eigenvectors, a stretch of epochs after another."""

    engine = SPECTRUM

    def __init__(self, experiment: Experiment, problem: Problem | None = None) -> None:
        self.experiment = experiment
        self.problem = problem or build(experiment)
        moments, more = self.problem.linear.least_squares
        super().__init__(path(moments, self.problem.start, experiment.phases, more))
        count = experiment.total_epochs + 1
        start = self.problem.start
        self._columns = Stretch(*(_room(count, like) for like in (start, start.new_zeros(()), start)))
        self._held_out = torch.empty(count if self.problem.validation else 0, dtype=torch.float64)
        self._rmse = torch.empty(count, dtype=torch.float64)
        self._done = 0
        self._patience = Patience(experiment.patience)
        self._take(next(self._steps))
        self._bound = diverged_above(self._columns.loss[0].item())

    def keep(self, step: Stretch) -> int | None:
        beyond = (~(step.loss <= self._bound)).nonzero()
        sound = int(beyond[0]) if len(beyond) else len(step.loss)
        where = self._stands_still(step.loss[:sound])
        end = sound if where is None else where + 1
        still_at = self._done + end
        self._take(Stretch(*(column[:end] for column in step)))
        self.still = where is not None and self._done == still_at
        return self._done if len(beyond) and where is None and not self.early else None

    def _stands_still(self, losses: Tensor) -> int | None:
        """The first of the next epochs that changes the loss by less than the tolerance, in the last phase; or None."""
        asked = max(0, self.experiment.total_epochs - self.experiment.epochs + 1 - self._done)
        before = torch.cat([self._columns.loss[self._done - 1 : self._done], losses[:-1]])
        found = ((losses - before).abs() < self.experiment.tolerance)[asked:].nonzero()
        return asked + int(found[0]) if len(found) else None

    def _take(self, stretch: Stretch) -> None:
        """Write some epochs where they belong."""
        there = slice(self._done, self._done + len(stretch.loss))
        for column, new in zip(self._columns, stretch, strict=True):
            column[there] = new
        objective, validation = self.problem.linear, self.problem.validation
        unit = objective.dataset.unit
        if objective.is_mean_square:
            # Torch would ask its threads.
            self._rmse[there] = torch.from_numpy(unit * np.sqrt(stretch.loss.numpy()))
        else:
            self._rmse[there] = unit * objective.moments.mean_square(stretch.theta).sqrt()
        if isinstance(validation, LinearObjective):
            self._held_out[there] = unit * validation.moments.mean_square(stretch.theta).sqrt()
        self._done = self._judged(there) if self.experiment.patience else there.stop

    def _judged(self, there: slice) -> int:
        """One more than the last of some epochs that is kept: the patience may end among them."""
        first = max(there.start, self.experiment.total_epochs - self.experiment.epochs)
        for epoch, rmse in enumerate(self._held_out[first : there.stop].tolist(), first):
            if self._patience.is_over(epoch, rmse):
                self.early = True
                return epoch + 1
        return there.stop

    def recording(self) -> Recording:
        theta, loss, gradient = (column[: self._done] for column in self._columns)
        return Recording(
            theta=theta,
            loss=loss,
            gradient=gradient,
            updates_per_epoch=1,
            epoch_theta=theta,
            epoch_loss=loss,
            epoch_rmse=self._rmse[: self._done],
            epoch_held_out_rmse=self._held_out[: self._done] if self.problem.validation else None,
            diverged_at=self.diverged_at,
            complete=self.complete,
            stopped=self.stopped,
            still=self.still,
            engine=self.engine,
            early=self.early,
            best=self._patience.best,
        )


def _room(count: int, like: Tensor) -> Tensor:
    """Room for so many of these. What is not written to takes no memory."""
    return torch.empty(count, *like.shape, dtype=like.dtype)


def recorder_of(experiment: Experiment, problem: Problem | None = None) -> Recorder | SpectrumRecorder:
    """A run in the making, on the engine that the experiment asks for or that suits it."""
    make = SpectrumRecorder if experiment.runs_on == SPECTRUM else Recorder
    return make(experiment, problem)


def watched(recording: Recording, experiment: Experiment, problem: Problem) -> Recording:
    """A run for who looks at it: one that has diverged within its first epochs goes on to `WATCHED` of them.

    What is written into a record is the recording itself, which ends before the bound.
    """
    if recording.diverged_at is None or recording.epochs >= WATCHED:
        return recording
    recorder = Recorder(experiment, problem, at_least=WATCHED)
    recorder.advance()
    return replace(recorder.recording(), engine=recording.engine)


def record(experiment: Experiment) -> Recording:
    """Train an experiment to its end."""
    recorder = recorder_of(experiment)
    recorder.advance()
    return recorder.recording()
