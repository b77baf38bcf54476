"""What is kept of a run for a comparison is the run: exact errors, and parameters of the epochs that it names."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gd_core.problem import build
from gd_core.recorder import record
from gd_core.run_summary import (
    KEPT,
    epochs_to,
    kept_epochs,
    same_data,
    same_landscape,
    same_target,
    stride_for,
    summarised,
    trend,
    usual_target,
)
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of

BASE = Experiment.default()
FAST = replace(BASE, scale_features=True, learning_rate=0.1, epochs=60)


def sketched(experiment):
    problem = build(experiment)
    return summarised(experiment, problem, record(experiment), curvature_of(problem.objective)), problem


def test_a_short_run_is_kept_whole():
    """Every epoch's θ and RMSE are those of the recording, and the gap is the loss minus that of least squares."""
    one, problem = sketched(FAST)
    recording = record(FAST)
    assert torch.equal(one.theta, recording.epoch_theta)
    assert np.array_equal(one.rmse, recording.epoch_rmse.numpy())
    features, y = problem.linear.features.numpy(), problem.objective.target.numpy()
    best = np.linalg.lstsq(features, y, rcond=None)[0]
    lowest = np.mean((features @ best - y) ** 2)
    assert one.gap == pytest.approx(float(recording.epoch_loss[-1]) - lowest, rel=1e-9)


def test_a_long_run_keeps_its_errors_and_few_of_its_parameters():
    """Of 9,000 epochs all errors are kept; θ of the first KEPT and of some later ones, each that of its epoch."""
    experiment = replace(FAST, learning_rate=0.001, epochs=9000)
    one, _ = sketched(experiment)
    recording = record(experiment)
    assert len(one.rmse) == 9001
    assert len(one.theta) <= 2 * KEPT + 2
    assert torch.equal(one.theta, recording.epoch_theta[one.kept])
    wanted = np.array([0, 5, KEPT, KEPT + 3, 8999, 9000, 20_000])
    shown = one.kept[one.rows_at(wanted)]
    assert shown[:3].tolist() == [0, 5, KEPT]
    assert (shown <= wanted).all()
    assert shown[-2:].tolist() == [9000, 9000]
    assert one.rmse_at(wanted)[-1] == one.rmse[-1]


@given(st.integers(0, 2_000_000))
@settings(max_examples=60, deadline=None)
def test_kept_epochs_rise_from_the_first_to_the_last(epochs):
    """No epoch twice, both ends among them, the first ones all, and never many more than twice KEPT."""
    kept = kept_epochs(epochs)
    assert (np.diff(kept) > 0).all()
    assert kept[0] == 0
    assert kept[-1] == epochs
    assert len(kept) <= 2 * KEPT + 3
    assert set(range(min(KEPT, epochs))) <= set(kept.tolist())


@given(st.integers(1, 2_000_000), st.integers(1, 5000))
def test_strides_fit_into_one_another(epochs, most):
    """A stride is the smallest power of two that leaves at most so many steps."""
    stride = stride_for(epochs, most)
    assert stride & (stride - 1) == 0
    assert epochs <= stride * most
    assert stride == 1 or epochs > stride // 2 * most


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.floats(0, 1e6))
def test_epochs_to_a_target_are_counted_one_by_one(rmse, target):
    """The first epoch at or below the target, as a loop over the epochs finds it."""
    expected = next((epoch for epoch, value in enumerate(rmse) if value <= target), None)
    assert epochs_to(np.array(rmse), target) == expected


def test_the_held_out_error_at_the_end_is_numpys():
    """Of the rows that were kept from training, with θ as it ended; a run on all rows has none."""
    one, _ = sketched(replace(FAST, scale_features=False, learning_rate=1e-5, holdout=0.3, split_seed=2))
    data = build(BASE).dataset
    held_out = torch.randperm(20, generator=torch.Generator().manual_seed(2)).numpy()[:6]
    t, y = data.x[held_out, 0].numpy(), data.y[held_out, 0].numpy()
    errors = np.polyval(one.theta[-1].numpy(), t) - y
    assert one.held_out_rmse == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-12)
    assert sketched(FAST)[0].held_out_rmse is None


def test_the_usual_target_is_one_that_a_run_reaches():
    """A twentieth of the way is left where a run gets so far; else the highest end of those that fell; else none."""
    slow, problem = sketched(replace(FAST, learning_rate=0.001, epochs=5))
    fast, _ = sketched(FAST)
    gone, _ = sketched(replace(FAST, learning_rate=1.0))
    floor = curvature_of(problem.objective).floor_rmse
    assert usual_target([slow, fast, gone], floor) == pytest.approx(floor + 0.05 * (fast.rmse[0] - floor))
    assert usual_target([slow, gone], floor) == slow.rmse[-1]
    assert usual_target([gone], floor) is None
    assert usual_target([], floor) is None


def test_what_may_share_a_chart_is_told_from_the_numbers():
    """Scaled features keep data and target but have another landscape; another noise is another target."""
    one, scaled, noisy, mistaken = (
        build(replace(BASE, **changes))
        for changes in (
            {"learning_rate": 1e-6},
            {"scale_features": True},
            {"noise": 1.0},
            {"loss": "mse-broadcast"},
        )
    )
    here = build(BASE)
    assert same_data(here, one)
    assert same_landscape(here, one)
    assert same_data(here, scaled)
    assert not same_landscape(here, scaled)
    assert not same_target(here, noisy)
    assert not same_data(here, noisy)
    assert same_target(here, mistaken)
    assert not same_landscape(here, mistaken)
    assert not same_target(here, build(Experiment.default("two-features")))


@pytest.mark.parametrize("dataset", ["two-features", "noisy-quadratic", "one-parameter"])
def test_the_trend_is_numpys_straight_line(dataset):
    """Slope and rest agree with numpy.polyfit of predicted over actual values; a single row has slope 0."""
    problem = build(Experiment.default(dataset))
    theta = torch.arange(1, len(problem.start) + 1, dtype=torch.float64)
    slope, rest = (float(form @ theta) for form in trend(problem.objective))
    actual, predicted = problem.objective.target.numpy(), problem.objective.predict(theta).numpy()
    if len(actual) == 1:
        assert (slope, rest) == (0.0, predicted[0])
    else:
        assert (slope, rest) == pytest.approx(tuple(np.polyfit(actual, predicted, 1)), rel=1e-9)
