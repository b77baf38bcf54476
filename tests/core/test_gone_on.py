"""The same run gone on: it is the run that the loop would train."""

from dataclasses import replace

import pytest
import torch

from gd_core.gone_on import MOST, gaps_gone_on, soon_done
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.theory import curvature_of

PLANE = replace(Experiment.default("two-features"), points=30, learning_rate=0.01, epochs=6)


@pytest.mark.parametrize("loss", ["mse", "mse-broadcast"])
@pytest.mark.parametrize("batch_size", [0, 1, 7])
@pytest.mark.parametrize("optimizer", OPTIMIZER_INFO)
def test_it_is_the_run_trained_for_longer(optimizer, batch_size, loss):
    """Every gap is that of the recording with so many epochs, for every rule, whole or in batches, after an earlier part."""
    if batch_size and OPTIMIZER_INFO[optimizer].over_curvature:
        return
    first = replace(PLANE, optimizer=optimizer, batch_size=batch_size, loss=loss, scale_features=True)
    run = first.continued(3, optimizer="gradient-descent", learning_rate=0.02, epochs=4)
    for experiment in (first, run):
        problem = build(experiment)
        curvature = curvature_of(problem.objective)
        longer = replace(experiment, epochs=experiment.epochs + 5)
        theta = record(longer).epoch_theta
        expected = curvature.gap(theta).sum(1)
        found = gaps_gone_on(experiment, problem, curvature, longer.total_epochs, 1.0)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_another_rate_is_the_last_parts():
    """A third of the rate is a third of the last one; the earlier part stays as it was."""
    run = PLANE.continued(3, learning_rate=0.03, epochs=4)
    problem = build(run)
    curvature = curvature_of(problem.objective)
    expected = curvature.gap(record(replace(run, learning_rate=0.01)).epoch_theta).sum(1)
    torch.testing.assert_close(gaps_gone_on(run, problem, curvature, run.total_epochs, 1 / 3), expected)


def test_from_where_it_diverges_on_the_gap_is_infinite():
    """A rate far above the limit passes the bound at the recording's epoch."""
    run = replace(PLANE, learning_rate=30.0, epochs=40)
    problem = build(run)
    found = gaps_gone_on(run, problem, curvature_of(problem.objective), run.epochs, 1.0)
    assert int(found.isinf().int().argmax()) == record(run).diverged_at
    assert bool(found[-1].isinf())


def test_only_what_is_soon_done_is_gone_on_with():
    """Ten thousand updates of small batches are, and fewer of large ones."""
    assert soon_done(replace(PLANE, points=1000, batch_size=1), MOST // 1000 - 1)
    assert not soon_done(replace(PLANE, points=1000, batch_size=1), MOST // 1000)
    assert not soon_done(replace(PLANE, points=10_000), MOST // 2)
