"""Projector mode without a browser: what the address says, who keeps it, and which links carry it."""

import json
from urllib.parse import parse_qsl

import pytest
from lesson_page import ROOT, LessonPage
from streamlit.testing.v1 import AppTest

from gd_core.experiment import Experiment

MARK = ":material/error:] "


class Train:
    """The Train page, opened with these settings in the address."""

    def __init__(self, **query):
        self.at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, text in query.items():
            self.at.query_params[name] = text
        self.run()

    def run(self):
        self.at.run()
        assert not self.at.exception
        return self

    @property
    def query(self):
        pairs = dict(self.at.query_params).items()
        return {name: value if isinstance(value, str) else value[-1] for name, value in pairs}


def links(at):
    return [dict(parse_qsl(element.proto.query_string)) for element in at.get("page_link")]


def heights(at):
    return sorted(json.loads(chart.proto.spec)["height"] for chart in at.get("vega_lite_chart"))


def test_train_keeps_the_view_while_settings_change():
    """It stays in the address beside a new rate, and every link on the page carries it; the run is the same one."""
    page = Train(view="projector", learning_rate="0.02")
    page.at.text_input("w_learning_rate").set_value("0.05")
    page.run()
    assert page.query["view"] == "projector"
    experiment, sentences = Experiment.from_query(page.query)
    assert (experiment.learning_rate, sentences) == (0.05, [])
    assert links(page.at)
    assert all(query["view"] == "projector" for query in links(page.at))
    assert heights(page.at) != heights(Train(learning_rate="0.05").at)


def test_a_bare_projector_address_stays_bare():
    """`?view=projector` alone opens what the page opens with, and is not written out: Back takes one press."""
    assert Train(view="projector").query == {"view": "projector"}
    assert LessonPage("one_parameter", view="projector").query == {"view": "projector"}


def test_leaving_through_the_address():
    """Back to an address without the view leaves it; the settings are those of the address."""
    page = Train(view="projector", learning_rate="0.02")
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
    page = LessonPage(name, view="<b>huge</b>") if name else Train(view="<b>huge</b>")
    said = [element.value.replace("\\", "") for element in page.at.markdown if MARK in element.value]
    assert [line.split(MARK)[1] for line in said] == ["view must be projector. Got <b>huge</b>."]
    assert "view" not in page.query
