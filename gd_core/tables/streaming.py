"""The rows of a large file, one piece after another, so that a table need not fit into memory.

A file is shared out among processes in shards of neighbouring rows: each reads its own and never the whole.
Shapes: n rows of a piece, C columns that are used, D of them features.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gd_core.tables.chunks import Piece, Shard, Source, without_extremes
from gd_core.tables.decoding import MAX_BYTES, TableError, TooLargeError
from gd_core.tables.files import GZIP, WORKBOOKS
from gd_core.tables.reading import Finding, Reading, read

PARQUET = b"PAR1"
HELD = MAX_BYTES  # of a file up to which it is read at once, as on a page
ROWS_AT_ONCE = 2**16


class Chunk(NamedTuple):
    """Rows to train on.

    Attributes:
        x: Features, [n, D].
        y: Target, [n].
        dropped: Rows that were left out.
        filled: Cells of features that took their column's mean.
        share: How much of the shard has been read, 0 to 1.
    """

    x: np.ndarray
    y: np.ndarray
    dropped: int
    filled: int
    share: float


def open_table(
    path: Path, how: Mapping[str, str] | None = None, *, sheet: str = "", encoding: str = ""
) -> Source:
    """A file. What a page can take is read as it does, whatever it is; a larger CSV or Parquet file in pieces.

    Args:
        path: It.
        how: What a column is to be read as, by its name: one of `columns.HOWS`.
        sheet: Of a workbook the one to read.
        encoding: Of text that is not UTF-8, one of `decoding.ENCODINGS`.

    Raises:
        TableError: If there is no table in it, in a sentence.
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(len(PARQUET))
        parquet = head == PARQUET or path.suffix == ".parquet"
        if path.stat().st_size <= HELD:
            try:
                return Held(read(head + file.read(HELD), how, sheet=sheet, encoding=encoding))
            except TooLargeError:
                if head.startswith((GZIP, *WORKBOOKS)):
                    raise
    if parquet:
        from gd_core.tables.streamed_parquet import ParquetRows

        return ParquetRows(path, how)
    from gd_core.tables.streamed_csv import CsvRows

    return CsvRows(path, how, encoding)


class Held:
    """A table that is in memory, as a file of which a shard is an equal part of the rows.

    Args:
        reading: What was made of a file.
    """

    whole = True

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    def pieces(self, columns: Sequence[str], shard: Shard) -> Iterator[Piece]:
        """The columns of a shard's rows."""
        table, rows = self.reading.table, self.reading.table.rows
        begin, last = rows * shard.part // shard.of, rows * (shard.part + 1) // shard.of
        own = ["", *map(table.own_name, columns)]
        for first in range(begin, last, ROWS_AT_ONCE):
            end = min(first + ROWS_AT_ONCE, last)
            numbers = np.column_stack([table[name][first:end] for name in columns])

            def finding(i: int, column: int, first: int = first) -> Finding:
                row = int(self.reading.rows[first + i])
                told = (one for one in self.reading.findings if one.row == row and one.column in own)
                return next(told, Finding(row, own[column + 1], " holds no number"))

            yield Piece(numbers, finding, (), (end - begin) / (last - begin))


@dataclass(frozen=True, eq=False)
class Reader:
    """Features and target of a file, with a decision about the rows in which a number is missing.

    Attributes:
        source: The file.
        features: Names of D columns.
        target: Name of the column that is predicted.
        missing: "refuse" ends at the first cell without a number; "drop" leaves its row out; "mean" puts `fill` into a
            feature, and leaves out a row without a target.
        fill: What a missing feature takes, [D]; as long as it is None, "mean" leaves NaN.
    """

    source: Source
    features: tuple[str, ...]
    target: str
    missing: str = "refuse"
    fill: np.ndarray | None = None

    def chunks(self, shard: Shard) -> Iterator[Chunk]:
        """The rows of a shard.

        Raises:
            TableError: If a cell holds no number and missing is "refuse", or the file is damaged.
        """
        for chunk in self.source.pieces((*self.features, self.target), shard):
            gaps = self._gaps(chunk)
            if self.missing == "refuse":
                self._refuse(chunk, gaps)
            keep = ~(gaps[:, -1] if self.missing == "mean" else gaps.any(1))
            x, y, filled = chunk.numbers[:, :-1], chunk.numbers[:, -1], 0
            if self.missing == "mean" and self.fill is not None:
                filled = int(gaps[keep, :-1].sum())
                x = np.where(gaps[:, :-1], self.fill, x) if filled else x
            dropped = len(chunk.ragged) + int((~keep).sum())
            x, y = (x[keep], y[keep]) if dropped else (x, y)
            yield Chunk(x, y, dropped, filled, chunk.share)

    def sums(self, shard: Shard) -> Iterator[tuple[np.ndarray, np.ndarray, float]]:
        """Of each piece the sum of every feature's numbers, [D], how many there are, [D], and the share read."""
        for chunk in self.source.pieces((*self.features, self.target), shard):
            known = ~self._gaps(chunk)[:, :-1]
            yield np.where(known, chunk.numbers[:, :-1], 0.0).sum(0), known.sum(0), chunk.share

    def _gaps(self, chunk: Piece) -> np.ndarray:
        """Where there is no number, [n, C]. A number beyond what can be computed becomes none."""
        return np.isnan(without_extremes(chunk.numbers))

    def _refuse(self, chunk: Piece, gaps: np.ndarray) -> None:
        found = list(chunk.ragged[:1])
        if gaps.any():
            row = int(gaps.any(1).argmax())
            column = int(gaps[row].argmax())
            found.append(chunk.finding(row, column))
        if found:
            first = min(found, key=lambda one: one.row)
            raise TableError(f"missing must be drop or mean where a cell holds no number: {first}.")
