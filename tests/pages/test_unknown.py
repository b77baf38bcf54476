"""What a page does not know it refuses: it shows nothing of another model or rule in its place."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from known_fields import offer

from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.catalog import DATASET_INFO, LOSS_INFO, MODEL_INFO, loss_info
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of, why_no_theory
from pages.ui.charts.elements import prediction
from pages.ui.charts.error import error
from pages.ui.charts.fit import agreement, along, fit
from pages.ui.charts.model import Run, centre_of_curve, parameters_of_curve
from pages.ui.lessons import gradient
from pages.ui.look.palette import LIGHT
from pages.ui.player import tabs
from pages.ui.train import panels
from pages.ui.train.panels import formula_of, gradient_of

PROBLEM = build(Experiment.default())


class Settings(SimpleNamespace):
    """An experiment with something in it that nobody knows."""

    @property
    def loss_info(self):
        """As an experiment's own."""
        return loss_info(self.loss)


def run_of(experiment, **changes):
    """A trained run that says it is another’s."""
    problem = build(experiment)
    run = Run(experiment, problem, curvature_of(problem.objective), record(replace(experiment, epochs=2)))
    info = replace(experiment.info, **changes)
    shown: Any = Settings(
        **{name: getattr(experiment, name) for name in ("dataset", "holdout", "points", "loss")}
    )
    shown.info, shown.total_epochs = info, 2
    shown.training_rows, shown.held_out_rows = experiment.training_rows, 0
    return replace(run, experiment=shown)


def test_an_unknown_model_has_neither_formula_nor_curve():
    """Neither those of a straight line."""
    info = SimpleNamespace(model="exponential", parameters=("a", "b"))
    unknown: Any = Settings(info=info, loss="mse")
    for use in (
        lambda: formula_of(unknown),
        lambda: gradient_of(unknown),
        lambda: why_no_theory(unknown),
        lambda: prediction("exponential", "now"),
        lambda: parameters_of_curve("exponential", PROBLEM, PROBLEM.start),
        lambda: centre_of_curve("exponential", PROBLEM),
        lambda: fit(run_of(Experiment.default(), model="exponential"), LIGHT, 300),
        lambda: agreement(run_of(Experiment.default("two-features"), model="exponential"), LIGHT, 300),
        lambda: along(run_of(Experiment.default("two-features"), model="exponential"), 0, LIGHT, 300),
        lambda: gradient.written_out(run_of(Experiment.default(), model="exponential"), 1),
    ):
        with pytest.raises(ValueError, match="Got exponential"):
            use()


def test_of_several_features_only_a_plane_is_drawn(monkeypatch):
    """Of another model neither its predictions as if it were one, nor a line along a feature: the page says so."""
    monkeypatch.setitem(MODEL_INFO, "bent", replace(MODEL_INFO["quadratic"], terms=None))
    run = run_of(Experiment.default("two-features"), model="bent")
    sentence = panels._why_not_drawn(run)
    assert sentence
    assert "only a plane is drawn" in sentence
    assert panels._why_not_drawn(run_of(Experiment.default("two-features"))) is None
    assert panels._why_not_drawn(run_of(Experiment.default(), model="bent")) is None
    for chart in (lambda: agreement(run, LIGHT, 300), lambda: along(run, 1, LIGHT, 300)):
        with pytest.raises(ValueError, match="Got bent"):
            chart()
    with pytest.raises(ValueError, match="Got bent"):
        gradient.written_out(run, 1)


def test_an_unknown_loss_has_neither_gradient_nor_line():
    """Nor is it taken for the mean squared error, whose root the RMSE is."""
    unknown: Any = Settings(info=DATASET_INFO["noisy-quadratic"], loss="log-cosh")
    run = run_of(Experiment.default())
    vars(run.experiment)["loss"] = "log-cosh"
    for use in (lambda: gradient_of(unknown), lambda: why_no_theory(unknown), lambda: error(run, LIGHT, 200)):
        with pytest.raises(KeyError, match="log-cosh"):
            use()


def test_a_loss_that_is_no_square_has_no_theory(monkeypatch):
    """Then neither the model’s Φ makes it a parabola."""
    monkeypatch.setitem(LOSS_INFO, "log-cosh", replace(LOSS_INFO["mse"], squared=False))
    offer(monkeypatch, "loss", "log-cosh")
    reason = why_no_theory(Experiment(loss="log-cosh"))
    assert reason
    assert reason.startswith("The loss is no squared error")


def test_an_unknown_rule_has_no_step():
    """Nor Adam's."""
    unknown: Any = SimpleNamespace(experiment=SimpleNamespace(optimizer="sign", learning_rate=0.1))
    with pytest.raises(KeyError, match="sign"):
        tabs._update_line(unknown, "a", 0)
