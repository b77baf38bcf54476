"""The shape mistake: the table it makes, and whether a run with or without it finds the plane."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from true_lessons import broadcasting

from gd_core.lessons.broadcasting import (
    PLANE_OF_DATA,
    best_of,
    differences,
    explained,
    of_run,
    predictions,
    rows_of,
    standing,
)
from gd_core.objective import mse_broadcast
from gd_core.problem import build
from gd_core.published import PLANE, PLANE_PREDICTIONS
from gd_core.recorder import record
from gd_core.theory import curvature_of

MENDED = replace(PLANE, loss="mse")
vectors = arrays(np.float64, 7, elements=st.floats(-50, 50))


def run_of(experiment):
    problem = build(experiment)
    return record(experiment), experiment, problem, curvature_of(problem.objective)


@given(vectors, vectors)
def test_the_table_is_what_pytorch_subtracts(prediction, target):
    """[N, 1] − [N] as PyTorch broadcasts it; its mean square is the mistaken loss, its diagonal the meant residuals."""
    prediction, target = torch.from_numpy(prediction), torch.from_numpy(target)
    table = differences(prediction, target)
    assert (table == prediction.unsqueeze(1) - target).all()
    assert float((table**2).mean()) == pytest.approx(float(mse_broadcast(prediction, target)), abs=1e-9)
    assert (table.diagonal() == prediction - target).all()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, "wrong"),
        ({"learning_rate": 0.01}, "wrong"),  # trained to its end it is still wrong
        ({"epochs": 1}, "wrong"),
        ({"loss": "mse"}, "coming"),
        ({"loss": "mse", "learning_rate": 0.01}, "found"),
        ({"loss": "mse", "learning_rate": 0.01, "epochs": 20}, "coming"),
        ({"loss": "mse", "learning_rate": 0.01, "noise": 2.0}, "found"),  # the best plane, noise and all
        ({"learning_rate": 1.5, "epochs": 100}, "grows"),
        ({"loss": "mse", "learning_rate": 1.5, "epochs": 3}, "grows"),
        ({"loss": "mse", "learning_rate": 0.96, "epochs": 2}, "grows"),  # it still falls, but it must rise
    ],
)
def test_standing_agrees_with_least_squares(changes, found):
    """By the run's own numbers; and where NumPy's least squares says that the plane is found, it is."""
    recording, experiment, problem, curvature = run_of(replace(PLANE, **changes))
    assert standing(recording, experiment, problem, curvature) == found
    features, target = problem.linear.features.numpy(), problem.objective.target.numpy()
    best = np.linalg.lstsq(features, target, rcond=None)[0]
    best_rmse = float(np.sqrt(((target - features @ best) ** 2).mean()))
    assert best_of(problem).floor_rmse == pytest.approx(best_rmse, abs=1e-6)
    if found == "found":
        assert recording.theta[-1].tolist() == pytest.approx(best.tolist(), abs=0.01)


def test_explained_is_r_squared():
    """1 − SSE/SST: −0.20 for the published run, which is worse than the mean of y, and 0 for that mean."""
    recording, _, problem, curvature = run_of(PLANE)
    y = problem.objective.target.numpy()
    fitted = problem.objective.predict(recording.theta[-1]).numpy()
    by_hand = 1 - ((y - fitted) ** 2).sum() / ((y - y.mean()) ** 2).sum()
    assert explained(problem, float(recording.epoch_rmse[-1])) == pytest.approx(by_hand)
    assert by_hand == pytest.approx(-0.2024, abs=1e-4)
    assert explained(problem, curvature.floor_rmse) == pytest.approx(0, abs=1e-9)


def test_the_plane_of_the_data_is_the_one_that_made_them():
    """y = 1.3 x₁ − 1.0 x₂ − 3.5 without noise, to the digits of 32 bits."""
    problem = build(PLANE)
    theta = torch.tensor(PLANE_OF_DATA, dtype=torch.float64)
    assert float(problem.objective.rmse(theta)) < 1e-6


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "from 19.91 to 2.801, to w₁ = −0.0371, w₂ = 0.0557, b = −2.99. RMSE 1.731 is more than 1.578"),
        ({"loss": "mse"}, "RMSE 0.6243: more epochs get all the way, and a rate of "),
        ({"loss": "mse", "learning_rate": 0.01}, "w₁ = 1.30, w₂ = −1.00, b = −3.50."),
        (
            {"learning_rate": 1.5, "epochs": 100},
            "blew up at epoch 10. The rate 1.5 is 1.57 × the limit 0.956",
        ),
    ],
)
def test_the_last_word_has_the_numbers(changes, words):
    """What the loss did, what was found, and how good that is."""
    assert words in of_run(*run_of(replace(PLANE, **changes)))


def test_the_first_rows_and_their_predictions():
    """The printed five predictions come out, and Φ has its column of ones."""
    recording, _, problem, _ = run_of(PLANE)
    assert predictions(recording, problem, 5) == pytest.approx(PLANE_PREDICTIONS, abs=5e-5)
    features, target = rows_of(problem, 5)
    assert features.shape == (5, 3)
    assert (features[:, 2] == 1).all()
    assert target.tolist() == pytest.approx([1.3 * a - b - 3.5 for a, b, _ in features.tolist()], abs=1e-5)


@pytest.mark.parametrize("seeds", [range(40), range(40, 80)], ids=["first", "second"])
def test_what_is_said_of_the_mistake_is_true(seeds):
    """What the loop finds, and every number: a loop in NumPy on y or on its mean agrees, over random runs."""
    assert {seed: found for seed in seeds if (found := list(broadcasting(seed)))} == {}
