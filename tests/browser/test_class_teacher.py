"""A class as its teacher sees it: a lesson on the wall, three phones, two votes, a reload, the run, the end."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from lab import PHONE, RULES_OF_COLOUR, Lab, claim
from serving import Server

ACROSS = "It jumps across and comes closer"


def test_a_class_is_taught(visit: Callable[..., Lab], server: Server):
    """One lesson from *With a class* to *Delete it now*, by buttons and by the projector's keys."""
    wall: Lab = visit().open_page("/one_parameter")
    press = lambda name: wall.page.get_by_role("button", name=name, exact=True).click()  # noqa: E731
    press("With a class")
    code = wall.page.locator(".ways-in .code").inner_text().replace(" ", "")
    with claim("they join by the code, and the wall counts them"):
        phones = [phone(visit, server, name, code) for name in ("one", "two", "three")]
        expect(wall.page.locator(".joined")).to_have_text("3 are in.")
        expect(wall.page.get_by_alt_text("QR code: it joins the class")).to_be_visible()
        assert wall.serious_faults() == []

    with claim("what was learned is asked before the hour, one question at a time, and left with a press"):
        press("What was learned")
        press("Seven questions before")
        expect(wall.page.get_by_text("Before the hour: 1 of 7")).to_be_visible()
        asked = phones[0].page.get_by_role("heading", level=1)
        expect(asked).not_to_have_text("You are in")
        phones[0].page.locator("button.answer").first.click()
        expect(wall.page.get_by_text("1 of 3 have answered")).to_be_visible()
        assert wall.serious_faults() == []
        assert phones[0].serious_faults() == []
        first = asked.inner_text()
        press("Next question")
        expect(wall.page.get_by_text("Before the hour: 2 of 7")).to_be_visible()
        expect(asked).not_to_have_text(first)
        press("Stop here")

    press("Ask the class")
    answer(phones[0], ACROSS)
    answer(phones[1], "One step lands on −1")
    with claim("the wall says how many have answered, and not what; the run waits"):
        expect(wall.page.get_by_text("2 of 3 have answered")).to_be_visible()
        expect(wall.page.locator(".wall .bar")).to_have_count(0)
        expect(wall.player.get_by_role("button", name="Play")).to_be_disabled()
        assert wall.serious_faults() == []
    wall.page.bring_to_front()  # else its frames rest
    press("Show answers")
    with claim("then it shows the bars, and a reload finds them again"):
        expect(wall.page.locator(".wall .bar")).to_have_count(2)
        wall.page.reload()
        expect(wall.page.locator(".ways-in .code")).to_have_text(f"{code[:3]} {code[3:]}")
        expect(row(wall, ACROSS)).to_have_text(f"{ACROSS}1 · 50 %")
        assert wall.serious_faults() == []
        assert wall.out_of_reach() == []

    wall.settled().page.keyboard.press("p")
    expect(wall.page.locator(".st-key-class_large")).to_be_visible()
    wall.at_rest().page.keyboard.press("g")
    expect(wall.page.get_by_text("0 of 3 have answered")).to_be_visible()
    for one in phones:
        answer(one, ACROSS)
    expect(wall.page.get_by_text("3 of 3 have answered")).to_be_visible()
    wall.page.keyboard.press("r")
    with claim(
        "by keys on a projector: the run plays, then the right bar is marked, and a press has counted once"
    ):
        expect(wall.page.locator(".wall .right.lit")).to_contain_text(f"✓{ACROSS}1 · 50 %3 · 100 %")
        expect(wall.page.locator(".told.lit")).to_contain_text(
            "3 of 3 had it right, in the first vote 1 of 2."
        )
        expect(wall.slider).to_have_value("40")
        expect(wall.complaint).to_have_count(0)
        assert wall.serious_faults() == []
    with claim("each look goes on without the page: the mark stays"):
        wall.page.wait_for_timeout(2500)
        expect(wall.page.locator(".wall .right.lit")).to_have_count(1)
    expect(phones[2].page.get_by_role("status").filter(has_text="jumps across")).to_be_visible()
    expect(phones[2].page.get_by_role("img", name="A by epoch: from 2 to")).to_be_visible()

    wall.page.bring_to_front()
    wall.page.keyboard.press("a")
    expect(wall.page.locator(".st-key-class_show")).to_be_visible()
    expect(phones[0].page.get_by_role("button", name=ACROSS)).to_have_attribute("aria-pressed", "false")
    wall.at_rest().page.keyboard.press("r")
    expect(wall.page.locator(".wall .right.lit")).to_contain_text("It bounces for ever")  # at 1/9
    press("End the class")
    with claim("what was answered is taken along, and deleted"):
        table = list(
            csv.reader(downloaded(wall, "A table (CSV)").read_text(encoding="utf-8-sig").splitlines())
        )
        assert any(ACROSS in line and "3" in line for line in table)
        page = downloaded(wall, "Take it along: a page").read_text(encoding="utf-8")
        assert ACROSS in page
        assert "3 students, 4 questions" in page
        assert wall.serious_faults(**RULES_OF_COLOUR) == []
        expect(wall.page.locator(".ways-in, .st-key-class_menus")).to_have_count(0)  # nobody joins any more
        press("Delete it now")
        expect(wall.page.locator(".st-key-class")).to_have_count(0)
        expect(wall.page.get_by_text("The class is over")).to_have_count(0)  # as it was asked to be
        expect(wall.page.locator(".judged")).to_be_visible()
        wall.page.reload()
        expect(wall.settled().page.locator(".judged")).to_be_visible()
        expect(wall.page.locator(".st-key-class")).to_have_count(0)
    for one in phones:
        expect(
            one.page.get_by_text(f"no room {code}").or_(one.page.get_by_text("has ended")).first
        ).to_be_visible()
        one.errors.clear()  # Chromium says of each 404 that it is one


def phone(visit: Callable[..., Lab], server: Server, name: str, code: str) -> Lab:
    """A phone in the class, by a name of its own: what its browser keeps is not another's."""
    lab = visit(server.url.replace("127.0.0.1", f"{name}.localhost"), viewport=PHONE)
    lab.page.goto(f"{lab.url}/join?room={code}")
    expect(lab.page.get_by_role("heading", level=1)).to_have_text("You are in")
    return lab


def answer(phone: Lab, words: str) -> None:
    button = phone.page.get_by_role("button", name=words)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")


def row(wall: Lab, words: str) -> Any:
    return wall.page.locator(".wall tr").filter(has_text=words)


def downloaded(wall: Lab, name: str) -> Path:
    with wall.page.expect_download() as download:
        wall.page.get_by_role("button", name=name).click()
    return download.value.path()
