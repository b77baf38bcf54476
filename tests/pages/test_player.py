"""The player's table: what the browser reads and what it adds up itself."""

import numpy as np
import pandas as pd
import pytest
import torch
from tags import Tags

from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment, defaults
from gd_core.settings.experiment_fields import Phase
from gd_core.theory import curvature_of, forecast_of
from gd_core.verdict import of_steps
from pages.ui.charts.model import RecordedRun, drawn_epochs, stride_of
from pages.ui.player import player


def table_of(dataset="noisy-quadratic", extra=None, **changes):
    """The table of a trained run, its sums, the run and what is said at each epoch."""
    experiment = Experiment(**(defaults(dataset, changes.get("optimizer", "gradient-descent")) | changes))
    problem = build(experiment)
    curve = curvature_of(problem.objective)
    run = RecordedRun(experiment, problem, curve, record(experiment))
    steps = of_steps(run.recording, experiment, forecast_of(experiment, problem, curve))
    table, sums = player.table(run, steps, extra)
    return pd.DataFrame(table), sums, run, steps


def added_up(table, sums, name):
    """A column as the browser computes it: 64-bit sums of 32-bit columns, or the column itself."""
    if name not in sums:
        return table[name].to_numpy().astype(float)
    total = np.zeros(len(table))
    for part, weight in sums[name]:
        total += weight * added_up(table, {key: sums[key] for key in sums if key != name}, part)
    return total


KINDS = {
    "plain": {"epochs": 20},
    "scaled": {"epochs": 20, "scale_features": True, "learning_rate": 0.05},
    "momentum": {"epochs": 20, "optimizer": "momentum"},
    "adam, scaled": {"epochs": 20, "optimizer": "adam", "learning_rate": 0.1, "scale_features": True},
    "mini-batches": {"epochs": 20, "batch_size": 3},
    "continued": {"epochs": 20, "before": (Phase(5, "gradient-descent", 1e-5, 0.9, 0.99, 0.9, 0.999, 1e-8),)},
    "thinned": {"epochs": 2500},
    "thinned momentum": {"epochs": 1100, "optimizer": "momentum"},
    "two features": {"dataset": "two-features", "epochs": 20, "learning_rate": 0.1, "scale_features": True},
    "one parameter": {"dataset": "one-parameter", "epochs": 20},
    "diverging": {"epochs": 1000, "learning_rate": 5e-5},
}


def epochs_of(run):
    """Which epochs the rows stand for, as the browser works it out where no column says it."""
    rows = drawn_epochs(run.recording.epochs, run.experiment.total_epochs)
    stride, last = stride_of(run.experiment.total_epochs), run.recording.epochs
    assert [min(r * stride, last) for r in range(len(rows))] == rows.tolist()
    return rows


def theta_of(run):
    return run.recording.theta.numpy()[:: run.experiment.updates_per_epoch]


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_holds_parameters_and_gradients_of_its_epochs_in_32_bits(kind):
    """p is θ and g is autograd's gradient on all rows, or on the epoch's first mini-batch; nothing is wider than needed."""
    table, _, run, _ = table_of(**KINDS[kind])
    rows, theta = epochs_of(run), theta_of(run)
    assert len(table) == len(rows)
    for i in range(theta.shape[1]):
        assert (table[f"p{i}"].to_numpy() == theta[rows, i].astype(np.float32)).all()
    if run.experiment.batch_size == 0:
        for r in (0, len(rows) // 2, len(rows) - 1):
            at = torch.tensor(theta[rows[r]], requires_grad=True)
            (gradient,) = torch.autograd.grad(run.problem.objective(at), at)
            found = [table[f"g{i}"][r] for i in range(len(at))]
            np.testing.assert_allclose(found, gradient, rtol=1e-6, atol=1e-9)
    widths = {name: str(kind) for name, kind in table.dtypes.items()}
    assert widths.pop("template") == "int8"
    assert widths.pop("epoch", "int32") == "int32"
    assert set(widths.values()) == {"float32"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_columns_are_the_ones_that_live_numbers_name(kind):
    """Each parameter has a value, a gradient, a next step and where it leads; in raw units too where they differ."""
    table, sums, run, _ = table_of(**KINDS[kind])
    letters = "pgdnr" if run.experiment.scale_features else "pgdn"
    expected = {f"{letter}{i}" for letter in letters for i in range(len(run.problem.start))}
    expected |= {"rmse", "loss", "percent", "template"}
    if stride_of(run.experiment.total_epochs) > 1:
        expected |= {"epoch", "next_rmse"}
    assert set(table.columns) | set(sums) == expected
    assert not set(table.columns) & set(sums)
    for parts in sums.values():
        # the browser goes through the sums in order, so a part must be a column or a sum before
        assert {part for part, _ in parts} <= set(table.columns) | set(sums)


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_step_leads_to_the_parameters_after_the_next_update(kind):
    """d is θₖ₊₁ − θₖ and n is θₖ₊₁ for the first update of every epoch that has one, whatever rule made the step."""
    table, sums, run, _ = table_of(**KINDS[kind])
    theta = run.recording.theta.numpy()
    rows = epochs_of(run)[:-1] * run.recording.updates_per_epoch
    for i in range(theta.shape[1]):
        step = theta[rows + 1, i] - theta[rows, i]
        np.testing.assert_allclose(added_up(table, sums, f"d{i}")[:-1], step, rtol=1e-6, atol=1e-12)
        size = np.abs(theta[rows, i]) + np.abs(step)
        off = np.abs(added_up(table, sums, f"n{i}")[:-1] - theta[rows + 1, i])
        assert (off <= 2.0**-23 * size).all()


def test_the_last_row_of_a_rule_with_memory_has_no_next_step():
    """Not a number where the run ends, which the page writes as a dash; plain descent knows its step from the gradient."""
    table, sums, _, _ = table_of(epochs=5, optimizer="momentum")
    assert np.isnan(added_up(table, sums, "d0")).tolist() == [False] * 5 + [True]
    table, sums, run, _ = table_of(epochs=5)
    gradient = run.recording.gradient[-1, 0].item()
    assert added_up(table, sums, "d0")[-1] == pytest.approx(-1e-5 * gradient, rel=1e-6)


@pytest.mark.parametrize("kind", ["scaled", "adam, scaled", "two features"])
def test_raw_units_are_the_same_curve_in_other_numbers(kind):
    """r with unscaled features predicts what p predicts with scaled ones."""
    table, sums, run, _ = table_of(**KINDS[kind])
    scaled = np.column_stack([added_up(table, sums, f"p{i}") for i in range(3)])
    raw = np.column_stack([added_up(table, sums, f"r{i}") for i in range(3)])
    plain = run.problem.linear.model.features(run.problem.dataset.x).numpy()
    seen = run.problem.linear.features.numpy()
    expected = scaled @ seen.T
    np.testing.assert_allclose(raw @ plain.T, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("kind", KINDS)
def test_error_and_loss_are_those_of_all_rows(kind):
    """RMSE by hand at each row's parameters; the loss is its square where the mean squared error is minimised."""
    table, _, run, _ = table_of(**KINDS[kind])
    features, y = run.problem.linear.features.numpy(), run.problem.objective.target.numpy()
    mean_square = ((theta_of(run)[epochs_of(run)] @ features.T - y) ** 2).mean(1)
    np.testing.assert_allclose(table["loss"], mean_square, rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(table["rmse"], np.sqrt(mean_square), rtol=1e-6, atol=1e-15)


@pytest.mark.parametrize("kind", ["thinned", "thinned momentum"])
def test_a_thinned_run_carries_its_epochs_and_the_error_one_epoch_on(kind):
    """Every stride-th epoch and the last; next_rmse is the RMSE of the epoch after, which has no row of its own."""
    table, _, run, _ = table_of(**KINDS[kind])
    epoch = table["epoch"].to_numpy()
    stride = 3 if kind == "thinned" else 2
    last = run.experiment.epochs
    assert epoch.tolist() == sorted({*range(0, last + 1, stride), last})
    after = np.minimum(epoch + 1, last)
    assert (table["next_rmse"].to_numpy() == run.recording.epoch_rmse.numpy()[after].astype(np.float32)).all()


def test_a_run_with_a_row_for_every_epoch_leaves_both_to_the_browser():
    """What the browser can count is not sent."""
    table, _, _, _ = table_of(epochs=1000)
    assert "epoch" not in table
    assert "next_rmse" not in table
    assert len(table) == 1001


def test_the_shape_mistake_has_the_root_of_its_loss():
    """Of the N × N table of every prediction minus every target; the RMSE beside it is of the N pairs alone."""
    table, _, run, _ = table_of("two-features", epochs=5, points=30, loss="mse-broadcast")
    x, y = run.problem.dataset.x.numpy(), run.problem.dataset.y[:, 0].numpy()
    predicted = theta_of(run) @ np.column_stack([x, np.ones(30)]).T
    every = (predicted[:, :, None] - y) ** 2
    np.testing.assert_allclose(table["loss"], every.mean((1, 2)), rtol=1e-6)
    np.testing.assert_allclose(table["root_loss"], np.sqrt(every.mean((1, 2))), rtol=1e-6)
    np.testing.assert_allclose(table["rmse"], np.sqrt(((predicted - y) ** 2).mean(1)), rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_has_the_sentence_of_its_epoch(kind):
    """The template's number is one of the templates, and the one that the verdict chose."""
    table, _, run, steps = table_of(**KINDS[kind])
    chosen = table["template"].to_numpy()
    assert (chosen == steps.choice.numpy()[epochs_of(run)]).all()
    assert chosen.min() >= 0
    assert chosen.max() < len(steps.templates)
    assert "ends here" in steps.templates[chosen[-1]]


def test_extra_columns_travel_with_the_table():
    """One value a row, under their own name, in 32 bits."""
    values = np.linspace(0, 1, 6)
    table, _, _, _ = table_of(epochs=5, extra={"v_before0": values})
    assert (table["v_before0"].to_numpy() == values.astype(np.float32)).all()


def test_the_table_of_a_long_run_is_short_on_the_wire():
    """A hundred thousand numbers a column would be a megabyte; it stays below 60 kB."""
    table, _, _, _ = table_of(epochs=2999, optimizer="momentum", scale_features=True, learning_rate=0.01)
    assert len(table) <= 1002
    assert table.memory_usage(index=False).sum() < 60_000


# ------------------------------------------------------------------------------------------------ live numbers


@pytest.mark.parametrize("column", ["p0", '"><script>alert(1)</script>', "a'b & <c>", "A&quot;"])
def test_a_live_number_names_its_column_and_nothing_else(column):
    """Whatever the column is called, HTML reads one element with that name in data-live, and no other tag."""
    read = Tags(player.live(column, digits=3))
    assert [tag for tag, _ in read.tags] == ["output"]
    ((_, attributes),) = read.tags
    assert attributes == {"class": "live", "data-live": column, "data-digits": "3"}
    assert read.text == "·"


def test_lit_says_when_an_element_is_lit():
    """While a column is exactly a value, or from a value on; the column's name cannot break out of its attribute."""
    assert player.lit("stage", 2) == 'data-lit="stage" data-lit-value="2"'
    assert player.lit("epoch", reached=1000) == 'data-lit="epoch" data-lit-from="1000"'
    assert player.lit('"><b', 0) == 'data-lit="&quot;&gt;&lt;b" data-lit-value="0"'
