"""What a store gives to those who look, and the words by which it knows them.

Tokens are 128 random bits. Only their digests are kept, with the room's code in them, so that nobody who reads the store can
steer a room, or find the same person in two.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple

from gd_core.classroom.rooms import Room
from gd_core.classroom.views import Tally

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class Own:
    """What one member has in the room.

    Attributes:
        number: The how many to join, from 1.
        said: Their answers to the room's question by round, None where there is none.
        nickname: The given one; empty for none.
        hidden: Whether the teacher has hidden it.
    """

    number: int
    said: tuple[int | None, ...]
    nickname: str
    hidden: bool


@dataclass(frozen=True)
class Look:
    """A room, what was answered, and by whom: read at once, for all who look.

    Attributes:
        room: As it stands.
        tally: How many answered what.
        members: By the digest of their token.
    """

    room: Room
    tally: Tally
    members: Mapping[str, Own]

    def own(self, token: str) -> Own | None:
        """What the member with this token has said; None if nobody has it."""
        return self.members.get(digest(self.room.code, token))


class HandedIn(NamedTuple):
    """A result on the board.

    Attributes:
        number: The how many that was handed in, in the room.
        who: The how many to hand in, of the task: the same for all results of one student.
        nickname: Theirs, where they have one that is not hidden.
        result: Text of its link.
    """

    number: int
    who: int
    nickname: str
    result: str


def new_token() -> str:
    """128 random bits, in 22 letters, digits, - and _."""
    return secrets.token_urlsafe(16)


def token_or_new(given: Any) -> str:
    """The token that a browser brought, or a new one where it brought none."""
    return given if isinstance(given, str) and _TOKEN.fullmatch(given) else new_token()


def digest(code: str, token: str) -> str:
    """What of a token is kept, in one room."""
    return sha256(f"{code} {token}".encode(errors="replace")).hexdigest()
