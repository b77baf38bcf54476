"""What an L2 penalty weighs: the weights alone, or every parameter. A kind is one entry of `PENALTIES`, and nothing else.

Each parameter's λ is the run's λ times its factor. Tensors, theory, scripts and words all follow from the entry; what the
penalty is worth at a θ, its slope and its curvature stand in `gd_core/penalty.py`.

Source:
    Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 2009, section 3.4.1, on the intercept.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class PenaltyInfo:
    """A kind of penalty as a choice, and all that is said of it.

    Attributes:
        title: Name on the page.
        help: One sentence or two for a student.
        factors: (names of the parameters, whether the last is an intercept) ↦ what λ is multiplied by of each, 0 or more.
        squares: What is added up, in words, in ASCII for a script.
        intercept: What becomes of an intercept, in words after these.
        norm: The penalty in a sentence.
        latex: What is added up in LaTeX,
        slope: and half its gradient.
    """

    title: str
    help: str
    factors: Callable[[Sequence[str], bool], tuple[float, ...]]
    squares: str
    intercept: str
    norm: str
    latex: str
    slope: str

    def worded(self, *, intercept: bool) -> str:
        """What is added up, of a model with an intercept or without one."""
        return f"{self.squares}, {self.intercept}" if intercept else self.squares


WEIGHTS = "weights"
PENALTIES: Mapping[str, PenaltyInfo] = MappingProxyType(
    {
        WEIGHTS: PenaltyInfo(
            title="The weights",
            help="Ridge regression as it is usual. The intercept is free, so the curve can move up and down as a whole.",
            factors=lambda names, intercept: (1.0,) * (len(names) - intercept) + (0.0,) * intercept,
            squares="the squared weights",
            intercept="without the intercept",
            norm="λ‖w‖²",
            latex=r"\sum_j w_j^2",
            slope="w",
        ),
        "all": PenaltyInfo(
            title="All parameters",
            help="The intercept too, as weight_decay of torch.optim does it. The lowest point is another one: the curve is "
            "pulled to 0 as a whole.",
            factors=lambda names, intercept: (1.0,) * len(names),
            squares="all squared parameters",
            intercept="the intercept too",
            norm="λ‖θ‖²",
            latex=r"\sum_j \theta_j^2",
            slope=r"\theta",
        ),
    }
)
