"""Two things to try with one rate: a target to reach in few epochs, and what happens close to the limit."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import streamlit as st

from gd_core.lessons.learning_rate.four_rates import NearLimit, Passing, near_limit, passing
from gd_core.lessons.learning_rate.goldilocks import Attempt, Goal, attempts, goal_of
from gd_core.settings.experiment import Experiment
from gd_core.settings.schedules import in_words, is_constant
from gd_core.words import counted, floor_of, percent, short, significant, times
from pages.ui.classroom import class_board, teaching
from pages.ui.lessons.learning_rate import four_rates
from pages.ui.lessons.learning_rate.four_rates import Four
from pages.ui.look import look, session
from pages.ui.player import live_runs
from pages.ui.settings.page_settings import PageSettings

NO_PART = (
    "At {rate} nothing shows: this start has no error along the steepest direction. Choose another start."
)
GREW = 1.005  # times, from which on it is said by how much
KEPT = 8  # attempts that are remembered for a problem


@dataclass
class Tried:
    """What a visitor has tried, by problem.

    Attributes:
        rates: The rates, oldest first.
        told: The problems whose best rate was asked for.
    """

    rates: dict[str, list[float]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)


def goal(experiment: Experiment) -> Goal | None:
    """The target of a problem, and the fewest epochs that any rate needs for it."""

    def search() -> Goal | None:
        problem, curvature, _ = live_runs.foreseen(experiment)
        return goal_of(problem.objective, curvature, experiment.phase, problem.start, experiment.epochs)

    return live_runs.worked_out(experiment, goal_of, search)


def challenge(page: PageSettings[Experiment]) -> None:
    """Ask for a rate that reaches the target in few epochs, and list what has been tried."""
    shared = four_rates.plain(page.settings)
    look.panel_title("Challenge: not too small, not too large")
    target = goal(shared)
    if target is None:
        st.markdown("The start is the optimum already: there is nothing to reach. Choose another start.")
        return
    st.markdown(_task(target, shared))
    with st.container(key="attempt", horizontal=True, vertical_alignment="bottom", gap="small"):
        page.text("learning_rate", label="Your one rate η")
        st.button("Try this rate", key="try", on_click=_try, args=(page, shared), type="primary")
        if target.epochs is not None and _tried(shared):
            st.button(
                "Show the best rate", key="show_best", on_click=_show_best, args=(shared,), type="tertiary"
            )
    if rates := _tried(shared):
        problem, curvature, _ = live_runs.foreseen(shared)
        results = attempts(
            problem.objective, curvature, shared.phase, problem.start, rates, target, shared.epochs
        )
        st.markdown(_said(results[-1], target, shared))
        _list(results, target)
    if target.epochs is not None and teaching.is_open():
        _board(page, target, shared)


def _board(page: PageSettings[Experiment], target: Goal, shared: Experiment) -> None:
    """The same challenge for a class: what it hands in, on the sweep of this very problem."""
    from gd_core.classroom.board import challenge as board_task  # with the store, when a class is open

    text = _task(target, shared).replace("**", "")
    task = board_task(replace(shared, learning_rate=page.settings.learning_rate), target.rmse, text)
    class_board.show(task)


def _task(target: Goal, shared: Experiment) -> str:
    epochs = counted(shared.epochs, "epoch")
    forecast = live_runs.foreseen(shared)[2]
    floor = floor_of(forecast) if forecast.floor_is_zero else significant(forecast.floor_rmse, 4)
    share = f"{percent(target.share)} of the way from the floor, {floor}, to the start"
    return (
        f"Reach **RMSE {significant(target.rmse, 4)}** with one {_rate(shared)}, in as few epochs as you can, "
        f"{epochs} at most. That is {share}."
    )


def _rate(shared: Experiment) -> str:
    """What is sought: a fixed rate, or the largest rate under a schedule."""
    return "fixed rate" if is_constant(shared) else f"rate η{in_words(shared)}"


def _tried(shared: Experiment) -> list[float]:
    """Rates tried on this problem, oldest first."""
    return session.held(Tried).rates.get(repr(shared), [])


def _try(page: PageSettings[Experiment], shared: Experiment) -> None:
    if not page.refused("learning_rate"):
        rates = [*_tried(shared), page.settings.learning_rate]
        tried = session.held(Tried)
        tried.rates[repr(shared)] = rates
        tried.told.discard(repr(shared))


def _show_best(shared: Experiment) -> None:
    session.held(Tried).told.add(repr(shared))


def _said(last: Attempt, target: Goal, shared: Experiment) -> str:
    """What the last attempt was worth. The best rate itself is said when it is found, or asked for."""
    rate = short(last.learning_rate)
    if last.epochs is not None:
        own = f"With η = {rate} you needed **{counted(last.epochs, 'epoch')}**."
    elif last.diverged:
        own = f"With η = {rate} the run diverged: the target is never reached."
    else:
        own = f"With η = {rate} the target is not reached in {counted(shared.epochs, 'epoch')}: RMSE {significant(last.rmse, 4)} at the end."
    among = "" if target.tried is None else f" of the {counted(target.tried, 'rate')} tried"
    if target.epochs is None or target.learning_rate is None:
        nobody = f"None{among}" if among else "No fixed rate"
        if last.epochs is not None:
            return f"{own} {nobody} here gets there. Score **{last.score(target)}**."
        more = "More epochs help." if is_constant(shared) else "A schedule that comes down more slowly may."
        return f"{own} {nobody} gets there in {counted(shared.epochs, 'epoch')}. {more}"
    if last.epochs is not None and last.epochs < target.epochs:
        return f"{own} That beats the best{among} here: it needs {short(target.epochs)}. Score **{last.score(target)}**."
    if last.score(target) == 100:
        nobody = f"None{among} needs fewer" if among else "No fixed rate needs fewer"
        return f"{own} {nobody}. Score **{last.score(target)}**."
    told = repr(shared) in session.held(Tried).told
    which = f", {short(target.learning_rate)}," if told else ""
    best = f"The best{among}{which}" if among else f"The best fixed rate{which}"
    return f"{own} {best} needs {short(target.epochs)}. Score **{last.score(target)}**."


def _list(results: list[Attempt], target: Goal) -> None:
    # A start is never there.
    best = min(range(len(results)), key=lambda i: (results[i].epochs or math.inf, i))
    shown = sorted({best, *range(max(0, len(results) - KEPT + 1), len(results))})
    rows = ""
    for i in shown:
        one = results[i]
        needed = (
            f"{short(one.epochs)}"
            if one.epochs is not None
            else "diverged"
            if one.diverged
            else "not reached"
        )
        mark = " ★ best" if i == best and one.epochs is not None else ""
        rows += (
            f"<tr><td>{i + 1}</td><td>{short(one.learning_rate)}</td><td>{needed}</td>"
            f"<td>{one.score(target)}{mark}</td></tr>"
        )
    st.html(
        '<table class="live attempts"><tr><th>attempt</th><th>η</th><th>epochs</th><th>score</th></tr>'
        f"{rows}</table>"
    )


# -------------------------------------------------------------------------------------------------- close to the limit


def claim(page: PageSettings[Experiment], four: Four) -> None:
    """Test the claim that too high a rate “may bounce around”, on either side of the limit."""
    shared = four_rates.plain(page.settings)
    look.panel_title("“Too high a rate may bounce around rather than diverge.” Is it so?")
    problem, curvature, forecast = live_runs.foreseen(shared)
    if forecast.why_no_limit:
        st.markdown(forecast.why_no_limit)
        return
    with st.container(key="near", horizontal=True, vertical_alignment="bottom", gap="small"):
        page.text("percent")
        for percent in (99, 100, 101):
            st.button(
                f"{percent} %", key=f"percent_{percent}", on_click=page.set, kwargs={"percent": float(percent)},
                type="primary" if page["percent"] == percent else "secondary",
            )  # fmt: skip
    given = problem.objective, curvature, shared.phase, problem.start, page["percent"] / 100
    first = float(problem.objective(problem.start))
    if is_constant(shared):
        found = near_limit(*given)
        st.markdown(near_words(found, first))
    else:
        found = passing(*given)
        st.markdown(passing_words(found, first))
    st.button(
        "Watch it as run 4", key="watch", on_click=four_rates.put, args=(page, four, 4, found.learning_rate)
    )


def near_words(found: NearLimit, first_loss: float) -> str:
    """The answer at one share of the limit, with its numbers."""
    rate = f"η = {significant(found.learning_rate, 4)}"
    if not found.has_part:
        return NO_PART.format(rate=rate)
    if found.outcome == "bounces":
        return (
            f"**It bounces for ever.** At exactly the limit, {rate}, the error along the steepest direction is multiplied "
            "by −1 in every epoch: it changes sides and keeps its size. The claim holds here, and only here."
        )
    if found.outcome == "shrinks":
        return f"**It settles.** At {rate} {_shrinking(found)}"
    when = (
        _passes(found.diverges_at, first_loss)
        if found.diverges_at
        else "That takes more epochs than can be counted here."
    )
    slow = " For a long time that looks like bouncing." if found.factor < 1.05 else ""
    return (
        f"**It grows, always.** At {rate} the error along the steepest direction is multiplied by "
        f"−{times(found.factor)} in every epoch. {when}{slow}"
    )


def passing_words(found: Passing, first_loss: float) -> str:
    """The same where a schedule moves the rate."""
    rate, epochs = f"η = {significant(found.learning_rate, 4)}", counted(found.epochs, "epoch")
    if not found.has_part:
        return NO_PART.format(rate=rate)
    above = f"At {rate} the rate is above the limit {found.above}."
    if not found.above:
        above = f"At {rate} no epoch’s rate is above the limit."
    if found.diverges_at is not None:
        return f"**It is lost on the way.** {above} {_passes(found.diverges_at, first_loss)}"
    left = f"After {epochs} {percent(found.left)} of the error along the steepest direction is left."
    if not found.above:
        return f"**It settles.** {above} {left}"
    grew = f", up to {times(found.largest)} × its first size" if found.largest > GREW else " a little"
    if found.left < found.largest:
        return f"**It grows, and comes back.** {above} There that error grows{grew}. {left}"
    return f"**It grows.** {above} After {epochs} the error along the steepest direction is {times(found.left)} × its first size."


def _passes(epoch: int, first_loss: float) -> str:
    of = " × its first value" if first_loss >= 1 else ""
    return f"The loss passes 10⁶{of} at epoch **{short(epoch)}**."


def _shrinking(found: NearLimit) -> str:
    """How the error along the steepest direction gets smaller."""
    if found.factor < 1e-9:
        return "all of the error along the steepest direction is gone after one epoch."
    half = short(max(1.0, found.half_life))
    epochs = counted(1, "epoch") if half == "1" else f"{half} epochs"
    if found.jumps is None:
        return (
            f"the error along the steepest direction may swing. In the long run an epoch leaves {percent(found.factor)} of "
            f"its size, and {epochs} half of it."
        )
    kept = f"the error along the steepest direction keeps {percent(found.factor)} of its size in every epoch"
    how = (
        "It jumps from side to side, and every jump is shorter."
        if found.jumps
        else "It does not jump at all: it comes from one side."
    )
    return f"{kept}: half of it is gone after {epochs}. {how}"
