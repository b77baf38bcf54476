"""A run as files to keep: every epoch as CSV; and a JSON record, from which the run can be made again and known again.

The record holds the experiment, what it ran on, how it ended, and a digest of all its numbers. Whoever trains the
experiment once more can say truthfully whether each number is the same to the last bit. Its keys are those of
`record_schema.json`; `record_reading` is the way back, and docs/records.md says what they are.

No torch here until a run is written.
"""

import hashlib
import io
import json
import math
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from gd_core.export.record_reading import FORMAT, LARGEST
from gd_core.export.script import stride
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS, Phase
from gd_core.settings.fields import quoted
from gd_core.settings.table_fields import DATASET
from gd_core.words import counted

if TYPE_CHECKING:
    from gd_core.problem import Problem
    from gd_core.training import Epochs, Recording

CORE = Path(__file__).parents[1]
# The code in it that decides a run's numbers; theory and words do not.
COMPUTING = (
    "datasets",
    "settings/engines",
    "in_slices",
    "models",
    "moments",
    "objective",
    "optimizers",
    "problem",
    "recorder",
    "spectrum",
    "tables/table",
    "training",
)
ROWS = 40  # of the epochs of a long run that a record lists, and a table shows, at most
NO_FILE: Mapping[str, Any] = {"file": None, "read_as": {}, "read_with": {}}
BYTES = 45  # of a number and its name on a line, about
THEORY = (  # of a forecast; null where the loss is no parabola
    "eigenvalues", "condition_number", "stability_limit", "why_no_limit", "best_learning_rate", "best_for_epochs",
    "pays_after", "optimum", "floor_rmse",
)  # fmt: skip


def to_csv(experiment: Experiment, recording: "Recording") -> str:
    """Every epoch: loss, RMSE, parameters and gradient over all rows, and the parameters in raw units if scaled."""
    from gd_core.export.epoch_table import write_csv
    from gd_core.problem import build

    file = io.StringIO()
    write_csv(experiment, build(experiment), recording, file)
    return file.getvalue()


def to_json(experiment: Experiment, recording: "Recording") -> str:
    """The record of a run, finished, stopped or still going on."""
    from gd_core.problem import build

    return strict_json(document(experiment, build(experiment), recording), indent=2) + "\n"


def document(
    experiment: Experiment,
    problem: "Problem",
    recording: "Recording",
    *,
    source: Mapping[str, Any] | None = None,
    every: int | None = None,
) -> dict[str, Any]:
    """What a record says, in values that JSON has.

    Args:
        experiment: What was trained,
        problem: its problem,
        recording: and the run.
        source: Which file its table came from, and how that was read, where the table does not say it.
        every: Each so many-th epoch is listed, and the last; by default about `ROWS` of them.
    """
    from gd_core import verdict
    from gd_core.export.epoch_table import rows
    from gd_core.objective import accuracy
    from gd_core.outcome import Trained, outcome
    from gd_core.theory import forecast_of, parabola_of, why_no_theory

    curvature = parabola_of(experiment, problem.objective)
    forecast = None if curvature is None else forecast_of(experiment, problem, curvature)
    finding = outcome(recording, curvature, Trained.of(experiment, problem))
    names = experiment.info.parameters

    def named(numbers: Sequence[float]) -> dict[str, float]:
        return dict(zip(names, numbers, strict=True))

    def at(epoch: int) -> dict[str, Any]:
        theta = recording.epoch_theta[epoch]
        found = {
            "epoch": epoch,
            "loss": recording.epoch_loss[epoch].item(),
            "rmse": recording.epoch_rmse[epoch].item(),
            "parameters": named(theta.tolist()),
        }
        if recording.epoch_held_out_rmse is not None:
            found["held_out_rmse"] = recording.epoch_held_out_rmse[epoch].item()
        if (right := accuracy(problem.objective, theta)) is not None:
            found["accuracy"] = right.item()
        if experiment.is_rescaled:
            found["raw_parameters"] = named(problem.raw(theta).tolist())
        return found

    return {
        "format": FORMAT,
        "experiment": {name: getattr(experiment, name) for name in FIELDS},
        "link": f"?{urlencode(experiment.to_query())}",
        "table": _table(experiment, source),
        "made_with": made_with(),
        "engine": recording.engine,
        "complete": recording.complete,
        "outcome": finding.outcome,
        "outcome_epoch": finding.epoch,
        "verdict": verdict.of_run(recording, experiment, forecast, finding),
        "last": at(recording.epochs),
        "kept": None if recording.best is None else at(recording.best),
        "averaged": _averaged(experiment, problem, recording),
        "updates": recording.updates,
        "digest": digest(recording),
        "theory": {name: getattr(forecast, name, None) for name in THEORY}
        | {
            "optimum": forecast and named(forecast.optimum),
            "why_no_limit": forecast.why_no_limit if forecast else why_no_theory(experiment),
        },
        "resume": None,
        "epochs": [
            row.as_json(names)
            for row in rows(experiment, problem, recording, every or stride(experiment.total_epochs, ROWS))
        ],
    }


def _averaged(experiment: Experiment, problem: "Problem", recording: "Recording") -> dict[str, Any] | None:
    """The mean of the points of the last half of a run in mini-batches that has not diverged."""
    from gd_core.averaging import averaged, last_half

    first = experiment.total_epochs - experiment.epochs
    if not recording.mini_batches or recording.diverged_at is not None or recording.epochs <= first:
        return None
    theta, names = averaged(recording, first), experiment.info.parameters
    return {
        "epochs": len(last_half(recording, first)),
        "rmse": problem.objective.rmse(theta).item(),
        "parameters": dict(zip(names, theta.tolist(), strict=True)),
    }


def _table(experiment: Experiment, source: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The rows that were read, if they are a table's."""
    from gd_core.tables.table import find, used

    if experiment.dataset != DATASET:
        return None
    table = find(experiment.table)
    rows = used(table, experiment.target, experiment.features, experiment.missing)
    return {
        **(source or table.source or NO_FILE),
        "rows": len(rows.y),
        "dropped": rows.dropped,
        "filled": rows.filled,
    }


def problem_with_listing(every: int, epochs: int, parameters: int) -> str | None:
    """The sentence that says why a record cannot list each so many-th epoch: it would be too large to be read; or None."""
    row = BYTES * (3 * parameters + 3)  # θ, gradient, raw θ
    fewest = -(-epochs * row // (LARGEST // 2))
    if every >= fewest:
        return None
    return (
        f"every must be between {fewest:,} and 999,999,999 for a record of {counted(epochs, 'epoch')}, or it is too large "
        f"to be read again. Got {every:,}."
    )


def digest(recording: "Recording", updates: int | None = None) -> str:
    """SHA-256 of θ, loss and gradient of every update, or of the first so many, as float64 bytes.

    The numbers of the loop itself: what is summed up per epoch may round otherwise when a run is followed live.
    """
    count = None if updates is None else updates + 1
    found = hashlib.sha256()
    for column in (recording.theta, recording.loss, recording.gradient):
        found.update(column[:count].contiguous().numpy().astype("<f8", copy=False).tobytes())
    return f"sha256:{found.hexdigest()}"


def made_with(processes: int = 1, device: str = "cpu") -> dict[str, Any]:
    """What rounding can depend on: versions, machine, threads, processes."""
    import torch

    return {
        "lab": _code(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": platform.platform(),
        "processor": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
        "threads": torch.get_num_threads(),
        "processes": processes,
        "device": device,
    }


@cache
def _code() -> str:
    """The lab has no version numbers: the first letters of a digest of the code that computes."""
    found = hashlib.sha256()
    for name in COMPUTING:
        found.update((CORE / f"{name}.py").read_bytes().replace(b"\r\n", b"\n"))
    return found.hexdigest()[:12]


def strict_json(value: Any, indent: int | None = None) -> str:
    """JSON has no infinity and no NaN: null stands for them. A phase is an object."""
    return json.dumps(_strict(value), ensure_ascii=False, allow_nan=False, indent=indent)


def _strict(value: Any) -> Any:
    if isinstance(value, Phase):
        return _strict(value._asdict())
    if isinstance(value, dict):
        return {name: _strict(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


# -------------------------------------------------------------------------------------------------- made again


def compared(record: Mapping[str, Any], again: Mapping[str, Any], recording: "Recording") -> tuple[bool, str]:
    """Whether a run made again has every number of its record, and a sentence that says so.

    Args:
        record: A parsed record.
        again: The record of the run made again.
        recording: That run.
    """
    updates, made = record.get("updates"), record.get("made_with", {})
    others = [
        f"{name} {quoted(made[name])}, here {here}"
        for name, here in again["made_with"].items()
        if name in made and made[name] != here
    ]
    where = f" The record was made with {'; '.join(others)}." if others else ""
    if updates is None or record.get("digest") is None:
        return False, "The record holds no digest: whether the numbers are the same cannot be said." + where
    updates = int(updates)  # another program may write 9.0
    part = "every update" if updates == recording.updates else f"the record’s {counted(updates, 'update')}"
    if updates <= recording.updates and digest(recording, updates) == record["digest"]:
        same = f"Reproduced exactly: θ, loss and gradient of {part} are the same to the last bit."
        return True, same + where
    return False, f"Not reproduced exactly: {_difference(record, recording)}." + where


def _difference(record: Mapping[str, Any], recording: "Epochs") -> str:
    """How far the last RMSE of a record is away."""
    epoch, rmse = (record.get("last", {}).get(name) for name in ("epoch", "rmse"))
    if epoch is None or rmse is None or epoch > recording.epochs:
        return f"the run made again has {counted(recording.epochs, 'epoch')}, the record another number"
    here = float(recording.epoch_rmse[int(epoch)])
    return f"the RMSE at epoch {int(epoch):,} is {here!r}, and {rmse!r} in the record"
