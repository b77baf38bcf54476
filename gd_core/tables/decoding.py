"""The text in the bytes of a file: what encodes it, and why there is none."""

import codecs
import re

from charset_normalizer import from_bytes

from gd_core.words import short

MAX_BYTES = 50_000_000
# Bytes that are searched for others than ASCII, and those that are judged.
LOOKED_AT, SAMPLE = (200_000, 20_000)
SIGNATURES = {
    b"\x1f\x8b": "compressed with gzip, within a file that was: unpack it first",
    b"%PDF": "a PDF: copy its table into a spreadsheet and save that as CSV",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What people's spreadsheets write, in the order in which one that reads as well as another is preferred.
ENCODINGS = (
    "cp1252", "cp949", "cp932", "gb18030", "big5", "cp1251", "cp1250", "cp1253", "cp1254", "cp1255", "cp1256",
    "cp1257", "mac_roman", "koi8_r",
)  # fmt: skip
TITLES = {
    "cp1252": "Latin-1 (Windows-1252)",
    "cp949": "Korean CP949",
    "cp932": "Shift-JIS",
    "gb18030": "Chinese GB18030",
    "big5": "Chinese Big5",
    "cp1251": "Cyrillic Windows-1251",
    "cp1250": "Central European Windows-1250",
    "cp1253": "Greek Windows-1253",
    "cp1254": "Turkish Windows-1254",
    "cp1255": "Hebrew Windows-1255",
    "cp1256": "Arabic Windows-1256",
    "cp1257": "Baltic Windows-1257",
    "mac_roman": "Mac Roman",
    "koi8_r": "Cyrillic KOI8-R",
}


class TableError(ValueError):
    """Something of which no table can be made. The message is one sentence for a student, or two."""


class TooLargeError(TableError):
    """A table that is too large for a page; it can be read in pieces."""


NUL = "The file holds NUL bytes, so it is not text. Save the table as CSV."


def text_of(source: bytes | str, notes: list[str], encoding: str = "") -> tuple[str, str]:
    """The text of a file from its first row on, with one kind of line end; and its encoding, if it is not Unicode's.

    Args:
        source: The file.
        notes: Takes what was recognised.
        encoding: One of `ENCODINGS`, if that has been said of a file that is not UTF-8.

    Raises:
        TableError: If there is none.
    """
    size = len(source)
    if size > MAX_BYTES:
        raise TooLargeError(
            f"The file must have at most {short(MAX_BYTES / 1e6)} MB. Got {short(size / 1e6)} MB: leave out rows or columns."
        )
    text, found = (source, "") if isinstance(source, str) else _decoded(source, notes, encoding)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise TableError(NUL)
    # blank lines at the top are no rows; a cell that is empty must stay, so nothing else is stripped
    first = re.search(r"[^\s]", text)
    if first is None:
        raise TableError("The table is empty: there is nothing in it.")
    text = text[text.rfind("\n", 0, first.start()) + 1 :].rstrip("\n ")
    steering = sum(ord(c) < 32 and c not in "\t\n" for c in text[:10_000])
    if steering > max(3, len(text[:10_000]) / 50):
        raise TableError("The file is not text. Save the table as CSV.")
    return text, found


def _decoded(data: bytes, notes: list[str], said: str) -> tuple[str, str]:
    for signature, what in SIGNATURES.items():
        if data.startswith(signature):
            raise TableError(f"The file is not a table of text but {what}.")
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _as(data, encoding), ""
    zeros = [data[side:4000:2].count(0) * 2 / max(len(data[:4000]), 1) for side in (0, 1)]
    if max(zeros) > 0.6 and min(zeros) < 0.2:  # every other byte is 0: UTF-16 without its mark
        return _as(data, "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"), ""
    if 0 in data:
        raise TableError(NUL)
    try:
        text = data.decode("utf-8")
        if said and not text.isascii():
            notes.append(f"The file is UTF-8 and was read so, not as {TITLES[said]}.")
        return text, ""
    except UnicodeDecodeError:
        encoding = said or encoding_of(data)
        why = "as you said" if said else "look at its names and words"
        notes.append(f"The file is not UTF-8 and was read as {TITLES[encoding]}: {why}.")
        return data.decode(encoding, "replace"), encoding


def fitting(data: bytes) -> tuple[str, ...]:
    """The encodings in which all of some lines that are not ASCII can be read."""
    sample = _foreign(data)
    return tuple(encoding for encoding in ENCODINGS if _fits(sample, encoding))


def _fits(data: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(data)  # its last character may be cut
    except UnicodeDecodeError:
        return False
    return True


def _as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        name = encoding.upper().removesuffix("-SIG").removesuffix("-LE").removesuffix("-BE")
        raise TableError(
            f"The file begins as {name} and does not go on so. Save the table as CSV in UTF-8."
        ) from None


def encoding_of(data: bytes) -> str:
    """The encoding of text that is not UTF-8, one of `ENCODINGS`, by the least mess in lines that are not ASCII.

    Between Latin alphabets of equal mess it is Windows-1252, or Mac Roman if letters lie where that has them.
    """
    sample = _foreign(data)
    found = list(from_bytes(sample, cp_isolation=list(ENCODINGS), threshold=0.9))
    if not found:
        return "cp1252"
    best = {name for one in found if one.chaos <= found[0].chaos for name in one.could_be_from_charset}
    if not best & {"cp1252", "mac_roman"}:
        return found[0].encoding
    within = len(re.findall(rb"(?<=[A-Za-z])[\x80-\x90\x94-\x9f]|[\x80-\x90\x94-\x9f](?=[A-Za-z])", sample))
    return "mac_roman" if within > len(re.findall(rb"[\xc0-\xff]", sample)) else "cp1252"


def _foreign(data: bytes) -> bytes:
    """Some lines with bytes above 127, from the first such byte on: a header may be all that is ASCII."""
    first = re.search(rb"[\x80-\xff]", data)
    start = data.rfind(b"\n", 0, first.start()) + 1 if first else 0
    part = data[max(start, first.start() - 1000 if first else 0) :][:LOOKED_AT]
    return b"\n".join(line for line in re.split(rb"[\r\n]+", part) if not line.isascii())[:SAMPLE]
