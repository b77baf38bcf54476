"""Drawn points as a table: every drawing travels in its link, trains, and refuses what cannot be drawn."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gd_core import drawing
from gd_core.outcome import Outcome, Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.examples import OPENING
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.theory import curvature_of

number = st.integers(0, 1000).map(lambda hundredths: hundredths / 100)  # as a pointer sets it


def test_it_opens_with_points_that_train():
    """A few points and a rate with which the run arrives at NumPy's least squares."""
    experiment = drawing.opening()
    assert drawing.is_drawing(experiment)
    recording, problem = record(experiment), build(experiment)
    assert (
        outcome(recording, curvature_of(problem.objective), Trained.of(experiment, problem)).outcome
        is Outcome.CONVERGED
    )
    x, y = np.array(drawing.OPENING).T
    floor = np.sqrt(np.mean((np.polyval(np.polyfit(x, y, 2), x) - y) ** 2))
    assert float(recording.epoch_rmse[-1]) == pytest.approx(floor, rel=1e-4)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(number, number), min_size=2, max_size=200))
def test_a_drawing_travels_in_its_link(points):
    """Point for point and digit for digit, and nothing has to be brought along; the rest of the settings stay."""
    experiment = drawing.drawn(replace(drawing.opening(), learning_rate=0.123), points)
    again, sentences = Experiment.from_query(experiment.to_query())
    assert (again, sentences) == (experiment, [])
    assert drawing.points_of(again) == [list(point) for point in points]
    assert drawing.is_drawing(again)
    assert again.learning_rate == 0.123
    assert len(experiment.table) <= 2000


def test_a_computed_rate_follows_the_points():
    """It was half the limit, and is half the limit; a typed one is left alone."""
    experiment = drawing.opening()
    moved = drawing.drawn(experiment, [*drawing.OPENING[:-1], (9.9, 0.5)])
    largest = curvature_of(build(moved).objective).largest
    assert moved.learning_rate != experiment.learning_rate
    assert moved.learning_rate == pytest.approx(1 / largest, rel=1e-2)


def test_fewer_points_shrink_the_batch():
    """A batch of eight rows has no place in five points: then all are taken."""
    experiment = replace(drawing.opening(), batch_size=8)
    assert drawing.drawn(experiment, drawing.OPENING[:5]).batch_size == 0
    assert drawing.drawn(replace(experiment, batch_size=3), drawing.OPENING[:5]).batch_size == 3


@pytest.mark.parametrize(
    ("points", "rule", "got"),
    [
        ([(1.0, 2.0)], "2 to 200 drawn points", "1"),
        ([(1.0, 2.0)] * 201, "2 to 200 drawn points", "201"),
        ("a lot", "2 to 200 drawn points", "a lot"),
        ([(1.0, 2.0), (1.0, math.nan)], "numbers between", "nan"),
        ([(1.0, 2.0), (1.0, 1e7)], "numbers between", "10000000.0"),
        ([(1.0, 2.0), (1.0, "<b>")], "numbers between", "<b>"),
        ([(1.0, 2.0), (1.0,)], "numbers between", "1.0"),
        ([(1.0, 2.0), (1e-40, 2.0)], "size must be between", ""),
        ([(i**0.5, i**0.3) for i in range(200)], "must fit in a link", "200"),
    ],
)
def test_what_cannot_be_drawn_is_told(points, rule, got):
    """One sentence about the points."""
    with pytest.raises(ParameterError) as error:
        drawing.drawn(drawing.opening(), points)
    assert rule in str(error.value)
    assert got in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_only_a_table_of_x_and_y_is_a_drawing():
    """Neither another data set nor a table with other columns."""
    assert not drawing.is_drawing(OPENING.experiment)
    cars = Experiment.from_query({"dataset": "table", "table": "cars"})[0]
    assert not drawing.is_drawing(cars)


@pytest.mark.parametrize(
    ("points", "ends"),
    [
        (drawing.OPENING, (0, 10, 0, 10)),
        ([(0, 0), (20, 5)], (-2, 22, 0, 10)),
        ([(3, -1), (3, -1)], (0, 10, -1.1, -0.9)),
    ],
)
def test_the_paper_is_large_enough(points, ends):
    """The empty paper as long as it holds every point."""
    assert drawing.paper(points) == pytest.approx(ends)
