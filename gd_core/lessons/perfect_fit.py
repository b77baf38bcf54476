"""Errors of a perfect fit: an RMSE that is 0 up to rounding is written as 0, and does not part two runs."""

from gd_core.theory import Forecast
from gd_core.words import significant


def nothing(first: float, forecast: Forecast) -> float:
    """Up to which RMSE a run from this first one has met every row, to rounding; 0 where the floor is above 0."""
    return forecast.curvature.nothing(first)


def rmse_of(rmse: float, first: float, forecast: Forecast, digits: int = 6) -> str:
    """An RMSE in a sentence."""
    return "0" if rmse <= nothing(first, forecast) else significant(rmse, digits)
