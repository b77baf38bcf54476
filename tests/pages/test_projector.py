"""Projector mode without a browser: what the address says, who keeps it, and which links carry it."""

import json
from urllib.parse import parse_qsl

import pytest
from lesson_page import LessonPage
from train_page import Lab

from gd_core import drawing
from gd_core.settings.experiment import Experiment


def links(at):
    return [dict(parse_qsl(element.proto.query_string)) for element in at.get("page_link")]


def heights(at):
    return sorted(json.loads(chart.proto.spec)["height"] for chart in at.get("vega_lite_chart"))


def test_train_keeps_the_view_while_settings_change():
    """It stays in the address beside a new rate, and every link on the page carries it; the run is the same one."""
    page = Lab(view="projector", learning_rate="0.02")
    page.at.text_input("w_learning_rate").set_value("0.05")
    page.run()
    assert page.query["view"] == "projector"
    experiment, sentences = Experiment.from_query(page.query)
    assert (experiment.learning_rate, sentences) == (0.05, [])
    page.press("train")  # what to try next comes with the run
    assert links(page.at)
    assert all(query["view"] == "projector" for query in links(page.at))
    assert heights(page.at) != heights(Lab(learning_rate="0.05").at)


def test_a_bare_projector_address_stays_bare():
    """`?view=projector` alone opens what the page opens with, and is not written out: Back takes one press."""
    assert Lab(view="projector").query == {"view": "projector"}
    assert LessonPage("one_parameter", view="projector").query == {"view": "projector"}


def test_leaving_through_the_address():
    """Back to an address without the view leaves it; the settings are those of the address."""
    page = Lab(view="projector", learning_rate="0.02")
    page.at.query_params.clear()
    page.at.query_params["learning_rate"] = "0.03"
    page.run()
    assert "view" not in page.query
    assert page.query["learning_rate"] == "0.03"


def test_a_lesson_keeps_the_view_and_its_answer():
    """Answered and changed, the lesson is still large, and so is every page that it links to."""
    page = LessonPage("one_parameter", view="projector", learning_rate="0.1").answer("across")
    assert page.query["view"] == "projector"
    assert page.query["guess"] == "across"
    page.type(learning_rate="0.05")
    assert page.query["view"] == "projector"
    assert page.links
    assert all(query["view"] == "projector" for _, _, query in page.links)
    assert heights(page.at) != heights(LessonPage("one_parameter").at)


@pytest.mark.parametrize("name", ["", "landscape"])
def test_another_view_is_told_in_one_sentence(name):
    """The page opens as usual and says what the address must say."""
    page = LessonPage(name, view="<b>huge</b>") if name else Lab(view="<b>huge</b>")
    assert page.complaints == ["view must be projector. Got <b>huge</b>."]
    assert "view" not in page.query


def test_charts_have_the_letters_of_the_page():
    """Axes, legends and notes of every chart as large as prose in projector mode, and as usual elsewhere."""
    large = [json.loads(chart.spec)["config"] for chart in Lab(view="projector").charts]
    assert len(large) == 3
    for config in large:
        sizes = {config["axis"]["labelFontSize"], config["axis"]["titleFontSize"], config["text"]["fontSize"]}
        assert sizes | {config["legend"]["labelFontSize"]} == {15}
    assert all("labelFontSize" not in json.loads(chart.spec)["config"]["axis"] for chart in Lab().charts)


def test_one_can_draw_in_large_type():
    """The paper stands where the fit does, with the letters of the page."""
    opening = drawing.opening()
    lab = Lab(**opening.to_query(), view="projector")
    assert lab.component("pad")["large"]
    assert len(lab.charts) == 2
    assert not Lab(**opening.to_query()).component("pad")["large"]
