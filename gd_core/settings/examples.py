"""Runs worth looking at: the published ones, some that work, and some that fail, each with the reason. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from gd_core.settings.engines import LOOP
from gd_core.settings.experiment import Experiment, defaults


@dataclass(frozen=True)
class Example:
    """An experiment with a name and the reason to look at it."""

    group: str
    title: str
    reason: str
    settings: Mapping[str, Any]

    @cached_property
    def experiment(self) -> Experiment:
        """It, made when it is asked for: one on a table reads the table."""
        return Experiment(**self.settings)


def _example(
    group: str, title: str, reason: str, dataset: str, optimizer: str = "gradient-descent", **changes: Any
) -> Example:
    return Example(group, title, reason, defaults(dataset, optimizer) | changes)


PUBLISHED, WORKS, FAILS = "As published", "Works", "Fails on purpose"

# a curve that can bend more than its rows say: seven to train on, four held out
OVERFITS: Mapping[str, Any] = MappingProxyType(
    {
        "table": "anscombe", "target": "y1", "features": ("x",), "degree": 5, "points": 11, "holdout": 0.4,
        "scale_features": True, "learning_rate": 0.04, "epochs": 5000,
    }
)  # fmt: skip

EXAMPLES: tuple[Example, ...] = (
    _example(
        WORKS,
        "Scaled features",
        "Time is scaled first. The curve finds the data.",
        "noisy-quadratic",
        scale_features=True,
        learning_rate=0.01,
        epochs=1000,
    ),
    _example(
        WORKS,
        "Scaled, best rate",
        "The rate that theory names. Forty epochs are enough.",
        "noisy-quadratic",
        scale_features=True,
        learning_rate=0.3579,
        epochs=40,
    ),
    _example(
        WORKS,
        "Two features, good rate",
        "Half the limit. The plane is found in twenty epochs.",
        "two-features",
        learning_rate=0.5,
        epochs=20,
    ),
    _example(
        WORKS,
        "Stopped in time",
        "A curve of degree 5 through seven rows. The held-out rows say when to stop.",
        "table",
        **OVERFITS,
        patience=100,
    ),
    _example(
        WORKS,
        "With an L2 penalty",
        "The same curve with λ = 0.1: small weights bend less, and the held-out error falls.",
        "table",
        **OVERFITS,
        penalty=0.1,
    ),
    _example(
        WORKS,
        "One step",
        "The rate 1/18 is one over the curvature. One step lands on the optimum.",
        "one-parameter",
        learning_rate=1 / 18,
        epochs=10,
    ),
    _example(
        WORKS,
        "Momentum overtakes",
        "The point swings past the optimum, and arrives before plain descent at this rate.",
        "noisy-quadratic",
        "momentum",
        scale_features=True,
        learning_rate=0.02,
        epochs=200,
    ),
    _example(
        WORKS,
        "A network of two units",
        "Its two tanh units begin nearly alike. They part, and each draws one side of the hill.",
        "dose",
        "adam",
        learning_rate=0.05,
        epochs=1000,
    ),
    _example(
        WORKS,
        "An outlier bends the line",
        "The square of one far row weighs more than ten on a line: the slope is 0.5 instead of 0.345.",
        "table",
        table="anscombe",
        target="y3",
        features=("x",),
        points=11,
        scale_features=True,
        learning_rate=0.1,
        epochs=60,
    ),
    _example(
        WORKS,
        "An outlier that bends nothing",
        "Ten rows on a line and one far off. Huber’s loss lets no row pull harder than δ, and finds the line of the ten.",
        "table",
        table="anscombe",
        target="y3",
        features=("x",),
        points=11,
        loss="huber",
        delta=0.1,
        scale_features=True,
        learning_rate=1.0,
        epochs=200,
    ),
    _example(
        PUBLISHED,
        "Noisy quadratic, 10 epochs",
        "RMSE “stable at 18.04”. The optimum is 1.467: the rest lies along a slow direction.",
        "noisy-quadratic",
        learning_rate=1e-5,
        epochs=10,
    ),
    _example(
        PUBLISHED,
        "Two features, shape mistake",
        "The loss compares every prediction with every target. The slopes run to 0.",
        "two-features",
        loss="mse-broadcast",
        engine=LOOP,
        learning_rate=1e-3,
        epochs=1000,
    ),
    _example(
        PUBLISHED,
        "Two features, mended",
        "The same run with matching shapes heads for 1.3, −1 and −3.5.",
        "two-features",
        learning_rate=1e-3,
        epochs=1000,
    ),
    _example(
        PUBLISHED,
        "One parameter, rate 0.1",
        "A “good standard starting value” that overshoots: the error changes sign in every step.",
        "one-parameter",
        learning_rate=0.1,
        epochs=40,
    ),
    _example(
        FAILS,
        "Diverges",
        "The rate is 1.4 × the limit. The steepest direction grows in every epoch.",
        "noisy-quadratic",
        learning_rate=5e-5,
        epochs=1000,
    ),
    _example(
        FAILS,
        "Just above the limit",
        "0.3 % too much. At first the error looks flat. It grows all the same.",
        "noisy-quadratic",
        learning_rate=3.55e-5,
        epochs=100,
    ),
    _example(
        FAILS,
        "Bounces for ever",
        "Exactly at the limit 1/9, the point jumps from side to side and never arrives.",
        "one-parameter",
        learning_rate=1 / 9,
        epochs=40,
    ),
    _example(
        FAILS,
        "Single rows",
        "Each update sees one row. The point hovers around the optimum and never rests.",
        "noisy-quadratic",
        scale_features=True,
        batch_size=1,
        learning_rate=0.05,
        epochs=100,
    ),
    _example(
        FAILS,
        "Jumps over the kink",
        "The slope of the absolute error does not shrink near the bottom, so a fixed rate never rests. A smaller one hovers closer.",
        "table",
        table="anscombe",
        target="y3",
        features=("x",),
        points=11,
        loss="absolute",
        scale_features=True,
        learning_rate=0.2,
        epochs=100,
    ),
    _example(
        FAILS,
        "Stuck in a valley",
        "This loss has many valleys, and a run only knows the one it is in. Click on the map for another start.",
        "tide",
        learning_rate=0.1,
        epochs=400,
    ),
    _example(
        FAILS,
        "Nothing happens: a saddle",
        "A network of two units starts with all its parameters at 0. Each slope is exactly 0, so no step is ever taken.",
        "dose",
        start=(0.0,) * 6,
        epochs=100,
    ),
    _example(
        FAILS,
        "Two units that stay alike",
        "Both start with the same numbers, so they hear the same slopes for ever: two units draw what one can. A saddle again.",
        "dose",
        start=(0.5, 0.5, 0.2, 0.2, 0.3, 0.3),
        epochs=2000,
    ),
    _example(
        FAILS,
        "Crawls",
        "The best rate in the long run pays only after millions of epochs.",
        "noisy-quadratic",
        learning_rate=3.5398e-5,
        epochs=1000,
    ),
)

OPENING = EXAMPLES[0]  # what the page opens with
