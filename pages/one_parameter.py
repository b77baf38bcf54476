"""Lesson: one parameter, one slope."""

from dataclasses import replace
from functools import partial

import streamlit as st

from gd_core.settings.fields import shown
from pages.ui.lessons import one_parameter_seen_rates as seen_rates
from pages.ui.look import look, projector
from pages.ui.settings import lesson
from pages.ui.settings.page_settings import NUMBERS, PageSettings

TALL, LARGE = 375, 228  # pixels; the second on a projector
EXAMPLES = {0.01: "creeps", 1 / 18: "one step", 0.1: "overshoots", 1 / 9: "bounces", 0.12: "diverges"}
QUESTION = lesson.Question(
    "What will the point do with this rate?",
    {
        "closer": "It comes closer from one side",
        "lands": "One step lands on −1",
        "across": "It jumps across and comes closer",
        "bounces": "It bounces for ever",
        "leaves": "It flies away",
        "stays": "It stays where it is",
    },
)
page = PageSettings(
    "one_parameter",
    lesson.experiment("one-parameter", learning_rate=0.1, epochs=40, start=(2.0,)),
    varies=("learning_rate", "batch_size", "seed", "engine"),
    only={
        "dataset": ("one-parameter",),
        "optimizer": ("gradient-descent",),
        "loss": ("mse",),
        "before": ((),),
        "epochs": (1, 200),
        "start": NUMBERS,
    },
    guesses=tuple(QUESTION.answers),
).open()


def take_rate(rate: float) -> None:
    page.set(learning_rate=rate)
    page.answer(None)


lesson.heading(
    "One parameter, one slope",
    "The loss L says how wrong the number A is. Its slope says which way is down, the learning rate η how far to go.",
    r"L(A) = (3 + 3A)^2 \qquad L'(A) = 18\,(A + 1) \qquad A \leftarrow A - \eta\,L'(A)",
)
runs = {f"η = {shown(rate)}": replace(page.settings, learning_rate=rate) for rate in EXAMPLES}
asked = lesson.predict(page, QUESTION, lesson.next_of(page, runs))

with look.first_visit():
    from gd_core.lessons.one_parameter import behaviour
    from pages.ui.charts.one_parameter import tangent, value_at
    from pages.ui.lessons import one_parameter as parts
    from pages.ui.look.palette import palette
    from pages.ui.player import live_runs, player, tabs
live_runs.settle()
run, forecast, finding = live_runs.played(page.settings, trained=page.revealed)
truth = behaviour.behaviour_of(run.recording)


def take_start() -> None:
    if picked := player.clicked():
        page.set(start=(value_at(run, picked.x),))


left, right = st.columns(2, gap="medium")
with left, look.clickable("curve"):
    tabs.draw(tangent(run, "A", palette(st.context.theme.type), projector.height(TALL, LARGE)), "curve")
with right, st.container(key="slope", gap="small"):
    st.html(parts.factor_card(page.settings, revealed=page.revealed))
    st.html(parts.step_line(page.settings))
    st.html(parts.spreadsheet(run, revealed=page.revealed))
    st.download_button(
        "Spreadsheet with live formulas (.xlsx)", partial(parts.workbook, page.settings), "one_parameter.xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", key="spreadsheet",
        icon=":material/download:", on_click="ignore", disabled=not page.revealed,
        help="Change η or the start in it, and every row is computed anew.",
    )  # fmt: skip


def judged() -> lesson.Judged:
    done = live_runs.played(page.settings)[0].recording
    happened = behaviour.behaviour_of(done)
    return lesson.Judged(
        happened,
        lambda said: behaviour.tempting(behaviour.Behaviour(said), happened, done),
        lambda: parts.drawn(done),
    )


asked.judge(judged)
with lesson.transport():
    player.show(
        run,
        forecast,
        finding,
        take=page.take,
        play=page.revealed,
        trained=page.revealed,
        summary=behaviour.of_run(run.recording, page.settings.learning_rate, truth),
        said=behaviour.of_steps(run.recording),
        extra=parts.columns(run),
        note=lesson.waits(page),
        on_click=take_start,
    )
with st.sidebar:
    page.complaint()
    page.text("learning_rate", help="How long a step is: η times the slope. Type it as 0.1, 1e-2 or 1/18.")
    page.text("start", label="Start A", help="A number. A click on the curve sets it too.")
    page.text(
        "epochs", help="How many steps. The data are one row, so an epoch is one step. Between 1 and 200."
    )
    # a name would give the answer away, so it is read once its run has been seen
    seen = seen_rates.seen()
    if page.revealed:
        seen.add(page.settings.learning_rate)
    with st.container(key="rates", gap="xsmall"):
        st.html('<p class="panel-title">Rates to try</p>')
        for rate, name in EXAMPLES.items():
            told = rate in seen or not page["ask"]
            st.button(
                f"η = {shown(rate)}" + (f": {name}" if told else ""), key=f"rate {name}", width="stretch",
                on_click=take_rate, args=(rate,),
            )  # fmt: skip
lesson.closing(
    (
        "The arrow is η times the slope. Where the curve is flatter, the same rate makes a shorter step.",
        "The sign of 1 − 18η says on which side of −1 a step lands, its size how far away.",
        "18 is how fast the slope changes. Where it changes faster, the rate must be smaller.",
    ),
    (
        lesson.Link(
            "Just above 1/9: η = 0.112 for 100 epochs",
            "one_parameter",
            replace(page.settings, learning_rate=0.112, epochs=100),
        ),
        lesson.Link("The same run on the Train page", "train", page.settings),
    ),
    (page, {"This run": run}),
)
