"""The peers that ours is measured against compute the same numbers; the harness runs and tells fast from slow."""

import json
import socket
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

import core
import peers
import run
import tutorials
from gd_core.problem import build
from gd_core.published import PARABOLA, PLANE, QUADRATIC, QUADRATIC_RMSE
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of
from harness import AT_LEAST, Bar, Column, Section, Table, Times, alternate

same = partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-12)


def test_the_first_tutorial_prints_what_it_printed():
    """The loop on the noisy quadratic has the published errors, and so has ours."""
    trace = tutorials.noisy_quadratic(build(QUADRATIC).dataset, QUADRATIC.learning_rate, 10)
    np.testing.assert_allclose(trace.losses, QUADRATIC_RMSE, rtol=1e-6)
    np.testing.assert_allclose(record(QUADRATIC).epoch_rmse[:10], trace.losses, rtol=1e-6)


def test_the_second_tutorial_makes_the_published_mistake():
    """The loop over two features has the N × N loss whose run, in ours, gives the published table."""
    trace = tutorials.two_features(build(PLANE).dataset, PLANE.learning_rate, 8)
    recording = record(replace(PLANE, epochs=8))
    np.testing.assert_allclose(recording.theta[-1], trace.parameters, rtol=2e-6)
    np.testing.assert_allclose(recording.loss[:-1], trace.losses, rtol=1e-5)


def test_the_second_tutorial_with_matching_shapes_is_ours_too():
    """Without the mistake, both come to the same weights to the 32 bits of the tutorial."""
    matching = replace(PLANE, loss="mse", epochs=300)
    trace = tutorials.two_features(build(matching).dataset, matching.learning_rate, 300, broadcast=False)
    np.testing.assert_allclose(record(matching).theta[-1], trace.parameters, atol=5e-6)


def test_the_third_tutorial_is_ours():
    """Plain Python and ours agree at every step of the parabola."""
    experiment = replace(PARABOLA, epochs=50, learning_rate=0.01)
    trace = tutorials.one_parameter(float(build(experiment).start[0]), 0.01, 50)
    recording = record(experiment)
    same(recording.loss[:-1], trace.losses)
    same(recording.theta[-1], trace.parameters)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
@pytest.mark.parametrize("way", peers.WAYS)
def test_torch_optim_is_ours(name, way):
    """Each of torch's ways to step ends where ours ends."""
    rule = {"SGD": "gradient-descent", "Adam": "adam"}[name]
    rate = {"SGD": 1e-5, "Adam": 0.1}[name]
    experiment = replace(Experiment.default("noisy-quadratic", rule), learning_rate=rate, epochs=60)
    problem = build(experiment)
    make = peers.optimizers(name, rate)[f"torch.optim.{name}, {way}"]
    trace = peers.torch_optim(problem.linear.features, problem.objective.target, problem.start, make, 60)
    recording = record(experiment)
    same(recording.theta[-1], trace.parameters)
    same(recording.loss[:-1], trace.losses)


@pytest.mark.parametrize("dataset", ["tide", "dose"])
def test_many_starts_are_ours(dataset):
    """Each of them ends where our run from there ends."""
    experiment = replace(Experiment.default(dataset), epochs=40)
    problem = build(experiment)
    starts = problem.start + torch.tensor([[0.0], [0.3]], dtype=torch.float64)
    data = problem.dataset
    ends = peers.many_starts(problem.objective.model, data.x, data.y, starts, experiment.learning_rate, 40)
    for start, end in zip(starts, ends, strict=True):
        same(record(replace(experiment, start=tuple(start.tolist()))).theta[-1], end)


def test_numpy_by_hand_is_ours():
    """The gradient written out ends where ours ends."""
    experiment = replace(PLANE, loss="mse", epochs=200)
    problem = build(experiment)
    features, target = problem.linear.features.numpy(), problem.objective.target.numpy()
    trace = peers.numpy_by_hand(features, target, problem.start.numpy(), experiment.learning_rate, 200)
    same(record(experiment).theta[-1], trace.parameters)


def test_sgd_regressor_is_ours():
    """A row at a time in the same order, scikit-learn ends where our loop ends."""
    problem = build(replace(PLANE, loss="mse", learning_rate=1e-3, batch_size=1))
    x, y = problem.dataset.x.numpy(), problem.objective.target.numpy()
    trace = peers.sgd_regressor(x, y, problem.start.numpy(), 1e-3, 2)
    same(core.in_order(problem, 2000, 1000), trace.parameters)


def test_linear_regression_is_ours():
    """scikit-learn's optimum is the one that theory says before a run."""
    problem = build(replace(PLANE, loss="mse"))
    trace = peers.linear_regression(problem.dataset.x.numpy(), problem.objective.target.numpy())
    same(curvature_of(problem.objective).optimum, trace.parameters)


# ---------------------------------------------------------------------------------------------------- the harness


def test_contestants_take_turns():
    """Each is called once in every round after the warm-up, and the order is not always the same."""
    calls: list[str] = []

    def work(name: str) -> None:
        calls.append(name)
        time.sleep(AT_LEAST)

    times = alternate({name: partial(work, name) for name in "abc"}, rounds=6)
    rounds = ["".join(calls[3:][at : at + 3]) for at in range(0, 18, 3)]
    assert all(sorted(one) == ["a", "b", "c"] for one in rounds)
    assert len(set(rounds)) > 1
    assert {len(one.seconds) for one in times.values()} == {6}


def test_a_ratio_is_that_of_the_same_round():
    """A busy round that meets both does not change who is faster, or by how much."""
    calm, busy = Times((1.0, 1.0, 9.0, 1.0, 1.0)), Times((2.0, 2.0, 18.0, 2.0, 2.0))
    assert calm.faster_than(busy) == 2
    assert busy.faster_than(calm) == 0.5
    assert Times((1.0, 2.0, 3.0, 4.0, 5.0)).spread == pytest.approx(2 / 3)


def part(_: bool) -> Section:
    """A part that finds a number."""
    table = Table(
        "work", [Column("who"), Column("time", "s"), Column("spread", "share")], [["ours", 0.0125, 0.08]]
    )
    return Section("A part", tables=[table], bars=[Bar("work", "≤ 1 s", "2 s", False)])


def broken(_: bool) -> Section:
    """A part that cannot be measured."""
    raise OSError("no such thing here")


def test_what_is_measured_stays_whatever_comes_after(monkeypatch, tmp_path):
    """A part that breaks leaves those before it in both reports, and a bar that is not met fails nothing."""
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(run, "QUICK", tmp_path / "quick")
    monkeypatch.setattr(run, "PARTS", {"part": "x", "broken": "y"})
    monkeypatch.setattr(run, "_part", {"part": part, "broken": broken}.__getitem__)
    monkeypatch.setattr("sys.argv", ["run.py", "--quick", "--only", "part"])
    assert run.main() == 0
    monkeypatch.setattr("sys.argv", ["run.py", "--quick"])
    assert run.main() == 1
    words = (tmp_path / "quick" / "benchmarks.md").read_text(encoding="utf-8")
    assert "| ours | 12.5 ms | ± 4 % |" in words
    assert "| work | ≤ 1 s | 2 s | **not met** |" in words
    assert "Not measured: OSError: no such thing here" in words
    found = json.loads((tmp_path / "quick" / "benchmarks.json").read_text(encoding="utf-8"))["parts"]
    assert found["part"]["tables"][0]["rows"] == [["ours", 0.0125, 0.08]]
    assert socket.gethostname() not in words or len(socket.gethostname()) < 4
