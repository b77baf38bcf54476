"""What the session keeps for a visitor, and what becomes of it when Streamlit loads a module anew."""

from dataclasses import dataclass, field

import pytest

from pages.ui.look import session


def loaded() -> type:
    """The class of a module, as it is after each loading."""

    @dataclass
    class Kept:
        count: int = 0
        names: list[str] = field(default_factory=list)

    return Kept


@pytest.fixture(autouse=True)
def state(monkeypatch):
    kept = {}
    monkeypatch.setattr(session, "STATE", kept)
    return kept


def test_there_is_one_of_a_kind(state):
    """Made when it is first asked for, and the same one from then on, under one key."""
    kind = loaded()
    session.held(kind).count += 1
    assert session.held(kind) is session.held(kind)
    assert state == {session.key(kind): kind(count=1)}


def test_values_outlive_a_module_that_is_loaded_anew():
    """The instance is of the new class then, with what the old one held; a field that is new has its default."""
    old, new = loaded(), loaded()
    before = session.held(old)
    before.names.append("a")
    del before.count
    del old.count
    after = session.held(new)
    assert type(after) is new
    assert after.names is before.names
    assert after.count == 0
