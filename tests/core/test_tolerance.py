"""A run that its own tolerance stops: the epoch, on both engines and everywhere else, and what is said of it.

Oracle: NumPy's own loop, which knows nothing of ours, and its least squares.
"""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from gd_core.cli.commands import main
from gd_core.export import record_file, record_reading
from gd_core.outcome import Outcome, Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record, recorder_of
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.settings.task import ending_at
from gd_core.theory import forecast_of, parabola_of
from gd_core.verdict import of_run

SCALED = replace(Experiment(), scale_features=True, learning_rate=0.01, epochs=3000)


def numpys(experiment):
    """θ and the loss of all rows at every epoch, by hand, to where the loss has changed by less than the tolerance."""
    problem = build(replace(experiment, tolerance=0.0))
    features, target = problem.linear.features.numpy(), problem.linear.target.numpy()
    size = experiment.batch_size or len(target)

    def loss():
        return float(np.mean((features @ theta - target) ** 2))

    theta, thetas = problem.start.numpy(), [problem.start.numpy()]
    losses = [loss()]
    for number, phase in enumerate(experiment.phases):
        velocity, last = np.zeros_like(theta), number == len(experiment.before)
        for _ in range(phase.epochs):
            for at in range(0, len(target), size):
                rows = slice(at, at + size)
                slope = 2 / len(target[rows]) * features[rows].T @ (features[rows] @ theta - target[rows])
                velocity = phase.momentum * velocity + slope
                step = {
                    "gradient-descent": slope,
                    "momentum": velocity,
                    "nesterov": slope + phase.momentum * velocity,
                }
                theta = theta - phase.learning_rate * step[phase.optimizer]
            thetas.append(theta)
            losses.append(loss())
            if last and abs(losses[-1] - losses[-2]) < experiment.tolerance:
                return np.array(thetas), np.array(losses), True
    return np.array(thetas), np.array(losses), False


RUNS = [
    replace(SCALED, tolerance=1e-3),
    replace(SCALED, tolerance=1e-7, learning_rate=0.1),
    replace(SCALED, tolerance=1.0, learning_rate=1e-5),
    replace(SCALED, tolerance=2.0, learning_rate=0.5, epochs=40),  # above the limit: it diverges before
    replace(Experiment(), tolerance=0.1, epochs=5000),
    replace(SCALED, tolerance=0.05, optimizer="momentum", momentum=0.95),
    replace(SCALED, tolerance=1e-6, optimizer="nesterov", momentum=0.8),
    replace(SCALED, tolerance=1e-3, learning_rate=1e-6).continued(30, learning_rate=0.01, epochs=3000),
    replace(SCALED, tolerance=1e-3).continued(700, epochs=3000),
    replace(SCALED, tolerance=1e-300, learning_rate=0.2),  # only where nothing changes any more
]


@pytest.mark.parametrize("engine", ["loop", "spectrum"])
@pytest.mark.parametrize("experiment", RUNS)
def test_both_engines_stop_where_numpys_loop_stops(experiment, engine):
    """At the same epoch and no sooner, with its parameters; an earlier part of the run is not asked."""
    thetas, _, still = numpys(experiment)
    recording = record(replace(experiment, engine=engine))
    if recording.diverged_at is not None:
        assert not recording.still
        return
    if experiment.tolerance < 1e-100:  # at rounding each has its own
        assert recording.still
        return
    assert (recording.epochs, recording.still, recording.complete) == (len(thetas) - 1, still, True)
    np.testing.assert_allclose(recording.epoch_theta, thetas, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("batch_size", [5, 7])
def test_mini_batches_stop_by_the_loss_of_all_rows(batch_size):
    """It is asked once an epoch, and not of a batch."""
    experiment = replace(SCALED, batch_size=batch_size, shuffle=False, tolerance=0.01, epochs=500)
    thetas, _, still = numpys(experiment)
    recording = record(experiment)
    assert still
    assert 10 < recording.epochs == len(thetas) - 1
    assert recording.updates == recording.epochs * experiment.updates_per_epoch
    np.testing.assert_allclose(recording.epoch_theta, thetas, rtol=1e-9)


@pytest.mark.parametrize("engine", ["loop", "spectrum"])
def test_less_is_less(engine):
    """A tolerance that an epoch's change just reaches does not stop it; the next number does. 0 never does."""
    run = replace(SCALED, epochs=600, engine=engine)
    loss = record(run).epoch_loss
    change = abs(float(loss[300]) - float(loss[299]))
    assert record(replace(run, tolerance=change)).epochs == 301
    assert record(replace(run, tolerance=math.nextafter(change, 1))).epochs == 300
    rests = replace(Experiment.default("one-parameter"), learning_rate=1 / 18, epochs=9, engine=engine)
    assert (record(rests).epoch_loss[2:] == record(rests).epoch_loss[1]).all()
    assert record(rests).epochs == 9


def test_a_followed_run_ends_in_the_same_place():
    """Trained a slice at a time, and gone on from its record, to the last bit."""
    experiment = replace(SCALED, tolerance=1e-3, engine="loop")
    whole, recorder = record(experiment), recorder_of(experiment)
    while not recorder.complete:
        recorder.advance(1e-4)
    slices = recorder.recording()
    assert slices.still
    assert (slices.theta == whole.theta).all()
    text = record_file.to_json(experiment, whole)
    again = record_reading.experiment_of(text)
    assert again == experiment
    assert record_file.digest(record(again)) == json.loads(text)["digest"]
    assert json.loads(text)["outcome"] == "stood still"


def test_a_run_that_was_stopped_in_an_earlier_part_has_no_tolerance():
    """That part trained all its epochs without asking, and so does the run that ends there."""
    run = replace(SCALED, learning_rate=1e-6, tolerance=1.0).continued(50, learning_rate=0.01)
    assert record(ending_at(run, 30)).epochs == 30
    assert record(ending_at(run, 60)).epochs == 60


# --------------------------------------------------------------------------------------------------- what is said


def said(experiment):
    problem, recording = build(experiment), record(experiment)
    curvature = parabola_of(experiment, problem.objective)
    assert curvature is not None
    finding = outcome(recording, curvature, Trained.of(experiment, problem))
    forecast = forecast_of(experiment, problem, curvature)
    return recording, finding, of_run(recording, experiment, forecast, finding)


def floor_of(experiment):
    data = build(experiment).dataset
    x, y = data.x.numpy(), data.y.numpy()[:, 0]
    columns = np.concatenate([x**2, x, np.ones_like(x)], 1)
    best = columns @ np.linalg.lstsq(columns, y, rcond=None)[0]
    return float(np.sqrt(np.mean((y - best) ** 2)))


@pytest.mark.parametrize(("rate", "tolerance"), [(1e-3, 0.01), (1e-4, 1e-3), (0.1, 0.3)])
def test_it_says_how_far_from_the_floor_it_stopped(rate, tolerance):
    """By the RMSE, as NumPy has the floor; and the tolerance that it names stops within 1 %, where it says."""
    experiment = replace(SCALED, learning_rate=rate, tolerance=tolerance, epochs=100_000)
    recording, finding, sentence = said(experiment)
    floor, end = floor_of(experiment), float(recording.epoch_rmse[-1])
    assert finding[:2] == (Outcome.STILL, recording.epochs)
    assert f"Stopped at epoch {recording.epochs:,}" in sentence
    above = re.search(r"([\d.]+) % above the floor ([\d.]+)\.", sentence)
    times = re.search(r"([\d.]+) × the floor ([\d.]+)\.", sentence)
    far = float(above[1]) / 100 + 1 if above else float(times[1])
    assert far == pytest.approx(end / floor, rel=5e-3)
    assert float((above or times)[2]) == pytest.approx(floor, rel=1e-5)
    named = re.search(
        r"A tolerance of ([\d.e−]+) stops within 1 % of the floor, at epoch ([\d,]+)\.", sentence
    )
    nearer = record(replace(experiment, tolerance=float(named[1].replace("−", "-")), epochs=1_000_000))
    assert nearer.still
    assert nearer.epochs == int(named[2].replace(",", ""))
    assert float(nearer.epoch_rmse[-1]) <= 1.01 * floor


def test_a_moment_is_called_one():
    """Where the velocity turns, and above the limit: the next epochs change the loss by what it says, or without end."""
    swings = replace(SCALED, learning_rate=0.3, optimizer="momentum", momentum=0.95, tolerance=0.5)
    recording, _, sentence = said(swings)
    change = float(re.search(r"within 20 epochs more the loss changes by ([\d.]+) in one", sentence)[1])
    later = record(replace(swings, tolerance=0.0)).epoch_loss[recording.epochs : recording.epochs + 21]
    assert float(later.diff().abs().max()) == pytest.approx(change, rel=5e-3)
    turns = replace(SCALED, learning_rate=0.4045, tolerance=3.0, epochs=100)
    recording, _, sentence = said(turns)
    assert recording.still
    assert "gone on it grows" in sentence
    assert record(replace(turns, tolerance=0.0, epochs=5000)).epoch_loss[-1] > recording.epoch_loss[-1]


@pytest.mark.parametrize(
    ("tolerance", "sentence"),
    [
        (-1.0, r"tolerance must be a number between 0 and 1,000,000\. Got -1\.0\."),
        (math.nan, r"tolerance must be a number between 0 and 1,000,000\. Got nan\."),
        ("much", r"tolerance must be a number between 0 and 1,000,000\. Got much\."),
    ],
)
def test_a_bad_tolerance_is_told(tolerance, sentence):
    with pytest.raises(ParameterError, match=sentence):
        replace(SCALED, tolerance=tolerance)


def test_a_table_in_pieces_stops_there_too(tmp_path, capsys):
    """At the epoch of the page's run, and a run that goes on from its record stays there; it is read in order."""
    rows = [(k, (7 * k) % 11, 2 * k - (7 * k) % 11 + k % 3) for k in range(30)]
    table = tmp_path / "rows.csv"
    table.write_text("\n".join(["a,b,y", *(",".join(map(str, row)) for row in rows)]) + "\n")
    settings = ["--table", str(table), "--target", "y", "--features", "a,b", "--scale-features"]
    settings += ["--learning-rate", "0.01", "--epochs", "900", "--tolerance", "0.001", "--json"]
    for batches in ([], ["--batch-size", "7", "--no-shuffle"]):
        main(["train", *settings, *batches])
        page = json.loads(capsys.readouterr().out)
        main(["train", *settings, *batches, "--stream", "--record", str(tmp_path / "run.json")])
        pieces = json.loads(capsys.readouterr().out)
        assert 20 < pieces["last"]["epoch"] == page["last"]["epoch"] < 900
        assert pieces["outcome"] == page["outcome"] == "stood still"
        assert pieces["last"]["rmse"] == pytest.approx(page["last"]["rmse"], rel=1e-9)
        main(["train", "--resume", str(tmp_path / "run.json"), "--json"])
        assert json.loads(capsys.readouterr().out)["last"]["epoch"] == pieces["last"]["epoch"]
    assert main(["train", *settings, "--batch-size", "7", "--stream", "--shuffle"]) == 2
    assert capsys.readouterr().err.startswith("shuffle must be false for a table that is read in pieces")
