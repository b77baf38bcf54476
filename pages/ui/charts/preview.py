"""Where another rate would lead: drawn by the browser, from the closed form, while the rate is dragged.

Along eigenvector i of the Hessian gradient descent on all rows multiplies the error by 1 − ηλᵢ in an epoch. So a chart that
knows λ, and how far the start is off along each eigenvector, draws path and error of any η without asking the server. The
player moves the rate into the parameter `preview` of each chart; 0 draws nothing.
"""

from typing import Any

import altair as alt

from gd_core.settings.experiment import Experiment, beyond
from gd_core.settings.experiment_fields import COMMON_FIELDS
from gd_core.settings.rules import is_plain
from pages.ui.charts.elements import FRAME, Rows, one_row
from pages.ui.charts.model import DRAWN_EPOCHS, Run
from pages.ui.look.palette import Palette

KNOWN = COMMON_FIELDS  # settings with which the closed form is the run
RATE = "toNumber(preview)"
BEYOND = 1e3  # times the height of a chart: a line that goes there has left it


def can_preview(experiment: Experiment) -> bool:
    """Whether the error along each eigenvector is multiplied by 1 − ηλ in every epoch, and the loss is the mean square."""
    plain = is_plain(experiment) and experiment.updates_per_epoch == 1 and not experiment.before
    known = beyond(vars(experiment), KNOWN) is None and not (experiment.tolerance or experiment.patience)
    return plain and known and experiment.loss_info.is_mean_square


def directions(run: Run) -> int:
    """How many there are to add up: the number of parameters, or 0 where nothing is known of another rate."""
    return len(run.problem.start) if run.parabola is not None and can_preview(run.experiment) else 0


def columns_of_error(run: Run) -> dict[str, float]:
    """For the table `frame`: the floor, the curvature of each direction, and what of RMSE² is left along it at the start."""
    left = run.curvature.unit**2 * run.curvature.gap(run.problem.start)
    lowest = {"lowest": run.curvature.floor_rmse}  # told of elsewhere only once the run is at its end
    return lowest | _curvatures(run) | {f"left{i}": float(value) for i, value in enumerate(left)}


def columns_of_path(run: Run, axes: tuple[int, int]) -> dict[str, float]:
    """For the table `frame`: the curvatures, and how far along each the start is from the optimum, over two parameters."""
    ways = run.curvature.eigenvectors * run.curvature.along(run.problem.start)  # [P, P]: a row a parameter
    return _curvatures(run) | {
        f"{name}{i}": float(value)
        for name, axis in zip(("du", "dv"), axes, strict=True)
        for i, value in enumerate(ways[axis])
    }


def _curvatures(run: Run) -> dict[str, float]:
    return {f"curvature{i}": float(value) for i, value in enumerate(run.curvature.eigenvalues)}


def _sum(column: str, count: int, exponent: str) -> str:
    """What is left after t epochs: each direction's part at the start times a power of its factor."""
    return " + ".join(
        f"{FRAME}.{column}{i} * pow(1 - {RATE} * {FRAME}.curvature{i}, {exponent})" for i in range(count)
    )


def _epochs() -> alt.Chart:
    """The drawn epochs t of a run at the rate of the preview; none while there is no preview."""
    made = alt.SequenceParams(start=0, stop=DRAWN_EPOCHS + 1, step=1, **{"as": "i"})
    rows = Rows(alt.SequenceGenerator(sequence=made)).transform_filter(f"{RATE} > 0")
    return rows.transform_calculate(t=f"datum.i * {FRAME}.stride").transform_filter(
        f"datum.t <= {FRAME}.planned"
    )


def parameter() -> alt.Parameter:
    """The learning rate of the preview."""
    return alt.param(name="preview", value=0, bind=alt.BindInput(input="number", name="preview"))


def error_layers(count: int, colours: Palette) -> list[alt.Chart]:
    """RMSE by epoch at the rate of the preview, and what the dashes are."""
    rows = _epochs().transform_calculate(
        x="datum.t", y=f"sqrt(pow({FRAME}.lowest, 2) + {_sum('left', count, '2 * datum.t')})"
    )
    label = (
        one_row()
        .transform_filter(f"{RATE} > 0")
        .transform_calculate(label="'dashed: the new rate, not trained yet'")
        .mark_text(align="right", baseline="top", dx=-4, dy=4, color=colours.run)
        .encode(x=alt.value("width"), y=alt.value(0), text="label:N")
    )
    return [_line(rows, f"datum.x <= x1 && datum.y <= y1 * {BEYOND}", colours), label]


def path_layer(count: int, colours: Palette) -> alt.Chart:
    """The path on the map at the rate of the preview. `frame` holds the optimum, `ou` and `ov`."""
    rows = _epochs().transform_calculate(
        x=f"{FRAME}.ou + {_sum('du', count, 'datum.t')}", y=f"{FRAME}.ov + {_sum('dv', count, 'datum.t')}"
    )
    near = f"abs(datum.x - x0) <= (x1 - x0) * {BEYOND} && abs(datum.y - y0) <= (y1 - y0) * {BEYOND}"
    return _line(rows, near, colours)


def _line(rows: alt.Chart, near: str, colours: Palette) -> alt.Chart:
    axes: dict[str, Any] = {"x": "x:Q", "y": "y:Q", "order": "t:Q"}
    style = {"color": colours.run, "strokeDash": [4, 3], "strokeWidth": 1.5, "opacity": 0.75, "clip": True}
    return rows.transform_filter(near).mark_line(**style).encode(**axes)
