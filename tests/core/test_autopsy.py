"""One step taken apart: three gradients that agree, and the memory of a rule."""

import pytest
import torch

from gd_core.autopsy import autopsy, finite_difference, formula
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment, defaults


def run(dataset="noisy-quadratic", optimizer="gradient-descent", **changes):
    """Experiment, problem and recording."""
    experiment = Experiment(**(defaults(dataset, optimizer) | changes))
    return experiment, build(experiment), record(experiment)


@pytest.mark.parametrize("dataset", ["noisy-quadratic", "two-features", "one-parameter"])
@pytest.mark.parametrize("loss", ["mse", "mse-broadcast"])
def test_formula_and_finite_difference_agree_with_autograd(dataset, loss):
    """At epochs of a run, all three ways give the recorded gradient."""
    experiment, problem, recording = run(dataset, loss=loss, epochs=20)
    parts = autopsy(recording, experiment, problem, [0, 7, 20])
    gradient = recording.gradient[[0, 7, 20]]
    torch.testing.assert_close(parts.formula, gradient, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(parts.finite_difference, gradient, rtol=1e-6, atol=1e-5)


def test_mini_batches_are_taken_apart_on_their_own_rows():
    """The first batch of an epoch is found again, so formula and recorded gradient agree."""
    experiment, problem, recording = run(
        batch_size=6, scale_features=True, learning_rate=0.05, epochs=5, seed=3
    )
    parts = autopsy(recording, experiment, problem, [0, 2, 4])
    torch.testing.assert_close(parts.formula, recording.gradient[[0, 8, 16]])
    whole = formula(problem.objective, recording.theta[8])
    assert not torch.allclose(parts.formula[1], whole), "a batch's gradient is not that of all rows"


def test_the_default_step_of_the_finite_difference_is_a_good_one():
    """Both a far larger and a far smaller step are worse: curvature on one side, rounding on the other."""
    _, problem, _ = run(epochs=1)
    theta = problem.start

    def cubic(point):  # a parabola has no third derivative, so central differences would be exact
        return (point**4).sum() + problem.objective(point)

    class Curved:
        def on(self, rows):
            return cubic

    exact = formula(problem.objective, theta) + 4 * theta**3

    def off(step):
        return float((finite_difference(Curved(), theta, step=step) - exact).abs().max())

    assert off(None) < off(1.0)
    assert off(None) < off(1e-11)
