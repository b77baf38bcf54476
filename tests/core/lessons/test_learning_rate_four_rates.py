"""Four rates of a problem, and both sides of its limit, held against real runs."""

from dataclasses import replace

import pytest
import torch

from gd_core.lessons.learning_rate.four_rates import four_rates, near_limit
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of, forecast_of

PROBLEMS = {
    "quadratic": replace(Experiment.default("noisy-quadratic"), epochs=100),
    "scaled": replace(Experiment.default("noisy-quadratic"), scale_features=True, epochs=15),
    "plane": replace(Experiment.default("two-features"), epochs=15),
    "parabola": replace(Experiment.default("one-parameter"), epochs=15),
}
every_problem = pytest.mark.parametrize("experiment", PROBLEMS.values(), ids=PROBLEMS)


def foreseen(experiment):
    problem = build(experiment)
    curvature = curvature_of(problem.objective)
    return problem, curvature, forecast_of(experiment, problem, curvature)


def ended(experiment, rate):
    return record(replace(experiment, learning_rate=rate))


@every_problem
def test_four_rates_do_what_they_are_called(experiment):
    """The first is in the zone slow, the second leaves the smallest error, the third jumps across, the fourth diverges."""
    problem, curvature, forecast_ = foreseen(experiment)
    rates = four_rates(experiment, problem, curvature, forecast_)
    assert list(rates) == sorted(rates)
    runs = [ended(experiment, rate) for rate in rates]
    assert forecast_.zone(rates[0]) == "slow"
    assert min(range(4), key=lambda i: float(runs[i].epoch_rmse[-1])) == 1
    error = curvature.along(runs[2].theta)[:, -1]
    assert (error[1:] * error[:-1] < 0).all()
    assert (error[1:].abs() < error[:-1].abs()).all()
    assert [run.diverged_at is not None for run in runs] == [False, False, False, True]


@every_problem
@pytest.mark.parametrize("momentum", [0.5, 0.99, 0.9999])
def test_fewer_digits_bring_no_rate_across_another(experiment, momentum):
    """With momentum the best lies so near the limit that three digits would make them one."""
    experiment = replace(experiment, optimizer="momentum", momentum=momentum)
    problem, curvature, forecast_ = foreseen(experiment)
    slow, best, almost, above = four_rates(experiment, problem, curvature, forecast_)
    assert 0 < slow < best < almost < forecast_.stability_limit < above
    assert slow == float(f"{slow:.3g}")


@every_problem
@pytest.mark.parametrize("schedule", ["step:4:0.5", "exponential:0.8", "cosine:0:0.01", "constant"])
def test_four_rates_under_a_schedule_are_its_own(experiment, schedule):
    """The second leaves the smallest error of all up to the limit, of which 40 are tried, and is not that of a constant rate."""
    scheduled = replace(experiment, schedule=schedule, warmup=3)
    rates = four_rates(scheduled, *foreseen(scheduled))
    assert list(rates) == sorted(rates)
    limit, least = foreseen(scheduled)[2].stability_limit, float(ended(scheduled, rates[1]).epoch_rmse[-1])
    assert rates[1] <= limit
    for rate in (*rates[:1], *(torch.linspace(0.025, 1, 40) * limit).tolist()):
        assert float(ended(scheduled, rate).epoch_rmse[-1]) >= least * (1 - 1e-6)
    if schedule != "constant":
        assert rates[1] != four_rates(experiment, *foreseen(experiment))[1]


@pytest.mark.parametrize("optimizer", ["adagrad", "rmsprop", "adam"])
def test_a_rule_without_a_limit_has_a_best_among_those_tried(optimizer):
    """Of a hundredth of it, itself, 10 and 100 times it, the second leaves the smallest error."""
    experiment = replace(Experiment.default("noisy-quadratic", optimizer), scale_features=True, epochs=15)
    rates = four_rates(experiment, *foreseen(experiment))
    ends = [float(ended(experiment, rate).epoch_rmse[-1]) for rate in rates]
    assert min(ends) == ends[1]
    assert [round(rate / rates[1], 3) for rate in rates] == [0.01, 1, 10, 100]


@every_problem
@pytest.mark.parametrize("optimizer", ["gradient-descent", "momentum", "nesterov"])
@pytest.mark.parametrize("share", [1.01, 1.1, 2.0])
def test_above_the_limit_a_run_diverges_at_the_epoch_that_is_said(experiment, optimizer, share):
    """The loss passes 10⁶ × its first value just then, in a real run."""
    experiment = replace(experiment, optimizer=optimizer, momentum=0.9, epochs=500)
    problem, curvature, _ = foreseen(experiment)
    said = near_limit(problem.objective, curvature, experiment.phase, problem.start, share)
    assert said.outcome == "grows"
    assert said.factor > 1
    assert ended(experiment, said.learning_rate).diverged_at == said.diverges_at


@every_problem
def test_at_the_limit_the_error_keeps_its_size_and_changes_sides(experiment):
    """Along the steepest direction, for 200 epochs of a real run."""
    problem, curvature, _ = foreseen(experiment)
    said = near_limit(problem.objective, curvature, experiment.phase, problem.start, 1.0)
    run = ended(replace(experiment, epochs=200), said.learning_rate)
    error = curvature.along(run.theta)[:, -1]
    torch.testing.assert_close(error[1:], -error[:-1], rtol=1e-9, atol=1e-9)
    assert (said.outcome, said.factor, said.diverges_at) == ("bounces", 1.0, None)


@every_problem
def test_below_the_limit_the_error_halves_as_said(experiment):
    """At 99 % a real run needs 35 epochs to halve it: 0.98 to the 35th is below a half."""
    problem, curvature, _ = foreseen(experiment)
    said = near_limit(problem.objective, curvature, experiment.phase, problem.start, 0.99)
    run = ended(replace(experiment, epochs=60), said.learning_rate)
    error = curvature.along(run.theta)[:, -1].abs()
    first = int((error <= error[0] / 2).nonzero()[0])
    assert first - 1 < said.half_life <= first
    assert (said.outcome, said.diverges_at) == ("shrinks", None)


def test_just_above_the_limit_it_takes_very_long():
    """A millionth above, 10⁶ × takes over a million epochs; ten thousand of them, trained, are not enough."""
    experiment = replace(PROBLEMS["parabola"], epochs=10_000)
    problem, curvature, _ = foreseen(experiment)
    said = near_limit(problem.objective, curvature, experiment.phase, problem.start, 1 + 1e-6)
    assert 3_000_000 < said.diverges_at < 4_000_000
    run = ended(experiment, said.learning_rate)
    assert run.diverged_at is None
    assert run.loss[-1] > run.loss[0]


def test_a_start_without_error_never_diverges():
    """At the optimum no rate moves anything, and the answer says that there is nothing to see."""
    experiment = replace(PROBLEMS["parabola"], start=(-1.0,))
    problem, curvature, _ = foreseen(experiment)
    said = near_limit(problem.objective, curvature, experiment.phase, problem.start, 1.5)
    assert not said.has_part
    assert said.diverges_at is None


def test_a_rule_without_a_limit_has_no_sides():
    """The reason is theory's."""
    experiment = Experiment.default("one-parameter", "adam")
    problem, curvature, _ = foreseen(experiment)
    with pytest.raises(ValueError, match="optimizer must have a stability limit"):
        near_limit(problem.objective, curvature, experiment.phase, problem.start, 1.0)
