"""Random races, run again by plain loops in NumPy, and what the page says of them held against these."""

import math
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from gd_core.lessons.variants.race import Race, line_up, race, tempting, told
from gd_core.lessons.variants.racers import RACERS, TITLES
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of
from pages.ui.charts.variants import ticks
from pages.ui.lessons import variants

NUMBER = r"−?[\d.,]*\d(?:e−?\d+)?"
TITLE = "|".join(map(re.escape, sorted(TITLES.values(), key=len, reverse=True)))


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def drawn(seed: int, most: int = 12) -> tuple[Race, str]:
    """A race as the page's widgets can set it, and a unit."""
    dice = random.Random(seed)
    dataset = dice.choice(["noisy-quadratic", "two-features"])
    base = replace(
        Experiment.default(dataset),
        points=dice.choice([20, 20, 23, 40]),
        noise=dice.choice([0.0, 0.0, 0.5, 5.0]),
        data_seed=dice.randrange(1000),
        scale_features=dice.random() < 0.7,
        batch_size=dice.choice([2, 5, 7, 20]),
        epochs=dice.randint(1, most),
        seed=dice.randrange(1000),
        momentum=dice.choice([0.0, 0.3, 0.9, 0.99]),
        start=dice.choice(["published", "random", (0.0, 0.0, 20.0), (30.0, -4.0, 1.0)]),
    )
    problem = build(base)
    curvature = curvature_of(problem.objective)
    share = dice.choice([0.01, 0.1, 0.5, 0.9, 1.2, dice.uniform(0.01, 1.5)])
    base = replace(base, learning_rate=float(f"{share * 2 / curvature.largest:.4g}"))
    keys = tuple(dice.sample(list(RACERS), dice.randint(1, len(RACERS))))
    keys = tuple(key for key in RACERS if key in keys)
    rates = {key: 10 ** dice.uniform(-4, 0) for key in keys if dice.random() < 0.2}
    entries = line_up(base, keys, problem, curvature, small_batches=dice.random() < 0.3, rates=rates)
    target = 10 ** dice.uniform(-2, 2) if dice.random() < 0.2 else None
    finished = race(entries, [record(one.experiment) for one in entries], problem, curvature, target)
    return finished, dice.choice(["epoch", "update", "row"])


def by_hand(one: Experiment) -> tuple[np.ndarray, list[int]]:
    """RMSE of all rows before the first and after each update, and the rows seen by then: the textbook's rules."""
    problem = build(one)
    x, y = problem.linear.features.numpy(), problem.objective.target.numpy()
    theta = problem.start.numpy().copy()
    m, s = np.zeros_like(theta), np.zeros_like(theta)
    generator = torch.Generator().manual_seed(one.seed)
    rmse, seen, bound = [math.sqrt(np.mean((x @ theta - y) ** 2))], [0], 0.0
    bound = 1e6 * max(1.0, rmse[0] ** 2)
    size, k = one.batch_size or len(y), 0
    for epoch in range(one.epochs):
        rate = one.learning_rate / (1 + (0.1 * epoch if one.schedule == "inverse-time:0.1" else 0))
        order = np.arange(len(y)) if size == len(y) else torch.randperm(len(y), generator=generator).numpy()
        for at in range(0, len(y), size):
            rows, k = order[at : at + size], k + 1
            g = 2 / len(rows) * x[rows].T @ (x[rows] @ theta - y[rows])
            step = g
            match one.optimizer:
                case "momentum" | "nesterov":
                    m = one.momentum * m + g
                    step = m if one.optimizer == "momentum" else g + one.momentum * m
                case "adagrad":
                    s = s + g**2
                    step = g / (np.sqrt(s) + one.epsilon)
                case "rmsprop":
                    s = one.alpha * s + (1 - one.alpha) * g**2
                    step = g / (np.sqrt(s) + one.epsilon)
                case "adam":
                    m, s = one.beta1 * m + (1 - one.beta1) * g, one.beta2 * s + (1 - one.beta2) * g**2
                    step = (m / (1 - one.beta1**k)) / (np.sqrt(s / (1 - one.beta2**k)) + one.epsilon)
                case "newton":
                    step = np.linalg.lstsq(x, x @ theta - y, rcond=None)[0]
                case _:  # gradient descent
                    pass
            theta = theta - rate * step
            rmse.append(math.sqrt(np.mean((x @ theta - y) ** 2)))
            seen.append(seen[-1] + len(rows))
        if not rmse[-1] ** 2 <= bound:
            return np.array(rmse), seen
    return np.array(rmse), seen


def _same(said: float, true: float, first: float) -> bool:
    return math.isclose(said, true, rel_tol=6e-3, abs_tol=1e-9 * first)


def judged(finished: Race, unit: str) -> Iterator[str]:
    """What is wrong with all that is said of a race."""
    start, target = finished.start_rmse, finished.target
    runs = {one.entry.title: by_hand(one.entry.experiment) for one in finished.results}
    gone = {title: not rmse[-1] ** 2 <= 1e6 * max(1.0, start**2) for title, (rmse, _) in runs.items()}
    places: dict[str, float] = {}
    for one in finished.results:
        title, per_epoch = one.entry.title, one.entry.experiment.updates_per_epoch
        rmse, seen = runs[title]
        there = np.flatnonzero(rmse[: one.updates + 1] <= target * (1 + 1e-9) + 1e-12 * start)
        if len(there):
            update = int(there[0])
            places[title] = {"epoch": update / per_epoch, "update": update, "row": seen[update]}[unit]
    for key in {*(one.entry.key for one in finished.results), "none"} - set(
        finished.winners(unit) or ("none",)
    ):
        line = tempting(finished, unit, key)
        title = RACERS[key].title if key != "none" else ""
        needs = re.search(rf"It needs ({NUMBER}) \w+ to the target, and (.*?) ({NUMBER}) ", line)
        if needs and not (
            _same(number(needs[1]), places[title], 0)
            and _same(number(needs[3]), places[needs[2]], 0)
            and places[needs[2]] <= places[title]
        ):
            yield f"tempting: {line} {places}"
        if ("not at the target" in line and title in places) or ("diverged" in line and not gone[title]):
            yield f"tempting: {line} {places} {gone}"
    yield from _told_is_wrong(told(finished, unit), finished, unit, places, gone)
    yield from _said_is_wrong(finished, unit, runs, places, gone)
    for one in finished.results:
        rmse, _ = runs[one.entry.title]
        yield from _table_is_wrong(one, finished, rmse, gone[one.entry.title], runs)


def _told_is_wrong(text: str, finished: Race, unit: str, places: Any, gone: Any) -> Iterator[str]:
    first = re.match(rf"(.*?) (?:is|are) first at RMSE {NUMBER}, after ({NUMBER}) (\w+)\.", text)
    if bool(first) != bool(places):
        yield f"told: {text} {places}"
        return
    if first:
        best = min(places.values())
        names = set(re.findall(TITLE, first[1]))
        if names != {title for title, at in places.items() if math.isclose(at, best, rel_tol=1e-12)}:
            yield f"first: {text} {places}"
        if not _same(number(first[2]), best, 0) or (first[3] == unit) != (best == 1):
            yield f"after: {text} {places}"
        later = re.search(r"Then (.*?)\.(?: |$)", text)
        for title, at in re.findall(rf"({TITLE}) ({NUMBER})", later[1] if later else ""):
            if not _same(number(at), places[title], 0):
                yield f"then: {text} {places}"
    ended = re.search(r"Diverged: (.*)\.$", text)
    if set(re.findall(TITLE, ended[1] if ended else "")) != {
        title for title, is_gone in gone.items() if is_gone
    }:
        yield f"diverged: {text} {gone}"


def _said_is_wrong(finished: Race, unit: str, runs: Any, places: Any, gone: Any) -> Iterator[str]:
    drawn_at, _ = ticks(finished, unit)
    templates, choice, _ = variants._said(finished, unit, drawn_at)
    for place, which in zip(drawn_at.tolist(), choice, strict=True):
        text = templates[which]
        now = {}
        for one in finished.results:
            title, per_epoch = one.entry.title, one.entry.experiment.updates_per_epoch
            rmse, seen = runs[title]
            done = {
                "epoch": place * per_epoch,
                "update": place,
                "row": int(np.searchsorted(seen, place, "right")) - 1,
            }[unit]
            last = {"epoch": one.updates / per_epoch, "update": one.updates, "row": seen[one.updates]}[unit]
            out = gone[title] and place > last  # it is seen last there
            now[title] = math.inf if out else rmse[min(done, one.updates)]
        low = min(now.values())
        lowest = re.match(r"\w+ {epoch}: (.*?) (?:is|are) lowest", text)
        if lowest:
            names = set(re.findall(TITLE, lowest[1]))
            near = 1e-9 * finished.start_rmse
            if not all(now[name] <= low * (1 + 2e-6) + near for name in names):
                yield f"lowest: {text} {now}"
            if not names >= {title for title, rmse in now.items() if rmse <= low * (1 + 0.5e-6)}:
                yield f"also lowest: {text} {now}"
        elif place and not (math.isinf(low) and "all have diverged" in text):
            yield f"nobody: {text} {now}"
        arrived = set(re.findall(TITLE, text.partition("At the target: ")[2]))
        if arrived != {title for title, at in places.items() if at <= place}:
            yield f"arrived: {text} {places} {place}"


def _table_is_wrong(one: Any, finished: Race, rmse: np.ndarray, gone: bool, runs: Any) -> Iterator[str]:
    good, bad = variants._good_and_bad(one, finished, lambda text: text)
    text = f"{good} / {bad}"
    own, start = one.entry.experiment, finished.start_rmse
    kept = rmse[: one.updates + 1]
    certain = int((np.diff(kept) > 1e-6 * kept[:-1] + 1e-9 * start).sum())
    possible = int((np.diff(kept) > -1e-12 * kept[:-1] - 1e-13 * start).sum())
    found = re.search(
        rf"RMSE (?:rises in ({NUMBER}) of ({NUMBER}) updates?|never rises in its ({NUMBER}) update)", text
    )
    if found:
        said, of = number(found[1] or "0"), number(found[2] or found[3])
        if not certain <= said <= possible or of != own.epochs * own.updates_per_epoch or gone:
            yield f"rises: {text}, {certain} to {possible} of {len(kept) - 1}"
    elif not gone and "divides by" not in text and one.updates:
        yield f"silent: {text}"
    if "passes the bottom" in text and ((not certain and not possible) or own.updates_per_epoch > 1):
        yield f"passes: {text}"
    if any(word in text for word in ("circle", "swings", "fast", "scatter")):
        yield f"stock: {text}"
    compared = re.search(rf"({NUMBER}) updates? to the target, batch ({NUMBER})\.", text)
    if compared:
        mine, batch = number(compared[1]), number(compared[2])
        if (compared[0] in good) != (mine <= batch):
            yield f"good or bad: {text}"
    ends = re.search(rf"ends at ({NUMBER}) % of the first", text)
    if bool(ends) != (own.schedule != "constant" and not gone) or (
        ends and not _same(number(ends[1]), 100 / (1 + 0.1 * (own.epochs - 1)), 0)
    ):
        yield f"rate: {text}"
    lately = re.search(
        rf"Over the last ({NUMBER} )?epochs? its RMSE is ({NUMBER}) on average, Stochastic’s ({NUMBER})\.",
        text,
    )
    if ("on average" in text) != bool(lately):
        yield f"form: {text}"
    if lately:
        last = -min(10, own.epochs) * own.updates_per_epoch
        mine, theirs = rmse[last:].mean(), runs["Stochastic"][0][last:].mean()
        if not _same(number(lately[2]), mine, 0) or not _same(number(lately[3]), theirs, 0):
            yield f"on average: {text} {mine} {theirs}"
        if (lately[0] in good) != (mine < theirs):
            yield f"good or bad: {text}"
    if "point elsewhere" in text and own.updates_per_epoch == 1:
        yield f"batch: {text}"
    left = re.search(rf"a step leaves ({NUMBER}) % of the error", text)
    if bool(left) != (own.optimizer == "newton") or (
        left and not _same(number(left[1]), 100 * abs(1 - own.learning_rate), 0)
    ):
        yield f"left: {text}"
    below = re.search(rf"limit is ({NUMBER}) % of momentum", text)
    if below and not _same(number(below[1]), 100 / (1 + 2 * own.momentum), 0):
        yield f"below: {text}"
    if re.search(r"\b1 (?:steps|updates|rows|numbers|epochs)\b|nan|None|[{}]|e\+|-\d", text):
        yield f"form: {text}"


def wrong(seed: int, most: int = 12) -> list[str]:
    """All that is wrong with what is said of a drawn race."""
    return list(judged(*drawn(seed, most)))
