"""The short answers: every number in them is computed anew, and every experiment behind a link shows what is said."""

import math
import re
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch

from gd_core.lessons.deep_networks.model import Deep
from gd_core.lessons.deep_networks.network import Network
from gd_core.lessons.glossary import ENTRIES, Entry, found
from gd_core.lessons.gradient.finite_differences import forward
from gd_core.objective import value_and_gradient
from gd_core.one_thread import one_thread
from gd_core.outcome import Outcome, Trained, outcome
from gd_core.problem import build
from gd_core.published import QUADRATIC_RMSE
from gd_core.recorder import record
from gd_core.settings.experiment import Experiment, defaults
from gd_core.theory import curvature_of, forecast_of
from gd_core.training import batches

ROOT = Path(__file__).parents[3]
BY_TERM = {entry.term: entry for entry in ENTRIES}
RAW = Experiment(**defaults("noisy-quadratic", "gradient-descent"))
SCALED = replace(RAW, scale_features=True)
PLANE = Experiment(**defaults("two-features", "gradient-descent"))
WAVE = Experiment(**defaults("tide", "gradient-descent"))
POINT = Experiment(**(defaults("one-parameter", "gradient-descent") | {"start": (2.0,)}))


@cache
def known(experiment):
    problem = build(experiment)
    curvature = curvature_of(problem.objective)
    return problem, curvature, forecast_of(experiment, problem, curvature)


def run(experiment):
    """Recording and how it ended."""
    recording = record(experiment)
    problem, curvature, _ = known(experiment)
    return recording, outcome(recording, curvature, Trained.of(experiment, problem))


def of(term) -> Entry:
    return BY_TERM[term]


def settings_of(term) -> Experiment:
    """The experiment behind a term's link."""
    settings = of(term).settings
    assert isinstance(settings, Experiment)
    return settings


def _decayed_by(kind, decay=0.5):
    """a of the scaled curve by torch's optimizer, whose weight decay leaves the intercept out as a penalty of ours does, not AdamW's."""
    linear = build(SCALED).linear
    weights = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    last = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    with torch.no_grad():
        weights += build(SCALED).start[:2]
        last += build(SCALED).start[2:]
    own = decay if kind is torch.optim.AdamW else 0.0
    optimizer = kind(
        [{"params": [weights], "weight_decay": decay}, {"params": [last], "weight_decay": own}], lr=0.5
    )
    for _ in range(500):
        optimizer.zero_grad()
        (linear.features @ torch.cat([weights, last]) - linear.target).square().mean().backward()
        optimizer.step()
    return float(build(SCALED).raw(torch.cat([weights, last]).detach())[0])


@one_thread()
def _epochs_for_a_solve(parameters, rows):
    """How many epochs take the processor as long as H and one solve: on one core, timed in turn; the median of three."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, parameters, generator=generator, dtype=torch.float64)
    y, shares = x.sum(1), []
    for _ in range(3):
        begun = time.process_time()
        torch.linalg.solve(x.T @ x, x.T @ y)
        solved, theta = time.process_time(), torch.zeros(parameters, dtype=torch.float64)
        for _ in range(5):
            _, gradient = value_and_gradient(lambda theta: (x @ theta - y).square().mean(), theta)
            theta = theta - 1e-3 * gradient
        shares.append((solved - begun) / ((time.process_time() - solved) / 5))
    return sorted(shares)[1]


def wave(experiment):
    """RMSE by epoch of a run that fits a wave."""
    return record(experiment).epoch_rmse.tolist()


def loss_at(a):
    problem = known(POINT)[0]
    value, slope = value_and_gradient(problem.objective, torch.tensor([a], dtype=torch.float64))
    return float(value), float(slope)


def optimum():
    return known(RAW)[2].optimum


def floor():
    return known(RAW)[2].floor_rmse


def slow_wait():
    """Epochs for a factor e along the flattest direction at η = 1e-5."""
    return -1 / math.log1p(-1e-5 * known(RAW)[1].smallest)


def arrival(experiment):
    """The epoch at which a run has converged."""
    _, finding = run(experiment)
    assert finding.outcome is Outcome.CONVERGED
    return finding.epoch


def scaled_end():
    return float(record(replace(SCALED, learning_rate=0.3, epochs=40)).epoch_rmse[-1])


def adam():
    return record(settings_of("Adam"))


# Term ↦ the places in its answer where a number stands, and the number, computed.
NUMBERS = {
    "Parameter": lambda: [f"has {['', 'one', 'two', 'three'][len(RAW.info.parameters)]}:"],
    "θ, ŷ, ∇L, Φ: the signs": list,
    "Loss": lambda: [f"is {loss_at(2.0)[0]:.0f} at A = 2", f"and {loss_at(-1.0)[0]:.0f} at A = −1"],
    "Gradient": lambda: [f"the slope at A = 2 is {loss_at(2.0)[1]:.0f}"],
    "Learning rate η": lambda: [
        f"a slope of {loss_at(2.0)[1]:.0f}",
        f"the step is {0.1 * loss_at(2.0)[1]:.1f}",
        f"to −{-float(record(replace(POINT, learning_rate=0.1)).theta[1]):.1f}.",
    ],
    "Update": list,
    "Epoch": lambda: [
        f"With {RAW.points} rows in batches of 5",
        f"has {len([next(batches(20, 5, 0)) for _ in range(settings_of('Epoch').updates_per_epoch)])} updates",
        f"it has {'one' if RAW.updates_per_epoch == 1 else '?'}.",
    ],
    "Batch and mini-batch": lambda: [
        f"at η = {settings_of('Batch and mini-batch').learning_rate}",
        f"ends at RMSE {float(record(settings_of('Batch and mini-batch')).epoch_rmse[-1]):.3f}",
        f"the floor, {floor():.3f}",
    ],
    "Initialisation": lambda: [
        f"ends at a = {value:.3f}"
        for seed in range(3)
        for value in [_raw_end(replace(settings_of("Initialisation"), seed=seed, epochs=200))[0]]
    ],
    "Seed": lambda: [
        f"data seed {RAW.data_seed} gives the published rows",
        f"RMSE {QUADRATIC_RMSE[0]:.2f}",
        f"RMSE {float(record(RAW).epoch_rmse[0]):.2f}",
    ],
    "Why RMSE and not MSE?": lambda: [
        f"it is {floor():.3f} m/s",
        f"MSE is {known(RAW)[1].floor_loss:.3f} (m/s)²",
    ],
    "What is the floor?": lambda: [f"these {RAW.points} rows", f"below {floor():.3f}"],
    "When should I stop?": lambda: [
        f"stopped at RMSE {QUADRATIC_RMSE[-1]:.2f}",
        f"and {floor():.3f} was possible",
    ],
    "Is a lower loss always better?": lambda: [
        f"below {known(settings_of('Is a lower loss always better?'))[2].floor_rmse:.3f}"
    ],
    "Why not solve it at once?": lambda: [
        f"there are {['', '', '', 'three'][len(optimum())]} linear equations",
        f"a = {optimum()[0]:.3f}, b = −{-optimum()[1]:.2f}, c = {optimum()[2]:.2f}",
    ],
    "Convergence": lambda: [f"At η = {0.5}", f"needs {arrival(settings_of('Convergence'))} epochs"],
    "Overshooting": lambda: [f"multiplied by −{-(1 - 0.1 * known(POINT)[1].largest):.1f}"],
    "Divergence": lambda: [
        f"here {known(RAW)[2].stability_limit * 1e5:.2f}e−5",
        f"× {abs(1 - 5e-5 * known(RAW)[1].largest):.3f} an epoch",
    ],
    "Why did my run explode?": lambda: [
        f"{5e-5 / known(RAW)[2].stability_limit:.2f} × the limit {known(RAW)[2].stability_limit * 1e5:.2f}e−5",
        f"the limit is {known(SCALED)[2].stability_limit:.3f}",
    ],
    "Why is my run so slow?": lambda: [f"takes about {float(f'{slow_wait():.3g}'):,.0f} epochs", "in 40 epochs"],
    "What is a good learning rate?": lambda: [
        f"λ is {known(POINT)[1].largest:.0f}",
        f"η = 1/{round(1 / known(POINT)[2].best_learning_rate)}",
    ],
    "Eigenvalue and direction": lambda: [
        f"goes from {known(RAW)[1].smallest:.3f} to {known(RAW)[1].largest:,.0f}"
    ],
    "Condition number κ": lambda: [
        f"It is {known(RAW)[2].condition_number:,.0f} for",
        f"{known(SCALED)[2].condition_number:.2f} once",
        f"{known(PLANE)[2].condition_number:.2f} for two",
    ],
    "Standardise": lambda: [
        f"from {known(RAW)[2].condition_number:,.0f} to {known(SCALED)[2].condition_number:.2f}",
        f"40 epochs at η = 0.3 reach RMSE {scaled_end():.3f}",
    ],
    "Are there local minima?": lambda: [
        f"every λ is above {0 if all(known(one)[1].smallest > 0 for one in (RAW, SCALED, PLANE, POINT)) else '?'}",
        f"ends at RMSE {wave(settings_of('Are there local minima?'))[-1]:.3f}",
        f"and {wave(replace(WAVE, start=(12.0, 0.5)))[-1]:.4f} is known",
    ],
    "Saddle": lambda: [
        f"RMSE {wave(settings_of('Saddle'))[0]:.3f}",
        f"leaves for {wave(settings_of('Saddle'))[-1]:.4f}",
    ],
    "Momentum": lambda: [
        f"at η = {settings_of('Momentum').learning_rate} and β = {settings_of('Momentum').momentum}",
        f"arrives at epoch {arrival(settings_of('Momentum'))}.",
        f"needs {arrival(replace(settings_of('Momentum'), optimizer='gradient-descent', epochs=1000))}.",
    ],
    "Gradient descent or the normal equation?": lambda: [
        "at once" if arrival(settings_of("Gradient descent or the normal equation?")) == 1 else "not at once",
        "as much as some 30 epochs" if 10 < _epochs_for_a_solve(1000, 4000) < 160 else "as much as others",
        "for 1,000 parameters and 4,000 rows",
    ],
    "Weight decay: L2 or AdamW?": lambda: [
        "weight decay 0.5",
        f"ends at a = {_decayed_by(torch.optim.Adam):.3f} with L2, at {_decayed_by(torch.optim.AdamW):.4f} by AdamW",
        f"Without: {_decayed_by(torch.optim.Adam, 0.0):.3f}.",
    ],
    "Adam": lambda: [
        "slopes are −{:.0f}, −{:.0f} and −{:.0f}".format(*(-adam().gradient[0]).tolist()),
        *(f"η = {step:.1f} in each" for step in (adam().theta[1] - adam().theta[0]).tolist()),
    ],
    "Which update rule is the best?": lambda: [
        f"all rows at once make {RAW.updates_per_epoch} update",
        f"batches of 5 make {replace(RAW, batch_size=5).updates_per_epoch}, ",
        f"single rows {replace(RAW, batch_size=1).updates_per_epoch}.",
    ],
    "Vanishing gradient": lambda: [
        f"at most {'¼' if _steepest_sigmoid() == 0.25 else '?'}",
        f"at most 1/{1 / _steepest_sigmoid() ** 10:,.0f}",
    ],
    "Exploding gradient": lambda: [f"20 layers is {1.5**20:,.0f}"],
    "Broadcasting": lambda: [
        f"a table of {(torch.zeros(PLANE.points, 1) - torch.zeros(PLANE.points)).numel():,} differences, "
        f"not {PLANE.points:,}"
    ],
    "Autograd": lambda: [f"it gives {loss_at(2.0)[1]:.0f}, as"],
    "Finite difference": lambda: [
        f"with h = 1e−5 it is {forward(known(POINT)[0].objective, known(POINT)[0].start, 0, 1e-5):.5f}",
        f"h = 1e−16 it is {forward(known(POINT)[0].objective, known(POINT)[0].start, 0, 1e-16):.0f},",
    ],
}  # fmt: skip


def _raw_end(experiment):
    return known(experiment)[0].raw(record(experiment).epoch_theta[-1]).tolist()


def _steepest_sigmoid():
    x = torch.linspace(-5, 5, 2001, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(torch.sigmoid(x).sum(), x)
    return float(slope.max())


@pytest.mark.parametrize("term", BY_TERM)
def test_every_number_is_computed_from_the_core(term):
    """Each answer holds the numbers that data, theory and training give today."""
    for part in NUMBERS[term]():
        assert part in of(term).answer


def test_no_number_goes_unchecked():
    """Every answer with a digit in it has a line above."""
    assert set(NUMBERS) == set(BY_TERM)
    unchecked = [
        term for term, entry in BY_TERM.items() if re.search(r"\d", entry.answer) and NUMBERS[term] is list
    ]
    assert unchecked == []


def test_the_wrong_loss_falls_and_the_error_stays():
    """With the shape mistake the loss falls in every epoch, the RMSE never comes below 1.578; mended it goes to 0."""
    wrong = settings_of("Is a lower loss always better?")
    recording = record(wrong)
    assert bool((recording.epoch_loss.diff() < 0).all())
    assert float(record(replace(wrong, learning_rate=0.1)).epoch_rmse.min()) > 1.578
    assert float(record(replace(wrong, loss="mse", learning_rate=0.1)).epoch_rmse[-1]) < 1e-6


@pytest.mark.parametrize(
    ("term", "end"),
    [
        ("Divergence", Outcome.DIVERGED),
        ("Batch and mini-batch", Outcome.HOVERING),
        ("Momentum", Outcome.CONVERGED),
        ("What is a good learning rate?", Outcome.CONVERGED),
        ("Convergence", Outcome.CONVERGED),
        ("Standardise", Outcome.CONVERGED),
        ("Why is my run so slow?", Outcome.DESCENDING),
    ],
)
def test_the_experiment_shows_what_the_answer_says(term, end):
    """The run behind the link ends as the answer promises."""
    assert run(settings_of(term))[1].outcome is end


def test_one_step_is_enough():
    """At 1/18 the run has arrived after its first epoch."""
    assert arrival(settings_of("What is a good learning rate?")) == 1


@pytest.mark.parametrize(
    ("term", "low", "high"), [("Vanishing gradient", 0, 1e-6), ("Exploding gradient", 1e3, math.inf)]
)
def test_the_networks_behind_the_links_do_it(term, low, high):
    """The first layer's gradient over that of the last hidden layer: a millionth or less, a thousand or more."""
    network = of(term).settings
    assert isinstance(network, Network)
    deep = Deep(network)
    _, gradient = value_and_gradient(deep, deep.start())
    first, *_, last_hidden, _ = deep.norms(gradient).tolist()
    assert low <= first / last_hidden <= high


def test_answers_are_short():
    """At most three sentences and 200 characters; every term once; every label starts with a verb."""
    assert len(BY_TERM) == len(ENTRIES) >= 28
    for entry in ENTRIES:
        assert len(entry.answer) <= 200
        assert 1 <= len(re.findall(r"[.?!](?:\s|$)", entry.answer)) <= 4
        assert entry.label.split()[0] in {"See", "Start", "Try", "Let", "Compare"}


@pytest.mark.parametrize(
    ("wanted", "terms"),
    [
        ("mini batch", {"Batch and mini-batch"}),
        ("MINI-BATCH", {"Batch and mini-batch"}),
        ("nan", {"Why did my run explode?"}),
        ("convex", {"Are there local minima?"}),
        ("normal equation", {"Why not solve it at once?", "Gradient descent or the normal equation?"}),
        ("zebra", set()),
        ("adam zebra", set()),
    ],
)
def test_a_search_finds_what_holds_every_word(wanted, terms):
    """In any case, with or without a hyphen; a word that is nowhere finds nothing."""
    assert {entry.term for entry in found(wanted)} == terms


@pytest.mark.parametrize("wanted", ["", "   "])
def test_an_empty_search_finds_all(wanted):
    """Nothing asked, everything shown."""
    assert found(wanted) == ENTRIES


@pytest.mark.parametrize("word", ["parameter", "loss", "gradient", "slope", "rate", "epoch", "update", "batch", "sgd", "seed", "rmse", "floor", "stop", "convergence", "divergence", "overshoot", "explode", "condition", "scale", "standardise", "eigenvalue", "momentum", "adam", "initialisation", "vanishing", "exploding", "broadcasting", "autograd", "finite", "minima", "kappa", "∇", "Φ", "θ", "ŷ", "Hessian"])  # fmt: skip
def test_what_students_type_is_found(word):
    """The words of the lessons each have an answer."""
    assert found(word)


def test_the_words_are_there_without_torch():
    """The page needs no PyTorch to be read."""
    script = "import gd_core.lessons.glossary, sys; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "False"
