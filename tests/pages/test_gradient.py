"""The lesson on the gradient, as its student meets it: rows, bars, three ways, a step size, and a question."""

import re

import numpy as np
import pytest
from lesson_page import LessonPage

from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment, defaults
from gd_core.words import short, significant
from pages.ui.charts import gradient as pictures

PLANE = {
    "dataset": "two-features",
    "points": "20",
    "noise": "3",
    "start": "2,1,0",
    "learning_rate": "0.1",
    "epochs": "40",
}
CURVE = {"dataset": "noisy-quadratic", "start": "0,0,0", "learning_rate": "1e-5", "epochs": "40"}
POINT = {"dataset": "one-parameter", "start": "2", "learning_rate": "0.05", "epochs": "20"}
NAMES = {"two-features": ("w₁", "w₂", "b"), "noisy-quadratic": ("a", "b", "c"), "one-parameter": ("A",)}
STEPS = -1  # the last chart is that of step sizes


def opened(query, **changes):
    return LessonPage("gradient", **(query | changes))


def recorded(query):
    experiment, sentences = Experiment.from_query(query)
    assert not sentences
    return build(experiment), record(experiment)


def by_hand(query, epoch):
    """Each row's contribution at an epoch, 2(ŷᵢ − yᵢ)φᵢⱼ, in NumPy, [N, P]."""
    problem, recording = recorded(query)
    features, target = problem.linear.features.numpy(), problem.objective.target.numpy()
    residual = features @ recording.epoch_theta[epoch].numpy() - target
    return 2 * residual[:, None] * features


def frame(page, chart):
    return page.table(chart, "frame").to_pylist()[0]


# ------------------------------------------------------------------------------------------------ the question


def test_unanswered_the_charts_show_the_start_alone():
    """Bars for the twenty rows at the start, and at no other epoch; what a computer does with a slope stays closed."""
    page = LessonPage("gradient")
    assert len(page.charts) == 3
    assert "finite difference" not in page.words
    for chart in range(3):
        assert page.table(chart, "run").num_rows == 1
        assert page.table(chart, "rows").num_rows == 20


def test_the_summary_holds_the_numbers_of_the_bars():
    """Their mean length and their mean after the whole run, as NumPy finds them."""
    page = LessonPage("gradient").answer("cancel")
    assert page.player["last"] == 40
    bars = by_hand(PLANE, -1)
    summary = page.player["summary"]
    assert f"the bars are {short(float(np.abs(bars[:, 2]).mean()))} long" in summary
    assert f"their mean is {short(float(bars[:, 2].mean()))}" in summary


def test_another_run_asks_again_and_another_look_does_not():
    """Rate, rows, noise and start are another run; row, parameter, h and kind only look elsewhere, and play on."""
    page = opened(PLANE, further="true").answer("cancel")
    take = page.player["id"]
    page.type(row="3", h="1e-8")
    page.at.button_group("gradient.kind").set_value("central")
    page.run()
    page.at.button_group("gradient.parameter").set_value("3")
    page.run()
    assert page.player["id"] == take
    assert (
        page.query | {"row": "3", "h": "1e-8", "kind": "central", "parameter": "3", "guess": "cancel"}
        == page.query
    )
    page.type(noise="0")
    assert not page.player["trained"]
    assert "guess" not in page.query


def test_a_run_that_diverges_is_a_result():
    """The last epoch below the bound is kept, and the sentence names the rate and the limit."""
    page = opened(PLANE, learning_rate="50").skip()
    assert page.player["summary"].startswith("Diverged at epoch ")
    assert "the limit 0.669" in page.player["summary"]
    assert np.isfinite(page.player["table"].drop(columns="template").to_numpy()).all()


# ------------------------------------------------------------------------------------------- bars and their mean


@pytest.mark.parametrize("query", [PLANE, CURVE, POINT], ids=lambda one: one["dataset"])
@pytest.mark.parametrize("epoch", [0, 7, -1])
def test_the_bars_can_be_computed_from_the_tables(query, epoch):
    """Parameters of the epoch and rows give each row's contribution; their mean is the line, and autograd's gradient."""
    page = opened(query).skip()
    hand = by_hand(query, epoch)
    _, recording = recorded(query)
    size = len(NAMES[query["dataset"]])
    for j in range(size):
        rows, now = page.table(j, "rows").to_pandas(), page.table(j, "run").to_pylist()[epoch]
        prediction = sum(now[f"p{k}"] * rows[f"f{k}"] for k in range(size))
        bars = 2 * (prediction - rows["target"]) * rows[f"f{j}"]
        scale = np.abs(by_hand(query, 0)).max(0)[j]
        np.testing.assert_allclose(bars, hand[:, j], rtol=1e-4, atol=1e-5 * scale)
        assert now[f"g{j}"] == pytest.approx(float(recording.gradient[epoch, j]), rel=1e-4, abs=1e-6 * scale)
        assert now["longest"] == pytest.approx(np.abs(hand[:, j]).max(), rel=1e-5)


def test_the_bars_at_the_start_fit_into_their_chart():
    """The axis holds every bar of the start, and those of a run that does not grow."""
    for query in (PLANE, CURVE, POINT):
        page = opened(query).skip()
        for j in range(len(NAMES[query["dataset"]])):
            ends = frame(page, j)
            for epoch in (0, 1, 5, -1):
                bars = by_hand(query, epoch)[:, j]
                assert ends["y0"] < min(0, bars.min())
                assert ends["y1"] > max(0, bars.max())


def test_the_longest_table_is_small():
    """Sixty rows and two hundred epochs are the most that a bar chart is sent."""
    page = opened(PLANE, points="60", epochs="200").skip()
    assert page.table(0, "rows").num_rows == 60
    assert page.table(0, "run").num_rows == 201


# ----------------------------------------------------------------------------------------- one row, written out


@pytest.mark.parametrize("query", [PLANE, CURVE, POINT], ids=lambda one: one["dataset"])
def test_a_row_is_written_out(query):
    """The feature values stand in the line, and the numbers that follow the epoch are those of the row."""
    page = opened(query, row="2").skip()
    row = 0 if query is POINT else 1
    problem, recording = recorded(query)
    table = page.player["table"]
    for epoch in (0, 5, -1):
        theta = recording.epoch_theta[epoch]
        residual = float(problem.linear.features[row] @ theta - problem.objective.target[row])
        assert table["residual"].iloc[epoch] == pytest.approx(residual, rel=1e-4, abs=1e-5)
        for j, part in enumerate(by_hand(query, epoch)[row]):
            assert table[f"c{j}"].iloc[epoch] == pytest.approx(part, rel=1e-4, abs=1e-4)
    for j, name in enumerate(NAMES[query["dataset"]]):
        value = float(problem.linear.features[row, j])
        assert f"∂L{'₂' if row else '₁'}/∂{name} = 2(ŷ" in page.words
        if name not in ("b", "c") or (query is CURVE and name == "b"):
            text = significant(value, 4)
            assert f" × ({text})" in page.words if value < 0 else f" × {text}" in page.words


def test_all_rows_are_written_out_too():
    """The mean is written as 1/N times the sum, and the player adds the sum up from the mean."""
    page = LessonPage("gradient")
    assert "∂L/∂w₁ = 1/N · Σ ∂Lᵢ/∂w₁" in page.words
    assert "1/20 × (" in page.words
    assert page.player["sums"]["sum0"] == [["g0", 20.0]]
    assert "1/N" not in opened(POINT).words.split("live row")[1].split("</table>")[0]


def test_the_chosen_row_is_marked():
    """Field and bars say the same row; a row beyond the data shows the last, and says so."""
    page = LessonPage("gradient").type(row="7")
    assert {frame(page, j)["row"] for j in range(3)} == {7}
    assert "Row 7, and all 20 rows" in page.words
    page = opened(PLANE, row="55")
    assert frame(page, 0)["row"] == 20
    assert "Row 20, and all 20 rows" in page.words


@pytest.mark.parametrize(("rows", "share", "row"), [(20, 0.0, 1), (20, 0.999, 20), (20, 0.33, 7), (60, 0.5, 30), (1, 0.1, 1),
                         (1, 0.9, 1), (3, 0.5, 2), (3, 0.0, 1), (3, 1.0, 3)])  # fmt: skip
def test_a_click_finds_its_row(rows, share, row):
    """A share of the width is a row; beside the outer bars it is the nearest."""
    assert pictures.row_at(share, rows) == row


# ---------------------------------------------------------------------------------- three ways, and the step size


@pytest.mark.parametrize("kind", ["forward", "central"])
def test_three_ways_agree(kind):
    """Formula and autograd to rounding, the finite difference to its own error, at every epoch of the run."""
    table = opened(PLANE, h="1e-6", kind=kind, further="true").skip().player["table"]
    for j in range(3):
        scale = table[f"g{j}"].abs().max()
        np.testing.assert_allclose(table[f"formula{j}"], table[f"g{j}"], rtol=1e-5, atol=1e-6 * scale)
        assert (table[f"formula_off{j}"] < 1e-13 * scale).all()
        assert (table[f"finite_off{j}"] < (1e-5 if kind == "forward" else 1e-7)).all()
        assert (table[f"finite_off{j}"] > 0).any()


@pytest.mark.parametrize(
    ("h", "kind", "part"),
    [
        ("1", "forward", "h = 1 is off by 9: no digit is right. Too big"),
        ("1", "central", "h = 1 is exactly right here."),
        ("1e-5", "forward", "h = 1e−5 is off by 9e−5: 5 digits are right."),
        ("1e-12", "forward", "Too small: two nearly equal losses are subtracted"),
        ("1e-16", "forward", "h = 1e−16 is lost: with 16 digits, A + h is A again."),
        ("1e-300", "central", "h = 1e−300 is lost"),
    ],
)
def test_every_step_size_is_a_result_with_a_reason(h, kind, part):
    """From 1e-300 to 1 no field complains, no number is missing, and a sentence says what became of h."""
    page = opened(POINT, h=h, kind=kind, further="true")
    assert page.complaints == []
    assert part in page.words
    assert np.isfinite(page.player["table"]["finite0"]).all()


def test_the_chart_of_step_sizes_marks_the_student_s():
    """Both curves reach from 1e-16 to 1; the chosen h stands at its own error, or at the edge if it is left of the chart."""
    page = opened(POINT, h="1e-5", further="true")
    sweep, here = page.table(STEPS, "sweep"), frame(page, STEPS)
    assert sweep.column_names == ["step", "forward", "central"]
    assert sweep["step"].to_numpy()[[0, -1]] == pytest.approx([1e-16, 1])
    assert here["step"] == pytest.approx(1e-5)
    assert here["off"] == pytest.approx(9e-5, rel=1e-3)
    assert here["bend"] == pytest.approx(9)
    assert here["left"] == 0
    far = frame(page.type(h="1e-300"), STEPS)
    assert far["step"] == pytest.approx(1e-16)
    assert far["left"] == 1
    assert far["off"] == pytest.approx(54)


@pytest.mark.parametrize(("share", "h"), [(0.0, 1e-16), (1.0, 1.0), (0.5, 1e-8), (-0.1, 1e-16), (2.0, 1.0)])
def test_a_click_finds_its_step_size(share, h):
    """The axis goes from 1e-16 to 1 in powers of ten."""
    assert pictures.step_at(share) == pytest.approx(h)


# ------------------------------------------------------------------------------------------- data sets and links


@pytest.mark.parametrize("dataset", NAMES)
def test_each_data_set_opens_with_settings_of_its_own(dataset):
    """A bar chart for each parameter, and fields that name them."""
    page = LessonPage("gradient", further="true").choose("dataset", dataset)
    names = NAMES[dataset]
    assert len(page.charts) == len(names) + 1
    assert page.complaints == []
    assert page.at.text_input("gradient.start").label == f"Start at {', '.join(names)}"
    for name in names:
        assert f"∂L/∂{name} = " in page.words
    assert page.skip().player["trained"]


@pytest.mark.parametrize(
    ("case", "truth"),
    [("Noise", "cancel"), ("No noise", "vanish"), ("Small rate", "still"), ("Large rate", "grow")],
)
def test_the_named_cases_end_in_four_ways(case, truth):
    """Each button loads a run, and each of the four answers is right for one of them."""
    page = LessonPage("gradient", **CURVE).press(f"case {case}").answer(truth)
    assert page.judged.startswith("You were right: ")


def test_the_links_hold_the_run():
    """One shows the published curve, one this run on Train, and the last leads on."""
    page = opened(PLANE, row="3").answer("cancel")
    *_, curve, train, onward = page.links
    assert curve[1] == "gradient"
    assert Experiment.from_query(curve[2])[0].dataset == "noisy-quadratic"
    assert train[1] in ("", "train")
    assert Experiment.from_query(train[2]) == Experiment.from_query(PLANE)
    assert onward[1] == "learning_rate"


def test_a_link_to_a_row_and_a_step_size_opens_them():
    """The address says all that is looked at, and comes back unchanged."""
    query = PLANE | {"row": "3", "parameter": "2", "h": "1e-8", "kind": "central", "guess": "cancel"}
    page = LessonPage("gradient", **query)
    assert {name: page.query[name] for name in ("row", "parameter", "h", "kind", "guess")} == {
        name: query[name] for name in ("row", "parameter", "h", "kind", "guess")
    }
    assert page.text("row") == "3"
    assert page.text("h") == "1e-8"
    assert "How far off for w₂, over h" in page.words
    assert re.search(r"the mean of the bars for w₂ is \{g1:4\}", page.player["templates"][0])


def test_the_usual_experiment_is_that_of_the_tests():
    """The lesson opens with the plane with noise."""
    expected = Experiment(**(defaults("two-features", "gradient-descent") | {
        "points": 20, "noise": 3.0, "start": (2.0, 1.0, 0.0), "learning_rate": 0.1, "epochs": 40}))  # fmt: skip
    assert Experiment.from_query(LessonPage("gradient").skip().query)[0] == expected
