"""The other usual way: a fragment that runs again as often as it can, with some more epochs at each run."""

import altair as alt
import pandas as pd
import streamlit as st
import torch

EPOCHS, AT_ONCE = 200, 4
t = torch.arange(20.0)
y = torch.rand(20, generator=torch.Generator().manual_seed(2021)) * 5 + 0.8 * (t - 7.5) ** 2 + 1
st.title("Training in a fragment")
if st.button("Train"):
    st.session_state["params"] = torch.tensor([-0.13, -1.0, 0.57], requires_grad=True)
    st.session_state["losses"] = []
trained = len(st.session_state.get("losses", ()))


@st.fragment(run_every=0.05 if "params" in st.session_state and trained < EPOCHS else None)
def live() -> None:
    params, losses = st.session_state["params"], st.session_state["losses"]
    prediction = torch.zeros(20)
    for _ in range(AT_ONCE):
        a, b, c = params
        prediction = a * t**2 + b * t + c
        loss = ((prediction - y) ** 2).mean()
        loss.backward()
        params.data -= 1e-5 * params.grad
        params.grad = None
        losses.append(loss.item() ** 0.5)
    rows = pd.DataFrame({"t": t.numpy(), "y": y.numpy(), "fit": prediction.detach().numpy()})
    points = alt.Chart(rows).mark_point().encode(x="t", y="y")
    st.altair_chart(points + alt.Chart(rows).mark_line().encode(x="t", y="fit"))
    curvature = pd.DataFrame({"epoch": range(len(losses)), "RMSE": losses})
    st.altair_chart(alt.Chart(curvature).mark_line().encode(x="epoch", y="RMSE"))
    if len(losses) >= EPOCHS:
        st.rerun()


if "params" in st.session_state and trained < EPOCHS:
    live()
