"""Lesson: one parameter, one slope."""

import streamlit as st

from pages.ui import lesson, look
from pages.ui.desk import Desk

QUESTION = lesson.Question(
    "Where does the point go with this rate?",
    {
        "arrives": "It arrives from one side",
        "swings": "It jumps across and comes back",
        "bounces": "It bounces for ever",
        "leaves": "It flies away",
    },
)
desk = Desk(
    "one_parameter",
    lesson.experiment("one-parameter", learning_rate=0.1, epochs=40),
    only={"dataset": ("one-parameter",), "optimizer": ("gradient-descent",), "epochs": (1, 200)},
    guesses=tuple(QUESTION.answers),
).open()

lesson.heading(
    "One parameter, one slope",
    "The slope says which way is down. The learning rate says how far to go.",
    r"L(A) = (3 + 3A)^2 \qquad L'(A) = 18\,(A + 1) \qquad A \leftarrow A - \eta\,L'(A)",
)
with st.sidebar:
    desk.complaint()
    desk.text("learning_rate")
    desk.text("epochs")
    desk.text("start", label="Start A")
lesson.predict(desk, QUESTION)

with look.first_visit():
    from pages.ui import charts, player, stage, tabs
    from pages.ui.palette import palette
stage.settle()
run, known, finding = stage.played(desk.settings, trained=desk.revealed)
colours = palette(st.context.theme.type)
left, right = st.columns(2)
with left, look.clickable("curve"):
    tabs.draw(charts.parabola(run, "A", colours, 300), "parabola")
with right:
    tabs.draw(charts.error(run, colours, 300), "error")
with lesson.transport():
    player.show(
        run,
        known,
        finding,
        take=desk.take,
        play=desk.revealed,
        trained=desk.revealed,
        judged=lesson.judged(desk, QUESTION, "swings"),
    )
lesson.closing(
    (
        "The arrow is η times the slope. A flatter place makes a shorter step.",
        "The distance to −1 is multiplied by 1 − 18η in every step.",
    ),
    (
        lesson.Link("Four steps on real data", "four_steps"),
        lesson.Link("The same run on the Train page", "train", desk.settings),
    ),
)
