"""The teacher's side of a class as AppTest sees it: each phase, the steps, the remote's, and a store that fails."""

import re
import subprocess
import sys
from datetime import timedelta
from functools import partial
from html import unescape
from xml.etree import ElementTree

import pytest
import taught
from lesson_page import LessonPage
from taught import OPENING, Taught, open_room
from test_every_lesson import every_question
from visit import ROOT

from gd_core.classroom import rooms, rules, views
from gd_core.classroom.database import StoreDown
from gd_core.classroom.quiz import AFTER, BEFORE, KINDS, quiz
from gd_core.classroom.rooms import Phase
from gd_core.classroom.store import Classroom
from pages.ui.classroom import connection, learned, wall
from pages.ui.classroom.watch import now, watch
from pages.ui.look import projector, session

RIGHT = 2  # at its usual rate, 0.1, the factor is −0.8: across and closer


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    taught.use(tmp_path / "data" / "classroom.sqlite3", monkeypatch)


def test_a_question_with_two_rounds():
    """Joined, asked, counted but not shown, shown, asked again beside it, run: what stands on the wall and what can be done."""
    page = Taught()
    assert page.steps == ["class_ask", "skip", "class_end"]
    assert "Nobody is in yet." in page.html
    phones = page.join(5)
    assert "5 are in." in page.run().html
    assert page.room.phase is Phase.LOBBY

    page.press("class_ask")
    assert (page.room.phase, page.room.round) == (Phase.VOTING, 1)
    assert page.steps == ["class_show", "class_again", "class_run"]
    page.vote(phones[:4], 0, RIGHT, 0, 4)
    page.run()
    assert page.at.get("progress")[0].proto.text == "4 of 5 have answered"
    assert page.at.get("progress")[0].proto.value == 80
    assert {len(row) for row in page.wall} == {1}  # nothing of how the answers lie
    assert page.right == []
    assert not page.player["trained"]

    page.press("class_show")
    assert [row[1] for row in page.wall] == ["2 · 50 %", "0", "1 · 25 %", "0", "1 · 25 %", "0"]
    assert page.steps == ["class_again", "class_run", "class_end"]
    page.press("class_again")
    page.vote(phones, RIGHT, RIGHT, RIGHT, RIGHT, 0)
    page.run()
    assert {len(row) for row in page.wall} == {1}
    assert page.steps == ["class_show", "class_run"]
    page.press("class_show")
    assert page.wall[RIGHT] == ("It jumps across and comes closer", "1 · 25 %", "4 · 80 %")
    assert not page.player["trained"]

    page.press("class_run")
    assert page.room.phase is Phase.RUN
    assert (page.player["trained"], page.player["play"]) == (True, True)
    assert page.right == ["It jumps across and comes closer"]
    assert (
        "What happened: it jumps across and comes closer.</b> 4 of 5 had it right, in the first vote 1 of 4."
        in page.html
    )
    assert page.query["guess"] == "skip"  # who is sent the address sees the run
    take = page.player["id"]
    assert page.run().player["id"] == take  # and looking plays nothing anew


@every_question
def test_each_lesson_knows_its_answer_before_it_shows_the_run(name, asked):
    """The teacher's phone is told it during the vote; the page is not, and trains when the class runs it."""
    page = Taught(name, **asked.link)
    offered = page.room.offered
    assert offered is not None
    assert page.room.offered_judgement.right == (list(asked.answers).index(asked.right),)
    assert page.room.offered_judgement.sentence == f"What happened: {asked.answers[asked.right]}."
    wrong = [
        why
        for key, why in zip(asked.answers, page.room.offered_judgement.why, strict=True)
        if key != asked.right
    ]
    assert all(why.endswith(".") for why in wrong)
    picture = page.room.offered_judgement.picture  # phones are shown it with the run, and no sooner
    assert ElementTree.fromstring(picture).find("{*}g/{*}polyline") is not None
    assert len(picture) < 5000
    page.press("class_ask")
    assert page.room.question.text == offered.text
    assert len(page.wall) == len(asked.answers)
    assert (page.player["trained"], page.player["summary"]) == (False, "")
    assert "class_run" in page.steps
    page.press("class_run").finished()
    assert (page.player["trained"], page.player["play"]) == (True, True)
    assert page.player["summary"].startswith(asked.told)
    assert len(page.right) == 1
    link = page.room.question.address
    assert link.startswith(f"{name}?")
    assert link.endswith("guess=skip")


def test_the_remote_steers_the_page():
    """A step from the teacher's phone stands on the wall with the next look, and the run plays."""
    page = Taught()
    page.remote(rules.ask)  # what the page offers
    assert page.steps == ["class_show", "class_again", "class_run"]
    page.remote(rules.show_answers)
    assert page.steps == ["class_again", "class_run", "class_end"]
    page.remote(rules.run)
    assert (page.player["trained"], page.player["play"]) == (True, True)
    page.remote(rules.end)
    assert page.steps == ["class_delete"]
    assert page.player["trained"]


def test_two_presses_at_once_take_one_step():
    """The page's press after the remote's: the room is no longer what the page showed, so nothing is done, and nothing said."""
    page = Taught().press("class_ask")
    stale = page.room.version
    connection.classroom().steer(page.teacher.code, page.teacher.token, rules.ask_again, now())
    page.press("class_again")
    assert (page.room.round, page.room.version) == (2, stale + 1)
    assert page.at.markdown[-1] is not None
    assert page.complaints == []
    page.press("class_run")
    assert page.room.phase is Phase.RUN


def second(page: Taught) -> Taught:
    """Another tab that holds the class's word."""
    other = Taught.__new__(Taught)
    LessonPage.__init__(other, OPENING)
    other.at.session_state[session.key(projector.Projector)].kept = page.component("keys")["class"]
    return other.run()


def test_two_who_teach_one_class():
    """Both hold the word: what one presses stands on the other's page with its next look, and each can take the next step. Who holds
    none has nothing to steer with."""
    one = Taught()
    other = second(one)
    phones = one.join(3)
    one.press("class_ask")
    assert other.run().steps == one.steps == ["class_show", "class_again", "class_run"]
    other.vote(phones, RIGHT, 0, RIGHT)
    other.press("class_show")
    assert one.run().wall == other.wall
    assert one.wall[RIGHT][1].startswith("2 · ")
    one.press("class_run")
    assert other.run().right == one.right == ["It jumps across and comes closer"]
    assert other.player["trained"]
    assert one.complaints == other.complaints == []
    stranger = {str(one.key) for one in LessonPage(OPENING).at.button}
    assert not [key for key in stranger if key.startswith("class_")]


def test_an_address_that_comes_late_plays_nothing_a_second_time():
    """Under load a look still brings the address of before the run: the room says what is shown, and the run plays once."""
    page = Taught().press("class_ask")
    before = page.query
    page.press("class_run")
    after, take = page.query, page.player["id"]
    assert before != after
    for late in (before, {**after, "guess": "across"}):
        page.at.query_params.clear()
        page.follow(late)
        assert (page.player["id"], page.player["trained"], page.query) == (take, True, after)
    page.follow({"learning_rate": "0.05"})  # another run, by a link: not asked yet
    assert page.steps == ["class_ask", "skip", "class_end"]


def test_two_presses_of_the_button_open_one_room():
    """The second comes before the page has shown the first: a phone may be in by then."""
    page = Taught()
    code = page.teacher.code
    open_room(page)
    assert page.teacher.code == code


def test_the_next_question_is_asked_at_once():
    """Another setting is loaded, hidden again and put to the class; a change of one's own waits for a press."""
    page = Taught().press("class_ask").press("class_run").press("class_next")
    assert page.query["learning_rate"] == "0.1111111111111111"
    assert (page.room.phase, page.room.number) == (Phase.VOTING, 2)
    assert page.room.judgement.right == (3,)  # at 1/9 it bounces
    assert not page.player["trained"]
    page.type(learning_rate="0.12")
    assert page.steps == ["class_ask", "skip"]  # the class still answers: it cannot be ended by a slip
    assert page.room.number == 2
    page.press("class_ask")
    assert (page.room.number, page.room.judgement.right) == (3, (4,))  # it flies away


def test_the_class_follows_to_another_lesson():
    """There its question waits for a press; the room is the same."""
    page = Taught().press("class_ask").press("class_run")
    code = page.teacher.code
    page.at.switch_page("pages/gradient.py")
    page.follow({})
    assert page.steps == ["class_ask", "skip", "class_end"]
    page.press("class_ask")
    assert (page.room.code, page.room.number) == (code, 2)
    assert page.room.question.title == "The gradient, η = 0.1"


def test_skipping_shows_the_run_without_the_class():
    """And the question can still be put, which hides the run again."""
    page = Taught().press("skip")
    assert page.player["trained"]
    assert page.room.phase is Phase.LOBBY
    page.press("class_ask")
    assert not page.player["trained"]


def test_a_class_is_asked_though_nobody_else_would_be():
    """*Ask me first* is off in the link: with a class the run waits all the same."""
    page = Taught(ask="false").press("class_ask")
    assert not page.player["trained"]
    page.press("class_run")
    assert page.player["trained"]


def test_an_ended_class_can_be_deleted():
    """Its run stays on the page; then every row is gone, and the lesson asks alone."""
    page = Taught().press("class_ask").press("class_run").press("class_end")
    code = page.teacher.code
    assert page.room.phase is Phase.ENDED
    assert page.player["trained"]
    assert page.steps == ["class_delete"]
    page.press("class_delete")
    with pytest.raises(rooms.NoRoom):
        connection.classroom().room(code, now())
    assert page.teacher.code == ""
    page.press("ask_again")
    assert len(page.answers) == 6
    open_room(page)
    assert page.teacher.code not in ("", code)


def test_a_reload_finds_the_class_again():
    """By the word that the tab kept; one that opens nothing is forgotten, and of a room that is gone it is said."""
    page = Taught().press("class_ask")
    word = page.component("keys")["class"]
    for kept, found in ((word, True), (word[:-1] + "?", False), ("x", False), ("ZZZZZZ token", False)):
        again = LessonPage(OPENING)
        assert again.component("keys")["class"] is None
        again.at.session_state[session.key(projector.Projector)].kept = kept
        again.run().run()
        assert again.component("keys")["class"] == (word if found else ""), kept
        assert any(one.key == "class_run" for one in again.at.button) is found
        assert again.complaints == (
            [] if kept.startswith(page.teacher.code) else ["The class is over: its room was deleted."]
        )


def test_a_room_that_is_gone_is_said_and_left():
    """Deleted from elsewhere, or its day over: the lesson goes on alone."""
    page = Taught().press("class_ask")
    connection.classroom().delete_room(page.teacher.code, page.teacher.token, now())
    watch().changed(page.teacher.code)
    page.run()
    assert page.complaints == ["The class is over: its room was deleted."]
    assert page.answer("across").judged.startswith("You were right")
    open_room(page)
    assert page.complaints == []
    connection.classroom().sweep(now() + timedelta(days=2))
    watch().changed(page.teacher.code)
    page.run()
    assert page.complaints == ["The class is over: its room was deleted."]


def test_without_a_store_the_button_says_why(monkeypatch, tmp_path):
    """No room opens, in one sentence; the lesson works as ever, and a later press may succeed."""
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    page = LessonPage(OPENING)
    monkeypatch.setattr(connection, "_kept", None)
    monkeypatch.setattr(connection, "FILE", blocked / "classroom.sqlite3")
    open_room(page)
    assert page.complaints == [f"The class's store cannot be opened: the server may not write {blocked}."]
    assert page.answer("across").judged.startswith("You were right")
    monkeypatch.setattr(connection, "FILE", tmp_path / "mended" / "classroom.sqlite3")
    open_room(page)
    assert page.complaints == []
    assert [one.key for one in page.at.button][:2] == ["class_ask", "class_end"]


def test_a_store_that_fails_for_a_while(monkeypatch):
    """The box says so with each look, and goes on where it was when the store answers again."""
    page = Taught().press("class_ask")

    def down(*_: object) -> None:
        raise StoreDown("The class's store is full: no room on the disk.")

    with monkeypatch.context() as patch:
        for method in ("look", "room", "steer"):
            patch.setattr(Classroom, method, down)
        page.press("class_show")
        assert set(page.complaints) == {"The class's store is full: no room on the disk."}
        page.type(learning_rate="0.05")
        assert page.complaints
    page.type(learning_rate="0.1")
    assert page.complaints == []
    assert page.steps == ["class_show", "class_again", "class_run"]


def test_a_step_that_the_rules_forbid_is_said():
    """A room has at most so many questions."""
    page = Taught()
    for _ in range(rules.MOST_QUESTIONS):
        connection.classroom().steer(
            page.teacher.code,
            page.teacher.token,
            partial(rules.ask, question=page.room.offered or page.room.question),
            now(),
        )
        connection.classroom().steer(page.teacher.code, page.teacher.token, rules.show_answers, now())
    watch().changed(page.teacher.code)
    page.type(learning_rate="0.05").press("class_ask")
    assert page.complaints == [f"A room has at most {rules.MOST_QUESTIONS} questions: open another one."]


def test_an_answer_is_text_on_the_wall():
    """Whatever is in it is shown as it is; a right one is marked, of two votes each has its share of its own total."""
    question = rooms.Question(title="t", text="q", answers=("<b>a</b>", "b"), number=1)
    room = rooms.Room(
        code="BCDFGH", opened_at=now(), expires_at=now() + timedelta(days=1), phase=Phase.RUN, number=1, round=2,
        question=question, judgement=rooms.Judgement(right=(0,), sentence="<i>so</i>"),
    )  # fmt: skip
    view = views.for_projector(room, views.Tally(9, 3, ((1, 7), (3, 0))))
    table = wall.answers(view)
    assert "<b>" not in table
    assert [float(one) for one in re.findall(r"--share: ([\d.]+)", table)] == [0.125, 1, 0.875]
    assert "1 · 12 %" in table or "1 · 13 %" in table
    assert "&lt;i&gt;so&lt;/i&gt;" in wall.judgement(view)
    assert "3 of 3 had it right, in the first vote 1 of 8." in wall.judgement(view)


def test_a_lesson_without_a_class_loads_no_database(tmp_path):
    """Neither SQLAlchemy nor the code's library, until the button is pressed: seen in a fresh interpreter."""
    script = (
        "import sys; sys.path[:0] = ['tests/pages']\nfrom lesson_page import LessonPage\nfrom pages.ui.classroom import connection\n"
        f"from pathlib import Path\nconnection.FILE = Path({str(tmp_path)!r}) / 'c.sqlite3'\n"
        "page = LessonPage('one_parameter')\nheavy = ('sqlalchemy', 'segno')\nprint(*(name in sys.modules for name in heavy))\n"
        "page.at.session_state['pages.ui.look.projector.Projector'].asked['teach'] = 1; page.run()\nprint(*(name in sys.modules for name in heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.splitlines()[-2:] == ["False False", "True True"]


# ------------------------------------------------------------------------------------------ what was learned


def words_of(page) -> str:
    return re.sub(r"<[^>]*>", " ", page.html)


def begin_paper(page: Taught, paper: int) -> None:
    """Open the popover, which AppTest can only do by its state, and press."""
    page.at.session_state["class_learned"] = True
    page.run()
    page.press(f"class_paper_{paper}")


def answer_rightly(page: Taught, tokens: list[str], right: int) -> None:
    """So many of the tokens are right, the others wrong."""
    room = page.room
    assert room.judgement
    truth = room.judgement.right[0]
    page.vote(tokens, *(truth if number < right else (truth + 1) % 2 for number in range(len(tokens))))


def test_seven_before_seven_after_and_the_gain():
    """Of four, one is right before each time, three after: the gain is two thirds. Nothing is given away before the end."""
    page = Taught()
    code, teacher = page.teacher.code, page.teacher.token
    tokens = page.join(4)
    for question, judgement in quiz(code, BEFORE):
        ask = partial(rules.ask, question=question, judgement=judgement)
        connection.classroom().steer(code, teacher, ask, now())
        answer_rightly(page, tokens, 1)
        connection.classroom().steer(code, teacher, rules.go_on, now())
    begin_paper(page, AFTER)
    for number, (question, judgement) in enumerate(quiz(code, AFTER), 1):
        assert (page.room.question.text, page.room.phase) == (question.text, Phase.VOTING)
        assert f"After the hour: {number} of 7" in words_of(page)
        assert question.text in unescape(words_of(page))
        assert judgement.sentence not in unescape(page.html)
        assert "✓" not in page.html
        answer_rightly(page, tokens, 3)
        page.press("class_paper_next" if number < 7 else "class_paper_end")
    assert page.room.phase is Phase.LOBBY
    rows = re.findall(
        r"<tr><th scope=\"row\">(.*?)</th><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td>", page.html
    )
    assert rows == [(kind, "25 %", "75 %", "0.67") for kind in (*KINDS, "All")]
    page.press("class_gain_close")
    assert "class_ask" in page.steps


def test_the_first_paper_leaves_a_vote_and_leads_to_the_lesson():
    """Begun while the class answers another question; stopped, the lesson's own stands there again."""
    page = Taught()
    page.press("class_ask")
    begin_paper(page, BEFORE)
    assert page.room.question.kind == next(iter(KINDS))
    page.press("class_paper_stop")
    assert (page.room.phase, "class_ask" in page.steps) == (Phase.LOBBY, True)


def test_a_paper_begun_twice_is_begun_once():
    """A second press, which came before the first had shown, neither leaves the question nor asks it anew."""
    page = Taught()
    for _ in range(2):
        begin_paper(page, BEFORE)
        assert (page.room.number, page.room.phase) == (1, Phase.VOTING)


def test_a_menu_whose_room_is_gone_says_so():
    """A press in what was open before another deleted the room."""
    for key in ("class_paper_1", "class_allow"):
        page = Taught()
        page.at.session_state["class_learned"] = page.at.session_state["class_names"] = True
        page.run()
        connection.classroom().delete_room(page.teacher.code, page.teacher.token, now())
        page.press(key)
        assert page.complaints == ["The class is over: its room was deleted."]


def test_there_is_nothing_to_tell_before_both_papers():
    """A sentence."""
    assert "before the hour and after it" in learned.table([])
