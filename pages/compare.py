"""Page: Compare. Pinned runs beside each other, under one player, in one link."""

import streamlit as st

from gd_core.settings.fields import AutoNumber, Choice, Numbers
from gd_core.settings.pins import MOST, Pins
from pages.ui.look import look, navigation
from pages.ui.settings.page_settings import PageSettings
from pages.ui.train import pins

navigation.enter()
pins.enter_compare()
page = PageSettings(
    "compare",
    Pins(),
    varies=("pins",),
    options={
        "target": AutoNumber(
            low=1e-300,
            high=1e300,
            title="Target RMSE",
            help="The table says when each run came to it. auto: a twentieth of the way from the start to the floor is left; "
            "where no run gets so far, the highest RMSE that one of them ends with.",
        ),
        "shown": Choice(
            default="1", choices={str(n): str(n) for n in range(1, MOST + 1)}, title="Map and fit of"
        ),
        "axes": Numbers(default=(), low=0, high=1000, title="Axes", at_least=2, at_most=2, or_none=True),
    },
    views=("pins", "target", "shown", "axes"),
).open()
pins.hold(page.settings)

look.apply()
look.title("Compare", "Runs that you have pinned, side by side: what differs, and what came of it.")

with look.first_visit():
    from pages.ui.compare import comparison
    from pages.ui.player import live_runs
live_runs.settle()
page.complaint()
with st.sidebar:
    comparison.side_bar(page)
if page.settings.pins:
    comparison.show(page)
else:
    comparison.empty(page)
