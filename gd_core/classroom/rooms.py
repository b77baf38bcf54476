"""What a class has: a room, the question that it is at, what the run says of it; and the codes that let one in. Values, no clock."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from gd_core.settings.fields import ParameterError, quoted
from gd_core.words import counted

# Consonants that are told apart on a projector and read out: no word arises, and no I, L, O, U or V.
ALPHABET = "BCDFGHJKMNPQRSTWXYZ"
CODE_LETTERS = 6  # 47 million codes
LIFETIME = timedelta(days=1)
MOST_ANSWERS = 9  # as keys 1 to 9
LONGEST = {
    "title": 120,
    "text": 1000,
    "answer": 300,
    "address": 8000,
    "sentence": 1000,
    "nickname": 20,
    "kind": 40,
    "picture": 8000,
}

# A page and a query, and nothing that a browser takes for another server.
_ADDRESS = re.compile(r"[a-z_]*(?:\?[!-~]*)?")


class NotNow(ValueError):
    """What was asked for cannot be done as the room stands; the message says why, in one sentence."""


class NoRoom(LookupError):
    """There is no such room, or it is no longer; the message says so, in one sentence."""


class Phase(StrEnum):
    """What a room is doing."""

    LOBBY = "lobby"  # nothing is asked
    VOTING = "voting"
    SHOWN = "shown"  # all see how the answers lie
    RUN = "run"  # the run has decided
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What the class is asked.

    Attributes:
        title: Where it comes from, such as the lesson's name.
        text: The question, as plain text.
        answers: To choose from, as plain text.
        address: Page and query, relative to the app, that open this very setting: "learning_rate?rates=1e-5".
        number: The how many of the room it is, from 1; 0 before it was asked.
        paper: Of "What was learned": 1 before the hour, 2 after it; 0 for all other questions.
        kind: The same on both of its papers, such as "One step".

    Raises:
        ParameterError: If a field breaks its rule, in one sentence.
    """

    title: str
    text: str
    answers: tuple[str, ...]
    address: str = ""
    number: int = 0
    paper: int = 0
    kind: str = ""

    def __post_init__(self) -> None:
        check_text("title", self.title)
        check_text("kind", self.kind)
        if self.paper not in {0, 1, 2}:
            raise ParameterError(
                "paper", f"paper must be 1 before the hour, 2 after it, or 0. Got {quoted(self.paper)}."
            )
        check_text("text", self.text, least=1)
        if not 2 <= len(self.answers) <= MOST_ANSWERS:
            rule = f"answers must be 2 to {MOST_ANSWERS}. Got {len(self.answers)}."
            raise ParameterError("answers", rule)
        for answer in self.answers:
            check_text("answer", answer, least=1)
        check_text("address", self.address)
        if not _ADDRESS.fullmatch(self.address):
            rule = f"address must be one of this app, such as learning_rate?epochs=10. Got {quoted(self.address)}."
            raise ParameterError("address", rule)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the run says of a question.

    Attributes:
        right: The right answers, counted from 0; mostly one.
        sentence: What happened.
        why: For each answer why it was tempting and what it overlooks, or nothing; empty for none at all.
        picture: Of the run, as SVG that a page may take in as it is; empty for none.
    """

    right: tuple[int, ...]
    sentence: str
    why: tuple[str, ...] = ()
    picture: str = ""

    def __post_init__(self) -> None:
        if not self.right:
            raise ParameterError("right", "right must name an answer. Got none.")
        for text in (self.sentence, *self.why):
            check_text("sentence", text)
        check_text("picture", self.picture)


@dataclass(frozen=True, kw_only=True)
class Room:
    """A room as it stands. Steps return the next one.

    Attributes:
        code: Lets one join.
        opened_at: Aware time.
        expires_at: From then on it is no longer there.
        phase: What it is doing.
        number: Questions asked so far.
        round: Of the question: 1 or 2.
        question: That which is asked, or was last; None in the lobby.
        judgement: What the run says of it, as soon as that is known. Only the remote learns of it before RUN.
        offered: The question that the teacher's page stands at; the next one to be asked.
        offered_judgement: The same of that.
        nicknames: Whether students may give one.
        task: Text of the task's link whose results are on the board; empty for no board.
        version: Steps taken so far.
    """

    code: str
    opened_at: datetime
    expires_at: datetime
    phase: Phase = Phase.LOBBY
    number: int = 0
    round: int = 1
    question: Question | None = None
    judgement: Judgement | None = None
    offered: Question | None = None
    offered_judgement: Judgement | None = None
    nicknames: bool = False
    task: str = ""
    version: int = 0

    def exists(self, now: datetime) -> bool:
        """Whether it is still, or already, there.

        A clock that was wrong by more than a day when the room was opened, and was then put right, must not keep it for years.
        """
        return self.opened_at - LIFETIME <= now < self.expires_at


def new_code() -> str:
    """Six letters that nobody can foresee."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LETTERS))


def code_of(typed: Any) -> str:
    """The code that someone typed: case, spaces and hyphens do not matter.

    Raises:
        NoRoom: If it cannot be one.
    """
    text = unicodedata.normalize("NFKC", typed[:100]) if isinstance(typed, str) else ""
    code = "".join(letter for letter in text if not letter.isspace() and letter != "-")
    if len(code) == CODE_LETTERS and code.isascii() and set(code.upper()) <= set(ALPHABET):
        return code.upper()
    raise NoRoom(f"A room's code has {CODE_LETTERS} letters, such as KDRWPM. Got {quoted(typed)}.")


def opened(code: str, now: datetime) -> Room:
    """A new room.

    Raises:
        ParameterError: If the time does not say its zone.
    """
    if now.tzinfo is None:
        raise ParameterError("now", f"now must have a time zone. Got {now}.")
    return Room(code=code, opened_at=now, expires_at=now + LIFETIME)


def check_text(name: str, text: str, least: int = 0) -> None:
    """Refuse a text that is too long, or not there, by the name of what it is.

    Raises:
        ParameterError: If it is.
    """
    if not least <= len(text) <= LONGEST[name]:
        most = counted(LONGEST[name], "character")
        rule = f"{name} must have {least} to {most}. Got {len(text):,}."
        raise ParameterError(name, rule)
