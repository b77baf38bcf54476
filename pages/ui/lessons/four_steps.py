"""The training loop as four lit cards, the printed errors beside ours, and the player's table of moments."""

from html import escape
from typing import Any

from gd_core.lessons.four_steps import Instants, Sentences, Stage
from gd_core.published import QUADRATIC_RMSE
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import written
from gd_core.words import at_sight, counted, significant
from pages.ui.charts.model import Run
from pages.ui.look import digits, look
from pages.ui.player import player

PANELS = 6  # as the article drew


def names_of(experiment: Experiment) -> tuple[str, ...]:
    """Names of the numbers that are trained; a prime says that they belong to the scaled feature."""
    return experiment.trained_names


def cards(run: Run) -> str:
    """The loop: what each stage does, and its numbers at this moment."""
    experiment = run.experiment
    names = names_of(experiment)
    begin = ", ".join(significant(value, 3) for value in run.problem.start.tolist())
    now = ", ".join(player.live(f"p{i}", digits=4) for i in range(len(names)))
    letters = ", ".join(names)
    diverged = run.recording.diverged_at is not None
    why = "The lab ends a run that blows up." if diverged else "The epochs are counted to their end."
    head = (
        f'<p class="for"><span>{counted(experiment.epochs, "epoch")}, each one</span>'
        f'<span class="tick" {player.lit("inside", 1)}>epoch {player.live("epoch", digits=1)}</span></p>'
    )
    return (
        '<div class="loop" role="group" aria-label="The four steps of training">'
        + _card(
            Stage.INITIALISE,
            "Initialise",
            "Shift and stretch t. Begin anywhere." if experiment.scale_features else "Begin anywhere.",
            f"({letters}) = {begin}",
        )
        + f'<div class="round">{head}<div class="two">'
        + _card(
            Stage.LOSS,
            "Loss",
            "How wrong is the curve?",
            f"RMSE = √loss = {player.live('printed')}",
        )
        + _card(
            Stage.STEP,
            "Step",
            f"Downhill: {written(experiment.learning_rate)} times the slope.",
            f"({letters}) = {now}",
        )
        + "</div></div>"
        + _card(Stage.STOP, "Stop", why, _ending(run))
        + "</div>"
    )


def code(run: Run) -> str:
    """The loop as a program; the lines of the stage at work are lit."""
    experiment = run.experiment
    scale = "t = (t - t.mean()) / t.std(correction=0)\n" if experiment.scale_features else ""
    lines = (
        (Stage.INITIALISE, f"{scale}params = start.clone().requires_grad_()\n"),
        (None, f"for epoch in range({experiment.epochs}):\n"),
        (Stage.LOSS, "    loss = mse_loss(f(t, params), y)\n    print(loss.sqrt())\n"),
        (Stage.STEP, f"    loss.backward()\n    params.data -= {written(experiment.learning_rate)} * params.grad\n"
                     "    params.grad = None\n"),
    )  # fmt: skip
    body = "".join(
        escape(text) if stage is None else f"<span {player.lit('stage', int(stage))}>{escape(text)}</span>"
        for stage, text in lines
    )
    return f'<pre class="program"><code>{body}</code></pre>'


def _card(stage: Stage, title: str, does: str, numbers: str) -> str:
    return (
        f'<div class="stage" role="group" aria-label="{title}" {player.lit("stage", int(stage))}><h2>{int(stage) + 1} {title}</h2>'
        f'<p class="does">{escape(does)}</p><p class="now">{numbers}</p></div>'
    )


def _ending(run: Run) -> str:
    if not run.recording.complete:
        return "RMSE –"
    floor = "0, up to rounding" if run.curvature.floor_is_zero else significant(run.curvature.floor_rmse)
    words = at_sight(f"RMSE {significant(float(run.recording.epoch_rmse[-1]))}, best possible {floor}")
    if run.recording.diverged_at is not None:
        words = f"the loss has blown up at epoch {run.recording.diverged_at}"
    return f'<span class="later" {player.lit("stage", reached=int(Stage.STOP))}>{words}</span>'


def printed_errors(run: Run) -> str:
    """The article's ten errors, ours beside each from the moment it is measured."""
    recording = run.recording
    rmse = recording.epoch_rmse.tolist()
    rows = ""
    for epoch, printed in enumerate(QUADRATIC_RMSE):
        measured = recording.complete and epoch < min(recording.epochs, run.experiment.epochs)
        shown = player.lit("moment", reached=2 * epoch + 1)
        theirs, ours = digits.pair(printed, rmse[epoch] if measured else None, shown=shown)
        rows += digits.row([str(epoch), theirs, ours], player.lit("measured", epoch))
    head = "<tr><th>epoch</th><th>published RMSE</th><th>this run</th></tr>"
    table = f'<table class="live beside"><thead>{head}</thead><tbody>{rows}</tbody></table>'
    return look.wide("Published errors", table) + (
        '<p class="beneath">Underlined digits are the same. The article computed in 32 bits, this run in 64.</p>'
    )


def panels(run: Run) -> list[tuple[int, int]]:
    """Epochs of the small panels, and the moment from which each shows its predictions."""
    return [(epoch, 2 * epoch + 1) for epoch in range(min(PANELS, run.experiment.epochs))]


def numbers(shown: Instants, said: Sentences) -> Any:
    """The player's table: one row a moment."""
    columns: dict[str, Any] = {
        "moment": range(len(shown.stage)),
        "stage": shown.stage,
        "inside": (shown.stage == Stage.LOSS) | (shown.stage == Stage.STEP),
        "epoch": shown.epoch,
        "measured": shown.epoch.where((shown.stage == Stage.LOSS) | (shown.stage == Stage.STEP), -1),
        "rmse": shown.rmse,
        "printed": shown.rmse.where(shown.stage != Stage.STOP, shown.rmse[max(0, len(shown.rmse) - 2)]),
    }
    rose = shown.rmse.diff(prepend=shown.rmse[:1])
    columns |= {"fell": -rose, "rose": rose}
    for i in range(shown.theta.shape[1]):
        columns |= {f"p{i}": shown.theta[:, i], f"q{i}": shown.before[:, i]}
    return player.numbers_of(columns, said.choice)


def titles(shown: Instants) -> list[str]:
    """What each moment is called beside the slider."""
    words = {Stage.INITIALISE: "start", Stage.STOP: "stop"}
    return [
        words.get(Stage(stage)) or f"epoch {epoch} · {Stage(stage).name.lower()}"
        for stage, epoch in zip(shown.stage.tolist(), shown.epoch.tolist(), strict=True)
    ]
