"""What the columns of people's files are: each kind becomes the numbers that pandas and NumPy make of it."""

import contextlib
import gzip
import io
import random
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gd_core.tables.reading import TableError, read
from gd_core.tables.table import find, keep


def file_of(name, cells, separator=","):
    """A file of one column and a column of plain numbers."""
    quoted = ['"' + cell.replace('"', '""') + '"' for cell in cells]
    return "\n".join([f"{name}{separator}v", *(f"{cell}{separator}{i % 7}" for i, cell in enumerate(quoted))])


def column(cells, name="c", how=None, separator=","):
    """The one column that it became, and how it was read."""
    reading = read(file_of(name, cells, separator), {name: how} if how else None)
    (place,) = reading.table.under(name)
    return reading.table[place].tolist(), reading.columns[0].said


NAN = float("nan")
CLOTHES = [  # cells, what they are, what is said
    (["$1,200.50", "$3", "-$4", "$-5", "($6)"], [1200.5, 3, -4, -5, -6],
     "$ is taken off; commas part the thousands; (12) is −12"),
    (["12%", "3 %", "0.5%"], [12, 3, 0.5], "% is taken off"),
    (["1 000", "12 345 678,5", "2\u00a0000", "5"], [1000, 12345678.5, 2000, 5], "blanks part the thousands"),
    (["1'234.5", "6"], [1234.5, 6], "blanks part the thousands"),
    (["1,014.0", "995.9", "1,008.64"], [1014, 995.9, 1008.64], "commas part the thousands"),
    (["1,234", "987", "2,345,678"], [1234, 987, 2345678], "commas part the thousands"),
    (["1,00,000", "12,34,567.5"], [100000, 1234567.5], "commas part the thousands"),
    (["1.234.567", "2"], [1234567, 2], "points part the thousands"),
    (["\u22123", "4"], [-3, 4], ""),
    (["(12)", "7"], [-12, 7], "(12) is −12"),
    (["€5", "€6", "$7"], [5, 6, NAN], "€ is taken off"),
    (["1.5", "NA", "N/A", "n/a", "-", "?", "T", "2", "3", "4"], [1.5, NAN, NAN, NAN, NAN, NAN, NAN, 2, 3, 4], ""),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "numbers", "said"), CLOTHES, ids=range(len(CLOTHES)))
def test_a_number_is_read_in_whatever_clothes(cells, numbers, said):
    """The number that a person reads; what was taken off is said; what is no number leaves a gap that is told."""
    got, words = column(cells)
    assert got == pytest.approx(numbers, rel=1e-15, nan_ok=True)
    assert words == said
    gaps = [str(finding) for finding in read(file_of("c", cells)).findings]
    assert len(gaps) == sum(np.isnan(numbers))


def test_decimal_commas_with_points_between_the_thousands():
    """1.234,5 is a thousand and more, and so is 1.234 beside it."""
    assert column(["1.234,5", "2,5", "1.234", "3"], separator=";")[0] == [1234.5, 2.5, 1234, 3]
    assert column(["1,234", "987"], how="decimal commas")[0] == [1.234, 987]


@given(st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=3, max_size=20, unique=True))
def test_pandas_reads_the_same_thousands(numbers):
    """However many, with the separator that pandas is told of."""
    text = file_of("c", [f"{number:,.2f}" for number in numbers])
    expected = pd.read_csv(io.StringIO(text), thousands=",")["c"]
    np.testing.assert_allclose(read(text, {"c": "numbers"}).table["c"], expected.to_numpy(float), rtol=1e-15)


def test_words_are_pandas_indicators():
    """The columns of pandas.get_dummies without the first, which is left out; the file's name stands for all of them."""
    words = ["north", "south", "west", "south", "", "east", "west"]
    reading = read(file_of("region", words))
    expected = pd.get_dummies(pd.Series([word or None for word in words]), drop_first=True, dtype=float)
    names = [f"region = {word}" for word in expected.columns]
    assert reading.table.under("region") == tuple(names)
    for name, word in zip(names, expected.columns, strict=True):
        got = reading.table[name]
        assert np.isnan(got).tolist() == [not word for word in words]
        known = ~np.isnan(got)
        np.testing.assert_array_equal(got[known], expected[word].to_numpy()[known])
    assert [str(finding) for finding in reading.findings] == ["row 6, column region is empty"]
    assert reading.choices == ("region: 1 for each of north, south, west, else 0; east where all are 0",)


@pytest.mark.parametrize(
    "words", [("no", "yes"), ("female", "male"), ("False", "True"), ("N", "Y"), ("benign", "malignant")]
)
def test_two_words_are_zero_and_one(words):
    """In one column under its own name; which is which is said."""
    cells = [words[i] for i in (1, 0, 1, 1, 0)]
    assert column(cells, "Brick") == ([1, 0, 1, 1, 0], f"{words[0]} = 0, {words[1]} = 1")
    assert read(file_of("Brick", cells)).table.names == ("Brick", "v")


def test_what_cannot_be_used_is_named():
    """More than ten words, another word in every row, one word only, nothing: each is left out, and says why."""
    rows = [f"w{i % 11},name {i},same,,{i},{i * i}" for i in range(22)]
    reading = read("\n".join(["many,each,one,none,x,y", *rows]))
    assert reading.table.names == ("x", "y")
    assert reading.words == ("many", "each", "one", "none")
    assert reading.choices == (
        "many: 11 different words, so it is left out",
        "each: another word in every row, so it is left out",
        "one: same in every row, so it is left out",
        "none: empty, so it is left out",
    )
    unseen = read("\n".join(["a,x,y", *(f"\u202e,{i},{i * i}" for i in range(9))]))
    assert unseen.choices == ("a: what cannot be seen in every row, so it is left out",)


def test_series_under_one_another_are_named():
    """Dates that come again once a word are so many series; dates that come once are one."""
    days = [f"2020-01-0{i}" for i in range(1, 5)]
    several = "\n".join(
        ["date,symbol,price", *(f"{day},{symbol},{i}" for symbol in "ABC" for i, day in enumerate(days))]
    )
    assert "Several series stand under one another: symbol tells them apart." in read(several).notes
    one = "\n".join(["date,symbol,price", *(f"{day},{'AB'[i % 2]},{i}" for i, day in enumerate(days))])
    assert read(one).notes == ()


def test_numbers_find_room_before_words():
    """Of 60 columns of four words and 40 of numbers, 100 in all: each of numbers, and 20 of words with three each."""
    names = [f"w{i}" for i in range(60)] + [f"n{i}" for i in range(40)]
    rows = [[f"v{(i + j) % 4}" for j in range(60)] + [str(i * j % 11) for j in range(40)] for i in range(12)]
    reading = read("\n".join(map(",".join, [names, *rows])))
    assert len(reading.table.names) == 100
    assert set(names[60:]) < set(reading.table.names)
    assert reading.words == tuple(names[20:60])
    assert reading.columns[20].said == "a table has at most 100 columns, so it is left out"


DATES = [
    ["2014-7-1", "2014-07-02", "2014/8/13"],
    ["2014-01-01 13:30:15", "2014-01-01T23:59:59.5", "2014-01-03 01:02"],
    ["2014-01-01T00:00:00Z", "2014-01-02T01:00:00+02:00", "2014-01-02T01:00:00-0330"],
    ["Jan 1 2000", "January 15, 2000", "Feb 29 2000"],
    ["29-Oct-1992", "1 November 1992", "2 Nov 1992"],
    ["Sat, 01 Jan 2000", "Sunday 2 January 2000", "3 Jan 2000"],
    ["3/14/2021 1:05 AM", "3/15/2021 12:00 PM", "3/16/2021 12:30 am"],
    ["2012-02-29", "2011-12-31", "2012-03-01"],
]


@pytest.mark.parametrize("cells", DATES, ids=range(len(DATES)))
def test_dates_are_pandas_days_since_the_first(cells):
    """Times are fractions of a day, zones are reckoned with; the unit and the first day stand in the name."""
    stamps = pd.Series([pd.Timestamp(cell) for cell in cells])
    stamps = pd.Series([one.tz_convert(None) if one.tz else one for one in stamps])
    first = stamps.min().normalize()
    reading = read(file_of("when", cells))
    (name,) = reading.table.under("when")
    assert name == f"when (days since {first:%Y-%m-%d})"
    np.testing.assert_allclose(reading.table[name], (stamps - first) / pd.Timedelta("1D"), rtol=0, atol=1e-10)
    assert reading.questions == ()


def test_months_and_quarters_are_parts_of_a_year():
    """Jan-49 is of 1949; twelve months are one year exactly, however long they are."""
    for cells in (
        ["Jan-49", "Feb-49", "Jan-50"],
        ["1949-01", "1949-02", "1950-01"],
        ["1949-01-01", "1949-02-01", "1950-01-01"],
        ["January 1949", "Feb. 1949", "Jan 1950"],
    ):
        reading = read(file_of("month", cells))
        assert reading.table.names == ("month (years since 1949-01)", "v")
        assert reading.table.columns[0].tolist() == [0, 1 / 12, 1]
    assert column(["2014Q1", "2014-Q3", "Q4 2015"])[0] == [0, 0.5, 1.75]


def test_a_long_span_of_days_is_told_in_years():
    """Of 365.25 days, from a thousand days on."""
    days = pd.date_range("2000-03-05", periods=1500).strftime("%Y-%m-%d")
    reading = read(file_of("date", list(days)))
    assert reading.table.names[0] == "date (years since 2000-03-05)"
    np.testing.assert_allclose(reading.table.columns[0], np.arange(1500) / 365.25, rtol=1e-15)


def test_the_order_of_day_and_month_is_asked_only_where_it_is_open():
    """A number above 12 answers it; points have the day first; otherwise it is a question, and either answer is taken."""
    for cells, dayfirst in ((["29-10-1992", "1-11-1992"], True), (["5/6/2014", "6/17/2014"], False)):
        expected = pd.to_datetime(
            pd.Series(cells), dayfirst=dayfirst, format="%d-%m-%Y" if dayfirst else "%m/%d/%Y"
        )
        assert column(cells)[0] == ((expected - expected.min()) / pd.Timedelta("1D")).tolist()
        assert read(file_of("c", cells)).questions == ()
    assert read(file_of("c", ["5.6.2014", "6.7.2014"])).questions == ()
    open_ = ["05/06/2014", "06/07/2014"]
    (asked,) = read(file_of("c", open_)).questions
    assert asked.question == "c holds dates such as 05/06/2014. Does the day come first, or the month?"
    assert column(open_, how="day first")[0] == [0, 31]
    assert column(open_, how="month first")[0] == [0, 32]
    assert read(file_of("c", open_), {"c": "month first"}).questions == ()


@pytest.mark.parametrize("mark", ["-999", "9999", "-99999", "-9.99", "999.9"])
def test_a_mark_for_missing_is_asked_about(mark):
    """One number, repeated, far outside the rest; the answer takes it out, or leaves it in."""
    cells = ["7.1", mark, "7.4", "8.2", mark, "7.7"]
    reading = read(file_of("pH", cells))
    (asked,) = reading.questions
    shown = mark.replace("-", "−")
    assert (
        asked.question
        == f"pH holds {shown} in 2 cells, far from its other numbers. Is that a mark for missing?"
    )
    gone = read(file_of("pH", cells), {"pH": "missing"})
    assert np.isnan(gone.table["pH"]).tolist() == [False, True, False, False, True, False]
    assert (gone.found, gone.questions) == (2, ())
    assert gone.choices == (f"pH: {shown} in 2 cells is taken for missing",)
    kept = read(file_of("pH", cells), {"pH": "numbers"})
    assert kept.table["pH"].tolist() == [float(cell) for cell in cells]
    assert kept.questions == ()


@pytest.mark.parametrize("cells", [range(90, 110), [0, 0, 0, 1, 1, 5], [98, 99, 99, 97], [1e6, 1, 2, 3]])
def test_ordinary_numbers_are_not_asked_about(cells):
    """Neither one far number, nor many alike, nor a 99 among its neighbours."""
    assert read(file_of("c", [str(cell) for cell in cells])).questions == ()


@pytest.mark.parametrize(
    ("name", "cells", "is_number"),
    [
        ("id", [1, 2, 3, 4], True), ("No", [1, 2, 3, 4], True), ("customer_id", [1007, 1003, 1020, 1001], True),
        ("CustomerID", [5, 6, 9, 10], True), ("", [0, 1, 2, 3], True), ("Unnamed: 0", [0, 1, 2, 3], True),
        ("day", [1, 2, 3, 4], False), ("paid", [1, 2, 3, 4], False), ("no", [3, 3, 4, 5], False), ("", [3, 9, 4, 2], False),
        ("rain", [0.5, 1, 2, 3], False),
    ],
)  # fmt: skip
def test_a_row_number_is_not_offered(name, cells, is_number):
    """It stays in the table, for whoever asks for it by name."""
    text = "\n".join([f"{name},x,y", *(f"{cell},{i * 3 % 5},{i * i}" for i, cell in enumerate(cells))])
    table = read(text).table
    first = name or "column 1"
    assert table[first].tolist() == cells
    assert table.offered == (("x", "y") if is_number else (first, "x", "y"))


HEADS = [  # text, names, rows
    ("5.1,3.5,Iris-setosa\n4.9,3.0,Iris-setosa\n7,3,Iris-virginica\n", ("column 1", "column 2", "column 3"), 3),
    ("M,0.455,15\nM,0.35,7\nF,0.53,9\n", ("column 1", "column 2", "column 3"), 3),
    ("3,?,alfa,111\n3,?,alfa,154\n2,164,audi,102\n2,150,audi,99\n", ("column 1", "column 2", "column 3", "column 4"), 4),
    ("country,1990,2000,2010\nFrance,1,2,3\nItaly,4,5,6\nFrance,4,5,7\n", ("country", "1990", "2000", "2010"), 3),
    ("2000-01-01,5\n2000-01-02,6\n2000-01-03,8\n", ("column 1", "column 2"), 3),
    ("$5,6\n$6,7\n$8,8\n", ("column 1", "column 2"), 3),
    ("p,x,1\ne,x,2\np,y,3\ne,y,4", ("column 1", "column 2", "column 3"), 4),
    ("a,b\nyes,no\nno,yes\nyes,yes", ("a", "b"), 3),
    ("# made by a program\n% in 2001\na,b\n1,2\n3,5\n", ("a", "b"), 2),
    ("# a b\n1 2\n3 5\n", ("a", "b"), 2),
    ("A title, perhaps\n\na;b\n1;2\n3;5\n", ("a", "b"), 2),
    ("A title,\na,b\n1,2\n3,5\n", ("a", "b"), 2),
    ("a,b\n1,5,6\n2,6,8\n3,7,9\n", ("column 1", "a", "b"), 3),
    ('a b\n"r 1" 5 6\n"r 2" 6 8\n"r 3" 7 9\n', ("column 1", "a", "b"), 3),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names", "rows"), HEADS, ids=range(len(HEADS)))
def test_names_are_told_from_data(text, names, rows):
    """The first row holds names only where it differs in kind from the rows below; lines above it are passed over."""
    reading = read(text)
    assert tuple(column_.name for column_ in reading.columns) == names
    assert reading.table.rows == rows


def test_rows_are_counted_from_the_top_of_the_file():
    """Comments and titles count."""
    assert [str(one) for one in read("# x\n# y\na,b\n1,2\n,5\n3,4\n").findings] == [
        "row 5, column a is empty"
    ]


def test_a_header_one_name_short_is_called_that():
    """Whatever stands in the first column; where it could be no index the name is asked for."""
    assert any("one name short" in note for note in read("x,y\n1,5,6\n2,6,8\n3,7,9\n").notes)
    with pytest.raises(TableError) as error:
        read("x,y\n1,5,6\n1,6,8\n3,7,9\n")
    assert str(error.value) == "The header is one name short: it has 2, the rows have 3 cells. Add the name."


BLANKS = (
    '18.0   8   307.0      130.0      3504.\t"chevrolet chevelle malibu"\n'
    '15.0   8   350.0      ?          3693.\t"buick skylark 320"\n'
    ' 18.0   4   318.0      150.0      3436.\t"plymouth satellite"\n'
)


def test_runs_of_blanks_separate_also_before_quoted_words():
    """As pandas has it with sep=r"\\s+"; the tab before the quotation mark is one of them."""
    reading = read(BLANKS)
    expected = pd.read_csv(io.StringIO(BLANKS), sep=r"\s+", header=None, na_values="?")
    assert reading.table.names == tuple(f"column {i}" for i in range(1, 6))
    for i in range(5):
        np.testing.assert_array_equal(reading.table.columns[i], expected[i].to_numpy(float))
    assert reading.columns[5].said == "another word in every row, so it is left out"


ENCODED = [
    ("cp949", "도시,인구\n서울,100\n부산,107\n대구,114\n서울,3\n"),
    ("cp932", "都市,人口\n東京,100\n大阪,107\n名古屋,3\n東京,4\n"),
    ("cp1251", "город,население\nМосква,100\nКазань,107\nМосква,3\n"),
    ("cp1253", "πόλη,τιμή\nΑθήνα,3\nΠάτρα,4\nΑθήνα,4\n"),
    ("cp1252", "région,année\nÎle-de-France,2001\nRhône-Alpes,2002\nRhône-Alpes,2003\n"),
    ("mac_roman", "région,année\nÎle-de-France,2001\nRhône-Alpes,2002\nRhône-Alpes,2003\n"),
    ("gb18030", "城市,人口\n北京,100\n上海,3\n广州,5\n北京,7\n"),
    ("big5", "城市,人口\n臺北,100\n高雄,3\n臺中,5\n臺北,9\n"),
]


@pytest.mark.parametrize(("encoding", "text"), ENCODED, ids=[encoding for encoding, _ in ENCODED])
def test_an_encoding_is_recognised(encoding, text):
    """What stands in the file in UTF-8 stands in it in the encoding of its country; and that is said."""
    reading = read(text.encode(encoding))
    same = read(text)
    assert (reading.table.names, reading.choices) == (same.table.names, same.choices)
    assert any("not UTF-8" in note for note in reading.notes)


FRAME = pd.DataFrame(
    {
        "when": pd.date_range("2020-01-31", periods=6, freq="D"),
        "size": [1.5, 2, 3, 4, 5, 6.25],
        "brick": [True, False] * 3,
        "town": list("abcabc"),
        "price": [3, 1, 4, 1, 5, 9],
    }
)


def excel(**other):
    file = io.BytesIO()
    with pd.ExcelWriter(file, engine="xlsxwriter") as book:
        pd.DataFrame({"note": ["read me"]}).to_excel(book, sheet_name="About", index=False)
        FRAME.to_excel(book, sheet_name="Data", index=False, **other)
        book.sheets["Data"].write(0, 0, "A title" if other else "when")
    return file.getvalue()


def parquet():
    file = io.BytesIO()
    FRAME.to_parquet(file)
    return file.getvalue()


FILES = {
    "csv": lambda: FRAME.to_csv(index=False).encode(),
    "tsv": lambda: FRAME.to_csv(index=False, sep="\t").encode(),
    "gz": lambda: gzip.compress(FRAME.to_csv(index=False).encode()),
    "xlsx": excel,
    "xlsx below a title": lambda: excel(startrow=2),
    "parquet": parquet,
    "parquet.gz": lambda: gzip.compress(parquet()),
    "json": lambda: FRAME.to_json(orient="records", date_format="iso").encode(),
    "json under a name": lambda: (
        b'{"rows": %s}' % FRAME.to_json(orient="records", date_format="iso").encode()
    ),
    "jsonl": lambda: FRAME.to_json(orient="records", lines=True, date_format="iso").encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_holds_the_same_table(name):
    """Workbook, Parquet, JSON, gzip: names and numbers of pandas' frame."""
    table = read(FILES[name]()).table
    assert table.names == ("when (days since 2020-01-31)", "size", "brick", "town = b", "town = c", "price")
    expected = [
        np.arange(6.0),
        FRAME["size"],
        FRAME["brick"],
        FRAME["town"] == "b",
        FRAME["town"] == "c",
        FRAME["price"],
    ]
    for got, column_ in zip(table.columns, expected, strict=True):
        np.testing.assert_array_equal(got, np.asarray(column_, float))


def test_a_sheet_can_be_chosen():
    """Without a choice it is the first that holds a table; all are named; one that is not there is refused."""
    reading = read(excel())
    assert (reading.sheet, reading.sheets) == ("Data", ("About", "Data"))
    assert "Sheet Data of 2: About, Data." in reading.notes
    for sheet, sentence in (
        ("About", "The table has one column; a fit needs two, a feature and a target."),
        ("Nope", "The workbook has no sheet Nope. Its sheets are About, Data."),
    ):
        with pytest.raises(TableError) as error:
            read(excel(), sheet=sheet)
        assert str(error.value) == sentence


def test_a_sheet_with_two_cells_far_apart_is_refused():
    """Its reader would make room for 17,179,869,184 cells."""
    import xlsxwriter

    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet()
    sheet.write(0, 0, 1)
    sheet.write(1_048_575, 16_383, 2)
    book.close()
    with pytest.raises(TableError, match=r"^A sheet must have at most 10,000,000 cells"):
        read(file.getvalue())


def test_how_it_was_read_travels_with_the_table():
    """In the link too: which word is 1, which date is 0, what is a row number."""
    table = keep(read("id,brick,month,price\n1,No,Jan-49,$5\n2,Yes,Feb-49,$6\n3,No,Mar-49,$7\n").table)
    found = find(table.key)
    assert found.read_as == table.read_as
    assert [(one.name, one.said) for one in found.read_as] == [
        ("id", "a row number, so it is not offered to predict from"),
        ("brick", "No = 0, Yes = 1"),
        ("month", "years since 1949-01"),
        ("price", "$ is taken off"),
    ]
    assert found.fingerprint == table.fingerprint


def test_a_table_reads_plainly_as_it_did():
    """Plain numbers only, so that the fingerprint in an old link is that of its file still."""
    text = "id,brick,day,x,y\n1,No,2020-01-01,2,3\n2,Yes,2020-01-02,3,\n3,No,2020-01-03,4,6\n"
    assert read(text, plainly=True).table.names == ("id", "x", "y")


# ------------------------------------------------------------------------------------------------------ safety

ATOMS = st.sampled_from(
    ["1", "2.5", "-3", "1,234.5", "$5", "12%", "1 000", "(7)", "\u22124", "-999", "NA", "?", "", " ", "yes", "no", "a b",
     "2014-07-01", "5/6/2014", "Jan-49", "31/31/2014", "2014-01-01T25:61", "99999-01-01", "Q5 2014", '"', "'", "#", "1e400",
     "inf", "é", "도시", "\u202e", "=1+1", "{", "[", "0" * 400, "x" * 400]
)  # fmt: skip


def read_or_refused(data, how=None):
    """What was read, or None after one sentence on one line."""
    try:
        return read(data, how)
    except TableError as error:
        sentence = str(error)
    assert sentence.splitlines() == [sentence]
    return None


@settings(max_examples=300)
@given(
    st.lists(st.lists(ATOMS, min_size=1, max_size=5), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t", "|", " ", "   "]),
    st.sampled_from(["utf-8", "utf-16", "cp1252", "cp949", "mac_roman"]),
)
def test_no_table_of_odd_cells_can_break_it(rows, separator, encoding):
    """There is a table of finite numbers, or one sentence on one line; and what was read survives its link."""
    text = "\n".join(separator.join(row) for row in rows)
    data = text.encode(encoding, "replace")
    reading = read_or_refused(data)
    if reading is None:
        return
    assert all(np.isfinite(column_[~np.isnan(column_)]).all() for column_ in reading.table.columns)
    for one in reading.columns:
        for how in one.others:
            again = read_or_refused(data, {one.name: how})
            assert again is None or again.table.rows == reading.table.rows
    key = reading.table.key
    if reading.table.travels and not any(np.isnan(c).all() for c in reading.table.columns):
        assert find(key).names == reading.table.names


def test_no_spoilt_workbook_or_parquet_file_can_break_it():
    """A thousand files with bytes changed, cut or doubled: a table, or one sentence on one line."""
    generator = random.Random(7)
    for whole in (excel(), parquet(), gzip.compress(b"a,b\n1,2\n2,3\n")):
        for _ in range(300):
            data = bytearray(whole)
            for _ in range(generator.choice((1, 3, 30))):
                data[generator.randrange(len(data))] = generator.randrange(256)
            data = data[: generator.choice((len(data), len(data), generator.randrange(len(data))))]
            read_or_refused(bytes(data))


LONG = {
    "digits and an e": lambda n: f"{'1' * n}e,b\n1,2\n3,4\n{'2' * n}e,5",
    "blanks": lambda n: f"a,b\n1{' ' * n}2,2\n3,4\n5,6",
    "thousands": lambda n: "a;b\n" + "1,000," * (n // 6) + "x;2\n3;4\n5;6",
    "a date": lambda n: f"a,b\n2014-01-01{' ' * n}1,2\n2014-01-02,3\n2014-01-03,4",
    "quotation marks": lambda n: 'a,b\n"' + '""' * (n // 2) + '",2\n3,4\n5,6',
    "an open quotation mark": lambda n: 'a,b\n1,2\n3,"' + "4,5\n" * (n // 4),
    "words": lambda n: "a,b\n" + "".join(f"w{i},{i}\n" for i in range(n // 10)),
    "a name": lambda n: f"{'x ' * (n // 2)},b\n1,2\n3,4",
    "foreign letters": lambda n: ("a,b\n" + "é,1\n" * (n // 4)).encode("cp1252"),
    "comments": lambda n: "#" * n + "\n" + "# \n" * (n // 30) + "a,b\n1,2\n3,4",
    "cells in a row": lambda n: "1," * (n // 2) + "1",
    "blanks between numbers": lambda n: "1 2 3\n" * (n // 6),
}


def _took(data):
    """Seconds of processor, the least of three."""
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        with contextlib.suppress(TableError):
            read(data)
        best = min(best, time.process_time() - begun)
    return best


@pytest.mark.parametrize("what", LONG)
def test_work_grows_in_proportion_to_the_file(what):
    """Eight times as long takes at most some twenty times as long; where work grows with the square it is sixty-four."""
    small, large = LONG[what](50_000), LONG[what](400_000)
    read_small = max(_took(small), 2e-3)  # below, what does not grow outweighs the rest
    assert _took(large) < 20 * read_small
