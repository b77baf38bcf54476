"""Under a task: whether its target is reached, and the link with which a student hands the run in."""

from html import escape
from typing import Any

import streamlit as st

from gd_core.settings.experiment_fields import titled
from gd_core.settings.fields import ParameterError
from gd_core.settings.task import IN_WORDS, Result, Task
from gd_core.task_target import in_words, judge, verdict
from pages.ui.look.look import plain
from pages.ui.player import live_runs, player
from pages.ui.takeaway import share
from pages.ui.train import task

DIALOG = "hand in"


def show(place: Any, live_run: live_runs.TrainRun | None) -> None:
    """Fill the foot of the task's box for the run on the page, or for none."""
    now = task.current()
    if now is None:
        return
    ended = live_run is not None and live_run.recording.complete and live_run.recording.epochs > 0
    with place, st.container(horizontal=True, vertical_alignment="center", key="task_row"):
        with st.container(width="stretch"):
            st.html(f'<p class="task-line" role="status">{_progress(now, live_run)}</p>')
        if not task.result():
            st.button(
                "Hand in", icon=":material/link:", key="hand_in", disabled=not ended, on_click=_open,
                help="A link to this run, for your teacher." if ended else "When a run has ended.",
            )  # fmt: skip
        if now.lab or task.result():  # a result is looked at by the teacher
            st.button(
                "Open the whole lab with these settings",
                type="tertiary",
                key="leave_task",
                on_click=task.leave,
            )
    if task.dialog() == DIALOG and ended and live_run and not task.result():
        _dialog(now, live_run)


def without_what_the_task_forbids(live_run: live_runs.TrainRun | None) -> live_runs.TrainRun | None:
    """The run on the page, unless it comes from before the task and breaks it."""
    now = task.current()
    if live_run is None or now is None or now.bound(live_run.experiment) == live_run.experiment:
        return live_run
    live_runs.reset()
    return None


def _progress(now: Task, live_run: live_runs.TrainRun | None) -> str:
    if now.target is None:
        return (
            ""
            if live_run is None or not live_run.recording.stopped
            else f"Stopped at epoch {live_run.recording.epochs:,}."
        )
    goal = f"Target: {escape(in_words(now.target))}."
    if live_run is None:
        return goal
    if not live_run.recording.complete:
        return f"{goal} It is judged when the run ends."
    judgement = judge(now.target, live_run.recording)
    if judgement is None:
        return goal
    # said when the player is there, so that the line does not run ahead of the charts
    at = judgement.reached if judgement.in_time and judgement.reached else live_run.recording.epochs
    icon = "✓" if judgement.in_time else "✗"
    said = f'<b class="later" {player.lit("epoch", reached=at)}>{icon} {verdict(now.target, judgement)}</b>'
    return f"{goal} {said}"


def _open() -> None:
    task.open_dialog(DIALOG)


def _close() -> None:
    task.open_dialog(None)


@st.dialog("Your result", on_dismiss=_close)
def _dialog(now: Task, live_run: live_runs.TrainRun) -> None:
    """The result's link."""
    recording = live_run.recording
    judgement = judge(now.target, recording) if now.target else None
    if now.target and judgement:
        st.markdown(f"Target: {in_words(now.target)}. {verdict(now.target, judgement)}")
    if now.question and not task.answer():
        st.markdown(
            ":orange[:material/info:] The question has no answer yet. Close this and type one, if you like."
        )
    try:
        handed_in = Result(
            task=now,
            experiment=live_run.experiment,
            answer=task.answer() if now.question else "",
            stopped_at=recording.epochs if recording.stopped else None,
        )
    except ParameterError as error:
        sentence = plain(titled(str(error), IN_WORDS))
        st.markdown(f":orange[:material/error:] {sentence} There is no link until that is mended.")
        return
    st.markdown(plain(task.changed(handed_in)))
    st.markdown(
        "Give your teacher this link. It holds your settings and your answer; the run is trained again from them."
    )
    link = share.address({"result": handed_in.to_text()})
    share.field(link)
    with st.expander("QR code"):
        share.code(link, "result")
