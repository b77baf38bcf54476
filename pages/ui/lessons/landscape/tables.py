"""What the page about valleys says in tables: the directions, the starts, a run without and with scaled features."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gd_core import verdict
from gd_core.landscape import resting_axes
from gd_core.lessons.landscape import (
    Projection,
    directions,
    epochs_to,
    lagging,
    nearer,
    parameter_projection,
    shares,
    valley_projection,
)
from gd_core.lessons.perfect_fit import rmse_of
from gd_core.outcome import Finding, Outcome
from gd_core.settings.experiment import Experiment
from gd_core.theory import Forecast
from gd_core.words import counted, floor_of, percent, short, significant, times
from pages.ui.charts.landscape import DASHES, drawn_rows, rows_of_all
from pages.ui.charts.model import RecordedRun, Run, log_zero, stride_of
from pages.ui.classroom.picture import Drawn
from pages.ui.look import look
from pages.ui.look.palette import Palette
from pages.ui.player import live_runs, player

Part = tuple[RecordedRun, Forecast, Finding]
PAIRS = {"1,2": (0, 1), "1,3": (0, 2), "2,3": (1, 2)}
DIRECTIONS = ("flat", "middle", "steep")
GLYPHS = ("●", "■", "▲", "▼", "▶")  # the shapes of the heads on the map, in order
NAMES = ("without", "scaled")  # of the two runs side by side


def projection_of(experiment: Experiment, axes: str) -> Projection:
    """The plane that the map shows: of two parameters, or of two directions."""
    curvature = live_runs.foreseen(experiment)[1]
    return parameter_projection(curvature, PAIRS[axes]) if axes in PAIRS else valley_projection(curvature)


def relief_axes(run: Run, axes: str) -> tuple[int, int]:
    """The two parameters of the map, or those over which the net rests where it is drawn along directions."""
    return PAIRS.get(axes) or resting_axes(run.curvature)


def titles_of(experiment: Experiment, axes: str) -> tuple[str, str]:
    """The titles of the map's two axes."""
    if axes not in PAIRS:
        return "direction 1, flattest", "direction 3, steepest"
    first, second = PAIRS[axes]
    names = trained_names(experiment)
    return names[first], names[second]


def trained_names(experiment: Experiment) -> list[str]:
    """The parameters as they are trained: with a prime where the features are scaled."""
    return list(experiment.trained_names)


def around(run: Run) -> list[Any]:
    """What the map holds beside the starts: the published start, so that the map stays where it is while one clicks."""
    return [run.problem.scaled(run.problem.dataset.start)]


def span(runs: Sequence[Run]) -> dict[str, Any]:
    """How far the player reaches over several runs."""
    planned = runs[0].experiment.total_epochs
    return {
        "last": max(run.recording.epochs for run in runs),
        "planned": planned,
        "stride": stride_of(planned),
        "complete": all(run.recording.complete for run in runs),
    }


# ------------------------------------------------------------------------------------------------ one valley


def map_note(experiment: Experiment, axes: str, follow: bool, arrows: str) -> str:
    """What the map leaves out, what its arrows are, and what a click does."""
    notes = []
    if axes in PAIRS:
        (third,) = set(range(3)) - set(PAIRS[axes])
        where = "where the run is" if follow else "at the optimum"
        notes.append(f"{trained_names(experiment)[third]} {where}")
    notes += {
        "off": [],
        "unit": ["an arrow is the way a step goes here"],
        "log": ["an arrow’s length: powers of ten of |∇L|, down to 1/10,000 of the longest"],
    }[arrows]
    return "; ".join([*notes, "click to set a start"])


def lead_note(parts: Sequence[Part], lead: int) -> str:
    """Whose numbers these are, if there are several starts."""
    return f"start {lead + 1}" if len(parts) > 1 else ""


def truth(part: Part) -> str:
    """The direction that holds most of the gap where a run has ended; "none" if it has converged."""
    run, _, finding = part
    converged = finding.outcome == Outcome.CONVERGED
    return "none" if converged else DIRECTIONS[lagging(run.curvature, run.recording)]


def drawn(part: Part) -> Drawn:
    """What each direction still has to go."""
    run, *_ = part
    gaps = run.curvature.gap(run.recording.epoch_theta).T.tolist()
    names = DIRECTIONS if len(gaps) == len(DIRECTIONS) else (DIRECTIONS[0], DIRECTIONS[-1])
    return Drawn("Gap along each direction, by epoch", dict(zip(names, gaps, strict=True)))


def tempting(part: Part, said: str) -> str:
    """Why a wrong answer about the directions was tempting, and the number that it overlooks."""
    run, forecast, finding = part
    epochs = counted(run.recording.epochs, "epoch")
    if finding.outcome == Outcome.CONVERGED:
        return "A run never takes the last bit of the way. Here so little is left that it counts as arrived."
    if said == "none":
        limit = forecast.stability_limit or np.inf
        above = run.experiment.learning_rate > limit
        here = f"This rate is above it, {short(limit)}" if above else f"After {epochs} something is left"
        return f"Below the limit all directions arrive in the end. {here}."
    names = {"flat": "The flattest", "middle": "The middle one", "steep": "The steepest"}
    why = {
        "flat": "The flattest is the slowest at a small rate.",
        "middle": "The middle one is neither the fastest nor the slowest at a small rate.",
        "steep": "A steep slope looks like a long way to go.",
    }[said]
    mine, theirs = DIRECTIONS.index(said), lagging(run.curvature, run.recording)
    each = directions(run.curvature, run.experiment.learning_rate)
    own, other = (factor(abs(each[i].factor)) for i in (mine, theirs))
    if abs(each[mine].factor) < abs(each[theirs].factor):
        return f"{why} Here each epoch multiplies its error by {own}, and that of {names[DIRECTIONS[theirs]].lower()} by {other}."
    first = shares(run.curvature, run.recording.epoch_theta[0])
    return f"{why} But at the start it held only {percent(float(first[mine]))} of the gap."


def pair_tempting(parts: Sequence[Part], share: float, said: str) -> str:
    """The same for a run without and with scaled features; `share` is the rate's share of the limit."""
    if said == "none":
        side = "below" if share < 1 else "at" if share == 1 else "above"
        return f"Above the limit both would move away. Here the rate is {side} it."
    if share > 1 and pair_truth(parts) == "none":
        return "Scaling helps below the limit. Above it the steep direction grows, scaled or not."
    plain, scaled = (short(one.condition_number) for _, one, _ in parts)
    why = {
        "without": "The curve and the data are the same, so scaling seems to add nothing.",
        "same": "The curve and the data are the same, so both seem alike.",
        "scaled": "Scaling helps where the valley is narrow.",
    }[said]
    return f"{why} The valley: κ is {plain} without scaling and {scaled} with it."


def summary(parts: Sequence[Part], lead: int) -> str:
    """The verdict on the chosen run, and which direction is left."""
    run, forecast, finding = parts[lead]
    said = verdict.of_run(run.recording, run.experiment, forecast, finding)
    if finding.outcome != Outcome.CONVERGED:
        left = shares(run.curvature, run.recording.epoch_theta[-1])
        number = lagging(run.curvature, run.recording)
        said += f" Direction {number + 1} holds {percent(float(left[number]))} of the gap."
    return f"Start {lead + 1}. {said}" if len(parts) > 1 else said


def numbers(
    parts: Sequence[Part], lead: int
) -> tuple[dict[str, np.ndarray], Mapping[str, Any], tuple[str, ...]]:
    """The player's table over the drawn epochs of the longest run, its sums and its sentences.

    Columns beside the usual ones of the chosen run: gap, and for each direction its gap and its percentage; the
    number of the one that holds most; the RMSE of every start. A gap that is zero to rounding is 0.
    """
    run, forecast, _ = parts[lead]
    steps = verdict.of_steps(run.recording, run.experiment, forecast)
    theta = run.recording.epoch_theta[drawn_rows(run)]
    gaps, left = run.curvature.gap(theta).numpy(), shares(run.curvature, theta).numpy()
    rounding = gaps <= log_zero(float(gaps[0].sum()))  # where the chart's axis ends
    extra = {"gap": gaps.sum(1), "most": left.argmax(1)}
    for i in range(gaps.shape[1]):
        extra[f"gap{i}"] = np.where(rounding[:, i], 0, gaps[:, i])
        extra[f"percent{i}"] = np.where(rounding[:, i], 0, 100 * left[:, i])
    own, sums = player.table(run, steps, extra)
    rows = rows_of_all([run for run, *_ in parts])
    last = run.recording.epochs
    place = np.where(rows >= last, len(own["rmse"]) - 1, rows // stride_of(run.experiment.total_epochs))
    table = {name: values[place] for name, values in own.items()}
    if "epoch" in table:
        table["epoch"] = rows.astype(np.int32)
    for number, (one, *_) in enumerate(parts, 1):
        rmse = one.recording.epoch_rmse.numpy()
        table[f"rmse{number}"] = player.single(rmse[np.minimum(rows, len(rmse) - 1)])
    return table, sums, steps.templates


def direction_table(run: Run, revealed: bool) -> str:
    """Each direction with its curvature, its factor once the question is answered, and, live, what it holds of the gap."""
    names = trained_names(run.experiment)
    rows = ""
    for i, one in enumerate(directions(run.curvature, run.experiment.learning_rate)):
        title = {0: "1 flattest", 1: "2", 2: "3 steepest"}[i]
        rows += (
            f"<tr {player.lit('most', i)}><td>{title}<br><small>{_mix(one.weights, names)}</small></td>"
            f"<td>{short(one.eigenvalue)}</td><td>{factor(one.factor) if revealed else '?'}</td>"
            f"<td>{_epochs(one.tenth) if revealed else '?'}</td>"
            f"<td>{player.live(f'gap{i}', digits=3)}</td><td>{player.live(f'percent{i}', digits=3)} %</td></tr>"
        )
    head = (
        "<th>direction</th><th>curvature<br>λ</th><th>factor<br>1 − ηλ</th><th>error ÷ 10<br>in epochs</th>"
        "<th>gap<br>now</th><th>share<br>of it</th>"
    )
    table = f'<table class="live valley directions"><tr>{head}</tr>{rows}</table>'
    return look.wide("The directions of the valley", table) + (
        '<p class="beneath">λ says how fast the slope changes along a direction, as 18 did in lesson 1. Each epoch multiplies '
        "the error along it by 1 − ηλ.</p>"
    )


def start_table(parts: Sequence[Part], lead: int, colours: Palette) -> str:
    """Every start with its line, its numbers and, live, its error."""
    rows = ""
    for number, (run, *_) in enumerate(parts, 1):
        raw = run.problem.raw(run.problem.start).tolist()
        line = _line(number - 1, colours)
        mark = ' aria-current="true" class="lit"' if number == lead + 1 else ""
        rows += (
            f"<tr{mark}><td>{number} {line}</td><td>{', '.join(significant(value, 4) for value in raw)}</td>"
            f"<td>{player.live(f'rmse{number}')}</td></tr>"
        )
    names = ", ".join(parts[0][0].experiment.info.parameters)
    return f'<table class="live valley"><tr><th>start</th><th>at {names}</th><th>RMSE now</th></tr>{rows}</table>'


def _line(index: int, colours: Palette) -> str:
    """A run's line and shape as they are on the map."""
    colour, at, stripes = colours.several[index], 0.0, []
    for i, length in enumerate(DASHES[index]):
        shade = "transparent" if i % 2 else colour
        stripes.append(f"{shade} {at}px {at + length}px")
        at += length
    stripe = f"repeating-linear-gradient(90deg, {', '.join(stripes)})"
    return (
        f'<span class="dash" style="background: {stripe}" aria-hidden="true"></span>'
        f'<span style="color: {colour}" aria-hidden="true">{GLYPHS[index]}</span>'
    )


def _mix(weights: Sequence[float], names: Sequence[str]) -> str:
    """An eigenvector in words: its parameters, those that matter, by size."""
    ordered = sorted(zip(weights, names, strict=True), key=lambda one: -abs(one[0]))
    kept = [(weight, name) for weight, name in ordered if abs(weight) >= 0.05]
    signs = ["" if weight > 0 else "−" for weight, _ in kept[:1]] + [
        " + " if weight > 0 else " − " for weight, _ in kept[1:]
    ]
    return "".join(
        f"{sign}{significant(abs(weight), 2)} {name}"
        for sign, (weight, name) in zip(signs, kept, strict=True)
    )


def factor(value: float) -> str:
    """A factor with enough digits to tell it from 1, and from −1."""
    return f"{'−' if value < 0 else ''}{times(abs(value))}"


def _epochs(number: float) -> str:
    """So many epochs, rounded up."""
    return short(max(1, float(np.ceil(number)))) if np.isfinite(number) else "never"


# --------------------------------------------------------------------------------------- without and with scaling


def pair_truth(parts: Sequence[Part]) -> str:
    """Which of the two runs has ended closer to the lowest loss."""
    gaps = [run.curvature.gap(run.recording.epoch_theta).sum(1) for run, *_ in parts]
    found = nearer([(float(gap[0]), float(gap[-1])) for gap in gaps])
    return "same" if found is None else "none" if found == -1 else NAMES[found]


def pair_drawn(parts: Sequence[Part]) -> Drawn:
    """The whole gap of either run."""
    gaps = [run.curvature.gap(run.recording.epoch_theta).sum(1).tolist() for run, *_ in parts]
    return Drawn("Gap by epoch", dict(zip(NAMES, gaps, strict=True)))


def pair_numbers(parts: Sequence[Part]) -> dict[str, np.ndarray]:
    """The player's table for two runs: RMSE, gap and coefficients in raw units of each."""
    rows = rows_of_all([run for run, *_ in parts])
    columns: dict[str, Any] = {"epoch": rows}
    for name, (run, *_) in zip(NAMES, parts, strict=True):
        at = np.minimum(rows, run.recording.epochs)
        theta = run.recording.epoch_theta[at]
        raw = run.problem.raw(theta)
        columns[f"{name}_rmse"] = run.recording.epoch_rmse[at]
        columns[f"{name}_gap"] = run.curvature.gap(theta).sum(1)
        columns |= {f"{name}_{i}": raw[:, i] for i in range(raw.shape[1])}
    return player.numbers_of(columns)


PAIR_SENTENCE = "Epoch {epoch}: RMSE {without_rmse:4} without scaling, {scaled_rmse:4} with scaled features."


def pair_summary(parts: Sequence[Part]) -> str:
    """Both ends, and how long each would need."""
    ends = [_end(part) for part in parts]
    plain, scaled = (_needed(run, run.experiment.learning_rate) for run, *_ in parts)
    said = f"{ends[0]} without scaling, {ends[1]} with; the floor is {floor_of(parts[0][1])}."
    if plain is None and scaled is None:
        return f"{said} At these rates no run arrives."
    needed = [f"{short(count)}" if count is not None else "never" for count in (plain, scaled)]
    return f"{said} Epochs to a millionth of the first gap: {needed[0]} without scaling, {needed[1]} with."


def _end(part: Part) -> str:
    """Where a run has ended."""
    run, forecast, _ = part
    if run.recording.diverged_at is not None:
        return f"Diverged at epoch {short(run.recording.diverged_at)}"
    rmse = run.recording.epoch_rmse
    return f"RMSE {rmse_of(float(rmse[-1]), float(rmse[0]), forecast)}"


def _needed(run: Run, rate: float) -> int | None:
    return epochs_to(run.curvature, run.problem.start, rate)


def pair_table(parts: Sequence[Part], shares_of_limit: Sequence[float], revealed: bool) -> str:
    """κ, limit, best rate, what is needed and, live, where both runs are, without and with scaled features.

    What would answer the question stands there when it is answered.
    """
    names = parts[0][0].experiment.info.parameters

    def both(title: str, cells: Sequence[str], kind: str = "") -> str:
        body = "".join(f"<td>{cell}</td>" for cell in cells)
        return f"<tr{kind}><td>{title}</td>{body}</tr>"

    def count(epochs: int | None) -> str:
        return "?" if not revealed else "never" if epochs is None else counted(epochs, "epoch")

    forecast = [one for _, one, _ in parts]
    runs = [run for run, *_ in parts]
    best = [one.best_learning_rate or 0.0 for one in forecast]
    rows = both("condition number κ", [short(one.condition_number) for one in forecast])
    rows += both("limit of the rate", [short(one.stability_limit or 0.0) for one in forecast])
    rows += both("best rate in the long run", [short(rate) for rate in best])
    rows += both("rate here", [short(run.experiment.learning_rate) for run in runs])
    rows += both("its share of the limit", [percent(share) for share in shares_of_limit])
    rows += both(
        "largest factor 1 − ηλ, by size", [factor(slowest(run)) if revealed else "?" for run in runs]
    )
    live = [[player.live(f"{name}_{column}") for name in NAMES] for column in ("rmse", *range(len(names)))]
    rows += both(f"RMSE now, floor {floor_of(forecast[0])}", live[0])
    for name, cells, goal in zip(names, live[1:], forecast[0].optimum, strict=True):
        rows += both(f"{name} now, raw units; optimum {significant(rounded(goal), 5)}", cells)
    needed = [count(_needed(run, run.experiment.learning_rate)) for run in runs]
    rows += both("to a millionth of the first gap", [f"<b>{text}</b>" for text in needed])
    rows += both(
        "the same, at the best rate",
        [count(_needed(run, rate)) for run, rate in zip(runs, best, strict=True)],
    )
    head = "<td></td><th>without scaling</th><th>scaled features</th>"
    return f'<table class="live valley pair"><tr>{head}</tr>{rows}</table>'


def rounded(value: float) -> float:
    """0 instead of what rounding has left of it."""
    return 0.0 if abs(value) < 1e-12 else value


def slowest(run: Run) -> float:
    """The factor with the largest size among the directions."""
    return max((one.factor for one in directions(run.curvature, run.experiment.learning_rate)), key=abs)
