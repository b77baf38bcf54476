"""The record of a training on a large file: how far it has come, so that it can go on from there.

Numbers are written with all their digits: a run that was interrupted and goes on has the numbers of one that was not.
Keys and their places are those of every record: `gd_core/export/record_schema.json`.
"""

from array import array
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gd_core.export.epoch_table import Epoch
from gd_core.export.record_file import NO_FILE, THEORY, made_with
from gd_core.export.record_reading import FORMAT
from gd_core.large.run import LargeRun
from gd_core.large.training import LargeProblem, Point, Seen, rule_of
from gd_core.outcome import WINDOW, Outcome, Trained, outcome
from gd_core.reasons.phrases import CLOSE
from gd_core.settings.fields import quoted
from gd_core.settings.rules import linear_step
from gd_core.theory import best_for, best_in_the_long_run, pays_after, stability_limit, why_no_limit_of
from gd_core.training import DIVERGED_ABOVE, Epochs, has_diverged, stands_still
from gd_core.words import counted, floor_of, short, significant

MOMENTS, BATCHES = "moments", "batches"  # engines; HOW has them in words
HOW = {
    MOMENTS: "moments: one pass over the rows, then none",
    BATCHES: "mini-batches: every epoch reads the file",
}
# those whose epoch is known without all before
WITH_EPOCH = (Outcome.DIVERGED, Outcome.STOPPED, Outcome.STILL)
AT_ONCE = 10_000  # epochs turned into Python's numbers together
SAME = 1e-9  # relative; more processes add up in another order


class Progressed:
    """A run so far: the epochs that are listed, and the last.

    Args:
        problem: What is trained.
        seen: What the rows are.
        every: Each so many-th epoch is kept.
        record: The record of the part before, if there is one.
    """

    def __init__(
        self, problem: LargeProblem, seen: Seen, every: int, record: Mapping[str, Any] | None
    ) -> None:
        self.problem, self.seen, self.every = problem, seen, every
        self._epochs, self._numbers = array("q"), array("d")  # those that are kept; of each θ and loss
        for row in record.get("epochs", []) if record else []:
            if row["epoch"] % every == 0:
                self._keep(int(row["epoch"]), _named_in(row, problem.run), row["loss"])
        self.first_loss = float(problem.moments.mean_square(problem.start))
        self.point: Point | None = None
        self.diverged_at: int | None = None
        self.still = False
        self._recent: deque[tuple[Tensor, Tensor]] = deque(maxlen=WINDOW + 1)  # θ and loss
        recent = record["resume"]["recent"] if record else []
        for *theta, loss in recent[:-1]:  # the last is where it goes on
            self._recent.append((_tensor(theta), _tensor([loss])[0]))

    def add(self, point: Point) -> None:
        """The next epoch."""
        self.point = point
        if self._recent:
            self.still = stands_still(
                float(point.loss), float(self._recent[-1][1]), self.problem.run.tolerance
            )
        self._recent.append((point.theta, point.loss))
        if point.epoch % self.every == 0 and (not self._epochs or point.epoch > self._epochs[-1]):
            self._keep(point.epoch, point.theta.tolist(), float(point.loss))

    def _keep(self, epoch: int, theta: Sequence[float], loss: float) -> None:
        self._epochs.append(epoch)
        self._numbers.extend([*theta, loss])

    @property
    def complete(self) -> bool:
        """Whether nothing is left to train."""
        epoch = self.point.epoch if self.point else 0
        return self.diverged_at is not None or self.still or epoch >= self.problem.run.epochs

    def rows(self, every: int) -> Iterator[dict[str, Any]]:
        """Each so many-th of the epochs that are kept, and the last."""
        assert self.point is not None
        kept = [place for place, epoch in enumerate(self._epochs) if epoch % every == 0]
        numbers = np.array(self._numbers).reshape(-1, len(self.point.theta) + 1)[kept]
        epochs = [self._epochs[place] for place in kept]
        if not epochs or epochs[-1] != self.point.epoch:
            epochs.append(self.point.epoch)
            last = np.array([[*self.point.theta.tolist(), float(self.point.loss)]])
            numbers = np.concatenate([numbers, last])
        for first in range(0, len(epochs), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            theta, loss = torch.from_numpy(numbers[some, :-1]), torch.from_numpy(numbers[some, -1])
            yield from self._rows(epochs[some], theta, loss)

    def _rows(self, epochs: Sequence[int], theta: Tensor, loss: Tensor) -> Iterator[dict[str, Any]]:
        """Epochs as they stand in a record: K of them, [K, P] and [K]. ∇L = (2/N) Φᵀ(Φθ − y)."""
        moments, run = self.problem.moments, self.problem.run
        gradient = 2 / moments.rows * (theta @ moments.features.T - moments.target) @ moments.features
        raw = theta @ self.problem.to_raw.T if run.scale_features else theta[:, :0]
        none = theta[:, :0]  # of rows held out, of accuracy
        columns = (loss, loss.sqrt(), theta, gradient, raw, none, none)
        for row in map(Epoch, epochs, *(column.tolist() for column in columns)):
            yield row.as_json(run.parameters)

    def finding(self) -> Outcome:
        """How the run has ended, or stands."""
        if self.diverged_at is not None:
            return Outcome.DIVERGED
        theta, loss = map(torch.stack, zip(*self._recent, strict=True))
        start, first = self.problem.start.unsqueeze(0), torch.tensor([self.first_loss], dtype=torch.float64)
        if self.point is not None and self.point.epoch >= len(loss):  # the start is further back
            theta, loss = torch.cat([start, theta]), torch.cat([first, loss])
        recent = Epochs(
            epoch_theta=theta,
            epoch_loss=loss,
            epoch_rmse=loss.sqrt(),
            mini_batches=self.problem.run.batch_size > 0,
            stopped=not self.complete,
            still=self.still,
        )
        run = self.problem.run
        batch = run.batch_size or self.problem.moments.rows
        done = self.point.epoch if self.point else 0
        trained = Trained(
            (run.phase,), self.problem.moments.rows, min(batch, self.problem.moments.rows), epochs=done
        )
        return outcome(recent, self.problem.curvature, trained).outcome

    def verdict(self) -> str:
        """The run in two sentences."""
        run, curvature, finding = self.problem.run, self.problem.curvature, self.finding()
        assert self.point is not None
        epochs = counted(self.point.epoch, "epoch")
        rmse = significant(float(curvature.error(self.point.loss.sqrt(), self.first_loss**0.5)))
        floor = floor_of(curvature)
        match finding:
            case Outcome.DIVERGED:
                times = " times its first value" if self.first_loss >= 1 else ""
                said = (
                    f"Diverged at epoch {self.diverged_at:,}: the loss passed {short(DIVERGED_ABOVE)}{times}."
                )
            case Outcome.STOPPED:
                said = f"Stopped at epoch {self.point.epoch:,} of {run.epochs:,}, at RMSE {rmse}; the floor is {floor}."
            case Outcome.STILL:
                above = (
                    float(self.point.loss) ** 0.5 / curvature.floor_rmse - 1 if curvature.floor_rmse else 0
                )
                far = (
                    "" if curvature.floor_is_zero or above <= CLOSE else f", {short(100 * above)} % above it"
                )
                said = (
                    f"Stopped at epoch {self.point.epoch:,}, where the loss changed by less than {short(run.tolerance)} in an "
                    f"epoch: RMSE {rmse}; the floor is {floor}{far}."
                )
            case Outcome.CONVERGED:
                said = f"Converged after {epochs}: RMSE {rmse}, floor {floor}."
            case Outcome.DESCENDING | Outcome.OVERSHOOTING | Outcome.HOVERING | Outcome.GROWING:
                word = finding.value
                said = f"{word[0].upper()}{word[1:]} after {epochs}, at RMSE {rmse}; the floor is {floor}."
            case Outcome.EARLY:
                raise AssertionError("a large table holds no rows out, so that no run of it is stopped early")
        if run.batch_size or linear_step(run) is None:
            return said
        share = run.learning_rate / stability_limit(curvature, run.phase)
        return f"{said} The rate {short(run.learning_rate)} is {short(share)} × the limit."

    def document(self, file: Path, processes: int, device: str, every: int) -> dict[str, Any]:
        """What the record says, in values that JSON has.

        Args:
            file: The table.
            processes: How many train,
            device: and on what.
            every: Each so many-th epoch is listed, and the last.
        """
        assert self.point is not None
        run, point, finding = self.problem.run, self.point, self.finding()
        listed = [*self.rows(every)]
        epoch = self.diverged_at if finding == Outcome.DIVERGED else point.epoch
        return {
            "format": FORMAT,
            "experiment": run.as_json(self.problem.moments.rows),
            "link": None,
            "table": {
                **NO_FILE,
                "file": str(file),
                "rows": self.problem.moments.rows,
                "dropped": self.seen.dropped,
                "filled": self.seen.filled,
            },
            "made_with": made_with(processes, device),
            "engine": engine_of(run),
            "complete": self.complete,
            "outcome": finding,
            "outcome_epoch": epoch if finding in WITH_EPOCH else None,
            "verdict": self.verdict(),
            "last": {name: value for name, value in listed[-1].items() if name != "gradient"},
            "kept": None,
            "averaged": None,
            "updates": point.updates,
            "digest": None,
            "theory": self.theory,
            "resume": {
                "size": _size(self.seen),
                "state": {
                    name: value.tolist() if isinstance(value, Tensor) else value
                    for name, value in point.state.items()
                },
                "recent": [[*theta.tolist(), float(loss)] for theta, loss in self._recent],
            },
            "epochs": listed,
        }

    @cached_property
    def theory(self) -> dict[str, Any]:
        """What is known before training."""
        problem, run, curvature = self.problem, self.problem.run, self.problem.curvature
        reason = why_no_limit_of(run.optimizer, run.batch_size > 0, run.shuffle)
        found = {
            "eigenvalues": curvature.eigenvalues.tolist(),
            "condition_number": curvature.condition_number,
            "floor_rmse": curvature.floor_rmse,
            "optimum": dict(zip(run.parameters, (problem.to_raw @ curvature.optimum).tolist(), strict=True)),
            "why_no_limit": reason,
        }
        if reason is None:
            phase, start = run.phase, problem.start
            found |= {
                "stability_limit": stability_limit(curvature, phase),
                "best_learning_rate": best_in_the_long_run(curvature, phase),
                "best_for_epochs": best_for(curvature, phase, start, run.epochs),
                "pays_after": pays_after(curvature, phase, start, run.epochs),
            }
        return {name: found.get(name) for name in THEORY}


def engine_of(run: LargeRun) -> str:
    """What computes the gradient; in words in `HOW`."""
    return BATCHES if run.batch_size else MOMENTS


def _size(seen: Seen) -> list[float]:
    """The root mean square of every column of Φ and of y, [P + 1]: another table has others."""
    return (seen.moments.factor.square().sum(0) / seen.moments.rows).sqrt().tolist()


def point_in(record: Mapping[str, Any], problem: LargeProblem, seen: Seen) -> Point:
    """Where a recorded run stands.

    Raises:
        ValueError: If the table is not the one that the record was made with, or the record does not hold together.
    """
    rows, own, last = record["table"]["rows"], record["resume"], record["last"]
    if rows != seen.moments.rows:
        here = f"{counted(seen.moments.rows, 'row')} that can be used"
        raise ValueError(
            f"table must be the file that the record was made with, of {counted(rows, 'row')}. Got {here}."
        )
    if not _close(own["size"], _size(seen)):
        raise ValueError(
            "table must be the file that the record was made with. Got as many rows with other numbers."
        )
    listed = [row["epoch"] for row in record.get("epochs", [])]
    if listed != sorted(set(listed)) or (listed and listed[-1] > last["epoch"]):
        raise ValueError("epochs must be in order, up to the last. Got others.")
    for row in record.get("epochs", []):
        _named_in(row, problem.run)
    parameters = len(problem.start)
    for row in own["recent"]:
        if len(row) != parameters + 1:
            raise ValueError(
                f"resume.recent must hold {parameters + 1} numbers an epoch, θ and the loss. Got {len(row)}."
            )
    here = _tensor(_named_in(last, problem.run))
    loss = problem.moments.mean_square(here)
    if has_diverged(float(loss), float(problem.moments.mean_square(problem.start))):
        raise ValueError(
            f"last.parameters must have a loss at which a run has not diverged. Got {short(float(loss))}."
        )
    fresh = rule_of(problem.run).initial(problem.start)
    if fresh.keys() != own["state"].keys():
        raise ValueError(
            f"resume.state must hold {', '.join(fresh) or 'nothing'} for {problem.run.optimizer}. "
            f"Got {quoted(', '.join(own['state']))}."
        )
    for name, value in own["state"].items():
        wanted = len(fresh[name]) if isinstance(fresh[name], Tensor) else None
        if (len(value) if isinstance(value, list) else None) != wanted:
            rule = "a whole number" if wanted is None else f"a list of {wanted} numbers"
            got = f"a list of {len(value)}" if isinstance(value, list) else quoted(value)
            raise ValueError(f"resume.state.{name} must be {rule}. Got {got}.")
    state = {
        name: _tensor(value) if isinstance(value, list) else int(value)
        for name, value in own["state"].items()
    }
    updates = record.get("updates")
    updates = None if updates is None else int(updates)
    return Point(int(last["epoch"]), here, loss, state, updates)


def _named_in(row: Mapping[str, Any], run: LargeRun) -> list[float]:
    """θ of an epoch in a record, [P]."""
    if row["parameters"].keys() != set(run.parameters):
        names = quoted(", ".join(row["parameters"]))
        raise ValueError(f"parameters must be {quoted(', '.join(run.parameters))}. Got {names}.")
    return [float(row["parameters"][name]) for name in run.parameters]


def _tensor(numbers: Sequence[float]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def _close(one: Sequence[float], other: Sequence[float]) -> bool:
    return len(one) == len(other) and all(
        abs(x - y) <= SAME * max(abs(x), abs(y)) for x, y in zip(one, other, strict=True)
    )
