"""Both themes, and the keyboard alone."""

import pytest
from playwright.sync_api import expect

from gd_core.problem import build
from lab import FIT, MAP, Lab, claim

RUN = "/?dataset=noisy-quadratic&learning_rate=0.3&scale_features=true&epochs=40"
THEMES = {
    "light": ("rgb(252, 251, 248)", "#0A6C67"),
    "dark": ("rgb(20, 24, 27)", "#45C8BD"),
}  # paper; fitted curve


def luminance(colour):
    """Relative luminance of "rgb(r, g, b)", as WCAG defines it."""
    channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def can_be_read(lab: Lab, scheme: str) -> None:
    """Verdict and numbers stand out from their background by 7 to 1 or more; the dark page is dark; the fit has its colour."""
    style = "one => [getComputedStyle(one).color, getComputedStyle(document.querySelector('.stApp')).backgroundColor]"
    for part in (lab.player.locator(".said"), lab.page.locator("table.live td").first):
        text, paper = part.evaluate(style)
        light, dark = sorted((luminance(text), luminance(paper)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 7
        assert paper == THEMES[scheme][0]
        assert (luminance(paper) < 0.1) == (scheme == "dark")
    assert THEMES[scheme][1] in lab.drawing(FIT)


def test_keys_alone_train_and_the_page_follows_the_systems_theme(lab: Lab):
    """Tab reaches Train, Enter presses it, and the player's keys work; then the system turns dark in the middle of the visit.

    Text can be read in both themes, and the fitted curve is drawn in the palette of each. The run stays where it is. What is
    typed in a dialog stays too: the page follows after it. On a chart that was drawn anew a click still sets the start.
    """
    lab.open_page(RUN)
    with claim("everything works by keyboard"):
        before = lab.count("starts")
        for _ in range(80):
            lab.page.keyboard.press("Tab")
            if lab.command("Train").evaluate("button => button === document.activeElement"):
                break
        else:
            raise AssertionError("Tab did not reach Train")
        lab.page.keyboard.press("Enter")
        lab.page.wait_for_function("(before) => watch.starts > before", arg=before)
        lab.page.keyboard.press("End")
        lab.summary.wait_for()
        assert lab.epoch() == 40
        lab.page.keyboard.press("ArrowLeft")
        assert lab.epoch() == 39
        expect(lab.button("Play")).to_be_visible()
    with claim("text can be read in the light, and in the dark the run stays where it is"):
        can_be_read(lab, "light")
        lab.seek(20).in_theme("dark")
        assert lab.epoch() == 20
        lab.charts_at(20)
        can_be_read(lab, "dark")
    with claim("what is typed in a dialog stays, and the page follows after it"):
        with lab.rerun():
            lab.sidebar.get_by_role("button", name="Prepare a task").click()
        dialog = lab.page.get_by_role("dialog", name="Prepare a task")
        dialog.get_by_role("textbox", name="What to do").fill("Bend it")
        lab.page.emulate_media(color_scheme="light")
        expect(lab.page.get_by_test_id("stApp")).to_have_css("background-color", THEMES["light"][0])
        lab.page.wait_for_function("() => watch.calm > 60")
        expect(dialog.get_by_role("textbox", name="What to do")).to_have_value("Bend it")
        lab.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        lab.in_theme("light")
        assert THEMES["light"][1] in lab.drawing(FIT)
        lab.charts_at(20)
    with claim("the map answers after a change of theme"):
        expect(lab.button("Play")).to_be_enabled()
        box = lab.chart(MAP).locator(".role-frame > g > path.background").first.bounding_box()
        x = round(box["x"] + 0.3 * box["width"])
        slope, zero = lab.ticks(MAP, "X")
        with lab.rerun():
            lab.page.mouse.click(x, box["y"] + 0.3 * box["height"])
        start = build(lab.experiment).start[0].item()
        assert start == pytest.approx(slope * (x - box["x"]) + zero, abs=0.6 * abs(slope))
        lab.train().to_end()
        assert lab.chart_epochs() == {"40"}
