"""Records: what is kept of a run, and the way back. Oracle: the recording itself, the files read by csv and json."""

import csv
import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gd_core.export import record_file, record_reading
from gd_core.export.epoch_table import harmless
from gd_core.export.record_file import to_csv, to_json
from gd_core.export.record_reading import FORMAT, experiment_of, parsed
from gd_core.export.schema import checker
from gd_core.objective import value_and_gradient
from gd_core.outcome import Outcome
from gd_core.problem import build
from gd_core.recorder import Recorder, record
from gd_core.settings.catalog import DATASET_INFO
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS
from gd_core.tables.columns import HOWS
from gd_core.tables.decoding import ENCODINGS

SCALED = replace(
    Experiment.default("two-features", "adam"),
    points=12,
    batch_size=5,
    scale_features=True,
    learning_rate=0.05,
    epochs=7,
    start=(0.1, -2.0, 1e-9),
).continued(5, optimizer="momentum", learning_rate=0.01, epochs=4)


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def deep(levels):
    """A list in a list in a list …"""
    value = []
    for _ in range(levels):
        value = [value]
    return value


def edited(change, experiment=SCALED):
    """A record, after a change to its parsed form."""
    document = json.loads(to_json(experiment, record(experiment)))
    change(document)
    return json.dumps(document)


# --------------------------------------------------------------------------------------------------------- the CSV


def test_csv_has_every_epoch_with_all_digits():
    """Loss, RMSE, parameters, gradients and raw parameters, each the float that was recorded."""
    recording, problem = record(SCALED), build(SCALED)
    rows = rows_of(to_csv(SCALED, recording))
    names = DATASET_INFO["two-features"].parameters
    head = ["epoch", "loss", "rmse", *names, *(f"gradient_{n}" for n in names), *(f"raw_{n}" for n in names)]
    assert list(rows[0]) == head
    assert [int(row["epoch"]) for row in rows] == list(range(10))
    assert [float(row["loss"]) for row in rows] == recording.epoch_loss.tolist()
    assert [float(row["rmse"]) for row in rows] == recording.epoch_rmse.tolist()
    assert [[float(row[n]) for n in names] for row in rows] == recording.epoch_theta.tolist()
    raw = [[float(row[f"raw_{n}"]) for n in names] for row in rows]
    assert raw == problem.raw(recording.epoch_theta).tolist()


@pytest.mark.parametrize("loss", ["mse", "mse-broadcast"])
@pytest.mark.parametrize("batch_size", [0, 3])
def test_gradients_are_those_of_all_rows(batch_size, loss):
    """Whatever rows an update saw; autograd on the whole loss, one point after another, is the oracle."""
    experiment = replace(Experiment.default(), batch_size=batch_size, epochs=3, loss=loss)
    recording, objective = record(experiment), build(experiment).objective
    for row, theta in zip(rows_of(to_csv(experiment, recording)), recording.epoch_theta, strict=True):
        gradient = [float(row[f"gradient_{name}"]) for name in ("a", "b", "c")]
        assert gradient == pytest.approx(value_and_gradient(objective, theta)[1].tolist(), rel=1e-10)


def test_a_long_table_is_the_short_ones_joined(monkeypatch):
    """Pieces that the numbers are turned over in leave no seam."""
    experiment = replace(Experiment.default("two-features"), points=20, epochs=40, batch_size=7)
    whole = to_csv(experiment, record(experiment))
    monkeypatch.setattr("gd_core.export.epoch_table.AT_ONCE", 7)
    assert to_csv(experiment, record(experiment)).splitlines()[-1].startswith("40,")
    pieces = [[float(c) for c in row.values()] for row in rows_of(to_csv(experiment, record(experiment)))]
    for row, piece in zip(rows_of(whole), pieces, strict=True):
        assert [float(cell) for cell in row.values()] == pytest.approx(piece, rel=1e-12)


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"])
def test_no_cell_is_a_formula(text):
    """What a spreadsheet would compute, or run, stands behind an apostrophe."""
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["w₁", "a", "raw_b", "", "x=1", "1-2"])
def test_a_harmless_cell_stays_as_it_is(text):
    """Only the first letter makes a formula."""
    assert harmless(text) == text


# ------------------------------------------------------------------------------------------------------ the record


def test_a_record_says_what_was_trained_and_how_it_ended():
    """Experiment, versions, outcome, last numbers and theory, in JSON without NaN or Infinity."""
    experiment = Experiment.default()
    recording = record(experiment)
    document = json.loads(to_json(experiment, recording), parse_constant=pytest.fail)
    assert set(document["experiment"]) == set(FIELDS)
    assert document["made_with"]["torch"] == torch.__version__
    assert set(document["made_with"]) == {
        "lab",
        "python",
        "torch",
        "system",
        "processor",
        "threads",
        "processes",
        "device",
    }
    assert document["outcome"] == "still descending"
    assert document["last"]["epoch"] == 1000
    assert document["last"]["rmse"] == float(recording.epoch_rmse[-1])
    assert document["last"]["parameters"] == dict(zip("abc", recording.theta[-1].tolist(), strict=True))
    theory = document["theory"]
    assert theory["stability_limit"] == pytest.approx(3.53986e-5, rel=1e-5)
    assert theory["condition_number"] == pytest.approx(218_450, rel=1e-4)
    assert theory["optimum"] == pytest.approx({"a": 0.808293, "b": -12.12175, "c": 48.49597}, rel=1e-6)
    assert theory["floor_rmse"] == pytest.approx(1.46727, rel=1e-5)


def test_the_digest_is_of_the_bytes_of_the_run():
    """θ, loss and gradient of every update, float64, little-endian; NumPy and hashlib as a reader would use them."""
    recording = record(SCALED)
    columns = (recording.theta, recording.loss, recording.gradient)
    data = b"".join(column.numpy().astype("<f8").tobytes() for column in columns)
    assert record_file.digest(recording) == f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_the_version_of_the_lab_is_that_of_the_code_that_computes(tmp_path, monkeypatch):
    """Another update rule is another version; line ends are none."""
    version = record_file._code()
    folder = record_file.CORE
    for name in record_file.COMPUTING:
        text = (folder / f"{name}.py").read_bytes()
        (tmp_path / f"{name}.py").parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.py").write_bytes(text.replace(b"\n", b"\r\n"))
    monkeypatch.setattr(record_file, "CORE", tmp_path)
    record_file._code.cache_clear()
    assert record_file._code() == version
    with (tmp_path / "optimizers.py").open("a") as file:
        file.write("# changed")
    record_file._code.cache_clear()
    assert record_file._code() != version
    record_file._code.cache_clear()


@pytest.mark.parametrize(
    "experiment",
    [
        *(Experiment.default(dataset) for dataset in DATASET_INFO),
        SCALED,
        replace(Experiment.default("two-features"), start="random", loss="mse-broadcast", noise=1.0),
        Experiment.from_query({"dataset": "table", "table": "trees", "learning_rate": "1e-4"})[0],
    ],
    ids=lambda e: "-".join(e.to_query()),
)
def test_a_record_is_its_experiment(experiment):
    """There and back it is the same value, with the same link."""
    back = experiment_of(to_json(experiment, record(experiment)))
    assert back == experiment
    assert back.to_query() == experiment.to_query()


def test_whole_numbers_may_stand_for_others():
    """JSON of another program writes 5.0 as 5."""
    text = edited(lambda document: document["experiment"].update(noise=5, start=[1, 2, 3]))
    assert experiment_of(text) == replace(SCALED, noise=5.0, start=(1.0, 2.0, 3.0))


def test_a_field_that_an_older_record_lacks_has_its_usual_value():
    """Records outlive the fields that come later."""
    text = edited(lambda document: document["experiment"].pop("seed"))
    assert experiment_of(text) == SCALED
    short = {"format": FORMAT, "experiment": {"dataset": "one-parameter"}}
    assert experiment_of(json.dumps(short)) == Experiment.default("one-parameter")


BAD = {
    "nothing": lambda d: "",
    "text": lambda d: "epoch,loss\n0,1\n",
    "a list": lambda d: "[1, 2]",
    "a number": lambda d: "5",
    "NaN": lambda d: '{"experiment": {"noise": NaN}}',
    "a number without end": lambda d: json.dumps(d).replace("0.05", "1e999").replace("0.01", "1e999"),
    "deep": lambda d: "[" * 100_000,
    "digits": lambda d: '{"experiment": {"points": ' + "9" * 10_000 + "}}",
    "no experiment": lambda d: json.dumps({"format": FORMAT}),
    "another format": lambda d: json.dumps(d | {"format": "record 2"}),
    "no format": lambda d: json.dumps({"experiment": d["experiment"]}),
}
BAD_FIELDS = {
    "dataset": ["iris", 5, None, [], {"a": 1}],
    "optimizer": ["lbfgs", []],
    "points": ["12", 12.5, True, None, 10**400, -1],
    "learning_rate": ["0.1", None, 0, -1, 10**400, True, [0.1]],
    "scale_features": ["true", 1, None],
    "start": [
        "somewhere",
        1.0,
        [1.0],
        [1.0, "2", 3.0],
        [1.0, 2.0, None],
        {"a": 1},
        [10**400, 1, 1],
        [True, 1, 1],
    ],
    "before": ["", {}, 5, [1], [{}], [{"epochs": 5}], [[1, "adam", 0.1]]],
    "epochs": [0, 10**7, "ten", 5.0],
    "colour": ["red"],
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_is_no_record_is_told_in_a_sentence(kind):
    """One line that ends with a full stop, and not a page of what was in the file."""
    text = BAD[kind](json.loads(to_json(SCALED, record(SCALED))))
    with pytest.raises(ValueError, match=r"\.$") as error:
        experiment_of(text)
    assert len(str(error.value).splitlines()) == 1
    assert len(str(error.value)) < 250


@pytest.mark.parametrize(
    ("name", "value"), [(n, v) for n, values in BAD_FIELDS.items() for v in values], ids=str
)
def test_a_bad_field_is_told_in_a_sentence(name, value):
    """It names the field."""
    text = edited(lambda document: document["experiment"].update({name: value}))
    with pytest.raises(ValueError, match=rf"{name}.*\.$") as error:
        experiment_of(text)
    assert type(error.value).__name__ in ("ValueError", "ParameterError")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("epochs", "5"), ("epochs", 0), ("optimizer", []), ("momentum", None), ("alpha", 2)]
)
def test_a_bad_phase_is_told_in_a_sentence(name, value):
    """Wherever in the record the field stands."""
    text = edited(lambda document: document["experiment"]["before"][0].update({name: value}))
    with pytest.raises(ValueError, match=rf"before.*{name}.*\.$"):
        experiment_of(text)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(list(FIELDS)) | st.text(), inner, max_size=6),
    max_leaves=12,
))  # fmt: skip
def test_no_record_ends_in_anything_but_a_sentence(value):
    """Whatever JSON there is in a file: an experiment, or a ValueError of one line."""
    for text in (json.dumps(value), json.dumps({"format": FORMAT, "experiment": value})):
        sentence = None
        try:
            experiment_of(text)
        except ValueError as error:
            sentence = str(error)
        assert sentence is None or len(sentence.splitlines()) == 1


# ------------------------------------------------------------------------------------------------------- made again


def made_again(text):
    recorder = Recorder(experiment_of(text))
    recorder.advance()
    recording = recorder.recording()
    document = record_file.document(recorder.experiment, recorder.problem, recording)
    return record_file.compared(parsed(text), document, recording)


def test_a_run_made_again_is_the_same_to_the_last_bit():
    """And it is said."""
    assert made_again(to_json(SCALED, record(SCALED))) == (
        True,
        "Reproduced exactly: θ, loss and gradient of every update are the same to the last bit.",
    )


def test_a_run_that_was_stopped_is_compared_as_far_as_it_went():
    """A record of a run that goes on, or was stopped, holds the first updates of the whole."""
    recorder = Recorder(replace(Experiment.default("two-features"), epochs=100_000))
    recorder.advance(0.02)
    recorder.stop()
    recording = recorder.recording()
    assert 0 < recording.updates < 100_000
    text = to_json(recorder.experiment, recording)
    document = json.loads(text)
    assert document["outcome"] == "stopped"
    longer = replace(recorder.experiment, epochs=recording.updates + 5)
    document["experiment"]["epochs"] = longer.epochs  # so that it need not go all the way here
    same, sentence = made_again(json.dumps(document))
    assert same
    assert f"of the record’s {recording.updates:,} updates" in sentence


def test_another_version_is_told_beside_the_result():
    """Whether or not the numbers are the same."""
    same, sentence = made_again(edited(lambda document: document["made_with"].update(torch="1.0")))
    assert same
    assert sentence.endswith(f" The record was made with torch 1.0, here {torch.__version__}.")


def test_one_other_bit_is_not_the_same():
    """The record's own numbers are shown beside those of today."""

    def spoil(document):
        document["digest"] = document["digest"][:-1] + ("0" if document["digest"][-1] != "0" else "1")
        document["last"]["rmse"] = 1.5

    same, sentence = made_again(edited(spoil))
    assert not same
    assert sentence.startswith("Not reproduced exactly: the RMSE at epoch 9 is ")
    assert sentence.endswith(", and 1.5 in the record.")


@pytest.mark.parametrize("change", [
    lambda d: d.pop("digest"), lambda d: d.pop("updates"), lambda d: d.pop("last"), lambda d: d.pop("made_with"),
    lambda d: d.update(digest=None), lambda d: d.update(updates=10**9), lambda d: d.update(digest="sha256:0"),
    lambda d: d.update(made_with={"torch": 1}), lambda d: [d.pop("last"), d.update(digest="sha256:0")],
    lambda d: [d["last"].pop("rmse"), d.update(digest="sha256:0")], lambda d: d["last"].update(epoch=9.0),
    lambda d: d.update(updates=float(d["updates"])),
])  # fmt: skip
def test_a_record_without_numbers_can_still_be_trained(change):
    """What cannot be compared is said, and no claim is made."""
    same, sentence = made_again(edited(change))
    assert sentence.endswith(".")
    assert same == ("Reproduced exactly" in sentence)


@pytest.mark.parametrize(("change", "sentence"), [
    ({"updates": "9"}, "updates must be a whole number from 0 to 9,007,199,254,740,991 or null. Got 9."),
    ({"updates": -1}, "updates must be a whole number from 0 to 9,007,199,254,740,991 or null. Got -1."),
    ({"updates": True}, "updates must be a whole number from 0 to 9,007,199,254,740,991 or null. Got true."),
    ({"made_with": 5}, "made_with must be an object. Got 5."),
    ({"made_with": {"torch": [[]]}}, "made_with.torch must be a text or a number or true or false or null. Got a list of 1."),
    ({"experiment": {"points": deep(900)}}, "experiment.points[0] must be a text or a number or true or false or null or an object. Got a list of 1."),
    ({"table": {"rows": 5, "read_with": {"path": "x"}}}, "table.read_with.path must be left out, where sheet, encoding can stand. Got x."),
    ({"table": {"rows": 5, "read_as": {"a": "well"}}}, "table.read_as.a must be one of numbers, decimal commas, words, dates, day first, month first, missing, left out. Got well."),
    ({"last": []}, "last must be an object. Got a list of 0."),
    ({"last": {"epoch": 1, "parameters": {}}}, "last must hold loss. Got none."),
    ({"last": {"epoch": 1, "loss": 1.0, "rmse": "x", "parameters": {}}}, "last.rmse must be a finite number. Got x."),
    ({"last": {"epoch": 1, "loss": 1.0, "parameters": {"a": None}}}, "last.parameters.a must be a finite number. Got null."),
    ({"outcome": "won"}, "outcome must be one of converged, still descending, overshooting, hovering, growing, diverged, stopped, stood still, stopped early. Got won."),
    ({"engine": "moments"}, "engine must be loop or spectrum where the rows are held. Got moments."),
    ({"theory": {"eigenvalues": [1, 10**400]}}, f"theory.eigenvalues[1] must be a finite number. Got 1{'0' * 38}…."),
    ({"link": "\ud800"}, None),
])  # fmt: skip
def test_a_damaged_record_is_refused_at_the_door(change, sentence):
    """One sentence names the key, the rule and the value, before anything is trained."""
    with pytest.raises(ValueError, match=r"\.$") as error:
        experiment_of(edited(lambda document: document.update(change)))
    if sentence:
        assert str(error.value) == sentence
    else:
        assert str(error.value).startswith("record must hold whole letters. Got half of one in ")
        assert str(error.value).isascii()


@pytest.mark.parametrize("source", ["/dev/zero", "large"])
@pytest.mark.parametrize("flag", ["--from", "--resume"])
def test_a_record_without_end_is_no_record(run, tmp_path, monkeypatch, flag, source):
    """No more is read than a record may have: the memory of the process hardly grows."""
    path = source if source != "large" else tmp_path / "large.json"
    if source == "large":
        monkeypatch.setattr(record_reading, "LARGEST", 1000)
        path.write_text(edited(lambda document: None))
    elif not Path(source).exists():
        pytest.skip("only Unix has a file without end")
    status, output, errors = run("train", flag, path)
    assert (status, output) == (2, "")
    assert errors == (
        f"{flag[2:]} must be a record of at most {record_reading.LARGEST:,} bytes. Got {path}, which is larger.\n"
    )


def test_a_record_of_the_first_format_is_made_again(monkeypatch):
    """What the golden files were: it lacks the keys that came later, and has the same numbers."""
    later = ("table", "complete", "kept", "averaged", "resume", "epochs")

    def older(document):
        document["format"] = "Gradient Descent Lab, record 1"
        for name in later:
            del document[name]

    assert made_again(edited(older))[0]


def test_a_record_has_the_mean_of_the_points():
    """In mini-batches: NumPy's mean of θ at the end of each epoch of the last half, and its RMSE; else null."""
    base = replace(
        Experiment.default("noisy-quadratic"), scale_features=True, learning_rate=0.05, batch_size=4, epochs=7
    )
    for one in (base, base.continued(3, learning_rate=0.01, epochs=6)):
        recording, problem = record(one), build(one)
        found = record_file.document(one, problem, recording)["averaged"]
        points = recording.epoch_theta.numpy()[-found["epochs"] :]
        assert found["epochs"] == -(-one.epochs // 2)
        assert list(found["parameters"].values()) == pytest.approx(points.mean(0), rel=1e-12)
        x, y = problem.linear.features.numpy(), problem.objective.target.numpy()
        assert found["rmse"] == pytest.approx(np.sqrt(np.mean((x @ points.mean(0) - y) ** 2)), rel=1e-12)
    for one in (replace(base, batch_size=0), replace(base, learning_rate=3.0, epochs=100)):
        assert record_file.document(one, build(one), record(one))["averaged"] is None


# -------------------------------------------------------------------------------------------------------- the schema

SCHEMA = json.loads(record_reading.SCHEMA.read_text(encoding="utf-8"))


@pytest.mark.parametrize("experiment", [SCALED, Experiment.default(), Experiment.from_query({"dataset": "table", "table": "trees", "learning_rate": "1e-4"})[0]], ids=str)  # fmt: skip
def test_a_record_is_as_its_schema_says(experiment):
    """Every key is described, every key is there; jsonschema is the judge."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    document = json.loads(to_json(experiment, record(experiment)))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert list(document) == list(SCHEMA["properties"])
    assert set(document["theory"]) == set(SCHEMA["properties"]["theory"]["properties"])
    assert set(SCHEMA["properties"]["outcome"]["enum"]) == set(Outcome)
    of_table = SCHEMA["properties"]["table"]["properties"]
    assert set(of_table["read_as"]["additionalProperties"]["enum"]) == set(HOWS)
    assert set(of_table["read_with"]["properties"]["encoding"]["enum"]) == set(ENCODINGS)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3) | st.just([]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["epoch", "loss", "parameters", "rows", "read_with", "sheet", "size", "state", "recent", "a"]), inner, max_size=4),
    max_leaves=8,
), st.sampled_from([*SCHEMA["properties"]]))  # fmt: skip
def test_our_reader_of_schemas_agrees_with_jsonschema(value, name):
    """Whatever stands at a key: both refuse it, or neither."""
    document = {"format": FORMAT, "experiment": {}} | {name: value}
    assert (checker(SCHEMA)(document) is None) == jsonschema.Draft202012Validator(SCHEMA).is_valid(document)


def test_of_a_yes_or_no_accuracy_stands_in_record_and_table():
    """At the end and by epoch NumPy's share of rows on the right side; no other loss has the key."""
    experiment = replace(Experiment.default("pass-or-fail"), epochs=12)
    recording, problem = record(experiment), build(experiment)
    x, y = problem.dataset.x.numpy(), problem.dataset.y.numpy()[:, 0]
    theta = recording.epoch_theta.numpy()
    right = ((x @ theta[:, :2].T + theta[:, 2]) * (2 * y - 1)[:, None] > 0).mean(0)
    document = json.loads(to_json(experiment, recording))
    assert document["last"]["accuracy"] == pytest.approx(right[-1])
    assert [one["accuracy"] for one in document["epochs"]] == pytest.approx(right.tolist())
    lines = list(csv.DictReader(io.StringIO(to_csv(experiment, recording))))
    assert [float(line["accuracy"]) for line in lines] == pytest.approx(right.tolist())
    plain = Experiment(epochs=2)
    assert "accuracy" not in to_json(plain, record(plain)) + to_csv(plain, record(plain))
