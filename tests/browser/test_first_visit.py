"""What a visitor finds, and that nothing moves under the eyes when Train is pressed."""

import pytest
from playwright.sync_api import FloatRect, expect

from lab import ERROR, FIT, MAP, Lab

CONTROLS = (
    "To start", "Back 10", "Step back", "Play", "Step forward", "Forward 10", "To end",
)  # fmt: skip


def boxes(lab: Lab) -> dict[str, FloatRect]:
    """Where the four panels, the player and its verdict are."""
    page = lab.page
    parts = {text: lab.chart(text) for text in (FIT, MAP, ERROR)}
    parts |= {
        "numbers": page.locator("table.live").first,
        "buttons": page.locator(".st-key-buttons"),
        "slider": lab.slider,
    }
    found = {name: part.bounding_box() for name, part in parts.items()}
    return {name: box for name, box in found.items() if box is not None}


def test_the_page_says_what_it_is(lab: Lab):
    """The tab is called Gradient Descent Lab, the page Train, and the address holds the opening example."""
    lab.open_page()
    expect(lab.page).to_have_title("Gradient Descent Lab")
    expect(lab.page.get_by_role("heading", level=1)).to_have_text("Train")
    assert lab.experiment.scale_features
    assert lab.experiment.dataset == "noisy-quadratic"


def test_four_panels_are_there_with_a_text_each(lab: Lab):
    """Data and fit, Landscape, Error by epoch, Formula and numbers; the three charts say in words what they show."""
    lab.open_page()
    for title in ("Data and fit", "Landscape", "Error by epoch", "Formula and numbers of this epoch"):
        expect(lab.page.locator(".panel-title", has_text=title)).to_be_visible()
    assert lab.charts.count() == 3
    for text in (FIT, MAP, ERROR):
        expect(lab.chart(text)).to_be_visible()


def test_the_player_waits_for_a_run(lab: Lab):
    """Before Train nothing of the player can be pressed but its speed, and the verdict tells the error of the start."""
    lab.open_page()
    for name in CONTROLS:
        expect(lab.button(name)).to_be_disabled()
    expect(lab.slider).to_be_disabled()
    expect(lab.player.get_by_role("combobox", name="Speed")).to_be_enabled()
    assert lab.verdict() == "Epoch 0: RMSE 74.9619. This is the start."
    assert lab.chart_epochs() == {"0"}


def test_everything_that_moves_is_on_one_screen(lab: Lab):
    """At 1400 × 900 the four panels, the player and the verdict are inside the window, at rest and while it plays."""
    lab.open_page()

    def all_inside() -> bool:
        parts = [*boxes(lab).values(), lab.player.locator(".said").bounding_box()]
        return all(
            box["y"] >= 0 and box["y"] + box["height"] <= 900 and box["x"] + box["width"] <= 1400
            for box in parts
        )

    assert all_inside()
    lab.train()
    assert all_inside()
    lab.to_end()
    assert all_inside()
    assert lab.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0


def test_no_panel_moves_during_a_run(lab: Lab):
    """Charts, numbers, buttons and slider stand on the same pixels before, during and after a run."""
    lab.open_page()
    before = boxes(lab)
    lab.speed("¼×").train()
    for _ in range(5):
        epoch = lab.epoch()
        assert boxes(lab) == before
        lab.passed(epoch)
    lab.to_end()
    assert boxes(lab) == before


@pytest.mark.parametrize("width", [1100, 1900])
def test_the_page_fits_its_window(visit, width: int):
    """On a smaller and on a larger window nothing is cut off at the side."""
    lab = visit(viewport={"width": width, "height": 900}).open_page()
    overflow = lab.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0
    for box in boxes(lab).values():
        assert box["x"] + box["width"] <= width
