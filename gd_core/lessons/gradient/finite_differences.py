"""A slope by finite differences, and why its step size h must be neither too large nor too small.

The forward difference (L(θ + h) − L(θ)) / h is the slope of a chord. It is wrong for two reasons:
- the curve bends between the ends of the chord: ½ h L″, which grows with h;
- a computer keeps 16 digits of each L, and the difference of two nearly equal numbers loses most of them: ε L / h.
The central difference (L(θ + h) − L(θ − h)) / 2h has no error of the first kind on a parabola, and h² L‴ / 6 elsewhere.

Source:
    Press et al., "Numerical Recipes", section 5.7.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from gd_core.objective import Objective, value_and_gradient
from gd_core.words import counted, short

EPSILON = torch.finfo(torch.float64).eps  # ε = 2.2e-16: the next number after 1 is 1 + ε
SMALLEST, LARGEST = 1e-300, 1.0  # step sizes that can be tried
SWEPT = (-16.0, 0.0)  # powers of ten between which step sizes are compared
PER_DECADE = 8
GOOD_WITHIN = 10.0  # times the smallest possible error: a step size that is called good

Loss = Callable[[Tensor], Tensor]


def forward(loss: Loss, theta: Tensor, parameter: int, step: float) -> float:
    """(L(θ + h eⱼ) − L(θ)) / h."""
    return float((loss(theta + step * _axis(theta, parameter)) - loss(theta)) / step)


def central(loss: Loss, theta: Tensor, parameter: int, step: float) -> float:
    """(L(θ + h eⱼ) − L(θ − h eⱼ)) / 2h."""
    axis = _axis(theta, parameter)
    return float((loss(theta + step * axis) - loss(theta - step * axis)) / (2 * step))


DIFFERENCES: Mapping[str, Callable[[Loss, Tensor, int, float], float]] = {
    "forward": forward,
    "central": central,
}


def along_each(loss: Loss, theta: Tensor, step: float, kind: str) -> Tensor:
    """The finite difference for every parameter in turn, at each of K points. [K, P] → [K, P]."""
    difference = DIFFERENCES[kind]
    rows = [[difference(loss, point, j, step) for j in range(len(point))] for point in theta]
    return torch.tensor(rows, dtype=theta.dtype)


class Sweep(NamedTuple):
    """How far the finite difference is from autograd, over the step size.

    Attributes:
        steps: h, [H].
        off: |finite difference − autograd| for each kind, [H].
    """

    steps: Tensor
    off: Mapping[str, Tensor]


def sweep(loss: Loss, theta: Tensor, parameter: int) -> Sweep:
    """Both differences for h from 1e-16 to 1, at the same point and for one parameter."""
    low, high = SWEPT
    steps = 10 ** torch.linspace(low, high, round(PER_DECADE * (high - low)) + 1, dtype=torch.float64)
    exact = float(value_and_gradient(loss, theta)[1][parameter])
    off = {
        kind: torch.tensor(
            [abs(difference(loss, theta, parameter, float(h)) - exact) for h in steps], dtype=steps.dtype
        )
        for kind, difference in DIFFERENCES.items()
    }
    return Sweep(steps, off)


class Trial(NamedTuple):
    """One step size tried for one parameter.

    Attributes:
        kind: "forward" or "central".
        step: h.
        autograd: The slope that is right.
        value: The finite difference.
        moved: Whether θ + h differs from θ, in 16 digits.
        bend: The error that the curve's bend makes: ½ h L″ forward, 0 central.
        rounding: About the error that 16 digits make: ε (L + |θ L′|) / h forward, half of it central. The second
            part is there because θ + h is rounded as well.
    """

    kind: str
    step: float
    autograd: float
    value: float
    moved: bool
    bend: float
    rounding: float

    @property
    def off(self) -> float:
        """|finite difference − autograd|."""
        return abs(self.value - self.autograd)

    @property
    def best_step(self) -> float:
        """Where both errors of the forward difference are equal: √(rounding · h · h / bend)."""
        return self.step * math.sqrt(self.rounding / self.bend)

    @property
    def digits(self) -> int:
        """How many digits are right."""
        if self.autograd == 0:
            return 0
        share = self.off / abs(self.autograd)
        return 16 if share == 0 else 0 if share >= 1 else min(16, math.floor(-math.log10(share)))


def tried(objective: Objective, theta: Tensor, parameter: int, step: float, kind: str, bend: float) -> Trial:
    """Try one step size.

    Args:
        objective: The loss.
        theta: Where, [P].
        parameter: For which.
        step: h.
        kind: "forward" or "central".
        bend: L″ along that parameter, a diagonal element of the Hessian.
    """
    value, gradient = value_and_gradient(objective, theta)
    at, slope = float(theta[parameter]), float(gradient[parameter])
    rounding = EPSILON * (float(value) + abs(at * slope)) / step
    return Trial(
        kind=kind,
        step=step,
        autograd=slope,
        value=DIFFERENCES[kind](objective, theta, parameter, step),
        moved=at + step != at,
        bend=0.5 * step * bend if kind == "forward" else 0.0,
        rounding=rounding if kind == "forward" else rounding / 2,
    )


def said(trial: Trial, name: str) -> str:
    """What became of a step size, and why, in one or two sentences."""
    h = f"h = {short(trial.step)}"
    if not trial.moved:
        return (
            f"{h} is lost: with 16 digits, {name} + h is {name} again. "
            "The difference is 0/h = 0, whatever the slope."
        )
    if trial.value == 0 and trial.off > 0:
        return (
            f"{h} is too small: both losses agree in all 16 digits. The difference is 0, whatever the slope."
        )
    if trial.value == 0 and trial.off == 0:
        return f"{h} is exactly right: the slope is 0, and both losses are equal."
    right = (
        f"{counted(trial.digits, 'digit')} {'is' if trial.digits == 1 else 'are'} right"
        if trial.digits
        else "no digit is right"
    )
    off = f"{h} is off by {short(trial.off)}"
    if trial.kind == "central":
        why = "On a parabola the central difference has no bend error. Only rounding is left, so a larger h is better."
        return f"{off}: {right}. {why}" if trial.off else f"{h} is exactly right here. {why}"
    if trial.off == 0:
        return f"{h} is exactly right here, by chance: bend and rounding cancel."
    if trial.bend > GOOD_WITHIN * trial.rounding and trial.bend / 2 <= trial.off <= 2 * trial.bend:
        return f"{off}: {right}. Too big: the chord ends where the curve has bent away, by ½·h·L″ = {short(trial.bend)}."
    # Where all rows are met, more is rounded than L.
    if max(trial.rounding, trial.off) > GOOD_WITHIN * trial.bend:
        return f"{off}: {right}. Too small: two nearly equal losses are subtracted, and the digits they share are lost."
    return f"{off}: {right}. About the best for a forward difference: bend and rounding are of one size."


def _axis(theta: Tensor, parameter: int) -> Tensor:
    axis = torch.zeros_like(theta)
    axis[parameter] = 1.0
    return axis
