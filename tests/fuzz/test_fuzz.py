"""The short form of `make fuzz` for addresses and for what is handed in; and that it finds what falls out."""

import runpy
import subprocess
import sys
from pathlib import Path

import addresses
import handed_in
import pytest
import within

HERE = Path(__file__).parent


@pytest.mark.parametrize("subject", [addresses, handed_in], ids=lambda subject: subject.__name__)
def test_some_hostile_inputs(subject):
    """A hundred of each, always the same, two of them on a page: opened or refused in a sentence, and within the bounds."""
    subject.run(seed=0, count=100)


def test_every_subject_is_found():
    """Whatever module of this folder can be run is tried, and says in its first line what it tries."""
    subjects = runpy.run_path(str(HERE / "__main__.py"))["subjects"]()
    assert {"addresses", "handed_in"} <= set(subjects)
    assert not {"hostile", "within"} & set(subjects)


def test_the_first_failure_ends_it_and_can_be_had_again(tmp_path):
    """The input, the sentence and the command stand in the report; the exit status is 1."""
    for name in ("__main__.py", "within.py"):
        (tmp_path / name).write_text((HERE / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "broken.py").write_text(
        '"""Divisions."""\nfrom within import bounds\n\n\ndef run(seed, count):\n    bounds([seed], lambda: 1 / 0)\n'
    )
    made = subprocess.run(
        [sys.executable, str(tmp_path), "--seed", "7", "--count", "3"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 1
    assert "ZeroDivisionError: division by zero\nwith [7]" in made.stdout
    assert "Again: make fuzz ARGS=broken SEED=7 COUNT=3" in made.stdout


def test_what_costs_too_much_falls_out():
    """Seconds, bytes and sentences beyond what is allowed are failures that quote the input."""
    with pytest.raises(AssertionError, match=r"(?s)s\nwith 'x'"):
        within.bounds("x", lambda: sum(range(20_000_000)))
    with pytest.raises(AssertionError, match=r"(?s)MB\nwith 'x'"):
        within.bounds("x", lambda: bytearray(30_000_000), traced=True)
    for sentence in (
        "KeyError: 'e'",
        "epochs must be\nwhole.",
        "epochs must be half a \ud83c.",
        "epochs must be",
    ):
        with pytest.raises(AssertionError, match="no sentence"):
            within.one_sentence("x", sentence, ("epochs",))
    within.one_sentence("x", "epochs must be a whole number. Got x.", ("epochs",))
