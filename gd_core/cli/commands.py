"""The commands: `train`, `script`, `notebook`, `table`, `reproduce`.

Torch is imported by the commands, so that --help does not wait for it.
"""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from gd_core.cli.flags import Parser, add_reading, add_settings, reading_of, settings_of, with_values_joined
from gd_core.cli.printing import aligned, blaming, output, tell_apart
from gd_core.cli.train import ROWS, train
from gd_core.export.notebook import notebook
from gd_core.export.script import FLAVOURS, script, why_not
from gd_core.settings.experiment import Experiment
from gd_core.words import counted

USUAL = "Settings that are not given have the data set's own values, as in the dashboard."
LARGE = (
    "Read the table in pieces, so that it need not fit into memory: Parquet files and large ones always, and any under "
    "torchrun. Every column is then a feature unless --features says which. See docs/scale.md."
)


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
        options = _parser().parse_args(with_values_joined(given))
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
    trains = commands.add_parser(
        "train",
        help="train, and print each epoch and what became of the run",
        description=f"Train, and print each epoch and what became of the run. {USUAL}",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    trains.set_defaults(run=partial(train, parser=trains))
    files = trains.add_argument_group("output")
    files.add_argument("--every", metavar="N", help=f"Show every Nth epoch. Otherwise at most about {ROWS}.")
    files.add_argument("--json", action="store_true", help="Print one JSON object with everything instead.")
    files.add_argument("--csv", metavar="FILE", help="Also write the table of every epoch to a file.")
    files.add_argument(
        "--record", metavar="FILE", help="Also write a JSON record, from which the run can be made again."
    )
    trains.add_argument(
        "--from", dest="record_from", metavar="FILE",
        help="Train what a record holds, and say whether every number is the same again. It takes no settings beside it, but --table FILE where the table is a large one.",
    )  # fmt: skip
    large = trains.add_argument_group("a table of any size")
    large.add_argument("--stream", action="store_true", help=f"{LARGE} Other files with this flag.")
    large.add_argument(
        "--resume", metavar="FILE", help="Go on from the record of such a run; --epochs may be more."
    )
    large.add_argument("--device", metavar="WORD", help="Where to compute: cpu or cuda.")
    add_settings(trains)
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
        add_settings(command)
    looks = commands.add_parser(
        "table",
        help="show how a file is read, column by column, and write its numbers",
        description="Show what each column of a file is read as, and with --csv write the numbers that it became.",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    looks.set_defaults(run=partial(_look, parser=looks))
    looks.add_argument("table", metavar="FILE", help="CSV, a workbook, Parquet, JSON; also packed with gzip.")
    looks.add_argument("--csv", metavar="FILE", help="Write the table as it was read to a file.")
    add_reading(looks)
    reproduce = commands.add_parser(
        "reproduce",
        help="train the published runs, and compare number by number",
        description="Train the published runs, and compare number by number. Exits with 1 if one differs.",
        allow_abbrev=False,
    )
    reproduce.set_defaults(run=_reproduce)
    return parser


def _take_away(options: argparse.Namespace, *, parser: Parser, make: Callable[[Experiment, str], str]) -> int:
    tell_apart(options, parser, "table", "output")
    experiment, sentences = settings_of(options, parser)
    flavour = getattr(options, "flavour", next(iter(FLAVOURS)))
    if sentence := why_not(experiment, flavour):
        sentences.append(sentence)
    if sentences:
        parser.exit(2, f"{sentences[0]}\n")
    with output(options, "output", parser) as file:
        text = make(experiment, flavour)
        if file:
            with blaming("output", options.output, parser):
                file.write(text)
    if not file:
        print(text, end="")
    return 0


def _look(options: argparse.Namespace, *, parser: Parser) -> int:
    tell_apart(options, parser, "table", "csv")
    reading = reading_of(Path(options.table), options, parser)
    print(f"{counted(reading.table.rows, 'row')}.", *reading.notes, "", sep="\n")
    names = [column.name for column in reading.columns]
    for name, column in zip(names, reading.columns, strict=True):
        said = column.question or column.said
        print(f"{name.ljust(max(map(len, names)))}  {column.how}{f': {said}' if said else ''}")
    print(*([""] if reading.findings else []), *reading.findings[:ROWS], sep="\n")
    with output(options, "csv", parser) as file:
        if file:
            from gd_core.tables.table import to_csv

            with blaming("csv", options.csv, parser):
                file.write(to_csv(reading.table))
    return 0


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
