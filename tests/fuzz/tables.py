"""Bytes that nobody should send, given to the reader of tables: there is a table of finite numbers, or one sentence.

`run(seed, count)` tries so many files, and raises at the first that breaks it, with the bytes.
"""

import gzip
import io
import json
import random
import resource
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from gd_core.tables.columns import HOWS
from gd_core.tables.decoding import ENCODINGS
from gd_core.tables.reading import TableError, read

SECONDS = 30  # for one file of at most a few megabytes, on a busy machine
MEGABYTES = 3000  # that the process may grow to
CELLS = (
    "1", "-2.5", "3e400", "1e-400", "0", "", "NA", "?", "nan", "inf", "−3", "(12)", "12%", "$1,200.50", "€3", "1.234,5",
    "1 000", "yes", "no", "Łódź", "한국", "'", '"', '""', "=1+1", "2014-07-01", "1/2/2014", "31/12/99", "Jan 1 2000", "1949-01",
    "2014 Q3", "20140131", "9999", "-999", "#", "//", "\u202e", "\ufeff", "\0", "\x1b[31m", "a" * 500, "1" * 500, "1" * 300 + "e",
    " ", "\t", "1;2", "1|2", "12:30", "2014-07-01T12:30:00Z", "0x10", "１２", "½", "true", "FALSE", "None", "[1]", "{",
)  # fmt: skip
SEPARATORS = (",", ";", "\t", "|", " ", "  ", ", ")


def run(seed: int, count: int) -> None:
    """Try `count` files.

    Raises:
        AssertionError: At the first that breaks the reader: its number, its bytes and what it did.
    """
    # What the process has held at most before is not the reader's; only Linux forgets it.
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    for number in range(count):
        rng = random.Random(f"{seed} {number}")
        data = rng.choice(MAKERS)(rng)
        try:
            _try(data, rng)
        except Exception as error:
            raise AssertionError(
                f"seed {seed}, file {number}: {type(error).__name__}: {error}\n{data[:2000]!r}"
            ) from error


def _try(data: bytes, rng: random.Random) -> None:
    began = time.monotonic()
    reading = _read_or_refused(data, {}, rng)
    if reading is not None:
        for column in reading.table.columns:
            assert np.isfinite(column[~np.isnan(column)]).all(), "a number that is none"
        assert len(reading.rows) == reading.table.rows, "a row without its number"
        assert len(reading.findings) <= reading.found, "more findings than there are"
        for finding in reading.findings:
            assert "\n" not in str(finding), "a finding of several lines"
        name = rng.choice(reading.columns).name
        _read_or_refused(data, {name: rng.choice(HOWS)}, rng)
    took = time.monotonic() - began
    assert took < SECONDS, f"{took:.1f} s"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000 < MEGABYTES, "memory"


def _read_or_refused(data: bytes, how: dict[str, str], rng: random.Random):
    try:
        return read(data, how, encoding=rng.choice(("", "", *ENCODINGS)))
    except TableError as error:
        sentence = str(error)
        assert sentence == " ".join(sentence.split()), "a sentence of several lines"
        assert 10 < len(sentence) < 600, "no sentence"
        assert sentence.endswith("."), "a sentence without an end"
        return None


# ------------------------------------------------------------------------------------------------------------ makers


def _noise(rng: random.Random) -> bytes:
    return rng.randbytes(rng.randrange(3000))


def _rows(rng: random.Random) -> list[list[str]]:
    width, height = rng.randint(1, 7), rng.randint(0, 40)
    kinds = [rng.sample(CELLS, rng.randint(1, 4)) for _ in range(width)]
    table = [[rng.choice(kind) for kind in kinds] for _ in range(height)]
    if rng.random() < 0.7:
        table.insert(0, [rng.choice((f"c{i}", "id", "date", "price", *CELLS[:3])) for i in range(width)])
    return table


def _text(rng: random.Random) -> bytes:
    separator, end = rng.choice(SEPARATORS), rng.choice(("\n", "\r\n", "\r", "\n\n"))
    lines = [separator.join(row) for row in _rows(rng)]
    lines = [*rng.choice(([], [], ["# a remark"], ["A title", ""])), *lines]
    encoding = rng.choice(
        ("utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252", "cp949", "shift-jis", "utf-16-be")
    )
    return _spoilt(end.join(lines).encode(encoding, "replace"), rng)


def _spoilt(data: bytes, rng: random.Random) -> bytes:
    """The same, most times with some bytes changed, taken out, doubled or cut."""
    changed = bytearray(data)
    for _ in range(rng.choice((0, 0, 1, 3, 20))):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(4):
            case 0:
                changed[at : at + 1] = rng.randbytes(1)
            case 1:
                del changed[at : at + rng.randint(1, 30)]
            case 2:
                changed[at:at] = changed[at : at + rng.randint(1, 200)]
            case _:
                changed[at:at] = rng.choice(CELLS).encode()
    return bytes(changed[: rng.randrange(len(changed) + 1)] if rng.random() < 0.1 else changed)


def _workbook(rng: random.Random) -> bytes:
    rows = "".join(
        f'<row r="{i}">' + "".join(f'<c r="{chr(65 + k)}{i}" t="{rng.choice(("n", "str", "b", "e", "d"))}"><v>{cell}</v></c>'
                                   for k, cell in enumerate(row)) + "</row>"
        for i, row in enumerate(_rows(rng), rng.choice((1, 1, 1_000_000)))
    )  # fmt: skip
    sheet = f"<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData>{rows}</sheetData></worksheet>"
    parts = {
        "[Content_Types].xml": "<Types xmlns='http://schemas.openxmlformats.org/package/2006/content-types'/>",
        "_rels/.rels": "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'/>",
        "xl/workbook.xml": "<workbook xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main' "
        "xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships'>"
        "<sheets><sheet name='S' sheetId='1' r:id='r1'/></sheets></workbook>",
        "xl/_rels/workbook.xml.rels": "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>"
        "<Relationship Id='r1' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet' "
        "Target='worksheets/sheet1.xml'/></Relationships>",
        "xl/worksheets/sheet1.xml": sheet,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, text in parts.items():
            content = text.encode()
            if name.startswith("xl/worksheets") and rng.random() < 0.3:
                content = _spoilt(content, rng)
            archive.writestr(name, content)
    return _spoilt(file.getvalue(), rng) if rng.random() < 0.5 else file.getvalue()


def _old_workbook(rng: random.Random) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + rng.randbytes(rng.randrange(2000))


def _json(rng: random.Random) -> bytes:
    values = (1, -2.5, None, True, "x", "12%", [1], {"a": 1}, 10**400, 1e308, "2014-07-01")
    rows = [
        {rng.choice("abc"): rng.choice(values) for _ in range(3)} | {"y": rng.random()}
        for _ in range(rng.randrange(20))
    ]
    text = json.dumps(rng.choice((rows, {"data": rows}, rows and rows[0], 5)))
    if rng.random() < 0.2:
        text = "\n".join(map(json.dumps, rows))
    return _spoilt(text.encode(), rng)


def _packed(rng: random.Random) -> bytes:
    return _spoilt(gzip.compress(_text(rng), mtime=0), rng)


def _parquet(rng: random.Random) -> bytes:
    size = rng.randint(0, 60)
    kinds: dict[str, Callable[[], pa.Array]] = {
        "n": lambda: pa.array(
            [rng.choice((None, 1.5, float("inf"), 1e300)) for _ in range(size)], pa.float64()
        ),
        "i": lambda: pa.array([rng.randrange(9) for _ in range(size)], pa.int8()),
        "t": lambda: pa.array([rng.choice(CELLS) for _ in range(size)], pa.string()),
        "d": lambda: pa.array([rng.randrange(2**31) for _ in range(size)], pa.timestamp("s")),
        "b": lambda: pa.array([rng.random() < 0.5 for _ in range(size)], pa.bool_()),
        "l": lambda: pa.array([[1.0]] * size, pa.list_(pa.float64())),
        "x": lambda: pa.array([rng.randbytes(3) for _ in range(size)], pa.binary()),
    }
    chosen = {name: kinds[name]() for name in rng.sample(list(kinds), rng.randint(1, 5))}
    file = io.BytesIO()
    parquet.write_table(pa.table(chosen), file, row_group_size=10)
    return _spoilt(file.getvalue(), rng) if rng.random() < 0.6 else file.getvalue()


def _bomb(rng: random.Random) -> bytes:
    """Small to send, large to open: packed blanks, a distant cell, a deep list, one endless row or cell, ragged rows."""
    size = rng.choice((10_000, 300_000))
    match rng.randrange(7):
        case 0:
            return gzip.compress(b"1,2\n" * (50 * size), mtime=0)
        case 1:
            return b"[" * size + b"]" * size
        case 2:
            return b"a,b\n" + b"1," * size + b"\n1,2"
        case 3:
            return b"a,b\n" + rng.choice((b"1", b"1e", b"-", b" 1", b'""')) * size + b",2\n3,4\n5,6"
        case 4:
            return b"a,b\n" + b"1,2\n" * 5 + b"\n" * size + b"1,2,3\n" * size
        case 5:
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("xl/workbook.xml", "<workbook/>")
                archive.writestr("xl/worksheets/sheet1.xml", '<c r="A1"/><c r="XFD1048576"/>' + " " * size)
            return file.getvalue()
        case _:
            return b'a,b\n"' + b"1,2\n" * size


MAKERS = (_noise, _text, _text, _text, _text, _workbook, _old_workbook, _json, _packed, _parquet, _bomb)
