"""The same runs without a browser.

python -m gd_core train noisy-quadratic --learning-rate 1e-5 --epochs 10
python -m gd_core train --table measurements.parquet --target y --record run.json
python -m gd_core script noisy-quadratic --flavour torch-optim
python -m gd_core reproduce

Torch is imported by the commands, so that --help does not wait for it.
"""

import argparse
import io
import os
import re
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from gd_core.cli import large_table
from gd_core.columns import aligned
from gd_core.export import record_file
from gd_core.export.notebook import notebook
from gd_core.export.script import FLAVOURS, script, stride
from gd_core.export.whole_file import whole_file
from gd_core.settings.engines import ENGINE_NOTE, LOOP
from gd_core.settings.experiment import BOUNDS, CHOICES, FIELDS, NAMED_STARTS, Experiment
from gd_core.settings.table_fields import DATASET, needs_its_file
from gd_core.tables.example_tables import EXAMPLE_TABLES

if TYPE_CHECKING:
    from gd_core.problem import Problem
    from gd_core.training import Recording

ROWS = 40  # of a long run's table, at most
LARGEST_RECORD = 20_000_000  # bytes; a record is a few thousand, and what --json prints may be read as well
USUAL = "Settings that are not given have the data set's own values, as in the dashboard."
LARGE = (
    "Read the table in pieces, so that it need not fit into memory: Parquet files and large ones always, and any under "
    "torchrun. Every column is then a feature unless --features says which. See docs/scale.md."
)
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit status: 0, or 1 if a published number differs. Bad input ends with 2, Ctrl-C and a closed pipe as
        the shell has it.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                encoding="utf-8", errors="backslashreplace"
            )  # w₁, whatever the terminal's language
    try:
        given = sys.argv[1:] if arguments is None else arguments
        options = _parser().parse_args(_with_values_joined(given))
        status = options.run(options)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130
    except OSError as error:  # standard output: other files are looked after where they are written
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the flush at exit fails again
        if isinstance(error, BrokenPipeError):
            return 141
        print(f"The output could not be written: {error.strerror}.", file=sys.stderr)
        return 2


def _parser() -> Parser:
    parser = Parser(
        prog="python -m gd_core",
        description="Gradient Descent Lab without a browser: the same runs, in numbers.",
        epilog="The settings of a run: python -m gd_core train --help",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    train = commands.add_parser(
        "train",
        help="train, and print each epoch and what became of the run",
        description=f"Train, and print each epoch and what became of the run. {USUAL}",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    train.set_defaults(run=lambda options: _train(options, train))
    output = train.add_argument_group("output")
    output.add_argument("--every", metavar="N", help=f"Show every Nth epoch. Otherwise at most about {ROWS}.")
    output.add_argument("--json", action="store_true", help="Print one JSON object with everything instead.")
    output.add_argument("--csv", metavar="FILE", help="Also write the table of every epoch to a file.")
    output.add_argument(
        "--record", metavar="FILE", help="Also write a JSON record, from which the run can be made again."
    )
    train.add_argument(
        "--from", dest="record_from", metavar="FILE",
        help="Train what a record holds, and say whether every number is the same again. It takes no settings beside it, but --table FILE where the table is a large one.",
    )  # fmt: skip
    large = train.add_argument_group("a table of any size")
    large.add_argument("--stream", action="store_true", help=f"{LARGE} Other files with this flag.")
    large.add_argument(
        "--resume", metavar="FILE", help="Go on from the record of such a run; --epochs may be more."
    )
    large.add_argument("--device", metavar="WORD", help="Where to compute: cpu or cuda.")
    _add_settings(train)
    for name, what, make in (
        ("script", "a PyTorch script", script),
        ("notebook", "a Jupyter notebook", notebook),
    ):
        command = commands.add_parser(
            name,
            help=f"print the run as {what} that needs nothing of this project",
            description=f"Print the run as {what} that needs nothing of this project. {USUAL}",
            argument_default=argparse.SUPPRESS,
            allow_abbrev=False,
        )
        command.set_defaults(run=partial(_take_away, parser=command, make=make))
        command.add_argument("--flavour", metavar="WORD", help=f"Who takes the step: {', '.join(FLAVOURS)}.")
        command.add_argument("--output", metavar="FILE", help="Write it to a file instead.")
        _add_settings(command)
    reproduce = commands.add_parser(
        "reproduce",
        help="train the published runs, and compare number by number",
        description="Train the published runs, and compare number by number. Exits with 1 if one differs.",
        allow_abbrev=False,
    )
    reproduce.set_defaults(run=_reproduce)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
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


def _with_values_joined(arguments: Sequence[str]) -> list[str]:
    """`--start -1,2,3` as `--start=-1,2,3`: argparse takes -1,2,3 and -1e-5 for flags."""
    joined: list[str] = []
    for argument in arguments:
        if re.match(r"-[\d.]", argument) and joined and re.fullmatch(r"--[\w-]+", joined[-1]):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def _settings(options: argparse.Namespace, parser: Parser) -> tuple[Experiment, list[str]]:
    """The experiment that the flags describe, and a sentence for each that is wrong."""
    query = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in vars(options).items()
        if name in FIELDS
    }
    options.held, found = _table_in_file(query, parser)  # held for as long as the command runs
    experiment, sentences = Experiment.from_query(query)
    if found and any(sentence.startswith("missing") for sentence in sentences):
        sentences[0] += f" The first in the file: {found}."
    if experiment.dataset == "table" and "learning_rate" not in query and not sentences:
        from gd_core.safe_start import safe_start

        safe = safe_start(experiment)
        experiment = replace(experiment, learning_rate=safe.learning_rate, scale_features=safe.scale_features)
    return experiment, sentences


def _train(options: argparse.Namespace, parser: Parser) -> int:
    record: dict[str, Any] | None = None
    if "record_from" not in options and "table" in options and "dataset" not in options:
        options.dataset = DATASET
    if "record_from" not in options and large_table.takes(options):
        return large_table.train(options)
    if "record_from" in options:
        beside = next((name for name in FIELDS if name in options and name != "table"), None)
        if beside is not None:
            parser.exit(2, f"from must stand without settings, which the record holds. Got {beside}.\n")
        record, experiment = _read(options.record_from, parser)
        sentences = _needed_table(options, experiment, parser)
    else:
        experiment, sentences = _settings(options, parser)
    every = getattr(options, "every", "1")
    if not re.fullmatch(r"0*[1-9]\d{0,8}", every, re.ASCII):
        sentences.append(f"every must be a whole number from 1. Got {every}.")
    if sentences:
        parser.exit(2, f"{sentences[0]}\n")
    # Opened before the training: who has waited for a run should not hear only then that it cannot be kept.
    with _output(options, "csv", parser) as table, _output(options, "record", parser) as kept:
        run = _run(experiment)
        if table:
            from gd_core.export.epoch_table import write_csv

            with _blaming("csv", options.csv, parser):
                write_csv(experiment, run.problem, run.recording, table)
        if kept:
            with _blaming("record", options.record, parser):
                kept.write(f"{record_file.strict_json(run.document, indent=2)}\n")
    if "json" in options:
        _print_json(run)
    else:
        _print_table(run, int(every) if "every" in options else stride(run.recording.epochs, ROWS))
    if record is None:
        return 0
    same, sentence = record_file.compared(record, run.document, run.recording)
    print(f"\n{sentence}", file=sys.stderr if "json" in options else sys.stdout)
    return 0 if same else 1


def _read(name: str, parser: Parser) -> tuple[dict[str, Any], Experiment]:
    """A record and its experiment."""
    try:
        with Path(name).open("rb") as file:
            text = file.read(LARGEST_RECORD + 1)
    except OSError as error:
        parser.exit(2, f"from must be a file that can be read. Got {name}: {error.strerror}.\n")
    if len(text) > LARGEST_RECORD:
        parser.exit(
            2, f"from must be a record of at most {LARGEST_RECORD:,} bytes. Got {name}, which is larger.\n"
        )
    try:
        if b'"Gradient Descent Lab, large record' in text[:200]:
            parser.exit(
                2,
                f"from must be the record of a run that fits a page. Got {name}: go on from it with --resume.\n",
            )
        record = record_file.parsed(text.decode("utf-8", errors="replace"))
        return record, record_file.experiment_in(record)
    except ValueError as error:
        parser.exit(2, f"{error}\n")


def _take_away(options: argparse.Namespace, *, parser: Parser, make: Callable[[Experiment, str], str]) -> int:
    experiment, sentences = _settings(options, parser)
    flavour = getattr(options, "flavour", next(iter(FLAVOURS)))
    if flavour not in FLAVOURS:
        sentences.append(f"flavour must be one of {', '.join(FLAVOURS)}. Got {flavour}.")
    if sentences:
        parser.exit(2, f"{sentences[0]}\n")
    with _output(options, "output", parser) as file:
        text = make(experiment, flavour)
        if file:
            with _blaming("output", options.output, parser):
                file.write(text)
    if not file:
        print(text, end="")
    return 0


def _needed_table(options: argparse.Namespace, experiment: Experiment, parser: Parser) -> list[str]:
    """Hold the table that a record knows by its fingerprint only: `--table` names its file. What is wrong, if anything."""
    if "table" in options:
        query = {"dataset": "table", "table": options.table}
        options.held, _ = _table_in_file(query, parser)
        if query["table"] != experiment.table:
            return ["table must be the file of the table that the record was made with. Got another."]
    if experiment.dataset == "table" and needs_its_file(experiment.table):
        return ["from needs the file of the table that the record was made with: --table FILE. Got none."]
    return []


def _table_in_file(query: dict[str, str], parser: Parser) -> tuple[Any, Any]:
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


@dataclass(frozen=True, eq=False)
class _Run:
    """A run and what is to be said about it."""

    experiment: Experiment
    problem: "Problem"
    recording: "Recording"
    document: dict[str, Any]


def _run(experiment: Experiment) -> _Run:
    from gd_core.recorder import recorder_of

    recorder = recorder_of(experiment)
    recorder.advance()
    recording = recorder.recording()
    document = record_file.document(experiment, recorder.problem, recording)
    return _Run(experiment, recorder.problem, recording, document)


def _print_table(run: _Run, every: int) -> None:
    from gd_core.export.epoch_table import rows
    from gd_core.verdict import significant

    names = run.experiment.info.parameters
    scaled = run.experiment.scale_features
    held_out = ["held-out RMSE"] if run.experiment.holdout else []
    lines = [["epoch", "loss", "RMSE", *held_out, *names, *(f"{name} raw" for name in names if scaled)]]
    for row in rows(run.experiment, run.problem, run.recording):
        if row.epoch % every == 0 or row.epoch == run.recording.epochs:
            numbers = row.loss, row.rmse, *row.held_out_rmse, *row.parameters, *row.raw
            cells = (significant(number).replace("−", "-") for number in numbers)  # as other programs read it
            lines.append([str(row.epoch), *cells])
    for line in aligned(lines):
        print(line)
    if every > 1:
        print(f"\nOne row every {every:,} epochs, and the last; --every 1 shows all.")
    print(f"\n{run.document['verdict']}")
    if run.recording.engine != LOOP:
        print(f"\n{ENGINE_NOTE}")


@contextmanager
def _output(options: argparse.Namespace, name: str, parser: Parser) -> Generator[TextIO | None]:
    """The file that a flag names, or None without the flag. What is wrong with it ends the command."""
    if name not in options:
        yield None
    else:
        with _blaming(name, getattr(options, name), parser), whole_file(getattr(options, name)) as file:
            yield file


@contextmanager
def _blaming(name: str, path: str, parser: Parser) -> Generator[None]:
    """End with a sentence about this flag's file if something in here cannot be written."""
    try:
        yield
    except OSError as error:
        parser.exit(2, f"{name} must be a file that can be written. Got {path}: {error.strerror}.\n")


def _print_json(run: _Run) -> None:
    """The record, and every epoch."""
    from gd_core.export.epoch_table import rows

    names, text = run.experiment.info.parameters, record_file.strict_json

    def named(numbers: Sequence[float]) -> dict[str, float]:
        return dict(zip(names, numbers, strict=True))

    print(f"{text(run.document)[:-1]}, ", end='"epochs": [')  # an epoch a line: a run may have a million
    for row in rows(run.experiment, run.problem, run.recording):
        item = {
            "epoch": row.epoch,
            "loss": row.loss,
            "rmse": row.rmse,
            "parameters": named(row.parameters),
            "gradient": named(row.gradient),
        }
        if row.held_out_rmse:
            item["held_out_rmse"] = row.held_out_rmse[0]
        if row.raw:
            item["raw_parameters"] = named(row.raw)
        print("," if row.epoch else "", text(item), sep="\n", end="")
    print("\n]}")


def _reproduce(options: argparse.Namespace) -> int:
    del options
    from gd_core.published import PUBLISHED_RUNS

    rows = {run: list(run.rows()) for run in PUBLISHED_RUNS.values()}
    for run, compared in rows.items():
        lines = [["", "published", "ours", "difference", ""]]
        for row in compared:
            word = "ok" if row.agrees else "differs"
            lines.append(
                [row.quantity, f"{row.published!r}", f"{row.ours:.12g}", f"{row.difference:.1e}", word]
            )
        print(run.source)
        print(*aligned(lines), sep="\n")
        print(*(f"{row.quantity}: {row.note}\n" for row in compared if row.note), sep="")
    every = [row for compared in rows.values() for row in compared]
    differing = sum(not row.agrees for row in every)
    print(f"{len(every)} numbers: " + (f"{differing} not ok." if differing else "all ok."))
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
