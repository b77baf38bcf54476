"""A file as a whole or not at all: what a killed process leaves, and two names of one file."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gd_core.export.whole_file import is_same_file, try_whole_file, whole_file

ROOT = Path(__file__).resolve().parents[3]
KILLED = """
import os, signal, sys
from gd_core.export.whole_file import whole_file
with whole_file(sys.argv[1]) as file:
    file.write("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_a_killed_process_is_in_nobodys_way(tmp_path, monkeypatch):
    """In a container the next process has the same number: it writes the file all the same."""
    path = tmp_path / "run.json"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], cwd=ROOT)
    assert process.wait(60) == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".run.json.")
    monkeypatch.setattr(os, "getpid", lambda: process.pid)
    (tmp_path / f".run.json.{process.pid}").write_text("what an older version left")
    try_whole_file(path)
    with whole_file(path) as file:
        file.write("whole")
    assert path.read_text() == "whole"
    assert len([*tmp_path.iterdir()]) == 3


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_the_draft_of_a_killed_process_is_taken_away(tmp_path):
    """By the next who writes the file, when it is older than a minute; not one that is being written, nor another's file."""
    path = tmp_path / "run.json"
    subprocess.Popen([sys.executable, "-c", KILLED, str(path)], cwd=ROOT).wait(60)
    (left,) = tmp_path.iterdir()
    with whole_file(path):
        assert left.exists()  # a draft so fresh may be somebody's who is about to hold it
    others = [tmp_path / name for name in (".run.json.bak", ".run.json.0123", ".other.json.0123456789abcdef")]
    with whole_file(path):  # as slow a writer as there may be
        (held,) = set(tmp_path.iterdir()) - {left, path}
        for one in (left, held, *others):
            one.touch()
            os.utime(one, (0, 0))
        with whole_file(path) as file:
            file.write("whole")
        assert not left.exists()
        assert all(one.exists() for one in (held, *others))


def test_a_file_has_the_rights_that_others_have(tmp_path):
    """A record is for others to read too, as the mask of the user has it: a draft is no secret."""
    with whole_file(tmp_path / "run.json"):
        pass
    (tmp_path / "plain").touch()
    assert (tmp_path / "run.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_one_file_is_known_by_every_name(tmp_path, monkeypatch):
    """Another spelling, a link, a hard link; whether it is there yet or not. Names that are none are no file's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("run.json")
    for other in ("./run.json", "folder/../run.json", str(tmp_path / "run.json"), "link"):
        assert is_same_file("run.json", other)
    assert not is_same_file("run.json", "run.csv")
    Path("run.json").touch()
    os.link("run.json", "hard")
    assert is_same_file("hard", "link")
    assert not is_same_file("run.json", "n" * 5000)


@pytest.mark.parametrize("other", ["x", "./x", "link"])
def test_two_outputs_are_told_apart(run, tmp_path, monkeypatch, other):
    """The later would take the place of the earlier, or of the table that it was made from."""
    monkeypatch.chdir(tmp_path)
    Path("x").write_text("a,y\n1,2\n2,4\n3,7\n")
    Path("link").symlink_to("x")
    table = Path("x").read_bytes()
    for arguments, sentence in (
        (("train", "--csv", "x", "--record", other), f"record must be another file than csv. Got {other}."),
        (("train", "--table", "x", "--csv", other), f"csv must be another file than the table. Got {other}."),
        (("train", "--table", "x", "--record", other), f"record must be another file than the table. Got {other}."),
        (("train", "--stream", "--table", "x", "--record", other), f"record must be another file than the table. Got {other}."),
        (("table", "x", "--csv", other), f"csv must be another file than the table. Got {other}."),
        (("script", "--table", "x", "--output", other), f"output must be another file than the table. Got {other}."),
    ):  # fmt: skip
        assert run(*arguments) == (2, "", f"{sentence}\n")
        assert Path("x").read_bytes() == table
