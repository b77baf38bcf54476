"""Who can take part in a race: three sizes of batch for the plain rule, every other rule, single rows at a decaying rate. No torch here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.schedules import CONSTANT

ALL, SOME, ONE = "all rows", "a mini-batch", "one row"  # what each update is computed from


class Racer(NamedTuple):
    """One of those who race.

    Attributes:
        title: Name on the page.
        optimizer: Key of `rules.OPTIMIZER_INFO`.
        rows: What its updates are computed from, if the race does not say otherwise.
        schedule: What its rate follows.
    """

    title: str
    optimizer: str = "gradient-descent"
    rows: str = ALL
    schedule: str = CONSTANT


RACERS: Mapping[str, Racer] = MappingProxyType(
    {
        "batch": Racer("Batch"),
        "mini-batch": Racer("Mini-batch", rows=SOME),
        "stochastic": Racer("Stochastic", rows=ONE),
        **{rule: Racer(info.race.name, rule) for rule, info in OPTIMIZER_INFO.items() if info.race},
        "decaying": Racer("Stochastic (decaying)", rows=ONE, schedule="inverse-time:0.1"),
    }
)
# the other rules, and those of them that can take mini-batches
RULES = tuple(key for key, racer in RACERS.items() if key == racer.optimizer)
IN_BATCHES = tuple(rule for rule in RULES if not OPTIMIZER_INFO[rule].over_curvature)
USUAL = ("batch", "mini-batch", "stochastic", *IN_BATCHES)  # who races at first
TITLES: Mapping[str, str] = MappingProxyType({key: racer.title for key, racer in RACERS.items()})
UNITS: Mapping[str, str] = MappingProxyType({"epoch": "Epochs", "update": "Updates", "row": "Rows seen"})
