"""What holds for every lesson, whatever it is about: asked, answered, skipped, mistyped and sent a hostile link.

`LESSONS` has one entry a lesson. A new lesson gets every test of this file by its entry there.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import numpy as np
import pytest
from lesson_page import LessonPage

from gd_core.export import record_file
from gd_core.lessons.glossary import ENTRIES, found
from gd_core.lessons.variants.racers import TITLES, USUAL
from gd_core.outcome import Outcome
from gd_core.recorder import record
from gd_core.settings.catalog import DATASET_INFO
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS
from pages.ui.look import navigation
from pages.ui.player import live_runs

Link = Mapping[str, str]
OWN = "The lesson opens with its own settings."
RATE = "Learning rate η must be a number between 1e-18 and 1,000,000."
PLAIN_RULE = "Update rule must be gradient-descent in this lesson. Got adam."
MATCHING = "Loss must be mse in this lesson. Got mse-broadcast."


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question that a lesson asks before a run.

    Attributes:
        link: The run, as its address says it.
        answers: By its key, how each answer is said within a sentence.
        right: The key of the answer that is right for this run.
        told: How the sentence about the run begins, for one who gave no answer.
        changes: What can be typed that makes it another run, so that the question stands again.
        truths: Other runs, and the key of the answer that is right for each.
    """

    link: Link
    answers: Mapping[str, str]
    right: str
    told: str
    changes: Sequence[tuple[str, str]]
    truths: Sequence[tuple[Link, str]] = ()

    @property
    def wrong(self) -> str:
        return next(key for key in self.answers if key != self.right)


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What a lesson is tried with.

    Attributes:
        link: Settings that suit it, as its address says them.
        asked: Its questions; none if it asks none.
        bad: Fields, what is typed into them, and the sentence for it.
        hostile: Links, which replace a part of `link`, and the sentences for them.
    """

    link: Link
    asked: Sequence[Asked] = ()
    bad: Sequence[tuple[str, str, str]]
    hostile: Sequence[tuple[Link, Sequence[str]]]


PARABOLA = {"dataset": "one-parameter", "learning_rate": "0.1", "start": "2.0", "epochs": "40"}
TEN = {"dataset": "noisy-quadratic", "learning_rate": "1e-05", "epochs": "10"}
TEN_SCALED = TEN | {"scale_features": "true", "learning_rate": "0.2"}
PLANE = {
    "dataset": "two-features",
    "points": "20",
    "noise": "3.0",
    "learning_rate": "0.1",
    "start": "2.0,1.0,0.0",
    "epochs": "40",
}
CURVE = {"dataset": "noisy-quadratic", "start": "0.0,0.0,0.0", "learning_rate": "1e-05", "epochs": "40"}
FOUR = {"dataset": "noisy-quadratic", "learning_rate": "0.1", "scale_features": "true", "epochs": "15"}
VALLEY = {"dataset": "noisy-quadratic", "learning_rate": "1e-05", "epochs": "100"}
TWO = {"dataset": "two-features", "learning_rate": "0.1", "epochs": "100"}
RACE = {
    "dataset": "noisy-quadratic",
    "learning_rate": "0.1",
    "scale_features": "true",
    "start": "0.0,0.0,20.0",
    "epochs": "30",
}
TIDE = {"dataset": "tide", "learning_rate": "0.1", "start": "9.0,0.0", "epochs": "400"}
TOP = "11.92022269178752,-2.33292591204991"  # where the slope is 0, by Newton's method
LAYERS = {"depth": "3", "width": "4", "learning_rate": "0.02", "epochs": "12"}
MISTAKE = {"dataset": "two-features", "loss": "mse-broadcast", "learning_rate": "0.001", "epochs": "1000"}
MENDED = {name: text for name, text in MISTAKE.items() if name != "loss"}

LESSONS = {
    "one_parameter": Lesson(
        link=PARABOLA | {"learning_rate": "0.05"},
        asked=[
            Asked(
                link=PARABOLA,
                answers={
                    "closer": "it comes closer from one side",
                    "lands": "one step lands on −1",
                    "across": "it jumps across and comes closer",
                    "bounces": "it bounces for ever",
                    "leaves": "it flies away",
                    "stays": "it stays where it is",
                },
                right="across",
                told="Every step jumped across −1 and multiplied the distance by 0.8.",
                changes=[("learning_rate", "0.05"), ("start", "-3"), ("epochs", "12")],
                truths=[
                    (PARABOLA | {"learning_rate": "0.01"}, "closer"),
                    (PARABOLA | {"learning_rate": repr(1 / 18)}, "lands"),
                    (PARABOLA | {"start": "-7.5", "epochs": "3"}, "across"),
                    (PARABOLA | {"learning_rate": repr(1 / 9), "epochs": "200"}, "bounces"),
                    (PARABOLA | {"learning_rate": "0.12"}, "leaves"),
                    (PARABOLA | {"learning_rate": "0.12", "epochs": "60"}, "leaves"),
                    (PARABOLA | {"learning_rate": "1000000.0", "start": "1000000000.0"}, "leaves"),
                    (PARABOLA | {"learning_rate": "0.12", "start": "-1.0"}, "stays"),
                    (PARABOLA | {"learning_rate": "1e-18"}, "stays"),
                ],
            )
        ],
        bad=[
            ("learning_rate", "", "Learning rate η must be a number. Got nothing. Using 0.05 instead."),
            ("learning_rate", "1/0", "Learning rate η must be a number. Got 1/0. Using 0.05 instead."),
            ("learning_rate", "0", f"{RATE} Got 0. Using 0.05 instead."),
            ("start", "nan", "Start must lie between −1e9 and 1e9. Got A = nan. Using 2 instead."),
            ("start", "1e10", "Start must lie between −1e9 and 1e9. Got A = 10000000000.0. Using 2 instead."),
            ("start", "1, 2", "Start must hold one number (A). Got 2. Using 2 instead."),
            (
                "start",
                "published",
                "Start must be in numbers in this lesson. Got published. Using 2 instead.",
            ),
            ("epochs", "201", "Epochs must be between 1 and 200 in this lesson. Got 201. Using 40 instead."),
            ("epochs", "2.5", "Epochs must be a whole number. Got 2.5. Using 40 instead."),
        ],
        hostile=[
            ({"learning_rate": "x"}, ["Learning rate η must be a number. Got x."]),
            ({"start": "nan"}, ["Start must lie between −1e9 and 1e9. Got A = nan."]),
            ({"start": "random"}, ["Start must be in numbers in this lesson. Got random."]),
            ({"epochs": "1000"}, ["Epochs must be between 1 and 200 in this lesson. Got 1000."]),
            ({"optimizer": "adam"}, [PLAIN_RULE]),
            ({"loss": "mse-broadcast"}, [MATCHING]),
            (
                {"before": "5,gradient-descent,0.1"},
                ["Before must be nothing in this lesson. Got 5,gradient-descent,0.1."],
            ),
            ({"ask": "perhaps"}, ["Ask me first must be one of true, false. Got perhaps."]),
            (
                {"dataset": "noisy-quadratic", "learning_rate": "1e-05"},
                ["Data set must be one-parameter in this lesson. Got noisy-quadratic.", OWN],
            ),
        ],
    ),
    "four_steps": Lesson(
        link=TEN,
        asked=[
            Asked(
                link=TEN,
                answers={
                    "best": "it is the best curve",
                    "near": "it is nearly the best: below 2 × its RMSE",
                    "far": "it is far from the best: above 2 × its RMSE",
                    "worse": "it is worse than the start",
                },
                right="far",
                told="It stopped because 10 epochs were counted. RMSE 18.0377 is 12.3 × the floor 1.46727",
                changes=[("learning_rate", "2e-5"), ("epochs", "12")],
                truths=[
                    (TEN_SCALED, "near"),
                    (TEN_SCALED | {"epochs": "40"}, "best"),
                    (TEN | {"learning_rate": "5e-05"}, "worse"),
                    (TEN | {"learning_rate": "5e-05", "epochs": "20"}, "worse"),
                ],
            )
        ],
        bad=[
            ("learning_rate", "", "Learning rate η must be a number. Got nothing. Using 1e-5 instead."),
            ("learning_rate", "-1", f"{RATE} Got -1. Using 1e-5 instead."),
            ("epochs", "1e3", "Epochs must be a whole number. Got 1e3. Using 10 instead."),
            (
                "epochs",
                "99999",
                "Epochs must be between 1 and 60 in this lesson. Got 99999. Using 10 instead.",
            ),
        ],
        hostile=[
            ({"learning_rate": "fast"}, ["Learning rate η must be a number. Got fast."]),
            ({"epochs": "61"}, ["Epochs must be between 1 and 60 in this lesson. Got 61."]),
            ({"epochs": "0"}, ["Epochs must be a whole number between 1 and 1,000,000. Got 0."]),
            (
                {"dataset": "two-features"},
                ["Data set must be noisy-quadratic in this lesson. Got two-features.", OWN],
            ),
            ({"optimizer": "adam"}, [PLAIN_RULE]),
            ({"loss": "mse-broadcast"}, [MATCHING]),
            ({"batch_size": "5"}, ["Batch size must be 0 in this lesson. Got 5."]),
            (
                {"before": "3,gradient-descent,1e-05"},
                ["Before must be nothing in this lesson. Got 3,gradient-descent,1e-05."],
            ),
            ({"ask": "maybe"}, ["Ask me first must be one of true, false. Got maybe."]),
        ],
    ),
    "gradient": Lesson(
        link=PLANE | {"further": "true"},
        asked=[
            Asked(
                link=PLANE,
                answers={
                    "vanish": "they all shrink to nothing",
                    "cancel": "they stay, but cancel: mean 0",
                    "still": "their mean is not 0 yet",
                    "grow": "they grow longer",
                },
                right="cancel",
                told="For b the bars are 4.17 long on average",
                changes=[("learning_rate", "0.2"), ("start", "1, 2, 3"), ("epochs", "12"), ("noise", "0")],
                truths=[
                    (PLANE | {"noise": "0"}, "vanish"),
                    (PLANE | {"learning_rate": "0.005"}, "still"),
                    (PLANE | {"learning_rate": "0.7"}, "grow"),
                    (CURVE, "still"),
                    (CURVE | {"learning_rate": "5e-05"}, "grow"),
                    (PARABOLA | {"learning_rate": "0.05", "epochs": "20"}, "vanish"),
                    (PARABOLA | {"learning_rate": "0.12", "epochs": "20"}, "grow"),
                ],
            )
        ],
        bad=[
            ("h", "0", "Step size h must be a number between 1e-300 and 1. Got 0. Using 1e-5 instead."),
            (
                "h",
                "-1e-5",
                "Step size h must be a number between 1e-300 and 1. Got -1e-5. Using 1e-5 instead.",
            ),
            ("h", "2", "Step size h must be a number between 1e-300 and 1. Got 2. Using 1e-5 instead."),
            (
                "h",
                "1e-320",
                "Step size h must be a number between 1e-300 and 1. Got 1e-320. Using 1e-5 instead.",
            ),
            ("h", "nan", "Step size h must be a number between 1e-300 and 1. Got nan. Using 1e-5 instead."),
            ("h", "", "Step size h must be a number between 1e-300 and 1. Got nothing. Using 1e-5 instead."),
            ("row", "0", "Row i must be a whole number between 1 and 60. Got 0. Using 15 instead."),
            ("row", "1.5", "Row i must be a whole number between 1 and 60. Got 1.5. Using 15 instead."),
            ("points", "1000", "Points must be between 1 and 60 in this lesson. Got 1000. Using 20 instead."),
            ("epochs", "201", "Epochs must be between 1 and 200 in this lesson. Got 201. Using 40 instead."),
            ("start", "1, 2", "Start must hold 3 numbers (w₁, w₂, b). Got 2. Using 2, 1, 0 instead."),
            (
                "start",
                "1, 2, inf",
                "Start must lie between −1e9 and 1e9. Got b = inf. Using 2, 1, 0 instead.",
            ),
            ("learning_rate", "0", f"{RATE} Got 0. Using 0.1 instead."),
        ],
        hostile=[
            ({"h": "0"}, ["Step size h must be a number between 1e-300 and 1. Got 0."]),
            ({"row": "61"}, ["Row i must be a whole number between 1 and 60. Got 61."]),
            ({"kind": "sideways"}, ["Finite difference must be one of forward, central. Got sideways."]),
            ({"parameter": "4"}, ["Slope for must be one of 1, 2, 3. Got 4."]),
            ({"points": "1000"}, ["Points must be between 1 and 60 in this lesson. Got 1000."]),
            ({"optimizer": "adam"}, [PLAIN_RULE]),
            ({"loss": "mse-broadcast"}, [MATCHING]),
            ({"batch_size": "5"}, ["Batch size must be 0 in this lesson. Got 5."]),
            ({"scale_features": "true"}, ["Scale features must be false in this lesson. Got true."]),
            (
                {"dataset": "zebra"},
                [
                    "Data set must be one of noisy-quadratic, two-features, one-parameter, tide, sea, dose, pass-or-fail, table. Got zebra."
                ],
            ),
        ],
    ),
    "learning_rate": Lesson(
        link=FOUR,
        asked=[
            Asked(
                link=FOUR,
                answers={
                    "1": "run 1",
                    "2": "run 2",
                    "3": "run 3",
                    "4": "run 4",
                    "none": "none: all diverge",
                },
                right="2",
                told="After 15 epochs run 2 is lowest, at RMSE 1.46982; the floor is 1.46727. "
                "Run 4 diverged at epoch 13: along the steepest direction the error grows × 1.8 an epoch.",
                changes=[("epochs", "20")],
            )
        ],
        bad=[
            ("learning_rate", "abc", "Learning rate η must be a number. Got abc. Using 0.1 instead."),
            (
                "percent",
                "0",
                "Rate, in % of the limit must be a number between 0.1 and 1,000. Got 0. Using 99 instead.",
            ),
            (
                "epochs",
                "5000",
                "Epochs must be between 1 and 1,000 in this lesson. Got 5000. Using 15 instead.",
            ),
        ],
        hostile=[
            (
                {"rates": "0.1,x,0.2,0.3"},
                ["Four rates η must be a number between 1e-18 and 1,000,000. Got x."],
            ),
            ({"rates": "0.1,0.2"}, ["Four rates η must hold 4 numbers. Got 2."]),
            (
                {"rates": "0.1,0.2,0.3,inf"},
                ["Four rates η must be a number between 1e-18 and 1,000,000. Got inf."],
            ),
            ({"percent": "0"}, ["Rate, in % of the limit must be a number between 0.1 and 1,000. Got 0."]),
            ({"pick": "5"}, ["A press sets run must be one of 1, 2, 3, 4. Got 5."]),
            ({"ask": "maybe"}, ["Ask me first must be one of true, false. Got maybe."]),
            ({"learning_rate": "-1"}, [f"{RATE} Got -1."]),
            (
                {"dataset": "moon"},
                [
                    "Data set must be one of noisy-quadratic, two-features, one-parameter, tide, sea, dose, pass-or-fail, table. Got moon."
                ],
            ),
            ({"loss": "mse-broadcast"}, [MATCHING]),
            ({"batch_size": "5"}, ["Batch size must be 0 in this lesson. Got 5."]),
            ({"epochs": "5000"}, ["Epochs must be between 1 and 1,000 in this lesson. Got 5000."]),
        ],
    ),
    "landscape": Lesson(
        link=VALLEY,
        asked=[
            Asked(
                link=VALLEY,
                answers={
                    "flat": "the flattest",
                    "middle": "the middle one",
                    "steep": "the steepest",
                    "none": "none: all arrive",
                },
                right="flat",
                told="Still descending after 100 epochs",
                changes=[("learning_rate", "2e-5"), ("epochs", "12"), ("start", "1, 2, 3")],
            ),
            Asked(
                link=VALLEY | {"compare": "true"},
                answers={
                    "without": "without scaling",
                    "scaled": "with scaled features",
                    "same": "both about the same",
                    "none": "neither: both move away",
                },
                right="scaled",
                told="RMSE 18.0256 without scaling, RMSE 1.46727 with; the floor is 1.46727.",
                changes=[("learning_rate", "2e-5"), ("epochs", "12"), ("start", "1, 2, 3")],
                truths=[
                    (VALLEY | {"compare": "true", "learning_rate": "5e-05"}, "none"),
                    (  # only the steep direction is left
                        VALLEY | {"compare": "true", "epochs": "20", "start": "1.30726,-12.0897,48.4982"},
                        "without",
                    ),
                    (TWO | {"compare": "true", "epochs": "5"}, "same"),
                ],
            ),
        ],
        bad=[
            ("more", "1, 2, 3; 4", "More starts must hold 3 numbers. Got 1. Using  instead."),
            (
                "epochs",
                "0",
                "Epochs must be a whole number between 1 and 1,000,000. Got 0. Using 100 instead.",
            ),
            ("start", "1, 2", "Start must hold 3 numbers (a, b, c). Got 2. Using published instead."),
            ("learning_rate", "", "Learning rate η must be a number. Got nothing. Using 1e-5 instead."),
        ],
        hostile=[
            ({"axes": "a,b"}, ["Axes must be one of 1,2, 1,3, 2,3, valley. Got a,b."]),
            ({"arrows": "<b>"}, ["Arrows −∇L must be one of off, unit, log. Got <b>."]),
            ({"slice": "x"}, ["Third parameter must be one of run, optimum. Got x."]),
            ({"click": "6"}, ["A press sets start must be one of 1, 2, 3, 4, 5. Got 6."]),
            ({"compare": "1"}, ["Side by side must be one of true, false. Got 1."]),
            ({"more": "1, 2"}, ["More starts must hold 3 numbers. Got 2."]),
            (
                {"more": "1, 2, x"},
                ["More starts must be a number between -1,000,000,000 and 1,000,000,000. Got x."],
            ),
            (
                {"more": "1, 2, 1e300"},
                ["More starts must be a number between -1,000,000,000 and 1,000,000,000. Got 1e300."],
            ),
            ({"more": "1,2,3;1,2,3;1,2,3;1,2,3;1,2,3"}, ["More starts must hold at most 4 rows. Got 5."]),
            ({"epochs": "2001"}, ["Epochs must be between 1 and 2,000 in this lesson. Got 2001."]),
            ({"points": "5000"}, ["Points must be between 3 and 1,000 in this lesson. Got 5000."]),
            ({"learning_rate": "nan"}, [f"{RATE} Got nan."]),
            ({"optimizer": "adam"}, [PLAIN_RULE]),
            ({"loss": "mse-broadcast"}, [MATCHING]),
            ({"batch_size": "2"}, ["Batch size must be 0 in this lesson. Got 2."]),
            (
                {"before": "250,gradient-descent,1e-05"},
                ["Before must be nothing in this lesson. Got 250,gradient-descent,1e-05."],
            ),
            ({"start": "1.0,2.0"}, ["Start must hold 3 numbers (a, b, c). Got 2."]),
            (
                {"dataset": "one-parameter", "learning_rate": "0.1", "epochs": "40", "guess": "swings"},
                [
                    "Data set must be one of noisy-quadratic, two-features, table in this lesson. Got one-parameter.",
                    OWN,
                ],
            ),
        ],
    ),
    "variants": Lesson(
        link=RACE,
        asked=[
            Asked(
                link={},
                answers={key: f"the first is {TITLES[key]}" for key in USUAL}
                | {"none": "none of them gets there"},
                right="stochastic",
                told="Stochastic is first at RMSE ",
                changes=[("learning_rate", "0.09"), ("epochs", "12"), ("batch_size", "4")],
            ),
            Asked(
                link={"unit": "update", "racers": "batch,stochastic,nesterov"},
                answers={
                    "batch": "the first is Batch",
                    "stochastic": "the first is Stochastic",
                    "nesterov": "the first is Nesterov",
                    "none": "none of them gets there",
                },
                right="nesterov",
                told="Nesterov is first at RMSE ",
                changes=[("rate_nesterov", "0.01"), ("target_rmse", "3")],
            ),
            Asked(  # not scaled, twenty epochs are not enough for anyone
                link={
                    "dataset": "noisy-quadratic",
                    "learning_rate": "3e-06",
                    "epochs": "20",
                    "racers": "batch,stochastic",
                },
                answers={
                    "batch": "the first is Batch",
                    "stochastic": "the first is Stochastic",
                    "none": "none of them gets there",
                },
                right="none",
                told="No one is at RMSE 5.14 after 20 epochs.",
                changes=[("epochs", "19")],
            ),
        ],
        bad=[
            ("learning_rate", "fast", "Learning rate η must be a number. Got fast. Using 0.1 instead."),
            ("epochs", "", "Epochs must be a whole number. Got nothing. Using 30 instead."),
            ("epochs", "151", "Epochs must be between 1 and 150 in this lesson. Got 151. Using 30 instead."),
            ("batch_size", "2.5", "Batch size must be a whole number. Got 2.5. Using 5 instead."),
            (
                "target_rmse",
                "low",
                "Target RMSE must be auto or a number between 1e-12 and 1,000,000. Got low. Using auto instead.",
            ),
            (
                "rate_adam",
                "1e99",
                "Adam must be auto or a number between 1e-18 and 1,000,000. Got 1e99. Using auto instead.",
            ),
        ],
        hostile=[
            (
                {"racers": "batch,snail"},
                [f"Racers must hold only {', '.join(TITLES)}. Got snail."],
            ),
            ({"racers": ""}, ["Racers must hold at least 1. Got 0."]),
            ({"unit": "minutes"}, ["Count in must be one of epoch, update, row. Got minutes."]),
            (
                {"rate_adam": "-1"},
                ["Adam must be auto or a number between 1e-18 and 1,000,000. Got -1."],
            ),
            (
                {"rate_adam": "nan"},
                ["Adam must be auto or a number between 1e-18 and 1,000,000. Got nan."],
            ),
            (
                {"target_rmse": "0"},
                ["Target RMSE must be auto or a number between 1e-12 and 1,000,000. Got 0."],
            ),
            ({"epochs": "100000"}, ["Epochs must be between 1 and 150 in this lesson. Got 100000."]),
            (
                {"learning_rate": "1e5"},
                ["Learning rate η must be between 1e-09 and 100 in this lesson. Got 100000."],
            ),
            ({"batch_size": "1"}, ["Batch size must be between 2 and 20 in this lesson. Got 1."]),
            ({"optimizer": "adam"}, [PLAIN_RULE]),
            ({"loss": "mse-broadcast"}, [MATCHING]),
            (
                {"dataset": "two-features", "points": "1000"},
                ["Points must be between 20 and 40 in this lesson. Got 1000."],
            ),
            ({"small_batches": "maybe"}, ["Rules take mini-batches must be one of true, false. Got maybe."]),
            ({"start": "1,2"}, ["Start must hold 3 numbers (a, b, c). Got 2."]),
            (
                {"before": "5,momentum,1e-5,0.9"},
                ["Before must be nothing in this lesson. Got 5,momentum,1e-05,0.9."],
            ),
            (
                {"dataset": "one-parameter", "learning_rate": "0.1", "epochs": "40"},
                [
                    "Data set must be one of noisy-quadratic, two-features, table in this lesson. Got one-parameter.",
                    OWN,
                ],
            ),
        ],
    ),
    "hills": Lesson(
        link=TIDE,
        asked=[
            Asked(
                link=TIDE,
                answers={
                    "lowest": "in the lowest valley that is known",
                    "higher": "in a higher valley",
                    "saddle": "on a top or a saddle",
                    "none": "in none: it jumps from valley to valley",
                },
                right="higher",
                told="Converged at epoch 225, at RMSE 1.54179. That is a local minimum",
                changes=[
                    ("start", "11, 0"),
                    ("learning_rate", "0.05"),
                    ("epochs", "60"),
                    ("batch_size", "1"),
                ],
                truths=[
                    (TIDE | {"start": "11.0,0.0"}, "lowest"),
                    (TIDE | {"start": "11.92,-2.33"}, "lowest"),
                    (TIDE | {"start": TOP}, "saddle"),
                    (TIDE | {"start": "12.0,-2.0"}, "lowest"),
                    (TIDE | {"start": "12.0,-2.0", "optimizer": "momentum"}, "higher"),
                    (TIDE | {"epochs": "40", "batch_size": "1", "learning_rate": "0.05"}, "lowest"),
                    (TIDE | {"epochs": "40", "batch_size": "1", "learning_rate": "0.5"}, "none"),
                ],
            )
        ],
        bad=[
            ("start", "9", "Start must hold 2 numbers (ω, φ). Got 1. Using 9, 0 instead."),
            ("start", "random", "Start must be in numbers in this lesson. Got random. Using 9, 0 instead."),
            ("learning_rate", "0", f"{RATE} Got 0. Using 0.1 instead."),
            (
                "batch_size",
                "1",
                "Batch size must leave at most 3,000 updates in this lesson. Got 1, which makes 19,600. Using 0 instead.",
            ),
            (
                "epochs",
                "1001",
                "Epochs must be between 1 and 1,000 in this lesson. Got 1001. Using 400 instead.",
            ),
        ],
        hostile=[
            (
                {"optimizer": "adam"},
                ["Update rule must be one of gradient-descent, momentum in this lesson. Got adam."],
            ),
            ({"loss": "huber"}, ["Loss must be mse in this lesson. Got huber."]),
            ({"start": "random"}, ["Start must be in numbers in this lesson. Got random."]),
            ({"points": "1000"}, ["Points must be between 3 and 200 in this lesson. Got 1000."]),
            (
                {"batch_size": "1"},
                ["Batch size must leave at most 3,000 updates in this lesson. Got 1, which makes 19,600."],
            ),
            ({"relief": "1"}, ["In relief must be one of true, false. Got 1."]),
            ({"ends": "yes"}, ["Where starts end must be one of true, false. Got yes."]),
            (
                {"before": "3,gradient-descent,0.1"},
                ["Before must be nothing in this lesson. Got 3,gradient-descent,0.1."],
            ),
            (
                {"dataset": "noisy-quadratic", "learning_rate": "1e-05"},
                ["Data set must be tide in this lesson. Got noisy-quadratic.", OWN],
            ),
        ],
    ),
    "deep_networks": Lesson(
        link=LAYERS,
        asked=[
            Asked(
                link=LAYERS,
                answers={
                    "silent": "at most a thousandth",
                    "less": "from a thousandth to a tenth",
                    "same": "about the same, within × 10",
                    "more": "10 to 1,000 times",
                    "exploding": "over 1,000 times",
                },
                right="less",
                told="Layer 1 hears ",
                changes=[("width", "6"), ("depth", "5"), ("learning_rate", "0.01"), ("seed", "3")],
            )
        ],
        bad=[
            ("depth", "31", "Layers L must be a whole number between 1 and 30. Got 31. Using 3 instead."),
            ("depth", "many", "Layers L must be a whole number between 1 and 30. Got many. Using 3 instead."),
            ("width", "1", "Width must be a whole number between 2 and 64. Got 1. Using 4 instead."),
            (
                "learning_rate",
                "",
                "Learning rate η must be a number between 1e-12 and 1,000. Got nothing. Using 0.02 instead.",
            ),
            (
                "learning_rate",
                "1e999",
                "Learning rate η must be a number between 1e-12 and 1,000. Got 1e999. Using 0.02 instead.",
            ),
            ("epochs", "0", "Epochs must be a whole number between 1 and 2,000. Got 0. Using 12 instead."),
            (
                "seed",
                "-3",
                "Seed must be a whole number between 0 and 4,294,967,295. Got -3. Using 0 instead.",
            ),
        ],
        hostile=[
            ({"depth": "1e9"}, ["Layers L must be a whole number between 1 and 30. Got 1e9."]),
            ({"width": "-1"}, ["Width must be a whole number between 2 and 64. Got -1."]),
            (
                {"activation": "<script>"},
                ["Activation φ must be one of sigmoid, tanh, relu, gelu. Got <script>."],
            ),
            (
                {"initialisation": ""},
                ["First weights must be one of small, large, xavier, he. Got nothing."],
            ),
            (
                {"optimizer": "lion"},
                ["Update rule must be one of gradient-descent, momentum, adam. Got lion."],
            ),
            ({"residual": "maybe"}, ["Residual connections must be one of true, false. Got maybe."]),
            (
                {"learning_rate": "nan"},
                ["Learning rate η must be a number between 1e-12 and 1,000. Got nan."],
            ),
            ({"ask": "perhaps"}, ["Ask me first must be one of true, false. Got perhaps."]),
            # of an Experiment, which means nothing here
            ({"dataset": "two-features", "momentum": "0.5", "points": "10"}, []),
        ],
    ),
    "broadcasting": Lesson(
        link=MISTAKE,
        asked=[
            Asked(
                link=MISTAKE,
                answers={
                    "found": "it finds the plane",
                    "coming": "it is on its way to the plane",
                    "wrong": "it heads for a wrong plane",
                    "grows": "it gets out of hand",
                },
                right="wrong",
                told="The loss fell from 19.91 to 2.801, to w₁ = −0.0371, w₂ = 0.0557, b = −2.99. "
                "RMSE 1.731 is more than 1.578, the RMSE of always predicting the mean of y.",
                changes=[("learning_rate", "0.002"), ("epochs", "12")],
                truths=[
                    (MENDED, "coming"),
                    (MENDED | {"learning_rate": "0.01"}, "found"),
                    (MISTAKE | {"learning_rate": "0.01"}, "wrong"),
                    (MISTAKE | {"learning_rate": "1.5", "epochs": "100"}, "grows"),
                    (MENDED | {"learning_rate": "1.5", "epochs": "100"}, "grows"),
                ],
            )
        ],
        bad=[
            ("learning_rate", "none", "Learning rate η must be a number. Got none. Using 0.001 instead."),
            (
                "epochs",
                "2001",
                "Epochs must be between 1 and 2,000 in this lesson. Got 2001. Using 1000 instead.",
            ),
        ],
        hostile=[
            ({"learning_rate": "<b>"}, ["Learning rate η must be a number. Got <b>."]),
            ({"epochs": "5000"}, ["Epochs must be between 1 and 2,000 in this lesson. Got 5000."]),
            (
                {"dataset": "noisy-quadratic"},
                ["Data set must be two-features in this lesson. Got noisy-quadratic.", OWN],
            ),
            ({"loss": "mae"}, ["Loss must be one of mse, mse-broadcast, absolute, huber, log. Got mae."]),
            ({"loss": "huber"}, ["Loss must be one of mse-broadcast, mse in this lesson. Got huber."]),
            ({"scale_features": "true"}, ["Scale features must be false in this lesson. Got true."]),
            ({"batch_size": "10"}, ["Batch size must be 0 in this lesson. Got 10."]),
            ({"guess": "perhaps", "ask": "no"}, ["Ask me first must be one of true, false. Got no."]),
        ],
    ),
    "glossary": Lesson(
        link={"q": "seed"},
        bad=[
            (
                "q",
                "y" * 100,
                f"Search must be at most 60 characters long. Got {'y' * 39}…. Using seed instead.",
            )
        ],
        hostile=[
            ({"q": "x" * 61}, [f"Search must be at most 60 characters long. Got {'x' * 39}…."]),
            ({"dataset": "noisy-quadratic", "learning_rate": "0.1"}, []),
        ],
    ),
}


def state(page: LessonPage) -> list[Any]:
    """The address, what stands in each field, and how many charts there are."""
    return [page.query, {field.key: field.value for field in page.at.text_input}, len(page.charts)]


def without(name: str, link: Link, sentences: Sequence[str]) -> dict[str, str]:
    """The usual link with this part, but for what there is a sentence about, or all of it if there is none."""
    titles = {field: FIELDS[field].title if field in FIELDS else field for field in link}
    bad = {field for field in link if any(one.startswith(f"{titles[field]} ") for one in sentences)} or set(
        link
    )
    rest = {field: text for field, text in (LESSONS[name].link | link).items() if field not in bad}
    if "in this lesson" in "".join(sentences):  # read, but it does not suit: then it is the lesson's own
        rest |= {field: text for field, text in LessonPage(name, ask="true").query.items() if field in bad}
    if "dataset" in bad and sentences:  # not read: then it is that of all links
        rest["dataset"] = Experiment.default().dataset
    return rest


def words(link: Link) -> str:
    return "&".join(f"{name}={text[:20]}" for name, text in link.items()) or "as it opens"


every_lesson = pytest.mark.parametrize("name", LESSONS)
every_question = pytest.mark.parametrize(
    ("name", "asked"),
    [pytest.param(name, one, id=f"{name}-{words(one.link)}") for name, lesson in LESSONS.items() for one in lesson.asked],
)  # fmt: skip


def test_every_lesson_is_in_the_table():
    """A lesson without an entry here would be tried with nothing."""
    assert list(LESSONS) == list(navigation.LESSONS)


EXPLODES = {  # far above the limit: the loss has passed its bound after the first step
    "one_parameter": PARABOLA | {"learning_rate": "100.0"},
    "four_steps": TEN | {"learning_rate": "1.0"},
    "gradient": PLANE | {"learning_rate": "1000.0"},
    "learning_rate": FOUR | {"rates": "1000.0,1000.0,1000.0,1000.0"},
    "landscape": VALLEY | {"learning_rate": "1.0"},
    "variants": RACE | {"learning_rate": "100.0", "scale_features": "false", "racers": "batch,momentum"},
    "broadcasting": MENDED | {"learning_rate": "1000.0"},
}


@pytest.mark.parametrize("name", EXPLODES)
def test_an_explosion_is_watched(name):
    """Three epochs are played, each of them higher, and the verdict names the first as the one that is beyond the bound."""
    player = LessonPage(name, **EXPLODES[name]).skip().player
    assert player["complete"]
    assert player["last"] == (2 * 3 + 1 if name == "four_steps" else 3)
    table = player["table"]
    (column, *_) = [one for one in table if one in ("rmse", "rmse0", "loss") or re.fullmatch(r"r\d", one)]
    assert (np.diff(np.log(table[column].dropna().unique())) > 5).all()
    assert table[column].nunique() == 4
    assert re.search("(diverged|blew up) at epoch 1|diverged: batch at epoch 1", player["summary"].lower())


def test_what_is_only_to_watch_is_not_recorded():
    """A on its parabola after n steps is −1 + 3 (1 − 18η)ⁿ; the record ends before the bound, as on the command line."""
    experiment = Experiment.from_query(EXPLODES["one_parameter"])[0]
    run, _, finding = live_runs.played(experiment)
    theirs = -1 + 3 * (1 - 18 * 100.0) ** np.arange(4.0)
    assert run.recording.epoch_theta[:, 0].numpy() == pytest.approx(theirs, rel=1e-12)
    assert (finding.outcome, finding.epoch) == (Outcome.DIVERGED, 1)
    kept = live_runs.as_recorded(run).recording
    assert kept.epochs == 0
    assert record_file.to_json(experiment, kept) == record_file.to_json(experiment, record(experiment))


# ------------------------------------------------------------------------------------------------ predict first


@every_lesson
def test_the_table_says_which_lessons_ask(name):
    """A question stands on the page just where the table has one."""
    page = LessonPage(name)
    assert bool(page.answers) == bool(LESSONS[name].asked)
    assert any(button.key == "skip" for button in page.at.button) == bool(LESSONS[name].asked)


@every_question
def test_unanswered_nothing_of_the_run_is_shown(name, asked):
    """One epoch, the start, in a player that rests; nothing is judged, and all answers are there to choose from."""
    page = LessonPage(name, **asked.link)
    assert page.complaints == []
    assert page.answers == list(asked.answers)
    player = page.player
    assert (player["trained"], player["play"], player["last"], player["summary"]) == (False, False, 0, "")
    assert len(player["table"]) == 1
    assert "guess" not in page.query


@every_question
def test_unanswered_nothing_tells_the_answer(name, asked):
    """What to notice, what follows from a zone or a floor, and the other runs' names come with the verdict."""
    page = LessonPage(name, **asked.link)
    shown = page.words.split("<style>")[0] + "".join(
        element.proto.body for element in page.at.get("html") if "<style>" not in element.proto.body
    )
    assert "That comes with the end of the run." in shown
    assert 'class="judged"' not in shown
    assert page.player["note"].startswith("Answer the question, or skip it.")
    words = {
        "four_steps": ["rests at 18.04", "1.467", "best possible"],
        "gradient": ["never vanish"],
        "learning_rate": ["of the limit", "slow", "zigzags", "diverges", "about right"],
        "landscape": ["epochs to within", "then has to wait"],
        "hills": ["starts found", "best known", "a hair beside it each step", "is a bowl"],
        "deep_networks": ["0.25"],
        "broadcasting": ["bug", "mistake", "mended", "√ of the minimised loss", " differences"]
        if asked.link == MISTAKE
        else [],
    }
    assert [one for one in words.get(name, []) if one in shown] == []
    charts = [page.table(number, "frame").to_pylist()[0] for number in range(len(page.charts))]
    if name in ("four_steps", "broadcasting", "learning_rate", "variants"):
        hidden = [frame[key] for frame in charts for key in ("floor", "truth", "optimum") if key in frame]
        assert hidden
        assert all(value != value for value in hidden)
    page.skip()
    assert "That comes with the end of the run." not in page.words
    assert page.player["note"] in ("", page.player["note"].replace("Answer the question", ""))


@every_lesson
def test_a_lesson_knows_its_place(name):
    """Its number among all stands over its heading, and one button leads to the next; after the last, to Train."""
    page, names = LessonPage(name), list(LESSONS)
    number = names.index(name) + 1
    assert f"<small>Lesson {number} of {len(names)}</small>" in page.words
    label, target, _ = page.links[-1]
    following = names[number] if number < len(names) else "train"
    assert (target or "train") == following
    assert label == (
        f"Next: lesson {number + 1}, {navigation.LESSONS[following]}"
        if number < len(names)
        else "Train: try it yourself"
    )
    assert [where for _, where, query in page.links if where == following and not query] in ([following], [])


@every_lesson
def test_the_glossarys_words_are_links_where_they_first_occur(name):
    """Each leads to its card, and none stands twice."""
    page = LessonPage(name)
    links = re.findall(r"glossary\?q=([^\"\)]*)", page.prose)
    assert len(links) == len(set(links))
    assert bool(links) == (name not in ("glossary",))
    for link in links:
        assert [entry.term for entry in ENTRIES if entry.term == unquote_plus(link)]
        assert found(unquote_plus(link))


@every_question
def test_a_right_answer_is_told_at_the_end(name, asked):
    """The run is there and plays, and is judged first; whoever is sent its address sees the same."""
    page = LessonPage(name, **asked.link).answer(asked.right)
    assert (page.player["trained"], page.player["play"]) == (True, True)
    assert page.judged == f"You were right: {asked.answers[asked.right]}."
    assert page.why == ""
    assert page.player["summary"].startswith(asked.told)
    assert page.query["guess"] == asked.right
    again = LessonPage(name, **page.query)
    assert again.query == page.query
    assert again.finished().player["summary"] == page.finished().player["summary"]
    assert again.judged == page.judged


@every_question
def test_a_wrong_answer_is_told_with_the_truth(name, asked):
    """In the question's own box: what was said, what happened, and a line on why it was tempting; both are marked there.

    The player does not say it again, and another run is offered.
    """
    page = LessonPage(name, **asked.link)
    labels = {key: page.at.button(f"{name} answer {key}").label for key in asked.answers}
    page.answer(asked.wrong)
    said, truth = asked.answers[asked.wrong], asked.answers[asked.right]
    assert page.judged == f"You said: {said}. What happened: {truth}."
    assert page.why.endswith(".")
    marks = {key: page.marks[label] for key, label in labels.items()}
    assert marks == {key: [] for key in labels} | {asked.wrong: ["wrong", "said"], asked.right: ["right"]}
    assert page.player["summary"].startswith(asked.told)
    assert not page.answers
    page.press("predict_another")
    assert page.answers
    assert "guess" not in page.query


@every_question
def test_who_does_not_guess_is_not_judged(name, asked):
    """Skipped, or not asked at all, or with an answer that is none of these: the run, or the question, and no judgement."""
    skipped = LessonPage(name, **asked.link).skip()
    assert skipped.query["guess"] == "skip"
    for page in (skipped, LessonPage(name, **asked.link, ask="false")):
        assert (page.player["trained"], page.player["play"]) == (True, True)
        assert page.finished().player["last"] > 0
        assert page.player["summary"].startswith(asked.told)
        assert page.judged == f"What happened: {asked.answers[asked.right]}."
    page = LessonPage(name, **asked.link, guess="<b>zebra")
    assert (page.player["trained"], page.complaints) == (False, [])
    assert "guess" not in page.query


@every_question
def test_a_change_asks_again(name, asked):
    """Another run is another question: the answer is gone, and so is the run, until it is answered or skipped."""
    page = LessonPage(name, **asked.link).answer(asked.right)
    for field, text in asked.changes:
        page.type(**{field: text})
        assert page.complaints == []
        assert (page.player["trained"], page.player["summary"]) == (False, ""), field
        assert "guess" not in page.query, field
        page.skip()
        assert page.player["trained"], field


@every_question
def test_asking_can_be_turned_off(name, asked):
    """The switch stands in the address; then every run is shown at once, also after a change."""
    page = LessonPage(name, **asked.link).switch("ask", False)
    assert page.query["ask"] == "false"
    assert page.player["trained"]
    take = page.player["id"]
    for field, text in asked.changes:
        page.type(**{field: text})
        assert page.query["ask"] == "false"
        assert (page.player["trained"], page.player["play"]) == (True, True), field
        assert page.player["id"] != take, field
        take = page.player["id"]


@pytest.mark.parametrize(
    ("name", "answers", "link", "truth"),
    [
        pytest.param(name, asked.answers, link, truth, id=f"{name}-{words(link)}")
        for name, lesson in LESSONS.items() for asked in lesson.asked for link, truth in asked.truths
    ],
)  # fmt: skip
def test_the_truth_is_what_the_run_did(name, answers, link, truth):
    """Other settings have another right answer; when the question is asked again, another answer is corrected."""
    page = LessonPage(name, **link).answer(truth)
    assert page.judged.startswith("You were right: ")
    page.press("ask_again")
    assert not page.player["trained"]
    other = next(key for key in reversed(answers) if key != truth)
    page.answer(other)
    assert page.judged == f"You said: {answers[other]}. What happened: {answers[truth]}."
    assert page.why.endswith(".")


# ------------------------------------------------------------------------------------------------ typed and sent


def visited(name):
    """The lesson with the settings of the table, its run shown to its end: a network trains in slices of time."""
    page = LessonPage(name, **LESSONS[name].link)
    return page.skip().finished() if LESSONS[name].asked else page


def of_the_run(page):
    """Whether it is shown, whether it would be played anew, and the sentence about it; nothing where nothing is asked."""
    return [page.player[part] for part in ("trained", "id", "summary")] if LESSONS[page.name].asked else []


@pytest.mark.parametrize(
    ("name", "field", "text", "sentence"),
    [
        pytest.param(name, *bad, id=f"{name}-{bad[0]}={bad[1][:20]}")
        for name, lesson in LESSONS.items() for bad in lesson.bad
    ],
)  # fmt: skip
def test_a_bad_value_gets_one_sentence_and_loses_nothing(name, field, text, sentence):
    """It stays in its field; address, answer and run are what they were with the last good value."""
    page = visited(name)
    before, shown = page.query, of_the_run(page)
    page.type(**{field: text})
    assert page.complaints == [sentence]
    assert page.text(field) == text
    assert page.query == before
    assert of_the_run(page) == shown


@every_lesson
def test_each_field_says_its_own_sentence(name):
    """Bad values in several fields at once, and of one field only the last one; good ones take the sentences away."""
    page = visited(name)
    before, shown = page.query, of_the_run(page)
    sentences = {field: sentence for field, _, sentence in LESSONS[name].bad}
    good = {field: page.text(field) for field in sentences}
    for field, text, _ in LESSONS[name].bad:
        page.type(**{field: text})
    assert sorted(page.complaints) == sorted(sentences.values())
    assert (page.query, of_the_run(page)) == (before, shown)
    page.type(**good)
    assert page.complaints == []
    assert (page.query, of_the_run(page)) == (before, shown)


@pytest.mark.parametrize(
    ("name", "link", "sentences"),
    [
        pytest.param(name, link, sentences, id=f"{name}-{words(link)}")
        for name, lesson in LESSONS.items() for link, sentences in lesson.hostile
    ],
)  # fmt: skip
def test_a_hostile_link_costs_its_bad_value_alone(name, link, sentences):
    """A sentence with the name, the rule and the value; then the lesson is as if that value were not in its link.

    A link for another data set gets the lesson as it opens.
    """
    usual = LESSONS[name].link
    if OWN in sentences:
        page, expected = LessonPage(name, **link), LessonPage(name, ask="true")
    else:
        page, expected = (LessonPage(name, **one) for one in (usual | link, without(name, link, sentences)))
    assert page.complaints == sentences
    assert state(page) == state(expected)
    if LESSONS[name].asked:
        assert not page.player["trained"]
        page.skip()
        assert page.player["trained"]
        assert page.player["summary"]


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, lesson in LESSONS.items()
        if DATASET_INFO[lesson.link.get("dataset", "one-parameter")].knobs
    ],
)
def test_a_lesson_says_what_it_does_with_held_out_rows(name):
    """It trains the other rows and says so; one press takes all rows, and the sentence is gone."""
    page = LessonPage(name, **LESSONS[name].link | {"points": "20", "holdout": "0.3"})
    captions = [element.value for element in page.at.caption]
    assert any(text.startswith("6 rows of the data are held out") for text in captions)
    page.press("use_all_rows")
    assert "holdout" not in page.query
    assert not any("held out" in element.value for element in page.at.caption)
