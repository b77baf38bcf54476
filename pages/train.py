"""Page: Train. Watch gradient descent fit a curve."""

import streamlit as st

from pages.ui.look import look
from pages.ui.train import controls, task

held = controls.read_address()
look.apply()
box = task.heading()

with st.container(key="lab"):  # where torch is missing yet, it is loaded here
    with look.first_visit():
        from pages.ui.train import panels

    panels.show(held, box)
# After the charts, which a browser takes longest to draw: their code is fetched while the controls are set.
controls.side_bar(held, panels.under_rate, panels.under_table)
