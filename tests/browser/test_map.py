"""The landscape: a click sets the start, and its two axes can be chosen."""

import pytest
from playwright.sync_api import expect

from gd_core.problem import build
from lab import MAP, Lab, number

PLAIN = "/?dataset=noisy-quadratic&learning_rate=0.3&scale_features=true&epochs=100"
RAW = "/?dataset=two-features&learning_rate=0.1&epochs=20"
ONE = "/?dataset=one-parameter&learning_rate=0.1&epochs=40"


def click(lab: Lab, across: float, up: float, text: str = MAP) -> tuple[float, float]:
    """Click on the map at these shares of its width and height; the values there, read off its axes."""
    plot = lab.chart(text).locator(".role-frame > g > path.background").first
    box = plot.bounding_box()
    # on whole pixels, as a mouse does
    x, y = round(box["x"] + across * box["width"]), round(box["y"] + (1 - up) * box["height"])
    values = [
        slope * pixel + zero
        for (slope, zero), pixel in zip(
            (lab.ticks(text, "X"), lab.ticks(text, "Y")), (x - box["x"], y - box["y"]), strict=True
        )
    ]
    with lab.rerun():
        lab.page.mouse.click(x, y)
    return values[0], values[1]


def half_a_pixel(lab: Lab, axis: str) -> float:
    return 0.6 * abs(lab.ticks(MAP, axis)[0])


@pytest.mark.parametrize("path", [PLAIN, RAW])
def test_a_click_sets_the_start(lab: Lab, path: str):
    """The start moves to the values under the pointer, as read off the axes; the third parameter stays."""
    lab.open_page(path)
    third = float(build(lab.experiment).start[2])
    off = half_a_pixel(lab, "X"), half_a_pixel(lab, "Y")
    x, y = click(lab, 0.3, 0.8)
    assert len(lab.query["start"].split(",")) == 3
    start = build(lab.experiment).start.tolist()
    assert start[0] == pytest.approx(x, abs=off[0])
    assert start[1] == pytest.approx(y, abs=off[1])
    assert start[2] == pytest.approx(third, rel=1e-5)
    assert lab.chosen("Start") == "My own numbers"
    typed = [number(text) for text in lab.field(f"Start at {names(lab)}").input_value().split(",")]
    assert typed == pytest.approx(list(lab.experiment.start))
    lab.train().to_end()
    assert lab.epoch() == lab.experiment.epochs


def names(lab: Lab) -> str:
    return ", ".join(lab.experiment.info.parameters)


def test_a_click_on_the_parabola_sets_the_start(lab: Lab):
    """With one parameter, the start moves to the value under the pointer, however high the click was."""
    lab.open_page(ONE)
    slope, _ = lab.ticks("The loss as a curve", "X")
    x, _ = click(lab, 0.25, 0.1, "The loss as a curve")
    assert lab.experiment.start == (pytest.approx(x, abs=0.6 * slope),)
    lab.train().to_end()


def test_a_click_after_a_run_clears_it(lab: Lab):
    """A click on the map of a finished run puts that run away, and the new start waits for Train."""
    lab.open_page(PLAIN).train().to_end()
    click(lab, 0.6, 0.2)
    expect(lab.button("Play")).to_be_disabled()
    assert lab.epoch() == 0
    assert lab.chart_epochs() == {"0"}


def test_a_click_beside_the_plot_does_nothing(lab: Lab):
    """On the axis below the plot a click is only a click."""
    lab.open_page(PLAIN)
    box = lab.chart(MAP).bounding_box()
    lab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 8)
    click(lab, 0.5, 0.5)  # this one arrives, so the one before has had its time
    assert lab.count("runs") == 2  # the first visit, and the click inside


def test_the_map_answers_after_a_change_of_theme(lab: Lab):
    """When the system turns dark in the middle of a visit, charts are drawn anew, and a click still sets the start."""
    lab.open_page(PLAIN).train().to_end()
    lab.page.emulate_media(color_scheme="dark")
    dark = "rgb(20, 24, 27)"
    expect(lab.chart(MAP)).to_have_css("background-color", dark)
    lab.settled()
    expect(lab.button("Play")).to_be_enabled()
    lab.charts_at(100)
    x, _ = click(lab, 0.3, 0.7)
    assert build(lab.experiment).start[0].item() == pytest.approx(x, abs=half_a_pixel(lab, "X"))
    lab.train().to_end()
    assert lab.chart_epochs() == {"100"}


def test_axes_can_be_chosen(lab: Lab):
    """a, c and b, c show the other slices of the loss; the address remembers, and the run goes on undisturbed."""
    lab.open_page(PLAIN).train().to_end()
    lab.seek(30)
    for pair, title in (("a, c", ("a′", "c′")), ("b, c", ("b′", "c′")), ("a, b", ("a′", "b′"))):
        with lab.rerun():
            lab.page.get_by_role("radiogroup", name="Axes").get_by_text(pair, exact=True).click()
        for axis, name in zip("XY", title, strict=True):
            expect(lab.chart(MAP).locator(f"[aria-label^='{axis}-axis titled \\'{name}\\'']")).to_have_count(
                1
            )
        assert lab.query.get("axes", "a,b") == pair.replace(", ", ",")
        assert lab.epoch() == 30
        lab.charts_at(30)


def test_a_click_sets_the_parameters_of_the_axes(lab: Lab):
    """On the map of b and c, a click sets b and c and leaves a."""
    lab.open_page(PLAIN + "&axes=b,c")
    a = float(build(lab.experiment).start[0])
    x, y = click(lab, 0.7, 0.3)
    start = build(lab.experiment).start.tolist()
    assert start[0] == pytest.approx(a, rel=1e-5)
    assert start[1] == pytest.approx(x, rel=0.02)
    assert start[2] == pytest.approx(y, rel=0.02)
    assert lab.query["axes"] == "b,c"
