"""Running an experiment, all at once or a slice of time after another, so that a page can follow the live edge."""

import time
from itertools import islice

import torch
from torch import Tensor

from gd_core.experiment import Experiment
from gd_core.problem import Problem, build
from gd_core.training import Recording, Step, batches, has_diverged, train


class Recorder:
    """A run in the making. `advance` trains for a while, `recording` is what there is so far."""

    def __init__(self, experiment: Experiment, problem: Problem | None = None) -> None:
        self.experiment = experiment
        self.problem = problem or build(experiment)
        rows = batches(experiment.points, experiment.batch_size, experiment.seed)
        updates = experiment.total_epochs * experiment.updates_per_epoch
        self._steps = islice(
            train(self.problem.objective, self.problem.start, self.problem.rule, rows), updates + 1
        )
        self._pending: list[Step] = []
        self._kept: tuple[Tensor, Tensor, Tensor] | None = None
        self._epochs: tuple[Tensor, Tensor] | None = None
        self._first_loss: float | None = None
        self.diverged_at: int | None = None
        self.complete = False
        self.stopped = False

    def advance(self, seconds: float | None = None) -> None:
        """Train until the run is complete or, if `seconds` is given, for about that long."""
        deadline = None if seconds is None else time.perf_counter() + seconds
        for step in self._steps:
            loss = step.loss.item()
            if self._first_loss is None:
                self._first_loss = loss
            if has_diverged(loss, self._first_loss):
                self.diverged_at = -(-step.update // self.experiment.updates_per_epoch)
                break
            self._pending.append(step)
            if deadline is not None and time.perf_counter() > deadline:
                return
        self.complete = True

    def stop(self) -> None:
        """Keep what there is; `advance` is not to be called again."""
        self.stopped, self.complete = not self.complete, True

    def recording(self) -> Recording:
        """The run so far, as a value."""
        if self._pending:
            _, theta, loss, gradient = zip(*self._pending, strict=True)
            new = torch.stack(theta), torch.stack(loss), torch.stack(gradient)
            kept = self._kept
            self._kept = new if kept is None else tuple(map(torch.cat, zip(kept, new, strict=True)))
            self._pending.clear()
        if self._kept is None:
            raise ValueError("advance must be called before recording.")
        theta, loss, gradient = self._kept
        stride = self.experiment.updates_per_epoch
        known = 0 if self._epochs is None else len(self._epochs[0])
        fresh = theta[::stride][known:]
        objective = self.problem.objective
        if len(fresh):
            values = objective.many(fresh) if stride > 1 else loss[known:], objective.rmse(fresh)
            self._epochs = (
                values if self._epochs is None else tuple(map(torch.cat, zip(self._epochs, values)))
            )
        return Recording(
            theta, loss, gradient, stride, *self._epochs, self.diverged_at, self.complete, self.stopped
        )


def record(experiment: Experiment) -> Recording:
    """Train an experiment to its end."""
    recorder = Recorder(experiment)
    recorder.advance()
    return recorder.recording()
