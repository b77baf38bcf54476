"""Page: Train. Watch gradient descent fit a curve."""

import streamlit as st

from pages.ui import controls, task
from pages.ui.look import look

held = controls.side_bar()
look.apply()
box = task.heading()

with st.container(key="lab"):  # where torch is missing yet, it is loaded here, after the controls
    with look.first_visit():
        from pages.ui import lab

    lab.show(held, box)
controls.examples(held.menu)
