"""What is minimised: a loss as a function of one flat vector θ.

Training, Hessian, batched runs and contour lines all use this one function. No ½ stands before the mean.
RMSE, the root of the mean squared error, is what is shown; the loss is what is minimised.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import mse_loss

from gd_core.datasets import Dataset
from gd_core.models import LinearInParameters
from gd_core.moments import ROWS_AT_ONCE, Moments


def mse(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean squared error, (1/N) Σᵢ (ŷᵢ − yᵢ)², of two vectors [N]."""
    return mse_loss(prediction, target)


def mse_broadcast(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean of the N × N table (ŷᵢ − yⱼ)²: what an article computed by subtracting [N] from [N, 1].

    It equals var(ŷ) + var(y) + (mean ŷ − mean y)², which needs no table; a test says so. Its minimum is a
    constant prediction, the mean of y: the data's slope is lost.

    Source:
        "Gradient Descent Algorithm in Machine Learning", GeeksforGeeks.
    """
    spread = prediction.var(correction=0) + target.var(correction=0)
    return spread + (prediction.mean() - target.mean()) ** 2


LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {"mse": mse, "mse-broadcast": mse_broadcast}


@dataclass(frozen=True, eq=False)
class Objective:
    """θ ↦ loss, for one model on one data set.

    Works under `torch.autograd.functional.hessian` and `torch.vmap`.
    """

    model: LinearInParameters
    dataset: Dataset
    loss: Callable[[Tensor, Tensor], Tensor] = mse

    @cached_property
    def features(self) -> Tensor:
        """Φ, [N, P]."""
        return self.model.features(self.dataset.x)

    @cached_property
    def target(self) -> Tensor:
        """y as a vector, [N]."""
        return self.dataset.y.squeeze(1)

    @cached_property
    def moments(self) -> Moments:
        """What the mean squared error needs to know of the rows, whatever loss is minimised. Φ is made a part at a time."""
        return self._moments(self.target)

    @cached_property
    def least_squares(self) -> tuple[Moments, float]:
        """The loss as a mean squared error and a number above it. The shape mistake is that of fitting the mean of y."""
        if self.loss is mse_broadcast:
            constant = self.target.mean().expand_as(self.target)
            return self._moments(constant), float(self.target.var(correction=0))
        return self.moments, 0.0

    def _moments(self, target: Tensor) -> Moments:
        parts = zip(self.dataset.x.split(ROWS_AT_ONCE), target.split(ROWS_AT_ONCE), strict=True)
        return Moments.of_parts(((self.model.features(x), y) for x, y in parts), len(self.dataset.start))

    def predict(self, theta: Tensor) -> Tensor:
        """ŷ = Φ θ, [N], for θ of shape [P]."""
        return self.features @ theta

    def __call__(self, theta: Tensor) -> Tensor:
        """The loss at θ of shape [P], a scalar."""
        return self.loss(self.predict(theta), self.target)

    def on(self, rows: Tensor | None) -> Callable[[Tensor], Tensor]:
        """The same loss on some rows only: the objective of a mini-batch. None means all rows."""
        if rows is None:
            return self
        features, target = self.features[rows], self.target[rows]
        return lambda theta: self.loss(features @ theta, target)

    def literal(self, theta: Tensor) -> Tensor:
        """The same loss by way of the nn.Module, as a tutorial would write it; slower, and equal."""
        parameters = dict(self.model.named_parameters())
        parts = theta.split([p.numel() for p in parameters.values()])
        values = {name: part.view_as(p) for (name, p), part in zip(parameters.items(), parts, strict=True)}
        return self.loss(functional_call(self.model, values, self.dataset.x).squeeze(1), self.target)

    def rmse(self, theta: Tensor) -> Tensor:
        """Root mean squared error against the data, whatever loss is minimised. [..., P] → [...]."""
        return (theta @ self.features.T - self.target).square().mean(-1).sqrt()

    def many(self, theta: Tensor) -> Tensor:
        """The loss at each of K parameter vectors, [K, P] → [K]."""
        return torch.vmap(self)(theta)


def value_and_gradient(function: Callable[[Tensor], Tensor], theta: Tensor) -> tuple[Tensor, Tensor]:
    """f(θ) and ∇f(θ) by automatic differentiation. Scalar and [P]."""
    theta = theta.detach().requires_grad_()
    value = function(theta)
    (gradient,) = torch.autograd.grad(value, theta)
    return value.detach(), gradient
