"""The lesson of the four steps, without a browser: its question, its moments, what is printed beside what."""

import math
import re

import pytest
from lesson_page import LessonPage

from gd_core.experiment import Experiment
from gd_core.published import QUADRATIC, QUADRATIC_RMSE
from gd_core.recorder import record

FAR = "it is far from the best: above 2 × its RMSE"
RUN = {"dataset": "noisy-quadratic", "learning_rate": "1e-5", "epochs": "10"}
SCALED = RUN | {"scale_features": "true", "learning_rate": "0.2"}
FIT, ERROR, FIRST_PANEL = 0, 1, 2


def test_unanswered_nothing_of_the_run_is_shown():
    """One moment, the start; no error is drawn or printed, the panels have no crosses, and the player rests."""
    page = LessonPage("four_steps")
    assert not page.player["trained"]
    assert len(page.player["table"]) == 1
    assert page.player["summary"] == ""
    assert page.table(ERROR, "path").num_rows == 0
    assert page.table(FIT, "run").num_rows == 1
    assert page.words.count("–</span>") == 10
    assert "best possible" not in page.words
    for panel in range(1, 6):  # of the start itself nothing is hidden
        fitted = page.table(FIRST_PANEL + panel, "points")["fitted"].to_pylist()
        assert all(value is None or math.isnan(value) for value in fitted)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("far", f"You were right: {FAR}. It stopped because 10 epochs were counted."),
        ("best", f"You said: it is the best curve. What happened: {FAR}. It stopped because"),
    ],
)
def test_an_answer_is_judged_by_the_run(answer, said):
    """18.0377 is 12.3 times the floor; the right answer says so, and so does a wrong one."""
    page = LessonPage("four_steps").answer(answer)
    assert page.player["summary"].startswith(said)
    assert "RMSE 18.0377 is 12.3 × the floor 1.46727" in page.player["summary"]
    assert page.player["play"]


def test_skipped_and_not_asked():
    """Both show the run and judge nothing; with the question off the page opens with the run."""
    for page in (LessonPage("four_steps").skip(), LessonPage("four_steps", ask="false", **RUN)):
        assert page.player["trained"]
        assert page.player["summary"].startswith("It stopped because 10 epochs were counted.")


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
    assert (
        table["printed"].tolist()[-1] == table["printed"].tolist()[-2]
    )  # the loop prints nothing after its last


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


@pytest.mark.parametrize(
    ("query", "truth"),
    [
        (SCALED, "nearly the best"),
        (SCALED | {"epochs": "40"}, "the best curve"),
        (RUN | {"learning_rate": "5e-5"}, "worse than the start"),
        (RUN | {"learning_rate": "5e-5", "epochs": "20"}, "worse than the start"),
    ],
)
def test_the_truth_follows_the_settings(query, truth):
    """Scaled time, more epochs or another rate change the right answer, and the question makes no claim then."""
    page = LessonPage("four_steps", **query)
    assert "How good is the curve when the loop stops?" in page.words
    page.answer("far")
    assert f"What happened: it is {truth}" in page.player["summary"]


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


HOSTILE = [
    ({"learning_rate": "fast"}, "learning_rate must be a number. Got fast."),
    ({"epochs": "61"}, "epochs must be between 1 and 60 in this lesson. Got 61."),
    ({"epochs": "0"}, "epochs must be a whole number between 1 and 1,000,000. Got 0."),
    ({"dataset": "two-features"}, "dataset must be noisy-quadratic in this lesson. Got two-features."),
    ({"optimizer": "adam"}, "optimizer must be gradient-descent in this lesson. Got adam."),
    ({"loss": "mse-broadcast"}, "loss must be mse in this lesson. Got mse-broadcast."),
    ({"batch_size": "5"}, "batch_size must be 0 in this lesson. Got 5."),
    (
        {"before": "3,gradient-descent,1e-05"},
        "before must be nothing in this lesson. Got 3,gradient-descent,1e-05.",
    ),
    ({"ask": "maybe"}, "ask must be true or false. Got maybe."),
]


@pytest.mark.parametrize(("query", "sentence"), HOSTILE)
def test_a_hostile_link_costs_one_sentence(query, sentence):
    """The bad value is named with its rule, and the lesson opens with a good one."""
    page = LessonPage("four_steps", **(RUN | query))
    assert page.complaints[0].startswith(sentence)
    assert page.complaints[1:] in ([], ["The lesson opens with its own settings."])
    assert page.text("learning_rate") == "1e-5"
    assert page.skip().player["summary"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"learning_rate": ""}, "learning_rate must be a number. Got nothing. Using 1e-5 instead."),
        (
            {"learning_rate": "-1"},
            "learning_rate must be a number between 1e-18 and 1,000,000. Got -1.0. Using",
        ),
        ({"epochs": "1e3"}, "epochs must be a whole number. Got 1e3. Using 10 instead."),
        ({"epochs": "99999"}, "epochs must be between 1 and 60 in this lesson. Got 99999. Using 10 instead."),
    ],
)
def test_a_bad_number_is_said_and_kept(typed, sentence):
    """What was typed stays in the field; the run goes on with the last good value."""
    page = LessonPage("four_steps").type(**typed)
    assert page.complaints[0].startswith(sentence)
    ((name, text),) = typed.items()
    assert page.text(name) == text
    assert page.skip().player["last"] == 21


def test_a_change_asks_again_and_reset_is_the_same_start():
    """After another rate the question stands again; the published run comes back with one press, from the same start."""
    page = LessonPage("four_steps").answer("far")
    start = page.player["table"]["p0"][0]
    page.type(learning_rate="2e-5")
    assert not page.player["trained"]
    page.press("example_0")
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
