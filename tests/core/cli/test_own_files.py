"""A file of one's own on the command line: what is fitted, how it was read, what is asked, what is taken away."""

import contextlib
import io
import json

import numpy as np
import pandas as pd
import pytest

from gd_core.export import record_file
from gd_core.export.script import script
from gd_core.export.script_table import is_read, table_file
from gd_core.problem import build
from gd_core.recorder import record as trained
from gd_core.settings.experiment import Experiment
from gd_core.tables.reading import read
from gd_core.tables.table import keep

ROWS = 24
HOMES = pd.DataFrame(
    {
        "SqFt": [1500 + 37 * i % 900 for i in range(ROWS)],
        "Brick": ["No", "Yes", "No"] * (ROWS // 3),
        "Town": [["north", "south", "west"][i // 2 % 3] for i in range(ROWS)],
        "Sold": pd.date_range("2020-01-01", periods=ROWS, freq="MS").strftime("%b-%y"),
        "Price": [f"${100_000 + 7919 * i % 50_000:,}" for i in range(ROWS)],
    }
)


@pytest.fixture
def homes(tmp_path):
    path = tmp_path / "homes.csv"
    HOMES.to_csv(path, index=False)
    return path


def least_squares(*columns):
    """The lowest RMSE that NumPy finds for the prices from these columns and an intercept."""
    prices = HOMES["Price"].str.replace("[$,]", "", regex=True).astype(float).to_numpy()
    x = np.column_stack([*columns, np.ones(ROWS)])
    theta = np.linalg.lstsq((x - x.mean(0)) + (x.std(0) == 0), prices, rcond=None)[0]
    return float(np.sqrt(np.mean(((x - x.mean(0) + (x.std(0) == 0)) @ theta - prices) ** 2)))


def test_a_command_takes_every_column_that_can_be_used(run, homes):
    """Words and dates too, but not the target; with a degree, which needs one feature, the first."""
    status, output, errors = run("train", "--table", str(homes), "--epochs", "2", "--json")
    assert status == 0
    assert errors.splitlines()[0] == "Price from SqFt, Brick, Town, Sold: 24 rows."
    assert len(json.loads(output)["experiment"]["features"]) == 5
    status, _, errors = run("train", "--table", str(homes), "--degree", "2", "--epochs", "2", "--json")
    assert status == 0
    assert errors.splitlines()[0] == "Price from SqFt, degree 2: 24 rows."


def test_a_table_of_numbers_is_the_same_fit_whole_and_in_pieces(run, tmp_path):
    """Which columns it is predicted from does not hang on how the file is read; nor does the RMSE."""
    path = tmp_path / "numbers.csv"
    t = np.arange(12.0)
    pd.DataFrame({"one": t, "two": t**2 % 7, "y": 3 * t - (t**2 % 7) + np.sin(t)}).to_csv(path, index=False)
    flags = ("train", "--table", str(path), "--learning-rate", "0.01", "--epochs", "20", "--json")
    (_, whole, _), (_, pieces, _) = run(*flags), run(*flags, "--stream")
    whole, pieces = json.loads(whole), json.loads(pieces)
    assert whole["experiment"]["features"] == pieces["experiment"]["features"] == ["one", "two"]
    assert pieces["last"]["rmse"] == pytest.approx(whole["last"]["rmse"], rel=1e-9)
    assert pieces["last"]["parameters"] == pytest.approx(whole["last"]["parameters"], rel=1e-9)


def test_columns_of_words_and_dates_are_named_as_in_the_file(run, homes):
    """Their indicators come along; the first lines say what is fitted and how it was read; the floor is NumPy's."""
    status, output, errors = run("train", "--table", str(homes), "--features", "SqFt,Brick,Town,Sold", "--scale-features", "--epochs", "2000", "--json")  # fmt: skip
    assert status == 0
    first, *notes = errors.splitlines()
    assert first == "Price from SqFt, Brick, Town, Sold: 24 rows."
    assert "Brick: No = 0, Yes = 1." in notes
    assert "Sold: years since 2020-01." in notes
    assert "Price: $ is taken off; commas part the thousands." in notes
    document = json.loads(output)
    assert document["experiment"]["features"] == [
        "SqFt",
        "Brick",
        "Town = south",
        "Town = west",
        "Sold (years since 2020-01)",
    ]
    months = np.arange(ROWS) / 12
    expected = least_squares(
        HOMES["SqFt"], HOMES["Brick"] == "Yes", HOMES["Town"] == "south", HOMES["Town"] == "west", months
    )
    assert document["epochs"][-1]["rmse"] == pytest.approx(expected, rel=1e-9)


def test_the_target_is_guessed_by_its_name(run, tmp_path):
    """A column called price, wherever it stands; else the last that holds numbers."""
    for text, target in (
        ("price,size\n3,1\n4,2\n6,3\n", "price from size"),
        ("size,SalePrice,rooms\n1,3,1\n2,4,5\n3,6,2\n", "SalePrice from size, rooms"),
        ("a,b,town\n1,3,x\n2,4,y\n3,6,x\n", "b from a, town"),
    ):
        path = tmp_path / "t.csv"
        path.write_text(text)
        _, output, _ = run("train", "--table", str(path), "--epochs", "1")
        assert output.startswith(f"{target}: 3 rows.\n")


def test_the_first_line_says_what_is_left_out(run, tmp_path):
    """A row number, with a name or without, and what never changes; not where it is asked for."""
    path = tmp_path / "t.csv"
    rows = "1,230.1,7,22.1\n2,44.5,7,10.4\n3,17.2,7,9.3\n4,151.5,7,18.5\n"
    for head, said in (
        (",TV,z,sales\n", "column 1 is a row number and left out; z is the same in every row and left out"),
        ("id,TV,z,sales\n", "id is a row number and left out; z is the same in every row and left out"),
    ):
        path.write_text(head + rows)
        status, output, _ = run("train", "--table", path, "--epochs", "1")
        assert status == 0
        assert output.splitlines()[0] == f"sales from TV: 4 rows ({said})."
    _, output, _ = run("train", "--table", path, "--features", "id,TV", "--epochs", "1")
    assert output.splitlines()[0] == "sales from id, TV: 4 rows (z is the same in every row and left out)."


def test_what_is_the_matter_with_a_column_is_said(run, tmp_path):
    """One that is there and cannot be used, words that are no single target, and one that is not there."""
    path = tmp_path / "t.csv"
    path.write_text("name,region,x,y\n" + "\n".join(f"n{i},{'abc'[i % 3]},{i},{i * i}" for i in range(6)))
    for flags, sentence in (
        (("--features", "name"), "features must be columns that can be used. Got name: another word in every row, so it is left out."),
        (("--target", "region"), "target must be one column of numbers: region became 2, one for each word. Got region."),
        (("--features", "town"), "features must be columns of the table: region, x, y. Got town."),
        (("--read-as", "x"), "read-as must be COLUMN=HOW with numbers, decimal commas, words, dates, day first, month first, missing, left out. Got x."),
        (("--read-as", "z=words"), "The file has no column z. Its columns are name, region, x, y."),
    ):  # fmt: skip
        status, output, errors = run("train", "--table", str(path), *flags)
        assert (status, output, errors) == (2, "", f"{sentence}\n")


def test_what_is_open_is_asked_and_answered(run, tmp_path):
    """A mark for missing is never computed with silently; the answer leaves its rows out, and that is told."""
    path = tmp_path / "t.csv"
    path.write_text("x,t,y\n1,5,3\n2,-999,4\n3,6,5\n4,-999,6\n5,7,8\n,8,9\n")
    status, output, errors = run("train", "--table", str(path))
    assert (status, output) == (2, "")
    assert errors == (
        "t holds −999 in 2 cells, far from its other numbers. Is that a mark for missing? "
        "Say --read-as 't=missing' or --read-as 't=numbers'.\n"
    )
    status, output, _ = run(
        "train", "--table", str(path), "--read-as", "t=missing", "--features", "x,t", "--epochs", "1"
    )
    assert output.splitlines()[:3] == [
        "y from x, t: 3 rows.",
        "3 rows are left out of 6, for want of a number: x in 1, t in 2.",
        "t: −999 in 2 cells is taken for missing.",
    ]


def test_a_record_of_words_and_dates_makes_the_run_again(run, homes, tmp_path):
    """To the last bit, without the file: it is small, and its numbers stand in the record."""
    record = tmp_path / "run.json"
    status, _, _ = run(
        "train", "--table", str(homes), "--features", "Brick,Sold", "--epochs", "5", "--record", str(record)
    )
    assert status == 0
    status, output, _ = run("train", "--from", str(record))
    assert status == 0
    assert "Reproduced exactly" in output
    status, output, _ = run("train", "--from", str(record), "--table", str(homes))
    assert status == 0


def test_a_record_says_how_its_file_was_read(run, tmp_path):
    """Whoever makes the run again from it and the file need not say so once more; what is said then, counts."""
    path, record = tmp_path / "t.csv", tmp_path / "run.json"
    rows = [f"{('Łódź', 'Kraków')[i % 2]},{i % 3},{i * 17 % 101},{i * i % 89}" for i in range(1500)]
    path.write_bytes("\n".join(["miasto,zip,x,y", *rows]).encode("cp1250"))
    said = ("--read-as", "zip=words", "--encoding", "cp1250")
    status, _, _ = run("train", "--table", path, *said, "--epochs", 3, "--record", record)
    assert status == 0
    status, output, errors = run("train", "--from", record, "--table", path, "--record", record)
    assert (status, errors) == (0, "")
    assert "Reproduced exactly" in output
    table = json.loads(record.read_text())["table"]
    assert (table["read_as"], table["read_with"]) == ({"zip": "words"}, {"encoding": "cp1250"})
    status, _, errors = run("train", "--from", record, "--table", path, "--read-as", "zip=numbers")
    assert status == 2
    assert errors.startswith("table must be the file of the table that the record was made with.")


def test_an_old_record_knows_its_file_still(run, tmp_path):
    """One written when words, dates and row numbers were not told apart: by the numbers alone."""
    path, record = tmp_path / "t.csv", tmp_path / "run.json"
    rows = [f"{i},{'yes' if i % 2 else 'no'},{i * 17 % 101},{i * i % 89}" for i in range(1500)]
    path.write_text("\n".join(["id,brick,x,y", *rows]))
    table = keep(read(path.read_bytes(), plainly=True).table)
    assert table.names == ("id", "x", "y")
    experiment, sentences = Experiment.from_query(
        {
            "dataset": "table",
            "table": table.key,
            "target": "y",
            "features": "x",
            "learning_rate": "1e-5",
            "epochs": "3",
        }
    )
    assert sentences == []
    document = record_file.document(experiment, build(experiment), trained(experiment))
    record.write_text(record_file.strict_json(document))
    status, output, errors = run("train", "--from", str(record), "--table", str(path))
    assert (status, errors) == (0, "")
    assert "Reproduced exactly" in output


def test_a_table_is_shown_and_written_as_it_was_read(run, homes, tmp_path):
    """Column by column; the numbers are pandas' of the same file."""
    out = tmp_path / "numbers.csv"
    status, output, _ = run("table", str(homes), "--csv", str(out))
    assert status == 0
    assert "Brick  words: No = 0, Yes = 1" in output
    got = pd.read_csv(out)
    assert list(got) == [
        "SqFt",
        "Brick",
        "Town = south",
        "Town = west",
        "Sold (years since 2020-01)",
        "Price",
    ]
    np.testing.assert_array_equal(got["Brick"], HOMES["Brick"] == "Yes")
    np.testing.assert_array_equal(got["Price"], [100_000 + 7919 * i % 50_000 for i in range(ROWS)])


def test_a_script_reads_the_numbers_that_words_became(tmp_path, monkeypatch):
    """A large table of words and dates: the file that goes with the script holds them, and it prints the run."""
    rows = [
        f'{"yes" if i % 2 else "no"},{"abc"[i * i % 3]},{1 + i % 12}/28/{1990 + i % 7},"${1 + i * 7919 % 9000:,}.50"'
        for i in range(1500)
    ]
    text = "\n".join(["brick,town,sold,price", *rows])
    table = keep(read(text).table)
    experiment, sentences = Experiment.from_query(
        {"dataset": "table", "table": table.key, "features": "brick,town,sold", "learning_rate": "0.1", "epochs": "4",
         "scale_features": "true"}
    )  # fmt: skip
    assert sentences == []
    assert is_read(experiment)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.csv").write_text(table_file(experiment), encoding="utf-8")
    source = script(experiment, "by-hand")
    assert "as the lab read it" in " ".join(source.split())
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(source, "run.py", "exec"), {"__name__": "__main__"})
    lines = [line.split() for line in printed.getvalue().splitlines() if line.split()[:1] == ["4"]]
    assert float(lines[0][2]) == pytest.approx(float(trained(experiment).epoch_rmse[4]), rel=1e-9)


@pytest.mark.parametrize("command", ["train", "script"])
@pytest.mark.parametrize("name", ["homes.xlsx", "homes.csv", "homes.json"])
def test_a_file_that_is_not_there_is_called_that(run, tmp_path, command, name):
    """And no example, nor what a link says; the help says which files there may be."""
    status, output, errors = run(command, "--table", tmp_path / name)
    assert (status, output) == (2, "")
    assert errors == f"table must be a file that can be read. Got {tmp_path / name}: there is no such file.\n"
    _, output, _ = run(command, "--help")
    assert "CSV, Excel, Parquet or JSON" in " ".join(output.split())
