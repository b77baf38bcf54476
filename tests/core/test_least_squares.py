"""Floor, optimum and curvatures to the last digits, held against rational arithmetic and NIST's certified numbers."""

from dataclasses import replace
from fractions import Fraction

import exact
import mpmath
import nist
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gd_core.datasets import Dataset
from gd_core.large.run import LargeRun
from gd_core.large.training import problem_of
from gd_core.models import MODELS
from gd_core.moments import Moments
from gd_core.objective import LinearObjective, mse_broadcast
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
    return LinearObjective(function, Dataset(x, y, tuple(f"x{i}" for i in range(x.shape[1])), "y", "", start))


def rows_of(features, target, model):
    """Φ and y, as they are trained."""
    objective = objective_of(features, target, model)
    return objective.features, objective.target


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
    found, right = curvature_from_moments(Moments.of(*rows_of(*SETS[name]))), exact.fit(*SETS[name])
    assert has_the_floor(right, found.floor_rmse)
    assert off(right, found.optimum.tolist()) < CURVE


@pytest.mark.parametrize(
    ("degree", "scale_features", "accuracy"),
    [
        (1, False, 1e-9),
        (1, True, 1e-9),
        (2, False, 1e-9),
        (2, True, 1e-9),
        (3, False, 1e-6),
        (3, True, 1e-6),
        (5, True, 1e-2),
    ],
)
def test_a_large_table_over_years_has_no_flat_direction(degree, scale_features, accuracy):
    """Moments of powers of years as they are lose digits with each degree; no direction is taken for flat by that."""
    features, target, _ = over(YEARS, "linear")
    model = f"polynomial {degree}"
    run = LargeRun(target="y", features=("year",), degree=degree, scale_features=scale_features)
    found = problem_of(run, Moments.of(*rows_of(features, target, model))).curvature
    assert found.floor_rmse == pytest.approx(exact.fit(features, target, model).floor, rel=accuracy)
    assert found.eigenvalues[0] > 0


# ------------------------------------------------------------------------------------------- what cannot be known


def test_sixteen_digits_may_be_too_few_for_a_curve():
    """A cubic over a month of seconds is a difference of terms 10¹² as large: the blur says how far it is off."""
    features, target, model = over(SECONDS, "polynomial 3")
    found, right = curvature_of(objective_of(features, target, model)), exact.fit(features, target, model)
    assert found.floor_rmse == pytest.approx(right.floor, rel=FLOOR)  # which training cannot reach
    best, rounded = right.predictions(), right.predictions(found.optimum.tolist())
    away = exact.root(sum((a - b) ** 2 for a, b in zip(best, rounded, strict=True)) / len(target))
    assert 1e-9 < away < found.blur < 1e-5
    assert curvature_of(objective_of(*SETS["years 1"])).blur < 1e-12


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 3),
    st.floats(0, 7),
    st.floats(0, 9),
    st.floats(-9, 0),
)
@settings(max_examples=60)
def test_no_parameter_is_farther_off_than_is_said(seed, count, offset, likeness, noise):
    """Features far from 0, nearly alike, nearly perfect fits: the optimum is within `unsure` of the rational one."""
    generator = np.random.default_rng(seed)
    base = generator.normal(size=12)
    columns = [10**offset + base + 10**-likeness * generator.normal(size=12) for _ in range(count)]
    target = base + 10**noise * generator.normal(size=12)
    features = [column.tolist() for column in columns]
    found = curvature_of(objective_of(features, target.tolist(), "linear"))
    right = exact.fit(features, target.tolist(), "linear")
    if found.eigenvalues[0] > 0:
        off_by = [
            abs(float(Fraction(a) - b)) for a, b in zip(found.optimum.tolist(), right.parameters, strict=True)
        ]
        assert all(away <= most for away, most in zip(off_by, found.unsure.tolist(), strict=True))


def test_digits_that_are_known_are_right():
    """Of nearly equal features few digits are known, and those agree with the rational optimum."""
    generator = np.random.default_rng(8)
    base, other = generator.normal(size=(2, 30))
    for likeness, fewest, most in ((1e-2, 11, 15), (1e-6, 7, 10), (1e-10, 2, 6)):
        features = {"u": base, "v": base + likeness * other}
        table = keep(Table.of(features | {"y": other + generator.normal(size=30)}))
        fields = {"table": table.key, "target": "y", "features": ("u", "v"), "points": 30}
        experiment = replace(Experiment.default("table"), **fields)
        problem = build(experiment)
        forecast = forecast_of(experiment, problem, curvature_of(problem.objective))
        rows = problem.dataset
        right = exact.fit(rows.x.T.tolist(), rows.y[:, 0].tolist(), "linear")
        for digits, value, true in zip(
            forecast.optimum_digits[:2], forecast.optimum, right.parameters, strict=False
        ):
            assert fewest <= digits <= most
            assert value == pytest.approx(float(true), rel=10.0 ** (1 - digits))


X, Z = np.random.default_rng(2).normal(size=(2, 40))
COLUMNS = {
    "metres and feet": ([X, X / 0.3048], 1),
    "years and months": ([2000 + 10 * X, (2000 + 10 * X) * 12], 1),
    "seconds since 1970 and days": ([1.7e9 + 1e4 * X, (1.7e9 + 1e4 * X) / 86_400], 1),
    "Celsius and Fahrenheit": ([20 + 5 * X, 32 + 1.8 * (20 + 5 * X)], 1),
    "a sum of two": ([X, Z, X + Z], 1),
    "a tenth everywhere": ([X, np.full(40, 0.1)], 1),
    "1e15 everywhere": ([X, np.full(40, 1e15)], 1),
    "yes and no": ([X > 0, X <= 0], 1),
    "all the same": ([X, X, X], 2),
    "twins beside another unit": ([1e8 * X, 1e8 * X / 3, 1e-7 * Z], 1),
    "alike to a billionth": ([X, X + 1e-9 * Z], 0),
    "years": ([2000 + 10 * X], 0),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_flat_directions_are_counted(name):
    """What says the same twice, in whatever units, is flat; what is only much alike, or far from 0, is not."""
    columns, flat = COLUMNS[name]
    objective = objective_of(
        [column.astype(float).tolist() for column in columns], (X + Z).tolist(), "linear"
    )
    found = curvature_of(objective)
    assert int((found.eigenvalues == 0).sum()) == flat
    still = found.eigenvectors[:, :flat]
    size = objective.features.square().mean(0).sqrt() @ still.abs()
    assert bool(((objective.features @ still).abs().amax(0) <= 1e-11 * size).all())
    torch.testing.assert_close(
        found.eigenvectors.T @ found.eigenvectors, torch.eye(len(still), dtype=torch.float64)
    )
    # The shortest.
    assert abs(float((found.optimum @ still).abs().sum())) <= 1e-9 * float(found.optimum.norm())


# ----------------------------------------------------------------------------------------------- a floor of nothing


@pytest.mark.parametrize("scale_features", [False, True])
@pytest.mark.parametrize("points", [10, 100, 1000])
@pytest.mark.parametrize("seed", range(5))
def test_a_plane_rounded_to_float32_is_a_perfect_fit(seed, points, scale_features):
    """Its floor is some 1e-7, and no more than the rounding of its rows; with noise of 1e-5 it is not."""
    plane = replace(Experiment.default("two-features"), points=points, data_seed=seed)
    plane = replace(plane, scale_features=scale_features)
    assert curvature_of(build(plane).objective).floor_is_zero
    noisy = curvature_of(build(replace(plane, noise=1e-5)).objective)
    assert noisy.floor_rmse > 0
    assert not noisy.floor_is_zero


PERFECT = {
    "integers": ([list(range(1, 401))], [4.0 * x + 2.5 for x in range(1, 401)], "linear"),
    "beside a column of ones": ([[1.0] * 6, [*range(6)]], [0.1 * x + 0.3 for x in range(6)], "linear"),
    "a parabola over years": ([[*YEARS]], [0.1 * (x - 2010) ** 2 + 0.7 for x in YEARS], "polynomial 2"),
    "through the origin": ([[*range(1, 9)]], [0.7 * x for x in range(1, 9)], "proportional"),
    "seconds": ([SECONDS.tolist()], [(x - 1.7e9) / 7 for x in SECONDS], "linear"),
    "rows as many as parameters": ([[1.0, 2.0, 5.0]], [3.1, 2.7, 8.8], "polynomial 2"),
    "Wampler1": SETS["Wampler1"],
    "Wampler2": SETS["Wampler2"],
}


@pytest.mark.parametrize("name", PERFECT)
def test_a_perfect_fit_is_told(name):
    """Decimals and whole numbers that a curve explains up to their last digit."""
    found = curvature_of(objective_of(*PERFECT[name]))
    assert found.floor_is_zero
    features, target, model = PERFECT[name]
    if len(target) > len(found.optimum):
        moved = [*target]
        moved[1] += 1e-6 * max(map(abs, target))
        assert not curvature_of(objective_of(features, moved, model)).floor_is_zero


@pytest.mark.parametrize("name", [name for name in SETS if name not in ("Wampler1", "Wampler2")])
def test_a_floor_is_not_taken_for_nothing(name):
    """Where the data do scatter, also in the fifth digit (Pontius), and where numbers are whole."""
    assert not curvature_of(objective_of(*SETS[name])).floor_is_zero


def test_large_whole_numbers_have_a_floor():
    """Numbers of seven digits that scatter by two: they fit into float32, and have not been rounded to it."""
    x = np.arange(30.0)
    target = 9_000_000 + 1000 * x + np.where(x % 2, 2.0, -2.0)
    assert not curvature_of(objective_of([x.tolist()], target.tolist(), "linear")).floor_is_zero


def test_the_shape_mistake_is_no_perfect_fit():
    """Its floor is the spread of y, though the constant that it fits has no error of its own."""
    wrong = replace(build(Experiment.default("two-features")).objective, loss=mse_broadcast)
    assert not curvature_of(wrong).floor_is_zero
