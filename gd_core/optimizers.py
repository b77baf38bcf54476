"""The update rules: how a gradient becomes a step.

Each rule is a pure function (θ, ∇L, state) → (θ, state) and the state it starts with. The conventions are those
of `torch.optim`, which the tests hold as the oracle: the velocity is a plain sum of gradients (no dampening), ε
stands outside the root. The operations of the adaptive rules stand in torch's order on purpose: near an optimum
they divide two tiny numbers, and another order drifts by 1e-3 within 200 updates.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any, NamedTuple

import torch
from torch import Tensor

State = dict[str, Any]
Rate = float | Callable[[int], float]  # η, or the η of update k = 0, 1, 2 …


class UpdateRule(NamedTuple):
    """A rule with its settings inside.

    Attributes:
        initial: θ₀ [P] ↦ the state before the first update.
        update: (θ, ∇L, state) ↦ (next θ, next state).
    """

    initial: Callable[[Tensor], State]
    update: Callable[[Tensor, Tensor, State], tuple[Tensor, State]]


def gradient_descent(learning_rate: float) -> UpdateRule:
    """θ ← θ − η ∇L."""

    def update(theta: Tensor, gradient: Tensor, state: State) -> tuple[Tensor, State]:
        return theta - learning_rate * gradient, state

    return UpdateRule(lambda theta: {}, update)


def momentum(learning_rate: float, *, momentum: float = 0.9) -> UpdateRule:
    """v ← β v + ∇L, θ ← θ − η v. Polyak's heavy ball (1964)."""

    def update(theta: Tensor, gradient: Tensor, state: State) -> tuple[Tensor, State]:
        v = momentum * state["v"] + gradient
        return theta - learning_rate * v, {"v": v}

    return UpdateRule(lambda theta: {"v": torch.zeros_like(theta)}, update)


def nesterov(learning_rate: float, *, momentum: float = 0.9) -> UpdateRule:
    """v ← β v + ∇L, θ ← θ − η (∇L + β v). Nesterov (1983), in the form of Sutskever et al. (2013)."""

    def update(theta: Tensor, gradient: Tensor, state: State) -> tuple[Tensor, State]:
        v = momentum * state["v"] + gradient
        return theta - learning_rate * (gradient + momentum * v), {"v": v}

    return UpdateRule(lambda theta: {"v": torch.zeros_like(theta)}, update)


def adagrad(learning_rate: float, *, epsilon: float = 1e-10) -> UpdateRule:
    """s ← s + (∇L)², θ ← θ − η ∇L / (√s + ε). Duchi, Hazan and Singer (2011)."""

    def update(theta: Tensor, gradient: Tensor, state: State) -> tuple[Tensor, State]:
        s = state["s"].addcmul(gradient, gradient)
        return theta.addcdiv(gradient, s.sqrt() + epsilon, value=-learning_rate), {"s": s}

    return UpdateRule(lambda theta: {"s": torch.zeros_like(theta)}, update)


def rmsprop(learning_rate: float, *, alpha: float = 0.99, epsilon: float = 1e-8) -> UpdateRule:
    """s ← α s + (1 − α)(∇L)², θ ← θ − η ∇L / (√s + ε). Tieleman and Hinton (2012)."""

    def update(theta: Tensor, gradient: Tensor, state: State) -> tuple[Tensor, State]:
        s = (alpha * state["s"]).addcmul(gradient, gradient, value=1 - alpha)
        return theta.addcdiv(gradient, s.sqrt() + epsilon, value=-learning_rate), {"s": s}

    return UpdateRule(lambda theta: {"s": torch.zeros_like(theta)}, update)


def adam(
    learning_rate: float, *, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
) -> UpdateRule:
    """m ← β₁ m + (1 − β₁)∇L, s ← β₂ s + (1 − β₂)(∇L)², θ ← θ − η m̂ / (√ŝ + ε). Kingma and Ba (2015).

    The hats correct for the cold start: m̂ = m / (1 − β₁ᵏ), ŝ = s / (1 − β₂ᵏ) at update k.
    """

    def update(theta: Tensor, gradient: Tensor, state: State) -> tuple[Tensor, State]:
        k = state["k"] + 1
        m = state["m"].lerp(gradient, 1 - beta1)
        s = (beta2 * state["s"]).addcmul(gradient, gradient, value=1 - beta2)
        root = s.sqrt() / (1 - beta2**k) ** 0.5 + epsilon
        theta = theta.addcdiv(m, root, value=-learning_rate / (1 - beta1**k))
        return theta, {"k": k, "m": m, "s": s}

    return UpdateRule(
        lambda theta: {"k": 0, "m": torch.zeros_like(theta), "s": torch.zeros_like(theta)}, update
    )


def adamw(
    learning_rate: float,
    *,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    weight_decay: float = 0.01,
) -> UpdateRule:
    """θ ← (1 − η λ) θ, then a step of Adam. Loshchilov and Hutter (2019).

    The decay is decoupled: no part of the gradient, so it is not divided by √ŝ as that of a penalty λ‖θ‖² is. As torch has it,
    every parameter decays, an intercept too.
    """
    step = adam(learning_rate, beta1=beta1, beta2=beta2, epsilon=epsilon)

    def update(theta: Tensor, gradient: Tensor, state: State) -> tuple[Tensor, State]:
        return step.update(theta * (1 - learning_rate * weight_decay), gradient, state)

    return UpdateRule(step.initial, update)


def newton(learning_rate: float, *, inverse: Tensor) -> UpdateRule:
    """θ ← θ − η H⁻¹∇L, with H⁻¹ [P, P] of all rows. On a parabola the error is multiplied by 1 − η, whatever the direction.

    Source: Boyd and Vandenberghe, "Convex Optimization", 2004, section 9.5.
    """

    def update(theta: Tensor, gradient: Tensor, state: State) -> tuple[Tensor, State]:
        return theta - learning_rate * (inverse @ gradient), state

    return UpdateRule(lambda theta: {}, update)


OPTIMIZERS: Mapping[str, Callable[..., UpdateRule]] = {
    "gradient-descent": gradient_descent,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adamw,
    "newton": newton,
}


def at_rate(rule: Callable[[float], UpdateRule], rate: Rate) -> UpdateRule:
    """A rule at a rate that may change with the number of the update: the same memory, at another η every time."""
    if not callable(rate):
        return rule(rate)

    def update(theta: Tensor, gradient: Tensor, state: State) -> tuple[Tensor, State]:
        k, own = state["update"], state["own"]
        theta, own = rule(rate(k)).update(theta, gradient, own)
        return theta, {"update": k + 1, "own": own}

    return UpdateRule(lambda theta: {"update": 0, "own": rule(rate(0)).initial(theta)}, update)


def in_turn(*rules: tuple[int, UpdateRule]) -> UpdateRule:
    """One rule after another, each for so many updates; the last goes on. Every rule starts with fresh state.

    This is how a run is continued with another rate or rule.
    """
    # The update at which the next rule takes over.
    ends = list(accumulate(updates for updates, _ in rules))[:-1]

    def initial(theta: Tensor) -> State:
        return {"update": 0, "own": rules[0][1].initial(theta)}

    def update(theta: Tensor, gradient: Tensor, state: State) -> tuple[Tensor, State]:
        k, own = state["update"], state["own"]
        turn = bisect_right(ends, k)
        if k in ends:
            own = rules[turn][1].initial(theta)
        theta, own = rules[turn][1].update(theta, gradient, own)
        return theta, {"update": k + 1, "own": own}

    return rules[0][1] if len(rules) == 1 else UpdateRule(initial, update)
