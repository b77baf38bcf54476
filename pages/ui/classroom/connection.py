"""Where the classes of this server are kept: a database that the secrets name, or a file of our own. Nothing to set up.

    [connections.classroom]                       # .streamlit/secrets.toml
    url = "postgresql://lab:…@db.school/lab"

Routes ask outside of a page's run, as pages do within one: hence Streamlit's `SQLConnection` itself and not `st.connection`, which
draws a spinner where it is asked, and warns where there is no page.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.connections import SQLConnection
from streamlit.errors import StreamlitAPIException

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from gd_core.classroom.store import Classroom

NAME = "classroom"
SWEPT_EVERY = 3600  # seconds
FILE = Path(__file__).parents[3] / "data" / "classroom.sqlite3"
_lock = threading.Lock()
_kept: Classroom | None = None


def classroom() -> Classroom:
    """The store of all rooms, opened when it is first asked for. SQLAlchemy is loaded then, and not before.

    Raises:
        StoreDown: If it cannot be used; the next call tries again.
    """
    global _kept
    with _lock:
        if _kept is None:
            from gd_core.classroom.store import Classroom

            _kept = Classroom(_engine())
            threading.Thread(target=_sweep_for_ever, args=(_kept,), daemon=True).start()
        return _kept


def at_start() -> None:
    """Where a server before this one kept classes, have those deleted whose day is over, though nobody opens one again."""
    if FILE.exists() or _is_named():
        threading.Thread(target=_opened_if_it_can, daemon=True).start()


def _opened_if_it_can() -> None:
    from gd_core.classroom.database import StoreDown

    with suppress(StoreDown):  # who wants to teach is told
        classroom()


def _sweep_for_ever(kept: Classroom) -> None:
    from gd_core.classroom.database import StoreDown

    while True:
        with suppress(StoreDown):
            kept.sweep(datetime.now(UTC))
        time.sleep(SWEPT_EVERY)


def _engine() -> Engine:
    from sqlalchemy.exc import SQLAlchemyError

    from gd_core.classroom.database import StoreDown

    try:
        if _is_named():
            return SQLConnection(NAME, pool_pre_ping=True).engine  # the database may have been restarted
        FILE.parent.mkdir(mode=0o700, exist_ok=True)
        return SQLConnection(NAME, url=f"sqlite:///{FILE}").engine
    except OSError as error:
        raise StoreDown(
            f"The class's store cannot be opened: the server may not write {FILE.parent}."
        ) from error
    except (SQLAlchemyError, ImportError, StreamlitAPIException) as error:
        raise StoreDown(
            "The class's store cannot be opened: look at connections.classroom in the secrets."
        ) from error


def _is_named() -> bool:
    """Whether the secrets name a database."""
    return st.secrets.load_if_toml_exists() and NAME in st.secrets.get("connections", {})
