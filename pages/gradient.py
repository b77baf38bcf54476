"""Lesson: the gradient, row by row."""

from functools import partial

import streamlit as st

from gd_core.settings.catalog import DATASET_INFO
from gd_core.settings.fields import Choice, Number
from pages.ui.classroom import picture
from pages.ui.look import look, projector
from pages.ui.settings import lesson, lesson_data
from pages.ui.settings.page_settings import PageSettings

MOST_ROWS = 60  # every row is drawn as a bar, so that one sees their mean
QUESTION = lesson.Question(
    "How will the bars stand at the end of this run?",
    {
        "vanish": "They all shrink to nothing",
        "cancel": "They stay, but cancel: mean 0",
        "still": "Their mean is not 0 yet",
        "grow": "They grow longer",
    },
)
ROWS = {"points": 20, "noise": 3.0, "start": (2.0, 1.0, 0.0), "learning_rate": 0.1, "epochs": 40}
EXAMPLES = {
    "Noise": lesson.experiment("two-features", **ROWS),
    "No noise": lesson.experiment("two-features", **ROWS | {"noise": 0.0}),
    "Small rate": lesson.experiment("two-features", **ROWS | {"learning_rate": 0.005}),
    "Large rate": lesson.experiment("two-features", **ROWS | {"learning_rate": 0.7}),
}
page = PageSettings(
    "gradient",
    EXAMPLES["Noise"],
    others=(
        lesson.experiment("noisy-quadratic", start=(0.0, 0.0, 0.0), learning_rate=1e-5, epochs=40),
        lesson.experiment("one-parameter", start=(2.0,), learning_rate=0.05, epochs=20),
    ),
    options={
        "further": lesson.FURTHER,
        "row": Number(
            default=15,
            low=1,
            high=MOST_ROWS,
            title="Row i",
            whole=True,
            help="Whose contribution is written out. A click on a bar chooses it too.",
        ),
        "parameter": Choice(
            default="1",
            choices={"1": "1", "2": "2", "3": "3"},
            title="Slope for",
            help="The parameter that the step size h is tried on, and that the player speaks of.",
        ),
        "h": Number(
            default=1e-5,
            low=1e-300,
            high=1.0,
            title="Step size h",
            help="How far the finite difference steps aside: from 1e-300 to 1. A click on its chart sets it too.",
        ),
        "kind": Choice(
            default="forward",
            choices={"forward": "Forward", "central": "Central"},
            title="Finite difference",
            help="Forward goes from θ to θ + h, central from θ − h to θ + h.",
        ),
    },
    views=("row", "parameter", "h", "kind", "further"),
    varies=(*lesson_data.ROWS, *lesson_data.START, "learning_rate"),
    only={
        "dataset": lesson_data.GRADIENT,
        "points": (1, MOST_ROWS),
        "epochs": (1, 200),
        "optimizer": ("gradient-descent",),
        "loss": ("mse",),
        "batch_size": (0,),
        "scale_features": (False,),
        "before": ((),),
    },
    guesses=tuple(QUESTION.answers),
).open()
info = page.settings.info
if page.held.followed and (page["h"], page["kind"]) != (1e-5, "forward"):  # a link about what stands in there
    page.held.options["further"] = True

lesson.heading(
    "The gradient",
    "Every row pulls at every parameter. The gradient of the loss L is the mean of these pulls.",
    r"\frac{\partial L_i}{\partial w} = 2(\hat y_i - y_i)\,x_i \qquad \frac{\partial L_i}{\partial b} = 2(\hat y_i - y_i)"
    r" \qquad \frac{\partial L}{\partial w} = \frac1N \sum_i \frac{\partial L_i}{\partial w}"
    r" \qquad \frac{\partial L}{\partial b} = \frac1N \sum_i \frac{\partial L_i}{\partial b}",
)
asked = lesson.predict(page, QUESTION, lesson.next_of(page, EXAMPLES))

with look.first_visit():
    from pages.ui.charts import gradient as pictures
    from pages.ui.lessons import gradient as parts
    from pages.ui.look.palette import palette
    from pages.ui.player import live_runs, player, tabs
live_runs.settle()
run, forecast, finding = live_runs.played(page.settings, trained=page.revealed)
colours = palette(st.context.theme.type)
row = parts.row_of(page["row"], run)
about = parts.parameter_of(page["parameter"], run)


def clicked() -> None:
    """A click on a bar chooses its row, one on the chart of step sizes chooses h."""
    click = player.clicked()
    if click and click.plot == "steps":
        page.set(h=pictures.step_at(click.x))
    elif click:
        page.set(row=pictures.row_at(click.x, page.settings.training_rows))


for number, place in enumerate(st.columns(len(info.parameters), gap="medium")):
    with place:
        look.panel_title(*parts.bar_title(run, number))
        with look.clickable(f"bars_{number}"):
            tabs.draw(pictures.bars(run, number, row, colours, projector.height(195, 222)), f"bars_{number}")
look.panel_title(*parts.row_title(run, row))
st.html(parts.written_out(run, row))
if more := lesson.further(page, "how a computer finds a slope, and what rounding does to it"):
    with more:
        left, middle, right = st.columns([5, 10, 9], gap="medium")
        with left:
            page.text("h")
            page.segments("kind")
        with middle:
            look.panel_title(
                "The same gradient by three ways", f"{page['kind']}, h = {parts.short(page['h'])}"
            )
            st.html(parts.three_ways(run))
            st.caption(
                "h too big: the chord is not the tangent. h too small: the losses agree in all digits. Autograd has no h."
            )
        with right:
            trial = parts.trial(run, about, page["kind"], page["h"])
            look.panel_title(f"How far off for {info.parameters[about]}, over h", "at the start")
            with look.clickable("steps"):
                tabs.draw(pictures.steps(run, about, trial, colours, 185), "steps")
            st.html(f'<p class="said-of-h">{parts.said_of(trial, info.parameters[about])}</p>')


def judged() -> lesson.Judged:
    done, *_ = live_runs.played(page.settings)
    drawn = partial(picture.errors, {"this run": done.recording})
    return lesson.Judged(parts.truth(done), lambda said: parts.tempting(said, done), drawn)


asked.judge(judged)
with lesson.transport():
    player.show(
        run,
        forecast,
        finding,
        take=page.take,
        play=page.revealed,
        trained=page.revealed,
        summary=parts.summary(run, forecast, finding),
        said=parts.steps_said(run, about),
        more_sums=parts.totals(run),
        extra=parts.columns(run, row, (page["kind"], page["h"]) if page["further"] else None),
        note=lesson.waits(page),
        on_click=clicked,
    )
with st.sidebar:
    page.complaint()
    with st.container(key="cases"):
        places = [*st.columns(2, gap="small"), *st.columns(2, gap="small")]
        for place, (name, experiment) in zip(places, EXAMPLES.items(), strict=True):
            with place:
                st.button(name, key=f"case {name}", width="stretch", on_click=page.load, args=(experiment,))
    page.choose("dataset", {key: DATASET_INFO[key].title for key in lesson_data.GRADIENT}, label="Data set")
    if info.knobs:
        left, right = st.columns(2, gap="small")
        with left:
            page.text("points", label="Rows N")
        with right:
            page.text("noise")
    page.text(
        "start",
        label=f"Start at {', '.join(info.parameters)}",
        help="A number for each, with commas between; or a word: published, random.",
    )
    left, right = st.columns(2, gap="small")
    with left:
        page.text("learning_rate", label="Rate η")
        page.text("row")
    with right:
        page.text("epochs")
    if len(info.parameters) > 1:
        page.segments("parameter", dict(zip("123", info.parameters, strict=True)))
lesson.closing(
    (
        "A row far from the curve pulls hard. So does one with a large x, whose lever is long.",
        "With noise the bars never vanish. At the optimum they cancel: their mean is 0.",
        "Each step goes against the mean, times η. Where the mean is 0, nothing moves any more.",
    ),
    (
        lesson.Link("The published curve: t² has the longest lever", "gradient", page.others[0]),
        lesson.Link("The same run on the Train page", "train", page.settings),
    ),
    (page, {"This run": run}),
)
