"""The canvas of the loss in relief alone. Oracle: NumPy, which projects by itself; pixels are read from the canvas."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from component import Component
from gd_core.landscape import box_of
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import parabola_of
from pages.ui.charts.model import RecordedRun
from pages.ui.charts.relief import RAISED, SEEN, STRETCHED, relief, terrain
from pages.ui.look.palette import palette
from pages.ui.player.relief import told
from pages.ui.settings import lesson

HEIGHT, ROOM = 300, 12
LIGHT = palette("light")
BOWL = lesson.experiment("two-features", learning_rate=0.1, epochs=20)
WAVE = replace(Experiment.default("tide"), epochs=20)
PIXEL = """([x, y]) => {
    const canvas = document.getElementById('host').shadowRoot.querySelector('canvas');
    const scale = canvas.width / canvas.clientWidth;
    return [...canvas.getContext('2d').getImageData(Math.round(x * scale), Math.round(y * scale), 1, 1).data];
}"""
WIDTH = "() => document.getElementById('host').shadowRoot.querySelector('canvas').clientWidth"
TURNED = """([turn, tilt, epoch]) => new Promise((done) => {
    const root = document.getElementById('host').shadowRoot;
    for (const [name, value] of [['turn', turn], ['tilt', tilt]]) {
        const slider = root.querySelector(`input[name=${name}]`);
        slider.value = value;
        slider.dispatchEvent(new Event('input'));
    }
    document.body.dataset.epoch = document.body.dataset.seen = epoch;
    document.dispatchEvent(new Event('moved'));
    alone.pass(0.1);
    done();
})"""


def drawn(mounted: Callable[..., Component], experiment: Experiment) -> tuple[Component, Any]:
    problem = build(experiment)
    run = RecordedRun(experiment, problem, parabola_of(experiment, problem.objective), record(experiment))
    names = experiment.trained_names[:2]
    if shown := box_of(experiment, problem.start):
        view = terrain(run, shown, (0, 1), names, LIGHT, HEIGHT)
    else:
        view = relief(run, (0, 1), names, LIGHT, HEIGHT)
    said, columns = told(view, names, LIGHT, HEIGHT)
    return mounted("relief", said | {"table": columns}), view


def seen(place: tuple[float, float, float], turn: float, tilt: float, width: float) -> tuple[float, float]:
    """Where a place of the box is, in pixels from the canvas's upper left corner."""
    u, v, height = place
    round_, up = np.radians(turn), np.radians(tilt)
    right = u * np.cos(round_) + v * np.sin(round_)
    rise = (v * np.cos(round_) - u * np.sin(round_)) * np.sin(up) + RAISED * (height - 0.3) * np.cos(up)
    across, down = SEEN * max(1, width / HEIGHT / STRETCHED), SEEN * max(1, HEIGHT / width)
    return width / 2 * (1 + right / across), ROOM + HEIGHT / 2 * (1 - rise / down)


def colour(one: Component, x: float, y: float) -> str:
    red, green, blue, _ = one.page.evaluate(PIXEL, [x, y])
    return f"#{red:02X}{green:02X}{blue:02X}"


@pytest.mark.parametrize("experiment", [BOWL, WAVE], ids=["bowl", "wave"])
def test_the_run_is_where_its_loss_is(mounted: Callable[..., Component], experiment: Experiment):
    """The dot has the run's colour in its middle at each epoch and from each side; where it was before, it has not."""
    one, view = drawn(mounted, experiment)
    width, rows = one.page.evaluate(WIDTH), view.tables["run"].to_pylist()
    before = None
    for turn, tilt, epoch in ((30, 30, 0), (-100, 0, 3), (170, 65, 20), (30, 90, 1)):
        one.page.evaluate(TURNED, [turn, tilt, epoch])
        row = rows[epoch]
        place = seen((row["u"], row["v"], row["h"] / row["top"]), turn, tilt, width)
        assert colour(one, *place) == LIGHT.run, (turn, tilt, epoch)
        if before and np.hypot(*np.subtract(before, place)) > 30:
            assert colour(one, *before) != LIGHT.run
        before = place


def test_it_is_turned_by_keys_and_by_the_pointer(mounted: Callable[..., Component]):
    """An arrow turns it by a degree, a drag by half a degree a pixel; both are said, and the picture is another."""
    one, _ = drawn(mounted, BOWL)
    turn, tilt = (one.page.get_by_role("slider", name=name) for name in ("turn", "tilt"))
    turn.focus()
    one.page.keyboard.press("ArrowRight")
    assert (turn.input_value(), turn.get_attribute("aria-valuetext")) == ("31", "31 degrees")
    box = one.page.get_by_role("img").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    one.page.mouse.move(x, y)
    one.page.mouse.down()
    one.page.mouse.move(x + 60, y + 20)
    one.page.mouse.up()
    assert (turn.input_value(), tilt.input_value()) == ("61", "40")
    one.page.mouse.move(x, y)
    assert turn.input_value() == "61"
