"""What is said of a table under its columns: what to mend in it, and which rate it opens with."""

from dataclasses import replace

import numpy as np
import streamlit as st

from gd_core.problem import Problem
from gd_core.reasons.phrases import ILL_CONDITIONED
from gd_core.safe_start import epochs_needed, safe_rate, so_many, why_scaled
from gd_core.settings.catalog import LOSS_INFO, how_scaled
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import typed_rate
from gd_core.settings.schedules import is_constant
from gd_core.settings.table_fields import is_yes_no
from gd_core.theory import Forecast
from gd_core.words import counted, of_column, rounded, short
from pages.ui.look.look import plain
from pages.ui.player import live_runs
from pages.ui.train import own_table


def show(experiment: Experiment) -> None:
    """Draw the advice, with a button where one press mends it."""
    problem, curvature, forecast = live_runs.known(experiment)
    too_large = why_scaled(experiment, lambda one: live_runs.known(one)[:2])
    for sentence in (*remarks(experiment, problem), *filter(None, [too_large])):
        st.markdown(f":orange[:material/info:] {plain(sentence)}")
    if not experiment.loss_info.yes_no and is_yes_no(vars(experiment), built_in=False):
        st.button("Fit a probability", key="probability", on_click=own_table.fit_probability, width="stretch",
                  help=f"The target is 0 or 1. {LOSS_INFO['log'].help}")  # fmt: skip
    lines = [own_table.note(experiment)]
    if curvature is None or forecast is None:
        st.caption(plain(lines[0].strip()))
        own_table.ask_for_the_link(experiment)
        return
    kappa = forecast.condition_number
    if experiment.scale_features and not too_large:
        plainly = _kappa_as_it_is(experiment)
        if plainly > ILL_CONDITIONED:
            slow = f" As they are, κ = {rounded(plainly)}, and training is slow." if kappa < plainly else ""
            st.markdown(f":small[The features are scaled.{slow}]")
            st.button("Show it unscaled", key="unscale", on_click=own_table.unscale, width="stretch",
                      help="The same rows as they are, at a rate that settles.")  # fmt: skip
    if kappa > ILL_CONDITIONED:
        st.markdown(f":small[{plain(_why_slow(experiment, problem, kappa))}]")
    if (kappa > ILL_CONDITIONED or too_large) and not experiment.scale_features:
        st.button("Scale features", key="scale_offer", on_click=own_table.scale, width="stretch",
                  help=f"{how_scaled(experiment.info)}. The coefficients are shown in raw units too.")  # fmt: skip
    best = forecast.best_for_epochs
    if best and experiment.updates_per_epoch == 1 and experiment.learning_rate == typed_rate(best):
        epochs = counted(experiment.epochs, "epoch")
        lines.insert(0, f"η is the best for {epochs} of these rows, computed from their curvature.")
    elif experiment.learning_rate == safe_rate(experiment, problem, curvature):
        lines.insert(0, _why_rate(forecast))
    st.caption(plain(" ".join(lines).strip()))
    own_table.ask_for_the_link(experiment)


def _kappa_as_it_is(experiment: Experiment) -> float:
    """κ of the same rows unscaled."""
    forecast = live_runs.known(replace(experiment, scale_features=False))[2]
    return forecast.condition_number if forecast else 1.0


def _why_slow(experiment: Experiment, problem: Problem, kappa: float) -> str:
    """What makes the directions differ: the scales of several features, or how far a single one is from 0."""
    size = f"κ = {rounded(kappa)}"
    x, name = problem.dataset.x[:, 0], problem.dataset.feature_names[0]
    middle, spread = float(x.mean()), float(x.std(correction=0))
    if experiment.scale_features:
        what = f"powers of {name}" if experiment.degree > 1 else "features"
        return f"The {what} are much alike: {size}."
    if len(experiment.features) > 1:
        return f"The features’ scales differ: {size}."
    if experiment.degree > 1:
        return f"The powers of {name} differ in size: {size}."
    if abs(middle) > spread:
        return f"{name} is {of_column(name, middle)} on average and spreads by {short(spread)}, so w₁ and b pull on the same thing: {size}."
    return f"The scale of {name} is far from 1: {size}."


def _why_rate(forecast: Forecast) -> str:
    if forecast.stability_limit is None:
        return "η makes a first step of a tenth of the way to the optimum."
    epochs = epochs_needed(forecast)
    if not is_constant(forecast.experiment):
        return "η is half the limit for these rows, computed from their curvature: no direction grows."
    if epochs is None or epochs <= forecast.experiment.epochs:
        return "η is half the limit for these rows, computed from their curvature: Train settles."
    return f"η is half the limit for these rows: no direction grows, but the slowest takes {so_many(epochs)}."


def remarks(experiment: Experiment, problem: Problem) -> list[str]:
    """Constant and repeated columns, and too few rows, each with what to do."""
    x, names = problem.dataset.x.numpy(), problem.dataset.feature_names
    said = [
        f"{name} is the same in every row, as the intercept b is: leave it out."
        for name, column in zip(names, x.T, strict=True)
        if experiment.intercept and (column == column[0]).all()
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
