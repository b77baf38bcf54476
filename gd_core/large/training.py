"""Training on the rows of a file that is read in pieces, by one process or by several together.

One pass over the rows gives their moments, the small triangle that is all that the squared error asks of them. With
all rows in every update nothing else is ever read: an epoch costs as much for a thousand rows as for a billion. With
mini-batches every epoch reads the file again, in the order of its rows.

Shapes: N rows, P parameters, W processes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from gd_core.in_batches import settling_rate
from gd_core.large.distributed import Group
from gd_core.large.run import LargeRun
from gd_core.least_squares import EPSILON
from gd_core.models import Linear, LinearInParameters, Polynomial, ThroughOrigin
from gd_core.moments import Moments
from gd_core.objective import value_and_gradient
from gd_core.optimizers import State, UpdateRule
from gd_core.problem import rule_of_phase
from gd_core.reasons.phrases import ILL_CONDITIONED
from gd_core.settings.experiment_fields import LEARNING_RATE, typed_rate
from gd_core.settings.rules import OPTIMIZER_INFO, LinearRule
from gd_core.tables.reading import TableError
from gd_core.tables.streaming import Chunk, Reader
from gd_core.theory import Curvature, best_for, curvature_from_moments, why_no_limit_of
from gd_core.training import has_diverged

FEWEST_ROWS = 2
MOST_ROUNDING = 1e-9  # of a column, beyond which no direction is called flat
CANNOT_BE_READ = "table must be a file that can be read to its end."
CONSTANT = 1e-12  # of a column's size, below which its deviation is rounding
T = TypeVar("T")
Progress = Callable[[float], None]  # is told the share of the file that has been read


class Seen(NamedTuple):
    """What one pass over the rows finds.

    Attributes:
        moments: Of Φ and y in raw units, of all processes' rows.
        dropped: Rows that were left out.
        filled: Cells that took their column's mean.
    """

    moments: Moments
    dropped: int
    filled: int


def look_through(run: LargeRun, reader: Reader, group: Group, progress: Progress) -> tuple[Reader, Seen]:
    """Read every row once; twice if gaps are filled with a column's mean. Each process reads its shard.

    Raises:
        TableError: If a row cannot be used; the sentence is the same in every process.
        PeerLost: If a process has ended.
    """
    if run.missing == "mean":
        reader = replace(reader, fill=_means(run, reader, group, progress))
    model = model_of(run)
    own, dropped, filled = Moments.none(len(run.parameters)), 0, 0
    for chunk in _together(reader.chunks(group.shard), group):
        if chunk is None:
            continue
        progress(chunk.share)
        own = own + _moments(model, chunk, group.device)
        dropped, filled = dropped + chunk.dropped, filled + chunk.filled
    counts = group.sum(torch.tensor([dropped, filled], dtype=torch.float64))
    seen = Seen(group.moments(own), *(int(count) for count in counts.tolist()))
    if seen.moments.rows < FEWEST_ROWS:
        left = f", after {seen.dropped:,} left out" if seen.dropped else ""
        raise TableError(
            f"table must have at least {FEWEST_ROWS} rows to fit. Got {seen.moments.rows}{left}."
        )
    return reader, seen


def _moments(model: LinearInParameters, chunk: Chunk, device: torch.device) -> Moments:
    features, target = _tensors(model, chunk.x, chunk.y, device)
    if device.type == "cpu":
        return Moments.of(features, target)
    width = features.shape[1] + 1
    rows = torch.cat([features, target.unsqueeze(1)], 1)
    padded = torch.nn.functional.pad(rows, (0, 0, 0, max(0, width - len(rows))))
    return Moments(torch.linalg.qr(padded, mode="r").R.cpu(), len(rows))


def _tensors(
    model: LinearInParameters, x: np.ndarray, y: np.ndarray, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Φ [n, P] and y [n]."""
    rows, target = (torch.from_numpy(np.ascontiguousarray(part)).to(device) for part in (x, y))
    return model.features(rows), target


def _means(run: LargeRun, reader: Reader, group: Group, progress: Progress) -> np.ndarray:
    """The mean of every feature's numbers, [D]."""
    total = torch.zeros(2, len(run.features), dtype=torch.float64)
    for found in _together(reader.sums(group.shard), group):
        if found is not None:
            total += torch.from_numpy(np.stack(found[:2]))
            progress(found[2])
    sums, counts = group.sum(total).numpy()
    for name, count in zip(run.features, counts, strict=True):
        if not count:
            raise TableError(f"features must be columns with numbers. Got {name}, which holds none.")
    return sums / counts


def _together(own: Iterator[T], group: Group) -> Iterator[T | None]:
    """The next piece of every process's own, None where there is none, until all have come to their end.

    They go step by step, so that a process that fails or ends is noticed at once.

    Raises:
        TableError: If a process cannot go on: with its sentence, in every process.
    """
    while True:
        chunk, sentence = _next(own)
        here, failed = group.sum(
            torch.tensor([chunk is not None, sentence is not None], dtype=torch.float64)
        ).tolist()
        if failed:
            raise TableError(group.failure(sentence) or CANNOT_BE_READ)
        if not here:
            return
        yield chunk


def _next(own: Iterator[T]) -> tuple[T | None, str | None]:
    """The next piece, or None at the end; or else the sentence that says why there is none."""
    try:
        return next(own, None), None
    except TableError as error:
        return None, str(error)
    except OSError as error:
        return None, f"{CANNOT_BE_READ.rstrip('.')}: {error.strerror or error}."


# ------------------------------------------------------------------------------------------------------- training


@dataclass(frozen=True, eq=False)
class LargeProblem:
    """What is trained, and the way back to raw units.

    Attributes:
        run: The settings, with a learning rate.
        moments: Of Φ and y in the coordinates that are trained.
        mean: What is subtracted from each feature, [D]; 0 unless features are scaled.
        deviation: What each is divided by, [D]; 1 unless features are scaled.
        to_raw: Matrix [P, P]; θ in raw units is `to_raw @ theta`.
        start: θ₀, [P].
        curvature: The parabola that the loss is.
    """

    run: LargeRun
    moments: Moments
    mean: Tensor
    deviation: Tensor
    to_raw: Tensor
    start: Tensor
    curvature: Curvature


def model_of(run: LargeRun) -> LinearInParameters:
    """A plane over the features, or a polynomial in one."""
    weights = max(len(run.features), run.degree)
    model = Polynomial(weights) if run.degree > 1 else Linear(weights)
    return model if run.intercept else ThroughOrigin(model)


def problem_of(run: LargeRun, raw: Moments, *, as_it_is: bool = False) -> LargeProblem:
    """The problem of rows with these moments in raw units.

    Without a learning rate it is as `safe_start.as_opened` has it of rows that are held: scaled where κ > 100 and scaling
    helps, at the best rate for its epochs.

    Args:
        run: The settings.
        raw: Of all rows.
        as_it_is: Whether somebody said that features are not scaled: then a rate that settles, if one can be typed.
    """
    features, count = raw.features, len(run.features)
    size = features.square().sum(0).sqrt()[:count]
    mean, deviation = torch.zeros_like(size), size / raw.rows**0.5
    if run.intercept:  # else nothing takes up a shift
        ones = features[:, -1]
        mean = features[:, :count].T @ ones / raw.rows
        deviation = (features[:, :count] - torch.outer(ones, mean)).square().sum(0).div(raw.rows).sqrt()
    constant = deviation <= CONSTANT * size / raw.rows**0.5
    deviation = torch.where(constant, torch.ones_like(deviation), deviation)
    if not run.scale_features:
        mean, deviation = torch.zeros_like(mean), torch.ones_like(deviation)
    to_raw = model_of(run).to_raw(mean, deviation)
    moments = raw.in_coordinates(to_raw) if run.scale_features else raw
    if run.scale_features and run.intercept and run.degree == 1:
        # less its mean, a column that is the same in every row is 0, and not what rounding leaves of it
        factor = moments.factor.clone()
        factor[:, :count][:, constant] = 0.0
        moments = replace(moments, factor=factor)
    start = torch.linalg.solve(to_raw, _start(run))
    # what is subtracted takes digits with it, in each power
    shifted = torch.where(constant, 0.0, mean / deviation).abs().amax().item()
    rounding = min(EPSILON * (1 + 2 * shifted) ** max(1, run.degree), MOST_ROUNDING)
    curvature = curvature_from_moments(moments, rounding)
    if not run.learning_rate:
        low, high = LEARNING_RATE.low, LEARNING_RATE.high
        rate = usual_rate(run, curvature, start)
        if not run.scale_features and (
            rate < low or (not as_it_is and curvature.condition_number > ILL_CONDITIONED)
        ):
            scaled = problem_of(replace(run, scale_features=True), raw)
            if rate < low or scaled.curvature.condition_number < curvature.condition_number:
                return scaled
        if not as_it_is and why_no_limit_of(run.optimizer, run.batch_size > 0, run.shuffle) is None:
            rate = typed_rate(best_for(curvature, run.phase, start, run.epochs))
        run = replace(run, learning_rate=min(high, max(low, rate)))
    return LargeProblem(run, moments, mean, deviation, to_raw, start, curvature)


def _start(run: LargeRun) -> Tensor:
    """θ₀ in raw units, [P]: 0, standard normal from the seed, or the given numbers."""
    if run.start == "random":
        generator = torch.Generator().manual_seed(run.seed)
        return torch.randn(len(run.parameters), generator=generator, dtype=torch.float64)
    if run.start == "published":
        return torch.zeros(len(run.parameters), dtype=torch.float64)
    return torch.tensor(run.start, dtype=torch.float64)


def usual_rate(run: LargeRun, curvature: Curvature, start: Tensor) -> float:
    """A rate that settles, as a run on held rows takes it; for a rule without theory, a tenth of the longest way as a first step."""
    theory = OPTIMIZER_INFO[run.optimizer].theory
    if not isinstance(theory, LinearRule):
        way = float((curvature.optimum - start).abs().max())
        rate = (way or 1.0) / 10 * theory.rate_of_one(run)
    else:
        rate = settling_rate(curvature, run.phase, run.batch_size)
    return typed_rate(rate) if 0 < rate < float("inf") else 1.0


class Point(NamedTuple):
    """Where a run stands at the start of an epoch.

    Attributes:
        epoch: k.
        theta: θ, [P].
        loss: Over all rows, [].
        state: What the update rule remembers.
        updates: How many there were; None after a record that does not say.
    """

    epoch: int
    theta: Tensor
    loss: Tensor
    state: State
    updates: int | None


def first_point(problem: LargeProblem) -> Point:
    """The start."""
    state = rule_of(problem.run).initial(problem.start)
    return Point(0, problem.start, problem.moments.mean_square(problem.start), state, 0)


def rule_of(run: LargeRun) -> UpdateRule:
    """The update rule with its settings."""
    return rule_of_phase(run.phase)


def with_all_rows(problem: LargeProblem, point: Point) -> Iterator[Point]:
    """Every epoch from `point` on, its own included, forever. ∇L = (2/N) Φᵀ(Φθ − y), with P + 1 rows in place of N."""
    features, target, rule = problem.moments.features, problem.moments.target, rule_of(problem.run)
    epoch, theta, _, state, _ = point
    while True:
        residual = features @ theta - target
        yield Point(epoch, theta, residual @ residual / problem.moments.rows, state, epoch)
        gradient = 2 / problem.moments.rows * (residual @ features)
        theta, state = rule.update(theta, gradient, state)
        epoch += 1


def with_batches(
    problem: LargeProblem, point: Point, reader: Reader, group: Group, progress: Progress
) -> Iterator[Point]:
    """Every epoch from `point` on, its own included, forever. An epoch is a pass over the file.

    Update u of an epoch takes rows uB … uB + B − 1 of every process's shard, in the order of the file; the gradient is
    the mean over the rows of all processes. One whose rows have come to an end waits for the others.
    """
    rule = rule_of(problem.run)
    epoch, theta, _, state, updates = point
    while True:
        yield Point(epoch, theta, problem.moments.mean_square(theta), state, updates)
        batches = _batches(problem, reader, group, progress)
        while True:
            batch, sentence = _next(batches)
            own = torch.zeros(len(theta) + 2, dtype=torch.float64)  # slopes summed up, rows, failures
            own[-1] = sentence is not None
            if batch is not None:
                features, target = batch
                squares = partial(_sum_of_squares, features, target)
                own[:-2] = value_and_gradient(squares, theta.to(features.device))[1].cpu()
                own[-2] = len(target)
            whole = group.sum(own)
            if whole[-1]:
                raise TableError(group.failure(sentence) or CANNOT_BE_READ)
            if not whole[-2]:
                break
            theta, state = rule.update(theta, whole[:-2] / whole[-2], state)
            updates = None if updates is None else updates + 1
        epoch += 1


def _sum_of_squares(features: Tensor, target: Tensor, theta: Tensor) -> Tensor:
    return (features @ theta - target).square().sum()


def _batches(
    problem: LargeProblem, reader: Reader, group: Group, progress: Progress
) -> Iterator[tuple[Tensor, Tensor]]:
    """B rows at a time of this process's shard, as Φ [B, P] and y [B]; at its end those that are left."""
    model, size = model_of(problem.run), problem.run.batch_size
    mean, deviation = problem.mean.numpy(), problem.deviation.numpy()
    x, y = np.empty((0, len(mean))), np.empty(0)
    for chunk in reader.chunks(group.shard):
        progress(chunk.share)
        x = np.concatenate([x, (chunk.x - mean) / deviation])
        y = np.concatenate([y, chunk.y])
        full = len(y) - len(y) % size
        for first in range(0, full, size):
            yield _tensors(model, x[first : first + size], y[first : first + size], group.device)
        x, y = x[full:], y[full:]
    if len(y):
        yield _tensors(model, x, y, group.device)


def until_it_ends(points: Iterator[Point], epochs: int, first_loss: float) -> Iterator[Point | int]:
    """The points up to the last epoch; or, where the loss has passed the bound, the epoch of that at the end."""
    for point in points:
        if has_diverged(point.loss.item(), first_loss):
            yield point.epoch
            return
        yield point
        if point.epoch >= epochs:
            return
