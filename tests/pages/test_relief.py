"""The loss in relief. Oracle: NumPy, which fits and projects by itself; Vega draws."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import vl_convert
from train_page import Lab

from gd_core.landscape import window
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.examples import EXAMPLES, OPENING
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of
from pages.ui.charts.model import RecordedRun
from pages.ui.charts.relief import RAISED, SEEN, STRETCHED, relief
from pages.ui.look.palette import palette
from pages.ui.player import tabs
from pages.ui.settings import lesson

HEIGHT, WIDTH = 300, 520
LIGHT = palette("light")
PLANE = lesson.experiment("two-features", learning_rate=0.1, epochs=20)
QUADRATIC = OPENING.experiment
ABSOLUTE = next(one.experiment for one in EXAMPLES if one.experiment.loss == "absolute")


def run_of(experiment):
    problem = build(experiment)
    return RecordedRun(experiment, problem, curvature_of(problem.objective), record(experiment))


def drawn(view, **parameters):
    """The picture as Vega draws it, as SVG."""
    spec = json.loads(json.dumps(view.spec)) | {"width": WIDTH}
    spec["datasets"] = {name: table.to_pylist() for name, table in view.tables.items()}
    for parameter in spec["params"]:
        parameter["value"] = parameters.get(parameter["name"], parameter.get("value"))
        if parameter["value"] is None:
            del parameter["value"]
    return vl_convert.vegalite_to_svg(spec)


def head(svg):
    """Where the run is, in pixels from the left and from the top of the plot."""
    ((x, y),) = re.findall(
        rf'<path[^>]*translate\(([-\d.]+),([-\d.]+)\)[^>]*fill="{LIGHT.run}"[^>]*stroke="{LIGHT.paper}"', svg
    )
    return float(x), float(y)


@pytest.mark.parametrize(("experiment", "axes"), [(PLANE, (0, 1)), (PLANE, (0, 2)), (QUADRATIC, (0, 2))])
@pytest.mark.parametrize(("turn", "tilt", "epoch"), [(30, 30, 3), (-100, 0, 7), (170, 65, 20)])
def test_the_run_is_where_its_loss_is(experiment, axes, turn, tilt, epoch):
    """Height is the loss above the least squares' of NumPy, and the place is turned and tilted as sliders say."""
    run = run_of(experiment)
    view = relief(run, axes, experiment.trained_names, LIGHT, HEIGHT)
    x, y = head(drawn(view, turn=turn, tilt=tilt, epoch=epoch, seen=epoch))

    data, theta = run.problem.dataset, run.recording.epoch_theta.numpy()
    x_raw, target = data.x.numpy(), data.y.numpy().ravel()
    columns = (
        np.vander(x_raw[:, 0], 3) if x_raw.shape[1] == 1 else np.column_stack([x_raw, np.ones(len(x_raw))])
    )
    best = np.linalg.lstsq(columns, target, rcond=None)[0]
    losses = ((run.problem.raw(run.recording.epoch_theta).numpy() @ columns.T - target) ** 2).mean(1)
    gap = losses - ((columns @ best - target) ** 2).mean()
    shown = window(run.curvature, run.problem.start, axes)
    u, v = ((theta[epoch, list(axes)] - shown.centre) / shown.half).tolist()
    round_, up = np.radians(turn), np.radians(tilt)
    right = u * np.cos(round_) + v * np.sin(round_)
    rise = (v * np.cos(round_) - u * np.sin(round_)) * np.sin(up) + RAISED * (
        gap[epoch] / (1.05 * gap.max()) - 0.3
    ) * np.cos(up)
    across = SEEN * max(1, WIDTH / HEIGHT / STRETCHED)
    assert x == pytest.approx(WIDTH / 2 * (1 + right / across), abs=0.6)
    assert y == pytest.approx(HEIGHT / 2 * (1 - rise / SEEN), abs=0.6)


def test_the_net_lies_under_the_run():
    """A line of the net goes through each of its points at the loss there, worked out by hand for one parabola."""
    run = run_of(PLANE)
    view = relief(run, (0, 1), PLANE.trained_names, LIGHT, HEIGHT)
    frame, first = view.tables["frame"].to_pylist()[0], view.tables["run"].to_pylist()[4]
    away = np.array([first["u"] - first["mu"], first["v"] - first["mv"]])
    net = first["low"] + frame["uu"] * away[0] ** 2 + frame["uv"] * away.prod() + frame["vv"] * away[1] ** 2
    assert net == pytest.approx(first["h"], rel=1e-5)


def test_seen_from_above_the_net_is_flat():
    """At 90° a line of the net is straight, whatever the loss."""
    svg = drawn(relief(run_of(PLANE), (0, 1), PLANE.trained_names, LIGHT, HEIGHT), turn=0, tilt=90)
    nets = [
        path
        for path in re.findall(r'<path[^>]*d="(M[^"]*)"[^>]*stroke-width="0.8"', svg)
        if path.count("L") > 20
    ]
    assert nets
    for path in nets:
        places = np.array([[float(n) for n in place.split(",")] for place in re.split("[ML]", path)[1:]])
        assert min(np.ptp(places[:, 0]), np.ptp(places[:, 1])) < 0.01


def test_train_offers_it_where_there_are_two_parameters():
    """With the map's parameters in its text; a loss over one, or over three and no parabola, has nothing to see from a side."""
    lab = Lab(**PLANE.to_query())
    lab.at.session_state["tab"] = tabs.RELIEF
    shown = lab.run().component("relief")
    assert shown["text"].startswith("The loss over w₁ and w₂ as a net in relief")
    assert shown["names"] == ["w₁", "w₂"]
    for one, there in (
        (PLANE, True),
        (Experiment.default("one-parameter"), False),
        (ABSOLUTE, True),
    ):
        (row,) = [row for row in Lab(**one.to_query()).at.segmented_control if row.key == "tab"]
        assert (tabs.RELIEF in row.options) == there


def test_a_way_that_turns_back_is_drawn_in_the_order_of_its_epochs():
    """A run that jumps to and fro: its line goes right and left, and is not sorted."""
    run = run_of(replace(QUADRATIC, scale_features=False, learning_rate=5e-5))
    svg = drawn(relief(run, (0, 1), QUADRATIC.trained_names, LIGHT, HEIGHT), epoch=6, seen=6)
    way = max(
        re.findall(rf'<path[^>]*d="(M[^"]*)"[^>]*stroke="{LIGHT.run}"[^>]*stroke-width="2.5"', svg), key=len
    )
    across = [float(place.split(",")[0]) for place in re.split("[ML]", way)[1:]]
    steps = np.sign(np.diff(across))
    assert {1, -1} <= set(steps)
