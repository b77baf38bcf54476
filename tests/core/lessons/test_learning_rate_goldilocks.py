"""The fewest epochs that any fixed rate needs, held against training at every rate."""

from dataclasses import replace

import numpy as np
import pytest

from gd_core.lessons.learning_rate.goldilocks import Attempt, Goal, attempts, goal_of, lowest_of_parabola
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of

PROBLEMS = {
    "quadratic": replace(Experiment.default("noisy-quadratic"), epochs=40),
    "scaled": replace(Experiment.default("noisy-quadratic"), scale_features=True, epochs=30),
    "plane": replace(Experiment.default("two-features"), points=60, epochs=20),
    "parabola": replace(Experiment.default("one-parameter"), epochs=10),
}
every_problem = pytest.mark.parametrize("experiment", PROBLEMS.values(), ids=PROBLEMS)


def parts(experiment):
    problem = build(experiment)
    curvature = curvature_of(problem.objective)
    return (
        problem,
        curvature,
        goal_of(problem.objective, curvature, experiment.phase, problem.start, experiment.epochs),
    )


def needed(experiment, rate, target):
    """Epochs that a real run needs, or None."""
    below = record(replace(experiment, learning_rate=float(rate))).epoch_rmse <= target * (1 + 1e-9)
    return int(below.nonzero()[0]) if bool(below.any()) else None


@every_problem
@pytest.mark.parametrize("optimizer", ["gradient-descent", "momentum", "nesterov", "adam"])
def test_no_trained_rate_needs_fewer_epochs_than_the_best(experiment, optimizer):
    """A real run at the best rate needs just so many; 60 others, on both sides of it, never fewer."""
    experiment = replace(experiment, optimizer=optimizer, momentum=0.9)
    _, _, goal = parts(experiment)
    assert needed(experiment, goal.learning_rate, goal.rmse) == goal.epochs
    for rate in goal.learning_rate * np.geomspace(0.05, 20, 60):
        epochs = needed(experiment, rate, goal.rmse)
        assert epochs is None or epochs >= goal.epochs


@every_problem
def test_the_goal_is_reached_in_half_of_the_epochs_allowed(experiment):
    """So there is room for a rate that is good but not best; and the target lies between floor and start."""
    problem, curvature, goal = parts(experiment)
    assert 1 <= goal.epochs <= experiment.epochs / 2
    assert curvature.floor_rmse < goal.rmse < float(problem.objective.rmse(problem.start))
    assert goal.exact


def test_the_lowest_gap_is_the_lowest_of_a_grid():
    """For each number of epochs, a dense grid of rates of NumPy's own finds nothing lower, and comes close."""
    experiment = PROBLEMS["scaled"]
    problem, curvature, _ = parts(experiment)
    lowest, rates = lowest_of_parabola(curvature, problem.start, 12)
    curvatures, first = curvature.eigenvalues.numpy(), curvature.gap(problem.start).numpy()
    grid = np.linspace(0, 2 / curvatures[0], 200_001)[:, None]
    for n in range(1, 13):
        tried = (first * (1 - grid * curvatures) ** (2 * n)).sum(1)
        assert float(lowest[n - 1]) <= tried.min() * (1 + 1e-12)
        assert float(rates[n - 1]) == pytest.approx(float(grid[tried.argmin(), 0]), abs=2e-5)


def test_the_best_rate_may_lie_above_the_limit():
    """A start with hardly any error along the steepest direction: one epoch, at a rate that would diverge in the end."""
    experiment = PROBLEMS["scaled"]
    problem, curvature, _ = parts(experiment)
    start = curvature.optimum + curvature.eigenvectors[:, 0] + 1e-4 * curvature.eigenvectors[:, -1]
    goal = goal_of(problem.objective, curvature, experiment.phase, start, 30)
    assert goal.epochs == 1
    assert goal.learning_rate > 2 / curvature.largest


def test_a_target_that_no_rate_reaches_has_no_best():
    """One epoch, from as much gap along the flattest as along the steepest direction: half of it is out of reach."""
    problem, curvature, _ = parts(PROBLEMS["quadratic"])
    start = curvature.optimum + 100 * curvature.eigenvectors @ curvature.eigenvalues.rsqrt()
    goal = goal_of(problem.objective, curvature, PROBLEMS["quadratic"].phase, start, 1)
    assert (goal.share, goal.epochs, goal.learning_rate) == (0.5, None, None)


def test_at_the_optimum_there_is_nothing_to_reach():
    """A start that is the optimum has no goal."""
    _, _, goal = parts(replace(PROBLEMS["parabola"], start=(-1.0,)))
    assert goal is None


@every_problem
def test_attempts_tell_what_their_runs_did(experiment):
    """Epochs needed, diverged or not, and the error at the end: as in a real run at each rate."""
    problem, curvature, goal = parts(experiment)
    limit = 2 / curvature.largest
    rates = [0.001 * limit, 0.4 * limit, 0.9 * limit, 3 * limit]
    found = attempts(
        problem.objective, curvature, experiment.phase, problem.start, rates, goal, experiment.epochs
    )
    for one in found:
        run = record(replace(experiment, learning_rate=one.learning_rate))
        assert one.epochs == needed(experiment, one.learning_rate, goal.rmse)
        assert one.diverged == (run.diverged_at is not None)
        if not one.diverged:
            assert one.rmse == pytest.approx(float(run.epoch_rmse[-1]), rel=1e-6, abs=1e-12)
    assert [one.diverged for one in found] == [False, False, False, True]


@pytest.mark.parametrize(("epochs", "score"), [(9, 100), (14, 64), (18, 50), (90, 10), (None, 0)])
def test_a_score_is_the_fewest_epochs_over_those_needed(epochs, score):
    """In percent, to a whole number."""
    goal = Goal(rmse=1.5, share=0.001, epochs=9, learning_rate=0.3, exact=True)
    assert Attempt(0.1, epochs, False, 1.0).score(goal) == score
