"""Phone, dark theme, keyboard alone, and what axe-core finds."""

import pytest
from playwright.sync_api import expect

from lab import ERROR, FIT, MAP

PHONE = {"width": 390, "height": 844}


def test_on_a_phone_the_panels_stack_and_the_player_stays_in_reach(visit):
    """At 390 × 844 nothing scrolls sideways, each panel is below the last, and Train and the slider are on screen."""
    lab = visit(viewport=PHONE).open_page()
    tops = [lab.chart(text).bounding_box()["y"] for text in (FIT, MAP, ERROR)]
    assert tops == sorted(tops)
    assert tops[1] - tops[0] > 200
    assert lab.page.evaluate("document.documentElement.scrollWidth") <= 390
    main = lab.page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
    for place in (0, 400, 900):
        main.evaluate("(main, top) => main.scrollTo(0, top)", place)
        for part in (lab.command("Train"), lab.slider, lab.button("Play")):
            box = part.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 390
            assert 0 <= box["y"] <= 844 - box["height"]
    lab.train().to_end()
    assert lab.verdict().startswith("Converged")


def luminance(colour):
    """Relative luminance of "rgb(r, g, b)", as WCAG defines it."""
    channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_themes(visit, scheme):
    """Verdict and numbers stand out from their background by 7 to 1 or more; the dark page is dark."""
    lab = visit(color_scheme=scheme).open_page()
    style = "one => [getComputedStyle(one).color, getComputedStyle(document.querySelector('.stApp')).backgroundColor]"
    for part in (lab.player.locator(".said"), lab.page.locator("table.live td").first):
        text, paper = part.evaluate(style)
        light, dark = sorted((luminance(text), luminance(paper)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 7
    assert (luminance(paper) < 0.1) == (scheme == "dark")


def test_the_run_has_another_colour_in_the_dark(visit):
    """The charts follow the theme: the fitted curve is drawn in the palette of each."""
    colours = {
        scheme: visit(color_scheme=scheme).open_page().chart(FIT).evaluate("svg => svg.innerHTML")
        for scheme in ("light", "dark")
    }
    assert "#0A6C67" in colours["light"]
    assert "#45C8BD" in colours["dark"]


def test_the_system_turns_dark_in_the_middle_of_a_visit(lab):
    """The run stays where it is, in the other colours. What is typed in a dialog stays too: the page follows after it."""
    lab.open_page().train().to_end().seek(40)
    lab.in_theme("dark")
    assert lab.epoch() == 40
    lab.charts_at(40)
    assert "#45C8BD" in lab.drawing(FIT)
    with lab.rerun():
        lab.sidebar.get_by_role("button", name="Prepare a task").click()
    dialog = lab.page.get_by_role("dialog", name="Prepare a task")
    dialog.get_by_role("tab", name="Words and target").click()
    dialog.get_by_role("textbox", name="What to do").fill("Bend it")
    lab.page.emulate_media(color_scheme="light")
    light = "rgb(252, 251, 248)"
    expect(lab.page.get_by_test_id("stApp")).to_have_css("background-color", light)
    lab.page.wait_for_function("watch.calm > 60")
    expect(dialog.get_by_role("textbox", name="What to do")).to_have_value("Bend it")
    lab.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    lab.in_theme("light")
    assert "#0A6C67" in lab.drawing(FIT)


def test_everything_works_by_keyboard(lab):
    """Tab reaches Train, Enter presses it, and then the keys of the player work without a click."""
    lab.open_page("/?dataset=noisy-quadratic&learning_rate=0.3&scale_features=true&epochs=40")
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


@pytest.mark.parametrize("state", ["at rest", "playing", "at the end"])
def test_axe_finds_no_serious_fault(lab, state):
    """axe-core reports nothing serious or critical, before, during and after a run, in both themes."""
    lab.open_page("/?dataset=noisy-quadratic&learning_rate=5e-5&epochs=1000")
    if state != "at rest":
        lab.train()
    if state == "at the end":
        lab.to_end()
    assert lab.serious_faults_by_theme() == {}
