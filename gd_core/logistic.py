"""The lowest log loss, and whether there is one: where the classes can be parted it is neared for ever and never reached.

Newton's method on convex ground. Each step is a least squares problem with weights p(1 − p), solved by singular values in
centred columns, so that no digit is lost to ΦᵀΦ. A penalty is one more row of it for each weight.

Sources:
    Hosmer and Lemeshow, "Applied Logistic Regression", 2000, for the method, there called IRLS.
    Albert and Anderson, "On the Existence of Maximum Likelihood Estimates in Logistic Regression Models", Biometrika 71,
    1984, for complete and quasi-complete separation.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gd_core.least_squares import rows_centred
from gd_core.models import LinearInParameters
from gd_core.penalty import Penalty

STEPS = 200  # of Newton's method; ten are usual, and where classes can be parted a step adds 1 to a logit
SETTLED = 1e-13  # of the loss: what a step could still bring
STANDS = 1e-6  # of a logit: a step that moves none by more has arrived,
RUNS = 0.5  # and one that goes on moving them by more although the loss stands has no end


class Likeliest(NamedTuple):
    """Where the log loss is lowest.

    Attributes:
        optimum: θ*, [P]; where it is never reached, a point on the way.
        loss: The lowest loss, with its penalty; where it is never reached, what it nears.
        attained: Whether there is such a point. Else the classes, or some of the rows, can be parted by the model: then
            the weights grow for ever.
    """

    optimum: Tensor
    loss: float
    attained: bool


def likeliest(
    model: LinearInParameters, x: Tensor, target: Tensor, penalty: Penalty | None = None
) -> Likeliest | None:
    """The lowest mean log loss plus Σⱼ λⱼ θⱼ²; None in the rare case that it is not told whether there is one.

    Args:
        model: logit = Φθ.
        x: [N, D].
        target: y, 0 or 1, [N].
        penalty: Σⱼ λⱼ θⱼ².
    """
    rows, back = (one.numpy() for one in rows_centred(model, x))
    length = np.linalg.norm(rows, axis=0) / len(rows) ** 0.5
    length[length == 0] = 1.0
    signs = 2 * target.numpy() - 1
    signed = signs[:, None] * rows / length  # their product with u is how far each row is on its side
    back = back / length  # θ = M u
    weights = np.zeros((0, len(length))) if penalty is None else penalty.rows(1).numpy() @ back
    if penalty is not None and abs(signs.sum()) == len(signs):
        free = model.features(x)[:, penalty.each == 0]
        if bool((free == 1).all(0).any()):  # an intercept alone runs off
            return Likeliest(torch.zeros_like(penalty.each), 0.0, attained=False)
    u = np.zeros(len(length))
    for _ in range(STEPS):
        margin = signed @ u
        if penalty is None and margin.min() > 0:
            return Likeliest(torch.from_numpy(back @ u), 0.0, attained=False)
        step, worth = _newton(signed, weights, margin, u)
        now, moved = _loss(margin, weights @ u), signed @ step
        if worth <= SETTLED * now:
            if abs(moved).max() <= STANDS:
                u = u + step
                return Likeliest(torch.from_numpy(back @ u), _loss(signed @ u, weights @ u), attained=True)
            if penalty is None and (parted := _parted(moved)) is not None:
                loss = float(np.logaddexp(0, -margin[~parted]).sum()) / len(margin)
                return Likeliest(torch.from_numpy(back @ u), loss, attained=False)
        length_of_step = 1.0
        while _loss(signed @ (u + length_of_step * step), weights @ (u + length_of_step * step)) > now:
            length_of_step /= 2
            if length_of_step < STANDS:
                break
        u = u + length_of_step * step
    return None


def _newton(
    signed: np.ndarray, weights: np.ndarray, margin: np.ndarray, u: np.ndarray
) -> tuple[np.ndarray, float]:
    """Newton's step, [P], and the square of its length by the Hessian: twice what it brings, where the loss is a parabola."""
    root = np.exp(-0.5 * (np.logaddexp(0, margin) + np.logaddexp(0, -margin)))  # √(p(1 − p))
    rows = np.concatenate([signed * root[:, None] / len(signed) ** 0.5, 2**0.5 * weights])
    pull = np.concatenate([np.exp(-0.5 * margin) / len(signed) ** 0.5, -(2**0.5) * (weights @ u)])
    step = np.linalg.lstsq(rows, pull, rcond=None)[0]
    return step, float(np.square(rows @ step).sum())


def _loss(margin: np.ndarray, weighted: np.ndarray) -> float:
    return float(np.logaddexp(0, -margin).mean() + np.square(weighted).sum())


def _parted(moved: np.ndarray) -> np.ndarray | None:
    """Rows that a direction moves to their side for ever, [N], if it moves no other; else None."""
    gone = moved > RUNS
    return gone if gone.any() and abs(moved[~gone]).max(initial=0.0) <= STANDS else None
