"""What a phone loads of a class: a page of a few kilobytes, and small requests, beside Streamlit's own in the same server.

A first visit to a page of Streamlit's is 2.7 MB in 66 requests; this one is a page and two scripts, then a request to be let in and
a stream. Everything is JSON in and out, a refusal a sentence. There are no cookies: a phone shows the word that it has made for
itself, a remote the teacher's token, both in what they post and never in an address.

    GET  /join            the students' page; ?room=CODE lets one in at once
    POST /join/enter      room, word → what this student sees
    POST /join/vote       room, word, answer, number, round → the same
    POST /join/name       room, word, nickname → the same
    POST /join/hand_in    room, word, link → the same
    GET  /join/look       ?room=CODE → what every student sees
    GET  /join/events     the same as a stream
    GET  /remote          the teacher's page; #room=CODE&token=…
    POST /remote/look     room, token → what only the teacher sees
    POST /remote/step     room, token, step, version → the same
    POST /remote/hide     room, token, member, hidden → the same
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from streamlit import config

from gd_core.classroom import rooms, rules, views
from gd_core.settings.experiment_fields import titled
from gd_core.settings.fields import ParameterError, quoted
from pages.ui.classroom import phone_files
from pages.ui.classroom.limits import Limit
from pages.ui.classroom.stream import Feed
from pages.ui.classroom.watch import Watch, for_student, now, watch

if TYPE_CHECKING:
    from gd_core.classroom.kept import Look
    from gd_core.classroom.store import Classroom

LONGEST_BODY = 50_000  # bytes: a result's link, and as much for what a browser writes otherwise
LARGEST = 2**31  # what a database takes for a whole number
KINDS = {str: "a text", int: "a whole number below 2,147,483,648", bool: "true or false"}
MOST_STREAMS = 2000  # of all rooms; who finds none asks every two seconds
SLOWLY = 0.2  # seconds a code takes while codes are being guessed
MOST_IN_LINE = 200  # who wait for that
STEPS: dict[str, Callable[[rooms.Room], rooms.Room]] = {
    **rules.STEPS,
    "allow_nicknames": partial(rules.allow_nicknames, allowed=True),
    "forbid_nicknames": partial(rules.allow_nicknames, allowed=False),
}
PATHS = frozenset(
    {
        "join/enter",
        "join/vote",
        "join/name",
        "join/hand_in",
        "join/look",
        "join/events",
        "remote/look",
        "remote/step",
        "remote/hide",
        *phone_files.SCRIPTS,
    }
)
Answer = TypeVar("Answer")
Endpoint = Callable[["Door", Request], Awaitable[Response]]


class _No(Exception):
    """A refusal: its HTTP status, and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def _answered(endpoint: Endpoint) -> Endpoint:
    """Say what went wrong in a sentence, under a status that the phone understands."""

    async def answer(door: "Door", request: Request) -> Response:
        from gd_core.classroom.database import StoreDown
        from gd_core.classroom.store import NotTheTeacher

        kinds: dict[type[Exception], int] = {
            rooms.NoRoom: 404, NotTheTeacher: 403, rooms.NotNow: 409, ParameterError: 400, StoreDown: 503,
        }  # fmt: skip
        try:
            return await endpoint(door, request)
        except _No as no:
            return JSONResponse({"sentence": str(no)}, no.status)
        except tuple(kinds) as error:
            status = next(kinds[one] for one in type(error).mro() if one in kinds)
            return JSONResponse({"sentence": titled(str(error), rules.NAMES)}, status)

    return answer


class Door:
    """The routes of one server.

    Args:
        watch: Looks at rooms.
        classroom: Gives the store.
    """

    def __init__(self, watch: Watch, classroom: "Callable[[], Classroom]") -> None:
        self._watch, self._classroom = watch, classroom
        self._feeds: dict[str, Feed] = {}
        # SQLite lets one write at a time: here they stand in line, and hold up nobody who looks
        self._writer = ThreadPoolExecutor(1, "class-writes")
        self._reader = ThreadPoolExecutor(2, "class-looks")
        self._presses = Limit(rush=20, a_second=1)
        self._slow = asyncio.Lock()
        self._in_line = 0

    def routes(self, base: str) -> list[Route]:
        """All of them, below the app's path."""
        posted = {"enter": self.enter, "vote": self.vote, "name": self.name, "hand_in": self.hand_in}
        steered = {"look": self.remote_look, "step": self.step, "hide": self.hide}
        under = f"/{base.strip('/')}" if base.strip("/") else ""
        return [
            *(
                Route(f"{under}/{name}", _sends(partial(phone_files.page, name)))
                for name in phone_files.PAGES
            ),
            *(Route(f"{under}/{name}/", _without_slash) for name in phone_files.PAGES),
            *(
                Route(f"{under}/{path}", _sends(partial(phone_files.script, path)))
                for path in phone_files.SCRIPTS
            ),
            *(Route(f"{under}/join/{name}", one, methods=["POST"]) for name, one in posted.items()),
            *(Route(f"{under}/remote/{name}", one, methods=["POST"]) for name, one in steered.items()),
            Route(f"{under}/join/look", self.look),
            Route(f"{under}/join/events", self.events),
        ]

    # ------------------------------------------------------------------------------------------------ students

    @_answered
    async def enter(self, request: Request) -> Response:
        """Be in the room, for the first time or again."""
        room, word = await _fields(request, room=str, word=str)
        code = rooms.code_of(room)
        await self._let_member_in(code, word)
        word = await self._write(lambda: self._classroom().join(code, word, now()))
        look = await self._look(code)
        return JSONResponse(_for_student(look, word))

    @_answered
    async def vote(self, request: Request) -> Response:
        """Take an answer. When this is sent, it is kept."""
        room, word, answer, number, round = await _fields(
            request, room=str, word=str, answer=int, number=int, round=int
        )
        return await self._by_student(
            room, word, lambda store: store.vote(room, word, answer, number, round, now())
        )

    @_answered
    async def name(self, request: Request) -> Response:
        """Take a nickname, or none."""
        room, word, nickname = await _fields(request, room=str, word=str, nickname=str)
        return await self._by_student(room, word, lambda store: store.name(room, word, nickname, now()))

    @_answered
    async def hand_in(self, request: Request) -> Response:
        """Put a result on the board."""
        room, word, link = await _fields(request, room=str, word=str, link=str)
        return await self._by_student(room, word, lambda store: store.hand_in(room, word, link, now()))

    @_answered
    async def look(self, request: Request) -> Response:
        """What every student sees, for where no stream comes through."""
        code = rooms.code_of(request.query_params.get("room", ""))
        await self._let_in(code)
        return JSONResponse(_for_student(await self._look(code)))

    @_answered
    async def events(self, request: Request) -> Response:
        """The same by itself, whenever it changes."""
        code = rooms.code_of(request.query_params.get("room", ""))
        await self._let_in(code)
        if sum(feed.listeners for feed in self._feeds.values()) >= MOST_STREAMS:
            raise _No(503, "Too many phones listen to this server: this one asks instead.")
        for done in [one for one, feed in self._feeds.items() if feed.over or not feed.listeners]:
            del self._feeds[done]
        feed = self._feeds.setdefault(code, Feed(lambda: self._shown(code), self._read))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(feed.listen(), media_type="text/event-stream", headers=headers)

    # ------------------------------------------------------------------------------------------------ the teacher

    @_answered
    async def remote_look(self, request: Request) -> Response:
        """What only the teacher's phone shows."""
        room, token = await _fields(request, room=str, token=str)
        code = rooms.code_of(room)
        await self._let_teacher_in(code, token)
        return JSONResponse(_for_remote(await self._look(code)))

    @_answered
    async def step(self, request: Request) -> Response:
        """Take a step of the rules."""
        room, token, name, seen = await _fields(request, room=str, token=str, step=str, version=int)
        step = STEPS.get(name)
        if step is None:
            raise _No(400, f"step must be one of {', '.join(STEPS)}. Got {quoted(name)}.")
        return await self._by_teacher(
            room, token, lambda store: store.steer(room, token, step, now(), seen=seen)
        )

    @_answered
    async def hide(self, request: Request) -> Response:
        """Hide a nickname, or show it again."""
        room, token, member, hidden = await _fields(request, room=str, token=str, member=int, hidden=bool)
        return await self._by_teacher(
            room, token, lambda store: store.hide_nickname(room, token, member, now(), hidden=hidden)
        )

    # ------------------------------------------------------------------------------------------------ what they share

    async def _let_in(self, room: str, known: "Callable[[Look], bool]" = lambda look: False) -> bool:
        """Whether this is somebody of the room's, which is there.

        A code is short, so it could be found by trying. Whoever tries many brings on that every code takes its time, a right one
        too: for all together five in a second, which is weeks for one room. Those who are in already wait for nobody.

        Args:
            room: Its code.
            known: Whether who asks has shown more than a code.
        """
        code, is_known, no_room = rooms.code_of(room), False, None
        try:
            is_known = await self._read(lambda: known(self._watch.look(code)))
        except rooms.NoRoom as no:
            no_room = no
        if not is_known and self._watch.wrong_codes.left() < 1:
            if self._in_line >= MOST_IN_LINE:
                raise _No(429, "Too many wrong codes are tried on this server. This page tries again.")
            self._in_line += 1
            try:
                async with self._slow:
                    await asyncio.sleep(SLOWLY)
            finally:
                self._in_line -= 1
        if no_room:
            raise no_room
        return is_known

    async def _by_student(self, room: str, word: str, change: "Callable[[Classroom], object]") -> Response:
        code = rooms.code_of(room)
        await self._let_member_in(code, word)
        await self._write(lambda: change(self._classroom()))
        self._watch.changed(code)
        return JSONResponse(_for_student(await self._look(code), word))

    async def _by_teacher(self, room: str, token: str, change: "Callable[[Classroom], object]") -> Response:
        code = rooms.code_of(room)
        await self._let_teacher_in(code, token)
        await self._write(lambda: change(self._classroom()))
        self._watch.changed(code)
        return JSONResponse(_for_remote(await self._look(code)))

    async def _let_member_in(self, code: str, word: str) -> None:
        await self._let_in(code, lambda look: look.own(word) is not None)
        if not self._presses.take(f"{code} {word}"):
            raise _No(429, "Not so fast: this phone has asked too often.")

    async def _let_teacher_in(self, code: str, token: str) -> None:
        if not await self._let_in(code, lambda look: self._classroom().is_teacher(code, token, now())):
            raise _No(403, "This link does not steer this room: take the one that the lesson's page shows.")

    async def _look(self, code: str) -> "Look":
        return await self._read(lambda: self._watch.look(code))

    async def _read(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._reader, work)

    async def _write(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    def _shown(self, code: str) -> dict[str, Any] | None:
        """What a stream sends."""
        from gd_core.classroom.database import StoreDown

        try:
            return _for_student(self._watch.look(code))
        except (rooms.NoRoom, StoreDown):
            return None  # the phone asks to be let in again, and is told why not


def _for_student(look: "Look", word: str = "") -> dict[str, Any]:
    """Without what only the wall counts: nobody is sent anything because somebody else has answered."""
    seen = for_student(look, word).to_dict()
    return {name: value for name, value in seen.items() if name not in {"joined", "answered"}}


def _for_remote(look: "Look") -> dict[str, Any]:
    named = [
        {"member": own.number, "nickname": own.nickname, "hidden": own.hidden}
        for own in sorted(look.members.values(), key=lambda own: own.number)
        if own.nickname
    ]
    seen = views.for_remote(look.room, look.tally).to_dict()
    return seen | {"picture": "", "nicknames": look.room.nicknames, "named": named}  # it asks every second


def _sends(file: "Callable[[], phone_files.File]") -> Callable[[Request], Awaitable[Response]]:
    async def send(request: Request) -> Response:
        return phone_files.sent(file(), request)

    return send


async def _without_slash(request: Request) -> Response:
    """The same address without its last slash, relative as all are: a host may have a path in front of it."""
    name = request.url.path.rstrip("/").rpartition("/")[2]
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"../{name}{query}")


async def _fields(request: Request, **kinds: type) -> list[Any]:
    """What was posted: an object with these fields, each of its kind.

    As JSON by its name: no form of another site can say that without asking first.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise _No(415, "Content-Type must be application/json.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            raise _No(413, f"A request has at most {LONGEST_BODY:,} bytes.")
    try:
        posted = json.loads(body)
    except (ValueError, RecursionError):
        posted = None
    if not isinstance(posted, dict):
        raise _No(400, "A request must be an object in JSON.")
    for name, kind in kinds.items():
        value: Any = posted.get(name)
        if type(value) is not kind or (kind is int and abs(value) >= LARGEST):
            raise _No(400, f"{name} must be {KINDS[kind]}. Got {quoted(value)}.")
    return [posted[name] for name in kinds]


def routes() -> list[Route]:
    """Those of this process, below the path that its server has in front of every address."""
    from pages.ui.classroom import connection

    return Door(watch(), connection.classroom).routes(config.get_option("server.baseUrlPath") or "")
