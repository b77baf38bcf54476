"""What people use instead: torch.optim, scikit-learn, NumPy by hand. Each keeps its loss of every epoch, if it has one."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call, grad, vmap
from torch.nn.functional import mse_loss

from tutorials import Trace

Array = NDArray[np.float64]
WAYS: Mapping[str, Mapping[str, bool]] = {
    "plain": {"foreach": False},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
}


def torch_optim(
    features: Tensor, target: Tensor, start: Tensor, make: Callable[..., torch.optim.Optimizer], epochs: int
) -> Trace:
    """The usual five lines around an optimiser of torch."""
    theta = start.clone().requires_grad_()
    optimizer = make([theta])
    losses = []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = mse_loss(features @ theta, target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return Trace(losses, theta.tolist())


def optimizers(name: str, learning_rate: float, **settings: Any) -> dict[str, Callable[..., Any]]:
    """An optimiser of torch in its three ways, by the name that a report gives each."""
    kind = getattr(torch.optim, name)
    return {
        f"torch.optim.{name}, {way}": partial(kind, lr=learning_rate, **settings, **flags)
        for way, flags in WAYS.items()
    }


def numpy_by_hand(features: Array, target: Array, start: Array, learning_rate: float, epochs: int) -> Trace:
    """Gradient descent with the gradient (2/N) Φᵀ(Φθ − y) written out."""
    theta, losses = start.copy(), []
    for _ in range(epochs):
        error = features @ theta - target
        losses.append(float(error @ error) / len(error))
        theta -= learning_rate * 2 / len(error) * (features.T @ error)
    return Trace(losses, theta.tolist())


def many_starts(
    model: torch.nn.Module, x: Tensor, y: Tensor, theta: Tensor, learning_rate: float, epochs: int
) -> Tensor:
    """Gradient descent from each of K starts at once, [K, P], as PyTorch's documentation does it for per-sample gradients."""
    shapes = {name: one.shape for name, one in model.named_parameters()}

    def loss(one: Tensor) -> Tensor:
        parts = one.split([shape.numel() for shape in shapes.values()])
        given = {name: part.reshape(shape) for part, (name, shape) in zip(parts, shapes.items(), strict=True)}
        return mse_loss(functional_call(model, given, x), y)

    step = vmap(grad(loss))
    for _ in range(epochs):
        theta = theta - learning_rate * step(theta)
    return theta


def sgd_regressor(x: Array, y: Array, start: Array, learning_rate: float, epochs: int) -> Trace:
    """scikit-learn's stochastic gradient descent, a row at a time in the order of the rows, at a constant rate.

    Its loss is ½(ŷ − y)², ours has no ½: hence twice the rate. It keeps no losses.
    """
    from sklearn.linear_model import SGDRegressor  # a second to load, which the other peers do without

    model = SGDRegressor(
        penalty=None,
        learning_rate="constant",
        eta0=2 * learning_rate,
        max_iter=epochs,
        tol=None,
        shuffle=False,
    )
    model.fit(x, y, coef_init=start[:-1].copy(), intercept_init=start[-1:].copy())
    return Trace([], [*model.coef_.tolist(), *np.ravel(np.asarray(model.intercept_)).tolist()])


def linear_regression(x: Array, y: Array) -> Trace:
    """scikit-learn's optimum, by a decomposition of the rows."""
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit(x, y)
    return Trace([], [*model.coef_.tolist(), float(model.intercept_)])
