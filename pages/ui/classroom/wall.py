"""What the wall shows of a class, as HTML: how the answers lie, and what the run says of them."""

from collections.abc import Sequence
from html import escape

from gd_core.classroom.rules import ROUNDS
from gd_core.classroom.views import View
from gd_core.words import short

VOTES = ("First vote", "Second vote")
assert len(VOTES) == ROUNDS


def of_joined(joined: int) -> str:
    """How many are in."""
    return "Nobody is in yet." if not joined else "1 is in." if joined == 1 else f"{short(joined)} are in."


def of_answered(view: View) -> str:
    """How far a vote is."""
    return f"{short(view.answered)} of {short(view.joined)} {'has' if view.joined == 1 else 'have'} answered"


def answers(view: View) -> str:
    """A table of the answers; once they are shown, with a column of bars for each vote.

    The right one is marked when the player has come to the end of the run.
    """
    counts, right = view.counts or (), view.right or ()
    rows = ""
    for number, words in enumerate(view.answers):
        mark = '<span class="mark" role="img" aria-label="right">✓</span>' if number in right else ""
        bars = "".join(_bar(votes, number) for votes in counts)
        marks = ' class="right" data-ended' if number in right else ""
        rows += f'<tr{marks}><th scope="row">{mark}{escape(words)}</th>{bars}</tr>'
    heads = "".join(f'<th scope="col">{name}</th>' for name in VOTES[: len(counts)])
    head = f'<thead><tr><th scope="col">Answer</th>{heads}</tr></thead>' if len(counts) > 1 else ""
    label = "Answers, and how many gave each" if counts else "Answers"
    return f'<table class="wall {view.phase} votes-{len(counts)}" aria-label="{label}">{head}<tbody>{rows}</tbody></table>'


def _bar(votes: Sequence[int], number: int) -> str:
    """How many of a vote gave one answer: a bar, and the number after it."""
    if not votes[number]:
        return "<td>0</td>"
    share = votes[number] / sum(votes)
    return f'<td><span class="bar" style="--share: {round(share, 4)}"></span>{short(votes[number])} · {short(100 * share, 2)} %</td>'


def judgement(view: View) -> str:
    """What the run says, and how many had it right; it is read at the end of the run."""
    if view.right is None:
        return ""
    shares = [
        f"{short(sum(votes[one] for one in view.right))} of {short(sum(votes))}"
        for votes in view.counts or ()
        if sum(votes)
    ]
    told = ""
    if shares:
        told = (
            f" {shares[-1]} had it right" + (f", in the first vote {shares[0]}" if shares[1:] else "") + "."
        )
    return f'<p class="told" data-ended role="status"><span><b>{escape(view.sentence)}</b>{told}</span></p>'


def ways_in(code: str, address: str) -> str:
    """The room's code, large, and where it is typed in."""
    halves = f"{code[:3]} {code[3:]}"
    spelt = ", ".join(code)
    shown = escape(address.partition("://")[2])
    return (
        f'<div class="ways-in"><p>Phones: <b>{shown}</b></p>'
        f'<p class="code" role="img" aria-label="Code: {spelt}">{halves}</p></div>'
    )
