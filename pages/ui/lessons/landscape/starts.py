"""Several starts on one map: the field that holds them, the buttons, and a click that sets one. No torch until used."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from gd_core.settings.experiment import MAX_START, Experiment
from gd_core.settings.fields import Choice, Rows
from pages.ui.player import player
from pages.ui.settings.page_settings import PageSettings

if TYPE_CHECKING:
    from gd_core.lessons.landscape import Projection
    from pages.ui.charts.model import Run

MOST = 5  # starts together
PARAMETERS = 3  # of both data sets
MORE = Rows(
    columns=PARAMETERS,
    low=-MAX_START,
    high=MAX_START,
    title="More starts",
    help="Three numbers each, with ; between: 1, 2, 3; 4, 5, 6. Four at most. A press on the map writes them too.",
    at_most=MOST - 1,
)
CLICK = Choice(
    default="1",
    choices={str(number): str(number) for number in range(1, MOST + 1)},
    title="A press sets start",
    help="Press on the map. A number that is not on the map yet adds a start. "
    "Table, error split and verdict are of the start that is chosen here.",
)


def chosen(page: PageSettings[Experiment]) -> int:
    """The run that table and verdict speak of, counted from 0: the chosen one if there is such a start, else the first."""
    number = int(page["click"])
    return number - 1 if number <= 1 + len(page["more"]) else 0


def experiments(page: PageSettings[Experiment]) -> list[Experiment]:
    """The run of each start."""
    return [page.settings, *(replace(page.settings, start=start) for start in page["more"])]


def controls(page: PageSettings[Experiment]) -> None:
    """Fields for the starts, which of them a click sets, and buttons to add one and to take the last away."""
    names, count = ", ".join(page.settings.info.parameters), 1 + len(page["more"])
    page.text("start", label=f"Start 1 at {names}")
    page.text("more")
    page.segments("click")
    with st.container(horizontal=True, gap="small", key="starts"):
        st.button(
            "Add a start", key="add_start", disabled=count >= MOST, on_click=_add, args=(page,),
            help="In another corner of the map.",
        )  # fmt: skip
        st.button("Remove", key="remove_start", disabled=count == 1, on_click=_remove, args=(page,),
                  help="The last start.")  # fmt: skip


def clicked(
    page: PageSettings[Experiment],
    runs: Sequence["Run"],
    projection: "Projection",
    around: Sequence[Any],
    follow: bool,
) -> Callable[[], None]:
    """What a click on the map does: the chosen start goes there, or a new one is added."""

    def act() -> None:
        import torch

        from gd_core.lessons.landscape import picked, window_around

        found = player.clicked()
        if found is None:
            return
        lead = runs[chosen(page)]
        last = lead.recording.epochs
        slice_at = lead.recording.epoch_theta[min(found.epoch, last)] if follow else lead.curvature.optimum
        shown = window_around(projection, torch.stack([*(run.problem.start for run in runs), *around]))
        theta = picked(projection, shown, slice_at, (found.x, found.y))
        _place(page, int(page["click"]), tuple(lead.problem.raw(theta).tolist()))

    return act


def _add(page: PageSettings[Experiment]) -> None:
    from gd_core.lessons.landscape import mirrored
    from pages.ui.lessons.landscape.tables import projection_of
    from pages.ui.player import live_runs

    problem = live_runs.foreseen(page.settings)[0]
    number = len(page["more"]) + 1
    start = mirrored(projection_of(page.settings, page["axes"]), problem.start, number)
    _place(page, number + 1, tuple(problem.raw(start).tolist()))


def _remove(page: PageSettings[Experiment]) -> None:
    more = page["more"][:-1]
    page.set(more=more, click=str(min(int(page["click"]), 1 + len(more))))


def _place(page: PageSettings[Experiment], number: int, start: tuple[float, ...]) -> None:
    start = tuple(float(f"{value:.8g}") for value in start)
    if number == 1:
        page.set(start=start)
        return
    more = list(page["more"])
    more[number - 2 : number - 1] = [start]
    page.set(more=tuple(more), click=str(min(number, 1 + len(more))))
