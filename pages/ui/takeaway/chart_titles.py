"""What each chart is called where it stands alone, by the key that the page draws it under."""

import re

TITLES = {
    "fit": "Data and fit",
    "agreement": "Predicted and actual",
    "along": "Fit along feature {}",
    "boundary": "Data and boundary",
    "landscape": "Landscape",
    "relief": "In relief",
    "starts": "Where starts end",
    "error": "Error by epoch",
    "trace": "Parameter {}",
    "panel": "Small panel {}",
    "gap": "Gap to the optimum",
    "both": "Gap to the optimum",
    "curve": "Loss and slope",
    "moment_fit": "Data and fit",
    "moment_error": "Error by epoch",
    "bars": "Rows’ contributions {}",
    "steps": "Error of the finite difference",
    "small": "Run {}",
    "errors": "Error by epoch",
    "sweep": "Error for every rate",
    "arriving": "Single rows above the floor",
    "class_sweep": "The class’s rates",
    "valley": "Landscape",
    "valley_without": "Landscape without scaling",
    "valley_scaled": "Landscape, scaled",
    "race_map": "Landscape",
    "race_errors": "Error",
    "compare_errors": "Error by epoch",
    "compare_map": "Landscape",
    "compare_fit": "Fits",
    "deep_curve": "Data and network",
    "deep_norms": "Gradient by layer",
    "deep_heat": "Gradient by layer and epoch",
    "deep_loss": "Loss by epoch",
}
FROM_ONE = ("small",)  # keys that count from 1
_NUMBERED = re.compile(r"(.+)_(\d+)")


def title_of(key: str) -> str:
    """A chart's title; of several alike, with its number. A chart that has none is called by its key."""
    numbered = _NUMBERED.fullmatch(key)
    if key in TITLES or not numbered:
        return TITLES.get(key, key.replace("_", " ").capitalize())
    name, number = numbered[1], int(numbered[2]) + (numbered[1] not in FROM_ONE)
    return TITLES.get(name, f"{name.replace('_', ' ').capitalize()} {{}}").format(number)
