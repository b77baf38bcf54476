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
    several: tuple[str, ...]  # runs side by side, the first as one run; each also has a dash and a shape
    racers: tuple[str, ...]  # eight in one race, told apart with every kind of colour blindness


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
    several=("#0A6C67", "#8E3B8F", "#1F5FA8", "#A3262E", "#2A2F36"),
    racers=("#0A6C67", "#858D98", "#6B4C9A", "#3B8FD0", "#7A3B12", "#C2347A", "#859400", "#23282E"),
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
    several=("#45C8BD", "#D79BDD", "#7FB4F2", "#F28B82", "#E9E6DF"),
    racers=("#45C8BD", "#6C7683", "#A98BF0", "#7DC4FF", "#B97A45", "#FF6FA8", "#D6E04A", "#FFFFFF"),
)


def palette(theme: str | None) -> Palette:
    """The colours for a theme's type, "light" or "dark"."""
    return DARK if theme == "dark" else LIGHT
