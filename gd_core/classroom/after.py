"""What a lesson leaves: its questions, how the class answered before and after the talk, and the gain. Counts only, no one's."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from gd_core.classroom.rooms import Judgement, Question
from gd_core.classroom.views import share_right

HEAD = ("question", "lesson", "text", "answer", "right", "round 1", "round 2", "address")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute


@dataclass(frozen=True)
class Past:
    """A question that was asked.

    Attributes:
        question: With its number.
        judgement: What its run said; None if it was never run.
        counts: By round, 1 or 2, and answer.
    """

    question: Question
    judgement: Judgement | None
    counts: tuple[tuple[int, ...], ...]

    @property
    def shares(self) -> tuple[float | None, ...]:
        """Of those who answered, how many were right, by round."""
        return tuple(share_right(counts, self.judgement) for counts in self.counts)

    @property
    def gain(self) -> float | None:
        """The normalised gain of the second round over the first; None where there is none."""
        return gain(*self.shares) if len(self.counts) == 2 else None


def gain(before: float | None, after: float | None) -> float | None:
    """(after − before) / (1 − before): of what could be gained, the share that was. None if all were right before.

    Negative where fewer are right than before.

    Source:
        Hake, "Interactive-engagement versus traditional methods", Am. J. Phys. 66, 1998.
    """
    if before is None or after is None or before == 1:
        return None
    return (after - before) / (1 - before)


def together(past: Iterable[Past]) -> tuple[float, float] | None:
    """The shares right before and after, over all answers to the questions that were answered in two rounds and run."""
    both = [one for one in past if len(one.counts) == 2 and None not in one.shares]
    if not both:
        return None
    first, second = (
        sum((one.shares[round] or 0) * sum(one.counts[round]) for one in both)
        / sum(sum(one.counts[round]) for one in both)
        for round in (0, 1)
    )
    return first, second


@dataclass(frozen=True)
class Learned:
    """A kind of question, before the hour and after it.

    Attributes:
        kind: What it asks for.
        before: Of those who answered, how many were right.
        after: The same.
    """

    kind: str
    before: float
    after: float

    @property
    def gain(self) -> float | None:
        """The normalised gain."""
        return gain(self.before, self.after)


def learned(past: Iterable[Past]) -> list[Learned]:
    """What was learned: each kind of question that was answered on both papers, and last all of them, each as much as another."""
    papers: dict[int, dict[str, float]] = {1: {}, 2: {}}
    for one in past:
        if one.question.paper and one.shares[0] is not None:
            papers[one.question.paper][one.question.kind] = one.shares[0]
    kinds = [Learned(kind, share, papers[2][kind]) for kind, share in papers[1].items() if kind in papers[2]]
    if not kinds:
        return []
    mean_before, mean_after = (
        sum(shares) / len(kinds) for shares in zip(*((one.before, one.after) for one in kinds), strict=True)
    )
    return [*kinds, Learned("All", mean_before, mean_after)]


def to_csv(past: Iterable[Past]) -> str:
    """A row for each answer: how often it was given in each round, and whether the run made it right."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEAD)
    for one in past:
        for number, answer in enumerate(one.question.answers):
            right = "" if one.judgement is None else "yes" if number in one.judgement.right else "no"
            given = [counts[number] for counts in one.counts]
            texts = [_plain(text) for text in (one.question.title, one.question.text, answer)]
            writer.writerow(
                [one.question.number, *texts, right, given[0], *(given[1:] or [""]), one.question.address]
            )
    return file.getvalue()


def _plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
