"""The lesson about vanishing and exploding gradients: its question, its examples, its links, its bad inputs."""

from dataclasses import replace

import numpy as np
import pytest
from lesson_page import LessonPage

from gd_core.lessons.deep_networks.network import Network
from gd_core.lessons.deep_networks.recorder import record
from gd_core.lessons.deep_networks.verdict import hearing
from pages.ui.charts.deep_networks import layers

QUICK = {"depth": "3", "width": "4", "epochs": "12", "learning_rate": "0.02"}
CURVE, NORMS, HEAT, LOSS = range(4)


def opened(**query) -> LessonPage:
    return LessonPage("deep_networks", **query)


def quick(**fields) -> Network:
    return replace(Network(depth=3, width=4, epochs=12, learning_rate=0.02), **fields)


# ------------------------------------------------------------------------------------------------- predict first


def test_unanswered_no_gradient_is_shown():
    """One epoch, and no gradient anywhere; after an answer and a change of the network neither."""
    page = opened(**QUICK)
    for _ in range(2):
        player = page.player
        assert [player["templates"][i] for i in player["table"]["template"]] == [
            "Epoch {epoch}: loss {loss:4}. This is the start."
        ]
        norms = page.table(NORMS, "run")
        assert norms.num_rows == 1
        assert {column[0].as_py() for column in norms.columns} == {layers.NO_LOG}
        assert page.table(NORMS, "frame")["shown"][0].as_py() == 0
        assert page.table(HEAT, "cells").num_rows == 0
        assert "data-live" not in page.words
        page.skip().type(width="6")


@pytest.mark.parametrize(
    ("fields", "truth"),
    [
        ({"depth": 12}, "silent"),
        ({"depth": 2, "initialisation": "small", "seed": 5}, None),
        ({"activation": "tanh", "width": 32}, "same"),
        ({"activation": "tanh", "initialisation": "large", "depth": 20, "width": 32}, "exploding"),
        ({"activation": "relu", "initialisation": "small", "depth": 10}, None),
        ({"activation": "relu", "width": 2, "depth": 30, "initialisation": "he"}, "silent"),
        ({"depth": 1}, "same"),
    ],
)
def test_the_truth_is_what_the_run_did(fields, truth):
    """The right answer is told apart by the gradients of this very network at its start."""
    network = quick(**fields)
    share = record(network).share[0]
    expected = hearing(float(share))
    assert truth in (None, expected)
    page = opened(**network.to_query()).answer(str(expected))
    assert page.judged.startswith("You were right: ")
    wrong = "more" if expected != "more" else "less"
    page.press("ask_again").answer(wrong)
    assert page.judged.startswith("You said: ")
    assert "What happened: " in page.judged


# ---------------------------------------------------------------------------------------------------- what is shown


def test_what_is_shown_is_the_recording():
    """Curve, norms, heat map and live numbers are those of the same network trained without a page."""
    network = quick(activation="tanh")
    page = opened(**network.to_query()).skip().finished()
    recording = record(network)
    table = page.player["table"]
    assert table["epoch"].tolist() == list(range(13))
    np.testing.assert_allclose(table["share"], recording.share)
    np.testing.assert_allclose(table["loss"], recording.loss)
    norms = page.table(NORMS, "run")
    for layer in range(4):
        logs = layers.LOG_UNIT * np.array(norms[f"g{layer + 1}"])
        np.testing.assert_allclose(logs, recording.norms[:, layer].log10(), atol=0.51 * layers.LOG_UNIT)
    curves = page.table(CURVE, "run")
    np.testing.assert_allclose(curves["y10"], recording.curves[:, 10], rtol=1e-6)
    cells = page.table(HEAT, "cells")
    assert cells.num_rows == 13 * 4
    last = (np.array(cells["epoch"]) == 12) & (np.array(cells["layer"]) == 2)
    np.testing.assert_allclose(np.array(cells["log"])[last], recording.norms[12, 1].log10(), rtol=1e-5)


def test_the_sentence_says_the_factors():
    """Silent: the share, how far the weights moved, the flat line. The factors of a step back, with the sigmoid's ceiling,
    stand in the box that is closed at first."""
    page = opened(**quick(depth=12).to_query()).skip().finished()
    said = page.player["summary"]
    for part in (
        "Layer 1 hears next to nothing: its gradient at the start was ",
        " of layer 12’s. In 12 epochs layer 1’s weights changed by ",
        "A flat line has 0.492.",
    ):
        assert part in said
    factors = (
        "A step back multiplies the signal by weights ",
        " (a sigmoid’s are at most 0.25) = ",
        "11 steps make ",
        ", since a gradient is the signal times what goes into its layer.",
    )
    assert not any(part in page.words for part in factors)
    asked = opened(**quick(depth=12).to_query(), further="true")
    assert not any(part in asked.words for part in factors)
    page = opened(**quick(depth=12).to_query(), further="true").skip()
    assert all(part in page.words for part in factors)


def test_an_overflow_is_a_result():
    """ReLU with large weights: the start is kept, the chart says how far the curve reaches, the summary at which epoch."""
    network = Network(activation="relu", initialisation="large", learning_rate=0.02, epochs=20)
    page = opened(**network.to_query()).answer("same")
    player = page.player
    assert player["complete"]
    assert player["last"] == 0
    assert "But all hear too much: the largest was 9.03e22." in player["summary"]
    assert "Diverged at epoch 1: the loss, 1.51e22 at the start, is no number any more." in player["summary"]
    assert page.table(CURVE, "run")["reach"][0].as_py() > 1e9
    assert page.table(LOSS, "frame")["y1"][0].as_py() > 1e22


def test_gradients_of_exactly_0_are_said():
    """A ReLU network that is switched off: no logarithm, no division, a sentence."""
    network = quick(activation="relu", initialisation="he", width=2, depth=30)
    page = opened(**network.to_query()).answer("silent").finished()
    assert (
        "Nothing gets through: at the start the gradient of every one of the 30 layers was exactly 0."
        in page.player["summary"]
    )
    assert page.table(HEAT, "cells").num_rows == 0


def test_a_long_run_is_thinned_and_small():
    """30 layers for 2,000 epochs: a curve and gradients at 400 epochs, less than 300 kB of tables in all."""
    page = opened(depth="30", width="2", epochs="2000", activation="tanh").skip().finished()
    assert page.player["stride"] == 5
    assert len(page.player["table"]) == 401
    size = sum(len(dataset.data.data) for chart in page.charts for dataset in chart.datasets)
    assert size < 300_000
    assert "one in 34 epochs drawn" in page.words


# ----------------------------------------------------------------------------------------------- settings and links


def test_the_examples_load_what_they_say():
    """A press on a name is exactly that network, in the address too; the question stands again."""
    page = opened(**QUICK).skip()
    page.press("example_5")
    assert Network.from_query(page.query)[0] == Network(
        activation="relu", initialisation="large", learning_rate=0.02
    )
    assert "guess" not in page.query
    page.press("example_1")
    assert Network.from_query(page.query)[0] == Network(residual=True, normalise=True, learning_rate=0.02)


def test_the_update_rule_is_part_of_the_network():
    """Adam keeps the rate: nothing is tuned behind the student's back."""
    page = opened(**QUICK).choose("optimizer", "adam")
    assert Network.from_query(page.query) == (quick(optimizer="adam"), [])


def test_links_lead_where_they_say():
    """To the same network with the two helpers, to small weights, and to the next lesson."""
    helped, small, after = opened().links
    network, sentences = Network.from_query(helped[2])
    assert (network, sentences) == (Network(residual=True, normalise=True, learning_rate=0.02), [])
    assert Network.from_query(small[2])[0].initialisation == "small"
    assert after[1].endswith("broadcasting")


def test_help_and_titles_fit_the_choices():
    """Every choice in the side bar is one that the network has."""
    page = opened()
    for name in ("activation", "initialisation", "optimizer"):
        box = page.at.selectbox(f"deep_networks.{name}")
        assert box.value == getattr(Network(), name)
        assert len(box.options) >= 3


def test_an_explosion_is_watched():
    """The page plays three epochs of a network that is gone at its first; its own recording ends before the bound."""
    network = quick(
        depth=2, width=32, activation="relu", initialisation="large", learning_rate=10.0, epochs=100
    )
    page = opened(**network.to_query()).skip().finished()
    kept = record(network)
    assert (kept.epochs, kept.diverged_at) == (0, 1)
    assert (page.player["last"], page.player["complete"]) == (3, True)
    assert "Diverged at epoch 1: " in page.player["summary"]
    loss = page.player["table"]["loss"].to_numpy()
    assert loss[0] == pytest.approx(float(kept.loss[0]), rel=1e-6)
    assert (loss[1:] > 1e6 * loss[0]).all()
