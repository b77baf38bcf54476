"""The network of two tanh units. Oracles: torch's own layers, derivatives by hand in NumPy, and torch.optim."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from units import gradient, hessian_by_hand, loss

from gd_core.landscape import (
    Window,
    box_of,
    lines_on,
    losses_on,
    place_on,
    sliced_at,
    typed_place,
)
from gd_core.models import TwoLayer
from gd_core.objective import value_and_gradient
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import hessian

DOSE = Experiment.default("dose")
places = st.lists(st.floats(-5, 5), min_size=6, max_size=6)
problem_of = cache(build)


def rows_of(experiment=DOSE):
    data = problem_of(experiment).dataset
    return data.x.numpy()[:, 0], data.y.numpy()[:, 0]


@given(places)
def test_loss_gradient_and_curvature_are_those_worked_out_by_hand(theta):
    """At any place, to 1e-12 of their size."""
    (x, y), objective, at = rows_of(), problem_of(DOSE).objective, torch.tensor(theta, dtype=torch.float64)
    value, slopes = value_and_gradient(objective, at)
    size = 1 + np.abs(theta).max() ** 2
    np.testing.assert_allclose(value, loss(theta, x, y), rtol=1e-12)
    np.testing.assert_allclose(slopes, gradient(theta, x, y), rtol=1e-12, atol=1e-12 * size)
    np.testing.assert_allclose(
        hessian(objective, at), hessian_by_hand(theta, x, y), rtol=1e-12, atol=1e-11 * size
    )


@given(places)
def test_it_is_what_torchs_layers_make(theta):
    """Two `nn.Linear` with tanh between them, the second without a bias: the same loss and gradients, to 1e-12."""
    data, (w, b, v) = problem_of(DOSE).dataset, torch.tensor(theta, dtype=torch.float64).view(3, 2)
    hidden, out = nn.Linear(1, 2).double(), nn.Linear(2, 1, bias=False).double()
    with torch.no_grad():
        hidden.weight[:, 0], hidden.bias[:], out.weight[0] = w, b, v
    theirs = nn.functional.mse_loss(out(hidden(data.x).tanh()), data.y)
    value, slopes = value_and_gradient(problem_of(DOSE).objective, torch.cat([w, b, v]))
    grads = torch.autograd.grad(theirs, (hidden.weight, hidden.bias, out.weight))
    grads = torch.cat([grad.flatten() for grad in grads])
    torch.testing.assert_close(value, theirs.detach(), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(slopes, grads, rtol=1e-12, atol=1e-12 * float(1 + grads.abs().max()))


@given(places, st.permutations(range(2)), st.lists(st.sampled_from((-1.0, 1.0)), min_size=2, max_size=2))
def test_units_may_change_places_and_signs(theta, order, signs):
    """Eight places of θ are one curve: its units in any order, each with all its signs flipped."""
    other = (np.reshape(theta, (3, 2)) * signs)[:, order].ravel()
    objective = problem_of(DOSE).objective
    first, second = (objective(torch.tensor(one, dtype=torch.float64)) for one in (np.array(theta), other))
    assert float(first) == pytest.approx(float(second), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_at_0_every_slope_is_0_and_it_is_a_saddle(seed):
    """Exactly 0, each of the six, and the run stays; the loss falls off and rises from there, by ±2√(mean(xy)² + mean(y)²)."""
    still = replace(DOSE, start=(0.0,) * 6, data_seed=seed, epochs=50)
    (x, y), problem = rows_of(still), build(still)
    assert value_and_gradient(problem.objective, problem.start)[1].tolist() == [0.0] * 6
    assert record(still).epoch_theta.abs().max() == 0
    steep = 2 * np.hypot(np.mean(x * y), np.mean(y))
    curvatures = torch.linalg.eigvalsh(hessian(problem.objective, problem.start))
    np.testing.assert_allclose(curvatures, [-steep, -steep, 0, 0, steep, steep], atol=1e-12)


def test_a_number_of_units():
    """More of them: the names follow, and ŷ is their sum."""
    model = TwoLayer(3)
    assert model.parameter_names == ("w₁", "w₂", "w₃", "b₁", "b₂", "b₃", "v₁", "v₂", "v₃")
    with torch.no_grad():
        for part, values in zip(model.parameters(), ([1, 2, 3], [0, 1, -1], [1, -1, 2]), strict=True):
            part[:] = torch.tensor(values)
    made = np.tanh(0.5) - np.tanh(2.0) + 2 * np.tanh(0.5)
    assert model(torch.tensor([[0.5]], dtype=torch.float64)).item() == pytest.approx(made, rel=1e-15)


@pytest.mark.parametrize("rule", ["gradient-descent", "momentum", "adam"])
def test_a_run_is_that_of_torch_optim(rule):
    """Every epoch's parameters, to 1e-9."""
    experiment = replace(Experiment.default("dose", rule), learning_rate=0.05, epochs=100)
    problem = build(experiment)
    theta = problem.start.clone().requires_grad_()
    makers = {
        "gradient-descent": lambda p: torch.optim.SGD(p, 0.05),
        "momentum": lambda p: torch.optim.SGD(p, 0.05, momentum=0.9),
        "adam": lambda p: torch.optim.Adam(p, 0.05),
    }
    optimizer, points = makers[rule]([theta]), []
    x, y = problem.dataset.x, problem.dataset.y[:, 0]
    for _ in range(101):
        points.append(theta.detach().clone())
        optimizer.zero_grad()
        w, b, v = theta.view(3, 2)
        nn.functional.mse_loss(torch.tanh(x * w + b) @ v, y).backward()
        optimizer.step()
    torch.testing.assert_close(record(experiment).epoch_theta, torch.stack(points), rtol=1e-9, atol=1e-12)


def test_its_map_is_a_slice_and_a_click_starts_on_it():
    """Each knot by NumPy, the other four parameters as given; what is typed is the place, and the others with seven digits."""
    (x, y), through = rows_of(), torch.tensor([0.5, 0.25, -1.0, 1.5, 0.3, 1 / 3], dtype=torch.float64)
    shown = box_of(DOSE, through, (3, 0))
    assert shown == Window((0, 0), (4, 4))
    grid = losses_on(problem_of(DOSE).objective, shown, through, (3, 0), points=9)
    for row, w in enumerate(np.linspace(-4, 4, 9)):
        for column, b in enumerate(np.linspace(-4, 4, 9)):
            theta = through.numpy().copy()
            theta[3], theta[0] = b, w
            assert grid[row, column] == pytest.approx(loss(theta, x, y), rel=1e-12)
    assert typed_place(place_on(shown, (0.75, 0.5)), through, (3, 0)) == "0, 0.25, -1, 2, 0.3, 0.3333333"
    far = box_of(DOSE, torch.tensor([9.0, 0, 0, 0, 0, 0]), (0, 5))
    assert far.half[0] > 9
    assert far.half[1] == 2.5


def test_a_slice_may_be_level_everywhere():
    """At 0 nothing hangs on w alone: no line is drawn, and nothing fails."""
    zero = torch.zeros(6, dtype=torch.float64)
    shown = box_of(DOSE, zero)
    losses = losses_on(problem_of(DOSE).objective, shown, zero)
    assert np.ptp(losses) == 0
    assert len(lines_on(losses, shown).line) == 0


def test_a_slice_goes_through_where_the_run_is_last():
    """Of a run that has diverged through its start: where that is last nothing can be drawn."""
    assert sliced_at(record(DOSE)).equal(record(DOSE).epoch_theta[-1])
    gone = record(replace(DOSE, learning_rate=1000.0))
    assert gone.diverged_at is not None
    assert sliced_at(gone).equal(gone.epoch_theta[0])
