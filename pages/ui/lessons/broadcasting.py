"""The shape mistake as HTML: the table that a subtraction makes, and what the article printed beside this run."""

from typing import Any

from gd_core.lessons.broadcasting import PLANE_OF_DATA, predictions, rows_of
from gd_core.published import PLANE_PREDICTIONS, PLANE_TABLE
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import written
from gd_core.words import short, significant
from pages.ui.charts.model import RecordedRun, Run, drawn_epochs
from pages.ui.look import digits, look
from pages.ui.player import player

ROWS = 4  # of the table of differences that are shown
PRINTED_DIGITS = 4  # behind the point of what the article calls optimal


def line(loss: str) -> str:
    """The subtraction as code."""
    return "y_hat - y" if loss == "mse-broadcast" else "y_hat - y[:, None]"


def picture(run: Run) -> str:
    """The first rows of ŷ − y with this epoch's numbers; what is meant is on the diagonal."""
    mistaken, rows = run.experiment.loss == "mse-broadcast", run.experiment.training_rows
    _, target = rows_of(run.problem, ROWS)
    several = range(len(target))
    right = f"({rows},)" if mistaken else f"({rows}, 1)"
    result = f"({rows}, {rows})" if mistaken else f"({rows}, 1)"
    count = (
        f"{short(rows * rows)} differences: every prediction minus every target. Only the {short(rows)} framed ones are meant."
        if mistaken
        else f"{short(rows)} differences: each prediction minus its own target."
    )
    head = "".join(
        f"<th>y{_sub(j)}<br>{significant(value, 3)}</th>" for j, value in enumerate(target.tolist())
    )
    body = ""
    for i in several:
        cells = ""
        for j in several:
            number = player.live(f"e{i}_{j}", digits=3) if mistaken or i == j else ""
            cells += f"<td{' class=meant' if i == j else ''}>{number}</td>"
        dots = "<td>…</td>" if mistaken else "<td></td>"
        body += f"<tr><th>ŷ{_sub(i)} = {player.live(f'h{i}', digits=3)}</th>{cells}{dots}</tr>"
    foot = "<tr><th>⋮</th>" + "<td>⋮</td>" * len(target) + "<td>⋱</td></tr>" if mistaken else ""
    return (
        f'<p class="shapes"><span>y_hat <b>({rows}, 1)</b></span> − <span>y <b>{right}</b></span> = <b>{result}</b></p>'
        + look.wide(
            "Differences",
            f'<table class="live grid"><thead><tr><th>ŷ − y</th>{head}<td></td></tr></thead><tbody>{body}{foot}</tbody></table>',
        )
        + f'<p class="beneath">{count}</p>'
    )


def _sub(number: int) -> str:
    """A subscript, counted from 1."""
    return "₁₂₃₄₅₆₇₈₉"[number]


def sums(run: Run) -> dict[str, player.Sum]:
    """What the browser adds up for the picture: ŷ of each row from θ, and its distance to each target."""
    features, target = rows_of(run.problem, ROWS)
    found: dict[str, player.Sum] = {}
    for i, row in enumerate(features.tolist()):
        found[f"h{i}"] = [(f"p{k}", value) for k, value in enumerate(row)]
    for i in range(len(features)):
        for j, value in enumerate(target.tolist()):
            found[f"e{i}_{j}"] = [(f"h{i}", 1.0), ("one", -value)]
    return found


def ones(run: Run) -> dict[str, Any]:
    """A column of ones, so that the sums above may hold constants."""
    return {"one": [1.0] * len(drawn_epochs(run.recording.epochs, run.experiment.total_epochs))}


def mean_of(run: Run) -> str:
    """The mean of y, which the mistaken loss finds for every row."""
    return significant(float(run.problem.objective.target.mean()), 3)


def two_errors(run: Run, *, revealed: bool) -> str:
    """The root of what is minimised and the error against the data, named and side by side: two numbers tell the mistake."""
    root = "root_loss" if run.experiment.loss == "mse-broadcast" else "rmse"
    return (
        f'<p class="panel-title two-errors"><span><i class="thick"></i>RMSE against the data {player.live("rmse", digits=4)}</span>'
        + (
            f'<span><i class="thin"></i>√ of the minimised loss {player.live(root, digits=4)}</span>'
            if revealed
            else ""
        )
        + "</p>"
    )


def printed_table(run: RecordedRun) -> str:
    """The article's forty numbers, ours under each when the run has come so far."""
    recording = run.recording
    names = run.experiment.info.parameters
    body = ""
    for printed in PLANE_TABLE:
        reached = recording.complete and printed.epoch <= recording.epochs
        ours = (
            [*recording.theta[printed.epoch].tolist(), recording.loss[printed.epoch - 1].item()]
            if reached
            else [None] * 4
        )
        shown = player.lit("epoch", reached=printed.epoch)
        pairs = [
            "<br>".join(digits.pair(theirs, mine, shown=shown))
            for theirs, mine in zip((*printed.weight, printed.bias, printed.loss), ours, strict=True)
        ]
        body += digits.row([str(printed.epoch), "printed<br>here", *pairs])
    heads = "<th>epoch</th><td></td>" + "".join(f"<th>{name}</th>" for name in (*names, "loss"))
    table = f'<table class="live beside printed"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
    return look.wide("What the article printed", table) + (
        '<p class="beneath">Underlined digits are the same. Parameters after the update of that epoch, loss before it. '
        "At 600 the loss is 4.05014849 in 64 bits and 4.05015039 in 32: they round apart.</p>"
    )


def printed_predictions(run: RecordedRun) -> str:
    """The article's five predictions, ours, and what they should be."""
    _, target = rows_of(run.problem, len(PLANE_PREDICTIONS))
    there = run.recording.complete
    ours = predictions(run.recording, run.problem, len(target)) if there else [None] * len(target)
    shown = player.lit("epoch", reached=run.recording.epochs)
    body = "".join(
        digits.row([f"{i + 1}", *digits.pair(theirs, mine, shown=shown), f"{value:.4f}".replace("-", "−")])
        for i, (theirs, mine, value) in enumerate(zip(PLANE_PREDICTIONS, ours, target.tolist(), strict=False))
    )
    return (
        '<p class="panel-title">The first five predictions</p><table class="live beside"><thead><tr><th>row</th>'
        f"<th>printed</th><th>here, at the end</th><th>target y</th></tr></thead><tbody>{body}</tbody></table>"
    )


def signs(run: Run) -> str:
    """What the article prints as optimal, what it is, and what it should be."""
    end = PLANE_TABLE[-1]
    body = "".join(
        digits.row(
            [
                name,
                f"{abs(value):.{PRINTED_DIGITS}f}",
                f"{value:+.{PRINTED_DIGITS}f}".replace("-", "−"),
                f"{made:+.1f}".replace("-", "−"),
            ]
        )
        for name, value, made in zip(
            run.experiment.info.parameters, (*end.weight, end.bias), PLANE_OF_DATA, strict=True
        )
    )
    return (
        '<p class="panel-title">“Optimal”, without signs <small>the article prints w.abs() and b.abs()</small></p>'
        '<table class="live beside"><thead><tr><td></td><th>as printed</th><th>with its sign</th><th>in the data</th></tr>'
        f'</thead><tbody>{body}</tbody></table><p class="beneath">Both slopes point the wrong way, and the bias is '
        "negative. Without signs nobody sees it.</p>"
    )


def program(experiment: Experiment) -> str:
    """The article's loop, as it stands there."""
    return (
        '<p class="panel-title">The article’s loop</p>'
        f"<pre><code>for epoch in range({experiment.epochs}):\n"
        f"    y_hat = model(x)\n"
        f"    loss = (({line(experiment.loss)})**2).mean()\n"
        f"    loss.backward()\n"
        f"    w.data -= {written(experiment.learning_rate)} * w.grad\n"
        f"    b.data -= {written(experiment.learning_rate)} * b.grad</code></pre>"
    )


def loop(experiment: Experiment) -> str:
    """The article's loop in five lines, with the rate that it overwrites."""
    first, second = ("0.01", "0.001")
    kept = written(experiment.learning_rate)
    note = "# overwritten" if kept == second else f"# article: {second}"
    return (
        '<p class="panel-title">A rate that never acts</p>'
        f"<pre class=bug><code><s>learning_rate = {first}</s>\n"
        f"for epoch in range({experiment.epochs}):\n"
        f"    learning_rate = {kept}  <i>{note}</i>\n"
        f"    y_hat = model(x)\n"
        f"    loss = (({line(experiment.loss)})**2).mean()</code></pre>"
    )
