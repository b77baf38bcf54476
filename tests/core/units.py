"""A network of two tanh units by hand, in NumPy: loss, gradient and Hessian, for θ = (w, b, v), [6]."""

import numpy as np


def units_of(theta, x):
    """tanh of each row and unit, and its slope, both [N, 2]."""
    w, b, _ = np.asarray(theta).reshape(3, 2)
    made = np.tanh(np.outer(x, w) + b)
    return made, 1 - made**2


def loss(theta, x, y):
    return np.mean((units_of(theta, x)[0] @ np.asarray(theta)[4:] - y) ** 2)


def jacobian(theta, x):
    """∂ŷᵢ/∂θⱼ by hand, [N, 6]."""
    made, slope = units_of(theta, x)
    inner = slope * np.asarray(theta)[4:]
    return np.hstack([inner * x[:, None], inner, made])


def gradient(theta, x, y):
    off = units_of(theta, x)[0] @ np.asarray(theta)[4:] - y
    return 2 * jacobian(theta, x).T @ off / len(x)


def hessian_by_hand(theta, x, y):
    """(2/N) (JᵀJ + Σ rᵢ ∂²ŷᵢ): of the second part a unit's parameters only meet each other."""
    made, slope = units_of(theta, x)
    v, jac = np.asarray(theta)[4:], jacobian(theta, x)
    off, found = made @ v - y, jac.T @ jac
    for k in range(2):
        bend = off * v[k] * -2 * made[:, k] * slope[:, k]
        found[k, k] += bend @ x**2
        found[2 + k, 2 + k] += bend.sum()
        for one, other, value in (
            (k, 2 + k, bend @ x),
            (k, 4 + k, off * slope[:, k] @ x),
            (2 + k, 4 + k, off @ slope[:, k]),
        ):
            found[one, other] += value
            found[other, one] += value
    return 2 * found / len(x)
