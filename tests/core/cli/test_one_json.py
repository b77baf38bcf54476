"""One command has one JSON, however it is run: rows held, read in pieces, read by several processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from gd_core.export.record_reading import SCHEMA

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = (ROOT / "docs" / "records.md").read_text(encoding="utf-8")
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
DIFFERENT = {
    "experiment.table",
    "link",
    "engine",
    "verdict",
    "averaged",
    "digest",
    "resume",
    "outcome_epoch",
}  # as the document has it
MACHINE = {"made_with.processes", "made_with.threads"}


def differences(one, other, where=""):
    """The keys at which two documents part; numbers may be off by 1e-9."""
    if isinstance(one, dict) and isinstance(other, dict) and list(one) == list(other):
        for name in one:
            yield from differences(one[name], other[name], f"{where}.{name}" if where else name)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{where}[{place}]")
    elif isinstance(one, float) and isinstance(other, float):
        if one != pytest.approx(other, rel=1e-9, abs=1e-12):
            yield where
    elif one != other or type(one) is not type(other):
        yield where


@pytest.fixture
def table(tmp_path):
    """Three columns, a gap in one of them, and a row number."""
    generator = np.random.default_rng(5)
    x = generator.normal(size=(40, 2)) * [1, 2] + [1, -1]
    y = x @ [2, -1] + 3 + generator.normal(size=40) * 0.1
    lines = [f"{a:.6f},{b:.6f},{c:.6f}" for a, b, c in np.column_stack([x, y])]
    lines[7] = f",{lines[7].split(',', 1)[1]}"
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["one,two,y", *lines, ""]))
    return path


FLAGS = {
    "as it is": (),
    "scaled momentum": ("--optimizer", "momentum", "--scale-features", "--learning-rate", "0.05"),
    "no intercept": ("--no-intercept", "--optimizer", "nesterov", "--missing", "mean"),
    "adam": ("--optimizer", "adam", "--learning-rate", "0.1", "--start=1,-2,0.5", "--no-shuffle"),
    "diverges": ("--learning-rate", "3"),
    "stands still": ("--tolerance", "0.01", "--learning-rate", "0.02"),
    "in order": ("--batch-size", "7", "--no-shuffle", "--learning-rate", "0.01"),
    "every": ("--every", "7"),
}


@pytest.mark.parametrize("name", FLAGS)
def test_one_command_has_one_json_whole_and_in_pieces(run, tmp_path, table, name):
    """Every key in its place, every epoch, what is printed and what is recorded; only what the document names differs."""
    gaps = () if "--missing" in FLAGS[name] else ("--missing", "drop")
    found = []
    for way in ((), ("--stream",)):
        path = tmp_path / "run.json"
        flags = ("--table", table, "--target", "y", "--epochs", "90", *gaps, *FLAGS[name])
        status, output, errors = run("train", *way, *flags, "--json", "--record", path)
        assert status == 0, errors
        found.append((json.loads(output), json.loads(path.read_text())))
        for document in found[-1]:
            VALIDATOR.validate(document)
    for held, streamed in zip(*found, strict=True):
        assert set(differences(held, streamed)) - DIFFERENT == set()
        if held["outcome"] != "converged":
            assert held["outcome_epoch"] == streamed["outcome_epoch"]
    printed, recorded = found[0]
    every = 7 if name == "every" else 1
    last = printed["last"]["epoch"]
    assert [row["epoch"] for row in printed["epochs"]] == [*range(0, last, every), last]
    every = 7 if name == "every" else 5
    assert [row["epoch"] for row in recorded["epochs"]] == [*range(0, last, every), last]
    assert {key: value for key, value in printed.items() if key != "epochs"} == {
        key: value for key, value in recorded.items() if key != "epochs"
    }


HOMES = "size,rooms,price\n" + "".join(
    f"{1200 + 97 * i},{2 + i % 3},{150000 + 8000 * i + 900 * (i % 4)}\n" for i in range(30)
)


@pytest.mark.parametrize("way", [(), ("--stream",)])
def test_a_table_opens_as_on_the_page(run, tmp_path, way):
    """Sizes of homes have κ far over 100: scaled at the best rate for the epochs, and told; left as they are, at half the limit."""
    path = tmp_path / "homes.csv"
    path.write_text(HOMES)
    x = np.loadtxt(path, delimiter=",", skiprows=1)[:, :2]
    raw = np.column_stack([x, np.ones(30)])
    scaled = np.column_stack([(x - x.mean(0)) / x.std(0), np.ones(30)])
    steep, scaled_steep = (np.linalg.eigvalsh(2 / 30 * one.T @ one) for one in (raw, scaled))
    status, output, notes = run("train", "--table", path, *way, "--json")
    opened = json.loads(output)["experiment"]
    assert (status, opened["scale_features"]) == (0, True)
    assert opened["learning_rate"] == pytest.approx(2 / (scaled_steep[0] + scaled_steep[-1]), rel=0.005)
    kappa = float(f"{steep[-1] / steep[0]:.3g}")
    assert (
        f"The features are scaled: as they are, κ = {kappa:,.0f}. --no-scale-features leaves them so."
        in notes
    )
    status, output, notes = run("train", "--table", path, *way, "--no-scale-features", "--json")
    left = json.loads(output)["experiment"]
    assert (status, left["scale_features"]) == (0, False)
    assert left["learning_rate"] == pytest.approx(1 / steep[-1], rel=0.005)
    assert "scaled" not in notes
    _, output, _ = run("train", "--table", path, *way, "--learning-rate", "1e-9", "--json")
    assert not json.loads(output)["experiment"]["scale_features"]


@pytest.mark.parametrize("way", [(), ("--stream",)])
def test_the_table_of_epochs_names_the_columns(run, tmp_path, way):
    """As the page does; the keys of a record and of --json stay w₁, w₂, b."""
    path = tmp_path / "homes.csv"
    path.write_text(HOMES)
    _, output, _ = run("train", "--table", path, *way, "--epochs", "1")
    head = next(line for line in output.splitlines() if line.strip().startswith("epoch"))
    assert (
        " ".join(head.split()) == "epoch loss RMSE w₁ (size) w₂ (rooms) b w₁ (size) raw w₂ (rooms) raw b raw"
    )
    _, output, _ = run("train", "--table", path, *way, "--epochs", "1", "--json")
    assert list(json.loads(output)["last"]["parameters"]) == ["w₁", "w₂", "b"]


@pytest.mark.torchrun
def test_torchrun_prints_the_same_json(run, tmp_path):
    """Two processes, each with a part of the rows, of features that are scaled: the same epochs, keys and numbers."""
    u, v, noise = np.random.default_rng(6).normal(size=(3, 40))
    table = tmp_path / "table.csv"
    rows = [
        f"{1000 * (a + 2):.3f},{a + 0.2 * b:.6f},{a - b + c / 9:.6f}"
        for a, b, c in zip(u, v, noise, strict=True)
    ]
    table.write_text("\n".join(["one,two,y", *rows[:7], f",{rows[7].partition(',')[2]}", *rows[8:], ""]))
    command = ("train", "--table", str(table), "--missing", "drop", "--epochs", "60", "--json")
    own = ("--standalone", "--nproc-per-node", "2", "--log-dir", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *own, "-m", "gd_core", *command],
        cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    together = json.loads(done.stdout)
    status, output, _ = run(*command)
    assert status == 0
    assert together["made_with"]["processes"] == 2
    assert together["experiment"]["scale_features"]
    assert set(differences(json.loads(output), together)) - MACHINE == DIFFERENT - {
        "outcome_epoch",
        "averaged",
    }
    VALIDATOR.validate(together)


def test_what_differs_is_named():
    """In the table of the document."""
    for key in (*DIFFERENT, *json.loads(SCHEMA.read_text(encoding="utf-8"))["properties"]):
        assert f"`{key}`" in DOCUMENT


def test_a_record_of_the_first_format_is_gone_on_with(run, tmp_path, table):
    """What an older lab wrote of a table that is read in pieces leads to the numbers of a run that was whole."""
    flags = (
        "--stream",
        "--table",
        table,
        "--missing",
        "drop",
        "--optimizer",
        "adam",
        "--learning-rate",
        "0.1",
    )
    path = tmp_path / "run.json"
    run("train", *flags, "--epochs", "20", "--record", path)
    part = json.loads(path.read_text())
    own, last = part["resume"], part["last"]
    names = (
        "missing",
        "optimizer",
        "learning_rate",
        "target",
        "features",
        "epochs",
        "batch_size",
        "scale_features",
        "start",
    )
    old = {
        "format": "Gradient Descent Lab, large record 1",
        "table": part["table"] | {"size": own["size"]},
        "settings": {name: part["experiment"][name] for name in names},
        "engine": "moments: one pass over the rows, then none",
        "made_with": {"torch": "2.0"}, "outcome": "still descending", "verdict": "", "complete": True, "diverged_at": None,
        "epoch": 20, "theta": list(last["parameters"].values()), "state": own["state"], "recent": own["recent"], "last": last,
        "theory": {"condition_number": 3.0, "largest_eigenvalue": 2.0, "floor_rmse": 0.1, "optimum": {"w₁": 1.0}},
        "epochs": [{name: row[name] for name in ("epoch", "loss", "rmse", "parameters")} for row in part["epochs"]],
    }  # fmt: skip
    path.write_text(json.dumps(old))
    status, output, errors = run("train", "--resume", path, "--epochs", "50", "--json")
    assert status == 0, errors
    _, whole, _ = run("train", *flags, "--epochs", "50", "--json")
    whole, output = json.loads(whole), json.loads(output)
    assert set(differences(whole, output)) <= {"updates"}
    assert (whole["updates"], output["updates"]) == (50, 50)
