"""What each column of a file is: numbers, words, dates, a row number … and what is made of it. The one place that decides.

Every decision that another could have taken otherwise is a short sentence, and is taken back by saying `how`.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import compute

from gd_core.tables.dates import dates_of, looks_dated, since, since_first
from gd_core.tables.numerals import PARTS, TAKEN_OFF, Numerals, are_gaps, numerals, quick_numbers
from gd_core.tables.patterns import holds, is_whole
from gd_core.tables.table import LARGEST, SMALLEST, clean_name
from gd_core.words import counted

pc: Any = compute

MOST_WORDS = 10  # different ones of which indicator columns are made
SHARE = 0.5  # of the filled cells of a column, from which on it is a column of numbers, or of dates
NAMED = 28  # characters of a column's name, and of a word, in an indicator's
NUMBERS, COMMAS, WORDS, DATES, DAY_FIRST, MONTH_FIRST, MISSING, LEFT_OUT = HOWS = (
    "numbers", "decimal commas", "words", "dates", "day first", "month first", "missing", "left out",
)  # fmt: skip
ID_NAME = r"(?:^|[ _.-])(?i:id|index|idx|row|rownames|rownum|nr|no|obs|#|unnamed: 0)\.?$|(?<=[a-z])I[Dd]$"
NINES = r"-?(?:9+|9+\.9+)"
COMPACT = r"^((?:19|20)[0-9]{2})(0[1-9]|1[0-2])([0-3][0-9])$"
FEWEST_MARKS = 2  # cells with one number far outside the rest, from which on it may be a mark for missing


class Unlike(ValueError):
    """A cell that the rest of its column had decided otherwise about, had it been there.

    Attributes:
        place: Which of the cells.
        what: What is the matter, to follow its row and column in a sentence.
    """

    def __init__(self, place: int, what: str) -> None:
        super().__init__(what)
        self.place, self.what = place, what


class Column(NamedTuple):
    """What was made of a column of a file.

    Attributes:
        name: Its own name.
        how: What it was read as, one of `HOWS`.
        said: How its cells were turned into numbers, or why it is left out, in a few words; "" for plain numbers.
        columns: The columns of numbers that it became, each [N], by name; empty if it is left out.
        offered: Whether it is worth predicting from, or being predicted: no row number is, nor what never changes.
        others: What else it could be read as, by `how`.
        question: What has to be said before the numbers can be used, or "".
        again: Makes the same columns, [n, c], of other cells of this one; `Unlike` where these would have changed them.
    """

    name: str
    how: str
    said: str
    columns: Mapping[str, np.ndarray]
    offered: bool = True
    others: tuple[str, ...] = ()
    question: str = ""
    again: Callable[[pa.StringArray], np.ndarray] | None = None

    @property
    def kind(self) -> str:
        """One of `table.KINDS`."""
        kind = {WORDS: "words", DATES: "dates", DAY_FIRST: "dates", MONTH_FIRST: "dates"}.get(
            self.how, "numbers"
        )
        return kind if self.offered else "set aside"


def column_of(
    name: str,
    cells: pa.StringArray,
    comma: bool,
    how: str = "",
    *,
    quick: np.ndarray | None = None,
    unnamed_first: bool = False,
) -> Column:
    """Recognise a column, or read it as somebody said.

    Args:
        name: Its name in the file.
        cells: Its cells, [N], without blanks at their ends.
        comma: Whether the file has decimal commas.
        how: One of `HOWS`, or "" for what it looks like.
        quick: Its numbers, if all its cells are plain ones.
        unnamed_first: Whether it is the first column and nobody has named it, as an index is written.
    """
    if how == LEFT_OUT:
        return Column(name, LEFT_OUT, "left out, as you chose", {}, others=(NUMBERS, WORDS, DATES))
    if how in (DATES, DAY_FIRST, MONTH_FIRST):
        return _dates(name, cells, how) or Column(
            name, LEFT_OUT, "holds no date", {}, others=(NUMBERS, WORDS)
        )
    if how == WORDS:
        return _words(name, cells, set())
    comma |= how == COMMAS
    found = Numerals(quick) if quick is not None else numerals(cells, comma)
    values = _within_reach(found.values)
    filled = len(cells) - _gaps(cells)
    known = int((~np.isnan(values)).sum())
    if how not in (NUMBERS, COMMAS, MISSING):
        if known and looks_dated(name) and (compact := _compact(name, cells)):
            return compact
        if known == 0 or known < SHARE * filled:
            return _dates(name, cells, "") or _words(name, cells, {NUMBERS} if known else set())
    if known == 0:
        return Column(name, LEFT_OUT, "holds no number", {}, others=(WORDS, DATES))
    made = _numbers(name, values, found.said, how, unnamed_first=unnamed_first)
    mark, said = _mark(values) if made.how == MISSING else None, found.said
    return made._replace(again=lambda more: _numbers_again(more, comma, said, mark))


def plain_column(name: str, values: np.ndarray, filled: int) -> Column:
    """A column as this lab read it before it knew words, dates and dressed numbers: links to such tables are still about."""
    known = int(np.isfinite(values).sum())
    if known == 0 or known < SHARE * filled:
        return Column(name, LEFT_OUT, "holds words", {})
    return Column(name, NUMBERS, "", {name: _within_reach(values)})


# ------------------------------------------------------------------------------------------------------- numbers


def _numbers(
    name: str, values: np.ndarray, said: tuple[str, ...], how: str, *, unnamed_first: bool
) -> Column:
    others = [LEFT_OUT, *([WORDS] if len(np.unique(values)) <= MOST_WORDS else [])]
    others += [COMMAS] if PARTS[0] in said else []
    words = list(said)
    if mark := _mark(values):
        number, count = mark
        text = f"{number:.12g}".replace("-", "−")
        if how == MISSING:
            values = np.where(values == number, np.nan, values)
            words.append(f"{text} in {counted(count, 'cell')} is taken for missing")
            return Column(name, MISSING, "; ".join(words), {name: values}, others=(NUMBERS, *others))
        others.append(MISSING)
        if how != NUMBERS:
            question = f"{name} holds {text} in {counted(count, 'cell')}, far from its other numbers. Is that a mark for missing?"
            return Column(
                name, NUMBERS, "; ".join(words), {name: values}, others=(MISSING, NUMBERS), question=question
            )
        words.append(f"{text} in {counted(count, 'cell')} is a number, as you said")
    known = values[~np.isnan(values)]
    each_its_own = len(known) == len(values) > 2 and (values == np.floor(values)).all()
    if each_its_own and (
        (unnamed_first and (np.diff(values) == 1).all())
        or (holds(ID_NAME, name) is not None and len(np.unique(values)) == len(values))
    ):
        said_id = "a row number, so it is not offered to predict from"
        return Column(name, NUMBERS, said_id, {name: values}, offered=False, others=tuple(others))
    if len(known) > 1 and (known == known[0]).all():
        return Column(
            name, NUMBERS, "the same in every row", {name: values}, offered=False, others=(LEFT_OUT,)
        )
    return Column(name, NUMBERS, "; ".join(words), {name: values}, others=tuple(others))


def _numbers_again(
    cells: pa.StringArray, comma: bool, said: tuple[str, ...], mark: tuple[float, int] | None
) -> np.ndarray:
    """More numbers of a column, [n, 1]."""
    quick = None if comma else quick_numbers(cells)
    found = Numerals(quick) if quick is not None else numerals(cells, comma, said)
    values = _within_reach(found.values)
    new = next((one.removesuffix(TAKEN_OFF) for one in found.said if one.endswith(TAKEN_OFF)), "")
    if new and not any(one.endswith(TAKEN_OFF) for one in said):
        place = next(i for i, cell in enumerate(cells) if new in cell.as_py())
        raise Unlike(place, f": a number with {new}, and none has a mark before")
    return (values if mark is None else np.where(values == mark[0], np.nan, values))[:, np.newaxis]


def _mark(values: np.ndarray) -> tuple[float, int] | None:
    """One number, repeated, far outside the rest, and how often it stands there: perhaps −999 for what is missing."""
    known = np.sort(values[~np.isnan(values)])
    if len(known) < 2 * FEWEST_MARKS or known[0] == known[-1]:
        return None
    for end, rest in ((known[0], known[known > known[0]]), (known[-1], known[known < known[-1]])):
        count = len(known) - len(rest)
        if count < FEWEST_MARKS or len(rest) < FEWEST_MARKS or rest[0] == rest[-1]:
            continue
        gap, spread = min(abs(end - rest[0]), abs(end - rest[-1])), rest[-1] - rest[0]
        nines = is_whole(NINES, f"{end:.12g}") is not None
        if abs(end) >= 9 and gap > (1 if nines else 10) * spread:
            return float(end), count
    return None


def _within_reach(values: np.ndarray) -> np.ndarray:
    values = np.array(values)
    with np.errstate(invalid="ignore"):
        size = np.abs(values)
        values[(size > LARGEST) | ((size < SMALLEST) & (size > 0))] = np.nan
    return values


# --------------------------------------------------------------------------------------------------------- dates


def _dates(name: str, cells: pa.StringArray, how: str) -> Column | None:
    found = dates_of(cells, how)
    known = int((~np.isnan(found.days)).sum())
    if known < 2 or (not how and known < SHARE * (len(cells) - _gaps(cells))) or _one(found.days):
        return None
    numbers, unit = since_first(found)
    said, question, others = unit, "", (WORDS, LEFT_OUT)
    if found.order:
        others = (DAY_FIRST, MONTH_FIRST, *others)
        said = f"{unit}, the {found.order} in each date"
    if found.ambiguous:
        example = next(
            cell for cell, day in zip(cells.to_pylist(), found.days, strict=True) if not np.isnan(day)
        )
        question = f"{name} holds dates such as {example}. Does the day come first, or the month?"
    place = f"{_short(name)} ({unit})"
    first, monthly, order = float(np.nanmin(found.days)), found.months is not None, found.order

    def again(more: pa.StringArray) -> np.ndarray:
        these = dates_of(more, order)
        if monthly and these.months is None and (~np.isnan(these.days)).any():
            days = these.days[~np.isnan(these.days)].astype("datetime64[D]")
            inside = np.flatnonzero(~np.isnan(these.days))[days != days.astype("datetime64[M]")]
            raise Unlike(int(inside[0]) if len(inside) else 0, ": not the first of a month, as all before")
        return since(these, first, unit)[:, np.newaxis]

    columns = {clean_name(place): numbers}
    return Column(name, how or DATES, said, columns, others=others, question=question, again=again)


def _compact(name: str, cells: pa.StringArray) -> Column | None:
    """Dates written as 20140131, in a column that is called one."""

    def parted(some: pa.StringArray) -> pa.StringArray:
        return pc.replace_substring_regex(some, COMPACT, r"\1-\2-\3")

    if _gaps(cells) + int(pc.sum(pc.match_substring_regex(cells, COMPACT)).as_py() or 0) < len(cells):
        return None
    found = _dates(name, parted(cells), "")
    if found is None or found.again is None:
        return found
    again = found.again
    return found._replace(again=lambda more: again(parted(more)))


def _one(values: np.ndarray) -> bool:
    known = values[~np.isnan(values)]
    return bool((known == known[0]).all())


# --------------------------------------------------------------------------------------------------------- words


def _words(name: str, cells: pa.StringArray, others: set[str]) -> Column:
    """Indicators: 1 where a cell holds the word, 0 where it holds another, none for the first of the alphabet."""
    kinds = cells.dictionary_encode()
    words = kinds.dictionary.to_pylist() if len(kinds.dictionary) <= 1000 else None
    choices = (LEFT_OUT, *sorted({DATES, NUMBERS} & others))
    filled = len(cells) - _gaps(cells)
    different = len(kinds.dictionary) if words is None else len(words) - int(are_gaps(words).sum())
    each_its_own = different >= filled > 2
    if different > MOST_WORDS or each_its_own:
        said = "another word in every row" if each_its_own else f"{different:,} different words"
        return Column(name, LEFT_OUT, f"{said}, so it is left out", {}, others=tuple(sorted(others)))
    assert words is not None  # they are few
    gaps = are_gaps(words)
    order = sorted((word, i) for i, word in enumerate(words) if not gaps[i])
    if len(order) < 2:
        said = f"{_quoted(order[0][0])} in every row" if order else "empty"
        return Column(name, LEFT_OUT, f"{said}, so it is left out", {}, others=tuple(sorted(others)))
    at = np.asarray(kinds.indices)
    gap = gaps[at]

    def again(more: pa.StringArray) -> np.ndarray:
        return _words_again(more, [word for word, _ in order])

    def indicator(i: int) -> np.ndarray:
        return np.where(gap, np.nan, (at == i).astype(float))

    if len(order) == 2:
        said = f"{_quoted(order[0][0])} = 0, {_quoted(order[1][0])} = 1"
        columns = {name: indicator(order[1][1])}
        return Column(name, WORDS, said, columns, others=choices, again=again)
    columns = {}
    for word, i in order[1:]:
        columns[unique(f"{_short(name)} = {_short(clean_name(word) or '?')}", columns)] = indicator(i)
    said = f"1 for each of {', '.join(_quoted(word) for word, _ in order[1:])}, else 0; {_quoted(order[0][0])} where all are 0"
    return Column(name, WORDS, said, columns, others=choices, again=again)


def _words_again(cells: pa.StringArray, words: list[str]) -> np.ndarray:
    """1 where a cell holds a word, for each word but the first, [n, c]."""
    kinds = cells.dictionary_encode()
    here = kinds.dictionary.to_pylist()
    place = {word: float(i) for i, word in enumerate(words)}
    gaps = are_gaps(here)
    for i in range(len(here)):
        if here[i] not in place and not gaps[i]:
            at = int(np.argmax(np.asarray(kinds.indices) == i))
            known = ", ".join(map(_quoted, words))
            raise Unlike(at, f": ‘{_quoted(here[i])}’ is a new word beside {known}")
    found = np.array([place.get(word, np.nan) for word in here])[np.asarray(kinds.indices)]
    made = (found[:, np.newaxis] == np.arange(1, len(words))).astype(float)
    made[np.isnan(found)] = np.nan
    return made


def unique(name: str, taken: Mapping[str, Any]) -> str:
    """A name that is not taken yet, with a number where it would be."""
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name[:50]} ({count})"
    return found


def _short(text: str) -> str:
    return text if len(text) <= NAMED else text[: NAMED - 1] + "…"


def _quoted(word: str) -> str:
    return _short(clean_name(word)) or "what cannot be seen"  # of control characters alone


def _gaps(cells: pa.StringArray) -> int:
    """How many cells say that there is nothing."""
    short = pc.if_else(pc.less(pc.utf8_length(cells), 8), cells, pa.scalar("x", pa.string()))
    kinds = short.dictionary_encode()
    counts = np.bincount(np.asarray(kinds.indices), minlength=len(kinds.dictionary))
    return int(counts[are_gaps(kinds.dictionary.to_pylist())].sum())
