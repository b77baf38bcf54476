"""What can be chosen, in words: titles, help, formulas, parameters, starting values, and how a script writes it.

All that is said of a data set, a model or a loss stands in its entry here, of an update rule in `rules`; how it is
computed stands under the same key in `datasets.DATASETS`, `models.MODELS` and `objective.LOSSES`. A test holds the two
halves together. No torch here, so that a page can draw its controls before torch is loaded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from gd_core.settings.penalties import PenaltyInfo
from gd_core.tables.measured import SEA

Sized = Callable[[int], str]  # a text for D, the number of weights: of the parameters without an intercept


def fixed(text: str) -> Sized:
    """The text of a model that always has as many parameters."""
    return lambda _: text


# ------------------------------------------------------------------------------------------------------------- models


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Lines of a script around the scaling of its features.

    Attributes:
        moments: `mu` and `sigma`, mean and deviation of `x`.
        to_raw: The matrix `to_raw`, which turns coefficients of (x − mu) / sigma into coefficients of x.
        constant: What a deviation of 0 becomes; empty if the features cannot be constant.
        imports: What of the standard library this takes.
    """

    moments: str
    to_raw: Sized
    constant: str = ""
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Offered:
    """How a model is offered for a table of one's own.

    Attributes:
        title: Name on the page.
        help: One sentence for a student.
        features: Of how many columns it is; 0 for any number.
        parameters: Display names of θ, in order; empty where they hang on columns and degree.
        start: θ₀, for features and target that are scaled; they always are, where it is given.
        shown: See `DatasetInfo`, in the same units,
        axes: and this.
        learning_rate: η to begin with, where nobody knows one before training,
        epochs: and for how long.
    """

    title: str
    help: str
    features: int = 0
    parameters: tuple[str, ...] = ()
    start: tuple[float, ...] = ()
    shown: tuple[tuple[float, float], ...] = ()
    axes: tuple[int, int] = (0, 1)
    learning_rate: float = 0.2
    epochs: int = 600


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """A model in words.

    Attributes:
        latex: ŷ in LaTeX.
        plain: What ŷ is, as plain text.
        linear: Whether ŷ = Φθ. Only then can a squared error be a parabola in θ, and features be scaled.
        terms: What stands for φᵢⱼ in ŷ = Σⱼ φᵢⱼ θⱼ, in words, by parameter; empty for an intercept. None where nobody says.
        columns: Lines of a script that make `columns` of `x`: Φ, one for each parameter, if the model is linear.
        prediction: ŷ [N] in a script, of `theta` and the `columns` of some rows, if it is not columns @ theta.
        scaling: Lines of a script for scaled features; None if there is no way back to the raw ones.
        curve: ŷ over one feature as a Vega expression, of the name of θ's object, the feature, and D.
        centred: Whether its curve is drawn from the coefficients of the feature minus its mean, over its deviation:
            powers of 2000 cancel to more digits than 32 bits have.
        plane: Whether of several features ŷ = w₁ x₁ + … + b, with b or without: only such are drawn.
        intercept: Whether the last parameter is one.
        through_origin: Key of the same model without it; empty if there is none.
        at_zero: Why the slope is 0 where all parameters are, as a sentence; empty where it is not.
        of_target: Which parameters have the unit of y, in order, so that they are scaled with it; empty if all have.
        offered: How it is offered for a table; None if it is not.
    """

    latex: Sized
    plain: Sized
    linear: bool = True
    terms: tuple[str, ...] | None = None
    columns: Sized
    prediction: str | None = None
    scaling: Scaling | None = None
    curve: Callable[[str, str, int], str]
    centred: bool = False
    plane: bool = False
    intercept: bool = False
    through_origin: str = ""
    at_zero: str = ""
    of_target: tuple[bool, ...] = ()
    offered: Offered | None = None


def _plane_in_latex(weights: int) -> str:
    if weights == 1:
        return r"\hat y = w_1 x"
    if weights <= 3:
        return rf"\hat y = {' + '.join(f'w_{k} x_{k}' for k in range(1, weights + 1))}"
    return rf"\hat y = w_1 x_1 + \dots + w_{{{weights}}} x_{{{weights}}}"


def _plane(weights: int) -> str:
    if weights == 1:
        return "w1·x"
    if weights <= 3:
        return " + ".join(f"w{k}·x{k}" for k in range(1, weights + 1))
    return f"w1·x1 + w2·x2 + … + w{weights}·x{weights}"


def _polynomial_in_latex(weights: int) -> str:
    if weights > MANY_POWERS:
        return rf"\hat y = w_1 x + w_2 x^2 + \dots + w_{{{weights}}} x^{{{weights}}}"
    return r"\hat y = w_1 x" + "".join(f" + w_{k} x^{k}" for k in range(2, weights + 1))


def _polynomial(weights: int) -> str:
    if weights > MANY_POWERS:
        return f"w1·x + w2·x^2 + … + w{weights}·x^{weights}"
    return "w1·x" + "".join(f" + w{k}·x^{k}" for k in range(2, weights + 1))


def _and_b(weighted: Sized) -> Sized:
    return lambda weights: f"{weighted(weights)} + b"


def _polynomial_to_raw(weights: int) -> str:
    powers = [*range(1, weights + 1), 0]
    return f"""powers = {powers}  # ((x - mu) / sigma)^k, multiplied out
rows = [[math.comb(k, j) * (-mu) ** (k - j) / sigma**k if j <= k else 0 for k in powers] for j in powers]
to_raw = torch.tensor(rows, dtype=torch.float64)"""


def _origin_to_raw(weights: int) -> str:
    return f"""shares = torch.tensor([sigma**-k for k in range(1, {weights + 1})], dtype=torch.float64)
to_raw = torch.diag(shares)"""


def _units_in_latex(weights: int) -> str:
    units = range(1, weights // 3 + 1)
    return r"\hat y = " + " + ".join(rf"v_{k}\,\tanh(w_{k} x + b_{k})" for k in units)


def _units(weights: int) -> str:
    return " + ".join(f"v{k}·tanh(w{k}·x + b{k})" for k in range(1, weights // 3 + 1))


def _units_added_up(theta: str, x: str, weights: int) -> str:
    """Σ v_k tanh(w_k x + b_k), as a Vega expression, which has no tanh: 1 − 2/(1 + e^2z) is one."""
    units = weights // 3
    places = ((k, units + k, 2 * units + k) for k in range(units))
    return " + ".join(
        f"{theta}.p{v} * (1 - 2 / (1 + exp(2 * ({theta}.p{w} * {x} + {theta}.p{b}))))" for w, b, v in places
    )


def _horner_through_origin(theta: str, x: str, weights: int) -> str:
    """x (w₁ + x (w₂ + …)), as a Vega expression."""
    curve = f"{theta}.p{weights - 1}"
    for power in range(weights - 2, -1, -1):
        curve = f"({curve} * {x} + {theta}.p{power})"
    return f"{curve} * {x}"


def _horner(theta: str, x: str, weights: int) -> str:
    """b + x (w₁ + x (w₂ + …)), as a Vega expression."""
    return f"{_horner_through_origin(theta, x, weights)} + {theta}.p{weights}"


MANY_POWERS = 5  # of a polynomial; above it, its formula is told with dots
# without an intercept nothing takes up a shift, so x is divided by the root of its mean square, as R's scale(center = FALSE)
_SIZE = Scaling(
    moments="mu, sigma = 0.0, x.square().mean().sqrt().item()  # no intercept would take up a shift",
    constant="sigma = 1.0  # a column of zeros",
    to_raw=_origin_to_raw,
)
_OF_ONE = Scaling(
    moments="mu, sigma = x.mean().item(), x.std(correction=0).item()",
    constant="sigma = 1.0  # the deviation of a constant column",
    to_raw=_polynomial_to_raw,
    imports=("math",),
)

MODEL_INFO: Mapping[str, ModelInfo] = {
    "quadratic": ModelInfo(
        latex=fixed(r"\hat y = a\,t^2 + b\,t + c"),
        plain=fixed("a·t² + b·t + c"),
        terms=("t²", "t", ""),
        columns=fixed("columns = torch.cat([x**2, x, torch.ones_like(x)], 1)"),
        scaling=Scaling(
            moments="mu, sigma = x.mean().item(), x.std(correction=0).item()",
            to_raw=fixed(
                """rows = [[1 / sigma**2, 0, 0], [-2 * mu / sigma**2, 1 / sigma, 0], [mu**2 / sigma**2, -mu / sigma, 1]]
to_raw = torch.tensor(rows, dtype=torch.float64)"""
            ),
        ),
        curve=lambda theta, x, _: f"{theta}.p0 * {x} * {x} + {theta}.p1 * {x} + {theta}.p2",
        intercept=True,
        through_origin="quadratic-origin",
    ),
    "quadratic-origin": ModelInfo(
        latex=fixed(r"\hat y = a\,t^2 + b\,t"),
        plain=fixed("a·t² + b·t"),
        terms=("t²", "t"),
        columns=fixed("columns = torch.cat([x**2, x], 1)"),
        scaling=replace(
            _SIZE,
            constant="",
            to_raw=fixed(
                """rows = [[1 / sigma**2, 0], [0, 1 / sigma]]
to_raw = torch.tensor(rows, dtype=torch.float64)"""
            ),
        ),
        curve=lambda theta, x, _: f"{theta}.p0 * {x} * {x} + {theta}.p1 * {x}",
    ),
    "linear": ModelInfo(
        latex=_and_b(_plane_in_latex),
        plain=_and_b(_plane),
        terms=("x₁", "x₂", ""),
        columns=fixed("columns = torch.cat([x, torch.ones_like(x[:, :1])], 1)"),
        scaling=Scaling(
            moments="mu, sigma = x.mean(0), x.std(0, correction=0)",
            constant="sigma[sigma <= 1e-12 * x.abs().amax(0)] = 1.0  # the deviation of a constant column",
            to_raw=fixed(
                """to_raw = torch.diag(torch.cat([1 / sigma, torch.ones(1, dtype=torch.float64)]))
to_raw[-1, :-1] = -mu / sigma"""
            ),
        ),
        curve=_horner,
        centred=True,
        plane=True,
        intercept=True,
        through_origin="linear-origin",
        offered=Offered(
            title="Line, plane or polynomial",
            help="w₁·x + b; with more columns or a degree, more terms. The loss is a bowl.",
        ),
    ),
    "linear-origin": ModelInfo(
        latex=_plane_in_latex,
        plain=_plane,
        terms=("x₁", "x₂"),
        columns=fixed("columns = x"),
        scaling=Scaling(
            moments="mu, sigma = 0.0, x.square().mean(0).sqrt()  # no intercept would take up a shift",
            constant="sigma[sigma == 0] = 1.0  # a column of zeros",
            to_raw=fixed("to_raw = torch.diag(1 / sigma)"),
        ),
        curve=_horner_through_origin,
        centred=True,
        plane=True,
    ),
    "polynomial": ModelInfo(
        latex=_and_b(_polynomial_in_latex),
        plain=_and_b(_polynomial),
        columns=lambda weights: (
            f"columns = torch.cat([*(x**k for k in range(1, {weights + 1})), torch.ones_like(x)], 1)"
        ),
        scaling=_OF_ONE,
        curve=_horner,
        centred=True,
        intercept=True,
        through_origin="polynomial-origin",
    ),
    "polynomial-origin": ModelInfo(
        latex=_polynomial_in_latex,
        plain=_polynomial,
        columns=lambda weights: f"columns = torch.cat([x**k for k in range(1, {weights + 1})], 1)",
        scaling=_SIZE,
        curve=_horner_through_origin,
        centred=True,
    ),
    "proportional": ModelInfo(
        latex=fixed(r"\hat y = A\,x"),
        plain=fixed("A·x"),
        terms=("x",),
        columns=fixed("columns = x"),
        curve=lambda theta, x, _: f"{theta}.p0 * {x}",
    ),
    "wave": ModelInfo(
        latex=fixed(r"\hat y = 1.8\,\sin(\omega\,t + \varphi)"),
        plain=fixed("1.8·sin(ω·t + φ)"),
        linear=False,
        columns=fixed("columns = x[:, 0]"),
        prediction="1.8 * torch.sin(theta[0] * columns + theta[1])",
        curve=lambda theta, x, _: f"1.8 * sin({theta}.p0 * {x} + {theta}.p1)",
    ),
    "free-wave": ModelInfo(
        latex=fixed(r"\hat y = a\,\sin(\omega\,t + \varphi)"),
        plain=fixed("a·sin(ω·t + φ)"),
        linear=False,
        columns=fixed("columns = x[:, 0]"),
        prediction="theta[0] * torch.sin(theta[1] * columns + theta[2])",
        curve=lambda theta, x, _: f"{theta}.p0 * sin({theta}.p1 * {x} + {theta}.p2)",
    ),
    "two-layer": ModelInfo(
        latex=_units_in_latex,
        plain=_units,
        linear=False,
        columns=fixed("columns = x"),
        prediction="(torch.tanh(columns * theta[:2] + theta[2:4]) * theta[4:]).sum(1)",
        curve=_units_added_up,
        at_zero="Each unit gives tanh 0 = 0, which v is multiplied with; and v = 0 multiplies all that w and b do.",
    ),
    "sine": ModelInfo(
        latex=fixed(r"\hat y = a\,\sin(\omega\,x + \varphi) + c"),
        plain=fixed("a·sin(ω·x + φ) + c"),
        linear=False,
        columns=fixed("columns = x[:, 0]"),
        prediction="theta[0] * torch.sin(theta[1] * columns + theta[2]) + theta[3]",
        scaling=Scaling(
            moments=_OF_ONE.moments,
            constant=_OF_ONE.constant,
            to_raw=fixed(
                """to_raw = torch.eye(4, dtype=torch.float64)
to_raw[1, 1], to_raw[2, 1] = 1 / sigma, -mu / sigma"""
            ),
        ),
        curve=lambda theta, x, _: f"{theta}.p0 * sin({theta}.p1 * {x} + {theta}.p2) + {theta}.p3",
        centred=True,
        intercept=True,
        of_target=(True, False, False, True),
        offered=Offered(
            title="Wave",
            help="a·sin(ω·x + φ) + c, of one column, for what comes again and again. The loss has many valleys.",
            features=1,
            parameters=("a", "ω", "φ", "c"),
            start=(1.0, 2.0, 0.0, 0.0),
            shown=((-2.5, 2.5), (0.5, 12.0), (-3.2, 3.2), (-1.5, 1.5)),
            axes=(1, 2),
        ),
    ),
    "network": ModelInfo(
        latex=lambda weights: f"{_units_in_latex(weights)} + c",
        plain=lambda weights: f"{_units(weights)} + c",
        linear=False,
        columns=fixed("columns = x"),
        prediction="(torch.tanh(columns * theta[:2] + theta[2:4]) * theta[4:6]).sum(1) + theta[6]",
        scaling=Scaling(
            moments=_OF_ONE.moments,
            constant=_OF_ONE.constant,
            to_raw=fixed(
                """to_raw = torch.eye(7, dtype=torch.float64)
to_raw[[0, 1], [0, 1]], to_raw[[2, 3], [0, 1]] = 1 / sigma, -mu / sigma"""
            ),
        ),
        curve=lambda theta, x, weights: f"{_units_added_up(theta, x, weights)} + {theta}.p{weights}",
        centred=True,
        intercept=True,
        of_target=(False,) * 4 + (True,) * 3,
        offered=Offered(
            title="Network of two tanh units",
            help="v₁·tanh(w₁·x + b₁) + v₂·tanh(w₂·x + b₂) + c, of one column. The loss has hills, saddles and plateaus.",
            features=1,
            parameters=("w₁", "w₂", "b₁", "b₂", "v₁", "v₂", "c"),
            start=(0.5, 0.6, 0.2, -0.2, 0.3, 0.1, 0.0),
            shown=(((-4.0, 4.0),) * 4 + ((-2.5, 2.5),) * 2 + ((-1.5, 1.5),)),
            axes=(0, 4),
        ),
    ),
}

# Those of a table, by the key that stands in its link.
OFFERED: Mapping[str, Offered] = {name: info.offered for name, info in MODEL_INFO.items() if info.offered}


def model_info(name: str) -> ModelInfo:
    """A model in words.

    Raises:
        ValueError: If it is none of these: nothing of another is shown in its place.
    """
    if name not in MODEL_INFO:
        raise ValueError(f"model must be one of {', '.join(MODEL_INFO)}. Got {name}.")
    return MODEL_INFO[name]


# ---------------------------------------------------------------------------------------------------------- data sets


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
        rows: Key of the data set whose rows it has, if they are another's: two models can fit the same.
        start: θ₀ as published, in raw units; None if it is the one that comes with the rows.
        shown: Of a loss that is no bowl: lowest and highest of each parameter on the map, and where starts are drawn from
            that are tried for its lowest point,
        axes: and the two parameters that the map shows at first, by number.
        about: What the rows are, for the comment above the lines of a script.
        code: These lines, which make `x` and `y`, with {points}, {noise} and {data_seed} in them. A table has its own.
        noise_code: What stands there for {noisy}, if there is any noise.
        yes_no: Whether its target is 0 or 1 in each row. A table's is looked at.
    """

    title: str
    help: str
    model: str
    parameters: tuple[str, ...]
    knobs: tuple[str, ...] = ()
    defaults: Mapping[str, object] = field(default_factory=dict)
    source: str
    rows: str = ""
    start: tuple[float, ...] | None = None
    shown: tuple[tuple[float, float], ...] = ()
    axes: tuple[int, int] = (0, 1)
    about: str = ""
    code: str = ""
    noise_code: str = ""
    yes_no: bool = False

    @property
    def weights(self) -> int:
        """D, how many parameters there are beside an intercept."""
        return len(self.parameters) - model_info(self.model).intercept

    @property
    def is_a_single_row(self) -> bool:
        """Whether it is one row, which has no spread to be scaled and cannot be split."""
        return self.defaults.get("points") == 1


DATASET_INFO: Mapping[str, DatasetInfo] = {
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
        about="speed of an object after t seconds, with noise",
        code="""generator = torch.Generator().manual_seed({data_seed})
t = torch.arange({points}).float()  # seconds
y = torch.rand({points}, generator=generator) * {noise!r} + 0.8 * (t - 7.5) ** 2 + 1  # m/s
x, y = t.double().unsqueeze(1), y.double()  # from here on with 16 digits""",
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
        about="random rows of a plane",
        code="""generator = torch.Generator().manual_seed({data_seed})
x = torch.randn({points}, 2, generator=generator)
y = x @ torch.tensor([1.3, -1.0]) - 3.5{noisy}
x, y = x.double(), y.double()  # from here on with 16 digits""",
        noise_code=" + {noise!r} * torch.randn({points}, generator=generator)",
    ),
    "one-parameter": DatasetInfo(
        title="One parameter",
        help="A single row, x = 3 and y = −3, and the model A·x. Its loss is the parabola (3 + 3A)².",
        model="proportional",
        parameters=("A",),
        defaults={"points": 1, "noise": 0.0, "data_seed": 0, "learning_rate": 0.1, "epochs": 40},
        source="“PyTorch Gradient Descent”, Tutorial And Example",
        about="a single row",
        code="""x = torch.tensor([[3.0]], dtype=torch.float64)
y = torch.tensor([-3.0], dtype=torch.float64)""",
    ),
    "tide": DatasetInfo(
        title="Tide",
        help="Height of the water over two days. The wave 1.8·sin(ω·t + φ) is fitted to it; its loss has many valleys.",
        model="wave",
        parameters=("ω", "φ"),
        knobs=("points", "noise", "data_seed"),
        defaults={"points": 49, "noise": 0.6, "data_seed": 7, "learning_rate": 0.1, "epochs": 400},
        source="Our own numbers",
        shown=((4.0, 20.0), (-3.2, 3.2)),
        about="height of the water in m after t days, with noise",
        code="""generator = torch.Generator().manual_seed({data_seed})
t = torch.arange({points}, dtype=torch.float64) / 24  # days
y = 1.8 * torch.sin(2 * torch.pi * t / 0.5175 + 0.6){noisy}
x = t.unsqueeze(1)""",
        noise_code=" + {noise!r} * (torch.rand({points}, generator=generator) - 0.5)",
    ),
    "sea": DatasetInfo(
        title="Sea",
        help="Temperature of the sea off Peru, 24 months as measured. The wave a·sin(ω·t + φ) is fitted to it, its height too.",
        model="free-wave",
        parameters=("a", "ω", "φ"),
        defaults={
            "points": 24,
            "noise": 0.0,
            "data_seed": 0,
            "learning_rate": 0.1,
            "epochs": 600,
        },
        source="NOAA, Climate Prediction Center, ERSST v3b, Niño 1+2, 2008 and 2009; public domain",
        shown=((-4.0, 4.0), (2.0, 14.0), (-3.2, 3.2)),
        axes=(1, 2),
        about="sea surface temperature off Peru, monthly, 2008 and 2009 (NOAA, Nino 1+2)",
        code=f"""months = \"\"\"{SEA}\"\"\"
celsius = torch.tensor([float(month) for month in months.split()], dtype=torch.float64)
x = torch.arange(24, dtype=torch.float64).unsqueeze(1) / 12  # years
y = celsius - celsius.mean()""",
    ),
    "dose": DatasetInfo(
        title="Dose",
        help="A little helps, too much harms. A network of two tanh units is fitted; its loss has hills, saddles and plateaus.",
        model="two-layer",
        parameters=("w₁", "w₂", "b₁", "b₂", "v₁", "v₂"),
        knobs=("points", "noise", "data_seed"),
        defaults={"points": 41, "noise": 0.3, "data_seed": 7, "learning_rate": 0.3, "epochs": 600},
        source="Our own numbers",
        shown=((-4.0, 4.0), (-4.0, 4.0), (-4.0, 4.0), (-4.0, 4.0), (-2.5, 2.5), (-2.5, 2.5)),
        axes=(0, 4),
        about="growth in cm above the usual, by the logarithm of a dose, with noise",
        code="""generator = torch.Generator().manual_seed({data_seed})
x = torch.linspace(-2, 2, {points}, dtype=torch.float64)  # log10 of the dose in mg
y = torch.tanh(2.5 * x + 2) - torch.tanh(2 * x - 2){noisy}
x = x.unsqueeze(1)""",
        noise_code=" + {noise!r} * (torch.rand({points}, generator=generator) - 0.5)",
    ),
    "pass-or-fail": DatasetInfo(
        title="Pass or fail",
        help="A yes or a no for 200 students, over hours of study and sleep. Fitted is the probability of a pass.",
        model="linear",
        parameters=("w₁", "w₂", "b"),
        knobs=("points", "noise", "data_seed"),
        defaults={
            "points": 200,
            "noise": 1.5,
            "data_seed": 7,
            "loss": "log",
            "learning_rate": 0.5,
            "epochs": 300,
        },
        source="Made up for this program",
        about="whether students passed, over their hours of study and sleep",
        code="""generator = torch.Generator().manual_seed({data_seed})
x = torch.randn({points}, 2, generator=generator) * torch.tensor([2.0, 1.0])  # hours above the usual
y = x @ torch.tensor([0.8, 1.2]) - 0.4{noisy} > 0  # 1 for a pass
x, y = x.double(), y.double()  # from here on with 16 digits""",
        noise_code=" + {noise!r} * torch.randn({points}, generator=generator)",
        yes_no=True,
    ),
    "table": DatasetInfo(
        title="Your table",
        help="Rows of your own, from a file or pasted. A line, a polynomial, a plane, a wave or a small network is fitted to them.",
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

PUBLISHED: Mapping[str, DatasetInfo] = {name: info for name, info in DATASET_INFO.items() if name != "table"}


def through_origin(info: DatasetInfo) -> DatasetInfo:
    """The same data set, fitted without an intercept. Asked for only where its model has one."""
    start = info.start and info.start[:-1]
    model = model_info(info.model).through_origin
    return replace(info, model=model, parameters=info.parameters[:-1], start=start)


def how_scaled(info: DatasetInfo) -> str:
    """What scaling makes of each feature, as the beginning of a sentence."""
    if model_info(info.model).intercept:
        return "Each feature minus its mean, over its deviation"
    return (
        "Each feature over the root of its mean square, as without an intercept nothing would take up a shift"
    )


def why_not_scaled(info: DatasetInfo) -> str | None:
    """Why the features of a data set cannot be scaled, as the end of a sentence; None if they can."""
    if info.is_a_single_row:
        return "a single row has no spread"
    if model_info(info.model).scaling is None:
        return "its model has no way back to the raw features"
    return None


# -------------------------------------------------------------------------------------------------------------- losses


class LossLines(NamedTuple):
    """A loss in a script: what it is, as its docstring, and its value by `prediction` and `target`."""

    says: str
    value: str


@dataclass(frozen=True, kw_only=True)
class LossInfo:
    """A loss in words.

    Attributes:
        title: Name on the page.
        help: One sentence for a student.
        latex: L in LaTeX.
        gradient: ∇L in LaTeX, with {columns} for what each prediction changes by with θ.
        squared: Whether it is a mean squared error, against y or something else that θ does not move. Of a model that is
            linear in θ it is a parabola then.
        is_mean_square: Whether its root is the RMSE that is shown.
        minimised: What is minimised and what is shown, for a student.
        floor: What the RMSE at its lowest point means.
        close: Said near there, with {floor} for that RMSE.
        rises: Why the RMSE may rise although the rate is below its limit; empty if for another reason.
        name: What it is called in a sentence, and
        known: what is known before training, for a student; both empty if it is a squared error.
        known_penalised: The same with a penalty, where that is something else.
        hyperparameters: Fields of `Experiment` that it has, with their usual values.
        yes_no: Whether it is of a target of 0 and 1: what the model says is a logit then, and ŷ = σ of that a probability.
        other_error: An error in the target's unit that is drawn beside the RMSE, of the loss; None if there is none,
        thin: and what it is.
        lines: How a script writes it,
        lines_of_many: and for more than MANY_ROWS rows, if otherwise.
    """

    title: str
    help: str
    latex: str
    gradient: str
    squared: bool
    is_mean_square: bool
    minimised: str
    floor: str
    close: str
    rises: str = ""
    name: str = ""
    known: str = ""
    known_penalised: str = ""
    hyperparameters: Mapping[str, float] = field(default_factory=dict)
    yes_no: bool = False
    other_error: Callable[[Any], Any] | None = None
    thin: str = ""
    lines: LossLines
    lines_of_many: LossLines | None = None

    def own(self, settings: object) -> dict[str, float]:
        """The settings that it has of its own, with the values that an experiment gives them."""
        return {name: getattr(settings, name) for name in self.hyperparameters}


MANY_ROWS = 1000  # up to so many the N × N table of the shape mistake is really made in a script: 8 MB
LOSS_INFO: Mapping[str, LossInfo] = {
    "mse": LossInfo(
        title="Mean squared error",
        help="The mean of the squared differences, row by row.",
        latex=r"L = \tfrac{1}{N}\sum_i (\hat y_i - y_i)^2",
        gradient=r"\nabla L = \tfrac{2}{N}\,{columns}^\top(\hat y - y)",
        squared=True,
        is_mean_square=True,
        minimised="Minimised is the mean squared error; shown is its root, the RMSE.",
        floor="The error at the optimum. No training gets below it.",
        close="Close to the floor, {floor}: no training gets below it.",
        lines=LossLines("The mean of the squared errors.", "((prediction - target) ** 2).mean()"),
    ),
    "mse-broadcast": LossInfo(
        title="The article's shape mistake",
        help="Prediction (N, 1) minus target (N,) is an N × N table: every prediction is compared with every "
        "target. Its mean is smallest when all predictions equal the mean of y.",
        latex=r"L = \tfrac{1}{N^2}\sum_i\sum_j (\hat y_i - y_j)^2",
        gradient=r"\nabla L = \tfrac{2}{N}\,{columns}^\top(\hat y - \bar y)",
        squared=True,
        is_mean_square=False,
        minimised="Minimised is the mean of the N × N table; shown as RMSE is the error against the data. The thin line "
        "is the root of the loss.",
        floor="The error where this mistaken loss is lowest. The right loss gets far below it.",
        close="Close to {floor}, the error where this mistaken loss is lowest.",
        rises="Up: the mistaken loss falls, while the error against the data rises.",
        other_error=lambda loss: loss**0.5,
        thin="root of the minimised loss",
        lines=LossLines(
            "The mistake of the article: (N, 1) minus (N,) is a table, every prediction with every target.",
            "((prediction.unsqueeze(1) - target) ** 2).mean()",
        ),
        lines_of_many=LossLines(
            "The mean of an N by N table, every prediction with every target, without making it.",
            "prediction.var(correction=0) + target.var(correction=0) + (prediction.mean() - target.mean()) ** 2",
        ),
    ),
    "absolute": LossInfo(
        title="Mean absolute error",
        help="The mean of the differences without their signs. Every row pulls equally hard, so an outlier bends nothing.",
        latex=r"L = \tfrac{1}{N}\sum_i |\hat y_i - y_i|",
        gradient=r"\nabla L = \tfrac{1}{N}\,{columns}^\top\mathrm{sign}(\hat y - y)",
        squared=False,
        is_mean_square=False,
        minimised="Minimised is the mean absolute error, MAE, the thin line; shown is the RMSE.",
        floor="The RMSE where the MAE is lowest. Elsewhere the RMSE may be lower.",
        close="Close to {floor}, the RMSE where the MAE is lowest.",
        name="MAE",
        known="The absolute error is no parabola. Its slope is as steep close to the bottom as far away, and a kink has no "
        "curvature. So there is no κ, and no rate is a limit: a fixed one ends in steps to and fro, the longer the larger "
        "it is.",
        known_penalised="The absolute error is no parabola: its slope jumps at a kink, which has no curvature. So there is no κ. A fixed "
        "rate ends in steps to and fro, the longer the larger it is; above 1/λ the penalty throws each step farther than the last.",
        other_error=lambda loss: loss,
        thin="MAE, which is minimised",
        lines=LossLines("The mean of the absolute errors.", "(prediction - target).abs().mean()"),
    ),
    "huber": LossInfo(
        title="Huber loss",
        help="Up to δ half the square of the difference, beyond it a straight line: an outlier pulls no harder than δ.",
        latex=r"L = \tfrac{1}{N}\sum_i \rho(\hat y_i - y_i) \qquad "
        r"\rho(r) = \tfrac{1}{2}r^2 \text{ up to } |r| = \delta,\text{ then } \delta(|r| - \tfrac{1}{2}\delta)",
        gradient=r"\nabla L = \tfrac{1}{N}\,{columns}^\top\min(\delta, \max(-\delta, \hat y - y))",
        squared=False,
        is_mean_square=False,
        minimised="Minimised is the Huber loss; shown is the RMSE.",
        floor="The RMSE where the Huber loss is lowest. Elsewhere the RMSE may be lower.",
        close="Close to {floor}, the RMSE where the Huber loss is lowest.",
        name="Huber loss",
        known="The Huber loss is a parabola only where no row is off by more than δ, so κ and a best rate are not known "
        "before training. Gradient descent on all rows settles at every rate below twice the limit of the squared error.",
        known_penalised="The Huber loss is a parabola only where no row is off by more than δ, so κ and a best rate are not known "
        "before training. Gradient descent on all rows settles at every rate below the one that “In numbers” names.",
        hyperparameters={"delta": 1.0},
        lines=LossLines(
            "Half the square of each error up to delta, a straight line beyond it; the mean of these.",
            "torch.nn.functional.huber_loss(prediction, target, delta={delta!r})",
        ),
    ),
    "log": LossInfo(
        title="Log loss, of yes or no",
        help="For a target of 0 and 1. The curve is sent through σ, which makes a probability of it; the loss is the mean of "
        "−ln of the probability that was given to what happened.",
        latex=r"L = -\tfrac{1}{N}\sum_i [y_i\,\ln\,\hat y_i + (1 - y_i)\,\ln(1 - \hat y_i)]",
        gradient=r"\nabla L = \tfrac{1}{N}\,{columns}^\top(\hat y - y)",
        squared=False,
        is_mean_square=False,
        minimised="Minimised is the log loss, the thin line. Shown as RMSE is the error of the probability ŷ against 0 and 1.",
        floor="The RMSE of the probabilities where the log loss is lowest. Elsewhere it may be lower.",
        close="Close to {floor}, the RMSE where the log loss is lowest.",
        name="log loss",
        known="The log loss is no parabola: it hardly bends where a probability is nearly right. So κ and a best rate are not known "
        "before training. It is convex, and gradient descent on all rows settles at every rate below the one that “In numbers” "
        "names. A larger one may settle too.",
        yes_no=True,
        other_error=lambda loss: loss,
        thin="log loss, which is minimised",
        lines=LossLines(
            "The mean of -ln of the probability that each row's yes or no was given; predictions are logits.",
            "-(target * torch.nn.functional.logsigmoid(prediction) + (1 - target) * torch.nn.functional.logsigmoid(-prediction)).mean()",
        ),
    ),
}


def loss_info(loss: str, penalty: PenaltyInfo | None = None, *, intercept: bool = False) -> LossInfo:
    """A loss in words; with a penalty added to it, its root is no RMSE any more, and a squared error's optimum has a larger one.

    Args:
        loss: Key of `LOSS_INFO`.
        penalty: The kind of the penalty, if there is one.
        intercept: Whether the model has an intercept.
    """
    info = LOSS_INFO[loss]
    if penalty is None:
        return info
    said: dict[str, Any] = {
        "name": "",
        "known": "",
        "other_error": (lambda loss: loss**0.5) if info.squared else None,
        "thin": "root of the minimised loss" if info.squared else "",
    }
    thin = " The thin line is the root of the whole loss."
    elsewhere = (
        "Without the penalty training gets below it." if info.is_mean_square else "Elsewhere it may be lower."
    )
    if not info.squared:  # which is no parabola without it either
        name = f"{info.name} with its penalty"
        said = {"name": name, "known": info.known_penalised or info.known}
        said["thin"] = f"{name}, which is minimised" if info.thin else ""
        thin = " The thin line is the whole loss." if info.thin else ""
    return replace(
        info,
        **said,
        latex=rf"{info.latex} + \lambda\,{penalty.latex}",
        gradient=rf"{info.gradient} + 2\lambda\,{penalty.slope}",
        is_mean_square=False,
        minimised=f"{info.title.split(',')[0]} plus {penalty.norm} is minimised: λ times {penalty.worded(intercept=intercept)}, as they are trained. "
        f"Shown as RMSE is the error alone.{thin}",
        floor=f"The error where the penalised loss is lowest. {elsewhere}",
        close="Close to {floor}, the error where the penalised loss is lowest.",
        rises="Up: the penalised loss falls, while the error rises.",
    )


def why_no_parabola(model: str, loss: str) -> str | None:
    """Why a loss is no parabola in θ, as words after “a run whose …” or “the …”; None if it is one.

    This is the words' half of `objective.as_parabola`: whatever needs curvature, limits or the optimum asks one of both.
    """
    if not model_info(model).linear:
        return "model is not linear in its parameters"
    if not LOSS_INFO[loss].squared:
        return "loss is no squared error"
    return None
