"""What is said of a run that has come to rest on a loss that is no bowl: in which valley, and whether many starts know a lower one."""

from gd_core.here import STARTS, Here
from gd_core.words import short, significant, times


def at_rest(here: Here) -> tuple[str, ...]:
    """Where it is, and what another start may find. Nothing is said of the whole loss that nobody has proved."""
    best = significant(here.best.rmse, 4)
    if here.is_saddle:
        falls = sum(curvature < 0 for curvature in here.curvatures)
        of = (
            "every direction"
            if falls == len(here.curvatures)
            else f"a direction of curvature {short(here.curvatures[0])}"
        )
        kind = "top" if falls == len(here.curvatures) else "saddle"
        return (
            f"That is a {kind}: the slope is 0 here, and so is every step, though it falls off along {of}.",
        )
    if not here.is_minimum:
        return (
            f"The slope is hardly anything here, {short(here.slope)}. The best that {STARTS} starts found is RMSE {best}.",
        )
    if here.is_best:
        return (f"No lower valley was found from {STARTS} starts. That there is none, nobody has proved.",)
    return (
        "That is a local minimum: every way from here leads up.",
        f"The best that {STARTS} starts found is RMSE {best}; this is {times(here.rmse / here.best.rmse)} × that. Start elsewhere.",
    )
