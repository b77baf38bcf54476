"""The same tab after a reload. For Streamlit it is a new visitor, who would have to bring every table again.

A tab keeps a word that nobody can guess, in the browser's `sessionStorage`: not in the address, which is handed on. As
long as the server still holds the tab's last visit, two minutes after it has ended, whoever shows the word is its owner.
"""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.components.v2 import component

from gd_core.settings.table_fields import DATASET
from pages.ui.look import navigation, session
from pages.ui.train import own_table

KEY = "same_tab"
_tab = component(KEY, js=(Path(__file__).parent / "same_tab.js").read_text(encoding="utf-8"))


@dataclass
class Opened:
    """How a visit began.

    Attributes:
        address: What stood in the address; None before the first run of a page.
    """

    address: dict[str, str] | None = None


def arrive() -> None:
    """Remember the address, before a page that lacks its table writes another. First thing in a run."""
    opened = session.held(Opened)
    if opened.address is None:
        opened.address = st.query_params.to_dict()


def watch() -> None:
    """Have the tab keep its word once there is a table to come back to, and ask for it where an address may need one."""
    address, (word, brought) = session.held(Opened).address or {}, own_table.word()
    if brought or address.get("dataset") == DATASET or {"pins", "task", "result"} & address.keys():
        _tab(key=KEY, data={"keep": brought, "word": word}, on_word_change=_shown)


def _shown() -> None:
    """The tab has shown the word of its last visit: its tables are there again, and its address is read once more."""
    word = st.session_state[KEY].get("word")
    if word and own_table.take_over(word):
        st.query_params.from_dict(session.held(Opened).address or {})
        navigation.reopen()
