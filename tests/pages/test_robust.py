"""Losses beside the square on Train: the map of the loss itself, and a rate to begin with."""

import numpy as np
import pytest
from sklearn.linear_model import QuantileRegressor
from train_page import Lab

from gd_core.problem import build
from gd_core.recorder import record

LINE = {
    "dataset": "table",
    "table": "anscombe",
    "features": "x",
    "target": "y3",
    "loss": "absolute",
    "learning_rate": "0.05",
    "epochs": "50",
}
CURVE = {
    "dataset": "noisy-quadratic",
    "scale_features": "true",
    "loss": "huber",
    "delta": "2",
    "learning_rate": "0.1",
    "epochs": "30",
}
YES_OR_NO = {"dataset": "pass-or-fail", "learning_rate": "0.5", "epochs": "20"}


def rho(told, y, query):
    """The loss of each row, written out."""
    if "loss" not in query:
        return np.logaddexp(0, (1 - 2 * y) * told)
    size, delta = abs(told - y), float(query.get("delta", 1))
    return (
        size
        if query["loss"] == "absolute"
        else np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))
    )


@pytest.mark.parametrize(
    "query",
    [LINE, CURVE, CURVE | {"penalty": "0.1"}, YES_OR_NO, YES_OR_NO | {"penalty": "0.1"}],
    ids=["line", "curve", "penalised", "yes or no", "yes or no, penalised"],
)
def test_the_rings_are_those_of_the_loss(query):
    """On each line of the map the loss, written out in NumPy, is one number; of a line no point of the map is lower than its diamond."""
    lab = Lab(**query).press("train")
    assert lab.complaints == []
    assert lab.charts[1].alt.startswith("Level lines of the loss over ")
    objective = build(lab.experiment).linear
    phi, y = objective.features.numpy(), objective.target.numpy()
    frame = {name: values[0] for name, values in lab.table(1, "frame").to_pydict().items()}
    lowest = np.array([frame["ou"], frame["ov"]])
    each = float(query.get("penalty", 0)) * (np.arange(phi.shape[1]) < phi.shape[1] - 1)

    def loss(theta):
        return rho(phi @ theta, y, query).mean() + (each * theta**2).sum()

    rows = lab.table(1, "lines").to_pandas().dropna()
    axes = [0, 2] if query["dataset"] == "noisy-quadratic" else [0, 1]
    others = [i for i in range(phi.shape[1]) if i not in axes]
    places = rows[["dx", "dy"]].to_numpy() + lowest
    rest = record(lab.experiment).theta[-1].numpy()[others]  # a slice through where the run is last
    lowest_ring = np.inf
    for level in sorted(set(rows["level"])):
        found = []
        for place in places[rows["level"] == level]:
            theta = np.zeros(phi.shape[1])
            theta[axes], theta[others] = place, rest
            found.append(loss(theta))
        assert np.ptp(found) < 0.03 * np.mean(found)
        lowest_ring = min(lowest_ring, *found)
    corner = np.zeros(phi.shape[1])
    corner[axes], corner[others] = lowest, rest
    assert others or loss(corner) <= lowest_ring


def test_the_diamond_is_other_peoples_line():
    """scikit-learn's median regression; a click elsewhere sets the start there."""
    lab = Lab(**LINE).press("train")
    objective = build(lab.experiment).linear
    fitted = QuantileRegressor(quantile=0.5, alpha=0, solver="highs").fit(
        objective.features[:, :1].numpy(), objective.target.numpy()
    )
    frame = {name: values[0] for name, values in lab.table(1, "frame").to_pydict().items()}
    assert [frame["ou"], frame["ov"]] == pytest.approx([fitted.coef_[0], fitted.intercept_], abs=0.02)


def test_the_strip_has_a_rate_to_begin_with():
    """On the track, with its reason; of a loss of yes or no as well, and none in mini-batches."""
    for query, label in ((LINE, "To begin with"), (CURVE, "Safe"), ({"dataset": "pass-or-fail"}, "Safe")):
        data = Lab(**query).component("rate")
        (stop,) = data["stops"]
        assert stop["label"] == label
        assert data["low"] < stop["rate"] < data["high"]
        assert not data["zones"]
        assert data["reason"]
    assert not Lab(**LINE, batch_size="3").component("rate")["stops"]
