"""Who sees what of a room. Values in, values out.

Source: Crouch and Mazur, "Peer Instruction: Ten years of experience and results", Am. J. Phys. 69, 2001, for the shares between
which a discussion pays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from gd_core.classroom.rooms import Judgement, Phase, Room
from gd_core.classroom.rules import possible


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
        picture: Of the run, as SVG; empty before it, and where there is none.
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
    picture: str
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
    talk = room.phase in {Phase.VOTING, Phase.SHOWN} and room.question and not room.question.paper
    advised = advice(shares[-1]) if shares and talk else ""
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
        "picture": judged.picture if judged else "",
        "task": f"?{urlencode({'task': room.task})}" if room.task and room.phase is not Phase.ENDED else "",
    }
