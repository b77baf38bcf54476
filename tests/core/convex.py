"""A verdict on a run whose loss is convex and no parabola, held against an oracle that knows the lowest loss: label and numbers.

What becomes of the run is found by going on with it ten times as long.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from oracle import number

from gd_core.outcome import Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.settings.schedules import is_constant
from gd_core.training import Recording
from gd_core.verdict import of_run

LONGER = 10


class Known(NamedTuple):
    """What an oracle knows of a loss.

    Attributes:
        loss: The loss at θ, [E, P] → [E].
        floor: The lowest.
        attained: Whether there is a point where it is that.
        zero: Below it a floor is 0 to rounding.
        sure: Below this rate gradient descent settles; 0 if there is none.
        nothing: A loss that is 0 as it is told.
    """

    loss: Callable[[np.ndarray], np.ndarray]
    floor: float
    attained: bool = True
    zero: float = 1e-9
    sure: float = 0.0
    nothing: float = 1e-20


class Told(NamedTuple):
    """A run, and what is said of it."""

    recording: Recording
    label: str
    said: str


def told(experiment: Experiment) -> Told:
    """Train, and tell."""
    problem, recording = build(experiment), record(experiment)
    finding = outcome(recording, None, Trained.of(experiment, problem))
    return Told(recording, finding.outcome.value, of_run(recording, experiment, None, finding))


def judged(experiment: Experiment, run: Told, known: Known, most: int) -> Iterator[str]:
    """What is wrong with it: of a form with so many sentences at most, its numbers, its label."""
    label, said = run.label, run.said
    losses = known.loss(run.recording.epoch_theta.numpy())
    if len(re.findall(r"[.!?](?= |$)", said)) > most or re.search(r"nan|None|[{}]", said):
        yield f"form: {said}"
    for limit in re.findall(r"[Ee]very rate below (\S+?)(?:;| settles)", said):
        if not math.isclose(number(limit), known.sure, rel_tol=6e-3):
            yield f"number: sure to settle below {limit}, is {known.sure}"
    if label == "diverged":
        return
    at, how, least = re.search(
        r", at (?:MAE|Huber loss|log loss)(?: with its penalty)? (\S+); (the lowest is|it nears) (\S+?)(?:\.(?= )| and| \()",
        said,
    ).groups()
    if not math.isclose(number(at), losses[-1], rel_tol=1e-5, abs_tol=known.nothing):
        yield f"number: loss {at}, is {losses[-1]}"
    if not math.isclose(number(least), known.floor, rel_tol=1e-5, abs_tol=known.zero):
        yield f"number: lowest {least}, is {known.floor}"
    if (how == "the lowest is") != known.attained:
        yield f"attained: {how}, {known.attained}"
    longer = record(replace(experiment, epochs=LONGER * experiment.epochs))
    gone = longer.diverged_at is not None
    gaps, after = losses - known.floor, known.loss(longer.epoch_theta.numpy()) - known.floor
    count = max(1, min(20, experiment.epochs // 2))
    now = gaps[-count:].mean()
    then = math.inf if gone else after[-max(1, len(after) // 5) :].mean()
    exact = 3.05 * known.floor if known.floor < known.zero else 0
    near = max(1.05e-6 * gaps[0], 1.05e-4 * known.floor, 1e-13 * losses[0], exact)
    facts = f"gap {gaps[0]:.4g} → {now:.4g} → {then:.4g}, {near:.3g} is near"
    match label:
        case "converged":
            if gaps[-1] > near or then > near or not known.attained:
                yield f"converged: {facts}"
        case "still descending":
            if then > now:
                yield f"descending: {facts}"
        case "hovering":
            if gone or then < gaps[-count:].min() / 3 or then > 3 * gaps[-count:].max():
                yield f"hovering: {facts}"
            plain = experiment.optimizer == "gradient-descent" and experiment.updates_per_epoch == 1
            if plain and experiment.learning_rate < known.sure:
                yield "hovering: at a rate that settles"
            for limit in re.findall(r"the limit is (\S+?):", said):
                if experiment.learning_rate < number(limit) * 0.99:
                    yield f"number: limit there {limit}"
            for promise in re.findall(r"sure to come within (\S+) of the lowest", said):
                if not gone and after.min() > number(promise) * 1.01 and len(after) > 2000:
                    yield f"promise: within {promise}, came to {after.min()}"
        case "growing":
            if then < now:
                yield f"growing: {facts}"
        case "stood still" if not is_constant(experiment):
            if abs(then - gaps[-1]) > max(0.15 * gaps[-1], near) or gaps[-1] <= near / 1.1:
                yield f"stood still: {facts}"
        case _:
            yield f"label: {label}"
