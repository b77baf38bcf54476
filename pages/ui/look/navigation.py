"""The pages, in reading order. A page's address is its file's name."""

from typing import Any

import streamlit as st

LESSONS = {
    "one_parameter": "One parameter, one slope",
    "four_steps": "Four steps",
    "gradient": "The gradient",
    "learning_rate": "Learning rate",
    "landscape": "Landscape",
    "variants": "Variants",
    "deep_networks": "Vanishing and exploding gradients",
    "broadcasting": "A bug worth knowing",
    "glossary": "Words and questions",
}


def navigation() -> Any:
    """Draw the menu, and return the page that was asked for."""
    lab = [
        st.Page("pages/train.py", title="Train", icon=":material/play_arrow:", default=True),
        st.Page("pages/compare.py", title="Compare"),  # with an icon, Streamlit would fetch it from elsewhere
    ]
    lessons = [
        st.Page(f"pages/{name}.py", title=f"{number}. {title}")
        for number, (name, title) in enumerate(LESSONS.items(), 1)
    ]
    return st.navigation({"Lab": lab, "Lessons": lessons}, position="top")


def enter() -> None:
    """Have app.py run around this page, if it did not.

    A freshly started Streamlit that finds a folder `pages` answers a link to one of its files with that file alone.
    The first call of st.navigation in a process ends that.
    """
    if "in_app" not in st.session_state:
        st.session_state["in_app"] = True
        navigation()
        st.rerun()
