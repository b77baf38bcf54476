"""The rows of a CSV file in pieces. A shard is every process's equal part of the bytes, cut between two lines.

What a separator, a decimal comma or a header is, is recognised as in `reading`, by the beginning of the file.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from pyarrow import compute
from pyarrow import csv as pa_csv

from gd_core.tables.chunks import MOST_COLUMNS, PLACES, AsDecided, Piece, Shard, without_numbers
from gd_core.tables.decoding import TableError
from gd_core.tables.reading import OPEN_QUOTE, Finding, laid_out, read, what_is_wrong
from gd_core.words import counted

HEAD = 2**20  # bytes that are looked at before anything is read
ELSEWHERE = 2**17  # bytes that are looked at in each other place
BLOCK = 2**22  # bytes that are parsed at once; a row must be shorter
pc: Any = compute


class CsvRows:
    """A CSV file, in UTF-8 or an alphabet of a byte or two."""

    whole = False

    def __init__(self, path: Path, how: Mapping[str, str] | None = None, encoding: str = "") -> None:
        """Look at its beginning, and at rows from all over it.

        Args:
            path: It.
            how: What a column is to be read as, by its name: one of `columns.HOWS`.
            encoding: Where it is not UTF-8, one of `decoding.ENCODINGS`.

        Raises:
            TableError: If it is no table of text.
        """
        self._path = path
        self._end = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD)
        if len(head) == HEAD:
            head = head[: head.rfind(b"\n") + 1]
            if not head:
                raise TableError(f"The first row must be shorter than {HEAD:,} bytes. Save the table as CSV.")
        if b"\0" in head:
            raise TableError("The file is UTF-16 or not text. Save the table as CSV in UTF-8.")
        laid = laid_out(head, encoding, MOST_COLUMNS)
        if laid.separator == " ":
            raise TableError(
                "Of a table of this size one character must separate the columns, and not blanks: save it as CSV."
            )
        self._encoding = laid.encoding or "utf8"
        self._separator = laid.separator
        self._width = laid.width
        try:
            sample = head + self._elsewhere(len(head))
            found = read(sample, how, encoding=laid.encoding, most=MOST_COLUMNS)
        except TableError:  # a place may lie within quotation marks
            found = read(head, how, encoding=laid.encoding, most=MOST_COLUMNS)
        notes = tuple(note for note in found.notes if "blank row" not in note)  # they are not all
        self.reading = without_numbers(replace(found, notes=notes))
        self._decided = AsDecided(self.reading)
        lines = csv.reader(io.StringIO(laid.text), delimiter=self._separator)
        next(lines)
        header = lines.line_num if found.rows[0] > laid.above + 1 else 0  # else the first row is data
        blank = head[: len(head) - len(head.removeprefix(b"\xef\xbb\xbf").lstrip())].count(b"\n")
        self._lines_before = blank + laid.above + header
        self._start = sum(map(len, head.splitlines(keepends=True)[: self._lines_before]))

    def _elsewhere(self, start: int) -> bytes:
        """Whole lines from some places after a byte."""
        parts = []
        with self._path.open("rb") as file:
            for place in range(1, PLACES):
                file.seek(max(start, self._end * place // PLACES) - 1)
                file.readline(HEAD)
                part = file.read(ELSEWHERE)
                parts.append(part if file.tell() >= self._end else part[: part.rfind(b"\n") + 1])
                start = file.tell()
        return b"".join(parts)

    def pieces(self, columns: Sequence[str], shard: Shard) -> Iterator[Piece]:
        """The columns of a shard's rows. Rows with nothing in any of the columns are blank: they are passed over."""
        with self._path.open("rb") as file:
            first, last = (self._cut(file, index, shard.of) for index in (shard.part, shard.part + 1))
        if first >= last:
            return
        invalid: list[pa_csv.InvalidRow] = []

        def pass_over(row: pa_csv.InvalidRow) -> str:
            invalid.append(row)
            return "skip"

        fields = [f"f{place}" for place in range(self._width)]
        wanted = list(dict.fromkeys(fields[place] for place in self._decided.places(columns)))
        passed: list[int] = []  # the rows left out, as the parser counts rows: from 1, with those
        count, size = 0, last - first
        with self._path.open("rb") as file:
            part = _Part(file, first, size)
            try:
                batches = pa_csv.open_csv(
                    pa.PythonFile(part, mode="r"),
                    pa_csv.ReadOptions(
                        use_threads=False,
                        block_size=BLOCK,
                        column_names=fields,
                        encoding=self._encoding,
                    ),
                    pa_csv.ParseOptions(
                        delimiter=self._separator,
                        newlines_in_values=shard.of == 1,  # a shard could begin within such a cell
                        ignore_empty_lines=False,
                        invalid_row_handler=pass_over,
                    ),
                    pa_csv.ConvertOptions(
                        column_types=dict.fromkeys(fields, pa.string()),
                        include_columns=wanted,
                        strings_can_be_null=False,
                    ),
                )
                for batch in batches:
                    passed += [row.number for row in invalid]
                    ragged = [
                        Finding(self._line(first, row.number), "", self._cells(row.actual_columns))
                        for row in invalid[: len(batch) + 1]
                        if row.text.strip()
                    ]
                    if len(ragged) > len(batch):
                        raise TableError(
                            f"Most rows have another number of cells than the first: {ragged[0]}. "
                            "Delete the lines above the header, or check the separator."
                        )
                    invalid.clear()
                    where = partial(self._row, first, count, passed)
                    yield self._piece(batch, columns, where, ragged, part.share)
                    count += len(batch)
            except (pa.ArrowInvalid, UnicodeDecodeError) as error:
                if "UTF8" in str(error) or isinstance(error, UnicodeDecodeError):
                    message = (
                        "The file begins as UTF-8 and does not go on so. Save the table as CSV in UTF-8."
                    )
                    raise TableError(message) from None
                raise TableError(OPEN_QUOTE) from None

    def _cut(self, file: BinaryIO, index: int, of: int) -> int:
        """Where a shard begins: at the first line that begins at or after its equal part of the bytes."""
        if index in (0, of):
            return self._end if index else self._start
        file.seek(self._start + (self._end - self._start) * index // of - 1)
        file.readline()
        return file.tell()

    def _piece(
        self,
        batch: pa.RecordBatch,
        columns: Sequence[str],
        where: Callable[[int], int],
        ragged: Sequence[Finding],
        share: float,
    ) -> Piece:
        places = self._decided.places(columns)

        trimmed = {place: pc.utf8_trim_whitespace(batch[f"f{place}"]) for place in places}
        blank = np.ones(len(batch), dtype=bool)
        for place in places:
            if not blank.any():
                break
            blank &= np.asarray(pc.equal(trimmed[place], ""))
        kept = np.flatnonzero(~blank)
        numbers = self._decided.numbers(columns, trimmed.__getitem__, where)

        def finding(i: int, column: int) -> Finding:
            own = self.reading.table.own_name(columns[column])
            row = int(kept[i])
            return Finding(where(row), own, what_is_wrong(trimmed[places[column]][row].as_py()))

        return Piece(numbers[kept] if len(kept) < len(numbers) else numbers, finding, ragged, share)

    def _cells(self, cells: int) -> str:
        return f" has {counted(cells, 'cell')} instead of {self._width}"

    def _row(self, first: int, count: int, passed: Sequence[int], i: int) -> int:
        """The number of a batch's i-th row, after `count` rows of the shard; rows that were left out count too."""
        number = count + i + 1
        for left_out in passed:
            number += left_out <= number
        return self._line(first, number)

    def _line(self, first: int, number: int) -> int:
        """The number in the file of a row of the shard that begins at a byte. The header is row 1."""
        before = self._lines_before
        with self._path.open("rb") as file:
            file.seek(self._start)
            while (left := first - file.tell()) > 0:
                before += file.read(min(left, BLOCK)).count(b"\n")
        return before + number


class _Part(io.RawIOBase):
    """Some bytes of a file, as a file."""

    def __init__(self, file: BinaryIO, first: int, size: int) -> None:
        self._file, self._size, self._left = file, size, size
        file.seek(first)

    @property
    def share(self) -> float:
        """How much has been read, 0 to 1."""
        return 1 - self._left / self._size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data
