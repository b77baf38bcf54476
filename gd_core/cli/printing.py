"""What the commands print and write: text in columns, and files that are there as a whole or not at all."""

import argparse
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from gd_core.cli.flags import Parser
from gd_core.export.record_file import strict_json
from gd_core.export.whole_file import is_same_file, whole_file


def aligned(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns of one width, to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))


def print_json(document: Mapping[str, Any], epochs: Iterable[Mapping[str, Any]]) -> None:
    """A record with these epochs, one a line: a run may have a million."""
    rest = {name: value for name, value in document.items() if name != "epochs"}
    print(f"{strict_json(rest)[:-1]}, ", end='"epochs": [')
    for place, row in enumerate(epochs):
        print("," if place else "", strict_json(row), sep="\n", end="")
    print("\n]}")


@contextmanager
def output(options: argparse.Namespace, name: str, parser: Parser) -> Generator[TextIO | None]:
    """The file that a flag names, or None without the flag. What is wrong with it ends the command."""
    if name not in options:
        yield None
    else:
        with blaming(name, getattr(options, name), parser), whole_file(getattr(options, name)) as file:
            yield file


def tell_apart(options: argparse.Namespace, parser: Parser, *names: str) -> None:
    """End with a sentence where two of these flags name one file: the later would take the earlier's place."""
    given = [name for name in names if name in options]
    for place, name in enumerate(given):
        for other in given[:place]:
            if is_same_file(getattr(options, name), getattr(options, other)):
                what = "the table" if other == "table" else other
                parser.exit(2, f"{name} must be another file than {what}. Got {getattr(options, name)}.\n")


@contextmanager
def blaming(name: str, path: str, parser: Parser) -> Generator[None]:
    """End with a sentence about this flag's file if something in here cannot be written."""
    try:
        yield
    except OSError as error:
        parser.exit(2, f"{name} must be a file that can be written. Got {path}: {error.strerror}.\n")
