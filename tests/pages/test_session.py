"""What the session keeps for a visitor, and what becomes of it when Streamlit loads a module anew."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from streamlit.testing.v1 import AppTest

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


def whose():
    """A page that says whose it is, and offers what is made after its run."""
    import streamlit as st

    from pages.ui.look import session

    st.session_state["who"] = session.visitor()
    st.session_state["later"] = session.in_their_name(session.visitor)


def test_what_is_made_after_the_page_is_made_for_its_visitor():
    """A file that is asked for is made in another thread, outside of any visit, and finds the tables of the one who asks."""
    page = AppTest.from_function(whose).run()
    who, later = page.session_state["who"], page.session_state["later"]
    assert who
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(later).result() == who
        assert pool.submit(session.visitor).result() == ""
