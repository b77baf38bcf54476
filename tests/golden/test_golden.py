"""What users have stays what it is: links open what they opened, and every file is the file that it was.

The golden files beside this one were written by the code of the time; `made.py` says how they are made and when they
may be made anew.
"""

import math

import pytest
from made import addresses, files, kept, networks, opened, runs

KEPT, KEPT_NETWORKS, RUNS = kept("runs"), kept("networks"), runs()
SAME = 1e-9  # relative: another processor may add up in another order


def differences(one, other, where=""):
    """The places in which two documents differ; numbers may be off by rounding, also those that stand in a text."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            if name not in one or name not in other:
                yield f"{where}.{name}: is missing"
            else:
                yield from differences(one[name], other[name], f"{where}.{name}")
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            yield f"{where}: {len(one)} items, now {len(other)}"
        for place, pair in enumerate(zip(one, other, strict=False)):
            yield from differences(*pair, f"{where}[{place}]")
    elif isinstance(one, str) and isinstance(other, str) and ".csv" in where and not where.endswith("[0]"):
        yield from differences([*map(cell, one.split(","))], [*map(cell, other.split(","))], where)
    elif isinstance(one, float) and isinstance(other, float):
        if not math.isclose(one, other, rel_tol=SAME, abs_tol=SAME):
            yield f"{where}: {one!r}, now {other!r}"
    elif one != other or type(one) is not type(other):
        yield f"{where}: {one!r}, now {other!r}"


def cell(text):
    """A cell of a CSV file."""
    try:
        return float(text)
    except ValueError:
        return text


def test_every_address_opens_what_it_opened():
    """Every address that a test, the changelog or a document ever opened: its value, its link, its sentences."""
    wrong = [
        f"{address['query']}: {difference}"
        for address in addresses()
        for difference in differences(address["opens"], opened(address))
    ]
    assert len(addresses()) > 1000
    assert not wrong, "\n".join(wrong[:20])


@pytest.mark.parametrize("name", sorted(KEPT.keys() | RUNS.keys()))
def test_every_file_of_a_run_is_what_it_was(name):
    """Record, CSV, --json, scripts, notebook, caption, and its links as a run, a task, a result and a pin."""
    assert [*differences(KEPT[name], files(RUNS[name]))] == []


def test_a_networks_link_words_and_losses_are_what_they_were():
    """Three short trainings of deep networks."""
    assert [*differences(KEPT_NETWORKS, networks())] == []
