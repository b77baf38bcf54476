"""The race of the variants in a browser: it plays over all racers, in three units, and is what its address says."""

import pytest
from playwright.sync_api import expect

from lab import ERROR, MAP, Lab, claim, number

RACE = "/variants?dataset=noisy-quadratic&scale_features=true&start=0,0,20&learning_rate=0.1&batch_size=5&epochs=40"


def test_a_race_from_the_guess_to_other_rates_and_units(lab: Lab):
    """Before the answer nothing plays; after it both charts play to the end, drawn once, and the guess is judged.

    The arrival of Stochastic is hidden before it arrives, and seen after; what only the end tells comes at the end. The rate
    of batch changes everyone who takes a share of a limit. Everyone starts where the map was clicked, and the field for the
    start says where that is. The same race over updates: the player counts in them, the axis says so, and the address holds
    it. None of it draws a chart anew but the other axis.
    """
    lab.open_page(RACE)
    expect(lab.button("Play")).to_be_disabled()
    assert lab.count("embeds") == 2
    lab.mark()
    with claim("a guess starts the race and is judged at its end"):
        lab.answer("Stochastic").passed(3).play_through()
        assert lab.judged().startswith("You were right: the first is Stochastic.")
        assert lab.chart_epochs() == {"40"}
        assert lab.count("frames") > 3
    with claim("numbers appear when the race has come to them"):
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
    with claim("another rate is another race and no new chart"):
        before = lab.live()
        lab.type("Batch’s rate η", "0.05")
        lab.answer("Skip").to_end()
        after = lab.live()
        changed = {key for key in before if before[key] != after[key]}
        assert changed == {"r0", "r1", "r2", "r3", "r4"}  # not AdaGrad, RMSProp and Adam
        assert lab.count("embeds") == 0
    with claim("a click on the map is the start"):
        plot = lab.chart(MAP).locator(".role-frame > g > path.background").first.bounding_box()
        with lab.rerun():
            lab.page.mouse.click(plot["x"] + 0.2 * plot["width"], plot["y"] + 0.8 * plot["height"])
        start = lab.query["start"]
        assert start != "0.0,0.0,20.0"
        lab.page.get_by_text("Rates of the others, start, seed").click()
        field = lab.field("Start (a, b, c)")
        expect(field).not_to_have_value("")
        shown = field.input_value()
        assert list(map(float, shown.split(","))) == pytest.approx(list(map(float, start.split(","))))
        lab.answer("Skip").to_end()
        assert "first at RMSE" in lab.verdict()
    with claim("the unit is a switch"):
        lab.type("Start (a, b, c)", "0, 0, 20")
        lab.type("Batch’s rate η", "0.1")
        with lab.rerun():
            lab.page.get_by_role("radio", name="Updates").click()
        lab.answer("Skip").to_end()
        assert lab.query["unit"] == "update"
        assert lab.last > 40
        expect(lab.player.locator(".count")).to_have_text(f"update {lab.last} / {lab.last}")
        expect(lab.chart(ERROR).locator(".role-axis-title text", has_text="update")).to_be_visible()
        assert lab.verdict().startswith("Nesterov is first at RMSE ")


def test_whoever_diverges_is_marked(lab: Lab):
    """Batch leaves both charts and gets a cross; the race goes on to its end without it."""
    fast = RACE.replace("learning_rate=0.1", "learning_rate=0.7")
    lab.open_page(fast + "&racers=batch,adam&ask=false").to_end()
    assert "Diverged: Batch at epoch " in lab.verdict()
    for text in (MAP, ERROR):
        assert lab.chart(text).locator("path[stroke-width='3']").count() == 1
    assert lab.epoch() == 40
