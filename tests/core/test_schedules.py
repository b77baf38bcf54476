"""Schedules of the rate, their runs and scripts. Oracle: torch.optim.lr_scheduler."""

import contextlib
import io
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from schedulers import of_torch

from gd_core.averaging import averaged, running
from gd_core.export.script import FLAVOURS, script, why_not
from gd_core.outcome import Trained, outcome
from gd_core.problem import build
from gd_core.reasons.scheduled import above_the_limit, rates_to_come
from gd_core.recorder import record
from gd_core.remedies import epochs_under
from gd_core.safe_start import best_rate
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.schedules import (
    SCHEDULES,
    by_epoch,
    fixed,
    in_the_end,
    in_words,
    rate_at,
    rate_of,
    usual,
)
from gd_core.theory import curvature_of, forecast_of, stability_limit
from gd_core.verdict import of_run

RATE = 0.3
KINDS = ["constant", "step:3:0.4", "inverse-time:0.07", "exponential:0.9", "cosine:0:0.05", "cosine:0:0.0"]


def rates_of_torch(schedule, warmup, length):
    """The rate before each of so many steps of torch's scheduler."""
    theta = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr=RATE)
    scheduler, found = of_torch(optimizer, schedule, warmup, length), []
    for _ in range(length):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def test_each_is_tried():
    """A new schedule needs a line here."""
    assert {kind.split(":")[0] for kind in KINDS} == set(SCHEDULES)


@pytest.mark.parametrize("schedule", KINDS)
@pytest.mark.parametrize("warmup", [0, 1, 5])
@pytest.mark.parametrize(("counted_in", "batch_size"), [("epochs", 0), ("epochs", 6), ("updates", 6)])
def test_the_rate_is_that_of_torch(schedule, warmup, counted_in, batch_size):
    """At every update, counted in epochs or in updates: to 1e-12 of the first rate."""
    run = Experiment(
        learning_rate=RATE, schedule=schedule, warmup=warmup, counted_in=counted_in, batch_size=batch_size, epochs=23
    )  # fmt: skip
    stride = run.updates_per_epoch
    expected = rates_of_torch(schedule, warmup, 23 * (stride if counted_in == "updates" else 1))
    if counted_in == "epochs":
        expected = [rate for rate in expected for _ in range(stride)]
    rate = rate_of(run, stride)
    ours = [rate(k) if callable(rate) else rate for k in range(23 * stride)]
    assert ours == pytest.approx(expected, rel=0, abs=1e-12 * RATE)
    assert max(ours) <= RATE


@pytest.mark.parametrize("schedule", KINDS[1:])
@pytest.mark.parametrize("optimizer", ["gradient-descent", "adam"])
@pytest.mark.parametrize(("counted_in", "batch_size"), [("epochs", 0), ("epochs", 7), ("updates", 7)])
def test_a_run_is_that_of_torch(schedule, optimizer, counted_in, batch_size):
    """θ of every update with a warm-up, to 1e-12."""
    run = Experiment(
        dataset="two-features", optimizer=optimizer, learning_rate=0.2, schedule=schedule, warmup=2,
        counted_in=counted_in, batch_size=batch_size, shuffle=False, epochs=12,
    )  # fmt: skip
    objective, stride = build(run).objective, run.updates_per_epoch
    theta = build(run).start.clone().requires_grad_()
    make = {"gradient-descent": torch.optim.SGD, "adam": torch.optim.Adam}[optimizer]
    stepping = make([theta], lr=0.2, foreach=False)
    scheduler = of_torch(stepping, schedule, 2, 12 * (stride if counted_in == "updates" else 1))
    rows = torch.arange(run.points).split(batch_size) if batch_size else [None]
    path = [theta.detach().clone()]
    for _ in range(12):
        for some in rows:
            stepping.zero_grad()
            objective.on(some)(theta).backward()
            stepping.step()
            path.append(theta.detach().clone())
            if counted_in == "updates":
                scheduler.step()
        if counted_in == "epochs":
            scheduler.step()
    assert torch.allclose(record(run).theta, torch.stack(path), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("schedule", [*KINDS, "cosine:5:0.1"])
@pytest.mark.parametrize("warmup", [0, 3])
@pytest.mark.parametrize(("counted_in", "batch_size"), [("epochs", 0), ("epochs", 7), ("updates", 7)])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_script_prints_the_run(schedule, warmup, counted_in, batch_size, flavour):
    """Loss, RMSE and parameters of every epoch, by hand and with torch's own scheduler, to 1e-12."""
    run = Experiment(
        dataset="two-features", learning_rate=0.1, schedule=schedule, warmup=warmup, counted_in=counted_in,
        batch_size=batch_size, epochs=9,
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(script(run, flavour), "script.py", "exec"), {"__name__": "__main__"})
    rows = [list(map(float, line.split())) for line in out.getvalue().splitlines()[1:11]]
    recording = record(run)
    expected = torch.column_stack([recording.epoch_loss, recording.epoch_rmse, recording.epoch_theta])
    assert torch.allclose(torch.tensor(rows, dtype=torch.float64)[:, 1:], expected, rtol=1e-12, atol=1e-12)


def test_a_continued_run_is_the_same_up_to_there():
    """A cosine over all epochs keeps its length when the run is cut short, and the next part begins its own."""
    run = Experiment(dataset="two-features", learning_rate=0.1, schedule="cosine:0:0.0", warmup=2, epochs=20)
    more = run.continued(8, learning_rate=0.05)
    assert torch.equal(record(more).theta[:9], record(run).theta[:9])
    assert fixed(more.before[0], 1) == "cosine:18:0.0"
    again, wrong = Experiment.from_query(more.to_query())
    assert (again, wrong) == (more, [])
    assert why_not(more, "by-hand").startswith(
        "schedule must be constant, without warmup, in a script of a run"
    )


def test_the_rate_of_each_epoch_of_a_continued_run():
    """Each part has its own, counted from its beginning; the end of the run shows its last."""
    run = Experiment(learning_rate=1.0, schedule="step:2:0.5", epochs=6)
    more = run.continued(3, learning_rate=3.0, schedule="constant", warmup=1, epochs=3)
    assert by_epoch(more.phases, 1, range(7)) == [1.0, 1.0, 0.5, 1.5, 3.0, 3.0, 3.0]
    assert by_epoch(run.phases, 1, [0, 5, 6]) == [1.0, 0.25, 0.25]


@pytest.mark.parametrize(
    ("warmup", "schedule", "said"),
    [
        (0, "step:7:0.5", "from epoch 40 to 47"),
        (10, "constant", "from epoch 47 on"),
        (4, "exponential:0.9", "from epoch 43 to 48"),
        (0, "constant", ""),  # of a constant rate others speak
    ],
)
def test_epochs_above_the_limit_are_counted_from_the_start_of_the_run(warmup, schedule, said):
    """Of a part that goes on after 40 epochs they are those under its curve in the chart of the error, which are counted."""
    run = Experiment(learning_rate=0.1, scale_features=True, epochs=40)
    more = run.continued(40, learning_rate=0.6, schedule=schedule, warmup=warmup, epochs=25)
    forecast = forecast_of(more, build(more), curvature_of(build(more).objective))
    rates = rates_of_torch(schedule, warmup, 25)
    limit = forecast.stability_limit
    above = [40 + epoch for epoch, rate in enumerate(rates) if 0.6 / RATE * rate > limit]
    sentence = above_the_limit(more, forecast)
    if not said:
        assert sentence == ""
        return
    ends = "on" if above[-1] == 64 else f"to {above[-1] + 1}"
    assert said == f"from epoch {above[0]} {ends}"
    most = 0.6 / RATE * max(rates) / limit
    assert sentence == f"The rate is above the limit {limit:.3g} {said}, up to {most:.3g} × as large."


@pytest.mark.parametrize(("factor", "epochs"), [(0.95, 60), (0.9, 40), (0.9999, 40_000)])
def test_what_a_schedule_still_adds_up_to_is_the_geometric_series(factor, epochs):
    """To more digits than the three that are told, also where of its rates some are looked at."""
    run = Experiment(learning_rate=0.3, schedule=f"exponential:{factor}", epochs=epochs)
    ends = factor**epochs
    assert rates_to_come(run.phase, 1, epochs) == pytest.approx((ends - ends**10) / (1 - ends), rel=1e-4)


def test_of_a_robust_loss_a_schedule_that_ends_too_soon_is_said():
    """The slope of the absolute error is bounded, so its steps add up to no more than the rates do: 4.83 % of what was, ever."""
    run = Experiment(
        learning_rate=0.3, scale_features=True, loss="absolute", schedule="exponential:0.95", epochs=60
    )  # fmt: skip
    problem, recording = build(run), record(run)
    sentence = of_run(recording, run, None, outcome(recording, None, Trained.of(run, problem)))
    assert "; the rates to come add up to 4.83 % of those so far: this schedule ends too soon." in sentence
    way = float((recording.epoch_theta[-1] - recording.epoch_theta[0]).norm())
    later = record(replace(run, epochs=600)).epoch_theta
    assert float((later[-1] - later[60]).norm()) < 0.06 * way
    longer = replace(run, schedule="inverse-time:0.01")
    assert "; more epochs bring it lower." in of_run(
        record(longer), longer, None, outcome(record(longer), None, Trained.of(longer, problem))
    )


def test_the_mean_of_the_last_half_is_numpys():
    """Of five epochs the last three; of the part that was continued only its own."""
    run = Experiment(dataset="two-features", learning_rate=0.1, batch_size=1, epochs=5)
    points = record(run).epoch_theta.numpy()
    assert averaged(record(run)).numpy() == pytest.approx(points[3:].mean(0), rel=1e-12)
    more = record(run.continued(3, epochs=4))
    assert averaged(more, 3).numpy() == pytest.approx(more.epoch_theta.numpy()[6:].mean(0), rel=1e-12)


def test_the_mean_so_far_is_numpys_at_every_epoch():
    """As if the run ended there; each part for itself, and at its beginning the point itself."""
    run = Experiment(dataset="two-features", learning_rate=0.1, batch_size=1, epochs=7)
    more = record(run.continued(3, epochs=6))
    points = more.epoch_theta.numpy()
    theirs = [points[0]]
    for epoch in range(1, 10):
        first = 0 if epoch <= 3 else 3
        theirs.append(points[first + (epoch - first) // 2 + 1 : epoch + 1].mean(0))
    np.testing.assert_allclose(running(more, np.arange(10), (0, 3)), theirs, rtol=1e-12)
    np.testing.assert_allclose(running(more, np.array([0, 9]), (0, 3))[1], averaged(more, 3), rtol=1e-12)


def test_beyond_its_end_it_stays_there():
    """A cosine does not swing up again, as torch's would; one that shrinks goes on to shrink."""
    run = Experiment(learning_rate=RATE, schedule="cosine:4:0.25", epochs=4)
    assert [rate_at(run, 1, k) for k in (4, 5, 8, 400)] == [RATE / 4] * 4
    assert {kind: in_the_end(Experiment(schedule=kind, learning_rate=1.0)) for kind in KINDS} == {
        "constant": 1.0, "step:3:0.4": 0, "inverse-time:0.07": 0, "exponential:0.9": 0, "cosine:0:0.05": 0.05,
        "cosine:0:0.0": 0,
    }  # fmt: skip


@given(st.sampled_from(list(SCHEDULES)), st.data())
def test_each_text_is_read_as_it_was_written(kind, data):
    """A schedule with numbers within their bounds survives its link."""
    numbers = [
        data.draw((st.integers if number.whole else st.floats)(int(number.low) if number.whole else number.low, number.high))
        for number in SCHEDULES[kind].numbers.values()
    ]  # fmt: skip
    text = ":".join([kind, *(repr(one) for one in numbers)])
    run, wrong = Experiment.from_query({"schedule": text})
    assert wrong == []
    assert Experiment.from_query(run.to_query()) == (run, [])
    rate = rate_of(run, 1)
    assert all(0 <= (rate(k) if callable(rate) else rate) <= run.learning_rate for k in (0, 1, 10, 10**6))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("steps", "schedule must be like constant, step:EVERY:FACTOR, "),
        ("step:ten:0.5", "schedule must be like constant, "),
        ("step:10:0.5:1", "schedule must be like constant, "),
        ("step:0:0.5", "schedule must have every as a whole number between 1 and 1,000,000. Got 0."),
        ("exponential:1.5", "schedule must have factor as a number between 1e-06 and 1. Got 1.5."),
        ("inverse-time:nan", "schedule must have decay as a number between 1e-09 and 1,000. Got nan."),
        ("cosine:0:inf", "schedule must have end as a number between 0 and 1. Got inf."),
    ],
)
def test_a_bad_one_is_told(text, says):
    """By the setting, its rule and the value."""
    run, wrong = Experiment.from_query({"schedule": text})
    assert (run, len(wrong)) == (Experiment(), 1)
    assert wrong[0].startswith(says)


def test_the_usual_numbers_may_be_left_out():
    """`--schedule step` is `step:10:0.5`."""
    for kind in SCHEDULES:
        assert FIELDS["schedule"].parse(kind) == usual(kind)
        assert FIELDS["schedule"].wrong("schedule", usual(kind)) is None


def test_it_is_said_in_words():
    """After the rate, in a caption and in the line about an earlier part."""
    run = Experiment(schedule="step:10:0.5", warmup=1, counted_in="updates")
    assert in_words(run) == ", × 0.5 every 10 updates, after a warm-up of 1 update"
    assert run.phase.in_words == "1,000 epochs of gradient descent at 1e−5" + in_words(run)


@pytest.mark.parametrize("schedule", KINDS)
@pytest.mark.parametrize("optimizer", ["gradient-descent", "momentum", "nesterov"])
@pytest.mark.parametrize("share", [0.01, 0.6, 1.3])
def test_when_a_run_is_near_the_floor_for_good_is_told_before_it(schedule, optimizer, share):
    """The epoch from which the real run stays within 1 % of the floor to its end; infinite if there is none, or it diverges."""
    run = Experiment(
        dataset="noisy-quadratic", scale_features=True, optimizer=optimizer, momentum=0.8, schedule=schedule, warmup=3, epochs=120
    )  # fmt: skip
    problem = build(run)
    curvature = curvature_of(problem.objective)
    run = replace(run, learning_rate=share * stability_limit(curvature, run.phase))
    recording = record(run)
    near = recording.epoch_rmse <= 1.01 * curvature.floor_rmse
    true = next((k for k in range(len(near)) if near[k:].all()), math.inf)
    told = epochs_under(curvature, run.phase, problem.start, float(problem.objective(problem.start)))
    assert told == (math.inf if recording.diverged_at else true)


def test_of_very_many_epochs_no_best_rate_is_sought():
    """A table under a schedule opens at once, at a rate that settles; of a few epochs at the best of them."""
    few = Experiment(dataset="noisy-quadratic", scale_features=True, schedule="cosine:0:0.0", epochs=100)
    problem = build(few)
    curvature = curvature_of(problem.objective)
    limit = stability_limit(curvature, few.phase)
    many = replace(few, epochs=1_000_000)
    assert best_rate(many, problem, curvature) == pytest.approx(limit / 2, rel=5e-3)
    assert forecast_of(many, problem, curvature).best_for_epochs is None
    rate = best_rate(few, problem, curvature)
    ends = [
        float(record(replace(few, learning_rate=one)).epoch_rmse[-1])
        for one in (rate, *np.linspace(0.05, 0.98, 25) * limit)
    ]
    assert min(ends) >= ends[0] * (1 - 1e-6)
    assert rate > 0.9 * limit
