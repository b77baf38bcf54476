"""What a server does before its first visitor comes: it keeps what is unsent, and sends the shell while PyTorch is loaded."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.pages_manager import PagesManager
from visit import awaited

from pages.ui.train import startup

ROOT = Path(__file__).resolve().parents[2]
# The server's own start with a load that takes until it is told to end; then what has been imported meanwhile.
MEANWHILE = """
import asyncio, sys, threading
import app
from pages.ui.train import startup

end = threading.Event()
startup.load = end.wait

async def main():
    async with startup.lifespan(None):
        for _ in range(10):
            await asyncio.sleep(0.01)
        print(*(name for name in ("torch", "numpy", "altair") if name in sys.modules))
        end.set()

asyncio.run(main())
"""
FAILS = MEANWHILE.replace("startup.load = end.wait", "startup.load = lambda: 1 / 0")


def started(script: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter that has run this."""
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=os.environ | {"STREAMLIT_SERVER_HEADLESS": "true"},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


SHELL = [
    ("http", path)
    for path in ("/", "/variants", "/lab/variants", "/static/js/x.js", "/lab/static/media/x.woff2")
]
REST = [
    ("http", path) for path in ("/_stcore/health", "/_stcore/host-config", "/join", "/join/enter", "/media/x")
]


@pytest.mark.parametrize(("kind", "path", "waits"), [
    *((*one, False) for one in SHELL), *((*one, True) for one in REST), ("websocket", "/_stcore/stream", True),
])  # fmt: skip
def test_all_but_the_shell_waits_until_all_is_loaded(kind: str, path: str, waits: bool, monkeypatch):
    """Then it is answered, too."""

    async def ask() -> list[bool]:
        loaded, came = asyncio.Event(), asyncio.Event()
        monkeypatch.setattr(startup, "_loaded", loaded)

        async def server(*_: object) -> None:
            came.set()

        asked = asyncio.create_task(startup.Waiting(server)({"type": kind, "path": path}, *[None] * 2))
        for _ in range(5):
            await asyncio.sleep(0)
        before = came.is_set()
        loaded.set()
        await asked
        return [before, came.is_set()]

    assert awaited(ask()) == [not waits, True]


def test_the_thread_that_answers_imports_nothing_of_what_is_loaded():
    """It would wait for the other thread's import, and with it everyone who asks for a file."""
    done = started(MEANWHILE)
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


def test_a_server_that_cannot_load_ends():
    """With the reason in its log. It would let everybody wait."""
    done = started(FAILS)
    assert done.returncode == -signal.SIGTERM
    assert "The app could not be loaded." in done.stderr
    assert "ZeroDivisionError" in done.stderr


def message(kind, text="", place=(), fragment=""):
    """One of Streamlit's: the start of a run or its end, or a text that is drawn in a place."""
    one = ForwardMsg()
    if kind == "delta":
        one.metadata.delta_path[:] = place
        one.delta.new_element.text.body = text
        one.delta.fragment_id = fragment
    elif kind == "new_session":
        one.new_session.name = text
    else:
        one.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY
    return one


@pytest.fixture
def lifespan(monkeypatch):
    """A server has begun in this process, without what it loads."""
    for work in ("load", "open_browser"):
        monkeypatch.setattr(startup, work, lambda: None)
    monkeypatch.setattr(startup.connection, "at_start", lambda: None)
    monkeypatch.setattr(ForwardMsgQueue, "clear", ForwardMsgQueue.clear)  # as it was, after this test
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)  # as in a new process

    async def serve():
        async with startup.lifespan(None):
            return

    awaited(serve())


@pytest.mark.usefixtures("lifespan")
def test_the_first_visitor_of_a_lesson_has_it_run_once():
    """Else Streamlit runs the lesson’s file by itself, which asks for the whole app and is run again."""
    assert PagesManager("app.py").uses_pages_directory is False


@pytest.mark.usefixtures("lifespan")
def test_a_page_is_sent_whole_though_its_fragment_runs_again_before():
    """Else the browser takes a fragment that it hears nothing of for gone, and draws it over what stands behind it."""
    page = [
        message("new_session", "page"),
        message("delta", "looks each second", (0, 0), "fragment"),
        message("delta", "stands behind it", (0, 1)),
        message("script_finished"),
    ]
    again = [
        message("new_session", "fragment"),
        message("delta", "looked again", (0, 0), "fragment"),
        message("script_finished"),
    ]
    queue = ForwardMsgQueue()
    for one in page:
        queue.enqueue(one)
    queue.clear(
        retain_lifecycle_msgs=True, fragment_ids_this_run=["fragment"]
    )  # as Streamlit does when a run begins
    for one in again:
        queue.enqueue(one)
    assert queue.flush() == page + again

    for one in page:
        queue.enqueue(one)
    queue.clear(
        retain_lifecycle_msgs=True
    )  # of a page that is asked for anew nothing need be sent that waits
    assert [one.WhichOneof("type") for one in queue.flush()] == ["new_session", "script_finished"]
