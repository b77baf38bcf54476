"""What is said of a loss that is no bowl. Oracle: NumPy, with derivatives by hand and by differences, and a fine grid."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from units import hessian_by_hand

from gd_core.here import STARTS, best_of, here_of, limits_along, local_of
from gd_core.landscape import Window, box_of, lines_on, losses_on
from gd_core.objective import value_and_gradient
from gd_core.outcome import Outcome, Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.verdict import of_run

TIDE = Experiment.default("tide")
BOX = torch.tensor(TIDE.info.shown, dtype=torch.float64)
AMPLITUDE = 1.8


def rows_of(experiment):
    data = build(experiment).dataset
    return data.x.numpy()[:, 0], data.y.numpy()[:, 0]


def loss(theta, x, y):
    return np.mean((AMPLITUDE * np.sin(theta[0] * x + theta[1]) - y) ** 2)


def gradient(theta, x, y):
    off, slope = AMPLITUDE * np.sin(theta[0] * x + theta[1]) - y, AMPLITUDE * np.cos(theta[0] * x + theta[1])
    return np.array([2 * np.mean(off * slope * x), 2 * np.mean(off * slope)])


def hessian(theta, x, y):
    swing, slope = AMPLITUDE * np.sin(theta[0] * x + theta[1]), AMPLITUDE * np.cos(theta[0] * x + theta[1])
    both = 2 * (slope**2 - (swing - y) * swing)
    return np.array([[np.mean(both * x * x), np.mean(both * x)], [np.mean(both * x), np.mean(both)]])


problem_of = cache(build)  # its best is found once


@given(st.floats(1, 25), st.floats(-4, 4), st.sampled_from((0, 1)))
def test_gradient_and_curvatures_are_those_worked_out_by_hand(omega, phi, seed):
    """At any place, of any draw of the rows."""
    experiment = replace(TIDE, data_seed=seed, points=30)
    x, y = rows_of(experiment)
    theta, problem = np.array([omega, phi]), problem_of(experiment)
    value, slopes = value_and_gradient(problem.objective, torch.tensor(theta))
    assert float(value) == pytest.approx(loss(theta, x, y), rel=1e-12)
    assert slopes.tolist() == pytest.approx(gradient(theta, x, y).tolist(), rel=1e-12, abs=1e-12)
    found = here_of(experiment, problem, torch.tensor(theta))
    assert found.curvatures == pytest.approx(np.linalg.eigvalsh(hessian(theta, x, y)), rel=1e-9, abs=1e-9)
    assert found.slope == pytest.approx(np.linalg.norm(gradient(theta, x, y)), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_no_place_of_a_fine_grid_is_lower_than_the_best_that_was_found(seed):
    """Nor is any that is come to from the lowest of the grid by Newton's steps of NumPy."""
    experiment = replace(TIDE, data_seed=seed)
    x, y = rows_of(experiment)
    best = best_of(build(experiment), BOX)
    grid = [(loss((o, p), x, y), o, p) for o in np.linspace(4, 20, 161) for p in np.linspace(-3.2, 3.2, 33)]
    _, *theta = min(grid)
    for _ in range(30):
        theta = theta - np.linalg.solve(hessian(theta, x, y), gradient(theta, x, y))
    assert best.loss <= min(grid)[0]
    assert best.loss == pytest.approx(loss(theta, x, y), rel=1e-10)


ENDS = {
    "a local minimum": (9.0, 0.0),
    "the lowest": (11.0, 0.0),
    "the lowest, a turn further": (12.0, 4.0),
}


@pytest.mark.parametrize(("where", "start"), ENDS.items(), ids=ENDS)
def test_where_a_run_comes_to_rest_is_told(where, start):
    """By NumPy: the slope is 0 there, both curvatures are above 0, and a finer search knows a lower valley or does not."""
    experiment = replace(TIDE, start=start)
    recording, problem = record(experiment), build(experiment)
    finding = outcome(recording, None, Trained.of(experiment, problem))
    said = of_run(recording, experiment, None, finding)
    x, y = rows_of(experiment)
    theta = recording.epoch_theta[-1].numpy()
    assert np.linalg.norm(gradient(theta, x, y)) < 1e-4
    assert np.linalg.eigvalsh(hessian(theta, x, y)).min() > 0
    rmse, best = np.sqrt(loss(theta, x, y)), best_of(problem, BOX).rmse
    assert finding.outcome is Outcome.CONVERGED
    if where == "a local minimum":
        assert "That is a local minimum: every way from here leads up." in said
        assert (
            f"The best that {STARTS} starts found is RMSE {best:.4g}; this is {rmse / best:.3g} × that."
            in said
        )
    else:
        assert rmse == pytest.approx(best, rel=1e-6)
        assert (
            f"No lower valley was found from {STARTS} starts. That there is none, nobody has proved." in said
        )


def test_a_saddle_is_called_one():
    """Between two valleys a place where the slope is 0 and one curvature is below 0, found by Newton's steps of NumPy."""
    x, y = rows_of(TIDE)
    saddles = set()
    for omega in np.linspace(5, 19, 57):
        for phi in np.linspace(-3, 3, 13):
            theta = np.array([omega, phi])
            for _ in range(30):
                step = np.linalg.solve(hessian(theta, x, y), gradient(theta, x, y))
                theta = theta - step * min(1, 0.3 / np.abs(step).max())
            values = np.linalg.eigvalsh(hessian(theta, x, y))
            if np.linalg.norm(gradient(theta, x, y)) < 1e-12 and values[0] < -0.1 < 0.1 < values[1]:
                saddles.add(tuple(theta.round(8)))
    assert saddles
    for place in sorted(saddles)[:5]:
        found = here_of(TIDE, build(TIDE), torch.tensor(place, dtype=torch.float64))
        assert found.is_saddle
        assert not found.is_minimum


def test_the_map_is_of_the_loss():
    """Each knot of its grid by NumPy; its lines lie where the loss is what they say; a start outside widens it."""
    problem, (x, y) = build(TIDE), rows_of(TIDE)
    shown = box_of(TIDE, problem.start)
    grid = losses_on(problem.objective, shown, problem.start, points=21)
    for row, phi in enumerate(np.linspace(-3.2, 3.2, 21)):
        for column, omega in enumerate(np.linspace(4, 20, 21)):
            assert grid[row, column] == pytest.approx(loss((omega, phi), x, y), rel=1e-12)
    losses = losses_on(problem.objective, shown, problem.start)
    levels = lines_on(losses, shown)
    off = [
        loss(place + np.array(shown.centre), x, y) - levels.heights[level]
        for place, level in zip(levels.offset[::40], levels.level[::40], strict=True)
    ]
    assert np.abs(off).max() < 0.1 * np.ptp(losses)
    wide = box_of(TIDE, torch.tensor([40.0, 0.0], dtype=torch.float64))
    assert wide.centre[0] + wide.half[0] > 40
    assert box_of(Experiment.default(), problem.start) is None


def test_the_limit_at_every_epoch_is_that_of_the_steepest_curvature_there():
    """By NumPy's eigenvalues: 2/λ of plain descent, 2(1 + β)/λ with a heavy ball, 0 where nothing curves upwards; None of other rules."""
    x, y = rows_of(TIDE)
    theta = np.array([[9.0, 0.0], [12.1, 0.6], [14.0, 0.5], [11.0, 2.5], [5.0, -2.0]])
    steepest = np.array([np.linalg.eigvalsh(hessian(place, x, y))[-1] for place in theta])
    places, plain = torch.tensor(theta), np.where(steepest > 0, 2 / steepest, 0)
    assert limits_along(TIDE, build(TIDE), places).numpy() == pytest.approx(plain, rel=1e-9)
    heavy = replace(TIDE, optimizer="momentum", momentum=0.9)
    assert limits_along(heavy, build(heavy), places).numpy() == pytest.approx(1.9 * plain, rel=1e-9)
    for changes in ({"optimizer": "adam"}, {"batch_size": 5}, {"loss": "absolute"}):
        other = replace(TIDE, **changes)
        assert limits_along(other, build(other), places) is None
    top = next(
        np.array([omega, phi])
        for omega in np.linspace(5, 19, 141)
        for phi in np.linspace(-3, 3, 61)
        if np.linalg.eigvalsh(hessian(np.array([omega, phi]), x, y))[-1] < 0
    )
    assert limits_along(TIDE, build(TIDE), torch.tensor(top)[None]).tolist() == [0.0]


JIT = "ignore:.*torch.jit.script:DeprecationWarning"  # torch.func's own


@pytest.mark.filterwarnings(JIT)
@pytest.mark.parametrize("penalty", [0.003, 0.5])
@pytest.mark.parametrize("dataset", ["tide", "sea", "dose"])
def test_with_a_penalty_all_that_holds_here_is_of_loss_and_penalty(dataset, penalty):
    """Gradient and eigenvalues by torch.func and NumPy of the two added up by hand; the strip's limit is 2/λ of the largest."""
    experiment = replace(Experiment.default(dataset), penalty=penalty)
    problem = build(experiment)
    box = torch.tensor(experiment.info.shown, dtype=torch.float64)
    generator = torch.Generator().manual_seed(3)
    x, y = problem.dataset.x, problem.dataset.y[:, 0]

    def both(theta):
        w, b, v = theta.chunk(3) if dataset == "dose" else (theta, theta, theta)
        fitted = {
            "tide": lambda: 1.8 * torch.sin(theta[0] * x + theta[1]),
            "sea": lambda: theta[0] * torch.sin(theta[1] * x + theta[2]),
            "dose": lambda: (torch.tanh(x * w + b) @ v)[:, None],
        }[dataset]()
        return ((fitted[:, 0] - y) ** 2).mean() + penalty * (theta**2).sum()

    for share in torch.rand(6, len(box), generator=generator, dtype=torch.float64):
        theta = box[:, 0] + share * box.diff()[:, 0]
        values = np.linalg.eigvalsh(torch.func.hessian(both)(theta).numpy())
        found = here_of(experiment, problem, theta)
        assert found.loss == pytest.approx(float(both(theta)), rel=1e-12)
        assert found.slope == pytest.approx(float(torch.func.grad(both)(theta).norm()), rel=1e-10)
        assert found.curvatures == pytest.approx(values, rel=1e-9, abs=1e-10)
        assert found.rmse == pytest.approx((found.loss - penalty * float(theta @ theta)) ** 0.5, rel=1e-9)
        limit = 2 / values[-1] if values[-1] > 0 else 0
        assert float(limits_along(experiment, problem, theta[None])) == pytest.approx(limit, rel=1e-9)


def test_a_saddle_of_the_loss_is_the_lowest_point_under_a_large_penalty():
    """At 0 the network has curvature −κ and no slope; 2λ is added to each: a saddle below κ/2, a minimum above."""
    zero = torch.zeros(6, dtype=torch.float64)
    dose = Experiment.default("dose")
    kappa = -np.linalg.eigvalsh(hessian_by_hand(zero.numpy(), *rows_of(dose)))[0]
    assert kappa > 0.1
    for share, is_saddle in ((0.9, True), (1.1, False)):
        experiment = replace(dose, penalty=float(share * kappa / 2), start=(0.0,) * 6)
        found = here_of(experiment, build(experiment), zero)
        assert (found.is_saddle, found.is_minimum) == (is_saddle, not is_saddle)
        recording, problem = record(replace(experiment, epochs=20)), build(experiment)
        said = of_run(recording, experiment, None, outcome(recording, None, Trained.of(experiment, problem)))
        assert ("That is a saddle" in said) == is_saddle
        assert ("nothing happens" in said.lower()) == is_saddle


def test_where_a_penalised_run_comes_to_rest_is_told_by_its_loss():
    """In a local minimum: NumPy's gradient of loss and penalty is 0 there, and the share is that of two penalised losses."""
    experiment = replace(TIDE, penalty=0.001, start=(9.0, 0.0), epochs=2000)
    recording, problem = record(experiment), build(experiment)
    said = of_run(recording, experiment, None, outcome(recording, None, Trained.of(experiment, problem)))
    x, y = rows_of(experiment)
    theta = recording.epoch_theta[-1].numpy()
    assert np.linalg.norm(gradient(theta, x, y) + 0.002 * theta) < 1e-4
    assert np.linalg.eigvalsh(hessian(theta, x, y) + 0.002 * np.eye(2)).min() > 0

    def whole(theta):
        return loss(theta, x, y) + 0.001 * theta @ theta

    grid = [
        (whole(np.array([o, p])), o, p) for o in np.linspace(4, 20, 161) for p in np.linspace(-3.2, 3.2, 33)
    ]
    _, *best = min(grid)
    for _ in range(30):
        best = best - np.linalg.solve(
            hessian(best, x, y) + 0.002 * np.eye(2), gradient(best, x, y) + 0.002 * np.array(best)
        )
    share = f"{whole(theta) / whole(best):.3g} × the lowest that {STARTS} starts found, {whole(best):.4g}."
    assert f"The penalised loss here is {whole(theta):.4g}, {share}" in said


def test_what_holds_here_of_a_log_loss_with_its_penalty():
    """Slope and eigenvalues of (1/N) Φᵀ diag(p(1 − p)) Φ + 2λ by NumPy, at the end of a run; of the absolute error nothing is told."""
    experiment = replace(Experiment.default("pass-or-fail"), penalty=0.05, epochs=40)
    problem, theta = build(experiment), record(experiment).epoch_theta[-1]
    features, y = problem.linear.features.numpy(), problem.linear.target.numpy()
    p, lambdas = 1 / (1 + np.exp(-features @ theta.numpy())), np.array([0.05, 0.05, 0.0])
    found = local_of(problem, theta)
    slope = features.T @ (p - y) / len(y) + 2 * lambdas * theta.numpy()
    curved = features.T @ (features * (p * (1 - p))[:, None]) / len(y) + 2 * np.diag(lambdas)
    assert found.slope == pytest.approx(np.linalg.norm(slope), rel=1e-10)
    assert found.curvatures == pytest.approx(np.linalg.eigvalsh(curved), rel=1e-9)
    assert found.limit == pytest.approx(2 / np.linalg.eigvalsh(curved)[-1], rel=1e-9)
    absolute = replace(experiment, loss="absolute")
    assert local_of(build(absolute), theta) is None


def test_a_level_floor_has_no_line():
    """Of a basin whose floor is level up to rounding every line goes round it: none is of specks within."""
    side = np.linspace(-4, 4, 81)
    away = np.hypot(*np.meshgrid(side, side))
    losses = 100 + np.maximum(away, 1.5) + np.random.default_rng(5).normal(scale=3e-14, size=away.shape)
    found = lines_on(losses, Window((0.0, 0.0), (4.0, 4.0)))
    assert len(found.heights) > 10
    assert np.hypot(*found.offset.T).min() > 1.5
