"""Whether two classes can be parted, by other people's linear program."""

import numpy as np
from scipy.optimize import linprog


def parted_by(features, y):
    """Rows that a direction moves to their side, each by up to 1, that moves none to the other: by one linear program."""
    count, size = features.shape
    signed = (2 * y - 1)[:, None] * features
    found = linprog(
        np.concatenate([np.zeros(size), -np.ones(count)]),
        A_ub=np.hstack([-signed, np.eye(count)]),
        b_ub=np.zeros(count),
        bounds=[(-1e4, 1e4)] * size + [(0, 1)] * count,
    )
    return found.x[size:] > 0.5
