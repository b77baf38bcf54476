"""A loss that is no bowl: thousands of starts at once, and the relief in a real Chromium without a GPU."""

import statistics
from dataclasses import replace
from functools import partial

import torch
from playwright.sync_api import Page, sync_playwright

import peers
from chromium import executable_path
from core import race
from gd_core.landscape import box_of
from gd_core.problem import build
from gd_core.settings.experiment import Experiment
from gd_core.starts import Starts
from harness import Bar, Column, Section, Table, alternate
from serving import serving

SIDE, EPOCHS = 60, 200
OURS, PEER = "this app, with the valleys told apart", "torch.func: vmap of grad, the steps alone"
WAIT = 0.3  # seconds
SMOOTH = 30  # pictures a second
SECONDS = 4
# Counts the animation frames in which the relief was painted: its canvas is wiped before.
PROBE = """() => {
  const wipe = CanvasRenderingContext2D.prototype.clearRect;
  let painted = false;
  window.pictures = [];
  CanvasRenderingContext2D.prototype.clearRect = function (...where) {
    painted ||= Boolean(this.canvas.getRootNode().host?.closest('.st-key-relief'));
    return wipe.apply(this, where);
  };
  (function frame(now) {
    if (painted) window.pictures.push(now);
    painted = false;
    requestAnimationFrame(frame);
  })(0);
}"""


def starts(quick: bool) -> Section:
    """Where 60 × 60 starts end after 200 epochs."""
    side, epochs = (20, 40) if quick else (SIDE, EPOCHS)
    section = Section(
        "A map of starts",
        "Each start is trained by gradient descent at the data set’s own rate. Ours looks for the valley of each as well.",
    )
    for dataset in ("tide", "dose"):
        experiment = replace(Experiment.default(dataset), epochs=epochs)
        problem = build(experiment)
        shown = box_of(experiment, problem.start)
        assert shown is not None
        theta = problem.start.repeat(side**2, 1)
        places = torch.rand(side**2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        theta[:, :2] = torch.tensor(shown.centre) + (2 * places - 1) * torch.tensor(shown.half)

        def ours(experiment=experiment, problem=problem, shown=shown) -> object:
            made = Starts(experiment, problem, shown, side=side)
            made.advance()
            return made.recording()

        data, rate = problem.dataset, experiment.learning_rate
        peer = partial(peers.many_starts, problem.objective.model, data.x, data.y, theta, rate, epochs)
        times = alternate({PEER: peer, OURS: ours}, rounds=7, budget=40)
        section.tables.append(
            race(f"{experiment.info.title}: {side**2:,} starts × {epochs} epochs", times, PEER)
        )
        took = times[OURS].median
        section.bars.append(
            Bar(
                f"{side} × {side} starts, {epochs} epochs, {experiment.info.title}",
                f"≤ {WAIT} s",
                f"{took:.2f} s",
                took <= WAIT,
            )
        )
    return section


def relief(quick: bool) -> Section:
    """Pictures a second of the surface, played and turned."""
    section = Section("The relief")
    table = Table(
        "40 × 40 squares on a canvas, Chromium without a GPU",
        [Column("data set"), Column("played: pictures a second", "number"), Column("turned: pictures a second", "number")],
        note="Played, the other charts move as well. Turned, the pointer moves with every picture.",
    )  # fmt: skip
    with serving("app.py") as server, sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=executable_path(), args=arguments)
        for dataset in ("noisy-quadratic", "tide"):
            found = [_watched(browser.new_page(viewport={"width": 1400, "height": 900}), f"{server.url}/?dataset={dataset}")
                     for _ in range(1 if quick else 3)]  # fmt: skip
            played, turned = (statistics.median(one) for one in zip(*found, strict=True))
            title = Experiment.default(dataset).info.title
            table.rows.append([title, played, turned])
            least = min(played, turned)
            section.bars.append(
                Bar(
                    f"the relief of {title}", f"≥ {SMOOTH} pictures a second", f"{least:.0f}", least >= SMOOTH
                )
            )
        browser.close()
    section.tables.append(table)
    return section


def _watched(page: Page, url: str) -> tuple[float, float]:
    """Pictures a second while the run plays, and while the surface is turned."""
    page.goto(url)
    page.get_by_role("radio", name="In relief").click()
    canvas = page.locator(".st-key-relief canvas")
    canvas.wait_for()
    page.evaluate(PROBE)
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Pause").wait_for()
    canvas.evaluate("canvas => canvas.scrollIntoView({ block: 'center' })")
    page.evaluate("pictures.length = 0")
    page.wait_for_timeout(1000 * SECONDS)
    played = _rate(page)
    page.get_by_role("button", name="To end").click()
    canvas.evaluate("canvas => canvas.scrollIntoView({ block: 'center' })")
    page.wait_for_timeout(1000)
    box = canvas.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 4, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate("pictures.length = 0")
    page.mouse.move(x + box["width"] / 2, y, steps=400)
    turned = _rate(page)
    page.mouse.up()
    page.close()
    return played, turned


def _rate(page: Page) -> float:
    """Pictures a second, from the first to the last."""
    times = page.evaluate("pictures")
    return 1000 * (len(times) - 1) / (times[-1] - times[0])
