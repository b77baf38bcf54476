"""A first view is light: how many messages, elements and widgets a page begins with, whatever the machine's speed."""

import pytest

from first_view import FirstView
from lab import Lab

# At most so many; what was reached, and a little room for what another browser or a longer number adds.
MOST = {
    "/": {"messages": 55, "widgets": 14, "elements": 1300},
    "/one_parameter": {"messages": 60, "widgets": 21, "elements": 800},
    "/variants": {"messages": 85, "widgets": 50, "elements": 1700},
    "/hills": {"messages": 66, "widgets": 22, "elements": 1400},
}
# Of each chart, whether it gets its width a moment later. When it then stands is a matter of the machine.
WAITS = "[...document.querySelectorAll('.stVegaLiteChart')].map((one) => getComputedStyle(one).animationName === 'without-width')"
ASKED = "performance.getEntriesByType('resource').map((one) => [one.name, one.startTime])"
SCRIPTS = """performance.getEntriesByType('resource').filter(({ name }) => /\\.(js|css)$/.test(name))
    .reduce((all, one) => all + one.encodedBodySize, 0)"""
# In each frame: where what stands beside the side bar begins, and how high the line for who is new is.
ROOM = """
    window.lefts = new Set(), window.heights = new Set();
    (function look() {
        const box = (one) => document.querySelector(one)?.getBoundingClientRect();
        const main = box('[data-testid=stMain]'), line = box('.st-key-start_here');
        if (main) lefts.add(main.x);
        if (line) heights.add(Math.round(line.height));
        requestAnimationFrame(look);
    })();
"""
NOT_FETCHED = ("katex", "KaTeX", "SourceSerif")


@pytest.mark.parametrize("path", MOST)
def test_a_first_view_is_light(lab: Lab, path: str):
    """What is closed is not sent. Neither KaTeX nor Streamlit's serif font is fetched: 750 kB for two lines of formulas.

    The code that draws charts is fetched before the page speaks with its server, which it finds at once, and a third waits for
    two. What comes late has its room from the first frame on: nothing is pushed aside by the side bar.
    """
    view = FirstView(lab.page)
    lab.page.add_init_script(ROOM)
    lab.open_page(path)
    lab.page.evaluate("document.fonts.ready")
    found = {"messages": view.messages, "widgets": view.widgets, "elements": view.elements}
    assert {name: value for name, value in found.items() if value > MOST[path][name]} == {}, (
        found,
        view.kinds,
    )
    fetched = dict(lab.page.evaluate(ASKED))
    asked = [name.removeprefix(lab.url) for name in fetched if "/_stcore/" in name]
    assert set(asked) == {"/_stcore/health", "/_stcore/host-config"}
    assert not [name for name in fetched if any(part in name for part in NOT_FETCHED)]
    spoke = next(when for name, when in fetched.items() if name.endswith("/_stcore/health"))
    assert next(when for name, when in fetched.items() if "/ArrowVegaLiteChart." in name) < spoke
    assert 5e5 < lab.page.evaluate(SCRIPTS) < 1.1e6  # bytes: they come packed, of 3.4e6
    waits = lab.page.evaluate(WAITS)
    assert waits.count(False) == min(2, len(waits))
    side_bar = lab.sidebar.bounding_box()
    assert side_bar
    assert lab.page.evaluate("[...lefts]") == [side_bar["width"]]
    assert len(lab.page.evaluate("[...heights]")) == (path == "/")


def test_a_page_that_keeps_no_room_for_the_side_bar_has_none(lab: Lab):
    """Compare without runs has no side bar, whether it is opened or come to from Train; nor has a window where it was folded, or a projector."""
    left = "document.querySelector('[data-testid=stMain]').getBoundingClientRect().x"
    lab.page.add_init_script(ROOM)
    lab.page.goto(lab.url + "/compare")
    assert lab.at_rest().page.evaluate("[...lefts]") == [0]
    lab.open_page("/")
    lab.page.get_by_role("button", name="Lab").click()
    with lab.rerun(player=False):
        lab.page.get_by_role("menuitem", name="Compare").click()
    assert lab.page.evaluate(left) == 0
    lab.open_page("/?view=projector")
    assert lab.page.evaluate("[...lefts]") == [0]
    lab.open_page("/")
    lab.sidebar.hover()
    lab.page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    lab.page.wait_for_function(f"() => {left} === 0")
    lab.page.reload()
    assert lab.settled().page.evaluate("[...lefts]") == [0]
