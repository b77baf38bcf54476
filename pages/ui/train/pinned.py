"""Pinned runs on the Train page: the button that pins, the list behind it, and the legend over the charts."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np
import streamlit as st

from gd_core.run_summary import same_data, same_landscape, same_model, same_target
from gd_core.settings.experiment import Experiment
from gd_core.settings.pins import Pin
from gd_core.words import counted
from pages.ui.charts.ghosts import MARKS, STROKES, Ghost, colours_of
from pages.ui.charts.model import Run, last_epoch, rows_of
from pages.ui.look import projector, session
from pages.ui.look.look import plain
from pages.ui.look.palette import Palette
from pages.ui.player import live_runs, player, run_summaries
from pages.ui.train import pins
from pages.ui.train.train_settings import page

STATE = st.session_state
NONE: tuple[Ghost, ...] = ()


@dataclass
class Said:
    """Why the last run could not be pinned; empty if it could."""

    sentence: str = ""


class Beside(NamedTuple):
    """Which pinned runs are drawn in which chart beside the run on the page, and what is to be said of the others."""

    error: tuple[Ghost, ...] = NONE
    map: tuple[Ghost, ...] = NONE
    fit: tuple[Ghost, ...] = NONE
    on_page: int | None = None
    notes: tuple[str, ...] = ()
    legend: bool = False  # whether there is one over the charts


def beside(run: Run, live_run: live_runs.TrainRun | None) -> Beside:
    """Sort the pinned runs by what they share with the run on the page."""
    held = pins.held().pins
    if not held:
        return Beside()
    everyone = run_summaries.ghosts(held)
    on_page = (
        pins.held().place_of(pins.as_trained(live_run.experiment, live_run.recording)) if live_run else None
    )
    others = [ghost for ghost in everyone if ghost.place != on_page]
    error = [ghost for ghost in others if same_target(ghost.problem, run.problem)]
    fit = [
        ghost
        for ghost in error
        if same_data(ghost.problem, run.problem) and same_model(ghost.summary.experiment, run.experiment)
    ]
    on_map = [ghost for ghost in fit if same_landscape(ghost.problem, run.problem)]
    notes = []
    if away := [ghost for ghost in others if ghost not in error]:
        notes.append(f"{_are(away)} not on these charts: other data.")
    if away := [ghost for ghost in error if ghost not in fit]:
        notes.append(f"{_are(away)} shown only by error: another model or other features.")
    if away := [ghost for ghost in fit if ghost not in on_map]:
        notes.append(f"{_are(away)} not on the landscape: {_other_landscape(away, run)}.")
    end = last_epoch(run)
    if longer := [ghost for ghost in error if ghost.summary.epochs > end]:
        until = max(ghost.summary.epochs for ghost in longer)
        notes.append(f"{_are(longer)} longer than this axis, up to epoch {until:,}.")
    if short := [ghost for ghost in others if not ghost.summary.complete]:
        notes.append(f"{_are(short)} still in training: {training(short)}.")
    return Beside(tuple(error), tuple(on_map), tuple(fit), on_page, tuple(notes), legend=True)


def training(unfinished: Sequence[Ghost]) -> str:
    """How far the long runs are: 12,000 of 100,000 epochs."""
    return ", ".join(
        f"{ghost.summary.epochs:,} of {counted(ghost.summary.experiment.total_epochs, 'epoch')}"
        for ghost in unfinished
    )


def _are(ghosts: Sequence[Ghost]) -> str:
    """Run 3 is, runs 1, 2 are."""
    numbers = ", ".join(str(ghost.place + 1) for ghost in ghosts)
    return f"Run {numbers} is" if len(ghosts) == 1 else f"Runs {numbers} are"


def _other_landscape(ghosts: Sequence[Ghost], run: Run) -> str:
    """Why paths cannot share a map."""
    if any(ghost.summary.experiment.loss != run.experiment.loss for ghost in ghosts):
        return "another loss"
    if any(ghost.summary.experiment.scale_features != run.experiment.scale_features for ghost in ghosts):
        return "scaled features have other coordinates"
    if any(ghost.summary.experiment.scale_target != run.experiment.scale_target for ghost in ghosts):
        return "a scaled target has other coordinates"
    return "other rows are trained on"


def extra_columns(run: Run, shown: Beside) -> dict[str, np.ndarray]:
    """RMSE of each pinned run at every drawn epoch, for the legend."""
    rows = rows_of(run)
    return {f"pin{ghost.place}": ghost.shown_rmse(rows) for ghost in shown.error}


# ---------------------------------------------------------------------------------------------------------- the legend


def swatch(place: int, colours: Palette) -> str:
    """A pinned run's number, line and shape, as a picture: Streamlit takes drawings out of HTML."""
    colour, dash = colours_of(colours)[place], ",".join(map(str, STROKES[place]))
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 44 14">'
        f'<line x1="0" y1="7" x2="44" y2="7" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        f'<path d="{MARKS[place]}" transform="translate(22 7) scale(5.2)" fill="{colour}" '
        f'stroke="{colours.paper}" stroke-width="0.18"/></svg>'
    )
    return f'<img class="swatch" alt="" src="data:image/svg+xml,{quote(drawing)}">'


def disc(place: int, colours: Palette) -> str:
    """A pinned run's number."""
    colour = colours_of(colours)[place]
    return f'<span class="disc small" style="background:{colour};color:{colours.paper}">{place + 1}</span>'


def entry(place: int, name: str, note: str, colours: Palette) -> str:
    """One run of a legend. `note` is HTML."""
    return f"<li>{disc(place, colours)}{swatch(place, colours)}<span>{escape(name)}</span><small>{note}</small></li>"


def legend(shown: Beside, colours: Palette) -> None:
    """Every pinned run with its line, its name and its error now. Nothing if none is pinned."""
    held = pins.held().pins
    if not held:
        return
    live = {ghost.place for ghost in shown.error}
    items = ""
    for place, pin in enumerate(held):
        note = f"RMSE {player.live(f'pin{place}', digits=5)}" if place in live else "not on these charts"
        items += entry(place, pin.name, "on stage" if place == shown.on_page else note, colours)
    notes = f'<p class="beneath">{escape(" ".join(shown.notes))}</p>' if shown.notes else ""
    st.html(f'<ul class="pins" aria-label="Pinned runs and their RMSE now">{items}</ul>{notes}')


# --------------------------------------------------------------------------------------------------------- the buttons


def buttons(live_run: live_runs.TrainRun | None) -> None:
    """Pin or unpin the run on the page, and the list of the pinned ones."""
    held, sentence = pins.held().pins, session.held(Said).sentence
    if live_run is None and not held and not sentence:
        return  # there is nothing to pin yet
    kept = live_run and pins.as_trained(live_run.experiment, live_run.recording)
    is_pinned = kept is not None and pins.held().place_of(kept) is not None
    with st.container(key="pins", horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Unpin this run" if is_pinned else "Pin this run",
            icon=":material/keep_off:" if is_pinned else ":material/keep:",
            key="pin",
            type="tertiary",
            disabled=live_run is None,
            on_click=_toggle,
            args=(
                live_run and live_run.experiment,
            ),  # not the run: Streamlit keeps what a callback is called with
            help="Keeps this run on the charts as a light line beside the next ones, and on the page Compare.",
        )
        if held:
            with st.popover(f"{len(held)} pinned", type="tertiary", key="pinned", on_change="rerun"):
                _list(held)
    if sentence:
        st.markdown(f":orange[:material/error:] {plain(sentence)}")


def _list(held: Sequence[Pin]) -> None:
    for place, pin in enumerate(held):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"pinned_{place}"):
            st.markdown(f"{place + 1}. {plain(pin.name)}", width="stretch")
            st.button(
                "Open", key=f"pin_open_{place}", on_click=_open, args=(pin,), type="tertiary",
                help=f"Set everything as in run {place + 1}.",
            )  # fmt: skip
            st.button(
                "Unpin", key=f"pin_remove_{place}", on_click=_unpin, args=(place,), type="tertiary",
                help=f"Take run {place + 1} off the charts.",
            )  # fmt: skip
    st.page_link(
        "pages/compare.py",
        label="Compare them",
        icon=":material/compare_arrows:",
        query_params=pins.held().to_query() | projector.query(),
    )
    if len(held) > 0 and not pins.on_train():
        st.caption("These runs are too long for the link of this page. Compare’s link holds them.")


def _toggle(trained: Experiment | None) -> None:
    session.held(Said).sentence = ""
    live_run = trained and live_runs.on_page(trained)
    if live_run is None:
        return
    experiment = pins.as_trained(live_run.experiment, live_run.recording)
    if sentence := pins.pin(experiment):
        session.held(Said).sentence = sentence
    elif experiment == live_run.experiment:
        run_summaries.keep(
            experiment, live_run.recording
        )  # what is trained already need not be trained again
    page.touch()


def _unpin(place: int) -> None:
    session.held(Said).sentence = ""
    if place < len(pins.held().pins):
        pins.hold(pins.held().without(place))
    page.touch()


def _open(pin: Pin) -> None:
    page.load(pin.experiment)
    STATE["pinned"] = False  # or the list would cover the charts


def pending() -> list[Any]:
    """Long pinned runs that are still to be trained."""
    return run_summaries.missing(pins.held().pins)
