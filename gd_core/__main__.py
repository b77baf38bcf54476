"""The same runs without a browser.

python -m gd_core train noisy-quadratic --learning-rate 1e-5 --epochs 10
python -m gd_core reproduce

Torch is imported by the commands, so that --help does not wait for it.
"""

import argparse
import csv
import io
import json
import math
import os
import re
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TextIO

from gd_core.experiment import BOUNDS, CHOICES, FIELDS, NAMED_STARTS, Experiment, Phase

if TYPE_CHECKING:
    from gd_core.outcome import Finding
    from gd_core.problem import Problem
    from gd_core.theory import Forecast
    from gd_core.training import Recording

ROWS = 40  # of a long run's table, at most
HELP = {
    "dataset": f"The data: {', '.join(CHOICES['dataset'])}.",
    "loss": f"What is minimised: {', '.join(CHOICES['loss'])}.",
    "optimizer": f"The update rule: {', '.join(CHOICES['optimizer'])}.",
    "scale_features": "Shift and scale every feature to mean 0 and deviation 1 before training.",
    "start": f"{', '.join(NAMED_STARTS)}, or a number for each parameter: 1,-2.5,0.",
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
        description="Train, and print each epoch and what became of the run. "
        "Settings that are not given have the data set's own values, as in the dashboard.",
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    train.set_defaults(run=lambda options: _train(options, train))
    train.add_argument("dataset", nargs="?", metavar="DATASET", help=HELP["dataset"])
    output = train.add_argument_group("output")
    output.add_argument("--every", metavar="N", help=f"Show every Nth epoch. Otherwise at most about {ROWS}.")
    output.add_argument("--json", action="store_true", help="Print one JSON object with everything instead.")
    output.add_argument("--csv", metavar="FILE", help="Also write the table of every epoch to a file.")
    settings = train.add_argument_group("settings")
    for name in FIELDS:
        flag = f"--{name.replace('_', '-')}"
        text = (HELP[name] if name in HELP else BOUNDS[name].help).replace("%", "%%")
        if name == "scale_features":
            settings.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
        else:
            settings.add_argument(flag, metavar="NUMBER" if name in BOUNDS else "WORDS", help=text)
    reproduce = commands.add_parser(
        "reproduce",
        help="train the published runs, and compare number by number",
        description="Train the published runs, and compare number by number. Exits with 1 if one differs.",
        allow_abbrev=False,
    )
    reproduce.set_defaults(run=_reproduce)
    return parser


def _with_values_joined(arguments: Sequence[str]) -> list[str]:
    """`--start -1,2,3` as `--start=-1,2,3`: argparse takes -1,2,3 and -1e-5 for flags."""
    joined: list[str] = []
    for argument in arguments:
        if re.match(r"-[\d.]", argument) and joined and re.fullmatch(r"--[\w-]+", joined[-1]):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def _train(options: argparse.Namespace, parser: Parser) -> int:
    query = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in vars(options).items()
        if name in FIELDS
    }
    experiment, sentences = Experiment.from_query(query)
    every = getattr(options, "every", "1")
    if not re.fullmatch(r"0*[1-9]\d{0,8}", every, re.ASCII):
        sentences.append(f"every must be a whole number from 1. Got {every}.")
    if sentences:
        parser.exit(2, f"{sentences[0]}\n")
    if "csv" in options:
        try:
            with _complete_file(options.csv) as file:
                run = _run(experiment)
                _write_csv(run, file)
        except OSError as error:
            parser.exit(2, f"csv must be a file that can be written. Got {options.csv}: {error.strerror}.\n")
    else:
        run = _run(experiment)
    if "json" in options:
        _print_json(run)
    else:
        _print_table(run, int(every) if "every" in options else _stride(run.recording.epochs))
    return 0


@dataclass(frozen=True, eq=False)
class _Run:
    """A run and what is to be said about it."""

    experiment: Experiment
    problem: "Problem"
    recording: "Recording"
    known: "Forecast"
    finding: "Finding"
    verdict: str


class _Epoch(NamedTuple):
    """A row of the table."""

    epoch: int
    loss: float
    rmse: float
    parameters: list[float]
    gradient: list[float]
    raw: list[float]  # parameters in the units of the data; empty unless the features are scaled


def _run(experiment: Experiment) -> _Run:
    from gd_core import verdict
    from gd_core.outcome import outcome
    from gd_core.problem import build
    from gd_core.recorder import Recorder
    from gd_core.theory import curvature, forecast

    problem = build(experiment)
    recorder = Recorder(experiment, problem)
    recorder.advance()
    recording = recorder.recording()
    curve = curvature(problem.objective)
    known = forecast(experiment, problem, curve)
    finding = outcome(recording, curve)
    return _Run(
        experiment,
        problem,
        recording,
        known,
        finding,
        verdict.of_run(recording, experiment, known, finding),
    )


def _epochs(run: _Run) -> Iterator[_Epoch]:
    """What is known at the start of each epoch and at the end, over all rows."""
    from gd_core.objective import value_and_gradient

    recording, problem = run.recording, run.problem
    for epoch, theta in enumerate(recording.epoch_theta):
        in_batches = recording.updates_per_epoch > 1
        gradient = (
            value_and_gradient(problem.objective, theta)[1] if in_batches else recording.gradient[epoch]
        )
        yield _Epoch(
            epoch,
            recording.epoch_loss[epoch].item(),
            recording.epoch_rmse[epoch].item(),
            theta.tolist(),
            gradient.tolist(),
            problem.raw(theta).tolist() if run.experiment.scale_features else [],
        )


def _stride(epochs: int) -> int:
    """The smallest of 1, 2, 5, 10, 20 … that leaves ROWS rows."""
    return next(n * 10**power for power in range(9) for n in (1, 2, 5) if n * 10**power * ROWS >= epochs)


def _print_table(run: _Run, every: int) -> None:
    from gd_core.verdict import significant

    names = run.experiment.info.parameters
    scaled = run.experiment.scale_features
    lines = [["epoch", "loss", "RMSE", *names, *(f"{name} raw" for name in names if scaled)]]
    for row in _epochs(run):
        if row.epoch % every == 0 or row.epoch == run.recording.epochs:
            numbers = row.loss, row.rmse, *row.parameters, *row.raw
            cells = (significant(number).replace("−", "-") for number in numbers)  # as other programs read it
            lines.append([str(row.epoch), *cells])
    for line in _aligned(lines):
        print(line)
    if every > 1:
        print(f"\nOne row every {every:,} epochs, and the last; --every 1 shows all.")
    print(f"\n{run.verdict}")


def _aligned(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns of one width, to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))


def _write_csv(run: _Run, file: TextIO) -> None:
    names = run.experiment.info.parameters
    raw = [f"raw_{name}" for name in names if run.experiment.scale_features]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["epoch", "loss", "rmse", *names, *(f"gradient_{name}" for name in names), *raw])
    for row in _epochs(run):
        writer.writerow([row.epoch, row.loss, row.rmse, *row.parameters, *row.gradient, *row.raw])


@contextmanager
def _complete_file(name: str) -> Generator[TextIO]:
    """A file that appears, or takes an older one's place, only once it is complete."""
    path = Path(os.path.realpath(name))  # behind a link, not in its place
    if path.exists() and not path.is_file():
        raise OSError(0, "not a file")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("x", encoding="utf-8", newline="") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _print_json(run: _Run) -> None:
    names, known = run.experiment.info.parameters, run.known

    def named(numbers: Sequence[float]) -> dict[str, float]:
        return dict(zip(names, numbers, strict=True))

    head = {
        "experiment": {name: getattr(run.experiment, name) for name in FIELDS},
        "outcome": run.finding.outcome,
        "outcome_epoch": run.finding.epoch,
        "verdict": run.verdict,
        "theory": {
            "eigenvalues": known.eigenvalues,
            "condition_number": known.condition_number,
            "stability_limit": known.stability_limit,
            "why_no_limit": known.why_no_limit,
            "best_learning_rate": known.best_learning_rate,
            "best_for_epochs": known.best_for_epochs,
            "pays_after": known.pays_after,
            "optimum": named(known.optimum),
            "floor_rmse": known.floor_rmse,
        },
    }
    print(f"{_json(head)[:-1]}, ", end='"epochs": [')  # an epoch a line, because a run may have a million
    for row in _epochs(run):
        item = {
            "epoch": row.epoch,
            "loss": row.loss,
            "rmse": row.rmse,
            "parameters": named(row.parameters),
            "gradient": named(row.gradient),
        }
        if row.raw:
            item["raw_parameters"] = named(row.raw)
        print("," if row.epoch else "", _json(item), sep="\n", end="")
    print("\n]}")


def _json(value: Any) -> str:
    return json.dumps(_strict(value), ensure_ascii=False, allow_nan=False)


def _strict(value: Any) -> Any:
    """JSON has no infinity: null stands for it. A phase is an object."""
    if isinstance(value, Phase):
        return _strict(value._asdict())
    if isinstance(value, dict):
        return {name: _strict(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


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
        print(*_aligned(lines), sep="\n")
        print(*(f"{row.quantity}: {row.note}\n" for row in compared if row.note), sep="")
    every = [row for compared in rows.values() for row in compared]
    differing = sum(not row.agrees for row in every)
    print(f"{len(every)} numbers: " + (f"{differing} not ok." if differing else "all ok."))
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
