"""Many learning rates at once: the loss that each of K rates leaves, without K runs one after another.

For a rule that is linear in the gradient a closed form is enough, as the loss is a parabola: along eigenvector i the
error after n epochs is a number times its first value (`theory.gaps`). The other rules have no closed form; their K
parameter vectors take each update together, on the parabola itself: H (θ − θ*) is its gradient, whatever the number of rows.
"""

import math
from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor

from gd_core.objective import Objective
from gd_core.problem import rule_of_phase
from gd_core.settings.experiment_fields import Phase
from gd_core.settings.rules import decay_of, is_plain, linear_step
from gd_core.theory import Curvature, curvature_of, gaps, step_matrix
from gd_core.training import diverged_above

TRIED = 240  # rates of a sweep


def sweep(
    objective: Objective,
    start: Tensor,
    phase: Phase,
    learning_rates: Tensor,
    epochs: int,
    *,
    curvature: Curvature | None = None,
) -> Tensor:
    """The loss after so many epochs of full batches, for each of K rates. [K].

    A rate that diverges has the loss ∞: a run ends where its loss passes 10⁶ × max(1, first loss), and so does this.

    Args:
        objective: θ ↦ loss.
        start: θ₀, [P], the same for all.
        phase: The update rule and its settings; its own rate is not looked at.
        learning_rates: η, [K].
        epochs: How many, at least 0.
        curvature: The parabola of `objective`, if it has been measured already.
    """
    if linear_step(phase) is None:
        return next(islice(paths(objective, start, phase, learning_rates, curvature=curvature), epochs, None))
    curvature = curvature or curvature_of(objective)
    losses = curvature.floor_loss + gaps(curvature, phase, start, learning_rates, epochs)
    return torch.where(losses <= _bound(objective, start), losses, math.inf)  # also what is ∞ − ∞ on the way


def paths(
    objective: Objective,
    start: Tensor,
    phase: Phase,
    learning_rates: Tensor,
    *,
    curvature: Curvature | None = None,
) -> Iterator[Tensor]:
    """The losses of all K rates, epoch after epoch, forever. Each [K]; the first is that of the start.

    A rate that has diverged stays at ∞, as its run has ended there. See `sweep` for the arguments.
    """
    follow = _of_updates if linear_step(phase) is None else _of_errors
    bound = _bound(objective, start)
    worst = torch.zeros(len(learning_rates), dtype=torch.float64)  # so far; it keeps a NaN
    for losses in follow(curvature or curvature_of(objective), start, phase, learning_rates):
        worst = worst.maximum(losses)
        yield torch.where(worst <= bound, losses, math.inf)


def _of_errors(curvature: Curvature, start: Tensor, phase: Phase, learning_rates: Tensor) -> Iterator[Tensor]:
    """Error and velocity along each eigenvector, one epoch after another."""
    error = curvature.along(start).expand(len(learning_rates), -1)  # [K, P]
    state = torch.stack([error, torch.zeros_like(error)], -1).unsqueeze(-1)  # [K, P, 2, 1]
    matrix = step_matrix(phase, learning_rates[:, None], curvature.eigenvalues)  # [K, P, 2, 2]
    plain = 1 - learning_rates[:, None] * curvature.eigenvalues if is_plain(phase) else None
    while True:
        yield curvature.floor_loss + (0.5 * curvature.eigenvalues * error**2).sum(-1)
        if plain is not None:
            error = plain * error
        else:
            state = matrix @ state
            error = state[..., 0, 0]


def _of_updates(
    curvature: Curvature, start: Tensor, phase: Phase, learning_rates: Tensor
) -> Iterator[Tensor]:
    """The rule itself on K parameter vectors together.

    A rule without a limit takes the rate last, θ ← (1 − ηλ) θ − η u with u free of η and λ its weight decay. So one update with
    η = 1 from 0 is −u, and each vector takes its own multiple of it.
    """
    rule = rule_of_phase(phase._replace(learning_rate=1.0))
    theta = start.repeat(len(learning_rates), 1)  # [K, P]
    state = rule.initial(theta)
    origin, rates = torch.zeros_like(theta), learning_rates[:, None]
    kept = 1 - rates * decay_of(phase)
    while True:
        away = theta - curvature.optimum
        gradient = away @ curvature.hessian
        yield curvature.floor_loss + 0.5 * torch.linalg.vecdot(away, gradient)
        step, state = rule.update(origin, gradient, state)
        theta = (kept * theta).addcmul(rates, step)


def rates_between(low: float, high: float, *, count: int = TRIED, around: float | None = None) -> Tensor:
    """Rates in equal ratios from `low` to `high`, both included, and more of them `around` a limit. Sorted, [K].

    Between 0.9 and 1.05 of the limit a rate of equal ratios would jump over the rise.
    """
    rates = torch.logspace(math.log10(low), math.log10(high), count, dtype=torch.float64)
    rates[0], rates[-1] = low, high
    if around is not None:
        near = around * torch.linspace(0.9, 1.05, 61, dtype=torch.float64)
        rates = torch.cat([rates, near[(near > low) & (near < high)]])
    return rates.unique()


def _bound(objective: Objective, start: Tensor) -> float:
    """The loss above which a run has diverged."""
    return diverged_above(float(objective(start)))
