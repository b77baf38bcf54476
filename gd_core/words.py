"""Numbers as they stand in a sentence: every one that a verdict names is written here."""

import math
import re
from typing import Protocol

MINUS = "−"
YEARS = 1000, 3000  # from which on, and up to which, a number in a column of years is one of the calendar
_YEAR = re.compile(
    r"(?<![^\W\d_])(?<!\bper )(?<!\ba )(?<!\bpro )(?<!\bpar )(?<!/)(?:years?|yr|ann[ée]e|año|anno)(?![^\W\d_])"
    r"|(?<!\bpro )jahr(?![^\W\d_])"
)


class HasFloor(Protocol):
    """What knows the lowest RMSE that there is: a parabola, or the forecast made from it."""

    @property
    def floor_rmse(self) -> float:
        """The number."""
        ...

    @property
    def floor_is_zero(self) -> bool:
        """Whether it is no more than the rounding of the data."""
        ...


def significant(number: float, digits: int = 6) -> str:
    """A number with so many significant digits; 1.8e−5 style only outside 10⁻⁴ … 10⁷.

    The player's JavaScript writes numbers the same way.
    """
    if not math.isfinite(number):
        return "∞" if number > 0 else "−∞" if number < 0 else "not a number"
    if number == 0:
        return "0"
    mantissa, exponent = f"{number:.{digits - 1}e}".split("e")  # rounded first: 9.9999999 is 10.0000
    if 1e-4 <= abs(number) < 1e7:
        text = f"{number:.{max(0, digits - 1 - int(exponent))}f}"
    else:
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", MINUS)


def short(number: float, digits: int = 3) -> str:
    """A number for a sentence: a few significant digits without trailing zeros, thousands with commas."""
    exponent = f"{number:.{digits - 1}e}".partition("e")[2]  # rounded first: 999.6 is 1,000
    if math.isfinite(number) and 3 <= int(exponent) < 15:
        return _trimmed(f"{number:,.{max(0, digits - 1 - int(exponent))}f}").replace("-", MINUS)
    return _trimmed(significant(number, digits))


def of_column(name: str, number: float) -> str:
    """A number of a column, as `short` writes it; a calendar year without its comma: 1990."""
    text = short(number)
    return text.replace(",", "") if names_years(name) and YEARS[0] <= number < YEARS[1] else text


def names_years(name: str) -> bool:
    """Whether a column is called after years: year, model_year, YearBuilt, Baujahr. A price per year is not."""
    return _YEAR.search(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()) is not None


def digits_beside(one: float, other: float) -> int:
    """How many significant digits two numbers need beside each other: four, or up to six where fewer do not part them."""
    return 4 if one == other else next((n for n in (4, 5) if significant(one, n) != significant(other, n)), 6)


_LONG = re.compile(r"(?<![\d.,])\d+\.\d+")  # a number with digits behind the point


def at_sight(sentence: str) -> str:
    """A sentence with its numbers of six digits told with four, or with five where four would make two of them one.

    A number whose last digits part it from a whole one, such as 1.00003 times, keeps them.
    """
    long = {text for text in _LONG.findall(sentence) if len(text.replace(".", "").lstrip("0")) == 6}

    for digits in (4, 5):
        fewer = {text: _fewer(text, digits) for text in long}
        if len(set(fewer.values())) == len(long):
            return _LONG.sub(lambda found, fewer=fewer: fewer.get(found[0], found[0]), sentence)
    return sentence


def _fewer(text: str, digits: int) -> str:
    """A number with fewer digits, or as it is where they would make a whole one of it."""
    number, found = float(text), significant(float(text), digits)
    return text if float(found).is_integer() and not number.is_integer() else found


def rounded(number: float) -> str:
    """The same where the number is a guess: 1,951 is 1,950."""
    return short(float(f"{number:.2e}")) if math.isfinite(number) else short(number)


def brief(number: float) -> str:
    """A guess that may be of any size: 0.0912, 23,400, 7.05e−14; from a million on with an exponent, 1.23e6."""
    if not math.isfinite(number) or abs(number) < 1e6:
        return rounded(number)
    mantissa, exponent = f"{number:.2e}".split("e")
    return f"{_trimmed(mantissa)}e{int(exponent)}".replace("-", MINUS)


def counted(number: int, noun: str) -> str:
    """1 epoch, 2 epochs, 1,000 epochs."""
    return f"{number:,}".replace("-", MINUS) + f" {noun}{'' if abs(number) == 1 else 's'}"


def some(number: float, noun: str = "epoch") -> str:
    """A number of things that is a guess: some 8,000 epochs; up to 20 of them exactly."""
    if abs(number) < 20:
        return counted(round(number), noun)
    return f"some {rounded(float(f'{number:.1e}'))} {noun}s"


def times(ratio: float) -> str:
    """How many times as much something is, with enough digits to be told apart from once: 2.41, 28,250, 1.00003."""
    return _beside_one(ratio) if ratio != 1 and abs(ratio - 1) < 5e-3 else short(ratio)


def percent(share: float) -> str:
    """A share in percent, which says all or nothing only where it is so: 28.2 %, 99.9996 %."""
    if share != 1 and abs(share - 1) < 5e-3:
        text = _beside_one(share)
        digits = len(text.partition(".")[2])
        return f"{100 * share:.{max(0, digits - 2)}f} %"
    return f"{short(100 * share)} %"


def parameter(number: float, size: float) -> str:
    """A parameter, which is 0 where it is no more than the rounding of numbers of that size."""
    return significant(0.0 if abs(number) <= 1e-12 * size else number)


def floor_of(known: HasFloor) -> str:
    """The floor in a sentence or a table."""
    return "0 (a perfect fit, up to rounding)" if known.floor_is_zero else significant(known.floor_rmse)


def floor_label(known: HasFloor, digits: int = 4, *, bounds: bool = True) -> str:
    """The floor where there is little room: floor 1.467, floor 0 up to rounding.

    Args:
        known: What knows it.
        digits: How many.
        bounds: Whether no training gets below: not where another loss than the mean square is minimised.
    """
    name = "floor" if bounds else "where the loss is lowest:"
    # As a table has it.
    number = short(known.floor_rmse, digits) if digits < 6 else significant(known.floor_rmse, digits)
    return f"{name} {'0 up to rounding' if known.floor_is_zero else number}"


def _beside_one(ratio: float) -> str:
    """A number near 1 with two digits of what parts it from 1, 15 at most."""
    apart = abs(ratio - 1)
    digits = min(15, 1 - math.floor(math.log10(apart)))
    return _trimmed(f"{ratio:.{digits}f}")


def _trimmed(text: str) -> str:
    mantissa, e, exponent = text.partition("e")
    return (mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa) + e + exponent
