"""What is kept of pinned runs to draw them: a few short ones are trained at once, the others a slice of time after another.

Summaries of all visitors share one shelf, see `live_runs.Shelves`. One long run at a time
is in training for a visitor, and its recording goes when it is done; so eight runs of 100,000 epochs neither block the
page nor fill the memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gd_core.recorder import recorder_of
from gd_core.run_summary import RunSummary, summarised
from gd_core.settings.engines import LOOP, SHORT_ROWS, SHORT_UPDATES
from gd_core.settings.experiment import Experiment
from gd_core.settings.pins import Pin
from gd_core.training import Recording
from pages.ui.charts.ghosts import Ghost
from pages.ui.look import session
from pages.ui.player import live_runs

AT_ONCE = 2  # as much of the loop's work as the longest short run has: a link of a few hundred characters can hold four times that


@dataclass
class InTraining:
    """The one long pinned run that is in training for a visitor.

    Attributes:
        take: What there is of it; None between two.
    """

    take: live_runs.TrainRun | None = None


def keep(experiment: Experiment, recording: Recording) -> None:
    """Put a finished run on the shelf."""
    if recording.complete:
        live_runs.shelves(experiment).summaries.put(experiment, _summarised(experiment, recording))


def rename_table(key: str, now: str, pins: Sequence[Pin]) -> None:
    """The same rows are known by another key: what there is of pinned runs on them stays. For callbacks."""
    for one in (pin.experiment for pin in pins if pin.experiment.table == key):
        if found := live_runs.shelves(one).summaries.get(one):
            renamed = replace(one, table=now)
            live_runs.shelves(renamed).summaries.put(renamed, replace(found, experiment=renamed))


def _summarised(experiment: Experiment, recording: Recording) -> RunSummary:
    problem, parabola, _ = live_runs.known(experiment)
    shown = live_runs.recording_to_watch(experiment, recording, problem)
    return summarised(experiment, problem, shown, parabola)


def _at_once(pins: Sequence[Pin]) -> set[Experiment]:
    """The runs that are trained with the page: short ones, in order, as long as the loop has little to do for them together."""
    found, updates, rows = set(), 0, 0
    for one in (pin.experiment for pin in pins if live_runs.is_short(pin.experiment)):
        if one.runs_on == LOOP:
            own = one.total_epochs * one.updates_per_epoch
            updates, rows = updates + own, rows + own * one.rows_per_update
        if updates <= AT_ONCE * SHORT_UPDATES and rows <= AT_ONCE * SHORT_ROWS:
            found.add(one)
    return found


def of(experiment: Experiment, *, at_once: bool) -> RunSummary:
    """What there is of a run: all of it, or of one that is not trained at once what is trained so far."""
    if found := live_runs.shelves(experiment).summaries.get(experiment):
        return found
    if at_once:
        recording = live_runs.recorded(experiment)
        keep(experiment, recording)
    else:
        take = session.held(InTraining).take
        trained = take is not None and take.experiment == experiment
        recording = take.recording if take and trained else live_runs.recorded(experiment, trained=False)
    return _summarised(experiment, recording)


def missing(pins: Sequence[Pin]) -> list[Experiment]:
    """The runs that are not trained at once, and still to be trained."""
    at_once = _at_once(pins)
    return [
        pin.experiment
        for pin in pins
        if pin.experiment not in at_once
        and live_runs.shelves(pin.experiment).summaries.get(pin.experiment) is None
    ]


def advance(pins: Sequence[Pin]) -> None:
    """Train the first of the missing runs for one more slice of time."""
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
    found, at_once = [], _at_once(pins)
    for place, pin in enumerate(pins):
        problem, parabola, _ = live_runs.known(pin.experiment)
        summary = of(pin.experiment, at_once=pin.experiment in at_once)
        found.append(Ghost(place, summary, problem, parabola))
    return tuple(found)
