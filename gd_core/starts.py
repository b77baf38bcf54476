"""Where starts end: many starts over the plane of two parameters, all trained at once, and the lowest point that each comes to.

Each is the run of that start: the same rule, rate, epochs, and rows in every update. Where a run of full batches has ended is
told by what the loss is like there, never by how far it has come:

- arrived: in its last epochs at most a thousandth of its fall is left, by the Hessian of a lowest point to which Newton's
  steps lead from it, and at that point the rate is below the limit. Gone on, it stays in that valley.
- diverged: its loss has passed the bound, as in any run.
- level: its slope is 0 and no lowest point is there, so no step leads away: a saddle or a top.
- under way: all else.

Mini-batches never rest. Of those it is told in which valley they are at the end: the loss curves upwards there, and
Newton's steps lead to its lowest point.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gd_core.here import FLAT, LEVEL
from gd_core.in_slices import InSlices
from gd_core.landscape import Window
from gd_core.objective import LinearObjective, Objective
from gd_core.one_thread import in_parts
from gd_core.problem import Problem
from gd_core.settings import schedules
from gd_core.settings.experiment import Experiment, not_known
from gd_core.settings.experiment_fields import COMMON_FIELDS
from gd_core.settings.rules import linear_step
from gd_core.settings.schedules import at_constant_rate, rate_at
from gd_core.theory import limit_along
from gd_core.training import DIVERGED_ABOVE, batches
from gd_core.words import counted

SIDES = (60, 32, 16)  # starts along each side of the plane: as many as are soon trained
# Where all take long, every so many-th along each side is trained first: coarse, then fine.
COARSE = (4, 2, 1)
KNOWN = tuple(name for name in (*COMMON_FIELDS, *schedules.FIELDS) if name not in ("tolerance", "patience"))
DIVERGED, UNDER_WAY, LEVEL_GROUND, NOT_YET = -1, -2, -3, -4
ARRIVED = 1e-3  # of a run's fall: as much may be left
LATELY = 5e-3  # of its fall so far: what falls by more in the last epochs has not arrived
LOOKED_BACK = 20  # epochs in which no more is left
LOOKED_AT = 100  # epochs: after so many those are let go of whose end is known
CONTRACTS = 0.25  # of the gap, at least, is what a step of Newton's leaves in a valley
POLISHED = 6  # steps of Newton's from there to its lowest point
NEAR = 1e-3  # of the largest of a parameter: Newton's steps that end nearer are gone on with together
SAME = 1e-6  # of the largest of a place: lowest points that are nearer are one
ALIKE = 1e-4  # of the spread of the curves: where two are nearer, they are one valley
ROUNDING = 1e-15  # of a place: a step of Newton's that is shorter
STANDS = 1e-13  # of the steepest slope: it is 0 up to rounding
ONE_VALLEY = "This loss has one valley: wherever a run starts, it goes down to the same lowest loss, unless it diverges."
ERRORS_AT_ONCE = 2**20  # residuals in memory together,
RESIDUALS = 2**16  # and of these as many as stay in a core's cache
# Residuals of a whole map, times half the parameters, that are no wait: a third of a second, about.
AT_ONCE = 5e7
MOST = 2e9  # the same that are waited for: half a minute, about,
UPDATE = 60_000  # and as many of them take as long as an update of few


class Valley(NamedTuple):
    """A lowest point that starts have come to.

    Attributes:
        places: Where, [M, P]: several where other parameters make the same curve.
        loss: L there.
        rmse: Root mean squared error there, in the data's units.
    """

    places: Tensor
    loss: float
    rmse: float


class Ends(NamedTuple):
    """Where the starts over a plane end, so far.

    Attributes:
        shown: The part of the plane; a start is in the middle of each of its squares.
        axes: Its two parameters. The others are at the run's own start.
        which: Number of the valley that a start comes to, or DIVERGED, UNDER_WAY, LEVEL_GROUND, [V, U]: rows along the second
            parameter, from low to high. While not all are trained, that of one near by; NOT_YET before the first.
        valleys: The lowest first.
        share: Of the work, that is done.
    """

    shown: Window
    axes: tuple[int, int]
    which: np.ndarray
    valleys: tuple[Valley, ...]
    share: float

    def start(self, row: int, column: int) -> tuple[float, float]:
        """The start in the middle of a square."""
        side = len(self.which)
        u, v = (
            middle + half * ((2 * place + 1) / side - 1)
            for middle, half, place in zip(self.shown.centre, self.shown.half, (column, row), strict=True)
        )
        return u, v

    def at(self, place: Sequence[float]) -> int | None:
        """What `which` says of the square around a place of the plane; None outside."""
        side = len(self.which)
        column, row = (
            int(np.floor((one - middle + half) / (2 * half) * side))
            for one, middle, half in zip(place, self.shown.centre, self.shown.half, strict=True)
        )
        return int(self.which[row, column]) if 0 <= row < side and 0 <= column < side else None

    def deepest(self, which: int) -> tuple[int, int] | None:
        """The square of a kind that is farthest from any other: its row and column. None if there is none."""
        inside, left = self.which == which, None
        while inside.any():
            left = inside
            framed = np.pad(inside, 1)
            inside = inside & framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]
        if left is None:
            return None
        row, column = np.argwhere(left)[0]
        return int(row), int(column)


def why_no_starts(experiment: Experiment, objective: Objective) -> str | None:
    """Why there is no such map, in a sentence for a student; None if there is one."""
    # Every loss is convex in what a model that is linear in θ says.
    if isinstance(objective, LinearObjective):
        return ONE_VALLEY
    if sentence := not_known(experiment, KNOWN, "for a map of starts"):
        return sentence
    if side_of(experiment) is None:
        updates = counted(experiment.total_epochs * experiment.updates_per_epoch, "update")
        return f"{updates} on {counted(experiment.rows_per_update, 'row')} are too many for a map of starts. Take fewer epochs."
    return None


def side_of(experiment: Experiment) -> int | None:
    """How many starts along each side are trained within MOST; None if even the fewest take longer."""
    return next((side for side in SIDES if _work(experiment, side) <= MOST), None)


def _work(experiment: Experiment, side: int) -> float:
    each = experiment.rows_per_update * len(experiment.info.parameters) / 2
    return experiment.total_epochs * experiment.updates_per_epoch * (side**2 * each + UPDATE)


class Starts(InSlices[None, Ends]):
    """A map of starts in the making: `advance` trains for a while, `recording` is the map so far. `why_no_starts` is asked before.

    All at once it is

        starts = Starts(experiment, problem, box_of(experiment, problem.start))
        starts.advance()
        ends = starts.recording()

    and `charts.loss_map.terrain(…, ends=ends)` draws it.

    Args:
        experiment: The run whose rule, rate, epochs and rows each start has.
        problem: Its problem.
        shown: The part of the plane.
        axes: The two parameters, by number.
        side: Starts along each side, a multiple of 4.
    """

    def __init__(
        self,
        experiment: Experiment,
        problem: Problem,
        shown: Window,
        axes: tuple[int, int] = (0, 1),
        side: int = SIDES[0],
    ) -> None:
        self.experiment, self.problem, self.shown, self.axes = experiment, problem, shown, axes
        self._side, self._done = side, 0
        # Numbers of lowest points, or less than 0.
        self._which = np.full((side, side), NOT_YET, dtype=np.int16)
        self._lowest = _Lowest(problem.objective)
        super().__init__(self._steps_of_all())

    def keep(self, step: None) -> None:
        """Every step has been kept when it was made."""

    def recording(self) -> Ends:
        valleys, number = self._lowest.valleys(np.unique(self._which[self._which >= 0]).astype(np.int64))
        rows, columns = np.indices(self._which.shape)
        which = self._which
        for every in COARSE[-2::-1]:  # of a square that is not trained yet, what is known near by
            near = which[rows // every * every + 1, columns // every * every + 1]
            which = np.where(which == NOT_YET, near, which)
        which = np.where(which < 0, which, number[which.clip(min=0)])
        work = which.size * self.experiment.total_epochs * self.experiment.updates_per_epoch
        return Ends(self.shown, self.axes, which, valleys, self._done / work)

    def _steps_of_all(self) -> Iterator[None]:
        """A step for each update of each part of the starts, the coarse ones first."""
        rows, columns = np.indices(self._which.shape)
        done = np.zeros(self._which.shape, dtype=bool)
        at_once = max(1, ERRORS_AT_ONCE // self.experiment.training_rows)
        for every in COARSE if _work(self.experiment, self._side) > AT_ONCE else (1,):
            first = min(1, every - 1)
            todo = (rows % every == first) & (columns % every == first) & ~done
            done |= todo
            places = np.argwhere(todo)
            for part in np.split(places, range(at_once, len(places), at_once)):
                yield from self._steps_of(part)

    def _steps_of(self, places: np.ndarray) -> Iterator[None]:
        """Train the starts in these squares, [K, 2], and tell where they end. One that has diverged, or rests for good, is let go of."""
        experiment, objective, rule = self.experiment, self.problem.objective, self.problem.rule
        stride, before, many = experiment.updates_per_epoch, self._done, len(places)
        updates = experiment.total_epochs * stride
        start = self._starts_in(places)
        theta, state, latest, fallen = start, rule.initial(start), [start], []
        (first,) = _in_parts(objective, lambda some: (objective.many(some),), start)
        gone = ~first.isfinite()
        order = batches(experiment.training_rows, experiment.batch_size, experiment.seed, experiment.shuffle)
        for update, rows in enumerate(islice(order, updates), 1):
            some = objective.on(rows)
            assert isinstance(some, Objective)  # what has Φ has no such map
            losses, gradient = _in_parts(some, some.many_with_gradients, theta)
            fallen = [*fallen[1 - LOOKED_BACK :], losses]
            gone |= ~(losses <= DIVERGED_ABOVE * first.clamp(min=1))
            theta, state = rule.update(theta, gradient, state)
            theta = torch.where(gone[:, None], start, theta)  # or its numbers would overflow
            if update % stride == 0:
                latest = [*latest[-LOOKED_BACK:], theta]
            if update % (LOOKED_AT * stride) == 0 or update == updates:
                told = self._told(latest, fallen[0], first, gone, ended=update == updates)
                self._which[tuple(places.T)] = told
                left = torch.from_numpy(told == UNDER_WAY)
                held = (places, start, theta, state, latest, fallen, first, gone)
                places, start, theta, state, latest, fallen, first, gone = _those(left, held)
            self._done = before + many * update
            yield
            if not len(places):
                break
        self._done = before + many * updates

    def _starts_in(self, places: np.ndarray) -> Tensor:
        start = self.problem.start.repeat(len(places), 1)
        for axis, middle, half, place in zip(
            self.axes, self.shown.centre, self.shown.half, places.T[::-1], strict=True
        ):
            start[:, axis] = middle + half * torch.from_numpy((2 * place + 1) / self._side - 1)
        return start

    def _told(
        self, latest: list[Tensor], before: Tensor, first: Tensor, gone: Tensor, *, ended: bool
    ) -> np.ndarray:
        """Where starts are by their latest θ, each [K, P], the loss `before` them and the first, [K].

        Before all have `ended` only what stays so.
        """
        lowest, theta, objective = self._lowest, latest[-1], self.problem.objective
        losses, slopes = _in_parts(objective, objective.many_with_gradients, theta)
        gone = gone | ~(losses <= DIVERGED_ABOVE * first.clamp(min=1))
        told = np.where(gone.numpy(), DIVERGED, UNDER_WAY)
        if not ended and not self._rests_for_good:
            return told
        lowest.steepest = max(lowest.steepest, float(slopes.norm(dim=1).nan_to_num(0, 0, 0).max()))
        level = slopes.norm(dim=1) <= STANDS * lowest.steepest
        number = torch.full((len(theta),), -1)
        if self.experiment.updates_per_epoch > 1:
            number = lowest.below(theta, slopes, first - losses)
        else:  # what has arrived has hardly a thousandth of its fall behind it in the epochs that are looked back at
            lately = (before - losses).abs()
            may = (lately <= LATELY * (first - losses) + STANDS * first.abs()).nonzero()[:, 0]
            number[may] = lowest.below(theta[may], slopes[may], (2 * ARRIVED * (first - losses))[may])
        arrived = (number >= 0) & ~gone
        if arrived.any() and self.experiment.updates_per_epoch == 1:
            mine = number.clamp(min=0)
            away = torch.stack(latest) - lowest.theta[mine]
            left = 0.5 * torch.einsum("wki,kij,wkj->wk", away, lowest.hessian[mine], away)
            rest = ARRIVED * (first - lowest.loss[mine]) + STANDS * first.abs()
            arrived &= (left <= rest).all(0) & self._stays_at(lowest.steepness)[mine]
        told = np.where((level & ~gone).numpy(), LEVEL_GROUND, told)
        return np.where(arrived.numpy(), number.numpy(), told)

    @property
    def _rests_for_good(self) -> bool:
        """Whether a run that has arrived is sure to stay: on all rows, by one rule that is linear in the gradient, at one rate."""
        experiment = self.experiment
        one_rate = not experiment.before and schedules.is_constant(experiment.phase)
        return one_rate and experiment.updates_per_epoch == 1 and linear_step(experiment.phase) is not None

    def _stays_at(self, steepness: Tensor) -> Tensor:
        """Whether the rate to which the run has come is below the limit at lowest points of this curvature, [M]. Many rules have none."""
        experiment = self.experiment
        phase = experiment.phase
        if linear_step(phase) is None:
            return torch.ones_like(steepness, dtype=torch.bool)
        rate = rate_at(phase, experiment.updates_per_epoch, max(0, phase.epochs - 1))
        now = at_constant_rate(phase, rate)
        return torch.tensor([rate < limit_along(one, now) for one in steepness.tolist()])


class _Lowest:
    """The lowest points that have been found so far, M of them.

    Attributes:
        theta: θ, [M, P].
        hessian: There, [M, P, P].
        loss: [M].
        steepness: The largest curvature, [M].
        steepest: The longest gradient that has been seen.
    """

    def __init__(self, objective: Objective) -> None:
        self.objective, self.steepest = objective, 0.0
        size = sum(one.numel() for one in objective.model.parameters())
        self.theta, self.hessian = torch.zeros(0, size).double(), torch.zeros(0, size, size).double()
        self.loss, self.steepness = torch.zeros(0).double(), torch.zeros(0).double()

    def below(self, theta: Tensor, slopes: Tensor, most: Tensor) -> Tensor:
        """The number of the lowest point in whose valley each place lies, [K, P] → [K]: Newton's steps lead there. −1 where none is.

        Nor where the gap to it, by such a step, is above `most`, [K]: far from any lowest point they lead anywhere.
        """
        found = torch.full((len(theta),), -1)
        nearer, curves = _newton(self.objective, theta, slopes)
        curves &= 0.5 * (slopes * (theta - nearer)).sum(1) <= most + STANDS
        candidates = curves.nonzero()[:, 0]
        if not len(candidates):
            return found
        some = nearer[candidates]
        nearest, curves = _newton(self.objective, some, self.objective.many_with_gradients(some)[1])
        candidates, ends = candidates[curves], nearest[curves]
        if not len(candidates):
            return found
        spacing = (NEAR * ends.abs().amax(0)).clamp(min=1e-300)
        _, group = torch.unique((ends / spacing).round(), dim=0, return_inverse=True)
        one_of_each = torch.empty(int(group.max()) + 1, dtype=torch.long)
        one_of_each[group] = torch.arange(len(group))
        number = self._numbers_of(ends[one_of_each])[group]
        mine, known = number.clamp(min=0), number >= 0
        if not known.any():
            return found
        before, after = (self._left(place[candidates], mine) for place in (theta, nearer))
        steps = known & (after <= CONTRACTS * before + STANDS * self.loss[mine].abs())
        found[candidates[steps]] = number[steps]
        return found

    def _left(self, theta: Tensor, number: Tensor) -> Tensor:
        away = theta - self.theta[number]
        return 0.5 * torch.einsum("ki,kij,kj->k", away, self.hessian[number], away)

    def _numbers_of(self, places: Tensor) -> Tensor:
        """The numbers of lowest points, known by now, to which Newton's steps lead from these places; −1 where they lead to none."""
        theta = places
        for _ in range(POLISHED):
            before = theta
            theta, _ = _newton(self.objective, theta, self.objective.many_with_gradients(theta)[1])
            if bool((theta - before).abs().max() <= ROUNDING * (1 + theta.abs().max())):
                break
        losses, slopes = self.objective.many_with_gradients(theta)
        matrices = self.objective.hessians(theta)
        sound = losses.isfinite() & matrices.flatten(1).isfinite().all(1)
        values = torch.linalg.eigvalsh(
            torch.where(sound[:, None, None], matrices, torch.eye(theta.shape[1]).double())
        )
        sound &= (values[:, 0] > FLAT * values[:, -1]) & (slopes.norm(dim=1) <= LEVEL * self.steepest)
        number = torch.full((len(theta),), -1)
        for k in sound.nonzero()[:, 0].tolist():
            apart = (self.theta - theta[k]).abs().amax(1) > SAME * (1 + theta[k].abs().max())
            known = (~apart).nonzero()[:, 0]
            if not len(known):
                self.theta, self.hessian = (
                    torch.cat([self.theta, theta[k : k + 1]]),
                    torch.cat([self.hessian, matrices[k : k + 1]]),
                )
                self.loss = torch.cat([self.loss, losses[k : k + 1].detach()])
                self.steepness = torch.cat([self.steepness, values[k, -1:]])
            number[k] = known[0] if len(known) else len(self.loss) - 1
        return number

    def valleys(self, reached: np.ndarray) -> tuple[tuple[Valley, ...], np.ndarray]:
        """Those that starts have come to, by number; the lowest first, and as one where they make the same curve.

        Also the number of its valley for each lowest point.
        """
        number = np.full(len(self.loss) + 1, NOT_YET, dtype=np.int16)
        found: list[Valley] = []
        curves = self.objective.predict_many(self.theta[torch.from_numpy(reached)])
        spread = float(curves.max() - curves.min()) if len(curves) else 0.0
        for k in self.loss[reached].argsort().tolist():
            if number[reached[k]] != NOT_YET:
                continue
            alike = ((curves - curves[k]).abs().amax(1) <= ALIKE * spread).numpy()
            same = reached[alike & (number[reached] == NOT_YET)]
            number[same] = len(found)
            rmse = float(self.objective.rmse(self.theta[reached[k]]))
            found.append(Valley(self.theta[torch.from_numpy(same)], float(self.loss[reached[k]]), rmse))
        return tuple(found), number


def _newton(objective: Objective, theta: Tensor, slopes: Tensor) -> tuple[Tensor, Tensor]:
    """A step of Newton's from each place where the loss curves upwards in every direction, [K, P], and whether it does, [K]."""
    (matrices,) = _in_parts(objective, lambda some: (objective.hessians(some),), theta)
    sound = matrices.flatten(1).isfinite().all(1)
    matrices = torch.where(sound[:, None, None], matrices, -torch.eye(theta.shape[1]).double())
    bowls, falls = torch.linalg.cholesky_ex(matrices)
    curves = falls == 0
    steps = torch.cholesky_solve(slopes[:, :, None], bowls)[:, :, 0]
    return torch.where(curves[:, None], theta - steps, theta), curves


def _in_parts(
    objective: Objective, work: Callable[[Tensor], tuple[Tensor, ...]], theta: Tensor
) -> tuple[Tensor, ...]:
    """What becomes of K places at once, [K, P] → [K, …], worked out in equal parts, a pair or several pairs, each part on a core."""
    size = len(theta) * len(objective.target)
    parts = theta.tensor_split(1 if size < RESIDUALS // 4 else 2 * math.ceil(size / (2 * RESIDUALS)))
    return tuple(map(torch.cat, zip(*in_parts(work, parts), strict=True)))


def _those(which: Tensor, held: Any) -> Any:
    """Of tensors and arrays by start, in whatever they are held, those of some starts."""
    if isinstance(held, dict):
        return {name: _those(which, one) for name, one in held.items()}
    if isinstance(held, list | tuple):
        return [_those(which, one) for one in held]
    if isinstance(held, np.ndarray):
        return held[which.numpy()]
    return held[which] if isinstance(held, Tensor) and held.dim() else held
