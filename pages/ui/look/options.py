"""A lesson's own settings beside its experiment: what may be written, and how it stands in a link. No Streamlit here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from gd_core.settings.experiment import ParameterError, quoted

LONG = 12  # characters of a number, above which a fraction is easier to read
LARGEST_DENOMINATOR = 99
_QUOTIENT = re.compile(r"([-+]?\d+\.?\d*)\s*/\s*(\d+\.?\d*)")


class Option(Protocol):
    """A setting with a starting value, a title and a help sentence.

    `read` turns text into a value or raises `ParameterError` with a sentence; `write` is its inverse.
    """

    @property
    def default(self) -> Any: ...
    @property
    def title(self) -> str: ...
    @property
    def help(self) -> str: ...
    def read(self, name: str, text: str) -> Any: ...
    def write(self, value: Any) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number between two bounds, both included."""

    default: float
    low: float
    high: float
    title: str
    help: str = ""
    whole: bool = False

    def read(self, name: str, text: str) -> float:
        try:
            value = int(text) if self.whole else float(text)
        except ValueError:
            value = None
        if value is None or not self.low <= value <= self.high:
            kind = "a whole number" if self.whole else "a number"
            rule = f"{name} must be {kind} between {self.low:,.12g} and {self.high:,.12g}."
            raise ParameterError(name, f"{rule} Got {quoted(text)}.")
        return value

    def write(self, value: float) -> str:
        return written(value)


@dataclass(frozen=True, kw_only=True)
class AutoNumber:
    """A number between two bounds, or `auto`, also for an empty field: then the lesson works it out. None is auto."""

    default: float | None = None
    low: float
    high: float
    title: str
    help: str = ""

    def read(self, name: str, text: str) -> float | None:
        if text.strip() in ("", "auto"):
            return None
        try:
            value = float(text)
        except ValueError:
            value = None
        if value is None or not self.low <= value <= self.high:
            rule = f"{name} must be auto or a number between {self.low:,.12g} and {self.high:,.12g}."
            raise ParameterError(name, f"{rule} Got {quoted(text)}.")
        return value

    def write(self, value: float | None) -> str:
        return "auto" if value is None else written(value)


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Several numbers with commas between, each between two bounds; or, with `or_none`, none: then the lesson chooses."""

    default: tuple[float, ...]
    low: float
    high: float
    title: str
    help: str = ""
    at_least: int = 1
    at_most: int = 8
    or_none: bool = False

    def read(self, name: str, text: str) -> tuple[float, ...]:
        one = Number(default=self.low, low=self.low, high=self.high, title=self.title)
        values = tuple(one.read(name, part.strip()) for part in text.split(",") if part.strip())
        if self.or_none and not values:
            return ()
        if not self.at_least <= len(values) <= self.at_most:
            count = (
                str(self.at_least) if self.at_least == self.at_most else f"{self.at_least} to {self.at_most}"
            )
            raise ParameterError(name, f"{name} must hold {count} numbers. Got {len(values)}.")
        return values

    def write(self, value: tuple[float, ...]) -> str:
        return ",".join(map(written, value))


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of numbers with semicolons between, in each row as many, with commas between; or no row at all."""

    default: tuple[tuple[float, ...], ...] = ()
    columns: int
    low: float
    high: float
    title: str
    help: str = ""
    at_most: int = 8

    def read(self, name: str, text: str) -> tuple[tuple[float, ...], ...]:
        one = Numbers(
            default=(),
            low=self.low,
            high=self.high,
            title=self.title,
            at_least=self.columns,
            at_most=self.columns,
        )
        rows = tuple(one.read(name, part) for part in text.split(";") if part.strip())
        if len(rows) > self.at_most:
            raise ParameterError(name, f"{name} must hold at most {self.at_most} rows. Got {len(rows)}.")
        return rows

    def write(self, value: tuple[tuple[float, ...], ...]) -> str:
        return "; ".join(", ".join(map(written, row)) for row in value)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of several, by key; the values are what the page calls them."""

    default: str
    choices: Mapping[str, str]
    title: str
    help: str = ""

    def read(self, name: str, text: str) -> str:
        if text not in self.choices:
            raise ParameterError(
                name, f"{name} must be one of {', '.join(self.choices)}. Got {quoted(text)}."
            )
        return text

    def write(self, value: str) -> str:
        return value


@dataclass(frozen=True, kw_only=True)
class Several:
    """Some of several, by key, in the order of the choices."""

    default: tuple[str, ...]
    choices: Mapping[str, str]
    title: str
    help: str = ""
    at_least: int = 1

    def read(self, name: str, text: str) -> tuple[str, ...]:
        wanted = [part.strip() for part in text.split(",") if part.strip()]
        for part in wanted:
            if part not in self.choices:
                raise ParameterError(
                    name, f"{name} must hold only {', '.join(self.choices)}. Got {quoted(part)}."
                )
        if len(set(wanted)) < self.at_least:
            raise ParameterError(name, f"{name} must hold at least {self.at_least}. Got {len(set(wanted))}.")
        return tuple(key for key in self.choices if key in wanted)

    def write(self, value: tuple[str, ...]) -> str:
        return ",".join(value)


@dataclass(frozen=True, kw_only=True)
class Flag:
    """Yes or no."""

    default: bool
    title: str
    help: str = ""

    def read(self, name: str, text: str) -> bool:
        if text not in ("true", "false"):
            raise ParameterError(name, f"{name} must be true or false. Got {quoted(text)}.")
        return text == "true"

    def write(self, value: bool) -> str:
        return str(value).lower()


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


def divided(text: str) -> str:
    """What was typed into a field for numbers, with 1/18 worked out and the long minus of a printed number as a short one."""

    def work_out(match: re.Match[str]) -> str:
        above, below = (float(part) for part in match.groups())
        return written(above / below) if below else match[0]

    return _QUOTIENT.sub(work_out, text.replace("\N{MINUS SIGN}", "-"))
