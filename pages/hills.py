"""Lesson: a loss with hills, saddles and many valleys."""

from functools import partial

import streamlit as st

from gd_core.settings.engines import SHORT_UPDATES
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import Flag
from gd_core.words import counted, short
from pages.ui.look import current_charts, look, projector
from pages.ui.settings import lesson, lesson_data
from pages.ui.settings.page_settings import NUMBERS, PageSettings

LARGE = 230  # pixels of a chart on a projector
ANSWERS = {
    "lowest": "In the lowest valley that is known",
    "higher": "In a higher valley",
    "saddle": "On a top or a saddle",
    "none": "In none: it jumps from valley to valley",
}
RULES = {"gradient-descent": "Gradient descent", "momentum": "Momentum"}
HERE = lesson.experiment("tide", start=(9.0, 0.0), epochs=400)
ASIDE = lesson.experiment("tide", start=(12.0, -2.0), epochs=400)
AT_ZERO = lesson.experiment("dose", start=(0.0,) * 6, epochs=100)
EXAMPLES = {
    "From here": (HERE, "It starts between two valleys."),
    "A second start": (lesson.experiment("tide", start=(11.0, 0.0), epochs=400), "Two to the right of the first."),
    "From the top": (
        lesson.experiment("tide", start=(11.92, -2.33), epochs=400),
        "A hair beside the highest place of the map.",
    ),
    "Aside of the top": (ASIDE, "Some way down from it."),
    "The same with momentum": (
        lesson.experiment("tide", start=(12.0, -2.0), epochs=400, optimizer="momentum", momentum=0.9),
        "The same start and rate, and a velocity that is remembered.",
    ),
    "By single rows": (
        lesson.experiment("tide", start=(9.0, 0.0), epochs=40, batch_size=1, learning_rate=0.05),
        "The first start again. Each step follows one row, not all 49.",
    ),
}  # fmt: skip
WHY = r"""
Where all slopes are 0, the curvatures tell what kind of place it is: the eigenvalues of the Hessian **there**. All positive:
the lowest point of a valley. All negative: a top. Some of both: a saddle, uphill along some directions and downhill along
others. On a top or a saddle nothing moves; a hair beside it, the way along a curvature $\lambda < 0$ is multiplied by
$1 - \eta\lambda > 1$ in each step, and the run is gone.

**In many dimensions saddles are commoner than bad minima.** A lowest point needs every curvature to be positive.
"""
SOURCE = (
    "In a random loss of many parameters nearly all level places above a certain height are saddles (A. J. Bray and D. S. Dean, "
    "“Statistics of critical points of Gaussian fields on large-dimensional spaces”, Physical Review Letters 98, 2007). In small "
    "networks the same was found (Y. Dauphin and others, “Identifying and attacking the saddle point problem in "
    "high-dimensional non-convex optimization”, NeurIPS 2014). A network’s curvatures are no random ones: nobody has proved "
    "it of all."
)


def of_its_updates(one: Experiment) -> str | None:
    """For how many updates there is the time."""
    updates = one.epochs * one.updates_per_epoch
    rule = f"batch_size must leave at most {SHORT_UPDATES:,} updates in this lesson."
    return f"{rule} Got {one.batch_size}, which makes {updates:,}." if updates > SHORT_UPDATES else None


page = PageSettings(
    "hills",
    HERE,
    options={
        "further": lesson.FURTHER,
        "relief": Flag(default=False, title="In relief"),
        "ends": Flag(default=False, title="Where starts end"),
    },
    varies=(*lesson_data.ROWS, "seed", "engine", "learning_rate", "momentum", "shuffle"),
    only={
        "dataset": lesson_data.HILLS,
        "loss": ("mse",),
        "optimizer": tuple(RULES),
        "before": ((),),
        "start": NUMBERS,
        "points": (3, 200),
        "epochs": (1, 1000),
        "batch_size": of_its_updates,
    },
    guesses=tuple(ANSWERS),
    views=("further", "relief", "ends"),
).open()
run_of = page.settings


def start_of() -> str:
    """Where the run starts, for the question."""
    assert isinstance(run_of.start, tuple)  # as `only` has it
    return ", ".join(
        f"{name} = {short(value, 6)}"
        for name, value in zip(run_of.info.parameters, run_of.start, strict=True)
    )


def how() -> str:
    """How the run goes down, for the question."""
    by = (
        "by gradient descent"
        if run_of.optimizer == "gradient-descent"
        else f"with momentum {short(run_of.momentum)}"
    )
    if run_of.updates_per_epoch == 1:
        return by
    rows = run_of.rows_per_update
    return f"{by}, by single rows" if rows == 1 else f"{by}, in batches of {counted(rows, 'row')}"  # fmt: skip


lesson.heading(
    "Hills and saddles",
    "A wave is fitted to the tide. Its loss has several valleys, and a run feels only the slope where it is.",
    r"\hat y = 1.8\,\sin(\omega t + \varphi)",
)
QUESTION = lesson.Question(f"From {start_of()} {how()}: where will the run end?", ANSWERS)
runs = {label: one for label, (one, _) in EXAMPLES.items()}
asked = lesson.predict(page, QUESTION, lesson.next_of(page, runs))

with look.first_visit():
    from pages.ui.charts.error import error
    from pages.ui.charts.fit import fit
    from pages.ui.charts.loss_map import terrain
    from pages.ui.classroom import picture
    from pages.ui.lessons import hills as parts
    from pages.ui.look.palette import palette
    from pages.ui.player import live_runs, player, tabs
live_runs.settle()
run, finding = live_runs.to_its_end(run_of, trained=page.revealed)
colours = palette(st.context.theme.type)
seen = parts.seen_of(run)


def take_start() -> None:
    if picked := player.clicked():
        page.set(start=parts.clicked_at(seen, picked))


def start_in(place: tuple[float, float]) -> None:
    page.set(start=parts.start_at(place))


if projector.on():
    left, middle, right = st.columns([5, 4, 4], gap="small")
else:
    left, right = st.columns([6, 5], gap="medium")
    middle = right
with left:
    look.panel_title("Landscape", "○ start, <b>●</b> run; click to set the start")
    with look.clickable("map"):
        view = terrain(run, seen, (0, 1), run_of.info.parameters, colours, projector.height(390, LARGE))
        tabs.draw(view, "landscape")
with middle:
    look.panel_title("Data and fit")
    tabs.draw(fit(run, colours, projector.height(165, LARGE)), "fit")
with right:
    look.panel_title("Error by epoch")
    tabs.draw(error(run, colours, projector.height(165, LARGE)), "error")
in_relief = page.draw(st.expander, "relief", "In relief")
if page["relief"]:  # closed, nothing of it is sent
    with in_relief:
        tabs.in_relief(run, colours, (0, 1))
in_ends = page.draw(st.expander, "ends", "Where do other starts end?")
coming = False
if page["ends"]:
    with in_ends:
        if page.revealed:
            coming = tabs.where_starts_end(run, colours, (0, 1), start_in)
        else:
            st.markdown("That comes with the answer.")


def judged() -> lesson.Judged:
    done, _ = live_runs.to_its_end(run_of)
    found = parts.found_of(done)
    drawn = partial(picture.errors, {"this run": done.recording})
    return lesson.Judged(found.ending, partial(parts.tempting, found), drawn)


asked.judge(judged)
with lesson.transport():
    player.show(
        run,
        None,
        finding,
        take=page.take,
        play=page.revealed,
        trained=page.revealed,
        summary=parts.summary(run, finding) if page.revealed else "",
        note=lesson.waits(page),
        on_click=take_start,
    )
if more := lesson.further(page, "why saddles are common, and what curves here"):
    with more:
        st.markdown(WHY)
        st.html(parts.upwards_table())
        st.caption(SOURCE)
        st.markdown(parts.of_zero(AT_ZERO))
        lesson.way_to(lesson.Link("This network from 0, on the Train page", "train", AT_ZERO))
        if page.revealed:
            look.panel_title("Where this run has ended")
            tabs.facts_here(parts.found_of(run).here)
with st.sidebar:
    page.complaint()
    page.text(
        "start",
        label=f"Start at {', '.join(run_of.info.parameters)}",
        help="Two numbers. A click on the map sets them too.",
    )
    page.text("learning_rate")
    page.choose("optimizer", RULES, label="Update rule")
    if run_of.optimizer == "momentum":
        page.text("momentum", label="Momentum β")
    page.text("batch_size", label="Rows in each step", help="0 takes all rows; 1 takes single rows.")
    page.text("epochs", help="How often it goes through all rows.")
    with st.container(key="examples"):
        st.markdown("Runs to try")
        for name, (settings, reason) in EXAMPLES.items():
            st.button(
                name,
                key=f"example_{name}",
                help=reason,
                on_click=page.load,
                args=(settings,),
                width="stretch",
            )
lesson.closing(
    (
        "A run knows only the slope where it is. Its start decides the valley; momentum and single rows may carry it out of "
        "one, also out of the lowest. So: start often, keep the best. That none is lower, nobody has proved.",
        "On a top and on a saddle the slope is 0 too: a run that starts just there stays. A hair beside it each step is longer "
        "than the last, and the run is gone.",
        "Hills come from model and loss, not from the data. Fit a·sin(12.1 t) + b·cos(12.1 t) to the same heights, with ω known, "
        "and the loss is a bowl.",
    ),
    (
        lesson.Link("The same run on the Train page", "train", run_of),
        lesson.Link("A loss that is a bowl: Landscape", "landscape"),
    ),
    (page, {"This run": run}),
)
if coming and not current_charts.being_taken():
    st.rerun()  # one more slice of the map of starts
