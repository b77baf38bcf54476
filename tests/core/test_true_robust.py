"""What is said of a run on the absolute error or Huber's loss is true: label and numbers, over random runs, by an oracle.

The oracle knows the lowest loss from scikit-learn's `QuantileRegressor` and from SciPy, and what becomes of a run by going
on with it. `python tests/core/test_true_robust.py 0 1000` tries as many as one likes,
`… 0 1000 schedules` as many with one.
"""

import math
import random
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
from oracle import Known, drawn, number, rates, with_schedule
from scipy.optimize import least_squares
from sklearn.linear_model import QuantileRegressor

from gd_core.outcome import Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.verdict import of_run

LONGER = 10
MOST_UPDATES = 5_000


def drawn_robust(seed):
    """A run of any kind on one of the two losses."""
    dice = random.Random(f"robust {seed}")
    base = drawn(dice.randrange(10**9))
    loss, delta = dice.choice(["absolute", "huber"]), 10 ** dice.uniform(-2, 1.5)
    most = max(1, MOST_UPDATES // LONGER // base.updates_per_epoch)
    epochs = max(1, round(math.exp(dice.uniform(0, math.log(most)))))
    rate = base.learning_rate * 10 ** dice.uniform(-1, 2)
    return replace(
        base, loss=loss, delta=float(f"{delta:.3g}"), epochs=epochs, before=(), engine="loop",
        learning_rate=float(f"{min(max(rate, 1e-17), 1e5):.4g}"),
    )  # fmt: skip


def drawn_scheduled(seed):
    """The same under a schedule: one that goes on, or one that ends the run."""
    dice = random.Random(f"robust schedules {seed}")
    base = drawn_robust(dice.randrange(10**9))
    while base.epochs < 2:
        base = drawn_robust(dice.randrange(10**9))
    return with_schedule(dice, base)


def rho(residual, experiment):
    """The loss of each residual, written out."""
    size = abs(residual)
    if experiment.loss == "absolute":
        return size
    delta = experiment.delta
    return np.where(size <= delta, residual**2 / 2, delta * (size - delta / 2))


def lowest(experiment):
    """The lowest loss, by other people's programs, in columns that they bear: orthonormal ones."""
    known = Known(replace(experiment, loss="mse"))
    left, _, _ = np.linalg.svd(known.features / np.linalg.norm(known.features, axis=0), full_matrices=False)
    columns, y = left[:, : known.rank] * len(known.target) ** 0.5, known.target
    start = columns.T @ y / len(y)
    size = abs(y - columns @ start).max() or 1.0
    if experiment.loss == "absolute":
        model = QuantileRegressor(quantile=0.5, alpha=0, fit_intercept=False, solver="highs")
        best = start + size * model.fit(columns, (y - columns @ start) / size).coef_
    else:
        best = least_squares(
            lambda b: columns @ b - y, start, jac=lambda b: columns, loss="huber", f_scale=experiment.delta,
            xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=3000,
        ).x  # fmt: skip
    return known, float(rho(columns @ best - y, experiment).mean())


def wrong(experiment):
    """What is wrong with the verdict on a run, and the verdict."""
    problem, recording = build(experiment), record(experiment)
    finding = outcome(recording, None, Trained.of(experiment, problem))
    said = of_run(recording, experiment, None, finding)
    return list(_wrong(experiment, finding.outcome.value, said, recording)), said


def _wrong(experiment, label, said, recording):
    known, floor = lowest(experiment)
    losses = np.array(
        [
            rho(known.features @ theta - known.target, experiment).mean()
            for theta in recording.epoch_theta.numpy()
        ]
    )
    zero = max(1e-7 * known.size, known.zero)
    if label != "diverged":
        told, least = re.search(
            r", at (?:MAE|Huber loss) (\S+); the lowest is (\S+?)(?:\. RMSE| \()", said
        ).groups()
        if not math.isclose(number(told), losses[-1], rel_tol=1e-5, abs_tol=1e-12 * losses[0]):
            yield f"number: loss {told}, is {losses[-1]}"
        if not math.isclose(number(least), floor, rel_tol=1e-5, abs_tol=zero):
            yield f"number: lowest {least}, is {floor}"
    if len(re.findall(r"[.!?](?= |$)", said)) > 4 or re.search(r"nan|None|[{}]", said):
        yield f"form: {said}"
    if label == "diverged":
        return
    longer = record(replace(experiment, epochs=LONGER * experiment.epochs))
    gone = longer.diverged_at is not None
    after = np.array(
        [
            rho(known.features @ theta - known.target, experiment).mean()
            for theta in longer.epoch_theta.numpy()
        ]
    )
    gaps, after = losses - floor, after - floor
    count = max(1, min(20, experiment.epochs // 2))
    now = gaps[-count:].mean()
    then = math.inf if gone else after[-max(1, len(after) // 5) :].mean()
    near = max(1.05e-6 * gaps[0], 1.05e-4 * floor, 1e-13 * losses[0], 3.05 * floor if floor < zero else 0)
    facts = f"gap {gaps[0]:.4g} → {now:.4g} → {then:.4g}, {near:.3g} is near"
    match label:
        case "converged":
            if gaps[-1] > near or then > near:
                yield f"converged: {facts}"
        case "still descending":
            if then > now:
                yield f"descending: {facts}"
        case "hovering":
            if gone or then < gaps[-count:].min() / 3 or then > 3 * gaps[-count:].max():
                yield f"hovering: {facts}"
        case "growing":
            if then < now:
                yield f"growing: {facts}"
        case "stood still":
            if abs(then - gaps[-1]) > max(0.15 * gaps[-1], near) or gaps[-1] <= near / 1.1:
                yield f"stood still: {facts}"
            told = re.search(r"The rate has come to (\S+), (\S+) % of (\S+): too little", said)
            last, first = rates(experiment)[-1], experiment.learning_rate
            shares = {told[1]: last, told[2]: 100 * last / first, told[3]: first} if told else {"0": 1.0}
            for words, is_so in shares.items():
                if not math.isclose(number(words), is_so, rel_tol=6e-3, abs_tol=1e-300):
                    yield f"number: rate {words}, is {is_so}"
        case _:
            yield f"label: {label}"
    for limit in re.findall(r"Every rate below (\S+) settles", said):
        top = np.linalg.eigvalsh(known.features.T @ known.features / len(known.target))[-1]
        if not math.isclose(number(limit), 2 / top, rel_tol=6e-3):
            yield f"number: limit {limit}, is {2 / top}"
        if experiment.learning_rate < 2 / top:
            yield "hovering: below the limit"
    for promise in re.findall(r"sure to come within (\S+) of the lowest", said):
        if not gone and after.min() > number(promise) * 1.01 and len(after) > 2000:
            yield f"promise: within {promise}, came to {after.min()}"


@pytest.mark.parametrize("seed", range(20))
def test_a_verdict_is_true(seed):
    """Ten times as long, a run that descends is lower, one that hovers is where it was; the lowest loss is other people's."""
    found, sentence = wrong(drawn_robust(seed))
    assert not found, f"{found}\n{sentence}"


@pytest.mark.parametrize("seed", range(20))
def test_a_verdict_on_a_schedule_is_true(seed):
    """And one that has ended has run out of rate: gone on it stays where it is."""
    found, sentence = wrong(drawn_scheduled(seed))
    assert not found, f"{found}\n{sentence}"


if __name__ == "__main__":
    tried, failed = range(int(sys.argv[1]), int(sys.argv[2])), 0
    for tried_seed in tried:
        draw = drawn_scheduled if "schedules" in sys.argv else drawn_robust
        if (result := wrong(draw(tried_seed)))[0]:
            failed += 1
            print(tried_seed, *result[0], result[1], sep="\n   ", flush=True)
    print(f"{len(tried):,} tried, {failed:,} wrong")
