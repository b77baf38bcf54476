"""The player: a small component that owns the epoch, and the marks it writes live numbers into."""

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from streamlit.components.v2 import component

from gd_core import verdict
from gd_core.objective import accuracy
from gd_core.outcome import Finding
from gd_core.settings.experiment import beyond
from gd_core.settings.experiment_fields import COMMON_FIELDS
from gd_core.settings.rules import is_plain
from gd_core.settings.schedules import by_epoch, is_constant
from gd_core.theory import Forecast
from gd_core.words import at_sight
from pages.ui.charts.model import RecordedRun, drawn_until, rows_of, stride_of
from pages.ui.look import current_charts
from pages.ui.look.buttons import with_buttons
from pages.ui.look.numbers import with_numbers
from pages.ui.player.recording_cache import once

KEY = "player"  # of the component
KNOWN = COMMON_FIELDS  # settings with which a plain step is −η ∇L
_HERE = Path(__file__).parent
_player = component(
    "player",
    html=(_HERE / "player.html").read_text(encoding="utf-8"),
    css=with_buttons(_HERE / "player.css"),
    js=with_numbers(_HERE / "player.js"),
)


class Offer(NamedTuple):
    """A rate that the player offers as a button at the end of a run."""

    label: str
    rate: float


def live(column: str, *, digits: int = 6, full: bool = False) -> str:
    """A place in HTML that the player fills with this epoch's number from `column` of its table.

    With `full` all six digits show where the pointer rests on it.
    """
    more = " data-full" if full else ""
    return f'<output class="live" data-live="{escape(column)}" data-digits="{digits}"{more}>·</output>'


def lit(column: str, value: float | None = None, *, reached: float | None = None) -> str:
    """Attributes of an HTML element that the player gives the class `lit` while `column` of its table says so.

    Args:
        column: Its name.
        value: Lit while the column is exactly this; the element is then also marked as the current step.
        reached: Lit while the column is at least this.
    """
    condition = f'data-lit-value="{value}"' if reached is None else f'data-lit-from="{reached}"'
    return f'data-lit="{escape(column)}" {condition}'


Sum = list[tuple[str, float]]  # a column as a sum of other columns, each times a number


def table(
    run: RecordedRun, steps: verdict.StepVerdicts, extra: dict[str, np.ndarray] | None = None
) -> tuple[dict[str, np.ndarray], dict[str, Sum]]:
    """One row a drawn epoch, in 32 bits, and the columns that the browser adds up itself, to keep the wire short.

    Columns: epoch, template, rmse, next_rmse, loss; accuracy, of a yes or no; rate, where it changes; held_out, the RMSE of held-out rows, if there are some; for each parameter its value p, gradient g, the step d that follows
    and n after it, all of the epoch's first update and in the coordinates that are trained, and r in raw units; and `extra`, one value a drawn epoch.
    """
    recording, experiment = run.recording, run.experiment
    rows = rows_of(run)
    theta, curvature = recording.epoch_theta, run.parabola
    gradient = recording.gradient[:: recording.updates_per_epoch][: recording.epochs + 1]
    rmse = recording.epoch_rmse
    shown = curvature.error(rmse, float(rmse[0])) if curvature else rmse
    columns: dict[str, Any] = {"rmse": shown[rows], "loss": recording.epoch_loss[rows]}
    if experiment.loss_info.is_mean_square:
        columns["loss"] = columns["loss"].where(shown[rows] != 0, 0.0)
    if recording.epoch_held_out_rmse is not None:
        columns["held_out"] = recording.epoch_held_out_rmse[rows]
    if other_error := experiment.loss_info.other_error:
        columns["root_loss"] = run.problem.objective.dataset.unit * other_error(columns["loss"])
    if (right := accuracy(run.problem.objective, theta[rows])) is not None:
        columns["accuracy"] = right
    sums: dict[str, Sum] = {}
    after = np.minimum(rows + 1, recording.epochs)
    columns["percent"] = 100 * (rmse[after] / rmse[rows].clamp(min=1e-300) - 1).abs()
    first = np.minimum(rows * recording.updates_per_epoch, recording.updates)  # the epoch's first update
    second = np.minimum(first + 1, recording.updates)
    if stride_of(drawn_until(run)) > 1:
        columns |= {"epoch": rows, "next_rmse": shown[after]}
    # then the browser adds up d = −η ∇L, which need not be sent
    plain = is_plain(experiment) and not experiment.before and recording.updates_per_epoch == 1
    plain = plain and beyond(vars(experiment), KNOWN) is None
    placed = curvature.parameters(theta[rows]) if curvature else theta[rows]
    for i in range(theta.shape[1]):
        columns |= {f"p{i}": placed[:, i], f"g{i}": gradient[rows, i]}
        if plain:
            sums[f"d{i}"] = [(f"g{i}", -experiment.learning_rate)]
        else:  # the step of the epoch's first update; the last row has none
            step = (recording.theta[second, i] - recording.theta[first, i]).numpy()
            columns[f"d{i}"] = np.where(second > first, step, np.nan)
        sums[f"n{i}"] = [(f"p{i}", 1.0), *(sums.get(f"d{i}") or [(f"d{i}", 1.0)])]  # after the next step
        if experiment.is_rescaled and float(run.problem.offset.broadcast_to(theta[0].shape)[i]):
            columns[f"r{i}"] = run.problem.raw(theta[rows])[:, i]  # which is no sum of columns alone
        elif experiment.is_rescaled:
            sums[f"r{i}"] = [
                (f"p{j}", weight) for j, weight in enumerate(run.problem.to_raw[i].tolist()) if weight
            ]
    if not all(map(is_constant, experiment.phases)):
        columns["rate"] = np.array(by_epoch(experiment.phases, recording.updates_per_epoch, rows.tolist()))
    columns |= extra or {}
    small = {
        name: np.asarray(values, dtype=np.int32) if name == "epoch" else single(values)
        for name, values in columns.items()
    }
    return small | {"template": steps.choice[rows].numpy().astype(np.int8)}, sums


def show(
    run: RecordedRun,
    forecast: Forecast | None,
    finding: Finding,
    *,
    take: str,
    play: bool,
    trained: bool,
    first_epoch: int = 0,
    offers: Sequence[Offer] = (),
    note: str = "",
    changed: bool = False,
    summary: str = "",
    said: verdict.StepVerdicts | None = None,
    extra: dict[str, np.ndarray] | None = None,
    more_sums: Mapping[str, Sum] | None = None,
    on_rate: Callable[[], None] | None = None,
    on_continue: Callable[[], None] | None = None,
    on_click: Callable[[], None] | None = None,
) -> None:
    """Draw the player for one run.

    Args:
        run: What is played.
        forecast: What theory says about it; None where it says nothing.
        finding: How the run ended.
        take: Changes with every press of Train; a new one starts from `first_epoch`.
        play: Whether a new take plays at once.
        trained: Whether there is anything to play.
        first_epoch: Where a new take starts.
        offers: Rates offered at the end.
        note: A sentence beside the buttons.
        changed: Whether the settings beside the run are other ones by now: its verdict is not said beside them.
        summary: Said at the end instead of the run's verdict.
        said: Said at each epoch instead of the step's verdict.
        extra: More columns for live numbers, one value a drawn epoch.
        more_sums: More columns that the browser adds up itself.
        on_rate: See `put`.
        on_continue: See `put`.
        on_click: See `put`.
    """
    steps = said or once(
        run.recording, verdict.of_steps, lambda: verdict.of_steps(run.recording, run.experiment, forecast)
    )
    if said or extra:
        numbers, sums = table(run, steps, extra)
    else:
        numbers, sums = once(run.recording, table, lambda: table(run, steps))
    put(
        numbers,
        steps.templates,
        (summary or once(run.recording, verdict.of_run, lambda: _said(run, forecast, finding)))
        if trained
        else "",
        take=take,
        play=play,
        trained=trained,
        first=first_epoch,
        last=run.recording.epochs,
        planned=run.experiment.total_epochs,
        stride=stride_of(drawn_until(run)),
        complete=run.recording.complete,
        sums=sums | dict(more_sums or {}),
        offers=offers,
        note=note,
        rate=run.experiment.learning_rate,
        changed=changed,
        on_rate=on_rate,
        on_continue=on_continue,
        on_click=on_click,
    )


def _said(run: RecordedRun, forecast: Forecast | None, finding: Finding) -> str:
    return verdict.of_run(run.recording, run.experiment, forecast, finding)


def put(
    numbers: Mapping[str, np.ndarray],
    templates: Sequence[str],
    summary: str,
    *,
    take: str,
    play: bool,
    trained: bool,
    last: int,
    planned: int,
    stride: int = 1,
    first: int = 0,
    complete: bool = True,
    sums: Mapping[str, Sum] | None = None,
    names: Sequence[str] = (),
    offers: Sequence[Offer] = (),
    note: str = "",
    rate: float = 0.0,
    changed: bool = False,
    on_rate: Callable[[], None] | None = None,
    on_continue: Callable[[], None] | None = None,
    on_click: Callable[[], None] | None = None,
) -> None:
    """Draw the player over any table of numbers by epoch: one run, several at once, a network.

    Args:
        numbers: One row a drawn epoch: 0, stride, 2·stride … and `last`. Its column `template` says which sentence
            belongs to the epoch; every other column can be written into a sentence and into `live` places.
        templates: Sentences. {epoch} and {next} are the epoch and the one after it, {name} a column of the table;
            {name:3} writes it with three digits instead of six.
        summary: What is said at the end of a complete run.
        take: A new one starts from `first`.
        play: Whether a new take plays at once.
        trained: Whether there is anything to play.
        last: The last epoch that there is; every chart's own `last` may be smaller, then it stays at its end.
        planned: How many epochs it will be.
        stride: Every how many epochs one is drawn.
        first: Where a new take starts.
        complete: Whether no more epochs will come.
        sums: Columns that the browser adds up itself.
        names: What each row is called beside the slider, where it is not simply its epoch's number.
        offers: Rates offered at the end.
        note: A sentence beside the buttons.
        rate: The run's learning rate: charts draw where another one on the strip would lead. 0 for no such preview.
        changed: See `show`.
        on_rate: Called when an offer is taken; `rate` gives it.
        on_continue: Called for "Continue from here"; `continue_from` gives the epoch.
        on_click: Called for a click on a plot inside `look.clickable(name)`; `clicked` gives its place, and that name.
    """

    def nothing() -> None: ...

    current_charts.now().played = current_charts.Played(
        numbers, templates, summary, sums or {}, names, last, planned, stride
    )
    said = {
        "id": take,
        "play": play,
        "from": first,
        "trained": trained,
        "clicks": on_click is not None,
        "continues": on_continue is not None,
        "last": last,
        "planned": planned,
        "stride": stride,
        "complete": complete,
        "templates": list(templates),
        "summary": summary,
        "at_sight": at_sight(summary),
        "note": note,
        "rate": rate,
        "changed": changed,
        "offers": [offer._asdict() for offer in offers],
        "sums": dict(sums or {}),
        "names": list(names),
    }
    _player(
        key=KEY,
        data=packed(said, numbers),
        on_rate_change=on_rate or nothing,
        on_continue_from_change=on_continue or nothing,
        on_clicked_change=on_click or nothing,
    )


def packed(said: Mapping[str, Any], numbers: Mapping[str, np.ndarray]) -> bytes:
    """What the player is told, and its table: JSON with the length of it before, then the columns, as `unpacked` in numbers.js has them.

    Each begins at a multiple of 8 bytes, as a browser wants its arrays. A table of Arrow's in the place of these bytes has
    Streamlit load pandas, a tenth of the server's memory, to see what it is.
    """
    columns = [(name, values.dtype.str[1:], len(values)) for name, values in numbers.items()]
    rows = len(next(iter(numbers.values())))
    text = json.dumps(dict(said) | {"rows": rows, "columns": columns}).encode()
    text += b" " * (-(4 + len(text)) % 8)
    parts = [len(text).to_bytes(4, "little"), text]
    for values in numbers.values():
        column = np.ascontiguousarray(values).tobytes()
        parts.append(column + bytes(-len(column) % 8))
    return b"".join(parts)


class Click(NamedTuple):
    """A click on a plot: shares of its width and height from the lower left corner, the epoch, the plot's name."""

    x: float
    y: float
    epoch: int
    plot: str


def rate() -> float | None:
    """The rate of the offer that `on_rate` was called for."""
    return st.session_state[KEY].get("rate")


def continue_from() -> float | None:
    """The epoch that `on_continue` was called for."""
    return st.session_state[KEY].get("continue_from")


def clicked() -> Click | None:
    """The click that `on_click` was called for."""
    found = st.session_state[KEY].get("clicked")
    return Click(float(found[0]), float(found[1]), int(found[2]), str(found[3])) if found else None


def single(values: Any) -> np.ndarray:
    """Numbers in 32 bits. Beyond 3.4e38, where an explosion may end, they are ∞ on the page."""
    with np.errstate(over="ignore"):
        return np.asarray(values).astype(np.float32)


def numbers_of(columns: Mapping[str, Any], template: Any = 0) -> dict[str, np.ndarray]:
    """Columns as the player's table, in 32 bits. `template` is a number of a sentence for each row, or for all."""
    numbers = {name: single(values) for name, values in columns.items()}
    rows = len(next(iter(numbers.values())))
    return numbers | {"template": np.broadcast_to(np.asarray(template, dtype=np.int8), rows)}
