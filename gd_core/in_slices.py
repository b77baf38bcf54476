"""Training at once or a slice of time after another, so that a page can follow the live edge."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, TypeVar

S = TypeVar("S")
R_co = TypeVar("R_co", covariant=True)


class InSlices(ABC, Generic[S, R_co]):
    """A training in the making. It stands at its start; `advance` trains for a while, `recording` is what there is so far.

    Args:
        steps: What is left to train, one after another.

    Attributes:
        diverged_at: The epoch at which the loss passed the bound, or None. What is kept ends before it.
        complete: Whether nothing is left to train: all steps are done, or the run has diverged or stands still.
        stopped: Whether someone stopped it before.
        still: Whether the last step that was kept is where the run's own tolerance ends it; `keep` says so.
        early: Whether it is where the run's patience ends.
    """

    def __init__(self, steps: Iterator[S]) -> None:
        self._steps = steps
        self.diverged_at: int | None = None
        self.complete = False
        self.stopped = False
        self.still = self.early = False

    @abstractmethod
    def keep(self, step: S) -> int | None:
        """Keep a step; of one with which the run diverges only what comes before, and the answer is the epoch of that."""

    @abstractmethod
    def recording(self) -> R_co:
        """The run so far, as a value."""

    def advance(self, seconds: float | None = None) -> None:
        """Train until the run is complete or, if `seconds` is given, for about that long: at least one step."""
        if self.complete:
            return
        deadline = None if seconds is None else time.perf_counter() + seconds
        for step in self._steps:
            self.diverged_at = self.keep(step)
            if self.diverged_at is not None or self.still or self.early:
                break
            if deadline is not None and time.perf_counter() > deadline:
                return
        self.complete = True

    def stop(self) -> None:
        """Keep what there is; `advance` does nothing any more."""
        if not self.complete:
            self.stopped = self.complete = True
