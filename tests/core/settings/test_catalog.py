"""Words and functions go by the same names."""

import pytest

from gd_core.datasets import DATASETS
from gd_core.models import MODELS
from gd_core.objective import LOSSES
from gd_core.optimizers import OPTIMIZERS
from gd_core.settings.catalog import DATASET_INFO, LOSS_INFO
from gd_core.settings.experiment import BOUNDS, CHOICES
from gd_core.settings.experiment_fields import FIELDS, HYPERPARAMETERS
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.table_fields import DATASET


@pytest.mark.parametrize(
    ("words", "functions", "choices"),
    [
        (DATASET_INFO, (*DATASETS, DATASET), CHOICES["dataset"]),
        (LOSS_INFO, LOSSES, CHOICES["loss"]),
        (OPTIMIZER_INFO, OPTIMIZERS, CHOICES["optimizer"]),
    ],
    ids=["datasets", "losses", "optimizers"],
)
def test_registries_hold_the_same_names(words, functions, choices):
    """What can be chosen can be run, and what can be run can be chosen, in one order."""
    assert list(words) == list(functions) == list(choices)
    assert all(info.title and info.help for info in words.values())


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_names_a_model_and_its_parameters(name):
    """The catalogue's parameters are those of the model, and as many as the published start has."""
    info = DATASET_INFO[name]
    assert info.parameters == MODELS[info.model]().parameter_names
    assert len(info.parameters) == len(DATASETS[name]().start)


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_speaks_of_fields(name):
    """Its knobs and defaults are fields of an experiment, and the function's own defaults are the same."""
    info = DATASET_INFO[name]
    assert set(info.knobs) <= set(FIELDS)
    assert set(info.defaults) <= set(FIELDS)
    published = DATASETS[name]()
    shown = DATASETS[name](
        *(info.defaults[key] for key in ("points",)),
        **{key: info.defaults[key] for key in ("noise", "data_seed")},
    )
    assert published.x.tolist() == shown.x.tolist()
    assert published.y.tolist() == shown.y.tolist()


def test_hyperparameters_are_fields_with_bounds():
    """Each setting of a rule is a field of an experiment, has bounds, and its default lies within them."""
    used = {name for info in OPTIMIZER_INFO.values() for name in info.hyperparameters}
    assert used == set(HYPERPARAMETERS)
    assert used <= set(FIELDS)
    for info in OPTIMIZER_INFO.values():
        for name, value in info.hyperparameters.items():
            assert BOUNDS[name].low <= value <= BOUNDS[name].high


def test_every_number_has_a_title_and_help():
    """A widget, a flag and an error can all be made from the bounds."""
    for name, bounds in BOUNDS.items():
        assert name in FIELDS
        assert bounds.low < bounds.high
        assert bounds.title
        assert bounds.help.endswith(".")
