"""One step taken apart: the same gradient by three ways, and what the update rule remembers.

Three ways: automatic differentiation (as recorded), the formula on paper, and a finite difference, which knows
nothing but the loss.
"""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor

from gd_core.objective import SQUARED, Convex, LinearObjective, Objective, in_features
from gd_core.optimizers import State
from gd_core.problem import Problem
from gd_core.settings.experiment import Experiment
from gd_core.training import Recording, batches

REPLAYED_UPDATES = 20_000  # a longer run is not replayed for the rule's memory
STEP_SIZE = torch.finfo(torch.float64).eps ** (1 / 3)  # balances rounding against curvature


class Autopsy(NamedTuple):
    """Gradients and memory at some epochs, K of them.

    Attributes:
        formula: ∇L by the formula, [K, P]; None for a model without Φ.
        finite_difference: ∇L by central differences, [K, P].
        memory: What the rule remembers before and after the update that leaves the epoch: name ↦ ([K, P], [K, P]).
            Empty for a rule without memory, and for a run too long to replay.
    """

    formula: Tensor | None
    finite_difference: Tensor
    memory: dict[str, tuple[Tensor, Tensor]]


def formula(objective: LinearObjective, theta: Tensor, rows: Tensor | None = None) -> Tensor:
    """(2/N) Φᵀ(Φθ − y) for the mean squared error, [P]; with the mean of y in place of y for the shape mistake.

    Of a loss that is no square (1/N) Φᵀ times the slope of each row's loss: of the log loss σ(Φθ) − y. A penalty adds 2λθ.
    """
    features, target = objective.features, objective.target
    if rows is not None:
        features, target = features[rows], target[rows]
    if isinstance(objective.loss, Convex):
        of_rows = features.T @ (1 / len(features) * objective.loss.slope(features @ theta, target))
    else:
        target = SQUARED[objective.loss].target(target)
        # autograd's order: to the last bit
        of_rows = features.T @ (2 / len(features) * (features @ theta - target))
    return of_rows if objective.penalty is None else of_rows + objective.penalty.slope(theta)


def finite_difference(
    objective: Objective, theta: Tensor, rows: Tensor | None = None, *, step: float | None = None
) -> Tensor:
    """(L(θ + h) − L(θ − h)) / 2h for each parameter in turn, [P].

    Args:
        objective: The loss.
        theta: θ, [P].
        rows: Rows of a mini-batch; None means all.
        step: h. By default the cube root of the machine's precision, times |θᵢ| where that is above 1.
    """
    h = torch.full_like(theta, step) if step else STEP_SIZE * theta.abs().clamp(min=1.0)
    loss = objective.on(rows)
    sides = [torch.stack([loss(theta + sign * h[i] * axis) for i, axis in enumerate(torch.eye(len(theta), dtype=theta.dtype))])
             for sign in (1, -1)]  # fmt: skip
    return (sides[0] - sides[1]) / (2 * h)


def autopsy(recording: Recording, experiment: Experiment, problem: Problem, epochs: Sequence[int]) -> Autopsy:
    """Take the first update of each of some epochs apart."""
    stride = recording.updates_per_epoch
    updates = [min(int(epoch) * stride, recording.updates) for epoch in epochs]
    rows = _rows_of(experiment, updates)
    points = [recording.theta[k] for k in updates]
    known = in_features(problem.objective)
    return Autopsy(
        known and torch.stack([formula(known, theta, r) for theta, r in zip(points, rows, strict=True)]),
        torch.stack(
            [finite_difference(problem.objective, theta, r) for theta, r in zip(points, rows, strict=True)]
        ),
        _memory(recording, problem, updates),
    )


def _rows_of(experiment: Experiment, updates: list[int]) -> list[Tensor | None]:
    if experiment.updates_per_epoch == 1:
        return [None] * len(updates)
    wanted = set(updates)
    stream = batches(experiment.training_rows, experiment.batch_size, experiment.seed, experiment.shuffle)
    found = {k: rows for k, rows in enumerate(islice(stream, max(updates) + 1)) if k in wanted}
    return [found[k] for k in updates]


def _memory(recording: Recording, problem: Problem, updates: list[int]) -> dict[str, tuple[Tensor, Tensor]]:
    """Replay the rule over the recorded gradients: it is a pure function, so its memory needs no recording."""
    rule = problem.rule
    state = rule.initial(problem.start)
    if not state or max(updates) > REPLAYED_UPDATES:
        return {}
    wanted, seen = set(updates), {}
    for k in range(max(updates) + 1):
        _, after = rule.update(recording.theta[k], recording.gradient[k], state)
        if k in wanted:
            seen[k] = (_own(state), _own(after))
        state = after
    names = [name for name in seen[updates[0]][1] if all(name in seen[k][1] for k in updates)]
    zero = torch.zeros_like(problem.start)
    return {
        name: (
            torch.stack([seen[k][0].get(name, zero) for k in updates]),
            torch.stack([seen[k][1][name] for k in updates]),
        )
        for name in names
    }


def _own(state: State) -> dict[str, Tensor]:
    """The tensors a rule remembers; those of the phase that is running in a continued run, under its schedule."""
    while "own" in state:
        state = state["own"]
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}
