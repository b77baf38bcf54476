"""The models: their formulas, their features, and the way back from scaled features."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gd_core.datasets import DATASETS
from gd_core.models import MODELS, Linear, Proportional, Quadratic
from gd_core.objective import LinearObjective
from gd_core.settings.catalog import DATASET_INFO, MODEL_INFO

numbers = st.floats(-10, 10)


def standard_normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def loaded(model, theta):
    """The module with θ written into its parameters."""
    with torch.no_grad():
        parts = torch.tensor(theta, dtype=torch.float64).split([p.numel() for p in model.parameters()])
        for parameter, part in zip(model.parameters(), parts, strict=True):
            parameter.copy_(part.view_as(parameter))
    return model


@given(st.lists(numbers, min_size=3, max_size=3), st.lists(numbers, min_size=1, max_size=5))
def test_quadratic_is_its_formula(theta, times):
    """Module and features both give a t² + b t + c."""
    a, b, c = theta
    expected = [a * t * t + b * t + c for t in times]
    x = torch.tensor(times, dtype=torch.float64).unsqueeze(1)
    model = loaded(Quadratic(), theta)
    assert model(x).squeeze(1).tolist() == pytest.approx(expected, rel=1e-12, abs=1e-11)
    by_features = model.features(x) @ torch.tensor(theta, dtype=torch.float64)
    assert by_features.tolist() == pytest.approx(expected, rel=1e-12, abs=1e-11)


@pytest.mark.parametrize("num_features", [1, 2, 5])
def test_linear_is_torchs_linear_layer(num_features):
    """Module and features both agree with nn.Linear of the same weights."""
    theta = standard_normal(num_features + 1)
    layer = nn.Linear(num_features, 1, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(theta[:-1].unsqueeze(0))
        layer.bias.copy_(theta[-1:])
    x = standard_normal(30, num_features, seed=1)
    model = loaded(Linear(num_features), theta.tolist())
    torch.testing.assert_close(model(x), layer(x), rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(model.features(x) @ theta, layer(x).squeeze(1), rtol=1e-14, atol=1e-14)


def test_proportional_is_its_formula():
    """Module and features both give A x, without an intercept."""
    x = torch.tensor([[0.0], [3.0]], dtype=torch.float64)
    model = loaded(Proportional(), [2.5])
    assert model(x).tolist() == [[0.0], [7.5]]
    assert (model.features(x) @ torch.tensor([2.5], dtype=torch.float64)).tolist() == [0.0, 7.5]


@pytest.mark.parametrize("name", [name for name in DATASETS if MODEL_INFO[DATASET_INFO[name].model].linear])
@given(data=st.data())
def test_features_agree_with_the_module(name, data):
    """The loss by way of features equals the loss by way of the nn.Module, at any θ."""
    objective = LinearObjective(
        MODELS[DATASET_INFO[name].model](), DATASETS[name](20, noise=1.0, data_seed=4)
    )
    count = objective.features.shape[1]
    theta = torch.tensor(data.draw(st.lists(numbers, min_size=count, max_size=count)), dtype=torch.float64)
    torch.testing.assert_close(objective(theta), objective.literal(theta), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", DATASETS)
def test_names_stand_for_parameters_in_order(name):
    """There is a name for each entry of θ, and it is the one that the catalogue shows."""
    model = MODELS[DATASET_INFO[name].model]()
    assert model.parameter_names == DATASET_INFO[name].parameters
    assert len(model.parameter_names) == sum(p.numel() for p in model.parameters())


@given(
    theta=st.lists(numbers, min_size=3, max_size=3),
    mean=st.lists(numbers, min_size=2, max_size=2),
    deviation=st.lists(st.floats(0.01, 100), min_size=2, max_size=2),
    num_features=st.sampled_from([1, 2]),
)
def test_raw_coefficients_draw_the_same_curve(theta, mean, deviation, num_features):
    """Coefficients of scaled features, taken to raw units, predict the same from the raw features."""
    model = Quadratic() if num_features == 1 else Linear(2)
    means = torch.tensor(mean[:num_features], dtype=torch.float64)
    deviations = torch.tensor(deviation[:num_features], dtype=torch.float64)
    x = standard_normal(8, num_features) * 5
    coefficients = torch.tensor(theta, dtype=torch.float64)
    scaled = model.features((x - means) / deviations) @ coefficients
    raw = model.features(x) @ (model.to_raw(means, deviations) @ coefficients)
    # what cancels between powers of t is as large as (m / s)², and so is its rounding
    size = float(((means.abs() + x.abs() + 1) / deviations).amax() ** 2) + 1
    np.testing.assert_allclose(raw, scaled, rtol=0, atol=1e-13 * size * (1 + float(coefficients.abs().sum())))


def test_an_intercept_is_needed_to_shift_features():
    """Proportional can be scaled but not shifted: it says so instead of drawing another line."""
    none, two = torch.zeros(1, dtype=torch.float64), torch.full((1,), 2.0, dtype=torch.float64)
    assert Proportional().to_raw(none, two).tolist() == [[0.5]]
    with pytest.raises(ValueError, match=r"mean must be 0 .* Got \[2\.0\]"):
        Proportional().to_raw(two, two)
