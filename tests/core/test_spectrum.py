"""The path along the eigenvectors, held against the loop, and against NumPy's own loop."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gd_core import spectrum as spectrum_module
from gd_core.moments import Moments
from gd_core.outcome import Trained, outcome
from gd_core.problem import build
from gd_core.recorder import Recorder, SpectrumRecorder, record, recorder_of
from gd_core.settings.experiment import Experiment
from gd_core.settings.experiment_fields import Phase
from gd_core.settings.fields import ParameterError
from gd_core.spectrum import path
from gd_core.theory import curvature_of

QUADRATIC = Experiment.default()
PLANE = replace(Experiment.default("two-features"), points=60, noise=1.0)
RULES = ("gradient-descent", "momentum", "nesterov")


def phase_of(optimizer, rate, epochs, beta=0.9):
    return Phase(epochs, optimizer, rate, beta, 0.99, 0.9, 0.999, 1e-8)


def numpy_path(features, target, theta, phases):
    """θ, loss and gradient of every epoch by the textbook's loop, in NumPy."""
    thetas, losses, gradients = [], [], []

    def note():
        rest = features @ theta - target
        thetas.append(theta)
        losses.append(np.mean(rest**2))
        gradients.append(2 / len(target) * features.T @ rest)

    note()
    for phase in phases:
        v, beta = 0.0, phase.momentum if phase.optimizer != "gradient-descent" else 0.0
        for _ in range(phase.epochs):
            v = beta * v + gradients[-1]
            step = gradients[-1] + beta * v if phase.optimizer == "nesterov" else v
            theta = theta - phase.learning_rate * step
            note()
    return np.array(thetas), np.array(losses), np.array(gradients)


def spectral_path(features, target, theta, phases):
    moments = Moments.of(torch.from_numpy(features), torch.from_numpy(target))
    parts = list(path(moments, torch.from_numpy(theta), phases))
    return tuple(torch.cat(column).numpy() for column in zip(*parts, strict=True))


def problem_of(seed, rows, parameters, condition, rank):
    """Φ with singular values from 1 down to κ^(−½), of them only some above 0; a y, and a start away from all optima."""
    generator = np.random.default_rng(seed)
    size = min(rows, parameters, rank)
    left = np.linalg.qr(generator.normal(size=(rows, rows)))[0][:, :size]
    right = np.linalg.qr(generator.normal(size=(parameters, parameters)))[0][:, :size]
    sizes = np.geomspace(1, condition**-0.5, size) if size > 1 else np.ones(1)
    features = math.sqrt(rows) * (left * sizes) @ right.T
    target = features @ generator.normal(size=parameters) + generator.normal(size=rows)
    return features, target, 3 + generator.normal(size=parameters)


def assert_same_path(found, expected, features, target):
    """θ to 1e-9 of the distance from the optimum at the start, or now if that is larger; loss and gradient alike."""
    (theta, loss, gradient), (theta_, loss_, gradient_) = found, expected
    optimum = np.linalg.pinv(features, rcond=1e-8) @ target
    away = np.linalg.norm(theta_ - optimum, axis=1)
    away = np.maximum.accumulate(np.maximum(away, away[0]))
    assert theta.shape == theta_.shape
    assert np.all(np.linalg.norm(theta - theta_, axis=1) <= 1e-9 * away)
    assert np.all(abs(loss - loss_) <= 1e-9 * np.maximum.accumulate(loss_))
    slope = np.maximum.accumulate(np.linalg.norm(gradient_, axis=1))
    assert np.all(np.linalg.norm(gradient - gradient_, axis=1) <= 1e-9 * slope)


problems = {
    "seed": st.integers(0, 2**32 - 1),
    "rows": st.integers(1, 12),
    "parameters": st.integers(1, 5),
    "condition": st.floats(0, 12).map(lambda power: 10**power),
    "rank": st.integers(1, 5),
}
rates = st.floats(0.01, 1.2)  # of the limit


@given(**problems, share=rates, optimizer=st.sampled_from(RULES), beta=st.floats(0, 0.99))
@settings(max_examples=60, deadline=None)
def test_the_path_is_the_loops(seed, rows, parameters, condition, rank, share, optimizer, beta):
    """On random problems, up to a condition of 1e12, singular ones and a single row among them, below and above the limit."""
    features, target, start = problem_of(seed, rows, parameters, condition, rank)
    curves = np.linalg.eigvalsh(2 / rows * features.T @ features)
    limits = {"gradient-descent": 2, "momentum": 2 * (1 + beta), "nesterov": 2 * (1 + beta) / (1 + 2 * beta)}
    phases = [phase_of(optimizer, share * limits[optimizer] / curves[-1], 120, beta)]
    expected = numpy_path(features, target, start, phases)
    assert_same_path(spectral_path(features, target, start, phases), expected, features, target)


@given(
    seed=st.integers(0, 2**32 - 1),
    shares=st.lists(st.floats(0.05, 0.95), min_size=2, max_size=4),
    data=st.data(),
)
@settings(max_examples=20, deadline=None)
def test_a_continued_path_is_the_loops(seed, shares, data):
    """Several phases one after another, each with its own rule and without the velocity of the one before."""
    features, target, start = problem_of(seed, 9, 3, 1e4, 3)
    top = np.linalg.eigvalsh(2 / 9 * features.T @ features)[-1]
    phases = [
        phase_of(data.draw(st.sampled_from(RULES)), share * 1.3 / top, data.draw(st.integers(1, 40)))
        for share in shares
    ]
    expected = numpy_path(features, target, start, phases)
    assert_same_path(spectral_path(features, target, start, phases), expected, features, target)


@pytest.mark.parametrize("optimizer", RULES)
@pytest.mark.parametrize("at_once", [1, 3, 4096])
def test_how_much_is_worked_out_together_changes_nothing(optimizer, at_once, monkeypatch):
    """A stretch of one epoch or of thousands: the same path, and exactly as many epochs as were asked for."""
    features, target, start = problem_of(3, 9, 3, 1e3, 3)
    phases = [phase_of(optimizer, 0.3, 50), phase_of(optimizer, 0.1, 7)]
    monkeypatch.setattr(spectrum_module, "EPOCHS_AT_ONCE", at_once)
    expected = numpy_path(features, target, start, phases)
    assert len(expected[0]) == 58
    assert_same_path(spectral_path(features, target, start, phases), expected, features, target)


def test_the_fastest_momentum_has_no_two_eigenvectors():
    """At ηλ = (1 − √β)² the matrix of an epoch is defective: the path is the loop's all the same."""
    features, target, start = np.eye(1), np.zeros(1), np.array([1.0])
    beta = 0.81
    phases = [phase_of("momentum", (1 - math.sqrt(beta)) ** 2 / 2, 300, beta)]
    matrix = spectrum_module._epochs(phases[0], np.array([2.0]), np.array([phases[0].learning_rate]))[
        0, 0, :2, :2
    ]
    assert abs(np.diff(np.linalg.eigvals(matrix))[0]) < 1e-7
    theta = spectral_path(features, target, start, phases)[0]
    np.testing.assert_allclose(theta, numpy_path(features, target, start, phases)[0], rtol=1e-9, atol=1e-15)


def test_after_very_many_epochs_it_is_where_gradient_descent_ends():
    """A million epochs: along each eigenvector (1 − ηλ)ᵏ, to 1e-9 of the first distance, by logarithms."""
    features, target, start = problem_of(4, 9, 3, 1e6, 3)
    phases = [phase_of("gradient-descent", 0.4, 1_000_000)]
    theta = spectral_path(features, target, start, phases)[0]
    left, sizes, right = np.linalg.svd(features, full_matrices=False)
    optimum = right.T @ (left.T @ target / sizes)
    for epoch in (1, 1000, 123_457, 1_000_000):
        powers = np.exp(epoch * np.log1p(-0.4 * 2 / 9 * sizes**2))
        expected = optimum + right.T @ (powers * (right @ (start - optimum)))
        assert np.linalg.norm(theta[epoch] - expected) <= 1e-9 * np.linalg.norm(start - optimum)


def test_a_path_without_end_is_no_warning():
    """Far above the limit everything overflows, also along a direction in which there was nothing to do: no warning."""
    features, target, start = np.diag([1.0, 1e-3]), np.zeros(2), np.array([1.0, 0.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss = spectral_path(features, target, start, [phase_of("momentum", 1e9, 9000)])[1]
    finite = np.isfinite(loss)
    assert np.all(loss[:5] < loss[1:6])
    assert not finite[-1]
    assert int((~finite).argmax()) > 5


# ------------------------------------------------------------------------------------------------ whole runs

RUNS = {
    "converges": replace(QUADRATIC, scale_features=True, learning_rate=0.3, epochs=400),
    "goes on": replace(QUADRATIC, epochs=500),
    "overshoots": replace(QUADRATIC, learning_rate=3.5e-5, epochs=300),
    "grows": replace(QUADRATIC, learning_rate=3.55e-5, epochs=300),
    "diverges": replace(QUADRATIC, learning_rate=3.7e-5, epochs=900),
    "diverges at once": replace(QUADRATIC, learning_rate=1e6, epochs=20),
    "momentum": replace(QUADRATIC, optimizer="momentum", learning_rate=6e-5, epochs=400),
    "Nesterov": replace(QUADRATIC, optimizer="nesterov", learning_rate=2.3e-5, epochs=400),
    "Nesterov diverges": replace(QUADRATIC, optimizer="nesterov", learning_rate=2.6e-5, epochs=400),
    "continued": replace(QUADRATIC, epochs=300).continued(
        120, optimizer="momentum", learning_rate=5e-6, epochs=80
    ),
    "continued too fast": replace(QUADRATIC, epochs=90).continued(6, learning_rate=4e-5, epochs=900),
    "held out": replace(PLANE, holdout=0.3, learning_rate=0.05, epochs=200),
    "shape mistake": replace(PLANE, loss="mse-broadcast", holdout=0.2, learning_rate=0.01, epochs=300),
    "all rows, counted": replace(PLANE, batch_size=60, learning_rate=0.01, epochs=50),
    "a single row": replace(Experiment.default("one-parameter"), learning_rate=0.05, epochs=60),
    "done in one step": replace(Experiment.default("one-parameter"), learning_rate=1 / 18, epochs=30),
    "bounces": replace(Experiment.default("one-parameter"), learning_rate=1 / 9, epochs=30),
    "a cosine": replace(
        QUADRATIC, scale_features=True, learning_rate=0.3, schedule="cosine:0:0.0", warmup=7, epochs=90
    ),
    "above the limit at first": replace(
        QUADRATIC, learning_rate=5e-5, schedule="exponential:0.98", epochs=200
    ),
    "steps of momentum": replace(
        PLANE, optimizer="momentum", learning_rate=0.05, schedule="step:30:0.5", epochs=200
    ),
    "many epochs of Nesterov": replace(
        PLANE, optimizer="nesterov", learning_rate=0.02, schedule="inverse-time:0.01", epochs=5000
    ),
    "continued under a schedule": replace(
        PLANE, learning_rate=0.01, schedule="cosine:0:0.1", epochs=50
    ).continued(20, schedule="exponential:0.97", epochs=60),
    "a table": replace(Experiment.default("table"), epochs=300),
}
every_run = pytest.mark.parametrize("name", RUNS)


def both(experiment):
    return tuple(record(replace(experiment, engine=engine)) for engine in ("loop", "spectrum"))


@every_run
def test_engines_agree(name):
    """Every column of the recording, the epoch of divergence, the outcome and its sentence."""
    experiment = RUNS[name]
    problem = build(experiment)
    curvature, trained = curvature_of(problem.objective), Trained.of(experiment, problem)
    loop, spectrum = both(experiment)
    assert (loop.engine, spectrum.engine) == ("loop", "spectrum")
    assert loop.diverged_at == spectrum.diverged_at
    assert (loop.updates, loop.epochs, loop.complete, loop.stopped) == (
        spectrum.updates, spectrum.epochs, spectrum.complete, spectrum.stopped,
    )  # fmt: skip
    away = (loop.theta - curvature.optimum).norm(dim=1)
    away = torch.maximum(away, away[0])
    assert bool(((loop.theta - spectrum.theta).norm(dim=1) <= 1e-9 * away).all())
    for column in ("loss", "gradient", "epoch_loss", "epoch_rmse", "epoch_held_out_rmse"):
        one, other = getattr(loop, column), getattr(spectrum, column)
        if one is None:
            assert other is None
            continue
        scale = one.abs().reshape(len(one), -1).amax(1).cummax(0).values.reshape(-1, *[1] * (one.ndim - 1))
        assert one.shape == other.shape
        assert bool(((one - other).abs() <= 1e-9 * scale).all()), column
    ends = [outcome(recording, curvature, trained) for recording in (loop, spectrum)]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("epochs", [60, 300])
def test_a_rate_above_the_limit_makes_rounding_grow(epochs):
    """Continued too fast when nothing is left along the steepest direction: both diverge, from their last digits."""
    loop, spectrum = both(QUADRATIC.continued(epochs, learning_rate=4e-5, epochs=900))
    assert loop.diverged_at is not None
    assert spectrum.diverged_at is not None
    assert abs(loop.diverged_at - spectrum.diverged_at) <= 25


def test_who_has_arrived_stays_at_any_rate():
    """When a step changes no digit of θ any more, the loop stays for good, also at a rate above the limit; so does this."""
    first = replace(QUADRATIC, scale_features=True, learning_rate=0.2, epochs=400)
    for recording in both(first.continued(400, learning_rate=0.5, epochs=900)):
        assert recording.diverged_at is None
        torch.testing.assert_close(recording.theta[-1], recording.theta[400], rtol=1e-14, atol=0)


@given(
    rate=st.floats(-7, -3).map(lambda power: 10**power),
    seed=st.integers(0, 1000),
    optimizer=st.sampled_from(RULES),
    scaled=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_outcomes_agree(rate, seed, optimizer, scaled):
    """At any rate and from any start, both engines tell the same end, at the same epoch."""
    experiment = replace(
        QUADRATIC, optimizer=optimizer, learning_rate=rate * (1e4 if scaled else 1), scale_features=scaled,
        start="random", seed=seed, epochs=150,
    )  # fmt: skip
    problem = build(experiment)
    curvature, trained = curvature_of(problem.objective), Trained.of(experiment, problem)
    loop, spectrum = both(experiment)
    assert outcome(loop, curvature, trained) == outcome(spectrum, curvature, trained)


def test_slices_of_time_make_the_same_recording(monkeypatch):
    """Looked at after every stretch, it ends with the numbers of a run in one go."""
    monkeypatch.setattr(spectrum_module, "EPOCHS_AT_ONCE", 64)
    experiment = replace(QUADRATIC, epochs=500, engine="spectrum")
    whole = record(experiment)
    recorder = SpectrumRecorder(experiment)
    assert (recorder.recording().epochs, recorder.complete) == (0, False)
    seen = []
    while not recorder.complete:
        recorder.advance(0.0)
        seen.append(recorder.recording())
    assert len(seen) > 5
    for part in seen:
        assert torch.equal(part.theta, whole.theta[: part.updates + 1])
    assert torch.equal(seen[-1].gradient, whole.gradient)


def test_rows_are_not_looked_at_again():
    """A large Φ is never made: only a part of it at a time, for the moments."""
    experiment = replace(PLANE, points=10_000, epochs=5000, learning_rate=0.1)
    recorder = recorder_of(experiment)
    recorder.advance()
    assert "features" not in vars(recorder.problem.objective)
    assert recorder.recording().epochs == 5000


@pytest.mark.parametrize(
    ("changes", "engine"),
    [
        ({"epochs": 500}, "loop"),
        ({"epochs": 501}, "spectrum"),
        ({"epochs": 501, "engine": "loop"}, "loop"),
        ({"epochs": 501, "optimizer": "adam"}, "loop"),
        ({"epochs": 3001, "engine": "loop"}, "loop"),
        ({"epochs": 10, "engine": "spectrum"}, "spectrum"),
        ({"epochs": 3001, "optimizer": "momentum"}, "spectrum"),
        ({"epochs": 3001, "optimizer": "nesterov"}, "spectrum"),
        ({"epochs": 3001, "optimizer": "adam"}, "loop"),
        ({"epochs": 3001, "batch_size": 20}, "spectrum"),
        ({"epochs": 3001, "batch_size": 19}, "loop"),
        ({"epochs": 3001, "loss": "mse-broadcast"}, "spectrum"),
        ({"epochs": 401, "points": 10_000}, "spectrum"),
        ({"epochs": 400, "points": 10_000}, "loop"),
    ],
)  # fmt: skip
def test_long_runs_that_can_be_are_worked_out_at_once(changes, engine):
    """The loop trains what is short, what asks for it, and what has no eigenvectors of its own."""
    experiment = replace(QUADRATIC, **changes)
    assert experiment.runs_on == engine
    assert recorder_of(experiment).engine == engine
    assert isinstance(recorder_of(experiment), Recorder) == (engine == "loop")


def test_a_continued_run_with_one_adaptive_phase_is_the_loops():
    """One phase of Adam among others is enough."""
    first = Experiment.default(optimizer="adam")
    experiment = replace(first, epochs=10).continued(
        5, optimizer="gradient-descent", learning_rate=1e-5, epochs=9000
    )
    assert experiment.runs_on == "loop"
    with pytest.raises(ParameterError, match="with adam"):
        replace(experiment, engine="spectrum")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"optimizer": "rmsprop"}, "engine must be auto or loop with rmsprop, whose steps are no multiples of the gradient. Got spectrum."),
        ({"batch_size": 5}, "engine must be auto or loop with mini-batches, each of which has eigenvectors of its own. Got spectrum."),
    ],
)  # fmt: skip
def test_what_has_no_spectrum_says_why(changes, sentence):
    """Asked for where it cannot hold: one sentence, from a link as from code, and the rest of the link is kept."""
    with pytest.raises(ParameterError) as error:
        replace(QUADRATIC, engine="spectrum", **changes)
    assert str(error.value) == sentence
    query = {"engine": "spectrum", **{name: str(value) for name, value in changes.items()}}
    experiment, sentences = Experiment.from_query(query)
    assert sentences == [sentence]
    assert experiment == replace(Experiment.default(optimizer=experiment.optimizer), **changes)
    assert Experiment.from_query({"engine": "warp"})[1] == [
        "engine must be one of auto, loop, spectrum. Got warp."
    ]


def test_a_link_says_the_engine_only_if_it_was_chosen():
    """By default it is not in the address."""
    assert "engine" not in replace(QUADRATIC, epochs=9000).to_query()
    for engine in ("loop", "spectrum"):
        experiment = replace(QUADRATIC, engine=engine)
        assert experiment.to_query()["engine"] == engine
        assert Experiment.from_query(experiment.to_query()) == (experiment, [])


@pytest.mark.parametrize("optimizer", ["adagrad", "rmsprop", "adam"])
def test_a_rule_that_is_not_linear_has_no_path(optimizer):
    """It is refused, not followed as another rule would go."""
    problem = build(Experiment.default(optimizer=optimizer))
    moments = problem.linear.moments
    with pytest.raises(ValueError, match=f"optimizer must be linear in the gradient. Got {optimizer}"):
        list(path(moments, problem.start, [Experiment.default(optimizer=optimizer).phase]))
