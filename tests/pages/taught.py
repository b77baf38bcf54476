"""A lesson whose teacher has opened a room, as AppTest sees it, and a store of its own for each test."""

import re
from html import unescape

from lesson_page import LessonPage

from gd_core.classroom import rooms
from pages.ui.classroom import connection, teaching
from pages.ui.classroom.watch import now, watch
from pages.ui.look import projector, session

OPENING = "one_parameter"


def use(file, monkeypatch) -> None:
    """Have the app keep its classes in a file."""
    monkeypatch.setattr(connection, "FILE", file)
    monkeypatch.setattr(connection, "_kept", None)
    monkeypatch.setattr("pages.ui.classroom.watch.FRESH", 0.0)


def open_room(page: LessonPage) -> LessonPage:
    """Press *With a class*, which is a button of the component of the keys."""
    page.at.session_state[session.key(projector.Projector)].asked["teach"] = 1
    return page.run()


class Taught(LessonPage):
    """A lesson whose teacher has opened a room."""

    def __init__(self, name: str = OPENING, **query: str) -> None:
        super().__init__(name, **query)
        open_room(self)

    @property
    def teacher(self) -> teaching.Teacher:
        return self.at.session_state[session.key(teaching.Teacher)]

    @property
    def room(self) -> rooms.Room:
        return connection.classroom().room(self.teacher.code, now())

    @property
    def steps(self) -> list[str]:
        """The keys of the class's buttons."""
        return [str(one.key) for one in self.at.button if str(one.key).startswith(("class_", "skip"))]

    def join(self, count: int) -> list[str]:
        return [connection.classroom().join(self.teacher.code, None, now()) for _ in range(count)]

    def vote(self, tokens: list[str], *answers: int) -> None:
        room = self.room
        for token, answer in zip(tokens, answers, strict=True):
            connection.classroom().vote(room.code, token, answer, room.number, room.round, now())

    def remote(self, step) -> None:
        """A step from the teacher's phone; the page's fragment looks a second later, here when the page runs."""
        connection.classroom().steer(self.teacher.code, self.teacher.token, step, now())
        watch().changed(self.teacher.code)
        self.run()

    @property
    def wall(self) -> list[tuple[str, ...]]:
        """The rows of the answers: words and what stands in the column of each vote."""
        (table,) = re.findall(r'<table class="wall.*?</table>', self.html)
        rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table.split("<tbody>")[1])
        plain = [
            [unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
            for row in rows
        ]
        return [tuple(cells) for cells in plain]

    @property
    def right(self) -> list[str]:
        """The answers that are marked when the run has ended."""
        return [
            unescape(re.sub("<span.*</span>", "", words))
            for words in re.findall(r'<tr class="right" data-ended><th scope="row">(.*?)</th>', self.html)
        ]
