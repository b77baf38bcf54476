"""A lesson inside another page, as a course platform shows it: in an iframe, from another origin, without the app menu."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import expect

from lab import VIEWPORT, Lab

COURSE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>A course page</title><link rel="icon" href="data:,"></head>
<body><h1>Week 2</h1>
<iframe title="One parameter, one slope" src="{src}" style="width: 100%; height: 760px; border: 0"></iframe>
</body></html>"""


class Quiet(SimpleHTTPRequestHandler):
    """A server that writes no log."""

    def log_message(self, format, *args):
        pass


def test_a_lesson_plays_in_the_page_of_a_course(visit, tmp_path):
    """It has no app menu, asks, plays to its end and keeps to its width; its settings come from the address in the iframe."""
    lab: Lab = visit(viewport=VIEWPORT)
    src = f"{lab.url}/one_parameter?embed=true&learning_rate=0.05&epochs=30"
    (tmp_path / "course.html").write_text(COURSE.format(src=src), encoding="utf-8")
    course = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=course.serve_forever, daemon=True).start()
    try:
        lab.page.goto(f"http://127.0.0.1:{course.server_port}/course.html")
        frame = lab.page.frame_locator("iframe")
        expect(frame.get_by_role("textbox", name="Learning rate η")).to_have_value("0.05")
        expect(frame.get_by_test_id("stMainMenu")).to_have_count(0)
        frame.get_by_role("button", name="It comes closer from one side").click()
        player = frame.get_by_role("group", name="Player")
        expect(player.get_by_role("button", name="Pause")).to_be_visible()
        player.get_by_role("button", name="To end").click()
        expect(frame.locator(".judged.lit p")).to_contain_text("You were right")
        expect(player.get_by_role("slider", name="Epoch")).to_have_value("30")
        (inside,) = [one for one in lab.page.frames if "one_parameter" in one.url]
        assert "embed=true" in inside.url
        assert "guess=closer" in inside.url
        assert inside.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth <= innerWidth")
    finally:
        course.shutdown()
        course.server_close()
