"""What is special about some update rules, and rules one after another. What holds for all is in test_every_rule.py."""

from itertools import islice

import pytest
import torch
from problems import OBJECTIVES
from rules import RULES

from gd_core.optimizers import OPTIMIZERS, in_turn
from gd_core.training import train


def test_nesterov_looks_one_step_ahead():
    """In the point φ = θ + ηβv… of its textbook form, it is momentum with the gradient taken ahead."""
    rate, beta, curvature = 0.03, 0.8, 5.0
    rule = OPTIMIZERS["nesterov"](rate, momentum=beta)
    theta = torch.tensor([1.0], dtype=torch.float64)
    state = rule.initial(theta)
    position, velocity = 1.0, 0.0  # of the textbook: v ← βv − η L′(x + βv), x ← x + v; ours is x + βv
    for _ in range(20):
        theta, state = rule.update(theta, curvature * theta, state)
        velocity = beta * velocity - rate * curvature * (position + beta * velocity)
        position += velocity
        assert float(theta) == pytest.approx(position + beta * velocity, rel=1e-12)


def test_adam_starts_with_a_step_of_the_rate():
    """The correction for the cold start makes the first step ±η, whatever the gradient's size."""
    rule = OPTIMIZERS["adam"](0.01, epsilon=1e-16)
    theta = torch.zeros(3, dtype=torch.float64)
    gradient = torch.tensor([1e-6, -1.0, 1e6], dtype=torch.float64)
    first, _ = rule.update(theta, gradient, rule.initial(theta))
    assert first.tolist() == pytest.approx([-0.01, 0.01, -0.01], rel=1e-6)


@pytest.mark.parametrize("first", OPTIMIZERS)
@pytest.mark.parametrize("second", ["gradient-descent", "momentum", "adam"])
def test_rules_in_turn_are_separate_runs(first, second):
    """After its updates the first rule hands θ on, and the second starts afresh from there."""
    objective = OBJECTIVES["scaled"]
    one, two = RULES[first].ours(first, objective)(0.05), OPTIMIZERS[second](0.02)

    def run(rule, start, updates):
        return torch.stack([step.theta for step in islice(train(objective, start, rule), updates + 1)])

    together = run(in_turn((7, one), (9, two)), objective.dataset.start, 16)
    alone = run(one, objective.dataset.start, 7)
    after = run(two, alone[-1], 9)
    assert torch.equal(together, torch.cat([alone, after[1:]]))


def test_three_rules_in_turn_and_the_last_goes_on():
    """Each has its number of updates; the last has as many as are asked for."""
    rules = in_turn(
        *((updates, OPTIMIZERS["gradient-descent"](rate)) for updates, rate in ((1, 1), (2, 10), (1, 100)))
    )
    theta = torch.zeros(1, dtype=torch.float64)
    state, path = rules.initial(theta), []
    for _ in range(6):
        theta, state = rules.update(theta, -torch.ones(1, dtype=torch.float64), state)
        path.append(float(theta))
    assert path == [1, 11, 21, 121, 221, 321]
