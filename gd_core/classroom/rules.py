"""A room of a class: what may be done when, and what each may see of it. Values in, values out; no clock, no store.

Peer instruction: everyone answers, neighbours argue, everyone answers again, the run decides. A question has two rounds.

    LOBBY ──ask──▶ VOTING ──show_answers──▶ SHOWN ──run──▶ RUN ──ask──▶ VOTING …

`run` is possible from VOTING, too; `ask_again` leads from VOTING and SHOWN of the first round to VOTING of the second, `go_on`
from anywhere to LOBBY, `end` to ENDED. A question of "What was learned" is answered once, and left: shown or run, it would be known
after the hour.

Source: Mazur, "Peer Instruction: A User's Manual", 1997; Crouch and Mazur, "Peer Instruction: Ten years of experience
and results", Am. J. Phys. 69, 2001, for the shares between which a discussion pays.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from gd_core.classroom.rooms import Judgement, NotNow, Phase, Question, Room, check_text
from gd_core.settings.checked_link import LONGEST as LONGEST_LINK
from gd_core.settings.fields import ParameterError, quoted
from gd_core.settings.task import IN_WORDS, Result, Task

ROUNDS = 2
MOST_QUESTIONS = 200  # of a room
MOST_MEMBERS = 500
MOST_RESULTS = 1000  # on a board,
MOST_OF_ONE = 20  # and of one student
NAMES = IN_WORDS | {"nickname": "Your nickname"}  # as phones and the wall say them


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
    _check_no_paper(room)
    return _next(room, phase=Phase.SHOWN)


def ask_again(room: Room) -> Room:
    """Have the same question answered a second time, after neighbours have argued."""
    if room.phase not in {Phase.VOTING, Phase.SHOWN}:
        raise NotNow("There is no question to ask again: the class is not at one.")
    _check_no_paper(room)
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
    _check_no_paper(room)
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
    check_text("nickname", name)
    if any(unicodedata.category(letter).startswith("C") for letter in name):
        raise ParameterError("nickname", f"nickname must be letters that can be seen. Got {quoted(name)}.")
    return name


def _next(room: Room, **changes: Any) -> Room:
    return replace(room, version=room.version + 1, **changes)


def _check_open(room: Room) -> None:
    if room.phase is Phase.ENDED:
        raise NotNow("The lesson has ended: open another room.")


def _check_no_paper(room: Room) -> None:
    if room.question and room.question.paper:
        raise NotNow("What was learned is told after the hour: go on to the next question.")


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
