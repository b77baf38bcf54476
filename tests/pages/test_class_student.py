"""The class on a phone by Streamlit, where the server's own routes do not answer."""

from dataclasses import replace
from functools import partial

import pytest
from classroom import JUDGEMENT, QUESTION, Lesson
from visit import Visit, app

from gd_core.classroom import rules
from gd_core.classroom.database import StoreDown
from gd_core.classroom.kept import new_token
from gd_core.settings.experiment import Experiment
from gd_core.settings.task import Result, Task
from pages.ui.classroom import connection, student, watch
from pages.ui.look import session


class Phone(Visit):
    """A visitor of the page for students, by the address of the QR code."""

    def __init__(self, **query: str) -> None:
        self.word = new_token()
        super().__init__(app().switch_page("pages/join.py"), **query)

    def told(self) -> "Phone":
        """The browser says its word, which AppTest has none to do for."""
        (mounted,) = self.at.get("bidi_component")[-1:]
        assert mounted.proto.component_name == student.KEY
        kept = self.at.session_state[session.key(student.Student)]
        connection.classroom().join(kept.code, self.word, watch.now())
        watch.watch().changed(kept.code)
        kept.word = self.word
        return self.run()


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    lesson = Lesson(tmp_path / "class.sqlite3")
    monkeypatch.setattr(connection, "classroom", lambda: lesson.store)
    monkeypatch.setattr(watch, "FRESH", -1)
    watch.watch.cache_clear()
    yield lesson
    lesson.engine.dispose()
    watch.watch.cache_clear()


def test_a_student_goes_through_a_question(lesson):
    """In by the address, asked, answered, changed, shown, asked again, judged, ended: what `for_student` says, and no more."""
    phone = Phone(room=lesson.code.lower()).told()
    assert "You are in" in phone.html
    lesson.ask()
    phone.run()
    assert "&lt;b&gt;now&lt;/b&gt;" in phone.html  # a question is a text
    assert "Choose your answer." in phone.html
    assert len(phone.at.button) == len(QUESTION.answers)
    phone.press("answer 1 1 0")
    assert f"You said: {QUESTION.answers[0]}. You can change it" in phone.html
    phone.press("answer 1 1 2")
    assert phone.at.button("answer 1 1 2").label == "✓ It flies away"
    assert lesson.look.tally.counts == ((0, 0, 1),)
    assert JUDGEMENT.sentence not in phone.html
    assert not phone.at.get("image")
    lesson.steer(rules.show_answers)
    assert "<td>It flies away <b>your answer</b></td><td>1</td>" in phone.run().html
    assert "✓ right" not in phone.html
    lesson.steer(rules.ask_again)
    assert "Talk to your neighbours" in phone.run().html
    phone.press("answer 1 2 0")
    lesson.steer(rules.run)
    assert f"You said: {QUESTION.answers[0]}. {JUDGEMENT.sentence} {JUDGEMENT.why[0]}" in phone.run().html
    (image,) = phone.at.get("image")
    assert image.proto.imgs[0].alt.startswith("A by epoch: from 2 to ")
    assert "<td>It jumps across and comes closer <b>✓ right</b></td><td>0</td><td>0</td>" in phone.html
    assert f'href="./{QUESTION.address}"' in phone.html
    lesson.steer(rules.end)
    assert "The lesson has ended" in phone.run().html


def test_who_has_no_code_is_asked_for_one(lesson):
    """A wrong one is told; what was typed is in the address, so that a reload finds the room."""
    phone = Phone()
    phone.at.text_input("typed_code").input("BCDFGH")
    phone.at.button[0].click()
    phone.run()
    assert "There is no room BCDFGH" in phone.html
    phone.at.text_input("typed_code").input(lesson.code)
    phone.at.button[0].click()
    phone.run()
    assert phone.query == {"room": lesson.code}
    assert "You are in" in phone.told().html


def test_a_result_and_a_nickname_are_handed_in(lesson):
    """When the teacher has opened the board, and has allowed names; what is refused is told."""
    phone = Phone(room=lesson.code).told()
    assert not phone.at.text_input
    task = Task(experiment=Experiment.default("noisy-quadratic"), free=("learning_rate",))
    lesson.steer(rules.give_task, task=task.to_text())
    lesson.steer(rules.allow_nicknames, allowed=True)
    result = Result(task=task, experiment=replace(task.experiment, learning_rate=0.02)).to_text()
    phone.run()
    for typed, told in (("mine", '<p role="alert">'), (result, "Your result is on the board.")):
        phone.at.text_input("class_result").input(typed)
        assert told in phone.press("take class_result").html
    (one,) = lesson.store.board(lesson.code, watch.now())
    assert one.result == result
    for typed, told in (("x" * 21, '<p role="alert">'), ("Calm <Slope>", "Your nickname is kept.")):
        phone.at.text_input("class_nickname").input(typed)
        assert told in phone.press("take class_nickname").html
    (own,) = lesson.look.members.values()
    assert own.nickname == "Calm <Slope>"


def test_what_comes_too_late_is_told(lesson):
    """An answer when the class has gone on, a room that is deleted, a store that is down: a sentence each, and no failure."""
    phone = Phone(room=lesson.code).told()
    lesson.ask()
    phone.run()
    lesson.steer(rules.show_answers)
    phone.press("answer 1 1 0")
    assert lesson.look.tally.answered == 0
    with pytest.MonkeyPatch.context() as patch:
        down = partial(raising, StoreDown("The class's store does not answer."))
        patch.setattr(lesson.store, "look", down)
        assert "The class&#x27;s store does not answer." in phone.run().html
    lesson.store.delete_room(lesson.code, lesson.token, watch.now())
    assert f"There is no room {lesson.code}" in phone.run().html
    assert phone.at.text_input("typed_code")


def raising(error, *args):
    raise error
