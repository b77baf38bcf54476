"""What random batches do to an error: whether it grows in the long run, and about which level the loss comes to hover.

Every batch of B rows has a parabola of its own, H_b = (2/B) Φ_bᵀΦ_b, and pulls towards its own lowest point. With the error
e = θ − θ* and the rest r = y − Φθ* its gradient is (2/B) Φ_bᵀ(Φ_b e − r_b). No sharp limit of the rate is known in closed
form; but some thousand updates tell what many would do.

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
GROWS = 1e-3  # in an update: less is not told apart from a flat direction that stays as it is
SHARE = 0.5  # of the limit: 1/λ for gradient descent, with which no direction overshoots
SETTLING = 4  # the first so manieth part of a path is left out of its growth


def safe_rate(features: Tensor, rows_per_update: int, phase: Phase) -> float:
    """The rate up to which no batch of so many rows, taken again and again, makes an error grow.

    A batch is no steeper than (2/B) Σ‖φᵢ‖² over its rows, and so than that of the B longest; a single row is exactly as
    steep as 2‖φᵢ‖².
    """
    longest = features.square().sum(1).topk(rows_per_update).values
    return limit_along(2 * float(longest.mean()), phase)


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


def surely_settles(features: Tensor, rows_per_update: int, phase: Phase) -> bool:
    """Whether no order of batches can make an error grow: each step is at most once the way to its batch's lowest point.

    With a velocity a step counts 1/(1 − β) times, in other batches too: there the limit of each batch is no promise.
    """
    step = _linear(phase)
    if step.beta == 0:
        return phase.learning_rate <= safe_rate(features, rows_per_update, phase)
    longest = features.square().sum(1).topk(rows_per_update).values
    return phase.learning_rate <= 0.25 * step.per_gradient / (2 * float(longest.mean()))


def explodes(features: Tensor, rows_per_update: int, phase: Phase) -> bool:
    """Whether errors grow for good in random batches."""
    if surely_settles(features, rows_per_update, phase):
        return False
    return growth(features, rows_per_update, phase) > GROWS


def growth(features: Tensor, rows_per_update: int, phase: Phase) -> float:
    """By how much the logarithm of the error grows in an update of random batches, in the long run; negative if errors shrink."""
    rows = features.numpy()
    step, rate = _linear(phase), phase.learning_rate
    dice = np.random.default_rng(0)
    error = _in_row_space(rows, dice.standard_normal((PATHS, rows.shape[1])))
    velocity = np.zeros_like(error)
    grown = np.zeros(PATHS)
    count = _updates(rows, rows_per_update)
    begin, settled = count // SETTLING, grown
    for done, some in enumerate(_batches(len(rows), rows_per_update, dice, count), 1):
        gradient = _slope(rows[some], error)
        velocity = step.beta * velocity + gradient
        error = error - rate * (step.on_gradient * gradient + step.on_velocity * velocity)
        size = np.sqrt((error**2).sum(1) + rate**2 * (velocity**2).sum(1)).clip(1e-300)
        grown, error, velocity = grown + np.log(size), error / size[:, None], velocity / size[:, None]
        if done == begin:
            settled = grown
    return float((grown - settled).mean()) / max(1, count - begin)


def level(
    objective: LinearObjective,
    optimum: Tensor,
    rows_per_update: int,
    phase: Phase,
    error: Tensor,
    updates: int,
) -> float:
    """The gap L − L* that is left about so many updates later, in the middle one of several paths.

    The equations are the rule's own, for all paths at once; each begins with nothing remembered.

    Args:
        objective: The loss, on all N rows.
        optimum: θ*, [P].
        rows_per_update: B; N for all rows, of which one path is enough.
        phase: The rule.
        error: θ − θ*, [P].
        updates: How many; fewer are looked at where they would take long.
    """
    features, best = objective.features, objective.features @ optimum
    rows, whole = features.numpy(), rows_per_update == len(features)
    rule, dice = rule_of_phase(phase), np.random.default_rng(1)
    errors = error.repeat(1 if whole else PATHS, 1)
    state = rule.initial(errors)
    count = tried(features, rows_per_update, phase, updates)
    hessian = 2 / len(rows) * (features.T @ features)
    late, seen = min(count - 1, count * 3 // 4), []
    for done, some in enumerate(_batches(len(rows), rows_per_update, dice, count), 1):
        slope = errors @ hessian
        if not whole:
            missed = SQUARED[objective.loss].target(objective.target[some]) - best[some]
            slope = torch.from_numpy(_slope(rows[some], errors.numpy(), missed.numpy()))
        errors, state = rule.update(errors, slope, state)
        if done > late:
            seen.append(0.5 * ((errors @ hessian) * errors).sum(1))
    found = float(torch.stack(seen).mean(0).median())
    return found if math.isfinite(found) else math.inf


def tried(features: Tensor, rows_per_update: int, phase: Phase, updates: int) -> int:
    """How many of so many updates `level` looks at."""
    slow = SLOW_MEMORY if phase.momentum_or_zero > 0.99 else 1
    return max(1, min(updates, slow * _updates(features.numpy(), rows_per_update)))


def can_be_tried(rows: int, parameters: int, rows_per_update: int, updates: int) -> bool:
    """Whether `level` looks at so many updates, and not at fewer."""
    return updates <= _most(parameters, rows_per_update if rows_per_update < rows else 1)


def _linear(phase: Phase) -> LinearStep:
    step = linear_step(phase)
    if step is None:
        raise ValueError(f"optimizer must be linear in the gradient. Got {phase.optimizer}.")
    return step


def _updates(rows: np.ndarray, rows_per_update: int) -> int:
    return _most(rows.shape[1], rows_per_update if rows_per_update < len(rows) else 1)


def _most(parameters: int, rows_per_update: int) -> int:
    return max(40, min(UPDATES, CELLS // (PATHS * rows_per_update * parameters)))


def _in_row_space(rows: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Errors without their part in flat directions, which takes no part in training."""
    _, sizes, axes = np.linalg.svd(rows, full_matrices=False)
    axes = axes[sizes > 1e-9 * sizes[0]]
    return errors @ axes.T @ axes


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
