"""The pieces that a generated script is put together from, and how foreign text gets into it harmlessly."""

import re
import textwrap
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

WIDTH = 110  # of a line
SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


class Part(NamedTuple):
    """A section of a script: what it is for, and its lines. In a notebook each is a cell.

    Attributes:
        words: The comment above, for a student; one line of any length.
        code: Python, without an empty line at either end.
        defines: Whether it is a function, which stands between two empty lines.
    """

    words: str
    code: str
    defines: bool = False


def joined(parts: Iterable[Part]) -> str:
    """The parts one below the other, each under its comment, with the empty lines that PEP 8 asks for."""
    text, defined = "", False
    for part in parts:
        block = f"{comment(part.words)}\n{part.code}" if part.words else part.code
        text += ("\n\n\n" if part.defines or defined else "\n\n") + block if text else block
        defined = part.defines
    return text


def comment(words: str) -> str:
    """A comment of as many lines as it takes."""
    return textwrap.fill(
        plain(words), WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


def plain(text: str) -> str:
    """Foreign text for a comment or a docstring: on one line, and nothing that ends it or turns it around."""
    shown = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    return " ".join(shown.split()).replace("\\", "/").replace('"""', "'''")


def listed(items: Iterable[str]) -> str:
    """A list as the formatter would write it: on one line, or each item on its own."""
    texts = list(items)
    line = f"[{', '.join(texts)}]"
    return line if len(line) < WIDTH - 40 else "[\n" + "".join(f"    {text},\n" for text in texts) + "]"


def in_ascii(name: str) -> str:
    """A parameter's name with 1 for ₁ and ^2 for ², which not every console has; letters of other alphabets stay."""
    power = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: f"^{found[0].translate(SUPERSCRIPTS)}", name)
    return power.translate(SUBSCRIPTS).replace("…", ".")


def quoted(text: str) -> str:
    """A text as a Python string in double quotes, as the formatter prefers it; nothing in it is invisible."""
    single = repr(text)
    body = single[1:-1]
    if single[0] == '"' or '"' in body:
        return single
    return f'"{body}"'.replace("\\'", "'")
