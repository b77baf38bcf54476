"""The Train page's live part: four panels, the transport under them, and the tabs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import streamlit as st
from torch import Tensor

from gd_core import drawing
from gd_core.landscape import (
    Window,
    bowl_of,
    place_on,
    resting_axes,
    rests,
    sliced_at,
    terrain_box,
    typed_place,
    typed_start,
    why_no_terrain,
    window,
)
from gd_core.outcome import Finding, Outcome
from gd_core.problem import Problem
from gd_core.settings.catalog import model_info
from gd_core.settings.engines import SPECTRUM
from gd_core.settings.examples import EXAMPLES, OPENING
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import LEARNING_RATE, SEED, typed_rate
from gd_core.settings.fields import ParameterError
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.schedules import is_constant
from gd_core.settings.table_fields import with_columns
from gd_core.settings.task import THEORY
from gd_core.theory import Curvature, Forecast
from gd_core.words import counted, floor_label, percent, short, times
from pages.ui.charts import averages
from pages.ui.charts.boundary import boundary
from pages.ui.charts.error import error as error_chart
from pages.ui.charts.fit import agreement, along, fit
from pages.ui.charts.ghosts import Ghost
from pages.ui.charts.loss_map import landscape, parabola, terrain, zooms
from pages.ui.charts.model import (
    DRAWN_ROWS,
    MOVED_ROWS,
    NEVER,
    RecordedRun,
    Run,
    View,
    drawn_until,
    error_until,
    last_epoch,
    stride_of,
)
from pages.ui.look import current_charts, formulas, look, map_axes, projector, session
from pages.ui.look.palette import Palette, palette
from pages.ui.player import live_runs, player, run_summaries, start_maps, tabs
from pages.ui.player.recording_cache import once
from pages.ui.settings import lesson
from pages.ui.settings.next_steps import ways_on
from pages.ui.takeaway import takeaway
from pages.ui.train import (
    controls,
    draw,
    hand_in_task,
    own_table,
    pinned,
    pins,
    prepare_task,
    rate,
    table_advice,
    table_preview,
    task,
)
from pages.ui.train.train_settings import page

TALL, LOW = 300, 205  # heights of the upper and the lower panels, in pixels,
IN_A_ROW = 250  # and of three side by side,
SLIM = 260  # or of two in the frame of another page
CHANGED = "The settings have changed since this run: Train runs the new ones."
ABOVE_THE_LIMIT = 1.05  # times it: a run grows there, in steps that one can follow
LEGEND = '○ start, <b>●</b> run, <b class="optimum">◆</b> optimum'  # of the landscape
WIDEST = 4.0  # times, a map around a lowest point for a run that leaves it
LINE = 26  # of the legend of pinned runs over them, or the second of a map's head
_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass
class Live:
    """What the session keeps of the live part.

    Attributes:
        experiment: What the side bar said when the whole page last ran.
        along: The two features that the fit is drawn along, by number.
        continue_from: The epoch of the run on the page to go on from.
        answered: The number of the first run by what decides the optimum.
        linked: The experiment that a link brought along.
        more: Whether what is open below the player is still worked out.
    """

    experiment: Experiment = OPENING.experiment
    along: list[int] = field(default_factory=lambda: [0, 1])
    continue_from: float | None = None
    answered: dict[str, int] = field(default_factory=dict)
    linked: Experiment | None = None
    more: bool = False


def show(held: controls.Controls, box: Any = None) -> None:
    """Everything on the page that needs torch; `box` is the place under a task."""
    live_runs.settle()
    if own_table.asked():  # no run of another table in its place
        table_preview.show()
        return
    session.held(Live).experiment = held.experiment
    if page.held.followed:
        session.held(Live).linked = None if page.is_bare(st.query_params.to_dict()) else held.experiment
        live_runs.recall(held.experiment)
        if task.result():
            page.held.pressed = "train"
    _act(held.experiment)
    live_run = hand_in_task.without_what_the_task_forbids(live_runs.on_page(held.experiment))
    hand_in_task.show(box, live_run)
    streaming = bool(live_run and live_run.recorder) or bool(pinned.pending()) or session.held(Live).more
    # a fragment also when nothing streams: its elements would be drawn anew if they came out of one
    st.fragment(_live, run_every=live_runs.TICK if streaming else None)(held, streaming)
    prepare_task.show(held.experiment, live_run)
    if task.current() is None and not controls.slim():
        takeaway.button("train", "Train", _shown, _address)


def under_rate(experiment: Experiment) -> None:
    """The strip of rates, where the rate may be chosen and theory may be seen."""
    if task.free("learning_rate") and not task.hidden(THEORY):
        problem, _, forecast = live_runs.known(experiment)
        rate.show(experiment, problem, forecast, _rate_chosen(rate.chosen))


def under_table(experiment: Experiment) -> None:
    """What theory says of a table."""
    if task.current() is None and not own_table.problem():
        table_advice.show(experiment)


def _shown() -> dict[str, RecordedRun]:
    """The run on the page now, for whoever takes it away."""
    experiment = session.held(Live).experiment
    return {"This run": live_runs.as_run(experiment, live_runs.on_page(experiment))[0]}


def _address() -> dict[str, str]:
    """The settings of its link: of the run, also where the side bar has changed since."""
    axes = {name: text for name, text in st.query_params.to_dict().items() if name == "axes"}
    return _shown()["This run"].experiment.to_query() | axes


def _live(held: controls.Controls, streaming: bool) -> None:
    if page.held.touched or (page.held.pressed and not _trains_alone(held, streaming)):
        st.rerun()  # only this part is running, and a button in it changes something outside
    current_charts.clear()
    live_run = live_runs.on_page(held.experiment)
    if live_run and live_run.recorder:
        live_runs.advance(live_run)
    elif streaming:
        run_summaries.advance(pins.held().pins)
    run, forecast, finding = live_runs.as_run(held.experiment, live_run)
    run = live_runs.to_watch(run)
    colours = palette(st.context.theme.type)
    shown = pinned.Beside()
    if task.current() is None:
        shown = pinned.beside(run, live_run)
        pinned.legend(shown, colours)
    told = _answer_from(run, live_run, shown)
    if projector.on() or controls.slim():
        _panels_in_a_row(run, colours, shown, told)
    else:
        _panels(run, forecast, colours, shown, told)
    _transport(run, forecast, finding, held, live_run, shown)
    if projector.on():
        with st.container(key="numbers"):  # on a key
            _formula(run, forecast, told)
    more = False
    if not task.hidden(THEORY) and not controls.slim():
        more = tabs.show(
            run, forecast, colours, _relief_axes(run), told, _start_at if task.free("start") else None
        )
    if live_run and task.current() is None and not controls.slim():  # next after a run
        lesson.try_next(*ways_on(run.experiment, forecast, finding.outcome))
    session.held(Live).more = more
    trained = not (live_run and live_run.recorder) and not pinned.pending() and not more
    if (trained if streaming else more) and not current_charts.being_taken():
        page.touch()
        st.rerun()


def _trains_alone(held: controls.Controls, streaming: bool) -> bool:
    """Train a short run that was asked for, where nothing outside this part changes with it.

    Most presses of Train are such: the side bar is neither read nor sent again.
    """
    alone = page.held.pressed == "train" and task.current() is None and not streaming
    if not alone or not live_runs.is_short(held.experiment):
        return False
    _act(held.experiment)
    return True


def _answer_from(run: Run, live_run: live_runs.TrainRun | None, shown: pinned.Beside) -> float:
    """From which epoch on the optimum is drawn: the attempt comes first, and the answer with its verdict.

    Of a problem that has been run in this visit, or whose pinned run is beside, it is known already; the pad of one's own
    drawing shows it under the hand.
    """
    answered, problem = session.held(Live).answered, live_runs.answer_of(run.experiment)
    if shown.fit or (drawing.is_drawing(run.experiment) and task.current() is None):
        return 0
    if live_run is None:
        return 0 if problem in answered else NEVER
    if answered.setdefault(problem, live_run.number) != live_run.number:
        return 0
    return run.recording.epochs if run.recording.complete else NEVER


def _panels(run: Run, forecast: Forecast | None, colours: Palette, shown: pinned.Beside, told: float) -> None:
    with st.container(key="panels"):  # two by two, or in a low window three charts in a row: look.css
        data, landscape, error, formula = st.columns(4, gap="medium")
    with data:
        _data(run, colours, shown, told)
    with error:
        _error(run, colours, LOW, shown, told)
    with landscape:  # the dearest to draw, and so the last: see `tabs.draw`
        _landscape(run, colours, TALL - (LINE if _head_wraps(run) else 0), shown, told)
    with formula:
        _formula(run, forecast, told)


def _panels_in_a_row(run: Run, colours: Palette, shown: pinned.Beside, told: float) -> None:
    """Data, landscape and error side by side, which a projector shows with the player on one screen; slim without landscape."""
    slim = controls.slim()
    height = (SLIM if slim else IN_A_ROW) - (LINE if shown.legend else 0) - (LINE if shown.notes else 0)
    with st.container(key="slim" if slim else "in_a_row"):
        data, *landscape, error = st.columns(2 if slim else 3, gap="small")
    with data, st.container(key="data_panel"):
        if sentence := _why_not_drawn(run):
            st.markdown(sentence)
        elif _has_boundary(run):
            _boundary(run, colours, height, shown, told)
        elif len(run.problem.dataset.feature_names) > 1:
            look.panel_title("Prediction and data", _agreement_note(run, shown))
            tabs.draw(_view(agreement, run, colours, height, ghosts=shown.fit), "agreement")
        else:
            _one_feature(run, colours, height, shown, told)
    with error, st.container(key="error_panel"):
        _error(run, colours, height, shown, told)
    for place in landscape:
        with place:
            _landscape(run, colours, height, shown, told)


def _view(chart: Callable[..., View], run: Run, *how: Any, ghosts: Sequence[Ghost]) -> View:
    """A chart of this run. Without pinned runs beside it, it is the same for all who look at it."""
    if ghosts:
        return chart(run, *how, ghosts=ghosts)
    return once(run.recording, (chart, *how), lambda: chart(run, *how))


def _why_not_drawn(run: Run) -> str | None:
    """Why neither data nor fit are drawn, for a student; None if they are."""
    if len(run.problem.dataset.feature_names) == 1 or model_info(run.experiment.info.model).plane:
        return None
    return "Over several features only a plane is drawn, and this model is none."


def _data(run: Run, colours: Palette, shown: pinned.Beside, told: float) -> None:
    if sentence := _why_not_drawn(run):
        st.markdown(sentence)
    elif _has_boundary(run):
        _boundary(run, colours, TALL, shown, told)
    elif len(run.problem.dataset.feature_names) > 1:
        look.panel_title("Prediction and data", _agreement_note(run, shown))
        left, right = st.columns([3, 2], gap="small")
        with left:
            tabs.draw(_view(agreement, run, colours, TALL, ghosts=shown.fit), "agreement")
        with right:
            for place, j in enumerate(_shown_features(run)):
                view = _view(along, run, j, colours, TALL // 2 - 8, told, ghosts=shown.fit)
                tabs.draw(view, f"along_{place}")
    else:
        _one_feature(run, colours, TALL, shown, told)


def _has_boundary(run: Run) -> bool:
    """Whether a yes or no is told from several features, so that a line over two of them parts the two."""
    return run.experiment.loss_info.yes_no and len(run.problem.dataset.feature_names) > 1


def _boundary(run: Run, colours: Palette, height: int, shown: pinned.Beside, told: float) -> None:
    """Over the two features that were chosen, of more than two."""
    marks = "● 1, × 0, held out ◆ ◇" if run.experiment.holdout else "● 1, × 0"
    note = (
        ""
        if run.experiment.points <= DRAWN_ROWS
        else f"{DRAWN_ROWS} of {counted(run.experiment.points, 'row')} drawn"
    )
    look.panel_title(
        "Data and boundary", "; ".join(filter(None, (marks, "shaded: the probability of 1", note)))
    )
    i, j = _shown_features(run)
    features = (i, j) if i != j else (i, (i + 1) % len(run.problem.dataset.feature_names))
    tabs.draw(_view(boundary, run, features, colours, height, told, ghosts=shown.fit), "boundary")


def _one_feature(run: Run, colours: Palette, height: int, shown: pinned.Beside, told: float) -> None:
    """Data and fit; of one's own drawing that is not trained yet, the paper. A task's points stay as they are."""
    if not drawing.is_drawing(run.experiment) or task.current() is not None:
        fixed = "the points are the task’s" if drawing.is_drawing(run.experiment) else ""
        look.panel_title("Data and fit", "; ".join(filter(None, (_rows_note(run), fixed))))
        tabs.draw(_view(fit, run, colours, height, told, ghosts=shown.fit), "fit")
    elif live_runs.on_page(run.experiment) is None:
        draw.show(run, colours)
    else:
        with st.container(horizontal=True, vertical_alignment="center", key="fit_head"):
            look.panel_title("Data and fit", _rows_note(run))
            st.button(
                "Go on drawing",
                icon=":material/draw:",
                type="tertiary",
                on_click=live_runs.reset,
                key="draw_on",
            )
        tabs.draw(_view(fit, run, colours, height, told, ghosts=shown.fit), "fit")


def _error(run: Run, colours: Palette, height: int, shown: pinned.Beside, told: float) -> None:
    until = error_until(run)
    where = "at the floor" if run.parabola is None or run.parabola.bounds_rmse else "where the loss is lowest"
    rests = f"up to epoch {until:,}, then {where}" if until < last_epoch(run) and not shown.error else ""
    look.panel_title("Error by epoch", "; ".join(filter(None, (rests, _stride_note(run)))))
    tabs.draw(_view(error_chart, run, colours, height, told, ghosts=shown.error), "error")


def _shown_features(run: Run) -> list[int]:
    """The two features that the fit is drawn along: of more than two, those that were chosen."""
    names = run.problem.dataset.feature_names
    shown = [0, 1]
    if len(names) > 2:
        shown = [place if place < len(names) else 0 for place in session.held(Live).along]
        with st.popover("Along which", width="stretch"):
            for place in range(2):
                shown[place] = st.selectbox(
                    "Above" if place == 0 else "Below", range(len(names)), index=shown[place],
                    format_func=names.__getitem__, key=f"along {place}",
                )  # fmt: skip
        session.held(Live).along = shown
    return shown


def _axes(run: Run) -> map_axes.Axes:
    """The landscape's two parameters: those that were chosen, or else two over which it rests. Twice 0 if there is one."""
    return page.axes_of(run.experiment) or once(
        run.recording, resting_axes, lambda: resting_axes(run.curvature)
    )


def _relief_axes(run: Run) -> map_axes.Axes | None:
    """The two parameters of the map; None where there is none."""
    if run.parabola is None:
        axes = _axes_of_terrain(run.experiment, run.problem)
        return axes if terrain_box(run.experiment, run.problem, axes) else None
    return _axes(run)


def _axes_of_terrain(experiment: Experiment, problem: Problem) -> map_axes.Axes:
    """The same of a loss that is no parabola: those that were chosen, or its data set's; of a robust loss as of the squared error."""
    if chosen := page.axes_of(experiment):
        return chosen
    bowl = None if experiment.info.shown else bowl_of(problem)
    return resting_axes(bowl) if bowl else experiment.info.axes


def _seen(run: Run, axes: map_axes.Axes) -> Window | None:
    """The map of a loss that is no parabola; around a lowest point as wide as the run needs."""

    def made() -> Window | None:
        seen = terrain_box(run.experiment, run.problem, axes)
        if seen is None or run.experiment.info.shown or (zoomed := zooms(run, seen, axes)) is None:
            return seen
        times, (half_u, half_v) = min(float(zoomed[-1]), WIDEST), seen.half
        return Window(seen.centre, (times * half_u, times * half_v))

    return once(run.recording, (terrain_box, axes), made)


def _head_wraps(run: Run) -> bool:
    """Whether the map's choice of parameters and its note take two lines beside another panel."""
    return len(run.experiment.info.parameters) > (3 if run.parabola or not run.experiment.info.shown else 2)


def _landscape(run: Run, colours: Palette, height: int, shown: pinned.Beside, told: float) -> None:
    if run.parabola is None:
        _terrain(run, colours, height, shown, told)
        return
    axes = _axes(run)
    names = run.experiment.trained_names
    titles = with_columns(vars(run.experiment), names)
    with st.container(horizontal=True, vertical_alignment="center", key="map_head"):
        others = [name for i, name in enumerate(names) if i not in axes]
        rest = ", ".join(others) if len(others) < 4 else f"other {len(others)} parameters"
        notes = [LEGEND, *_mean_note(run)]
        notes += (
            [f"+ lowest at the run’s {rest}, with which the rings slide"]
            if not rests(run.curvature, axes)
            else []
        )
        notes += ["click to set the start"] if task.free("start") else []
        look.panel_title("Landscape")
        map_axes.control("axes", run.experiment.info.parameters, axes, _axes_chosen)
        look.panel_title("", "; ".join(notes))
    if len(names) == 1:
        view = _view(parabola, run, titles[0], colours, height, told, ghosts=shown.map)
    else:
        view = _view(landscape, run, axes, tuple(titles), colours, height, told, ghosts=shown.map)
    with look.clickable("map"):
        tabs.draw(view, "landscape")


def _terrain(run: Run, colours: Palette, height: int, shown: pinned.Beside, told: float) -> None:
    """The map of a loss that is no parabola, or why there is none."""
    experiment = run.experiment
    axes = _axes_of_terrain(experiment, run.problem)
    seen, lowest = _seen(run, axes), not experiment.info.shown
    if seen is None:
        look.panel_title("Landscape")
        st.markdown(why_no_terrain(run.problem))
        return
    names = tuple(with_columns(vars(experiment), experiment.trained_names))
    clicks = "; click to set the start" if task.free("start") else ""
    marks = LEGEND if lowest else "○ start, <b>●</b> run"
    if len(names) == 2:
        look.panel_title("Landscape", f"{marks}{'' if lowest else '; several valleys'}{clicks}")
    else:
        with st.container(horizontal=True, vertical_alignment="center", key="map_head"):
            look.panel_title("Landscape")
            map_axes.control("axes", experiment.info.parameters, axes, _axes_chosen)
            look.panel_title("", f"{marks}; a slice, the others as where the run is last{clicks}")
    with look.clickable("map"):
        answer = told if lowest else None
        view = _view(terrain, run, seen, axes, names, colours, height, answer, ghosts=shown.map)
        tabs.draw(view, "landscape")


def _rows_note(run: Run, most: int = DRAWN_ROWS) -> str:
    """Which mark is which where rows are held out, and how many rows are drawn where it is not all."""
    experiment, notes = run.experiment, []
    if experiment.holdout:
        rows = "" if projector.on() else " rows"  # beside large type there is little room
        notes.append(
            f"● {experiment.training_rows:,} training{rows}, ◇ {experiment.held_out_rows:,} held out"
        )
    if experiment.points > most:
        notes.append(f"{most} of {counted(experiment.points, 'row')} drawn")
    return "; ".join(notes)


def _agreement_note(run: Run, shown: pinned.Beside) -> str:
    """The rows, and what is drawn of pinned runs: their points over each other could not be told apart."""
    notes = [_rows_note(run, MOVED_ROWS)]
    if shown.fit:
        one = len(shown.fit) == 1
        notes.append(
            "the pinned run as its straight trend" if one else "pinned runs as their straight trends"
        )
    return "; ".join(note for note in notes if note)


def _mean_note(run: Run) -> list[str]:
    """What the open square is, of a run in mini-batches."""
    return [averages.NOTE] if averages.is_averaged(run) else []


def _stride_note(run: Run) -> str:
    stride = stride_of(drawn_until(run))
    thin = run.experiment.loss_info.thin
    notes = [f"thin: {thin}"] if thin else []
    notes += ["dashed: accuracy"] if run.experiment.loss_info.yes_no else []
    notes += _mean_note(run)
    notes += [f"one in {counted(stride, 'epoch')} drawn, all recorded"] if stride > 1 else []
    # said before Train as well: a note that comes with the run would push a narrow chart down
    if run.recording.engine == SPECTRUM and stride > 1:  # else it stands in the tab of numbers
        notes.append("along the eigenvectors" if projector.on() else "worked out along the eigenvectors")
    return "; ".join(notes)


def formula_of(experiment: Experiment) -> str:
    """The model in LaTeX, with as many terms as there are."""
    latex = model_info(experiment.info.model).latex(experiment.info.weights)
    if not experiment.loss_info.yes_no:
        return latex
    head = r"\hat y = "
    return f"{head}\\sigma({latex.removeprefix(head)})"


def gradient_of(experiment: Experiment) -> str:
    """The gradient in LaTeX, by Φ; without one, by J, which says what each parameter changes each prediction by."""
    latex = experiment.loss_info.gradient
    if model_info(experiment.info.model).linear:
        return latex.replace("{columns}", r"\Phi")
    return latex.replace("{columns}", "J") + r" \qquad J_{ij} = \partial\hat y_i/\partial\theta_j"


def _formula(run: Run, forecast: Forecast | None, told: float) -> None:
    experiment = run.experiment
    model = formula_of(experiment)
    loss, optimizer = experiment.loss_info, OPTIMIZER_INFO[experiment.optimizer]
    lesson.first_words()
    gradient, rmse, of_loss = map(lesson.linked, ("gradient", "RMSE", "loss"))
    lines = [(model, loss.latex), (gradient_of(experiment), optimizer.latex)]
    above = '<p class="panel-title">Formula and numbers of this epoch</p>'
    above += "".join(f'<p class="formulas">{formulas.html(*line)}</p>' for line in lines)
    scaled = experiment.is_rescaled
    head = f"<td></td><th>value</th><th>{gradient}</th><th>next step</th>" + (
        "<th>in raw units</th>" if scaled else ""
    )
    rows = ""
    marks = with_columns(vars(experiment), experiment.trained_names)
    for i, (name, mark) in enumerate(zip(experiment.info.parameters, marks, strict=True)):
        cells = [player.live(f"{kind}{i}", digits=4, full=True) for kind in ("p", "g", "d")]
        if scaled:
            cells.append(f"{name} = {player.live(f'r{i}', digits=4, full=True)}")
        rows += f"<tr><td>{escape(mark)}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    if experiment.updates_per_epoch > 1:
        head = head.replace(gradient, f"{gradient} of its first batch").replace(
            "next step", "that batch’s step"
        )
    held_out = f"held-out RMSE {player.live('held_out')} &ensp; " if experiment.holdout else ""
    floor = ""
    if forecast and told < NEVER:
        label = floor_label(forecast, 6, bounds=forecast.curvature.bounds_rmse)
        floor = f"{lesson.linked(label)} &ensp; "
    if told:
        floor = f"<span data-ended>{floor}</span>"
    of_scaled = " of the scaled y" if experiment.scale_target else ""
    loss_row = f"{rmse} {player.live('rmse')} &ensp; {held_out}{floor}{of_loss}{of_scaled} {player.live('loss', digits=4, full=True)}"
    if loss.yes_no:
        loss_row = f"{loss_row} &ensp; accuracy {player.live('accuracy', digits=4)}"
    if loss.other_error and loss.squared:  # else it is the loss itself
        loss_row += f" &ensp; its root {player.live('root_loss')}"
    if not all(map(is_constant, experiment.phases)):
        loss_row += f" &ensp; rate η {player.live('rate')}"
    many = len(experiment.info.parameters) > 4
    table = f'<table class="live{" many" if many else ""}"><tr>{head}</tr>{rows}</table>'
    table = look.wide("Numbers of all parameters", table)
    st.html(f'{above}{table}<p class="panel-title"><small>{loss_row}</small></p>')
    if experiment.dataset == "table" and len(experiment.features) > 1:
        names = [
            f"x{place}".translate(_LOW) + f" is {name}" for place, name in enumerate(experiment.features, 1)
        ]
        st.caption(look.plain("; ".join(names) + "."))


def _transport(
    run: RecordedRun,
    forecast: Forecast | None,
    finding: Finding,
    held: controls.Controls,
    live_run: live_runs.TrainRun | None,
    shown: pinned.Beside,
) -> None:
    changed = live_run is not None and live_run.experiment != held.experiment
    # Not one that Back has found again.
    newest = live_run is not None and live_run.number == live_runs.takes()
    with st.container(key="transport", horizontal=True, vertical_alignment="top"):
        with st.container(key="commands", width="content", gap="xsmall"):
            with st.container(key="buttons", horizontal=True, width="content", gap="small"):
                st.button(
                    "Train",
                    type="primary",
                    on_click=_press,
                    args=("train",),
                    key="train",
                )
                if live_run and live_run.recorder:
                    st.button("Stop", icon=":material/stop:", on_click=live_runs.stop, key="stop")
                else:
                    st.button("Reset", on_click=live_runs.reset, key="reset", help="Back to the same start.")
                if task.free("start", "seed"):
                    st.button("New start", on_click=_new_start, key="new_start", help="Another random start.")
            if task.current() is None and not controls.slim():
                pinned.buttons(live_run)
        player.show(
            run,
            forecast,
            finding,
            take=f"take {live_run.number}" if live_run else f"start {live_runs.takes()}",
            play=newest,
            trained=live_run is not None,
            first_epoch=0 if live_run is None else live_run.first_epoch if newest else run.recording.epochs,
            offers=_offers(finding.outcome, forecast, run.experiment.learning_rate),
            note=CHANGED
            if changed
            else _reason(run.experiment)
            if live_run
            else live_runs.why_none() or _linked(run, forecast),
            changed=changed,
            extra=tabs.extra_columns(run) | pinned.extra_columns(run, shown) | _of_the_strip(run),
            on_rate=_rate_chosen(player.rate),
            on_continue=_epoch_chosen if task.free("before") else None,
            on_click=_start_clicked if task.free("start") else None,
        )


def _of_the_strip(run: RecordedRun) -> dict[str, Any]:
    """What the strip of rates hears by the player, where there is one."""
    return {} if task.hidden(THEORY) else rate.limit_columns(run)


def _reason(experiment: Experiment) -> str:
    """What an example's run shows, which the menu says and the page would forget; nothing of the one that opens the page."""
    return next((one.reason for one in EXAMPLES[1:] if one.experiment == experiment), "")


def _linked(run: RecordedRun, forecast: Forecast | None) -> str:
    """What a link shows that was opened, until Train is pressed: it brings settings, and the one who sent it meant a run."""
    experiment = run.experiment
    if session.held(Live).linked != experiment or task.current() is not None:
        return ""
    limit = forecast and forecast.stability_limit
    share = experiment.learning_rate / limit if limit else 0.0
    beside = (
        f", {times(share)} × the limit" if share > 1 else f", {percent(share)} of the limit" if share else ""
    )
    return f"A run with η = {short(experiment.learning_rate)}{beside}. Press Train."


def _offers(outcome: Outcome, forecast: Forecast | None, now: float) -> Sequence[player.Offer]:
    """Rates to try next: smaller ones after a run that went wrong, one that will go wrong after one that has arrived."""
    if forecast is None or task.hidden(THEORY) or not task.free("learning_rate"):
        return ()
    limit, best = forecast.stability_limit, forecast.best_for_epochs
    rates: dict[str, float | None] = {}
    if outcome in (Outcome.DIVERGED, Outcome.GROWING):
        smaller = {"Set the rate to the limit": limit, "To the best for these epochs": best}
        rates = {label: rate for label, rate in smaller.items() if rate and rate < now}
    elif outcome is Outcome.CONVERGED and limit and now <= limit:  # above it a schedule may bring one there
        rates = {"What happens just above the limit? Set the rate to": typed_rate(ABOVE_THE_LIMIT * limit)}
    return [
        player.Offer(f"{label} {short(rate)}", rate)
        for label, rate in rates.items()
        if rate and LEARNING_RATE.low <= rate <= LEARNING_RATE.high and rate != now
    ]


def _press(button: str) -> None:
    """Remember a button. It acts when the side bar has been read: a rate may have been typed just before."""
    page.held.pressed = button


def _act(experiment: Experiment) -> None:
    """Do what the pressed button says, with the settings as they are now."""
    button, page.held.pressed = page.held.pressed, None
    if button and page.waits_for:  # not another run than the fields say
        st.toast(look.plain(page.words(page.waits_for[0])))
        return
    if button == "train":
        live_runs.train(experiment)
    if button == "continue":
        _continue(experiment)


def _new_start() -> None:
    """Start at random, from the next seed."""
    page.set(start="random", seed=(page.settings.seed + 1) % (int(SEED.high) + 1))
    live_runs.reset()


def _rate_chosen(rate_of: Callable[[], float | None]) -> Callable[[], None]:
    def chosen() -> None:
        if (value := rate_of()) is not None:
            page.set(learning_rate=float(value))

    return chosen


def _axes_chosen(axes: map_axes.Axes) -> None:
    page.held.axes = axes
    page.touch()


def _continue(now: Experiment) -> None:
    """Go on from an epoch of the run on the page, with the update rule as it is set now."""
    live_run = live_runs.on_page(now)
    epoch, session.held(Live).continue_from = session.held(Live).continue_from, None
    if epoch is None or live_run is None:
        return
    changes = {
        name: getattr(now, name)
        for name in live_runs.MAY_CHANGE
        if name not in ("before", *live_runs.OF_THE_BATCHES)
    }
    try:
        experiment = live_run.experiment.continued(int(epoch), **changes)
    except ParameterError as error:
        page.tell(str(error))
    else:
        page.set(
            **{name: getattr(experiment, name) for name in (*live_runs.OF_THE_BATCHES, "seed", "before")}
        )
        live_runs.train(experiment, first_epoch=int(epoch))
    st.rerun()  # the side bar names the earlier part


def _epoch_chosen() -> None:
    if (epoch := player.continue_from()) is not None:
        session.held(Live).continue_from = epoch
        _press("continue")


def _start_at(place: tuple[float, float], through: Any = None) -> None:
    """Start at a place of the map of a loss that is no bowl, the other parameters as they start, or as in `through`."""
    experiment = session.held(Live).experiment
    problem = live_runs.known(experiment)[0]
    start = problem.start if through is None else through
    page.type("start", typed_place(place, start, _axes_of_terrain(experiment, problem), problem))
    live_runs.reset()


def _start_clicked() -> None:
    """Start where the map was clicked: its two parameters from there, the others as in the slice that it showed."""
    picked = player.clicked()
    if picked is None:
        return
    experiment = session.held(Live).experiment
    problem, curvature, _ = live_runs.known(experiment)
    if curvature is None:
        axes = _axes_of_terrain(experiment, problem)
        run = live_runs.as_run(experiment, live_runs.on_page(experiment))[0]
        if seen := _seen(live_runs.to_watch(run), axes):
            place, through = place_on(seen, (picked.x, picked.y)), sliced_at(run.recording)
            if experiment.info.shown:
                _start_at(place, None if picked.plot == start_maps.PAGE else through)
            elif bowl := bowl_of(problem):
                theta = through.clone()
                theta[list(axes)] = theta.new_tensor(place)
                _type_start(problem, bowl, theta)
        return
    live_run = live_runs.on_page(experiment)
    run = live_runs.to_watch(live_runs.as_run(experiment, live_run)[0])
    theta = run.recording.epoch_theta[picked.epoch].clone()
    axes = page.axes_of(experiment) or resting_axes(curvature)
    frame = window(curvature, problem.start, axes)
    zoomed = None if pinned.beside(run, live_run).map else zooms(run, frame, tuple(dict.fromkeys(axes)))
    zoom = 1.0 if zoomed is None else float(zoomed[picked.epoch])
    for axis, share, centre, half in zip(
        dict.fromkeys(axes), (picked.x, picked.y), frame.centre, frame.half, strict=False
    ):
        theta[axis] = centre + half * zoom * (2 * share - 1)
    _type_start(problem, curvature, theta)


def _type_start(problem: Problem, curvature: Curvature, theta: Tensor) -> None:
    """Start from a place of the map, if its numbers hold it."""
    texts = typed_start(problem, curvature, theta)
    if texts is None:
        page.tell(
            "start must be given in raw units, and powers of this x nearly cancel there: 17 digits do not hold this "
            "curve. Take a lower degree to start from a click."
        )
        return
    page.type("start", texts)
    live_runs.reset()
