"""Numbers as people write them: $1,200.50, 12%, 1 000, 1.234,5, −3 and (12). Cells of a column in, float64 out.

Every pattern is Arrow's (RE2), whose work grows in proportion to a cell's length whatever stands in it.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import compute

pc: Any = compute  # its functions are made when it is imported, so no checker knows them

PLAIN_NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
COMMA_NUMBER = r"^[+-]?([0-9]+,[0-9]*|,[0-9]+)([eE][+-]?[0-9]+)?$"
POINT_NUMBER = r"^[+-]?[0-9]*\.[0-9]+([eE][+-]?[0-9]+)?$"
THOUSANDS = r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$"
DOTTED_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+$"
BLANK = r"[ \x{a0}\x{2009}\x{202f}]"  # also those that do not break a line
MARKS = r"US\$|[$€£¥₹₩₽₺₫฿]|EUR|USD|GBP|CHF|kr|zł"
BODY = r"[0-9.,'’ \x{a0}\x{2009}\x{202f}]*[0-9][0-9.,'’ \x{a0}\x{2009}\x{202f}]*(?:[eE][+-]?[0-9]+)?"
DRESSED = (
    rf"^(?P<open>\()?(?P<sign>[+-]?){BLANK}*(?P<before>{MARKS})?{BLANK}*(?P<sign2>[+-]?)(?P<body>{BODY})"
    rf"{BLANK}*(?P<after>%|{MARKS})?(?P<close>\))?$"
)
# The body, in the order of preference; what parts its thousands is taken out.
ENGLISH = r"^[0-9]{1,3}((,[0-9]{3})+|(,[0-9]{2})*,[0-9]{3})(\.[0-9]*)?$"  # 1,234.5, and 1,00,000 as in India
PARTED = rf"^[0-9]{{1,3}}({BLANK}[0-9]{{3}}|['’][0-9]{{3}})+([.,][0-9]*)?$"
GERMAN = r"^[0-9]{1,3}(\.[0-9]{3})+,[0-9]*$|^[0-9]{1,3}(\.[0-9]{3}){2,}$"
TAKEN_OFF = " is taken off"
PARTS = ("commas part the thousands", "points part the thousands", "blanks part the thousands")
LONGEST = 60  # characters of a dressed number
GAPS = frozenset(
    (
        "",
        "na",
        "n/a",
        "n.a.",
        "nan",
        "null",
        "?",
        "-",
        "--",
        "—",
        "–",
        ".",
        "#n/a",
        "#na",
        "#value!",
        "#div/0!",
    )
)  # what people write where they have nothing, in small letters


class Numerals(NamedTuple):
    """A column's numbers.

    Attributes:
        values: [N]; NaN where a cell holds none, infinite where it is too large for float64.
        said: What was taken off to read them, each a few words.
    """

    values: np.ndarray
    said: tuple[str, ...] = ()


def numerals(cells: pa.StringArray, comma: bool, as_said: Sequence[str] | None = None) -> Numerals:
    """A column's numbers.

    Args:
        cells: Its cells, [N], without blanks at their ends.
        comma: Whether the file has decimal commas: then 1,5 is one and a half, and 1,234 one and a bit.
        as_said: What was said of other cells of the same column, which decides what is parted and taken off.
    """
    kinds = cells.dictionary_encode()  # most columns of words and prices hold the same ones again and again
    different = _different(kinds.dictionary, comma, as_said)
    return Numerals(different.values[np.asarray(kinds.indices)], different.said)


def _different(cells: pa.StringArray, comma: bool, as_said: Sequence[str] | None) -> Numerals:
    """The numbers of cells of which none is there twice."""
    values = careful_numbers(cells, comma)
    left = np.flatnonzero(np.isnan(values) & np.asarray(pc.not_equal(cells, "")))
    told = None if as_said is None else PARTS[1] in as_said
    dotted = comma and (_count(cells, COMMA_NUMBER) > 0 if told is None else told)
    if dotted:  # in a column with decimal commas a point parts thousands, if it always could
        points, thousands = matches(cells, POINT_NUMBER), matches(cells, DOTTED_THOUSANDS)
        dotted = bool(thousands.any()) and (bool(told) or not (points & ~thousands).any())
        if dotted:
            left = np.union1d(left, np.flatnonzero(thousands))
    if not len(left):
        return Numerals(values)
    undressed, said = _undressed(cells.take(pa.array(left)), comma, as_said or ())
    values = np.array(values)
    values[left] = undressed
    return Numerals(values, said)


def _undressed(
    cells: pa.StringArray, comma: bool, as_said: Sequence[str]
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Numbers of cells that are dressed; of two currencies only the commoner is understood: they are not one scale."""
    short = pc.if_else(pc.less_equal(pc.utf8_length(cells), LONGEST), cells, pa.scalar("", pa.string()))
    text = pc.replace_substring(short, "−", "-")
    parts = pc.extract_regex(text, DRESSED)
    fields = {name: parts.field(i).fill_null("") for i, name in enumerate(_groups(parts))}
    fields = {
        name: pc.if_else(pc.is_null(parts), pa.scalar("", pa.string()), part) for name, part in fields.items()
    }
    body = pc.utf8_trim_whitespace(fields["body"])
    bracket, closed = (np.asarray(pc.not_equal(fields[name], "")) for name in ("open", "close"))
    negative = bracket ^ (
        np.asarray(pc.equal(fields["sign"], "-")) | np.asarray(pc.equal(fields["sign2"], "-"))
    )
    signs = pc.binary_join_element_wise(fields["sign"], fields["sign2"], "")
    odd = (
        (bracket != closed)
        | (np.asarray(pc.utf8_length(signs)) > 1)
        | (bracket & np.asarray(pc.not_equal(signs, "")))
    )
    english, parted, german = (np.asarray(matches(body, p)) for p in (ENGLISH, PARTED, GERMAN))
    if comma:
        english &= np.asarray(pc.match_substring(body, "."))  # 1,234 alone is one and a bit
        german |= matches(body, DOTTED_THOUSANDS)
        english &= ~german
    plain = pc.if_else(pa.array(english), pc.replace_substring(body, ",", ""), body)
    no_points = pc.replace_substring(pc.replace_substring(body, ".", ""), ",", ".")
    plain = pc.if_else(pa.array(german), no_points, plain)
    no_blanks = pc.replace_substring(pc.replace_substring_regex(body, rf"{BLANK}|['’]", ""), ",", ".")
    plain = pc.if_else(pa.array(parted), no_blanks, plain)
    values = np.array(careful_numbers(plain, comma))
    values[odd] = np.nan
    values[negative] *= -1
    marks = pc.binary_join_element_wise(fields["before"], fields["after"], "")
    usual = next((one.removesuffix(TAKEN_OFF) for one in as_said if one.endswith(TAKEN_OFF)), "")
    values, mark = _one_mark(values, marks.to_numpy(zero_copy_only=False), usual)
    known = ~np.isnan(values)
    said = (
        (f"{mark}{TAKEN_OFF}", bool(mark)),
        *(
            (text, bool((fits & known).any()))
            for text, fits in zip(PARTS, (english, german, parted), strict=True)
        ),
        ("(12) is −12", bool((bracket & known).any())),
    )
    return values, tuple(text for text, true in said if true)


def _one_mark(values: np.ndarray, marks: np.ndarray, usual: str) -> tuple[np.ndarray, str]:
    """The numbers with the usual mark, else the commonest, or without any; those with another are no numbers."""
    known = marks[~np.isnan(values) & (marks != "")]
    if not len(known):
        return values, ""
    kinds, counts = np.unique(known.astype(str), return_counts=True)
    mark = usual or str(kinds[counts.argmax()])
    values[(marks != mark) & (marks != "")] = np.nan
    return values, mark


def _groups(parts: pa.StructArray) -> list[str]:
    return [parts.type.field(i).name for i in range(parts.type.num_fields)]


def has_decimal_commas(cells: Iterable[pa.StringArray], separator: str) -> bool:
    """Whether more cells have a decimal comma than a decimal point.

    Where commas separate the columns, "1,234" in quotation marks is a thousand and more, if all that have one could be.
    """
    commas = points = thousands = 0
    for column in cells:
        commas += _count(column, COMMA_NUMBER) + _count(column, r"^[+-]?[0-9]{1,3}(\.[0-9]{3})+,[0-9]+$")
        points += _count(column, POINT_NUMBER) + _count(column, r"^[+-]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]*$")
        thousands += _count(column, THOUSANDS)
    if separator == "," and commas == thousands:
        return False
    return commas > points


def matches(column: pa.StringArray, pattern: str) -> np.ndarray:
    """Which cells match, [N]."""
    return np.asarray(pc.match_substring_regex(column, pattern).fill_null(False))


def _count(column: pa.StringArray, pattern: str) -> int:
    return int(matches(column, pattern).sum())


def quick_numbers(column: pa.StringArray) -> np.ndarray | None:
    """A column all of whose cells are numbers; None if one is not."""
    try:
        # A column of words is told by its first cells: the whole takes a second a million.
        column[:100].cast(pa.float64())
        numbers = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    return numbers if np.isfinite(numbers).all() else None


def careful_numbers(column: pa.StringArray, comma: bool) -> np.ndarray:
    """A column's plain numbers, NaN where a cell holds none, infinite where it is too large for float64."""
    if comma:
        is_comma = pc.match_substring_regex(column, COMMA_NUMBER)
        column = pc.if_else(is_comma, pc.replace_substring(column, ",", "."), column)
    is_number = pc.match_substring_regex(column, PLAIN_NUMBER)
    only = pc.if_else(is_number, column, pa.scalar(None, pa.string()))
    return only.cast(pa.float64()).to_numpy(zero_copy_only=False)


def are_gaps(words: Sequence[str]) -> np.ndarray:
    """Which words say that there is nothing."""
    return np.array([len(word) < 8 and word.lower() in GAPS for word in words], dtype=bool)
