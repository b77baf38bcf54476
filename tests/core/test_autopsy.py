"""One step taken apart: three gradients that agree, and the memory of a rule."""

import pytest
import torch

from gd_core.autopsy import autopsy, finite_difference, formula
from gd_core.experiment import Experiment, defaults
from gd_core.problem import build
from gd_core.recorder import record

TORCH = {
    "momentum": (lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9), {"v": "momentum_buffer"}),
    "nesterov": (
        lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True),
        {"v": "momentum_buffer"},
    ),
    "adagrad": (lambda p: torch.optim.Adagrad(p, lr=0.02), {"s": "sum"}),
    "rmsprop": (lambda p: torch.optim.RMSprop(p, lr=0.02), {"s": "square_avg"}),
    "adam": (lambda p: torch.optim.Adam(p, lr=0.02), {"m": "exp_avg", "s": "exp_avg_sq"}),
}


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


@pytest.mark.parametrize("optimizer", TORCH)
def test_memory_is_that_of_torch(optimizer):
    """What our rule remembers after update k is what `torch.optim` keeps in its state."""
    experiment, problem, recording = run(
        optimizer=optimizer, scale_features=True, learning_rate=0.02, epochs=12
    )
    parts = autopsy(recording, experiment, problem, [0, 5, 11])
    theta = problem.start.clone().requires_grad_()
    make, names = TORCH[optimizer]
    optimiser = make([theta])
    seen = {}
    for k in range(12):
        optimiser.zero_grad()
        problem.objective(theta).backward()
        optimiser.step()
        seen[k] = {ours: optimiser.state[theta][theirs].clone() for ours, theirs in names.items()}
    assert set(parts.memory) == set(names)
    for ours in names:
        before, after = parts.memory[ours]
        torch.testing.assert_close(
            after, torch.stack([seen[k][ours] for k in (0, 5, 11)]), rtol=1e-10, atol=1e-12
        )
        torch.testing.assert_close(before[1], seen[4][ours], rtol=1e-10, atol=1e-12)
        assert not before[0].any()


def test_gradient_descent_remembers_nothing():
    """A rule without memory shows none."""
    experiment, problem, recording = run(epochs=3)
    assert autopsy(recording, experiment, problem, [0, 3]).memory == {}


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
