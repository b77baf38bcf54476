"""Sign descent, θ ← θ − η sign(∇L): a rule that the lab does not have, added as anybody would add one.

Its equation goes into `optimizers.OPTIMIZERS`, its entry into `rules.OPTIMIZER_INFO`, and nothing else is done. Imported
before the rest of the app, so that this finds it as if it stood in these two files.
"""

from types import MappingProxyType

from torch import Tensor

from gd_core import optimizers
from gd_core.optimizers import State, UpdateRule
from gd_core.settings import rules
from gd_core.settings.rules import JUMPS, LEAVES, PASSES, InRace, NoLimit, OptimizerInfo

NAME = "sign-descent"
WHY = "Sign descent sees no more of the gradient than its sign, so its steps stay η: it hovers instead of diverging."


def sign_descent(learning_rate: float) -> UpdateRule:
    """θ ← θ − η sign(∇L)."""

    def update(theta: Tensor, gradient: Tensor, state: State) -> tuple[Tensor, State]:
        return theta - learning_rate * gradient.sign(), state

    return UpdateRule(lambda theta: {}, update)


SIGN_DESCENT = OptimizerInfo(
    title="Sign descent",
    help="A step of η along each parameter, against the sign of its slope.",
    latex=r"\theta \leftarrow \theta - \eta\,\mathrm{sign}(\nabla L)",
    theory=NoLimit(
        why=WHY,
        rate_of_one=lambda of: 1.0,
        up=PASSES.format("Sign descent"),
        gone=LEAVES.format("Sign descent"),
        swing=JUMPS,
    ),
    by_hand=("theta -= learning_rate * gradient.sign()",),
    torch=None,
    written_out=("{name} ← {p} − {rate} × sign({g})",),
    race=InRace(
        name="Sign descent",
        good="The same step for every parameter, however flat it is there.",
        bad="Its steps never get shorter, so it circles the bottom.",
    ),
)


def added() -> None:
    """Put it where the two files have their rules."""
    optimizers.OPTIMIZERS = {**optimizers.OPTIMIZERS, NAME: sign_descent}
    rules.OPTIMIZER_INFO = MappingProxyType({**rules.OPTIMIZER_INFO, NAME: SIGN_DESCENT})
