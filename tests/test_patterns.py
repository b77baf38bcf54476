"""No regular expression of ours takes longer than in proportion to a text: one that does stops the whole server.

The patterns are read from the source, wherever they stand. Each is tried on texts made for it, as an attacker makes them:
what leads into it, then what it repeats, thousands of times, then what it cannot end with.
"""

import ast
import importlib
import itertools
import math
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gd_core.tables.patterns import LONGEST

ROOT = Path(__file__).parents[1]
# Python's own reader of patterns, which has no public name.
tree_of: Any = importlib.import_module("re._parser")
kinds: Any = importlib.import_module("re._constants")
# What it is given it cuts at 400 characters, and knows no pattern itself.
CUTS = ROOT / "gd_core/tables/patterns.py"
METHODS = ("match", "fullmatch", "search", "findall", "finditer", "sub", "subn", "split")
FAST = 40  # times as long as one look at each character: no reason to look closer
# Characters, and what the time grows to from a quarter of them: 4 is in proportion, 16 quadratic, 64 cubic. So few that
# a cubic pattern ends, then so many that what stops looking after 200 characters has stopped.
GROWTH = {400: 32, 4000: 8}
# By what a pattern meets a cell, of which it sees the beginning alone: tests/core/tables/test_patterns.py.
CUT: dict[str, tuple[str, re.RegexFlag]] = {
    "begins": ("match", re.NOFLAG),
    "is_whole": ("fullmatch", re.IGNORECASE),
    "holds": ("search", re.NOFLAG),
}
# Patterns formed as the program runs, from our own words for our own words.
FORMED, NOT_TRIED = ("glossary.py",), list[str]()
NUMBERS_ONLY = {"numbers.js": r"\.?0+$"}  # the digits of a number: a text of at most 21 characters


class Use(NamedTuple):
    """A pattern, and how it meets a text."""

    where: str
    pattern: Any
    method: str
    longest: float = math.inf


def uses() -> Iterator[Use]:
    """Every pattern in the source, with what is called of it."""
    for path in sorted((*ROOT.glob("gd_core/**/*.py"), *ROOT.glob("pages/**/*.py"), ROOT / "app.py")):
        source = path.read_text(encoding="utf-8")
        if path.name == "patterns.py":
            continue  # whose patterns are those that are handed in
        if "import re\n" in source or "patterns import" in source:
            yield from _in_python(path, ast.parse(source))
    for path in sorted(ROOT.glob("pages/**/*.js")):
        for found in re.finditer(r"[(=,:]\s*/((?:[^/\\\n]|\\.)+)/[a-z]*", path.read_text(encoding="utf-8")):
            if NUMBERS_ONLY.get(path.name) != found[1]:
                yield Use(f"{path.name} /{found[1]}/", re.compile(found[1]), "search")


def _in_python(path: Path, tree: ast.Module) -> Iterator[Use]:
    module = vars(importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts)))

    def value(node: ast.expr) -> Any:
        return eval(compile(ast.Expression(node), path.name, "eval"), module)

    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id in CUT:
            method, flags = CUT[call.func.id]
            where = f"{path.name}:{call.lineno}"
            yield Use(where, re.compile(value(call.args[0]), flags), method, LONGEST)
    calls = [call for call in calls if isinstance(call.func, ast.Attribute)]
    named = {call.func.value.id: call.func.attr for call in calls if isinstance(call.func.value, ast.Name)}  # type: ignore[attr-defined]
    for call in calls:
        if not (isinstance(call.func.value, ast.Name) and call.func.value.id == "re"):
            continue
        method, where = call.func.attr, f"{path.name}:{call.lineno}"  # type: ignore[attr-defined]
        if method == "compile":
            pattern = re.compile(*map(value, call.args))
            known = [name for name, one in module.items() if one is pattern]
            method = next((named[name] for name in known if name in named), "search")
            yield Use(where, pattern, method)
        elif method in METHODS and path.name in FORMED and not isinstance(call.args[0], ast.Constant):
            NOT_TRIED.append(where)
        elif method in METHODS:
            flags = [value(node) for node in call.args[2:] if method in ("match", "fullmatch", "search")]
            yield Use(where, re.compile(value(call.args[0]), *flags), method)


# ------------------------------------------------------------------------------------------------ texts against a pattern


def against(pattern: re.Pattern[Any], length: int) -> Iterator[Any]:
    """Texts of about this length that it nearly matches."""
    binary = isinstance(pattern.pattern, bytes)
    text = pattern.pattern.decode("latin1") if isinstance(pattern.pattern, bytes) else pattern.pattern
    tree = tree_of.parse(text, pattern.flags & ~re.UNICODE if binary else pattern.flags)
    letters = sorted({one for part in _parts(tree) if len(one := _example([part])) == 1} | {" ", "\n", "\0"})[
        :14
    ]
    pumps = {*letters, *map("".join, itertools.product(letters, repeat=2)), _example(tree)}
    leads = {"", _example(tree), *(_example(list(tree)[:place]) for place in range(1, len(tree)))}
    for lead, pump, end in itertools.product(sorted(leads), sorted(pumps), ("", "\0")):
        made = lead + pump * (length // max(1, len(pump))) + end
        yield made.encode("latin1", "replace") if binary else made


def _parts(tree: Any) -> Iterator[Any]:
    """Every part of a pattern's tree, however deep."""
    for op, given in tree:
        yield op, given
        for inner in given if isinstance(given, list | tuple) else ():
            for one in inner if isinstance(inner, list) else [inner]:
                if isinstance(one, tree_of.SubPattern):
                    yield from _parts(one)


def _example(tree: Any) -> str:
    """A text that these parts match, or nearly."""
    made = ""
    for op, given in tree:
        match op:
            case kinds.LITERAL:
                made += chr(given)
            case kinds.NOT_LITERAL:
                made += "a" if given != ord("a") else "b"
            case kinds.ANY:
                made += "a"
            case kinds.IN:
                made += _one_in(given)
            case kinds.BRANCH:
                made += _example(given[1][0])
            case kinds.SUBPATTERN:
                made += _example(given[3])
            case kinds.ATOMIC_GROUP:
                made += _example(given)
            case kinds.MAX_REPEAT | kinds.MIN_REPEAT | kinds.POSSESSIVE_REPEAT:
                made += _example(given[2]) * max(1, min(given[0], 3))
            case kinds.ASSERT if given[0] < 0:
                made += _example(given[1])
            case _:
                pass
    return made


def _one_in(choices: Any) -> str:
    """A character that a class holds."""
    categories = {"DIGIT": "0123456789", "SPACE": " \n\t", "WORD": "aA0_"}
    negated = choices[0][0] is kinds.NEGATE
    held = set()
    for op, given in choices[negated:]:
        if op is kinds.LITERAL:
            held.add(chr(given))
        elif op is kinds.RANGE:
            held.update(map(chr, range(given[0], min(given[1], given[0] + 100) + 1)))
        else:
            held.update(categories[str(given).rsplit("_", 1)[1]])
    return next(letter for letter in "a0 >x!-b" if letter not in held) if negated else min(held)


# ------------------------------------------------------------------------------------------------------------ measuring


def once(work: Callable[[], object]) -> float:
    """Seconds of this thread's processor time."""
    begun = time.thread_time()
    work()
    return time.thread_time() - begun


def searched(use: Use, text: Any) -> Callable[[], object]:
    if use.method in ("sub", "subn"):
        return lambda: use.pattern.sub(text[:0], text)
    if use.method == "finditer":
        return lambda: list(use.pattern.finditer(text))
    return lambda: getattr(use.pattern, use.method)(text)


def grows(use: Use) -> str:
    """The text with which a pattern takes more than in proportion; "" if there is none."""
    look = re.compile("[\1\2]")
    for length, most in GROWTH.items():
        if length > use.longest:
            break
        text = "a" * length
        usual = max(2e-6, *(once(partial(look.search, text)) for _ in range(3)))
        for long, short in zip(against(use.pattern, length), against(use.pattern, length // 4), strict=True):
            if once(searched(use, long)) < FAST * usual:
                continue
            # a moment of noise makes one ratio too large, not each of six
            ratios = (once(searched(use, long)) / max(1e-7, once(searched(use, short))) for _ in range(6))
            if all(ratio > most for ratio in ratios):
                return repr(short[:60])
    return ""


USES = list(uses())


@pytest.mark.parametrize("use", USES, ids=lambda use: use.where)
def test_no_pattern_takes_longer_than_in_proportion(use):
    """Four times the text takes about four times as long, whatever stands in it."""
    assert grows(use) == ""


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"([-+]?\d+\.?\d*)\s*/\s*(\d+\.?\d*)", "sub"),  # cubic, as quotients were once read
        (r"\d+e", "search"),
        (r"(a+)(a+)(a+)$", "match"),
        (r"(?<=>)[^<]+(?=<)", "sub"),
        (rb"\s*x", "search"),
    ],
)
def test_one_that_does_is_found(pattern, method):
    """The texts and the clock tell quadratic and cubic patterns."""
    assert grows(Use("", re.compile(pattern), method))


def test_every_pattern_is_looked_at():
    """As many as there are calls of `re` in the source, and those of the browser's side."""
    count = sum(
        len(re.findall(rf"\bre\.(?:compile|{'|'.join(METHODS)})\(", path.read_text(encoding="utf-8")))
        for folder in ("gd_core", "pages")
        for path in ROOT.glob(f"{folder}/**/*.py")
        if path.name != "patterns.py"
    )
    scripts = [use for use in USES if ".js" in use.where]
    cut = [use for use in USES if use.longest == LONGEST]
    assert len(USES) - len(scripts) - len(cut) + len(NOT_TRIED) == count > 25
    assert len(scripts) >= 2
    assert len(cut) >= 7
