"""Training itself: the tutorials' loops, torch.optim, scikit-learn and NumPy by hand, each beside ours on the same rows.

Ours is `gd_core.recorder.record` on each engine that can, with everything that it records: θ, loss and gradient of every
update, loss and RMSE
of every epoch. The others keep their losses.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice

import torch

import peers
import tutorials
from gd_core.lessons.learning_rate.sweep import sweep
from gd_core.problem import Problem, build
from gd_core.published import PARABOLA, PLANE, QUADRATIC
from gd_core.recorder import Recorder, record
from gd_core.settings.engines import LOOP, SPECTRUM
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.theory import curvature_of
from gd_core.training import train
from harness import Bar, Cell, Column, Section, Table, Times, alternate

Calls = dict[str, Callable[[], object]]


def named(engine: str) -> str:
    """One of our engines, as the report calls it."""
    return f"this app, {engine}"


TEXTBOOK = named(LOOP)  # what one reads first


def ours(experiment: Experiment) -> Calls:
    """Each engine that can run this."""
    found: Calls = {}
    for engine in (LOOP, SPECTRUM):
        with suppress(ParameterError):
            found[named(engine)] = partial(record, replace(experiment, engine=engine))
    return found


def by_torch_optim(
    problem: Problem, found: Mapping[str, Callable[..., torch.optim.Optimizer]], epochs: int
) -> Calls:
    """The loop around torch.optim, for each of these optimisers."""
    objective = problem.linear
    return {
        name: partial(peers.torch_optim, objective.features, objective.target, problem.start, make, epochs)
        for name, make in found.items()
    }


def by_numpy(problem: Problem, learning_rate: float, epochs: int) -> Calls:
    objective = problem.linear
    rows = (objective.features.numpy(), objective.target.numpy(), problem.start.numpy())
    return {"NumPy by hand": partial(peers.numpy_by_hand, *rows, learning_rate, epochs)}


def quadratic(quick: bool) -> Section:
    """The published loop on the noisy quadratic."""
    epochs = 1000 if quick else 10_000
    experiment = replace(QUADRATIC, epochs=epochs)
    problem = build(experiment)
    published = "the tutorial’s loop"
    rate = experiment.learning_rate
    calls: Calls = {
        published: partial(tutorials.noisy_quadratic, problem.dataset, rate, epochs),
        "the same once more": partial(tutorials.noisy_quadratic, problem.dataset, rate, epochs),
        **ours(experiment),
        **by_torch_optim(problem, peers.optimizers("SGD", rate), epochs),
        **by_numpy(problem, rate, epochs),
    }
    times = alternate(calls, budget=6 if quick else 60)
    section = Section(
        "Noisy quadratic: 20 rows, 3 parameters",
        "The second line is the first measured again: what its ratio is away from 1 is the machine’s, not a loop’s.",
        [race(f"{epochs:,} epochs", times, published, epochs)],
        [at_least("autograd loop, noisy quadratic", times, published, TEXTBOOK, 1.5)],
    )
    return section


def plane(quick: bool) -> Section:
    """Two features, 1,000 rows: with the article's N × N table, and with matching shapes."""
    epochs = 100 if quick else 1000
    broadcast = replace(PLANE, epochs=epochs)
    matching = replace(broadcast, loss="mse")
    problem, rate = build(matching), broadcast.learning_rate
    published, mended = "the tutorial’s loop", "the tutorial’s loop, shapes matching"
    as_published = alternate(
        {
            published: partial(tutorials.two_features, problem.dataset, rate, epochs),
            **ours(broadcast),
        },
        rounds=3 if quick else 5,
        budget=10 if quick else 40,
    )
    times = alternate(
        {
            mended: partial(tutorials.two_features, problem.dataset, rate, epochs, broadcast=False),
            **ours(matching),
            **by_torch_optim(problem, peers.optimizers("SGD", rate), epochs),
            **by_numpy(problem, rate, epochs),
        },
        budget=10 if quick else 30,
    )
    return Section(
        "Two features: 1,000 rows, 3 parameters",
        "As published, every epoch makes a table of a million differences; ours has the same loss without the table.",
        [
            race(f"as published, {epochs:,} epochs", as_published, published, epochs),
            race(f"with matching shapes, {epochs:,} epochs", times, mended, epochs),
        ],
        [
            at_least("autograd loop, 1,000 rows, as published", as_published, published, TEXTBOOK, 1.3),
            at_least("the same with matching shapes", times, mended, TEXTBOOK, 1.3),
        ],
    )


def parabola(quick: bool) -> Section:
    """One parameter: plain Python, where a tensor library is a detour."""
    epochs = 1000 if quick else 10_000
    experiment = replace(PARABOLA, epochs=epochs, learning_rate=0.01)
    start = float(build(experiment).start[0])
    published = "the tutorial’s loop"
    calls: Calls = {published: partial(tutorials.one_parameter, start, experiment.learning_rate, epochs)}
    times = alternate(calls | ours(experiment), budget=10)
    return Section(
        "One parameter",
        "Plain Python multiplies two numbers faster than any library can be called. No bar.",
        [race(f"{epochs:,} epochs", times, published, epochs)],
    )


def adam(quick: bool) -> Section:
    """Adam on the noisy quadratic."""
    epochs = 500 if quick else 3000
    experiment = replace(Experiment.default("noisy-quadratic", "adam"), learning_rate=0.1, epochs=epochs)
    problem = build(experiment)
    times = alternate(
        {**by_torch_optim(problem, peers.optimizers("Adam", 0.1), epochs), **ours(experiment)},
        budget=10 if quick else 40,
    )
    return Section(
        "Adam",
        tables=[race(f"noisy quadratic, {epochs:,} epochs", times, "torch.optim.Adam, plain", epochs)],
    )


def single_rows(quick: bool) -> Section:
    """A row at a time: scikit-learn's compiled loop."""
    epochs = 2 if quick else 10
    experiment = replace(PLANE, loss="mse", learning_rate=1e-3, epochs=epochs, batch_size=1)
    problem = build(experiment)
    x, y = problem.dataset.x.numpy(), problem.objective.target.numpy()
    theirs = "scikit-learn SGDRegressor"
    times = alternate(
        {theirs: partial(peers.sgd_regressor, x, y, problem.start.numpy(), 1e-3, epochs), **ours(experiment)},
        rounds=5,
        budget=20,
    )
    return Section(
        "A row at a time",
        "SGDRegressor is compiled and keeps nothing; ours records every one of its updates through autograd. No bar.",
        [race(f"two features, 1,000 rows, {epochs} epochs of 1,000 updates", times, theirs, epochs)],
    )


def optimum(quick: bool) -> Section:
    """The lowest point, without a descent."""
    problem = build(replace(PLANE, loss="mse"))
    x, y = problem.dataset.x.numpy(), problem.objective.target.numpy()
    theirs = "scikit-learn LinearRegression"
    times = alternate(
        {
            theirs: partial(peers.linear_regression, x, y),
            "this app, curvature": lambda: curvature_of(problem.objective).optimum,
        },
        budget=5 if quick else 20,
    )
    return Section(
        "The optimum alone",
        "Ours also has the Hessian, its eigenvectors and the floor.",
        [race("two features, 1,000 rows", times, theirs)],
    )


def long_run(quick: bool) -> Section:
    """Gradient descent for long, where the same three numbers make every epoch."""
    epochs = 2_000 if quick else 100_000
    tables, bars = [], []
    for optimizer in ("gradient-descent", "momentum"):
        experiment = replace(QUADRATIC, epochs=epochs, optimizer=optimizer, learning_rate=3e-6)
        problem = build(experiment)
        settings = {"momentum": experiment.momentum} if optimizer == "momentum" else {}
        loop = peers.optimizers("SGD", 3e-6, **settings)
        plain = "torch.optim.SGD, plain"
        calls = ours(experiment) | by_torch_optim(problem, {plain: loop[plain]}, epochs)
        peer = plain
        if optimizer == "gradient-descent":
            peer = "the tutorial’s loop"
            calls[peer] = partial(tutorials.noisy_quadratic, problem.dataset, 3e-6, epochs)
        times = alternate(calls, rounds=3, budget=20)
        tables.append(race(f"{optimizer}, {epochs:,} epochs", times, peer, epochs))
        mine = named(experiment.runs_on)
        bars.append(at_least(f"{optimizer}, {epochs:,} epochs recorded, by {mine}", times, peer, mine, 100))
    return Section("Long runs", tables=tables, bars=bars)


def many_rates(quick: bool) -> Section:
    """The sweep over the learning rate."""
    section = Section("Many learning rates at once")
    experiment = replace(QUADRATIC, epochs=1000)
    problem = build(experiment)
    curvature = curvature_of(problem.objective)
    limit = 2 / curvature.largest
    ranges = {
        "1,000 rates, most converge": torch.logspace(-4, 0, 1000, dtype=torch.float64) * limit,
        "1,000 rates, all diverge": torch.logspace(0.01, 4, 1000, dtype=torch.float64) * limit,
    }
    calls: Calls = {
        name: partial(sweep, problem.objective, problem.start, experiment.phase, rates, 1000)
        for name, rates in ranges.items()
    }
    times = alternate(calls, budget=5)
    section.tables.append(
        Table(
            "gradient descent, 1,000 epochs each",
            [Column("work"), Column("time", "s"), Column("spread", "share")],
            [[name, one.median, one.spread] for name, one in times.items()],
        )
    )
    converging, diverging = times.values()
    section.bars += [
        Bar(
            "1,000 rates × 1,000 epochs",
            "≤ 50 ms",
            f"{1000 * converging.median:.2g} ms",
            converging.median <= 0.05,
        ),
        Bar(
            "the same, all diverging",
            "not slower",
            f"{diverging.median / converging.median:.2f} × the time",
            diverging.median <= max(1.5 * converging.median, 0.05),
        ),
    ]
    count, epochs = (50, 50) if quick else (200, 300)
    rule = replace(
        Experiment.default("noisy-quadratic", "adam"),
        learning_rate=0.1,
        epochs=epochs,
        dataset="noisy-quadratic",
    )
    rates = torch.logspace(-4, 0, count, dtype=torch.float64)
    assert OPTIMIZER_INFO[rule.optimizer].hyperparameters

    def one_by_one() -> None:
        for rate in rates.tolist():
            Recorder(
                replace(rule, learning_rate=rate), build(replace(rule, learning_rate=rate), problem)
            ).advance()

    loop = f"a loop of {count} single runs"
    batched = f"this app, {count} at once"
    times = alternate(
        {
            loop: one_by_one,
            batched: partial(sweep, problem.objective, problem.start, rule.phase, rates, epochs),
        },
        rounds=3,
        budget=30,
    )
    section.tables.append(race(f"Adam, {epochs} epochs each", times, loop, epochs * count))
    section.bars.append(at_least(f"Adam, {count} rates", times, loop, batched, 20))
    return section


def race(title: str, times: Mapping[str, Times], peer: str, epochs: int = 0) -> Table:
    """A table of contestants: time, epochs a second, and how many times as fast as the peer."""
    columns = [Column("who"), Column("time", "s"), Column("spread", "share")]
    columns += [Column("epochs per second", "count")] if epochs else []
    columns += [Column(f"× {peer}", "ratio")]
    table = Table(title, columns)
    for name, one in times.items():
        row: list[Cell] = [name, one.median, one.spread]
        row += [epochs / one.median] if epochs else []
        table.rows.append([*row, one.faster_than(times[peer])])
    return table


def at_least(work: str, times: Mapping[str, Times], peer: str, mine: str, wanted: float) -> Bar:
    """A bar that is a ratio of speeds."""
    ratio = times[mine].faster_than(times[peer])
    return Bar(work, f"≥ {wanted:g} × {peer}", f"{ratio:.3g} ×", ratio >= wanted)


def in_order(problem: Problem, updates: int, rows: int) -> list[float]:
    """Our own loop over single rows in their order, as `peers.sgd_regressor` takes them: where it ends."""
    order = (torch.tensor([k % rows]) for k in range(updates + 1))
    *_, last = islice(train(problem.objective, problem.start, problem.rule, order), updates + 1)
    return last.theta.tolist()
