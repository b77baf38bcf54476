"""The learning rate lesson in a real browser: four runs under one player, a click on the sweep, the challenge."""

import pytest
from playwright.sync_api import expect

from lab import same_digits

LESSON = "/learning_rate"
SWEEP, ERRORS = "RMSE at the end", "RMSE by epoch"


def rate(lab, number):
    return lab.page.get_by_role("textbox", name=f"Learning rate η of run {number}", exact=True)


def press(lab, name):
    with lab.rerun():
        lab.page.get_by_role("button", name=name, exact=True).click()


def test_four_runs_play_side_by_side(lab):
    """After the answer all charts but the sweep move together, without a new embed; at the end it is judged."""
    lab.open_page(LESSON)
    assert lab.count("embeds") == 6
    lab.mark()
    lab.answer("Run 2")
    lab.passed(2).ended()
    assert lab.count("embeds") == 0
    assert lab.chart_epochs() == {"15"}
    assert lab.verdict().startswith("You were right: run 2. After 15 epochs run 2 is lowest")
    assert same_digits(lab.live()["rmse1"], 1.46982, 5)
    expect(lab.page.get_by_text("diverged at epoch 13", exact=True)).to_be_visible()
    lab.seek(5)
    expect(lab.page.get_by_text("diverged at epoch 13", exact=True)).to_be_hidden()


def test_everything_is_on_one_screen(lab):
    """At 1400 × 900 the question, the six charts and the player with its sentence need no scrolling."""
    lab.open_page(LESSON + "?guess=2").to_end()
    for part in (lab.page.locator(".st-key-predict"), *lab.charts.all(), lab.player.locator(".said")):
        box = part.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 900


def test_a_click_on_the_sweep_gives_a_run_its_rate(lab):
    """In the middle of the logarithmic axis lies the root of its two ends; nothing is embedded anew; nobody is asked."""
    lab.open_page(LESSON + "?guess=2&pick=3").to_end()
    before = {n: rate(lab, n).input_value() for n in (1, 2, 4)}
    plot = lab.page.locator(".st-key-click_sweep svg.marks .role-frame > g > path.background").bounding_box()
    lab.mark()
    with lab.rerun():
        lab.page.mouse.click(plot["x"] + plot["width"] / 2, plot["y"] + plot["height"] / 3)
    limit = 0.4043815
    assert float(rate(lab, 3).input_value()) == pytest.approx(limit * (4e-3 * 2.5) ** 0.5, rel=0.02)
    assert {n: rate(lab, n).input_value() for n in (1, 2, 4)} == before
    assert lab.count("embeds") == 0
    assert lab.query["guess"] == "skip"
    assert lab.query["rates"].split(",")[2] == rate(lab, 3).input_value()


def test_the_address_holds_every_setting(lab):
    """Typed rates, the tested share, the attempt: a reload finds them again."""
    lab.open_page(LESSON + "?dataset=one-parameter&epochs=12&ask=false")
    with lab.rerun():
        rate(lab, 2).fill("0.03")
        rate(lab, 2).press("Enter")
    press(lab, "101 %")
    with lab.rerun():
        attempt = lab.page.get_by_role("textbox", name="Your one rate η", exact=True)
        attempt.fill("0.05")
        attempt.press("Enter")
    address = lab.page.url
    lab.page.reload()
    lab.settled()
    assert lab.page.url == address
    assert rate(lab, 2).input_value() == "0.03"
    assert attempt.input_value() == "0.05"
    expect(lab.page.get_by_text("It grows, always.")).to_be_visible()


def test_a_rate_is_tried_and_scored(lab):
    """The attempt is listed with its epochs and score; the run above goes on undisturbed."""
    lab.open_page(LESSON + "?dataset=noisy-quadratic&scale_features=true&learning_rate=0.1&epochs=30&guess=2")
    lab.to_end()
    lab.mark()
    press(lab, "Try this rate")
    expect(lab.page.locator("table.attempts tr").last).to_have_text("10.12733 ★ best")
    press(lab, "Show the best rate")
    expect(lab.page.get_by_text("The best fixed rate, 0.302, needs 9.")).to_be_visible()
    assert lab.epoch() == 30
    assert (lab.count("embeds"), lab.count("starts")) == (0, 0)


@pytest.mark.parametrize("dataset", ["two-features", "one-parameter"])
def test_another_data_set_has_another_picture(lab, dataset):
    """Paths on the map, or jumps along the parabola; six charts, and a truth that is told."""
    lab.open_page(f"{LESSON}?dataset={dataset}&epochs=15").answer("Run 2")
    lab.to_end()
    assert lab.charts.count() == 6
    assert lab.verdict().startswith("You were right: run 2.")


def test_on_a_phone_nothing_scrolls_sideways(visit):
    """At 390 × 844 the panels stack in their order, and the player stays in reach."""
    lab = visit(viewport={"width": 390, "height": 844}).open_page(LESSON + "?guess=2").to_end()
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= 390
    main = lab.page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
    tops = [chart.bounding_box()["y"] for chart in lab.charts.all()]
    assert tops == sorted(tops)
    for chart in lab.charts.all():
        assert chart.bounding_box()["x"] + chart.bounding_box()["width"] <= 390


def test_axe_finds_no_serious_fault(lab):
    """axe-core reports nothing serious or critical at the end of a run, with an attempt made."""
    lab.open_page(LESSON + "?guess=1").to_end()
    press(lab, "Try this rate")
    assert lab.serious_faults_by_theme() == {}
