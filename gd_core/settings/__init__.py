"""A run in words and numbers: what can be chosen, and its link. No torch, and no NumPy until a table is looked into."""
