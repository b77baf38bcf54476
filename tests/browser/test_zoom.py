"""A small window: a screen of 1280 × 1024 at 400 %, and a phone."""

import pytest
from playwright.sync_api import expect

from lab import PHONE, Lab, claim

ZOOMED = {"width": 320, "height": 256}
# Of the element that has the focus: its name, and whether its middle is in the window with nothing else over it.
STOP = """() => {
  const parent = (one) => one.assignedSlot ?? one.parentElement ?? one.getRootNode().host ?? null;
  const inner = (tree, x, y) => {
    const one = tree.elementFromPoint(x, y);
    return one?.shadowRoot && one.shadowRoot !== tree ? inner(one.shadowRoot, x, y) ?? one : one;
  };
  let one = document.activeElement;
  while (one.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  if (one === document.body) return null;
  const name = (one.ariaLabel || one.textContent || one.tagName).trim();
  let box = one.type === 'checkbox' ? one.closest('label') : one, { left, top, width, height } = box.getBoundingClientRect();
  const across = Math.min(innerWidth, left + width) + Math.max(0, left), down = Math.min(innerHeight, top + height) + Math.max(0, top);
  for (let hit = inner(document, across / 2, down / 2); hit; hit = parent(hit)) if (hit === box) return [name, true];
  return [name, false];
}"""


@pytest.mark.parametrize("path", ["/", "/one_parameter", "/gradient"])
def test_at_400_percent_every_stop_of_tab_is_in_sight(visit, path: str):
    """Through the whole page, the focus is never beyond the window nor beneath header or player; the drawer that is closed
    has no stop, and Skip can be pressed."""
    lab: Lab = visit(viewport=ZOOMED).open_page(path)
    names, hidden = [], []
    for _ in range(150):
        lab.page.keyboard.press("Tab")
        lab.page.wait_for_function("() => new Promise((done) => requestAnimationFrame(() => done(true)))")
        stop = lab.page.evaluate(STOP)
        if stop is None:
            break
        names.append(stop[0])
        hidden += [stop[0]] * (not stop[1])
    assert len(names) > 20
    assert hidden == []
    assert "Learning rate η" not in names
    if path != "/":
        lab.answer("Skip")
        assert lab.query["guess"] == "skip"


def test_on_a_phone_the_run_is_seen_and_the_drawer_closes(visit):
    """An answer folds the question and brings a chart between header and player, which leaves it the room; keys that a
    finger needs less wait behind one; η is halved beside them; the drawer closes after a choice."""
    lab: Lab = visit(viewport=PHONE).open_page("/one_parameter")
    with claim("an answer brings the run into view"):
        lab.answer("It jumps across and comes closer")
        lab.page.wait_for_function(
            """() => {
                const { top, bottom } = document.querySelector('.stVegaLiteChart').getBoundingClientRect();
                return top >= 0 && bottom <= document.querySelector('.st-key-transport').getBoundingClientRect().top + 1;
            }"""
        )
        assert lab.page.locator(".st-key-answers button:visible").count() == 2
        assert lab.player.bounding_box()["height"] < PHONE["height"] / 5
    with claim("the other keys wait behind one"):
        assert not lab.button("To start").is_visible()
        lab.to_end()
        assert lab.button("To start").is_visible()
    with claim("the rate is halved without the drawer"):
        with lab.rerun():
            lab.page.get_by_role("button", name="Half the rate").click()
        assert lab.query["learning_rate"] == "0.05"
    with claim("the drawer closes after a choice"):
        lab.page.get_by_role("button", name="Expand sidebar").click()
        with lab.rerun():
            lab.sidebar.get_by_role("link", name="Four steps").click()
        lab.page.wait_for_function(
            "() => document.querySelector('[data-testid=stSidebar]').dataset.collapsed === 'true'"
        )


def test_on_a_phone_a_friends_link_says_what_it_shows(visit):
    """App and run are named before Train; after it two charts stand whole between header and player, whose long verdict
    shows three lines until it is pressed; η is halved beside Train; other keys wait; one taps, not clicks."""
    lab: Lab = visit(viewport=PHONE)
    lab.page.context.new_cdp_session(lab.page).send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    lab.open_page("/?dataset=noisy-quadratic&learning_rate=5e-5&epochs=100")
    with claim("the link says what it shows"):
        expect(lab.player).to_contain_text("A run with η = 5e−5, 1.41 × the limit. Press Train.")
        name = lab.page.locator(".lab-title").evaluate("one => getComputedStyle(one, '::before').content")
        assert name == '"Gradient Descent Lab"'
        expect(lab.page.get_by_text("tap to set the start")).to_be_visible()
        expect(lab.page.get_by_text("click to set the start")).to_be_hidden()
    with claim("the rate stands beside Train"):
        train, half = (
            lab.command("Train").bounding_box(),
            lab.page.get_by_role("button", name="Half the rate"),
        )
        assert abs(half.bounding_box()["y"] - train["y"]) < 8
        assert not lab.command("New start").is_visible()
    with claim("two charts stand above the verdict"):
        lab.command("Train").click()
        lab.summary.wait_for()
        lab.page.wait_for_function(
            """() => {
                const foot = document.querySelector('.st-key-transport').getBoundingClientRect().top;
                const boxes = [...document.querySelectorAll('.stVegaLiteChart')].map((one) => one.getBoundingClientRect());
                return boxes.filter(({ top, bottom }) => top >= 40 && bottom <= foot + 1).length >= 2;
            }"""
        )
    with claim("a verdict of five lines shows three until it is pressed"):
        assert not lab.button("Continue from here").is_visible()
        short = lab.summary.bounding_box()["height"]
        lab.summary.click()
        assert lab.summary.bounding_box()["height"] > 1.5 * short
        assert lab.command("New start").is_visible()
