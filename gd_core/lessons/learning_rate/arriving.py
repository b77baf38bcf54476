"""How to arrive with single rows: at a constant rate they hover, at one that shrinks they arrive, and so does the mean of the points."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from gd_core.averaging import running
from gd_core.in_batches import safe_rate, settling_rate
from gd_core.problem import Problem
from gd_core.reasons.phrases import joined
from gd_core.settings.catalog import why_not_scaled
from gd_core.settings.engines import AUTO
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import typed_rate
from gd_core.settings.schedules import in_words, rate_at
from gd_core.theory import Curvature
from gd_core.training import Epochs
from gd_core.words import counted, percent, short, significant, times

EPOCHS, FEWEST = 100, 20  # of the two runs, at most and at least
UPDATES = 4_000  # of each, at most: a student waits for both
AT_LAST = 5  # the so manieth part of the epochs, at the end, over which a run that hovers is averaged
HOVERS = 0.5  # of what was left between half of the epochs and the last ones, from which on a run hovers
NEARER = 1.05  # times, from which on one is called nearer
ARRIVED = 0.01  # of the way from the start's RMSE to the floor: so little is left
CONSTANT, SHRINKING, MEAN = "constant rate", "shrinking rate", "mean of the points"


@dataclass(frozen=True, eq=False)
class Arriving:
    """Two runs of single rows from one start, and the mean of the points of the last half of the first.

    Attributes:
        constant: The run at a constant rate,
        shrinking: and the one whose rate shrinks.
        above: RMSE minus the floor at each epoch of both, and of the mean as far as it is known then, [E + 1] each, by name.
        floor: The floor.
    """

    constant: Experiment
    shrinking: Experiment
    above: Mapping[str, np.ndarray]
    floor: float

    @property
    def last(self) -> int:
        """How many epochs at the end are averaged over."""
        return self.constant.epochs // AT_LAST

    @property
    def at_last(self) -> dict[str, float]:
        """What is left above the floor: of a run on average over the last epochs, of the mean of points at the end."""
        runs = {name: float(self.above[name][-self.last :].mean()) for name in (CONSTANT, SHRINKING)}
        return runs | {MEAN: float(self.above[MEAN][-1])}


def why_elsewhere(base: Experiment, curvature: Curvature) -> str:
    """Why it is not shown on these rows, as the end of a sentence; "" where it is."""
    rows = base.training_rows
    if rows < 2:
        return "these data have one row"
    if rows * FEWEST > UPDATES:
        return f"these data have {counted(rows, 'row')}, and single rows take as many updates in an epoch"
    if curvature.floor_is_zero:
        return "here one curve meets every row, so single rows agree where to go and arrive at a constant rate, too"
    return ""


def runs(base: Experiment, problem: Problem, curvature: Curvature) -> tuple[Experiment, Experiment]:
    """Gradient descent in single rows at half of what they stand on average, and at a rate that shrinks to a tenth of that."""
    epochs = min(EPOCHS, UPDATES // base.training_rows)
    plain = replace(
        base, optimizer="gradient-descent", engine=AUTO, batch_size=1, epochs=epochs, schedule=Experiment.schedule,
        warmup=Experiment.warmup, counted_in=Experiment.counted_in,
    )  # fmt: skip
    phase = plain.phase
    rate = min(settling_rate(curvature, phase, 1), safe_rate(problem.linear, 1, phase))
    constant = replace(plain, learning_rate=typed_rate(rate))
    return constant, replace(constant, schedule=f"inverse-time:{round(10 / epochs, 2)}")


def arriving(
    experiments: tuple[Experiment, Experiment],
    recordings: tuple[Epochs, Epochs],
    problem: Problem,
    curvature: Curvature,
) -> Arriving:
    """What these two came to."""
    floor, means = curvature.floor_rmse, running(recordings[0], np.arange(recordings[0].epochs + 1))
    rmse = {
        CONSTANT: recordings[0].epoch_rmse,
        MEAN: problem.objective.rmse(means),
        SHRINKING: recordings[1].epoch_rmse,
    }
    least = 1e-12 * float(recordings[0].epoch_rmse[0])  # rounding
    above = {name: np.maximum(values.numpy() - floor, least) for name, values in rmse.items()}
    return Arriving(*experiments, above, floor)


def rates(found: Arriving) -> dict[str, str]:
    """The rate of each, in a few words."""
    first, last = found.constant.learning_rate, rate_at(found.shrinking, 1, found.shrinking.epochs - 1)
    return {CONSTANT: short(first), SHRINKING: f"{short(first)} → {short(last)}", MEAN: short(first)}


def told(found: Arriving) -> str:
    """What became of the three."""
    left, first = found.at_last, float(found.above[CONSTANT][0])
    at = {name: significant(found.floor + one, 4) for name, one in left.items()}
    before = float(found.above[CONSTANT][found.constant.epochs // 2 : -found.last].mean())
    does = "hover about" if left[CONSTANT] >= HOVERS * before else "are about"
    best = min(left, key=left.__getitem__)
    late = ""
    if left[best] > ARRIVED * first:
        late = f"All three are still on the way: {percent(left[best] / first)} of it is left to the best of them."
        if not found.constant.scale_features and why_not_scaled(found.constant.info) is None:
            late += " Scale the features: the flat direction takes longer than these epochs."
    return joined(
        f"At the constant rate {short(found.constant.learning_rate)} single rows {does} RMSE {at[CONSTANT]} over the last "
        f"{counted(found.last, 'epoch')}; the floor is {significant(found.floor, 4)}. Each row pulls its own way, and steps of the same length "
        "follow it.",
        f"With a rate that shrinks{in_words(found.shrinking)}, they come to {at[SHRINKING]}, {_nearer(left, SHRINKING)}.",
        "Or keep the rate, and take the mean of the points of the last half: it is at "
        f"{at[MEAN]}, {_nearer(left, MEAN)}.",
        late,
    )


def _nearer(left: Mapping[str, float], name: str) -> str:
    ratio = left[CONSTANT] / left[name]
    return f"{times(ratio)} × nearer to the floor" if ratio >= NEARER else "no nearer to the floor"
