"""Words and questions in a browser: a search, a reload, a link to an experiment, a phone."""

import re

from playwright.sync_api import expect

from gd_core.experiment import Experiment
from gd_core.glossary import ENTRIES, found


def at_rest(lab):
    """This page has neither charts nor a player: it rests when its last link is there and the script has ended."""
    lab.page.locator(".st-key-try_next a").wait_for()
    lab.page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning' && watch.calm > 4"
    )
    return lab


def opened(lab, query=""):
    lab.page.goto(lab.url + "/glossary" + query)
    return at_rest(lab)


def search(lab, text):
    field = lab.page.get_by_role("textbox", name="Search", exact=True)
    field.fill(text)
    field.press("Enter")


def cards(lab):
    return lab.page.locator("[class*='st-key-word_'] h3")


def test_a_search_filters_and_a_reload_keeps_it(lab):
    """The address holds what was looked for; "Show all" brings every answer back."""
    opened(lab)
    expect(cards(lab)).to_have_count(len(ENTRIES))
    search(lab, "momentum")
    expect(cards(lab)).to_have_text([entry.term for entry in found("momentum")])
    lab.wait_for_query(q="momentum")
    lab.page.reload()
    at_rest(lab)
    expect(cards(lab)).to_have_text([entry.term for entry in found("momentum")])
    lab.page.get_by_role("button", name="Show all").click()
    expect(cards(lab)).to_have_count(len(ENTRIES))
    search(lab, "zebra")
    expect(lab.page.get_by_text("None of the 32 answers holds “zebra”.")).to_be_visible()
    expect(cards(lab)).to_have_count(0)


def test_a_link_opens_its_experiment(lab):
    """Momentum's answer leads to Train with momentum, and Back finds the search again."""
    opened(lab, "?q=rolling")
    (entry,) = found("rolling")
    lab.page.get_by_role("link", name=entry.label).click()
    lab.page.wait_for_url(re.compile(r"optimizer=momentum"))
    lab.settled()
    assert Experiment.from_query(lab.query) == (entry.settings, [])
    lab.page.go_back()
    expect(cards(lab)).to_have_text([entry.term])


def test_everything_fits_on_a_phone(visit):
    """At 390 pixels the cards stand in one column and nothing scrolls sideways."""
    lab = opened(visit(viewport={"width": 390, "height": 844}))
    main = lab.page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
    tops = cards(lab).evaluate_all("all => all.map((one) => one.getBoundingClientRect().top)")
    assert tops == sorted(set(tops))


def test_axe_finds_no_serious_fault(lab):
    """Nothing serious or critical in either theme."""
    lab = opened(lab)
    assert lab.serious_faults_by_theme() == {}
