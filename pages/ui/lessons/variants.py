"""A race on a page: its runs, the legend with live numbers, what the player says, and the table of good and bad."""

from html import escape
from typing import Any
from urllib.parse import quote

import numpy as np

from gd_core.lessons.variants.race import (
    COUNTED,
    EXACT,
    LOOKED_BACK,
    TIE,
    Entry,
    Race,
    Result,
    line_up,
    listed,
    map_of,
    race,
    tempting,
    told,
)
from gd_core.lessons.variants.racers import RACERS
from gd_core.problem import Problem
from gd_core.settings.experiment import Experiment
from gd_core.settings.rules import OPTIMIZER_INFO, LinearRule
from gd_core.settings.schedules import in_words, is_constant, rate_at
from gd_core.theory import FIRST_STEP, Curvature, limit_along
from gd_core.words import counted, percent, short, significant, times
from pages.ui.charts.model import RecordedRun
from pages.ui.charts.variants import DASHES, PLACES, SHAPES, colours_of, ticks
from pages.ui.classroom import picture
from pages.ui.classroom.picture import Drawn
from pages.ui.look.palette import Palette
from pages.ui.player import live_runs, player
from pages.ui.settings import lesson
from pages.ui.settings.page_settings import PageSettings

AXES = {"noisy-quadratic": (0, 2), "two-features": (0, 1)}  # of scaled time, a and c bend the loss without b
ONE = {"epoch": "Epoch", "update": "Update", "row": "Row"}


def runs(page: PageSettings[Experiment], *, trained: bool | None = None) -> tuple[Race, Problem, Curvature]:
    """The race that the settings describe; before the question is answered, everyone at the start."""
    base = page.settings
    problem, curvature, _ = live_runs.foreseen(base)
    rates = {key: page[f"rate_{key}"] for key in RACERS if key != "batch"}
    entries = line_up(
        base, page["racers"], problem, curvature, small_batches=page["small_batches"], rates=rates
    )
    trained = page.revealed if trained is None else trained
    recordings = [live_runs.recorded(one.experiment, trained=trained) for one in entries]
    return race(entries, recordings, problem, curvature, page["target_rmse"]), problem, curvature


def judged(page: PageSettings[Experiment], seen: Race, unit: str) -> lesson.Judged:
    """Who was first, as far as the race that is seen may tell, else from one that is run for it."""
    finished = seen if page.revealed else runs(page, trained=True)[0]
    winners = finished.winners(unit) or ("none",)
    return lesson.Judged(winners, lambda said: tempting(finished, unit, said), lambda: drawn(finished))


def drawn(finished: Race) -> Drawn:
    """The errors of all who took part."""
    return picture.errors({one.entry.title: one.recording for one in finished.results})


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


def transport(finished: Race, unit: str, page: PageSettings[Experiment]) -> None:
    """The player over all racers, counting in a unit."""
    places, stride = ticks(finished, unit)
    end = int(places[-1])
    templates, choice, columns = _said(finished, unit, places)
    word = COUNTED[unit].removesuffix("s")
    player.put(
        player.numbers_of(columns, choice),
        templates,
        told(finished, unit) if page.revealed else "",
        take=page.take,
        play=page.revealed,
        trained=page.revealed,
        last=end if page.revealed else 0,
        planned=end,
        stride=stride,
        complete=page.revealed,
        names=[
            f"{word} {short(place)} / {short(end)}"
            for place in (places if page.revealed else places[:1]).tolist()
        ],
        note=_cut(finished, unit, end) if page.revealed else lesson.waits(page),
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
    left = np.where(gone, np.inf, rmse)
    lowest = left <= left.min(0) * (1 + TIE) + EXACT * finished.start_rmse
    templates: dict[str, int] = {}
    choice = np.zeros(len(places), np.int8)
    for at, place in enumerate(places.tolist()):
        there = [
            one.entry.title
            for one in results
            if one.reached is not None and getattr(one.reached, unit) <= place
        ]
        first = [one.entry for one, low in zip(results, lowest[:, at], strict=True) if low]
        if place == 0:
            text = f"At the start everyone has RMSE {significant(finished.start_rmse, 4)}. The target is {significant(finished.target, 4)}."
        elif gone[:, at].all():
            text = f"{ONE[unit]} {{epoch}}: all have diverged. "
        else:
            names = listed([entry.title for entry in first])
            verb = "is" if len(first) == 1 else "are"
            text = f"{ONE[unit]} {{epoch}}: {names} {verb} lowest, RMSE {{r{PLACES[first[0].key]}:4}}. "
        if place or there:
            text = f"{text.rstrip()} " + (
                f"At the target: {listed(there)}." if there else "No one is at the target."
            )
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
        f"The axis ends at update {short(end)}, after the last arrival. "
        f"{longest.entry.title} makes {short(longest.updates)} in its {counted(finished.epochs, 'epoch')}."
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
        '<tr><td></td><td></td><td></td><th class="n" colspan="3">to the target '
        f"RMSE {short(finished.target)}</th><td></td><td></td></tr><tr>{head}</tr>"
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
        gone = f"Diverged at epoch {short(one.diverged_at)}."
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
        of = f"its limit {short(entry.limit)}{in_words(entry.experiment)}"
        return f"{percent(share)} of {of}" if share < 1 else f"{times(share)} × {of}"
    if rate != entry.automatic:
        return f"typed; auto is {short(entry.automatic)}"
    parts = entry.experiment.updates_per_epoch
    return f"first step 1/{short(round(parts / FIRST_STEP))} of the way"


def _good_and_bad(one: Result, finished: Race, later: Any) -> tuple[str, str]:
    """A reason for and a reason against a racer, with the numbers of this race: what the race denies is not said."""
    experiment = one.entry.experiment
    rows, an_epoch = experiment.rows_per_update, experiment.updates_per_epoch
    rises = later(_rises(one))
    match one.entry.key:
        case "batch":
            good = f"Each step is right for all {counted(experiment.training_rows, 'row')}."
            bad = f"Looks at {counted(rows, 'row')} for every single step."
            return f"{good} {rises}", bad
        case "mini-batch" | "stochastic" | "decaying":
            good = f"{counted(an_epoch, 'step')} in an epoch, for the same rows."
            bad = f"{counted(rows, 'row')} can point elsewhere than all {short(experiment.training_rows)}."
            if an_epoch == 1:
                bad = f"Its batch is all {counted(rows, 'row')}."
            lower, beside = _beside_constant(one, finished)
            good, bad = (f"{good} {later(beside)}", bad) if lower else (good, f"{bad} {later(beside)}")
            return good, f"{bad} {rises}"
        case _:  # named after its rule, whose entry says it
            good, bad = _of_rule(one, later)
            sooner, beside = _beside_batch(one, finished)
            return (f"{good} {later(beside)}", bad) if sooner else (good, f"{bad} {later(beside)}")


def _rises(one: Result) -> str:
    """How often the error rose. With all rows it does where a step goes beyond the lowest point of its line."""
    if one.diverged_at is not None or not one.updates:
        return ""
    if not one.rises:
        return f"RMSE never rises in its {counted(one.updates, 'update')}."
    remembers = (
        OPTIMIZER_INFO[one.entry.experiment.optimizer].memory and one.entry.experiment.updates_per_epoch == 1
    )
    passes = "It passes the bottom: " if remembers else ""
    return f"{passes}RMSE rises in {short(one.rises)} of {counted(one.updates, 'update')}."


def _beside_batch(one: Result, finished: Race) -> tuple[bool, str]:
    """Whether a rule needs fewer updates to the target than batch, and both numbers; nothing where one is not there."""
    batch = next((other for other in finished.results if other.entry.key == "batch"), None)
    if batch is None or batch.reached is None or one.reached is None:
        return True, ""
    own, theirs = one.reached.update, batch.reached.update
    if one.entry.experiment.updates_per_epoch > 1:
        return True, ""
    return own <= theirs, f"{counted(own, 'update')} to the target, batch {short(theirs)}."


def _beside_constant(one: Result, finished: Race) -> tuple[bool, str]:
    """Whether single rows at a decaying rate are lower at last than at a constant one, and what the rate has come to."""
    experiment = one.entry.experiment
    if is_constant(experiment) or one.diverged_at is not None or not one.updates:
        return True, ""
    last = rate_at(experiment, experiment.updates_per_epoch, experiment.epochs - 1)
    rate = f"Its rate ends at {percent(last / experiment.learning_rate)} of the first"
    constant = next((other for other in finished.results if other.entry.key == "stochastic"), None)
    own = significant(one.level, 4)
    if constant is None or constant.diverged_at is not None or own == significant(constant.level, 4):
        return True, f"{rate}."
    theirs = significant(constant.level, 4)
    epochs = "epoch" if one.looked_back == 1 else counted(one.looked_back, "epoch")
    return (
        one.level < constant.level,
        f"{rate}. Over the last {epochs} its RMSE is {own} on average, {constant.entry.title}’s {theirs}.",
    )


def _of_rule(one: Result, later: Any) -> tuple[str, str]:
    """The same in the words of its rule's entry."""
    experiment = one.entry.experiment
    rule = OPTIMIZER_INFO[experiment.optimizer]
    if rule.race is None:
        raise ValueError(f"optimizer must be one that races. Got {experiment.optimizer}.")
    numbers = {name: short(value) for name, value in rule.own(experiment).items()}
    numbers["memory"] = _memory(one.entry)
    phase = experiment.phase
    parameters = len(experiment.info.parameters)
    numbers |= {"parameters": short(parameters), "cubed": short(parameters**3)}
    if isinstance(rule.theory, LinearRule):
        numbers["kept"] = percent(abs(1 - phase.learning_rate))
        numbers["below"] = percent(
            limit_along(1.0, phase) / limit_along(1.0, phase._replace(optimizer="momentum"))
        )
    against = (
        rule.race.bad if experiment.updates_per_epoch == 1 else rule.race.bad_in_batches or rule.race.bad
    )
    ends = _rises(one)
    if rule.race.ends and one.updates:
        ends = rule.race.ends.format(
            shrinkage=times(one.shrinkage),
            last=short(one.last_step),
            rate=short(phase.learning_rate),
            rises=ends,
        )
    return rule.race.good.format_map(numbers), f"{against.format_map(numbers)} {later(ends)}"


def _memory(entry: Entry) -> str:
    """What its rule remembers of each parameter."""
    return counted(entry.memory, "number") if entry.memory else "nothing"


HOW = (
    f"“Climbs back” is how far RMSE rises at most above its lowest before, within the last {LOOKED_BACK} epochs. "
    "“Memory” is what a rule keeps for each parameter besides the parameter itself."
)
