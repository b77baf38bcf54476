"""The rows of a Parquet file in pieces. A shard is every process's equal part of the rows.

Row 1 is the first row: there is no header. What lies in one row group is decompressed by every process that needs a
part of it, so a file for many processes should have at least as many groups.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from gd_core.tables.chunks import Piece, Shard
from gd_core.tables.decoding import TableError
from gd_core.tables.numerals import careful_numbers, quick_numbers
from gd_core.tables.table import clean_name

CELLS_AT_ONCE = 2**20
BUFFER = 2**20  # bytes of a column read at once, however large its row group is
types: Any = pa.types  # its functions are made when it is imported, so no checker knows them


class ParquetRows:
    """A Parquet file."""

    def __init__(self, path: Path) -> None:
        """Read what stands at its end.

        Raises:
            TableError: If that is not there.
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
        # a name as it is shown ↦ as the file has it
        self._columns = {clean_name(name): name for name in schema.names if schema.names.count(name) == 1}
        self._types = {name: schema.field(kept).type for name, kept in self._columns.items()}
        self.names = tuple(self._columns)
        are_numbers = (
            name for name, kind in self._types.items() if _can_be_numbers(kind) and not _is_text(kind)
        )
        self.usable = tuple(are_numbers) or self.names
        self.notes: list[str] = []

    def _open(self) -> parquet.ParquetFile:
        return parquet.ParquetFile(self._path, buffer_size=BUFFER)

    def pieces(self, columns: Sequence[str], shard: Shard) -> Iterator[Piece]:
        """The columns of a shard's rows."""
        for name in columns:
            if not _can_be_numbers(self._types[name]):
                raise TableError(f"A column must hold numbers. Got {name}, which holds {self._types[name]}.")
        first = self._rows * shard.part // shard.of
        last = self._rows * (shard.part + 1) // shard.of
        if first == last:
            return
        at_once = max(1, min(65_536, CELLS_AT_ONCE // len(columns)))
        with self._open() as file:
            groups, start = _groups_within(file.metadata, first, last)
            wanted = [self._columns[name] for name in columns]
            batches = file.iter_batches(at_once, row_groups=groups, columns=wanted, use_threads=False)
            while start < last:
                try:
                    batch = next(batches)
                except (OSError, pa.ArrowException, StopIteration):
                    raise TableError(
                        f"table must be a whole Parquet file. Got {self._path.name}, in which nothing can be read "
                        f"after row {start:,}."
                    ) from None
                begin, end = max(first, start), min(last, start + len(batch))
                if begin < end:
                    here = batch.slice(begin - start, end - begin)
                    yield _piece([here[name] for name in wanted], begin + 1, (end - first) / (last - first))
                start += len(batch)


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


def _piece(cells: list[Any], row: int, share: float) -> Piece:
    return Piece(
        numbers=np.column_stack([_numbers(column) for column in cells]),
        row=lambda i: row + i,
        cell=lambda i, column: "" if cells[column][i].as_py() is None else str(cells[column][i].as_py()),
        ragged=(),
        share=share,
    )


def _can_be_numbers(kind: pa.DataType) -> bool:
    if types.is_dictionary(kind):
        return _can_be_numbers(kind.value_type)
    tests = (
        types.is_integer, types.is_floating, types.is_decimal, types.is_boolean, types.is_null, types.is_string,
        types.is_large_string, types.is_string_view,
    )  # fmt: skip
    return any(test(kind) for test in tests)


def _is_text(kind: pa.DataType) -> bool:
    if types.is_dictionary(kind):
        return _is_text(kind.value_type)
    return types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)


def _numbers(column: Any) -> np.ndarray:
    """A column as float64, [n]; NaN where it holds no number."""
    kind = column.type
    if types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if _is_text(kind):
        text = column.cast(pa.string()).fill_null("")
        quick = quick_numbers(text)
        return careful_numbers(text, comma=False) if quick is None else quick
    if types.is_boolean(kind):
        column = column.cast(pa.int8())
    numbers = np.array(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    numbers[np.isinf(numbers)] = np.nan
    return numbers
