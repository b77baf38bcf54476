"""A deep network as a function of one flat vector θ.

The loop that trains it is `training.train`, the same as for a parabola.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, relu

from gd_core.lessons.deep_networks.network import Network

ROWS = 64  # N, data points of the curve
ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": relu,
    "gelu": gelu,
}
# Standard deviation of the initial weights, from how many numbers go into a layer and how many come out.
INITIALISATIONS: Mapping[str, Callable[[int, int], float]] = {
    "small": lambda fan_in, fan_out: 0.1,
    "large": lambda fan_in, fan_out: 1.0,
    "xavier": lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out)),  # Glorot and Bengio (2010)
    "he": lambda fan_in, fan_out: math.sqrt(2 / fan_in),  # He et al. (2015)
}


def curve() -> tuple[Tensor, Tensor]:
    """What is fitted: y = sin πx at 64 points of [−1, 1]. Two columns, [N, 1], float64."""
    x = torch.linspace(-1, 1, ROWS, dtype=torch.float64).unsqueeze(1)
    return x, torch.sin(math.pi * x)


def flat_loss() -> float:
    """The loss of the best horizontal line: the variance of y. A network that hears nothing gets no lower."""
    return float(curve()[1].var(correction=0))


class Layer(NamedTuple):
    """What one hidden layer computes for N rows. H is the width."""

    inward: Tensor  # hₗ₋₁, what goes in, [N, H]; [N, 1] for the first
    weight: Tensor  # Wₗ, [H, H]; [H, 1] for the first
    weighed: Tensor  # zₗ = hₗ₋₁ Wₗᵀ + bₗ, [N, H]
    summed: Tensor  # φ(zₗ), and what came around the layer where the network has residual connections, [N, H]
    outward: Tensor  # hₗ, the sum, standardised where the network says so, [N, H]


@dataclass(frozen=True, eq=False)
class Deep:
    """θ ↦ the mean squared error of a deep network on the curve.

    hₗ = φ(hₗ₋₁ Wₗᵀ + bₗ) for l = 1 … L, and ŷ = h_L Wᵀ + b. With `residual`, the layers from the second on add
    their input: hₗ = hₗ₋₁ + φ(…). With `normalise`, each row of hₗ is then brought to mean 0 and deviation 1 (a
    layer norm after the sum, without parameters of its own). No ½ stands before the mean.

    float64: a signal of 1e−45 is nothing in 32 bits, and here it is the result.
    """

    network: Network

    @cached_property
    def data(self) -> tuple[Tensor, Tensor]:
        """x and y, [N, 1] each."""
        return curve()

    @cached_property
    def shapes(self) -> list[tuple[int, ...]]:
        """Of the weight and the bias of every layer in turn; the output layer is the last."""
        ends = [1, *[self.network.width] * self.network.depth, 1]
        return [shape for i, o in pairwise(ends) for shape in ((o, i), (o,))]

    def start(self) -> Tensor:
        """θ₀: normal weights of the initialisation's deviation, and biases of 0, [P]."""
        generator = torch.Generator().manual_seed(self.network.seed)
        deviation = INITIALISATIONS[self.network.initialisation]
        parts = []
        for (out, into), bias in zip(self.shapes[::2], self.shapes[1::2], strict=True):
            normal = torch.randn(out, into, generator=generator, dtype=torch.float64)
            parts += [(normal * deviation(into, out)).flatten(), torch.zeros(bias, dtype=torch.float64)]
        return torch.cat(parts)

    def parts(self, theta: Tensor) -> list[Tensor]:
        """W₁, b₁, W₂, b₂ … of θ, or of its gradient."""
        sizes = [math.prod(shape) for shape in self.shapes]
        return [part.view(shape) for part, shape in zip(theta.split(sizes), self.shapes, strict=True)]

    def layers(self, theta: Tensor, x: Tensor) -> Iterator[Layer]:
        """The hidden layers, from the first to the last."""
        network, phi = self.network, ACTIVATIONS[self.network.activation]
        weights = iter(self.parts(theta))
        h = x
        for number, (w, b) in enumerate(zip(weights, weights, strict=True), 1):
            if number > network.depth:
                return
            z = h @ w.T + b
            s = h + phi(z) if network.residual and number > 1 else phi(z)
            out = layer_norm(s, s.shape[-1:]) if network.normalise else s
            yield Layer(h, w, z, s, out)
            h = out

    def predict(self, theta: Tensor, x: Tensor) -> Tensor:
        """ŷ, [N]."""
        *_, last = self.layers(theta, x)
        *_, w, b = self.parts(theta)
        return (last.outward @ w.T + b).squeeze(1)

    def __call__(self, theta: Tensor) -> Tensor:
        """The loss at θ of shape [P], a scalar."""
        x, y = self.data
        return (self.predict(theta, x) - y.squeeze(1)).square().mean()

    def on(self, rows: Tensor | None) -> Callable[[Tensor], Tensor]:
        """What an update minimises: here always the loss on all rows."""
        return self

    def norms(self, theta: Tensor) -> Tensor:
        """‖Wₗ‖ of every layer, the output layer last, [L + 1]; of a gradient, ‖∂L/∂Wₗ‖. Frobenius norms."""
        return torch.stack([part.norm() for part in self.parts(theta)[::2]])
