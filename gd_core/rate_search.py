"""The rate that leaves the smallest loss after n epochs, of all below the limit, for rules linear in the gradient.

After n epochs the loss is Σ cᵢ pₙ(ηλᵢ)² above its floor: cᵢ is the first gap along eigenvector i, and pₙ a polynomial, what
n epochs multiply an error by. With an epoch's matrix of trace 2h and determinant r² (`theory.step_matrix`),

    pₙ = rⁿ (cos nϑ + C sin nϑ), cos ϑ = h/r, C = (m₀₀ − h)/(r sin ϑ)

where h² < r²: there the velocity swings, and the loss has a valley for every half swing. Elsewhere pₙ has no zero, falls
before the swings and grows after them. So before the steepest direction swings the loss only falls with the rate, and it
is enough to look at rates that are equally far apart in the steepest direction's ϑ: others swing more slowly.

Under a schedule epoch k has the rate η σₖ, its share of the first, and pₙ is the product of the epochs; without momentum
Π (1 − ηλσₖ), with a zero at each 1/(λσₖ). Below 1/λ of the steepest direction the loss only falls with η, and where zeros
lie close together next to nothing is left between them. So it is enough to look at rates equally far apart from there on.

Sources:
    Goh, "Why Momentum Really Works", Distill 2017. Flammarion and Bach, "From Averaging to Acceleration, There is Only a
    Step-size", 2015, for the polynomials.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np

from gd_core.settings.rules import LinearStep

IN_A_HALF_SWING = 8  # rates that are looked at,
AT_LEAST = 1000  # and in all,
AFTER_THE_SWINGS = 300  # and between the last swing and the limit
AT_ONCE = 2**16  # rates, so that memory stays small
IN_A_CACHE = 2**14  # numbers that are multiplied at once
SEEN = 1e-9  # swings that are this small a share of what is left are not looked for
ROUNDS, FINER = 7, 6  # into valleys, and how many times closer the three rates of one are in the next
KEPT = 8  # valleys that are looked into once more, without the guess that they are parabolas
FINEST = (
    1e-10,
    1e-6,
)  # part of the way between two rates that are looked at; under a schedule, whose epochs are gone through
TWO_SIDES = np.linspace(-1, 1, 17)
EDGE = 1e-9  # of the limit: as close as one gets to it


def multiples(step: LinearStep, curvatures: np.ndarray, epochs: int | np.ndarray) -> np.ndarray:
    """What the error is multiplied by in n epochs that begin without velocity: pₙ at s = ηλ. [...] → [...].

    By the two eigenvalues of an epoch, so with half of the digits where they are one. For searching, not for showing.
    """
    first, half, square, root, swings = _matrix(step, curvatures)
    with np.errstate(all="ignore"):
        angle = epochs * np.arctan2(root, half)
        swinging = np.sqrt(square.clip(min=0)) ** epochs * (
            np.cos(angle) + (first - half) / root * np.sin(angle)
        )
        if swings.all():
            return swinging
        low, high = half - root, half + root
        still = ((first - low) * high**epochs - (first - high) * low**epochs) / (2 * root)
    return np.where(swings, swinging, still)


def multiples_under(step: LinearStep, curvatures: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The same in epochs at these shares σₖ of η, one after another: pₙ at s = ηλ. [...] and [n] → [...]."""
    beta, a, b = step
    if beta:
        parts = np.array_split(curvatures.ravel(), math.ceil(max(1, curvatures.size) / IN_A_CACHE))
        return np.concatenate([_in_blocks(step, one, shares) for one in parts]).reshape(curvatures.shape)
    error = np.ones_like(curvatures)
    with np.errstate(all="ignore"):  # the epochs change places, so those at one rate are a power
        at, often = np.unique((a + b) * shares, return_counts=True)
        some = max(1, IN_A_CACHE // max(1, curvatures.size))
        for first in range(0, len(at), some):
            factors = 1 - np.multiply.outer(at[first : first + some], curvatures)
            for power in np.unique(often[first : first + some]):
                error *= factors[often[first : first + some] == power].prod(0) ** power
    return error


def _in_blocks(step: LinearStep, curvatures: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The same of a rule with a velocity, [S] and [n] → [S]: of so few numbers many blocks of epochs at once.

    What a block makes of an error of 1 and of a velocity of 1 is its matrix, and the matrices are multiplied. So NumPy is asked
    for an epoch of all blocks together, not for each epoch by itself.
    """
    blocks = max(1, min(math.isqrt(len(shares)), IN_A_CACHE // (2 * max(1, curvatures.size))))
    if blocks == 1:
        return _after(step, curvatures, shares[:, None], np.ones((1, 1)), np.zeros((1, 1)))[0][0]
    # an epoch at the share 0 changes no error
    filled = np.concatenate([shares, np.zeros(-len(shares) % blocks)]).reshape(blocks, -1)
    ones, zeros = np.ones((blocks, 1)), np.zeros((blocks, 1))
    begun = np.stack([ones, zeros]), np.stack([zeros, ones])
    matrices = _after(step, curvatures, filled.T[:, :, None], *begun)
    error, velocity = np.ones_like(curvatures), np.zeros_like(curvatures)
    with np.errstate(all="ignore"):
        for (e_of_e, e_of_v), (v_of_e, v_of_v) in zip(*(one.swapaxes(0, 1) for one in matrices), strict=True):
            error, velocity = e_of_e * error + e_of_v * velocity, v_of_e * error + v_of_v * velocity
    return error


def _after(
    step: LinearStep, curvatures: np.ndarray, shares: np.ndarray, error: np.ndarray, velocity: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Errors and velocities, [..., S], that begin as these, [..., 1], after epochs at these shares, [n, ..., 1]."""
    beta, a, b = step
    error, velocity = (np.repeat(one, len(curvatures), -1) for one in (error, velocity))
    slope = np.empty_like(error)
    with np.errstate(all="ignore"):
        for share in shares:
            np.multiply(curvatures, error, out=slope)
            velocity *= beta
            velocity += slope
            if a:
                slope *= a * share
                error -= slope
            np.multiply(velocity, b * share, out=slope)
            error -= slope
    return error, velocity


def each_under(step: LinearStep, curvatures: np.ndarray, shares: Iterable[float]) -> Iterator[np.ndarray]:
    """The same after each of these epochs, the first being none. [...] each."""
    beta, a, b = step
    error, velocity = np.ones_like(curvatures), np.zeros_like(curvatures)
    yield error
    with np.errstate(all="ignore"):
        for share in shares:
            slope = curvatures * error
            velocity = beta * velocity + slope
            error = error - share * (a * slope + b * velocity)
            yield error


def widest(step: LinearStep, curvatures: np.ndarray, epochs: int) -> np.ndarray:
    """A bound of |pₙ| that only falls with n below the limit: every swing counts as if it were at its widest. [...] → [...]."""
    first, half, square, root, swings = _matrix(step, curvatures)
    with np.errstate(all="ignore"):
        swinging = np.sqrt(square.clip(min=0)) ** epochs * np.hypot(1, (first - half) / root)
        low, high = half - root, half + root
        still = (abs(first - low) * abs(high) ** epochs + abs(first - high) * abs(low) ** epochs) / (2 * root)
    return np.where(swings, swinging, still)


def _matrix(step: LinearStep, curvatures: np.ndarray) -> tuple[np.ndarray, ...]:
    """Of an epoch's matrix at s = ηλ: m₀₀, h, r², √|h² − r²|, and whether h² < r², so that the velocity swings."""
    beta, a, b = step
    first = 1 - curvatures * (a + b)
    half, square = (first + beta) / 2, beta * (1 - a * curvatures)
    apart = half**2 - square
    return first, half, square, np.sqrt(np.abs(apart).clip(min=1e-300)), apart < 0


def slowest_root(step: LinearStep, curvature: float) -> float:
    """The larger of the two eigenvalues of an epoch at s = ηλ, without its sign: |h| + √(h² − r²), or r while it swings."""
    beta, a, b = step
    half, square = (1 - curvature * (a + b) + beta) / 2, beta * (1 - a * curvature)
    apart = half**2 - square
    return math.sqrt(square) if apart < 0 else abs(half) + math.sqrt(apart)


def best_rates(
    step: LinearStep,
    eigenvalues: np.ndarray,
    first: np.ndarray,
    epochs: int,
    limit: float,
    shares: np.ndarray | None = None,
) -> np.ndarray:
    """A few rates below the limit, one of which leaves the smallest loss after so many epochs, to rounding. [K].

    Args:
        step: The rule: gradient descent, the heavy ball or Nesterov's form.
        eigenvalues: λ, [P], at least one above 0.
        first: L − L* of the start along each eigenvector, [P].
        epochs: n, at least 1.
        limit: The stability limit of the rate.
        shares: σₖ of each epoch, [n], each at most 1; None for one rate. The rate is then the one that they are shares of.
    """
    parts = (first > 0) & (eigenvalues > 0)
    if not parts.any():
        return np.array([limit / 2])
    first, eigenvalues = first[parts], eigenvalues[parts]
    if step.beta == 0 and shares is None:
        return np.array([_of_parabola(step, eigenvalues, first, epochs, limit)])

    def multiplied(curvatures: np.ndarray) -> np.ndarray:
        if shares is None:
            return multiples(step, curvatures, epochs)
        return multiples_under(step, curvatures, shares)

    def left(rates: np.ndarray) -> np.ndarray:
        found = [
            first @ multiplied(eigenvalues[:, None] * some) ** 2
            for some in np.array_split(rates.ravel(), math.ceil(rates.size / AT_ONCE))
        ]
        return np.nan_to_num(np.concatenate(found), nan=math.inf).reshape(rates.shape)

    steepest = float(eigenvalues.max())

    def looked_at(count: int) -> np.ndarray:
        return left(swinging_rates(step, steepest, count, limit))

    # without momentum the swings are one rate
    count, wanted = (AT_LEAST, IN_A_HALF_SWING * epochs) if step.beta else (1, 1)
    gaps = looked_at(count)
    largest_swing = first.sum() * step.beta**epochs * (epochs + 1) ** 2
    if wanted > count and largest_swing > SEEN * gaps.min():
        count = wanted
        gaps = looked_at(count)
    walls = np.pad(gaps, 1, constant_values=math.inf)
    (valleys,) = np.nonzero((gaps <= walls[:-2]) & (gaps <= walls[2:]))

    def along(places: np.ndarray) -> np.ndarray:
        return left(_rate_at(places, count, step, steepest, limit))

    at, width = valleys.astype(float), 1.0
    below, there, above = walls[valleys], gaps[valleys], walls[valleys + 2]
    for _ in range(ROUNDS):
        with np.errstate(all="ignore"):
            bend = below + above - 2 * there
            at = at + width * np.nan_to_num((below - above) / (2 * bend), posinf=0, neginf=0).clip(-1, 1)
        width /= FINER
        below, there, above = along(at + width * np.array([[-1.0], [0.0], [1.0]]))
        # a parabola through the three goes down by an eighth of their bend at most
        lowest = np.minimum(np.minimum(below, above), there)
        keep = lowest - abs(below + above - 2 * there) <= lowest.min()
        at, below, there, above = at[keep], below[keep], there[keep], above[keep]
    found = at[np.argsort(there, kind="stable")[:KEPT]]
    lowest = valleys[np.argsort(gaps[valleys], kind="stable")[:KEPT]]
    centres, width = np.unique(np.concatenate([found.round(), lowest, valleys[valleys >= count][:KEPT]])), 1.0
    while width > FINEST[shares is not None]:
        around = centres[:, None] + width * TWO_SIDES
        centres = around[np.arange(len(around)), along(around).argmin(1)]
        width /= 8
    return _rate_at(np.concatenate([found, centres]), count, step, steepest, limit)


def swinging_rates(step: LinearStep, steepest: float, count: int, limit: float) -> np.ndarray:
    """So many rates over the swings of the steepest direction, equally far apart in its ϑ, and some up to the limit. [K]."""
    return _rate_at(np.arange(count + AFTER_THE_SWINGS), count, step, steepest, limit)


def _rate_at(places: np.ndarray, count: int, step: LinearStep, steepest: float, limit: float) -> np.ndarray:
    """The rate at each place of a scale: from 0 to `count` the steepest direction's swings, then up to the limit.

    On the first part equal steps are equal steps of that direction's ϑ.
    """
    beta, a, _ = step
    angle = (math.pi / 2) * ((places + 0.5) / count).clip(0, 1)
    if a == 0:  # 1 + β − s = 2√β cos ϑ
        swinging = (1 - math.sqrt(beta)) ** 2 + 4 * math.sqrt(beta) * np.sin(angle) ** 2
        last = (1 + math.sqrt(beta)) ** 2
    else:  # 1 − s = (2√β cos ϑ/(1 + β))²
        swinging = ((1 - beta) / (1 + beta)) ** 2 + 4 * beta / (1 + beta) ** 2 * np.sin(angle) ** 2
        last = 1.0
    after = ((places + 0.5 - count) / AFTER_THE_SWINGS).clip(0, 1)
    rates = (swinging + after * (limit * steepest - last)) / steepest
    return rates.clip(EDGE * limit, (1 - EDGE) * limit)


def _of_parabola(
    step: LinearStep, eigenvalues: np.ndarray, first: np.ndarray, epochs: int, limit: float
) -> float:
    """Without momentum Σ cᵢ (1 − ηλᵢ)²ⁿ is convex in η: its slope changes sign once, found by bisection.

    The slope's terms are taken as shares of the largest, since powers of thousands of epochs are smaller than any number.
    """
    curvatures = eigenvalues * (step.on_gradient + step.on_velocity)
    low, high = 0.0, (1 - EDGE) * limit
    for _ in range(80):
        middle = (low + high) / 2
        left = 1 - middle * curvatures
        sizes = np.log(np.abs(left).clip(min=1e-300)) * (2 * epochs - 1) + np.log(first * curvatures)
        falls = (np.sign(left) * np.exp(sizes - sizes.max())).sum() > 0
        low, high = (middle, high) if falls else (low, middle)
    return high
