"""A class that predicts together: rooms, questions, votes, and where they are kept. No torch, no Streamlit.

`rooms.py` has the values, `rules.py` says what may be done when, `views.py` who may see what; `store.py` keeps it.
"""
