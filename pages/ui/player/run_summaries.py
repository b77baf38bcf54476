"""What is kept of pinned runs to draw them: short ones are trained at once, long ones a slice of time after another.

Summaries of all visitors share one shelf, see `live_runs.Shelves`. One long run at a time
is in training for a visitor, and its recording goes when it is done; so eight runs of 100,000 epochs neither block the
page nor fill the memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gd_core.recorder import recorder_of
from gd_core.run_summary import RunSummary, summarised
from gd_core.settings.experiment import Experiment
from gd_core.settings.pins import Pin
from gd_core.training import Epochs
from pages.ui.charts.ghosts import Ghost
from pages.ui.look import session
from pages.ui.player import live_runs


@dataclass
class InTraining:
    """The one long pinned run that is in training for a visitor.

    Attributes:
        take: What there is of it; None between two.
    """

    take: live_runs.TrainRun | None = None


def keep(experiment: Experiment, recording: Epochs) -> None:
    """Put a finished run on the shelf."""
    if recording.complete:
        live_runs.shelves(experiment).summaries.put(experiment, _summarised(experiment, recording))


def _summarised(experiment: Experiment, recording: Epochs) -> RunSummary:
    problem, parabola, _ = live_runs.known(experiment)
    return summarised(experiment, problem, recording, parabola)


def of(experiment: Experiment) -> RunSummary:
    """What there is of a run: all of it, or of a long one what is trained so far."""
    if found := live_runs.shelves(experiment).summaries.get(experiment):
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
        if not live_runs.is_short(pin.experiment)
        and live_runs.shelves(pin.experiment).summaries.get(pin.experiment) is None
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
