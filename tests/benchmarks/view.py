"""What a student sees of a training, in a real Chromium: ours beside the usual ways to show one with Streamlit."""

import statistics
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from chromium import executable_path
from harness import Cell, Column, Section, Table
from page import query
from process import cpu_seconds
from serving import serving

PROBE = (Path(__file__).parent / "view.js").read_text(encoding="utf-8")
APPS = {
    "placeholders in a loop": "tests/benchmarks/apps/placeholder_loop.py",
    "a fast fragment": "tests/benchmarks/apps/fast_fragment.py",
    "this app": "app.py",
}
PATIENCE = 120_000  # milliseconds
PAUSE = (
    250  # milliseconds without a new picture, after which nothing plays any more: that time is not counted
)
# seconds from the press, in which pictures are counted: our player takes 6 for a run at its own speed
WATCHED, WATCHED_QUICK = 8, 3


def view(quick: bool) -> Section:
    """Pictures a second, charts made anew, kilobytes and processor time of one press of Train."""
    rounds: dict[str, list[list[Cell]]] = {name: [] for name in APPS}
    watched = WATCHED_QUICK if quick else WATCHED
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=executable_path(), args=arguments)
        for _ in range(1 if quick else 3):
            for name, app in APPS.items():
                rounds[name].append(_watch(browser, app, watched))
        browser.close()
    table = Table(
        f"a press of Train on the noisy quadratic, watched for {watched} seconds",
        [Column("who"), Column("to the first picture", "s"), Column("pictures", "count"), Column("pictures a second", "number"), Column("longest gap between two", "s"), Column("charts made anew", "count"), Column("sent", "kB"), Column("server CPU", "s")],
        note="A picture is an animation frame in which some chart was painted. The usual ways train 200 epochs and draw two charts; "
        "ours trains 1,000, draws three, and has them play at the rate of the display.",
    )  # fmt: skip
    for name, found in rounds.items():
        table.rows.append([name, *(_middle(column) for column in zip(*found, strict=True))])
    return Section("The view", tables=[table])


def _middle(values: tuple[Cell, ...]) -> Cell:
    numbers = [float(value) for value in values if value is not None]
    return statistics.median(numbers) if numbers else None


def _watch(browser: Browser, app: str, watched: int) -> list[Cell]:
    with serving(app) as server:
        page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
        page.set_default_timeout(PATIENCE)
        page.add_init_script(PROBE)
        sizes: list[int] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda data: sizes.append(len(data))))
        page.goto(f"{server.url}/?{query() if app == 'app.py' else ''}")
        train = page.get_by_role("button", name="Train", exact=True).last
        train.wait_for()
        page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        page.wait_for_timeout(1500)  # the code that draws charts is loaded behind
        sizes.clear()
        before, begun = cpu_seconds(server.pid), page.evaluate("(seen.begin(), performance.now())")
        train.click()
        page.wait_for_timeout(1000 * watched)
        frames, embeds = page.evaluate("[seen.frames, seen.embeds]")
        took = cpu_seconds(server.pid) - before
        page.context.close()
    gaps = [b - a for a, b in pairwise(frames)]
    playing = [gap for gap in gaps if gap < PAUSE]
    rate = 1000 * len(playing) / sum(playing) if playing else None
    first = (frames[0] - begun) / 1000 if frames else None
    longest = max(playing) / 1000 if playing else None
    return [first, len(frames), rate, longest, embeds, sum(sizes) / 1000, took]
