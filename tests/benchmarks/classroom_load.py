"""A class as its server sees it: phones that come, wait and answer, all at once, and a server that is killed meanwhile.

Phones are connections without a browser that ask what the students' page asks, in its order. All on the loopback interface of this
machine, so phones and server share its cores.
"""

import asyncio
import contextlib
import json
import random
import signal
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from os import kill
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import create_engine

import page
from first_views import chromium
from gd_core.classroom import rooms, rules
from gd_core.classroom.kept import new_token
from gd_core.classroom.rooms import Judgement, Question, Room
from gd_core.classroom.store import Classroom
from harness import Bar, Column, Section, Table
from lab import PHONE
from pages.ui.classroom import connection, phone_files
from pages.ui.classroom.watch import KEPT
from process import cpu_seconds, resident
from serving import Server, free_port, serving
from visitor import Visitor, visiting

FIRST_VISIT = ("join", *(address for address in phone_files.SCRIPTS if address.startswith("join/")))
QUESTION = Question(
    title="One parameter, one slope",
    text="What will the point do with this rate?",
    answers=("It comes closer from one side", "It jumps across and comes closer", "It flies away"),
    address="one_parameter?learning_rate=0.1",
)
WALL, PROJECTOR = "one_parameter", "view=projector"
JUDGEMENT = Judgement(right=(1,), sentence="What happened: it jumps across and comes closer.")
# When the question was painted for the first time, in milliseconds since the page was asked for.
_PAINTED = """(() => {
    const look = () => document.querySelector('h1')?.textContent === %s
        && requestAnimationFrame(() => setTimeout(() => { window.painted ??= performance.now(); }));
    new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
})()"""


class Site(NamedTuple):
    """One server or several behind an address, and the database of their classes."""

    url: str
    pids: tuple[int, ...]
    store: str = f"sqlite:///{connection.FILE}"

    @property
    def cpu(self) -> float:
        """Seconds of processor of those that live."""
        return sum(cpu_seconds(pid) for pid in self.pids if Path(f"/proc/{pid}").exists())


class Refused(Exception):
    """The server did not say 200."""


@dataclass
class Phone:
    """A phone of one student.

    Attributes:
        room: The room's code.
        weight: Bytes that it was sent.
        heard: What the stream has said last.
        cookie: By which nginx knows it again.
        moved: Whether its stream has broken off.
    """

    host: str
    port: int
    room: str
    word: str = field(default_factory=new_token)
    weight: int = 0
    heard: dict[str, Any] = field(default_factory=dict)
    cookie: str = ""
    moved: bool = False
    _line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, method: str, path: str, **fields: Any) -> Any:
        """One request, over the connection that is open, or anew where the server has closed that: it does after five seconds."""
        kept, request = self._line, self._request(method, path, fields)
        try:
            status, body = await self._exchange(request)
        except (asyncio.IncompleteReadError, ConnectionError):
            self._line = None
            if not kept:
                raise
            status, body = await self._exchange(request)
        self.weight += len(body)
        if status != 200:
            raise Refused(body.decode())
        return json.loads(body) if fields else body

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        self._line = self._line or await asyncio.open_connection(self.host, self.port)
        reader, writer = self._line
        writer.write(request)
        status, headers = await self._head(reader)
        return status, await reader.readexactly(int(headers["content-length"]))

    async def visit(self) -> float:
        """A first visit with an empty cache: seconds until the phone knows what to show."""
        begun = time.perf_counter()
        for path in FIRST_VISIT:
            await self.ask("GET", path)
        await self.enter()
        return time.perf_counter() - begun

    async def enter(self) -> Any:
        return await self.ask("POST", "join/enter", room=self.room, word=self.word)

    async def vote(self, answer: int) -> Any:
        return await self.ask(
            "POST", "join/vote", room=self.room, word=self.word, answer=answer, number=1, round=1
        )

    async def listen(self) -> None:
        """Hear the room's stream until cancelled; where it breaks off, come back as the page does."""
        while True:
            with contextlib.suppress(OSError, EOFError, Refused):
                await self._stream()
            self.moved = True
            await asyncio.sleep(1 + random.random())
            with contextlib.suppress(OSError, EOFError, Refused):
                self._hear(await self.enter())

    async def _stream(self) -> None:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(self._request("GET", f"join/events?room={self.room}", {}))
            await self._head(reader)
            while line := await reader.readline():
                self.weight += len(line)
                if line.startswith(b"data: "):
                    self._hear(json.loads(line[6:]))
        finally:
            writer.close()

    def _hear(self, news: dict[str, Any]) -> None:
        self.heard = news
        self._news.set()

    async def told(self, phase: str, round: int = 1) -> None:
        """Until the stream has said that the room is in this phase."""
        while (self.heard.get("phase"), self.heard.get("round")) != (phase, round):
            self._news.clear()
            await self._news.wait()

    def close(self) -> None:
        if self._line:
            self._line[1].close()
        self._line = None

    def _request(self, method: str, path: str, fields: dict[str, Any]) -> bytes:
        body = json.dumps(fields).encode() if fields else b""
        head = [f"{method} /{path} HTTP/1.1", f"Host: {self.host}:{self.port}", "Accept-Encoding: gzip"]
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if fields else []
        head += [f"Cookie: {self.cookie}"] if self.cookie else []
        return "\r\n".join([*head, "", ""]).encode() + body

    async def _head(self, reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
        head = await reader.readuntil(b"\r\n\r\n")
        self.weight += len(head)
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines if line)}
        self.cookie = headers.get("set-cookie", self.cookie).partition(";")[0]
        return int(first.split()[1]), headers


class Teacher:
    """A room, steered at the store as the lesson's page does."""

    def __init__(self, site: Site) -> None:
        connection.FILE.parent.mkdir(exist_ok=True)
        self._engine = create_engine(site.store)
        self.store = Classroom(self._engine)
        room, self.token = self.store.open_room(datetime.now(UTC))
        self.code = room.code
        self._at = urlsplit(site.url)

    def phone(self) -> Phone:
        return Phone(self._at.hostname or "", self._at.port or 0, self.code)

    @property
    def room(self) -> Room:
        """As it stands in the store."""
        return self.store.room(self.code, datetime.now(UTC))

    def ask(self) -> None:
        """The question of the wall's page, as from the remote; without a wall one that is written here."""
        step = rules.ask if self.room.offered else partial(rules.ask, question=QUESTION, judgement=JUDGEMENT)
        self.store.steer(self.code, self.token, step, datetime.now(UTC))

    def answered(self) -> int:
        """By the store itself."""
        return self.store.look(self.code, datetime.now(UTC)).tally.answered

    async def watch(self, seen: list[tuple[float, int]]) -> None:
        """Look every second, as the teacher's screens do, and note how many answers it shows."""
        phone = self.phone()
        try:
            while True:
                found = await phone.ask("POST", "remote/look", room=self.code, token=self.token)
                seen.append((time.perf_counter(), found["answered"]))
                await asyncio.sleep(1)
        finally:
            phone.close()

    @asynccontextmanager
    async def wall(self, lesson: str = WALL) -> AsyncGenerator[Visitor]:
        """A lesson's page in large type, as its tab comes to this class after a reload."""
        async with visiting(self._at.geturl(), lesson, PROJECTOR) as wall:
            await wall.open()
            shown = await wall.tell("keys", "class", f"{self.code} {self.token}")
            assert not shown.errors
            yield wall

    def close(self) -> None:
        with contextlib.suppress(rooms.NoRoom):
            self.store.delete_room(self.code, self.token, datetime.now(UTC))
        self._engine.dispose()


async def look_up(wall: Visitor, seen: list[tuple[float, int]]) -> None:
    """Have a wall look as often as its page asks for it, and note how many answers it shows."""
    ((fragment, every),) = wall.looks.items()
    while True:
        begun = time.perf_counter()
        looked = await wall.look(fragment)
        assert not looked.errors
        seen.append((time.perf_counter(), int(wall.progress.partition(" of ")[0] or 0)))
        await asyncio.sleep(max(0.0, begun + every - time.perf_counter()))


@asynccontextmanager
async def in_class(site: Site, count: int) -> AsyncGenerator[tuple[Teacher, list[Phone]]]:
    """So many phones that are in one room and listen."""
    teacher = Teacher(site)
    phones = [teacher.phone() for _ in range(count)]
    try:
        await asyncio.gather(*(phone.enter() for phone in phones))
        tasks = [asyncio.create_task(phone.listen()) for phone in phones]
        await asyncio.gather(*(phone.told("lobby") for phone in phones))
        yield teacher, phones
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for phone in phones:
            phone.close()
    finally:
        teacher.close()


@dataclass
class Vote:
    """What a vote of the whole class took.

    Attributes:
        heard: Seconds until each phone had the question.
        taken: Seconds until each answer was acknowledged.
        shown: Seconds until each was on the teacher's remote.
        on_wall: Seconds until each was on the wall: empty without one.
        failed: How many were refused or lost.
        cpu: Of the server.
    """

    heard: list[float]
    taken: list[float]
    shown: list[float]
    on_wall: list[float]
    failed: int
    cpu: float


async def vote(
    site: Site, teacher: Teacher, phones: list[Phone], within: float, wall: Visitor | None = None
) -> Vote:
    """Ask, and have each phone answer at a moment of its own within so many seconds."""
    by_remote: list[tuple[float, int]] = []
    by_wall: list[tuple[float, int]] = []
    sent: list[float] = []
    heard: list[float] = []
    taken: list[float] = []
    rng = random.Random(0)
    before = site.cpu
    screens = {asyncio.create_task(teacher.watch(by_remote)): by_remote}
    if wall:
        screens[asyncio.create_task(look_up(wall, by_wall))] = by_wall
    asked = time.perf_counter()
    teacher.ask()

    async def one(phone: Phone, after: float) -> None:
        await phone.told("voting")
        heard.append(time.perf_counter() - asked)
        await asyncio.sleep(after)
        begun = time.perf_counter()
        await phone.vote(rng.randrange(len(QUESTION.answers)))
        sent.append(begun)
        taken.append(time.perf_counter() - begun)

    found = await asyncio.gather(
        *(one(phone, rng.uniform(0, within)) for phone in phones), return_exceptions=True
    )
    for watching, seen in screens.items():
        while not seen or seen[-1][1] < len(sent):
            if watching.done():
                watching.result()  # why the screen was lost
            await asyncio.sleep(0.05)
        watching.cancel()
    await asyncio.wait(screens)
    cpu = site.cpu - before
    # the k-th answer that was taken is on a screen when it shows k
    shown, on_wall = (
        [next(at for at, count in seen if count > k) - begun for k, begun in enumerate(sent)] if seen else []
        for seen in (by_remote, by_wall)
    )
    lost = len(phones) - teacher.answered()
    return Vote(
        heard, taken, shown, on_wall, max(lost, sum(isinstance(one, Exception) for one in found)), cpu
    )


def late(times: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


# ------------------------------------------------------------------------------------------------------- the part


def of_a_class(quick: bool) -> Section:
    """All that section has: one room that answers, the same beside Train, rooms that wait, first visits, kill −9."""
    count = 30 if quick else 150
    with serving() as server:
        site = Site(server.url, (server.pid,))
        asyncio.run(page._warm(server))
        arrived = asyncio.run(_first_visits(site, count))
        scanned = _scanned(site, 2 if quick else 7)
        alone = asyncio.run(_answers(site, count))
        beside, pressed = asyncio.run(_answers_beside_train(site, server, count, 4 if quick else 20))
        rooms, seconds = (3, 5) if quick else (10, 20)
        cores, memory = asyncio.run(_waiting(site, rooms, 30, seconds))
    lost, back = _killed(10 if quick else 50)
    table = Table(
        f"{count} phones in one room, which answer within 10 s",
        [Column("what"), Column("median", "s"), Column("95 %", "s"), Column("slowest", "s")],
    )
    for what, times in (
        ("a first visit in a browser, until the question is painted at 390 pixels", scanned),
        ("a first visit, all at once, until the phone knows what to show", arrived.times),
        ("the question is on the phone", alone.heard),
        ("an answer is taken", alone.taken),
        ("an answer is on the teacher's remote", alone.shown),
        ("the same while others press Train", beside.shown),
        ("an answer is on the wall", alone.on_wall),
        ("the same while others press Train", beside.on_wall),
    ):
        table.rows.append([what, statistics.median(times), late(times), max(times)])
    costs = Table(
        "what it costs the server",
        [Column("what"), Column("server CPU", "s"), Column("cores", "number")],
        [
            [f"{count} first visits", arrived.cpu, None],
            [f"a question that {count} answer, 10 s", alone.cpu, alone.cpu / 10],
            [f"{rooms} rooms of 30 that wait", cores * seconds, cores],
        ],
        note=f"{rooms} rooms more take {memory:.1f} MB.",
    )
    failed = alone.failed + beside.failed
    return Section(
        "A class, live",
        "Phones without a browser ask what the students' page asks. The remote looks once a second; the wall, a lesson in projector mode, as often as its page has it look.",
        [table, costs],
        [
            Bar(f"{count} answer within 10 s", "nobody fails", f"{failed} failed", not failed),
            _in_time("teacher's remote", alone.shown),
            _in_time("wall", alone.on_wall),
            Bar("20 visitors press Train meanwhile, to the last chart", "≤ 2.25 s", f"{pressed:.2f} s", pressed <= 2.25),
            Bar("10 rooms of 30 wait", "≤ 0.1 cores", f"{cores:.3f}", cores <= 0.1),
            Bar("a first visit", "≤ 100 kB in ≤ 6 requests", f"{arrived.weight / 1000:.1f} kB in {len(FIRST_VISIT) + 2}", arrived.weight <= 1e5),
            Bar("the question on a screen of 390 pixels", "≤ 1 s after the scan", f"{statistics.median(scanned):.2f} s", statistics.median(scanned) <= 1),
            Bar(f"{count} first visits at once", "≤ 3 s", f"{max(arrived.times):.2f} s", max(arrived.times) <= 3),
            Bar("kill −9 in the middle of a vote", "no acknowledged answer is lost", f"{lost} lost, back after {back:.1f} s", not lost),
        ],
    )  # fmt: skip


def _in_time(screen: str, times: list[float]) -> Bar:
    """How soon an answer has to be on one of the teacher's screens."""
    median, slow = statistics.median(times), late(times)
    got = f"{median:.2f} s, {slow:.2f} s"
    return Bar(f"an answer is on the {screen}", "≤ 2 s median, ≤ 4 s 95 %", got, median <= 2 and slow <= 4)


@dataclass
class Arrived:
    """First visits.

    Attributes:
        times: Seconds of each.
        weight: Bytes of one, heads of the answers included.
        cpu: Of the server, for all.
    """

    times: list[float]
    weight: float
    cpu: float


async def _first_visits(site: Site, count: int) -> Arrived:
    teacher = Teacher(site)
    teacher.ask()
    phones = [teacher.phone() for _ in range(count)]
    await phones[0].visit()  # loads the database
    before = site.cpu
    times = await asyncio.gather(*(phone.visit() for phone in phones[1:]))
    cpu = site.cpu - before
    for phone in phones:
        phone.close()
    teacher.close()
    return Arrived(list(times), statistics.median(phone.weight for phone in phones), cpu)


def _scanned(site: Site, visits: int) -> list[float]:
    """Seconds from the scan until the question is painted, in a Chromium of a phone's width with an empty cache."""
    teacher, found = Teacher(site), []
    teacher.ask()
    with chromium() as browser:
        for _ in range(1 + visits):  # the first is the warm-up
            tab = browser.new_context(viewport=PHONE).new_page()
            tab.add_init_script(_PAINTED % json.dumps(QUESTION.text))
            tab.goto(f"{site.url}/join?room={teacher.code}")
            tab.wait_for_function("() => window.painted")
            found.append(tab.evaluate("painted") / 1000)
            tab.context.close()
    teacher.close()
    return found[1:]


async def _answers(site: Site, count: int) -> Vote:
    async with in_class(site, count) as (teacher, phones), teacher.wall() as wall:
        return await vote(site, teacher, phones, 10, wall)


async def _answers_beside_train(site: Site, server: Server, count: int, trains: int) -> tuple[Vote, float]:
    """The vote, and how long the slowest of so many visitors waits for Train who press it in the middle."""

    async def press() -> float:
        await asyncio.sleep(3)
        row = await page._burst(server, trains, False, 0)
        return float(row[3] or 0)

    async with in_class(site, count) as (teacher, phones), teacher.wall() as wall:
        voted, pressed = await asyncio.gather(vote(site, teacher, phones, 10, wall), press())
    return voted, pressed


async def _waiting(site: Site, rooms: int, each: int, seconds: float) -> tuple[float, float]:
    """Cores that so many rooms take while nothing happens, and megabytes."""
    before = resident(site.pids[0])
    async with AsyncExitStack() as stack:
        for _ in range(rooms):
            await stack.enter_async_context(in_class(site, each))
        await asyncio.sleep(1)
        cpu, at = site.cpu, time.perf_counter()
        await asyncio.sleep(seconds)
        return (site.cpu - cpu) / (time.perf_counter() - at), resident(site.pids[0]) - before


def _killed(count: int) -> tuple[int, float]:
    """Acknowledged answers that are gone after kill −9 in the middle of a vote, and seconds from the new start until all are back."""
    port = free_port()
    acknowledged = 0

    async def until_killed(server: Server) -> tuple[Teacher, list[Phone]]:
        nonlocal acknowledged
        teacher = Teacher(Site(server.url, (server.pid,)))
        phones = [teacher.phone() for _ in range(count)]
        await asyncio.gather(*(phone.enter() for phone in phones))
        teacher.ask()
        tasks = [asyncio.create_task(phone.vote(k % 3)) for k, phone in enumerate(phones)]
        for task in asyncio.as_completed(tasks):
            await task
            if teacher.answered() >= count // 2:
                break
        kill(server.pid, signal.SIGKILL)
        done = await asyncio.gather(*tasks, return_exceptions=True)
        acknowledged = sum(isinstance(one, dict) for one in done)
        for phone in phones:
            phone.close()
        return teacher, phones

    async def back(phones: list[Phone]) -> int:
        seen = await asyncio.gather(*(phone.enter() for phone in phones))
        for phone in phones:
            phone.close()
        return sum(one["said"] != [None] and one["phase"] == "voting" for one in seen)

    with serving(port=port) as server:
        teacher, phones = asyncio.run(until_killed(server))
    begun = time.perf_counter()
    with serving(port=port):
        found = asyncio.run(back(phones))
        took = time.perf_counter() - begun
    teacher.close()
    return max(0, acknowledged - found), took


# ------------------------------------------------------------------------------------------------------ many rooms


def of_many_rooms(quick: bool) -> Section:
    """Memory of the server and the store's size while rooms come and go."""
    count = 80 if quick else 1000
    with serving() as server:
        page._visit(server)
        memory, size = asyncio.run(_come_and_go(Site(server.url, (server.pid,)), count, 0 if quick else KEPT))
    (early, late), (small, large) = memory, size
    return Section(
        "A class's rooms, come and gone",
        f"{count:,} rooms, 25 at a time: three phones join, are asked, hear it, answer; then the room is deleted.",
        [
            Table(
                "memory of the server, and the store's file",
                [Column("when"), Column("memory", "MB"), Column("store", "MB")],
                [
                    [f"after {count // 8:,} rooms", early, small],
                    [f"after {count:,}, and a minute in which nobody looks", late, large],
                ],
            )
        ],
        [
            Bar(f"memory after {count:,} rooms", "flat, within 3 %", f"{100 * (late / early - 1):+.1f} %", late <= 1.03 * early),
            Bar(f"the store after {count:,} rooms", "flat, within 3 %", f"{small:.2f} MB, then {large:.2f} MB", large <= 1.03 * small),
        ],
    )  # fmt: skip


async def _come_and_go(site: Site, count: int, wait: float) -> tuple[list[float], list[float]]:
    """Memory of the server and the size of the store, in MB: after an eighth of the rooms, and after all and the wait."""
    memory, size = [], []

    async def note() -> None:
        async with in_class(site, 1):  # who looks has rooms forgotten that nobody looks at
            pass
        memory.append(resident(site.pids[0]))
        with closing(
            sqlite3.connect(connection.FILE)
        ) as store:  # its log is as long as what was written last
            store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size.append(sum(one.stat().st_size for one in connection.FILE.parent.glob("*.sqlite3*")) / 1e6)

    async def room() -> None:
        async with in_class(site, 3) as (teacher, phones):
            teacher.ask()
            await asyncio.gather(*(phone.told("voting") for phone in phones))
            await asyncio.gather(*(phone.vote(0) for phone in phones))

    together = min(25, count // 8)
    for done in range(together, count + 1, together):
        await asyncio.gather(*(room() for _ in range(together)))
        if done == count // 8:
            await note()
    await asyncio.sleep(wait)
    await note()
    return memory, size


# ------------------------------------------------------------------------------------------------ several processes


def of_three_processes(quick: bool) -> Section:
    """A class at three processes behind nginx with docs/nginx.conf, in one PostgreSQL; then one of them is killed."""
    from postgres import Postgres

    from affinity import PORTS, proxy

    count, database = 60 if quick else 300, Postgres()
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            secrets = folder / "secrets.toml"
            secrets.write_text(f'[connections.classroom]\nurl = "{database.url}"\n', encoding="utf-8")
            flags = ("--secrets.files", str(secrets))
            servers = [stack.enter_context(serving(flags=flags)) for _ in PORTS]
            url, _ = stack.enter_context(proxy(servers, folder))
            site = Site(url, tuple(server.pid for server in servers), database.url)
            for server in servers:
                asyncio.run(page._warm(server))
            entrance = Server(url, servers[0].pid)
            beside, pressed = asyncio.run(_answers_beside_train(site, entrance, count, 4 if quick else 20))
            voted, back, moved = asyncio.run(_one_is_killed(site, count))
    finally:
        database.remove()
    table = Table(
        f"{count} phones in one room at three processes, which answer within 10 s",
        [Column("what"), Column("median", "s"), Column("95 %", "s"), Column("slowest", "s")],
    )
    for what, times in (
        ("an answer is taken", voted.taken),
        ("an answer is on the teacher's remote", voted.shown),
        ("the same while others press Train", beside.shown),
        ("an answer is on the wall, while others press Train", beside.on_wall),
    ):
        table.rows.append([what, statistics.median(times), late(times), max(times)])
    failed = voted.failed + beside.failed
    return Section(
        "A class at three processes",
        "Behind nginx with docs/nginx.conf, in one PostgreSQL.",
        [table],
        [
            Bar(f"{count} answer within 10 s", "nobody fails", f"{failed} failed", not failed),
            _in_time("teacher's remote", voted.shown),
            Bar("20 visitors press Train meanwhile, to the last chart", "≤ 2.25 s", f"{pressed:.2f} s", pressed <= 2.25),
            Bar(f"a process is killed: its {moved} students are back", "≤ 10 s", f"{back:.1f} s", back <= 10),
        ],
    )  # fmt: skip


async def _one_is_killed(site: Site, count: int) -> tuple[Vote, float, int]:
    """The vote; seconds from the kill until each phone has been asked again; how many of them had to move."""
    async with in_class(site, count) as (teacher, phones):
        voted = await vote(site, teacher, phones, 10)
        begun = time.perf_counter()
        kill(site.pids[0], signal.SIGKILL)
        teacher.store.steer(teacher.code, teacher.token, rules.ask_again, datetime.now(UTC))
        await asyncio.gather(*(phone.told("voting", 2) for phone in phones))
        return voted, time.perf_counter() - begun, sum(phone.moved for phone in phones)
