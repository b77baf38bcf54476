"""Every link in the app, walked: the page exists, opens without a complaint, and shows exactly what was promised."""

import re
from pathlib import Path

import pytest
from lesson_page import LessonPage
from train_page import Lab

from pages.ui.look.navigation import LESSONS

PAGES = ("train", "compare", *LESSONS)


def walked(page):
    """The links on a page as it opens, and after its question was skipped."""
    opened = LessonPage(page)
    found = opened.links
    if any(button.key == "skip" for button in opened.at.button):
        found += opened.skip().links
    return {(page, tuple(sorted(query.items()))) for _, page, query in found}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_where_it_says(page):
    """No complaint about a setting on the other side, and the address keeps every setting of the link."""
    for target, query in sorted(walked(page)):
        there = LessonPage(target or "train", **dict(query))
        assert there.complaints == [], (target, query)
        kept = there.query
        assert {name: kept.get(name) for name, _ in query} == dict(query), target


@pytest.mark.parametrize("page", PAGES)
def test_every_lesson_leads_on(page):
    """Each page has a link to another one; each lesson to the next in reading order, the last to Train."""
    targets = {target or "train" for target, _ in walked(page)}
    assert targets - {page}
    if page in LESSONS:
        order = [*LESSONS, "train"]
        assert order[order.index(page) + 1] in targets


def test_the_readme_and_train_count_the_lessons_as_the_menu_does():
    """As many rows, in the menu's order, and the same number of lessons and minutes in words on both."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+)\. (.*?) \|", readme, re.MULTILINE)
    assert [(int(number), title) for number, title in rows] == [*enumerate(LESSONS.values(), 1)]
    ((word, minutes),) = re.findall(r"(\w+) pages, about (\d+) minutes", readme)
    assert {"Nine": 9, "Ten": 10, "Eleven": 11}[word] == len(rows)
    assert f"Compare and {word.lower()} lessons" in readme
    labels = [element.proto.label for element in Lab().at.get("page_link")]
    assert f"New here? Start with lesson 1: {word.lower()} lessons, {minutes} minutes." in labels
