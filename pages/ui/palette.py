"""The colours, once, for charts and components; the page's own stand in `.streamlit/config.toml`.

What is orange-free stays readable for every kind of colour blindness: teal is the run, amber the optimum, slate the
data, and each also has its own shape or dash.
"""

from typing import NamedTuple


class Palette(NamedTuple):
    """Colours by meaning."""

    run: str  # what is trained: curve, path, head
    optimum: str  # what no training gets below
    data: str
    start: str
    line: str  # level lines, low
    line_high: str  # level lines, high
    ink: str  # text inside charts
    paper: str  # the background, for halos


LIGHT = Palette(
    run="#0B7A75",
    optimum="#B45F06",
    data="#5B6675",
    start="#8A8F98",
    line="#8FB3C9",
    line_high="#D3DAE0",
    ink="#2A2F36",
    paper="#FCFBF8",
)
DARK = Palette(
    run="#45C8BD",
    optimum="#F0B04F",
    data="#A7B1BF",
    start="#7E8791",
    line="#5E8AA6",
    line_high="#34414C",
    ink="#E9E6DF",
    paper="#14181B",
)


def palette(theme: str | None) -> Palette:
    """The colours for a theme's type, "light" or "dark"."""
    return DARK if theme == "dark" else LIGHT
