"""Lesson: the four steps of training, on the noisy quadratic."""

from dataclasses import replace

import streamlit as st

from gd_core.published import QUADRATIC, QUADRATIC_RMSE
from gd_core.words import significant
from pages.ui.classroom import picture
from pages.ui.look import look, projector
from pages.ui.settings import lesson, lesson_data
from pages.ui.settings.page_settings import PageSettings

ANSWERS = {
    "best": "It is the best curve",
    "near": "It is nearly the best: below 2 × its RMSE",
    "far": "It is far from the best: above 2 × its RMSE",
    "worse": "It is worse than the start",
}
EXAMPLES = {
    "As published": (QUADRATIC, "Ten epochs at 1e-5, as the article ran it."),
    "Scaled time": (
        replace(QUADRATIC, scale_features=True, learning_rate=0.2),
        "Also ten epochs, with time scaled first.",
    ),
    "Scaled, 40 epochs": (
        replace(QUADRATIC, scale_features=True, learning_rate=0.2, epochs=40),
        "The same with more patience.",
    ),
    "Five times the rate": (replace(QUADRATIC, learning_rate=5e-5, epochs=20), "20 epochs at 5e-5."),
}
page = PageSettings(
    "four_steps",
    QUADRATIC,
    options={"further": lesson.FURTHER},
    views=("further",),
    varies=(*lesson_data.ROWS, *lesson_data.START, "learning_rate", "scale_features"),
    only={
        "dataset": ("noisy-quadratic",),
        "loss": ("mse",),
        "optimizer": ("gradient-descent",),
        "batch_size": (0,),
        "before": [()],
        "epochs": (1, 60),
    },
    guesses=tuple(ANSWERS),
).open()

lesson.heading(
    "Four steps",
    "Training is a loop of four steps. The run is from an article: A. A. Awan, “Gradient Descent: Design Your First Machine "
    "Learning Model”, 2021.",
    r"\hat y = a\,t^2 + b\,t + c \qquad L = \tfrac{1}{N}\sum_i (\hat y_i - y_i)^2 \qquad \theta \leftarrow \theta - \eta\,\nabla L",
)
before, last = QUADRATIC_RMSE[-2:]
printed = f"The article’s RMSE ends at {significant(before)}, {significant(last)}, and it calls that stable. How good is this curve?"
text = printed if page.settings == QUADRATIC else "How good is the curve when the loop stops?"
QUESTION = lesson.Question(text, ANSWERS)
runs = {title: settings for title, (settings, _) in EXAMPLES.items()}
asked = lesson.predict(page, QUESTION, lesson.next_of(page, runs))

with look.first_visit():
    from gd_core.lessons import four_steps
    from pages.ui.charts.fit import panel
    from pages.ui.charts.four_steps import moment_error, moment_fit
    from pages.ui.lessons import four_steps as parts
    from pages.ui.look.palette import palette
    from pages.ui.player import live_runs, player, tabs
live_runs.settle()
run, forecast, finding = live_runs.played(page.settings, trained=page.revealed)
shown = four_steps.instants(run.recording)
said = four_steps.sentences(run.recording, parts.names_of(page.settings))
colours = palette(st.context.theme.type)
if projector.on():
    loop_place, left, middle = st.columns([3, 3, 3], gap="small")
    right = None  # the printed errors are small type
else:
    loop_place = st.container()
    left, middle, right = st.columns([4, 3, 3], gap="medium")
tall = projector.height(235, 225)
with loop_place, st.container(key="loop"):
    st.html(parts.cards(run))
with left:
    tabs.draw(moment_fit(run, shown, colours, tall), "moment_fit")
with middle:
    tabs.draw(moment_error(run, shown, colours, tall), "moment_error")
if right:
    with right:
        st.html(parts.printed_errors(run))


def judged() -> lesson.Judged:
    done, floor = live_runs.played(page.settings)[0].recording, forecast.floor_rmse
    return lesson.Judged(
        four_steps.standing(done, floor),
        lambda said: four_steps.tempting(said, done, floor),
        lambda: picture.errors({"this run": done}),
    )


asked.judge(judged)
with lesson.transport():
    ending = four_steps.of_stop(run.recording, page.settings, forecast, finding)
    player.put(
        parts.numbers(shown, said),
        said.templates,
        ending if page.revealed else "",
        take=page.take,
        play=page.revealed,
        trained=page.revealed,
        last=shown.last,
        planned=four_steps.planned(page.settings.epochs),
        complete=run.recording.complete,
        names=parts.titles(shown),
        note=lesson.waits(page),
    )
if more := lesson.further(page, "the same loop in PyTorch"):
    with more:
        st.html(parts.code(run))
look.panel_title("The article’s six panels", "data as dots, predictions as crosses, one panel an epoch")
with st.container(horizontal=True, gap="xsmall", key="panels"):
    for epoch, shown_from in parts.panels(run):
        with st.container(width=166):
            look.panel_title(f"Epoch {epoch}")
            tabs.draw(panel(run, epoch, colours, 160, shown_from), f"panel_{epoch}")
with st.sidebar:
    page.complaint()
    page.text("learning_rate")
    page.text("epochs")
    page.switch(
        "scale_features", label="Scale time first", help="Shift t to mean 0 and width 1 before t² is taken."
    )
    for number, (title, (settings, reason)) in enumerate(EXAMPLES.items()):
        st.button(
            title, key=f"example_{number}", help=reason, on_click=page.load, args=(settings,), width="stretch"
        )
lesson.closing(
    (
        "A step changes a, b and c. Only the next loss tells what it was worth.",
        "The loop stops because it has counted to the end. It never asks whether the curve is good.",
        "A small change is not a small distance: the article’s RMSE rests at 18.04, and the floor is 1.467.",
    ),
    (
        lesson.Link("Why did it stop there? Its landscape", "landscape", page.settings),
        lesson.Link("The same run on the Train page", "train", page.settings),
    ),
    (page, {"This run": run}),
)
