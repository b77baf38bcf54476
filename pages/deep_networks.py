"""Lesson: what a deep network's first layer hears."""

from dataclasses import replace
from functools import partial

import streamlit as st

from gd_core.lessons.deep_networks.network import (
    ACTIVATION_TITLES,
    INITIALISATION_TITLES,
    NETWORK_FIELDS,
    RULES,
    Network,
)
from gd_core.settings.rules import OPTIMIZER_INFO
from pages.ui.classroom.picture import Drawn
from pages.ui.look import look, projector
from pages.ui.settings import lesson
from pages.ui.settings.page_settings import PageSettings

QUESTION = lesson.Question(
    "At the start, how large is the gradient of layer 1 beside that of the last layer?",
    {
        "silent": "At most a thousandth",
        "less": "From a thousandth to a tenth",
        "same": "About the same, within × 10",
        "more": "10 to 1,000 times",
        "exploding": "Over 1,000 times",
    },
)
SIGMOID = Network(activation="sigmoid", initialisation="xavier", learning_rate=0.02)
EXAMPLES = {
    "Sigmoid, 20 layers": SIGMOID,
    "Sigmoid, residual, normalised": replace(SIGMOID, residual=True, normalise=True),
    "ReLU with He": replace(SIGMOID, activation="relu", initialisation="he"),
    "tanh with Xavier": replace(SIGMOID, activation="tanh"),
    "tanh, large weights": replace(SIGMOID, activation="tanh", initialisation="large"),
    "ReLU, large weights": replace(SIGMOID, activation="relu", initialisation="large"),
}
WEIGHTS = (
    "Random, normal, with this deviation: 0.1; 1; Xavier √(2/(in + out)); He √(2/in), "
    "where in and out count the numbers that go into a layer and come out."
)
WAY_BACK = r"""
$$h_l = \varphi(z_l) \qquad z_l = W_l\,h_{l-1} + b_l \qquad \delta_{l-1} = \varphi'(z_{l-1}) \odot W_l^\top \delta_l
\qquad \frac{\partial L}{\partial W_l} = \delta_l\,h_{l-1}^\top$$

$h_l$: the numbers that come out of layer $l$. $W_l$: its weights. $\delta_l$: the slope of the loss for each of its sums
$z_l$, called the signal. The chain rule gives $\delta_{l-1}$ from $\delta_l$: times the weights, times the slope
$\varphi'$. So the first layer’s signal is a product with a factor for every layer.
"""
page = PageSettings(
    "deep_networks",
    SIGMOID,
    fields=NETWORK_FIELDS,
    options={"further": lesson.FURTHER},
    views=("further",),
    varies=tuple(NETWORK_FIELDS),
    guesses=tuple(QUESTION.answers),
).open()

lesson.heading(
    "Vanishing and exploding gradients",
    "A layer multiplies numbers by weights, adds them up and bends each sum by a function φ. In a deep network many layers "
    "stand in a row. The slope of the loss is worked out from the last layer back to the first. Each layer multiplies it. What "
    "is left of it at the first?",
)
question = QUESTION._replace(text=QUESTION.text.replace("the last layer", f"layer {page.settings.depth}"))
asked = lesson.predict(page, question, lesson.next_of(page, EXAMPLES))

with look.first_visit():
    from gd_core.lessons.deep_networks import verdict
    from gd_core.lessons.deep_networks.recorder import DeepRecorder, DeepRecording
    from gd_core.recorder import WATCHED
    from pages.ui.charts.deep_networks import curve, layers
    from pages.ui.look.palette import palette
    from pages.ui.player import live_runs, player, tabs
live_runs.settle()
TALL, LOW = projector.height(258, 218), projector.height(178, 208)


def draw(recording: DeepRecording) -> None:
    """The four charts and the player. On a projector the three that move stand in a row, in sight with the player."""
    waiting = not page.revealed
    depth, colours = page.settings.depth, palette(st.context.theme.type)
    left, right, *third = st.columns(3 if projector.on() else 2, gap="medium")
    with left:
        look.panel_title("Data and network")
        tabs.draw(curve.deep_curve(recording, colours, TALL), "deep_curve")
    with right:
        share = "" if waiting or third else f"layer 1 has {player.live('share', digits=3)} × layer {depth}’s"
        look.panel_title("Gradient by layer", share)
        tabs.draw(layers.deep_norms(recording, colours, TALL, waiting=waiting), "deep_norms")
    left, right = (st.container(), third[0]) if third else st.columns(2, gap="medium")
    with left:
        step = layers.heat_step(recording)
        look.panel_title("Gradient by layer and epoch", f"one in {step} epochs drawn" if step > 1 else "")
        tabs.draw(layers.deep_heat(recording, colours, LOW, waiting=waiting), "deep_heat")
    with right:
        look.panel_title("Loss by epoch")
        tabs.draw(curve.deep_loss(recording, colours, TALL if third else LOW), "deep_loss")
    templates, choice = verdict.of_epochs(recording, waiting=waiting)
    with lesson.transport():
        player.put(
            curve.deep_numbers(recording, choice),
            templates,
            "" if waiting else verdict.of_training(recording),
            take=page.take,
            play=page.revealed,
            trained=page.revealed,
            last=recording.epochs,
            planned=page.settings.epochs,
            stride=curve.stride_of(page.settings.epochs),
            note=lesson.waits(page),
            complete=recording.complete,
        )


live_run = live_runs.follow("deep_networks", page.settings, partial(DeepRecorder, at_least=WATCHED))
start = live_run.recording
heard = verdict.hearing(float(start.share[0]))
drawn = partial(Drawn, "Gradient by layer, at the start", {"gradient": start.norms[0].tolist()}, "layer", 1)
asked.judge(lambda: lesson.Judged(heard, lambda said: verdict.tempting(verdict.Hearing(said), start), drawn))
live_runs.stream(live_run, draw, train=page.revealed)
if more := lesson.further(page, "the way back in formulas"):
    with more:
        st.markdown(WAY_BACK)
        if page.revealed:
            st.markdown(verdict.way_back(start))
with st.sidebar:
    page.complaint()
    with st.container(key="networks"):
        for number, (title, network) in enumerate(EXAMPLES.items()):
            st.button(
                title, key=f"example_{number}", on_click=page.load, args=(network,), width="stretch",
                type="primary" if page.settings == network else "secondary",
            )  # fmt: skip
    one, two = st.columns(2)
    with one:
        page.text("depth")
        page.choose("activation", ACTIVATION_TITLES, label="Activation φ")
        page.text("learning_rate")
    with two:
        page.text("width")
        page.choose("initialisation", INITIALISATION_TITLES, label="First weights", help=WEIGHTS)
        page.text("epochs")
    page.switch("residual", label="Residual connections", help="Each layer adds its input to its output.")
    page.switch(
        "normalise", label="Layer normalisation", help="Each output is brought to mean 0, deviation 1."
    )
    page.choose(
        "optimizer",
        {rule: OPTIMIZER_INFO[rule].title for rule in RULES},
        label="Update rule",
        help="Momentum and Adam with their usual settings.",
    )
    page.text("seed")
lesson.closing(
    (
        "On the way back each layer multiplies by its weights and by φ′, the slope of φ. That of a sigmoid is at most 0.25.",
        "With 20 layers that is 19 factors, one after the other. Below 1 they leave next to nothing, above 1 they explode.",
        "Xavier and He draw the first weights so that a factor is near 1. A residual connection adds a way around it.",
    ),
    (
        lesson.Link(
            "20 sigmoid layers, residual and normalised",
            "deep_networks",
            EXAMPLES["Sigmoid, residual, normalised"],
        ),
        lesson.Link(
            "Small weights under ReLU",
            "deep_networks",
            replace(SIGMOID, activation="relu", initialisation="small"),
        ),
    ),
    (page, {"This network": page.settings}),
)
