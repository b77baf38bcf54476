"""Other people's conventions: no intercept, a scaled target, powers up to 10. By NIST's numbers, NumPy and torch.optim."""

import json
from dataclasses import replace
from fractions import Fraction

import exact
import nist
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gd_core.export.record_file import to_json
from gd_core.large.run import LargeRun
from gd_core.large.training import problem_of
from gd_core.models import Linear
from gd_core.moments import Moments
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.safe_start import safe_start
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.tables.table import Table, keep
from gd_core.theory import curvature_of, forecast_of

TABLES = {}  # kept as long as the tests run


def of_columns(columns, **changes):
    """A run on columns by name, the last of which is the target; read as a link would be."""
    table = keep(Table.of(columns))
    TABLES[table.key] = table
    *features, target = columns
    query = {"dataset": "table", "table": table.key, "target": target, "features": ",".join(features)}
    query |= {name: str(value).lower() for name, value in changes.items()}
    experiment, sentences = Experiment.from_query(query)
    assert sentences == []
    return experiment


def of_nist(name, **changes):
    """One of NIST's data sets, with the settings that fit its model."""
    certified = nist.DATASETS[name]
    target, *features = ([float(cell) for cell in column] for column in certified.columns)
    columns = {f"x{i}": column for i, column in enumerate(features)} | {"y": target}
    if certified.model == "proportional":
        changes |= {"intercept": False}
    if certified.model == "polynomial":
        changes |= {"degree": len(certified.parameters) - 1}
    return of_columns(columns, **changes), certified


def forecast(experiment):
    problem = build(experiment)
    return forecast_of(experiment, problem, curvature_of(problem.objective))


def certified_floor(certified):
    """RMSE of the certified fit, from its residual deviation."""
    rows, parameters = len(certified.columns[0]), len(certified.parameters)
    return float(certified.residual_deviation) * ((rows - parameters) / rows) ** 0.5


# --------------------------------------------------------------------------------------------------- no intercept

SCALES = pytest.mark.parametrize(
    "scales",
    [{}, {"scale_features": True}, {"scale_target": True}, {"scale_features": True, "scale_target": True}],
    ids=["raw", "features", "target", "both"],
)


@SCALES
@pytest.mark.parametrize("name", ["NoInt1", "NoInt2"])
def test_a_line_through_the_origin_has_nists_numbers(name, scales):
    """Optimum and floor to NIST's digits, and a run that settles there, however it is scaled."""
    experiment, certified = of_nist(name, **scales)
    assert experiment.info.parameters == ("w₁",)
    known = forecast(experiment)
    assert known.optimum == pytest.approx([float(certified.parameters[0])], rel=1e-14)
    assert known.floor_rmse == pytest.approx(certified_floor(certified), rel=1e-14)
    run = replace(safe_start(experiment), epochs=50)
    recording = record(run)
    assert float(recording.epoch_rmse[-1]) == pytest.approx(certified_floor(certified), rel=1e-13)
    raw = build(run).raw(recording.epoch_theta[-1])
    assert raw.tolist() == pytest.approx([float(certified.parameters[0])], rel=1e-13)


@pytest.mark.parametrize("scale_features", [False, True])
@pytest.mark.parametrize("name", ["NoInt1", "NoInt2"])
def test_a_table_of_any_size_goes_through_the_origin_too(name, scale_features):
    """From the moments of its rows alone."""
    certified = nist.DATASETS[name]
    y, x = (
        torch.tensor([float(cell) for cell in column], dtype=torch.float64) for column in certified.columns
    )
    run = LargeRun(target="y", features=("x",), intercept=False, scale_features=scale_features)
    problem = problem_of(run, Moments.of(x[:, None], y))
    assert run.parameters == ("w₁",)
    raw = problem.to_raw @ problem.curvature.optimum
    assert raw.tolist() == pytest.approx([float(certified.parameters[0])], rel=1e-14)
    assert problem.curvature.floor_rmse == pytest.approx(certified_floor(certified), rel=1e-14)


def test_without_an_intercept_features_are_divided_by_their_size():
    """As R's scale(center = FALSE): by √(mean x²), and not shifted, so that the curve still goes through the origin."""
    x, y = np.array([3.0, 4.0, 10.0]), np.array([1.0, 2.0, 2.0])
    experiment = of_columns({"x": x, "y": y}, intercept=False, scale_features=True, scale_target=True)
    problem = build(experiment)
    assert problem.objective.dataset.x[:, 0].tolist() == pytest.approx(x / np.sqrt(np.mean(x**2)), rel=1e-15)
    assert problem.objective.dataset.y[:, 0].tolist() == pytest.approx(y / np.sqrt(np.mean(y**2)), rel=1e-15)
    assert not problem.offset.any()


def test_a_constant_column_is_not_an_intercept_twice():
    """Without an intercept a column of ones is one: nothing is flat, and the fit is that of a line with b."""
    x, y = [1.0, 2.0, 3.0, 5.0], [2.0, 1.0, 4.0, 6.0]
    own = forecast(of_columns({"x": x, "ones": [1.0] * 4, "y": y}, intercept=False, scale_features=True))
    line = np.polyfit(x, y, 1)
    assert own.optimum == pytest.approx(line.tolist(), rel=1e-13)
    assert np.isfinite(own.condition_number)


# ------------------------------------------------------------------------------------------------- a scaled target


@st.composite
def tables(draw):
    """A run on one to three columns of any size and place."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 3))
    place, size = draw(st.floats(-5, 5)), 10.0 ** draw(st.integers(-3, 6))
    columns = {f"x{i}": generator.normal(size=12) + place for i in range(count)}
    columns["y"] = size * (sum(columns.values()) + generator.normal(size=12) + draw(st.floats(-20, 20)))
    changes = {
        "degree": draw(st.integers(1, 4)) if count == 1 else 1,
        "intercept": draw(st.booleans()),
        "scale_features": draw(st.booleans()),
        "holdout": draw(st.sampled_from([0, 0.3])),
        "loss": draw(st.sampled_from(["mse", "mse-broadcast"])),
    }
    return of_columns(columns, **changes)


@given(tables())
@settings(max_examples=40, deadline=None)
def test_gradient_descent_draws_the_same_curve_at_every_epoch(experiment):
    """From the same start, at the same rate: curvatures, floor, RMSE, held-out RMSE and raw parameters do not change."""
    plain = replace(safe_start(experiment), epochs=20)
    scaled = replace(plain, scale_target=True)
    one, other = forecast(plain), forecast(scaled)
    assert other.eigenvalues == pytest.approx(one.eigenvalues, rel=1e-12)
    assert other.stability_limit == pytest.approx(one.stability_limit, rel=1e-12)
    size = float(build(plain).dataset.y.square().mean().sqrt())
    assert other.floor_rmse == pytest.approx(one.floor_rmse, rel=1e-9, abs=1e-12 * size)
    a, b = record(plain), record(scaled)
    assert b.epoch_rmse.tolist() == pytest.approx(a.epoch_rmse.tolist(), rel=1e-9, abs=1e-12 * size)
    if plain.holdout:
        assert b.epoch_held_out_rmse.tolist() == pytest.approx(a.epoch_held_out_rmse.tolist(), rel=1e-9)
    first, second = build(plain), build(scaled)
    raw, same = first.raw(a.epoch_theta), second.raw(b.epoch_theta)
    away = first.linear.model.features(first.dataset.x) @ (raw - same).T
    assert float(away.abs().max()) < 1e-9 * (1 + size)
    drawn, again = first.centred(a.epoch_theta), second.centred(b.epoch_theta)
    torch.testing.assert_close(again, drawn, rtol=1e-8, atol=1e-9 * size)


@pytest.mark.parametrize("holdout", [0, 0.4])
def test_adam_on_a_scaled_target_is_torchs(holdout):
    """On (y − mean)/deviation of the training rows, as scikit-learn's StandardScaler has it; RMSE times the deviation."""
    generator = np.random.default_rng(3)
    x = generator.normal(size=(30, 2))
    y = 4e5 + 1e5 * (x @ [1.0, -2.0]) + 3e4 * generator.normal(size=30)
    experiment = of_columns({"u": x[:, 0], "v": x[:, 1], "y": y}, scale_target=True, holdout=holdout)
    experiment = replace(experiment, optimizer="adam", learning_rate=0.1, epochs=30)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    kept = round(holdout * 30)
    training = order[kept:].sort().values.numpy()
    mean, deviation = y[training].mean(), y[training].std()
    columns = torch.tensor(np.column_stack([x, np.ones(30)]))
    scaled = torch.tensor((y - mean) / deviation)
    theta = torch.tensor([0.0, 0.0, -mean / deviation], dtype=torch.float64, requires_grad=True)
    adam = torch.optim.Adam([theta], lr=0.1)
    expected, unseen = [], []
    for _ in range(31):
        away = columns @ theta - scaled
        loss = away[training].square().mean()
        expected.append(deviation * float(loss.detach().sqrt()))
        unseen.append(deviation * float(away.detach()[order[:kept]].square().mean().sqrt()))
        adam.zero_grad()
        loss.backward()
        adam.step()
    recording = record(experiment)
    assert recording.epoch_rmse.tolist() == pytest.approx(expected, rel=1e-9)
    if kept:
        assert recording.epoch_held_out_rmse.tolist() == pytest.approx(unseen, rel=1e-9)
    last = json.loads(to_json(experiment, recording))["last"]
    assert last["rmse"] == pytest.approx(expected[-1], rel=1e-9)
    assert last["loss"] == pytest.approx((expected[-1] / deviation) ** 2, rel=1e-9)


@pytest.mark.parametrize("scale_features", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_a_perfect_fit_of_a_scaled_target_is_one(seed, scale_features):
    """The plane of float32 numbers has a floor of nothing; with noise of 1e-5 it has not."""
    plane = replace(Experiment.default("two-features"), points=100, data_seed=seed, scale_target=True)
    plane = replace(plane, scale_features=scale_features)
    assert curvature_of(build(plane).objective).floor_is_zero
    assert not curvature_of(build(replace(plane, noise=1e-5)).objective).floor_is_zero


def test_a_constant_target_keeps_its_unit():
    """Its deviation is 0: it is only shifted, and its fit is perfect."""
    experiment = of_columns({"x": [1.0, 2.0, 4.0], "y": [7.0, 7.0, 7.0]}, scale_target=True)
    problem = build(experiment)
    assert (problem.objective.dataset.unit, problem.objective.target.tolist()) == (1.0, [0.0] * 3)
    assert forecast(experiment).optimum == pytest.approx((0, 7), abs=1e-14)


# ------------------------------------------------------------------------------------------------- powers up to 10

YEARS = np.arange(1996.0, 2020.0)
POINTS = {
    "Filip": None,
    "years": (YEARS, np.round(3 - ((YEARS - 2010) / 7) ** 2 + np.sin(YEARS), 3)),
    "hours": (np.arange(24.0), np.round(20 + 5 * np.sin(np.arange(24.0) / 4), 2)),
}


def tenth(name, degree=10, **changes):
    """A polynomial of degree 10 through some points."""
    if name == "Filip":
        return of_nist("Filip", **changes)[0]
    x, y = POINTS[name]
    return of_columns({"x": x, "y": y}, degree=degree, **changes)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("scale_target", [False, True])
@pytest.mark.parametrize("name", POINTS)
def test_a_tenth_power_has_its_floor_and_says_which_digits_it_knows(name, scale_target, intercept):
    """On a scaled x: the floor of rational arithmetic to 1e-9, and each digit that is said to be known is right."""
    # without an intercept nothing shifts years to 0: their tenth power and ninth are alike to the last of 16 digits
    degree = 4 if name == "years" and not intercept else 10
    experiment = tenth(name, degree, scale_features=True, scale_target=scale_target, intercept=intercept)
    problem, known = build(experiment), forecast(experiment)
    x, y = problem.dataset.x[:, 0].tolist(), problem.dataset.y[:, 0].tolist()
    right = exact.fit([x], y, f"{'polynomial' if intercept else 'origin'} {degree}")
    assert known.floor_rmse == pytest.approx(right.floor, rel=1e-9)
    for digits, value, true in zip(known.optimum_digits, known.optimum, right.parameters, strict=True):
        assert digits > 0
        assert abs(Fraction(value) - true) <= abs(true) * Fraction(10) ** (1 - digits), (
            digits,
            value,
            float(true),
        )


def test_filip_has_nists_floor():
    """Degree 10, for which the certified coefficients are reached to the digits that are said to be known."""
    experiment, certified = of_nist("Filip", scale_features=True)
    known = forecast(experiment)
    assert known.floor_rmse == pytest.approx(certified_floor(certified), rel=1e-9)
    for digits, value, text in zip(known.optimum_digits, known.optimum, certified.parameters, strict=True):
        assert digits >= 5
        assert value == pytest.approx(float(text), rel=10.0 ** (1 - digits))


@pytest.mark.parametrize("optimizer", ["gradient-descent", "momentum", "nesterov"])
@pytest.mark.parametrize("name", POINTS)
@SCALES
def test_both_engines_have_the_same_numbers(name, optimizer, scales):
    """To 1e-9 of the first RMSE: along the eigenvectors and by the loop."""
    experiment = tenth(name, **({"scale_features": True} | scales), optimizer=optimizer, epochs=600)
    experiment = safe_start(experiment)
    assert experiment.runs_on == "spectrum"
    at_once, by_loop = record(experiment), record(replace(experiment, engine="loop"))
    first = float(by_loop.epoch_rmse[0])
    assert at_once.epoch_rmse.tolist() == pytest.approx(by_loop.epoch_rmse.tolist(), abs=1e-9 * first)


def test_a_curve_is_drawn_from_what_is_trained():
    """Raw coefficients of a tenth power of years have lost it: by way of them it would be off by millions."""
    experiment = replace(safe_start(tenth("years", scale_features=True)), epochs=100)
    problem, recording = build(experiment), record(experiment)
    theta = recording.epoch_theta[-1]
    x = problem.dataset.x
    drawn = problem.linear.model.features((x - x.mean()) / x.std(correction=0)) @ problem.centred(theta)
    torch.testing.assert_close(drawn, problem.predicted(theta), rtol=1e-12, atol=1e-12)
    lost = problem.linear.model.features(x) @ problem.raw(theta)
    assert float((lost - drawn).abs().max()) > 1e3


# ------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("dataset", "changes", "sentence"),
    [
        ("one-parameter", {"intercept": False}, "intercept must be true for one-parameter: its model has none to leave out. Got false."),
        ("one-parameter", {"scale_target": True}, "scale_target must be false for one-parameter: a single row has no spread. Got true."),
        ("two-features", {"intercept": False, "start": (1.0, 2.0, 3.0)}, "start must hold 2 numbers (w₁, w₂). Got 3."),
        ("table", {"degree": 11}, "degree must be a whole number between 1 and 10. Got 11."),
        ("two-features", {"intercept": 0}, "intercept must be one of true, false. Got 0."),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(dataset, changes, sentence):
    """In one sentence with the parameter, the rule and the value."""
    with pytest.raises(ParameterError) as refused:
        replace(Experiment.default(dataset), **changes)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"scale_target": True},
            "scale_target must be left out for a table that is read in pieces. Got true.",
        ),
        ({"degree": "7"}, "degree must be a whole number between 1 and 5. Got 7."),
    ],
)
def test_what_a_table_in_pieces_cannot_is_refused(given, sentence):
    """Its rows are added up as they are."""
    with pytest.raises(ParameterError, match=f"^{sentence}$"):
        LargeRun.of(given)


def test_published_data_can_lose_their_intercept():
    """Their start loses its last number; the words are those of the model without it."""
    for name, parameters in (("noisy-quadratic", ("a", "b")), ("two-features", ("w₁", "w₂"))):
        experiment = replace(Experiment.default(name), intercept=False)
        whole = build(Experiment.default(name)).start.tolist()
        assert experiment.info.parameters == parameters
        assert build(experiment).start.tolist() == whole[:-1]
        assert Experiment.from_query(experiment.to_query()) == (experiment, [])
    assert isinstance(build(experiment).linear.model.model, Linear)
