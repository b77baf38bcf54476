"""What a chart is made of: a run in, small tables out, thinned to what can be seen. No Altair here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from torch import Tensor

from gd_core.datasets import Dataset
from gd_core.problem import Problem
from gd_core.settings.catalog import model_info
from gd_core.settings.experiment import Experiment
from gd_core.theory import Curvature, why_no_theory
from gd_core.training import Epochs, Recording

DRAWN_EPOCHS = 1000  # at most about this many rows of a run are drawn
DRAWN_ROWS = 250  # at most this many data points are drawn,
MOVED_ROWS = 125  # and this many of those that move at every epoch
ZERO = 1e-16  # of the first value: below it a logarithmic axis says "zero to rounding"
NEVER = 1e9  # an epoch that does not come: from there on the optimum is drawn while nobody may know it
BORDER = 0.96  # of half a map: there a cross is still whole
AT_THE_FLOOR = 1.001  # times it
RESTS = 0.005  # of the height of the error's axis, about a pixel: nearer to its end an error rests
PATH_STEP = 0.005  # of half a chart, about a pixel: nearer points of a line are drawn as one


class View(NamedTuple):
    """A chart: its specification, its tables by name, and its text for those who cannot see it."""

    spec: Mapping[str, Any]
    tables: Mapping[str, pa.Table]
    text: str


@dataclass(frozen=True, eq=False)
class Run:
    """All that the charts of one page need to know about a run, or about a start that is not trained yet."""

    experiment: Experiment
    problem: Problem
    parabola: Curvature | None  # that the loss is, if it is one
    recording: Epochs

    @property
    def curvature(self) -> Curvature:
        """The parabola, for charts that only show runs that have one.

        Raises:
            ValueError: If this has none.
        """
        return of_parabola(self.parabola, self.experiment)


@dataclass(frozen=True, eq=False)
class RecordedRun(Run):
    """The same with every update: for the player, for a step taken apart, and for what is taken away."""

    recording: Recording


def of_parabola(parabola: Curvature | None, experiment: Experiment) -> Curvature:
    """The parabola of a run.

    Raises:
        ValueError: If there is none, with the reason.
    """
    if parabola is None:
        raise ValueError(why_no_theory(experiment))
    return parabola


def drawn_epochs(recorded: int, planned: int) -> np.ndarray:
    """Which epochs are drawn: every n-th, so that a whole run has about DRAWN_EPOCHS, and always the last."""
    stride = stride_of(planned)
    epochs = np.arange(0, recorded + 1, stride, dtype=np.int32)
    return epochs if epochs[-1] == recorded else np.append(epochs, np.int32(recorded))


def stride_of(planned: int) -> int:
    """Every how many epochs one is drawn."""
    return -(-planned // DRAWN_EPOCHS)


def rows_of(run: Run) -> np.ndarray:
    return drawn_epochs(run.recording.epochs, drawn_until(run))


def drawn_until(run: Run) -> int:
    """Up to which epoch it is drawn: as planned, or where its own tolerance or patience has stopped it."""
    stopped = run.recording.still or run.recording.early
    return max(1, run.recording.epochs) if stopped else run.experiment.total_epochs


def last_epoch(run: Run) -> int:
    """Where an axis of epochs ends: as planned, or where a run has ended before."""
    return max(1, run.recording.epochs if run.recording.complete else run.experiment.total_epochs)


def error_until(run: Run) -> int:
    """Where the error's axis ends: soon after the error rests at the floor, where that is in the first half of a run.

    It rests once it is nearer to its last value than RESTS of the height of the logarithmic axis, among the drawn epochs, of
    which ten at least stay. One that only crawls, far above the floor, is drawn to its end.
    """
    end, best = last_epoch(run), run.parabola
    rmse = float(run.recording.epoch_rmse[-1])
    arrived = best is not None and rmse <= AT_THE_FLOOR * best.floor_rmse
    if best is not None and not best.bounds_rmse:
        arrived = arrived and rmse * AT_THE_FLOOR >= best.floor_rmse
    if not (run.recording.complete and arrived):
        return end
    rows, stride = rows_of(run), stride_of(drawn_until(run))
    known = (run.recording.epoch_rmse, run.recording.epoch_held_out_rmse, run.recording.epoch_loss.sqrt())
    logs = [np.log(np.maximum(values.numpy()[rows], 1e-300)) for values in known if values is not None]
    moved = [np.flatnonzero(abs(log - log[-1]) > RESTS * np.ptp(log)) for log in logs if np.ptp(log) > 1e-6]
    rests = max((int(rows[one[-1]]) + stride for one in moved if len(one)), default=end)  # or it never moved
    soon = max(10 * stride, int(1.25 * rests))
    return soon if 2 * soon < end else end


def table(columns: Mapping[str, Any]) -> pa.Table:
    """A table in 32 bits or less, where numbers end at ±3e38; no axis shows one so large. Arrow, not pandas, whose description of itself is longer than a small table."""
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    arrays = {name: np.clip(a, -3e38, 3e38) if a.dtype == np.float64 else a for name, a in arrays.items()}
    small = {np.dtype(np.float64): np.float32, np.dtype(np.int64): np.int32}
    return arrow(
        {name: values.astype(small.get(values.dtype, values.dtype)) for name, values in arrays.items()}
    )


def arrow(columns: Mapping[str, np.ndarray]) -> pa.Table:
    """Arrays of numbers, truths or texts as a table, as they are."""
    return pa.table({name: column_of(values) for name, values in columns.items()})


def column_of(values: np.ndarray) -> pa.Array:
    """An array as a table's column, by its bytes: `pa.array` loads pandas, to see that it is none of its kinds."""
    parts = [values]
    kind = pa.string() if values.dtype.kind == "U" else pa.from_numpy_dtype(values.dtype)
    if values.dtype.kind == "U":
        texts = [text.encode() for text in values.tolist()]
        parts = [np.cumsum([0, *map(len, texts)], dtype=np.int32), np.frombuffer(b"".join(texts), np.uint8)]
    elif values.dtype == bool:
        parts = [np.packbits(values, bitorder="little")]
    buffers = [pa.py_buffer(np.ascontiguousarray(part)) for part in parts]
    return pa.Array.from_buffers(kind, len(values), [None, *buffers])


def frame_table(run: Run, **columns: Any) -> pa.Table:
    common = {
        "stride": stride_of(drawn_until(run)),
        "last": run.recording.epochs,
        "planned": drawn_until(run),
    }
    return table({k: [v] for k, v in (common | columns).items()})


def parameters(run: Run, rows: np.ndarray) -> dict[str, np.ndarray]:
    theta = run.problem.raw(run.recording.epoch_theta[rows]).numpy()
    return {f"p{i}": theta[:, i] for i in range(theta.shape[1])}


def drawn_rows(experiment: Experiment, most: int = DRAWN_ROWS) -> tuple[int, int]:
    """How many training and held-out rows are drawn: all, or so many together, with the same share of both."""
    training, held_out = experiment.training_rows, experiment.held_out_rows
    if experiment.points <= most:
        return training, held_out
    kept = max(1, round(most / experiment.points * held_out)) if held_out else 0
    return most - kept, kept


def curve_parameters(run: Run, theta: Tensor) -> dict[str, Any]:
    """See `parameters_of_curve`."""
    return parameters_of_curve(run.experiment.info.model, run.problem, theta)


def centre_of(run: Run) -> dict[str, float]:
    """See `centre_of_curve`."""
    return centre_of_curve(run.experiment.info.model, run.problem)


def parameters_of_curve(model: str, problem: Problem, theta: Tensor) -> dict[str, Any]:
    """What a curve over one feature is drawn with, from θ as it is trained [..., P]: p0, p1 …

    Of a centred model those of the feature minus its mean, over its deviation: see `ModelInfo.centred`.
    """
    theta = problem.centred(theta) if model_info(model).centred else problem.raw(theta)
    return {f"p{i}": theta[..., i].numpy() for i in range(theta.shape[-1])}


def centre_of_curve(model: str, problem: Problem) -> dict[str, float]:
    """What belongs to `parameters_of_curve` in the table `frame`."""
    if not model_info(model).centred:
        return {}
    dataset = problem.dataset
    return {"mean": float(dataset.mean[0]), "deviation": float(dataset.deviation[0])}


def points_of(columns: Mapping[str, np.ndarray], most: int = DRAWN_ROWS) -> pa.Table:
    """Data points, thinned evenly where there are too many to draw; the page says so."""
    rows = len(next(iter(columns.values())))
    keep = np.unique(np.linspace(0, rows - 1, min(rows, most)).astype(int))
    return table({name: values[keep] for name, values in columns.items()})


def both_kinds(
    run: Run, columns: Callable[[Dataset], Mapping[str, np.ndarray]], most: int = DRAWN_ROWS
) -> dict[str, pa.Table]:
    """The tables `points`, of the training rows, and `held_out` where rows are held out, thinned alike."""
    training, held_out = drawn_rows(run.experiment, most)
    tables = {"points": points_of(columns(run.problem.dataset), training)}
    if run.problem.held_out:
        tables["held_out"] = points_of(columns(run.problem.held_out), held_out)
    return tables


def values_of(run: Run, column: Callable[[Dataset], Tensor]) -> np.ndarray:
    """One column of all rows, held-out ones included, for the ends of an axis."""
    kinds = (run.problem.dataset, run.problem.held_out)
    return np.concatenate([column(kind).numpy() for kind in kinds if kind])


def off_chart(run: Run, rows: np.ndarray, height: float) -> dict[str, np.ndarray]:
    """The column `off` of the table `run`: by how much the curve misses the data once that is more than the chart is high.

    Above 0 where it is too high on average, below where it is too low, 0 where it is still to be seen. There is no such
    column where a run stays.
    """
    rmse = run.recording.epoch_rmse.numpy()[rows]
    if not (rmse > height).any():
        return {}
    mean = float(run.problem.dataset.y.mean())
    off = [
        np.copysign(error, float(run.problem.predicted(theta).mean()) - mean) if error > height else 0.0
        for error, theta in zip(rmse, run.recording.epoch_theta[rows], strict=True)
    ]
    return {"off": np.array(off)}


def padded(values: np.ndarray, share: float) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-5 * abs(high):  # no spread that 32 bits could tell
        return low - max(1.0, 0.5 * abs(high)), high + max(1.0, 0.5 * abs(high))
    pad = share * (high - low) or 1.0
    return low - pad, high + pad


def log_zero(first: float) -> float:
    """Where a logarithmic axis ends for want of digits, from the first value of a run."""
    return ZERO * first if first > 1e-20 else 1e-30


def told_apart(places: np.ndarray) -> list[int]:
    """Rows of a line that are far enough from the last drawn one to be seen apart, and both ends.

    Args:
        places: One row a point; 2 is the chart's whole side.
    """
    points = places.tolist()  # Python's own numbers: NumPy takes longer to be called than to compare two
    keep, last = [0], points[0]
    for i, point in enumerate(points):
        if any(abs(a - b) >= PATH_STEP for a, b in zip(point, last, strict=True)):
            keep.append(i)
            last = point
    return keep if keep[-1] == len(points) - 1 else [*keep, len(points) - 1]


def apart(places: np.ndarray) -> np.ndarray:
    """Which points of a line are in another cell, a pixel wide, than the point before; and both ends."""
    cells = np.round(places / PATH_STEP)
    other = np.concatenate([[True], (np.diff(cells, axis=0) != 0).any(1)])
    other[-1] = True
    return other


def where_it_leaves(share: np.ndarray) -> tuple[int, np.ndarray]:
    """The update with which a path first leaves the map, and the place just inside its border where it does."""
    out = np.flatnonzero((np.abs(share) > 1).any(1))
    if not len(out) or out[0] == 0:
        return len(share) - 1, np.clip(share[-1], -BORDER, BORDER)
    here, step = share[out[0] - 1], share[out[0]] - share[out[0] - 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        ways = np.where(step != 0, (np.sign(step) * BORDER - here) / step, np.inf)
    return int(out[0]), here + max(0.0, float(ways.min())) * step


def log_path(rows: np.ndarray, columns: Mapping[str, np.ndarray]) -> pa.Table:
    """Lines by epoch on a logarithmic axis, thinned together."""
    logs = [np.log(values) for values in columns.values()]
    span = max(max(log.max() for log in logs) - min(log.min() for log in logs), 1e-9)
    places = np.column_stack([2 * rows / max(rows[-1], 1), *(2 * log / span for log in logs)])
    keep = told_apart(places)
    return table({"epoch": rows[keep]} | {name: values[keep] for name, values in columns.items()})
