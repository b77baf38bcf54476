"""The strip under the learning rate: a logarithmic slider over the zones of this problem, and the marked stops."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.components.v2 import component

from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import LEARNING_RATE
from gd_core.theory import Forecast, why_no_theory
from pages.ui.player.tabs import BEFORE_THE_TOLERANCE

_HERE = Path(__file__).parent
_strip = component(
    "rate",
    html=(_HERE / "rate.html").read_text(encoding="utf-8"),
    css=(_HERE / "rate.css").read_text(encoding="utf-8"),
    js=(_HERE / "rate.js").read_text(encoding="utf-8"),
)
KEY = "rate"  # of the component
BELOW_THE_LIMIT, ABOVE_THE_LIMIT = 1e-4, 10.0  # how far the track reaches, as shares of the limit
WITHOUT_A_LIMIT = (1e-6, 10.0)  # the track of a rule that has none


def show(experiment: Experiment, forecast: Forecast | None, on_rate: Callable[[], None]) -> None:
    """Draw the strip, without zones where theory knows none. `chosen` gives the rate when `on_rate` is called."""
    limit, rate = forecast and forecast.stability_limit, experiment.learning_rate
    low, high = WITHOUT_A_LIMIT if limit is None else (limit * BELOW_THE_LIMIT, limit * ABOVE_THE_LIMIT)
    bounds = LEARNING_RATE
    stops: list[dict[str, object]] = []
    zones: list[dict[str, object]] = []
    if forecast and limit is not None and forecast.best_learning_rate is not None:
        zones = [{"name": name, "to": limit * share} for name, share in forecast.zones.items()]
        zones.append({"name": "diverges", "to": None})
        epochs = f"{experiment.epochs:,} epoch" + ("s" if experiment.epochs > 1 else "")
        pays = (
            f" It is ahead of the one above from epoch {forecast.pays_after:,} on."
            if forecast.pays_after
            else ""
        )
        if forecast.best_for_epochs is not None:
            hint = "Of all fixed rates below the limit, the one with the smallest loss at the end of the run."
            hint += BEFORE_THE_TOLERANCE if experiment.tolerance else ""
            stops.append(_stop(f"Best for {epochs}", forecast.best_for_epochs, hint))
        hint = f"The fixed rate that wins after very many epochs.{pays}"
        stops.append(_stop("Best in the long run", forecast.best_learning_rate, hint))
        stops.append(_stop("Limit", limit, "Above it the error grows instead of shrinking."))
    _strip(
        key=KEY,
        data={
            "rate": rate,
            "low": max(bounds.low, min(low, rate)),
            "high": min(bounds.high, max(high, rate)),
            "limit": limit,
            "zones": zones,
            "stops": stops,
            "reason": forecast.why_no_limit if forecast else why_no_theory(experiment),
        },
        on_rate_change=on_rate,
    )


def chosen() -> float | None:
    """The rate that `on_rate` was called for."""
    return st.session_state[KEY].get("rate")


def _stop(label: str, rate: float, hint: str) -> dict[str, object]:
    return {"label": label, "rate": rate, "hint": hint}
