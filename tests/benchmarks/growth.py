"""How cost grows: with rows, features, epochs and rates. Random rows from a private generator; the cost hangs on their sizes."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import islice

import torch

import peers
from core import Calls, ours
from gd_core.datasets import Dataset
from gd_core.lessons.learning_rate.sweep import sweep
from gd_core.models import Linear
from gd_core.objective import LinearObjective
from gd_core.optimizers import gradient_descent
from gd_core.optimizers import newton as one_step
from gd_core.problem import build
from gd_core.published import QUADRATIC
from gd_core.theory import curvature_of
from gd_core.training import train
from harness import Cell, Column, Section, Table, alternate

RATE = 1e-3
LOOP, SGD, NUMPY = "this app, the loop", "torch.optim.SGD, plain", "NumPy by hand"
TOO_LONG = 20.0  # seconds of one call; a larger cell of that kind stays empty


def plane(rows: int, features: int) -> LinearObjective:
    """A plane over so many random rows and features."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, features, generator=generator, dtype=torch.float64)
    y = x.sum(1, keepdim=True) + 0.1 * torch.randn(rows, 1, generator=generator, dtype=torch.float64)
    start = torch.zeros(features + 1, dtype=torch.float64)
    names = tuple(f"x{j}" for j in range(features))
    return LinearObjective(Linear(features), Dataset(x, y, names, "y", "Random plane", start))


def by_epoch(objective: LinearObjective, epochs: int) -> Calls:
    """So many epochs by each of three."""
    features, target, start = objective.features, objective.target, objective.dataset.start

    def loop() -> float:
        *_, last = islice(train(objective, start, gradient_descent(RATE)), epochs)
        return last.loss.item()

    make = peers.optimizers("SGD", RATE)[SGD]
    return {
        LOOP: loop,
        SGD: partial(peers.torch_optim, features, target, start, make, epochs),
        NUMPY: partial(peers.numpy_by_hand, features.numpy(), target.numpy(), start.numpy(), RATE, epochs),
    }


def growth(quick: bool) -> Section:
    """All four ways to grow."""
    return Section(
        "How cost grows",
        "Empty cells would take too long.",
        [_rows(quick), _features(quick), _epochs(quick), _rates(quick)],
    )


def _rows(quick: bool) -> Table:
    sizes = (20, 100_000) if quick else (20, 1000, 100_000, 1_000_000, 10_000_000)
    table = Table("an epoch over N rows of two features", [Column("rows", "count"), *_columns()])
    for rows in sizes:
        table.rows.append(_an_epoch(rows, plane(rows, 2), quick))
    return table


def _features(quick: bool) -> Table:
    sizes = (1, 100) if quick else (1, 10, 100, 1000)
    table = Table("an epoch over 10,000 rows of D features", [Column("features", "count"), *_columns()])
    for features in sizes:
        table.rows.append(_an_epoch(features, plane(10_000, features), quick))
    return table


def newton(quick: bool) -> Section:
    """One step of Newton's beside an epoch of gradient descent, with few parameters and many."""
    sizes = (3, 30) if quick else (3, 30, 300, 1000, 2000)
    columns = [
        Column("parameters", "count"), Column("an epoch of gradient descent", "s"), Column("H and one solve", "s"),
        Column("this app’s H⁻¹ and step", "s"), Column("epochs that cost as much as the solve", "count"),
    ]  # fmt: skip
    table = Table("over 4,000 rows", columns)
    for parameters in sizes:
        objective = plane(4_000, parameters - 1)
        features, target, start = objective.features, objective.target, objective.dataset.start
        epochs = max(2, min(200, 5_000_000 // features.numel()))

        def solve(features: torch.Tensor = features, target: torch.Tensor = target) -> torch.Tensor:
            return torch.linalg.solve(features.T @ features, features.T @ target)

        def ours(parameters: int = parameters, start: torch.Tensor = start) -> torch.Tensor:
            fresh = plane(4_000, parameters - 1)  # which remembers no inverse
            _, last = islice(train(fresh, start, one_step(1.0, inverse=fresh.inverse_hessian)), 2)
            return last.theta

        calls: Calls = {LOOP: by_epoch(objective, epochs)[LOOP], "solve": solve, "ours": ours}
        times = alternate(calls, rounds=3, budget=5)
        epoch, once = times[LOOP].median / epochs, times["solve"].median
        table.rows.append([parameters, epoch, once, times["ours"].median, max(1, round(once / epoch))])
    return Section(
        "Newton’s step",
        "Gradient descent needs some κ epochs for each factor e: where κ is above the last column, solving is cheaper. "
        "This app’s H⁻¹ is found by singular values and keeps twice the digits; its time has the making of the rows in it.",
        [table],
    )


def _columns() -> list[Column]:
    return [Column(name, "s") for name in (LOOP, SGD, NUMPY)]


def _an_epoch(size: int, objective: LinearObjective, quick: bool) -> list[Cell]:
    cost = objective.features.numel()
    epochs = max(2, min(500, (1_000_000 if quick else 5_000_000) // cost))
    times = alternate(by_epoch(objective, epochs), rounds=3, budget=5)
    return [size, *(times[name].median / epochs for name in (LOOP, SGD, NUMPY))]


def _epochs(quick: bool) -> Table:
    numbers = (10, 1000) if quick else (10, 100, 1000, 10_000, 100_000, 1_000_000)
    contestants: list[str] = []
    found: dict[int, dict[str, float]] = {}
    too_long: set[str] = set()
    for epochs in numbers:
        calls = {
            name: call
            for name, call in ours(replace(QUADRATIC, epochs=epochs)).items()
            if name not in too_long
        }
        found[epochs] = {name: one.median for name, one in alternate(calls, rounds=3, budget=5).items()}
        too_long |= {
            name for name, seconds in found[epochs].items() if 10 * seconds > TOO_LONG / (4 if quick else 1)
        }
        contestants += [name for name in calls if name not in contestants]
    return Table(
        "a recorded run of the noisy quadratic over so many epochs",
        [Column("epochs", "count"), *(Column(name, "s") for name in contestants)],
        [[epochs, *(found[epochs].get(name) for name in contestants)] for epochs in numbers],
    )


def _rates(quick: bool) -> Table:
    numbers = (1, 100, 1000) if quick else (1, 10, 100, 1000, 10_000)
    problem = build(QUADRATIC)
    limit = 2 / curvature_of(problem.objective).largest

    def swept(rates: int) -> Callable[[], object]:
        several = torch.logspace(-4, 0, rates, dtype=torch.float64) * limit
        return partial(sweep, problem.objective, problem.start, QUADRATIC.phase, several, 1000)

    times = alternate({str(rates): swept(rates) for rates in numbers}, rounds=5, budget=10)
    table = Table("a sweep over so many rates, 1,000 epochs each", [Column("rates", "count"), Column("time", "s"), Column("spread", "share")])  # fmt: skip
    table.rows = [[rates, times[str(rates)].median, times[str(rates)].spread] for rates in numbers]
    return table
