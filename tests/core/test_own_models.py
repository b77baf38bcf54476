"""Every model that is offered for a table: chosen, refused, trained in scaled units, told of, written out. Oracles: NumPy and a script."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from gd_core.export.caption import in_words
from gd_core.export.script import script
from gd_core.here import here_of
from gd_core.landscape import box_of, sliced_at, typed_place
from gd_core.outcome import Outcome, Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.safe_start import opening
from gd_core.settings.catalog import OFFERED
from gd_core.settings.experiment import Experiment
from gd_core.settings.task import Task
from gd_core.tables.reading import read
from gd_core.tables.table import keep

OWN = [name for name, offered in OFFERED.items() if offered.start]
YEARS = np.arange(1990, 2020, 0.5)
LEVEL = 300 + 12 * np.sin(2 * np.pi * (YEARS - 1990) / 9.3 + 0.4) + np.random.default_rng(1).normal(0, 2, 60)
ROWS = "year,level\n" + "\n".join(f"{x:.1f},{y:.2f}" for x, y in zip(YEARS, LEVEL, strict=True))
CARS = {"dataset": "table", "table": "cars", "epochs": "200", "learning_rate": "0.2"}


def of_cars(model, **query):
    found, sentences = Experiment.from_query(CARS | {"model": model} | query)
    assert sentences == []
    return found


def curve(model, theta, x):
    """ŷ by hand, in NumPy."""
    if model == "sine":
        a, omega, phi, c = theta
        return a * np.sin(omega * x + phi) + c
    assert model == "network"
    w, b, v, c = theta[:2], theta[2:4], theta[4:6], theta[6]
    return np.tanh(np.outer(x, w) + b) @ v + c


@pytest.mark.parametrize("changes", [{}, {"holdout": "0.2"}, {"start": "random"}], ids=str)
@pytest.mark.parametrize("model", OWN)
def test_it_is_the_same_curve_in_raw_units_as_in_those_that_are_trained(model, changes):
    """At the start and the end, by NumPy: of the rows as they are, and of scaled ones, mean and deviation back in."""
    experiment = of_cars(model, **changes)
    assert (experiment.scale_features, experiment.scale_target) == (True, True)
    problem, recording = build(experiment), record(experiment)
    x, y = problem.dataset.x.numpy()[:, 0], problem.dataset.y.numpy()[:, 0]
    for theta in (recording.epoch_theta[0], recording.epoch_theta[-1]):
        scaled = curve(model, theta.numpy(), (x - x.mean()) / x.std()) * y.std() + y.mean()
        raw = curve(model, problem.raw(theta).numpy(), x)
        drawn = curve(model, problem.centred(theta).numpy(), (x - x.mean()) / x.std())
        for one in (raw, drawn, problem.predicted(theta).numpy()):
            np.testing.assert_allclose(one, scaled, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(problem.scaled(problem.raw(theta)), theta, rtol=1e-9, atol=1e-9)
    assert float(recording.epoch_rmse[-1]) == pytest.approx(np.sqrt(np.mean((scaled - y) ** 2)), rel=1e-10)
    if not changes:
        assert recording.epoch_theta[0].tolist() == list(OFFERED[model].start)


@pytest.mark.parametrize("model", OWN)
def test_links_tasks_captions_and_scripts_have_it(model):
    """Its link opens it; a task holds it; the script's last row is the recording's last loss, to 1e-9."""
    experiment = of_cars(model, penalty="0.01")
    assert experiment.to_query()["model"] == model
    assert Experiment.from_query(experiment.to_query()) == (experiment, [])
    task = Task(experiment=experiment, free=("learning_rate",))
    assert Task.from_text(task.to_text()) == task
    assert OFFERED[model].title.lower() in str(in_words(experiment))
    done = subprocess.run(
        [sys.executable, "-c", script(experiment, "by-hand")], capture_output=True, text=True, check=True
    )
    last = done.stdout.splitlines()[-1].split()
    recording = record(experiment)
    assert float(last[1]) == pytest.approx(float(recording.epoch_loss[-1]), rel=1e-9)
    raw = build(experiment).raw(recording.epoch_theta[-1]).tolist()
    assert [float(one) for one in last[-len(raw) :]] == pytest.approx(raw, rel=1e-8)


REFUSED = {
    "model network needs one feature. Got 2.": {
        "model": "network",
        "table": "trees",
        "target": "volume (ft³)",
        "features": "girth (in),height (ft)",
    },
    "model must be linear with a degree of 3, which only a polynomial has. Got sine.": {
        "model": "sine",
        "degree": "3",
    },
    "scale_features must be true for model sine, whose start and map are in scaled units. Got false.": {
        "model": "sine",
        "scale_features": "false",
    },
    "scale_target must be true for model network, whose start and map are in scaled units. Got false.": {
        "model": "network",
        "scale_target": "false",
    },
    "intercept must be true for model network, which has none to leave out. Got false.": {
        "model": "network",
        "intercept": "false",
    },
    "model must be one of linear, sine, network. Got tree.": {"model": "tree"},
    "model must be linear for tide. Got network.": {"dataset": "tide", "table": "", "model": "network"},
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_does_not_go_together_is_refused(sentence):
    """In one sentence each; all else of the link is kept."""
    query = {name: text for name, text in (CARS | REFUSED[sentence]).items() if text}
    found, sentences = Experiment.from_query(query)
    assert sentences == [sentence]
    assert found.learning_rate == 0.2


def test_a_wave_finds_the_period_of_a_table():
    """From near by it rests at the lowest that 200 starts found, whose period NumPy put into the rows; from the usual start it is stuck."""
    table = keep(read(ROWS).table)
    usual = Experiment.from_query(
        {"dataset": "table", "table": table.key, "target": "level", "features": "year", "model": "sine"}
    )[0]
    stuck = replace(opening(usual), epochs=4000)
    assert stuck.learning_rate == OFFERED["sine"].learning_rate
    problem = build(stuck)
    middle = torch.tensor([1.0, 6.0, 0.0, 0.0], dtype=torch.float64)
    typed = typed_place((5.8, -2.0), middle, (1, 2), problem)
    start = tuple(map(float, typed.split(",")))
    found = {}
    for name, run in {"stuck": stuck, "near": replace(stuck, start=start)}.items():
        recording = record(run)
        finding = outcome(recording, None, Trained.of(run, build(run)))
        assert finding.outcome is Outcome.CONVERGED
        found[name] = build(run).raw(sliced_at(recording)), here_of(run, build(run), sliced_at(recording))
    theta, here = found["near"]
    assert here.is_minimum
    assert here.is_best
    assert 2 * np.pi / abs(float(theta[1])) == pytest.approx(9.3, abs=0.1)
    assert abs(float(theta[0])) == pytest.approx(12, abs=1)
    assert not found["stuck"][1].is_best
    assert found["stuck"][1].best.rmse == pytest.approx(here.rmse, rel=1e-6)


def test_a_yes_or_no_can_be_fitted_by_each():
    """The log loss leaves the target as it is; σ of the curve by hand is the probability."""
    table = keep(read("x,passed\n" + "\n".join(f"{x},{int(abs(x - 10) < 4)}" for x in range(20))).table)
    for model in OWN:
        query = {"dataset": "table", "table": table.key, "target": "passed", "features": "x", "loss": "log"}
        experiment, sentences = Experiment.from_query(
            query | {"model": model, "learning_rate": "0.5", "epochs": "50"}
        )
        assert sentences == []
        assert (experiment.scale_features, experiment.scale_target) == (True, False)
        problem, theta = build(experiment), record(experiment).epoch_theta[-1]
        logits = curve(model, problem.raw(theta).numpy(), np.arange(20.0))
        np.testing.assert_allclose(problem.predicted(theta), 1 / (1 + np.exp(-logits)), rtol=1e-9)


@pytest.mark.parametrize("model", OWN)
def test_of_a_large_table_nothing_is_searched(model):
    """Where 200 starts or a map would take seconds and gigabytes there is neither."""
    x = np.random.default_rng(3).normal(size=30_000)
    table = keep(read("x,y\n" + "\n".join(f"{a:.4f},{np.tanh(a):.4f}" for a in x)).table)
    query = {"dataset": "table", "table": table.key, "target": "y", "features": "x", "model": model}
    experiment, sentences = Experiment.from_query(query | {"learning_rate": "0.2", "epochs": "3"})
    assert sentences == []
    problem = build(experiment)
    assert here_of(experiment, problem, problem.start) is None
    assert box_of(experiment, problem.start) is None
