"""The menu of examples: published runs, runs that work, runs that fail on purpose."""

import re

from playwright.sync_api import expect

from gd_core.settings.examples import EXAMPLES
from lab import MENU, Lab, claim


def test_the_menu_of_examples(lab: Lab):
    """It lists each group, and under it every example with the reason to look at it. Chosen there, an example closes the
    menu and is what the address holds, and Train ends it as its title says. What each of them opens and how it ends:
    `tests/pages/test_train.py`."""
    lab.open_page()
    with claim("each group, and under it every example with its reason"):
        with lab.rerun():
            lab.sidebar.get_by_role("button", name="Examples").click()
        for group in {example.group for example in EXAMPLES}:
            expect(lab.menu.get_by_text(group, exact=True)).to_be_visible()
        for example in EXAMPLES:
            entry = lab.menu.get_by_role("button", name=re.compile(rf"^{re.escape(example.title)}\s"))
            expect(entry).to_contain_text(example.reason)
        assert lab.serious_faults(MENU) == []
        with lab.rerun():  # the page hears of it, and would close a menu that is opened meanwhile
            lab.page.keyboard.press("Escape")
        expect(lab.menu).to_be_hidden()
    with claim(
        "chosen, an example closes the menu and is what the address holds; Train ends it as its title says"
    ):
        (example,) = (one for one in EXAMPLES if one.title == "Diverges")
        lab.example(example.title)
        lab.wait_for_query(**example.experiment.to_query())
        assert lab.experiment == example.experiment
        lab.train().to_end()
        assert lab.verdict().startswith("Diverged at epoch ")
