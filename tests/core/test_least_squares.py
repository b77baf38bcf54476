"""Floor, optimum and curvatures to the last digits, held against rational arithmetic and NIST's certified numbers."""

from dataclasses import replace
from fractions import Fraction

import exact
import mpmath
import nist
import numpy as np
import pytest
import torch

from gd_core.datasets import Dataset
from gd_core.models import MODELS
from gd_core.moments import Moments
from gd_core.objective import Objective, mse_broadcast
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.tables.table import Table, keep
from gd_core.theory import curvature_from_moments, curvature_of, forecast_of

FLOOR, CURVE = 1e-9, 1e-8  # relative: what is asked for


def objective_of(features, target, model):
    """Columns of numbers under a model, "linear", "proportional" or "polynomial 3"."""
    kind, *degree = model.split()
    make = MODELS[kind]
    function = make() if kind == "proportional" else make(int(degree[0]) if degree else len(features))
    x = torch.tensor(np.column_stack(features), dtype=torch.float64)
    y = torch.tensor(target, dtype=torch.float64).unsqueeze(1)
    start = torch.zeros(len(function.parameter_names), dtype=torch.float64)
    return Objective(function, Dataset(x, y, tuple(f"x{i}" for i in range(x.shape[1])), "y", "", start))


def numbers(certified):
    """Features and target of a set of NIST's as floats, and its model."""
    target, *features = ([float(cell) for cell in column] for column in certified.columns)
    return features, target, model_of(certified)


def model_of(certified):
    degree = f" {len(certified.parameters) - 1}" if certified.model == "polynomial" else ""
    return certified.model + degree


def in_units(units):
    """A plane over features that differ by many powers of ten, each far from its mean by one or two deviations."""
    generator = np.random.default_rng(4)
    features = [list(unit * generator.uniform(1, 2, 40)) for unit in units]
    explained = sum(np.array(column) / unit for column, unit in zip(features, units, strict=True))
    return features, list(explained + 0.01 * generator.normal(size=40)), "linear"


def over(x, model):
    """A bend with some noise over given times."""
    x = np.array(x, dtype=float)
    away = (x - x.mean()) / x.std()
    noise = np.random.default_rng(5).normal(size=len(x))
    return [x.tolist()], (2 - away**2 + away / 3 + 0.3 * noise).round(4).tolist(), model


YEARS = range(1996, 2020)
SECONDS = 1.7e9 + 43_201.0 * np.arange(60)  # since 1970, twice a day for a month
HARD = {
    "years 1": over(YEARS, "linear"),
    "years 2": over(YEARS, "polynomial 2"),
    "years 3": over(YEARS, "polynomial 3"),
    "seconds 1": over(SECONDS, "linear"),
    "seconds 2": over(SECONDS, "polynomial 2"),
    "units of 1e-7 to 1e8": in_units((1e-7, 1.0, 1e3, 1e8)),
    "rooms, population, distance": in_units((1.0, 5e7, 1e-3)),
    "a far outlier": over([*range(20), 1e5], "polynomial 2"),
}
SETS = {name: numbers(certified) for name, certified in nist.DATASETS.items()} | HARD
every_set = pytest.mark.parametrize("name", SETS)


def off(fit, theta):
    """How far a curve is from the optimal one, as a share of the latter's largest value; evaluated without rounding."""
    right, found = fit.predictions(), fit.predictions(theta)
    return float(max(abs(a - b) for a, b in zip(right, found, strict=True)) / max(map(abs, right)))


def has_the_floor(fit, rmse):
    """Whether a floor is right to 1e-9 of itself; of a perfect fit to 1e-14 of the target."""
    size = exact.root(sum(y**2 for y in fit.target) / len(fit.target))
    return abs(rmse - fit.floor) < FLOOR * fit.floor + 1e-14 * size


@pytest.mark.parametrize("name", nist.DATASETS)
def test_the_oracle_and_the_rows_are_nists(name):
    """From the printed rows, rational arithmetic has all certified digits: of the coefficients and of the deviation."""
    certified = nist.DATASETS[name]
    target, *features = certified.columns
    found = exact.fit(features, target, model_of(certified))
    expected = [float(value) for value in certified.parameters]
    assert [float(value) for value in found.parameters] == pytest.approx(expected, rel=1e-14)
    spare = len(target) - len(expected)
    deviation = exact.root(found.squares / spare)
    assert deviation == pytest.approx(float(certified.residual_deviation), rel=1e-14)


@every_set
def test_floor_and_optimum_have_their_digits(name):
    """On raw features: the floor to 1e-9, the optimal curve to 1e-8."""
    found, right = curvature_of(objective_of(*SETS[name])), exact.fit(*SETS[name])
    assert has_the_floor(right, found.floor_rmse)
    assert found.floor_loss == pytest.approx(found.floor_rmse**2, rel=1e-15)
    assert off(right, found.optimum.tolist()) < CURVE


@pytest.mark.parametrize("name", [name for name, (*_, model) in SETS.items() if model != "proportional"])
def test_scaled_features_have_the_same_floor(name):
    """With every feature standardised, as a switch of the app does."""
    objective = objective_of(*SETS[name])
    scaled = replace(objective, dataset=objective.dataset.standardised())
    found, right = curvature_of(scaled), exact.fit(*SETS[name])
    assert has_the_floor(right, found.floor_rmse)
    expected = np.array(right.predictions(), dtype=float)
    assert abs(scaled.predict(found.optimum).numpy() - expected).max() < CURVE * abs(expected).max()


@every_set
def test_curvatures_have_their_digits(name):
    """The smallest too, where κ is 10³⁰: six of them, from the roots of the exact ΦᵀΦ with 120 digits."""
    found, right = curvature_of(objective_of(*SETS[name])), exact.fit(*SETS[name])
    size = len(right.parameters)
    with mpmath.workdps(120):
        gram = mpmath.matrix(size, size)
        for i in range(size):
            for j in range(size):
                entry = sum((row[i] * row[j] for row in right.rows), Fraction()) * 2 / len(right.rows)
                gram[i, j] = mpmath.mpf(entry.numerator) / entry.denominator
        expected = sorted(float(value) for value in mpmath.eigsy(gram, eigvals_only=True))
    assert found.eigenvalues.tolist() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ["years 2", "units of 1e-7 to 1e8", "Longley", "Wampler3"])
def test_a_long_run_that_starts_at_the_optimum_stays_at_the_floor(name):
    """The path along the eigenvectors knows the same floor, and so do the record's numbers."""
    features, target, model = SETS[name]
    names = [f"x{i}" for i in range(len(features))]
    table = keep(Table.of(dict(zip(names, features, strict=True)) | {"y": target}))
    degree = int(model.split()[1]) if " " in model else 1
    fields = {"table": table.key, "target": "y", "features": tuple(names), "points": len(target)}
    experiment = replace(Experiment.default("table"), **fields, degree=degree, epochs=1000)
    problem = build(experiment)
    forecast = forecast_of(experiment, problem, curvature_of(problem.objective))
    right = exact.fit(features, target, model)
    assert forecast.floor_rmse == pytest.approx(right.floor, rel=FLOOR)
    run = replace(experiment, start=forecast.optimum, learning_rate=forecast.stability_limit / 2)
    assert run.runs_on == "spectrum"
    recording = record(run)
    assert recording.epoch_rmse.tolist() == pytest.approx([right.floor] * 1001, rel=FLOOR)


def test_the_shape_mistake_over_years():
    """Its optimum is the mean of y, its floor the deviation, however far the years are from 0."""
    features, target, model = SETS["years 2"]
    found = curvature_of(replace(objective_of(features, target, model), loss=mse_broadcast))
    assert found.floor_rmse == pytest.approx(np.std(target), rel=FLOOR)
    assert found.floor_loss == pytest.approx(np.var(target), rel=FLOOR)
    right = exact.fit(features, [sum(map(Fraction, target)) / len(target)] * len(target), model)
    assert off(right, found.optimum.tolist()) < CURVE


@pytest.mark.parametrize(
    "name", ["units of 1e-7 to 1e8", "rooms, population, distance", "Longley", "Pontius", "years 2"]
)
def test_moments_alone_have_their_digits(name):
    """Of a large table nothing but moments is there, of columns as they are."""
    objective, right = objective_of(*SETS[name]), exact.fit(*SETS[name])
    found = curvature_from_moments(Moments.of(objective.features, objective.target))
    assert has_the_floor(right, found.floor_rmse)
    assert off(right, found.optimum.tolist()) < CURVE
