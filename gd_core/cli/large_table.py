"""`python -m gd_core train --table FILE`, where the file is read in pieces: by one process, or by several under torchrun.

Rank 0 prints and records. What is wrong is said in one sentence, by one process.
"""

import os
import signal
import sys
from argparse import Namespace
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Any

from gd_core.cli.flags import (
    READING,
    every_of,
    how_to_read,
    read_as_recorded,
    said_of,
    to_be_said,
    what_is_fitted,
)
from gd_core.cli.printing import aligned, print_json
from gd_core.export.record_file import ROWS, problem_with_listing, strict_json
from gd_core.export.record_reading import read
from gd_core.export.whole_file import is_same_file, try_whole_file, whole_file
from gd_core.large.run import LargeRun
from gd_core.settings.experiment_fields import FIELDS, LEARNING_RATE, MAX_UPDATES
from gd_core.settings.table_fields import DATASET, FILES, MAX_FEATURES, with_columns
from gd_core.words import counted

if TYPE_CHECKING:
    from gd_core.large.distributed import Group
    from gd_core.large.record import Progressed
    from gd_core.large.training import LargeProblem, Point, Seen
    from gd_core.tables.chunks import Source
    from gd_core.tables.streaming import Reader

COLUMNS = 8  # of it for parameters, at most
RECORDED_EVERY = 2.0  # seconds; what an interruption can cost, beside an epoch
SHOWN_EVERY = 0.2  # seconds between two updates of the progress bar
OWN_FLAGS = ("resume", "device", "stream")
NOT_HERE = ("csv",)


def takes(options: Namespace) -> bool:
    """Whether this run reads its table in pieces.

    That is a Parquet file, a file that is larger than what a page takes, any file under torchrun, and any with
    --stream, --device or --resume.
    """
    if any(flag in options for flag in OWN_FLAGS):
        return True
    if getattr(options, "dataset", DATASET) != DATASET or "table" not in options:
        return False
    path = Path(options.table[:4096])
    try:
        if not path.is_file():
            return "RANK" in os.environ and path.suffix[1:] in FILES
        return "RANK" in os.environ or _is_large(path, getattr(options, "features", ""))
    except (OSError, ValueError):
        return False


def _is_large(path: Path, features: str) -> bool:
    from gd_core.tables.reading import MAX_BYTES
    from gd_core.tables.table import MAX_COLUMNS, MAX_ROWS

    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    return (
        path.suffix == ".parquet"
        or data.startswith(b"PAR1")
        or len(data) > MAX_BYTES
        or data.count(b"\n") > MAX_ROWS + 1
        or max(map(data.partition(b"\n")[0].count, (b",", b";", b"\t", b"|"))) >= MAX_COLUMNS
        or features.count(",") >= MAX_FEATURES
    )


class Refused(Exception):
    """Bad input; the message is a sentence."""


class Ended(KeyboardInterrupt):
    """A signal to end other than Ctrl-C, as torchrun sends it when another process has gone."""


def train(options: Namespace) -> int:
    """Train, and print what became of the run.

    Returns:
        The exit status: 0; 1 if another process was lost; 2 after bad input; 130 after Ctrl-C; 143 after a signal to
        end. One of several takes that signal, which is torchrun's, for the loss of another.
    """
    if "resume" in options and "RANK" not in os.environ:  # before torch is loaded, which takes a while
        try:
            options.earlier = read(options.resume, "resume", streamed=True)
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
    from gd_core.large.distributed import Group, PeerLost, Unconnected
    from gd_core.tables.reading import TableError

    speaks = os.environ.get("RANK", "0") == "0"
    try:
        group = Group.join(getattr(options, "device", "cpu"))
    except Unconnected as error:
        if speaks:
            print(error, file=sys.stderr)
        return 2
    kept = _record_name(options)
    with _told_to_end():
        try:
            return _Command(options, group).run()
        except (Refused, TableError) as error:
            if speaks:
                print(error, file=sys.stderr)
            return 2
        except (PeerLost, KeyboardInterrupt) as error:
            _deaf_to_signals()
            if isinstance(error, PeerLost) or (isinstance(error, Ended) and group.size > 1):
                if group.first_to_notice():
                    where = f" What was trained so far is in {kept}." if kept and Path(kept).is_file() else ""
                    print(
                        f"Another process of the run has ended, and so this ends too.{where}", file=sys.stderr
                    )
                return 1
            if speaks:
                print("Stopped before the first epoch: there is nothing to keep.", file=sys.stderr)
            return _status(error)
        finally:
            group.close()


def _status(error: KeyboardInterrupt) -> int:
    return 128 + (signal.SIGTERM if isinstance(error, Ended) else signal.SIGINT)


def _record_name(options: Namespace) -> str | None:
    """Where the record goes: by default to the one that the run goes on from."""
    return getattr(options, "record", getattr(options, "resume", None))


@contextmanager
def _told_to_end() -> Generator[None]:
    """Treat a signal to end as Ctrl-C, and either of them once: torchrun passes on the Ctrl-C that all have heard."""

    def end(number: int, frame: FrameType | None) -> None:
        _deaf_to_signals()
        raise Ended if number == signal.SIGTERM else KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number, handler in before.items():
        # a shell's background jobs hear no Ctrl-C
        if number == signal.SIGTERM or handler is not signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _deaf_to_signals() -> None:
    """Once is enough: what follows is written in peace."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


class _Command:
    """One run of the command in one process.

    Args:
        options: What was typed.
        group: The processes.
    """

    def __init__(self, options: Namespace, group: "Group") -> None:
        self.options, self.group = options, group
        self.speaks = group.rank == 0
        self.record_name = _record_name(options)
        self._recorded_at = -RECORDED_EVERY
        self._failed: OSError | None = None
        self._read_with: dict[str, Any] = {}
        self._scaled: list[str] = []  # why features are, where nobody has said it

    def run(self) -> int:
        """Read, train, print, record."""
        from gd_core.large.training import look_through

        record = self._agreed(self._earlier)
        record = self.group.shared(record)
        path, reader, run = self._agreed(lambda: self._opened(record))
        with _Bar("reading", 1.0, self.speaks) as bar:
            reader, seen = look_through(run, reader, self.group, bar.to)
        problem, progressed, point = self._agreed(lambda: self._begun(run, seen, record))
        if self.speaks:
            self._tell(run, reader.source, seen)
        if self.speaks or problem.run.batch_size:
            interrupted = self._train(progressed, point, reader, path)
        else:
            self.group.follow()  # with all rows in every update, what is left needs no rows
            interrupted = None
        if not self.speaks:
            return _status(interrupted) if interrupted else 0
        return self._said(progressed, interrupted, path)

    def _agreed(self, step: Any) -> Any:
        """What a step gives; where it fails in any process, all of them end with the first one's sentence."""
        from gd_core.tables.reading import TableError

        value, sentence = None, None
        try:
            value = step()
        except (Refused, TableError, ValueError, LookupError) as error:
            sentence = str(error)
        sentence = self.group.failure(sentence)
        if sentence:
            raise Refused(sentence)
        return value

    def _earlier(self) -> dict[str, Any] | None:
        """The record to go on from, as rank 0 reads it: the run's own if torchrun has started it again."""
        from gd_core.large.distributed import restarts

        if "earlier" in self.options:
            return self.options.earlier
        again = restarts() and self.record_name and Path(self.record_name).is_file()
        name = self.record_name if again else getattr(self.options, "resume", None)
        if not self.speaks or name is None:
            return None
        return read(name, "resume", streamed=True)

    def _opened(self, record: Mapping[str, Any] | None) -> tuple[Path, "Reader", LargeRun]:
        """The file and the settings."""
        from gd_core.tables.streaming import Reader, open_table

        given = {name: getattr(self.options, name) for name in FIELDS if name in self.options}
        for name in NOT_HERE:
            if name in self.options:
                raise Refused(
                    f"{name} must be left out for a table that is read in pieces: --record keeps the epochs."
                )
        if "resume" in self.options:
            said = [name for name in READING if name in self.options]
            beside = next(
                (name for name in (*given, *said) if name not in ("dataset", "table", "epochs")), None
            )
            if beside:
                raise Refused(
                    f"resume must stand without settings but epochs, the record holds them. Got {beside}."
                )
        if given.get("dataset", DATASET) != DATASET or ("table" not in given and record is None):
            raise Refused(f"table must name a file to be read in pieces. Got {given.get('dataset', 'none')}.")
        if record is not None:
            settings = {name: value for name, value in record["experiment"].items() if name != "points"}
            run = LargeRun.of(settings)
            if "epochs" in given:
                run = replace(run, epochs=LargeRun.of({"epochs": given["epochs"]}).epochs)
        else:
            run = LargeRun.of(given)
        every = every_of(self.options)
        if record is not None:
            read_as_recorded(self.options, record["table"])
        how, file = how_to_read(self.options)
        self._read_with = {"read_as": how, "read_with": file}
        path = Path(given.get("table") or (record or {})["table"]["file"])
        if "\0" in str(path):
            raise Refused(f"table must be a file that can be read. Got {path!r}, which is no name of one.")
        if self.record_name is not None and self.speaks:
            self._try_record(Path(self.record_name), path)
        try:
            source = open_table(path, how, **file)
        except OSError as error:
            name = str(path)[:300]  # of a record it may be anything
            raise Refused(f"table must be a file that can be read. Got {name}: {error.strerror}.") from None
        reading = source.reading
        for column in reading.questions:
            raise Refused(to_be_said(column))
        run = run.on(reading.table)
        if "missing" not in given and record is None:
            gaps = any(reading.table.missing[name] for name in (run.target, *run.features))
            run = replace(run, missing="drop" if gaps or not source.whole else "refuse")
        if "every" in self.options and self.record_name is not None:
            sentence = problem_with_listing(every, run.epochs, len(run.parameters))
            if sentence:
                raise Refused(sentence)
        return path, Reader(source, run.features, run.target, run.missing), run

    def _tell(self, run: LargeRun, source: "Source", seen: "Seen") -> None:
        """What is fitted, and what was recognised in the file, as of a table that is held."""
        from gd_core.tables.table import keep

        reading, rows = source.reading, seen.moments.rows
        table = keep(reading.table)
        lines = what_is_fitted(vars(run) | {"table": table.mark, "points": rows})
        if not source.whole:
            gone = f"{counted(seen.dropped, 'row')} {'is' if seen.dropped == 1 else 'are'} left out, for want of a number."
            told = (
                f"What its columns hold was told from {counted(len(reading.rows), 'row')} from all over it."
            )
            lines = [lines[0], *([gone] if seen.dropped else []), told]
        file = sys.stderr if "json" in self.options else sys.stdout
        print(*lines, *said_of(reading), *self._scaled, "", sep="\n", file=file)

    def _document(self, progressed: "Progressed", path: Path) -> dict[str, Any]:
        document = progressed.document(path, self.group.size, self.group.device.type, self.every)
        document["table"] |= self._read_with
        return document

    def _try_record(self, name: Path, table: Path) -> None:
        """Find out before the run whether its record can be kept."""
        try:
            if is_same_file(name, table):
                raise Refused(f"record must be another file than the table. Got {name}.")
            try_whole_file(name)
        except OSError as error:
            raise Refused(
                f"record must be a file that can be written. Got {name}: {error.strerror}."
            ) from None

    def _begun(
        self, run: LargeRun, seen: "Seen", record: Mapping[str, Any] | None
    ) -> tuple["LargeProblem", "Progressed", "Point"]:
        from gd_core.export.script import stride
        from gd_core.large.record import Progressed, point_in
        from gd_core.large.training import first_point, problem_of, usual_rate
        from gd_core.outcome import Outcome
        from gd_core.safe_start import MUST_BE_SCALED, said_scaled, said_too_small

        as_it_is = getattr(self.options, "scale_features", True) is False
        problem = problem_of(run, seen.moments, as_it_is=as_it_is)
        if problem.run.scale_features and not run.scale_features:
            if as_it_is:
                raise Refused(MUST_BE_SCALED)
            plain = problem_of(replace(run, learning_rate=1.0), seen.moments)  # whatever the rate
            rate = usual_rate(run, plain.curvature, plain.start)
            small = said_too_small(rate, "so the features are scaled") if rate < LEARNING_RATE.low else ""
            self._scaled = [small or said_scaled(plain.curvature.condition_number)]
        self.every = every_of(self.options) if "every" in self.options else stride(run.epochs, ROWS)
        listed = 1 if "json" in self.options and "every" not in self.options else self.every
        point = first_point(problem) if record is None else point_in(record, problem, seen)
        if point.epoch > run.epochs:
            raise Refused(
                f"epochs must be between the {point.epoch:,} that are trained and {MAX_UPDATES:,}. Got {run.epochs:,}."
            )
        progressed = Progressed(problem, seen, listed, record)
        if record is not None and record.get("outcome") == Outcome.DIVERGED:
            progressed.diverged_at = int(record.get("outcome_epoch") or point.epoch + 1)
        return problem, progressed, point

    def _train(
        self, progressed: "Progressed", point: "Point", reader: "Reader", path: Path
    ) -> KeyboardInterrupt | None:
        """Train to the end, and record from time to time; what interrupted it, if something did."""
        from gd_core.large.distributed import PeerLost
        from gd_core.large.training import until_it_ends, with_all_rows, with_batches

        problem = progressed.problem
        epochs = problem.run.epochs
        with _Bar("epoch", epochs, self.speaks, point.epoch) as bar:
            if problem.run.batch_size:
                points = with_batches(problem, point, reader, self.group, bar.within)
            else:
                points = with_all_rows(problem, point)
            last = point.epoch if progressed.diverged_at is not None else epochs
            try:
                for found in until_it_ends(points, last, progressed.first_loss):
                    if isinstance(found, int):
                        progressed.diverged_at = found
                        break
                    progressed.add(found)
                    bar.to(found.epoch, found)
                    if progressed.still:
                        break
                    if self.speaks and monotonic() - self._recorded_at > RECORDED_EVERY:
                        self._record(progressed, path)
                    if not problem.run.batch_size:
                        self.group.beat()
                if not problem.run.batch_size:
                    self.group.beat(last=True)
            except (KeyboardInterrupt, PeerLost) as error:
                _deaf_to_signals()
                if progressed.point is None:
                    raise
                if isinstance(error, KeyboardInterrupt) and not (
                    isinstance(error, Ended) and self.group.size > 1
                ):
                    return error
                if self.speaks:
                    self._record(progressed, path)
                raise PeerLost from None
        return None

    def _record(self, progressed: "Progressed", path: Path) -> None:
        """Write the record so far. Where that fails the older one stays, and the next time it is tried again."""
        if self.record_name is None:
            return
        document = self._document(progressed, path)
        try:
            with whole_file(self.record_name) as file:
                file.write(f"{strict_json(document, indent=2)}\n")
            self._failed = None
        except OSError as error:
            self._failed = error
        self._recorded_at = monotonic()

    def _said(self, progressed: "Progressed", interrupted: KeyboardInterrupt | None, path: Path) -> int:
        """Record the end and print the run; the exit status."""
        self._record(progressed, path)
        if "json" in self.options:
            print_json(self._document(progressed, path), progressed.rows(progressed.every))
        else:
            _print_table(progressed)
        if self._failed:
            left = " The older record is whole." if Path(self.record_name or "").is_file() else ""
            print(
                f"record must be a file that can be written. Got {self.record_name}: {self._failed.strerror}.{left}",
                file=sys.stderr,
            )
            return 2
        if interrupted is None:
            return 0
        if self.record_name:
            start = "torchrun … -m" if self.group.size > 1 else "python -m"  # mini-batches depend on how many
            print(f"Go on with: {start} gd_core train --resume {self.record_name}", file=sys.stderr)
        return _status(interrupted)


def _print_table(progressed: "Progressed") -> None:
    from gd_core.large.record import HOW, engine_of
    from gd_core.words import significant

    run, seen = progressed.problem.run, progressed.seen
    names = run.parameters[:COLUMNS]
    heads = with_columns(vars(run) | {"dataset": DATASET}, names)
    scaled = [f"{name} raw" for name in heads if run.scale_features]
    lines = [["epoch", "loss", "RMSE", *heads, *scaled]]
    for row in progressed.rows(progressed.every):
        numbers = [row["loss"], row["rmse"], *(row["parameters"][name] for name in names)]
        numbers += [row["raw_parameters"][name] for name in names if run.scale_features]
        lines.append([str(row["epoch"]), *(significant(number).replace("−", "-") for number in numbers)])
    print(*aligned(lines), sep="\n")
    notes = [f"{counted(seen.moments.rows, 'row')}, {HOW[engine_of(run)]}."]
    if progressed.every > 1:
        notes.append(
            f"One row every {counted(progressed.every, 'epoch')}, and the last; --every 1 shows all."
        )
    if len(run.parameters) > COLUMNS:
        notes.append(f"{counted(len(run.parameters) - COLUMNS, 'more parameter')} are in the record.")
    if seen.filled:
        notes.append(
            f"{counted(seen.filled, 'cell')} took {'its' if seen.filled == 1 else 'their'} column’s mean."
        )
    print("", *notes, "", progressed.verdict(), sep="\n")


class _Bar:
    """How far it is, on a terminal; elsewhere nothing."""

    def __init__(self, label: str, total: float, speaks: bool, first: float = 0) -> None:
        self._bar: Any = None
        self._shown_at = 0.0
        self._epoch = first
        self._point: Point | None = None
        if speaks and sys.stderr.isatty():
            from tqdm import tqdm

            count = "{n:.0f}/{total:.0f}" if label == "epoch" else "{percentage:.0f} %"
            form = f"{label} {count} |{{bar}}| {{elapsed}}, {{remaining}} left{{postfix}}"
            self._bar = tqdm(
                total=total, initial=first, file=sys.stderr, leave=False, bar_format=form, mininterval=0
            )

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def to(self, place: float, point: "Point | None" = None) -> None:
        """Show where the run is, and its RMSE, if it was not shown just now."""
        if point is not None:
            self._epoch, self._point = place, point
        if self._bar is None or monotonic() - self._shown_at < SHOWN_EVERY:
            return
        self._shown_at = monotonic()
        if self._point is not None:
            from gd_core.words import significant

            self._bar.set_postfix_str(f"RMSE {significant(float(self._point.loss) ** 0.5)}", refresh=False)
        self._bar.update(place - self._bar.n)

    def within(self, share: float) -> None:
        """Show how much of an epoch has been read."""
        self.to(self._epoch + share)
