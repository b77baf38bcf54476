"""The absolute error and Huber's loss: their gradients are torch's, their lowest points other people's, their promises kept."""

import contextlib
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares, lsq_linear, minimize
from sklearn.linear_model import QuantileRegressor

from gd_core.autopsy import autopsy
from gd_core.export.script import FLAVOURS, script
from gd_core.outcome import Outcome, Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.robust import closest, lowest_of, settles_below
from gd_core.safe_start import opening, safe_without_parabola
from gd_core.settings.experiment import Experiment, defaults
from gd_core.settings.fields import ParameterError
from gd_core.tables.reading import read
from gd_core.tables.table import keep
from gd_core.theory import curvature_of, why_no_theory
from gd_core.verdict import of_run, of_steps

TORCHS = {"absolute": torch.nn.L1Loss(), "huber": torch.nn.HuberLoss(delta=2.5)}
every_loss = pytest.mark.parametrize("loss", TORCHS)
OUTLIER = Experiment(
    **(
        defaults("table", "gradient-descent")
        | {"table": "anscombe", "target": "y3", "features": ("x",), "points": 11}
    )
)  # ten rows on the line 4.01 + 0.345 x, and one that is far off


def on(loss, dataset="noisy-quadratic", **changes):
    return Experiment(**(defaults(dataset, "gradient-descent") | {"loss": loss, "delta": 2.5} | changes))


RUNS = {
    "all rows": {"learning_rate": 1e-4, "epochs": 60},
    "batches": {"learning_rate": 1e-4, "epochs": 20, "batch_size": 6},
    "scaled": {"scale_features": True, "scale_target": True, "learning_rate": 0.1, "epochs": 60},
}


@every_loss
@pytest.mark.parametrize("changes", RUNS.values(), ids=RUNS)
def test_it_descends_as_torch_does(loss, changes):
    """With torch's own loss and SGD, to 1e-12; the formula of the Steps tab is the gradient."""
    experiment = on(loss, **changes)
    problem, recording = build(experiment), record(experiment)
    features, y = problem.linear.features, problem.linear.target
    theta = problem.start.clone().requires_grad_()
    optimizer = torch.optim.SGD([theta], lr=experiment.learning_rate)
    dice = torch.Generator().manual_seed(experiment.seed)
    path = [theta.detach().clone()]
    for _ in range(experiment.epochs):
        whole = torch.arange(len(y))
        order = torch.randperm(len(y), generator=dice).split(6) if experiment.batch_size else [whole]
        for rows in order:
            optimizer.zero_grad()
            TORCHS[loss](features[rows] @ theta, y[rows]).backward()
            optimizer.step()
            path.append(theta.detach().clone())
    torch.testing.assert_close(recording.theta, torch.stack(path), rtol=1e-12, atol=1e-12)
    epochs = [0, experiment.epochs // 2]
    parts = autopsy(recording, experiment, problem, epochs)
    assert parts.formula is not None
    stride = recording.updates_per_epoch
    torch.testing.assert_close(
        parts.formula, recording.gradient[[k * stride for k in epochs]], rtol=1e-12, atol=1e-12
    )


@every_loss
@pytest.mark.parametrize("changes", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_its_script_prints_the_same_numbers(loss, changes, flavour):
    """The script ends where the run ends, with δ where there is one."""
    experiment = on(loss, **changes)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(script(experiment, flavour), "script", "exec"), {})
    *_, last = (line for line in printed.getvalue().splitlines() if "mean" not in line)
    _, found, rmse, *theta = map(float, last.split())
    recording = record(experiment)
    assert [found, rmse] == pytest.approx(
        [float(recording.epoch_loss[-1]), float(recording.epoch_rmse[-1])], rel=1e-9
    )
    assert theta[:3] == pytest.approx(recording.theta[-1].tolist(), rel=1e-9)


def years(loss, delta):
    """A parabola over calendar years, with two rows far off, and a floor that is not 0."""
    t = np.arange(1990, 2021)
    y = 0.02 * (t - 2004) ** 2 + np.sin(3.0 * t) + 40 * (t == 2010) - 25 * (t == 1995)
    rows = "\n".join(["year,y", *(f"{a},{b!r}" for a, b in zip(t.tolist(), y.tolist(), strict=True))])
    experiment, sentences = Experiment.from_query(
        {"dataset": "table", "table": keep(read(rows + "\n").table).key, "target": "y", "features": "year", "degree": "2", "loss": loss,
         "delta": str(delta), "learning_rate": "1e-14"}
    )  # fmt: skip
    assert not sentences
    return experiment


@pytest.mark.parametrize("delta", [0.05, 1.0, 30.0])
@every_loss
def test_the_lowest_point_is_other_peoples(loss, delta):
    """scikit-learn's linear program and SciPy's trust region find the same loss to 1e-6; the years stay as they are."""
    experiment = years(loss, delta)
    data = build(experiment).dataset
    t, y = data.x[:, 0].numpy(), data.y[:, 0].numpy()
    columns = np.column_stack([((t - 2005) / 9) ** 2, (t - 2005) / 9, np.ones_like(t)])
    if loss == "absolute":
        fitted = QuantileRegressor(quantile=0.5, alpha=0, solver="highs").fit(columns[:, :2], y)
        expected = abs(fitted.predict(columns[:, :2]) - y).mean()
    else:
        found = least_squares(
            lambda b: columns @ b - y, np.zeros(3), jac=lambda b: columns, loss="huber", f_scale=delta, xtol=1e-15, ftol=1e-15, gtol=1e-15,
        )  # fmt: skip
        expected = found.cost / len(y)
    lowest = lowest_of(build(experiment).objective)
    assert lowest is not None
    assert lowest.loss == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("penalty", [1e-4, 0.03, 1.0, 50.0])
@pytest.mark.parametrize("changes", [{}, {"scale_target": True, "intercept": False}, {"degree": 8}])
@every_loss
def test_the_lowest_point_of_a_penalised_loss_is_where_no_slope_is_left(loss, changes, penalty):
    """The loss is convex, so θ* is the lowest if 0 is a slope there: each row pulls by at most 1 (of Huber's loss by r), those on the
    curve by what SciPy's bounded least squares finds; together they hold the penalty. SciPy's own descent comes no lower."""
    experiment = replace(years(loss, 1.5), scale_features=True, penalty=penalty, **changes)
    objective = build(experiment).linear
    lowest = lowest_of(objective)
    assert lowest is not None
    phi, y, theta = objective.features.numpy(), objective.target.numpy(), lowest.optimum.numpy()
    each = penalty * (np.arange(phi.shape[1]) < phi.shape[1] - int(experiment.intercept))
    length = np.linalg.norm(phi, axis=0)

    def value(b):
        r = abs(phi @ b - y)
        rho = r if loss == "absolute" else np.where(r <= 1.5, r**2 / 2, 1.5 * (r - 0.75))
        return rho.mean() + (each * b**2).sum()

    r = y - phi @ theta
    if loss == "absolute":
        on_it = abs(r) < 1e-9 * abs(y).max()
        rest = (2 * len(y) * each * theta - phi[~on_it].T @ np.sign(r[~on_it])) / length
        left = (
            lsq_linear((phi[on_it] / length).T, rest, bounds=(-1, 1), tol=1e-14).fun if on_it.any() else rest
        )
    else:
        left = (2 * len(y) * each * theta - phi.T @ np.clip(r, -1.5, 1.5)) / length
    assert abs(left).max() < 1e-8
    assert lowest.loss == pytest.approx(value(theta), rel=1e-12)
    for start in (np.zeros_like(theta), theta + 0.01):
        assert minimize(value, start, method="BFGS").fun > lowest.loss * (1 - 1e-9)


def test_a_penalised_absolute_error_keeps_its_promise():
    """The run comes within the bound, whichever the rate; where 2ηλ is 1 or more none is given, and above 1/λ it is gone."""
    base = replace(on("absolute", scale_features=True), penalty=0.2, epochs=4000)
    lowest = lowest_of(build(base).objective)
    assert lowest is not None
    for rate in (0.05, 0.5, 2.0):
        promise = closest(lowest, rate)
        assert float(record(replace(base, learning_rate=rate)).epoch_loss.min()) - lowest.loss <= promise
        assert promise > rate * lowest.steepest / 2
    assert closest(lowest, 2.5) == closest(lowest, 3.0) == np.inf
    gone = replace(base, learning_rate=5.5)
    recording, problem = record(gone), build(gone)
    said = of_run(recording, gone, None, outcome(recording, None, Trained.of(gone, problem)))
    assert "throws each step farther than the last at every rate above 1/λ = 5; yours is 1.1 × that." in said
    held = replace(base, learning_rate=4.5)
    assert record(held).diverged_at is None


def test_a_rate_to_begin_with_is_known():
    """Of Huber's loss half of 2/λ of ΦᵀΦ/N, with 2λ of a penalty; of the absolute error the way over the largest slope and √n, whose
    run is sure to come within their product over √n. Of momentum, batches and other losses nobody knows one."""
    huber = replace(OUTLIER, loss="huber", scale_features=True)
    phi = build(huber).linear.features.numpy()
    top = np.linalg.eigvalsh(phi.T @ phi / len(phi))[-1]
    for penalty in (0.0, 0.3):
        one = replace(huber, penalty=penalty)
        safe = safe_without_parabola(one, build(one))
        assert safe is not None
        assert safe.rate == pytest.approx(1 / (top + 2 * penalty), rel=5e-3)
    absolute = replace(OUTLIER, loss="absolute", scale_features=True, epochs=60)
    problem = build(absolute)
    safe, lowest = safe_without_parabola(absolute, problem), lowest_of(problem.objective)
    assert safe is not None
    assert lowest is not None
    way = np.linalg.norm(problem.start.numpy() - lowest.optimum.numpy())
    assert safe.rate == pytest.approx(way / (top * 60) ** 0.5, rel=5e-3)
    losses = record(replace(absolute, learning_rate=safe.rate)).epoch_loss
    assert float(losses.min()) - lowest.loss <= way * (top / 60) ** 0.5
    assert opening(replace(OUTLIER, loss="absolute", epochs=60)).learning_rate != OUTLIER.learning_rate
    for other in (
        replace(absolute, optimizer="momentum"),
        replace(absolute, batch_size=4),
        replace(absolute, loss="mse"),
    ):
        assert safe_without_parabola(other, build(other)) is None


def test_a_row_far_off_bends_the_square_alone():
    """Of Anscombe's third set the line of the ten is found to the digits that it was published with; the square's slope is ½."""
    square = curvature_of(build(OUTLIER).objective).optimum
    assert square.tolist() == pytest.approx([0.5, 3.0], abs=3e-3)
    ten = build(replace(OUTLIER, loss="absolute")).objective
    lowest = lowest_of(ten)
    assert lowest is not None
    data = ten.dataset
    near = data.y[:, 0] < 12  # without the one
    line = np.polyfit(data.x[near, 0].numpy(), data.y[near, 0].numpy(), 1)
    assert lowest.optimum.tolist() == pytest.approx(line.tolist(), abs=0.01)


def test_an_absolute_error_swings_half_a_step_to_either_side():
    """|3A + 3| has the slope ±3: at rate η the run ends in A and A − 3η, one on each side, and no closer than it is promised."""
    experiment = on("absolute", "one-parameter", start=(2.0,), learning_rate=0.07, epochs=200)
    recording, problem = record(experiment), build(experiment)
    low, high = sorted(set(recording.theta[-40:, 0].numpy().round(9).tolist()))
    assert high - low == pytest.approx(3 * 0.07)
    assert low < -1 < high
    lowest = lowest_of(problem.objective)
    assert lowest is not None
    promise = closest(lowest, 0.07)
    assert promise == pytest.approx(0.07 * 3**2 / 2)
    assert float(recording.epoch_loss.min()) <= promise <= float(recording.epoch_loss[-2:].max())
    found = outcome(recording, None, Trained.of(experiment, problem))
    assert found.outcome is Outcome.HOVERING
    assert "sure to come within 0.315 of the lowest" in of_run(recording, experiment, None, found)


def test_a_rate_that_shrinks_arrives_where_a_fixed_one_hovers():
    """With η/(1 + 0.1 k) the gap to scikit-learn's lowest is less than a tenth of the fixed rate's, which stays."""
    experiment = on("absolute", scale_features=True, learning_rate=10.0, epochs=1500)
    problem = build(experiment)
    features, y = problem.linear.features[:, :-1].numpy(), problem.linear.target.numpy()
    fitted = QuantileRegressor(quantile=0.5, alpha=0, solver="highs").fit(features, y)
    floor = abs(fitted.predict(features) - y).mean()
    fixed, shrinking = (
        float(record(replace(experiment, schedule=schedule)).epoch_loss[-100:].mean()) - floor
        for schedule in ("constant", "inverse-time:0.1")
    )
    assert 0 < shrinking < fixed / 10


def test_huber_settles_below_twice_the_limit_of_the_square():
    """Just below it the run converges, just above it does not where no row is beyond δ; the number is 4/λ of the square."""
    base = replace(OUTLIER, loss="huber", delta=100.0, scale_features=True, epochs=400)
    problem = build(base)
    lowest = lowest_of(problem.objective)
    assert lowest is not None
    top = np.linalg.eigvalsh(problem.linear.features.T @ problem.linear.features / 11)[-1]
    assert settles_below(lowest) == pytest.approx(2 / top)
    ends = {}
    for share in (0.95, 1.01):
        experiment = replace(base, learning_rate=share * settles_below(lowest))
        recording = record(experiment)
        found = outcome(recording, None, Trained.of(experiment, build(experiment)))
        ends[share] = found.outcome, of_run(recording, experiment, None, found)
    assert ends[0.95][0] is Outcome.CONVERGED
    assert ends[1.01][0] in (Outcome.HOVERING, Outcome.GROWING)


@every_loss
def test_what_is_not_known_is_said(loss):
    """No limit, and why; no eigenvectors; a δ that is no width."""
    reason = why_no_theory(on(loss))
    assert reason
    assert "no parabola" in reason or "parabola only" in reason
    with pytest.raises(ParameterError, match="engine must be auto or loop"):
        on(loss, engine="spectrum")
    with pytest.raises(ParameterError, match="delta must be a number between 1e-06 and"):
        on(loss, delta=0.0)


def test_an_rmse_that_rises_while_the_loss_falls_is_told():
    """From the square's optimum the absolute error goes down and the RMSE up."""
    experiment = replace(OUTLIER, loss="absolute", start=(0.5, 3.0), learning_rate=0.001, epochs=30)
    recording = record(experiment)
    rises = (recording.epoch_rmse.diff() > 1e-9 * recording.epoch_rmse[:-1]) & (
        recording.epoch_loss.diff() < 0
    )
    assert rises.any()
    steps = of_steps(recording, experiment, None)
    at = int(rises.nonzero()[0])
    assert "the MAE goes down" in steps.sentence(at, recording)
