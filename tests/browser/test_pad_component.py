"""The JavaScript of the paper to draw on alone: keys on its points, its buttons, and what it says of the fit."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from component import Component
from gd_core import drawing
from lab import same_digits

POINTS = [list(point) for point in drawing.OPENING]


@pytest.fixture
def pad(mounted: Callable[..., Component]) -> Component:
    """The paper with the opening example's eight points, for a curve of three parameters."""
    colours = dict.fromkeys(("data", "best", "start", "run", "ink"), "#000000")
    data = {
        "points": POINTS, "held_out": [], "x0": 0, "x1": 10, "y0": 0, "y1": 10, "degree": 2, "intercept": True, "start": [0, 0, 0],
        "titles": ["x", "y"], "fewest": 2, "most": 9, "undo": False, "large": False, "seen": 0, "colours": colours,
    }  # fmt: skip
    return mounted("draw", data)


def point(pad: Component, number: int) -> Locator:
    return pad.page.get_by_role("button", name=re.compile(f"^Point {number} of"))


def said(pad: Component) -> Locator:
    return pad.page.get_by_role("status")


def sent(pad: Component) -> list[list[float]]:
    """The points of the one change that was sent, once it is, and its number is one more than that of the last."""
    pad.page.wait_for_function("() => alone.sent.length > 0")
    ((name, edit),) = pad.sent()
    assert (name, edit["number"]) == ("edit", pad.data["seen"] + 1)
    pad.data = pad.data | {"seen": edit["number"]}
    return edit["points"]


def test_arrows_move_the_point_that_has_the_focus(pad: Component):
    """A hundredth of the axis, with Shift five; the change is sent once, when the keys rest, and no other point has moved."""
    point(pad, 1).focus()
    for key in ("ArrowUp", "Shift+ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft"):
        pad.page.keyboard.press(key)
    moved = sent(pad)
    assert moved[0] == pytest.approx([POINTS[0][0] + 0.4, POINTS[0][1] - 0.1])
    assert moved[1:] == POINTS[1:]
    expect(point(pad, 1)).to_be_focused()
    expect(point(pad, 1)).to_have_accessible_name(f"Point 1 of 8: x {moved[0][0]}, y {moved[0][1]}")


def test_keys_add_and_remove_points(pad: Component):
    """N and P go to the next and the previous, A adds one in the middle while there is room, Delete removes; two must stay."""
    point(pad, 1).focus()
    pad.page.keyboard.press("n")
    expect(point(pad, 2)).to_be_focused()
    pad.page.keyboard.press("p")
    expect(point(pad, 1)).to_be_focused()
    pad.page.keyboard.press("n")
    pad.page.keyboard.press("Delete")
    assert sent(pad) == [POINTS[0], *POINTS[2:]]
    pad.page.keyboard.press("a")
    assert sent(pad) == [POINTS[0], *POINTS[2:], [5, 5]]
    expect(point(pad, 8)).to_be_focused()
    pad.page.keyboard.press("a")
    assert sent(pad)[7:] == [[5, 5], [5, 5]]
    pad.page.keyboard.press("a")
    expect(said(pad)).to_have_text("There is room for 9 points. Remove one first.")
    assert pad.sent() == []
    for left in range(8, 1, -1):
        pad.page.keyboard.press("Delete")
        assert len(sent(pad)) == left
    expect(said(pad)).to_contain_text("2 points for 3 parameters: many curves fit equally well.")
    pad.page.keyboard.press("Delete")
    expect(said(pad)).to_contain_text("needs at least 2 points")
    assert pad.sent() == []


def test_buttons_do_what_keys_do(pad: Component):
    """Add and Remove; Undo and Start over ask the server. Remove waits for a point, Undo for a change."""
    button = {name: pad.page.get_by_role("button", name=name) for name in ("Add a point", "Remove the point")}
    expect(button["Remove the point"]).to_be_disabled()
    button["Add a point"].click()
    assert sent(pad) == [*POINTS, [5, 5]]
    expect(button["Add a point"]).to_be_disabled()
    button["Remove the point"].click()
    assert sent(pad) == POINTS
    undo = pad.page.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    pad.update(undo=True)
    undo.click()
    pad.page.get_by_role("button", name="Start over").click()
    assert pad.sent() == [("ask", "undo 2"), ("ask", "over 2")]


def test_the_fit_is_that_of_least_squares(pad: Component):
    """The sentence has the RMSE of NumPy's polynomial, of the points that are not held out; what comes late is not taken."""
    for held_out in ([], [2, 5]):
        pad.update(held_out=held_out)
        x, y = np.delete(POINTS, held_out, axis=0).T
        rmse = float(np.sqrt(np.mean((np.polyval(np.polyfit(x, y, 2), x) - y) ** 2)))
        expect(said(pad)).to_have_text(re.compile(r"^8 points\. The best curve, dashed, has RMSE "))
        assert same_digits(said(pad).inner_text().rstrip(".").split()[-1], rmse, 4)
    expect(point(pad, 3)).to_have_accessible_name(re.compile("^Point 3 of 8, held out: "))
    pad.page.get_by_role("button", name="Add a point").click()
    pad.update(undo=True)  # of a run of the page that does not know of the ninth point yet
    expect(point(pad, 9)).to_be_visible()


def test_the_fit_goes_through_the_origin_where_there_is_no_intercept(pad: Component):
    """For degrees up to as many as there are points the RMSE is NumPy's; the tenth power has too many for eight points."""
    x, y = np.array(POINTS).T
    for degree, intercept in ((1, False), (3, False), (6, False), (1, True), (6, True)):
        pad.update(degree=degree, intercept=intercept)
        columns = np.stack([(x / 10) ** k for k in range(0 if intercept else 1, degree + 1)], 1)
        best, *_ = np.linalg.lstsq(columns, y, rcond=None)
        rmse = float(np.sqrt(np.mean((columns @ best - y) ** 2)))
        expect(said(pad)).to_have_text(re.compile(r"^8 points\. The best curve, dashed, has RMSE "))
        assert same_digits(said(pad).inner_text().rstrip(".").split()[-1], rmse, 4)
    pad.update(degree=10, intercept=False)
    expect(said(pad)).to_contain_text("8 points for 10 parameters: many curves fit equally well.")
