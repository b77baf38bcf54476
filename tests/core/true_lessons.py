"""Random runs of the lessons that take one run apart, worked out by rational numbers or NumPy, and their sentences held against these."""

import math
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import torch

from gd_core.lessons import broadcasting as broadcast
from gd_core.lessons.four_steps import Stage, instants, of_stop, sentences, standing, tempting
from gd_core.lessons.gradient.finite_differences import said as said_of_step
from gd_core.lessons.gradient.finite_differences import tried
from gd_core.lessons.gradient.per_row import Ending, ending, said
from gd_core.lessons.gradient.per_row import tempting as tempting_bars
from gd_core.lessons.one_parameter import behaviour
from gd_core.outcome import Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of, forecast_of

NUMBER = r"−?[\d.,]*\d(?:e−?\d+)?"
FORM = r"\b1 (?:steps|epochs|digits) |nan|None|[{}]|e\+|\d-\d| -\d"


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def _three_digits(told: float, number: float, slack: float) -> bool:
    """Whether a number is told with three digits, rounded as one that is right up to this share."""
    low, high = (float(f"{number * (1 + sign * slack):.2e}") for sign in (-1, 1))
    return low * (1 - 1e-9) <= told <= high * (1 + 1e-9)


def _close(one: float, other: float, relative: float = 6e-3, absolute: float = 0.0) -> bool:
    return math.isclose(one, other, rel_tol=relative, abs_tol=absolute)


def _form(text: str) -> Iterator[str]:
    if re.search(FORM, text) or (
        (same := re.search(rf"({NUMBER}) → ({NUMBER})", text)) and same[1] == same[2]
    ):
        yield f"form: {text}"
    if (fell := re.search(rf"from ({NUMBER})(?: to|, to) ({NUMBER})", text)) and fell[1] == fell[2]:
        yield f"form: {text}"


class LeastSquares:
    """Floor, steepest curvature and gradient descent's path of a problem, by NumPy."""

    def __init__(self, experiment: Experiment) -> None:
        problem = build(experiment)
        self.features, self.target = problem.linear.features.numpy(), problem.linear.target.numpy()
        self.start, self.rate, self.epochs = (
            problem.start.numpy(),
            experiment.learning_rate,
            experiment.epochs,
        )
        self.best = np.linalg.lstsq(self.features, self.target, rcond=None)[0]
        self.floor = self.rmse(self.best)
        self.limit = len(self.target) / np.linalg.norm(self.features, 2) ** 2
        self.size = math.sqrt(np.mean(self.target**2)) + self.rmse(self.start)

    def rmse(self, theta: np.ndarray) -> float:
        return math.sqrt(np.mean((self.features @ theta - self.target) ** 2))

    def path(self, mean: bool = False) -> np.ndarray:
        """θ by epoch until the loss has passed the bound, [E + 1, P]; with y's mean as the target if so."""
        target = np.full_like(self.target, self.target.mean()) if mean else self.target
        theta, found = self.start, [self.start]
        more = self.target.var() if mean else 0.0
        bound = 1e6 * max(1.0, np.mean((self.features @ theta - target) ** 2) + more)
        with np.errstate(all="ignore"):
            for _ in range(self.epochs):
                theta = theta - self.rate * 2 / len(target) * self.features.T @ (
                    self.features @ theta - target
                )
                if not np.mean((self.features @ theta - target) ** 2) + more <= bound:
                    break
                found.append(theta)
        return np.array(found)


def drawn(dice: random.Random, dataset: str, most_rows: int, most_epochs: int) -> Experiment:
    """A run as a lesson's widgets can set it, below or above the limit."""
    experiment = replace(
        Experiment.default(dataset),
        points=dice.randint(4, most_rows),
        noise=dice.choice([0.0, 0.0, 0.01, 0.5, 3.0, 20.0]),
        data_seed=dice.randrange(1000),
        start=dice.choice(["published", "random", (2.0, 1.0, 0.0), (0.0, 0.0, 0.0), (1e3, -1e3, 50.0)]),
        seed=dice.randrange(1000),
        epochs=max(1, round(math.exp(dice.uniform(0, math.log(most_epochs))))),
    )
    if dice.random() < 0.1:
        best = build(experiment).raw(curvature_of(build(experiment).objective).optimum)
        experiment = replace(experiment, start=tuple(best.tolist()))
    return experiment


def at_a_rate(dice: random.Random, experiment: Experiment) -> Experiment:
    share = dice.choice([10 ** dice.uniform(-5, 0), dice.uniform(0.3, 1), dice.uniform(1.001, 1.6)])
    return replace(experiment, learning_rate=float(f"{share * LeastSquares(experiment).limit:.5g}"))


# ----------------------------------------------------------------------------------------------------- one parameter


def one_parameter(seed: int) -> Iterator[str]:
    """The point on (3 + 3A)²: eₖ = (1 − 18η)ᵏ e₀ in rational numbers."""
    dice = random.Random(seed)
    rate = dice.choice(
        [10 ** dice.uniform(-18, 3), dice.uniform(0, 0.12), 1 / 18, 1 / 9, 1 / 18 * (1 + 10 ** dice.uniform(-9, -1)),
         1 / 9 * (1 + dice.choice([-1, 1]) * 10 ** dice.uniform(-12, -1))]
    )  # fmt: skip
    start = dice.choice([2.0, -1.0, 0.5, -3.0, dice.uniform(-10, 10), 1e6, -1 + 10 ** dice.uniform(-12, 0)])
    experiment = replace(
        Experiment.default("one-parameter"), learning_rate=rate, start=(start,), epochs=dice.randint(1, 200)
    )
    recording = record(experiment)
    told = behaviour.behaviour_of(recording)
    text = behaviour.of_run(recording, rate, told)
    factor, first = 1 - 18 * Fraction(rate), Fraction(start) + 1
    last = float(factor**recording.epochs * first)
    bits = 2e-15 * (abs(start) + 1)
    grown = abs(factor) ** recording.epochs
    facts = f"{told}: {text} factor {float(factor)!r}, {start} → {last - 1}"
    match told:
        case behaviour.Behaviour.STAYS:
            if abs(first) > bits and 18 * rate * abs(float(first)) > 2e-16 * abs(start) + 1e-300:
                yield f"stays {facts}"
        case behaviour.Behaviour.CLOSER:
            if not 0 < factor < 1 or abs(float(factor)) <= 0.99e-3:
                yield f"closer {facts}"
        case behaviour.Behaviour.LANDS:
            if abs(float(factor * first)) > 1.01e-3 * abs(float(first)) + bits:
                yield f"lands {facts}"
        case behaviour.Behaviour.ACROSS:
            if not -1 < factor < 0:
                yield f"across {facts}"
        case behaviour.Behaviour.BOUNCES:
            if not (
                factor < 0 and abs(float(grown) - 1) < 1e-8 + recording.epochs * bits / abs(float(first))
            ):
                yield f"bounces {facts}"
        case behaviour.Behaviour.LEAVES:
            if factor >= -1:
                yield f"leaves {facts}"
    for guess in behaviour.Behaviour:
        line = behaviour.tempting(guess, told, recording)
        claims = {
            "This one is below 1/18": factor > 0,
            "This one is above 1/18": factor < 0,
            "and below 1/9": factor > -1,
            "This one is above 1/9": factor < -1,
            "just as far away": factor < 0
            and abs(float(abs(factor)) - 1) < 1e-8 + bits / abs(float(first) or 1.0),
            "start is −1 itself": abs(first) <= bits,
            "lost in the rounding": 18 * rate * abs(float(first)) <= 2e-16 * (abs(start) + 1),
        }
        if any(words in line and not true for words, true in claims.items()):
            yield f"tempting: {line} {facts}"
        yield from _form(line)
    size = re.search(rf"(?:distance by|size of 1 − 18η is|it left) ({NUMBER})", text)
    if size and not _close(number(size[1]), abs(float(factor)), 6e-3, 1e-15):
        yield f"size {facts}"
    if size and abs(factor) != 1 and number(size[1]) == 1 and abs(float(abs(factor) - 1)) > 1e-15:
        yield f"size of 1 {facts}"
    if (
        size
        and "multiplied" in text
        and (number(size[1]) > 1) != (abs(factor) > 1)
        and abs(float(abs(factor)) - 1) > 1e-15
    ):
        yield f"side of 1 {facts}"
    end = re.search(rf"A is ({NUMBER}) and the loss ({NUMBER})", text)
    if end and not (
        _close(number(end[1]), last - 1, 1e-5, recording.epochs * bits)
        and _three_digits(
            number(end[2]), (3 * last) ** 2, 2e-5 + 6 * recording.epochs * bits / max(abs(last), bits)
        )
    ):
        yield f"end {facts}"
    yield from _form(text)
    templates, choice = behaviour.of_steps(recording)
    for epoch in range(recording.epochs):
        before, after = (float(factor**k * first) for k in (epoch, epoch + 1))
        said_now = templates[int(choice[epoch])]
        if min(abs(before), abs(after)) < 1e4 * bits:
            break
        side = "same side" if before * after > 0 else "across"
        change = after**2 / before**2 - 1
        # In the rounding of A.
        lost = abs(after - before) < 2.3e-16 * (abs(start) + 1) and "stays at {p0}" in said_now
        if lost:
            continue
        if side not in said_now:
            yield f"step {epoch}: {said_now} {before} {after}"
        if abs(change) > 2e-9 and ("falls" if change < 0 else "rises") not in said_now:
            yield f"step {epoch}: {said_now} {before} {after}"
        if "from {p0} to" in said_now or "from {loss} to" in said_now:
            yield f"step {epoch}: from x to x: {said_now}"


# --------------------------------------------------------------------------------------------------------- four steps


def four_steps(seed: int) -> Iterator[str]:
    """The loop on the noisy quadratic: how good its curve is, and what each loss says."""
    dice = random.Random(seed)
    experiment = at_a_rate(
        dice, replace(drawn(dice, "noisy-quadratic", 40, 60), scale_features=dice.random() < 0.6)
    )
    recording, problem = record(experiment), build(experiment)
    curvature = curvature_of(problem.objective)
    forecast, known = forecast_of(experiment, problem, curvature), LeastSquares(experiment)
    rmse = np.array([known.rmse(theta) for theta in known.path()])
    if rmse[0] - known.floor <= 1e-9 * rmse[0] and known.rate > known.limit:
        return  # it grows from rounding alone
    kind = standing(recording, curvature.floor_rmse)
    text = of_stop(
        recording, experiment, forecast, outcome(recording, curvature, Trained.of(experiment, problem))
    )
    facts = f"{kind}: {text} {rmse[0]} → {rmse[-1]}, floor {known.floor}"
    near, gone = 1.1e-6 * rmse[0], len(rmse) <= experiment.epochs
    true = "worse" if gone or rmse[-1] > rmse[0] * (1 + 1e-9) + near else "far"
    if not gone and rmse[-1] <= 2 * known.floor + near and true == "far":
        true = "best" if rmse[-1] <= 1.01 * known.floor + near else "near"
    perfect = max(known.floor, rmse[-1]) < 1e-6 * known.size
    edges = [known.floor * 1.01, known.floor * 2, known.floor, rmse[0]]
    if (
        kind != true
        and not (perfect and kind == "best")
        and not any(abs(rmse[-1] - edge) <= 2 * near + 1e-6 * edge for edge in edges)
    ):
        yield f"standing {true} {facts}"
    for guess in ("best", "near", "far", "worse"):
        line = tempting(guess, recording, curvature.floor_rmse) if guess != kind else ""
        claims = {
            "ends higher up": gone or rmse[-1] > rmse[0] - near,
            "as good as the best": rmse[-1] <= 1.0101 * known.floor + 2 * near,
            "no higher than it began": rmse[-1] <= rmse[0] + near,
            "the last step brought little": abs(rmse[-1] - rmse[-2]) < 1.001e-3 * rmse[-1] + near,
            "more than 1 % above": rmse[-1] > 1.0099 * known.floor,
            "below 2 × the best": rmse[-1] <= 2.0001 * known.floor + 2 * near,
            "These arrived": rmse[-1] <= 1.0101 * known.floor + 2 * near,
        }
        if not perfect and any(words in line and not true for words, true in claims.items()):
            yield f"tempting: {line} {facts}"
    if kind in ("best", "near", "far"):
        shown = re.search(rf"RMSE ({NUMBER})", text)
        if shown is None or not _close(number(shown[1]), rmse[-1], 1e-5, 2e-7 * known.size):
            yield f"RMSE {facts}"
        floor = re.search(rf"(?:floor|floor, of the dashed curve, is) ({NUMBER})", text)
        if floor is None or not _close(number(floor[1]), known.floor, 1e-5, 2e-7 * known.size):
            yield f"floor {facts}"
        if known.floor < 1e-13 * known.size and "perfect" not in text:
            yield f"perfect {facts}"
        if "no other curve is 1 %" in text and rmse[-1] > 1.0101 * known.floor:
            yield f"1 % {facts}"
        times = re.search(rf"is ({NUMBER}) × the floor", text)
        if times and not _close(number(times[1]), rmse[-1] / known.floor, 6e-3):
            yield f"times {facts}"
        yield from _form(text)
    shown_at, spoken = instants(recording), sentences(recording, ("a", "b", "c"))
    for stage, epoch, which in zip(
        shown_at.stage.tolist(), shown_at.epoch.tolist(), spoken.choice.tolist(), strict=True
    ):
        if stage != Stage.LOSS or epoch == 0:
            continue
        change, words = rmse[epoch] - rmse[epoch - 1], spoken.templates[which]
        rounding = (
            2e-7 * rmse[epoch - 1] + 1e-8 * known.size * (known.floor < 1e-5 * known.size) + 2e-12 * rmse[0]
        )
        if abs(change) > rounding and ("higher" if change > 0 else "lower") not in words:
            yield f"loss {epoch}: {words} {change}"
        if abs(change) < 1e-13 * rmse[epoch - 1] and ("higher" in words or "lower" in words):
            yield f"loss {epoch}: {words} {change}"
        if "looks settled" in words and abs(change) > 1.001e-3 * rmse[epoch - 1]:
            yield f"loss {epoch}: {words} {change}"


# ----------------------------------------------------------------------------------------------------------- gradient


def gradient(seed: int) -> Iterator[str]:
    """The rows' bars at the end of a run, and a finite difference beside the slope in rational numbers."""
    dice = random.Random(seed)
    experiment = at_a_rate(dice, drawn(dice, dice.choice(["noisy-quadratic", "two-features"]), 30, 200))
    recording, problem = record(experiment), build(experiment)
    known, path = LeastSquares(experiment), LeastSquares(experiment).path()
    gone = len(path) <= experiment.epochs
    if known.rmse(path[0]) - known.floor <= 1e-9 * known.rmse(path[0]) and known.rate > known.limit:
        return  # it grows from rounding alone
    told = ending(recording, problem.linear)
    first, last = (2 * (known.features @ path[k] - known.target)[:, None] * known.features for k in (0, -1))
    (long0, mean0), (long1, mean1) = ((abs(bars).mean(0), bars.mean(0)) for bars in (first, last))
    size = 2 * (abs(known.target)[:, None] * abs(known.features)).mean(0)
    rmse = [known.rmse(path[k]) for k in (0, -1)]
    facts = f"{told}: long {long0} → {long1}, mean {mean0} → {mean1}, RMSE {rmse}, floor {known.floor}"
    near = 1e-6 * size
    if (
        told is Ending.GROW
        and not gone
        and (
            not (long1 > long0).any()
            or np.linalg.norm(mean1) <= np.linalg.norm(mean0)
            or known.rate <= known.limit
        )
    ):
        yield f"grow {facts}"
    if gone and told is not Ending.GROW:
        yield f"gone {facts}"
    if told is Ending.VANISH and (long1 > np.maximum(0.0101 * long0, 2 * near)).any():
        yield f"vanish {facts}"
    if told is Ending.CANCEL and (abs(mean1) > 0.0501 * long1).any():
        yield f"cancel {facts}"
    if told is Ending.STILL and (abs(mean1) <= 0.049 * long1).all():
        yield f"still {facts}"
    for guess in Ending:
        line = tempting_bars(guess, told)
        claims = {
            "missed on both sides": ((last > 0).any(0) & (last < 0).any(0)).all(),
            "the gradient grew": gone or np.linalg.norm(mean1) > np.linalg.norm(mean0),
            "hardly anything pulls": (long1 <= np.maximum(0.0101 * long0, 2 * near)).all(),
        }
        if any(words in line and not true for words, true in claims.items()):
            yield f"tempting: {line} {facts}"
    if told is not Ending.GROW:
        names = experiment.info.parameters
        text = said(recording, problem.linear, names, float(curvature_of(problem.objective).floor_rmse))
        facts = f"{text} {facts}"
        best = rmse[-1] <= known.floor * (1 + 1.01e-4) + 1e-7 * known.size
        if ("that is the optimum" in text and not best) or (
            "not the optimum" in text and rmse[-1] <= known.floor * (1 + 0.99e-4)
        ):
            yield f"optimum {facts}"
        if "Every row is met" in text or ("meets every row" in text and rmse[0] > 1e-4 * known.size):
            yield f"met {facts}"
        about = re.match(r"For (\S+) the bars", text)
        if about:
            j = names.index(about[1])
            lengths = [number(one) for one in re.findall(rf"({NUMBER}) (?:long|now)", text)]
            if not _close(lengths[-1], long1[j], 6e-3, near[j] / 10):
                yield f"length {facts}"
            mean = re.search(rf"mean is ({NUMBER})\.", text)
            if mean and not _close(number(mean[1]), mean1[j], 1e-2, 1e-7 * (long1[j] + size[j])):
                yield f"mean {facts}"
        shown = re.search(rf"RMSE ({NUMBER})(?: → ({NUMBER}))?", text)
        if shown and not _close(number(shown[2] or shown[1]), rmse[-1], 1e-3, 1e-7 * known.size):
            yield f"RMSE {facts}"
        yield from _form(text)
    yield from _finite_difference(dice, experiment, known)


def _finite_difference(dice: random.Random, experiment: Experiment, known: LeastSquares) -> Iterator[str]:
    problem = build(experiment)
    j, kind = dice.randrange(len(known.start)), dice.choice(["forward", "central"])
    h = 10 ** dice.choice([dice.uniform(-20, 0), dice.uniform(-12, 0), dice.uniform(-300, -20)])
    bend = float(2 * np.mean(known.features[:, j] ** 2))
    one = tried(problem.objective, torch.tensor(known.start), j, h, kind, bend)
    text = said_of_step(one, "b")
    rows = [[Fraction(float(x)) for x in row] for row in known.features]
    theta = [Fraction(float(x)) for x in known.start]
    exact = float(
        sum(2 * (sum(x * t for x, t in zip(row, theta, strict=True)) - Fraction(float(y))) * row[j]
            for row, y in zip(rows, known.target, strict=True)) / len(rows)
    )  # fmt: skip
    off = abs(one.value - exact)
    blur = 1e-13 * (
        abs(exact)
        + 2
        * np.mean(abs(known.features[:, j]) * (abs(known.features) @ abs(known.start) + abs(known.target)))
    )
    shown = re.search(rf"is off by ({NUMBER}): (?:({NUMBER}) digits? (?:is|are)|no digit is) right", text)
    if shown:
        digits = int(shown[2] or 0)
        if not _close(number(shown[1]), off, 6e-3, blur):
            yield f"off: {text} {off} {exact}"
        share = off / abs(exact) if exact else 1.0
        if off > 10 * blur and not 10.0 ** -(digits + 1) * 0.9 < share and digits < 16:
            yield f"digits: {text} {share}"
        if digits and share > 1.1 * 10.0**-digits and off > 10 * blur:
            yield f"digits: {text} {share}"
    if "Too big" in text and not 0.49 <= off / (0.5 * h * bend) <= 2.05 and abs(off - 0.5 * h * bend) > blur:
        yield f"bend: {text} {off} {0.5 * h * bend}"
    if ("exactly right" in text and off > blur) or ("by chance" in text and exact == 0):
        yield f"exact: {text} {off}"
    if "is lost" in text and float(known.start[j]) + h != float(known.start[j]):
        yield f"lost: {text}"
    yield from _form(text)


# ------------------------------------------------------------------------------------------------------- broadcasting


def broadcasting(seed: int) -> Iterator[str]:
    """The shape mistake: N × N differences have the slopes of y's mean, and their loss its variance on top."""
    dice = random.Random(seed)
    mistaken = dice.random() < 0.6
    experiment = at_a_rate(dice, drawn(dice, "two-features", 60, 500))
    experiment = replace(experiment, loss="mse-broadcast" if mistaken else "mse")
    recording, problem = record(experiment), build(experiment)
    curvature, known = curvature_of(problem.objective), LeastSquares(experiment)
    told = broadcast.standing(recording, experiment, problem, curvature)
    text = broadcast.of_run(recording, experiment, problem, curvature)
    path = known.path(mean=mistaken)
    target = np.full_like(known.target, known.target.mean()) if mistaken else known.target
    more = known.target.var() if mistaken else 0.0
    loss = [float(np.mean((known.features @ theta - target) ** 2) + more) for theta in path]
    rmse, spread = known.rmse(path[-1]), known.target.std()
    facts = f"{told}: {text} loss {loss[0]} → {loss[-1]}, RMSE {rmse}, floor {known.floor}, rate {known.rate / known.limit} of the limit"
    above = known.rate > known.limit
    explained, best = 1 - rmse**2 / spread**2, 1 - known.floor**2 / spread**2
    true = (
        "grows"
        if above
        else "wrong"
        if mistaken and best > 0.01
        else "found"
        if explained >= best - 0.01
        else "coming"
    )
    edges = [
        abs(known.rate / known.limit - 1),
        abs(best - 0.01) if mistaken else 1,
        abs(explained - best + 0.01),
    ]
    if told != true and min(edges) > 1e-6:
        yield f"standing {true} {facts}"
    near = 1e-6 * known.size
    # Where the minimised loss is lowest.
    lowest = known.rmse(np.linalg.lstsq(known.features, target, rcond=None)[0])
    for guess in ("found", "coming", "wrong", "grows"):
        line = broadcast.tempting(guess, told)
        claims = {
            "the lowest loss itself is at another plane": lowest > known.floor + near,
            "as good as the best plane": 1 - lowest**2 / spread**2 >= best - 0.0101,
            "too long for any plane": above or not np.all(np.diff(loss) <= 1e-9 * np.array(loss[:-1])),
        }
        if any(words in line and not true for words, true in claims.items()) and min(edges) > 1e-6:
            yield f"tempting: {line} {facts}"
    fell = re.search(rf"The loss fell from ({NUMBER}) to ({NUMBER}), to", text)
    if fell and not (
        _close(number(fell[1]), loss[0], 1e-3, near**2) and _close(number(fell[2]), loss[-1], 1e-3, near**2)
    ):
        yield f"loss {facts}"
    for name, value in zip(experiment.info.parameters, path[-1], strict=True):
        shown = re.search(rf"{name} = ({NUMBER})", text)
        if shown and not _close(number(shown[1]), value, 6e-3, 1e-9 * known.size):
            yield f"{name} {facts}"
    shown = re.search(rf"RMSE ({NUMBER})", text)
    if shown and not _close(number(shown[1]), rmse, 6e-3, near):
        yield f"RMSE {facts}"
    than = re.search(r"is (more|less|the same)[^.]*?than", text)
    if than and than[1] != "the same" and (than[1] == "more") != (rmse > spread):
        yield f"than {facts}"
    ratio = re.search(rf"is ({NUMBER}) × the limit ({NUMBER})", text)
    if ratio and not (
        _close(number(ratio[1]), known.rate / known.limit) and _close(number(ratio[2]), known.limit)
    ):
        yield f"limit {facts}"
    quicker = re.search(rf"a rate of ({NUMBER}) is quicker", text)
    if quicker:
        other = LeastSquares(replace(experiment, learning_rate=number(quicker[1])))
        if other.rmse(other.path()[-1]) > rmse * (1 + 1e-9):
            yield f"quicker {facts}"
    if "more epochs get all the way" in text:
        longer = LeastSquares(replace(experiment, epochs=min(200_000, 40 * experiment.epochs)))
        if longer.rmse(longer.path()[-1]) > rmse:
            yield f"coming {facts}"
    yield from _form(text)
