"""What the store does when it is killed, full, locked, read-only, older, newer, or not there: each is one sentence."""

import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text

from gd_core.classroom import database, rules, schema
from gd_core.classroom.database import StoreDown
from gd_core.classroom.rooms import Judgement, Phase, Question
from gd_core.classroom.store import Classroom

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
QUESTION = Question(title="Learning rate", text="What happens?", answers=("It converges", "It diverges"))
ask = partial(rules.ask, question=QUESTION, judgement=Judgement(right=(1,), sentence="It diverges."))
GOLDEN = sorted((Path(__file__).parents[2] / "golden").glob("classroom-*.sql"))

VOTERS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from sqlalchemy import create_engine
from gd_core.classroom.store import Classroom
url, code, now = sys.argv[1:]
classroom = Classroom(create_engine(url))
def vote_for_ever(_):
    while True:
        token = classroom.join(code, None, datetime.fromisoformat(now))
        answer = ord(token[0]) % 2
        classroom.vote(code, token, answer, 1, 1, datetime.fromisoformat(now))
        sys.stdout.write(f"{token} {answer}\\n")
        sys.stdout.flush()
with ThreadPoolExecutor(4) as phones:
    list(phones.map(vote_for_ever, range(4)))
"""


def test_what_was_acknowledged_outlives_kill_9(url, opened):
    """Killed in the middle of votes, opened again: the room, its phase, and each vote that was acknowledged."""
    room, teacher = opened(url).open_room(NOW)
    asked = opened(url).steer(room.code, teacher, ask, NOW)
    command = [sys.executable, "-c", VOTERS, url, room.code, NOW.isoformat()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as voters:
        acknowledged = [voters.stdout.readline() for _ in range(40)]
        voters.send_signal(signal.SIGKILL)
        acknowledged += [line for line in voters.stdout or () if line.endswith("\n")]
    votes = dict(line.split() for line in acknowledged)
    assert len(votes) >= 40
    classroom = opened(url)
    look = classroom.look(room.code, NOW)
    assert look.room == asked
    assert {token: look.own(token).said for token in votes} == {
        token: (int(answer),) for token, answer in votes.items()
    }
    # Of each thread one may be kept that was not yet acknowledged.
    assert look.tally.answered - len(votes) <= 4
    assert classroom.steer(room.code, teacher, rules.run, NOW).phase is Phase.RUN


def test_sqlite_syncs_at_each_commit(tmp_path):
    """What a power cut needs, and kill -9 alone does not show: WAL, and synchronous 2, which is FULL."""
    engine = create_engine(f"sqlite:///{tmp_path / 'class.sqlite3'}")
    Classroom(engine)
    with engine.connect() as connection:
        asked = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        ]
    engine.dispose()
    assert asked == ["wal", 2]


@pytest.mark.parametrize("file", GOLDEN, ids=lambda one: one.stem)
def test_a_newer_app_opens_an_older_file(file, url, opened):
    """A store that an earlier version wrote, in the middle of a second round: all is there, and the hour goes on."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in file.read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    engine.dispose()
    classroom = opened(url)
    look = classroom.look("BCDFGH", NOW)
    assert (look.room.phase, look.room.round, look.room.question.answers) == (
        Phase.VOTING,
        2,
        QUESTION.answers,
    )
    assert (look.tally.joined, look.tally.counts) == (2, ((1, 1), (0, 1)))
    assert look.own("a" * 22).said == (0, 1)
    classroom.vote("BCDFGH", "b" * 22, 1, 1, 2, NOW)
    assert classroom.steer("BCDFGH", "t" * 22, rules.run, NOW).judgement.right == (1,)
    with classroom._engine.connect() as connection:
        assert connection.execute(text("SELECT max(version) FROM schema_version")).scalar() == len(
            schema.VERSIONS
        )


def test_each_version_has_a_golden_file():
    """Written with the version before another one comes."""
    assert [file.stem for file in GOLDEN] == [
        f"classroom-{number}" for number in range(1, len(schema.VERSIONS) + 1)
    ]


def test_a_file_of_a_newer_app_is_left_alone(url, opened):
    """With a sentence."""
    classroom = opened(url)
    with classroom._engine.begin() as connection:
        connection.execute(text("INSERT INTO schema_version VALUES (99)"))
    with pytest.raises(StoreDown, match="of version 99, newer than this app knows: update the app"):
        opened(url)


def test_processes_that_start_at_once_make_the_tables_once(url, opened):
    """Eight, each with a connection of its own."""
    with ThreadPoolExecutor(8) as processes:
        made = list(processes.map(opened, [url] * 8))
    rooms = [classroom.open_room(NOW)[0] for classroom in made]
    assert [made[0].room(room.code, NOW) for room in rooms] == rooms
    with made[0]._engine.connect() as connection:
        versions = connection.execute(text("SELECT version FROM schema_version")).scalars().all()
    assert versions == list(range(1, len(schema.VERSIONS) + 1))


# ---------------------------------------------------------------------------------------------------------- SQLite


def test_a_full_disk_is_a_sentence_and_loses_nothing(opened, tmp_path):
    """Votes are refused as long as there is no room, those taken are there, and it goes on when there is room again."""
    url = f"sqlite:///{tmp_path / 'class.sqlite3'}"
    classroom = opened(url)
    room, teacher = classroom.open_room(NOW)
    classroom.steer(room.code, teacher, ask, NOW)
    with classroom._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    small = create_engine(url)
    event.listen(
        small, "connect", lambda connection, _: connection.execute(f"PRAGMA max_page_count={pages + 2}")
    )
    full = Classroom(small)
    taken = []

    def fill():
        for _ in range(1000):
            token = full.join(room.code, None, NOW)
            full.vote(room.code, token, 1, 1, 1, NOW)
            taken.append(token)

    with pytest.raises(StoreDown, match="store is full: no room on the disk"):
        fill()
    assert taken
    look = full.look(room.code, NOW)
    assert all(look.own(token).said == (1,) for token in taken)
    assert classroom.vote(room.code, classroom.join(room.code, None, NOW), 1, 1, 1, NOW) is None
    small.dispose()


def test_a_store_that_can_only_be_read(opened, tmp_path):
    """Shows the rooms that it has and takes nothing; one in a folder that is not there cannot be opened."""
    file = tmp_path / "class.sqlite3"
    room, teacher = opened(f"sqlite:///{file}").open_room(NOW)
    to_read = opened(f"sqlite:///file:{file}?mode=ro&uri=true")
    assert to_read.look(room.code, NOW).room == room
    acts = (
        lambda: to_read.open_room(NOW),
        lambda: to_read.join(room.code, None, NOW),
        lambda: to_read.steer(room.code, teacher, ask, NOW),
    )
    for act in acts:
        with pytest.raises(StoreDown, match="can only be read"):
            act()
    with pytest.raises(StoreDown, match="cannot be opened"):
        opened(f"sqlite:///{tmp_path / 'nowhere' / 'class.sqlite3'}")


def test_a_store_that_another_program_holds(opened, tmp_path, monkeypatch):
    """It is waited for, some seconds at most."""
    monkeypatch.setitem(database.SQLITE_SETTINGS, "busy_timeout", "50")
    file = tmp_path / "class.sqlite3"
    classroom = opened(f"sqlite:///{file}")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreDown, match="locked by another program"):
        classroom.open_room(NOW)
    other.execute("ROLLBACK")
    assert classroom.open_room(NOW)
    other.close()


@pytest.mark.parametrize("content", [b"no database" * 1000, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_something_else(opened, tmp_path, content):
    """It is not written over."""
    file = tmp_path / "class.sqlite3"
    file.write_bytes(content)
    with pytest.raises(StoreDown, match="not a database"):
        opened(f"sqlite:///{file}")
    assert file.read_bytes() == content


# ------------------------------------------------------------------------------------------------------ PostgreSQL


def test_a_database_that_goes_down_and_comes_back(postgres, opened):
    """Asked in between it is a sentence; then the rooms are there, with no new start of the app."""
    classroom = opened(postgres.url, pool_pre_ping=True)
    room, _ = classroom.open_room(NOW)
    postgres.stop()
    try:
        with pytest.raises(StoreDown, match="store does not answer"):
            classroom.look(room.code, NOW)
    finally:
        postgres.start()
    assert classroom.look(room.code, NOW).room == room
