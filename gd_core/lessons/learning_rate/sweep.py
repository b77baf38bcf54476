"""Many learning rates at once: the loss that each of K rates leaves, without K runs one after another.

For a rule that is linear in the gradient a closed form is enough, as the loss is a parabola: along eigenvector i the
error after n epochs is a number times its first value (`theory.gaps`). The other rules have no closed form; their K
parameter vectors take each update together, on the parabola itself: H (θ − θ*) is its gradient, whatever the number of rows.
Under a schedule every rate is the η of which its epochs have their shares. A run may then pass the bound on its way and come
back, so each epoch is looked at.
"""

import math
from collections.abc import Iterator
from functools import partial
from itertools import count, islice

import torch
from torch import Tensor

from gd_core.objective import Objective
from gd_core.problem import rule_of_phase
from gd_core.settings.experiment_fields import Phase
from gd_core.settings.rules import LinearStep, decay_of, felt, linear_step
from gd_core.settings.schedules import at_constant_rate, is_constant, share_of
from gd_core.theory import Curvature, curvature_of, gaps
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
        phase: The update rule, its settings and its schedule; its own rate is not looked at.
        learning_rates: η, [K]; with a schedule the largest rate of each run.
        epochs: How many, at least 0.
        curvature: The parabola of `objective`, if it has been measured already.
    """
    if linear_step(phase) is None or not is_constant(phase):
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
    curvature, step = curvature or curvature_of(objective), linear_step(phase)
    follow = _of_updates if step is None else partial(_of_errors, step)
    bound = _bound(objective, start)
    worst = torch.zeros(len(learning_rates), dtype=torch.float64)  # so far; it keeps a NaN
    for losses in follow(curvature, start, phase, learning_rates):
        worst = worst.maximum(losses)
        yield torch.where(worst <= bound, losses, math.inf)


def _of_errors(
    step: LinearStep, curvature: Curvature, start: Tensor, phase: Phase, learning_rates: Tensor
) -> Iterator[Tensor]:
    """Error and velocity along each eigenvector, one epoch after another."""
    (beta, a, b), share = step, share_of(phase)
    error = curvature.along(start).expand(len(learning_rates), -1)  # [K, P]
    steep = learning_rates[:, None] * felt(phase, curvature.eigenvalues)  # [K, P]
    velocity, half = torch.zeros_like(error), 0.5 * curvature.eigenvalues
    now, kept = math.nan, steep
    for epoch in count():
        yield curvature.floor_loss + error.square() @ half
        if beta == 0:
            if share(epoch) != now:
                now = share(epoch)
                kept = 1 - (now * (a + b)) * steep
            error = kept * error
        else:
            slope = steep * error
            velocity = beta * velocity + slope
            error = error - share(epoch) * (a * slope + b * velocity)


def _of_updates(
    curvature: Curvature, start: Tensor, phase: Phase, learning_rates: Tensor
) -> Iterator[Tensor]:
    """The rule itself on K parameter vectors together.

    A rule without a limit takes the rate last, θ ← (1 − ηλ) θ − η u with u free of η and λ its weight decay. So one update with
    η = 1 from 0 is −u, and each vector takes its own multiple of it.
    """
    rule, share = rule_of_phase(at_constant_rate(phase, 1.0)), share_of(phase)
    theta = start.repeat(len(learning_rates), 1)  # [K, P]
    state = rule.initial(theta)
    origin, decay = torch.zeros_like(theta), decay_of(phase)
    for epoch in count():
        away = theta - curvature.optimum
        gradient = away @ curvature.hessian
        yield curvature.floor_loss + 0.5 * torch.linalg.vecdot(away, gradient)
        step, state = rule.update(origin, gradient, state)
        rates = share(epoch) * learning_rates[:, None]
        theta = ((1 - rates * decay) * theta).addcmul(rates, step)


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
