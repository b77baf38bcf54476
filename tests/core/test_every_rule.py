"""What holds for every update rule, on every problem: torch.optim has the same, and so has all that works a run out."""

import math
import re
from dataclasses import replace
from itertools import islice

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from problems import EXPERIMENTS, OBJECTIVES, steepest
from rules import RULES, hessian_of, torchs_path

from gd_core import theory
from gd_core.autopsy import autopsy
from gd_core.lessons.learning_rate.sweep import paths, sweep
from gd_core.optimizers import OPTIMIZERS, at_rate
from gd_core.problem import build
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.settings.rules import OPTIMIZER_INFO, LinearRule, LinearStep, NoLimit
from gd_core.theory import curvature_of
from gd_core.training import batches, train

every_rule = pytest.mark.parametrize("name", RULES)
every_setting = pytest.mark.parametrize(
    ("name", "settings", "same"),
    [
        pytest.param(name, ours, theirs, id="-".join([name, *map(str, ours.values())]))
        for name, rule in RULES.items() for ours, theirs in rule.settings
    ],
)  # fmt: skip
every_problem = pytest.mark.parametrize("problem", EXPERIMENTS)
small = st.floats(-1e3, 1e3).filter(lambda x: x == 0 or abs(x) > 1e-12)
vector = st.lists(small, min_size=3, max_size=3).map(lambda x: torch.tensor(x, dtype=torch.float64))
EPOCHS = 25  # of a sweep


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def rate_for(name, objective, share=0.3):
    """A rate at which the rule trains: a share of 1 / the steepest curvature, or for an adaptive one a length."""
    if RULES[name].over_curvature:
        return share
    return 0.05 if RULES[name].adaptive else share / steepest(objective)


def test_every_rule_is_in_the_table():
    """A rule without an entry there would be tried with nothing."""
    assert list(RULES) == list(OPTIMIZERS) == list(OPTIMIZER_INFO)


@every_rule
def test_hyperparameters_are_keywords_with_the_catalogues_defaults(name):
    """What the catalogue says of a rule's settings is what the function takes, and each of them is tried."""
    own = OPTIMIZER_INFO[name].hyperparameters
    assert dict(OPTIMIZERS[name].__kwdefaults__ or {}) == dict(own)
    assert {setting for ours, _ in RULES[name].others for setting in ours} == set(own)


# ----------------------------------------------------------------------------------------------- beside torch.optim


@every_setting
@given(theta=vector, gradients=st.lists(vector, min_size=1, max_size=6), learning_rate=st.floats(1e-6, 10))
def test_an_update_from_any_state_is_torchs(name, settings, same, theta, gradients, learning_rate):
    """Whatever gradients have led to a state, the next update is that of torch.optim, to 1e-12."""
    rule = RULES[name].ours(name)(learning_rate, **settings)
    ours, state = theta, rule.initial(theta)
    theirs = theta.clone().requires_grad_()
    optimizer = RULES[name].beside([theirs], learning_rate, **same)
    for gradient in gradients:
        ours, state = rule.update(ours, gradient, state)
        theirs.grad = gradient.clone()
        optimizer.step()
        close(ours, theirs.detach())


@every_setting
@pytest.mark.parametrize("batch", [0, 7])
@pytest.mark.parametrize("problem", OBJECTIVES)
def test_200_updates_are_torchs(name, settings, same, problem, batch):
    """On all rows or shuffled mini-batches the run stays with torch.optim's to 1e-12, and really moves."""
    objective = OBJECTIVES[problem]
    rows, start = len(objective.target), objective.dataset.start
    rate = rate_for(name, objective, 0.03 if batch else 0.3)
    rule = RULES[name].ours(name, objective)(rate, **settings)
    steps = train(objective, start, rule, batches(rows, min(batch, rows), 5))
    ours = torch.stack([step.theta for step in islice(steps, 201)])
    theta = start.clone().requires_grad_()
    optimizer = RULES[name].beside([theta], rate, objective, **same)
    theirs = torchs_path(optimizer, theta, objective, islice(batches(rows, min(batch, rows), 5), 200))
    unsure = 1e-12
    if RULES[name].over_curvature:  # dividing by H leaves κ roundings, so of 10⁹ seven digits are sure
        unsure = max(unsure, torch.finfo(start.dtype).eps * float(torch.linalg.cond(hessian_of(objective))))
    torch.testing.assert_close(ours, theirs, rtol=unsure, atol=unsure)
    assert float(objective(ours[-1])) < float(objective(start))


@every_rule
@pytest.mark.parametrize(
    "share",
    [lambda k: 1 / (k + 1), lambda k: 0.5 ** (k // 10), lambda k: min(1.0, (k + 1) / 5)],
    ids=["falling", "halved", "warming up"],
)
def test_a_rate_that_changes_is_torchs_schedule(name, share):
    """With a rate that is a function of the update's number the run stays with LambdaLR's to 1e-12."""
    objective = OBJECTIVES["scaled"]
    base, start = rate_for(name, objective), objective.dataset.start
    rule = at_rate(RULES[name].ours(name, objective), lambda k: base * share(k))
    ours = torch.stack([step.theta for step in islice(train(objective, start, rule), 41)])
    theta = start.clone().requires_grad_()
    optimizer = RULES[name].beside([theta], base, objective)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
    path = [start]
    for _ in range(40):
        path.append(torchs_path(optimizer, theta, objective, [None])[1])
        schedule.step()
    close(ours, torch.stack(path))
    constant = at_rate(RULES[name].ours(name, objective), base)
    fixed = torch.stack([step.theta for step in islice(train(objective, start, constant), 41)])
    assert not torch.equal(ours, fixed)


@every_rule
def test_memory_is_that_of_torch(name):
    """What our rule remembers after update k is what `torch.optim` keeps in its state; before the first it is nothing."""
    experiment = replace(
        Experiment.default(optimizer=name), scale_features=True, learning_rate=0.02, epochs=12
    )
    problem = build(experiment)
    parts = autopsy(record(experiment), experiment, problem, [0, 5, 11])
    theta = problem.start.clone().requires_grad_()
    optimizer = RULES[name].beside([theta], 0.02)
    seen = []
    for _ in range(12):
        torchs_path(optimizer, theta, problem.objective, [None])
        seen.append(
            {ours: optimizer.state[theta][theirs].clone() for ours, theirs in RULES[name].memory.items()}
        )
    assert set(parts.memory) == set(RULES[name].memory)
    for ours, (before, after) in parts.memory.items():
        expected = torch.stack([seen[k][ours] for k in (0, 5, 11)])
        torch.testing.assert_close(after, expected, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(before[1], seen[4][ours], rtol=1e-10, atol=1e-12)
        assert not before[0].any()


# --------------------------------------------------------------------------------------------------------- on its own


@every_setting
def test_an_update_changes_nothing_in_place(name, settings, same):
    """θ, gradient and state of before are still the same after, so that a recording can keep them."""
    del same
    rule = RULES[name].ours(name)(0.1, **settings)
    theta, gradient = torch.ones(3, dtype=torch.float64), torch.full((3,), 2.0, dtype=torch.float64)
    _, state = rule.update(theta, gradient, rule.initial(theta))
    before = {
        key: value.clone() if isinstance(value, torch.Tensor) else value for key, value in state.items()
    }
    rule.update(theta, gradient, state)
    assert theta.tolist() == [1.0] * 3
    assert gradient.tolist() == [2.0] * 3
    assert state.keys() == before.keys()
    assert all(torch.equal(torch.as_tensor(state[key]), torch.as_tensor(before[key])) for key in state)


@every_rule
def test_settings_reach_the_rule(name):
    """Each setting of a rule changes its run, and the settings of other rules do not."""
    base = replace(Experiment.default(optimizer=name), epochs=3)
    changed = {setting: 0.5 for info in OPTIMIZER_INFO.values() for setting in info.hyperparameters}
    own = {"learning_rate", *OPTIMIZER_INFO[name].hyperparameters}
    for setting, value in {**changed, "learning_rate": 2e-5}.items():
        same = torch.equal(record(base).theta, record(replace(base, **{setting: value})).theta)
        assert same is (setting not in own), setting


# ------------------------------------------------------------------------------------------------ worked out otherwise


@every_problem
@every_rule
def test_every_rate_ends_where_its_own_run_ends(name, problem):
    """The loss of each epoch, at rates from far too small to diverging, for each rule; ∞ where the run diverged."""
    experiment = replace(
        EXPERIMENTS[problem], optimizer=name, epochs=EPOCHS, **OPTIMIZER_INFO[name].hyperparameters
    )
    made = build(experiment)
    unit = rate_for(name, made.objective, 1.0) / (0.05 if RULES[name].adaptive else 1.0)
    rates = torch.tensor([0.01, 0.3, 1.1, 1.9, 6.0, 1e3, 5e4], dtype=torch.float64) * unit
    runs = [record(replace(experiment, learning_rate=rate)).loss.tolist() for rate in rates.tolist()]
    single = torch.tensor([run + [math.inf] * (EPOCHS + 1 - len(run)) for run in runs], dtype=torch.float64)
    near = 1e-12 * float(made.objective(made.start))  # what rounding leaves
    for epochs in (EPOCHS, 0):
        found = sweep(made.objective, made.start, experiment.phase, rates, epochs)
        torch.testing.assert_close(found, single[:, epochs], rtol=1e-6, atol=near)
    whole = torch.stack([*islice(paths(made.objective, made.start, experiment.phase, rates), EPOCHS + 1)])
    torch.testing.assert_close(whole, single.T, rtol=1e-6, atol=near)


@every_problem
@every_rule
def test_eigenvectors_have_the_numbers_of_the_loop_or_are_refused(name, problem):
    """A long run may be worked out along them where that gives the same θ, to 1e-9 of the way; else one is told why not."""
    rate = rate_for(name, build(EXPERIMENTS[problem]).objective)
    experiment = replace(
        Experiment.default(EXPERIMENTS[problem].dataset, name), learning_rate=rate, epochs=700
    )
    experiment = replace(
        experiment, points=EXPERIMENTS[problem].points, scale_features=EXPERIMENTS[problem].scale_features
    )
    loop, usual = record(replace(experiment, engine="loop")), record(experiment)
    away = (loop.theta - curvature_of(build(experiment).objective).optimum).norm(dim=1).cummax(0).values
    assert len(usual.theta) == len(loop.theta)
    assert bool(((loop.theta - usual.theta).norm(dim=1) <= 1e-9 * away).all())
    if usual.engine == "loop":
        with pytest.raises(ParameterError, match=f"engine must be auto or loop with {name}, "):
            replace(experiment, engine="spectrum")
    else:
        assert replace(experiment, engine="spectrum").runs_on == "spectrum"


# ------------------------------------------------------------------------------------- what an entry says of its equation

LINEAR = [name for name, info in OPTIMIZER_INFO.items() if isinstance(info.theory, LinearRule)]
limits = st.tuples(st.floats(0, 0.999), st.floats(0, 3), st.floats(0, 3)).filter(
    lambda step: sum(step[1:]) > 0.01
)


def linear(name) -> LinearRule:
    """What an entry knows of a rule that is linear in the gradient."""
    theory = OPTIMIZER_INFO[name].theory
    assert isinstance(theory, LinearRule)
    return theory


@every_rule
def test_a_rule_remembers_what_its_entry_says(name):
    """Each tensor of its state is in the entry, and so is the number of its updates."""
    info, state = OPTIMIZER_INFO[name], RULES[name].ours(name)(0.1).initial(torch.zeros(3))
    assert set(state) == {*info.memory, *(["k"] if info.counts_updates else [])}
    assert RULES[name].adaptive is not isinstance(info.theory, LinearRule)


@pytest.mark.parametrize("name", LINEAR)
@given(gradients=st.lists(vector, min_size=1, max_size=6), beta=st.floats(0, 0.99))
def test_a_linear_rule_steps_as_its_entry_says(name, gradients, beta):
    """v ← β v + ∇L and θ ← θ − η (a ∇L + b v), with the entry’s β, a and b."""
    own = {"momentum": beta} if OPTIMIZER_INFO[name].hyperparameters else {}
    phase = Experiment.default(optimizer=name).phase._replace(**own)
    step = linear(name).step(phase)
    rule = RULES[name].ours(name)(0.1, **own)
    theta, velocity = torch.ones(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    state = rule.initial(theta)
    for gradient in gradients:
        ours, state = rule.update(theta, gradient, state)
        velocity = step.beta * velocity + gradient
        close(ours, theta - 0.1 * (step.on_gradient * gradient + step.on_velocity * velocity))
        theta = ours
    counted, power = 0.0, 1.0  # of one gradient, in all steps that follow
    for k in range(5000):
        counted += step.on_velocity * power + (step.on_gradient if k == 0 else 0)
        power *= step.beta
    assert step.per_gradient == pytest.approx(1 / counted, rel=1e-9)


@given(step=limits, eigenvalue=st.floats(0.1, 10))
def test_the_limit_of_a_linear_rule_is_where_an_epoch_stops_shrinking(step, eigenvalue):
    """For any β, a and b: just below the limit the spectral radius is below 1, just above it is above."""
    phase = Experiment.default().phase
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(theory, "linear_step", lambda _: LinearStep(*step))
        limit = theory.limit_along(eigenvalue, phase)
        for share, shrinks in ((0.999, True), (1.001, False)):
            rate = torch.tensor(share * limit, dtype=torch.float64)
            matrix = theory.step_matrix(phase, rate, torch.tensor(eigenvalue, dtype=torch.float64))
            assert (float(torch.linalg.eigvals(matrix).abs().max()) < 1) is shrinks


def test_a_linear_rule_without_a_known_best_rate_is_refused(monkeypatch):
    """It does not get Nesterov’s, whose search holds for its own b = βa alone."""
    curvature = curvature_of(build(Experiment.default()).objective)
    monkeypatch.setattr(theory, "linear_step", lambda _: LinearStep(0.9, 0.3, 0.7))
    with pytest.raises(ValueError, match=r"optimizer must step by ∇L, by v or by ∇L \+ βv for a best rate"):
        theory.best_in_the_long_run(curvature, Experiment.default().phase)


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("beta", [0.0, 0.37, 0.9])
def test_the_limit_in_the_formula_is_that_of_the_theory(name, beta):
    """What the page shows above λ is what the rate is compared with."""
    text = re.sub(r"\\tfrac\{(.*)\}\{(.*)\}", r"(\1)/(\2)", linear(name).limit)
    text = re.sub(r"2(?=[(\\])", "2*", text).replace(r"\beta", "beta")
    phase = Experiment.default(optimizer=name).phase._replace(momentum=beta)
    assert eval(text, {"beta": beta}) == pytest.approx(theory.limit_along(1.0, phase), rel=1e-12)


@pytest.mark.parametrize("name", [name for name in RULES if name not in LINEAR])
def test_the_first_step_is_as_long_as_the_entry_says(name):
    """At that rate it changes every parameter by 1, whatever the gradient’s size."""
    for ours, _ in RULES[name].settings:
        own = {**OPTIMIZER_INFO[name].hyperparameters, **ours, "epsilon": 1e-12}
        known = OPTIMIZER_INFO[name].theory
        assert isinstance(known, NoLimit)
        rate = known.rate_of_one(Experiment.default(optimizer=name).phase._replace(**own))
        rule = OPTIMIZERS[name](rate, **own)
        theta = torch.zeros(3, dtype=torch.float64)
        gradient = torch.tensor([1e-3, -1.0, 1e6], dtype=torch.float64)
        first, _ = rule.update(theta, gradient, rule.initial(theta))
        assert first.abs().tolist() == pytest.approx([1.0] * 3, rel=1e-6)


@every_rule
def test_the_first_step_goes_a_tenth_of_the_way(name):
    """At the rate that is worked out for it, on all rows; of a rule with a weight decay there is none but without that."""
    experiment = replace(Experiment.default("two-features", name), points=20, weight_decay=0.0)
    problem = build(experiment)
    curvature = curvature_of(problem.objective)
    rate = theory.first_step_rate(experiment, problem, curvature)
    path = record(replace(experiment, learning_rate=rate, epochs=1)).theta
    way = (curvature.optimum - problem.start).abs().max()
    assert float((path[1] - path[0]).abs().max()) == pytest.approx(0.1 * float(way), rel=1e-6)
