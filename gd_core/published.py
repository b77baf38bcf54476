"""What the articles printed, and the runs that print it again.

Torch is imported when rows are asked for, so that a page can name these runs before torch is loaded.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from gd_core.settings.engines import LOOP
from gd_core.settings.experiment import Experiment


class Row(NamedTuple):
    """A published number beside ours.

    Attributes:
        quantity: What the number is.
        published: As printed, or as the article's own formula gives it.
        ours: What our run gives, in float64.
        tolerance: How far apart the two may lie: what printing and float32 took from the published one.
        note: A sentence where the last digit needs one.
    """

    quantity: str
    published: float
    ours: float
    tolerance: float
    note: str = ""

    @property
    def difference(self) -> float:
        """Ours minus published."""
        return self.ours - self.published

    @property
    def agrees(self) -> bool:
        """Whether they lie within the tolerance; a NaN does not."""
        return abs(self.difference) <= self.tolerance


class Beside(NamedTuple):
    """Two numbers as text, and how many characters of them are the same from the left."""

    published: str
    ours: str
    alike: int


def beside(published: float, ours: float) -> Beside:
    """A published number as printed, and ours with as many digits behind the point."""
    printed = repr(published)
    places = len(printed.partition(".")[2])
    written = f"{ours:.{places}f}" if abs(ours) < 1e7 else f"{ours:.6g}"
    if len(printed.partition(".")[0]) != len(written.partition(".")[0]):
        return Beside(printed, written, 0)  # of another size, so no digit stands where the other's does
    alike = next(
        (i for i, (a, b) in enumerate(zip(printed, written, strict=False)) if a != b),
        min(len(printed), len(written)),
    )
    return Beside(printed, written, alike)


@dataclass(frozen=True, kw_only=True)
class PublishedRun:
    """A run that was printed somewhere.

    Attributes:
        source: Where.
        experiment: The same run here.
        rows: Trains it, and yields each published number beside ours.
    """

    source: str
    experiment: Experiment
    rows: Callable[[], Iterator[Row]]


# A. A. Awan, "Gradient Descent: Design Your First Machine Learning Model", Analytics Vidhya, 2021: the root mean
# squared error before each of ten updates. In float32; ours agree to 1e-7.
QUADRATIC = Experiment(
    dataset="noisy-quadratic", points=20, noise=5.0, data_seed=2021, learning_rate=1e-5, epochs=10
)
QUADRATIC_RMSE = (
    74.96194346966999,
    36.43029986215973,
    22.692756149058336,
    19.006926227796704,
    18.225665028268686,
    18.073917779669408,
    18.04494798288646,
    18.039351786874853,
    18.03818276871748,
    18.037850320630035,
)


def quadratic_rows() -> Iterator[Row]:
    """The error before each update, to a millionth of itself."""
    from gd_core.recorder import record

    rmse = record(QUADRATIC).epoch_rmse.tolist()
    for epoch, published in enumerate(QUADRATIC_RMSE):
        yield Row(f"RMSE before update {epoch + 1}", published, rmse[epoch], 1e-6 * published)


class TableLine(NamedTuple):
    """A line of the two-feature article's table: parameters after the update of an epoch, the loss before it."""

    epoch: int
    weight: tuple[float, float]
    bias: float
    loss: float


# "Gradient Descent Algorithm in Machine Learning", GeeksforGeeks. The loss is the article's: a prediction [N, 1]
# minus a target [N] is a table [N, N], so the weights run to 0 and the bias to the mean of y.
PLANE = Experiment(
    dataset="two-features",
    points=1000,
    noise=0.0,
    data_seed=42,
    loss="mse-broadcast",
    learning_rate=1e-3,
    epochs=1000,
    engine=LOOP,
)
PLANE_TABLE = (
    TableLine(100, (-0.2618025, 0.44433367), -0.17722966, 14.1803),
    TableLine(200, (-0.21144074, 0.35393423), -0.7892358, 10.303),
    TableLine(300, (-0.17063744, 0.28172654), -1.2897989, 7.712),
    TableLine(400, (-0.13759881, 0.22408141), -1.699218, 5.9806),
    TableLine(500, (-0.11086453, 0.17808875), -2.0340943, 4.8235),
    TableLine(600, (-0.08924612, 0.14141548), -2.3080034, 4.0502),
    TableLine(700, (-0.0717768, 0.11219224), -2.5320508, 3.5333),
    TableLine(800, (-0.0576706, 0.08892148), -2.7153134, 3.1878),
    TableLine(900, (-0.04628877, 0.07040432), -2.8652208, 2.9569),
    TableLine(1000, (-0.0371125, 0.05568104), -2.9878428, 2.8026),
)
PLANE_PREDICTIONS = (-2.9765, -3.1385, -3.0818, -3.0756, -2.8681)  # of the first five rows, after the run
LAST_DIGIT = 1e-4  # four digits behind the point are printed
PLANE_NOTES = {600: "4.05014849 in float64, 4.05015039 in float32 as printed: they round apart."}


def plane_rows() -> Iterator[Row]:
    """The table of weight, bias and loss, then five predictions."""
    from gd_core.problem import build
    from gd_core.recorder import record

    recording, problem = record(PLANE), build(PLANE)
    for line in PLANE_TABLE:
        ours = recording.theta[line.epoch].tolist()
        for name, published, value in zip(("w₁", "w₂", "b"), (*line.weight, line.bias), ours, strict=True):
            yield Row(f"{name} after epoch {line.epoch}", published, value, 2e-6)
        loss = recording.loss[line.epoch - 1].item()
        note = PLANE_NOTES.get(line.epoch, "")
        yield Row(f"loss before update {line.epoch}", line.loss, loss, LAST_DIGIT, note)
    predictions = problem.objective.predict(recording.theta[-1])[: len(PLANE_PREDICTIONS)].tolist()
    for row, (published, ours) in enumerate(zip(PLANE_PREDICTIONS, predictions, strict=True), 1):
        yield Row(f"prediction of row {row}", published, ours, LAST_DIGIT / 2)


# "PyTorch Gradient Descent", Tutorial And Example, prints no run, but the slope 18 (A + 1): each update multiplies
# A + 1 by 1 − 18η. It swings at 0.1, creeps at 0.01, is done in one step at 1/18, bounces at 1/9, diverges at 0.12.
PARABOLA = Experiment(dataset="one-parameter", points=1, noise=0.0, data_seed=0, learning_rate=0.1, epochs=40)
PARABOLA_FACTORS = (
    ("0.1", 0.1, -0.8),
    ("0.01", 0.01, 0.82),
    ("1/18", 1 / 18, 0.0),
    ("1/9", 1 / 9, -1.0),
    ("0.12", 0.12, -1.16),
)


def parabola_rows() -> Iterator[Row]:
    """What the first update multiplies the distance to the optimum by, at five rates."""
    from gd_core.recorder import record

    for name, rate, published in PARABOLA_FACTORS:
        first, second = record(replace(PARABOLA, learning_rate=rate, epochs=1)).theta.flatten().tolist()
        yield Row(f"factor of A + 1 at rate {name}", published, (second + 1) / (first + 1), 1e-12)


PUBLISHED_RUNS: Mapping[str, PublishedRun] = {
    "noisy-quadratic": PublishedRun(
        source="A. A. Awan, “Gradient Descent: Design Your First Machine Learning Model”, 2021",
        experiment=QUADRATIC,
        rows=quadratic_rows,
    ),
    "two-features": PublishedRun(
        source="“Gradient Descent Algorithm in Machine Learning”, GeeksforGeeks",
        experiment=PLANE,
        rows=plane_rows,
    ),
    "one-parameter": PublishedRun(
        source="“PyTorch Gradient Descent”, Tutorial And Example: its slope, not a printed run",
        experiment=PARABOLA,
        rows=parabola_rows,
    ),
}
