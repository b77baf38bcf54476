"""Words and questions: short answers, each with an experiment that shows it."""

import streamlit as st

from gd_core.lessons.glossary import LONGEST_SEARCH, Entry, found
from gd_core.settings.fields import Field
from pages.ui.classroom import teaching
from pages.ui.lessons import path
from pages.ui.lessons.glossary import Search
from pages.ui.look import look
from pages.ui.settings import lesson
from pages.ui.settings.page_settings import PageSettings

SEARCH = Field(title="Search", help=f"One or more words, up to {LONGEST_SEARCH} characters, then Enter.")
page = PageSettings("glossary", Search(), fields={"q": SEARCH}, varies=("q",)).open()


def card(entry: Entry) -> None:
    link = lesson.Link(entry.label, entry.page, entry.settings, entry.options)
    with st.container(border=True, key=f"word_{entry.term}"):
        st.html(f"<h3>{entry.term}</h3><p>{entry.answer}</p>")
        st.page_link(
            f"pages/{entry.page}.py",
            label=entry.label,
            icon=":material/arrow_forward:",
            query_params=lesson.query_of(link),
        )


lesson.heading(
    "Words and questions", "Short answers to what students ask, with the numbers of this app’s own data."
)
if teaching.is_open():  # it has followed to a lesson that asks nothing
    with st.container(key="predict", border=True):
        teaching.without_question("glossary")
entries = found(page.settings.q)
with st.container(key="search", horizontal=True, vertical_alignment="bottom"):
    with st.container(width=360):
        page.text("q")
    if page.settings.q:
        st.button("Show all", icon=":material/close:", on_click=page.load, args=(Search(),), key="show_all")
page.complaint()
st.markdown(look.plain(page.settings.said))

with st.container(key="words"):
    for group in dict.fromkeys(entry.group for entry in entries):
        st.html(f'<h2 class="word-group">{group}</h2>')
        with st.container(key=f"words_{group}"):
            for entry in entries:
                if entry.group == group:
                    card(entry)
with st.container(key="end", border=True):
    path.summary()
    st.html(
        '<p class="panel-title">An open task</p><p>At its usual rate the noisy quadratic needs more than a million epochs to an RMSE below 1.5. Get there '
        "in as few as you can: change anything but the data. Say first what you expect, then press Train, and "
        "explain what you see. There is no one right way.</p>"
    )
    task = lesson.Link("Open the task", "train", lesson.experiment("noisy-quadratic", epochs=100))
    st.page_link(
        "pages/train.py",
        label=task.label,
        icon=":material/arrow_forward:",
        query_params=lesson.query_of(task),
    )
lesson.closing(
    (
        "Every number comes from this app’s own data. The link under it opens the run that shows it.",
        "The search looks into the answers, too.",
    ),
    (),
)
