"""Files that hold a table and are no text: workbooks, Parquet, JSON, and what is packed with gzip. Bytes in, cells out."""

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import compute

from gd_core.tables.decoding import MAX_BYTES, TableError, TooLargeError
from gd_core.tables.table import MAX_COLUMNS, MAX_ROWS
from gd_core.words import counted, short

pc: Any = compute
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
MAX_CELLS = 10_000_000  # of a sheet, empty ones between full ones too: its reader makes room for each
AT_ONCE = 10_000  # rows that are Python's objects at a time
REFERENCE = re.compile(rb'<c\b[^>]{0,200}?\br="([A-Z]{1,3})([0-9]{1,7})"')
OVERLAP = 300  # bytes, in which a cell's reference may be cut


class Cells(NamedTuple):
    """What stands in a file, apart already.

    Attributes:
        columns: Text, each [N], the first of which may be a name.
        notes: What was recognised, each a sentence.
        sheet: Name of the sheet, "" if there are none.
        sheets: Names of all sheets.
        above: How many rows stand above the first.
    """

    columns: list[pa.StringArray]
    notes: list[str]
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    above: int = 0


def unpacked(data: bytes) -> bytes:
    """What gzip packed, or the same.

    Raises:
        TableError: If it is damaged, or too large.
    """
    if not data.startswith(GZIP):
        return data
    inflate = zlib.decompressobj(wbits=31)
    try:
        text = inflate.decompress(data, MAX_BYTES + 1)
    except zlib.error:
        raise TableError("The file begins as gzip and does not go on so. Unpack it first.") from None
    if len(text) > MAX_BYTES:
        raise TableError(f"The file must have at most {short(MAX_BYTES / 1e6)} MB when it is unpacked.")
    if not inflate.eof:
        raise TableError("The file is packed with gzip and its end is missing: copy it again.")
    return text


def cells_of(data: bytes, sheet: str = "") -> Cells | None:
    """The cells of a workbook, a Parquet file or JSON records; None if it is none of these.

    Raises:
        TableError: If it is one and cannot be read, in a sentence.
    """
    if len(data) > MAX_BYTES:
        return None  # whoever reads text says so
    if data.startswith(WORKBOOKS):
        return _workbook(data, sheet)
    if data.startswith(PARQUET):
        return _parquet(data)
    if data[:200].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{"):
        return _records(data)
    return None


# ----------------------------------------------------------------------------------------------------- workbooks


def _workbook(data: bytes, wanted: str) -> Cells:
    from python_calamine import CalamineError, CalamineWorkbook

    if data.startswith(b"PK"):
        _look_into(data)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = tuple(book.sheet_names)
        if wanted and wanted not in names:
            raise TableError(f"The workbook has no sheet {wanted}. Its sheets are {', '.join(names[:10])}.")
        for name in [wanted] if wanted else names:
            sheet = book.get_sheet_by_name(name)
            if (sheet.width > 1 and sheet.height > 1) or name == (wanted or names[-1]):
                notes = [f"Sheet {name} of {len(names)}: {', '.join(names[:10])}."] if len(names) > 1 else []
                columns, above = _below_titles(sheet.iter_rows(), notes)
                return Cells(columns, notes, name, names, above)
    except BaseException as error:  # where the library gives up, its PanicException is no Exception
        if not isinstance(error, CalamineError | OSError) and type(error).__name__ != "PanicException":
            raise
        said = " ".join(str(error).split())[:80]
        raise TableError(f"The workbook cannot be read ({said}). Save its sheet as CSV.") from None
    raise TableError("The workbook has no sheet.")


def _look_into(data: bytes) -> None:
    """Refuse what is no workbook, and a sheet whose reader would need more memory than there is.

    Raises:
        TableError: In a sentence.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if not any(one.filename.startswith("xl/workbook") for one in members):
                raise TableError("The file is a zip archive and no workbook: unpack it first.")
            if sum(one.file_size for one in members) > 20 * MAX_BYTES:
                raise TableError(
                    f"The workbook must have at most {short(20 * MAX_BYTES / 1e9)} GB when it is unpacked."
                )
            for member in members:
                if member.filename.startswith("xl/worksheets/") and member.filename.endswith(".xml"):
                    with archive.open(member) as file:
                        _measure(file)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError):
        raise TableError("The file begins as a workbook and does not go on so: copy it again.") from None


def _measure(file: Any) -> None:
    """Refuse a sheet whose outermost cells lie so far apart that there are too many between them."""
    rest, last, right, size = b"", 0, 0, 0
    while part := file.read(2**20):
        size += len(part)
        if size > 20 * MAX_BYTES:
            raise TableError("The workbook is larger than it says.")
        for column, row in REFERENCE.findall(rest + part):
            last = max(last, int(row))
            number = 0
            for letter in column:
                number = 26 * number + letter - 64
            right = max(right, number)
        rest = part[-OVERLAP:]
        if last * right > MAX_CELLS:
            raise TableError(
                f"A sheet must have at most {MAX_CELLS:,} cells. Got one of {counted(last, 'row')} and {counted(right, 'column')}."
            )


def _below_titles(rows: Iterable[Sequence[Any]], notes: list[str]) -> tuple[list[pa.StringArray], int]:
    """A sheet's columns as text, from the first row on in which more than one cell is filled, and how many are above."""
    rows = iter(rows)
    top = list(islice(rows, 50))
    first = next((i for i, row in enumerate(top) if sum(cell not in ("", None) for cell in row) > 1), 0)
    above = sum(any(cell not in ("", None) for cell in row) for row in top[:first])
    if above:
        notes.append(
            f"The first {'row is a title and was' if above == 1 else f'{above} rows are titles and were'} skipped."
        )
    width = max((len(row) for row in top), default=0)
    parts: list[list[Any]] = [[] for _ in range(width)]
    block = top[first:]
    while block:
        for i, part in enumerate(parts):
            part.append(pa.array([_text(row[i]) if i < len(row) else "" for row in block], pa.string()))
        block = list(islice(rows, AT_ONCE))
    columns = [pa.chunked_array(part, pa.string()).combine_chunks() for part in parts]
    return [column for column in columns if pc.any(pc.not_equal(column, "")).as_py()], first


def _text(value: Any) -> str:
    """A cell as CSV would have it."""
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return str(value).removesuffix(" 00:00:00")
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)


# ------------------------------------------------------------------------------------------- Parquet and JSON


def _parquet(data: bytes) -> Cells:
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(pa.BufferReader(data)) as file:
            rows, columns = file.metadata.num_rows, file.metadata.num_columns
            _fits(rows, columns)
            if (
                sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
                > 20 * MAX_BYTES
            ):
                raise TableError(
                    f"The file must have at most {short(20 * MAX_BYTES / 1e9)} GB when it is unpacked."
                )
            table = file.read(use_threads=False)
        return Cells([as_text(name, table[i]) for i, name in enumerate(table.column_names)], [])
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        raise TableError("The Parquet file cannot be read: its end is missing, or it is damaged.") from None


def as_text(name: str, column: Any) -> pa.StringArray:
    """A column of any type under its name, as CSV would have it; nothing of what is no single value."""
    kind: Any = pa.types
    if kind.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if kind.is_nested(column.type) or kind.is_binary(column.type):
        column = pa.chunked_array([pa.nulls(len(column), pa.string())])
    text = column.cast(pa.string()).combine_chunks().fill_null("")
    text.validate(full=True)
    return pa.concat_arrays([pa.array([name], pa.string()), text])


def _records(data: bytes) -> Cells | None:
    """JSON as programs write rows: a list of objects, by itself or under a name, or an object a line."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    try:
        value = json.loads(text)
    except RecursionError:
        raise TableError("The JSON lies too deep for a table: it must be a list of objects.") from None
    except ValueError:
        try:
            value = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            return None  # text, such as a table whose first name begins with a bracket
    if isinstance(value, dict):
        value = next((one for one in value.values() if isinstance(one, list) and one), [value])
    if not value or not all(isinstance(row, dict) for row in value):
        raise TableError("The JSON must be a list of objects, one for each row. Got something else.")
    names = list(dict.fromkeys(name for row in value for name in row))
    _fits(len(value), len(names))
    return Cells(
        [pa.array([name, *(_plain(row.get(name)) for row in value)], pa.string()) for name in names], []
    )


def _plain(value: Any) -> str:
    return (
        str(value).lower()
        if isinstance(value, bool)
        else ""
        if isinstance(value, dict | list)
        else _text(value)
    )


def _fits(rows: int, columns: int) -> None:
    if rows > MAX_ROWS:
        raise TooLargeError(f"The table must have at most {MAX_ROWS:,} rows. Got {rows:,}.")
    if columns > MAX_COLUMNS:
        raise TooLargeError(f"The table must have at most {MAX_COLUMNS} columns. Got {columns:,}.")
