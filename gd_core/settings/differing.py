"""Which settings of several runs differ, of those that change anything. No torch here."""

from collections.abc import Sequence
from typing import Any

from gd_core.settings.engines import AUTO
from gd_core.settings.experiment import Experiment, is_knob
from gd_core.settings.experiment_fields import FIELDS, HYPERPARAMETERS
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.schedules import is_constant


def effective(experiment: Experiment, name: str) -> Any:
    """A field's value, or None where it changes nothing: a rule's memory that it has not, a seed that nothing draws from."""
    if name in HYPERPARAMETERS and name not in OPTIMIZER_INFO[experiment.optimizer].hyperparameters:
        return None
    if not is_knob(name, experiment.dataset):
        return None
    if name == "delta" and name not in experiment.loss_info.hyperparameters:
        return None
    if name == "penalised" and not experiment.has_a_choice_of_penalty:
        return None
    if name == "counted_in" and (is_constant(experiment) or experiment.updates_per_epoch == 1):
        return None
    if name == "seed" and experiment.start != "random" and experiment.updates_per_epoch == 1:
        return None
    if name == "split_seed" and not experiment.holdout:
        return None
    if name == "batch_size" and experiment.updates_per_epoch == 1:
        return 0  # all rows, whether it says so or counts them
    if name == "engine" and (experiment.engine == AUTO or not experiment.has_a_choice_of_engine):
        return None
    return getattr(experiment, name)


def differing(experiments: Sequence[Experiment]) -> tuple[str, ...]:
    """The fields in which at least two of the experiments differ, in the order in which they are defined."""
    return tuple(name for name in FIELDS if len({effective(one, name) for one in experiments}) > 1)
