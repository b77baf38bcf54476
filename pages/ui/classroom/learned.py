"""What was learned: seven questions before the hour and seven after it, one by one, and what the class has gained. Off unless asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from gd_core.classroom import rooms, rules
from gd_core.classroom.after import learned
from gd_core.words import counted, percent, short
from pages.ui.classroom import wall
from pages.ui.look import session

if TYPE_CHECKING:
    from gd_core.classroom.after import Past
    from gd_core.classroom.rooms import Judgement, Question, Room
    from gd_core.classroom.views import View

BEFORE, AFTER = 1, 2  # as in gd_core/classroom/quiz.py, which loads torch
Press = Callable[..., None]  # the version of the room as it was seen, and the steps to take


@dataclass
class Shown:
    """Whether the class's gain is on the wall.

    Attributes:
        gain: So it is.
    """

    gain: bool = False


@lru_cache(64)
def _questions(code: str, paper: int) -> tuple[tuple[Question, Judgement], ...]:
    """Those of a room: drawn by its code, so that nothing of them is kept."""
    from gd_core.classroom.quiz import quiz

    return quiz(code, paper)


def menu(room: Callable[[], Room | None], press: Press) -> None:
    """The two papers to choose from, closed at first.

    Args:
        room: As it stands when a button is pressed; None where it cannot be read.
        press: Takes the steps.
    """
    closed = st.popover(
        "What was learned", icon=":material/quiz:", type="tertiary", on_change="rerun", key="class_learned"
    )
    if not closed.open:
        return
    with closed:
        st.markdown(
            "Seven short questions before the hour, and seven of the same kinds with other numbers after it. Each is judged by a run."
        )
        for paper, label in ((BEFORE, "Seven questions before"), (AFTER, "Seven questions after")):
            st.button(label, key=f"class_paper_{paper}", on_click=_begin, args=(room, press, paper))
        st.button(
            "Show what was learned", key="class_gain", type="tertiary", on_click=show_gain, args=(True,)
        )


def _begin(room: Callable[[], Room | None], press: Press, paper: int) -> None:
    """Ask the first question of a paper, if the class is not at it already: a press may come twice."""
    show_gain(False)
    now = room()
    if now is None:
        return
    first, _ = _questions(now.code, paper)[0]
    if now.phase is not rooms.Phase.VOTING or now.question is None or now.question.text != first.text:
        _ask(now, press, paper, 0)


def _ask(room: Room, press: Press, paper: int, number: int) -> None:
    question, judgement = _questions(room.code, paper)[number]
    leave = [rules.go_on] if room.phase is rooms.Phase.VOTING else []
    press(room.version, *leave, partial(rules.ask, question=question, judgement=judgement))


def show_gain(shown: bool) -> None:
    """Put what was learned on the wall, or take it away."""
    session.held(Shown).gain = shown


def is_on(room: Room) -> bool:
    """Whether the box shows a question of a paper, or what was learned, in place of the lesson's question."""
    at_paper = room.question is not None and bool(room.question.paper)
    return at_paper or (session.held(Shown).gain and room.question is None)


def show(room: Room, view: View, past: Callable[[], Sequence[Past]], press: Press) -> None:
    """The question that is asked, how many have answered, and the way on; or what was learned.

    Args:
        room: As it stands.
        view: The same, for all.
        past: All questions of the room with their answers. For what was learned.
        press: Takes steps.
    """
    question = room.question
    if question is None:
        st.html(table(past()))
        st.button("Back to the lesson", key="class_gain_close", on_click=show_gain, args=(False,))
        return
    questions = _questions(room.code, question.paper)
    number = [one.kind for one, _ in questions].index(question.kind)
    place = f"{question.title}: {number + 1} of {len(questions)}"
    st.html(
        f'<p class="panel-title paper">{escape(place)}</p><p><b>{escape(question.text)}</b></p>{wall.answers(view)}'
    )
    st.progress(view.answered / max(1, view.joined), wall.of_answered(view))
    with st.container(horizontal=True, key="class_buttons"):
        if number + 1 < len(questions):
            st.button(
                "Next question", key="class_paper_next", type="primary", on_click=_ask,
                args=(room, press, question.paper, number + 1),
            )  # fmt: skip
        else:
            label = "Show what was learned" if question.paper == AFTER else "Begin the lesson"
            st.button(
                label,
                key="class_paper_end",
                type="primary",
                on_click=_end,
                args=(room, press, question.paper),
            )
        st.button(
            "Stop here",
            key="class_paper_stop",
            type="tertiary",
            on_click=press,
            args=(room.version, rules.go_on),
        )


def _end(room: Room, press: Press, paper: int) -> None:
    press(room.version, rules.go_on)
    show_gain(paper == AFTER)


def table(past: Sequence[Past]) -> str:
    """What was learned by kind of question, as HTML; a sentence where there is nothing to compare yet."""
    found = learned(past)
    if not found:
        return '<p class="paper">What was learned is told when questions were answered before the hour and after it.</p>'
    rows = ""
    for one in found:
        gained = "–" if one.gain is None else short(one.gain, 2)
        rows += (
            f'<tr><th scope="row">{escape(one.kind)}</th><td>{percent(one.before)}</td><td>{percent(one.after)}</td>'
            f"<td>{gained}</td></tr>"
        )
    told = f"Right answers to {counted(len(found) - 1, 'question')} before the hour and after it. Gain: of what could be gained, the share that was."
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Question", "Before", "After", "Gain"))
    return f'<p class="panel-title paper">What was learned</p><p>{told}</p><table class="wall learned"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
