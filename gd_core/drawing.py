"""Points drawn by hand: a small table of two columns, so that the whole drawing travels in a link.

No torch until a drawing is trained.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gd_core.settings.experiment import Experiment, defaults
from gd_core.settings.fields import ParameterError, quoted
from gd_core.settings.table_fields import DATASET, table_at_hand

COLUMNS = ("x", "y")
FEWEST, MOST = 2, 200  # points
FARTHEST = 1e6  # of a point from zero along each axis
SIDE = 10.0  # of the empty paper: x and y from 0 to this
OPENING = ((0.5, 7.4), (1.6, 5.1), (2.9, 3.4), (4.1, 2.2), (5.2, 2.6), (6.5, 3.1), (7.8, 5.6), (9.2, 8.3))

Points = Sequence[Sequence[float]]


def opening() -> Experiment:
    """A few points along a curve, a parabola to fit them, scaled features, and a rate that settles."""
    usual = defaults(DATASET, "gradient-descent")
    table = _table(OPENING)
    fields = {
        "table": table.key,
        "target": COLUMNS[1],
        "features": COLUMNS[:1],
        "degree": 2,
        "points": len(OPENING),
        "scale_features": True,
        "epochs": 100,
    }
    from gd_core.safe_start import safe_start

    return safe_start(Experiment(**(usual | fields)))


def is_drawing(experiment: Experiment) -> bool:
    """Whether every row of an experiment is a point of y over x, few enough to be drawn."""
    if experiment.dataset != DATASET or (experiment.features, experiment.target) != (COLUMNS[:1], COLUMNS[1]):
        return False
    table = table_at_hand(experiment.table)
    return table is not None and table.names == COLUMNS and experiment.points == table.rows <= MOST


def points_of(experiment: Experiment) -> list[list[float]]:
    """The points of a drawing, in order, each as x and y."""
    table = table_at_hand(experiment.table)
    assert table is not None
    return [list(pair) for pair in zip(table["x"].tolist(), table["y"].tolist(), strict=True)]


def drawn(experiment: Experiment, points: Any) -> Experiment:
    """The same experiment with other points. A rate that settled on the old ones gives way to one that does on these.

    Args:
        experiment: A drawing.
        points: Pairs of numbers, from a browser: anything may come.

    Raises:
        ParameterError: If they cannot be drawn or trained on, in one sentence.
    """
    table = _table(points)
    rows = table.rows
    batch_size = experiment.batch_size if experiment.batch_size < rows else 0
    fields = {"table": table.key, "points": rows, "batch_size": 0, "before": ()}
    settles = _settles(experiment)
    changed = replace(experiment, **fields)
    if batch_size <= changed.training_rows:
        changed = replace(changed, batch_size=batch_size)
    rate = _safe_rate(changed) if settles else None
    return changed if rate is None else replace(changed, learning_rate=rate)


def _settles(experiment: Experiment) -> bool:
    """Whether the rate is the one that was computed for these points."""
    return experiment.learning_rate == _safe_rate(experiment)


def _safe_rate(experiment: Experiment) -> float | None:
    """The rate that settles, or None if the loss is no parabola and nobody knows one."""
    from gd_core.problem import build
    from gd_core.safe_start import safe_rate
    from gd_core.theory import parabola_of

    problem = build(experiment)
    curvature = parabola_of(experiment, problem.objective)
    return None if curvature is None else safe_rate(experiment, problem, curvature)


def _table(points: Any) -> Any:
    from gd_core.tables.table import Table

    if not isinstance(points, (list, tuple)) or not FEWEST <= len(points) <= MOST:
        got = f"{len(points):,}" if isinstance(points, (list, tuple)) else quoted(points)
        raise ParameterError("table", f"table must have {FEWEST} to {MOST} drawn points. Got {got}.")
    for point in points:
        if not isinstance(point, (list, tuple)) or len(point) != len(COLUMNS) or not all(map(_near, point)):
            rule = "table must have points whose x and y are numbers between −1,000,000 and 1,000,000."
            raise ParameterError("table", f"{rule} Got {quoted(point)}.")
    columns = {name: [float(point[i]) or 0.0 for point in points] for i, name in enumerate(COLUMNS)}
    try:
        table = Table.of(columns)
    except ValueError as error:
        raise ParameterError("table", str(error)) from None
    if not table.travels:
        raise ParameterError(
            "table",
            f"table must fit in a link: take fewer points, or fewer digits. Got {len(points)} points.",
        )
    return table


def _near(number: Any) -> bool:
    is_number = isinstance(number, (int, float)) and not isinstance(number, bool)
    return is_number and math.isfinite(number) and abs(number) <= FARTHEST


def paper(points: Points) -> tuple[float, float, float, float]:
    """Where the axes end, x0, x1, y0, y1: the empty paper, or beyond it as far as the points reach and a tenth more."""
    ends: list[float] = []
    for column in zip(*points, strict=True):
        low, high = min(column), max(column)
        if low >= 0 and high <= SIDE:
            ends += [0.0, SIDE]
        else:
            room = 0.1 * ((high - low) or max(1.0, abs(high)))
            ends += [low - room, high + room]
    x0, x1, y0, y1 = ends
    return x0, x1, y0, y1
