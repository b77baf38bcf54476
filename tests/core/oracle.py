"""What becomes of a run, told without the program's theory: NumPy's eigenvalues and least squares, and the run gone on.

A label is a claim about the future: what descends is lower when the same run has gone on ten times as long, what hovers
is about where it was, what grows is higher or gone, what has converged has stayed. `judged` holds a run's label and the
numbers of its sentence against that. The recorder trains both runs; what they mean is worked out here.
"""

import math
import random
import re
from dataclasses import replace
from functools import lru_cache
from itertools import count
from typing import Any

import numpy as np

from gd_core.problem import build
from gd_core.recorder import record as recorded
from gd_core.settings.experiment import Experiment
from gd_core.settings.schedules import is_constant
from gd_core.tables.reading import read
from gd_core.tables.table import keep

record = lru_cache(4)(recorded)  # several sentences on one run are held to the same longer ones
LONGER = 10  # times as long
MOST_UPDATES = 5_000  # of the longer run, where the loop takes each
LINEAR = ("gradient-descent", "momentum", "nesterov")
WITH_LIMIT = (*LINEAR, "newton")
NUMBER = r"−?[\d,]*\d(?:\.\d+)?(?:e−?\d+)?"


# ------------------------------------------------------------------------------------------------------------ draws


def drawn(seed: int) -> Experiment:
    """A run of any kind: data, scaling, start, rule, rate, momentum, batches, epochs, phases."""
    dice = random.Random(seed)
    kind = dice.choice(["noisy-quadratic", "two-features", "two-features", "one-parameter", "table", "table"])
    base = _table(dice) if kind == "table" else _published(dice, kind)
    base = replace(base, optimizer=dice.choice([*LINEAR, *LINEAR, "adagrad", "rmsprop", "adam"]))
    base = replace(base, momentum=dice.choice([0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999]))
    rows = base.training_rows
    if rows > 1 and dice.random() < 0.4:
        base = replace(
            base,
            batch_size=dice.choice([1, 1, 2, max(1, rows // 4), max(1, rows // 2)]),
            seed=dice.randrange(99),
        )
    if dice.random() < 0.08:
        base = replace(base, loss="mse-broadcast")
    start = dice.random()
    if start < 0.3:
        base = replace(base, start="random", seed=dice.randrange(1000))
    base = replace(base, learning_rate=_rate(dice, base))
    fast = base.optimizer in LINEAR and base.updates_per_epoch == 1
    most = 5000 if fast else max(1, MOST_UPDATES // LONGER // base.updates_per_epoch)
    epochs = max(1, round(math.exp(dice.uniform(0, math.log(most)))))
    if fast and dice.random() < 0.15 and epochs > 1:
        first = replace(base, epochs=dice.randint(1, min(epochs, 300)))
        rate = _rate(dice, replace(base, optimizer="gradient-descent"))
        return first.continued(first.epochs, optimizer="gradient-descent", learning_rate=rate, epochs=epochs)
    return replace(base, epochs=epochs)


def drawn_in_order(seed: int) -> Experiment:
    """A run in mini-batches of the rows in order, of seeds of its own."""
    runs = (drawn(10**6 + 1000 * seed + n) for n in count())
    return replace(next(run for run in runs if run.updates_per_epoch > 1), shuffle=False)


def drawn_with_penalty(seed: int) -> Experiment:
    """A run of any kind with an L2 penalty, from hardly felt to one that leaves next to no weight. With dice of its own."""
    dice = random.Random(f"penalty {seed}")
    base = drawn(dice.randrange(10**9))
    while base.before:  # a rate is set anew below, for the penalised loss, and a phase keeps its own
        base = drawn(dice.randrange(10**9))
    if dice.random() < 0.3 and base.dataset not in ("one-parameter",):
        base = replace(base, scale_target=True, intercept=dice.random() < 0.7)
    sizes = Known(base).eigenvalues
    other = replace(base, penalty=float(f"{min(1e6, sizes[0] * 10 ** dice.uniform(-6, 0.5)):.3g}"))
    if dice.random() < 0.4:
        other = replace(other, penalised="all")
    if base.optimizer not in LINEAR:
        return other
    share = base.learning_rate / Known(base).limit(base)
    return replace(
        other, learning_rate=float(f"{min(max(share * Known(other).limit(other), 1e-17), 1e5):.4g}")
    )


def drawn_decaying(seed: int) -> Experiment:
    """A run of any kind by AdamW, from a weight decay that is hardly felt to one that holds parameters near 0."""
    dice = random.Random(f"decay {seed}")
    base = drawn(dice.randrange(10**9))
    while base.before:
        base = drawn(dice.randrange(10**9))
    most = max(1, MOST_UPDATES // LONGER // base.updates_per_epoch)
    return replace(
        base, optimizer="adamw", weight_decay=dice.choice([0.001, 0.01, 0.1, 0.5, 1.0]), epochs=min(base.epochs, most),
        learning_rate=float(f"{10 ** dice.uniform(-4, 1):.4g}"), penalty=dice.choice([0.0, 0.0, 0.1]),
    )  # fmt: skip


def drawn_newton(seed: int) -> Experiment:
    """A run of any kind by Newton's step, on all rows: at its best rate, at its limit, below and above."""
    dice = random.Random(f"newton {seed}")
    base = drawn(dice.randrange(10**9))
    while base.before:
        base = drawn(dice.randrange(10**9))
    rate = dice.choice([1.0, 2.0, dice.uniform(0.3, 2), 10 ** dice.uniform(-3, 0), dice.uniform(2, 2.6)])
    return replace(
        base, optimizer="newton", batch_size=0, epochs=min(base.epochs, 400), learning_rate=float(f"{rate:.4g}"),
        penalty=dice.choice([0.0, 0.0, 0.1]),
    )  # fmt: skip


def drawn_scheduled(seed: int) -> Experiment:
    """A run of one part under a schedule, a warm-up, or both, in epochs or in updates."""
    dice = random.Random(f"schedules {seed}")
    base = drawn(dice.randrange(10**9))
    while base.before or base.epochs < 2:
        base = drawn(dice.randrange(10**9))
    return with_schedule(dice, base)


def with_schedule(dice: random.Random, base: Experiment) -> Experiment:
    """A run under a schedule of any kind, at its own rate or three times that."""
    schedule = dice.choice(
        [
            f"step:{dice.randint(1, base.epochs)}:{dice.choice([0.1, 0.5, 0.9])}",
            f"inverse-time:{dice.choice([0.001, 0.01, 0.1, 1.0])}",
            f"exponential:{dice.choice([0.5, 0.9, 0.99, 0.999])}",
            f"cosine:{base.epochs}:{dice.choice([0.0, 0.01, 0.2])}",
            "constant",
        ]
    )
    warmup = dice.choice([0, 0, 3, 10]) if schedule != "constant" else dice.randint(1, base.epochs)
    rate = min(base.learning_rate * dice.choice([1, 1, 3]), 1e5)
    return replace(
        base, schedule=schedule, warmup=warmup, learning_rate=float(f"{rate:.4g}"),
        counted_in=dice.choice(["epochs", "epochs", "updates"]),
    )  # fmt: skip


def rates(experiment: Experiment) -> list[float]:
    """η of the first update of each epoch, by the formulas of the schedules, written down once more."""
    kind, *numbers = experiment.schedule.split(":")
    a, b = (*map(float, numbers), 0.0, 0.0)[:2]
    stride = experiment.updates_per_epoch if experiment.counted_in == "updates" else 1
    found = []
    for k in (stride * epoch - experiment.warmup for epoch in range(experiment.epochs)):
        share = {
            "constant": lambda k: 1.0,
            "step": lambda k: b ** math.floor(k / a),
            "inverse-time": lambda k: 1 / (1 + a * k),
            "exponential": lambda k: a**k,
            "cosine": lambda k: b + (1 - b) * (1 + math.cos(math.pi * min(k / a, 1))) / 2,
        }[kind]
        rise = (k + experiment.warmup + 1) / (experiment.warmup + 1)
        found.append(experiment.learning_rate * (share(k) if k >= 0 else rise))
    return found


def drawn_by_convention(seed: int) -> Experiment:
    """A run by other people's conventions: no intercept, a scaled target, a higher degree. With dice of its own.

    Of the rules that have a limit, on all rows: limits, floors and factors are what the conventions touch.
    """
    dice = random.Random(f"conventions {seed}")
    base = drawn(dice.randrange(10**9))
    while base.dataset == "one-parameter" or base.optimizer not in LINEAR or base.updates_per_epoch > 1:
        base = drawn(dice.randrange(10**9))
    changes: dict[str, Any] = {"intercept": dice.random() < 0.5, "scale_target": dice.random() < 0.6}
    if len(base.features) == 1 and dice.random() < 0.7:
        changes |= {"degree": dice.randint(3, 10 if changes["intercept"] else 4), "scale_features": True}
    other = replace(base, **changes)
    share = base.learning_rate / Known(base).limit(base)
    return replace(
        other, learning_rate=float(f"{min(max(share * Known(other).limit(other), 1e-17), 1e5):.4g}")
    )


def _published(dice: random.Random, kind: str) -> Experiment:
    base = Experiment.default(kind)
    if kind == "one-parameter":
        return base
    noise = dice.choice([0.0, 0.1, 0.5, 5.0])
    points = dice.choice([5, 10, 20, 40, 100])
    return replace(
        base, points=points, noise=noise, data_seed=dice.randrange(10**6), scale_features=dice.random() < 0.5
    )


def _table(dice: random.Random) -> Experiment:
    """One to three columns of any size and distance from 0; now and then two that say the same."""
    count, rows = dice.randint(1, 3), dice.choice([6, 15, 40])
    columns = []
    for _ in range(count):
        size, away = 10.0 ** dice.randint(-2, 3), dice.choice([0, 0, 1, 5, 30])
        columns.append([round(size * (dice.gauss(0, 1) + away), 6) for _ in range(rows)])
    if count > 1 and dice.random() < 0.15:
        columns[1] = [2 * x for x in columns[0]]
    weights = [dice.gauss(0, 1) for _ in columns]
    noise = dice.choice([0.0, 0.3, 3.0])
    y = [
        round(sum(w * c[i] for w, c in zip(weights, columns, strict=True)) + 1 + dice.gauss(0, noise), 6)
        for i in range(rows)
    ]
    names = ",".join(f"x{i}" for i in range(count))
    text = "\n".join(
        [f"{names},y", *(",".join(map(str, (*(c[i] for c in columns), y[i]))) for i in range(rows))]
    )
    table = keep(read(text + "\n").table)
    degree = dice.randint(1, 2) if count == 1 else 1
    query = {
        "dataset": "table", "table": table.key, "target": "y", "features": names, "degree": str(degree),
        "learning_rate": "0.1", "scale_features": str(dice.random() < 0.6).lower(),
    }  # fmt: skip
    experiment, sentences = Experiment.from_query(query)
    assert not sentences, sentences
    return experiment


def _rate(dice: random.Random, experiment: Experiment) -> float:
    """Most are within two powers of ten below the limit, some far below it, some above."""
    if experiment.optimizer in LINEAR:
        known = Known(experiment)
        share = dice.choice(
            [
                10 ** dice.uniform(-2, 0),
                dice.uniform(0.3, 1),
                10 ** dice.uniform(-6, 0),
                dice.uniform(1.0002, 2.5),
            ]
        )
        if experiment.updates_per_epoch > 1:
            share = min(share, 1.3) * dice.choice([1, 0.1])
        rate = share * known.limit(experiment)
    else:
        rate = 10 ** dice.uniform(-4, 1)
    return float(f"{min(max(rate, 1e-17), 1e5):.4g}")


# ------------------------------------------------------------------------------------------------------ what is known


class Known:
    """Least squares and eigenvalues of a run's problem, by NumPy, from its rows."""

    def __init__(self, experiment: Experiment) -> None:
        dataset = build(replace(experiment, scale_features=False, penalty=0.0)).dataset
        x, y = dataset.x.numpy().astype(float), dataset.y.numpy()[:, 0].astype(float)
        self.unit = 1.0  # of y, if it is scaled: the loss has none then, RMSE has y's
        if experiment.scale_target:
            shift = y.mean() if experiment.intercept else 0.0
            self.unit = np.sqrt(np.mean((y - shift) ** 2)) or 1.0
            y = (y - shift) / self.unit
        if experiment.loss == "mse-broadcast":
            self.data, self.above, y = y, y.var(), np.full_like(y, y.mean())
        else:
            self.data, self.above = y, 0.0
        model = experiment.info.model
        self.features = _columns(model, x, experiment.scale_features, len(experiment.info.parameters))
        good = _columns(model, x, model != "proportional", len(experiment.info.parameters))
        self.target = y
        best, _, rank, _ = np.linalg.lstsq(good, y, rcond=1e-13 * len(y))
        self.fitted, self.rank = good @ best, rank
        self.floor = math.sqrt(np.mean((self.fitted - y) ** 2))
        self.floor_of_data = self.unit * math.sqrt(np.mean((self.fitted - self.data) ** 2))
        self.each = np.zeros(self.features.shape[1])  # λ of each parameter
        if experiment.penalty:
            self._penalise(experiment)
        self.size = math.sqrt(np.mean(y**2)) + 1e-300
        written = 1e-6 if experiment.dataset == "table" else 0.0  # six decimals
        self.zero = max(1e-7 * self.unit * self.size, written)
        _, sizes, self.vectors = np.linalg.svd(self._beside(self.features), full_matrices=True)
        sizes = np.concatenate([sizes, np.zeros(self.features.shape[1] - len(sizes))])
        sizes[self.rank :] = 0
        self.eigenvalues = 2 / len(y) * sizes**2  # largest first
        if not experiment.penalty:
            self.theta = np.linalg.lstsq(self.features, self.fitted, rcond=1e-15)[0]

    def _beside(self, features: np.ndarray) -> np.ndarray:
        """Φ, and under it a row √(Nλ) for each parameter: N times the penalty as a sum of squares."""
        return np.concatenate([features, np.diag(np.sqrt(len(features) * self.each))])

    def _penalise(self, experiment: Experiment) -> None:
        """Ridge regression in place of least squares; the floor is then the root of the lowest loss, not an RMSE."""
        y, names = self.target, experiment.info.parameters
        bare = (
            experiment.penalised == "weights" and experiment.intercept and names[-1] in ("b", "c")
        )  # without one, b of a t² + b t is a weight
        self.each[:] = experiment.penalty
        self.each[len(self.each) - bare :] = 0.0
        under = self._beside(self.features)
        target = np.concatenate([y, np.zeros(len(self.each))])
        size = np.linalg.norm(under, axis=0)
        size[size == 0] = 1.0
        self.theta = np.linalg.lstsq(under / size, target, rcond=None)[0] / size
        self.rank = int((size > 0).sum())
        self.fitted = self.features @ self.theta
        self.floor = math.sqrt(np.mean((self.fitted - y) ** 2) + self.each @ self.theta**2)
        self.floor_of_data = self.unit * math.sqrt(np.mean((self.fitted - self.data) ** 2))

    def limit(self, experiment: Experiment) -> float:
        """The rule's own."""
        beta, top = experiment.momentum, self.eigenvalues[0]
        return {
            "gradient-descent": 2 / top,
            "momentum": 2 * (1 + beta) / top,
            "nesterov": 2 * (1 + beta) / (1 + 2 * beta) / top,
            "newton": 2.0,
        }[experiment.optimizer]

    def factor(self, experiment: Experiment) -> float:
        """Of the error along the steepest direction, in an epoch."""
        return max(self.factors(experiment, experiment.learning_rate, self.eigenvalues[0]))

    @staticmethod
    def factors(experiment: Experiment, rate: float, curvature: float) -> list[float]:
        """Roots of the rule's recursion in e."""
        beta, x = experiment.momentum, rate * curvature
        if experiment.optimizer == "newton":
            return [abs(1 - rate)]
        if experiment.optimizer == "gradient-descent":
            return [abs(1 - x)]
        if experiment.optimizer == "momentum":  # e'' = (1 + β − x) e' − β e
            return abs(np.roots([1, -(1 + beta - x), beta])).tolist()
        return abs(np.roots([1, -(1 + beta - x * (1 + beta)), beta * (1 - x)])).tolist()

    def gaps(self, recording) -> np.ndarray:
        """L − L* of each epoch: the mean square of what the curve is off from the best one. A bit of rounding is left."""
        theta = recording.epoch_theta.numpy()
        away = theta - self.theta
        return np.mean((away @ self.features.T) ** 2, 1) + away**2 @ self.each

    def along(self, recording) -> np.ndarray:
        """The error along each eigenvector."""
        return (recording.epoch_theta.numpy() - self.theta) @ self.vectors.T


def _columns(model: str, x: np.ndarray, scaled: bool, parameters: int) -> np.ndarray:
    if model.endswith("-origin"):
        x = x / (np.sqrt(np.mean(x**2, 0)) if scaled else 1.0)
        powers = {"quadratic-origin": (2, 1), "linear-origin": (1,)}.get(model, range(1, parameters + 1))
        return np.concatenate([x**k for k in powers], 1)
    if scaled:
        deviation = x.std(0)
        x = (x - x.mean(0)) / np.where(deviation > 1e-12 * abs(x).max(0), deviation, 1.0)
    if model == "proportional":
        return x
    one = np.ones((len(x), 1))
    if model == "quadratic":
        return np.concatenate([x**2, x, one], 1)
    if model == "polynomial":
        return np.concatenate([*(x**k for k in range(1, parameters)), one], 1)
    return np.concatenate([x, one], 1)


# --------------------------------------------------------------------------------------------------------- judgement


def judged(experiment: Experiment, label: str, sentence: str, recording) -> list[str]:
    """What is wrong with a run's label and sentence: one word for each kind, with the facts."""
    known = Known(experiment)
    wrong = [
        *_label_is_wrong(experiment, label, sentence, known, recording),
        *_numbers_are_wrong(experiment, label, sentence, known, recording),
        *_remedies_are_wrong(experiment, sentence),
        *_reasons_are_wrong(experiment, sentence, known, recording),
        *_mean_is_wrong(experiment, sentence, known, recording),
        *_schedule_is_wrong(experiment, label, sentence, known, recording),
    ]
    if len(re.findall(r"[.!?](?= |$)", sentence)) > 3:
        wrong.append(f"form: more than three sentences: {sentence}")
    return wrong


def _label_is_wrong(experiment, label, sentence, known, recording):
    if label == "diverged":
        return
    longer = record(replace(experiment, epochs=LONGER * experiment.epochs))
    gone = longer.diverged_at is not None
    gaps = known.gaps(recording)
    after = known.gaps(longer)
    scatter = experiment.updates_per_epoch > 1 or experiment.optimizer not in WITH_LIMIT
    count = max(1, min(20, experiment.epochs // 2)) if scatter else 1
    now = float(np.mean(gaps[-count:]))
    then = math.inf if gone else float(np.mean(after[-(len(after) // 5) :] if scatter else after[-1:]))
    rounding = 1e-13 * (known.size**2 + gaps[0])
    enough = len(known.theta) * max(
        1.05e-6 * gaps[0], 1.05e-4 * (known.floor**2 + known.above), 100 * rounding,
        3.05 * known.floor**2 if known.floor_of_data < known.zero else 0,
    )  # fmt: skip
    facts = f"gap {gaps[0]:.4g} → {now:.4g} → {then:.4g}"
    match label:
        case "converged":
            warned = "can leave it again" in sentence  # Adam and RMSProp, whose memory fades
            if gaps[-1] > enough or (then > 1.2 * enough and not warned):
                yield f"converged: {facts}, {enough:.3g} is near"
        case "descending" | "still descending":
            most = max(1.1 * now, float(gaps[-count:].max())) if scatter else now  # beyond scatter
            if then > most + rounding:
                yield f"descending: {facts}"
        case "hovering":
            left = re.search(rf"reached at epoch ({NUMBER}), and left (once|{NUMBER} times) since, up to RMSE ({NUMBER})", sentence)  # fmt: skip
            most = gaps[-count:].max()
            if left:
                first = int(number(left[1]))
                most = gaps[first:].max()
                far = float(recording.epoch_rmse[first:].max())
                often = 1 if left[2] == "once" else int(number(left[2].split()[0]))
                leaves = int((np.diff((gaps[first:] > enough).astype(int)) == 1).sum())
                # Whose measure of near goes by direction.
                if gaps[first : first + 20].max() > enough or not 1 <= leaves <= often + 1:
                    yield f"left: reached {gaps[first]:.3g}, left {leaves} times, {enough:.3g} is near"
                if not _close(number(left[3]), far, 1e-5):
                    yield f"number: farthest {far}"
            if not (left or gaps[-count:].min() / 3 <= then) or then > 3 * most:
                yield f"hovering: {facts}"
        case "stood still":
            if (
                not 0.9 * float(gaps[-count:].min()) - rounding
                <= then
                <= 1.1 * float(gaps[-count:].max()) + rounding
            ):
                yield f"stood still: {facts}"
        case "growing" if not is_constant(experiment):
            if then < now:
                yield f"growing: {facts}"
        case "growing":
            if experiment.optimizer in WITH_LIMIT and experiment.updates_per_epoch == 1:
                above = experiment.learning_rate > known.limit(experiment)
                if not above:
                    yield f"growing: below the limit, {facts}"
            elif then < now:
                yield f"growing: {facts}"
        case _:  # overshooting
            first = sum(phase.epochs for phase in experiment.before)
            along = known.along(longer)[first:]
            if not ((along[1:] * along[:-1] < 0).sum(0) >= 2).any():
                yield f"overshooting: no error changes its sign twice, {facts}"
            if (
                then > 1.1 * now + rounding
                and not math.isclose(known.factor(experiment), 1, rel_tol=1e-9)
                and not experiment.momentum
            ):
                yield f"overshooting: {facts}"


def _mean_is_wrong(experiment, sentence, known, recording):
    """Of the points of the last epochs their mean, and how much nearer it is than they are."""
    told = re.search(f"its last ({NUMBER}) epochs? is at RMSE ({NUMBER}), ({NUMBER}) × nearer", sentence)
    if told:
        points = recording.epoch_theta.numpy()[-int(number(told[1])) :]
        gaps = [np.mean(((one - known.theta) @ known.features.T) ** 2) for one in (*points, points.mean(0))]
        run, mean = (known.unit * math.sqrt(gap + known.floor**2) for gap in (np.mean(gaps[:-1]), gaps[-1]))
        times = (run - known.floor_of_data) / (mean - known.floor_of_data)
        if not (_close(number(told[2]), mean, 1e-5) and _close(number(told[3]), times, 0.02)):
            yield f"number: the mean is at {mean}, {times} × nearer"
        if len(points) != (experiment.epochs + 1) // 2:
            yield f"number: {len(points)} of {experiment.epochs} epochs"


def _schedule_is_wrong(experiment, label, sentence, known, recording):
    """Rates, the epochs above the limit, and what the first rate alone does."""
    if is_constant(experiment):
        return
    each, done = rates(experiment), recording.epochs
    for rate, share, first in re.findall("has come to (#), (#) % of (#)".replace("#", NUMBER), sentence):
        told = (number(rate), number(share) / 100, number(first))
        if not all(map(_close, told, (each[done - 1], each[done - 1] / max(experiment.learning_rate, 1e-300), experiment.learning_rate))):  # fmt: skip
            yield f"number: rate {each[done - 1]} of {experiment.learning_rate}"
    if "is above the limit" in sentence:
        above = [epoch for epoch, rate in enumerate(each) if rate > known.limit(experiment)]
        until, most = (
            re.search(f"until epoch ({NUMBER})", sentence),
            re.search(f"up to ({NUMBER}) × as", sentence),
        )
        some = re.search(f"from epoch ({NUMBER}) (?:to ({NUMBER})|on)", sentence)
        first, last = (0, number(until[1]) - 1) if until else (number(some[1]), number(some[2] or str(len(each))) - 1) if some else (0, len(each) - 1)  # fmt: skip
        if not above or (above[0], above[-1]) != (first, last):
            yield f"number: above the limit in {above[:1]} to {above[-1:]}"
        if above and not _close(number(most[1]), max(each) / known.limit(experiment)):
            yield f"number: up to {max(each) / known.limit(experiment)}"
    elif (
        experiment.optimizer in WITH_LIMIT and experiment.updates_per_epoch == 1 and label != "stood still"
        and "has come to" in sentence and max(each) > known.limit(experiment) * 1.001
    ):  # fmt: skip
        yield "reason: above the limit, and not said"
    best = re.search(f"Under the same schedule η = ({NUMBER}) leaves RMSE ({NUMBER})", sentence)
    if best:
        run = record(replace(experiment, learning_rate=number(best[1])))
        if run.diverged_at is not None or not _close(
            number(best[2]), float(run.epoch_rmse[-1]), 1e-4, known.zero
        ):
            yield f"remedy: η = {best[1]} ends at {float(run.epoch_rmse[-1])}"
        if label != "diverged" and not float(run.epoch_rmse[-1]) < float(recording.epoch_rmse[-1]):
            yield f"remedy: η = {best[1]} is no better"
    alone = re.search(f"At the constant rate ({NUMBER}) it (diverges|ends at|is about|hovers about)(?: RMSE ({NUMBER}))?(?:, ({NUMBER}) ×)?", sentence)  # fmt: skip
    if alone:
        one = replace(experiment, schedule="constant", warmup=0, epochs=done)
        run = record(one)
        if (run.diverged_at is not None) != (alone[2] == "diverges"):
            yield f"remedy: the constant rate diverges at {run.diverged_at}"
        elif alone[2] != "diverges":
            gaps = known.gaps(run)
            gap = gaps[-1] if alone[2] == "ends at" else np.mean(gaps[-max(1, done // 5) :])
            there = known.unit * math.sqrt(gap + known.floor**2 + known.above)
            if experiment.loss == "mse" and not _close(number(alone[3]), there, 1e-4, known.zero):
                yield f"remedy: the constant rate is at {there}"
            here = float(recording.epoch_rmse[-1])
            if alone[4] and not _close(
                number(alone[4]), (there - known.floor_of_data) / (here - known.floor_of_data), 0.02
            ):
                yield f"remedy: {(there - known.floor_of_data) / (here - known.floor_of_data)} × as far"
            if "which is lower" in sentence and there >= here:
                yield f"remedy: {there} is not lower than {here}"
            if alone[2] == "hovers about":
                more = record(replace(one, epochs=LONGER * done))
                if more.diverged_at is None and np.mean(known.gaps(more)[-2 * done :]) < gap / 3:
                    yield "remedy: the constant rate does not hover"


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def _numbers(words: str, sentence: str) -> list[float]:
    return [number(found) for found in re.findall(words.replace("#", f"({NUMBER})"), sentence)]


def _close(one: float, other: float, relative: float = 6e-3, absolute: float = 0.0) -> bool:
    return math.isclose(one, other, rel_tol=relative, abs_tol=absolute)


def _numbers_are_wrong(experiment, label, sentence, known, recording):
    zero = known.zero
    for floor in _numbers(r"floor(?: is)?(?: of)? #", sentence):
        if not (
            _close(floor, known.floor_of_data, 1e-5, zero)
            or _close(floor, known.unit * known.floor, 1e-5, zero)
        ):
            yield f"number: floor {floor}, is {known.floor_of_data}"
        if experiment.penalty:
            yield f"number: floor {floor} of a penalised loss, which bounds no RMSE"
        if floor and known.floor_of_data < 1e-13 * known.unit * known.size and experiment.noise == 0:
            yield f"number: floor {floor} of a perfect fit"
    for lowest in _numbers(r"(?:loss is lowest it is|where its minimum has) #", sentence):
        if not _close(lowest, known.floor_of_data, 1e-5, zero):
            yield f"number: RMSE {lowest} at the lowest loss, is {known.floor_of_data}"
    for rmse in _numbers(r"(?:at|:) RMSE #", re.sub("it is at RMSE", "", sentence))[:1]:
        if not _close(rmse, float(recording.epoch_rmse[-1]), 1e-5, zero):
            yield f"number: RMSE {rmse}, is {float(recording.epoch_rmse[-1])}"
    own = {
        known.limit(replace(experiment, optimizer=phase.optimizer, momentum=phase.momentum))
        for phase in experiment.phases
        if phase.optimizer in WITH_LIMIT
    }
    for limit in _numbers(r"limit(?: for all rows together is)? #(?! %)", sentence):
        if not any(_close(limit, one) for one in own):
            yield f"number: limit {limit}, is {own}"
    shares = [
        (number(a) / 100 if b.startswith("%") else number(a))
        for a, b in re.findall(rf"({NUMBER}) (× the limit|% of the limit)", sentence)
    ]
    for share in shares:
        if not any(
            _close(share, phase.learning_rate / known.limit(replace(experiment, optimizer=phase.optimizer, momentum=phase.momentum)))
            for phase in experiment.phases if phase.optimizer in WITH_LIMIT
        ):  # fmt: skip
            yield f"number: share {share} of {own}"
    if (
        experiment.optimizer not in WITH_LIMIT
        and not experiment.before
        and re.search(r"the limit|all rows together", sentence)
    ):
        yield "limit: of a rule that has none"
    for growth in _numbers(r"grows × #", sentence):
        if not experiment.before and not _close(growth, known.factor(experiment)):
            yield f"number: grows × {growth}, is {known.factor(experiment)}"
    if re.search(r"\de[+-]?0|\d\.?\d*e\+|\bafter 1 epochs|[^\w ]-\d| -\d|nan|None|[{}]", sentence):
        yield f"form: {sentence}"
    fell = re.search(rf"from ({NUMBER}) to ({NUMBER})", sentence)
    if fell and fell[1] == fell[2]:
        yield f"form: {sentence}"
    if "comes back" in sentence and (label == "diverged" or experiment.optimizer == "gradient-descent"):
        yield f"reason: {sentence}"
    if re.search("velocity", sentence) and not any(
        p.optimizer in ("momentum", "nesterov") for p in experiment.phases
    ):
        yield f"reason: {sentence}"
    yield from _levels_are_wrong(experiment, sentence, known)


def _levels_are_wrong(experiment, sentence, known):
    """What is said of a smaller rate or of a larger batch is what they do, ten times as long."""
    third, longer = {"learning_rate": experiment.learning_rate / 3}, LONGER * experiment.epochs

    def gaps(epochs=longer, **changes):
        run = record(replace(experiment, epochs=epochs, **changes))
        return np.array([math.inf]) if run.diverged_at is not None else known.gaps(run)

    def tail(one):
        return float(np.mean(one[-max(1, len(one) // 5) :]))

    if re.search("A smaller rate hovers lower", sentence) and tail(gaps(**third)) > tail(gaps()):
        yield f"remedy: a third of the rate ends at {tail(gaps(**third)):.4g}, the rate itself at {tail(gaps()):.4g}"
    about = "A third of the rate hovers about RMSE (#), where this one does about (#)".replace("#", NUMBER)
    for told in re.findall(about, sentence):
        found = [math.sqrt(tail(gaps(**one)) + known.floor_of_data**2) for one in (third, {})]
        if not all(_close(number(one), other, 0.03) for one, other in zip(told, found, strict=True)):
            yield f"remedy: a third of the rate hovers about {found}"
        if found[0] > found[1]:
            yield f"remedy: a third of the rate hovers higher: {found}"
    for rmse in _numbers("gone on, it is about RMSE #", sentence):
        found = known.unit * math.sqrt(tail(gaps()) + known.floor**2)
        if not _close(rmse, found, 0.03):
            yield f"remedy: gone on it is about {found}"
    for rmse in _numbers("A third of the rate is about # then", sentence):
        found = known.unit * math.sqrt(tail(gaps(**third)) + known.floor**2)
        if not _close(rmse, found, 0.03):
            yield f"remedy: a third of the rate is about {found}"
    for rows in _numbers("A batch of # hovers lower", sentence):
        if tail(gaps(batch_size=int(rows))) > tail(gaps()) or tail(gaps(**third)) < tail(gaps()) / 2:
            yield f"remedy: a batch of {rows} ends at {tail(gaps(batch_size=int(rows))):.4g}"
    if "A third of the rate is closer by now" in sentence:
        now = experiment.epochs
        if tail(gaps(now, **third)) > tail(gaps(now)):
            yield f"remedy: a third of the rate is at {tail(gaps(now, **third)):.4g}"
    less_far = "A third of the rate leaves it less far" in sentence
    if less_far and gaps(**third)[longer // 2 :].max() > gaps()[longer // 2 :].max():
        yield "remedy: a third of the rate leaves it as far"


# ------------------------------------------------------------------------------------- remedies, and who is to blame

WAY = rf"(?:(?:some )?({NUMBER}) epochs?)"
CHANGES = {
    rf"A rate of ({NUMBER}) comes (?:within|to)[^;]*? in {WAY}": {},
    rf"with scaled features ({NUMBER}) does in {WAY}": {"scale_features": True},
    rf"cale the features, and ({NUMBER}) comes (?:within|to)[^;]*? in {WAY}": {"scale_features": True},
    rf"as it is, at ({NUMBER}), {WAY}": {},
}


def _remedies_are_wrong(experiment, sentence):
    """Each advised change, tried: that it comes near the floor in so many epochs, and not in much fewer."""
    if experiment.before:
        return
    tried = [
        (number(rate), number(epochs), changes)
        for words, changes in CHANGES.items() for rate, epochs in re.findall(words, sentence)
    ]  # fmt: skip
    for momentum, rate, epochs in re.findall(rf"(?:With β = ({NUMBER})|Without momentum), [^;.]*?and a rate of ({NUMBER}) it comes (?:within|to)[^;]*? in {WAY}", sentence):  # fmt: skip
        tried.append((number(rate), number(epochs), {"momentum": number(momentum or "0")}))
    stay = re.findall(
        rf"(?:as it is|within 1 % of the floor after|within 2 % of the lowest loss after|first RMSE after) {WAY}",
        sentence,
    )
    tried += [(experiment.learning_rate, number(epochs), {}) for epochs in stay]
    for rate, rmse, epochs in re.findall(rf"At a rate of ({NUMBER}) it is at RMSE ({NUMBER}) after ({NUMBER}) epoch", sentence):  # fmt: skip
        found = float(record(replace(experiment, learning_rate=number(rate), epochs=int(number(epochs)))).epoch_rmse[-1])  # fmt: skip
        if not _close(number(rmse), found, 1e-2):
            yield f"remedy: RMSE {rmse} at {rate}, is {found}"
    for rate, epochs, changes in tried:
        told = replace(experiment, learning_rate=rate, **changes)
        late, early = math.ceil(1.06 * epochs + 1), math.floor(0.85 * epochs - 2)
        perfect = "a perfect fit" in sentence or "millionth of the first RMSE" in sentence
        if not _is_near(told, late, perfect, 1.05):
            yield f"remedy: {changes} at {rate} is not near after {late} epochs"
        if (
            early > 0
            and told.updates_per_epoch == 1
            and not told.momentum
            and _is_near(told, early, perfect, 0.95)
        ):
            yield f"remedy: {changes} at {rate} is near after {early} epochs already"


def _is_near(experiment, epochs, perfect, slack) -> bool:
    """Whether the RMSE is within 1 % of the floor, or a millionth of the first where that is 0, after so many epochs.

    In mini-batches: the mean over some epochs, of runs that are soon trained; others count as near.
    """
    known = Known(experiment)
    away = _start(experiment) - known.theta
    first = float(np.mean((known.features @ away) ** 2) + away**2 @ known.each)
    least = (0.0201 * (known.floor**2 + known.above)) * slack
    if perfect:
        least = 1.1e-12 * first + 1e-13 * known.size**2
    if experiment.updates_per_epoch > 1:
        if epochs * experiment.updates_per_epoch > MOST_UPDATES * 4:
            return True
        run = record(replace(experiment, epochs=max(1, int(epochs))))
        return (
            run.diverged_at is None and float(np.mean(known.gaps(run)[-max(1, int(epochs) // 10) :])) <= least
        )
    error = (_start(experiment) - known.theta) @ known.vectors.T
    left = [e * _power(experiment, x, epochs) for e, x in zip(error, known.eigenvalues, strict=True)]
    return float(0.5 * known.eigenvalues @ np.square(left)) <= least


def _start(experiment) -> np.ndarray:
    return build(experiment).start.numpy()


def _power(experiment, curvature: float, epochs: int) -> float:
    """What is left of an error after so many epochs, by the rule's recursion as a matrix."""
    beta, x = experiment.momentum, experiment.learning_rate * curvature
    if experiment.optimizer == "newton":
        return (1 - experiment.learning_rate) ** epochs
    if experiment.optimizer == "gradient-descent":
        return (1 - x) ** epochs
    a, b = (0.0, 1.0) if experiment.optimizer == "momentum" else (1.0, beta)
    step = np.array([[1 - x * (a + b), -b * beta], [x, beta]])  # of (error, η × velocity)
    return float(np.linalg.matrix_power(step, int(epochs))[0, 0])


def _reasons_are_wrong(experiment, sentence, known, recording):
    """κ, shrinking, who is off and by how much, and the rate up to which no batch makes an error grow."""
    positive = known.eigenvalues[known.eigenvalues > 0]
    for kappa in _numbers(r"κ = #", sentence):
        if not _close(kappa, positive[0] / positive[-1], 1e-2) and positive[0] / positive[-1] < 1e12:
            yield f"number: κ {kappa}, is {positive[0] / positive[-1]}"
    for shrinks in _numbers(r"shrinks by # %", sentence):
        slow = max(known.factors(experiment, experiment.learning_rate, positive[-1]))
        if not _close(shrinks / 100, 1 - slow**experiment.updates_per_epoch, 1e-2):
            yield f"number: shrinks by {shrinks} %, is {100 * (1 - slow**experiment.updates_per_epoch)}"
    for safe, rows in re.findall(
        rf"up to ({NUMBER}) no (single row|batch of {NUMBER}) (?:alone )?makes", sentence
    ):
        count = experiment.rows_per_update
        longest = np.sort((known.features**2).sum(1))[-count:]
        steepest = 2 * longest.mean() + 2 * known.each.max()
        limit = known.limit(experiment) * known.eigenvalues[0] / steepest
        if not _close(number(safe), limit, 1e-2):
            yield f"number: {rows} safe up to {safe}, is {limit}"
    best, ends, starts = (_raw(experiment, theta) for theta in (known.theta, recording.epoch_theta[-1].numpy(), _start(experiment)))  # fmt: skip
    if best is None or len(positive) < len(best):
        return
    names = list(experiment.info.parameters)
    for name, share in re.findall(
        rf"(\S+)(?: \([^()]*\))? is (?:nearly there \(|still )({NUMBER}) % off", sentence
    ):
        place = names.index(name)
        off = abs(ends[place] - best[place]) / abs(best[place])
        if not _close(number(share) / 100, off, 2e-2, 1e-9):
            yield f"number: {name} off {share} %, is {100 * off}"
    for name, gone, way in re.findall(
        rf"(\S+)(?: \([^()]*\))? has gone ({NUMBER}),? (?:of its|though its way is) ({NUMBER})", sentence
    ):
        place = names.index(name)
        moved, whole = ends[place] - starts[place], best[place] - starts[place]
        if not (
            _close(number(way), abs(whole), 1e-2) and _close(number(gone), moved * np.sign(whole), 2e-2, 1e-9)
        ):
            yield f"number: {name} has gone {gone} of {way}, is {moved} of {whole}"


def _raw(experiment, theta: np.ndarray) -> np.ndarray | None:
    """Coefficients in raw units, for models that are a sum of features."""
    if experiment.scale_target or not experiment.intercept:
        return None
    if not experiment.scale_features:
        return theta
    if experiment.info.model in ("quadratic", "polynomial") or len(theta) < 2:
        return None
    x = build(replace(experiment, scale_features=False)).dataset.x.numpy().astype(float)
    deviation = x.std(0)
    slopes = theta[:-1] / np.where(deviation > 0, deviation, 1.0)
    return np.append(slopes, theta[-1] - slopes @ x.mean(0))
