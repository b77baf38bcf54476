"""The whole path of a run without its loop: powers along the eigenvectors of the loss.

With Φ = U S Vᵀ the squared error is a sum of parabolas, one along each column of V. Along column i, with the curvature
λ = 2s²/N, one epoch turns the error e and the velocity into a multiple of themselves. So θₖ is known for all k at once: for
gradient descent eₖ = (1 − ηλ)ᵏ e₀, for momentum and Nesterov from the powers of a matrix of three rows. What an epoch costs
does not depend on the number of rows, since all that is asked of them are their `Moments`.

Nothing is divided by λ, so that flat and nearly flat directions need no care: where the loop would creep, so does this.
Under a schedule the matrix of an epoch is another each time, and a product of them takes the place of a power. Powers come from doubling, x₀ … xₙ₋₁ ↦ x₀ … x₂ₙ₋₁ by one product with Mⁿ, which a matrix without two eigenvectors, as that
of momentum at the fastest rate, does not disturb.

Sources:
    Goh, "Why Momentum Really Works", Distill 2017. Golub and Van Loan, "Matrix Computations", section 11.2, for powers.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gd_core.moments import Moments
from gd_core.settings.experiment_fields import Phase
from gd_core.settings.rules import linear_step
from gd_core.settings.schedules import rate_of

EPOCHS_AT_ONCE = 4096  # in one product: they stay in the processor's cache
HALF_A_DIGIT = 2.0**-53  # of a number's last: what rounding takes from it or adds to it


class Stretch(NamedTuple):
    """Some epochs of a path, one after another. K of them."""

    theta: Tensor  # [K, P]
    loss: Tensor  # [K]
    gradient: Tensor  # [K, P]


def path(moments: Moments, start: Tensor, phases: Sequence[Phase], more: float = 0.0) -> Iterator[Stretch]:
    """θ, loss and gradient at the start and after each epoch of each phase, as the loop has them.

    It goes on when the path diverges, through ∞ to NaN, without a warning and no slower: the caller stops it.

    Args:
        moments: Of the rows whose mean squared error is minimised.
        start: θ₀, [P].
        phases: Rules, rates and epochs, one after another; each begins without velocity.
        more: What the loss has above that mean square.
    """
    count = moments.rows
    left, sizes, right = moments.directions()
    target = moments.target.numpy()
    rest = target - left @ (left.T @ target)
    floor = more + rest @ rest / count
    theta = start.numpy()

    def error_at(theta: np.ndarray) -> np.ndarray:  # along each column of U, as the loss sees it: s e, [P]
        return sizes * (right @ theta) - left.T @ target

    def stretch(powers: np.ndarray) -> Stretch:  # [P, 3, K]
        with np.errstate(over="ignore", invalid="ignore"):
            errors = error * powers[:, 0].T
            moved = slope * powers[:, 2].T
            found = (
                theta - moved @ right,
                floor + (errors**2).sum(1) / count,
                (2 / count * sizes * errors) @ right,
            )
        return Stretch(*map(torch.from_numpy, found))

    error, slope = error_at(theta), np.zeros_like(theta)
    yield stretch(_still(len(sizes)))
    for phase in phases:
        slope = 2 / count * sizes * error  # along each column of V
        if np.array_equal(theta - phase.learning_rate * slope @ right, theta):
            # A step that changes no digit of θ is none: the loop stays here for good.
            error = np.zeros_like(error)
        else:  # with the rounding of θ, which a rate above the limit makes grow, as it does in the loop
            error, least = error_at(theta), HALF_A_DIGIT * sizes * (abs(right) @ abs(theta))
            error = np.where(abs(error) < least, np.copysign(least, error), error)
        slope = 2 / count * sizes * error
        # Who has arrived stays, whatever overflows.
        curvatures = np.where(error == 0, 0.0, 2 / count * sizes**2)
        done = 0
        for powers in _multiples(phase, curvatures):
            some = powers[..., : phase.epochs - done]
            yield stretch(some)
            done += some.shape[-1]
            if done == phase.epochs:
                with np.errstate(over="ignore", invalid="ignore"):
                    theta, error = theta - (slope * some[:, 2, -1]) @ right, error * some[:, 0, -1]
                break


def _still(parameters: int) -> np.ndarray:
    """The state before the first epoch, [P, 3, 1]: all of the error is left, no velocity, nothing moved."""
    return np.tile([[1.0], [0.0], [0.0]], (parameters, 1, 1))


def _multiples(phase: Phase, curvatures: np.ndarray) -> Iterator[np.ndarray]:
    """The state after each epoch of a phase, forever: some at a time, at most EPOCHS_AT_ONCE. Each [P, 3, K]."""
    rate, state, done = rate_of(phase, 1), _still(len(curvatures)), 0
    if not callable(rate):
        yield from _powers(_epochs(phase, curvatures, np.array([rate]))[0])
        return
    while True:
        rates = np.array([rate(k) for k in range(done, done + EPOCHS_AT_ONCE)])
        states = np.empty((len(curvatures), 3, EPOCHS_AT_ONCE))
        with np.errstate(over="ignore", invalid="ignore"):
            for k, matrix in enumerate(_epochs(phase, curvatures, rates)):
                state = matrix @ state
                states[..., k] = state[..., 0]
        yield states
        done += EPOCHS_AT_ONCE


def _epochs(phase: Phase, curvatures: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Epochs at K rates along each eigenvector as matrices [K, P, 3, 3], on (error, velocity, way).

    The error is a share of the first, and so is the velocity, of the first slope: v ← β v + e, a step s = a e + b v, then
    e ← e − ηλ s and way ← way + η s.

    Raises:
        ValueError: If the rule is not linear in the gradient.
    """
    linear = linear_step(phase)
    if linear is None:
        raise ValueError(f"optimizer must be linear in the gradient. Got {phase.optimizer}.")
    error = np.array([1.0, 0.0, 0.0])
    velocity = np.array([1.0, linear.beta, 0.0])
    step = linear.on_gradient * error + linear.on_velocity * velocity
    matrix = np.zeros((len(rates), len(curvatures), 3, 3))
    matrix[..., 0, :] = error - (rates[:, None] * curvatures)[..., None] * step
    matrix[..., 1, :] = velocity
    matrix[..., 2, :] = np.array([0.0, 0.0, 1.0]) + rates[:, None, None] * step
    return matrix


def _powers(matrix: np.ndarray) -> Iterator[np.ndarray]:
    """M x, M² x, M³ x … for x at rest, forever: some at a time, at most EPOCHS_AT_ONCE. Each [P, 3, K]."""
    with np.errstate(over="ignore", invalid="ignore"):
        states, power = matrix @ _still(len(matrix)), matrix
        while states.shape[-1] < EPOCHS_AT_ONCE:
            states, power = np.concatenate([states, power @ states], -1), power @ power
    while True:
        yield states
        with np.errstate(over="ignore", invalid="ignore"):
            states = power @ states
