"""Mini-batches of rows in order: one epoch as one affine map. Oracle: NumPy's product of the batches' own steps, and the loop."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gd_core.export.caption import in_words
from gd_core.in_batches import InOrder, explodes
from gd_core.outcome import Outcome, Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import parabola_of, why_no_limit

RUN = replace(
    Experiment(), scale_features=True, learning_rate=0.05, batch_size=6, shuffle=False, seed=4, epochs=40
)


def map_of(experiment):
    """The problem, its optimum by NumPy, and the map."""
    problem = build(experiment)
    features, target = problem.linear.features.numpy(), problem.linear.target.numpy()
    ridge = len(target) * experiment.penalty * np.diag([1.0, 1.0, 0.0])  # not of the intercept
    best = np.linalg.solve(features.T @ features + ridge, features.T @ target)
    optimum = torch.from_numpy(best)
    return problem, best, InOrder(problem.linear, optimum, experiment.rows_per_update, experiment.phase)


@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("batch_size", [1, 6, 7])
@pytest.mark.parametrize("optimizer", ["gradient-descent", "momentum", "nesterov"])
def test_a_power_of_the_map_is_the_run(optimizer, batch_size, penalty):
    """The loop's θ at every epoch, the last batch shorter; with an L2 penalty too, and the seed means nothing."""
    experiment = replace(RUN, optimizer=optimizer, batch_size=batch_size, learning_rate=0.02, momentum=0.6)
    experiment = replace(experiment, penalty=penalty)
    problem, best, batches = map_of(experiment)
    recording = record(experiment)
    error = problem.start - torch.from_numpy(best)
    for epoch in (0, 1, 2, 17, 40):
        ours = batches.after(error, epoch).numpy() + best
        np.testing.assert_allclose(ours, recording.epoch_theta[epoch], rtol=1e-9, atol=1e-9)
    assert (record(replace(experiment, seed=9)).theta == recording.theta).all()


@pytest.mark.parametrize("penalty", [0.0, 2.0])
@pytest.mark.parametrize("rate", [0.01, 0.1, 0.2, 0.3, 0.4])
def test_the_radius_is_that_of_the_product(rate, penalty):
    """∏ (I − η H_b) over the batches in order; above 1 the run grows, and is called so."""
    experiment = replace(RUN, learning_rate=rate, epochs=400, penalty=penalty)
    problem, _, batches = map_of(experiment)
    features = problem.linear.features.numpy()
    product = np.eye(features.shape[1])
    for at in range(0, len(features), 6):
        rows = features[at : at + 6]
        curved = 2 / len(rows) * rows.T @ rows + 2 * penalty * np.diag([1.0, 1.0, 0.0])
        product = (np.eye(len(product)) - rate * curved) @ product
    radius = abs(np.linalg.eigvals(product)).max()
    assert batches.radius == pytest.approx(radius, rel=1e-9)
    assert explodes(problem.linear, 6, experiment.phase, shuffle=False) == (radius > 1)
    recording = record(experiment)
    grows = recording.diverged_at is not None
    assert grows == (radius > 1)
    short = replace(experiment, epochs=3)
    recording = record(short)
    found = outcome(recording, parabola_of(short, problem.objective), Trained.of(short, problem)).outcome
    assert (found in (Outcome.GROWING, Outcome.DIVERGED)) == (radius > 1)


@pytest.mark.parametrize(("batch_size", "rate", "settles"), [(1, 0.3, True), (6, 0.3, False)])
def test_order_decides(batch_size, rate, settles):
    """Single rows in order settle at a rate at which shuffled ones blow up, and of six rows it is the other way round."""
    experiment = replace(RUN, batch_size=batch_size, learning_rate=rate, epochs=25)
    for one, calm in ((experiment, settles), (replace(experiment, shuffle=True), not settles)):
        problem = build(one)
        assert explodes(problem.linear, batch_size, one.phase, one.shuffle) != calm
        longer = record(replace(one, epochs=300))
        assert (longer.diverged_at is None) == calm
        recording = record(replace(one, epochs=2))
        found = outcome(recording, parabola_of(one, problem.objective), Trained.of(one, problem)).outcome
        assert (found in (Outcome.GROWING, Outcome.DIVERGED)) != calm


def test_it_comes_to_rest_beside_the_optimum():
    """Where the pulls of the batches cancel: there the loss no longer moves, and that is not the lowest."""
    experiment = replace(RUN, learning_rate=0.1, batch_size=1, epochs=300)
    problem, best, batches = map_of(experiment)
    recording = record(experiment)
    assert recording.epoch_loss[-1] == pytest.approx(float(recording.epoch_loss[-2]), rel=1e-12)
    gap = float(recording.epoch_loss[-1]) - float(problem.objective(torch.from_numpy(best)))
    assert gap > 1e-3
    found = outcome(recording, parabola_of(experiment, problem.objective), Trained.of(experiment, problem))
    assert found.outcome is Outcome.HOVERING
    size = len(best)
    fixed = np.linalg.solve(np.eye(2 * size) - batches.epoch[:-1, :-1], batches.epoch[:-1, -1])
    np.testing.assert_allclose(
        recording.epoch_theta[-1], best + (batches.axes @ fixed[:size]), rtol=1e-9, atol=1e-9
    )


def test_it_is_said():
    """In the caption, and why there is no limit; of all rows at once the order means nothing."""
    assert in_words(RUN)["Batch"] == "6 of 20 rows, in order"
    assert "Mini-batches in order have a limit of their own" in (why_no_limit(RUN) or "")
    whole = replace(RUN, batch_size=0)
    assert in_words(whole)["Batch"] == "all rows"
    assert (record(whole).theta == record(replace(whole, shuffle=True)).theta).all()
