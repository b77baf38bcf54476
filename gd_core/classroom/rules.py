"""A room of a class: what may be done when, and what each may see of it. Values in, values out; no clock, no store.

Peer instruction: everyone answers, neighbours argue, everyone answers again, the run decides. A question has two rounds.

    LOBBY ──ask──▶ VOTING ──show_answers──▶ SHOWN ──run──▶ RUN ──ask──▶ VOTING …

`run` is possible from VOTING, too; `ask_again` leads from VOTING and SHOWN of the first round to VOTING of the second, `go_on`
from anywhere to LOBBY, `end` to ENDED.

Source: Mazur, "Peer Instruction: A User's Manual", 1997; Crouch and Mazur, "Peer Instruction: Ten years of experience
and results", Am. J. Phys. 69, 2001, for the shares between which a discussion pays.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, urlencode

from gd_core.settings.checked_link import LONGEST as LONGEST_LINK
from gd_core.settings.fields import ParameterError, quoted
from gd_core.settings.task import Result, Task
from gd_core.words import counted

# Consonants that are told apart on a projector and read out: no word arises, and no I, L, O, U or V.
ALPHABET = "BCDFGHJKMNPQRSTWXYZ"
CODE_LETTERS = 6  # 47 million codes
LIFETIME = timedelta(days=1)
ROUNDS = 2
MOST_QUESTIONS = 200  # of a room
MOST_MEMBERS = 500
MOST_RESULTS = 1000  # on a board,
MOST_OF_ONE = 20  # and of one student
MOST_ANSWERS = 9  # as keys 1 to 9
LONGEST = {
    "title": 120,
    "text": 1000,
    "answer": 300,
    "address": 8000,
    "sentence": 1000,
    "nickname": 20,
    "kind": 40,
}

_ADDRESS = re.compile(
    r"[a-z_]*(?:\?[!-~]*)?"
)  # a page and a query, and nothing that a browser takes for another server


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
        _check_text("title", self.title)
        _check_text("kind", self.kind)
        if self.paper not in {0, 1, 2}:
            raise ParameterError(
                "paper", f"paper must be 1 before the hour, 2 after it, or 0. Got {quoted(self.paper)}."
            )
        _check_text("text", self.text, least=1)
        if not 2 <= len(self.answers) <= MOST_ANSWERS:
            rule = f"answers must be 2 to {MOST_ANSWERS}. Got {len(self.answers)}."
            raise ParameterError("answers", rule)
        for answer in self.answers:
            _check_text("answer", answer, least=1)
        _check_text("address", self.address)
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
    """

    right: tuple[int, ...]
    sentence: str
    why: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.right:
            raise ParameterError("right", "right must name an answer. Got none.")
        for text in (self.sentence, *self.why):
            _check_text("sentence", text)


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


# ---------------------------------------------------------------------------------------------------------- codes


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


# ---------------------------------------------------------------------------------------------------------- steps


def offer(room: Room, question: Question | None, judgement: Judgement | None = None) -> Room:
    """Say which question comes next: that of the teacher's page. No student sees it."""
    _check_open(room)
    _check_judgement(question, judgement)
    return _next(room, offered=question, offered_judgement=judgement)


def ask(room: Room, question: Question | None = None, judgement: Judgement | None = None) -> Room:
    """Put a question to the class, or the offered one.

    Args:
        room: In any phase but VOTING and ENDED.
        question: Gets its number here.
        judgement: What the run says of it, where that is known before it is shown.
    """
    _check_open(room)
    if room.phase is Phase.VOTING:
        raise NotNow("The class is answering another question: show its answers or run it first.")
    if room.number >= MOST_QUESTIONS:
        raise NotNow(f"A room has at most {MOST_QUESTIONS} questions: open another one.")
    if question is None:
        question, judgement = room.offered, room.offered_judgement
    if question is None:
        raise NotNow("There is no question to ask: open a lesson on the projector.")
    _check_judgement(question, judgement)
    number = room.number + 1
    return _next(
        room,
        phase=Phase.VOTING,
        number=number,
        round=1,
        question=replace(question, number=number),
        judgement=judgement,
        offered=None,
        offered_judgement=None,
    )


def show_answers(room: Room) -> Room:
    """Let all see how the answers lie."""
    if room.phase is not Phase.VOTING:
        raise NotNow("There are no answers to show: the class is not answering.")
    return _next(room, phase=Phase.SHOWN)


def ask_again(room: Room) -> Room:
    """Have the same question answered a second time, after neighbours have argued."""
    if room.phase not in {Phase.VOTING, Phase.SHOWN}:
        raise NotNow("There is no question to ask again: the class is not at one.")
    if room.round >= ROUNDS:
        raise NotNow("This question was asked twice already: run it.")
    return _next(room, phase=Phase.VOTING, round=room.round + 1)


def run(room: Room, judgement: Judgement | None = None) -> Room:
    """Have the run decide.

    Args:
        room: While the class answers, or when the answers are shown.
        judgement: What the run says, if it was not known when the question was asked.
    """
    if room.phase not in {Phase.VOTING, Phase.SHOWN}:
        raise NotNow("There is nothing to run: the class is not at a question.")
    judgement = judgement or room.judgement
    if judgement is None:
        raise NotNow("The run has not said yet which answer is right.")
    _check_judgement(room.question, judgement)
    return _next(room, phase=Phase.RUN, judgement=judgement)


def go_on(room: Room) -> Room:
    """Leave the question, run or not; its answers are kept, and the class waits for the next one."""
    if room.question is None or room.phase is Phase.ENDED:
        raise NotNow("There is no question to go on from: the class is not at one.")
    return _next(room, phase=Phase.LOBBY, question=None, judgement=None)


def allow_nicknames(room: Room, allowed: bool) -> Room:
    """Whether students may give themselves one."""
    _check_open(room)
    return _next(room, nicknames=allowed)


def give_task(room: Room, task: str) -> Room:
    """Open a board for a task's results, or close it with an empty text; what was handed in before stays with its task.

    Raises:
        ParameterError: If the text is not that of a task's link.
    """
    _check_open(room)
    if task:
        Task.from_text(task)
    return _next(room, task=task)


def end(room: Room) -> Room:
    """End the lesson: nobody joins or answers any more; what was answered can still be taken along."""
    _check_open(room)
    return _next(room, phase=Phase.ENDED, offered=None, offered_judgement=None)


# What needs nothing but the room, by the name that a remote sends.
STEPS: Mapping[str, Callable[[Room], Room]] = {
    "ask": ask,
    "show_answers": show_answers,
    "ask_again": ask_again,
    "run": run,
    "go_on": go_on,
    "end": end,
}


def possible(room: Room) -> tuple[str, ...]:
    """The names of the steps that can be taken as the room stands."""

    def can(step: Callable[[Room], Room]) -> bool:
        try:
            step(room)
        except NotNow:
            return False
        return True

    return tuple(name for name, step in STEPS.items() if can(step))


def check_vote(room: Room, answer: Any, number: Any, round: Any) -> None:
    """Whether an answer counts.

    Args:
        room: As it stands now.
        answer: Counted from 0.
        number: The question that the student has before them, as they might have one of before.
        round: The same.

    Raises:
        NotNow: If it does not, with the reason.
    """
    if room.phase is Phase.ENDED:
        raise NotNow("The lesson has ended.")
    if room.phase is not Phase.VOTING or room.question is None:
        raise NotNow("Nothing can be answered now: the class has gone on.")
    if (number, round) != (room.number, room.round):
        raise NotNow("The class has gone on: this was the question before.")
    if type(answer) is not int or not 0 <= answer < len(room.question.answers):
        raise NotNow(f"answer must be 0 to {len(room.question.answers) - 1}. Got {quoted(answer)}.")


def result_of(room: Room, typed: Any) -> Result:
    """What a student hands in to the board, read and held to the teacher's task. Nothing in it is a number to believe.

    Args:
        room: As it stands now.
        typed: The link of a result, or what stands in it behind "result=".

    Raises:
        NotNow: If the board takes it not now, or it is a result of another task.
        ParameterError: If it is no result's link, or was changed on its way.
    """
    if room.phase is Phase.ENDED:
        raise NotNow("The lesson has ended.")
    if not room.task:
        raise NotNow("There is no board in this room now.")
    text = typed.strip() if isinstance(typed, str) and len(typed) <= 2 * LONGEST_LINK else ""
    text = parse_qs(text.partition("?")[2]).get("result", [""])[0] if "?" in text else text
    result = Result.from_text(text)
    if result.task != Task.from_text(room.task):
        raise NotNow("This is a result of another task than the board's: open the task from this room.")
    return result


def nickname_of(typed: Any) -> str:
    """A nickname as it is kept: one line, plain; an empty one is none.

    Raises:
        ParameterError: If it is too long, or holds what cannot be seen.
    """
    name = " ".join(typed[:1000].split()) if isinstance(typed, str) else ""
    _check_text("nickname", name)
    if any(unicodedata.category(letter).startswith("C") for letter in name):
        raise ParameterError("nickname", f"nickname must be letters that can be seen. Got {quoted(name)}.")
    return name


def _next(room: Room, **changes: Any) -> Room:
    return replace(room, version=room.version + 1, **changes)


def _check_open(room: Room) -> None:
    if room.phase is Phase.ENDED:
        raise NotNow("The lesson has ended: open another room.")


def _check_judgement(question: Question | None, judgement: Judgement | None) -> None:
    if judgement is None:
        return
    count = len(question.answers) if question else 0
    if not all(0 <= answer < count for answer in judgement.right):
        rule = f"right must be among the answers, 0 to {count - 1}. Got {quoted(judgement.right)}."
        raise ParameterError("right", rule)
    if judgement.why and len(judgement.why) != count:
        rule = f"why must have a line for each of {count} answers. Got {len(judgement.why)}."
        raise ParameterError("why", rule)


def _check_text(name: str, text: str, least: int = 0) -> None:
    if not least <= len(text) <= LONGEST[name]:
        most = counted(LONGEST[name], "character")
        rule = f"{name} must have {least} to {most}. Got {len(text):,}."
        raise ParameterError(name, rule)


# ----------------------------------------------------------------------------------------------------- who sees what


@dataclass(frozen=True)
class Tally:
    """How many answered what.

    Attributes:
        joined: Members of the room.
        answered: Of the question, in the round that it is in.
        counts: By round, up to that which it is in; by answer.
    """

    joined: int
    answered: int
    counts: tuple[tuple[int, ...], ...]


def tally(room: Room, joined: int, votes: Iterable[tuple[int, int]]) -> Tally:
    """Count the votes for the room's question, each a round and an answer."""
    if room.question is None:
        return Tally(joined, 0, ())
    given = Counter(votes)
    counts = tuple(
        tuple(given[one, answer] for answer in range(len(room.question.answers)))
        for one in range(1, room.round + 1)
    )
    return Tally(joined, sum(counts[-1]), counts)


def share_right(counts: tuple[int, ...], judgement: Judgement | None) -> float | None:
    """Of those who answered, how many are right, in [0, 1]; None where nobody has, or nobody knows."""
    answered = sum(counts)
    if judgement is None or not answered:
        return None
    return sum(counts[answer] for answer in set(judgement.right)) / answered


def advice(share: float | None) -> str:
    """What pays now, for the teacher: under a third explain, over two thirds go on, between them discuss."""
    if share is None:
        return ""
    if share < 1 / 3:
        return "Under a third are right: explain first, then ask again."
    if share > 2 / 3:
        return "Over two thirds are right: run it."
    return "Have neighbours convince each other, then ask again."


@dataclass(frozen=True, kw_only=True)
class View:
    """What everybody in the room may see. Its fields are those of the JSON.

    Attributes:
        counts: By round and answer; None before the answers are shown: during a vote those of the first round, too.
        right: The right answers; None before the run.
        sentence: What the run says; empty before.
        address: Opens the setting in the app; empty before the run.
        task: Opens the task of the board in the app; empty for none.
    """

    code: str
    phase: Phase
    number: int
    round: int
    version: int
    title: str
    text: str
    answers: tuple[str, ...]
    joined: int
    answered: int
    counts: tuple[tuple[int, ...], ...] | None
    right: tuple[int, ...] | None
    sentence: str
    address: str
    task: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class StudentView(View):
    """What one student sees.

    Attributes:
        said: Their own answers by round; None for a round without one.
        why: After the run, the line on their last answer, if it was wrong.
        nicknames: Whether they may give one.
        nickname: That which they have given.
    """

    said: tuple[int | None, ...]
    why: str
    nicknames: bool
    nickname: str


@dataclass(frozen=True, kw_only=True)
class RemoteView(View):
    """What only the teacher's own phone sees: during the vote, too.

    Attributes:
        counts: In every phase.
        right: In every phase, where it is known.
        shares_right: By round.
        advice: What pays now.
        offered: Title and text of the question that comes next; empty for none.
        steps: Names of the steps that can be taken now.
    """

    shares_right: tuple[float | None, ...]
    advice: str
    offered: str
    steps: tuple[str, ...]


def for_projector(room: Room, tally: Tally) -> View:
    """What the wall shows. Never how the answers lie while the class answers: that would move them."""
    return View(**_for_all(room, tally))


def for_student(
    room: Room, tally: Tally, said: tuple[int | None, ...] = (), nickname: str = ""
) -> StudentView:
    """What a student's phone shows."""
    last = next((answer for answer in reversed(said) if answer is not None), None)
    judged = room.judgement if room.phase is Phase.RUN else None
    tempting = judged and judged.why and last is not None and last not in judged.right
    why = judged.why[last] if judged and tempting and last is not None else ""
    return StudentView(
        **_for_all(room, tally), said=said, why=why, nicknames=room.nicknames, nickname=nickname
    )


def for_remote(room: Room, tally: Tally) -> RemoteView:
    """What the teacher's phone shows."""
    shares = tuple(share_right(counts, room.judgement) for counts in tally.counts)
    seen = _for_all(room, tally) | {
        "counts": tally.counts,
        "right": room.judgement.right if room.judgement else None,
    }
    offered = f"{room.offered.title}: {room.offered.text}" if room.offered else ""
    advised = advice(shares[-1]) if shares and room.phase in {Phase.VOTING, Phase.SHOWN} else ""
    return RemoteView(**seen, shares_right=shares, advice=advised, offered=offered, steps=possible(room))


def _for_all(room: Room, tally: Tally) -> dict[str, Any]:
    question = room.question
    judged = room.judgement if room.phase is Phase.RUN else None
    shown = room.phase in {Phase.SHOWN, Phase.RUN}
    return {
        "code": room.code,
        "phase": room.phase,
        "number": room.number,
        "round": room.round,
        "version": room.version,
        "title": question.title if question else "",
        "text": question.text if question else "",
        "answers": question.answers if question else (),
        "joined": tally.joined,
        "answered": tally.answered,
        "counts": tally.counts if shown else None,
        "right": judged.right if judged else None,
        "sentence": judged.sentence if judged else "",
        "address": question.address if question and judged else "",
        "task": f"?{urlencode({'task': room.task})}" if room.task and room.phase is not Phase.ENDED else "",
    }
