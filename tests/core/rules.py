"""The update rules beside those of torch.optim. A new rule gets every test of `test_every_rule.py` by its entry in `RULES`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gd_core.objective import LinearObjective
from gd_core.optimizers import OPTIMIZERS, UpdateRule
from gd_core.settings.catalog import DATASET_INFO, why_no_parabola
from gd_core.settings.rules import OPTIMIZER_INFO


def hessian_of(objective: LinearObjective) -> Tensor:
    """(2/N) ΦᵀΦ, [P, P]."""
    return 2 / len(objective.target) * objective.features.T @ objective.features


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule's counterpart.

    Attributes:
        torchs: The class of torch.optim that holds it.
        usual: What makes that class our rule with the settings that it has by default.
        others: Other settings: ours, and the same in torch.
        memory: What it remembers, and what torch calls that in its state.
        adaptive: Whether its steps are as long as the rate says, whatever the gradient's size.
        over_curvature: Whether both take the Hessian, ours inverted.
    """

    torchs: type[torch.optim.Optimizer]
    usual: Mapping[str, Any] = field(default_factory=dict)
    others: Sequence[tuple[Mapping[str, float], Mapping[str, Any]]] = ()
    memory: Mapping[str, str] = field(default_factory=dict)
    adaptive: bool = False
    over_curvature: bool = False

    def beside(
        self,
        parameters: Iterable[Tensor],
        learning_rate: float,
        objective: LinearObjective | None = None,
        **same: Any,
    ) -> torch.optim.Optimizer:
        """torch's optimizer of these parameters, one by one as ours does them; `same` instead of the usual settings."""
        hessian = {"hessian": hessian_of(objective)} if self.over_curvature and objective else {}
        return self.torchs(
            parameters, **{"lr": learning_rate, "foreach": False, **(same or self.usual), **hessian}
        )

    def ours(
        self, name: str, objective: LinearObjective | None = None, parameters: int = 3
    ) -> Callable[..., UpdateRule]:
        """Our equation, for this objective if it hangs on one; else as if H were the identity."""
        if not self.over_curvature:
            return OPTIMIZERS[name]
        same = torch.eye(parameters, dtype=torch.float64)
        inverse = torch.linalg.inv(hessian_of(objective)) if objective else same
        return partial(OPTIMIZERS[name], inverse=inverse)

    @property
    def settings(self) -> list[tuple[Mapping[str, float], Mapping[str, Any]]]:
        """All settings that are tried, the default ones first."""
        return [({}, self.usual), *self.others]


class Newton(torch.optim.Optimizer):
    """θ ← θ − η d with H d = ∇L: Newton's step as textbooks have it, solved anew each time. torch has none of this kind."""

    def __init__(self, params: Any, lr: float, hessian: Tensor | None = None, foreach: bool = False) -> None:
        super().__init__(params, {"lr": lr})
        self.hessian = hessian

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        (theta,) = self.param_groups[0]["params"]
        hessian = torch.eye(len(theta), dtype=theta.dtype) if self.hessian is None else self.hessian
        theta -= self.param_groups[0]["lr"] * torch.linalg.solve(hessian, theta.grad)


RULES = {
    "gradient-descent": Rule(torchs=torch.optim.SGD),
    "momentum": Rule(
        torchs=torch.optim.SGD,
        usual={"momentum": 0.9},
        others=[({"momentum": 0.37}, {"momentum": 0.37})],
        memory={"v": "momentum_buffer"},
    ),
    "nesterov": Rule(
        torchs=torch.optim.SGD,
        usual={"momentum": 0.9, "nesterov": True},
        others=[({"momentum": 0.6}, {"momentum": 0.6, "nesterov": True})],
        memory={"v": "momentum_buffer"},
    ),
    "adagrad": Rule(
        torchs=torch.optim.Adagrad,
        others=[({"epsilon": 1e-3}, {"eps": 1e-3})],
        memory={"s": "sum"},
        adaptive=True,
    ),
    "rmsprop": Rule(
        torchs=torch.optim.RMSprop,
        others=[({"alpha": 0.8, "epsilon": 1e-4}, {"alpha": 0.8, "eps": 1e-4})],
        memory={"s": "square_avg"},
        adaptive=True,
    ),
    "adam": Rule(
        torchs=torch.optim.Adam,
        others=[
            ({"beta1": 0.7, "beta2": 0.95, "epsilon": 1e-4}, {"betas": (0.7, 0.95), "eps": 1e-4}),
        ],
        memory={"m": "exp_avg", "s": "exp_avg_sq"},
        adaptive=True,
    ),
    "adamw": Rule(
        torchs=torch.optim.AdamW,
        others=[
            (
                {"beta1": 0.7, "beta2": 0.95, "epsilon": 1e-4, "weight_decay": 0.3},
                {"betas": (0.7, 0.95), "eps": 1e-4, "weight_decay": 0.3},
            ),
        ],
        memory={"m": "exp_avg", "s": "exp_avg_sq"},
        adaptive=True,
    ),
    "newton": Rule(torchs=Newton, over_curvature=True),
}


def torchs_path(
    optimizer: torch.optim.Optimizer,
    theta: Tensor,
    objective: LinearObjective,
    batches: Iterable[Tensor | None],
) -> Tensor:
    """θ before the first and after each update of torch's optimizer, [T + 1, P]; the loss is written out here."""
    x, y = objective.features, objective.target
    path = [theta.detach().clone()]
    for rows in batches:
        some = slice(None) if rows is None else rows
        optimizer.zero_grad()
        ((x[some] @ theta - y[some]) ** 2).mean().backward()
        optimizer.step()
        path.append(theta.detach().clone())
    return torch.stack(path)


def is_refused(dataset: str, rule: str) -> bool:
    """Whether a rule divides by the curvature, and the loss that a data set opens with has not one."""
    info = DATASET_INFO[dataset]
    loss = str(info.defaults.get("loss", "mse"))
    return OPTIMIZER_INFO[rule].over_curvature and why_no_parabola(info.model, loss) is not None
