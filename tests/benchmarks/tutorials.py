"""The loops of the three tutorials, in our words and with their steps; only their prints are lists here.

They compute in 32 bits, as published. What each printed is what it returns, so a test can hold it against the article.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from gd_core.datasets import Dataset


class Trace(NamedTuple):
    """What a loop printed, and where it ended."""

    losses: list[float]
    parameters: list[float]


def in_32_bits(dataset: Dataset) -> tuple[Tensor, Tensor, Tensor]:
    """x, y and the start as the articles have them."""
    return dataset.x.float(), dataset.y.float().squeeze(1), dataset.start.float()


def noisy_quadratic(dataset: Dataset, learning_rate: float, epochs: int) -> Trace:
    """Awan, 2021: a function of three parameters, `backward`, and the step on `.data`. Its printed RMSE by epoch."""
    x, speed, start = in_32_bits(dataset)
    time = x.squeeze(1)
    params = start.clone().requires_grad_()
    printed = []

    def f(t: Tensor, params: Tensor) -> Tensor:
        a, b, c = params
        return a * (t**2) + (b * t) + c

    def mse(preds: Tensor, targets: Tensor) -> Tensor:
        return ((preds - targets) ** 2).mean()

    for _ in range(epochs):
        preds = f(time, params)
        loss = mse(preds, speed)
        loss.backward()
        params.data -= learning_rate * params.grad.data
        params.grad = None
        printed.append(loss.item() ** 0.5)
    return Trace(printed, params.tolist())


def two_features(dataset: Dataset, learning_rate: float, epochs: int, *, broadcast: bool = True) -> Trace:
    """GeeksforGeeks: `nn.Linear`, `backward`, plain steps, gradients set to zero. Its loss by epoch.

    Args:
        dataset: The plane.
        learning_rate: η.
        epochs: How many.
        broadcast: As published, [N, 1] − [N] is a table [N, N]; otherwise the shapes match.
    """
    x, y, start = in_32_bits(dataset)
    model = nn.Linear(2, 1)
    with torch.no_grad():
        model.weight.copy_(start[:2].unsqueeze(0))
        model.bias.copy_(start[2:])
    target = y if broadcast else y.unsqueeze(1)
    printed = []
    for _ in range(epochs):
        prediction = model(x)
        loss = ((prediction - target) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            for parameter in (model.weight, model.bias):
                parameter -= learning_rate * parameter.grad
                parameter.grad.zero_()
        printed.append(loss.item())
    return Trace(printed, [*model.weight.flatten().tolist(), *model.bias.tolist()])


def one_parameter(start: float, learning_rate: float, epochs: int) -> Trace:
    """Tutorial And Example: the parabola (3 + 3A)² in plain Python, its slope 18 (A + 1) by hand."""
    a, losses = start, []
    for _ in range(epochs):
        losses.append((3 + 3 * a) ** 2)
        a = a - learning_rate * 18 * (a + 1)
    return Trace(losses, [a])
