"""The strip under the learning rate: a logarithmic slider over the zones of this problem, and the marked stops."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from streamlit.components.v2 import component

from gd_core.here import limits_along
from gd_core.problem import Problem
from gd_core.reasons.phrases import joined, near
from gd_core.reasons.scheduled import above_the_limit
from gd_core.remedies import epochs_under
from gd_core.safe_start import epochs_needed, safe_of, safe_without_parabola, so_many
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import LEARNING_RATE
from gd_core.settings.schedules import is_constant
from gd_core.theory import AT_FIRST, ZONES_SAID, Forecast, best_is_sought, why_no_theory
from gd_core.words import counted, rounded
from pages.ui.charts.model import RecordedRun, rows_of
from pages.ui.charts.preview import can_preview
from pages.ui.look.buttons import with_buttons
from pages.ui.look.numbers import with_numbers
from pages.ui.player.recording_cache import once
from pages.ui.player.tabs import stops_before

_HERE = Path(__file__).parent
_strip = component(
    "rate",
    html=(_HERE / "rate.html").read_text(encoding="utf-8"),
    css=with_buttons(_HERE / "rate.css"),
    js=with_numbers(_HERE / "rate.js"),
)
KEY = "rate"  # of the component
NO_PREVIEW = "Charts follow the rate only for gradient descent on all rows"
SCHEDULED = "Zones and limit are for the largest rate, η, and charts do not follow it under a schedule"
BELOW_THE_LIMIT, ABOVE_THE_LIMIT = 1e-4, 10.0  # how far the track reaches, as shares of the limit
WITHOUT_A_LIMIT = (1e-6, 10.0)  # the track of a rule that has none,
AROUND = 10.0  # and at least as many times the safe rate, and its part


def show(
    experiment: Experiment, problem: Problem, forecast: Forecast | None, on_rate: Callable[[], None]
) -> None:
    """Draw the strip, without zones where theory knows none. `chosen` gives the rate when `on_rate` is called."""
    limit, rate = forecast and forecast.stability_limit, experiment.learning_rate
    low, high = WITHOUT_A_LIMIT if limit is None else (limit * BELOW_THE_LIMIT, limit * ABOVE_THE_LIMIT)
    safe = safe_of(forecast) if forecast else safe_without_parabola(experiment, problem)
    bounds = LEARNING_RATE
    stops: list[dict[str, Any]] = []
    zones: list[dict[str, object]] = []
    if safe:
        low, high = min(low, safe.rate / AROUND), max(high, safe.rate * AROUND)
        stops.append(_stop(safe.label, safe.rate, safe.why))
    if forecast and limit is not None:
        zones = [_zone(name, limit * share) for name, share in forecast.zones.items()]
        if zones[-1]["to"] is not None:
            zones.append(_zone("diverges", math.inf))
        stops.append(_stop("Limit", limit, "Above it the error grows instead of shrinking."))
        epochs = counted(experiment.epochs, "epoch")
        pays = (
            f" It is ahead of the one above from about epoch {rounded(forecast.pays_after)} on."
            if forecast.pays_after
            else ""
        )
        soon, late = forecast.best_for_epochs, forecast.best_learning_rate
        if soon is not None:
            label = f"Best for {epochs}" + (" and more" if soon == late else "")
            hint = "Of all fixed rates below the limit, the one with the smallest loss at the end of the run."
            if not is_constant(experiment):
                hint = "Of all η up to the limit, under this schedule, the one with the smallest loss at the end of the run."
            hint += stops_before(experiment)
            stops.append(_stop(label, soon, hint))
        if late is not None and soon != late:
            hint = f"The fixed rate that wins after very many epochs.{pays}"
            stops.append(_stop("Best in the long run", late, hint))
    _strip(
        key=KEY,
        data={
            "rate": rate,
            "low": max(bounds.low, min(low, rate)),
            "high": min(bounds.high, max(high, rate)),
            "limit": limit,
            # tuples: of a list Streamlit asks whether it is a table, and loads pandas to know
            "zones": tuple(zones),
            "stops": tuple(stop for stop in stops if stop["rate"] >= bounds.low),
            "wait": _wait(forecast),
            "hint": SCHEDULED
            if limit is not None and not is_constant(experiment)
            else ""
            if can_preview(experiment)
            else NO_PREVIEW,
            "reason": forecast.why_no_limit if forecast else why_no_theory(experiment),
        },
        on_rate_change=on_rate,
    )


def limit_columns(run: RecordedRun) -> dict[str, np.ndarray]:
    """What the player tells the strip where a loss is no bowl: the limit at each drawn epoch, 0 where there is none."""
    if run.parabola is not None or not run.recording.epochs:
        return {}

    def work() -> dict[str, np.ndarray]:
        limits = limits_along(run.experiment, run.problem, run.recording.epoch_theta[rows_of(run)])
        return {} if limits is None else {"limit_here": limits.numpy()}

    return once(run.recording, limit_columns, work)


def chosen() -> float | None:
    """The rate that `on_rate` was called for."""
    return st.session_state[KEY].get("rate")


def _wait(forecast: Forecast | None) -> str:
    """How long it takes at the rate as it is; empty where nobody knows, or it never gets there."""
    if forecast and not is_constant(forecast.experiment):
        return _wait_under(forecast)
    epochs = epochs_needed(forecast) if forecast else None
    if not forecast or not epochs:
        return ""
    return f"It takes {so_many(epochs)} to {near(forecast).removeprefix('to ')}."


def _wait_under(forecast: Forecast) -> str:
    """In which epochs a schedule has the rate above the limit, and whether they are enough."""
    experiment, start = forecast.experiment, forecast.problem.start
    above = above_the_limit(experiment, forecast)
    sought = best_is_sought(experiment.phase, len(start), experiment.epochs)
    if forecast.stability_limit is None or experiment.before or not sought:
        return above
    first = float(forecast.problem.objective(start))
    epochs = epochs_under(forecast.curvature, experiment.phase, start, first)
    if math.isinf(epochs):
        return joined(above, f"In {counted(experiment.epochs, 'epoch')} it does not come {near(forecast)}.")
    return joined(
        above, f"It takes {so_many(epochs)} to {near(forecast).removeprefix('to ')}." if epochs else ""
    )


def _zone(name: str, to: float) -> dict[str, object]:
    """A zone as the strip has it: the last goes on without an end."""
    # a label for which the strip has room
    look, label = ("diverges", "too large") if name == AT_FIRST else (name, name)
    return {"name": look, "label": label, "to": to if math.isfinite(to) else None, "says": ZONES_SAID[name]}


def _stop(label: str, rate: float, hint: str) -> dict[str, Any]:
    return {"label": label, "rate": rate, "hint": hint}
