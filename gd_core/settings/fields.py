"""Settings as fields: what a value may be, how it stands in a link and in a record, and what is wrong with another. No torch.

An `Experiment`, a deep `Network`, a `LargeRun` and a lesson's own options are tables of these. A field is all that is known
of a setting by itself: links, records, widgets, flags and their help, a task's locks follow from it. What hangs on
other settings, such as a batch that is larger than the data, is said by the record that has them all.
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from gd_core.words import MINUS

LONG = 12  # characters of a number, above which a fraction is easier to read
LARGEST_DENOMINATOR = 99
MOST_CHARACTERS = 10_000  # of a setting's text: twenty columns with the longest names take half of that
# Begun only where a number begins, and never gone back into: else a thousand digits would be read a million times.
_QUOTIENT = re.compile(r"(?<![\d.])([-+]?\d++\.?\d*+)\s*+/\s*+(\d++\.?\d*+)")

_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+")
_DECIMAL_COMMA = re.compile(r"[-+]?\d*+,\d++(?:[eE][-+]?\d++)?")


class ParameterError(ValueError):
    """A field breaks its rule. The message names the field, the rule and the value."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True, kw_only=True)
class Field:
    """A setting: its words, and how its values are read, written and judged. Any text, unless a kind says otherwise.

    Attributes:
        title: Its name on a page.
        help: One sentence for a student, also that of its flag.
        default: What an option of a lesson starts with; a record says so in its own class.
    """

    title: str = ""
    help: str = ""
    default: Any = None

    @property
    def form(self) -> str:
        """What a text must be to be read at all, in words."""
        return "a text"

    def parse(self, text: str) -> Any:
        """The value that a text says.

        Raises:
            ValueError: If it says none; `form` is what it should be.
        """
        return text

    def typed_in(self, text: str) -> str:
        """What someone typed into its field, as `parse` reads it."""
        return text

    def parsed(self, text: str) -> Any:
        """The value that a text says, or the text itself where it says none: `wrong` then quotes it."""
        try:
            return self.parse(text)
        except ValueError:
            return text

    def wrong(self, name: str, value: Any) -> str | None:
        """The sentence that says which rule a value breaks, or None."""
        return None

    def wrong_as_typed(self, name: str, value: Any, text: str) -> str | None:
        """The same of a value that was read from a text: it quotes what stood there, 1e999 and not inf, 99 and not 99.0."""
        sentence = self.wrong(name, value)
        return self.wrong(name, text) or sentence if sentence and isinstance(value, float) else sentence

    def read(self, name: str, text: str) -> Any:
        """The value that a text says, if it breaks no rule.

        Raises:
            ParameterError: If it does, in a sentence.
        """
        value = self.parsed(text)
        if sentence := self.wrong_as_typed(name, value, text):
            raise ParameterError(name, sentence)
        return value

    def write(self, value: Any) -> str:
        """The inverse of `parse`, as it stands in the link of a record: with every digit."""
        return to_text(value)

    def typed(self, value: Any) -> str:
        """The same as one would type it: 1e-5 for 1e-05, 2 for 2.0."""
        return self.write(value)

    def of_json(self, name: str, value: Any) -> Any:
        """The value from what JSON has made of it, which knows no tuples and may have 5 for 5.0.

        Raises:
            ParameterError: If it cannot be one.
        """
        if not isinstance(value, str):
            raise ParameterError(name, f"{name} must be a text. Got {quoted(value)}.")
        return value


@dataclass(frozen=True, kw_only=True)
class Number(Field):
    """A number between two bounds, both included; a whole one, or any."""

    low: float
    high: float
    whole: bool = False

    @property
    def form(self) -> str:
        return "a whole number" if self.whole else "a number"

    def typed_in(self, text: str) -> str:
        return one_number(text, whole=self.whole)

    def parse(self, text: str) -> float:
        return int(text) if self.whole else float(text)

    def wrong(self, name: str, value: Any) -> str | None:
        number = isinstance(value, int if self.whole else int | float) and not isinstance(value, bool)
        if number and self.low <= value <= self.high:
            return None
        return (
            f"{name} must be {self.form} between {self.low:,.12g} and {self.high:,.12g}. Got {quoted(value)}."
        )

    def typed(self, value: float) -> str:
        return written(value)

    def of_json(self, name: str, value: Any) -> Any:
        return value if self.whole else number_of_json(name, value)


@dataclass(frozen=True, kw_only=True)
class AutoNumber(Field):
    """A number between two bounds, or `auto`, also for an empty field: then the lesson works it out. None is auto."""

    low: float
    high: float

    def typed_in(self, text: str) -> str:
        return one_number(text)

    def parse(self, text: str) -> float | None:
        return None if text.strip() in ("", "auto") else float(text)

    def wrong(self, name: str, value: Any) -> str | None:
        if value is None or (isinstance(value, int | float) and self.low <= value <= self.high):
            return None
        return f"{name} must be auto or a number between {self.low:,.12g} and {self.high:,.12g}. Got {quoted(value)}."

    def write(self, value: float | None) -> str:
        return "auto" if value is None else written(value)


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """One of several, by key; the values are what the page calls them."""

    choices: Mapping[str, str]

    def wrong(self, name: str, value: Any) -> str | None:
        if isinstance(value, str) and value in self.choices:
            return None
        return f"{name} must be one of {', '.join(self.choices)}. Got {quoted(value)}."


@dataclass(frozen=True, kw_only=True)
class Flag(Field):
    """Yes or no."""

    @property
    def form(self) -> str:
        return "one of true, false"

    def parse(self, text: str) -> bool:
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"

    def wrong(self, name: str, value: Any) -> str | None:
        return None if isinstance(value, bool) else f"{name} must be one of true, false. Got {quoted(value)}."

    def of_json(self, name: str, value: Any) -> Any:
        return value


@dataclass(frozen=True, kw_only=True)
class Numbers(Field):
    """Several numbers with commas between, each between two bounds; or, with `or_none`, none: then the lesson chooses."""

    low: float
    high: float
    at_least: int = 1
    at_most: int = 8
    or_none: bool = False

    def typed_in(self, text: str) -> str:
        return divided(text)

    def parse(self, text: str) -> tuple[float, ...]:
        return tuple(float(part) for part in text.split(",") if part.strip())

    def read(self, name: str, text: str) -> tuple[float, ...]:
        one = Number(low=self.low, high=self.high)  # which quotes a number as it was typed
        value = tuple(one.read(name, part.strip()) for part in text.split(",") if part.strip())
        if sentence := self.wrong(name, value):
            raise ParameterError(name, sentence)
        return value

    def wrong(self, name: str, value: Any) -> str | None:
        if self.or_none and not value:
            return None
        one = Number(low=self.low, high=self.high)
        if sentence := next(filter(None, (one.wrong(name, number) for number in value)), None):
            return sentence
        if self.at_least <= len(value) <= self.at_most:
            return None
        count = str(self.at_least) if self.at_least == self.at_most else f"{self.at_least} to {self.at_most}"
        return f"{name} must hold {count} numbers. Got {len(value)}."

    def write(self, value: tuple[float, ...]) -> str:
        return ",".join(map(written, value))


@dataclass(frozen=True, kw_only=True)
class Rows(Field):
    """Rows of numbers with semicolons between, in each row as many, with commas between; or no row at all."""

    default: tuple[tuple[float, ...], ...] = ()
    columns: int
    low: float
    high: float
    at_most: int = 8

    @property
    def _row(self) -> Numbers:
        return Numbers(low=self.low, high=self.high, at_least=self.columns, at_most=self.columns)

    def typed_in(self, text: str) -> str:
        return divided(text)

    def parse(self, text: str) -> tuple[tuple[float, ...], ...]:
        return tuple(self._row.parse(part) for part in text.split(";") if part.strip())

    def read(self, name: str, text: str) -> tuple[tuple[float, ...], ...]:
        value = tuple(self._row.read(name, part) for part in text.split(";") if part.strip())
        if sentence := self.wrong(name, value):
            raise ParameterError(name, sentence)
        return value

    def wrong(self, name: str, value: Any) -> str | None:
        if sentence := next(filter(None, (self._row.wrong(name, row) for row in value)), None):
            return sentence
        if len(value) <= self.at_most:
            return None
        return f"{name} must hold at most {self.at_most} rows. Got {len(value)}."

    def write(self, value: tuple[tuple[float, ...], ...]) -> str:
        return "; ".join(", ".join(map(written, row)) for row in value)


@dataclass(frozen=True, kw_only=True)
class Several(Field):
    """Some of several, by key, in the order of the choices."""

    choices: Mapping[str, str]
    at_least: int = 1

    def parse(self, text: str) -> tuple[str, ...]:
        wanted = [part.strip() for part in text.split(",") if part.strip()]
        known = [key for key in self.choices if key in wanted]
        return (*known, *(part for part in wanted if part not in self.choices))

    def wrong(self, name: str, value: Any) -> str | None:
        if strange := next((part for part in value if part not in self.choices), None):
            return f"{name} must hold only {', '.join(self.choices)}. Got {quoted(strange)}."
        if len(value) < self.at_least:
            return f"{name} must hold at least {self.at_least}. Got {len(value)}."
        return None

    def write(self, value: tuple[str, ...]) -> str:
        return ",".join(value)


@dataclass(frozen=True, kw_only=True)
class Names(Field):
    """Names with commas between, in quotation marks where a name has a comma of its own."""

    @property
    def form(self) -> str:
        return "names of columns with commas between"

    def parse(self, text: str) -> tuple[str, ...]:
        try:
            (names,) = csv.reader([text], strict=True)
        except csv.Error as error:
            raise ValueError(str(error)) from None
        return tuple(names)

    def write(self, value: tuple[str, ...]) -> str:
        file = io.StringIO()
        csv.writer(file, lineterminator="").writerow(value)
        return file.getvalue()

    def of_json(self, name: str, value: Any) -> Any:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        return value


@dataclass(frozen=True, kw_only=True)
class NamedOrNumbers(Field):
    """A name such as "random", or numbers with commas between."""

    names: tuple[str, ...]

    @property
    def form(self) -> str:
        return f"{', '.join(self.names)} or numbers with commas between"

    def typed_in(self, text: str) -> str:
        return divided(text)

    def parse(self, text: str) -> str | tuple[float, ...]:
        return text if text in self.names else tuple(float(part) for part in text.split(","))

    def wrong(self, name: str, value: Any) -> str | None:
        if isinstance(value, tuple) or value in self.names:
            return None
        return f"{name} must be one of {', '.join((*self.names, 'numbers'))}. Got {quoted(value)}."

    def of_json(self, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return tuple(number_of_json(name, number) for number in value)
        return super().of_json(name, value)


def number_of_json(name: str, value: Any) -> float:
    """A number as a float.

    Raises:
        ParameterError: If it is no number, or too large for one.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise ParameterError(name, f"{name} must be a number. Got {quoted(value)}.")


# --------------------------------------------------------------------------------------------------- as text


def quoted(value: Any) -> str:
    """A value as quoted in an error: short, whatever a link brought along."""
    words = str(value).split(maxsplit=41)[:41]  # more than forty characters, of a text of millions as well
    text = str(value).lower() if isinstance(value, bool) else " ".join(words) or "nothing"
    text = text if len(text) <= 40 else text[:39] + "…"
    return text.encode(errors="replace").decode()  # half a character, as JSON can hold one, cannot be sent


def short_enough(name: str, text: str) -> str:
    """The text of a setting, if it is not longer than any that can be meant: before it is taken apart.

    Raises:
        ParameterError: If it is.
    """
    if len(text) > MOST_CHARACTERS:
        message = f"{name} must be at most {MOST_CHARACTERS:,} characters. Got {len(text):,}."
        raise ParameterError(name, message)
    return text


def to_text(value: Any) -> str:
    """A value as it stands in a link, with every digit; in a tuple with commas between."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(repr(float(number)) for number in value)
    return repr(value) if isinstance(value, float) else str(value)


def written(value: Any) -> str:
    """A number as one would type it: 1e-5, 0.35, 1000."""
    if isinstance(value, int):
        return str(value)
    return repr(value).replace("e-0", "e-").removesuffix(".0")


def shown(value: Any) -> str:
    """A number as a field shows it: as typed, but 1/18 where that says exactly the same and is shorter."""
    if isinstance(value, float) and len(repr(value)) > LONG:
        near = Fraction(value).limit_denominator(LARGEST_DENOMINATOR)
        if near.numerator / near.denominator == value:
            return f"{near.numerator}/{near.denominator}"
    return written(value)


def said(value: Any) -> str:
    """The same in a sentence, with a long minus: 1e−5."""
    return shown(value).replace("-", MINUS)


def in_a_word(number: int) -> str:
    """A number that begins a label, in a word up to ten."""
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
    return words[number] if number < len(words) else f"{number:,}"


def divided(text: str) -> str:
    """What was typed into a field for numbers, with 1/18 worked out and the long minus of a printed number as a short one."""

    def work_out(match: re.Match[str]) -> str:
        above, below = (float(part) for part in match.groups())
        return written(above / below) if below else match[0]

    return _QUOTIENT.sub(work_out, text.replace("\N{MINUS SIGN}", "-"))


def one_number(text: str, *, whole: bool = False) -> str:
    """A single number as people type it: 1/18, 0,05, and of a whole one 1,000.

    1,000 for any number may be one or a thousand, so it stays as it is and is refused.
    """
    text = divided(text.strip())
    if _THOUSANDS.fullmatch(text):
        return text.replace(",", "") if whole else text
    return text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text
