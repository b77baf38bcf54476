"""Where the classes of a server are kept: a file that needs nothing, or what the secrets name."""

import threading
import time
from datetime import UTC, datetime

import pytest
from streamlit import config
from streamlit.runtime.secrets import secrets_singleton

from gd_core.classroom.database import StoreDown
from pages.ui.classroom import connection

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    """A server that has just started, with a folder of its own and no secrets."""
    monkeypatch.setattr(connection, "_kept", None)
    monkeypatch.setattr(connection, "FILE", tmp_path / "data" / "classroom.sqlite3")
    before = config.get_option("secrets.files")
    config.set_option("secrets.files", [str(tmp_path / "secrets.toml")])
    secrets_singleton._reset()
    yield
    if connection._kept:
        connection._kept._engine.dispose()
    config.set_option("secrets.files", before)
    secrets_singleton._reset()


def test_nothing_is_to_be_set_up():
    """The file is made in a folder that only the server reads, also where a route asks, outside of a page's run."""
    found = []
    thread = threading.Thread(target=lambda: found.append(connection.classroom()))
    thread.start()
    thread.join()
    room, _ = found[0].open_room(NOW)
    assert connection.classroom() is found[0]
    assert found[0].room(room.code, NOW) == room
    assert connection.FILE.exists()
    assert connection.FILE.parent.stat().st_mode & 0o077 == 0


def test_the_secrets_name_another_database(tmp_path):
    """One line."""
    (tmp_path / "secrets.toml").write_text(
        f'[connections.classroom]\nurl = "sqlite:///{tmp_path}/named.sqlite3"\n'
    )
    connection.classroom().open_room(NOW)
    assert (tmp_path / "named.sqlite3").exists()
    assert not connection.FILE.exists()


def test_other_secrets_change_nothing(tmp_path):
    """Such as a connection of another name."""
    (tmp_path / "secrets.toml").write_text('[connections.other]\nurl = "sqlite://"\n')
    connection.classroom()
    assert connection.FILE.exists()


@pytest.mark.parametrize(
    "line", ['url = "nonsense"', 'url = "oracle://x"', 'url = "nothing://x"', "port = 1"]
)
def test_secrets_that_name_nothing_are_a_sentence(tmp_path, line):
    """It says where to look, and not what stands there: a password may."""
    (tmp_path / "secrets.toml").write_text(f"[connections.classroom]\n{line}\n")
    with pytest.raises(StoreDown, match=r"look at connections\.classroom in the secrets") as refused:
        connection.classroom()
    assert "://" not in str(refused.value)


def test_where_nothing_can_be_written_it_says_so_and_tries_again():
    """A folder that is a file; when it is mended the next press opens a room."""
    connection.FILE.parent.write_text("in the way")
    with pytest.raises(StoreDown, match="the server may not write"):
        connection.classroom()
    connection.FILE.parent.unlink()
    assert connection.classroom().open_room(NOW)[0].phase == "lobby"


def test_a_server_that_starts_deletes_what_is_over(monkeypatch):
    """Of the file that the last one left: a class of the day before yesterday goes, one of now stays, and nobody need open one."""
    connection.at_start()
    assert connection._kept is None  # no file, nothing to delete
    now = datetime.now(UTC)
    left = connection.classroom()
    (over, _), (on, _) = (left.open_room(now) for _ in range(2))
    with left._engine.begin() as told:
        told.exec_driver_sql("UPDATE rooms SET expires_at = 1 WHERE code = ?", (over.code,))
    left._engine.dispose()
    monkeypatch.setattr(connection, "_kept", None)
    connection.at_start()
    until = time.monotonic() + 20
    while time.monotonic() < until and (connection._kept is None or rooms(connection._kept) == 2):
        time.sleep(0.05)
    kept = connection.classroom()
    assert rooms(kept) == 1
    assert kept.room(on.code, now) == on


def rooms(kept) -> int:
    with kept._engine.connect() as asked:
        return asked.exec_driver_sql("SELECT count(*) FROM rooms").scalar()
