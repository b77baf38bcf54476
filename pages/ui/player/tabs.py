"""What stands below the four panels: numbers, parameters, steps, the article's small panels, the gap to the optimum.

None is open at first, and only what is open is computed and sent.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from html import escape
from typing import Any

import numpy as np
import streamlit as st
from torch import Tensor

from gd_core.autopsy import REPLAYED_UPDATES, autopsy
from gd_core.here import STARTS, Here, Local, here_of, local_of
from gd_core.landscape import box_of, terrain_box
from gd_core.objective import as_parabola, in_features
from gd_core.reasons.valleys import place_of
from gd_core.robust import Lowest, closest, lowest_of, settles_below
from gd_core.safe_start import safe_of
from gd_core.settings import schedules
from gd_core.settings.engines import ENGINE_NOTE, SPECTRUM
from gd_core.settings.experiment import Experiment, not_known
from gd_core.settings.experiment_fields import COMMON_FIELDS
from gd_core.settings.rules import OPTIMIZER_INFO, NoLimit, is_plain
from gd_core.settings.schedules import is_constant
from gd_core.settings.table_fields import with_columns
from gd_core.starts import ONE_VALLEY, why_no_starts
from gd_core.theory import Curvature, Forecast, conventions, why_no_theory
from gd_core.words import counted, floor_of, rounded, short, significant
from pages.ui.charts.error import gap as gap_chart
from pages.ui.charts.fit import panel
from pages.ui.charts.model import RecordedRun, Run, View, rows_of
from pages.ui.charts.parameters import trace
from pages.ui.look import current_charts, formulas, look, projector
from pages.ui.look.palette import Palette
from pages.ui.player import player, start_maps

HEIGHT = 220
NUMBERS, PARAMETERS, STEPS, SIX, GAP = "In numbers", "Parameters", "Steps", "Six steps", "Gap to optimum"
RELIEF = "In relief"
ENDS = "Where starts end"
RAISED = 340  # pixels: the height of what is in relief
PANELS = 6
KNOWN = (*COMMON_FIELDS, *schedules.FIELDS)  # settings with which a rule's step is what its entry writes out
BLURRED = 1e-3  # of the floor: from there on the blur of the curve shows in six digits of its RMSE
AT_ONCE = 2  # charts of a page are drawn first; together all would stand only when the last does
ABREAST = 4  # parameters' charts in a row
TERMS = 4  # of a sum that is written out
LARGE = 1e9  # in a table: from there on a number has an exponent
COMPARED = (
    100_000  # rows times parameters, up to which the gradient is worked out in three ways at every epoch
)


def stops_before(experiment: Experiment) -> str:
    """That a run may end before its epochs do, where that is so."""
    if experiment.patience:
        return " Its patience may stop it before."
    return " The tolerance may stop it before." if experiment.tolerance else ""


def open_tab() -> str | None:
    """The name of what is open, known before it is drawn; None at first, and when it was pressed once more."""
    return st.session_state.get("tab")


def extra_columns(run: RecordedRun) -> dict[str, np.ndarray]:
    """Numbers by epoch that the open tab needs from the player, at every drawn epoch."""
    if open_tab() != STEPS or not _is_compared(run.experiment):
        return {}
    rows = rows_of(run)
    parts = autopsy(run.recording, run.experiment, run.problem, rows.tolist())
    gradient = run.recording.gradient[:: run.recording.updates_per_epoch][rows]
    columns: dict[str, np.ndarray] = {}
    for i in range(gradient.shape[1]):
        if parts.formula is not None:
            columns[f"formula{i}"] = parts.formula[:, i].numpy()
            columns[f"formula_off{i}"] = (parts.formula - gradient)[:, i].abs().numpy()
        columns[f"finite{i}"] = parts.finite_difference[:, i].numpy()
        columns[f"finite_off{i}"] = (parts.finite_difference - gradient)[:, i].abs().numpy()
        for name, (before, after) in parts.memory.items():
            columns[f"{name}_before{i}"] = before[:, i].numpy()
            columns[f"{name}{i}"] = after[:, i].numpy()
    if OPTIMIZER_INFO[run.experiment.optimizer].over_curvature:
        divided = gradient @ _inverse(run)
        columns |= {f"d{i}": divided[:, i].numpy() for i in range(gradient.shape[1])}
    return columns


def _inverse(run: Run) -> Tensor:
    """H⁻¹, [P, P], by which a rule that divides by the curvature multiplies."""
    parabola = as_parabola(run.problem.objective)
    assert parabola is not None  # or the experiment would have been refused
    return parabola.inverse_hessian


def _is_compared(experiment: Experiment) -> bool:
    return experiment.points * len(experiment.info.parameters) <= COMPARED


def show(
    run: RecordedRun,
    forecast: Forecast | None,
    colours: Palette,
    axes: tuple[int, int] | None,
    told: float,
    on_start: Callable[[tuple[float, float]], None] | None = None,
) -> bool:
    """Draw the row of buttons, and under it what was chosen. Whether there is more of it to come.

    Args:
        run: On the page.
        forecast: Of its theory, if there is one.
        colours: Of the theme.
        axes: Of the map, if there is one.
        told: From which epoch on the optimum is drawn.
        on_start: Called with a place of the map's plane that was chosen for a start, where one may be.
    """
    contents: dict[str, Callable[[Any, Palette], bool | None]] = {
        NUMBERS: partial(_numbers, forecast=forecast), PARAMETERS: _parameters, STEPS: _steps, SIX: _six, GAP: _gap
    }  # fmt: skip
    if axes is not None and axes[0] != axes[1]:
        contents[RELIEF] = partial(in_relief, axes=axes, told=told)
        if box_of(run.experiment, run.problem.start):
            contents[ENDS] = partial(where_starts_end, axes=axes, on_start=on_start)
    chosen = st.segmented_control("Look closer", list(contents), key="tab", label_visibility="collapsed")
    if chosen:
        with st.container(key="closer"):
            return bool(contents[chosen](run, colours))
    return False


def draw(view: View, key: str, width: Any = "stretch") -> None:
    """Put a chart on the page, with its tables and its text. Its height is its place's, which a phone makes lower."""
    views = current_charts.now().views
    views[key] = view
    waits = list(views).index(key) >= AT_ONCE
    spec = {"padding": {"bottom": 4}, **projector.lettered(view.spec)}  # Streamlit's own is 20 pixels
    data = {**spec, "datasets": dict(view.tables)}
    # on a projector the page is scaled up, and the place would be measured in pixels of the screen
    height = "content" if projector.on() else spec["height"]
    with st.container(key=f"waits_{key}") if waits else nullcontext():  # see look.css
        st.vega_lite_chart(data, key=key, alt=view.text, width=width, height=height)


def _numbers(run: Run, _: Palette, forecast: Forecast | None) -> None:
    """What theory says before the first step, or why it says nothing."""
    if forecast is not None:
        _facts(run, forecast)
    else:
        st.markdown(why_no_theory(run.experiment))
        if lowest := lowest_of(run.problem.objective):
            _facts_of_the_lowest(run, lowest)
        if run.recording.epochs:
            theta = run.recording.epoch_theta[-1]
            found = here_of(run.experiment, run.problem, theta) or local_of(run.problem, theta)
            facts_here(found, *([] if lowest else _penalty(run.experiment)))
    st.caption(" ".join(filter(None, (run.experiment.loss_info.minimised, _of_scaled_target(run)))))
    if run.recording.engine == SPECTRUM and run.recording.epochs:
        st.caption(ENGINE_NOTE)


def _facts_of_the_lowest(run: Run, lowest: Lowest) -> None:
    """What is known of a loss that is no parabola: its lowest point, and what a rate is sure to do there."""
    experiment, problem = run.experiment, run.problem
    info, rate = experiment.loss_info, experiment.learning_rate
    names = with_columns(vars(experiment), experiment.info.parameters)
    optimum = zip(map(escape, names), problem.raw(lowest.optimum).tolist(), strict=True)
    least = "0 (a perfect fit, up to rounding)" if lowest.is_zero else significant(lowest.loss)
    how = "Newton’s method" if info.yes_no else "an interior-point method"
    rows = [
        *_penalty(experiment),
        (f"Lowest {info.name}", least, f"By {how}, not by descending. No training gets below it."),
        (
            "Optimum",
            ", ".join(f"{name} = {significant(value)}" for name, value in optimum),
            f"The parameters there{', in raw units' if experiment.is_rescaled else ''}."
            + ("" if info.yes_no else " Several may be as good."),
        ),
        ("RMSE there", significant(lowest.rmse), info.floor),
    ]
    if not lowest.attained:
        never = "Training nears it and never gets there: the model parts rows without an error, and the weights grow for ever."
        rows[-3:] = [(f"Lowest {info.name}", f"{least}, never reached", never)]
    sure = (
        "Below it gradient descent on all rows settles, from any start: twice the limit of the squared error."
    )
    if info.hyperparameters:
        off = f"Of {counted(experiment.training_rows, 'row')}. Each of them pulls no harder than δ."
        rows += [("Rows beyond δ there", f"{lowest.beyond:,}", off)]
    if info.yes_no or lowest.penalty:
        part = "a quarter of the largest" if info.yes_no else "the largest"
        sure = (
            f"Below it gradient descent on all rows settles, from any start: 2 over {part} eigenvalue of "
            f"ΦᵀΦ/N{' and 2λ' if lowest.penalty else ''}, as the loss bends nowhere more. No limit: a larger rate may settle."
        )
    if math.isfinite(lowest.bends):
        rows += [("Rate that is sure to settle", significant(settles_below(lowest)), sure)]
        if lowest.there:
            here = f"2 over the largest curvature at the lowest point, {short(lowest.there)}: no larger rate comes to rest there."
            rows += [("Limit at the lowest point", significant(2 / lowest.there), here)]
    elif (
        is_plain(experiment)
        and experiment.updates_per_epoch == 1
        and schedules.is_constant(experiment)
        and math.isfinite(within := closest(lowest, rate))
    ):
        bound = "η G²/2 over 1 − 2ηλ" if lowest.penalty else "η G²/2"
        sure = f"How close to the lowest {info.name} gradient descent is sure to come at η = {short(rate)}: {bound}, where G bounds the gradient’s length."
        rows.append(("Sure to come within", short(within), sure))
    _list(rows)


def facts_here(found: Local | None, *rows: tuple[str, str, str]) -> None:
    """What holds where the run has ended, and only there, below some rows."""
    if found:
        rows = (*rows, *_facts_here(found))
    if rows:
        _list(list(rows))


def _facts_here(found: Local) -> Iterator[tuple[str, str, str]]:
    several = isinstance(found, Here)
    if several:
        yield (
            "This place",
            place_of(found),
            "By slope and curvatures here. Of the whole loss they tell nothing.",
        )
    yield "Slope here", short(found.slope), "Length of the gradient where the run has ended."
    signs = " At another place they are others"
    signs += "; along a negative one it falls off." if several else "."
    signs += f" Negative here: {len(found.down)}." if found.down else ""
    signs += f" Zero, up to rounding: {found.flat}, along which it is flat." if found.flat else ""
    curvatures = ", ".join(map(short, found.curvatures))
    yield "Curvatures here", curvatures, f"Eigenvalues of the Hessian here, smallest first.{signs}"
    if found.limit and (not several or found.is_minimum):
        stays = "Above it gradient descent on all rows leaves this valley. In another the limit is another."
        if not several:
            stays = "2 over the largest of them: a longer step along it makes the loss rise here. Elsewhere the limit is another."
        yield "Limit of the rate here", significant(found.limit), stays
    if several and found.is_mean_square:
        best = f"Of {STARTS} starts on the map. Nobody has proved that there is none lower."
        yield "RMSE of the best found", significant(found.best.rmse), best
    elif several:
        best = f"Of {STARTS} starts on the map, at RMSE {significant(found.best.rmse)}. Nobody has proved that there is none lower."
        yield "Lowest penalised loss found", significant(found.best.loss), best


def _of_scaled_target(run: Run) -> str:
    """Which of the numbers are in which unit, where the target is scaled."""
    if not run.experiment.scale_target:
        return ""
    dataset = run.problem.dataset
    mean = f"y minus its mean {short(float(dataset.target_mean))}, over" if dataset.centred else "y over"
    kind = "deviation" if dataset.centred else "root mean square"
    unit = short(float(dataset.target_deviation))
    return (
        f"The target is scaled: {mean} its {kind} {unit}. The loss is that of the scaled y; every RMSE is in the units "
        f"of y, {unit} × its root. Curvatures, κ and the limit are the same with y as it is."
    )


def _facts(run: Run, forecast: Forecast) -> None:
    """Curvatures, optimum, floor and rates, one below the other."""
    experiment = run.experiment
    names = [escape(name) for name in with_columns(vars(experiment), experiment.info.parameters)]
    epochs = counted(experiment.epochs, "epoch")
    known = zip(names, forecast.optimum, forecast.optimum_digits, strict=True)
    optimum = ", ".join(
        f"{name} = {significant(value, min(digits, 6)) if digits else 0}" for name, value, digits in known
    )
    rows = [
        *_penalty(experiment),
        (
            "Condition number κ",
            rounded(forecast.condition_number),
            "The steepest curvature over the flattest. Near 1 is easy.",
        ),
        (
            "Curvatures λ",
            ", ".join(map(short, forecast.eigenvalues)),
            "Eigenvalues of the Hessian, flattest first.",
        ),
        (
            "Optimum",
            optimum,
            "The parameters with the lowest loss"
            + (", in raw units." if experiment.is_rescaled else ".")
            + _what_is_not_known(run.curvature, forecast, names),
        ),
        (
            "Floor RMSE" if run.curvature.bounds_rmse else "RMSE there",
            floor_of(forecast),
            experiment.loss_info.floor,
        ),
    ]
    if validation := run.problem.validation:
        note = (
            f"At the same optimum, on the {counted(experiment.held_out_rows, 'row')} that training never saw."
        )
        judged = validation.rmse(run.curvature.optimum)
        judged = run.curvature.error(judged, float(validation.rmse(run.problem.start)))
        rows.append(("Held-out RMSE", significant(float(judged)), note))
    if forecast.stability_limit:
        pays = (
            f" It is ahead of the one above from about epoch {rounded(forecast.pays_after)} on."
            if forecast.pays_after
            else ""
        )
        limit = "Above it the error along the steepest direction grows."
        rows.append(("Limit of the rate", significant(forecast.stability_limit), limit))
        for other in conventions(experiment):
            there = significant(forecast.stability_limit * other.times)
            rows.append((f"The same with {other.where}", there, other.what))
        rows.append(_safe(forecast))
        if forecast.best_for_epochs:
            best = "The smallest loss after exactly these epochs, of all rates below the limit."
            if not is_constant(experiment):
                best = "The smallest loss after exactly these epochs, of all η up to the limit under this schedule."
            best += stops_before(experiment)
            rows.append((f"Best rate for {epochs}", significant(forecast.best_for_epochs), best))
        if forecast.best_learning_rate:
            best = f"The smallest loss after very many epochs.{pays}"
            rows.append(("Best rate in the long run", significant(forecast.best_learning_rate), best))
    else:
        rows.append(("Limit of the rate", "none", forecast.why_no_limit or ""))
        rows.append(_safe(forecast))
    _list(rows)


def _list(rows: Sequence[tuple[str, str, str]]) -> None:
    """Facts one below the other: what, how much, and what that means. HTML."""
    body = "".join(f"<tr><td>{a}</td><td>{b}</td><td>{c}</td></tr>" for a, b, c in rows)
    st.html(f'<table class="live facts">{body}</table>')


def _penalty(experiment: Experiment) -> list[tuple[str, str, str]]:
    """What is penalised, and what torch calls it; nothing without a penalty."""
    if not experiment.penalty:
        return []
    of = "scaled columns" if experiment.scale_features else "columns as they are"
    what = (
        f"λ times the sum of {experiment.penalised_in_words}, for {of}. torch.optim’s weight_decay is "
        f"{short(2 * experiment.penalty)}, twice that: its penalty has a ½."
    )
    rule = OPTIMIZER_INFO[experiment.optimizer]
    if isinstance(rule.theory, NoLimit):
        what += f" It is part of the slope, which {rule.title} divides by its size; AdamW’s weight decay is not divided."
    return [("L2 penalty λ", short(experiment.penalty), what)]


def _safe(forecast: Forecast) -> tuple[str, str, str]:
    safe = safe_of(forecast)
    return safe.title, short(safe.rate), safe.why


def _what_is_not_known(curvature: Curvature, forecast: Forecast, names: Sequence[str]) -> str:
    """A sentence where numbers of 16 digits are too few: for a parameter, or for the curve that all of them make."""
    few = [
        f"{digits} of {name}"
        for name, digits in zip(names, forecast.optimum_digits, strict=True)
        if 0 < digits < 6
    ]
    if few:
        return f" Digits that are known: {', '.join(few)}; the rest is rounding."
    if curvature.blur > BLURRED * curvature.floor_rmse and not curvature.floor_is_zero:
        return f" Its terms nearly cancel, so 16 digits of each hold the curve to ±{short(curvature.blur)} only. Scale the features."
    return ""


def _parameters(run: Run, colours: Palette) -> None:
    choices = {"loss": "Against the loss", "epoch": "By epoch"}
    against = st.segmented_control(
        "Axis", list(choices), format_func=choices.__getitem__, key="against", default="loss",
        label_visibility="collapsed", required=True,
    )  # fmt: skip
    names = with_columns(vars(run.experiment), run.experiment.info.parameters)
    places = [
        place
        for _ in range(0, len(names), ABREAST)
        for place in st.columns(min(len(names), ABREAST), gap="medium")
    ]
    for i, place in enumerate(places[: len(names)]):
        with place:
            draw(trace(run, i, names[i], against or "loss", colours, HEIGHT), f"trace_{i}")
    note = "in raw units" if run.experiment.is_rescaled else ""
    best = "" if run.parabola is None else "the dashed line is the optimum"
    st.caption(f"{'; '.join(filter(None, ('A cross every tenth of the run', note, best)))}.")


def in_relief(run: Run, colours: Palette, axes: tuple[int, int], told: float = 0) -> None:
    """The map's loss from the side, under the two sliders that turn it."""
    from pages.ui.charts.relief import relief, terrain  # when it is opened
    from pages.ui.player.relief import show

    titles = with_columns(vars(run.experiment), run.experiment.trained_names)
    left, right = st.columns([3, 2], gap="large")
    with left, st.container(key="relief"):
        if run.parabola is None and (shown := terrain_box(run.experiment, run.problem, axes)):
            view = terrain(run, shown, axes, titles, colours, RAISED)
        else:
            view = relief(run, axes, titles, colours, RAISED, told)
        show(view, (titles[axes[0]], titles[axes[1]]), colours, RAISED)
    with right:
        st.html('<p class="panel-title">What is seen</p>')
        rest = ""
        if len(titles) > 2:
            rest = (
                " The other parameters are where the run is."
                if run.parabola
                else " It is a slice: the other parameters are where the run is last. The run is as high as its own loss, so "
                "it comes down to the net at its end."
            )
        one_valley = f" {ONE_VALLEY}" if run.parabola is not None else ""
        st.markdown(
            f"The net is the loss over {titles[axes[0]]} and {titles[axes[1]]}. Up is more of it, in equal steps.{rest} "
            f"On the floor lie the map’s level lines.{one_valley}\n\n"
            "Drag the picture, or move its two sliders: *turn* goes round it, *tilt* up to 90°, which is the map from above."
        )


def where_starts_end(
    run: Run,
    colours: Palette,
    axes: tuple[int, int],
    on_start: Callable[[tuple[float, float]], None] | None = None,
) -> bool:
    """The map with its ground in the colours of the valleys that starts come to, and a table of these; or why there is none.

    Whether it is still trained.
    """
    from pages.ui.charts.loss_map import terrain  # as above

    seen = box_of(run.experiment, run.problem.start, axes)
    if (why := why_no_starts(run.experiment, run.problem.objective)) or seen is None:
        st.markdown(why)
        return False
    ends = start_maps.of(run.experiment, run.problem, seen, axes)
    left, right = st.columns([3, 2], gap="large")
    with left, look.clickable(start_maps.PAGE):
        view = terrain(run, seen, axes, run.experiment.trained_names, colours, RAISED, ends=ends)
        draw(view, start_maps.PAGE)
    with right:
        st.html(start_maps.told(run, ends, colours))
        if on_start:
            start_maps.choice(ends, on_start)
    return ends.share < 1


def _steps(run: RecordedRun, _: Palette) -> None:
    import pandas as pd  # a tenth of the server's memory, which most visits do without

    recording, names = run.recording, with_columns(vars(run.experiment), run.experiment.info.parameters)
    left, right = st.columns([1, 1], gap="large")
    with left:
        steps = [
            n
            for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000)
            if n <= max(1, recording.epochs)
        ]
        usual = next((n for n in steps if recording.epochs / n <= 20), steps[-1])
        every = st.selectbox(
            "Every n-th epoch", steps, index=steps.index(usual), format_func="{:,}".format, width=140
        )
        epochs = np.arange(0, recording.epochs + 1, every)[:1001]
        theta = run.problem.raw(recording.epoch_theta[epochs]).numpy()
        table = pd.DataFrame(
            {"epoch": epochs}
            | {name: theta[:, i] for i, name in enumerate(names)}
            | {"loss": recording.epoch_loss[epochs].numpy(), "RMSE": recording.epoch_rmse[epochs].numpy()}
        )
        if recording.epoch_held_out_rmse is not None:
            table["held-out RMSE"] = recording.epoch_held_out_rmse[epochs].numpy()
        numbers = {  # %.6g writes a number of any size without an exponent
            name: st.column_config.NumberColumn(
                format="%.6g" if float(np.abs(table[name].to_numpy()).max()) < LARGE else "scientific"
            )
            for name in table
            if name != "epoch"
        }
        st.dataframe(table, hide_index=True, height=320, column_config=numbers)
        raw = "Parameters in raw units. " if run.experiment.is_rescaled else ""
        more = " Only the first 1,001 of them are listed." if recording.epochs // every > 1000 else ""
        st.caption(f"{raw}Loss and RMSE are those at the epoch’s start, before its update.{more}")
    with right:
        rule = formulas.html(OPTIMIZER_INFO[run.experiment.optimizer].latex)
        title = '<p class="panel-title">The step that leaves this epoch</p>'
        st.html(f'{title}<p class="formulas">{rule}</p>{_autopsy(run)}')


def _autopsy(run: RecordedRun) -> str:
    experiment = run.experiment
    names = experiment.trained_names
    first = "eigenvectors" if run.recording.engine == SPECTRUM else "autograd"
    lines = "".join(_update_line(run, name, i) for i, name in enumerate(names))
    if sentence := not_known(experiment, KNOWN, "for a step to be written out"):
        lines = f"<p>{escape(sentence)}</p>"
    elif experiment.before:
        lines = "<p>A continued run follows one rule after another, so its steps are not written out.</p>"
    ways = {"formula": "formula"} if in_features(run.problem.objective) else {}  # which is one in Φ
    ways |= {"finite": "finite difference"}
    rows = "".join(
        f"<tr><td>∂L/∂{name}</td><td>{player.live(f'g{i}')}</td>"
        + "".join(f"<td>{player.live(f'{way}{i}')}</td>" for way in ways)
        + "</tr><tr class=off><td>off by</td><td></td>"
        + "".join(f"<td>{player.live(f'{way}_off{i}', digits=2)}</td>" for way in ways)
        + "</tr>"
        for i, name in enumerate(names)
    )
    heads = "".join(f"<th>{title}</th>" for title in (first, *ways.values()))
    if not _is_compared(experiment):
        size = f"{counted(experiment.points, 'row')} are too many to work the gradient out in three ways at every epoch."
        return f"<p>{size}</p>"
    batch = (
        ""
        if experiment.updates_per_epoch == 1
        else "<p><small>On the first mini-batch of this epoch.</small></p>"
    )
    long = ""
    if run.recording.updates > REPLAYED_UPDATES and OPTIMIZER_INFO[experiment.optimizer].memory:
        long = f"<p><small>What the rule remembers is shown for runs of up to {REPLAYED_UPDATES:,} updates.</small></p>"
    return (
        f'<div class="steps">{lines}</div>{batch}{long}<table class="live"><tr><th>the same gradient by</th>'
        f"{heads}</tr>{rows}</table>"
    )


def _update_line(run: Run, name: str, i: int) -> str:
    """The update rule with this epoch's numbers in it, for one parameter."""
    experiment = run.experiment
    rule = OPTIMIZER_INFO[experiment.optimizer]
    live = {"p": f"p{i}", "g": f"g{i}"}
    live |= {part: f"{part}{i}" for kept in rule.memory for part in (kept, f"{kept}_before")}
    places = {place: player.live(column) for place, column in live.items()}
    if rule.over_curvature:
        row = _inverse(run)[i].tolist()
        rounding = 1e-12 * max(map(abs, row))
        signs = ["− " if number < -rounding else "+ " * (j > 0) for j, number in enumerate(row)]
        sizes = [abs(number) * (abs(number) > rounding) for number in row]
        terms = (
            f"{sign}{short(size, 6)} × ({player.live(f'g{j}')})"
            for j, (sign, size) in enumerate(zip(signs, sizes, strict=True))
        )
        places |= {
            "divided": player.live(f"d{i}"),
            "in_turn": f"{' '.join(terms)} = " if len(row) <= TERMS else "",
        }
    rate = short(experiment.learning_rate, 6) if is_constant(experiment) else player.live("rate")
    places |= {"name": name, "rate": rate}
    for setting, value in rule.own(experiment).items():
        places |= {setting: short(value), f"1-{setting}": short(1 - value)}
    text = "<br>".join(line.format_map(places) for line in rule.written_out)
    after = player.live(f"n{i}")
    return f"<p>{text} = <b>{after}</b></p>"


def _six(run: Run, colours: Palette) -> None:
    last = run.recording.epochs
    steps = [
        n
        for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000)
        if n * (PANELS - 1) <= max(PANELS - 1, last)
    ]
    every = st.selectbox("Epochs between two panels", steps, format_func="{:,}".format, width=220)
    with st.container(horizontal=True, gap="xsmall"):
        for epoch in range(0, min(last, every * (PANELS - 1)) + 1, every):
            with st.container(width=166):
                st.html(
                    f'<p class="panel-title">Epoch {epoch:,} <small>RMSE {short(float(run.recording.epoch_rmse[epoch]), 4)}</small></p>'
                )
                draw(panel(run, epoch, colours, 130), f"panel_{epoch // every}")
    st.caption(
        "Dots are data, crosses are predictions: the first article’s figure. These panels do not follow the player."
    )


def _gap(run: Run, colours: Palette) -> None:
    import pandas as pd  # as above

    if run.parabola is None:
        st.markdown(why_no_theory(run.experiment))
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        draw(gap_chart(run, colours, HEIGHT + 40), "gap")
    with right:
        curvature = run.curvature
        experiment = run.experiment
        st.html('<p class="panel-title">What each direction does</p>')
        st.markdown(
            "The gap splits along the eigenvectors of the Hessian. Each direction shrinks by its own factor. "
            f"The curvatures differ by κ = {rounded(curvature.condition_number)}."
            + (" Drawn are the two flattest and the two steepest." if len(curvature.eigenvalues) > 4 else "")
        )
        names = with_columns(vars(experiment), experiment.trained_names)
        table = {
            "direction": list(range(1, len(names) + 1)),
            "curvature λ": curvature.eigenvalues.numpy(),
        }
        plain = is_plain(experiment) and is_constant(experiment) and not experiment.before
        if plain and experiment.updates_per_epoch == 1:
            table["factor an epoch"] = (1 - experiment.learning_rate * curvature.eigenvalues).numpy()
        vectors = curvature.eigenvectors.numpy()
        table |= {f"along {name}": vectors[i] for i, name in enumerate(names)}
        numbers = {
            name: st.column_config.NumberColumn(format="%.6g") for name in table if name != "direction"
        }
        st.dataframe(pd.DataFrame(table), hide_index=True, column_config=numbers)
