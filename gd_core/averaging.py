"""The mean of a run's points: where single rows hover, it is far closer to the optimum than the run ever is.

Sources:
    Polyak and Juditsky, 1992, and Ruppert, 1988. Once an epoch as in Izmailov et al., "Averaging Weights Leads to Wider
    Optima and Better Generalization", 2018; torch has it as `optim.swa_utils.AveragedModel`.
"""

from torch import Tensor

from gd_core.training import Epochs


def last_half(recording: Epochs, first: int = 0) -> Tensor:
    """θ at the end of each epoch of the last half of a run, or of its part from the epoch `first` on. [⌈E/2⌉, P]."""
    return recording.epoch_theta[1 + first + (recording.epochs - first) // 2 :]


def averaged(recording: Epochs, first: int = 0) -> Tensor:
    """The mean of these points, [P]."""
    return last_half(recording, first).mean(0)
