"""The update rules as lines of a script: written out as a textbook has them, or as `torch.optim` calls them.

What a rule's lines are stands in its entry in `settings.rules`; the operations in the order of `optimizers`, so that both
round alike. The parameters of torch.optim mean what ours mean: its velocity is a plain sum of gradients (no dampening),
its ε stands outside the root.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import Phase
from gd_core.settings.rules import OPTIMIZER_INFO


class Lines(NamedTuple):
    """What goes into the loop of a script.

    Attributes:
        before: Ahead of the loop: settings, memory.
        turn: At the start of an update, where a continued run changes its rule or rate.
        step: From the loss to the next θ.
    """

    before: tuple[str, ...]
    turn: tuple[str, ...]
    step: tuple[str, ...]


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
    return Lines(tuple(before), tuple(turn), step)


def of_torch(experiment: Experiment) -> Lines:
    """The same rules as torch.optim has them.

    Raises:
        ValueError: If it does not have one of them.
    """
    step = ("optimizer.zero_grad()", "loss.backward()", "optimizer.step()")
    if len(experiment.phases) == 1:
        return Lines((f"optimizer = {_optimizer(experiment.phase)}",), (), step)
    rows = [f"    {first}: {_optimizer(phase)}," for first, phase in _firsts(experiment)]
    return Lines(
        ("optimizers = {  # from this epoch on; each begins without a memory", *rows, "}"),
        ("if epoch in optimizers:", "    optimizer = optimizers[epoch]"),
        step,
    )


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
