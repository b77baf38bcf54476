"""One training by several processes on this machine. What each process prints is read apart.

Loading torch is most of what a process costs, so one set of processes runs several commands after another.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pipe import Pipe
from pyarrow import parquet

from gd_core.cli import commands as command_line
from gd_core.large import distributed
from gd_core.large.distributed import Group, Unconnected
from gd_core.tables.chunks import Shard
from gd_core.tables.streaming import Reader, open_table
from serving import free_port

ROOT = Path(__file__).resolve().parents[3]
WAIT = 300  # seconds, on a machine that has other things to do
ROWS = 401
FEATURES = ("a", "b", "c")

# Commands one after another in one process, each with a port of its own; after each its exit status. In the last one two
# processes take part, and rank 1 ends, as if the power had gone, where it waits for rank 0, which trains alone.
RANK = """
import json, os, signal, sys
from gd_core.cli import large_table
from gd_core.large import distributed
from gd_core.cli.commands import main
commands = json.loads(sys.argv[1])
for number, (port, arguments) in enumerate(commands, 1):
    os.environ["MASTER_PORT"] = str(port)
    if number == len(commands):
        large_table.RECORDED_EVERY = 0.0
        os.environ["WORLD_SIZE"] = "2"
        if os.environ["RANK"] == "2":
            break
        if os.environ["RANK"] == "1":
            distributed.Group.follow = lambda self: os.kill(os.getpid(), signal.SIGKILL)
    status = main(arguments)
    for stream in (sys.stdout, sys.stderr):
        print("status", status, file=stream, flush=True)
"""

# A process that ends as if the power had gone, at an epoch. At "9 alone" the other hears of it by torchrun's signal only;
# at "9 waits" nobody ends before a signal has come, and the one that waits at epoch 9 says so in the pipe `there`.
DYING = """
import math, os, signal, sys
from gd_core.cli import large_table
from gd_core.large import distributed
from gd_core.large import record
from gd_core.cli.commands import main

def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

def wait(*arguments):
    hears, tells = os.pipe()
    os.set_blocking(tells, False)
    signal.set_wakeup_fd(tells)
    if arguments[1:]:
        with open("there", "w") as pipe:
            pipe.write("there")
    while True:
        os.read(hears, 1)

large_table.RECORDED_EVERY = 0.0
add, whose, where = record.Progressed.add, *sys.argv[1:3]
if "alone" in where or "waits" in where:
    distributed.HEARTBEAT, distributed.TIMEOUT = math.inf, 3600  # what is noticed is noticed by a signal
    distributed.Group.follow = wait
if "waits" in where:
    die = wait
epoch = int(where.split()[0])
if os.environ["RANK"] == whose and os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0":
    record.Progressed.add = lambda self, point: (add(self, point), point.epoch == epoch and die(self, point))
sys.exit(main(sys.argv[3:]))
"""


LOST = "Another process of the run has ended, and so this ends too. What was trained so far is in {}."


def launch(size, code, *arguments):
    """The same program in so many processes, as torchrun starts it: status, output and errors of each."""
    common = os.environ | {
        "OMP_NUM_THREADS": "1",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
    }
    common["WORLD_SIZE"] = str(size)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=ROOT, env=common | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(size)
    ]  # fmt: skip
    try:
        said = [process.communicate(timeout=WAIT) for process in started]
    finally:
        for process in started:
            process.kill()
    return [
        (process.returncode, ours(output), ours(errors))
        for process, (output, errors) in zip(started, said, strict=True)
    ]


def ours(text):
    """What was printed, without the notes of gloo, which begin with a bracket."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("["))


def theta_of(record):
    """The parameters at the end."""
    return list(record["last"]["parameters"].values())


def alone(path, *arguments):
    """The record of the same command in this process."""
    assert command_line.main([str(one) for one in ("train", "--stream", *arguments, "--record", path)]) == 0
    return json.loads(path.read_text())


@pytest.fixture
def rows():
    """Three features and a target, [N, 4]; a few gaps would be at 5 and 390."""
    generator = np.random.default_rng(3)
    x = generator.normal(size=(ROWS, 3)) * [1, 2, 0.5] + [3, 0, -1]
    y = x @ [1, -2, 0.5] + 4 + generator.normal(size=ROWS) * 0.3
    return np.column_stack([x, y]).round(6)


@pytest.fixture
def table(tmp_path, rows):
    path = tmp_path / "table.csv"
    np.savetxt(path, rows, delimiter=",", header="a,b,c,y", comments="", fmt="%.6f")
    return path


@pytest.mark.torchrun
def test_three_processes_have_the_numbers_of_one(tmp_path, rows, table):
    """Full batch and mini-batches, CSV and Parquet, gaps filled, a run that goes on, an empty shard, a bad cell.

    And while rank 0 trains alone it hears of a process that has gone, without torchrun to tell it: it ends long before its
    epochs, and keeps the record so far.
    """
    lines = table.read_text().splitlines()
    gaps, bad, few = tmp_path / "gaps.csv", tmp_path / "bad.csv", tmp_path / "few.parquet"
    gaps.write_text("\n".join([*lines[:5], ",1,2,3", *lines[5:390], "1,2,,3", *lines[390:], ""]))
    bad.write_text("\n".join([*lines[:390], "1,2,x,3", *lines[390:], ""]))
    parquet.write_table(pa.table(dict(zip("abcy", rows[:2].T, strict=True))), few)
    flags = ("--target", "y", "--epochs", 30, "--every", 1)
    runs = {
        "full": ("--table", table, *flags, "--optimizer", "momentum", "--learning-rate", 0.002),
        "filled": ("--table", gaps, *flags, "--missing", "mean", "--scale-features", "--learning-rate", 0.1),
        "few": ("--table", few, *flags, "--learning-rate", 0.001, "--batch-size", 1000),
        "batches": ("--table", table, *flags, "--learning-rate", 0.004, "--batch-size", 16),
    }
    expected = {name: alone(tmp_path / f"{name}.1.json", *run) for name, run in runs.items()}
    more = tmp_path / "filled.1.json", tmp_path / "more.json"
    commands = [["train", *run, "--record", tmp_path / f"{name}.json"] for name, run in runs.items()]
    gone = tmp_path / "gone.json"
    endless = ("--target", "y", "--learning-rate", 1e-9, "--epochs", 1_000_000)
    commands += [
        ["train", "--resume", more[0], "--epochs", 40, "--record", more[1]],
        ["train", "--table", bad, *flags, "--missing", "refuse", "--record", tmp_path / "bad.json"],
        ["train", "--table", table, *endless, "--record", gone],
    ]
    listed = [(free_port(), [str(one) for one in command]) for command in commands]
    first, *others = launch(3, RANK, json.dumps(listed))
    assert [status for status, _, _ in (first, *others)] == [0, -signal.SIGKILL, 0], first[2]
    sentence = (
        "missing must be drop or mean where a cell holds no number: row 391, column c: ‘x’ is not a number."
    )
    assert first[2].splitlines() == (["status 0"] * 5 + [sentence, "status 2", LOST.format(gone), "status 1"])
    # of the run that was lost nothing is printed but what it is
    fitted = f"y from a, b, c: {len(rows)} rows."
    assert first[1].splitlines()[-4:] == ["status 2", fitted, "", "status 1"]
    assert first[1].count("the floor is") + first[1].count("Converged") == 5
    for _, output, errors in others:  # they work and say nothing
        assert output.splitlines() == errors.splitlines() == ["status 0"] * 5 + ["status 2"]
    assert json.loads(gone.read_text())["complete"] is False
    found = {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in (*runs, "more")}
    assert not (tmp_path / "bad.json").exists()
    for name in ("full", "filled", "few"):
        assert theta_of(found[name]) == pytest.approx(theta_of(expected[name]), rel=1e-9)
        assert [row["loss"] for row in found[name]["epochs"]] == pytest.approx(
            [row["loss"] for row in expected[name]["epochs"]], rel=1e-9
        )
        assert found[name]["table"]["rows"] == expected[name]["table"]["rows"]
    assert (found["filled"]["table"]["filled"], found["few"]["table"]["rows"]) == (2, 2)
    whole = alone(tmp_path / "more.1.json", *runs["filled"], "--epochs", 40)
    assert theta_of(found["more"]) == pytest.approx(theta_of(whole), rel=1e-9)
    assert theta_of(found["batches"]) == pytest.approx(by_hand(table, 3).tolist(), rel=1e-9)
    assert found["batches"]["made_with"]["processes"] == 3


def by_hand(table, size, batch=16, rate=0.004, epochs=30):
    """What mini-batches are said to do: update u takes rows uB … of every shard, and the mean of all their gradients."""
    reader, theta = Reader(open_table(table), FEATURES, "y"), np.zeros(4)
    shards = [
        np.concatenate(
            [np.column_stack([one.x, np.ones(len(one.y)), one.y]) for one in reader.chunks(Shard(part, size))]
        )
        for part in range(size)
    ]
    assert len({len(shard) for shard in shards}) > 1  # uneven ones
    for _ in range(epochs):
        for first in range(0, max(map(len, shards)), batch):
            some = np.concatenate([shard[first : first + batch] for shard in shards])
            theta = theta - rate * 2 * some[:, :4].T @ (some[:, :4] @ theta - some[:, 4]) / len(some)
    return theta


@pytest.mark.torchrun
@pytest.mark.skipif(os.name == "nt", reason="torchrun's restarts need signals")
def test_a_killed_process_ends_the_run_and_a_restart_goes_on(tmp_path, table):
    """torchrun --max-restarts 1: a sentence, the record of the epochs before, and then the numbers of a run that was whole."""
    path, script = tmp_path / "run.json", tmp_path / "dying.py"
    script.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{DYING}")
    flags = ("--table", table, "--target", "y", "--learning-rate", 0.004, "--batch-size", 40, "--epochs", 20)
    torchrun = (
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        2,
        "--max-restarts",
        1,
        "--log-dir",
        tmp_path,
        script,
        1,
        9,
    )
    done = subprocess.run(
        [sys.executable, "-m", *map(str, (*torchrun, "train", *flags, "--record", path))],
        cwd=tmp_path, capture_output=True, text=True, timeout=WAIT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines().count(LOST.format(path)) == 1
    assert "Traceback" not in done.stderr
    assert "after 20 epochs" in done.stdout
    theta = by_hand(table, 2, batch=40, epochs=20)
    assert theta_of(json.loads(path.read_text())) == pytest.approx(theta.tolist(), rel=1e-9)


@pytest.fixture
def torchrun(tmp_path, table):
    """torchrun with two processes of a program in which rank 0 ends, or waits, at epoch 9 of 20: a process group."""
    script = tmp_path / "dying.py"
    script.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{DYING}")
    started = []

    def start(where, path):
        flags = (
            "--table",
            table,
            "--target",
            "y",
            "--learning-rate",
            0.004,
            "--epochs",
            20,
            "--record",
            path,
        )
        own = ("--standalone", "--nproc-per-node", 2, "--log-dir", tmp_path)
        process = subprocess.Popen(
            [sys.executable, "-m", "torch.distributed.run", *map(str, (*own, script, 0, where, "train", *flags))],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=WAIT)


def check_that_it_goes_on(path, table):
    """The record of a run that was cut short leads to the numbers of one that was not."""
    whole = alone(
        path.with_name("whole.json"),
        "--table",
        table,
        "--target",
        "y",
        "--learning-rate",
        0.004,
        "--epochs",
        20,
    )
    assert command_line.main(["train", "--resume", str(path)]) == 0
    resumed = json.loads(path.read_text())
    assert resumed["complete"] is whole["complete"] is True
    assert theta_of(resumed) == pytest.approx(theta_of(whole), rel=1e-9)
    assert [row["epoch"] for row in resumed["epochs"]] == list(range(21))
    assert [row["loss"] for row in resumed["epochs"]] == pytest.approx(
        [row["loss"] for row in whole["epochs"]], rel=1e-9
    )


@pytest.mark.torchrun
@pytest.mark.skipif(os.name == "nt", reason="torchrun ends the others by a signal")
def test_rank_0_that_is_killed_ends_the_run_and_leaves_its_record(tmp_path, table, torchrun):
    """The one that prints and records is gone: another says so, once, and `--resume` goes on from the epoch before."""
    path = tmp_path / "run.json"
    process = torchrun("9 alone", path)
    output, errors = process.communicate(timeout=WAIT)
    assert (process.returncode, output) == (
        1,
        f"y from a, b, c: {len(table.read_text().splitlines()) - 1} rows.\n\n",
    )
    assert errors.splitlines().count(LOST.format(path)) == 1
    assert "gd_core/" not in errors  # no traceback of ours; torchrun's own report is not ours to end
    record = json.loads(path.read_text())
    assert (record["last"]["epoch"], record["complete"], record["outcome"]) == (8, False, "stopped")
    check_that_it_goes_on(path, table)


@pytest.mark.torchrun
@pytest.mark.skipif(os.name == "nt", reason="a terminal's Ctrl-C is a signal to all of its group")
def test_ctrl_c_to_torchrun_keeps_the_record_so_far(tmp_path, table, torchrun):
    """All processes hear it, and once more from torchrun: the run is printed and recorded once, and can go on."""
    path, there = tmp_path / "run.json", Pipe(tmp_path / "there")
    process = torchrun("9 waits", path)
    assert there.heard(process, WAIT) == "there"
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=WAIT)
    assert process.returncode == 1  # torchrun's own
    epoch = json.loads(path.read_text())["last"]["epoch"]
    assert epoch in (8, 9)  # it waits in the ninth, or was on its way there
    assert output.count("Stopped at epoch") == output.count(f"Stopped at epoch {epoch} of 20, at RMSE ") == 1
    ours = [line for line in errors.splitlines() if "gd_core" in line]
    assert ours == [f"Go on with: torchrun … -m gd_core train --resume {path}"]
    assert "Another process" not in errors
    assert "nothing to keep" not in errors
    check_that_it_goes_on(path, table)


@pytest.fixture
def launched(monkeypatch):
    """As if torchrun had started this process as the first of two."""
    port = free_port()
    for name, value in {"RANK": 0, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(distributed, "TIMEOUT", 1)
    return port


def test_a_port_that_is_taken_is_told(launched, table, capsys):
    """Which, and what to do."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", launched))
        other.listen()
        assert command_line.main(["train", "--table", str(table), "--target", "y"]) == 2
    output, errors = capsys.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert errors.startswith(
        f"master-port must be a port that is free. Got {launched}, which another program uses"
    )


def test_processes_that_do_not_start_are_told(launched):
    """After the time that is given."""
    with pytest.raises(Unconnected, match="All 2 processes must start within 1 seconds at "):
        Group.join()
