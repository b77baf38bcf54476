"""The published data sets, bit for bit, and one's own. Shapes: N rows, D features, P parameters."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gd_core.tables.measured import SEA
from gd_core.tables.table import Table, used


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows to fit, in float64.

    Attributes:
        x: Features, [N, D].
        y: Target, [N, 1].
        feature_names: D names with units, as on an axis.
        target_name: Name of the target with its unit.
        title: Name of the data set.
        start: The published starting parameters, [P]; 0 for a table.
        centred: Whether a scaled column has mean 0. Without an intercept nothing would take up the shift: then it is
            only divided, by the root of its mean square, as by R's `scale(center = FALSE)`.
        unit: What an error of 1 in y is in the units of the data: the target's deviation, if that is scaled.
        given: y as it was before it was scaled, [N, 1]; None if it is not.
    """

    x: Tensor
    y: Tensor
    feature_names: tuple[str, ...]
    target_name: str
    title: str
    start: Tensor
    centred: bool = True
    unit: float = 1.0
    given: Tensor | None = None

    @property
    def mean(self) -> Tensor:
        """Mean of each feature, [D]; 0 if it is not centred."""
        return self._mean(self.x)

    @property
    def deviation(self) -> Tensor:
        """Population standard deviation of each feature, [D], from 0 if it is not centred; 1 where a feature is constant."""
        return self._deviation(self.x)

    @property
    def target_mean(self) -> Tensor:
        """The same of the target, [1]."""
        return self._mean(self.y)

    @property
    def target_deviation(self) -> Tensor:
        """The same of the target, [1]."""
        return self._deviation(self.y)

    def _mean(self, columns: Tensor) -> Tensor:
        return columns.mean(0) if self.centred else torch.zeros_like(columns[0])

    def _deviation(self, columns: Tensor) -> Tensor:
        deviation = columns.std(0, correction=0) if self.centred else columns.square().mean(0).sqrt()
        constant = deviation <= 1e-12 * columns.abs().amax(0)
        return torch.where(constant, torch.ones_like(deviation), deviation)

    def standardised(
        self, by: "Dataset | None" = None, *, features: bool = True, target: bool = False
    ) -> "Dataset":
        """The same rows with every feature shifted to mean 0 and scaled to deviation 1, the target too, or that alone.

        Args:
            by: Whose mean and deviation are taken instead of its own: held-out rows are scaled as the training rows.
            features: Whether the features are scaled.
            target: Whether the target is.
        """
        own, made = by or self, self
        if features:
            names = tuple(f"{name}, scaled" for name in self.feature_names)
            made = replace(made, x=(self.x - own.mean) / own.deviation, feature_names=names)
        if target:
            y = (self.y - own.target_mean) / own.target_deviation
            made = replace(made, y=y, unit=float(own.target_deviation), given=self.y)
        return made

    def rows(self, which: Tensor) -> "Dataset":
        """Some of the rows, by their numbers, [K]."""
        return replace(self, x=self.x[which], y=self.y[which])


def noisy_quadratic(points: int = 20, *, noise: float = 5.0, data_seed: int = 2021) -> Dataset:
    """Speed of an object over time: y = 0.8 (t − 7.5)² + 1 + noise.

    Args:
        points: N, whole seconds from 0.
        noise: Width of the uniform noise on [0, noise), in metres a second.
        data_seed: Seeds a private generator; 2021 gives the published data, bit for bit.

    Returns:
        x of shape [N, 1] (seconds) and y of shape [N, 1] (metres a second).

    Source:
        Awan, "Gradient Descent: Design Your First Machine Learning Model", 2021. The published start is the second
        `randn(3)` after the data; the article throws the first away.
    """
    generator = torch.Generator().manual_seed(data_seed)
    t = torch.arange(0, points).float()
    y = torch.rand(points, generator=generator) * noise + 0.8 * (t - 7.5) ** 2 + 1
    return Dataset(
        x=t.double().unsqueeze(1),
        y=y.double().unsqueeze(1),
        feature_names=("time t (s)",),
        target_name="speed y (m/s)",
        title="Noisy quadratic",
        start=torch.tensor(
            [-0.12840519845485687, -1.0042424201965332, 0.5672656297683716], dtype=torch.float64
        ),
    )


def two_features(points: int = 1000, *, noise: float = 0.0, data_seed: int = 42) -> Dataset:
    """A plane over two random features: y = 1.3 x₁ − 1.0 x₂ − 3.5 + noise.

    Args:
        points: N rows, drawn from a standard normal.
        noise: Standard deviation of normal noise on y; the article has none.
        data_seed: Seeds a private generator; 42 gives the published data, bit for bit.

    Returns:
        x of shape [N, 2] and y of shape [N, 1], without units.

    Source:
        "Gradient Descent Algorithm in Machine Learning", GeeksforGeeks. It did not seed its start; these values
        were recovered by running its own recurrence backwards from its epoch 100.
    """
    generator = torch.Generator().manual_seed(data_seed)
    x = torch.randn(points, 2, generator=generator)
    y = x @ torch.tensor([1.3, -1.0]) - 3.5 + noise * torch.randn(points, generator=generator)
    return Dataset(
        x=x.double(),
        y=y.double().unsqueeze(1),
        feature_names=("x₁", "x₂"),
        target_name="y",
        title="Two features",
        start=torch.tensor([-0.32392461, 0.55744872, 0.57104286], dtype=torch.float64),
    )


def one_parameter(points: int = 1, *, noise: float = 0.0, data_seed: int = 0) -> Dataset:
    """The row x = 3, y = −3, whose squared error under ŷ = A x is (3 + 3A)². Nothing about it can be changed.

    Source:
        "PyTorch Gradient Descent", Tutorial And Example. The start A = 2 is ours.
    """
    del points, noise, data_seed
    return Dataset(
        x=torch.tensor([[3.0]], dtype=torch.float64),
        y=torch.tensor([[-3.0]], dtype=torch.float64),
        feature_names=("x",),
        target_name="y",
        title="One parameter",
        start=torch.tensor([2.0], dtype=torch.float64),
    )


def tide(points: int = 49, *, noise: float = 0.6, data_seed: int = 7) -> Dataset:
    """Height of the water above its mean, hour by hour: y = 1.8 sin(2π t / 0.5175 + 0.6) + noise, t in days.

    Two high waters in 24 hours and 50 minutes, as the moon has them.

    Args:
        points: N, whole hours from 0.
        noise: Width of the uniform noise around 0, in metres.
        data_seed: Seeds a private generator.

    Returns:
        x of shape [N, 1] (days) and y of shape [N, 1] (metres).

    Source:
        Our own numbers.
    """
    generator = torch.Generator().manual_seed(data_seed)
    t = torch.arange(points, dtype=torch.float64) / 24
    swing = 1.8 * torch.sin(2 * math.pi * t / 0.5175 + 0.6)
    y = swing + noise * (torch.rand(points, generator=generator) - 0.5)
    return Dataset(
        x=t.unsqueeze(1),
        y=y.unsqueeze(1),
        feature_names=("time t (days)",),
        target_name="height y (m)",
        title="Tide",
        start=torch.tensor([9.0, 0.0], dtype=torch.float64),
    )


def sea(points: int = 24, *, noise: float = 0.0, data_seed: int = 0) -> Dataset:
    """Temperature of the sea off Peru, the mean of each month of 2008 and 2009, above that of all 24. Measured: nothing can be changed.

    Returns:
        x of shape [24, 1] (years) and y of shape [24, 1] (°C).

    Source:
        NOAA, see `tables.measured`. The start is ours.
    """
    del points, noise, data_seed
    celsius = torch.tensor([float(month) for month in SEA.split()], dtype=torch.float64)
    return Dataset(
        x=torch.arange(24, dtype=torch.float64).unsqueeze(1) / 12,
        y=(celsius - celsius.mean()).unsqueeze(1),
        feature_names=("time t (years)",),
        target_name="above the mean y (°C)",
        title="Sea",
        start=torch.tensor([2.0, 10.0, 0.5], dtype=torch.float64),
    )


def dose(points: int = 41, *, noise: float = 0.3, data_seed: int = 7) -> Dataset:
    """A little helps, too much harms: y = tanh(2.5 x + 2) − tanh(2 x − 2) + noise, over the logarithm of a dose.

    Args:
        points: N, equally far apart from −2 to 2.
        noise: Width of the uniform noise around 0, in centimetres.
        data_seed: Seeds a private generator.

    Returns:
        x of shape [N, 1] (decimal logarithm of the dose in milligrams) and y of shape [N, 1] (centimetres).

    Source:
        Our own numbers. The start is ours too: two units that are nearly alike.
    """
    generator = torch.Generator().manual_seed(data_seed)
    x = torch.linspace(-2, 2, points, dtype=torch.float64)
    curve = torch.tanh(2.5 * x + 2) - torch.tanh(2 * x - 2)
    y = curve + noise * (torch.rand(points, generator=generator) - 0.5)
    return Dataset(
        x=x.unsqueeze(1),
        y=y.unsqueeze(1),
        feature_names=("dose x (log₁₀ mg)",),
        target_name="growth above usual y (cm)",
        title="Dose",
        start=torch.tensor([0.5, 0.5, 0.2, 0.2, 0.3, 0.1], dtype=torch.float64),
    )


def pass_or_fail(points: int = 200, *, noise: float = 1.5, data_seed: int = 7) -> Dataset:
    """Whether a student passed, over hours of study and of sleep: y = 1 where 0.8 x₁ + 1.2 x₂ − 0.4 + noise > 0, else 0.

    Args:
        points: N rows; the first feature has a standard deviation of 2, the second of 1.
        noise: Standard deviation of normal noise: the wider, the more the two classes overlap. With 0 a line parts them.
        data_seed: Seeds a private generator.

    Returns:
        x of shape [N, 2], hours above the usual, and y of shape [N, 1], 0 or 1.

    Source:
        Made up for this program.
    """
    generator = torch.Generator().manual_seed(data_seed)
    x = torch.randn(points, 2, generator=generator) * torch.tensor([2.0, 1.0])
    luck = noise * torch.randn(points, generator=generator)
    y = x @ torch.tensor([0.8, 1.2]) - 0.4 + luck > 0
    return Dataset(
        x=x.double(),
        y=y.double().unsqueeze(1),
        feature_names=("study above usual (h)", "sleep above usual (h)"),
        target_name="passed (0 or 1)",
        title="Pass or fail",
        start=torch.zeros(3, dtype=torch.float64),
    )


def from_table(
    table: Table,
    target: str,
    features: Sequence[str],
    missing: str = "refuse",
    *,
    parameters: int,
    training: Tensor | None = None,
) -> Dataset:
    """Rows of one's own: the columns picked from a table.

    Args:
        table: Where they stand.
        target: Name of the column that is predicted.
        features: Names of the columns it is predicted from.
        missing: What becomes of incomplete rows: see `table.used`.
        parameters: P, how many zeros the start has.
        training: Numbers of the rows that are trained on, if others are held out: only these make a mean.
    """
    rows = used(table, target, features, missing, None if training is None else training.numpy())
    return Dataset(
        x=torch.tensor(rows.x, dtype=torch.float64),
        y=torch.tensor(rows.y, dtype=torch.float64).unsqueeze(1),
        feature_names=tuple(features),
        target_name=target,
        title="Your table",
        start=torch.zeros(parameters, dtype=torch.float64),
    )


DATASETS: Mapping[str, Callable[..., Dataset]] = {
    "noisy-quadratic": noisy_quadratic,
    "two-features": two_features,
    "one-parameter": one_parameter,
    "tide": tide,
    "sea": sea,
    "dose": dose,
    "pass-or-fail": pass_or_fail,
}
