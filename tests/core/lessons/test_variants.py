"""A race: who gets which rate, what everyone does with it, and who is said to be first."""

from dataclasses import replace
from itertools import islice, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from rules import RULES, torchs_path

from gd_core.landscape import window
from gd_core.lessons.variants.race import (
    LOOKED_BACK,
    SHARE_LEFT,
    Race,
    Result,
    limit_of,
    line_up,
    map_of,
    race,
    steepest,
    told,
    usual_target,
)
from gd_core.lessons.variants.racers import ALL, RACERS, UNITS
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import FIRST_STEP, curvature_of, stability_limit
from gd_core.training import Recording, batches

BASE = replace(
    Experiment.default("noisy-quadratic"),
    scale_features=True,
    start=(0.0, 0.0, 20.0),
    learning_rate=0.04,
    batch_size=6,  # 20 rows in batches of 6, 6, 6 and 2
    epochs=12,
)
PLANE = replace(
    Experiment.default("two-features"), points=23, noise=0.5, learning_rate=0.1, batch_size=4, epochs=12
)
everyone = pytest.mark.parametrize("key", RACERS)


def raced(base, keys=tuple(RACERS), target=None, **settings):
    problem = build(base)
    curvature = curvature_of(problem.objective)
    entries = line_up(base, keys, problem, curvature, **settings)
    return race(entries, [record(one.experiment) for one in entries], problem, curvature, target)


def decaying(optimizer, rows, updates_per_epoch):
    """The same batches; before each the rate is set to η/(1 + k/10), k the epochs that are done."""
    (group,) = optimizer.param_groups
    first = group["lr"]
    for update, some in enumerate(rows):
        group["lr"] = first / (1 + (update // updates_per_epoch) / 10)
        yield some


def beside(experiment):
    """The same run by torch.optim: θ before the first and after each update, and the RMSE of all rows there."""
    problem = build(experiment)
    theta = problem.start.clone().requires_grad_()
    optimizer = RULES[experiment.optimizer].beside([theta], experiment.learning_rate, problem.objective)
    updates = experiment.epochs * experiment.updates_per_epoch
    rows = islice(batches(experiment.points, experiment.batch_size, experiment.seed), updates)
    if experiment.schedule == "inverse-time:0.1":
        rows = decaying(optimizer, rows, experiment.updates_per_epoch)
    path = torchs_path(optimizer, theta, problem.objective, rows)
    x, y = problem.linear.features, problem.objective.target
    return path, ((path @ x.T - y) ** 2).mean(1).sqrt()


@everyone
@pytest.mark.parametrize("small_batches", [False, True])
@pytest.mark.parametrize("base", [BASE, PLANE], ids=["quadratic", "plane"])
def test_everyone_runs_as_torchs_optimizer_does(key, small_batches, base):
    """Each racer's path, its RMSE and its arrival are those of torch.optim on the same shuffled batches."""
    (one,) = raced(base, (key,), small_batches=small_batches).results
    path, rmse = beside(one.entry.experiment)
    torch.testing.assert_close(one.theta, path, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(one.rmse, rmse, rtol=1e-9, atol=1e-9)
    middle = 0 if key == "newton" else len(rmse) // 2  # after one step only rounding is left
    target = float(rmse[middle] + rmse[middle + 1]) / 2
    (again,) = raced(base, (key,), target, small_batches=small_batches).results
    below = [update for update, error in enumerate(rmse.tolist()) if error <= target]
    assert (again.reached.update if again.reached else None) == (below[0] if below else None)


@everyone
def test_batches_are_those_of_the_name(key):
    """All rows, a mini-batch or one row; the other rules take mini-batches only when they are told to."""
    problem = build(BASE)
    curvature = curvature_of(problem.objective)
    size = {"mini-batch": 6, "stochastic": 1, "decaying": 1}.get(key, 20)
    (usual,) = line_up(BASE, (key,), problem, curvature)
    assert usual.experiment.rows_per_update == size
    (small,) = line_up(BASE, (key,), problem, curvature, small_batches=True)
    is_rule = RACERS[key].optimizer not in ("gradient-descent", "newton")
    assert small.experiment.rows_per_update == (6 if is_rule else size)


@everyone
def test_memory_is_what_torch_keeps(key):
    """The numbers kept for each parameter are as many as tensors of its shape in torch.optim's own state; of H⁻¹ a row."""
    problem = build(BASE)
    (entry,) = line_up(BASE, (key,), problem, curvature_of(problem.objective))
    theta = torch.zeros(3, requires_grad=True)
    optimizer = RULES[entry.experiment.optimizer].beside([theta], 0.1)
    theta.sum().backward()
    optimizer.step()
    kept = [one for one in optimizer.state[theta].values() if torch.is_tensor(one) and one.shape == (3,)]
    assert entry.memory == (3 if key == "newton" else len(kept))


@given(share=st.floats(0.01, 2), small_batches=st.booleans())
def test_who_has_a_limit_takes_the_same_share_of_it(share, small_batches):
    """Batch has the rate of the settings; the others' rates are to their limits as its rate is to its own, but Newton's, which is 1."""
    problem = build(PLANE)
    curvature = curvature_of(problem.objective)
    base = replace(PLANE, learning_rate=share * 2 / curvature.largest)
    for entry in line_up(base, tuple(RACERS), problem, curvature, small_batches=small_batches):
        if entry.key == "batch":
            assert entry.experiment.learning_rate == base.learning_rate
        if entry.key == "newton":
            assert (entry.experiment.learning_rate, entry.limit) == (1.0, 2.0)
        elif entry.limit is not None:
            assert entry.experiment.learning_rate == pytest.approx(share * entry.limit, rel=1e-12)
        assert (entry.limit is None) == (entry.key in ("adagrad", "rmsprop", "adam"))


@pytest.mark.parametrize("key", ["batch", "momentum", "nesterov"])
def test_the_limit_divides_falling_from_growing(key):
    """With all rows a little below the limit the gap to the optimum is gone in the end, a little above it has grown."""
    problem = build(replace(PLANE, epochs=150))
    curvature = curvature_of(problem.objective)
    left = {}
    for share in (0.97, 1.03):
        base = replace(PLANE, epochs=150, learning_rate=share * 2 / curvature.largest)
        (one,) = raced(base, (key,)).results
        left[share] = float(curvature.gap(one.theta[-1]).sum() / curvature.gap(one.theta[0]).sum())
    assert left[0.97] < 1e-2
    assert left[1.03] > 1


@pytest.mark.parametrize("base", [BASE, PLANE], ids=["quadratic", "plane"])
def test_a_batch_reckons_with_its_steepest_row(base):
    """One row has the largest eigenvalue of any row's Hessian, all rows that of all, sizes between lie between."""
    problem = build(base)
    curvature = curvature_of(problem.objective)
    features = problem.linear.features.numpy()
    single = max(np.linalg.eigvalsh(2 * np.outer(row, row))[-1] for row in features)
    whole = np.linalg.eigvalsh(2 * features.T @ features / len(features))[-1]
    found = [steepest(problem, curvature, rows) for rows in range(1, len(features) + 1)]
    assert found[0] == pytest.approx(single, rel=1e-12)
    assert found[-1] == pytest.approx(whole, rel=1e-12)
    assert all(one > other for one, other in pairwise(found))
    momentum = replace(base, optimizer="momentum")
    assert limit_of(momentum, problem, curvature) == pytest.approx(
        0.2 / found[base.batch_size - 1], rel=1e-12
    )
    assert limit_of(replace(momentum, batch_size=0), problem, curvature) == stability_limit(
        curvature, momentum.phase
    )


@pytest.mark.parametrize("key", ["adagrad", "rmsprop", "adam"])
@pytest.mark.parametrize("small_batches", [False, True])
def test_the_first_step_of_an_adaptive_rule_is_a_tenth_of_the_way(key, small_batches):
    """Every parameter moves by a tenth of the longest way, or with u updates in an epoch by 1/u of that."""
    (one,) = raced(BASE, (key,), small_batches=small_batches).results
    problem = build(BASE)
    way = float((curvature_of(problem.objective).optimum - problem.start).abs().max())
    first = (one.theta[1] - one.theta[0]).abs() * one.entry.experiment.updates_per_epoch
    assert first.tolist() == pytest.approx([FIRST_STEP * way] * 3, rel=1e-5)


@everyone
def test_a_typed_rate_goes_first(key):
    """A typed rate is the racer's; batch alone has its rate in the settings."""
    problem = build(BASE)
    (entry,) = line_up(
        BASE, (key,), problem, curvature_of(problem.objective), rates={key: 0.0123, "other": 9}
    )
    assert entry.experiment.learning_rate == 0.0123
    assert entry.automatic != 0.0123


def test_a_start_at_the_optimum_and_one_far_away_have_a_rate():
    """The rate of an adaptive rule stays a rate, whatever the way."""
    at_home = tuple(build(BASE).raw(curvature_of(build(BASE).objective).optimum).tolist())
    for start in (at_home, (1e9, 0.0, 0.0)):
        base = replace(BASE, start=start)
        problem = build(base)
        for entry in line_up(base, ("adagrad", "rmsprop", "adam"), problem, curvature_of(problem.objective)):
            assert 1e-18 <= entry.experiment.learning_rate <= 1e6


# --------------------------------------------------------------------------------------------------------- results


def result(rmse, *, rows=20, size=20, target=1.0, key="batch", diverged_at=None, complete=True):
    """A result with this RMSE after each update."""
    epochs = max(1, -(-(len(rmse) - 1) // -(-rows // size)))
    experiment = replace(BASE, points=rows, batch_size=size % rows, epochs=epochs)
    (entry,) = line_up(BASE, (key,), build(BASE), curvature_of(build(BASE).objective))
    theta = torch.zeros(len(rmse), 3, dtype=torch.float64)
    errors = torch.tensor(rmse, dtype=torch.float64)
    recording = Recording(
        theta=theta,
        loss=errors,
        gradient=theta,
        updates_per_epoch=experiment.updates_per_epoch,
        epoch_theta=theta,
        epoch_loss=errors,
        epoch_rmse=errors,
        diverged_at=diverged_at,
        complete=complete,
    )
    return Result(entry._replace(experiment=experiment), theta, np.array(rmse), recording, target)


def of(*results, target=1.0):
    return Race(results, 9.0, 0.1, target)


errors = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=60)


@given(errors, st.integers(1, 8), st.floats(1e-3, 1e3))
def test_the_arrival_is_the_first_update_at_the_target(rmse, size, target):
    """Found by walking along the run, and counted by hand in epochs and rows; who is a rounding above it is there."""
    one = result(rmse, rows=7, size=min(size, 7), target=target)
    per_epoch = -(-7 // min(size, 7))
    update, rows, left = 0, 0, 7
    while update < len(rmse) and rmse[update] > target * (1 + 1e-9) + 1e-12 * rmse[0]:
        update += 1
        taken = min(min(size, 7), left)
        rows, left = rows + taken, left - taken or 7
    if update == len(rmse):
        assert one.reached is None
    else:
        assert one.reached == (pytest.approx(update / per_epoch), update, rows)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 40), st.sampled_from(tuple(UNITS)))
def test_a_place_on_an_axis_and_the_updates_done_there(rows, size, update, unit):
    """`done` undoes `at`: at an update's place it is done, just before it is not, and after the end nothing more is."""
    rows = max(rows, 3)
    one = result([1.0] * 41, rows=rows, size=min(size, rows))
    place = float(one.at(unit, update))
    assert int(one.done(unit, np.asarray(np.ceil(place)))) >= update
    if place == int(place):
        assert int(one.done(unit, np.asarray(int(place)))) == update
        if update and unit != "epoch":
            assert int(one.done(unit, np.asarray(int(place) - 1))) < update
    assert int(one.done(unit, np.asarray(10**6))) == 40


@given(errors, st.integers(1, 4))
def test_climbing_back_is_the_worst_pair(rmse, per_epoch):
    """Over all pairs of moments of the last ten epochs, the largest rise from an earlier one to a later one."""
    one = result(rmse, rows=4, size=-(-4 // per_epoch))
    last = rmse[-LOOKED_BACK * one.entry.experiment.updates_per_epoch - 1 :]
    worst = max(late - early for i, early in enumerate(last) for late in last[i:])
    assert one.climb == (pytest.approx(worst) if worst > 1e-9 * min(last) else 0)
    assert one.rises == sum(b > a * (1 + 1e-9) for a, b in pairwise(rmse))


def test_a_run_that_only_goes_down_climbs_back_by_nothing():
    """However steep or slow, and also where the floor trembles by a rounding."""
    assert result(np.geomspace(100, 2, 50).tolist()).climb == 0
    assert result([5.0, 1.0, 1.0 + 1e-15, 1.0]).climb == 0
    assert result([5.0, 1.0, 1.5, 0.9, 1.2]).climb == 0.5


def test_the_first_depends_on_what_is_counted():
    """Twelve steps of one row are fewer rows than three of twenty, and more updates."""
    small = result([9.0] * 12 + [1.0], size=1, key="stochastic")
    large = result([9.0] * 3 + [1.0])
    finished = of(large, small)
    assert finished.winners("update") == ("batch",)
    assert finished.winners("epoch") == finished.winners("row") == ("stochastic",)


def test_a_dead_heat_and_no_arrival():
    """After a dead heat there are several winners; without an arrival there is none."""
    two = of(result([9.0, 1.0]), result([9.0, 0.5], key="adam"), result([9.0, 2.0], key="momentum"))
    assert two.winners("epoch") == ("batch", "adam")
    near = of(result([9.0] * 21 + [1.0]), result([9.0] * 20 + [1.0], key="adam"))
    assert near.winners("update") == ("adam",)  # by one update of twenty
    nobody = of(result([9.0, 2.0]))
    assert nobody.winners("row") == ()


@pytest.mark.parametrize(("target", "rounding"), [(1.0, 2e-16), (0.0, 3e-15)])
def test_rounding_decides_no_race(target, rounding):
    """Where the target is the floor, or 0, who stops a rounding above it is there as well, and as early."""
    exact = result([9.0, 3.0, target, target], target=target)
    above = result([9.0, 3.0, target + rounding, target + rounding], target=target, key="adam")
    assert of(exact, above).winners("update") == ("batch", "adam")
    far = result([9.0, 3.0, target + 1e-6, target], target=target, key="adam")
    assert of(exact, far).winners("update") == ("batch",)


def test_the_axis_of_updates_ends_after_the_last_arrival():
    """A quarter beyond it, never beyond the longest run, never before the shortest one has ended."""
    batch = result([9.0] * 11)
    small = result([9.0] * 80 + [1.0] * 121, size=1, key="stochastic")
    assert of(batch, small).end("update") == 100
    assert of(batch, small).end("epoch") == 10
    assert of(batch, small).end("row") == 200
    assert of(batch, result([9.0] * 190 + [1.0] * 11, size=1)).end("update") == 200
    assert of(batch, result([9.0, 1.0] + [1.0] * 199, size=1)).end("update") == 10
    assert of(batch, result([9.0] * 201, size=1)).end("update") == 200  # nobody arrives: all of it
    assert of(result([9.0] * 4, diverged_at=4)).end("epoch") == 3


@pytest.mark.parametrize("base", [BASE, PLANE], ids=["quadratic", "plane"])
def test_the_usual_target(base):
    """A twentieth of the way from the floor to the start is left; NumPy finds both."""
    problem = build(base)
    x, y = problem.linear.features.numpy(), problem.objective.target.numpy()
    best = np.linalg.lstsq(x, y, rcond=None)[0]
    floor, start = (np.sqrt(np.mean((x @ theta - y) ** 2)) for theta in (best, problem.start.numpy()))
    expected = floor + SHARE_LEFT * (start - floor)
    assert usual_target(problem, curvature_of(problem.objective)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("base", [BASE, PLANE], ids=["quadratic", "plane"])
def test_the_map_holds_the_level_line_through_the_start(base):
    """Every point of the plane as high as the start lies on it, and so does a run that only falls."""
    problem = build(base)
    curvature = curvature_of(problem.objective)
    for axes in ((0, 1), (0, 2)):
        shown = map_of(curvature, problem.start, axes)
        form = curvature.hessian[list(axes)][:, list(axes)].numpy()
        away = (problem.start - curvature.optimum)[list(axes)].numpy()
        angles = np.linspace(0, 2 * np.pi, 400)
        rays = np.stack([np.cos(angles), np.sin(angles)])
        radius = np.sqrt(away @ form @ away / np.einsum("ik,ij,jk->k", rays, form, rays))
        assert (np.abs(radius * rays) <= np.array(shown.half)[:, None]).all()


def test_the_map_of_a_long_valley_leaves_room_for_the_start():
    """Not scaled, the level line through the start reaches very far; the map ends at three times the usual one."""
    base = replace(BASE, scale_features=False)
    problem = build(base)
    curvature = curvature_of(problem.objective)
    usual, shown = window(curvature, problem.start, (0, 2)), map_of(curvature, problem.start, (0, 2))
    assert shown.centre == usual.centre
    assert max(one / other for one, other in zip(shown.half, usual.half, strict=True)) == 3
    assert all(one >= other for one, other in zip(shown.half, usual.half, strict=True))


def test_a_diverged_racer_is_a_result():
    """Above its limit batch diverges and is said to, with its epoch; it arrives nowhere, and the others do."""
    finished = raced(replace(BASE, learning_rate=1.0, epochs=60), ("batch", "adam"))
    batch, adam = finished.results
    assert batch.diverged_at is not None
    assert batch.reached is None
    assert adam.reached is not None
    assert finished.winners("epoch") == ("adam",)
    text = told(finished, "epoch")
    assert text == (
        f"Adam is first at RMSE 3.05, after {adam.reached.update} epochs. Diverged: Batch at epoch {batch.diverged_at}."
    )


@pytest.mark.parametrize(
    ("results", "unit", "text"),
    [
        ([result([9.0, 1.0])], "update", "Batch is first at RMSE 1, after 1 update."),
        (
            [result([9.0, 1.0]), result([9.0, 1.0], key="adam"), result([9.0, 2.0, 0.5], key="nesterov")],
            "row",
            "Batch and Adam are first at RMSE 1, after 20 rows. Then Nesterov 40.",
        ),
        ([result([9.0, 3.0, 2.0])], "epoch", "No one is at RMSE 1 after 2 epochs."),
        (
            [result([9.0, 0.5, 0.4]), result([9.0, 3.0, 2.0], key="adagrad")],
            "epoch",
            "Batch is first at RMSE 1, after 1 epoch. Not there after 2 epochs: AdaGrad.",
        ),
    ],
)
def test_the_race_in_words(results, unit, text):
    """Who is first and after how many, who comes then, and who does not."""
    assert told(of(*results), unit) == text


@pytest.mark.parametrize("base", [BASE, PLANE], ids=["quadratic", "plane"])
def test_newton_is_there_after_one_step(base):
    """Whatever the share of the limit that the others take, its first point is that of NumPy's least squares, and it stays."""
    for share in (0.01, 1.5):
        problem = build(base)
        rate = share * 2 / curvature_of(problem.objective).largest
        (one,) = raced(replace(base, learning_rate=rate), ("newton",), small_batches=True).results
        x, y = problem.linear.features.numpy(), problem.objective.target.numpy()
        best = np.linalg.lstsq(x, y, rcond=None)[0]
        np.testing.assert_allclose(one.theta[1:].numpy(), np.tile(best, (len(one.theta) - 1, 1)), rtol=1e-9)
        assert one.reached == (1, 1, base.points)
        assert one.rises == 0


def test_every_racer_is_known():
    """Three sizes of batch with the plain rule, single rows at a decaying rate, and each other rule once, on all rows."""
    rules = [one.optimizer for one in RACERS.values()]
    assert rules.count("gradient-descent") == 4
    assert [key for key, one in RACERS.items() if one.schedule != "constant"] == ["decaying"]
    assert set(rules) == set(RULES) - {"adamw"}  # which decays the weights
    assert all(one.rows == ALL for one in RACERS.values() if one.optimizer != "gradient-descent")
