"""What is minimised: a loss as a function of one flat vector θ.

Training, Hessian, batched runs and contour lines all use this one function. No ½ stands before the mean.
RMSE, the root of the mean squared error, is what is shown; the loss is what is minimised. Of a scaled target the loss has
no unit any more, and RMSE is told in the data's all the same.
"""

import threading
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import huber_loss, l1_loss, logsigmoid, mse_loss

from gd_core.datasets import Dataset
from gd_core.least_squares import Centred, centred_of, fit
from gd_core.models import LinearInParameters, Model
from gd_core.moments import Moments
from gd_core.penalty import Penalty


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


@dataclass(frozen=True)
class Absolute:
    """Mean absolute error, (1/N) Σᵢ |ŷᵢ − yᵢ|, of two vectors [N]. At a kink its slope is taken as 0, as torch takes it."""

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        return l1_loss(prediction, target)

    def slope(self, prediction: Tensor, target: Tensor) -> Tensor:
        """N ∂L/∂ŷᵢ of each row, [N]: as large close to the bottom as far away."""
        return (prediction - target).sign()


@dataclass(frozen=True)
class Huber:
    """(1/N) Σᵢ of ½ rᵢ² where |rᵢ| ≤ δ, and δ (|rᵢ| − ½ δ) beyond; r = ŷ − y, of two vectors [N]. As torch's `HuberLoss`.

    Up to δ it is half the squared error, so its slope there is half of that of `mse`.

    Attributes:
        delta: δ, in the units of y as it is trained.

    Source:
        Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 35, 1964.
    """

    delta: float = 1.0

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        return huber_loss(prediction, target, delta=self.delta)

    def slope(self, prediction: Tensor, target: Tensor) -> Tensor:
        """See `Absolute.slope`; no row pulls harder than δ."""
        return (prediction - target).clamp(-self.delta, self.delta)


@dataclass(frozen=True)
class Log:
    """Log loss, or binary cross-entropy: −(1/N) Σᵢ of yᵢ ln pᵢ + (1 − yᵢ) ln(1 − pᵢ), of logits zᵢ and y of 0 and 1, both [N].

    pᵢ = σ(zᵢ) = 1/(1 + e^−zᵢ) is the probability of a 1. Worked out from the logit, so that no logarithm of 0 arises, and ln pᵢ
    and ln(1 − pᵢ) each by itself: torch's `BCEWithLogitsLoss` is the same, but subtracts two large numbers at a sure 0.
    """

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        return -(target * logsigmoid(prediction) + (1 - target) * logsigmoid(-prediction)).mean()

    def slope(self, prediction: Tensor, target: Tensor) -> Tensor:
        """See `Absolute.slope`: p − y, so no row pulls harder than 1."""
        return self.probability(prediction) - target

    def probability(self, logit: Tensor) -> Tensor:
        """σ(z), any shape."""
        return logit.sigmoid()


Loss = Callable[[Tensor, Tensor], Tensor]
Robust = Absolute | Huber  # a mean of a convex function of each residual, whose slope is bounded
Convex = Robust | Log  # a mean of a convex function of each row's number
LOSSES: Mapping[str, Loss] = {
    "mse": mse,
    "mse-broadcast": mse_broadcast,
    "absolute": Absolute(),
    "huber": Huber(),
    "log": Log(),
}


def loss_of(name: str, **own: float) -> Loss:
    """A loss with its settings, if it has some of its own."""
    loss = LOSSES[name]
    return replace(loss, **own) if isinstance(loss, Robust) else loss


class Squared(NamedTuple):
    """A loss as a mean squared error: against what, and what it has above that; each by y, [..., B] of one batch or of many."""

    target: Callable[[Tensor], Tensor]  # → [..., B]
    above: Callable[[Tensor], Tensor]  # → [...]


SQUARED: Mapping[Loss, Squared] = {
    mse: Squared(lambda y: y, lambda y: y.new_zeros(y.shape[:-1])),
    # the shape mistake fits the mean of y
    mse_broadcast: Squared(
        lambda y: y.mean(-1, keepdim=True).expand_as(y), lambda y: y.var(-1, correction=0)
    ),
}


_of_thread = threading.local()


def _own(model: Model) -> Model:
    """This thread's copy of a model: it is lent its parameters for a call, and two threads must not lend to the same."""
    copies: WeakKeyDictionary[Model, Model] = _of_thread.__dict__.setdefault("copies", WeakKeyDictionary())
    if (own := copies.get(model)) is None:
        own = copies[model] = deepcopy(model)
    return own


@dataclass(frozen=True, eq=False)
class Objective:
    """θ ↦ loss, for one model on one data set. The model is only asked what it predicts.

    Works under `torch.autograd.functional.hessian` and `torch.vmap`.
    """

    model: Model
    dataset: Dataset
    loss: Loss = mse
    penalty: Penalty | None = None

    def penalised(self, loss: Tensor, theta: Tensor) -> Tensor:
        """A loss of rows with the penalty at θ beside it. [...], [..., P] → [...]."""
        return loss if self.penalty is None else loss + self.penalty(theta)

    @property
    def is_mean_square(self) -> bool:
        """Whether the loss is the mean square whose root is the RMSE."""
        return self.loss is mse and self.penalty is None

    @cached_property
    def target(self) -> Tensor:
        """y as a vector, [N]."""
        return self.dataset.y.squeeze(1)

    def predict(self, theta: Tensor) -> Tensor:
        """What the loss is told of each row by way of the nn.Module, [N], for θ of shape [P]: ŷ, of the log loss a logit."""
        parameters = dict(self.model.named_parameters())
        parts = theta.split([p.numel() for p in parameters.values()])
        values = {name: part.view_as(p) for (name, p), part in zip(parameters.items(), parts, strict=True)}
        return functional_call(_own(self.model), values, self.dataset.x).squeeze(1)

    def shown(self, prediction: Tensor) -> Tensor:
        """ŷ by what the loss is told: the same, of the log loss the probability. Any shape."""
        return self.loss.probability(prediction) if isinstance(self.loss, Log) else prediction

    def __call__(self, theta: Tensor) -> Tensor:
        """The loss at θ of shape [P], a scalar."""
        return self.penalised(self.loss(self.predict(theta), self.target), theta)

    def on(self, rows: Tensor | None) -> Callable[[Tensor], Tensor]:
        """The same loss on some rows only: the objective of a mini-batch, with the whole penalty. None means all rows."""
        return self if rows is None else replace(self, dataset=self.dataset.rows(rows))

    def rmse(self, theta: Tensor) -> Tensor:
        """Root mean squared error in the data's units, whatever loss is minimised and of which. [..., P] → [...]."""
        predictions = torch.vmap(self.predict)(theta.reshape(-1, theta.shape[-1]))
        squares = (self.shown(predictions) - self.target).square().mean(-1)
        return self.dataset.unit * squares.sqrt().reshape(theta.shape[:-1])

    def predict_many(self, theta: Tensor) -> Tensor:
        """The same as `predict` at each of K parameter vectors, [K, P] → [K, N]."""
        if own := self.model.vjp(self.dataset.x, theta):
            return own[0]
        names = [name for name, one in self.model.named_parameters() if not one.dim()]
        if len(names) < theta.shape[1]:
            return torch.vmap(self.predict)(theta)
        # where every parameter is a number, the model's own arithmetic takes K of each at once, in a fraction of vmap's time
        values = {name: theta[:, i, None, None] for i, name in enumerate(names)}
        return functional_call(_own(self.model), values, self.dataset.x).squeeze(2)

    def many(self, theta: Tensor) -> Tensor:
        """The loss at each of K parameter vectors, [K, P] → [K]."""
        losses = torch.vmap(self.loss, (0, None))(self.predict_many(theta), self.target)
        return self.penalised(losses, theta)

    def many_with_gradients(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The same with ∇L there, [K, P] → [K] and [K, P]: by the model's own derivatives, if it gives them, else by autograd."""
        own = self.model.vjp(self.dataset.x, theta)
        if own is None:
            return values_and_gradients(self.many, theta)
        prediction, pull = own
        losses, slope, times = _with_slope(self.loss, prediction, self.target)
        gradients = pull(slope) * (times / len(self.target))
        if self.penalty is None:
            return losses, gradients
        return losses + self.penalty(theta), gradients + self.penalty.slope(theta)

    def hessians(self, theta: Tensor) -> Tensor:
        """Second derivatives at each of K places, [K, P] → [K, P, P]."""
        if self.penalty is not None or self.model.vjp(self.dataset.x, theta[:0]) is None:
            return hessians(self.many, theta)
        theta = theta.detach().requires_grad_()  # a model's own gradient is to be derived only once more
        return _derived(self.many_with_gradients(theta)[1], theta)


def _with_slope(loss: Loss, prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor, float]:
    """A loss of K predictions, and what times a number is N ∂L/∂ŷ of each row; that number. [K, N] → [K] and [K, N]."""
    if isinstance(loss, Convex):
        return torch.vmap(loss, (0, None))(prediction, target), loss.slope(prediction, target), 1.0
    squared = SQUARED[loss]
    away = prediction - squared.target(target)
    return torch.linalg.vecdot(away, away) / len(target) + squared.above(target), away, 2.0


@dataclass(frozen=True, eq=False)
class LinearObjective(Objective):
    """The same of a model ŷ = Φθ. Φ is computed once, and takes the module's place."""

    model: LinearInParameters

    @cached_property
    def features(self) -> Tensor:
        """Φ, [N, P]."""
        return self.model.features(self.dataset.x)

    @cached_property
    def moments(self) -> Moments:
        """What the mean squared error needs to know of the rows, whatever loss is minimised. Φ is made a part at a time."""
        same = self.loss is mse  # else it is another target whose squared error is minimised
        return (self._rows if same else centred_of(self.model, self.dataset.x, self.target)).as_trained

    @cached_property
    def _rows(self) -> Centred:
        return centred_of(self.model, self.dataset.x, SQUARED[self.loss].target(self.target))

    @cached_property
    def centred(self) -> Centred:
        """The rows whose mean squared error is minimised, in coordinates that lose no digit; those of the penalty with them."""
        rows = self._rows
        return rows._replace(moments=self._with_penalty(rows.moments, rows.back))

    @cached_property
    def inverse_hessian(self) -> Tensor:
        """H⁻¹ of the parabola, [P, P]; along a flat direction, where there is none, 0: Moore and Penrose's. Only of a loss in `SQUARED`."""
        root = fit(self.centred).root
        return self.centred.moments.rows / 2 * root @ root.T

    def _with_penalty(self, moments: Moments, back: Tensor | None = None) -> Moments:
        """N λⱼ θⱼ² as the square of one more row for each parameter: an augmented system, without ΦᵀΦ. θ = `back` θ′."""
        if self.penalty is None:
            return moments
        rows = self.penalty.rows(moments.rows)
        return moments.beside(rows if back is None else rows @ back)

    @property
    def least_squares_target(self) -> Tensor:
        """What the loss is a mean squared error against, [N]. Only of a loss in `SQUARED`."""
        return SQUARED[self.loss].target(self.target)

    def target_in_batches(self, rows_per_update: int) -> Tensor:
        """The same where each batch of the rows in order takes its own: the shape mistake fits the batch's mean. [N]."""
        return torch.cat([SQUARED[self.loss].target(some) for some in self.target.split(rows_per_update)])

    @cached_property
    def least_squares(self) -> tuple[Moments, float]:
        """The loss as a mean squared error and a number above it. Only of a loss in `SQUARED`."""
        squared = SQUARED[self.loss]
        same = squared.target(self.target) is self.target
        rows = self.moments if same else self._rows.as_trained
        return self._with_penalty(rows), float(squared.above(self.target))

    def predict(self, theta: Tensor) -> Tensor:
        """ŷ = Φ θ, [N], for θ of shape [P]."""
        return self.features @ theta

    def many(self, theta: Tensor) -> Tensor:
        """See `Objective.many`."""
        return torch.vmap(self)(theta)

    def on(self, rows: Tensor | None) -> Callable[[Tensor], Tensor]:
        """See `Objective.on`."""
        if rows is None:
            return self
        features, target = self.features[rows], self.target[rows]
        return lambda theta: self.penalised(self.loss(features @ theta, target), theta)

    def literal(self, theta: Tensor) -> Tensor:
        """The same loss by way of the nn.Module, as a tutorial would write it; slower, and equal."""
        return self.penalised(self.loss(super().predict(theta), self.target), theta)

    def rmse(self, theta: Tensor) -> Tensor:
        """See `Objective.rmse`."""
        errors = self.shown(theta @ self.features.T) - self.target
        return self.dataset.unit * errors.square().mean(-1).sqrt()


def objective_of(model: Model, dataset: Dataset, loss: Loss, penalty: Penalty | None = None) -> Objective:
    """The loss of a model on a data set; with Φ if the model has one."""
    if isinstance(model, LinearInParameters):
        return LinearObjective(model, dataset, loss, penalty)
    return Objective(model, dataset, loss, penalty)


def as_parabola(objective: Objective) -> LinearObjective | None:
    """The objective, if it is a parabola in θ: a squared error of a model that is linear in it. Else None.

    This is the one place that whatever needs curvature, limits or the optimum asks; `catalog.why_no_parabola` says why not.
    """
    return objective if isinstance(objective, LinearObjective) and objective.loss in SQUARED else None


def in_features(objective: Objective) -> LinearObjective | None:
    """The objective, if its gradient is (1/N) Φᵀ times the slope of each row's loss; else None: the model has no Φ."""
    if isinstance(objective, LinearObjective) and isinstance(objective.loss, Convex):
        return objective
    return as_parabola(objective)


def accuracy(objective: Objective, theta: Tensor) -> Tensor | None:
    """The share of rows whose probability is on the side of their y, [..., P] → [...]; None of a loss without probabilities.

    At exactly ½ a row is on neither side.
    """
    if not isinstance(objective.loss, Log):
        return None
    logits = torch.vmap(objective.predict)(theta.reshape(-1, theta.shape[-1]))
    right = logits * (2 * objective.target - 1) > 0
    return right.to(theta).mean(-1).reshape(theta.shape[:-1])


def value_and_gradient(function: Callable[[Tensor], Tensor], theta: Tensor) -> tuple[Tensor, Tensor]:
    """f(θ) and ∇f(θ) by automatic differentiation. Scalar and [P]."""
    theta = theta.detach().requires_grad_()
    value = function(theta)
    (gradient,) = torch.autograd.grad(value, theta)
    return value.detach(), gradient


def values_and_gradients(many: Callable[[Tensor], Tensor], theta: Tensor) -> tuple[Tensor, Tensor]:
    """The same at each of K places at once, of [K, P] ↦ [K]. [K] and [K, P]."""
    theta = theta.detach().requires_grad_()
    values = many(theta)
    (gradients,) = torch.autograd.grad(values.sum(), theta)
    return values.detach(), gradients


def hessians(many: Callable[[Tensor], Tensor], theta: Tensor) -> Tensor:
    """Second derivatives at each of K places at once, of [K, P] ↦ [K]. [K, P, P]."""
    theta = theta.detach().requires_grad_()
    (gradients,) = torch.autograd.grad(many(theta).sum(), theta, create_graph=True)
    return _derived(gradients, theta)


def _derived(gradients: Tensor, theta: Tensor) -> Tensor:
    """Their derivatives, each place's own, [K, P] by [K, P] → [K, P, P]."""
    columns = [torch.autograd.grad(one, theta, retain_graph=True)[0] for one in gradients.sum(0)]
    matrices = torch.stack(columns, 2)
    return (matrices + matrices.mT) / 2
