"""Rows kept from training: who sees them, what is said of them, and when the two errors part."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gd_core import verdict
from gd_core.datasets import DATASETS
from gd_core.outcome import Trained, outcome, overfitting
from gd_core.problem import build, split
from gd_core.recorder import Recorder, record
from gd_core.settings.experiment import Experiment, defaults
from gd_core.theory import curvature_of, forecast_of
from gd_core.training import Epochs

SCALED = Experiment(scale_features=True, learning_rate=0.1, epochs=30, holdout=0.3, split_seed=5)
PARTS = replace(SCALED, points=8, noise=20.0, holdout=0.5, split_seed=1, learning_rate=0.2, epochs=200)
RUNS = {
    "quadratic": replace(SCALED, scale_features=False, learning_rate=1e-5),
    "quadratic, scaled": SCALED,
    "quadratic, scaled, batches of 4": replace(SCALED, batch_size=4, learning_rate=0.05, seed=3),
    "plane, scaled, batches of 7": Experiment(
        **defaults("two-features", "gradient-descent")
        | {"points": 50, "noise": 1.0, "holdout": 0.25, "batch_size": 7, "scale_features": True, "epochs": 20}
        | {"learning_rate": 0.1}
    ),
}


# --------------------------------------------------------------------------------------------------- the split


@given(st.integers(2, 200), st.data())
def test_a_split_is_a_partition(rows, data):
    """Every row is on one side, in the data's order, and the same seed gives the same sides."""
    held_out, seed = data.draw(st.integers(1, rows // 2)), data.draw(st.integers(0, 2**32 - 1))
    training, kept = split(rows, held_out, seed)
    assert (len(training), len(kept)) == (rows - held_out, held_out)
    assert sorted([*training.tolist(), *kept.tolist()]) == list(range(rows))
    assert training.tolist() == sorted(training.tolist())
    assert kept.tolist() == sorted(kept.tolist())
    assert torch.equal(split(rows, held_out, seed)[1], kept)


def test_another_seed_holds_out_other_rows():
    """Of 100 rows the 30 of one seed are not those of another."""
    assert split(100, 30, 0)[1].tolist() != split(100, 30, 1)[1].tolist()


# ------------------------------------------------------------------------------------------- against torch.optim


def features_of(x):
    """t², t, 1 of one feature; x₁, x₂, 1 of two."""
    first = [x[:, 0] ** 2, x[:, 0]] if x.shape[1] == 1 else [x[:, 0], x[:, 1]]
    return np.column_stack([*first, np.ones(len(x))])


def by_hand(experiment):
    """RMSE of both kinds of rows by epoch: NumPy splits and scales, torch.optim trains, nothing of gd_core in between."""
    data = DATASETS[experiment.dataset](
        experiment.points, noise=experiment.noise, data_seed=experiment.data_seed
    )
    x, y = data.x.numpy(), data.y.numpy()[:, 0]
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(experiment.split_seed)).numpy()
    cut = round(experiment.holdout * len(x))
    held_out, training = np.sort(order[:cut]), np.sort(order[cut:])
    start = data.start.numpy()
    if experiment.scale_features:
        mean, deviation = x[training].mean(0), x[training].std(0)
        scaled = features_of((x - mean) / deviation)
        # the same curve: what the raw start predicts, in scaled features
        start = np.linalg.lstsq(scaled, features_of(x) @ start, rcond=None)[0]
        features = torch.tensor(scaled)
    else:
        features = torch.tensor(features_of(x))
    target = torch.tensor(y)
    theta = torch.nn.Parameter(torch.tensor(start))
    optimizer = torch.optim.SGD([theta], lr=experiment.learning_rate)
    generator = torch.Generator().manual_seed(experiment.seed)
    rows = torch.tensor(training)
    curves = []
    for epoch in range(experiment.epochs + 1):
        with torch.no_grad():
            squares = (features @ theta - target) ** 2
        curves.append([float(squares[list(side)].mean()) ** 0.5 for side in (training, held_out)])
        if epoch == experiment.epochs:
            break
        batches = [rows]
        if experiment.batch_size:
            batches = [
                rows[part]
                for part in torch.randperm(len(rows), generator=generator).split(experiment.batch_size)
            ]
        for batch in batches:
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(features[batch] @ theta, target[batch]).backward()
            optimizer.step()
    return np.array(curves)


@pytest.mark.parametrize("name", RUNS)
def test_both_errors_are_those_of_torch_optim(name):
    """At every epoch, with all rows and with shuffled batches, scaled by the training rows or not."""
    recording = record(RUNS[name])
    found = torch.stack([recording.epoch_rmse, recording.epoch_held_out_rmse], 1).numpy()
    np.testing.assert_allclose(found, by_hand(RUNS[name]), rtol=1e-8)


@pytest.mark.parametrize("name", RUNS)
def test_training_never_sees_a_held_out_row(name, monkeypatch):
    """With other values in the held-out rows, start, path, curvature, optimum and floor are the same to the last bit."""
    experiment = RUNS[name]
    problem, recording = build(experiment), record(experiment)
    kept = split(experiment.points, experiment.held_out_rows, experiment.split_seed)[1]
    made = DATASETS[experiment.dataset]

    def spoilt(*args, **kwargs):
        data = made(*args, **kwargs)
        x, y = data.x.clone(), data.y.clone()
        x[kept], y[kept] = 1e3, -1e6
        return replace(data, x=x, y=y)

    monkeypatch.setitem(DATASETS, experiment.dataset, spoilt)
    other, again = build(experiment), record(experiment)
    for tensor in ("theta", "loss", "gradient", "epoch_loss", "epoch_rmse"):
        assert torch.equal(getattr(again, tensor), getattr(recording, tensor))
    one, two = curvature_of(problem.objective), curvature_of(other.objective)
    assert torch.equal(one.hessian, two.hessian)
    assert torch.equal(one.optimum, two.optimum)
    assert one.floor_rmse == two.floor_rmse
    assert torch.equal(problem.to_raw, other.to_raw)
    assert float(again.epoch_held_out_rmse[-1]) > 1e5  # it was spoilt


def test_theory_is_that_of_the_training_rows():
    """Optimum and floor are NumPy's least squares on those rows alone."""
    problem = build(SCALED)
    t, y = problem.dataset.x[:, 0].numpy(), problem.dataset.y[:, 0].numpy()
    forecast = forecast_of(SCALED, problem, curvature_of(problem.objective))
    best = np.polyfit(t, y, 2)
    assert len(t) == 14
    assert forecast.optimum == pytest.approx(best, rel=1e-9)
    assert forecast.floor_rmse == pytest.approx(np.sqrt(np.mean((np.polyval(best, t) - y) ** 2)), rel=1e-9)


@pytest.mark.parametrize("split_seed", [0, 7])
def test_nothing_held_out_changes_nothing(split_seed):
    """All rows, the data's own order, no held-out column, whatever the seed of the split."""
    plain = replace(SCALED, holdout=0.0, split_seed=split_seed)
    data, problem, recording = DATASETS["noisy-quadratic"](), build(plain), record(plain)
    assert torch.equal(problem.dataset.x, data.x)
    assert (problem.held_out, problem.validation, recording.epoch_held_out_rmse) == (None, None, None)
    assert "eld-out" not in verdict_of(plain)


def test_a_run_in_slices_has_the_same_held_out_errors():
    """However often the recording is asked for on the way."""
    recorder = Recorder(RUNS["quadratic, scaled, batches of 4"])
    while not recorder.complete:
        recorder.advance(seconds=0)
        sizes = recorder.recording()
        assert len(sizes.epoch_held_out_rmse) == len(sizes.epoch_rmse)
    whole = record(RUNS["quadratic, scaled, batches of 4"])
    torch.testing.assert_close(
        recorder.recording().epoch_held_out_rmse, whole.epoch_held_out_rmse, rtol=1e-13, atol=0
    )


# ------------------------------------------------------------------------------------------------- when they part


def recording_of(training, held_out):
    """Two errors by epoch, and nothing else that matters."""
    training, held_out = (torch.tensor(values, dtype=torch.float64) for values in (training, held_out))
    nothing = torch.zeros(len(training), 1, dtype=torch.float64)
    return Epochs(
        epoch_theta=nothing,
        epoch_loss=training**2,
        epoch_rmse=training,
        epoch_held_out_rmse=held_out,
    )


FALLS = [10 * 0.9**k + 1 for k in range(101)]


def test_they_part_where_the_held_out_error_is_lowest():
    """A valley at epoch 30, then up by far more than 2 %, while training falls."""
    valley = [5 + ((k - 30) / 30) ** 2 for k in range(101)]
    assert overfitting(recording_of(FALLS, valley)) == (30, 5.0)


@pytest.mark.parametrize(
    ("training", "held_out"),
    [
        (FALLS, FALLS),  # both fall
        (FALLS, [one + 3 for one in FALLS]),  # the other is higher, and falls all the same
        (FALLS[::-1], FALLS[::-1]),  # both rise
        (FALLS, [5 + 1e-4 * abs(k - 30) for k in range(101)]),  # up by less than 2 %
        (FALLS, [5 if k != 30 else 3 for k in range(100)] + [3.0]),  # a lucky epoch, and low again at the end
        (FALLS, [1e-17 * (1 + k % 3) for k in range(101)]),  # rounding
        ([1.0], [1.0]),  # the start alone
    ],
)
def test_they_do_not_part(training, held_out):
    """Where nothing says that training longer has made the held-out error worse."""
    assert overfitting(recording_of(training, held_out)) is None


def verdict_of(experiment):
    problem, recording = build(experiment), record(experiment)
    curvature = curvature_of(problem.objective)
    forecast = forecast_of(experiment, problem, curvature)
    return verdict.of_run(
        recording, experiment, forecast, outcome(recording, curvature, Trained.of(experiment, problem))
    )


def test_the_verdict_says_where_they_part():
    """Four noisy rows fix a curve that misses the four others; epoch and lowest RMSE are those of NumPy."""
    held_out = by_hand(PARTS)[:, 1]
    said = verdict_of(PARTS)
    assert f"part after epoch {held_out.argmin()}, where it was lowest" in said
    assert verdict.significant(float(held_out.min())) in said
    assert f"Held-out RMSE {verdict.significant(float(held_out[-1]))}" in said


def test_the_verdict_says_that_they_do_not_part():
    """With little noise the curve of 14 rows is the curve of the other 6."""
    said = verdict_of(replace(SCALED, epochs=100))
    assert said.endswith(": the two errors do not part.")
