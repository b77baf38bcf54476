"""A task as its student sees it: which controls there are, the box above the charts, and the address. No torch here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import streamlit as st

from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS, titled
from gd_core.settings.fields import Choice, Number, said
from gd_core.settings.task import (
    IN_WORDS,
    LONGEST_ANSWER,
    THEORY,
    Access,
    Result,
    Task,
    open_address,
    table_it_needs,
)
from gd_core.words import counted
from pages.ui.look import look, session

TITLES = {  # where a field's own would not say enough
    "holdout": "Share held out",
    "before": "Continue from here",
    "engine": "How it is worked out",
    THEORY: "Rate zones, best rates, tabs",
}
LOCKED = "Locked by the task."
NEEDS_A_FILE = "This task comes with a file. Bring it under “Bring a table”, and the task opens."
PREPARE = "prepare"  # the teacher's dialog
STATE = st.session_state


@dataclass
class Handed:
    """The task or the result that a visitor has opened, and the dialog about one.

    Attributes:
        task: The task; for a result, its own with everything locked.
        result: The result.
        link: Their own texts in the address, by name.
        table: The key of the table that they wait for; None when it is there.
        sentences: What is wrong with their link.
        dialog: The dialog that is open.
        typed: What is typed into a dialog or an answer, by what the widgets' keys begin with.
    """

    task: Task | None = None
    result: Result | None = None
    link: dict[str, str] = field(default_factory=dict)
    table: str | None = None
    sentences: tuple[str, ...] = ()
    dialog: str | None = None
    typed: dict[str, dict[str, Any]] = field(default_factory=dict)


def current() -> Task | None:
    """The task that is open; for a result, its task with everything locked. None on the plain page."""
    return session.held(Handed).task


def result() -> Result | None:
    """The result that is open."""
    return session.held(Handed).result


def access(name: str) -> Access:
    """What may be done with a control; without a task, everything."""
    task = current()
    return task.access(name) if task else Access.FREE


def free(*names: str) -> bool:
    """Whether all these controls may be changed."""
    return all(access(name) is Access.FREE for name in names)


def hidden(name: str) -> bool:
    return access(name) is Access.HIDDEN


def locked(name: str) -> bool:
    return access(name) is Access.LOCKED


def title(name: str) -> str:
    """What a control is called."""
    return TITLES.get(name) or FIELDS[name].title


def value(experiment: Experiment, name: str) -> str:
    """A setting as the page shows it."""
    setting, field = getattr(experiment, name), FIELDS[name]
    if isinstance(field, Choice):
        return field.choices[setting]
    if isinstance(setting, bool):
        return "yes" if setting else "no"
    if isinstance(setting, tuple):
        return ", ".join(one if isinstance(one, str) else said(one) for one in setting)
    return said(setting) if isinstance(field, Number) else str(setting)


def prepare_button() -> None:
    """The button that opens the teacher's dialog; `prepare` draws it, once torch is there."""
    st.button(
        "Prepare a task", type="tertiary", key="prepare",
        on_click=open_dialog, args=(PREPARE,), help="A link for students: what they see, may change, and should reach.",
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------- the address


def follow(address: Mapping[str, str]) -> Experiment | None:
    """Open the task or the result of an address; None if there is none, or it cannot be opened."""
    opened = open_address(address)
    table = table_it_needs(address)
    handed = session.held(Handed)
    handed.task, handed.result = opened.task, opened.result
    handed.link = {name: address[name] for name in ("result", "task") if name in address}
    handed.table = table
    handed.sentences = (NEEDS_A_FILE,) if table else opened.sentences
    handed.dialog = None
    return opened.experiment


def waits_for() -> str | None:
    """The key of the table that what was followed needs and that is not here."""
    return session.held(Handed).table


def query(experiment: Experiment) -> dict[str, str]:
    """The address of what is open: the task's own text, with what the student has changed."""
    task = current()
    if task is None:
        return experiment.to_query()
    if result():
        return {"result": session.held(Handed).link["result"]}
    return {"task": session.held(Handed).link["task"]} | task.changes(experiment)


def forget_the_sentences() -> None:
    """What was wrong with the address has been read: someone has changed something since."""
    session.held(Handed).sentences = ()


def leave() -> None:
    """Show the whole lab with the settings as they are. For callbacks."""
    handed = session.held(Handed)
    handed.task = handed.result = handed.dialog = None


def dialog() -> str | None:
    """The name of the dialog that is open."""
    return session.held(Handed).dialog


def open_dialog(name: str | None) -> None:
    """Open a dialog in the page's next run; with None, none. For callbacks."""
    session.held(Handed).dialog = name


# ------------------------------------------------------------------------------------------------------ the box


def heading() -> Any:
    """The page's title and, for a task or a result, the box under it. Returns the box's place for what torch knows."""
    task, handed_in = current(), result()
    if handed_in:
        look.title("Result of a task", "A student’s run, trained again here from the settings in the link.")
    elif task:
        look.title("Task", "Your teacher chose what you can change. Everything else is set.")
    else:
        look.title(
            "Train",
            "Watch the curve bend towards the data while the error falls. Then ask: could it fall further?",
        )
    for sentence in session.held(Handed).sentences:
        st.markdown(f":orange[:material/error:] {look.plain(titled(sentence, IN_WORDS))}")
    if task is None:
        return None
    with st.container(key="task", border=True):
        if task.text:
            st.html(f'<div class="task-text" dir="auto">{escape(task.text)}</div>')
        if task.question:
            st.html(f'<div class="task-text question" dir="auto">{escape(task.question)}</div>')
            _answer(handed_in)
        if handed_in:
            st.html(f'<p class="task-line">{escape(changed(handed_in))}</p>')
        return st.container(key="task_foot")


def answer() -> str:
    """What the student has answered so far."""
    return str(STATE.get(_answer_key(), "")).strip()


def keep(prefix: str) -> None:
    """Have what was typed into widgets with such keys outlive a dialog, or a visit to another page."""
    kept = session.held(Handed).typed.setdefault(prefix, {})
    kept.update({str(key): STATE[key] for key in STATE if str(key).startswith(prefix)})
    for key, typed in kept.items():
        if key not in STATE:
            STATE[key] = typed


def _answer_key() -> str:
    return f"answer {session.held(Handed).link.get('task', '')[-8:]}"  # its own for each task


def _answer(handed_in: Result | None) -> None:
    if handed_in:
        words = escape(handed_in.answer) or "<i>No answer.</i>"
        st.html(f'<div class="task-text answer" dir="auto">{words}</div>')
        return
    keep("answer ")
    st.text_area(
        "Your answer",
        key=_answer_key(),
        height=68,
        help=f"It travels in your result link. At most {LONGEST_ANSWER:,} characters.",
    )


def changed(handed_in: Result) -> str:
    """What the student has changed of what was free, in a sentence or two."""
    ran = handed_in.experiment
    changes = [
        f"{title(name)} {value(ran, name)}" for name in handed_in.task.changes(ran) if name != "before"
    ]
    earlier = ran.before[len(handed_in.task.experiment.before) :]
    changes += [
        f"continued after {counted(phase.epochs, 'epoch')} at {said(phase.learning_rate)}"
        for phase in earlier
    ]
    told = f"Changed: {'; '.join(changes)}." if changes else "Nothing was changed."
    if handed_in.stopped_at is not None:
        told += f" Stopped by hand at epoch {handed_in.stopped_at:,}."
    return told
