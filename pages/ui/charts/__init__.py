"""Recordings and theory as charts. Pure: values in, Altair out; no Streamlit.

A chart is a fixed specification and a few small tables. Everything that changes from run to run, the axes' ends
included, is in the tables, so that a new run only replaces data and nothing is drawn anew. Everything that changes
from epoch to epoch is computed in the chart from the parameter `epoch`, which the player moves.

Every chart has a table `frame` of one row (axes, stride, what is constant in a run) and most have a table `run`
with one row a drawn epoch. The parameter `seen` is the last epoch shown so far: what lies beyond stays hidden.
"""
