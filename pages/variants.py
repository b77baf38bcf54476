"""Lesson: batches and update rules race from one start."""

from functools import partial
from typing import Any

import streamlit as st

from gd_core.lessons.variants.racers import IN_BATCHES, RACERS, TITLES, UNITS, USUAL
from gd_core.settings.catalog import DATASET_INFO
from gd_core.settings.experiment_fields import LEARNING_RATE
from gd_core.settings.fields import AutoNumber, Choice, Flag, Several
from pages.ui.look import look, projector
from pages.ui.settings import lesson, lesson_data
from pages.ui.settings.page_settings import PageSettings
from pages.ui.train import own_table

NONE = {"none": "None of them"}
UNIT_WORDS = {"epoch": "epochs", "update": "updates", "row": "rows seen"}
OUTCOMES = {key: f"The first is {title}" for key, title in TITLES.items()} | {
    "none": "None of them gets there"
}
*OTHERS, LAST = (TITLES[rule] for rule in IN_BATCHES)
RULE = "auto, or a rate of your own."
FITS = own_table.at_most(100)
# from the flat line y = 20 there is a way to go along the valley as well as across
COMMON = {"start": (0.0, 0.0, 20.0), "batch_size": 5, "epochs": 100}
QUADRATIC = lesson.experiment("noisy-quadratic", scale_features=True, learning_rate=0.04044, **COMMON)
TOO_FAST = lesson.experiment("noisy-quadratic", scale_features=True, learning_rate=0.5, **COMMON)
ARRIVES = lesson.experiment("noisy-quadratic", scale_features=True, learning_rate=0.3, **COMMON)
NOT_SCALED = lesson.experiment("noisy-quadratic", learning_rate=3.54e-6, **COMMON)
PLANE = lesson.experiment("two-features", points=40, noise=0.5, learning_rate=0.07, batch_size=5, epochs=60)
TABLE = {"batch_size": 5, "epochs": 60}


def of_the_published(one: Any) -> str | None:
    """How many rows a race with single rows can take."""
    rule = "points must be between 20 and 40 in this lesson."
    return None if 20 <= one.points <= 40 else f"{rule} Got {one.points}."


page = PageSettings(
    "variants",
    QUADRATIC,
    others=(PLANE, own_table.mine(own_table.trees(learning_rate=0.3, **TABLE), FITS, **TABLE)),
    options={
        "racers": Several(default=USUAL, choices=TITLES, title="Racers"),
        "unit": Choice(default="epoch", choices=UNITS, title="Count in"),
        "small_batches": Flag(
            default=False,
            title="Rules take mini-batches",
            help=f"Off: {', '.join(OTHERS)} and {LAST} take all rows, so only the rule differs.",
        ),
        "target_rmse": AutoNumber(  # not the target column of a table
            low=1e-12,
            high=1e6,
            title="Target RMSE",
            help="auto: a twentieth of the way from the floor to the start is left.",
        ),
        **{
            f"rate_{key}": AutoNumber(low=LEARNING_RATE.low, high=LEARNING_RATE.high, title=title, help=RULE)
            for key, title in TITLES.items()
            if key != "batch"
        },
    },
    varies=(*lesson_data.COLUMNS, *lesson_data.ROWS, *lesson_data.START, "momentum", "scale_features"),
    only={
        "dataset": lesson_data.VARIANTS,
        "loss": ("mse",),
        "optimizer": ("gradient-descent",),
        "table": FITS,
        "points": lambda one: None if one.dataset == "table" else of_the_published(one),
        "batch_size": (2, 20),
        "epochs": (1, 150),
        "learning_rate": (1e-9, 100),
        "alpha": (0.99,),
        "beta1": (0.9,),
        "beta2": (0.999,),
        "epsilon": (1e-8,),
        "weight_decay": (0.01,),
        "before": ((),),
    },
    guesses=(*RACERS, "none"),
).open()
EXAMPLES = {
    "Sizes of batch": (QUADRATIC, {"racers": ("batch", "mini-batch", "stochastic")}),
    "Rules only": (QUADRATIC, {"racers": ("batch", *IN_BATCHES)}),
    "Newton’s step": (QUADRATIC, {"racers": ("batch", "stochastic", "adam", "newton")}),
    "Single rows, decaying rate": (ARRIVES, {"racers": ("batch", "stochastic", "decaying")}),
    "Rate above the limit": (TOO_FAST, {}),
    "Not scaled": (NOT_SCALED, {}),
}
AS_AT_FIRST = {"racers": USUAL, "small_batches": False, "target_rmse": None} | {
    f"rate_{key}": None for key in RACERS if key != "batch"
}

lesson.heading(
    "Variants",
    "Batch sizes and update rules race from one start. Who is first depends on what you count.",
)
racers, unit = page["racers"], page["unit"]
QUESTION = lesson.Question(
    f"Which of these reaches the target first, counted in {UNIT_WORDS[unit]}?",
    {key: TITLES[key] for key in racers} | NONE,
    OUTCOMES,
)
following = {"epoch": "update", "update": "row", "row": "epoch"}[unit]
other_unit = lesson.Then(f"counted in {UNIT_WORDS[following]}", page.settings, {"unit": following})
asked = lesson.predict(page, QUESTION, other_unit)

with look.first_visit():
    from pages.ui.charts.variants import race_errors, race_map
    from pages.ui.lessons import variants as parts
    from pages.ui.look.palette import palette
    from pages.ui.player import live_runs, tabs
live_runs.settle()
finished, problem, curvature = parts.runs(page)
colours = palette(st.context.theme.type)
plane, names = parts.axes(page.settings)
tall = projector.height(310, 192)
if page.revealed or not projector.on():
    st.html(parts.legend(finished, colours))
left, right = st.columns(2)
with left:
    with st.container(horizontal=True, vertical_alignment="center", key="race_map_head"):
        look.panel_title("Landscape", parts.slice_note(plane, names) + "; click to set the start")
    with look.clickable("race"):
        tabs.draw(race_map(finished, problem, curvature, unit, plane, names, colours, tall), "race_map")
with right:
    with st.container(horizontal=True, vertical_alignment="center", key="race_error_head"):
        look.panel_title("Error, counted in")
        page.segments("unit", hidden=True)
    tabs.draw(race_errors(finished, unit, colours, tall), "race_errors")
with lesson.transport():
    asked.judge(lambda: parts.judged(page, finished, unit))
    parts.transport(finished, unit, page)
st.html(parts.results_table(finished, unit, colours, page.revealed))
st.caption(parts.HOW)
with st.container(horizontal=True, vertical_alignment="center", key="race_links"):
    st.markdown("One of them alone, on the Train page:")
    for one in finished.results:
        st.page_link(
            "pages/train.py",
            label=one.entry.title,
            query_params=lesson.query_of(lesson.Link("", "train", one.entry.experiment)),
        )
with st.sidebar:
    page.complaint()
    page.segments("racers")
    page.choose("dataset", {key: DATASET_INFO[key].title for key in lesson_data.VARIANTS}, label="Data set")
    own_table.line(page.settings)
    page.switch("scale_features", label="Scale features")
    page.switch("small_batches")
    left, right = st.columns(2)
    with left:
        page.text(
            "learning_rate",
            label="Batch’s rate η",
            help="Who has a limit too takes the same share of its own.",
        )
        page.text("batch_size", label="Mini-batch size")
    with right:
        page.text("epochs")
        page.text("target_rmse")
    others = st.expander("Rates of the others, start, seed", key="others", on_change="rerun")
    if others.open:
        with others:
            columns = st.columns(2)
            for number, key in enumerate(key for key in RACERS if key != "batch"):
                with columns[number % 2]:
                    page.text(f"rate_{key}")
            with columns[1]:
                page.text("momentum", label="Momentum β")
            page.text("start", label=f"Start ({', '.join(page.settings.info.parameters)})")
            page.text("seed")
    with st.container(key="examples"):
        st.markdown("Examples")
        for name, (settings, options) in EXAMPLES.items():
            st.button(
                name,
                key=f"example_{name}",
                on_click=partial(page.load, settings, **(AS_AT_FIRST | options)),
                width="stretch",
            )
lesson.closing(
    (
        "Count in rows: small batches have taken many steps before batch has taken one.",
        "Count in updates: a step of a large batch is right for more rows, and has cost more of them.",
        "Momentum and Nesterov gain where it is flat, because steps one way add up.",
    ),
    (
        lesson.Link("Sizes of batch, counted in updates", "variants", QUADRATIC, {"racers": "batch,mini-batch,stochastic", "unit": "update"}),
    ),
    (page, parts.by_name(finished, problem, curvature)),
)  # fmt: skip
