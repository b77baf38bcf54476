"""Gradient Descent Lab: page settings and the list of pages. Start with `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from pages.ui import house

# An icon of our own: Streamlit would fetch a named one from another server.
ICON = Path(__file__).parent / "pages" / "ui" / "icon.svg"
st.set_page_config(page_title="Gradient Descent Lab", page_icon=str(ICON), layout="wide")

page = house.navigation()
st.session_state["in_app"] = True
page.run()
