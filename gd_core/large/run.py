"""The settings of a training on a table that is read in pieces.

The fields have the names, bounds and sentences of an `Experiment`. They are a value of their own, because an
`Experiment` is what fits into a link and a page.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Self

from gd_core.settings.experiment import defaults, problem_with
from gd_core.settings.experiment_fields import FIELDS, LEARNING_RATE, Phase
from gd_core.settings.fields import Field, ParameterError, quoted
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.table_fields import (
    DATASET,
    all_features,
    first_feature,
    guessed_target,
    parameter_names,
    problem_with_column,
    under,
)

if TYPE_CHECKING:
    from gd_core.tables.table import Table

MAX_FEATURES = 1000
MAX_DEGREE = 5  # rows are added up in powers of x as it is, which lose digits with each degree
MAX_BATCH = 1_000_000_000  # rows of a process
FULL_BATCH_EPOCHS = 1000  # usual: they cost no look at the rows
IN_PIECES = tuple(rule for rule, info in OPTIMIZER_INFO.items() if not (info.decays or info.over_curvature))
PASSES = 10  # usual epochs of mini-batches, each of which reads the file


@dataclass(frozen=True, kw_only=True)
class LargeRun:
    """What is trained, on the rows of a file.

    Attributes:
        features: Columns the target is predicted from; empty until the file is known, then by default all others.
        learning_rate: η; 0 until the rows are known, from which a rate that settles is computed.
        batch_size: B rows of each process in an update; 0 takes all rows of the file.
        shuffle: False with mini-batches, which are read as they stand; with all rows in every update it means nothing.
    """

    target: str = ""
    features: tuple[str, ...] = ()
    degree: int = 1
    intercept: bool = True
    missing: str = "refuse"
    optimizer: str = "gradient-descent"
    learning_rate: float = 0.0
    momentum: float = 0.9
    alpha: float = 0.99
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    batch_size: int = 0
    shuffle: bool = True
    scale_features: bool = False
    start: str | tuple[float, ...] = "published"
    seed: int = 0
    tolerance: float = 0.0
    epochs: int = FULL_BATCH_EPOCHS

    def __post_init__(self) -> None:
        """Refuse the first field that breaks its rule."""
        for name in LARGE_FIELDS:
            if sentence := self._wrong(name, getattr(self, name)):
                raise ParameterError(name, sentence)

    def _wrong(self, name: str, value: Any) -> str | None:
        """The sentence that says which rule a field breaks, or None."""
        if name == "target":
            return None if isinstance(value, str) else f"target must be a column. Got {quoted(value)}."
        if name == "features" and (not isinstance(value, tuple) or len(value) > MAX_FEATURES):
            got = len(value) if isinstance(value, tuple) else quoted(value)
            return f"features must be 1 to {MAX_FEATURES:,} columns. Got {got}."
        if name == "features" and len(set(value)) < len(value):
            return f"features must be different columns. Got {quoted(LARGE_FIELDS[name].write(value))}."
        if name == "learning_rate" and value == 0:
            return None  # not known yet
        if name == "shuffle" and value is True and self.batch_size:
            return (
                "shuffle must be false for a table that is read in pieces: rows come in the order of the file. "
                f"Got {quoted(value)}."
            )
        if sentence := LARGE_FIELDS[name].wrong(name, value):
            return sentence
        if name == "optimizer" and value not in IN_PIECES:
            return f"optimizer must be one of {', '.join(IN_PIECES)} for a table that is read in pieces. Got {value}."
        if name == "degree" and self.degree > 1 and len(self.features) > 1:
            return f"degree must be 1 with several features. Got {value}."
        if name == "start" and isinstance(value, tuple) and self.features:
            return problem_with(name, value, {"dataset": DATASET} | vars(self))
        return None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The settings that flags give as texts, or a record as values; the others have their usual values.

        Raises:
            ParameterError: If one cannot be read, or breaks its rule, in a sentence.
        """
        usual = defaults(DATASET, cls.optimizer)
        for name, field in FIELDS.items():
            if name in LARGE_FIELDS or name in ("dataset", "table") or name not in given:
                continue
            text = isinstance(given[name], str)
            value = field.parsed(given[name]) if text else field.of_json(name, given[name])
            if value != usual[name]:
                raise ParameterError(
                    name,
                    f"{name} must be left out for a table that is read in pieces. Got {quoted(given[name])}.",
                )
        read = {name: _value(name, given[name]) for name in LARGE_FIELDS if name in given}
        usual = {}
        if read.get("optimizer") in OPTIMIZER_INFO:
            own = OPTIMIZER_INFO[read["optimizer"]].hyperparameters
            usual |= {name: value for name, value in own.items() if name in LARGE_FIELDS}
        if read.get("batch_size"):
            usual |= {"epochs": PASSES, "shuffle": False}
        if "learning_rate" in read and not read["learning_rate"]:
            raise ParameterError("learning_rate", LEARNING_RATE.wrong("learning_rate", 0.0) or "")
        return cls(**(usual | read))

    def on(self, table: "Table") -> Self:
        """The same with columns of a table, chosen as on a page: by default the target is guessed, the features all others.

        Raises:
            ParameterError: If a column is not there, or used twice.
        """
        target = self.target or guessed_target(table)
        if len(columns := under(table, target)) == 1:
            target = columns[0]
        if sentence := problem_with_column("target", target, table):
            raise ParameterError("target", sentence)
        features = tuple(column for name in self.features for column in under(table, name))
        features = features or all_features(table, target) or first_feature(table, target)
        for name in features:
            if sentence := problem_with_column("features", name, table):
                raise ParameterError("features", sentence.replace("must be a column", "must be columns"))
        if target in features:
            raise ParameterError(
                "features",
                f"features must not hold the target, or there is nothing to learn. Got {quoted(target)}.",
            )
        return replace(self, target=target, features=features)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of θ: w₁ … w_D, and b where there is an intercept."""
        names = parameter_names(max(len(self.features), self.degree))
        return names if self.intercept else names[:-1]

    @property
    def phase(self) -> Phase:
        """The rule with its settings."""
        return Phase(**{name: value for name, value in vars(self).items() if name in Phase._fields})

    def as_json(self, rows: int) -> dict[str, Any]:
        """Every field of an `Experiment` on so many rows, in values that JSON has; the table itself is not in it."""
        usual = defaults(DATASET, self.optimizer)
        own = asdict(self) | {"dataset": DATASET, "table": "", "points": rows}
        return {name: own.get(name, usual[name]) for name in FIELDS}


# What is known of each by itself; what is different with more rows than a page can bear is said by `_wrong`.
LARGE_FIELDS: Mapping[str, Field] = {field.name: FIELDS[field.name] for field in fields(LargeRun)} | {
    "degree": replace(FIELDS["degree"], high=MAX_DEGREE),
    "batch_size": replace(FIELDS["batch_size"], high=MAX_BATCH),
}


def _value(name: str, given: Any) -> Any:
    """A field from the text of a flag, or from what JSON made of it."""
    field = LARGE_FIELDS[name]
    if not isinstance(given, str):
        return field.of_json(name, given)
    try:
        return field.parse(given)
    except ValueError:
        raise ParameterError(name, f"{name} must be {field.form}. Got {quoted(given)}.") from None
