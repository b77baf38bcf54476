"""Lesson: the learning rate, on either side of the limit."""

from dataclasses import replace

import streamlit as st

from gd_core.settings import schedules
from gd_core.settings.catalog import DATASET_INFO, why_not_scaled
from gd_core.settings.experiment_fields import HYPERPARAMETERS, LEARNING_RATE
from gd_core.settings.fields import Choice, Number, Numbers
from gd_core.settings.rules import OPTIMIZER_INFO, LinearRule
from gd_core.words import counted
from pages.ui.look import look
from pages.ui.settings import lesson, lesson_data
from pages.ui.settings.page_settings import PageSettings
from pages.ui.train import own_table

ANSWERS = {
    "1": "Run 1",
    "2": "Run 2",
    "3": "Run 3",
    "4": "Run 4",
    "none": "None: all diverge",
}
STEEPEST = r"\lambda_{\max}\text{: curvature of the steepest direction}"
RULES = {rule: info.title for rule, info in OPTIMIZER_INFO.items() if not info.over_curvature}
LIMITS = {
    rule: rf"\qquad \eta_{{\text{{limit}}}} = {info.theory.limit}/\lambda_{{\max}} \qquad {STEEPEST}"
    if isinstance(info.theory, LinearRule)
    else ""
    for rule, info in OPTIMIZER_INFO.items()
}
OPTIONS = {
    "further": lesson.FURTHER,
    "rates": Numbers(
        default=(),
        low=LEARNING_RATE.low,
        high=LEARNING_RATE.high,
        title="Four rates η",
        at_least=4,
        at_most=4,
        or_none=True,
    ),
    "pick": Choice(default="2", choices={"1": "1", "2": "2", "3": "3", "4": "4"}, title="A press sets run"),
    "percent": Number(
        default=99.0,
        low=0.1,
        high=1000,
        title="Rate, in % of the limit",
        help="100 is exactly the limit. Between 0.1 and 1,000.",
    ),
}
FITS = own_table.at_most(10_000)
page = PageSettings(
    "learning_rate",
    lesson.experiment("noisy-quadratic", scale_features=True, learning_rate=0.1, epochs=15),
    others=(
        lesson.experiment("two-features", learning_rate=0.1, epochs=15),
        lesson.experiment("one-parameter", learning_rate=0.02, epochs=15),
        own_table.mine(own_table.trees(learning_rate=0.1, epochs=15), FITS, epochs=15),
    ),
    options=OPTIONS,
    varies=(
        *lesson_data.COLUMNS,
        *lesson_data.ROWS,
        *lesson_data.START,
        "optimizer",
        *HYPERPARAMETERS,
        "learning_rate",
        *schedules.FIELDS,
        "scale_features",
    ),
    only={
        "dataset": lesson_data.LEARNING_RATE,
        "table": FITS,
        "loss": ("mse",),
        "optimizer": tuple(RULES),
        "batch_size": (0,),
        "before": ((),),
        "epochs": (1, 1000),
    },
    guesses=tuple(ANSWERS),
    views=("learning_rate", "pick", "percent", "further"),
    resets={"rates": ("dataset", "scale_features", "optimizer")},
).open()

rule, schedule = page.settings.optimizer, page.settings.schedule.split(":")[0]
at_one_rate = schedules.is_constant(page.settings)
lesson.heading(
    "Learning rate",
    f"The same problem four times, each at a rate of its own{schedules.in_words(page.settings)}.",
    OPTIMIZER_INFO[rule].latex
    + ("" if schedule == schedules.CONSTANT else rf"\qquad {schedules.SCHEDULES[schedule].latex}")
    + (LIMITS[rule] if page.revealed else ""),
)
epochs = counted(page.settings.epochs, "epoch")
QUESTION = lesson.Question(f"Which run has the lowest RMSE after {epochs}?", ANSWERS)
TWO_FEATURES = lesson.experiment("two-features", learning_rate=0.1, epochs=15)
runs = {"these data": page.usual, "two features": TWO_FEATURES}
asked = lesson.predict(page, QUESTION, lesson.next_of(page, runs))

with look.first_visit():
    from pages.ui.lessons.learning_rate import arriving, four_rates, goldilocks
    from pages.ui.player import live_runs
live_runs.settle()
four = four_rates.of(page)
four_rates.show(page, four)
with lesson.transport():
    four_rates.transport(page, four, asked)
if page.revealed:  # both tell where the limit is
    left, right = st.columns(2, gap="large")
    with left:
        goldilocks.challenge(page)
    with right:
        goldilocks.claim(page, four)
    if more := lesson.further(page, "how to arrive with single rows"):
        with more:
            arriving.show(page)
with st.sidebar:
    page.complaint()
    page.choose(
        "dataset", {key: DATASET_INFO[key].title for key in lesson_data.LEARNING_RATE}, label="Data set"
    )
    own_table.line(page.settings)
    page.switch(
        "scale_features",
        label="Scale features",
        help="Each feature minus its mean, over its deviation.",
        disabled=why_not_scaled(page.settings.info) is not None,
    )
    page.choose("optimizer", RULES, label="Update rule")
    page.text("epochs")
    own = page.settings.schedule  # a link may have numbers of its own
    kinds = {schedules.usual(kind): info.title for kind, info in schedules.SCHEDULES.items()}
    page.choose(
        "schedule",
        kinds if own in kinds else kinds | {own: schedules.alone(page.settings)},
        label="Rate schedule",
        help="How the rate goes down while a run trains. Each of the four begins at its own η.",
    )
    page.text("warmup")
    st.button(
        "Rates from the limit again",
        help="2 % of the limit, the best below it for these epochs, just under it, 1.4 times it. Under a schedule the last is one "
        "that diverges. Without a limit: the best of those tried, a hundredth of it, 10 and 100 times it."
        if page.revealed
        else "Four rates that suit this problem.",
        on_click=page.set,
        kwargs={"rates": ()},
        disabled=not page["rates"],
        key="usual_rates",
    )
lesson.closing(
    (
        "Too small wastes epochs. A little above the limit, the run is lost."
        if at_one_rate
        else "The limit holds for the rate of each epoch. A schedule can bring a rate below it in time.",
        "With gradient descent a larger rate is better, up to the best one. Beyond the limit the error grows from epoch to epoch."
        if at_one_rate
        else "Too small still wastes epochs: a schedule only makes a rate smaller.",
        "The limit belongs to the problem. Scale the features and it moves.",
    ),
    (
        lesson.Link(
            "The lowest run on the Train page" if page.revealed else "Run 1 on the Train page",
            "train",
            replace(page.settings, learning_rate=four_rates.best_or_second(four)),
        ),
        lesson.Link("Two features", "learning_rate", TWO_FEATURES),
    ),
    (page, four_rates.by_name(four)),
)
