"""The chart of one parameter as a value: its axis, its tables, and a specification that holds nothing of the run."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gd_core.problem import build
from gd_core.recorder import Recorder, record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of
from pages.ui.charts.model import RecordedRun
from pages.ui.charts.one_parameter import reach, tangent, value_at
from pages.ui.look.palette import DARK, LIGHT

PARABOLA = replace(Experiment.default("one-parameter"), start=(2.0,))


def run_of(trained=True, **changes):
    experiment = replace(PARABOLA, **changes)
    problem = build(experiment)
    recording = record(experiment) if trained else replace(Recorder(experiment).recording(), complete=False)
    return RecordedRun(experiment, problem, curvature_of(problem.objective), recording)


def tables(run):
    return {name: table.to_pydict() for name, table in tangent(run, "A", LIGHT, 300).tables.items()}


@pytest.mark.parametrize(
    ("start", "ends"),
    [(2.0, (-6, 4)), (-4.0, (-6, 4)), (-1.0, (-6, 4)), (-0.9, (-6, 4)), (3.79, (-6, 4)), (4.5, (-11, 9)),
     (99.0, (-201, 199)), (-0.999, (-1.002, -0.998)), (-1 + 1e-9, (-1.001, -0.999))],
)  # fmt: skip
def test_the_axis_has_round_ends_around_the_optimum(start, ends):
    """−6 and 4 for all ordinary starts, so that a click does not move the picture; others get a picture of their own."""
    assert reach(run_of(start=(start,))) == pytest.approx(ends)


@given(start=st.floats(-1e9, 1e9))
def test_the_start_and_its_mirror_image_are_on_the_axis(start):
    """And not closer to its ends than a fiftieth."""
    low, high = reach(run_of(False, start=(start,)))
    assert abs(start + 1) <= 0.98 * (high - low) / 2


def test_the_axis_knows_nothing_of_the_rate():
    """It is the same before the answer and after it, whatever the run does."""
    ends = {reach(run_of(trained, learning_rate=rate)) for trained in (True, False) for rate in (0.01, 0.12)}
    assert len(ends) == 1


@given(share=st.floats(0, 1), start=st.sampled_from([2.0, 50.0, 1e9, -0.9999]))
def test_a_click_is_read_to_a_pixel(share, start):
    """The value under it, off by less than a five-hundredth of the axis, and short to read."""
    run = run_of(False, start=(start,))
    low, high = reach(run)
    value = value_at(run, share)
    assert abs(value - (low + share * (high - low))) <= (high - low) / 500
    assert len(repr(value)) <= 13


@pytest.mark.parametrize(("rate", "kind"), [(0.01, -1), (0.1, -1), (1 / 9, 0), (0.12, 1)])
def test_each_row_holds_point_slope_and_step(rate, kind):
    """Loss and slope by the formula, the next A by the update rule, and what the loss does; no next one at the end."""
    rows = {name: np.array(values) for name, values in tables(run_of(learning_rate=rate))["run"].items()}
    a = rows["a"].astype(float)
    assert rows["epoch"].tolist() == list(range(41))
    np.testing.assert_allclose(rows["loss"], (3 + 3 * a) ** 2, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(rows["slope"], 18 * (a + 1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(rows["next"][:-1], a[1:])
    np.testing.assert_allclose(rows["next_loss"][:-1], rows["loss"][1:])
    assert np.isnan(rows["next"][-1])
    assert set(rows["change"][:-1]) == {kind}


def test_before_the_answer_there_is_no_step():
    """The start alone, and no next A."""
    rows = tables(run_of(False))["run"]
    assert rows["a"] == [2.0]
    assert np.isnan(rows["next"]).all()


def test_the_curve_is_the_loss():
    """(3 + 3A)² from one end of the axis to the other."""
    found = tables(run_of())
    x, y = (np.array(found["loss"][name]) for name in "xy")
    np.testing.assert_allclose(y, (3 + 3 * x) ** 2, rtol=1e-5, atol=1e-4)
    assert [x[0], x[-1]] == [found["frame"]["x0"][0], found["frame"]["x1"][0]]


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_a_new_run_needs_no_new_drawing(colours):
    """Specification and text are the same for every rate, start and number of epochs, and before the answer."""
    views = [
        tangent(run, "A", colours, 300)
        for run in (run_of(), run_of(False), run_of(learning_rate=0.12, start=(1e9,), epochs=200))
    ]
    assert all(view.spec is views[0].spec for view in views)
    assert len({view.text for view in views}) == 1


@pytest.mark.parametrize(("rate", "start"), [(1e6, 1e9), (0.12, 1e9), (1e-18, 2.0), (0.1, -1.0)])
def test_hostile_settings_give_finite_axes(rate, start):
    """Ends that 32 bits tell apart."""
    frame = tables(run_of(learning_rate=rate, start=(start,), epochs=200))["frame"]
    ends = [frame[name][0] for name in ("x0", "x1", "y0", "y1")]
    assert np.isfinite(ends).all()
    assert ends[0] < ends[1]
    assert ends[2] < ends[3]


@pytest.mark.parametrize("height", [200, 228, 375])
def test_the_words_under_the_arrow_are_within_the_chart(height):
    """They are 17 pixels below it, in letters of 13; the axis below takes 55 of the height; and the curve has the rest."""
    frame = tangent(run_of(), "A", LIGHT, height).tables["frame"].to_pydict()
    y0, y1 = frame["y0"][0], frame["y1"][0]
    strip = (height - 55) * -y0 / (y1 - y0)
    assert (1 - 0.45) * strip >= 17 + 13 / 2
    assert strip < (height - 55) / 3
