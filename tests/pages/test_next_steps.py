"""Where Train leads on to, for each way in which a run can go."""

from dataclasses import replace

import pytest

from gd_core.outcome import Trained, outcome
from gd_core.recorder import record
from gd_core.settings.examples import EXAMPLES
from gd_core.settings.experiment import Experiment
from pages.ui.player import live_runs
from pages.ui.settings.next_steps import plain, ways_on

RUNS = {example.title: example.experiment for example in EXAMPLES}


def pages(experiment):
    problem, parabola, forecast = live_runs.known(experiment)
    finding = outcome(record(experiment), parabola, Trained.of(experiment, problem))
    return [link.page for link in ways_on(experiment, forecast, finding.outcome)]


@pytest.mark.parametrize(
    ("title", "first"),
    [
        ("Diverges", "learning_rate"),
        ("Just above the limit", "learning_rate"),
        ("Noisy quadratic, 10 epochs", "landscape"),
        ("Crawls", "learning_rate"),
        ("Two features, shape mistake", "broadcasting"),
        ("One parameter, rate 0.1", "one_parameter"),
        ("Momentum overtakes", "variants"),
        ("Single rows", "variants"),
        ("Scaled features", "one_parameter"),
        ("Stuck in a valley", "hills"),
        ("Nothing happens: a saddle", "hills"),
    ],
)
def test_the_first_link_is_about_this_run(title, first):
    """A run that diverged leads to its limit, one that crawls to its valley, a mistake to its lesson."""
    assert pages(RUNS[title])[0] == first


@pytest.mark.parametrize("title", RUNS)
def test_there_is_always_a_way_on(title):
    """Two or three links, none of them twice."""
    found = pages(RUNS[title])
    assert 2 <= len(found) <= 3


def test_a_link_keeps_problem_start_and_rate():
    """Only what another page cannot show is left out."""
    run = Experiment.default("noisy-quadratic", "adam")
    run = replace(run, batch_size=4, points=30, start=(1.0, 2.0, 3.0), learning_rate=0.2, epochs=70)
    kept = plain(run, epochs=60)
    assert (kept.points, kept.start, kept.learning_rate, kept.epochs) == (30, (1.0, 2.0, 3.0), 0.2, 60)
    assert (kept.optimizer, kept.batch_size) == ("gradient-descent", 0)
