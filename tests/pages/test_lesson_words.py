"""Every sentence that a lesson fills with numbers, filled with hostile ones: its form stays that of a sentence."""

import re
from dataclasses import replace
from functools import partial
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from gd_core.lessons.deep_networks.network import Network
from gd_core.lessons.deep_networks.recorder import record as trained
from gd_core.lessons.deep_networks.verdict import Hearing, of_training, tempting, way_back
from gd_core.lessons.four_steps import of_stop
from gd_core.lessons.gradient.finite_differences import Trial
from gd_core.lessons.gradient.finite_differences import said as said_of_step
from gd_core.lessons.gradient.per_row import Ending, ending, said
from gd_core.lessons.learning_rate.arriving import CONSTANT, MEAN, SHRINKING, Arriving
from gd_core.lessons.learning_rate.arriving import told as told_of_single_rows
from gd_core.lessons.learning_rate.four_rates import NearLimit, Passing, best_words, share_words, way_words
from gd_core.lessons.one_parameter import behaviour
from gd_core.lessons.variants.race import Race, line_up, race, told
from gd_core.outcome import Finding, Outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import Curvature, curvature_of
from gd_core.words import floor_label
from pages.ui.lessons import variants
from pages.ui.lessons.landscape import tables
from pages.ui.lessons.learning_rate.goldilocks import near_words, passing_words

HOSTILE = (0.0, 1e-300, 2e-16, 1e-5, 0.9999999, 1.0, 1.0000001, 999.96, 1e15)
COUNTS = (1, 2, 1000, 10**15)
PLANE = replace(Experiment.default("two-features"), points=20, noise=0.5, epochs=2)


def form(text: str) -> list[str]:
    """What no sentence has: an exponent of a machine, an ASCII minus, 1 epochs, a number that is none, an open place."""
    bad = r"\de[+]|e[−+-]0\d|e-\d|(?<![\w’])-\d|\b1 (?:epochs|updates|rows|rates|digits|steps|numbers)\b|\bnan\b|None|[{}]|  | \.|\.\.(?!\.)"
    return re.findall(bad, re.sub(r"\{\w+(:\d)?\}", "0", text))


def run(first: float, last: float) -> Any:
    """A run whose RMSE goes from one number to another."""
    rmse = torch.tensor([first, last], dtype=torch.float64)
    return SimpleNamespace(epoch_rmse=rmse, epochs=1, diverged_at=None)


def known(floor: float, zero: bool) -> Any:
    """What theory says of a floor."""
    nothing = partial(Curvature.nothing, SimpleNamespace(floor_rmse=floor, floor_is_zero=zero))
    curvature = SimpleNamespace(nothing=nothing)
    return SimpleNamespace(
        stability_limit=1.0, floor_rmse=floor, floor_is_zero=zero, curvature=curvature, experiment=PLANE
    )


def sentences_of_rates() -> Any:
    for a, b, floor, zero in product(HOSTILE, HOSTILE, (0.0, 2e-16, 1.0), (False, True)):
        forecast: Any = known(floor, zero)
        yield share_words(forecast, a)
        yield way_words(run(a, b), forecast)
        yield floor_label(forecast)
    for limit, epochs, above in product((None, 1.0), COUNTS, (False, True)):
        forecast = SimpleNamespace(stability_limit=limit)
        yield best_words(forecast, epochs, above)
    for share, factor, jumps, at in product((0.5, 1.0, 1.5), HOSTILE, (True, False, None), (None, *COUNTS)):
        found = NearLimit(1e-5, share, factor, jumps, True, 0.3 if factor < 0.5 else 1e15, at)
        yield near_words(found, 0.5)
    for size, left, above, at in product(HOSTILE, HOSTILE, ("", "until epoch 3"), (None, *COUNTS)):
        yield passing_words(Passing(1e-5, above, True, size, left, 15, at), 0.5)
    constant = replace(PLANE, batch_size=1, epochs=20, schedule="inverse-time:0.3")
    for a, b, c, floor in product(HOSTILE[1:], HOSTILE[1:], HOSTILE[1:], (0.0, 1.0)):
        above = {name: np.full(21, left) for name, left in ((CONSTANT, a), (MEAN, b), (SHRINKING, c))}
        yield told_of_single_rows(Arriving(constant, constant, above, floor))


def sentences_of_one_run() -> Any:
    for number in (*HOSTILE, *(-one for one in HOSTILE)):
        yield behaviour.written(number)
        yield from behaviour.meaning(number)
    for rate, a, told_of, epochs in product(HOSTILE[1:], HOSTILE, behaviour.Behaviour, (1, 1000)):
        theta = torch.tensor([[2.0], [a]], dtype=torch.float64)
        recording: Any = SimpleNamespace(
            epochs=epochs,
            epoch_theta=theta,
            epoch_loss=9 * (theta[:, 0] + 1) ** 2,
            gradient=theta,
            diverged_at=epochs,
        )
        yield behaviour.of_run(recording, rate, told_of)
    for kind, value, slope, bend, rounding in product(
        ("forward", "central"), HOSTILE, HOSTILE, (0.0, 1e-300, 1.0), (1e-300, 1.0)
    ):
        yield said_of_step(Trial(kind, 1e-5, slope, value, True, bend, rounding), "b")
    for first, last, floor, zero in product(HOSTILE, HOSTILE, HOSTILE, (False, True)):
        if first >= last >= floor:
            forecast = known(floor, zero)
            yield of_stop(run(first, last), PLANE, forecast, Finding(Outcome.DESCENDING))
    problem = build(PLANE)
    for a, b, floor in product(HOSTILE[:-1], HOSTILE[:-1], HOSTILE):
        theta = torch.tensor([[5.0, 5.0, 5.0], [a, -b, b]], dtype=torch.float64)
        recording = SimpleNamespace(
            epoch_theta=theta, epoch_rmse=problem.objective.rmse(theta), diverged_at=None
        )
        if ending(recording, problem.linear) is not Ending.GROW:
            yield said(recording, problem.linear, ("w₁", "w₂", "b"), floor)


def sentences_of_networks() -> Any:
    for network in (Network(depth=1, width=2, epochs=1), Network(depth=3, width=2, epochs=1, residual=True)):
        one = trained(network)
        for a, b in product(HOSTILE, HOSTILE):
            norms = one.norms.clone()
            norms[:, 0], norms[:, -2] = a, b
            losses = torch.tensor([a, b], dtype=torch.float64)
            hostile = replace(one, norms=norms, loss=losses, moved=one.moved * 0 + a)
            yield of_training(hostile)
            yield way_back(hostile)
            yield from (tempting(guess, hostile) for guess in Hearing)


def sentences_of_races() -> Any:
    problem = build(PLANE)
    curvature = curvature_of(problem.objective)
    entries = line_up(PLANE, tuple(variants.RACERS), problem, curvature, rates={"adam": 1e-5})
    finished = race(entries, [record(one.experiment) for one in entries], problem, curvature)
    for a, b, target in product(HOSTILE, HOSTILE, (0.0, 1e-300, 1.0)):
        results = tuple(
            replace(one, rmse=np.linspace(a, b, len(one.rmse)), target=target) for one in finished.results
        )
        other = Race(results, a, 0.0, target)
        for unit in ("epoch", "update", "row"):
            yield told(other, unit)
        yield from variants._said(other, "epoch", np.arange(3))[0]
        for one in results:
            yield from variants._good_and_bad(one, other, lambda text: text)
    for one, share in product(entries, HOSTILE[1:]):
        rate = share * (one.limit or 1.0)
        yield variants._why_rate(
            one._replace(experiment=replace(one.experiment, learning_rate=min(max(rate, 1e-18), 1e6)))
        )


def sentences_of_valleys() -> Any:
    for number in HOSTILE:
        yield tables.factor(number)
        yield tables.factor(-number)
        yield tables._epochs(number)
        yield tables._mix((number, -0.5, 0.06), ("a", "b", "c"))


@pytest.mark.parametrize(
    "sentences",
    [
        sentences_of_rates,
        sentences_of_one_run,
        sentences_of_networks,
        sentences_of_races,
        sentences_of_valleys,
    ],
)
def test_hostile_numbers_leave_a_sentence(sentences):
    """0, 1, what is next to them, 1e−300 and 1e15: each template stays readable with every one of them."""
    every = list(sentences())
    assert len(every) > 10
    assert {text: found for text in every if (found := form(text))} == {}


@pytest.mark.parametrize(
    "text", ["after 1 epochs", "rate 1e-05", "from -3", "RMSE nan", "at {p0:d}", "two  spaces"]
)
def test_a_broken_sentence_is_seen(text):
    """Each of the faults that are looked for is found."""
    assert form(text)
