"""The choice between plain features, scaled features and both side by side, at the same share of the limit."""

import streamlit as st

from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import Flag
from pages.ui.look import written
from pages.ui.settings.page_settings import PageSettings

COMPARE = Flag(default=False, title="Side by side", help="Without and with scaled features.")
TITLES = {"plain": "plain", "scaled": "scaled", "both": "side by side"}
KEY = "features of the valley"


def control(page: PageSettings[Experiment]) -> None:
    """Draw the choice. The lesson has the option `compare`, which is `COMPARE`."""
    written.write(KEY, "both" if page["compare"] else "scaled" if page.settings.scale_features else "plain")
    st.segmented_control(
        "Features",
        list(TITLES),
        format_func=TITLES.__getitem__,
        key=KEY,
        on_change=written.changed,
        args=(KEY, _chosen, page),
        help="Scaled: each feature minus its mean, over its deviation. The rate is set to the same share of the new "
        "limit. Side by side: both runs at the same share.",
    )


def _chosen(choice: str | None, page: PageSettings[Experiment]) -> None:
    if choice in (None, "both"):  # None: pressed twice
        page.set(compare=choice == "both" or page["compare"])
        return
    scaled = choice == "scaled"
    if scaled == page.settings.scale_features:
        page.set(compare=False)
        return
    from gd_core.lessons.landscape import twin_rate

    page.set(compare=False, scale_features=scaled, learning_rate=twin_rate(page.settings))
