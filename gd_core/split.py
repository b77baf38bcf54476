"""Which rows are trained on, and which are held out to judge the fit."""

import torch
from torch import Tensor


def split(num_rows: int, held_out: int, seed: int) -> tuple[Tensor, Tensor]:
    """Numbers of the training rows [N − K] and of the held-out rows [K], each in the data's own order.

    Args:
        num_rows: N.
        held_out: K. The first K of a random order of all rows are held out.
        seed: Seeds a private generator, so that the same seed holds out the same rows.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(num_rows, generator=generator)
    return order[held_out:].sort().values, order[:held_out].sort().values
