"""Numbers beside printed ones, as HTML: the digits that are the same stand out, the others are pale. No Streamlit here."""

from collections.abc import Iterable
from html import escape

from gd_core.published import beside


def pair(published: float, ours: float | None, *, shown: str = "") -> tuple[str, str]:
    """A printed number and ours as HTML.

    Args:
        published: As printed.
        ours: What our run gives; None where it has no such number.
        shown: Attributes from `player.lit`: ours is hidden, and nothing marked, until then.
    """
    if ours is None:
        return _marked(repr(published), 0, ""), '<span class="absent">–</span>'
    printed, written, alike = beside(published, ours)
    return _marked(printed, alike, shown), f'<span class="later" {shown}>{_marked(written, alike, "")}</span>'


def _marked(number: str, alike: int, shown: str) -> str:
    same, rest = escape(number[:alike]), escape(number[alike:])
    same, rest = (part.replace("-", "−") for part in (same, rest))
    return f'<span class="digits" {shown}><b>{same}</b><span class="pale">{rest}</span></span>'


def row(cells: Iterable[str], attributes: str = "") -> str:
    """A row of a table."""
    return f"<tr {attributes}>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
