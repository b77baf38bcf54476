"""What runs the page shows: the one that Train started, or the start that waits for it.

A short run is trained at once, and kept for all visitors; on a table of one's own, for its owner. A long one is trained in
slices of time by its visitor's own page, which stops when the page is closed. Runs are kept per visitor, so going back
finds them again.
"""

import gc
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, Generic, TypeVar
from weakref import WeakSet

import streamlit as st

from gd_core import gone_on
from gd_core.in_slices import InSlices
from gd_core.outcome import Finding, Trained, outcome
from gd_core.problem import Problem, build
from gd_core.recorder import Recorder, SpectrumRecorder, recorder_of, watched
from gd_core.settings import schedules
from gd_core.settings.engines import LOOP, SPECTRUM
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS, HYPERPARAMETERS
from gd_core.tables.table import FINGERPRINT
from gd_core.theory import Curvature, Forecast, forecast_of, parabola_of, why_no_theory
from gd_core.training import Epochs, Recording
from pages.ui.charts.model import RecordedRun
from pages.ui.look import current_charts, session
from pages.ui.player.recording_cache import kept_of, once
from pages.ui.player.shelf import Shelf, size_of

MB = 1_000_000
ROOM = {"data": 32 * MB, "results": 16 * MB, "summaries": 80 * MB}  # for all visitors together
OWN_ROOM = {"data": 64 * MB, "results": 32 * MB, "summaries": 80 * MB}  # for what a visitor alone may see
KEPT_DATA = 2  # of their rows a visitor keeps, however large: without and with scaled features
KEPT_FORECASTS = 32  # runs on the same rows
FORECAST = 4_000  # bytes of one, about
UNASKED = 900  # seconds after which nothing is kept that nobody has asked for
LEFT_BEHIND = 16 * MB  # a larger run is not kept for a visitor who has left,
LARGE_ROOM = 700 * MB  # nor all that are larger, of all who are here: twice the largest that there is
LET_GO = "Your run was let go of: it is too large to be kept while nobody looks at it. Train makes it again."
FIRST_SLICE = 0.1  # seconds of training before a long run's first picture
AT_ONCE = 20_000_000  # epochs times parameters that are done before it, along the eigenvectors: half a second or two
TICK = 0.4  # seconds from one tick to the next: the live edge moves twice a second, also when a tick is late
SLICES = 0.3  # seconds of training in one tick, of all visitors together: the rest is for their pages
KEPT_RUNS = 6  # a visitor's runs that are found again,
KEPT_UPDATES = 20_000  # if they are not longer than this
OF_THE_BATCHES = ("batch_size", "shuffle")
MAY_CHANGE = (
    "learning_rate", *schedules.FIELDS, "optimizer", *HYPERPARAMETERS, "epochs", *OF_THE_BATCHES, "before", "engine", "tolerance", "patience",
)  # fmt: skip

E = TypeVar("E")
R = TypeVar("R")


@dataclass(eq=False)
class LiveRun(Generic[E, R]):
    """Something that is trained while it is watched. On the Train page: one press of Train.

    Attributes:
        number: Counts a visitor's presses.
        experiment: What is trained.
        recording: What there is so far.
        recorder: The training to go on with; None when there is nothing left to train.
        first_epoch: Where the player starts.
        training: Held while the recorder is at work. With `runner.fastReruns`, which is off here, a setting changed
            meanwhile starts the page's next run beside the one that still trains. Two at once in one generator end the
            whole server: `islice` lets go of it at the second's "generator already executing", and the first goes on in
            freed memory.
    """

    number: int
    experiment: E
    recording: R
    recorder: InSlices[Any, R] | None
    first_epoch: int = 0
    training: Lock = field(default_factory=Lock)


TrainRun = LiveRun[Experiment, Recording]


@dataclass(eq=False)
class Runs:
    """A visitor's runs. Plain dicts: two runs of the page may be in them at once, see `_keep`.

    Attributes:
        live_run: What the Train page shows, or None where a start waits.
        takes: Counts what was put there, and each time that it was cleared.
        kept: The latest runs, found again by their settings.
        lessons: The run that each lesson trains while it is watched, by page.
        looked_at: When the visitor's page last showed one, in monotonic seconds.
        let_go: Whether the run that would be on the page has made room for others'.
    """

    live_run: TrainRun | None = None
    takes: int = 0
    kept: dict[Experiment, TrainRun] = field(default_factory=dict)
    lessons: dict[str, LiveRun[Any, Any]] = field(default_factory=dict)
    looked_at: float = 0.0
    let_go: bool = False


@st.cache_resource(show_spinner=False)
def _slices_taken() -> dict[int, float]:
    """When each training on this server last had its slice."""
    return {}


def fair_slice(recorder: InSlices[Any, Any]) -> float:
    """How many seconds a training may take in this tick: `SLICES`, shared with all that had a slice lately.

    A visitor alone is served fast, and a class that trains at once cannot block the server.
    """
    now, taken = time.monotonic(), _slices_taken()
    taken[id(recorder)] = now
    for other, then in list(taken.items()):
        if now - then > 3 * TICK:
            taken.pop(other, None)
    return SLICES / len(taken)


@st.cache_resource(show_spinner=False)
def settle() -> None:
    """Once in a process, after the imports: tell the garbage collector that what is loaded stays.

    Otherwise each of its full collections looks through torch as well, for 67 ms, with every visitor waiting.
    """
    gc.collect()
    gc.freeze()


@dataclass(eq=False)
class Rows:
    """The rows of some experiments, in whatever they differ beside, and what theory knows of each.

    Attributes:
        problem: Of the first of them. The others share its tensors.
        parabola: That their loss is; None if it is none.
        known: Problem, parabola and forecast by experiment, the latest of them.
    """

    problem: Problem
    parabola: Curvature | None
    known: dict[Experiment, tuple[Problem, Curvature | None, Forecast | None]] = field(default_factory=dict)


def _size_of_rows(rows: Rows) -> int:
    gaps = [gone_on.kept_of(problem) for problem, *_ in list(rows.known.values())]
    return size_of([rows.problem, gaps]) + FORECAST * len(gaps)


def _size_of_result(result: Any) -> int:
    return size_of([result, kept_of(result) if isinstance(result, Recording) else ()])


class Shelves:
    """What is worked out once, and how much of it is kept.

    Attributes:
        data: Rows with their curvature, by what decides them: the same for every rate.
        results: Short runs, starts that wait, and what lessons ask, by what it is and the experiment.
        summaries: Of pinned runs, by experiment. See `run_summaries`.
    """

    def __init__(self, room: dict[str, int] = ROOM, data: int = 1) -> None:
        self.data: Shelf[Rows] = Shelf(room["data"], data, _size_of_rows)
        self.results: Shelf[Any] = Shelf(room["results"], size=_size_of_result)
        self.summaries: Shelf[Any] = Shelf(room["summaries"])

    def clear(self, since: float | None = None) -> bool:
        """Let go of all, or of what nobody has asked for since then. Whether there was any."""
        return sum(shelf.clear(since) for shelf in (self.data, self.results, self.summaries)) > 0


_for_all = Shelves()


@dataclass
class Stay:
    """What lasts until a visitor leaves: the page is closed, or its connection lost. Coming back, it is made again.

    Attributes:
        shelves: What is kept for them alone.
        runs: Their runs, of which the large ones are let go of then; None before the first.
    """

    shelves: Shelves
    runs: Runs | None = None


def _left(stay: Stay) -> None:
    stay.shelves.clear()
    if stay.runs is not None:
        _let_go_of_large(stay.runs)


def _let_go_of_large(runs: Runs) -> None:
    runs.kept = {one: run for one, run in list(runs.kept.items()) if not _is_large(run)}
    if runs.live_run and _is_large(runs.live_run):
        runs.live_run, runs.let_go = None, True
        runs.takes += 1
    runs.lessons = {page: run for page, run in list(runs.lessons.items()) if not _is_large(run)}


def _is_large(live_run: LiveRun[Any, Any]) -> bool:
    return _size_of_run(live_run) > LEFT_BEHIND


def _size_of_run(live_run: LiveRun[Any, Any]) -> int:
    return size_of([live_run.recording, live_run.recorder])


def _make_room(mine: Runs) -> None:
    """Have the large runs of all visitors fit together: those go first that nobody has looked at for longest, and not mine."""
    _with_large.add(mine)
    large = {
        runs: sum(filter(LEFT_BEHIND.__lt__, map(_size_of_run, _all_of(runs)))) for runs in list(_with_large)
    }
    total = sum(large.values())
    for runs in sorted(large, key=lambda one: one.looked_at):
        if total <= LARGE_ROOM:
            return
        if runs is not mine:
            _let_go_of_large(runs)
            _with_large.discard(runs)
            total -= large[runs]


def _all_of(runs: Runs) -> set[LiveRun[Any, Any]]:
    live_run = runs.live_run  # another thread may take it away
    return {*list(runs.kept.values()), *list(runs.lessons.values()), *([live_run] if live_run else [])}


_with_large: WeakSet[Runs] = WeakSet()


@st.cache_resource(scope="session", show_spinner=False, on_release=_left)
def _stay() -> Stay:
    return Stay(Shelves(OWN_ROOM, KEPT_DATA))


def shelves(experiment: Experiment) -> Shelves:
    """Where it is kept what is worked out for an experiment: on a visitor's own table with them, else for all."""
    return _stay().shelves if experiment.table.startswith(FINGERPRINT) else _for_all


def worked_out(experiment: Experiment, what: Hashable, work: Callable[[], R]) -> R:
    """The result of `work`, which must depend on nothing but the experiment and `what`; worked out once."""
    return shelves(experiment).results.of((what, experiment), work)


def let_go() -> bool:
    """Let go of what nobody has asked for lately. Whether there was any."""
    return _for_all.clear(time.monotonic() - UNASKED)


def known(experiment: Experiment) -> tuple[Problem, Curvature | None, Forecast | None]:
    """The problem, and what theory says about it: nothing where the loss is no parabola."""
    rows = _rows(experiment)
    if (found := rows.known.get(experiment)) is None:
        problem, parabola = build(experiment, like=rows.problem), rows.parabola
        forecast = None if parabola is None else forecast_of(experiment, problem, parabola)
        found = rows.known[experiment] = problem, parabola, forecast
        for oldest in list(rows.known)[:-KEPT_FORECASTS]:
            rows.known.pop(oldest, None)
    return found


def _rows(experiment: Experiment) -> Rows:
    def read() -> Rows:
        problem = build(experiment)
        return Rows(problem, parabola_of(experiment, problem.objective))

    return shelves(experiment).data.of(_data_of(experiment), read)


def foreseen(experiment: Experiment) -> tuple[Problem, Curvature, Forecast]:
    """The same where theory knows something: of all that lessons offer.

    Raises:
        ValueError: If it does not, with the reason.
    """
    problem, parabola, forecast = known(experiment)
    if parabola is None or forecast is None:
        raise ValueError(why_no_theory(experiment))
    return problem, parabola, forecast


def _data_of(experiment: Experiment) -> str:
    """What decides the rows and their curvature, whatever the rate."""
    return repr([getattr(experiment, name) for name in FIELDS if name not in (*MAY_CHANGE, "start", "seed")])


def answer_of(experiment: Experiment) -> str:
    """What decides the best curve and its error: all that decides the rows, but for their scale."""
    scaled = ("scale_features", "scale_target")
    names = [name for name in FIELDS if name not in (*MAY_CHANGE, "start", "seed", *scaled)]
    return repr([getattr(experiment, name) for name in names])


def rename_table(before: str, now: str) -> None:
    """The same rows are known by another key: what was trained on them stays. For callbacks."""
    runs = session.held(Runs)
    for live_run in {*runs.kept.values(), *([runs.live_run] if runs.live_run else [])}:
        # Itself: beside a second one with its recorder, one would stand still.
        if live_run.experiment.table == before:
            live_run.experiment = replace(live_run.experiment, table=now)
    runs.kept = {live_run.experiment: live_run for live_run in runs.kept.values()}


def forget(table: str) -> None:
    """Let go of all that holds rows of a table, when it is removed. For callbacks."""
    runs = session.held(Runs)
    _stay().shelves.clear()
    runs.kept = {one: live_run for one, live_run in runs.kept.items() if one.table != table}
    live_run = runs.live_run
    if live_run and live_run.experiment.table == table:
        stop()
        reset()
    lessons = session.held(Runs).lessons
    for page, one in list(lessons.items()):
        if getattr(one.experiment, "table", "") == table:
            lessons.pop(page, None)
    gc.collect()


def _trained(experiment: Experiment) -> Recording:
    def train() -> Recording:
        recorder = _recorder(experiment)
        recorder.advance()
        return recorder.recording()

    return worked_out(experiment, "trained", train)


def _waiting(experiment: Experiment) -> Recording:
    def start() -> Recording:
        return replace(_recorder(experiment).recording(), complete=False)

    return worked_out(experiment, "waiting", start)


def _recorder(experiment: Experiment) -> Recorder | SpectrumRecorder:
    """A training in the making, on the rows that are there."""
    return recorder_of(experiment, build(experiment, like=_rows(experiment).problem))


def is_short(experiment: Experiment) -> bool:
    """Whether a run is trained at once."""
    return not experiment.is_long


def train(experiment: Experiment, first_epoch: int = 0) -> None:
    """Start a run and put it on the page. For callbacks."""
    recorder = None if is_short(experiment) else _recorder(experiment)
    if recorder is None:
        recording = _trained(experiment)
    else:
        at_once = (
            recorder.engine == SPECTRUM
            and experiment.total_epochs * len(experiment.info.parameters) <= AT_ONCE
        )
        recorder.advance(None if at_once else FIRST_SLICE)
        recording = recorder.recording()
        first_epoch = min(first_epoch, recording.epochs)
        if recorder.complete:
            recorder = None
    runs = session.held(Runs)
    if session.visitor():
        _stay().runs = runs
    runs.takes += 1
    runs.live_run, runs.let_go = TrainRun(runs.takes, experiment, recording, recorder, first_epoch), False
    _keep(runs.live_run, runs.kept)
    if _is_large(runs.live_run):
        _make_room(runs)


def _keep(live_run: TrainRun, runs: dict[Experiment, TrainRun]) -> None:
    """Make a take the latest of the kept runs, and drop what is too long or too old: what is kept must stay small.

    With `runner.fastReruns` two runs of the page may be in here at once, and Python may switch between them while it
    compares two experiments. A dict stands that; an OrderedDict would free an entry twice and end the whole server.
    """
    runs.pop(live_run.experiment, None)
    runs[live_run.experiment] = live_run
    for other, kept in list(runs.items()):
        if other != live_run.experiment and (kept.recording.updates > KEPT_UPDATES or len(runs) > KEPT_RUNS):
            runs.pop(other, None)


def reset() -> None:
    """Clear the page: the same start waits for Train again. For callbacks."""
    runs = session.held(Runs)
    runs.let_go = False
    if runs.live_run:
        runs.live_run = None
        runs.takes += 1


def takes() -> int:
    """The number of the latest run; it grows also when the page is cleared."""
    return session.held(Runs).takes


def stop() -> None:
    """End the training of the run on the page and keep what there is. For callbacks."""
    live_run = session.held(Runs).live_run
    if not live_run:
        return
    with live_run.training:
        if live_run.recorder:
            live_run.recorder.stop()
            live_run.recording, live_run.recorder = live_run.recorder.recording(), None


def advance(live_run: LiveRun[Any, Any]) -> None:
    """Train a long run for one more slice of time."""
    with live_run.training:
        if live_run.recorder:
            live_run.recorder.advance(fair_slice(live_run.recorder))
            live_run.recording = live_run.recorder.recording()
            if live_run.recorder.complete:
                live_run.recorder = None
    if _is_large(live_run):
        _make_room(session.held(Runs))


def follow(page: str, settings: E, trainer: Callable[[E], InSlices[Any, R]]) -> LiveRun[E, R]:
    """A lesson's own run of these settings, standing at its start; if they have not changed, the one there is."""
    session.held(Runs).looked_at = time.monotonic()
    live_run: LiveRun[E, R] | None = session.held(Runs).lessons.get(page)
    if live_run is None or live_run.experiment != settings:
        recorder = trainer(settings)
        live_run = LiveRun(0, settings, recorder.recording(), recorder)
        session.held(Runs).lessons[page] = live_run
    return live_run


def stream(live_run: LiveRun[E, R], draw: Callable[[R], None], *, train: bool) -> None:
    """Draw a lesson's run, and if it is long, again after every slice of its training.

    Args:
        take: From `follow`.
        draw: Draws what there is so far.
        train: Whether it may be trained already, or waits at its start for an answer.
    """
    if train:
        advance(live_run)
    streaming = train and live_run.recorder is not None
    begun = False

    def live() -> None:
        nonlocal begun
        if streaming and begun:
            advance(live_run)
        begun = True
        draw(live_run.recording)
        if streaming and live_run.recorder is None and not current_charts.being_taken():
            st.rerun()  # the whole page, which ends the ticking

    # a fragment also when nothing streams: its elements would be drawn anew if they came out of one
    st.fragment(live, run_every=TICK if streaming else None)()


def on_page(experiment: Experiment) -> TrainRun | None:
    """The run to show beside these settings: the last one, if it has the same problem and start, or none."""
    runs = session.held(Runs)
    last, runs.looked_at = runs.live_run, time.monotonic()
    return last if last and _comparable(experiment, last.experiment) else None


def why_none() -> str:
    """Why a run that was on the page is there no more, where nobody has taken it off; or ""."""
    return LET_GO if session.held(Runs).let_go else ""


def recall(experiment: Experiment) -> None:
    """Put a kept run of just these settings on the page again: someone went back to its address."""
    if live_run := session.held(Runs).kept.get(experiment):
        session.held(Runs).live_run = live_run


def played(experiment: Experiment, *, trained: bool = True) -> tuple[RecordedRun, Forecast, Finding]:
    """A short run to watch from its start to its end, or, until the student has made a guess, its start alone.

    For lessons, which are about the loop: so it is the loop that trains it.
    """
    forecast = foreseen(experiment)[2]
    run, finding = to_its_end(experiment, trained=trained)
    return run, forecast, finding


def to_its_end(experiment: Experiment, *, trained: bool = True) -> tuple[RecordedRun, Finding]:
    """The same of any loss, whether theory knows something of it or not."""
    problem, parabola, _ = known(experiment)
    recording = _trained(replace(experiment, engine=LOOP)) if trained else _waiting(experiment)
    return (
        to_watch(RecordedRun(experiment, problem, parabola, recording)),
        _ending(recording, parabola, Trained.of(experiment, problem)),
    )


def at_hand(experiment: Experiment) -> RecordedRun:
    """A run as far as it is here: a short one whole; a long one as this visitor trained it, or else its start alone."""
    live_run = session.held(Runs).kept.get(experiment)
    if is_short(experiment):
        live_run = TrainRun(0, experiment, _trained(experiment), None)
    return as_run(experiment, live_run)[0]


def recorded(experiment: Experiment, *, trained: bool = True) -> Recording:
    """The recording alone of a short run, to watch: many at once need no forecast each."""
    return recording_to_watch(experiment, _trained(experiment)) if trained else _waiting(experiment)


def _comparable(one: Experiment, other: Experiment) -> bool:
    """Whether two experiments start from the same place on the same loss."""
    names = [
        name for name in vars(one) if name not in MAY_CHANGE and (name != "seed" or one.start == "random")
    ]
    return all(getattr(one, name) == getattr(other, name) for name in names)


def as_run(experiment: Experiment, live_run: TrainRun | None) -> tuple[RecordedRun, Forecast | None, Finding]:
    """What the charts and the player need, for a take or for a start that waits."""
    shown = live_run.experiment if live_run else experiment
    problem, parabola, forecast = known(shown)
    recording = live_run.recording if live_run else _waiting(shown)
    return (
        RecordedRun(shown, problem, parabola, recording),
        forecast,
        _ending(recording, parabola, Trained.of(shown, problem)),
    )


def to_watch(run: RecordedRun) -> RecordedRun:
    """The same with some epochs to watch, also where it diverges at once."""
    shown = recording_to_watch(run.experiment, run.recording, run.problem)
    return run if shown is run.recording else replace(run, recording=shown)


def recording_to_watch(
    experiment: Experiment, recording: Recording, problem: Problem | None = None
) -> Recording:
    """The recording of such a run."""
    if recording.diverged_at is None:
        return recording
    return once(recording, watched, lambda: watched(recording, experiment, problem or known(experiment)[0]))


def as_recorded(run: RecordedRun) -> RecordedRun:
    """A short run without what was only to watch: as it is taken away."""
    beyond = run.recording.diverged_at is not None and run.recording.epochs >= run.recording.diverged_at
    if not beyond:
        return run
    return replace(run, recording=_trained(replace(run.experiment, engine=run.recording.engine)))


def _ending(recording: Epochs, parabola: Curvature | None, trained: Trained) -> Finding:
    """How a run ended: of a million epochs that takes a second."""
    return once(recording, outcome, lambda: outcome(recording, parabola, trained))
