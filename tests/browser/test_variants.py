"""The race of the variants in a browser: it plays over all racers, in three units, and is what its address says."""

import pytest
from playwright.sync_api import expect

from gd_core.racers import TITLES
from lab import CHART, Lab, number

RACE = "/variants?dataset=noisy-quadratic&scale_features=true&start=0,0,20&learning_rate=0.1&batch_size=5&epochs=40"
MAP, ERRORS = "Level lines", "Root mean squared error"
PHONE = {"width": 390, "height": 844}


def test_a_guess_starts_the_race_and_is_judged_at_its_end(lab: Lab):
    """Before the answer nothing plays; after it both charts play to the end, drawn once, and the guess is judged."""
    lab.open_page(RACE)
    expect(lab.button("Play")).to_be_disabled()
    assert lab.count("embeds") == 2
    lab.mark()
    lab.answer("Stochastic")
    lab.passed(3)
    lab.speed("4×").ended()
    assert lab.verdict().startswith("You were right: the first is Stochastic.")
    assert lab.chart_epochs() == {"40"}
    assert lab.count("embeds") == 0
    assert lab.count("frames") > 3


def test_another_rate_is_another_race_and_no_new_chart(lab: Lab):
    """The rate of batch changes everyone who takes a share of a limit; the charts only get other numbers."""
    lab.open_page(RACE + "&ask=false").to_end()
    before = lab.live()
    lab.mark()
    lab.type("Batch’s rate η", "0.05")
    lab.to_end()
    after = lab.live()
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"r0", "r1", "r2", "r3", "r4"}  # not AdaGrad, RMSProp and Adam
    assert lab.count("embeds") == 0


def test_numbers_appear_when_the_race_has_come_to_them(lab: Lab):
    """The arrival of Stochastic is hidden before it arrives, and seen after; what only the end tells comes at the end."""
    lab.open_page(RACE + "&ask=false").to_end()
    cells = lab.page.locator("table.race tbody tr").nth(2).locator("td")
    epochs = number(cells.nth(3).inner_text())
    assert 1 < epochs < 39
    lab.seek(int(epochs) - 1)
    expect(cells.nth(3).locator(".later")).to_be_hidden()
    lab.seek(int(epochs) + 1)
    expect(cells.nth(3).locator(".later")).to_be_visible()
    expect(cells.nth(6).locator(".later")).to_be_hidden()
    assert "At the target: Stochastic" in lab.verdict()
    lab.seek(40)
    expect(cells.nth(6).locator(".later")).to_be_visible()


def test_the_unit_is_a_switch(lab: Lab):
    """The same race over updates: the player counts in them, the axis says so, and the address holds it."""
    lab.open_page(RACE + "&ask=false").to_end()
    with lab.rerun():
        lab.page.get_by_role("radio", name="Updates").or_(
            lab.page.get_by_role("button", name="Updates")
        ).click()
    lab.to_end()
    assert lab.query["unit"] == "update"
    assert lab.last > 40
    expect(lab.player.locator(".count")).to_have_text(f"update {lab.last} / {lab.last}")
    expect(lab.chart(ERRORS).locator(".role-axis-title text", has_text="update")).to_be_visible()
    assert lab.verdict().startswith("Nesterov is first at RMSE ")


def test_reload_gives_the_same_race(lab: Lab):
    """Racers, unit, guess and rates are in the address; a reload draws the same numbers."""
    lab.open_page(RACE + "&racers=batch,adam&unit=row&rate_adam=2&guess=adam").to_end()
    told, numbers = lab.verdict(), lab.live()
    assert set(numbers) == {"r0", "r7"}
    lab.page.reload()
    lab.settled().to_end()
    assert lab.verdict() == told
    assert lab.live() == numbers


def test_a_click_on_the_map_is_the_start(lab: Lab):
    """Everyone starts where the map was clicked; the field for the start says where that is."""
    lab.open_page(RACE + "&ask=false").to_end()
    plot = lab.chart(MAP).locator(".role-frame > g > path.background").first.bounding_box()
    with lab.rerun():
        lab.page.mouse.click(plot["x"] + 0.2 * plot["width"], plot["y"] + 0.8 * plot["height"])
    start = lab.query["start"]
    assert start != "0.0,0.0,20.0"
    lab.page.get_by_text("Rates of the others, start, seed").click()
    shown = lab.field("Start (a, b, c)").input_value()
    assert [float(part) for part in shown.split(",")] == pytest.approx(
        [float(part) for part in start.split(",")]
    )
    lab.to_end()
    assert "first at RMSE" in lab.verdict()


def test_whoever_diverges_is_marked(lab: Lab):
    """Batch leaves both charts and gets a cross; the race goes on to its end without it."""
    lab.open_page(
        RACE.replace("learning_rate=0.1", "learning_rate=0.7") + "&racers=batch,adam&ask=false"
    ).to_end()
    assert "Diverged: Batch at epoch " in lab.verdict()
    for text in (MAP, ERRORS):
        assert lab.chart(text).locator("path[stroke-width='3']").count() == 1
    assert lab.epoch() == 40


def test_on_a_phone_nothing_scrolls_sideways(visit):
    """At 390 × 844 the table becomes a list, both charts stand below each other, and every racer is named."""
    lab = visit(viewport=PHONE).open_page(RACE + "&ask=false").to_end()
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= 390
    main = lab.page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
    tops = [lab.page.locator(CHART).nth(i).bounding_box()["y"] for i in (0, 1)]
    assert tops[1] - tops[0] > 200
    for title in TITLES.values():
        expect(lab.page.locator("ul.racers").get_by_text(title, exact=True)).to_be_visible()
    table = lab.page.locator("table.race")
    assert table.evaluate("one => one.getBoundingClientRect().right") <= 390


@pytest.mark.parametrize("end", [False, True], ids=["asking", "at the end"])
def test_axe_finds_no_serious_fault(lab: Lab, end):
    """axe-core reports nothing serious or critical, before the answer and at the end, in both themes."""
    lab.open_page(RACE)
    if end:
        lab.answer("Adam").to_end()
    assert lab.serious_faults_by_theme() == {}
