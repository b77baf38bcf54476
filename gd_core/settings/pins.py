"""Runs kept beside each other, and the one link that holds them all. No torch, no widgets.

The link is text: a version, a point, and the runs, one a line as JSON, packed by zlib and written in base64url. A run
is its name and what `Experiment.to_query` says of it, so a new field of `Experiment` comes along by itself. A line at a
time can be read, so a link that lost its end still opens the runs before it; zlib's checksum tells a changed one.
"""

import base64
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError, quoted
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.table_fields import needs_its_file

MOST = 8  # runs side by side
LONGEST_NAME = 40  # characters
VERSION = "1"
LONGEST = 100_000  # characters of a link that is read: more than eight runs take, each on a table of its own,
MOST_UNPACKED = 200_000  # and bytes that it may unfold to; one made to burst is read no further


class Pin(NamedTuple):
    """A run with a name of one's own."""

    name: str
    experiment: Experiment


@dataclass(frozen=True, kw_only=True)
class Pins:
    """Up to eight runs in order: what the compare page is about, and exactly its link.

    Raises:
        ParameterError: If there are too many, or one twice.
    """

    pins: tuple[Pin, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what does not fit."""
        if len(self.pins) > MOST:
            raise ParameterError("pins", f"pins must be at most {MOST} runs. Got {len(self.pins)}.")
        experiments = [pin.experiment for pin in self.pins]
        for place, experiment in enumerate(experiments):
            if experiment in experiments[:place]:
                name = quoted(self.pins[place].name)
                raise ParameterError("pins", f"pins must hold a run only once. Got {name} again.")

    def to_query(self) -> dict[str, str]:
        """As link parameters: none if nothing is pinned."""
        return {"pins": packed(self.pins)} if self.pins else {}

    @classmethod
    def from_query(cls, query: Mapping[str, str], fallback: Self | None = None) -> tuple[Self, list[str]]:
        """Read a link: what can be read, and a sentence if that is not all."""
        if "pins" not in query:
            return fallback or cls(), []
        pins, sentences = unpacked(query["pins"])
        return cls(pins=pins), sentences

    def with_one(self, experiment: Experiment, name: str = "") -> Self:
        """One run more, at the end; without a name it gets one.

        Raises:
            ParameterError: If it is one too many, or there already.
        """
        if len(self.pins) >= MOST and self.place_of(experiment) is None:
            raise ParameterError("pins", f"pins must be at most {MOST} runs. Remove one to pin this one.")
        name = named(name) or usual_name(experiment, [pin.name for pin in self.pins])
        return type(self)(pins=(*self.pins, Pin(name, experiment)))

    def without(self, place: int) -> Self:
        """One run less."""
        return type(self)(pins=(*self.pins[:place], *self.pins[place + 1 :]))

    def without_table(self, key: str) -> Self:
        """The runs that do not train on this table."""
        return type(self)(pins=tuple(pin for pin in self.pins if pin.experiment.table != key))

    def with_table(self, key: str, now: str) -> Self:
        """The same runs, where a table is known by another key; each once."""
        found: dict[Experiment, Pin] = {}
        for name, one in self.pins:
            one = replace(one, table=now) if one.table == key else one
            found.setdefault(one, Pin(name, one))
        return type(self)(pins=tuple(found.values()))

    def moved(self, place: int, by: int) -> Self:
        """A run in another place; at either end it stays."""
        pins = list(self.pins)
        pins.insert(min(max(place + by, 0), len(pins) - 1), pins.pop(place))
        return type(self)(pins=tuple(pins))

    def renamed(self, place: int, name: str) -> Self:
        """A run with another name; an empty one gives it the usual name again."""
        others = [pin.name for at, pin in enumerate(self.pins) if at != place]
        pin = self.pins[place]
        pin = pin._replace(name=named(name) or usual_name(pin.experiment, others))
        return type(self)(pins=(*self.pins[:place], pin, *self.pins[place + 1 :]))

    def place_of(self, experiment: Experiment) -> int | None:
        """Where a run stands, from 0, or None."""
        experiments = [pin.experiment for pin in self.pins]
        return experiments.index(experiment) if experiment in experiments else None


def named(text: str) -> str:
    """A name as it is kept: one line, without control characters, at most LONGEST_NAME long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line[:LONGEST_NAME].rstrip()


def usual_name(experiment: Experiment, taken: Sequence[str] = ()) -> str:
    """The update rule and its rate: “Momentum 0.01”, or “Momentum 0.01 (2)” if that name is taken."""
    rate = f"{experiment.learning_rate:.4g}".replace("e-0", "e-").replace("e+0", "e")
    name = f"{OPTIMIZER_INFO[experiment.optimizer].title} {rate}"
    number = 1
    while (found := name if number == 1 else f"{name} ({number})") in taken:
        number += 1
    return found


def packed(pins: Sequence[Pin]) -> str:
    """Runs as the text in a link."""
    lines = [
        json.dumps([pin.name, pin.experiment.to_query()], ensure_ascii=False, separators=(",", ":"))
        for pin in pins
    ]
    text = "\n".join(lines) + "\n"
    small = zlib.compress(text.encode(errors="replace"), 9)
    return f"{VERSION}.{base64.urlsafe_b64encode(small).decode().rstrip('=')}"


def unpacked(text: str) -> tuple[tuple[Pin, ...], list[str]]:
    """The inverse of `packed`. Never raises.

    Returns:
        The runs that can be read, and at most one sentence: what is wrong with the link, and how many were read.
    """
    # of a longer text no more is looked at: it is known to be cut or changed
    version, _, code = text[: LONGEST + 100].strip().partition(".")
    if version != VERSION or not code:
        return (), [f"pins must begin with {VERSION}. as the links of this app do. Got {quoted(text)}."]
    lines, whole = _lines(code[: LONGEST + 1])
    found: list[Pin] = []
    wrong: list[str] = []
    for line in lines[:MOST]:
        pin, sentence = _pin(line)
        if pin is not None and pin.experiment not in [one.experiment for one in found]:
            found.append(pin)
        if sentence:
            wrong.append(sentence)
    if len(lines) > MOST:
        wrong.append(f"pins must be at most {MOST} runs. Got {len(lines):,}.")
    kept = tuple(found)
    if not whole:
        read = f"{len(kept) or 'None'} of its runs could be read."
        return kept, [f"The link is not as it was made: it was cut or changed. {read}"]
    if wrong:
        more = f" (and {len(wrong) - 1} more like it)" if len(wrong) > 1 else ""
        return kept, [f"pins: {wrong[0]}{more}"]
    return kept, []


def _lines(code: str) -> tuple[list[str], bool]:
    """The whole lines in packed text, each once, and whether all of it could be read."""
    code = code.rstrip("=")
    found = re.match(r"[\w-]*", code, re.ASCII)
    clean = found[0] if found else ""
    if len(clean) % 4 == 1:  # no text has such a length: something was cut off
        clean = clean[:-1]
    unpacker = zlib.decompressobj()
    text = bytearray()
    whole = clean == code and len(code) <= LONGEST
    try:
        for byte in base64.urlsafe_b64decode(clean + "=" * (-len(clean) % 4)):
            text += unpacker.decompress(bytes([byte]))  # one at a time: what comes before a fault is kept
            if len(text) > MOST_UNPACKED:
                break
    except zlib.error:
        whole = False
    *lines, rest = text.decode(errors="replace").split("\n")
    return list(dict.fromkeys(lines)), whole and unpacker.eof and not unpacker.unused_data and not rest


def _pin(line: str) -> tuple[Pin | None, str | None]:
    """A run from its line, and what is wrong with it."""
    try:
        name, query = json.loads(line)
        fields = {str(key): _text(value) for key, value in query.items()}
        experiment, sentences = Experiment.from_query(fields)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None, f"a run must be a name and its settings. Got {quoted(line)}."
    shown = named(str(name)) or usual_name(experiment)
    if away := needs_its_file(fields.get("table", "")):
        return None, f"{quoted(shown)}: {away}"
    return Pin(shown, experiment), f"{quoted(shown)}: {sentences[0]}" if sentences else None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError(value)
