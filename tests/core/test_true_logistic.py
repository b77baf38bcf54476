"""What is said of a run on the log loss is true: label and numbers, over random runs, by an oracle.

The oracle knows the lowest loss from scikit-learn, whether there is one from a linear program, and what becomes of a run by
going on with it in NumPy. `python tests/core/test_true_logistic.py 0 300` tries as many as one likes.
"""

import math
import random
import re
from dataclasses import replace

import numpy as np
import pytest
from convex import Known, judged, told
from oracle import number
from parted import parted_by
from sklearn.linear_model import LogisticRegression
from tries import tried

from gd_core.problem import build
from gd_core.settings.experiment import Experiment

RULES = ("gradient-descent", "gradient-descent", "momentum", "nesterov", "adam", "rmsprop", "adagrad")


def drawn_logistic(seed):
    """A run of any kind: classes that overlap and that do not, with a penalty and without."""
    dice = random.Random(f"logistic {seed}")
    usual = Experiment.default("pass-or-fail", dice.choice(RULES))
    points = dice.choice([8, 20, 60, 200])
    batch = dice.choice([0, 0, 0, 5])
    epochs = max(
        1, round(math.exp(dice.uniform(0, math.log(500 if not batch else 5000 // 10 // (points // 5)))))
    )
    return replace(
        usual,
        points=points,
        noise=dice.choice([0.0, 0.3, 1.5, 5.0]),
        data_seed=dice.randrange(1000),
        penalty=dice.choice([0.0, 0.0, 1e-3, 0.1]),
        batch_size=batch,
        scale_features=dice.random() < 0.3,
        intercept=dice.random() < 0.8,
        learning_rate=float(f"{10 ** dice.uniform(-3, 2):.4g}"),
        start=dice.choice(["published", "random"]),
        seed=dice.randrange(100),
        epochs=epochs,
    )


def known_of(experiment):
    """Φ, y and λ of each parameter, and the lowest loss: by scikit-learn, or what it nears where rows can be parted."""
    objective = build(experiment).linear
    features, y = objective.features.numpy(), objective.target.numpy()
    each = np.full(features.shape[1], experiment.penalty)
    if experiment.intercept:
        each[-1] = 0
    if experiment.penalty and 0 < y.sum() < len(y):
        c = 1 / (2 * len(y) * experiment.penalty)
        x = features[:, :-1] if experiment.intercept else features
        model = LogisticRegression(
            C=c, fit_intercept=experiment.intercept, solver="newton-cholesky", tol=1e-14
        )
        model.fit(x, y)
        theta = np.append(model.coef_[0], model.intercept_) if experiment.intercept else model.coef_[0]
        return features, y, each, loss_at(theta, features, y, each), True
    gone = parted_by(features, y)
    if gone.all():
        return features, y, each, 0.0, False
    left, sizes, _ = np.linalg.svd(features[~gone], full_matrices=False)
    columns = left[:, sizes > 1e-9] * 3
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", fit_intercept=False, tol=1e-13)
    rest = y[~gone]
    theta = model.fit(columns, rest).coef_[0]
    return features, y, each, loss_at(theta, columns, rest, 0 * theta) * len(rest) / len(y), not gone.any()


def loss_at(theta, features, y, each):
    """Mean log loss and penalty at θ, or at each of several."""
    return np.logaddexp(0, (theta @ features.T) * (1 - 2 * y)).mean(-1) + (each * theta**2).sum(-1)


def wrong(experiment):
    """What is wrong with the verdict on a run, and the verdict."""
    run = told(experiment)
    features, y, each, floor, attained = known_of(experiment)
    top = np.linalg.eigvalsh(features.T @ features / len(y))[-1] / 4 + 2 * experiment.penalty
    known = Known(lambda theta: loss_at(theta, features, y, each), floor, attained, sure=2 / top)
    found = list(judged(experiment, run, known, 5))
    if run.label != "diverged":
        right, of = re.search(r"Right are (\S+) of (\d+) rows", run.said).groups()
        theta = run.recording.epoch_theta[-1].numpy()
        if (number(right), number(of)) != (((features @ theta * (2 * y - 1)) > 0).sum(), len(y)):
            found.append(f"number: {right} right of {of}")
    return found, run.said


@pytest.mark.parametrize("seed", range(15))
def test_a_verdict_is_true(seed):
    """Ten times as long, a run that descends is lower, one that hovers is where it was; the lowest loss is other people's."""
    found, sentence = wrong(drawn_logistic(seed))
    assert not found, f"{found}\n{sentence}"


if __name__ == "__main__":
    tried(lambda seed: wrong(drawn_logistic(seed)))
