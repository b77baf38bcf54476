"""What a visitor finds, and that nothing moves under the eyes when Train is pressed."""

from playwright.sync_api import expect

from gd_core.settings.examples import OPENING
from lab import ERROR, FIT, MAP, Lab, claim
from pages.ui.look.palette import palette

CONTROLS = (
    "To start", "Back 10", "Step back", "Play", "Step forward", "Forward 10", "To end",
)  # fmt: skip


# Where the parts are on each of so many animation frames, as left, top, right and bottom: every place that was seen.
PLACES = """async ([parts, frames]) => {
    const seen = new Set();
    for (let left = frames; left > 0; left--) {
        await new Promise(requestAnimationFrame);
        const boxes = parts.map((part) => part.getBoundingClientRect());
        seen.add(JSON.stringify(boxes.map(({ left, top, right, bottom }) => [left, top, right, bottom])));
    }
    return [...seen].map(JSON.parse);
}"""
Box = tuple[float, float, float, float]


TOP = "document.querySelector('[data-testid=stMain]').scrollTop"  # how far the page is scrolled


def places(lab: Lab, frames: int = 1) -> list[list[Box]]:
    """Where the three charts, the numbers, the buttons and the slider are, and have been in so many frames."""
    parts = [lab.chart(text) for text in (FIT, MAP, ERROR)]
    parts += [lab.page.locator("table.live").first, lab.page.locator(".st-key-buttons"), lab.slider]
    return lab.page.evaluate(PLACES, [[part.element_handle() for part in parts], frames])


def tells(lab: Lab) -> list[str]:
    """What of the answer is to be seen: the best curve, the landscape's diamond, the floor as a line and as a number."""
    orange = palette("light").optimum
    seen = {
        "curve": lab.chart(FIT).locator(f".mark-line path[stroke='{orange}'][stroke-dasharray='7,4']"),
        "diamond": lab.chart(MAP).locator(f".mark-symbol path[fill='{orange}']"),
        "floor": lab.chart(ERROR).get_by_text("floor 1.467"),
        "number": lab.page.get_by_text("floor 1.46727"),
    }
    return [name for name, found in seen.items() if any(one.is_visible() for one in found.all())]


def all_inside(lab: Lab) -> bool:
    """Whether everything that moves is inside a window of 1400 × 900."""
    said = lab.page.evaluate(PLACES, [[lab.player.locator(".said").element_handle()], 1])
    boxes = [*places(lab)[0], *said[0]]
    return all(top >= 0 and bottom <= 900 and right <= 1400 for _, top, right, bottom in boxes)


def test_the_first_visit(lab: Lab):
    """Title and heading, the opening example, four panels with a text each, a player that waits; the page fits smaller and
    larger windows. While 1,000 epochs play, all that moves stays on one screen and on the same pixels, nearly every
    animation frame has a new picture without a run of the script, and no chart is made anew."""
    lab.open_page()
    with claim("the tab is called Gradient Descent Lab, the page Train, and it holds the opening example"):
        expect(lab.page).to_have_title("Train · Gradient Descent Lab")
        expect(lab.page.get_by_role("heading", level=1)).to_have_text("Train")
        assert lab.query == {}
        assert lab.chosen("Data set") == OPENING.experiment.info.title
        expect(lab.scale).to_be_checked()
        expect(lab.field("Learning rate η")).to_have_value(f"{OPENING.experiment.learning_rate:g}")
    with claim("four panels with their titles; the three charts say in words what they show"):
        for title in ("Data and fit", "Landscape", "Error by epoch", "Formula and numbers of this epoch"):
            expect(lab.page.locator(".panel-title", has_text=title)).to_be_visible()
        assert lab.charts.count() == 3
        for text in (FIT, MAP, ERROR):
            expect(lab.chart(text)).to_be_visible()
    with claim(
        "before Train nothing of the player can be pressed but its speed; the verdict tells the start's error"
    ):
        for name in CONTROLS:
            expect(lab.button(name)).to_be_disabled()
        expect(lab.slider).to_be_disabled()
        expect(lab.player.get_by_role("combobox", name="Speed")).to_be_enabled()
        assert lab.verdict() == "Epoch 0: RMSE 74.96. This is the start."
        assert lab.chart_epochs() == {"0"}
    with claim("on a smaller and on a larger window nothing is cut off at the side"):
        for width in (1100, 1900):
            lab.page.set_viewport_size({"width": width, "height": 900})
            lab.page.wait_for_function("() => watch.calm > 20")  # the charts follow the window
            assert lab.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
            assert all(right <= width for _, _, right, _ in places(lab)[0])
    with claim("on a low screen the three charts stand above the player, unscrolled"):
        lab.in_window({"width": 1280, "height": 720})
        lab.page.wait_for_function("() => watch.calm > 20")
        assert lab.page.evaluate(TOP) == 0
        player = lab.page.locator(".st-key-transport").bounding_box()["y"]
        assert all(bottom <= player for _, _, _, bottom in places(lab)[0][:3])
        lab.in_window({"width": 1400, "height": 900})
        lab.page.wait_for_function("() => watch.calm > 40")
    # Playwright scrolls to what it presses, by as much as the player covers; a hand does not
    lab.command("Train").scroll_into_view_if_needed()
    top = lab.page.evaluate(TOP)
    before = places(lab)
    with claim("at rest everything that moves is on one screen"):
        assert all_inside(lab)
    # a frame, however late, plays a quarter of a second at most: a run has 96 frames or more at ¼×, 48 at ½×
    lab.mark()
    with claim("before the attempt nothing tells the answer"):
        assert tells(lab) == []
    lab.speed("¼×").train()
    with claim("a run moves no panel"):
        assert places(lab, frames=20) == before
        lab.button("Pause").click()
        assert all_inside(lab)
        assert 0 < lab.epoch() < 1000
    with claim("and tells the answer with its verdict only"):
        assert tells(lab) == []
    with claim("while it plays, nearly every animation frame has a new picture, and no script runs for it"):
        assert lab.count("embeds") == 0
        lab.speed("½×").button("To start").click()
        lab.mark()
        lab.button("Play").click()
        lab.page.wait_for_function("() => watch.played >= 40")
        painted, played = lab.count("frames"), lab.count("played")
        assert painted > 0.8 * played
        assert (lab.count("runs"), lab.count("embeds")) == (0, 0)
    with claim("at the end, too, all is where it was"):
        lab.to_end()
        assert lab.epoch() == 1000
        assert tells(lab) == ["curve", "diamond", "floor", "number"]
        assert all_inside(lab)
        assert places(lab) == before
        assert lab.page.evaluate(TOP) == top
