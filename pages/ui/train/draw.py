"""Data drawn by hand: the paper in place of "Data and fit" until Train is pressed, and the same points as a table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from gd_core import drawing
from gd_core.problem import split
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from pages.ui.charts.model import Run
from pages.ui.look import look, projector, session
from pages.ui.look.buttons import with_buttons
from pages.ui.look.numbers import with_numbers
from pages.ui.look.palette import Palette
from pages.ui.player import live_runs
from pages.ui.train import own_table
from pages.ui.train.train_settings import page

_HERE = Path(__file__).parent
_pad = component(
    "pad",
    html=(_HERE / "draw.html").read_text(encoding="utf-8"),
    css=with_buttons(_HERE / "draw.css"),
    js=with_numbers(_HERE / "draw.js"),
)
REMEMBERED = 50  # drawings that Undo goes back to
STATE = st.session_state


@dataclass
class Paper:
    """A visitor's paper.

    Attributes:
        earlier: The drawings that Undo goes back to.
        edits: The number of the browser's last change that was taken over.
    """

    earlier: list[Experiment] = field(default_factory=list)
    edits: int = 0


def show(run: Run, colours: Palette) -> None:
    """Draw the paper with the points of an experiment on it.

    Args:
        run: A drawing that waits for Train.
        colours: Those of the charts.
    """
    experiment, problem = run.experiment, run.problem
    points = drawing.points_of(experiment)
    x0, x1, y0, y1 = drawing.paper(points)
    weights = problem.raw(problem.start).tolist()
    bias = weights.pop() if experiment.intercept else 0.0
    held_out = []
    if experiment.holdout:
        held_out = split(experiment.points, experiment.held_out_rows, experiment.split_seed)[1].tolist()
    with st.container(horizontal=True, vertical_alignment="center", key="pad_head"):
        how = "" if projector.on() else "click to add a point, drag to move, double click to remove"
        look.panel_title("Data and fit", how)
        with st.popover("As a table", icon=":material/table_rows:", key="pad_table"):
            _editor(experiment, points)
    _pad(
        key="pad",
        data={
            "points": points,
            "held_out": held_out,
            "x0": x0,
            "x1": x1,
            "y0": y0,
            "y1": y1,
            "degree": experiment.degree,
            "intercept": experiment.intercept,
            "start": [bias, *weights],
            "titles": [problem.dataset.feature_names[0], problem.dataset.target_name],
            "fewest": drawing.FEWEST,
            "most": drawing.MOST,
            "undo": bool(session.held(Paper).earlier),
            "large": projector.on(),
            "seen": session.held(Paper).edits,
            "colours": {
                "data": colours.data,
                "best": colours.optimum,
                "start": colours.start,
                "run": colours.run,
                "ink": colours.ink,
                "paper": colours.paper,
            },
        },
        on_edit_change=lambda: _edited(experiment),
        on_ask_change=lambda: _asked(experiment),
    )


def _editor(experiment: Experiment, points: list[list[float]]) -> None:
    import pandas as pd  # loaded where a table is shown: see `tabs`

    number = st.column_config.NumberColumn(
        required=True, min_value=-drawing.FARTHEST, max_value=drawing.FARTHEST
    )
    key = f"points {experiment.table}"
    st.data_editor(
        pd.DataFrame(points, columns=list(drawing.COLUMNS)),
        num_rows="dynamic",
        key=key,
        height=320,
        column_config=dict.fromkeys(drawing.COLUMNS, number),
        on_change=lambda: _typed(experiment, points, STATE[key]),
    )
    st.caption(f"{drawing.FEWEST} to {drawing.MOST} points. A row that is not complete yet waits.")


def _edited(experiment: Experiment) -> None:
    """The browser has finished a change."""
    edit = STATE["pad"].get("edit")
    if isinstance(edit, dict):
        session.held(Paper).edits = edit.get("number", 0)
        _take(experiment, edit.get("points"))


def _asked(experiment: Experiment) -> None:
    """Undo or Start over was pressed."""
    what = str(STATE["pad"].get("ask") or "")
    drawings = session.held(Paper).earlier
    if what.startswith("undo") and drawings:
        _set(drawings.pop())
    elif what.startswith("over"):
        drawings.append(experiment)
        _set(drawing.opening())


def _typed(experiment: Experiment, points: list[list[float]], changes: Mapping[str, Any]) -> None:
    """The table was edited: rows changed, removed and added. One that lacks a number waits for it."""
    rows = [dict(zip(drawing.COLUMNS, point, strict=True)) for point in points]
    for row, cells in changes["edited_rows"].items():
        rows[int(row)] |= cells
    gone = set(changes["deleted_rows"])
    rows = [row for number, row in enumerate(rows) if number not in gone]
    rows += [dict(row) for row in changes["added_rows"]]
    table = [[row.get(name) for name in drawing.COLUMNS] for row in rows]
    if not any(cell is None for row in table for cell in row):
        _take(experiment, table)


def _take(experiment: Experiment, points: Any) -> None:
    """Other points: what cannot be trained on is said, and the paper stays as it was."""
    try:
        changed = drawing.drawn(experiment, points)
    except ParameterError as error:
        page.tell(str(error))
        return
    if changed.table != experiment.table:
        paper = session.held(Paper)
        paper.earlier = [*paper.earlier, experiment][-REMEMBERED:]
        _set(changed)


def _set(experiment: Experiment) -> None:
    own_table.remember_drawing(experiment)
    page.load(experiment)
    live_runs.reset()
