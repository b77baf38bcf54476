"""The loop taken apart: which stage is at work at each moment, and how good the curve is in the end."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from true_lessons import four_steps

from gd_core.lessons.four_steps import Stage, instants, of_stop, planned, sentences, standing
from gd_core.outcome import Trained, outcome
from gd_core.problem import build
from gd_core.published import QUADRATIC, QUADRATIC_RMSE
from gd_core.recorder import Recorder, record
from gd_core.theory import curvature_of, forecast_of

NAMES = ("a", "b", "c")


def log_of_the_loop(experiment, epochs):
    """What a plain PyTorch loop with torch.optim.SGD does, written down as it happens: stage, epoch, θ, RMSE."""
    problem = build(experiment)
    params = problem.start.clone().requires_grad_()
    optimizer = torch.optim.SGD([params], lr=experiment.learning_rate)
    rmse, log = math.nan, [("initialise", 0, params.tolist(), math.nan)]
    for epoch in range(epochs):
        loss = ((problem.linear.features @ params - problem.objective.target) ** 2).mean()
        rmse = math.sqrt(loss.item())
        log.append(("loss", epoch, params.tolist(), rmse))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        log.append(("step", epoch, params.tolist(), rmse))
    final = ((problem.linear.features @ params - problem.objective.target) ** 2).mean()
    return [*log, ("stop", max(0, epochs - 1), params.tolist(), math.sqrt(final.item()))]


@pytest.mark.parametrize("epochs", [1, 2, 10])
@pytest.mark.parametrize("changes", [{}, {"scale_features": True, "learning_rate": 0.2}])
def test_moments_are_what_a_plain_loop_does(epochs, changes):
    """Initialise, loss and step in turn, stop: with θ and the last RMSE as a loop with torch.optim has them."""
    experiment = replace(QUADRATIC, epochs=epochs, **changes)
    shown, log = instants(record(experiment)), log_of_the_loop(experiment, epochs)
    assert [Stage(stage).name.lower() for stage in shown.stage.tolist()] == [line[0] for line in log]
    assert shown.epoch.tolist() == [line[1] for line in log]
    torch.testing.assert_close(shown.theta, torch.tensor([line[2] for line in log], dtype=torch.float64))
    rmse = torch.tensor([line[3] for line in log], dtype=torch.float64)
    torch.testing.assert_close(shown.rmse, rmse, equal_nan=True)
    assert len(log) - 1 == planned(epochs)


def test_what_a_step_leaves_behind():
    """`before` is θ of the moment before at a step, and θ itself everywhere else."""
    shown = instants(record(QUADRATIC))
    steps = shown.stage == Stage.STEP
    assert (shown.before[steps] == shown.theta[steps.roll(-1)]).all()
    assert (shown.before[~steps] == shown.theta[~steps]).all()


def test_a_start_that_waits_has_one_moment():
    """Nothing of the run is known before it is trained."""
    shown = instants(replace(Recorder(QUADRATIC).recording(), complete=False))
    assert shown.stage.tolist() == [Stage.INITIALISE]
    assert shown.rmse.isnan().all()


def test_the_ten_printed_errors_are_those_of_the_loss_stage():
    """What the article printed is what the moments of Loss know."""
    shown = instants(record(QUADRATIC))
    assert shown.rmse[shown.stage == Stage.LOSS].tolist() == pytest.approx(QUADRATIC_RMSE, rel=1e-6)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, "far"),  # 18.04 and 1.467
        ({"scale_features": True, "learning_rate": 0.2}, "near"),
        ({"scale_features": True, "learning_rate": 0.2, "epochs": 40}, "best"),
        ({"learning_rate": 5e-5}, "worse"),
        ({"learning_rate": 5e-5, "epochs": 40}, "worse"),  # it has diverged by then
        ({"noise": 0.0, "scale_features": True, "learning_rate": 0.3, "epochs": 20}, "far"),
        ({"noise": 0.0, "scale_features": True, "learning_rate": 0.3, "epochs": 200}, "best"),
    ],
)
def test_standing_is_measured_from_the_floor(changes, found):
    """By NumPy's least squares: within 1 %, within twice, beyond, or no better than the start."""
    experiment = replace(QUADRATIC, **changes)
    recording, problem = record(experiment), build(experiment)
    curvature = curvature_of(problem.objective)
    assert standing(recording, curvature.floor_rmse) == found
    features, target = problem.linear.features.numpy(), problem.objective.target.numpy()
    left = target - features @ np.linalg.lstsq(features, target, rcond=None)[0]
    assert curvature.floor_rmse == pytest.approx(math.sqrt((left**2).mean()), abs=1e-8)


@settings(max_examples=25, deadline=None)
@given(epochs=st.integers(1, 30), share=st.floats(0.01, 1.9), scaled=st.booleans())
def test_every_sentence_fits_its_moment(epochs, share, scaled):
    """Initialise first, Stop last; at Loss the sentence says rightly whether the error fell or rose."""
    limit = 0.404 if scaled else 3.539e-5
    experiment = replace(QUADRATIC, epochs=epochs, learning_rate=share * limit, scale_features=scaled)
    recording = record(experiment)
    shown, said = instants(recording), sentences(recording, NAMES)
    words = [said.templates[choice] for choice in said.choice.tolist()]
    assert words[0].startswith("Initialise: a = {p0}, b = {p1}, c = {p2}.")
    assert words[-1] == "Stop."
    for k in range(1, len(words) - 1):
        stage = Stage(int(shown.stage[k])).name.lower()
        assert words[k].startswith(f"Epoch {{epoch}}, {stage}: ")
        if stage == "loss" and shown.epoch[k] > 0:
            fell = float(shown.rmse[k - 1] - shown.rmse[k])
            same = abs(fell) <= 1e-7 * shown.rmse[k - 1] + 1e-12 * shown.rmse[1]
            assert ("the same to six digits" in words[k]) == same
            assert ("higher" in words[k]) == (fell < 0 and not same)
            settled = bool(abs(fell) < 1e-3 * shown.rmse[k - 1])
            assert ("looks settled" in words[k]) == (settled and "higher" not in words[k])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "It stopped because 10 epochs were counted. RMSE 18.0377 is 12.3 × the floor 1.46727"),
        ({"epochs": 1}, "It stopped because 1 epoch was counted. RMSE 36.4303 is 24.8 ×"),
        ({"scale_features": True, "learning_rate": 0.2, "epochs": 40}, "no other curve is 1 % better."),
        ({"learning_rate": 5e-5}, "RMSE began at 74.9619 and ends at 29815.4. Growing after 10 epochs"),
        ({"learning_rate": 5e-5, "epochs": 40}, "Diverged at epoch 12"),
        (
            {"noise": 0.0, "scale_features": True, "learning_rate": 0.3},
            "; the floor, of the dashed curve, is 0 (a perfect fit, up to rounding).",
        ),
    ],
)
def test_the_last_word_says_why_it_stopped_and_how_far_it_is(changes, words):
    """The count, the error and its distance from the floor; a run that grows says that instead."""
    experiment = replace(QUADRATIC, **changes)
    recording, problem = record(experiment), build(experiment)
    curvature = curvature_of(problem.objective)
    forecast = forecast_of(experiment, problem, curvature)
    assert words in of_stop(
        recording, experiment, forecast, outcome(recording, curvature, Trained.of(experiment, problem))
    )


@pytest.mark.parametrize("seeds", [range(50), range(50, 100)], ids=["first", "second"])
def test_what_is_said_of_a_loop_is_true(seeds):
    """How good its curve is, what each loss says: a loop and least squares in NumPy agree, over random runs."""
    assert {seed: found for seed in seeds if (found := list(four_steps(seed)))} == {}
