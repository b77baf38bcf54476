"""Random deep networks, their gradients worked out by hand in NumPy, and the lesson's sentences held against these."""

import itertools
import math
import random
import re
from collections.abc import Iterator

import numpy as np

from gd_core.lessons.deep_networks.model import Deep
from gd_core.lessons.deep_networks.network import Network
from gd_core.lessons.deep_networks.recorder import record
from gd_core.lessons.deep_networks.verdict import QUIET, hearing, of_epochs, of_training, way_back

NUMBER = r"−?[\d.,]*\d(?:e−?\d+)?"
ERF = np.vectorize(math.erf)
# φ(z) and φ′(z)
PHI = {
    "sigmoid": lambda z: (1 / (1 + np.exp(-z)), 1 / (1 + np.exp(-z)) * (1 / (1 + np.exp(z)))),
    "tanh": lambda z: (np.tanh(z), 1 - np.tanh(z) ** 2),
    "relu": lambda z: (np.maximum(z, 0), (z > 0) * 1.0),
    "gelu": lambda z: (
        z * (1 + ERF(z / math.sqrt(2))) / 2,
        (1 + ERF(z / math.sqrt(2))) / 2 + z * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi),
    ),
}


def number(text: str) -> float:
    return math.inf if text == "∞" else float(text.replace("−", "-").replace(",", ""))


def drawn(seed: int, most: int = 12) -> Network:
    """A network as the lesson's widgets can set it."""
    dice = random.Random(seed)
    return Network(
        depth=dice.choice([1, 2, 3, dice.randint(1, 30)]),
        width=dice.choice([2, 4, 8, 32]),
        activation=dice.choice(list(PHI)),
        initialisation=dice.choice(["small", "large", "xavier", "he"]),
        residual=dice.random() < 0.3,
        normalise=dice.random() < 0.3,
        optimizer=dice.choice(["gradient-descent", "momentum", "adam"]),
        learning_rate=10 ** dice.uniform(-6, 0.5),
        epochs=dice.randint(1, most),
        seed=dice.randrange(10_000),
    )


class ByHand:
    """Loss and gradients of a network's weights at θ: forwards, and backwards layer by layer."""

    def __init__(self, network: Network, theta: np.ndarray) -> None:
        x = np.linspace(-1, 1, 64)[:, None]
        y = np.sin(np.pi * x)
        ends, weights, place = [1, *[network.width] * network.depth, 1], [], 0
        for i, o in itertools.pairwise(ends):
            w = theta[place : place + o * i].reshape(o, i)
            weights.append((w, theta[place + o * i : place + o * i + o]))
            place += o * i + o
        h, kept = x, []
        for number_, (w, b) in enumerate(weights[:-1]):
            z = h @ w.T + b
            out, slope = PHI[network.activation](z)
            around = network.residual and number_ > 0
            s = out + h if around else out
            mean, deviation = s.mean(1, keepdims=True), np.sqrt(s.var(1, keepdims=True) + 1e-5)
            after = (s - mean) / deviation if network.normalise else s
            kept.append((h, w, slope, around, after, deviation))
            h = after
        w, b = weights[-1]
        off = h @ w.T + b - y
        self.loss = float((off**2).mean())
        back = 2 * off / len(y)
        self.sizes = [np.linalg.norm(back.T @ h)]
        at_h = back @ w
        for inward, w, slope, around, after, deviation in reversed(kept):
            at_s = at_h
            if network.normalise:
                at_s = (
                    at_h - at_h.mean(1, keepdims=True) - after * (at_h * after).mean(1, keepdims=True)
                ) / deviation
            delta = at_s * slope
            self.sizes.insert(0, np.linalg.norm(delta.T @ inward))
            at_h = delta @ w + (at_s if around else 0)


def _same(said: float, true: float, relative: float = 6e-3) -> bool:
    return said == true or math.isclose(said, true, rel_tol=relative, abs_tol=1e-300)


def wrong(seed: int, most: int = 12) -> Iterator[str]:
    """All that is wrong with what is said of a drawn network."""
    network = drawn(seed, most)
    recording = record(network)
    deep = Deep(network)
    start = deep.start().numpy()
    with np.errstate(all="ignore"):
        by_hand = ByHand(network, start)
    *hidden, _ = by_hand.sizes
    first, last, depth = hidden[0], hidden[-1], network.depth
    text = f"{of_training(recording)} {way_back(recording)}".strip()
    if re.search(r"\b1 (?:steps|epochs|layers)\b|nan|None|[{}]|e\+|\d-\d| -\d", text):
        yield f"form: {text}"
    share = first / last if last else math.inf if first else math.nan
    # the answer, and what the sentence calls it; on a bound either is right
    names = {hearing(share), hearing(share * (1 + 1e-6)), hearing(share * (1 - 1e-6))}
    if hearing(float(recording.share[0])) not in names:
        yield f"answer: {share} {recording.share[0]}"
    bounds = [("hears next to nothing", 0, 1e-3), ("hears less", 1e-3, 0.1), ("hears about as much", 0.1, 10),
              ("hears more", 10, 1e3), ("explodes on its way back", 1e3, math.inf)]  # fmt: skip
    for words, low, high in bounds:
        if words in text and not low * 0.999 <= share <= high * 1.001:
            yield f"hears: {text} {share}"
    said = re.search(rf"gradient at the start was ({NUMBER}|∞)(?: (of|times) layer|\.)", text)
    rounds = 0.5 if share < 1e-12 or share > 1e12 else 6e-3  # a slope that is nearly 0 has lost its digits
    if (
        said
        and said[2]
        and not (_same(number(said[1]), share, rounds) and (said[2] == "times") == (share > 1))
    ):
        yield f"share: {text} {share}"
    if depth > 1 and max(hidden) and not said and not (first == 0 or last == 0):
        yield f"silent: {text} {hidden}"
    if ("Nothing gets through" in text and max(hidden) > 0) or ("hears nothing at all" in text and first > 0):
        yield f"nothing: {text} {hidden}"
    if ("all hear next to nothing" in text) != (depth > 1 and 0 < max(hidden) < QUIET):
        yield f"all quiet: {text} {hidden}"
    if ("slope is exactly 0" in text) != (depth > 1 and min(hidden) == 0):
        yield f"off: {text} {hidden}"
    change = re.search(rf"The loss went from ({NUMBER}|∞) to ({NUMBER}|∞)\. ", text)
    if change and not _same(number(change[1]), by_hand.loss):
        yield f"loss: {text} {by_hand.loss}"
    if change and (change[1] == change[2] or not _same(number(change[2]), float(recording.loss[-1]))):
        yield f"loss: {text} {recording.loss}"
    if "because layer 1’s input is" in text:
        yield f"stock: {text}"
    learnt = float(recording.loss[-1]) < 5e-3
    if "no layer hears much" in text and learnt:
        yield f"quiet because there is no error left: {text}"
    templates, choice = of_epochs(recording)
    for row, epoch in enumerate(recording.drawn.tolist()[:-1]):
        said_now, norms = templates[int(choice[row])], recording.norms[epoch, :-1].numpy()
        now = norms[0] / norms[-1] if norms[-1] else math.nan
        if (f"layer {depth}’s is exactly 0" in said_now) != (norms[-1] == 0 < norms[0]):
            yield f"epoch {epoch}: {said_now} {norms}"
        if "No layer hears much" in said_now and (norms.max() >= QUIET or recording.loss[epoch] < 5e-3):
            yield f"epoch {epoch}: {said_now} {norms}"
        if "next to nothing" in said_now and not now <= 1e-3:
            yield f"epoch {epoch}: {said_now} {now}"
        if ("} times layer" in said_now and not now > 1) or ("} of layer" in said_now and not now <= 1):
            yield f"epoch {epoch}: {said_now} {now}"
        if ("Layer 1’s gradient is exactly 0" in said_now) != (norms[0] == 0):
            yield f"epoch {epoch}: {said_now} {norms}"
