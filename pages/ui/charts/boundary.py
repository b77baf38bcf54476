"""Yes or no over two features: rows by their mark, the line where the probability is ½, and the probability as shading."""

from collections.abc import Sequence
from functools import lru_cache
from math import log
from typing import Any

import altair as alt
from torch import Tensor

from gd_core.problem import Problem
from gd_core.robust import lowest_of
from pages.ui.charts.elements import (
    FIRST,
    FRAME,
    NOW,
    answered,
    expression,
    finish,
    kept,
    named,
    rows_from,
    span,
    x_axis_of,
    y_axis_of,
)
from pages.ui.charts.fit import NOT_YET, lines_of, require_plane
from pages.ui.charts.ghosts import (
    Ghost,
    columns_of_lines,
    line_layers,
    tables_of_lines,
    told_of_lines,
)
from pages.ui.charts.marks import CROSS
from pages.ui.charts.model import Run, View, both_kinds, frame_table, padded, rows_of, table, values_of
from pages.ui.look.palette import Palette

BANDS = (0.1, 0.25, 0.5, 0.75, 0.9)  # probabilities, at each of which the shading is one step darker
NOWHERE = 1e-9  # of a slope: next to none, so that a line which is upright has one


def _shading(probability: float, colours: Palette) -> alt.Chart:
    """Where the probability at this epoch is above this one; nowhere at a start of zeros, where it is ½ all over."""
    edge = (
        f"({log(probability / (1 - probability)) or NOWHERE} - now.rest - now.u * datum.x) / (now.v || 1e-30)"
    )
    return (
        span(80)
        .transform_calculate(x="x0 + (x1 - x0) * datum.u")
        .transform_calculate(low=f"max(y0, min(y1, {edge}))", high="now.v < 0 ? y0 : y1")
        .mark_area(color=colours.run, opacity=0.09, clip=True)
        .encode(x="x:Q", y="low:Q", y2="high:Q")
    )


def _line(theta: str, name: str, width: float, looks: dict[str, Any]) -> alt.Chart:
    """Where the logit is 0: through its point nearest to the middle of the chart, so that it may stand upright."""
    made = span(1)
    return (
        (made.transform_filter("answered") if name == "optimum" else made)
        .transform_calculate(
            a=f"{theta}.u * (x1 - x0)", b=f"{theta}.v * (y1 - y0)", name=f"'{name}'",
            c=f"{theta}.rest + {theta}.u * x0 + {theta}.v * y0",
        )
        .transform_calculate(size="datum.a * datum.a + datum.b * datum.b")
        .transform_filter("datum.size > 1e-24")
        .transform_calculate(away="(datum.a / 2 + datum.b / 2 + datum.c) / datum.size", way="2 * (2 * datum.u - 1) / sqrt(datum.size)")
        .transform_filter("abs(datum.away) * sqrt(datum.size) < 2")
        .transform_calculate(
            x="x0 + (x1 - x0) * (0.5 - datum.a * datum.away - datum.b * datum.way)",
            y="y0 + (y1 - y0) * (0.5 - datum.b * datum.away + datum.a * datum.way)",
        )
        .mark_line(clip=True, strokeWidth=width)
        .encode(x="x:Q", y="y:Q", order="u:Q", **looks)
    )  # fmt: skip


def _rows(kind: str, axes: dict[str, Any], colours: Palette) -> list[alt.Chart]:
    """Ones as discs, noughts as crosses; held-out ones as full and hollow diamonds."""
    held_out, rows = kind == "held_out", rows_from(kind)
    one = {"shape": "diamond" if held_out else "circle", "filled": True, "color": colours.data}
    nought = {"shape": "diamond" if held_out else CROSS, "filled": False, "color": colours.ink}
    size = 45 if held_out else 28
    return [
        rows.transform_filter(f"datum.yes == {yes}")
        .mark_point(clip=True, opacity=0.85, size=size, strokeWidth=1.3, **style)
        .encode(**axes)
        for yes, style in ((1, one), (0, nought))
    ]


@lru_cache(16)
def _spec(
    features: tuple[str, str],
    height: int,
    colours: Palette,
    ghosts: bool = False,
    *,
    judged: bool = False,
    best: bool = True,
) -> dict[str, Any]:
    looks = named(lines_of(colours, best=best), label=NOT_YET if best else None)
    axes = {"x": x_axis_of(features[0]), "y": y_axis_of(features[1])}
    layers = [
        kept("run"),
        *(_shading(probability, colours) for probability in BANDS),
        *_rows("points", axes, colours),
        *(_rows("held_out", axes, colours) if judged else ()),
        _line("first", "start", 2, looks),
        *([_line(FRAME, "optimum", 2, looks)] if best else []),
        *(line_layers(colours) if ghosts else ()),
        _line("now", "fit", 3, looks),
    ]
    return finish(layers, height, [expression("now", NOW), expression("first", FIRST), answered()])


def boundary(
    run: Run,
    features: tuple[int, int],
    colours: Palette,
    height: int,
    answer_from: float = 0,
    ghosts: Sequence[Ghost] = (),
) -> View:
    """The boundary over two features at this epoch, the others at their mean; from an epoch on that of the lowest loss.

    Of pinned runs only the boundary is drawn.
    """
    require_plane(run.experiment.info.model)
    dataset, (i, j) = run.problem.dataset, features
    means = run.problem.linear.model.features(dataset.x.mean(0, keepdim=True))[0]  # an intercept's 1 as well
    means[[i, j]] = 0.0

    def parts(problem: Problem, theta: Tensor) -> tuple[Tensor, Tensor, Tensor]:  # [..., P] → three of [...]
        raw = problem.raw(theta)
        return raw[..., i], raw[..., j], raw @ means

    def columns(theta: Tensor) -> dict[str, Any]:
        return dict(zip("uv", parts(run.problem, theta), strict=False)) | {
            "rest": parts(run.problem, theta)[2]
        }

    def of_ghost(ghost: Ghost, theta: Tensor) -> tuple[Tensor, Tensor]:
        u, v, rest = parts(ghost.problem, theta)
        v = v.where(v.abs() > NOWHERE, NOWHERE)
        return -u / v, -rest / v

    lowest, drawn = lowest_of(run.problem.objective), rows_of(run)
    best = lowest is not None and lowest.attained
    optimum = (
        {name: float(value) for name, value in columns(lowest.optimum).items()} if lowest and best else {}
    )
    x0, x1 = padded(values_of(run, lambda rows: rows.x[:, i]), 0.04)
    y0, y1 = padded(values_of(run, lambda rows: rows.x[:, j]), 0.04)
    tables = {
        **both_kinds(
            run,
            lambda rows: {"x": rows.x[:, i].numpy(), "y": rows.x[:, j].numpy(), "yes": rows.y[:, 0].numpy()},
        ),
        "run": table(columns(run.recording.epoch_theta[drawn]) | columns_of_lines(ghosts, drawn, of_ghost)),
        "frame": frame_table(run, x0=x0, x1=x1, y0=y0, y1=y1, **optimum, answer_from=answer_from),
        **(tables_of_lines(ghosts) if ghosts else {}),
    }
    names = dataset.feature_names[i], dataset.feature_names[j]
    judged = run.problem.held_out is not None
    text = (
        f"Rows over {names[0]} and {names[1]}: a disc is a yes, a cross a no. The line where the probability of a yes is a half at the "
        f"player’s epoch, solid; the start’s, dotted{'; after a run that of the lowest loss, dashed' if best else ''}. Shading grows "
        "darker in steps with the probability of a yes."
    )
    text += " Held-out rows are diamonds, full for a yes and hollow for a no." if judged else ""
    text += told_of_lines(ghosts, "the boundary")
    return View(_spec(names, height, colours, bool(ghosts), judged=judged, best=best), tables, text)
