"""Page: Train. Watch gradient descent fit a curve."""

import streamlit as st

from pages.ui.look import look, navigation, projector
from pages.ui.train import controls, task

held = controls.read_address()
look.apply()
box = task.heading()

slim = controls.slim()
row = st.container(key="rate_row", horizontal=True) if slim else None

if box is None and not projector.on() and not slim:
    with st.container(key="start_here"):  # the browser shows it to who is new alone
        st.page_link(
            "pages/one_parameter.py",
            label=f"New here? Start with lesson 1: {navigation.whole_path()}.",
        )

with st.container(key="lab"):  # where torch is missing yet, it is loaded here
    with look.first_visit():
        from pages.ui.train import panels

    panels.show(held, box)
# After the charts, which a browser takes longest to draw: their code is fetched while the controls are set.
if slim:
    controls.rate_row(row, held, panels.under_rate)
else:
    controls.side_bar(held, panels.under_rate, panels.under_table)
