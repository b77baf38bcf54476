"""The class on a phone as a page of Streamlit's: for a host that runs the app as a script, or hides the server's own routes.

The same room by the same address, the same word in the same browser, the same value of the rules as on the page of `routes.py`; but
megabytes where that is kilobytes, so it is never linked to.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

import streamlit as st
from streamlit.components.v2 import component

from gd_core.classroom.database import StoreDown
from gd_core.classroom.rooms import NoRoom, NotNow, Phase
from gd_core.classroom.rules import NAMES
from gd_core.classroom.store import Classroom
from gd_core.classroom.views import StudentView
from gd_core.settings.experiment_fields import titled
from gd_core.settings.fields import ParameterError
from pages.ui.classroom import connection
from pages.ui.classroom.watch import for_student, now, watch
from pages.ui.look import look, session
from pages.ui.look.palette import palette

EVERY = 2  # seconds between two looks
SLOWLY = 0.5  # seconds a code takes while codes are being guessed
_slow = threading.Lock()
KEY = "phone_word"
_WIRE = (Path(__file__).parent / "phone" / "wire.js").read_text(encoding="utf-8")
# what the browser keeps for this room, shown once to each visit
_SHOW = """
const shown = new Set();
export default function ({ data, setTriggerValue }) {
  if (shown.has(data.visit)) return;
  shown.add(data.visit);
  setTriggerValue('word', wordFor(data.room));
}
"""
_word = component(KEY, js=_WIRE + _SHOW)


@dataclass
class Student:
    """Who this visit is in which room.

    Attributes:
        code: The room's; empty for none yet.
        word: Makes this browser the same person; empty until it has said it.
        complaint: Why something was not done; empty for nothing.
        done: What was; empty for nothing.
    """

    code: str = ""
    word: str = ""
    complaint: str = ""
    done: str = ""


def show() -> None:
    """The whole page."""
    student = session.held(Student)
    if asked := st.query_params.get("room", ""):
        _come_to(asked)
    if not student.code:
        _door()
    elif not student.word:
        look.title("Join the class", "")
        data = {"room": student.code, "visit": f"{session.visitor()} {student.code}"}
        _word(key=KEY, data=data, on_word_change=_told)
    else:
        _room()
        return
    _say()


def _door() -> None:
    look.title("Join the class", "")
    with st.form("door", border=False):
        typed = st.text_input("The code on your teacher's screen", max_chars=12, key="typed_code")
        if st.form_submit_button("Join", type="primary", width="stretch"):
            st.query_params["room"] = typed
            st.rerun()


def _come_to(typed: str) -> None:
    """Take the address's room, or say why not; another one than before asks the browser anew who it is."""
    student = session.held(Student)
    if watch().wrong_codes.left() < 1:  # codes are being tried out: see `Door`
        with _slow:
            time.sleep(SLOWLY)
    try:
        code = watch().look(typed).room.code
    except (NoRoom, StoreDown) as no:
        student.code, student.word, student.complaint = "", "", str(no)
        return
    if code != student.code:
        student.code, student.word, student.complaint = code, "", ""


def _told() -> None:
    """The browser has shown its word."""
    student = session.held(Student)
    try:
        student.word = connection.classroom().join(student.code, st.session_state[KEY].get("word"), now())
        watch().changed(student.code)
    except (NoRoom, NotNow, StoreDown) as no:
        student.code, student.complaint = "", str(no)


@st.fragment(run_every=EVERY)
def _room() -> None:
    """How the room stands, every two seconds; nothing else of the page runs for it."""
    student = session.held(Student)
    try:
        seen = watch().look(student.code)
    except StoreDown as down:  # the next look tries again
        st.html(f'<p role="alert">{escape(str(down))}</p>')
        return
    except NoRoom:
        st.rerun()  # the whole page says it, and asks for a code
    view = for_student(seen, student.word)
    if not view.text or view.phase is Phase.ENDED:
        heading, text = "You are in", "The next question comes here when your teacher asks it."
        if view.phase is Phase.ENDED:
            heading, text = "The lesson has ended", "Thank you for taking part. You can close this page."
        look.title(heading, text)
    else:
        look.title(escape(view.text), "", escape(view.title))
        (_ask if view.phase is Phase.VOTING else _tell)(view)
    if view.phase is not Phase.ENDED:
        _forms(view)
    _say()


def _say() -> None:
    student = session.held(Student)
    for text, role in ((student.complaint, "alert"), (student.done, "status")):
        if text:
            st.html(f'<p role="{role}">{escape(text)}</p>')


def _ask(view: StudentView) -> None:
    said = view.said[-1] if view.said else None
    for answer, words in enumerate(view.answers):
        st.button(
            ("✓ " if answer == said else "") + look.plain(words),
            key=f"answer {view.number} {view.round} {answer}",
            type="primary" if answer == said else "secondary",
            width="stretch",
            on_click=_vote,
            args=(answer, view.number, view.round),
        )
    status = "Choose your answer." if view.round == 1 else "Talk to your neighbours, then answer again."
    if said is not None:
        status = f"You said: {view.answers[said]}. You can change it while the class answers."
    st.html(f'<p role="status"><b>{escape(status)}</b></p>')


def _vote(answer: int, number: int, round: int) -> None:
    _do(lambda store, student: store.vote(student.code, student.word, answer, number, round, now()))


def _forms(view: StudentView) -> None:
    """What can be handed in beside an answer, if the teacher has opened it."""
    if view.task:
        look.panel_title("The board")
        task = f'<a href="./{escape(view.task, quote=True)}" target="_blank" style="color: inherit">Open the task</a>'
        st.html(f"<p>{task}, train, press <b>Hand in</b> there, and bring its link here.</p>")
        _form("class_result", "The link of your result", "Put it on the board", _hand_in)
    if view.nicknames and view.phase is not Phase.VOTING:
        _form(
            "class_nickname", "A nickname, if you like: your teacher and the class see it", "Keep it", _name
        )


def _form(key: str, label: str, button: str, take: Callable[[], None]) -> None:
    with st.form(f"form {key}", border=False):
        st.text_input(label, key=key)
        st.form_submit_button(button, on_click=take, width="stretch", key=f"take {key}")


def _hand_in() -> None:
    link = st.session_state["class_result"]
    _do(
        lambda store, student: store.hand_in(student.code, student.word, link, now()),
        "Your result is on the board.",
    )


def _name() -> None:
    name = st.session_state["class_nickname"]
    _do(lambda store, student: store.name(student.code, student.word, name, now()), "Your nickname is kept.")


def _do(change: Callable[[Classroom, Student], object], done: str = "") -> None:
    """Change something in the room, and say so, or why not."""
    student = session.held(Student)
    student.complaint, student.done = "", done
    try:
        change(connection.classroom(), student)
    except (NoRoom, NotNow, StoreDown, ParameterError) as no:
        student.complaint, student.done = titled(str(no), NAMES), ""
    watch().changed(student.code)


def _tell(view: StudentView) -> None:
    """The answers of the class, and what the run says."""
    last = next((one for one in reversed(view.said) if one is not None), None)
    if view.right:
        yours = (
            []
            if last is None
            else ["You were right." if last in view.right else f"You said: {view.answers[last]}."]
        )
        st.html(f'<p role="status"><b>{escape(" ".join([*yours, view.sentence, view.why]))}</b></p>')
        if view.picture:
            ink = palette(st.context.theme.type).ink  # a picture knows nothing of its page's colours
            text = view.picture.partition("<title>")[2].partition("</title>")[0]
            st.image(view.picture.replace("currentColor", ink), alt=unescape(text), width="stretch")
        if view.address:
            st.html(
                f'<a href="./{escape(view.address, quote=True)}" target="_blank" style="color: inherit">Open this run</a>'
            )
    rounds = view.counts or ()
    heads = ["Answers"] if len(rounds) == 1 else ["First vote", "Second vote"]
    rows = ""
    for answer, words in enumerate(view.answers):
        right, yours = answer in (view.right or ()), answer == last
        marks = [mark for mark, there in (("✓ right", right), ("your answer", yours)) if there]
        counts = "".join(f"<td>{counts[answer]}</td>" for counts in rounds)
        rows += f"<tr><td>{escape(words)} <b>{', '.join(marks)}</b></td>{counts}</tr>"
    head = "".join(f"<th>{one}</th>" for one in heads)
    st.html(
        look.wide(
            "The answers of the class", f'<table class="live attempts"><tr><td></td>{head}</tr>{rows}</table>'
        )
    )
