"""A race on a page: its runs, the legend with live numbers, what the player says, and the table of good and bad."""

from html import escape
from typing import Any
from urllib.parse import quote

import numpy as np

from gd_core.lessons.variants.race import (
    COUNTED,
    LOOKED_BACK,
    Entry,
    Race,
    Result,
    line_up,
    map_of,
    race,
    told,
)
from gd_core.lessons.variants.racers import RACERS
from gd_core.problem import Problem
from gd_core.settings.experiment import Experiment
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.theory import FIRST_STEP, Curvature
from gd_core.words import short, significant
from pages.ui.charts.model import RecordedRun
from pages.ui.charts.variants import DASHES, PLACES, SHAPES, colours_of, ticks
from pages.ui.look.palette import Palette
from pages.ui.player import live_runs, player
from pages.ui.settings.page_settings import PageSettings

AXES = {"noisy-quadratic": (0, 2), "two-features": (0, 1)}  # of scaled time, a and c bend the loss without b
ONE = {"epoch": "Epoch", "update": "Update", "row": "Row"}


def runs(page: PageSettings[Experiment]) -> tuple[Race, Problem, Curvature]:
    """The race that the settings describe; before the question is answered, everyone at the start."""
    base = page.settings
    problem, curvature, _ = live_runs.foreseen(base)
    rates = {key: page[f"rate_{key}"] for key in RACERS if key != "batch"}
    entries = line_up(
        base, page["racers"], problem, curvature, small_batches=page["small_batches"], rates=rates
    )
    recordings = [live_runs.recorded(one.experiment, trained=page.revealed) for one in entries]
    return race(entries, recordings, problem, curvature, page["target_rmse"]), problem, curvature


def by_name(finished: Race, problem: Problem, curvature: Curvature) -> dict[str, RecordedRun]:
    """Who takes part, with their runs."""
    return {
        one.entry.title: RecordedRun(one.entry.experiment, problem, curvature, one.recording)
        for one in finished.results
    }


def axes(base: Experiment) -> tuple[tuple[int, int], list[str]]:
    """The two parameters of the map, and the names of all."""
    names = list(base.trained_names)
    return AXES.get(base.dataset, (0, 1)), names


def slice_note(plane: tuple[int, int], names: list[str]) -> str:
    """What the map does not show."""
    others = [name for i, name in enumerate(names) if i not in plane]
    if not others:
        return ""
    return (
        f"{', '.join(others)} at its optimum"
        if len(others) == 1
        else f"the {len(others)} others at their optimum"
    )


def start_clicked(page: PageSettings[Experiment]) -> None:
    """Start where the map was clicked, the other parameter as it is. For callbacks."""
    picked = player.clicked()
    if picked is None or picked.plot != "race":
        return
    problem, curvature, _ = live_runs.foreseen(page.settings)
    plane, _ = axes(page.settings)
    shown = map_of(curvature, problem.start, plane)
    theta = problem.start.clone()
    for axis, share, centre, half in zip(plane, (picked.x, picked.y), shown.centre, shown.half, strict=True):
        theta[axis] = centre + half * (2 * share - 1)
    page.set(start=tuple(float(f"{number:.6g}") for number in problem.raw(theta).tolist()))


# ---------------------------------------------------------------------------------------------------------- the player


def transport(finished: Race, unit: str, page: PageSettings[Experiment], judged: str) -> None:
    """The player over all racers, counting in a unit."""
    places, stride = ticks(finished, unit)
    end = int(places[-1])
    templates, choice, columns = _said(finished, unit, places)
    word = COUNTED[unit].removesuffix("s") if unit != "row" else "row"
    player.put(
        player.numbers_of(columns, choice),
        templates,
        judged + told(finished, unit) if page.revealed else "",
        take=page.take,
        play=page.revealed,
        trained=page.revealed,
        last=end if page.revealed else 0,
        planned=end,
        stride=stride,
        complete=page.revealed,
        names=[f"{word} {place:,} / {end:,}" for place in (places if page.revealed else places[:1]).tolist()],
        note=_cut(finished, unit, end),
        on_click=lambda: start_clicked(page),
    )


def _said(
    finished: Race, unit: str, places: np.ndarray
) -> tuple[list[str], np.ndarray, dict[str, np.ndarray]]:
    """Sentences for all places, which of them is said where, and everyone's RMSE there."""
    results = finished.results
    if not any(one.updates for one in results):
        places = places[:1]
    rmse = np.stack([one.rmse[one.done(unit, places)] for one in results])
    gone = np.stack([(places > one.at(unit, one.updates)) & (one.diverged_at is not None) for one in results])
    leader = np.where(gone, np.inf, rmse).argmin(0)
    templates: dict[str, int] = {}
    choice = np.zeros(len(places), np.int8)
    for at, place in enumerate(places.tolist()):
        there = [
            one.entry.title
            for one in results
            if one.reached is not None and getattr(one.reached, unit) <= place
        ]
        first = int(leader[at])
        if place == 0 and not there:
            text = f"At the start everyone has RMSE {significant(finished.start_rmse)}. The target is {significant(finished.target)}."
        else:
            lowest = f"{ONE[unit]} {{epoch}}: {results[first].entry.title} is lowest, RMSE {{r{PLACES[results[first].entry.key]}}}. "
            lowest = f"{ONE[unit]} {{epoch}}: all have diverged. " if gone[:, at].all() else lowest
            text = lowest + (f"At the target: {', '.join(there)}." if there else "No one is at the target.")
        choice[at] = templates.setdefault(text, len(templates))
    columns = {f"r{PLACES[one.entry.key]}": values for one, values in zip(results, rmse, strict=True)}
    return list(templates), choice, columns


def _cut(finished: Race, unit: str, end: int) -> str:
    """What the axis of updates does not show."""
    more = [one for one in finished.results if one.updates > end]
    if unit != "update" or not more:
        return ""
    longest = max(more, key=lambda one: one.updates)
    return (
        f"The axis ends at update {end:,}, after the last arrival. "
        f"{longest.entry.title} makes {longest.updates:,} in its {finished.epochs:,} epochs."
    )


# ------------------------------------------------------------------------------------------------ legend and table


def swatch(key: str, colours: Palette) -> str:
    """A racer's line and shape."""
    place = PLACES[key]
    colour, dash = colours_of(colours)[place], ",".join(map(str, DASHES[place])) if place else "none"
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 44 14">'
        f'<line x1="0" y1="7" x2="44" y2="7" stroke="{colour}" stroke-width="2.5" stroke-dasharray="{dash}"/>'
        f'<path d="{SHAPES[place]}" transform="translate(22 7) scale(5.6)" fill="{colour}" '
        f'stroke="{colours.paper}" stroke-width="0.18"/></svg>'
    )
    # as a picture: Streamlit takes drawings out of HTML
    return f'<img class="swatch" alt="" src="data:image/svg+xml,{quote(drawing)}">'


def legend(finished: Race, colours: Palette) -> str:
    """Everyone's line, shape, name and RMSE now."""
    items = "".join(
        f"<li>{swatch(one.entry.key, colours)}<span>{escape(one.entry.title)}</span><small>RMSE "
        f"{player.live(f'r{PLACES[one.entry.key]}', digits=4)}</small></li>"
        for one in finished.results
    )
    return f'<ul class="racers" aria-label="Racers and their RMSE now">{items}</ul>'


HEAD = (
    ("", "Racer"),
    ("", "Rate η"),
    ("", "Memory"),
    ("n", "Epochs"),
    ("n", "Updates"),
    ("n", "Rows seen"),
    ("n", "Climbs back"),
    ("", "Good and bad"),
)


def results_table(finished: Race, unit: str, colours: Palette, revealed: bool) -> str:
    """A row for each racer. What the race decides appears when the player has come to it."""
    head = "".join(f'<th class="{kind}">{title}</th>' for kind, title in HEAD)
    head = (
        '<tr><th></th><th></th><th></th><th class="n" colspan="3">to the target '
        f"RMSE {short(finished.target)}</th><th></th><th></th></tr><tr>{head}</tr>"
    )
    rows = "".join(_row(one, finished, unit, colours, revealed) for one in finished.results)
    return f'<table class="live race"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def _row(one: Result, finished: Race, unit: str, colours: Palette, revealed: bool) -> str:
    entry, end = one.entry, finished.end(unit)

    def later(text: str, place: float) -> str:
        reached = float(min(int(np.ceil(place)), end))
        return f'<span class="later" {player.lit("epoch", reached=reached)}>{text}</span>' if revealed else ""

    cells = [
        f"{swatch(entry.key, colours)} {escape(entry.title)}",
        f"{short(entry.experiment.learning_rate)} <small>{_why_rate(entry)}</small>",
        _memory(entry),
    ]
    if one.reached is not None:
        when = getattr(one.reached, unit)
        cells += [later(short(getattr(one.reached, name)), when) for name in ("epoch", "update", "row")]
    else:
        cells += [later("–", end)] * 3
    if one.diverged_at is not None:
        cells.append(later("diverged", float(one.at(unit, one.updates))))
    else:
        cells.append(later(short(one.climb), end))
    good, bad = _good_and_bad(one, finished, lambda text: later(text, end))
    if one.diverged_at is not None:
        gone = f"Diverged at epoch {one.diverged_at:,}."
        bad = f"{later(gone, float(one.at(unit, one.updates)))} {bad}"
    cells.append(f"<b>+</b> {good}<br><b>−</b> {bad}")
    titles = [title for _, title in HEAD]
    return (
        "<tr>"
        + "".join(
            f'<td data-label="{title}" class="{kind}">{cell}</td>'
            for (kind, _), title, cell in zip(HEAD, titles, cells, strict=True)
        )
        + "</tr>"
    )


def _why_rate(entry: Entry) -> str:
    rate = entry.experiment.learning_rate
    if entry.limit is not None:
        share = rate / entry.limit
        return (
            f"{short(100 * share)} % of its limit {short(entry.limit)}"
            if share < 1
            else f"{short(share)} × its limit {short(entry.limit)}"
        )
    if rate != entry.automatic:
        return f"typed; auto is {short(entry.automatic)}"
    parts = entry.experiment.updates_per_epoch
    return f"first step 1/{round(parts / FIRST_STEP)} of the way"


def _good_and_bad(one: Result, finished: Race, later: Any) -> tuple[str, str]:
    """A reason for and a reason against a racer, with the numbers of this race."""
    experiment = one.entry.experiment
    rows, an_epoch = experiment.rows_per_update, experiment.updates_per_epoch
    batch = next((other for other in finished.results if other.entry.key == "batch"), None)
    swings = later(f"RMSE rises in {one.rises:,} of {one.updates:,} updates.")
    swings = "" if one.diverged_at is not None else swings
    faster = ""
    if batch is not None and batch.reached and one.reached and an_epoch == 1:
        faster = later(f"{one.reached.update:,} updates to the target, batch {batch.reached.update:,}.")
    match one.entry.key:
        case "batch":
            good = f"Each step is right for all {experiment.training_rows:,} rows. {swings}"
            bad = f"Looks at {rows:,} rows for every single step."
        case "mini-batch":
            good = f"{an_epoch:,} steps in an epoch, for the same rows."
            bad = f"{rows:,} rows point a little elsewhere than all. {swings}"
        case "stochastic":
            good = f"{an_epoch:,} steps in an epoch: it learns from every row at once."
            bad = f"One row says little, so its steps are short and scatter. {swings}"
        case _:  # named after its rule, whose entry says it
            good, bad = _of_rule(one, swings, later)
            good = f"{good} {faster}"
    return good, bad


def _of_rule(one: Result, swings: str, later: Any) -> tuple[str, str]:
    """The same in the words of its rule's entry."""
    experiment = one.entry.experiment
    rule = OPTIMIZER_INFO[experiment.optimizer]
    if rule.race is None:
        raise ValueError(f"optimizer must be one that races. Got {experiment.optimizer}.")
    numbers = {name: short(value) for name, value in rule.own(experiment).items()}
    numbers["memory"] = _memory(one.entry)
    against = (
        rule.race.bad if experiment.updates_per_epoch == 1 else rule.race.bad_in_batches or rule.race.bad
    )
    ends = later(rule.race.ends.format(shrinkage=short(one.shrinkage))) if rule.race.ends else swings
    return rule.race.good.format_map(numbers), f"{against.format_map(numbers)} {ends}"


def _memory(entry: Entry) -> str:
    """What its rule remembers of each parameter."""
    return {0: "nothing", 1: "1 number"}.get(entry.memory, f"{entry.memory} numbers")


HOW = (
    f"“Climbs back” is how far RMSE rises at most above its lowest before, within the last {LOOKED_BACK} epochs. "
    "“Memory” is what a rule keeps for each parameter besides the parameter itself."
)
