"""The loop."""

from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rules import RULES
from torch.utils.data import DataLoader, TensorDataset

from gd_core.datasets import DATASETS
from gd_core.models import MODELS
from gd_core.objective import LinearObjective
from gd_core.optimizers import OPTIMIZERS
from gd_core.training import batches, has_diverged, train


@pytest.fixture
def plane():
    return LinearObjective(MODELS["linear"](), DATASETS["two-features"](30, noise=0.3, data_seed=1))


def test_it_is_the_textbooks_loop(plane):
    """Each step holds θₖ with its loss and gradient, and the next θ is θₖ − η∇L; NumPy walks beside it."""
    features, target = plane.features.numpy(), plane.target.numpy()
    theta = plane.dataset.start.numpy()
    steps = list(islice(train(plane, plane.dataset.start, OPTIMIZERS["gradient-descent"](0.1)), 51))
    for k, step in enumerate(steps):
        error = features @ theta - target
        gradient = 2 / len(target) * features.T @ error
        assert step.update == k
        np.testing.assert_allclose(step.theta, theta, rtol=1e-11, atol=1e-13)
        assert float(step.loss) == pytest.approx(float(error @ error) / len(target), rel=1e-11)
        np.testing.assert_allclose(step.gradient, gradient, rtol=1e-9, atol=1e-13)
        theta = theta - 0.1 * gradient


def test_mini_batches_are_a_hand_written_loop(plane):
    """Shuffled from the seed, cut into batches, an update for each: as one would write it in NumPy."""
    features, target = plane.features.numpy(), plane.target.numpy()
    rule = OPTIMIZERS["momentum"](0.01, momentum=0.5)
    ours = [
        step.theta.numpy() for step in islice(train(plane, plane.dataset.start, rule, batches(30, 7, 12)), 26)
    ]

    shuffle = torch.Generator().manual_seed(12)
    theta, velocity, expected = plane.dataset.start.numpy(), np.zeros(3), []
    for _ in range(5):  # epochs of 7 + 7 + 7 + 7 + 2 rows
        order = torch.randperm(30, generator=shuffle).numpy()
        for at in range(0, 30, 7):
            rows = order[at : at + 7]
            expected.append(theta)
            gradient = 2 / len(rows) * features[rows].T @ (features[rows] @ theta - target[rows])
            velocity = 0.5 * velocity + gradient
            theta = theta - 0.01 * velocity
    np.testing.assert_allclose(ours, [*expected, theta], rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", ["gradient-descent", "nesterov", "adam"])
def test_rows_in_order_are_those_of_a_data_loader(plane, name):
    """torch's DataLoader(shuffle=False) and its optimizer, the last batch shorter: the same θ after every epoch."""
    rows = batches(30, 7, 12, shuffle=False)
    rule = OPTIMIZERS[name](0.01)
    ours = [step.theta for step in islice(train(plane, plane.dataset.start, rule, rows), 21)][::5]

    loader = DataLoader(TensorDataset(plane.features, plane.target), batch_size=7, shuffle=False)
    theta = plane.dataset.start.clone().requires_grad_()
    optimizer = RULES[name].beside([theta], 0.01)
    for epoch in ours:
        torch.testing.assert_close(epoch, theta.detach(), rtol=1e-11, atol=1e-13)
        for features, target in loader:
            optimizer.zero_grad()
            ((features @ theta - target) ** 2).mean().backward()
            optimizer.step()


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_an_epoch_visits_every_row_once(rows, size, seed):
    """⌈N/B⌉ updates an epoch, none larger than B, and together each row exactly once, epoch after epoch."""
    size = min(size, rows)
    per_epoch = -(-rows // size)
    stream = batches(rows, size, seed)
    for _ in range(3):
        epoch = list(islice(stream, per_epoch))
        if size == rows:
            assert epoch == [None]
            continue
        assert [len(batch) for batch in epoch[:-1]] == [size] * (per_epoch - 1)
        assert 1 <= len(epoch[-1]) <= size
        assert sorted(torch.cat(epoch).tolist()) == list(range(rows))


def test_the_seed_decides_the_order():
    """The same seed shuffles alike, another otherwise, and no epoch repeats the one before."""

    def first(seed):
        return torch.cat(list(islice(batches(50, 5, seed), 20))).tolist()

    assert first(1) == first(1)
    assert first(1) != first(2)
    assert first(1)[:50] != first(1)[50:]


@pytest.mark.parametrize(
    ("loss", "first", "diverged"),
    [
        (4e6, 4.0, False),
        (np.nextafter(4e6, 5e6), 4.0, True),
        (1e6, 0.25, False),  # a first loss below 1 counts as 1
        (np.nextafter(1e6, 2e6), 0.25, True),
        (float("inf"), 4.0, True),
        (float("nan"), 4.0, True),
        (float("nan"), float("nan"), True),
    ],
)
def test_divergence_is_a_million_times_the_first_loss(loss, first, diverged):
    """The bound is 10⁶ × max(1, first loss), itself allowed; what is not finite is beyond it."""
    assert has_diverged(loss, first) is diverged
