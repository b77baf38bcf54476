"""The server's process: just started and asked for a link, ended while pages are open, and idle once a tab is closed."""

import os
import signal
import time
from pathlib import Path

from playwright.sync_api import expect

from lab import PATIENCE, Lab, claim
from serving import free_port, serving

LINK = (
    "/?dataset=noisy-quadratic&points=30&noise=2.5&data_seed=7&optimizer=adam&learning_rate=0.2&beta1=0.8"
    "&batch_size=10&scale_features=true&start=random&seed=5&epochs=60&axes=b,c"
)
FIELDS = {
    "Points": "30", "Noise": "2.5", "Data seed": "7", "Learning rate η": "0.2", "Epochs": "60", "Batch size": "10",
    "Seed": "5", "Memory β₁": "0.8", "Memory β₂": "0.999", "Epsilon ε": "1e-8",
}  # fmt: skip
LESSON = "/one_parameter?dataset=one-parameter&learning_rate=0.05&epochs=30"
LONGEST = "/?dataset=noisy-quadratic&learning_rate=0.01&scale_features=true&epochs=1000000&engine=loop"
NO_SERVER = (
    "No response received when attempting to reach", "Streamlit server is not responding", "DoInitPings timed out",
    "Connection timed out",
)  # fmt: skip
MEASURED = Path("/proc/self/stat").exists()  # processor time can be read


def test_pages_go_on_with_a_new_process(visit):
    """A server just started, first asked for a link with settings, shows them and no “Page not found”. When its process
    ends and another answers, nothing is reloaded: on Train the settings stand as they were typed and train to the same
    sentence, and a lesson's question stands as it was and is judged. A closed tab's training ends with it."""
    port = free_port()
    with serving(port=port) as first:
        lab: Lab = visit(first.url)
        with claim("the first request to a cold server may be a link"):
            lab.open_page(LINK)
            for label, text in FIELDS.items():
                expect(lab.field(label)).to_have_value(text)
            expect(lab.scale).to_be_checked()
            expect(lab.page.get_by_role("dialog")).to_have_count(0)
        lab.type("Epochs", "70")
        lab.train().to_end()
        assert lab.epoch() == 70
        said, address = lab.summary.inner_text(), lab.query
        lesson: Lab = visit(first.url).open_page(LESSON)
        for one in (lab, lesson):
            one.page.evaluate("window.neverReloaded = true")
        runs = [lab.count("runs"), lesson.count("runs")]
        os.kill(first.pid, signal.SIGKILL)
    with serving(port=port) as second:
        with claim("a lesson goes on: its question stands, and its answer is judged"):
            back(lesson, runs[1])
            lesson.answer("It comes closer from one side")
            lesson.to_end()
            assert "You were right" in lesson.judged()
            assert lesson.query["guess"] == "closer"
            assert lesson.page.evaluate("window.neverReloaded")
            lesson.page.close()
        with claim("Train goes on: settings as typed, where they were"):
            back(lab, runs[0])
            assert lab.query == address
            assert lab.field("Epochs").input_value() == "70"
        if MEASURED:
            with claim(
                "a closed tab ends its training: the server soon uses no more processor time than an idle one"
            ):
                busy: Lab = visit(second.url).open_page(LONGEST).train()
                expect(busy.command("Stop")).to_be_visible()
                started, start = busy.count("runs"), ticks(second.pid)
                busy.page.wait_for_function("(runs) => watch.runs > runs", arg=started + 2)
                assert ticks(second.pid) > start
                busy.page.close()
                assert comes_to_rest(second.pid)
        with claim("and others still train: to the same sentence as with the first process"):
            lab.train().to_end()
            assert (lab.epoch(), lab.summary.inner_text()) == (70, said)
            assert lab.page.evaluate("window.neverReloaded")
        lab.page.close()


def back(lab: Lab, runs: int) -> None:
    """Wait until the page is connected again and has run anew; what Streamlit says in the console meanwhile is no error."""
    lab.page.wait_for_function("(before) => watch.runs > before", arg=runs)
    lab.settled()
    lab.errors[:] = [error for error in lab.errors if not any(words in error for words in NO_SERVER)]


def comes_to_rest(pid: int) -> bool:
    """Wait until a process uses at most 3 % of a processor for a second; whether it ever does."""
    deadline = time.monotonic() + PATIENCE / 1000
    at, used = time.monotonic(), ticks(pid)
    while time.monotonic() < deadline:
        now = ticks(pid)
        if now - used > 3:
            at, used = time.monotonic(), now
        elif time.monotonic() - at > 1:
            return True
        time.sleep(0.05)
    return False


def ticks(pid: int) -> int:
    """Processor time of a process so far, in hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
