"""The log loss: its gradient against torch, its lowest point against scikit-learn, whether there is one by a linear program."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from oracle import number
from parted import parted_by
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from gd_core.autopsy import formula
from gd_core.datasets import Dataset, pass_or_fail
from gd_core.logistic import likeliest
from gd_core.models import Linear, Polynomial, ThroughOrigin
from gd_core.objective import Log, accuracy, objective_of, value_and_gradient
from gd_core.outcome import Outcome, Trained, outcome
from gd_core.penalty import Penalty
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.robust import lowest_of, settles_below
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.tables.table import Table, keep
from gd_core.theory import hessian
from gd_core.verdict import of_run

USUAL = Experiment.default("pass-or-fail")


def rows(seed, count=40, features=2, size=1.0):
    """Standard normal features, and a yes or no that hangs on them with some luck, both of which occur."""
    dice = np.random.default_rng(seed)
    x = size * dice.normal(size=(count, features)) + dice.normal(size=features)
    y = (x @ dice.normal(size=features) / size + dice.logistic(size=count) > 0).astype(float)
    y[:2] = 0, 1
    return torch.from_numpy(x), torch.from_numpy(y)


def told(experiment):
    """Outcome and verdict of a run."""
    recording, problem = record(experiment), build(experiment)
    finding = outcome(recording, None, Trained.of(experiment, problem))
    return finding, of_run(recording, experiment, None, finding)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])  # the last has logits of thousands
def test_gradient_and_loss_are_those_of_torch(size):
    """`BCEWithLogitsLoss` with a penalty beside it, by autograd: to 1e-12; the formula on paper as well."""
    x, y = rows(1, size=size)
    penalty = torch.tensor([0.3, 0.3, 0.0], dtype=torch.float64)
    data = Dataset(x, y.unsqueeze(1), ("u", "v"), "y", "t", torch.zeros(3))
    objective = objective_of(Linear(2), data, Log(), Penalty(penalty))
    for theta in torch.randn(5, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64):
        free = theta.clone().requires_grad_()
        logits = torch.cat([x, torch.ones(len(x), 1)], 1) @ free
        expected = torch.nn.BCEWithLogitsLoss()(logits, y) + 0.3 * (free[:2] ** 2).sum()
        expected.backward()
        value, gradient = value_and_gradient(objective, theta)
        torch.testing.assert_close(value, expected.detach(), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(gradient, free.grad, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(formula(objective, theta), free.grad, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("penalty", [0.0, 1e-3, 0.1, 10.0])
@pytest.mark.parametrize("seed", range(5))
def test_the_lowest_point_is_scikit_learns(seed, penalty):
    """`LogisticRegression` to 1e-8. Its C is 1/(2 N λ): it adds up the losses, and has ½ before its penalty."""
    x, y = rows(seed, features=1 + seed % 3)
    c = 1 / (2 * len(y) * penalty) if penalty else np.inf
    known = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-14, max_iter=1000).fit(x, y)
    each = torch.tensor([penalty] * x.shape[1] + [0.0], dtype=torch.float64)
    found = likeliest(Linear(x.shape[1]), x, y, Penalty(each) if penalty else None)
    assert found
    assert found.attained
    expected = [*known.coef_[0], *known.intercept_]
    assert found.optimum.tolist() == pytest.approx(expected, rel=1e-8, abs=1e-8)
    p = known.predict_proba(x)[:, 1]
    loss = -np.log(np.where(y == 1, p, 1 - p)).mean() + penalty * np.square(known.coef_).sum()
    assert found.loss == pytest.approx(loss, rel=1e-10)


@pytest.mark.parametrize("seed", range(40))
def test_whether_there_is_a_lowest_point_is_what_a_linear_program_says(seed):
    """Few rows on a grid, so that some of them lie on each other: parted in whole, in part, or not at all."""
    dice = np.random.default_rng(seed)
    count, features = dice.integers(4, 14), dice.integers(1, 3)
    x = dice.integers(-2, 3, size=(count, features)).astype(float)
    y = (x @ dice.normal(size=features) + dice.choice([0.3, 2.0]) * dice.normal(size=count) > 0).astype(float)
    model = [Linear, lambda d: ThroughOrigin(Linear(d)), lambda d: Linear(d)][seed % 3](features)
    design = model.features(torch.from_numpy(x)).numpy()
    gone = parted_by(design, y)
    found = likeliest(model, torch.from_numpy(x), torch.from_numpy(y))
    assert found, "nobody knows"
    assert found.attained == (not gone.any())
    left, sizes, _ = np.linalg.svd(design[~gone], full_matrices=False)
    columns, rest, near = left[:, sizes > 1e-9] * 3, y[~gone], len(y[~gone]) * np.log(2) / count
    if columns.shape[1] and len(rest):
        known = LogisticRegression(C=np.inf, solver="newton-cholesky", fit_intercept=False, tol=1e-12)
        p = known.fit(columns, rest).predict_proba(columns)[:, 1]
        near = -np.log(np.where(rest == 1, p, 1 - p)).sum() / count
    assert found.loss == pytest.approx(near, abs=1e-7)


def test_both_classes_seen_do_not_part_a_constant():
    """Without a feature that tells, p is the share of ones, and the loss its entropy."""
    y = torch.tensor([0.0, 1, 1, 1], dtype=torch.float64)
    found = likeliest(Linear(1), torch.ones(4, 1, dtype=torch.float64), y)
    assert found
    assert found.loss == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)), rel=1e-12)


def test_one_class_alone_runs_off_with_or_without_a_penalty():
    """All ones: an intercept makes them surer for ever, and is not penalised."""
    x, _ = rows(3)
    for penalty in (None, Penalty(torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64))):
        found = likeliest(Linear(2), x, torch.ones(len(x), dtype=torch.float64), penalty)
        assert found
        assert (found.attained, found.loss) == (False, 0.0)


def test_one_class_alone_is_held_where_the_intercept_is_penalised_too():
    """SciPy's own descent finds the same lowest point: nothing runs off."""
    x, _ = rows(3)
    y, ones = torch.ones(len(x), dtype=torch.float64), torch.cat([x, torch.ones(len(x), 1)], 1)
    own = minimize(
        lambda b: np.logaddexp(0, -ones.numpy() @ b).mean() + 0.1 * b @ b, np.zeros(3), method="BFGS", tol=1e-12
    )  # fmt: skip
    found = likeliest(Linear(2), x, y, Penalty(torch.full((3,), 0.1, dtype=torch.float64)))
    assert found
    assert found.attained
    np.testing.assert_allclose(found.optimum, own.x, atol=1e-6)
    assert found.loss == pytest.approx(own.fun, rel=1e-12)


def test_the_verdict_of_one_class_says_what_holds_its_intercept():
    """A penalty of the weights does not, however large; the one that it names does."""
    held = keep(Table.of({"u": [1.0, 2.0, 3.0, 4.0], "y": [1.0] * 4}))
    query = {
        "dataset": "table",
        "table": held.key,
        "target": "y",
        "features": "u",
        "loss": "log",
        "penalty": "9",
    }
    run, _ = Experiment.from_query(
        query | {"learning_rate": "0.05", "epochs": "400", "scale_features": "true"}
    )
    assert told(run)[1].endswith("for ever. Penalise all parameters: that holds the intercept too.")
    assert told(replace(run, penalised="all"))[0].outcome is Outcome.CONVERGED


def test_years_keep_their_digits():
    """Over calendar years, by a curve of degree 3: the same probabilities as over scaled years."""
    years = torch.arange(1960.0, 2020.0, dtype=torch.float64).unsqueeze(1)
    scaled = (years - years.mean()) / years.std()
    y = (torch.sin(scaled[:, 0] * 3) + scaled[:, 0] > 0).double()
    y[::7] = 1 - y[::7]
    here, there = (likeliest(Polynomial(3), x, y) for x in (years, scaled))
    assert here
    assert there
    assert here.loss == pytest.approx(there.loss, rel=1e-9)


def test_no_curvature_is_above_the_bound_and_the_one_there_is_numpys():
    """Eigenvalues of (1/N) Φᵀ diag(p(1 − p)) Φ + 2λ at random points, and at the lowest one."""
    experiment = replace(USUAL, penalty=0.05)
    objective = build(experiment).linear
    lowest = lowest_of(objective)
    assert lowest
    features = objective.features.numpy()

    def largest(theta):
        p = 1 / (1 + np.exp(-features @ theta))
        curved = features.T @ (features * (p * (1 - p))[:, None]) / len(p) + np.diag([0.1, 0.1, 0])
        return np.linalg.eigvalsh(curved)[-1]

    dice = np.random.default_rng(4)
    assert max(largest(dice.normal(size=3)) for _ in range(200)) <= lowest.bends
    assert lowest.there == pytest.approx(largest(lowest.optimum.numpy()), rel=1e-10)
    assert hessian(objective, lowest.optimum).numpy()[0, 0] > 0
    top = np.linalg.eigvalsh(features.T @ features / len(features))[-1]
    assert settles_below(lowest) == pytest.approx(2 / (top / 4 + 0.1), rel=1e-12)


def test_accuracy_is_the_share_on_the_right_side():
    """By the sign of the logit; a logit of 0 is on neither side. Of a squared error there is none."""
    objective = build(USUAL).objective
    theta = torch.tensor([[0.8, 1.2, -0.4], [0.0, 0.0, 0.0], [-0.8, -1.2, 0.4]], dtype=torch.float64)
    x, y = objective.dataset.x.numpy(), objective.target.numpy()
    right = ((x @ [0.8, 1.2] - 0.4 > 0) == y).mean()
    assert accuracy(objective, theta).tolist() == pytest.approx([right, 0.0, 1 - right])
    assert accuracy(build(replace(USUAL, loss="mse")).objective, theta) is None


def test_the_usual_run_comes_to_the_lowest_point():
    """And says so, with the rows that are right then, counted here."""
    finding, said = told(USUAL)
    x, y = (part.numpy() for part in (pass_or_fail().x, pass_or_fail().y[:, 0]))
    known = LogisticRegression(C=np.inf, tol=1e-12).fit(x, y)
    assert finding.outcome is Outcome.CONVERGED
    assert f"Right are {round(200 * known.score(x, y))} of 200 rows" in said
    p = known.predict_proba(x)[:, 1]
    assert number(re.search(r"the lowest is (\S+)\.", said)[1]) == pytest.approx(
        -np.log(np.where(y == 1, p, 1 - p)).mean(), rel=1e-5
    )


def test_weights_that_run_off_are_told_and_a_penalty_holds_them():
    """Without luck a line parts the classes: never converged, however long; with λ it converges."""
    apart = replace(USUAL, noise=0.0)
    for epochs in (20, 300, 5000):
        finding, said = told(replace(apart, epochs=epochs))
        assert finding.outcome is Outcome.DESCENDING
        assert "it nears 0 and never gets there" in said
        assert "the weights grow for ever. A penalty λ of all parameters holds them." in said
    finding, said = told(replace(apart, penalty=0.01))
    assert finding.outcome is Outcome.CONVERGED


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"dataset": "two-features", "loss": "log"},
            "loss must be one for numbers: the target of two-features is not 0 or 1 in each row. Got log.",
        ),
        (
            {"dataset": "table", "table": "cars", "loss": "log"},
            "loss must be one for numbers: the column distance (ft) is not 0 or 1 in each row. Got log.",
        ),
        (
            {"dataset": "pass-or-fail", "scale_target": "true"},
            "scale_target must be false for the log loss, whose target is 0 or 1. Got true.",
        ),
    ],
)
def test_what_it_cannot_be_of_is_refused(fields, sentence):
    """In one sentence with the parameter, the rule and the value."""
    assert Experiment.from_query(fields)[1] == [sentence]


def test_the_spectrum_is_refused():
    """Its eigenvectors are others at every point."""
    with pytest.raises(ParameterError, match=r"engine must be auto or loop .* Got spectrum"):
        replace(USUAL, engine="spectrum")
