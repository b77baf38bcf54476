"""Many rates at once, held against one run after another."""

import math
import time
from dataclasses import replace
from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gd_core.catalog import OPTIMIZER_INFO
from gd_core.experiment import Experiment
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.sweep import paths, rates_between, sweep
from gd_core.theory import curvature

EPOCHS = 25
PROBLEMS = {
    "quadratic": Experiment.default("noisy-quadratic"),
    "scaled": replace(Experiment.default("noisy-quadratic"), scale_features=True),
    "plane": replace(Experiment.default("two-features"), points=50),
    "parabola": Experiment.default("one-parameter"),
}
every_problem = pytest.mark.parametrize("experiment", PROBLEMS.values(), ids=PROBLEMS)
every_rule = pytest.mark.parametrize("optimizer", list(OPTIMIZER_INFO))


def of_single_run(experiment, rate):
    """The losses of the textbook loop, ∞ from the epoch on at which it ended."""
    run = record(replace(experiment, learning_rate=rate))
    return [*run.loss.tolist(), *[math.inf] * (EPOCHS + 1 - len(run.loss))]


@every_problem
@every_rule
def test_every_rate_ends_where_its_own_run_ends(experiment, optimizer):
    """Loss after 25 epochs, at rates from far too small to diverging, for each rule; ∞ where the run diverged."""
    experiment = replace(
        experiment, optimizer=optimizer, epochs=EPOCHS, **OPTIMIZER_INFO[optimizer].hyperparameters
    )
    problem = build(experiment)
    unit = (
        1 / curvature(problem.objective).largest
        if optimizer in ("gradient-descent", "momentum", "nesterov")
        else 1.0
    )
    rates = torch.tensor([0.01, 0.3, 1.1, 1.9, 6.0, 1e3, 5e4], dtype=torch.float64) * unit
    single = torch.tensor([of_single_run(experiment, rate) for rate in rates.tolist()], dtype=torch.float64)
    small = 1e-12 * float(problem.objective(problem.start))  # what rounding leaves
    found = sweep(problem.objective, problem.start, experiment.phase, rates, EPOCHS)
    torch.testing.assert_close(found, single[:, -1], rtol=1e-6, atol=small)
    whole = torch.stack(
        [*islice(paths(problem.objective, problem.start, experiment.phase, rates), EPOCHS + 1)]
    )
    torch.testing.assert_close(whole, single.T, rtol=1e-6, atol=small)


def test_a_sweep_has_both_kinds():
    """The rates above hold some that converge and some that diverge, or the test would show little."""
    experiment = replace(PROBLEMS["scaled"], epochs=EPOCHS)
    problem = build(experiment)
    rates = torch.tensor([0.1, 0.3, 0.6, 3.0], dtype=torch.float64)
    found = sweep(problem.objective, problem.start, experiment.phase, rates, EPOCHS)
    assert found.isinf().tolist() == [False, False, True, True]


@every_rule
def test_no_epoch_is_the_start(optimizer):
    """After 0 epochs every rate stands at the start."""
    experiment = Experiment.default("one-parameter", optimizer)
    problem = build(experiment)
    rates = torch.tensor([1e-3, 5.0], dtype=torch.float64)
    found = sweep(problem.objective, problem.start, experiment.phase, rates, 0)
    assert found.tolist() == [float(problem.objective(problem.start))] * 2


@pytest.mark.parametrize("optimizer", ["gradient-descent", "momentum", "nesterov"])
def test_an_overflow_on_the_way_is_no_nan(optimizer):
    """5,000 epochs far above the limit, from a start with next to no error along the steepest direction, are just ∞."""
    experiment = replace(PROBLEMS["scaled"], optimizer=optimizer)
    problem = build(experiment)
    curve = curvature(problem.objective)
    start = curve.optimum + curve.eigenvectors[:, 0]
    rates = torch.tensor([1e-3, 1.0, 1e3], dtype=torch.float64)
    found = sweep(problem.objective, start, experiment.phase, rates, 5000, curve=curve)
    assert not found.isnan().any()
    assert found.isinf().tolist() == [False, True, True]


def test_an_optimum_stays_where_it_is_at_every_rate():
    """Error exactly 0 and a factor that overflows: the loss is the floor."""
    experiment = Experiment.default("one-parameter")
    problem = build(experiment)
    curve = curvature(problem.objective)
    rates = torch.tensor([0.01, 100.0], dtype=torch.float64)
    found = sweep(problem.objective, curve.optimum, experiment.phase, rates, 10_000, curve=curve)
    assert found.tolist() == [curve.floor_loss] * 2


@settings(deadline=None, max_examples=60)
@given(st.floats(1e-8, 1.0), st.floats(1e-3, 1e6), st.integers(2, 300))
def test_rates_lie_between_their_ends_and_hold_them(low, ratio, count):
    """Sorted, without repeats, both ends exact, whatever limit they are dense around."""
    high = low * (1 + ratio)
    rates = rates_between(low, high, count=count, around=low * (1 + ratio / 2))
    assert float(rates[0]) == low
    assert float(rates[-1]) == high
    assert (rates.diff() > 0).all()


def test_two_hundred_rates_cost_less_than_ten_runs():
    """200 rates and 1,000 epochs of gradient descent, measured against single runs in the same process."""
    experiment = replace(PROBLEMS["scaled"], learning_rate=0.1, epochs=1000)
    problem = build(experiment)
    curve = curvature(problem.objective)
    rates = rates_between(1e-4, 1.0, count=200)

    def seconds(work):
        begin = time.process_time()
        work()
        return time.process_time() - begin

    def all_rates():
        sweep(problem.objective, problem.start, experiment.phase, rates, 1000, curve=curve)

    all_rates()
    assert min(seconds(all_rates) for _ in range(3)) < 10 * min(
        seconds(lambda: record(experiment)) for _ in range(2)
    )
