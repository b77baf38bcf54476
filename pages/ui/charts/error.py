"""By epoch on a logarithmic axis: the error with its floor, and the gap to the optimum along each direction."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pyarrow as pa

from gd_core.objective import accuracy
from gd_core.robust import lowest_of
from gd_core.settings.schedules import by_epoch, is_constant
from gd_core.words import floor_label, short
from pages.ui.charts import averages, preview
from pages.ui.charts.elements import (
    FRAME,
    NOW,
    answered,
    count_axis,
    dot,
    expression,
    finish,
    floor_rule,
    haloed,
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

RATES = 200  # points of the line of the rate
ACCURACY_AXIS = "from none at the bottom to all of them at the top, by the numbers at the right"
RATE_AXIS = "from 0 below to the largest above, on an axis of its own"
RATE_BAND = 0.3  # of the height: the rates, and their label
DOWN = 50.0  # how far below the start's error the axis reaches while nobody may know the floor


@lru_cache(16)
def _error_spec(
    other_root: bool,
    height: int,
    colours: Palette,
    ghosts: bool = False,
    *,
    judged: bool = False,
    early: bool = False,
    directions: int = 0,
    scheduled: bool = False,
    averaged: bool = False,
    accurate: bool = False,
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
    if averaged:
        base = rows_from("path").transform_calculate(x="datum.epoch", y="datum.averaged")
        layers.append(averages.line(base, {"x": "x:Q", "y": "y:Q", "order": "x:Q"}, colours))
    if directions:
        layers += preview.error_layers(directions, colours)
    if scheduled:
        layers += _rate_layers(colours)
    if accurate:
        layers += _accuracy_layers(colours)
    if early:
        layers += _kept_and_stopped(colours)
    layers += floor_rule(colours, "answered", halo=early or scheduled)
    layers += level("zero", colours.start, [2, 3], "'zero to rounding'")
    layers.append(below)
    if ghosts:
        layers.append(error_heads(colours))
    if averaged:
        layers.append(averages.head(f"min(epoch, {FRAME}.last, x1)", "now.averaged", colours))
    layers.append(head_at(f"min(epoch, {FRAME}.last, x1)", "now.rmse", colours))
    if judged:
        diamond = {"shape": "diamond", "size": 90, "filled": True, "color": colours.ink}
        layers.append(dot(f"min(epoch, {FRAME}.last, x1)", "now.held_out", stroke=colours.paper, **diamond))
    parameters = [expression("now", NOW), answered(), *([preview.parameter()] if directions else [])]
    return finish(layers, height, parameters)


def _epochs_kept(run: Run) -> dict[str, float | str]:
    """For the table `frame`: the epoch that is kept, its held-out RMSE, and where the run stopped; nan draws nothing."""
    recording = run.recording
    if not recording.early or recording.epoch_held_out_rmse is None:
        return {
            "kept": math.nan,
            "lowest_held_out": math.nan,
            "stop": math.nan,
            "kept_said": "",
            "stop_said": "",
        }
    said = {"kept_said": f"{recording.kept:,}", "stop_said": f"{recording.epochs:,}"}
    lowest = float(recording.epoch_held_out_rmse[recording.kept])
    return {"kept": recording.kept, "lowest_held_out": lowest, "stop": recording.epochs} | said


def _kept_and_stopped(colours: Palette) -> list[alt.Chart]:
    """Of a run with a patience: a diamond on a dotted line at the epoch that is kept, a bar at the one where it stopped.

    Each with its word, from when the player has come there.
    """
    layers: list[alt.Chart] = []
    texts: list[alt.Chart] = []  # over both lines
    for column, word, dash, dy in (("kept", "kept", [2, 3], 4), ("stop", "stopped", [1, 0], 18)):
        base = rows_from("frame").transform_filter(f"isValid(datum.{column}) && epoch >= datum.stop")
        across = alt.X(f"{column}:Q")
        layers.append(base.mark_rule(color=colours.ink, strokeDash=dash).encode(x=across))
        texts += haloed(
            base.transform_calculate(label=f"'{word} ' + datum.{column}_said"),
            {"x": across, "y": alt.value(0), "text": "label:N"},
            {"align": "right", "dx": -5, "baseline": "top", "dy": dy, "fontWeight": 600},
            colours.ink,
            colours.paper,
        )
    layers += texts
    mark = rows_from("frame").transform_filter("isValid(datum.kept) && epoch >= datum.stop")
    style = {"shape": "diamond", "size": 130, "filled": False, "color": colours.ink, "strokeWidth": 2}
    layers.append(mark.mark_point(**style).encode(x=alt.X("kept:Q"), y=alt.Y("lowest_held_out:Q")))
    return layers


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

    The root of the minimised loss is drawn as well where it is another number, or with `root_loss` always, and the mean
    absolute error where that is minimised, with its own floor; and the
    RMSE of the held-out rows where there are some; and of a run in mini-batches the RMSE of the mean of its points. The floor is drawn from the epoch `answer_from` on; where that is
    `NEVER` the axis does not tell of it either.
    """
    parabola = run.parabola if answer_from < NEVER else None
    rows = rows_of(run)
    rmse = run.recording.epoch_rmse.numpy()[rows]
    columns = {"rmse": rmse}
    held_out = run.recording.epoch_held_out_rmse
    if held_out is not None:
        columns["held_out"] = held_out.numpy()[rows]
    averaged = averages.is_averaged(run) and not root_loss
    if averaged:
        columns["averaged"] = averages.rmse_of(run, averages.points_of(run, rows))
    info, unit = run.experiment.loss_info, run.problem.objective.dataset.unit
    other_root = root_loss or info.other_error is not None
    if other_root:
        other_error = info.other_error or np.sqrt
        columns["root_loss"] = unit * other_error(run.recording.epoch_loss.numpy()[rows])
    right = None if root_loss else accuracy(run.problem.objective, run.recording.epoch_theta[rows])
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
    lowest = lowest_of(run.problem.objective) if other_root and answer_from < NEVER else None
    if lowest is not None and not lowest.is_zero:
        lowest_rmse = unit * lowest.loss
    shows_floor = zero < lowest_rmse and lowest_rmse >= low / 100
    low = zero if reaches_zero else min(low, lowest_rmse) if shows_floor else low
    if parabola is None and run.parabola is not None and low == high:  # nothing to go by yet
        low = high / DOWN
    bottom, top = low / 1.6, high * 1.25
    directions = 0 if root_loss else preview.directions(run)
    scheduled = not all(map(is_constant, run.experiment.phases))
    if scheduled:  # whose rates have the lowest part of the chart for themselves
        bottom *= (bottom / top) ** (RATE_BAND / (1 - RATE_BAND))
    tables = {
        "run": table({name: drawn[name] for name in by_epoch} | columns_of_errors(ghosts, rows, zero)),
        "path": log_path(rows[shown], {name: values[shown] for name, values in drawn.items()}),
        **(tables_of_errors(ghosts, end, bottom, top, zero) if ghosts else {}),
        **({"rates": _rates(run, end)} if scheduled else {}),
        **({"accuracy": _shares(rows[shown], right.numpy()[shown])} if right is not None else {}),
        "frame": frame_table(
            run,
            x0=0,
            x1=end,
            y0=bottom,
            y1=top,
            floor=lowest_rmse if shows_floor else np.nan,
            floor_label=""
            if parabola is None and lowest is None
            else f"lowest {info.name} {short(lowest_rmse, 4)}"
            if parabola is None
            else floor_label(parabola, bounds=parabola.bounds_rmse),
            floor_below=np.nan if shows_floor or reaches_zero else lowest_rmse,
            zero=zero if reaches_zero else np.nan,
            answer_from=answer_from,
            **(preview.columns_of_error(run) if directions else {}),
            **(_epochs_kept(run) if run.experiment.patience else {}),
        ),
    }
    text = "Root mean squared error by epoch on a logarithmic axis"
    # the same with the floor hidden: with another text a chart would be drawn anew when it appears
    text += (
        "."
        if run.parabola is None
        else ", and after a run the floor, dashed, below which the loss cannot get."
        if run.parabola.bounds_rmse
        and not root_loss  # a lesson that draws both has one text, whichever is minimised
        else ", and after a run, dashed, the error where the loss is lowest."
    )
    if other_root:
        text += f" The thin line is the {info.thin or 'root of the minimised loss'}."
    judged = held_out is not None
    early = bool(run.experiment.patience)
    if run.recording.early:
        text += (
            f" The run stopped early at epoch {run.recording.epochs:,}; kept is epoch {run.recording.kept:,}, a diamond, where "
            "the error on the held-out rows is lowest."
        )
    if averaged:
        text += averages.TEXT
    if judged:
        text += " The line with dashes and a diamond is the error on the held-out rows."
    if scheduled:
        text += f" The dotted line at the bottom is the learning rate of each epoch, {RATE_AXIS}."
    if right is not None:
        text += f" The dashed line is the accuracy of the training rows, {ACCURACY_AXIS}."
    spec = _error_spec(
        other_root,
        height,
        colours,
        bool(ghosts),
        judged=judged,
        early=early,
        directions=directions,
        scheduled=scheduled,
        averaged=averaged,
        accurate=right is not None,
    )
    return View(spec, tables, text + told(ghosts))


def _rates(run: Run, end: int) -> pa.Table:
    """η of some epochs up to the end of the axis, as a share of the largest, and a label at the first of them.

    The label is of the whole run: the first rate, the largest, and the last.
    """
    phases, stride, last = (
        run.experiment.phases,
        run.experiment.updates_per_epoch,
        run.experiment.total_epochs,
    )
    epochs, whole = (np.unique(np.linspace(0, until, RATES + 1).astype(int)) for until in (end, last))
    rates = np.array(by_epoch(phases, stride, epochs.tolist()))
    every = by_epoch(phases, stride, whole.tolist())
    told = list(dict.fromkeys(short(rate) for rate in (every[0], max(every), every[-1])))
    said = [f"η: {' → '.join(told)}", *[""] * (len(epochs) - 1)]
    return table({"epoch": epochs, "share": rates / max(every), "label": said})


def _rate_layers(colours: Palette) -> list[alt.Chart]:
    """The rate by epoch, dotted, along the bottom of the chart."""
    height = "y0 * pow(y1 / y0, 0.04 + 0.2 * {share})"
    rows = rows_from("rates").transform_calculate(x="datum.epoch", y=height.format(share="datum.share"))
    place: dict[str, Any] = {"x": "x:Q", "y": "y:Q"}
    line = rows.mark_line(strokeDash=[2, 3], strokeWidth=1.5, color=colours.ink, interpolate="step-after")
    # above the largest, for stairs that rise there; the first is a halo, since the floor may pass behind it
    named = rows.transform_filter("datum.label != ''").transform_calculate(y=height.format(share=1))
    style = {"align": "left", "dx": 6, "dy": -9}
    texts = haloed(named, {**place, "text": "label:N"}, style, colours.ink, colours.paper)
    return [line.encode(**place, order="x:Q"), *texts]


def _shares(epochs: np.ndarray, right: np.ndarray) -> pa.Table:
    """The accuracy by epoch; of steps on one level their two ends."""
    changes = np.flatnonzero(np.diff(right)) if len(right) > 1 else np.zeros(0, dtype=int)
    keep = np.unique(np.concatenate([[0, len(right) - 1], changes, changes + 1]))
    return table({"epoch": epochs[keep], "accuracy": right[keep]})


def _accuracy_layers(colours: Palette) -> list[alt.Chart]:
    """The accuracy up to this epoch, dashed, on an axis of its own at the right, over the whole height."""
    height = "y0 * pow(y1 / y0, 0.03 + 0.94 * datum.accuracy)"
    lines = rows_from("accuracy").transform_calculate(x="datum.epoch", y=height)
    where: dict[str, Any] = {"x": "x:Q", "y": "y:Q"}
    said = [alt.Tooltip("epoch:Q"), alt.Tooltip("accuracy:Q", format=".1%")]
    style: dict[str, Any] = {"clip": True, "strokeDash": [6, 3], "color": colours.ink}
    drawn: list[alt.Chart] = [
        lines.transform_filter(f"datum.epoch <= {until}")
        .mark_line(strokeWidth=width, opacity=opacity, **style)
        .encode(**where, order="x:Q", tooltip=said)
        for until, width, opacity in (("seen", 1, 0.3), ("epoch", 1.5, 1))
    ]
    at_right: dict[str, Any] = {"x": alt.value("width"), "y": "y:Q", "text": "label:N"}
    for share, label in ((0, "0 %"), (1, "accuracy 100 %")):
        end = height.replace("datum.accuracy", str(share))
        tick = rows_from("frame").transform_calculate(y=end, label=f"'{label}'")
        drawn += haloed(tick, at_right, {"align": "right", "dx": -3}, colours.ink, colours.paper)
    return drawn


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
