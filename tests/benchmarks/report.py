"""The two reports: what was measured as JSON, and the same to read as Markdown."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from harness import Cell

Found = Mapping[str, Any]  # a section as JSON, with when and how it was measured


def written(value: Cell, kind: str) -> str:
    """A cell of a table. Kinds: text; s, a time in fitting units; share; ratio; count; kB; MB; number."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return str(value)
    if kind == "s":
        for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
            if value >= size:
                return f"{_digits(value / size)} {unit}"
        return f"{_digits(value / 1e-9)} ns"
    if kind == "share":
        return f"± {100 * value / 2:.0f} %"
    if kind == "count":
        return f"{value:,.0f}"
    if kind in ("kB", "MB"):
        return f"{_digits(value)} {kind}"
    return _digits(value)


def _digits(value: float) -> str:
    """Three digits that count."""
    if value == 0:
        return "0"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(places, 4)}f}"


def markdown(machine: Mapping[str, str], sections: Iterable[Found]) -> str:
    """The whole report."""
    found = list(sections)
    lines = [
        "# Benchmarks",
        "",
        "Made by `make bench`; do not edit. The same figures for a program: [benchmarks.json](benchmarks.json).",
        "",
        "Who is compared takes turns in one process, in an order that changes from round to round. A time is the median of the",
        "rounds; “± 4 %” says that half of them lie within 4 % of it on either side, more or less. A ratio is the median of the",
        "ratios of the same round: above 1, the line is faster than the one it is compared with.",
        "",
        "## The machine",
        "",
        *table(["", ""], [[name, value] for name, value in machine.items()]),
        "",
        *_noise(found),
        "",
        "## The bars",
        "",
        *table(
            ["work", "bar", "measured", ""],
            [
                [bar["what"], bar["wanted"], bar["got"], "✓" if bar["met"] else "**not met**"]
                for one in found
                for bar in one["bars"]
            ],
        ),
    ]
    for one in found:
        lines += ["", f"## {one['title']}", ""]
        if one.get("error"):
            lines += [f"Not measured: {one['error']}", ""]
        if one["words"]:
            lines += [one["words"], ""]
        for part in one["tables"]:
            kinds = [column["kind"] for column in part["columns"]]
            rows = [
                [written(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in part["rows"]
            ]
            lines += [f"**{part['title']}**", ""]
            lines += table([column["title"] for column in part["columns"]], rows, kinds)
            lines += [""]
            if part["note"]:
                lines += [part["note"], ""]
        lines += [f"<sub>{one['when']} UTC, commit {one['commit']}, {one['took']:.0f} s</sub>"]
    return "\n".join(lines).rstrip() + "\n"


def _noise(found: list[Found]) -> list[str]:
    """How far the figures of this machine can be trusted."""
    spreads = sorted(
        row[place]
        for one in found
        for part in one["tables"]
        for place, column in enumerate(part["columns"])
        if column["kind"] == "share"
        for row in part["rows"]
        if row[place] is not None
    )
    loads = [one["load"] for one in found if one.get("load") is not None]
    words = []
    if spreads:
        middle, worst = spreads[len(spreads) // 2], spreads[-1]
        words += [
            f"**How noisy it was.** The rounds spread by {written(middle, 'share')} in the middle case, {written(worst, 'share')} in the"
        ]
        words += ["worst."]
    if loads:
        words += [
            f"Before a part began, up to {max(loads):.1f} programs a core wanted to compute; 0 is a machine at rest."
        ]
    return [" ".join(words)]


def table(titles: list[str], rows: list[list[str]], kinds: list[str] | None = None) -> list[str]:
    """A table in Markdown; columns of numbers stand at the right."""
    marks = ["---" if kind == "text" else "---:" for kind in kinds or ["text"] * len(titles)]
    return [_line(titles), _line(marks), *map(_line, rows)]


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
