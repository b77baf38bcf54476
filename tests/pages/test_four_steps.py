"""The lesson of the four steps, without a browser: its question, its moments, what is printed beside what."""

import math
import re

import pytest
from lesson_page import LessonPage

from gd_core.published import QUADRATIC, QUADRATIC_RMSE
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment

RUN = {"dataset": "noisy-quadratic", "learning_rate": "1e-5", "epochs": "10"}
SCALED = RUN | {"scale_features": "true", "learning_rate": "0.2"}
FIT, ERROR, FIRST_PANEL = 0, 1, 2


def test_unanswered_the_charts_show_the_start_alone():
    """One moment, the start; no error is drawn or printed, and the panels have no crosses."""
    page = LessonPage("four_steps")
    assert page.table(ERROR, "path").num_rows == 0
    assert page.table(FIT, "run").num_rows == 1
    assert page.words.count("–</span>") == 10
    assert "best possible" not in page.words
    for panel in range(1, 6):  # of the start itself nothing is hidden
        fitted = page.table(FIRST_PANEL + panel, "points")["fitted"].to_pylist()
        assert all(value is None or math.isnan(value) for value in fitted)


def test_each_epoch_is_two_moments_with_one_stage_each():
    """Start, then loss and step of epochs 0 to 9, then stop; the sentence, the name and the stage agree."""
    player = LessonPage("four_steps").skip().player
    table = player["table"]
    assert player["last"] == player["planned"] == 21
    assert table["stage"].tolist() == [0, *[1, 2] * 10, 3]
    assert player["names"] == [
        "start",
        *(f"epoch {k} · {stage}" for k in range(10) for stage in ("loss", "step")),
        "stop",
    ]
    words = [player["templates"][choice] for choice in table["template"]]
    for stage, sentence in zip(table["stage"], words, strict=True):
        assert ("Initialise", "loss", "step", "Stop")[int(stage)] in sentence
    assert table["rmse"][1::2][:10].tolist() == pytest.approx(QUADRATIC_RMSE, rel=1e-6)
    # The loop prints nothing after its last.
    assert table["printed"].tolist()[-1] == table["printed"].tolist()[-2]


def test_charts_know_what_their_stage_knows():
    """An error is drawn from its Loss on; a panel's crosses too; the best curve and the floor wait for Stop."""
    page = LessonPage("four_steps").skip()
    assert page.table(ERROR, "path")["epoch"].to_pylist() == [*range(1, 20, 2), 21]
    assert page.table(ERROR, "path")["k"].to_pylist() == [*range(11)]
    for panel in range(6):
        assert page.table(FIRST_PANEL + panel, "frame")["shown_from"].to_pylist() == [2 * panel + 1]
    assert page.table(FIT, "frame")["stop"].to_pylist() == [21]
    run, theta = page.table(FIT, "run"), record(QUADRATIC).theta
    assert run["p0"].to_pylist()[2::2][:10] == pytest.approx(theta[1:, 0].tolist(), rel=1e-6)
    assert run["q0"].to_pylist()[2::2][:10] == pytest.approx(theta[:-1, 0].tolist(), rel=1e-6)


def test_the_printed_errors_stand_beside_ours_digit_by_digit():
    """All ten are there as printed; at least six digits of each are marked as the same in both columns."""
    words = LessonPage("four_steps").skip().words
    (table,) = re.findall(r"<table class=\"live beside\">.*?</table>", words)
    cells = re.findall(r"<b>([\d.]*)</b><span class=\"pale\">(\d*)</span>", table)
    theirs, ours = cells[::2], cells[1::2]
    assert [float(same + rest) for same, rest in theirs] == list(QUADRATIC_RMSE)
    assert [same for same, _ in theirs] == [same for same, _ in ours]
    assert min(len(same) for same, _ in theirs) >= len("18.0378")


def test_the_question_claims_nothing_of_another_run():
    """The published numbers stand in it for the published run alone."""
    assert "The article’s RMSE ends at" in LessonPage("four_steps").words
    for query in (SCALED, SCALED | {"epochs": "40"}, RUN | {"learning_rate": "5e-5"}):
        page = LessonPage("four_steps", **query)
        assert "How good is the curve when the loop stops?" in page.words
        assert "The article’s RMSE ends at" not in page.words


def test_a_run_that_diverges_ends_where_it_did():
    """Eleven epochs of twenty are kept, Stop is the last moment, and the code does not say that the count was over."""
    page = LessonPage("four_steps", **(RUN | {"learning_rate": "5e-5", "epochs": "20"})).skip()
    player = page.player
    assert player["last"] == 2 * 11 + 1
    assert player["planned"] == 41
    assert player["table"]["stage"].tolist()[-1] == 3
    assert "Diverged at epoch 12" in player["summary"]
    assert "range(20) is used up" not in page.words
    assert "the loss has blown up at epoch 12" in page.words


def test_one_epoch_is_a_run_too():
    """Start, loss, step, stop, and one panel."""
    page = LessonPage("four_steps", **(RUN | {"epochs": "1"})).skip()
    assert page.player["names"] == ["start", "epoch 0 · loss", "epoch 0 · step", "stop"]
    assert len(page.charts) == 3


def test_reset_is_the_same_start():
    """After another rate the published run comes back with one press, from the same start."""
    page = LessonPage("four_steps").answer("far")
    start = page.player["table"]["p0"][0]
    page.type(learning_rate="2e-5").press("example_0")
    assert page.text("learning_rate") == "1e-5"
    assert page.player["table"]["p0"][0] == start


def test_the_links_hold_exactly_this_run():
    """To the landscape and to Train with these settings; the last link is the next lesson."""
    page = LessonPage("four_steps", **SCALED)
    experiment, _ = Experiment.from_query(SCALED)
    links = page.links
    assert [target for _, target, _ in links] == ["landscape", "train", "gradient"] or [
        target for _, target, _ in links
    ] == ["landscape", "", "gradient"]
    for _, _, query in links[:2]:
        assert Experiment.from_query(query) == (experiment, [])
