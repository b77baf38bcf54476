"""Random settings of the learning rate lesson, run by plain loops in NumPy, and the page's sentences held against these."""

import itertools
import math
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from oracle import rates as rates_of

from gd_core.lessons.learning_rate.four_rates import near_limit, passing, way_words
from gd_core.problem import build
from gd_core.settings.experiment import Experiment
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.schedules import is_constant
from pages.ui.charts.learning_rate import sweep as sweep_chart
from pages.ui.lessons.learning_rate import four_rates, goldilocks

NUMBER = r"−?[\d.,]*\d(?:e−?\d+)?"
LINEAR = ("gradient-descent", "momentum", "nesterov")


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


class Page:
    """What the lesson asks of its page, answered."""

    revealed = True

    def __init__(self, experiment: Experiment, rates: tuple[float, ...]) -> None:
        self.settings, self.rates = experiment, rates

    def __getitem__(self, name: str) -> Any:
        return {"rates": self.rates}[name]


def drawn(seed: int, most: int = 200) -> tuple[Experiment, tuple[float, ...]]:
    """Settings of the page, and four typed rates or none."""
    dice = random.Random(seed)
    dataset = dice.choice(["noisy-quadratic", "two-features", "one-parameter"])
    optimizer = dice.choice([*LINEAR, *LINEAR, "adagrad", "rmsprop", "adam"])
    experiment = replace(
        Experiment.default(dataset, optimizer),
        epochs=max(1, round(math.exp(dice.uniform(0, math.log(most))))),
        seed=dice.randrange(10_000),
    )
    if "momentum" in OPTIMIZER_INFO[optimizer].hyperparameters:
        experiment = replace(experiment, momentum=dice.choice([0.0, 0.5, 0.9, 0.99, 0.999]))
    if dataset != "one-parameter":
        experiment = replace(
            experiment,
            points=dice.choice([5, 20, 60]),
            noise=dice.choice([0.0, 0.0, 0.5, 5.0]),
            data_seed=dice.randrange(1000),
            scale_features=dice.random() < 0.6,
            start=dice.choice(["published", "random"]),
        )
    rates: tuple[float, ...] = ()
    if dice.random() < 0.4:
        limit = _limit(experiment) if optimizer in LINEAR else 1.0
        shares = [10 ** dice.uniform(-3, 0.3) for _ in range(4)]
        shares[dice.randrange(4)] = dice.choice([1.0, 0.9999999, 1.0000001, 0.5])
        rates = tuple(float(f"{share * limit:.6g}") for share in shares)
    return experiment, rates


def drawn_scheduled(seed: int, most: int = 200) -> tuple[Experiment, tuple[float, ...]]:
    """The same under a schedule, a warm-up, or both."""
    experiment, rates = drawn(seed, most)
    dice = random.Random(f"scheduled {seed}")
    schedule = dice.choice(
        [
            f"step:{dice.randint(1, experiment.epochs)}:{dice.choice([0.1, 0.5, 0.9])}",
            f"inverse-time:{dice.choice([0.001, 0.03, 0.1, 1.0])}",
            f"exponential:{dice.choice([0.5, 0.9, 0.99, 0.999])}",
            f"cosine:{dice.choice([experiment.epochs, 7])}:{dice.choice([0.0, 0.01, 0.4])}",
            "constant",
        ]
    )
    warmup = dice.choice([0, 0, 3, 20]) if schedule != "constant" else dice.choice([1, 5, 40])
    return replace(experiment, schedule=schedule, warmup=warmup), rates


def _rows(experiment: Experiment) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    problem = build(experiment)
    return problem.linear.features.numpy(), problem.linear.target.numpy(), problem.start.numpy()


def _limit(experiment: Experiment) -> float:
    features, target, _ = _rows(experiment)
    steepest, beta = float(2 / len(target) * np.linalg.norm(features, 2) ** 2), experiment.momentum
    return {
        "gradient-descent": 2 / steepest,
        "momentum": 2 * (1 + beta) / steepest,
        "nesterov": 2 * (1 + beta) / (1 + 2 * beta) / steepest,
    }[experiment.optimizer]


def followed(experiment: Experiment, rates: Any, epochs: int) -> tuple[np.ndarray, float]:
    """RMSE of each rate after each epoch, ∞ from where it has diverged, [E + 1, K], and the floor: the textbook's rules."""
    features, target, start = _rows(experiment)
    best, *_ = np.linalg.lstsq(features, target, rcond=None)
    rest, matrix = np.mean((features @ best - target) ** 2), 2 / len(target) * features.T @ features
    rate = np.asarray(rates)[:, None]
    shares = rates_of(replace(experiment, learning_rate=1.0, epochs=epochs))
    theta = np.tile(start, (len(rate), 1))
    m, s, found = np.zeros_like(theta), np.zeros_like(theta), []
    beta, alpha, b1, b2 = experiment.momentum, experiment.alpha, experiment.beta1, experiment.beta2
    bound, gone = math.inf, np.zeros(len(rate), bool)
    with np.errstate(all="ignore"):
        for k in range(epochs + 1):
            away = theta - best
            g = away @ matrix
            loss = rest + (away * g).sum(1) / 2
            bound = 1e6 * max(1.0, loss[0]) if k == 0 else bound
            gone |= ~(loss <= bound)
            found.append(np.where(gone, math.inf, np.sqrt(np.maximum(loss, 0))))
            step = g
            match experiment.optimizer:
                case "momentum" | "nesterov":
                    m = beta * m + g
                    step = m if experiment.optimizer == "momentum" else g + beta * m
                case "adagrad":
                    s = s + g**2
                    step = g / (np.sqrt(s) + experiment.epsilon)
                case "rmsprop":
                    s = alpha * s + (1 - alpha) * g**2
                    step = g / (np.sqrt(s) + experiment.epsilon)
                case "adam":
                    m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g**2
                    step = (m / (1 - b1 ** (k + 1))) / (np.sqrt(s / (1 - b2 ** (k + 1))) + experiment.epsilon)
                case _:  # gradient descent
                    pass
            if k < epochs:
                theta = theta - shares[k] * rate * step
    return np.array(found), math.sqrt(rest)


def _same(said: float, true: float, near: float = 0.0, relative: float = 6e-3) -> bool:
    return math.isclose(said, true, rel_tol=relative, abs_tol=near)


def wrong(seed: int, most: int = 200, draw: Any = drawn) -> Iterator[str]:
    """All that is wrong with what is said of four drawn runs, and of the rates beside them."""
    experiment, rates = draw(seed, most)
    four = four_rates.of(Page(experiment, rates))
    rmse, floor = followed(experiment, four.rates, experiment.epochs)
    _features, target, _ = _rows(experiment)
    scale = math.sqrt(np.mean(target**2)) + rmse[0, 0]
    near = 1e-7 * scale if floor < 1e-6 * scale else 1e-9 * scale
    yield from _epochs_are_wrong(four, rmse, near)
    yield from _summary_is_wrong(experiment, four, rmse, floor, near)
    yield from _panels_are_wrong(experiment, four, rmse, floor, near)
    end = np.array(four.ends_at)
    for guess in (*map(str, range(1, 5)), "none"):
        if guess != "none" and int(guess) - 1 in four.lowest:
            continue  # which is right
        line = four_rates.tempting(four, guess)
        mine = int(guess) - 1 if guess != "none" else 0
        best = int(shown[1]) - 1 if (shown := re.search(r"of run (\d)", line)) else 0
        claims = {
            "Not all four did": not np.isinf(end).all() or not four.lowest,
            "all four are too large": np.isinf(rmse[-1]).all(),
            "the run diverged": np.isinf(rmse[-1, mine]),
            "did not come as far": four.rates[mine] < four.rates[best] and end[mine] >= end[best],
            "ended higher": four.rates[mine] >= four.rates[best] and end[mine] >= end[best],
        }
        if any(words in line and not true for words, true in claims.items()):
            yield f"tempting: {guess} {line} {end}"
    if experiment.optimizer in LINEAR and not is_constant(experiment):
        yield from _passing_is_wrong(experiment, random.Random(seed + 1))
    elif experiment.optimizer in LINEAR:
        yield from _sides_are_wrong(experiment, random.Random(seed + 1))


def _named(text: str) -> set[int]:
    return {int(n) - 1 for n in re.findall(r"\d", text)}


def _epochs_are_wrong(four: Any, rmse: np.ndarray, near: float) -> Iterator[str]:
    numbers = [run.recording.epoch_rmse.numpy() for run in four.runs]
    last = max(len(one) for one in numbers) - 1
    shown = np.column_stack([np.append(one, np.full(last + 1 - len(one), one[-1])) for one in numbers])
    templates, choice = four_rates._said(four, shown)
    for epoch in range(1, last + 1):
        text, now = templates[choice[epoch]], rmse[epoch]
        if any(
            abs(one[epoch] - now[i]) > 1e-7 * now[i] + near
            for i, one in enumerate(numbers)
            if epoch < len(one)
        ):
            return  # rounding decides where RMSProp and Adam jump
        lowest = re.match(r"Epoch {epoch}: (runs? [\d, and]+?) (?:is|are) lowest", text)
        if lowest is None:
            if np.isfinite(now).any():
                yield f"epoch {epoch}: {text} {now}"
        elif not all(now[i] <= now.min() * (1 + 2e-6) + near for i in _named(lowest[1])):
            yield f"epoch {epoch}: {text} {now}"
        elif now.min() > near and any(
            now[i] <= now.min() * (1 + 1e-7) for i in {0, 1, 2, 3} - _named(lowest[1])
        ):
            yield f"also lowest at epoch {epoch}: {text} {now}"
        gone = re.search(r"(Runs? [\d, and]+?) (?:has|have) diverged", text)
        # of one that is lost at once some epochs more are shown: see `recorder.watched`
        ended = {i for i in np.flatnonzero(np.isinf(now)) if epoch >= len(numbers[i])}
        if (_named(gone[1]) if gone else set()) != ended:
            yield f"diverged at {epoch}: {text} {now}"


def _summary_is_wrong(
    experiment: Any, four: Any, rmse: np.ndarray, floor: float, near: float
) -> Iterator[str]:
    text, end = four_rates._summary(four), rmse[-1]
    low = re.match(
        rf"After ({NUMBER}) epochs? (runs? [\d, and]+?) (?:is|are) lowest, at RMSE ({NUMBER}); the floor is (.*?)\.(?= Run|$)",
        text,
    )
    if low is None:
        if not np.isinf(end).all():
            yield f"nobody: {text} {end}"
    else:
        end = np.array(four.ends_at)
        if not all(end[i] <= end.min() * (1 + 2e-6) + near for i in _named(low[2])):
            yield f"lowest: {text} {end}"
        if not _same(number(low[3]), min(four.ends_at), near, 1e-4):
            yield f"RMSE: {text} {end}"
        if (floor < near and "perfect" not in low[4]) or (
            floor > 10 * near and not _same(number(low[4]), floor, 0, 1e-5)
        ):
            yield f"floor: {text} {floor}"
    gone = re.search(rf"Run (\d) diverged at epoch ({NUMBER})(?:.*grows × ({NUMBER}))?", text)
    first = next((i for i in range(4) if np.isinf(end[i])), None)
    if (gone is None) != (first is None):
        yield f"diverged: {text} {end}"
    elif gone and first is not None:
        at = int(np.flatnonzero(np.isinf(rmse[:, first]))[0])
        if (int(gone[1]) - 1, number(gone[2])) != (first, at):
            yield f"diverged: {text} {first} {at}"
        yield from _above_is_wrong(experiment, four.rates[first], text)
        if gone[3] and not _same(number(gone[3]) - 1, _growth(experiment, four.rates[first]) - 1, 0, 0.05):
            yield f"grows: {text} {_growth(experiment, four.rates[first])}"
    yield from _form(text)


def _growth(experiment: Experiment, rate: float) -> float:
    """The largest root of the rule's recursion along the steepest direction."""
    features, target, _ = _rows(experiment)
    x, beta = float(rate * 2 / len(target) * np.linalg.norm(features, 2) ** 2), experiment.momentum
    if experiment.optimizer == "gradient-descent":
        return abs(1 - x)
    ahead = 1 if experiment.optimizer == "momentum" else 1 + beta
    last = beta if experiment.optimizer == "momentum" else beta * (1 - x)
    return float(abs(np.roots([1, -(1 + beta - x * ahead), last])).max())


def _panels_are_wrong(
    experiment: Any, four: Any, rmse: np.ndarray, floor: float, near: float
) -> Iterator[str]:
    linear = experiment.optimizer in LINEAR
    for i, rate in enumerate(four.rates):
        where = four_rates.share_words(four.forecast, rate)
        yield from _form(where)
        share = re.match(rf"({NUMBER}) (%|×)", where)
        if linear:
            true = rate / _limit(experiment)
            if share and not _same(number(share[1]) / (100 if share[2] == "%" else 1), true, 0):
                yield f"share: {where} {true}"
            if share and abs(true - 1) > 1e-12 and (share[2] == "×") != (true > 1):
                yield f"side: {where} {true}"
            if not is_constant(experiment) and true > 1 + 1e-9:
                yield from _above_is_wrong(experiment, rate, where)
        ended = four.ends_at[i]
        if np.isfinite(rmse[-1, i]) and abs(ended - rmse[-1, i]) <= 1e-6 * ended + near:
            text = way_words(four.runs[i].recording, four.forecast)
            yield from _form(text)
            way = rmse[0, i] - floor
            found = re.match(rf"({NUMBER}) % of the way to", text)
            if found and not _same(number(found[1]) / 100, (rmse[0, i] - rmse[-1, i]) / way, 2 * near / way):
                yield f"way: {text} {rmse[:, i]}"
            left = re.match(rf"({NUMBER}) % of the way left", text)
            if left and not _same(number(left[1]) / 100, (rmse[-1, i] - floor) / way, 2 * near / way):
                yield f"left: {text} {rmse[:, i]}"
            if text == "at the floor" and rmse[-1, i] - floor > 1e-8 * way + near:
                yield f"floor: {text} {rmse[-1, i]} {floor}"
            if "start" in text and rmse[-1, i] <= rmse[0, i]:
                yield f"start: {text} {rmse[:, i]}"
    text = four_rates._best(four)
    yield from _form(text)
    limit = _limit(experiment) if linear else math.inf
    ends = sweep_chart.reach(four.forecast, four.rates)
    grid = np.geomspace(*(ends if linear else (1e-5, 1e3)), 3000 if linear else 240)
    tried, _ = followed(experiment, np.append(grid, four.best), experiment.epochs)
    own, tried = tried[-1, -1], tried[-1, :-1]
    tolerance = (3e-4 if linear else 1e-2) * own + near  # rounding decides where RMSProp and Adam jump
    if tried[grid < limit * (1 - 1e-9)].min() < own - tolerance:
        yield f"best: {text} {four.best} leaves {own}, {grid[tried.argmin()]} {tried.min()}"
    if linear and "below it" not in text and tried.min() < own - tolerance:
        yield f"best: {text} {four.best} leaves {own}, {grid[tried.argmin()]} {tried.min()}, limit {limit}"


def _above_is_wrong(experiment: Experiment, rate: float, text: str) -> Iterator[str]:
    """Of the epochs that are said to be above the limit."""
    if is_constant(experiment) or experiment.optimizer not in LINEAR:
        return
    above = [
        k
        for k, one in enumerate(rates_of(replace(experiment, learning_rate=rate)))
        if one > _limit(experiment)
    ]
    if not above:
        if "no epoch" not in text:
            yield f"above in none: {text}"
        return
    first, last = above[0], above[-1]
    ends = last == experiment.epochs - 1
    to = "on" if ends else f"to {last + 1:,}"
    words = f"from epoch {first:,} {to}" if first else "all the time" if ends else f"until epoch {last + 1:,}"
    if words not in text:
        yield f"above: {text} {words}"


def _passing_is_wrong(experiment: Experiment, dice: random.Random) -> Iterator[str]:
    """Of what is said of an η near the limit that a schedule moves."""
    problem, curvature, _ = goldilocks.live_runs.foreseen(replace(experiment, learning_rate=1.0))
    share = dice.choice([0.5, 0.99, 1.0001, 1.01, 1.5, dice.uniform(0.1, 2), 10 ** dice.uniform(0, 2)])
    found = passing(problem.objective, curvature, experiment.phase, problem.start, share)
    text = goldilocks.passing_words(found, float(problem.objective(problem.start)))
    yield from _form(text)
    rate = share * _limit(experiment)
    rmse, _ = followed(experiment, [rate], experiment.epochs)
    gone = np.flatnonzero(np.isinf(rmse[:, 0]))
    if not found.has_part:
        return
    passed = re.search(rf"at epoch \*\*({NUMBER})\*\*", text)
    if (passed and number(passed[1])) != (gone[0] if len(gone) else None):
        yield f"passes: {text} {gone[:1]}"
    yield from _above_is_wrong(experiment, rate, text)
    if len(gone):
        return
    features, _target, _start = _rows(experiment)
    _, _, vectors = np.linalg.svd(features, full_matrices=False)
    errors = [abs(float(_along(experiment, rate, n) @ vectors[0])) for n in range(experiment.epochs + 1)]
    left, largest = errors[-1] / errors[0], max(errors) / errors[0]
    told = re.search(rf"({NUMBER}) % of the error", text)
    if told and not _same(number(told[1]) / 100, left, 1e-8, 2e-2):
        yield f"left: {text} {left}"
    grew = re.search(rf"up to ({NUMBER}) ×", text)
    if grew and not _same(number(grew[1]) - 1, largest - 1, 1e-6, 0.05):
        yield f"grew: {text} {largest}"
    if "comes back" in text and not left < largest * (1 - 1e-9):
        yield f"back: {text} {errors}"
    ends = re.search(rf"is ({NUMBER}) × its first size", text)
    if ends and not _same(number(ends[1]), left, 0, 2e-2):
        yield f"ends: {text} {left}"


def _sides_are_wrong(experiment: Experiment, dice: random.Random) -> Iterator[str]:
    """Of what is said of a rate near the limit."""
    problem, curvature, _ = goldilocks.live_runs.foreseen(replace(experiment, learning_rate=1.0))
    share = dice.choice([0.5, 0.9, 0.99, 1.01, 1.5, dice.uniform(0.1, 2), 1 + 10 ** dice.uniform(-4, 0)])
    found = near_limit(problem.objective, curvature, experiment.phase, problem.start, share)
    loss = float(problem.objective(problem.start))
    text = goldilocks.near_words(found, loss)
    yield from _form(text)
    rate = share * _limit(experiment)
    if not found.has_part:
        return
    growth = _growth(experiment, rate)
    kept = re.search(rf"(?:keeps|leaves) ({NUMBER}) %", text)
    if kept and not _same(number(kept[1]) / 100, growth, 1e-8, 2e-2):
        yield f"kept: {text} {growth}"
    features, _target, _start = _rows(experiment)
    _, _, vectors = np.linalg.svd(features, full_matrices=False)
    if "in every epoch: half of it is gone after" in text:
        error = [abs(float(_along(experiment, rate, n) @ vectors[0])) for n in range(4)]
        if not all(_same(b / a, growth, 1e-6, 1e-3) for a, b in itertools.pairwise(error) if a > 1e-9):
            yield f"keeps: {text} {error}"
        after = number(re.search(rf"after ({NUMBER}) epoch", text)[1])
        if growth ** math.ceil(after * 1.01) > 0.5 * 1.02 or (after > 1 and growth ** (after * 0.98) < 0.49):
            yield f"half: {text} {growth}"
    passed = re.search(rf"at epoch \*\*({NUMBER})\*\*", text)
    if passed and number(passed[1]) < 3000:
        rmse, _ = followed(experiment, [rate], int(number(passed[1])))
        at = np.flatnonzero(np.isinf(rmse[:, 0]))
        if not len(at) or abs(at[0] - number(passed[1])) > 0:
            yield f"passes: {text} {at[:1]}"


def _along(experiment: Experiment, rate: float, epochs: int) -> np.ndarray:
    features, target, start = _rows(experiment)
    best, *_ = np.linalg.lstsq(features, target, rcond=None)
    matrix, away, m = 2 / len(target) * features.T @ features, start - best, 0.0
    for share in rates_of(replace(experiment, learning_rate=1.0, epochs=max(1, epochs)))[:epochs]:
        g = matrix @ away
        m = experiment.momentum * m + g
        step = {"gradient-descent": g, "momentum": m, "nesterov": g + experiment.momentum * m}
        away = away - share * rate * step[experiment.optimizer]
    return away


def _form(text: str) -> Iterator[str]:
    if re.search(
        r"\b1 (?:steps|updates|rates|rows|epochs)\b|nan|None|[{}]|e\+|\d-\d| -\d|× 1 an|\b100 % of the way",
        text,
    ):
        yield f"form: {text}"
