"""How to arrive with single rows: what stands under Further in the lesson of the learning rate."""

from dataclasses import replace
from html import escape

import streamlit as st

from gd_core.lessons.learning_rate.arriving import Arriving, arriving, rates, runs, told, why_elsewhere
from gd_core.settings.experiment import Experiment
from gd_core.words import significant
from pages.ui.charts.learning_rate.arriving import above_the_floor
from pages.ui.look import look
from pages.ui.look.palette import palette
from pages.ui.player import live_runs, tabs
from pages.ui.settings import lesson
from pages.ui.settings.page_settings import PageSettings

HEIGHT = 300


def of(page: PageSettings[Experiment]) -> tuple[Arriving, str]:
    """The two runs on the page's rows, or on the lesson's own with the reason why."""
    base = replace(page.settings, optimizer="gradient-descent")  # theory of the rows; its rate does not count
    problem, curvature, _ = live_runs.foreseen(base)
    if elsewhere := why_elsewhere(base, curvature):
        base = page.usual
        problem, curvature, _ = live_runs.foreseen(base)
    both = runs(base, problem, curvature)
    found = arriving(both, (live_runs.recorded(both[0]), live_runs.recorded(both[1])), problem, curvature)
    return found, elsewhere


def show(page: PageSettings[Experiment]) -> None:
    """The three lines, their numbers, and where to see more of them."""
    found, elsewhere = of(page)
    where = f"Shown on {found.constant.info.title}, with scaled features: {elsewhere}. " if elsewhere else ""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        look.panel_title("RMSE above the floor, by epoch", "single rows from one start")
        tabs.draw(above_the_floor(found, palette(st.context.theme.type), HEIGHT), "arriving")
    with right:
        st.html(table(found))
        st.html(f"<p>{escape(where + told(found))}</p>")
        lesson.way_to(lesson.Link("The constant rate on Train, its mean beside it", "train", found.constant))
        lesson.way_to(lesson.Link("The rate that shrinks", "train", found.shrinking))


def table(found: Arriving) -> str:
    """The rate, the RMSE and what is left above the floor of each."""
    left, of_each = found.at_last, rates(found)
    rows = "".join(
        f"<tr><td>{name}</td><td>{of_each[name]}</td><td>{significant(found.floor + left[name], 4)}</td>"
        f"<td>{significant(left[name], 3)}</td></tr>"
        for name in left
    )
    head = "<th>single rows</th><th>η</th><th>RMSE at last</th><th>above the floor</th>"
    return f'<table class="live attempts"><tr>{head}</tr>{rows}</table>'
