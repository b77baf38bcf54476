"""How numbers are written in sentences."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gd_core import words
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment, defaults
from gd_core.theory import curvature_of

PERFECT = Experiment(
    **(defaults("two-features", "gradient-descent") | {"noise": 0.0, "learning_rate": 0.5, "epochs": 400})
)


def parabola(experiment):
    problem = build(experiment)
    return curvature_of(problem.objective), problem


def test_a_floor_that_is_rounding_is_called_zero():
    """Rows made without noise leave less than 1e-12 by NumPy's least squares; the same rows with noise have a number."""
    known, problem = parabola(PERFECT)
    columns = np.column_stack([problem.dataset.x.numpy(), np.ones(len(problem.dataset.x))])
    y = problem.dataset.y.numpy()[:, 0]
    left = y - columns @ np.linalg.lstsq(columns, y)[0]
    assert 0 < math.sqrt((left**2).mean()) < 1e-6  # float32 data: no number that anyone should read
    assert words.floor_of(known) == "0 (a perfect fit, up to rounding)"
    assert words.floor_label(known) == "floor 0 up to rounding"

    known, problem = parabola(replace(PERFECT, noise=0.5))
    y = problem.dataset.y.numpy()[:, 0]
    left = y - columns @ np.linalg.lstsq(columns, y)[0]
    lowest = math.sqrt((left**2).mean())
    assert float(words.floor_of(known)) == pytest.approx(lowest, rel=5e-6)
    assert words.floor_label(known) == f"floor {lowest:.4g}"


def test_an_error_is_zero_only_where_it_is_the_rounding_of_a_perfect_fit():
    """At the end of a run without noise; not before, and never where there is a floor."""
    known, _ = parabola(PERFECT)
    rmse = record(PERFECT).epoch_rmse
    shown = known.error(rmse, float(rmse[0]))
    assert float(rmse[-1]) > 0
    assert shown[-1] == 0
    assert torch.equal(shown[:7], rmse[:7])  # 4.7 … 3.7e-7
    noisy = replace(PERFECT, noise=0.5)
    rmse = record(noisy).epoch_rmse
    assert torch.equal(parabola(noisy)[0].error(rmse, float(rmse[0])), rmse)


@pytest.mark.parametrize("scaled", [False, True])
def test_a_parameter_is_zero_only_where_it_is_rounding_beside_its_column(scaled):
    """y = 3 x₁ has w₂ = b = 0 but for a last digit; a small parameter of a large column is no rounding."""
    known, problem = parabola(replace(PERFECT, scale_features=scaled))
    size = problem.dataset.x.square().mean(0).sqrt()  # of each column
    y = float(problem.dataset.y.square().mean().sqrt())
    raw = torch.tensor([3.0, 2e-16 * y / float(size[1]), -3e-16 * y], dtype=torch.float64)
    assert known.parameters(problem.scaled(raw), problem.to_raw).tolist() == pytest.approx(
        [3, 0, 0], rel=1e-12
    )
    assert known.parameters(problem.scaled(raw), problem.to_raw)[1:].tolist() == [0, 0]
    small = torch.tensor([1e-9, 1e-9, -1e-9], dtype=torch.float64)
    assert known.parameters(problem.scaled(small), problem.to_raw).tolist() == pytest.approx(
        small.tolist(), rel=1e-6
    )
