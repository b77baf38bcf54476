"""The usual way to show training in Streamlit: a loop that fills placeholders anew, here after every epoch."""

import altair as alt
import pandas as pd
import streamlit as st
import torch

st.title("Training in a loop")
epochs = 200

if st.button("Train"):
    fit, error = st.empty(), st.empty()
    t = torch.arange(20.0)
    y = torch.rand(20, generator=torch.Generator().manual_seed(2021)) * 5 + 0.8 * (t - 7.5) ** 2 + 1
    params = torch.tensor([-0.13, -1.0, 0.57], requires_grad=True)
    losses: list[float] = []
    for _ in range(epochs):
        a, b, c = params
        prediction = a * t**2 + b * t + c
        loss = ((prediction - y) ** 2).mean()
        loss.backward()
        params.data -= 1e-5 * params.grad
        params.grad = None
        losses.append(loss.item() ** 0.5)
        rows = pd.DataFrame({"t": t.numpy(), "y": y.numpy(), "fit": prediction.detach().numpy()})
        points = alt.Chart(rows).mark_point().encode(x="t", y="y")
        fit.altair_chart(points + alt.Chart(rows).mark_line().encode(x="t", y="fit"))
        curvature = pd.DataFrame({"epoch": range(len(losses)), "RMSE": losses})
        error.altair_chart(alt.Chart(curvature).mark_line().encode(x="epoch", y="RMSE"))
