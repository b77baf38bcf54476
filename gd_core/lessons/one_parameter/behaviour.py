"""What the point on the parabola (3 + 3A)² does with a learning rate: told from its path, and explained by 1 − 18η.

L′(A) = 18 (A + 1), so a step turns the distance e = A + 1 into e − 18ηe: every step multiplies it by 1 − 18η. The
sign of that factor says on which side the point lands, its size how far from −1.
"""

from enum import StrEnum

import torch
from torch import Tensor

from gd_core.training import DIVERGED_ABOVE, Epochs, Recording
from gd_core.verdict import StepVerdicts
from gd_core.words import brief, counted, short, significant, times

CURVATURE, OPTIMUM = 18.0, -1.0  # L″, and where L′ is 0
LANDED = 1e-3  # of the first distance: a millionth of the loss, which is what `outcome` calls converged
LEVEL = 1e-9  # relative changes of a distance or a loss below it are rounding
ROUNDING = 8 * torch.finfo(torch.float64).eps  # of |A|: what the arithmetic of one step may be off by


class Behaviour(StrEnum):
    """The ways in which the point can go."""

    CLOSER = "closer"
    LANDS = "lands"
    ACROSS = "across"
    BOUNCES = "bounces"
    LEAVES = "leaves"
    STAYS = "stays"


def behaviour_of(recording: Epochs) -> Behaviour:
    """Tell from the signs and sizes of the distances to −1 where the point goes.

    - leaves: it has diverged, or is farther away at the end than at the start.
    - stays: no step has moved it, or it was at −1 to rounding all the time.
    - lands: one step leaves at most a thousandth of the distance.
    - bounces: it changes sides, and every distance is the first one, to nine digits.
    - across: it changes sides, and comes closer.
    - closer: it comes closer and does not change sides.
    """
    place, distance = recording.epoch_theta[:, 0], _distance(recording)
    size = distance.abs()
    rounding = ROUNDING * place.abs().clamp(min=1.0)
    if recording.diverged_at is not None:
        return Behaviour.LEAVES
    if bool((place == place[0]).all()) or bool((size <= rounding).all()):
        return Behaviour.STAYS
    level = LEVEL * size[0] + len(size) * rounding.max()
    if size[-1] > size[0] + level:
        return Behaviour.LEAVES
    if size[1] <= LANDED * size[0] + rounding[0]:
        return Behaviour.LANDS
    seen = size > rounding
    across = bool(((distance[1:] * distance[:-1] < 0) & seen[1:] & seen[:-1]).any())
    if across and bool(((size - size[0]).abs() <= level).all()):
        return Behaviour.BOUNCES
    return Behaviour.ACROSS if across else Behaviour.CLOSER


def factor(learning_rate: float) -> float:
    """1 − 18η, what every step multiplies the distance to −1 by."""
    return 1 - CURVATURE * learning_rate


def written(number: float) -> str:
    """A factor with three digits, or with as many as tell it from −1 and 1."""
    return f"{'−' if number < 0 else ''}{times(abs(number))}"


def meaning(number: float) -> tuple[str, str]:
    """What the sign of the factor says, and what its size says."""
    if number == 0:
        return "zero: a step lands on −1 itself", "0: nothing of the distance is left"
    side = "positive: a step stays on its side of −1" if number > 0 else "negative: a step jumps across −1"
    size = written(abs(number))
    if abs(number) == 1:
        return side, f"{size}: it lands just as far away"
    return side, f"{size}, below 1: the distance shrinks" if abs(
        number
    ) < 1 else f"{size}, above 1: the distance grows"


_TEMPTING = {
    Behaviour.CLOSER: "A short step does stay on its side.",
    Behaviour.LANDS: "One rate, η = 1/18, does land in one step.",
    Behaviour.ACROSS: "A rate between 1/18 and 1/9 does jump across and come closer.",
    Behaviour.BOUNCES: "One rate, η = 1/9, does bounce for ever.",
    Behaviour.LEAVES: "A rate above 1/9 does fly away.",
    Behaviour.STAYS: "Where the slope is 0, at −1, no step moves the point.",
}
_INSTEAD = {
    Behaviour.CLOSER: "This one is below 1/18, so no step passes −1.",
    Behaviour.LANDS: "Here the first step left next to nothing of the distance.",
    Behaviour.ACROSS: "This one is above 1/18, so each step passes −1, and below 1/9, so it lands closer.",
    Behaviour.BOUNCES: "Here each step lands just as far away on the other side.",
    Behaviour.LEAVES: "This one is above 1/9, so each step lands farther away on the other side.",
    Behaviour.STAYS: "Here a step is so short that it is lost in the rounding of A.",
}


def tempting(said: Behaviour, told: Behaviour, recording: Epochs) -> str:
    """Why a wrong answer was tempting, and what it overlooks.

    Args:
        said: The answer.
        told: What the point did.
        recording: The run.
    """
    if told is Behaviour.STAYS and abs(float(_distance(recording)[0])) <= ROUNDING:
        return f"{_TEMPTING[said]} But this start is −1 itself: the slope there is 0."
    return f"{_TEMPTING[said]} {_INSTEAD[told]}"


_STEP = "Epoch {epoch} → {next}: the slope is {g0:4}, so A moves by {d0:4}, to {next_a}, "
_LOSS = {-1: "The loss falls by {change:3}, to {next_loss}.", 0: "The loss stays at {loss}.",
         1: "The loss rises by {change:3}, to {next_loss}."}  # fmt: skip


def of_steps(recording: Epochs) -> StepVerdicts:
    """Say for each step on which side it lands, and whether the loss falls, stays or rises."""
    distance, change = _distance(recording), loss_changes(recording)
    end = "The run ends here." if recording.complete else "This is the start."
    sides = ("on the same side. ", "across −1. ", "which is −1. ")
    templates = [_STEP + side + _LOSS[kind] for side in sides for kind in (-1, 0, 1)]
    still = "Epoch {epoch} → {next}: the slope is {g0:4}, so A moves by {d0:4} and stays at {p0}. The loss stays at {loss}."
    templates += [still, "Epoch {epoch}: A is {p0}, the slope {g0}, the loss {loss}. " + end]
    before, after = distance[:-1], distance[1:]
    there = after.abs() <= ROUNDING * (1 + before.abs())
    side = torch.where(there, 2, torch.where(before * after < 0, 1, 0))
    choice = 3 * side + change + 1
    choice = torch.where(before == after, len(templates) - 2, choice)
    last = torch.tensor([len(templates) - 1])
    return StepVerdicts(tuple(templates), torch.cat([choice, last]).to(torch.int8))


def loss_changes(recording: Epochs) -> Tensor:
    """−1 where a step makes the loss fall, 1 where rise, 0 where it stays the same to nine digits, [E]."""
    before, after = recording.epoch_loss[:-1], recording.epoch_loss[1:]
    change = torch.sign(after - before)
    return torch.where((after - before).abs() <= LEVEL * before, 0, change).long()


def of_run(recording: Recording, learning_rate: float, told: Behaviour) -> str:
    """The whole run in two sentences: what the point did, and the number that explains it."""
    a, loss = float(recording.epoch_theta[-1, 0]), float(recording.epoch_loss[-1])
    start = float(recording.epoch_theta[0, 0])
    size = written(abs(factor(learning_rate)))
    loss = 0.0 if abs(a - OPTIMUM) <= ROUNDING else loss
    end = f"After {counted(recording.epochs, 'epoch')} A is {significant(a)} and the loss {brief(loss)}."
    match told:
        case Behaviour.CLOSER:
            return f"Every step stayed on its side of −1 and multiplied the distance by {size}. {end}"
        case Behaviour.LANDS:
            return f"The first step landed on −1: it left {size} of the distance. {end}"
        case Behaviour.ACROSS:
            return f"Every step jumped across −1 and multiplied the distance by {size}. {end}"
        case Behaviour.BOUNCES:
            return f"Every step jumped across −1 and landed just as far away: the size of 1 − 18η is {size}. {end}"
        case Behaviour.LEAVES:
            why = f"Every step jumped across −1 and multiplied the distance by {size}."
            if recording.diverged_at is None:
                return f"{why} {end}"
            times = " times its first value" if recording.epoch_loss[0] >= 1 else ""
            gone = f"Diverged at epoch {short(recording.diverged_at)}: the loss passed {short(DIVERGED_ABOVE)}{times}."
            return f"{gone} {why}"
        case Behaviour.STAYS:
            step = learning_rate * float(recording.gradient[0, 0])
            if abs(start - OPTIMUM) <= ROUNDING:
                return "The slope at A = −1 is 0, so no step moves the point, whatever the rate."
            return (
                f"The point did not move: a step of {short(step)} is lost in the rounding of {short(start)}."
            )


def _distance(recording: Epochs) -> Tensor:
    """e = A − (−1) at each epoch, [E + 1]."""
    return recording.epoch_theta[:, 0] - OPTIMUM
