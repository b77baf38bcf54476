"""What is on stage, without a page."""

import gc
import os
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread
from types import FunctionType, ModuleType
from weakref import WeakSet, ref

import pytest
from streamlit.runtime import caching
from streamlit.testing.v1 import AppTest
from train_page import Lab

from gd_core import gone_on, problem
from gd_core.recorder import Recorder, record
from gd_core.settings.experiment import Experiment
from gd_core.tables import table as tables
from gd_core.tables.table import find
from pages.ui.look import session
from pages.ui.player import live_runs
from pages.ui.player.shelf import size_of


def test_two_runs_of_the_page_do_not_train_at_once():
    """Streamlit starts the next run of a page beside one that still trains: they take turns, and lose no epoch."""
    experiment = Experiment(learning_rate=1e-5, epochs=3000, engine="loop")
    recorder = Recorder(experiment)
    take = live_runs.TrainRun(1, experiment, recorder.recording(), recorder)
    together, errors = Barrier(3), []

    def run() -> None:
        together.wait()
        try:
            while take.recorder:
                live_runs.advance(take)
        except Exception as error:
            errors.append(error)

    threads = [Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert take.recording.complete
    assert take.recording.theta.equal(record(experiment).theta)


def test_large_runs_of_all_visitors_fit_together(monkeypatch):
    """The one that nobody has looked at for longest makes room, and its page says so; Train makes the same numbers again."""
    monkeypatch.setattr(live_runs, "LEFT_BEHIND", 1_000_000)
    monkeypatch.setattr(live_runs, "LARGE_ROOM", 15_000_000)
    monkeypatch.setattr(live_runs, "_with_large", WeakSet())
    size = 50_001 * (3 + 3 + 1 + 1) * 8  # θ, gradient, loss and RMSE of each epoch: 3.2 MB
    visitors = [Lab(epochs="50000", learning_rate="1e-6").press("train") for _ in range(4)]

    def run(lab):
        return lab.at.session_state[session.key(live_runs.Runs)].live_run

    assert all(size <= live_runs._size_of_run(run(lab)) < 1.2 * size for lab in visitors)
    first = run(visitors[0]).recording.theta
    second = ref(run(visitors[1]).recording)
    visitors[0].run()  # looked at again
    fifth = Lab(epochs="50000", learning_rate="1e-6").press("train")
    assert [run(lab) is None for lab in (*visitors, fifth)] == [False, True, False, False, False]
    gc.collect()
    assert second() is None  # nothing else holds it, such as a button's callback
    visitors[1].run()
    assert live_runs.LET_GO in str(visitors[1].component("player"))
    visitors[1].press("train")
    assert live_runs.LET_GO not in str(visitors[1].component("player"))
    assert run(visitors[1]).recording.theta.equal(first)
    assert run(visitors[2]) is None


def test_trainings_share_a_tick(monkeypatch):
    """A training alone has the whole slice; three have a third each; one that has ended is soon not counted."""
    clock = [1000.0]
    monkeypatch.setattr(live_runs.time, "monotonic", lambda: clock[0])
    live_runs._slices_taken.clear()
    one, two, three = (Recorder(Experiment(epochs=5000)) for _ in range(3))
    assert live_runs.fair_slice(one) == live_runs.SLICES
    assert live_runs.fair_slice(two) == live_runs.SLICES / 2
    assert live_runs.fair_slice(three) == live_runs.fair_slice(one) == live_runs.SLICES / 3
    clock[0] += 2 * live_runs.TICK
    assert live_runs.fair_slice(one) == live_runs.SLICES / 3
    clock[0] += 2 * live_runs.TICK
    assert live_runs.fair_slice(one) == live_runs.SLICES
    live_runs._slices_taken.clear()


def rows_asked_for(private, changes):
    """A script that asks for the rows of one experiment after another, of which each is changed in something."""
    from dataclasses import replace

    from gd_core.settings.experiment import Experiment
    from gd_core.tables.reading import read
    from gd_core.tables.table import keep
    from pages.ui.player import live_runs

    experiment, table = Experiment.default("noisy-quadratic"), None
    if private:
        table = keep(read("x,y\n" + "\n".join(f"{n},{n * n % 7}" for n in range(20))).table)
        fields = {
            "dataset": "table",
            "table": table.mark,
            "target": "y",
            "features": "x",
            "learning_rate": "1e-3",
        }
        experiment = Experiment.from_query(fields)[0]
    live_runs._stay.clear()
    live_runs._for_all.clear()
    for change in changes:
        live_runs.foreseen(replace(experiment, **change))
        live_runs.recorded(replace(experiment, **change))


PLAIN, SCALED, HELD_OUT = {}, {"scale_features": True}, {"holdout": 0.25}
OTHERS = [{"learning_rate": 1e-3 / (n + 2), "epochs": 3 + n % 2, "seed": n} for n in range(6)]


@pytest.mark.parametrize("private", [False, True])
def test_rows_and_their_curvature_are_worked_out_once(private, monkeypatch):
    """Whatever the rate, the epochs and the seed: of data that all have, and of a visitor's own table."""
    worked_out, built = [], []
    original, build = live_runs.parabola_of, problem._rows
    monkeypatch.setattr(live_runs, "parabola_of", lambda run, of: worked_out.append(of) or original(run, of))
    monkeypatch.setattr(problem, "_rows", lambda run: built.append(run) or build(run))
    page = AppTest.from_function(rows_asked_for, args=(private, [PLAIN, *OTHERS, SCALED, *OTHERS, SCALED]))
    assert not page.run(timeout=60).exception
    assert len(worked_out) == len(built) == 2


def test_a_visitor_keeps_two_tables_however_large(monkeypatch):
    """Without and with scaled features, which the page compares; a third takes the place of the older one."""
    worked_out, original = [], live_runs.parabola_of
    monkeypatch.setattr(live_runs, "parabola_of", lambda run, of: worked_out.append(of) or original(run, of))
    monkeypatch.setitem(live_runs.OWN_ROOM, "data", 1)
    page = AppTest.from_function(rows_asked_for, args=(True, [PLAIN, SCALED, PLAIN, HELD_OUT, PLAIN, SCALED]))
    assert not page.run(timeout=60).exception
    assert len(worked_out) == 4


def test_nothing_of_ones_own_table_is_kept_for_all(monkeypatch):
    """After a visit with it, no shelf that all share has its rows, its columns or a run on it; the visitor's own have."""
    everyone = live_runs.Shelves()
    monkeypatch.setattr(live_runs, "_for_all", everyone)
    rows = "\n".join(f"{n},{n * 7 % 11},{n * n % 13}" for n in range(900))
    lab = Lab(
        dataset="table", table="cars", target="distance (ft)", features="speed (mph)", learning_rate="1e-3"
    )
    lab.press("train")
    shared = [len(shelf._slots) for shelf in vars(everyone).values()]
    assert sum(shared)
    lab.at.text_area("pasted").set_value(f"shoe,debt,sum\n{rows}")
    lab.press("use_pasted").press("use_table").press("train").press("pin").type(learning_rate="0.01").press(
        "train"
    )
    assert lab.experiment.table.startswith("sha256:")
    assert [len(shelf._slots) for shelf in vars(everyone).values()] == shared
    table = find(lab.experiment.table)
    held = {id(table), *map(id, table.columns)}
    todo, seen = [everyone, gone_on._gone_on, tables._unpacked], set()
    while todo:  # whatever they lead to
        one = todo.pop()
        if id(one) in seen or isinstance(one, type | ModuleType | FunctionType):
            continue
        assert id(one) not in held
        assert not (isinstance(one, str) and "shoe" in one)
        seen.add(id(one))
        todo.extend(gc.get_referents(one))


def test_a_run_in_training_goes_on_under_its_tables_other_name(monkeypatch):
    """The one on the page and the one that is found again are one run, and of another table's runs none is lost."""
    runs = live_runs.Runs()
    monkeypatch.setattr(session, "held", lambda _: runs)
    others = [Experiment(learning_rate=1e-5 * n, epochs=10) for n in range(1, live_runs.KEPT_RUNS)]
    experiment = Experiment.default("table")
    named = [*others, experiment]
    runs.kept = {one: live_runs.TrainRun(n, one, record(one), None) for n, one in enumerate(named)}
    take = runs.live_run = runs.kept[experiment]
    take.recorder = Recorder(experiment)
    now = tables.find("cars").key
    live_runs.rename_table("cars", now)
    assert [one.table for one in runs.kept] == [*(one.table for one in others), now]
    assert runs.live_run is take
    assert runs.kept[take.experiment] is take
    assert (take.experiment.table, take.number) == (now, len(others))


def test_large_runs_go_with_their_visitor(monkeypatch):
    """Who closes the page leaves the settings and the small runs; a large one is trained again by whoever comes back."""
    lab = Lab(**Experiment.default().to_query()).press("train").type(epochs="400000").press("train")
    runs = lab.at.session_state[session.key(live_runs.Runs)]
    assert runs.live_run.recording.epochs == 400_000
    assert size_of(runs.live_run.recording) > live_runs.LEFT_BEHIND
    caching.clear_session_resource_cache("test session id")  # as Streamlit does when the connection has ended
    assert runs.live_run is None
    assert [one.epochs for one in runs.kept] == [Experiment.default().epochs]
    assert lab.run().experiment.epochs == 400_000
    assert lab.press("train").player["last"] == 400_000


PRESSES = """
from gd_core.settings.experiment import Experiment
from pages.ui.look import session
from pages.ui.player import live_runs

class Interrupted(Experiment):
    \"\"\"At one comparison of two of these, another run of the page trains the same.\"\"\"

    countdown = 0
    __hash__ = Experiment.__hash__

    def __eq__(self, other):
        same = super().__eq__(other)
        Interrupted.countdown -= 1
        if Interrupted.countdown == 0:
            press(self.epochs)
        return same

def press(epochs):
    live_runs.train(Interrupted(epochs=epochs))

for comparison in range(1, 12):
    for epochs in (1, 2, 3, 4, 5, 6, 7, 7, 4):
        Interrupted.countdown = comparison
        press(epochs)
    Interrupted.countdown = 0
    kept = [experiment.epochs for experiment in session.held(live_runs.Runs).kept]
    assert len(kept) == live_runs.KEPT_RUNS and 4 in kept, kept
"""


def test_two_presses_of_train_at_once():
    """A second run of the page may train while the first compares kept runs: nothing fails, and the server lives."""
    # freed memory is overwritten, so that a use of it is seen at once
    environment = os.environ | {
        "PYTHONMALLOC": "debug",
        "PYTHONFAULTHANDLER": "1",
        "STREAMLIT_LOGGER_LEVEL": "error",
    }
    root = Path(__file__).parents[2]
    other = subprocess.run(
        [sys.executable, "-c", PRESSES],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert other.returncode == 0, other.stderr
