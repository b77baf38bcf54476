"""The bones that every lesson has: heading, formula, predict first, the player, what to notice, what to try next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from gd_core.settings.experiment import Experiment
from pages.ui.look import formulas, look, navigation, projector
from pages.ui.look.navigation import LESSONS
from pages.ui.settings.next_steps import Link
from pages.ui.settings.page_settings import UNSURE, PageSettings

if TYPE_CHECKING:
    from pages.ui.takeaway.takeaway import Taken


class Question(NamedTuple):
    """What is asked before a run, and the answers to choose from, by key."""

    text: str
    answers: Mapping[str, str]


def heading(title: str, sentence: str, formula: str = "") -> None:
    """The page's name, one sentence that says what will be seen, and the formula."""
    look.apply()
    look.title(title, sentence)
    if formula:
        with st.container(key="formula"):
            st.html(f"<p>{formulas.html(formula)}</p>")


def predict(page: PageSettings[Any], question: Question) -> None:
    """Ask before the run is shown. The answers stay where they are when one was given, so nothing jumps.

    On a projector only the given one stays: there the charts need the room.
    """
    given = page.guess
    alone = projector.on() and page.revealed
    with st.container(key="predict", border=True):
        with st.container(horizontal=True, vertical_alignment="center", key="question"):
            st.markdown(f"**Predict first.** {question.text}", width="stretch")
            if not projector.on():
                page.switch("ask")
        with st.container(horizontal=True, key="answers", gap="small"):
            for key, words in question.answers.items():
                if alone and given != key:
                    continue
                st.button(
                    words, key=f"{page.name} answer {key}", on_click=page.answer, args=(key,),
                    type="primary" if given == key else "secondary", disabled=page.revealed and given != key,
                )  # fmt: skip
            if page.revealed and page["ask"]:
                st.button("Ask again", key="ask_again", type="tertiary", on_click=page.answer, args=(None,))
            elif not page.revealed:
                st.button("Skip", key="skip", type="tertiary", on_click=page.answer, args=(UNSURE,))


def judged(page: PageSettings[Any], question: Question, truth: str) -> str:
    """What the answer was worth, for the end of the run; nothing if there was none.

    Args:
        page: Holds the answer.
        question: What was asked.
        truth: Key of the answer that the run itself has given.
    """
    said = page.guess
    if (
        said is None or said not in question.answers
    ):  # none, "skip", or an answer to another of the lesson's questions
        return ""
    if said == truth:
        return f"You were right: {_as_clause(question.answers[truth])}. "
    return f"You said: {_as_clause(question.answers[said])}. What happened: {_as_clause(question.answers[truth])}. "


def _as_clause(words: str) -> str:
    """An answer inside a sentence."""
    words = words.rstrip(".")
    return words if words[:2].isupper() or not words[1:2].islower() else words[0].lower() + words[1:]


def transport() -> Any:
    """The container for the player: it stays at the foot of the window."""
    return st.container(key="transport")


def notice(*lines: str) -> None:
    """What to notice, in three lines at most."""
    with st.container(key="notice"):
        st.html('<p class="panel-title">What to notice</p>')
        st.markdown("\n".join(f"- {line}" for line in lines[:3]))


def try_next(*links: Link) -> None:
    """Ways on, each with exactly the experiment that its label promises."""
    with st.container(key="try_next"):
        st.html('<p class="panel-title">Try next</p>')
        for link in links:
            st.page_link(
                f"pages/{link.page}.py",
                label=link.label,
                icon=":material/arrow_forward:",
                query_params=query_of(link),
            )


def closing(
    lines: tuple[str, ...], links: tuple[Link, ...], shown: tuple[PageSettings[Any], Taken] | None = None
) -> None:
    """What to notice and what to try next, side by side, and what can be taken away.

    Args:
        lines: What to notice.
        links: Ways on.
        shown: The settings of the page, and the runs that the page shows, by name, or its network; None if it shows none.
    """
    following = navigation.following(navigation.here())
    if following not in [link.page for link in links]:  # which no link names in words of its own
        links += (Link(f"Next: {LESSONS.get(following, 'Train')}", following),)
    left, right = st.columns([3, 2], gap="large")
    with left:
        notice(*lines)
    with right:
        try_next(*links)
        if shown:
            from pages.ui.takeaway import takeaway

            page, runs = shown
            takeaway.button(page.name, LESSONS[page.name], lambda: runs, st.query_params.to_dict)


def query_of(link: Link) -> dict[str, str]:
    """The address behind a link."""
    settings = link.settings.to_query() if link.settings is not None else {}
    return {**settings, **link.options, **projector.query()}


def experiment(dataset: str, **fields: Any) -> Experiment:
    """An experiment with the usual settings of a data set, but for these."""
    return replace(Experiment.default(dataset), **fields)
