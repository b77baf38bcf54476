"""What a run that its patience has stopped is told: which epoch is kept, and what going on would have come to."""

import math

from gd_core import gone_on
from gd_core.problem import build
from gd_core.settings.experiment import Experiment
from gd_core.theory import Forecast
from gd_core.training import Epochs
from gd_core.words import counted, percent, significant, times

SAME = 5e-7  # of the held-out RMSE: six digits do not part them


def stopped_early(
    recording: Epochs, experiment: Experiment, forecast: Forecast | None
) -> tuple[str, str, str]:
    """When and why; what is kept; and what was gained against the run gone on to its last epoch, where that is soon known."""
    held_out, best = recording.epoch_held_out_rmse, recording.best
    assert held_out is not None
    assert best is not None
    lowest = float(held_out[best])
    return (
        f"Stopped early at epoch {recording.epochs:,}: for {counted(experiment.patience, 'epoch')} the held-out RMSE has not "
        "fallen.",
        f"Kept is epoch {best:,}, where it is lowest, {significant(lowest)}; the RMSE of the training rows is "
        f"{significant(float(recording.epoch_rmse[best]))} there.",
        _gained(lowest, experiment, forecast),
    )


def _gained(lowest: float, experiment: Experiment, forecast: Forecast | None) -> str:
    """The held-out RMSE of the run gone on beside the kept one."""
    end = gone_on.held_out_at_the_end(experiment, forecast.problem if forecast else build(experiment))
    if end is None:
        return ""
    gone = f"Gone on to epoch {experiment.total_epochs:,}"
    if math.isinf(end):
        return f"{gone}, it diverges."
    if lowest == 0 or abs(end / lowest - 1) <= SAME:
        return (
            f"{gone}, it ends at the same."
            if end <= lowest * (1 + SAME)
            else f"{gone}, it is {significant(end)}."
        )
    if end < lowest:
        return f"{gone}, it is lower, {significant(end)}: more patience waits for that."
    above = f"{times(end / lowest)} ×" if end >= 2 * lowest else f"{percent(end / lowest - 1)} above"
    return f"{gone}, it is {significant(end)}, {above} that."
