"""Gradient Descent Lab: page settings and the list of pages. Start with `streamlit run app.py`.

`streamlit run` imports this file once, as a server that loads PyTorch while its first visitor fetches the shell, has our headers
on its answers, a class's small pages for phones, and our sentence where a page fails. Then it runs it as a script at every visitor's request. Where it is only
ever run as a script, the first visitor loads PyTorch.
"""

from pathlib import Path

import streamlit as st

# An icon of our own: Streamlit would fetch a named one from another server.
ICON = Path(__file__).parent / "pages" / "ui" / "look" / "icon.svg"

if __name__ == "__main__":
    from pages.ui.look import navigation
    from pages.ui.train import same_tab

    st.set_page_config(page_title="Gradient Descent Lab", page_icon=str(ICON), layout="wide")

    same_tab.arrive()
    page = navigation.navigation()
    st.set_page_config(page_title=f"{page.title} · Gradient Descent Lab")
    page.run()
    same_tab.watch()  # at the end: what comes and goes above the page would have it drawn anew
else:
    from starlette.middleware import Middleware

    from pages.ui.classroom import routes
    from pages.ui.look import mishap
    from pages.ui.look.described import Described
    from pages.ui.train import http, packed, startup

    app = st.App(
        __file__,
        routes=routes.routes(),
        lifespan=startup.lifespan,
        middleware=[
            Middleware(http.Rules),
            Middleware(packed.Packed),
            Middleware(Described),
            Middleware(startup.Waiting),
        ],
        on_script_error=mishap.say,
    )
