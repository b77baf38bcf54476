"""Lesson: the loss as a landscape with a narrow valley."""

import streamlit as st

from gd_core.settings.catalog import DATASET_INFO
from gd_core.settings.fields import Choice, Flag
from pages.ui.lessons.landscape import scaling, starts
from pages.ui.look import look, projector
from pages.ui.settings import lesson, lesson_data
from pages.ui.settings.page_settings import PageSettings
from pages.ui.train import own_table

FITS = own_table.at_most(1000, 3)
ONE = lesson.Question(
    "Which direction will still hold most of the gap to the lowest loss at the end?",
    {
        "flat": "The flattest",
        "middle": "The middle one",
        "steep": "The steepest",
        "none": "None: all arrive",
    },
)
OF_THE_FIRST = ONE._replace(
    text="From start 1, which direction will still hold most of the gap to the lowest loss at the end?"
)
BOTH = lesson.Question(
    "Same start, same share of the limit. Which run ends closer to the lowest loss?",
    {
        "without": "Without scaling",
        "scaled": "With scaled features",
        "same": "Both about the same",
        "none": "Neither: both move away",
    },
)
OPTIONS = {
    "compare": scaling.COMPARE,
    "further": lesson.FURTHER,
    "relief": Flag(default=False, title="In relief"),
    "axes": Choice(
        default="1,2",
        choices={"1,2": "1, 2", "1,3": "1, 3", "2,3": "2, 3", "valley": "flat × steep"},
        title="Axes",
    ),
    "slice": Choice(
        default="run",
        choices={"run": "follows the run", "optimum": "optimum"},
        title="Third parameter",
        help="The map has two axes. Its level lines are those of a slice: the third parameter is where the run is, "
        "or at the optimum.",
    ),
    "arrows": Choice(
        default="off",
        choices={"off": "off", "unit": "direction", "log": "log length"},
        title="Arrows −∇L",
    ),
    "more": starts.MORE,
    "click": starts.CLICK,
}
WHY = r"""
The directions are the eigenvectors of the Hessian, the matrix of second derivatives: along each of them the loss is a
parabola of its own, with the eigenvalue $\lambda_i$ as its curvature. So along each the error $e_i$ goes its own way, as
in lesson 1:

$$e_i \leftarrow (1 - \eta\lambda_i)\,e_i \qquad L - L^* = \textstyle\sum_i \tfrac12\lambda_i e_i^2
\qquad \kappa = \lambda_{\text{steepest}} / \lambda_{\text{flattest}}$$

The condition number $\kappa$ says how narrow the valley is.
"""
page = PageSettings(
    "landscape",
    lesson.experiment("noisy-quadratic", learning_rate=1e-5, epochs=100),
    others=(
        lesson.experiment("two-features", learning_rate=0.1, epochs=40),
        own_table.mine(own_table.trees(learning_rate=0.05, epochs=40), FITS, epochs=100),
    ),
    options=OPTIONS,
    varies=(*lesson_data.COLUMNS, *lesson_data.ROWS, *lesson_data.START, "learning_rate", "scale_features"),
    only={
        "dataset": lesson_data.LANDSCAPE,
        "table": FITS,
        "loss": ("mse",),
        "optimizer": ("gradient-descent",),
        "batch_size": (0,),
        "before": ((),),
        "points": (3, 1000),
        "epochs": (1, 2000),
    },
    guesses=tuple(dict.fromkeys((*ONE.answers, *BOTH.answers))),
    views=("axes", "slice", "arrows", "more", "click", "further", "relief"),
).open()
names = page.settings.info.parameters
axes = {
    key: f"{names[i]}, {names[j]}" for key, (i, j) in {"1,2": (0, 1), "1,3": (0, 2), "2,3": (1, 2)}.items()
}

lesson.heading(
    "Landscape",
    "The loss seen from above is a valley: steep across, flat along. How far from its lowest point is each direction still?",
)
question = BOTH if page["compare"] else OF_THE_FIRST if page["more"] else ONE
scaled_too = lesson.Then("the same run, without and with scaling", page.settings, {"compare": True})
alone = lesson.Then("one run alone", page.settings, {"compare": False})
asked = lesson.predict(page, question, alone if page["compare"] else scaled_too)

with look.first_visit():
    from gd_core.lessons.landscape import pair
    from pages.ui.charts.error import gap as gap_chart
    from pages.ui.charts.landscape import both_gaps
    from pages.ui.charts.landscape import valley as valley_chart
    from pages.ui.charts.model import RecordedRun
    from pages.ui.lessons.landscape import tables
    from pages.ui.look.palette import palette
    from pages.ui.player import live_runs, player, tabs
    from pages.ui.train import rate
live_runs.settle()
colours = palette(st.context.theme.type)


def one_valley() -> dict[str, RecordedRun]:
    """One map with the paths of all starts, and beside it what each direction still has to go. Gives the runs."""
    parts = [live_runs.played(one, trained=page.revealed) for one in starts.experiments(page)]
    runs, lead = [run for run, *_ in parts], starts.chosen(page)
    projection = tables.projection_of(page.settings, page["axes"])
    around, follow = tables.around(runs[0]), page["slice"] == "run"
    left, right = st.columns([7, 4] if projector.on() else [6, 5], gap="medium")
    with left:
        with st.container(horizontal=True, vertical_alignment="center", key="map_head"):
            page.segments("axes", {**axes, "valley": "flat × steep"}, hidden=True)
            look.panel_title("", "arrows −∇L")
            page.segments("arrows", hidden=True)
        if not projector.on():
            look.panel_title("", tables.map_note(page.settings, page["axes"], follow, page["arrows"]))
        with look.clickable("map"):
            titles = tables.titles_of(page.settings, page["axes"])
            view = valley_chart(
                runs,
                projection,
                titles,
                colours,
                projector.height(380, 225),
                lead=lead,
                follow=follow,
                arrows=page["arrows"],
                around=around,
            )
            tabs.draw(view, "valley")
        if len(parts) > 1:
            st.html(tables.start_table(parts, lead, colours))
    with right:
        look.panel_title("Gap along each direction", tables.lead_note(parts, lead))
        tabs.draw(gap_chart(runs[lead], colours, projector.height(240, 225)), "gap")
        st.html(tables.direction_table(runs[lead], page.revealed))
    in_relief = page.draw(st.expander, "relief", "In relief")
    if page["relief"]:  # closed, nothing of it is sent
        with in_relief:
            tabs.in_relief(runs[lead], colours, tables.relief_axes(runs[lead], page["axes"]))
    numbers, sums, templates = tables.numbers(parts, lead)

    def judged() -> lesson.Judged:
        part = live_runs.played(parts[0][0].experiment)
        return lesson.Judged(
            tables.truth(part), lambda said: tables.tempting(part, said), lambda: tables.drawn(part)
        )

    asked.judge(judged)
    with lesson.transport():
        player.put(
            numbers,
            templates,
            tables.summary(parts, lead) if page.revealed else "",
            take=f"{page.take} {page['more']}",
            play=page.revealed,
            trained=page.revealed,
            sums=sums,
            note=lesson.waits(page),
            **tables.span(runs),
            on_click=starts.clicked(page, runs, projection, around, follow),
        )
    return {f"Start {number}": run for number, run in enumerate(runs, 1)}


def both_valleys() -> dict[str, RecordedRun]:
    """Without and with scaled features: two maps, both gaps, and what scaling changes in numbers. Gives the runs."""
    twins = pair(page.settings)
    parts = [live_runs.played(one, trained=page.revealed) for one in (twins.plain, twins.scaled)]
    left, right = st.columns([6, 5], gap="medium")
    with left:
        with st.container(horizontal=True, vertical_alignment="center", key="map_head"):
            look.panel_title("Landscape")
            page.segments("axes", {**axes, "valley": "flat × steep"}, hidden=True)
        for place, title, (run, *_) in zip(
            st.columns(2), ("without scaling", "scaled features"), parts, strict=True
        ):
            with place:
                look.panel_title("", title)
                view = valley_chart(
                    [run],
                    tables.projection_of(run.experiment, page["axes"]),
                    tables.titles_of(run.experiment, page["axes"]),
                    colours,
                    projector.height(215, 195),
                    follow=page["slice"] == "run",
                )
                tabs.draw(view, f"valley_{title[:7].strip()}")
        look.panel_title("Gap to the optimum")
        tabs.draw(
            both_gaps({"without scaling": parts[0][0], "scaled features": parts[1][0]}, colours, 180),
            "both",
        )
    with right:
        look.panel_title("What scaling changes", "same data, same start, same share of the limit")
        st.html(tables.pair_table(parts, twins.shares, page.revealed))

    def judged() -> lesson.Judged:
        done = [live_runs.played(one) for one in (twins.plain, twins.scaled)]
        return lesson.Judged(
            tables.pair_truth(done),
            lambda said: tables.pair_tempting(done, twins.shares[0], said),
            lambda: tables.pair_drawn(done),
        )

    asked.judge(judged)
    with lesson.transport():
        player.put(
            tables.pair_numbers(parts),
            (tables.PAIR_SENTENCE,),
            tables.pair_summary(parts) if page.revealed else "",
            take=page.take,
            play=page.revealed,
            trained=page.revealed,
            note=lesson.waits(page),
            **tables.span([run for run, *_ in parts]),
        )
    return {"Without scaling": parts[0][0], "Scaled features": parts[1][0]}


def rate_chosen() -> None:
    """Take the rate from the strip."""
    page.set(learning_rate=rate.chosen())


shown = both_valleys() if page["compare"] else one_valley()
if more := lesson.further(page, "why each direction goes its own way"):
    with more:
        st.markdown(WHY)
with st.sidebar:
    page.complaint()
    page.choose("dataset", {key: DATASET_INFO[key].title for key in lesson_data.LANDSCAPE}, label="Data set")
    own_table.line(page.settings)
    page.text("learning_rate")
    if page.revealed:  # the strip says how long it takes
        problem, _, forecast = live_runs.foreseen(page.settings)
        rate.show(page.settings, problem, forecast, rate_chosen)
    page.text("epochs")
    scaling.control(page)
    if page["compare"]:
        page.text("start", label=f"Start at {', '.join(names)}")
    else:
        starts.controls(page)
        page.segments("slice")
lesson.closing(
    (
        "Along each direction the error is multiplied by its own 1 − ηλ, wherever one starts.",
        "The steep direction sets the limit of the rate. The flat one then has to wait.",
        "Scaling changes the valley, not the data: the same curve in other numbers.",
    ),
    (
        lesson.Link(
            "The same run without and with scaled features", "landscape", page.settings, {"compare": "true"}
        )
        if not page["compare"]
        else lesson.Link("The scaled run alone", "landscape", pair(page.settings).scaled),
        lesson.Link("The same run on the Train page", "train", page.settings),
    ),
    (page, shown),
)
