"""The rows of a CSV file in pieces. A shard is every process's equal part of the bytes, cut between two lines.

What a separator, a decimal comma or a header is, is recognised as in `reading`, by the beginning of the file.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from pyarrow import compute
from pyarrow import csv as pa_csv

from gd_core.tables.chunks import Piece, Shard
from gd_core.tables.columns import NUMBERS, column_of
from gd_core.tables.decoding import TableError, text_of
from gd_core.tables.numerals import has_decimal_commas, numerals, quick_numbers
from gd_core.tables.reading import OPEN_QUOTE, Finding, names_of, separator_of
from gd_core.words import counted

HEAD = 2**20  # bytes that are looked at before anything is read
BLOCK = 2**22  # bytes that are parsed at once; a row must be shorter
SAMPLE = 200  # rows by which decimal commas are recognised
pc: Any = compute


class CsvRows:
    """A CSV file, in UTF-8 or Latin-1."""

    def __init__(self, path: Path) -> None:
        """Look at its beginning.

        Raises:
            TableError: If it is no table of text.
        """
        self.notes: list[str] = []
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
        text = text_of(head, self.notes)
        self._encoding = "latin1" if any("Latin-1" in note for note in self.notes) else "utf8"
        self._separator = separator_of(text)
        lines = csv.reader(io.StringIO(text), delimiter=self._separator)
        top = next(lines)
        header = lines.line_num
        rows = [row for row in islice(lines, SAMPLE) if len(row) == len(top)]
        names = names_of([pa.array([cell.strip()]) for cell in top], self.notes)
        if names is None:  # the first row holds numbers
            names, header = [f"column {i + 1}" for i in range(len(top))], 0
        self.names = tuple(names)
        sample = [pa.array([cell.strip() for cell in column]) for column in zip(*rows, strict=True)]
        self._comma = has_decimal_commas(sample, self._separator)
        looks = [column_of(name, cells, self._comma) for name, cells in zip(names, sample, strict=False)]
        self.usable = tuple(one.name for one in looks if one.how == NUMBERS and one.offered) or self.names
        self.notes += [one.question for one in looks if one.question and one.how == NUMBERS]
        blank = head[: len(head) - len(head.removeprefix(b"\xef\xbb\xbf").lstrip())].count(b"\n")
        self._lines_before = blank + header
        self._start = sum(map(len, head.splitlines(keepends=True)[: self._lines_before]))

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

        fields = {name: f"f{place}" for place, name in enumerate(self.names)}
        wanted = [fields[name] for name in columns]
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
                        column_names=list(fields.values()),
                        encoding=self._encoding,
                    ),
                    pa_csv.ParseOptions(
                        delimiter=self._separator,
                        newlines_in_values=shard.of == 1,  # a shard could begin within such a cell
                        ignore_empty_lines=False,
                        invalid_row_handler=pass_over,
                    ),
                    pa_csv.ConvertOptions(
                        column_types=dict.fromkeys(fields.values(), pa.string()),
                        include_columns=wanted,
                        strings_can_be_null=False,
                    ),
                )
                for batch in batches:
                    passed += [row.number for row in invalid]
                    ragged = [
                        Finding(self._line(first, row.number), "", self._width(row.actual_columns))
                        for row in invalid[: len(batch) + 1]
                        if row.text.strip()
                    ]
                    if len(ragged) > len(batch):
                        raise TableError(
                            f"Most rows have another number of cells than the first: {ragged[0]}. "
                            "Delete the lines above the header, or check the separator."
                        )
                    invalid.clear()
                    cells = [batch[name] for name in wanted]
                    where = partial(self._row, first, count, passed)
                    yield self._piece(cells, where, ragged, part.share)
                    count += len(batch)
            except pa.ArrowInvalid as error:
                if "UTF8" in str(error):
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
        self, cells: list[Any], where: Callable[[int], int], ragged: Sequence[Finding], share: float
    ) -> Piece:
        blank = np.asarray(pc.equal(cells[0], ""))
        for column in cells[1:]:
            if not blank.any():
                break
            blank &= np.asarray(pc.equal(column, ""))
        kept = np.flatnonzero(~blank)
        numbers = np.column_stack([self._numbers(column) for column in cells])
        return Piece(
            numbers=numbers[kept] if len(kept) < len(numbers) else numbers,
            row=lambda i: where(int(kept[i])),
            cell=lambda i, column: cells[column][int(kept[i])].as_py().strip(),
            ragged=ragged,
            share=share,
        )

    def _numbers(self, column: Any) -> np.ndarray:
        quick = None if self._comma else quick_numbers(column)
        return numerals(pc.utf8_trim_whitespace(column), self._comma).values if quick is None else quick

    def _width(self, cells: int) -> str:
        return f" has {counted(cells, 'cell')} instead of {len(self.names)}"

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
