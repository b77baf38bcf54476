"""What a visitor's session keeps: dataclasses, one of a kind, each in the hands of the module that defines it.

Other modules ask that module. Values of widgets are not kept here: Streamlit has them under the widgets' own keys.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from gd_core.tables import holder

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import DataclassInstance
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    T = TypeVar("T", bound=DataclassInstance)
    W = TypeVar("W")

STATE = st.session_state
LATE = 5.0  # seconds for which a browser may still send what the page had before
_asked_by: ContextVar[str] = ContextVar("asked by", default="")


def visitor() -> str:
    """Whose page this is; "" where nothing is done for a visitor. Their tables are found under it, by nobody else."""
    run = get_script_run_ctx(suppress_warning=True)
    return run.session_id if run else _asked_by.get()


def went_through_history() -> bool:
    """Whether Back or Forward of the browser made this run of the page."""
    run = get_script_run_ctx(suppress_warning=True)
    return run is not None and run.is_history_navigation


def is_alone_new(key: str) -> bool:
    """Whether a widget's value is all that is new in what the browser has sent, so that it was this that was changed. For callbacks."""
    run = get_script_run_ctx(suppress_warning=True)
    if run is None or run.is_history_navigation:
        return False
    state = run.session_state._state  # which is locked while callbacks are called
    new = state._new_widget_state
    changed = [one for one in new if state._widget_changed(one)]
    if changed != [state._key_id_mapper.get_id_from_key(key)]:
        return False
    # a part of the page that runs every so often sends along what has changed elsewhere
    ran = run.fragment_ids_this_run
    return ran is None or new.widget_metadata[changed[0]].fragment_id in ran


def in_their_name(work: Callable[[], W]) -> Callable[[], W]:
    """Work that is done after the page's run and outside of it, such as a file that is asked for: for this visitor."""
    who = visitor()

    def theirs() -> W:
        before = _asked_by.set(who)
        try:
            return work()
        finally:
            _asked_by.reset(before)

    return theirs


def let_go_of(file: UploadedFile) -> None:
    """Give up Streamlit's own copy of an uploaded file, which it would keep until the visit has ended."""
    run = get_script_run_ctx(suppress_warning=True)
    if run and isinstance(run.uploaded_file_mgr, MemoryUploadedFileManager):
        run.uploaded_file_mgr.remove_file(run.session_id, file.file_id)


holder.who = visitor


def key(kind: type[DataclassInstance]) -> str:
    """Where the one instance of a kind is kept."""
    return f"{kind.__module__}.{kind.__qualname__}"


def held(kind: type[T]) -> T:
    """The visitor's own instance of a dataclass whose fields all have defaults; made at first use.

    Ask for it anew wherever something is read or written, and never keep it across slow work. With `runner.fastReruns` a
    setting changed meanwhile starts the page's next run beside the one at work, which is to write nothing more: it ends
    as soon as it turns to the session.
    """
    found = STATE.get(key(kind))
    # None yet, or of a class that Streamlit has loaded anew since: its values stay.
    if type(found) is not kind:
        there = {field.name for field in fields(kind) if hasattr(found, field.name)}
        found = STATE[key(kind)] = kind(**{name: getattr(found, name) for name in there})
    return found
