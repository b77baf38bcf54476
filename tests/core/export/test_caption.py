"""A run's settings in words."""

from dataclasses import replace

import pytest

from gd_core.export.caption import in_a_line, in_words, shared
from gd_core.lessons.deep_networks.network import Network
from gd_core.lessons.deep_networks.network import in_words as network_in_words
from gd_core.settings.experiment import Experiment

QUADRATIC = Experiment.default("noisy-quadratic")
CONTINUED = QUADRATIC.continued(250, optimizer="adam", learning_rate=0.1)


def settings(run):
    return network_in_words(run) if isinstance(run, Network) else in_words(run)


@pytest.mark.parametrize(
    ("run", "line"),
    [
        (
            QUADRATIC,
            "Noisy quadratic, 20 points, noise 5, data seed 2021 · Gradient descent · η = 1e−5 · Batch: all rows · "
            "Features: not scaled · Start: as published · 1,000 epochs",
        ),
        (
            Experiment(
                dataset="one-parameter", points=1, noise=0.0, data_seed=0, optimizer="momentum", learning_rate=1 / 16,
                start=(-2.5,), epochs=40,
            ),
            "One parameter · Momentum, β = 0.9 · η = 0.0625 · Batch: all rows · Features: not scaled · "
            "Start: A = −2.5 · 40 epochs",
        ),
        (
            replace(QUADRATIC, scale_features=True, batch_size=5, seed=3, start="random"),
            "Noisy quadratic, 20 points, noise 5, data seed 2021 · Gradient descent · η = 1e−5 · "
            "Batch: 5 of 20 rows, shuffled with seed 3 · Features: scaled · Start: random, seed 3 · 1,000 epochs",
        ),
        (
            Network(residual=True),
            "20 hidden layers of 32, Sigmoid, with residual connections · First weights: Xavier, seed 0 · "
            "Gradient descent · η = 0.1 · 400 epochs",
        ),
    ],
)  # fmt: skip
def test_a_caption_is_read_without_the_app(run, line):
    """Data, rule, rate, batch, features, start, epochs, with numbers as they were typed."""
    assert in_a_line(settings(run)) == line


@pytest.mark.parametrize(
    ("run", "changes"),
    [
        (QUADRATIC, {"points": 21}), (QUADRATIC, {"noise": 4.0}), (QUADRATIC, {"data_seed": 1}),
        (QUADRATIC, {"holdout": 0.3}), (replace(QUADRATIC, holdout=0.3), {"split_seed": 5}),
        (QUADRATIC, {"loss": "mse-broadcast"}), (QUADRATIC, {"optimizer": "adam"}),
        (QUADRATIC, {"learning_rate": 2e-5}), (QUADRATIC, {"batch_size": 5}), (QUADRATIC, {"scale_features": True}),
        (QUADRATIC, {"start": (0.0, 0.0, 0.0)}), (QUADRATIC, {"epochs": 999}),
        (replace(QUADRATIC, start="random"), {"seed": 1}), (replace(QUADRATIC, batch_size=5), {"seed": 1}),
        (replace(QUADRATIC, optimizer="momentum"), {"momentum": 0.8}),
        (replace(QUADRATIC, optimizer="rmsprop"), {"alpha": 0.8}),
        (replace(QUADRATIC, optimizer="adam"), {"beta1": 0.8}), (replace(QUADRATIC, optimizer="adam"), {"beta2": 0.8}),
        (replace(QUADRATIC, optimizer="adam"), {"epsilon": 1e-3}),
        (replace(QUADRATIC, optimizer="adamw"), {"weight_decay": 0.1}), (CONTINUED, {"before": ()}),
        *((Network(), {name: value}) for name, value in {
            "depth": 3, "width": 8, "activation": "relu", "initialisation": "he", "residual": True, "normalise": True,
            "optimizer": "adam", "learning_rate": 0.3, "epochs": 7, "seed": 5,
        }.items()),
    ],
)  # fmt: skip
def test_what_changes_the_numbers_changes_the_words(run, changes):
    """Two runs that differ in a field that counts have different settings in words."""
    assert settings(replace(run, **changes)) != settings(run)


def test_several_runs_say_once_what_they_share():
    """Of three rates the data stand there once, and each rate under its run's name."""
    runs = {f"Run {n}": replace(QUADRATIC, learning_rate=n / 10) for n in (1, 2, 3)}
    words = shared({name: in_words(run) for name, run in runs.items()})
    assert words["Data"] == in_words(QUADRATIC)["Data"]
    assert "Learning rate" not in words
    assert [words[name] for name in runs] == ["η = 0.1", "η = 0.2", "η = 0.3"]
    assert shared({"One": in_words(QUADRATIC)}) == in_words(QUADRATIC)
    assert shared({}) == {}
