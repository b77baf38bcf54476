"""What the lesson of one parameter shows beside its curve, as HTML: the factor, this epoch's step, the spreadsheet."""

import numpy as np

from gd_core.lessons.one_parameter import behaviour
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import shown
from gd_core.training import Epochs
from gd_core.words import digits_beside, significant
from pages.ui.charts.model import RecordedRun, Run
from pages.ui.classroom.picture import Drawn
from pages.ui.player import player

HEADER = ("epoch", "A", "L′(A)", "η · L′(A)", "next A", "loss")


def factor_card(experiment: Experiment, *, revealed: bool) -> str:
    """1 − 18η in large type, where it comes from, and what its sign and its size mean; before the answer only the sum to be done."""
    number = behaviour.factor(experiment.learning_rate)
    here = "; here it is 0, and stays 0" if revealed and experiment.start == (behaviour.OPTIMUM,) else ""
    worth = behaviour.written(number) if revealed else "?"
    sign, size = (
        behaviour.meaning(number)
        if revealed
        else ("does a step jump across −1?", "does the distance shrink or grow?")
    )
    return (
        f'<div class="factor"><p class="sum">1 − 18η <small>= 1 − 18 × {_rate(experiment)} =</small> <b>{worth}</b></p>'
        '<p><span class="why">The slope is 18 (A + 1). </span>'
        f"Every step multiplies the distance to −1 by this{here}.</p>"
        f"<p><b>Sign</b> {sign}</p><p><b>Size</b> {size}</p></div>"
    )


def drawn(recording: Epochs) -> Drawn:
    """Where the point is, epoch by epoch."""
    return Drawn("A by epoch", {"A": recording.epoch_theta[:, 0].tolist()})


def step_line(experiment: Experiment) -> str:
    """The update rule with this epoch's numbers in it."""
    p, g, after = (player.live(column, digits=4, full=True) for column in ("p0", "g0", "next_a"))
    return (
        '<p class="step-line">A ← A − η · L′(A)<br>'
        f"<span>{p} − {_rate(experiment)} × ({g}) = <b>{after}</b></span></p>"
    )


def columns(run: Run) -> dict[str, np.ndarray]:
    """What follows each epoch, for the player: the next A and the loss there; nothing after the last."""
    recording = run.recording
    gone = np.array([np.nan])
    return {
        "next_a": np.append(recording.epoch_theta[1:, 0].numpy(), gone),
        "next_loss": np.append(recording.epoch_loss[1:].numpy(), gone),
        "change": np.append(recording.epoch_loss.diff().abs().numpy(), gone),
    }


def spreadsheet(run: RecordedRun, *, revealed: bool) -> str:
    """A row an epoch. The player shows the rows up to its epoch, and the last of them stands out."""
    recording, rate = run.recording, run.experiment.learning_rate
    a, slope = recording.epoch_theta[:, 0].tolist(), recording.gradient[:, 0].tolist()
    loss = recording.epoch_loss.tolist()
    head = "".join(f'<th scope="col">{name}</th>' for name in HEADER)
    body = ""
    for epoch in range(recording.epochs + 1):
        later = epoch < recording.epochs
        unknown = "" if revealed else "?"
        digits = digits_beside(a[epoch], a[epoch + 1]) if later else 4
        cells = [
            _cell(a[epoch], digits),
            _cell(slope[epoch]),
            _cell(rate * slope[epoch]) if revealed else f"<td>{unknown}</td>",
            _cell(a[epoch + 1], digits) if later else f"<td>{unknown}</td>",
            _cell(loss[epoch]),
        ]
        mark = 'class="lit"' if epoch == 0 else player.lit("epoch", reached=epoch)
        body += (
            f'<tr {mark}><th scope="row" {player.lit("epoch", epoch)}>{epoch}</th>' + "".join(cells) + "</tr>"
        )
    return (
        '<div class="sheet" tabindex="0" role="region" aria-label="The run as a table">'
        f'<table class="live"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cell(number: float, digits: int = 4) -> str:
    """A number in the table; all six digits show where the pointer rests on it."""
    return f'<td title="{significant(number)}">{significant(number, digits)}</td>'


def workbook(experiment: Experiment) -> bytes:
    """The run as an .xlsx file of formulas. Made when it is asked for: its library is loaded then."""
    from gd_core.lessons.one_parameter import spreadsheet

    (start,) = experiment.start
    return spreadsheet.workbook(experiment.learning_rate, float(start), experiment.epochs)


def _rate(experiment: Experiment) -> str:
    """η as it stands in a sum: 1/18, or six digits."""
    text = shown(experiment.learning_rate)
    return text if len(text) <= 12 else significant(experiment.learning_rate)
