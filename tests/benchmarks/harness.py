"""Who is faster, and by how much: contestants take turns in one process, so that a busy moment meets all of them."""

import gc
import random
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

AT_LEAST = 0.02  # seconds; a shorter call is repeated until it takes that long
MOST_REPEATS = 1000
LONG = 1.0  # seconds, beside which what a first call loads is nothing
Cell = str | float | None


@dataclass(frozen=True)
class Times:
    """Seconds of one call, one for each round."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Half of the rounds lie within this share of the median: the distance of the quartiles over the median."""
        if len(self.seconds) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return (high - low) / self.median

    def faster_than(self, other: "Times") -> float:
        """How many times as fast as another: the median of the ratios of the same round."""
        return statistics.median(b / a for a, b in zip(self.seconds, other.seconds, strict=True))


@dataclass(frozen=True)
class Bar:
    """What is wanted, and what was measured.

    Attributes:
        what: The work, in words.
        wanted: The bar, in words.
        got: The measured value, in words.
        met: Whether it is reached.
    """

    what: str
    wanted: str
    got: str
    met: bool


@dataclass(frozen=True)
class Column:
    """A column of a table. `kind` says how its numbers are written: see `report.written`."""

    title: str
    kind: str = "text"


@dataclass
class Table:
    """Rows of measured values, as they go into both reports."""

    title: str
    columns: list[Column]
    rows: list[list[Cell]] = field(default_factory=list)
    note: str = ""


@dataclass
class Section:
    """What one part of the benchmarks found."""

    title: str
    words: str = ""
    tables: list[Table] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def alternate(
    contestants: Mapping[str, Callable[[], object]], rounds: int = 7, budget: float = 30.0
) -> dict[str, Times]:
    """Time each contestant once a round, in an order that changes from round to round.

    Every contestant is called before, which does not count unless it takes so long that starting cold is nothing to it.
    The garbage collector rests while the clock runs.

    Args:
        contestants: Names and what they do.
        rounds: How many, at least 3.
        budget: Seconds after which no further round is begun, once there are 3.
    """
    order, begun = random.Random(0), time.perf_counter()
    warm = {name: _warm_up(call) for name, call in contestants.items()}
    long = all(seconds > LONG for seconds, _ in warm.values())
    seconds = {name: [first] if long else [] for name, (first, _) in warm.items()}
    for done in range(long, max(3, rounds)):
        if done >= 3 and time.perf_counter() - begun > budget:
            break
        names = list(contestants)
        order.shuffle(names)
        gc.collect()
        for name in names:
            seconds[name].append(timed(contestants[name], warm[name][1]))
    return {name: Times(tuple(found)) for name, found in seconds.items()}


def timed(call: Callable[[], object], repeats: int = 1) -> float:
    """Seconds of one call, as the mean of so many in a row."""
    gc.disable()
    try:
        begun = time.perf_counter()
        for _ in range(repeats):
            call()
        return (time.perf_counter() - begun) / repeats
    finally:
        gc.enable()


def _warm_up(call: Callable[[], object]) -> tuple[float, int]:
    """Seconds of the first call, and how many calls take `AT_LEAST`."""
    first = timed(call)
    if first >= AT_LEAST:
        return first, 1
    again = timed(call, min(MOST_REPEATS, int(AT_LEAST / max(first, 1e-6)) + 1))  # the first call may be cold
    return first, min(MOST_REPEATS, int(AT_LEAST / max(again, 1e-7)) + 1)
