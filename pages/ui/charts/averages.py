"""The mean of the points of the last half, beside a run in mini-batches: a dotted line, and an open square where it is now.

It is drawn as if the run ended at each epoch: what one would have taken along. See `gd_core.averaging`.
"""

from itertools import accumulate
from typing import Any

import altair as alt
import numpy as np
from torch import Tensor

from gd_core.averaging import running
from gd_core.objective import LinearObjective
from pages.ui.charts.elements import dot
from pages.ui.charts.model import Run
from pages.ui.look.palette import Palette

NOTE = "□ mean of the points of its last half"
TEXT = " Dotted line and open square: the mean of the points of the last half so far."
FROM = "epoch > 1"  # up to there it is the point itself


def is_averaged(run: Run) -> bool:
    """Whether points scatter, so that their mean tells something."""
    return run.recording.mini_batches


def points_of(run: Run, rows: np.ndarray) -> Tensor:
    """The mean at each of some epochs, [K, P]; each part of a run for itself."""
    firsts = [0, *accumulate(phase.epochs for phase in run.experiment.before)]
    return running(run.recording, rows, firsts)


def rmse_of(run: Run, points: Tensor) -> np.ndarray:
    """Root mean squared error of the training rows at some points, [K]: of a linear model by its moments, however many rows."""
    objective = run.problem.objective
    # A probability has no moments.
    if not isinstance(objective, LinearObjective) or run.experiment.loss_info.yes_no:
        return objective.rmse(points).numpy()
    return objective.dataset.unit * objective.moments.mean_square(points).sqrt().numpy()


def line(base: alt.Chart, axes: dict[str, Any], colours: Palette) -> alt.Chart:
    """The dotted line up to this epoch; the rows hold their `epoch`, x and y."""
    style: dict[str, Any] = {"clip": True, "strokeWidth": 2.5, "color": colours.several[1]}
    return base.transform_filter("datum.epoch <= epoch").mark_line(strokeDash=[2, 2], **style).encode(**axes)


def head(x: str, y: str, colours: Palette) -> alt.Chart:
    """The open square where the mean is at this epoch."""
    style = {"shape": "square", "size": 90, "filled": False, "strokeWidth": 2}
    return dot(x, y, FROM, stroke=colours.several[1], **style)
