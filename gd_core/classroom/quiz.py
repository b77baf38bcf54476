"""What was learned: seven short questions before the hour and seven of the same kinds after it, with other numbers, each judged by a run.

The bowl L(A) = (3 + 3A)² of the first lesson does for five of them; the sixth has two directions of unequal curvature, the
seventh two valleys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import NamedTuple
from urllib.parse import urlencode

import numpy as np
import torch
from torch import Tensor

from gd_core.classroom.rooms import Judgement, Question
from gd_core.lessons.one_parameter.behaviour import CURVATURE, behaviour_of
from gd_core.optimizers import gradient_descent
from gd_core.recorder import record
from gd_core.run_summary import epochs_to
from gd_core.settings.experiment import Experiment
from gd_core.training import Recording, train
from gd_core.words import counted, short

BEFORE, AFTER = 1, 2  # papers
BOWL = "The loss is (3 + 3A)², lowest at A = −1; its slope is 18 (A + 1)."
SAME = 1e-3  # of w: so near it is there
CLEAR = 1.5  # times: what is nearer than that is not asked


class Drawn(NamedTuple):
    """A question with its numbers, and what its run says."""

    text: str
    answers: tuple[str, ...]
    right: int
    sentence: str
    address: str


def quiz(seed: str, paper: int) -> tuple[tuple[Question, Judgement], ...]:
    """Seven questions with their judgements: the same for the same seed, other numbers on the other paper.

    Args:
        seed: Such as the room's code.
        paper: BEFORE or AFTER.
    """
    asked = []
    for kind, draw in KINDS.items():
        drawn = draw(Random(f"{seed} {kind} {BEFORE}"))
        first, random = drawn, Random(f"{seed} {kind} {AFTER}")
        while paper == AFTER and (drawn.text, drawn.answers) == (first.text, first.answers):
            drawn = draw(random)
        question = Question(
            title=TITLES[paper], text=drawn.text, answers=drawn.answers, address=drawn.address, kind=kind, paper=paper
        )  # fmt: skip
        asked.append((question, Judgement(right=(drawn.right,), sentence=drawn.sentence)))
    return tuple(asked)


TITLES = {BEFORE: "Before the hour", AFTER: "After the hour"}


def _bowl(learning_rate: float, start: float, epochs: int) -> Recording:
    """A run in the bowl."""
    return record(_experiment(learning_rate, start, epochs))


def _experiment(learning_rate: float, start: float, epochs: int) -> Experiment:
    usual = Experiment.default("one-parameter")
    return replace(usual, learning_rate=learning_rate, start=(start,), epochs=epochs)


def _address(learning_rate: float, start: float, epochs: int) -> str:
    return f"one_parameter?{urlencode(_experiment(learning_rate, start, epochs).to_query())}"


def _rate(factor: float) -> float:
    """The rate that multiplies the error in the bowl by a factor in each epoch, to four decimals."""
    return round((1 - factor) / CURVATURE, 4)


def _step(random: Random) -> Drawn:
    """Where one step leads."""
    while True:
        start, rate = random.randint(-8, 8) / 2, random.choice((0.01, 0.02, 0.03, 0.04))
        if start == -1:
            continue
        reached = float(_bowl(rate, start, 1).theta[-1, 0])
        slope = CURVATURE * (start + 1)
        wrong = (start + rate * slope, start - rate, -1.0)  # uphill; without the slope; all the way
        answers = sorted({short(one) for one in (reached, *wrong)}, key=_number)
        if len(answers) == 4:
            text = f"{BOWL} From A = {short(start)}, where is A after one step with learning rate η = {short(rate)}?"
            told = f"A − η × slope = {short(start)} − {short(rate)} × ({short(slope)}) = {short(reached)}."
            return Drawn(
                text,
                tuple(f"A = {one}" for one in answers),
                answers.index(short(reached)),
                told,
                _address(rate, start, 1),
            )


def _number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def _motion(random: Random) -> Drawn:
    """What the point does."""
    answers = {
        "closer": "It comes closer from one side",
        "across": "It jumps across and comes closer",
        "leaves": "It flies away",
    }
    rate, start = (
        _rate(random.choice((0.7, 0.4, 0.2, -0.3, -0.6, -0.8, -1.2, -1.5))),
        random.choice((1.0, 2.0, 3.0)),
    )
    run = _bowl(rate, start, 20)
    text = f"{BOWL} From A = {short(start)} with learning rate η = {short(rate)}: what will A do?"
    first = ", ".join(short(float(one), 2) for one in run.epoch_theta[:4, 0])
    told = f"{answers[behaviour_of(run)]}: A is {first} …"
    return Drawn(
        text, tuple(answers.values()), [*answers].index(behaviour_of(run)), told, _address(rate, start, 20)
    )


def _best_rate(random: Random) -> Drawn:
    """Which rate leaves the smallest error."""
    start, epochs = random.choice((1.0, 2.0, 4.0)), random.randint(3, 8)
    while True:
        factors = random.sample((0.95, 0.8, 0.5, 0.3, 0.15, -0.2, -0.45, -0.7, -1.15), 4)
        sizes = sorted(map(abs, factors))
        if sizes[1] >= CLEAR * sizes[0]:
            break
    rates = sorted(map(_rate, factors))
    ends = [float(_bowl(rate, start, epochs).epoch_rmse[-1]) for rate in rates]
    right = ends.index(min(ends))
    text = f"{BOWL} From A = {short(start)}, which learning rate leaves the smallest error after {counted(epochs, 'epoch')}?"
    told = f"After {counted(epochs, 'epoch')} they leave errors of {', '.join(short(end, 2) for end in ends)}: η = {short(rates[right])}."
    return Drawn(
        text,
        tuple(f"η = {short(rate)}" for rate in rates),
        right,
        told,
        _address(rates[right], start, epochs),
    )


def _largest_rate(random: Random) -> Drawn:
    """How large a rate may be."""
    below = random.randint(1, 3)
    factors = random.sample((-0.3, -0.55, -0.75, -0.9), below) + random.sample(
        (-1.08, -1.2, -1.5, -2.0), 4 - below
    )
    rates = sorted(map(_rate, factors))
    start = random.choice((1.0, 2.0, 3.0))
    shrinks = [
        bool(run.epoch_rmse[-1] < run.epoch_rmse[0]) for run in (_bowl(rate, start, 20) for rate in rates)
    ]
    right = max(number for number, one in enumerate(shrinks) if one)
    text = f"{BOWL} Which is the largest of these learning rates with which the error becomes smaller?"
    told = f"η = {short(rates[right])} shrinks the error, η = {short(rates[right + 1])} makes it grow. The limit is 2/18."
    return Drawn(
        text, tuple(f"η = {short(rate)}" for rate in rates), right, told, _address(rates[right], start, 20)
    )


def _twice(random: Random) -> Drawn:
    """What another rate does to the number of epochs."""
    answers = ("In fewer epochs", "In as many", "In more epochs", "Never")
    start = random.choice((1.0, 2.0))
    while True:
        factor = random.choice((0.8, 0.7, 0.6))
        # Twice, half, beyond, too much.
        other = random.choice((2 * factor - 1, (1 + factor) / 2, -factor, -1.2))
        rates = _rate(factor), _rate(other)
        first, second = (_epochs_to_a_tenth(_bowl(rate, start, 100)) for rate in rates)
        if first and (second is None or second == first or abs(second - first) > first / 4):
            break
    right = 3 if second is None else 0 if second < first else 1 if second == first else 2
    text = (
        f"{BOWL} From A = {short(start)} with η = {short(rates[0])} the error is down to a tenth after {counted(first, 'epoch')}. "
        f"And with η = {short(rates[1])}?"
    )
    told = (
        "It never gets there: the error grows."
        if second is None
        else f"It takes {counted(second, 'epoch')}, not {first}."
    )
    told = (
        f"It takes {counted(first, 'epoch')} again: A jumps across, and comes closer as fast."
        if second == first
        else told
    )
    return Drawn(text, answers, right, told, _address(rates[1], start, 100))


def _epochs_to_a_tenth(run: Recording) -> int | None:
    rmse = run.epoch_rmse.numpy()
    return epochs_to(rmse, rmse[0] / 10)


@dataclass(frozen=True, eq=False)
class _Valley:
    """L(θ) = ½ Σ λᵢ θᵢ²: directions that curve unequally."""

    curvatures: Tensor  # λ, [P]

    def on(self, rows: Tensor | None) -> _Valley:
        return self

    def __call__(self, theta: Tensor) -> Tensor:
        return (self.curvatures * theta.square()).sum() / 2


def _lagging(random: Random) -> Drawn:
    """Which direction lags: the flat one at a small rate, the steep one close to its limit."""
    while True:
        steep, flat = random.choice((10, 16, 20)), random.choice((1, 2))
        curvatures = {"a": steep, "b": flat} if random.random() < 0.5 else {"a": flat, "b": steep}
        rate = round(random.choice((0.4, 0.8, 1.1, 1.92, 1.95)) / steep, 3)
        epochs = random.choice((10, 15))
        start = torch.ones(2, dtype=torch.float64)
        valley = _Valley(torch.tensor([*curvatures.values()], dtype=torch.float64))
        *_, last = islice(train(valley, start, gradient_descent(rate)), epochs + 1)
        ends = [abs(float(one)) for one in last.theta]
        if max(ends) >= CLEAR * min(ends):
            break
    loss = " + ".join(f"{'' if one == 1 else one}{name}²" for name, one in curvatures.items())
    text = (
        f"The loss is ½ ({loss}), so it curves unequally along a and b. From a = b = 1 with "
        f"learning rate η = {short(rate)}: which is farther from 0 after {counted(epochs, 'epoch')}?"
    )
    told = f"|a| is {short(ends[0], 2)} and |b| is {short(ends[1], 2)}."
    return Drawn(text, ("a", "b", "Both are as far"), ends.index(max(ends)), told, "landscape")


@dataclass(frozen=True, eq=False)
class _Hills:
    """L(w) = (w² − 1)² + tilt · w: two valleys, of which one is lower, and a top between them."""

    tilt: float

    def on(self, rows: Tensor | None) -> _Hills:
        return self

    def __call__(self, theta: Tensor) -> Tensor:
        return (theta.square() - 1).square().sum() + self.tilt * theta.sum()

    @property
    def level(self) -> list[float]:
        """Where the slope 4w³ − 4w + tilt is 0, from left to right: a valley, the top, a valley."""
        return sorted(np.roots((4, 0, -4, self.tilt)).real.tolist())


def _which_valley(random: Random) -> Drawn:
    """Where a run ends that has a hill before it: in the valley on its own side, unless a step is so long that it leaps."""
    answers = (
        "In the lower valley",
        "In the higher valley",
        "On the top between them",
        "In neither: it flies away",
    )
    while True:
        hills, start = _Hills(random.choice((-0.4, -0.3, 0.3, 0.4))), random.choice((-1.6, -0.5, 0.5, 1.6))
        rate = random.choice((0.01, 0.03, 0.05, 0.05, 1.0))
        first = torch.tensor([start], dtype=torch.float64)
        path = [float(one.theta[0]) for one in islice(train(hills, first, gradient_descent(rate)), 400)]
        gone = next((k for k, place in enumerate(path) if not abs(place) < 1e3), None)
        left, top, right = hills.level
        lower, higher = (left, right) if hills.tilt > 0 else (right, left)
        where = (
            3 if gone else 0 if abs(path[-1] - lower) < SAME else 1 if abs(path[-1] - higher) < SAME else None
        )
        # who has leapt over the top on the way, or goes to and fro, is too hard to foresee
        if where is not None and (gone or all((place > top) == (start > top) for place in path)):
            break
    sign = "+" if hills.tilt > 0 else "−"
    text = (
        f"The loss is (w² − 1)² {sign} {short(abs(hills.tilt))}w. It has a valley near w = {short(lower, 2)}, a higher one near w = {short(higher, 2)}, and a top "
        f"between them near w = {short(top, 2)}. From w = {short(start)} with learning rate η = {short(rate)}: where does gradient descent end?"
    )
    steps = ", ".join(short(one, 2) for one in path[: gone or 4][:4])
    told = f"{answers[where]}: w is {steps} …"
    return Drawn(text, answers, where, told, "hills")


KINDS: Mapping[str, Callable[[Random], Drawn]] = {
    "One step": _step,
    "What the point does": _motion,
    "The best rate": _best_rate,
    "The largest rate": _largest_rate,
    "Another rate": _twice,
    "Which direction lags": _lagging,
    "Which valley": _which_valley,
}
