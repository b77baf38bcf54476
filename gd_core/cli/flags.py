"""The flags of a run: one for every field of an `Experiment`, and what is wrong with them in one sentence."""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.fields import Flag, Number


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        message = " ".join(message.split()).rstrip(".")
        self.exit(2, f"{message[0].upper()}{message[1:]}.\n")


def add_settings(parser: argparse.ArgumentParser) -> None:
    """The data set and a flag for every field of an experiment."""
    parser.add_argument("dataset", nargs="?", metavar="DATASET", help=FIELDS["dataset"].help)
    settings = parser.add_argument_group("settings")
    for name, field in FIELDS.items():
        flag = f"--{name.replace('_', '-')}"
        text = field.help.replace("%", "%%")
        if isinstance(field, Flag):
            settings.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
        else:
            settings.add_argument(flag, metavar="NUMBER" if isinstance(field, Number) else "WORDS", help=text)


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
    options.held, found = table_in_file(query, parser)  # held for as long as the command runs
    experiment, sentences = Experiment.from_query(query)
    if found and any(sentence.startswith("missing") for sentence in sentences):
        sentences[0] += f" The first in the file: {found}."
    if experiment.dataset == "table" and "learning_rate" not in query and not sentences:
        from gd_core.safe_start import safe_start, why_scaled

        safe = safe_start(experiment)
        if safe.scale_features and query.get("scale_features") == "false":
            sentences.append(
                "scale_features must be true for this table, whose features as they are take a rate smaller than any "
                "that can be typed. Got false."
            )
        elif safe.scale_features and not experiment.scale_features:
            print(why_scaled(safe), file=sys.stderr)
        experiment = replace(experiment, learning_rate=safe.learning_rate, scale_features=safe.scale_features)
    return experiment, sentences


def table_in_file(query: dict[str, str], parser: Parser) -> tuple[Any, Any]:
    """If `table` names a file, the table in it, whose key then stands in `query`, and the first cell without a number."""
    path = Path(query.get("table", "")[:4096])
    try:
        if query.get("dataset") != "table" or not path.is_file():
            return None, None
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        parser.exit(2, f"table must be a file that can be read. Got {path}: {error}.\n")
    from gd_core.tables.reading import TableError, read
    from gd_core.tables.table import keep

    try:
        reading = read(data)
    except TableError as error:
        parser.exit(2, f"{error}\n")
    table = keep(reading.table)
    query["table"] = table.key
    return table, reading.findings[0] if reading.findings else None
