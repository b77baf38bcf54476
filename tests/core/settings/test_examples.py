"""The examples do what their reasons say."""

from dataclasses import replace

import numpy as np
import pytest

from gd_core.outcome import Outcome, Trained, outcome
from gd_core.problem import build
from gd_core.published import PLANE, QUADRATIC
from gd_core.recorder import record
from gd_core.robust import lowest_of
from gd_core.settings.examples import EXAMPLES, FAILS, OPENING, WORKS
from gd_core.theory import curvature_of, forecast_of, parabola_of

ENDS = {
    "Diverges": Outcome.DIVERGED,
    "Just above the limit": Outcome.GROWING,
    "Bounces for ever": Outcome.OVERSHOOTING,
    "Single rows": Outcome.HOVERING,
    "Jumps over the kink": Outcome.HOVERING,
    "Stuck in a valley": Outcome.CONVERGED,  # in another than the lowest that is known
    "Nothing happens: a saddle": Outcome.STILL,
    "Two units that stay alike": Outcome.STILL,  # which is a saddle too
    "Crawls": Outcome.OVERSHOOTING,
}


def finding(experiment):
    """How a run ends."""
    problem = build(experiment)
    return outcome(
        record(experiment), parabola_of(experiment, problem.objective), Trained.of(experiment, problem)
    )


def end(example):
    """How the example's run ends."""
    return finding(example.experiment).outcome


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.group == WORKS], ids=lambda e: e.title)
def test_what_works_converges(example):
    """Every example under «works» reaches the optimum."""
    assert end(example) is (Outcome.EARLY if example.experiment.patience else Outcome.CONVERGED)


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.group == FAILS], ids=lambda e: e.title)
def test_what_fails_fails_as_it_says(example):
    """Every example under «fails on purpose» ends in the way that its title names."""
    assert end(example) is ENDS[example.title]


def test_titles_are_unique_and_every_reason_is_a_sentence():
    """A menu needs names that differ and reasons that end."""
    assert len({e.title for e in EXAMPLES}) == len(EXAMPLES)
    assert all(e.reason.endswith((".", "?")) for e in EXAMPLES)


def test_the_page_opens_with_a_run_that_works():
    """The first press of Train ends at the optimum."""
    assert OPENING in EXAMPLES
    assert end(OPENING) is Outcome.CONVERGED


def foreseen(title):
    """An example's experiment, and what theory says of it."""
    (experiment,) = (e.experiment for e in EXAMPLES if e.title == title)
    problem = build(experiment)
    return experiment, forecast_of(experiment, problem, curvature_of(problem.objective))


@pytest.mark.parametrize(
    ("title", "share", "to"),
    [
        ("Diverges", 1.4, 0.02),
        ("Just above the limit", 1.003, 2e-4),
        ("Two features, good rate", 0.5, 0.03),
        ("Bounces for ever", 1.0, 1e-12),
    ],
)
def test_shares_of_the_limit_in_the_reasons(title, share, to):
    """1.4 × the limit, 0.3 % too much, half the limit, exactly at it."""
    experiment, forecast = foreseen(title)
    assert experiment.learning_rate / forecast.stability_limit == pytest.approx(share, abs=to)


def test_best_rates_in_the_reasons():
    """The rate that theory names is that, and the crawling one pays after millions of epochs."""
    experiment, forecast = foreseen("Scaled, best rate")
    assert experiment.learning_rate == pytest.approx(forecast.best_learning_rate, rel=1e-3)
    experiment, forecast = foreseen("Crawls")
    assert experiment.learning_rate == pytest.approx(forecast.best_learning_rate, rel=2e-5)
    assert forecast.pays_after > 2e6


def test_momentum_arrives_before_plain_descent():
    """At the same rate, from the same start."""
    momentum, _ = foreseen("Momentum overtakes")
    plain = replace(momentum, optimizer="gradient-descent", epochs=2000)
    arrivals = [finding(run).epoch for run in (momentum, plain)]
    assert arrivals == sorted(arrivals)


def test_published_examples_are_the_published_runs():
    """The same values as those that are compared number by number."""
    assert foreseen("Noisy quadratic, 10 epochs")[0] == QUADRATIC
    assert foreseen("Two features, shape mistake")[0] == PLANE


def test_an_outlier_bends_one_line_of_two():
    """0.5 and 0.345 in the reason: NumPy's slope through all eleven rows, and through the ten; Huber's is that of the ten."""
    square, huber = (
        next(e.experiment for e in EXAMPLES if e.title == title)
        for title in ("An outlier bends the line", "An outlier that bends nothing")
    )
    problem = build(huber)
    x, y = problem.dataset.x[:, 0].numpy(), problem.dataset.y[:, 0].numpy()
    slopes = [float(np.polyfit(x[rows], y[rows], 1)[0]) for rows in (y < 99, y < 12)]
    assert slopes == pytest.approx([0.5, 0.345], abs=5e-4)
    lowest = lowest_of(problem.objective)
    assert lowest is not None
    assert float(problem.raw(lowest.optimum)[0]) == pytest.approx(slopes[1], abs=0.01)
    assert float(build(square).raw(record(square).epoch_theta[-1])[0]) == pytest.approx(0.5, abs=2e-3)
