"""How well the first layer hears the error, and a network's training in plain words with the numbers that explain it."""

import math
from enum import StrEnum

import torch
from torch import Tensor

from gd_core.lessons.deep_networks.model import flat_loss
from gd_core.lessons.deep_networks.network import ACTIVATION_TITLES
from gd_core.lessons.deep_networks.recorder import DeepRecording
from gd_core.training import DIVERGED_ABOVE
from gd_core.words import brief, counted, short

LEARNT = 0.01  # of a flat line's loss: below it gradients are small because little error is left
QUIET = 1e-4  # gradients of all hidden layers below it are said to be small, and above its inverse, large


class Hearing(StrEnum):
    """The size of layer 1's gradient beside layer L's, and the bound below which it is called so."""

    SILENT = "silent"  # a thousandth or less, or nothing
    LESS = "less"  # up to a tenth
    SAME = "same"  # up to ten times
    MORE = "more"  # up to a thousand times
    EXPLODING = "exploding"


BOUNDS = {Hearing.SILENT: 1e-3, Hearing.LESS: 0.1, Hearing.SAME: 10.0, Hearing.MORE: 1e3}


def hearing(share: float) -> Hearing:
    """What a share ‖∂L/∂W₁‖ / ‖∂L/∂W_L‖ is called; NaN, where both are 0, is silent."""
    if math.isnan(share):
        return Hearing.SILENT
    return next((name for name, bound in BOUNDS.items() if share <= bound), Hearing.EXPLODING)


_TEMPTING = {
    Hearing.SILENT: "Many layers can silence the first: each takes its share of the signal.",
    Hearing.LESS: "A few layers that weaken the signal do that.",
    Hearing.SAME: "Where each layer keeps the signal’s size it is so.",
    Hearing.MORE: "A few layers that strengthen the signal do that.",
    Hearing.EXPLODING: "Large weights in many layers do that.",
}


def tempting(said: Hearing, recording: DeepRecording) -> str:
    """Why a wrong answer about layer 1 was tempting, and the number that it overlooks."""
    steps, back = recording.network.depth - 1, recording.back
    if not steps:
        return f"{_TEMPTING[said]} Here layer 1 is also the last: it is compared with itself."
    if not recording.norms[0, :-1].all():
        return f"{_TEMPTING[said]} Here a gradient is exactly 0: a slope of 0 lets nothing through."
    product = float(back.steps.prod())
    more = (
        ""
        if hearing(product) is hearing(back.share)
        else f", and what goes into the layers {brief(back.inputs)} × that"
    )
    if steps == 1:
        return f"{_TEMPTING[said]} Here the one step back makes {brief(product)} of it{more}."
    return f"{_TEMPTING[said]} Here a step back makes {brief(_mean(back.steps))} of it on average, and {steps} steps {brief(product)}{more}."


# ------------------------------------------------------------------------------------------------- epoch by epoch

AT_EPOCH = "Epoch {epoch}: loss {loss:4}. "


def of_epochs(recording: DeepRecording, *, waiting: bool = False) -> tuple[tuple[str, ...], Tensor]:
    """What is said at each kept epoch: templates, and the number of one for each, [M].

    The places are {epoch}, {loss}, {share}, {first}, the norm of layer 1's gradient, and {largest}, that of the hidden
    layer that has the largest; a number behind a colon says how many digits.
    """
    depth = recording.network.depth
    end = "The training ends here." if recording.complete else "More is coming."
    templates = (
        AT_EPOCH + f"Layer 1’s gradient is {{share:3}} of layer {depth}’s.",
        AT_EPOCH + f"Layer 1’s gradient is {{share:3}} times layer {depth}’s.",
        AT_EPOCH + f"Layer 1 hears next to nothing: its gradient is {{share:3}} of layer {depth}’s.",
        AT_EPOCH + "The only hidden layer has a gradient of {first:3}.",
        AT_EPOCH + "No layer hears much: the largest gradient is {largest:3}.",
        AT_EPOCH + "Layer 1’s gradient is exactly 0.",
        AT_EPOCH + f"Layer 1’s gradient is {{first:3}}, layer {depth}’s is exactly 0.",
        AT_EPOCH + end,
        AT_EPOCH + "This is the start.",
    )
    norms = recording.norms[recording.drawn, :-1]
    share, first = recording.share[recording.drawn], norms[:, 0]
    choice = torch.zeros(len(norms), dtype=torch.int8)
    choice[share > 1] = 1
    choice[share <= BOUNDS[Hearing.SILENT]] = 2
    if depth == 1:
        choice[:] = 3
    choice[(norms.amax(1) < QUIET) & (recording.loss[recording.drawn] > LEARNT * flat_loss())] = 4
    choice[first == 0] = 5
    choice[torch.isinf(share)] = 6
    choice[-1] = 8 if waiting else 7
    return templates, choice


# ------------------------------------------------------------------------------------------------ the whole training


def of_training(recording: DeepRecording) -> str:
    """What layer 1 heard, and what came of it."""
    return " ".join(
        filter(None, (_heard(recording), _all_of_it(recording), _switched_off(recording), _result(recording)))
    )


def _heard(recording: DeepRecording) -> str:
    first, last = float(recording.norms[0, 0]), float(recording.norms[0, -2])
    depth = recording.network.depth
    if depth == 1:
        return f"One hidden layer is first and last at once: its gradient at the start was {brief(first)}."
    if not recording.norms[0, :-1].any():
        return f"Nothing gets through: at the start the gradient of every one of the {depth} layers was exactly 0."
    if first == 0:
        return f"Layer 1 hears nothing at all: at the start its gradient was exactly 0, layer {depth}’s {brief(last)}."
    if last == 0:
        return f"At the start the gradient of layer 1 was {brief(first)}, and layer {depth}’s exactly 0."
    share = first / last
    says = {
        Hearing.SILENT: "Layer 1 hears next to nothing: its",
        Hearing.LESS: f"Layer 1 hears less than layer {depth}: its",
        Hearing.SAME: f"Layer 1 hears about as much as layer {depth}: its",
        Hearing.MORE: f"Layer 1 hears more than layer {depth}: its",
        Hearing.EXPLODING: "The signal explodes on its way back: layer 1’s",
    }[hearing(share)]
    times = f"{brief(share)} times layer {depth}’s" if share > 1 else f"{brief(share)} of layer {depth}’s"
    return f"{says} gradient at the start was {times}."


def _all_of_it(recording: DeepRecording) -> str:
    """Layers that hear the same can all hear nothing: small weights make small numbers on the way to the output."""
    norms = recording.norms[0, :-1]
    quiet, loud = bool(0 < norms.max() < QUIET), bool(norms.min() > 1 / QUIET)
    if recording.network.depth == 1 or not (quiet or loud):
        return ""
    size = "next to nothing" if quiet else "too much"
    forward = brief(_mean(recording.back.forward))
    return (
        f"But all hear {size}: the largest was {brief(float(norms.max()))}. "
        f"On the way to the output a layer multiplies its numbers by {forward}."
    )


def way_back(recording: DeepRecording) -> str:
    """Why layer 1 heard so much: the product of the steps back, in numbers that multiply to the share; "" without steps."""
    back, network = recording.back, recording.network
    if network.depth == 1 or _switched_off(recording):
        return ""
    steps = network.depth - 1
    product = f"weights {brief(_mean(back.weights))} × slopes {brief(_mean(back.slopes))}"
    if network.activation == "sigmoid":
        product += " (a sigmoid’s are at most 0.25)"
    if network.residual:
        product += f" × residual {brief(_mean(back.shortcut))}"
    if network.normalise:
        product += f" × normalisation {brief(_mean(back.standardised))}"
    each = "The step back multiplies the signal by" if steps == 1 else "A step back multiplies the signal by"
    together = f"{steps} steps make {brief(float(back.steps.prod()))}; times" if steps > 1 else "Then times"
    return (
        f"{each} {product} = {brief(_mean(back.steps))}. "
        f"{together} {brief(back.inputs)}, since a gradient is the signal times what goes into its layer."
    )


def _switched_off(recording: DeepRecording) -> str:
    if recording.network.depth == 1 or recording.norms[0, :-1].all():
        return ""
    name = ACTIVATION_TITLES[recording.network.activation]
    return f"Where {name} is flat its slope is exactly 0, and 0 times anything is 0."


def _result(recording: DeepRecording) -> str:
    network, loss = recording.network, recording.loss
    if recording.diverged_at is not None:
        return f"Diverged at epoch {short(recording.diverged_at)}: {_how(recording)}."
    epochs = counted(recording.epochs, "epoch")
    moved = [brief(float(part)) for part in recording.moved]
    others = f", those of layer {network.depth} by {moved[-2]}" if network.depth > 1 else ""
    stopped = "Stopped. " if recording.stopped else ""
    largest = recording.norms[:, :-1].amax(1)
    faded = bool(largest[-1] < QUIET <= largest[0]) and float(loss[-1]) > LEARNT * flat_loss()
    now = (
        f" By now no layer hears much: the largest gradient is {brief(float(largest[-1]))}." if faded else ""
    )
    before, after = brief(float(loss[0])), brief(float(loss[-1]))
    change = (
        f"The loss went from {before} to {after}"
        if before != after
        else f"The loss, {before}, is the same to three digits"
    )
    return (
        f"{stopped}In {epochs} layer 1’s weights changed by {moved[0]} of their size{others}. "
        f"{change}. A flat line has {brief(flat_loss())}.{now}"
    )


def _how(recording: DeepRecording) -> str:
    first = brief(float(recording.loss[0]))
    if not math.isfinite(recording.diverged_loss):
        return f"the loss, {first} at the start, is no number any more"
    times = f" times its first value, {first}" if recording.loss[0] >= 1 else ""
    return f"the loss passed {short(DIVERGED_ABOVE)}{times}"


def _mean(factors: Tensor) -> float:
    """The geometric mean: what each step multiplies by if all did the same."""
    return float(factors.log().mean().exp())
