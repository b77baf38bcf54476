"""Schedules of the learning rate: what η is at each epoch or update. A schedule is one entry of `SCHEDULES`, and nothing else.

An entry says by which share of η₀ the rate is left after k epochs (or updates), in numbers, in words, as a line of a script
and as torch's scheduler; the tests hold all of it to `torch.optim.lr_scheduler`. No share is above 1, so η₀ is the largest
rate of a run. What goes on beyond a schedule's end stays at that end. Warm-up, a straight line up to η₀, may come before any.

A schedule stands in links, records and flags as one text: its name, and its numbers with colons between, `step:10:0.5`.

Sources:
    Robbins and Monro, 1951, for rates that shrink so that single rows arrive. Loshchilov and Hutter, "SGDR", 2017, for the cosine.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, Self, TypeVar

from gd_core.settings.fields import Choice, Field, Number, quoted, said, to_text
from gd_core.words import counted, percent

CONSTANT = "constant"
EPOCHS, UPDATES = "epochs", "updates"
LONGEST = 1_000_000


class Scheduled(Protocol):
    """A part of a run with its rate: a `Phase` or an `Experiment`."""

    @property
    def epochs(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def schedule(self) -> str: ...
    @property
    def warmup(self) -> int: ...
    @property
    def counted_in(self) -> str: ...


class Part(Scheduled, Protocol):
    """A `Phase`."""

    def _replace(self, **changes: Any) -> Self: ...


P = TypeVar("P", bound=Part)


@dataclass(frozen=True, kw_only=True)
class ScheduleInfo:
    """A schedule as a choice, and all that is said of it.

    Attributes:
        title: Name on the page.
        help: One sentence for a student.
        latex: η at epoch or update k.
        numbers: What it takes, by name, each with its bounds and usual value. One called `over` is how long it takes to come
            to its end; 0 is all of the run.
        share: (k, *numbers) ↦ η/η₀ after k epochs or updates, in (0, 1] but at the end of a schedule that ends at 0.
        end: (*numbers) ↦ the share that it comes to when it goes on for ever.
        words: ("epoch" or "update", *numbers) ↦ what follows the words for the rate.
        by_hand: The share as Python with {k} and {name}.
        imports: What that line needs.
        torch: torch.optim.lr_scheduler's, after the optimizer, with {rate} and {name}; "" where torch has none of the kind,
            and `LambdaLR` takes the line.
    """

    title: str
    help: str
    latex: str
    numbers: Mapping[str, Number] = field(default_factory=dict)
    share: Callable[..., float]
    end: Callable[..., float]
    words: Callable[..., str]
    by_hand: str
    imports: tuple[str, ...] = ()
    torch: str = ""


SCHEDULES: Mapping[str, ScheduleInfo] = MappingProxyType(
    {
        CONSTANT: ScheduleInfo(
            title="Constant",
            help="The same rate all the time.",
            latex=r"\eta_k = \eta_0",
            share=lambda k: 1.0,
            end=lambda: 1.0,
            words=lambda unit: "",
            by_hand="1",
        ),
        "step": ScheduleInfo(
            title="Step decay",
            help="Every so many epochs the rate is multiplied by a factor.",
            latex=r"\eta_k = \eta_0\,\gamma^{\lfloor k/s \rfloor}",
            numbers={
                "every": Number(low=1, high=LONGEST, whole=True, title="Every", default=10),
                "factor": Number(low=1e-6, high=1, title="Factor γ", default=0.5),
            },
            share=lambda k, every, factor: factor ** (k // every),
            end=lambda every, factor: float(factor == 1),
            words=lambda unit, every, factor: f"× {said(factor)} every {counted(every, unit)}",
            by_hand="{factor} ** ({k} // {every})",
            torch="StepLR(optimizer, step_size={every}, gamma={factor})",
        ),
        "inverse-time": ScheduleInfo(
            title="Inverse time",
            help="The rate is divided by 1 + a·k: it shrinks ever more slowly, and its sum has no end, so it can go any way.",
            latex=r"\eta_k = \eta_0/(1 + a\,k)",
            numbers={"decay": Number(low=1e-9, high=1e3, title="Decay a", default=0.1)},
            share=lambda k, decay: 1 / (1 + decay * k),
            end=lambda decay: 0.0,
            words=lambda unit, decay: f"÷ (1 + {said(decay)} k) at {unit} k",
            by_hand="1 / (1 + {decay} * {k})",
        ),
        "exponential": ScheduleInfo(
            title="Exponential",
            help="Each epoch multiplies the rate by a factor. All steps together are then of limited length.",
            latex=r"\eta_k = \eta_0\,\gamma^k",
            numbers={"factor": Number(low=1e-6, high=1, title="Factor γ", default=0.95)},
            share=lambda k, factor: factor**k,
            end=lambda factor: float(factor == 1),
            words=lambda unit, factor: f"× {said(factor)} every {unit}",
            by_hand="{factor} ** {k}",
            torch="ExponentialLR(optimizer, gamma={factor})",
        ),
        "cosine": ScheduleInfo(
            title="Cosine",
            help="The rate follows half a swing of a cosine down to its end: slow at first and at last.",
            latex=r"\eta_k = \eta_0\,(e + (1 - e)\cos^2(\tfrac{\pi}{2}\,k/s))",
            numbers={
                "over": Number(low=0, high=LONGEST, whole=True, title="Over", default=0),
                "end": Number(low=0, high=1, title="End, as a share e", default=0.01),
            },
            share=lambda k, over, end: (
                end if k >= over else end + (1 - end) * math.cos(0.5 * math.pi * k / over) ** 2
            ),
            end=lambda over, end: end,
            words=lambda unit, over, end: (
                f"a cosine down to {percent(end)} of it" + (f" in {counted(over, unit)}" if over else "")
            ),
            by_hand="{end} + (1 - {end}) * math.cos(0.5 * math.pi * min({k}, {over}) / {over}) ** 2",
            imports=("math",),
            torch="CosineAnnealingLR(optimizer, T_max={over}, eta_min={end} * {rate})",
        ),
    }
)
LIKE = ", ".join(":".join((key, *map(str.upper, info.numbers))) for key, info in SCHEDULES.items())


def parts_of(text: str) -> tuple[ScheduleInfo, dict[str, Any]]:
    """A schedule's entry, and its numbers by name; the usual ones for those that are left out.

    Raises:
        ValueError: If the text names none, or its numbers are none.
    """
    key, *given = text.split(":")
    info = SCHEDULES.get(key)
    if info is None or len(given) > len(info.numbers):
        raise ValueError(text)
    found = {name: number.default for name, number in info.numbers.items()}
    for (name, number), one in zip(info.numbers.items(), given, strict=False):
        found[name] = number.parse(one)
    return info, found


def usual(key: str) -> str:
    """A schedule with its usual numbers, as a text."""
    return written_out(key, {name: number.default for name, number in SCHEDULES[key].numbers.items()})


def written_out(key: str, numbers: Mapping[str, Any]) -> str:
    """A schedule as a text: the inverse of `parts_of`."""
    return ":".join((key, *map(to_text, numbers.values())))


@dataclass(frozen=True, kw_only=True)
class ScheduleField(Field):
    """A schedule by its text."""

    @property
    def form(self) -> str:
        return f"like {LIKE}"

    def parse(self, text: str) -> str:
        return written_out(text.split(":")[0], parts_of(text)[1])

    def wrong(self, name: str, value: Any) -> str | None:
        try:
            info, numbers = parts_of(value)
        except (ValueError, AttributeError):
            return f"{name} must be {self.form}. Got {quoted(value)}."
        for one, number in numbers.items():
            if sentence := info.numbers[one].wrong(one, number):
                return f"{name} must have {sentence.replace(' must be ', ' as ', 1)}"
        return None


COUNTED_IN = Choice(
    choices={EPOCHS: "Each epoch", UPDATES: "Each update"},
    title="Rate changes",
    help="What schedule and warm-up count: epochs, or updates, of which mini-batches make several in an epoch.",
)
FIELDS: Mapping[str, Field] = {
    "schedule": ScheduleField(
        title="Rate schedule",
        help=f"How the rate changes while it trains, η being the first and largest: {LIKE}. A continued run begins it anew.",
    ),
    "warmup": Number(
        low=0,
        high=LONGEST,
        whole=True,
        title="Warm-up",
        help="For how long the rate rises in a straight line to η, before its schedule begins. 0 is no warm-up.",
    ),
    "counted_in": COUNTED_IN,
}


def is_constant(part: Scheduled) -> bool:
    """Whether the rate is the same all the time."""
    return part.schedule == CONSTANT and not part.warmup


def fixed(part: Scheduled, updates_per_epoch: int) -> str:
    """The schedule of a part with all its numbers, none of which hangs on how long the part is: what it is when cut short."""
    _, numbers = parts_of(part.schedule)
    if numbers.get("over") == 0:
        length = part.epochs * (updates_per_epoch if part.counted_in == UPDATES else 1)
        numbers["over"] = max(1, length - part.warmup)
    return written_out(part.schedule.split(":")[0], numbers)


def share_of(part: Scheduled, updates_per_epoch: int = 1) -> Callable[[int], float]:
    """The share of η at update k = 0, 1, 2 … of a part of a run, whatever its η.

    Warm-up over w goes (k + 1)/(w + 1) of the way, and the schedule begins after it: torch's `SequentialLR` of a `LinearLR`
    that starts at 1/(w + 1), and of the schedule.
    """
    info, numbers = parts_of(fixed(part, updates_per_epoch))
    values, warmup = tuple(numbers.values()), part.warmup
    stride = updates_per_epoch if part.counted_in == EPOCHS else 1

    def share(update: int) -> float:
        k = update // stride
        return (k + 1) / (warmup + 1) if k < warmup else info.share(k - warmup, *values)

    return share


def rate_of(part: Scheduled, updates_per_epoch: int) -> float | Callable[[int], float]:
    """η, or the η of update k = 0, 1, 2 … of a part of a run."""
    if is_constant(part):
        return part.learning_rate
    first, share = part.learning_rate, share_of(part, updates_per_epoch)
    return lambda update: first * share(update)


def at_constant_rate(part: P, rate: float) -> P:
    """The same part with this rate all the time."""
    return part._replace(learning_rate=rate, schedule=CONSTANT, warmup=0)


def rate_at(part: Scheduled, updates_per_epoch: int, epoch: int) -> float:
    """η of the first update of an epoch of a part, counted from its beginning."""
    rate = rate_of(part, updates_per_epoch)
    return rate(epoch * updates_per_epoch) if callable(rate) else rate


def by_epoch(parts: Sequence[Scheduled], updates_per_epoch: int, epochs: Iterable[int]) -> list[float]:
    """η of the first update of each of these epochs of a whole run, in rising order; at its end that of its last epoch."""
    found, first, left = [], 0, list(parts)
    last = sum(part.epochs for part in parts) - 1
    for epoch in (min(epoch, last) for epoch in epochs):
        while len(left) > 1 and epoch >= first + left[0].epochs:
            first += left.pop(0).epochs
        found.append(rate_at(left[0], updates_per_epoch, epoch - first))
    return found


def in_the_end(part: Scheduled) -> float:
    """What η comes to when a part goes on for ever."""
    info, numbers = parts_of(part.schedule)
    return part.learning_rate * info.end(*numbers.values())


def alone(part: Scheduled) -> str:
    """The schedule without the warm-up, for a table: constant, or × 0.5 every 10 epochs."""
    info, numbers = parts_of(part.schedule)
    return info.words(part.counted_in.removesuffix("s"), *numbers.values()) or info.title.lower()


def in_words(part: Scheduled) -> str:
    """What follows the words for the rate: nothing where it is constant."""
    info, numbers = parts_of(part.schedule)
    unit = part.counted_in.removesuffix("s")
    warm = f"after a warm-up of {counted(part.warmup, unit)}" if part.warmup else ""
    return "".join(f", {some}" for some in (info.words(unit, *numbers.values()), warm) if some)
