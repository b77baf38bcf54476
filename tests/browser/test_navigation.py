"""From page to page: the menu, links, Back, and a link into a server that has just started."""

import re

from playwright.sync_api import expect

from lab import Lab, claim
from pages.ui.look.navigation import LESSONS
from serving import serving

LINK = "/one_parameter?dataset=one-parameter&learning_rate=0.05&epochs=30"


def menu(lab, group, title):
    """Choose a page from the menu at the top."""
    before = lab.count("runs")
    lab.page.get_by_test_id("stTopNavSection").filter(has_text=group).click()
    lab.page.get_by_role("menuitem", name=title).click()
    lab.page.wait_for_function("(before) => watch.runs > before", arg=before)


def heading(lab, title):
    expect(lab.page.get_by_role("heading", level=1)).to_have_text(title)


def test_a_deep_link_into_a_fresh_server_opens_the_whole_app(visit):
    """Its settings are there, and so is the menu: Streamlit alone would run the page without app.py."""
    with serving() as fresh:
        lab = visit(fresh.url).open_page(LINK)
        expect(lab.page.get_by_test_id("stTopNavSection")).to_have_count(2)
        expect(lab.field("Learning rate η")).to_have_value("0.05")
        assert lab.query["learning_rate"] == "0.05"
        lab.page.close()


def test_the_menu_leads_everywhere_and_pages_stay_as_they_were_left(lab: Lab):
    """Back leads from Train to the lesson with the rate that it had, and on; each page keeps the rate that was typed on it;
    the menu has two groups, eleven pages, in reading order."""
    lab.open_page(LINK)
    with claim("back leads through pages and settings"):
        lab.type("Learning rate η", "0.07")
        lab.wait_for_query(learning_rate="0.07")
        menu(lab, "Lab", "Train")
        heading(lab, "Train")
        lab.settled()
        lab.page.go_back()
        lab.page.wait_for_function("location.pathname === '/one_parameter'")
        heading(lab, "One parameter, one slope")
        expect(lab.field("Learning rate η")).to_have_value("0.07")
        with lab.rerun():
            lab.page.go_back()
        expect(lab.field("Learning rate η")).to_have_value("0.05")
    with claim("pages stay as they were left"):
        lab.type("Learning rate η", "0.08")
        menu(lab, "Lab", "Train")
        heading(lab, "Train")
        lab.settled().type("Learning rate η", "0.02")
        menu(lab, "Lessons", "One parameter")
        heading(lab, "One parameter, one slope")
        lab.settled()
        expect(lab.field("Learning rate η")).to_have_value("0.08")
        menu(lab, "Lab", "Train")
        heading(lab, "Train")
        lab.settled()
        expect(lab.field("Learning rate η")).to_have_value("0.02")
        assert lab.experiment.learning_rate == 0.02
    with claim("the menu leads to every page"):
        for number, (name, title) in enumerate(LESSONS.items(), 1):
            menu(lab, "Lessons", f"{number}. {title}")
            heading(lab, title)
            lab.page.wait_for_url(re.compile(rf"/{name}(\?|$)"))
        menu(lab, "Lab", "Compare")
        heading(lab, "Compare")
        menu(lab, "Lab", "Train")
        heading(lab, "Train")
