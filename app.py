"""Gradient Descent Lab: page settings and the list of pages. Start with `streamlit run app.py`.

`streamlit run` imports this file once, as a server that loads PyTorch before it answers its first visitor, and then
runs it as a script at every visitor's request. Where it is only ever run as a script, the first visitor loads PyTorch.
"""

from pathlib import Path

import streamlit as st

# An icon of our own: Streamlit would fetch a named one from another server.
ICON = Path(__file__).parent / "pages" / "ui" / "look" / "icon.svg"

if __name__ == "__main__":
    from pages.ui.look import navigation

    st.set_page_config(page_title="Gradient Descent Lab", page_icon=str(ICON), layout="wide")
    page = navigation.navigation()
    st.set_page_config(page_title=f"{page.title} · Gradient Descent Lab")
    page.run()
else:
    from starlette.middleware import Middleware

    from pages.ui.look.described import Described
    from pages.ui.train import startup

    app = st.App(__file__, lifespan=startup.lifespan, middleware=[Middleware(Described)])
