"""The class's store on either database, and what a test says to it."""

import pytest
from postgres import Postgres
from sqlalchemy import create_engine, text

from gd_core.classroom import database
from gd_core.classroom.store import Classroom


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server, empty for each test that asks for an address in it."""
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The address of an empty database, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'class.sqlite3'}"
    server = request.getfixturevalue("postgres")
    engine = create_engine(server.url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return server.url


@pytest.fixture
def opened(monkeypatch):
    """Opens the store at an address, without waiting for the disk; closed when the test ends."""
    monkeypatch.setitem(database.SQLITE_SETTINGS, "synchronous", "OFF")
    engines = []

    def open_store(url, **options):
        engine = create_engine(url, **options)
        engines.append(engine)
        return Classroom(engine)

    yield open_store
    for engine in engines:
        engine.dispose()


@pytest.fixture
def classroom(url, opened):
    """An empty store."""
    return opened(url)
