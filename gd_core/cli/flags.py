"""The flags of a run: one for every field of an `Experiment`, and what is wrong with them in one sentence."""

import argparse
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, NoReturn

from gd_core.settings import schedules
from gd_core.settings.catalog import OFFERED
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS, HYPERPARAMETERS
from gd_core.settings.fields import Flag, Number
from gd_core.settings.table_fields import (
    FILES,
    LINE,
    MAX_FEATURES,
    all_features,
    guessed_target,
    left_out_rows,
    own_names,
    set_aside,
    table_at_hand,
)
from gd_core.words import counted

if TYPE_CHECKING:
    from gd_core.tables.columns import Column
    from gd_core.tables.reading import Reading
    from gd_core.tables.table import Table

MAX_BYTES = 50_000_000  # of a file; `reading` says so to a larger one


OF_A_FILE = ("sheet", "encoding")  # flags that say how a whole file is read,
READING = ("read_as", *OF_A_FILE)  # and those that say how it is read at all


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        message = " ".join(message.split()).rstrip(".")
        self.exit(2, f"{message[0].upper()}{message[1:]}.\n")


class Help(argparse.RawDescriptionHelpFormatter):
    """Help with a line for most flags, and the examples at its end as they are typed."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=min(get_terminal_size().columns, 100) - 2)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if isinstance(action, argparse.BooleanOptionalAction):
            return action.option_strings[0].replace("--", "--[no-]", 1)
        return super()._format_action_invocation(action)


# What of the settings goes together. One that is not here, as a new one, stands under the last.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "a table of one's own": ("table", "target", "features", "degree", "model", "missing"),
    "other data": ("points", "noise", "data_seed"),
    "the training": ("optimizer", "learning_rate", "epochs", "batch_size", "scale_features", "start", "tolerance", "patience", "penalty", "penalised"),
    "of an update rule": (*HYPERPARAMETERS,),
    "of the rate": (*schedules.FIELDS,),
    "more settings": (),
}  # fmt: skip


def add_settings(parser: argparse.ArgumentParser) -> None:
    """The data set and a flag for every field of an experiment, each with the first sentence of its help."""
    parser.add_argument("dataset", nargs="?", metavar="DATASET", help=FIELDS["dataset"].help)
    known = {name for names in GROUPS.values() for name in names}
    for title, names in GROUPS.items():
        settings = parser.add_argument_group(title)
        for name in names or (name for name in FIELDS if name not in known):
            field, flag = FIELDS[name], f"--{name.replace('_', '-')}"
            text = re.split(r"(?<=\.) (?=[A-Z0-9|])", field.help)[0].replace("%", "%%")
            if isinstance(field, Flag):
                settings.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
            else:
                metavar = "NUMBER" if isinstance(field, Number) else "FILE" if name == "table" else "WORDS"
                settings.add_argument(flag, metavar=metavar, help=text)
        if "table" in names:
            add_reading(parser)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """What may be said of how a file is read."""
    files = parser.add_argument_group("how its file is read")
    files.add_argument(
        "--read-as", action="append", metavar="COLUMN=HOW",
        help="Read a column otherwise than it looks: numbers, decimal commas, words, dates, day first, month first, "
        "missing (its mark for missing is taken out) or left out. As often as there are such columns.",
    )  # fmt: skip
    files.add_argument("--sheet", metavar="NAME", help="Of a workbook the sheet to read.")
    files.add_argument(
        "--encoding",
        metavar="WORD",
        help="What text that is not UTF-8 is written in, such as cp1250 or koi8_r.",
    )


def with_values_joined(arguments: Sequence[str]) -> list[str]:
    """`--start -1,2,3` as `--start=-1,2,3`: argparse takes -1,2,3 and -1e-5 for flags."""
    joined: list[str] = []
    for argument in arguments:
        if re.match(r"-[\d.]", argument) and joined and re.fullmatch(r"--[\w-]+", joined[-1]):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def settings_of(options: argparse.Namespace, parser: Parser) -> tuple[Experiment, list[str]]:
    """The experiment that the flags describe, and a sentence for each that is wrong."""
    query = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in vars(options).items()
        if name in FIELDS
    }
    if "table" in query:
        query.setdefault("dataset", "table")
    # Held for as long as the command runs.
    options.held, options.notes = table_in_file(query, options, parser)
    of_one = query.get("degree", "1") != "1" or query.get("model", LINE) != LINE
    if options.held is not None and "features" not in query and not of_one:
        target = query.get("target") or guessed_target(options.held)
        features = all_features(options.held, target) if target in options.held.names else ()
        if len(features) > MAX_FEATURES:
            parser.exit(
                2,
                f"features must name 1 to {MAX_FEATURES} of the {len(features)} columns that can be used; `train --stream` takes "
                "them all. Got none.\n",
            )
        if features:
            query["features"] = FIELDS["features"].write(features)
    experiment, sentences = Experiment.from_query(query)
    if experiment.dataset == "table" and "learning_rate" not in query and not sentences:
        from gd_core.safe_start import MUST_BE_SCALED, as_opened, safe_start

        if query.get("scale_features") == "false":
            safe = safe_start(experiment)
            if safe.scale_features:
                sentences.append(MUST_BE_SCALED)
            experiment = replace(experiment, learning_rate=safe.learning_rate)
        else:
            experiment, said = as_opened(experiment)
            options.notes = [*options.notes, *([said] if said else [])]
    return experiment, sentences


def table_in_file(
    query: dict[str, str], options: argparse.Namespace, parser: Parser, *, as_before: str = ""
) -> tuple[Any, Sequence[str]]:
    """If `table` names a file, the table in it, whose key then stands in `query`, and what is to be said of its reading.

    Args:
        query: The settings as texts.
        options: With `read_as` and `sheet`.
        parser: Says what is wrong.
        as_before: The key that an older record knows the file by, if it is to be read for one.
    """
    path = Path(query.get("table", "")[:4096])
    try:
        if query.get("dataset") != "table":
            return None, ()
        if not path.is_file():
            if path.suffix[1:] in FILES:
                parser.exit(2, f"table must be a file that can be read. Got {path}: there is no such file.\n")
            return None, ()
    except (OSError, ValueError) as error:
        parser.exit(2, f"table must be a file that can be read. Got {path}: {error}.\n")
    from gd_core.tables.table import keep

    reading = reading_of(path, options, parser, as_before=as_before)
    for column in reading.questions if not as_before else ():
        parser.exit(2, f"{to_be_said(column)}\n")
    table = keep(reading.table)
    query["table"] = as_before if as_before and _is(table, as_before) else table.key
    return table, said_of(reading)


def to_be_said(column: "Column") -> str:
    """What has to be said of a column before its numbers can be used, and how."""
    ways = " or ".join(f"--read-as '{column.name}={one}'" for one in column.others[:2])
    return f"{column.question} Say {ways}."


def said_of(reading: "Reading") -> list[str]:
    """What was recognised in a file, a line each."""
    return [*reading.notes, *(f"{choice}." for choice in reading.choices)]


def how_to_read(options: argparse.Namespace) -> tuple[dict[str, str], dict[str, str]]:
    """What is said of single columns, by their names, and of the whole file: its sheet, its encoding.

    Raises:
        ValueError: If it cannot be said so.
    """
    from gd_core.tables.columns import HOWS
    from gd_core.tables.decoding import ENCODINGS

    how: dict[str, str] = {}
    for said in getattr(options, "read_as", ()):
        column, _, word = said.rpartition("=")
        if word not in HOWS or not column:
            raise ValueError(f"read-as must be COLUMN=HOW with {', '.join(HOWS)}. Got {said}.")
        how[column] = word
    file = {name: getattr(options, name) for name in OF_A_FILE if name in options}
    if file.get("encoding", ENCODINGS[0]) not in ENCODINGS:
        raise ValueError(f"encoding must be one of {', '.join(ENCODINGS)}. Got {file['encoding']}.")
    return how, file


def read_as_recorded(options: argparse.Namespace, table: Mapping[str, Any]) -> None:
    """Have a file read as the table of a record says, unless flags say how."""
    if not any(name in options for name in READING):
        options.read_as = [f"{column}={how}" for column, how in table.get("read_as", {}).items()]
        vars(options).update(table.get("read_with", {}))


def every_of(options: argparse.Namespace) -> int:
    """Each how many-th epoch is to be listed; 1 where that is not said.

    Raises:
        ValueError: If it is no such number.
    """
    every = getattr(options, "every", "1")
    if not re.fullmatch(r"0*[1-9]\d{0,8}", every, re.ASCII):
        raise ValueError(f"every must be a whole number between 1 and 999,999,999. Got {every}.")
    return int(every)


def reading_of(path: Path, options: argparse.Namespace, parser: Parser, *, as_before: str = "") -> "Reading":
    """What is in a file, read as the flags say."""
    from gd_core.tables.reading import TableError, read

    try:
        how, of_file = how_to_read(options)
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        reading = read(data, how, sheet=of_file.get("sheet", ""), encoding=of_file.get("encoding", ""))
        if as_before and not _is(reading.table, as_before):
            with suppress(TableError):  # there may be too few plain numbers
                plain = read(data, plainly=True)
                reading = plain if _is(plain.table, as_before) else reading
    except OSError as error:
        parser.exit(2, f"table must be a file that can be read. Got {path}: {error.strerror}.\n")
    except ValueError as error:
        parser.exit(2, f"{error}\n")
    return reading


def _is(table: "Table", key: str) -> bool:
    """Whether a key is of this table: its fingerprint, or its numbers, whatever else is said of them there."""
    other = table_at_hand(key)
    return key == table.mark or (other is not None and other.mark == table.mark)


def what_is_fitted(values: Mapping[str, Any]) -> list[str]:
    """The first lines of a run on a table: the target, the features, the rows, and those that are left out."""
    features = own_names(values["features"], table_at_hand(values["table"]))
    power = f", degree {values['degree']}" if values["degree"] > 1 else ""
    model = values.get("model", LINE)
    power += "" if model == LINE else f", {OFFERED[model].title.lower()}"
    rows = counted(values["points"], "row")
    first = f"{values['target']} from {', '.join(features)}{power}: {rows}{set_aside(values)}."
    return [line for line in (first, left_out_rows(values)) if line]
