"""What is said of a run that has converged: the news, and which raw numbers are not yet, or never, determined."""

import math

import torch

from gd_core.outcome import Finding
from gd_core.reasons.phrases import CLOSE, can_leave, phase_of, rmse_of, sizes_of
from gd_core.settings.experiment import Experiment
from gd_core.settings.table_fields import with_columns
from gd_core.theory import Forecast
from gd_core.training import Epochs
from gd_core.words import floor_of, percent, short, significant, some

OFF = 5e-3  # of a coefficient: the third digit shows it,
RIGHT = 5e-4  # and from here on no longer


def converged(
    recording: Epochs, experiment: Experiment, forecast: Forecast, finding: Finding
) -> tuple[str, ...]:
    """The news, and what is still to be said: that it can be left again, or that raw numbers are not there yet."""
    since = f"since epoch {finding.epoch:,}" if finding.epoch else "from the start"
    rmse, rest = recording.epoch_rmse, ""
    above = float(rmse[-1]) - forecast.floor_rmse
    if above > CLOSE * forecast.floor_rmse and rmse_of(recording, forecast) != "0":
        rest = f" but for {percent(above / float(rmse[0]))} of the first error"
    news = f"As good as this curve gets{rest}, {since}: RMSE {rmse_of(recording, forecast)}, floor {floor_of(forecast)}."
    if experiment.loss_info.rises and not forecast.floor_is_zero:
        news = f"The loss is as low as it gets, {since}: RMSE {rmse_of(recording, forecast)}, where its minimum has {significant(forecast.floor_rmse)}."
    phase = phase_of(recording, experiment)[0]
    if finding.leaves:
        return news, can_leave(phase)
    return news, _undetermined(experiment, forecast) or _coefficient_off(recording, experiment, forecast)


def _undetermined(experiment: Experiment, forecast: Forecast) -> str:
    """Which parameters are not determined by the data, but only their combination."""
    curvature, names = forecast.curvature, with_columns(vars(experiment), experiment.info.parameters)
    flat = curvature.eigenvectors[:, curvature.eigenvalues == 0]
    if not flat.shape[1]:
        return ""
    raw = flat.T @ forecast.problem.to_raw.T  # [F, P]
    size = forecast.problem.dataset.x.abs().amax(0)
    weight = torch.ones(len(names), dtype=torch.float64)
    if len(size) == experiment.info.weights:
        weight[: len(size)] = size  # what a parameter changes of the curve
    part = (raw * weight).abs().amax(0)
    taking = [name for name, share in zip(names, (part / part.max()).tolist(), strict=True) if share > 1e-6]
    listed = ", ".join(taking[:-1]) + f" and {taking[-1]}" if len(taking) > 1 else taking[0]
    if len(taking) > 5:
        listed = f"{len(taking)} of the parameters"
    if len(taking) == 1:
        return f"Nothing in the data determines {listed}: its column is 0, and it stays where it starts."
    return (
        f"Only a combination of {listed} is determined, because their columns say the same: the rest depends on the "
        "start, and another program prints other, equally good numbers."
    )


def _coefficient_off(recording: Epochs, experiment: Experiment, forecast: Forecast) -> str:
    """The raw coefficient that is furthest from least squares, where three digits show it, and how long it takes."""
    problem, curvature = forecast.problem, forecast.curvature
    theta = recording.epoch_theta[-1]
    ends, best = problem.raw(theta), torch.tensor(forecast.optimum, dtype=torch.float64)
    scale = sizes_of(forecast)
    shares = ((ends - best) / best).abs()
    counts = (best.abs() > 1e-6 * scale) & (torch.tensor(forecast.optimum_digits) >= 4)
    shares = torch.where(counts, shares, 0.0)
    place = int(shares.argmax())
    if not float(shares[place]) > OFF:
        return ""
    name = with_columns(vars(experiment), experiment.info.parameters)[place]
    best_by = "least squares" if curvature.bounds_rmse else "the lowest loss"
    text = (
        f"{name} is still {percent(float(shares[place]))} off: {short(float(ends[place]))}, where {best_by} has "
        f"{short(float(best[place]))}"
    )
    factors = forecast.factors
    if factors is None or experiment.before:
        return f"{text}."
    slow = max(
        (f for f, x in zip(factors, forecast.eigenvalues, strict=True) if x > 0 and f < 1), default=0.0
    )
    if not 0 < slow < 1 or bool((curvature.eigenvalues == 0).any()):
        return f"{text}."
    wait = math.log(float(shares[place]) / RIGHT) / -math.log(slow)
    return f"{text}; three digits take {some(recording.epochs + wait)}."
