"""The data sets for which a lesson has settings to open with, and kinds of fields that it lets vary.

Other data sets it does not offer, and no run links there with them.
"""

GRADIENT = ("noisy-quadratic", "two-features", "one-parameter")
LANDSCAPE = ("noisy-quadratic", "two-features", "table")  # three parameters each
LEARNING_RATE = ("noisy-quadratic", "two-features", "one-parameter", "table")
VARIANTS = ("noisy-quadratic", "two-features", "table")
HILLS = ("tide",)  # a loss that is no bowl

# Fields that most lessons let vary: of a table, of the rows, of where a run begins and how it is worked out.
COLUMNS = ("target", "features", "degree", "missing")
ROWS = ("points", "noise", "data_seed", "holdout", "split_seed")
START = ("start", "seed", "engine")
