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

from gd_core.cli.flags import (
    Help,
    Parser,
    add_reading,
    add_settings,
    reading_of,
    settings_of,
    with_values_joined,
)
from gd_core.cli.printing import aligned, blaming, output, tell_apart
from gd_core.cli.train import ROWS, train
from gd_core.export.notebook import notebook
from gd_core.export.script import FLAVOURS, script, why_not
from gd_core.settings.experiment import Experiment
from gd_core.words import counted

USUAL = "What is not given has the data set's own value, as in the dashboard."
EXAMPLES = {
    "": (
        "train noisy-quadratic --learning-rate 1e-5 --epochs 10",
        "train --table homes.csv --target price",
        "table homes.csv",
        "COMMAND --help      what a command takes, and examples",
    ),
    "train": (
        "train two-features --optimizer adam --learning-rate 0.1 --epochs 100",
        "train --table homes.xlsx --target price --features SqFt,Brick --record run.json",
        "train --from run.json                                  make it again, to the last bit",
        "train --table sales.parquet --record big.json          of any size, read in pieces",
        "train --resume big.json --epochs 2000                  go on from there",
        "train two-features --json > run.json                   every epoch: docs/records.md",
    ),
    "script": (
        "script two-features > run.py",
        "script --table homes.csv --target price --flavour torch-optim --output run.py",
    ),
    "notebook": ("notebook two-features --output run.ipynb",),
    "table": (
        "table homes.xlsx --sheet 2024",
        "table homes.csv --read-as 'zip=words' --csv numbers.csv",
    ),
    "reproduce": ("reproduce",),
}


def _examples(command: str) -> str:
    return "\n".join(["examples:", *(f"  python -m gd_core {line}" for line in EXAMPLES[command])])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit status: 0, or 1 if a published number differs. Bad input ends with 2, Ctrl-C and a closed pipe as
        the shell has it.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # For w₁ and η, whatever the terminal's language.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
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
        epilog=_examples(""),
        formatter_class=Help,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, takes: str, what: str, then: str = "") -> Parser:
        return commands.add_parser(
            name,
            help=what,
            usage=f"python -m gd_core {name}{takes}",
            description=f"{what[0].upper()}{what[1:]}.{then}",
            epilog=_examples(name),
            formatter_class=Help,
            argument_default=argparse.SUPPRESS,
            allow_abbrev=False,
        )

    trains = command(
        "train", " [DATASET] [flags]", "train, and print each epoch and what became of the run", f"\n{USUAL}"
    )
    trains.set_defaults(run=partial(train, parser=trains))
    files = trains.add_argument_group("what comes out")
    files.add_argument("--every", metavar="N", help=f"List every Nth epoch. Otherwise about {ROWS}.")
    files.add_argument("--json", action="store_true", help="Print one JSON object with every epoch instead.")
    files.add_argument("--csv", metavar="FILE", help="Also write every epoch as a table.")
    files.add_argument("--record", metavar="FILE", help="Also write a record, to make the run again.")
    again = trains.add_argument_group("from a record")
    again.add_argument(
        "--from", dest="record_from", metavar="FILE",
        help="Make its run again, and say whether each number is the same. Alone, or with --table.",
    )  # fmt: skip
    again.add_argument(
        "--resume", metavar="FILE", help="Go on with a run that is read in pieces, perhaps to more --epochs."
    )
    add_settings(trains)
    large = trains.add_argument_group("a table of any size (docs/scale.md)")
    large.add_argument(
        "--stream",
        action="store_true",
        help="Read it in pieces. Parquet, large files and torchrun always do.",
    )
    large.add_argument("--device", metavar="WORD", help="Where to compute: cpu or cuda.")
    for name, what, make in (
        ("script", "a PyTorch script", script),
        ("notebook", "a Jupyter notebook", notebook),
    ):
        takes_away = command(
            name,
            " [DATASET] [flags]",
            f"print the run as {what} that needs nothing of this project",
            f"\n{USUAL}",
        )
        takes_away.set_defaults(run=partial(_take_away, parser=takes_away, make=make))
        out = takes_away.add_argument_group("what comes out")
        out.add_argument("--flavour", metavar="WORD", help=f"Who takes the step: {', '.join(FLAVOURS)}.")
        out.add_argument("--output", metavar="FILE", help="Write it to a file instead.")
        add_settings(takes_away)
    looks = command(
        "table", " FILE [flags]", "show how a file is read, column by column, and write its numbers"
    )
    looks.set_defaults(run=partial(_look, parser=looks))
    looks.add_argument("table", metavar="FILE", help="CSV, a workbook, Parquet, JSON; also packed with gzip.")
    looks.add_argument("--csv", metavar="FILE", help="Write the table as it was read to a file.")
    add_reading(looks)
    reproduce = command(
        "reproduce",
        "",
        "train the published runs, and compare number by number",
        "\nExits with 1 if one differs.",
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
