"""The data, bit for bit as the articles draw them."""

import pytest
import torch

from gd_core.datasets import DATASETS, Dataset, noisy_quadratic, one_parameter, two_features


@pytest.fixture
def global_seed():
    """Seeds torch as the articles do, and leaves the global state as it was."""
    with torch.random.fork_rng(devices=[]):
        yield torch.manual_seed


def test_noisy_quadratic_is_the_articles_bit_for_bit(global_seed):
    """The data are those of seed 2021, and the start is the second randn(3) after them."""
    global_seed(2021)
    t = torch.arange(0, 20).float()
    y = torch.rand(20) * 5 + 0.8 * (t - 7.5) ** 2 + 1
    thrown_away, start = torch.randn(3), torch.randn(3)
    dataset = noisy_quadratic()
    assert torch.equal(dataset.x, t.double().unsqueeze(1))
    assert torch.equal(dataset.y, y.double().unsqueeze(1))
    assert torch.equal(dataset.start, start.double())
    assert thrown_away.tolist() == pytest.approx([-2.3055, 0.9176, 1.5674], abs=5e-5)


def test_two_features_is_the_articles_bit_for_bit(global_seed):
    """The rows are those of seed 42 under weights 1.3 and −1.0 and bias −3.5."""
    global_seed(42)
    x = torch.randn(1000, 2)
    y = x @ torch.tensor([1.3, -1.0]) - 3.5
    dataset = two_features()
    assert torch.equal(dataset.x, x.double())
    assert torch.equal(dataset.y, y.double().unsqueeze(1))


def test_two_features_starts_where_the_articles_epoch_100_comes_from(global_seed):
    """A hundred updates of the article's own recurrence lead from the start to its first printed line."""
    global_seed(42)
    x = torch.randn(1000, 2).double().numpy()
    y = x @ [1.3, -1.0] - 3.5
    w, b = two_features().start[:2].numpy(), float(two_features().start[2])
    second_moment = x.T @ x / len(x)
    for _ in range(100):  # ∂/∂w and ∂/∂b of the mean of (x_i·w + b − y_j)² over all i, j
        slope_w = 2 * (second_moment @ w + x.mean(0) * (b - y.mean()))
        slope_b = 2 * (x.mean(0) @ w + b - y.mean())
        w, b = w - 1e-3 * slope_w, b - 1e-3 * slope_b
    assert w.tolist() == pytest.approx([-0.2618025, 0.44433367], abs=1e-7)
    assert b == pytest.approx(-0.17722966, abs=1e-7)


def test_one_parameter_is_one_row():
    """Its squared error under ŷ = A x is (3 + 3A)², for every A."""
    dataset = one_parameter()
    for a in (-1.0, 0.0, 2.0):
        assert float((a * dataset.x - dataset.y) ** 2) == (3 + 3 * a) ** 2


@pytest.mark.parametrize("name", DATASETS)
def test_shapes_and_precision(name):
    """Every data set is float64, [N, D] against [N, 1], with a name for each feature."""
    dataset = DATASETS[name](7, noise=0.5, data_seed=3)
    rows, features = dataset.x.shape
    assert rows == {"one-parameter": 1, "sea": 24}.get(name, 7)  # these are as they were measured
    assert dataset.y.shape == (rows, 1)
    assert len(dataset.feature_names) == features
    assert {dataset.x.dtype, dataset.y.dtype, dataset.start.dtype} == {torch.float64}


@pytest.mark.parametrize("make", [noisy_quadratic, two_features])
def test_the_seed_decides_the_data(make):
    """The same seed gives the same rows, another seed others."""
    one, same, other = (make(20, noise=1.0, data_seed=seed) for seed in (5, 5, 6))
    assert torch.equal(one.x, same.x)
    assert torch.equal(one.y, same.y)
    assert not torch.equal(one.y, other.y)


def test_noise_widens_the_quadratic_by_that_much():
    """Noise is uniform on [0, noise): with none the data lie on the parabola, else above it by less than that."""
    smooth = noisy_quadratic(500, noise=0.0).y
    above = noisy_quadratic(500, noise=5.0).y - smooth
    assert smooth[:20, 0].tolist() == pytest.approx([0.8 * (t - 7.5) ** 2 + 1 for t in range(20)], rel=1e-6)
    assert -1e-2 <= float(above.min()) < 0.5  # float32 rounds 200,000 to hundredths
    assert 4.5 < float(above.max()) <= 5.01


def test_noise_of_the_plane_is_normal():
    """Its mean is 0 and its standard deviation what was asked for."""
    away = two_features(10_000, noise=2.0).y - two_features(10_000, noise=0.0).y
    assert float(away.mean()) == pytest.approx(0, abs=0.08)
    assert float(away.std()) == pytest.approx(2, rel=0.03)


def test_standardised_features_have_mean_0_and_deviation_1():
    """Population deviation, and the target is left alone."""
    scaled = two_features(50).standardised()
    assert scaled.x.mean(0).tolist() == pytest.approx([0, 0], abs=1e-14)
    assert scaled.x.numpy().std(0).tolist() == pytest.approx([1, 1], rel=1e-14)
    assert torch.equal(scaled.y, two_features(50).y)


def test_a_constant_feature_is_only_shifted():
    """Its deviation counts as 1, so that nothing is divided by rounding."""
    x = torch.stack([torch.full((10,), 0.1, dtype=torch.float64), torch.arange(10.0, dtype=torch.float64)], 1)
    dataset = Dataset(x, x[:, :1], ("constant", "ramp"), "y", "", torch.zeros(3, dtype=torch.float64))
    assert float(dataset.deviation[0]) == 1
    assert dataset.standardised().x[:, 0].abs().max() < 1e-15
