"""A run as a value: what is trained, from where, how, for how long. And exactly what its link says.

An `Experiment` holds primitives only, so it can be compared, hashed, cached and written into a URL. The bounds
of every field live here and nowhere else: widgets, command line and links all read `BOUNDS` and `CHOICES`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, Self, get_type_hints

from gd_core.settings.catalog import DATASET_INFO, LOSS_INFO, OPTIMIZER_INFO, DatasetInfo
from gd_core.settings.engines import AUTO, ENGINES, LOOP, LOOP_UPDATES, SPECTRUM, is_long, why_no_spectrum
from gd_core.settings.table_fields import (
    DATASET,
    TABLE_FIELDS,
    fitting_default,
    info_of,
    names_from_text,
    names_to_text,
    needs_its_file,
    problem_with_holding_out,
    problem_with_table_field,
    usual_fields,
)

MAX_UPDATES = 1_000_000  # a recorded update of three parameters is 56 bytes
MAX_PHASES = 8  # how often a run may be continued with other settings
MAX_START = 1e9  # |θ₀|; above it the squared error of ordinary data loses its digits


class Bounds(NamedTuple):
    """A number's range, both ends included, with its help text and LaTeX-free symbol."""

    low: float
    high: float
    title: str
    help: str


BOUNDS: Mapping[str, Bounds] = {
    "points": Bounds(3, 10_000, "Points", "How many rows the data set has."),
    "noise": Bounds(
        0,
        1000,
        "Noise",
        "Width of the noise, in units of y; for two features its standard deviation. 0 is none.",
    ),
    "data_seed": Bounds(
        0, 2**32 - 1, "Data seed", "Which random data are drawn. The same seed gives the same data."
    ),
    "holdout": Bounds(
        0,
        0.5,
        "Share",
        "Rows kept from training, as a share of all. They only judge. 0 trains on every row.",
    ),
    "split_seed": Bounds(
        0, 2**32 - 1, "Split seed", "Which rows are held out. The same seed holds out the same rows."
    ),
    "learning_rate": Bounds(
        1e-18, 1e6, "Learning rate η", "How long a step is: η times the gradient. Type it as 0.00001 or 1e-5."
    ),
    "epochs": Bounds(1, MAX_UPDATES, "Epochs", "How often the training goes through all the data."),
    "batch_size": Bounds(
        0, 10_000, "Batch size", "Rows in each update. 0 takes all rows; 1 is stochastic gradient descent."
    ),
    "seed": Bounds(0, 2**32 - 1, "Seed", "For the shuffling of mini-batches and for a random start."),
    "momentum": Bounds(0, 0.9999, "Momentum β", "The share of the last velocity that is kept."),
    "alpha": Bounds(0, 0.99999, "Memory α", "How slowly the running mean of squared gradients forgets."),
    "beta1": Bounds(0, 0.99999, "Memory β₁", "How slowly the mean gradient forgets."),
    "beta2": Bounds(0, 0.999999, "Memory β₂", "How slowly the mean squared gradient forgets."),
    "epsilon": Bounds(1e-16, 1, "Epsilon ε", "Keeps the division away from zero."),
}
CHOICES: Mapping[str, tuple[str, ...]] = {
    "dataset": tuple(DATASET_INFO),
    "loss": tuple(LOSS_INFO),
    "optimizer": tuple(OPTIMIZER_INFO),
    "engine": ENGINES,
}
HYPERPARAMETERS = ("momentum", "alpha", "beta1", "beta2", "epsilon")
NAMED_STARTS = ("published", "random")


class ParameterError(ValueError):
    """A field breaks its rule. The message names the field, the rule and the value."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


class Phase(NamedTuple):
    """An earlier part of a run that was continued: so many epochs with this rule and these settings."""

    epochs: int
    optimizer: str
    learning_rate: float
    momentum: float
    alpha: float
    beta1: float
    beta2: float
    epsilon: float


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Everything that decides a run's numbers, and nothing else.

    Raises:
        ParameterError: If a field breaks its bounds, in one sentence.
    """

    dataset: str = "noisy-quadratic"
    table: str = (
        ""  # of one's own: an example's name, the whole table as text, or the fingerprint of a large one
    )
    target: str = ""
    features: tuple[str, ...] = ()
    degree: int = 1
    missing: str = "refuse"
    points: int = 20
    noise: float = 5.0
    data_seed: int = 2021
    holdout: float = 0.0
    split_seed: int = 0
    loss: str = "mse"
    optimizer: str = "gradient-descent"
    learning_rate: float = 1e-5
    momentum: float = 0.9
    alpha: float = 0.99
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    batch_size: int = 0
    scale_features: bool = False
    start: str | tuple[float, ...] = "published"
    seed: int = 0
    before: tuple[Phase, ...] = ()
    engine: str = AUTO
    epochs: int = 1000  # last, because how many fit hangs on the batch size and on what went before

    def __post_init__(self) -> None:
        """Refuse the first field that breaks its rule."""
        for name in FIELDS:
            sentence = problem_with(name, getattr(self, name), vars(self))
            if sentence:
                raise ParameterError(name, sentence)

    @classmethod
    def default(cls, dataset: str = "noisy-quadratic", optimizer: str = "gradient-descent") -> Self:
        """The starting values of a data set and an update rule."""
        return cls(**defaults(dataset, optimizer))

    @property
    def info(self) -> DatasetInfo:
        """The data set as a choice: titles, parameters, knobs; for a table those of its features and degree."""
        return info_of(vars(self))

    @property
    def held_out_rows(self) -> int:
        """Rows kept from training; without hold-out none, else at least one and at most half."""
        return held_out_of(self.points, self.holdout)

    @property
    def training_rows(self) -> int:
        """N, the rows that are trained on."""
        return self.points - self.held_out_rows

    @property
    def rows_per_update(self) -> int:
        """Rows in each update: the batch size, or all training rows."""
        return self.batch_size or self.training_rows

    @property
    def updates_per_epoch(self) -> int:
        """⌈N/B⌉."""
        return -(-self.training_rows // self.rows_per_update)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Every part of the run in order; the last is the one that the fields describe."""
        return (*self.before, self.phase)

    @property
    def phase(self) -> Phase:
        """The rule and its settings as they stand in the fields; what the rule does not have, as usual."""
        own = {name: getattr(self, name) for name in OPTIMIZER_INFO[self.optimizer].hyperparameters}
        return Phase(self.epochs, self.optimizer, self.learning_rate, **(_USUAL | own))

    @property
    def total_epochs(self) -> int:
        """Epochs of all phases together."""
        return sum(phase.epochs for phase in self.phases)

    @property
    def is_long(self) -> bool:
        """Whether the loop takes more than a fraction of a second for this run."""
        return is_long(self.total_epochs * self.updates_per_epoch, self.rows_per_update)

    @property
    def has_a_choice_of_engine(self) -> bool:
        """Whether the loop takes a while for it, and it could be worked out along the eigenvectors."""
        rules = (phase.optimizer for phase in self.phases)
        takes_a_while = self.is_long or self.total_epochs > LOOP_UPDATES
        return takes_a_while and why_no_spectrum(self.updates_per_epoch, rules) is None

    @property
    def runs_on(self) -> str:
        """What works it out: the engine that is asked for, or the spectrum for a run of many epochs that it can, else the loop."""
        if self.engine != AUTO:
            return self.engine
        return SPECTRUM if self.has_a_choice_of_engine else LOOP

    def continued(self, epoch: int, **changes: Any) -> Self:
        """The same run up to `epoch`, going on from there with other settings.

        Raises:
            ParameterError: If `epoch` is not an epoch of this run, or a change breaks its rule.
        """
        if not 1 <= epoch <= self.total_epochs:
            message = f"epoch to continue from must be between 1 and {self.total_epochs}. Got {epoch}."
            raise ParameterError("before", message)
        kept, left = [], epoch
        for phase in self.phases:
            if left > 0:
                kept.append(phase._replace(epochs=min(left, phase.epochs)))
            left -= phase.epochs
        return replace(self, before=tuple(kept), **changes)

    def to_query(self) -> dict[str, str]:
        """The link: data set, rate and epochs always, the other fields where they differ from the defaults.

        Of a table also the table and its columns always, and never the number of its rows.
        """
        usual = defaults(self.dataset, self.optimizer) | {"optimizer": type(self).optimizer}
        always: tuple[str, ...] = ("dataset", "learning_rate", "epochs")
        if self.dataset == DATASET:
            always += ("table", "target", "features")
            usual |= {"points": self.points, "degree": 1}
        return {
            name: to_text(getattr(self, name))
            for name in FIELDS
            if name in always or getattr(self, name) != usual[name]
        }

    @classmethod
    def from_query(cls, query: Mapping[str, str], fallback: Self | None = None) -> tuple[Self, list[str]]:
        """Read a link. Unknown keys are ignored. Of a table that cannot be had nothing else is read.

        Args:
            query: Field names and texts.
            fallback: Where a missing or bad field takes its value from; the defaults if there is none, or if its
                value does not fit the others either.

        Returns:
            The experiment, and one sentence for each bad value; that field alone takes another.
        """
        sentences: list[str] = []

        def read(name: str, usual: Any, default: Any, others: Mapping[str, Any]) -> Any:
            try:
                value = _from_text(name, query[name]) if name in query else usual
                sentence = problem_with(name, value, others)
            except ValueError:
                value, sentence = usual, _not_readable(name, query[name])
            if sentence is None:
                return value
            sentences.append(sentence)
            if name == "epochs":
                return min(usual, _room_for_epochs(others))
            return default if problem_with(name, usual, others) else usual

        known = cls if fallback is None else fallback
        choice = {
            name: read(name, getattr(known, name), getattr(cls, name), {})
            for name in ("dataset", "optimizer")
        }
        usual = defaults(**choice)
        values = dict(usual)
        if fallback is not None and fallback.dataset == choice["dataset"]:
            values |= {name: getattr(fallback, name) for name in FIELDS if name not in choice}
        if choice["dataset"] == DATASET:
            before = len(sentences)
            values["table"] = read("table", values["table"], usual["table"], values)
            if sentence := needs_its_file(values["table"]):
                sentences.append(sentence)
            if len(sentences) > before:
                return cls(**usual), sentences
            picked = {"target", "features"} & set(query)  # an example's degree belongs to its own columns
            own = usual_fields(values["table"]) | ({"degree": 1} if picked else {})
            usual |= own
            if fallback is None or fallback.dataset != DATASET or fallback.table != values["table"]:
                values |= own
        for name in FIELDS:
            if choice["dataset"] == DATASET:
                fitting = fitting_default(name, usual[name], values)
                values[name] = (
                    fitting if values[name] == usual[name] else fitting_default(name, values[name], values)
                )
                usual[name] = fitting
            if name not in choice and not (name == "table" and choice["dataset"] == DATASET):
                values[name] = read(name, values[name], usual[name], values)
                if name == "missing" and problem_with(name, values[name], values):
                    return cls(
                        **defaults(**choice)
                    ), sentences  # nobody has said what becomes of incomplete rows
        return cls(**values), sentences


FIELDS = tuple(f.name for f in fields(Experiment))
_TYPES = get_type_hints(Experiment)
_USUAL: dict[str, Any] = {f.name: f.default for f in fields(Experiment) if f.name in HYPERPARAMETERS}


def defaults(dataset: str, optimizer: str) -> dict[str, Any]:
    """Every field's starting value for a data set and an update rule."""
    plain = {f.name: f.default for f in fields(Experiment)}
    return (
        plain
        | dict(DATASET_INFO[dataset].defaults)
        | dict(OPTIMIZER_INFO[optimizer].hyperparameters)
        | {"dataset": dataset, "optimizer": optimizer}
    )


def held_out_of(points: int, holdout: float) -> int:
    """How many of so many rows a share is: the nearest number from one to half of them, or none for 0."""
    return min(points // 2, max(1, round(holdout * points))) if holdout else 0


def is_knob(name: str, dataset: str) -> bool:
    """Whether a field shapes this data set; `noise` means nothing to a single fixed row."""
    return name not in ("points", "noise", "data_seed") or name in DATASET_INFO[dataset].knobs


def problem_with(name: str, value: Any, others: Mapping[str, Any]) -> str | None:
    """The sentence that says which rule `value` breaks, or None. `others` holds the fields it depends on."""
    if name in CHOICES:
        if value not in CHOICES[name]:
            return _one_of(name, CHOICES[name], value)
        return _problem_with_spectrum(others) if value == SPECTRUM else None
    if name in TABLE_FIELDS or (name == "points" and others["dataset"] == DATASET):
        return problem_with_table_field(name, value, others)
    if name == "scale_features":
        if not isinstance(value, bool):
            return _one_of(name, ("true", "false"), value)
        if value and others["dataset"] == "one-parameter":
            return "scale_features must be false for one-parameter: a single row has no spread. Got true."
        return None
    if name == "start":
        return _problem_with_start(value, info_of(others).parameters)
    if name == "before":
        return _problem_with_before(value, others)
    low, high = BOUNDS[name][:2]
    whole = _TYPES[name] is int
    is_number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not is_knob(name, others["dataset"]):
        fixed = DATASET_INFO[others["dataset"]].defaults[name]
        if is_number and value == fixed:
            return None
        return f"{name} must be {fixed} for {others['dataset']}. Got {quoted(value)}."
    if not is_number or not low <= value <= high:
        kind = "a whole number between" if whole else "a number between"
        return f"{name} must be {kind} {low:,.12g} and {high:,.12g}. Got {quoted(value)}."
    if name == "holdout" and value and others["dataset"] == "one-parameter":
        return f"holdout must be 0 for one-parameter: a single row cannot be split. Got {quoted(value)}."
    if name == "holdout" and value and others["dataset"] == DATASET:
        return problem_with_holding_out(held_out_of(others["points"], value), value, others)
    if name == "batch_size" and value > (rows := _training_rows(others)):
        kind = "training rows" if others["holdout"] else "rows of the data"
        return f"batch_size must be at most the {rows:,} {kind}, or 0 for all. Got {value:,}."
    if name == "epochs" and "before" in others and value > _room_for_epochs(others):
        return (
            f"epochs must be at most {_room_for_epochs(others):,} here, or there are more than {MAX_UPDATES:,} updates: "
            f"take a larger batch_size. Got {value:,}."
        )
    return None


def _problem_with_start(value: Any, parameters: tuple[str, ...]) -> str | None:
    if not isinstance(value, tuple):
        return None if value in NAMED_STARTS else _one_of("start", (*NAMED_STARTS, "numbers"), value)
    names = ", ".join(parameters)
    if len(value) != len(parameters):
        numbers = "one number" if len(parameters) == 1 else f"{len(parameters)} numbers"
        return f"start must hold {numbers} ({names}). Got {len(value)}."
    for parameter, number in zip(parameters, value, strict=True):
        if not abs(number) <= MAX_START:  # also NaN
            return f"start must lie between −1e9 and 1e9. Got {parameter} = {quoted(number)}."
    return None


def _problem_with_before(value: Any, others: Mapping[str, Any]) -> str | None:
    if len(value) > MAX_PHASES:
        return f"before must hold at most {MAX_PHASES} phases. Got {len(value)}."
    for phase in value:
        for name, number in phase._asdict().items():
            sentence = problem_with(name, number, {"dataset": others["dataset"]})
            if sentence:
                return f"before: {sentence}"
    if value and _room_for_epochs({**others, "before": value}) < 1:
        return f"before must leave room below {MAX_UPDATES:,} updates. Got {sum(p.epochs for p in value):,} epochs."
    return None


def _problem_with_spectrum(others: Mapping[str, Any]) -> str | None:
    """Why these settings cannot be worked out along the eigenvectors, as a sentence."""
    if not {"optimizer", "batch_size", "before"} <= set(others):
        return None  # told when they are known
    rules = (*(phase.optimizer for phase in others["before"]), others["optimizer"])
    rows = _training_rows(others)
    reason = why_no_spectrum(-(-rows // (others["batch_size"] or rows)), rules)
    return reason and f"engine must be {AUTO} or {LOOP} {reason}. Got {SPECTRUM}."


def _room_for_epochs(others: Mapping[str, Any]) -> int:
    """How many epochs fit below MAX_UPDATES beside the earlier phases."""
    rows = _training_rows(others)
    return MAX_UPDATES // -(-rows // (others["batch_size"] or rows)) - sum(
        phase.epochs for phase in others["before"]
    )


def _training_rows(others: Mapping[str, Any]) -> int:
    return others["points"] - held_out_of(others["points"], others["holdout"])


def _one_of(name: str, choices: tuple[str, ...], value: Any) -> str:
    return f"{name} must be one of {', '.join(choices)}. Got {quoted(value)}."


def quoted(value: Any) -> str:
    """A value as quoted in an error: short, whatever a link brought along."""
    text = str(value).lower() if isinstance(value, bool) else " ".join(str(value).split()) or "nothing"
    return text if len(text) <= 40 else text[:39] + "…"


def to_text(value: Any) -> str:
    """A field as it stands in a link."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple) and value and isinstance(value[0], Phase):
        return ";".join(",".join(to_text(part) for part in _shortened(phase)) for phase in value)
    if isinstance(value, tuple) and value and isinstance(value[0], str):
        return names_to_text(value)
    if isinstance(value, tuple):
        return ",".join(repr(float(number)) for number in value)
    return repr(value) if isinstance(value, float) else str(value)


def _shortened(phase: Phase) -> list[Any]:
    """Epochs, rule, rate, then the hyper-parameters that the rule has."""
    return [*phase[:3], *(getattr(phase, name) for name in OPTIMIZER_INFO[phase.optimizer].hyperparameters)]


def _from_text(name: str, text: str) -> Any:
    if name in CHOICES or name in ("table", "target", "missing"):
        return text
    if name == "features":
        return names_from_text(text)
    if name == "scale_features":
        return {"true": True, "false": False}.get(text, text)
    if name == "start":
        return text if text in NAMED_STARTS else tuple(float(part) for part in text.split(","))
    if name == "before":
        return tuple(_phase_from_text(part) for part in text.split(";")) if text else ()
    return int(text) if _TYPES[name] is int else float(text)


def _phase_from_text(text: str) -> Phase:
    epochs, optimizer, learning_rate, *hyperparameters = text.split(",")
    if optimizer not in OPTIMIZER_INFO:
        raise ValueError(text)
    own = dict(zip(OPTIMIZER_INFO[optimizer].hyperparameters, map(float, hyperparameters), strict=True))
    return Phase(int(epochs), optimizer, float(learning_rate), **(_USUAL | own))


def _not_readable(name: str, text: str) -> str:
    rule = {
        "start": f"{', '.join(NAMED_STARTS)} or numbers with commas between",
        "features": "names of columns with commas between",
        "before": "phases like 250,momentum,1e-05,0.9 with ; between",
    }.get(name, "a whole number" if _TYPES[name] is int else "a number")
    return f"{name} must be {rule}. Got {quoted(text)}."
