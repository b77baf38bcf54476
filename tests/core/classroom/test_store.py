"""The store keeps what the rules say, in SQLite and in PostgreSQL, whoever presses at the same time."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import event, inspect, text

from gd_core.classroom import kept, rooms, rules, store
from gd_core.classroom.rooms import Judgement, NoRoom, NotNow, Phase, Question
from gd_core.classroom.store import NotTheTeacher
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.settings.task import Result, Task

NOW = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
DAY = timedelta(days=1)
QUESTION = Question(
    title="Learning rate", text="What happens – ηλ = 2?", answers=("✓", "<b>", "'; DROP TABLE rooms")
)
JUDGEMENT = Judgement(right=(2,), sentence="It diverges.", why=("a", "b", ""))
ask = partial(rules.ask, question=QUESTION, judgement=JUDGEMENT)


def rows(classroom) -> dict[str, int]:
    """How many rows each table has."""
    with classroom._engine.connect() as connection:
        names = set(inspect(connection).get_table_names()) - {"schema_version"}
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar() for name in names}


def test_a_question_with_two_rounds(classroom):
    """Three students and a late one: every look has the room of the rules, and the votes counted by hand."""
    room, teacher = classroom.open_room(NOW)
    code = room.code
    assert classroom.room(code.lower(), NOW) == room
    first, second, third = (classroom.join(f" {code.lower()}", None, NOW) for _ in range(3))
    asked = classroom.steer(code, teacher, ask, NOW)
    assert classroom.room(code, NOW) == asked == replace(ask(room), version=1)
    classroom.vote(code, first, 0, 1, 1, NOW)
    classroom.vote(code, second, 2, 1, 1, NOW)
    classroom.vote(code, first, 1, 1, 1, NOW)  # thought better of it
    look = classroom.look(code, NOW)
    assert (look.tally.joined, look.tally.answered, look.tally.counts) == (3, 2, ((0, 1, 1),))
    classroom.steer(code, teacher, rules.show_answers, NOW)
    with pytest.raises(NotNow):
        classroom.vote(code, third, 0, 1, 1, NOW)
    classroom.steer(code, teacher, rules.ask_again, NOW)
    late = classroom.join(code, None, NOW)
    with pytest.raises(NotNow, match="gone on"):
        classroom.vote(code, first, 0, 1, 1, NOW)  # its phone still shows the first round
    for token in (first, third, late):
        classroom.vote(code, token, 2, 1, 2, NOW)
    look = classroom.look(code, NOW)
    assert (look.tally.joined, look.tally.answered, look.tally.counts) == (4, 3, ((0, 1, 1), (0, 0, 3)))
    said = [look.own(token).said for token in (first, second, third, late)]
    assert said == [(1, 2), (2, None), (None, 2), (None, 2)]
    assert classroom.steer(code, teacher, rules.run, NOW).phase is Phase.RUN
    classroom.steer(code, teacher, partial(rules.ask, question=QUESTION), NOW)
    look = classroom.look(code, NOW)
    assert (look.room.number, look.tally.counts, look.own(first).said) == (2, ((0, 0, 0),), (None,))


def test_the_same_token_is_the_same_member(classroom):
    """After a reload, in two tabs at once, and with a token that the browser drew itself; what is not one is replaced."""
    room, _ = classroom.open_room(NOW)
    token = classroom.join(room.code, None, NOW)
    drawn = kept.new_token()
    with ThreadPoolExecutor(8) as tabs:
        again = list(tabs.map(lambda one: classroom.join(room.code, one, NOW), [token, drawn] * 8))
    assert set(again) == {token, drawn}
    assert classroom.look(room.code, NOW).tally.joined == 2
    for bad in ("", "short", "x" * 23, "é" * 22, 7, ["x" * 22], "x" * 10**6):
        given = classroom.join(room.code, bad, NOW)
        assert given != bad
        assert kept._TOKEN.fullmatch(given)
    look = classroom.look(room.code, NOW)
    assert look.tally.joined == 9
    assert sorted(own.number for own in look.members.values()) == list(range(1, 10))
    assert look.own("nobody's") is None


def test_tokens_are_kept_as_digests_only(classroom):
    """Neither the teacher's nor a student's stands in the store, and the same student has another digest in another room."""
    room, teacher = classroom.open_room(NOW)
    other, _ = classroom.open_room(NOW)
    token = classroom.join(room.code, None, NOW)
    assert classroom.join(other.code, token, NOW) == token
    with classroom._engine.connect() as connection:
        kept = str([connection.execute(text(f"SELECT * FROM {name}")).all() for name in rows(classroom)])
        digests = connection.execute(text("SELECT token FROM members")).scalars().all()
    assert token not in kept
    assert teacher not in kept
    assert len(set(digests)) == 2


def test_a_vote_needs_the_token_of_a_member_of_this_room(classroom):
    """Another room's does not do, nor the teacher's."""
    room, teacher = classroom.open_room(NOW)
    other, _ = classroom.open_room(NOW)
    classroom.steer(room.code, teacher, ask, NOW)
    for token in (classroom.join(other.code, None, NOW), teacher, "", None, 3):
        with pytest.raises(NotNow, match="not in this room"):
            classroom.vote(room.code, token, 0, 1, 1, NOW)
    assert classroom.look(room.code, NOW).tally.answered == 0


def test_only_the_teacher_steers(classroom):
    """A student's token, another teacher's or none changes nothing."""
    room, teacher = classroom.open_room(NOW)
    _, other = classroom.open_room(NOW)
    for token in (other, classroom.join(room.code, None, NOW), "", None):
        assert not classroom.is_teacher(room.code, token, NOW)
        for act in (
            lambda token=token: classroom.steer(room.code, token, ask, NOW),
            lambda token=token: classroom.hide_nickname(room.code, token, 1, NOW),
            lambda token=token: classroom.delete_room(room.code, token, NOW),
        ):
            with pytest.raises(NotTheTeacher, match="Only the teacher"):
                act()
    assert classroom.is_teacher(room.code, teacher, NOW)
    assert classroom.room(room.code, NOW) == room


def test_two_presses_at_once_take_one_step(classroom):
    """Of eight teachers' hands on the same button, each having seen the same room, one asks; one question is asked."""
    room, teacher = classroom.open_room(NOW)

    def press(_):
        try:
            return classroom.steer(room.code, teacher, ask, NOW, seen=room.version).number
        except NotNow as refused:
            return str(refused)

    with ThreadPoolExecutor(8) as hands:
        done = sorted(hands.map(press, range(8)), key=str)
    assert done == [1] + ["The room has changed in the meantime: look, then press again."] * 7
    assert classroom.room(room.code, NOW).number == 1


def test_votes_and_steps_at_once(classroom):
    """Forty vote while the teacher shows the answers: what was taken is counted, what came too late was refused."""
    room, teacher = classroom.open_room(NOW)
    tokens = [classroom.join(room.code, None, NOW) for _ in range(40)]
    classroom.steer(room.code, teacher, ask, NOW)

    def vote(numbered):
        number, token = numbered
        if number == 20:
            classroom.steer(room.code, teacher, rules.show_answers, NOW)
        try:
            classroom.vote(room.code, token, number % 3, 1, 1, NOW)
        except NotNow:
            return None
        return number % 3

    with ThreadPoolExecutor(8) as phones:
        taken = [answer for answer in phones.map(vote, enumerate(tokens)) if answer is not None]
    assert 12 <= len(taken) < 40  # eight at a time
    assert classroom.look(room.code, NOW).tally.counts == (tuple(taken.count(answer) for answer in range(3)),)


def test_nicknames_only_where_the_teacher_allows_them(classroom):
    """And the teacher hides one with a press; without one a student is a number."""
    room, teacher = classroom.open_room(NOW)
    token = classroom.join(room.code, None, NOW)
    with pytest.raises(NotNow, match="No nicknames"):
        classroom.name(room.code, token, "Ada", NOW)
    classroom.steer(room.code, teacher, partial(rules.allow_nicknames, allowed=True), NOW)
    assert classroom.name(room.code, token, "  Ada   L ", NOW) == "Ada L"
    with pytest.raises(ParameterError, match="nickname must have"):
        classroom.name(room.code, token, "x" * 21, NOW)
    with pytest.raises(NotNow, match="not in this room"):
        classroom.name(room.code, teacher, "Eve", NOW)
    assert classroom.look(room.code, NOW).own(token) == store.Own(1, (), "Ada L", False)
    classroom.hide_nickname(room.code, teacher, 1, NOW)
    assert classroom.look(room.code, NOW).own(token).hidden
    classroom.hide_nickname(room.code, teacher, 1, NOW, hidden=False)
    assert not classroom.look(room.code, NOW).own(token).hidden


def test_after_the_end_nobody_joins_and_a_deleted_room_leaves_nothing(classroom):
    """The end keeps what was answered, for the teacher to take along; deleting leaves no row of it in any table."""
    room, teacher = classroom.open_room(NOW)
    token = classroom.join(room.code, None, NOW)
    classroom.steer(room.code, teacher, ask, NOW)
    classroom.vote(room.code, token, 1, 1, 1, NOW)
    task = Task(experiment=Experiment.default("one-parameter"))
    classroom.steer(room.code, teacher, partial(rules.give_task, task=task.to_text()), NOW)
    classroom.hand_in(room.code, token, Result(task=task, experiment=task.experiment).to_text(), NOW)
    classroom.steer(room.code, teacher, rules.end, NOW)
    assert classroom.look(room.code, NOW).tally.counts == ((0, 1, 0),)
    assert classroom.join(room.code, token, NOW) == token  # who was there may look
    with pytest.raises(NotNow, match="has ended"):
        classroom.join(room.code, None, NOW)
    assert min(rows(classroom).values()) > 0
    classroom.delete_room(room.code, teacher, NOW)
    assert set(rows(classroom).values()) == {0}
    for ask_for in (classroom.room, classroom.look):
        with pytest.raises(NoRoom, match=f"There is no room {room.code}, or it is over"):
            ask_for(room.code, NOW)


@pytest.mark.parametrize(
    "code", ["", "ABCDEF", "BCDFGH", "bcdfg", None, 7, "x" * 10**6, "BCDFGH' OR '1'='1", "\x00" * 6, "\ud800"]
)
def test_a_code_of_any_kind_finds_a_room_or_a_sentence(classroom, code):
    """Never an error of the database."""
    acts = (
        lambda: classroom.room(code, NOW),
        lambda: classroom.look(code, NOW),
        lambda: classroom.join(code, None, NOW),
        lambda: classroom.vote(code, "x" * 22, 0, 1, 1, NOW),
        lambda: classroom.steer(code, "x", ask, NOW),
        lambda: classroom.is_teacher(code, "x", NOW),
    )
    for act in acts:
        with pytest.raises(NoRoom, match=r"\.( Got .*)?"):
            act()


def test_a_room_goes_after_a_day_whatever_the_clock_did(classroom):
    """Swept when the next one is opened: those whose day is over, and those that a clock opened which was wrong by years."""
    early, _ = classroom.open_room(NOW)
    assert classroom.look(early.code, NOW + DAY - timedelta(microseconds=1)).room == early
    with pytest.raises(NoRoom):
        classroom.look(early.code, NOW + DAY)
    far = NOW.replace(year=2099)
    lost, _ = classroom.open_room(far)
    assert rows(classroom)["rooms"] == 1  # the early one is gone
    back, _ = classroom.open_room(NOW)  # the clock was put right
    assert rows(classroom)["rooms"] == 1
    with pytest.raises(NoRoom):
        classroom.room(lost.code, far)
    assert classroom.room(back.code, NOW - timedelta(hours=2)) == back  # an hour or two back do no harm
    assert classroom.sweep(NOW + DAY) == 1


def test_ten_thousand_who_join_fill_a_room_and_do_no_more(opened, tmp_path):
    """Five hundred are in, the others are told so, and the teacher goes on."""
    classroom = opened(f"sqlite:///{tmp_path / 'class.sqlite3'}")
    room, teacher = classroom.open_room(NOW)

    def join(_):
        try:
            return classroom.join(room.code, None, NOW)
        except NotNow as refused:
            return str(refused)

    with ThreadPoolExecutor(4) as phones:
        said = list(phones.map(join, range(10_000)))
    assert said.count("The room is full: at most 500 can join.") == 9_500
    assert classroom.look(room.code, NOW).tally.joined == len(set(said)) - 1 == 500
    classroom.steer(room.code, teacher, ask, NOW)


def test_a_server_has_an_end_of_rooms(classroom, monkeypatch):
    """One more than there may be is refused; when one is deleted there is a place again."""
    monkeypatch.setattr(store, "MOST_ROOMS", 3)
    (room, teacher), *_ = (classroom.open_room(NOW) for _ in range(3))
    with pytest.raises(NotNow, match="3 rooms are open on this server"):
        classroom.open_room(NOW)
    classroom.delete_room(room.code, teacher, NOW)
    classroom.open_room(NOW)


def test_a_code_that_is_taken_is_drawn_again(classroom, monkeypatch):
    """Two rooms never share one."""
    drawn = iter(["BCDFGH", "BCDFGH", "BCDFGH", "JKMNPQ"])
    monkeypatch.setattr(rooms, "new_code", lambda: next(drawn))
    assert [classroom.open_room(NOW)[0].code for _ in range(2)] == ["BCDFGH", "JKMNPQ"]


def test_the_store_is_flat_after_a_thousand_rooms(opened, tmp_path):
    """Its file is no larger than after the first hundred: what was deleted makes place."""
    file = tmp_path / "class.sqlite3"
    classroom = opened(f"sqlite:///{file}")

    def come_and_go(count):
        for number in range(count):
            room, teacher = classroom.open_room(NOW + number * DAY)  # each sweeps the one before
            classroom.steer(room.code, teacher, ask, room.opened_at)
            token = classroom.join(room.code, None, room.opened_at)
            classroom.vote(room.code, token, 1, 1, 1, room.opened_at)
        return sum(one.stat().st_size for one in tmp_path.iterdir())

    first = come_and_go(100)
    assert come_and_go(900) <= first
    assert max(rows(classroom).values()) == 1


def test_a_look_asks_the_store_twice_however_many_answered(classroom):
    """The room, and everybody's answers: so one look serves a class."""
    room, teacher = classroom.open_room(NOW)
    classroom.steer(room.code, teacher, ask, NOW)
    asked = []
    event.listen(classroom._engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    counts = []
    for _ in range(3):
        for _ in range(5):
            classroom.vote(room.code, classroom.join(room.code, None, NOW), 1, 1, 1, NOW)
        asked.clear()
        assert classroom.look(room.code, NOW)
        counts.append(sum(sql.startswith("SELECT") for sql in asked))
    assert counts == [2, 2, 2]
