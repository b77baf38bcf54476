"""The loss in relief, on a canvas of its own: at the rate of the display, where Vega draws 11 to 22 pictures a second.

It draws the tables of the chart that `pages/ui/charts/relief.py` makes, so that no number is worked out twice. That chart is not
sent: it is what is taken along, as a picture, as a moving one, in the page's HTML file.
"""

from pathlib import Path
from typing import Any

import numpy as np
from streamlit.components.v2 import component

from pages.ui.charts import relief as chart
from pages.ui.charts.model import View
from pages.ui.look import current_charts
from pages.ui.look.numbers import with_numbers
from pages.ui.look.palette import Palette
from pages.ui.player import player

_HERE = Path(__file__).parent
_relief = component(
    "relief",
    html=(_HERE / "relief.html").read_text(encoding="utf-8"),
    css=(_HERE / "relief.css").read_text(encoding="utf-8"),
    js=with_numbers(_HERE / "relief.js"),
)
KEY = "relief"  # of the component, and of what is taken along


def show(view: View, names: tuple[str, str], colours: Palette, height: int) -> None:
    """Draw a view of `charts.relief`."""
    current_charts.now().views[KEY] = view
    _relief(key="raised", data=player.packed(*told(view, names, colours, height)))


def told(
    view: View, names: tuple[str, str], colours: Palette, height: int
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the canvas is told, and the columns of the chart's own tables, as `table.column`."""
    frame = view.tables["frame"].to_pylist()[0]
    levels = int(np.asarray(view.tables["lines"]["level"]).max(initial=0)) + 1
    said = {
        "text": view.text,
        "height": height,
        "names": list(names),
        "ends": [[frame["u0"], frame["u1"]], [frame["v0"], frame["v1"]]],
        "last": frame["last"],
        "stride": frame["stride"],
        "answer_from": frame["answer_from"],
        "lowest": "uu" in frame,
        "uu": frame.get("uu", 0.0),
        "uv": frame.get("uv", 0.0),
        "vv": frame.get("vv", 0.0),
        "floor": chart.FLOOR,
        "seen": chart.SEEN,
        "stretched": chart.STRETCHED,
        "raised": chart.RAISED,
        "view": [chart.TURN, chart.TILT],
        "knots": chart.KNOTS,
        "levels": [_between(colours.line, colours.line_high, n / max(1, levels - 1)) for n in range(levels)],
        "colours": {name: getattr(colours, name) for name in ("run", "optimum", "line", "ink", "paper")},
    }
    columns = {
        f"{name}.{column}": np.asarray(table[column])
        for name, table in view.tables.items()
        if name != "frame"
        for column in table.column_names
    }
    return said, columns


def _between(low: str, high: str, share: float) -> str:
    """A colour between two."""
    parts = ((int(low[i : i + 2], 16), int(high[i : i + 2], 16)) for i in (1, 3, 5))
    return f"#{bytes(round(a + share * (b - a)) for a, b in parts).hex()}"
