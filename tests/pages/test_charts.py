"""The charts as values: tables that hold the run, and specifications that hold nothing of it."""

import json
import math
import re
from dataclasses import replace

import altair as alt
import numpy as np
import pyarrow as pa
import pytest
import torch
import vl_convert
from altair.utils.schemapi import SchemaValidationError
from hypothesis import given
from hypothesis import strategies as st

from gd_core.datasets import Dataset
from gd_core.models import Quadratic
from gd_core.objective import LinearObjective
from gd_core.problem import Problem, build, rule_of
from gd_core.recorder import Recorder, record, watched
from gd_core.run_summary import summarised
from gd_core.settings.experiment import Experiment, defaults
from gd_core.theory import curvature_of
from gd_core.training import Epochs
from pages.ui.charts import elements, model
from pages.ui.charts.error import error, gap
from pages.ui.charts.fit import agreement, fit, panel
from pages.ui.charts.fit import along as along_chart
from pages.ui.charts.ghosts import Ghost
from pages.ui.charts.loss_map import STEPS_OUT, landscape, parabola
from pages.ui.charts.model import (
    DRAWN_EPOCHS,
    DRAWN_ROWS,
    NEVER,
    PATH_STEP,
    Run,
    drawn_epochs,
    stride_of,
)
from pages.ui.charts.parameters import trace
from pages.ui.look.palette import DARK, LIGHT

HEIGHT = 200
FLOAT32 = 2.0**-23  # the distance of 1 to the next number


def experiment_of(dataset="noisy-quadratic", **changes):
    return Experiment(**(defaults(dataset, changes.get("optimizer", "gradient-descent")) | changes))


def run_of(dataset="noisy-quadratic", **changes):
    """A run, trained to its end."""
    experiment = experiment_of(dataset, **changes)
    problem = build(experiment)
    return Run(experiment, problem, curvature_of(problem.objective), record(experiment))


def long_run(epochs, dataset="noisy-quadratic", **changes):
    """A run of gradient descent by its closed form, θₖ = θ* + V (1 − ηΛ)ᵏ Vᵀ (θ₀ − θ*), without training it."""
    experiment = experiment_of(dataset, epochs=epochs, **changes)
    problem = build(experiment)
    curve = curvature_of(problem.objective)
    k = torch.arange(epochs + 1, dtype=torch.float64).unsqueeze(1)
    along = (1 - experiment.learning_rate * curve.eigenvalues) ** k * curve.along(problem.start)
    theta = curve.optimum + along @ curve.eigenvectors.T
    rmse = problem.objective.rmse(theta)
    recording = Epochs(
        epoch_theta=theta,
        epoch_loss=rmse**2,
        epoch_rmse=rmse,
    )
    return Run(experiment, problem, curve, recording)


def singular():
    """A run by hand on a feature that is the same in every row, so that two directions are flat."""
    experiment = experiment_of(learning_rate=1e-3, epochs=3, points=3)
    column = torch.full((3, 1), 2.0, dtype=torch.float64)
    y = torch.tensor([[1.0], [2.0], [4.0]], dtype=torch.float64)
    dataset = Dataset(column, y, ("x",), "y", "Constant", torch.tensor([1.0, 0.0, -1.0], dtype=torch.float64))
    objective = LinearObjective(Quadratic(), dataset)
    identity = torch.eye(3, dtype=torch.float64)
    problem = Problem(dataset, objective, dataset.start, identity, rule_of(experiment))
    recorder = Recorder(experiment, problem)
    recorder.advance()
    return Run(experiment, problem, curvature_of(objective), recorder.recording())


def waiting(dataset="noisy-quadratic", **changes):
    """A start that is not trained yet."""
    experiment = experiment_of(dataset, **changes)
    problem = build(experiment)
    recording = replace(Recorder(experiment).recording(), complete=False)
    return Run(experiment, problem, curvature_of(problem.objective), recording)


def stopped():
    """A long run that was stopped at once."""
    experiment = experiment_of(epochs=50_000)
    recorder = Recorder(experiment)
    recorder.advance(0.0)
    recorder.stop()
    return Run(experiment, recorder.problem, curvature_of(recorder.problem.objective), recorder.recording())


def in_batches():
    """A line through the origin in mini-batches, continued with another rate."""
    well = {"dataset": "table", "table": "anscombe", "target": "y1", "features": "x", "intercept": "false"}
    first = replace(Experiment.from_query(well)[0], batch_size=2, learning_rate=0.002, epochs=20)
    experiment = first.continued(9, learning_rate=0.001, epochs=8)
    problem = build(experiment)
    return Run(experiment, problem, curvature_of(problem.objective), record(experiment))


RUNS = {
    "noisy quadratic": lambda: run_of(epochs=30),
    "scaled": lambda: run_of(epochs=30, scale_features=True, learning_rate=0.05),
    "two features": lambda: run_of("two-features", epochs=30, learning_rate=0.1),
    "two features, noise, scaled": lambda: run_of(
        "two-features", epochs=30, learning_rate=0.1, noise=2.0, points=40, scale_features=True
    ),
    "shape mistake": lambda: run_of(
        "two-features", epochs=30, learning_rate=0.1, loss="mse-broadcast", points=50
    ),
    "one row": lambda: run_of("one-parameter"),
    "one row, one step": lambda: run_of("one-parameter", learning_rate=1 / 18),
    "three rows": lambda: run_of(points=3, epochs=30, learning_rate=0.01),
    "mini-batches": lambda: run_of(batch_size=3, epochs=9),
    "mini-batches of a table with one weight": in_batches,
    "adam": lambda: run_of(optimizer="adam", epochs=20, learning_rate=0.5),
    "diverging": lambda: run_of(learning_rate=5e-5),
    "diverging at once": lambda: run_of(learning_rate=1e6),
    "started at the optimum": lambda: run_of("two-features", start=(1.3, -1.0, -3.5), epochs=3, points=20),
    "one row, started at the optimum": lambda: run_of("one-parameter", start=(-1.0,), epochs=3),
    "growing beyond 32 bits": lambda: run_of(
        points=10_000, start=(1e9, 1e9, 1e9), scale_features=True, learning_rate=0.5, epochs=30
    ),
    "one epoch": lambda: run_of(epochs=1),
    "waiting": waiting,
    "stopped": stopped,
    "flat directions": singular,
    "long": lambda: long_run(2500),
}


def views_of(run, colours=LIGHT):
    """Every view that the page can draw of a run, by name."""
    names = run.experiment.info.parameters
    views = {
        "error": error(run, colours, HEIGHT),
        "gap": gap(run, colours, HEIGHT),
        "panel": panel(run, run.recording.epochs, colours, HEIGHT),
    }
    for against in ("loss", "epoch"):
        for i, name in enumerate(names):
            views[f"trace {i} {against}"] = trace(run, i, name, against, colours, HEIGHT)
    if run.experiment.info.model == "linear":
        views["agreement"] = agreement(run, colours, HEIGHT)
        views |= {f"along {j}": along_chart(run, j, colours, HEIGHT) for j in range(2)}
    else:
        views["fit"] = fit(run, colours, HEIGHT)
    if len(names) == 1:
        views["parabola"] = parabola(run, names[0], colours, HEIGHT)
    else:
        views |= {
            f"map {pair}": landscape(run, pair, names, colours, HEIGHT) for pair in ((0, 1), (0, 2), (1, 2))
        }
    return views


def column(view, table, name):
    return view.tables[table][name].to_numpy().astype(float)


def the(view, name):
    """A number of the one-row table `frame`."""
    (value,) = column(view, "frame", name)
    return float(value)


def inside(spec):
    """Every dict within a specification."""
    if isinstance(spec, dict):
        yield spec
        for value in spec.values():
            yield from inside(value)
    if isinstance(spec, list):
        for value in spec:
            yield from inside(value)


# ------------------------------------------------------------------------------------------------ every view


def test_an_invalid_specification_is_found_by_any_test_that_draws_it():
    """Pages do not ask; the fixture of this folder does."""
    invalid = elements.one_row().mark_point()
    invalid.mark = {"type": "a mark that nobody knows"}  # Altair looks at what it is given when it is made
    with pytest.raises(SchemaValidationError, match="nobody knows"):
        elements.finish([invalid], 100)


@pytest.mark.parametrize("name", RUNS)
def test_every_view_of_every_kind_of_run_is_drawn_with_axes_that_have_two_ends(name):
    """No view raises or warns, and each axis runs from a lower to a higher finite number; a logarithmic one above 0."""
    for kind, view in views_of(RUNS[name]()).items():
        (x0, x1), (y0, y1) = ((the(view, f"{axis}0"), the(view, f"{axis}1")) for axis in "xy")
        assert -math.inf < x0 < x1 < math.inf, kind
        assert -math.inf < y0 < y1 < math.inf, kind
        if '"type": "log"' in json.dumps(view.spec):
            assert y0 > 0, kind
        for table in view.tables.values():
            for field in set(table.column_names) - {"floor", "floor_below", "floor_label", "zero"}:
                assert np.isfinite(table[field].to_numpy().astype(float)).all(), (kind, field)


@pytest.mark.parametrize("name", [name for name in RUNS if name != "growing beyond 32 bits"])
def test_a_specification_reads_only_tables_that_come_with_it(name):
    """Named data and expressions over data('…') name the view's tables, which are all used."""
    for kind, view in views_of(RUNS[name]()).items():
        text = json.dumps(view.spec)
        read = {
            d["data"]["name"]
            for d in inside(view.spec)
            if isinstance(d.get("data"), dict) and "name" in d["data"]
        }
        asked = set(re.findall(r"data\('(\w+)'\)", text))
        assert read | asked == set(view.tables), kind
        assert asked <= read, kind  # an expression finds only what a layer keeps in the chart
        assert "datasets" not in view.spec


@pytest.mark.parametrize("name", ["noisy quadratic", "two features", "one row", "shape mistake"])
def test_both_axes_have_one_title(name):
    """Of all layers together, x has one title and y has one, with words in it."""
    for kind, view in views_of(RUNS[name]()).items():
        for axis in "xy":
            titles = {
                d[axis]["axis"].get("title") for d in inside(view.spec) if "axis" in (d.get(axis) or {})
            }  # the layers' own encodings
            assert len(titles) == 1, (kind, axis, titles)
            assert titles.pop().strip(), (kind, axis)


def columns_read(spec):
    """Fields that a layer's encodings and expressions name, each with the table it reads."""
    for layer in spec["layer"]:
        if not isinstance(layer.get("data"), dict) or "name" not in layer["data"]:
            continue
        made = {t["as"] for t in layer.get("transform", []) if "as" in t}
        wanted = {
            e["field"] for e in layer.get("encoding", {}).values() if isinstance(e, dict) and "field" in e
        }
        text = " ".join(str(t.get("calculate", t.get("filter", ""))) for t in layer.get("transform", []))
        wanted |= set(re.findall(r"datum\.(\w+)", text))
        for field in wanted - made:
            yield layer["data"]["name"], field


@pytest.mark.parametrize("name", ["noisy quadratic", "two features", "one row", "shape mistake"])
def test_a_specification_reads_only_columns_that_its_tables_have(name):
    """What a layer encodes or computes with is a column of its table, or computed in the layer."""
    for kind, view in views_of(RUNS[name]()).items():
        for table, field in columns_read(view.spec):
            assert field in view.tables[table].column_names, (kind, table, field)


def test_a_specification_holds_no_number_of_the_run():
    """Other data, rates, epochs and starts change tables, never the specification: nothing is drawn anew."""
    one = views_of(run_of(epochs=7))
    other = views_of(
        run_of(epochs=1200, learning_rate=2e-5, data_seed=5, points=31, noise=1.0, start=(1.0, 2.0, 3.0))
    )
    assert one.keys() == other.keys()
    for kind in one:
        assert json.dumps(one[kind].spec) == json.dumps(other[kind].spec), kind
        assert one[kind].tables["frame"] != other[kind].tables["frame"], kind


def test_the_theme_changes_the_specification_only_in_its_colours():
    """Light and dark have the same shapes; taken without their colours, the specifications are the same text."""
    run = run_of(epochs=3)
    for kind, light in views_of(run).items():
        dark = views_of(run, DARK)[kind]
        texts = [json.dumps(view.spec) for view in (light, dark)]
        assert texts[0] != texts[1], kind
        assert len({re.sub(r"#[0-9A-F]{6}", "#", text) for text in texts}) == 1, kind


def test_drawing_twice_gives_the_same_specification():
    """Specifications are cached; a caller that is handed one leaves it as it was."""
    run = run_of(epochs=3)
    first = {kind: json.dumps(view.spec) for kind, view in views_of(run).items()}
    assert first == {kind: json.dumps(view.spec) for kind, view in views_of(run).items()}


# ------------------------------------------------------------------------------------------------ thinning


@given(
    st.integers(1, 1_000_000).flatmap(lambda planned: st.tuples(st.integers(0, planned), st.just(planned)))
)
def test_drawn_epochs_are_few_and_even_and_keep_both_ends(numbers):
    """From 0 to the last recorded epoch in equal steps, but for a shorter last one; no more rows than can be seen."""
    recorded, planned = numbers
    epochs = drawn_epochs(recorded, planned)
    steps = np.diff(epochs)
    assert epochs[0] == 0
    assert epochs[-1] == recorded
    assert len(epochs) <= DRAWN_EPOCHS + 2
    assert (steps[:-1] == stride_of(planned)).all()
    assert (steps > 0).all()
    assert (steps <= stride_of(planned)).all()


@pytest.mark.parametrize("epochs", [1, 10, 1000, 100_000])
@pytest.mark.parametrize("dataset", ["noisy-quadratic", "two-features", "one-parameter"])
def test_tables_stay_small_however_long_a_run_is(epochs, dataset):
    """No table has more rows than drawn epochs, data points or points of level lines, and short runs keep them all."""
    run = long_run(epochs, dataset)
    for kind, view in views_of(run).items():
        for name, table in view.tables.items():
            most = {"frame": 1, "points": DRAWN_ROWS, "lines": 3000, "loss": 200}.get(name, DRAWN_EPOCHS + 2)
            assert 1 <= table.num_rows <= most, (kind, name)
        if "run" in view.tables and epochs <= DRAWN_EPOCHS:
            assert view.tables["run"].num_rows == epochs + 1, kind
        assert sum(table.nbytes for table in view.tables.values()) < 60_000, kind


@pytest.mark.parametrize("points", [3, DRAWN_ROWS, DRAWN_ROWS + 1, 10_000])
def test_at_most_250_points_are_drawn_from_one_end_of_the_data_to_the_other(points):
    """Every row while there are few; then 250 of them, evenly, the first and the last second among them."""
    view = fit(run_of(points=points, epochs=1, learning_rate=1e-12), LIGHT, HEIGHT)
    t = column(view, "points", "x")
    assert len(t) == min(points, 250)
    assert (t[0], t[-1]) == (0, points - 1)
    assert np.ptp(np.diff(t)) <= 1
    assert the(view, "x0") < 0 < points - 1 < the(view, "x1")


def test_the_drawn_points_are_rows_of_the_data():
    """Of a thousand rows with two features, each drawn one is there with all its values."""
    run = run_of("two-features", epochs=1)
    view = agreement(run, LIGHT, HEIGHT)
    drawn = np.column_stack([column(view, "points", name) for name in ("x1", "x2", "y")])
    np.testing.assert_array_equal(drawn[::2], drawn[1::2])  # at the second the line of points is broken
    drawn = drawn[::2]
    data = torch.cat([run.problem.dataset.x, run.problem.dataset.y], 1).numpy().astype(np.float32)
    rows = {tuple(row): i for i, row in enumerate(data.astype(float))}
    found = [rows[tuple(row)] for row in drawn]
    assert len(found) == 125
    assert found[0] == 0
    assert found[-1] == 999
    assert found == sorted(found)


# ------------------------------------------------------------------------------------------------ data and fit


@pytest.mark.parametrize("scaled", [False, True])
def test_the_fitted_curve_predicts_what_the_model_predicts(scaled):
    """a t² + b t + c with the table's numbers is the trained model's ŷ at every epoch, scaled features or not."""
    run = run_of(epochs=20, scale_features=scaled, learning_rate=0.05 if scaled else 1e-5)
    view = fit(run, LIGHT, HEIGHT)
    t = np.arange(20.0)
    feature = (t - t.mean()) / t.std() if scaled else t
    theta = run.recording.epoch_theta.numpy()
    expected = theta @ np.stack([feature**2, feature, np.ones(20)])
    a, b, c = (column(view, "run", f"p{i}")[:, None] for i in range(3))
    size = np.abs(a) * t**2 + np.abs(b) * t + np.abs(c)  # the sum's terms, in 32 bits, may cancel
    assert (np.abs(a * t**2 + b * t + c - expected) <= 2 * FLOAT32 * size).all()


@pytest.mark.parametrize("scaled", [False, True])
def test_the_dashed_curve_is_the_least_squares_fit(scaled):
    """The optimum in `frame` is what NumPy's polyfit finds, in raw units either way."""
    run = run_of(epochs=1, scale_features=scaled)
    view = fit(run, LIGHT, HEIGHT)
    t, y = column(view, "points", "x"), column(view, "points", "y")
    np.testing.assert_allclose([the(view, f"p{i}") for i in range(3)], np.polyfit(t, y, 2), rtol=1e-5)


def test_one_parameter_is_drawn_as_a_line_through_the_origin():
    """A x with the table's A; the optimum is y/x = −1, and Vega gets the formula with that one parameter."""
    run = run_of("one-parameter", learning_rate=0.01, epochs=4)
    view = fit(run, LIGHT, HEIGHT)
    # (3 + 3A)² has the slope 18 (1 + A)
    a = [2.0]
    for _ in range(4):
        a.append(a[-1] - 0.01 * 18 * (1 + a[-1]))
    np.testing.assert_allclose(column(view, "run", "p0"), a, rtol=1e-6)
    assert the(view, "p0") == pytest.approx(-1)
    assert "now.p0 * datum.x" in json.dumps(view.spec)
    assert "p1" not in json.dumps(view.spec)


@pytest.mark.parametrize("scaled", [False, True])
def test_agreement_predicts_each_row_from_its_features(scaled):
    """p0 x₁ + p1 x₂ + p2 from the tables is ŷ of the trained model on the rows that are drawn."""
    run = run_of("two-features", epochs=10, learning_rate=0.1, points=100, scale_features=scaled, noise=1.0)
    view = agreement(run, LIGHT, HEIGHT)
    x1, x2 = (column(view, "points", name)[::2] for name in ("x1", "x2"))
    p = np.stack([column(view, "run", f"p{i}") for i in range(3)], 1)
    expected = np.stack([run.problem.objective.predict(theta).numpy() for theta in run.recording.epoch_theta])
    np.testing.assert_allclose(p @ np.stack([x1, x2, np.ones(100)]), expected, atol=1e-5)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("feature", [0, 1])
def test_along_is_the_prediction_with_the_other_feature_at_its_mean(feature, scaled):
    """Slope and rest give the model's ŷ for a row whose other feature is the mean of the data."""
    run = run_of("two-features", epochs=10, learning_rate=0.1, points=100, scale_features=scaled)
    view = along_chart(run, feature, LIGHT, HEIGHT)
    x = run.problem.dataset.x.numpy()
    probe = np.tile(x.mean(0), (5, 1))
    probe[:, feature] = np.linspace(-3, 3, 5)
    seen = (probe - x.mean(0)) / x.std(0) if scaled else probe
    expected = run.recording.epoch_theta.numpy() @ np.column_stack([seen, np.ones(5)]).T
    drawn = (
        column(view, "run", f"p{feature}")[:, None] * probe[:, feature] + column(view, "run", "rest")[:, None]
    )
    np.testing.assert_allclose(drawn, expected, atol=1e-5)
    exact = np.linalg.lstsq(
        np.column_stack([x, np.ones(100)]), run.problem.dataset.y[:, 0].numpy(), rcond=None
    )[0]
    rest = exact[2] + exact[1 - feature] * x[:, 1 - feature].mean()
    assert the(view, f"p{feature}") == pytest.approx(exact[feature], rel=1e-5)
    assert the(view, "rest") == pytest.approx(rest, rel=1e-5)


@pytest.mark.parametrize("epoch", [0, 7])
def test_a_panel_holds_the_predictions_of_its_epoch(epoch):
    """The crosses of the article's small panels are a t² + b t + c with that epoch's parameters."""
    run = run_of(epochs=7)
    view = panel(run, epoch, LIGHT, HEIGHT)
    expected = np.polyval(run.recording.epoch_theta[epoch].numpy(), np.arange(20.0))
    np.testing.assert_allclose(column(view, "points", "fitted"), expected, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(column(view, "points", "y"), run.problem.dataset.y[:, 0], rtol=1e-6)


# ------------------------------------------------------------------------------------------------ the error


def rmse_by_hand(run):
    t, y = np.arange(20.0), run.problem.dataset.y[:, 0].numpy()
    return np.array(
        [np.sqrt(np.mean((np.polyval(theta, t) - y) ** 2)) for theta in run.recording.epoch_theta.numpy()]
    )


def test_the_error_path_holds_the_rmse_and_both_ends():
    """Every drawn value is the RMSE to the last of 32 bits, from epoch 0 to the last."""
    run = run_of(epochs=1000)
    view = error(run, LIGHT, HEIGHT)
    epochs = column(view, "path", "epoch").astype(int)
    drawn = column(view, "path", "rmse")
    assert (epochs[0], epochs[-1]) == (0, 1000)
    assert (drawn == run.recording.epoch_rmse.numpy()[epochs].astype(np.float32)).all()
    np.testing.assert_allclose(drawn, rmse_by_hand(run)[epochs], rtol=1e-6)
    assert (column(view, "run", "rmse") == run.recording.epoch_rmse.numpy().astype(np.float32)).all()
    assert 2 < len(epochs) < 1001


@pytest.mark.parametrize("name", ["noisy quadratic", "diverging", "adam", "mini-batches", "long"])
def test_the_error_path_drops_only_what_lies_on_the_drawn_point_before(name):
    """A dropped epoch is nearer than a pixel to the last drawn one, across and up the chart."""
    run = RUNS[name]()
    view = error(run, LIGHT, HEIGHT)
    kept = column(view, "path", "epoch").astype(int)
    rmse = np.log(run.recording.epoch_rmse.numpy())
    for epoch in drawn_epochs(run.recording.epochs, run.experiment.total_epochs):
        before = kept[kept <= epoch][-1]
        if before != epoch:
            assert 2 * (epoch - before) / run.recording.epochs < PATH_STEP
            assert 2 * abs(rmse[epoch] - rmse[before]) / np.ptp(rmse) < PATH_STEP


def test_an_error_of_zero_is_drawn_at_the_edge_that_says_so():
    """One step of 1/18 lands on the optimum of one row: the axis ends at a line "zero to rounding", above 0."""
    run = run_of("one-parameter", learning_rate=1 / 18, epochs=5)
    assert float(run.recording.epoch_rmse[-1]) < 1e-15
    view = error(run, LIGHT, HEIGHT)
    zero = the(view, "zero")
    assert 0 < the(view, "y0") <= zero <= 1e-15
    assert column(view, "path", "rmse").min() == np.float32(zero)
    assert "zero to rounding" in json.dumps(view.spec)
    assert math.isnan(the(view, "floor"))
    assert math.isnan(the(view, "floor_below"))


@pytest.mark.parametrize("noise", [0.1, 30.0])
def test_where_nobody_may_know_the_floor_the_axis_does_not_tell_it(noise):
    """Before the attempt it reaches over as many decades whatever the noise, and holds neither line nor number."""
    view = error(waiting(noise=noise), LIGHT, HEIGHT, NEVER)
    assert the(view, "y1") / the(view, "y0") == pytest.approx(100, rel=1e-6)
    assert all(math.isnan(the(view, name)) for name in ("floor", "floor_below"))
    assert view.tables["frame"]["floor_label"].to_pylist() == [""]


def test_the_answer_replaces_data_and_no_chart():
    """With the optimum and without, a chart has one specification and one text: else it would be drawn anew."""
    run, names = waiting(), "abc"
    one, two = waiting("one-parameter"), run_of("two-features", epochs=2)
    for make in (
        lambda at: fit(run, LIGHT, HEIGHT, at),
        lambda at: error(run, LIGHT, HEIGHT, at),
        lambda at: landscape(run, (0, 1), names, LIGHT, HEIGHT, at),
        lambda at: parabola(one, "A", LIGHT, HEIGHT, at),
        lambda at: along_chart(two, 0, LIGHT, HEIGHT, at),
    ):
        views = [make(at) for at in (0, 7, NEVER)]
        assert all(view.spec == views[0].spec and view.text == views[0].text for view in views)
        assert [the(view, "answer_from") for view in views] == [0, 7, NEVER]


def test_an_error_that_is_not_zero_has_no_such_line():
    """The noisy quadratic keeps away from zero."""
    assert math.isnan(the(error(run_of(epochs=5), LIGHT, HEIGHT), "zero"))


@pytest.mark.parametrize("name", [name for name in RUNS if name != "flat directions"])
def test_the_floor_is_on_the_chart_or_said_to_be_below(name):
    """One of the three: a line within the axis, a sentence because it is below the axis, or the line of zero."""
    run = RUNS[name]()
    view = error(run, LIGHT, HEIGHT)
    floor, below, zero = (the(view, name) for name in ("floor", "floor_below", "zero"))
    assert sum(not math.isnan(value) for value in (floor, below)) <= 1
    assert not all(math.isnan(value) for value in (floor, below, zero))
    (label,) = view.tables["frame"]["floor_label"].to_pylist()
    features, target = run.problem.linear.features.numpy(), run.problem.linear.target.numpy()
    sought = target if run.experiment.loss == "mse" else np.full_like(target, target.mean())
    lowest = math.sqrt(((target - features @ np.linalg.lstsq(features, sought)[0]) ** 2).mean())
    if lowest < 1e-6 * abs(target).max():  # rows in 32 bits
        assert label == "floor 0 up to rounding"
    else:
        assert float(label.rpartition(" ")[2]) == pytest.approx(lowest, rel=5e-4)
    if not math.isnan(floor):
        assert the(view, "y0") < floor < the(view, "y1")
    if not math.isnan(below):
        assert below < the(view, "y0")


def test_the_axis_of_epochs_ends_where_the_run_ends_or_will_end():
    """As planned while more is coming; at the last epoch of a run that diverged or was stopped."""
    assert the(error(waiting(), LIGHT, HEIGHT), "x1") == 1000
    diverged = run_of(learning_rate=5e-5)
    assert diverged.recording.diverged_at == diverged.recording.epochs + 1 < 1000
    assert the(error(diverged, LIGHT, HEIGHT), "x1") == diverged.recording.epochs


def test_the_axis_of_epochs_ends_soon_after_the_error_rests():
    """At 0.2 the error stays within a pixel from some epoch on: the axis ends a quarter later, with each epoch before on it."""
    run = run_of(learning_rate=0.2, scale_features=True)
    logs = np.log(run.recording.epoch_rmse.numpy())
    rests = int(np.flatnonzero(abs(logs - logs[-1]) > 0.005 * np.ptp(logs))[-1]) + 1
    view = error(run, LIGHT, HEIGHT)
    assert the(view, "x1") == int(1.25 * rests) < 100
    assert column(view, "path", "epoch").tolist()[:rests] == list(range(rests))
    assert the(error(run_of(learning_rate=0.002, scale_features=True), LIGHT, HEIGHT), "x1") == 1000


def test_ten_drawn_epochs_stay_on_the_axis_of_a_long_run():
    """Of 100,000 epochs one in a hundred is drawn: at 0.2 the error rests before the first of them, and is still a line."""
    view = error(long_run(100_000, learning_rate=0.2, scale_features=True), LIGHT, HEIGHT)
    assert the(view, "x1") == 1000
    assert column(view, "path", "epoch").max() >= 100


def test_the_axis_of_epochs_is_whole_where_the_error_never_moves():
    """Between two points for ever, every epoch looks like the last: none is left out."""
    run = run_of("one-parameter", learning_rate=1 / 9, epochs=40)
    assert the(error(run, LIGHT, HEIGHT), "x1") == 40


@pytest.mark.parametrize("name", ["mini-batches", "mini-batches of a table with one weight"])
def test_beside_mini_batches_the_mean_of_the_last_half_is_drawn(name):
    """At every epoch NumPy's mean of the points so far, of this part of the run; its RMSE, and where it is on the map."""
    run = RUNS[name]()
    points = run.recording.epoch_theta.numpy()
    firsts = [0, 9] if run.experiment.before else [0]
    theirs = [points[0]]
    for epoch in range(1, len(points)):
        first = max(one for one in firsts if one < epoch)
        theirs.append(points[first + (epoch - first) // 2 + 1 : epoch + 1].mean(0))
    theirs = np.array(theirs)
    features, y = run.problem.linear.features.numpy(), run.problem.linear.target.numpy()
    view = error(run, LIGHT, HEIGHT, 0)
    rmse = np.sqrt(((theirs @ features.T - y) ** 2).mean(1))
    np.testing.assert_allclose(column(view, "run", "averaged"), rmse, rtol=1e-6)
    assert "the mean of the points of the last half" in view.text
    if theirs.shape[1] == 1:
        view = parabola(run, "w", LIGHT, HEIGHT)
        np.testing.assert_allclose(column(view, "run", "au"), theirs[:, 0], rtol=1e-6)
        np.testing.assert_allclose(column(view, "run", "av"), rmse**2, rtol=1e-5)
        return
    view = landscape(run, (0, 2), ("a", "b", "c"), LIGHT, HEIGHT)
    frame = view.tables["frame"].to_pylist()[0]
    centre, half = (frame["x0"] + frame["x1"]) / 2, (frame["x1"] - frame["x0"]) / 2
    places = centre + half * column(view, "run", "au") * STEPS_OUT / 32767
    np.testing.assert_allclose(
        places, np.clip(theirs[:, 0], centre - 4 * half, centre + 4 * half), atol=half * 2e-4
    )


def test_the_label_of_the_rate_is_of_the_whole_run():
    """First, largest and last, also where the axis ends soon after the error rests; the line is a share of the largest."""
    run = run_of(scale_features=True, learning_rate=0.3, schedule="step:20:0.5", warmup=5, epochs=60)
    rates = error(run, LIGHT, HEIGHT, 0).tables["rates"].to_pydict()
    assert rates["epoch"][-1] < 60
    assert rates["label"][0] == "η: 0.05 → 0.3 → 0.075"
    assert rates["share"] == pytest.approx([min(1, (k + 1) / 6) for k in rates["epoch"]])
    # no line crosses them: the largest is drawn at 0.24 of the height, below the floor
    (frame,) = error(run, LIGHT, HEIGHT, 0).tables["frame"].to_pylist()
    assert frame["y0"] * (frame["y1"] / frame["y0"]) ** 0.24 < 0.9 * frame["floor"]
    shrinks = run_of(scale_features=True, learning_rate=0.3, schedule="exponential:0.9", epochs=3)
    assert error(shrinks, LIGHT, HEIGHT, 0).tables["rates"].to_pydict()["label"][0] == "η: 0.3 → 0.243"


def test_all_rows_together_have_no_mean_beside_them():
    """Neither line nor word."""
    for view in (error(run_of(), LIGHT, HEIGHT, 0), landscape(run_of(), (0, 1), ("a", "b"), LIGHT, HEIGHT)):
        assert "mean of the points" not in view.text
        assert not {"averaged", "au"} & set(view.tables["run"].column_names)


def test_the_shape_mistake_has_a_second_line_of_its_loss():
    """Its root is √(var ŷ + var y + (mean ŷ − mean y)²), beside the RMSE against the data."""
    run = RUNS["shape mistake"]()
    view = error(run, LIGHT, HEIGHT)
    data = run.problem.dataset
    x, y = data.x.numpy(), data.y[:, 0].numpy()
    epochs = column(view, "path", "epoch").astype(int)
    predicted = run.recording.epoch_theta.numpy()[epochs] @ np.column_stack([x, np.ones(len(x))]).T
    table = np.sqrt(((predicted[:, :, None] - y) ** 2).mean((1, 2)))
    np.testing.assert_allclose(column(view, "path", "root_loss"), table, rtol=1e-6)
    rmse = np.sqrt(((predicted - y) ** 2).mean(1))
    np.testing.assert_allclose(column(view, "path", "rmse"), rmse, rtol=1e-6)


# ------------------------------------------------------------------------------------------------ the gap


@pytest.mark.parametrize(
    "name", ["noisy quadratic", "scaled", "mini-batches", "adam", "two features, noise, scaled"]
)
def test_the_parts_of_the_gap_add_up_to_the_loss_above_its_lowest(name):
    """The directions sum to the whole, and the whole is L − L* with L* from NumPy's least squares."""
    run = RUNS[name]()
    view = gap(run, LIGHT, HEIGHT)
    features, y = run.problem.linear.features.numpy(), run.problem.objective.target.numpy()
    best = np.linalg.lstsq(features, y, rcond=None)[0]
    lowest = np.mean((features @ best - y) ** 2)
    epochs = column(view, "path", "epoch").astype(int)
    theta = run.recording.epoch_theta.numpy()[epochs]
    expected = np.mean((theta @ features.T - y) ** 2, 1) - lowest
    whole = column(view, "path", "whole")
    parts = sum(column(view, "path", f"g{i}") for i in range(3))
    np.testing.assert_allclose(whole, expected, rtol=1e-5, atol=1e-9 * expected[0])
    np.testing.assert_allclose(parts, whole, rtol=1e-6)
    assert (epochs[0], epochs[-1]) == (0, run.recording.epochs)


def test_each_part_of_the_gap_shrinks_by_its_own_factor():
    """Under gradient descent direction i is multiplied by (1 − ηλᵢ)² an epoch, λᵢ from NumPy."""
    run = run_of(epochs=40, scale_features=True, learning_rate=0.05)
    view = gap(run, LIGHT, HEIGHT)
    features = run.problem.linear.features.numpy()
    eigenvalues = np.linalg.eigvalsh(2 * features.T @ features / len(features))
    epochs = column(view, "path", "epoch")
    for i, eigenvalue in enumerate(eigenvalues):
        part = column(view, "path", f"g{i}")
        np.testing.assert_allclose(part, part[0] * (1 - 0.05 * eigenvalue) ** (2 * epochs), rtol=1e-4)


def test_a_direction_that_is_done_lies_on_the_line_of_zero():
    """Below 10⁻¹⁶ of the first gap a part rests at the line "zero to rounding", and the axis ends below it."""
    run = run_of("two-features", learning_rate=0.45, epochs=400, points=100)
    view = gap(run, LIGHT, HEIGHT)
    zero, whole = the(view, "zero"), column(view, "path", "whole")
    assert zero == pytest.approx(1e-16 * whole[0], rel=1e-6)
    assert whole[-1] == pytest.approx(zero)
    assert 0 < the(view, "y0") < zero


# ------------------------------------------------------------------------------------------------ the map


@pytest.mark.parametrize("axes", [(0, 1), (0, 2), (1, 2)])
@pytest.mark.parametrize("name", ["noisy quadratic", "scaled", "diverging", "two features", "mini-batches"])
def test_a_place_on_the_map_decodes_to_the_parameters(name, axes):
    """16 bits are within 1/8000 of the half-width. A run that leaves the map has 32, and the map grows with it: from epoch to
    epoch its ends hold all of the way so far, with a margin."""
    run = RUNS[name]()
    view = landscape(run, axes, run.experiment.info.parameters, LIGHT, HEIGHT)
    rows = drawn_epochs(run.recording.epochs, run.experiment.total_epochs)
    theta = run.recording.epoch_theta.numpy()[rows]
    for axis, letter, place in zip(axes, "xy", "uv", strict=True):
        low, high = the(view, f"{letter}0"), the(view, f"{letter}1")
        centre, half = (low + high) / 2, (high - low) / 2
        share = (theta[:, axis] - centre) / half
        stored = view.tables["run"][place].to_numpy()
        decoded = stored.astype(float) * STEPS_OUT / 32767
        if name == "diverging":
            zoom = column(view, "run", "zoom")
            assert (1.1 * np.maximum.accumulate(abs(share)) <= zoom).all()
            np.testing.assert_allclose(decoded, share, rtol=1e-6, atol=1e-6)
        else:
            assert stored.dtype == np.int16
            assert "zoom" not in view.tables["run"].column_names
            assert (np.abs(decoded - share) < 1 / 8000).all()


def test_beside_a_pinned_run_the_map_stays():
    """A pinned run ends at its border; what is farther than four half-widths off is drawn there, out of sight."""
    run = RUNS["diverging"]()
    ghost = Ghost(
        0, summarised(run.experiment, run.problem, run.recording, run.parabola), run.problem, run.parabola
    )
    view = landscape(run, (0, 1), "abc", LIGHT, HEIGHT, ghosts=[ghost])
    assert "zoom" not in view.tables["run"].column_names
    stored = view.tables["run"]["u"].to_numpy()
    assert stored.dtype == np.int16
    assert abs(stored).max() == 32767


def test_a_map_says_how_much_it_shows_as_far_as_the_run_has_gone():
    """Along 1 − ηλ = −8 the distance grows eightfold an epoch; the map with it, once the run leaves it."""
    run = run_of("one-parameter", learning_rate=0.5, epochs=5)
    view = parabola(run, "A", LIGHT, HEIGHT)
    away = 3 * 8.0 ** np.arange(run.recording.epochs + 1)  # from A = 2 to −1
    half = (the(view, "x1") - the(view, "x0")) / 2
    np.testing.assert_allclose(column(view, "run", "zoom"), np.maximum(1, 1.15 * away / half), rtol=1e-6)


@pytest.mark.parametrize("name", ["diverging", "diverging at once", "two features", "noisy quadratic"])
def test_a_curve_that_has_left_the_chart_is_said_to_be_off(name):
    """By the RMSE, from where that is more than the chart is high, and towards where NumPy has the mean prediction."""
    run = RUNS[name]()
    run = replace(run, recording=watched(run.recording, run.experiment, run.problem))
    several = run.problem.dataset.x.shape[1] > 1
    view = agreement(run, LIGHT, HEIGHT) if several else fit(run, LIGHT, HEIGHT)
    rmse, theta = run.recording.epoch_rmse.numpy(), run.recording.epoch_theta.numpy()
    gone = rmse > the(view, "y1") - the(view, "y0")
    if not gone.any():
        assert "off" not in view.tables["run"].column_names
        return
    features, y = run.problem.linear.features.numpy(), run.problem.linear.target.numpy()
    sign = np.sign(theta @ features.mean(0) - y.mean())
    np.testing.assert_allclose(column(view, "run", "off"), np.where(gone, sign * rmse, 0), rtol=1e-6)
    assert name.startswith("diverging")


@pytest.mark.parametrize("axes", [(0, 1), (0, 2), (1, 2)])
def test_the_maps_cross_marks_the_lowest_point_of_the_slice(axes):
    """With the other parameter held as it is, NumPy's least squares over two columns finds the decoded place."""
    run = run_of("two-features", epochs=12, learning_rate=0.1, points=60, noise=1.0)
    view = landscape(run, axes, run.experiment.info.parameters, LIGHT, HEIGHT)
    (other,) = {0, 1, 2} - set(axes)
    features, y = run.problem.linear.features.numpy(), run.problem.objective.target.numpy()
    for k, theta in enumerate(run.recording.epoch_theta.numpy()):
        target = y - features[:, other] * theta[other]
        lowest = np.linalg.lstsq(features[:, list(axes)], target, rcond=None)[0]
        for value, letter, place in zip(lowest, "xy", ("mu", "mv"), strict=True):
            low, high = the(view, f"{letter}0"), the(view, f"{letter}1")
            decoded = (low + high) / 2 + (high - low) / 2 * column(view, "run", place)[k] * STEPS_OUT / 32767
            assert decoded == pytest.approx(value, abs=(high - low) / 2 / 8000)


@pytest.mark.parametrize("name", ["noisy quadratic", "scaled", "diverging", "adam", "mini-batches", "long"])
def test_the_path_drops_only_points_that_lie_on_the_drawn_one_before(name):
    """A dropped epoch is nearer than PATH_STEP half-widths to the last drawn one; the drawn ones are exact."""
    run = RUNS[name]()
    view = landscape(run, (0, 1), "abc", LIGHT, HEIGHT)
    half = [(the(view, f"{letter}1") - the(view, f"{letter}0")) / 2 for letter in "xy"]
    kept = column(view, "path", "epoch").astype(int)
    assert (kept[0], kept[-1]) == (0, run.recording.epochs)
    theta = run.recording.epoch_theta[:, :2].numpy()
    drawn = np.column_stack([column(view, "path", "u"), column(view, "path", "v")])
    np.testing.assert_allclose(drawn, theta[kept], rtol=1e-6)
    for epoch in drawn_epochs(run.recording.epochs, run.experiment.total_epochs):
        before = kept[kept <= epoch][-1]
        if before != epoch:
            assert (np.abs(theta[epoch] - theta[before]) / half).max() < PATH_STEP * 1.001


def test_the_map_holds_start_and_optimum():
    """Its middle is the least-squares optimum, and the start lies inside."""
    run = run_of(epochs=1)
    view = landscape(run, (0, 2), "abc", LIGHT, HEIGHT)
    best = np.polyfit(np.arange(20.0), run.problem.dataset.y[:, 0].numpy(), 2)
    assert (the(view, "ou"), the(view, "ov")) == pytest.approx((best[0], best[2]), rel=1e-5)
    assert the(view, "x0") < float(run.problem.start[0]) < the(view, "x1")
    assert the(view, "y0") < float(run.problem.start[2]) < the(view, "y1")


def test_the_parabola_is_the_loss_of_one_row():
    """(3 + 3A)² at every point of the curve and of the run, with the lowest loss 0 at A = −1."""
    view = parabola(run_of("one-parameter", learning_rate=0.01, epochs=9), "A", LIGHT, HEIGHT)
    for table, x, y in (("loss", "u", "v"), ("run", "u", "loss"), ("path", "u", "v")):
        a, loss = column(view, table, x), column(view, table, y)
        np.testing.assert_allclose(loss, (3 + 3 * a) ** 2, rtol=1e-5, atol=1e-5)
    assert (the(view, "ou"), the(view, "ov")) == pytest.approx((-1, 0), abs=1e-6)


# ------------------------------------------------------------------------------------------------ traces


def test_a_trace_marks_what_the_data_were_made_with():
    """The truth is in the frame and inside the axis, in a specification that holds no number of the run."""
    run = run_of("two-features", epochs=50)
    plain, marked = (trace(run, 0, "w₁", "loss", LIGHT, HEIGHT, truth) for truth in (None, 9.5))
    frame = marked.tables["frame"].to_pylist()[0]
    assert frame["truth"] == 9.5
    assert frame["x0"] < 9.5 < frame["x1"]
    assert "truth" not in plain.tables["frame"].column_names
    assert "9.5" not in json.dumps(marked.spec)
    assert "made with" in marked.text


@pytest.mark.parametrize("parameter", [0, 1, 2])
@pytest.mark.parametrize("scaled", [False, True])
def test_a_trace_is_the_parameter_in_raw_units(parameter, scaled):
    """By epoch and against the loss it holds the coefficients of t², t and 1, and the dashed line is polyfit's."""
    run = run_of(epochs=25, scale_features=scaled, learning_rate=0.05 if scaled else 1e-5)
    by_epoch, by_loss = (trace(run, parameter, "a", against, LIGHT, HEIGHT) for against in ("epoch", "loss"))
    t, y = np.arange(20.0), run.problem.dataset.y[:, 0].numpy()
    predicted = [run.problem.objective.predict(theta).numpy() for theta in run.recording.epoch_theta]
    raw = np.array([np.polyfit(t, one, 2)[parameter] for one in predicted])
    np.testing.assert_allclose(column(by_epoch, "run", "y"), raw, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(column(by_epoch, "run", "x"), np.arange(26))
    np.testing.assert_allclose(column(by_loss, "run", "x"), raw, rtol=1e-5, atol=1e-6)
    losses = [np.mean((one - y) ** 2) for one in predicted]
    np.testing.assert_allclose(column(by_loss, "run", "y"), losses, rtol=1e-6)
    for view in (by_epoch, by_loss):
        assert the(view, "optimum") == pytest.approx(np.polyfit(t, y, 2)[parameter], rel=1e-5)


@pytest.mark.parametrize("epochs", [1, 9, 10, 1000, 2500])
def test_crosses_stand_at_about_every_tenth_of_a_run_and_on_drawn_epochs(epochs):
    """Between a run's epochs that are drawn, 1 to 13 crosses, never one at an epoch that has no row."""
    run = long_run(epochs)
    view = trace(run, 0, "a", "epoch", LIGHT, HEIGHT)
    crosses = [e for e in column(view, "run", "epoch") if e % the(view, "every") == 0]
    assert crosses[0] == 0
    assert min(epochs, 10) <= len(crosses) <= 13
    assert the(view, "every") % stride_of(epochs) == 0


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"noise": 0.5}, "floor 0."),
        ({"noise": 0.0}, "floor 0 up to rounding"),
        ({"noise": 0.5, "loss": "mse-broadcast"}, "where the loss is lowest: "),
    ],
)
def test_the_dashed_line_of_errors_is_called_what_it_is(changes, label):
    """The floor; 0 where it is rounding; and of the mistaken loss, where that is lowest: the RMSE may go below it."""
    experiment = replace(Experiment.default("two-features"), epochs=5, **changes)
    problem = build(experiment)
    run = Run(experiment, problem, curvature_of(problem.objective), record(experiment))
    (found,) = error(run, LIGHT, 200).tables["frame"]["floor_label"].to_pylist()
    assert found.startswith(label)


@pytest.mark.parametrize("start", [2.0, -40.0, 1e6])
def test_the_line_of_a_single_row_is_in_the_frame(start):
    """y = a x at the row's x = 3, where the run starts, stands on the axes: the legend names nothing that is not drawn."""
    view = fit(run_of("one-parameter", start=(start,), epochs=2), LIGHT, HEIGHT)
    frame = view.tables["frame"].to_pylist()[0]
    assert frame["y0"] <= 3 * start <= frame["y1"]
    assert frame["y0"] <= -3 <= frame["y1"]


@pytest.mark.parametrize(
    "values",
    [
        np.array([1.5, np.nan, -np.inf, 3e38], np.float32), np.arange(10.0)[::3], np.zeros(0), np.array([-1, 7], np.int16),
        np.array([True] * 9 + [False, True]), np.array(["ŷ − y", "", "floor 1.467"]), np.array([""]),
    ],
    ids=lambda values: f"{values.dtype.str} {len(values)}",
)  # fmt: skip
def test_a_column_by_its_bytes_is_the_one_that_arrow_makes(values):
    """Numbers of any width, with nothing in them and with gaps between, truths, and texts."""
    ours, theirs = model.column_of(values), pa.array(values)
    ours.validate(full=True)
    assert ours.type == theirs.type
    assert repr(ours.to_pylist()) == repr(theirs.to_pylist())


@pytest.mark.parametrize(("name", "ticks"), [("year", {"1990", "2000"}), ("SqFt", {"1,990", "2,000"})])
def test_an_axis_of_calendar_years_has_no_commas(name, ticks):
    """As Vega draws it; beside it an axis of another quantity of that size."""
    chart = elements.rows_from("points").mark_point().encode(x=elements.x_axis_of(name))
    spec = chart.to_dict() | {
        "datasets": {"points": [{"x": 1985}]},
        "params": [{"name": "x0", "value": 1985}, {"name": "x1", "value": 2005}],
    }
    drawn = set(re.findall(r"<text[^>]*>([^<]+)<", vl_convert.vegalite_to_svg(spec)))
    assert ticks <= drawn


def test_a_channel_that_is_given_as_a_text_or_a_value_is_made_as_altair_makes_it():
    """Of every kind, and without its dictionary of all classes, which it makes anew for each."""
    channels = {
        "x": "x:Q", "y": alt.value(alt.ExprRef("height")), "x2": "end", "y2": "y2:Q", "order": "i:Q", "detail": "line:N",
        "text": "label:N", "strokeDash": alt.value([2, 3]), "opacity": alt.value(0.5), "color": alt.Color("level:Q"),
        "tooltip": [alt.Tooltip("x:Q")], "shape": "kind:N",
    }  # fmt: skip
    made = [chart.mark_point().encode(**channels) for chart in (alt.Chart("a"), elements.Rows("a"))]
    theirs, ours = (one.to_dict() for one in made)
    assert ours == theirs
    assert [type(value) for value in made[1].encoding._kwds.values()] == [
        type(value) for value in made[0].encoding._kwds.values()
    ]
