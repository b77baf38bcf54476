"""What phones ask of a class: who is let in, whose answer counts, who sees what, and what is refused in a sentence."""

import asyncio
import json
import signal
import time
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode, urljoin

import pytest
import uvicorn
from classroom import JSON, JUDGEMENT, QUESTION, Lesson, Student
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from visit import awaited

from gd_core.classroom import rooms, rules
from gd_core.classroom.database import StoreDown
from gd_core.classroom.kept import new_token
from gd_core.settings.experiment import Experiment
from gd_core.settings.task import Result, Task
from pages.ui.classroom import phone_files, routes, stream
from pages.ui.classroom.limits import MOST_KEYS, Limit
from pages.ui.classroom.watch import Watch, now

LETTERS = "BCDFGH"


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "TICK", 0.02)
    monkeypatch.setattr("pages.ui.classroom.watch.FRESH", 0.01)
    lesson = Lesson(tmp_path / "class.sqlite3")
    yield lesson
    lesson.engine.dispose()


def run(work):
    """Run a test's coroutine; one that waits for what never comes fails."""

    async def soon():
        async with asyncio.timeout(10):
            return await work

    return awaited(soon())


def test_a_student_goes_through_a_question(lesson):
    """Let in, asked, heard, changed, shown, asked again, judged: what the phone is told in each phase, by the rules of the room."""

    async def story():
        student, other = Student(lesson), Student(lesson)
        assert (await student.enter()).json["phase"] == "lobby"
        await other.enter()
        lesson.ask()
        assert lesson.look.tally.joined == 2
        seen = (await student.vote(0)).json
        assert seen["said"] == [0]
        assert (await student.vote(2)).json["said"] == [2]
        assert (await student.enter()).json["said"] == [2]  # a reload
        assert seen["counts"] is seen["right"] is None
        assert seen["sentence"] == seen["address"] == seen["picture"] == ""
        await other.vote(1)
        lesson.steer(rules.show_answers)
        await asyncio.sleep(0.02)
        seen = (await student.enter()).json
        assert seen["counts"] == [[0, 1, 1]]
        assert seen["right"] is None
        lesson.steer(rules.ask_again)
        await student.vote(1, round=2)
        await other.vote(0, round=2)
        lesson.steer(rules.run)
        await asyncio.sleep(0.02)
        seen = (await student.enter()).json
        assert (seen["counts"], seen["right"], seen["said"]) == ([[0, 1, 1], [1, 1, 0]], [1], [2, 1])
        assert (seen["sentence"], seen["address"], seen["why"]) == (
            JUDGEMENT.sentence,
            QUESTION.address,
            "",
        )
        others = (await other.enter()).json
        assert others["why"] == JUDGEMENT.why[0]
        assert seen["picture"] == others["picture"] == JUDGEMENT.picture
        assert len(json.dumps(seen)) < 4000  # a picture and all, uncompressed

    run(story())


def test_one_phone_is_one_person(lesson):
    """Two tabs at the same moment, a reload, a second try: one member, one answer."""

    async def story():
        student = Student(lesson)
        replies = await asyncio.gather(*(student.enter() for _ in range(5)))
        assert {reply.status for reply in replies} == {200}
        lesson.ask()
        await asyncio.gather(*(student.vote(answer) for answer in (0, 1, 2)))
        assert lesson.look.tally.joined == 1
        assert sum(lesson.look.tally.counts[0]) == 1

    run(story())


def test_what_does_not_count_is_told(lesson):
    """An answer that is not there, to the question before, after the answers are shown, of another room, of nobody."""

    async def story():
        student, stranger = Student(lesson), Student(lesson)
        await student.enter()
        refused = [await student.vote(0)]  # nothing is asked
        lesson.ask()
        await asyncio.sleep(0.02)
        refused += [
            await student.vote(3),
            await student.vote(-1),
            await student.vote(0, number=2),
            await student.vote(0, round=2),
        ]
        refused += [await stranger.vote(0)]
        lesson.steer(rules.show_answers)
        refused += [await student.vote(0)]
        lesson.steer(rules.end)
        refused += [await student.vote(0), await stranger.enter()]
        for reply in refused:
            assert reply.status == 409
            assert reply.json["sentence"].endswith(".")
        assert lesson.look.tally.answered == 0
        assert "not in this room" in refused[5].json["sentence"]

    run(story())


def test_a_nickname_is_theirs_if_the_teacher_allows_it(lesson):
    """Not before, none that is too long, and hidden with a press; on the remote by the member's number, never by the word."""

    async def story():
        student = Student(lesson)
        await student.enter()
        named = partial(lesson.post, "join/name", room=lesson.code, word=student.word)
        teacher = {"room": lesson.code, "token": lesson.token}
        assert (await named(nickname="Calm Slope")).status == 409
        allowed = await lesson.post("remote/step", **teacher, step="allow_nicknames", version=0)
        assert (allowed.json["nicknames"], allowed.json["named"]) == (True, [])
        assert (await named(nickname=" Calm  <Slope> ")).json["nickname"] == "Calm <Slope>"
        long = await named(nickname="x" * 21)
        assert (long.status, long.json["sentence"]) == (
            400,
            "Your nickname must have 0 to 20 characters. Got 21.",
        )
        seen = await lesson.post("remote/hide", **teacher, member=1, hidden=True)
        assert seen.json["named"] == [{"member": 1, "nickname": "Calm <Slope>", "hidden": True}]
        assert student.word not in seen.body.decode()
        assert (
            await lesson.post("remote/hide", **teacher | {"token": student.word}, member=1, hidden=False)
        ).status == 403
        everybody = await lesson.send("GET", f"join/look?room={lesson.code}")
        assert "Calm" not in everybody.body.decode()

    run(story())


def test_a_result_is_handed_in_to_the_board(lesson):
    """Its link, while the task's board is open; what is none is told. Nobody else's phone is sent it."""
    task = Task(experiment=Experiment.default("noisy-quadratic"), free=("learning_rate",))
    result = Result(task=task, experiment=replace(task.experiment, learning_rate=0.02)).to_text()

    async def story():
        student = Student(lesson)
        await student.enter()
        hand = partial(lesson.post, "join/hand_in", room=lesson.code, word=student.word)
        assert (await hand(link=result)).status == 409
        lesson.steer(rules.give_task, task=task.to_text())
        await asyncio.sleep(0.02)
        seen = await hand(link=f"https://lab.school/?{urlencode({'result': result})}")
        assert (seen.status, seen.json["task"]) == (200, f"?{urlencode({'task': task.to_text()})}")
        for wrong in ("", "hello", result[:-3]):
            assert (await hand(link=wrong)).status == 400
        (one,) = lesson.store.board(lesson.code, now())
        assert one.result == result

    run(story())


BAD = {
    "of another kind": ([(b"content-type", b"text/plain")], b'{"room": "BCDFGH", "word": "x"}', 415),
    "of no kind": ([], b'{"room": "BCDFGH", "word": "x"}', 415),
    "too long": ([JSON], b'{"room": "' + b"x" * 60_000 + b'"}', 413),
    "empty": ([JSON], b"", 400),
    "no JSON": ([JSON], b"room=BCDFGH", 400),
    "no text": ([JSON], b"\xff\xfe", 400),
    "a list": ([JSON], b"[1]", 400),
    "nested": ([JSON], b"[" * 49_999, 400),
    "without a field": ([JSON], b'{"room": "BCDFGH"}', 400),
    "a number for a text": ([JSON], b'{"room": 7, "word": "x"}', 400),
    "a room of an object": ([JSON], b'{"room": {"a": 1}, "word": "x"}', 400),
    "no code": ([JSON], b'{"room": "../../etc", "word": "x"}', 404),
    "half a pair": ([JSON], b'{"room": "\\ud800BCDFG", "word": "\\ud800"}', 404),
    "a word of half a pair": ([JSON], b'{"room": "CODE", "word": "\\ud800"}', 200),  # it gets one of its own
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_refused(lesson, name):
    """Whatever is posted, the answer is a sentence under the status that fits, and never a failure of ours."""
    headers, body, status = BAD[name]
    reply = run(lesson.send("POST", "join/enter", body.replace(b"CODE", lesson.code.encode()), headers))
    assert reply.status == status
    assert status == 200 or reply.json["sentence"].endswith(".")


def test_a_true_number_is_no_answer(lesson):
    """JSON's true is not taken for 1."""

    async def story():
        student = Student(lesson)
        await student.enter()
        lesson.ask()
        assert (await student.vote(True)).status == 400
        assert (await student.vote(1.0)).status == 400

    run(story())


def test_only_the_teacher_steers_and_sees(lesson):
    """The remote shows how the answers lie while the class answers, what is right, and what to do; only with the token."""

    async def story():
        lesson.ask()
        students = [Student(lesson) for _ in range(3)]
        for student, answer in zip(students, (1, 0, 0), strict=True):
            await student.enter()
            await student.vote(answer)
        teachers = {"room": lesson.code, "token": lesson.token}
        seen = (await lesson.post("remote/look", **teachers)).json
        assert (seen["counts"], seen["right"], seen["joined"], seen["answered"]) == ([[2, 1, 0]], [1], 3, 3)
        assert seen["shares_right"] == [pytest.approx(1 / 3)]
        assert "neighbours" in seen["advice"]
        for token in (students[0].word, new_token(), "", "x" * 3000):
            stranger = {"room": lesson.code, "token": token}
            assert (await lesson.post("remote/look", **stranger)).status == 403
            assert (
                await lesson.post("remote/step", **stranger, step="run", version=seen["version"])
            ).status == 403
        stale = await lesson.post("remote/step", **teachers, step="show_answers", version=seen["version"] - 1)
        assert stale.status == 409  # the page has not seen yet what it would step on from
        press = dict(teachers, step="show_answers", version=seen["version"])
        replies = await asyncio.gather(*(lesson.post("remote/step", **press) for _ in range(2)))
        assert sorted(reply.status for reply in replies) == [200, 409]  # two at once are one step
        assert lesson.look.room.version == seen["version"] + 1
        reply = await lesson.post("remote/step", **teachers, step="__class__", version=1)
        assert (reply.status, reply.json["sentence"][:17]) == (400, "step must be one ")

    run(story())


def test_another_rooms_token_is_nobodys(lesson):
    """Neither does its teacher steer here, nor is its student in: each room has its own, under the same word too."""

    async def story():
        other, token = lesson.store.open_room(now())
        student = Student(lesson)
        await student.enter()
        lesson.ask()
        lesson.store.steer(other.code, token, partial(rules.ask, question=QUESTION), now())
        elsewhere = {"room": other.code, "word": student.word, "answer": 0, "number": 1, "round": 1}
        assert (await lesson.post("join/vote", **elsewhere)).status == 409
        assert (await lesson.post("remote/look", room=lesson.code, token=token)).status == 403
        assert (await lesson.post("remote/look", room=other.code, token=lesson.token)).status == 403
        assert lesson.store.look(other.code, now()).tally.joined == 0

    run(story())


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**30) | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("answer", "number", "round", "nickname", "link", "step", "version", "member", "hidden")


OURS = "what is right"
WHO = dict.fromkeys(("room", "word", "token"), st.just(OURS) | ANYTHING)


@example("remote/hide", {"member": 10**30, "hidden": True}, dict.fromkeys(WHO, OURS))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(routes.PATHS)),
    st.dictionaries(st.sampled_from(FIELDS), ANYTHING),
    st.fixed_dictionaries(WHO),
)
def test_whatever_is_posted_is_answered_in_a_sentence(lesson, path, fields, who):
    """By the room's own people or by strangers: no failure of ours, and never more than a refusal."""
    right = {"room": lesson.code, "word": "x" * 22, "token": lesson.token}
    posted = {name: right[name] if who[name] == OURS else who[name] for name in who}
    lesson.door._presses = lesson.door._watch.wrong_codes = Limit(rush=1000, a_second=0)
    reply = run(lesson.post(path, **posted | fields))
    assert reply.status in {200, 400, 403, 404, 405, 409}
    assert reply.status in {200, 405} or reply.json["sentence"].endswith(".")


def test_one_look_serves_all(lesson, monkeypatch):
    """A hundred who ask in one moment are one query."""
    queries = []
    look = lesson.store.look
    monkeypatch.setattr(
        lesson.store, "look", lambda *args: queries.append(1) or time.sleep(0.05) or look(*args)
    )
    monkeypatch.setattr("pages.ui.classroom.watch.FRESH", 5)

    async def story():
        replies = await asyncio.gather(
            *(lesson.send("GET", f"join/look?room={lesson.code}") for _ in range(100))
        )
        assert {reply.status for reply in replies} == {200}

    run(story())
    assert len(queries) == 1


def test_a_change_is_seen_at_once(lesson, monkeypatch):
    """Who has voted is told the truth, however fresh the last look is."""
    monkeypatch.setattr("pages.ui.classroom.watch.FRESH", 60)

    async def story():
        lesson.ask()
        student = Student(lesson)
        await student.enter()
        for answer in (0, 1):
            assert (await student.vote(answer)).json["said"] == [answer]
            assert (await student.enter()).json["said"] == [answer]

    run(story())


def test_rooms_that_nobody_looks_at_are_forgotten(lesson, monkeypatch):
    """Neither a wrong code nor a room of yesterday stays in memory."""
    monkeypatch.setattr("pages.ui.classroom.watch.KEPT", 0)
    monkeypatch.setattr("pages.ui.classroom.watch.FRESH", -1)
    watch = Watch(lambda: lesson.store)
    watch.look(lesson.code)
    with pytest.raises(rooms.NoRoom):
        watch.look(LETTERS)
    other, _ = lesson.store.open_room(now())
    watch.look(other.code)
    assert lesson.code not in watch._rooms
    assert LETTERS not in watch._rooms


def test_codes_cannot_be_tried_out(lesson, monkeypatch):
    """A class's slips are answered at once; whoever tries many codes slows them down, right ones too, but nobody who is in."""
    monkeypatch.setattr(routes, "SLOWLY", 1000)
    lesson.door._watch.wrong_codes = Limit(rush=6, a_second=0)

    async def story():
        async def tried(code):
            return (await lesson.send("GET", f"join/look?room={code}")).status

        student = Student(lesson)
        await student.enter()
        lesson.ask()
        assert [await tried(LETTERS) for _ in range(5)] == [404] * 5
        monkeypatch.setattr(routes, "SLOWLY", 0.05)
        begun = time.monotonic()
        many = await asyncio.gather(*(tried(LETTERS) for _ in range(9)), tried(lesson.code))
        assert time.monotonic() - begun >= 10 * 0.05
        assert many == [404] * 9 + [200]
        monkeypatch.setattr(routes, "SLOWLY", 1000)
        assert (await student.vote(1)).status == 200
        assert (await lesson.post("remote/look", room=lesson.code, token=lesson.token)).status == 200

    run(story())


def test_one_phone_cannot_ask_for_ever(lesson):
    """A phone that presses without an end is told so; the others are not held up."""

    async def story():
        lesson.ask()
        restless, calm = Student(lesson), Student(lesson)
        await restless.enter()
        replies = [await restless.vote(0) for _ in range(30)]
        assert replies[-1].status == 429
        assert [reply.status for reply in replies[:15]] == [200] * 15
        await calm.enter()
        assert (await calm.vote(1)).status == 200

    run(story())


def test_a_bucket_fills_again():
    """`rush` at once, then `a_second`, never more than `rush`; each key its own. Oracle: counted by hand."""
    clock = [0.0]
    limit = Limit(rush=3, a_second=2, clock=lambda: clock[0])
    assert [limit.take("a") for _ in range(4)] == [True, True, True, False]
    assert limit.take("b")
    clock[0] = 0.5
    assert [limit.take("a") for _ in range(2)] == [True, False]
    clock[0] = 100
    assert limit.left("a") == 3
    for number in range(MOST_KEYS + 10):  # who was here longest ago is forgotten
        limit.take(str(number))
    assert len(limit._left) == MOST_KEYS


def test_the_store_may_be_down(lesson, monkeypatch):
    """Then each is told why, under a status that has the phone try again."""

    def down(*args):
        raise StoreDown("The class's store is full: no room on the disk.")

    monkeypatch.setattr(lesson.store, "look", down)
    reply = run(lesson.send("GET", f"join/look?room={lesson.code}"))
    assert (reply.status, reply.json["sentence"]) == (503, "The class's store is full: no room on the disk.")


# ---------------------------------------------------------------------------------------------------- the stream


def shown(event: bytes) -> dict[str, Any]:
    assert event.startswith(b"data: ")
    assert event.endswith(b"\n\n")
    return json.loads(event[6:])


def test_a_stream_tells_what_is_new_and_nothing_else(lesson):
    """How the room stands, then each step; not that others join or answer. All phones are sent the same."""

    async def story():
        async with lesson.listening() as one, lesson.listening() as two:
            first = await one.get()
            assert shown(first)["phase"] == "lobby"
            assert await two.get() == first
            lesson.ask()
            event = await one.get()
            assert (shown(event)["phase"], shown(event)["text"]) == ("voting", QUESTION.text)
            assert await two.get() == event
            for student in [Student(lesson) for _ in range(3)]:
                await student.enter()
                await student.vote(1)
            lesson.steer(rules.show_answers)
            assert shown(await one.get())["counts"] == [[0, 3, 0]]  # and nothing came in between

    run(story())


def test_a_silent_stream_says_that_it_is_there(lesson, monkeypatch):
    """By a comment, which a proxy hears and a page does not."""
    monkeypatch.setattr(stream, "BEAT", 3)

    async def story():
        async with lesson.listening() as heard:
            await heard.get()
            assert await heard.get() == await heard.get() == b":\n\n"

    run(story())


def test_a_stream_ends_with_its_room(lesson):
    """The phone then asks to be let in again, and is told why it is not. Afterwards nothing of it is kept."""

    async def story():
        async with lesson.listening() as heard:
            await heard.get()
            lesson.store.delete_room(lesson.code, lesson.token, now())
            reply = await heard.task
            assert reply.headers["content-type"].startswith("text/event-stream")
            assert reply.headers["x-accel-buffering"] == "no"
        assert (await lesson.send("GET", f"join/events?room={lesson.code}")).status == 404

    run(story())


def test_a_stream_ends_when_the_server_stops(lesson, monkeypatch):
    """Or Ctrl-C would wait for every phone to leave."""

    async def story():
        async with lesson.listening() as heard:
            await heard.get()
            monkeypatch.setattr(stream, "stopping", lambda: True)
            await heard.task

    run(story())


def test_uvicorn_says_that_it_stops():
    """Its handler of the signal is where a stream looks; without one, a server of another kind, nothing is said."""
    before = signal.getsignal(signal.SIGTERM)
    server = uvicorn.Server(uvicorn.Config(lambda: None))
    try:
        assert not stream.stopping()
        signal.signal(signal.SIGTERM, server.handle_exit)
        assert not stream.stopping()
        server.handle_exit(signal.SIGTERM, None)
        assert stream.stopping()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_who_leaves_is_no_longer_looked_for(lesson):
    """With the last phone the looking ends; the next one starts it anew."""

    async def story():
        for _ in range(2):
            async with lesson.listening() as heard:
                await heard.get()
                (feed,) = lesson.door._feeds.values()
                assert feed.listeners == 1
            while feed.listeners or feed._task:
                await asyncio.sleep(0.01)

    run(story())


# ----------------------------------------------------------------------------------------------------- what is sent


@pytest.mark.parametrize("name", phone_files.PAGES)
def test_a_page_is_small_and_runs_no_script_of_its_own(lesson, name):
    """All that a first visit loads is a tenth of what it may weigh; every script is a file, and nothing is from elsewhere."""
    page = run(lesson.send("GET", name))
    text = page.body.decode()
    scripts = [address for address in phone_files.SCRIPTS if address.startswith(name)]
    packed = (b"accept-encoding", b"gzip, br")
    weight = 0
    for address in (name, *scripts):
        reply = run(lesson.send("GET", address, headers=[packed]))
        assert reply.headers["content-encoding"] == "gzip"
        weight += len(reply.body)
        again = run(lesson.send("GET", address, headers=[(b"if-none-match", reply.headers["etag"].encode())]))
        assert (again.status, again.body) == (304, b"")
    assert weight < 15_000
    assert text.count("<script") == 1
    assert f'src="{name}/{name}.js"' in text
    assert "$" not in text
    assert "http" not in text.replace("http-equiv", "")


def test_routes_stand_below_the_servers_path():
    """Whatever stands in front of every address, and however it is written."""
    for base in ("lab", "/lab/", "deep/lab"):
        found = {route.path for route in routes.Door(Watch(Lesson), Lesson).routes(base)}
        assert f"/{base.strip('/')}/join/vote" in found
    bare = {route.path.strip("/") for route in routes.Door(Watch(Lesson), Lesson).routes("")}
    assert {path for path in bare if "/" in path} == routes.PATHS


@pytest.mark.parametrize("base", ["", "lab"])
def test_a_slash_at_the_end_is_no_other_page(lesson, base):
    """As it may stand in a mail or be typed: the browser is sent to the page, with the room's code, whatever is in front."""
    lesson.app = Starlette(routes=lesson.door.routes(base))
    for name, query in (("join", "?room=BCDFGH"), ("remote", "")):
        at = f"{base}/{name}/".lstrip("/")
        reply = run(lesson.send("GET", f"{at}{query}"))
        assert reply.status == 307
        there = urljoin(f"http://host/path/{at}{query}", reply.headers["location"])
        assert there == f"http://host/path/{at.rstrip('/')}{query}"
