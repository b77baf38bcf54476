"""Page: Train. Watch gradient descent fit a curve."""

import streamlit as st

from pages.ui.look import look
from pages.ui.train import controls, task

held = controls.side_bar()
look.apply()
box = task.heading()

with st.container(key="lab"):  # where torch is missing yet, it is loaded here, after the controls
    with look.first_visit():
        from pages.ui.train import panels

    panels.show(held, box)
