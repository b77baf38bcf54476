"""The strip under the learning rate: what it is given for each problem."""

from dataclasses import replace

import numpy as np
import pytest
from train_page import Lab

from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import ZONES_SAID, curvature_of


def strip(**query: str):
    lab = Lab(**query)
    return lab.component("rate"), lab


def test_a_slow_run_is_not_called_fast_and_the_best_is_no_warning():
    """28 % of the limit is what the steepest direction feels; how long the run takes stands beside it."""
    data, _ = strip(dataset="noisy-quadratic", learning_rate="1e-5", epochs="1000")
    said = {zone["name"]: zone["says"] for zone in data["zones"]}
    assert said["steady"] == "no direction zigzags"
    assert said["zigzags"] == "the steepest direction zigzags, closer each time"
    assert data["wait"] == "It takes some 1,700,000 epochs to within 1 % of the floor."
    data, _ = strip(learning_rate="0.358", scale_features="true")
    assert data["wait"] == "It takes some 23 epochs to within 1 % of the floor."


def test_the_safe_rate_is_one_of_the_stops():
    """Half the limit for plain descent, the first of them; where both best rates are one, they are one stop."""
    data, lab = strip()
    stops = {stop["label"]: stop["rate"] for stop in data["stops"]}
    assert list(stops) == ["Safe", "Limit", "Best for 1,000 epochs and more"]
    features = build(lab.experiment).linear.features.numpy()
    steepest = np.linalg.eigvalsh(2 / len(features) * features.T @ features)[-1]
    assert stops["Safe"] == pytest.approx(1 / steepest, rel=5e-3)
    assert stops["Limit"] == pytest.approx(2 / steepest)
    words = " ".join(element.proto.body for element in lab.at.get("html"))
    assert f"<td>Safe rate</td><td>{stops['Safe']}</td>" in words
    data, _ = strip(epochs="1")
    assert [stop["label"] for stop in data["stops"]] == [
        "Safe",
        "Limit",
        "Best for 1 epoch",
        "Best in the long run",
    ]


@pytest.mark.parametrize(
    ("query", "label"),
    [({"optimizer": "adam", "learning_rate": "1"}, "To begin with"), ({"batch_size": "5"}, "Safe")],
)
def test_without_a_limit_there_is_still_a_rate_to_begin_with(query, label):
    """And no zone, and no promise of how long it takes."""
    data, _ = strip(**query)
    assert [stop["label"] for stop in data["stops"]] == [label]
    assert data["zones"] == []
    assert data["wait"] == ""
    assert data["reason"]


def test_under_a_schedule_the_strip_is_that_of_its_epochs():
    """The best η is that of the schedule, the zone above the limit is for the first epochs, and it says until which one; a warm-up keeps its end."""
    steps = replace(
        Experiment.default("noisy-quadratic"), scale_features=True, learning_rate=0.6, schedule="step:7:0.5", epochs=25
    )  # fmt: skip
    data = strip(**steps.to_query())[0]
    problem = build(steps)
    curvature = curvature_of(problem.objective)
    limit = 2 / curvature.largest
    assert data["zones"][-1] == {
        "name": "diverges", "label": "too large", "to": None, "says": ZONES_SAID["too large at first"]
    }  # fmt: skip
    (best,) = [stop for stop in data["stops"] if stop["label"].startswith("Best")]
    assert (best["label"], "under this schedule" in best["hint"]) == ("Best for 25 epochs", True)
    left = [
        float(record(replace(steps, learning_rate=one)).epoch_rmse[-1])
        for one in (best["rate"], *np.linspace(0.02, 1, 50) * limit)
    ]
    assert min(left) >= left[0] * (1 - 1e-9)
    near = record(steps).epoch_rmse <= 1.01 * curvature.floor_rmse
    arrived = next(k for k in range(26) if near[k:].all())
    assert data["wait"] == (
        f"The rate is above the limit {limit:.3g} until epoch 7, up to {0.6 / limit:.3g} × as large. "
        f"It takes {arrived} epochs to within 1 % of the floor."
    )
    slow, lost = (strip(**replace(steps, learning_rate=one).to_query())[0]["wait"] for one in (0.01, 2.0))
    assert slow == "In 25 epochs it does not come within 1 % of the floor."
    assert record(replace(steps, learning_rate=2.0)).diverged_at
    assert lost.endswith(f"up to {2 / limit:.3g} × as large. {slow}")
    ends = replace(steps, schedule="cosine:0:0.5")
    names = [(zone["label"], zone["to"]) for zone in strip(**ends.to_query())[0]["zones"][-2:]]
    assert names == [("too large", pytest.approx(2 * limit)), ("diverges", None)]
    warm = strip(**replace(steps, schedule="constant", warmup=5).to_query())[0]
    assert warm["zones"][-1]["label"] == "diverges"
    assert "Best in the long run" in [stop["label"] for stop in warm["stops"]]
