"""The pages, in reading order. A page's address is its file's name."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from gd_core.settings.fields import in_a_word
from pages.ui.look import session

LESSONS = {
    "one_parameter": "One parameter, one slope",
    "four_steps": "Four steps",
    "gradient": "The gradient",
    "learning_rate": "Learning rate",
    "landscape": "Landscape",
    "variants": "Variants",
    "hills": "Hills and saddles",
    "deep_networks": "Vanishing and exploding gradients",
    "broadcasting": "A falling loss",
    "glossary": "Words and questions",
}
MINUTES = 5  # that one takes, about


@dataclass
class Visit:
    """Where a visitor is.

    Attributes:
        in_app: Whether app.py runs around the pages.
        page: The page whose address was read last.
    """

    in_app: bool = False
    page: str = ""


def navigation() -> Any:
    """Draw the menu, and return the page that was asked for."""
    session.held(Visit).in_app = True
    lab = [
        st.Page("pages/train.py", title="Train", icon=":material/play_arrow:", default=True),
        st.Page("pages/compare.py", title="Compare"),  # with an icon, Streamlit would fetch it from elsewhere
        # where the server's own page for phones does not answer at this address
        st.Page("pages/join.py", title="Join the class", visibility="hidden"),
    ]
    lessons = [
        st.Page(f"pages/{name}.py", title=f"{number}. {title}")
        for number, (name, title) in enumerate(LESSONS.items(), 1)
    ]
    return st.navigation({"Lab": lab, "Lessons": lessons}, position="top")


def enter() -> None:
    """Have app.py run around this page, if it did not.

    A freshly started Streamlit that finds a folder `pages` answers a link to one of its files with that file alone.
    The first call of st.navigation in a process ends that, and so does a server of ours when it starts.
    """
    if not session.held(Visit).in_app:
        navigation()
        st.rerun()


def here() -> str:
    """The page that was come to last."""
    return session.held(Visit).page


def place() -> str:
    """Where a lesson stands among all: Lesson 3 of 10."""
    return f"Lesson {[*LESSONS].index(here()) + 1} of {len(LESSONS)}" if here() in LESSONS else ""


def whole_path() -> str:
    """How many lessons there are, and how long they take."""
    return f"{in_a_word(len(LESSONS)).lower()} lessons, {len(LESSONS) * MINUTES} minutes"


def following(page: str) -> str:
    """The lesson after this one; after the last, and after any other page, Train."""
    pages = [*LESSONS, "train"]
    return pages[pages.index(page) + 1] if page in LESSONS else "train"


def at(page: str) -> bool:
    """Whether this page is the last that was come to."""
    return session.held(Visit).page == page


def come_to(page: str) -> bool:
    """Come to a page. Returns whether from another one, or for the first time."""
    entered = not at(page)
    session.held(Visit).page = page
    return entered


def reopen() -> None:
    """Have the page read its address as if it were just opened. For callbacks."""
    session.held(Visit).page = ""
