"""A file as its rows come: some of them at a time, of which a process reads a part. C columns are used, n rows a piece."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from gd_core.tables.reading import Finding


class Shard(NamedTuple):
    """One of `of` parts of a file, in the order of its rows."""

    part: int = 0
    of: int = 1


class Piece(NamedTuple):
    """Neighbouring rows as they stand in the file.

    Attributes:
        numbers: [n, C]; NaN where a cell holds no number.
        row: The number of the piece's i-th row in the file, for a sentence.
        cell: The text of a row's cell in a column.
        ragged: Rows with another number of cells than the header, which are left out: a finding for each.
        share: How much of the shard has been read, 0 to 1.
    """

    numbers: np.ndarray
    row: Callable[[int], int]
    cell: Callable[[int, int], str]
    ragged: Sequence[Finding]
    share: float


class Source(Protocol):
    """A file that can be read in pieces, as often as one likes.

    Attributes:
        names: Its columns.
        usable: Those that hold numbers and are worth predicting from, as far as its beginning or its types tell.
        notes: What was recognised, each a sentence.
    """

    names: tuple[str, ...]
    usable: tuple[str, ...]
    notes: list[str]

    def pieces(self, columns: Sequence[str], shard: Shard) -> Iterator[Piece]:
        """The columns of a shard's rows, in the order of the file."""
        ...
