"""What is said of a table under its columns: what to mend in it, and which rate it opens with."""

from dataclasses import replace

import numpy as np
import streamlit as st

from gd_core.problem import Problem
from gd_core.safe_start import best_rate, safe_rate
from gd_core.settings.experiment import Experiment
from gd_core.verdict import ILL_CONDITIONED
from gd_core.words import short
from pages.ui.look.look import plain
from pages.ui.player import live_runs
from pages.ui.train import own_table


def show(experiment: Experiment) -> None:
    """Draw the advice, with a button where one press mends it."""
    problem, curvature, forecast = live_runs.known(experiment)
    for sentence in remarks(experiment, problem):
        st.markdown(f":orange[:material/info:] {plain(sentence)}")
    lines = [own_table.note(experiment)]
    if curvature is None or forecast is None:
        st.caption(plain(lines[0].strip()))
        own_table.ask_for_the_link(experiment)
        return
    kappa = forecast.condition_number
    if experiment.scale_features and (plainly := _kappa_as_it_is(experiment)) > ILL_CONDITIONED:
        size = "∞" if np.isinf(plainly) else short(plainly)
        slow = f" As they are, κ = {size}, and training is slow." if kappa < plainly else ""
        st.markdown(f":small[The features are scaled.{slow}]")
        st.button("Show it unscaled", key="unscale", on_click=own_table.unscale, width="stretch",
                  help="The same rows as they are, at a rate that settles.")  # fmt: skip
    if kappa > ILL_CONDITIONED and not experiment.scale_features:
        size = "∞" if np.isinf(kappa) else short(kappa)
        wait = "it never gets there" if np.isinf(kappa) else f"it needs about {size} epochs"
        st.markdown(f":small[The features’ scales differ: κ = {size}. Along the flattest direction {wait}.]")
        st.button("Scale features", key="scale_offer", on_click=own_table.scale, width="stretch",
                  help="Each feature minus its mean, over its deviation. The coefficients are shown in raw units too.")  # fmt: skip
    if experiment.learning_rate == best_rate(experiment, problem, curvature) and forecast.best_for_epochs:
        epochs = "1 epoch" if experiment.epochs == 1 else f"{experiment.epochs:,} epochs"
        lines.insert(0, f"η is the best for {epochs} of these rows, computed from their curvature.")
    elif experiment.learning_rate == safe_rate(experiment, problem, curvature):
        lines.insert(0, _why_rate(forecast.stability_limit is not None))
    st.caption(plain(" ".join(lines).strip()))
    own_table.ask_for_the_link(experiment)


def _kappa_as_it_is(experiment: Experiment) -> float:
    """κ of the same rows unscaled."""
    forecast = live_runs.known(replace(experiment, scale_features=False))[2]
    return forecast.condition_number if forecast else 1.0


def _why_rate(has_limit: bool) -> str:
    if has_limit:
        return "η is half the limit for these rows, computed from their curvature: Train settles."
    return "η makes a first step of a tenth of the way to the optimum."


def remarks(experiment: Experiment, problem: Problem) -> list[str]:
    """Constant and repeated columns, and too few rows, each with what to do."""
    x, names = problem.dataset.x.numpy(), problem.dataset.feature_names
    said = [
        f"{name} is the same in every row, as the intercept b is: leave it out."
        for name, column in zip(names, x.T, strict=True)
        if (column == column[0]).all()
    ]
    for i, name in enumerate(names):
        twin = next((names[j] for j in range(i) if np.array_equal(x[:, i], x[:, j])), None)
        if twin is not None:
            said.append(f"{twin} and {name} hold the same numbers: one of them is enough.")
    parameters = len(experiment.info.parameters)
    if len(x) < parameters:
        said.append(
            f"{len(x)} rows for {parameters} parameters: many answers fit equally well. Add rows, or take fewer features."
        )
    return said
