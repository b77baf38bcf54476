"""How a run ended: for each outcome a run that must end so."""

from dataclasses import replace

import pytest
import torch

from gd_core import gone_on
from gd_core.outcome import Finding, Outcome, Trained, outcome
from gd_core.problem import build
from gd_core.recorder import Recorder, record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of, stability_limit

PARABOLA = Experiment.default("one-parameter")
QUADRATIC = Experiment.default("noisy-quadratic")
SCALED = replace(QUADRATIC, scale_features=True, learning_rate=0.1)
PLANE = Experiment.default("two-features")


def found(experiment, **changes):
    experiment = replace(experiment, **changes)
    return judged(experiment, record(experiment))


def judged(experiment, recording):
    problem = build(experiment)
    return outcome(recording, curvature_of(problem.objective), Trained.of(experiment, problem))


def at_limit(experiment, share):
    return share * stability_limit(curvature_of(build(experiment).objective), experiment.phase)


def test_one_step_converges():
    """At 1/18 the parabola is solved by the first step, and that is the epoch that is named."""
    assert found(PARABOLA, learning_rate=1 / 18) == Finding(Outcome.CONVERGED, 1)


@pytest.mark.parametrize("rate", [0.01, 0.1])
def test_converged_is_a_millionth_of_the_first_gap(rate):
    """The epoch named is the first from which (1 − 18η)²ᵏ stays below a millionth, by arithmetic."""
    first = next(k for k in range(1000) if (1 - 18 * rate) ** (2 * k) <= 1e-6)
    assert found(PARABOLA, learning_rate=rate, epochs=first) == Finding(Outcome.CONVERGED, first)
    assert found(PARABOLA, learning_rate=rate, epochs=first + 50) == Finding(Outcome.CONVERGED, first)
    assert found(PARABOLA, learning_rate=rate, epochs=first - 1).outcome != Outcome.CONVERGED


def test_a_start_at_the_optimum_has_converged():
    """Where nothing is left to do from the start, epoch 0 is named."""
    assert found(PARABOLA, start=(-1.0,)) == Finding(Outcome.CONVERGED, 0)
    optimum = tuple(curvature_of(build(QUADRATIC).objective).optimum.tolist())
    assert found(QUADRATIC, start=optimum, epochs=50) == Finding(Outcome.CONVERGED, 0)


@pytest.mark.parametrize(
    "experiment", [QUADRATIC, replace(QUADRATIC, epochs=10), PLANE, replace(SCALED, epochs=5)]
)
def test_the_articles_runs_are_still_descending(experiment):
    """“Stable at 18.04” is not converged, for 10 epochs or 1,000; neither is the plane after 1,000."""
    assert found(experiment) == Finding(Outcome.DESCENDING)


@pytest.mark.parametrize("epochs", [4, 40, 4000])
def test_the_limit_itself_overshoots_for_ever(epochs):
    """At 1/9 the point jumps from side to side, as high as ever, for any number of epochs."""
    assert found(PARABOLA, learning_rate=1 / 9, epochs=epochs) == Finding(Outcome.OVERSHOOTING)


def test_between_half_the_limit_and_the_limit_it_overshoots():
    """The factor of the steepest direction is −0.9: the run comes down from side to side."""
    assert found(SCALED, learning_rate=at_limit(SCALED, 0.95), epochs=20) == Finding(Outcome.OVERSHOOTING)


def test_below_half_the_limit_it_does_not():
    """There every factor is positive: no error changes its sign."""
    assert found(SCALED, learning_rate=at_limit(SCALED, 0.45), epochs=5) == Finding(Outcome.DESCENDING)


@pytest.mark.parametrize("experiment", [PARABOLA, QUADRATIC, SCALED, PLANE])
def test_slightly_above_the_limit_it_grows(experiment):
    """A thousandth above the limit it is not yet diverged after 200 epochs, but growing."""
    rate = at_limit(experiment, 1.001)
    epochs = 1500 if experiment == PLANE else 200  # the plane's fall hides the growth for longer
    assert found(experiment, learning_rate=rate, epochs=epochs) == Finding(Outcome.GROWING)


@pytest.mark.parametrize("experiment", [PARABOLA, QUADRATIC, SCALED, PLANE])
def test_far_above_the_limit_it_diverges(experiment):
    """The epoch named is the first whose loss is above 10⁶ × max(1, first loss)."""
    experiment = replace(experiment, learning_rate=at_limit(experiment, 1.5), epochs=1000)
    finding = found(experiment)
    assert finding.outcome == Outcome.DIVERGED
    assert finding.epoch is not None
    problem = build(experiment)
    features, target = problem.linear.features.numpy(), problem.objective.target.numpy()
    theta, losses = problem.start.numpy(), []
    for _ in range(finding.epoch + 1):
        error = features @ theta - target
        losses.append(error @ error / len(target))
        theta = theta - experiment.learning_rate * 2 / len(target) * features.T @ error
    bound = 1e6 * max(1, losses[0])
    assert losses[-1] > bound >= max(losses[:-1])


def test_growing_before_diverging():
    """The same run, cut short, is growing: the bound is what makes the difference."""
    rate = at_limit(QUADRATIC, 1.01)
    long = found(QUADRATIC, learning_rate=rate, epochs=2000)
    assert long.outcome == Outcome.DIVERGED
    assert found(QUADRATIC, learning_rate=rate, epochs=long.epoch - 1) == Finding(Outcome.GROWING)


def test_momentum_overshoots_below_its_limit_and_arrives():
    """It swings through the valley, over several epochs at a time, and converges in the end."""
    momentum = replace(SCALED, optimizer="momentum", learning_rate=0.05)
    assert found(momentum, epochs=40) == Finding(Outcome.OVERSHOOTING)
    assert found(momentum, epochs=1000).outcome == Outcome.CONVERGED


def test_single_rows_hover():
    """With one row in each update and a fixed rate, the run stays above the optimum and no longer falls."""
    assert found(SCALED, batch_size=1, learning_rate=0.05, epochs=200) == Finding(Outcome.HOVERING)


def shortened(recording, epochs):
    """The same run, as if it had been stopped there."""
    updates = epochs * recording.updates_per_epoch
    return replace(
        recording,
        theta=recording.theta[: updates + 1],
        loss=recording.loss[: updates + 1],
        gradient=recording.gradient[: updates + 1],
        epoch_theta=recording.epoch_theta[: epochs + 1],
        epoch_loss=recording.epoch_loss[: epochs + 1],
        epoch_rmse=recording.epoch_rmse[: epochs + 1],
    )


@pytest.mark.parametrize("batch_size", [1, 3])
def test_hovering_is_told_at_any_epoch(batch_size, monkeypatch):
    """Single rows scatter the loss by a factor of ten and more; wherever the run ends, it hovers all the same."""
    experiment = replace(SCALED, batch_size=batch_size, learning_rate=0.15, epochs=150)
    recording = record(experiment)
    share_what_comes(monkeypatch, experiment)
    found = [judged(experiment, shortened(recording, epochs)).outcome for epochs in range(40, 151)]
    assert found.count(Outcome.HOVERING) >= 0.95 * len(found)


def share_what_comes(monkeypatch, experiment):
    """Ends of one run go on alike: it is gone on with once, as far as the longest of them, and each is given its part."""
    problem, go_on = build(experiment), gone_on._gaps_gone_on
    curvature = curvature_of(problem.objective)
    farthest = gone_on.epochs_in(experiment, gone_on.MOST)
    gaps = go_on(experiment, problem, curvature, farthest, 1.0)
    part = farthest // 7
    assert torch.equal(go_on(experiment, problem, curvature, part, 1.0), gaps[: part + 1])

    def shared(asked, _problem, _curvature, epochs, times):
        assert (asked, times) == (experiment, 1.0)
        assert epochs <= farthest
        return gaps[: epochs + 1]

    monkeypatch.setattr(gone_on, "_gaps_gone_on", shared)


def test_slow_descent_in_batches_is_not_hovering(monkeypatch):
    """A fall of a thousandth an epoch is seen through the scatter of the batches."""
    experiment = replace(PLANE, points=60, batch_size=20, learning_rate=1e-4, epochs=60)
    recording = record(experiment)
    share_what_comes(monkeypatch, experiment)
    for epochs in range(21, 61):
        assert judged(experiment, shortened(recording, epochs)) == Finding(Outcome.DESCENDING)


def test_mini_batches_without_noise_converge():
    """Where one θ fits every row, each batch agrees about the optimum and nothing hovers."""
    assert found(PLANE, points=60, batch_size=10, learning_rate=0.1, epochs=200).outcome == Outcome.CONVERGED


def test_mini_batches_that_still_fall_are_descending():
    """Falling by more than it hovers."""
    assert found(PLANE, points=60, batch_size=10, learning_rate=1e-3, epochs=60) == Finding(
        Outcome.DESCENDING
    )


def test_mini_batches_can_grow_and_diverge():
    """Too large a rate throws single rows out as well."""
    assert found(SCALED, batch_size=1, learning_rate=1.0, epochs=200).outcome == Outcome.DIVERGED


def test_a_stopped_run_says_so():
    """Whatever it was doing, with the epoch at which it was stopped."""
    recorder = Recorder(QUADRATIC)
    for _ in range(7):
        recorder.advance(0.0)
    recorder.stop()
    assert judged(recorder.experiment, recorder.recording()) == Finding(Outcome.STOPPED, 7)


@pytest.mark.parametrize("optimizer", ["gradient-descent", "adam"])
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_the_shortest_runs_have_an_outcome(optimizer, epochs):
    """Even one epoch is told apart, without looking back farther than there is."""
    assert found(QUADRATIC, optimizer=optimizer, epochs=epochs) == Finding(Outcome.DESCENDING)


def test_a_run_that_stands_at_its_start_has_an_outcome():
    """Before the first epoch nothing can be said but that it goes on."""
    recorder = Recorder(QUADRATIC)
    assert judged(recorder.experiment, recorder.recording()) == Finding(Outcome.DESCENDING)


def test_rounding_is_not_growth():
    """A run that has arrived and jitters in its last digit has converged, however long it goes on."""
    for experiment in (SCALED, replace(PLANE, learning_rate=0.5), replace(PARABOLA, learning_rate=1 / 18)):
        assert found(experiment, epochs=3000).outcome == Outcome.CONVERGED


def test_the_shape_mistake_converges_to_its_own_floor():
    """Judged by the loss that is minimised, not by the error against the data, which stays large."""
    mistaken = replace(PLANE, loss="mse-broadcast", learning_rate=0.3, epochs=100)
    recording = record(mistaken)
    assert found(mistaken).outcome == Outcome.CONVERGED
    assert float(recording.epoch_rmse[-1]) > 1
    assert torch.isfinite(recording.theta).all()
