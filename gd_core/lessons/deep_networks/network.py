"""A deep network and its training as a value: what is fitted, from which start, how, for how long. And its link.

Like `Experiment` it holds primitives only, and all that is known of a field stands in its table. No torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

from gd_core.export.caption import Settings, written
from gd_core.settings.fields import Choice, Field, Flag, Number, ParameterError
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.words import short

ACTIVATION_TITLES: Mapping[str, str] = MappingProxyType(
    {"sigmoid": "Sigmoid", "tanh": "tanh", "relu": "ReLU", "gelu": "GELU"}
)
INITIALISATION_TITLES: Mapping[str, str] = MappingProxyType(
    {"small": "Small, 0.1", "large": "Large, 1", "xavier": "Xavier", "he": "He"}
)
RULES = ("gradient-descent", "momentum", "adam")  # of `rules.OPTIMIZER_INFO`, with their usual settings
DEPTH = Number(
    low=1,
    high=30,
    whole=True,
    title="Layers L",
    help="Hidden layers. An output layer that adds up comes after them.",
)
NETWORK_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "depth": DEPTH,
        "width": Number(
            low=2, high=64, whole=True, title="Width", help="How many numbers each hidden layer passes on."
        ),
        "activation": Choice(choices=ACTIVATION_TITLES, title="Activation φ"),
        "initialisation": Choice(choices=INITIALISATION_TITLES, title="First weights"),
        "residual": Flag(title="Residual connections", help="Each layer adds its input to its output."),
        "normalise": Flag(title="Layer normalisation", help="Each output is brought to mean 0, deviation 1."),
        "optimizer": Choice(
            choices={rule: OPTIMIZER_INFO[rule].title for rule in RULES}, title="Update rule"
        ),
        "learning_rate": Number(
            low=1e-12, high=1e3, title="Learning rate η", help="How long a step is: η times the gradient."
        ),
        "epochs": Number(
            low=1,
            high=2000,
            whole=True,
            title="Epochs",
            help="How often the training goes through all the data.",
        ),
        "seed": Number(
            low=0,
            high=2**32 - 1,
            whole=True,
            title="Seed",
            help="Which random weights the training starts from.",
        ),
    }
)
ALWAYS = ("depth", "activation", "initialisation", "learning_rate", "epochs")  # stand in every link


@dataclass(frozen=True, kw_only=True)
class Network:
    """Everything that decides the numbers of a deep network's training, and nothing else.

    Attributes:
        depth: L, the number of hidden layers.
        width: Numbers that each of them passes on.
        activation: Key of `deep.ACTIVATIONS`.
        initialisation: Key of `deep.INITIALISATIONS`.
        residual: Whether each hidden layer but the first adds its input to its output.
        normalise: Whether each row is standardised before the activation.
        optimizer: Key of `optimizers.OPTIMIZERS`.
        learning_rate: η.
        epochs: Every epoch is one update on all the data.
        seed: Of the initial weights.

    Raises:
        ParameterError: If a field breaks its bounds, in one sentence.
    """

    depth: int = 20
    width: int = 32
    activation: str = "sigmoid"
    initialisation: str = "xavier"
    residual: bool = False
    normalise: bool = False
    optimizer: str = "gradient-descent"
    learning_rate: float = 0.1
    epochs: int = 400
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse the first field that breaks its rule."""
        for name, field in NETWORK_FIELDS.items():
            if sentence := field.wrong(name, getattr(self, name)):
                raise ParameterError(name, sentence)

    def to_query(self) -> dict[str, str]:
        """The link: what is always said, and the other fields where they differ from the usual."""
        return {
            name: field.write(getattr(self, name))
            for name, field in NETWORK_FIELDS.items()
            if name in ALWAYS or getattr(self, name) != getattr(type(self), name)
        }

    @classmethod
    def from_query(cls, query: Mapping[str, str], fallback: Self | None = None) -> tuple[Self, list[str]]:
        """Read a link. Unknown keys are ignored.

        Args:
            query: Field names and texts.
            fallback: Where a missing or bad field takes its value from; the usual network if there is none.

        Returns:
            The network, and one sentence for each bad value; that field alone takes another.
        """
        values, sentences = {}, []
        for name, field in NETWORK_FIELDS.items():
            values[name] = getattr(fallback or cls, name)
            if name not in query:
                continue
            value = field.parsed(query[name])
            if sentence := field.wrong_as_typed(name, value, query[name]):
                sentences.append(sentence)
            else:
                values[name] = value
        return cls(**values), sentences


def in_words(network: Network) -> Settings:
    """Everything that decides a training's numbers, by its title."""
    extras = {"residual connections": network.residual, "layer normalisation": network.normalise}
    with_ = [words for words, on in extras.items() if on]
    return {
        "Network": f"{network.depth} hidden layers of {network.width}, {ACTIVATION_TITLES[network.activation]}"
        + (f", with {' and '.join(with_)}" if with_ else ""),
        "First weights": f"{INITIALISATION_TITLES[network.initialisation]}, seed {network.seed}",
        "Update rule": OPTIMIZER_INFO[network.optimizer].title,
        "Learning rate": f"η = {written(network.learning_rate)}",
        "Epochs": short(network.epochs),
    }
