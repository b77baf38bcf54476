"""By epoch on a logarithmic axis: the error with its floor, and the gap to the optimum along each direction."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np

from gd_core.settings.catalog import LOSS_INFO
from gd_core.words import floor_label
from pages.ui.charts import preview
from pages.ui.charts.elements import (
    FRAME,
    NOW,
    answered,
    count_axis,
    dot,
    expression,
    finish,
    floor_rule,
    head_at,
    kept,
    level,
    log_axis,
    named,
    rows_from,
    trail,
)
from pages.ui.charts.ghosts import (
    Ghost,
    columns_of_errors,
    crosses,
    discs,
    error_heads,
    hidden_names,
    reach_of,
    still,
    tables_of_errors,
    told,
)
from pages.ui.charts.model import (
    NEVER,
    Run,
    View,
    error_until,
    frame_table,
    last_epoch,
    log_path,
    log_zero,
    rows_of,
    table,
)
from pages.ui.look.palette import Palette

DOWN = 50.0  # how far below the start's error the axis reaches while nobody may know the floor


@lru_cache(16)
def _error_spec(
    other_root: bool,
    height: int,
    colours: Palette,
    ghosts: bool = False,
    *,
    judged: bool = False,
    directions: int = 0,
) -> dict[str, Any]:
    epoch_axis = count_axis()
    carrier = (
        rows_from("frame")
        .transform_filter("false")
        .transform_calculate(x="0", y="1")
        .mark_point()
        .encode(x=epoch_axis, y=log_axis("RMSE"))
    )
    below = (
        rows_from("frame")
        .transform_filter("answered && isValid(datum.floor_below)")
        .transform_calculate(label="datum.floor_label + ' is below ↓'")
        .mark_text(align="left", dx=6, dy=-8, color=colours.optimum, fontWeight=600)
        .encode(x=alt.value(0), y=alt.value("height"), text="label:N")
    )
    layers: list[Any] = [kept("run"), carrier]
    if ghosts:
        numbers = discs(rows_from("ghost_labels"), colours)
        layers += [*still(colours, named=judged), *numbers, crosses(colours)]
    lines = {"root_loss": (colours.data, 1.5)} if other_root else {}
    if judged:  # both lines carry their names, so that a legend tells them apart
        styles = {"training rows": (colours.run, [1, 0]), "held-out rows": (colours.ink, [5, 3])}
        for column, name, width in (("rmse", "training rows", 2.5), ("held_out", "held-out rows", 2)):
            base = rows_from("path").transform_calculate(
                x="datum.epoch", y=f"datum.{column}", name=f"'{name}'"
            )
            axes = {"x": "x:Q", "y": "y:Q", "order": "x:Q"}
            looks = named(styles | hidden_names(colours), list(styles)) if ghosts else named(styles)
            layers += trail(base, axes | looks, width=width)
    else:
        lines |= {"rmse": (colours.run, 2.5)}
    for column, (colour, width) in lines.items():
        base = rows_from("path").transform_calculate(x="datum.epoch", y=f"datum.{column}")
        layers += trail(base, {"x": "x:Q", "y": "y:Q", "order": "x:Q"}, width=width, colour=colour)
    if directions:
        layers += preview.error_layers(directions, colours)
    layers += floor_rule(colours, "answered")
    layers += level("zero", colours.start, [2, 3], "'zero to rounding'")
    layers.append(below)
    if ghosts:
        layers.append(error_heads(colours))
    layers.append(head_at(f"min(epoch, {FRAME}.last, x1)", "now.rmse", colours))
    if judged:
        diamond = {"shape": "diamond", "size": 90, "filled": True, "color": colours.ink}
        layers.append(dot(f"min(epoch, {FRAME}.last, x1)", "now.held_out", stroke=colours.paper, **diamond))
    parameters = [expression("now", NOW), answered(), *([preview.parameter()] if directions else [])]
    return finish(layers, height, parameters)


def error(
    run: Run,
    colours: Palette,
    height: int,
    answer_from: float = 0,
    *,
    root_loss: bool = False,
    ghosts: Sequence[Ghost] = (),
) -> View:
    """RMSE by epoch on a logarithmic axis, with the floor below which the loss cannot get, and that of pinned runs.

    The root of the minimised loss is drawn as well where it is another number, or with `root_loss` always; and the
    RMSE of the held-out rows where there are some. The floor is drawn from the epoch `answer_from` on; where that is
    `NEVER` the axis does not tell of it either.
    """
    parabola = run.parabola if answer_from < NEVER else None
    rows = rows_of(run)
    rmse = run.recording.epoch_rmse.numpy()[rows]
    columns = {"rmse": rmse}
    held_out = run.recording.epoch_held_out_rmse
    if held_out is not None:
        columns["held_out"] = held_out.numpy()[rows]
    other_root = root_loss or LOSS_INFO[run.experiment.loss].has_another_root
    if other_root:
        columns["root_loss"] = (
            run.problem.objective.dataset.unit * run.recording.epoch_loss.numpy()[rows] ** 0.5
        )
    zero = log_zero(float(rmse[0]))
    by_epoch = [name for name in columns if name != "root_loss"]
    reaches_zero = bool(min(values.min() for values in columns.values()) <= zero)
    drawn = {name: np.maximum(values, zero) for name, values in columns.items()}
    low, high = (f(f(values) for values in drawn.values()) for f in (min, max))
    end = last_epoch(run) if ghosts else error_until(run)
    shown = rows <= end
    if ghosts:
        lowest, highest = reach_of(ghosts, end)
        low, high = max(min(low, lowest), zero), max(high, highest)
    lowest_rmse = math.nan if parabola is None else parabola.floor_rmse  # nan draws nothing
    shows_floor = zero < lowest_rmse and lowest_rmse >= low / 100
    low = zero if reaches_zero else min(low, lowest_rmse) if shows_floor else low
    if parabola is None and run.parabola is not None and low == high:  # nothing to go by yet
        low = high / DOWN
    directions = 0 if root_loss else preview.directions(run)
    tables = {
        "run": table({name: drawn[name] for name in by_epoch} | columns_of_errors(ghosts, rows, zero)),
        "path": log_path(rows[shown], {name: values[shown] for name, values in drawn.items()}),
        **(tables_of_errors(ghosts, end, low / 1.6, high * 1.25, zero) if ghosts else {}),
        "frame": frame_table(
            run,
            x0=0,
            x1=end,
            y0=low / 1.6,
            y1=high * 1.25,
            floor=lowest_rmse if shows_floor else np.nan,
            floor_label=""
            if parabola is None
            else floor_label(parabola, rises=LOSS_INFO[run.experiment.loss].rises),
            floor_below=np.nan if shows_floor or reaches_zero else lowest_rmse,
            zero=zero if reaches_zero else np.nan,
            answer_from=answer_from,
            **(preview.columns_of_error(run) if directions else {}),
        ),
    }
    text = "Root mean squared error by epoch on a logarithmic axis"
    # the same with the floor hidden: with another text a chart would be drawn anew when it appears
    text += (
        "."
        if run.parabola is None
        else ", and after a run the floor, dashed, below which the loss cannot get."
    )
    if other_root:
        text += " The thin line is the root of the loss that is minimised."
    judged = held_out is not None
    if judged:
        text += " The line with dashes and a diamond is the error on the held-out rows."
    spec = _error_spec(other_root, height, colours, bool(ghosts), judged=judged, directions=directions)
    return View(spec, tables, text + told(ghosts))


@lru_cache(16)
def _gap_spec(shown: tuple[int, ...], height: int, colours: Palette) -> dict[str, Any]:
    names = [f"direction {i + 1}" for i in shown]
    directions = len(shown)
    dashes = [[1, 0], [8, 3], [2, 3], [8, 3, 2, 3]]
    shades = [colours.optimum, colours.data, colours.run, colours.start]
    epoch_axis = count_axis()
    entries = ["whole gap", *names]
    styles = {
        name: (colour, dash)
        for name, colour, dash in zip(
            entries, [colours.ink, *(shades * directions)], [[1, 0], *(dashes * directions)], strict=False
        )
    }
    columns = dict(zip(["whole", *(f"g{i}" for i in shown)], entries, strict=True))
    axes: dict[str, Any] = {"x": epoch_axis, "y": log_axis("gap to the optimum, L − L*"), "order": "x:Q"}
    layers: list[Any] = []
    for column, name in columns.items():
        base = rows_from("path").transform_calculate(x="datum.epoch", y=f"datum.{column}", name=f"'{name}'")
        layers += trail(base, axes | named(styles), width=1.2 if column == "whole" else 2.5)
    layers += level("zero", colours.start, [2, 3], "'zero to rounding'")
    return finish(layers, height)


def shown_directions(count: int) -> tuple[int, ...]:
    """Numbers of the eigenvectors that are drawn: all of them, or the two flattest and the two steepest of many."""
    return tuple(range(count)) if count <= 4 else (0, 1, count - 2, count - 1)


def gap(run: Run, colours: Palette, height: int) -> View:
    """The gap to the optimum by epoch, split along the Hessian's eigenvectors; direction 1 is the flattest."""
    rows = rows_of(run)
    parts = run.curvature.gap(run.recording.epoch_theta[rows]).numpy()
    whole = parts.sum(1)
    zero = log_zero(float(whole[0]))
    shown = shown_directions(parts.shape[1])
    columns = {"whole": whole} | {f"g{i}": parts[:, i] for i in shown}
    drawn = {name: np.maximum(values, zero) for name, values in columns.items()}
    low = min(values.min() for values in drawn.values())
    tables = {
        "path": log_path(rows, drawn),
        "frame": frame_table(
            run,
            x0=0,
            x1=last_epoch(run),
            y0=low / 2,
            y1=max(values.max() for values in drawn.values()) * 2,
            zero=zero if low <= zero else np.nan,
        ),
    }
    text = "Gap to the lowest loss by epoch on a logarithmic axis, whole and along each eigenvector of the Hessian."
    if len(shown) < parts.shape[1]:
        text += " Of the directions, the two flattest and the two steepest."
    return View(_gap_spec(shown, height, colours), tables, text)
