"""The colours, once, for charts and components; the page's own stand in `.streamlit/config.toml`.

Told apart with every kind of colour blindness: teal is the run, amber the optimum, slate the data, and each also has
its own shape or dash.
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
    on_run: str  # text on the run's colour: Streamlit writes white on every primary button


LIGHT = Palette(
    run="#0A6C67",
    optimum="#B45F06",
    data="#5B6675",
    start="#8A8F98",
    line="#8FB3C9",
    line_high="#D3DAE0",
    ink="#2A2F36",
    paper="#FCFBF8",
    on_run="#FFFFFF",
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
    on_run="#0C1517",
)


def palette(theme: str | None) -> Palette:
    """The colours for a theme's type, "light" or "dark"."""
    return DARK if theme == "dark" else LIGHT
