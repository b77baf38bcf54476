"""The lesson of the valley, as a visitor without a browser finds it."""

import re

import numpy as np
import pytest
from lesson_page import LessonPage
from true_landscape import wrong

from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError, Rows
from gd_core.theory import curvature_of
from pages.ui.lessons.landscape.tables import factor

LESSON = "landscape"
PUBLISHED = {"dataset": "noisy-quadratic", "learning_rate": "1e-05", "epochs": "10"}
MAP, GAP = 0, 1
FEATURES = "features of the valley"


@pytest.fixture(scope="module")
def bare():
    """The page as it opens. For tests that only look."""
    return LessonPage(LESSON)


@pytest.fixture(scope="module")
def published():
    """The published run, shown. For tests that only look."""
    return LessonPage(LESSON, **PUBLISHED, guess="flat")


def experiment(page):
    found, sentences = Experiment.from_query(
        {"dataset": "noisy-quadratic", "learning_rate": "1e-05", "epochs": "100"} | page.query
    )
    assert not sentences
    return found


def summary(**link):
    return LessonPage(LESSON, **link).player["summary"]


def features(page, choice):
    page.at.segmented_control(FEATURES).set_value(choice)
    return page.run()


def cells(page, kind):
    """The cells of a table on the page, without their marks."""
    (table,) = [e.proto.body for e in page.at.get("html") if f'valley {kind}"' in e.proto.body]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table)
    return [
        [re.sub(r"<[^>]+>", " ", cell).strip() for cell in re.findall(r"<t[dh]>(.*?)</t[dh]>", row)]
        for row in rows
    ]


# --------------------------------------------------------------------------------------- before and after the answer


def test_it_opens_with_a_start(bare):
    """The start on the map and its gaps; no factor, no run."""
    assert bare.text("learning_rate") == "1e-5"
    assert bare.table(MAP, "path").num_rows == 1
    assert [row[2:4] for row in cells(bare, "directions")[1:]] == [["?", "?"]] * 3


def test_after_the_answer_all_numbers_are_there():
    """The whole run, the share of the gap along one direction, and the factors."""
    page = LessonPage(LESSON).answer("flat")
    assert page.player["last"] == 100
    assert page.player["summary"].endswith("Direction 1 holds 96.9 % of the gap.")
    assert [row[2] for row in cells(page, "directions")[1:]] == ["0.9999974", "0.99984", "0.435"]


def test_a_change_of_the_map_does_not_ask_again():
    """Axes, arrows, slice and the start that is looked at play on; a further start plays anew."""
    page = LessonPage(LESSON).answer("flat")
    take = page.player["id"]
    for name, value in (("axes", "valley"), ("arrows", "log"), ("slice", "optimum"), ("click", "2")):
        page.at.segmented_control(f"{LESSON}.{name}").set_value(value)
        page.run()
        assert page.player["trained"]
        assert page.player["id"] == take
    page.type(more="1, 2, 3")
    assert page.player["trained"]
    assert page.player["id"] != take


@pytest.mark.parametrize(
    ("link", "truth"),
    [
        (PUBLISHED, "flat"),
        (PUBLISHED | {"epochs": "1"}, "steep"),  # 94 % of the gap is still along it
        (PUBLISHED | {"learning_rate": "5e-05", "epochs": "100"}, "steep"),  # diverges
        (PUBLISHED | {"learning_rate": "3.55e-05", "epochs": "100"}, "steep"),  # grows
        (PUBLISHED | {"start": "1.0,-30.0,47.0", "epochs": "100"}, "middle"),
        (PUBLISHED | {"scale_features": "true", "learning_rate": "0.35", "epochs": "100"}, "none"),
        (PUBLISHED | {"scale_features": "true", "learning_rate": "0.4", "epochs": "100"}, "steep"),
        ({"dataset": "two-features", "learning_rate": "0.1", "epochs": "100"}, "none"),
        ({"dataset": "two-features", "learning_rate": "0.001", "epochs": "100"}, "middle"),
    ],
)  # fmt: skip
def test_the_truth_is_what_the_run_did(link, truth):
    """The direction with the largest gap at the end of a run trained on its own, split with NumPy."""
    run, _ = Experiment.from_query(link)
    problem = build(run)
    values, vectors = np.linalg.eigh(curvature_of(problem.objective).hessian.numpy())
    away = (record(run).theta[-1] - curvature_of(problem.objective).optimum).numpy() @ vectors
    largest = ("flat", "middle", "steep")[int(np.argmax(values * away**2))]
    assert truth in (largest, "none")
    assert LessonPage(LESSON, **link, guess=truth).judged.startswith("You were right: ")
    other = "none" if truth != "none" else largest
    assert LessonPage(LESSON, **link, guess=other).judged.startswith("You said: ")


def test_a_diverged_run_says_why():
    """The growth, the share of the limit, and the direction."""
    said = summary(**PUBLISHED | {"learning_rate": "5e-05", "epochs": "1000"}, guess="steep")
    assert said.startswith("Diverged at epoch 12")
    assert "1.41 × the limit" in said
    assert said.endswith("Direction 3 holds 99.999989 % of the gap.")


def test_the_published_run_stopped_because_of_the_flat_direction(published):
    """Its RMSE is the article's, and the rest lies along one direction, which needs 890,277 epochs for a tenth."""
    table = published.player["table"]
    assert table["rmse"].iloc[5] == pytest.approx(18.0739, abs=1e-4)
    assert table["most"].tolist() == [2, 2] + [0] * 9
    assert table["percent0"].iloc[-1] == pytest.approx(96.8, abs=0.1)
    assert cells(published, "directions")[1][3] == "890,277"
    assert "Scale the features, and 0.283 comes within 1 % of the floor" in published.player["summary"]


# ------------------------------------------------------------------------------------------------------ the valley


def test_the_numbers_of_every_epoch_are_the_recordings(published):
    """Gaps along the eigenvectors and their shares, from NumPy."""
    run = experiment(published)
    problem = build(run)
    curve = curvature_of(problem.objective)
    values, vectors = np.linalg.eigh(curve.hessian.numpy())
    gaps = 0.5 * values * ((record(run).theta - curve.optimum).numpy() @ vectors) ** 2
    table = published.player["table"]
    for i in range(3):
        np.testing.assert_allclose(table[f"gap{i}"], gaps[:, i], rtol=1e-5)
        np.testing.assert_allclose(table[f"percent{i}"], 100 * gaps[:, i] / gaps.sum(1), rtol=1e-5)
    np.testing.assert_allclose(table["gap"], gaps.sum(1), rtol=1e-5)


def test_a_gap_below_rounding_is_shown_as_nothing():
    """The chart's axis ends there too."""
    table = LessonPage(LESSON, ask="false").player["table"]
    assert table["gap2"].iloc[-1] == 0
    assert table["gap2"].iloc[10] > 0


@pytest.mark.parametrize("axes", ["1,2", "1,3", "2,3", "valley"])
@pytest.mark.parametrize("scaled", [False, True])
def test_the_map_shows_the_two_coordinates_that_were_chosen(axes, scaled):
    """The path's ends on the map are the start and the end of the run, in parameters or along eigenvectors."""
    link = {"scale_features": "true", "learning_rate": "0.1"} if scaled else {}
    page = LessonPage(LESSON, **{**PUBLISHED, **link}, axes=axes, ask="false")
    run = experiment(page)
    problem = build(run)
    curve, theta = curvature_of(problem.objective), record(run).theta
    if axes == "valley":
        vectors = np.linalg.eigh(curve.hessian.numpy())[1]
        vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(0), range(3)])
        expected = ((theta - curve.optimum).numpy() @ vectors)[:, [0, 2]]
    else:
        expected = theta.numpy()[:, [int(number) - 1 for number in axes.split(",")]]
    path = page.table(MAP, "path").to_pandas()
    ends = path.iloc[[0, -1]]
    np.testing.assert_allclose(ends[["u", "v"]], expected[[0, -1]], rtol=1e-5, atol=1e-6)
    assert ends["epoch"].tolist() == [0, 10]


def test_with_the_others_at_the_optimum_the_lines_stand_still():
    """The lowest point of the slice is the optimum at every epoch; otherwise it moves with the run."""
    for where, still in (("optimum", True), ("run", False)):
        run = LessonPage(LESSON, **PUBLISHED, slice=where, ask="false").table(MAP, "run")
        assert ({*run["mu"].to_pylist()} == {0}) is still


def test_arrows_are_drawn_only_where_they_are_wanted():
    """None by default; of one length, or by powers of ten."""
    for kind, count, log in (("off", 0, 0), ("unit", 80, 0), ("log", 80, 1)):
        page = LessonPage(LESSON, **PUBLISHED, arrows=kind)
        assert page.table(MAP, "arrows").num_rows == count
        assert page.table(MAP, "frame")["log_length"].to_pylist() == [log]


def test_all_settings_of_the_map_share_one_drawing():
    """Starts, arrows, slices, rates and features change tables, not the specification, but for the axes' titles."""
    links = ({}, {"more": "1, 2, 3"}, {"arrows": "log"}, {"slice": "optimum"}, {"learning_rate": "3e-05"})
    charts = [LessonPage(LESSON, **PUBLISHED | link).charts[MAP] for link in links]
    assert len({(chart.spec, chart.alt) for chart in charts}) == 1


# ------------------------------------------------------------------------------------------------------ the starts


def test_several_starts_are_several_runs_under_one_player():
    """Each with its own path and its own error by epoch, as trained on its own."""
    page = LessonPage(LESSON, **PUBLISHED, more="1, 2, 3; -4, 5, 60", click="3", ask="false")
    assert page.table(MAP, "starts")["run"].to_pylist() == [1, 2, 3]
    assert set(page.table(MAP, "path")["run"].to_pylist()) == {1, 2, 3}
    for number, start in ((2, (1.0, 2.0, 3.0)), (3, (-4.0, 5.0, 60.0))):
        run = record(Experiment(learning_rate=1e-5, epochs=10, start=start))
        np.testing.assert_allclose(page.player["table"][f"rmse{number}"], run.epoch_rmse, rtol=1e-6)
    assert page.player["summary"].startswith("Start 3. Still descending after 10 epochs")
    assert page.player["table"]["rmse"].tolist() == page.player["table"]["rmse3"].tolist()


def test_a_run_that_ends_before_the_others_stays_at_its_end():
    """One start diverges later than the other; the player goes on to the last."""
    link = {"learning_rate": "5e-05", "epochs": "100", "ask": "false", "more": "0.8, -12.1, 48.4"}
    for click in ("1", "2"):
        page = LessonPage(LESSON, **PUBLISHED | link, click=click)
        table = page.player["table"]
        assert page.player["last"] == len(table) - 1 == 12
        assert table["rmse1"].iloc[11:].nunique() == 1
        assert table["rmse2"].is_monotonic_increasing
        assert f"Start {click}. Diverged" in page.player["summary"]
        assert page.table(MAP, "run").num_rows == len(table)


def test_starts_are_added_in_other_corners_and_taken_away():
    """Up to five, each with its own numbers in the address; a removed one is gone."""
    page = LessonPage(LESSON).skip()
    assert page.at.button("remove_start").disabled
    for count in range(2, 6):
        page.press("add_start")
        assert len(page.query["more"].split(";")) == count - 1
        assert page.query["click"] == str(count)
        assert page.table(MAP, "starts").num_rows == count
    assert page.at.button("add_start").disabled
    assert page.player["trained"]
    page.press("remove_start")
    assert page.query["click"] == "4"
    assert page.table(MAP, "starts").num_rows == 4


def test_the_question_of_several_starts_is_about_the_first():
    """And its answer does not change with the start whose numbers are looked at."""
    page = LessonPage(LESSON, **PUBLISHED, more="1, -30, 47", click="2", guess="flat")
    assert "**Predict first.** From start 1, which direction" in page.words
    assert page.judged == "You were right: the flattest."
    assert page.player["summary"].startswith("Start 2. ")
    assert page.player["summary"].endswith("Direction 2 holds 99.975 % of the gap.")


def test_a_number_of_a_start_that_is_not_there_yet_means_the_first():
    """The link says start 4, and there are two: table and verdict are of the first."""
    page = LessonPage(LESSON, **PUBLISHED, more="1, 2, 3", click="4", ask="false")
    assert page.player["summary"].startswith("Start 1. ")


# ------------------------------------------------------------------------------------------ without and with scaling


def test_side_by_side_asks_another_question():
    """Both starts wait, and the numbers that would give the answer away are not there."""
    page = LessonPage(LESSON, compare="true")
    assert "same share of the limit. Which run ends closer" in page.words
    assert len(page.charts) == 3
    assert not page.player["trained"]
    table = {row[0]: row[1:] for row in cells(page, "pair")}
    assert table["condition number κ"] == ["218,451", "7.7"]
    assert table["limit of the rate"] == ["3.54e−5", "0.404"]
    assert table["its share of the limit"] == ["28.2 %", "28.2 %"]
    assert table["to a millionth of the first gap"] == ["?", "?"]
    assert "2,112,622" not in page.words


def test_scaling_finds_the_same_curve_in_a_few_epochs():
    """Coefficients in raw units arrive at the optimum; the others would need millions of epochs."""
    page = LessonPage(LESSON, compare="true").answer("scaled")
    said = page.player["summary"]
    assert said.startswith("RMSE 18.0256 without scaling, RMSE 1.46727 with; the floor is 1.46727.")
    assert said.endswith("Epochs to a millionth of the first gap: 2,112,622 without scaling, 47 with.")
    table = page.player["table"]
    end = [table[f"scaled_{i}"].iloc[-1] for i in range(3)]
    assert end == pytest.approx([0.808293, -12.12175, 48.49597], rel=1e-4)
    assert {row[0]: row[1:] for row in cells(page, "pair")}["the same, at the best rate"] == [
        "754,402 epochs",
        "26 epochs",
    ]


def test_scaling_keeps_the_share_of_the_limit_and_the_way_back_the_rate():
    """The strip shows the same place; the field the new number."""
    page = features(LessonPage(LESSON), "scaled")
    assert page.query["scale_features"] == "true"
    assert float(page.query["learning_rate"]) == pytest.approx(0.2824968 * 0.4043815, rel=1e-6)
    page = features(page, "plain")
    assert experiment(page) == Experiment(learning_rate=1e-5, epochs=100)
    page = features(page, "both")
    assert page.query["compare"] == "true"
    page = features(page, None)  # pressed twice: it stays
    assert page.query["compare"] == "true"
    page = features(page, "scaled")
    assert "compare" not in page.query
    assert page.query["scale_features"] == "true"


def test_an_answer_to_the_other_question_is_no_answer():
    """A link that brings one along shows the runs and judges nobody."""
    assert summary(**PUBLISHED, guess="scaled").startswith("Still descending")
    assert summary(**PUBLISHED, compare="true", guess="flat").startswith("RMSE ")


# ------------------------------------------------------------------------------------------------------- the address


@pytest.mark.parametrize(
    "link",
    [
        {"learning_rate": "1e6"},
        {"learning_rate": "1e-18"},
        {"start": "1e9,1e9,1e9"},
        {"start": "0.8082929,-12.12175,48.49597"},
        {"points": "3", "noise": "0"},
        {"points": "1000", "learning_rate": "1e-12"},
        {"dataset": "two-features", "points": "3", "noise": "1000"},
        {"scale_features": "true", "learning_rate": "0.4", "epochs": "2000"},
        {"more": "1e9, 1e9, 1e9; 0, 0, 0", "axes": "valley", "arrows": "log", "click": "2"},
    ],
)
@pytest.mark.parametrize("compare", ["true", "false"])
def test_extreme_settings_are_shown_too(link, compare):
    """No exception, a verdict, and finite numbers for the charts."""
    page = LessonPage(LESSON, **PUBLISHED | link, compare=compare, ask="false")
    assert page.complaints == []
    assert page.player["summary"]
    for chart in range(len(page.charts)):
        for dataset in page.charts[chart].datasets:
            for name, column in page.table(chart, dataset.name).to_pandas().items():
                if name not in ("zero", "target"):
                    assert np.isfinite(column).all(), (dataset.name, name)


def test_another_data_set_opens_with_its_own_settings():
    """Two features, at a tenth, with its own names on the map."""
    page = LessonPage(LESSON).choose("dataset", "two-features")
    assert page.query == {"dataset": "two-features", "learning_rate": "0.1", "epochs": "40"}
    assert page.charts[MAP].alt.startswith("Level lines of the loss over w₁ and w₂.")


@pytest.mark.parametrize("compare", [{}, {"compare": "true"}])
def test_links_hold_this_run_and_the_last_is_the_next_lesson(compare):
    """To side by side or to the scaled run alone, to Train, and to the next lesson."""
    first, train, following = LessonPage(LESSON, **PUBLISHED | {"axes": "valley"}, **compare).links
    assert first[1] == LESSON
    if compare:
        assert Experiment.from_query(first[2])[0].scale_features
        assert "compare" not in first[2]
    else:
        assert first[2] == PUBLISHED | {"compare": "true"}
    assert train[2] == PUBLISHED
    assert following[1] == "variants"


# -------------------------------------------------------------------------------------------------------- small parts


def test_rows_of_numbers_are_read_and_written():
    """What is written is read again; no text is no row."""
    rows = Rows(columns=2, low=-9, high=9, title="", at_most=3)
    assert rows.read("more", "") == ()
    assert rows.read("more", "1,2;3, 4 ;") == ((1.0, 2.0), (3.0, 4.0))
    assert rows.read("more", rows.write(((0.5, -2.0),))) == ((0.5, -2.0),)
    with pytest.raises(ParameterError, match="more must be a number between -9 and 9"):
        rows.read("more", "1, 10")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.9999974136, "0.9999974"), (0.435, "0.435"), (-1.825, "−1.82"), (1.0, "1"), (-0.99999, "−0.99999"), (0.0, "0")],
)  # fmt: skip
def test_a_factor_has_enough_digits_to_tell_it_from_one(value, text):
    """Two of its distance to 1."""
    assert factor(value) == text


@pytest.mark.parametrize("seeds", [range(15), range(15, 30)], ids=["first", "second"])
def test_what_is_said_of_a_valley_is_true(seeds):
    """Who lags, by how much, which twin is nearer and how long each needs: NumPy's closed form agrees, over random valleys."""
    assert {seed: found for seed in seeds if (found := list(wrong(seed)))} == {}
