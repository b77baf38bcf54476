"""A class on phones: the students' page and the teacher's remote, with the room in the server's own store."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
from classroom import JUDGEMENT, QUESTION
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine

from gd_core.classroom import rooms, rules, views
from gd_core.classroom.store import Classroom
from gd_core.settings.experiment import Experiment
from gd_core.settings.task import Result, Task
from lab import PHONE, RULES_OF_COLOUR, Lab, claim
from pages.ui.classroom import connection
from serving import Server

# What a page is told when its phone is locked, or looked at again.
LOCK = """(hidden) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event('visibilitychange'));
}"""
WIDTHS = (320, 390, 1400)


class Room:
    """A room, steered by its teacher at the store."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        connection.FILE.parent.mkdir(exist_ok=True)
        self.engine = create_engine(f"sqlite:///{connection.FILE}")
        self.store = Classroom(self.engine)
        opened, self.token = self.store.open_room(datetime.now(UTC))
        self.code = opened.code

    def steer(self, step: Callable[..., Any], **given: Any) -> None:
        self.store.steer(self.code, self.token, partial(step, **given), datetime.now(UTC))

    def ask(self) -> None:
        self.steer(rules.ask, question=QUESTION, judgement=JUDGEMENT)

    def delete(self) -> None:
        self.store.delete_room(self.code, self.token, datetime.now(UTC))

    @property
    def tally(self) -> views.Tally:
        return self.store.look(self.code, datetime.now(UTC)).tally

    def origin(self, phone: str) -> str:
        """The server by a name of its own: what one phone's browser keeps is not another's."""
        return self.url.replace("127.0.0.1", f"{phone}.localhost")


@pytest.fixture
def room(server: Server) -> Iterator[Room]:
    room = Room(server)
    yield room
    with suppress(rooms.NoRoom):
        room.delete()
    room.engine.dispose()


@pytest.fixture
def phone(visit: Callable[..., Lab], room: Room) -> Callable[..., Lab]:
    """A phone of this name at the class's page."""

    def open_page(name: str, address: str = "", **preferences: Any) -> Lab:
        lab = visit(room.origin(name), viewport=PHONE, **preferences)
        lab.page.goto(f"{lab.url}/join{address or f'?room={room.code}'}")
        return lab

    return open_page


def answer(lab: Lab, words: str) -> Any:
    return lab.page.get_by_role("button", name=words)


def heading(lab: Lab) -> Any:
    return lab.page.get_by_role("heading", level=1)


def faults(lab: Lab, *others: Lab) -> list[Any]:
    """What axe finds in a page, and of colour in others which differ from it in nothing else."""
    return lab.serious_faults() + [fault for one in others for fault in one.serious_faults(**RULES_OF_COLOUR)]


def sideways(page: Page) -> list[int]:
    """Widths at which the page would scroll sideways."""
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(width)
    page.set_viewport_size(PHONE)
    return found


def test_a_class_goes_through_a_question(phone: Callable[..., Lab], room: Room):
    """Three phones and the teacher's remote: in by code and by link, two rounds, a late comer, the run, the end."""
    one = phone("one", "?")
    with claim("a code that is none is told, and a wrong one"):
        code = one.page.get_by_label("The code on your teacher's screen")
        for typed, sentence in (("", "Type the code"), ("zzz", "6 letters"), ("BCD FGH", "no room BCDFGH")):
            code.fill(typed)
            code.press("Enter")
            expect(one.page.get_by_role("alert")).to_contain_text(sentence)
        assert faults(one) == []
    one.errors.clear()  # Chromium says of each 404 that it is one
    with claim("case and spaces do not matter, and a reload finds the room again"):
        code.fill(f"{room.code[:3]} {room.code[3:]}".lower())
        code.press("Enter")
        expect(heading(one)).to_have_text("You are in")
        one.page.reload()
        expect(heading(one)).to_have_text("You are in")
        assert faults(one) == []
        assert room.tally.joined == 1
    dark = phone("dark", color_scheme="dark")
    expect(heading(dark)).to_have_text("You are in")

    room.ask()
    with claim("the question comes by itself, as text, and is answered by keys"):
        expect(heading(one)).to_have_text(QUESTION.text)
        answer(one, "It flies away").focus()
        one.page.keyboard.press("Shift+Tab")
        one.page.keyboard.press("Enter")
        expect(one.page.get_by_role("status").filter(has_text="You said: It jumps across")).to_be_visible()
        expect(answer(one, "It jumps across")).to_have_attribute("aria-pressed", "true")
        # another one, while the first is on its way
        answer(dark, "It").first.wait_for()
        dark.page.evaluate("for (const at of [2, 0]) document.querySelectorAll('button.answer')[at].click()")
        expect(answer(dark, "It comes closer")).to_have_attribute("aria-pressed", "true")
        expect(answer(dark, "It flies away")).to_have_attribute("aria-pressed", "false")
    with claim("the other tab of a phone is the same person, and hears of the answer"):
        tab = phone("dark", color_scheme="dark")
        expect(answer(tab, "It comes closer")).to_have_attribute("aria-pressed", "true")
        answer(tab, "It flies away").press("Enter")
        expect(answer(dark, "It flies away")).to_have_attribute("aria-pressed", "true")
        tab.page.close()
        assert (room.tally.joined, room.tally.counts) == (2, ((0, 1, 1),))
    assert faults(one, dark) == []
    assert sideways(one.page) == []

    remote = phone("teacher", "?")
    remote.page.goto(f"{remote.url}/remote#room={room.code}&token={room.token}")
    with claim("only the remote shows how the answers lie, and what is right"):
        expect(remote.page.get_by_role("status")).to_contain_text("2 of 2 have answered. Right: 50 %.")
        expect(remote.page.locator("#answers")).to_contain_text(
            "It jumps across and comes closer✓ right1 of 2"
        )
        for lab in (one, dark):
            expect(lab.page.locator(".bar, .right")).to_have_count(0)
        assert faults(remote) == []
        assert sideways(remote.page) == []
    remote.page.get_by_role("button", name="Show answers").press("Enter")
    with claim("then all see it, and nobody what is right"):
        expect(one.page.locator(".told").nth(2)).to_contain_text("It flies away1 of 2")
        long = (
            one.page.locator(".told .bar div")
            .nth(2)
            .evaluate("bar => bar.firstChild.offsetWidth / bar.offsetWidth")
        )
        assert long == pytest.approx(1 / 2, abs=0.02)  # a share of the class, as on the wall
        expect(one.page.locator(".told").nth(1)).to_contain_text("your answer")
        expect(one.page.locator(".right")).to_have_count(0)
        assert faults(one, dark) == []
    remote.page.get_by_role("button", name="Ask again").press("Enter")
    late = phone("late")
    with claim("in the second round they answer anew, a late comer too"):
        expect(one.page.get_by_role("status").first).to_have_text(
            "Talk to your neighbours, then answer again."
        )
        for lab in (one, late):
            expect(lab.page.locator("[aria-pressed=true]")).to_have_count(0)
            answer(lab, "It jumps across").press("Enter")
        answer(dark, "It comes closer").press("Enter")
        expect(remote.page.get_by_role("status")).to_contain_text(
            "3 of 3 have answered the second time. Right: 50 %, then 67 %."
        )
    remote.page.get_by_role("button", name="Run it").press("Enter")
    with claim("the run judges each answer, and can be opened"):
        expect(one.page.locator("#judged")).to_have_text(f"You were right. {JUDGEMENT.sentence}")
        expect(dark.page.locator("#judged")).to_have_text(
            f"You said: It comes closer from one side. {JUDGEMENT.sentence} {JUDGEMENT.why[0]}"
        )
        right = late.page.locator(".told.right")
        expect(right).to_contain_text("✓ right, your answer")
        expect(right).to_contain_text("First vote: 1Second vote: 2")
        picture = one.page.get_by_role("img", name="A by epoch: from 2 to")
        expect(picture).to_be_visible()
        one.page.get_by_role("button", name="Play it here").press("Enter")
        expect(picture).to_have_class("plays")
        expect(one.page.get_by_role("link", name="Open this run")).to_have_attribute(
            "href", f"./{QUESTION.address}"
        )
        assert faults(one, dark, remote) == []
        assert sideways(dark.page) == []
    remote.page.get_by_role("button", name="End the lesson").press("Enter")
    remote.page.get_by_role("button", name="End it now").press("Enter")
    for lab in (one, dark, late):
        expect(heading(lab)).to_have_text("The lesson has ended")
    assert faults(one) == []


def test_nicknames_and_the_board(phone: Callable[..., Lab], room: Room):
    """Both only when the teacher opens them: a name of the list or one's own, hidden with a press; a result by its link."""
    one = phone("named")
    expect(heading(one)).to_have_text("You are in")
    expect(one.page.get_by_role("textbox")).to_have_count(0)
    teacher = phone("teacher", "?")
    teacher.page.goto(f"{teacher.url}/remote#room={room.code}&token={room.token}")
    teacher.page.get_by_role("button", name="Allow nicknames").press("Enter")
    nickname = one.page.get_by_label("Your teacher and the class see it")
    with claim("a name of the list is offered, and one's own is kept"):
        one.page.get_by_role("button", name="Suggest one").press("Enter")
        assert len(nickname.input_value().split()) == 2
        nickname.fill("η <i>&")
        nickname.press("Enter")
        expect(one.page.get_by_role("status").filter(has_text="You are η <i>&.")).to_be_visible()
        one.page.reload()
        expect(nickname).to_have_value("η <i>&")
    with claim("the teacher hides it with a press, and shows it again"):
        teacher.page.get_by_role("button", name="Hide η <i>&").press("Enter")
        teacher.page.get_by_role("button", name="Show η <i>&").wait_for()
        (own,) = room.store.look(room.code, datetime.now(UTC)).members.values()
        assert (own.nickname, own.hidden) == ("η <i>&", True)
    task = Task(experiment=Experiment.default("noisy-quadratic"), free=("learning_rate",))
    room.steer(rules.give_task, task=task.to_text())
    with claim("the board's task opens in the app, and takes a result's link"):
        link = one.page.get_by_role("link", name="Open the task")
        expect(link).to_have_attribute("href", f"./?{urlencode({'task': task.to_text()})}")
        result = Result(task=task, experiment=replace(task.experiment, learning_rate=0.02)).to_text()
        field = one.page.get_by_label("The link of your result")
        field.fill("my result")
        field.press("Enter")
        expect(one.page.get_by_role("alert")).to_be_visible()
        field.fill(f"{room.url}/?{urlencode({'result': result})}")
        field.press("Enter")
        expect(one.page.get_by_role("status").filter(has_text="Your result is on the board.")).to_be_visible()
        assert len(room.store.board(room.code, datetime.now(UTC))) == 1
    one.errors.clear()  # Chromium says of the refused link that it was
    assert faults(one, teacher) == faults(teacher) == []
    assert sideways(one.page) == sideways(teacher.page) == []


def test_a_phone_comes_back_by_itself(phone: Callable[..., Lab], room: Room):
    """Without a network it says so, and loses no answer; where a proxy holds streams back it asks; a deleted room is told."""
    lab = phone("lost")
    expect(heading(lab)).to_have_text("You are in")
    with claim("an answer that cannot be sent is sent when the network is there again"):
        room.ask()
        expect(heading(lab)).to_have_text(QUESTION.text)
        lab.page.route("**/join/*", lambda route: route.abort())
        answer(lab, "It flies away").click()
        expect(lab.page.get_by_role("alert")).to_contain_text("Your answer is sent again")
        expect(lab.page.get_by_text("You said")).to_have_count(0)  # not before it is kept
        assert room.tally.answered == 0
        lab.page.unroute("**/join/*")
        expect(lab.page.get_by_role("alert")).to_be_hidden()
        assert room.tally.counts == ((0, 0, 1),)
    with claim("a page to which no stream comes asks instead"):
        lab.page.route("**/join/events*", lambda route: route.abort())
        lab.page.reload()
        expect(answer(lab, "It flies away")).to_have_attribute("aria-pressed", "true")
        with lab.page.expect_request("**/join/look*"):
            room.steer(rules.show_answers)
        expect(lab.page.locator(".told").nth(2)).to_contain_text("your answer1 of 1")
        lab.page.unroute("**/join/events*")
        lab.page.reload()
    with claim("a locked phone asks nothing, and is up to date when it is looked at again"):
        expect(lab.page.locator(".told").nth(2)).to_be_visible()
        requests: list[str] = []
        lab.page.evaluate(LOCK, True)
        lab.page.on("request", lambda request: requests.append(request.url))
        room.steer(rules.ask_again)
        lab.page.wait_for_timeout(2500)  # longer than a poll, or a second try
        assert requests == []
        lab.page.evaluate(LOCK, False)
        expect(lab.page.get_by_text("Talk to your neighbours")).to_be_visible()
    with claim("where the room is deleted the page says so, and asks for a code"):
        room.delete()
        expect(lab.page.get_by_role("alert")).to_contain_text(f"There is no room {room.code}")
        expect(lab.page.get_by_label("The code on your teacher's screen")).to_be_visible()
    lab.errors.clear()  # of requests that this test has cut off
