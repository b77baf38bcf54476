"""A run as files to keep: every epoch as CSV; and a JSON record, from which the run can be made again and known again.

The record holds the experiment, what it ran on, how it ended, and a digest of all its numbers. Whoever trains the
experiment once more can say truthfully whether each number is the same to the last bit.

No torch here until a run is written, so that a record can be read without it.
"""

import hashlib
import io
import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from gd_core.settings.engines import LOOP, SPECTRUM
from gd_core.settings.experiment import Experiment, defaults, problem_with
from gd_core.settings.experiment_fields import FIELDS, Phase
from gd_core.settings.fields import ParameterError, quoted
from gd_core.words import counted

if TYPE_CHECKING:
    from gd_core.problem import Problem
    from gd_core.training import Epochs, Recording

FORMAT = "Gradient Descent Lab, record 1"
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


def document(experiment: Experiment, problem: "Problem", recording: "Recording") -> dict[str, Any]:
    """What a record says, in values that JSON has."""
    from gd_core import verdict
    from gd_core.outcome import Trained, outcome
    from gd_core.theory import forecast_of, parabola_of, why_no_theory

    curvature = parabola_of(experiment, problem.objective)
    forecast = None if curvature is None else forecast_of(experiment, problem, curvature)
    finding = outcome(recording, curvature, Trained.of(experiment, problem))
    names = experiment.info.parameters

    def named(numbers: Sequence[float]) -> dict[str, float]:
        return dict(zip(names, numbers, strict=True))

    theta = recording.epoch_theta[-1]
    last = {
        "epoch": recording.epochs,
        "loss": recording.epoch_loss[-1].item(),
        "rmse": recording.epoch_rmse[-1].item(),
        "parameters": named(theta.tolist()),
    }
    if recording.epoch_held_out_rmse is not None:
        last["held_out_rmse"] = recording.epoch_held_out_rmse[-1].item()
    if experiment.is_rescaled:
        last["raw_parameters"] = named(problem.raw(theta).tolist())
    return {
        "format": FORMAT,
        "experiment": {name: getattr(experiment, name) for name in FIELDS},
        "link": f"?{urlencode(experiment.to_query())}",
        "made_with": made_with(),
        "engine": recording.engine,
        "outcome": finding.outcome,
        "outcome_epoch": finding.epoch,
        "verdict": verdict.of_run(recording, experiment, forecast, finding),
        "last": last,
        "updates": recording.updates,
        "digest": digest(recording),
        "theory": {name: getattr(forecast, name, None) for name in THEORY}
        | {
            "optimum": forecast and named(forecast.optimum),
            "why_no_limit": forecast.why_no_limit if forecast else why_no_theory(experiment),
        },
    }


def digest(recording: "Recording", updates: int | None = None) -> str:
    """SHA-256 of θ, loss and gradient of every update, or of the first so many, as float64 bytes.

    The numbers of the loop itself: what is summed up per epoch may round otherwise when a run is followed live.
    """
    count = None if updates is None else updates + 1
    found = hashlib.sha256()
    for column in (recording.theta, recording.loss, recording.gradient):
        found.update(column[:count].contiguous().numpy().astype("<f8", copy=False).tobytes())
    return f"sha256:{found.hexdigest()}"


def made_with() -> dict[str, Any]:
    """What rounding can depend on: versions, machine, threads."""
    import torch

    return {
        "lab": _code(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": platform.platform(),
        "processor": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
        "threads": torch.get_num_threads(),
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


# ---------------------------------------------------------------------------------------------- and back again


def compared(record: Mapping[str, Any], again: Mapping[str, Any], recording: "Recording") -> tuple[bool, str]:
    """Whether a run made again has every number of its record, and a sentence that says so.

    Args:
        record: A parsed record.
        again: The record of the run made again.
        recording: That run.
    """
    updates, made = record.get("updates"), record.get("made_with")
    made = made if isinstance(made, dict) else {}
    others = [
        f"{name} {quoted(made[name])}, here {here}"
        for name, here in again["made_with"].items()
        if name in made and made[name] != here
    ]
    where = f" The record was made with {'; '.join(others)}." if others else ""
    if type(updates) is not int or not isinstance(record.get("digest"), str) or updates < 0:
        return False, "The record holds no digest: whether the numbers are the same cannot be said." + where
    part = "every update" if updates == recording.updates else f"the record’s {counted(updates, 'update')}"
    if updates <= recording.updates and digest(recording, updates) == record["digest"]:
        same = f"Reproduced exactly: θ, loss and gradient of {part} are the same to the last bit."
        return True, same + where
    return False, f"Not reproduced exactly: {_difference(record, recording)}." + where


def _difference(record: Mapping[str, Any], recording: "Epochs") -> str:
    """How far the last RMSE of a record is away."""
    last = record.get("last")
    epoch, rmse = (last.get("epoch"), last.get("rmse")) if isinstance(last, dict) else (None, None)
    if type(epoch) is not int or not isinstance(rmse, float) or not 0 <= epoch <= recording.epochs:
        return f"the run made again has {counted(recording.epochs, 'epoch')}, the record another number"
    here = float(recording.epoch_rmse[epoch])
    return f"the RMSE at epoch {epoch:,} is {here!r}, and {rmse!r} in the record"


def experiment_of(text: str) -> Experiment:
    """The experiment of a record.

    Raises:
        ValueError: If the text is no record, or its experiment breaks a rule; in one sentence.
    """
    return experiment_in(parsed(text))


def parsed(text: str) -> dict[str, Any]:
    """The record as it stands in a file.

    Raises:
        ValueError: If it is none, in one sentence.
    """

    def refuse(constant: str) -> float:
        raise ValueError(constant)

    try:
        record = json.loads(text.removeprefix("\ufeff"), parse_constant=refuse)
    except (ValueError, RecursionError):
        raise ValueError(f"record must be a JSON record of a run. Got {quoted(text[:200])}.") from None
    if not isinstance(record, dict) or not isinstance(record.get("experiment"), dict):
        what = "none" if isinstance(record, dict) else quoted(text[:200])
        raise ValueError(f"record must hold an experiment, as “Record” or --record writes it. Got {what}.")
    if record.get("format") != FORMAT:
        raise ValueError(f"format must be “{FORMAT}”. Got {quoted(record.get('format', 'none'))}.")
    return record


def experiment_in(record: Mapping[str, Any]) -> Experiment:
    """The experiment of a parsed record. A field that it lacks, because it is older, has its usual value.

    Asked for is the engine that ran: two engines agree to 1e-9, and one with itself to the last bit.
    """
    given: Mapping[str, Any] = record["experiment"]
    strange = next((name for name in given if name not in FIELDS), None)
    if strange is not None:
        raise ValueError(f"experiment must hold fields that this lab knows. Got {quoted(strange)}.")
    choice = {name: given.get(name, getattr(Experiment, name)) for name in ("dataset", "optimizer")}
    for name, value in choice.items():
        sentence = problem_with(name, value, {})
        if sentence:
            raise ParameterError(name, sentence)
    read = {name: FIELDS[name].of_json(name, value) for name, value in given.items()}
    experiment = Experiment(**(defaults(**choice) | read))
    ran = record.get("engine", LOOP)  # older records know the loop only
    if ran not in (LOOP, SPECTRUM):
        raise ValueError(f"engine must be {LOOP} or {SPECTRUM}. Got {quoted(ran)}.")
    return experiment if experiment.runs_on == ran else replace(experiment, engine=ran)
