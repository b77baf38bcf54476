"""Files as they come, hostile ones too: the table in them, or the sentence that says why there is none."""

import gzip
import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gd_core.tables.reading import TableError, read


def zipped(name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "x")
    return file.getvalue()


NUL = "The file holds NUL bytes, so it is not text. Save the table as CSV."
EMPTY = "The table is empty: there is nothing in it."
ONE_COLUMN = (
    "The table has one column; a fit needs two, a feature and a target. "
    "Columns are separated by commas, semicolons, tabs, | or blanks."
)
NEEDS_TWO = "The table needs two columns of numbers, a feature and a target."
HOSTILE = [
    pytest.param(b"", EMPTY, id="empty"),
    pytest.param(b" \r\n\n \n", EMPTY, id="blank"),
    pytest.param("\ufeff".encode(), EMPTY, id="byte order mark only"),
    pytest.param(b"a,b\n", "The table has a header and no rows. Add at least two.", id="header only"),
    pytest.param(
        b"a,b\n,\n,\n", "The table has a header and no rows. Add at least two.", id="blank rows only"
    ),
    pytest.param(b"a\n1\n2\n", ONE_COLUMN, id="one column"),
    pytest.param(b"some words\nand others\n", ONE_COLUMN, id="sentences"),
    pytest.param(
        b",".join(b"c%d" % i for i in range(10_000)) + b"\n" + b",".join([b"1"] * 10_000),
        "The table must have at most 100 columns. Got 10,000.",
        id="10,000 columns",
    ),
    pytest.param(
        b"," * 4_999_999, "The table must have at most 100 columns. Got 5,000,000.", id="5 MB of commas"
    ),
    pytest.param(
        b"a,b\n" + b"1,2\n" * 12_600_000,
        "The file must have at most 50 MB. Got 50.4 MB: leave out rows or columns.",
        id="too many bytes",
    ),
    pytest.param(
        b"a,b\n" + b"1,2\n" * 1_000_001,
        "The table must have at most 1,000,000 rows. Got 1,000,001.",
        id="too many rows",
    ),
    pytest.param(b"a,b\n1,\x002\n3,4\n", NUL, id="a NUL byte"),
    pytest.param(b"\x00" * 1000, NUL, id="NUL bytes"),
    pytest.param("a,b\n1,\0\n2,3", NUL, id="a NUL in pasted text"),
    pytest.param(zipped("a.csv"), "The file is a zip archive and no workbook: unpack it first.", id="a zip"),
    pytest.param(
        zipped("xl/workbook.xml"), "The workbook cannot be read", id="a workbook without its sheets"
    ),
    pytest.param(
        b"PK\x03\x04" + b"\x00" * 600,
        "The file begins as a workbook and does not go on so: copy it again.",
        id="half a workbook",
    ),
    pytest.param(b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "The workbook cannot be read", id="half an .xls"),
    pytest.param(
        b"\x1f\x8b\x08\x00",
        "The file is packed with gzip and its end is missing: copy it again.",
        id="half a gzip",
    ),
    pytest.param(
        gzip.compress(b"1,2\n" * 12_600_000, 1),
        "The file must have at most 50 MB when it is unpacked.",
        id="a gzip bomb",
    ),
    pytest.param(
        b"PAR1" + b"\x00" * 60,
        "The Parquet file cannot be read: its end is missing, or it is damaged.",
        id="half a Parquet file",
    ),
    pytest.param(
        b"[1, 2]",
        "The JSON must be a list of objects, one for each row. Got something else.",
        id="JSON numbers",
    ),
    pytest.param(
        b"[" * 100_000, "The JSON lies too deep for a table: it must be a list of objects.", id="deep JSON"
    ),
    pytest.param(b"\x89PNG\r\n", "The file is not a table of text but a picture.", id="a picture"),
    pytest.param(
        bytes(range(1, 32)) * 50, "The file is not text. Save the table as CSV.", id="control characters"
    ),
    pytest.param(
        b"\xff\xfea,b\n1",
        "The file begins as UTF-16 and does not go on so. Save the table as CSV in UTF-8.",
        id="half UTF-16",
    ),
    pytest.param(
        b"name,a\n=cmd|' /C calc'!A0,1\nx,2\ny,3\n",
        NEEDS_TWO + " Got one, a; name: another word in every row, so it is left out.",
        id="a formula",
    ),
    pytest.param(
        "a,b\ninf,1\n-Infinity,2\n∞,3\n".encode(),
        NEEDS_TWO + " Got one, b; a: another word in every row, so it is left out.",
        id="infinities",
    ),
    pytest.param(b"a,b\n1,2\n", "The table has one row of numbers; a fit needs at least two.", id="one row"),
    pytest.param(
        b"a,b\n1,2,3,4\n2,3,4,5\n3,4,5,6\n",
        "Most rows have another number of cells than the first: it has 2, row 2 has 4. "
        "Delete the lines above the header, or check the separator.",
        id="a header too short",
    ),
    pytest.param(
        b'a,b\n"1,2\n3,4\n',
        "The rows could not be told apart. Perhaps a quotation mark is opened and not closed.",
        id="an open quotation mark",
    ),
]


@pytest.mark.parametrize(("data", "sentence"), HOSTILE)
def test_a_hostile_file_gives_one_sentence(data, sentence):
    """The exact one, and no other error."""
    with pytest.raises(TableError) as error:
        read(data)
    said = str(error.value)
    assert said == sentence or ("cannot be read" in sentence and said.startswith(sentence))
    assert said.splitlines() == [said]


LONG = "x" * 10**6
ODD = [  # text, names, what is found
    ("a,b,c\n=1+1,2,3\n1,2,3\n2,3,4", ("a", "b", "c"), ["row 2, column a: ‘=1+1’ is not a number"]),
    (f"a,b\n{LONG},2\n1,2\n3,4", ("a", "b"), [f"row 2, column a: ‘{'x' * 39}…’ is not a number"]),
    (
        "a,b\n1,inf\n2,3\n4,1e400\n1,-1e31\n2,1e-31\n1,2\n3,4\n3,5\n7,7",
        ("a", "b"),
        [
            "row 2, column b: ‘inf’ is not a finite number",
            "row 4, column b: 1e400 is beyond what can be computed, 1e-30 to 1e+30",
            "row 5, column b: -1e31 is beyond what can be computed, 1e-30 to 1e+30",
            "row 6, column b: 1e-31 is beyond what can be computed, 1e-30 to 1e+30",
        ],
    ),
    ("price,b\nn/a,3\n5,\n7,8\n9,9", ("price", "b"), ["row 2, column price: ‘n/a’ is not a number", "row 3, column b is empty"]),
    ("a,b\n1,nan\n2,3\n3,4", ("a", "b"), ["row 2, column b: ‘nan’ is not a number"]),
    ("a,b\n1,1_000\n2,0x10\n3,4\n4,٣\n5,5\n1,1\n2,2", ("a", "b"), [
        "row 2, column b: ‘1_000’ is not a number",
        "row 3, column b: ‘0x10’ is not a number",
        "row 5, column b: ‘٣’ is not a number",
    ]),
    ("a,b\n1,2\n\n3\n4,5,6\n7,8\n", ("a", "b"), ["row 4 has 1 cell instead of 2", "row 5 has 3 cells instead of 2"]),
    ("a,b\n1,2024-01-01\n2,3\n3,4", ("a", "b"), ["row 2, column b: ‘2024-01-01’ is not a number"]),
    ("مرحبا,<script>alert(1)</script>\n1,2\n3,4", ("مرحبا", "<script>alert(1)</script>"), []),
    ("a,a,,a\n1,2,3,4\n4,5,7,8", ("a", "a (2)", "column 3", "a (3)"), []),
    ("\u202eevil\u202c,b\x07c\n1,2\n3,4", ("evil", "b c"), []),
    ("1,2\n3,4\n", ("column 1", "column 2"), []),
    (LONG + ",b\n1,2\n2,3", ("x" * 59 + "…", "b"), []),
    ('"line\nfeed",b\n1,"2\n"\n2,3', ("line feed", "b"), []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names", "findings"), ODD, ids=range(len(ODD)))
def test_what_is_wrong_is_said_by_row_and_column(text, names, findings):
    """Rows counted as in a spreadsheet; names stay text; each bad cell leaves a gap, and the row stays."""
    reading = read(text)
    assert reading.table.names == names
    assert [str(finding) for finding in reading.findings] == findings
    gaps = sum(reading.table.missing.values())
    assert gaps == len([f for f in reading.findings if f.column]) + len(names) * len(
        [f for f in reading.findings if not f.column]
    )
    assert reading.found == len(findings)


FORMS = [
    ("a;b\n1,5;2,5\n2,0;3", "utf-8"),
    ("a\tb\r\n1.5\t2.5\r\n2.0\t3\r\n", "utf-8-sig"),
    ("a|b\n1.5|2.5\n2|3", "utf-16"),
    ("a,b\n1.5,2.5\n2,3", "utf-16-le"),
    ("a,b\n1.5,2.5\n2,3", "utf-16-be"),
    ('"a","b"\n"1,5","2,5"\n"2","3"', "latin-1"),
    ("a;b;city\n1,5;2,5;Köln\n2;3;Zürich", "latin-1"),
    ("a;b;city\n1,5;2,5;€\n2;3;x", "cp1252"),
    ("\n\n a , b \r 1.5 , 2.50 \r +2 , 3e0 \r\r", "utf-8"),
    ("a\tb\n1,5\t2,5\n2\t3", "utf-8"),
    ("note;b;a\nx,y;2,5;1,5\nz,w;3;2", "utf-8"),
]


@pytest.mark.parametrize(("text", "encoding"), FORMS, ids=range(len(FORMS)))
def test_separators_decimals_and_encodings_are_recognised(text, encoding):
    """However it is written, a is 1.5 and 2, b is 2.5 and 3."""
    reading = read(text.encode(encoding))
    assert reading.table["a"].tolist() == [1.5, 2.0]
    assert reading.table["b"].tolist() == [2.5, 3.0]
    assert reading.found == 0


def test_what_was_recognised_is_told():
    """Nothing is guessed silently."""
    reading = read("a;a;;city\n1,5;2;3;Köln\n2;3;4;Zürich\n;;;".encode("latin-1"))
    said = " ".join(reading.notes)
    for word in (
        "Windows-1252",
        "Decimal commas",
        "semicolons",
        "a (2)",
        "column 3",
        "1 blank row",
    ):
        assert word in said
    assert reading.choices == ("city: Köln = 0, Zürich = 1",)


@given(st.lists(st.floats(1e-30, 1e30) | st.integers(-(10**6), 10**6), min_size=2, max_size=8))
def test_a_number_is_the_nearest_float(numbers):
    """As Python reads it, to the last bit, in a column with words too, and with decimal commas."""
    texts = [repr(number) for number in numbers]
    for extra in ("", "n/a"):
        rows = "\n".join(f"{text};1" for text in [*texts, *([extra] if extra else [])])
        assert read(f"a;b\n{rows}").table["a"].tolist()[: len(texts)] == list(map(float, texts))
    commas = [text.replace(".", ",") for text in texts]
    if sum("," in text for text in commas):
        rows = "\n".join(f"{text};1" for text in commas)
        assert read(f"a;b\n{rows}").table["a"].tolist() == list(map(float, texts))


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_bytes_can_break_it(source):
    """Whatever is uploaded or pasted, there is a table of finite numbers, or one sentence on one line."""
    sentence, reading = "", None
    try:
        reading = read(source)
    except TableError as error:
        sentence = str(error)
    if reading is None:
        assert sentence.splitlines() == [sentence]
        assert len(sentence) < 300
    else:
        assert all(np.isfinite(column[~np.isnan(column)]).all() for column in reading.table.columns)
        assert len(reading.table.names) >= 2


def test_more_findings_than_are_listed_are_counted():
    """A thousand are kept, all are counted."""
    reading = read("a,b\n" + "1,\n2,3\n" * 3000)
    assert (len(reading.findings), reading.found) == (1000, 3000)
