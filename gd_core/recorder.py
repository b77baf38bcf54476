"""Running an experiment, all at once or a slice of time after another, so that a page can follow the live edge."""

import time
from itertools import islice

import torch
from torch import Tensor

from gd_core.problem import Problem, build
from gd_core.settings.engines import LOOP, SPECTRUM
from gd_core.settings.experiment import Experiment
from gd_core.spectrum_recorder import SpectrumRecorder
from gd_core.training import Recording, Step, batches, has_diverged, train

STACKED_AT_ONCE = 10_000  # steps; three small tensors each take 40 times the room of three rows
ERRORS_AT_ONCE = 2**20  # residuals in memory together, or long runs on many rows would take gigabytes


class Recorder:
    """The loop's run in the making. It stands at its start; `advance` trains for a while, `recording` is what there is so far."""

    engine = LOOP

    def __init__(self, experiment: Experiment, problem: Problem | None = None) -> None:
        self.experiment = experiment
        self.problem = problem or build(experiment)
        rows = batches(experiment.training_rows, experiment.batch_size, experiment.seed)
        updates = experiment.total_epochs * experiment.updates_per_epoch
        self._steps = islice(
            train(self.problem.objective, self.problem.start, self.problem.rule, rows), updates + 1
        )
        self._pending: list[Step] = [next(self._steps)]
        self._kept: tuple[Tensor, ...] = ()  # θ, loss and gradient of every update
        self._epochs: tuple[
            Tensor, ...
        ] = ()  # loss and RMSE of every epoch, and the RMSE of the held-out rows
        self._first_loss = float(
            self.problem.objective(self.problem.start)
        )  # of all rows, whatever the batch
        self.diverged_at: int | None = None
        self.complete = False
        self.stopped = False

    def advance(self, seconds: float | None = None) -> None:
        """Train until the run is complete or, if `seconds` is given, for about that long."""
        if self.complete:
            return
        deadline = None if seconds is None else time.perf_counter() + seconds
        for step in self._steps:
            if has_diverged(step.loss.item(), self._first_loss):
                self.diverged_at = -(-step.update // self.experiment.updates_per_epoch)
                break
            self._pending.append(step)
            if len(self._pending) == STACKED_AT_ONCE:
                self._stack()
            if deadline is not None and time.perf_counter() > deadline:
                return
        self.complete = True

    def stop(self) -> None:
        """Keep what there is; `advance` does nothing any more."""
        if not self.complete:
            self.stopped = self.complete = True

    def recording(self) -> Recording:
        """The run so far, as a value."""
        self._stack()
        theta, loss, gradient = self._kept
        stride = self.experiment.updates_per_epoch
        known = len(self._epochs[0]) if self._epochs else 0
        fresh, objective, validation = (
            theta[::stride][known:],
            self.problem.objective,
            self.problem.validation,
        )
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
            epoch_loss=epoch_loss,
            epoch_rmse=epoch_rmse,
            epoch_held_out_rmse=epoch_held_out[0] if epoch_held_out else None,
            diverged_at=self.diverged_at,
            complete=self.complete,
            stopped=self.stopped,
        )

    def _stack(self) -> None:
        if self._pending:
            _, *columns = zip(*self._pending, strict=True)
            self._kept = _joined(self._kept, tuple(map(torch.stack, columns)))
            self._pending.clear()


def _joined(kept: tuple[Tensor, ...], new: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Columns made longer."""
    return tuple(map(torch.cat, zip(kept, new, strict=True))) if kept else new


def recorder_of(experiment: Experiment, problem: Problem | None = None) -> Recorder | SpectrumRecorder:
    """A run in the making, on the engine that the experiment asks for or that suits it."""
    make = SpectrumRecorder if experiment.runs_on == SPECTRUM else Recorder
    return make(experiment, problem)


def record(experiment: Experiment) -> Recording:
    """Train an experiment to its end."""
    recorder = recorder_of(experiment)
    recorder.advance()
    return recorder.recording()
