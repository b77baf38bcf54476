"""A network of two units on the Train page. What is said of it is held by `tests/core/test_two_layer.py`."""

from dataclasses import replace

import pytest
from train_page import Lab

from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from pages.ui.charts.relief import KNOTS
from pages.ui.player import tabs

DOSE = Experiment.default("dose")


def test_its_map_is_a_slice_through_any_two_parameters():
    """It says so; another axis is chosen as on every map; all six parameters stand in the table of numbers."""
    lab = Lab(**DOSE.to_query(), axes="b₁,v₂").press("train")
    text = [chart.alt for chart in lab.charts][1]
    assert text.startswith("Level lines of the loss over b₁ and v₂, which has several valleys, a slice")
    words = "".join(element.proto.body for element in lab.at.get("html"))
    assert all(f"<td>{name}</td>" in words for name in DOSE.info.parameters)
    lab.at.selectbox(key="axes y").set_value(0).run()
    assert [chart.alt for chart in lab.charts][1].startswith("Level lines of the loss over b₁ and w₁")


def test_in_relief_the_other_parameters_are_where_the_run_is_last():
    """The net has the loss at its corners, the four other parameters as at the end."""
    lab = Lab(**DOSE.to_query(), axes="w₁,v₁").press("train")
    lab.at.session_state["tab"] = tabs.RELIEF
    losses, end = lab.run().component("relief")["table"]["net.loss"], record(DOSE).epoch_theta[-1]
    corners = end.repeat(2, 1)
    corners[:, 0], corners[:, 4] = end.new_tensor([-4.0, 4.0]), -2.5
    a, b = build(DOSE).objective.many(corners).tolist()
    first, last = (float(losses[i]) for i in (0, KNOTS - 1))
    assert last - first == pytest.approx(b - a, rel=1e-5)


def test_at_0_nothing_happens_and_the_page_says_why():
    """The map over w₁ and v₁ shows the saddle; over two that alone change nothing it is level, and stands all the same."""
    lab = Lab(**replace(DOSE, start=(0.0,) * 6, epochs=50).to_query()).press("train")
    assert [chart.alt for chart in lab.charts][1].startswith("Level lines of the loss over w₁ and v₁")
    said = lab.player["summary"]
    assert said.startswith(
        "Standing still after 50 epochs, at RMSE 1.16496. Nothing happens: the slope is 0 here along every parameter."
    )
    assert "Each unit gives tanh 0 = 0" in said
    assert "That is a saddle: it falls off along 2 directions" in said
    for axis, number in (("x", 0), ("y", 1)):
        lab.at.selectbox(key=f"axes {axis}").set_value(number).run()
    assert [chart.alt for chart in lab.charts][1].startswith("Level lines of the loss over w₁ and w₂")
