"""What can be known before the first step: curvature, limits, best rates, the optimum, the exact path.

For a model linear in its parameters and the mean squared error without a ½, the loss is a parabola in θ:
∇L = (2/N) Φᵀ(Φθ − y) and H = (2/N) ΦᵀΦ, the same everywhere. Along eigenvector i of H the error is multiplied by
1 − ηλᵢ in each epoch of gradient descent. All of this module follows from that line.

Sources:
    Goh, "Why Momentum Really Works", Distill 2017, for the heavy ball. Polyak, 1964.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gd_core.least_squares import EPSILON, Fit, fit, rounding_of_data, uncentred
from gd_core.moments import Moments
from gd_core.objective import Objective, as_parabola
from gd_core.problem import Problem
from gd_core.rate_search import best_rates, multiples_under, slowest_root
from gd_core.settings import schedules
from gd_core.settings.catalog import model_info, why_no_parabola
from gd_core.settings.experiment import Experiment, beyond, not_known
from gd_core.settings.experiment_fields import COMMON_FIELDS, LEARNING_RATE, Phase
from gd_core.settings.rules import OPTIMIZER_INFO, LinearRule, LinearStep, felt, is_plain, linear_step
from gd_core.words import counted, short

# The zones of gradient descent's rate up to 0.1/λ, 1/λ and 2/λ, as shares of the limit 2/λ, λ being that of the steepest
# direction. Each word is of that one and no verdict on the run: the best rate for many epochs zigzags, and how long the
# flattest direction takes is another question. With momentum a small rate may already swing and a larger one be no faster, so
# there the only line is the limit.
GRADIENT_DESCENT_ZONES = {"slow": 0.05, "steady": 0.5, "zigzags": 1.0}
AT_FIRST = "too large at first"  # under a schedule that comes down
ZONES_SAID = {
    "slow": "every direction is slow",
    "steady": "no direction zigzags",
    "zigzags": "the steepest direction zigzags, closer each time",
    "settles": "every direction settles",
    AT_FIRST: "the steepest direction grows at first",
    "diverges": "the steepest direction grows",
}
FIRST_STEP = 0.1  # of an adaptive rule, as a share of the longest way that a parameter has to go
MOST_SCHEDULED = 12_000  # epochs times parameters up to which the best rate under a schedule is looked for: a fifth of a second
NOTHING = 1e-12  # of the first RMSE: beside a floor of 0 no more than rounding
KNOWN = (*COMMON_FIELDS, *schedules.FIELDS)  # settings that the theory takes account of


@dataclass(frozen=True, eq=False)
class Curvature:
    """The parabola that a loss is.

    Attributes:
        hessian: H, [P, P].
        eigenvalues: λ₁ ≤ … ≤ λ_P, [P]; exactly 0 where a direction is flat.
        eigenvectors: One a column, [P, P].
        optimum: θ*, [P]; the shortest of all optima if a direction is flat.
        floor_loss: L(θ*).
        floor_rmse: Root mean squared error at θ*, in the data's units. See `bounds_rmse`.
        unsure: How far each parameter of θ* may be off because numbers have 16 digits, [P].
        floor_is_zero: Whether the floor is no more than the rounding of the data: the fit is perfect.
        blur: Root mean squared error by which the curve is off because the parameters themselves have 16 digits. It is
            nothing, unless the curve is a small difference of large terms: as are powers of calendar years.
        unit: What a root of the loss is multiplied by to be in the data's units: see `datasets.Dataset`.
        bounds_rmse: Whether no training gets below `floor_rmse`: the RMSE is what the loss is the square of.
    """

    hessian: Tensor
    eigenvalues: Tensor
    eigenvectors: Tensor
    optimum: Tensor
    floor_loss: float
    floor_rmse: float
    unsure: Tensor
    floor_is_zero: bool
    blur: float
    unit: float = 1.0
    bounds_rmse: bool = True

    @property
    def largest(self) -> float:
        """λ_P, the curvature of the steepest direction."""
        return float(self.eigenvalues[-1])

    @property
    def smallest(self) -> float:
        """The smallest curvature above 0. Directions that are flat do not take part in training."""
        return float(self.eigenvalues[self.eigenvalues > 0][0])

    @property
    def condition_number(self) -> float:
        """κ = λ_P / λ₁; infinite if a direction is flat."""
        lowest = float(self.eigenvalues[0])
        return self.largest / lowest if lowest > 0 else math.inf

    @cached_property
    def inverse_is_rounding(self) -> bool:
        """Whether H⁻¹∇L has no three sure digits: the columns, each at length 1, are too much alike. Flat directions do not count."""
        length = self.hessian.diagonal().clamp(min=1e-300).sqrt()
        sizes = torch.linalg.eigvalsh(self.hessian / length / length[:, None])[
            int((self.eigenvalues == 0).sum()) :
        ]
        return len(sizes) > 0 and float(sizes[0]) < 1e3 * EPSILON * float(sizes[-1])

    def along(self, theta: Tensor) -> Tensor:
        """The distance to the optimum, split along the eigenvectors. [..., P] → [..., P]."""
        return (theta - self.optimum) @ self.eigenvectors

    def loss(self, theta: Tensor) -> Tensor:
        """L(θ) = L(θ*) + ½ (θ − θ*)ᵀ H (θ − θ*), without looking at the rows. [P] → []."""
        away = theta - self.optimum
        return self.floor_loss + 0.5 * (away * (self.hessian * away).sum(-1)).sum()

    def error(self, rmse: Tensor, first: float) -> Tensor:
        """RMSE as it is shown: 0 where it is no more than the rounding of a perfect fit.

        Args:
            rmse: Of the rows, any shape.
            first: RMSE at the start.
        """
        return torch.where(rmse <= self.nothing(first), 0.0, rmse)

    def nothing(self, first: float) -> float:
        """Up to which RMSE a run from this first one has met every row, to rounding; 0 where the floor is above 0."""
        return NOTHING * first + 2 * self.floor_rmse if self.floor_is_zero else 0.0

    def parameters(self, theta: Tensor, to_raw: Tensor | None = None, offset: float | Tensor = 0.0) -> Tensor:
        """Parameters as they are shown: 0 where they are no more than rounding, [..., P] → [..., P].

        A parameter has the size that would make its column as large as the data are: √(mean y²) over that of the column.

        Args:
            theta: In the coordinates that are trained.
            to_raw: See `Problem`; None for θ itself.
            offset: The same.
        """
        to_raw = torch.eye(len(self.optimum), dtype=theta.dtype) if to_raw is None else to_raw
        back = torch.linalg.inv(to_raw)
        columns = (back.T @ self.hessian @ back).diagonal().clamp(min=0) / 2  # mean squares
        raw = theta @ to_raw.T + offset
        return torch.where(raw.square() * columns <= NOTHING**2 * self.loss(0 * self.optimum), 0.0, raw)

    def gap(self, theta: Tensor) -> Tensor:
        """L(θ) − L(θ*) of each eigenvector's direction: ½ λᵢ eᵢ², [..., P]. Their sum is the whole gap."""
        return 0.5 * self.eigenvalues * self.along(theta) ** 2


def hessian(objective: Callable[[Tensor], Tensor], theta: Tensor) -> Tensor:
    """Second derivatives of the loss at θ by automatic differentiation, [P, P]."""
    matrix = torch.autograd.functional.hessian(objective, theta)
    assert isinstance(matrix, Tensor)
    return (matrix + matrix.T) / 2


def parabola_of(experiment: Experiment, objective: Objective) -> Curvature | None:
    """The parabola that a run goes down on; None if its loss is none, or a setting is strange to this module.

    Then nothing here is known about it, and `why_no_theory` says why.
    """
    strange = as_parabola(objective) is None or beyond(vars(experiment), KNOWN) is not None
    return None if strange else curvature_of(objective)


def why_no_theory(experiment: Experiment) -> str | None:
    """The reason why nothing is known before the first step, for a student; None if there is a parabola to know."""
    reason = why_no_parabola(experiment.info.model, experiment.loss)
    if reason is None:
        return not_known(experiment, KNOWN, "for limits, best rates and the lowest loss to be known")
    if (known := experiment.loss_info.known) and model_info(experiment.info.model).linear:
        return known
    return (
        f"The {reason}, so the loss is no parabola over the parameters: its curvature is another at every point. "
        "No limit of the rate, no best rate and no lowest loss is known before training."
    )


def curvature_of(objective: Objective) -> Curvature:
    """The parabola of a loss, from the moments of its rows: Φ is never there as a whole.

    Raises:
        ValueError: If the loss is none.
    """
    parabola = as_parabola(objective)
    if parabola is None:
        kind = type(objective.model).__name__
        raise ValueError(f"objective must be a parabola, which has one curvature. Got that of {kind}.")
    found, (moments, more) = fit(parabola.centred), parabola.least_squares
    rows = parabola.dataset
    given = parabola.target if rows.given is None else rows.given.squeeze(1)
    of_data = rounding_of_data(rows.x, given, rows.unit, parabola.centred, found)
    floor = found.floor
    if not parabola.is_mean_square:
        floor = float(parabola.moments.mean_square(found.optimum).sqrt())
    plain = _parabola(found, moments)
    return replace(
        plain,
        floor_loss=found.floor**2 + more,
        floor_rmse=rows.unit * floor,
        floor_is_zero=max(floor, found.floor) <= max(found.rounding, of_data),
        blur=rows.unit * plain.blur,
        unit=rows.unit,
        bounds_rmse=parabola.is_mean_square,
    )


def curvature_from_moments(moments: Moments, rounding: float = EPSILON) -> Curvature:
    """The parabola of the mean squared error over any number of rows, from their moments alone.

    With R = U S Vᵀ, the eigenvalues are 2s²/N and θ* = V S⁻¹ Uᵀy: not by way of ΦᵀΦ, in which small eigenvalues drown.

    Args:
        moments: Of the rows as they are trained.
        rounding: What of each column is no more than rounding, as a share of it.

    Raises:
        ValueError: If there are no rows.
    """
    if not moments.rows:
        raise ValueError("rows must be at least 1. Got 0.")
    return _parabola(fit(uncentred(moments, rounding)), moments)


def _parabola(found: Fit, moments: Moments) -> Curvature:
    """The parabola with this optimum, over rows with these moments.

    Flat directions are those of `found`: among the sizes here one of them may look larger than a direction that is not.
    An eigenvector's largest component is positive, so that every machine has the same.
    """
    _, sizes, vectors = moments.directions()
    sizes, vectors, flat = sizes[::-1], vectors[::-1], found.flat.numpy()
    if flat.shape[1]:
        vectors = vectors - (vectors @ flat) @ flat.T
        left = np.linalg.norm(vectors, axis=1)
        steep = np.sort(np.argsort(left, kind="stable")[flat.shape[1] :])
        sizes = np.concatenate([np.zeros(flat.shape[1]), sizes[steep]])
        vectors = np.concatenate([flat.T, vectors[steep] / left[steep, None]])
    largest = abs(vectors).round(9).argmax(1)
    vectors = vectors * np.sign(vectors[np.arange(len(vectors)), largest])[:, None]
    length = np.linalg.norm(moments.features.numpy(), axis=0)
    return Curvature(
        hessian=2 / moments.rows * moments.gram,
        eigenvalues=torch.from_numpy(2 / moments.rows * sizes**2),
        eigenvectors=torch.from_numpy(vectors.T.copy()),
        optimum=found.optimum,
        unsure=found.unsure,
        floor_loss=found.floor**2,
        floor_rmse=found.floor,
        floor_is_zero=found.floor <= found.rounding,
        blur=EPSILON / 2 * float(length @ abs(found.optimum.numpy())) / math.sqrt(moments.rows),
    )


def step_matrix(phase: Phase, learning_rate: Tensor, eigenvalue: Tensor) -> Tensor:
    """One epoch along one eigenvector as a matrix [..., 2, 2] on (error, velocity).

    With g = λe and v' = βv + g the error is e' = e − η(ag + bv') = (1 − ηλ(a + b))e − ηbβv.

    Raises:
        ValueError: If the rule is not linear in the gradient.
    """
    beta, a, b = _linear(phase)
    rate, curvature = torch.broadcast_tensors(learning_rate, felt(phase, eigenvalue))
    top = [1 - rate * curvature * (a + b), -rate * (b * beta)]
    bottom = [curvature, torch.full_like(curvature, beta)]
    return torch.stack([torch.stack(top, -1), torch.stack(bottom, -1)], -2)


def factor(phase: Phase, learning_rate: float, eigenvalue: float) -> float:
    """What the error along one eigenvector is multiplied by in an epoch, in the long run: a spectral radius."""
    if is_plain(phase):
        return abs(1 - learning_rate * eigenvalue)
    matrix = step_matrix(phase, _vector(learning_rate), _vector(eigenvalue))
    return float(torch.linalg.eigvals(matrix).abs().max())


def why_no_limit(experiment: Experiment) -> str | None:
    """The reason why a rule has no stability limit, for a student; None if it has one."""
    return why_no_theory(experiment) or why_no_limit_of(
        experiment.optimizer, experiment.updates_per_epoch > 1, experiment.shuffle
    )


def why_no_limit_of(optimizer: str, mini_batches: bool, shuffle: bool) -> str | None:
    """The same of a loss that is a parabola."""
    if mini_batches and not shuffle:
        return (
            "Mini-batches in order have a limit of their own, which no formula gives: each batch has another curvature. "
            "Small rates settle, beside the optimum; larger ones blow up."
        )
    if mini_batches:
        return (
            "Mini-batches have no sharp limit: each batch has a curvature of its own. "
            "Small rates settle, larger ones hover, still larger ones blow up."
        )
    theory = OPTIMIZER_INFO[optimizer].theory
    return None if isinstance(theory, LinearRule) else theory.why


def _linear(phase: Phase) -> LinearStep:
    """How the rule steps.

    Raises:
        ValueError: If it is not linear in the gradient, and so has no limit.
    """
    step = linear_step(phase)
    if step is None:
        raise ValueError(f"optimizer must have a stability limit. Got {phase.optimizer}.")
    return step


def unsure_step(phase: Phase, curvature: Curvature) -> bool:
    """Whether a rule divides by a curvature whose inverse has no digits: then what it does is rounding, and no theory holds."""
    return OPTIMIZER_INFO[phase.optimizer].over_curvature and curvature.inverse_is_rounding


def stability_limit(curvature: Curvature, phase: Phase) -> float:
    """The rate above which the error along the steepest direction grows.

    Raises:
        ValueError: If the rule has none.
    """
    return limit_along(curvature.largest, phase)


def limit_along(eigenvalue: float, phase: Phase) -> float:
    """The rate above which the error along an eigenvector of curvature λ grows: 2(1 + β)/((a + b + βa)λ).

    Gradient descent 2/λ, heavy ball 2(1 + β)/λ, Nesterov in torch's form 2(1 + β)/((1 + 2β)λ). By Jury's criterion: the
    matrix of an epoch has trace τ = 1 + β − ηλ(a + b) and determinant δ = β − ηλaβ, and both its eigenvalues are inside
    the unit circle if |δ| < 1 and |τ| < 1 + δ. With a, b ≥ 0 and β < 1 the first to break is −τ < 1 + δ.

    Raises:
        ValueError: If the rule has none.
    """
    beta, a, b = _linear(phase)
    return 2 * (1 + beta) / (a + (b + beta * a)) / felt(phase, eigenvalue)


class Convention(NamedTuple):
    """Another way in which code writes the loss or the velocity, and what becomes of every rate there.

    Attributes:
        where: The way, after “with”.
        what: It in a sentence, and the factor, for a student.
        times: What the limit is multiplied by; of two ways at once both.
    """

    where: str
    what: str
    times: float


def conventions(experiment: Experiment) -> tuple[Convention, ...]:
    """How others write the mean squared error and the heavy ball; none where the rule has no limit, or for another loss.

    A loss of c L has c times the gradient, so its limit is 1/c of ours: ½ of the mean has twice, the sum over N rows 1/N
    of it. A velocity v ← βv + (1 − β)∇L is 1 − β times as long at every step, and so its limit 1/(1 − β) of ours.
    Nesterov's form has no such line: some write it with 1 − β for both of its parts, some for one.
    """
    if experiment.loss != "mse" or experiment.penalty or why_no_limit(experiment):
        return ()
    if OPTIMIZER_INFO[experiment.optimizer].over_curvature:  # which changes as the gradient does
        return ()
    rows, step = experiment.training_rows, _linear(experiment.phase)
    found = (
        Convention("½ of the mean", "Code whose loss is ½ of the mean of squares: × 2.", 2.0),
        Convention(
            "the sum", f"Code that adds up the squares of all {counted(rows, 'row')}: ÷ {rows:,}.", 1 / rows
        ),
    )
    if step.on_gradient or not step.beta:
        return found
    kept = 1 - step.beta
    velocity = f"Code whose velocity is v ← βv + (1 − β)∇L: ÷ (1 − β), that is ÷ {short(kept, 4)}."
    return (*found, Convention("1 − β", velocity, 1 / kept))


def best_in_the_long_run(curvature: Curvature, phase: Phase) -> float:
    """The fixed rate with the smallest factor after very many epochs.

    2(1 + β)/((a + b)(λ₁ + λ_P)) for gradient descent, with β = 0, and for the heavy ball, with a = 0: the factor grows
    with |1 + β − ηλ(a + b)| alone, or stays at √β. Nesterov's, with b = βa, is where the slowest and the steepest
    direction shrink alike, found by bisection between 1/λ_P and 1/λ₁, where each has its smallest factor: the one's only
    falls with the rate there, the other's only rises.

    Raises:
        ValueError: If the rule is none of these three kinds.
    """
    step = _linear(phase)
    beta, a, b = step
    if a * beta == 0:
        return 2 * (1 + beta) / ((a + b) * (felt(phase, curvature.smallest) + felt(phase, curvature.largest)))
    if (a, b) != (1, beta):
        raise ValueError(f"optimizer must step by ∇L, by v or by ∇L + βv for a best rate. Got {step}.")
    low = 1 / curvature.largest
    high = min(1 / curvature.smallest, stability_limit(curvature, phase))
    for _ in range(60):
        middle = (low + high) / 2
        if slowest_root(step, middle * curvature.largest) < slowest_root(step, middle * curvature.smallest):
            low = middle
        else:
            high = middle
    return high


def gaps(curvature: Curvature, phase: Phase, start: Tensor, learning_rates: Tensor, epochs: int) -> Tensor:
    """L − L* after so many epochs from `start`, for each of K rates under the phase's schedule, without training. [K] → [K]."""
    return _left(curvature, phase, start, learning_rates, epochs).sum(-1)


def _left(curvature: Curvature, phase: Phase, start: Tensor, learning_rates: Tensor, epochs: int) -> Tensor:
    """The same of each eigenvector's direction, [K] → [K, P]."""
    error = curvature.along(start)
    if not schedules.is_constant(phase):
        felt_by_each = learning_rates[:, None] * felt(phase, curvature.eigenvalues)
        powers = torch.from_numpy(
            multiples_under(_linear(phase), felt_by_each.numpy(), _shares(phase, epochs))
        )
    elif is_plain(phase):
        powers = (1 - learning_rates[:, None] * curvature.eigenvalues) ** epochs
    else:
        steps = step_matrix(phase, learning_rates[:, None], curvature.eigenvalues)
        powers = torch.linalg.matrix_power(steps, epochs)[..., 0, 0]
    left = torch.where(error == 0, 0.0, powers * error)  # no error stays none, also where the power overflows
    return 0.5 * curvature.eigenvalues * left**2


def _shares(phase: Phase, epochs: int) -> np.ndarray:
    """The share of η of each of so many epochs on all rows, [n]."""
    share = schedules.share_of(phase)
    return np.array([share(k) for k in range(epochs)])


def best_is_sought(phase: Phase, parameters: int, epochs: int) -> bool:
    """Whether the best rate for so many epochs is looked for: under a schedule each epoch counts, and of many it takes long."""
    return schedules.is_constant(phase) or epochs * parameters <= MOST_SCHEDULED


def best_for(curvature: Curvature, phase: Phase, start: Tensor, epochs: int) -> float:
    """The rate below the limit that leaves the smallest loss after exactly `epochs` epochs from `start`, under the phase's schedule.

    The minimum of the exact curve over the rate, of whose valleys momentum has one for every half swing: `rate_search`.
    Where the best rate in the long run has solved the problem to rounding by then, it is that; and of rates that leave
    equally little, the one closest to it. Above the limit a rate may leave less for a while, where the start has
    hardly any error along the steepest direction: then it grows.
    """
    patient = best_in_the_long_run(curvature, phase)
    if epochs == 0:
        return patient
    first = curvature.gap(start)
    solved = 1e-30 * float(first.sum())
    if float(gaps(curvature, phase, start, _vector(patient), epochs)) <= solved:
        return patient
    limit = stability_limit(curvature, phase)
    shares = None if schedules.is_constant(phase) else _shares(phase, epochs)
    each = felt(phase, curvature.eigenvalues).numpy()
    rates = torch.from_numpy(best_rates(_linear(phase), each, first.numpy(), epochs, limit, shares))
    left = gaps(curvature, phase, start, rates, epochs)
    alike = rates[left <= max(solved, float(left.min()) * (1 + 1e-9))]
    return float(alike[(alike - patient).abs().argmin()])


def left_along(curvature: Curvature, phase: Phase, start: Tensor, updates: int) -> Tensor:
    """L − L* of each eigenvector's direction after so many updates on all rows from `start`, [P].

    In mini-batches the mean error goes the same way, an update at a time.
    """
    return _left(curvature, phase, start, _vector(phase.learning_rate), updates)[0]


def swing_of(phase: Phase, eigenvalue: float) -> float | None:
    """Epochs in which the error along an eigenvector swings to and fro once; None where it does not change its sign.

    The matrix of an epoch has trace τ and determinant δ. Where τ² < 4δ it turns by φ with cos φ = τ/(2√δ), in 2π/φ
    epochs: 2π/√(ηλ) for a small rate and β near 1. Else the larger eigenvalue has the sign of τ; negative, it jumps from side to side.
    """
    beta, a, b = _linear(phase)
    x = phase.learning_rate * felt(phase, eigenvalue)
    trace, determinant = 1 + beta - x * (a + b), beta - x * a * beta
    if trace * trace < 4 * determinant:
        return 2 * math.pi / math.acos(max(-1.0, min(1.0, trace / (2 * math.sqrt(determinant)))))
    return 2.0 if trace < 0 else None


def pays_after(curvature: Curvature, phase: Phase, start: Tensor, epochs: int) -> int | None:
    """The epoch from which on the best rate in the long run stays ahead of the best rate for `epochs`.

    Only for plain gradient descent, whose gaps can be compared as logarithms; None otherwise, and where both are one.
    """
    if not is_plain(phase):
        return None
    patient, hasty = best_in_the_long_run(curvature, phase), best_for(curvature, phase, start, epochs)
    if patient == hasty:
        return None
    factors = (
        (1 - torch.tensor([[patient], [hasty]], dtype=torch.float64) * curvature.eigenvalues).abs().log()
    )
    first = curvature.gap(start).log()

    def is_ahead(n: Tensor) -> Tensor:  # [K] → [K]
        logs = first + 2 * n[:, None, None] * factors.nan_to_num(neginf=-1e300)  # [K, 2, P]
        patient, hasty = logs.logsumexp(2).unbind(1)
        return patient < hasty

    # the lead may change hands more than once: what counts is after which epoch it does not any more
    looked_at = torch.logspace(0, 15, 400, dtype=torch.float64).round().unique() * max(epochs, 1)
    behind = (~is_ahead(looked_at)).nonzero().flatten().tolist()
    last = behind[-1] if behind else -1
    if last == len(looked_at) - 1:
        return None
    low, high = (int(looked_at[last]) if behind else 0), int(looked_at[last + 1])
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if bool(is_ahead(_vector(middle))) else (middle, high)
    return high


def first_step_rate(experiment: Experiment, problem: Problem, curvature: Curvature) -> float:
    """The rate with which the steps of the first update, of all parameters, go a tenth of the longest way.

    AdaGrad and Adam begin with a step of η. RMSProp's mean begins at 0, so its first step is η/√(1 − α). One that is
    linear in the gradient begins with η(a + b)∇L. With u updates in an epoch each goes 1/u of that. Kept within the
    bounds of a rate, for starts that are very far or at home.
    """
    away = problem.start - curvature.optimum
    way = float(away.abs().max())
    theory = OPTIMIZER_INFO[experiment.optimizer].theory
    if isinstance(theory, LinearRule):
        _, a, b = theory.step(experiment)
        over = OPTIMIZER_INFO[experiment.optimizer].over_curvature
        slope = way if over else float((curvature.hessian @ away).abs().max())
        first = 1 / ((a + b) * slope) if slope else 1.0
    else:
        first = theory.rate_of_one(experiment)
    low, high = LEARNING_RATE.low, LEARNING_RATE.high
    return min(high, max(low, FIRST_STEP * way * first / experiment.updates_per_epoch))


def exact_trajectory(curvature: Curvature, start: Tensor, learning_rate: float, epochs: int) -> Tensor:
    """Gradient descent's whole path in closed form: θₖ = θ* + V diag((1 − ηλᵢ)ᵏ) Vᵀ(θ₀ − θ*). [T + 1, P].

    No loop over epochs, so it is an oracle for the loop.
    """
    powers = (1 - learning_rate * curvature.eigenvalues) ** torch.arange(epochs + 1).unsqueeze(1)
    return curvature.optimum + (powers * curvature.along(start)) @ curvature.eigenvectors.T


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What theory says about an experiment, in plain numbers. Rates are None where the rule has no such line.

    With a schedule the limit is one for the rate of each epoch, and a best rate is the η of which the epochs have their shares.
    Factors, which are those of one rate, are None; so is what a schedule that comes down would be best at in the long run.

    Attributes:
        eigenvalues: Curvatures, smallest first.
        condition_number: κ, infinite if a direction is flat.
        stability_limit: Above this rate the run diverges.
        why_no_limit: The reason where there is none.
        best_learning_rate: In the long run.
        best_for_epochs: For exactly the epochs asked for, from this start; None for a continued run, which goes on
            from somewhere else, and where it is not looked for: `best_is_sought`.
        pays_after: From this epoch on the first of the two is ahead.
        optimum: θ* in raw units.
        optimum_digits: How many digits of each are known, 0 to 15; 0 where a number is 0 up to rounding.
        floor_rmse: RMSE at θ*.
        floor_is_zero: Whether that is no more than the rounding of the data.
        zones: Names and upper ends of the rate's zones below the limit, as shares of it; and of the one above it in which
            the schedule brings the rate below.
        factors: What the error along each eigenvector is multiplied by in an epoch, at the chosen rate.
        experiment: What it is about,
        problem: its problem,
        curvature: and the parabola that all of this was read from.
        worked_out: What others have worked out from it, by name: it takes a while, and is needed more than once.
    """

    eigenvalues: tuple[float, ...]
    condition_number: float
    stability_limit: float | None
    why_no_limit: str | None
    best_learning_rate: float | None
    best_for_epochs: float | None
    pays_after: int | None
    optimum: tuple[float, ...]
    optimum_digits: tuple[int, ...]
    floor_rmse: float
    floor_is_zero: bool
    factors: tuple[float, ...] | None
    zones: Mapping[str, float]
    experiment: Experiment = field(compare=False, repr=False)
    problem: Problem = field(compare=False, repr=False)
    curvature: Curvature = field(compare=False, repr=False)
    worked_out: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def zone(self, learning_rate: float) -> str | None:
        """The zone of a rate; the limit itself still belongs below it. None where there is no limit."""
        if self.stability_limit is None:
            return None
        share = learning_rate / self.stability_limit
        return next((name for name, edge in self.zones.items() if share <= edge), "diverges")


def forecast_of(experiment: Experiment, problem: Problem, curvature: Curvature) -> Forecast:
    """Everything that can be said before training, if the loss is a parabola."""
    reason = why_no_limit(experiment)
    phase, start, epochs = experiment.phase, problem.start, experiment.epochs
    has_limit, at_one_rate = reason is None, schedules.is_constant(experiment)
    once = has_limit and at_one_rate and not experiment.before
    last = schedules.in_the_end(experiment) / experiment.learning_rate  # share of η
    sought = has_limit and not experiment.before and best_is_sought(phase, len(start), epochs)
    zones = GRADIENT_DESCENT_ZONES if is_plain(phase) else {"settles": 1.0}
    return Forecast(
        eigenvalues=tuple(curvature.eigenvalues.tolist()),
        condition_number=curvature.condition_number,
        stability_limit=stability_limit(curvature, phase) if has_limit else None,
        why_no_limit=reason,
        best_learning_rate=best_in_the_long_run(curvature, phase) if has_limit and last == 1 else None,
        best_for_epochs=best_for(curvature, phase, start, epochs) if sought else None,
        pays_after=pays_after(curvature, phase, start, epochs) if once else None,
        optimum=tuple(problem.raw(curvature.optimum).tolist()),
        optimum_digits=_digits(problem, curvature),
        floor_rmse=curvature.floor_rmse,
        floor_is_zero=curvature.floor_is_zero,
        zones=zones if last == 1 else {**zones, AT_FIRST: 1 / last if last else math.inf},
        factors=tuple(factor(phase, phase.learning_rate, x) for x in curvature.eigenvalues.tolist())
        if has_limit and at_one_rate
        else None,
        experiment=experiment,
        problem=problem,
        curvature=curvature,
    )


def _digits(problem: Problem, curvature: Curvature) -> tuple[int, ...]:
    """How many digits of each raw parameter of the optimum are known."""
    unsure = problem.to_raw.abs() @ (curvature.unsure + EPSILON * curvature.optimum.abs())
    unsure += EPSILON * problem.offset.abs()
    shares = unsure / problem.raw(curvature.optimum).abs()
    return tuple((-shares.log10()).nan_to_num(nan=0.0).ceil().clamp(0, 15).int().tolist())


def _vector(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)
