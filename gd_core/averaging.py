"""The mean of a run's points: where single rows hover, it is far closer to the optimum than the run ever is.

Sources:
    Polyak and Juditsky, 1992, and Ruppert, 1988. Once an epoch as in Izmailov et al., "Averaging Weights Leads to Wider
    Optima and Better Generalization", 2018; torch has it as `optim.swa_utils.AveragedModel`.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from gd_core.training import Epochs


def last_half(recording: Epochs, first: int = 0) -> Tensor:
    """θ at the end of each epoch of the last half of a run, or of its part from the epoch `first` on. [⌈E/2⌉, P]."""
    return recording.epoch_theta[1 + first + (recording.epochs - first) // 2 :]


def averaged(recording: Epochs, first: int = 0) -> Tensor:
    """The mean of these points, [P]."""
    return last_half(recording, first).mean(0)


def running(recording: Epochs, epochs: np.ndarray, firsts: Sequence[int] = (0,)) -> Tensor:
    """The same as if the run had ended at each of some epochs, [K, P]: at its start, and at that of each part, the point itself.

    Args:
        recording: The run.
        epochs: Which, [K].
        firsts: The epoch that each part of it begins at.
    """
    points, ends = recording.epoch_theta, torch.from_numpy(np.asarray(epochs, dtype=np.int64))
    part = np.searchsorted(firsts, ends.numpy(), side="left").clip(min=1) - 1
    first = torch.from_numpy(np.asarray(firsts, dtype=np.int64)[part])
    before = first + (ends - first) // 2
    # Small beside the points.
    sums = torch.cat([torch.zeros_like(points[:1]), (points[1:] - points[-1]).cumsum(0)])
    count = (ends - before).unsqueeze(1)
    means = points[-1] + (sums[ends] - sums[before]) / count.clamp(min=1)
    return torch.where((count > 0) & means.isfinite(), means, points[ends])  # sums of a run far out are none
