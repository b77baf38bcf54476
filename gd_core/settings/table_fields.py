"""The fields of an `Experiment` that pick from a table: their rules, their usual values, and the model they make.

NumPy comes with `tables.table`, when a table is first looked into.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gd_core.settings.catalog import DATASET_INFO, LOSS_INFO, OFFERED, DatasetInfo, Offered, through_origin
from gd_core.settings.fields import Field, quoted
from gd_core.tables.example_tables import EXAMPLE_TABLES
from gd_core.words import counted, short

if TYPE_CHECKING:
    from gd_core.tables.table import Table

DATASET = "table"
# How the name of a file with a table ends.
FILES = ("csv", "tsv", "txt", "data", "dat", "xlsx", "xls", "parquet", "json", "jsonl", "gz")
TABLE_FIELDS = ("table", "target", "features", "degree", "model", "missing")
MAX_FEATURES = 20
MAX_DEGREE = 10
LINE = "linear"  # a polynomial, too, if its degree is above 1
MISSING = ("refuse", "drop", "mean")
NO_TABLE: Mapping[str, Any] = {
    "table": "",
    "target": "",
    "features": (),
    "degree": 1,
    "model": LINE,
    "missing": "refuse",
}
FEWEST_ROWS = 2
SHOWN_NAME = 32  # characters of a column's name beside its parameter
# Words in the names of columns that people want predicted, the likeliest first.
TARGETS = (
    "target", "price", "prices", "saleprice", "sales", "medv", "charges", "cost", "mpg", "gallon", "salary", "wage", "income", "revenue",
    "profit", "demand", "visits", "visitors", "passengers", "yield", "strength", "quality", "rating", "score", "grade",
    "output", "response", "y",
)  # fmt: skip
REACH = 1e60  # of the largest value's highest power, either way


def problem_with_table_field(name: str, value: Any, others: Mapping[str, Any], field: Field) -> str | None:
    """The sentence that says which rule a table's field breaks, or None.

    A table that is known by its fingerprint only and is not here cannot be looked into: then only its form is checked.

    Args:
        name: One of `TABLE_FIELDS`, or "points".
        value: What it should be.
        others: The fields before it.
        field: What is known of it by itself.
    """
    dataset = others["dataset"]
    if dataset != DATASET:
        if value == NO_TABLE[name]:
            return None
        rule = "empty" if NO_TABLE[name] in ("", ()) else str(NO_TABLE[name])
        return f"{name} must be {rule} for {dataset}. Got {quoted(value)}."
    if name == "table":
        return _problem_with_key(value)
    table = table_at_hand(others["table"])
    match name:
        case "target":
            return problem_with_column(name, value, table)
        case "features":
            return _problem_with_features(value, others["target"], table)
        case "degree":
            return field.wrong(name, value) or _problem_with_degree(value, others["features"], table)
        case "model":
            return field.wrong(name, value) or _problem_with_model(value, others)
        case "missing":
            return field.wrong(name, value) or _problem_with_missing(value, others, table)
        case "points":
            return _problem_with_points(value, others, table)
        case _:
            raise ValueError(f"name must be a table's field. Got {name}.")


def needs_its_file(key: str) -> str | None:
    """The sentence that asks for the file behind a fingerprint, or None if the table is at hand."""
    from gd_core.tables.table import FINGERPRINT, find

    if not key.startswith(FINGERPRINT):
        return None
    try:
        find(key)
    except LookupError:
        return f"table: this link needs the file with the fingerprint {key.removeprefix(FINGERPRINT)}. Upload it."
    except ValueError:
        return None
    return None


def table_at_hand(key: str) -> "Table | None":
    """The table of a key, or None if it is not here."""
    from gd_core.tables.table import find

    try:
        return find(key)
    except (LookupError, ValueError):
        return None


def usual_fields(key: str) -> dict[str, Any]:
    """What is picked from a table before anyone has picked: an example's own columns, or what a person would.

    The target is a column with a name such as price, or else the last that was one of numbers; the feature is the first
    that varies. Rows in which a number is missing are left out.
    """
    if key in EXAMPLE_TABLES:
        example = EXAMPLE_TABLES[key]
        return {
            "target": example.target,
            "features": example.features,
            "degree": example.degree,
            "model": LINE,
            "missing": "refuse",
        }
    table = table_at_hand(key)
    if table is None:
        return dict(NO_TABLE)
    target = guessed_target(table)
    features = first_feature(table, target)
    values = {"table": key, "target": target, "features": features, "degree": 1, "model": LINE}
    return {name: values[name] for name in ("target", "features", "degree", "model")} | {
        "missing": usual_missing(values)
    }


def guessed_target(table: "Table") -> str:
    """The column that its owner most likely wants predicted: by its name, or else the last that was one of numbers."""
    numbers = [name for name in table.offered if table.kind_of(name) == "numbers"] or list(table.offered)
    words = {
        name: set(re.findall("[a-z]+", re.sub("([a-z])([A-Z])", r"\1 \2", name).lower())) for name in numbers
    }
    for wanted in TARGETS:
        for name in reversed(numbers):
            if wanted in words[name]:
                return name
    return numbers[-1]


def is_guessed_by_name(target: str) -> bool:
    """Whether a target's name is one by which `guessed_target` chooses."""
    spaced = re.sub("([a-z])([A-Z])", r"\1 \2", target).lower()
    return not set(TARGETS).isdisjoint(re.findall("[a-z]+", spaced))


def first_feature(table: "Table", target: str) -> tuple[str, ...]:
    """The first column that varies and is not the target, words after all others; of words all that they became."""
    others = [name for name in table.offered if name != target] or [n for n in table.names if n != target]
    others.sort(key=lambda name: table.kind_of(name) == "words")
    varies = (name for name in others if (table[name] != table[name][0]).any())
    first = next(varies, others[0])
    return tuple(name for name in table.under(table.own_name(first)) if name != target) or (first,)


def all_features(table: "Table", target: str) -> tuple[str, ...]:
    """Every column that varies and is not the target, as the command takes them: of words all that they became."""
    own = table.own_name(target)
    return tuple(
        name
        for name in table.offered
        if table.own_name(name) != own and (table[name] != table[name][0]).any()
    )


def usual_missing(values: Mapping[str, Any]) -> str:
    """What becomes of rows that lack a number if nobody says it: they are left out. "refuse" where there are none."""
    table = table_at_hand(values["table"])
    gaps = table is not None and any(
        table.missing.get(name) for name in (values["target"], *values["features"])
    )
    return "drop" if gaps else "refuse"


def left_out_rows(values: Mapping[str, Any]) -> str:
    """How many rows of the table are not fitted, and in which columns a number is missing, as a sentence; "" if all are."""
    table, points = table_at_hand(values["table"]), points_of(values)
    if table is None or points is None or points == table.rows:
        return ""
    gone = table.rows - points
    names = (values["target"],) if values["missing"] == "mean" else (values["target"], *values["features"])
    gaps: dict[str, int] = {}
    for name in names:
        if name in table.names and table.missing[name]:
            gaps.setdefault(table.own_name(name), table.missing[name])
    where = ", ".join(f"{name} in {count:,}" for name, count in list(gaps.items())[:4])
    more = f" and {counted(len(gaps) - 4, 'more column')}" if len(gaps) > 4 else ""
    return f"{counted(gone, 'row')} {'is' if gone == 1 else 'are'} left out of {table.rows:,}, for want of a number: {where}{more}."


def set_aside(values: Mapping[str, Any]) -> str:
    """Which columns are no features because they are not worth it, and why, to follow the rows: " (id is a row number …)"."""
    table = table_at_hand(values["table"])
    if table is None:
        return ""
    aside = {
        name: table.said_of(name).partition(",")[0]
        for name in table.names
        if table.kind_of(name) == "set aside" and name not in (values["target"], *values["features"])
    }
    said = [f"{name} is {why} and left out" for name, why in list(aside.items())[:4] if why]
    more = [f"{len(aside) - 4:,} more are left out"] if len(aside) > 4 else []
    return f" ({'; '.join([*said, *more])})" if said else ""


def as_columns(name: str, value: Any, key: str) -> Any:
    """A target or features by the table's columns, where the file's own name of words or dates was said."""
    table = table_at_hand(key)
    if table is None:
        return value
    if name == "target":
        columns = under(table, value)
        return columns[0] if len(columns) == 1 else value
    return tuple(column for one in value for column in under(table, one))


def under(table: "Table", name: str) -> tuple[str, ...]:
    """The columns that a name stands for; the name itself if there are none."""
    return table.under(name) or (name,)


def offers(table: "Table") -> list[str]:
    """The names from which features are chosen: the file's own, words and dates under one each."""
    return list(dict.fromkeys(map(table.own_name, table.offered)))


def own_names(features: Sequence[str], table: "Table | None") -> list[str]:
    """The inverse of `as_columns`: where all columns of words are chosen, their one name."""
    if table is None:
        return list(features)
    chosen = set(features)
    named = [own if set(table.under(own := table.own_name(name))) <= chosen else name for name in features]
    return list(dict.fromkeys(named))


def fitting_default(name: str, value: Any, values: Mapping[str, Any]) -> Any:
    """What a field takes if nobody says it: `value`, or what the fields before it leave room for."""
    table = table_at_hand(values["table"])
    if table is None:
        return value
    if name == "features" and values["target"] in value:
        return first_feature(table, values["target"])
    if name == "degree" and len(values["features"]) > 1:
        return 1
    if name == "model" and value not in fitting_models(values):
        return LINE
    if name == "missing" and value in ("refuse", "drop"):
        return usual_missing(values)
    if name in ("scale_features", "scale_target") and is_always_scaled(values):
        return name == "scale_features" or not LOSS_INFO[values["loss"]].yes_no
    if name == "intercept" and is_always_scaled(values):
        return True
    return points_of(values) if name == "points" else value


def points_of(values: Mapping[str, Any]) -> int | None:
    """How many rows of the table are fitted; None if it is not here."""
    from gd_core.tables.table import count_used

    table = table_at_hand(values["table"])
    if table is None:
        return None
    return count_used(table, values["target"], values["features"], values["missing"])


def info_of(values: Mapping[str, Any]) -> DatasetInfo:
    """The data set as a choice, with the model that features and degree make; without its intercept if that is asked for."""
    info = DATASET_INFO[values["dataset"]]
    if values["dataset"] == DATASET:
        info = _table_info(len(values["features"]), values["degree"], values.get("model", LINE))
    return info if values.get("intercept", True) else through_origin(info)


@lru_cache(64)
def _table_info(features: int, degree: int, model: str) -> DatasetInfo:
    offered = OFFERED[model]
    if offered.parameters:
        of_model = {name: getattr(offered, name) for name in ("parameters", "shown", "axes")}
        return replace(DATASET_INFO[DATASET], model=model, **of_model)
    return replace(
        DATASET_INFO[DATASET],
        model="polynomial" if degree > 1 else "linear",
        parameters=parameter_names(max(features, degree)),
    )


def fitting_models(values: Mapping[str, Any]) -> Mapping[str, Offered]:
    """The models that a table's columns can be fitted with, by key, each with its words."""
    columns = len(values["features"])
    return {name: one for name, one in OFFERED.items() if not one.features or one.features == columns}


def is_always_scaled(values: Mapping[str, Any]) -> bool:
    """Whether the model of a table has its start and its map in scaled units."""
    return values["dataset"] == DATASET and bool(OFFERED[values.get("model", LINE)].start)


def parameter_names(weights: int) -> tuple[str, ...]:
    """w₁ … w_D of D features, or of the powers x, x² … x^D of one feature; then b."""
    subscripts = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    return (*(f"w{str(i + 1).translate(subscripts)}" for i in range(weights)), "b")


def with_columns(values: Mapping[str, Any], names: Sequence[str], most: int = SHOWN_NAME) -> list[str]:
    """The names of a table's parameters with the column that each belongs to: w₁ (size), or w₂ (size²) of its powers.

    A unit in brackets stands behind a comma: w₂ (speed², mph). Of a column's name so many characters are shown at most.
    """
    if values["dataset"] != DATASET or OFFERED[values.get("model", LINE)].parameters:
        return list(names)
    powers = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    features = []
    for name in values["features"]:
        name = name if len(name) <= most else f"{name[: most - 1]}…"
        for k in range(1, values["degree"] + 1):
            head, bracket, unit = name.partition(" (")
            power = str(k).translate(powers) if k > 1 else ""
            features.append(f"{head}{power}{', ' if bracket else ''}{unit.removesuffix(')')}")
    return [
        *(f"{name} ({column})" for name, column in zip(names, features, strict=False)),
        *names[len(features) :],
    ]


# --------------------------------------------------------------------------------------------------------- rules


def _problem_with_key(value: Any) -> str | None:
    from gd_core.tables.table import find

    examples = ", ".join(EXAMPLE_TABLES)
    rule = f"table must be {examples}, or what this page writes into a link. Got {quoted(value)}."
    if not isinstance(value, str):
        return rule
    try:
        find(value)
    except LookupError:
        return None
    except ValueError:
        return rule
    return None


def problem_with_column(name: str, value: Any, table: "Table | None") -> str | None:
    """The sentence that says why a field's value is no column of the table that can be used; None if it is one."""
    if table is None:
        return (
            None
            if isinstance(value, str) and value
            else f"{name} must be a column of the table. Got {quoted(value)}."
        )
    if value in table.names:
        return None
    if isinstance(value, str) and (under := table.under(value)):
        return f"{name} must be one column of numbers: {quoted(value)} became {len(under)}, one for each word. Got {quoted(value)}."
    if isinstance(value, str) and (said := table.said_of(value)):
        return f"{name} must be a column that can be used. Got {quoted(value)}: {said}."
    names = tuple(dict.fromkeys(map(table.own_name, table.names)))
    return f"{name} must be a column of the table: {_listed(names)}. Got {quoted(value)}."


def _problem_with_features(value: Any, target: str, table: "Table | None") -> str | None:
    if not isinstance(value, tuple) or not 1 <= len(value) <= MAX_FEATURES:
        got = len(value) if isinstance(value, tuple) else quoted(value)
        return f"features must be 1 to {MAX_FEATURES} columns. Got {got}."
    for name in value:
        if sentence := problem_with_column("features", name, table):
            return sentence.replace("must be a column", "must be columns")
    if len(set(value)) < len(value):
        return f"features must be different columns. Got {quoted(_listed(value))}."
    if target in value:
        return f"features must not hold the target, or there is nothing to learn. Got {quoted(target)}."
    return None


def _problem_with_degree(value: Any, features: tuple[str, ...], table: "Table | None") -> str | None:
    if value > 1 and len(features) > 1:
        return f"degree must be 1 with several features: a polynomial needs just one. Got {value}."
    if value > 1 and table is not None:
        largest = table.largest(next(iter(features)))
        if largest and not 1 / REACH <= largest**value <= REACH:
            return f"degree must be lower for values as far from 1 as {short(largest)}: their powers cannot be computed. Got {value}."
    return None


def _problem_with_model(value: str, others: Mapping[str, Any]) -> str | None:
    needs, columns, degree = OFFERED[value].features, len(others["features"]), others["degree"]
    if needs and columns != needs:
        return (
            f"model {value} needs {counted(needs, 'feature') if needs > 1 else 'one feature'}. Got {columns}."
        )
    if value != LINE and degree > 1:
        return f"model must be {LINE} with a degree of {degree}, which only a polynomial has. Got {value}."
    return None


def _problem_with_missing(value: Any, others: Mapping[str, Any], table: "Table | None") -> str | None:
    if table is None:
        return None
    left = points_of({**others, "missing": "drop" if value == "refuse" else value}) or 0
    if value == "refuse" and left < table.rows:
        gone = table.rows - left
        rows = f"{counted(gone, 'row')} {'lacks' if gone == 1 else 'lack'}"
        return f"missing must be drop or mean: {rows} a number in the columns used. Got refuse."
    if left < FEWEST_ROWS:
        return f"missing must leave at least {FEWEST_ROWS} rows to fit. Got {quoted(value)}, which leaves {counted(left, 'row')}."
    return None


def problem_with_holding_out(held_out: int, value: float, others: Mapping[str, Any]) -> str | None:
    """The sentence that says why so many rows cannot be held out, or None.

    Gaps are filled with the mean of the training rows. So one of these must have a number, whichever are held out.
    """
    table = table_at_hand(others["table"])
    if table is None or others["missing"] != "mean":
        return None
    for name in others["features"]:
        numbers = table.numbers(name, beside=others["target"]) if table.missing[name] else table.rows
        if held_out >= numbers:
            return (
                f"holdout must be less: column {quoted(name)} has {counted(numbers, 'number')}, and {counted(held_out, 'held-out row')} could "
                f"take them all, with nothing left to make a mean of. Got {quoted(value)}."
            )
    return None


def is_yes_no(others: Mapping[str, Any], built_in: bool) -> bool:
    """Whether the target is 0 or 1 in each row; of a table that is not here nobody can say, and its rows are refused anyway.

    Args:
        others: Data set, table and target.
        built_in: What is known of a data set that is no table.
    """
    if others["dataset"] != DATASET:
        return built_in
    table = table_at_hand(others["table"])
    if table is None:
        return True
    target = table[others["target"]]
    return bool(((target == 0) | (target == 1) | (target != target)).all())


def _problem_with_points(value: Any, others: Mapping[str, Any], table: "Table | None") -> str | None:
    from gd_core.tables.table import MAX_ROWS

    if table is None:
        if type(value) is int and FEWEST_ROWS <= value <= MAX_ROWS:
            return None
        return f"points must be a whole number between {FEWEST_ROWS} and {MAX_ROWS:,}. Got {quoted(value)}."
    rows = points_of(others)
    if type(value) is int and value == rows:
        return None
    return f"points must be {rows}, the rows of the table that are used. Got {quoted(value)}."


def _listed(names: tuple[str, ...]) -> str:
    """Names for a sentence: the first few, cut short."""
    short = [name if len(name) <= 20 else name[:19] + "…" for name in names[:5]]
    return ", ".join(short) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
