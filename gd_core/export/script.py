"""A run as a PyTorch script to take home: complete, commented, and without anything of this project.

It prints the table of epochs that the lab shows, with all digits. A flavour says who takes the step: the rule written
out, or `torch.optim`. Operations stand in the order of `training` and `optimizers`, so that the numbers agree to
rounding; the tests run both flavours of every kind of run, and compare.

No torch here until a script is made, so that the flavours can be offered before it is loaded.
"""

from collections.abc import Mapping
from types import MappingProxyType

from gd_core.export import script_data, script_rules, script_table
from gd_core.export.script_text import WIDTH, Part, in_ascii, joined, listed, plain, quoted
from gd_core.settings import schedules
from gd_core.settings.catalog import model_info
from gd_core.settings.experiment import Experiment, not_known
from gd_core.settings.experiment_fields import COMMON_FIELDS
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.table_fields import with_columns
from gd_core.words import counted

FLAVOURS: Mapping[str, str] = MappingProxyType(
    {
        "by-hand": "The step written out by hand",
        "torch-optim": "The step taken by torch.optim",
    }
)
ROWS = 1000  # of the printed table, at most
NAME = 14  # characters of a column’s name in its head: "raw w10 (…)" has room above a number
KNOWN = (*COMMON_FIELDS, *schedules.FIELDS)  # what a script takes account of


def script(experiment: Experiment, flavour: str) -> str:
    """The run as one file of Python.

    Args:
        experiment: What is trained.
        flavour: A key of FLAVOURS.

    Raises:
        ValueError: If there is no such flavour, or it cannot take these steps; in a sentence.
    """
    body = parts(experiment, flavour)
    head = f'"""{title(experiment)}. {FLAVOURS[flavour]}. From Gradient Descent Lab."""'
    return joined([Part("", head), *body]) + "\n"


def why_not(experiment: Experiment, flavour: str) -> str | None:
    """Why there is no such script, as a sentence; None if there is."""
    if flavour not in FLAVOURS:
        return f"flavour must be one of {', '.join(FLAVOURS)}. Got {flavour}."
    if sentence := not_known(experiment, KNOWN, "in a script") or script_rules.why_not_scheduled(experiment):
        return sentence
    return script_rules.why_not_of_torch(experiment) if flavour == "torch-optim" else None


def parts(experiment: Experiment, flavour: str) -> list[Part]:
    """The sections of the script, in order; the cells of a notebook."""
    if sentence := why_not(experiment, flavour):
        raise ValueError(sentence)
    lines = (script_rules.by_hand if flavour == "by-hand" else script_rules.of_torch)(experiment)
    return [
        Part("", _imports(experiment, lines)),
        *script_table.number_part(experiment),
        *script_data.parts(experiment),
        _settings(experiment, lines),
        _loop(experiment, lines),
    ]


def _imports(experiment: Experiment, lines: script_rules.Lines) -> str:
    """Torch, and what of the standard library a table of one's own takes."""
    needed = ["csv"] if script_table.is_read(experiment) else []
    scaling = model_info(experiment.info.model).scaling if experiment.scale_features else None
    needed += scaling.imports if scaling else ()
    needed += lines.imports
    needed = list(dict.fromkeys(needed))
    return "\n".join([*(f"import {name}" for name in needed), *([""] if needed else []), "import torch"])


def title(experiment: Experiment) -> str:
    """What is trained with what, on one line."""
    rules = list(dict.fromkeys(OPTIMIZER_INFO[phase.optimizer].title for phase in experiment.phases))
    which = " and ".join(rules) if len(rules) < 3 else f"{len(rules)} rules"
    return plain(f"{experiment.info.title}: {which}, {counted(experiment.total_epochs, 'epoch')}")


def stride(epochs: int, rows: int = ROWS) -> int:
    """The smallest of 1, 2, 5, 10, 20 … that leaves so many rows of a table, and the start."""
    return next(n * 10**power for power in range(9) for n in (1, 2, 5) if n * 10**power * rows >= epochs)


def _table(experiment: Experiment) -> list[str]:
    """A row: loss and error over all rows, parameters, and these in raw units where the features are scaled."""
    raw = ", *(to_raw @ theta).tolist()" if experiment.scale_features else ""
    first = []
    if experiment.scale_target:  # too long for one line
        raw, first = ", *raw", ["raw = (to_raw @ theta + offset).tolist()"]
    if experiment.holdout:
        raw += ", judged"
    prediction = script_data.fitted(experiment, "columns")
    whole = "loss" if experiment.updates_per_epoch == 1 else script_data.loss_of(experiment, "columns", "y")
    if experiment.loss_info.is_mean_square:
        lines = [] if whole == "loss" else [f"whole = {whole}  # of all rows"]
        name = "whole" if lines else "loss"
        root = script_data.in_units(experiment, f"{name}.sqrt().item()")
        lines.append(f"row = [{name}.item(), {root}, *theta.tolist(){raw}]")
    else:
        lines = [
            f"rmse = {script_data.in_units(experiment, f'(({prediction} - y) ** 2).mean().sqrt()')}",
            f"row = [{whole}.item(), rmse.item(), *theta.tolist(){raw}]",
        ]
        if len(lines[-1]) > WIDTH - 8 or (experiment.penalty and whole != "loss"):
            lines[-1:] = [f"whole = {whole}", lines[-1].replace(whole, "whole")]
    if experiment.holdout:
        unseen = script_data.fitted(experiment, "unseen")
        judged = script_data.in_units(experiment, f"(({unseen} - judge) ** 2).mean().sqrt().item()")
        if not experiment.patience:  # else it is known by then
            lines.insert(-1, f"judged = {judged}")
    return [*first, *lines, """print(f"{epoch:>8}", *(f"{number!r:>24}" for number in row))"""]


def _settings(experiment: Experiment, lines: script_rules.Lines) -> Part:
    epochs, every = experiment.total_epochs, stride(experiment.total_epochs)
    if experiment.updates_per_epoch == 1:
        code = [f"epochs, every = {epochs}, {every}  # every so many-th is shown", *lines.before]
    else:
        code = [
            f"epochs, updates, every = {epochs}, {experiment.updates_per_epoch}, {every}  # every so many-th epoch is shown",
            *lines.before,
            f"batch_size, shuffle, points = {experiment.batch_size}, torch.Generator().manual_seed({experiment.seed}), []"
            if experiment.shuffle
            else f"batches, points = torch.arange(len(y)).split({experiment.batch_size}), []  # the same in each epoch",
        ]
    if experiment.tolerance:
        code.append(
            f'before, tolerance = float("inf"), {experiment.tolerance!r}  # an epoch that changes the loss by less is the last'
        )
    if experiment.patience:
        first = experiment.total_epochs - experiment.epochs
        code.append(
            f'patience, best, lowest = {experiment.patience}, {first}, float("inf")  # the best epoch, by the held-out rows'
        )
    code += [
        *_too_far(experiment),
        *_names(experiment),
        """print(f"{'epoch':>8}", *(f"{name:>24}" for name in names))""",
    ]
    return Part("The settings, and the head of the table.", "\n".join(code))


def _loss_of_all(experiment: Experiment) -> str:
    whole = script_data.loss_of(experiment, "columns", "y")
    return f"({whole})" if experiment.penalty else whole


def _too_far(experiment: Experiment) -> list[str]:
    """The bound above which a run has diverged."""
    whole, first = script_data.loss_of(experiment, "columns", "y"), []
    if experiment.penalty:  # too long for one line
        whole, first = "first", [f"first = {whole}"]
    return [*first, f"too_far = 1e6 * max(1.0, {whole}.item())  # above it, a run has diverged"]


def _names(experiment: Experiment) -> list[str]:
    """What stands above the columns of the table: of a table of one's own with its columns' names."""
    parameters = map(in_ascii, with_columns(vars(experiment), experiment.info.parameters, NAME))
    names = ["loss", "RMSE", *parameters]
    raw = [f"raw {name}" for name in names[2:] if experiment.is_rescaled]
    held_out = ["held-out RMSE"] if experiment.holdout else []
    line = f"names = [{', '.join(map(quoted, (*names, *raw, *held_out)))}]"
    if len(line) <= WIDTH:
        return [line]
    line = f"names = [{', '.join(map(quoted, names))}]"
    again = ['names += [f"raw {name}" for name in names[2:]]'] if raw else []
    again += ['names.append("held-out RMSE")'] if held_out else []
    return [line if len(line) <= WIDTH else f"names = {listed(map(quoted, names))}", *again]


def _mean(experiment: Experiment) -> list[str]:
    """The mean of the points of the last half of a run in mini-batches that has not diverged: see `averaging`."""
    if experiment.updates_per_epoch == 1:
        return []
    first = experiment.total_epochs - experiment.epochs
    rmse = script_data.in_units(
        experiment, f"(({script_data.fitted(experiment, 'columns')} - y) ** 2).mean().sqrt().item()"
    )
    half = f"points[(len(points) + {1 + first}) // 2 :]"
    return [
        "if loss.item() <= too_far:  # the mean of the points of the last half scatters less: Polyak and Ruppert",
        f"    theta = torch.tensor({half}, dtype=torch.float64).mean(0)",
        f'    print("their mean has RMSE", {rmse}, "at", *theta.tolist())',
    ]


def _still(experiment: Experiment) -> list[str]:
    """Whether the loss of all rows has changed by less than the tolerance in this epoch; earlier phases are not asked."""
    if not experiment.tolerance:
        return []
    first = experiment.total_epochs - experiment.epochs
    asked = f"epoch > {first} and " if first else ""
    if experiment.updates_per_epoch == 1:
        return [f"still, before = {asked}abs(loss.item() - before) < tolerance, loss.item()"]
    return [
        "if turn == 0:",
        f"    now = {_loss_of_all(experiment)}.item()  # of all rows",
        f"    still, before = {asked}abs(now - before) < tolerance, now",
    ]


def _early(experiment: Experiment) -> list[str]:
    """Which epoch has the lowest held-out RMSE, and whether there has been none for longer than the patience."""
    if not experiment.patience:
        return []
    first = experiment.total_epochs - experiment.epochs
    unseen = script_data.fitted(experiment, "unseen")
    judged = script_data.in_units(experiment, f"(({unseen} - judge) ** 2).mean().sqrt().item()")
    lines = [
        f"judged = {judged}",
        f"if {f'epoch >= {first} and ' if first else ''}judged < lowest * (1 - 1e-9):  # less is rounding",
        "    best, lowest, kept = epoch, judged, theta.tolist()",
        "early = epoch - best >= patience",
    ]
    return (
        ["if turn == 0:", *(f"    {line}" for line in lines)] if experiment.updates_per_epoch > 1 else lines
    )


def _loop(experiment: Experiment, lines: script_rules.Lines) -> Part:
    still, early = _still(experiment), _early(experiment)
    ends = f"{'still or ' if still else ''}{'early or ' if early else ''}"
    due = f"{ends}epoch % every == 0 or epoch == epochs"
    if experiment.updates_per_epoch > 1:
        words = "Training. Each epoch shuffles the rows and goes through them, a batch for each update."
        order = ["    batches = torch.randperm(len(y), generator=shuffle).split(batch_size)"]
        if not experiment.shuffle:
            words, order = "Training. Each epoch goes through the rows in order, a batch for each update.", []
        order = ["if turn == 0:", *order, "    points.append(theta.tolist())"]
        due, reached = f"turn == 0 and ({due})", "epoch + (turn > 0)"
        body = [
            *order,
            *lines.turn,
            f"loss = {script_data.loss_of(experiment, 'columns[batches[turn]]', 'y[batches[turn]]')}",
        ]
    else:
        words = "Training. Each epoch takes all rows for one update."
        reached = "epoch"
        body = [*lines.turn, f"loss = {script_data.loss_of(experiment, 'columns', 'y')}"]
    body += [
        "if not loss.item() <= too_far:  # also where it is no number any more",
        f'    print("diverged at epoch", {reached})',
        "    break",
        *still,
        *early,
        f"if {due}:",
        *(f"    {line}" for line in _table(experiment)),
        *(["if still:", '    print("the loss stands still at epoch", epoch)', "    break"] if still else []),
        *(["if early:", '    print("stopped early at epoch", epoch)', "    break"] if early else []),
        *lines.step,
    ]
    head = (
        "for epoch, turn in (divmod(update, updates) for update in range(epochs * updates + 1)):"
        if "turn ==" in due
        else "for epoch in range(epochs + 1):"
    )
    told = _mean(experiment) + (
        ['print("kept is epoch", best, "with the held-out RMSE", lowest, "and theta", kept)'] if early else []
    )
    return Part(words, "\n".join([head, *(f"    {line}" for line in body), *told]))
