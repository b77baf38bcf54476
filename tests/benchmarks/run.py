"""Measure, and write docs/benchmarks.md and docs/benchmarks.json. `make bench` and `make bench-quick` start it.

A part that is done is written at once, so what was measured stays if the rest is interrupted: `--resume` goes on from
there, `--only NAME` measures a part again and leaves the others as they are. No time fails anything: the command ends
with 0 when everything could be measured, whatever came out.
"""

import argparse
import importlib
import json
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import machine
import report
from harness import Section

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
QUICK = ROOT / ".benchmarks"  # what a quick run finds is no report for others
Measure = Callable[[bool], Section]

# Part ↦ where its function is. In the order of the report.
PARTS = {
    "quadratic": "core.quadratic",
    "plane": "core.plane",
    "parabola": "core.parabola",
    "adam": "core.adam",
    "rows": "core.single_rows",
    "optimum": "core.optimum",
    "long": "core.long_run",
    "sweep": "core.many_rates",
    "large": "large.large",
    "growth": "growth.growth",
    "newton": "growth.newton",
    "starts": "hills.starts",
    "view": "view.view",
    "relief": "hills.relief",
    "press": "page.press",
    "visitors": "page.visitors",
    "visit": "page.first_visit",
    "first view": "first_views.first_view",
    "start": "first_views.from_the_command",
    "class": "classroom_load.of_a_class",
    "class at three": "classroom_load.of_three_processes",
    "class rooms": "classroom_load.of_many_rooms",
    "memory": "page.memory",
    "scale": "large.scale",
}


def main() -> int:
    """Read the command line, measure, report."""
    parser = argparse.ArgumentParser(description="Measure this app beside what people would use instead.")
    parser.add_argument(
        "--quick", action="store_true", help="smaller work, in less than 3 minutes; writes .benchmarks/"
    )
    parser.add_argument(
        "--only", metavar="NAME", action="append", choices=PARTS, help="this part; can be repeated"
    )
    parser.add_argument(
        "--resume", action="store_true", help="leave out what was measured at this commit before"
    )
    parser.add_argument("--list", action="store_true", help="the names of the parts")
    asked = parser.parse_args()
    if asked.list:
        print(*PARTS, sep="\n")
        return 0
    place = QUICK if asked.quick else DOCS
    place.mkdir(exist_ok=True)
    known, failed, now = _read(place), 0, machine.commit()
    for name in asked.only or PARTS:
        if asked.resume and known.get(name, {}).get("commit") == now and not known[name].get("error"):
            continue
        print(f"{name} … ", end="", flush=True)
        found = measured(name, quick=asked.quick)
        failed += bool(found.get("error"))
        if not (found.get("error") and name in known):
            known[name] = found
        write(place, known)
        print(found.get("error") or f"{found['took']:.0f} s", flush=True)
        for bar in found["bars"]:
            print(f"    {'✓' if bar['met'] else '✗'} {bar['what']}: {bar['got']} (wanted {bar['wanted']})")
    print(f"Written: {(place / 'benchmarks.md').relative_to(ROOT)}")
    return 1 if failed else 0


def measured(name: str, *, quick: bool) -> dict[str, Any]:
    """What a part finds, as JSON; a part that breaks says so and does not keep the others from being measured."""
    load, begun, error = machine.busy(), time.monotonic(), ""
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
    try:
        section = _part(name)(quick)
    except Exception as problem:
        traceback.print_exc()
        section, error = Section(name), f"{type(problem).__name__}: {problem}"
    found = {"when": when, "commit": machine.commit(), "load": load, "took": time.monotonic() - begun}
    return section.as_json() | found | ({"error": error} if error else {})


def write(place: Path, known: dict[str, Any]) -> None:
    """Both reports, from all that is known."""
    about = machine.described()
    parts = {name: known[name] for name in PARTS if name in known}
    text = json.dumps({"machine": about, "parts": parts}, indent=1, ensure_ascii=False)
    (place / "benchmarks.json").write_text(text + "\n", encoding="utf-8")
    (place / "benchmarks.md").write_text(report.markdown(about, parts.values()), encoding="utf-8")


def _read(place: Path) -> dict[str, Any]:
    try:
        return json.loads((place / "benchmarks.json").read_text(encoding="utf-8"))["parts"]
    except (OSError, ValueError, KeyError):
        return {}


def _part(name: str) -> Measure:
    module, _, function = PARTS[name].partition(".")
    return getattr(importlib.import_module(module), function)


if __name__ == "__main__":
    sys.exit(main())
