"""The JavaScript that writes numbers, which stands before that of each component that writes some."""

from pathlib import Path


def with_numbers(script: Path) -> str:
    """A component's JavaScript after the functions of `numbers.js`."""
    parts = (Path(__file__).with_suffix(".js"), script)
    return "\n".join(part.read_text(encoding="utf-8") for part in parts)
