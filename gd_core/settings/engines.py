"""What works a run out: the loop of the textbook, or the eigenvectors of the loss, which need no loop. In words, without torch.

Full batches, a loss that is a parabola, and a rule that is linear in the gradient: then the error along each eigenvector is
multiplied by a number, or by a small matrix, in every epoch, and the whole path is a power of it. The loop is what one
reads first and what trains every short run; a longer run that can be is worked out along the eigenvectors.
"""

from collections.abc import Iterable

from gd_core.settings.rules import OPTIMIZER_INFO, LinearRule

AUTO, LOOP, SPECTRUM = "auto", "loop", "spectrum"
ENGINES = (AUTO, LOOP, SPECTRUM)
LOOP_UPDATES = 500  # the loop does as many before one notices: so few are left to it
SHORT_UPDATES = 3000  # it does as many in a fraction of a second,
SHORT_ROWS = 4_000_000  # if they do not look at more rows than this
ENGINE_NOTE = "Computed along the eigenvectors, without the loop: the same numbers to 1e-9."


def is_long(updates: int, rows_per_update: int) -> bool:
    """Whether the loop takes more than a fraction of a second for so many updates."""
    return updates > SHORT_UPDATES or updates * rows_per_update > SHORT_ROWS


def why_no_spectrum(
    updates_per_epoch: int, optimizers: Iterable[str], why_no_parabola: str | None = None
) -> str | None:
    """Where a run cannot be worked out along the eigenvectors, and why; None where it can."""
    if why_no_parabola:
        return f"for a run whose {why_no_parabola}, so that the eigenvectors are others at every point"
    if updates_per_epoch > 1:
        return "with mini-batches, each of which has eigenvectors of its own"
    infos = ((name, OPTIMIZER_INFO[name]) for name in optimizers)
    if odd := next(
        (name for name, one in infos if not isinstance(one.theory, LinearRule) or one.over_curvature), None
    ):
        return f"with {odd}, whose steps are no multiples of the gradient"
    return None
