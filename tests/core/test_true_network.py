"""What is said of a run of the two-layer network is true: label and numbers, over random runs, by an oracle.

The oracle knows gradient and eigenvalues from NumPy, the bottom of a valley and the best of many starts from SciPy, and what
becomes of a run by going on with it. `python tests/core/test_true_network.py 0 300` tries as many as one likes.
"""

import math
import random
import re
from dataclasses import replace

import numpy as np
import pytest
from oracle import number
from scipy.optimize import least_squares
from tries import tried
from units import gradient, hessian_by_hand, loss, units_of

from gd_core.here import STARTS
from gd_core.outcome import Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.verdict import of_run

LONGER = 10
RULES = (
    "gradient-descent",
    "gradient-descent",
    "momentum",
    "nesterov",
    "adam",
    "rmsprop",
    "adagrad",
    "adamw",
)
ADAPTIVE = ("adam", "rmsprop", "adagrad", "adamw")
BOX = np.array([[4.0] * 4 + [2.5] * 2])
FORM = re.compile(r"nan|None|inf|[{}]")


def errors(theta, x, y):
    """ŷ − y, [N]."""
    return units_of(theta, x)[0] @ theta[4:] - y


def settled(theta, x, y):
    """The bottom of the valley that a place is in, by SciPy, and its loss."""
    found = least_squares(errors, theta, args=(x, y), method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15)
    return found.x, 2 * found.cost / len(x)


def drawn_network(seed):
    """A run of any kind, from a start of any kind: at 0, with units alike or nearly so, at random, close to a bottom."""
    dice = random.Random(f"network {seed}")
    usual = Experiment.default("dose", dice.choice(RULES))
    rows = replace(
        usual, points=dice.choice([6, 12, 41]), noise=dice.choice([0.0, 0.3, 0.3, 1.0]), data_seed=dice.randrange(1000)
    )  # fmt: skip
    batch = dice.choice([0, 0, 0, 0, 3])
    most = 300 if not batch else 20
    few = ("adam", "rmsprop", "adamw")
    return replace(
        rows,
        start=_start(dice, rows),
        seed=dice.randrange(100),
        batch_size=batch,
        learning_rate=float(f"{10 ** dice.uniform(-3, 0 if usual.optimizer not in few else -1):.4g}"),
        epochs=max(1, round(math.exp(dice.uniform(1, math.log(most))))),
    )


def _start(dice, rows):
    kind = dice.choice(["published", "random", "zero", "alike", "nearly", "close", "close", "close"])
    if kind in ("published", "random"):
        return kind
    if kind == "zero":
        return (0.0,) * 6
    if kind in ("alike", "nearly"):
        w, b, v = (dice.uniform(-1.5, 1.5) for _ in range(3))
        return (w, w, b, b, v, v + (0 if kind == "alike" else 10 ** dice.uniform(-9, -1)))
    data = build(rows).dataset
    x, y = data.x.numpy()[:, 0], data.y.numpy()[:, 0]
    theta, _ = settled(np.random.default_rng(dice.randrange(100)).uniform(-1, 1, 6) * BOX[0], x, y)
    near = 10 ** dice.uniform(-6, -1)
    theta = np.clip(theta, -30, 30) + near * np.array([dice.gauss(0, 1) for _ in range(6)])
    return tuple(theta.tolist())


def wrong(experiment):
    """What is wrong with the verdict on a run, and the verdict."""
    problem, recording = build(experiment), record(experiment)
    finding = outcome(recording, None, Trained.of(experiment, problem))
    said = of_run(recording, experiment, None, finding)
    data = problem.dataset
    x, y = data.x.numpy()[:, 0], data.y.numpy()[:, 0]
    return list(_wrong(experiment, finding.outcome.value, said, recording, x, y)), said


def _wrong(experiment, label, said, recording, x, y):
    if len(re.findall(r"[.!?](?= |$)", said)) > 6 or FORM.search(said):
        yield f"form: {said}"
    if label == "diverged":
        return
    theta = recording.epoch_theta.numpy()
    losses = np.array([loss(one, x, y) for one in theta])
    told = number(re.search(r"at RMSE (\S+?)\.?(?= |$)", said).group(1))
    if not math.isclose(told, math.sqrt(losses[-1]), rel_tol=1e-5, abs_tol=1e-7):
        yield f"number: RMSE {told}, is {math.sqrt(losses[-1])}"
    longer = record(replace(experiment, epochs=LONGER * experiment.epochs))
    after = np.array([loss(one, x, y) for one in longer.epoch_theta.numpy()[experiment.epochs + 1 :]])
    gone = longer.diverged_at is not None
    then = math.inf if gone else after[-max(1, len(after) // 5) :].mean()
    recent = losses[-max(1, min(20, experiment.epochs // 2)) :]
    facts = f"loss {losses[0]:.6g} → {losses[-1]:.6g} → {then:.6g}"
    match label:
        case "converged":
            near = max(1.05e-6 * losses[0], 1.05e-4 * losses[-1])
            if gone or abs(then - losses[-1]) > near or after.max() > losses[-1] + near:
                yield f"converged: {facts}"
            yield from _wrong_of_a_valley(theta[-1], said, x, y)
        case "standing still" | "stood still":
            if gone or (then != losses[-1] and abs(then - losses[-1]) > 1e-4 * losses[-1]):
                yield f"still: {facts}"
            yield from _wrong_of_a_saddle(theta[-1], said, x, y)
        case "still descending":
            if not then < losses[-1]:
                yield f"descending: {facts}"
            if found := re.search(r"the slope is hardly anything, (\S+?)[,.;](?= |$)", said):
                slope = np.linalg.norm(gradient(theta[-1], x, y))
                if not math.isclose(number(found[1]), slope, rel_tol=6e-3):
                    yield f"number: slope {found[1]}, is {slope}"
            if "plateau" in said:
                yield from _wrong_of_a_saddle(theta[-1], said, x, y)
        case "overshooting":
            if not (np.diff(losses[-21:]) > 0).any():
                yield f"overshooting: {facts}"
        case "hovering":
            if gone or then < recent.min() / 3 or then > 3 * recent.max():
                yield f"hovering: {facts}"
        case "growing":
            if not gone and then < recent.mean():
                yield f"growing: {facts}"
        case _:
            yield f"label: {label}"


def _wrong_of_a_valley(theta, said, x, y):
    """A minimum is curved upwards by NumPy, at the bottom that SciPy finds; what is told of others is what SciPy finds too."""
    _, bottom = settled(theta, x, y)
    curvatures = np.linalg.eigvalsh(hessian_by_hand(theta, x, y))
    if "no curvature tells" in said:
        if curvatures[0] < -1e-9 * curvatures[-1] or curvatures[0] > 1e-8 * curvatures[-1]:
            yield f"flat: {curvatures}"
        return
    if not curvatures[0] > 0:
        yield f"minimum: {curvatures}"
    dice = np.random.default_rng(0)
    best = min(settled(dice.uniform(-1, 1, 6) * BOX[0], x, y)[1] for _ in range(20))
    if f"No lower valley was found from {STARTS} starts" in said:
        if min(best, bottom) < 0.98 * bottom - 1e-12:
            yield f"best: SciPy finds {best}, this valley has {bottom}"
    elif found := re.search(
        r"starts found is RMSE (\S+?)(?:, a perfect fit)?[;.](?: this is (\S+) ×)?", said
    ):
        told = number(found[1])
        if told**2 > 1.05 * best + 1e-12:
            yield f"best: {told}, SciPy finds {math.sqrt(best)}"
        if found[2] and not math.isclose(number(found[2]) * told, math.sqrt(bottom), rel_tol=6e-3):
            yield f"times: {found[2]} × {told}, is {math.sqrt(bottom)}"
    else:
        yield f"form: {said}"


def _wrong_of_a_saddle(theta, said, x, y):
    """The curvature that is named is NumPy's most negative; how many there are is counted."""
    curvatures = np.linalg.eigvalsh(hessian_by_hand(theta, x, y))
    down = int((curvatures < -1e-9 * np.abs(curvatures).max()).sum())
    if found := re.search(
        r"falls off along (a|\d+) directions?,? of curvature (\S+?)(?:[,.](?= |$)| the steepest)", said
    ):
        count = 1 if found[1] == "a" else int(found[1])
        if count != down or not math.isclose(number(found[2]), curvatures[0], rel_tol=6e-3):
            yield f"saddle: {count} of {found[2]}, are {curvatures}"
    elif down:
        yield f"saddle: of {curvatures} nothing is told"
    if "Nothing happens" in said and np.abs(gradient(theta, x, y)).max() > 0:
        yield f"still: {gradient(theta, x, y)}"


@pytest.mark.parametrize("seed", [*range(8), 111])  # the last hovers for a few epochs only
def test_a_verdict_is_true(seed):
    """Ten times as long, a run that descends is lower, one that rests is where it was; curvatures are NumPy's."""
    found, sentence = wrong(drawn_network(seed))
    assert not found, f"{found}\n{sentence}"


if __name__ == "__main__":
    tried(lambda seed: wrong(drawn_network(seed)))
