"""The database of a store: how transactions begin, what SQLite is told, and why it cannot be used, in a sentence.

**What has returned is kept.** SQLite writes ahead (WAL) and syncs at each commit (`synchronous=FULL`): a vote that was taken
outlives `kill -9` and a power cut. `NORMAL` would do for the first alone. PostgreSQL does both as it comes.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

SQLITE_SETTINGS = {
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "foreign_keys": "ON",
    "secure_delete": "ON",  # what was deleted is overwritten
    "busy_timeout": "5000",  # ms to wait for another who writes
    "journal_size_limit": "1000000",  # bytes
}


class StoreDown(RuntimeError):
    """The store cannot be used now; the message says why, in one sentence."""


class Database:
    """Transactions of an engine. Each raises StoreDown where it cannot be used.

    Attributes:
        to_change: Ends a SELECT whose row is going to be changed: nobody else reads it so until the end of the transaction;
        to_rely_on: one whose row must not change meanwhile. SQLite locks all that is written from its beginning.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._writer = engine, engine.execution_options(to_write=True)
        on_postgres = engine.dialect.name == "postgresql"
        self.to_change, self.to_rely_on = (" FOR UPDATE", " FOR SHARE") if on_postgres else ("", "")
        if engine.dialect.name == "sqlite" and not event.contains(engine, "connect", _set_up_sqlite):
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "begin", _begin_sqlite)

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A connection to read with: what it reads is of one moment."""
        with _told(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """One to write with, kept when it ends without an exception."""
        with _told(), self._writer.begin() as connection:
            yield connection


@contextmanager
def _told() -> Generator[None]:
    """Say in a sentence why the store cannot be used."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreDown(_why(error)) from error


def _why(error: SQLAlchemyError) -> str:
    name = getattr(getattr(error, "orig", None), "sqlite_errorname", "")
    reasons = {
        "SQLITE_FULL": "The class's store is full: no room on the disk.",
        "SQLITE_READONLY": "The class's store can only be read: the server may not write its file.",
        "SQLITE_CANTOPEN": "The class's store cannot be opened: the server may not write its folder.",
        "SQLITE_BUSY": "The class's store is locked by another program.",
        "SQLITE_NOTADB": "The class's store is not a database.",
        "SQLITE_CORRUPT": "The class's store is damaged.",
    }
    for begin, sentence in reasons.items():
        if name.startswith(begin):
            return sentence
    return "The class's store does not answer."


def _set_up_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say so, not where sqlite3 guesses
    for name, value in SQLITE_SETTINGS.items():
        connection.execute(f"PRAGMA {name}={value}")


def _begin_sqlite(connection: Connection) -> None:
    # who is going to write waits here for others, not in the middle, where SQLite would refuse
    to_write = connection.get_execution_options().get("to_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if to_write else "BEGIN")
