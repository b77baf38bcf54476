"""The command line."""

import csv
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gd_core import published
from gd_core.cli import commands as command_line
from gd_core.cli.flags import GROUPS
from gd_core.export.notebook import notebook
from gd_core.export.script import script, stride
from gd_core.problem import build
from gd_core.recorder import Recorder, record
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.fields import Flag, ParameterError
from gd_core.theory import curvature_of

ROOT = Path(__file__).resolve().parents[3]


def command(*arguments, **options):
    """A process of its own, as from a shell."""
    return subprocess.run(
        [sys.executable, "-m", "gd_core", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


def strict_json(text):
    """Parsed as JSON allows: no NaN, no Infinity, no key twice, one document."""

    def refuse(constant):
        raise ValueError(constant)

    def once(pairs):
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=once)


def table_of(output):
    """Header and rows of the printed table, as far as the first empty line."""
    header, *lines = output.split("\n\n")[0].splitlines()
    return header, [[float(cell) for cell in line.split()] for line in lines]


# ------------------------------------------------------------------------------------------------- from a shell


def test_train_prints_the_articles_epochs():
    """The published RMSEs stand in the table, and the verdict below it."""
    done = command("train", "noisy-quadratic", "--learning-rate", "1e-5", "--epochs", "10")
    assert (done.returncode, done.stderr) == (0, "")
    header, rows = table_of(done.stdout)
    assert header.split() == ["epoch", "loss", "RMSE", "a", "b", "c"]
    assert [row[0] for row in rows] == list(range(11))
    assert [row[2] for row in rows[:10]] == pytest.approx(published.QUADRATIC_RMSE, rel=5e-6)
    assert rows[0][3:] == pytest.approx([-0.128405, -1.00424, 0.567266])
    assert done.stdout.splitlines()[-1].startswith("Still descending after 10 epochs, at RMSE 18.0377")


def test_train_prints_the_mean_of_the_points(run):
    """In mini-batches a line above the verdict has it, in the digits of the table; of all rows there is none."""
    flags = ("train", "noisy-quadratic", "--scale-features", "--learning-rate", "0.05", "--epochs", "6")
    _, output, _ = run(*flags, "--batch-size", "4")
    _, rows = table_of(output)
    curve = Experiment.default("noisy-quadratic")
    problem = build(replace(curve, scale_features=True))
    mean = np.array(rows)[-3:, 3:6].mean(0)
    x, y = problem.linear.features.numpy(), problem.objective.target.numpy()
    (told,) = [
        line for line in output.splitlines() if line.startswith("The mean of the points of its last 3 epochs")
    ]
    assert float(told.removesuffix(".").split()[-1]) == pytest.approx(
        np.sqrt(np.mean((x @ mean - y) ** 2)), rel=1e-5
    )
    assert "The mean of the points" not in run(*flags)[1]


def test_help_does_not_wait_for_torch():
    """It names both commands, and every setting of a run, without loading torch."""
    script = "import sys; from gd_core.cli.commands import main; main(sys.argv[1:])"
    check = "import atexit, sys; atexit.register(lambda: print('torch' in sys.modules, file=sys.stderr));"
    for arguments, words in (
        (["--help"], ["train", "reproduce"]),
        (["train", "--help"], ["--json", *(f"--{'[no-]' * isinstance(field, Flag)}{name.replace('_', '-')} " for name, field in FIELDS.items())]),
    ):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", check + script, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr.strip()) == (0, "False")
        for word in words:
            assert word in done.stdout


@pytest.mark.parametrize("name", command_line.EXAMPLES)
def test_help_ends_with_examples_that_can_be_typed(run, name):
    """Each is one of the command; a page of 100 columns holds most flags in a line, under titles of their own."""
    status, output, errors = run(*name.split(), "--help")
    assert (status, errors) == (0, "")
    assert output.rstrip().endswith(command_line.EXAMPLES[name][-1])
    for line in command_line.EXAMPLES[name]:
        typed = re.split(r" {2,}| > ", line)[0]
        assert name in ("", typed.split()[0])
        if "COMMAND" not in typed:
            command_line._parser().parse_args(shlex.split(typed))


def test_each_flag_stands_once_in_help(run):
    """Under a title; a setting that no title knows, as a new one, under the last."""
    _, output, _ = run("train", "--help")
    flags = re.findall(r"^  (--[\w\[\]-]+)", output, re.MULTILINE)
    assert len(flags) == len(set(flags)) > len(FIELDS)
    known = [name for names in GROUPS.values() for name in names]
    assert len(known) == len(set(known))
    assert set(known) <= set(FIELDS)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["train", "--learning-rate", "-0.1"],
            "learning_rate must be a number between 1e-18 and 1,000,000. Got -0.1.",
        ),
        (["train", "--lerning-rate", "1"], "Unrecognized arguments: --lerning-rate."),
        ([], "The following arguments are required: COMMAND."),
    ],
)
def test_bad_input_ends_with_one_sentence(arguments, sentence):
    """Exit status 2, the sentence on standard error, and nothing else."""
    done = command(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [sentence]


def test_a_closed_pipe_ends_quietly():
    """`| head` takes what it wants; the rest is not missed."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        arguments = ["train", "one-parameter", "--epochs", "20", "--every", "1"]
        done = subprocess.run(
            [sys.executable, "-m", "gd_core", *arguments],
            cwd=ROOT,
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_told():
    """Output that could not be written is no success."""
    with Path("/dev/full").open("w") as full:
        arguments = ["train", "one-parameter", "--epochs", "2"]
        done = subprocess.run(
            [sys.executable, "-m", "gd_core", *arguments],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr.decode().splitlines() == ["The output could not be written: No space left on device."]


def test_names_are_printed_whatever_the_language():
    """w₁ is no trouble in a terminal that knows only ASCII."""
    environment = os.environ | {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "gd_core", "train", "two-features", "--epochs", "1"],
        cwd=ROOT, env=environment, capture_output=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert "w₁" in done.stdout.decode("utf-8")


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_ctrl_c_ends_quietly(tmp_path):
    """No traceback, the shell's own exit status for it, and no half-written file."""
    script = (
        "import signal, sys; import gd_core.recorder as r; from gd_core.cli.commands import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background starts without\n"
        "def interrupted(self, seconds=None): signal.raise_signal(signal.SIGINT)\n"
        "r.Recorder.advance = interrupted; sys.exit(main(['train', '--engine', 'loop', '--csv', sys.argv[1]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "run.csv")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGINT, "", "")
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------------------------------------- train, as a table


@pytest.mark.parametrize(
    ("epochs", "every"),
    [(40, 1), (41, 2), (80, 2), (200, 5), (201, 10), (1000, 50), (2001, 100), (100_000, 5000)],
)
def test_strides_are_round_numbers(epochs, every):
    """As small as leaves no more than forty rows and the start."""
    assert stride(epochs, command_line.ROWS) == every
    assert epochs / every <= 40


def test_a_thinned_table_says_so(run):
    """First, every so many-th and last; --every chooses, and 1 shows all without a remark."""
    status, output, errors = run("train", "one-parameter", "--epochs", "93")
    assert (status, errors) == (0, "")
    assert [row[0] for row in table_of(output)[1]] == [*range(0, 91, 5), 93]
    assert "every 5 epochs" in output
    _, output, _ = run("train", "one-parameter", "--epochs", "93", "--every", "2")
    assert "every 2 epochs" in output
    _, output, _ = run("train", "one-parameter", "--epochs", "93", "--every", "40")
    assert [row[0] for row in table_of(output)[1]] == [0, 40, 80, 93]
    _, output, _ = run("train", "one-parameter", "--epochs", "93", "--every", "1")
    assert [row[0] for row in table_of(output)[1]] == list(range(94))
    assert "--every" not in output


def test_columns_are_aligned(run):
    """Every line of the table is as wide as its header."""
    _, output, _ = run("train", "two-features", "--points", "30", "--epochs", "40")
    lines = output.split("\n\n")[0].splitlines()
    assert len({len(line) for line in lines}) == 1


def test_scaled_parameters_are_shown_in_raw_units_too(run):
    """Both stand in the table: the same curve in two sets of numbers."""
    _, output, _ = run("train", "--scale-features", "--learning-rate", "0.3", "--epochs", "3")
    header, rows = table_of(output)
    assert header.split() == ["epoch", "loss", "RMSE", "a", "b", "c", "a", "raw", "b", "raw", "c", "raw"]
    assert rows[0][6:] == pytest.approx([-0.128405, -1.00424, 0.567266])  # the published start
    assert rows[0][3] != rows[0][6]


def test_a_diverged_run_is_a_result(run):
    """Exit status 0, the epochs below the bound, and the reason."""
    status, output, _ = run("train", "--learning-rate", "5e-5", "--epochs", "1000")
    assert status == 0
    last_kept = table_of(output)[1][-1][0]
    assert f"Diverged at epoch {last_kept + 1:.0f}:" in output


# ------------------------------------------------------------------------------------------------ flags and values


FLAGS = {
    "dataset": "two-features",
    "table": "",
    "target": "",
    "features": "",
    "degree": "1",
    "model": "linear",
    "intercept": "false",
    "missing": "refuse",
    "points": "50",
    "noise": "0.5",
    "data_seed": "7",
    "holdout": "0.3",
    "split_seed": "11",
    "loss": "mse-broadcast",
    "delta": "2.5",
    "optimizer": "adam",
    "learning_rate": "0.01",
    "schedule": "step:2:0.5",
    "warmup": "1",
    "counted_in": "updates",
    "momentum": "0.8",
    "alpha": "0.95",
    "beta1": "0.85",
    "beta2": "0.9",
    "epsilon": "1e-07",
    "weight_decay": "0.05",
    "batch_size": "10",
    "shuffle": "false",
    "scale_features": "true",
    "scale_target": "true",
    "start": "-1.5,2.0",
    "seed": "3",
    "before": "2,momentum,0.001,0.5;1,gradient-descent,0.01",
    "engine": "loop",
    "tolerance": "1e-09",
    "penalty": "0.25",
    "penalised": "all",
    "patience": "7",
    "epochs": "4",
}


def test_every_field_is_a_flag(run):
    """Together they give the experiment that a link with the same texts gives."""
    assert set(FLAGS) == set(FIELDS)
    flags = [
        part
        for name, text in FLAGS.items()
        for part in (
            [f"--{name.replace('_', '-')}", text]
            if not isinstance(FIELDS[name], Flag)
            else [f"--{'' if text == 'true' else 'no-'}{name.replace('_', '-')}"]
        )
    ]
    status, output, errors = run("train", *flags, "--json")
    assert (status, errors) == (0, "")
    shown = strict_json(output)["experiment"]
    expected, sentences = Experiment.from_query(FLAGS)
    assert sentences == []
    assert shown == {
        name: [phase._asdict() for phase in value]
        if name == "before"
        else list(value)
        if name in ("start", "features")
        else value
        for name, value in vars(expected).items()
    }


def test_defaults_are_the_data_sets_own(run):
    """Only what is given differs from the dashboard's starting values; features can be left unscaled by name."""
    _, output, _ = run("train", "one-parameter", "--optimizer", "adagrad", "--no-scale-features", "--json")
    shown = strict_json(output)["experiment"]
    assert shown == {**vars(Experiment.default("one-parameter", "adagrad")), "before": [], "features": []}


def test_a_table_that_needs_scaling_is_not_scaled_against_ones_will(run, tmp_path):
    """Tenth powers of years: scaled where nothing is said of it, refused in a sentence where it is."""
    path = tmp_path / "years.csv"
    path.write_text("year,y\n" + "".join(f"{1996 + i},{i % 5}\n" for i in range(24)))
    table = ("--table", str(path), "--degree", "10", "--epochs", "1")
    status, output, _ = run("train", *table, "--json")
    assert (status, strict_json(output)["experiment"]["scale_features"]) == (0, True)
    status, output, errors = run("train", *table, "--no-scale-features")
    assert (status, output) == (2, "")
    assert errors == (
        "scale_features must be true for this table, whose features as they are take a rate smaller than any that can be "
        "typed. Got false.\n"
    )


def test_without_a_data_set_it_is_the_first(run):
    """As on a fresh page."""
    _, output, _ = run("train", "--epochs", "1", "--json")
    assert strict_json(output)["experiment"]["dataset"] == "noisy-quadratic"


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--points", "2"),
        ("--noise", "nan"),
        ("--epochs", "1e3"),
        ("--epochs", "0"),
        ("--learning-rate", "-1e-5"),
        ("--learning-rate", "inf"),
        ("--optimizer", "lbfgs"),
        ("--batch-size", "21"),
        ("--start", "-1,2"),
        ("--start", "-1,2,nan"),
        ("--before", "5,adam"),
        ("--dataset", "iris\nor two"),
    ],
)
def test_bad_values_have_the_links_sentences(run, flag, value):
    """Exit status 2 and the same sentence that a link with this value gets, on one line."""
    status, output, errors = run("train", flag, value)
    _, (sentence,) = Experiment.from_query({flag[2:].replace("-", "_"): value})
    assert (status, output, errors) == (2, "", f"{sentence}\n")


def test_the_sentence_is_that_of_the_error(run):
    """Command line, link and Python say the same of the same value."""
    _, _, errors = run("train", "--momentum", "1.5")
    with pytest.raises(ParameterError) as error:
        Experiment(momentum=1.5)
    assert errors == f"{error.value}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["paint"],
        ["train", "--epoch", "5"],  # no guessing at abbreviations
        ["train", "noisy-quadratic", "two-features"],
        ["train", "--epochs"],
        ["train", "--every", "0"],
        ["train", "--every", "-3"],
        ["train", "--every", "two"],
        ["train", "--every", "²"],
        ["train", "--json=yes"],
        ["train", "--scale-features=maybe"],
        ["train", "one-parameter", "--scale-features"],
        ["reproduce", "everything"],
        ["train", "--csv", "no/such/folder/run.csv"],
        ["train", "--csv", "."],
    ],
)
def test_misuse_ends_with_one_sentence(run, arguments):
    """Exit status 2, one line that ends with a full stop, no usage, no traceback, no output."""
    status, output, errors = run(*arguments)
    assert (status, output) == (2, "")
    assert len(errors.splitlines()) == 1
    assert errors.endswith(".\n")
    assert "usage" not in errors


# --------------------------------------------------------------------------------------------------------- JSON


def test_json_holds_the_run(run):
    """Every epoch with loss, RMSE, parameters and gradient by name, as they were recorded."""
    status, output, errors = run("train", "two-features", "--points", "30", "--epochs", "60", "--json")
    assert (status, errors) == (0, "")
    document = strict_json(output)
    recording = record(Experiment.from_query({"dataset": "two-features", "points": "30", "epochs": "60"})[0])
    assert [row["epoch"] for row in document["epochs"]] == list(range(61))
    for k, row in enumerate(document["epochs"]):
        assert set(row) == {"epoch", "loss", "rmse", "parameters", "gradient"}
        assert row["loss"] == float(recording.loss[k])
        assert row["rmse"] == float(recording.epoch_rmse[k])
        assert row["parameters"] == dict(zip(("w₁", "w₂", "b"), recording.theta[k].tolist(), strict=True))
        assert row["gradient"] == dict(zip(("w₁", "w₂", "b"), recording.gradient[k].tolist(), strict=True))
    assert document["outcome"] == "still descending"


def test_json_holds_the_theory(run):
    """The curvatures, limits and optimum of the article's problem."""
    _, output, _ = run("train", "--epochs", "10", "--json")
    theory = strict_json(output)["theory"]
    assert theory["eigenvalues"] == pytest.approx([0.258637, 15.97877, 56499.36], rel=1e-5)
    assert theory["condition_number"] == pytest.approx(218_450, rel=1e-4)
    assert theory["stability_limit"] == pytest.approx(3.53986e-5, rel=1e-5)
    assert theory["best_learning_rate"] == pytest.approx(3.53985e-5, rel=1e-5)
    assert theory["best_for_epochs"] == pytest.approx(0.739 * 3.53986e-5, rel=1e-3)
    assert theory["optimum"] == pytest.approx({"a": 0.808293, "b": -12.12175, "c": 48.49597}, rel=1e-6)
    assert theory["floor_rmse"] == pytest.approx(1.46727, rel=1e-5)


def test_json_has_null_where_there_is_no_number(run, monkeypatch):
    """A rule without a limit, and an infinite condition number, are null and not Infinity."""
    _, output, _ = run("train", "--optimizer", "adam", "--epochs", "2", "--json")
    theory = strict_json(output)["theory"]
    assert theory["stability_limit"] is theory["best_learning_rate"] is theory["best_for_epochs"] is None
    assert theory["why_no_limit"].startswith("Adam")
    monkeypatch.setattr("gd_core.theory.Curvature.condition_number", float("inf"))
    _, output, _ = run("train", "--epochs", "2", "--json")
    assert strict_json(output)["theory"]["condition_number"] is None


def test_json_names_the_epoch_of_the_outcome(run):
    """Where its test was first passed."""
    _, output, _ = run("train", "one-parameter", "--learning-rate", "0.12", "--epochs", "1000", "--json")
    document = strict_json(output)
    assert document["outcome"] == "diverged"
    assert document["outcome_epoch"] == len(document["epochs"]) == document["epochs"][-1]["epoch"] + 1
    assert document["verdict"].startswith(f"Diverged at epoch {document['outcome_epoch']}")


def test_json_has_raw_parameters_of_scaled_features(run):
    """The trained coefficients and those of the data's own units draw one curve."""
    _, output, _ = run("train", "--scale-features", "--learning-rate", "0.3", "--epochs", "4", "--json")
    document = strict_json(output)
    experiment = Experiment.from_query({"scale_features": "true"})[0]
    scaled = build(experiment)
    plain = build(Experiment.default())
    for row in document["epochs"]:
        trained = torch.tensor(list(row["parameters"].values()), dtype=torch.float64)
        raw = torch.tensor(list(row["raw_parameters"].values()), dtype=torch.float64)
        torch.testing.assert_close(scaled.objective.predict(trained), plain.objective.predict(raw))
    assert document["theory"]["optimum"]["a"] == pytest.approx(0.808293, rel=1e-6)


def test_json_gradients_are_those_of_all_rows(run):
    """With mini-batches too, the gradient belongs to the loss beside it."""
    _, output, _ = run("train", "--batch-size", "3", "--epochs", "3", "--json")
    objective = build(Experiment.default()).linear
    for row in strict_json(output)["epochs"]:
        theta = torch.tensor(list(row["parameters"].values()), dtype=torch.float64)
        features, error = objective.features, objective.predict(theta) - objective.target
        assert row["loss"] == pytest.approx(float(error.square().mean()))
        assert list(row["gradient"].values()) == pytest.approx((2 * features.T @ error / 20).tolist())


# ---------------------------------------------------------------------------------------------------------- CSV


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_is_the_table_of_every_epoch(run, tmp_path):
    """Full precision, one line an epoch, whatever the printed table leaves out."""
    path = tmp_path / "run.csv"
    status, output, errors = run(
        "train", "two-features", "--points", "30", "--epochs", "99", "--csv", str(path)
    )
    assert (status, errors) == (0, "")
    assert "every 5 epochs" in output
    rows = rows_of(path)
    recording = record(Experiment.from_query({"dataset": "two-features", "points": "30", "epochs": "99"})[0])
    names = ["w₁", "w₂", "b"]
    assert list(rows[0]) == ["epoch", "loss", "rmse", *names, *(f"gradient_{name}" for name in names)]
    assert [int(row["epoch"]) for row in rows] == list(range(100))
    assert [float(row["loss"]) for row in rows] == recording.epoch_loss.tolist()
    assert [[float(row[name]) for name in names] for row in rows] == recording.theta.tolist()


def test_csv_of_scaled_features_has_raw_columns(run, tmp_path):
    """Named raw_a, raw_b, raw_c."""
    path = tmp_path / "run.csv"
    run("train", "--scale-features", "--learning-rate", "0.1", "--epochs", "2", "--json", "--csv", str(path))
    first = rows_of(path)[0]
    start = [float(first[name]) for name in ("raw_a", "raw_b", "raw_c")]
    assert start == pytest.approx([-0.12840519845485687, -1.0042424201965332, 0.5672656297683716], rel=1e-9)


def test_csv_replaces_an_old_file_only_when_complete(run, tmp_path, monkeypatch):
    """A run that breaks leaves the old file alone and no draft behind."""
    path = tmp_path / "run.csv"
    path.write_text("old")

    def broken(self, seconds=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(Recorder, "advance", broken)
    assert run("train", "--engine", "loop", "--csv", str(path)) == (130, "", "")
    assert [file.name for file in tmp_path.iterdir()] == ["run.csv"]
    assert path.read_text() == "old"
    monkeypatch.undo()
    run("train", "--epochs", "1", "--csv", str(path))
    assert [file.name for file in tmp_path.iterdir()] == ["run.csv"]
    assert len(rows_of(path)) == 2


def test_csv_is_written_behind_a_link(run, tmp_path):
    """A link stays a link; the file that it names is replaced."""
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    target.write_text("old")
    link.symlink_to(target)
    run("train", "--epochs", "1", "--csv", str(link))
    assert link.is_symlink()
    assert len(rows_of(target)) == 2


def test_csv_never_takes_a_devices_place(run):
    """/dev/null is refused, even for a user who could replace it."""
    status, output, errors = run("train", "--epochs", "1", "--csv", os.devnull)
    assert (status, output) == (2, "")
    assert errors == f"csv must be a file that can be written. Got {os.devnull}: not a file.\n"


# ---------------------------------------------------------------------------------------------------- reproduce


def test_reproduce_compares_number_by_number(run):
    """All sixty are ok, and the loss that float32 rounds the other way is explained."""
    status, output, errors = run("reproduce")
    assert (status, errors) == (0, "")
    lines = [line for line in output.splitlines() if re.search(r" (ok|differs)$", line)]
    assert len(lines) == 60
    for line in lines:
        shown, ours, difference, word = line.split()[-4:]
        assert word == "ok"
        assert float(ours) - float(shown) == pytest.approx(float(difference), rel=0.06, abs=1e-9)
    assert "loss before update 600: 4.05014849 in float64" in output
    assert output.endswith("60 numbers: all ok.\n")


def test_reproduce_fails_where_a_number_differs(run, monkeypatch):
    """The word is differs, and the exit status 1."""
    spoiled = (published.QUADRATIC_RMSE[0], 36.4, *published.QUADRATIC_RMSE[2:])
    monkeypatch.setattr(published, "QUADRATIC_RMSE", spoiled)
    status, output, _ = run("reproduce")
    assert status == 1
    (line,) = [line for line in output.splitlines() if line.endswith("differs")]
    assert line.split()[:5] == ["RMSE", "before", "update", "2", "36.4"]
    assert output.endswith("60 numbers: 1 not ok.\n")


def test_the_optimum_in_json_is_raw(run):
    """Theory speaks of the data's own units."""
    _, output, _ = run("train", "two-features", "--scale-features", "--epochs", "1", "--json")
    curvature = curvature_of(build(Experiment.default("two-features")).objective)
    assert list(strict_json(output)["theory"]["optimum"].values()) == pytest.approx(
        curvature.optimum.tolist(), rel=1e-9
    )


# ------------------------------------------------------------------------------------------------------- take away


def test_a_record_makes_the_run_again(run, tmp_path):
    """To the last bit: the tables of every epoch are the same bytes, and the sentence says so."""
    record_file, first, second = tmp_path / "run.json", tmp_path / "1.csv", tmp_path / "2.csv"
    flags = [
        "--optimizer",
        "adam",
        "--batch-size",
        "3",
        "--scale-features",
        "--start",
        "random",
        "--epochs",
        "9",
    ]
    status, output, _ = run("train", *flags, "--record", str(record_file), "--csv", str(first))
    assert status == 0
    status, again, errors = run("train", "--from", str(record_file), "--csv", str(second))
    assert (status, errors) == (0, "")
    assert second.read_bytes() == first.read_bytes()
    assert again.startswith(output)
    assert again.endswith(
        "Reproduced exactly: θ, loss and gradient of every update are the same to the last bit.\n"
    )
    assert {file.name for file in tmp_path.iterdir()} == {"run.json", "1.csv", "2.csv"}


def test_what_json_prints_is_a_record_too(run, tmp_path):
    """And beside --json the sentence stands where it does not disturb."""
    path = tmp_path / "run.json"
    path.write_text(run("train", "one-parameter", "--epochs", "5", "--json")[1], encoding="utf-8")
    status, output, errors = run("train", "--from", str(path), "--json")
    assert (status, errors.strip().partition(":")[0]) == (0, "Reproduced exactly")
    assert strict_json(output) == strict_json(path.read_text(encoding="utf-8"))


def test_a_run_that_is_not_reproduced_ends_with_1(run, tmp_path):
    """The record's own last RMSE stands beside today's."""
    path = tmp_path / "run.json"
    run("train", "one-parameter", "--epochs", "5", "--record", str(path))
    document = json.loads(path.read_text(encoding="utf-8"))
    document["digest"] = "sha256:" + "0" * 64
    path.write_text(json.dumps(document), encoding="utf-8")
    status, output, _ = run("train", "--from", str(path))
    assert status == 1
    assert "Not reproduced exactly: the RMSE at epoch 5 is 2.94912" in output


def test_a_large_table_has_to_be_brought_along(run, tmp_path):
    """The record knows it by its fingerprint; another file is not taken for it."""
    path, table, other = tmp_path / "run.json", tmp_path / "mine.csv", tmp_path / "other.csv"
    rows = [f"{k},{(k * 7919 % 1000) / 7:.6f},{(k * 104729 % 997) / 3:.6f}" for k in range(1500)]
    table.write_text("\n".join(["a,b,c", *rows]))
    other.write_text("\n".join(["a,b,c", *rows[1:]]))
    status, _, errors = run("train", "table", "--table", str(table), "--epochs", "3", "--record", str(path))
    assert (status, errors) == (0, "")
    for flags, sentence in (
        ([], "from needs the file of the table that the record was made with: --table FILE. Got none.\n"),
        (
            ["--table", str(other)],
            "table must be the file of the table that the record was made with. Got another.\n",
        ),
    ):
        assert run("train", "--from", str(path), *flags) == (2, "", sentence)
    status, output, _ = run("train", "--from", str(path), "--table", str(table))
    assert status == 0
    assert "Reproduced exactly" in output


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "record must be a JSON record of a run. Got nothing.\n"),
        (b"PK\x03\x04\xff\x00", None),
        (b"\xff" * 100, None),
        (b'{"experiment": {"dataset": "iris"}, "format": "Gradient Descent Lab, record 1"}', None),
    ],
)
def test_a_bad_record_is_told_in_a_sentence(run, tmp_path, content, sentence):
    """Exit status 2, one line, no traceback."""
    path = tmp_path / "run.json"
    path.write_bytes(content)
    status, output, errors = run("train", "--from", str(path))
    assert (status, output) == (2, "")
    assert errors.endswith(".\n")
    assert len(errors.splitlines()) == 1
    assert sentence in (None, errors)


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--from", "no/such/file.json"],
        ["train", "--from", "."],
        ["train", "--from", os.devnull, "--epochs", "5"],
        ["train", "--record", "no/such/folder/run.json"],
        ["script", "--flavour", "vanilla"],
        ["script", "--learning-rate", "0"],
        ["script", "--output", "no/such/folder/run.py"],
        ["notebook", "iris"],
    ],
)
def test_misuse_of_what_is_taken_away_ends_with_one_sentence(run, arguments):
    """As everywhere on the command line."""
    test_misuse_ends_with_one_sentence(run, arguments)


@pytest.mark.parametrize("flavour", [None, "by-hand", "torch-optim"])
def test_script_and_notebook_are_those_of_the_page(run, flavour, tmp_path):
    """Printed, or written to a file that appears complete; by hand unless told otherwise."""
    flags = [] if flavour is None else ["--flavour", flavour]
    path = tmp_path / "file"
    for name, make in (("script", script), ("notebook", notebook)):
        expected = make(Experiment.default("two-features"), flavour or "by-hand")
        assert run(name, "two-features", *flags) == (0, expected, "")
        assert run(name, "two-features", *flags, "--output", str(path)) == (0, "", "")
        assert path.read_text(encoding="utf-8") == expected


def test_each_file_is_told_by_its_own_name(run, tmp_path, monkeypatch):
    """A disk that fills up while the record is written is not the table's fault."""

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gd_core.export.record_file.strict_json", full)
    paths = [str(tmp_path / name) for name in ("run.csv", "run.json")]
    status, _, errors = run("train", "--epochs", "1", "--csv", paths[0], "--record", paths[1])
    assert (status, errors) == (
        2,
        f"record must be a file that can be written. Got {paths[1]}: No space left on device.\n",
    )
    assert list(tmp_path.iterdir()) == []
