"""What is said of a step and of a run, and whether its numbers are the right ones."""

import math
import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from known_fields import CHOICES

from gd_core.outcome import Outcome, Trained, outcome
from gd_core.problem import build
from gd_core.recorder import Recorder, record
from gd_core.settings.experiment import Experiment
from gd_core.theory import curvature_of, forecast_of
from gd_core.verdict import of_run, of_steps
from gd_core.words import counted, parameter, percent, rounded, short, significant, some, times

QUADRATIC = Experiment.default("noisy-quadratic")
SCALED = replace(QUADRATIC, scale_features=True, learning_rate=0.1)
PLANE = Experiment.default("two-features")
PARABOLA = Experiment.default("one-parameter")

RUNS = {
    "the article's": replace(QUADRATIC, epochs=10),
    "diverged": replace(QUADRATIC, learning_rate=5e-5, epochs=100),
    "growing": replace(QUADRATIC, learning_rate=3.55e-5, epochs=100),
    "overshooting": replace(PARABOLA, learning_rate=0.108, epochs=15),
    "bouncing": replace(PARABOLA, learning_rate=1 / 9),
    "solved": replace(PARABOLA, learning_rate=1 / 18, epochs=5),
    "converged": replace(SCALED, epochs=300),
    "hovering": replace(SCALED, batch_size=1, learning_rate=0.05, epochs=100),
    "a hair too slow": replace(PLANE, epochs=40),
    "momentum": replace(SCALED, optimizer="momentum", learning_rate=0.05, epochs=60),
    "adagrad": replace(QUADRATIC, optimizer="adagrad", learning_rate=0.1, epochs=60),
    "adam": replace(QUADRATIC, optimizer="adam", learning_rate=10.0, epochs=60),
    "rmsprop": replace(PARABOLA, optimizer="rmsprop", learning_rate=0.5, epochs=60),
    "shape mistake": replace(PLANE, loss="mse-broadcast", epochs=60),
    "a single epoch": replace(QUADRATIC, epochs=1),
}
NUMBER = r"−?[\d,]+(?:\.\d+)?(?:e−?\d+)?"


def number(text):
    """A number as it stands in a sentence."""
    return float(text.replace("−", "-").replace(",", ""))


def after(words, sentence):
    """The number that follows some words."""
    found = re.search(re.escape(words) + f" ?({NUMBER})", sentence)
    assert found, f"no “{words}” in: {sentence}"
    return number(found[1])


def said(experiment, recording=None):
    recording = recording or record(experiment)
    problem = build(experiment)
    curvature = curvature_of(problem.objective)
    forecast = forecast_of(experiment, problem, curvature)
    finding = outcome(recording, curvature, Trained.of(experiment, problem))
    return of_run(recording, experiment, forecast, finding), recording, forecast, finding


# ---------------------------------------------------------------------------------------------------- numbers


@given(st.floats(-1e300, 1e300), st.integers(3, 8))
@example(0.001, 6)
@example(999_999.96, 6)
@example(9.9999999, 6)
@example(1e7, 6)
@example(9_999_999.9, 6)
@example(1e-4, 6)
@example(0.00009999999, 6)
def test_significant_keeps_the_digits(x, digits):
    """What is written is the number, to half a unit of its last digit, and without a hyphen for a minus."""
    text = significant(x, digits)
    assert "-" not in text
    if x == 0:
        assert text == "0"
        return
    unit = 10.0 ** (math.floor(math.log10(abs(x))) - digits + 1)
    assert abs(number(text) - x) <= max(0.5000001 * unit, 1e-15 * abs(x))
    assert ("e" in text) is not (1e-4 <= abs(x) < 1e7)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (18.037851, "18.0379"),
        (-0.5, "−0.500000"),
        (1.8e-5, "1.80000e−5"),
        (12_345_678.0, "1.23457e7"),
        (1_234_567.0, "1234567"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (math.nan, "not a number"),
        (-0.0, "0"),
    ],
)
def test_significant_as_it_is_written(x, text):
    """Six digits, a true minus, ∞ as a sign."""
    assert significant(x) == text


@given(st.floats(-1e300, 1e300))
def test_short_is_the_number_to_three_digits(x):
    """Three significant digits, or all digits before the point; nothing trails behind."""
    text = short(x)
    if x == 0:
        assert text == "0"
        return
    unit = 10.0 ** (math.floor(math.log10(abs(x))) - 2)
    assert abs(number(text) - x) <= max(
        0.50001 * min(unit, 1.0 if 1000 <= abs(x) < 1e15 else unit), 1e-15 * abs(x)
    )
    mantissa = text.partition("e")[0]
    assert not ("." in mantissa and mantissa[-1] in "0.")


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (1e6, "1,000,000"),
        (1e-5, "1e−5"),
        (0.9, "0.9"),
        (100.4, "100"),
        (1.0, "1"),
        (3.5398e-5, "3.54e−5"),
        (-1234.5, "−1,234"),
    ],
)
def test_short_as_it_is_written(x, text):
    """No zeros behind the point, commas in thousands."""
    assert short(x) == text


# ---------------------------------------------------------------------------------------------- every epoch


@pytest.mark.parametrize("name", RUNS)
def test_every_epoch_has_its_own_numbers(name):
    """Each sentence is filled in: this epoch and the next, this RMSE and the next, and by how much it falls."""
    experiment = RUNS[name]
    _, recording, forecast, _ = said(experiment)
    verdicts = of_steps(recording, experiment, forecast)
    assert len(verdicts.choice) == recording.epochs + 1
    rmse = recording.epoch_rmse.tolist()
    for epoch in range(recording.epochs):
        sentence = verdicts.sentence(epoch, recording)
        assert not set(sentence) & set("{}"), sentence
        assert sentence.endswith((".", ")"))
        opening = re.match(rf"Epoch {epoch:,} → {epoch + 1:,}: RMSE (\S+) → (\S+)\. ", sentence)
        pair, shown = rmse[epoch : epoch + 2], opening.groups()
        written = {digits: tuple(significant(one, digits) for one in pair) for digits in (4, 5, 6)}
        fewest = min((n for n, (one, other) in written.items() if one != other), default=6)
        assert shown == written[4 if pair[0] == pair[1] else fewest]
        if rmse[epoch + 1] < 0.98 * rmse[epoch] and rmse[epoch + 1] > 1.02 * forecast.floor_rmse + 1e-6:
            percent = 100 * (1 - rmse[epoch + 1] / rmse[epoch])
            assert after("Down by", sentence) == pytest.approx(percent, rel=6e-3)
        elif rmse[epoch + 1] > rmse[epoch] * 1.001:
            assert re.search("Up|grows|other side", sentence), sentence
            assert "Down" not in sentence


def test_the_last_epoch_is_the_end_or_not():
    """A run that is still going says that more is coming; a complete one that it ends."""
    recorder = Recorder(RUNS["the article's"])
    recorder.advance(0.0)
    _, recording, forecast, _ = said(RUNS["the article's"], recorder.recording())
    assert (
        of_steps(recording, recorder.experiment, forecast).sentence(1, recording).endswith("More is coming.")
    )
    recorder.advance()
    recording = recorder.recording()
    sentence = of_steps(recording, recorder.experiment, forecast).sentence(10, recording)
    assert sentence == "Epoch 10: RMSE 18.04. The run ends here."


def test_a_flat_step_tells_the_wait_along_the_slow_direction():
    """On the article's problem the slow direction shrinks by ηλ₁ an epoch: 387,000 epochs for each factor e."""
    experiment = RUNS["the article's"]
    _, recording, forecast, _ = said(experiment)
    sentence = of_steps(recording, experiment, forecast).sentence(9, recording)
    shrinks = 1e-5 * 0.258637
    assert after("shrinks by", sentence) == pytest.approx(100 * shrinks, rel=5e-3)
    assert after("takes about", sentence) == pytest.approx(1 / shrinks, rel=5e-3)
    assert "386,643" not in sentence  # a rounded number, not a false precision
    assert sentence.endswith("Scale the features.")


def test_close_to_the_floor_is_not_called_flat():
    """Where nothing is left to gain, the floor is what is said."""
    experiment = RUNS["converged"]
    _, recording, forecast, _ = said(experiment)
    sentence = of_steps(recording, experiment, forecast).sentence(200, recording)
    assert after("Close to the floor,", sentence) == pytest.approx(1.46727, rel=1e-5)


# ------------------------------------------------------------------------------------------------ whole runs


@pytest.mark.parametrize("name", RUNS)
def test_every_run_is_told_with_its_epochs_and_errors(name):
    """RMSE, floor and epoch are those of the recording, in finished sentences."""
    sentence, recording, forecast, finding = said(RUNS[name])
    assert not set(sentence) & set("{}"), sentence
    assert sentence.endswith(".")
    if finding.outcome == Outcome.DIVERGED:
        assert after("Diverged at epoch", sentence) == recording.diverged_at == recording.epochs + 1
        return
    converged = finding.outcome == Outcome.CONVERGED
    assert sentence.lower().startswith("as good as this curve gets" if converged else finding.outcome)
    nothing = 3e-7 if forecast.floor_is_zero else 0.0  # rows that were rounded to float32
    assert after("RMSE", sentence) == pytest.approx(float(recording.epoch_rmse[-1]), rel=5e-6, abs=nothing)
    if finding.outcome != Outcome.GROWING:
        floor = after("floor", re.sub("floor is|where its loss is lowest it is", "floor", sentence))
        assert floor == (0 if forecast.floor_is_zero else pytest.approx(forecast.floor_rmse, rel=5e-6))
    if converged:
        assert after("since epoch", sentence) == finding.epoch
    else:
        assert after(" after", sentence) == recording.epochs


@pytest.mark.parametrize("name", ["diverged", "growing"])
def test_too_large_a_rate_is_told_with_growth_and_limit(name):
    """The growth is |1 − ηλ|, and the rate so many times the limit 2/λ."""
    experiment = RUNS[name]
    sentence, _, _, _ = said(experiment)
    steepest = 56499.3626
    assert after("grows ×", sentence) == pytest.approx(experiment.learning_rate * steepest - 1, rel=5e-3)
    assert after("your rate", sentence) == pytest.approx(experiment.learning_rate, rel=5e-3)
    assert after("the limit", sentence) == pytest.approx(2 / steepest, rel=5e-3)
    share = re.search(f"is ({NUMBER}) × the limit", sentence)
    assert share
    assert number(share[1]) == pytest.approx(experiment.learning_rate * steepest / 2, rel=5e-3)


def test_divergence_is_told_by_the_bound_that_was_passed():
    """A million times the first loss, or a million where the first loss is below 1."""
    for start, bound in (((2.0,), "1,000,000 times its first value."), ((-0.99,), "1,000,000.")):
        sentence, _, _, _ = said(replace(PARABOLA, learning_rate=0.2, start=start))
        assert f"the loss passed {bound} " in sentence


def test_one_epoch_is_no_epochs():
    """The plural is for more than one."""
    assert said(RUNS["a single epoch"])[0].startswith("Still descending after 1 epoch, at")


def test_overshooting_is_told_with_what_is_left_of_the_error():
    """At 0.108 each step keeps 18·0.108 − 1 = 94.4 % of the error, on the other side."""
    sentence, _, _, _ = said(RUNS["overshooting"])
    assert after("keeps", sentence) == pytest.approx(94.4, abs=0.05)


def test_momentum_below_the_limit_comes_back():
    """A rise in a run that is stable is not blamed on the rate."""
    experiment = replace(SCALED, optimizer="momentum", learning_rate=0.7, epochs=3)
    sentence, _, forecast, finding = said(experiment)
    assert experiment.learning_rate < forecast.stability_limit
    assert finding.outcome == Outcome.OVERSHOOTING
    assert "The velocity carries the point past the valley and back again" in sentence


@pytest.mark.parametrize("optimizer", ["gradient-descent", "momentum", "nesterov"])
def test_a_run_that_diverges_in_mini_batches_names_its_own_limit(optimizer):
    """That of all rows is the rule’s, to three digits: momentum’s is not 2/λ. And the one at which no batch grows is below."""
    experiment = replace(QUADRATIC, optimizer=optimizer, batch_size=4, learning_rate=0.01, epochs=5)
    sentence, _, _, _ = said(experiment)
    whole = said(replace(experiment, batch_size=0))[2]
    assert after("for all rows together is", sentence) == pytest.approx(whole.stability_limit, rel=5e-3)
    assert after("up to", sentence) < whole.stability_limit


@pytest.mark.parametrize("optimizer", ["adagrad", "rmsprop", "adam"])
def test_a_rule_without_a_limit_names_none_in_mini_batches(optimizer):
    """It diverges because its first step is as long as the rate says."""
    experiment = replace(QUADRATIC, optimizer=optimizer, batch_size=4, learning_rate=1e6, epochs=5)
    sentence, _, _, finding = said(experiment)
    assert finding.outcome == Outcome.DIVERGED
    assert "limit" not in sentence
    first = {"adagrad": 1e6, "adam": 1e6, "rmsprop": 1e7}[optimizer]  # η, and η/√(1 − α)
    assert after("first step changes every parameter by about", sentence) == first


def test_a_stopped_run_says_how_far_it_came():
    """Epoch and total, without a guess about the rest."""
    recorder = Recorder(replace(QUADRATIC, epochs=2000))
    for _ in range(3):
        recorder.advance(0.0)
    recorder.stop()
    sentence, _, _, _ = said(recorder.experiment, recorder.recording())
    assert sentence == "Stopped at epoch 3 of 2,000, at RMSE 19.0069; the floor is 1.46727."


@pytest.mark.parametrize(("points", "scale", "advised"), [(20, False, True), (20, True, False)])
def test_scaling_is_advised_where_it_helps(points, scale, advised):
    """For an ill-conditioned problem that is not scaled yet."""
    experiment = replace(QUADRATIC, points=points, scale_features=scale, learning_rate=1e-5, epochs=30)
    sentence, _, _, _ = said(experiment)
    assert ("Scale the features, and" in sentence) is advised


def test_a_rate_far_below_the_limit_is_told_as_a_share_of_it():
    """On the plane 0.001 is 0.105 % of the limit."""
    sentence, _, forecast, _ = said(RUNS["a hair too slow"])
    share = re.search(f"The rate 0.001 is ({NUMBER}) % of the limit", sentence)
    assert share
    assert number(share[1]) == pytest.approx(0.1 / forecast.stability_limit, rel=5e-3)


@pytest.mark.parametrize("optimizer", CHOICES["optimizer"])
@pytest.mark.parametrize("epochs", [1, 2, 30])
@pytest.mark.parametrize("share", [1e-3, 0.3, 0.97, 1.0, 1.2])
def test_no_run_is_without_words(optimizer, epochs, share):
    """Whatever rule, rate and length: a finished text without places left open, for the run and for each epoch."""
    rate = share / 9 if optimizer in ("gradient-descent", "momentum", "nesterov") else share
    experiment = replace(PARABOLA, optimizer=optimizer, learning_rate=rate, epochs=epochs)
    sentence, recording, forecast, _ = said(experiment)
    texts = [
        sentence,
        *(
            of_steps(recording, experiment, forecast).sentence(k, recording)
            for k in range(recording.epochs + 1)
        ),
    ]
    for text in texts:
        assert not set(text) & set("{}"), text
        assert "nan" not in text
        assert "None" not in text
        assert text.endswith(".")


HOSTILE = [0.0, 1.0, 1 - 1e-9, 1 + 1e-9, 1.000003, 0.99996, 19510.3, 1e-18, 3e-300, 2.5e17, 1e300, math.inf]


@pytest.mark.parametrize("write", [short, rounded, times, percent, some])
@pytest.mark.parametrize("x", HOSTILE)
def test_every_number_of_a_sentence_is_written_well(write, x):
    """Whatever the number: a true minus, thousands with commas, no 1.951e+04, and all or nothing only where it is so."""
    if write is some and x > 1e15:
        return  # nobody waits for so many
    text = write(x)
    assert not re.search(r"-|e\+|e0|nan|(?<![.\d])\d{5}", text), text
    if write is times and x not in (1.0,) and math.isfinite(x):
        assert text != "1"
    if write is percent and x != 1.0:
        assert text != "100 %"
    if write is some:
        assert "1 epochs" not in text.replace(",", "") or re.search(r"\d1 epochs", text.replace(",", ""))


@pytest.mark.parametrize(
    ("number_of", "text"), [(0, "0 epochs"), (1, "1 epoch"), (2, "2 epochs"), (1000, "1,000 epochs")]
)
def test_things_are_counted(number_of, text):
    """One epoch, and thousands with commas."""
    assert counted(number_of, "epoch") == text


def test_a_parameter_that_is_rounding_is_zero():
    """2e−16 beside numbers of size 1."""
    assert parameter(2e-16, 1.0) == "0"
    assert parameter(-0.5, 1.0) == "−0.500000"
