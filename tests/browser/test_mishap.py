"""When a page of ours fails, its visitor reads a sentence and finds two ways on, and the log has the traceback."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, expect

from gd_core.settings.experiment import Experiment
from gd_core.settings.task import Result, Task
from lab import Lab
from serving import serving

TASK = Task(experiment=Experiment(), free=("learning_rate",))
RESULT = Result(task=TASK, experiment=TASK.experiment)
ADDRESSES = ("/compare", "/variants?epochs=30", f"/?task={TASK.to_text()}", f"/?result={RESULT.to_text()}")


class Failing(NamedTuple):
    """A server whose pages fail when asked to, and its log."""

    url: str
    log: Path


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Failing]:
    log = tmp_path_factory.mktemp("failing") / "log"
    with log.open("wb") as file, serving(module=("tests.browser.failing",), log=file) as server:
        yield Failing(server.url, log)


def asking(address: str, name: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}fails={name}"


def said(lab: Lab) -> Locator:
    """The one box; Streamlit's own, which offers nothing, is not there."""
    box = lab.page.get_by_role("alert").filter(
        has_text="Something went wrong here. The mistake is ours, not yours."
    )
    expect(box).to_have_count(1)
    expect(lab.page.get_by_test_id("stException")).to_have_count(0)
    return box


def test_a_page_that_fails_says_so_and_leads_on(visit, failing):
    """Compare, a lesson, a task and a result: each can be opened again as it stands, and Train is one click away."""
    lab: Lab = visit(failing.url)
    for address in ADDRESSES:
        path, _, setting = address.partition("?")
        lab.page.goto(failing.url + asking(address, "apply"))
        box = said(lab)
        anew = box.get_by_role("link", name="open it again").evaluate("one => one.href")
        assert anew.removesuffix("?") == lab.page.url.removesuffix("?")
        assert anew.startswith(f"{failing.url}{path}?")
        assert setting in anew
        assert (
            box.get_by_role("link", name="begin at Train").evaluate("one => one.href") == f"{failing.url}/?"
        )


def test_the_live_part_and_a_press_can_fail_too(visit, failing):
    """What is outside of the live part stays; a press that fails leaves the page as it was; the log has all of it."""
    lab: Lab = visit(failing.url)
    lab.page.goto(failing.url + asking("/?embed=true&seed=5", "live"))
    box = said(lab)
    expect(lab.page.get_by_role("heading", name="Train")).to_be_visible()
    assert lab.serious_faults("[role=alert]") == []
    box.get_by_role("link", name="begin at Train").click()
    lab.settled()
    assert lab.page.url == f"{failing.url}/?embed=true"
    lab.open_page(asking("/?epochs=40", "reset")).train()
    lab.page.get_by_role("button", name="Reset").click()
    box = said(lab)
    expect(lab.player).to_be_visible()
    box.get_by_role("link", name="open it again").click()
    expect(box).to_have_count(0)
    assert "epochs=40" in lab.settled().page.url
    log = failing.log.read_text(encoding="utf-8", errors="replace")
    for name in ("live", "reset"):
        assert f"asked to fail at {name}" in log
    assert log.count("Traceback") >= 2
