"""What is said of a run on the absolute error or Huber's loss is true: label and numbers, over random runs, by an oracle.

The oracle knows the lowest loss from scikit-learn's `QuantileRegressor` and from SciPy, and what becomes of a run by going
on with it. `python tests/core/test_true_robust.py 0 1000` tries as many as one likes,
`… 0 1000 schedules` as many with one, `… 0 1000 penalty` with that.
"""

import math
import random
import re
import sys
from dataclasses import replace

import convex
import numpy as np
import pytest
from convex import LONGER, judged, told
from oracle import Known, drawn, number, rates, with_schedule
from scipy.optimize import least_squares, lsq_linear
from sklearn.linear_model import QuantileRegressor
from tries import tried

from gd_core.problem import build
from gd_core.robust import lowest_of

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


def drawn_penalised(seed):
    """The first with an L2 penalty, some under a schedule."""
    dice = random.Random(f"robust penalty {seed}")
    draw = drawn_scheduled if dice.random() < 0.3 else drawn_robust
    return replace(draw(dice.randrange(10**9)), penalty=float(f"{10 ** dice.uniform(-4, 1):.3g}"))


def rho(residual, experiment):
    """The loss of each residual, written out."""
    size = abs(residual)
    if experiment.loss == "absolute":
        return size
    delta = experiment.delta
    return np.where(size <= delta, residual**2 / 2, delta * (size - delta / 2))


def lowest(experiment):
    """The lowest loss, by other people's programs, in columns that they bear: orthonormal ones."""
    known = Known(replace(experiment, loss="mse", penalty=0.0))
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


def lowest_penalised(experiment):
    """The lowest with a penalty is where no slope is left: what each row pulls by, those on the curve as SciPy says, holds it."""
    known = Known(replace(experiment, loss="mse", penalty=0.0))
    objective = build(experiment).linear
    theta, each = lowest_of(objective).optimum.numpy(), objective.penalty.each.numpy()
    r, length = known.target - known.features @ theta, np.linalg.norm(known.features, axis=0)
    delta = experiment.delta if experiment.loss == "huber" else 0.0
    on_it = abs(r) < 1e-9 * abs(known.target).max() if not delta else np.zeros(len(r), bool)
    pull = (np.clip(r, -delta, delta) if delta else np.sign(r))[~on_it]
    left = (2 * len(r) * each * theta - known.features[~on_it].T @ pull) / length
    if on_it.any():
        left = lsq_linear((known.features[on_it] / length).T, left, bounds=(-1, 1), tol=1e-14).fun
    assert abs(left).max() < 1e-6 * (delta or 1), "a slope is left"
    return known, float(rho(r, experiment).mean() + (each * theta**2).sum())


def wrong(experiment):
    """What is wrong with the verdict on a run, and the verdict."""
    run = told(experiment)
    known, floor = (lowest_penalised if experiment.penalty else lowest)(experiment)
    each = build(experiment).linear.penalty.each.numpy() if experiment.penalty else 0.0

    def loss(theta):
        return rho(theta @ known.features.T - known.target, experiment).mean(-1) + (each * theta**2).sum(-1)

    top = np.linalg.eigvalsh(known.features.T @ known.features / len(known.target))[-1]
    sure = 2 / (top + 2 * experiment.penalty) if experiment.loss == "huber" else 0.0
    nothing = 1e-12 * loss(run.recording.epoch_theta[0].numpy())
    oracle = convex.Known(loss, floor, zero=max(1e-7 * known.size, known.zero), sure=sure, nothing=nothing)
    found = list(judged(experiment, run, oracle, 4))
    if run.label == "stood still":
        shares = re.search(r"The rate has come to (\S+), (\S+) % of (\S+): too little", run.said)
        last, first = rates(experiment)[-1], experiment.learning_rate
        pairs = (
            zip(shares.groups(), (last, 100 * last / first, first), strict=True) if shares else [("0", 1.0)]
        )
        found += [
            f"number: rate {words}, is {is_so}"
            for words, is_so in pairs
            if not math.isclose(number(words), is_so, rel_tol=6e-3, abs_tol=1e-300)
        ]
    for over, many in re.findall(r"above 1/λ = (\S+); yours is (\S+) ×", run.said):
        share = experiment.learning_rate * experiment.penalty
        if not math.isclose(number(over), 1 / experiment.penalty, rel_tol=6e-3) or not math.isclose(
            number(many), share, rel_tol=6e-3
        ):
            found.append(f"number: 1/λ {over}, {many}")
    return found, run.said


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


@pytest.mark.parametrize("seed", range(15))
def test_a_verdict_on_a_penalised_loss_is_true(seed):
    """The same beside λ‖w‖², whose lowest point is proved."""
    found, sentence = wrong(drawn_penalised(seed))
    assert not found, f"{found}\n{sentence}"


if __name__ == "__main__":
    draws = {"schedules": drawn_scheduled, "penalty": drawn_penalised}
    tried(lambda seed: wrong(draws.get(sys.argv[-1], drawn_robust)(seed)))
