"""Single rows at a constant rate, at one that shrinks, and the mean of their points. Oracle: the loop in NumPy."""

import random
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from gd_core.lessons.learning_rate.arriving import (
    ARRIVED,
    CONSTANT,
    MEAN,
    SHRINKING,
    Arriving,
    arriving,
    rates,
    runs,
    told,
    why_elsewhere,
)
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of

SCALED = replace(Experiment.default("noisy-quadratic"), scale_features=True, epochs=15)
PLANE = replace(Experiment.default("two-features"), points=40, noise=0.5)
NUMBER = r"(\d[\d.,]*(?:e−\d+)?)"


def found_of(base: Experiment) -> Arriving:
    problem = build(base)
    curvature = curvature_of(problem.objective)
    assert not why_elsewhere(base, curvature)
    both = runs(base, problem, curvature)
    return arriving(both, (record(both[0]), record(both[1])), problem, curvature)


def by_hand(base: Experiment, rate: float, decay: float, epochs: int) -> tuple[np.ndarray, np.ndarray, float]:
    """θ at the end of each epoch, their RMSE, and the lowest RMSE, by NumPy; the rows in the order of the run's own seed."""
    problem = build(base)
    features, y, theta = (
        one.numpy() for one in (problem.linear.features, problem.linear.target, problem.start)
    )
    order, points = torch.Generator().manual_seed(base.seed), [theta]
    for epoch in range(epochs):
        for row in torch.randperm(len(y), generator=order).tolist():
            pull = 2 * (features[row] @ theta - y[row]) * features[row]
            theta = theta - rate / (1 + decay * epoch) * pull
        points.append(theta)
    best = np.linalg.lstsq(features, y, rcond=None)[0]
    return np.array(points), _rmse(features, y, np.array(points)), float(_rmse(features, y, best))


def _rmse(features, y, theta):
    return np.sqrt(((theta @ features.T - y) ** 2).mean(-1))


def drawn(seed: int) -> Experiment:
    """Any rows that the lesson may show it on."""
    dice = random.Random(f"arriving {seed}")
    base = dice.choice([SCALED, replace(SCALED, scale_features=False), PLANE])
    return replace(
        base,
        points=dice.choice([5, 20, 60, 200]),
        noise=dice.choice([0.1, 1.0, 5.0]),
        data_seed=dice.randrange(1000),
        seed=dice.randrange(1000),
        start=dice.choice(["published", "random"]),
    )


@pytest.mark.parametrize("base", [SCALED, PLANE], ids=["quadratic", "plane"])
def test_a_constant_rate_hovers_and_the_other_two_arrive(base):
    """To less than a hundredth, and a tenth, of what the constant rate leaves above the floor."""
    left = found_of(base).at_last
    assert 0 < left[SHRINKING] < left[CONSTANT] / 100
    assert 0 < left[MEAN] < left[CONSTANT] / 10


def test_they_are_the_same_two_runs_whatever_the_schedule_of_the_page():
    """One at a constant rate, and one under a schedule of its own."""
    problem = build(SCALED)
    curvature = curvature_of(problem.objective)
    scheduled = replace(SCALED, schedule="step:5:0.5", warmup=2, counted_in="updates")
    assert runs(scheduled, problem, curvature) == runs(SCALED, problem, curvature)


def number(text: str) -> float:
    return float(text.rstrip(".,").replace(",", "").replace("−", "-"))


@pytest.mark.parametrize("seed", range(12))
def test_what_is_said_of_the_three_is_true(seed):
    """Each RMSE, how many times nearer, and how much of the way is left; by the loop in NumPy."""
    base = drawn(seed)
    found = found_of(base)
    epochs, rate = found.constant.epochs, found.constant.learning_rate
    decay = float(found.shrinking.schedule.partition(":")[2])
    points, constant, floor = by_hand(base, rate, 0.0, epochs)
    shrinking = by_hand(base, rate, decay, epochs)[1]
    problem, last = build(base), epochs // 5
    features, y = problem.linear.features.numpy(), problem.linear.target.numpy()
    mean = float(_rmse(features, y, points[1 + epochs // 2 :].mean(0)))
    theirs = {CONSTANT: constant[-last:].mean(), SHRINKING: shrinking[-last:].mean(), MEAN: mean}
    for name, left in found.at_last.items():
        assert left == pytest.approx(theirs[name] - floor, rel=1e-6, abs=1e-9 * theirs[name])

    text = told(found)
    pattern = (
        rf"At the constant rate {NUMBER} single rows (?:hover|are) about RMSE {NUMBER} over the last {last} epochs?; the floor is "
        rf"{NUMBER}\. .* they come to {NUMBER}, (?:{NUMBER} ×|no) nearer to the floor\. "
        rf".* last half: it is at {NUMBER}, (?:{NUMBER} ×|no) nearer to the floor\.(.*)"
    )
    said = re.fullmatch(pattern, text)
    assert said, text
    told_rate, at, low, there, nearer, mid, nearer_mean, late = said.groups()
    for one, is_so in (
        (told_rate, rate),
        (at, theirs[CONSTANT]),
        (low, floor),
        (there, theirs[SHRINKING]),
        (mid, mean),
    ):
        assert number(one) == pytest.approx(is_so, rel=1e-3)
    for one, name in ((nearer, SHRINKING), (nearer_mean, MEAN)):
        ratio = (theirs[CONSTANT] - floor) / (theirs[name] - floor)
        assert ratio < 1.06 if one is None else number(one) == pytest.approx(ratio, rel=6e-3)
    share = min(theirs.values()) - floor
    arrived = share <= ARRIVED * (constant[0] - floor)
    assert arrived == (not late)
    if late:
        told_share = re.search(rf"still on the way: {NUMBER} %", late)
        assert told_share
        assert number(told_share[1]) == pytest.approx(100 * share / (constant[0] - floor), rel=6e-3)
        assert ("Scale the features" in late) == (not base.scale_features)
    if " hover " in text:
        assert theirs[CONSTANT] - floor >= 0.5 * (constant[epochs // 2 : -last].mean() - floor) * (1 - 1e-9)
    assert rates(found)[SHRINKING].endswith(f"{rate / (1 + decay * (epochs - 1)):.3g}".replace("e-0", "e−"))


@pytest.mark.parametrize(
    ("base", "why"),
    [
        (Experiment.default("one-parameter"), "these data have one row"),
        (Experiment.default("two-features"), "these data have 1,000 rows"),
        (replace(PLANE, noise=0.0), "one curve meets every row"),
    ],
    ids=["one row", "many", "no noise"],
)
def test_where_there_is_nothing_to_see_it_says_why(base, why):
    """One row is all rows; a thousand take long; and where one curve meets every row, a constant rate arrives, too."""
    curvature = curvature_of(build(base).objective)
    assert why in why_elsewhere(base, curvature)
    if "every row" in why:
        rmse = record(runs(base, build(base), curvature)[0]).epoch_rmse
        assert float(rmse[-1]) < 1e-6 * float(rmse[0])


def test_no_row_alone_makes_it_grow():
    """Of rows with one that is far off in x half of what they stand on average is too much: that row's own limit holds."""
    base = replace(PLANE, points=5, data_seed=3)
    for seed in range(20):
        one = replace(base, data_seed=seed)
        problem = build(one)
        rate = runs(one, problem, curvature_of(problem.objective))[0].learning_rate
        steepest = 2 * float((problem.linear.features**2).sum(1).max())
        assert rate <= 2 / steepest
