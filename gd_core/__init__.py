"""What gradient descent is: data, models, losses, update rules, the loop and its theory.

Read `training.py` first: it is the textbook. `experiment.py` says what a run is, `problem.py` builds it,
`recorder.py` runs it. Nothing here knows Streamlit.
"""
