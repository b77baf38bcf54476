"""A page's first view in a real Chromium, beside the app of two charts: seconds, messages, elements, bytes.

The two apps take turns, so that a busy moment meets both. A fresh profile has fetched nothing yet; one that is kept has
Streamlit's files, and its compiled code.
"""

import statistics
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from chromium import executable_path
from first_view import FirstView
from harness import Bar, Cell, Column, Section, Table
from page import LEAST
from pages.ui.look.navigation import LESSONS
from serving import serving

WITHOUT_CHARTS, WITH_ONE = ("glossary",), ("one_parameter",)
TRAIN = "Train"
PAGES = {TRAIN: "/"} | {title: f"/{name}" for name, title in LESSONS.items() if name not in WITHOUT_CHARTS}
TWO_CHARTS = "two charts, and nothing else"
PATIENCE = 120_000  # milliseconds
# When each chart was there for the first time, in milliseconds since the page was asked for.
_DRAWN = """(() => {
    window.drawn = [];
    const look = () => {
        const now = document.querySelectorAll('.stVegaLiteChart :is(svg.marks, canvas.marks)').length;
        while (drawn.length < now) drawn.push(performance.now());
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true });
})()"""
_RESTS = "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"


class Seen(NamedTuple):
    """One visit: seconds to the second chart, and what the page was made of."""

    seconds: float
    messages: int
    elements: int
    nodes: int
    requests: int
    megabytes: float


@contextmanager
def chromium() -> Generator[Browser]:
    """The browser that measures."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        yield playwright.chromium.launch(executable_path=executable_path(), args=arguments)


def _visit(context: BrowserContext, address: str) -> Seen:
    charts = 1 if address.endswith(WITH_ONE) else 2
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.add_init_script(_DRAWN)
    view = FirstView(page)
    page.goto(address)
    page.wait_for_function(f"() => drawn.length >= {charts}")
    page.wait_for_function(_RESTS)
    seconds = page.evaluate(f"drawn[{charts - 1}]") / 1000
    page.wait_for_timeout(300)  # what is fetched last
    files = view.files
    seen = Seen(seconds, view.messages, view.elements, view.nodes, len(files), sum(files) / 1e6)
    page.close()
    return seen


def first_view(quick: bool) -> Section:
    """Train and each lesson, with a fresh profile and with one that is kept; the servers are warm."""
    rounds = 2 if quick else 7
    places = dict(list(PAGES.items())[:2]) if quick else PAGES
    fresh: dict[str, list[Seen]] = {name: [] for name in (TWO_CHARTS, *places)}
    kept: dict[str, list[Seen]] = {name: [] for name in fresh}
    with serving(LEAST) as least, serving() as ours, chromium() as browser:
        addresses = {TWO_CHARTS: least.url} | {name: ours.url + path for name, path in places.items()}
        profile = browser.new_context(viewport={"width": 1400, "height": 900})
        for number in range(-1, rounds):  # the first is the warm-up
            for name, address in addresses.items():
                once = browser.new_context(viewport={"width": 1400, "height": 900})
                for context, found in ((once, fresh), (profile, kept)):
                    seen = _visit(context, address)
                    if number >= 0:
                        found[name].append(seen)
                once.close()
    table = Table(
        f"the median of {rounds} visits each, to the second chart",
        [
            Column("page"), Column("fresh profile", "s"), Column("over two charts", "number"), Column("kept profile", "s"),
            Column("over two charts", "number"), Column("messages", "count"), Column("elements", "count"),
            Column("requests", "count"), Column("fetched", "MB"),
        ],
        note="Elements are those of the document and of its shadow trees. Fetched is what a fresh profile fetches.",
    )  # fmt: skip
    bars = []
    for name in fresh:
        one = fresh[name][-1]
        over = [_over(found[name], found[TWO_CHARTS]) for found in (fresh, kept)]
        row: list[Cell] = [name, _median(fresh[name]), over[0], _median(kept[name]), over[1]]
        table.rows.append([*row, one.messages, one.elements, one.requests, one.megabytes])
        if name != TWO_CHARTS:
            got = f"{over[0]:.2f} × fresh, {over[1]:.2f} × kept"
            bars.append(Bar(f"{name}, to the second chart", "≤ 1.4 × two charts", got, max(over) <= 1.4))
    train, two = fresh[TRAIN][-1], fresh[TWO_CHARTS][-1]
    weight = train.megabytes / two.megabytes
    bars += [
        Bar("messages of a first view of Train", "≤ 60", f"{train.messages}", train.messages <= 60),
        Bar("elements of Train", "≤ 1,300", f"{train.elements:,}", train.elements <= 1300),
        Bar("fetched by a fresh profile", "≤ 1.1 × two charts", f"{weight:.2f} ×", weight <= 1.1),
    ]
    return Section("The first view in a browser", tables=[table], bars=bars)


def _median(found: list[Seen]) -> float:
    return statistics.median(one.seconds for one in found)


def _over(found: list[Seen], least: list[Seen]) -> float:
    """The median of the ratios of the same round."""
    return statistics.median(a.seconds / b.seconds for a, b in zip(found, least, strict=True))


def from_the_command(quick: bool) -> Section:
    """From `streamlit run` to the second chart of who opens the page as soon as it answers."""
    starts = 1 if quick else 7
    found: dict[str, list[float]] = {app: [] for app in (LEAST, "app.py")}
    with chromium() as browser:
        for _ in range(starts):
            for app, seconds in found.items():
                begun = time.perf_counter()
                with serving(app, when="/") as server:  # the page: what a browser asks for
                    context = browser.new_context(viewport={"width": 1400, "height": 900})
                    up = time.perf_counter() - begun
                    seconds.append(up + _visit(context, server.url).seconds)
                    context.close()
    ratio = statistics.median(a / b for a, b in zip(found["app.py"], found[LEAST], strict=True))
    table = Table(
        f"the median of {starts} starts, with a fresh profile",
        [Column("app"), Column("to the second chart", "s")],
        [
            [TWO_CHARTS if app == LEAST else "this app", statistics.median(all_)]
            for app, all_ in found.items()
        ],
    )
    met = ratio <= 1.6
    bar = Bar("from the command to the charts", "≤ 1.6 × two charts", f"{ratio:.2f} ×", met)
    return Section("From the command to the charts", tables=[table], bars=[bar])
