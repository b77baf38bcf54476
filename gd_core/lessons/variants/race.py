"""Several rules from one start: the rate that each gets, and what the race between them came to.

A race is measured in three units. An epoch is one visit to every row, an update one step, a row one look at one row.
By epoch and by row everyone is given the same data to look at; by update, the same number of steps.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gd_core.landscape import Window, window
from gd_core.lessons.variants.racers import ALL, IN_BATCHES, ONE, RACERS
from gd_core.problem import Problem, rule_of_phase
from gd_core.settings.experiment import Experiment
from gd_core.settings.rules import OPTIMIZER_INFO, linear_step
from gd_core.theory import Curvature, first_step_rate, stability_limit
from gd_core.training import Recording
from gd_core.words import counted, short

SHARE_LEFT = 0.05  # the usual target: this share of the way from the start's RMSE to the floor is left
LOOKED_BACK = 10  # epochs at the end in which a racer that climbs again is looked at
ROUNDING = 1e-9  # of the RMSE: a rise below it is none, and who is so close to the target is there
EXACT = 1e-12  # of the first RMSE: so little is 0 up to rounding, where the target is 0
TIE = 1e-6  # relative: two errors that are written with the same six digits
ROOM = 1.06  # of the map around the level line through the start
BEYOND_LAST = 1.25  # by update the race is shown to a quarter beyond the last arrival


# ------------------------------------------------------------------------------------------------- before the race


class Entry(NamedTuple):
    """A racer on the starting line.

    Attributes:
        key: Key of `racers.RACERS`.
        experiment: Its run, rate included.
        limit: What its rate is a share of, or None for rules without a limit.
        automatic: The rate that it gets if none is typed.
    """

    key: str
    experiment: Experiment
    limit: float | None
    automatic: float

    @property
    def title(self) -> str:
        """Its name."""
        return RACERS[self.key].title

    @property
    def memory(self) -> int:
        """Numbers that its rule keeps for each parameter besides the parameter: counted in the rule's own state, or a row of H⁻¹."""
        if OPTIMIZER_INFO[self.experiment.optimizer].over_curvature:
            return len(self.experiment.info.parameters)
        state = rule_of_phase(self.experiment.phase).initial(torch.zeros(2, dtype=torch.float64))
        return sum(isinstance(kept, Tensor) and kept.shape == (2,) for kept in state.values())


def steepest(problem: Problem, curvature: Curvature, rows: int) -> float:
    """The curvature that a batch of so many rows has to reckon with.

    λ + (b − λ)/B, with b = 2·max‖φᵢ‖² the curvature of the steepest single row: b for one row, and nearer to λ the
    larger the batch. All rows together have exactly λ.

    Source:
        Ma, Bassily and Belkin, "The Power of Interpolation", 2018: the best rate of batches of B is B/(b + (B − 1)λ).
    """
    features = problem.linear.features
    if rows >= len(features):
        return curvature.largest
    single = 2 * float(features.square().sum(1).max())
    return curvature.largest + (single - curvature.largest) / rows


def limit_of(experiment: Experiment, problem: Problem, curvature: Curvature) -> float | None:
    """What a rate is a share of: the stability limit, with a batch's own curvature in it. None for rules without one.

    With all rows the line above which a run diverges. With mini-batches it is a guide, not a line: 2/λ for the plain
    rule, and 2(1 − β)/λ with momentum, where each gradient counts 1/(1 − β) times in all.
    """
    step = linear_step(experiment)
    if step is None:
        return None
    if experiment.updates_per_epoch == 1:
        return stability_limit(curvature, experiment.phase)
    return 2 * step.per_gradient / steepest(problem, curvature, experiment.rows_per_update)


def line_up(
    base: Experiment,
    keys: Sequence[str],
    problem: Problem,
    curvature: Curvature,
    *,
    small_batches: bool = False,
    rates: Mapping[str, float | None] | None = None,
) -> tuple[Entry, ...]:
    """Give every racer its experiment.

    Batch gradient descent has the rate of `base`. Who has a limit too takes the same share of it; who has none takes
    the rate of `first_step_rate`; who divides by the curvature takes 1, with which it lands; a typed rate goes first.

    Args:
        base: The data, the start, the epochs, the rate of batch gradient descent, and the rows in a mini-batch.
        keys: Who takes part.
        problem: That of `base`.
        curvature: That of `base`.
        small_batches: Whether the other rules that can take mini-batches do so, instead of all rows.
        rates: Typed rates by key.
    """
    share = base.learning_rate / stability_limit(curvature, base.phase)
    entries = []
    for key in keys:
        racer = RACERS[key]
        rows = 1 if racer.rows == ONE else 0 if racer.rows == ALL else base.batch_size
        if small_batches and key in IN_BATCHES:
            rows = base.batch_size
        own = OPTIMIZER_INFO[racer.optimizer].hyperparameters
        own = {name: value for name, value in own.items() if name != "momentum"}
        own |= {"optimizer": racer.optimizer, "schedule": racer.schedule}
        plain = replace(base, batch_size=rows % base.training_rows, **own)
        limit = limit_of(plain, problem, curvature)
        automatic = first_step_rate(plain, problem, curvature) if limit is None else share * limit
        if OPTIMIZER_INFO[racer.optimizer].over_curvature:
            automatic = 1.0
        if key == "batch":
            automatic = base.learning_rate  # without the rounding of a share
        typed = (rates or {}).get(key)
        experiment = replace(plain, learning_rate=automatic if typed is None else typed)
        entries.append(Entry(key, experiment, limit, automatic))
    return tuple(entries)


def map_of(curvature: Curvature, start: Tensor, axes: Sequence[int]) -> Window:
    """A map of two parameters, around the optimum, that holds the level line through the start.

    A run whose loss only falls never leaves it. Where a valley is so long that the line would leave no room for the
    start, it is three times the usual map. It depends on the problem, not on who races.
    """
    usual = window(curvature, start, axes)
    plane = list(axes)
    form = curvature.hessian[plane][:, plane]
    away = (start - curvature.optimum)[plane]
    # the ellipse ½ xᵀ H x = c reaches √(2c (H⁻¹)ᵢᵢ) along axis i
    reach = (away @ form @ away * torch.linalg.pinv(form, hermitian=True).diagonal()).clamp(min=0).sqrt()
    half = [
        min(max(own, ROOM * float(far)), 3 * own) for own, far in zip(usual.half, reach.tolist(), strict=True)
    ]
    return Window(usual.centre, (half[0], half[1]))


# -------------------------------------------------------------------------------------------------- after the race


class Reached(NamedTuple):
    """The first update after which the RMSE of all rows is at most the target, in each unit."""

    epoch: float  # a part of an epoch is a part of its updates
    update: int
    row: int


@dataclass(frozen=True, eq=False)
class Result:
    """What a racer did.

    Attributes:
        entry: The racer.
        theta: θ after each of its T updates and before the first, [T + 1, P].
        rmse: RMSE of all rows at the same points, [T + 1].
        recording: Its run.
        target: The RMSE that is to be reached.
    """

    entry: Entry
    theta: Tensor
    rmse: np.ndarray
    recording: Recording
    target: float

    @property
    def updates(self) -> int:
        """T."""
        return len(self.rmse) - 1

    @property
    def diverged_at(self) -> int | None:
        """The epoch at which its loss passed the bound."""
        return self.recording.diverged_at

    @cached_property
    def reached(self) -> Reached | None:
        """When it first was at the target, or None. What rounding decides does not part the racers at a target that is the floor."""
        at = np.flatnonzero(self.rmse <= self.target * (1 + ROUNDING) + EXACT * self.rmse[0])
        if not len(at):
            return None
        update = int(at[0])
        return Reached(float(self.at("epoch", update)), update, int(self.at("row", update)))

    def at(self, unit: str, updates: int | np.ndarray) -> np.ndarray:
        """Where on an axis of a unit an update has been done."""
        updates = np.asarray(updates)
        per_epoch = self.entry.experiment.updates_per_epoch
        if unit == "update":
            return updates
        if unit == "epoch":
            return updates / per_epoch
        whole, part = np.divmod(updates, per_epoch)
        return whole * self.entry.experiment.training_rows + part * self.entry.experiment.rows_per_update

    def done(self, unit: str, places: np.ndarray) -> np.ndarray:
        """The updates that are done at places on the axis of a unit: the inverse of `at`, rounded down, at most T."""
        per_epoch = self.entry.experiment.updates_per_epoch
        if unit == "update":
            updates = places
        elif unit == "epoch":
            updates = places * per_epoch
        else:
            whole, part = np.divmod(places, self.entry.experiment.training_rows)
            updates = whole * per_epoch + part // self.entry.experiment.rows_per_update
        return np.minimum(updates, self.updates)

    @cached_property
    def climb(self) -> float:
        """How far the RMSE climbs back at most within the last epochs: above the lowest that it had there before.

        0 for a run that only goes down, however slowly. A standard deviation would not tell going down from scatter.
        """
        last = self.rmse[-LOOKED_BACK * self.entry.experiment.updates_per_epoch - 1 :]
        back = float((last - np.minimum.accumulate(last)).max())
        return back if back > self._rounding(float(last.min())) else 0.0

    @property
    def looked_back(self) -> int:
        """How many epochs at the end are looked at."""
        return min(LOOKED_BACK, self.entry.experiment.epochs)

    @cached_property
    def level(self) -> float:
        """The mean RMSE after each update of these epochs."""
        return float(self.rmse[-self.looked_back * self.entry.experiment.updates_per_epoch :].mean())

    @cached_property
    def rises(self) -> int:
        """Updates after which the RMSE was higher than before."""
        return int((np.diff(self.rmse) > self._rounding(self.rmse[:-1])).sum())

    def _rounding(self, rmse: Any) -> Any:
        """How much of an RMSE is no more than rounding."""
        return ROUNDING * rmse + EXACT * self.rmse[0]

    @cached_property
    def shrinkage(self) -> float:
        """√Σ‖∇L‖² over ‖∇L‖ of the first update: how many times as large √Σ(∇L)² has become, by which AdaGrad divides."""
        sizes = self.recording.gradient[:-1].norm(dim=1)
        return float(sizes.norm() / sizes[0]) if len(sizes) and sizes[0] > 0 else 1.0

    @cached_property
    def last_step(self) -> float:
        """The longest change of a parameter in the last update."""
        return float((self.theta[-1] - self.theta[-2]).abs().max()) if self.updates else 0.0


@dataclass(frozen=True, eq=False)
class Race:
    """All results, and who was first.

    Attributes:
        results: One a racer, in the order of the starting line.
        start_rmse: RMSE at the start.
        floor_rmse: RMSE that no training gets below.
        floor_is_zero: Whether that is no more than rounding.
        target: The RMSE to reach.
    """

    results: tuple[Result, ...]
    start_rmse: float
    floor_rmse: float
    target: float
    floor_is_zero: bool = False

    @property
    def epochs(self) -> int:
        """As planned, for everyone."""
        return self.results[0].entry.experiment.epochs

    def winners(self, unit: str) -> tuple[str, ...]:
        """Who was at the target first, by a unit: one key, several after a dead heat, or none at all."""
        times = {one.entry.key: getattr(one.reached, unit) for one in self.results if one.reached is not None}
        return tuple(key for key, time in times.items() if time == min(times.values()))

    def end(self, unit: str) -> int:
        """Where the axis of a unit ends.

        By epoch and by row: as planned. By update the longest racer may make many times the updates of the shortest,
        so there the axis ends a quarter beyond the last arrival, or with the shortest whole run if that is later.
        """
        whole = [_whole(one.entry.experiment, unit) for one in self.results]
        ran = [int(np.ceil(one.at(unit, one.updates))) for one in self.results]
        longest = max(1, *ran) if all(one.recording.complete for one in self.results) else max(whole)
        arrivals = [one.reached.update for one in self.results if one.reached is not None]
        if unit != "update" or not arrivals:
            return longest
        return min(longest, max(min(whole), math.ceil(BEYOND_LAST * max(arrivals))))


def _whole(experiment: Experiment, unit: str) -> int:
    """The length of a whole run."""
    an_epoch = {"epoch": 1, "update": experiment.updates_per_epoch, "row": experiment.training_rows}[unit]
    return experiment.epochs * an_epoch


def usual_target(problem: Problem, curvature: Curvature) -> float:
    """The floor and a twentieth of the way from there to the start."""
    start = float(problem.objective.rmse(problem.start))
    return curvature.floor_rmse + SHARE_LEFT * (start - curvature.floor_rmse)


def race(
    entries: Sequence[Entry],
    recordings: Sequence[Recording],
    problem: Problem,
    curvature: Curvature,
    target: float | None = None,
) -> Race:
    """Measure runs from one start against one target."""
    goal = usual_target(problem, curvature) if target is None else target
    results = tuple(
        Result(entry, recording.theta, problem.objective.rmse(recording.theta).numpy(), recording, goal)
        for entry, recording in zip(entries, recordings, strict=True)
    )
    start = float(problem.objective.rmse(problem.start))
    return Race(results, start, curvature.floor_rmse, goal, curvature.floor_is_zero)


# ------------------------------------------------------------------------------------------------------- in words

COUNTED = {"epoch": "epochs", "update": "updates", "row": "rows"}


def told(finished: Race, unit: str) -> str:
    """The whole race: who came when, who did not, who has diverged."""
    there = [one for one in finished.results if one.reached is not None]
    there.sort(key=lambda one: getattr(one.reached, unit))
    gone = [(one.entry.title, one.diverged_at) for one in finished.results if one.diverged_at is not None]
    late = [one for one in finished.results if one.reached is None and one.diverged_at is None]
    goal = short(finished.target)
    sentences = []
    if there:
        places = [getattr(one.reached, unit) for one in there]
        winners = finished.winners(unit)
        first = listed([RACERS[key].title for key in winners])
        verb = "is" if len(winners) == 1 else "are"
        sentences.append(f"{first} {verb} first at RMSE {goal}, after {_many(places[0], unit)}.")
        rest = list(zip(there, places, strict=True))[len(winners) :]
        if rest:
            sentences.append("Then " + ", ".join(f"{one.entry.title} {short(at)}" for one, at in rest) + ".")
    else:
        sentences.append(f"No one is at RMSE {goal} after {counted(finished.epochs, 'epoch')}.")
    if late and there:
        sentences.append(f"Not there after {counted(finished.epochs, 'epoch')}: {_names(late)}.")
    if gone:
        ends = ", ".join(f"{title} at epoch {short(epoch)}" for title, epoch in gone)
        sentences.append(f"Diverged: {ends}.")
    return " ".join(sentences)


def tempting(finished: Race, unit: str, said: str) -> str:
    """Why a wrong answer about the race was tempting, and what became of who was named.

    Args:
        finished: The race.
        unit: What is counted.
        said: The racer that was named, or "none".
    """
    by_key = {one.entry.key: one for one in finished.results}
    first = next((by_key[key] for key in finished.winners(unit)), None)
    if said not in by_key:
        there = f" {first.entry.title} got there." if first else ""
        return f"At the start the target looks out of reach.{there}"
    one, a = by_key[said], by_key[said].entry
    rule = OPTIMIZER_INFO[a.experiment.optimizer]
    good = (
        "It changes its steps by what it remembers." if rule.memory else "Its steps are right for all rows."
    )
    if rule.over_curvature:
        good = "It divides by the curvature."
    if an_epoch := max(0, a.experiment.updates_per_epoch - 1):
        good = f"It makes {short(an_epoch + 1)} steps in an epoch."
    if one.reached is not None and first is not None and first.reached is not None:
        own, theirs = (_many(getattr(each, unit), unit) for each in (one.reached, first.reached))
        return f"{good} It needs {own} to the target, and {first.entry.title} {theirs}."
    if one.diverged_at is not None:
        return f"{good} At this rate it diverged, at epoch {short(one.diverged_at)}."
    return f"{good} After {counted(finished.epochs, 'epoch')} it is not at the target."


def _many(place: float, unit: str) -> str:
    """So many epochs, which may be a part of one, updates or rows."""
    return (
        f"{short(place)} {COUNTED[unit]}"
        if place != round(place)
        else counted(round(place), COUNTED[unit][:-1])
    )


def listed(names: Sequence[str]) -> str:
    """Batch; Batch and Adam; Batch, Momentum and Adam."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _names(results: Sequence[Result]) -> str:
    return ", ".join(one.entry.title for one in results)
