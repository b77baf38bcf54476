"""The flags of a run: one for every field of an `Experiment`, and what is wrong with them in one sentence."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from gd_core.settings.experiment import BOUNDS, CHOICES, FIELDS, NAMED_STARTS, Experiment
from gd_core.tables.example_tables import EXAMPLE_TABLES

HELP = {
    "dataset": f"The data: {', '.join(CHOICES['dataset'])}.",
    "table": f"For the data set table: a CSV file, {', '.join(EXAMPLE_TABLES)}, or what a link says.",
    "target": "The table's column that is predicted. Otherwise the last.",
    "features": "The columns it is predicted from, with commas between. Otherwise the first.",
    "degree": "Of a polynomial in one feature, 1 to 5.",
    "missing": "What becomes of rows in which a number is missing: drop leaves them out, mean fills in the mean of the column's training rows.",
    "loss": f"What is minimised: {', '.join(CHOICES['loss'])}.",
    "optimizer": f"The update rule: {', '.join(CHOICES['optimizer'])}.",
    "scale_features": "Shift and scale every feature to mean 0 and deviation 1 before training.",
    "start": f"{', '.join(NAMED_STARTS)}, or a number for each parameter: 1,-2.5,0.",
    "engine": "What works the run out: loop, the textbook’s; spectrum, along the eigenvectors, for full batches and "
    "gradient descent, momentum or Nesterov; or auto, the spectrum for many epochs where it can.",
    "before": "Earlier phases of a continued run, as epochs,rule,rate,settings: 250,momentum,1e-5,0.9. "
    "A semicolon stands between two.",
}


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        message = " ".join(message.split()).rstrip(".")
        self.exit(2, f"{message[0].upper()}{message[1:]}.\n")


def add_settings(parser: argparse.ArgumentParser) -> None:
    """The data set and a flag for every field of an experiment."""
    parser.add_argument("dataset", nargs="?", metavar="DATASET", help=HELP["dataset"])
    settings = parser.add_argument_group("settings")
    for name in FIELDS:
        flag = f"--{name.replace('_', '-')}"
        text = (HELP[name] if name in HELP else BOUNDS[name].help).replace("%", "%%")
        if name == "scale_features":
            settings.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
        else:
            settings.add_argument(flag, metavar="NUMBER" if name in BOUNDS else "WORDS", help=text)


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
        from gd_core.safe_start import safe_start

        safe = safe_start(experiment)
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
