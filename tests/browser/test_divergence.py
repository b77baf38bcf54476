"""A run that diverges is a result: it is shown to its end, explained with its numbers, and a way out is offered."""

import re

import pytest
from playwright.sync_api import Locator, expect

from gd_core.problem import build
from gd_core.recorder import record
from gd_core.theory import curvature_of
from lab import ERROR, FIT, MAP, Lab, claim, number

DIVERGES = "/?dataset=noisy-quadratic&learning_rate=5e-05&epochs=1000"


def offer(lab: Lab, words: str) -> Locator:
    return lab.player.get_by_role("button", name=re.compile(f"^{words}"))


def test_a_run_that_diverges(lab: Lab):
    """The summary says at which epoch it diverged and how many times the limit the rate is; every epoch can be shown, on
    charts that hold all of it. Each of two offers writes its rate into field and address, and a run with it does not
    diverge. Just above the limit a run grows; absurd rates diverge at once and break nothing; one that descends gets no offers."""
    lab.open_page(DIVERGES)
    experiment = lab.experiment
    recording = record(experiment)
    limit = 2 / float(curvature_of(build(experiment).objective).largest)

    with claim("it is played to where it diverged, and the summary names that epoch and the ratio"):
        lab.train().speed("all at once").ended()
        assert lab.epoch() == recording.epochs == lab.last
        assert recording.epochs < 1000
        assert lab.chart_epochs() == {str(recording.epochs)}
        text = lab.verdict()
        assert text.startswith(f"Diverged at epoch {recording.diverged_at}:")
        ratio = re.search(r"your rate 5e−5 is ([\d.]+) × the limit", text)
        assert number(ratio.group(1)) == pytest.approx(5e-5 / limit, abs=0.005)
    with claim("every epoch of a run that leaves the map can be shown"):
        for epoch in (1, lab.last // 2, lab.last - 1, lab.last):
            lab.seek(epoch)
            assert lab.chart_epochs() == {str(epoch)}
            assert "NaN" not in "".join(lab.drawing(text) for text in (ERROR, MAP, FIT))

    for words in ("Set the rate to the limit", "To the best for these epochs"):
        with claim(f"{words}: it is the rate in field and address, and a run with it does not diverge"):
            button = offer(lab, words)
            shown = number(button.inner_text().split()[-1])
            with lab.rerun():
                button.click()
            rate = lab.field("Learning rate η").input_value()
            assert float(lab.query["learning_rate"]) == float(rate)
            assert float(rate) == pytest.approx(shown, rel=0.01)
            assert float(rate) == pytest.approx(limit, rel=1e-9 if "limit" in words else 0.01)
            assert float(rate) <= limit
            lab.train().ended()
            assert not lab.verdict().startswith("Diverged")
            assert lab.epoch() == 1000
        with lab.rerun():
            lab.page.go_back()
        expect(lab.summary).to_have_text(re.compile("^Diverged"))

    with claim(
        "0.3 % above the limit it does not diverge within its epochs, and the summary calls it growing"
    ):
        lab.type("Learning rate η", "3.55e-05")
        lab.train().ended()
        assert lab.verdict().startswith("Growing after 1,000 epochs")
        assert "1.0029 × the limit" in lab.verdict()
        expect(offer(lab, "Set the rate to the limit")).to_be_visible()
    with claim(
        "a rate thousands of times the limit diverges in its first epochs, is said to, and breaks nothing"
    ):
        for rate in ("1000000.0", "1.0"):
            lab.type("Learning rate η", rate)
            lab.train().ended()
            expect(lab.summary).to_have_text(re.compile("^Diverged at epoch 1:"))
            assert "nan" not in lab.verdict().lower()
            assert lab.last == 3  # there is something to watch
            expect(lab.chart(FIT).get_by_text("the curve is off by")).to_be_visible()
            lab.charts_at(3)
    with claim("a run that descends is offered no other rate"):
        lab.type("Learning rate η", "1e-05")
        lab.train().ended()
        expect(lab.player.get_by_role("button", name=re.compile("rate to|best for"))).to_have_count(0)
