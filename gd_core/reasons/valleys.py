"""What is said of a run on a loss that is no bowl: in which valley or on which plateau, and whether many starts know a lower one."""

from torch import Tensor

from gd_core.here import STARTS, Here
from gd_core.settings.catalog import model_info
from gd_core.settings.experiment import Experiment
from gd_core.words import counted, short, significant, times


def at_rest(here: Here) -> tuple[str, ...]:
    """Where it is, and what another start may find. Nothing is said of the whole loss that nobody has proved."""
    if here.down:
        return (
            f"That is a {_kind(here)}: the slope is 0 here, and so is every step, though it falls off {_along(here)}.",
        )
    if here.flat:
        flat = counted(here.flat, "direction")
        return (
            f"Along {flat} the loss does not curve here, so no curvature tells whether it is a minimum.",
            _best(here),
        )
    if here.is_best:
        return (f"No lower valley was found from {STARTS} starts. That there is none, nobody has proved.",)
    return (
        "That is a local minimum: every way from here leads up.",
        f"{_beside_best(here)} Start elsewhere.",
    )


def at_a_start(experiment: Experiment, here: Here, start: Tensor) -> tuple[str, ...]:
    """Why a run never moves: its start is a place without a slope."""
    why = model_info(experiment.info.model).at_zero if not start.any() else ""
    if not here.down:
        return (*at_rest(here), why)
    return (
        f"Nothing happens: the slope is 0 here along every parameter.{f' {why}' if why else ''}",
        f"That is a {_kind(here)}: it falls off {_along(here)}. Start a little beside it.",
    )


def on_the_way(here: Here) -> tuple[str, ...]:
    """Where a run is that hardly moves, and has not arrived."""
    if here.bottom is None:
        falls = f", and the loss falls off {_along(here)}" if here.down else ""
        return (f"This is a plateau: the slope is hardly anything, {short(here.slope)}{falls}.", _best(here))
    floor = f"RMSE {significant(here.rmse * (here.bottom / here.loss) ** 0.5, 4)}"
    if not here.is_mean_square:
        floor = f"a penalised loss of {significant(here.bottom, 4)}"
    return (f"The bottom of this valley has {floor}; the slope is hardly anything, {short(here.slope)}.",)


def _best(here: Here) -> str:
    if not here.is_mean_square:
        return f"The lowest penalised loss that {STARTS} starts found is {significant(here.best.loss, 4)}."
    rmse = "0, a perfect fit" if here.best.is_perfect else significant(here.best.rmse, 4)
    return f"The best that {STARTS} starts found is RMSE {rmse}."


def _beside_best(here: Here) -> str:
    """How much lower the best is, in what is minimised."""
    if here.best.is_perfect:
        return _best(here)
    share = here.lowest / here.best.loss
    if here.is_mean_square:
        return f"{_best(here)[:-1]}; this is {times(share**0.5)} × that."
    loss, found = significant(here.lowest, 4), significant(here.best.loss, 4)
    return (
        f"The penalised loss here is {loss}, {times(share)} × the lowest that {STARTS} starts found, {found}."
    )


def place_of(here: Here) -> str:
    """What kind of place it is."""
    if here.is_minimum:
        return "the lowest that was found" if here.is_best else "a local minimum"
    if here.bottom is not None:
        return "a valley, above its bottom"
    if here.is_saddle:
        return f"a {_kind(here)}"
    return "a flat place" if here.is_level else "a plateau or slope"


def _kind(here: Here) -> str:
    return "top" if len(here.down) == len(here.curvatures) else "saddle"


def _along(here: Here) -> str:
    """Along which directions it falls off."""
    if len(here.down) == len(here.curvatures):
        return "along every direction"
    if len(here.down) == 1:
        return f"along a direction of curvature {short(here.down[0])}"
    return f"along {counted(len(here.down), 'direction')}, of curvature {short(here.down[0])} the steepest"
