"""Gradient Descent Lab: page settings and the list of pages. Start with `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

# An icon of our own: Streamlit would fetch a named one from another server.
ICON = Path(__file__).parent / "pages" / "ui" / "icon.svg"
st.set_page_config(page_title="Gradient Descent Lab", page_icon=str(ICON), layout="wide")

st.navigation([st.Page("pages/train.py", title="Train", icon=":material/play_arrow:", default=True)]).run()
