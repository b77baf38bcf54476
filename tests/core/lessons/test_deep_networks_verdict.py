"""What is said of a deep network: which words for which numbers, and numbers that add up."""

import math
import re

import pytest
import torch
from true_deep_networks import wrong

from gd_core.lessons.deep_networks.network import Network
from gd_core.lessons.deep_networks.recorder import DeepRecorder, record
from gd_core.lessons.deep_networks.verdict import (
    QUIET,
    Hearing,
    hearing,
    of_epochs,
    of_training,
    tempting,
    way_back,
)
from gd_core.words import brief


@pytest.mark.parametrize(
    ("share", "name"),
    [
        (math.nan, "silent"),
        (0.0, "silent"),
        (1e-300, "silent"),
        (1e-3, "silent"),
        (1.01e-3, "less"),
        (0.1, "less"),
        (0.11, "same"),
        (1.0, "same"),
        (10.0, "same"),
        (10.1, "more"),
        (1e3, "more"),
        (1.01e3, "exploding"),
        (math.inf, "exploding"),
    ],
)
def test_every_share_has_a_name(share, name):
    """The bounds of the answers, both sides of each; nothing over nothing is silent."""
    assert hearing(share) is Hearing(name)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (0.09123, "0.0912"),
        (7.0456e-14, "7.05e−14"),
        (23393.0, "23,400"),
        (558934.2, "559,000"),
        (999.96, "1,000"),
        (1234567.0, "1.23e6"),
        (2e22, "2e22"),
        (math.inf, "∞"),
    ],
)
def test_numbers_are_brief(number, text):
    """Three digits, a comma after the thousands, an exponent from a million on."""
    assert brief(number) == text


NETWORKS = [
    Network(depth=8, width=8, epochs=5),
    Network(depth=8, width=8, epochs=5, activation="tanh", initialisation="large"),
    Network(depth=5, width=8, epochs=5, residual=True, normalise=True),
    Network(depth=9, width=16, epochs=5, activation="gelu", normalise=True),
    Network(depth=2, width=4, epochs=5, activation="relu", initialisation="he"),
]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_numbers_in_the_sentence_multiply(network):
    """The factors to the step, the step to the steps, and these times the inputs to the share at its beginning."""
    one = record(network)
    said = f"{of_training(one)} {way_back(one)}".replace("−", "-").replace(",", "")
    number = r"([\d.e-]*\d)"
    share, times = re.search(rf"gradient at the start was {number} (of|times) layer", said).groups()
    product, step = re.search(rf"multiplies the signal by (.*?) = {number}\.", said).groups()
    factors = [float(found) for found in re.findall(rf"[a-z] {number}", product.replace("at most 0.25", ""))]
    assert len(factors) == 2 + network.residual + network.normalise
    assert math.prod(factors) == pytest.approx(float(step), rel=0.02)
    steps = network.depth - 1
    inputs = float(re.search(rf"times {number} since", said)[1])
    if steps > 1:
        together = float(re.search(rf"{steps} steps make {number};", said)[1])
        assert float(step) ** steps == pytest.approx(together, rel=0.005 * steps + 0.01)
        assert together * inputs == pytest.approx(float(share), rel=0.02)
    assert times == ("times" if float(share) > 1 else "of")


def test_nobody_hears_although_all_hear_the_same():
    """Small weights under ReLU: layer 1 is no worse off than the last, and the sentence says that all are."""
    network = Network(depth=20, activation="relu", initialisation="small", epochs=1)
    said = of_training(record(network))
    assert "Layer 1 hears about as much as layer 20" in said
    assert "But all hear next to nothing: the largest was " in said
    assert "On the way to the output a layer multiplies its numbers by 0.3" in said


@pytest.mark.parametrize(
    ("network", "part"),
    [
        (
            Network(depth=1, epochs=2),
            "One hidden layer is first and last at once: its gradient at the start was ",
        ),
        (Network(depth=20, epochs=120, learning_rate=0.05, width=8), "By now no layer hears much: "),
        (
            Network(depth=2, activation="relu", learning_rate=10.0, epochs=300),
            ": the loss passed 1,000,000.",
        ),
        (
            Network(depth=20, activation="relu", initialisation="large", epochs=3, learning_rate=1e-9),
            "Diverged at epoch 1: the loss, ",
        ),
        (
            Network(depth=30, width=2, activation="relu", initialisation="he", epochs=2),
            "Where ReLU is flat its slope is exactly 0, and 0 times anything is 0. In 2 epochs layer 1’s weights changed by 0 of their size",
        ),
    ],
)
def test_what_came_of_it_is_said(network, part):
    """One layer, a flat line, an overflow, a switched-off network: each has its sentence."""
    assert part in of_training(record(network))


def test_a_stopped_training_says_so():
    """Stopped by hand."""
    recorder = DeepRecorder(Network(depth=2, width=4))
    recorder.stop()
    assert "Stopped. In 0 epochs " in of_training(recorder.recording())


def test_the_sentence_of_an_epoch_fits_its_numbers():
    """Silent, of, times, no layer: chosen by the share and the largest gradient at that very epoch; the last is the end."""
    recording = record(Network(depth=20, epochs=80, learning_rate=0.02))
    templates, choice = of_epochs(recording)
    largest = recording.norms[recording.drawn, :-1].amax(1)
    share = recording.share[recording.drawn]
    for epoch in range(80):
        said = templates[int(choice[epoch])]
        assert ("No layer hears much" in said) == bool(largest[epoch] < QUIET)
        if largest[epoch] >= QUIET:
            assert ("next to nothing" in said) == bool(share[epoch] <= 1e-3)
    assert "The training ends here." in templates[int(choice[-1])]
    assert {"No layer" in templates[int(one)] for one in choice[:-1]} == {True, False}


def test_while_it_waits_or_trains_the_last_epoch_says_so():
    """Before the answer it is the start; while it is trained, more is coming."""
    recording = DeepRecorder(Network(depth=2, width=4)).recording()
    templates, choice = of_epochs(recording, waiting=True)
    assert templates[int(choice[0])].endswith("This is the start.")
    templates, choice = of_epochs(recording)
    assert templates[int(choice[0])].endswith("More is coming.")
    assert torch.equal(recording.drawn, torch.tensor([0]))


@pytest.mark.parametrize("seeds", [range(25), range(25, 50)], ids=["first", "second"])
def test_what_is_said_of_a_network_is_true(seeds):
    """Which layer hears nothing, the shares, the loss: backpropagation written out in NumPy agrees, over random networks."""
    assert {seed: found for seed in seeds if (found := list(wrong(seed, most=4)))} == {}


@pytest.mark.parametrize(
    "network",
    [
        Network(depth=20, epochs=1),
        Network(depth=1, epochs=1),
        Network(depth=2, epochs=1, activation="tanh"),
        Network(depth=20, epochs=1, activation="relu", initialisation="he"),
        Network(depth=12, epochs=1, activation="tanh", initialisation="large"),
        Network(depth=3, width=4, epochs=1, residual=True, normalise=True),
        Network(depth=30, width=2, activation="relu", initialisation="he", epochs=1),
    ],
)
def test_a_wrong_answer_hears_the_product_that_it_overlooks(network):
    """The step to the power of their number is the product; with the inputs' part it is the share of the two gradients."""
    recording = record(network)
    share = float(recording.norms[0, 0] / recording.norms[0, -2])
    for guess in {*Hearing} - {hearing(share)}:
        line = tempting(guess, recording)
        shown = re.search(
            r"makes (\S+) of it on average, and (\d+) steps (\S+?)(?:, and what goes into the layers (\S+) × that)?\.$",
            line,
        )
        if network.depth < 3 or not recording.norms[0, :-1].all():
            assert ("compared with itself" in line) == (network.depth == 1)
            assert ("exactly 0" in line) == (network.depth > 1 and not recording.norms[0, :-1].all())
            continue
        assert shown
        step, product, more = (
            float(text.replace(",", "").replace("−", "-")) for text in (shown[1], shown[3], shown[4] or "1")
        )
        assert int(shown[2]) == network.depth - 1
        assert step ** (network.depth - 1) == pytest.approx(product, rel=0.005 * network.depth)
        assert hearing(product * more) is hearing(share)
        if shown[4]:
            assert product * more == pytest.approx(share, rel=0.02)
