"""Data drawn by hand: added, moved, removed with the pointer; the fit answers, and Train trains on them. The paper
alone, its keys and its other buttons: `test_pad_component.py`."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from gd_core import drawing
from gd_core.recorder import record
from lab import FIT, MENU, Lab, claim, same_digits

LEFT, RIGHT, TOP, BOTTOM = 40, 10, 8, 34  # pixels around the plot, as draw.js has them


def pad(lab: Lab) -> Locator:
    return lab.page.get_by_role("group", name="Draw the data")


def point(lab: Lab, number: int) -> Locator:
    return pad(lab).get_by_role("button", name=re.compile(f"^Point {number} of"))


def place(lab: Lab, x: float, y: float) -> tuple[float, float]:
    """Pixels of a value on the empty paper."""
    box = pad(lab).locator("svg").bounding_box()
    assert box
    width, height = box["width"] - LEFT - RIGHT, box["height"] - TOP - BOTTOM
    return box["x"] + LEFT + x / 10 * width, box["y"] + TOP + (10 - y) / 10 * height


def drawn(lab: Lab, count: int) -> list[list[float]]:
    """The points in the address, once there are so many, and the page has taken them in."""
    expect(lab.page.locator(".st-key-own_table")).to_contain_text(f"{count} rows")
    lab.settled()
    assert drawing.is_drawing(lab.experiment)
    return drawing.points_of(lab.experiment)


def says_least_squares(lab: Lab, points: list[list[float]]) -> None:
    """The sentence under the paper has the RMSE of NumPy's least squares."""
    x, y = np.array(points).T
    rmse = float(np.sqrt(np.mean((np.polyval(np.polyfit(x, y, 2), x) - y) ** 2)))
    expect(pad(lab).get_by_role("status")).to_have_text(
        re.compile(rf"^{len(points)} points\. The best curve, dashed, has RMSE ")
    )
    said = pad(lab).get_by_role("status").inner_text().rstrip(".").split()[-1]
    assert same_digits(said, rmse, 4)


def test_draw_then_train(lab: Lab):
    """Begin, add, drag (the fit answers before the button is let go), remove, undo, a key, train, go on and come
    back; on a projector, where the page is scaled up, a point lands where it was clicked, too."""
    lab.open_page("/?dataset=table")
    with claim("a drawing begins with eight points and their best curve"):
        with lab.rerun():
            lab.sidebar.get_by_role("button", name="Draw your own").click()
        points = drawn(lab, 8)
        assert points == [list(one) for one in drawing.OPENING]
        says_least_squares(lab, points)

    with claim("a click adds a point"):
        lab.page.mouse.click(*place(lab, 6, 9))
        points = drawn(lab, 9)
        assert points[8] == pytest.approx([6, 9], abs=0.05)
        says_least_squares(lab, points)

    with claim("a drag moves it, and the fit answers while it is still held"):
        lab.page.mouse.move(*place(lab, *points[8]))
        lab.page.mouse.down()
        lab.page.mouse.move(*place(lab, 3, 5), steps=4)
        moving = point(lab, 9).get_attribute("aria-label") or ""
        x, y = (float(text) for text in re.findall(r"-?\d+\.?\d*", moving.partition(":")[2]))
        says_least_squares(lab, [*points[:8], [x, y]])
        assert drawing.points_of(lab.experiment) == points
        with lab.rerun():
            lab.page.mouse.up()
        assert drawn(lab, 9)[8] == [x, y] == pytest.approx([3, 5], abs=0.05)
    here = lab.page.url

    with claim("a double click removes it, and Undo brings it back"):
        lab.page.mouse.dblclick(*place(lab, x, y))
        assert drawn(lab, 8) == [list(one) for one in drawing.OPENING]
        with lab.rerun():
            pad(lab).get_by_role("button", name="Undo").click()
        assert drawn(lab, 9)[8] == [x, y]
        assert lab.page.url == here

    with claim("Train trains on the points, in a chart; Go on drawing brings the paper back"):
        lab.train().to_end()
        recording = record(lab.experiment)
        assert same_digits(lab.live()["rmse"], float(recording.epoch_rmse[-1]))
        expect(lab.chart(FIT)).to_be_visible()
        lab.page.get_by_role("button", name="Go on drawing").click()
        expect(pad(lab)).to_be_visible()

    with claim("a key moves the point that has the focus, and no other"):
        before = drawn(lab, 9)
        point(lab, 9).focus()
        with lab.rerun():
            lab.page.keyboard.press("ArrowUp")
        after = drawn(lab, 9)
        assert after[:8] == before[:8]
        assert after[8] == pytest.approx([x, y + 0.1])
        expect(point(lab, 9)).to_be_focused()
    with claim("axe-core finds no serious fault in the points as a table"):
        lab.page.get_by_role("button", name="As a table").click()
        lab.page.locator(MENU).get_by_test_id("stDataFrame").wait_for()
        assert lab.serious_faults(MENU) == []
        lab.page.keyboard.press("Escape")
    with claim("on a projector the point lands where it was clicked, and so says the address"):
        with lab.rerun():
            lab.page.keyboard.press("p")
        lab.settled()
        box = pad(lab).locator("svg").bounding_box()
        assert box
        x, y = box["x"] + 0.7 * box["width"], box["y"] + 0.4 * box["height"]
        lab.page.mouse.click(x, y)
        expect(pad(lab).get_by_role("status")).to_have_text(re.compile(r"^10 points\."))
        mark = point(lab, 10).locator(".mark").bounding_box()
        assert mark
        assert mark["x"] + mark["width"] / 2 == pytest.approx(x, abs=2)
        assert mark["y"] + mark["height"] / 2 == pytest.approx(y, abs=2)
        points = drawn(lab, 10)
    with claim("a reload keeps the drawing"):
        lab.page.reload()
        lab.settled()
        assert drawn(lab, 10) == points
