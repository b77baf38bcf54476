"""Early stopping: when it stops, which epoch it keeps, and what is said of it. Oracles: the run gone on, and a loop in NumPy."""

import json
import random
import re
import sys
from dataclasses import replace
from importlib.resources import files

import jsonschema
import numpy as np
import pytest
import torch
from oracle import NUMBER, drawn, number

from gd_core.export.record_file import document, to_json
from gd_core.export.record_reading import experiment_of
from gd_core.objective import LinearObjective
from gd_core.outcome import Outcome, Trained, outcome
from gd_core.problem import build
from gd_core.recorder import Recorder, record
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.settings.task import ending_at
from gd_core.theory import forecast_of, parabola_of
from gd_core.verdict import of_run

WELL = {
    "dataset": "table", "table": "anscombe", "target": "y1", "features": "x", "degree": "5", "scale_features": "true",
}  # fmt: skip
POWERS = replace(
    Experiment.from_query(WELL)[0], holdout=0.3, split_seed=8, learning_rate=0.01, epochs=600, patience=30
)


def expected(experiment):
    """The epoch that stops it and the one that is kept, from the run gone on: (stop or None, best, held-out RMSE by epoch)."""
    held_out = record(replace(experiment, patience=0)).epoch_held_out_rmse.numpy()
    first = experiment.total_epochs - experiment.epochs
    best = first
    for epoch in range(first, len(held_out)):
        if held_out[epoch] < held_out[best] * (1 - 1e-9):
            best = epoch
        if epoch - best >= experiment.patience:
            return epoch, best, held_out
    return None, best, held_out


def told(experiment):
    """The run, its outcome and its verdict."""
    problem, recording = build(experiment), record(experiment)
    curvature = parabola_of(experiment, problem.objective)
    finding = outcome(recording, curvature, Trained.of(experiment, problem))
    forecast = curvature and forecast_of(experiment, problem, curvature)
    return recording, finding, of_run(recording, experiment, forecast, finding)


@pytest.mark.parametrize("engine", ["loop", "spectrum"])
def test_it_stops_where_a_loop_in_numpy_does(engine):
    """Gradient descent and the held-out RMSE written out: the same two epochs, and the numbers of the path to 1e-9."""
    experiment = replace(POWERS, engine=engine)
    problem, recording = build(experiment), record(experiment)
    assert isinstance(problem.validation, LinearObjective)
    x, y = problem.linear.features.numpy(), problem.linear.target.numpy()
    unseen, judge = problem.validation.features.numpy(), problem.validation.target.numpy()
    theta, errors = problem.start.numpy(), []
    while True:
        errors.append(np.sqrt(np.mean((unseen @ theta - judge) ** 2)))
        best = int(np.argmin(errors))
        if len(errors) - 1 - best >= 30:
            break
        theta = theta - 0.01 * 2 / len(y) * x.T @ (x @ theta - y)
    assert (recording.epochs, recording.best) == (len(errors) - 1, best)
    assert recording.kept == best < recording.epochs < 600
    assert recording.early
    assert recording.complete
    assert not recording.stopped
    assert recording.epoch_held_out_rmse is not None
    np.testing.assert_allclose(recording.epoch_held_out_rmse, errors, rtol=1e-9)
    np.testing.assert_allclose(recording.epoch_theta[-1], theta, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("patience", [1, 7, 60])
@pytest.mark.parametrize(
    "changes",
    [
        {"engine": "loop"},
        {"engine": "spectrum"},
        {"optimizer": "momentum", "engine": "spectrum"},
        {"batch_size": 2, "learning_rate": 0.002, "epochs": 300},
        {"batch_size": 2, "shuffle": False, "learning_rate": 0.002, "epochs": 300},
        {"optimizer": "adam", "epochs": 400},
    ],
    ids=str,
)
def test_it_stops_at_the_first_epoch_without_a_lower_one_for_so_long(changes, patience):
    """As the run gone on says; and up to there it is that run, to the last bit."""
    experiment = replace(POWERS, patience=patience, **changes)
    stop, best, _ = expected(experiment)
    recording = record(experiment)
    assert recording.early == (stop is not None)
    assert (recording.epochs, recording.best) == (experiment.epochs if stop is None else stop, best)
    whole = record(replace(experiment, patience=0))
    assert torch.equal(whole.epoch_theta[: recording.epochs + 1], recording.epoch_theta)
    assert whole.best is None
    assert whole.kept == whole.epochs


@pytest.mark.parametrize("engine", ["loop", "spectrum"])
def test_earlier_parts_are_not_asked(engine):
    """A run that goes on after a part in which nothing was gained counts from its own beginning."""
    first = replace(POWERS, epochs=200, patience=0, engine=engine)
    experiment = first.continued(200, learning_rate=0.005, patience=25, epochs=200)
    stop, best, _ = expected(experiment)
    recording = record(experiment)
    assert (recording.epochs, recording.best) == (stop, best)
    assert best >= 200


def test_in_slices_it_stops_at_the_same_epoch():
    """A slice at a time, and each recording on the way knows its best so far."""
    recorder = Recorder(POWERS)
    bests = []
    while not recorder.complete:
        recorder.advance(1e-4)
        bests.append((recorder.recording().epochs, recorder.recording().best))
    assert len(bests) > 3
    stop, best, held_out = expected(POWERS)
    assert bests[-1] == (stop, best)
    for epochs, so_far in bests:
        assert so_far == int(held_out[: epochs + 1].argmin())


def test_without_held_out_rows_it_is_refused():
    """There is nothing to watch."""
    sentence = "patience must be 0 without held-out rows, whose error it watches: set holdout. Got 5."
    with pytest.raises(ParameterError, match=f"^{re.escape(sentence)}$"):
        Experiment(patience=5)
    assert Experiment.from_query({"patience": "5"}) == (Experiment(), [sentence])
    assert Experiment.from_query({"patience": "5", "holdout": "0.2"})[0].patience == 5


def test_a_run_cut_within_its_last_part_keeps_its_patience():
    """And one that is cut before has none."""
    experiment = replace(POWERS, patience=0, epochs=10).continued(10, patience=4, epochs=20)
    assert ending_at(experiment, 15).patience == 4
    assert ending_at(experiment, 7).patience == 0


def test_a_record_has_the_epoch_that_is_kept():
    """Its θ, loss and both errors; by its schema, and made again from it."""
    recording = record(POWERS)
    found = document(POWERS, build(POWERS), recording)
    stop, best, held_out = expected(POWERS)
    assert found["outcome"] == Outcome.EARLY == "stopped early"
    assert found["outcome_epoch"] == found["last"]["epoch"] == stop
    assert found["kept"]["epoch"] == best
    assert found["kept"]["held_out_rmse"] == held_out[best]
    assert list(found["kept"]["parameters"].values()) == recording.epoch_theta[best].tolist()
    text = to_json(POWERS, recording)
    schema = files("gd_core.export").joinpath("record_schema.json").read_text(encoding="utf-8")
    jsonschema.validate(json.loads(text), json.loads(schema))
    assert experiment_of(text) == POWERS
    plain = document(replace(POWERS, patience=0), build(POWERS), record(replace(POWERS, patience=0)))
    assert plain["kept"] is None


# ---------------------------------------------------------------------------------------------------- what is said


def wrong(experiment):
    """What of the verdict on a run that its patience has stopped is not so, by the run gone on; None if it was not stopped."""
    stop, best, held_out = expected(experiment)
    recording, finding, sentence = told(experiment)
    if stop is None or finding.outcome is not Outcome.EARLY:
        early = finding.outcome is Outcome.EARLY
        return (
            f"stopped: {finding}"
            if early or (stop is not None and finding.outcome is not Outcome.STILL)
            else None
        )
    lowest = float(held_out[best])
    pattern = (
        rf"Stopped early at epoch ({NUMBER}): for ({NUMBER}) epochs? the held-out RMSE has not fallen\. Kept is epoch ({NUMBER}), "
        rf"where it is lowest, ({NUMBER}); the RMSE of the training rows is ({NUMBER}) there\.(.*)"
    )
    found = re.fullmatch(pattern, sentence)
    if not found:
        return f"form: {sentence}"
    numbers = stop, experiment.patience, best, lowest, float(recording.epoch_rmse[best])
    for name, got, is_so in zip(
        ("stop", "patience", "kept", "lowest", "RMSE"), found.groups(), numbers, strict=False
    ):
        if not np.isclose(number(got), is_so, rtol=6e-6, atol=1e-9):
            return f"{name}: {got}, is {is_so}"
    rest, whole = found[6].strip(), record(replace(experiment, patience=0))
    if not rest:  # nobody waits for a long loop
        return None if whole.updates > 5000 and whole.engine == "loop" else f"silent: {sentence}"
    end = float(held_out[-1])
    if whole.diverged_at is not None:
        return None if rest.endswith("it diverges.") else f"diverges: {rest}"
    told_end = re.search(rf"it is (?:lower, )?({NUMBER})", rest)
    if "lower" in rest:
        good = end < lowest and told_end and np.isclose(number(told_end[1]), end, rtol=6e-6)
        return None if good else f"lower: {rest}, is {end}"
    if "the same" in rest:
        return None if np.isclose(end, lowest, rtol=1e-6) else f"same: {rest}, is {end}"
    above = re.search(rf", ({NUMBER}) (%|×)", rest)
    if not told_end or not np.isclose(number(told_end[1]), end, rtol=6e-6):
        return f"end: {rest}, is {end}"
    if above:
        ratio = 1 + number(above[1]) / 100 if above[2] == "%" else number(above[1])
        if not np.isclose(ratio - 1, end / lowest - 1, rtol=1e-2):
            return f"share: {rest}, is {end / lowest}"
    return None if end > lowest else f"above: {rest}"


def drawn_early(seed):
    """A run of any kind with rows held out, a patience, and now and then a penalty. With dice of its own."""
    dice = random.Random(f"early {seed}")
    while True:
        base = drawn(dice.randrange(10**9))
        if base.dataset != "one-parameter" and base.points > 5 and not base.before:
            break
    rows = replace(
        base, batch_size=0, holdout=dice.choice([0.1, 0.2, 0.35, 0.5]), split_seed=dice.randrange(99)
    )
    batch = min(base.batch_size, rows.training_rows)
    penalty = dice.choice([0.0, 0.0, 0.01, 0.3])
    patience = dice.choice([1, 2, 5, 20, 100])
    return replace(rows, batch_size=batch, penalty=penalty, patience=patience)


@pytest.mark.parametrize("seed", range(60))
def test_what_was_gained_is_true(seed):
    """Which epoch is kept, and what the run gone on comes to."""
    assert wrong(drawn_early(seed)) is None


def test_a_run_that_reaches_its_end_keeps_its_best_as_well():
    """Its verdict says which; and a run whose last epoch is the best says nothing of it."""
    _, best, _ = expected(replace(POWERS, patience=2500))
    recording, finding, sentence = told(replace(POWERS, patience=2500, epochs=best + 100))
    assert not recording.early
    assert finding.outcome is not Outcome.EARLY
    assert f" Kept is epoch {best:,}." in sentence
    assert "Kept" not in told(replace(POWERS, patience=2500, epochs=best - 1))[2]


if __name__ == "__main__":
    tried, count, early = range(int(sys.argv[1]), int(sys.argv[2])), 0, 0
    for one in tried:
        early += "Stopped early" in told(drawn_early(one))[2]
        if result := wrong(drawn_early(one)):
            count += 1
            print(one, result, drawn_early(one).to_query(), sep="\n   ")
    print(f"{len(tried):,} tried, {early:,} stopped early, {count:,} wrong")
