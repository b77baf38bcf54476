"""What can be chosen, in words: titles, help, parameters and starting values.

No torch here, so that a page can draw its controls before torch is loaded. The functions behind the names stand
in `datasets.DATASETS`, `objective.LOSSES` and `optimizers.OPTIMIZERS`; a test holds the two sides together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """A data set as a choice.

    Attributes:
        title: Name on the page.
        help: One sentence for a student.
        model: Key of `models.MODELS`, the model that is fitted to it.
        parameters: Display names of θ, in order. For a table, `Experiment.info` has the ones of its features.
        knobs: Fields of `Experiment` that shape the data; the others are meaningless for it.
        defaults: Fields of `Experiment` whose starting value is this data set's own.
        source: Where it was published.
    """

    title: str
    help: str
    model: str
    parameters: tuple[str, ...]
    knobs: tuple[str, ...] = ()
    defaults: Mapping[str, object] = field(default_factory=dict)
    source: str


@dataclass(frozen=True, kw_only=True)
class OptimizerInfo:
    """An update rule as a choice: title, help, formula in LaTeX, and its own hyper-parameters with defaults."""

    title: str
    help: str
    latex: str
    hyperparameters: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LossInfo:
    """A loss as a choice: title, help and formula in LaTeX."""

    title: str
    help: str
    latex: str


DATASET_INFO: Mapping[str, DatasetInfo] = MappingProxyType(
    {
        "noisy-quadratic": DatasetInfo(
            title="Noisy quadratic",
            help="Speed of an object over 20 seconds, with noise. The curve a·t² + b·t + c is fitted to it.",
            model="quadratic",
            parameters=("a", "b", "c"),
            knobs=("points", "noise", "data_seed"),
            defaults={
                "points": 20,
                "noise": 5.0,
                "data_seed": 2021,
                "learning_rate": 1e-5,
                "epochs": 1000,
            },
            source="A. A. Awan, “Gradient Descent: Design Your First Machine Learning Model”, 2021",
        ),
        "two-features": DatasetInfo(
            title="Two features",
            help="y = 1.3·x₁ − 1.0·x₂ − 3.5 for 1,000 random rows. A plane w₁·x₁ + w₂·x₂ + b is fitted to it.",
            model="linear",
            parameters=("w₁", "w₂", "b"),
            knobs=("points", "noise", "data_seed"),
            defaults={
                "points": 1000,
                "noise": 0.0,
                "data_seed": 42,
                "learning_rate": 1e-3,
                "epochs": 1000,
            },
            source="“Gradient Descent Algorithm in Machine Learning”, GeeksforGeeks",
        ),
        "one-parameter": DatasetInfo(
            title="One parameter",
            help="A single row, x = 3 and y = −3, and the model A·x. Its loss is the parabola (3 + 3A)².",
            model="proportional",
            parameters=("A",),
            defaults={"points": 1, "noise": 0.0, "data_seed": 0, "learning_rate": 0.1, "epochs": 40},
            source="“PyTorch Gradient Descent”, Tutorial And Example",
        ),
        "table": DatasetInfo(
            title="Your table",
            help="Rows of your own, from a file or pasted. A line, a polynomial or a plane is fitted to them.",
            model="linear",
            parameters=("w₁", "b"),
            defaults={
                "table": "cars",
                "target": "distance (ft)",
                "features": ("speed (mph)",),
                "points": 50,
                "noise": 0.0,
                "data_seed": 0,
                "learning_rate": 0.00188,  # 1/λ, rounded: half the limit
                "epochs": 1000,
            },
            source="Your own data",
        ),
    }
)

PUBLISHED: Mapping[str, DatasetInfo] = MappingProxyType(
    {name: info for name, info in DATASET_INFO.items() if name != "table"}
)

OPTIMIZER_INFO: Mapping[str, OptimizerInfo] = MappingProxyType(
    {
        "gradient-descent": OptimizerInfo(
            title="Gradient descent",
            help="A step against the gradient, as long as the rate says.",
            latex=r"\theta \leftarrow \theta - \eta\,\nabla L",
        ),
        "momentum": OptimizerInfo(
            title="Momentum",
            help="Steps add up like a rolling ball: the velocity keeps a share β of the last one.",
            latex=r"v \leftarrow \beta v + \nabla L \qquad \theta \leftarrow \theta - \eta\,v",
            hyperparameters={"momentum": 0.9},
        ),
        "nesterov": OptimizerInfo(
            title="Nesterov momentum",
            help="Momentum that looks one step ahead.",
            latex=r"v \leftarrow \beta v + \nabla L \qquad \theta \leftarrow \theta - \eta\,(\nabla L + \beta v)",
            hyperparameters={"momentum": 0.9},
        ),
        "adagrad": OptimizerInfo(
            title="AdaGrad",
            help="Each parameter has its own rate, which shrinks with all the gradients it has seen.",
            latex=r"s \leftarrow s + (\nabla L)^2 \qquad \theta \leftarrow \theta - \eta\,\nabla L/(\sqrt{s}+\epsilon)",
            hyperparameters={"epsilon": 1e-10},
        ),
        "rmsprop": OptimizerInfo(
            title="RMSProp",
            help="Like AdaGrad, but it forgets old gradients: a running mean with memory α.",
            latex=r"s \leftarrow \alpha s + (1-\alpha)(\nabla L)^2 \qquad "
            r"\theta \leftarrow \theta - \eta\,\nabla L/(\sqrt{s}+\epsilon)",
            hyperparameters={"alpha": 0.99, "epsilon": 1e-8},
        ),
        "adam": OptimizerInfo(
            title="Adam",
            help="Momentum and RMSProp together, both corrected for their cold start.",
            latex=r"m \leftarrow \beta_1 m + (1-\beta_1)\nabla L \qquad s \leftarrow \beta_2 s + (1-\beta_2)(\nabla L)^2 "
            r"\qquad \theta \leftarrow \theta - \eta\,\hat m/(\sqrt{\hat s}+\epsilon)",
            hyperparameters={"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
        ),
    }
)

LOSS_INFO: Mapping[str, LossInfo] = MappingProxyType(
    {
        "mse": LossInfo(
            title="Mean squared error",
            help="The mean of the squared differences, row by row.",
            latex=r"L = \tfrac{1}{N}\sum_i (\hat y_i - y_i)^2",
        ),
        "mse-broadcast": LossInfo(
            title="The article's shape mistake",
            help="Prediction (N, 1) minus target (N,) is an N × N table: every prediction is compared with every "
            "target. Its mean is smallest when all predictions equal the mean of y.",
            latex=r"L = \tfrac{1}{N^2}\sum_i\sum_j (\hat y_i - y_j)^2",
        ),
    }
)
