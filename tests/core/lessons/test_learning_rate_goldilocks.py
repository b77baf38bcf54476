"""The fewest epochs that any fixed rate needs, held against training at every rate."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gd_core.lessons.learning_rate.goldilocks import Attempt, Goal, attempts, goal_of, lowest_of_parabola
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.settings.rules import OPTIMIZER_INFO
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
@pytest.mark.parametrize("schedule", ["step:4:0.5", "exponential:0.8", "cosine:0:0.01"])
@pytest.mark.parametrize("optimizer", ["gradient-descent", "momentum"])
def test_no_trained_rate_under_a_schedule_needs_fewer_epochs(experiment, optimizer, schedule):
    """The same of the η that a schedule begins with, by real runs."""
    experiment = replace(experiment, optimizer=optimizer, momentum=0.9, schedule=schedule, warmup=2)
    _, _, goal = parts(experiment)
    assert needed(experiment, goal.learning_rate, goal.rmse) == goal.epochs
    assert goal.tried > 1000
    for rate in goal.learning_rate * np.geomspace(0.05, 20, 60):
        epochs = needed(experiment, rate, goal.rmse)
        assert epochs is None or epochs >= goal.epochs


@every_problem
def test_the_goal_is_reached_in_half_of_the_epochs_allowed(experiment):
    """So there is room for a rate that is good but not best; and the target lies between floor and start."""
    problem, curvature, goal = parts(experiment)
    assert 1 <= goal.epochs <= experiment.epochs / 2
    assert curvature.floor_rmse < goal.rmse < float(problem.objective.rmse(problem.start))
    assert goal.tried is None


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


def first_epochs(experiment, rates, target):
    """The first epoch at which each rate's RMSE is at most the target, ∞ for none: the textbook's rules in NumPy."""
    problem = build(experiment)
    features, values = problem.linear.features.numpy(), problem.linear.target.numpy()
    count, optimum = len(values), np.linalg.lstsq(features, values, rcond=None)[0]
    floor = np.mean((features @ optimum - values) ** 2)
    matrix = 2 / count * features.T @ features
    theta = np.tile(problem.start.numpy()[:, None], (1, len(rates)))
    v, s = np.zeros_like(theta), np.zeros_like(theta)
    found, worst, bound = np.full(len(rates), np.inf), np.zeros(len(rates)), np.inf
    with np.errstate(all="ignore"):
        for k in range(experiment.epochs + 1):
            away = theta - optimum[:, None]
            gradient = matrix @ away
            loss = floor + (away * gradient).sum(0) / 2
            worst = np.maximum(worst, loss)
            if k == 0:
                bound = 1e6 * max(1.0, worst[0])
            found[(np.sqrt(loss) <= target * (1 + 1e-12)) & (worst <= bound) & np.isinf(found)] = k
            theta, v, s = one_update(experiment, rates, theta, gradient, v, s, k + 1)
    return found


def one_update(experiment, rate, theta, gradient, v, s, k):
    """Parameters, velocity or mean gradient, and squares after one update."""
    beta, alpha, b1, b2, small = (
        getattr(experiment, name) for name in ("momentum", "alpha", "beta1", "beta2", "epsilon")
    )
    rule, step = experiment.optimizer, gradient
    if rule in ("momentum", "nesterov"):
        v = beta * v + gradient
        step = v if rule == "momentum" else gradient + beta * v
    elif rule == "adagrad":
        s = s + gradient**2
        step = gradient / (np.sqrt(s) + small)
    elif rule == "rmsprop":
        s = alpha * s + (1 - alpha) * gradient**2
        step = gradient / (np.sqrt(s) + small)
    elif rule == "adam":
        v, s = b1 * v + (1 - b1) * gradient, b2 * s + (1 - b2) * gradient**2
        step = (v / (1 - b1**k)) / (np.sqrt(s / (1 - b2**k)) + small)
    return theta - rate * step, v, s


@st.composite
def challenges(draw):
    """A data set of the lesson, a rule with its settings, a start, and the epochs allowed."""
    dataset = draw(st.sampled_from(["noisy-quadratic", "two-features", "one-parameter"]))
    optimizer = draw(
        st.sampled_from(["gradient-descent", "momentum", "nesterov", "adagrad", "rmsprop", "adam"])
    )
    usual = Experiment.default(dataset)
    own = dict(OPTIMIZER_INFO[optimizer].hyperparameters)
    if "momentum" in own:
        own["momentum"] = draw(st.sampled_from([0.0, 0.5, 0.9, 0.97, 0.99, 0.999]))
    if "beta1" in own:
        own |= {
            "beta1": draw(st.sampled_from([0.5, 0.9, 0.99])),
            "beta2": draw(st.sampled_from([0.9, 0.999])),
        }
    return replace(
        usual,
        optimizer=optimizer,
        scale_features=dataset != "one-parameter" and draw(st.booleans()),
        start=draw(st.sampled_from(["published", "random"])) if dataset != "one-parameter" else "published",
        seed=draw(st.integers(0, 50)),
        epochs=draw(st.integers(1, 150)),
        **own,
    )


def beaten(experiment, count=6000):
    """The goal, what its own rate needs, and the fewest epochs of very many rates in NumPy with one of these."""
    _, curvature, goal = parts(experiment)
    if goal is None or goal.epochs is None or goal.learning_rate is None:
        return goal, None, None, None
    limit = 2 / curvature.largest
    wide = np.geomspace(1e-6 * limit, 1e4 * limit, count)
    near = goal.learning_rate * np.geomspace(0.1, 10, count)
    grid = np.concatenate(
        [[goal.learning_rate], wide, near, 4 * limit * np.linspace(0, 1, count + 1)[1:] ** 2]
    )
    needs = first_epochs(experiment, grid, goal.rmse)
    return goal, needs[0], needs.min(), grid[needs.argmin()]


@settings(deadline=None, max_examples=40)
@example(replace(Experiment.default("two-features"), optimizer="momentum", epochs=200))
@example(
    replace(
        Experiment.default("noisy-quadratic"),
        optimizer="momentum",
        momentum=0.999,
        scale_features=True,
        start="random",
        seed=473705,
        epochs=389,
    )
)
@example(replace(Experiment.default("two-features"), optimizer="adam", epochs=200, scale_features=True))
@given(challenges())
def test_no_simulated_rate_needs_fewer_epochs(experiment):
    """The rate that is named needs as many epochs as are named, and of 18,000 others none needs fewer."""
    goal, own, fewest, rate = beaten(experiment)
    if own is not None:
        assert own == goal.epochs
        assert fewest >= goal.epochs, rate


@pytest.mark.parametrize(("epochs", "score"), [(9, 100), (14, 64), (18, 50), (90, 10), (None, 0)])
def test_a_score_is_the_fewest_epochs_over_those_needed(epochs, score):
    """In percent, to a whole number."""
    goal = Goal(rmse=1.5, share=0.001, epochs=9, learning_rate=0.3, tried=None)
    assert Attempt(0.1, epochs, False, 1.0).score(goal) == score
