"""The update rules, held against torch.optim."""

from itertools import islice

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gd_core.catalog import OPTIMIZER_INFO
from gd_core.datasets import DATASETS, Dataset
from gd_core.models import MODELS, Linear
from gd_core.objective import Objective
from gd_core.optimizers import OPTIMIZERS, in_turn
from gd_core.training import train

# rule, its settings here, the same in torch
CASES = [
    ("gradient-descent", {}, torch.optim.SGD, {}),
    ("momentum", {}, torch.optim.SGD, {"momentum": 0.9}),
    ("momentum", {"momentum": 0.37}, torch.optim.SGD, {"momentum": 0.37}),
    ("nesterov", {}, torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    ("nesterov", {"momentum": 0.6}, torch.optim.SGD, {"momentum": 0.6, "nesterov": True}),
    ("adagrad", {}, torch.optim.Adagrad, {}),
    ("adagrad", {"epsilon": 1e-3}, torch.optim.Adagrad, {"eps": 1e-3}),
    ("rmsprop", {}, torch.optim.RMSprop, {}),
    ("rmsprop", {"alpha": 0.8, "epsilon": 1e-4}, torch.optim.RMSprop, {"alpha": 0.8, "eps": 1e-4}),
    ("adam", {}, torch.optim.Adam, {}),
    (
        "adam",
        {"beta1": 0.7, "beta2": 0.95, "epsilon": 1e-4},
        torch.optim.Adam,
        {"betas": (0.7, 0.95), "eps": 1e-4},
    ),
]
every_case = pytest.mark.parametrize(("name", "settings", "torchs", "same"), CASES)
small = st.floats(-1e3, 1e3).filter(lambda x: x == 0 or abs(x) > 1e-12)
vector = st.lists(small, min_size=3, max_size=3).map(lambda x: torch.tensor(x, dtype=torch.float64))


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@every_case
@given(theta=vector, gradients=st.lists(vector, min_size=1, max_size=6), learning_rate=st.floats(1e-6, 10))
def test_an_update_from_any_state_is_torchs(name, settings, torchs, same, theta, gradients, learning_rate):
    """Whatever gradients have led to a state, the next update is that of torch.optim, to 1e-12."""
    rule = OPTIMIZERS[name](learning_rate, **settings)
    ours, state = theta, rule.initial(theta)
    theirs = theta.clone().requires_grad_()
    optimizer = torchs([theirs], lr=learning_rate, foreach=False, **same)
    for gradient in gradients:
        ours, state = rule.update(ours, gradient, state)
        theirs.grad = gradient.clone()
        optimizer.step()
        close(ours, theirs.detach())


def skewed_plane(ratio):
    """Two features of which one is `ratio` times the other, and both much alike."""
    generator = torch.Generator().manual_seed(3)
    base, other = torch.randn(2, 40, generator=generator, dtype=torch.float64)
    x = torch.stack([ratio * base, base + 0.05 * other], 1)
    y = (base - other).unsqueeze(1)
    start = torch.tensor([0.4, -0.3, 0.2], dtype=torch.float64)
    return Objective(Linear(2), Dataset(x, y, ("u", "v"), "y", "skewed", start))


PROBLEMS = {
    "noisy quadratic": Objective(MODELS["quadratic"](), DATASETS["noisy-quadratic"]()),
    "noisy quadratic, scaled": Objective(MODELS["quadratic"](), DATASETS["noisy-quadratic"]().standardised()),
    "two features": Objective(MODELS["linear"](), DATASETS["two-features"]()),
    "one parameter": Objective(MODELS["proportional"](), DATASETS["one-parameter"]()),
    "condition number 10⁹": skewed_plane(1e3),
}


@every_case
@pytest.mark.parametrize("problem", PROBLEMS)
def test_200_updates_are_torchs(name, settings, torchs, same, problem):
    """On easy and on ill-conditioned problems the run stays with torch.optim's to 1e-12, and really moves."""
    objective = PROBLEMS[problem]
    start = objective.dataset.start
    steepest = float(torch.linalg.eigvalsh(objective.features.T @ objective.features)[-1])
    adaptive = name in ("adagrad", "rmsprop", "adam")
    learning_rate = 0.05 if adaptive else 0.3 * len(objective.target) / steepest / 2
    rule = OPTIMIZERS[name](learning_rate, **settings)
    ours = torch.stack([step.theta for step in islice(train(objective, start, rule), 201)])

    theta = start.clone().requires_grad_()
    optimizer = torchs([theta], lr=learning_rate, foreach=False, **same)
    theirs = [theta.detach().clone()]
    for _ in range(200):
        optimizer.zero_grad()
        objective(theta).backward()
        optimizer.step()
        theirs.append(theta.detach().clone())
    close(ours, torch.stack(theirs))
    assert float(objective(ours[-1])) < float(objective(start))


def test_nesterov_looks_one_step_ahead():
    """In the point φ = θ + ηβv… of its textbook form, it is momentum with the gradient taken ahead."""
    rate, beta, curvature = 0.03, 0.8, 5.0
    rule = OPTIMIZERS["nesterov"](rate, momentum=beta)
    theta = torch.tensor([1.0], dtype=torch.float64)
    state = rule.initial(theta)
    position, velocity = 1.0, 0.0  # of the textbook: v ← βv − η L′(x + βv), x ← x + v; ours is x + βv
    for _ in range(20):
        theta, state = rule.update(theta, curvature * theta, state)
        velocity = beta * velocity - rate * curvature * (position + beta * velocity)
        position += velocity
        assert float(theta) == pytest.approx(position + beta * velocity, rel=1e-12)


def test_adam_starts_with_a_step_of_the_rate():
    """The correction for the cold start makes the first step ±η, whatever the gradient's size."""
    rule = OPTIMIZERS["adam"](0.01, epsilon=1e-16)
    theta = torch.zeros(3, dtype=torch.float64)
    gradient = torch.tensor([1e-6, -1.0, 1e6], dtype=torch.float64)
    first, _ = rule.update(theta, gradient, rule.initial(theta))
    assert first.tolist() == pytest.approx([-0.01, 0.01, -0.01], rel=1e-6)


@every_case
def test_an_update_changes_nothing_in_place(name, settings, torchs, same):
    """θ, gradient and state of before are still the same after, so that a recording can keep them."""
    del torchs, same
    rule = OPTIMIZERS[name](0.1, **settings)
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


@pytest.mark.parametrize("first", OPTIMIZERS)
@pytest.mark.parametrize("second", ["gradient-descent", "momentum", "adam"])
def test_rules_in_turn_are_separate_runs(first, second):
    """After its updates the first rule hands θ on, and the second starts afresh from there."""
    objective = PROBLEMS["noisy quadratic, scaled"]
    one, two = OPTIMIZERS[first](0.05), OPTIMIZERS[second](0.02)

    def run(rule, start, updates):
        return torch.stack([step.theta for step in islice(train(objective, start, rule), updates + 1)])

    together = run(in_turn((7, one), (9, two)), objective.dataset.start, 16)
    alone = run(one, objective.dataset.start, 7)
    after = run(two, alone[-1], 9)
    assert torch.equal(together, torch.cat([alone, after[1:]]))


def test_three_rules_in_turn_and_the_last_goes_on():
    """Each has its number of updates; the last has as many as are asked for."""
    rules = in_turn(
        *((updates, OPTIMIZERS["gradient-descent"](rate)) for updates, rate in ((1, 1), (2, 10), (1, 100)))
    )
    theta = torch.zeros(1, dtype=torch.float64)
    state, path = rules.initial(theta), []
    for _ in range(6):
        theta, state = rules.update(theta, -torch.ones(1, dtype=torch.float64), state)
        path.append(float(theta))
    assert path == [1, 11, 21, 121, 221, 321]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_hyperparameters_are_keywords_with_the_catalogues_defaults(name):
    """What the catalogue says of a rule's settings is what the function takes."""
    assert dict(OPTIMIZERS[name].__kwdefaults__ or {}) == dict(OPTIMIZER_INFO[name].hyperparameters)
