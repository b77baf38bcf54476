"""Measured numbers that a data set of its own is made of. No torch, no NumPy."""

# Sea surface temperature off Peru, in the region Niño 1+2 (0–10° S, 80–90° W), in °C: the mean of each month of 2008 and 2009.
# NOAA's National Weather Service, Climate Prediction Center, ERSST v3b. A work of the United States government, in the public
# domain; known from statsmodels as `datasets.elnino`, whose digits these are.
SEA = """24.24 26.39 26.91 25.68 24.43 23.19 23.02 22.14 21.60 21.39 21.54 22.73
24.39 25.53 25.48 25.84 24.95 24.09 23.09 22.03 21.48 21.64 21.99 23.21"""
