"""The Compare page's parts: the list of runs, the charts under one player, the table, and the empty page."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import numpy as np
import streamlit as st

from gd_core.lessons.learning_rate.four_rates import four_rates
from gd_core.run_summary import epochs_to, same_data, same_landscape, same_model, same_target, usual_target
from gd_core.settings.catalog import model_info
from gd_core.settings.experiment import Experiment, defaults
from gd_core.settings.fields import in_a_word
from gd_core.settings.pins import MOST, Pin, Pins
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.theory import why_no_theory
from gd_core.words import counted, floor_of, significant
from pages.ui.charts import pinned as charts
from pages.ui.charts.ghosts import Ghost
from pages.ui.charts.model import RecordedRun
from pages.ui.compare.comparison_table import rows_of, table
from pages.ui.look import look, map_axes, projector, written
from pages.ui.look.look import plain
from pages.ui.look.palette import Palette, palette
from pages.ui.player import live_runs, player, run_summaries, tabs
from pages.ui.settings import lesson
from pages.ui.settings.page_settings import PageSettings
from pages.ui.takeaway import takeaway
from pages.ui.train import train_settings
from pages.ui.train.pinned import entry, training

TALL, LARGE = 290, 230  # height of the charts, in pixels, and on a projector
AT_FLOOR = 5e-5  # of the floor: an RMSE that is nearer has converged
EXAMPLE = 100  # epochs of an example at most: what tells rates apart happens early
# To the lowest loss.
RULES = dict([(rule, info) for rule, info in OPTIMIZER_INFO.items() if not info.decays][:MOST])
WITH_LIMIT = ("Slow", "Best for these epochs", "Overshooting", "Diverging")
WITHOUT_LIMIT = ("A hundredth of the best", "Best for these epochs", "10 × the best", "100 × the best")


# ------------------------------------------------------------------------------------------------------ the empty page


def empty(page: PageSettings[Pins]) -> None:
    """What to do when nothing is pinned, and an example at one click."""
    with st.container(key="predict", border=True):
        st.markdown(
            "**Nothing is pinned yet.** Train a run, press **Pin this run** under the Train button, change a setting, and "
            f"train again. Up to {MOST} runs meet here, and one link holds them all."
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            unknown = why_no_theory(train_settings.page.settings)  # then nobody knows which rates
            st.button(
                "Four rates of this problem", type="primary", key="example_rates", disabled=unknown is not None,
                on_click=_load, args=(page, _rates),
                help=unknown or "Slow, best, overshooting, diverging: of the problem on the Train page.",
            )  # fmt: skip
            st.button(
                f"{in_a_word(len(RULES))} update rules", key="example_rules", on_click=_load, args=(page, _rules),
                disabled=unknown is not None, help=unknown or "The same start, each rule with the best of its rates.",
            )  # fmt: skip
            st.page_link("pages/train.py", label="To the Train page", icon=":material/arrow_forward:")
    st.html(_sketch(palette(st.context.theme.type)))


def _sketch(colours: Palette) -> str:
    """What the page looks like with runs on it: their error curves, and a column for each in the table."""
    words = (
        (150, 172, "error by epoch"), (460, 30, "run 1"), (520, 30, "run 2"), (580, 30, "run 3"),
        (380, 60, "rate η"), (380, 90, "at the target"), (380, 120, "outcome"),
    )  # fmt: skip
    curves = ("42 20C90 110 190 118 328 122", "42 20C60 130 120 138 328 140", "42 20C120 60 220 84 328 92")
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 180" fill="none" font-family="sans-serif" font-size="13">'
        f'<path stroke="{colours.start}" d="M40 10V150H330M380 40H620M380 70H620M380 100H620M380 130H620"/>'
        + "".join(
            f'<path stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}" d="M{curve}"/>'
            for colour, dash, curve in zip(colours.several, ("none", "7 4", "2 4"), curves, strict=False)
        )
        + "".join(f'<text x="{x}" y="{y}" fill="{colours.ink}">{word}</text>' for x, y, word in words)
        + "</svg>"
    )
    return (
        f'<img class="sketch" src="data:image/svg+xml,{quote(drawing)}" alt="A sketch of this page with three runs: their '
        'errors by epoch in one chart, and a table with a column for each.">'
    )


def _load(page: PageSettings[Pins], make: Callable[[Experiment], list[Pin]]) -> None:
    base = replace(train_settings.page.settings, before=())
    base = replace(base, epochs=min(base.epochs, EXAMPLE))
    found: list[Pin] = []
    for pin in make(base):
        if pin.experiment not in [one.experiment for one in found]:
            found.append(pin)
    page.load(Pins(pins=tuple(found)))


def _rates(base: Experiment) -> list[Pin]:
    """Four rates around the limit of a problem."""
    problem, curvature, forecast = live_runs.foreseen(base)
    rates = four_rates(base, problem, curvature, forecast)
    names = WITH_LIMIT if forecast.stability_limit and forecast.best_for_epochs else WITHOUT_LIMIT
    return [Pin(name, replace(base, learning_rate=rate)) for name, rate in zip(names, rates, strict=True)]


def _of_rules(base: Experiment) -> tuple[Pin, ...]:
    return live_runs.worked_out(base, _rules, lambda: tuple(_rules(base)))


def _rules(base: Experiment) -> list[Pin]:
    """Every update rule with its usual memory, and the second of its four rates: the best for these epochs."""
    found = []
    for rule, info in RULES.items():
        usual = defaults(base.dataset, rule)
        one = replace(base, optimizer=rule, **{name: usual[name] for name in info.hyperparameters})
        problem, curvature, forecast = live_runs.foreseen(one)
        rate = four_rates(one, problem, curvature, forecast)[1]
        found.append(Pin(info.title, replace(one, learning_rate=rate)))
    return found


# --------------------------------------------------------------------------------------------------------- the side bar


def side_bar(page: PageSettings[Pins]) -> None:
    """The target, and every run with its name and its place."""
    held = page.settings.pins
    if not held:
        return
    page.text("target")
    for place, pin in enumerate(held):
        number = place + 1
        with st.container(key=f"compared_{place}", gap="xsmall"):
            key = _name_key(place)
            written.write(key, pin.name)
            st.text_input(
                f"Run {number}", key=key, max_chars=40, on_change=written.changed, args=(key, _rename, page, place)
            )  # fmt: skip
            with st.container(horizontal=True, gap="small", key=f"compared_buttons_{place}"):
                for label, what, args, off in (
                    ("Up", Pins.moved, (place, -1), place == 0),
                    ("Down", Pins.moved, (place, 1), place == len(held) - 1),
                    ("Remove", Pins.without, (place,), False),
                ):
                    st.button(
                        label, key=f"compare {label} {place}", type="tertiary", disabled=off,
                        on_click=_change, args=(page, what, *args), help=f"{label}: run {number}, {plain(pin.name)}.",
                    )  # fmt: skip
    st.caption("The address of this page holds all of them, with their names: copy it to share them.")


def _name_key(place: int) -> str:
    return f"compare name {place}"


def _rename(name: str, page: PageSettings[Pins], place: int) -> None:
    page.load(page.settings.renamed(place, name))


def _change(page: PageSettings[Pins], change: Callable[..., Pins], *args: int) -> None:
    page.load(change(page.settings, *args))


# ----------------------------------------------------------------------------------------------------------- the charts


def show(page: PageSettings[Pins]) -> None:
    """Charts, player and table; while a long run is in training, again and again."""
    streaming = bool(run_summaries.missing(page.settings.pins))
    # a fragment also when nothing streams: its elements would be drawn anew if they came out of one
    st.fragment(_live, run_every=live_runs.TICK if streaming else None)(page, streaming)
    takeaway.button("compare", "Compare", lambda: _runs(page.settings.pins), st.query_params.to_dict)


def _runs(held: Sequence[Pin]) -> dict[str, RecordedRun]:
    """Every run by its number and name: two may have the same name."""
    return {f"{place}. {pin.name}": live_runs.at_hand(pin.experiment) for place, pin in enumerate(held, 1)}


def _live(page: PageSettings[Pins], streaming: bool) -> None:
    held = page.settings.pins
    if streaming:
        run_summaries.advance(held)
    ghosts = run_summaries.ghosts(held)
    colours = palette(st.context.theme.type)
    groups = _groups(ghosts)
    group = next((one for one in groups if int(page["shown"]) - 1 in [g.place for g in one]), groups[0])
    compared = [ghost.summary for ghost in ghosts if _one_target(ghost, group[0])]
    target = page["target"] or usual_target(compared, _floor(group[0]))
    _legend(ghosts, held, colours)
    _charts(page, ghosts, groups, group, target, colours)
    with lesson.transport():
        _transport(page, ghosts, held, group, target)
    st.html(table(rows_of(ghosts, held, target, group), ghosts, held, colours))
    st.caption(_how(ghosts, target) + _how_chosen(held))
    with st.container(horizontal=True, vertical_alignment="center", key="race_links"):
        st.markdown("On the Train page, with the others beside it:")
        for pin in held:
            query = pin.experiment.to_query() | page.settings.to_query() | projector.query()
            st.page_link("pages/train.py", label=plain(pin.name), query_params=query)
    if streaming and not run_summaries.missing(held):
        st.rerun()  # the whole page, which ends the ticking


def _floor(ghost: Ghost) -> float | None:
    """The lowest RMSE that there is, where it is known."""
    return ghost.parabola.floor_rmse if ghost.parabola else None


def _one_target(ghost: Ghost, other: Ghost) -> bool:
    return same_target(ghost.problem, other.problem)


def _groups(ghosts: Sequence[Ghost]) -> list[list[Ghost]]:
    """Runs that share a map, in order."""
    groups: list[list[Ghost]] = []
    for ghost in ghosts:
        group = next((one for one in groups if same_landscape(one[0].problem, ghost.problem)), None)
        if group is None:
            groups.append([ghost])
        else:
            group.append(ghost)
    return groups


def _legend(ghosts: Sequence[Ghost], held: Sequence[Pin], colours: Palette) -> None:
    items = "".join(
        entry(ghost.place, pin.name, f"RMSE {player.live(f'r{ghost.place}', digits=5)}", colours)
        for ghost, pin in zip(ghosts, held, strict=True)
    )
    notes = []
    if unfinished := [ghost for ghost in ghosts if not ghost.summary.complete]:
        names = ", ".join(str(ghost.place + 1) for ghost in unfinished)
        notes.append(f"Still in training: {names}, {training(unfinished)}.")
    if any(not _one_target(ghost, ghosts[0]) for ghost in ghosts):
        notes.append("Not all runs fit the same data: an RMSE compares only those that do.")
    below = f'<p class="beneath">{" ".join(notes)}</p>' if notes else ""
    st.html(f'<ul class="pins" aria-label="Pinned runs and their RMSE now">{items}</ul>{below}')


def _charts(
    page: PageSettings[Pins],
    ghosts: Sequence[Ghost],
    groups: Sequence[Sequence[Ghost]],
    group: Sequence[Ghost],
    target: float | None,
    colours: Palette,
) -> None:
    places = st.columns([4, 3, 3], gap="medium")
    height = projector.height(TALL, LARGE)
    same = [ghost for ghost in ghosts if same_data(ghost.problem, group[0].problem)]
    fitted = [g for g in same if same_model(g.summary.experiment, group[0].summary.experiment)]
    with places[0]:
        _, stride = charts.places_of(ghosts)
        with st.container(key="compare_error_head", horizontal=True, vertical_alignment="center"):
            look.panel_title(
                "Error by epoch", f"one in {counted(stride, 'epoch')} drawn" if stride > 1 else ""
            )
        known = ghosts[0].parabola if len({_floor(ghost) for ghost in ghosts}) == 1 else None
        tabs.draw(charts.errors(ghosts, known, target, colours, height), "compare_errors")
    with places[1]:
        with st.container(key="compare_map_head", horizontal=True, vertical_alignment="center"):
            look.panel_title("Landscape")
            bowl = group[0].parabola is not None
            shown, names = _axes(page, group[0]) if bowl else ((0, 0), [])
            _pick_group(page, groups, group)
        if not bowl:
            st.markdown(
                "Of a loss that is no parabola no map is drawn here. The Train page has one where it can be drawn."
            )
        else:
            tabs.draw(charts.paths(group, ghosts, shown, names, colours, height), "compare_map")
    with places[2]:
        several = len(group[0].problem.dataset.feature_names) > 1
        with st.container(key="compare_fit_head", horizontal=True, vertical_alignment="center"):
            note = f"of {_listed(fitted)}" if len(fitted) < len(ghosts) else ""
            look.panel_title("Trend of the predictions" if several else "Data and fits", note)
        if several and not model_info(group[0].summary.experiment.info.model).plane:
            st.markdown("Over several features only planes are drawn.")
        elif several and group[0].summary.experiment.loss_info.yes_no:
            st.markdown(
                "Probabilities have no straight trend. On the Train page each run’s boundary is drawn."
            )
        elif several:
            tabs.draw(charts.trends(fitted, ghosts, colours, height), "compare_fit")
        else:
            tabs.draw(charts.fits(fitted, ghosts, colours, height), "compare_fit")


def _listed(ghosts: Sequence[Ghost]) -> str:
    numbers = ", ".join(str(ghost.place + 1) for ghost in ghosts)
    return f"run {numbers}" if len(ghosts) == 1 else f"runs {numbers}"


def _axes(page: PageSettings[Pins], ghost: Ghost) -> tuple[tuple[int, int], list[str]]:
    """The map's two parameters, and the names of all, with a choice where there is one."""
    experiment = ghost.summary.experiment
    names = list(experiment.trained_names)
    if len(names) == 1:
        return (0, 0), names
    wanted = tuple(int(number) for number in page["axes"])
    shown = (wanted[0], wanted[1]) if map_axes.fits(wanted, len(names)) else (0, 1)
    map_axes.control("compare axes", names, shown, lambda pair: page.set(axes=tuple(map(float, pair))))
    return shown, names


def _pick_group(page: PageSettings[Pins], groups: Sequence[Sequence[Ghost]], group: Sequence[Ghost]) -> None:
    """Which runs the map shows, where they do not all share one."""
    if len(groups) > 1:
        labels = {str(one[0].place + 1): _listed(one) for one in groups}
        _segments("Map and fit of", labels, str(group[0].place + 1), lambda first: page.set(shown=first))


def _segments(label: str, labels: dict[Any, str], now: Any, pick: Callable[[Any], None]) -> None:
    key = f"compare {label}"
    written.write(key, now)
    st.segmented_control(
        label, list(labels), format_func=labels.__getitem__, key=key, label_visibility="collapsed",
        required=True, on_change=written.changed, args=(key, pick),
    )  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- the player


def _transport(
    page: PageSettings[Pins],
    ghosts: Sequence[Ghost],
    held: Sequence[Pin],
    group: Sequence[Ghost],
    target: float | None,
) -> None:
    places, stride = charts.places_of(ghosts)
    rmse = {f"r{ghost.place}": ghost.shown_rmse(places) for ghost in ghosts}
    templates, choice = _said(ghosts, held, group, places)
    end = int(places[-1])
    player.put(
        player.numbers_of(rmse, choice),
        templates,
        _summary(ghosts, held, group, target),
        take=f"{page.take} {hash(frozenset(pin.experiment for pin in held))}",
        play=True,
        trained=True,
        last=end,
        planned=max(max(ghost.summary.experiment.total_epochs for ghost in ghosts), end),
        stride=stride,
        complete=all(ghost.summary.complete for ghost in ghosts),
    )


def _spoken(ghost: Ghost, held: Sequence[Pin]) -> str:
    """A run in a sentence of the player, in which braces would stand for a number."""
    return f"run {ghost.place + 1}, {held[ghost.place].name}".replace("{", "(").replace("}", ")")


def _there(ghosts: Sequence[Ghost], rmse: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Who is lowest at each epoch, and who of all is as good because nothing gets lower: which is lower there is rounding.

    Args:
        ghosts: Runs that fit the same data, K.
        rmse: As it is shown, of each run at each of E epochs, [K, E].

    Returns:
        Numbers of the lowest, [E], and whether each run is at the lowest one's floor, [K, E].
    """
    lowest = rmse.argmin(0)
    known = [ghost.parabola if ghost.parabola and ghost.parabola.bounds_rmse else None for ghost in ghosts]
    floors = np.array([(0.0 if one.floor_is_zero else one.floor_rmse) if one else -1.0 for one in known])
    return lowest, rmse <= floors[lowest] * (1 + AT_FLOOR)


def _said(
    ghosts: Sequence[Ghost], held: Sequence[Pin], group: Sequence[Ghost], places: np.ndarray
) -> tuple[list[str], np.ndarray]:
    """Who is lowest at each drawn epoch, of the runs that fit the same data as those on the map."""
    compared = [ghost for ghost in ghosts if _one_target(ghost, group[0])]
    rmse = np.stack([ghost.shown_rmse(places) for ghost in compared])
    gone = np.stack([(places >= ghost.summary.epochs) & ghost.summary.diverged for ghost in compared])
    lowest, there = _there(compared, np.where(gone, np.inf, rmse))
    templates = [
        f"Epoch {{epoch}}: lowest is {_spoken(ghost, held)}, RMSE {{r{ghost.place}}}." for ghost in compared
    ]
    templates += ["Epoch {epoch}: all have diverged."]
    runs = len(compared)
    templates += [f"Epoch {{epoch}}: {_share(count, runs)} at the floor." for count in range(2, runs + 1)]
    count = there.sum(0)
    choice = np.where(count > 1, runs + count - 1, lowest)
    return templates, np.where(gone.all(0), runs, choice)


def _share(count: int, runs: int) -> str:
    """Five of six runs are; both runs are; all six runs are."""
    if count == runs:
        return "both runs are" if runs == 2 else f"all {in_a_word(runs).lower()} runs are"
    return f"{in_a_word(count).lower()} of {in_a_word(runs).lower()} runs are"


def _lowest(standing: Sequence[Ghost], held: Sequence[Pin], runs: int) -> str:
    """Who ends lowest; or who has come to the floor, and who was first there."""
    rmse = np.array([[ghost.final_rmse] for ghost in standing])
    lowest, there = _there(standing, rmse)
    best = standing[int(lowest[0])]
    if there.sum() < 2:
        return f"Lowest at the end: {_spoken(best, held)}, RMSE {significant(best.final_rmse)}."
    arrived = [ghost for ghost, is_there in zip(standing, there[:, 0], strict=True) if is_there]
    since = []
    for ghost in arrived:
        epochs = np.arange(ghost.summary.epochs + 1)
        away = np.flatnonzero(
            ~_there(
                [best, ghost], np.stack([np.full(len(epochs), best.final_rmse), ghost.shown_rmse(epochs)])
            )[1][1]
        )
        since.append(int(away[-1]) + 1 if len(away) else 0)
    first = [ghost for ghost, epoch in zip(arrived, since, strict=True) if epoch == min(since)]
    who = _spoken(first[0], held) if len(first) == 1 else _listed(first)
    share = _share(len(arrived), runs)
    known = best.curvature
    return f"{share[0].upper()}{share[1:]} at the floor, RMSE {floor_of(known)}; first there: {who}, at epoch {min(since):,}."


def _summary(
    ghosts: Sequence[Ghost], held: Sequence[Pin], group: Sequence[Ghost], target: float | None
) -> str:
    compared = [ghost for ghost in ghosts if _one_target(ghost, group[0])]
    standing = [ghost for ghost in compared if not ghost.summary.diverged]
    gone = [ghost for ghost in compared if ghost.summary.diverged]
    said = _lowest(standing, held, len(compared)) if standing else "All have diverged."
    if target is not None:
        arrived = [(epochs_to(ghost.summary.rmse, target), ghost) for ghost in compared]
        there = [(epoch, ghost) for epoch, ghost in arrived if epoch is not None]
        if there:
            epoch, first = min(there, key=lambda pair: pair[0])
            said += f" First at RMSE {significant(target)}: {_spoken(first, held)}, at epoch {epoch:,}."
    if gone and standing:
        said += f" Diverged: {_listed(gone)}."
    return said


def _how_chosen(held: Sequence[Pin]) -> str:
    """How the rates of the example of update rules were chosen; nothing of other runs."""
    of_rules = [Pin(info.title, held[0].experiment) for info in RULES.values()]
    if [pin.name for pin in held] != [pin.name for pin in of_rules]:
        return ""
    if _of_rules(held[0].experiment) != tuple(held):
        return ""
    epochs = counted(held[0].experiment.epochs, "epoch")
    return (
        f" Each rule has the rate that leaves the smallest error after exactly these {epochs}, known only in hindsight. "
        "After more or fewer another may win, or on *Variants*, where each gets the same share of its limit."
    )


def _how(ghosts: Sequence[Ghost], target: float | None) -> str:
    said = "Epochs to the target count to the first epoch whose RMSE is at most the target. "
    said += "The gap is the loss at the end minus the lowest loss that there is."
    if any(ghost.parabola is None for ghost in ghosts):
        said += " A dash: nobody knows it, because the loss is no parabola."
    if any(len(ghost.summary.theta) <= ghost.summary.epochs for ghost in ghosts):
        said += " Of long runs every epoch counts in the table, but only some are drawn."
    return said
