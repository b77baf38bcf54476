"""In which valley a run ends. Oracle: NumPy, with the wave's slopes by hand, and closed forms of random matrices."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gd_core.lessons import hills
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment

WAVE = replace(Experiment.default("tide"), start=(9.0, 0.0))
PROBLEM = build(WAVE)
T, Y = PROBLEM.dataset.x.numpy()[:, 0], PROBLEM.dataset.y.numpy()[:, 0]


def slopes(theta):
    """∇ of the mean of (1.8 sin(ωt + φ) − y)², by hand. [K, 2] → [K, 2]."""
    phase = theta[:, :1] * T + theta[:, 1:]
    pull = 2 * (1.8 * np.sin(phase) - Y) * 1.8 * np.cos(phase)
    return np.stack([(pull * T).mean(1), pull.mean(1)], 1)


def rmse(theta):
    return np.sqrt(((1.8 * np.sin(theta[:, :1] * T + theta[:, 1:]) - Y) ** 2).mean(1))


def flowed(theta):
    """Where the gradient's flow leads: very many, very small steps."""
    for _ in range(3000):
        theta = theta - 0.02 * slopes(theta)
    return theta


def found(**changes):
    run = replace(WAVE, **changes)
    problem = build(run)
    return hills.found(run, problem, record(run))


def test_small_steps_downhill_follow_the_flow():
    """From places all over the map both come to the same valley, but for places on a ridge, of which there are few."""
    random = np.random.default_rng(3)
    places = random.uniform((4.0, -3.2), (20.0, 3.2), (60, 2))
    theirs = flowed(places)
    ours = hills.downhill(PROBLEM.objective, torch.from_numpy(places), 0.03, 1e-6).numpy()
    assert np.linalg.norm(slopes(ours), axis=1).max() <= 1e-6
    assert (np.abs(ours - theirs).max(1) < 1e-3).mean() >= 0.97


@pytest.mark.parametrize(
    ("changes", "ending"),
    [
        ({}, "higher"),
        ({"start": (11.0, 0.0)}, "lowest"),
        ({"start": (16.0, 0.0), "epochs": 30}, "higher"),
        ({"start": (12.0, -2.0), "optimizer": "momentum"}, "higher"),
        ({"batch_size": 1, "learning_rate": 0.05, "epochs": 30}, "lowest"),
    ],
)
def test_a_run_is_in_the_valley_to_which_its_end_flows(changes, ending):
    """The RMSE at the bottom is NumPy's from the run's last point, whether it has come to rest or not."""
    run, one = replace(WAVE, **changes), found(**changes)
    bottom = rmse(flowed(record(run).epoch_theta[-1:].numpy()))[0]
    assert one.ending == ending
    assert one.valley == pytest.approx(bottom, rel=1e-6)
    assert (bottom < 0.2) == (ending == "lowest")


def test_the_way_between_is_higher_than_both_ends():
    """The highest of the errors on the straight line, by NumPy."""
    one, end = found(), record(WAVE).epoch_theta[-1].numpy()
    line = end + np.linspace(0, 1, 1001)[:, None] * (one.here.best.theta.numpy() - end)
    assert one.between == pytest.approx(rmse(line).max(), rel=1e-3)
    assert one.between > one.here.rmse > one.here.best.rmse


def test_on_a_top_a_run_stays_and_a_hair_beside_it_does_not():
    """Where NumPy's slope is 0 to rounding, no number of epochs moves it; a billionth beside it, it leaves."""
    top = np.array([[11.92022269178752, -2.33292591204991]])
    assert np.linalg.norm(slopes(top)) < 1e-12
    omega, phi = map(float, top[0])
    assert found(start=(omega, phi)).ending == "saddle"
    assert found(start=(omega + 1e-9, phi)).ending == "lowest"


def test_steps_from_valley_to_valley_end_in_none():
    """Single rows at a large rate: from the last epochs NumPy flows to different valleys."""
    changes = {"batch_size": 1, "learning_rate": 0.5, "epochs": 40}
    last = record(replace(WAVE, **changes)).epoch_theta[-10:].numpy()
    assert np.ptp(rmse(flowed(last))) > 0.01
    assert found(**changes).ending == "none"


def test_another_loss_is_refused():
    """Of a bowl nothing is known of other valleys."""
    bowl = Experiment.default("two-features")
    with pytest.raises(ValueError, match=r"dataset must be one with several valleys\. Got two-features\."):
        hills.found(bowl, build(bowl), record(replace(bowl, epochs=2)))


def test_a_network_has_a_saddle_at_0():
    """Of v tanh(wx + b) only ∂²L/∂v∂w = −2 mean(xy) and ∂²L/∂v∂b = −2 mean(y) are not 0 there: each unit has ± their length, and 0."""
    zero = replace(Experiment.default("dose"), start=(0.0,) * 6)
    problem = build(zero)
    x, y = problem.dataset.x.numpy()[:, 0], problem.dataset.y.numpy().ravel()
    length = 2 * np.hypot((x * y).mean(), y.mean())
    slope, curvatures = hills.at_its_start(problem)
    assert slope == 0
    assert curvatures == pytest.approx([-length, -length, 0, 0, length, length], abs=1e-12)


@pytest.mark.parametrize(
    ("dimensions", "probability"),
    [(1, 1 / 2), (2, (2 - math.sqrt(2)) / 4), (3, (math.pi - 2 * math.sqrt(2)) / (4 * math.pi))],
)
def test_so_many_random_curvatures_are_all_positive(dimensions, probability):
    """The closed forms, within four deviations of a count of 10,000."""
    deviation = math.sqrt(probability * (1 - probability) / 10_000)
    assert abs(hills.all_upwards(dimensions) - probability) < 4 * deviation
    assert hills.all_upwards(10) == 0
