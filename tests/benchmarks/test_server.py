"""A server as its visitors meet it: what it sends, what it keeps, what it has loaded before the first one comes."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from classroom_load import Site, Vote, in_class, vote
from gd_core.classroom.rooms import Room
from page import WATCHED, opened, query
from pages.ui.look.described import TITLES
from process import has_mapped, open_files
from serving import PATIENCE, ROOT, Server, free_port, serving, wait_for
from visitor import Answer, visiting

HERE = Path(__file__).parent
SESSION = "streamlit.runtime.app_session.AppSession"
FILES_OF_A_SESSION = 4  # its event loop and its websocket


class Counted:
    """A server of the app that tells which objects of ours are alive in it."""

    def __init__(self) -> None:
        port = free_port()
        flags = {"server.port": port, "server.address": "127.0.0.1", "server.headless": "true"}
        flags |= {"server.disconnectedSessionTTL": 1}  # seconds for which a visitor who left may come back
        command = [sys.executable, str(HERE / "counted.py"), "app.py"]
        self.process = subprocess.Popen(
            [*command, *(f"--{name}={value}" for name, value in flags.items())],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.url = f"http://127.0.0.1:{port}"
        wait_for(f"{self.url}/_stcore/health", self.process)

    def alive(self) -> Counter[str]:
        """How many objects there are, by their class."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        while line := self.process.stdout.readline():
            if line.startswith(b"{"):
                return Counter(json.loads(line))
        raise RuntimeError("The server has ended.")

    def visit(self) -> Answer:
        """Somebody opens Train, presses the button, and leaves. What the press was answered with."""

        async def visit() -> Answer:
            async with visiting(self.url, query=query()) as visitor:
                opened, pressed = await visitor.open(), await visitor.press("Train")
                assert not opened.errors + pressed.errors
                return pressed

        return _alone(visit())

    def open(self, page: str) -> Answer:
        """Somebody opens a page and leaves. What it was answered with."""

        async def visit() -> Answer:
            async with visiting(self.url, page) as visitor:
                return await visitor.open()

        return _alone(visit())


def _alone(visit: Coroutine[Any, Any, Answer]) -> Answer:
    with ThreadPoolExecutor(1) as pool:  # in this thread, a browser test may have left its loop running
        return pool.submit(asyncio.run, visit).result()


@pytest.fixture(scope="module")
def server() -> Iterator[Counted]:
    one = Counted()
    yield one
    one.process.terminate()
    one.process.communicate(timeout=20)


def test_all_is_loaded_before_the_first_visitor(server):
    """When the server answers for the first time, it has trained the run that the page opens with."""
    alive = server.alive()
    assert alive[SESSION] == 0
    assert alive["gd_core.training.Recording"] == alive["gd_core.theory.Curvature"] == 1


def test_no_page_loads_pandas(server):
    """Neither a press of Train nor any page at its first view: it would take a tenth of the server's memory."""
    server.visit()
    for page in TITLES:
        assert not server.open(page).errors
    assert has_mapped(server.process.pid, "numpy")  # what is loaded can be seen
    assert not has_mapped(server.process.pid, "pandas")


def test_a_press_of_train_fits_through_a_slow_line(server):
    """The noisy quadratic over 1,000 epochs: charts, player and all the rest are less than 150 kB."""
    assert 50_000 < server.visit().size < 150_000


def test_a_press_of_train_runs_the_live_part_alone(server):
    """The menu and the side bar are not sent again, and the charts are."""
    sizes = server.visit().sizes
    assert not {"navigation", "page_config_changed", "text_input"} & set(sizes)
    assert {"bidi_component", "button"} <= set(sizes)


def test_no_press_is_lost_in_haste(server):
    """Train, pressed while the page still runs, trains, though the page is asked for once more before it has looked at the press."""

    async def hasty() -> None:
        async with visiting(server.url, query=query()) as visitor, asyncio.timeout(PATIENCE):
            await visitor.open()
            await visitor.press_in_haste("Train")
            await visitor.sees("Pin this run")

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, hasty()).result()


def test_a_visit_does_not_look_through_all_modules(server):
    """Started as the README says, a visit takes less than a third of the processor time that it takes with files watched.

    It is a tenth. Both are times of the server's process alone, so a busy machine changes neither much.
    """

    def visit(to: Server) -> float:
        with ThreadPoolExecutor(1) as pool:
            return statistics.median(pool.submit(asyncio.run, opened(to, 3)).result())

    with serving(flags=WATCHED) as watching:
        assert 3 * visit(Server(server.url, server.process.pid)) < visit(watching)


def test_the_server_has_our_rules(server):
    """Started as the README says, it sends the headers, keeps its metrics to itself and lets no nameless websocket in."""
    with urlopen(server.url) as page:
        assert page.headers["Content-Security-Policy"]
        assert page.headers["X-Content-Type-Options"] == "nosniff"
    for nobodys in ("/_stcore/metrics", "/a/b"):
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{server.url}{nobodys}")

    async def nameless() -> None:
        async with connect(
            f"{server.url.replace('http', 'ws')}/_stcore/stream", subprotocols=[Subprotocol("streamlit")]
        ):
            pass

    with pytest.raises(InvalidStatus, match="403"), ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, nameless()).result()


def test_no_run_ends_with_a_search_for_garbage():
    """As Streamlit itself reads our settings: of a class that looks every second each would wait for the others' searches."""
    asked = "from streamlit import config; print(config.get_option('runner.postScriptGC'))"
    said = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"


def test_a_class_answers_and_leaves_nothing_behind(server):
    """Forty phones in one moment: each is asked, heard and counted, on the wall too; when they have left, their streams are closed."""
    before = open_files(server.process.pid)

    async def lesson() -> Vote:
        here = Site(server.url, (server.process.pid,))
        async with in_class(here, 40) as (teacher, phones), teacher.wall() as wall:
            return await vote(here, teacher, phones, 0.5, wall)

    with ThreadPoolExecutor(1) as pool:
        voted = pool.submit(asyncio.run, lesson()).result()
    assert voted.failed == 0
    assert len(voted.taken) == len(voted.shown) == len(voted.on_wall) == 40
    begun = time.monotonic()
    while open_files(server.process.pid) > before + 10:  # the database's own, and what tidies up late
        assert time.monotonic() - begun < PATIENCE
        time.sleep(0.2)


def test_two_teach_a_class_from_two_lessons(server):
    """While both look on the room stands still, at the question of the page that came last; a press asks that of its own page."""

    async def lesson() -> tuple[list[Room], Room]:
        here = Site(server.url, (server.process.pid,))
        async with (
            in_class(here, 1) as (teacher, _),
            teacher.wall() as one,
            teacher.wall("gradient") as other,
        ):
            looked = []
            for wall in (one, other, one, other, one):
                ((fragment, _),) = wall.looks.items()
                assert not (await wall.look(fragment)).errors
                looked.append(teacher.room)
            assert not (await one.press("Ask the class")).errors
            return looked, teacher.room

    with ThreadPoolExecutor(1) as pool:
        looked, asked = pool.submit(asyncio.run, lesson()).result()
    assert looked == [looked[0]] * 5
    assert looked[0].offered
    assert looked[0].offered.title == "The gradient, η = 0.1"
    assert asked.question
    assert asked.question.address.startswith("one_parameter?")
    assert asked.judgement
    assert asked.judgement.right == (2,)  # it jumps across and comes closer


def test_sessions_are_let_go(server):
    """Ten visitors later, as many objects of ours are alive as after the first few, of every class, and no more files are open."""
    for _ in range(3):
        server.visit()
    before, files = server.alive(), open_files(server.process.pid)
    assert before[SESSION] > 0
    assert before["pages.ui.charts.model.View"] > 0
    for _ in range(10):
        server.visit()
    begun = time.monotonic()
    # Until the last visitors have been given up; what leaks only grows.
    while more := server.alive() - before:
        assert time.monotonic() - begun < PATIENCE, f"kept after their sessions: {more}"
        server.visit()
    assert open_files(server.process.pid) <= files + 2 * FILES_OF_A_SESSION


def test_visits_are_let_go_with_nobody_there(server):
    """When the last visitor has left, nothing of theirs stays: no run, no table, no chart. Streamlit holds an empty session."""
    server.visit()
    theirs = (
        "pages.ui.player.live_runs.Runs",
        "pages.ui.train.own_table.OwnTables",
        "pages.ui.look.current_charts.Drawn",
    )
    assert all(server.alive()[name] for name in theirs)
    begun = time.monotonic()
    while any((alive := server.alive())[name] for name in theirs):
        assert time.monotonic() - begun < PATIENCE, alive
        time.sleep(2)  # to count them takes the server as long as a page
    assert alive[SESSION] <= 1
