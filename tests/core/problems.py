"""What the update rules are tried on: easy and ill-conditioned, one parameter and several."""

from dataclasses import replace

import torch

from gd_core.datasets import Dataset
from gd_core.models import Linear
from gd_core.objective import LinearObjective
from gd_core.problem import build
from gd_core.settings.experiment import Experiment

EXPERIMENTS = {
    "quadratic": Experiment.default("noisy-quadratic"),
    "scaled": replace(Experiment.default("noisy-quadratic"), scale_features=True),
    "plane": replace(Experiment.default("two-features"), points=50),
    "parabola": Experiment.default("one-parameter"),
}


def skewed_plane(ratio: float) -> LinearObjective:
    """Two features of which one is `ratio` times the other, and both much alike."""
    generator = torch.Generator().manual_seed(3)
    base, other = torch.randn(2, 40, generator=generator, dtype=torch.float64)
    x = torch.stack([ratio * base, base + 0.05 * other], 1)
    y = (base - other).unsqueeze(1)
    start = torch.tensor([0.4, -0.3, 0.2], dtype=torch.float64)
    return LinearObjective(Linear(2), Dataset(x, y, ("u", "v"), "y", "skewed", start))


OBJECTIVES = {name: build(experiment).objective for name, experiment in EXPERIMENTS.items()} | {
    "condition number 10⁹": skewed_plane(1e3)
}


def steepest(objective: LinearObjective) -> float:
    """The largest eigenvalue of the Hessian, straight from Φ."""
    features = objective.features
    return 2 * float(torch.linalg.eigvalsh(features.T @ features)[-1]) / len(features)
