"""A model that is not linear in its parameters: it trains and leaves the lab like any other, and nobody tells its future."""

import contextlib
import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from curved import GROWTH, growth, know

from gd_core import verdict
from gd_core.autopsy import autopsy
from gd_core.cli.commands import main
from gd_core.export import record_file, record_reading
from gd_core.export.notebook import notebook
from gd_core.export.script import FLAVOURS, script
from gd_core.outcome import Outcome, Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.run_summary import same_landscape, summarised, usual_target
from gd_core.safe_start import safe_start
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.theory import curvature_of, parabola_of, why_no_limit, why_no_theory

CHANGES = {
    "all rows": {},
    "batches": {"batch_size": 6},
    "held out": {"holdout": 0.25},
    "held out, in batches, the mistaken loss": {"holdout": 0.25, "batch_size": 4, "loss": "mse-broadcast"},
    "Adam": {"optimizer": "adam", "learning_rate": 0.01},
    "diverges": {"learning_rate": 1e3},
    "long": {"epochs": 1200},
}
every_run = pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)


@pytest.fixture(autouse=True)
def known(monkeypatch):
    know(monkeypatch)


def residuals(experiment):
    """A function of θ: ŷ − y and its slopes over the training rows, in NumPy."""
    data = build(experiment).dataset
    t, y = data.x[:, 0].numpy(), data.y[:, 0].numpy()

    def at(theta):
        a, b = theta
        error = a * np.exp(b * t) - y
        return error, np.column_stack([np.exp(b * t), a * t * np.exp(b * t)])

    return at


def test_it_descends_along_the_gradient_of_its_formula():
    """Each step is −η (2/N) Jᵀ(ŷ − y), with ŷ and J written out in NumPy."""
    experiment = growth()
    recording, at = record(experiment), residuals(experiment)
    theta = np.array([5.0, 0.1])
    for k in range(experiment.epochs + 1):
        np.testing.assert_allclose(recording.theta[k], theta, rtol=1e-11)
        error, slopes = at(theta)
        assert float(recording.epoch_rmse[k]) == pytest.approx(np.sqrt((error**2).mean()), rel=1e-11)
        theta = theta - experiment.learning_rate * 2 / len(error) * slopes.T @ error
    assert recording.engine == "loop"


@pytest.mark.parametrize(
    "changes",
    [one for one in CHANGES.values() if "loss" not in one],
    ids=lambda one: ", ".join(one) or "all rows",
)
def test_the_table_of_epochs_has_its_own_gradient(changes):
    """That of all rows at each epoch's θ, not one extrapolated along a Hessian."""
    experiment = growth(**changes)
    recording, at = record(experiment), residuals(experiment)
    for row in csv.DictReader(io.StringIO(record_file.to_csv(experiment, recording))):
        error, slopes = at([float(row["a"]), float(row["b"])])
        expected = 2 / len(error) * slopes.T @ error
        assert [float(row["gradient_a"]), float(row["gradient_b"])] == pytest.approx(expected, rel=1e-9)
        assert float(row["loss"]) == pytest.approx((error**2).mean(), rel=1e-11)


@every_run
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_its_script_prints_the_same_numbers(changes, flavour):
    """The script has the model's own formula, and ends where the run ends."""
    experiment = growth(**changes)
    code = script(experiment, flavour)
    assert "a·e^(b·t)" in code
    assert "columns @ theta" not in code
    assert "torch.exp(theta[1]" in notebook(experiment, flavour)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "script", "exec"), {})
    *_, last = (line for line in printed.getvalue().splitlines() if "mean" not in line)
    recording = record(experiment)
    if recording.diverged_at is not None:
        assert last == f"diverged at epoch {recording.diverged_at}"
        return
    epoch, loss, rmse, a, b, *judged = map(float, last.split())
    ends = [recording.epoch_loss[-1], recording.epoch_rmse[-1], *recording.theta[-1]]
    if recording.epoch_held_out_rmse is not None:
        ends.append(recording.epoch_held_out_rmse[-1])
    assert epoch == recording.epochs
    assert [loss, rmse, a, b, *judged] == pytest.approx([float(number) for number in ends], rel=1e-9)


@every_run
def test_its_record_knows_no_theory_and_says_so(changes):
    """Null for every number of the parabola, and the reason; the run can be made again from it, to the last bit."""
    experiment = growth(**changes)
    recording = record(experiment)
    text = record_file.to_json(experiment, recording)
    kept = json.loads(text)
    reason = kept["theory"].pop("why_no_limit")
    assert "not linear in its parameters" in reason
    assert set(kept["theory"].values()) == {None}
    assert "floor" not in kept["verdict"]
    assert record_reading.experiment_of(text) == experiment
    assert record_file.digest(record(experiment)) == kept["digest"]


def test_the_command_trains_it(capsys):
    """It prints its epochs and its verdict."""
    assert main(["train", "--dataset", GROWTH]) == 0
    assert "Still descending after 60 epochs" in capsys.readouterr().out


def test_there_is_no_parabola_and_whoever_needs_one_hears_why():
    """Curvature, Φ and a rate that settles: each refuses, or keeps what was chosen."""
    experiment = growth()
    problem = build(experiment)
    assert parabola_of(experiment, problem.objective) is None
    assert why_no_limit(experiment) == why_no_theory(experiment)
    with pytest.raises(ValueError, match="Got that of Exponential"):
        curvature_of(problem.objective)
    with pytest.raises(ValueError, match="Got Exponential"):
        _ = problem.linear
    assert safe_start(experiment) == experiment


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"scale_features": True}, "scale_features must be false for growth: its model has no way back"),
        ({"engine": "spectrum"}, "engine must be auto or loop for a run whose model is not linear"),
    ],
)
def test_what_it_cannot_do_is_refused(changes, sentence):
    """In a value and in a link, with the reason."""
    with pytest.raises(ParameterError, match=sentence):
        growth(**changes)
    query = growth().to_query() | {name: str(value).lower() for name, value in changes.items()}
    found, sentences = Experiment.from_query(query)
    assert found == growth()
    assert sentences
    assert sentences[0].startswith(sentence)


def test_a_step_taken_apart_has_no_formula_in_features():
    """Only the finite difference stands beside autograd."""
    experiment = growth()
    parts = autopsy(record(experiment), experiment, build(experiment), [0, 30])
    assert parts.formula is None
    torch.testing.assert_close(
        parts.finite_difference, record(experiment).gradient[[0, 30]], rtol=1e-4, atol=1e-3
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Outcome.DESCENDING),
        ({"batch_size": 6, "epochs": 8, "learning_rate": 1e-7, "start": (8.0, 0.1)}, Outcome.DESCENDING),
        ({"batch_size": 5}, Outcome.HOVERING),
        (
            {"optimizer": "adam", "learning_rate": 0.005, "epochs": 6000, "start": (14.0, 0.02)},
            Outcome.CONVERGED,
        ),
        ({"learning_rate": 1e3}, Outcome.DIVERGED),
        ({"learning_rate": 3e-6, "epochs": 40}, Outcome.OVERSHOOTING),
        (
            {"optimizer": "adam", "learning_rate": 0.2, "epochs": 60, "start": (14.0, 0.02)},
            Outcome.GROWING,
        ),
    ],
)
def test_it_is_judged_by_its_losses_alone(changes, expected):
    """Each way to end is told from the losses, and the verdict names neither floor, limit nor eigenvector."""
    experiment = growth(**changes)
    recording = record(experiment)
    found = outcome(recording, None)
    assert found.outcome is expected
    said = verdict.of_run(recording, experiment, None, found)
    steps = verdict.of_steps(recording, experiment, None)
    words = said + " ".join(steps.sentence(epoch, recording) for epoch in range(0, recording.epochs + 1, 7))
    assert not any(word in words for word in ("floor", "direction", "of the limit", "eigen"))
    if expected is Outcome.CONVERGED:
        rest = recording.epoch_loss[found.epoch :]
        assert float(rest.max() - rest.min()) <= 2e-6 * float(
            recording.epoch_loss[0] - recording.epoch_loss[-1]
        )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"schedule": "exponential:0.5"}, Outcome.STILL),
        ({"schedule": "exponential:0.5", "batch_size": 5}, Outcome.STILL),
        ({"schedule": "inverse-time:0.001"}, Outcome.DESCENDING),
        (
            {"optimizer": "adam", "learning_rate": 0.005, "epochs": 6000, "start": (14.0, 0.02)}
            | {"schedule": "step:5900:0.5"},
            Outcome.CONVERGED,
        ),
    ],
)
def test_a_run_that_its_schedule_has_ended_is_not_said_to_have_arrived(changes, expected):
    """It rests because its rate has gone: gone on ten times as long it is where it was, and on all rows at the first rate it falls on."""
    experiment = growth(**changes)
    recording = record(experiment)
    found = outcome(recording, None, Trained.of(experiment, build(experiment)))
    assert found.outcome is expected
    if expected is Outcome.STILL:
        assert "too little to move it any more" in verdict.of_run(recording, experiment, None, found)
        end = float(recording.epoch_loss[-1])
        longer = record(replace(experiment, epochs=10 * experiment.epochs))
        assert float(longer.epoch_loss[-1]) == pytest.approx(end, rel=1e-6)
        on = record(replace(experiment, schedule="constant"))
        assert on.mini_batches or float(on.epoch_loss[-1]) < 0.9 * end


def test_it_shares_a_map_with_itself_only():
    """Another model on the same rows has another loss over its parameters; a summary has no gap to an unknown floor."""
    experiment = growth()
    one, again, other = build(experiment), build(growth(learning_rate=1e-7)), build(Experiment.default())
    assert same_landscape(one, again)
    assert not same_landscape(one, other)
    kept = summarised(experiment, one, record(experiment), None)
    assert kept.gap is None
    assert usual_target([kept], None) == pytest.approx(float(kept.rmse[-1]))
