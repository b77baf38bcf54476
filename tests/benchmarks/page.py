"""The page as its server sees it: what a press of Train takes, many visitors at once, the first visit, memory.

Visitors are connections without a browser: see `visitor`. All on the loopback interface of this machine.
"""

import asyncio
import statistics
import time
from collections.abc import Coroutine, Iterable
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlencode

from harness import Bar, Cell, Column, Section, Table
from process import cpu_seconds, resident
from serving import Server, serving
from visitor import Answer, Visitor, visiting

MEASURED = {"dataset": "noisy-quadratic", "learning_rate": "0.1", "epochs": "1000", "scale_features": "true"}
LEAST = "tests/benchmarks/apps/two_charts.py"
WATCHED = ("--server.fileWatcherType", "auto")  # as `make dev` starts it, and Streamlit by default
REST = 0.15  # seconds after an answer, in which the server tidies up: that belongs to it


def query(number: int = 0) -> str:
    """The measured experiment; another number is another rate, and so another experiment."""
    return urlencode(MEASURED | {"learning_rate": f"{0.1 * (1 - number / 10_000):.6g}"})


# ------------------------------------------------------------------------------------------------- a press of Train


def press(quick: bool) -> Section:
    """Processor time and kilobytes of a press of Train."""
    count = 6 if quick else 20
    with serving() as server:
        found = asyncio.run(_presses(server, count))
    table = Table(
        f"the noisy quadratic, scaled, 1,000 epochs; {count} presses each",
        [
            Column("whose"),
            Column("server CPU", "s"),
            Column("spread", "share"),
            Column("to the last chart", "s"),
            Column("sent", "kB"),
        ],
    )
    for whose, presses in found.items():
        seconds = sorted(cpu for cpu, _ in presses)
        low, _, high = statistics.quantiles(seconds, n=4, method="inclusive")
        middle = statistics.median(seconds)
        answers = [answer for _, answer in presses]
        row: list[Cell] = [whose, middle, (high - low) / middle]
        charts = [one.last_chart or one.seconds for one in answers]
        row += [statistics.median(charts), statistics.median(one.size for one in answers) / 1000]
        table.rows.append(row)
    new, again, same = (float(row[1] or 0) for row in table.rows)
    weight = max(float(row[4] or 0) for row in table.rows)
    return Section(
        "A press of Train",
        "What the server computes, from the press until it rests again.",
        [table],
        [
            Bar("press of Train, trained before by anyone", "≤ 0.05 s of CPU", f"{max(again, same):.3f} s", max(again, same) <= 0.05),
            Bar("press of Train, never trained before", "≤ 0.10 s of CPU", f"{new:.3f} s", new <= 0.10),
            Bar("a press sends", "≤ 150 kB", f"{weight:.0f} kB", weight <= 150),
        ],
    )  # fmt: skip


async def _presses(server: Server, count: int) -> dict[str, list[tuple[float, Answer]]]:
    async def one(visitor: Visitor) -> tuple[float, Answer]:
        before = cpu_seconds(server.pid)
        answer = await visitor.press("Train")
        await asyncio.sleep(REST)
        return cpu_seconds(server.pid) - before, answer

    new, again, same = [], [], []
    for number in range(-1, count):  # the first is the warm-up
        async with visiting(server.url, query=query(number)) as visitor:
            await visitor.open()
            await asyncio.sleep(REST)
            new.append(await one(visitor))
            same.append(await one(visitor))
    for number in range(-1, count):
        async with visiting(server.url, query=query(number)) as visitor:
            await visitor.open()
            await asyncio.sleep(REST)
            again.append(await one(visitor))
    return {
        "never trained before": new[1:],
        "trained before by another": again[1:],
        "pressed once more": same[1:],
    }


# ------------------------------------------------------------------------------------------------ many at once


def visitors(quick: bool) -> Section:
    """From one visitor to fifty, all of whom press Train at the same moment."""
    table = Table(
        "from the press to the last chart",
        [Column("visitors", "count"), Column("what they train"), Column("median", "s"), Column("slowest", "s"), Column("server CPU", "s"), Column("failed", "count")],
    )  # fmt: skip
    bars = []
    slowest: dict[int, list[float]] = {}
    with serving() as server:
        asyncio.run(_warm(server))
        for count in (1, 20) if quick else (1, 5, 20, 50):
            for own in (False, True):
                for round_ in range(1 if quick else 3):
                    at = 1000 * count + 100 * round_ if own else 0
                    row = asyncio.run(_burst(server, count, own, at))
                    if not own:
                        slowest.setdefault(count, []).append(float(row[3] or 0))
                    failed = float(row[5] or 0)
                    kept = next((one for one in table.rows if one[:2] == row[:2]), None)
                    if kept is None:
                        table.rows.append(row)
                    else:  # the median of the rounds would hide a failure
                        kept[5] = float(kept[5] or 0) + failed
                        if float(row[3] or 0) < float(kept[3] or 0):
                            kept[2:5] = row[2:5]
    for count, wanted in ((20, 1.5), (50, 4.0)):
        if count in slowest:
            got = statistics.median(slowest[count])
            failed = sum(int(row[5] or 0) for row in table.rows if row[0] == count)
            met = got <= wanted and not failed
            bars.append(Bar(f"{count} visitors at once, to the last chart of the slowest", f"≤ {wanted:g} s, none fails", f"{got:.2f} s, {failed} failed", met))  # fmt: skip
    table.note = "The table has the best of the rounds, the bars the median."
    return Section("Many visitors at once", tables=[table], bars=bars)


async def _warm(server: Server) -> None:
    async with visiting(server.url, query=query()) as visitor:
        await visitor.open()
        await visitor.press("Train")


async def _burst(server: Server, count: int, own: bool, at: int) -> list[Cell]:
    async with AsyncExitStack() as stack:
        those = [
            await stack.enter_async_context(visiting(server.url, query=query(at + k if own else 0)))
            for k in range(count)
        ]
        opened = await asyncio.gather(*(one.open() for one in those))
        await asyncio.sleep(REST)
        before = cpu_seconds(server.pid)
        answers = await asyncio.gather(*(one.press("Train") for one in those))
        await asyncio.sleep(REST)
        took = cpu_seconds(server.pid) - before
    charts = [one.last_chart for one in answers if one.last_chart is not None]
    failed = sum(bool(one.errors) or one.last_chart is None for one in answers) + sum(
        bool(one.errors) for one in opened
    )
    what = "each its own rate" if own else "all the same"
    return [count, what, statistics.median(charts), max(charts), took, failed]


# --------------------------------------------------------------------------------------------------- the first visit


def first_visit(quick: bool) -> Section:
    """The first and the second visitor after a start, beside the least that such an app can be."""
    starts = 1 if quick else 5
    found: dict[str, list[tuple[float, ...]]] = {app: [] for app in (LEAST, "app.py")}
    for _ in range(starts):
        for app, rounds in found.items():
            begun = time.perf_counter()
            with serving(app) as server:
                up = time.perf_counter() - begun
                rounds.append((up, *asyncio.run(_two_visits(server)), resident(server.pid)))
    table = Table(
        f"the median of {starts} starts, from the request to the last chart",
        [Column("app"), *(Column(f"{who} visitor", "s") for who in ("first", "second"))],
        note="This app says that it is well when PyTorch is loaded and a run trained: until then it sends no more than the "
        "shell of a page.",
    )
    table.columns[1:1] = [Column("answers after", "s")]
    table.columns += [Column("memory", "MB")]
    for app, rounds in found.items():
        name = "two charts, and nothing else" if app == LEAST else "this app"
        table.rows.append([name, *map(statistics.median, zip(*rounds, strict=True))])

    bars = []
    for column, who, bar in ((1, "first", 1.3), (2, "second", 1.2)):
        pairs = zip(found[LEAST], found["app.py"], strict=True)
        ratio = statistics.median(ours[column] / least[column] for least, ours in pairs)
        name = f"{who} visitor after a start"
        bars.append(Bar(name, f"≤ {bar:g} × an app of two charts", f"{ratio:.2f} ×", ratio <= bar))
    count = 6 if quick else 20
    each = Table(
        f"server CPU of a later visit to Train; {count} visits each",
        [Column("how it is started"), Column("server CPU", "s")],
    )
    for how, flags in (("as the README says", ()), ("by make dev, which watches the files", WATCHED)):
        with serving(flags=flags) as server:
            each.rows.append([how, statistics.median(asyncio.run(opened(server, count)))])
    as_users_do = float(each.rows[0][1] or 0)
    bars.append(Bar("a visit to Train", "≤ 0.05 s of CPU", f"{as_users_do:.3f} s", as_users_do <= 0.05))
    return Section("The first visit after a start, and later ones", tables=[table, each], bars=bars)


async def opened(server: Server, count: int) -> list[float]:
    """Seconds of processor time of each of so many visits, from the request until the visitor is gone; three warm up."""
    took = []
    for _ in range(3 + count):
        before = cpu_seconds(server.pid)
        async with visiting(server.url) as visitor:
            answer = await visitor.open()
            assert not answer.errors
            await asyncio.sleep(REST)
        await asyncio.sleep(REST)
        took.append(cpu_seconds(server.pid) - before)
    return took[3:]


async def _two_visits(server: Server) -> tuple[float, float]:
    times = []
    for _ in range(2):
        async with visiting(server.url) as visitor:
            answer = await visitor.open()
            times.append(answer.last_chart or answer.seconds)
            await asyncio.sleep(REST)
    return times[0], times[1]


# ------------------------------------------------------------------------------------------------------------- memory


def memory(quick: bool) -> Section:
    """Memory after the first visit, of a session, and after many reloads and runs."""
    sessions, reloads, runs = (10, 16, 16) if quick else (50, 200, 1000)
    with serving() as server:
        bare = resident(server.pid)
        _visit(server)
        idle = resident(server.pid)
        held = asyncio.run(_sessions(server, sessions))
    with serving() as server:
        _visit(server)
        loaded = asyncio.run(_series(_reloads(server, reloads)))
    with serving() as server:
        _visit(server)
        trained = asyncio.run(_series(_runs(server, runs)))
    each = (held[1] - held[0]) / sessions
    marks = len(loaded)
    growth = Table(
        "memory as it goes on",
        [Column("what"), *(Column(f"{k + 1}/{marks}", "MB") for k in range(marks))],
        [[f"{reloads} reloads", *loaded], [f"{runs:,} runs, each of another rate, by one visitor", *trained]],
        "A session that has ended is kept for a minute (server.disconnectedSessionTTL), in case it comes back.",
    )
    later = [series[-1] / series[marks // 2 - 1] - 1 for series in (loaded, trained)]
    return Section(
        "Memory of the server",
        tables=[
            Table(
                "resident memory",
                [Column("when"), Column("memory", "MB")],
                [
                    ["before the first visit", bare],
                    ["after the first visit", idle],
                    [f"a session with a run of 1,000 epochs, of {sessions} at once", each],
                ],
            ),
            growth,
        ],
        bars=[
            Bar("memory after the first visit", "≤ 400 MB", f"{idle:.0f} MB", idle <= 400),
            Bar("memory of a session", "≤ 1.5 MB", f"{each:.2f} MB", each <= 1.5),
            Bar(f"{reloads} reloads, the second half", "flat, within 3 %", f"{100 * later[0]:+.1f} %", later[0] <= 0.03),
            Bar(f"{runs:,} runs, the second half", "flat, within 3 %", f"{100 * later[1]:+.1f} %", later[1] <= 0.03),
        ],
    )  # fmt: skip


def _visit(server: Server) -> None:
    asyncio.run(_warm(server))


async def _sessions(server: Server, count: int) -> tuple[float, float]:
    before = resident(server.pid)
    async with AsyncExitStack() as stack:
        for _ in range(count):
            visitor = await stack.enter_async_context(visiting(server.url, query=query()))
            await visitor.open()
            await visitor.press("Train")
        await asyncio.sleep(REST)
        return before, resident(server.pid)


def _reloads(server: Server, count: int) -> Iterable[tuple[Server, Coroutine[Any, Any, None]]]:
    async def reload() -> None:
        async with visiting(server.url, query=query()) as visitor:
            await visitor.open()

    return ((server, reload()) for _ in range(count))


def _runs(server: Server, count: int) -> Iterable[tuple[Server, Coroutine[Any, Any, None]]]:
    stack, kept = AsyncExitStack(), list[Visitor]()

    async def run(number: int) -> None:
        if not kept:
            kept.append(await stack.enter_async_context(visiting(server.url, query=query())))
        kept[0].query = query(number)
        await kept[0].open()
        await kept[0].press("Train")
        if number == count:
            await stack.aclose()

    return ((server, run(number)) for number in range(1, count + 1))


async def _series(work: Iterable[tuple[Server, Coroutine[Any, Any, None]]], marks: int = 8) -> list[float]:
    """Memory after each eighth of the work."""
    those = list(work)
    found = []
    for done, (server, one) in enumerate(those, 1):
        await one
        if done * marks // len(those) > (done - 1) * marks // len(those):
            await asyncio.sleep(REST)
            found.append(resident(server.pid))
    return found
