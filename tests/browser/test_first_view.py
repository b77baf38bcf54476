"""A first view is light: how many messages, elements and widgets a page begins with, whatever the machine's speed."""

import pytest

from first_view import FirstView
from lab import Lab

# At most so many; what was reached, and a little room for what another browser or a longer number adds.
MOST = {
    "/": {"messages": 58, "widgets": 14, "elements": 1300},
    "/one_parameter": {"messages": 60, "widgets": 21, "elements": 800},
    "/variants": {"messages": 85, "widgets": 50, "elements": 1700},
}
NOT_FETCHED = ("katex", "KaTeX", "SourceSerif")


@pytest.mark.parametrize("path", MOST)
def test_a_first_view_is_light(lab: Lab, path: str):
    """What is closed is not sent. Neither KaTeX nor Streamlit's serif font is fetched: 750 kB for two lines of formulas."""
    view = FirstView(lab.page)
    lab.open_page(path)
    lab.page.evaluate("document.fonts.ready")
    found = {"messages": view.messages, "widgets": view.widgets, "elements": view.elements}
    assert {name: value for name, value in found.items() if value > MOST[path][name]} == {}, (
        found,
        view.kinds,
    )
    fetched = lab.page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert not [name for name in fetched if any(part in name for part in NOT_FETCHED)]
