"""What holds of every page, in one visit to each: axe-core, both themes, a phone, and a reload."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from gd_core.lessons.variants.racers import TITLES, USUAL
from lab import CHART, ERROR, FIT, MAP, PHONE, VIEWPORT, Lab, claim
from pages.ui.look.navigation import LESSONS

PROJECTOR = {"width": 1280, "height": 720}
WIDTHS = (320, 360, 600, 768, 820, 912, 1024, 1180, 1280, 1920)
MENU = {"exclude": [["[data-testid=stSidebarNav]"]]}  # Streamlit's own; its lists hold more than list items


def is_sound(lab: Lab, moment: str) -> None:
    """axe-core finds nothing moderate, serious or critical in either theme, while nothing is pointed at.

    The window is as long as the page: what the player lies over is not judged.
    """
    size = lab.page.viewport_size
    lab.page.mouse.move(2, 2)
    lab.in_window(size | {"height": 3000})
    with claim(f"axe-core finds no fault {moment}"):
        assert lab.serious_faults_by_theme() == {}
    lab.in_window(size)


def fits(lab: Lab, moment: str, on_phone: Callable[[Lab], object] = lambda lab: None) -> None:
    """On a phone nothing scrolls sideways or is cut off, and the player, where there is one, stays in reach. From the
    narrowest window, which is one at 400 %, to the widest, beside the side bar, nothing is out of reach."""
    lab.in_window(PHONE)
    with claim(f"a phone shows everything {moment}"):
        assert lab.too_wide() == []
        if lab.player.count():
            expect(lab.slider).to_be_in_viewport()
        on_phone(lab)
    for width in WIDTHS:
        with claim(f"a window of {width} pixels shows everything {moment}"):
            assert lab.in_window({"width": width, "height": 900}).out_of_reach() == []
    lab.in_window(VIEWPORT)


def stacked(lab: Lab) -> None:
    """Each chart stands below the one before it."""
    tops = [chart.bounding_box()["y"] for chart in lab.charts.all()]
    assert tops == sorted(set(tops))


def press(lab: Lab, name: str) -> None:
    with lab.rerun():
        lab.page.get_by_role("button", name=name, exact=True).click()


def pick(lab: Lab, choice: str) -> None:
    """Press one of a row of choices."""
    with lab.rerun():
        lab.page.get_by_role("radio", name=choice).click()


# ------------------------------------------------------------------------------------------- a visit to each page


def train(lab: Lab) -> None:
    """Before, during and after a run that diverges; on a phone a run can be trained from wherever one has scrolled to."""

    def in_reach(lab: Lab) -> None:
        tops = [lab.chart(text).bounding_box()["y"] for text in (FIT, MAP, ERROR)]
        assert tops == sorted(tops)
        assert tops[1] - tops[0] > 200
        for place in (0, 400, 900):
            lab.page.get_by_test_id("stMain").evaluate("(main, top) => main.scrollTo(0, top)", place)
            for part in (lab.command("Train"), lab.slider, lab.button("Play")):
                box = part.bounding_box()
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= PHONE["width"]
                assert 0 <= box["y"] <= PHONE["height"] - box["height"]
        lab.train().to_end()
        assert "Diverged" in lab.verdict()
        for narrow in (320, PHONE["width"]):
            with claim(
                f"nothing of the player, all its keys shown, lies under something else at {narrow} pixels"
            ):
                assert lab.in_window(PHONE | {"width": narrow}).covered() == []
        lab.page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")

    lab.open_page("/?dataset=noisy-quadratic&learning_rate=5e-5&epochs=1000")
    is_sound(lab, "at rest")
    fits(lab, "at rest", in_reach)
    with claim("the keyboard comes to Train by the second stop, and nothing is scrolled out of sight for it"):
        lab.page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")
        lab.page.get_by_role("button", name="Skip to the player").press("Enter")
        expect(lab.command("Train")).to_be_focused()
        assert lab.page.get_by_test_id("stMain").evaluate("main => main.scrollTop") == 0
    press(lab, "Reset")
    lab.speed("¼×").train()
    is_sound(lab, "while it plays")
    expect(lab.button("Pause")).to_be_visible()
    lab.to_end()
    is_sound(lab, "at the end")


def compare(lab: Lab) -> None:
    """Four rates beside each other; the menu, which a phone shows in the side bar, is Streamlit's own."""
    lab.page.goto(f"{lab.url}/compare")
    press(lab, "Four rates of this problem")
    lab.to_end()
    assert "Diverged: run 4." in lab.verdict()
    assert len(lab.query["pins"]) < 2000
    fits(lab, "with four runs", stacked)
    lab.in_window(PHONE)
    with claim("axe-core finds no serious fault on a phone"):
        assert lab.serious_faults_by_theme(MENU) == {}
    lab.in_window(VIEWPORT)  # a phone has the ends of a run behind "…"
    lab.page.reload()  # a chart makes room for the labels that it has when it is laid out: here at the end, there at the start
    lab.settled()


def one_parameter(lab: Lab) -> None:
    """The question, the end, and a rate from an example."""
    lab.open_page("/one_parameter")
    is_sound(lab, "before the answer")
    fits(lab, "before the answer")
    lab.answer("It jumps across and comes closer").to_end()
    is_sound(lab, "at the end")
    fits(lab, "at the end")
    press(lab, "η = 1/18")
    lab.answer("One step lands on −1").to_end()
    assert lab.judged().startswith("You were right: one step lands on −1.")
    assert lab.field("Learning rate η").input_value() == "1/18"
    assert float(lab.query["learning_rate"]) == 1 / 18


def four_steps(lab: Lab) -> None:
    """A lit stage in the middle of the run, and the end of another."""
    lab.open_page("/four_steps?dataset=noisy-quadratic&learning_rate=1e-5&epochs=10&guess=far").to_end().seek(
        8
    )
    expect(lab.page.locator(".loop .stage.lit")).to_contain_text("Step")
    is_sound(lab, "at a lit stage")
    lab.to_end()
    fits(lab, "at the end")
    with lab.rerun():
        lab.sidebar.get_by_text("Scale time first").click()
    lab.answer("It is nearly the best: below 2 × its RMSE")


def gradient(lab: Lab) -> None:
    """The question, the end, and another row, parameter, step size and kind of difference."""
    run = "dataset=two-features&points=20&noise=3.0&start=2,1,0&learning_rate=0.1&epochs=40"
    lab.open_page(f"/gradient?{run}&row=5&h=1e-10&kind=central&parameter=3")
    is_sound(lab, "before the answer")
    lab.answer("They stay, but cancel: mean 0").to_end()
    is_sound(lab, "at the end")
    fits(lab, "at the end")


def learning_rate(lab: Lab) -> None:
    """The end with an attempt made; then a typed rate, a tested share of the limit and a typed attempt."""
    lab.open_page("/learning_rate?guess=1").to_end()
    press(lab, "Try this rate")
    is_sound(lab, "with an attempt made")
    fits(lab, "with an attempt made", stacked)
    for label, text in (("Your one rate η", "0.05"), ("Learning rate η of run 2", "0.03")):
        field = lab.page.get_by_role("textbox", name=label, exact=True)
        with lab.rerun():
            field.fill(text)
            field.press("Enter")
        expect(field).to_have_value(text)
    lab.answer("Run 3")
    press(lab, "101 %")
    expect(lab.page.get_by_text("It grows, always.")).to_be_visible()


def landscape(lab: Lab) -> None:
    """The question; several starts with arrows, seen along the directions of the valley; and side by side."""
    lab.open_page("/landscape")
    is_sound(lab, "before the answer")
    lab.answer("The flattest").to_end()
    lab.type("More starts", "1, 2, 3")
    pick(lab, "log length")
    is_sound(lab, "with several starts")
    fits(lab, "with several starts")
    pick(lab, "side by side")
    lab.answer("With scaled features").to_end()
    is_sound(lab, "side by side")
    fits(lab, "side by side")
    pick(lab, "plain")
    for choice in ("flat × steep", "optimum"):
        pick(lab, choice)
    with lab.rerun():
        lab.page.get_by_role("radiogroup", name="A press sets start").get_by_text("2", exact=True).click()
    expect(lab.chart(MAP).get_by_text("direction 3, steepest")).to_be_visible()


def variants(lab: Lab) -> None:
    """The question, the end, and a race of two by row."""

    def everyone_is_named(lab: Lab) -> None:
        stacked(lab)
        for title in map(TITLES.__getitem__, USUAL):
            expect(lab.page.locator("ul.racers").get_by_text(title, exact=True)).to_be_visible()

    race = "dataset=noisy-quadratic&scale_features=true&start=0,0,20&learning_rate=0.1&batch_size=5&epochs=40"
    lab.open_page(f"/variants?{race}")
    is_sound(lab, "before the answer")
    lab.answer("Adam").to_end()
    is_sound(lab, "at the end")
    fits(lab, "at the end", everyone_is_named)
    lab.go(f"/variants?{race}&racers=batch,adam&unit=row&rate_adam=2").answer("Adam").to_end()
    assert set(lab.live()) == {"r0", "r7"}


# In how many frames the judgement is missing.
WHILE_IT_STANDS = """() => {
    window.gone = 0;
    (function look() {
        window.gone += !document.querySelector('.judged');
        requestAnimationFrame(look);
    })();
}"""


def hills(lab: Lab) -> None:
    """The question; the end, with all that opens, while the judgement stands; a start from a click on the map."""
    lab.open_page("/hills")
    is_sound(lab, "before the answer")
    fits(lab, "before the answer")
    lab.answer("In a higher valley").to_end()
    lab.page.evaluate(WHILE_IT_STANDS)
    for box in ("In relief", "Where do other starts end?", "Further"):
        with lab.rerun():
            lab.page.get_by_text(box).first.click()
    assert lab.page.evaluate("gone") == 0
    is_sound(lab, "at the end, with all that opens")
    fits(lab, "at the end, with all that opens")
    ground = lab.chart(MAP).locator(".role-frame > g > path.background").first
    ground.scroll_into_view_if_needed()
    plot = ground.bounding_box()
    with lab.rerun():
        lab.page.mouse.click(plot["x"] + 0.45 * plot["width"], plot["y"] + 0.5 * plot["height"])
    lab.answer("In the lowest valley that is known").to_end()
    assert lab.judged().startswith("You were right: in the lowest valley that is known.")


def deep_networks(lab: Lab) -> None:
    """The question, with an example in force, and the end of another run."""
    lab.open_page("/deep_networks")
    is_sound(lab, "before the answer")
    lab.open_page("/deep_networks?depth=6&width=8&activation=tanh&epochs=40&learning_rate=0.02")
    fits(lab, "before the answer")
    lab.speed("all at once").answer("About the same, within × 10").ended()
    is_sound(lab, "at the end")
    fits(lab, "at the end")


def broadcasting(lab: Lab) -> None:
    """The end, with the wide tables; then the run that was mended."""
    run = "dataset=two-features&learning_rate=0.001&epochs=1000&loss=mse-broadcast"
    lab.open_page(f"/broadcasting?{run}&guess=found").to_end()
    is_sound(lab, "at the end")
    fits(lab, "at the end")
    pick(lab, "mended")
    lab.answer("It is on its way to the plane")


def glossary(lab: Lab) -> None:
    """All words, on a phone in one column; then those that a search has found."""

    def one_column(lab: Lab) -> None:
        cards = lab.page.locator("[class*='st-key-word_'] h3")
        tops = cards.evaluate_all("all => all.map((one) => one.getBoundingClientRect().top)")
        assert tops == sorted(set(tops))

    lab.page.goto(f"{lab.url}/glossary")
    lab.at_rest()
    is_sound(lab, "with all words")
    fits(lab, "with all words", one_column)
    with lab.rerun(player=False):
        lab.page.get_by_role("textbox", name="Search", exact=True).fill("momentum")
        lab.page.keyboard.press("Enter")
    assert lab.query == {"q": "momentum"}


def projector(lab: Lab) -> None:
    """A lesson in large type, with the card of keys closed and open."""
    lab.in_window(PROJECTOR).open_page("/one_parameter?view=projector&guess=across")
    is_sound(lab, "with the card closed")
    lab.page.keyboard.press("?")
    expect(lab.page.get_by_role("dialog", name="Keys")).to_be_visible()
    is_sound(lab, "with the card open")
    lab.page.keyboard.press("Escape")


VISITS = {visit.__name__: visit for visit in (
    train, compare, one_parameter, four_steps, gradient, learning_rate, landscape, variants, hills, deep_networks,
    broadcasting, glossary, projector,
)}  # fmt: skip

# The points of each line as shares of its plot's width and height: one that is laid out a pixel wider shows the same.
SHARES = """all => all.map((one) => {
    let plot = one.parentElement;
    while (!plot.querySelector(':scope > path.background')) plot = plot.parentElement;
    const { width, height } = plot.querySelector(':scope > path.background').getBBox();
    return [...one.getAttribute('d').matchAll(/([\\d.e-]+),([\\d.e-]+)/g)].flatMap(([, x, y]) => [x / width, y / height]);
})"""


def shown(lab: Lab) -> dict[str, Any]:
    """What a page says at the end of its run: where it is, what its fields hold, what was found out, and its lines."""
    said = None
    if lab.player.count():
        if lab.button("To end").is_enabled():
            lab.to_end().charts_at(lab.last)
        said = lab.verdict()
    return {
        "address": lab.page.url,
        "heading": lab.page.get_by_role("heading", level=1).inner_text(),
        "fields": lab.page.get_by_role("textbox").evaluate_all(
            "all => all.map((one) => [one.getAttribute('aria-label'), one.value])"
        ),
        "numbers": lab.live(),
        "verdict": said,
        "lines": lab.page.locator(f"{CHART} .mark-line.role-mark path").evaluate_all(SHARES),
        "cards": lab.page.locator("[class*='st-key-word_'] h3").all_inner_texts(),
    }


@pytest.mark.parametrize("page", ["train", "compare", *LESSONS, "projector"])
def test_every_page_is_sound_fits_a_phone_and_stays_when_reloaded(lab: Lab, page: str):
    """axe-core finds nothing moderate, serious or critical in either theme, at each moment of the visit. From 320 to 1,920
    pixels nothing is out of reach, nor does the page scroll sideways. A reload shows the same address, heading, fields,
    numbers and verdict, but on Train, which waits for its button. Nothing complains in the console."""
    VISITS[page](lab)
    with claim("a reload shows the same page"):
        before = shown(lab)
        before["lines"] = [pytest.approx(line, abs=1e-4) for line in before["lines"]]
        lab.page.reload()
        lab.at_rest() if page == "glossary" else lab.settled()
        after = shown(lab)
        if page == "train":
            expect(lab.button("Play")).to_be_disabled()
            kept = ("address", "heading", "fields")
            before, after = ({name: one[name] for name in kept} for one in (before, after))
        assert after == before
        if page == "one_parameter":  # rates are named when their run was seen
            button = lab.sidebar.get_by_role("button", name="η = 1/18: one step", exact=True)
            expect(button).to_be_visible()
