"""What is kept of pinned runs to draw them: short ones are trained at once, long ones a slice of time after another.

Summaries of all visitors share one shelf, which forgets those that were not looked at for longest. One long run at a time
is in training for a visitor, and its recording goes when it is done; so eight runs of 100,000 epochs neither block the
page nor fill the memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import streamlit as st

from gd_core.recorder import recorder_of
from gd_core.run_summary import RunSummary, summarised
from gd_core.settings.experiment import Experiment
from gd_core.settings.pins import Pin
from gd_core.training import Epochs
from pages.ui.charts.ghosts import Ghost
from pages.ui.look import session
from pages.ui.player import live_runs

ROOM = 64_000_000  # bytes of errors and parameters on the shelf


@dataclass
class InTraining:
    """The one long pinned run that is in training for a visitor.

    Attributes:
        take: What there is of it; None between two.
    """

    take: live_runs.TrainRun | None = None


class Shelf:
    """Summaries by experiment, up to ROOM; the one not asked for longest goes first."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._summaries: dict[Experiment, RunSummary] = {}
        self._lock = Lock()  # two pages may be here at once

    def get(self, experiment: Experiment) -> RunSummary | None:
        with self._lock:
            found = self._summaries.pop(experiment, None)
            if found is not None:
                self._summaries[experiment] = found
            return found

    def put(self, one: RunSummary) -> None:
        with self._lock:
            self._summaries.pop(one.experiment, None)
            self._summaries[one.experiment] = one
            while len(self._summaries) > 1 and sum(map(_size, self._summaries.values())) > self._room:
                del self._summaries[next(iter(self._summaries))]


def _size(one: RunSummary) -> int:
    return one.rmse.nbytes + one.theta.nbytes


@st.cache_resource(show_spinner=False)
def shelf() -> Shelf:
    """The shelf of this server."""
    return Shelf()


def keep(experiment: Experiment, recording: Epochs) -> None:
    """Put a finished run on the shelf."""
    if recording.complete:
        shelf().put(_summarised(experiment, recording))


def _summarised(experiment: Experiment, recording: Epochs) -> RunSummary:
    problem, parabola, _ = live_runs.known(experiment)
    return summarised(experiment, problem, recording, parabola)


def of(experiment: Experiment) -> RunSummary:
    """What there is of a run: all of it, or of a long one what is trained so far."""
    if found := shelf().get(experiment):
        return found
    if live_runs.is_short(experiment):
        recording = live_runs.recorded(experiment)
        keep(experiment, recording)
    else:
        take = session.held(InTraining).take
        trained = take is not None and take.experiment == experiment
        recording = take.recording if take and trained else live_runs.recorded(experiment, trained=False)
    return _summarised(experiment, recording)


def missing(pins: Sequence[Pin]) -> list[Experiment]:
    """The long runs that are still to be trained."""
    return [
        pin.experiment
        for pin in pins
        if not live_runs.is_short(pin.experiment) and shelf().get(pin.experiment) is None
    ]


def advance(pins: Sequence[Pin]) -> None:
    """Train the first of the missing long runs for one more slice of time."""
    todo = missing(pins)
    take = session.held(InTraining).take
    if not todo:
        session.held(InTraining).take = None
        return
    if take is None or take.experiment not in todo:
        recorder = recorder_of(todo[0])
        take = live_runs.TrainRun(0, todo[0], recorder.recording(), recorder)
        session.held(InTraining).take = take
    live_runs.advance(take)
    if take.recorder is None:
        keep(take.experiment, take.recording)
        session.held(InTraining).take = None


def ghosts(pins: Sequence[Pin]) -> tuple[Ghost, ...]:
    """Pinned runs, ready to be drawn."""
    found = []
    for place, pin in enumerate(pins):
        problem, parabola, _ = live_runs.known(pin.experiment)
        found.append(Ghost(place, of(pin.experiment), problem, parabola))
    return tuple(found)
