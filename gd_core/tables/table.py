"""A table of one's own as a value: named columns of float64, told from every other by its fingerprint.

A small table travels in a link as text, a large one as its fingerprint only: then the rows are found among the
tables that whoever asks holds in this process, see `holder`. Shapes: N rows, C columns.
"""

import base64
import csv
import hashlib
import io
import math
import re
import unicodedata
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import numpy as np

from gd_core.tables import holder
from gd_core.tables.example_tables import EXAMPLE_TABLES, FOLDER

MAX_ROWS = 1_000_000
MAX_COLUMNS = 100
MAX_NAME = 60  # characters of a column's name
MAX_SAID = 400  # characters of how a column was read
LARGEST, SMALLEST = 1e30, 1e-30  # of a number's size: beyond, powers and squares leave the range of float64
MAX_IN_LINK = 2000  # characters
PACKED, FINGERPRINT = "z.", "sha256:"
SHOWN_DIGITS = 16  # of a fingerprint, 64 bits
WRITTEN_CELLS, WRITTEN_LENGTH = 20_000, 100_000  # no larger table is even tried to be written into a link


# What is set aside is not worth predicting from, nor being predicted: a row number, and what is the same in every row.
KINDS = ("numbers", "words", "dates", "set aside")


class ReadAs(NamedTuple):
    """What a column of the file became that did not hold plain numbers alone.

    Attributes:
        name: Its own name, by which it may be asked for.
        said: How it was read, in a few words: "No = 0, Yes = 1".
        columns: The table's columns that it became; none if it was left out.
        kind: What it was, one of `KINDS`.
    """

    name: str
    said: str
    columns: tuple[str, ...]
    kind: str = "numbers"


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of numbers.

    Attributes:
        names: C different names, each as `clean_name` leaves it.
        columns: C columns, each [N], float64; NaN where a cell holds no number.
        read_as: What else the file's columns were than plain numbers. Two tables with the same numbers are the same.
        source: The file and what was said of its reading, as a record has it; None of a table that is not from a file here.
    """

    names: tuple[str, ...]
    columns: tuple[np.ndarray, ...]
    read_as: tuple[ReadAs, ...] = ()
    source: Mapping[str, Any] | None = None

    @classmethod
    def of(
        cls,
        columns: Mapping[str, Sequence[float] | np.ndarray],
        read_as: Sequence[ReadAs] = (),
        most: int = MAX_COLUMNS,
    ) -> "Table":
        """A table from at most so many columns by name.

        Raises:
            ValueError: In one sentence, if names, sizes or numbers break the rules.
        """
        arrays = tuple(np.array(column, dtype=np.float64) for column in columns.values())
        if not 2 <= len(arrays) <= most:
            raise ValueError(f"A table must have 2 to {most} columns. Got {len(arrays)}.")
        sizes = {len(array) for array in arrays}
        if len(sizes) > 1 or not 2 <= min(sizes) <= MAX_ROWS:
            raise ValueError(f"A table must have 2 to {MAX_ROWS:,} rows, in every column as many.")
        if any(name != clean_name(name) or not name for name in columns):
            raise ValueError(f"A column's name must be 1 to {MAX_NAME} characters that can be seen.")
        for array in arrays:
            size = np.abs(array)
            if ((size > LARGEST) | ((size < SMALLEST) & (size > 0))).any():
                raise ValueError(f"A number's size must be between {SMALLEST} and {LARGEST}, or 0.")
            array[np.isnan(array)] = np.nan  # one kind only, or equal tables would have two fingerprints
            array.setflags(write=False)
        if any(not set(one.columns) <= set(columns) for one in read_as):
            raise ValueError("What a column was read as must be columns of the table.")
        return cls(tuple(columns), arrays, tuple(read_as))

    @property
    def rows(self) -> int:
        """N."""
        return len(self.columns[0])

    def __getitem__(self, name: str) -> np.ndarray:
        """A column by its name, [N]."""
        return self.columns[self.names.index(name)]

    def under(self, name: str) -> tuple[str, ...]:
        """The columns that a name stands for: one, or those that a column of words or dates with it became."""
        if name in self.names:
            return (name,)
        return next((one.columns for one in self.read_as if one.name == name), ())

    def own_name(self, column: str) -> str:
        """The name of the file's column that a column came from."""
        return next((one.name for one in self.read_as if column in one.columns), column)

    def said_of(self, name: str) -> str:
        """How the column with this name of its own was read, in a few words; "" if it held plain numbers, or is not here."""
        return next((one.said for one in self.read_as if one.name == name), "")

    def kind_of(self, column: str) -> str:
        """What the file's column was that a column came from: one of `KINDS`."""
        return next((one.kind for one in self.read_as if column in one.columns), "numbers")

    @cached_property
    def offered(self) -> tuple[str, ...]:
        """Columns worth predicting from, or being predicted: no row numbers, nor what never changes."""
        hidden = {name for one in self.read_as if one.kind == "set aside" for name in one.columns}
        return tuple(name for name in self.names if name not in hidden) or self.names

    @cached_property
    def missing(self) -> Mapping[str, int]:
        """How many cells of each column hold no number."""
        return {
            name: int(np.isnan(column).sum()) for name, column in zip(self.names, self.columns, strict=True)
        }

    def largest(self, name: str) -> float:
        """The size of a column's largest number, whatever its sign."""
        return float(np.nanmax(np.abs(self[name])))

    def numbers(self, name: str, *, beside: str) -> int:
        """In how many rows a column and the one beside it both hold a number."""
        return int((~np.isnan(self[name]) & ~np.isnan(self[beside])).sum())

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of names and numbers, in hexadecimal: the same for the same content, however the file was written."""
        digest = hashlib.sha256(repr((self.names, self.rows)).encode())
        for column in self.columns:
            digest.update(column.astype("<f8").tobytes())
        return digest.hexdigest()

    @cached_property
    def key(self) -> str:
        """What an `Experiment` says: the whole table as text if it fits in a link, or else its fingerprint."""
        return _packed(self) or self.mark

    @property
    def mark(self) -> str:
        """What an `Experiment` says of a table that is not to be in its link, or is too large: by this it is found here."""
        return FINGERPRINT + self.fingerprint[:SHOWN_DIGITS]

    @property
    def travels(self) -> bool:
        """Whether a link holds the whole table."""
        return self.key.startswith(PACKED)


class Used(NamedTuple):
    """The rows that are fitted.

    Attributes:
        x: Features, [N, D].
        y: Target, [N].
        dropped: Rows that were left out.
        filled: Cells of features that took their column's mean.
    """

    x: np.ndarray
    y: np.ndarray
    dropped: int
    filled: int


def used(
    table: Table,
    target: str,
    features: Sequence[str],
    missing: str,
    training: Sequence[int] | np.ndarray | None = None,
) -> Used:
    """Rows and columns as chosen.

    Args:
        table: The table.
        target: Name of the column that is predicted.
        features: Names of the columns it is predicted from.
        missing: What becomes of rows in which a number is missing. "drop" leaves them out. "mean" fills a feature with
            the mean of its column; a row without a target is left out, because there is nothing to compare with.
        training: If rows are held out: the numbers of the others among the rows that are used. The mean is then theirs
            alone, or the rows that judge the fit would have had a hand in it.
    """
    y = table[target]
    x = np.column_stack([table[name] for name in features])
    gaps = np.isnan(x)
    keep = ~np.isnan(y)
    if missing == "mean":
        filled = int(gaps[keep].sum())
        if filled:
            known = x if training is None else x[np.flatnonzero(keep)[training]]
            x = np.where(gaps, np.array([np.nanmean(column) for column in known.T]), x)
    else:
        filled = 0
        keep &= ~gaps.any(1)
    dropped = int((~keep).sum())
    return Used(x[keep], y[keep], dropped, filled) if dropped else Used(x, y, 0, filled)


def count_used(table: Table, target: str, features: Sequence[str], missing: str) -> int:
    """How many rows `used` has."""
    columns = (target,) if missing == "mean" else (target, *features)
    if not any(table.missing[name] for name in columns):
        return table.rows
    gaps = np.zeros(table.rows, dtype=bool)
    for name in columns:
        gaps |= np.isnan(table[name])
    return table.rows - int(gaps.sum())


def clean_name(text: str) -> str:
    """A column's name as one line of at most 60 characters, without characters that steer the writing of others."""
    kept = "".join(
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c
        for c in text[:1000]
        if not (unicodedata.bidirectional(c) in _STEERING or unicodedata.category(c) in ("Cs", "Cn"))
    )
    line = " ".join(kept.split())
    return line if len(line) <= MAX_NAME else line[: MAX_NAME - 1] + "…"


_STEERING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


# ------------------------------------------------------------------------------------------------------- finding

_here: WeakValueDictionary[tuple[str, str], Table] = WeakValueDictionary()  # by who holds it, and key


def keep(table: Table) -> Table:
    """Have whoever asks now find a table, and nobody else, for as long as what is returned is held: the same content once."""
    who = holder.who()
    here = _here.setdefault((who, table.mark), table)
    # The same numbers, from another file or in other words.
    if (here.read_as, here.source) != (table.read_as, table.source):
        _here[who, table.mark] = here = table
    # who holds it knows more of it than its link does: the columns that were left out
    _here[who, here.key] = here
    return here


def find(key: str) -> Table:
    """The table that an `Experiment` names: an example, one that is written out in the key, or one that is held.

    Raises:
        LookupError: If it is a fingerprint, and whoever asks does not hold the table.
        ValueError: If it is none of the three.
    """
    if key in EXAMPLE_TABLES:
        return _example(key)
    if key.startswith(PACKED) and len(key) <= MAX_IN_LINK:
        table = _here.get((holder.who(), key)) or _unpacked(key)
        if table is None:
            raise ValueError("no table that this app has written")
        return table
    if re.fullmatch(f"{FINGERPRINT}[0-9a-f]{{{SHOWN_DIGITS}}}", key):
        table = _here.get((holder.who(), key))
        if table is None:
            raise LookupError(key)
        return table
    raise ValueError("neither an example nor a table nor a fingerprint")


@lru_cache(len(EXAMPLE_TABLES))
def _example(name: str) -> Table:
    return _from_csv((FOLDER / f"{name}.csv").read_text(encoding="utf-8"))


def _packed(table: Table) -> str | None:
    """A table as CSV, deflated, in base64 of the alphabet for addresses; None if that is too long."""
    if table.rows * len(table.names) > WRITTEN_CELLS:
        return None
    rows = to_csv(table)
    for text in (rows + _notes_of(table), rows):  # what can be said with it goes along if there is room
        if len(text) <= WRITTEN_LENGTH and (key := _deflated(text)):
            return key
    return None


def _deflated(text: str) -> str | None:
    deflate = zlib.compressobj(9, wbits=-15)
    data = deflate.compress(text.encode()) + deflate.flush()
    key = PACKED + base64.urlsafe_b64encode(data).decode().rstrip("=")
    return key if len(key) <= MAX_IN_LINK else None


@lru_cache(32)  # of at most 4 × WRITTEN_LENGTH characters each, in which 1.6 MB of numbers have room
def _unpacked(key: str) -> Table | None:
    """The inverse of `_packed`; None, which is kept as well, for what it does not write: no visitor waits twice for that."""
    data = key.removeprefix(PACKED)
    try:
        inflate = zlib.decompressobj(wbits=-15)
        text = inflate.decompress(
            base64.b64decode(data + "=" * (-len(data) % 4), altchars=b"-_", validate=True), 4 * WRITTEN_LENGTH
        ).decode()  # a link of 2,000 characters could hold millions
        return _from_csv(text) if inflate.eof and len(text) <= WRITTEN_LENGTH else None
    except (ValueError, zlib.error):
        return None


def to_csv(table: Table) -> str:
    """Every number in the fewest digits that give exactly it back; nothing where there is none."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.names)
    writer.writerows(
        zip(*([_digits(number) for number in column.tolist()] for column in table.columns), strict=True)
    )
    return file.getvalue()


def _notes_of(table: Table) -> str:
    """An empty line, and a row for each column that held more than plain numbers: its name, its kind, how, and what of it."""
    kept = [one for one in table.read_as if one.columns]
    if not kept:
        return ""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows((one.name, one.kind, one.said, *one.columns) for one in kept)
    return f"\n{file.getvalue()}"


def _digits(number: float) -> str:
    return "" if math.isnan(number) else repr(number).removesuffix(".0")


def _from_csv(text: str) -> Table:
    """The inverse of `to_csv` and `_notes_of`; anything else is refused.

    Raises:
        ValueError: If it is anything else.
    """
    try:
        names, *rows = _few_cells(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from None
    if len(set(names)) < len(names):
        raise ValueError("names twice")
    notes: list[list[str]] = []
    if [] in rows:
        rows, notes = rows[: rows.index([])], rows[rows.index([]) + 1 :]
    if sum(max(1, len(note) - 3) for note in notes) > MAX_COLUMNS:
        raise ValueError("more said of columns than there can be")
    numbers = [[float(cell or "nan") for cell in row] for row in rows]
    if any(len(row) != len(names) for row in rows):
        raise ValueError("rows of different lengths")
    table = Table.of(
        dict(zip(names, zip(*numbers, strict=True), strict=True)), [_read_as(note) for note in notes]
    )
    if any(count == table.rows for count in table.missing.values()):
        raise ValueError("a column without a number")
    return table


def _few_cells(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """Rows for as long as they are no more than a link is written with: names and notes name each column once or twice."""
    cells, most = 0, WRITTEN_CELLS + 10 * MAX_COLUMNS
    for row in rows:
        cells += len(row) or 1
        if cells > most:
            raise ValueError("more cells than are written into a link")
        yield row


def _read_as(note: Sequence[str]) -> ReadAs:
    if len(note) < 4 or note[1] not in KINDS or note[0] != clean_name(note[0]) or len(note[2]) > MAX_SAID:
        raise ValueError("a note that is none")
    return ReadAs(note[0], " ".join(note[2].split()), tuple(note[3:]), note[1])
