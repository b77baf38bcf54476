"""What is said of a run on the wave is true: label, place and numbers, over random runs, by an oracle.

The oracle is the same run of ten times the epochs, with losses, slopes and curvatures by hand in NumPy. `python
tests/core/test_true_wave.py 0 1000` tries as many as one likes.
"""

import math
import random
import re
from dataclasses import replace

import numpy as np
import pytest
from oracle import number
from tries import tried

from gd_core.outcome import Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.verdict import of_run

LONGER = 10
RULES = ("gradient-descent", "gradient-descent", "momentum", "nesterov", "adam", "rmsprop", "adagrad")
A = 1.8


def drawn_wave(seed):
    """A run of any kind: few rows and many, a start anywhere, rates far below and far above what any valley stands."""
    dice = random.Random(f"wave {seed}")
    rule = dice.choice(RULES)
    usual = Experiment.default("tide", rule)
    batch = dice.choice([0, 0, 0, 1, 7])
    points = dice.choice([8, 20, 49, 49])
    epochs = math.exp(dice.uniform(0, math.log(60 if batch else 600)))
    memory = {"momentum": dice.choice([0.5, 0.9, 0.97])} if rule in ("momentum", "nesterov") else {}
    return replace(
        usual,
        points=points,
        noise=dice.choice([0.0, 0.6, 3.0]),
        data_seed=dice.randrange(1000),
        batch_size=batch,
        learning_rate=float(f"{10 ** dice.uniform(-3, 1):.4g}"),
        start=(float(f"{dice.uniform(4, 20):.4g}"), float(f"{dice.uniform(-3.2, 3.2):.4g}")),
        seed=dice.randrange(100),
        epochs=max(1, round(epochs)),
        **memory,
    )


def slopes(theta, x, y):
    angle = theta[0] * x + theta[1]
    both = (A * np.sin(angle) - y) * 2 * A * np.cos(angle)
    return np.array([np.mean(both * x), np.mean(both)])


def curves(theta, x, y):
    swing, slope = A * np.sin(theta[0] * x + theta[1]), A * np.cos(theta[0] * x + theta[1])
    both = 2 * (slope**2 - (swing - y) * swing)
    return np.array([[np.mean(both * x * x), np.mean(both * x)], [np.mean(both * x), np.mean(both)]])


def loss_at(theta, x, y):
    return np.mean((A * np.sin(theta[..., :1] * x + theta[..., 1:]) - y) ** 2, -1)


def wrong(experiment):
    """What is wrong with the verdict on a run, and the verdict."""
    problem, recording = build(experiment), record(experiment)
    finding = outcome(recording, None, Trained.of(experiment, problem))
    said = of_run(recording, experiment, None, finding)
    return list(_wrong(experiment, finding.outcome.value, said, problem, recording)), said


def _wrong(experiment, label, said, problem, recording):
    x, y = problem.dataset.x.numpy()[:, 0], problem.dataset.y.numpy()[:, 0]
    theta = recording.epoch_theta.numpy()
    losses = loss_at(theta, x, y)
    if len(re.findall(r"[.!?](?= |$)", said)) > 5 or re.search(r"nan|None|[{}]", said):
        yield f"form: {said}"
    if not math.isclose(
        number(re.search(r"at RMSE (\S+?)(?:\.? |\.$|,|;)", said)[1]),
        losses[-1] ** 0.5,
        rel_tol=1e-5,
        abs_tol=1e-9,
    ):
        yield f"number: is {losses[-1] ** 0.5}"
    longer = record(replace(experiment, epochs=LONGER * experiment.epochs))
    after = loss_at(longer.epoch_theta.numpy(), x, y)
    count = max(1, min(20, experiment.epochs // 2))
    recent, later = losses[-count:], after[-max(1, len(after) // 5) :]
    now, then, scatter = recent.mean(), later.mean(), recent.max() - recent.min()
    values = np.linalg.eigvalsh(curves(theta[-1], x, y))
    slope = np.linalg.norm(slopes(theta[-1], x, y))
    fall = losses[0] - losses[-1]
    facts = f"loss {losses[0]:.4g} → {now:.5g} ± {scatter:.2g} → {then:.5g}, slope {slope:.2g}, curvatures {values}"
    match label:
        case "converged":
            if abs(then - losses[-1]) > 1e-3 * max(fall, 1e-9) and "can leave it again" not in said:
                yield f"converged: {facts}"
            if ("local minimum" in said or "No lower valley" in said) and not values[0] > 0:
                yield f"no minimum: {facts}"
            if "saddle" in said and not values[0] < 0:
                yield f"no saddle: {facts}"
            for best in re.findall(r"starts found is RMSE (\S+?);", said):
                share = number(re.search(r"this is (\S+) × that", said)[1])
                if not math.isclose(losses[-1] ** 0.5, share * number(best), rel_tol=6e-3) or share <= 1:
                    yield f"number: {share} × {best}, is {losses[-1] ** 0.5}"
            if "No lower valley" in said and (low := lowest_on_a_grid(x, y)) < losses[-1] - 1e-3 * fall:
                yield f"lower: {low} than {facts}"
        case "still descending":
            if then > now + 1e-12:
                yield f"descending: {facts}"
        case "overshooting":
            if not (np.diff(losses[-21:]) > 0).any() and then < now:
                yield f"overshooting: {facts}"
        case "hovering":
            if then < recent.min() - 2 * scatter or then > recent.max() + 2 * scatter:
                yield f"hovering: {facts}"
        case "growing":
            if then < now - 1e-12:
                yield f"growing: {facts}"
        case _:
            yield f"label: {label}"


def lowest_on_a_grid(x, y):
    grid = np.stack(np.meshgrid(np.linspace(4, 20, 161), np.linspace(-3.2, 3.2, 41)), -1).reshape(-1, 2)
    return loss_at(grid, x, y).min()


@pytest.mark.parametrize(
    "seed", [*range(15), 536]
)  # the last falls on, and is soon done for twice its epochs only
def test_a_verdict_is_true(seed):
    """Gone on ten times, a run does what its label says; a place that is called a minimum is one."""
    found, sentence = wrong(drawn_wave(seed))
    assert not found, f"{found}\n{sentence}"


if __name__ == "__main__":
    tried(lambda seed: wrong(drawn_wave(seed)))
