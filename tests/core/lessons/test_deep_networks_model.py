"""A deep network's gradients against the chain rule written out in NumPy, and the signal's way back."""

import math
from itertools import islice, product

import numpy as np
import pytest
import torch
from rules import RULES

from gd_core.lessons.deep_networks.backpropagation import backpropagated
from gd_core.lessons.deep_networks.model import ACTIVATIONS, INITIALISATIONS, ROWS, Deep, curve, flat_loss
from gd_core.lessons.deep_networks.network import NETWORK_FIELDS, Network
from gd_core.objective import value_and_gradient
from gd_core.optimizers import OPTIMIZERS
from gd_core.settings.fields import Choice
from gd_core.training import train

CHOICES = {name: tuple(field.choices) for name, field in NETWORK_FIELDS.items() if isinstance(field, Choice)}
KINDS = list(product(CHOICES["activation"], (False, True), (False, True)))


def small(**fields):
    return Network(**({"depth": 4, "width": 5, "initialisation": "he"} | fields))


# ------------------------------------------------------------------------------------ the chain rule, in NumPy alone


def phi(name, z):
    """An activation and its slope."""
    cdf = 0.5 * (1 + np.vectorize(math.erf)(z / math.sqrt(2)))
    return {
        "sigmoid": lambda: (1 / (1 + np.exp(-z)), np.exp(-z) / (1 + np.exp(-z)) ** 2),
        "tanh": lambda: (np.tanh(z), 1 / np.cosh(z) ** 2),
        "relu": lambda: (np.where(z > 0, z, 0.0), np.where(z > 0, 1.0, 0.0)),
        "gelu": lambda: (z * cdf, cdf + z * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)),
    }[name]()


def by_hand(network, theta):
    """Loss and ∂L/∂W of every layer, the output layer last, by the chain rule."""
    x, y = (column.numpy() for column in curve())
    width, depth = network.width, network.depth
    shapes = [(width, 1)] + [(width, width)] * (depth - 1) + [(1, width)]
    theta, layers = theta.numpy(), []
    for out, into in shapes:
        w, theta = theta[: out * into].reshape(out, into), theta[out * into :]
        b, theta = theta[:out], theta[out:]
        layers.append((w, b))
    h, kept = x, []
    for number, (w, b) in enumerate(layers[:-1]):
        z = h @ w.T + b
        value, slope = phi(network.activation, z)
        around = network.residual and number > 0
        s = h + value if around else value
        deviation = np.sqrt(s.var(1, keepdims=True) + 1e-5)
        out = (s - s.mean(1, keepdims=True)) / deviation if network.normalise else s
        kept.append((h, w, slope, around, out, deviation))
        h = out
    w, b = layers[-1]
    error = h @ w.T + b - y
    back = 2 * error / len(y)  # ∂L/∂ŷ
    gradients = [back.T @ h]
    back = back @ w  # ∂L/∂h of the last hidden layer
    for h, w, slope, around, out, deviation in reversed(kept):
        if network.normalise:
            mean_of_both = (back * out).mean(1, keepdims=True)
            back = (back - back.mean(1, keepdims=True) - out * mean_of_both) / deviation
        delta = back * slope
        gradients.append(delta.T @ h)
        back = delta @ w + (back if around else 0)
    return (error**2).mean(), gradients[::-1]


@pytest.mark.parametrize(("activation", "residual", "normalise"), KINDS)
def test_the_gradient_of_every_layer_is_the_chain_rule(activation, residual, normalise):
    """Loss and ∂L/∂W of each layer, written out by hand, for every activation, with and without the two helpers."""
    network = small(activation=activation, residual=residual, normalise=normalise, seed=3)
    deep = Deep(network)
    theta = deep.start() + 0.1  # with biases that are not 0
    loss, gradient = value_and_gradient(deep, theta)
    expected_loss, expected = by_hand(network, theta)
    assert float(loss) == pytest.approx(expected_loss, rel=1e-12)
    found = deep.parts(gradient)[::2]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-9, atol=1e-13 * np.abs(other).max())
    norms = [np.linalg.norm(one) for one in expected]
    np.testing.assert_allclose(deep.norms(gradient).numpy(), norms, rtol=1e-9)


def test_a_width_of_two_normalised_is_the_chain_rule_too():
    """Two numbers of mean 0 and deviation 1 are always −1 and 1, so next to nothing comes back."""
    network = small(width=2, normalise=True, activation="tanh")
    deep = Deep(network)
    _, gradient = value_and_gradient(deep, deep.start())
    _, expected = by_hand(network, deep.start())
    for one, other in zip(deep.parts(gradient)[::2], expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-5, atol=1e-15)


# ----------------------------------------------------------------------------------------------- data and the start


def test_the_curve_is_a_sine():
    """64 points of sin πx on [−1, 1], and the loss of the best flat line is their variance."""
    x, y = (column[:, 0].numpy() for column in curve())
    assert len(x) == ROWS == 64
    np.testing.assert_allclose(y, np.sin(np.pi * x), atol=1e-15)
    assert flat_loss() == pytest.approx(np.var(y))


@pytest.mark.parametrize("name", CHOICES["initialisation"])
def test_weights_start_with_the_deviation_that_is_promised(name):
    """Mean 0 and the named deviation in every hidden layer; biases are 0."""
    deep = Deep(Network(depth=3, width=64, initialisation=name))
    first, b1, second, b2, *_ = deep.parts(deep.start())
    expected = {
        "small": (0.1, 0.1),
        "large": (1, 1),
        "xavier": (math.sqrt(2 / 65), math.sqrt(2 / 128)),
        "he": (math.sqrt(2), math.sqrt(2 / 64)),
    }[name]
    for weights, deviation in zip((first, second), expected, strict=True):
        n = weights.numel()
        assert abs(float(weights.mean())) < 4 * deviation / math.sqrt(n)
        assert float(weights.std()) == pytest.approx(deviation, rel=4 / math.sqrt(2 * n))
    assert not b1.any()
    assert not b2.any()


def test_the_seed_alone_decides_the_start():
    """The same seed gives the same weights, another one others; the global seed is left alone."""
    before = torch.random.get_rng_state()
    starts = [Deep(small(seed=seed)).start() for seed in (0, 0, 1)]
    assert starts[0].equal(starts[1])
    assert not starts[0].equal(starts[2])
    assert torch.random.get_rng_state().equal(before)


def test_every_choice_has_its_function():
    """What the spec offers, the network has."""
    assert set(ACTIVATIONS) == set(CHOICES["activation"])
    assert set(INITIALISATIONS) == set(CHOICES["initialisation"])
    assert set(CHOICES["optimizer"]) <= set(OPTIMIZERS)


# -------------------------------------------------------------------------------------------------- the way back


@pytest.mark.parametrize(("activation", "residual", "normalise"), KINDS)
def test_the_factors_multiply_to_what_layer_1_hears(activation, residual, normalise):
    """The product of all steps and the inputs' factor is ‖∂L/∂W₁‖ / ‖∂L/∂W_L‖, as the chain rule by hand gives it."""
    network = small(activation=activation, residual=residual, normalise=normalise, depth=6, width=8)
    deep = Deep(network)
    back = backpropagated(deep, deep.start())
    _, expected = by_hand(network, deep.start())
    share = np.linalg.norm(expected[0]) / np.linalg.norm(expected[-2])
    assert back.share == pytest.approx(share, rel=1e-9)
    assert len(back.steps) == 5
    if not residual:
        assert back.shortcut.numpy() == pytest.approx(1)
    if not normalise:
        assert back.standardised.numpy() == pytest.approx(1)


def test_a_sigmoid_lets_at_most_a_quarter_through():
    """The slope of a sigmoid is at most ¼, so is its factor in every step; of tanh, 1."""
    for activation, most in (("sigmoid", 0.25), ("tanh", 1.0)):
        for seed in range(5):
            deep = Deep(Network(depth=10, activation=activation, seed=seed))
            slopes = backpropagated(deep, deep.start()).slopes
            assert float(slopes.max()) <= most
            assert float(slopes.min()) > 0


@pytest.mark.parametrize("seed", range(4))
def test_twenty_sigmoid_layers_are_silent(seed):
    """With Xavier's weights layer 1 hears less than ¼¹⁹ × 10⁴ of what layer 20 hears."""
    deep = Deep(Network(depth=20, activation="sigmoid", initialisation="xavier", seed=seed))
    assert 0 < backpropagated(deep, deep.start()).share < 0.25**19 * 1e4


@pytest.mark.parametrize("seed", range(4))
def test_he_keeps_the_scale_under_relu(seed):
    """He et al.: with deviation √(2/in) the numbers of a ReLU network keep their size, and so do the gradients."""
    deep = Deep(Network(depth=20, width=64, activation="relu", initialisation="he", seed=seed))
    back = backpropagated(deep, deep.start())
    assert float(back.forward.log().mean().exp()) == pytest.approx(1, abs=0.12)
    assert float(back.steps.log().mean().exp()) == pytest.approx(1, abs=0.12)
    assert 0.01 < back.share < 100  # the sigmoid: 1e−13


def test_one_layer_has_no_way_back():
    """With one hidden layer the first is the last, and the share is 1."""
    deep = Deep(Network(depth=1))
    back = backpropagated(deep, deep.start())
    assert back.share == pytest.approx(1)
    assert len(back.steps) == len(back.forward) == 0


# ------------------------------------------------------------------------------------------------------- the loop


@pytest.mark.parametrize("optimizer", CHOICES["optimizer"])
def test_it_trains_as_torch_trains_the_same_network(optimizer):
    """Ten epochs of an nn.Sequential with the same weights under torch.optim end at the same weights."""
    deep = Deep(small(activation="tanh", optimizer=optimizer))
    # without biases the net is as odd as its curve: their gradients are rounding alone, which Adam would blow up
    start = deep.start() + 0.1 * torch.randn(
        len(deep.start()), generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    rule = OPTIMIZERS[optimizer](0.01)
    *_, last = islice(train(deep, start, rule), 11)
    modules = []
    for out, into in deep.shapes[::2]:
        modules += [torch.nn.Linear(into, out, dtype=torch.float64), torch.nn.Tanh()]
    model = torch.nn.Sequential(*modules[:-1])
    with torch.no_grad():
        for parameter, part in zip(model.parameters(), deep.parts(start), strict=True):
            parameter.copy_(part)
    oracle = RULES[optimizer].beside(model.parameters(), 0.01)
    x, y = curve()
    for _ in range(10):
        oracle.zero_grad()
        torch.nn.functional.mse_loss(model(x), y).backward()
        oracle.step()
    expected = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    torch.testing.assert_close(last.theta, expected, rtol=1e-9, atol=1e-12)
