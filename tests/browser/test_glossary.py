"""Words and questions in a browser: a search, a link to an experiment, and the card of keys."""

import re

from playwright.sync_api import Locator, expect

from gd_core.lessons.glossary import ENTRIES, found
from gd_core.settings.experiment import Experiment
from lab import Lab, claim


def search(lab: Lab, text: str) -> None:
    field = lab.page.get_by_role("textbox", name="Search", exact=True)
    with lab.rerun(player=False):
        field.fill(text)
        field.press("Enter")


def cards(lab: Lab) -> Locator:
    return lab.page.locator("[class*='st-key-word_'] h3")


def test_words_are_searched_and_lead_to_their_experiments(lab: Lab):
    """A search filters, "Show all" brings every answer back, and a link opens its experiment.

    Also where there is no player the card of keys opens by its button, by Tab and Enter, and closes with Esc. The address
    holds what was looked for. Momentum's answer leads to Train with momentum, and Back finds the search again.
    """
    lab.page.goto(f"{lab.url}/glossary")
    lab.at_rest()
    with claim("the card opens, and tells of no player"):
        button = lab.page.get_by_role("button", name="Keys", exact=True)
        card = lab.page.get_by_role("dialog", name="Keys")
        for opened in (button.click, lambda: (button.focus(), lab.page.keyboard.press("Enter"))):
            opened()
            expect(card).to_be_visible()
            expect(card).to_contain_text("Projector mode")
            expect(card).not_to_contain_text("Play, pause")
            lab.page.keyboard.press("Escape")
            expect(card).to_be_hidden()
    with claim("a search filters"):
        expect(cards(lab)).to_have_count(len(ENTRIES))
        search(lab, "momentum")
        expect(cards(lab)).to_have_text([entry.term for entry in found("momentum")])
        lab.wait_for_query(q="momentum")
        lab.page.get_by_role("button", name="Show all").click()
        expect(cards(lab)).to_have_count(len(ENTRIES))
        search(lab, "zebra")
        expect(lab.page.get_by_text("None of the 36 answers holds “zebra”.")).to_be_visible()
        expect(cards(lab)).to_have_count(0)
    with claim("a link opens its experiment"):
        search(lab, "rolling")
        (entry,) = found("rolling")
        lab.page.get_by_role("link", name=entry.label).click()
        lab.page.wait_for_url(re.compile(r"optimizer=momentum"))
        lab.settled()
        assert Experiment.from_query(lab.query) == (entry.settings, [])
        lab.page.go_back()
        expect(cards(lab)).to_have_text([entry.term])
