"""What theory says, held against NumPy, brute force and real runs."""

import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gd_core import theory
from gd_core.datasets import Dataset
from gd_core.models import Linear
from gd_core.moments import Moments
from gd_core.objective import LinearObjective
from gd_core.optimizers import OPTIMIZERS
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_from_moments, curvature_of, forecast_of
from gd_core.training import train

QUADRATIC = Experiment.default("noisy-quadratic")
SCALED = replace(QUADRATIC, scale_features=True, learning_rate=0.1)
PLANE = Experiment.default("two-features")
PARABOLA = Experiment.default("one-parameter")
PROBLEMS = {"quadratic": QUADRATIC, "scaled": SCALED, "plane": PLANE, "parabola": PARABOLA}
WITH_LIMIT = ("gradient-descent", "momentum", "nesterov")
every_problem = pytest.mark.parametrize("experiment", PROBLEMS.values(), ids=PROBLEMS)
every_limit = pytest.mark.parametrize("optimizer", WITH_LIMIT)


def foreseen(experiment):
    problem = build(experiment)
    curvature = curvature_of(problem.objective)
    return problem, curvature, forecast_of(experiment, problem, curvature)


def plane_of(x, y):
    """A plane fitted to given rows."""
    x, y = torch.as_tensor(x, dtype=torch.float64), torch.as_tensor(y, dtype=torch.float64)
    names = tuple(f"x{i}" for i in range(x.shape[1]))
    start = torch.zeros(x.shape[1] + 1, dtype=torch.float64)
    return LinearObjective(Linear(x.shape[1]), Dataset(x, y.unsqueeze(1), names, "y", "", start))


def random_plane(seed, rows=12, features=2):
    generator = np.random.default_rng(seed)
    return plane_of(generator.normal(size=(rows, features)), generator.normal(size=rows))


def slowest_root(optimizer, beta, u):
    """The largest |z| of the recurrence of errors e₀, e₁, e₂ … with u = ηλ, as roots of its polynomial.

    Heavy ball: eₖ₊₁ = (1 + β − u) eₖ − β eₖ₋₁. Nesterov: eₖ₊₁ = (1 − u)((1 + β) eₖ − β eₖ₋₁).
    """
    if optimizer == "gradient-descent":
        return abs(1 - u)
    polynomial = [1, -(1 + beta - u), beta]
    if optimizer == "nesterov":
        polynomial = [1, -(1 + beta) * (1 - u), beta * (1 - u)]
    return max(abs(np.roots(polynomial)), default=0.0)


# ---------------------------------------------------------------------------------------------------- curvature


def moments_of(objective):
    return Moments.of(objective.features, objective.target)


@every_problem
def test_the_parabola_is_the_one_that_autograd_measures(experiment):
    """From the moments of the rows: the Hessian, eigenvalues and eigenvectors of automatic differentiation."""
    problem, curvature, _ = foreseen(experiment)
    measured = theory.hessian(problem.objective, torch.zeros_like(problem.start))
    eigenvalues, eigenvectors = torch.linalg.eigh(measured)
    for found in (curvature, curvature_from_moments(moments_of(problem.objective))):
        torch.testing.assert_close(found.hessian, measured, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(found.eigenvalues, eigenvalues, rtol=1e-9, atol=0)
        same = (found.eigenvectors.T @ eigenvectors).abs()
        torch.testing.assert_close(same, torch.eye(len(same), dtype=torch.float64), rtol=0, atol=1e-9)
        torch.testing.assert_close(found.optimum, curvature.optimum, rtol=1e-9, atol=1e-9)
        assert found.floor_rmse == pytest.approx(curvature.floor_rmse, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("rows", [1, 2, 12])
def test_flat_directions_from_moments(rows):
    """With a constant column, or fewer rows than parameters: eigenvalues of exactly 0, and the shortest optimum."""
    generator = np.random.default_rng(5)
    x = np.column_stack([generator.normal(size=rows), np.full(rows, 3.0)])
    objective = plane_of(x, generator.normal(size=rows))
    curvature, found = curvature_of(objective), curvature_from_moments(moments_of(objective))
    assert found.eigenvalues.count_nonzero() == min(rows, 2)
    torch.testing.assert_close(found.eigenvalues, curvature.eigenvalues, rtol=1e-9, atol=0)
    torch.testing.assert_close(found.optimum, curvature.optimum, rtol=1e-9, atol=1e-9)
    shortest = np.linalg.pinv(objective.features.numpy()) @ objective.target.numpy()
    np.testing.assert_allclose(found.optimum, shortest, rtol=1e-9, atol=1e-9)


def test_many_rows_are_not_made_into_features():
    """The parabola comes from the moments alone; Φ is never there as a whole."""
    objective = build(replace(PLANE, points=10_000, noise=1.0)).linear
    found = curvature_of(objective)
    assert "features" not in vars(objective)
    singular = np.linalg.svd(objective.features.numpy() * np.sqrt(2 / 10_000), compute_uv=False)
    assert found.eigenvalues.tolist() == pytest.approx(np.sort(singular**2), rel=1e-12)


@every_problem
def test_eigenvectors_have_one_sign(experiment):
    """The largest component of each is positive, so that every machine writes the same numbers."""
    _, curvature, _ = foreseen(experiment)
    vectors = curvature.eigenvectors
    assert bool((vectors.amax(0) >= vectors.abs().amax(0) * (1 - 1e-8)).all())


def test_no_rows_are_no_parabola():
    """Moments of nothing say so, in a sentence."""
    with pytest.raises(ValueError, match="rows must be at least 1"):
        curvature_from_moments(Moments.none(2))


@every_problem
@pytest.mark.parametrize("loss", ["mse", "mse-broadcast"])
def test_hessian_is_its_formula(experiment, loss):
    """H = (2/N) ΦᵀΦ without a ½, for the shape mistake too."""
    problem, curvature, _ = foreseen(replace(experiment, loss=loss))
    features = problem.linear.features.numpy()
    np.testing.assert_allclose(
        curvature.hessian, 2 / len(features) * features.T @ features, rtol=1e-9, atol=1e-11
    )


@pytest.mark.parametrize(
    ("experiment", "smallest", "largest", "condition", "limit", "best", "optimum", "floor"),
    [
        (
            QUADRATIC,
            0.258637,
            56499.4,
            218_450,
            3.53986e-5,
            3.53985e-5,
            (0.808293, -12.12175, 48.49597),
            1.46727,
        ),
        (SCALED, 0.642146, 4.945825, 7.702, 0.404382, 0.357912, (0.808293, -12.12175, 48.49597), 1.46727),
        (PLANE, 1.831680, 2.092209, 1.14224, 0.955927, 0.509698, (1.3, -1.0, -3.5), 0.0),
        (PARABOLA, 18.0, 18.0, 1.0, 1 / 9, 1 / 18, (-1.0,), 0.0),
    ],
    ids=PROBLEMS,
)
def test_numbers_of_the_published_problems(
    experiment, smallest, largest, condition, limit, best, optimum, floor
):
    """Curvatures, κ, limit, best rate, optimum and floor, worked out apart from this program."""
    _, curvature, forecast = foreseen(experiment)
    assert curvature.smallest == pytest.approx(smallest, rel=3e-6)
    assert curvature.largest == pytest.approx(largest, rel=1e-6)
    assert forecast.condition_number == pytest.approx(condition, rel=1e-4)
    assert forecast.stability_limit == pytest.approx(limit, rel=2e-6)
    assert forecast.best_learning_rate == pytest.approx(best, rel=3e-6)
    assert forecast.optimum == pytest.approx(optimum, abs=1e-5, rel=1e-6)
    assert forecast.floor_rmse == pytest.approx(floor, abs=3e-6)


@pytest.mark.parametrize("points", [3, 20, 500, 2000, 10_000])
@pytest.mark.parametrize("scale_features", [False, True])
def test_optimum_is_that_of_least_squares(points, scale_features):
    """However ill-conditioned: at 10,000 seconds κ is 10¹⁶, and still no direction is flat."""
    experiment = replace(QUADRATIC, points=points, scale_features=scale_features)
    problem, curvature, forecast = foreseen(experiment)
    x, y = problem.dataset.x.numpy()[:, 0], problem.dataset.y.numpy()[:, 0]
    columns = np.stack([(x / x.max()) ** 2, x / x.max(), np.ones_like(x)], 1)
    best = np.linalg.lstsq(columns, y)[0]
    floor = np.sqrt(np.mean((columns @ best - y) ** 2))
    assert forecast.optimum == pytest.approx(best / [x.max() ** 2, x.max(), 1], rel=1e-6)
    assert forecast.floor_rmse == pytest.approx(floor, rel=1e-6, abs=1e-10)
    assert math.isfinite(curvature.condition_number)
    singular = np.linalg.svd(problem.linear.features.numpy() * np.sqrt(2 / points), compute_uv=False)
    assert curvature.eigenvalues.tolist() == pytest.approx(np.sort(singular**2), rel=1e-9)


def test_the_shape_mistake_has_another_optimum():
    """No slope, and the mean of y: what the article called optimal."""
    problem, _, forecast = foreseen(replace(PLANE, loss="mse-broadcast"))
    assert forecast.optimum == pytest.approx((0, 0, float(problem.dataset.y.mean())), abs=1e-12)


SINGULAR = {
    "a column twice": lambda x: np.stack([x, x], 1),
    "a column twice, in other units": lambda x: np.stack([x, 1e3 * x], 1),
    "a constant column": lambda x: np.stack([x, np.full_like(x, 2.0)], 1),
    "a column of zeros": lambda x: np.stack([x, 0 * x], 1),
}


@pytest.mark.parametrize("name", SINGULAR)
def test_a_flat_direction_does_not_move(name):
    """κ is infinite, the optimum is the shortest one, and training leaves the flat direction as it was."""
    generator = np.random.default_rng(2)
    x, y = generator.normal(size=(2, 15))
    columns = SINGULAR[name](x)
    objective = plane_of(columns, y)
    curvature = curvature_of(objective)
    shortest = np.linalg.lstsq(np.c_[columns, np.ones(15)], y, rcond=1e-10)[0]
    np.testing.assert_allclose(curvature.optimum, shortest, rtol=1e-6, atol=1e-9)
    assert curvature.eigenvalues[0] == 0
    assert curvature.smallest > 0
    assert curvature.condition_number == math.inf
    start = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    rule = OPTIMIZERS["gradient-descent"](1 / curvature.largest)
    *_, last = islice(train(objective, start, rule), 200)
    moved = (last.theta - start) @ curvature.eigenvectors
    assert abs(float(moved[0])) < 1e-7 * float(moved.norm())


@every_problem
def test_gap_is_the_loss_above_the_floor(experiment):
    """The gaps along the eigenvectors add up to L(θ) − L(θ*), anywhere."""
    problem, curvature, _ = foreseen(experiment)
    generator = torch.Generator().manual_seed(1)
    for theta in torch.randn(5, len(problem.start), generator=generator, dtype=torch.float64) * 3:
        above = float(problem.objective(theta)) - curvature.floor_loss
        assert float(curvature.gap(theta).sum()) == pytest.approx(above, rel=1e-8, abs=1e-12)


# -------------------------------------------------------------------------------------------- the path of descent


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.99, 1.01, 1.5])
@every_problem
def test_descent_follows_the_closed_form(experiment, fraction):
    """θₖ = θ* + (I − ηH)ᵏ(θ₀ − θ*), on either side of the stability limit."""
    problem, curvature, forecast = foreseen(experiment)
    rate = fraction * forecast.stability_limit
    rule = OPTIMIZERS["gradient-descent"](rate)
    walked = torch.stack([step.theta for step in islice(train(problem.objective, problem.start, rule), 61)])
    exact = theory.exact_trajectory(curvature, problem.start, rate, 60)
    scale = (walked - curvature.optimum).norm(dim=1, keepdim=True).clamp(min=float(problem.start.norm()))
    assert float(((walked - exact) / scale).abs().max()) < 1e-9


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.99) | st.floats(1.01, 3), st.integers(1, 40))
def test_the_limit_divides_shrinking_from_growing(seed, fraction, epochs):
    """Below the limit a real run ends nearer to the optimum, above it farther along the steepest direction."""
    objective = random_plane(seed)
    curvature = curvature_of(objective)
    rate = fraction * theory.stability_limit(curvature, Experiment().phase)
    start = torch.randn(3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    *_, last = islice(train(objective, start, OPTIMIZERS["gradient-descent"](rate)), epochs + 1)
    before, after = curvature.gap(start), curvature.gap(last.theta)
    if fraction < 1:
        assert float(after.sum()) < float(before.sum())
    else:
        assert float(after[-1]) > float(before[-1])


# ---------------------------------------------------------------------------------------------------------- limits


@every_limit
@pytest.mark.parametrize("beta", [0.0, 0.3, 0.9, 0.99])
@every_problem
def test_the_limit_by_brute_force(experiment, optimizer, beta):
    """Just below it every direction shrinks, just above it one grows, by the roots of the recurrence."""
    experiment = replace(experiment, optimizer=optimizer, momentum=beta)
    _, curvature, forecast = foreseen(experiment)
    below, above = (
        max(
            slowest_root(optimizer, beta, share * forecast.stability_limit * x)
            for x in curvature.eigenvalues.tolist()
        )
        for share in (1 - 1e-6, 1 + 1e-6)
    )
    assert below < 1 < above


@every_limit
@pytest.mark.parametrize("beta", [0.3, 0.9])
def test_factors_are_the_roots_of_the_recurrence(optimizer, beta):
    """What the forecast calls the factor of each direction is the recurrence's largest root, at any rate."""
    for share in (0.001, 0.05, 0.3, 0.7, 0.99, 1.2):
        _, curvature, forecast = foreseen(replace(SCALED, optimizer=optimizer, momentum=beta))
        rate = share * forecast.stability_limit
        _, _, forecast = foreseen(replace(SCALED, optimizer=optimizer, momentum=beta, learning_rate=rate))
        expected = [slowest_root(optimizer, beta, rate * x) for x in curvature.eigenvalues.tolist()]
        assert forecast.factors == pytest.approx(expected, rel=1e-6)


@every_limit
def test_real_runs_on_both_sides_of_the_limit(optimizer):
    """A hair below the limit 4,000 epochs bring the point nearer; a hair above they throw it out."""
    _, curvature, forecast = foreseen(replace(SCALED, optimizer=optimizer))
    for share, nearer in ((0.998, True), (1.002, False)):
        rate = share * forecast.stability_limit
        recording = record(replace(SCALED, optimizer=optimizer, learning_rate=rate, epochs=4000))
        along = curvature.along(recording.theta)[:, -1].abs()
        assert (float(along[-1]) < 1e-2 * float(along[0])) is nearer
        assert (recording.diverged_at is None) is nearer


def largest_that_settles(dataset, scale_features, loss_of, beta, share):
    """The largest of 4,000 rates at which code with this loss and this velocity does not blow up in 3,000 epochs."""
    problem = build(replace(Experiment.default(dataset), scale_features=scale_features))
    features, target = problem.linear.features.numpy(), problem.linear.target.numpy()
    optimum = np.linalg.lstsq(features, target, rcond=None)[0]
    times = {"mean": 2 / len(target), "½ of the mean": 1 / len(target), "the sum": 2.0}[loss_of]
    values, vectors = np.linalg.eigh(times * features.T @ features)
    first = vectors.T @ (problem.start.numpy() - optimum) + 1e-3

    rates = np.geomspace(0.5, 100, 4000) / values[-1] / share
    error = np.tile(first[:, None], (1, len(rates)))
    velocity = np.zeros_like(error)
    with np.errstate(all="ignore"):
        for _ in range(3000):
            velocity = beta * velocity + share * values[:, None] * error
            error = error - rates * velocity
    return rates[np.abs(error[-1]) <= 1e3 * abs(first).max()].max()


@pytest.mark.parametrize(
    ("dataset", "scale_features"),
    [("noisy-quadratic", True), ("two-features", False), ("one-parameter", False)],
)
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_the_limit_of_other_peoples_code(dataset, scale_features, beta):
    """½ of the mean, the sum of squares, and a velocity with 1 − β: each limit by simulation in NumPy, and two at once."""
    experiment = replace(
        Experiment.default(dataset), scale_features=scale_features, optimizer="momentum", momentum=beta
    )
    _, _, forecast = foreseen(experiment)
    others = {one.where: one for one in theory.conventions(experiment)}
    assert set(others) == {"½ of the mean", "the sum", *(["1 − β"] if beta else [])}
    ours = forecast.stability_limit
    for loss_of in ("½ of the mean", "the sum"):
        found = largest_that_settles(dataset, scale_features, loss_of, beta, 1.0)
        assert ours * others[loss_of].times == pytest.approx(found, rel=3e-3)
    if beta:
        velocity = others["1 − β"].times
        for loss_of, both in (("mean", velocity), ("the sum", velocity * others["the sum"].times)):
            found = largest_that_settles(dataset, scale_features, loss_of, beta, 1 - beta)
            assert ours * both == pytest.approx(found, rel=3e-3)


def test_there_is_no_other_convention_without_a_limit():
    """Adam has no limit, mini-batches none that is sharp, and the shape mistake is a mean over N² pairs."""
    assert theory.conventions(replace(QUADRATIC, optimizer="adam")) == ()
    assert theory.conventions(replace(QUADRATIC, batch_size=5)) == ()
    assert theory.conventions(replace(QUADRATIC, loss="mse-broadcast")) == ()
    nesterov = theory.conventions(replace(QUADRATIC, optimizer="nesterov"))
    assert [one.where for one in nesterov] == ["½ of the mean", "the sum"]


def test_nesterovs_limit_is_below_plain_descents():
    """At β = 0.9 it is 1.357/λ, not 2/λ; the heavy ball's is 3.8/λ."""
    _, curvature, _ = foreseen(PARABOLA)
    shares = [
        18 * theory.stability_limit(curvature, replace(PARABOLA, optimizer=optimizer).phase)
        for optimizer in WITH_LIMIT
    ]
    assert shares == pytest.approx([2, 3.8, 3.8 / 2.8])


@pytest.mark.parametrize("optimizer", ["adagrad", "rmsprop", "adam"])
def test_adaptive_rules_have_no_limit(optimizer):
    """The forecast has a reason instead of numbers, and names the rule in it."""
    experiment = Experiment.default(optimizer=optimizer)
    _, curvature, forecast = foreseen(experiment)
    assert forecast.why_no_limit
    assert forecast.why_no_limit.lower().startswith(optimizer)
    assert forecast.stability_limit is forecast.best_learning_rate is forecast.best_for_epochs is None
    assert forecast.pays_after is forecast.factors is forecast.zone(0.1) is None
    with pytest.raises(ValueError, match=f"Got {optimizer}"):
        theory.stability_limit(curvature, experiment.phase)


def test_mini_batches_have_no_limit():
    """Whatever the rule: each batch has a curvature of its own."""
    _, _, forecast = foreseen(replace(QUADRATIC, batch_size=5))
    assert forecast.why_no_limit
    assert forecast.why_no_limit.startswith("Mini-batches")
    assert forecast.stability_limit is None


@pytest.mark.parametrize(
    ("times_curvature", "zone"),
    [
        (0.0999, "slow"),
        (0.1001, "steady"),
        (0.9999, "steady"),
        (1.0001, "zigzags"),
        (1.9999, "zigzags"),
        (2.0001, "diverges"),
    ],
)
def test_zones_of_plain_descent(times_curvature, zone):
    """Slow below 0.1/λ, steady up to 1/λ, a zigzag up to 2/λ, diverging above."""
    _, curvature, forecast = foreseen(QUADRATIC)
    assert forecast.zone(times_curvature / curvature.largest) == zone


# ------------------------------------------------------------------------------------------------------ best rates


@every_limit
@pytest.mark.parametrize("beta", [0.3, 0.9])
@every_problem
def test_best_in_the_long_run_by_brute_force(experiment, optimizer, beta):
    """No rate below the limit has a smaller largest root, searched on 2,000 rates."""
    experiment = replace(experiment, optimizer=optimizer, momentum=beta)
    _, curvature, forecast = foreseen(experiment)

    def exponent(rate):  # how fast the slowest direction shrinks; larger is better
        return min(
            -math.log(max(slowest_root(optimizer, beta, rate * x), 1e-9))
            for x in curvature.eigenvalues.tolist()
        )

    rates = [*np.linspace(0, 1, 1000)[1:-1], *(1 - np.geomspace(1e-8, 0.1, 1000))]
    best = max(exponent(rate * forecast.stability_limit) for rate in rates)
    assert exponent(forecast.best_learning_rate) >= best * (1 - 1e-3)


@pytest.mark.parametrize("epochs", [1, 3, 10, 30])
@every_limit
@every_problem
def test_best_for_some_epochs_by_real_runs(experiment, optimizer, epochs):
    """Of 80 real runs with other rates, none ends lower after exactly so many epochs."""
    experiment = replace(experiment, optimizer=optimizer, epochs=epochs)
    _, curvature, forecast = foreseen(experiment)

    def gap(rate):
        return float(curvature.gap(record(replace(experiment, learning_rate=rate)).theta[-1]).sum())

    start = float(curvature.gap(build(experiment).start).sum())
    best = gap(forecast.best_for_epochs)
    for share in np.linspace(0, 1, 82)[1:-1]:
        assert best <= gap(share * forecast.stability_limit) * (1 + 1e-9) + 1e-24 * start, share


@pytest.mark.parametrize("epochs", [20, 100, 300])
@pytest.mark.parametrize("beta", [0.9, 0.99])
@pytest.mark.parametrize("experiment", [SCALED, PLANE], ids=["scaled", "plane"])
def test_the_best_of_many_valleys_is_found(experiment, beta, epochs):
    """With momentum the loss over the rate has many valleys: no rate of 20,000 ends 1 % lower than ours."""
    experiment = replace(experiment, optimizer="momentum", momentum=beta, epochs=epochs)
    problem, curvature, forecast = foreseen(experiment)
    limit, best = forecast.stability_limit, forecast.best_for_epochs
    assert limit is not None
    assert best is not None
    rates = np.append(np.linspace(0, limit, 20_002)[1:-1], best)
    eigenvalues = curvature.eigenvalues.numpy()
    error = np.tile(curvature.along(problem.start).numpy(), (len(rates), 1))
    velocity = np.zeros_like(error)
    for _ in range(epochs):
        velocity = beta * velocity + eigenvalues * error
        error = error - rates[:, None] * velocity
    *others, ours = (eigenvalues * error**2).sum(1)
    assert ours <= 1.01 * min(others)


def test_best_for_ten_and_a_hundred_epochs_of_the_article():
    """0.739 of the limit for 10 epochs, 0.966 for 100: both far from what is best in the long run."""
    for epochs, share in ((10, 0.739), (100, 0.966)):
        _, _, forecast = foreseen(replace(QUADRATIC, epochs=epochs))
        assert forecast.best_for_epochs / forecast.stability_limit == pytest.approx(share, abs=6e-4)


def test_best_is_the_patient_rate_once_it_has_solved_the_problem():
    """On one parameter 1/18 solves in one step: it is the best for any number of epochs, and never overtaken."""
    for epochs in (1, 2, 1000):
        _, _, forecast = foreseen(replace(PARABOLA, epochs=epochs))
        assert forecast.best_for_epochs == pytest.approx(1 / 18)
        assert forecast.pays_after is None


@pytest.mark.parametrize("epochs", [1, 5, 10])
@pytest.mark.parametrize("experiment", [SCALED, PLANE], ids=["scaled", "plane"])
def test_patience_pays_from_the_epoch_that_is_named(experiment, epochs):
    """From that epoch on the long-run rate is ahead of the hasty one, and the epoch before it is not."""
    problem, curvature, forecast = foreseen(replace(experiment, epochs=epochs))
    e = curvature.along(problem.start).numpy()
    eigenvalues = curvature.eigenvalues.numpy()

    def gap(rate, epoch):
        return float((eigenvalues * (e * (1 - rate * eigenvalues) ** epoch) ** 2).sum())

    pays = forecast.pays_after
    assert pays > epochs
    assert gap(forecast.best_learning_rate, pays - 1) >= gap(forecast.best_for_epochs, pays - 1)
    for later in (0, 1, 2, 5, 10):
        assert gap(forecast.best_learning_rate, pays + later) < gap(forecast.best_for_epochs, pays + later)


def test_patience_on_the_articles_problem_takes_millions_of_epochs():
    """In logarithms: at that epoch the slow direction of the hasty run is what is left, and the other is ahead."""
    problem, curvature, forecast = foreseen(replace(QUADRATIC, epochs=1000))
    first = np.log(curvature.gap(problem.start).numpy())
    eigenvalues = curvature.eigenvalues.numpy()

    def log_gap(rate, epoch):
        return np.logaddexp.reduce(first + 2 * epoch * np.log(np.abs(1 - rate * eigenvalues)))

    pays = forecast.pays_after
    assert pays > 10**6
    assert log_gap(forecast.best_learning_rate, pays) < log_gap(forecast.best_for_epochs, pays)
    assert log_gap(forecast.best_learning_rate, pays - 1) >= log_gap(forecast.best_for_epochs, pays - 1)


@every_limit
def test_gaps_without_training_are_those_of_real_runs(optimizer):
    """The gap after so many epochs, for many rates at once, is what the runs have, growing ones included."""
    experiment = replace(SCALED, optimizer=optimizer, epochs=25)
    problem, curvature, forecast = foreseen(experiment)
    rates = [share * forecast.stability_limit for share in (0.01, 0.3, 0.9, 1.005)]
    real = [
        float(curvature.gap(record(replace(experiment, learning_rate=rate)).theta[-1]).sum())
        for rate in rates
    ]
    ours = theory.gaps(
        curvature, experiment.phase, problem.start, torch.tensor(rates, dtype=torch.float64), 25
    )
    assert ours.tolist() == pytest.approx(real, rel=1e-8)


def test_forecast_is_in_raw_units():
    """With scaled features the optimum is still that of the data as they are."""
    _, _, plain = foreseen(QUADRATIC)
    _, _, scaled = foreseen(SCALED)
    assert scaled.optimum == pytest.approx(plain.optimum, rel=1e-9)
    assert scaled.floor_rmse == pytest.approx(plain.floor_rmse, rel=1e-12)
