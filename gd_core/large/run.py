"""The settings of a training on a table that is read in pieces.

The fields have the names, bounds and sentences of an `Experiment`. They are a value of their own, because an
`Experiment` is what fits into a link and a page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self, get_type_hints

from gd_core.settings.catalog import OPTIMIZER_INFO
from gd_core.settings.experiment import FIELDS, HYPERPARAMETERS, ParameterError, Phase, problem_with, quoted
from gd_core.settings.table_fields import (
    DATASET,
    MAX_DEGREE,
    MISSING,
    names_from_text,
    names_to_text,
    parameter_names,
)

MAX_FEATURES = 1000
FULL_BATCH_EPOCHS = 1000  # usual: they cost no look at the rows
PASSES = 10  # usual epochs of mini-batches, each of which reads the file


@dataclass(frozen=True, kw_only=True)
class LargeRun:
    """What is trained, on the rows of a file.

    Attributes:
        features: Columns the target is predicted from; empty until the file is known, then by default all others.
        learning_rate: η; 0 until the rows are known, from which a rate that settles is computed.
        batch_size: B rows of each process in an update; 0 takes all rows of the file.
    """

    target: str = ""
    features: tuple[str, ...] = ()
    degree: int = 1
    missing: str = "refuse"
    optimizer: str = "gradient-descent"
    learning_rate: float = 0.0
    momentum: float = 0.9
    alpha: float = 0.99
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    batch_size: int = 0
    scale_features: bool = False
    start: str | tuple[float, ...] = "published"
    seed: int = 0
    epochs: int = FULL_BATCH_EPOCHS

    def __post_init__(self) -> None:
        """Refuse the first field that breaks its rule."""
        for name in NAMES:
            sentence = _problem_with(name, getattr(self, name), self)
            if sentence:
                raise ParameterError(name, sentence)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The settings that flags give as texts, or a record as values; the others have their usual values.

        Raises:
            ParameterError: If one cannot be read, or breaks its rule, in a sentence.
        """
        for name in FIELDS:
            if name in given and name not in (*NAMES, "dataset", "table"):
                if name == "loss" and given[name] == "mse":
                    continue
                raise ParameterError(
                    name,
                    f"{name} must be left out for a table that is read in pieces. Got {quoted(given[name])}.",
                )
        read = {name: _value(name, given[name]) for name in NAMES if name in given}
        usual: dict[str, Any] = {}
        if read.get("optimizer") in OPTIMIZER_INFO:
            usual |= OPTIMIZER_INFO[read["optimizer"]].hyperparameters
        if read.get("batch_size"):
            usual["epochs"] = PASSES
        if "learning_rate" in read and not read["learning_rate"]:
            sentence = problem_with("learning_rate", 0.0, {"dataset": DATASET})
            raise ParameterError("learning_rate", sentence or "")
        return cls(**(usual | read))

    def on(self, names: Sequence[str]) -> Self:
        """The same with columns of a file: by default the target is the last, the features are all others.

        Raises:
            ParameterError: If a column is not there, or used twice.
        """
        target = self.target or names[-1]
        features = self.features or tuple(name for name in names if name != target)
        for field, name in (("target", target), *(("features", name) for name in features)):
            if name not in names:
                shown = ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
                raise ParameterError(
                    field, f"{field} must be of the table’s columns: {shown}. Got {quoted(name)}."
                )
        if target in features:
            raise ParameterError(
                "features",
                f"features must not hold the target, or there is nothing to learn. Got {quoted(target)}.",
            )
        return replace(self, target=target, features=features)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of θ: w₁ … w_D and b."""
        return parameter_names(max(len(self.features), self.degree))

    @property
    def phase(self) -> Phase:
        """The rule with its settings."""
        return Phase(
            self.epochs,
            self.optimizer,
            self.learning_rate,
            *(getattr(self, name) for name in HYPERPARAMETERS),
        )

    def as_json(self) -> dict[str, Any]:
        """The fields, in values that JSON has."""
        return asdict(self)


NAMES = tuple(field.name for field in fields(LargeRun))
_TYPES = get_type_hints(LargeRun)


def _problem_with(name: str, value: Any, run: LargeRun | None) -> str | None:
    """The sentence that says which rule a field breaks, or None."""
    match name:
        case "target":
            return None if isinstance(value, str) else f"target must be a column. Got {quoted(value)}."
        case "features":
            if not isinstance(value, tuple) or len(value) > MAX_FEATURES:
                got = len(value) if isinstance(value, tuple) else quoted(value)
                return f"features must be 1 to {MAX_FEATURES:,} columns. Got {got}."
            return (
                None
                if len(set(value)) == len(value)
                else f"features must be different columns. Got {quoted(names_to_text(value))}."
            )
        case "degree":
            if type(value) is not int or not 1 <= value <= MAX_DEGREE:
                return f"degree must be a whole number between 1 and {MAX_DEGREE}. Got {quoted(value)}."
            several = run is not None and len(run.features) > 1
            return f"degree must be 1 with several features. Got {value}." if value > 1 and several else None
        case "missing":
            return (
                None
                if value in MISSING
                else f"missing must be one of {', '.join(MISSING)}. Got {quoted(value)}."
            )
        case "batch_size":
            fits = type(value) is int and value >= 0
            return (
                None
                if fits
                else f"batch_size must be a whole number from 0, which takes all rows. Got {quoted(value)}."
            )
        case "learning_rate" if value == 0:
            return None
        case "start":
            if run is None or isinstance(value, str) or run.features:
                return problem_with(name, value, _others(run))
            return None
        case _:
            return problem_with(name, value, {"dataset": DATASET})


def _others(run: LargeRun | None) -> Mapping[str, Any]:
    return {"dataset": DATASET, "features": run.features if run else (), "degree": run.degree if run else 1}


def _value(name: str, given: Any) -> Any:
    """A field from the text of a flag, or from what JSON made of it."""
    try:
        if isinstance(given, list):
            return tuple(float(item) if name == "start" else str(item) for item in given)
        if not isinstance(given, str):
            return float(given) if _TYPES[name] is float and type(given) is int else given
        if name == "features":
            return names_from_text(given)
        if name == "start" and given not in ("published", "random"):
            return tuple(map(float, given.split(",")))
        if _TYPES[name] in (int, float):
            return _TYPES[name](given)
    except ValueError:
        rule = {int: "a whole number", float: "a number"}.get(
            _TYPES[name], "names or numbers with commas between"
        )
        raise ParameterError(name, f"{name} must be {rule}. Got {quoted(given)}.") from None
    return given
