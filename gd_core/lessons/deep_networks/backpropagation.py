"""The way that the error's signal takes back through a deep network, factor by factor."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gd_core.lessons.deep_networks.model import Deep


class Backpropagated(NamedTuple):
    """How the gradient of layer 1 comes to its size beside that of layer L, at one θ.

    The signal of layer l is ∂L/∂zₗ. One step back, from layer l to l − 1, multiplies its norm by the four factors
    below, exactly; without a shortcut or a standardisation theirs is 1. And ‖∂L/∂W₁‖ / ‖∂L/∂W_L‖ is the product of
    all steps times `inputs`. Every tensor has one value a step, from layer 2 → 1 to layer L → L − 1, [L − 1].

    Attributes:
        weights: ‖(∂L/∂zₗ) Wₗ‖ / ‖∂L/∂zₗ‖.
        shortcut: What the signal that goes around the layer makes of this.
        standardised: Backwards through the standardisation.
        slopes: Times φ′, element by element; for the sigmoid at most ¼.
        inputs: ‖∂L/∂Wₗ‖ / ‖∂L/∂zₗ‖ of layer 1 over that of layer L: the gradient is the signal times the input.
        forward: ‖hₗ‖ / ‖hₗ₋₁‖, what layer l does to the numbers on their way to the output; not one of the factors.
    """

    weights: Tensor
    shortcut: Tensor
    standardised: Tensor
    slopes: Tensor
    inputs: float
    forward: Tensor

    @property
    def steps(self) -> Tensor:
        """By how much each step back multiplies the signal, [L − 1]."""
        return self.weights * self.shortcut * self.slopes * self.standardised

    @property
    def share(self) -> float:
        """‖∂L/∂W₁‖ / ‖∂L/∂W_L‖."""
        return float(self.steps.prod()) * self.inputs


def backpropagated(deep: Deep, theta: Tensor) -> Backpropagated:
    """Follow the signal from the last hidden layer to the first, with autograd."""
    theta = theta.detach().requires_grad_()
    x, y = deep.data
    layers = list(deep.layers(theta, x))
    *_, w, b = deep.parts(theta)
    loss = ((layers[-1].outward @ w.T + b) - y).square().mean()

    at = [[getattr(layer, place) for layer in layers] for place in ("weighed", "summed", "outward")]
    gradients = torch.autograd.grad(loss, [theta, *at[0], *at[1], *at[2]])
    depth = len(layers)
    signal, at_sum, at_output = (gradients[1 + i * depth : 1 + (i + 1) * depth] for i in range(3))
    through = [one @ layer.weight for one, layer in zip(signal, layers, strict=True)]  # the signal times Wₗ
    own, summed, output, weighed = map(_norms, (signal, at_sum, at_output, through))
    inward, outward = (_norms([getattr(layer, way) for layer in layers]) for way in ("inward", "outward"))
    first, last = (deep.norms(gradients[0])[:-1] / own)[[0, -1]]
    return Backpropagated(
        weights=weighed[1:] / own[1:],
        shortcut=output[:-1] / weighed[1:],
        standardised=summed[:-1] / output[:-1],
        slopes=own[:-1] / summed[:-1],
        inputs=float(first / last),
        forward=(outward / inward)[1:],
    )


def _norms(tensors: Sequence[Tensor]) -> Tensor:
    return torch.stack([tensor.detach().norm() for tensor in tensors])
