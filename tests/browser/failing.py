"""The app, failing where a visitor's address asks for it: `?fails=apply` on any page, `live` and `reset` on Train.

Start it as `python -m tests.browser.failing app.py --server.port …`, with the flags of `streamlit run`.
"""

import sys
from typing import Any

import streamlit as st
from streamlit.web import cli

from pages.ui.look import look, navigation
from pages.ui.player import live_runs

FAILURES = {"apply": (look, "apply"), "live": (live_runs, "as_run"), "reset": (live_runs, "reset")}


def fail(name: str) -> None:
    """Have a function fail for the visitors who asked for it; for all others it is as it was."""
    owner, attribute = FAILURES[name]
    real = getattr(owner, attribute)

    def failing(*given: Any, **named: Any) -> Any:
        if st.session_state.get("fails") == name:
            raise OverflowError(f"asked to fail at {name}")
        return real(*given, **named)

    setattr(owner, attribute, failing)


def listen() -> None:
    """Keep what the address asks for: a page takes what it does not know out of it."""
    real = navigation.navigation

    def listening() -> Any:
        if "fails" in st.query_params:
            st.session_state["fails"] = st.query_params["fails"]
        return real()

    navigation.navigation = listening


if __name__ == "__main__":
    listen()
    for name in FAILURES:
        fail(name)
    sys.argv = ["streamlit", "run", *sys.argv[1:]]
    cli.main()
