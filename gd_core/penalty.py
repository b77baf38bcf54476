"""The L2 penalty of a loss: Σⱼ λⱼ θⱼ², a parabola beside the loss of the rows. Which λ a parameter has: `settings.penalties`."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Penalty:
    """θ ↦ Σⱼ λⱼ θⱼ², [..., P] → [...]. No ½ stands before it: its slope is that of torch's `weight_decay` 2λ.

    Attributes:
        each: λ of each parameter as it is trained, [P]; 0 of one that is not penalised.
    """

    each: Tensor

    def __call__(self, theta: Tensor) -> Tensor:
        return (self.each * theta.square()).sum(-1)

    def __eq__(self, other: object) -> bool:
        """Whether two are the same at every θ."""
        return isinstance(other, Penalty) and torch.equal(self.each, other.each)

    @property
    def largest(self) -> float:
        """The largest λ."""
        return float(self.each.max())

    @property
    def bend(self) -> Tensor:
        """The diagonal of its Hessian, 2λ, [P]."""
        return 2 * self.each

    def slope(self, theta: Tensor) -> Tensor:
        """Its gradient 2Λθ, [..., P] → [..., P]."""
        return self.bend * theta

    def rows(self, count: float) -> Tensor:
        """Rows of least squares that say the same: `count` times the penalty is ‖rows θ‖². [P, P]."""
        return torch.diag((count * self.each).sqrt())
