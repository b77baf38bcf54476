"""Least squares in rational arithmetic: no digit is lost, and none of the program's code takes part."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

Row = list[Fraction]


@dataclass(frozen=True)
class Fit:
    """The least squares fit of some rows, exactly.

    Attributes:
        rows: Φ, one row after another.
        target: y.
        parameters: θ*.
    """

    rows: list[Row]
    target: Row
    parameters: Row

    def predictions(self, parameters: Sequence[Fraction | float] | None = None) -> Row:
        """Φθ, for other parameters too; floats are taken for the numbers that they are."""
        theta = self.parameters if parameters is None else [Fraction(value) for value in parameters]
        return [_dot(row, theta) for row in self.rows]

    @property
    def squares(self) -> Fraction:
        """Σ (Φθ* − y)²."""
        return sum(((p - y) ** 2 for p, y in zip(self.predictions(), self.target, strict=True)), Fraction())

    @property
    def floor(self) -> float:
        """The root mean squared error, rounded once."""
        return root(self.squares / len(self.rows))


def fit(features: Sequence[Sequence[str | float]], target: Sequence[str | float], model: str) -> Fit:
    """The normal equations of columns of features, solved by elimination.

    Args:
        features: Columns; texts are decimals, floats are taken for the numbers that they are.
        target: y.
        model: "linear", "proportional", or "polynomial 3" for the powers of one feature up to the third; "origin 3" for the
            same without an intercept.

    Raises:
        ZeroDivisionError: If there is more than one optimum.
    """
    columns = [[Fraction(value) for value in column] for column in features]
    if model.startswith(("polynomial", "origin")):
        columns = [[x**power for x in columns[0]] for power in range(1, int(model.split()[1]) + 1)]
    if not model.startswith(("proportional", "origin")):
        columns.append([Fraction(1)] * len(target))
    y = [Fraction(value) for value in target]
    gram = [[*(_dot(one, other) for other in columns), _dot(one, y)] for one in columns]
    return Fit([list(row) for row in zip(*columns, strict=True)], y, _solved(gram))


def root(square: Fraction) -> float:
    """√ of a rational number, to more than the digits of a float."""
    shift = 10**60
    return float(Fraction(isqrt(square.numerator * shift**2 // square.denominator), shift))


def _dot(one: Row, other: Row) -> Fraction:
    return sum((a * b for a, b in zip(one, other, strict=True)), Fraction())


def _solved(rows: list[Row]) -> Row:
    """Gauss and Jordan's elimination of [A b]; A is positive definite, so no pivot is needed but a positive one."""
    for place in range(len(rows)):
        pivot = [value / rows[place][place] for value in rows[place]]
        rows = [
            [a - row[place] * b for a, b in zip(row, pivot, strict=True)] if row is not rows[place] else pivot
            for row in rows
        ]
    return [row[-1] for row in rows]
