"""The map of where starts end: worked out while it is looked at, once for all who ask for the same, and told in a table."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import streamlit as st

from gd_core.landscape import Window
from gd_core.one_thread import one_thread
from gd_core.problem import Problem
from gd_core.settings.experiment import Experiment
from gd_core.starts import DIVERGED, LEVEL_GROUND, UNDER_WAY, Ends, Starts, Valley, side_of
from gd_core.words import counted, percent, short, significant
from pages.ui.charts.model import Run
from pages.ui.charts.starts import colour_of, hues_of, sign_of
from pages.ui.look.palette import Palette
from pages.ui.player import live_runs

PAGE = "starts"  # under which a visitor's own is kept while it is trained
KEY = "where starts end"
LISTED = 8  # valleys in the table; all are on the map
OTHERS = {
    DIVERGED: "diverges",
    UNDER_WAY: "still on the way, or to and fro",
    LEVEL_GROUND: "the slope is 0, and no valley is there",
}


def of(experiment: Experiment, problem: Problem, shown: Window, axes: tuple[int, int]) -> Ends:
    """The map so far, after one more slice of its training. The run's own start decides nothing of it, but where it is beside the plane."""
    beside = problem.start.clone()
    beside[list(axes)] = 0.0
    whose = replace(experiment, start=tuple(beside.tolist()))
    what, kept = (KEY, shown, axes), live_runs.shelves(experiment).results
    if (found := kept.get((what, whose))) is not None:
        return found
    side = side_of(experiment)
    assert side is not None  # or `why_no_starts` has said why there is none
    take = live_runs.follow(PAGE, (whose, what), lambda _: Starts(experiment, problem, shown, axes, side))
    # Beside other work two that wait for each other took 7 to 25 s for what one does in 0.9 s.
    with one_thread():
        live_runs.advance(take)
    if take.recorder is None:
        kept.put((what, whose), take.recording)
    return take.recording


def told(run: Run, ends: Ends, colours: Palette) -> str:
    """What the map shows, in a sentence and a table. HTML."""
    experiment, side = run.experiment, len(ends.which)
    where = (
        "in which each is at the end"
        if experiment.updates_per_epoch > 1
        else "in which each has come to rest"
    )
    done = "" if ends.share == 1 else f" {percent(ends.share)} of it is trained, the rest is coming."
    said = (
        f"{side} × {side} starts, {counted(experiment.total_epochs, 'epoch')} each, by the rule of this run. A colour and a letter are "
        f"the valley {where}. <b>A</b> is the lowest of these.{done}"
    )
    listed = [
        *range(min(LISTED, len(ends.valleys))),
        *(kind for kind in OTHERS if (ends.which == kind).any()),
    ]
    lowest = minimised(experiment)
    rows = "".join(f"<tr>{_cells(kind, ends, lowest, colours)}</tr>" for kind in listed)
    more = len(ends.valleys) - LISTED
    rest = f"<p><small>And {counted(more, 'valley')} more.</small></p>" if more > 0 else ""
    u, v = (float(run.problem.start[axis]) for axis in ends.axes)
    names = [experiment.info.parameters[axis] for axis in ends.axes]
    own = ends.at((u, v))
    start = f"{names[0]} = {short(u)}, {names[1]} = {short(v)}"
    mine = "is not on this map" if own is None else f"lies in an area of {sign_of(own)}"
    return (
        f'<p class="panel-title">Where starts end</p><p>{said}</p>'
        f'<table class="live"><tr><th>area</th><th>valley’s {lowest}</th><th>starts</th></tr>{rows}</table>{rest}'
        f'<p role="status">The start {start} {mine}.</p>'
    )


def minimised(experiment: Experiment) -> str:
    """By what valleys are higher or lower, in a word or two: the RMSE only where it is the root of the loss."""
    info = experiment.loss_info
    return "RMSE" if info.is_mean_square else info.name or "penalised loss"


def _cells(kind: int, ends: Ends, lowest: str, colours: Palette) -> str:
    chip = f'<span style="color: {colour_of(hues_of(ends)[kind], colours)}" aria-hidden="true">■</span> {sign_of(kind)}'
    what = OTHERS.get(kind) or _of_valley(ends.valleys[kind], lowest)
    return f"<td>{chip}</td><td>{what}</td><td>{percent(float(np.mean(ends.which == kind)))}</td>"


def _of_valley(valley: Valley, lowest: str) -> str:
    rmse, places = significant(valley.rmse, 4), len(valley.places)
    said = rmse if lowest == "RMSE" else f"{significant(valley.loss, 4)} (RMSE {rmse})"
    return said + (f", at {places} places" if places > 1 else "")


def choice(ends: Ends, on_start: Callable[[tuple[float, float]], None]) -> None:
    """A start from the middle of an area, for who has no pointer: it is told in the table's last line."""
    kinds = [*range(min(LISTED, len(ends.valleys))), *OTHERS]
    squares = {kind: square for kind in kinds if (square := ends.deepest(kind))}

    def chosen() -> None:
        kind = st.session_state[PAGE]
        st.session_state[PAGE] = None  # it is an order, not a setting
        if kind in squares:
            on_start(ends.start(*squares[kind]))

    st.segmented_control(
        "Start in an area of", list(squares), format_func=sign_of, key=PAGE, on_change=chosen
    )
