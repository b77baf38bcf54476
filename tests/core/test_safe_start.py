"""A rate that settles beside the best ones, and how long a run takes at its rate."""

from dataclasses import replace

import numpy as np
import pytest

from gd_core.outcome import Outcome, Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.safe_start import epochs_needed, opening, safe_of, safe_start, so_many
from gd_core.settings.experiment import Experiment, defaults
from gd_core.tables.table import Table, keep
from gd_core.theory import curvature_of, forecast_of

SCALED = replace(Experiment.default("noisy-quadratic"), scale_features=True)


def with_rule(rule, **changes):
    return replace(SCALED, **defaults("noisy-quadratic", rule) | {"scale_features": True} | changes)


def foreseen(experiment):
    problem = build(experiment)
    return forecast_of(experiment, problem, curvature_of(problem.objective))


def test_plain_descents_is_half_the_limit():
    """1/λ by NumPy's eigenvalues, in three digits, rounded down; on rows nearly twice as steep it settles."""
    features = build(SCALED).linear.features.numpy()
    steepest = np.linalg.eigvalsh(2 / len(features) * features.T @ features)[-1]
    safe = safe_of(foreseen(SCALED))
    assert safe.title == "Safe rate"
    assert 1 / steepest * 0.99 < safe.rate <= 1 / steepest
    assert safe.rate == float(f"{safe.rate:.3g}")
    assert abs(1 - safe.rate * 1.99 * steepest) < 1


@pytest.mark.parametrize("batch_size", [0, 1, 5])
@pytest.mark.parametrize("rule", ["gradient-descent", "momentum", "nesterov"])
def test_with_it_every_linear_rule_settles(rule, batch_size):
    """On all rows the run converges; in batches it comes to within a few floors and does not grow."""
    experiment = with_rule(rule, batch_size=batch_size, epochs=400)
    experiment = replace(experiment, learning_rate=safe_of(foreseen(experiment)).rate)
    problem, recording = build(experiment), record(experiment)
    found = outcome(recording, curvature_of(problem.objective), Trained.of(experiment, problem)).outcome
    assert found in ((Outcome.HOVERING, Outcome.CONVERGED) if batch_size else (Outcome.CONVERGED,))
    t, y = (column.numpy()[:, 0] for column in (problem.dataset.x, problem.dataset.y))
    floor = np.sqrt(np.mean((np.polyval(np.polyfit(t, y, 2), t) - y) ** 2))
    assert float(recording.epoch_rmse[-1]) < (2.5 if batch_size else 1.0001) * floor


def test_a_rule_without_theory_has_a_rate_to_begin_with():
    """Adam's first step is η long along each parameter: a tenth of the longest way."""
    experiment = with_rule("adam")
    problem = build(experiment)
    best = np.linalg.lstsq(problem.linear.features.numpy(), problem.linear.target.numpy())[0]
    safe = safe_of(foreseen(experiment))
    assert safe.label == "To begin with"
    assert safe.rate == pytest.approx(abs(best - problem.start.numpy()).max() / 10, rel=0.005)


@pytest.mark.parametrize("rate", [0.003, 0.05, 0.2, 0.358, 0.4])
def test_how_long_it_takes_is_what_it_takes(rate):
    """The last epoch of the run that is more than 1 % above NumPy's floor is the one before, to half a percent."""
    experiment = replace(SCALED, learning_rate=rate, epochs=3000)
    problem = build(experiment)
    t, y = (column.numpy()[:, 0] for column in (problem.dataset.x, problem.dataset.y))
    floor = np.sqrt(np.mean((np.polyval(np.polyfit(t, y, 2), t) - y) ** 2))
    away = np.flatnonzero(record(experiment).epoch_rmse.numpy() > 1.01 * floor)
    assert epochs_needed(foreseen(experiment)) == pytest.approx(int(away[-1]) + 1, rel=0.006, abs=1)


def test_nobody_waits_at_the_limit_or_above():
    """Nor is it known of a continued run, or of a rule without a limit."""
    limit = foreseen(SCALED).stability_limit
    for experiment in (
        replace(SCALED, learning_rate=limit),
        replace(SCALED, learning_rate=1.1 * limit),
        SCALED.continued(5),
        with_rule("adam"),
    ):
        assert epochs_needed(foreseen(experiment)) is None
    assert so_many(float("inf")) == "more than a trillion epochs"


@pytest.mark.parametrize("opens", [safe_start, opening])
def test_a_tiny_column_through_the_origin_opens_at_the_largest_rate_there_is(opens):
    """Half its limit, 1/λ by the sum of squares, cannot be typed; any smaller rate settles as well."""
    x = np.array([1e-7, 2e-7, 3e-7, 5e-7])
    table = keep(Table.of({"x": x.tolist(), "y": [2.0, 1.0, 4.0, 3.0]}))
    asked, _ = Experiment.from_query({"dataset": "table", "table": table.key, "intercept": "false"})
    assert 1 / (2 * np.mean(x**2)) > 1e6
    assert opens(asked).learning_rate == 1e6
    assert not opens(asked).scale_features
