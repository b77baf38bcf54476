"""What random batches do to an error: whether it grows in the long run, and about which level the loss comes to hover.

Every batch of B rows has a parabola of its own, H_b = (2/B) Φ_bᵀΦ_b, and pulls towards its own lowest point. With the error
e = θ − θ* and the rest r = y − Φθ* its gradient is (2/B) Φ_bᵀ(Φ_b e − r_b). No sharp limit of the rate is known in closed
form; but some thousand updates tell what many would do. An L2 penalty adds 2λ(e + θ*) to the gradient of each batch.

Rows in order make the same batches in each epoch. Of a rule that is linear in the gradient one epoch is then one affine map
of error and velocity, and all that becomes of the run is a power of it: `InOrder`.

Source:
    Furstenberg and Kesten, "Products of Random Matrices", 1960, for the growth of such products.
"""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from gd_core.objective import SQUARED, LinearObjective
from gd_core.problem import rule_of_phase
from gd_core.settings.experiment_fields import Phase
from gd_core.settings.rules import LinearStep, linear_step
from gd_core.theory import Curvature, limit_along, stability_limit

PATHS = 16  # tried side by side
UPDATES = 1500  # of each path, at most
SLOW_MEMORY = 3  # times as many with a β above 0.99: a velocity of a thousand updates takes as long to come to its level
CELLS = 6_000_000  # multiplications in all, about: fewer updates where batches are large
SEEN = 20  # epochs of a level
ABOVE_ONE = 1e-9  # a factor of an epoch that is more than this above 1 grows
GROWS = 1e-3  # in an update: less is not told apart from a flat direction that stays as it is
SHARE = 0.5  # of the limit: 1/λ for gradient descent, with which no direction overshoots
SETTLING = 4  # the first so manieth part of a path is left out of its growth


def safe_rate(objective: LinearObjective, rows_per_update: int, phase: Phase) -> float:
    """The rate up to which no batch of so many rows, taken again and again, makes an error grow."""
    return limit_along(_steepest(objective, rows_per_update), phase)


def _steepest(objective: LinearObjective, rows_per_update: int) -> float:
    """What no batch is steeper than: (2/B) Σ‖φᵢ‖² of the B longest rows, and 2λ of a penalty.

    A single row is exactly as steep as 2‖φᵢ‖².
    """
    longest = objective.features.square().sum(1).topk(rows_per_update).values
    return 2 * float(longest.mean()) + float(_pull(objective).max())


def settling_rate(curvature: Curvature, phase: Phase, batch_size: int = 0) -> float:
    """Half of the stability limit.

    A batch of B rows may be as steep as λ + tr(H)/B, so there it is half of 2(1 − β)/(λ + tr(H)/B), where a gradient
    counts 1/(1 − β) times in all.

    Raises:
        ValueError: If the rule is not linear in the gradient.
    """
    if not batch_size:
        return SHARE * stability_limit(curvature, phase)
    steepest = curvature.largest + float(curvature.eigenvalues.sum()) / batch_size
    return SHARE * 2 * _linear(phase).per_gradient / steepest


def surely_settles(objective: LinearObjective, rows_per_update: int, phase: Phase) -> bool:
    """Whether no order of batches can make an error grow: each step is at most once the way to its batch's lowest point.

    With a velocity a step counts 1/(1 − β) times, in other batches too: there the limit of each batch is no promise.
    """
    step = _linear(phase)
    if step.beta == 0:
        return phase.learning_rate <= safe_rate(objective, rows_per_update, phase)
    return phase.learning_rate <= 0.25 * step.per_gradient / _steepest(objective, rows_per_update)


def explodes(objective: LinearObjective, rows_per_update: int, phase: Phase, shuffle: bool = True) -> bool:
    """Whether errors grow for good in random batches, or in those of the rows in order."""
    if surely_settles(objective, rows_per_update, phase):
        return False
    if not shuffle:
        return InOrder(objective, None, rows_per_update, phase).radius > 1 + ABOVE_ONE
    return growth(objective, rows_per_update, phase) > GROWS


def growth(objective: LinearObjective, rows_per_update: int, phase: Phase) -> float:
    """By how much the logarithm of the error grows in an update of random batches, in the long run; negative if errors shrink."""
    rows, pull = objective.features.numpy(), _pull(objective)
    step, rate = _linear(phase), phase.learning_rate
    dice = np.random.default_rng(0)
    axes = _axes(objective)  # flat directions take no part in training
    error = dice.standard_normal((PATHS, rows.shape[1])) @ axes @ axes.T
    velocity = np.zeros_like(error)
    grown = np.zeros(PATHS)
    count = _most(rows.shape[1], rows_per_update)
    begin, settled = count // SETTLING, grown
    for done, some in enumerate(_batches(len(rows), rows_per_update, dice, count), 1):
        gradient = _slope(rows[some], error) + pull * error
        velocity = step.beta * velocity + gradient
        error = error - rate * (step.on_gradient * gradient + step.on_velocity * velocity)
        size = np.sqrt((error**2).sum(1) + rate**2 * (velocity**2).sum(1)).clip(1e-300)
        grown, error, velocity = grown + np.log(size), error / size[:, None], velocity / size[:, None]
        if done == begin:
            settled = grown
    return float((grown - settled).mean()) / max(1, count - begin)


class InOrder:
    """Mini-batches of rows in order: what one epoch does to the error e = θ − θ* and to the velocity.

    A batch of B rows turns them into v ← βv + (2/B) Φ_bᵀ(Φ_b e − r_b) and e ← e − η(a ∇ + b v); ⌈N/B⌉ of them one after
    another are x ↦ M x + m with x = (e, ηv). Directions that no row and no penalty sees are left out.

    Args:
        objective: The loss, with Φ.
        optimum: θ*, [P]; None where only M is asked for, which does not hang on it.
        rows_per_update: B.
        phase: The rule, linear in the gradient.
    """

    def __init__(
        self, objective: LinearObjective, optimum: Tensor | None, rows_per_update: int, phase: Phase
    ) -> None:
        rows, pull = objective.features.numpy(), _pull(objective)
        missed, pulled = np.zeros(len(rows)), np.zeros(rows.shape[1])
        if optimum is not None:
            target = objective.target_in_batches(rows_per_update)
            missed, pulled = (target - objective.features @ optimum).numpy(), pull * optimum.numpy()
        step, rate = _linear(phase), phase.learning_rate
        self.axes = _axes(objective)  # [P, R]
        seen, size = rows @ self.axes, self.axes.shape[1]
        back, pulled = (self.axes.T * pull) @ self.axes, self.axes.T @ pulled
        epoch = np.eye(2 * size, 2 * size + 1)  # [M m]: what x and 1 have become
        with np.errstate(over="ignore", invalid="ignore"):
            for first in range(0, len(rows), rows_per_update):
                batch = seen[first : first + rows_per_update]
                wrong = batch @ epoch[:size]
                wrong[:, -1] -= missed[first : first + rows_per_update]
                slope = 2 / len(batch) * (batch.T @ wrong) + back @ epoch[:size]
                slope[:, -1] += pulled
                slope *= rate
                epoch[size:] = step.beta * epoch[size:] + slope
                epoch[:size] -= step.on_gradient * slope + step.on_velocity * epoch[size:]
        self.epoch = np.concatenate([epoch, np.eye(1, 2 * size + 1, 2 * size)])

    @property
    def radius(self) -> float:
        """The spectral radius of M: what an epoch multiplies the error by in the long run. Above 1 it grows."""
        if not np.isfinite(self.epoch).all():
            return math.inf
        return float(abs(np.linalg.eigvals(self.epoch[:-1, :-1])).max())

    def after(self, error: Tensor, epochs: int) -> Tensor:
        """The error after so many epochs that begin without velocity, [P] → [P]; not finite where it has grown too large."""
        size = self.axes.shape[1]
        state = np.concatenate([error.numpy() @ self.axes, np.zeros(size), [1.0]])
        with np.errstate(over="ignore", invalid="ignore"):
            state = np.linalg.matrix_power(self.epoch, epochs) @ state
        return torch.from_numpy(self.axes @ state[:size])


def level_in_order(
    objective: LinearObjective,
    curvature: Curvature,
    rows_per_update: int,
    phase: Phase,
    error: Tensor,
    epochs: int,
) -> float:
    """The mean gap L − L* over the last fifth of so many more epochs with rows in order; infinite where it has grown too large."""
    batches = InOrder(objective, curvature.optimum, rows_per_update, phase)
    seen = np.unique(np.linspace(epochs - epochs // 5, epochs, SEEN).round()).astype(int)
    errors = torch.stack([batches.after(error, int(one)) for one in seen])
    found = float(curvature.gap(curvature.optimum + errors).sum(1).mean())
    return found if math.isfinite(found) else math.inf


def level(
    objective: LinearObjective,
    curvature: Curvature,
    rows_per_update: int,
    phase: Phase,
    error: Tensor,
    updates: int,
) -> float:
    """The gap L − L* that is left about so many updates later, in the middle one of several paths.

    The equations are the rule's own, for all paths at once; each begins with nothing remembered.

    Args:
        objective: The loss, on all N rows,
        curvature: and the parabola that it is.
        rows_per_update: B, fewer than N.
        phase: The rule.
        error: θ − θ*, [P].
        updates: How many; fewer are looked at where they would take long.
    """
    features, optimum = objective.features, curvature.optimum
    rows, best, pull = features.numpy(), features @ optimum, torch.from_numpy(_pull(objective))
    rule, dice = rule_of_phase(phase), np.random.default_rng(1)
    errors = error.repeat(PATHS, 1)
    state = rule.initial(errors)
    slow = SLOW_MEMORY if phase.momentum_or_zero > 0.99 else 1
    count = max(1, min(updates, slow * _most(rows.shape[1], rows_per_update)))
    late, seen = min(count - 1, count * 3 // 4), []
    for done, some in enumerate(_batches(len(rows), rows_per_update, dice, count), 1):
        missed = SQUARED[objective.loss].target(objective.target[some]) - best[some]
        slope = torch.from_numpy(_slope(rows[some], errors.numpy(), missed.numpy())) + pull * (
            optimum + errors
        )
        errors, state = rule.update(errors, slope, state)
        if done > late:
            seen.append(curvature.gap(optimum + errors).sum(1))
    found = float(torch.stack(seen).mean(0).median())
    return found if math.isfinite(found) else math.inf


def can_be_tried(parameters: int, rows_per_update: int, updates: int) -> bool:
    """Whether `level` looks at so many updates, and not at fewer."""
    return updates <= _most(parameters, rows_per_update)


def _linear(phase: Phase) -> LinearStep:
    step = linear_step(phase)
    if step is None:
        raise ValueError(f"optimizer must be linear in the gradient. Got {phase.optimizer}.")
    return step


def _most(parameters: int, rows_per_update: int) -> int:
    return max(40, min(UPDATES, CELLS // (PATHS * rows_per_update * parameters)))


def _pull(objective: LinearObjective) -> np.ndarray:
    """2λ of each parameter: by how much its penalty’s slope grows with it, [P]; zeros without one."""
    if objective.penalty is None:
        return np.zeros(objective.features.shape[1])
    return objective.penalty.bend.numpy()


def _axes(objective: LinearObjective) -> np.ndarray:
    """The directions that are not flat, one a column, [P, R]."""
    rows = objective.features.numpy()
    if objective.penalty:
        rows = np.concatenate([rows, objective.penalty.rows(len(rows)).numpy()])
    _, sizes, axes = np.linalg.svd(rows, full_matrices=False)
    return axes[sizes > 1e-9 * sizes[0]].T


def _slope(rows: np.ndarray, errors: np.ndarray, missed: np.ndarray | float = 0.0) -> np.ndarray:
    """Gradients of one batch a path at its own error: rows [K, B, P], errors [K, P], y − Φθ* [K, B] → [K, P]."""
    wrong = (rows @ errors[:, :, None])[..., 0] - missed
    return 2 / rows.shape[1] * (wrong[:, None, :] @ rows)[:, 0]


def _batches(
    num_rows: int, rows_per_update: int, dice: np.random.Generator, updates: int
) -> Iterator[np.ndarray]:
    """Row numbers of one batch for each path, [K, B], epoch after epoch of shuffled rows as they are trained."""
    done = 0
    while True:
        order = dice.permuted(np.tile(np.arange(num_rows), (PATHS, 1)), axis=1)
        for first in range(0, num_rows, rows_per_update):
            yield order[:, first : first + rows_per_update]
            done += 1
            if done == updates:
                return
