"""The player on the Train page: what it moves there, and what a run costs the browser. Alone: `test_player_component.py`."""

import re

import pytest
from playwright.sync_api import expect

from lab import ERROR, FIT, MAP, Lab, claim

SHORT = "/?dataset=noisy-quadratic&learning_rate=0.3&scale_features=true&epochs=100"


def press_keys(lab: Lab, *keys: str) -> None:
    for key in keys:
        lab.page.keyboard.press(key)


def test_a_run_is_played_held_scrubbed_and_replaced(lab: Lab):
    """From before Train to the third run: keys wait for a run and do not scroll; Train plays every epoch and names the
    outcome; buttons, keys and slider move all charts, which redraw; in a text field the same keys write; what was seen
    stays faintly; another rate embeds no chart; Train twice plays twice, and in the middle of a run again from its start."""
    lab.page.set_viewport_size({"width": 1400, "height": 500})
    lab.open_page(SHORT)
    top = "() => document.querySelector('[data-testid=stMain]').scrollTop"
    with claim(
        "before a run, keys start nothing, and Home and End scroll nothing, on Train beside it neither"
    ):
        for place in (lab.page.get_by_test_id("stMain"), lab.command("Train")):
            place.focus()
            before = lab.page.evaluate(top)
            press_keys(lab, "Home", "End", "ArrowRight")
            assert lab.page.evaluate(top) == before
        lab.page.get_by_text("Error by epoch").click()
        press_keys(lab, "Space", "ArrowRight", "End")
        expect(lab.button("Play")).to_be_disabled()
    with claim("Page Down still scrolls"):
        lab.page.get_by_test_id("stMain").focus()
        before = lab.page.evaluate(top)
        lab.page.keyboard.press("PageDown")
        lab.page.wait_for_function(f"(before) => ({top})() > before", arg=before)
    lab.page.set_viewport_size({"width": 1400, "height": 900})

    with claim("one press of Train plays every epoch, and then names the outcome"):
        lab.train()
        expect(lab.button("Pause")).to_be_visible()
        lab.speed("4×").ended()
        assert lab.epoch() == 100
        assert lab.chart_epochs() == {"100"}
        assert lab.verdict().startswith("As good as this curve gets")
        assert "floor 1.467." in lab.verdict()
        expect(lab.summary).to_have_attribute("title", re.compile(r"floor 1\.46727\."))
    first = lab.live()

    with claim(
        "after scrubbing back, the error's line ends at this epoch, and the rest of it stays behind it, faint"
    ):
        whole = lengths(lab)
        expect(lab.page.get_by_text("up to epoch 13, then at the floor")).to_be_visible()
        lab.seek(5)
        after = lengths(lab)
        assert after["0.3"] == whole["0.3"]
        assert after["1"] == pytest.approx(5 / 13 * whole["1"], abs=10)
        lab.seek(20)

    with claim("buttons and keys move the slider and every chart; not with Control, and not while one types"):
        for name, epoch in {"Forward 10": 30, "Step back": 29, "To start": 0, "To end": 100}.items():
            lab.button(name).click()
            assert (name, lab.epoch(), lab.chart_epochs()) == (name, epoch, {str(epoch)})
        lab.page.get_by_text("Error by epoch").click()
        for key, epoch in {"Home": 0, "ArrowRight": 1, "Control+End": 1, "End": 100, "ArrowLeft": 99}.items():
            lab.page.keyboard.press(key)
            assert (key, lab.epoch(), lab.chart_epochs()) == (key, epoch, {str(epoch)})
        field = lab.field("Learning rate η")
        field.click()
        press_keys(lab, "Home", "ArrowRight", "ArrowLeft", "End", "Space", "Backspace")
        expect(field).to_have_value("0.3")
        assert lab.epoch() == 99
        expect(lab.button("Play")).to_be_visible()

    with claim("Train, pressed again for the same settings, plays again from the first epoch"):
        lab.train()
        expect(lab.button("Pause")).to_be_visible()
        lab.speed("½×").passed(5)
    with claim("a hand on the slider stops the playing, and charts, numbers and verdict follow it"):
        lab.seek(37).paused()
        assert lab.chart_epochs() == {"37"}
        seen = {key: lab.drawing(key) for key in (FIT, MAP, ERROR)} | {"numbers": str(lab.live())}
        assert lab.verdict().startswith("Epoch 37 → 38: ")
        lab.seek(3)
        for key in (FIT, MAP, ERROR):
            expect(lab.chart(key)).not_to_have_js_property("innerHTML", seen[key])
        assert str(lab.live()) != seen["numbers"]
        assert lab.verdict().startswith("Epoch 3 → 4: ")
        assert lab.slider.get_attribute("aria-valuetext") == "epoch 3 of 100"
    with claim("space plays on, and space holds every chart at one epoch"):
        lab.page.get_by_text("Error by epoch").click()
        lab.page.keyboard.press("Space")
        lab.passed(8)
        lab.page.keyboard.press("Space")
        held = lab.paused().epoch()
        assert 8 < held < 100
        assert lab.chart_epochs() == {str(held)}
    with claim("Train in the middle of a run begins again at the start and plays to the same numbers"):
        lab.seek(80).button("Play").click()
        lab.passed(80)
        lab.train()
        assert lab.epoch() < 80
        lab.speed("4×").ended()
        assert lab.live() == first

    with claim("another rate makes no chart anew, and its error is another one"):
        lab.mark()
        lab.type("Learning rate η", "0.02")
        lab.train().to_end()
        assert lab.count("embeds") == 0
        assert lab.live()["rmse"] != first["rmse"]


def lengths(lab: Lab) -> dict[str, float]:
    """How far the error's two lines reach, in pixels, by their opacity."""
    lines = lab.chart(ERROR).locator(".mark-line path[opacity='0.3'], .mark-line path[stroke-width='2.5']")
    return lines.evaluate_all(
        "all => Object.fromEntries(all.map((one) => [one.getAttribute('opacity') ?? '1', one.getBBox().width]))"
    )
