"""A run's settings in words, for whoever meets its picture or its page without the app."""

from collections.abc import Mapping

from gd_core.settings import schedules
from gd_core.settings.catalog import LOSS_INFO, OFFERED
from gd_core.settings.experiment import Experiment, defaults, is_knob
from gd_core.settings.experiment_fields import FIELDS, Phase
from gd_core.settings.fields import quoted
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.table_fields import DATASET as TABLE
from gd_core.settings.table_fields import TABLE_FIELDS
from gd_core.words import counted

Settings = Mapping[str, str]  # title → value, in reading order
SYMBOLS = {
    "momentum": "β",
    "alpha": "α",
    "beta1": "β₁",
    "beta2": "β₂",
    "epsilon": "ε",
    "weight_decay": "λ",
    "delta": "δ",
}
_CLEAR = ("Data", "Update rule", "Learning rate", "Network")
GAPS = {"drop": ("rows with gaps dropped",), "mean": ("gaps filled with the mean",)}
_WORDED = {  # fields that the sentences below speak of; any other is named with its value
    "dataset", "points", "noise", "data_seed", "holdout", "split_seed", "loss", "optimizer", "learning_rate",
    "batch_size", "shuffle", *schedules.FIELDS, "scale_features", "scale_target", "start", "seed", "before", "epochs", "intercept", *TABLE_FIELDS, *SYMBOLS,
}  # fmt: skip


def in_words(run: Experiment) -> Settings:
    """Everything that decides a run's numbers, by its title."""
    order = f"shuffled with seed {run.seed}" if run.shuffle else "in order"
    batches = f"{run.batch_size:,} of {counted(run.training_rows, 'row')}, {order}"
    said = {"Data": _data(run)}
    if run.holdout:
        said["Held out"] = (
            f"{run.held_out_rows:,} of {counted(run.points, 'row')}, split with seed {run.split_seed}"
        )
    if run.loss != Experiment.loss:
        own = LOSS_INFO[run.loss].own(run)
        said["Loss"] = ", ".join(
            [
                LOSS_INFO[run.loss].title,
                *(f"{SYMBOLS[name]} = {written(value)}" for name, value in own.items()),
            ]
        )
    if run.before:
        said["First"] = ", then ".join(_phase(phase) for phase in run.before)
    said |= {
        "Update rule": _rule(run.phase),
        "Learning rate": f"η = {written(run.learning_rate)}{schedules.in_words(run)}",
        "Batch": batches if run.batch_size else "all rows",
        "Features": "scaled" if run.scale_features else "not scaled",
        **({"Target": "scaled"} if run.scale_target else {}),
        "Start": _start(run),
        "Epochs": f"{run.epochs:,}",
    }
    usual = defaults(run.dataset, run.optimizer)
    others = [name for name in FIELDS if name not in _WORDED and getattr(run, name) != usual[name]]
    return said | {FIELDS[name].title: quoted(run.as_text(name)) for name in others}


def in_a_line(these: Mapping[str, str]) -> str:
    """Settings one after the other; a title only where the value does not speak for itself."""
    return " · ".join(_one(title, value) for title, value in these.items())


def _one(title: str, value: str) -> str:
    if title == "Epochs":
        return "1 epoch" if value == "1" else f"{value} epochs"
    return value if title in _CLEAR else f"{title}: {value}"


def shared(each: Mapping[str, Settings]) -> Settings:
    """The settings of several runs: first what they share, then under each run's name what is its own."""
    if len(each) < 2:
        return next(iter(each.values()), {})
    first, *others = each.values()
    common = {title: value for title, value in first.items() if all(o.get(title) == value for o in others)}
    own = {
        name: in_a_line({title: value for title, value in these.items() if title not in common})
        for name, these in each.items()
    }
    return common | {name: line for name, line in own.items() if line}


def _data(run: Experiment) -> str:
    without = [] if run.intercept else ["no intercept"]
    if run.dataset == TABLE:
        of = [
            f"{run.info.title}, {run.target} over {', '.join(run.features)}",
            counted(run.points, "row"),
        ]
        of += [f"degree {run.degree}"] if run.degree > 1 else []
        of += [] if run.model == Experiment.model else [OFFERED[run.model].title.lower()]
        return ", ".join([*of, *without, *GAPS.get(run.missing, ())])
    knobs = {
        "points": counted(run.points, "point"),
        "noise": f"noise {written(run.noise)}",
        "data_seed": f"data seed {run.data_seed}",
    }
    data = [words for name, words in knobs.items() if is_knob(name, run.dataset)]
    return ", ".join([run.info.title, *data, *without])


def _rule(phase: Phase) -> str:
    info = OPTIMIZER_INFO[phase.optimizer]
    numbers = [f"{SYMBOLS[name]} = {written(getattr(phase, name))}" for name in info.hyperparameters]
    return ", ".join([info.title, *numbers])


def _phase(phase: Phase) -> str:
    return f"{counted(phase.epochs, 'epoch')} of {_rule(phase)}, η = {written(phase.learning_rate)}{phase.besides_in_words}"


def _start(run: Experiment) -> str:
    if run.start == "random":
        return f"random, seed {run.seed}"
    if isinstance(run.start, str):
        return f"as {run.start}" if run.start == "published" else run.start
    names = run.info.parameters
    return ", ".join(f"{name} = {written(value)}" for name, value in zip(names, run.start, strict=True))


def written(number: float) -> str:
    """A number as it was typed, with a long minus."""
    text = f"{number:,}" if isinstance(number, int) else repr(number).removesuffix(".0")
    return text.replace("e-0", "e-").replace("-", "−")
