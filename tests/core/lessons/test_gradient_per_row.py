"""The gradient row by row: contributions whose mean is the gradient, and how they stand at the end of a run."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from true_lessons import gradient

from gd_core.lessons.gradient.per_row import Ending, contributions, ending, pulls, said
from gd_core.objective import value_and_gradient
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment, defaults
from gd_core.theory import curvature_of
from gd_core.words import short

PLANE = {"points": 20, "noise": 3.0, "start": (2.0, 1.0, 0.0), "learning_rate": 0.1, "epochs": 40}


def experiment(dataset="two-features", **changes):
    return Experiment(**(defaults(dataset, "gradient-descent") | changes))


def trained(dataset="two-features", **changes):
    """Problem and recording."""
    chosen = experiment(dataset, **changes)
    return build(chosen), record(chosen)


def by_hand(problem, theta):
    """2 (ŷᵢ − yᵢ) φᵢⱼ for each row in turn, in NumPy."""
    features, target = problem.linear.features.numpy(), problem.objective.target.numpy()
    return np.array([2 * (phi @ theta - y) * phi for phi, y in zip(features, target, strict=True)])


@pytest.mark.parametrize("dataset", ["noisy-quadratic", "two-features", "one-parameter"])
def test_a_contribution_is_written_out_by_hand(dataset):
    """Each row's part is 2(ŷᵢ − yᵢ) times what its parameter is multiplied by."""
    problem = build(experiment(dataset))
    theta = problem.start
    np.testing.assert_allclose(
        contributions(problem.objective, theta), by_hand(problem, theta.numpy()), rtol=1e-12
    )


def test_a_contribution_is_the_gradient_of_that_row_alone():
    """∂Lᵢ/∂θ is what autograd gives for the loss of a mini-batch of row i."""
    problem = build(experiment(**PLANE))
    theta = torch.tensor([0.3, -2.0, 1.5], dtype=torch.float64)
    alone = [value_and_gradient(problem.objective.on(torch.tensor([i])), theta)[1] for i in range(20)]
    torch.testing.assert_close(contributions(problem.objective, theta), torch.stack(alone))


@settings(max_examples=60, deadline=None)
@given(
    dataset=st.sampled_from(["noisy-quadratic", "two-features"]),
    points=st.integers(3, 60),
    theta=st.lists(st.floats(-100, 100), min_size=3, max_size=3),
)
def test_the_mean_of_the_contributions_is_the_gradient(dataset, points, theta):
    """Autograd over all rows gives the mean, wherever and for however many rows."""
    problem = build(experiment(dataset, points=points))
    point = torch.tensor(theta, dtype=torch.float64)
    _, gradient = value_and_gradient(problem.objective, point)
    rows = contributions(problem.objective, point)
    scale = float(rows.abs().max()) + 1
    torch.testing.assert_close(rows.mean(0), gradient, rtol=1e-9, atol=1e-12 * scale)


def test_many_points_at_once_are_the_same():
    """[K, P] gives [K, N, P], point by point."""
    problem, recording = trained(**PLANE)
    together = contributions(problem.objective, recording.theta[:5])
    assert together.shape == (5, 20, 3)
    for k in range(5):
        torch.testing.assert_close(together[k], contributions(problem.objective, recording.theta[k]))


@pytest.mark.parametrize(
    ("dataset", "changes", "truth"),
    [
        ("two-features", PLANE, Ending.CANCEL),
        ("two-features", PLANE | {"noise": 0.0}, Ending.VANISH),
        ("two-features", PLANE | {"learning_rate": 0.005}, Ending.STILL),
        ("two-features", PLANE | {"learning_rate": 0.7}, Ending.GROW),
        ("two-features", PLANE | {"learning_rate": 50.0}, Ending.GROW),
        ("noisy-quadratic", {"start": (0.0, 0.0, 0.0), "epochs": 40}, Ending.STILL),
        ("noisy-quadratic", {"learning_rate": 5e-5}, Ending.GROW),
        ("one-parameter", {"learning_rate": 0.05}, Ending.VANISH),
        ("one-parameter", {"learning_rate": 1 / 9}, Ending.STILL),
        ("one-parameter", {"learning_rate": 0.12}, Ending.GROW),
        ("one-parameter", {"start": (-1.0,)}, Ending.VANISH),
    ],
)
def test_how_the_bars_stand_at_the_end(dataset, changes, truth):
    """Noise leaves bars that cancel, none lets them vanish, a small rate leaves a mean, one above the limit grows."""
    problem, recording = trained(dataset, **changes)
    assert ending(recording, problem.objective) is truth


def test_a_run_that_starts_at_the_optimum_cancels_from_the_first_bar_on():
    """With noise the bars at the optimum are long, and their mean is 0."""
    chosen = experiment(**PLANE)
    problem = build(chosen)
    best = tuple(curvature_of(problem.objective).optimum.tolist())
    problem, recording = trained(**PLANE | {"start": best, "epochs": 3})
    assert ending(recording, problem.objective) is Ending.CANCEL
    assert float(pulls(problem.objective, recording.theta[0]).length.min()) > 1


@pytest.mark.parametrize("noise", [0.0, 3.0])
@pytest.mark.parametrize("rate", [0.005, 0.1])
def test_the_words_hold_the_numbers_of_the_run(noise, rate):
    """Mean length and mean in the sentence are those of the rows, computed by hand."""
    problem, recording = trained(**PLANE | {"noise": noise, "learning_rate": rate})
    names = ("w₁", "w₂", "b")
    floor = float(curvature_of(problem.objective).floor_rmse)
    sentence = said(recording, problem.objective, names, floor)
    bars = by_hand(problem, recording.theta[-1].numpy())
    j = names.index(sentence.split()[1])
    assert short(float(np.abs(bars[:, j]).mean())) in sentence
    if not (noise == 0 and rate == 0.1):
        assert f"mean is {short(float(bars[:, j].mean()))}" in sentence


@pytest.mark.parametrize("seeds", [range(50), range(50, 100)], ids=["first", "second"])
def test_what_is_said_of_the_bars_is_true(seeds):
    """How they stand, whether that is the optimum, and what became of a step size: NumPy and rational numbers agree, at random."""
    assert {seed: found for seed in seeds if (found := list(gradient(seed)))} == {}
