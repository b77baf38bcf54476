"""Tables that are read in pieces: the reading, the training, the record. In one process; see test_distributed.py."""

import errno
import json
import resource
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from pyarrow import parquet

from gd_core.cli import commands as command_line
from gd_core.cli import large_table
from gd_core.export import whole_file
from gd_core.large.record import Progressed
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment, defaults
from gd_core.tables import streamed_csv, streamed_parquet, streaming
from gd_core.tables.chunks import Shard
from gd_core.tables.reading import TableError, read
from gd_core.tables.streaming import Reader, open_table
from gd_core.tables.table import keep

ROWS = 400
CASES = Path(__file__).parent / "cases"


def numbers(rows=ROWS):
    """Three features and a target, [N, 4]."""
    generator = np.random.default_rng(3)
    x = generator.normal(size=(rows, 3)) * [1, 2, 0.5] + [3, 0, -1]
    y = x @ [1, -2, 0.5] + 4 + generator.normal(size=rows) * 0.3
    return np.column_stack([x, y]).round(6)


def csv_of(path, table, separator=",", point=".", end="\n", names="abcy"):
    lines = [separator.join(repr(float(cell)).replace(".", point) for cell in row) for row in table]
    path.write_text(end.join([separator.join(names), *lines, ""]), newline="")
    return path


@pytest.fixture
def table(tmp_path):
    """A CSV file of the numbers."""
    return csv_of(tmp_path / "table.csv", numbers())


@pytest.fixture(autouse=True)
def in_pieces(monkeypatch):
    """As if no page could take any file: all are read in pieces."""
    monkeypatch.setattr(streaming, "HELD", 0)


@pytest.fixture
def small_pieces(monkeypatch):
    """As if the files were large: a thousand bytes and fifty rows at a time."""
    monkeypatch.setattr(streamed_csv, "BLOCK", 1000)
    monkeypatch.setattr(streamed_parquet, "CELLS_AT_ONCE", 200)


def read_all(path, *, missing="refuse", of=1, features=("a", "b", "c"), target="y"):
    """Features and target of every shard, one after another, and how many pieces there were."""
    reader = Reader(open_table(path), features, target, missing)
    chunks = [chunk for part in range(of) for chunk in reader.chunks(Shard(part, of))]
    rows = [np.column_stack([chunk.x, chunk.y]) for chunk in chunks]
    return np.concatenate(rows), chunks


# -------------------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize("of", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("kind", ["csv", "crlf", "comma", "parquet", "no names"])
def test_shards_together_are_the_file(tmp_path, small_pieces, kind, of):
    """Every row is in exactly one shard, in the order of the file, however many shards there are."""
    path, expected, features, target = tmp_path / "table.csv", numbers(150), ("c", "a"), "y"
    if kind == "parquet":
        path = tmp_path / "table.parquet"
        parquet.write_table(pa.table(dict(zip("abcy", expected.T, strict=True))), path, row_group_size=40)
    elif kind == "no names":
        path.write_text("\n".join(",".join(map(repr, row)) for row in expected.tolist()))
        features, target = ("column 3", "column 1"), "column 4"
    else:
        options = {"crlf": {"end": "\r\n"}, "comma": {"separator": ";", "point": ","}}.get(kind, {})
        csv_of(path, expected, **options)
    found, chunks = read_all(path, of=of, features=features, target=target)
    np.testing.assert_array_equal(found, expected[:, [2, 0, 3]])
    assert len(chunks) > 2


def test_parquet_of_every_kind_of_number(tmp_path):
    """Integers, decimals, booleans, categories and numbers that are written as text are numbers."""
    columns = {
        "a": pa.array([1, 2, 3], pa.int8()),
        "b": pa.array(["1.5", "2", "-3e2"]).dictionary_encode(),
        "c": pa.array([True, False, True]),
        "y": pa.array([1, 2, 3]).cast(pa.decimal128(30, 4)),
    }
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    found, _ = read_all(tmp_path / "t.parquet")
    np.testing.assert_array_equal(found, [[1, 1.5, 1, 1], [2, 2, 0, 2], [3, -300, 1, 3]])


@pytest.mark.parametrize("of", [1, 3])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_text_far_down_is_named_by_row_column_and_cell(tmp_path, kind, of):
    """A column that turns to text after many pieces: which row, which column, which cell."""
    count, bad = 1_200_000, 1_100_000
    if kind == "csv":
        path = tmp_path / "t.csv"
        path.write_bytes(
            b"a,b,c,y\n1,2,3,4\n\n" + b"1,2,3,4\n" * bad + b"1,n/a ?,3,4\n" + b"1,2,3,4\n" * (count - bad)
        )
        place = bad + 4  # the header, a row and a blank one before
    else:
        path = tmp_path / "t.parquet"
        text = pa.array(["2"] * bad + ["n/a ?"] + ["2"] * (count - bad))
        ones = pa.array(np.ones(count + 1))
        parquet.write_table(
            pa.table({"a": ones, "b": text, "c": ones, "y": ones}), path, row_group_size=200_000
        )
        place = bad + 1
    with pytest.raises(TableError) as error:
        read_all(path, of=of)
    assert str(error.value) == (
        f"missing must be drop or mean where a cell holds no number: row {place:,}, column b: ‘n/a ?’ is not a number."
    )


def test_rows_that_are_no_rows_are_named_or_left_out(tmp_path, small_pieces):
    """Too few cells, too many, an empty cell: refused by row, or counted. A blank line is nothing."""
    path = tmp_path / "t.csv"
    rows = ["1,2,3,4"] * 300
    path.write_text("\n".join(["a,b,c,y", *rows, "", "1,2,3", *rows, "1,2,3,4,5", "1,,3,4", "1,2,3,"]))
    with pytest.raises(TableError, match="row 303 has 3 cells instead of 4"):
        read_all(path)
    for missing, left in (("drop", 600), ("mean", 601)):
        found, chunks = read_all(path, missing=missing)
        assert len(found) == left
        assert sum(chunk.dropped for chunk in chunks) == 604 - left


def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch):
    """A file is read piece by piece: what is held is a few blocks, however long it is."""
    monkeypatch.setattr(streamed_csv, "BLOCK", 2**16)
    path = csv_of(tmp_path / "t.csv", np.tile(numbers(1000), (60, 1)))
    before, peak, most = pa.total_allocated_bytes(), 0, 0
    for chunk in Reader(open_table(path), ("a", "b", "c"), "y").chunks(Shard()):
        peak, most = max(peak, pa.total_allocated_bytes() - before), max(most, chunk.x.nbytes)
    assert path.stat().st_size > 30 * streamed_csv.BLOCK
    assert 0 < peak < 6 * streamed_csv.BLOCK
    assert most < streamed_csv.BLOCK


# ------------------------------------------------------------------------------------------------------- training


def trained(run, tmp_path, *arguments, status=0):
    """The record of a run, and what was said on standard error."""
    path = tmp_path / "run.json"
    found, _, errors = run("train", "--record", path, *arguments)
    assert found == status, errors
    return json.loads(path.read_text()), errors


def theta_of(found):
    """The parameters at the end."""
    return list(found["last"]["parameters"].values())


@pytest.mark.parametrize(
    "flags",
    [
        {"optimizer": "gradient-descent", "learning_rate": 0.03},
        {"optimizer": "momentum", "learning_rate": 0.003, "momentum": 0.8, "scale_features": True},
        {"optimizer": "nesterov", "learning_rate": 0.003, "start": (1.0, 2.0, -3.0, 0.5)},
        {"optimizer": "adam", "learning_rate": 0.1, "scale_features": True},
        {"optimizer": "gradient-descent", "learning_rate": 1e-3, "features": ("c",), "degree": 3},
        {"optimizer": "gradient-descent", "learning_rate": 0.03, "missing": "mean"},
        {
            "optimizer": "gradient-descent",
            "learning_rate": 0.03,
            "missing": "drop",
            "start": "random",
            "seed": 5,
        },
    ],
)
def test_all_rows_at_a_time_are_the_pages_run(run, tmp_path, small_pieces, flags):
    """The numbers are those of the loop with autograd on all rows in memory, to 1e-9 of the way to the optimum."""
    rows = numbers()
    if "missing" in flags:
        rows[7, 1] = rows[9, 0] = rows[300, 2] = np.nan
    path = csv_of(tmp_path / "table.csv", rows)
    path.write_text(path.read_text().replace("nan", ""))
    held = keep(read(path.read_bytes()).table)
    fields = {
        "dataset": "table",
        "table": held.key,
        "target": "y",
        "features": ("a", "b", "c"),
        "epochs": 50,
    } | flags
    points = ROWS - 3 if flags.get("missing") == "drop" else ROWS
    expected = record(Experiment(**(defaults("table", flags["optimizer"]) | fields | {"points": points})))
    said = [
        f"--{name.replace('_', '-')}={flag_of(value)}"
        for name, value in fields.items()
        if name not in LEFT_OUT
    ]
    said += ["--scale-features"] * bool(flags.get("scale_features"))
    found, _ = trained(run, tmp_path, "--stream", "--table", path, *said, "--every", "1")
    theta = torch.tensor([list(row["parameters"].values()) for row in found["epochs"]], dtype=torch.float64)
    assert theta.shape == expected.epoch_theta.shape
    torch.testing.assert_close(theta, expected.epoch_theta, rtol=1e-9, atol=1e-9)
    assert [row["rmse"] for row in found["epochs"]] == pytest.approx(expected.epoch_rmse.tolist(), rel=1e-9)
    assert found["engine"] == "moments"


LEFT_OUT = ("dataset", "table", "scale_features")


def flag_of(value):
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


@pytest.mark.parametrize("batch", [1, 7, 64, 1000])
def test_mini_batches_go_through_the_file_in_its_order(run, tmp_path, small_pieces, table, batch):
    """The same numbers as a loop in NumPy that takes B rows after another, again from the top in every epoch."""
    rows = numbers()
    features, y, theta = np.column_stack([rows[:, :3], np.ones(ROWS)]), rows[:, 3], np.zeros(4)
    for _ in range(3):
        for first in range(0, ROWS, batch):
            some = features[first : first + batch]
            theta = theta - 0.004 * 2 / len(some) * some.T @ (some @ theta - y[first : first + batch])
    flags = ("--batch-size", batch, "--learning-rate", 0.004, "--epochs", 3, "--stream")
    found, _ = trained(run, tmp_path, "--table", table, "--target", "y", *flags)
    assert theta_of(found) == pytest.approx(theta.tolist(), rel=1e-9)
    rmse = np.sqrt(np.mean((features @ theta - y) ** 2))
    assert found["last"]["rmse"] == pytest.approx(rmse, rel=1e-9)


@pytest.mark.parametrize(
    ("share", "epochs", "batch", "outcome"),
    [
        (0.3, 20, 0, "still descending"),
        (0.3, 4000, 0, "converged"),
        (0.99, 60, 0, "overshooting"),
        (1.02, 60, 0, "growing"),
        (1.5, 60, 0, "diverged"),
        (0.2, 40, 1, "hovering"),
    ],
)
def test_a_run_ends_as_its_rate_says(run, tmp_path, table, share, epochs, batch, outcome):
    """Shares of 2/λ, with the largest λ of (2/N)ΦᵀΦ from NumPy: below 1 the error shrinks or swings, above 1 it grows.

    Single rows at a fixed rate never settle, which all rows at the same rate would.
    """
    features = np.column_stack([numbers()[:, :3], np.ones(ROWS)])
    rate = share * 2 / np.linalg.eigvalsh(2 / ROWS * features.T @ features)[-1]
    flags = ("--learning-rate", rate, "--epochs", epochs, "--batch-size", batch, "--stream")
    found, _ = trained(run, tmp_path, "--table", table, "--target", "y", *flags)
    assert found["outcome"] == outcome


def test_without_a_rate_the_run_settles(run, tmp_path, table):
    """The rate is computed from the rows: also of mini-batches the last RMSE is near the floor."""
    for flags in ((), ("--batch-size", 8, "--epochs", 50), ("--optimizer", "adam")):
        found, _ = trained(
            run, tmp_path, "--stream", "--table", table, "--target", "y", "--scale-features", *flags
        )
        assert found["last"]["rmse"] < 1.2 * found["theory"]["floor_rmse"]
        assert found["experiment"]["learning_rate"] > 0


def test_a_small_table_stays_as_it_was(run, tmp_path, table):
    """What a page takes is trained as on the page, with the record of the page; with or without the word table."""
    for words in ((), ("table",)):
        found, _ = trained(run, tmp_path, *words, "--table", table, "--epochs", 3)
        assert found["resume"] is None
    assert not large_table.takes(command_line._parser().parse_args(["train", "--epochs", "3"]))


def test_a_parquet_file_and_a_long_one_are_read_in_pieces(run, tmp_path, monkeypatch, table):
    """Nobody needs to ask for it."""
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table(dict(zip("abcy", numbers().T, strict=True))), path)
    one, _ = trained(run, tmp_path, "--table", path, "--target", "y", "--learning-rate", 0.03)
    monkeypatch.setattr("gd_core.tables.reading.MAX_BYTES", 5000)
    monkeypatch.setattr(streamed_csv, "HEAD", 4000)
    two, _ = trained(run, tmp_path, "--table", table, "--target", "y", "--learning-rate", 0.03)
    assert theta_of(one) == pytest.approx(theta_of(two), rel=1e-12)


def test_the_command_prints_a_table_and_a_verdict(run, table):
    """Epochs, what was done, and how it ended; nothing on standard error, which is no terminal."""
    flags = ("--target", "y", "--learning-rate", 0.03, "--epochs", 100, "--every", 50)
    status, output, errors = run("train", "--stream", "--table", table, *flags)
    assert (status, errors) == (0, "")
    fitted, shown = output.split("\n\n")[:2]
    assert fitted.splitlines()[0] == "y from a, b, c: 400 rows."
    head, *lines = shown.splitlines()
    assert head.split() == ["epoch", "loss", "RMSE", "w₁", "(a)", "w₂", "(b)", "w₃", "(c)", "b"]
    assert [line.split()[0] for line in lines] == ["0", "50", "100"]
    assert "400 rows, moments: one pass over the rows, then none." in output
    assert output.splitlines()[-1].startswith("Still descending after 100 epochs, at RMSE ")
    status, output, _ = run("train", "--stream", "--table", table, "--target", "y", "--learning-rate", 9)
    assert "Diverged at epoch " in output
    assert status == 0


def test_a_perfect_fit_has_the_floor_zero_in_words(run, tmp_path):
    """y = 2a − b to the last digit: the sentence says 0, the record's number is the rounding that it is."""
    path = tmp_path / "perfect.csv"
    rows = numbers()[:, :2]
    lines = [f"{a!r},{b!r},{2 * a - b!r}" for a, b in rows.tolist()]
    path.write_text("\n".join(["a,b,y", *lines]))
    found, _ = trained(
        run, tmp_path, "--stream", "--table", path, "--target", "y", "--scale-features", "--epochs", 200
    )
    assert found["verdict"].startswith(
        "Converged after 200 epochs: RMSE 0, floor 0 (a perfect fit, up to rounding)."
    )
    assert 0 < found["theory"]["floor_rmse"] < 1e-12
    assert 0 < found["last"]["rmse"] < 1e-12


def test_the_bar_says_epoch_rmse_and_time_left(run, table, monkeypatch):
    """On a terminal."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(large_table, "SHOWN_EVERY", 0.0)
    _, _, errors = run(
        "train", "--stream", "--table", table, "--target", "y", "--epochs", 3, "--batch-size", 100
    )
    assert "reading" in errors
    assert "epoch 2/3" in errors
    assert "RMSE 0." in errors
    assert " left" in errors


# ----------------------------------------------------------------------------------------------- record and resume


@pytest.mark.parametrize("flags", [(), ("--batch-size", 30, "--optimizer", "adam")])
def test_ctrl_c_keeps_the_record_and_resume_goes_on(run, tmp_path, table, monkeypatch, flags):
    """The run that was interrupted and went on has every number of the one that was not."""
    flags = ("--stream", "--table", table, "--target", "y", "--learning-rate", 0.003, "--epochs", 25, *flags)
    whole, _ = trained(run, tmp_path, *flags)
    add = Progressed.add

    def interrupted(self, point):
        add(self, point)
        if point.epoch == 12:
            signal.raise_signal(signal.SIGINT)

    # A job in the background starts without.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with monkeypatch.context() as patch:
        patch.setattr(Progressed, "add", interrupted)
        part, errors = trained(run, tmp_path, *flags, status=128 + signal.SIGINT)
    signal.signal(signal.SIGINT, before)
    path = tmp_path / "run.json"
    assert errors == f"Go on with: python -m gd_core train --resume {path}\n"
    assert (part["last"]["epoch"], part["complete"], part["outcome"]) == (12, False, "stopped")
    assert run("train", "--resume", path)[0] == 0
    again = json.loads(path.read_text())
    for name in ("last", "resume", "epochs", "outcome", "outcome_epoch", "updates", "verdict"):
        assert again[name] == whole[name]
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def test_resume_may_go_further_but_not_elsewhere(run, tmp_path, table):
    """More epochs go on; fewer, other settings, another table and no record are told in a sentence."""
    path, other, short = tmp_path / "run.json", tmp_path / "other.csv", tmp_path / "short.csv"
    trained(run, tmp_path, "--stream", "--table", table, "--target", "y", "--epochs", 5)
    csv_of(short, numbers()[:-1])
    csv_of(other, numbers() * 1.001)
    old = path.read_bytes()
    for flags, sentence in (
        (["--epochs", 3], "epochs must be between the 5 that are trained and 1,000,000. Got 3."),
        (
            ["--momentum", 0.5],
            "resume must stand without settings but epochs, the record holds them. Got momentum.",
        ),
        (["--table", short], "of 400 rows. Got 399 rows that can be used."),
        (["--table", other], "Got as many rows with other numbers."),
        (["--table", tmp_path / "none.csv"], "No such file or directory."),
    ):
        status, output, errors = run("train", "--resume", path, *flags)
        assert (status, output, errors.count("\n")) == (2, "", 1)
        assert sentence in errors
        assert path.read_bytes() == old
    for content in ("", "[]", '{"format": 1}', '{"format": "Gradient Descent Lab, large record 1"}'):
        short.write_text(content)
        status, output, errors = run("train", "--resume", short)
        assert (status, output, errors.count("\n"), errors[:11]) == (2, "", 1, "resume must")
    assert "go on from it with --resume" in run("train", "--from", path)[2]
    assert run("train", "--resume", path, "--epochs", 9, "--record", tmp_path / "more.json")[0] == 0
    assert json.loads((tmp_path / "more.json").read_text())["last"]["epoch"] == 9
    assert path.read_bytes() == old


def test_a_disk_that_fills_up_leaves_the_old_record(run, tmp_path, table):
    """The system itself refuses to write more than 1,000 bytes: the older record is whole, and the run is printed."""
    path = tmp_path / "run.json"
    trained(run, tmp_path, "--stream", "--table", table, "--target", "y", "--epochs", 5)
    old = path.read_bytes()
    assert len(old) > 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        status, output, errors = run("train", "--resume", path, "--epochs", 50)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert status == 2
    reason = "File too large. The older record is whole."
    assert errors == f"record must be a file that can be written. Got {path}: {reason}\n"
    assert "after 50 epochs" in output
    assert path.read_bytes() == old
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["run.json", "table.csv"]


def test_a_file_takes_the_old_ones_place_when_it_is_on_the_disk(tmp_path, monkeypatch):
    """Renamed only after it was forced onto the disk; a disk that is full by then leaves the old one."""
    path = tmp_path / "run.json"
    path.write_text("old")

    def full(descriptor):
        assert path.read_text() == "old"
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(whole_file.os, "fsync", full)
    with pytest.raises(OSError, match="No space"), whole_file.whole_file(path) as file:
        file.write("new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.json"]
    assert path.read_text() == "old"


# ------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--target", "z"], "target must be a column of the table: a, b, c, y. Got z."),
        (["--features", "a,z"], "features must be columns of the table: a, b, c, y. Got z."),
        (["--features", "a,a"], "features must be different columns. Got a,a."),
        (["--features", "a,y"], "features must not hold the target, or there is nothing to learn. Got y."),
        (["--degree", "2", "--features", "a,b"], "degree must be 1 with several features. Got 2."),
        (["--learning-rate", "0"], "learning_rate must be a number between 1e-18 and 1,000,000. Got 0.0."),
        (["--learning-rate", "x"], "learning_rate must be a number. Got x."),
        (["--epochs", "0"], "epochs must be a whole number between 1 and 1,000,000. Got 0."),
        (["--batch-size", "-1"], "batch_size must be a whole number between 0 and 1,000,000,000. Got -1."),
        (
            ["--batch-size", "9" * 400],
            "batch_size must be a whole number between 0 and 1,000,000,000. Got 999",
        ),
        (
            ["--epochs", "1000000", "--every", "1", "--record", "run.json"],
            "every must be between 68 and 999,999,999 for a record of 1,000,000 epochs, or it is too large to be read again. Got 1.",
        ),
        (["--every", "0"], "every must be a whole number between 1 and 999,999,999. Got 0."),
        (["--holdout", "0.2"], "holdout must be left out for a table that is read in pieces. Got 0.2."),
        (
            ["--csv", "x.csv"],
            "csv must be left out for a table that is read in pieces: --record keeps the epochs.",
        ),
        (["--device", "tpu"], "device must be one of cpu, cuda. Got tpu."),
        (["--record", "/nowhere/run.json"], "Got /nowhere/run.json: No such file or directory."),
        (["--start", "1,2"], "start must hold 4 numbers (w₁, w₂, w₃, b). Got 2."),
    ],
)
def test_bad_settings_end_with_one_sentence(run, table, flags, sentence):
    """The parameter, the rule, the value; nothing else."""
    given = [] if "--target" in flags else ["--target", "y"]
    status, output, errors = run("train", "--stream", "--table", table, *given, *flags)
    assert (status, output, errors.count("\n")) == (2, "", 1)
    assert sentence in errors


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_told(run, table):
    """Before anything is read."""
    status, output, errors = run("train", "--device", "cuda", "--table", table)
    assert (status, output) == (2, "")
    assert errors.startswith("device must be cpu here: ")


def test_bad_files_end_with_one_sentence(run, tmp_path):
    """A Parquet file that was cut off or scribbled over, a table without rows, no table, none at all."""
    path, good = tmp_path / "t.parquet", tmp_path / "good.parquet"
    generator = np.random.default_rng(0)
    table = pa.table({name: generator.normal(size=20_000) for name in "ay"})
    parquet.write_table(table, good, row_group_size=5000)
    data = good.read_bytes()
    damaged = data[: len(data) // 2] + bytes(len(data) // 3) + data[len(data) // 2 + len(data) // 3 :]
    for name, content, sentence in (
        ("t.parquet", data[: len(data) // 2], "whose end is missing or damaged: copy it again."),
        ("t.parquet", damaged, "t.parquet, in which nothing can be read after row "),
        ("t.csv", b"a,y\n", "The table has a header and no rows. Add at least two."),
        ("t.csv", b"a,y\n1,2\n", "The table has one row of numbers; a fit needs at least two."),
        ("t.csv", b"a,y\n1,2\n3,x\n", "table must have at least 2 rows to fit. Got 1, after 1 left out."),
        (
            "t.csv",
            "a,y\n1,2\n".encode("utf-16"),
            "The file is UTF-16 or not text. Save the table as CSV in UTF-8.",
        ),
        ("t.csv", b"", "The table is empty: there is nothing in it."),
        ("none.parquet", None, "table must be a file that can be read. Got "),
    ):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        status, output, errors = run("train", "--stream", "--table", path)
        assert (status, output, errors.count("\n")) == (2, "", 1), errors
        assert sentence in errors


def test_words_and_dates_are_features_of_a_table_that_is_read_in_pieces(run, tmp_path, small_pieces):
    """As on a page, in CSV and in Parquet: indicators, days since the first, numbers out of their clothes, no row number."""
    rows = range(600)
    columns = {
        "id": list(rows),
        "brick": ["yes" if i % 2 else "no" for i in rows],
        "when": [f"2014-07-{1 + i * 7 % 31:02}" for i in rows],
        "x": [f"$1,{i * i % 997:03}" for i in rows],
        "y": [i * 3 % 101 for i in rows],
    }
    lines = [
        "id,brick,when,x,y",
        *(f'{i},{b},{w},"{x}",{y}' for i, b, w, x, y in zip(*columns.values(), strict=True)),
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet", row_group_size=50)
    since = [1 + i * 7 % 31 - 1 for i in rows]
    expected = np.column_stack([np.array(rows) % 2, since, [1000 + i * i % 997 for i in rows], columns["y"]])
    for name in ("t.csv", "t.parquet"):
        found, _ = trained(run, tmp_path, "--stream", "--table", tmp_path / name, "--epochs", 2)
        features = ["brick", "when (days since 2014-07-01)", "x"]
        assert found["experiment"]["features"] == features
        for of in (1, 3):
            table, _ = read_all(tmp_path / name, features=features, of=of)
            np.testing.assert_array_equal(table, expected)
    found, _ = trained(
        run, tmp_path, "--stream", "--table", tmp_path / "t.csv", "--features", "brick,when", "--epochs", 2
    )
    assert found["experiment"]["features"] == features[:2]


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        (["no", "yes", "perhaps"], "row 30,002, column w: ‘perhaps’ is a new word beside no, yes: "),
        (["1", "2.5", "$3"], "row 30,002, column w: a number with $, and none has a mark before: "),
        (
            ["2014-01", "2014-02", "2014-03-05"],
            "row 30,002, column w: not the first of a month, as all before: ",
        ),
    ],
)
def test_what_would_have_changed_a_column_is_refused(run, tmp_path, monkeypatch, cells, sentence):
    """Only some rows are looked at first: a cell among the others that says otherwise ends the run, with its place."""
    monkeypatch.setattr(streamed_csv, "HEAD", 1000)
    monkeypatch.setattr(streamed_csv, "ELSEWHERE", 200)
    path = tmp_path / "t.csv"
    rows = [f"{cells[i % 2]},{i % 7}" for i in range(50_000)]
    rows[30_000] = f"{cells[2]},1"
    path.write_text("\n".join(["w,y", *rows]))
    status, output, errors = run("train", "--stream", "--table", path)
    assert (status, output, errors.count("\n")) == (2, "", 1)
    assert errors.startswith(sentence)
    assert "--read-as 'w=left out'" in errors


def test_a_file_that_changes_between_two_epochs_is_told(run, table, monkeypatch):
    """Mini-batches read it again."""
    add = Progressed.add

    def spoilt(self, point):
        add(self, point)
        if point.epoch == 2:
            Path(table).write_text(table.read_text().replace("\n", "\nx", 2))

    monkeypatch.setattr(Progressed, "add", spoilt)
    status, output, errors = run("train", "--stream", "--table", table, "--target", "y", "--batch-size", 9,
                                 "--missing", "refuse")  # fmt: skip
    assert (status, errors.count("\n")) == (2, 1)
    assert output == (
        "y from a, b, c: 400 rows.\nWhat its columns hold was told from 400 rows from all over it.\n"
        "The features are scaled: as they are, κ = 196. --no-scale-features leaves them so.\n\n"
    )
    assert "row 2, column a: ‘x" in errors


def test_settings_are_checked_wherever_they_come_from(run, tmp_path, table):
    """A record that was edited by hand breaks the same rules."""
    found, _ = trained(run, tmp_path, "--stream", "--table", table, "--target", "y", "--epochs", 5)
    path = tmp_path / "run.json"
    for name, value in (
        ("momentum", 2),
        ("features", "ab"),
        ("epochs", 2.5),
        ("start", [1, 2]),
        ("optimizer", "x"),
        ("optimizer", "adamw"),
    ):
        path.write_text(json.dumps(found | {"experiment": found["experiment"] | {name: value}}))
        status, output, errors = run("train", "--resume", path)
        assert (status, output, errors.count("\n")) == (2, "", 1)
        assert errors.startswith(f"{name} must ")


def test_a_record_that_does_not_hold_together_is_refused(run, tmp_path, table):
    """Each part by itself is as the schema says; together they are no run. And a name of 5,000 letters is cut short."""
    flags = ("--stream", "--table", table, "--target", "y", "--optimizer", "adam", "--learning-rate", 0.1)
    found, _ = trained(run, tmp_path, *flags, "--epochs", 5)
    path, last, own = tmp_path / "run.json", found["last"], found["resume"]
    for change, sentence in (
        ({"last": last | {"parameters": last["parameters"] | {"b": 1e300}}}, "last.parameters must have a loss at which a run has not diverged. Got ∞."),
        ({"last": last | {"parameters": {"b": 1.0}}}, "parameters must be w₁, w₂, w₃, b. Got b."),
        ({"resume": own | {"state": {}}}, "resume.state must hold k, m, s for adam. Got nothing."),
        ({"resume": own | {"state": own["state"] | {"m": [1.0]}}}, "resume.state.m must be a list of 4 numbers. Got a list of 1."),
        ({"resume": own | {"state": own["state"] | {"k": [1.0]}}}, "resume.state.k must be a whole number. Got a list of 1."),
        ({"resume": own | {"recent": [[1.0]]}}, "resume.recent must hold 5 numbers an epoch, θ and the loss. Got 1."),
        ({"epochs": found["epochs"][::-1]}, "epochs must be in order, up to the last. Got others."),
        ({"table": found["table"] | {"file": "n" * 5000}}, f"table must be a file that can be read. Got {'n' * 300}: File name too long."),
    ):  # fmt: skip
        path.write_text(json.dumps(found | change))
        assert run("train", "--resume", path) == (2, "", f"{sentence}\n")


def test_a_record_holds_how_its_file_was_read(run, tmp_path, monkeypatch):
    """Whoever goes on from it need not say it again; a record that was edited by hand is refused."""
    monkeypatch.undo()
    path, record = tmp_path / "t.csv", tmp_path / "run.json"
    rows = [f"{('Łódź', 'Kraków')[i % 2]},{-999 if i % 5 == 0 else i % 7},{i * i % 11}" for i in range(40)]
    path.write_bytes("\n".join(["miasto,x,y", *rows]).encode("cp1250"))
    flags = ("--stream", "--table", path, "--encoding", "cp1250", "--learning-rate", 0.02, "--epochs", 5)
    status, _, errors = run("train", *flags)
    assert status == 2
    assert errors == (
        "x holds −999 in 8 cells, far from its other numbers. Is that a mark for missing? "
        "Say --read-as 'x=missing' or --read-as 'x=numbers'.\n"
    )
    found, _ = trained(run, tmp_path, *flags, "--read-as", "x=missing")
    assert found["table"]["read_as"] == {"x": "missing"}
    assert found["table"]["read_with"] == {"encoding": "cp1250"}
    assert (found["table"]["rows"], found["experiment"]["missing"]) == (32, "drop")
    more, _ = trained(run, tmp_path, "--resume", record, "--epochs", 9)
    whole, _ = trained(run, tmp_path, *flags, "--read-as", "x=missing", "--epochs", 9)
    assert more["last"] == whole["last"]
    status, _, errors = run("train", "--resume", record, "--encoding", "cp1250")
    assert status == 2
    assert errors == "resume must stand without settings but epochs, the record holds them. Got encoding.\n"
    for name, value, sentence in (
        ("read_as", {"x": "guesses"}, "read_as.x must be one of numbers, decimal commas, words, "),
        ("read_as", 5, "read_as must be an object. Got 5."),
        ("read_with", {"encoding": "rot13"}, "read_with.encoding must be one of cp1252, cp949, "),
    ):
        record.write_text(json.dumps(whole | {"table": whole["table"] | {name: value}}))
        status, output, errors = run("train", "--resume", record)
        assert (status, output, errors.count("\n")) == (2, "", 1)
        assert errors.startswith(f"table.{sentence}")


def test_fields_are_those_of_an_experiment():
    """Names and usual values agree, so that flags mean the same for a table of any size."""
    from gd_core.large.run import LargeRun

    one, many = Experiment(), replace(LargeRun())
    own = {"target", "features", "learning_rate"}
    for name in set(vars(many)) - own:
        assert getattr(one, name) == getattr(many, name)


# ------------------------------------------------------------------------------------- one command, one meaning

BRICKS = ("north", "south", "", "n/a", "west")
MADE = {
    "words": lambda rng, n: rng.choice(BRICKS, n),
    "two words": lambda rng, n: rng.choice(["yes", "no"], n),
    "many words": lambda rng, n: rng.choice([f"street {i}" for i in range(40)], n),
    "money": lambda rng, n: [f'"${x:,.2f}"' for x in rng.uniform(1, 5000, n)],
    "whole": lambda rng, n: rng.integers(-50, 50, n),
    "gaps": lambda rng, n: ["" if x < 0.2 else f"{x:.3f}" for x in rng.uniform(0, 1, n)],
    "odd": lambda rng, n: [
        "(12)" if x < 0.1 else "12%" if x < 0.2 else f"{x:.3f}" for x in rng.uniform(0, 1, n)
    ],
    "months": lambda rng, n: [f"{2000 + i // 12}-{1 + i % 12:02}" for i in range(n)],
    "days": lambda rng, n: [f"{1 + i % 28}/{1 + i % 12}/2014" for i in range(n)],
    "marks": lambda rng, n: [-999 if x < 0.1 else round(x, 2) for x in rng.uniform(0, 9, n)],
    "years": lambda rng, n: range(1900, 1900 + n),
    "row": lambda rng, n: range(1, n + 1),
    "same": lambda rng, n: [7] * n,
}


def random_table(seed):
    """Text of a few columns of any kind, sometimes with blank and ragged rows, comments, other separators, no header."""
    rng = np.random.default_rng(seed)
    kinds = [str(kind) for kind in rng.choice(list(MADE), rng.integers(1, 5))] + ["whole"]
    n = int(rng.integers(12, 40))
    columns = [list(map(str, MADE[kind](rng, n))) for kind in kinds]
    separator = str(rng.choice([",", ",", ";", "\t"]))
    rows = [separator.join(row) for row in zip(*columns, strict=True)]
    names = separator.join(f"{kind} {i}" for i, kind in enumerate(kinds))
    if rng.random() < 0.3:
        rows.insert(int(rng.integers(1, n)), "")
    if rng.random() < 0.3:
        rows.insert(int(rng.integers(1, n)), f"1{separator}2{separator}3{separator}4{separator}5{separator}6")
    top = [["# made by hand"], [], []][rng.integers(0, 3)]
    return "\n".join([*top, *([names] if rng.random() < 0.9 else []), *rows, ""])


ONE_MEANING = ("towns", "words", "dates", "money", "blanks", "korean", "thousands", "years")


def same_both_ways(run, path):
    """Whether a file is trained, the same plain and with --stream: features, rows, rate, θ and what is said; or refused so."""
    plain, streamed = (
        run("train", "--table", path, "--epochs", 20, "--json", *how) for how in ((), ("--stream",))
    )
    assert plain[0] == streamed[0]
    assert plain[2] == streamed[2]
    if plain[0]:
        return False
    one, many = json.loads(plain[1]), json.loads(streamed[1])
    differs = {"table": ""}  # docs/records.md: read in pieces, the table is its file
    assert one["experiment"] | differs == many["experiment"]
    assert one["experiment"]["points"] == many["table"]["rows"]
    last = one["epochs"][-1]["parameters"]
    largest = max(map(abs, last.values()))
    assert many["last"]["parameters"] == pytest.approx(last, rel=0, abs=1e-9 * largest + 1e-300)
    return True


@pytest.mark.parametrize("name", ONE_MEANING)
def test_a_table_means_the_same_plain_and_in_pieces(run, monkeypatch, name):
    """Tables as people have them."""
    monkeypatch.undo()
    assert same_both_ways(run, next(CASES.glob(f"{name}*")))


@pytest.mark.parametrize("seed", range(0, 60, 6))
def test_a_random_table_means_the_same_plain_and_in_pieces(run, monkeypatch, tmp_path, seed):
    """Whatever is in it, what is asked about it and why it is refused included."""
    monkeypatch.undo()
    path = tmp_path / "t.csv"
    for one in range(seed, seed + 6):
        path.write_text(random_table(one))
        same_both_ways(run, path)
