"""Page: Train. Watch gradient descent fit a curve."""

import streamlit as st

from pages.ui import controls, look

held = controls.side_bar()
look.apply()
look.title(
    "Train", "Watch the curve bend towards the data while the error falls. Then ask: could it fall further?"
)

with st.container(key="lab"):  # torch is loaded here, after the controls have appeared
    with look.first_visit():
        from pages.ui import lab

    lab.show(held)
