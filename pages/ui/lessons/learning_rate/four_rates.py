"""The learning rate lesson's live part: four runs under one player, all their errors, and the sweep over every rate."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from html import escape
from typing import NamedTuple

import numpy as np
import streamlit as st

from gd_core.lessons.learning_rate.four_rates import best_words, four_rates, share_words, way_words
from gd_core.lessons.perfect_fit import nothing, rmse_of
from gd_core.outcome import Finding
from gd_core.reasons.scheduled import above_the_limit
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import LEARNING_RATE
from gd_core.settings.fields import Number, ParameterError, written
from gd_core.settings.schedules import is_constant
from gd_core.theory import Forecast
from gd_core.words import counted, floor_of, short, times
from pages.ui.charts.learning_rate import four_rates as charts
from pages.ui.charts.learning_rate import sweep as sweep_chart
from pages.ui.charts.model import RecordedRun, Run
from pages.ui.classroom import picture
from pages.ui.classroom.picture import Drawn
from pages.ui.look import look, projector
from pages.ui.look.palette import Palette, palette
from pages.ui.look.written import changed, write
from pages.ui.player import live_runs, player, tabs
from pages.ui.player.sweeps import swept
from pages.ui.settings import lesson
from pages.ui.settings.page_settings import UNSURE, PageSettings

TALL, LOW = 152, 196  # heights of the four and of the two charts under them, in pixels
TIE = 1e-6  # relative: two errors that are written with the same six digits
STATE = st.session_state


class Four(NamedTuple):
    """Four runs of one problem, each with its own rate.

    Attributes:
        rates: η of runs 1 to 4.
        known: What theory says about the problem.
        runs: As charts want them.
        findings: How they ended.
        best: The best rate for these epochs, of those below the limit or of those tried, to six digits.
        ends_at: RMSE at the end of each, ∞ for one that has diverged.
    """

    rates: tuple[float, ...]
    forecast: Forecast
    runs: tuple[RecordedRun, ...]
    findings: tuple[Finding, ...]
    best: float
    ends_at: tuple[float, ...]

    @property
    def lowest(self) -> tuple[int, ...]:
        """Indices of the runs with the lowest error, several if six digits do not part them; none if all diverged."""
        return self.lowest_of(range(len(self.ends_at)), self.ends_at)

    def lowest_of(self, runs: Iterable[int], rmse: Sequence[float]) -> tuple[int, ...]:
        """Which of some runs have the lowest of these errors. What is 0 up to rounding is equal."""
        finite = [i for i in runs if np.isfinite(rmse[i])]
        low = min((rmse[i] for i in finite), default=np.inf)
        return tuple(i for i in finite if rmse[i] <= max(low * (1 + TIE), nothing(self.first, self.forecast)))

    @property
    def first(self) -> float:
        """RMSE of the start."""
        return float(self.runs[0].recording.epoch_rmse[0])


def plain(experiment: Experiment) -> Experiment:
    """The problem that all rates share."""
    return replace(experiment, learning_rate=1.0)


def usual_rates(experiment: Experiment) -> tuple[float, ...]:
    """The four rates of a problem, from its own limit."""
    return live_runs.worked_out(
        experiment, four_rates, lambda: four_rates(experiment, *live_runs.foreseen(experiment))
    )


def of(page: PageSettings[Experiment], *, trained: bool | None = None) -> Four:
    """The four runs, or the start that they share while the question stands."""
    trained = page.revealed if trained is None else trained
    shared = plain(page.settings)
    usual = usual_rates(shared)
    rates = page["rates"] or usual
    forecast = live_runs.foreseen(shared)[2]
    runs, _, findings = zip(
        *(live_runs.played(replace(shared, learning_rate=rate), trained=trained) for rate in rates),
        strict=True,
    )
    ends = tuple(
        float("inf") if run.recording.diverged_at is not None else float(run.recording.epoch_rmse[-1])
        for run in runs
    )
    return Four(rates, forecast, runs, findings, usual[1], ends)


def by_name(four: Four) -> dict[str, RecordedRun]:
    """The four, as they are called on the page."""
    return {f"Run {number}": run for number, run in enumerate(four.runs, 1)}


# ---------------------------------------------------------------------------------------------------------- the charts


def show(page: PageSettings[Experiment], four: Four) -> None:
    """Draw the four panels, the errors and the sweep."""
    colours = palette(st.context.theme.type)
    for number, (place, run) in enumerate(zip(st.columns(4, gap="small"), four.runs, strict=True), 1):
        with place:
            _panel(page, four, number, run, colours)
    left, right = st.columns(2, gap="medium")
    with left:
        with st.container(key="errors_head", horizontal=True, vertical_alignment="center"):
            look.panel_title("RMSE by epoch")
        tabs.draw(charts.four_errors(four.runs, colours, LOW), "errors")
    with right:
        _sweep(page, four, colours)


def _panel(page: PageSettings[Experiment], four: Four, number: int, run: Run, colours: Palette) -> None:
    rate = four.rates[number - 1]
    colour = charts.colours_of(colours)[number - 1]
    with st.container(key=f"rate_head_{number}", horizontal=True, vertical_alignment="center", gap="small"):
        st.html(
            f'<span class="disc" style="background:{colour};color:{colours.paper}">{number}</span> η',
            width="content",
        )
        _field(page, four, number)
    recording, came = run.recording, ""
    where = escape(share_words(four.forecast, rate)) if page.revealed else "&nbsp;"
    if page.revealed and rate == four.best:
        where = (
            f"<b>{_best(four)}</b>"
            if four.forecast.stability_limit is None
            else f"{where} · <b>{_best(four)}</b>"
        )
    if recording.diverged_at is not None:
        came = f"diverged at epoch {short(recording.diverged_at)}"
    elif page.revealed:
        came = way_words(recording, four.forecast)
    if came:
        last = max(one.recording.epochs for one in four.runs)
        reached = min(recording.epochs + (recording.diverged_at is not None), last)
        came = f' <span class="later" {player.lit("epoch", reached=reached)}>· {came}</span>'
    st.html(
        f'<p class="of-rate">{where}</p>'
        f'<p class="of-rate">RMSE {player.live(f"rmse{number - 1}", digits=5)}{came}</p>'
    )
    tabs.draw(charts.small(run, number, colours, projector.height(TALL, 150)), f"small_{number}")


def _best(four: Four) -> str:
    """What the best rate is the best of."""
    limit, shared = four.forecast.stability_limit, plain(four.runs[0].experiment)
    if limit is None:
        return best_words(four.forecast, shared.epochs, above=False)
    if not is_constant(shared):  # above it lie valleys too narrow for a sweep to find them all
        return best_words(four.forecast, shared.epochs, above=True)
    rates, rmse = (found.numpy() for found in swept(shared, sweep_chart.reach(four.forecast, four.rates)))
    above = bool(rates[sweep_chart.best_of(rates, rmse, four.forecast.best_for_epochs)] > limit)
    return best_words(four.forecast, shared.epochs, above)


def _field(page: PageSettings[Experiment], four: Four, number: int) -> None:
    """A rate's own field."""
    name, key = f"run {number}", _key(number)
    if not page.refused(name) or key not in STATE:
        write(key, written(four.rates[number - 1]))
    else:
        write(key, STATE[key])  # Streamlit forgets what one run of the page did not draw
    st.text_input(
        f"Learning rate η of run {number}",
        key=key,
        label_visibility="collapsed",
        on_change=changed,
        args=(key, _typed, page, four.rates, number),
    )
    page.complaint(name)


def _key(number: int) -> str:
    return f"rate of run {number}"


def _typed(text: str, page: PageSettings[Experiment], rates: tuple[float, ...], number: int) -> None:
    name = f"run {number}"
    try:
        rate = RATE.read(_key(number), text.strip())
    except ParameterError as error:
        page.refuse(name, f"{error} Using {written(rates[number - 1])} instead.")
        return
    page.accept(name)
    page.set(rates=with_rate(rates, number, rate))


RATE = Number(
    default=0.1,
    low=LEARNING_RATE.low,
    high=LEARNING_RATE.high,
    title=LEARNING_RATE.title,
)


def with_rate(rates: Sequence[float], number: int, rate: float) -> tuple[float, ...]:
    """The four rates with one of them changed."""
    return (*rates[: number - 1], rate, *rates[number:])


def put(page: PageSettings[Experiment], four: Four, number: int, rate: float) -> None:
    """Give a run another rate. Who picks it from what was seen is not asked again. For callbacks."""
    shown = page.revealed
    for one in charts.RUNS:
        page.accept(f"run {one}")
    page.set(rates=with_rate(four.rates, number, rate))
    if shown and not page.revealed:
        page.answer(UNSURE)


def _sweep(page: PageSettings[Experiment], four: Four, colours: Palette) -> None:
    shared = plain(page.settings)
    with st.container(key="sweep_head", horizontal=True, vertical_alignment="center"):
        shaded = sweep_chart.zones_note(four.forecast) if page.revealed else ""
        look.panel_title(
            f"RMSE after {counted(shared.epochs, 'epoch')}, for every rate",
            "; ".join(filter(None, (shaded, "a click sets run"))),
        )
        page.segments("pick", hidden=True)
    found = swept(shared, sweep_chart.reach(four.forecast, four.rates)) if page.revealed else None
    first = float(four.runs[0].recording.epoch_rmse[0])
    view = sweep_chart.rate_sweep(four.forecast, four.rates, first, found, four.ends_at, colours, LOW)
    with look.clickable("sweep"):
        tabs.draw(view, "sweep")


def _clicked(page: PageSettings[Experiment], four: Four) -> None:
    place = player.clicked()
    if place is not None and place.plot == "sweep":
        put(
            page,
            four,
            int(page["pick"]),
            sweep_chart.rate_at(place.x, sweep_chart.reach(four.forecast, four.rates)),
        )


# ----------------------------------------------------------------------------------------------------------- the words


def transport(page: PageSettings[Experiment], four: Four, asked: lesson.Asked) -> None:
    """Draw the player over all four, and judge the answer."""
    numbers = [run.recording.epoch_rmse.numpy() for run in four.runs]
    last = max(len(rmse) for rmse in numbers) - 1
    columns = {
        f"rmse{i}": np.append(rmse, np.full(last + 1 - len(rmse), rmse[-1])) for i, rmse in enumerate(numbers)
    }
    templates, choice = _said(four, np.column_stack([*columns.values()]))

    def judged() -> lesson.Judged:
        done = four if page.revealed else of(page, trained=True)
        lowest = tuple(str(i + 1) for i in done.lowest) or ("none",)
        return lesson.Judged(lowest, lambda said: tempting(done, said), lambda: drawn(done))

    asked.judge(judged)
    player.put(
        player.numbers_of(columns, choice),
        templates,
        _summary(four) if page.revealed else "",
        take=page.take,
        play=page.revealed,
        trained=page.revealed,
        last=last,
        planned=page.settings.epochs,
        complete=page.revealed,
        note=lesson.waits(page),
        on_click=lambda: _clicked(page, four),
    )


def drawn(four: Four) -> Drawn:
    """The errors of all four."""
    return picture.errors({name: run.recording for name, run in by_name(four).items()})


def _said(four: Four, rmse: np.ndarray) -> tuple[list[str], np.ndarray]:
    """A sentence for each epoch: which run is lowest, and which have diverged. Templates, and one number a row."""
    ends = [run.recording.epochs if run.recording.diverged_at is not None else len(rmse) for run in four.runs]
    templates: list[str] = []
    choice = []
    for epoch, row in enumerate(rmse):
        gone = [i + 1 for i, end in enumerate(ends) if epoch > end]
        still = [i for i in range(len(row)) if i + 1 not in gone]
        if epoch == 0:
            said = "All four start at the same place, RMSE {rmse0:4}."
        elif still:
            first = four.lowest_of(still, row)
            said = f"Epoch {{epoch}}: {_runs([i + 1 for i in first])} lowest, at RMSE {{rmse{first[0]}:4}}."
        else:
            said = "Epoch {epoch}: no run is left."
        if gone:
            said += (
                f" {_runs(gone, 'has diverged and stays', 'have diverged and stay').capitalize()} at the end."
            )
        if said not in templates:
            templates.append(said)
        choice.append(templates.index(said))
    return templates, np.array(choice)


def tempting(four: Four, said: str) -> str:
    """Why a wrong answer about the four was tempting, and what it overlooks."""
    epochs = counted(four.runs[0].experiment.epochs, "epoch")
    if said == "none":
        large = (
            "Rates above the limit do diverge"
            if is_constant(four.runs[0].experiment)
            else "Too large a rate does diverge"
        )
        return f"{large}. Not all four did."
    if not four.lowest:
        return "One of four is often right. Here all four are too large."
    mine, best = int(said) - 1, four.lowest[0]
    if np.isinf(four.ends_at[mine]):
        return "Long steps look fast. These were too long: the run diverged."
    if four.rates[mine] < four.rates[best]:
        return f"Short steps are safe. In {epochs} they did not come as far down as those of run {best + 1}."
    return f"Long steps look fast. In {epochs} they ended higher than the shorter ones of run {best + 1}."


def _summary(four: Four) -> str:
    """Which run was lowest, and why the worst one was not."""
    epochs = counted(four.runs[0].experiment.epochs, "epoch")
    parts = []
    if four.lowest:
        low = [i + 1 for i in four.lowest]
        rmse = rmse_of(four.ends_at[four.lowest[0]], four.first, four.forecast)
        parts.append(
            f"After {epochs} {_runs(low)} lowest, at RMSE {rmse}; the floor is {floor_of(four.forecast)}."
        )
    else:
        parts.append("All four have diverged.")
    for i, run in enumerate(four.runs):
        if run.recording.diverged_at is None:
            continue
        forecast = live_runs.foreseen(run.experiment)[2]
        growth, above = forecast.factors, above_the_limit(run.experiment, forecast)
        why = f": {above[0].lower()}{above[1:-1]}" if above else ""
        if growth and max(growth) > 1:
            why = f": along the steepest direction the error grows × {times(max(growth))} an epoch"
        parts.append(f"Run {i + 1} diverged at epoch {short(run.recording.diverged_at)}{why}.")
        break
    return " ".join(parts)


def _runs(numbers: Sequence[int], one: str = "is", several: str = "are") -> str:
    """Run 2 is; runs 2 and 3 are."""
    if len(numbers) == 1:
        return f"run {numbers[0]} {one}"
    return f"runs {', '.join(map(str, numbers[:-1]))} and {numbers[-1]} {several}"


def best_or_second(four: Four) -> float:
    """A rate worth taking to another page: of the lowest run, or of the second if all have diverged."""
    return four.rates[four.lowest[0] if four.lowest else 1]
