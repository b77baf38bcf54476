"""When the error on held-out rows parts from the error on training rows."""

from typing import NamedTuple

from gd_core.training import Recording

PARTED = 0.02  # the held-out RMSE ends at least this share above its lowest
TAIL = (
    10  # the last tenth of the epochs is what a run "ends" at, so that one lucky mini-batch decides nothing
)
ROUNDING = 1e-9  # of the first RMSE: differences below it are none


class Parting(NamedTuple):
    """The epoch after which the two errors part, and the held-out RMSE there, its lowest."""

    epoch: int
    lowest: float


def parting(recording: Recording) -> Parting | None:
    """Where the two errors part, or None if they do not, or if no row is held out.

    They part after the epoch at which the held-out RMSE is lowest, if in the whole last tenth of the run it stays more
    than 2 % above that while the mean training RMSE there is below the training RMSE of that epoch. So both errors
    rising together, as in a run that diverges, is no parting, and neither is a held-out error that is only higher.
    """
    held_out, training = recording.epoch_held_out_rmse, recording.epoch_rmse
    if held_out is None:
        return None
    epoch = int(held_out.argmin())
    lowest = float(held_out[epoch])
    tail = max(1, recording.epochs // TAIL)
    if epoch > recording.epochs - tail:
        return None
    rose = float(held_out[-tail:].min()) > lowest * (1 + PARTED) + ROUNDING * float(held_out[0])
    fell = float(training[-tail:].mean()) < float(training[epoch])
    return Parting(epoch, lowest) if rose and fell else None
