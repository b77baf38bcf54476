"""A lesson's page: value, widgets and address say the same, whoever changed what."""

import re
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from visit import Visit

from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.fields import ParameterError
from pages.ui.look import navigation, session
from pages.ui.settings.page_settings import PageSettings

PAGE = '''
from dataclasses import replace
import streamlit as st
from gd_core.settings.experiment import Experiment
from pages.ui.settings import lesson
from pages.ui.settings.page_settings import PageSettings
from gd_core.settings.fields import Choice, Flag, Number, Several

QUESTION = lesson.Question("What next?", {"up": "It rises", "down": "It falls"})
page = PageSettings(
    "trial",
    replace(Experiment.default("two-features"), epochs=500),
    varies=("points", "noise", "data_seed", "optimizer", "epsilon", "learning_rate", "batch_size", "scale_features", "start"),
    others=(replace(Experiment.default("noisy-quadratic"), epochs=500),),
    options={
        "share": Number(default=0.5, low=0, high=1, title="Share"),
        "picture": Choice(default="map", choices={"map": "Map", "curve": "Curve"}, title="Picture"),
        "racers": Several(default=("a", "b"), choices={"a": "A", "b": "B", "c": "C"}, title="Racers"),
        "arrows": Flag(default=False, title="Arrows"),
    },
    only={"dataset": ("two-features", "noisy-quadratic"), "epochs": (1, 500), "loss": ("mse",)},
    guesses=tuple(QUESTION.answers),
).open()
page.complaint()
page.choose("dataset", {"two-features": "Two", "noisy-quadratic": "Quadratic"}, label="Data")
page.choose("optimizer", {"gradient-descent": "GD", "adagrad": "AdaGrad"}, label="Rule")
page.text("learning_rate")
page.text("epochs")
page.text("share")
page.segments("picture")
page.segments("racers")
page.switch("arrows")
page.switch("scale_features", label="Scale")
st.button("half", on_click=lambda: page.set(learning_rate=0.5, share=0.25))
st.button("all", on_click=lambda: page.load(
    replace(page.settings, learning_rate=0.5, optimizer="adagrad", scale_features=True),
    picture="curve", racers=("b", "c"), arrows=True, share=0.25,
))
st.button("bad", on_click=lambda: page.set(learning_rate=-1.0))
asked = lesson.predict(page, QUESTION)
st.text(repr(page.settings))
st.text(page.take)
asked.judge(lambda: lesson.Judged("down", lambda said: f"Why not {said}?"))
'''  # fmt: skip
USUAL = replace(Experiment.default("two-features"), epochs=500)


class Trial(Visit):
    def __init__(self, **query):
        at = AppTest.from_string(PAGE, default_timeout=60)
        at.session_state[session.key(navigation.Visit)] = navigation.Visit(in_app=True)
        super().__init__(at, **query)

    def press(self, key):
        """Press a button, by what stands on it."""
        (button,) = [button for button in self.at.button if button.label == key]
        button.click()
        return self.run()

    def type(self, name, text):
        self.at.text_input(f"trial.{name}").set_value(text)
        return self.run()

    @property
    def experiment(self):
        return eval(self.at.text[0].value, {"Experiment": Experiment})  # its repr is its constructor

    @property
    def take(self):
        return self.at.text[1].value

    @property
    def judged(self):
        return re.sub(
            "<ul.*</ul>|<.*?>",
            "",
            "".join(one.proto.body for one in self.at.get("html") if "judged" in one.proto.body),
        )


def test_a_bare_address_opens_with_the_usual_settings():
    """It stays bare, since it says all there is to say, until something differs; and can be gone back to."""
    trial = Trial()
    assert trial.experiment == USUAL
    assert trial.query == {}
    trial.type("learning_rate", "0.25")
    assert trial.query == trial.experiment.to_query()
    trial.follow({})
    assert (trial.experiment, trial.query) == (USUAL, {})


def test_what_is_typed_is_the_value_and_the_address():
    """A field, a list, a switch, a segment: all three agree after each."""
    trial = Trial().type("learning_rate", "0.25").type("share", "0.75")
    trial.at.toggle("trial.arrows").set_value(True)
    trial.at.toggle("trial.scale_features").set_value(True)
    trial.run()
    assert trial.experiment == replace(USUAL, learning_rate=0.25, scale_features=True)
    assert trial.query == {**trial.experiment.to_query(), "share": "0.75", "arrows": "true"}


def test_an_address_is_followed_again():
    """What one visitor's address says, another's page shows, and so does a page that went back to it."""
    first = Trial().type("learning_rate", "0.25").type("share", "0.75").press("It rises")
    address = first.query
    second = Trial(**address)
    assert (second.experiment, second.query) == (first.experiment, address)
    assert second.at.text_input("trial.share").value == "0.75"
    first.type("learning_rate", "0.5")
    assert first.query != address
    first.follow(address)
    assert (first.experiment.learning_rate, first.query) == (0.25, address)
    assert first.at.text_input("trial.learning_rate").value == "0.25"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("learning_rate", "abc", "Learning rate η must be a number. Got abc. Using 0.001 instead."),
        ("learning_rate", "", "Learning rate η must be a number. Got nothing. Using 0.001 instead."),
        ("epochs", "501", "Epochs must be between 1 and 500 in this lesson. Got 501. Using 500 instead."),
        ("share", "2", "Share must be a number between 0 and 1. Got 2. Using 0.5 instead."),
    ],
)
def test_a_bad_value_stays_in_its_field(name, text, sentence):
    """The sentence stands under it, the last good value is used, and the next good one takes the sentence away."""
    trial = Trial(**USUAL.to_query())
    before = trial.experiment
    trial.type(name, text)
    assert trial.complaints == [sentence]
    assert trial.experiment == before
    assert trial.at.text_input(f"trial.{name}").value == text
    trial.type(name, "1")
    assert trial.complaints == []


@pytest.mark.parametrize(
    ("query", "sentences"),
    [
        (
            {"dataset": "one-parameter"},
            [
                "Data set must be one of two-features, noisy-quadratic in this lesson. Got one-parameter.",
                "The lesson opens with its own settings.",
            ],
        ),
        ({"epochs": "600"}, ["Epochs must be between 1 and 500 in this lesson. Got 600."]),
        ({"epochs": "many"}, ["Epochs must be a whole number. Got many."]),
        ({"loss": "mse-broadcast"}, ["Loss must be mse in this lesson. Got mse-broadcast."]),
        ({"share": "x", "picture": "3d"}, ["Share must be a number between 0 and 1. Got x.", "Picture must be one of map, curve. Got 3d."]),
        ({"learning_rate": "<script>alert(1)</script>", "epochs": "20"}, ["Learning rate η must be a number. Got <script>alert(1)</script>."]),
        ({"guess": "<b>", "nothing": "known"}, []),
    ],
)  # fmt: skip
def test_a_hostile_address_gets_a_sentence_each(query, sentences):
    """And the lesson opens all the same."""
    trial = Trial(**query)
    assert trial.complaints == sentences
    assert trial.experiment.dataset == "two-features"
    assert "guess" not in trial.query


def test_another_data_set_brings_its_own_settings():
    """A rate that suits one data set would tear another one apart."""
    trial = Trial().type("learning_rate", "0.25")
    trial.at.selectbox("trial.dataset").set_value("noisy-quadratic")
    assert trial.run().experiment == replace(Experiment.default("noisy-quadratic"), epochs=500)


def test_another_rule_brings_its_own_settings():
    """AdaGrad's epsilon is not Adam's."""
    trial = Trial()
    trial.at.selectbox("trial.optimizer").set_value("adagrad")
    assert trial.run().experiment == replace(Experiment.default("two-features", "adagrad"), epochs=500)


def test_a_button_may_set_several_things():
    """The fields show what it set; a value that breaks its rule sets nothing and is said."""
    trial = Trial().press("half")
    assert (trial.experiment.learning_rate, trial.query["share"]) == (0.5, "0.25")
    assert trial.at.text_input("trial.learning_rate").value == "0.5"
    trial.press("bad")
    assert trial.experiment.learning_rate == 0.5
    assert trial.complaints[0].startswith("Learning rate η must be a number between")


def test_something_is_always_chosen():
    """Pressing the chosen segment again, or taking the last of several away, changes nothing."""
    trial = Trial()
    trial.at.button_group("trial.picture").set_value(None)
    trial.run()
    assert "picture" not in trial.query
    trial.at.button_group("trial.racers").set_value([])
    trial.run()
    assert trial.complaints == ["Racers must hold at least 1. Got 0."]
    assert "racers" not in trial.query


# ------------------------------------------------------------------------------------------------ predict first


def test_an_answer_is_judged_by_the_run():
    """Right, wrong, or not given."""
    assert Trial().judged == ""
    assert Trial().press("It falls").judged == "You were right: it falls. "
    assert Trial().press("It rises").judged == "You said: it rises. What happened: it falls. Why not up?"
    assert Trial().press("Skip").judged == "What happened: it falls. "


def test_another_run_asks_again():
    """A change of settings takes the answer back, a field left as it was does not."""
    trial = Trial().press("It falls").type("learning_rate", "0.001")
    assert trial.query["guess"] == "down"
    trial.type("learning_rate", "0.25")
    assert "guess" not in trial.query


def test_an_answer_can_be_taken_back_and_asking_turned_off():
    """Both without a change of the run."""
    trial = Trial().press("It falls").press("Ask again")
    assert "guess" not in trial.query
    trial.at.toggle("trial.ask").set_value(False)
    assert trial.run().query["ask"] == "false"


def test_every_revealed_run_is_a_new_take():
    """The player starts for an answer and for another run, not for a rerun of the page."""
    trial = Trial()
    waiting = trial.take
    answered = trial.press("It falls").take
    assert answered != waiting
    assert trial.run().take == answered
    trial.press("Ask again")
    again = trial.press("It rises").take
    assert again not in (waiting, answered)


def test_a_lesson_must_open_with_settings_that_suit_it():
    """A lesson that would refuse its own settings is found when it is written."""
    with pytest.raises(ParameterError, match=r"epochs must be between 1 and 10 in this lesson\. Got 500\."):
        PageSettings("trial", USUAL, varies=(), only={"epochs": (1, 10)})


def test_what_a_lesson_does_not_list_is_as_it_opens():
    """A setting that it knows nothing of is refused in a link, whatever it is; and when it is set."""
    trial = Trial(split_seed="3", seed="1", learning_rate="0.25")
    assert trial.complaints == [
        "Split seed must be 0 in this lesson. Got 3.",
        "Seed must be 0 in this lesson. Got 1.",
    ]
    assert trial.query == USUAL.to_query() | {"learning_rate": "0.25"}
    page = PageSettings("trial", USUAL, varies=("learning_rate",))
    assert page.fixed == [name for name in FIELDS if name != "learning_rate"]


OF_THE_TRIAL = {
    "text_input": {"learning_rate": "0.001", "share": "0.5"},
    "selectbox": {"optimizer": "gradient-descent"},
    "toggle": {"arrows": False, "scale_features": False},
    "button_group": {"picture": "map", "racers": ["a", "b"]},
}


def test_what_a_browser_has_not_seen_yet_is_not_taken_for_typed():
    """With the next press it sends what stood in all widgets before; only what somebody has typed meanwhile counts."""
    trial = Trial().press("all")
    changed, address = trial.experiment, trial.query
    assert changed == replace(USUAL, learning_rate=0.5, optimizer="adagrad", scale_features=True)
    for kind, widgets in OF_THE_TRIAL.items():
        for name, before in widgets.items():
            widget: Any = getattr(trial.at, kind)(f"trial.{name}")
            assert widget.value != before
            widget.set_value(before)
    trial.press("It rises")
    assert (trial.experiment, trial.query) == (changed, address | {"guess": "up"})
    trial.at.text_input("trial.share").set_value("0.5")
    trial.at.text_input("trial.learning_rate").set_value("0.25")
    trial.press("Ask again")
    assert (trial.experiment.learning_rate, trial.query["share"]) == (0.25, "0.25")


def test_the_value_before_can_be_typed_again_at_once():
    """What somebody types is all that is new in what the browser sends."""
    trial = Trial().press("half").type("learning_rate", "0.001")
    assert (trial.experiment, trial.query["share"]) == (USUAL, "0.25")


def test_a_value_that_was_written_over_long_ago_is_typed(monkeypatch):
    """No browser is that late: so what comes with a press, from a hand quicker than the page, counts."""
    trial = Trial().press("half")
    monkeypatch.setattr(session, "LATE", 0.0)
    trial.at.text_input("trial.learning_rate").set_value("0.001")
    trial.press("It rises")
    assert trial.experiment == USUAL
