"""Pinned runs in a browser: light lines that the player moves, the page that lines them up, and the link that opens it."""

import re

from playwright.sync_api import expect

from gd_core.settings.pins import Pins
from lab import ERROR, FIT, MAP, MENU, Lab, claim

RUN = "/?dataset=noisy-quadratic&learning_rate=0.02&scale_features=true&epochs=100"


def test_a_run_is_pinned_compared_and_sent(lab: Lab, visit):
    """Train, pin, another rate, train: the pinned run moves with the player and costs no new chart. On Compare it gets a
    name, and whoever opens the address sees both runs, and either of them on Train."""
    lab.open_page(RUN).train().to_end()
    with lab.rerun():
        lab.page.get_by_role("button", name="Pin this run").click()
    lab.type("Learning rate η", "0.3")
    lab.train().to_end()
    with claim("a run beside a pinned one costs no new chart, and each chart says that it has it"):
        lab.mark()
        with lab.rerun():
            lab.command("Train").click()
        lab.to_end()
        assert lab.count("embeds") == 0
        for chart in (FIT, MAP, ERROR):
            expect(lab.page.locator(f"[aria-label^='{chart}']").first).to_have_attribute(
                "aria-label", re.compile("pinned run 1")
            )
    with claim("the pinned run moves with the player"):
        shown = {}
        for epoch in (5, 100):
            lab.seek(epoch).charts_at(epoch)
            shown[epoch] = (lab.live()["pin0"], lab.drawing(FIT))
        assert shown[5][0] != shown[100][0]
        assert shown[5][1] != shown[100][1]
    with claim(
        "Compare, two clicks away, gives a run a name, and its place by keyboard, both in the address"
    ):
        with lab.rerun():
            lab.page.get_by_role("button", name="Pin this run").click()
        lab.page.get_by_role("button", name="2 pinned").click()
        expect(lab.page.get_by_role("link", name="Compare them")).to_be_visible()
        assert lab.serious_faults(MENU) == []
        lab.page.get_by_role("link", name="Compare them").click()
        lab.page.wait_for_function("() => location.pathname === '/compare'")
        lab.settled()
        name = lab.sidebar.get_by_role("textbox", name="Run 1")
        with lab.rerun():
            name.fill("<i>slow</i>")
            name.press("Enter")
        with lab.rerun():
            lab.sidebar.get_by_role("button", name="Down").first.focus()
            lab.page.keyboard.press("Enter")
        pins, sentences = Pins.from_query(lab.query)
        assert not sentences
        assert [pin.name for pin in pins.pins] == ["Gradient descent 0.3", "<i>slow</i>"]

    other: Lab = visit()
    with claim("whoever opens the address sees both runs, and either of them on Train"):
        other.open_page(lab.page.url.removeprefix(lab.url)).to_end()
        assert other.chart_epochs() == {"100"}
        assert other.query == lab.query
        expect(other.page.get_by_role("columnheader", name="<i>slow</i>")).to_be_visible()
        other.page.get_by_role("link", name="<i>slow</i>").click()
        other.page.wait_for_function("() => location.pathname === '/'")
        other.settled()
        expect(other.field("Learning rate η")).to_have_value("0.02")
        other.train().to_end()
        assert other.epoch() == 100
