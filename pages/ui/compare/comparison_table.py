"""The table of a comparison: a column for each run, a row for each setting that differs and for what came of it."""

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from torch import Tensor

from gd_core.outcome import Finding, Outcome
from gd_core.run_summary import epochs_to, same_data, same_landscape, same_model, same_target
from gd_core.settings import schedules
from gd_core.settings.differing import differing, effective
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS
from gd_core.settings.fields import Choice, quoted, said
from gd_core.settings.pins import Pin
from gd_core.settings.table_fields import with_columns
from gd_core.words import at_sight, floor_of, short, significant
from pages.ui.charts.ghosts import Ghost
from pages.ui.look.palette import Palette
from pages.ui.player import player
from pages.ui.train.pinned import disc

TITLES = {  # where a field's own would not do in a table
    "target": "Target",
    "features": "Features",
    "holdout": "Held-out share",
    "before": "Went on after",
}
UNKNOWN = "–"  # what only a parabola has
STARTS = {"published": "as published", "random": "random"}


class Row(NamedTuple):
    """A line of the table: its title, one cell a run, and what the optimum has there. All HTML."""

    title: str
    cells: Sequence[str]
    optimum: str = ""


def rows_of(
    ghosts: Sequence[Ghost], held: Sequence[Pin], target: float | None, group: Sequence[Ghost]
) -> list[Row]:
    """Every line of the table, the settings that differ first."""
    experiments = [pin.experiment for pin in held]
    rows = [Row("RMSE now", [player.live(f"r{ghost.place}", digits=5) for ghost in ghosts])]
    rows += [
        Row(escape(title_of(name)), [escape(worded(one, name)) for one in experiments])
        for name in differing(experiments)
    ]
    if target is not None:
        cells = [_epochs(ghost, target) if _one_target(ghost, group[0]) else "other data" for ghost in ghosts]
        rows.append(Row(f"Epochs to RMSE {significant(target, 5)}", cells))
    alike = all(same_landscape(ghost.problem, ghosts[0].problem) for ghost in ghosts)
    floors = [floor_of(ghost.parabola) if ghost.parabola else UNKNOWN for ghost in ghosts]
    floor = floors[0] if alike else ""
    rows.append(_few_digits("Final RMSE", [significant(ghost.final_rmse) for ghost in ghosts], floor))
    judged = [ghost.held_out_rmse for ghost in ghosts]
    if any(rmse is not None for rmse in judged):
        cells = ["none held out" if rmse is None else significant(rmse) for rmse in judged]
        rows.append(_few_digits("Held-out RMSE at the end", cells))
    if not alike:
        bounds = all(ghost.parabola is None or ghost.parabola.bounds_rmse for ghost in ghosts)
        rows.append(_few_digits("Floor RMSE" if bounds else "RMSE at the lowest loss", floors))
    rows.append(
        Row(
            "Gap to the optimum, L − L*",
            [ghost.gap for ghost in ghosts],
            ("0" if ghosts[0].parabola else UNKNOWN) if alike else "",
        )
    )
    rows.append(Row("Outcome", [_outcome(ghost.summary.finding, ghost.summary.complete) for ghost in ghosts]))
    return rows + _parameters(ghosts, alike)


def _few_digits(title: str, cells: Sequence[str], optimum: str = "") -> Row:
    """A line of numbers with the digits that part them; all six when the pointer rests on one."""
    *fewer, best = at_sight("\n".join([*cells, optimum])).split("\n")
    return Row(title, [_rounded(*one) for one in zip(fewer, cells, strict=True)], _rounded(best, optimum))


def _rounded(fewer: str, text: str) -> str:
    return text if fewer == text else f'<span title="{text}">{fewer}</span>'


def _one_target(ghost: Ghost, other: Ghost) -> bool:
    return same_target(ghost.problem, other.problem)


def _epochs(ghost: Ghost, target: float) -> str:
    epoch = epochs_to(ghost.summary.rmse, target)
    if epoch is not None:
        return f"{epoch:,}"
    return "not reached" if ghost.summary.complete else "not yet"


def _outcome(finding: Finding, complete: bool) -> str:
    if not complete:
        return "in training"
    at = finding.epoch is not None and finding.outcome is not Outcome.STOPPED
    return f"{finding.outcome} at epoch {finding.epoch:,}" if at else str(finding.outcome)


def _parameters(ghosts: Sequence[Ghost], alike: bool) -> list[Row]:
    """Parameters at the end in raw units: a line each where they mean the same, else a list in each cell."""
    first = ghosts[0]
    ends = [_raw(ghost, ghost.summary.theta[-1]) for ghost in ghosts]
    shared = all(
        same_data(ghost.problem, first.problem)
        and same_model(ghost.summary.experiment, first.summary.experiment)
        for ghost in ghosts
    )
    if not shared:
        cells = [
            "<br>".join(
                f"{escape(name)} = {value}"
                for name, value in zip(_names(ghost.summary.experiment), end, strict=True)
            )
            for ghost, end in zip(ghosts, ends, strict=True)
        ]
        return [Row("Parameters at the end", cells)]
    names = _names(first.summary.experiment)
    if any(_names(ghost.summary.experiment) != names for ghost in ghosts):  # of tables with other columns
        names = list(first.summary.experiment.info.parameters)
    best = [UNKNOWN] * len(names)
    if first.parabola:
        best = _raw(first, first.parabola.optimum)
    return [
        _few_digits(f"{escape(name)} at the end", [end[i] for end in ends], best[i] if alike else "")
        for i, name in enumerate(names)
    ]


def _names(experiment: Experiment) -> list[str]:
    """Of the parameters, with a table's columns."""
    return with_columns(vars(experiment), experiment.info.parameters)


def _raw(ghost: Ghost, theta: Tensor) -> list[str]:
    """θ, [P], in raw units."""
    problem, parabola = ghost.problem, ghost.parabola
    raw = parabola.parameters(theta, problem.to_raw, problem.offset) if parabola else problem.raw(theta)
    return [significant(value) for value in raw.tolist()]


def title_of(name: str) -> str:
    """A setting as a student knows it."""
    return TITLES.get(name) or FIELDS[name].title


def worded(experiment: Experiment, name: str) -> str:
    """What a setting is in a run, or a dash where it changes nothing."""
    value: Any = effective(experiment, name)
    if value is None:
        return "–"
    field = FIELDS[name]
    if isinstance(field, Choice):
        return field.choices[value]
    if name == "start":
        return STARTS.get(value, "") if isinstance(value, str) else ", ".join(short(n, 6) for n in value)
    if name == "schedule":
        return schedules.alone(experiment)
    if name == "batch_size":
        return f"{value:,}" if value else "all rows"
    if name == "before":
        return ", then ".join(phase.in_words for phase in value) or "the start"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "epochs":
        return f"{value:,}"
    return said(value) if isinstance(value, int | float) else quoted(field.write(value)) if value else "none"


def table(rows: Sequence[Row], ghosts: Sequence[Ghost], held: Sequence[Pin], colours: Palette) -> str:
    """The table as HTML. On a phone each line becomes a small list of the runs."""
    with_optimum = any(row.optimum for row in rows)
    names = [f"{disc(ghost.place, colours)} {escape(held[ghost.place].name)}" for ghost in ghosts]
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    head += '<th scope="col">Optimum</th>' if with_optimum else ""
    body = ""
    for row in rows:
        cells = "".join(
            f'<td data-run="{ghost.place + 1}">{cell}</td>'
            for ghost, cell in zip(ghosts, row.cells, strict=True)
        )
        cells += f'<td data-run="optimum">{row.optimum or ""}</td>' if with_optimum else ""
        body += f'<tr><th scope="row">{row.title}</th>{cells}</tr>'
    return f'<table class="live compare"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>'
