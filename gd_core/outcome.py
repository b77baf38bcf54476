"""How a run ended, told apart by a test that can be named; and where overfitting begins.

What a label says of the future is worked out where it can be: of a rule that is linear in the gradient by the factors
along the eigenvectors, on full batches and, for the mean, in mini-batches as well. Of other rules it is told from the
errors along each eigenvector, in which drift and scatter are parted.
"""

import math
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple, Self

import torch
from torch import Tensor

from gd_core import gone_on, in_batches
from gd_core.gone_on import LONGER
from gd_core.here import ROUNDING, Here, here_of
from gd_core.objective import Absolute, LinearObjective, accuracy, as_parabola
from gd_core.problem import Problem
from gd_core.robust import Lowest, closest, lowest_of
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import Phase
from gd_core.settings.rules import OPTIMIZER_INFO, decay_of, is_plain, linear_step
from gd_core.settings.schedules import at_constant_rate, in_the_end, is_constant, rate_at
from gd_core.theory import Curvature, factor, left_along, limit_along, swing_of, unsure_step
from gd_core.training import Epochs

CONVERGED_BELOW = 1e-6  # of a direction's first gap to the optimum,
NEGLIGIBLE = 1e-4  # or of the lowest loss: the RMSE is then within 0.005 % of the floor
PERFECT = 3.0  # of a lowest loss that is no more than the rounding of the data
SAME_CURVATURE = 1e-6  # eigenvalues closer than this share are one space: its axes are chosen by rounding
WINDOW = 20  # epochs looked back on
LONGEST = 4000  # epochs looked back on where a rule has no theory
LEVEL = 1e-9  # relative changes of the loss below it are rounding
MATTERS = 1e-3  # share of the gap from which a direction is looked at
DRIFT = 0.1  # share of the recent gap that is no scatter, from which a run in mini-batches still descends
HARDLY_SCATTERS = (
    0.5  # share of the recent gap that is the mean error’s, from which a slow run is slow and nothing else
)
FALLS, RISES = 0.5, 2.5  # of the recent gap, where batches that are tried come to hover
MOSTLY = 0.8  # the same of all rows
PARTED = 0.02  # the held-out RMSE ends at least this share above its lowest,
TAIL = 10  # in all of the last tenth of the epochs, so that one lucky mini-batch decides nothing
STANDS = 0.01  # of the sum of the rates so far: less to come moves a run no more
RESTS = 0.1  # of those before: while a run rests its rates have been too small to tell
STAYS = 0.9  # of the gap, at least
SEEN = 200  # rates that are added up
RETURNS = 1e-4  # of the whole fall: a run that gets so much higher again has left where it rested
CERTAIN = 3.0  # standard errors by which a loss that scatters must fall or rise


class Outcome(StrEnum):
    """The ways in which a run can end."""

    CONVERGED = "converged"
    DESCENDING = "still descending"
    OVERSHOOTING = "overshooting"
    HOVERING = "hovering"
    GROWING = "growing"
    DIVERGED = "diverged"
    STOPPED = "stopped"
    STILL = "stood still"
    EARLY = "stopped early"


class Left(NamedTuple):
    """How a run left the optimum that it had reached: how often, and the largest RMSE of these epochs."""

    times: int
    farthest: float


class Finding(NamedTuple):
    """An outcome and the epoch at which its test was first passed, where there is one.

    Attributes:
        outcome: Which.
        epoch: When.
        left: How the run has left the optimum since; None if it has not.
        leaves: Whether it will leave the optimum that it has reached, or nobody knows: its memory of the gradients fades.
        until: Gone on, a run that still descends is lowest at this epoch and ends higher than it has lately been; None where it
            goes on falling, or nobody knows.
        lowest: The lowest point of a loss that is no parabola, where it is known.
        here: What its loss is like where it has come to rest, if it is no bowl.
        accuracy: The share of rows that a fitted probability has on their side at the end; None of a loss without any.
    """

    outcome: Outcome
    epoch: int | None = None
    left: Left | None = None
    leaves: bool = False
    until: int | None = None
    lowest: Lowest | None = None
    here: Here | None = None
    accuracy: float | None = None


class Trained(NamedTuple):
    """How a run was trained, as far as what becomes of it hangs on that.

    Attributes:
        phases: Rules, rates and epochs, one after another; each begins without velocity.
        rows: N, the rows that are trained on.
        rows_per_update: B.
        epochs: Epochs of the whole run so far, if the recording does not hold them all.
        experiment: What was trained,
        problem: and its problem; None where their rows are not at hand.
    """

    phases: tuple[Phase, ...]
    rows: int
    rows_per_update: int
    epochs: int | None = None
    experiment: Experiment | None = None
    problem: Problem | None = None

    @classmethod
    def of(cls, experiment: Experiment, problem: Problem) -> Self:
        """Of an experiment."""
        rows, batch = experiment.training_rows, experiment.rows_per_update
        return cls(experiment.phases, rows, batch, experiment=experiment, problem=problem)

    @property
    def updates_per_epoch(self) -> int:
        """⌈N/B⌉."""
        return -(-self.rows // self.rows_per_update)

    def at(self, epoch: int) -> tuple[Phase, int]:
        """The phase that an epoch ends, and the epoch at which it began."""
        first = 0
        for phase in self.phases[:-1]:
            if epoch <= first + phase.epochs:
                return phase, first
            first += phase.epochs
        return self.phases[-1], first


def outcome(recording: Epochs, curvature: Curvature | None, trained: Trained | None = None) -> Finding:
    """Tell how a run ended.

    - diverged: the loss passed 10⁶ × max(1, first loss), or is not finite.
    - stopped: by hand, before its epochs were done.
    - stood still: by its own tolerance: its last epoch changed the loss by less; or because its schedule has brought the rate
      to next to nothing, anywhere but at the optimum.
    - stopped early: by its patience: for so many epochs the held-out RMSE has not fallen.
    - growing: the rate is above the limit: the error along an eigenvector grows in each epoch, and wins in the end.
    - converged: along every eigenvector of the Hessian, the gap to the lowest loss is at most a millionth of what it
      was at the start, or a ten-thousandth of the lowest loss itself. Equal eigenvalues count as one space.
    - overshooting: along some eigenvector of the Hessian the error keeps changing its sign.
    - hovering: the loss no longer falls, but scatters about a level: mini-batches, or a rule with steps of one length.
    - still descending: none of these; gone on, the run gets lower.

    A loss that is no parabola has no eigenvectors: see `_above_the_lowest` where its lowest is known, and else
    `_by_losses_alone`.

    Args:
        recording: The run so far.
        curvature: The parabola that the loss is, or None.
        trained: By which rule; None where nobody knows, and the numbers alone must tell.
    """
    objective = trained.problem.objective if trained and trained.problem else None
    lowest = lowest_of(objective) if objective else None
    right = accuracy(objective, recording.epoch_theta[recording.kept]) if objective else None
    found = _told(recording, curvature, trained, lowest)
    return found._replace(lowest=lowest, accuracy=None if right is None else float(right))


def _told(
    recording: Epochs, curvature: Curvature | None, trained: Trained | None, lowest: Lowest | None
) -> Finding:
    if recording.diverged_at is not None:
        return Finding(Outcome.DIVERGED, recording.diverged_at)
    if recording.stopped:
        return Finding(Outcome.STOPPED, recording.epochs)
    if recording.still:
        return Finding(Outcome.STILL, recording.epochs)
    if recording.early:
        return Finding(Outcome.EARLY, recording.epochs)
    if trained and lowest:
        return _above_the_lowest(recording, lowest, trained)
    if curvature is None or (trained and unsure_step(trained.phases[-1], curvature)):
        found = _when_gone_on(_by_losses_alone(recording, trained), recording, trained)
        return _by_what_is_here(recording, found, trained)
    return _Judge(recording, curvature, trained).finding()


class _Judge:
    """One run on a parabola, looked at from several sides."""

    def __init__(self, recording: Epochs, curvature: Curvature, trained: Trained | None) -> None:
        self.recording, self.curvature, self.trained = recording, curvature, trained
        self.parts = _spaces(curvature, curvature.gap(recording.epoch_theta))
        self.rounding = 1e-14 * max(abs(curvature.floor_loss), float(recording.epoch_loss[0]))
        epochs = recording.epochs if trained is None or trained.epochs is None else trained.epochs
        self.phase, first = trained.at(epochs) if trained else (None, 0)
        self.done = epochs - first  # epochs in the phase
        self.first = max(0, recording.epochs - self.done)  # its beginning in the recording
        stride = trained.updates_per_epoch if trained else 1
        self.updates = self.done * stride
        self.scheduled = self.phase is not None and not is_constant(self.phase)
        self.few_to_come = False  # whether the rates to come are next to nothing
        self.above_in_the_end = False  # whether the rate that it comes to is above the limit
        # From here on it is judged at the rate to which it has come.
        if self.phase is not None and self.scheduled:
            limit = limit_along(curvature.largest, self.phase) if self.linear else math.inf
            self.above_in_the_end = in_the_end(self.phase) > limit * (1 + LEVEL)
            self.few_to_come = _little_to_come(self.phase, stride, self.done)
            self.phase = at_constant_rate(self.phase, rate_at(self.phase, stride, self.done))

    @property
    def stands(self) -> bool:
        """Whether the schedule has ended the run: the rates to come are next to nothing, and it is not seen to fall with them."""
        falls = self.later is not None and self.later < STAYS * float(self.recent.min())
        return self.few_to_come and not falls

    @cached_property
    def linear(self) -> bool:
        """Whether the rule's steps are linear in the gradient."""
        return self.phase is not None and linear_step(self.phase) is not None

    @cached_property
    def close(self) -> Tensor:
        """Whether each epoch is as good as at the optimum, [E + 1]."""
        return (self.parts <= self._near).all(1)

    @property
    def _near(self) -> Tensor:
        """The gap of each space up to which it counts as arrived, [S]."""
        share = PERFECT if self.curvature.floor_is_zero else NEGLIGIBLE
        smallest = max(share * self.curvature.floor_loss, self.rounding)
        return (CONVERGED_BELOW * self.parts[0]).clamp(min=smallest)

    @cached_property
    def recent(self) -> Tensor:
        """The gaps of the epochs that tell where the run is now: one, or several where it scatters."""
        gap = (self.recording.epoch_loss[self.first :] - self.curvature.floor_loss).clamp(min=0)
        return gap[-max(1, min(WINDOW, self.done // 2)) :]

    @cached_property
    def future(self) -> Tensor | None:
        """The gaps of the epochs to come, when the same run goes on ten times as long, or twice at least; else None."""
        return _ahead(self.recording, self.curvature, self.trained, self.done)

    @property
    def later(self) -> float | None:
        """The gap then: the mean over the last fifth of all epochs, infinite where the run diverges."""
        if self.future is None:
            return None
        return float(self.future[-max(1, (len(self.future) + self.recording.epochs + 1) // 5) :].mean())

    def finding(self) -> Finding:
        """How it ended."""
        if self.recording.epochs == 0 or self.done == 0:
            return self._arrived() or Finding(Outcome.DESCENDING)
        if self.linear and not self.recording.mini_batches:
            return (
                Finding(Outcome.GROWING) if self._grows() else self._arrived() or Finding(self._on_all_rows())
            )
        return (
            Finding(Outcome.GROWING)
            if self._explodes()
            else self._left() or self._arrived() or self._scatters()
        )

    def _arrived(self) -> Finding | None:
        """Whether it is as good as at the optimum, and stays there; or leaves it by no fault of the batches."""
        if not bool(self.close[-1]):
            return None
        never = (~self.close).nonzero()
        epoch = int(never[-1]) + 1 if len(never) else 0
        if self.trained and self.trained.epochs is not None and len(never):
            epoch = max(0, self.trained.epochs - (self.recording.epochs - epoch))
        leaves = self._will_leave()
        if leaves and self.recording.mini_batches:
            return None
        return Finding(Outcome.CONVERGED, epoch, leaves=leaves)

    def _grows(self) -> bool:
        """Whether the error along an eigenvector that has any grows for good."""
        assert self.phase is not None
        there = self.curvature.gap(self.recording.epoch_theta[-1]) > self.rounding
        if self.scheduled and self.later is not None:
            return self.above_in_the_end or self.later > float(self.recent[-1]) + self.rounding
        return any(
            has_error
            and curvature > 0
            and factor(self.phase, self.phase.learning_rate, curvature) > 1 + LEVEL
            for curvature, has_error in zip(self.curvature.eigenvalues.tolist(), there.tolist(), strict=True)
        )

    def _explodes(self) -> bool:
        """Whether it diverges when it goes on, as far as that is known; else whether batches make any error grow for good."""
        if self.later is not None:
            return math.isinf(self.later)
        if not self.linear or self._rows is None:
            return False
        assert self.phase is not None
        return in_batches.explodes(self._rows, self._rows_per_update, self.phase, self._shuffled)

    @property
    def _rows(self) -> LinearObjective | None:
        """The rows of a run in mini-batches that has ended; one that goes on is judged at its end."""
        if self.trained is None or self.trained.problem is None or not self.recording.mini_batches:
            return None
        return as_parabola(self.trained.problem.objective) if self.recording.complete else None

    @property
    def _rows_per_update(self) -> int:
        assert self.trained is not None
        return self.trained.rows_per_update

    @property
    def _shuffled(self) -> bool:
        """Whether the batches are other ones in each epoch."""
        return self.trained is None or self.trained.experiment is None or self.trained.experiment.shuffle

    # -------------------------------------------------------------------------------- a rule with theory, all rows

    def _on_all_rows(self) -> Outcome:
        """Told by the factors: swings if an error that matters changes its sign, else as the closed form goes on."""
        assert self.phase is not None
        if self.stands:
            return Outcome.STILL
        swings = [swing_of(self.phase, x) if x > 0 else None for x in self.curvature.eigenvalues.tolist()]
        theta = self.recording.epoch_theta
        for direction, period in enumerate(swings):
            if period is None:
                continue
            back = min(max(WINDOW, math.ceil(period)), self.recording.epochs - self.first)
            errors = self.curvature.along(theta[-back - 1 :])[:, direction]
            changes = int((torch.sign(errors[1:]) * torch.sign(errors[:-1]) < 0).sum())
            half = min(math.ceil(period / 2), back)
            recent = self.curvature.gap(theta[-half - 1 :] if period > 2 else theta[-1:]).amax(0)
            if (
                changes >= (2 if back >= period or self.scheduled else 1)
                and recent[direction] > MATTERS * recent.sum()
            ):
                return Outcome.OVERSHOOTING
        start, done, more = theta[self.first], self.done, LONGER * self.done
        if self.scheduled:
            start, done, more = theta[-1], 0, (LONGER - 1) * self.done
        now, later = (float(left_along(self.curvature, self.phase, start, n).sum()) for n in (done, more))
        if any(period is not None for period in swings) and later > now + self.rounding:
            return Outcome.OVERSHOOTING
        return Outcome.DESCENDING

    # ----------------------------------------------------------------------- mini-batches, and rules without theory

    def _scatters(self) -> Finding:
        """Told from what becomes of it, where that is known."""
        if self.stands:
            return Finding(Outcome.STILL)
        said, now = self._by_mean() if self.linear else self._by_errors(), float(self.recent.mean())
        if self.scheduled and self.later is not None:
            # What its last steps were like its next ones need not be: the run gone on tells.
            said = Outcome.HOVERING
        later = self._level() if self.later is None and self.linear else self.later
        if later is None:
            return Finding(said)
        if later > max(RISES * now + self.rounding, float(self.recent.max())):
            return Finding(Outcome.GROWING)
        falls = later < min((FALLS if self.recording.mini_batches else 0.8) * now, float(self.recent.min()))
        if falls and said is not Outcome.OVERSHOOTING:
            return Finding(Outcome.DESCENDING)
        return Finding(said if falls or (said is Outcome.DESCENDING and later < now) else Outcome.HOVERING)

    def _by_mean(self) -> Outcome:
        """The mean error goes as on all rows, an update at a time: what it still holds of the gap will go, scatter stays."""
        assert self.phase is not None
        if self.scheduled:
            # What is left of a mean error at many rates is not worked out: the run gone on tells.
            return Outcome.HOVERING
        recent, start = float(self.recent.mean()), self.recording.epoch_theta[self.first]
        now, later = (
            float(left_along(self.curvature, self.phase, start, n).sum())
            for n in (self.updates, LONGER * self.updates)
        )
        if now - later > DRIFT * recent or (now > HARDLY_SCATTERS * recent and later < now):
            return Outcome.DESCENDING
        if self._rows is None and self.done > WINDOW:
            gap = self.recording.epoch_loss[self.first :] - self.curvature.floor_loss
            return _drift(*_halves(gap[-WINDOW - 1 :]))
        return Outcome.HOVERING

    def _level(self) -> float | None:
        """The gap to which batches bring it, from where it stands and with nothing remembered; the batches are others."""
        if (rows := self._rows) is None:
            return None
        assert self.phase is not None
        optimum, updates = self.curvature.optimum, (LONGER - 1) * self.updates
        if not self._shuffled:
            begin = -1 if self.scheduled else self.first
            error, epochs = self.recording.epoch_theta[begin] - optimum, LONGER * self.done
            return in_batches.level_in_order(
                rows, self.curvature, self._rows_per_update, self.phase, error, epochs
            )
        error = self.recording.epoch_theta[-1] - optimum
        return in_batches.level(rows, self.curvature, self._rows_per_update, self.phase, error, updates)

    def _by_errors(self) -> Outcome:
        """Told from the errors along each eigenvector: who has crossed the bottom and stays about it has arrived.

        A direction that has not is drifting: to the optimum, or away from it.
        """
        back = min(self.done, max(WINDOW, min(self.done // 2, LONGEST)))
        theta = self.recording.epoch_theta[-back - 1 :]
        errors, gap = self.curvature.along(theta), self.curvature.gap(theta)
        total = gap.sum(1)
        before, after = _halves(total)
        share = gap.mean(0) / gap.mean(0).sum().clamp(min=1e-300)
        signs = torch.sign(errors)
        crossings = (signs[1:] * signs[:-1] < 0).sum(0)
        centre, width = errors.mean(0).abs(), errors.std(0, correction=0)
        drifts = (share > DRIFT) & ~((crossings >= 2) & (centre < width))
        first, last = (half.mean(0).abs() for half in _halves(errors))
        nearer = last < first * (1 - LEVEL)
        if bool((drifts & nearer).any()) and float(after.mean()) < float(before.mean()) * (1 - LEVEL):
            return Outcome.DESCENDING
        falls = float(after.mean()) < 0.8 * float(before.mean())
        if self.phase is None and float(after.max()) > float(before.max()) * (1 + LEVEL):
            return Outcome.GROWING
        if self.recording.mini_batches:
            return Outcome.DESCENDING if falls and not bool(crossings.any()) else Outcome.HOVERING
        held = self.phase is not None and decay_of(self.phase) > 0  # it rests beside the optimum
        if falls or (bool(drifts.any()) and not held):
            return Outcome.OVERSHOOTING if bool(crossings.any()) or not falls else Outcome.DESCENDING
        return Outcome.HOVERING

    # -------------------------------------------------------------------------------------- reached, and left again

    def _forgets(self) -> bool:
        """Whether the rule divides by a memory of the gradients that fades, so that its steps become long again."""
        return self.phase is not None and OPTIMIZER_INFO[self.phase.optimizer].forgets

    def _left(self) -> Finding | None:
        """Reached and left again, by a rule whose memory of the gradients fades."""
        if not self._forgets() or self.recording.mini_batches:
            return None
        close = self.close[self.first :]
        together = (
            close.int().unfold(0, WINDOW, 1).all(1).nonzero() if len(close) >= WINDOW else close.new_empty(0)
        )
        if not len(together):
            return None
        reached = int(together[0])
        away = (~close[reached:]).int()
        times = int((away.diff(prepend=away[:1] * 0) == 1).sum())
        if not times:
            return None
        farthest = float(self.recording.epoch_rmse[self.first + reached :].max())
        return Finding(Outcome.HOVERING, self.first + reached, Left(times, farthest))

    def _will_leave(self) -> bool:
        """Whether it leaves what counts as near when it goes on.

        Where that is not known: steps as long as the rate come back when the rule's memory fades.
        """
        near = self._near
        if self.linear and not self.recording.mini_batches:
            return False
        if self.future is not None:
            at_most = self.later if self.recording.mini_batches else float(self.future.max())
            return at_most is not None and at_most > float(near.sum())
        if not self._forgets():
            return False
        assert self.phase is not None
        steep, rate = self.curvature.largest, self.phase.learning_rate
        return rate * steep / 40 > self.phase.epsilon and 0.5 * steep * rate**2 > float(near.min()) / 10


def _little_to_come(phase: Phase, updates_per_epoch: int, done: int) -> bool:
    """Whether the rates of ten times the epochs add up to little more than those so far: the schedule has ended the run."""
    so_far, to_come = (
        _sum_of_rates(phase, updates_per_epoch, *ends) for ends in ((0, done), (done, LONGER * done))
    )
    return to_come <= STANDS * so_far


def _sum_of_rates(phase: Phase, updates_per_epoch: int, before: int, after: int) -> float:
    """The rates of some epochs, of which `SEEN` are looked at."""
    return (after - before) * sum(
        rate_at(phase, updates_per_epoch, before + k * (after - before) // SEEN) for k in range(SEEN)
    )


def _schedule_is_over(trained: Trained | None, recording: Epochs) -> bool:
    """Whether a run has a schedule, and the rates to come are next to nothing."""
    if trained is None:
        return False
    phase, first = trained.at(recording.epochs)
    done = recording.epochs - first
    return done > 0 and not is_constant(phase) and _little_to_come(phase, trained.updates_per_epoch, done)


def _spaces(curvature: Curvature, parts: Tensor) -> Tensor:
    """The gap of each space of equal eigenvalues, from that of each direction. [..., P] → [..., S]."""
    values = curvature.eigenvalues
    apart = values.diff() > SAME_CURVATURE * values[1:]
    number = torch.cat([values.new_zeros(1), apart.cumsum(0).to(values)]).long()
    if int(number[-1]) + 1 == len(values):
        return parts
    member = torch.nn.functional.one_hot(number).to(parts)
    return parts @ member


def _halves(series: Tensor) -> tuple[Tensor, Tensor]:
    """The older half of some epochs, with the one in the middle, and the newer."""
    older, newer = series.split([len(series) - len(series) // 2, len(series) // 2])
    return older, newer


def _above_the_lowest(recording: Epochs, lowest: Lowest, trained: Trained) -> Finding:
    """Tell how a run ended whose loss is no parabola, and whose lowest loss is known.

    - converged: the gap to it is at most a millionth of the first, or a ten-thousandth of the lowest loss; and stays so.
    - stood still: elsewhere, where its schedule has ended it.
    - growing, hovering, still descending: by what becomes of it when it goes on; of a run too long for that by whether
      the second half of its recent epochs is lower than the first, by more than they scatter.
    """
    gap = recording.epoch_loss - lowest.loss
    rounding = 1e-14 * max(lowest.loss, float(recording.epoch_loss[0]))
    near = max(
        CONVERGED_BELOW * float(gap[0]), (PERFECT if lowest.is_zero else NEGLIGIBLE) * lowest.loss, rounding
    )
    if not lowest.attained:
        near = -math.inf  # however near the loss is: the parameters never come to rest
    first = trained.at(recording.epochs)[1]
    done = recording.epochs - first
    ahead = _ahead(recording, None, trained, done)
    if float(gap[-1]) <= near and (ahead is None or float(ahead.max()) <= near):
        never = (gap > near).nonzero()
        return Finding(Outcome.CONVERGED, int(never[-1]) + 1 if len(never) else 0)
    if done == 0:
        return Finding(Outcome.DESCENDING)
    recent = gap[first:][-max(1, min(WINDOW, done // 2)) :]
    now = float(recent.mean())
    if not lowest.attained and now <= rounding:
        return Finding(Outcome.DESCENDING)  # below the last digit, and for ever
    over = _schedule_is_over(trained, recording)
    if ahead is None and over:
        return Finding(Outcome.STILL)
    if ahead is None:
        older, newer = _halves(gap[first:][-min(LONGEST, max(WINDOW, done // 2)) - 1 :])
        return Finding(_drift(older.clamp(min=0), newer.clamp(min=0)))
    later = float(ahead[-max(1, (len(ahead) + recording.epochs + 1) // 5) :].mean())
    if later > max(RISES * now + rounding, float(recent.max())):
        return Finding(Outcome.GROWING)
    # What a velocity carries on moves yet.
    if over and abs(later - float(gap[-1])) <= (1 - STAYS) * float(gap[-1]):
        return Finding(Outcome.STILL)
    share = FALLS if recording.mini_batches else MOSTLY
    falls = later < min(share * now, float(recent.min()))
    steady = not recording.mini_batches and bool((ahead.diff() <= LEVEL * float(gap[0])).all())
    far = float(recent.min()) > _comes_within(trained, lowest)  # too far to stay there for good
    lower = falls or ((steady or far) and later < now)
    return Finding(Outcome.DESCENDING if lower else Outcome.HOVERING)


def _comes_within(trained: Trained, lowest: Lowest) -> float:
    """The gap that a run is sure to come within if it goes on, infinite where nothing is sure: see `robust.closest`."""
    phase, problem = trained.phases[-1], trained.problem
    if problem is None or not isinstance(problem.objective.loss, Absolute) or trained.updates_per_epoch > 1:
        return math.inf
    return closest(lowest, phase.learning_rate) if is_plain(phase) and is_constant(phase) else math.inf


def _ahead(
    recording: Epochs, curvature: Curvature | None, trained: Trained | None, done: int
) -> Tensor | None:
    """The gaps of the epochs to come, when a run goes on ten times as long, or twice at least; None where that is not soon done."""
    if trained is None or trained.experiment is None or trained.problem is None:
        return None
    if not recording.complete or trained.epochs is not None:
        return None
    total = gone_on.far_enough(trained.experiment, recording.epochs - done, done)
    if total is None:
        return None
    gaps = gone_on.gaps_gone_on(trained.experiment, trained.problem, curvature, total, 1.0)
    return gaps[recording.epochs + 1 :]


def _by_losses_alone(recording: Epochs, trained: Trained | None = None) -> Finding:
    """Tell how a run ended whose loss is no parabola.

    - converged: for 20 epochs or more the loss has been within a millionth of the whole fall of where it ends. That is
      where this run comes to rest, whether or not a lower loss lies elsewhere.
    - stood still: the same because its schedule has ended it: while it rests its rates add up to little.
    - growing, hovering: as on a parabola, with the loss in place of the gap. A short run of mini-batches still descends
      if each loss of its later half is below each of its earlier one.
    - overshooting: within the last 20 epochs the loss rises in every third epoch or more.
    """
    loss = recording.epoch_loss
    recent = loss[-WINDOW - 1 :]
    if recording.epochs == 0:
        return Finding(Outcome.DESCENDING)
    older, newer = _halves(recent)
    away = ((loss - loss[-1]).abs() > CONVERGED_BELOW * (loss[0] - loss[-1])).nonzero()
    rests_from = int(away[-1]) + 1 if len(away) else 0
    if loss[-1] < loss[0] and recording.epochs - rests_from >= WINDOW:
        return (
            Finding(Outcome.STILL)
            if _rests_for_want_of_a_rate(trained, recording, rests_from)
            else Finding(Outcome.CONVERGED, rests_from)
        )
    if _schedule_is_over(trained, recording):
        return Finding(Outcome.STILL)
    if recording.mini_batches:
        if len(recent) > WINDOW:
            return Finding(_drift(older, newer))
        return Finding(Outcome.DESCENDING if newer.max() < older.min() else _trend(loss))
    if newer.max() > older.max() * (1 + LEVEL):
        return Finding(Outcome.GROWING)
    rises = int((recent[1:] > recent[:-1] * (1 + LEVEL)).sum())
    return Finding(
        Outcome.OVERSHOOTING if rises >= 2 and 3 * rises >= len(recent) - 1 else Outcome.DESCENDING
    )


def _when_gone_on(found: Finding, recording: Epochs, trained: Trained | None) -> Finding:
    """The same of a run that does not rest, by what becomes of it where that is soon done: its losses alone do not tell.

    Lower or higher than all that it has lately been, it descends or grows. Between, it goes to and fro: on all rows it jumps over
    the bottom. One that falls at its end and gets lower than ever first still descends, until then.
    """
    moves = (Outcome.DESCENDING, Outcome.OVERSHOOTING, Outcome.HOVERING, Outcome.GROWING)
    if trained is None or recording.epochs == 0:
        return found
    phase, first = trained.at(recording.epochs)
    done = recording.epochs - first
    if found.outcome is Outcome.CONVERGED and OPTIMIZER_INFO[phase.optimizer].forgets:
        ahead = _ahead(recording, None, trained, done)
        fall = recording.epoch_loss[0] - recording.epoch_loss[-1]
        far = ahead is not None and len(ahead) >= (LONGER - 1) * done
        returns = ahead is not None and bool((ahead > recording.epoch_loss[-1] + RETURNS * fall).any())
        # Gone on less far than the label must hold it may have stayed, and leave yet.
        return found._replace(leaves=returns or (recording.complete and not far))
    if found.outcome not in moves:
        return found
    ahead = _ahead(recording, None, trained, done) if done else None
    if ahead is None:
        return found
    recent = recording.epoch_loss[first:][-max(1, min(WINDOW, done // 2)) :]
    later = float(ahead[-max(1, (len(ahead) + recording.epochs + 1) // 5) :].mean())
    low, high = float(recent.min()), float(recent.max())
    scatter = high - low if recording.mini_batches else LEVEL * later
    below = max(low - scatter, FALLS * low if recording.mini_batches else 0.0)
    # Where it has not gone on so far as the label must hold, what falls will fall further.
    if len(ahead) < (LONGER - 1) * done:
        below = max(below, low * (1 - LEVEL))
    if later < below:
        return found if found.outcome is Outcome.OVERSHOOTING else Finding(Outcome.DESCENDING)
    falls = found.outcome is Outcome.DESCENDING and bool(recording.epoch_loss[-1] < recording.epoch_loss[-2])
    turns = int(ahead.argmin())
    lower = float(ahead[turns]) < low * (1 - LEVEL) and turns + 1 < len(ahead) and later < math.inf
    if falls and lower and not recording.mini_batches:
        return Finding(Outcome.DESCENDING, until=recording.epochs + 1 + turns)
    if later > high * (1 + LEVEL):
        return Finding(Outcome.GROWING)
    if recording.mini_batches:
        return Finding(Outcome.HOVERING)
    still = bool((ahead - float(recording.epoch_loss[-1])).abs().max() <= LEVEL * abs(later))
    return found if still else Finding(Outcome.OVERSHOOTING)


def _by_what_is_here(recording: Epochs, found: Finding, trained: Trained | None) -> Finding:
    """Tell of a run that rests by its losses, on a loss that is no bowl, what holds where it rests.

    - converged: in a valley, and as near to its bottom as on a parabola.
    - stood still: it has never moved; or where the loss falls off, at a place without a slope that way.
    - still descending: elsewhere in a valley, or on a plateau, which has a slope. Not where its schedule has ended it, nor of a
      rule that holds its parameters beside the bottom.
    """
    never = recording.epochs > 0 and bool((recording.epoch_theta == recording.epoch_theta[0]).all())
    rests = never or found.outcome is Outcome.CONVERGED
    if not rests or trained is None or trained.experiment is None or trained.problem is None:
        return found
    here = here_of(trained.experiment, trained.problem, recording.epoch_theta[-1])
    if here is None:
        return found
    gap = here.loss - here.lowest
    near = max(CONVERGED_BELOW * (float(recording.epoch_loss[0]) - here.lowest), NEGLIGIBLE * here.lowest)
    arrived = here.bottom is not None and gap <= max(near, ROUNDING * here.best.highest)
    if arrived or (here.flat and not here.down and here.is_level):
        return found._replace(outcome=Outcome.CONVERGED, epoch=found.epoch or 0, here=here)
    if here.stays and (never or here.down):
        return Finding(Outcome.STILL, here=here)
    if recording.mini_batches or decay_of(trained.at(recording.epochs)[0]):
        return found
    if _schedule_is_over(trained, recording):
        return Finding(Outcome.STILL)
    return Finding(Outcome.DESCENDING, here=here)


def _rests_for_want_of_a_rate(trained: Trained | None, recording: Epochs, rests_from: int) -> bool:
    """Whether a schedule is over, and the rates since a run rests are little beside those before: it may rest anywhere."""
    if trained is None or not _schedule_is_over(trained, recording):
        return False
    phase, first = trained.at(recording.epochs)
    since, done = max(0, rests_from - first), recording.epochs - first
    before, later = (
        _sum_of_rates(phase, trained.updates_per_epoch, *ends) for ends in ((0, since), (since, done))
    )
    return later <= RESTS * before


def _trend(gap: Tensor) -> Outcome:
    """Where a short run of mini-batches has moved the gap: to less than half, to more than twice, or neither."""
    change = float(gap[-1] / gap[0].clamp(min=1e-300))
    return Outcome.DESCENDING if change < 0.5 else Outcome.GROWING if change > 2 else Outcome.HOVERING


def _drift(older: Tensor, newer: Tensor) -> Outcome:
    """Where mini-batches move the gap, told from their scatter: by its logarithm, in standard errors."""
    before, after = (gap.clamp(min=1e-300).log() for gap in (older, newer))
    change = float(after.mean() - before.mean())
    scatter = float((before.var() / len(before) + after.var() / len(after)).sqrt())
    if change < -CERTAIN * scatter:
        return Outcome.DESCENDING
    return Outcome.GROWING if change > max(CERTAIN * scatter, math.log(2)) else Outcome.HOVERING


class Overfitting(NamedTuple):
    """The epoch after which the errors on training and on held-out rows part, and the held-out RMSE there, its lowest."""

    epoch: int
    lowest: float


def overfitting(recording: Epochs) -> Overfitting | None:
    """Where the two errors part, or None if they do not, or if no row is held out.

    They part after the epoch at which the held-out RMSE is lowest, if in the whole last tenth of the run it stays more
    than 2 % above that while the mean training RMSE there is below the training RMSE of that epoch. So both errors
    rising together, as in a run that diverges, is no parting, and neither is a held-out error that is only higher.
    """
    held_out, training = recording.epoch_held_out_rmse, recording.epoch_rmse
    if held_out is None:
        return None
    epoch = int(held_out.argmin())
    lowest = float(held_out[epoch])
    tail = max(1, recording.epochs // TAIL)
    if epoch > recording.epochs - tail:
        return None
    rose = float(held_out[-tail:].min()) > lowest * (1 + PARTED) + LEVEL * float(held_out[0])
    fell = float(training[-tail:].mean()) < float(training[epoch])
    return Overfitting(epoch, lowest) if rose and fell else None
