"""A model that is not linear in its parameters on the pages: its own formula and curve, and one sentence for each forecast."""

import re
from dataclasses import replace

import pytest
from curved import GROWTH, SETTLES, growth, know
from lesson_page import LessonPage
from train_page import Lab

from gd_core.outcome import Outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.run_summary import summarised
from gd_core.settings.experiment import Experiment
from gd_core.settings.pins import Pin, Pins
from gd_core.theory import why_no_theory
from pages.ui.charts.error import error, gap
from pages.ui.charts.fit import fit, panel
from pages.ui.charts.ghosts import Ghost
from pages.ui.charts.loss_map import landscape
from pages.ui.charts.model import Run
from pages.ui.charts.parameters import trace
from pages.ui.charts.pinned import errors, fits
from pages.ui.look import formulas
from pages.ui.look.palette import LIGHT
from pages.ui.player import tabs
from pages.ui.settings.next_steps import ways_on

LINK = {"dataset": GROWTH} | {name: str(value) for name, value in SETTLES.items()}
CHANGES = {
    "all rows": {},
    "batches": {"batch_size": "5"},
    "held out": {"holdout": "0.25"},
    "Adam": {"optimizer": "adam", "learning_rate": "0.01"},
    "the mistaken loss": {"loss": "mse-broadcast"},
    "diverges": {"learning_rate": "1000"},
    "random": {"start": "random"},
    "on a projector": {"projector": "on"},
}
OF_A_PARABOLA = re.compile(
    r"optimum|floor|κ|eigen(?!values of the Hessian here)|best for|Φ|limit 0|a t\^2|w_1", re.IGNORECASE
)


@pytest.fixture(autouse=True)
def known(monkeypatch):
    know(monkeypatch)


def of(experiment):
    problem = build(experiment)
    return Run(experiment, problem, None, record(experiment))


def said(page):
    """All prose and numbers of a page but its style sheets, and what its charts say."""
    html = [e.proto.body for e in page.at.get("html") if "<style" not in e.proto.body]
    alts = [chart.alt for chart in page.charts]
    return "\n".join(
        [*(e.value for e in page.at.markdown), *(e.value for e in page.at.caption), *html, *alts]
    )


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_the_train_page_has_nothing_of_another_model(changes):
    """Trained, in every tab: data and fit, error, its formula and its gradient by J; the map and the rate say why not."""
    lab = Lab(**LINK | changes).press("train")
    reason = why_no_theory(growth()) or ""
    for tab in (tabs.NUMBERS, tabs.PARAMETERS, tabs.STEPS, tabs.SIX, tabs.GAP):
        lab.at.session_state["tab"] = tab
        words = said(lab.run())
        assert formulas.html(r"\hat y = a\,e^{b t}") in words
        assert "J^⊤(ŷ" in words
        strange = OF_A_PARABOLA.search(words.replace(reason, ""))
        assert not strange, strange
        specs = str([chart.spec for chart in lab.charts])
        assert "exp(now.p1 * datum.x)" in specs
        assert not re.search(r"datum\.x \* datum\.x|\.mean\b", specs)
        assert words.count(reason) == (tab in (tabs.NUMBERS, tabs.GAP))
        assert "No map: which part of this loss to show is not known." in words
    assert lab.component("rate")["reason"] == reason
    assert lab.component("rate")["zones"] == lab.component("rate")["stops"] == []
    assert not OF_A_PARABOLA.search(lab.player["summary"])


def test_the_curve_is_its_own():
    """From start and now, in the chart’s own arithmetic; no optimum is drawn or told."""
    view = fit(of(growth()), LIGHT, 300)
    curves = re.findall(r"'calculate': '([^']*exp[^']*)'", str(view.spec))
    assert curves == ["first.p0 * exp(first.p1 * datum.x)", "now.p0 * exp(now.p1 * datum.x)"]
    assert "optimum" not in str(view.spec) + view.text
    assert not {"p0", "p1"} & set(view.tables["frame"].column_names)


def test_charts_of_an_error_and_of_a_parameter_have_no_line_that_nobody_knows():
    """Neither floor nor optimum: what is not there is not drawn."""
    run = of(growth())
    frame = error(run, LIGHT, 200).tables["frame"].to_pylist()[0]
    assert all(frame[name] != frame[name] for name in ("floor", "floor_below"))
    assert frame["floor_label"] == ""
    view = trace(run, 1, "b", "loss", LIGHT, 200)
    (optimum,) = view.tables["frame"]["optimum"].to_pylist()
    assert optimum != optimum
    assert "optimum" not in view.text
    assert "predictions as crosses" in panel(run, 3, LIGHT, 130).text


@pytest.mark.parametrize(
    "draw", [lambda run: gap(run, LIGHT, 200), lambda run: landscape(run, (0, 1), "ab", LIGHT, 200)]
)
def test_a_chart_of_the_parabola_refuses(draw):
    """With the reason, before it draws a parabola that there is not."""
    with pytest.raises(ValueError, match="not linear in its parameters"):
        draw(of(growth()))


def test_pinned_runs_of_it_are_compared_without_a_floor():
    """Their errors, their curves by its own formula, and no optimum."""
    experiment = growth()
    run = of(experiment)
    ghosts = [
        Ghost(place, summarised(experiment, run.problem, run.recording, None), run.problem, None)
        for place in (0, 1)
    ]
    assert "floor" in errors(ghosts, None, None, LIGHT, 200).tables["frame"].column_names
    view = fits(ghosts, ghosts, LIGHT, 200)
    assert "exp(datum.p1 * datum.x)" in str(view.spec)
    assert "optimum, dashed" not in view.text


@pytest.mark.parametrize("other", ["another rate", "noisy-quadratic", "two-features", "first"])
def test_the_compare_page_shows_it_beside_others(other):
    """A dash for what nobody knows, and the reason in place of its map."""
    one = growth()
    beside = (
        replace(one, learning_rate=5e-7) if other == "another rate" else Experiment.default("noisy-quadratic")
    )
    beside = Experiment.default("two-features") if other == "two-features" else beside
    pins = (Pin("growth", one), Pin("beside", beside))
    page = LessonPage("compare", **Pins(pins=pins[::-1] if other == "first" else pins).to_query())
    assert len(page.charts) == (3 if other == "first" else 2)
    table = [e.proto.body for e in page.at.get("html") if "live compare" in e.proto.body][-1]
    gaps = re.search(r"Gap to the optimum.*?</tr>", table)
    assert gaps
    assert "–" in gaps[0]
    assert ("no parabola no map is drawn here" in said(page)) == (other != "first")


def test_the_compare_page_has_no_examples_of_it():
    """Which rates are slow or best nobody knows: the buttons say so."""
    at = Lab(**LINK).at
    at.switch_page("pages/compare.py")
    at.query_params.clear()
    at.run()
    assert not at.exception
    buttons = [button for button in at.button if button.key in ("example_rates", "example_rules")]
    assert [(button.disabled, button.help) for button in buttons] == [(True, why_no_theory(growth()))] * 2


def test_it_is_pinned_beside_the_next_run():
    """Its error and its curve stay on the Train page’s charts."""
    lab = Lab(**LINK).press("train").press("pin").type(learning_rate="5e-7").press("train")
    assert "pinned run 1" in said(lab)


@pytest.mark.parametrize(
    "lesson",
    ["gradient", "learning_rate", "landscape", "variants", "four_steps", "one_parameter", "broadcasting"],
)
def test_no_lesson_offers_it(lesson):
    """A link to it opens the lesson with its own settings, and says so."""
    page = LessonPage(lesson, **LINK)
    assert page.complaints
    assert page.complaints[0].startswith("Data set must be")
    assert page.query.get("dataset") != GROWTH
    assert all(box.label != "Data set" or "Growth" not in box.options for box in page.at.selectbox)


@pytest.mark.parametrize("ending", Outcome)
def test_no_way_leads_from_it_to_the_parabola(ending):
    """Neither its limit nor its landscape are to be seen anywhere."""
    assert not {"learning_rate", "landscape"} & {link.page for link in ways_on(growth(), None, ending)}
