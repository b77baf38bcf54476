"""A table that fills the memory, and more than one process."""

import importlib

import torch

from gd_core.moments import Moments
from gd_core.settings.experiment import Experiment
from gd_core.spectrum import path
from harness import Bar, Column, Section, Table, alternate
from process import forget_peak, peak, resident

FEATURES, EPOCHS, RATE = 10, 1000, 0.1


def large(quick: bool) -> Section:
    """10⁷ rows of 10 features, 1,000 epochs recorded: the time of each part, and the memory."""
    rows = 200_000 if quick else 10_000_000
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(rows, FEATURES, generator=generator, dtype=torch.float64)
    target = features.sum(1) + 0.1 * torch.randn(rows, generator=generator, dtype=torch.float64)
    start = torch.zeros(FEATURES, dtype=torch.float64)
    phase = Experiment(learning_rate=RATE, epochs=EPOCHS).phase
    table_size = (features.nbytes + target.nbytes) / 1e6

    forget_peak()
    before = resident("self")
    moments = Moments.of(features, target)
    recorded = list(path(moments, start, [phase]))
    more = peak() - before

    one_epoch, once, epochs = (
        "one epoch by hand, Φᵀ(Φθ − y)",
        "one pass for the moments",
        f"{EPOCHS:,} epochs from them",
    )
    times = alternate(
        {
            one_epoch: lambda: features.T @ (features @ start - target),
            once: lambda: Moments.of(features, target),
            epochs: lambda: list(path(moments, start, [phase])),
        },
        rounds=3,
        budget=20,
    )
    share = (table_size + more) / table_size
    return Section(
        "A large table",
        f"The table takes {table_size:,.0f} MB. A loop of {EPOCHS:,} epochs reads it {EPOCHS:,} times, the moments once.",
        [
            Table(
                f"{rows:,} rows of {FEATURES} features",
                [Column("work"), Column("time", "s"), Column("spread", "share")],
                [[name, one.median, one.spread] for name, one in times.items()],
                f"{sum(len(stretch.loss) for stretch in recorded) - 1:,} epochs were recorded.",
            )
        ],
        [
            Bar(f"{EPOCHS:,} epochs of {rows:,} rows, beyond one pass over them", "≤ 0.1 s", f"{times[epochs].median:.4f} s", times[epochs].median <= 0.1),
            Bar("memory meanwhile", "≤ 1.5 × the table", f"{share:.2f} ×", share <= 1.5),
        ],
    )  # fmt: skip


def scale(quick: bool) -> Section:
    """From one process to two, as `scale.py` measures it."""
    title = "More than one process"
    return Section(
        title,
        "Left out when it must be quick." if quick else importlib.import_module("scale").report(repeats=3),
    )
