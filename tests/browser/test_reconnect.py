"""The server's process ends while a page is open, and another one answers at its address."""

import os
import signal

from lab import Lab
from serving import free_port, serving

RUN = "/?dataset=noisy-quadratic&learning_rate=0.05&epochs=60&scale_features=true"
LESSON = "/one_parameter?dataset=one-parameter&learning_rate=0.05&epochs=30"


def test_a_page_goes_on_with_a_new_process(visit):
    """Nothing is reloaded: the settings stand as they were typed, Train trains them, and ends with the same sentence."""
    port = free_port()
    with serving(port=port) as first:
        lab: Lab = visit(first.url).open_page(RUN)
        lab.type("Epochs", "70")
        lab.train().to_end()
        said, address = lab.summary.inner_text(), lab.query
        lab.page.evaluate("window.neverReloaded = true")
        os.kill(first.pid, signal.SIGKILL)
    runs = lab.count("runs")
    with serving(port=port):
        lab.page.wait_for_function("(before) => watch.runs > before", arg=runs)
        lab.settled()
        assert lab.query == address
        assert lab.field("Epochs").input_value() == "70"
        lab.train().to_end()
        assert lab.summary.inner_text() == said
        assert lab.page.evaluate("window.neverReloaded")
        lab.page.close()


def test_a_lesson_goes_on_with_a_new_process(visit):
    """Its question stands as it was, and its answer is judged."""
    port = free_port()
    with serving(port=port) as first:
        lab: Lab = visit(first.url).open_page(LESSON)
        os.kill(first.pid, signal.SIGKILL)
    runs = lab.count("runs")
    with serving(port=port):
        lab.page.wait_for_function("(before) => watch.runs > before", arg=runs)
        lab.answer("It comes closer from one side")
        lab.to_end()
        assert "You were right" in lab.summary.inner_text()
        assert lab.query["guess"] == "closer"
        lab.page.close()
