"""Recordings: all at once, in slices, and continued from earlier phases."""

from dataclasses import replace

import pytest
import torch

from gd_core import recorder as recorder_module
from gd_core.problem import build
from gd_core.recorder import WATCHED, Recorder, record, watched
from gd_core.settings.experiment import Experiment
from gd_core.training import Recording

RUNS = {
    "full batches": replace(Experiment.default(), epochs=40),
    "mini-batches": replace(Experiment.default("two-features"), points=30, batch_size=7, epochs=12),
    "scaled, Adam": replace(Experiment.default(optimizer="adam"), scale_features=True, epochs=30),
    "shape mistake": replace(Experiment.default("two-features"), points=30, loss="mse-broadcast", epochs=20),
    "diverges": replace(Experiment.default("one-parameter"), learning_rate=0.2, epochs=40),
}


def assert_same(one: Recording, other: Recording):
    assert torch.equal(one.theta, other.theta)
    assert torch.equal(one.loss, other.loss)
    assert torch.equal(one.gradient, other.gradient)
    torch.testing.assert_close(one.epoch_loss, other.epoch_loss, rtol=1e-13, atol=0)  # sums in another order
    torch.testing.assert_close(one.epoch_rmse, other.epoch_rmse, rtol=1e-13, atol=0)
    assert one.diverged_at == other.diverged_at
    assert one.complete == other.complete
    assert one.stopped == other.stopped


def sliced(experiment, updates=1):
    """Recorded with a look at the recording after every so many updates."""
    recorder = Recorder(experiment)
    seen = []
    while not recorder.complete:
        for _ in range(updates):
            recorder.advance(0.0)  # no time at all: one update
        seen.append(recorder.recording())
    return seen


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("updates", [1, 5])
def test_slices_of_time_make_the_same_recording(name, updates):
    """A run followed live ends with the numbers of a run in one go, and every look before is its beginning."""
    whole = record(RUNS[name])
    *before, last = sliced(RUNS[name], updates)
    assert_same(last, whole)
    assert len(before) >= 1
    for part in before:
        assert not part.complete
        assert torch.equal(part.theta, whole.theta[: part.updates + 1])
        torch.testing.assert_close(part.epoch_rmse, whole.epoch_rmse[: part.epochs + 1], rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", RUNS)
def test_long_runs_in_small_pieces_of_memory_are_the_same(name, monkeypatch):
    """However few steps are stacked and residuals computed together, the recording is the same."""
    whole = record(RUNS[name])
    monkeypatch.setattr(recorder_module, "STACKED_AT_ONCE", 3)
    monkeypatch.setattr(recorder_module, "ERRORS_AT_ONCE", 1)
    assert_same(record(RUNS[name]), whole)


@pytest.mark.parametrize("name", RUNS)
def test_a_recording_has_its_shapes(name):
    """θ [T + 1, P], loss [T + 1], gradient [T + 1, P], and epoch columns [E + 1] that fit them."""
    experiment = RUNS[name]
    recording = record(experiment)
    points, parameters = recording.updates + 1, len(experiment.info.parameters)
    assert recording.theta.shape == recording.gradient.shape == (points, parameters)
    assert recording.epoch_loss.shape == recording.epoch_rmse.shape == (recording.epochs + 1,)
    assert torch.equal(recording.epoch_theta, recording.theta[:: experiment.updates_per_epoch])
    assert recording.epoch_theta.shape == (recording.epochs + 1, parameters)
    assert recording.mini_batches == (name == "mini-batches")
    if name != "diverges":
        assert recording.epochs == experiment.epochs
        assert recording.updates == experiment.epochs * experiment.updates_per_epoch


@pytest.mark.parametrize("name", RUNS)
def test_columns_belong_to_their_theta(name):
    """Loss and RMSE of an epoch are those of all rows at that epoch's θ, recomputed in NumPy."""
    experiment, recording = RUNS[name], record(RUNS[name])
    objective = build(experiment).linear
    predictions = recording.epoch_theta.numpy() @ objective.features.numpy().T
    target = objective.target.numpy()
    rmse = ((predictions - target) ** 2).mean(1) ** 0.5
    assert recording.epoch_rmse.tolist() == pytest.approx(rmse, rel=1e-9)
    if experiment.loss == "mse":
        assert recording.epoch_loss.tolist() == pytest.approx(rmse**2, rel=1e-9)
    else:
        tables = [((p[:, None] - target) ** 2).mean() for p in predictions]
        assert recording.epoch_loss.tolist() == pytest.approx(tables, rel=1e-9)


def test_a_diverged_run_keeps_the_last_epoch_below_the_bound():
    """At rate 0.2 the error of A grows × 2.6: the recording ends before 10⁶ times the first loss, by arithmetic."""
    recording = record(RUNS["diverges"])
    losses = [81 * 2.6 ** (2 * k) for k in range(40)]
    first_above = next(k for k, loss in enumerate(losses) if loss > 1e6 * 81)
    assert recording.diverged_at == first_above
    assert recording.epochs == first_above - 1
    assert recording.loss.tolist() == pytest.approx(losses[:first_above], rel=1e-9)
    assert recording.complete
    assert not recording.stopped


def test_a_small_first_loss_counts_as_one():
    """From an error of 0.01 the run may grow to a loss of 10⁶, not only to 10⁶ times 0.0009."""
    recording = record(replace(RUNS["diverges"], start=(-0.99,)))
    assert float(recording.loss[0]) == pytest.approx(9e-4)
    assert 1e6 / 2.6**2 < float(recording.loss[-1]) <= 1e6


def test_mini_batches_diverge_within_an_epoch():
    """The epoch that is named is the one in which the loss of a batch passed the bound."""
    experiment = replace(Experiment.default(), batch_size=3, learning_rate=1e-2, epochs=20)
    recording = record(experiment)
    assert recording.diverged_at == recording.updates // experiment.updates_per_epoch + 1
    assert recording.epochs == recording.updates // experiment.updates_per_epoch
    assert float(recording.loss[-1]) <= 1e6 * float(recording.loss[0])


def test_a_recorder_stands_at_its_start():
    """Before any training there is one point: the start, with its loss and gradient."""
    recording = Recorder(Experiment.default("one-parameter")).recording()
    assert recording.theta.tolist() == [[2.0]]
    assert (recording.loss.tolist(), recording.gradient.tolist()) == ([81.0], [[54.0]])
    assert (recording.epochs, recording.complete) == (0, False)


def test_a_continued_run_is_two_runs_one_after_the_other():
    """The first part is the old run up to there; the second starts from its θ with fresh state."""
    first = replace(
        Experiment.default(optimizer="momentum"), scale_features=True, learning_rate=0.05, epochs=30
    )
    both = first.continued(12, optimizer="adam", learning_rate=0.3, epochs=9)
    recording = record(both)
    assert recording.epochs == 21
    old = record(first)
    assert torch.equal(recording.theta[:13], old.theta[:13])
    there = build(first).raw(old.theta[12])
    second = replace(both, before=(), start=tuple(there.tolist()))
    torch.testing.assert_close(recording.theta[12:], record(second).theta, rtol=1e-8, atol=1e-8)


def test_phases_count_epochs_of_mini_batches():
    """With batches, a phase of 3 epochs has 3 ⌈N/B⌉ updates, and the shuffling goes on where it was."""
    first = replace(Experiment.default("two-features"), points=30, batch_size=7, learning_rate=0.05, epochs=6)
    both = first.continued(3, learning_rate=0.01, epochs=4)
    old, recording = record(first), record(both)
    assert recording.epochs == 7
    assert torch.equal(recording.theta[:16], old.theta[:16])
    step = recording.theta[16] - recording.theta[15]
    torch.testing.assert_close(step, -0.01 * old.gradient[15], rtol=1e-9, atol=1e-12)


# ----------------------------------------------------------------------------------------- what is seen of a divergence

EXPLODES = {
    "at once": replace(Experiment.default("one-parameter"), learning_rate=1e4, epochs=40),
    "at its second epoch": replace(Experiment.default("one-parameter"), learning_rate=60.0, epochs=40),
    "along the eigenvectors": replace(
        Experiment.default("one-parameter"), learning_rate=1e4, epochs=2000, engine="spectrum"
    ),
    "a run of two epochs": replace(Experiment.default("one-parameter"), learning_rate=1e4, epochs=2),
}


@pytest.mark.parametrize("name", EXPLODES)
def test_some_epochs_of_every_run_can_be_watched(name):
    """Along 1 − 18η the distance to −1 goes on growing beyond the bound; what is reported stays as it is."""
    experiment = EXPLODES[name]
    recording, problem = record(experiment), build(experiment)
    before = recording.epochs
    shown = watched(recording, experiment, problem)
    epochs = min(WATCHED, experiment.epochs)
    assert before < epochs == shown.epochs == shown.updates
    assert shown.diverged_at == recording.diverged_at == before + 1
    assert (shown.engine, shown.complete) == (recording.engine, True)
    away = (float(problem.start[0]) + 1) * (1 - 18 * experiment.learning_rate) ** torch.arange(epochs + 1.0)
    torch.testing.assert_close(shown.epoch_theta[:, 0] + 1, away.double(), rtol=1e-6, atol=0)
    assert recording.epochs == before


def test_a_run_that_has_epochs_to_show_is_watched_as_it_is():
    """Also one that diverges later, which ends before the bound."""
    for experiment in (RUNS["diverges"], RUNS["full batches"]):
        recording = record(experiment)
        assert watched(recording, experiment, build(experiment)) is recording


def test_no_number_is_watched_that_is_none():
    """From 1e140 the loss is 9e280, after one epoch of 1 − 18e6 3e295, and then beyond 1e308: one epoch is there."""
    experiment = replace(Experiment.default("one-parameter"), start=(1.0,), learning_rate=1e6, epochs=9)
    problem = build(experiment)
    problem = replace(problem, start=problem.start * 1e140)
    recorder = Recorder(experiment, problem)
    recorder.advance()
    shown = watched(recorder.recording(), experiment, problem)
    assert shown.epochs == 1 < WATCHED
    for column in (shown.theta, shown.loss, shown.gradient, shown.epoch_rmse):
        assert bool(column.isfinite().all())


def test_mini_batches_are_watched_by_whole_epochs():
    """The loss of all rows and of each batch, to the end of the third epoch."""
    experiment = replace(
        Experiment.default("two-features"), points=30, batch_size=7, epochs=12, learning_rate=1e3
    )
    recording = record(experiment)
    shown = watched(recording, experiment, build(experiment))
    assert (shown.epochs, shown.updates) == (WATCHED, 5 * WATCHED)
    assert torch.equal(shown.theta[: recording.updates + 1], recording.theta)
