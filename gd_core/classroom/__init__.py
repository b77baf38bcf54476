"""A class that predicts together: rooms, questions, votes, and where they are kept. No torch, no Streamlit.

`rules.py` says what may be done when, and who may see what; `store.py` keeps it.
"""
