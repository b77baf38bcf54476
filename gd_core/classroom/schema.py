"""The tables of a room, and how an older file becomes a newer one. The same SQL for SQLite and PostgreSQL.

A version's statements are never changed once it was released: what comes after is another version.
Times are microseconds since 1970 in UTC, questions and judgements JSON, tokens SHA-256 digests.
"""

from sqlalchemy import Connection, text

ROOMS_AND_VOTES = (
    """CREATE TABLE rooms (
        code TEXT PRIMARY KEY, teacher TEXT NOT NULL, opened_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
        phase TEXT NOT NULL, number INTEGER NOT NULL, round INTEGER NOT NULL,
        question TEXT, judgement TEXT, offered TEXT, offered_judgement TEXT,
        nicknames INTEGER NOT NULL, version INTEGER NOT NULL)""",
    # what was asked, for after the lesson
    """CREATE TABLE questions (
        room TEXT NOT NULL REFERENCES rooms ON DELETE CASCADE, number INTEGER NOT NULL,
        question TEXT NOT NULL, judgement TEXT, ran INTEGER NOT NULL, PRIMARY KEY (room, number))""",
    """CREATE TABLE members (
        room TEXT NOT NULL REFERENCES rooms ON DELETE CASCADE, number INTEGER NOT NULL, token TEXT NOT NULL,
        nickname TEXT NOT NULL, hidden INTEGER NOT NULL, PRIMARY KEY (room, number), UNIQUE (room, token))""",
    """CREATE TABLE votes (
        room TEXT NOT NULL, question INTEGER NOT NULL, member INTEGER NOT NULL, round INTEGER NOT NULL,
        answer INTEGER NOT NULL, PRIMARY KEY (room, question, member, round),
        FOREIGN KEY (room, member) REFERENCES members ON DELETE CASCADE)""",
)
BOARD = (
    "ALTER TABLE rooms ADD COLUMN task TEXT NOT NULL DEFAULT ''",
    # who hands in need not be a member: a run is handed in from the app, a vote from the phone
    """CREATE TABLE results (
        room TEXT NOT NULL REFERENCES rooms ON DELETE CASCADE, number INTEGER NOT NULL, token TEXT NOT NULL,
        task TEXT NOT NULL, result TEXT NOT NULL, PRIMARY KEY (room, number), UNIQUE (room, token, result))""",
)
PICTURES: tuple[
    str, ...
] = ()  # a judgement may hold one: no other table, but more than an older app can read
VERSIONS = (ROOMS_AND_VOTES, BOARD, PICTURES)


class Newer(Exception):
    """The store was written by a newer app."""


def migrate(connection: Connection) -> None:
    """Bring the store to this app's version, inside a transaction that is the only one to write.

    Raises:
        Newer: If it is of a later one, which this app does not know.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(7100417)"))  # several processes start at once
    connection.execute(text("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)"))
    version = connection.execute(text("SELECT max(version) FROM schema_version")).scalar() or 0
    if version > len(VERSIONS):
        raise Newer(version)
    for number, statements in enumerate(VERSIONS[version:], version + 1):
        for statement in statements:
            connection.execute(text(statement))
        connection.execute(text("INSERT INTO schema_version VALUES (:version)"), {"version": number})
