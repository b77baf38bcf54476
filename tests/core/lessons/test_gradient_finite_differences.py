"""The finite difference: exact where arithmetic is exact, and the two ways in which its step size can be wrong."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gd_core.lessons.gradient.finite_differences import (
    DIFFERENCES,
    EPSILON,
    along_each,
    central,
    forward,
    said,
    sweep,
    tried,
)
from gd_core.objective import value_and_gradient
from gd_core.problem import build
from gd_core.settings.experiment import Experiment, defaults
from gd_core.theory import curvature_of


def problem_of(dataset="two-features", **changes):
    return build(Experiment(**(defaults(dataset, "gradient-descent") | changes)))


PROBLEMS = {
    "plane": problem_of(points=20, noise=3.0, start=(2.0, 1.0, 0.0)),
    "curve": problem_of("noisy-quadratic"),
    "point": problem_of("one-parameter"),
}
everywhere = pytest.mark.parametrize("name", PROBLEMS)


def exact_loss(problem, theta):
    """The loss in fractions, without any rounding."""
    features = [[Fraction(v) for v in row] for row in problem.linear.features.tolist()]
    target = [Fraction(v) for v in problem.objective.target.tolist()]
    errors = [
        sum(t * f for t, f in zip(theta, row, strict=True)) - y
        for row, y in zip(features, target, strict=True)
    ]
    return sum(e * e for e in errors) / len(errors)


def exact_difference(problem, theta, parameter, step, kind):
    """The finite difference as it would be with unlimited digits."""
    h = Fraction(step)
    ahead, behind = [list(map(Fraction, theta.tolist())) for _ in range(2)]
    ahead[parameter] += h
    if kind == "forward":
        return (exact_loss(problem, ahead) - exact_loss(problem, behind)) / h
    behind[parameter] -= h
    return (exact_loss(problem, ahead) - exact_loss(problem, behind)) / (2 * h)


def exact_slope(problem, theta, parameter):
    """2 mean((ŷ − y) φ) in fractions."""
    features = [[Fraction(v) for v in row] for row in problem.linear.features.tolist()]
    target = [Fraction(v) for v in problem.objective.target.tolist()]
    point = list(map(Fraction, theta.tolist()))
    parts = [
        2 * (sum(t * f for t, f in zip(point, row, strict=True)) - y) * row[parameter]
        for row, y in zip(features, target, strict=True)
    ]
    return sum(parts) / len(parts)


def bend_of(problem, parameter):
    return float(curvature_of(problem.objective).hessian[parameter, parameter])


@everywhere
def test_autograd_is_the_exact_slope(name):
    """What all differences are compared with is right to rounding, by fractions."""
    problem = PROBLEMS[name]
    _, gradient = value_and_gradient(problem.objective, problem.start)
    for j in range(len(problem.start)):
        assert float(gradient[j]) == pytest.approx(float(exact_slope(problem, problem.start, j)), rel=1e-12)


@everywhere
@pytest.mark.parametrize("kind", DIFFERENCES)
@pytest.mark.parametrize("step", [1.0, 0.25, 2.0**-10])
def test_a_coarse_difference_is_that_of_fractions(name, kind, step):
    """With steps so large that rounding does not matter, each is the textbook's quotient."""
    problem = PROBLEMS[name]
    for j in range(len(problem.start)):
        ours = DIFFERENCES[kind](problem.objective, problem.start, j, step)
        theirs = float(exact_difference(problem, problem.start, j, step, kind))
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)


@everywhere
@settings(max_examples=30, deadline=None)
@given(power=st.floats(-3, 0), data=st.data())
def test_forward_is_off_by_the_bend_and_central_by_nothing(name, power, data):
    """On a parabola the chord to θ + h is too steep by exactly ½ h L″, and the chord across θ is not: in fractions."""
    problem = PROBLEMS[name]
    j = data.draw(st.integers(0, len(problem.start) - 1))
    step = 10.0**power
    slope = exact_slope(problem, problem.start, j)
    assert exact_difference(problem, problem.start, j, step, "central") == slope
    off = exact_difference(problem, problem.start, j, step, "forward") - slope
    assert float(off) == pytest.approx(0.5 * step * bend_of(problem, j), rel=1e-9)


@everywhere
def test_the_forward_difference_has_a_v(name):
    """Over h, it is at its best near √(rounding/bend), and at least a thousand times worse at 1 and at 1e-15."""
    problem = PROBLEMS[name]
    swept = sweep(problem.objective, problem.start, 0)
    off = swept.off["forward"]
    assert swept.steps[0] == pytest.approx(1e-16)
    assert swept.steps[-1] == 1
    best = float(swept.steps[int(off.argmin())])
    named = tried(problem.objective, problem.start, 0, 1e-5, "forward", bend_of(problem, 0)).best_step
    assert named / 1000 < best < named * 1000
    assert off[-1] > 1000 * off.min()
    assert off[8] > 1000 * off.min()


@everywhere
def test_the_central_difference_has_none(name):
    """Without a bend there is only rounding: at h = 1 it is better than a forward difference ever is."""
    problem = PROBLEMS[name]
    off = sweep(problem.objective, problem.start, 0).off
    assert float(off["central"][-1]) < float(off["forward"][off["forward"] > 0].min())


@everywhere
@pytest.mark.parametrize("kind", DIFFERENCES)
def test_bend_and_rounding_explain_the_error(name, kind):
    """From 1e-13 to 1 a difference is off by at most eight times what the two reasons say together."""
    problem = PROBLEMS[name]
    for j in range(len(problem.start)):
        for power in np.arange(-13, 0.1, 0.5):
            trial = tried(problem.objective, problem.start, j, 10.0**power, kind, bend_of(problem, j))
            assert trial.off <= 8 * (trial.bend + trial.rounding)


@everywhere
def test_the_bend_is_the_whole_error_of_a_large_step(name):
    """With h between 1e-2 and 1 the forward difference is off by what is named as bend; the central has none."""
    problem = PROBLEMS[name]
    for j in range(len(problem.start)):
        for step in (0.01, 0.3, 1.0):
            trial = tried(problem.objective, problem.start, j, step, "forward", bend_of(problem, j))
            assert trial.off == pytest.approx(trial.bend, rel=1e-6)
        assert tried(problem.objective, problem.start, j, 1.0, "central", bend_of(problem, j)).bend == 0


def test_too_small_a_step_loses_all_digits():
    """At A = 2, h = 1e-16 and 1e-300 leave A + h = A, so the quotient is 0 although the slope is 54."""
    problem = PROBLEMS["point"]
    for step in (1e-16, 1e-300):
        for difference in (forward, central):
            assert difference(problem.objective, problem.start, 0, step) == 0
        trial = tried(problem.objective, problem.start, 0, step, "forward", 18.0)
        assert not trial.moved
        assert trial.digits == 0
        assert "A + h is A again" in said(trial, "A")


def test_at_zero_the_step_survives_and_the_loss_does_not():
    """0 + 1e-300 is not 0, but both losses are the same: another sentence."""
    problem = problem_of("one-parameter", start=(0.0,))
    trial = tried(problem.objective, problem.start, 0, 1e-300, "forward", 18.0)
    assert trial.moved
    assert trial.value == 0
    assert said(trial, "A") == (
        "h = 1e−300 is too small: both losses agree in all 16 digits. The difference is 0, whatever the slope."
    )


@pytest.mark.parametrize(
    ("kind", "step", "part"),
    [
        ("forward", 1.0, "h = 1 is off by 9: 0 digits"),
        ("forward", 1e-5, "h = 1e−5 is off by 9e−5: 5 digits are right. Too big"),
        ("forward", 1e-12, "Too small: two nearly equal losses are subtracted"),
        ("forward", 3e-8, "About the best for a forward difference"),
        ("central", 1.0, "h = 1 is exactly right here. On a parabola the central difference has no bend error."),
        ("central", 1e-12, "Only rounding is left, so a larger h is better."),
    ],
)  # fmt: skip
def test_the_reason_is_named(kind, step, part):
    """Each step size gets the sentence about its own error, with the error of (3 + 3A)² at A = 2, which is 9h."""
    problem = PROBLEMS["point"]
    trial = tried(problem.objective, problem.start, 0, step, kind, 18.0)
    assert part.replace("0 digits", "no digit is right") in said(trial, "A")


def test_digits_are_counted():
    """Off by 9 in 54 is none; off by 9e-5 is five; no difference is sixteen."""
    problem = PROBLEMS["point"]
    digits = [
        tried(problem.objective, problem.start, 0, h, kind, 18.0).digits
        for kind, h in (("forward", 1.0), ("forward", 1e-5), ("central", 1.0))
    ]
    assert digits == [0, 5, 16]
    assert math.floor(-math.log10(9e-5 / 54)) == 5


def test_every_parameter_at_every_point():
    """A table [K, P] holds the single differences."""
    problem = PROBLEMS["plane"]
    points = torch.stack([problem.start, problem.start + 1])
    table = along_each(problem.objective, points, 1e-4, "forward")
    assert table.shape == (2, 3)
    assert table.dtype == torch.float64
    assert float(table[1, 2]) == forward(problem.objective, points[1], 2, 1e-4)


def test_epsilon_is_the_machine_s():
    """1 + ε is the next number after 1."""
    assert np.nextafter(1.0, 2.0) - 1.0 == EPSILON
