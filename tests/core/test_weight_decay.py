"""AdamW's decay is decoupled: no part of the gradient, so neither the lowest loss nor a penalty's is where it goes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from gd_core.export import record_file
from gd_core.outcome import Trained, outcome
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of, forecast_of
from gd_core.verdict import of_run

ADAM = replace(
    Experiment.default("noisy-quadratic", "adam"), scale_features=True, learning_rate=0.1, epochs=300
)
ADAMW = replace(ADAM, optimizer="adamw", weight_decay=0.1)


def told(experiment):
    """Outcome and verdict, as a record has them."""
    document = json.loads(record_file.to_json(experiment, record(experiment)))
    return document["outcome"], document["verdict"]


def test_from_the_lowest_point_it_walks_away():
    """NumPy's least squares is where the gradient is 0: of each parameter the first update leaves the share 1 − ηλ."""
    linear = build(ADAMW).linear
    best, *_ = np.linalg.lstsq(linear.features.numpy(), linear.target.numpy(), rcond=None)
    start = tuple(build(ADAMW).raw(torch.from_numpy(best)).tolist())
    first, second, *_ = record(replace(ADAMW, start=start, epochs=1, weight_decay=0.5)).theta.numpy()
    np.testing.assert_allclose(first, best, rtol=1e-12)
    np.testing.assert_allclose(second, (1 - 0.1 * 0.5) * best, rtol=1e-5)  # a gradient of rounding, over ε


def torchs(kind, penalty, batch_size=0, epochs=40, **own):
    """θ to which torch's optimizer comes; the penalised loss is written out here."""
    linear = build(ADAM).linear
    x, y, theta = linear.features, linear.target, build(ADAM).start.clone().requires_grad_()
    optimizer = kind([theta], lr=0.1, foreach=False, **own)
    for _ in range(epochs):
        for rows in torch.arange(len(y)).split(batch_size or len(y)):
            optimizer.zero_grad()
            (((x[rows] @ theta - y[rows]) ** 2).mean() + penalty * theta[:-1].square().sum()).backward()
            optimizer.step()
    return theta.detach()


@pytest.mark.parametrize("batch_size", [0, 7])
def test_it_is_no_penalty(batch_size):
    """AdamW is torch's AdamW, and Adam with the penalty λ/2 torch's Adam on that loss; the two end apart."""
    decayed = torchs(torch.optim.AdamW, 0.0, batch_size, weight_decay=0.1)
    penalised = torchs(torch.optim.Adam, 0.05, batch_size)
    for experiment, end in ((ADAMW, decayed), (replace(ADAM, penalty=0.05), penalised)):
        ours = record(replace(experiment, batch_size=batch_size, epochs=40, shuffle=False)).theta[-1]
        torch.testing.assert_close(ours, end, rtol=1e-12, atol=1e-12)
    assert float((decayed - penalised).abs().max()) > 0.01


def test_without_a_decay_it_is_adam():
    """At λ = 0 every number and every word is Adam's, but for its name."""
    plain = replace(ADAMW, weight_decay=0.0)
    assert torch.equal(record(plain).theta, record(ADAM).theta)
    assert told(plain) == told(ADAM)


def test_why_it_stays_beside_the_lowest_point_is_told():
    """No limit, and the reason; where a parameter of the lowest point is beyond 1/λ, that it is held back, by which number."""
    problem = build(ADAMW)
    forecast = forecast_of(ADAMW, problem, curvature_of(problem.objective))
    assert forecast.stability_limit is forecast.best_for_epochs is forecast.factors is None
    assert "its weight decay shrinks every parameter at the lowest point too" in (forecast.why_no_limit or "")
    x, y = problem.linear.features.numpy(), problem.linear.target.numpy()
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    place = int(abs(best).argmax())
    name = ADAMW.trained_names[place]
    held = f"holds parameters near 1/λ = 2 or below; the lowest point has {name} = "
    strong = replace(ADAMW, weight_decay=0.5, epochs=900)
    assert f"{held}{best[place]:.1f}." in told(strong)[1]
    assert record(strong).theta[-1].tolist() == pytest.approx([2, 2, 2], rel=0.03)
    assert held not in told(replace(ADAMW, weight_decay=0.5 / float(abs(best).max()), epochs=900))[1]


def test_too_large_a_rate_is_told_by_the_first_step_or_by_the_decay():
    """With a loss that theory knows and with one that it does not; above 2/λ the decay alone throws every parameter farther out."""
    for loss, decay, words in (
        ("mse", 1e-7, "AdamW’s first step changes every parameter by about 1,000,000"),
        ("mse", 0.5, "multiplies every parameter by 1 − ηλ = −499,999 before its step"),
        ("absolute", 0.5, "multiplies every parameter by 1 − ηλ = −499,999 before its step"),
    ):
        ended, said = told(replace(ADAMW, loss=loss, weight_decay=decay, learning_rate=1e6))
        assert ended == "diverged"
        assert words in said


@pytest.mark.parametrize("optimizer", ["adagrad", "rmsprop", "adam", "adamw"])
def test_a_rule_that_diverges_without_theory_has_its_sentence(optimizer):
    """Where nothing is known of the loss, too: the length of the first step stands in it, RMSProp's being η/√(1 − α)."""
    experiment = replace(ADAMW, optimizer=optimizer, learning_rate=1e6, weight_decay=0.0)
    recording = record(experiment)
    finding = outcome(recording, None, Trained.of(experiment, build(experiment)))
    first = "10,000,000" if optimizer == "rmsprop" else "1,000,000"
    assert f"first step changes every parameter by about {first}" in of_run(
        recording, experiment, None, finding
    )
