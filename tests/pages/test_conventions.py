"""Other people's conventions on the page: no intercept, a scaled target, powers up to 10."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from lesson_page import LessonPage
from train_page import Lab

from gd_core.landscape import typed_start
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.safe_start import measured, opening, safe_start
from gd_core.settings.experiment import Experiment
from gd_core.settings.pins import Pin, Pins
from gd_core.tables.table import Table, keep
from gd_core.words import significant
from pages.ui.charts.fit import agreement, along, fit, panel
from pages.ui.charts.model import RecordedRun
from pages.ui.look import formulas
from pages.ui.look.palette import palette

HOUSES = keep(
    Table.of(
        {
            "size": [2110.0, 1590, 1940, 2420, 1400, 3000],
            "rooms": [3.0, 3, 3, 4, 2, 4],
            "price": [401e3, 331e3, 365e3, 300e3, 230e3, 540e3],
        }
    )
)
YEARS = keep(Table.of({"year": np.arange(1996.0, 2020.0), "y": np.sin(np.arange(24.0)) + np.arange(24.0)}))
BOTH = {"table": HOUSES.key, "features": "size,rooms", "target": "price", "scale_features": "true", "learning_rate": "0.3"}  # fmt: skip
SWITCHES = ("intercept", "scale_target")


def table_run(**query):
    experiment, sentences = Experiment.from_query({"dataset": "table", **query})
    assert not sentences
    return experiment


def words(lab):
    html = "".join(element.proto.body for element in lab.at.get("html"))
    return html + "".join(element.value for element in (*lab.at.markdown, *lab.at.caption))


def compared(pins):
    return LessonPage("compare", **pins.to_query())


def cells(page, title):
    """A line of the table of Compare, as text."""
    (row,) = re.findall(rf"<tr><th scope=\"row\">{re.escape(title)}.*?</tr>", page.words)
    return [re.sub("<.*?>", "", cell) for cell in re.findall(r"<td.*?>(.*?)</td>", row)]


def switches(lab):
    return [name for name in SWITCHES if f"w_{name}" in {toggle.key for toggle in lab.at.toggle}]


def test_a_newcomer_sees_no_more_switches():
    """They belong to a table; on built-in data one is there that is not as usual, and can be put back."""
    assert switches(Lab(dataset="noisy-quadratic")) == []
    assert switches(Lab(dataset="table")) == [*SWITCHES]
    lab = Lab(dataset="noisy-quadratic", intercept="false")
    assert switches(lab) == ["intercept"]
    assert lab.experiment.info.parameters == ("a", "b")
    lab.at.toggle("w_intercept").set_value(True)
    lab.run()
    assert (lab.experiment.intercept, lab.query.get("intercept")) == (True, None)
    assert switches(lab) == []


def test_the_intercept_goes_and_the_formula_with_it():
    """One switch; another pick of the same table keeps it, another table does not."""
    lab = Lab(dataset="table", table=YEARS.key, degree="2", scale_features="true", learning_rate="0.01")
    lab.at.toggle("w_intercept").set_value(False)
    lab.run()
    assert lab.query["intercept"] == "false"
    assert lab.experiment.learning_rate == opening(lab.experiment).learning_rate != 0.01
    assert formulas.html(r"\hat y = w_1 x + w_2 x^2") in words(lab)
    lab.at.select_slider("w_degree").set_value(10)
    lab.run()
    assert (lab.experiment.degree, lab.experiment.intercept) == (10, False)
    assert formulas.html(r"\hat y = w_1 x + w_2 x^2 + \dots + w_{10} x^{10}") in words(lab)
    lab.press("train")
    assert lab.complaints == []
    lab.press("example_table_trees")
    assert lab.experiment.intercept


def test_a_scaled_target_says_which_number_is_in_which_unit():
    """RMSE and raw parameters are in the units of y; the loss is that of the scaled one, and the page says so."""
    lab = Lab(dataset="table", **BOTH, epochs="300", scale_target="true").press("train")
    said = words(lab)
    assert "loss of the scaled y" in re.sub("<[^>]+>", "", said)
    assert "The target is scaled: y minus its mean 361,167, over its deviation 96,124" in said
    table = lab.player["table"]
    x = np.column_stack([HOUSES["size"], HOUSES["rooms"], np.ones(6)])
    best, *_ = np.linalg.lstsq(x, HOUSES["price"], rcond=None)
    rmse = math.sqrt(np.mean((x @ best - HOUSES["price"]) ** 2))
    assert table["rmse"].iloc[-1] == pytest.approx(rmse, rel=1e-6)
    assert table["loss"].iloc[-1] == pytest.approx((rmse / np.std(HOUSES["price"])) ** 2, rel=1e-6)
    assert table["r2"].iloc[-1] == pytest.approx(best[2], rel=1e-5)
    assert (
        f"w₁ (size) = {significant(best[0])}, w₂ (rooms) = {significant(best[1])}, b = {significant(best[2])}"
        in said
    )


@pytest.mark.parametrize("intercept", ["true", "false"])
@pytest.mark.parametrize("scale_features", ["true", "false"])
def test_charts_are_in_the_units_of_the_data(scale_features, intercept):
    """Curves, predictions and lines of a scaled target are those of the same curve fitted to y as it is."""
    colours = palette("light")
    for query in ({"table": YEARS.key, "degree": "2"}, BOTH):
        plain = safe_start(table_run(**query | {"scale_features": scale_features, "intercept": intercept}))
        runs = []
        for scale_target in (False, True):
            one = replace(plain, epochs=20, scale_target=scale_target)
            problem, parabola = measured(one)
            runs.append(RecordedRun(one, problem, parabola, record(one)))
        charts = [lambda run: panel(run, 20, colours, 100)]
        charts += [lambda run: fit(run, colours, 100)] if len(plain.features) == 1 else []
        if len(plain.features) > 1:
            charts += [lambda run: agreement(run, colours, 100), lambda run: along(run, 1, colours, 100)]
        for chart in charts:
            one, other = (chart(run) for run in runs)
            assert one.spec == other.spec
            for name, table in one.tables.items():
                for column in table.column_names:
                    a, b = (np.asarray(view.tables[name][column], dtype=float) for view in (one, other))
                    np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-5 * np.abs(a).max(), err_msg=column)


def test_runs_with_and_without_a_scaled_target_are_compared_in_one_unit():
    """RMSE, floor and gap mean the same for both; their parameters have other coordinates, so they share no map."""
    one = replace(table_run(**BOTH), epochs=50)
    pins = Pins(pins=(Pin("plain", one), Pin("scaled", replace(one, scale_target=True))))
    page = compared(pins)
    for title in ("Final RMSE", "Gap to the optimum, L − L*", "w₁ (size) at the end"):
        first, second, *_ = cells(page, title)
        assert first == second, title
    assert cells(page, "Scale the target")[:2] == ["no", "yes"]
    lab = Lab(**one.to_query(), **pins.to_query())
    lab.press("train")
    assert "a scaled target has other coordinates" in words(lab)


def test_pinned_polynomials_of_other_degrees_are_not_drawn_by_one_formula():
    """Of a parabola and a fifth power each keeps its own curve: on Compare only one kind is drawn at a time."""
    runs = [
        replace(safe_start(table_run(table=YEARS.key, degree=degree, scale_features="true")), epochs=30)
        for degree in ("2", "5")
    ]
    page = compared(Pins(pins=tuple(Pin(f"degree {run.degree}", run) for run in runs)))
    assert "of run 1" in page.words
    assert "Parameters at the end" in page.words


def test_a_click_on_the_map_is_typed_with_as_many_digits_as_it_takes():
    """Seven where they do; more for powers of years; of a tenth power no raw numbers hold the curve, and none are typed."""
    kept = {}
    for degree in (1, 3, 10):
        run = safe_start(table_run(table=YEARS.key, degree=str(degree), scale_features="true"))
        problem, curvature = measured(run)
        theta = problem.start.clone()
        theta += 0.7
        kept[degree] = typed_start(problem, curvature, theta)
        if kept[degree]:
            there = build(replace(run, start=tuple(map(float, kept[degree].split(",")))))
            assert float(there.objective(there.start)) == pytest.approx(
                float(problem.objective(theta)), rel=1e-3
            )
    assert max(len(text.strip()) for text in kept[1].split(",")) <= 9
    assert kept[3]
    assert kept[10] is None


@pytest.mark.parametrize("name", ["landscape", "variants", "learning_rate", "gradient"])
def test_a_lesson_refuses_what_it_does_not_know(name):
    """In a sentence with the setting's name."""
    page = LessonPage(name, dataset="two-features", intercept="false", scale_target="true")
    said = [one for one in page.complaints if one.startswith(("Intercept", "Scale the target"))]
    assert said == [
        "Intercept must be true in this lesson. Got false.",
        "Scale the target must be false in this lesson. Got true.",
    ]
