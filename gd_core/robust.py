"""The lowest point of a loss that is no parabola and yet convex: the absolute error, Huber's, and the log loss (`logistic`).

The first two are sums of ρ(rᵢ) with ρ(r) = max of a r − ½ δ a² over |a| ≤ 1: for δ = 0 that is |r|, and else Huber's over δ. So the
lowest sum is the largest of yᵀa − ½ δ |a|² over all a with Φᵀa = 0 and |a| ≤ 1: of the absolute error a linear program. A penalty
is the half square of more rows, for which a has no bounds.
An interior-point method goes down on one and up on the other at once, and ends where the two meet: their difference
is how far it can still be from the lowest loss.

Sources:
    Portnoy and Koenker, "The Gaussian Hare and the Laplacian Tortoise", Statistical Science 12, 1997, for |r|.
    Mehrotra, "On the Implementation of a Primal-Dual Interior Point Method", SIAM Journal on Optimization 2, 1992.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from gd_core.least_squares import EPSILON, FLAT, rows_centred
from gd_core.logistic import likeliest
from gd_core.models import LinearInParameters
from gd_core.objective import Convex, Huber, LinearObjective, Log, Objective, mse
from gd_core.penalty import Penalty
from gd_core.theory import curvature_of, hessian

STEPS = 100  # of the interior-point method; 20 to 30 are usual
CENTRED = 0.1  # of what parts the two is aimed at in a step
MET = 1e-13  # of the sum: the two have met
TO_THE_WALL = 0.99  # of the way


_found: WeakKeyDictionary[Objective, "Lowest | None"] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Lowest:
    """The lowest point of a loss.

    Attributes:
        optimum: θ*, [P]; where there are several, one of them.
        loss: L(θ*).
        rmse: Root mean squared error there, in the data's units. Elsewhere it may be lower.
        steepest: The largest eigenvalue of (1/N) ΦᵀΦ, with which bounds on slope and curvature are written.
        bends: A curvature that the loss has nowhere more than; infinite at a kink.
        penalty: The largest λ of a penalty, which bends the loss by 2λ.
        pulls: Length of the penalty's slope at θ*.
        is_zero: Whether the loss there is no more than the rounding of the data.
        attained: Whether there is such a point. Else the loss is one that runs near for ever.
        beyond: How many rows are off by more than δ there; of the absolute error all that are off.
        there: The largest curvature at θ*, of a loss that has one; else None.
    """

    optimum: Tensor
    loss: float
    rmse: float
    steepest: float
    bends: float
    penalty: float = 0.0
    pulls: float = 0.0
    is_zero: bool = False
    attained: bool = True
    beyond: int = 0
    there: float | None = None


def lowest_of(objective: Objective) -> Lowest | None:
    """The lowest point of a convex loss of a model that is linear in θ; None of any other."""
    if not isinstance(objective, LinearObjective) or not isinstance(loss := objective.loss, Convex):
        return None
    if objective not in _found:
        _found[objective] = (
            _of_log_loss(objective)
            if isinstance(loss, Log)
            else _of_robust(objective, loss.delta if isinstance(loss, Huber) else 0.0)
        )
    return _found[objective]


def _of_robust(objective: LinearObjective, delta: float) -> Lowest:
    penalty = objective.penalty
    optimum = lowest_at(objective.model, objective.dataset.x, objective.target, delta, penalty)
    square = replace(objective, loss=mse)
    steepest = curvature_of(replace(square, penalty=None)).largest / 2
    most = penalty.largest if penalty else 0.0
    off = (objective.predict(optimum) - objective.target).abs()
    return Lowest(
        optimum,
        float(objective(optimum)),
        float(objective.rmse(optimum)),
        steepest=steepest,
        bends=steepest + 2 * most if delta else math.inf,
        penalty=most,
        pulls=float(penalty.slope(optimum).norm()) if penalty else 0.0,
        is_zero=curvature_of(square).floor_is_zero,
        beyond=int((off > delta + 1e-9 * float(off.max())).sum()),
    )


def _of_log_loss(objective: LinearObjective) -> Lowest | None:
    """p(1 − p) is at most ¼, so the log loss bends at most a quarter of (1/N) ΦᵀΦ; the penalty adds 2λ."""
    found = likeliest(objective.model, objective.dataset.x, objective.target, objective.penalty)
    if found is None:
        return None
    steepest = float(torch.linalg.matrix_norm(objective.features, 2)) ** 2 / len(objective.target)
    most = objective.penalty.largest if objective.penalty else 0.0
    return Lowest(
        found.optimum,
        found.loss,
        float(objective.rmse(found.optimum)),
        steepest=steepest,
        bends=steepest / 4 + 2 * most,
        penalty=most,
        attained=found.attained,
        there=float(torch.linalg.eigvalsh(hessian(objective, found.optimum))[-1]) if found.attained else None,
    )


def closest(lowest: Lowest, learning_rate: float) -> float:
    """How close to the lowest mean absolute error gradient descent on all rows is sure to come, in the loss: η G²/2.

    In a step |θ − θ*|² changes by at most −2η(L − L*) + η²G², so L − L* cannot stay above ηG²/2 for good. G is the largest
    slope: |Φᵀ sign(r)/N|² is at most the largest eigenvalue of (1/N) ΦᵀΦ. Of |x| alone G = 1, and steps to and fro
    over a width of η are on average η/2 high at most.

    With a penalty Σⱼ λⱼ θⱼ² the slope is u + 2Λ(θ − θ*), |u| ≤ G + |2Λθ*|, and a step gains 2η Σⱼ λⱼ (θ − θ*)ⱼ² more. If 2ηλ < 1 that
    makes up for what the second part adds to its length, and (η/2) (G + |2Λθ*|)² / (1 − 2ηλ) is left; else nothing is sure.

    Source:
        Shor, "Minimization Methods for Non-Differentiable Functions", 1985, section 2.1.
    """
    room = 1 - 2 * learning_rate * lowest.penalty
    return learning_rate * slope_of(lowest) ** 2 / 2 / room if room > 0 else math.inf


def slope_of(lowest: Lowest) -> float:
    """G, with which `closest` is written: a bound of the gradient's length, but for what the penalty adds farther away."""
    return lowest.steepest**0.5 + lowest.pulls


def settles_below(lowest: Lowest) -> float:
    """The rate below which gradient descent on all rows settles from any start: 2 over a curvature that is nowhere larger.

    Sure, and no limit: a larger rate may settle too. No row's loss bends more than ½ r² of Huber's loss, so none is larger
    than the largest eigenvalue of (1/N) ΦᵀΦ; of the log loss a quarter of it. A penalty adds 2λ. Of the absolute error there is none: 0.

    Source:
        Nesterov, "Introductory Lectures on Convex Optimization", 2004, theorem 2.1.14.
    """
    return 2 / lowest.bends


def lowest_at(
    model: LinearInParameters, x: Tensor, target: Tensor, delta: float = 0.0, penalty: Penalty | None = None
) -> Tensor:
    """θ with the lowest (1/N) Σ ρ(yᵢ − ŷᵢ) + Σⱼ λⱼ θⱼ², [P]: of Huber's loss with this δ, of the absolute error for 0.

    Args:
        model: ŷ = Φθ.
        x: [N, D].
        target: y, [N].
        delta: δ.
        penalty: Σⱼ λⱼ θⱼ².
    """
    rows, back = (one.numpy() for one in rows_centred(model, x))
    count = len(rows)
    if penalty is not None:  # half squares beside Σ ρ, of which Huber's loss is δ times as much
        rows = np.concatenate([rows, penalty.rows(2 * count / (delta or 1)).numpy() @ back])
    length = np.linalg.norm(rows, axis=0)
    length[length == 0] = 1.0
    left, sizes, right = np.linalg.svd(rows / length, full_matrices=False)
    rank = int((sizes > FLAT * len(sizes) * EPSILON * sizes[0]).sum())
    y, q, below = target.numpy(), left[:count, :rank], left[count:, :rank]
    z = q.T @ y  # of least squares
    size = float(abs(y - q @ z).max())
    if size > FLAT * EPSILON * abs(y).max():  # else the rows lie on one curve
        part = _Sum(q, (y - q @ z) / size, delta / size, below * size**0.5, -(below @ z) / size**0.5)
        z = z + size * part.lowest()
    return torch.from_numpy(back @ (right[:rank].T @ (z / sizes[:rank]) / length))


class _Sum(NamedTuple):
    """Σ ρ(y − Qz) + ½ |s − Pz|², where the columns of Q and P together are orthogonal. `y` is what least squares leaves, at most 1."""

    q: np.ndarray  # [N, R]
    y: np.ndarray
    delta: float
    p: np.ndarray  # [P, R], or no rows
    s: np.ndarray

    def at(self, z: np.ndarray) -> float:
        """Its value, at [R]."""
        r, left = self.y - self.q @ z, self.s - self.p @ z
        inside = np.clip(r / self.delta, -1, 1) if self.delta else np.sign(r)
        return float(inside @ r - 0.5 * self.delta * inside @ inside + 0.5 * left @ left)

    def lowest(self) -> np.ndarray:
        """Where it is lowest, by an interior-point method, [R]."""
        q, y, delta, p, s = self
        a, z = np.zeros(len(y)), np.zeros(q.shape[1])
        high, low = np.ones_like(y), np.ones_like(y)  # 1 − a and 1 + a,
        up, down = np.maximum(y, 0) + 0.1, np.maximum(-y, 0) + 0.1  # and what they are multiplied by
        for _ in range(STEPS):
            apart = high @ up + low @ down
            if apart <= MET * (1 + abs(y).sum()):
                break
            aim = CENTRED * apart / (2 * len(y))  # of each of these products
            off = y - q @ z - delta * a - aim / high + aim / low
            weights = 1 / (delta + up / high + down / low)
            slope = q.T @ (weights * off + a) + p.T @ (s - p @ z)
            dz = np.linalg.lstsq((q.T * weights) @ q + p.T @ p, slope, rcond=None)[0]
            da = weights * (off - q @ dz)
            d_up, d_down = (aim + up * da) / high - up, (aim - down * da) / low - down
            pairs = ((high, -da), (low, da), (up, d_up), (down, d_down))
            room = min(float(np.min(-x[d < 0] / d[d < 0], initial=np.inf)) for x, d in pairs)
            t = min(1.0, TO_THE_WALL * room)
            a, z, up, down = a + t * da, z + t * dz, up + t * d_up, down + t * d_down
            high, low = high - t * da, low + t * da
        return self._to_the_last_digit(a, z)

    def _to_the_last_digit(self, a: np.ndarray, z: np.ndarray) -> np.ndarray:
        """The same by linear equations, now that it is known on which side of the kinks each row lies; if that is no worse."""
        q, y, delta, p, s = self
        beyond = abs(a) > 1 - 1e-6
        near, pull = q[~beyond], q[beyond].T @ np.sign(a[beyond]) + p.T @ s
        if delta == 0 and len(p):  # the rows near lie on the curve, and their a hold what the others pull
            both = np.block([[p.T @ p, -near.T], [near, np.zeros((len(near), len(near)))]])
            other = np.linalg.lstsq(both, np.concatenate([pull, y[~beyond]]), rcond=None)[0][: len(z)]
        elif delta == 0 and len(near) != len(z):
            return z  # several are as good
        else:
            matrix = near.T @ near + delta * p.T @ p
            other = np.linalg.lstsq(matrix, near.T @ y[~beyond] + delta * pull, rcond=None)[0]
        return other if self.at(other) <= self.at(z) * (1 + 1e-12) else z
