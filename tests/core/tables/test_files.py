"""Whole files as people have them: an .xls with three sheets, and text that fits into more than one encoding."""

from pathlib import Path

import numpy as np
import pytest

from gd_core.tables.decoding import ENCODINGS, TITLES
from gd_core.tables.reading import TableError, read

CASES = Path(__file__).parent / "cases"


def test_an_xls_of_several_sheets():
    """BIFF8, as Excel 97 to 2003 write it: the first sheet with a table, its dates and words, an empty row, a title."""
    data = (CASES / "three-sheets.xls").read_bytes()
    reading = read(data)
    assert (reading.sheet, reading.sheets) == ("Sales", ("Notes", "Sales", "Prices"))
    assert reading.table.names == ("day (days since 2014-01-01)", "visitors", "open", "takings")
    np.testing.assert_array_equal(reading.table["day (days since 2014-01-01)"], 7.0 * np.arange(12))
    np.testing.assert_array_equal(reading.table["visitors"], 100 + np.arange(12) ** 2)
    np.testing.assert_array_equal(reading.table["open"], np.arange(12) % 3 > 0)
    np.testing.assert_array_equal(reading.table["takings"], 12.5 * np.arange(12) + 0.25)
    prices = read(data, sheet="Prices").table
    np.testing.assert_array_equal(prices["price"], 200 + 31 * np.arange(6))
    with pytest.raises(TableError, match=r"no sheet Cost\. Its sheets are Notes, Sales, Prices"):
        read(data, sheet="Cost")


TOWNS = {
    "cp1250": ("Łódź", "Kraków", "Gdańsk"),
    "cp1254": ("İzmir", "Ankara", "Eskişehir"),
    "cp1257": ("Šiauliai", "Vilnius", "Klaipėda"),
    "mac_roman": ("Málaga", "Córdoba", "Cádiz"),
}


@pytest.mark.parametrize(("encoding", "towns"), TOWNS.items(), ids=TOWNS)
def test_an_encoding_can_be_said(encoding, towns):
    """Several fit the bytes; the one that is said makes the words what they are in UTF-8, and that is told."""
    text = "town,size,price\n" + "\n".join(f"{towns[i % 3]},{50 + i},{200 + 3 * i}" for i in range(12))
    guessed, said = read(text.encode(encoding)), read(text.encode(encoding), encoding=encoding)
    assert guessed.encoding in guessed.encodings
    assert {encoding, "cp1252"} <= set(guessed.encodings) | {"cp1252"}
    assert said.table.names == read(text).table.names
    assert said.encoding == encoding
    assert f"The file is not UTF-8 and was read as {TITLES[encoding]}: as you said." in said.notes
    assert read(text.encode(), encoding=encoding).notes[:1] == (
        f"The file is UTF-8 and was read so, not as {TITLES[encoding]}.",
    )


def test_where_an_encoding_does_not_matter_none_is_offered():
    """UTF-8, ASCII, pasted text and workbooks."""
    for source in (
        "a,b\n1,2\n3,4",
        b"a,b\n1,2\n3,4",
        "ä,b\n1,2\n3,4".encode(),
        (CASES / "three-sheets.xls").read_bytes(),
    ):
        assert read(source).encodings == ()
    assert set(TITLES) == set(ENCODINGS)


def test_a_list_among_decimal_points_is_no_number():
    """In a file that commas separate "20,22" is 20.22 only where no other column has a decimal point; infinity is no number."""
    lines = [f'{0.5 + i},{i},"{i},{i + 2}"' if i % 3 == 0 else f"{0.5 + i},{i},{i}" for i in range(9)]
    reading = read("\n".join(["age,end,source", *lines, "9.5,Inf,3"]))
    assert not any("Decimal commas" in note for note in reading.notes)
    assert [str(one) for one in reading.findings][:1] == ["row 2, column source: ‘0,2’ is not a number"]
    assert "row 11, column end: ‘Inf’ is not a finite number" in map(str, reading.findings)
    whole = read("\n".join(["age,end,source", *(f'{i},{i},"{i},5"' for i in range(9))]))
    np.testing.assert_array_equal(whole.table["source"], np.arange(9) + 0.5)
