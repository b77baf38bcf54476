"""From a file or pasted text to a `Table`: what was recognised, and every cell that is no number, by row and column.

Rows are counted as in a spreadsheet: the header is row 1. A line feed within quotation marks begins no row.
"""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import compute
from pyarrow import csv as pa_csv

from gd_core.tables.table import LARGEST, MAX_COLUMNS, MAX_ROWS, SMALLEST, Table, clean_name
from gd_core.words import counted, short

MAX_BYTES = 5_000_000
SEPARATORS = {
    "\t": "tab",
    ";": "semicolon",
    "|": "|",
    ",": "comma",
}  # a comma may be a decimal one: it comes last
LOOKED_AT = 20  # rows, to recognise the separator
NUMBER_SHARE = 0.5  # of the filled cells of a column, from which on it is a column of numbers
LISTED = 1000  # findings kept; the others are counted
SIGNATURES = {
    b"PK\x03\x04": "a zip archive or an Excel workbook (.xlsx): save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls): save the sheet as CSV",
    b"\x1f\x8b": "compressed with gzip: unpack it first",
    b"%PDF": "a PDF: copy its table into a spreadsheet and save that as CSV",
    b"PAR1": "a Parquet file: save it as CSV",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
PLAIN_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
COMMA_NUMBER = r"^[+-]?([0-9]+,[0-9]+|,[0-9]+|[0-9]+,)([eE][+-]?[0-9]+)?$"
THOUSANDS = r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$"
pc: Any = compute  # its functions are made when it is imported, so no checker knows them
OPEN_QUOTE = "The rows could not be told apart. Perhaps a quotation mark is opened and not closed."

csv.field_size_limit(MAX_BYTES)  # of the standard reader, which else gives up at 131,072 characters a cell


class TableError(ValueError):
    """Something of which no table can be made. The message is one sentence for a student, or two."""


class Finding(NamedTuple):
    """A cell that holds no number.

    Attributes:
        row: Counted as in a spreadsheet, the header being row 1.
        column: Name of the column; "" if the whole row has too many cells or too few.
        what: The rest of the sentence.
    """

    row: int
    column: str
    what: str

    def __str__(self) -> str:
        where = f"row {self.row:,}, column {self.column}" if self.column else f"row {self.row:,}"
        return f"{where}{self.what}"


@dataclass(frozen=True, eq=False)
class Reading:
    """What was made of a file.

    Attributes:
        table: Its columns of numbers.
        findings: The first cells in them that hold no number, by row.
        found: How many there are in all.
        notes: What was recognised or renamed, each a sentence.
        words: Names of the columns that hold words and are left out.
    """

    table: Table
    findings: tuple[Finding, ...]
    found: int
    notes: tuple[str, ...]
    words: tuple[str, ...]


def read(source: bytes | str) -> Reading:
    """Make a table of the bytes of a file, or of text that was pasted.

    Recognised are commas, semicolons, tabs and | as separators; decimal points and decimal commas; names in the first
    row, or none; UTF-8, UTF-16 and Latin-1.

    Raises:
        TableError: If there is no table in it, in a sentence that says what to do.
    """
    notes: list[str] = []
    text = text_of(source, notes)
    separator = separator_of(text)
    width = _width_of(text, separator)
    cells, rows, ragged = _cells_of(text, separator, width)
    names = names_of(cells, notes)
    if names is None:  # the first row holds numbers
        names = [f"column {i + 1}" for i in range(width)]
        notes.append(
            "The first row holds numbers, not names: the columns are called column 1, column 2 and so on."
        )
    else:
        cells, rows = [column[1:] for column in cells], rows[1:]
    blank = _blank(cells)
    if blank.any():
        count = int(blank.sum())
        notes.append(f"{counted(count, 'blank row')} {'was' if count == 1 else 'were'} skipped.")
        cells, rows = [column.filter(pa.array(~blank)) for column in cells], rows[~blank]
    if not len(rows):
        if text.count('"') % 2:
            raise TableError(OPEN_QUOTE)
        raise TableError("The table has a header and no rows. Add at least two.")
    quick = [quick_numbers(column) for column in cells]
    comma = has_decimal_commas(
        [one for one, fast in zip(cells, quick, strict=True) if fast is None], separator
    )
    if comma:
        notes.append("Decimal commas were recognised: 1,5 is one and a half.")
    if separator != ",":
        notes.append(f"The columns are separated by {_AS[separator]}.")
    numbers = [
        careful_numbers(column, comma) if fast is None else fast
        for column, fast in zip(cells, quick, strict=True)
    ]
    return _table_of(names, cells, numbers, rows, ragged, notes)


_AS = {"\t": "tabs", ";": "semicolons", "|": "|"}


# ------------------------------------------------------------------------------------------------- bytes and text


def text_of(source: bytes | str, notes: list[str]) -> str:
    """The text of a file from its first row on, with one kind of line end.

    Raises:
        TableError: If there is none.
    """
    size = len(source)
    if size > MAX_BYTES:
        raise TableError(
            f"The file must have at most 5 MB. Got {short(size / 1e6)} MB: leave out rows or columns."
        )
    text = source if isinstance(source, str) else _decoded(source, notes)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise TableError("The file holds NUL bytes, so it is not text. Save the table as CSV.")
    # blank lines at the top are no rows; a cell that is empty must stay, so nothing else is stripped
    first = re.search(r"[^\s]", text)
    if first is None:
        raise TableError("The table is empty: there is nothing in it.")
    text = text[text.rfind("\n", 0, first.start()) + 1 :].rstrip("\n ")
    steering = sum(ord(c) < 32 and c not in "\t\n" for c in text[:10_000])
    if steering > max(3, len(text[:10_000]) / 50):
        raise TableError("The file is not text. Save the table as CSV.")
    return text


def _decoded(data: bytes, notes: list[str]) -> str:
    for signature, what in SIGNATURES.items():
        if data.startswith(signature):
            raise TableError(f"The file is not a table of text but {what}.")
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return _as(data, encoding)
    zeros = [data[side:4000:2].count(0) * 2 / max(len(data[:4000]), 1) for side in (0, 1)]
    if max(zeros) > 0.6 and min(zeros) < 0.2:  # every other byte is 0: UTF-16 without its mark
        return _as(data, "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le")
    if 0 in data:
        raise TableError("The file holds NUL bytes, so it is not text. Save the table as CSV.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        notes.append("The file is not UTF-8 and was read as Latin-1: look at the names of the columns.")
        try:
            return data.decode("cp1252")  # what Windows calls Latin-1, with € and quotation marks
        except UnicodeDecodeError:
            return data.decode("latin-1")


def _as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        name = encoding.upper().removesuffix("-SIG").removesuffix("-LE").removesuffix("-BE")
        raise TableError(
            f"The file begins as {name} and does not go on so. Save the table as CSV in UTF-8."
        ) from None


# ------------------------------------------------------------------------------------------------- rows and cells


def separator_of(text: str) -> str:
    """The separator with which the first rows have as many cells as the header, more than one."""
    best, found = 0.0, ","
    for separator in SEPARATORS:
        try:
            top = list(islice(csv.reader(io.StringIO(text), delimiter=separator), LOOKED_AT))
        except csv.Error:
            continue
        widths = [len(row) for row in top if row]
        width = widths[0]
        agree = sum(one == width for one in widths)
        score = agree**2 / len(
            widths
        )  # a single row, into which quotation marks have drawn all others, is no agreement
        if width > 1 and score > best:
            best, found = score, separator
    return found


def _width_of(text: str, separator: str) -> int:
    """How many columns the first row has."""
    width = len(next(csv.reader(io.StringIO(text), delimiter=separator)))
    if width == 1:
        raise TableError(
            "The table has one column; a fit needs two, a feature and a target. "
            "Columns are separated by commas, semicolons, tabs or |."
        )
    if width > MAX_COLUMNS:
        raise TableError(f"The table must have at most {MAX_COLUMNS} columns. Got {width:,}.")
    return width


def _cells_of(
    text: str, separator: str, width: int
) -> tuple[list[pa.StringArray], np.ndarray, list[tuple[int, int]]]:
    """Columns of text, the number of each row, and the rows that have another number of cells, with that number."""
    skipped: list[int] = []
    ragged: list[tuple[int, int]] = []

    def look_at(row: pa_csv.InvalidRow) -> str:
        skipped.append(row.number)
        if row.text.strip():
            ragged.append((row.number, row.actual_columns))
        return "skip"

    data = text.encode("utf-8", "replace")
    fields = [f"f{i}" for i in range(width)]
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(data),
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=len(data) + 64, column_names=fields
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=separator,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=look_at,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(fields, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        raise TableError(OPEN_QUOTE) from None
    number = np.delete(np.arange(1, table.num_rows + len(skipped) + 1), np.array(skipped, dtype=int) - 1)
    if len(number) > MAX_ROWS + 1:
        raise TableError(f"The table must have at most {MAX_ROWS:,} rows. Got {len(number) - 1:,}.")
    if len(ragged) > len(number):
        row, cells = ragged[0]
        raise TableError(
            f"Most rows have another number of cells than the first: it has {width}, row {row:,} has {cells:,}. "
            "Delete the lines above the header, or check the separator."
        )
    columns = [pc.utf8_trim_whitespace(column.combine_chunks()) for column in table.columns]
    return columns, number, ragged


def _blank(cells: Sequence[pa.StringArray]) -> np.ndarray:
    """Which rows have nothing in any cell."""
    blank = np.ones(len(cells[0]), dtype=bool)
    for column in cells:
        if not blank.any():
            break
        blank &= np.asarray(pc.equal(column, ""))
    return blank


def names_of(cells: Sequence[pa.StringArray], notes: list[str]) -> list[str] | None:
    """The names in the first row, each once, or None if there are numbers in it."""
    first = [column[0].as_py() for column in cells]
    if all(re.match(PLAIN_NUMBER, cell) or re.match(COMMA_NUMBER, cell) for cell in first):
        return None
    names: list[str] = []
    for place, cell in enumerate(first, 1):
        name = clean_name(cell)
        if not name:
            name = f"column {place}"
            notes.append(f"Column {place} has no name and is called {name}.")
        elif name.endswith("…") and len(cell) > len(name):
            notes.append(f"The name of column {place} is very long and was cut.")
        unique, count = name, 1
        while unique in names:
            count += 1
            unique = f"{name[:50]} ({count})"
        if count > 1:
            notes.append(f"The name {name} stands above several columns: column {place} is called {unique}.")
        names.append(unique)
    return names


# ------------------------------------------------------------------------------------------------------- numbers


def has_decimal_commas(cells: Sequence[pa.StringArray], separator: str) -> bool:
    """Whether more cells have a decimal comma than a decimal point.

    Where commas separate the columns, "1,234" in quotation marks may be a thousand and more: that is not guessed at.
    """
    commas = points = thousands = 0
    for column in cells:
        commas += _count(column, COMMA_NUMBER)
        points += _count(column, r"^[+-]?[0-9]*\.[0-9]+([eE][+-]?[0-9]+)?$")
        thousands += _count(column, THOUSANDS)
    if separator == "," and commas == thousands:
        return False
    return commas > points


def _count(column: pa.StringArray, pattern: str) -> int:
    return pc.sum(pc.match_substring_regex(column, pattern)).as_py() or 0


def quick_numbers(column: pa.StringArray) -> np.ndarray | None:
    """A column all of whose cells are numbers; None if one is not."""
    try:
        numbers = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    return numbers if np.isfinite(numbers).all() else None


def careful_numbers(column: pa.StringArray, comma: bool) -> np.ndarray:
    """A column's numbers, NaN where a cell holds none, infinite where it is too large for float64."""
    if comma:
        is_comma = pc.match_substring_regex(column, COMMA_NUMBER)
        column = pc.if_else(is_comma, pc.replace_substring(column, ",", "."), column)
    is_number = pc.match_substring_regex(column, PLAIN_NUMBER)
    only = pc.if_else(is_number, column, pa.scalar(None, pa.string()))
    return only.cast(pa.float64()).to_numpy(zero_copy_only=False)


def _table_of(
    names: Sequence[str],
    cells: Sequence[pa.StringArray],
    parsed: Sequence[np.ndarray],
    rows: np.ndarray,
    ragged: Sequence[tuple[int, int]],
    notes: list[str],
) -> Reading:
    columns: dict[str, np.ndarray] = {}
    findings: list[Finding] = []
    words: list[str] = []
    found = 0
    for name, cell, as_parsed in zip(names, cells, parsed, strict=True):
        numbers = np.array(as_parsed)
        filled = np.asarray(pc.not_equal(cell, ""))
        known = int(np.isfinite(numbers).sum())
        if known == 0 or known < NUMBER_SHARE * filled.sum():
            words.append(name)
            continue
        size = np.abs(numbers)
        numbers[(size > LARGEST) | ((size < SMALLEST) & (size > 0))] = np.nan
        bad = np.flatnonzero(np.isnan(numbers))
        found += len(bad)
        findings += [Finding(int(rows[i]), name, what_is_wrong(cell[int(i)].as_py())) for i in bad[:LISTED]]
        columns[name] = numbers
    if len(columns) < 2:
        raise TableError(_too_few(columns, names, cells, rows))
    if ragged:
        at = np.searchsorted(rows, [row for row, _ in ragged])
        columns = {name: np.insert(column, at, np.nan) for name, column in columns.items()}
        cell_words = [f" has {counted(count, 'cell')} instead of {len(names)}" for _, count in ragged]
        findings += [
            Finding(row, "", what) for (row, _), what in zip(ragged[:LISTED], cell_words, strict=False)
        ]
        found += len(ragged)
    if len(next(iter(columns.values()))) < 2:
        raise TableError("The table has one row of numbers; a fit needs at least two.")
    if words:
        notes.append(
            f"{len(words)} column{'s hold' if len(words) > 1 else ' holds'} words and cannot be used: "
            + ", ".join(words[:5])
            + ("." if len(words) <= 5 else " and others.")
        )
    findings.sort(key=lambda one: one.row)
    return Reading(Table.of(columns), tuple(findings[:LISTED]), found, tuple(notes), tuple(words))


def what_is_wrong(cell: str) -> str:
    """What is wrong with a cell, to follow its place in a sentence."""
    if not cell:
        return " is empty"
    short = " ".join(cell.split())
    short = short if len(short) <= 40 else short[:39] + "…"
    if re.match(THOUSANDS, cell):
        return f": ‘{short}’ is not a number; a thousand is written 1000"
    if re.match(PLAIN_NUMBER, cell):
        return f": {short} is beyond what can be computed, {SMALLEST} to {LARGEST}"
    if re.fullmatch(r"[+-]?(inf|infinity|∞)", cell, re.IGNORECASE):
        return f": ‘{short}’ is not a finite number"
    return f": ‘{short}’ is not a number"


def _too_few(
    columns: dict[str, np.ndarray], names: Sequence[str], cells: Sequence[pa.StringArray], rows: np.ndarray
) -> str:
    """Why nothing can be fitted, with the first cell that shows it."""
    place = next(i for i, name in enumerate(names) if name not in columns)
    example = Finding(int(rows[0]), names[place], what_is_wrong(cells[place][0].as_py()))
    got = f"Got one, {next(iter(columns))}" if columns else "Got none"
    return f"The table needs two columns of numbers, a feature and a target. {got}: {example}."
