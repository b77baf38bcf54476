"""Random valleys: the errors along singular vectors in closed form, by NumPy, and the lesson's sentences held against them."""

import math
import random
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gd_core.lessons.landscape import pair
from gd_core.problem import build
from gd_core.settings.experiment import Experiment
from pages.ui.lessons.landscape import tables
from pages.ui.player import live_runs

NUMBER = r"−?[\d.,]*\d(?:e−?\d+)?"


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


class Valley:
    """A run's eigenvalues, the gap of each direction at the start, and what any number of epochs leaves of it."""

    def __init__(self, experiment: Experiment) -> None:
        problem = build(experiment)
        features, target = problem.linear.features.numpy(), problem.linear.target.numpy()
        _, sizes, vectors = np.linalg.svd(features, full_matrices=False)
        self.values = 2 / len(target) * sizes**2  # steepest first
        best = np.linalg.lstsq(features, target, rcond=None)[0]
        self.floor = math.sqrt(np.mean((features @ best - target) ** 2))
        self.first = 0.5 * self.values * (vectors @ (problem.start.numpy() - best)) ** 2
        self.size = math.sqrt(np.mean(target**2) + self.first.sum())

    def left(self, rate: float, epochs: float) -> np.ndarray:
        with np.errstate(divide="ignore", over="ignore"):
            return self.first * np.exp(2 * epochs * np.log(abs(1 - rate * self.values)))


def drawn(seed: int) -> Experiment:
    dice = random.Random(seed)
    dataset = dice.choice(["noisy-quadratic", "two-features"])
    experiment = replace(
        Experiment.default(dataset),
        points=dice.choice([4, 5, 20, 40]),
        noise=dice.choice([0.0, 0.5, 5.0]),
        data_seed=dice.randrange(1000),
        scale_features=dice.random() < 0.5,
        start=dice.choice(["published", "random", (1.0, -20.0, 5.0)]),
        seed=dice.randrange(1000),
        epochs=max(1, round(math.exp(dice.uniform(0, math.log(2000))))),
    )
    share = dice.choice([1.0, 10 ** dice.uniform(-4, 0), dice.uniform(0.3, 1), dice.uniform(1.001, 1.5)])
    rate = share * 2 / Valley(experiment).values[0]
    return replace(experiment, learning_rate=float(f"{rate:.6g}"))


def wrong(seed: int) -> Iterator[str]:
    """All that is wrong with what is said of a drawn valley, alone and beside its twin."""
    experiment = drawn(seed)
    part = live_runs.played(experiment, trained=True)
    valley, text = Valley(experiment), tables.summary([part], 0)
    left = valley.left(experiment.learning_rate, experiment.epochs)
    truth, whole = tables.truth(part), left.sum()
    rounding = 1e-13 * valley.size**2
    if truth == "none":
        if not (left <= np.maximum(1.1e-6 * valley.first, 1.1e-4 * valley.floor**2 + rounding)).all():
            yield f"arrived: {text} {valley.first} {left}"
    elif whole > 100 * rounding and part[0].recording.diverged_at is None:
        place = ("flat", "middle", "steep").index(truth)
        share = left[::-1][place] / whole
        if share < left.max() / whole - 1e-4:
            yield f"lags: {truth} {left}"
        said = re.search(rf"Direction (\d) holds ({NUMBER}) % of the gap", text)
        if said is None or int(said[1]) - 1 != place or abs(number(said[2]) / 100 - share) > 6e-3 * share:
            yield f"holds: {text} {left}"
    factors = abs(1 - experiment.learning_rate * valley.values[::-1])  # flattest first
    for guess in {"flat", "middle", "steep", "none"} - {truth}:
        line = tables.tempting(part, guess)
        shown = re.search(
            rf"multiplies its error by ({NUMBER}), and that of the (\w+).*? by ({NUMBER})", line
        )
        if shown:
            mine, other = (
                ("flat", "middle", "steep").index(guess),
                ("flattest", "middle", "steepest").index(shown[2]),
            )
            for text_, place in ((shown[1], mine), (shown[3], other)):
                if abs(number(text_) - factors[place]) > 6e-3 * factors[place] + 1e-7:
                    yield f"tempting: {line} {factors}"
            if number(shown[1]) > number(shown[3]):
                yield f"tempting: {line} {factors}"
        held = re.search(rf"held only ({NUMBER}) % of the gap", line)
        if held:
            share = 100 * valley.first[::-1][("flat", "middle", "steep").index(guess)] / valley.first.sum()
            if abs(number(held[1]) - share) > 6e-3 * share + 1e-6:
                yield f"tempting: {line} {valley.first}"
        if "This rate is above it" in line and not experiment.learning_rate * valley.values[0] > 2 * (
            1 - 1e-9
        ):
            yield f"tempting: {line} {factors}"
        if re.search(r"nan|None|[{}]|  |\.\.", line):
            yield f"form: {line}"
    twins = pair(experiment)
    parts = [live_runs.played(one, trained=True) for one in (twins.plain, twins.scaled)]
    text, truth = tables.pair_summary(parts), tables.pair_truth(parts)
    valleys = [Valley(one) for one in (twins.plain, twins.scaled)]
    rates = [one.learning_rate for one in (twins.plain, twins.scaled)]
    ends = [one.left(rate, experiment.epochs) for one, rate in zip(valleys, rates, strict=True)]
    gone = [run.recording.diverged_at is not None for run, *_ in parts]
    near = [max(end.sum(), 1e-14 * one.first.sum()) for end, one in zip(ends, valleys, strict=True)]
    away = [end.sum() > one.first.sum() * (1 + 1e-9) for end, one in zip(ends, valleys, strict=True)]
    on_edge = any(abs(rate * one.values[0] / 2 - 1) < 1e-6 for rate, one in zip(rates, valleys, strict=True))
    visible = max(near) > 1e-10 * valleys[0].size ** 2  # else the digits of θ decide
    if visible and not any(gone) and not on_edge:
        true = (
            "none"
            if all(away)
            else "without"
            if 2 * near[0] < near[1]
            else "scaled"
            if 2 * near[1] < near[0]
            else "same"
        )
        ratio = max(near) / max(min(near), 1e-300)
        if truth != true and abs(ratio / 2 - 1) > 1e-3:
            yield f"nearer: {truth}, {true} {near}"
    said = re.match(
        rf"(?:RMSE ({NUMBER})|Diverged.*?) without scaling, (?:RMSE ({NUMBER})|Diverged.*?) with; the floor is",
        text,
    )
    if said is None:
        yield f"form: {text}"
        return
    for one, end, words, is_gone in zip(valleys, ends, said.groups(), gone, strict=True):
        rmse = math.sqrt(one.floor**2 + end.sum()) if not is_gone else math.nan
        if (words is None) != is_gone or (
            words and abs(number(words) - rmse) > 1e-4 * rmse + 3e-7 * one.size
        ):
            yield f"end: {text} {rmse}"
    needed = re.search(
        rf"millionth of the first gap: ({NUMBER}|never) without scaling, ({NUMBER}|never) with", text
    )
    arrives = [rate * one.values[0] < 2 for rate, one in zip(rates, valleys, strict=True)]
    if (needed is None) != (not any(arrives)) and not on_edge:
        yield f"arrives: {text} {arrives}"
    for one, rate, words in zip(valleys, rates, needed.groups() if needed else (), strict=False):
        if words == "never":
            continue
        count = number(words)
        # an eigenvalue is known to a few digits less than 16
        after, before = one.left(rate, count * (1 + 1e-6)).sum(), one.left(rate, count * (1 - 1e-6) - 1).sum()
        if after > 1.0001e-6 * one.first.sum() or (count > 0 and before < 0.9999e-6 * one.first.sum()):
            yield f"needs: {text} {after} {before} {one.first.sum()}"
    for said_text in (text, tables.summary([part], 0), tables.direction_table(part[0], True)):
        if re.search(
            r"\b1 (?:steps|epochs)\b|nan|None|[{}]|e\+|\d-\d| -\d|perfect fit, up to rounding\)\.\d",
            said_text,
        ):
            yield f"form: {said_text}"
