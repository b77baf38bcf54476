"""A run as a value: what is trained, from where, how, for how long. And exactly what its link says.

An `Experiment` holds primitives only, so it can be compared, hashed, cached and written into a URL. All that is known of
a field by itself stands in `FIELDS` and nowhere else: links, records, widgets, flags and a task's locks read it there.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from gd_core.settings import schedules
from gd_core.settings.catalog import (
    DATASET_INFO,
    LOSS_INFO,
    DatasetInfo,
    LossInfo,
    loss_info,
    model_info,
    why_no_parabola,
    why_not_scaled,
)
from gd_core.settings.engines import AUTO, LOOP, LOOP_UPDATES, SPECTRUM, is_long, why_no_spectrum
from gd_core.settings.experiment_fields import (
    COMMON_FIELDS,
    FIELDS,
    HYPERPARAMETERS,
    MAX_UPDATES,
    Phase,
)
from gd_core.settings.fields import (
    ParameterError,
    quoted,
    short_enough,
)
from gd_core.settings.penalties import PENALTIES, WEIGHTS
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.table_fields import (
    DATASET,
    LINE,
    TABLE_FIELDS,
    as_columns,
    fitting_default,
    info_of,
    is_always_scaled,
    is_yes_no,
    needs_its_file,
    problem_with_holding_out,
    problem_with_table_field,
    usual_fields,
)
from gd_core.words import counted

MAX_PHASES = 8  # how often a run may be continued with other settings
SPECTRUM_KNOWS = (*COMMON_FIELDS, *schedules.FIELDS)
MAX_START = 1e9  # |θ₀|; above it the squared error of ordinary data loses its digits


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
    model: str = LINE
    intercept: bool = True
    missing: str = "refuse"
    points: int = 20
    noise: float = 5.0
    data_seed: int = 2021
    holdout: float = 0.0
    split_seed: int = 0
    loss: str = "mse"
    delta: float = 1.0  # of the Huber loss
    penalty: float = 0.0
    penalised: str = WEIGHTS  # by the penalty
    optimizer: str = "gradient-descent"
    learning_rate: float = 1e-5
    schedule: str = schedules.CONSTANT
    warmup: int = 0
    counted_in: str = schedules.EPOCHS
    momentum: float = 0.9
    alpha: float = 0.99
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01
    batch_size: int = 0
    shuffle: bool = True
    scale_features: bool = False
    scale_target: bool = False
    start: str | tuple[float, ...] = "published"
    seed: int = 0
    before: tuple[Phase, ...] = ()
    engine: str = AUTO
    tolerance: float = 0.0  # of the last part; how long the earlier ones were is known
    patience: int = 0  # of the last part
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
    def loss_info(self) -> LossInfo:
        """What is minimised, in words: the loss, and the penalty beside it."""
        if not self.penalty:
            return loss_info(self.loss)
        return loss_info(self.loss, PENALTIES[self.penalised], intercept=self.has_intercept)

    @property
    def has_intercept(self) -> bool:
        """Whether the last parameter is one."""
        return model_info(self.info.model).intercept

    @property
    def penalty_factors(self) -> tuple[float, ...]:
        """What the penalty's λ is multiplied by of each parameter."""
        return PENALTIES[self.penalised].factors(self.info.parameters, self.has_intercept)

    @property
    def penalised_in_words(self) -> str:
        """What the penalty weighs: the squared weights, without the intercept."""
        return PENALTIES[self.penalised].worded(intercept=self.has_intercept)

    @property
    def has_a_choice_of_penalty(self) -> bool:
        """Whether there is one, and its kinds differ: without an intercept the two that there are do not."""
        names, last = self.info.parameters, self.has_intercept
        return self.penalty > 0 and len({info.factors(names, last) for info in PENALTIES.values()}) > 1

    @property
    def is_rescaled(self) -> bool:
        """Whether θ is trained in other units than those of the data."""
        return self.scale_features or self.scale_target

    @property
    def trained_names(self) -> tuple[str, ...]:
        """Names of θ as it is trained: with a prime where that is in other units than those of the data."""
        names = self.info.parameters
        return tuple(f"{name}′" for name in names) if self.is_rescaled else names

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
        not_its_own = set(HYPERPARAMETERS) - set(OPTIMIZER_INFO[self.optimizer].hyperparameters)
        return Phase(**{name: getattr(self, name) for name in Phase._fields if name not in not_its_own})

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
        takes_a_while = self.is_long or self.total_epochs > LOOP_UPDATES
        return takes_a_while and _why_no_spectrum(vars(self)) is None

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
            if left >= phase.epochs:
                kept.append(phase)
            elif left > 0:
                kept.append(
                    phase._replace(epochs=left, schedule=schedules.fixed(phase, self.updates_per_epoch))
                )
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
            name: self.as_text(name)
            for name in FIELDS
            if name in always or getattr(self, name) != usual[name]
        }

    def as_text(self, name: str) -> str:
        """A field as it stands in a link."""
        return FIELDS[name].write(getattr(self, name))

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
                value = FIELDS[name].parse(short_enough(name, query[name])) if name in query else usual
                if name in ("target", "features") and name in query:
                    value = as_columns(name, value, others["table"])
                sentence = problem_with(name, value, others)
                if sentence and name in query and sentence == FIELDS[name].wrong(name, value):
                    sentence = FIELDS[name].wrong_as_typed(name, value, query[name])
            except ParameterError as error:
                value, sentence = usual, str(error)
            except ValueError:
                value = usual
                sentence = f"{name} must be {FIELDS[name].form}. Got {quoted(query[name])}."
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
        same = fallback is not None and fallback.dataset == choice["dataset"]
        usual, sentence = going_together(**choice, loss=query.get("loss", known.loss if same else None))
        if sentence:
            sentences.append(sentence)
            choice["optimizer"] = cls.optimizer
        values = dict(usual)
        if same:
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


def defaults(dataset: str, optimizer: str) -> dict[str, Any]:
    """Every field's starting value for a data set and an update rule."""
    return (
        {f.name: f.default for f in fields(Experiment)}
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
    field, dataset = FIELDS[name], others.get("dataset")
    if name in TABLE_FIELDS or (name == "points" and dataset == DATASET):
        return problem_with_table_field(name, value, others, field)
    if dataset is not None and not is_knob(name, dataset):
        fixed = DATASET_INFO[dataset].defaults[name]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return (
            None
            if number and value == fixed
            else f"{name} must be {fixed} for {dataset}. Got {quoted(value)}."
        )
    return field.wrong(name, value) or _problem_beside(name, value, others)


def _problem_beside(name: str, value: Any, others: Mapping[str, Any]) -> str | None:
    """The sentence about a value that is right by itself, and does not fit the other fields; or None."""
    info = DATASET_INFO[others["dataset"]] if "dataset" in others else None
    if name == "engine" and value == SPECTRUM:
        return _problem_with_spectrum(others)
    if name == "loss" and LOSS_INFO[value].yes_no and info and not is_yes_no(others, info.yes_no):
        own = others["dataset"] == DATASET
        which = f"the column {quoted(others['target'])}" if own else f"the target of {others['dataset']}"
        return f"loss must be one for numbers: {which} is not 0 or 1 in each row. Got {value}."
    if name == "scale_target" and value and LOSS_INFO[others.get("loss", Experiment.loss)].yes_no:
        return "scale_target must be false for the log loss, whose target is 0 or 1. Got true."
    if name in ("scale_features", "scale_target") and value and info and (reason := why_not_scaled(info)):
        return f"{name} must be false for {others['dataset']}: {reason}. Got true."
    scaled = name == "scale_features" or (
        name == "scale_target" and not LOSS_INFO[others.get("loss", Experiment.loss)].yes_no
    )
    if scaled and not value and info and is_always_scaled(others):
        return f"{name} must be true for model {others['model']}, whose start and map are in scaled units. Got false."
    if name == "intercept" and not value and info and is_always_scaled(others):
        return f"intercept must be true for model {others['model']}, which has none to leave out. Got false."
    if name == "intercept" and not value and info and not model_info(info.model).through_origin:
        return f"intercept must be true for {others['dataset']}: its model has none to leave out. Got false."
    if name == "start" and isinstance(value, tuple):
        return _problem_with_start(value, info_of(others).parameters)
    if name == "before":
        return _problem_with_before(value, others)
    if name == "holdout" and value and info and info.is_a_single_row:
        return (
            f"holdout must be 0 for {others['dataset']}: a single row cannot be split. Got {quoted(value)}."
        )
    if name == "holdout" and value and others["dataset"] == DATASET:
        return problem_with_holding_out(held_out_of(others["points"], value), value, others)
    if name == "patience" and value and not others.get("holdout", 1):
        return (
            f"patience must be 0 without held-out rows, whose error it watches: set holdout. Got {value:,}."
        )
    if name in ("loss", "batch_size") and (sentence := _problem_with_curvature(name, value, others)):
        return sentence
    if name == "batch_size" and value > (rows := _training_rows(others)):
        kind = "training rows" if others["holdout"] else "rows of the data"
        return f"batch_size must be at most the {rows:,} {kind}, or 0 for all. Got {value:,}."
    if name == "epochs" and "before" in others and value > _room_for_epochs(others):
        return (
            f"epochs must be at most {_room_for_epochs(others):,} here, or there are more than {MAX_UPDATES:,} updates: "
            f"take a larger batch_size. Got {value:,}."
        )
    return None


def going_together(dataset: str, optimizer: str, loss: str | None = None) -> tuple[dict[str, Any], str]:
    """The settings that a data set opens with under a rule; those of gradient descent, and why, where its own loss cannot have the rule.

    Args:
        dataset: Key of `catalog.DATASET_INFO`.
        optimizer: Key of `rules.OPTIMIZER_INFO`.
        loss: Asked for in place of its own.
    """
    usual = defaults(dataset, optimizer)
    sentence = problem_with("loss", usual["loss"], usual)
    if sentence is None or (loss is not None and problem_with("loss", loss, usual) is None):
        return usual, ""
    return defaults(dataset, Experiment.optimizer), sentence


def _problem_with_curvature(name: str, value: Any, others: Mapping[str, Any]) -> str | None:
    """Why a rule that divides by the curvature cannot do so with this loss or these batches, as a sentence."""
    rule: str = others.get("optimizer", "")
    if rule not in OPTIMIZER_INFO or not OPTIMIZER_INFO[rule].over_curvature:
        return None
    if name == "loss" and "dataset" in others and why_no_parabola(info_of(others).model, value):
        return (
            f"loss must have one curvature everywhere with {rule}, which divides by it. Got {quoted(value)}."
        )
    if name == "batch_size" and value and value < _training_rows(others):
        return f"batch_size must be 0 with {rule}, which divides by the curvature of all rows. Got {value:,}."
    return None


def _problem_with_start(value: tuple[Any, ...], parameters: tuple[str, ...]) -> str | None:
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
        beside = {**others, "optimizer": phase.optimizer}
        for name in ("loss", "batch_size"):
            if sentence := name in others and _problem_with_curvature(name, others[name], beside):
                return f"before: {sentence}"
        for name, number in phase._asdict().items():
            sentence = problem_with(name, number, {"dataset": others["dataset"]})
            if sentence:
                return f"before: {sentence}"
    if value and _room_for_epochs({**others, "before": value}) < 1:
        return f"before must leave room below {MAX_UPDATES:,} updates. Got {counted(sum(p.epochs for p in value), 'epoch')}."
    return None


def _problem_with_spectrum(others: Mapping[str, Any]) -> str | None:
    """Why these settings cannot be worked out along the eigenvectors, as a sentence."""
    if not {"optimizer", "batch_size", "before", "loss"} <= set(others):
        return None  # told when they are known
    reason = _why_no_spectrum(others)
    return reason and f"engine must be {AUTO} or {LOOP} {reason}. Got {SPECTRUM}."


def _why_no_spectrum(values: Mapping[str, Any]) -> str | None:
    """Why a run with these fields cannot be worked out along the eigenvectors, or None."""
    if odd := beyond(values, SPECTRUM_KNOWS):
        return f"with {odd[0]}, which the eigenvectors know nothing of"
    rules = (*(phase.optimizer for phase in values["before"]), values["optimizer"])
    rows = _training_rows(values)
    curved = why_no_parabola(info_of(values).model, values["loss"])
    return why_no_spectrum(-(-rows // (values["batch_size"] or rows)), rules, curved)


def beyond(values: Mapping[str, Any], known: Collection[str]) -> tuple[str, Any] | None:
    """The first field that is not among those that are known, and not as usual, with its value; or None.

    Looked for in the earlier phases as well.
    """
    for field in fields(Experiment):
        if field.name not in known:
            for part in (values, *(phase._asdict() for phase in values["before"])):
                if (value := part.get(field.name, field.default)) != field.default:
                    return field.name, value
    return None


def not_known(experiment: Experiment, known: Collection[str], where: str) -> str | None:
    """The sentence that refuses a run with a setting that a part of the lab does not know; None if it knows all.

    Args:
        experiment: The run.
        known: The fields that the part takes account of.
        where: The part, as the sentence calls it: "in a script".
    """
    if (found := beyond(vars(experiment), known)) is None:
        return None
    name, value = found
    usual, got = (FIELDS[name].write(one) for one in (getattr(Experiment, name), value))
    return f"{name} must be {usual} {where}. Got {quoted(got)}."


def _room_for_epochs(others: Mapping[str, Any]) -> int:
    """How many epochs fit below MAX_UPDATES beside the earlier phases."""
    rows = _training_rows(others)
    return MAX_UPDATES // -(-rows // (others["batch_size"] or rows)) - sum(
        phase.epochs for phase in others["before"]
    )


def _training_rows(others: Mapping[str, Any]) -> int:
    return others["points"] - held_out_of(others["points"], others["holdout"])
