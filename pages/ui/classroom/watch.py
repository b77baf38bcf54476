"""One look at a room for all who ask within half a second: phones, projector and remote."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from gd_core.classroom import rooms, views
from pages.ui.classroom.limits import Limit

if TYPE_CHECKING:
    from gd_core.classroom.kept import Look
    from gd_core.classroom.store import Classroom
    from gd_core.classroom.views import StudentView

FRESH = 0.5  # seconds for which a look is anybody's
KEPT = 60  # seconds after which a room that nobody looks at is forgotten


def now() -> datetime:
    """The time that the store is told."""
    return datetime.now(UTC)


@dataclass
class _Seen:
    """The last look at one room, and who may take the next."""

    look: "Look | None" = None
    at: float = -FRESH
    lock: threading.Lock = field(default_factory=threading.Lock)


class Watch:
    """Looks at rooms for everybody. For any thread.

    Args:
        classroom: Gives the store, from the first look on: who never looks loads no database.
    """

    def __init__(self, classroom: "Callable[[], Classroom]") -> None:
        self._classroom = classroom
        self._rooms: dict[str, _Seen] = {}
        self._lock = threading.Lock()
        # For all together: a class has one address, so nobody's is looked at. A room that ends may send 150 back to the door.
        self.wrong_codes = Limit(rush=300, a_second=2)

    def look(self, code: str) -> "Look":
        """The room as it was at most half a second ago, and never as before a change that `changed` was told of.

        Raises:
            NoRoom: If there is none with this code.
            StoreDown: If the store cannot be used.
        """
        code = rooms.code_of(code)
        with self._lock:
            seen = self._rooms.setdefault(code, _Seen())
        with seen.lock:  # one asks the store, the others wait for what it says
            if seen.look is None or time.monotonic() - seen.at > FRESH:
                asked = time.monotonic()
                try:
                    seen.look = self._classroom().look(code, now())
                except rooms.NoRoom:
                    self.changed(code)
                    self.wrong_codes.take()
                    raise
                seen.at = asked
                self._tidy(asked)
            return seen.look

    def changed(self, code: str) -> None:
        """Have the next look ask the store, whenever the last one was."""
        with self._lock:
            self._rooms.pop(code, None)

    def _tidy(self, time: float) -> None:
        with self._lock:
            for code in [code for code, seen in self._rooms.items() if seen.look and time - seen.at > KEPT]:
                del self._rooms[code]


def for_student(look: "Look", word: str = "") -> "StudentView":
    """What the phone with this word shows; without one, what all show."""
    own = look.own(word) if word else None
    said, nickname = (own.said, own.nickname) if own else ((), "")
    return views.for_student(look.room, look.tally, said, nickname)


@cache
def watch() -> Watch:
    """That of this process."""
    from pages.ui.classroom import connection

    return Watch(connection.classroom)
