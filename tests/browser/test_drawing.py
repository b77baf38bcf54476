"""Data drawn by hand: added, moved, removed with pointer, keys and table; the fit answers, and Train trains on them."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from gd_core import drawing
from gd_core.recorder import record
from lab import FIT, Lab, same_digits

LEFT, RIGHT, TOP, BOTTOM = 40, 10, 8, 34  # pixels around the plot, as draw.js has them
OPENED = "/?" + "&".join(f"{name}={text}" for name, text in drawing.opening().to_query().items())


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


def test_a_point_lands_where_it_was_clicked_on_a_projector(visit):
    """The page is scaled up; the paper and its marks are, too, and the address has the value under the pointer."""
    lab: Lab = visit(viewport={"width": 1280, "height": 720}).open_page(OPENED + "&view=projector")
    box = pad(lab).locator("svg").bounding_box()
    assert box
    x, y = box["x"] + 0.7 * box["width"], box["y"] + 0.4 * box["height"]
    lab.page.mouse.click(x, y)
    expect(pad(lab).get_by_role("status")).to_have_text(re.compile(r"^9 points\."))
    mark = point(lab, 9).locator(".mark").bounding_box()
    assert mark
    assert mark["x"] + mark["width"] / 2 == pytest.approx(x, abs=2)
    assert mark["y"] + mark["height"] / 2 == pytest.approx(y, abs=2)


def test_draw_with_the_pointer_then_train(lab: Lab):
    """Begin, add, drag (the fit answers before the button is let go), remove, undo, train, go on, and come back."""
    lab.open_page("/?dataset=table")
    with lab.rerun():
        lab.sidebar.get_by_role("button", name="Draw your own").click()
    points = drawn(lab, 8)
    assert points == [list(one) for one in drawing.OPENING]
    says_least_squares(lab, points)

    lab.page.mouse.click(*place(lab, 6, 9))
    points = drawn(lab, 9)
    assert points[8] == pytest.approx([6, 9], abs=0.05)
    says_least_squares(lab, points)

    lab.page.mouse.move(*place(lab, *points[8]))
    lab.page.mouse.down()
    lab.page.mouse.move(*place(lab, 3, 5), steps=4)
    moving = point(lab, 9).get_attribute("aria-label") or ""
    x, y = (float(text) for text in re.findall(r"-?\d+\.?\d*", moving.partition(":")[2]))
    says_least_squares(lab, [*points[:8], [x, y]])  # while it is still held
    assert drawing.points_of(lab.experiment) == points
    with lab.rerun():
        lab.page.mouse.up()
    assert drawn(lab, 9)[8] == [x, y] == pytest.approx([3, 5], abs=0.05)
    here = lab.page.url

    lab.page.mouse.dblclick(*place(lab, x, y))
    assert drawn(lab, 8) == [list(one) for one in drawing.OPENING]
    with lab.rerun():
        pad(lab).get_by_role("button", name="Undo").click()
    assert drawn(lab, 9)[8] == [x, y]
    assert lab.page.url == here

    lab.train().to_end()
    recording = record(lab.experiment)
    assert same_digits(lab.live()["rmse"], float(recording.epoch_rmse[-1]))
    expect(lab.chart(FIT)).to_be_visible()
    lab.page.get_by_role("button", name="Go on drawing").click()
    expect(pad(lab)).to_be_visible()
    lab.page.reload()
    lab.settled()
    assert drawn(lab, 9)[8] == [x, y]


def test_draw_with_keys_and_as_a_table(lab: Lab):
    """Arrows move the point that has the focus, N goes to the next, A adds, Delete removes; two points must stay."""
    lab.open_page(OPENED)
    points = drawn(lab, 8)
    point(lab, 1).focus()
    with lab.rerun():
        lab.page.keyboard.press("ArrowUp")
        lab.page.keyboard.press("Shift+ArrowRight")
    moved = drawn(lab, 8)
    assert moved[0] == pytest.approx([points[0][0] + 0.5, points[0][1] + 0.1])
    assert moved[1:] == points[1:]
    expect(point(lab, 1)).to_be_focused()
    lab.page.keyboard.press("n")
    expect(point(lab, 2)).to_be_focused()
    lab.page.keyboard.press("Delete")
    assert drawn(lab, 7) == [moved[0], *points[2:]]
    lab.page.keyboard.press("a")
    assert drawn(lab, 8)[7] == [5, 5]
    for left in range(7, 1, -1):
        lab.page.keyboard.press("Delete")
        drawn(lab, left)
    expect(pad(lab).get_by_role("status")).to_contain_text("2 points for 3 parameters")
    lab.page.keyboard.press("Delete")
    expect(pad(lab).get_by_role("status")).to_contain_text("needs at least 2 points")
    assert len(drawn(lab, 2)) == 2
    with lab.rerun():
        pad(lab).get_by_role("button", name="Start over").click()
    assert drawn(lab, 8) == points
