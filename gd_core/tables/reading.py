"""From a file or pasted text to a `Table`: what was recognised, and every cell that is no number, by row and column.

Rows are counted as in a spreadsheet: the first line is row 1. A line feed within quotation marks begins no row. pandas
does not count them so, nor say which cell is wrong; that is why the reader is ours. Arrow parts the cells.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import compute
from pyarrow import csv as pa_csv

from gd_core.tables.columns import LEFT_OUT, WORDS, Column, column_of, plain_column, unique
from gd_core.tables.decoding import MAX_BYTES, TableError, TooLargeError, fitting, text_of
from gd_core.tables.files import Cells, cells_of, unpacked
from gd_core.tables.numerals import (
    COMMA_NUMBER,
    PLAIN_NUMBER,
    POINT_NUMBER,
    are_gaps,
    careful_numbers,
    has_decimal_commas,
    matches,
    numerals,
    quick_numbers,
)
from gd_core.tables.patterns import LONGEST, begins, is_whole
from gd_core.tables.table import LARGEST, MAX_COLUMNS, MAX_ROWS, SMALLEST, ReadAs, Table, clean_name
from gd_core.words import counted

SEPARATORS = {
    "\t": "tabs",
    ";": "semicolons",
    "|": "|",
    ",": "commas",  # a comma may be a decimal one: it comes after the others
    " ": "blanks",
}
LOOKED_AT = 20  # rows, to recognise the separator
BELOW = 200  # rows with which the first is compared, to tell names from data
MOST_LINES = 2 * MAX_ROWS  # of a text, blank ones and those within quotation marks too
LISTED = 1000  # findings kept; the others are counted
COMMENT = ("#", "%", "//")  # what begins a line above the table that is no row
NUMBERS_IN_A_CELL = r"\s*(?:[+-]?[0-9][0-9.e+-]*|\?|NA)(?:\s+(?:[+-]?[0-9][0-9.e+-]*|\?|NA)){2,}\s*"
pc: Any = compute  # its functions are made when it is imported, so no checker knows them
OPEN_QUOTE = "The rows could not be told apart. Perhaps a quotation mark is opened and not closed."

csv.field_size_limit(MAX_BYTES)  # of the standard reader, which else gives up at 131,072 characters a cell


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
        columns: What every column of the file became, in its order.
        sheet: Of a workbook the sheet that was read.
        sheets: Of a workbook all sheets.
        encoding: Of text that is not Unicode what it was read as, one of `decoding.ENCODINGS`.
        encodings: What it could be as well.
        rows: The number in the file of each row of the table, [N].
    """

    table: Table
    findings: tuple[Finding, ...]
    found: int
    notes: tuple[str, ...]
    columns: tuple[Column, ...]
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    encoding: str = ""
    encodings: tuple[str, ...] = ()
    rows: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))

    @property
    def words(self) -> tuple[str, ...]:
        """Names of the columns that are left out."""
        return tuple(column.name for column in self.columns if not column.columns)

    @property
    def questions(self) -> tuple[Column, ...]:
        """The columns about which something has to be said before their numbers can be used."""
        return tuple(column for column in self.columns if column.question)

    @property
    def choices(self) -> tuple[str, ...]:
        """What was read otherwise than as plain numbers, each a short line."""
        return tuple(f"{column.name}: {column.said}" for column in self.columns if column.said)


def read(
    source: bytes | str,
    how: Mapping[str, str] | None = None,
    *,
    sheet: str = "",
    encoding: str = "",
    plainly: bool = False,
    most: int = MAX_COLUMNS,
) -> Reading:
    """Make a table of the bytes of a file, or of text that was pasted.

    Recognised are workbooks, Parquet, JSON and gzip; of text what separates and encodes it; names in the first row, or
    none; and what each column holds.

    Args:
        source: The file.
        how: What a column is to be read as, by its name: one of `columns.HOWS`. The others are as they look.
        sheet: Of a workbook the one to read; otherwise the first with a table.
        encoding: Of text that is not UTF-8, one of `decoding.ENCODINGS`; otherwise the likeliest.
        plainly: Take plain numbers only, as links to large tables that are older than words and dates had it.
        most: Columns that the table may have.

    Raises:
        TableError: If there is no table in it, in a sentence that says what to do.
    """
    if isinstance(source, bytes):
        source = unpacked(source)
        if found := cells_of(source, sheet):
            return replace(of_cells(found, how or {}, most), sheet=found.sheet, sheets=found.sheets)
    laid = laid_out(source, encoding, most)
    text, separator = parted(laid.text, laid.separator)
    cells, rows, ragged = _cells_of(text, separator, laid.width, laid.short)
    open_quote = text.count('"') % 2
    above, encoding = laid.above, laid.encoding
    encodings = fitting(source) if isinstance(source, bytes) and encoding else ()
    del text
    reading = _read_cells(cells, rows + above, [(row + above, n) for row, n in ragged], laid.notes, separator,
                       how or {}, plainly=plainly, short=laid.short, open_quote=bool(open_quote), most=most)  # fmt: skip
    return replace(reading, encoding=encoding, encodings=encodings)


class Layout(NamedTuple):
    """How the rows of a text lie.

    Attributes:
        text: From the header on.
        above: Lines above it in the file, but for blank ones.
        separator: One of `SEPARATORS`.
        width: How many columns there are.
        short: Whether the header is one name short of them.
        encoding: One of `decoding.ENCODINGS`, or "" of Unicode.
        notes: What was recognised, each a sentence.
    """

    text: str
    above: int
    separator: str
    width: int
    short: bool
    encoding: str
    notes: list[str]


def laid_out(source: bytes | str, encoding: str = "", most: int = MAX_COLUMNS) -> Layout:
    """What encodes and separates a text, and where its table begins.

    Raises:
        TableError: If it is no table of at most so many columns.
    """
    notes: list[str] = []
    text, encoding = text_of(source, notes, encoding)
    text, above = _without_lines_above(text, notes)
    separator = separator_of(text)
    if separator != ",":
        notes.append(f"The columns are separated by {SEPARATORS[separator]}.")
    width, short = _width_of(text, separator, most)
    return Layout(text, above, separator, width, short, encoding, notes)


def of_cells(found: Cells, how: Mapping[str, str], most: int = MAX_COLUMNS) -> Reading:
    """A table of cells that were apart already."""
    if len(found.columns) > most:
        raise TooLargeError(f"The table must have at most {most} columns. Got {len(found.columns):,}.")
    if len(found.columns) < 2:
        raise TableError("The table has one column; a fit needs two, a feature and a target.")
    columns = [pc.utf8_trim_whitespace(column) for column in found.columns]
    if len(columns[0]) > MAX_ROWS + 1:
        raise TooLargeError(f"The table must have at most {MAX_ROWS:,} rows. Got {len(columns[0]) - 1:,}.")
    rows = np.arange(1, len(columns[0]) + 1) + found.above
    return _read_cells(columns, rows, [], found.notes, ";", how, most=most)


def _read_cells(
    cells: list[pa.StringArray],
    rows: np.ndarray,
    ragged: Sequence[tuple[int, int]],
    notes: list[str],
    separator: str,
    how: Mapping[str, str],
    *,
    plainly: bool = False,
    short: bool = False,
    open_quote: bool = False,
    most: int = MAX_COLUMNS,
) -> Reading:
    names = names_of(cells, notes, short=short)
    unnamed_first = False
    if names is None:  # the first row is data
        names = [f"column {i + 1}" for i in range(len(cells))]
        notes.append(
            "The first row is like the rows below, not names: the columns are called column 1, column 2 and so on."
        )
    else:
        unnamed_first = short or not clean_name(cells[0][0].as_py())
        cells, rows = [column[1:] for column in cells], rows[1:]
    blank = _blank(cells)
    if blank.any():
        count = int(blank.sum())
        notes.append(f"{counted(count, 'blank row')} {'was' if count == 1 else 'were'} skipped.")
        cells, rows = [column.filter(pa.array(~blank)) for column in cells], rows[~blank]
    if not len(rows):
        raise TableError(
            OPEN_QUOTE if open_quote else "The table has a header and no rows. Add at least two."
        )
    if strange := next((name for name in how if name not in names), None):
        raise TableError(f"The file has no column {strange}. Its columns are {_listed(names)}.")
    quick = [quick_numbers(column) for column in cells]
    comma = has_decimal_commas(
        (one for one, fast in zip(cells, quick, strict=True) if fast is None), separator
    )
    if comma and separator == ",":  # "20,22" in a file of decimal points is a list
        comma = not any(
            matches(one, POINT_NUMBER).any()
            for one, fast in zip(cells, quick, strict=True)
            if fast is not None
        )
    if comma:
        notes.append("Decimal commas were recognised: 1,5 is one and a half.")
    columns: list[Column] = []
    for place, (name, cell, fast) in enumerate(zip(names, cells, quick, strict=True)):
        if plainly:
            numbers = careful_numbers(cell, comma) if fast is None else fast
            columns.append(plain_column(name, numbers, int(np.asarray(pc.not_equal(cell, "")).sum())))
        else:
            first = unnamed_first and place == 0
            columns.append(column_of(name, cell, comma, how.get(name, ""), quick=fast, unnamed_first=first))
    return _reading(columns, cells, rows, ragged, notes, most)


# ------------------------------------------------------------------------------------------------- rows and cells


def _without_lines_above(text: str, notes: list[str]) -> tuple[str, int]:
    """The text without comments and titles above its table, and how many lines they were.

    A comment that has a name for every column is the header, as NumPy writes it.
    """
    lines = list(islice(_lines(text), 10 * LOOKED_AT))
    count = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith(COMMENT)), 0)
    if count and count < len(lines):
        last = lines[count - 1].strip().lstrip("#%/ ")
        rest = "".join(lines[count:])
        separator = separator_of(rest)
        wide = len(_top(rest, separator)[0])
        named = _top(last, separator) if last else []
        if (
            named
            and len(named[0]) == wide > 1
            and not any(map(_is_number, named[0]))
            and _is_row(rest, separator)
        ):
            text = f"{last}\n{text[sum(map(len, lines[:count])) :]}"
            return text, count - 1
    else:
        count = 0
    rest = "".join(lines[count:])
    separator = separator_of(rest)
    top = _top(rest, separator) if separator != " " else []
    widths = [len(row) for row in top if row]
    usual = max(set(widths), key=widths.count) if widths else 0
    if usual > 1 and widths.count(usual) > len(widths) / 2:
        filled = [sum(1 for cell in row if cell.strip()) for row in top]
        titles = next((i for i, row in enumerate(top) if len(row) == usual and filled[i] > 1), 0)
        alone = all(filled[i] <= 1 for i in range(titles))
        if alone and '"' not in "".join(lines[count : count + titles]):
            count += titles
    if count:
        one = count == 1
        notes.append(
            f"The first {'line is no row of the table and was' if one else f'{count} lines are no rows of the table and were'} skipped."
        )
    return text[sum(map(len, lines[:count])) :], count


def _top(text: str, separator: str) -> list[list[str]]:
    """The first rows as cells."""
    try:
        return list(islice(_rows(text, separator), LOOKED_AT))
    except csv.Error:
        return [[]]


def _rows(text: str, separator: str) -> Any:
    if separator == " ":
        lines = (line.replace("\t", " ").strip() + "\n" for line in _lines(text))
        return csv.reader(lines, delimiter=" ", skipinitialspace=True)
    return csv.reader(_lines(text), delimiter=separator)


def _lines(text: str) -> Iterator[str]:
    """The lines of a text, with their ends, and no second copy of it."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _is_number(cell: str) -> bool:
    return _is_plain(cell.strip()) is not None


def _is_plain(cell: str) -> Any:
    return begins(PLAIN_NUMBER, cell) or begins(COMMA_NUMBER, cell)


def _is_row(text: str, separator: str) -> bool:
    """Whether there are numbers in the first line."""
    return any(map(_is_number, _top(text, separator)[0]))


def separator_of(text: str) -> str:
    """The separator with which most of the first rows have the same number of cells, more than one."""
    best, found = 0.0, ","
    for separator in SEPARATORS:
        top = _top(text, separator)
        widths = [len(row) for row in top if row]
        width = max(widths, key=widths.count, default=0)  # of those that are as frequent, the first
        agree = widths.count(width)
        # a single row, into which quotation marks have drawn all others, is no agreement
        score = agree**2 / max(len(widths), 1)
        short = len(widths) > 1 and widths[0] == width - 1
        if separator == " " and (agree < len(widths) - short or not any(map(_is_number, top[-1]))):
            continue  # words of sentences, and not cells
        holds_several = any(  # 18.0  8  307.0 in each cell: then blanks separate, and the tab is one of them
            all(is_whole(NUMBERS_IN_A_CELL, row[i]) for row in top[1:] if len(row) == width)
            for i in range(width)
        )
        if width > 1 and score > best and not (holds_several and len(top) > 2):
            best, found = score, separator
    return found


def parted(text: str, separator: str) -> tuple[str, str]:
    """The text with a separator of one character: runs of blanks become a tab."""
    if separator != " ":
        return text, separator
    if '"' not in text:
        return "\n".join("\t".join(line.split()) for line in text.split("\n")), "\t"
    file = io.StringIO()
    writer = csv.writer(file, delimiter="\t", lineterminator="\n")
    try:
        writer.writerows(_rows(text, " "))
    except csv.Error:
        raise TableError(OPEN_QUOTE) from None
    return file.getvalue(), "\t"


def _width_of(text: str, separator: str, most: int) -> tuple[int, bool]:
    """How many columns there are, and whether the header is one name short of them."""
    top = _top(text, separator)
    width = len(top[0])
    below = [len(row) for row in top[1:] if row]
    short = len(below) > 0 and all(one == width + 1 for one in below)
    if width == 1 and not short:
        raise TableError(
            "The table has one column; a fit needs two, a feature and a target. "
            "Columns are separated by commas, semicolons, tabs, | or blanks."
        )
    if width + short > most:
        raise TooLargeError(f"The table must have at most {most} columns. Got {width + short:,}.")
    return width + short, short


def _cells_of(
    text: str, separator: str, width: int, short: bool = False
) -> tuple[list[pa.StringArray], np.ndarray, list[tuple[int, int]]]:
    """Columns of text, the number of each row, and the rows that have another number of cells, with that number."""
    if (lines := text.count("\n")) > MOST_LINES:
        raise TooLargeError(f"The table must have at most {MAX_ROWS:,} rows. Got {lines:,} lines.")
    skipped: list[int] = []
    ragged: list[tuple[int, int]] = []

    def look_at(row: pa_csv.InvalidRow) -> str:
        if len(skipped) >= MAX_ROWS:
            return "error"
        skipped.append(row.number)
        if row.text and row.text.strip():
            ragged.append((row.number, row.actual_columns))
        return "skip"

    data = ((separator if short else "") + text).encode("utf-8", "replace")  # an index has no name
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
        if len(skipped) >= MAX_ROWS:
            raise TooLargeError(
                f"The table must have at most {MAX_ROWS:,} rows that are blank or have another number of cells than the first. Got more."
            ) from None
        raise TableError(OPEN_QUOTE) from None
    number = np.delete(np.arange(1, table.num_rows + len(skipped) + 1), np.array(skipped, dtype=int) - 1)
    if len(number) > MAX_ROWS + 1:
        raise TooLargeError(f"The table must have at most {MAX_ROWS:,} rows. Got {len(number) - 1:,}.")
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


def names_of(cells: Sequence[pa.StringArray], notes: list[str], *, short: bool = False) -> list[str] | None:
    """The names in the first row, each once, or None if it is a row like the others.

    Args:
        cells: The columns, with their first row.
        notes: Takes what is said of the names.
        short: Whether the header is one name short, that of the first column.

    Raises:
        TableError: If a name is missing, and not that of an index.
    """
    first = [column[0].as_py() for column in cells]
    if short:
        index = cells[0][1:]
        if pc.count_distinct(index).as_py() < len(index):
            raise TableError(
                f"The header is one name short: it has {len(cells) - 1}, the rows have {len(cells)} cells. Add the name."
            )
        notes.append("The header is one name short: the first column is taken for an index without a name.")
    elif is_data(first, [column[1 : BELOW + 1] for column in cells]):
        return None
    names: list[str] = []
    for place, cell in enumerate(first, 1):
        name = clean_name(cell)
        if not name:
            name = f"column {place}"
            if not short:
                notes.append(f"Column {place} has no name and is called {name}.")
        elif name.endswith("…") and len(cell) > len(name):
            notes.append(f"The name of column {place} is very long and was cut.")
        once = unique(name, dict.fromkeys(names))
        if once != name:
            notes.append(f"The name {name} stands above several columns: column {place} is called {once}.")
        names.append(once)
    return names


def is_data(first: Sequence[str], below: Sequence[pa.StringArray]) -> bool:
    """Whether a first row is of the kind of the rows below, and holds no names.

    Names differ in kind from what they stand above. Numbers above numbers are data, but for rising years, as in a table
    with a column for each year. Where all are words, those of a row of data stand below again.
    """
    numbers = [bool(_is_plain(cell)) or not np.isnan(_one(cell)) for cell in first]
    if all(_is_plain(cell) for cell in first):
        return True
    gaps = are_gaps(first)
    again = [pc.index(column, cell).as_py() >= 0 for cell, column in zip(first, below, strict=True)]
    numeric = [
        len(column) > 0 and np.mean(~np.isnan(numerals(column, comma=False).values)) > 0.5 for column in below
    ]
    if any(kind and not number and not gap for kind, number, gap in zip(numeric, numbers, gaps, strict=True)):
        return False
    over = [cell for cell, kind, number in zip(first, numeric, numbers, strict=True) if kind and number]
    words = [there for there, number, gap in zip(again, numbers, gaps, strict=True) if not number and not gap]
    if not over:
        return len(words) > 1 and all(words)
    years = [int(cell) if is_whole("[12][0-9]{3}", cell) else 0 for cell in over]
    rising = len(years) > 1 and years[0] > 0 and all(a < b for a, b in pairwise(years))
    return not rising or any(words)


def _one(cell: str) -> float:
    """The number in a cell, however it is dressed."""
    return float(numerals(pa.array([cell[:LONGEST]], pa.string()), comma=False).values[0])


def _reading(
    columns: Sequence[Column],
    cells: Sequence[pa.StringArray],
    rows: np.ndarray,
    ragged: Sequence[tuple[int, int]],
    notes: list[str],
    most: int,
) -> Reading:
    made: dict[str, np.ndarray] = {}
    findings: list[Finding] = []
    read_as: list[ReadAs] = []
    kept: list[Column] = []
    found = 0
    room = most - sum(len(column.columns) for column in columns if column.how != WORDS)
    for column, cell in zip(columns, cells, strict=True):
        if column.how == WORDS:  # numbers come first: of many words few may find room
            room -= len(column.columns)
        if room < 0:
            room += len(column.columns)
            said = f"a table has at most {most} columns, so it is left out"
            column = Column(column.name, LEFT_OUT, said, {})
        kept.append(column)
        own = {unique(name, made): numbers for name, numbers in column.columns.items()}
        if column.said or tuple(own) != (column.name,):
            read_as.append(ReadAs(column.name, column.said, tuple(own), column.kind))
        made |= own
        if own:
            bad = np.flatnonzero(np.isnan(next(iter(own.values()))))
            found += len(bad)
            what = what_is_no_word if column.how == WORDS else what_is_wrong
            findings += [Finding(int(rows[i]), column.name, what(cell[int(i)].as_py())) for i in bad[:LISTED]]
    if len(made) < 2:
        raise TableError(_too_few(kept))
    if ragged:
        at = np.searchsorted(rows, [row for row, _ in ragged])
        rows = np.insert(rows, at, [row for row, _ in ragged])
        made = {name: np.insert(numbers, at, np.nan) for name, numbers in made.items()}
        findings += [
            Finding(row, "", f" has {counted(count, 'cell')} instead of {len(cells)}")
            for row, count in ragged[:LISTED]
        ]
        found += len(ragged)
    if len(rows) < 2:
        raise TableError("The table has one row of numbers; a fit needs at least two.")
    if len(rows) > MAX_ROWS:
        raise TooLargeError(f"The table must have at most {MAX_ROWS:,} rows. Got {len(rows):,}.")
    if by := _series(kept, cells):
        notes.append(f"Several series stand under one another: {by} tells them apart.")
    findings.sort(key=lambda one: one.row)
    table = Table.of(made, read_as, most)
    return Reading(table, tuple(findings[:LISTED]), found, tuple(notes), tuple(kept), rows=rows)


def _series(columns: Sequence[Column], cells: Sequence[pa.StringArray]) -> str:
    """Of a table in which dates come again, the column of words that has each of them once a word; "" if there is none."""
    dated = next((cell for one, cell in zip(columns, cells, strict=True) if one.kind == "dates"), None)
    if dated is None:
        return ""
    dates = np.asarray(dated.dictionary_encode().indices).astype(np.int64)
    if len(np.unique(dates)) == len(dates):
        return ""
    for column, cell in zip(columns, cells, strict=True):
        if column.kind == "words" or not column.columns:
            words = cell.dictionary_encode()
            pairs = dates * len(words.dictionary) + np.asarray(words.indices)
            if 1 < len(words.dictionary) < len(pairs) == len(np.unique(pairs)):
                return column.name
    return ""


def what_is_wrong(cell: str) -> str:
    """What is wrong with a cell, to follow its place in a sentence."""
    if not cell:
        return " is empty"
    cell = cell[:LONGEST]
    short = " ".join(cell.split())
    short = short if len(short) <= 40 else short[:39] + "…"
    if begins(PLAIN_NUMBER, cell):
        return f": {short} is beyond what can be computed, {SMALLEST} to {LARGEST}"
    if is_whole(r"[+-]?(inf|infinity|∞)", cell):
        return f": ‘{short}’ is not a finite number"
    return f": ‘{short}’ is not a number"


def what_is_no_word(cell: str) -> str:
    """What is wrong with a cell among words, to follow its place in a sentence."""
    return f": ‘{cell}’ is no word" if cell else " is empty"


def _too_few(columns: Sequence[Column]) -> str:
    """Why nothing can be fitted."""
    usable = [column.name for column in columns if column.columns]
    why = [f"{column.name}: {column.said}" for column in columns if not column.columns]
    got = f"Got one, {usable[0]}" if usable else "Got none"
    return f"The table needs two columns of numbers, a feature and a target. {got}; {why[0]}."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
