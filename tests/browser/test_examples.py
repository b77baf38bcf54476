"""The menu of examples: published runs, runs that work, runs that fail on purpose."""

import re

from playwright.sync_api import expect

from gd_core.examples import EXAMPLES, OPENING
from gd_core.outcome import Outcome, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.theory import curvature
from lab import Lab

FIRST_WORDS = {
    Outcome.CONVERGED: "Converged", Outcome.DESCENDING: "Still descending", Outcome.OVERSHOOTING: "Overshooting",
    Outcome.HOVERING: "Hovering", Outcome.GROWING: "Growing", Outcome.DIVERGED: "Diverged",
}  # fmt: skip


def test_the_menu_holds_every_example_with_its_reason(lab: Lab):
    """Examples lists each group, and under it every example with the reason to look at it."""
    lab.open_page()
    lab.sidebar.get_by_role("button", name="Examples").click()
    for group in {example.group for example in EXAMPLES}:
        expect(lab.menu.get_by_text(group, exact=True)).to_be_visible()
    for example in EXAMPLES:
        entry = lab.menu.get_by_role("button", name=re.compile(rf"^{re.escape(example.title)}\s"))
        expect(entry).to_contain_text(example.reason)


def test_every_example_runs_as_it_says(lab: Lab):
    """Chosen from the menu, which closes, an example is what the address holds; Train ends it as the core does."""
    other = EXAMPLES[-1].experiment.to_query()
    lab.open_page("/?" + "&".join(f"{name}={text}" for name, text in other.items()))
    for example in EXAMPLES:
        lab.example(example.title)
        lab.wait_for_query(**example.experiment.to_query())
        assert lab.experiment == example.experiment
        lab.train().to_end()
        found = outcome(record(example.experiment), curvature(build(example.experiment).objective))
        assert lab.verdict().startswith(FIRST_WORDS[found.outcome]), example.title


def test_the_page_opens_with_an_example(lab: Lab):
    """Without settings in the address, the page opens with the first example, which works."""
    lab.open_page()
    assert lab.experiment == OPENING.experiment
