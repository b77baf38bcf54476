"""An L2 penalty: the loss stays a parabola, with another optimum, floor and curvature. Oracles: scikit-learn, NumPy, torch.optim."""

import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, Ridge

from gd_core.autopsy import formula
from gd_core.objective import value_and_gradient
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.robust import lowest_of
from gd_core.run_summary import same_landscape
from gd_core.settings.catalog import LOSS_INFO
from gd_core.settings.differing import differing
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.spectrum import path
from gd_core.tables.table import Table, keep
from gd_core.theory import conventions, curvature_of, forecast_of
from gd_core.training import train
from gd_core.verdict import of_steps

PLANE = replace(Experiment.default("two-features"), points=40, noise=0.7, penalty=0.3)
CURVE = replace(Experiment.default("noisy-quadratic"), scale_features=True, penalty=0.3, learning_rate=0.02)
WELL = {"dataset": "table", "table": "anscombe", "degree": "5", "scale_features": "true"}
POWERS = replace(Experiment.from_query(WELL)[0], penalty=1e-4)
ORIGIN = replace(PLANE, intercept=False)
BARE = {"plane": PLANE, "curve": CURVE, "powers": POWERS}  # with an intercept, which is no weight
WHOLE = {f"all of the {name}": replace(run, penalised="all") for name, run in BARE.items()}
RUNS = {**BARE, "through the origin": ORIGIN, **WHOLE}
every_run = pytest.mark.parametrize("name", RUNS)


def rows_of(experiment):
    """Φ [N, P], y [N] and λ of each parameter [P], as they are trained, in NumPy."""
    problem = build(experiment)
    features, target = problem.linear.features.numpy(), problem.linear.target.numpy()
    each = np.full(features.shape[1], experiment.penalty)
    if experiment.intercept and experiment.penalised == "weights":
        each[-1] = 0.0
    return features, target, each


def ridge(experiment):
    """θ* by scikit-learn. It minimises the sum of squares, so its alpha is N λ."""
    features, target, _ = rows_of(experiment)
    own = (
        experiment.intercept and experiment.penalised == "weights"
    )  # else a column of ones is a column like others
    model = Ridge(len(target) * experiment.penalty, fit_intercept=own, solver="svd", tol=1e-14)
    model.fit(features[:, :-1] if own else features, target)
    return np.append(model.coef_, model.intercept_) if own else model.coef_


# ------------------------------------------------------------------------------------------------------- the parabola


@every_run
def test_the_optimum_is_that_of_ridge(name):
    """θ* is scikit-learn's to 1e-8, the lowest loss its value there, and the RMSE told is that of the rows alone."""
    experiment = RUNS[name]
    features, target, each = rows_of(experiment)
    best, curvature = ridge(experiment), curvature_of(build(experiment).objective)
    np.testing.assert_allclose(curvature.optimum, best, rtol=1e-8, atol=1e-10)
    errors = np.mean((features @ best - target) ** 2)
    assert curvature.floor_rmse == pytest.approx(math.sqrt(errors), rel=1e-9)
    assert curvature.floor_loss == pytest.approx(errors + each @ best**2, rel=1e-9)
    least = np.linalg.lstsq(features, target, rcond=None)[0]
    assert curvature.floor_rmse > math.sqrt(np.mean((features @ least - target) ** 2)) * (1 + 1e-9)
    assert not curvature.bounds_rmse


@every_run
def test_limit_and_condition_are_those_of_the_penalised_hessian(name):
    """H = (2/N) ΦᵀΦ + 2λ, without the intercept: eigenvalues, κ and the limit 2/λ_P by NumPy."""
    experiment = RUNS[name]
    features, target, each = rows_of(experiment)
    hessian = 2 / len(target) * features.T @ features + 2 * np.diag(each)
    values = np.linalg.eigvalsh(hessian)
    problem = build(experiment)
    forecast = forecast_of(experiment, problem, curvature_of(problem.objective))
    np.testing.assert_allclose(forecast.eigenvalues, values, rtol=1e-8)
    assert forecast.condition_number == pytest.approx(values[-1] / values[0], rel=1e-8)
    assert forecast.stability_limit == pytest.approx(2 / values[-1], rel=1e-12)
    autograd = torch.autograd.functional.hessian(problem.objective, problem.start)
    np.testing.assert_allclose(autograd, hessian, rtol=1e-9, atol=1e-9)


@given(
    st.integers(0, 10**6), st.floats(1e-6, 1e3), st.booleans(), st.booleans(), st.sampled_from([0, 7]),
    st.sampled_from(["weights", "all"]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_optimum_and_gradient_hold_for_every_penalty(seed, penalty, scaled, target, batch, penalised):
    """The gradient vanishes at θ*; on any rows autograd's and the formula's are that of NumPy."""
    experiment = replace(
        PLANE, data_seed=seed, penalty=penalty, scale_features=scaled, scale_target=target, start="random",
        penalised=penalised,
    )  # fmt: skip
    features, y, each = rows_of(experiment)
    problem = build(experiment)
    best = curvature_of(problem.objective).optimum
    at_best = value_and_gradient(problem.objective, best)[1]
    assert float(at_best.abs().max()) < 1e-11 * (1 + penalty) * (1 + float(np.abs(y).max()))
    rows, theta = (torch.arange(3, 3 + batch) if batch else None), problem.start
    some = slice(3, 3 + batch) if batch else slice(None)
    wrong = features[some] @ theta.numpy() - y[some]
    gradient = 2 / len(wrong) * features[some].T @ wrong + 2 * each * theta.numpy()
    loss = np.mean(wrong**2) + each @ theta.numpy() ** 2
    value, slope = value_and_gradient(problem.objective.on(rows), theta)
    assert float(value) == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(slope, gradient, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(formula(problem.linear, theta, rows), gradient, rtol=1e-10, atol=1e-10)
    assert float(problem.linear.literal(theta)) == pytest.approx(
        np.mean((features @ theta.numpy() - y) ** 2) + each @ theta.numpy() ** 2, rel=1e-12
    )


def test_a_penalty_determines_what_the_data_do_not():
    """Two columns that say the same have no flat direction any more, and κ is finite."""
    columns = {"u": [*range(8)], "v": [*range(0, 16, 2)], "y": [0.0, 1, 2, 0, 1, 2, 0, 1]}
    held = keep(Table.of({name: [*map(float, column)] for name, column in columns.items()}))
    query = {
        "dataset": "table",
        "table": held.key,
        "target": "y",
        "features": "u,v",
        "scale_features": "true",
    }
    plain, sentences = Experiment.from_query(query)
    assert not sentences
    assert math.isinf(curvature_of(build(plain).objective).condition_number)
    penalised = replace(plain, penalty=0.1)
    curvature = curvature_of(build(penalised).objective)
    assert math.isfinite(curvature.condition_number)
    np.testing.assert_allclose(curvature.optimum, ridge(penalised), atol=1e-10)


# ------------------------------------------------------------------------------------------------------- the training


@pytest.mark.parametrize(
    ("optimizer", "kind", "own"),
    [
        ("gradient-descent", torch.optim.SGD, {}),
        ("momentum", torch.optim.SGD, {"momentum": 0.9}),
        ("adam", torch.optim.Adam, {}),
    ],
)
@pytest.mark.parametrize("name", BARE)
def test_training_is_torchs_with_twice_the_penalty_as_weight_decay(optimizer, kind, own, name):
    """To 1e-12, weight_decay = 2λ for the weights and 0 for the intercept: torch's has a ½, ours has not."""
    experiment = replace(BARE[name], optimizer=optimizer, learning_rate=1e-3)
    problem = build(experiment)
    ours = torch.stack([s.theta for s in islice(train(problem.objective, problem.start, problem.rule), 101)])
    weights = problem.start[:-1].clone().requires_grad_()
    bias = problem.start[-1:].clone().requires_grad_()
    groups = [{"params": [weights], "weight_decay": 2 * experiment.penalty}, {"params": [bias]}]
    optimizer = kind(groups, lr=1e-3, foreach=False, **own)
    features, target = problem.linear.features, problem.linear.target
    for k in range(101):
        theta = torch.cat([weights, bias])
        torch.testing.assert_close(ours[k], theta.detach(), rtol=1e-12, atol=1e-12)
        optimizer.zero_grad()
        (features @ theta - target).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize(
    ("optimizer", "kind", "own"),
    [("gradient-descent", torch.optim.SGD, {}), ("momentum", torch.optim.SGD, {"momentum": 0.9})],
)
@pytest.mark.parametrize("name", WHOLE)
def test_over_all_parameters_it_is_torchs_weight_decay_as_it_comes(optimizer, kind, own, name):
    """To 1e-12, one group of parameters with weight_decay = 2λ, the intercept in it."""
    experiment = replace(WHOLE[name], optimizer=optimizer, learning_rate=1e-3)
    problem = build(experiment)
    theta = problem.start.clone().requires_grad_()
    optimizer = kind([theta], lr=1e-3, weight_decay=2 * experiment.penalty, foreach=False, **own)
    for step in islice(train(problem.objective, problem.start, problem.rule), 101):
        torch.testing.assert_close(step.theta, theta.detach(), rtol=1e-12, atol=1e-12)
        optimizer.zero_grad()
        (problem.linear.features @ theta - problem.linear.target).square().mean().backward()
        optimizer.step()


@every_run
def test_the_eigenvectors_have_the_numbers_of_the_loop(name):
    """θ, loss, RMSE and held-out RMSE to 1e-9, with momentum and in two phases."""
    first = replace(RUNS[name], epochs=300, learning_rate=0.01, holdout=0.2)
    run = first.continued(120, optimizer="momentum", learning_rate=0.005, epochs=200)
    loop, spectrum = (record(replace(run, engine=engine)) for engine in ("loop", "spectrum"))
    for column in ("epoch_theta", "epoch_loss", "epoch_rmse", "epoch_held_out_rmse", "gradient"):
        one, other = getattr(loop, column), getattr(spectrum, column)
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)
    # The penalty is in the one and not in the other.
    assert float((loop.epoch_loss - loop.epoch_rmse**2)[-1]) > 1e-6


def test_a_million_epochs_end_at_the_optimum():
    """Along the eigenvectors the last θ is ridge's."""
    problem = build(POWERS)
    moments, more = problem.linear.least_squares
    phase = replace(POWERS, learning_rate=0.003, epochs=1_000_000).phase
    *_, last = path(moments, problem.start, [phase], more)
    np.testing.assert_allclose(last.theta[-1], ridge(POWERS), rtol=1e-6, atol=1e-7)


# ------------------------------------------------------------------------------------------------- what is said of it


def test_loss_and_rmse_are_told_apart():
    """At the optimum nothing is called a floor below which no training gets: without the penalty it does."""
    info = PLANE.loss_info
    assert not info.is_mean_square
    assert info.other_error
    assert info.squared
    assert "floor" not in info.close.format(floor="1") + info.rises + info.minimised
    plain = replace(PLANE, penalty=0.0)
    assert plain.loss_info.is_mean_square
    assert conventions(plain)
    assert not conventions(PLANE)  # of a penalty it is not said whether it is multiplied, too


def test_a_step_far_below_the_error_of_the_optimum_is_not_close_to_it():
    """A run from least squares starts below that RMSE, and rises: the penalised loss falls."""
    problem = build(replace(PLANE, penalty=5.0))
    least = np.linalg.lstsq(problem.linear.features.numpy(), problem.linear.target.numpy(), rcond=None)[0]
    experiment = replace(PLANE, penalty=5.0, start=tuple(least), learning_rate=0.005, epochs=30)
    problem = build(experiment)
    forecast = forecast_of(experiment, problem, curvature_of(problem.objective))
    recording = record(experiment)
    assert recording.epoch_rmse[0] < 0.5 * forecast.floor_rmse
    said = of_steps(recording, experiment, forecast)
    assert "Up: the penalised loss falls, while the error rises." in said.sentence(0, recording)
    assert bool((recording.epoch_loss.diff() < 0).all())


def test_that_a_penalty_costs_rmse_is_said_of_the_squared_error_alone():
    """Of these rows a logistic regression has a lower one with its penalty than without, by scikit-learn."""
    x, y = [-1.6, -1.8, 0.5, -0.5, -1.7, 1.6, 1.1, -1.3], [0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]
    rows = {"dataset": "table", "table": keep(Table.of({"x": x, "y": y})).key, "target": "y", "features": "x"}
    squared = Experiment.from_query(rows | {"penalty": "0.02", "learning_rate": "0.1"})[0]
    rmse = []
    for penalty in (0.02, 1e-12):
        model = LogisticRegression(C=1 / (2 * len(y) * penalty), tol=1e-12, max_iter=10_000)
        chance = model.fit(np.array(x)[:, None], y).predict_proba(np.array(x)[:, None])[:, 1]
        rmse.append(np.sqrt(np.mean((chance - y) ** 2)))
    logistic = replace(squared, loss="log")
    lowest = lowest_of(build(logistic).objective)
    assert lowest.rmse == pytest.approx(rmse[0], rel=1e-6)
    assert rmse[0] < 0.98 * rmse[1]
    costs = "Without the penalty training gets below it."
    assert costs in squared.loss_info.floor
    for loss in LOSS_INFO.keys() - {"mse"}:
        assert "Elsewhere it may be lower." in replace(squared, loss=loss).loss_info.floor
    assert logistic.loss_info.minimised.startswith("Log loss plus λ‖w‖² is minimised")


def test_another_penalty_is_another_landscape():
    """Paths share a map only where the penalties are alike."""
    problem = build(PLANE)
    assert same_landscape(problem, build(replace(PLANE, learning_rate=0.1)))
    assert not same_landscape(problem, build(replace(PLANE, penalty=0.2)))
    assert not same_landscape(problem, build(replace(PLANE, penalty=0.0)))
    assert not same_landscape(problem, build(replace(PLANE, penalised="all")))
    assert same_landscape(build(ORIGIN), build(replace(ORIGIN, penalised="all")))


def test_what_is_penalised_counts_where_it_changes_anything():
    """Two runs are told apart by it under a penalty and with an intercept, and not without."""
    for one, differ in ((PLANE, ("penalised",)), (ORIGIN, ()), (replace(PLANE, penalty=0.0), ())):
        assert differing((one, replace(one, penalised="all"))) == differ


def test_a_bad_penalty_is_refused_in_a_sentence():
    """Below 0 the loss would have no lowest point; what is penalised is one of two."""
    with pytest.raises(ParameterError, match=r"^penalised must be one of weights, all\. Got intercept\.$"):
        replace(PLANE, penalised="intercept")
    with pytest.raises(
        ParameterError, match=r"^penalty must be a number between 0 and 1,?000,?000\.?.* Got -0\.1\.$"
    ):
        replace(PLANE, penalty=-0.1)
