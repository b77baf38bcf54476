"""What the point on the parabola does: told from its recording, against (1 − 18η)ᵏ by arithmetic."""

import re
from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from true_lessons import one_parameter

from gd_core.lessons.one_parameter.behaviour import (
    CURVATURE,
    OPTIMUM,
    Behaviour,
    behaviour_of,
    factor,
    loss_changes,
    meaning,
    of_run,
    of_steps,
    written,
)
from gd_core.problem import build
from gd_core.recorder import Recorder, record
from gd_core.settings.experiment import Experiment
from gd_core.settings.fields import ParameterError
from gd_core.theory import curvature_of

PARABOLA = replace(Experiment.default("one-parameter"), start=(2.0,))


def run(learning_rate=0.1, start=2.0, epochs=40):
    return record(replace(PARABOLA, learning_rate=learning_rate, start=(start,), epochs=epochs))


def test_the_constants_are_those_of_the_problem():
    """18 and −1 are the measured curvature and optimum of the data set's loss."""
    curvature = curvature_of(build(PARABOLA).objective)
    assert curvature.largest == pytest.approx(CURVATURE)
    assert float(curvature.optimum[0]) == pytest.approx(OPTIMUM)


@pytest.mark.parametrize("start", [2.0, -4.0, 0.0, -0.999, 1e9, -1e9])
@pytest.mark.parametrize(
    ("learning_rate", "told"),
    [
        (0.01, Behaviour.CLOSER),
        (1 / 18, Behaviour.LANDS),
        (0.1, Behaviour.ACROSS),
        (1 / 9, Behaviour.BOUNCES),
        (0.12, Behaviour.LEAVES),
        (1e6, Behaviour.LEAVES),
    ],
)
def test_the_named_rates_do_what_they_are_named_for(learning_rate, told, start):
    """From an ordinary start, from one close to −1, and from the farthest that can be typed."""
    assert behaviour_of(run(learning_rate, start)) == told


@pytest.mark.parametrize(
    ("learning_rate", "told"),
    [
        (1 / 18 - 1e-4, Behaviour.CLOSER),  # 0.0018 is left
        (1 / 18 - 5e-5, Behaviour.LANDS),  # 0.0009 is left
        (1 / 18 + 5e-5, Behaviour.LANDS),
        (1 / 18 + 1e-4, Behaviour.ACROSS),
        (0.0556, Behaviour.LANDS),
        (1 / 9 - 1e-6, Behaviour.ACROSS),
        (1 / 9 - 1e-9, Behaviour.ACROSS),
        (1 / 9 + 1e-9, Behaviour.LEAVES),
        (1 / 9 + 1e-6, Behaviour.LEAVES),
        (0.1111, Behaviour.ACROSS),
        (0.1112, Behaviour.LEAVES),
    ],
)
@pytest.mark.parametrize("epochs", [1, 2, 40, 200])
def test_the_borders_are_sharp(learning_rate, told, epochs):
    """A thousandth of the distance around 1/18, a billionth of a step around 1/9, after any number of epochs."""
    assert behaviour_of(run(learning_rate, epochs=epochs)) == told


@pytest.mark.parametrize("learning_rate", [1e-18, 0.01, 1 / 18, 0.1, 1 / 9, 0.12, 1e6])
def test_at_the_optimum_it_stays(learning_rate):
    """From A = −1 no rate moves it."""
    recording = run(learning_rate, OPTIMUM)
    assert behaviour_of(recording) == Behaviour.STAYS
    assert "slope at A = −1 is 0" in of_run(recording, learning_rate, Behaviour.STAYS)


def test_a_step_below_the_last_digit_stays():
    """At 1e−18 a step of 5.4e−17 is lost in the 2, and the sentence says that and not that −1 was reached."""
    recording = run(1e-18)
    assert behaviour_of(recording) == Behaviour.STAYS
    assert "5.4e−17" in of_run(recording, 1e-18, Behaviour.STAYS)


@pytest.mark.parametrize("start", [float("nan"), float("inf"), 1e10])
def test_a_start_that_is_no_place_is_refused(start):
    """With the rule and the value in the sentence."""
    with pytest.raises(ParameterError, match=re.escape(f"between −1e9 and 1e9. Got A = {start}")):
        replace(PARABOLA, start=(start,))


@given(
    share=st.floats(1e-3, 3.0),
    start=st.floats(-1e9, 1e9),
    epochs=st.integers(1, 60),
)
def test_it_agrees_with_the_closed_form(share, start, epochs):
    """eₖ = (1 − 18η)ᵏ e₀: its sign and its size name the same fate, away from the borders between two of them."""
    learning_rate = share / CURVATURE
    assume(abs(start - OPTIMUM) > 1e-6)
    left = 1 - share
    assume(abs(abs(left) - 1e-3) > 1e-5)
    assume(abs(abs(left) - 1) > 1e-5)
    expected = (
        Behaviour.LANDS
        if abs(left) < 1e-3
        else Behaviour.LEAVES
        if left < -1
        else Behaviour.ACROSS
        if left < 0
        else Behaviour.CLOSER
    )
    assert behaviour_of(run(learning_rate, start, epochs)) == expected


# ------------------------------------------------------------------------------------------------------ in words


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.82, "0.82"), (0.0, "0"), (-0.8, "−0.8"), (-1.0, "−1"), (-1.16, "−1.16"), (-17999999.0, "−17,999,999"),
     (-1 - 1.8e-8, "−1.000000018"), (0.99998, "0.99998"), (1 - 1.8e-17, "1")],
)  # fmt: skip
def test_a_factor_is_written_as_what_it_is(number, text):
    """Three digits, and near −1 and 1 two of what parts it from them."""
    assert written(number) == text


@pytest.mark.parametrize(
    ("learning_rate", "sign", "size"),
    [
        (0.01, "positive: a step stays", "0.82, below 1: the distance shrinks"),
        (1 / 18, "zero", "0: nothing"),
        (0.1, "negative: a step jumps", "0.8, below 1: the distance shrinks"),
        (1 / 9, "negative: a step jumps", "1: it lands just as far away"),
        (0.12, "negative: a step jumps", "1.16, above 1: the distance grows"),
    ],
)
def test_sign_and_size_are_explained(learning_rate, sign, size):
    """What the page says beside 1 − 18η."""
    said = meaning(factor(learning_rate))
    assert said[0].startswith(sign)
    assert said[1].startswith(size)


@pytest.mark.parametrize(
    ("learning_rate", "epoch", "words"),
    [
        (0.01, 0, ["on the same side", "loss falls"]),
        (1 / 18, 0, ["which is −1", "loss falls"]),
        (1 / 18, 1, ["stays at", "loss stays"]),
        (0.1, 3, ["across −1", "loss falls"]),
        (1 / 9, 7, ["across −1", "loss stays"]),
        (0.12, 39, ["across −1", "loss rises"]),
        (0.12, 40, ["The run ends here"]),
    ],
)
def test_each_step_is_told(learning_rate, epoch, words):
    """The side on which it lands, and what the loss does."""
    said = of_steps(run(learning_rate))
    template = said.templates[int(said.choice[epoch])]
    assert all(word in template for word in words), template


@given(learning_rate=st.floats(1e-6, 0.3), start=st.floats(-100, 100))
def test_what_is_said_of_the_loss_is_what_it_does(learning_rate, start):
    """Falls, stays and rises stand where the recorded losses do so, to nine digits."""
    recording = run(learning_rate, start, 20)
    loss = recording.epoch_loss
    for change, before, after in zip(
        loss_changes(recording).tolist(), loss[:-1].tolist(), loss[1:].tolist(), strict=True
    ):
        assert change == (0 if abs(after - before) <= 1e-9 * before else 1 if after > before else -1)


def test_a_start_that_waits_is_only_a_start():
    """Nothing of the run is said before it is trained."""
    said = of_steps(replace_complete(Recorder(PARABOLA).recording()))
    assert said.choice.tolist() == [len(said.templates) - 1]
    assert said.templates[-1].endswith("This is the start.")


def replace_complete(recording):
    return replace(recording, complete=False)


@pytest.mark.parametrize(
    ("learning_rate", "epochs", "words"),
    [
        (0.01, 40, ["stayed on its side", "by 0.82.", "After 40 epochs A is −0.998929"]),
        (1 / 18, 40, ["first step landed on −1", "left 0 of"]),
        (0.1, 1, ["jumped across", "by 0.8.", "After 1 epoch A is −3.40000 and the loss 51.8."]),
        (1 / 9, 40, ["just as far away", "the loss 81."]),
        (0.12, 40, ["by 1.16.", "After 40 epochs A is 1135.16"]),
        (0.12, 60, ["Diverged at epoch 47", "1,000,000 times its first value", "by 1.16."]),
    ],
)
def test_the_run_is_told_with_its_numbers(learning_rate, epochs, words):
    """0.82⁴⁰·3 − 1 and the like, by arithmetic."""
    recording = run(learning_rate, epochs=epochs)
    said = of_run(recording, learning_rate, behaviour_of(recording))
    assert all(word in said for word in words), said


def test_the_arithmetic_behind_those_numbers():
    """The closed form gives them."""
    assert pytest.approx(-0.998929, abs=1e-6) == 3 * 0.82**40 - 1
    assert pytest.approx(1135.16, abs=0.01) == 3 * 1.16**40 - 1
    recording = run(0.12, epochs=46)
    distance = 3 * (-1.16) ** torch.arange(47, dtype=torch.float64)
    torch.testing.assert_close(recording.epoch_theta[:, 0] - OPTIMUM, distance, rtol=1e-12, atol=0)


@pytest.mark.parametrize("seeds", [range(50), range(50, 100)], ids=["first", "second"])
def test_what_is_said_of_the_point_is_true(seeds):
    """Where it goes, by which factor, where it ends, what each step does: rational numbers agree, over random rates and starts."""
    assert {seed: found for seed in seeds if (found := list(one_parameter(seed)))} == {}
