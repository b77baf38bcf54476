"""The lowest point of a parabola, with as many digits as 16-digit numbers allow; and how many those are.

Least squares by way of ΦᵀΦ loses half of its digits, and all of them for a parabola over calendar years, whose floor is
then wrong without a word. Here Φ is written in centred and scaled features, where its columns are far from alike, the
fit is found by their singular values, and then told in the coordinates that are trained.

Sources:
    Björck, "Numerical Methods for Least Squares Problems", 1996, section 1.4 for how far θ* may be off and 2.7 for scaling.
    Higham, "Accuracy and Stability of Numerical Algorithms", 2002, chapter 20.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gd_core.models import LinearInParameters
from gd_core.moments import ROWS_AT_ONCE, Moments

CONSTANT = 1e-9  # of its size: a feature that varies by less is not centred
SOME = 256  # rows, from which the rounding of the data is judged
FINE = 1e-5  # of the spread of y: a decimal that counts as the last one kept, not as the last one there is
EPSILON = 2.0**-52  # of a number: the place of its last digit
FLAT = 32  # roundings of each column: a direction whose singular value is below them is flat


class Centred(NamedTuple):
    """The rows of a problem in coordinates that lose no digit, θ = M θ′, and the way between the two.

    Attributes:
        moments: Of Φ′ = Φ M and the target.
        back: M, [P, P].
        there: M⁻¹, [P, P].
        rounding: What of each column of Φ′ is no more than the rounding of the data, as a share of it.
    """

    moments: Moments
    back: Tensor
    there: Tensor
    rounding: float

    @property
    def as_trained(self) -> Moments:
        """The moments of Φ. What no θ explains of the target keeps its digits."""
        return self.moments.in_coordinates(self.there)


def centred_of(model: LinearInParameters, x: Tensor, target: Tensor) -> Centred:
    """The rows x [N, D] and a target [N] in coordinates that lose no digit.

    A parabola over calendar years is a difference of millions where it is written in powers of the year, and a matter of
    small numbers where it is written in those of (year − 2008)/8. Each feature is centred near its mean and divided by
    about its deviation, by round numbers, so that this rounds nothing.
    """
    middle, divisor = _about(model, x)
    parts = zip(x.split(ROWS_AT_ONCE), target.split(ROWS_AT_ONCE), strict=True)
    back = model.to_raw(middle, divisor)
    features = ((model.features((some - middle) / divisor), y) for some, y in parts)
    return Centred(
        moments=Moments.of_parts(features, len(back)),
        back=back,
        there=model.to_raw(-middle / divisor, 1 / divisor),
        rounding=EPSILON * (1 + float((middle / divisor).abs().max())),
    )


def rows_centred(model: LinearInParameters, x: Tensor) -> tuple[Tensor, Tensor]:
    """Φ′ [N, P] of the rows x [N, D] in those coordinates, and M, with θ = M θ′."""
    middle, divisor = _about(model, x)
    return model.features((x - middle) / divisor), model.to_raw(middle, divisor)


def _about(model: LinearInParameters, x: Tensor) -> tuple[Tensor, Tensor]:
    """What is subtracted from each feature and what it is then divided by, each [D]: a power of 2 and a multiple of it.

    Where Φ(0) = 0 there is no intercept that could take up a shift: there, and where a feature is as good as
    constant, it is divided by about its size.
    """
    has_intercept = bool(model.features(torch.zeros_like(x[:1])).any())
    some = x.numpy()[:: len(x) // ROWS_AT_ONCE + 1]  # enough rows for about
    size, mean = abs(some).max(0), some.mean(0)
    spread = np.sqrt(np.square(some - mean).mean(0))
    movable = has_intercept & (spread > CONSTANT * size)
    divisor = np.exp2(np.log2(np.where(movable, spread, np.where(size > 0, size, 1.0))).round())
    middle = np.where(movable, (mean / divisor).round() * divisor, 0.0)
    return torch.from_numpy(middle), torch.from_numpy(divisor)


def uncentred(moments: Moments, rounding: float = EPSILON) -> Centred:
    """Rows of which no more is left than moments in the coordinates that are trained."""
    same = torch.eye(moments.features.shape[1], dtype=torch.float64)
    return Centred(moments, same, same, rounding)


class Fit(NamedTuple):
    """The optimum, and what is known of it.

    Attributes:
        optimum: θ*, [P]; the shortest of all optima if a direction is flat.
        unsure: How far each of θ* may be off, [P].
        floor: Root mean squared error at θ*.
        terms: Root mean squares of the curve's terms, θ′ times its column of Φ′, added up.
        rounding: Root mean squared error that the arithmetic can leave of a perfect fit.
        flat: Directions along which nothing changes, one a column, [P, 0] or more.
        root: G with (ΦᵀΦ)⁻¹ = G Gᵀ, [P, rank]; where there is none it has no part along `flat`.
    """

    optimum: Tensor
    unsure: Tensor
    floor: float
    terms: float
    rounding: float
    flat: Tensor
    root: Tensor


def fit(centred: Centred) -> Fit:
    """Least squares by the singular values of Φ′ with columns of length 1.

    A direction is flat whose singular value is below P · `FLAT` roundings of the columns, as a share of the largest. So
    of t², t and 1 over 10,000 seconds, where κ is 10¹⁶, none is flat; of a column in metres and the same in feet, one.
    """
    columns, target = centred.moments.features.numpy(), centred.moments.target.numpy()
    rows, back = centred.moments.rows, centred.back.numpy()
    length = np.linalg.norm(columns, axis=0)
    length[length == 0] = 1.0
    left, sizes, right = np.linalg.svd(columns / length, full_matrices=False)
    least = FLAT * len(sizes) * centred.rounding
    rank = int((sizes > least * sizes[0]).sum())
    inverse = right[:rank].T / sizes[:rank]  # V S⁻¹, [P, rank]
    along = left[:, :rank].T @ target
    rest = np.linalg.norm(target - left[:, :rank] @ along)
    terms = inverse @ along  # θ′ of columns of length 1
    # what rounding does to Φ′ and y moves Φ′θ′ − y, and that θ′; of the arithmetic some P last digits
    moved = np.linalg.norm(target) + abs(terms).sum()
    shift = (centred.rounding + 4 * len(sizes) * EPSILON) * moved * np.linalg.norm(inverse, axis=1)
    tilt = centred.rounding * rest * np.linalg.norm(inverse / sizes[:rank], axis=1)
    inner, doubt = terms / length, (shift + tilt) / length
    optimum = back @ inner
    flat, root = np.empty((len(sizes), 0)), back @ (inverse / length[:, None])
    if rank < len(sizes):
        still = np.where(abs(right[rank:]) > least, right[rank:], 0.0)
        flat, _ = np.linalg.qr(back @ (still / length).T)
        optimum -= flat @ (flat.T @ optimum)
        root -= flat @ (flat.T @ root)
    return Fit(
        optimum=torch.from_numpy(optimum),
        unsure=torch.from_numpy(abs(back) @ (doubt + EPSILON * abs(inner))),
        floor=float(rest) / math.sqrt(rows),
        terms=float(abs(terms).sum()) / math.sqrt(rows),
        rounding=len(sizes) * EPSILON * float(moved) / math.sqrt(rows),
        flat=torch.from_numpy(flat),
        root=torch.from_numpy(root),
    )


def rounding_of_data(x: Tensor, target: Tensor, unit: float, centred: Centred, found: Fit) -> float:
    """Root mean squared error that the rounding of the data can leave of a perfect fit; told from the first rows.

    Of y [N], which was added up from terms that were rounded too, and of x [N, D], as much as the curve is steep there.
    Twice half a digit of each, since y was worked out in several steps. y is as it was given, and fitted in so many units.
    """
    of_y, of_x = _half_a_digit(target[:SOME]), _half_a_digit(x[:SOME])
    size = float(target.square().mean().sqrt()) / unit
    in_bits = 2 * (of_y * max(size, found.terms) + of_x * centred.rounding / EPSILON * found.terms)
    return max(in_bits, _last_decimal(target[:SOME]) / unit)


def _last_decimal(numbers: Tensor) -> float:
    """A unit of the last decimal, if it is written for all and small beside their spread; else 0.

    Of 0.25 or 310 nobody knows whether more digits were cut off; of 310.417823 they were.
    """
    written = numbers.numpy()
    smallest = FINE * float(written.std())
    for decimals in range(13):
        unit = 10.0**-decimals
        if unit <= smallest and np.array_equal(written.round(decimals), written):
            return unit
    return 0.0


def _half_a_digit(numbers: Tensor) -> float:
    """Half of a last digit, as a share: of float32 if numbers are such and one uses the last 4 of its 24 bits, else of float64.

    Whole numbers and short decimals such as 2.5 fit into float32 too, and have not been rounded to it.
    """
    short = numbers.float()
    rounded = torch.equal(short.double(), numbers) and bool((short.view(torch.int32) & 15).any())
    return 2.0**-24 if rounded else EPSILON / 2
