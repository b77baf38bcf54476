"""The data sets for which a lesson has settings to open with: others it does not offer, and no run links there with them."""

GRADIENT = ("noisy-quadratic", "two-features", "one-parameter")
LANDSCAPE = ("noisy-quadratic", "two-features", "table")  # three parameters each
LEARNING_RATE = ("noisy-quadratic", "two-features", "one-parameter", "table")
VARIANTS = ("noisy-quadratic", "two-features", "table")
