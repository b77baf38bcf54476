"""Generated scripts and notebooks, run and compared with the recording. Oracle: the recording, and torch.optim."""

import ast
import contextlib
import io
import json
import re
import subprocess
import sys
from dataclasses import replace

import nbclient
import nbformat
import numpy as np
import pytest
import torch
from rules import is_refused

from gd_core.averaging import averaged
from gd_core.export.notebook import notebook
from gd_core.export.script import FLAVOURS, script
from gd_core.problem import build
from gd_core.recorder import Recorder, record
from gd_core.settings.catalog import DATASET_INFO, PUBLISHED, why_not_scaled
from gd_core.settings.experiment import Experiment
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.tables.table import Table, keep, to_csv

TOLERANCE = 1e-9  # relative, of every printed number
EPOCHS = 6
MEAN = "their mean has RMSE "
# Rates at which each rule trains and none diverges within so few epochs; raw seconds squared need small ones.
RATES = {"gradient-descent": 0.05, "momentum": 0.02, "nesterov": 0.02}


def printed(source):
    """What a script prints, run in this process."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(source, "script.py", "exec"), {"__name__": "__main__"})
    return output.getvalue()


def parted(output):
    """The lines of a script, and what the last of them says of the mean of the points: RMSE and θ, [1 + P], if one does."""
    told = [line for line in output.splitlines() if line.startswith(MEAN)]
    assert len(told) <= 1
    lines = [line for line in output.splitlines() if line not in told]
    return lines, [float(word) for line in told for word in line.removeprefix(MEAN).replace("at", "").split()]


def table_of(output):
    """Epochs [E + 1], numbers [E + 1, C], and the line that says where the run diverged or stood still, if there is one."""
    _, *lines = parted(output)[0]
    diverged = lines.pop() if lines and lines[-1].startswith(("diverged", "the loss")) else None
    cells = [line.split() for line in lines]
    numbers = [[float(cell) for cell in row[1:]] for row in cells]
    return [int(row[0]) for row in cells], torch.tensor(numbers, dtype=torch.float64), diverged


def expected(experiment, problem=None):
    """The same columns from the recording: loss, RMSE, θ, and θ in raw units where something is scaled."""
    recorder = Recorder(experiment, problem)
    recorder.advance()
    recording = recorder.recording()
    theta = recording.epoch_theta
    columns = [recording.epoch_loss[:, None], recording.epoch_rmse[:, None], theta]
    if experiment.scale_features or experiment.scale_target:
        columns.append(recorder.problem.raw(theta))
    if recording.epoch_held_out_rmse is not None:
        columns.append(recording.epoch_held_out_rmse[:, None])
    return torch.cat(columns, 1), recording.diverged_at


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_head_names_the_columns(flavour):
    """Of a table of one's own: w1 (size), and of powers w2 (size^2), also in raw units, over numbers as wide as the head."""
    table = keep(Table.of({"size": [1.0, 2, 3, 5], "a very long name": [2.0, 1, 5, 4], "y": [1.0, 2, 4, 3]}))
    fields = {
        "dataset": "table",
        "table": table.key,
        "target": "y",
        "epochs": "1",
        "learning_rate": "0.1",
        "scale_features": "true",
    }
    plane, sentences = Experiment.from_query(fields | {"features": "size,a very long name"})
    curve, more = Experiment.from_query(fields | {"features": "size", "degree": "2"})
    assert sentences == more == []
    head = f"{'epoch':>8} {'loss':>24} {'RMSE':>24}"
    for experiment, names in (
        (plane, ("w1 (size)", "w2 (a very long n.)", "b")),
        (curve, ("w1 (size)", "w2 (size^2)", "b")),
    ):
        both = (*names, *(f"raw {name}" for name in names))
        assert printed(script(experiment, flavour)).splitlines()[0] == " ".join(
            [head, *(f"{name:>24}" for name in both)]
        )


def certain(experiment, numbers):
    """How many rows any program can agree on, from the first: those that a rounding of the start does not change.

    The lab's own loop is run twice, from θ₀ and from θ₀ (1 + 2⁻⁵²). Where the two runs differ by more than a tenth of
    the tolerance, rounding has been amplified: near an optimum the adaptive rules divide two numbers that are both
    next to nothing.
    """
    recorder = Recorder(experiment)
    start = recorder.problem.start
    nudged, _ = expected(experiment, replace(recorder.problem, start=start * (1 + 2.0**-52)))
    rows = min(len(nudged), len(numbers))
    apart = relative(nudged[:rows], numbers[:rows]).amax(1) > TOLERANCE / 10
    return int(apart.nonzero()[0]) if bool(apart.any()) else rows


def relative(mine, reference):
    """|a − b| / |b|, and 0 where both are the same."""
    return torch.where(mine == reference, 0.0, (mine - reference).abs() / reference.abs().clamp(min=1e-300))


def check(experiment, flavour, reference=None):
    """Run a script, compare it row by row; how many rows were compared, and how many there are."""
    numbers, diverged_at = reference or expected(experiment)
    epochs, mine, diverged = table_of(printed(script(experiment, flavour)))
    assert epochs == list(range(len(numbers)))
    assert diverged == (None if diverged_at is None else f"diverged at epoch {diverged_at}")
    rows = certain(experiment, numbers)
    far = relative(mine[:rows], numbers[:rows])
    assert far.max() <= TOLERANCE, (experiment.to_query(), flavour, far)
    return rows, len(numbers)


def small(dataset, optimizer, **changes):
    """A short run of few rows; full batch, mini-batches and single rows come to different ends of the last batch."""
    usual = Experiment.default(dataset, optimizer)
    rate = RATES.get(optimizer, 0.1)
    if optimizer in RATES and not changes.get("scale_features"):
        rate = {"noisy-quadratic": 1e-5, "table": 4e-4}.get(dataset, rate)
    rows = {"points": 11} if "points" in usual.info.knobs else {}
    return replace(usual, **({"learning_rate": rate, "epochs": EPOCHS} | rows | changes))


# ------------------------------------------------------------------------------------------------- the whole matrix


@pytest.mark.parametrize(
    ("dataset", "optimizer"),
    [(dataset, rule) for dataset in PUBLISHED for rule in OPTIMIZER_INFO if not is_refused(dataset, rule)],
)
def test_both_flavours_print_the_recording(dataset, optimizer):
    """Every data set, update rule, kind of batch, with and without scaling: to 1e-9, epoch by epoch."""
    alone = DATASET_INFO[dataset].is_a_single_row
    compared = total = 0
    for batch_size in (0,) if alone or OPTIMIZER_INFO[optimizer].over_curvature else (0, 4, 1):
        for scale_features in (False,) if why_not_scaled(DATASET_INFO[dataset]) else (False, True):
            experiment = small(dataset, optimizer, batch_size=batch_size, scale_features=scale_features)
            reference = expected(experiment)
            for flavour in FLAVOURS if OPTIMIZER_INFO[optimizer].torch else ["by-hand"]:
                rows, of = check(experiment, flavour, reference)
                compared, total = compared + rows, total + of
    assert compared > 0.9 * total  # so short a run seldom comes to where rounding is all there is


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(
    "experiment",
    [
        small("two-features", "gradient-descent", loss="mse-broadcast"),
        small("two-features", "adam", loss="mse-broadcast", batch_size=4, scale_features=True),
        small("noisy-quadratic", "momentum", loss="mse-broadcast", batch_size=1),
        small("two-features", "momentum", loss="mse-broadcast", points=1500, epochs=2),
        small("two-features", "nesterov", momentum=0.0),
        small("two-features", "rmsprop", noise=0.5, data_seed=7, alpha=0.5, epsilon=0.01),
        small("noisy-quadratic", "gradient-descent", noise=0, start=(1.0, -2.5, 0.0)),
        small("noisy-quadratic", "adam", start="random", seed=5, batch_size=2, beta1=0.5, beta2=0.7),
        small("two-features", "adagrad", start="random", seed=5, scale_features=True),
        small("one-parameter", "gradient-descent", learning_rate=1 / 9, start=(-7.0,)),
        small("noisy-quadratic", "gradient-descent", holdout=0.3, split_seed=8),
        small("noisy-quadratic", "adam", holdout=0.5, scale_features=True, batch_size=3),
        small("noisy-quadratic", "nesterov", batch_size=4, shuffle=False, seed=3),
        small("two-features", "adam", batch_size=1, shuffle=False, scale_features=True),
        small("two-features", "momentum", holdout=0.2, scale_features=True, noise=1, loss="mse-broadcast"),
        *(
            small("noisy-quadratic", "adam", scale_target=True, scale_features=scaled, intercept=intercept, **more)
            for scaled in (False, True) for intercept in (False, True)
            for more in ({}, {"holdout": 0.3, "batch_size": 3, "start": "random"}, {"loss": "mse-broadcast"})
        ),
        *(small("two-features", "momentum", intercept=False, scale_features=scaled) for scaled in (False, True)),
    ],
    ids=lambda x: x if isinstance(x, str) else "-".join(x.to_query().values()),
)  # fmt: skip
def test_every_other_setting_is_in_the_script(experiment, flavour):
    """Losses, starts, seeds, noise, and what a rule can be set to."""
    rows, of = check(experiment, flavour)
    assert rows == of


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(
    "experiment",
    [
        small("noisy-quadratic", "gradient-descent", batch_size=1, epochs=7),
        small("two-features", "adam", batch_size=4, shuffle=False, scale_features=True),
        small("noisy-quadratic", "momentum", batch_size=4, scale_target=True, scale_features=True),
        small("two-features", "gradient-descent", batch_size=4).continued(4, learning_rate=0.01, epochs=5),
        small("pass-or-fail", "gradient-descent", batch_size=4),
        small("tide", "gradient-descent", batch_size=4, learning_rate=1e-3),
        small("noisy-quadratic", "gradient-descent", learning_rate=1.5e-4, batch_size=3, epochs=100),
        small("two-features", "gradient-descent"),
    ],
    ids=lambda x: x if isinstance(x, str) else "-".join(x.to_query().values()),
)  # fmt: skip
def test_a_script_prints_the_mean_of_the_points(experiment, flavour):
    """Of a run in mini-batches the mean of θ at the end of each epoch of the last half, as the app draws it, and its RMSE; NumPy
    takes it of the rows above. Of all rows, and of a run that has diverged, nothing is said."""
    output = printed(script(experiment, flavour))
    _, rows, diverged = table_of(output)
    mean = parted(output)[1]
    if experiment.batch_size == 0 or diverged:
        assert mean == []
        return
    recording, problem = record(experiment), build(experiment)
    first, parameters = experiment.total_epochs - experiment.epochs, recording.theta.shape[1]
    theta = rows[:, 2 : 2 + parameters].numpy()
    half = -(-experiment.epochs // 2)
    assert mean[1:] == pytest.approx(theta[-half:].mean(0), rel=1e-12)
    assert mean[1:] == pytest.approx(averaged(recording, first).tolist(), rel=TOLERANCE)
    assert mean[0] == pytest.approx(
        float(problem.objective.rmse(torch.tensor(mean[1:], dtype=torch.float64))), rel=1e-12
    )


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("batch_size", [0, 4])
def test_a_continued_run_changes_its_rule_on_the_way(flavour, batch_size):
    """Each phase with its own rule and rate, and without a memory of the last one; also where only the rate changes."""
    experiment = small("two-features", "momentum", batch_size=batch_size, epochs=3)
    for optimizer in ("adam", "nesterov", "gradient-descent", "adagrad", "rmsprop", "adam"):
        check(experiment, flavour)
        usual = {"learning_rate": RATES.get(optimizer, 0.1), **OPTIMIZER_INFO[optimizer].hyperparameters}
        experiment = experiment.continued(experiment.total_epochs, optimizer=optimizer, epochs=2, **usual)
    check(experiment, flavour)
    slower = small("two-features", "adam", batch_size=batch_size).continued(3, learning_rate=0.01)
    check(slower, flavour)
    plain = small("two-features", "gradient-descent", batch_size=batch_size).continued(3, learning_rate=0.01)
    check(plain, flavour)


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("batch_size", [0, 3])
def test_a_script_stops_where_the_run_diverged(flavour, batch_size):
    """At the same epoch, with the same rows before."""
    experiment = small("noisy-quadratic", "gradient-descent", learning_rate=1.5e-4, batch_size=batch_size)
    experiment = replace(experiment, points=20, epochs=100)
    numbers, diverged_at = expected(experiment)
    assert diverged_at is not None
    check(experiment, flavour, (numbers, diverged_at))


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("batches", [{}, {"batch_size": 4}, {"batch_size": 4, "shuffle": False}])
@pytest.mark.parametrize("loss", ["mse", "mse-broadcast"])
def test_a_script_stops_at_its_tolerance(flavour, batches, loss):
    """At the same epoch, with the same rows before; also where an earlier part of the run stood still without it."""
    usual = {"scale_features": True, "learning_rate": 0.05, "epochs": 60, "loss": loss, **batches}
    experiment = small("noisy-quadratic", "gradient-descent", tolerance=3.0, **usual)
    later = replace(experiment, learning_rate=1e-6).continued(4, learning_rate=0.02, epochs=60)
    for one in (experiment, later):
        numbers, _ = expected(one)
        assert 3 < len(numbers) < 61
        epochs, mine, said = table_of(printed(script(one, flavour)))
        assert epochs == list(range(len(numbers)))
        assert said == f"the loss stands still at epoch {len(numbers) - 1}"
        assert relative(mine, numbers).max() <= TOLERANCE


def test_the_criterion_finds_where_rounding_takes_over():
    """RMSProp close to an optimum: a rounding of the start is seen later on, not from the beginning."""
    experiment = small("noisy-quadratic", "rmsprop", epochs=200)
    numbers, _ = expected(experiment)
    rows = certain(experiment, numbers)
    assert 50 < rows < len(numbers)
    for flavour in FLAVOURS:
        check(experiment, flavour, (numbers, None))


def test_a_long_run_is_thinned():
    """At most about a thousand rows and the last; `every = 1` shows all."""
    experiment = replace(Experiment.default("one-parameter"), learning_rate=1e-3, epochs=1201)
    source = script(experiment, "by-hand")
    numbers, _ = expected(experiment)
    for text, shown in (
        (source, [*range(0, 1201, 2), 1201]),
        (source.replace("= 1201, 2 ", "= 1201, 1 "), [*range(1202)]),
    ):
        epochs, mine, _ = table_of(printed(text))
        assert epochs == shown
        assert relative(mine, numbers[epochs]).max() <= TOLERANCE


# ------------------------------------------------------------------------------------------------------ own tables


def of_table(table, **changes):
    """A short run on a table, read as a link would be."""
    query = {"dataset": "table", "table": table.key if isinstance(table, Table) else table, "epochs": "6"}
    experiment, sentences = Experiment.from_query(
        query | {name: str(value) for name, value in changes.items()}
    )
    assert sentences == []
    return experiment


def gaps(rows):
    """Columns of which one is constant and two have gaps; their names are as unkind as a table allows."""
    generator = np.random.default_rng(5)
    x, z = generator.normal(size=(2, rows))
    y = 3 * x - z + generator.normal(size=rows)
    x[2], z[4], y[6] = np.nan, np.nan, np.nan
    names = ('=cmd|"x"', 'a """ \\ b', "<script>alert(1)</script>", "it's {y}")
    return Table.of(dict(zip(names, (x, np.full(rows, 2.5), z, y), strict=True)))


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(
    "experiment",
    [
        *(of_table("anscombe", degree=degree, scale_features="true", learning_rate=0.01) for degree in (2, 5)),
        *(
            of_table("anscombe", degree=degree, intercept="false", scale_features=scale, scale_target="true",
                     learning_rate=0.01 if optimizer == "adam" else 1e-3 if scale == "true" else 1e-9, optimizer=optimizer)
            for degree in (1, 3, 10) for scale in ("true", "false") for optimizer in ("gradient-descent", "adam")
            if optimizer == "adam" or degree < 4
        ),
        of_table("anscombe", degree=10, scale_features="true", learning_rate=1e-7),
        of_table("trees", scale_target="true", learning_rate=1e-5, start="1,2,-3", holdout=0.2, batch_size=4),
        of_table("trees", scale_target="true", scale_features="true", intercept="false", learning_rate=0.1),
        of_table("anscombe", degree=3, learning_rate=1e-7, batch_size=4),
        of_table("trees", optimizer="adam", learning_rate=0.1, batch_size=7, start="random", seed=3),
        of_table("trees", optimizer="nesterov", learning_rate=0.02, scale_features="true", start="1,2,-3"),
        *(
            of_table(gaps(12), features='"=cmd|""x""","a """""" \\ b",<script>alert(1)</script>', missing=missing,
                     learning_rate=0.02, scale_features=scale)
            for missing in ("drop", "mean") for scale in ("true", "false")
        ),
        of_table("anscombe", degree=3, scale_features="true", learning_rate=0.01, holdout=0.3, batch_size=3),
        of_table(gaps(20), features='"=cmd|""x""","a """""" \\ b"', missing="drop", learning_rate=0.02, holdout=0.2,
                 scale_features="true"),
        *(
            of_table(gaps(20), features="<script>alert(1)</script>", missing="mean", learning_rate=0.02, holdout=0.4,
                     split_seed=seed)
            for seed in (0, 1)
        ),
    ],
    ids=lambda x: x if isinstance(x, str) else "-".join([x.table[:9], str(x.degree), x.optimizer, x.missing]),
)  # fmt: skip
def test_a_small_table_is_written_into_its_script(experiment, flavour):
    """Lines, planes and polynomials, gaps and constant columns, whatever the columns are called."""
    rows, of = check(experiment, flavour)
    assert rows == of


@pytest.mark.parametrize("holdout", [0, 0.3])
@pytest.mark.parametrize("missing", ["drop", "mean", "refuse"])
def test_a_large_table_is_read_from_its_file(missing, holdout, tmp_path, monkeypatch):
    """By the names of its columns, in a file with commas and decimal points; a mean is that of the training rows."""
    table = keep(gaps(2000))
    if missing == "refuse":
        table = keep(Table.of({name: np.nan_to_num(table[name]) for name in table.names}))
    features = 'a """""" \\ b",<script>alert(1)</script>'
    experiment = of_table(table, features='"=cmd|""x""","' + features, missing=missing, learning_rate=0.02,
                          holdout=holdout)  # fmt: skip
    (tmp_path / "table.csv").write_text(to_csv(table), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for flavour in FLAVOURS:
        rows, of = check(experiment, flavour)
        assert rows == of
        assert len(script(experiment, flavour)) < 5000


# --------------------------------------------------------------------------------------------- what a student gets


@pytest.mark.parametrize(
    ("experiment", "flavour"),
    [
        (small("noisy-quadratic", "adam", batch_size=3, scale_features=True), "by-hand"),
        (small("two-features", "nesterov"), "torch-optim"),
    ],
    ids=["by-hand", "torch-optim"],
)
def test_a_script_needs_torch_alone(experiment, flavour, tmp_path):
    """In a process of its own, in an empty folder, without this project, warnings being errors."""
    path = tmp_path / "run.py"
    path.write_text(script(experiment, flavour), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", str(path)],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, env={"PYTHONUTF8": "0", "LC_ALL": "C"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    numbers, _ = expected(experiment)
    _, mine, _ = table_of(done.stdout)
    assert relative(mine, numbers).max() <= TOLERANCE
    imported = {
        alias.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported == {"torch"}
    assert "ImportFrom" not in ast.dump(ast.parse(path.read_text("utf-8")))


def variants():
    """Scripts of every shape for the published data sets and a table that comes along, as text."""
    for flavour in FLAVOURS:
        for dataset in PUBLISHED:
            for optimizer in (
                rule for rule, info in OPTIMIZER_INFO.items() if info.torch or flavour == "by-hand"
            ):
                for batch_size, scale_features in ((0, False), (4, False), (0, True), (4, True)):
                    batched = batch_size and (
                        DATASET_INFO[dataset].is_a_single_row or OPTIMIZER_INFO[optimizer].over_curvature
                    )
                    if is_refused(dataset, optimizer):
                        continue
                    if not batched and not (scale_features and why_not_scaled(DATASET_INFO[dataset])):
                        for loss in ("mse", "mse-broadcast"):
                            yield script(
                                small(
                                    dataset,
                                    optimizer,
                                    loss=loss,
                                    batch_size=batch_size,
                                    scale_features=scale_features,
                                ),
                                flavour,
                            )


def test_a_script_is_short():
    """Thirty to sixty lines, comments and empty lines included, the rows of a table aside."""
    lengths = {sum(";" not in line for line in source.splitlines()) for source in variants()}
    assert 30 <= min(lengths) <= max(lengths) <= 60


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("optimizer", OPTIMIZER_INFO)
def test_a_script_with_held_out_rows_is_short(optimizer, flavour):
    """Sixty lines as well; with scaled features and batches at once Adam, written out, takes five more."""
    if flavour == "torch-optim" and not OPTIMIZER_INFO[optimizer].torch:
        return
    for batch_size, scale_features in ((0, False), (4, False), (0, True), (4, True)):
        if batch_size and OPTIMIZER_INFO[optimizer].over_curvature:
            continue
        experiment = small("noisy-quadratic", optimizer, holdout=0.3)
        experiment = replace(experiment, batch_size=batch_size, scale_features=scale_features)
        assert len(script(experiment, flavour).splitlines()) <= (65 if batch_size and scale_features else 60)


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("batches", [{}, {"batch_size": 2}, {"batch_size": 2, "shuffle": False}])
def test_a_script_stops_early(flavour, batches):
    """At the same epoch, with the same rows before and the same epoch kept; also in the last part of a continued run."""
    usual = {
        "degree": 5,
        "holdout": 0.3,
        "split_seed": 8,
        "learning_rate": 0.01 if not batches else 0.002,
        **batches,
    }
    table, sentences = Experiment.from_query(
        {"dataset": "table", "table": "anscombe", "target": "y1", "features": "x", "scale_features": "true"}
    )
    assert not sentences
    experiment = replace(table, **usual, epochs=300, patience=9)
    for one in (experiment, replace(experiment, patience=0, epochs=5).continued(5, patience=9, epochs=300)):
        numbers, _ = expected(one)
        kept = record(one)
        assert kept.early
        (head, *lines), mean = parted(printed(script(one, flavour)))
        assert bool(mean) == bool(batches)
        assert lines[-2] == f"stopped early at epoch {kept.epochs}"
        best = re.fullmatch(r"kept is epoch (\d+) with the held-out RMSE (\S+) and theta (\[.*\])", lines[-1])
        assert best
        assert int(best[1]) == kept.best
        assert float(best[2]) == pytest.approx(float(kept.epoch_held_out_rmse[kept.best]), rel=TOLERANCE)
        assert json.loads(best[3]) == pytest.approx(kept.epoch_theta[kept.best].tolist(), rel=1e-7)
        epochs, mine, _ = table_of("\n".join([head, *lines[:-2]]))
        assert epochs == list(range(len(numbers)))
        assert relative(mine, numbers).max() <= TOLERANCE


@pytest.mark.parametrize(("intercept", "penalised"), [(True, "weights"), (True, "all"), (False, "weights")])
@pytest.mark.parametrize("batch_size", [0, 4])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_script_has_the_penalty(flavour, batch_size, intercept, penalised):
    """λ‖w‖² without the intercept, or with it, beside the loss of the rows; RMSE is that of the rows alone."""
    usual = {
        "batch_size": batch_size,
        "intercept": intercept,
        "penalty": 0.4,
        "holdout": 0.3,
        "penalised": penalised,
    }
    experiment = small("noisy-quadratic", "gradient-descent", scale_features=True, **usual)
    assert check(experiment, flavour)[0] == EPOCHS + 1
    assert not torch.equal(expected(experiment)[0], expected(replace(experiment, penalty=0.1))[0])


def test_a_script_is_written_as_ruff_would(tmp_path):
    """No finding, and nothing to format."""
    held = keep(gaps(2000))
    continued = small("two-features", "momentum", batch_size=4, start=(1 / 3, -1e8 / 7, 1e-300 / 3))
    continued = continued.continued(3, optimizer="adam", epochs=3)
    tables = [
        of_table("anscombe", degree=5, scale_features="true"),
        of_table(gaps(30), features='"=cmd|""x""","a """""" \\ b",<script>alert(1)</script>', missing="drop"),
        *(of_table(held, features='"=cmd|""x"""', missing=missing) for missing in ("drop", "mean")),
    ]
    split = [
        small(dataset, "adam", batch_size=batch_size, scale_features=True, loss=loss, holdout=0.3)
        for dataset in ("noisy-quadratic", "two-features", "table")
        for batch_size in (0, 4)
        for loss in ("mse", "mse-broadcast")
    ]
    split.append(replace(of_table("anscombe", degree=5, scale_features="true"), holdout=0.2))
    split += [replace(one, penalty=0.3) for one in split]
    split += [replace(one, patience=7, shuffle=False) for one in split if one.holdout][::3]
    still = [replace(one, tolerance=1e-3, shuffle=False) for one in (*split, continued)]
    split += [
        replace(table, scale_target=True, intercept=intercept, scale_features=scaled, loss=loss, holdout=0.3)
        for table in (of_table("anscombe", degree=10), of_table("trees"), small("noisy-quadratic", "adam"))
        for intercept in (True, False)
        for scaled in (True, False)
        for loss in ("mse", "mse-broadcast")
    ]
    others = [
        script(experiment, flavour)
        for experiment in (continued, *tables, *split, *still)
        for flavour in FLAVOURS
    ]
    for number, source in enumerate([*dict.fromkeys(variants()), *others]):
        (tmp_path / f"run_{number}.py").write_text(source, encoding="utf-8")
    for task in (["check", "--select", "E,F,W,I,B,UP,SIM,C4,PIE,PLE,RET"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *task, "--isolated", "--line-length", "110", "--no-cache", "."],
            cwd=tmp_path, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


def test_an_unknown_flavour_is_told():
    """In the words that a link has for it."""
    with pytest.raises(ValueError, match=r"^flavour must be one of by-hand, torch-optim\. Got vanilla\.$"):
        script(Experiment.default(), "vanilla")


# -------------------------------------------------------------------------------------------------------- notebook


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.filterwarnings("default")  # of the kernel's own sockets and loops
def test_a_notebook_runs(flavour, tmp_path):
    """It is valid, a kernel executes all its cells, and what it prints is the recording."""
    experiment = small("two-features", "momentum", batch_size=4, scale_features=True)
    book = nbformat.reads(notebook(experiment, flavour), as_version=4)
    nbformat.validate(book)
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    streams = [
        o["text"] for c in book.cells if c.cell_type == "code" for o in c.outputs if o.output_type == "stream"
    ]
    _, mine, _ = table_of("".join(streams))
    assert relative(mine, expected(experiment)[0]).max() <= TOLERANCE


def test_a_notebook_is_the_script_cell_by_cell():
    """The code is the same; the comments stand above it as text."""
    experiment = small("noisy-quadratic", "adam", batch_size=3)
    book = json.loads(notebook(experiment))
    code = "\n".join("".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code")
    words = [cell for cell in book["cells"] if cell["cell_type"] == "markdown"]
    assert ast.dump(ast.parse(code)) == ast.dump(
        ast.Module(ast.parse(script(experiment, "by-hand")).body[1:], [])
    )
    assert len(words) >= 5
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
