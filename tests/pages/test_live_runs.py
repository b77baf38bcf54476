"""What is on stage, without a page."""

import os
import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

from streamlit.testing.v1 import AppTest

from gd_core.recorder import Recorder, record
from gd_core.settings.experiment import Experiment
from pages.ui.player import live_runs


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


def rows_asked_for(changes):
    """A script that asks for the rows of one experiment after another, of which each is changed in something."""
    from dataclasses import replace

    from gd_core.settings.experiment import Experiment
    from pages.ui.player import live_runs

    live_runs._own.clear()
    for change in changes:
        live_runs.foreseen(replace(Experiment.default("noisy-quadratic"), **change))


def test_a_visitor_keeps_the_last_two_large_tables(monkeypatch):
    """Their curvature is worked out once, whatever the rate and the start; a third takes the place of the older one."""
    worked_out, original = [], live_runs.parabola_of
    monkeypatch.setattr(live_runs, "parabola_of", lambda run, of: worked_out.append(of) or original(run, of))
    monkeypatch.setattr(live_runs, "LARGE", 10)
    plain, scaled, third = {}, {"scale_features": True}, {"data_seed": 5}
    another_rate = {"learning_rate": 1e-6, "start": (1.0, 2.0, 3.0), "epochs": 3}
    page = AppTest.from_function(
        rows_asked_for, args=([plain, scaled, another_rate, scaled | another_rate, plain],)
    )
    assert not page.run(timeout=60).exception
    assert len(worked_out) == 2
    worked_out.clear()
    page = AppTest.from_function(rows_asked_for, args=([plain, scaled, plain, third, plain, scaled],))
    assert not page.run(timeout=60).exception
    assert len(worked_out) == 4


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
