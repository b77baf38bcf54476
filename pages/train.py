"""Page: Train. Watch gradient descent fit a curve."""

import streamlit as st

from pages.ui import controls, look

look.apply()
look.title(
    "Train", "Watch the curve bend towards the data while the error falls. Then ask: could it fall further?"
)
held = controls.side_bar()

with st.container(key="lab"):  # torch is loaded here, after the controls have appeared
    with look.first_visit():
        from pages.ui import lab

    lab.show(held)
