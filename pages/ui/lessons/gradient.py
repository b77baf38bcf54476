"""The gradient lesson's numbers: one row's contribution written out, and the same gradient by three ways."""

from typing import Any

import numpy as np
import torch

from gd_core import verdict
from gd_core.autopsy import formula
from gd_core.lessons.gradient import per_row
from gd_core.lessons.gradient.finite_differences import Trial, along_each, tried
from gd_core.lessons.gradient.finite_differences import said as said_of
from gd_core.lessons.gradient.per_row import Ending, contributions, ending, said
from gd_core.outcome import Finding
from gd_core.settings.catalog import model_info
from gd_core.theory import Forecast
from gd_core.words import short, significant
from pages.ui.charts.model import RecordedRun, Run, drawn_epochs
from pages.ui.look import look, projector
from pages.ui.player import player

BRIEF = 4  # digits of what is written out

__all__ = [
    "bar_title",
    "columns",
    "parameter_of",
    "row_of",
    "row_title",
    "said_of",
    "short",
    "steps_said",
    "summary",
    "tempting",
    "three_ways",
    "totals",
    "trial",
    "truth",
    "written_out",
]


def columns(run: RecordedRun, row: int, ways: tuple[str, float] | None) -> dict[str, np.ndarray]:
    """Numbers by drawn epoch: of one row, from 1, and of the three ways to the gradient, for a kind of difference and a step.

    Columns: prediction, residual, and for each parameter the row's contribution c, the formula f, the finite
    difference, and how far both are from autograd.
    """
    recording, objective = run.recording, run.problem.linear
    rows = drawn_epochs(recording.epochs, run.experiment.total_epochs)
    theta, autograd = recording.epoch_theta[rows], recording.gradient[rows]
    prediction = theta @ objective.features[row - 1]
    found: dict[str, Any] = {
        "prediction": prediction,
        "residual": prediction - objective.target[row - 1],
    }
    own = contributions(objective, theta)[:, row - 1]
    found |= {f"c{j}": own[:, j] for j in range(theta.shape[1])}
    if ways is None:
        return {name: np.asarray(values) for name, values in found.items()}
    kind, step = ways
    by_formula = [formula(objective, point) for point in theta]
    by_difference = along_each(objective, theta, step, kind)
    for j in range(theta.shape[1]):
        on_paper = np.array([float(one[j]) for one in by_formula])
        found[f"formula{j}"] = on_paper
        found[f"formula_off{j}"] = np.abs(on_paper - autograd[:, j].numpy())
        found[f"finite{j}"] = by_difference[:, j]
        found[f"finite_off{j}"] = (by_difference[:, j] - autograd[:, j]).abs()
    return {name: np.asarray(values) for name, values in found.items()}


def trial(run: Run, parameter: int, kind: str, step: float) -> Trial:
    """The chosen step size at the start."""
    bend = float(run.curvature.hessian[parameter, parameter])
    return tried(run.problem.objective, run.problem.start, parameter, step, kind, bend)


def written_out(run: Run, row: int) -> str:
    """One row's contribution to each slope, with its numbers; those that follow the epoch are the player's."""
    objective, experiment = run.problem.linear, run.experiment
    names, words = experiment.info.parameters, model_info(experiment.info.model).terms
    if words is None:
        raise ValueError(f"model must be one whose terms have words. Got {experiment.info.model}.")
    features = objective.features[row - 1].tolist()
    target = _number(float(objective.target[row - 1]))
    residual = player.live("residual", digits=BRIEF)
    sub = subscript(row)
    cells = [
        (f"ŷ{sub} − y{sub}", f"{player.live('prediction', digits=BRIEF)} − {target}", residual),
        *(
            (
                f"∂L{sub}/∂{name} = 2(ŷ{sub} − y{sub}){word and f'·{word}'}",
                f"2 × ({residual}){word and f' × {_number(value)}'}",
                player.live(f"c{j}", digits=BRIEF),
            )
            for j, (name, word, value) in enumerate(zip(names, words, features, strict=True))
        ),
    ]
    rows = run.experiment.training_rows
    if rows > 1:
        cells += [
            (
                f"∂L/∂{name} = 1/N · Σ ∂Lᵢ/∂{name}",
                f"1/{rows} × ({player.live(f'sum{j}', digits=BRIEF)})",
                player.live(f"g{j}", digits=BRIEF),
            )
            for j, name in enumerate(names)
        ]
    body = "".join(f"<tr><td>{a}</td><td>{b}</td><td>= <b>{c}</b></td></tr>" for a, b, c in cells)
    return look.wide("One row, written out", f'<table class="live row">{body}</table>')


def totals(run: Run) -> dict[str, player.Sum]:
    """The sum of all bars of each parameter, N times their mean, for the player to add up."""
    return {
        f"sum{j}": [(f"g{j}", float(run.experiment.training_rows))]
        for j in range(len(run.experiment.info.parameters))
    }


def _number(value: float) -> str:
    """A number after a minus or a times, in brackets if it is negative."""
    text = significant(value, BRIEF)
    return f"({text})" if value < 0 else text


def row_title(run: Run, row: int) -> tuple[str, str]:
    """What stands over the numbers that are written out."""
    if run.experiment.training_rows == 1:
        return "The only row", "at this epoch"
    return f"Row {row}, and all {run.experiment.training_rows} rows", "at this epoch"


def three_ways(run: Run) -> str:
    """The gradient of this epoch by autograd, by the formula and by the finite difference, and their differences."""
    body = "".join(
        f"<tr><td>∂L/∂{name}</td>"
        + "".join(f"<td>{player.live(f'{way}{j}')}</td>" for way in ("g", "formula", "finite"))
        + "</tr><tr class=off><td>off by</td><td></td>"
        + "".join(f"<td>{player.live(f'{way}_off{j}', digits=2)}</td>" for way in ("formula", "finite"))
        + "</tr>"
        for j, name in enumerate(run.experiment.info.parameters)
    )
    head = "<tr><td></td><th>autograd</th><th>formula</th><th>finite difference</th></tr>"
    return look.wide("The same gradient by three ways", f'<table class="live ways">{head}{body}</table>')


def bar_title(run: Run, parameter: int) -> tuple[str, str]:
    """What stands over a chart of bars: the slope with its number, and where the number comes from."""
    rows = run.experiment.training_rows
    of = "the one bar" if rows == 1 else f"the mean of {rows} bars"
    if projector.on():
        of = f"mean of {rows}"  # in large type there is one line for it
    return (
        f"∂L/∂{run.experiment.info.parameters[parameter]} = {player.live(f'g{parameter}', digits=BRIEF, full=True)}",
        of,
    )


def steps_said(run: Run, parameter: int) -> verdict.StepVerdicts:
    """What the player says at each epoch: the mean of the bars, and the step that follows from it."""
    name = run.experiment.info.parameters[parameter]
    mean = "mean of the bars" if run.experiment.training_rows > 1 else "bar"
    last = "The run ends here." if run.recording.complete else "This is the start."
    templates = (
        f"Epoch {{epoch}} → {{next}}: the {mean} for {name} is {{g{parameter}:4}}. "
        f"Times −η, that moves {name} by {{d{parameter}:4}}.",
        f"Epoch {{epoch}}: the {mean} for {name} is {{g{parameter}:4}}. {last}",
    )
    choice = torch.zeros(run.recording.epochs + 1, dtype=torch.int8)
    choice[-1] = 1
    return verdict.StepVerdicts(templates, choice)


def truth(run: Run) -> str:
    """The answer that the run itself gives to the lesson's question."""
    return str(ending(run.recording, run.problem.linear))


def tempting(guess: str, run: Run) -> str:
    """Why a wrong answer was tempting."""
    return per_row.tempting(Ending(guess), ending(run.recording, run.problem.linear))


def summary(run: Run, forecast: Forecast, finding: Finding) -> str:
    """The end of the run in words."""
    objective = run.problem.linear
    if ending(run.recording, objective) is Ending.GROW:
        return verdict.of_run(run.recording, run.experiment, forecast, finding)
    return said(run.recording, objective, run.experiment.info.parameters, forecast.floor_rmse)


def row_of(wanted: float, run: Run) -> int:
    """The row that is shown: the wanted one, or the last."""
    return min(int(wanted), run.experiment.training_rows)


def parameter_of(wanted: str, run: Run) -> int:
    """The place in θ of the parameter that is looked at: the wanted one, from "1", or the last."""
    return min(int(wanted), len(run.experiment.info.parameters)) - 1


def subscript(number: int) -> str:
    """12 as ₁₂."""
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
