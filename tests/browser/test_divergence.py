"""A run that diverges is a result: it is shown to its end, explained with its numbers, and a way out is offered."""

import re

import pytest
from playwright.sync_api import expect

from gd_core.problem import build
from gd_core.recorder import record
from gd_core.theory import curvature
from lab import ERROR, Lab, number

DIVERGES = "/?dataset=noisy-quadratic&learning_rate=5e-05&epochs=1000"


def test_the_summary_names_epoch_and_ratio(lab: Lab):
    """The summary says at which epoch the run diverged and how many times the limit the rate is."""
    lab.open_page(DIVERGES).train().speed("4×").ended()
    experiment = lab.experiment
    recording = record(experiment)
    limit = (
        curvature(build(experiment).objective).limit
        if False
        else 2 / curvature(build(experiment).objective).largest
    )
    text = lab.verdict()
    assert text.startswith(f"Diverged at epoch {recording.diverged_at}:")
    ratio = re.search(r"your rate 5e−5 is ([\d.]+) × the limit", text)
    assert number(ratio.group(1)) == pytest.approx(5e-5 / limit, abs=0.005)
    assert lab.epoch() == recording.epochs == lab.last
    assert recording.epochs < 1000
    assert lab.chart_epochs() == {str(recording.epochs)}


def test_the_charts_hold_a_run_that_left_them(lab: Lab):
    """Every epoch of a run that leaves the map can be shown, and the error's axis holds all of it."""
    lab.open_page(DIVERGES).train().to_end()
    for epoch in (1, lab.last // 2, lab.last - 1, lab.last):
        lab.seek(epoch)
        assert lab.chart_epochs() == {str(epoch)}
        assert "NaN" not in "".join(lab.drawing(text) for text in (ERROR, "Level lines", "Data as points"))


@pytest.mark.parametrize("offer", ["Set the rate to the limit", "To the best for these epochs"])
def test_an_offer_sets_the_rate(lab: Lab, offer: str):
    """Each of the two offers writes its rate into the field and the address, and Train then does not diverge."""
    lab.open_page(DIVERGES).train().to_end()
    button = lab.player.get_by_role("button", name=re.compile(f"^{offer} "))
    shown = number(button.inner_text().split()[-1])
    with lab.rerun():
        button.click()
    rate = lab.field("Learning rate η").input_value()
    assert float(lab.query["learning_rate"]) == float(rate)
    assert float(rate) == pytest.approx(shown, rel=0.01)
    limit = 2 / float(curvature(build(lab.experiment).objective).largest)
    assert float(rate) == pytest.approx(limit, rel=1e-9 if "limit" in offer else 0.01)
    assert float(rate) <= limit
    lab.train().to_end()
    assert not lab.verdict().startswith("Diverged")
    assert lab.epoch() == 1000


def test_a_good_run_gets_no_offers(lab: Lab):
    """A run that descends is offered no other rate."""
    lab.open_page("/?dataset=noisy-quadratic&learning_rate=1e-05&epochs=10").train().to_end()
    expect(lab.player.get_by_role("button", name=re.compile("rate to|best for"))).to_have_count(0)


def test_just_above_the_limit_grows(lab: Lab):
    """0.3 % above the limit: the run does not diverge within its epochs, and the summary calls it growing."""
    lab.open_page("/?dataset=noisy-quadratic&learning_rate=3.55e-05&epochs=1000").train().to_end()
    assert lab.verdict().startswith("Growing after 1,000 epochs")
    assert "1.003 × the limit" in lab.verdict()
    expect(lab.player.get_by_role("button", name=re.compile("^Set the rate to the limit"))).to_be_visible()


@pytest.mark.parametrize("rate", ["1000000.0", "1.0"])
def test_an_absurd_rate_diverges_at_once(lab: Lab, rate: str):
    """A rate thousands of times the limit diverges in its first epochs, is said to, and breaks nothing."""
    lab.open_page(f"/?dataset=noisy-quadratic&learning_rate={rate}&epochs=1000").train().to_end()
    expect(lab.summary).to_have_text(re.compile("^Diverged at epoch 1:"))
    assert "nan" not in lab.verdict().lower()
    assert lab.last == 0
    assert lab.chart_epochs() == {"0"}
