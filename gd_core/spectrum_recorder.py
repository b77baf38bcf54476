"""Recording a run that is worked out along the eigenvectors: what `Recorder` does for the loop."""

import time

import numpy as np
import torch
from torch import Tensor

from gd_core.objective import LinearObjective, mse
from gd_core.problem import Problem, build
from gd_core.settings.engines import SPECTRUM
from gd_core.settings.experiment import Experiment
from gd_core.spectrum import Stretch, path
from gd_core.training import Recording, diverged_above


class SpectrumRecorder:
    """A run in the making. It stands at its start; `advance` goes on for a while, `recording` is what there is so far."""

    engine = SPECTRUM

    def __init__(self, experiment: Experiment, problem: Problem | None = None) -> None:
        self.experiment = experiment
        self.problem = problem or build(experiment)
        moments, more = self.problem.linear.least_squares
        self._stretches = path(moments, self.problem.start, experiment.phases, more)
        count = experiment.total_epochs + 1
        self._columns = Stretch(*(_room(count, like) for like in self._first()))
        self._held_out = torch.empty(count if self.problem.validation else 0, dtype=torch.float64)
        self._rmse = torch.empty(count, dtype=torch.float64)
        self._done = 0
        self.diverged_at: int | None = None
        self.complete = False
        self.stopped = False
        self._take(next(self._stretches))
        self._bound = diverged_above(self._columns.loss[0].item())

    def _first(self) -> Stretch:
        start = self.problem.start
        return Stretch(start, start.new_zeros(()), start)

    def advance(self, seconds: float | None = None) -> None:
        """Work on until the run is complete or, if `seconds` is given, for about that long."""
        deadline = None if seconds is None else time.perf_counter() + seconds
        while not self.complete:
            stretch = next(self._stretches, None)
            if stretch is None:
                self.complete = True
                return
            beyond = (~(stretch.loss <= self._bound)).nonzero()
            if len(beyond):
                stretch = Stretch(*(column[: int(beyond[0])] for column in stretch))
                self.diverged_at = self._done + len(stretch.loss)
                self.complete = True
            self._take(stretch)
            if deadline is not None and time.perf_counter() > deadline:
                return

    def _take(self, stretch: Stretch) -> None:
        """Write some epochs where they belong."""
        there = slice(self._done, self._done + len(stretch.loss))
        for column, new in zip(self._columns, stretch, strict=True):
            column[there] = new
        objective, validation = self.problem.linear, self.problem.validation
        if objective.loss is mse:
            self._rmse[there] = torch.from_numpy(np.sqrt(stretch.loss.numpy()))  # torch would ask its threads
        else:
            self._rmse[there] = objective.moments.mean_square(stretch.theta).sqrt()
        if isinstance(validation, LinearObjective):
            self._held_out[there] = validation.moments.mean_square(stretch.theta).sqrt()
        self._done = there.stop

    def stop(self) -> None:
        """Keep what there is; `advance` does nothing any more."""
        if not self.complete:
            self.stopped = self.complete = True

    def recording(self) -> Recording:
        """The run so far, as a value."""
        theta, loss, gradient = (column[: self._done] for column in self._columns)
        return Recording(
            theta=theta,
            loss=loss,
            gradient=gradient,
            updates_per_epoch=1,
            epoch_loss=loss,
            epoch_rmse=self._rmse[: self._done],
            epoch_held_out_rmse=self._held_out[: self._done] if self.problem.validation else None,
            diverged_at=self.diverged_at,
            complete=self.complete,
            stopped=self.stopped,
            engine=self.engine,
        )


def _room(count: int, like: Tensor) -> Tensor:
    """Room for so many of these. What is not written to takes no memory."""
    return torch.empty(count, *like.shape, dtype=like.dtype)
