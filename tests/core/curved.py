"""A model that is not linear in its parameters, known to the lab only while a test asks for it."""

import pytest
import torch
from known_fields import offer
from torch import Tensor, nn

from gd_core.models import MODELS, Model
from gd_core.settings.catalog import DATASET_INFO, MODEL_INFO, DatasetInfo, ModelInfo, fixed
from gd_core.settings.experiment import Experiment, defaults

GROWTH = "growth"  # a data set: the noisy quadratic's rows, and a eᵇᵗ for them
SETTLES = {"learning_rate": 1e-6, "epochs": 60}


class Exponential(Model):
    """ŷ = a eᵇᵗ."""

    parameter_names = ("a", "b")

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = (nn.Parameter(torch.zeros((), dtype=torch.float64)) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        return self.a * torch.exp(self.b * x)


WORDS = ModelInfo(
    latex=fixed(r"\hat y = a\,e^{b t}"),
    plain=fixed("a·e^(b·t)"),
    linear=False,
    columns=fixed("columns = x[:, 0]"),
    prediction="theta[0] * torch.exp(theta[1] * columns)",
    curve=lambda theta, x, _: f"{theta}.p0 * exp({theta}.p1 * {x})",
)
ROWS = DatasetInfo(
    title="Growth",
    help="The speeds of the noisy quadratic. The curve a·e^(b·t) is fitted to them.",
    model="exponential",
    parameters=("a", "b"),
    rows="noisy-quadratic",
    start=(5.0, 0.1),
    knobs=("points", "noise", "data_seed"),
    defaults={"points": 20, "noise": 5.0, "data_seed": 2021, **SETTLES},
    source="nobody",
)


def know(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the model and its data set, as `models.py` and `catalog.py` would have them: nothing else is needed."""
    monkeypatch.setitem(MODELS, "exponential", Exponential)
    monkeypatch.setitem(MODEL_INFO, "exponential", WORDS)
    monkeypatch.setitem(DATASET_INFO, GROWTH, ROWS)
    offer(monkeypatch, "dataset", GROWTH)


def growth(**changes) -> Experiment:
    return Experiment(**(defaults(GROWTH, "gradient-descent") | changes))
