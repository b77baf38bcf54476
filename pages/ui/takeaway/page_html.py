"""A page's charts under one slider, as a single HTML file that needs neither network nor server.

The charts are the page's own; Vega, which draws them, is in the file. Every text from outside is escaped: in
HTML by `escape`, in the data by leaving no `<`. The file forbids itself to load anything.
"""

import json
import re
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import NamedTuple

import numpy as np

from gd_core.words import digits_beside, significant
from pages.ui.charts.model import View
from pages.ui.look.current_charts import Played
from pages.ui.takeaway import converter_process
from pages.ui.takeaway.pictures import PAPERS, Place, alone

_HERE = Path(__file__).parent
_HOLE = re.compile(r"\{(\w+)(?::(\d+))?\}")
ROUNDING = 2e-7  # as in player.js
_FIT = {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}, "padding": 4}


class Page(NamedTuple):
    """What stands in the file beside the charts and what the player said.

    Attributes:
        title: Of the page, such as "Train".
        address: The link to the same settings in the app.
        settings: Title → value.
        charts: Title → view.
    """

    title: str
    address: str
    settings: Mapping[str, str]
    charts: Mapping[str, View]


def html(page: Page, played: Played, place: Place, paper: str) -> str:
    """The file's text.

    Args:
        page: What is shown.
        played: What the page's player was given.
        place: Where its slider stands at first.
        paper: Key of `pictures.PAPERS`.

    Raises:
        ConversionError: If Vega could not be put into the file.
    """
    epochs = epochs_of(played)
    data = {
        "charts": [alone(view, paper, place) | _FIT for view in page.charts.values()],
        "epochs": epochs,
        "names": names_of(played),
        "said": sentences(played),
        "seen": place.seen,
        "at": row_of(played, place),
    }
    # around the chart, because Vega puts a text of its own on the element that it draws in
    figures = "".join(
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<div role="img" aria-label="{escape(view.text)}"><div class="chart"></div></div></figure>'
        for title, view in page.charts.items()
    )
    settings = "".join(
        f"<div><dt>{escape(title)}</dt><dd>{escape(value)}</dd></div>"
        for title, value in page.settings.items()
    )
    template = Template((_HERE / "page_html.html").read_text(encoding="utf-8"))
    return template.substitute(
        PAPERS[paper]._asdict(),
        title=escape(page.title),
        scheme="dark" if paper == "dark" else "light",
        summary=escape(played.summary),
        address=escape(page.address),
        figures=figures,
        settings=settings,
        contents=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        vega=converter_process.runtime().replace("</script", "<\\/script"),
        script=(_HERE / "page_html.js").read_text(encoding="utf-8"),
    )


def rows_of(played: Played) -> int:
    """Rows of the player's table."""
    return len(next(iter(played.numbers.values())))


def epochs_of(played: Played) -> list[int]:
    """The epoch of each row of the player's table."""
    return [min(row * played.stride, played.last) for row in range(rows_of(played))]


def row_of(played: Played, place: Place) -> int:
    """The row that is shown at a place."""
    return max((row for row, epoch in enumerate(epochs_of(played)) if epoch <= place.epoch), default=0)


def names_of(played: Played) -> list[str]:
    """What each row is called beside the slider."""
    return list(played.names) or [f"epoch {epoch:,} of {played.planned:,}" for epoch in epochs_of(played)]


def _beside(name: str) -> str:
    """The column that a number is compared with: that of the next epoch, or of this one."""
    return name.removeprefix("next_") if name.startswith("next_") else f"next_{name}"


def sentences(played: Played) -> list[str]:
    """What the player says at each row: its template, filled in as player.js does."""
    columns = dict(played.numbers)
    columns.setdefault("epoch", np.array(epochs_of(played)))
    if "rmse" in columns:
        columns.setdefault("next_rmse", np.append(columns["rmse"][1:], columns["rmse"][-1:]))
    for name, parts in played.sums.items():
        terms = np.array([weight * columns[part].astype(float) for part, weight in parts])
        columns[name] = np.where(abs(terms.sum(0)) <= ROUNDING * abs(terms).max(0), 0.0, terms.sum(0))
    epochs = columns["epoch"]
    written: Mapping[str, Callable[[int], str]] = {
        "epoch": lambda row: f"{int(epochs[row]):,}",
        "next": lambda row: f"{int(epochs[row]) + 1:,}",
        "percent": lambda row: significant(float(columns["percent"][row]), 3),
    }

    def at(row: int) -> str:
        def filled(hole: re.Match[str]) -> str:
            name, digits = hole.groups()
            if name in written:
                return written[name](row)
            number, other = float(columns[name][row]), columns.get(_beside(name))
            beside = 6 if other is None else digits_beside(number, float(other[row]))
            return significant(number, int(digits or beside))

        return _HOLE.sub(filled, played.templates[int(columns["template"][row])])

    return [at(row) for row in range(rows_of(played))]
