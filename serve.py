"""The same app for a server: it answers when all is loaded, so its first visitor waits no longer than the second.

Start with `streamlit run serve.py`. At home, `streamlit run app.py` shows its controls at once and loads the rest behind.
"""

import streamlit as st

from pages.ui import warm

app = st.App("app.py", lifespan=warm.lifespan)
