"""The board of a class: a task is put on it, and what is handed in stands there, trained again on this server.

A fragment looks for new results; the page itself does not run anew for them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import streamlit as st

from gd_core.classroom import rooms, rules
from gd_core.settings.task import THEORY, Access, Task
from gd_core.words import short, significant
from pages.ui.classroom import connection, teaching
from pages.ui.classroom.watch import now
from pages.ui.look import look, session
from pages.ui.look.palette import palette
from pages.ui.player import live_runs, tabs

if TYPE_CHECKING:
    from gd_core.classroom.board import NotPlaced, Placed
    from gd_core.settings.experiment import Experiment

HEIGHT = 260  # of the sweep, in pixels
EVERY = 2.0  # seconds between two looks
AT_ONCE = 10  # results that one look trains; the others come with the next


@dataclass
class Trained:
    """What a teacher's session has trained of what was handed in, by the text of its link."""

    placed: dict[str, Placed | NotPlaced] = field(default_factory=dict)


def show(task: Task) -> None:
    """With a class, the button that puts a task on its board; and the board, once this task is on it."""
    if teaching.is_open():
        with st.container(key="class_board", gap="small"):
            _live(task)


@st.fragment(run_every=EVERY)
def _live(task: Task) -> None:
    looked = teaching.looked()
    if looked is None:
        return
    room = looked.room
    if not room.task or not _same(Task.from_text(room.task), task):
        if room.phase is not rooms.Phase.ENDED:
            st.button(
                "Put it on the class’s board", key="class_give_task", icon=":material/leaderboard:",
                on_click=teaching.step, args=(room.version, partial(rules.give_task, task=task.to_text())),
                help="Phones open the task and hand in the link of their run. Each is trained again here.",
            )  # fmt: skip
        return
    ranked = _ranked(room.code)
    look.panel_title("The class’s board", _count(ranked))
    on_curve = [one for one in _placed(ranked) if one.on_curve]
    if on_curve:
        _sweep(replace(task.experiment, learning_rate=1.0), on_curve, room)
    if ranked:
        st.html(_table(ranked))
    if any(own.nickname for own in looked.members.values()):
        teaching.nicknames("board")  # here they are seen, on a projector too


def _same(one: Task, other: Task) -> bool:
    """Whether two tasks are of the same problem: one may have been put there with another rate to begin with."""
    a, b = (replace(task.experiment, learning_rate=1.0) for task in (one, other))
    return a == b and one.target == other.target


def _ranked(code: str) -> list[Placed | NotPlaced]:
    """The results, the best first; those that no look has trained yet are not among them."""
    from gd_core.classroom import board

    done, new = session.held(Trained).placed, 0
    results = connection.classroom().board(code, now())
    for one in results:
        if one.result not in done and new < AT_ONCE:
            done[one.result] = board.place(one, live_runs.recorded)
            new += 1
    found = [replace(done[one.result], handed_in=one) for one in results if one.result in done]
    return board.ranked(found)


def _placed(ranked: Sequence[Placed | NotPlaced]) -> list[Placed]:
    from gd_core.classroom.board import NotPlaced

    return [one for one in ranked if not isinstance(one, NotPlaced)]


def _sweep(experiment: Experiment, placed: Sequence[Placed], room: rooms.Room) -> None:
    """What differs in the rate alone, where its run has ended, on the sweep of this very problem, if that has one.

    The sweep tells the best rate, which may be what is asked for: where the task hides it from students, so does the wall until it is
    asked to show it, or the class has ended.

    Args:
        experiment: The task's, whatever its rate.
        placed: Those results.
        room: On whose board they are.
    """
    # When somebody has handed in, and not for Train's first view.
    from pages.ui.charts.learning_rate import sweep
    from pages.ui.player import sweeps

    if not sweeps.has_one(experiment):
        return
    forecast, rates = live_runs.foreseen(experiment)[2], [one.learning_rate for one in placed]
    given, ended = Task.from_text(room.task), room.phase is rooms.Phase.ENDED
    told = given.access(THEORY) is not Access.HIDDEN or ended or st.toggle(
        "Show the sweep", key=f"class_sweep_of {room.task[-8:]}",
        help="The error that every rate leaves, the limit and the best rate: for when all have tried.",
    )  # fmt: skip
    found = sweeps.swept(experiment, sweep.reach(forecast, rates)) if told else None
    ends = [math.inf if one.diverged else one.end_rmse for one in placed]
    first = float(live_runs.recorded(experiment, trained=False).epoch_rmse[0])
    named = [(who(one), link(one)) for one in placed]
    colours = palette(st.context.theme.type)
    view = sweep.rate_sweep(forecast, rates, first, found, ends, colours, HEIGHT, of_a_class=named)
    tabs.draw(view, "class_sweep")


def _count(ranked: Sequence[Placed | NotPlaced]) -> str:
    students = len({one.handed_in.who for one in ranked})
    if not ranked:
        return "nothing is handed in yet"
    return f"{short(len(ranked))} handed in by {short(students)}"


def who(one: Placed | NotPlaced) -> str:
    """What the student of a result is called."""
    return one.handed_in.nickname or f"No. {one.handed_in.who}"


def link(one: Placed | NotPlaced) -> str:
    """What opens a result's run, beside the page."""
    return f"./?{urlencode({'result': one.handed_in.result})}"


def _table(ranked: Sequence[Placed | NotPlaced]) -> str:
    placed = {id(one) for one in _placed(ranked)}
    rows = ""
    for one in ranked:
        name = f'<td><a href="{link(one)}" target="_blank">{escape(who(one))}</a></td>'
        rows += f"<tr>{name}{_numbers(one) if id(one) in placed else _why_not(one)}</tr>"
    head = "".join(f"<th>{name}</th>" for name in ("who", "η", "lowest RMSE", "at epoch", "target"))
    return look.wide("The class’s board", f'<table class="live board"><tr>{head}</tr>{rows}</table>')


def _numbers(one: Any) -> str:
    reached = (
        "—" if one.reached is None else f"epoch {short(one.reached)}{'' if one.in_time else ', too late'}"
    )
    if one.diverged:
        reached += ", diverged"
    cells = (short(one.learning_rate), significant(one.rmse), short(one.epoch), reached)
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _why_not(one: Any) -> str:
    return f'<td colspan="4">{escape(one.sentence)}</td>'
