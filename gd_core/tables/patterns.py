"""Python's patterns where they meet foreign text: through here alone, and never on more than the beginning of a cell.

Their work may grow with the square of a text's length. Columns as a whole go through Arrow's patterns (RE2), which are linear.
"""

import re

LONGEST = 400  # characters of a text that a pattern sees


def begins(pattern: str, text: str) -> re.Match[str] | None:
    """Whether the beginning of a text begins with a pattern; one that ends with $ holds for as much as is seen."""
    return re.match(pattern, text[:LONGEST])


def is_whole(pattern: str, text: str) -> re.Match[str] | None:
    """Whether the beginning of a text is a pattern as a whole, whatever its letters' case."""
    return re.fullmatch(pattern, text[:LONGEST], re.IGNORECASE)


def holds(pattern: str, text: str) -> re.Match[str] | None:
    """Whether a pattern is somewhere in the beginning of a text."""
    return re.search(pattern, text[:LONGEST])
