"""What a long or a strange cell costs: Python's patterns see only its beginning, and a sentence answers it."""

import ast
from pathlib import Path

import pytest

from gd_core.tables import patterns
from gd_core.tables.reading import MAX_ROWS, TableError, read

SOURCE = Path(patterns.__file__).parent
# Where Python's patterns are used elsewhere: on bytes or on a text as a whole, of one character or a bounded number each.
BOUNDED = {
    "decoding.py": [r'r"[^\s]"', r'rb"[\x80-\xff]"', r'rb"[\r\n]+"', r'rb"[\xc0-\xff]"',
                    r'rb"(?<=[A-Za-z])[\x80-\x90\x94-\x9f]|[\x80-\x90\x94-\x9f](?=[A-Za-z])"'],
    "files.py": ["""rb'<c\\b[^>]{0,200}?\\br="([A-Z]{1,3})([0-9]{1,7})"'"""],
    "table.py": ['f"{FINGERPRINT}[0-9a-f]{{{SHOWN_DIGITS}}}"'],
}  # fmt: skip
LONG = 1_000_000
CELLS = {
    "digits and an e": "1" * LONG + "e",
    "blanks and digits": " 1" * (LONG // 2),
    "signs": "-" * LONG,
    "points": "1." * (LONG // 2),
    "thousands": '"1' + ",000" * (LONG // 4) + '"',
    "a date": "Jan" + " " * LONG + "2000",
    "brackets": "(" * (LONG // 2) + "1" + ")" * (LONG // 2),
    "letters": "a" * LONG,
}


def test_patterns_meet_cells_in_one_place():
    """Whoever adds a pattern of Python's to the reader adds it there, where a text is cut, or says here why not."""
    for path in SOURCE.glob("*.py"):
        calls = [
            one for one in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(one, ast.Call)
        ]
        used = {ast.dump(one.args[0]) for one in calls if ast.unparse(one.func).startswith("re.")}
        if path.name != "patterns.py":
            known = BOUNDED.get(path.name, [])
            assert used == {ast.dump(ast.parse(one, mode="eval").body) for one in known}, path.name


def test_a_pattern_sees_the_beginning_alone():
    """Of a million characters it sees 400."""
    for ask in (patterns.begins, patterns.is_whole, patterns.holds):
        found = ask("x*", "x" * LONG)
        assert found is not None
        assert found.end() == patterns.LONGEST == 400


@pytest.mark.parametrize("where", ["below", "above"])
@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_a_cell_of_a_megabyte_is_answered_for(cell, where):
    """It is a name, or a cell that holds no number: told in a sentence of its first characters."""
    rows = "\n".join(f"{i},{i * i % 7}" for i in range(40))
    reading = read(f"{cell},4\n{rows}" if where == "above" else f"a,b\n{rows}\n{cell},4\n5,6")
    assert reading.table.rows in (40, 41, 42)
    assert all(len(str(finding)) < 120 for finding in reading.findings)
    assert where == "above" or reading.found == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n" + "\n" * (2 * MAX_ROWS) + "3,4", "at most 1,000,000 rows. Got 2,000,002 lines."),
        ("a,b\n" + "1,2\n" * MAX_ROWS + "3\n" * 3 + "1,2", "at most 1,000,000 rows. Got 1,000,00"),
        ("a,b\n" + "1,2\n" * 9 + "3\n" * (MAX_ROWS + 5), "1,000,000 rows that are blank or have another number of cells"),
    ],
    ids=["blank lines", "too many by ragged ones", "ragged ones"],
)  # fmt: skip
def test_rows_beyond_the_bound_are_one_sentence(text, sentence):
    """However they came about; rows with another number of cells count, for they stand in the table."""
    with pytest.raises(TableError, match=sentence):
        read(text)


def test_ragged_rows_are_counted_and_not_kept_as_sentences():
    """A hundred thousand of them beside as many good ones: a table, with its first findings."""
    reading = read("a,b\n" + "1,2\n3,5\n" * 50_001 + "1,2,3\n" * 100_000)
    assert (reading.table.rows, reading.found, len(reading.findings)) == (200_002, 100_000, 1000)
    assert str(reading.findings[0]) == "row 100,004 has 3 cells instead of 2"
