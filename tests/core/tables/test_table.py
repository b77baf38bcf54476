"""A table as a value: in a link, by its fingerprint, and as the rows that are fitted."""

import base64
import gc
import math
import tracemalloc
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gd_core.objective import as_parabola
from gd_core.outcome import Outcome, Trained, outcome
from gd_core.problem import build
from gd_core.recorder import Recorder, record
from gd_core.safe_start import opening, safe_start
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import LEARNING_RATE
from gd_core.settings.fields import Names, ParameterError
from gd_core.settings.table_fields import NO_TABLE, TABLE_FIELDS, left_out_rows
from gd_core.tables import holder
from gd_core.tables.example_tables import EXAMPLE_TABLES, FOLDER
from gd_core.tables.reading import read
from gd_core.tables.table import MAX_IN_LINK, ReadAs, Table, clean_name, count_used, find, keep, to_csv, used
from gd_core.theory import curvature_of

sizes = st.floats(1e-30, 1e30)
numbers = st.just(0.0) | st.just(-0.0) | sizes | sizes.map(lambda x: -x) | st.integers(-1000, 1000).map(float)
names = st.text(max_size=90).map(clean_name).filter(bool)


@st.composite
def tables(draw, cells=numbers):
    """Any table that Table.of takes, of up to six columns."""
    headers = draw(st.lists(names, min_size=2, max_size=6, unique=True))
    rows = draw(st.integers(2, 12))
    columns = [draw(st.lists(cells, min_size=rows, max_size=rows)) for _ in headers]
    for column in columns:
        if all(map(math.isnan, column)):
            column[0] = 1.0
    return Table.of(dict(zip(headers, columns, strict=True)))


def same(one, other):
    """Whether two tables hold the same names and, to the last bit, the same numbers."""
    return one.names == other.names and all(
        a.tobytes() == b.tobytes() for a, b in zip(one.columns, other.columns, strict=True)
    )


# --------------------------------------------------------------------------------------------- there and back


@given(tables(numbers | st.just(math.nan)))
def test_a_table_survives_its_link(table):
    """What the key holds is the table, bit for bit, with its fingerprint; a large one is found while it is held."""
    held = keep(table)
    found = find(held.key)
    assert same(found, table)
    assert found.fingerprint == table.fingerprint
    assert len(held.key) <= MAX_IN_LINK
    assert table.travels or held.key.startswith("sha256:")


@given(tables(), st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_a_file_becomes_the_table_that_was_written(table, separator, encoding):
    """File → table: the numbers to the last bit, and the names, whatever separates and encodes them."""
    lines = [
        separator.join('"' + name.replace('"', '""') + '"' for name in table.names),
        *(
            separator.join(repr(float(x)) for x in row)
            for row in zip(*(column.tolist() for column in table.columns), strict=True)
        ),
    ]
    reading = read("\n".join(lines).encode(encoding))
    assert reading.words == ()
    if reading.table.names == tuple(f"column {i + 1}" for i in range(len(table.names))):
        assert {finding.row for finding in reading.findings} <= {
            1
        }  # names that are like numbers: a row of data
    else:
        assert reading.found == 0
        assert same(reading.table, table)


@given(tables(st.integers(-1000, 1000).map(float)), st.data())
def test_an_experiment_with_a_table_survives_its_link(table, data):
    """File → data set → link → data set: the same experiment, the same rows in float64."""
    held = keep(table)
    target, *others = data.draw(st.permutations(table.names))
    features = tuple(others[: data.draw(st.integers(1, len(others)))])
    degree = data.draw(st.integers(1, 5)) if len(features) == 1 else 1
    experiment = replace(
        Experiment.default("table"),
        table=held.key,
        target=target,
        features=features,
        degree=degree,
        points=table.rows,
    )
    again, sentences = Experiment.from_query(experiment.to_query())
    assert (again, sentences) == (experiment, [])
    one, other = build(experiment).dataset, build(again).dataset
    assert torch.equal(one.x, other.x)
    assert torch.equal(one.y, other.y)
    assert one.x[:, 0].tolist() == table[features[0]].tolist()


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_names_survive_their_text(listed):
    """Commas, quotation marks and line feeds within names are theirs."""
    once = tuple(" ".join(name.split()) for name in listed)
    assert Names().parse(Names().write(once)) == once


def test_a_table_is_found_by_its_holder_alone(monkeypatch):
    """While one visitor holds it, another's link asks for the file; the same file then opens it for both, each their own."""
    generator = np.random.default_rng(2)
    columns = {"x": generator.random(5000), "y": generator.random(5000)}
    monkeypatch.setattr(holder, "who", lambda: "one")
    theirs = keep(Table.of(columns))
    assert find(theirs.key) is theirs
    monkeypatch.setattr(holder, "who", lambda: "another")
    with pytest.raises(LookupError):
        find(theirs.key)
    query = {"dataset": "table", "table": theirs.key, "target": "y", "features": "x"}
    experiment, sentences = Experiment.from_query(query)
    assert experiment.table == "cars"
    assert "needs the file" in " ".join(sentences)
    mine = keep(Table.of(columns))
    assert mine is not theirs
    assert find(theirs.key) is mine
    assert Experiment.from_query(query)[1] == []


def test_a_column_that_is_not_in_the_link_is_its_owners(monkeypatch):
    """Whoever only has the link of a small table learns nothing of a column that its owner's file had beside."""
    monkeypatch.setattr(holder, "who", lambda: "one")
    theirs = keep(read("secret,x,y\n" + "\n".join(f"note {i * i},{i},{i * 3 % 7}" for i in range(9))).table)
    assert theirs.said_of("secret")
    assert find(theirs.key).said_of("secret")
    monkeypatch.setattr(holder, "who", lambda: "another")
    assert find(theirs.key).names == theirs.names
    assert not find(theirs.key).said_of("secret")


def test_a_large_table_is_known_for_as_long_as_it_is_held():
    """Nobody else's cache keeps it: when the one who brought it lets go, the link asks for the file."""
    generator = np.random.default_rng(1)
    table = Table.of({"x": generator.random(5000), "y": generator.random(5000)})
    assert not table.travels
    key = table.key
    assert keep(table) is table
    assert keep(Table.of({"x": table["x"], "y": table["y"]})) is table  # the same content is kept once
    query = {"dataset": "table", "table": key, "target": "y", "features": "x", "epochs": "3"}
    experiment, sentences = Experiment.from_query(query)
    assert (sentences, experiment.points) == ([], 5000)
    assert record(experiment).epochs == 3
    assert replace(experiment, learning_rate=1e-3).table == key
    del table
    gc.collect()
    other, sentences = Experiment.from_query(query)
    assert other == Experiment.default("table")
    assert sentences == [f"table: this link needs the file with the fingerprint {key[7:]}. Upload it."]
    with pytest.raises(ParameterError, match=r"^table: this link needs the file"):
        build(replace(experiment, learning_rate=1e-3))


@pytest.mark.parametrize(
    "change",
    [
        lambda x, y: {"x": x, "z": y},
        lambda x, y: {"y": y, "x": x},
        lambda x, y: {"x": x, "y": np.append(y[:-1], np.nextafter(y[-1], 9))},
        lambda x, y: {"x": x[:-1], "y": y[:-1]},
        lambda x, y: {"x": x, "y": np.append(y[:-1], np.nan)},
    ],
)
def test_a_fingerprint_tells_tables_apart(change):
    """A name, the order, the last bit of a number, a row, a missing cell: each gives another one."""
    x, y = np.arange(6.0), np.arange(6.0) ** 2 / 7
    one = Table.of({"x": x, "y": y})
    assert Table.of({"x": x.tolist(), "y": list(y)}).fingerprint == one.fingerprint
    assert Table.of(change(x, y)).fingerprint != one.fingerprint


@pytest.mark.parametrize(
    "key",
    ["", "z.", "z.AAAA", "z.!!!!", "sha256:xyz", "iris", "z." + "A" * 3000, "sha256:0123456789ABCDEF"],
)
def test_a_spoiled_key_is_no_table(key):
    """It is said in one sentence, and the data set opens with its own example."""
    with pytest.raises(ValueError, match=r"."):
        find(key)
    experiment, sentences = Experiment.from_query({"dataset": "table", "table": key, "target": "q"})
    assert experiment == Experiment.default("table")
    assert len(sentences) == 1
    assert sentences[0].startswith("table must be cars, trees, anscombe, or")


def packed(text):
    """A key as an attacker makes it: any text at all."""
    deflate = zlib.compressobj(9, wbits=-15)
    data = deflate.compress(text.encode()) + deflate.flush()
    return "z." + base64.urlsafe_b64encode(data).decode().rstrip("=")


BOMBS = {
    "megabytes": "a,b\n" + "1,1\n" * 150_000,
    "rows beyond what is written": "a,b\n" + "1,2\n3,4\n" * 12_000,
    "refused in its last row": "a,b\n" + "1,2\n" * 10_000 + "1\n",
    "columns": "a,b\n" + "," * 90_000 + "\n",
    "one name": f'a,"{"b" * 390_000}"\n1,2\n3,4\n',
    "notes": "a,b\n1,2\n3,4\n\n" + "a,numbers,said,a\n" * 5_000,
    "a long note": "a,b\n1,2\n3,4\n\na,numbers,said" + ",a" * 10_000 + "\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_link_cannot_hold_a_bomb(name, monkeypatch):
    """What unfolds to more than is ever written into a link is refused before it is read to its end, and only once."""
    key = packed(BOMBS[name])
    assert len(key) <= MAX_IN_LINK
    tracemalloc.start()
    with pytest.raises(ValueError, match="no table"):
        find(key)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000
    monkeypatch.setattr("gd_core.tables.table.zlib", None)  # nothing unfolds from here on
    with pytest.raises(ValueError, match="no table"):
        find(key)


@pytest.mark.parametrize(("rows", "columns"), [(10_000, 2), (200, 100)])
def test_the_largest_table_of_the_app_opens(rows, columns):
    """As many cells as are written into a link, with a note on every column, come back from it."""
    table = Table.of(
        {f"c{place}": (np.arange(rows) + place) % 5 for place in range(columns)},
        [ReadAs(f"c{place}", "No = 0, Yes = 1", (f"c{place}",), "words") for place in range(columns)],
    )
    assert table.travels
    found = find(table.key)
    assert same(found, table)
    assert found.read_as == table.read_as


# ------------------------------------------------------------------------------------------------- rows and rules

GAPS = Table.of(
    {
        "x": [1.0, math.nan, 3.0, 4.0, 6.0],
        "z": [1.0, 2.0, math.nan, 0.0, 1.0],
        "y": [1.0, 2.0, 3.0, math.nan, 5.0],
    }
)


@pytest.mark.parametrize(
    ("missing", "features", "x", "dropped", "filled"),
    [
        ("drop", ("x",), [[1], [3], [6]], 2, 0),
        ("drop", ("x", "z"), [[1, 1], [6, 1]], 3, 0),
        ("mean", ("x",), [[1], [3.5], [3], [6]], 1, 1),
        ("mean", ("x", "z"), [[1, 1], [3.5, 2], [3, 1], [6, 1]], 1, 2),
    ],
)
def test_incomplete_rows_go_or_are_filled(missing, features, x, dropped, filled):
    """Dropped, or a feature takes its column's mean; a row without a target always goes. The numbers are told."""
    rows = used(GAPS, "y", features, missing)
    assert rows.x.tolist() == x
    assert (rows.dropped, rows.filled) == (dropped, filled)
    assert len(rows.y) == len(x) == count_used(GAPS, "y", features, missing)


def test_a_held_out_row_has_no_part_in_the_mean():
    """Gaps on both sides take NumPy's mean of the training rows; other numbers in the held-out rows change nothing."""
    generator = np.random.default_rng(3)
    x, z, y = generator.normal(size=(3, 30))
    x[::3], z[[4, 5]], y[6] = np.nan, np.nan, np.nan
    kept = np.flatnonzero(~np.isnan(y))
    order = torch.randperm(29, generator=torch.Generator().manual_seed(4)).numpy()
    held_out, training = np.sort(kept[order[:9]]), np.sort(kept[order[9:]])
    assert np.isnan(x[held_out]).any()
    assert np.isnan(x[training]).any()
    spoilt = [column.copy() for column in (x, z)]
    for column in spoilt:
        column[held_out] = np.where(np.isnan(column[held_out]), np.nan, 1e6)
    problems = []
    for columns in ((x, z), spoilt):
        table = Table.of({"x": columns[0], "z": columns[1], "y": y})
        experiment, sentences = Experiment.from_query(
            {"dataset": "table", "table": table.key, "target": "y", "features": "x,z", "missing": "mean"}
            | {"holdout": "0.3", "split_seed": "4"}
        )
        assert sentences == []
        problems.append(build(experiment))
    mean = np.array([np.nanmean(x[training]), np.nanmean(z[training])])
    for rows, data in ((training, problems[0].dataset), (held_out, problems[0].held_out)):
        both = np.column_stack([x, z])[rows]
        np.testing.assert_allclose(data.x.numpy(), np.where(np.isnan(both), mean, both), rtol=1e-14)
    assert torch.equal(problems[1].dataset.x, problems[0].dataset.x)
    assert float(problems[1].held_out.x.max()) == 1e6


def test_a_mean_is_never_made_of_nothing():
    """A column whose few numbers could all be held out is told, not filled with what is no number."""
    x = np.array([1.0, 2.0, *[np.nan] * 8])
    table = Table.of({"x": x, "y": np.arange(10.0)})
    query = {"dataset": "table", "table": table.key, "target": "y", "features": "x", "missing": "mean"}
    one, sentences = Experiment.from_query(query | {"holdout": "0.1"})
    assert (sentences, one.held_out_rows) == ([], 1)
    other, sentences = Experiment.from_query(query | {"holdout": "0.2"})
    assert other.holdout == 0
    assert sentences == [
        "holdout must be less: column x has 2 numbers, and 2 held-out rows could take them all, "
        "with nothing left to make a mean of. Got 0.2."
    ]
    for split_seed in range(20):
        assert not build(replace(one, split_seed=split_seed)).dataset.x.isnan().any()


def test_incomplete_rows_are_left_out_unless_they_are_filled():
    """With nothing said they go, and it is told how many and in which columns; who refuses them is told to choose."""
    fields = {"dataset": "table", "table": GAPS.key, "target": "y", "features": "x"}
    experiment, sentences = Experiment.from_query(fields)
    assert (sentences, experiment.missing, experiment.points) == ([], "drop", 3)
    said = left_out_rows(vars(experiment))
    assert said == "2 rows are left out of 5, for want of a number: y in 1, x in 1."
    experiment, sentences = Experiment.from_query(fields | {"missing": "refuse"})
    assert experiment.missing == "drop"
    assert sentences == [
        "missing must be drop or mean: 2 rows lack a number in the columns used. Got refuse."
    ]
    whole, _ = Experiment.from_query({"dataset": "table", "table": "cars"})
    assert (whole.missing, left_out_rows(vars(whole))) == ("refuse", "")
    for missing, points in (("drop", 3), ("mean", 4)):
        experiment, sentences = Experiment.from_query(fields | {"missing": missing})
        assert (sentences, experiment.points, experiment.missing) == ([], points, missing)
        assert len(build(experiment).dataset.x) == points


BAD = [
    ({"target": "height"}, "target must be a column of the table: x, y1, y2, y3, x4 and 1 more. Got height."),
    ({"features": ("x", "q")}, "features must be columns of the table: x, y1, y2, y3, x4 and 1 more. Got q."),
    ({"features": ()}, "features must be 1 to 20 columns. Got 0."),
    ({"features": ("x", "x")}, "features must be different columns. Got x, x."),
    (
        {"features": ("y2",)},
        "features must not hold the target, or there is nothing to learn. Got y2.",
    ),
    ({"degree": 11}, "degree must be a whole number between 1 and 10. Got 11."),
    ({"degree": True}, "degree must be a whole number between 1 and 10. Got true."),
    (
        {"features": ("x", "y1"), "degree": 2},
        "degree must be 1 with several features: a polynomial needs just one. Got 2.",
    ),
    ({"missing": "zero"}, "missing must be one of refuse, drop, mean. Got zero."),
    ({"points": 10}, "points must be 11, the rows of the table that are used. Got 10."),
    ({"noise": 1.0}, "noise must be 0.0 for table. Got 1.0."),
]


@pytest.mark.parametrize(("fields", "sentence"), BAD)
def test_a_bad_pick_is_refused_in_one_sentence(fields, sentence):
    """It names the field, the rule and the value."""
    good, _ = Experiment.from_query({"dataset": "table", "table": "anscombe"})
    with pytest.raises(ParameterError) as error:
        replace(good, **fields)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("query", "target", "features", "degree"),
    [
        ({}, "y2", ("x",), 2),
        ({"target": "y1"}, "y1", ("x",), 1),
        ({"target": "x"}, "x", ("y1",), 1),
        ({"features": "x,y1"}, "y2", ("x", "y1"), 1),
        ({"features": "y1", "degree": "3"}, "y2", ("y1",), 3),
    ],
)
def test_what_a_link_leaves_out_fits_what_it_says(query, target, features, degree):
    """A target that was the example's feature, several features of an example with a degree: no sentence is due."""
    experiment, sentences = Experiment.from_query({"dataset": "table", "table": "anscombe"} | query)
    assert sentences == []
    assert (experiment.target, experiment.features, experiment.degree) == (target, features, degree)
    assert Experiment.from_query(experiment.to_query()) == (experiment, [])


def test_powers_must_be_within_reach():
    """10³⁰ to the fifth cannot be computed with; the line through it can."""
    table = Table.of({"x": [1e30, 2e29, 3.0], "y": [1.0, 2.0, 4.0]})
    line, sentences = Experiment.from_query({"dataset": "table", "table": table.key})
    assert sentences == []
    with pytest.raises(ParameterError, match=r"^degree must be lower for values as far from 1 as 1e30"):
        replace(line, degree=5)
    assert safe_start(line).scale_features  # no rate that can be typed is small enough for it as it is


def test_no_table_is_what_the_others_have():
    """A field of a table means nothing to another data set, and has to be as if it were not there."""
    assert {name: getattr(Experiment(), name) for name in TABLE_FIELDS} == dict(NO_TABLE)


# ----------------------------------------------------------------------------------------------- what is fitted


def test_the_examples_are_the_published_ones():
    """Regression lines that books print: Ezekiel's cars, Ryan's trees, and all four of Anscombe's sets."""
    cars, _ = Experiment.from_query({"dataset": "table", "table": "cars"})
    optimum = curvature_of(build(cars).objective).optimum.tolist()
    assert optimum == pytest.approx([3.932409, -17.579095], abs=1e-6)
    trees, _ = Experiment.from_query({"dataset": "table", "table": "trees"})
    optimum = curvature_of(build(trees).objective).optimum.tolist()
    assert optimum == pytest.approx([4.7082, 0.3393, -57.9877], abs=1e-4)
    for x, y in (("x", "y1"), ("x", "y2"), ("x", "y3"), ("x4", "y4")):
        one = {"dataset": "table", "table": "anscombe", "target": y, "features": x, "degree": "1"}
        experiment, sentences = Experiment.from_query(one)
        assert sentences == []
        optimum = curvature_of(build(experiment).objective).optimum.tolist()
        assert optimum == pytest.approx([0.500, 3.00], abs=0.003)


@pytest.mark.parametrize("name", EXAMPLE_TABLES)
def test_an_example_says_where_it_comes_from(name):
    """On the page, and in a file beside the numbers."""
    example = EXAMPLE_TABLES[name]
    assert {example.target, *example.features} <= set(find(name).names)
    beside = (FOLDER / "SOURCES.txt").read_text(encoding="utf-8")
    assert f"{name}.csv" in beside
    assert " ".join(example.source.split()) in " ".join(beside.split())
    assert example.licence
    assert to_csv(find(name)) == (FOLDER / f"{name}.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("degree", range(1, 6))
@pytest.mark.parametrize("scale", [False, True])
def test_a_polynomial_is_numpys(degree, scale):
    """Optimum, in raw units, and prediction agree with numpy.polynomial, with scaled features too."""
    generator = np.random.default_rng(degree)
    x, y = generator.uniform(-2, 3, 40), generator.normal(size=40)
    table = Table.of({"x": x, "y": y})
    fields = {"table": keep(table).key, "target": "y", "features": ("x",), "degree": degree, "points": 40}
    experiment = replace(Experiment.default("table"), **fields, scale_features=scale)
    problem = build(experiment)
    curvature = curvature_of(problem.objective)
    expected = np.polynomial.Polynomial.fit(x, y, degree).convert()
    raw = problem.raw(curvature.optimum).tolist()
    assert [raw[-1], *raw[:-1]] == pytest.approx(expected.coef.tolist(), rel=1e-6, abs=1e-8)
    prediction = problem.objective.predict(curvature.optimum).numpy()
    np.testing.assert_allclose(prediction, expected(x), rtol=1e-7, atol=1e-7)
    assert experiment.info.parameters == (*["w₁", "w₂", "w₃", "w₄", "w₅"][:degree], "b")


def test_several_features_are_numpys_least_squares():
    """Ten features and an intercept, scaled or not."""
    generator = np.random.default_rng(5)
    x, noise = generator.normal(size=(60, 10)) * 10.0 ** np.arange(-2, 3).repeat(2), generator.normal(size=60)
    columns = {f"x{i}": x[:, i] for i in range(10)} | {"y": x.sum(1) + noise}
    table = keep(Table.of(columns))
    fields = {"table": table.key, "target": "y", "features": tuple(f"x{i}" for i in range(10)), "points": 60}
    expected = np.linalg.lstsq(np.column_stack([x, np.ones(60)]), columns["y"], rcond=None)[0]
    for scale in (False, True):
        problem = build(replace(Experiment.default("table"), **fields, scale_features=scale))
        raw = problem.raw(curvature_of(problem.objective).optimum).numpy()
        np.testing.assert_allclose(raw, expected, rtol=1e-6)


def gap_of(experiment, rate):
    """What NumPy's plain loop leaves of the mean squared error above its minimum, after the epochs at a rate."""
    objective = as_parabola(build(experiment).objective)
    features, target = objective.features.numpy(), objective.target.numpy()
    theta, rows = np.zeros(features.shape[1]), len(target)
    for _ in range(experiment.epochs):
        theta -= rate * 2 / rows * features.T @ (features @ theta - target)
    floor = np.linalg.lstsq(features, target, rcond=None)[0]
    return float(np.mean((features @ theta - target) ** 2) - np.mean((features @ floor - target) ** 2))


def test_a_table_opens_scaled_where_it_helps_at_the_best_rate():
    """κ by NumPy decides; no rate of a hundred below the limit leaves less after the epochs than the one it opens with."""
    for name, scaled in (("trees", True), ("cars", True)):
        asked, _ = Experiment.from_query({"dataset": "table", "table": name, "epochs": "12"})
        features = as_parabola(build(asked).objective).features.numpy()
        assert (np.linalg.cond(features) ** 2 > 100) == scaled
        opened = opening(asked)
        assert opened.scale_features == scaled
        f = as_parabola(build(opened).objective).features.numpy()
        limit = 2 / np.linalg.eigvalsh(2 / opened.points * f.T @ f)[-1]
        best = min(gap_of(opened, share * limit) for share in np.linspace(0.01, 0.999, 100))
        assert gap_of(opened, opened.learning_rate) <= best * 1.1 + 1e-12
    near = Table.of({"x": [-1.0, 0.5, 1.5, -0.5], "y": [1.0, 2.0, 4.0, 0.0]})
    asked, _ = Experiment.from_query({"dataset": "table", "table": keep(near).key, "epochs": "12"})
    assert not opening(asked).scale_features


@pytest.mark.parametrize("optimizer", ["gradient-descent", "momentum", "nesterov", "adam"])
@pytest.mark.parametrize("name", EXAMPLE_TABLES)
def test_a_new_table_starts_safely(name, optimizer):
    """With the rate that it opens with the loss is lower after some epochs and has not diverged; one below a limit settles."""
    asked, _ = Experiment.from_query({"dataset": "table", "table": name, "optimizer": optimizer})
    experiment = safe_start(asked)
    recorder = Recorder(experiment)
    recorder.advance()
    recording = recorder.recording()
    assert recording.diverged_at is None
    assert recording.loss[-1] < recording.loss[0]
    curvature = curvature_of(recorder.problem.objective)
    ended = outcome(recording, curvature, Trained.of(experiment, recorder.problem)).outcome
    assert ended is not Outcome.DIVERGED
    assert optimizer == "adam" or ended is not Outcome.GROWING  # what Adam comes to, no rate promises
    if optimizer == "gradient-descent":
        assert experiment.learning_rate * curvature.largest == pytest.approx(1, rel=0.01)
    assert experiment.learning_rate >= LEARNING_RATE.low
    assert not experiment.scale_features  # it is offered, not forced
