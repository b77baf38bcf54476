"""`train`: a run, each of its epochs and what became of it; and the same run again from its record."""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gd_core.cli import large_table
from gd_core.cli.flags import Parser, settings_of, table_in_file, what_is_fitted
from gd_core.cli.printing import aligned, blaming, output
from gd_core.export import record_file
from gd_core.export.script import stride
from gd_core.settings.engines import ENGINE_NOTE, LOOP
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.table_fields import DATASET, needs_its_file
from gd_core.words import counted

if TYPE_CHECKING:
    from gd_core.problem import Problem
    from gd_core.training import Recording

ROWS = 40  # of a long run's table, at most
LARGEST_RECORD = 20_000_000  # bytes; a record is a few thousand, and what --json prints may be read as well


def train(options: argparse.Namespace, parser: Parser) -> int:
    """Train, and print or write what was asked for.

    Returns:
        The exit status: 0, or 1 if a run made again from its record has other numbers. Bad input ends with 2.
    """
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
        experiment, sentences = settings_of(options, parser)
    every = getattr(options, "every", "1")
    if not re.fullmatch(r"0*[1-9]\d{0,8}", every, re.ASCII):
        sentences.append(f"every must be a whole number between 1 and 999,999,999. Got {every}.")
    if sentences:
        parser.exit(2, f"{sentences[0]}\n")
    if experiment.dataset == DATASET:
        lines = (*what_is_fitted(vars(experiment)), *getattr(options, "notes", ()))
        print(*lines, "", sep="\n", file=sys.stderr if "json" in options else sys.stdout)
    # Opened before the training: who has waited for a run should not hear only then that it cannot be kept.
    with output(options, "csv", parser) as table, output(options, "record", parser) as kept:
        run = _run(experiment)
        if table:
            from gd_core.export.epoch_table import write_csv

            with blaming("csv", options.csv, parser):
                write_csv(experiment, run.problem, run.recording, table)
        if kept:
            with blaming("record", options.record, parser):
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


def _needed_table(options: argparse.Namespace, experiment: Experiment, parser: Parser) -> list[str]:
    """Hold the table that a record knows by its fingerprint only: `--table` names its file. What is wrong, if anything."""
    if "table" in options:
        query = {"dataset": "table", "table": options.table}
        options.held, _ = table_in_file(query, options, parser, as_before=experiment.table)
        if query["table"] != experiment.table:
            return ["table must be the file of the table that the record was made with. Got another."]
    if experiment.dataset == "table" and needs_its_file(experiment.table):
        return ["from needs the file of the table that the record was made with: --table FILE. Got none."]
    return []


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
    from gd_core.words import significant

    names = run.experiment.info.parameters
    scaled = run.experiment.is_rescaled
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
        print(f"\nOne row every {counted(every, 'epoch')}, and the last; --every 1 shows all.")
    print(f"\n{run.document['verdict']}")
    if run.recording.engine != LOOP:
        print(f"\n{ENGINE_NOTE}")


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
