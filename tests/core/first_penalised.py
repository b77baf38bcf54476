"""A kind of penalty that is none of ours: four times the first parameter's square. Added as a kind is: by one entry."""

from types import MappingProxyType

from gd_core.settings import penalties
from gd_core.settings.penalties import PenaltyInfo

NAME = "first"
FIRST = PenaltyInfo(
    title="The first parameter",
    help="Four times as much as λ says, and nothing else.",
    factors=lambda names, intercept: (4.0, *(0.0 for _ in names[1:])),
    squares="four times the first squared parameter",
    intercept="and no intercept",
    norm="4λθ₁²",
    latex=r"4\,\theta_1^2",
    slope=r"4\,\theta_1",
)


def added() -> None:
    """Put it where the kinds are."""
    penalties.PENALTIES = MappingProxyType({**penalties.PENALTIES, NAME: FIRST})
