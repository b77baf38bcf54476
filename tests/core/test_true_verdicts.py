"""What is said of a run is true: label, numbers, reason and remedy, over random runs, by an oracle that knows no theory.

A hundred draws stand here, a hundred of rows in order, sixty each of other conventions, with a penalty and of schedules, some with a
weight decay. `python tests/core/test_true_verdicts.py 0 5000` tries as many as one likes, with `in-order`, `conventions`, `penalty`,
`schedules`, `decay` or `newton` behind it of those.
"""

import sys

import pytest
from oracle import (
    drawn,
    drawn_by_convention,
    drawn_decaying,
    drawn_in_order,
    drawn_newton,
    drawn_scheduled,
    drawn_with_penalty,
    judged,
)
from tries import tried

from gd_core.outcome import Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.theory import forecast_of, parabola_of
from gd_core.verdict import of_run

SEEDS = range(100)


def wrong(experiment):
    """What is wrong with the verdict on a run, and the verdict."""
    problem, recording = build(experiment), record(experiment)
    curvature = parabola_of(experiment, problem.objective)
    assert curvature is not None
    forecast = forecast_of(experiment, problem, curvature)
    finding = outcome(recording, curvature, Trained.of(experiment, problem))
    sentence = of_run(recording, experiment, forecast, finding)
    return judged(experiment, finding.outcome.value, sentence, recording), sentence


@pytest.mark.parametrize("seed", SEEDS)
def test_a_verdict_is_true(seed):
    """Ten times as long, a run that descends is lower, one that hovers is where it was; limits and floors are NumPy's."""
    found, sentence = wrong(drawn(seed))
    assert not found, f"{found}\n{sentence}"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_verdict_on_rows_in_order_is_true(seed):
    """The same of batches that are the same in each epoch, which come to rest where shuffled ones hover."""
    found, sentence = wrong(drawn_in_order(seed))
    assert not found, f"{found}\n{sentence}"


@pytest.mark.parametrize("seed", range(60))
def test_a_verdict_is_true_by_other_conventions(seed):
    """The same without an intercept, with a scaled target, at degrees up to 10; RMSE and floor are in the units of y."""
    found, sentence = wrong(drawn_by_convention(seed))
    assert not found, f"{found}\n{sentence}"


@pytest.mark.parametrize("seed", range(60))
def test_a_verdict_on_a_penalised_loss_is_true(seed):
    """The same with an L2 penalty: optimum, limits and κ are ridge regression's, and no RMSE is called a floor."""
    found, sentence = wrong(drawn_with_penalty(seed))
    assert not found, f"{found}\n{sentence}"


@pytest.mark.parametrize("seed", [*range(60), 119])  # 119: grows by less than is told, and nothing is to gain
def test_a_verdict_on_a_schedule_is_true(seed):
    """The rate that it came to, the epochs above the limit, what one rate does; gone on, the schedule goes on."""
    found, sentence = wrong(drawn_scheduled(seed))
    assert not found, f"{found}\n{sentence}"


@pytest.mark.parametrize("seed", range(25))
def test_a_verdict_on_a_weight_decay_is_true(seed):
    """AdamW's, which goes to no lowest point: its label is what becomes of it, and what other rates do has been tried."""
    found, sentence = wrong(drawn_decaying(seed))
    assert not found, f"{found}\n{sentence}"


@pytest.mark.parametrize("seed", range(40))
def test_a_verdict_on_newtons_step_is_true(seed):
    """Limit 2, the factor 1 − η in every direction, and the epochs that a rate takes; of ridge regression too."""
    found, sentence = wrong(drawn_newton(seed))
    assert not found, f"{found}\n{sentence}"


if __name__ == "__main__":
    draws = {
        "in-order": drawn_in_order, "conventions": drawn_by_convention, "penalty": drawn_with_penalty,
        "schedules": drawn_scheduled, "decay": drawn_decaying, "newton": drawn_newton,
    }  # fmt: skip
    draw = draws[sys.argv[3]] if len(sys.argv) > 3 else drawn
    tried(lambda seed: wrong(draw(seed)))
