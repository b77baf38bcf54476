"""From words and numbers to tensors."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of, forecast_of
from gd_core.verdict import of_steps

QUADRATIC = Experiment.default("noisy-quadratic")
PLANE = Experiment.default("two-features")


@pytest.mark.parametrize("experiment", [QUADRATIC, PLANE])
@given(raw=st.lists(st.floats(-100, 100), min_size=3, max_size=3))
def test_scaling_there_and_back(experiment, raw):
    """Raw coefficients, scaled, predict the same from scaled features, and come back unchanged."""
    problem = build(replace(experiment, points=20, scale_features=True))
    plain = build(replace(experiment, points=20))
    theta = torch.tensor(raw, dtype=torch.float64)
    scaled = problem.scaled(theta)
    torch.testing.assert_close(problem.raw(scaled), theta, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(
        problem.objective.predict(scaled), plain.objective.predict(theta), rtol=1e-9, atol=1e-8
    )


def test_many_are_scaled_as_one():
    """A whole path is taken to raw units at once, row by row."""
    problem = build(replace(QUADRATIC, scale_features=True))
    path = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(problem.raw(path), torch.stack([problem.raw(theta) for theta in path]))
    torch.testing.assert_close(problem.scaled(problem.raw(path)), path, rtol=1e-9, atol=1e-9)


def test_without_scaling_raw_is_what_is_trained():
    """The matrix is the identity then."""
    problem = build(PLANE)
    assert torch.equal(problem.raw(problem.start), problem.start)


@pytest.mark.parametrize("start", ["published", "random", (1.0, -2.0, 0.5)])
def test_a_start_is_the_same_curve_with_scaled_features(start):
    """The start is given in raw units, whatever coordinates are trained."""
    plain = build(replace(QUADRATIC, start=start, seed=3))
    scaled = build(replace(QUADRATIC, start=start, seed=3, scale_features=True))
    torch.testing.assert_close(scaled.raw(scaled.start), plain.start, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(scaled.start, plain.start)


def test_a_random_start_hangs_on_the_seed():
    """Standard normal, the same for the same seed."""
    one, same, other = (build(replace(QUADRATIC, start="random", seed=seed)).start for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_given_numbers_are_the_start():
    """In the order of the parameters."""
    assert build(replace(QUADRATIC, start=(1.0, 2.0, 3.0))).start.tolist() == [1, 2, 3]


def test_the_global_random_state_is_never_touched():
    """Data, starts, batches, runs, forecasts and verdicts draw from generators of their own."""
    before = torch.get_rng_state()
    for experiment in (
        replace(QUADRATIC, start="random", epochs=5),
        replace(PLANE, points=30, noise=1.0, batch_size=7, epochs=3),
        replace(Experiment.default("one-parameter", "adam"), epochs=5),
    ):
        problem = build(experiment)
        curvature = curvature_of(problem.objective)
        of_steps(record(experiment), experiment, forecast_of(experiment, problem, curvature))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_global_random_state_decides_nothing():
    """A run has the same numbers whatever was drawn before it."""
    experiment = replace(PLANE, points=30, noise=1.0, batch_size=7, epochs=3, start="random")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        one = record(experiment)
        torch.manual_seed(2)
        other = record(experiment)
    assert torch.equal(one.theta, other.theta)
