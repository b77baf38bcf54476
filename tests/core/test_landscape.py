"""The map: lines of equal loss, where a slice is lowest, what the frame holds."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gd_core.landscape import (
    LINES,
    POINTS_A_LINE,
    level_lines,
    resting_axes,
    rests,
    slice_minimum,
    window,
)
from gd_core.problem import build
from gd_core.settings.experiment import Experiment, defaults
from gd_core.theory import curvature_of

PLANES = [(0, 1), (0, 2), (1, 2)]


def quadratic(**changes):
    """Problem and curvature of the noisy quadratic."""
    problem = build(Experiment(**(defaults("noisy-quadratic", "gradient-descent") | changes)))
    return problem, curvature_of(problem.objective)


@pytest.mark.parametrize("axes", PLANES)
@pytest.mark.parametrize("scaled", [False, True])
def test_every_point_of_a_line_has_the_loss_of_its_level(axes, scaled):
    """The objective itself, asked at each point of a line, gives the slice's lowest loss plus the level."""
    problem, curvature = quadratic(scale_features=scaled)
    lowest = slice_minimum(curvature, problem.start, axes)
    lines = level_lines(curvature, window(curvature, problem.start, axes), lowest.unsqueeze(0), axes)
    theta = problem.start.repeat(len(lines.line), 1)
    theta[:, list(axes)] = lowest + torch.from_numpy(lines.offset)
    at_lowest = problem.start.clone()
    at_lowest[list(axes)] = lowest
    rise = problem.objective.many(theta) - problem.objective(at_lowest)
    # contourpy interpolates along the edges of the grid, so a point is off by the curvature within a cell
    np.testing.assert_allclose(
        rise.numpy(), lines.heights[lines.level], rtol=0.05, atol=0.02 * lines.heights[0]
    )


@pytest.mark.parametrize("axes", PLANES)
@pytest.mark.parametrize("loss", ["mse", "mse-broadcast"])
def test_the_gradient_within_the_plane_vanishes_at_the_slices_lowest_point(axes, loss):
    """Autograd on the objective agrees with the formula for the slice's minimum."""
    problem, curvature = quadratic(loss=loss)
    theta = problem.start.clone()
    theta[list(axes)] = slice_minimum(curvature, problem.start, axes)
    theta.requires_grad_()
    (gradient,) = torch.autograd.grad(problem.objective(theta), theta)
    steepest = curvature.hessian[list(axes)][:, list(axes)].abs().max()
    assert gradient[list(axes)].abs().max() < 1e-9 * steepest


def test_a_slice_through_the_optimum_is_lowest_there():
    """With the other parameters at the optimum, the slice's lowest point is the optimum."""
    _, curvature = quadratic()
    for axes in PLANES:
        torch.testing.assert_close(
            slice_minimum(curvature, curvature.optimum, axes), curvature.optimum[list(axes)]
        )


@given(
    start=st.tuples(*[st.floats(-1e6, 1e6)] * 3),
    axes=st.sampled_from(PLANES),
)
def test_the_frame_holds_the_start_and_its_mirror_image(start, axes):
    """The start lies inside the map, and so does the point opposite the optimum."""
    problem, curvature = quadratic(start=start)
    shown = window(curvature, problem.start, axes)
    for axis, centre, half in zip(axes, shown.centre, shown.half, strict=True):
        assert abs(float(problem.start[axis]) - centre) < half
        assert centre == float(curvature.optimum[axis])


@given(start=st.tuples(*[st.floats(-100, 100)] * 3), axes=st.sampled_from(PLANES), scaled=st.booleans())
def test_the_frame_holds_the_middle_of_the_starts_rings(start, axes, scaled):
    """NumPy's least squares over the two columns, the third parameter as it starts, lies inside the map."""
    problem, curvature = quadratic(start=start, scale_features=scaled)
    features, theta = problem.linear.features.numpy(), problem.start.numpy()
    (other,) = {0, 1, 2} - set(axes)
    target = problem.linear.target.numpy() - features[:, other] * theta[other]
    lowest = np.linalg.lstsq(features[:, list(axes)], target, rcond=None)[0]
    shown = window(curvature, problem.start, axes)
    assert (abs(lowest - shown.centre) < shown.half).all()


@pytest.mark.parametrize(
    ("dataset", "changes", "expected"),
    [
        ("noisy-quadratic", {"scale_features": True}, (0, 2)),
        ("noisy-quadratic", {"scale_features": False}, (0, 1)),
        ("two-features", {"scale_features": True}, (0, 1)),
        ("two-features", {"scale_features": False}, (0, 1)),
        ("one-parameter", {}, (0, 0)),
    ],
)
def test_a_map_opens_over_two_parameters_whose_bowl_stands_still(dataset, changes, expected):
    """Over those, NumPy finds the lowest point of two slices at one place; where no two are such, the first two are taken."""
    problem = build(Experiment(**(defaults(dataset, "gradient-descent") | changes)))
    curvature = curvature_of(problem.objective)
    assert resting_axes(curvature) == expected
    if len(problem.start) < 3:
        return
    features, target = problem.linear.features.numpy(), problem.linear.target.numpy()
    for axes in PLANES:
        (other,) = {0, 1, 2} - set(axes)
        lowest = [
            np.linalg.lstsq(features[:, list(axes)], target - features[:, other] * there, rcond=None)[0]
            for there in (-7.0, 9.0)
        ]
        assert rests(curvature, axes) == np.allclose(*lowest, rtol=1e-8, atol=1e-8 * abs(target).max())


def test_the_map_does_not_depend_on_the_rate():
    """Two rates are seen on the same map."""
    slow, curvature = quadratic(learning_rate=1e-7)
    fast, _ = quadratic(learning_rate=3e-5)
    assert window(curvature, slow.start, (0, 1)) == window(curvature, fast.start, (0, 1))


@pytest.mark.parametrize("axes", PLANES)
def test_a_narrow_valley_is_drawn_in_whole_lines(axes):
    """With κ = 218,450 a level is an ellipse that the map cuts into a few arcs, not a string of beads."""
    problem, curvature = quadratic()
    lowest = slice_minimum(curvature, problem.start, axes).unsqueeze(0)
    lines = level_lines(curvature, window(curvature, problem.start, axes), lowest, axes)
    pieces = [len(np.unique(lines.line[lines.level == level])) for level in range(LINES)]
    assert max(pieces) <= 4
    assert sum(count > 0 for count in pieces) >= LINES / 2
    assert np.bincount(lines.line).max() <= POINTS_A_LINE + 1


def test_lines_cover_the_map_wherever_the_run_moves_the_slice():
    """Around the first and the last slice of a run, lines reach all four quarters of the map."""
    problem, curvature = quadratic()
    axes = (1, 2)
    shown = window(curvature, problem.start, axes)
    lowest = torch.stack(
        [slice_minimum(curvature, theta, axes) for theta in (problem.start, curvature.optimum)]
    )
    lines = level_lines(curvature, shown, lowest, axes)
    for place in lowest.numpy():
        share = (lines.offset + place - np.array(shown.centre)) / np.array(shown.half)
        inside = share[np.abs(share).max(1) <= 1]
        assert {tuple(quarter) for quarter in np.sign(inside).astype(int)} >= {
            (-1, -1),
            (-1, 1),
            (1, -1),
            (1, 1),
        }


@pytest.mark.parametrize("axes", PLANES[:2])  # over b and c the slice’s lowest point is 200 maps away
@pytest.mark.parametrize("learning_rate", [4e-5, 5e-5, 2e-4])
def test_no_line_ends_on_a_map_that_grows_with_a_run_that_diverges(axes, learning_rate):
    """Of θₖ = θ* + (I − ηH)ᵏ (θ₀ − θ*) each epoch's map is crossed by every open line: both its ends are out of sight."""
    problem, curvature = quadratic()
    shown = window(curvature, problem.start, axes)
    centre, half = np.array(shown.centre), np.array(shown.half)
    shrink = np.eye(3) - learning_rate * curvature.hessian.numpy()
    away = np.array(
        [np.linalg.matrix_power(shrink, k) @ (problem.start - curvature.optimum).numpy() for k in range(24)]
    )
    off = (np.abs(away[:, list(axes)]) / half).max(1)
    zoom = np.maximum(1, 1.15 * np.maximum.accumulate(off))
    assert zoom[-1] > 8
    lowest = slice_minimum(curvature, curvature.optimum + torch.from_numpy(away), axes)
    lines = level_lines(curvature, shown, lowest, axes, zoom)
    ends = []
    for line in np.unique(lines.line):
        points = lines.offset[lines.line == line]
        ends += [] if np.allclose(points[0], points[-1]) else [points[0], points[-1]]
    for at, place in zip(zoom, lowest.numpy(), strict=True):
        as_large = 2 ** np.ceil(np.log2(at))
        share = (np.array(ends) * as_large + place - centre) / (half * at)
        assert (np.abs(share).max(1) > 0.999).all()


def test_a_flat_plane_has_no_lines():
    """Where the loss does not change, there is nothing to draw, and nothing fails."""
    problem = build(Experiment(**(defaults("two-features", "gradient-descent") | {"points": 3})))
    curvature = curvature_of(problem.objective)
    flat = type(curvature)(**(vars(curvature) | {"hessian": torch.zeros(3, 3, dtype=torch.float64)}))
    lowest = torch.zeros(1, 2, dtype=torch.float64)
    assert len(level_lines(flat, window(curvature, problem.start, (0, 1)), lowest, (0, 1)).line) == 0
