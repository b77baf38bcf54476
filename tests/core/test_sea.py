"""The wave whose height is found too, on measured numbers. Oracle: NumPy, by hand; the sums are those of statsmodels' table."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gd_core.here import best_of
from gd_core.objective import value_and_gradient
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment, ParameterError
from gd_core.theory import hessian

SEA = Experiment.default("sea")
PROBLEM = build(SEA)
T, Y = PROBLEM.dataset.x.numpy()[:, 0], PROBLEM.dataset.y.numpy()[:, 0]


def off(theta):
    return theta[0] * np.sin(theta[1] * T + theta[2]) - Y


def jacobian(theta):
    angle = theta[1] * T + theta[2]
    return np.stack([np.sin(angle), theta[0] * np.cos(angle) * T, theta[0] * np.cos(angle)], 1)


def gradient(theta):
    return 2 * jacobian(theta).T @ off(theta) / len(T)


def hessian_by_hand(theta):
    """(2/N) (JᵀJ + Σ rᵢ ∂²ŷᵢ)."""
    angle, a = theta[1] * T + theta[2], theta[0]
    r, sine, cosine, zero = off(theta), np.sin(angle), np.cos(angle), 0 * T
    second = np.array(
        [
            [zero, cosine * T, cosine],
            [cosine * T, -a * sine * T * T, -a * sine * T],
            [cosine, -a * sine * T, -a * sine],
        ]
    )
    return 2 * (jacobian(theta).T @ jacobian(theta) + second @ r) / len(T)


def test_the_numbers_are_those_that_were_measured():
    """Month by month, above their mean: sums of each year, the warmest and the coldest as statsmodels has them."""
    celsius = Y + 566.98 / 24
    assert celsius[:12].sum() == pytest.approx(283.26, abs=1e-9)
    assert celsius[12:].sum() == pytest.approx(283.72, abs=1e-9)
    assert (celsius.argmax(), celsius.max()) == (2, pytest.approx(26.91))
    assert (celsius.argmin(), celsius.min()) == (9, pytest.approx(21.39))
    assert np.diff(T).tolist() == pytest.approx([1 / 12] * 23)
    with pytest.raises(ParameterError, match="points"):
        replace(SEA, points=12)


@given(st.floats(-4, 4), st.floats(1, 15), st.floats(-4, 4))
def test_gradient_and_curvatures_are_those_worked_out_by_hand(a, omega, phi):
    """At any place."""
    theta = np.array([a, omega, phi])
    value, slopes = value_and_gradient(PROBLEM.objective, torch.tensor(theta))
    assert float(value) == pytest.approx(np.mean(off(theta) ** 2), rel=1e-12)
    assert slopes.numpy() == pytest.approx(gradient(theta), rel=1e-12, abs=1e-12)
    matrix = hessian(PROBLEM.objective, torch.tensor(theta)).numpy()
    assert matrix == pytest.approx(hessian_by_hand(theta), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize(
    ("start", "year"), [((2.0, 10.0, 0.5), False), ((1.0, 5.0, 0.0), True), ((1.0, 4.0, 0.0), True)]
)
def test_a_run_finds_the_year_or_gives_up_its_height(start, year):
    """The loop ends where NumPy's does; in a wrong valley the wave is low, and in the right one it swings about once a year."""
    recording = record(replace(SEA, start=start))
    theta = np.array(start)
    for _ in range(SEA.epochs):
        theta = theta - SEA.learning_rate * gradient(theta)
    ended = recording.epoch_theta[-1].numpy()
    assert ended == pytest.approx(theta, rel=1e-8, abs=1e-8)
    assert np.linalg.eigvalsh(hessian_by_hand(ended))[0] > 0
    if year:
        assert abs(ended[0]) == pytest.approx(2.309, abs=1e-3)
        assert ended[1] == pytest.approx(2 * np.pi, rel=0.03)
    else:
        assert abs(ended[0]) < 0.5


def test_the_best_that_starts_find_is_the_year():
    """Its lowest by NumPy's Gauss–Newton steps from there."""
    best = best_of(PROBLEM, torch.tensor(SEA.info.shown, dtype=torch.float64))
    theta = best.theta.numpy()
    for _ in range(20):
        theta = theta - np.linalg.lstsq(jacobian(theta), off(theta), rcond=None)[0]
    assert best.rmse == pytest.approx(np.sqrt(np.mean(off(theta) ** 2)), rel=1e-9)
    assert best.rmse == pytest.approx(0.4062, abs=1e-4)
