"""Newton's step: on a parabola the error is multiplied by 1 − η in an epoch, whatever κ; NumPy solves the same equations."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from gd_core.export import record_file
from gd_core.export.script import script
from gd_core.large.run import LargeRun
from gd_core.lessons.deep_networks.network import Network
from gd_core.problem import build, rule_of_phase
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.tables.reading import read
from gd_core.tables.table import keep
from gd_core.theory import curvature_of, forecast_of

RAW = replace(Experiment.default("noisy-quadratic", "newton"), learning_rate=1.0, epochs=3)  # κ = 218,451
PLANE = replace(
    Experiment.default("two-features", "newton"), points=20, noise=0.5, learning_rate=0.3, epochs=12
)
PROBLEMS = {
    "raw": RAW,
    "scaled": replace(RAW, scale_features=True),
    "penalty": replace(RAW, scale_features=True, penalty=0.7),
    "raw penalty": replace(RAW, penalty=0.7),
    "penalty of all": replace(RAW, scale_features=True, penalty=0.7, penalised="all"),
    "shape mistake": replace(PLANE, loss="mse-broadcast"),
    "no intercept": replace(RAW, intercept=False, scale_features=True),
    "scaled target": replace(RAW, scale_target=True),
}


def rows_of(experiment):
    """Φ and y of the least squares that the loss is, the penalty as rows below."""
    linear = build(experiment).linear
    x, y = linear.features.numpy(), linear.target.numpy()
    if experiment.loss == "mse-broadcast":
        y = np.full_like(y, y.mean())
    below = np.sqrt(len(y) * experiment.penalty) * np.eye(x.shape[1])
    if experiment.penalised == "weights":
        below = below[: x.shape[1] - experiment.intercept]
    return np.concatenate([x, below]), np.concatenate([y, np.zeros(len(below))])


def told(experiment):
    """Outcome, verdict and theory, as a record has them."""
    document = json.loads(record_file.to_json(experiment, record(experiment)))
    return document["outcome"], document["verdict"], document["theory"]


def table(text, **fields):
    kept = keep(read(text).table)
    query = {
        "dataset": "table",
        "table": kept.key,
        "target": "y",
        "optimizer": "newton",
        "learning_rate": "1",
    }
    experiment, sentences = Experiment.from_query(query | fields)
    assert not sentences
    return experiment


@pytest.mark.parametrize("problem", PROBLEMS)
def test_one_step_at_rate_1_lands_on_least_squares(problem):
    """The θ after it is NumPy's lstsq, of ridge regression and of the shape mistake too."""
    experiment = replace(PROBLEMS[problem], learning_rate=1.0)
    x, y = rows_of(experiment)
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    np.testing.assert_allclose(record(experiment).theta[1].numpy(), best, rtol=1e-9, atol=1e-11)
    outcome, words, _ = told(experiment)
    assert outcome == "converged"
    assert "since epoch 1" in words


@pytest.mark.parametrize("rate", [0.05, 0.3, 1.4, 1.95, 2.0, 2.2])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_error_is_multiplied_by_one_minus_the_rate(problem, rate):
    """θₖ − θ* = (1 − η)ᵏ (θ₀ − θ*), by NumPy; and the first update solves H d = ∇L."""
    experiment = replace(PROBLEMS[problem], learning_rate=rate, epochs=12)
    x, y = rows_of(experiment)
    best, theta = np.linalg.lstsq(x, y, rcond=None)[0], record(experiment).theta.numpy()
    powers = (1 - rate) ** np.arange(len(theta))
    expected = best + powers[:, None] * (theta[0] - best)
    np.testing.assert_allclose(theta, expected, rtol=0, atol=1e-9 * abs(expected).max())
    n = len(y) - int((y == 0).sum() if experiment.penalty else 0)
    hessian, gradient = 2 / n * x.T @ x, 2 / n * x.T @ (x @ theta[0] - y)
    step = np.linalg.solve(hessian, gradient)
    np.testing.assert_allclose(theta[1], theta[0] - rate * step, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    ("rate", "outcome", "words"),
    [
        (1.0, "converged", "As good as this curve gets, since epoch 1"),
        (0.01, "still descending", "is 0.5 % of the limit 2: along every direction the error shrinks by 1 % an epoch. A rate of 1 "),
        (1.9, "overshooting", "the error keeps 90 % of its size. A rate of 1 comes within 1 % of the floor in 1 epoch"),
        (2.5, "diverged", "Along every direction the error grows × 1.5 an epoch: your rate 2.5 is 1.25 × the limit 2."),
    ],
)  # fmt: skip
def test_theory_knows_it(rate, outcome, words):
    """Limit 2, best rate 1 for any number of epochs, the factor |1 − η| in every direction; κ stays that of the loss."""
    experiment = replace(RAW, learning_rate=rate, epochs=30)
    ended, said, theory = told(experiment)
    assert (ended, theory["stability_limit"]) == (outcome, 2.0)
    assert theory["best_for_epochs"] == theory["best_learning_rate"] == 1.0
    assert theory["condition_number"] == pytest.approx(218_451, rel=1e-5)
    assert words in said
    problem = build(experiment)
    forecast = forecast_of(experiment, problem, curvature_of(problem.objective))
    assert forecast.factors == pytest.approx([abs(1 - rate)] * 3, rel=1e-12)


def test_a_schedule_makes_a_product():
    """The error after k updates is that of the product of all 1 − ηᵢ."""
    experiment = replace(RAW, learning_rate=0.5, schedule="inverse-time:0.5", epochs=8)
    x, y = rows_of(experiment)
    best, theta = np.linalg.lstsq(x, y, rcond=None)[0], record(experiment).theta.numpy()
    left = np.prod([1 - 0.5 / (1 + 0.5 * k) for k in range(8)])
    np.testing.assert_allclose(theta[-1] - best, left * (theta[0] - best), rtol=1e-8)


def test_along_a_flat_direction_nothing_moves():
    """Of two columns that say the same only a combination is determined: NumPy's shortest step, and the verdict says which."""
    text = "a,b,y\n" + "".join(f"{i},{2 * i},{3 * i + (i * 7) % 5}\n" for i in range(12))
    experiment = table(text, features="a,b", epochs="2", start="5,1,0")
    x, y = rows_of(experiment)
    start = np.array([5.0, 1.0, 0.0])
    expected = start + np.linalg.lstsq(x, y - x @ start, rcond=None)[0]
    np.testing.assert_allclose(record(experiment).theta[1].numpy(), expected, rtol=1e-9)
    outcome, words, _ = told(experiment)
    assert outcome == "converged"
    assert "Only a combination of w₁ (a) and w₂ (b) is determined" in words


@pytest.mark.parametrize(("degree", "lands"), [(1, True), (2, True), (3, False), (5, False)])
def test_raw_calendar_years(degree, lands):
    """A parabola over years still lands, at κ = 6e22; of a cubic no digit of H⁻¹ is left, and the verdict says that and no theory."""
    years, dice = np.arange(1994, 2024), np.random.default_rng(1)
    y = 300 + 2 * (years - 2008) + 0.05 * (years - 2008) ** 2 + dice.normal(0, 1, 30)
    text = "year,y\n" + "".join(f"{a},{b:.3f}\n" for a, b in zip(years, y, strict=True))
    experiment = table(text, features="year", degree=str(degree), epochs="6")
    floor = np.sqrt(
        np.mean((np.polyval(np.polyfit(years - 2008, y.round(3), degree), years - 2008) - y.round(3)) ** 2)
    )
    outcome, words, _ = told(experiment)
    if lands:
        assert outcome == "converged"
        assert float(record(experiment).epoch_rmse[1]) == pytest.approx(floor, rel=1e-4)
    else:
        assert outcome != "converged"
        assert words.endswith(
            "H⁻¹ has no sure digits: these steps are rounding. With scaled features one at η = 1 lands."
        )
        assert "limit" not in words
    scaled = record(replace(experiment, scale_features=True))
    assert float(scaled.epoch_rmse[1]) == pytest.approx(floor, rel=1e-6)


@pytest.mark.parametrize("problem", ["raw", "raw penalty", "no intercept", "shape mistake"])
def test_its_script_prints_its_numbers(problem, capsys):
    """Without anything of this project, to 1e-9; torch.optim has no such rule, and says so."""
    experiment = replace(PROBLEMS[problem], learning_rate=0.6, epochs=7)
    source = script(experiment, "by-hand")
    assert re.findall(r"^ *(?:import|from) (\S+)", source, re.MULTILINE) == ["torch"]
    exec(compile(source, "script.py", "exec"), {"__name__": "__main__"})
    last = capsys.readouterr().out.splitlines()[-1].split()
    printed = [float(cell) for cell in last[3 : 3 + len(experiment.info.parameters)]]
    assert printed == pytest.approx(record(experiment).theta[-1].tolist(), rel=1e-9)
    with pytest.raises(ValueError, match=r"flavour must be by-hand: torch\.optim has no rule Newton’s step"):
        script(experiment, "torch-optim")


def test_after_another_rule_it_lands_too():
    """In a continued run, and before one."""
    experiment = replace(RAW, optimizer="gradient-descent", learning_rate=1e-5, epochs=5).continued(
        5, optimizer="newton", learning_rate=1.0, epochs=1
    )
    x, y = rows_of(experiment)
    np.testing.assert_allclose(record(experiment).theta[-1], np.linalg.lstsq(x, y, rcond=None)[0], rtol=1e-9)
    later = RAW.continued(1, optimizer="gradient-descent", learning_rate=1e-5, epochs=2)
    assert torch.equal(record(later).theta[1], record(RAW).theta[1])


WHERE = "which divides by"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: replace(RAW, batch_size=5), f"batch_size must be 0 with newton, {WHERE} the curvature of all rows. Got 5."),
        (lambda: replace(RAW, loss="absolute"), f"loss must have one curvature everywhere with newton, {WHERE} it. Got absolute."),
        (lambda: replace(RAW, loss="huber"), f"loss must have one curvature everywhere with newton, {WHERE} it. Got huber."),
        (
            lambda: RAW.continued(2, optimizer="adam", batch_size=4),
            f"before: batch_size must be 0 with newton, {WHERE} the curvature of all rows. Got 4.",
        ),
        (lambda: replace(RAW, engine="spectrum"), "engine must be auto or loop with newton, whose steps are no multiples of the gradient."),
        (lambda: LargeRun(optimizer="newton"), "rmsprop, adam for a table that is read in pieces. Got newton."),
        (lambda: Network(optimizer="newton"), "optimizer must be one of gradient-descent, momentum, adam. Got newton."),
    ],
)  # fmt: skip
def test_where_there_is_no_such_step_a_sentence_says_why(make, sentence):
    """Mini-batches, losses without a curvature, a table in pieces, a network: each names the parameter and the value."""
    with pytest.raises(ParameterError) as refused:
        make()
    assert sentence in str(refused.value)


def test_without_its_curvature_nothing_steps():
    """Whoever forgets to say what it is trained on gets an error, and never plain gradient descent."""
    for objective in (None, build(replace(RAW, optimizer="adam", loss="absolute")).objective):
        with pytest.raises(ValueError, match="objective must be a parabola for newton"):
            rule_of_phase(RAW.phase, 1, objective)
