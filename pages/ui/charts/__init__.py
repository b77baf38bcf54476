"""Recordings and theory as charts. Pure: values in, Altair out; no Streamlit.

A chart is a fixed specification and a few small tables. Everything that changes from run to run, the axes' ends
included, is in the tables, so that a new run only replaces data and nothing is drawn anew. Everything that changes
from epoch to epoch is computed in the chart from the parameter `epoch`, which the player moves.

Every chart has a table `frame` of one row (axes, stride, what is constant in a run) and most have a table `run`
with one row a drawn epoch. The parameter `seen` is the last epoch shown so far: what lies beyond stays hidden.
"""

from gd_core.landscape import frame as map_frame
from pages.ui.charts.error import error, gap
from pages.ui.charts.fit import agreement, along, fit, panel
from pages.ui.charts.landscape import landscape, parabola
from pages.ui.charts.model import (
    DRAWN_ROWS,
    MOVED_ROWS,
    Run,
    View,
    drawn_epochs,
    last_epoch,
    stride_of,
)
from pages.ui.charts.parameters import trace
from pages.ui.charts.stages import moment_error, moment_fit
from pages.ui.charts.tangent import tangent, value_at
from pages.ui.charts.valley import both_gaps, valley

__all__ = [
    "DRAWN_ROWS",
    "MOVED_ROWS",
    "Run",
    "View",
    "agreement",
    "along",
    "both_gaps",
    "drawn_epochs",
    "error",
    "fit",
    "gap",
    "landscape",
    "last_epoch",
    "map_frame",
    "moment_error",
    "moment_fit",
    "panel",
    "parabola",
    "stride_of",
    "tangent",
    "trace",
    "valley",
    "value_at",
]
