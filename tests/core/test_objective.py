"""The loss as one function of one flat vector."""

import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gd_core.datasets import DATASETS
from gd_core.models import MODELS
from gd_core.objective import (
    LOSSES,
    SQUARED,
    LinearObjective,
    Objective,
    mse,
    mse_broadcast,
    value_and_gradient,
)
from gd_core.problem import build
from gd_core.settings.catalog import DATASET_INFO, LOSS_INFO, MODEL_INFO
from gd_core.settings.experiment import Experiment

# those whose model has a Φ; `test_here.py` has the other
LINEAR = [name for name in DATASETS if MODEL_INFO[DATASET_INFO[name].model].linear]
vectors = st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=1, max_size=12)
every_objective = pytest.mark.parametrize(
    "objective",
    [
        pytest.param(
            LinearObjective(
                MODELS[DATASET_INFO[name].model](), DATASETS[name](20, noise=1.0, data_seed=4), loss
            ),
            id=f"{name}, {title}",
        )
        for name in LINEAR
        for title, loss in LOSSES.items()
    ],
)


def points(objective, count=5):
    """Some θ, [count, P]."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, objective.features.shape[1], generator=generator, dtype=torch.float64)


@given(vectors)
def test_mse_is_the_mean_of_squares(pairs):
    """(1/N) Σ (ŷᵢ − yᵢ)², without a ½."""
    prediction, target = torch.tensor(pairs, dtype=torch.float64).T
    assert float(mse(prediction, target)) == pytest.approx(np.mean([(p - t) ** 2 for p, t in pairs]))


@given(vectors)
def test_mse_broadcast_is_the_mean_of_the_table(pairs):
    """It is what [N, 1] minus [N] gives: every prediction against every target."""
    prediction, target = np.array(pairs).T
    table = (prediction[:, None] - target) ** 2
    ours = mse_broadcast(*torch.tensor(pairs, dtype=torch.float64).T)
    assert float(ours) == pytest.approx(table.mean(), rel=1e-12, abs=1e-12)


def test_mse_broadcast_wants_a_constant():
    """The shape mistake is at its lowest where all predictions are the mean of y, not where they are y."""
    target = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64)
    constant = torch.full_like(target, 3.0)
    assert float(mse_broadcast(constant, target)) < float(mse_broadcast(target, target))


@every_objective
def test_gradient_agrees_with_finite_differences(objective):
    """Automatic differentiation and central differences give the same slope."""
    for theta in points(objective):
        _, gradient = value_and_gradient(objective, theta)
        steps = 1e-4 * torch.eye(len(theta), dtype=torch.float64)
        slopes = [float(objective(theta + step) - objective(theta - step)) / 2e-4 for step in steps]
        assert gradient.tolist() == pytest.approx(slopes, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", LINEAR)
def test_gradient_of_the_mean_squared_error_is_the_formula(name):
    """∇L = (2/N) Φᵀ(Φθ − y), in NumPy."""
    objective = LinearObjective(
        MODELS[DATASET_INFO[name].model](), DATASETS[name](20, noise=1.0, data_seed=4)
    )
    features, target = objective.features.numpy(), objective.target.numpy()
    for theta in points(objective):
        value, gradient = value_and_gradient(objective, theta)
        error = features @ theta.numpy() - target
        np.testing.assert_allclose(gradient, 2 / len(target) * features.T @ error, rtol=1e-11)
        assert float(value) == pytest.approx(error @ error / len(target), rel=1e-12)


@every_objective
def test_many_losses_at_once_are_the_single_ones(objective):
    """The objective runs under torch.vmap."""
    thetas = points(objective)
    torch.testing.assert_close(
        objective.many(thetas), torch.stack([objective(theta) for theta in thetas]), rtol=1e-13, atol=0
    )


@every_objective
def test_second_derivatives_by_autograd(objective):
    """The objective runs under torch.autograd.functional.hessian, which finds (2/N) ΦᵀΦ for a squared error.

    Of Huber's loss half of it over the rows that are off by less than δ, of the absolute error 0: it has kinks only. Of
    the log loss each row counts ½ p(1 − p).
    """
    features = objective.features.numpy()
    if objective.loss == LOSSES["log"]:
        p = 1 / (1 + np.exp(-features @ points(objective, 1)[0].numpy()))
        features = features * (p * (1 - p) / 2)[:, None] ** 0.5
    elif objective.loss not in SQUARED:
        off = abs((objective.predict(points(objective, 1)[0]) - objective.target).numpy())
        features = features * (off < getattr(objective.loss, "delta", 0))[:, None] / 2**0.5
    matrix = torch.autograd.functional.hessian(objective, points(objective, 1)[0])
    assert isinstance(matrix, torch.Tensor)
    np.testing.assert_allclose(matrix, 2 / len(features) * features.T @ features, rtol=1e-9, atol=1e-10)


@every_objective
def test_some_rows_have_the_loss_of_those_rows(objective):
    """The objective of a mini-batch sees its rows only; None means all."""
    theta = points(objective, 1)[0]
    rows = torch.tensor([0])
    prediction, target = objective.predict(theta)[rows], objective.target[rows]
    off = abs(float(prediction - target))
    expected = {LOSSES["absolute"]: off, LOSSES["huber"]: off**2 / 2 if off < 1 else off - 1 / 2}
    expected[LOSSES["log"]] = np.logaddexp(0, float(prediction)) - float(prediction * target)
    assert float(objective.on(rows)(theta)) == pytest.approx(expected.get(objective.loss, off**2), rel=1e-12)
    assert objective.on(None) is objective


@every_objective
def test_rmse_is_against_the_data_whatever_is_minimised(objective):
    """The root mean squared error is that of matching rows, for one θ or many; of the log loss, of the probability."""
    thetas = points(objective)
    fitted = thetas.numpy() @ objective.features.numpy().T
    if objective.loss == LOSSES["log"]:  # the probability is
        fitted = (1 + np.tanh(fitted / 2)) / 2
    errors = fitted - objective.target.numpy()
    expected = np.sqrt((errors**2).mean(1))
    np.testing.assert_allclose(objective.rmse(thetas), expected, rtol=1e-12)
    assert float(objective.rmse(thetas[0])) == pytest.approx(expected[0], rel=1e-12)


@pytest.mark.parametrize("name", [name for name in DATASETS if name not in LINEAR])
@pytest.mark.parametrize("loss", [name for name in LOSSES if not LOSS_INFO[name].yes_no])
@pytest.mark.parametrize("penalty", [0.0, 0.3])
def test_a_models_own_derivatives_are_autograds(name, loss, penalty):
    """At many θ at once, of all rows and of some: losses and gradients are those of autograd at each."""
    experiment = replace(Experiment.default(name), loss=loss, penalty=penalty)
    objective, generator = build(experiment).objective, torch.Generator().manual_seed(2)
    box = torch.tensor(experiment.info.shown, dtype=torch.float64)
    thetas = box[:, 0] + box.diff()[:, 0] * torch.rand(40, len(box), generator=generator, dtype=torch.float64)
    assert objective.model.vjp(objective.dataset.x, thetas) is not None
    for one in (objective, objective.on(torch.tensor([4])), objective.on(torch.tensor([0, 7, 3]))):
        assert isinstance(one, Objective)
        losses, gradients = one.many_with_gradients(thetas)
        for theta, value, gradient in zip(thetas, losses, gradients, strict=True):
            theirs, slope = value_and_gradient(one, theta)
            assert float(value) == pytest.approx(float(theirs), rel=1e-12)
            np.testing.assert_allclose(gradient, slope, rtol=1e-11, atol=1e-12 * float(1 + slope.norm()))


def test_the_gradient_leaves_theta_alone():
    """θ is not made to require gradients, and the value carries no graph."""
    objective = LinearObjective(MODELS["proportional"](), DATASETS["one-parameter"]())
    theta = torch.tensor([2.0], dtype=torch.float64)
    value, gradient = value_and_gradient(objective, theta)
    assert (value.item(), gradient.tolist()) == (81.0, [54.0])  # (3 + 3·2)² and 18·(2 + 1)
    assert not theta.requires_grad
    assert not value.requires_grad


def test_two_threads_do_not_disturb_each_other():
    """A model without Φ is lent its parameters for a call; another visitor's call at the same moment has its own."""
    objective = build(Experiment.default("tide")).objective
    x = objective.dataset.x.numpy()[:, 0]
    right, usual, together = [], sys.getswitchinterval(), threading.Barrier(3)

    def predict(omega):
        theta = torch.tensor([omega, 0.5], dtype=torch.float64)
        expected = 1.8 * np.sin(omega * x + 0.5)
        together.wait()
        right.append(all(np.allclose(objective.predict(theta), expected, atol=1e-12) for _ in range(400)))

    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=predict, args=(omega,)) for omega in (3.0, 7.0, 11.0)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    finally:
        sys.setswitchinterval(usual)
    assert right == [True] * 3
