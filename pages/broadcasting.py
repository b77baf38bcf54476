"""Lesson: a falling loss, and a bug worth knowing. A subtraction of two shapes makes a table, and the loss falls all the same."""

from dataclasses import replace
from functools import partial

import streamlit as st

from gd_core.published import PLANE, PLANE_TABLE
from gd_core.words import short, significant
from pages.ui.classroom import picture
from pages.ui.look import look, projector
from pages.ui.settings import lesson, lesson_data
from pages.ui.settings.page_settings import PageSettings

MENDED = replace(PLANE, loss="mse")
MENDED_FAST = replace(MENDED, learning_rate=0.01)
EXAMPLES = {
    "As published": (PLANE, "1,000 epochs at 0.001, with the shape mistake."),
    "Shapes mended": (MENDED, "The same loop, with one subtraction mended."),
    "Mended, rate 0.01": (MENDED_FAST, "Also with the rate that the article sets first and then overwrites."),
    "Mistake, rate 0.01": (replace(PLANE, learning_rate=0.01), "The mistake, trained to its end."),
}
SUBTRACTIONS = {"mse-broadcast": "as published: `y_hat - y`", "mse": "mended: `y_hat - y[:, None]`"}
ANSWERS = {
    "found": "It finds the plane",
    "coming": "It is on its way to the plane",
    "wrong": "It heads for a wrong plane",
    "grows": "It gets out of hand",
}
page = PageSettings(
    "broadcasting",
    PLANE,
    varies=(*lesson_data.ROWS, *lesson_data.START, "learning_rate"),
    only={
        "dataset": ("two-features",),
        "loss": tuple(SUBTRACTIONS),
        "optimizer": ("gradient-descent",),
        "scale_features": (False,),
        "batch_size": (0,),
        "before": [()],
        "epochs": (1, 2000),
    },
    guesses=tuple(ANSWERS),
).open()

told = page.revealed or page.settings.loss == "mse"  # who has mended it knows the mistake
lesson.heading(
    "A falling loss",
    "One subtraction of two shapes makes a table. The loss falls all the same."
    if told
    else "A run from a second article, “PyTorch Gradient Descent” of Tutorial And Example. Its loss falls in every epoch.",
    r"y = 1.3\,x_1 - 1.0\,x_2 - 3.5 \qquad \hat y = w_1 x_1 + w_2 x_2 + b",
)
first, last = PLANE_TABLE[0].loss, PLANE_TABLE[-1].loss
printed = (
    f"The article’s loss falls from {significant(first, 4)} to {significant(last, 3)}. Is its model right?"
)
QUESTION = lesson.Question(
    printed if page.settings == PLANE else "Does this loop find the plane that made the data?", ANSWERS
)
runs = {title: settings for title, (settings, _) in EXAMPLES.items()}
asked = lesson.predict(page, QUESTION, lesson.next_of(page, runs))
left, middle, right = st.columns([5, 4, 4], gap="medium")
if told:
    with left:
        page.segments("loss", SUBTRACTIONS, label="The subtraction", hidden=True)

with look.first_visit():
    from gd_core.lessons import broadcasting
    from pages.ui.charts.error import error
    from pages.ui.charts.fit import agreement
    from pages.ui.charts.model import MOVED_ROWS, NEVER
    from pages.ui.charts.parameters import trace
    from pages.ui.lessons import broadcasting as parts
    from pages.ui.look.palette import palette
    from pages.ui.player import live_runs, player, tabs
live_runs.settle()
run, forecast, finding = live_runs.played(page.settings, trained=page.revealed)
colours = palette(st.context.theme.type)
tall = projector.height(235, 215)
with left, st.container(key="picture"):
    st.html(parts.picture(run) if told else parts.program(page.settings))
with middle:
    gone = " Here they leave the picture." if run.recording.diverged_at else ""
    rows = page.settings.points
    few = f" {MOVED_ROWS} of {short(rows)} rows." if rows > MOVED_ROWS else ""
    look.panel_title("Predicted and actual y", f"<br>A right prediction lies on the dashed line.{few}{gone}")
    tabs.draw(agreement(run, colours, tall), "agreement")
with right:
    st.html(parts.two_errors(run, revealed=page.revealed))
    answer_from = 0 if page.revealed else NEVER
    tabs.draw(error(run, colours, tall, answer_from, root_loss=True), "error")
for number, (place, name) in enumerate(zip(st.columns(3, gap="medium"), ("w₁", "w₂", "b"), strict=True)):
    with place:
        made_with = broadcasting.PLANE_OF_DATA[number]
        view = trace(run, number, name, "loss", colours, 165, made_with, marked=page.revealed)
        tabs.draw(view, f"trace_{number}")


def judged() -> lesson.Judged:
    done, *_ = live_runs.played(page.settings)
    truth = broadcasting.standing(done.recording, page.settings, done.problem, done.curvature)
    drawn = partial(picture.errors, {"this run": done.recording})
    return lesson.Judged(truth, lambda said: broadcasting.tempting(said, truth), drawn)


asked.judge(judged)
with lesson.transport():
    player.show(
        run,
        forecast,
        finding,
        take=page.take,
        play=page.revealed,
        trained=page.revealed,
        summary=broadcasting.of_run(run.recording, page.settings, run.problem, run.curvature),
        extra=parts.ones(run),
        note=lesson.waits(page),
        more_sums=parts.sums(run),
    )
if page.revealed:
    lower, beside = st.columns([3, 2], gap="large")
    with lower:
        look.panel_title("What the article printed", "and this run beneath it")
        st.html(parts.printed_table(run))
    with beside:
        st.html(parts.printed_predictions(run))
        st.html(parts.signs(run))
        st.html(parts.loop(page.settings))
mistaken = page.settings.loss == "mse-broadcast"
other = replace(page.settings, loss="mse" if mistaken else "mse-broadcast")
with st.sidebar:
    page.complaint()
    page.text("learning_rate")
    page.text("epochs")
    for number, (title, (settings, reason)) in enumerate(EXAMPLES.items() if told else ()):
        st.button(
            title, key=f"example_{number}", help=reason, on_click=page.load, args=(settings,), width="stretch"
        )
lesson.closing(
    (
        f"Every prediction is compared with every target, so the best it can do is their mean, {parts.mean_of(run)}, for every row.",
        "A loss that falls proves that something is minimised. Look at predictions beside targets, too.",
        "With matching shapes both lines of the error are one. In PyTorch, print the shapes before you subtract.",
    ),
    (
        lesson.Link("This run on the Train page", "train", page.settings),
        lesson.Link(
            "The same run, mended, on the Train page"
            if mistaken
            else "The same run with the mistake, on the Train page",
            "train",
            other,
        ),
    )[: 2 if told else 1],
    (page, {"This run": run}),
)
