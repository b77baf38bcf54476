"""A file as its rows come: some of them at a time, of which a process reads a part. C columns are used, n rows a piece."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from gd_core.tables.columns import Unlike
from gd_core.tables.decoding import TableError
from gd_core.tables.reading import Finding, Reading
from gd_core.tables.table import LARGEST, SMALLEST

MOST_COLUMNS = 10_000  # of a file that is read in pieces
PLACES = 16  # of a file, at equal distances, where rows are looked at to tell what its columns hold


class Shard(NamedTuple):
    """One of `of` parts of a file, in the order of its rows."""

    part: int = 0
    of: int = 1


class Piece(NamedTuple):
    """Neighbouring rows as they stand in the file.

    Attributes:
        numbers: [n, C]; NaN where a cell holds no number.
        finding: What is wrong with the i-th row's cell in a column, where that holds no number.
        ragged: Rows with another number of cells than the header, which are left out: a finding for each.
        share: How much of the shard has been read, 0 to 1.
    """

    numbers: np.ndarray
    finding: Callable[[int, int], Finding]
    ragged: Sequence[Finding]
    share: float


class Source(Protocol):
    """A file that can be read in pieces, as often as one likes.

    Attributes:
        reading: What was made of it, or of rows from all over it.
        whole: Whether that is all of it.
    """

    reading: Reading
    whole: bool

    def pieces(self, columns: Sequence[str], shard: Shard) -> Iterator[Piece]:
        """The table's columns, of a shard's rows, in the order of the file."""
        ...


class AsDecided:
    """Makes of all cells of a file what was made of those that were looked at.

    Args:
        reading: What that was.
    """

    def __init__(self, reading: Reading) -> None:
        self._columns = reading.columns
        self._looked_at = len(reading.rows)
        places = [(i, k) for i, one in enumerate(reading.columns) for k in range(len(one.columns))]
        self._places = dict(zip(reading.table.names, places, strict=True))

    def places(self, columns: Iterable[str]) -> list[int]:
        """Where in the file the columns stand of which those of the table were made, one after another."""
        return [self._places[name][0] for name in columns]

    def numbers(
        self, columns: Sequence[str], cells: Callable[[int], pa.StringArray], row: Callable[[int], int]
    ) -> np.ndarray:
        """Columns of the table, [n, C].

        Args:
            columns: Their names.
            cells: The cells of a column of the file, [n], without blanks at their ends.
            row: The number in the file of the i-th row.

        Raises:
            TableError: If a cell shows that the column should have been read otherwise.
        """
        made: dict[int, np.ndarray] = {}
        for place in self.places(columns):
            column = self._columns[place]
            if place not in made and column.again is not None:
                try:
                    made[place] = column.again(cells(place))
                except Unlike as error:
                    raise TableError(
                        f"row {row(error.place):,}, column {column.name}{error.what}: a table of this size is judged by "
                        f"{self._looked_at:,} of its rows. Leave the column out with --read-as '{column.name}=left out'."
                    ) from None
        return np.column_stack([made[place][:, k] for place, k in map(self._places.__getitem__, columns)])


def without_numbers(reading: Reading) -> Reading:
    """The same with nothing but names in its file's columns: all that is asked of them when other rows are read."""
    none = np.zeros(0)
    columns = tuple(one._replace(columns=dict.fromkeys(one.columns, none)) for one in reading.columns)
    return replace(reading, columns=columns)


def without_extremes(numbers: np.ndarray) -> np.ndarray:
    """The same in place, where a number beyond what can be computed becomes none."""
    with np.errstate(invalid="ignore"):
        size = np.abs(numbers)
        numbers[(size > LARGEST) | ((size < SMALLEST) & (size > 0))] = np.nan
    return numbers
