"""The update rules in words: all that pages, scripts, theory and verdict say of one stands in its entry here. No torch.

The equations stand in `optimizers.OPTIMIZERS` under the same keys; a test holds the two sides together. What an entry
says in numbers (how a rule steps, the length of its first step) the tests compare with what its equation does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol


class Settings(Protocol):
    """Which rule, and with which numbers: a `Phase` or an `Experiment`."""

    @property
    def optimizer(self) -> str: ...
    @property
    def momentum(self) -> float: ...
    @property
    def alpha(self) -> float: ...


class Decaying(Settings, Protocol):
    """The same of a run whose rule may have a weight decay of its own."""

    @property
    def weight_decay(self) -> float: ...


class LinearStep(NamedTuple):
    """A step that is a sum of gradients, each times a number: v ← β v + ∇L, θ ← θ − η (a ∇L + b v), with a, b ≥ 0.

    Gradient descent is β = 0, a = 1, b = 0; the heavy ball a = 0, b = 1; Nesterov's form a = 1, b = β.
    """

    beta: float  # β
    on_gradient: float  # a
    on_velocity: float  # b

    @property
    def per_gradient(self) -> float:
        """1 / (a + b/(1 − β)): a gradient counts a + b (1 + β + β² + …) in all."""
        return (1 - self.beta) / (self.on_gradient * (1 - self.beta) + self.on_velocity)


class LinearRule(NamedTuple):
    """What is known of a rule whose steps are linear in the gradient: its limit, its best rates, its whole path.

    Attributes:
        step: How it steps, with these settings.
        limit: Its stability limit times the steepest curvature, in LaTeX.
        swing: Why the error changes sides below the limit; {kept} is the share that each jump keeps, in %.
        over_curvature: Whether the gradient is divided by the curvature, H⁻¹∇L, before it steps: then every direction goes as if its
            own were 1. It takes all rows of a loss that has the same Hessian everywhere, and its equation takes `inverse`, H⁻¹.
    """

    step: Callable[[Settings], LinearStep]
    limit: str
    swing: str
    over_curvature: bool = False


class NoLimit(NamedTuple):
    """What is said of a rule without a stability limit.

    Two things are taken for granted of it, and a test fails where they are not so: it takes the rate last,
    θ ← θ − η u with u free of η, beside a weight decay, and its first step is as long as `rate_of_one` says, whatever the gradient's size.

    Attributes:
        why: Why it has no limit.
        rate_of_one: The rate with which its first step changes a parameter by 1.
        up: Said where the error rises.
        gone: Said where the loss has passed the bound; {rate} is the rate, {first} the length of the first step.
        swing: Said where the error changes sides.
        flat: Said of a step that is almost flat, if not only how small it is.
    """

    why: str
    rate_of_one: Callable[[Settings], float]
    up: str
    gone: str
    swing: str
    flat: str = ""


class TorchCall(NamedTuple):
    """How torch.optim has the rule; {learning_rate} and the names of hyper-parameters stand for numbers.

    Attributes:
        name: The class.
        arguments: After the parameters.
        with_velocity: What follows where β > 0: torch refuses Nesterov's form without a velocity.
    """

    name: str
    arguments: str
    with_velocity: str = ""


class InRace(NamedTuple):
    """A racer of the Variants lesson: its name there, and what this race shows to be good and bad about it.

    What only a run decides is no part of `good` and `bad`. {memory} is how much it remembers, {below} the share that
    its limit is of momentum's, {kept} that of the error which it leaves along a curvature of 1, {parameters} how many there are and
    {cubed} the third power of that; names of hyper-parameters stand for their values.

    Attributes:
        name: What it is called.
        good: What is for it.
        bad: What is against it.
        bad_in_batches: The same where it takes mini-batches, if that is something else.
        ends: Said at the end instead of how often the error rose; {shrinkage} is how many times as large √Σ(∇L)² has
            become, {last} the longest change of a parameter in the last update, {rises} how often the error rose.
    """

    name: str
    good: str
    bad: str
    bad_in_batches: str = ""
    ends: str = ""


@dataclass(frozen=True, kw_only=True)
class OptimizerInfo:
    """An update rule as a choice, and all that is said of it.

    Attributes:
        title: Name on the page.
        help: One sentence for a student.
        latex: Its equations.
        hyperparameters: Fields of `Experiment` that it has beside the rate, with their usual values.
        theory: What is known before a run: a limit, or the reason why there is none.
        memory: What it keeps of each parameter from step to step: its name in the state, and in a script.
        counts_updates: Whether it also keeps the number k of its updates.
        forgets: Whether it divides by a memory of the gradients' size that fades: then its steps become long again.
        by_hand: Its step as lines of a script. Nothing is changed in place but theta.
        torch: torch.optim's; None where that has no such rule.
        written_out: Its step in the numbers of an epoch, for one parameter {name}: {p} its value, {g} its gradient, {rate}
            η; {v_before} and {v} what is remembered, before and after; {alpha} and {1-alpha} a hyper-parameter and its rest;
            {divided} its number of H⁻¹∇L, and {in_turn} the sum that this is, where it is short.
        race: As a racer; None for gradient descent, which races with three sizes of batch, and for a rule that shrinks the
            parameters too: the race is to the lowest error, and it does not go there. One that divides by the curvature has the
            rate 1, whatever the others have.
    """

    title: str
    help: str
    latex: str
    hyperparameters: Mapping[str, float] = field(default_factory=dict)
    theory: LinearRule | NoLimit
    memory: Mapping[str, str] = field(default_factory=dict)
    counts_updates: bool = False
    forgets: bool = False
    by_hand: tuple[str, ...]
    torch: TorchCall | None
    written_out: tuple[str, ...]
    race: InRace | None

    @property
    def over_curvature(self) -> bool:
        """Whether it divides by the curvature: see `LinearRule`."""
        return isinstance(self.theory, LinearRule) and self.theory.over_curvature

    @property
    def decays(self) -> bool:
        """Whether it has a weight decay of its own, no part of the gradient."""
        return "weight_decay" in self.hyperparameters

    def own(self, settings: Settings) -> dict[str, float]:
        """The hyper-parameters that this rule has, with the values that the settings give them."""
        return {name: getattr(settings, name) for name in self.hyperparameters}


# Of the rules that divide by the gradient's size, and of those that have a velocity.
PASSES = "Up: {} divides by the size of the gradients it remembers, so a step can be too long near the bottom and pass it."
LEAVES = "{}’s first step changes every parameter by about {{first}}, whatever the slope: that leaves the valley far behind."
HOVERS = "{} divides by the gradient’s own size, so its steps hardly shrink with the slope: no rate is a sharp limit."
JUMPS = "The steps hardly become shorter near the bottom, so they jump over it."
SWINGS = (
    "The velocity carries the point past the valley and back again: it swings. Less momentum swings less."
)

OPTIMIZER_INFO: Mapping[str, OptimizerInfo] = MappingProxyType(
    {
        "gradient-descent": OptimizerInfo(
            title="Gradient descent",
            help="A step against the gradient, as long as the rate says.",
            latex=r"\theta \leftarrow \theta - \eta\,\nabla L",
            theory=LinearRule(
                step=lambda of: LinearStep(beta=0.0, on_gradient=1.0, on_velocity=0.0),
                limit="2",
                swing="Each step jumps over the valley and lands on the other side; along the steepest direction "
                "the error keeps {kept} % of its size. A smaller rate does not jump.",
            ),
            by_hand=("theta -= learning_rate * gradient",),
            torch=TorchCall("SGD", "lr={learning_rate}"),
            written_out=("{name} ← {p} − {rate} × ({g})",),
            race=None,
        ),
        "momentum": OptimizerInfo(
            title="Momentum",
            help="Steps add up like a rolling ball: the velocity keeps a share β of the last one.",
            latex=r"v \leftarrow \beta v + \nabla L \qquad \theta \leftarrow \theta - \eta\,v",
            hyperparameters={"momentum": 0.9},
            theory=LinearRule(
                step=lambda of: LinearStep(beta=of.momentum, on_gradient=0.0, on_velocity=1.0),
                limit=r"2(1+\beta)",
                swing=SWINGS,
            ),
            memory={"v": "velocity"},
            by_hand=(
                "velocity = momentum * velocity + gradient",
                "theta -= learning_rate * velocity",
            ),
            torch=TorchCall("SGD", "lr={learning_rate}, momentum={momentum}"),
            written_out=("v ← {momentum} × ({v_before}) + ({g}) = {v}", "{name} ← {p} − {rate} × ({v})"),
            race=InRace(
                name="Momentum",
                good="Keeps {momentum} of its speed, so steps one way add up.",
                bad="Keeps {memory} for each parameter.",
            ),
        ),
        "nesterov": OptimizerInfo(
            title="Nesterov momentum",
            help="Momentum that looks one step ahead.",
            latex=r"v \leftarrow \beta v + \nabla L \qquad \theta \leftarrow \theta - \eta\,(\nabla L + \beta v)",
            hyperparameters={"momentum": 0.9},
            theory=LinearRule(
                step=lambda of: LinearStep(beta=of.momentum, on_gradient=1.0, on_velocity=of.momentum),
                limit=r"\tfrac{2(1+\beta)}{1+2\beta}",
                swing=SWINGS,
            ),
            memory={"v": "velocity"},
            by_hand=(
                "velocity = momentum * velocity + gradient",
                "theta -= learning_rate * (gradient + momentum * velocity)",
            ),
            torch=TorchCall("SGD", "lr={learning_rate}, momentum={momentum}", ", nesterov=True"),
            written_out=(
                "v ← {momentum} × ({v_before}) + ({g}) = {v}",
                "{name} ← {p} − {rate} × (({g}) + {momentum} × ({v}))",
            ),
            race=InRace(
                name="Nesterov",
                good="Keeps {momentum} of its speed, and looks a step ahead.",
                bad="Its limit is {below} of momentum’s.",
                bad_in_batches="Keeps {memory} for each parameter.",
            ),
        ),
        "adagrad": OptimizerInfo(
            title="AdaGrad",
            help="Each parameter has its own rate, which shrinks with all the gradients it has seen.",
            latex=r"s \leftarrow s + (\nabla L)^2 \qquad \theta \leftarrow \theta - \eta\,\nabla L/(\sqrt{s}+\epsilon)",
            hyperparameters={"epsilon": 1e-10},
            theory=NoLimit(
                why="AdaGrad divides by the gradients it has seen, so its steps shrink by themselves: no rate is a limit.",
                rate_of_one=lambda of: 1.0,
                up="Up: this step was too long. AdaGrad’s steps shrink with every gradient it has seen.",
                gone=LEAVES.format("AdaGrad"),
                swing=JUMPS,
                flat="Almost flat: AdaGrad’s steps shrink with every gradient it has seen, so a larger rate helps.",
            ),
            memory={"s": "squares"},
            by_hand=(
                "squares = squares + gradient**2",
                "theta -= learning_rate * gradient / (squares.sqrt() + epsilon)",
            ),
            torch=TorchCall("Adagrad", "lr={learning_rate}, eps={epsilon}"),
            written_out=("s ← {s_before} + ({g})² = {s}", "{name} ← {p} − {rate} × ({g}) / √{s}"),
            race=InRace(
                name="AdaGrad",
                good="A rate of its own for each parameter.",
                bad="Its rates only shrink.",
                ends="By the end it divides by {shrinkage} times as much as at first.",
            ),
        ),
        "rmsprop": OptimizerInfo(
            title="RMSProp",
            help="Like AdaGrad, but it forgets old gradients: a running mean with memory α.",
            latex=r"s \leftarrow \alpha s + (1-\alpha)(\nabla L)^2 \qquad "
            r"\theta \leftarrow \theta - \eta\,\nabla L/(\sqrt{s}+\epsilon)",
            hyperparameters={"alpha": 0.99, "epsilon": 1e-8},
            theory=NoLimit(
                why=HOVERS.format("RMSProp"),
                rate_of_one=lambda of: (1 - of.alpha) ** 0.5,  # its mean begins at 0
                up=PASSES.format("RMSProp"),
                gone=LEAVES.format("RMSProp"),
                swing=JUMPS,
            ),
            memory={"s": "squares"},
            forgets=True,
            by_hand=(
                "squares = alpha * squares + (1 - alpha) * gradient**2",
                "theta -= learning_rate * gradient / (squares.sqrt() + epsilon)",
            ),
            torch=TorchCall("RMSprop", "lr={learning_rate}, alpha={alpha}, eps={epsilon}"),
            written_out=(
                "s ← {alpha} × {s_before} + {1-alpha} × ({g})² = {s}",
                "{name} ← {p} − {rate} × ({g}) / √{s}",
            ),
            race=InRace(
                name="RMSProp",
                good="Own rates too, which forget old gradients.",
                bad="Keeps {memory} for each parameter.",
                ends="Its last step is {last} long, η is {rate}. {rises}",
            ),
        ),
        "adam": OptimizerInfo(
            title="Adam",
            help="Momentum and RMSProp together, both corrected for their cold start.",
            latex=r"m \leftarrow \beta_1 m + (1-\beta_1)\nabla L \qquad s \leftarrow \beta_2 s + (1-\beta_2)(\nabla L)^2 "
            r"\qquad \theta \leftarrow \theta - \eta\,\hat m/(\sqrt{\hat s}+\epsilon)",
            hyperparameters={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
            theory=NoLimit(
                why=HOVERS.format("Adam"),
                rate_of_one=lambda of: 1.0,
                up=PASSES.format("Adam"),
                gone=LEAVES.format("Adam"),
                swing=JUMPS,
            ),
            memory={"m": "m", "s": "s"},
            counts_updates=True,
            forgets=True,
            by_hand=(
                "k += 1",
                "m, s = beta1 * m + (1 - beta1) * gradient, beta2 * s + (1 - beta2) * gradient**2",
                "m_hat, s_hat = m / (1 - beta1**k), s / (1 - beta2**k)  # corrected for the start at 0",
                "theta -= learning_rate * m_hat / (s_hat.sqrt() + epsilon)",
            ),
            torch=TorchCall("Adam", "lr={learning_rate}, betas=({beta1}, {beta2}), eps={epsilon}"),
            written_out=(
                "m ← {beta1} × ({m_before}) + {1-beta1} × ({g}) = {m}",
                "s ← {beta2} × {s_before} + {1-beta2} × ({g})² = {s}",
                "{name} ← {p} − {rate} × m̂ / √ŝ",
            ),
            race=InRace(
                name="Adam",
                good="Speed and own rates together.",
                bad="Keeps {memory} for each parameter.",
            ),
        ),
        "adamw": OptimizerInfo(
            title="AdamW",
            help="Adam, and beside its step every parameter shrinks by the share ηλ of itself. At λ = 0 it is Adam.",
            latex=r"\theta \leftarrow (1-\eta\lambda)\,\theta - \eta\,\hat m/(\sqrt{\hat s}+\epsilon) \qquad "
            r"m \leftarrow \beta_1 m + (1-\beta_1)\nabla L \qquad s \leftarrow \beta_2 s + (1-\beta_2)(\nabla L)^2",
            hyperparameters={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01},
            theory=NoLimit(
                why=f"{HOVERS.format('AdamW')} And its weight decay shrinks every parameter at the lowest point too.",
                rate_of_one=lambda of: 1.0,
                up=f"{PASSES.format('AdamW')} And the weight decay pulls every parameter toward 0, whatever the loss.",
                gone=LEAVES.format("AdamW"),
                swing=JUMPS,
            ),
            memory={"m": "m", "s": "s"},
            counts_updates=True,
            forgets=True,
            by_hand=(
                "k += 1",
                "m, s = beta1 * m + (1 - beta1) * gradient, beta2 * s + (1 - beta2) * gradient**2",
                "m_hat, s_hat = m / (1 - beta1**k), s / (1 - beta2**k)  # corrected for the start at 0",
                "theta -= learning_rate * (weight_decay * theta + m_hat / (s_hat.sqrt() + epsilon))",
            ),
            torch=TorchCall(
                "AdamW",
                "lr={learning_rate}, betas=({beta1}, {beta2}), eps={epsilon}, weight_decay={weight_decay}",
            ),
            written_out=(
                "m ← {beta1} × ({m_before}) + {1-beta1} × ({g}) = {m}",
                "s ← {beta2} × {s_before} + {1-beta2} × ({g})² = {s}",
                "{name} ← (1 − {rate} × {weight_decay}) × ({p}) − {rate} × m̂ / √ŝ",
            ),
            race=None,
        ),
        "newton": OptimizerInfo(
            title="Newton’s step",
            help="The gradient divided by the curvature: on a bowl one step at η = 1. On all rows, and with a squared error only.",
            latex=r"\theta \leftarrow \theta - \eta\,H^{-1}\nabla L",
            theory=LinearRule(
                step=lambda of: LinearStep(beta=0.0, on_gradient=1.0, on_velocity=0.0),
                limit="2",
                swing="Each step jumps over the lowest point to the other side; the error keeps {kept} % of its size. The rate 1 "
                "lands on it.",
                over_curvature=True,
            ),
            by_hand=("theta -= learning_rate * (inverse @ gradient)",),
            torch=None,
            written_out=("H⁻¹∇L = {in_turn}{divided}", "{name} ← {p} − {rate} × ({divided})"),
            race=InRace(
                name="Newton",
                good="Divides by the curvature, so all directions are alike: a step leaves {kept} of the error in each.",
                bad="Inverts H, {parameters} × {parameters} numbers, which costs about P³: {cubed} here, a billion for 1,000 parameters. "
                "Needs all rows.",
            ),
        ),
    }
)


def decay_of(settings: Decaying) -> float:
    """λ of a decoupled weight decay, by which a parameter loses ηλ of itself in an update; 0 for a rule without one."""
    return settings.weight_decay if OPTIMIZER_INFO[settings.optimizer].decays else 0.0


def linear_step(settings: Settings) -> LinearStep | None:
    """How a rule steps that is linear in the gradient; None for one that is not.

    Raises:
        KeyError: If there is no such rule.
    """
    theory = OPTIMIZER_INFO[settings.optimizer].theory
    return theory.step(settings) if isinstance(theory, LinearRule) else None


def is_plain(settings: Settings) -> bool:
    """Whether a step is −η ∇L and nothing is remembered: the error along an eigenvector is multiplied by 1 − ηλ in an epoch."""
    plain = LinearStep(beta=0.0, on_gradient=1.0, on_velocity=0.0)
    info = OPTIMIZER_INFO[settings.optimizer]
    return not info.memory and not info.over_curvature and linear_step(settings) == plain


def felt(settings: Settings, eigenvalue: Any) -> Any:
    """The curvature that a rule's step meets along an eigenvector: λ, or 1 where it divides by that. A number, an array, a tensor.

    0 stays 0: nothing is known to divide by, and no step goes that way.
    """
    divides = OPTIMIZER_INFO[settings.optimizer].over_curvature
    return (eigenvalue > 0) * eigenvalue**0 if divides else eigenvalue
