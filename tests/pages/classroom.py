"""A class without a browser: a store of its own, and phones that ask its routes."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import create_engine
from starlette.applications import Starlette

from gd_core.classroom import rules
from gd_core.classroom.kept import new_token
from gd_core.classroom.rooms import Judgement, Question
from gd_core.classroom.store import Classroom
from pages.ui.classroom.picture import Drawn, svg
from pages.ui.classroom.routes import Door
from pages.ui.classroom.watch import Watch

QUESTION = Question(
    title="One parameter, one slope",
    text="What will the point do with η < 0.1 <b>now</b>?",
    answers=("It comes closer from one side", "It jumps across and comes closer", "It flies away"),
    address="one_parameter?learning_rate=0.1",
)
JUDGEMENT = Judgement(
    right=(1,),
    sentence="What happened: it jumps across.",
    why=("1 − 18η is −0.8.", "", "1 − 18η is −0.8."),
    picture=svg(Drawn("A by epoch", {"A": [3 * (-0.8) ** epoch - 1 for epoch in range(41)]})),
)
JSON = (b"content-type", b"application/json")


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Lesson:
    """A room, its teacher, and the server's door."""

    def __init__(self, file: Any) -> None:
        self.engine = create_engine(f"sqlite:///{file}")
        self.store = Classroom(self.engine)
        room, self.token = self.store.open_room(datetime.now(UTC))
        self.code = room.code
        self.door = Door(Watch(lambda: self.store), lambda: self.store)
        self.app = Starlette(routes=self.door.routes(""))

    def steer(self, step: Any, **given: Any) -> None:
        self.store.steer(self.code, self.token, partial(step, **given), datetime.now(UTC))

    def ask(self) -> None:
        self.steer(rules.ask, question=QUESTION, judgement=JUDGEMENT)

    @property
    def look(self) -> Any:
        """What the store has, without a cache."""
        return self.store.look(self.code, datetime.now(UTC))

    async def send(
        self, method: str, address: str, body: bytes = b"", headers: Any = (), take: Any = None
    ) -> Reply:
        """One request as the server gets it; `take` is called with each part of the answer, and may end it by an exception."""
        path, _, query = address.partition("?")
        parts: list[bytes] = []
        start: dict[str, Any] = {}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))
                if take and message.get("body"):
                    take(message["body"])

        scope = {
            "type": "http", "method": method, "path": f"/{path}", "query_string": query.encode(), "headers": list(headers),
            "asgi": {"version": "3.0", "spec_version": "2.4"},
        }  # fmt: skip
        await self.app(scope, receive, send)
        names = {name.decode(): value.decode() for name, value in start["headers"]}
        return Reply(start["status"], names, b"".join(parts))

    async def post(self, path: str, **fields: Any) -> Reply:
        return await self.send("POST", path, json.dumps(fields).encode(), [JSON])

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[Any]:
        """A phone that listens: gives a queue with what it hears."""
        heard: Any = asyncio.Queue()
        task = asyncio.create_task(self.send("GET", f"join/events?room={self.code}", take=heard.put_nowait))
        heard.task = task
        try:
            yield heard
        finally:
            task.cancel()
            await asyncio.wait([task])


class Student:
    """A phone with a word of its own."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson, self.word = lesson, new_token()

    async def enter(self) -> Reply:
        return await self.lesson.post("join/enter", room=self.lesson.code, word=self.word)

    async def vote(self, answer: Any, number: int = 1, round: int = 1) -> Reply:
        return await self.lesson.post(
            "join/vote", room=self.lesson.code, word=self.word, answer=answer, number=number, round=round
        )
