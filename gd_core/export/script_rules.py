"""The update rules as lines of a script: written out as a textbook has them, or as `torch.optim` calls them.

What a rule's lines are stands in its entry in `settings.rules`; the operations in the order of `optimizers`, so that both
round alike. The parameters of torch.optim mean what ours mean: its velocity is a plain sum of gradients (no dampening),
its ε stands outside the root.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from gd_core.export.script_data import below_of
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import Phase
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.schedules import EPOCHS, UPDATES, ScheduleInfo, fixed, is_constant, parts_of


class Lines(NamedTuple):
    """What goes into the loop of a script.

    Attributes:
        before: Ahead of the loop: settings, memory.
        turn: At the start of an update, where a continued run changes its rule or rate.
        step: From the loss to the next θ.
        imports: What of the standard library these take.
    """

    before: tuple[str, ...]
    turn: tuple[str, ...]
    step: tuple[str, ...]
    imports: tuple[str, ...] = ()


def by_hand(experiment: Experiment) -> Lines:
    """The rule of an experiment, or of each of its phases, in the letters of the formula."""
    rules = _once(phase.optimizer for phase in experiment.phases)
    names = _once(name for rule in rules for name in _settings(rule))
    memory = _once(name for rule in rules for name in OPTIMIZER_INFO[rule].memory.values())
    forgotten = [" = ".join([*memory, "torch.zeros_like(theta)"])] if memory else []
    if any(OPTIMIZER_INFO[rule].counts_updates for rule in rules):
        memory, zeros = [*memory, "k"], ["torch.zeros_like(theta)"] * len(memory)
        forgotten = [f"{', '.join(memory)} = {', '.join([*zeros, '0'])}"]
    if len(experiment.phases) == 1:
        before = [
            f"{', '.join(names)} = {', '.join(_number(experiment, name) for name in names)}",
            *forgotten,
        ]
        turn: list[str] = []
        if not is_constant(experiment):
            before.insert(0, f"first_rate = {_number(experiment, 'learning_rate')}")
            turn = [f"learning_rate = first_rate * ({_share(experiment)})"]
    else:
        chosen = ["rule", *names] if len(rules) > 1 else names
        before = [f"phases = {{  # from this epoch on: {', '.join(chosen)}"]
        for first, phase in _firsts(experiment):
            own = [_number(phase, name) if name in _settings(phase.optimizer) else "None" for name in names]
            values = [f'"{phase.optimizer}"', *own] if len(rules) > 1 else own
            before.append(f"    {first}: ({', '.join(values)}{',' if len(values) == 1 else ''}),")
        before.append("}")
        start = "epoch in phases" + (" and turn == 0" if experiment.updates_per_epoch > 1 else "")
        left = f"{', '.join(chosen)}" if len(chosen) > 1 else f"({chosen[0]},)"
        turn = [f"if {start}:", *_indented([f"{left} = phases[epoch]", *forgotten])]
    if any(OPTIMIZER_INFO[rule].over_curvature for rule in rules):
        before = [*_inverse(experiment), *before]
    if len(rules) == 1:
        steps = list(OPTIMIZER_INFO[rules[0]].by_hand)
    else:
        steps = []
        for rule in rules:
            steps += [
                f'{"elif" if steps else "if"} rule == "{rule}":',
                *_indented(OPTIMIZER_INFO[rule].by_hand),
            ]
    step = (
        "loss.backward()  # the slope of the loss along each parameter",
        "gradient, theta.grad = theta.grad, None  # cleared, or backward would add the next one to it",
        "with torch.no_grad():  # a step is not part of the function that is differentiated",
        *_indented(steps),
    )
    return Lines(
        tuple(before), tuple(turn), step, () if is_constant(experiment) else _entry(experiment)[0].imports
    )


def _inverse(experiment: Experiment) -> list[str]:
    """The inverse Hessian of all rows; by the columns' own inverse, which keeps twice the digits of that of H."""
    rows, own = "columns", []
    if experiment.penalty:
        below = below_of(experiment)
        rows, own = (
            "torch.cat([columns, below])",
            [f"below = ({experiment.penalty!r} * len(y)) ** 0.5 * {below}  # the penalty as rows"],
        )
    return [
        *own,
        f"across = torch.linalg.pinv({rows})",
        "inverse = len(y) / 2 * across @ across.T  # of the Hessian, 2/N times the columns' products",
    ]


def _entry(experiment: Experiment) -> tuple[ScheduleInfo, dict[str, Any]]:
    """The schedule of a run of one part, with numbers that do not hang on its length."""
    return parts_of(fixed(experiment, experiment.updates_per_epoch))


def _share(experiment: Experiment, k: str = "") -> str:
    """By which share of the first rate an update is made, as Python; of `k`, or of the loop's own count."""
    info, numbers = _entry(experiment)
    in_updates = experiment.counted_in == UPDATES and experiment.updates_per_epoch > 1
    k = k or ("(epoch * updates + turn)" if in_updates else "epoch")
    if not (warmup := experiment.warmup):
        return info.by_hand.format(k=k, **numbers)
    later = info.by_hand.format(k=f"({k} - {warmup})", **numbers)
    return f"({k} + 1) / {warmup + 1} if {k} < {warmup} else {later}"


def _scheduler(experiment: Experiment) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """What torch.optim has of a schedule: ahead of the loop, at the end of an update, and what that imports."""
    info, numbers = _entry(experiment)
    warmup, after = experiment.warmup, "scheduler.step()"
    if experiment.counted_in == EPOCHS and experiment.updates_per_epoch > 1:
        after = "if turn == updates - 1:  # the rate changes with the epoch\n    scheduler.step()"
    whole = experiment.epochs * (experiment.updates_per_epoch if experiment.counted_in == UPDATES else 1)
    beyond = numbers.get("over", whole) < whole - warmup  # where torch's swings up again, and ours stays
    made, imports = info.torch, ()
    if not made or beyond:
        made, imports = (
            f"LambdaLR(optimizer, lambda k: {info.by_hand.format(k='k', **numbers)})",
            info.imports,
        )
    rate = _number(experiment, "learning_rate")
    made = f"torch.optim.lr_scheduler.{made.format(rate=rate, **numbers)}"
    lines = [f"scheduler = {made}"]
    if warmup:
        linear = f"torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1 / {warmup + 1}, total_iters={warmup})"
        both = f"torch.optim.lr_scheduler.SequentialLR(optimizer, [rises, falls], milestones=[{warmup}])"
        lines = [f"rises = {linear}", f"falls = {made}", f"scheduler = {both}"]
    return tuple(lines), tuple(after.split("\n")), imports


def of_torch(experiment: Experiment) -> Lines:
    """The same rules as torch.optim has them.

    Raises:
        ValueError: If it does not have one of them.
    """
    step = ("optimizer.zero_grad()", "loss.backward()", "optimizer.step()")
    if len(experiment.phases) == 1:
        before = (f"optimizer = {_optimizer(experiment.phase)}",)
        if is_constant(experiment):
            return Lines(before, (), step)
        lines, after, imports = _scheduler(experiment)
        return Lines((*before, *lines), (), (*step, *after), imports)
    rows = [f"    {first}: {_optimizer(phase)}," for first, phase in _firsts(experiment)]
    return Lines(
        ("optimizers = {  # from this epoch on; each begins without a memory", *rows, "}"),
        ("if epoch in optimizers:", "    optimizer = optimizers[epoch]"),
        step,
    )


def why_not_scheduled(experiment: Experiment) -> str | None:
    """Why there is no script of a continued run with a schedule, as a sentence; None if there is."""
    if not experiment.before or all(map(is_constant, experiment.phases)):
        return None
    return "schedule must be constant, without warmup, in a script of a run that was continued. Got another in one of its parts."


def why_not_of_torch(experiment: Experiment) -> str | None:
    """Why torch.optim cannot take the steps, as a sentence; None if it can."""
    rules = (OPTIMIZER_INFO[phase.optimizer] for phase in experiment.phases)
    odd = next((rule.title for rule in rules if rule.torch is None), None)
    return odd and f"flavour must be by-hand: torch.optim has no rule {odd}. Got torch-optim."


def _optimizer(phase: Phase) -> str:
    call = OPTIMIZER_INFO[phase.optimizer].torch
    if call is None:
        raise ValueError(f"optimizer must be one that torch.optim has. Got {phase.optimizer}.")
    numbers = {name: _number(phase, name) for name in _settings(phase.optimizer)}
    moving = call.with_velocity if phase.momentum else ""
    return f"torch.optim.{call.name}([theta], {call.arguments.format(**numbers)}{moving})"


def _firsts(experiment: Experiment) -> Iterable[tuple[int, Phase]]:
    """Each phase with its first epoch."""
    first = 0
    for phase in experiment.phases:
        yield first, phase
        first += phase.epochs


def _settings(optimizer: str) -> tuple[str, ...]:
    return ("learning_rate", *OPTIMIZER_INFO[optimizer].hyperparameters)


def _number(holder: Any, name: str) -> str:
    return repr(float(getattr(holder, name)))


def _once(names: Iterable[str]) -> list[str]:
    """Each name once, in order."""
    return list(dict.fromkeys(names))


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]
