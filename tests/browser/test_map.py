"""The landscape: a click sets the start, and its two axes can be chosen."""

import pytest
from playwright.sync_api import expect

from gd_core.problem import build
from lab import MAP, Lab, claim, number

PLAIN = "/?dataset=noisy-quadratic&learning_rate=0.3&scale_features=true&epochs=100&axes=a,b"
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


def sets_the_start(lab: Lab) -> None:
    """The start moves to the values under the pointer, as read off the axes; the third parameter stays; Train starts there."""
    third = float(build(lab.experiment).start[2])
    off = half_a_pixel(lab, "X"), half_a_pixel(lab, "Y")
    x, y = click(lab, 0.3, 0.8)
    assert len(lab.query["start"].split(",")) == 3
    start = build(lab.experiment).start.tolist()
    assert start[0] == pytest.approx(x, abs=off[0])
    assert start[1] == pytest.approx(y, abs=off[1])
    assert start[2] == pytest.approx(third, rel=1e-5)
    assert lab.chosen("Start") == "My own numbers"
    names = ", ".join(lab.experiment.info.parameters)
    typed = [number(text) for text in lab.field(f"Start at {names}").input_value().split(",")]
    assert typed == pytest.approx(list(lab.experiment.start))
    lab.train().to_end()
    assert lab.epoch() == lab.experiment.epochs


def test_a_click_sets_the_start(lab: Lab):
    """The start moves to the values under the pointer, on a map in scaled units and one in raw, and on a parabola.

    On the axis below the plot a click is only a click. A click on the map of a finished run puts that run away, and the new
    start waits for Train. a, c and b, c show the other slices of the loss; the address remembers, and the run goes on
    undisturbed; on the map of b and c a click sets b and c and leaves a. With one parameter, the start moves to the value
    under the pointer, however high the click was.
    """
    lab.open_page(PLAIN)
    with claim("a click beside the plot does nothing, one on it sets the start"):
        box = lab.chart(MAP).bounding_box()
        lab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 8)
        click(lab, 0.5, 0.5)  # this one arrives, so the one before has had its time
        assert lab.count("runs") == 2  # the first visit, and the click inside
        sets_the_start(lab)
    with claim("axes can be chosen while a run is shown"):
        lab.seek(30)
        for pair, title in (("a, c", ("a′", "c′")), ("a, b", ("a′", "b′")), ("b, c", ("b′", "c′"))):
            with lab.rerun():
                lab.page.get_by_role("radiogroup", name="Axes").get_by_text(pair, exact=True).click()
            for axis, name in zip("XY", title, strict=True):
                named = lab.chart(MAP).locator(f"[aria-label^='{axis}-axis titled \\'{name}\\'']")
                expect(named).to_have_count(1)
            assert lab.query.get("axes", "a,b") == pair.replace(", ", ",")
            assert lab.epoch() == 30
            lab.charts_at(30)
    with claim("a click after a run clears it"):
        click(lab, 0.6, 0.2)
        expect(lab.button("Play")).to_be_disabled()
        assert lab.epoch() == 0
        assert lab.chart_epochs() == {"0"}
    with claim("a click sets the parameters of the axes"):
        a = float(build(lab.experiment).start[0])
        x, y = click(lab, 0.7, 0.3)
        start = build(lab.experiment).start.tolist()
        assert start[0] == pytest.approx(a, rel=1e-5)
        assert start[1] == pytest.approx(x, rel=0.02)
        assert start[2] == pytest.approx(y, rel=0.02)
        assert lab.query["axes"] == "b,c"
    with claim("a click sets the start in raw units"):
        sets_the_start(lab.go(RAW))
    with claim("a click on the parabola sets the start"):
        lab.go(ONE)
        slope, _ = lab.ticks("The loss as a curve", "X")
        x, _ = click(lab, 0.25, 0.1, "The loss as a curve")
        assert lab.experiment.start == (pytest.approx(x, abs=0.6 * slope),)
        lab.train().to_end()
