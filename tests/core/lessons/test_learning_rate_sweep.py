"""Many rates at once: their ends, and what they cost. Against single runs they are held in test_every_rule.py."""

import math
from dataclasses import replace
from itertools import islice

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import EXPERIMENTS
from schedulers import of_torch
from torch.utils._python_dispatch import TorchDispatchMode

from gd_core.lessons.learning_rate.sweep import paths, rates_between, sweep
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of


def test_a_sweep_has_both_kinds():
    """Below the limit, 0.404, a rate converges; far above it, it diverges."""
    experiment = EXPERIMENTS["scaled"]
    problem = build(experiment)
    rates = torch.tensor([0.1, 0.3, 0.6, 3.0], dtype=torch.float64)
    found = sweep(problem.objective, problem.start, experiment.phase, rates, 25)
    assert found.isinf().tolist() == [False, False, True, True]


@pytest.mark.parametrize("optimizer", ["gradient-descent", "momentum", "nesterov"])
def test_an_overflow_on_the_way_is_no_nan(optimizer):
    """5,000 epochs far above the limit, from a start with next to no error along the steepest direction, are just ∞."""
    experiment = replace(EXPERIMENTS["scaled"], optimizer=optimizer)
    problem = build(experiment)
    curvature = curvature_of(problem.objective)
    start = curvature.optimum + curvature.eigenvectors[:, 0]
    rates = torch.tensor([1e-3, 1.0, 1e3], dtype=torch.float64)
    found = sweep(problem.objective, start, experiment.phase, rates, 5000, curvature=curvature)
    assert not found.isnan().any()
    assert found.isinf().tolist() == [False, True, True]


RULES_OF_TORCH = {
    "gradient-descent": torch.optim.SGD,
    "momentum": lambda parameters, lr: torch.optim.SGD(parameters, lr=lr, momentum=0.9),
    "nesterov": lambda parameters, lr: torch.optim.SGD(parameters, lr=lr, momentum=0.9, nesterov=True),
    "adam": torch.optim.Adam,
    "adamw": lambda parameters, lr: torch.optim.AdamW(parameters, lr=lr, weight_decay=0.01),
}


def of_torchs_loop(problem, optimizer, rate, schedule, warmup, epochs):
    """The loss at the start and after each epoch with torch's optimizer and scheduler, ∞ from where it passes the bound. [E + 1]."""
    theta = problem.start.clone().requires_grad_()
    stepping = RULES_OF_TORCH[optimizer]([theta], lr=rate)
    scheduler, losses = of_torch(stepping, schedule, warmup, epochs), []
    for _ in range(epochs + 1):
        stepping.zero_grad()
        loss = problem.objective(theta)
        losses.append(loss.item())
        loss.backward()
        stepping.step()
        scheduler.step()
    worst = torch.tensor(losses, dtype=torch.float64).cummax(0).values
    gone = ~(worst <= 1e6 * max(1.0, losses[0]))
    return torch.where(gone, math.inf, torch.tensor(losses, dtype=torch.float64))


@pytest.mark.parametrize("optimizer", RULES_OF_TORCH)
@pytest.mark.parametrize(
    ("schedule", "warmup"),
    [
        ("constant", 4),
        ("step:3:0.4", 0),
        ("inverse-time:0.3", 2),
        ("exponential:0.8", 0),
        ("cosine:0:0.05", 0),
    ],
)
def test_every_rate_under_a_schedule_is_torchs_loop(optimizer, schedule, warmup):
    """Losses of each epoch at rates from far too small to lost on the way, some of which the schedule would bring back below the bound."""
    experiment = replace(
        EXPERIMENTS["scaled"], optimizer=optimizer, momentum=0.9, weight_decay=0.01, schedule=schedule, warmup=warmup, epochs=20
    )  # fmt: skip
    problem = build(experiment)
    rates = [0.01, 0.3, 0.5, 0.8, 3.0, 40.0, 1e3]
    expected = torch.stack(
        [of_torchs_loop(problem, optimizer, rate, schedule, warmup, 20) for rate in rates], 1
    )
    assert bool(expected[-1].isinf().any()) == (optimizer != "adam")
    near = 1e-12 * float(expected[0, 0])
    many = torch.tensor(rates, dtype=torch.float64)
    found = torch.stack([*islice(paths(problem.objective, problem.start, experiment.phase, many), 21)])
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=near)
    ended = sweep(problem.objective, problem.start, experiment.phase, many, 20)
    torch.testing.assert_close(ended, expected[-1], rtol=1e-6, atol=near)


def test_who_has_passed_the_bound_on_the_way_is_lost():
    """Ten epochs far above the limit, then rates next to 0: the loss falls below the bound again, but the run has ended before."""
    experiment = replace(EXPERIMENTS["scaled"], schedule="step:3:0.15", epochs=25)
    problem = build(experiment)
    rates = torch.tensor([20.0], dtype=torch.float64)
    run = record(replace(experiment, learning_rate=20.0))
    found = sweep(problem.objective, problem.start, experiment.phase, rates, 25)
    assert run.diverged_at is not None
    assert found.isinf().all()


def test_an_optimum_stays_where_it_is_at_every_rate():
    """Error exactly 0 and a factor that overflows: the loss is the floor."""
    experiment = Experiment.default("one-parameter")
    problem = build(experiment)
    curvature = curvature_of(problem.objective)
    rates = torch.tensor([0.01, 100.0], dtype=torch.float64)
    found = sweep(problem.objective, curvature.optimum, experiment.phase, rates, 10_000, curvature=curvature)
    assert found.tolist() == [curvature.floor_loss] * 2


@settings(deadline=None, max_examples=60)
@given(st.floats(1e-8, 1.0), st.floats(1e-3, 1e6), st.integers(2, 300))
def test_rates_lie_between_their_ends_and_hold_them(low, ratio, count):
    """Sorted, without repeats, both ends exact, whatever limit they are dense around."""
    high = low * (1 + ratio)
    rates = rates_between(low, high, count=count, around=low * (1 + ratio / 2))
    assert float(rates[0]) == low
    assert float(rates[-1]) == high
    assert (rates.diff() > 0).all()


class Work(TorchDispatchMode):
    """Counts what torch does: operations, and numbers that they write."""

    operations = numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.operations += 1
        self.numbers += result.numel() if isinstance(result, torch.Tensor) else 0
        return result


def test_two_hundred_rates_cost_less_than_one_run():
    """200 rates and 1,000 epochs of gradient descent: a tenth of a single run, in torch's operations and in the numbers that they write."""
    experiment = replace(EXPERIMENTS["scaled"], learning_rate=0.1, epochs=1000, engine="loop")
    problem = build(experiment)
    curvature = curvature_of(problem.objective)
    rates = rates_between(1e-4, 1.0, count=200)
    with Work() as swept:
        sweep(problem.objective, problem.start, experiment.phase, rates, 1000, curvature=curvature)
    with Work() as run:
        record(experiment)
    assert run.operations > 1000
    assert swept.operations < run.operations / 10
    assert 600 <= swept.numbers < run.numbers / 10  # an error along each of three eigenvectors, for each rate
