"""What least squares needs to know of the rows: one small triangle, however many rows there are.

With A = [Φ y] of shape [N, P + 1], all that the squared error asks of the data is AᵀA: the moments ΦᵀΦ, Φᵀy and yᵀy. Kept
here is not AᵀA but its triangular root R of shape [P + 1, P + 1], RᵀR = AᵀA, as of a QR factorisation: R has the digits of
A, where AᵀA has only half of them. So ‖Φθ − y‖ = ‖R (θ, −1)‖ is a sum of squares, and no difference of large numbers:
a fit with nearly no error left keeps its digits. Two triangles, one under the other, are rows again: that is how the moments
of two parts of a table are added.

Sources:
    Golub and Van Loan, "Matrix Computations", chapter 5. Demmel, Grigori, Hoemmen and Langou,
    "Communication-optimal Parallel and Sequential QR and LU Factorizations", 2012, for the adding.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from typing import Self

import numpy as np
import torch
from torch import Tensor

ROWS_AT_ONCE = 2048  # looked at together: they stay in the cache, and torch copies them without its threads
CELLS = 8192  # in one product or QR: more would be shared among threads, which costs more than it saves
WELL_APART = 1e-2  # of each column, what the columns before it do not explain: then AᵀA loses 4 of 16 digits


@dataclass(frozen=True, eq=False)
class Moments:
    """ΦᵀΦ, Φᵀy and yᵀy of some rows. `a + b` has those of the rows of both.

    Attributes:
        factor: R, upper triangular, [P + 1, P + 1]; the last column belongs to y.
        rows: N.
    """

    factor: Tensor
    rows: int

    @classmethod
    def none(cls, parameters: int) -> Self:
        """Of no rows at all: what adding starts with."""
        return cls(torch.zeros(parameters + 1, parameters + 1, dtype=torch.float64), 0)

    @classmethod
    def of(cls, features: Tensor, target: Tensor) -> Self:
        """Of Φ [N, P] and y [N], of which no copy is made."""
        parts = zip(features.split(ROWS_AT_ONCE), target.split(ROWS_AT_ONCE), strict=True)
        return cls.of_parts(parts, features.shape[1])

    @classmethod
    def of_parts(cls, parts: Iterable[tuple[Tensor, Tensor]], parameters: int) -> Self:
        """Of rows that come one part after another, each as Φ [M, P] and y [M] with M of about `ROWS_AT_ONCE`."""
        factor, rows = np.zeros((parameters + 1, parameters + 1)), 0
        for features, target in parts:
            some = np.column_stack([features.numpy(), target.numpy()])
            factor, rows = _triangle(np.concatenate([factor, _condensed(some)])), rows + len(some)
        return cls(torch.from_numpy(factor), rows)

    def __add__(self, other: Self) -> Self:
        """The moments of the rows of both."""
        both = np.concatenate([self.factor.numpy(), other.factor.numpy()])
        return type(self)(torch.from_numpy(_triangle(both)), self.rows + other.rows)

    @property
    def gram(self) -> Tensor:
        """ΦᵀΦ, [P, P]."""
        return self.features.T @ self.features

    @property
    def cross(self) -> Tensor:
        """Φᵀy, [P]."""
        return self.features.T @ self.target

    @property
    def square(self) -> float:
        """yᵀy."""
        return float(self.target @ self.target)

    @property
    def features(self) -> Tensor:
        """P + 1 rows that have the moments of all N: their Φ, [P + 1, P]."""
        return self.factor[:, :-1]

    @property
    def target(self) -> Tensor:
        """Their y, [P + 1]."""
        return self.factor[:, -1]

    def directions(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Φ = U S Vᵀ of these P + 1 rows: U [P + 1, P], the sizes [P], largest first, and Vᵀ [P, P].

        Long columns go first, then QR, then the SVD of its triangle: so the small sizes have their digits too, however
        different the units of the columns are. An SVD of the columns as they stand knows each size only up to a last
        digit of the *largest*.

        Source:
            Drmač and Veselić, "New Fast and Accurate Jacobi SVD Algorithm. I", 2008, which begins so.
        """
        columns = self.features.numpy()
        order = np.argsort(-np.linalg.norm(columns, axis=0), kind="stable")
        rows, triangle = np.linalg.qr(columns[:, order])
        left, sizes, right = np.linalg.svd(triangle)
        vectors = np.empty_like(right)
        vectors[:, order] = right
        return rows @ left, sizes, vectors

    def mean_square(self, theta: Tensor) -> Tensor:
        """The mean squared error ‖Φθ − y‖²/N at each θ, [..., P] → [...]. NaN if there are no rows."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # a run far out has diverged
            rest = theta.numpy() @ self.features.numpy().T - self.target.numpy()
            return torch.as_tensor(np.square(rest).sum(-1) / np.float64(self.rows))

    def beside(self, rows: Tensor) -> Self:
        """With ‖rows θ‖² beside ‖Φθ − y‖², for rows [M, P] that do not count among the N."""
        more = torch.cat([rows, rows.new_zeros(len(rows), 1)], 1)
        both = torch.cat([self.factor, more])
        return type(self)(torch.from_numpy(_triangle(both.numpy())), self.rows)

    def in_coordinates(self, matrix: Tensor) -> Self:
        """The moments of Φ M for a matrix M [P, P]: those of the same rows when θ = M θ′ is trained as θ′."""
        other = torch.cat([self.features @ matrix, self.target.unsqueeze(1)], 1)
        return type(self)(torch.from_numpy(_triangle(other.numpy())), self.rows)


def _triangle(rows: np.ndarray) -> np.ndarray:
    """R of a QR factorisation of some rows, [M, P + 1] → [P + 1, P + 1]."""
    factor = np.asarray(np.linalg.qr(rows, mode="r"))
    missing = rows.shape[1] - len(factor)
    return np.concatenate([factor, np.zeros((missing, rows.shape[1]))]) if missing else factor


def _condensed(rows: np.ndarray) -> np.ndarray:
    """Fewer rows with the same AᵀA.

    From AᵀA itself, several times as fast, where that costs no digit that matters; else by QR.
    """
    columns = rows.shape[1]
    few = max(CELLS // columns - columns, 4 * columns)
    if len(rows) <= few:
        return rows
    pieces = [rows[first : first + few] for first in range(0, len(rows), few)]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the QR stands what overflows here
        gram = np.sum([piece.T @ piece for piece in pieces], 0)
        size = np.sqrt(gram.diagonal())
        balanced = gram / np.outer(size, size)
    with suppress(np.linalg.LinAlgError):
        factor = np.linalg.cholesky(balanced).T
        if factor.diagonal().min() > WELL_APART:
            return factor * size
    return reduce(lambda factor, piece: _triangle(np.concatenate([factor, piece])), pieces, rows[:0])
