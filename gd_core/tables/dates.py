"""Dates and times as people write them: 2014-7-1, 1949-01, Jan 1 2000, 29-10-1992, Jan-49, 2014 Q3, 5/6/2014 13:30.

What stands in a cell becomes days since 1970, [N], in the calendar that NumPy has. Arrow's patterns are linear (RE2).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import compute

pc: Any = compute

LONGEST = 45  # characters
DAYS_A_YEAR = 365.25  # on average, of the Julian calendar: astronomers' year
LONG_SPAN = 1000  # days, from which on dates are told in years
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
TURN = 30  # two digits below are of the 2000s, others of the 1900s: as spreadsheets have it
DAY, MONTH, YEAR, NAME = (
    "(?P<d>[0-9]{1,2})",
    "(?P<m>[0-9]{1,2})",
    "(?P<y>[0-9]{4})",
    r"(?P<name>[A-Za-z]{3,9})\.?",
)
SOME_YEAR, NTH = "(?P<y>[0-9]{4}|'?[0-9]{2})", "(?:st|nd|rd|th)?"
TIME = (
    r"(?:(?:,? +|T)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}(?:\.[0-9]{1,9})?))?"
    r" ?(?P<half>[AaPp]\.?[Mm]\.?)? ?(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?(?:[0-9]{2})?)?)?"
)
WEEKDAY = r"(?:(?:[Mm]on|[Tt]ue|[Ww]ed|[Tt]hu|[Ff]ri|[Ss]at|[Ss]un)[a-z]{0,6}\.?,? +)?"
FORMS = (  # each cell is read by the first that fits
    rf"^{YEAR}[-/.]{MONTH}[-/.]{DAY}{TIME}$",
    rf"^{YEAR}[-/.]{MONTH}$",
    rf"^{YEAR}[- /]?[Qq](?P<quarter>[1-4])$",
    rf"^[Qq](?P<quarter>[1-4])[- /]{YEAR}$",
    rf"^{WEEKDAY}{NAME}[ -]+{DAY}{NTH},?[ -]+{YEAR}{TIME}$",
    rf"^{WEEKDAY}{DAY}{NTH}[ -/]*{NAME},?[ -/]*{SOME_YEAR}{TIME}$",
    rf"^{NAME},?[ -/]+{SOME_YEAR}$",
    rf"^{YEAR}[ -]?{NAME}(?:[ -]{DAY})?$",
)
TWO_FIRST = rf"^(?P<a>[0-9]{{1,2}})(?P<s>[-/.])(?P<b>[0-9]{{1,2}})[-/.]{SOME_YEAR}{TIME}$"


class Dates(NamedTuple):
    """A column's dates.

    Attributes:
        days: Since 1970, with the time of day as a fraction, [N]; NaN where a cell holds no date.
        months: Months since 1970, [N], if every date is a month or the first day of one; or None.
        order: "day first" or "month first" where two numbers come before the year; "" where they do not.
        ambiguous: Whether either order would do.
    """

    days: np.ndarray
    months: np.ndarray | None
    order: str
    ambiguous: bool


def dates_of(cells: pa.StringArray, order: str = "") -> Dates:
    """The dates of a column's cells, [N].

    Args:
        cells: Without blanks at their ends.
        order: "day first" or "month first", if that has been said.
    """
    kinds = cells.dictionary_encode()
    words = kinds.dictionary
    words = pc.if_else(pc.less_equal(pc.utf8_length(words), LONGEST), words, pa.scalar("", pa.string()))
    days = np.full(len(words), np.nan)
    monthly = np.zeros(len(words), dtype=bool)
    for form in FORMS:
        left = np.flatnonzero(np.isnan(days))
        if not len(left):
            break
        days[left], monthly[left] = _by(form, words.take(pa.array(left)))
    left = np.flatnonzero(np.isnan(days))
    order, ambiguous = _order(words.take(pa.array(left)), order)
    if order:
        days[left], monthly[left] = _by(TWO_FIRST, words.take(pa.array(left)), order)
    at = np.asarray(kinds.indices)
    known = ~np.isnan(days)
    months = None
    if known.any() and monthly[known].all():
        months = np.full(len(days), np.nan)
        months[known] = days[known].astype("datetime64[D]").astype("datetime64[M]").astype(float)
        months = months[at]
    return Dates(days[at], months, order, ambiguous)


def since_first(dates: Dates) -> tuple[np.ndarray, str]:
    """Years or days since the first date, [N], and the unit with that date, as it stands in a column's name.

    Months are twelfths of a year. Other dates are days, or years of 365.25 days if they span more than 1,000.
    """
    first = float(np.nanmin(dates.days))
    day = np.datetime64("1970-01-01", "D") + int(np.floor(first))
    if dates.months is not None:
        unit = f"years since {str(day)[:7]}"
    elif np.nanmax(dates.days) - np.floor(first) > LONG_SPAN:
        unit = f"years since {day}"
    else:
        unit = f"days since {day}"
    return since(dates, first, unit), unit


def since(dates: Dates, first: float, unit: str) -> np.ndarray:
    """Years or days since a first date, [N], negative before it.

    Args:
        dates: They; with months if the unit is years since a month.
        first: Days since 1970.
        unit: As `since_first` writes it.
    """
    if unit.count("-") == 1:  # years since 2014-05
        month = np.datetime64(int(np.floor(first)), "D").astype("datetime64[M]").astype(float)
        months = np.full(len(dates.days), np.nan) if dates.months is None else dates.months
        return (months - month) / 12
    days = dates.days - np.floor(first)
    return days / DAYS_A_YEAR if unit.startswith("years") else days


def _order(words: pa.StringArray, said: str) -> tuple[str, bool]:
    """Which of two numbers before a year is the day's, and whether that could be either; "" if there are none such."""
    parts = _parts(TWO_FIRST, words)
    fits = np.asarray(pc.not_equal(parts["a"], ""))
    if not fits.any():
        return "", False
    one, two = _number(parts["a"])[fits], _number(parts["b"])[fits]
    if said in ("day first", "month first"):
        return said, False
    day, month = int((one > 12).sum()), int((two > 12).sum())
    if day != month:
        return ("day first" if day > month else "month first"), False
    dots = np.asarray(pc.equal(parts["s"], "."))[fits]
    return "day first", bool((one != two).any()) and not dots.all()  # with points it is day first everywhere


def _by(form: str, words: pa.StringArray, order: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970 of the words that have a form, NaN for others, and which of them are the first of a month."""
    parts = _parts(form, words)
    y = _number(pc.replace_substring(parts["y"], "'", ""))
    short = np.asarray(pc.less(pc.utf8_length(parts["y"]), 4))
    y = np.where(short, np.where(y < TURN, 2000 + y, 1900 + y), y)
    if order:
        parts["d"], parts["m"] = (parts[name] for name in ("ab" if order == "day first" else "ba"))
    if "name" in parts:
        m = _month(parts["name"])
    elif "quarter" in parts:
        m = 3 * _number(parts["quarter"]) - 2
    else:
        m = _number(parts["m"])
    d = _number(parts["d"]) if "d" in parts else np.ones(len(words))
    if "d" in parts:
        d = np.where(np.asarray(pc.equal(parts["d"], "")), 1.0, d)
    good = (y >= 1) & (m >= 1) & (m <= 12) & (d >= 1)
    months = (np.where(good, y, 1970).astype(int) - 1970) * 12 + np.where(good, m, 1).astype(int) - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    length = ((months + 1).astype("datetime64[M]").astype("datetime64[D]") - first).astype(int)
    good &= d <= length
    clock, clocked = _clock(parts, len(words))
    good &= ~np.isnan(clock)
    days = first.astype(int) + np.where(good, d, 1) - 1 + np.where(good, clock, 0)
    return np.where(good, days, np.nan), good & (d == 1) & ~clocked


def _clock(parts: dict[str, Any], size: int) -> tuple[np.ndarray, np.ndarray]:
    """The time of day as a fraction, of Greenwich if a zone is said, NaN if there is no such time; and where one stands."""
    if "hour" not in parts:
        return np.zeros(size), np.zeros(size, dtype=bool)
    there = np.asarray(pc.not_equal(parts["hour"], ""))
    hour, minute, second = (np.nan_to_num(_number(parts[name])) for name in ("hour", "minute", "second"))
    half = pc.utf8_lower(pc.utf8_slice_codeunits(parts["half"], 0, 1))
    am, pm = np.asarray(pc.equal(half, "a")), np.asarray(pc.equal(half, "p"))
    wrong = (hour > 24) | (minute > 59) | (second >= 61) | ((am | pm) & ((hour > 12) | (hour < 1)))
    hour = np.where((am | pm) & (hour == 12), 0, hour) + 12 * pm
    zone = pc.replace_substring(parts["zone"], ":", "")
    offset = np.nan_to_num(_number(pc.utf8_slice_codeunits(zone, 1, 3))) * 60
    offset += np.nan_to_num(_number(pc.utf8_slice_codeunits(zone, 3, 5)))
    offset *= np.where(np.asarray(pc.starts_with(zone, "-")), -1, 1)
    clock = (hour * 3600 + (minute - offset) * 60 + second) / 86400
    return np.where(wrong & there, np.nan, clock), there


def _parts(form: str, words: pa.StringArray) -> dict[str, Any]:
    """The groups of a pattern, each [n], "" where it does not fit or the group is left out."""
    found = pc.extract_regex(words, form)
    empty = pa.scalar("", pa.string())
    return {
        found.type.field(i).name: pc.if_else(pc.is_null(found), empty, found.field(i).fill_null(""))
        for i in range(found.type.num_fields)
    }


def _number(words: Any) -> np.ndarray:
    """Digits as a number, NaN where there are none."""
    digits = pc.if_else(pc.match_substring_regex(words, r"^[0-9.]+$"), words, pa.scalar(None, pa.string()))
    return np.array(digits.cast(pa.float64()).to_numpy(zero_copy_only=False))


def _month(names: Any) -> np.ndarray:
    """1 to 12, NaN where it is no month's name."""
    short = pc.utf8_lower(pc.utf8_slice_codeunits(names, 0, 3))
    at = pc.index_in(short, pa.array(MONTHS)).cast(pa.float64())
    return np.array(at.to_numpy(zero_copy_only=False)) + 1


def looks_dated(name: str) -> bool:
    """Whether a column's name says that it holds dates: then 20140131 is one."""
    words: Sequence[str] = name.lower().replace("_", " ").split()
    return bool({"date", "day", "datum", "yyyymmdd", "fecha"} & set(words))
