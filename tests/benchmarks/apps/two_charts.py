"""The least that a page with charts costs: Streamlit, Altair, and two charts."""

import altair as alt
import pandas as pd
import streamlit as st

ROWS = pd.DataFrame({"x": range(20), "y": [0.8 * (x - 7.5) ** 2 + 1 for x in range(20)]})

st.title("Two charts")
st.altair_chart(alt.Chart(ROWS).mark_point().encode(x="x", y="y"))
st.altair_chart(alt.Chart(ROWS).mark_line().encode(x="x", y="y"))
