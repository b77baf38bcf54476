"""Lessons without a pointer: every stop of Tab can be seen, and keys alone answer, play, change and follow."""

import re
from collections.abc import Iterator
from itertools import chain

from playwright.sync_api import expect

from lab import Lab

# The element that has the focus, in whatever tree; its name; and whether it looks other than without the focus, where
# no ancestor hides it.
STOP = """async () => {
  let focused = document.activeElement;
  while (focused.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  if (focused === document.body) return null;
  const parents = [];
  for (let e = focused; e; e = e.parentElement ?? e.getRootNode().host) parents.push(e);
  const look = () => parents.slice(0, 5).map((e) => {
    const s = getComputedStyle(e);
    return [parseFloat(s.outlineWidth) && s.outlineStyle, s.boxShadow, s.borderColor, s.backgroundColor].join();
  }).join();
  const shown = parents.every((e) => +getComputedStyle(e).opacity > 0);
  const name = (focused.getAttribute('aria-label') || focused.textContent || focused.tagName).trim();
  const frame = () => new Promise(requestAnimationFrame);
  focused.blur();
  await frame(); // some fields take their mark off only then
  const plain = look();
  focused.focus({ preventScroll: true });
  const until = performance.now() + 2000;
  while (look() === plain && performance.now() < until) await frame();
  return [name, shown && look() !== plain];
}"""
STILL = "*, *::before, *::after { transition: none !important; animation: none !important }"


def opened(lab: Lab, path: str, settled: bool = True) -> Lab:
    """A page on which a changed look is there at once."""
    if settled:
        lab.open_page(path)
    else:  # a page without a chart
        lab.page.goto(lab.url + path)
        lab.page.get_by_role("textbox", name="Search").wait_for()
    lab.page.add_style_tag(content=STILL)
    return lab


def stops(lab: Lab) -> Iterator[str]:
    """Press Tab again and again, and give each stop's name; one that cannot be seen fails the test."""
    for _ in range(150):
        lab.page.keyboard.press("Tab")
        stop = lab.page.evaluate(STOP)
        if stop is None:
            return
        name, seen = stop
        assert seen, f"{name[:60]} has the focus, and nobody can see it"
        yield name


def tab_to(lab: Lab, words: str) -> None:
    """Press Tab until the stop begins so, from the page's end on from its start; an icon's name may stand before it."""
    names = []
    for name in chain(stops(lab), stops(lab)):
        names.append(name[:40])
        if re.match(rf"(arrow_forward)?{re.escape(words)}", name):
            return
    raise AssertionError(f"Tab never comes to {words}: {names}")


def answered(lab: Lab) -> None:
    """Press Enter on an answer, and find the focus on the player."""
    with lab.rerun():
        lab.page.keyboard.press("Enter")
    expect(lab.button("Pause").or_(lab.button("Play"))).to_be_focused()


def stepped(lab: Lab) -> None:
    """Hold the run, and take one step from its start."""
    lab.page.keyboard.press("End")
    lab.paused()
    lab.page.keyboard.press("Home")
    lab.page.keyboard.press("ArrowRight")
    assert lab.epoch() > 0
    lab.charts_at(lab.epoch())


def followed(lab: Lab, link: str, path: str) -> None:
    """Follow a link, and be on its page."""
    tab_to(lab, link)
    lab.page.keyboard.press("Enter")
    lab.page.wait_for_function("(path) => location.pathname === path", arg=path)


def test_a_lesson_needs_no_pointer(lab: Lab):
    """Answer, step, change a number, which asks anew, answer, follow a link; on the next lesson ask once more."""
    tab_to(opened(lab, "/deep_networks?epochs=40"), "At most a thousandth")
    answered(lab)
    stepped(lab)
    tab_to(lab, "Epochs")
    lab.page.keyboard.press("Control+a")
    lab.page.keyboard.type("30")
    with lab.rerun():
        lab.page.keyboard.press("Enter")
    assert lab.query["epochs"] == "30"
    tab_to(lab, "At most a thousandth")
    answered(lab)
    followed(lab, "Next: lesson 9", "/broadcasting")

    tab_to(opened(lab, "/broadcasting"), "It finds the plane")
    answered(lab)
    stepped(lab)
    tab_to(lab, "Ask again")
    with lab.rerun():
        lab.page.keyboard.press("Enter")
    expect(lab.page.get_by_role("button", name="It finds the plane")).to_be_focused()
    answered(lab)
    followed(lab, "Next: lesson 10", "/glossary")


def test_words_need_no_pointer(lab: Lab):
    """Every one of its links is seen when it has the focus; a word is looked up and its experiment opened."""
    press = lab.page.keyboard.press
    names = list(stops(opened(lab, "/glossary", settled=False)))
    assert len(names) > 30
    tab_to(lab, "Search")
    lab.page.keyboard.type("momentum")
    press("Enter")
    lab.page.wait_for_function("() => location.search === '?q=momentum'")
    expect(lab.page.get_by_role("button", name="Show all")).to_be_visible()
    tab_to(lab, "See ")
    press("Enter")
    lab.page.wait_for_function("() => !location.pathname.startsWith('/glossary')")
    lab.settled()
