"""What a teacher takes along from a class: one page that stands by itself, with questions, answers, gain, and the runs' links."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from gd_core.classroom.after import Past, gain, together
from gd_core.classroom.board import NotPlaced, Placed
from gd_core.words import counted, percent, short, significant
from pages.ui.classroom import learned
from pages.ui.look.palette import DARK, LIGHT

if TYPE_CHECKING:
    from datetime import datetime

_PAGE = Template((Path(__file__).parent / "take_along.html").read_text(encoding="utf-8"))
TITLE = "What the class predicted"


def html(
    past: Sequence[Past],
    opened_at: datetime,
    joined: int,
    base: str,
    board: Sequence[Placed | NotPlaced] = (),
) -> str:
    """The page.

    Args:
        past: The questions, in the order in which they were asked.
        opened_at: When the room was; only the day is written, in that time's own zone.
        joined: How many were in.
        base: The app's address, which the links begin with.
        board: What was handed in, the best first.
    """
    day = opened_at.strftime("%d %B %Y").lstrip("0")
    asked = counted(len(past), "question")
    return _PAGE.substitute(
        title=TITLE,
        when=f"{day}, {counted(joined, 'student')}, {asked}. Gradient Descent Lab.",
        summary=escape(_summary(past)),
        learned=f"<section>{learned.table(past)}</section>"
        if any(one.question.paper for one in past)
        else "",
        questions="\n".join(_question(one, base.rstrip("/")) for one in past),
        runs=_runs(board, base.rstrip("/")),
        **{
            f"{theme}_{name}": getattr(colours, name if name != "line" else "line_high")
            for theme, colours in (("light", LIGHT), ("dark", DARK))
            for name in ("paper", "ink", "data", "run", "line")
        },
    )


def _summary(past: Sequence[Past]) -> str:
    shares = together(past)
    if shares is None:
        return "No question was answered twice and run, so there is no gain to tell."
    before, after = shares
    said = f"Over the questions answered twice, {percent(before)} were right before the talk and {percent(after)} after it."
    return f"{said} {_gain(gain(before, after))}".strip()


def _gain(gained: float | None) -> str:
    if gained is None:
        return ""
    return f"Gain {short(gained, 2)}: (after − before) / (1 − before)."


def _question(one: Past, base: str) -> str:
    question = one.question
    right = one.judgement.right if one.judgement else ()
    rows = "".join(
        _row(answer, number in right, number, one.counts) for number, answer in enumerate(question.answers)
    )
    heads = "".join(
        f'<th scope="col">{name}</th>' for name in ("First round", "Second round")[: len(one.counts)]
    )
    link = f"{base}/{question.address}"
    lines = [
        f"<p>{escape(one.judgement.sentence)}</p>" if one.judgement else "<p>It was not run.</p>",
        f"<p>{escape(_shares(one))}</p>" if one.judgement else "",
        one.judgement.picture if one.judgement else "",
        f'<p><small>{"The run" if "?" in question.address else "Its lesson"}: <a href="{escape(link)}">{escape(link)}</a></small></p>'
        if question.address
        else "",
    ]
    return (
        f'<section><p class="part">Question {question.number} · {escape(question.title)}</p><h2>{escape(question.text)}</h2>'
        f'<table><thead><tr><th scope="col">Answer</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        f"{''.join(lines)}</section>"
    )


def _row(answer: str, right: bool, number: int, counts: Sequence[Sequence[int]]) -> str:
    cells = ""
    for before, given in enumerate(counts):
        share = given[number] / max(1, sum(given))
        kind = "bar second" if before else "bar"
        bar = f'<span class="{kind}" style="width: {round(100 * share)}%"></span>' if share else ""
        cells += f'<td><span class="count">{given[number]} ({percent(share)})</span>{bar}</td>'
    mark = '<span class="right">✓ right: </span>' if right else ""
    return f'<tr><th scope="row">{mark}{escape(answer)}</th>{cells}</tr>'


def _shares(one: Past) -> str:
    said = [
        f"{percent(share)} right in round {round}"
        for round, share in enumerate(one.shares, 1)
        if share is not None
    ]
    return f"{', '.join(said)}. {_gain(one.gain)}".strip() if said else "Nobody answered."


def board_line(one: Placed) -> str:
    """A result in a sentence: what its own run has reached, trained again."""
    rate, best = short(one.learning_rate), f"RMSE {significant(one.rmse, 4)} at epoch {one.epoch:,}"
    reached = f", target reached at epoch {one.reached:,}" if one.in_time else ""
    return f"η = {rate}: {best}{reached}{', then it diverged' if one.diverged else ''}."


def _runs(board: Sequence[Placed | NotPlaced], base: str) -> str:
    if not board:
        return ""
    rows = ""
    for one in board:
        link = f"{base}/?{urlencode({'result': one.handed_in.result})}"
        who = one.handed_in.nickname or f"Student {one.handed_in.who}"
        told = one.sentence if isinstance(one, NotPlaced) else board_line(one)
        rows += f'<tr><th scope="row">{escape(who)}</th><td>{escape(told)} <a href="{escape(link)}">Open the run</a></td></tr>'
    return (
        '<section><h2>What was handed in</h2><table><thead><tr><th scope="col">Who</th><th scope="col">Run</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></section>"
    )
