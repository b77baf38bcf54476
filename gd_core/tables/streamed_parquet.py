"""The rows of a Parquet file in pieces. A shard is every process's equal part of the rows.

Row 1 is the first row: there is no header. What lies in one row group is decompressed by every process that needs a
part of it, so a file for many processes should have at least as many groups.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute, parquet

from gd_core.tables.chunks import MOST_COLUMNS, PLACES, AsDecided, Piece, Shard, without_numbers
from gd_core.tables.columns import NUMBERS
from gd_core.tables.decoding import TableError
from gd_core.tables.files import Cells, as_text
from gd_core.tables.reading import Finding, of_cells, what_is_wrong

LOOKED_AT = 2000  # rows at each place, to tell what a column of words or dates holds
CELLS_LOOKED_AT = 2_000_000  # of them in all
CELLS_AT_ONCE = 2**20
BUFFER = 2**20  # bytes of a column read at once, however large its row group is
types: Any = pa.types  # its functions are made when it is imported, so no checker knows them
pc: Any = compute


class ParquetRows:
    """A Parquet file."""

    whole = False

    def __init__(self, path: Path, how: Mapping[str, str] | None = None) -> None:
        """Read what stands at its end, and rows from all over it.

        Args:
            path: It.
            how: What a column is to be read as, by its name: one of `columns.HOWS`.

        Raises:
            TableError: If that is not there, or no table.
        """
        self._path = path
        try:
            with self._open() as file:
                self._rows = file.metadata.num_rows
                schema = file.schema_arrow
        except pa.ArrowInvalid:
            raise TableError(
                f"table must be a whole Parquet file. Got {path.name}, whose end is missing or damaged: copy it again."
            ) from None
        self._names = [name for name in schema.names if schema.names.count(name) == 1]
        self._types = [schema.field(name).type for name in self._names]
        if self._rows < 2:
            raise TableError(f"table must have at least 2 rows to fit. Got {self._rows}.")
        self.reading = without_numbers(of_cells(Cells(self._sample(), []), how or {}, MOST_COLUMNS))
        self._decided = AsDecided(self.reading)

    def _sample(self) -> list[pa.StringArray]:
        """Some rows from all over the file, as text under the columns' names."""
        wanted = max(1, min(LOOKED_AT, CELLS_LOOKED_AT // PLACES // max(1, len(self._names))))
        batches = []
        with self._open() as file:
            groups = file.metadata.num_row_groups
            at = sorted({groups * i // PLACES for i in range(PLACES)})
            size = wanted * PLACES // len(at)
            for group in at:
                rows = file.iter_batches(size, row_groups=[group], columns=self._names, use_threads=False)
                try:
                    batches += [batch for _, batch in zip(range(1), rows, strict=False)]
                except (OSError, pa.ArrowException):
                    raise self._unreadable(
                        sum(file.metadata.row_group(i).num_rows for i in range(group))
                    ) from None
        table = pa.Table.from_batches(batches)
        return [as_text(name, table[name]) for name in self._names]

    def _unreadable(self, row: int) -> TableError:
        return TableError(
            f"table must be a whole Parquet file. Got {self._path.name}, in which nothing can be read after row {row:,}."
        )

    def _open(self) -> parquet.ParquetFile:
        return parquet.ParquetFile(self._path, buffer_size=BUFFER)

    def pieces(self, columns: Sequence[str], shard: Shard) -> Iterator[Piece]:
        """The columns of a shard's rows."""
        first = self._rows * shard.part // shard.of
        last = self._rows * (shard.part + 1) // shard.of
        if first == last:
            return
        at_once = max(1, min(65_536, CELLS_AT_ONCE // len(columns)))
        with self._open() as file:
            groups, start = _groups_within(file.metadata, first, last)
            wanted = list(dict.fromkeys(self._names[place] for place in self._decided.places(columns)))
            batches = file.iter_batches(at_once, row_groups=groups, columns=wanted, use_threads=False)
            while start < last:
                try:
                    batch = next(batches)
                except (OSError, pa.ArrowException, StopIteration):
                    raise self._unreadable(start) from None
                begin, end = max(first, start), min(last, start + len(batch))
                if begin < end:
                    here = batch.slice(begin - start, end - begin)
                    yield self._piece(here, columns, begin + 1, (end - first) / (last - first))
                start += len(batch)

    def _piece(self, batch: pa.RecordBatch, columns: Sequence[str], row: int, share: float) -> Piece:
        names = [self._names[place] for place in self._decided.places(columns)]

        def cells(place: int) -> pa.StringArray:
            return pc.utf8_trim_whitespace(as_text("", pa.chunked_array([batch[self._names[place]]]))[1:])

        def finding(i: int, column: int) -> Finding:
            cell = batch[names[column]][i].as_py()
            own = self.reading.table.own_name(columns[column])
            return Finding(row + i, own, what_is_wrong("" if cell is None else str(cell)))

        made = self._decided.numbers
        as_they_are = [self._is_number(name) for name in columns]
        text = [name for name, plain in zip(columns, as_they_are, strict=True) if not plain]
        from_text = iter(made(text, cells, partial(int.__add__, row)).T if text else ())
        parts = [
            _numbers(batch[name]) if plain else next(from_text)
            for name, plain in zip(names, as_they_are, strict=True)
        ]
        return Piece(np.column_stack(parts), finding, (), share)

    def _is_number(self, column: str) -> bool:
        """Whether a column of the table is one of the file's, of numbers, with every number as it is."""
        (place,) = self._decided.places([column])
        kind = self._types[place]
        plain = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
        return plain and self.reading.columns[place].how == NUMBERS


def _groups_within(metadata: parquet.FileMetaData, first: int, last: int) -> tuple[list[int], int]:
    """The row groups in which rows first … last − 1 stand, and the first row of the first of them."""
    groups, start, row = [], 0, 0
    for group in range(metadata.num_row_groups):
        end = row + metadata.row_group(group).num_rows
        if row < last and end > first:
            start = start if groups else row
            groups.append(group)
        row = end
    return groups, start


def _numbers(column: Any) -> np.ndarray:
    """A column of numbers as float64, [n]; NaN where it holds none."""
    numbers = np.array(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    numbers[np.isinf(numbers)] = np.nan
    return numbers
