"""The lab inside another page, as a course platform shows it: in an iframe, from another origin, without the app's menus."""

import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import FrameLocator, expect

from lab import VIEWPORT, Lab, claim

COURSE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>A course page</title><link rel="icon" href="data:,"></head>
<body style="margin: 0; width: {width}px"><h1>Week 2</h1>{frame}</body></html>"""
LESSON = """<iframe title="One parameter, one slope" src="{url}/one_parameter?embed=true&learning_rate=0.05&epochs=30"
  style="width: 100%; height: {height}px; border: 0"></iframe>"""
MAIN = "document.querySelector('[data-testid=stMain]')"
SLIM, HIGH = 700, 600  # pixels
FITS = f"""async width => {{
  const main = {MAIN}, end = performance.now() + 20000;
  const fits = () => innerWidth === width && main.scrollHeight <= main.clientHeight && main.scrollWidth <= width;
  while (!fits() && performance.now() < end) await new Promise(requestAnimationFrame);
  return fits();
}}"""


class Quiet(SimpleHTTPRequestHandler):
    """A server that writes no log."""

    def log_message(self, format, *args):
        pass


@pytest.fixture
def course(tmp_path):
    """Opens a course's page of some width with this HTML in it, from a server of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def opened(lab: Lab, frame: str, width: int) -> FrameLocator:
        (tmp_path / "course.html").write_text(COURSE.format(frame=frame, width=width), encoding="utf-8")
        lab.page.goto(f"http://127.0.0.1:{server.server_port}/course.html")
        return lab.page.frame_locator("iframe")

    yield opened
    server.shutdown()
    server.server_close()


def inside(lab: Lab):
    """The frame's own document."""
    (frame,) = [one for one in lab.page.frames if "embed=true" in one.url]
    return frame


def answered(lab: Lab, frame: FrameLocator) -> None:
    """The lesson asks, plays to its end, judges, and keeps to its width."""
    frame.get_by_role("button", name="It comes closer").first.click()
    player = frame.get_by_role("group", name="Player")
    expect(player.get_by_role("button", name="Pause")).to_be_visible()
    lab.page.keyboard.press("End")
    expect(frame.locator(".judged.lit p")).to_contain_text("You were right")
    expect(player.get_by_role("slider", name="Epoch")).to_have_value("30")
    assert "guess=closer" in inside(lab).url
    assert inside(lab).evaluate(f"{MAIN}.scrollWidth <= innerWidth")


def test_a_lesson_plays_in_the_page_of_a_course(visit, course):
    """It has no app menu, asks, plays to its end and keeps to its width; its settings come from the address in the iframe. In a
    narrow frame of 600 pixels it has neither side bar nor menus, and question, chart and player are in sight together."""
    lab: Lab = visit(viewport=VIEWPORT)
    with claim("wide"):
        frame = course(lab, LESSON.format(url=lab.url, height=760), VIEWPORT["width"])
        expect(frame.get_by_role("textbox", name="Learning rate η")).to_have_value("0.05")
        expect(frame.get_by_test_id("stMainMenu")).to_have_count(0)
        answered(lab, frame)
    with claim("slim"):
        frame = course(lab, LESSON.format(url=lab.url, height=HIGH), SLIM)
        chart, player = frame.locator(".stVegaLiteChart svg.marks"), frame.get_by_role("group", name="Player")
        question = frame.get_by_role("button", name="It comes closer").first
        for one in (question, chart, player):
            expect(one).to_be_in_viewport(ratio=0.9)
        for gone in ("stHeader", "stSidebar", "stMainMenu"):
            expect(frame.get_by_test_id(gone)).to_be_hidden()
        answered(lab, frame)
        expect(chart).to_be_in_viewport(ratio=0.9)


def test_a_run_is_embedded_from_take_away(visit, course):
    """The HTML that Take away gives shows this very run, slim, in 600 pixels: two charts, the rate with its strip, Train, player,
    verdict, and nothing to scroll. Keys play it, a typed rate trains another run, and a link opens the whole lab with it."""
    lab: Lab = visit(viewport=VIEWPORT)
    lab.open_page("/?learning_rate=0.05&scale_features=true&epochs=40")
    lab.page.get_by_role("button", name="Take away").click()
    code = lab.page.get_by_role("dialog").locator("code", has_text="<iframe")
    expect(code).to_contain_text("height: 600px")
    html = code.inner_text()
    frame = course(lab, html, SLIM)
    train, player = (
        frame.get_by_role("button", name="Train", exact=True),
        frame.get_by_role("group", name="Player"),
    )
    with claim("it is this run, slim, and all of it is in sight"):
        expect(frame.locator(".stVegaLiteChart svg.marks")).to_have_count(2)
        rate = frame.get_by_role("textbox", name="Learning rate η")
        expect(rate).to_have_value("0.05")
        for one in (rate, frame.get_by_role("slider", name="Learning rate"), train, player):
            expect(one).to_be_in_viewport(ratio=1)
        for gone in ("stHeader", "stSidebar", "stMainMenu"):
            expect(frame.get_by_test_id(gone)).to_be_hidden()
    with claim("keys play it, and its verdict is in sight"):
        train.click()
        expect(player.get_by_role("button", name="Pause")).to_be_visible()
        lab.page.keyboard.press("End")
        expect(player.get_by_role("slider", name="Epoch")).to_have_value("40")
        summary = player.locator("[data-part=summary]")
        expect(summary).to_contain_text("RMSE")
        expect(summary).to_be_in_viewport(ratio=1)
        assert inside(lab).evaluate(f"{MAIN}.scrollHeight <= {MAIN}.clientHeight")
        assert inside(lab).evaluate(f"{MAIN}.scrollWidth <= innerWidth")
    with claim("in a column of any width nothing is cut, and nothing has to be scrolled"):
        for width in (480, 601, 640, 641, 681, 800, SLIM):
            lab.page.locator("iframe").evaluate(f"frame => frame.style.width = '{width}px'")
            assert inside(lab).evaluate(FITS, width), width
    with claim("a typed rate trains another run"):
        rate.fill("0.5")
        rate.press("Enter")
        expect(frame.get_by_role("link", name="Open in a new tab")).to_have_attribute(
            "href", re.compile("learning_rate=0.5")
        )
        train.click()
        expect(player.get_by_role("button", name="Pause")).to_be_visible()
        lab.page.keyboard.press("End")
        expect(summary).to_contain_text("iverged")
    with claim("a link opens the whole lab with it, in a tab of its own"):
        with lab.page.context.expect_page() as opened:
            frame.get_by_role("link", name="Open in a new tab").click()
        whole = opened.value
        expect(whole.get_by_role("textbox", name="Learning rate η")).to_have_value("0.5")
        expect(whole.get_by_role("button", name="Prepare a task")).to_be_visible()
        asked = parse_qs(urlsplit(whole.url).query)
        assert (asked["epochs"], asked.get("embed")) == (["40"], None)
