"""The error that every rate leaves after a run's epochs, worked out once for all who look."""

import torch
from torch import Tensor

from gd_core.lessons.learning_rate.sweep import rates_between, sweep
from gd_core.settings import schedules
from gd_core.settings.experiment import Experiment, beyond
from gd_core.settings.experiment_fields import HYPERPARAMETERS
from pages.ui.player import live_runs

KNOWN = (
    "dataset", "table", "target", "features", "degree", "intercept", "missing", "points", "noise", "data_seed", "holdout",
    "split_seed", "optimizer", *HYPERPARAMETERS, "learning_rate", *schedules.FIELDS, "scale_features", "start", "seed", "engine", "epochs",
)  # fmt: skip
MOST_EPOCHS = 1000  # all rates together take a fraction of a second


def has_one(experiment: Experiment) -> bool:
    """Whether the sweep ends where runs end: full batches on a parabola, and no setting that it does not know."""
    plain = beyond(vars(experiment), KNOWN) is None and not experiment.before
    return plain and experiment.epochs <= MOST_EPOCHS and live_runs.known(experiment)[2] is not None


def swept(experiment: Experiment, ends: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Rates and the RMSE that each leaves after the experiment's epochs, ∞ where it has diverged."""
    return live_runs.worked_out(experiment, (sweep, ends), lambda: _swept(experiment, ends))


def _swept(experiment: Experiment, ends: tuple[float, float]) -> tuple[Tensor, Tensor]:
    problem, curvature, forecast = live_runs.foreseen(experiment)
    rates = rates_between(*ends, around=forecast.stability_limit)
    if forecast.best_for_epochs is not None:
        rates = torch.cat([rates, rates.new_tensor([forecast.best_for_epochs])]).unique()
    losses = sweep(
        problem.objective, problem.start, experiment.phase, rates, experiment.epochs, curvature=curvature
    )
    return rates, losses.sqrt()
