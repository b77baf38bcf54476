"""What is worked out from a recording: once, for all, and no longer than the recording lives."""

import gc
import weakref

from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from pages.ui.player import recording_cache as module
from pages.ui.player.recording_cache import MOST, once


class Counted:
    """Work that counts how often it was done."""

    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1
        return [self.times]


def test_the_same_is_worked_out_once():
    """For another question, or of another recording, it is worked out anew."""
    one, other, work = record(Experiment(epochs=3)), record(Experiment(epochs=3)), Counted()
    assert once(one, "chart", work) is once(one, "chart", work)
    assert work.times == 1
    once(one, ("chart", 300), work)
    once(other, "chart", work)
    assert work.times == 3


def test_results_go_with_their_recording():
    """Nothing else holds them."""

    class Result:
        pass

    recording = record(Experiment(epochs=3))
    result = weakref.ref(once(recording, "chart", Result))
    assert result() is not None
    before = len(module._kept)
    del recording
    gc.collect()
    assert result() is None
    assert len(module._kept) < before


def test_only_so_many_are_kept():
    """The oldest makes room."""
    recording, work = record(Experiment(epochs=3)), Counted()
    for number in range(MOST + 1):
        once(recording, number, work)
    assert len(module._kept[recording]) == MOST
    once(recording, MOST, work)
    assert work.times == MOST + 1
    once(recording, 0, work)
    assert work.times == MOST + 2


def test_a_recording_that_is_its_own_result_goes_too():
    """A run that needs no change to be watched is what is watched: kept beside itself, it would stay for good."""
    recording = record(Experiment(epochs=3))
    gone = weakref.ref(recording)
    assert once(recording, "watched", lambda same=recording: same) is recording
    del recording
    gc.collect()
    assert gone() is None
