"""The record of a training on a large file: how far it has come, so that it can go on from there.

Numbers are written with all their digits: a run that was interrupted and goes on has the numbers of one that was not.
"""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gd_core.export.record_file import made_with
from gd_core.large.run import LargeRun
from gd_core.large.training import LargeProblem, Point, Seen
from gd_core.outcome import WINDOW, Outcome, Trained, outcome
from gd_core.reasons.phrases import CLOSE
from gd_core.settings.fields import quoted
from gd_core.settings.rules import linear_step
from gd_core.theory import stability_limit
from gd_core.training import DIVERGED_ABOVE, Epochs, stands_still
from gd_core.words import counted, floor_of, short, significant

FORMAT = "Gradient Descent Lab, large record 1"
SAME = 1e-9  # relative; more processes add up in another order


class Progressed:
    """A run so far: the epochs that are shown, and the last.

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
        self.shown: list[dict[str, Any]] = [
            row for row in (record["epochs"] if record else []) if row["epoch"] % every == 0
        ]
        self.first_loss = float(problem.moments.mean_square(problem.start))
        self.point: Point | None = None
        self.diverged_at: int | None = None
        self.still = False
        self._recent: deque[tuple[Tensor, Tensor]] = deque(maxlen=WINDOW + 1)  # θ and loss
        for *theta, loss in (record["recent"] if record else [])[:-1]:  # the last is where the run goes on
            self._recent.append((_tensor(theta), _tensor([loss])[0]))

    def add(self, point: Point) -> None:
        """The next epoch."""
        self.point = point
        if self._recent:
            self.still = stands_still(
                float(point.loss), float(self._recent[-1][1]), self.problem.run.tolerance
            )
        self._recent.append((point.theta, point.loss))
        if point.epoch % self.every == 0 and (not self.shown or point.epoch > self.shown[-1]["epoch"]):
            self.shown.append(self._row(point))

    @property
    def complete(self) -> bool:
        """Whether nothing is left to train."""
        epoch = self.point.epoch if self.point else 0
        return self.diverged_at is not None or self.still or epoch >= self.problem.run.epochs

    def rows(self) -> list[dict[str, Any]]:
        """The epochs that are shown, the last among them."""
        assert self.point is not None
        last = self.shown and self.shown[-1]["epoch"] == self.point.epoch
        return [*self.shown, *([] if last else [self._row(self.point)])]

    def _row(self, point: Point) -> dict[str, Any]:
        loss = float(point.loss)
        row = {"epoch": point.epoch, "loss": loss, "rmse": loss**0.5, "parameters": self._named(point.theta)}
        if self.problem.run.scale_features:
            row["raw_parameters"] = self._named(self.problem.to_raw @ point.theta)
        return row

    def _named(self, theta: Tensor) -> dict[str, float]:
        return dict(zip(self.problem.run.parameters, theta.tolist(), strict=True))

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
        if run.batch_size or linear_step(run) is None:
            return said
        share = run.learning_rate / stability_limit(curvature, run.phase)
        return f"{said} The rate {short(run.learning_rate)} is {short(share)} × the limit."

    def document(self, file: Path, processes: int, device: str) -> dict[str, Any]:
        """What the record says, in values that JSON has."""
        assert self.point is not None
        problem, run = self.problem, self.problem.run
        return {
            "format": FORMAT,
            "table": {
                "file": str(file),
                "rows": problem.moments.rows,
                "dropped": self.seen.dropped,
                "filled": self.seen.filled,
                "size": _size(self.seen),
            },
            "settings": run.as_json(),
            "engine": how_computed(run),
            "made_with": made_with() | {"processes": processes, "device": device},
            "outcome": self.finding(),
            "verdict": self.verdict(),
            "complete": self.complete,
            "diverged_at": self.diverged_at,
            "epoch": self.point.epoch,
            "theta": self.point.theta.tolist(),
            "state": {
                name: value.tolist() if isinstance(value, Tensor) else value
                for name, value in self.point.state.items()
            },
            "recent": [[*theta.tolist(), float(loss)] for theta, loss in self._recent],
            "last": self._row(self.point),
            "theory": {
                "condition_number": problem.curvature.condition_number,
                "largest_eigenvalue": problem.curvature.largest,
                "floor_rmse": problem.curvature.floor_rmse,
                "optimum": self._named(problem.to_raw @ problem.curvature.optimum),
            },
            "epochs": self.rows(),
        }


def how_computed(run: LargeRun) -> str:
    """What computes the gradient, in words."""
    if run.batch_size:
        return "mini-batches: every epoch reads the file"
    return "moments: one pass over the rows, then none"


def _size(seen: Seen) -> list[float]:
    """The root mean square of every column of Φ and of y, [P + 1]: another table has others."""
    return (seen.moments.factor.square().sum(0) / seen.moments.rows).sqrt().tolist()


def parsed(text: str) -> dict[str, Any]:
    """The record as it stands in a file.

    Raises:
        ValueError: If it is none, in one sentence.
    """
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"resume must be the record of a large table. Got {quoted(text[:200])}.") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        what = record.get("format", "none") if isinstance(record, dict) else text[:200]
        raise ValueError(f"resume must be a record of the format “{FORMAT}”. Got {quoted(what)}.")
    kinds = {
        "settings": dict,
        "table": dict,
        "epochs": list,
        "recent": list,
        "theta": list,
        "state": dict,
        "epoch": int,
    }
    for name, kind in kinds.items():
        if not isinstance(record.get(name), kind):
            raise ValueError(
                f"resume must be a whole record. Got one in which {name} is {quoted(record.get(name))}."
            )
    return record


def point_in(record: Mapping[str, Any], problem: LargeProblem, seen: Seen) -> Point:
    """Where a recorded run stands.

    Raises:
        ValueError: If the table is not the one that the record was made with, or the record does not hold together.
    """
    table = record["table"]
    rows, size = table.get("rows"), table.get("size")
    if rows != seen.moments.rows:
        here = f"{counted(seen.moments.rows, 'row')} that can be used"
        raise ValueError(
            f"table must be the file that the record was made with, of {counted(rows, 'row')}. Got {here}."
        )
    if not _close(size, _size(seen)):
        raise ValueError(
            "table must be the file that the record was made with. Got as many rows with other numbers."
        )
    fresh, theta = record["state"], record["theta"]
    if not isinstance(theta, list) or len(theta) != len(problem.start):
        raise ValueError(f"theta must hold {len(problem.start)} numbers. Got {quoted(theta)}.")
    state = {name: _tensor(value) if isinstance(value, list) else value for name, value in fresh.items()}
    here = _tensor(theta)
    return Point(int(record["epoch"]), here, problem.moments.mean_square(here), state)


def _tensor(numbers: Sequence[float]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def _close(one: Any, other: Sequence[float]) -> bool:
    return (
        isinstance(one, list)
        and len(one) == len(other)
        and all(
            isinstance(x, (int, float)) and abs(x - y) <= SAME * max(abs(x), abs(y))
            for x, y in zip(one, other, strict=True)
        )
    )
