"""What is said of a run on the log loss is true: label and numbers, over random runs, by an oracle.

The oracle knows the lowest loss from scikit-learn, whether there is one from a linear program, and what becomes of a run by
going on with it in NumPy. `python tests/core/test_true_logistic.py 0 300` tries as many as one likes.
"""

import math
import random
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
from oracle import number
from parted import parted_by
from sklearn.linear_model import LogisticRegression

from gd_core.outcome import Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.verdict import of_run

LONGER = 10
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
    problem, recording = build(experiment), record(experiment)
    finding = outcome(recording, None, Trained.of(experiment, problem))
    said = of_run(recording, experiment, None, finding)
    return list(_wrong(experiment, finding.outcome.value, said, recording)), said


def _wrong(experiment, label, said, recording):
    features, y, each, floor, attained = known_of(experiment)
    theta = recording.epoch_theta.numpy()
    losses = loss_at(theta, features, y, each)
    if len(re.findall(r"[.!?](?= |$)", said)) > 5 or re.search(r"nan|None|[{}]", said):
        yield f"form: {said}"
    top = np.linalg.eigvalsh(features.T @ features / len(y))[-1] / 4 + 2 * experiment.penalty
    for limit in re.findall(r"[Ee]very rate below (\S+?)(?:;| settles)", said):
        if not math.isclose(number(limit), 2 / top, rel_tol=6e-3):
            yield f"number: sure to settle below {limit}, is {2 / top}"
    if label == "diverged":
        return
    told, how, least = re.search(
        r", at log loss(?: with its penalty)? (\S+); (the lowest is|it nears) (\S+?)(?:\.| and)(?= )", said
    ).groups()
    if not math.isclose(number(told), losses[-1], rel_tol=1e-5, abs_tol=1e-20):
        yield f"number: loss {told}, is {losses[-1]}"
    if not math.isclose(number(least), floor, rel_tol=1e-5, abs_tol=1e-9):
        yield f"number: lowest {least}, is {floor}"
    if (how == "the lowest is") != attained:
        yield f"attained: {how}, {attained}"
    right, of = re.search(r"Right are (\S+) of (\d+) rows", said).groups()
    if (number(right), number(of)) != ((((features @ theta[-1]) * (2 * y - 1)) > 0).sum(), len(y)):
        yield f"number: {right} right of {of}"
    longer = record(replace(experiment, epochs=LONGER * experiment.epochs))
    gone = longer.diverged_at is not None
    after = loss_at(longer.epoch_theta.numpy(), features, y, each) - floor
    gaps = losses - floor
    count = max(1, min(20, experiment.epochs // 2))
    now = gaps[-count:].mean()
    then = math.inf if gone else after[-max(1, len(after) // 5) :].mean()
    near = max(1.05e-6 * gaps[0], 1.05e-4 * floor, 1e-13 * losses[0])
    facts = f"gap {gaps[0]:.4g} → {now:.4g} → {then:.4g}, {near:.3g} is near"
    match label:
        case "converged":
            if gaps[-1] > near or then > near or not attained:
                yield f"converged: {facts}"
        case "still descending":
            if then > now:
                yield f"descending: {facts}"
        case "hovering":
            if gone or then < gaps[-count:].min() / 3 or then > 3 * gaps[-count:].max():
                yield f"hovering: {facts}"
            plain = experiment.optimizer == "gradient-descent" and not experiment.batch_size
            if plain and experiment.learning_rate < 2 / top:
                yield "hovering: at a rate that settles"
            for limit in re.findall(r"the limit is (\S+?):", said):
                if experiment.learning_rate < number(limit) * 0.99:
                    yield f"number: limit there {limit}"
        case "growing":
            if then < now:
                yield f"growing: {facts}"
        case _:
            yield f"label: {label}"


@pytest.mark.parametrize("seed", range(15))
def test_a_verdict_is_true(seed):
    """Ten times as long, a run that descends is lower, one that hovers is where it was; the lowest loss is other people's."""
    found, sentence = wrong(drawn_logistic(seed))
    assert not found, f"{found}\n{sentence}"


if __name__ == "__main__":
    tried, failed = range(int(sys.argv[1]), int(sys.argv[2])), 0
    for tried_seed in tried:
        if (result := wrong(drawn_logistic(tried_seed)))[0]:
            failed += 1
            print(tried_seed, *result[0], result[1], sep="\n   ", flush=True)
    print(f"{len(tried):,} tried, {failed:,} wrong")
