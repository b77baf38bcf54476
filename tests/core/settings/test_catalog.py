"""Words and functions go by the same names."""

import importlib
import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from known_fields import BOUNDS, CHOICES, offer

from gd_core.datasets import DATASETS, noisy_quadratic
from gd_core.export.script import script
from gd_core.models import MODELS, Linear, LinearInParameters
from gd_core.objective import LOSSES, SQUARED, as_parabola, objective_of
from gd_core.optimizers import OPTIMIZERS
from gd_core.problem import build
from gd_core.settings.catalog import (
    DATASET_INFO,
    LOSS_INFO,
    MODEL_INFO,
    PUBLISHED,
    why_no_parabola,
)
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import FIELDS, HYPERPARAMETERS
from gd_core.settings.fields import ParameterError
from gd_core.settings.rules import OPTIMIZER_INFO
from gd_core.settings.table_fields import DATASET
from gd_core.theory import why_no_theory


def rows_of(dataset):
    """Whose rows a data set has: its own, or another’s."""
    return DATASET_INFO[dataset].rows or dataset


@pytest.mark.parametrize(
    ("words", "functions", "choices"),
    [
        (
            DATASET_INFO,
            [name for name in DATASET_INFO if rows_of(name) in (*DATASETS, DATASET)],
            CHOICES["dataset"],
        ),
        (LOSS_INFO, LOSSES, CHOICES["loss"]),
        (OPTIMIZER_INFO, OPTIMIZERS, CHOICES["optimizer"]),
    ],
    ids=["datasets", "losses", "optimizers"],
)
def test_registries_hold_the_same_names(words, functions, choices):
    """What can be chosen can be run, and what can be run can be chosen, in one order."""
    assert list(words) == list(functions) == list(choices)
    assert all(info.title and info.help for info in words.values())


WEIGHTS = {"linear": 1, "polynomial": 3, "linear-origin": 1, "polynomial-origin": 3}  # of any number


def sized(name):
    """A model and D, the number of its weights."""
    model = MODELS[name](WEIGHTS[name]) if name in WEIGHTS else MODELS[name]()
    return model, len(model.parameter_names) - MODEL_INFO[name].intercept


def test_models_have_words_and_functions():
    """Under the same names; and nobody makes rows that cannot be chosen."""
    assert set(MODEL_INFO) == set(MODELS)
    assert set(DATASETS) <= set(DATASET_INFO)


@pytest.mark.parametrize("name", MODEL_INFO)
def test_words_of_a_model_are_about_its_function(name):
    """Linear in words is linear in code; a script’s columns are Φ; a chart’s curve is ŷ."""
    info, (model, weights) = MODEL_INFO[name], sized(name)
    assert info.linear == isinstance(model, LinearInParameters)
    x = torch.tensor([[0.5], [2.0], [3.0]], dtype=torch.float64)
    theta = torch.linspace(0.5, -1.5, len(model.parameter_names), dtype=torch.float64)
    made = {"x": x, "torch": torch, "theta": theta}
    exec(info.columns(weights), made)
    prediction = eval(info.prediction or "columns @ theta", made)
    assert info.linear == (info.prediction is None)
    with torch.no_grad():
        expected = torch.func.functional_call(model, named(model, theta), x).squeeze(1)
    torch.testing.assert_close(prediction, expected, rtol=1e-13, atol=1e-13)
    place = SimpleNamespace(**{f"p{i}": value for i, value in enumerate(theta.tolist())})
    curve = info.curve("place", "at", weights)
    drawn = [eval(curve, vars(math) | {"place": place, "at": value}) for value in x[:, 0].tolist()]
    assert drawn == pytest.approx(expected.tolist(), rel=1e-12)
    assert info.latex(weights).startswith(r"\hat y = ")
    if info.terms is not None and name not in WEIGHTS:
        assert len(info.terms) == len(theta)


def named(model, theta):
    """θ under the names of a module’s parameters."""
    parameters = dict(model.named_parameters())
    parts = theta.split([p.numel() for p in parameters.values()])
    return {name: part.view_as(p) for (name, p), part in zip(parameters.items(), parts, strict=True)}


@pytest.mark.parametrize("name", [name for name, info in MODEL_INFO.items() if info.scaling])
def test_a_script_scales_the_features_as_the_model_takes_it_back(name):
    """`mu`, `sigma` and `to_raw` of a script are mean, deviation and `to_raw` of the model."""
    info, (model, weights) = MODEL_INFO[name], sized(name)
    x = torch.tensor([[0.5], [2.0], [3.5], [7.0]], dtype=torch.float64)
    mean, deviation = x.mean(0), x.std(0, correction=0)
    if not info.intercept:
        mean, deviation = 0 * mean, (x**2).mean(0) ** 0.5
    assert info.scaling
    made = {
        "x": x,
        "torch": torch,
        **{module: importlib.import_module(module) for module in info.scaling.imports},
    }
    exec(f"{info.scaling.moments}\n{info.scaling.to_raw(weights)}", made)
    torch.testing.assert_close(made["to_raw"], model.to_raw(mean, deviation), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", [name for name, info in MODEL_INFO.items() if info.through_origin])
def test_a_model_without_its_intercept_is_the_same_through_the_origin(name):
    """The same numbers as with an intercept of 0; its words have no b, c or constant term."""
    info, (model, weights) = MODEL_INFO[name], sized(name)
    bare = MODELS[info.through_origin](weights) if name in WEIGHTS else MODELS[info.through_origin]()
    assert not MODEL_INFO[info.through_origin].intercept
    assert bare.parameter_names == model.parameter_names[:-1]
    theta = torch.linspace(0.5, -1.5, len(bare.parameter_names), dtype=torch.float64)
    x = torch.tensor([[0.0], [2.0], [3.0]], dtype=torch.float64)
    with torch.no_grad():
        through = torch.func.functional_call(bare, named(bare, theta), x)
        with_zero = torch.func.functional_call(model, named(model, torch.cat([theta, theta.new_zeros(1)])), x)
    assert through.tolist() == with_zero.tolist()
    assert through[0] == 0
    less = MODEL_INFO[info.through_origin]
    assert info.latex(weights).replace(r"\,", "").startswith(less.latex(weights).replace(r"\,", "") + " + ")
    assert info.plain(weights).startswith(less.plain(weights) + " + ")


@pytest.mark.parametrize("name", LOSS_INFO)
def test_words_of_a_loss_are_about_its_function(name):
    """A script’s lines are the loss; it is the square of the RMSE if the words say so, and a parabola if they say so."""
    info, loss = LOSS_INFO[name], LOSSES[name]
    prediction, target = torch.tensor([[1.0, 4.0, -2.0], [0.5, 1.0, 2.0]], dtype=torch.float64)
    made = {"prediction": prediction, "target": target}
    for lines in filter(None, (info.lines, info.lines_of_many)):
        assert float(
            eval(lines.value.format(**info.hyperparameters), made | {"torch": torch})
        ) == pytest.approx(float(loss(prediction, target)), rel=1e-14)
    square = float((prediction - target).square().mean())
    assert info.is_mean_square == (float(loss(prediction, target)) == pytest.approx(square))
    assert info.squared == (loss in SQUARED)
    if info.squared:
        against, above = SQUARED[loss].target(target), SQUARED[loss].above(target)
        found = float((prediction - against).square().mean() + above)
        assert found == pytest.approx(float(loss(prediction, target)), rel=1e-14)
    assert "{columns}" in info.gradient
    assert "7.5" in info.close.format(floor="7.5")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("model", MODELS)
def test_words_and_functions_agree_where_there_is_a_parabola(model, loss):
    """One says it before torch is loaded, the other of the objective."""
    objective = objective_of(sized(model)[0], noisy_quadratic(), LOSSES[loss])
    assert (as_parabola(objective) is not None) == (why_no_parabola(model, loss) is None)


@pytest.fixture
def unknown(monkeypatch):
    """A data set whose model nobody has words for, and one whose rows nobody makes."""
    info = DATASET_INFO["noisy-quadratic"]
    strange = {
        "strange model": replace(info, model="cubic"),
        "strange rows": replace(info, rows="moon-phases"),
        "no code": replace(info, code=""),
    }
    for name, one in strange.items():
        monkeypatch.setitem(DATASET_INFO, name, one)
    offer(monkeypatch, "dataset", *strange)
    monkeypatch.setitem(DATASETS, "no code", noisy_quadratic)
    monkeypatch.setitem(DATASETS, "strange model", noisy_quadratic)
    monkeypatch.setitem(LOSS_INFO, "log-cosh", LOSS_INFO["mse"])
    offer(monkeypatch, "loss", "log-cosh")


@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize(
    "use", [build, why_no_theory, lambda one: script(one, "by-hand"), lambda one: one.runs_on]
)
def test_an_unknown_model_is_refused_everywhere(use):
    """By its name: nothing of another model is computed or said in its place."""
    experiment = Experiment(dataset="strange model", epochs=1000)
    with pytest.raises((ValueError, KeyError), match="cubic"):
        use(experiment)


@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize(
    ("experiment", "use", "name"),
    [
        ({"dataset": "strange rows"}, build, "moon-phases"),
        ({"dataset": "strange rows"}, lambda one: script(one, "by-hand"), "moon-phases"),
        ({"dataset": "no code"}, lambda one: script(one, "by-hand"), "no code"),
        ({"loss": "log-cosh"}, build, "log-cosh"),
    ],
)
def test_unknown_rows_and_losses_are_refused(experiment, use, name):
    """By their names."""
    with pytest.raises((ValueError, KeyError), match=name):
        use(Experiment(**experiment))


@pytest.mark.parametrize("field", ["dataset", "loss"])
def test_what_is_in_no_table_is_no_experiment(field):
    """A value that is not offered is refused by its name."""
    with pytest.raises(ParameterError, match=f"{field} must be one of .* Got log-cosh"):
        Experiment(**{field: "log-cosh"})


def test_rows_can_have_a_second_model(monkeypatch):
    """A data set with another's rows has its own title, start and parameters, and its script makes the same rows."""
    line = replace(
        DATASET_INFO["noisy-quadratic"], title="Speeds, a line", model="linear", parameters=("w₁", "b"),
        rows="noisy-quadratic", start=(1.0, 2.0), code="",
    )  # fmt: skip
    monkeypatch.setitem(DATASET_INFO, "speeds", line)
    offer(monkeypatch, "dataset", "speeds")
    monkeypatch.setitem(MODELS, "linear", lambda: Linear(1))
    experiment = Experiment(dataset="speeds", points=12, noise=2.0, data_seed=7)
    dataset = build(experiment).dataset
    assert dataset.y.equal(noisy_quadratic(12, noise=2.0, data_seed=7).y)
    assert (dataset.title, dataset.start.tolist()) == ("Speeds, a line", [1.0, 2.0])
    assert "torch.arange(12)" in script(experiment, "by-hand")


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_data_set_names_a_model_and_its_parameters(name):
    """The catalogue's parameters are those of the model, and as many as the published start has."""
    info = DATASET_INFO[name]
    assert info.parameters == MODELS[info.model]().parameter_names
    assert len(info.parameters) == len(build(Experiment.default(name)).start)


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
