"""The examples do what their reasons say."""

import pytest

from gd_core.examples import EXAMPLES, FAILS, OPENING, WORKS
from gd_core.outcome import Outcome, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.theory import curvature

ENDS = {
    "Diverges": Outcome.DIVERGED,
    "Just above the limit": Outcome.GROWING,
    "Bounces for ever": Outcome.OVERSHOOTING,
    "Single rows": Outcome.HOVERING,
    "Crawls": Outcome.OVERSHOOTING,
}


def end(example):
    """How the example's run ends."""
    problem = build(example.experiment)
    return outcome(record(example.experiment), curvature(problem.objective)).outcome


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.group == WORKS], ids=lambda e: e.title)
def test_what_works_converges(example):
    """Every example under «works» reaches the optimum."""
    assert end(example) is Outcome.CONVERGED


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.group == FAILS], ids=lambda e: e.title)
def test_what_fails_fails_as_it_says(example):
    """Every example under «fails on purpose» ends in the way that its title names."""
    assert end(example) is ENDS[example.title]


def test_titles_are_unique_and_every_reason_is_a_sentence():
    """A menu needs names that differ and reasons that end."""
    assert len({e.title for e in EXAMPLES}) == len(EXAMPLES)
    assert all(e.reason.endswith((".", "?")) for e in EXAMPLES)


def test_the_page_opens_with_a_run_that_works():
    """The first press of Train ends at the optimum."""
    assert OPENING in EXAMPLES
    assert end(OPENING) is Outcome.CONVERGED
