"""The JavaScript of the strip of rates alone: its thumb, its zones, its stops, and what it says of a rate."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from component import Component

# Ten thousand times smaller than the limit to ten times larger, as the Train page draws it: the limit is at 4/5.
LIMIT = 0.4
ZONES = [("slow", 0.04), ("steady", 0.2), ("zigzags", 0.4), ("diverges", None)]
STOPS = [("Best for 100 epochs", 0.123456), ("Best in the long run", 0.2), ("Limit", LIMIT)]


def strip(mounted: Callable[..., Component], rate: float, **changes: Any) -> Component:
    """The strip at a rate."""
    usual = {
        "rate": rate, "low": LIMIT * 1e-4, "high": LIMIT * 10, "limit": LIMIT, "reason": None,
        "zones": [{"name": name, "to": to, "says": f"is {name}"} for name, to in ZONES], "wait": "",
        "stops": [{"label": label, "rate": at, "hint": f"About {label}."} for label, at in STOPS],
    }  # fmt: skip
    return mounted("rate", usual | changes)


def test_the_thumb_sends_a_rate(mounted: Callable[..., Component]):
    """It stands where the rate is on a logarithmic track; moved by key or pointer it says the rate, and sends three digits of it."""
    one = strip(mounted, LIMIT)
    thumb = one.page.get_by_role("slider", name="Learning rate, logarithmic")
    assert float(thumb.input_value()) == 800
    thumb.focus()
    one.page.keyboard.press("ArrowLeft")
    ((name, rate),) = one.sent()
    assert (name, rate) == ("rate", pytest.approx(LIMIT * 10 ** (5 * -1 / 1000), abs=5e-4))
    assert rate == float(f"{rate:.3g}")
    thumb.fill("600")
    assert one.sent() == [("rate", 0.04)]
    text = "η = 0.04: 10 % of the limit, is slow"
    expect(one.page.get_by_text(text, exact=True)).to_be_visible()
    expect(thumb).to_have_attribute("aria-valuetext", text)


def test_a_stop_sends_its_rate(mounted: Callable[..., Component]):
    """Pressed by pointer or by space, with all its digits; three are written; the one in use is marked as pressed."""
    one = strip(mounted, 0.2)
    for label, rate in STOPS:
        button = one.page.get_by_role("button", name=label)
        expect(button).to_contain_text(f"{rate:.3g}")
        expect(button).to_have_attribute("title", f"About {label}.")
        expect(button).to_have_attribute("aria-pressed", str(rate == 0.2).lower())
        button.click()
        one.page.keyboard.press("Space")
        assert one.sent() == [("rate", rate)] * 2


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0.3, "η = 0.3: 75 % of the limit, is zigzags"),
        (0.2, "η = 0.2: 50 % of the limit, is steady"),
        (0.4, "η = 0.4: exactly the limit, where the error neither grows nor shrinks"),
        (0.4012, "η = 0.401: 1.003 × the limit, is diverges"),
        (1e-6, "η = 1e−6: 0.00025 % of the limit, is slow"),
        (40000, "η = 40,000: 100,000 × the limit, is diverges"),
    ],
)
def test_a_rate_is_told_by_its_share_of_the_limit(mounted: Callable[..., Component], rate: float, text: str):
    """In per cent below the limit and as a multiple above it, with what its zone says; also far off the track."""
    expect(strip(mounted, rate).page.get_by_text(text, exact=True)).to_be_visible()


def test_how_long_it_takes_is_said_of_the_rate_that_it_was_worked_out_for(mounted: Callable[..., Component]):
    """Beside the share of the limit; not while the thumb is on its way to another rate."""
    one = strip(mounted, 0.3, wait="It takes 9 epochs.")
    expect(one.page.get_by_text("75 % of the limit, is zigzags. It takes 9 epochs.")).to_be_visible()
    one.page.get_by_role("slider").evaluate("(e) => { e.value = 600; e.dispatchEvent(new Event('input')); }")
    expect(one.page.get_by_text("η = 0.04: 10 % of the limit, is slow", exact=True)).to_be_visible()


def test_zones_and_marks_stand_at_their_rates(mounted: Callable[..., Component]):
    """A decade is a fifth of the track: zones end, and marks stand, at the logarithm of their rates. A zone's name stands in its
    middle; one off the track has none."""
    one = strip(mounted, 0.2)
    track = one.page.locator(".zones").bounding_box()
    assert track
    at = {"slow": 0.6, "steady": 0.6 + 0.2 * 0.69897, "zigzags": 0.8, "diverges": 1}
    for name, end in at.items():
        box = one.page.locator(f".zone.{name}").bounding_box()
        assert box
        assert (box["x"] + box["width"] - track["x"]) / track["width"] == pytest.approx(end, abs=0.002)
    lefts = one.page.locator(".mark").evaluate_all("all => all.map((mark) => parseFloat(mark.style.left))")
    assert lefts == pytest.approx([69.79, 73.98, 80], abs=0.1)
    names = one.page.locator(".names span")
    assert names.all_inner_texts() == list(at)
    middles = names.evaluate_all("all => all.map((name) => parseFloat(name.style.left))")
    assert middles == pytest.approx([30, 66.99, 76.99, 90], abs=0.1)
    zones = [{"name": "slow", "to": 1e-9}, {"name": "steady", "to": 0.2}, {"name": "diverges", "to": None}]
    one.update(zones=zones)
    assert names.all_inner_texts() == ["steady", "diverges"]


def test_without_a_limit_it_says_why(mounted: Callable[..., Component]):
    """No zones, no stops, no share: the rate alone, and the reason."""
    one = strip(
        mounted, 0.001, low=1e-6, high=10, limit=None, zones=[], stops=[], reason="Adam has no limit."
    )
    expect(one.page.get_by_text("η = 0.001", exact=True)).to_be_visible()
    expect(one.page.get_by_text("Adam has no limit.")).to_be_visible()
    assert one.page.get_by_role("button").count() == 0
    one.update(reason=None)
    expect(one.page.locator(".reason")).to_be_hidden()


def test_where_no_limit_holds_everywhere_it_draws_the_one_that_holds_here(mounted: Callable[..., Component]):
    """As the player says it, epoch by epoch: two zones, the share in words; none where the loss curves down; with a limit it is deaf."""
    one = strip(mounted, 0.1, low=1e-6, high=10, limit=None, zones=[], stops=[], reason="Known nowhere.")

    def here(limit: float | None) -> None:
        told = (
            "delete document.body.dataset.limitHere"
            if limit is None
            else f"document.body.dataset.limitHere = {limit}"
        )
        one.page.evaluate(f"() => {{ {told}; document.dispatchEvent(new Event('here')); }}")

    says = one.page.locator('[data-part="said"]')
    expect(says).to_have_text("η = 0.1")
    here(0.4)
    expect(says).to_have_text("η = 0.1: 25 % of the limit here, 0.4")
    expect(one.page.locator(".name")).to_have_text(["steady here", "too large here"])
    width = one.page.locator(".zone.steady").evaluate("one => parseFloat(one.style.width)")
    assert width == pytest.approx(100 * (math.log10(0.4) + 6) / 7, abs=0.01)
    here(0.05)
    expect(says).to_have_text("η = 0.1: 2 × the limit here, 0.05")
    here(0)
    expect(says).to_have_text("η = 0.1")
    expect(one.page.locator(".name")).to_have_text(["no limit here"])
    here(None)
    expect(one.page.locator(".name")).to_have_count(0)
    whole = strip(mounted, 0.1)
    here(0.05)
    expect(whole.page.locator(".name")).to_have_text([name for name, _ in ZONES])
