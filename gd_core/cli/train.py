"""`train`: a run, each of its epochs and what became of it; and the same run again from its record."""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gd_core.cli import large_table
from gd_core.cli.flags import (
    Parser,
    every_of,
    how_to_read,
    read_as_recorded,
    settings_of,
    table_in_file,
    what_is_fitted,
)
from gd_core.cli.printing import aligned, blaming, output, print_json, tell_apart
from gd_core.export import record_file
from gd_core.export.record_file import ROWS
from gd_core.export.record_reading import experiment_in, read
from gd_core.export.script import stride
from gd_core.settings.engines import ENGINE_NOTE, LOOP
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.table_fields import DATASET, needs_its_file, with_columns
from gd_core.words import counted

if TYPE_CHECKING:
    from gd_core.problem import Problem
    from gd_core.training import Recording


def train(options: argparse.Namespace, parser: Parser) -> int:
    """Train, and print or write what was asked for.

    Returns:
        The exit status: 0, or 1 if a run made again from its record has other numbers. Bad input ends with 2.
    """
    record: dict[str, Any] | None = None
    tell_apart(options, parser, "table", "csv", "record")
    if "record_from" not in options and "table" in options and "dataset" not in options:
        options.dataset = DATASET
    if "record_from" not in options and large_table.takes(options):
        return large_table.train(options)
    if "record_from" in options:
        beside = next((name for name in FIELDS if name in options and name != "table"), None)
        if beside is not None:
            parser.exit(2, f"from must stand without settings, which the record holds. Got {beside}.\n")
        record, experiment = _read(options.record_from, parser)
        read_as_recorded(options, record.get("table") or {})
        sentences = _needed_table(options, experiment, parser)
    else:
        experiment, sentences = settings_of(options, parser)
    every = 1
    try:
        every = every_of(options)
    except ValueError as error:
        sentences.append(str(error))
    if "every" in options and "record" in options and not sentences:
        names = experiment.info.parameters
        if sentence := record_file.problem_with_listing(every, experiment.total_epochs, len(names)):
            sentences.append(sentence)
    if sentences:
        parser.exit(2, f"{sentences[0]}\n")
    if experiment.dataset == DATASET:
        lines = (*what_is_fitted(vars(experiment)), *getattr(options, "notes", ()))
        print(*lines, "", sep="\n", file=sys.stderr if "json" in options else sys.stdout)
    # Opened before the training: who has waited for a run should not hear only then that it cannot be kept.
    from gd_core.export.epoch_table import rows as epoch_rows

    with output(options, "csv", parser) as table, output(options, "record", parser) as kept:
        run = _run(experiment, _source(options), every if "every" in options else None)
        if table:
            from gd_core.export.epoch_table import write_csv

            with blaming("csv", options.csv, parser):
                write_csv(experiment, run.problem, run.recording, table)
        if kept:
            with blaming("record", options.record, parser):
                kept.write(f"{record_file.strict_json(run.document, indent=2)}\n")
    if "json" in options:
        names = run.experiment.info.parameters
        epochs = epoch_rows(run.experiment, run.problem, run.recording, every)
        print_json(run.document, (row.as_json(names) for row in epochs))
    else:
        _print_table(run, every if "every" in options else stride(run.recording.epochs, ROWS))
    if record is None:
        return 0
    same, sentence = record_file.compared(record, run.document, run.recording)
    print(f"\n{sentence}", file=sys.stderr if "json" in options else sys.stdout)
    return 0 if same else 1


def _read(name: str, parser: Parser) -> tuple[dict[str, Any], Experiment]:
    """A record and its experiment."""
    try:
        record = read(name, "from", streamed=False)
        return record, experiment_in(record)
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


def _source(options: argparse.Namespace) -> Mapping[str, Any] | None:
    """Which file the table came from, if from one, and what was said of how it is read."""
    if getattr(options, "held", None) is None:
        return None
    how, of_file = how_to_read(options)
    return {"file": options.table, "read_as": how, "read_with": of_file}


def _run(experiment: Experiment, source: Mapping[str, Any] | None, every: int | None) -> _Run:
    from gd_core.recorder import recorder_of

    recorder = recorder_of(experiment)
    recorder.advance()
    recording = recorder.recording()
    document = record_file.document(experiment, recorder.problem, recording, source=source, every=every)
    return _Run(experiment, recorder.problem, recording, document)


def _print_table(run: _Run, every: int) -> None:
    from gd_core.export.epoch_table import rows
    from gd_core.words import significant

    names = with_columns(vars(run.experiment), run.experiment.info.parameters)
    scaled = run.experiment.is_rescaled
    held_out = ["held-out RMSE"] if run.experiment.holdout else []
    lines = [["epoch", "loss", "RMSE", *held_out, *names, *(f"{name} raw" for name in names if scaled)]]
    for row in rows(run.experiment, run.problem, run.recording, every):
        numbers = row.loss, row.rmse, *row.held_out_rmse, *row.parameters, *row.raw
        cells = (significant(number).replace("−", "-") for number in numbers)  # as other programs read it
        lines.append([str(row.epoch), *cells])
    for line in aligned(lines):
        print(line)
    if every > 1:
        print(f"\nOne row every {counted(every, 'epoch')}, and the last; --every 1 shows all.")
    if (mean := run.document["averaged"]) and mean["epochs"] > 1:
        last = counted(mean["epochs"], "epoch")
        print(f"\nThe mean of the points of its last {last} is at RMSE {significant(mean['rmse'])}.")
    print(f"\n{run.document['verdict']}")
    if run.recording.engine != LOOP:
        print(f"\n{ENGINE_NOTE}")
