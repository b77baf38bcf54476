"""The fields of an `Experiment`: all that is known of each by itself. Links, records, widgets, flags and locks read it here."""

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from gd_core.settings import schedules
from gd_core.settings.catalog import DATASET_INFO, LOSS_INFO, OFFERED
from gd_core.settings.engines import ENGINES
from gd_core.settings.fields import (
    Choice,
    Field,
    Flag,
    NamedOrNumbers,
    Names,
    Number,
    ParameterError,
    quoted,
    said,
    to_text,
)
from gd_core.settings.penalties import PENALTIES
from gd_core.settings.rules import OPTIMIZER_INFO, linear_step
from gd_core.settings.schedules import CONSTANT, EPOCHS
from gd_core.settings.table_fields import MAX_DEGREE, MISSING
from gd_core.tables.example_tables import EXAMPLE_TABLES
from gd_core.words import counted

MAX_UPDATES = 1_000_000  # a recorded update of three parameters is 56 bytes
NAMED_STARTS = ("published", "random")


class Phase(NamedTuple):
    """An earlier part of a run that was continued: so many epochs with this rule and these settings."""

    epochs: int
    optimizer: str
    learning_rate: float
    momentum: float = 0.9
    alpha: float = 0.99
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01
    schedule: str = CONSTANT
    warmup: int = 0
    counted_in: str = EPOCHS

    @property
    def besides(self) -> dict[str, Any]:
        """Settings that are no hyper-parameters of a rule, where they are not as usual."""
        usual = {name: value for name, value in self._field_defaults.items() if name not in HYPERPARAMETERS}
        return {name: getattr(self, name) for name, value in usual.items() if getattr(self, name) != value}

    @property
    def in_words(self) -> str:
        """For a student: 250 epochs of momentum at 1e−5."""
        rule = OPTIMIZER_INFO[self.optimizer].title.lower()
        return (
            f"{counted(self.epochs, 'epoch')} of {rule} at {said(self.learning_rate)}{self.besides_in_words}"
        )

    @property
    def besides_in_words(self) -> str:
        """What follows the words for rule and rate: nothing where all is as usual."""
        return schedules.in_words(self) + "".join(
            f", {FIELDS[name].title.lower()} {FIELDS[name].write(value)}"
            for name, value in self.besides.items()
            if name not in schedules.FIELDS
        )

    @property
    def momentum_or_zero(self) -> float:
        """β of a rule that has a velocity, else 0."""
        step = linear_step(self)
        return step.beta if step else 0.0

    @property
    def as_text(self) -> str:
        """Epochs, rule, rate, what the rule has of its own in order, and any other field by its name where it is not as usual."""
        own = tuple(OPTIMIZER_INFO[self.optimizer].hyperparameters)
        parts = [to_text(getattr(self, name)) for name in (*Phase._fields[:3], *own)]
        return ",".join(
            [*parts, *(f"{name}={FIELDS[name].write(value)}" for name, value in self.besides.items())]
        )

    @classmethod
    def of_text(cls, text: str) -> Self:
        """The inverse of `as_text`.

        Raises:
            ValueError: If it is none.
        """
        parts = text.split(",")
        named = dict(part.split("=", 1) for part in parts if "=" in part)
        epochs, optimizer, learning_rate, *numbers = (part for part in parts if "=" not in part)
        if optimizer not in OPTIMIZER_INFO or not named.keys() <= set(cls._field_defaults) - set(
            HYPERPARAMETERS
        ):
            raise ValueError(text)
        own = zip(OPTIMIZER_INFO[optimizer].hyperparameters, map(float, numbers), strict=True)
        others = {name: FIELDS[name].parse(part) for name, part in named.items()}
        return cls(int(epochs), optimizer, float(learning_rate), **dict(own), **others)

    @classmethod
    def of_json(cls, value: Any) -> Self:
        """A phase from a record; what an older one does not have is as usual.

        Raises:
            ParameterError: If it is none.
        """
        if not isinstance(value, dict) or not set(cls._fields[:3]) <= set(value) <= set(cls._fields):
            raise ParameterError(
                "before", f"before must hold phases with {', '.join(cls._fields)}. Got {quoted(value)}."
            )
        return cls(**{name: FIELDS[name].of_json(f"before: {name}", item) for name, item in value.items()})


class Phases(Field):
    """The phases before, with semicolons between."""

    @property
    def form(self) -> str:
        return "phases like 250,momentum,1e-05,0.9 with ; between"

    def parse(self, text: str) -> tuple[Phase, ...]:
        return tuple(map(Phase.of_text, text.split(";"))) if text else ()

    def write(self, value: tuple[Phase, ...]) -> str:
        return ";".join(phase.as_text for phase in value)

    def of_json(self, name: str, value: Any) -> Any:
        if not isinstance(value, list):
            raise ParameterError(name, f"{name} must be a list of phases. Got {quoted(value)}.")
        return tuple(map(Phase.of_json, value))


HYPERPARAMETERS: Mapping[str, Number] = {
    "momentum": Number(
        low=0, high=0.9999, title="Momentum β", help="The share of the last velocity that is kept."
    ),
    "alpha": Number(
        low=0,
        high=0.99999,
        title="Memory α",
        help="How slowly the running mean of squared gradients forgets.",
    ),
    "beta1": Number(low=0, high=0.99999, title="Memory β₁", help="How slowly the mean gradient forgets."),
    "beta2": Number(
        low=0, high=0.999999, title="Memory β₂", help="How slowly the mean squared gradient forgets."
    ),
    "epsilon": Number(low=1e-16, high=1, title="Epsilon ε", help="Keeps the division away from zero."),
    "weight_decay": Number(
        low=0,
        high=1,
        title="Weight decay λ",
        help="In each update every parameter, the intercept too, loses η times λ of itself. It is no part of the gradient, as a "
        "penalty is.",
    ),
}


class Rate(Number):
    """A learning rate. A positive one below the bound is told what to do: the limit of very large columns lies there."""

    def wrong(self, name: str, value: Any) -> str | None:
        number = self.parsed(value) if isinstance(value, str) else value
        if isinstance(number, float) and 0 < number < self.low:
            return (
                f"{name} must be at least {self.low:.12g}. Got {quoted(value)}. "
                "On columns so large that it takes a smaller one, scale the features."
            )
        return super().wrong(name, value)


LEARNING_RATE = Rate(
    low=1e-18,
    high=1e6,
    title="Learning rate η",
    help="How long a step is: η times the gradient. Type it as 0.00001 or 1e-5.",
)


def typed_rate(rate: float) -> float:
    """A rate as one would type it: three digits, rounded down."""
    unit = 10.0 ** (math.floor(math.log10(rate)) - 2)
    return float(f"{math.floor(rate / unit * (1 + 1e-12)) * unit:.2e}")


SEED = Number(
    low=0,
    high=2**32 - 1,
    whole=True,
    title="Seed",
    help="For the shuffling of mini-batches and for a random start.",
)
# In the order in which they are judged: a rule may hang on the fields before it.
FIELDS: Mapping[str, Field] = {
    "dataset": Choice(
        choices={key: info.title for key, info in DATASET_INFO.items()},
        title="Data set",
        help=f"The data: {', '.join(DATASET_INFO)}.",
    ),
    "table": Field(
        title="Table",
        help="A file: text such as CSV, Excel, Parquet or JSON, also packed with gzip; an example: "
        f"{', '.join(EXAMPLE_TABLES)}; or what a link says.",
    ),
    "target": Field(
        title="Column to predict", help="The table's column that is predicted. Otherwise the last."
    ),
    "features": Names(
        title="Columns to predict from",
        help="The columns it is predicted from, with commas between. A command takes all that can be used if none is named, "
        "and with a degree the first.",
    ),
    "degree": Number(
        low=1,
        high=MAX_DEGREE,
        whole=True,
        title="Degree",
        help=f"Of a polynomial in one feature, 1 to {MAX_DEGREE}.",
    ),
    "model": Choice(
        choices={key: offered.title for key, offered in OFFERED.items()},
        title="Model",
        help=f"What is fitted to a table: {', '.join(OFFERED)}. All but the first are of one column.",
    ),
    "intercept": Flag(
        title="Intercept",
        help="Fit an intercept. Without one the curve goes through the origin: y is 0 where x is 0.",
    ),
    "missing": Choice(
        choices=dict(zip(MISSING, MISSING, strict=True)),
        title="Missing",
        help="What becomes of rows in which a number is missing: drop leaves them out, mean fills in the mean of the "
        "column's training rows.",
    ),
    "points": Number(low=3, high=10_000, whole=True, title="Points", help="How many rows the data set has."),
    "noise": Number(
        low=0,
        high=1000,
        title="Noise",
        help="Width of the noise, in units of y; for two features its standard deviation. 0 is none.",
    ),
    "data_seed": Number(
        low=0,
        high=2**32 - 1,
        whole=True,
        title="Data seed",
        help="Which random data are drawn. The same seed gives the same data.",
    ),
    "holdout": Number(
        low=0,
        high=0.5,
        title="Share",
        help="Rows kept from training, as a share of all. They only judge. 0 trains on every row.",
    ),
    "split_seed": Number(
        low=0,
        high=2**32 - 1,
        whole=True,
        title="Split seed",
        help="Which rows are held out. The same seed holds out the same rows.",
    ),
    "loss": Choice(
        choices={key: info.title for key, info in LOSS_INFO.items()},
        title="Loss",
        help=f"What is minimised: {', '.join(LOSS_INFO)}.",
    ),
    "delta": Number(
        low=1e-6,
        high=1e6,
        title="Huber’s δ",
        help="Up to this difference the Huber loss is a square, beyond it a straight line. In the units of y as it is trained.",
    ),
    "penalty": Number(
        low=0,
        high=1e6,
        title="L2 penalty λ",
        help="λ times the sum of the squared weights, as they are trained, is added to the loss: ridge regression. "
        "An intercept is no weight; “Penalised” can take it in. 0 adds nothing.",
    ),
    "penalised": Choice(
        choices={key: info.title for key, info in PENALTIES.items()},
        title="Penalised",
        help=f"What the L2 penalty weighs: {', '.join(PENALTIES)}. Weights are all parameters but the intercept.",
    ),
    "optimizer": Choice(
        choices={key: info.title for key, info in OPTIMIZER_INFO.items()},
        title="Update rule",
        help=f"The update rule: {', '.join(OPTIMIZER_INFO)}.",
    ),
    "learning_rate": LEARNING_RATE,
    **schedules.FIELDS,
    **HYPERPARAMETERS,
    "batch_size": Number(
        low=0,
        high=10_000,
        whole=True,
        title="Batch size",
        help="Rows in each update. 0 takes all rows; 1 is stochastic gradient descent.",
    ),
    "shuffle": Flag(
        title="Shuffle",
        help="Mini-batches of shuffled rows, other ones in each epoch. Off: in the order of the data, the same in each.",
    ),
    "scale_features": Flag(
        title="Scale features",
        help="Shift and scale every feature to mean 0 and deviation 1 before training.",
    ),
    "scale_target": Flag(
        title="Scale the target",
        help="Shift and scale y too, to mean 0 and deviation 1, before training. RMSE stays in the units of y.",
    ),
    "start": NamedOrNumbers(
        names=NAMED_STARTS,
        title="Start",
        help="published, random, or a number for each parameter: 1,-2.5,0.",
    ),
    "seed": SEED,
    "before": Phases(
        title="Before",
        help="Earlier phases of a continued run, as epochs,rule,rate,settings: 250,momentum,1e-5,0.9. "
        "A semicolon stands between two.",
    ),
    "engine": Choice(
        choices=dict(zip(ENGINES, ENGINES, strict=True)),
        title="Engine",
        help="What works the run out: loop, the textbook’s; spectrum, along the eigenvectors, for full batches and "
        "gradient descent, momentum or Nesterov; or auto, the spectrum for many epochs where it can.",
    ),
    "tolerance": Number(
        low=0,
        high=1e6,
        title="Tolerance",
        help="Stop after the first epoch in which the loss changes by less than this: |Lₜ − Lₜ₋₁| < tolerance. 0 never "
        "stops; earlier parts of the run are not asked.",
    ),
    "patience": Number(
        low=0,
        high=MAX_UPDATES,
        whole=True,
        title="Patience",
        help="Early stopping: stop after so many epochs without a lower RMSE of the held-out rows, and keep the epoch where it "
        "was lowest. 0 never stops; earlier parts of the run are not asked.",
    ),
    "epochs": Number(
        low=1,
        high=MAX_UPDATES,
        whole=True,
        title="Epochs",
        help="How often the training goes through all the data.",
    ),
}

# What every part of the lab takes account of. A newer field stands here when all do; until then each part that has
# learnt of it names it beside these in its own list, and `experiment.not_known` keeps the others from ignoring it.
COMMON_FIELDS = (
    "dataset", "table", "target", "features", "degree", "model", "intercept", "missing", "points", "noise", "data_seed",
    "holdout", "split_seed", "loss", "delta", "penalty", "penalised", "optimizer", "learning_rate", "momentum", "alpha", "beta1", "beta2", "epsilon", "weight_decay",
    "batch_size", "shuffle", "scale_features", "scale_target", "start", "seed", "before", "engine", "tolerance", "patience", "epochs",
)  # fmt: skip


# A name that a sentence, or its reason, begins with.
_HEAD = re.compile(r"^[a-z]\w*|(?<=: )[a-z]\w*(?= (?:must|is) )")


def titled(sentence: str, titles: Mapping[str, str] | None = None) -> str:
    """A sentence by the names that a page shows, where links, flags and records have a shorter one.

    Args:
        sentence: About a setting, which it begins with; what it gives as its reason, after a colon, may as well.
        titles: Of what is no setting, or is called otherwise here.
    """
    known = {name: field.title for name, field in FIELDS.items()} | dict(titles or {})
    return _HEAD.sub(lambda name: known.get(name[0]) or name[0], sentence)
