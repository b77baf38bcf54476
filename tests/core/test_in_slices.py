"""What every training in the making does: go on for a while, stop, end where its run diverges."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import Any

import pytest

from gd_core import in_slices
from gd_core import spectrum as spectrum_module
from gd_core.in_slices import InSlices
from gd_core.lessons.deep_networks.network import Network
from gd_core.lessons.deep_networks.recorder import DeepRecorder
from gd_core.recorder import Recorder, SpectrumRecorder
from gd_core.settings.experiment import Experiment

# -------------------------------------------------------------------------------------------------------- the loop


class Counting(InSlices[int, list[int]]):
    """Keeps the numbers from 1 on, as epochs; one above its bound is a divergence."""

    def __init__(self, last: int, bound: int = 1000) -> None:
        super().__init__(islice(count(1), last))
        self.bound, self.kept = bound, []

    def keep(self, step: int) -> int | None:
        if step > self.bound:
            return step
        self.kept.append(step)
        return None

    def recording(self) -> list[int]:
        return [*self.kept]


def state(one: InSlices[Any, Any]) -> tuple[bool, bool, int | None]:
    return one.complete, one.stopped, one.diverged_at


def test_a_slice_ends_with_the_first_step_after_its_time(monkeypatch):
    """Where a look at the clock takes a second, 3.5 seconds are four steps; the next slice has its own time."""
    monkeypatch.setattr(in_slices.time, "perf_counter", count(100.0).__next__)
    one = Counting(last=10)
    one.advance(3.5)
    assert (one.recording(), state(one)) == ([1, 2, 3, 4], (False, False, None))
    one.advance(0.5)
    assert one.recording() == [1, 2, 3, 4, 5]
    one.advance()
    assert (one.recording(), state(one)) == ([*range(1, 11)], (True, False, None))


def test_no_time_at_all_is_one_step():
    """So whoever asks again and again comes to the end."""
    one = Counting(last=3)
    seen = []
    while not one.complete:
        one.advance(0.0)
        seen.append(len(one.recording()))
    assert seen == [1, 2, 3, 3]  # that nothing is left is known when one more was asked for


def test_a_divergence_ends_it():
    """The step with which it diverges is not kept, no other is taken, and nobody stopped it."""
    one = Counting(last=10, bound=4)
    for _ in range(3):
        one.advance()
        one.stop()
        assert (one.recording(), state(one)) == ([1, 2, 3, 4], (True, False, 5))
    assert next(one._steps) == 6


# --------------------------------------------------------------------------------------------------- the recorders


@dataclass
class Kind:
    """A recorder with a run for it.

    Attributes:
        calm: A run that neither diverges nor ends soon.
        first: The epochs that it has after one step.
        wild: One that diverges.
        at: The epoch at which it does, worked out by hand.
    """

    make: Callable[[Any], InSlices[Any, Any]]
    calm: Any
    first: int
    wild: Any
    at: int


# From A = 2 at rate 0.2 the error of 3 grows × 2.6 an epoch: 2.6²ᵏ passes 10⁶ for k = 8.
PARABOLA = replace(Experiment.default("one-parameter"), learning_rate=0.2, epochs=600)
CALM = replace(Experiment.default(), epochs=600)
STRETCH = 32  # epochs
KINDS = {
    "loop": Kind(Recorder, CALM, 1, PARABOLA, 8),
    "spectrum": Kind(SpectrumRecorder, CALM, STRETCH, PARABOLA, 8),
    "network": Kind(
        DeepRecorder,
        Network(depth=4, width=8, activation="tanh", learning_rate=0.05, epochs=60),
        1,
        # 20 ReLU layers of large weights: one step, and the loss is no number
        Network(depth=20, activation="relu", initialisation="large", learning_rate=0.02, epochs=50),
        1,
    ),
}


def told(one: InSlices[Any, Any]) -> tuple[bool, bool, int | None]:
    """What a recorder's recording says of how it stands."""
    recording = one.recording()
    return recording.complete, recording.stopped, recording.diverged_at


@pytest.fixture(params=KINDS, ids=str)
def kind(request, monkeypatch):
    """A kind of recorder; that of the spectrum in short stretches."""
    monkeypatch.setattr(spectrum_module, "EPOCHS_AT_ONCE", STRETCH)
    return KINDS[request.param]


def test_a_recorder_stands_at_its_start(kind):
    """It has the start and nothing else, and is neither complete nor stopped."""
    one = kind.make(kind.calm)
    assert one.recording().epochs == 0
    assert state(one) == told(one) == (False, False, None)


def test_a_stopped_run_keeps_what_there_is(kind):
    """It says that it was stopped, and goes no further however it is asked."""
    one = kind.make(kind.calm)
    one.advance(0.0)
    for _ in range(2):
        one.stop()
        one.advance()
    assert one.recording().epochs == kind.first
    assert state(one) == told(one) == (True, True, None)


def test_a_run_goes_to_its_end(kind):
    """All epochs that were asked for, whether at once or looked at after each step; then it cannot be stopped."""
    at_once, looked_at = kind.make(kind.calm), kind.make(kind.calm)
    at_once.advance()
    seen = []
    while not looked_at.complete:
        looked_at.advance(0.0)
        seen.append(looked_at.recording().epochs)
    for one in (at_once, looked_at):
        one.stop()
        assert one.recording().epochs == kind.calm.epochs
        assert state(one) == told(one) == (True, False, None)
    assert seen == sorted(seen)
    assert len(seen) > 10


def test_a_diverged_run_ends_before_the_bound(kind):
    """At the epoch that was worked out by hand; the one before is the last that is kept, and nobody can stop it."""
    one = kind.make(kind.wild)
    for _ in range(2):
        one.advance()
        one.stop()
        assert one.recording().epochs == kind.at - 1
        assert state(one) == told(one) == (True, False, kind.at)
