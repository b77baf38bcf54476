"""Held-out rows on the pages: their mark, their error beside the other, and what lessons make of a link with them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from train_page import Lab

from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.examples import EXAMPLES
from gd_core.settings.experiment import Experiment, defaults
from gd_core.theory import curvature_of
from pages.ui.charts.error import error
from pages.ui.charts.fit import agreement, along, fit
from pages.ui.charts.model import DRAWN_ROWS, MOVED_ROWS, Run
from pages.ui.look.palette import LIGHT
from pages.ui.settings.next_steps import plain

HELD = Experiment(scale_features=True, learning_rate=0.1, epochs=30, holdout=0.3)
PLANE = Experiment(
    **defaults("two-features", "gradient-descent") | {"holdout": 0.2, "noise": 1.0, "epochs": 5}
)


def run_of(experiment):
    problem = build(experiment)
    return Run(experiment, problem, curvature_of(problem.objective), record(experiment))


def views(experiment):
    """The charts of Train that show data or errors."""
    run = run_of(experiment)
    several = len(run.problem.dataset.feature_names) > 1
    fits = [agreement(run, LIGHT, 200), along(run, 0, LIGHT, 200)] if several else []
    return [*(fits or [fit(run, LIGHT, 200)]), error(run, LIGHT, 200)]


def test_the_chart_marks_what_is_kept_and_where_it_stopped():
    """Both epochs of the recording, the held-out error there, and both in the chart's text; nothing where it was not stopped."""
    early = next(one.experiment for one in EXAMPLES if one.title == "Stopped in time")
    run = run_of(early)
    view = error(run, LIGHT, 200)
    (frame,) = view.tables["frame"].to_pylist()
    held_out = record(replace(early, patience=0)).epoch_held_out_rmse
    best = int(held_out[: run.recording.epochs + 1].argmin())
    assert (frame["kept"], frame["stop"]) == (best, run.recording.epochs) == (best, best + early.patience)
    assert frame["lowest_held_out"] == pytest.approx(float(held_out[best]), rel=1e-6)
    assert f"stopped early at epoch {frame['stop']:,}; kept is epoch {best:,}, a diamond" in view.text
    patient = error(run_of(replace(early, epochs=50)), LIGHT, 200)
    (frame,) = patient.tables["frame"].to_pylist()
    assert np.isnan(frame["kept"])
    assert "stopped early" not in patient.text
    plain = error(run_of(replace(early, patience=0, epochs=50)), LIGHT, 200)
    assert "kept" not in plain.tables["frame"].column_names


@pytest.mark.parametrize("experiment", [HELD, PLANE], ids=["quadratic", "plane"])
def test_every_chart_has_another_mark_for_them(experiment):
    """A diamond where data are drawn, dashes in the error; the chart's text says so; without hold-out neither is there."""
    for view in views(experiment):
        spec = json.dumps(view.spec)
        assert "diamond" in spec
        assert "eld-out rows" in view.text
    for view in views(replace(experiment, holdout=0.0)):
        assert "held" not in json.dumps(view.spec)
        assert "eld-out" not in view.text
        assert "held_out" not in view.tables


def test_each_row_is_drawn_once():
    """Training and held-out rows together are the twenty of the data."""
    tables = views(HELD)[0].tables
    assert (tables["points"].num_rows, tables["held_out"].num_rows) == (14, 6)
    drawn = sorted(tables["points"]["x"].to_pylist() + tables["held_out"]["x"].to_pylist())
    assert drawn == list(range(20))


def test_of_many_rows_the_same_share_of_both_is_drawn():
    """250 in all where they rest: 50 of the 200 held-out rows, 200 of the other 800; where they move, 125."""
    moving, resting, _ = (view.tables for view in views(PLANE))
    assert (resting["points"].num_rows, resting["held_out"].num_rows) == (200, 50)
    assert (len(set(moving["points"]["y"].to_pylist())), moving["held_out"].num_rows) == (100, 25)
    assert (DRAWN_ROWS, MOVED_ROWS) == (250, 125)


def test_both_errors_are_on_one_axis():
    """The axis holds the held-out error too, also where it is the higher one."""
    view = views(HELD)[-1]
    held_out = record(HELD).epoch_held_out_rmse.numpy()
    np.testing.assert_allclose(view.tables["run"]["held_out"].to_numpy(), held_out, rtol=1e-6)
    frame = view.tables["frame"].to_pylist()[0]
    assert frame["y0"] < held_out.min() < held_out.max() < frame["y1"]


def test_train_shows_both_errors_and_says_at_the_end_whether_they_part():
    """From a link: fields, live numbers, verdict and the table of numbers."""
    lab = Lab(**HELD.to_query()).press("train")
    assert (lab.text("holdout"), lab.text("split_seed")) == ("0.3", "0")
    expected = record(HELD).epoch_held_out_rmse.numpy().astype(np.float32)
    assert (lab.player["table"]["held_out"].to_numpy() == expected).all()
    assert "two errors do not part" in lab.player["summary"]
    pages = " ".join(element.proto.body for element in lab.at.get("html"))
    assert 'data-live="held_out"' in pages
    assert "14 training rows, ◇ 6 held out" in pages
    assert lab.query["holdout"] == "0.3"


def test_a_typed_share_is_taken_and_a_bad_one_said():
    """The run is another one, so it waits; a bad share keeps the last good one."""
    lab = Lab().type(holdout="0.25", split_seed="9")
    assert (lab.experiment.holdout, lab.experiment.split_seed) == (0.25, 9)
    lab.type(holdout="0.9")
    assert lab.complaints == [
        "Share must be a number between 0 and 0.5. Got 0.9. Train waits; the page stays at 0.25."
    ]
    assert lab.experiment.holdout == 0.25
    assert lab.type(holdout="0").query.get("holdout") is None


def test_one_parameter_has_nothing_to_hold_out():
    """No field for it, and no trace of the share that another data set had."""
    lab = Lab(**HELD.to_query()).choose("dataset", "one-parameter")
    assert lab.experiment == Experiment.default("one-parameter")
    assert "w_holdout" not in [field.key for field in lab.at.text_input]
    assert lab.complaints == []


def test_a_way_on_carries_them():
    """The lesson behind "Try next" is about the same rows."""
    kept = plain(replace(HELD, split_seed=4))
    assert (kept.holdout, kept.split_seed) == (0.3, 4)
    assert build(kept).dataset.x.tolist() == build(replace(HELD, split_seed=4)).dataset.x.tolist()
