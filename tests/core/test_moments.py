"""The moments of many rows, held against the rows themselves."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gd_core import moments as moments_module
from gd_core.moments import Moments


def rows_of(seed, rows, parameters, offset=0.0, noise=1.0):
    """Φ with a column of ones, and a y that is nearly explained by it."""
    generator = np.random.default_rng(seed)
    features = np.column_stack([offset + generator.normal(size=(rows, parameters - 1)), np.ones(rows)])
    target = features @ np.arange(1, parameters + 1) + noise * generator.normal(size=rows)
    return torch.from_numpy(features), torch.from_numpy(target)


shapes = {"seed": st.integers(0, 2**32 - 1), "rows": st.integers(1, 60), "parameters": st.integers(1, 6)}


@given(**shapes, offset=st.sampled_from([0.0, 3.0, 1e6]))
@settings(max_examples=50)
def test_moments_are_those_of_the_rows(seed, rows, parameters, offset):
    """ΦᵀΦ, Φᵀy, yᵀy and the mean squared error at any θ, as NumPy has them from the rows."""
    features, target = rows_of(seed, rows, parameters, offset)
    found = Moments.of(features, target)
    phi, y = features.numpy(), target.numpy()
    size = np.sqrt(np.outer((phi**2).sum(0), (phi**2).sum(0)))
    assert np.all(abs(found.gram.numpy() - phi.T @ phi) <= 1e-13 * size)
    assert np.all(abs(found.cross.numpy() - phi.T @ y) <= 1e-13 * np.sqrt(size.diagonal() * (y @ y)))
    assert found.square == pytest.approx(y @ y, rel=1e-13)
    assert found.rows == rows
    thetas = np.random.default_rng(seed).normal(size=(3, parameters))
    expected = ((phi @ thetas.T - y[:, None]) ** 2).mean(0)
    assert found.mean_square(torch.from_numpy(thetas)).numpy() == pytest.approx(expected, rel=1e-11)


@given(**shapes, cut=st.floats(0, 1))
@settings(max_examples=50)
def test_moments_of_parts_add_up(seed, rows, parameters, cut):
    """Of two parts of the rows, also an empty one, the sum has the moments of all."""
    features, target = rows_of(seed, rows, parameters)
    there = int(cut * rows)
    first = Moments.of(features[:there], target[:there])
    second = Moments.of(features[there:], target[there:])
    whole = Moments.of(features, target)
    none = Moments.none(parameters)
    for total in (first + second, none + second + first, sum([first, second], none)):
        assert total.rows == rows
        torch.testing.assert_close(total.gram, whole.gram, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(total.cross, whole.cross, rtol=1e-11, atol=1e-11)
        assert total.square == pytest.approx(whole.square, rel=1e-12)


@pytest.mark.parametrize("noise", [1e-9, 1e-3, 1.0])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_a_nearly_perfect_fit_keeps_its_digits(noise, offset):
    """From 20,000 rows the error at the optimum is NumPy's from the rows, where yᵀy − … would have no digit left."""
    features, target = rows_of(1, 20_000, 3, offset, noise)
    found = Moments.of(features, target)
    best = np.linalg.lstsq(features.numpy(), target.numpy())[0]
    expected = np.sqrt(np.mean((features.numpy() @ best - target.numpy()) ** 2))
    scale = np.sqrt(np.mean(target.numpy() ** 2))
    root = float(found.mean_square(torch.from_numpy(best)).sqrt())
    assert root == pytest.approx(expected, rel=1e-9, abs=1e-14 * scale)
    assert np.sqrt(found.factor.numpy()[-1, -1] ** 2 / 20_000) == pytest.approx(
        expected, rel=1e-6, abs=1e-14 * scale
    )


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_many_rows_are_condensed_piece_by_piece(offset, monkeypatch):
    """By way of AᵀA, or of QR where that would lose digits: the same triangle up to signs as of all rows at once."""
    features, target = rows_of(2, 3000, 4, offset)
    expected = np.linalg.qr(np.column_stack([features, target]), mode="r")
    monkeypatch.setattr(moments_module, "ROWS_AT_ONCE", 700)
    monkeypatch.setattr(moments_module, "CELLS", 100)
    triangulated = []
    original = moments_module._triangle
    monkeypatch.setattr(
        moments_module, "_triangle", lambda rows: triangulated.append(len(rows)) or original(rows)
    )
    found = Moments.of(features, target).factor.numpy()
    assert (max(triangulated) > 10) == (offset > 0)  # only then pieces of rows; else triangles alone
    np.testing.assert_allclose(abs(found), abs(expected), rtol=1e-9, atol=1e-11 * abs(expected).max())


def test_moments_in_other_coordinates():
    """Of Φ M: as if the columns had been mixed before."""
    features, target = rows_of(3, 40, 3)
    matrix = torch.tensor([[2.0, 0, 0], [1, 3, 0], [-4, 5, 1]], dtype=torch.float64)
    found = Moments.of(features, target).in_coordinates(matrix)
    expected = Moments.of(features @ matrix, target)
    torch.testing.assert_close(found.gram, expected.gram)
    torch.testing.assert_close(found.cross, expected.cross)
    assert (found.rows, found.square) == (40, pytest.approx(expected.square))


def test_what_overflows_is_no_warning():
    """Features of 1e200 have moments that no float can hold, and a triangle that is finite all the same."""
    features = torch.full((2000, 1), 1e200, dtype=torch.float64)
    found = Moments.of(features, torch.ones(2000, dtype=torch.float64))
    assert abs(float(found.factor[0, 0])) == pytest.approx(1e200 * 2000**0.5)
