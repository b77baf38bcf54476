"""The lesson about hills and saddles. What is said of its runs is held by `tests/core/lessons/test_hills.py`."""

import re

import numpy as np
from lesson_page import LessonPage

from gd_core.lessons import hills
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment

WAITS = "That comes with the answer."


def test_each_run_to_try_is_another_way_to_end():
    """By NumPy: the RMSE of most runs' last epoch is that of a valley, in the order in which they are offered."""
    page, seen = LessonPage("hills"), []
    for _ in range(6):
        experiment = Experiment.from_query(page.query or {"dataset": "tide", "start": "9.0,0.0"})[0]
        seen.append(float(record(experiment).epoch_rmse[-1]) < 0.2)
        page.skip()
        page.press("predict_another")
    assert seen == [False, True, True, True, False, True]


def test_where_other_starts_end_waits_for_the_answer():
    """Opened before, it says so; with the answer its map is there, with a table, and a choice of areas sets the start."""
    page = LessonPage("hills", ends="true")
    assert WAITS in page.words
    assert not any("where a run that starts there ends" in chart.alt for chart in page.charts)
    page.answer("higher")
    while "the rest is coming" in page.words:
        page.run()
    assert WAITS not in page.words
    (ground,) = [chart for chart in page.charts if "where a run that starts there ends" in chart.alt]
    assert ground.alt.startswith("Level lines of the loss over ω and φ, which has several valleys.")
    page.at.segmented_control("starts").set_value(0)
    page.run()
    start = np.array([float(part) for part in page.query["start"].split(",")])
    experiment = Experiment.from_query(page.query)[0]
    assert float(record(experiment).epoch_rmse[-1]) < 0.2
    assert (abs(start - (9.0, 0.0)) > 0.1).any()
    assert page.answers


def test_further_counts_random_curvatures_and_tells_those_here_after_the_run():
    """The shares are those that are counted; slope and curvatures of the end come with the answer."""
    page = LessonPage("hills", further="true")
    shares = re.findall(r"random Hessians</th>(.*?)</tr>", page.prose)[0]
    assert re.findall("<td>(.*?)</td>", shares)[0] == f"{100 * hills.all_upwards(1):.3g} %"
    assert shares.endswith("<td>none</td>")
    assert "Curvatures here" not in page.words
    assert "the slope is 0 there, and the curvatures go from −" in page.words
    (link,) = [query for label, _, query in page.links if label == "This network from 0, on the Train page"]
    assert link["start"] == "0.0,0.0,0.0,0.0,0.0,0.0"
    page.skip()
    assert "Curvatures here" in page.words


def test_a_run_that_hovers_hears_in_which_valley():
    """Its verdict alone does not say it."""
    page = LessonPage(
        "hills", dataset="tide", batch_size="1", learning_rate="0.05", epochs="40", start="9.0,0.0"
    ).skip()
    best = hills.found(*_of(page)).here.best.rmse
    assert page.player["summary"].startswith("Hovering after 40 epochs")
    assert page.player["summary"].endswith(
        f"It is in the lowest valley that 200 starts know, whose bottom has RMSE {best:.4g}."
    )


def _of(page):
    experiment = Experiment.from_query(page.query)[0]
    return experiment, build(experiment), record(experiment)
