"""The lesson of the shape mistake, without a browser: its question, the table, what was printed beside this run."""

import re
from dataclasses import replace

import numpy as np
import pytest
from lesson_page import LessonPage

from gd_core.problem import build
from gd_core.published import PLANE, PLANE_PREDICTIONS, PLANE_TABLE
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment

RUN = {"dataset": "two-features", "learning_rate": "0.001", "epochs": "1000", "loss": "mse-broadcast"}
MENDED = {name: text for name, text in RUN.items() if name != "loss"}
MARKED = r"<b>([−\d.]*)</b><span class=\"pale\">([−\d.]*)</span>"


def numbers(pairs):
    return [float((same + rest).replace("−", "-")) for same, rest in pairs]


def test_unanswered_no_number_of_ours_stands_beside_a_printed_one():
    """The question has the printed losses of the published run; of another run it claims nothing."""
    page = LessonPage("broadcasting")
    assert "–</span>" not in page.words
    assert "The article’s loss falls from 14.18 to 2.80. Is its model right?" in page.words
    for query in (MENDED, RUN | {"learning_rate": "0.01"}, RUN | {"learning_rate": "1.5", "epochs": "100"}):
        page = LessonPage("broadcasting", **query)
        assert "Does this loop find the plane that made the data?" in page.words
        assert "The article’s loss falls" not in page.words


def test_the_forty_printed_numbers_stand_beside_ours():
    """All as printed, ours under each to as many digits, the same digits marked; nine of ten losses wholly."""
    words = LessonPage("broadcasting").skip().words
    (table,) = re.findall(r"<table class=\"live beside printed\">.*?</table>", words)
    cells = re.findall(MARKED, table)
    theirs, ours = cells[::2], cells[1::2]
    assert numbers(theirs) == [n for line in PLANE_TABLE for n in (*line.weight, line.bias, line.loss)]
    recording = record(PLANE)
    exact = [
        n
        for line in PLANE_TABLE
        for n in (*recording.theta[line.epoch].tolist(), recording.loss[line.epoch - 1].item())
    ]
    assert numbers(ours) == pytest.approx(exact, abs=6e-5)
    assert sum(not rest for _, rest in theirs[3::4]) == 9


def test_the_first_five_predictions_stand_between_printed_and_target():
    """Printed and ours are the same to the last digit; the targets are something else."""
    words = LessonPage("broadcasting").skip().words
    (table,) = re.findall(r"The first five predictions.*?</table>", words)
    assert numbers(re.findall(MARKED, table)[::2]) == list(PLANE_PREDICTIONS)
    assert all(not rest for _, rest in re.findall(MARKED, table))
    assert "−2.4823" in table
    assert "−6.1265" in table


def test_the_picture_holds_the_differences_that_pytorch_makes():
    """At every epoch the sums of the player give ŷᵢ − yⱼ, as NumPy subtracts [N, 1] and [N]."""
    player = LessonPage("broadcasting").skip().player
    table, sums = player["table"], player["sums"]

    def column(name):
        if name in table:
            return table[name].to_numpy().astype(float)
        return np.sum([weight * column(part) for part, weight in sums[name]], axis=0)

    problem, theta = build(PLANE), record(PLANE).theta
    features, target = problem.linear.features[:4].numpy(), problem.objective.target[:4].numpy()
    for epoch in (0, 1, 500, 1000):
        meant = (features @ theta[epoch].numpy()).reshape(4, 1) - target
        shown = np.array([[column(f"e{i}_{j}")[epoch] for j in range(4)] for i in range(4)])
        np.testing.assert_allclose(shown, meant, atol=1e-5)


def test_mending_shows_the_shapes_and_the_diagonal_alone():
    """(1000, 1) − (1000,) is a million differences, (1000, 1) − (1000, 1) a thousand."""
    mistaken = LessonPage("broadcasting").skip().words
    assert "1,000,000 differences" in mistaken
    assert mistaken.count('data-live="e') == 16
    mended = LessonPage("broadcasting", **MENDED).skip().words
    assert "1,000 differences: each prediction minus its own target" in mended
    assert mended.count('data-live="e') == 4
    assert "y_hat - y[:, None]" in mended


def test_the_lesson_tells_of_the_signs_and_of_the_rate():
    """What was printed as optimal, with its sign and beside the data's; and the rate that never acts."""
    words = LessonPage("broadcasting").skip().words
    for row in (
        ("w₁", "0.0371", "−0.0371", "+1.3"),
        ("w₂", "0.0557", "+0.0557", "−1.0"),
        ("b", "2.9878", "−2.9878", "−3.5"),
    ):
        assert "<td>" + "</td><td>".join(row) + "</td>" in words
    assert "<s>learning_rate = 0.01</s>" in words
    assert "learning_rate = 0.001  <i># overwritten</i>" in words


def test_both_errors_are_drawn_and_named():
    """The root of the minimised loss and the error against the data are two lines; mended they are one."""
    mistaken, mended = LessonPage("broadcasting").skip(), LessonPage("broadcasting", **MENDED).skip()
    assert "RMSE against the data" in mistaken.words
    assert "√ of the minimised loss" in mistaken.words
    path = mistaken.table(1, "path").to_pydict()
    assert path["root_loss"][-1] == pytest.approx(1.6737, abs=1e-4)
    assert path["rmse"][-1] == pytest.approx(1.7307, abs=1e-4)
    path = mended.table(1, "path").to_pydict()
    assert path["root_loss"] == pytest.approx(path["rmse"])
    assert mistaken.charts[1].spec == mended.charts[1].spec  # so that mending draws nothing anew


@pytest.mark.parametrize("points", ["3", "4", "10000"])
def test_other_numbers_of_rows_fit_into_the_picture(points):
    """Three rows are all shown, ten thousand are counted."""
    page = LessonPage("broadcasting", **(RUN | {"points": points, "epochs": "20"})).skip()
    assert page.words.count('data-live="e') == min(4, int(points)) ** 2
    assert f"{int(points) ** 2:,} differences" in page.words


def test_the_links_hold_this_run_and_its_twin():
    """To Train as it is and mended, mended first where it is mended; the last link is the next lesson. The twin of the
    mistaken run would tell the answer, so it comes after it."""
    assert len(LessonPage("broadcasting", **RUN).links) == 2
    for query, loss, other in ((RUN, "mse-broadcast", "mse"), (MENDED, "mse", "mse-broadcast")):
        links = LessonPage("broadcasting", **query).skip().links
        for (_, _, link), wanted in zip(links[:2], (loss, other), strict=True):
            assert Experiment.from_query(link) == (replace(PLANE, loss=wanted, engine="auto"), [])
        assert links[-1][1] == "glossary"
