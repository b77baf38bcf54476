"""The best rate for so many epochs, held against plain simulation at very many rates, in NumPy."""

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from schedulers import of_torch

from gd_core import theory
from gd_core.rate_search import multiples, multiples_under
from gd_core.settings.experiment_fields import Phase
from gd_core.settings.rules import linear_step

RULES = ("gradient-descent", "momentum", "nesterov")


def parabola(eigenvalues, errors):
    """A loss with these curvatures along its axes, and a start so far from its optimum at 0."""
    values = torch.tensor(eigenvalues, dtype=torch.float64)
    curvature = theory.Curvature(
        hessian=torch.diag(values),
        eigenvalues=values,
        eigenvectors=torch.eye(len(eigenvalues), dtype=torch.float64),
        optimum=torch.zeros(len(eigenvalues), dtype=torch.float64),
        floor_loss=0.0,
        floor_rmse=0.0,
        unsure=torch.zeros(len(eigenvalues), dtype=torch.float64),
        floor_is_zero=True,
        blur=0.0,
    )
    return curvature, torch.tensor(errors, dtype=torch.float64)


def simulated(optimizer, beta, rates, eigenvalues, errors, epochs, schedule="constant", warmup=0):
    """The loss after so many epochs at each rate: one update after another, as the textbook has them, at torch's shares of the rate."""
    found, shares = [], shares_of_torch(schedule, warmup, epochs)
    for some in np.array_split(rates, math.ceil(len(rates) / 4096)):
        theta = np.tile(np.array(errors)[:, None], (1, len(some)))
        velocity = np.zeros_like(theta)
        curvatures = np.array(eigenvalues)[:, None]
        for share in shares:
            gradient = curvatures * theta
            if optimizer == "gradient-descent":
                theta = theta - share * some * gradient
            else:
                velocity = beta * velocity + gradient
                step = velocity if optimizer == "momentum" else gradient + beta * velocity
                theta = theta - share * some * step
        found.append((curvatures * theta**2).sum(0) / 2)
    return np.concatenate(found)


def shares_of_torch(schedule, warmup, epochs):
    """The rate of each epoch by torch's scheduler, the first being 1."""
    if (schedule, warmup) == ("constant", 0):
        return [1.0] * epochs
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, found = of_torch(optimizer, schedule, warmup, epochs), []
    for _ in range(epochs):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def many_rates(limit, epochs, seed):
    """Equal steps in η, in √η (in which swings are equally wide), in log η, and towards the limit; none of ours."""
    count = 400 + 20 * epochs
    shares = [
        np.linspace(0, 1, count + 2)[1:-1],
        np.linspace(0, 1, count + 2)[1:-1] ** 2,
        np.geomspace(1e-12, 0.5, 2000),
        1 - np.geomspace(1e-8, 0.5, 1000),
    ]
    shaken = np.concatenate(shares) * (
        1 + 1e-9 * np.random.default_rng(seed).uniform(-1, 0, sum(map(len, shares)))
    )
    return limit * shaken


def missed(optimizer, beta, eigenvalues, errors, epochs, schedule="constant", warmup=0, seed=0):
    """By how many times the best of very many simulated rates ends lower than ours; at most 1 if ours is right."""
    curvature, start = parabola(eigenvalues, errors)
    phase = Phase(epochs, optimizer, 1.0, momentum=beta, schedule=schedule, warmup=warmup)
    largest = max(eigenvalues)
    limit = {
        "gradient-descent": 2 / largest,
        "momentum": 2 * (1 + beta) / largest,
        "nesterov": 2 * (1 + beta) / (1 + 2 * beta) / largest,
    }[optimizer]
    best = theory.best_for(curvature, phase, start, epochs)
    assert 0 < best < limit

    def left(rates):
        return simulated(optimizer, beta, rates, eigenvalues, errors, epochs, schedule, warmup)

    rates = np.sort(many_rates(limit, epochs, seed))
    others = left(rates)
    lowest = others.min()
    for _ in range(3):  # closer around the lowest of them
        at = np.argsort(others)[:40]
        below, above = rates[(at - 1).clip(0)], rates[(at + 1).clip(max=len(rates) - 1)]
        rates = np.sort((below + (above - below) * np.linspace(0, 1, 33)[:, None]).ravel())
        others = left(rates)
        lowest = min(lowest, others.min())
    rounding = 1e-24 * float((np.array(eigenvalues) * np.array(errors) ** 2).sum())
    return left(np.array([best]))[0] / (lowest * (1 + 1e-6) + rounding)


@st.composite
def problems(draw, longest):
    """A rule, β, one to four curvatures up to 10⁸ apart, a start, and so many epochs."""
    count = draw(st.integers(1, 4))
    exponents = draw(
        st.lists(st.floats(0, draw(st.sampled_from([0.5, 2, 8]))), min_size=count, max_size=count)
    )
    errors = draw(st.lists(st.floats(-2, 2), min_size=count, max_size=count))
    eigenvalues = sorted(10.0**-exponent for exponent in exponents)
    return (
        draw(st.sampled_from(RULES)),
        draw(st.sampled_from([0.0, 0.3, 0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999])),
        eigenvalues,
        [10.0**error for error in errors],
        round(10 ** draw(st.floats(0, math.log10(longest)))),
    )


@settings(deadline=None, max_examples=60)
@example(("momentum", 0.999, [0.18, 1.82], [0.5, 0.4], 231))
@example(("nesterov", 0.9, [2.0, 2.0], [1.0, 1.0], 7))
@given(problems(longest=200))
def test_no_simulated_rate_below_the_limit_ends_lower(problem):
    """Whatever the rule, β, curvatures, start and epochs: none of some thousands of rates leaves a smaller loss."""
    assert missed(*problem) <= 1


@settings(deadline=None, max_examples=40)
@example(("gradient-descent", 0.0, [0.05, 1.0], [1.0, 1.0], 30), "step:10:0.5", 0)
@example(("momentum", 0.99, [0.05, 1.0], [1.0, 1.0], 60), "cosine:0:0.0", 5)
@given(
    problems(longest=100),
    st.sampled_from(
        ["constant", "step:3:0.4", "step:40:0.1", "inverse-time:0.01", "inverse-time:0.3", "exponential:0.95", "exponential:0.5",
         "cosine:0:0.05", "cosine:0:0.0"]
    ),
    st.sampled_from([0, 1, 5, 40]),
)  # fmt: skip
def test_no_simulated_rate_up_to_the_limit_ends_lower_under_a_schedule(problem, schedule, warmup):
    """Nor of the η of which the epochs have torch's shares."""
    assume(not warmup or warmup < problem[-1])  # whose scheduler torch would not begin
    assert missed(*problem, schedule=schedule, warmup=warmup) <= 1


@pytest.mark.parametrize(
    ("optimizer", "beta", "eigenvalues", "epochs"),
    [
        ("momentum", 0.9999, [1e-6, 0.3, 1.0], 1500),
        ("momentum", 0.999, [1e-2, 1.0], 1500),
        ("nesterov", 0.9999, [1e-4, 1.0], 1500),
        ("gradient-descent", 0.0, [1e-8, 0.5, 1.0], 1500),
    ],
)
def test_thousands_of_swings_hide_no_better_rate(optimizer, beta, eigenvalues, epochs):
    """One valley for every half swing, and the lowest is found, with as many swings as there are epochs."""
    assert missed(optimizer, beta, eigenvalues, [1.0] * len(eigenvalues), epochs) <= 1


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(["momentum", "nesterov"]),
    st.floats(0.01, 0.9999),
    st.floats(1e-8, 0.999),
    st.integers(1, 3000),
)
def test_what_epochs_multiply_an_error_by(optimizer, beta, share, epochs):
    """By the two eigenvalues of an epoch it is what one epoch after another makes of an error of 1."""
    phase = Phase(1, optimizer, 1.0, momentum=beta)
    step = linear_step(phase)
    limit = theory.limit_along(1.0, phase)
    ours = float(multiples(step, np.array([share * limit]), epochs)[0])
    loss = float(simulated(optimizer, beta, np.array([share * limit]), [1.0], [1.0], epochs)[0])
    assert ours**2 / 2 == pytest.approx(loss, rel=1e-5, abs=1e-9)


@settings(deadline=None, max_examples=60)
@example("momentum", 0.9, 0.7, 1, 1, "constant")
@example("nesterov", 0.99, 0.9, 300, 20_000, "cosine:0:0.0")
@given(
    st.sampled_from(RULES),
    st.floats(0.01, 0.9999),
    st.floats(1e-6, 1.0),
    st.integers(1, 300),
    st.sampled_from([1, 2, 7, 900]),
    st.sampled_from(["constant", "step:7:0.4", "inverse-time:0.1", "exponential:0.95", "cosine:0:0.05"]),
)
def test_what_epochs_under_a_schedule_multiply_an_error_by(optimizer, beta, share, epochs, many, schedule):
    """Of one curvature or of many together it is what one epoch after another makes of an error of 1, at torch's rates."""
    phase = Phase(1, optimizer, 1.0, momentum=beta)
    sizes = share * theory.limit_along(1.0, phase) * np.linspace(1, 0.1, many)
    ours = multiples_under(linear_step(phase), sizes, np.array(shares_of_torch(schedule, 0, epochs)))
    losses = simulated(optimizer, beta, sizes, [1.0], [1.0], epochs, schedule)
    assert ours**2 / 2 == pytest.approx(losses, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("apart", [0.0, 1e-16, 1e-12, 1e-6])
def test_nesterov_is_fastest_at_one_over_the_curvature_that_all_have(beta, apart):
    """Where all curvatures are one, or next to it, η = 1/λ leaves nothing of the error after two epochs."""
    curvature, _ = parabola([2.0 * (1 - apart), 2.0], [1.0, 1.0])
    best = theory.best_in_the_long_run(curvature, Phase(1, "nesterov", 1.0, momentum=beta))
    assert best == pytest.approx(0.5, rel=2 * apart + 1e-15)


def test_at_the_optimum_every_rate_is_as_good():
    """A start without any error has no best rate; it gets that of the long run."""
    curvature, start = parabola([1.0, 2.0], [0.0, 0.0])
    phase = Phase(1, "momentum", 1.0)
    assert theory.best_for(curvature, phase, start, 10) == theory.best_in_the_long_run(curvature, phase)


@settings(deadline=None, max_examples=100)
@given(problems(longest=100))
def test_patience_stays_ahead_from_the_epoch_that_is_named(problem):
    """Not before it, and at every later epoch that is looked at, up to a thousand times as many."""
    _, _, eigenvalues, errors, epochs = problem
    curvature, start = parabola(eigenvalues, errors)
    phase = Phase(1, "gradient-descent", 1.0)
    pays = theory.pays_after(curvature, phase, start, epochs)
    if pays is None:
        return
    rates = [
        theory.best_in_the_long_run(curvature, phase),
        theory.best_for(curvature, phase, start, epochs),
    ]

    def leads(epoch):
        with np.errstate(divide="ignore"):
            logs = [
                np.logaddexp.reduce(
                    np.log(np.array(eigenvalues) * np.array(errors) ** 2)
                    + 2 * epoch * np.log(np.abs(1 - rate * np.array(eigenvalues)))
                )
                for rate in rates
            ]
        return logs[0] - logs[1]

    assert pays > epochs
    rounding = 1e-12 * pays
    assert leads(pays - 1) >= -rounding
    assert max(leads(pays * factor) for factor in np.geomspace(1, 1000, 500)) <= 1000 * rounding
