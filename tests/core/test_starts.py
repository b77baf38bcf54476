"""Where starts end. Oracle: NumPy, with rules and derivatives by hand, and the same runs gone on ten times as long."""

from dataclasses import replace
from functools import cache

import curved
import numpy as np
import pytest
import torch
from test_here import TIDE, gradient, hessian, loss, rows_of

from gd_core.landscape import Window, box_of
from gd_core.objective import hessians, values_and_gradients
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.starts import (
    ARRIVED,
    DIVERGED,
    LEVEL_GROUND,
    NOT_YET,
    ONE_VALLEY,
    UNDER_WAY,
    Starts,
    side_of,
    why_no_starts,
)

SIDE = 16
LONGER = 10


def map_of(experiment, side=SIDE, shown=None):
    problem = build(experiment)
    starts = Starts(experiment, problem, shown or box_of(experiment, problem.start), side=side)
    starts.advance()
    return starts.recording()


def by_hand(experiment, theta, epochs):
    """Each of many starts, [K, 2], by a rule in NumPy: every point of it, [E + 1, K, 2]."""
    x, y = rows_of(experiment)
    rate, beta = experiment.learning_rate, experiment.momentum

    def slope(theta):
        angle = theta[:, :1] * x + theta[:, 1:]
        both = (1.8 * np.sin(angle) - y) * 3.6 * np.cos(angle)
        return np.stack([(both * x).mean(1), both.mean(1)], 1)

    velocity, mean, square, path = 0 * theta, 0 * theta, 0 * theta, [theta]
    for k in range(1, epochs + 1):
        g = slope(theta)
        if experiment.optimizer == "gradient-descent":
            theta = theta - rate * g
        elif experiment.optimizer in ("momentum", "nesterov"):
            velocity = beta * velocity + g
            step = g + beta * velocity if experiment.optimizer == "nesterov" else velocity
            theta = theta - rate * step
        else:
            assert experiment.optimizer == "adam"
            mean, square = 0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g * g
            theta = theta - rate * (mean / (1 - 0.9**k)) / (np.sqrt(square / (1 - 0.999**k)) + 1e-8)
        path.append(theta)
    return np.array(path)


def losses_of(experiment, theta):
    x, y = rows_of(experiment)
    return ((1.8 * np.sin(theta[..., :1] * x + theta[..., 1:]) - y) ** 2).mean(-1)


RUNS = {
    "default": {"learning_rate": 0.1},
    "slow": {"learning_rate": 0.02},
    "above many limits": {"learning_rate": 0.35},
    "far above": {"learning_rate": 3.0},
    "momentum": {"optimizer": "momentum", "learning_rate": 0.02},
    "momentum that swings": {"optimizer": "momentum", "learning_rate": 0.3, "momentum": 0.97},
    "nesterov": {"optimizer": "nesterov", "learning_rate": 0.02},
    "adam": {"optimizer": "adam", "learning_rate": 0.1},
    "other rows": {"data_seed": 3, "points": 25, "noise": 2.0},
}


@pytest.mark.parametrize("changes", RUNS.values(), ids=RUNS)
def test_a_start_that_has_arrived_stays_and_one_that_has_not_is_not_called_so(changes):
    """Gone on ten times, each is at the lowest point that the map names; of those under way more than a thousandth is left."""
    experiment = replace(TIDE, epochs=200, **changes)
    x, y = rows_of(experiment)
    ends = map_of(experiment)
    starts = np.array([ends.start(row, column) for row in range(SIDE) for column in range(SIDE)])
    path = by_hand(experiment, starts, LONGER * experiment.epochs)
    which = ends.which.ravel()
    assert set(which) <= {UNDER_WAY, *range(len(ends.valleys))}
    for number, valley in enumerate(ends.valleys):
        mine = which == number
        assert mine.any()
        places = valley.places.numpy()
        for place in places:
            assert np.linalg.norm(gradient(place, x, y)) < 1e-5
            assert np.linalg.eigvalsh(hessian(place, x, y))[0] > 0
            assert loss(place, x, y) == pytest.approx(valley.loss, rel=1e-6)
        assert valley.rmse == pytest.approx(valley.loss**0.5, rel=1e-9)
        away = np.abs(path[-1][mine][:, None] - places).max(-1).min(1)
        assert away.max() < (5e-2 if experiment.optimizer == "adam" else 1e-3)
    assert [one.loss for one in ends.valleys] == sorted(one.loss for one in ends.valleys)
    # by the quadratic at the lowest point that a longer run comes to, in the last twenty epochs
    late = path[experiment.epochs - 20 : experiment.epochs + 1]
    for k in np.flatnonzero(which == UNDER_WAY):
        final = path[-1][k]
        curves = hessian(final, x, y)
        if np.linalg.norm(gradient(final, x, y)) > 1e-6 or np.linalg.eigvalsh(curves)[0] < 1e-6:
            continue
        away = late[:, k] - final
        left = 0.5 * np.einsum("ei,ij,ej->e", away, curves, away).max()
        fall = losses_of(experiment, starts[k]) - loss(final, x, y)
        assert left > 0.5 * ARRIVED * fall or left < 1e-12


def test_with_single_rows_it_is_told_in_which_valley_a_run_is():
    """Each start sees the rows in the run's own order. Where it ends, the whole gradient leads down to that valley's lowest point."""
    experiment = replace(TIDE, epochs=20, batch_size=1, learning_rate=0.03, seed=5)
    ends = map_of(experiment)
    told = 0
    for row, column in [(1, 1), (3, 9), (8, 8), (12, 13), (9, 5), (14, 3)]:
        start = ends.start(row, column)
        recording = record(replace(experiment, start=start))
        which = ends.which[row, column]
        if which < 0:
            continue
        told += 1
        down = by_hand(replace(TIDE, learning_rate=0.02), recording.epoch_theta[-1:].numpy(), 3000)[-1, 0]
        assert np.abs(ends.valleys[which].places.numpy() - down).max(1).min() < 1e-3
    assert told >= 4


def test_it_is_the_same_coarse_and_fine_and_at_once():
    """Trained in slices, each part comes after the other; what is there meanwhile is of a start near by; the end is the same."""
    experiment = replace(TIDE, epochs=400, learning_rate=0.1)
    problem = build(experiment)
    shown = box_of(experiment, problem.start)
    whole = map_of(replace(experiment), side=60)
    parts = Starts(experiment, problem, shown, side=60)
    assert (parts.recording().which == NOT_YET).all()
    while parts.recording().share < 1 / 16:
        parts.advance(0.0)
    coarse = parts.recording()
    assert (coarse.which != NOT_YET).all()
    assert (coarse.which == np.kron(coarse.which[1::4, 1::4], np.ones((4, 4)))).all()
    parts.advance()
    assert (parts.recording().which == whole.which).all()
    assert parts.recording().share == 1


@pytest.mark.parametrize(
    ("dataset", "batch_size", "epochs"), [("tide", 0, 50), ("tide", 7, 8), ("dose", 0, 50)]
)
def test_it_is_the_same_by_one_thread_as_by_two(monkeypatch, dataset, batch_size, epochs):
    """To the last bit, lowest points and all: who works a part out changes none of its numbers."""
    experiment = replace(Experiment.default(dataset), batch_size=batch_size, epochs=epochs)
    two = map_of(experiment, side=32)
    monkeypatch.setattr("gd_core.starts.in_parts", lambda work, parts: [work(part) for part in parts])
    one = map_of(experiment, side=32)
    assert (one.which == two.which).all()
    assert len(one.valleys) == len(two.valleys)
    for mine, theirs in zip(one.valleys, two.valleys, strict=True):
        assert mine.places.equal(theirs.places)


def test_what_diverges_is_a_kind_of_its_own(monkeypatch):
    """Of a e^(bt) far above the limit: those whose loss NumPy sees pass a million times the first, and no others."""
    curved.know(monkeypatch)
    experiment = curved.growth(learning_rate=3e-5, epochs=60)
    problem = build(experiment)
    ends = map_of(experiment, shown=Window((5.0, 0.1), (10.0, 0.15)))
    x, y = (one.numpy()[:, 0] for one in (problem.dataset.x, problem.dataset.y))
    gone = []
    for row in range(SIDE):
        for column in range(SIDE):
            a, b = ends.start(row, column)
            losses = []
            for _ in range(experiment.epochs + 1):
                with np.errstate(all="ignore"):
                    off = a * np.exp(b * x) - y
                    losses.append(np.mean(off**2))
                    if not losses[-1] <= 1e6 * max(1, losses[0]):
                        break
                    slopes = 2 * np.mean(off * np.exp(b * x)), 2 * np.mean(off * a * x * np.exp(b * x))
                a, b = a - experiment.learning_rate * slopes[0], b - experiment.learning_rate * slopes[1]
            gone.append(not losses[-1] <= 1e6 * max(1, losses[0]))
    assert 0 < sum(gone) < len(gone)
    assert ((ends.which == DIVERGED).ravel() == gone).all()


def test_a_start_on_a_saddle_rests_there():
    """Its slope is 0 and one curvature below 0, by NumPy: no step leads away."""
    x, y = rows_of(TIDE)
    theta = np.array([14.26, 0.0])
    for _ in range(50):
        step = np.linalg.solve(hessian(theta, x, y), gradient(theta, x, y))
        theta = theta - step * min(1, 0.1 / np.abs(step).max())
    assert np.linalg.norm(gradient(theta, x, y)) < 1e-13
    assert np.linalg.eigvalsh(hessian(theta, x, y))[0] < -0.1
    half = (2.0, 1.0)
    centre = tuple(place + one / SIDE for place, one in zip(theta, half, strict=True))
    ends = map_of(replace(TIDE, epochs=1), shown=Window(centre, half))
    assert (ends.which == LEVEL_GROUND).sum() == 1
    assert ends.at(theta) == LEVEL_GROUND


@cache
def usual():
    return map_of(replace(TIDE, epochs=200))


def test_a_place_is_found_on_the_map():
    """Of each square its own middle; of a place outside None; and the deepest of a kind is of that kind."""
    ends = usual()
    for row, column in [(0, 0), (3, 7), (15, 15)]:
        assert ends.at(ends.start(row, column)) == ends.which[row, column]
    assert ends.start(0, 0) == pytest.approx((4 + 0.5, -3.2 + 0.2))
    assert ends.at((3.9, 0.0)) is None
    for kind in range(len(ends.valleys)):
        assert ends.which[ends.deepest(kind)] == kind
    assert ends.deepest(DIVERGED) is None


def test_many_places_at_once_have_the_slopes_and_curvatures_of_each():
    """By NumPy, and of rows that are a few of all."""
    problem, (x, y) = build(TIDE), rows_of(TIDE)
    theta = torch.tensor([[9.0, 0.3], [12.0, -2.0], [4.0, 1.0]], dtype=torch.float64)
    values, slopes = values_and_gradients(problem.objective.many, theta)
    matrices = hessians(problem.objective.many, theta)
    for k, place in enumerate(theta.numpy()):
        assert float(values[k]) == pytest.approx(loss(place, x, y), rel=1e-13)
        assert slopes[k].tolist() == pytest.approx(gradient(place, x, y).tolist(), rel=1e-12)
        assert matrices[k].numpy() == pytest.approx(hessian(place, x, y), rel=1e-11)


def test_where_there_is_no_such_map_a_sentence_says_why():
    """A bowl, a convex loss, a setting that it does not know, and a run that is too long."""

    def why(experiment):
        return why_no_starts(experiment, build(experiment).objective)

    assert why(Experiment.default()) == why(Experiment.default("pass-or-fail")) == ONE_VALLEY
    assert why(TIDE) is None
    assert why(replace(TIDE, tolerance=1e-6)) == "tolerance must be 0.0 for a map of starts. Got 1e-06."
    long = replace(TIDE, epochs=100_000)
    assert side_of(long) is None
    assert why(long) == "100,000 updates on 49 rows are too many for a map of starts. Take fewer epochs."
    assert side_of(replace(TIDE, epochs=200)) == 60
