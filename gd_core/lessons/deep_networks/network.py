"""A deep network and its training as a value: what is fitted, from which start, how, for how long. And its link.

Like `Experiment` it holds primitives only, and the bounds of every field live here and nowhere else. No torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Self, get_type_hints

from gd_core.export.caption import Settings, written
from gd_core.settings.catalog import OPTIMIZER_INFO
from gd_core.settings.experiment import Bounds, ParameterError, quoted, to_text

ACTIVATION_TITLES: Mapping[str, str] = MappingProxyType(
    {"sigmoid": "Sigmoid", "tanh": "tanh", "relu": "ReLU", "gelu": "GELU"}
)
INITIALISATION_TITLES: Mapping[str, str] = MappingProxyType(
    {"small": "Small, 0.1", "large": "Large, 1", "xavier": "Xavier", "he": "He"}
)
RULES = ("gradient-descent", "momentum", "adam")  # of `catalog.OPTIMIZER_INFO`, with their usual settings
NETWORK_BOUNDS: Mapping[str, Bounds] = MappingProxyType(
    {
        "depth": Bounds(1, 30, "Layers L", "Hidden layers. An output layer that adds up comes after them."),
        "width": Bounds(2, 64, "Width", "How many numbers each hidden layer passes on."),
        "learning_rate": Bounds(1e-12, 1e3, "Learning rate η", "How long a step is: η times the gradient."),
        "epochs": Bounds(1, 2000, "Epochs", "How often the training goes through all the data."),
        "seed": Bounds(0, 2**32 - 1, "Seed", "Which random weights the training starts from."),
    }
)
NETWORK_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "activation": tuple(ACTIVATION_TITLES),
        "initialisation": tuple(INITIALISATION_TITLES),
        "optimizer": RULES,
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
        for name in NETWORK_FIELDS:
            if sentence := problem_with(name, getattr(self, name)):
                raise ParameterError(name, sentence)

    def to_query(self) -> dict[str, str]:
        """The link: what is always said, and the other fields where they differ from the usual."""
        values = {name: getattr(self, name) for name in NETWORK_FIELDS}
        return {
            name: to_text(value)
            for name, value in values.items()
            if name in ALWAYS or value != getattr(type(self), name)
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
        for name in NETWORK_FIELDS:
            values[name] = getattr(fallback or cls, name)
            if name not in query:
                continue
            value = _from_text(name, query[name])
            if sentence := problem_with(name, value):
                sentences.append(sentence)
            else:
                values[name] = value
        return cls(**values), sentences


NETWORK_FIELDS = tuple(f.name for f in fields(Network))
_TYPES = get_type_hints(Network)


def problem_with(name: str, value: Any) -> str | None:
    """The sentence that says which rule `value` breaks, or None."""
    if name in NETWORK_CHOICES or _TYPES[name] is bool:
        choices = NETWORK_CHOICES.get(name, ("true", "false"))
        if value in NETWORK_CHOICES.get(name, (True, False)) and isinstance(value, _TYPES[name]):
            return None
        return f"{name} must be one of {', '.join(choices)}. Got {quoted(value)}."
    low, high = NETWORK_BOUNDS[name][:2]
    whole = _TYPES[name] is int
    is_number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if is_number and low <= value <= high:
        return None
    kind = "a whole number" if whole else "a number"
    return f"{name} must be {kind} between {low:,.12g} and {high:,.12g}. Got {quoted(value)}."


def _from_text(name: str, text: str) -> Any:
    """A field's value, or the text itself where it is none: `problem_with` then says so."""
    if _TYPES[name] is bool:
        return {"true": True, "false": False}.get(text, text)
    try:
        return _TYPES[name](text)
    except ValueError:
        return text


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
        "Epochs": f"{network.epochs:,}",
    }
