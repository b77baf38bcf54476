"""The published numbers, and ours beside them."""

import math
from dataclasses import replace

import pytest
import torch

from gd_core import published
from gd_core.datasets import two_features
from gd_core.published import PUBLISHED_RUNS, Row
from gd_core.settings.experiment import Experiment

QUANTITIES = {
    "noisy-quadratic": [f"RMSE before update {k}" for k in range(1, 11)],
    "two-features": [
        *(
            quantity
            for epoch in range(100, 1001, 100)
            for quantity in (
                f"w₁ after epoch {epoch}",
                f"w₂ after epoch {epoch}",
                f"b after epoch {epoch}",
                f"loss before update {epoch}",
            )
        ),
        *(f"prediction of row {row}" for row in range(1, 6)),
    ],
    "one-parameter": [f"factor of A + 1 at rate {rate}" for rate in ("0.1", "0.01", "1/18", "1/9", "0.12")],
}


@pytest.fixture(scope="module")
def rows():
    return {name: list(run.rows()) for name, run in PUBLISHED_RUNS.items()}


@pytest.mark.parametrize("name", PUBLISHED_RUNS)
def test_it_is_the_loop_that_runs_it(name):
    """What was published was a loop's."""
    assert PUBLISHED_RUNS[name].experiment.runs_on == "loop"


@pytest.mark.parametrize("name", PUBLISHED_RUNS)
def test_every_published_number_is_reproduced(rows, name):
    """Each quantity is there once, and ours lies within what printing and float32 took from it."""
    assert [row.quantity for row in rows[name]] == QUANTITIES[name]
    for row in rows[name]:
        assert row.agrees, row


def test_tolerances_are_what_printing_took(rows):
    """A millionth of an RMSE, 2e-6 of a parameter, a unit of a loss's last digit, four digits of a prediction."""
    for row in (row for compared in rows.values() for row in compared):
        allowed = {
            "RMSE": 1e-6 * row.published,
            "w₁": 2e-6,
            "w₂": 2e-6,
            "b": 2e-6,
            "loss": 1e-4,
            "prediction": 5e-5,
            "factor": 1e-12,
        }
        assert row.tolerance == pytest.approx(allowed[row.quantity.split()[0]])
    digits = [
        round(row.ours, 4) == row.published for row in rows["two-features"] if "prediction" in row.quantity
    ]
    assert digits == [True] * 5


def test_only_one_loss_rounds_apart(rows):
    """Of the ten losses nine have all printed digits in float64, and the other says why it has not."""
    losses = [row for row in rows["two-features"] if row.quantity.startswith("loss")]
    apart = [row for row in losses if round(row.ours, 4) != row.published]
    assert [row.quantity for row in apart] == ["loss before update 600"]
    assert "4.05014849" in apart[0].note
    assert apart[0].ours == pytest.approx(4.05014849, abs=5e-9)
    assert [row for compared in rows.values() for row in compared if row.note] == apart


@pytest.mark.parametrize(
    ("ours", "agrees"),
    [(1.0, True), (1.5, True), (0.5, True), (1.6, False), (math.nan, False), (math.inf, False)],
)
def test_a_row_can_differ(ours, agrees):
    """Beyond its tolerance, and also where ours is no number."""
    assert Row("x", 1.0, ours, 0.5).agrees is agrees


def test_a_run_that_drifts_is_found_out(monkeypatch):
    """With a rate a thousandth off, the rows differ."""
    monkeypatch.setattr(published, "QUADRATIC", replace(published.QUADRATIC, learning_rate=1.001e-5))
    start, after_one_update, *_ = published.quadratic_rows()
    assert start.agrees
    assert not after_one_update.agrees


@pytest.mark.parametrize("name", PUBLISHED_RUNS)
def test_experiments_are_links(name):
    """Each published run can be opened in the dashboard by its link."""
    experiment = PUBLISHED_RUNS[name].experiment
    assert experiment.dataset == name
    assert Experiment.from_query(experiment.to_query()) == (experiment, [])


def test_the_quadratics_article_as_it_stands():
    """Its own loop in float32, seed and all, prints its RMSEs: the constants are copied rightly."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2021)
        t = torch.arange(0, 20).float()
        speed = torch.rand(20) * 5 + 0.8 * (t - 7.5) ** 2 + 1
        torch.randn(3)
        params = torch.randn(3).requires_grad_()
    for printed in published.QUADRATIC_RMSE:
        a, b, c = params
        loss = ((a * t**2 + b * t + c - speed) ** 2).mean()
        assert math.sqrt(loss.item()) == pytest.approx(printed, rel=3e-7)
        (gradient,) = torch.autograd.grad(loss, params)
        params = (params - 1e-5 * gradient).detach().requires_grad_()


def test_the_planes_article_as_it_stands():
    """Its own loop, [N, 1] minus [N] and all, prints its first line: the loss is the broadcast one."""
    dataset = two_features()
    x, y = dataset.x.float(), dataset.y.float().squeeze(1)
    weight = dataset.start[:2].float().unsqueeze(0).requires_grad_()
    bias = dataset.start[2:].float().requires_grad_()
    line = published.PLANE_TABLE[0]
    for epoch in range(1, line.epoch + 1):
        difference = x @ weight.T + bias - y
        assert difference.shape == (1000, 1000)
        loss = (difference**2).mean()
        gradients = torch.autograd.grad(loss, (weight, bias))
        weight, bias = (
            (p - 1e-3 * g).detach().requires_grad_() for p, g in zip((weight, bias), gradients, strict=True)
        )
        if epoch == line.epoch:
            assert loss.item() == pytest.approx(line.loss, abs=5e-5)
    assert weight.flatten().tolist() == pytest.approx(line.weight, abs=3e-7)
    assert bias.item() == pytest.approx(line.bias, abs=3e-7)


@pytest.mark.parametrize(
    ("printed", "ours", "alike"),
    [
        (18.0378, 18.03786, ("18.0378", "18.0379", 6)),
        (-0.0371125, -0.03711254568, ("-0.0371125", "-0.0371125", 10)),
        (4.0502, 4.05014849, ("4.0502", "4.0501", 5)),
        (2.5, 25.1, ("2.5", "25.1", 0)),  # of another size
        (1.5, -1.5, ("1.5", "-1.5", 0)),
        (1.5, 1e30, ("1.5", "1e+30", 0)),
    ],
)
def test_digits_side_by_side(printed, ours, alike):
    """Ours with as many digits as printed, and how many from the left are the same; none for another size or sign."""
    assert published.beside(printed, ours) == alike
