"""What is kept of work: bounded in bytes, by data and not by experiment, worked out once by those who ask together."""

import time
from dataclasses import replace
from threading import Barrier, Thread

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gd_core.recorder import record
from gd_core.settings.experiment import Experiment
from gd_core.theory import Curvature
from pages.ui.player import live_runs
from pages.ui.player.recording_cache import once
from pages.ui.player.shelf import Shelf, size_of


def test_memory_is_counted_once_and_whole():
    """Views and slices of one tensor are that tensor; of an array, a text and a recording each its own bytes."""
    whole = torch.zeros(1000, 3, dtype=torch.float64)
    assert size_of([whole, whole[1:], whole.T, {"again": whole[:1]}]) == 24_000
    array = np.zeros(500)
    assert size_of((array, array[::2], "sixteen letters.")) == 4_016
    recording = record(Experiment(epochs=40))
    # θ and gradient of 3 parameters, the loss, and the RMSE of each epoch
    least = 41 * (3 + 3 + 1 + 1) * 8
    assert least <= size_of(recording) <= 2 * least


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 100)), max_size=60),
    st.integers(1, 300),
    st.integers(1, 3),
)
def test_the_room_is_kept(asked, room, least):
    """Whatever is asked for in whatever order, there is no more than the room, or the few latest; the last one is there."""
    shelf: Shelf[bytes] = Shelf(room, least)
    for key, size in asked:
        value = shelf.of((key, size), lambda size=size: bytes(size))
        assert len(value) == size
        assert shelf.get((key, size)) is value
        assert shelf.nbytes <= room or len(shelf) <= least


def test_what_grows_is_measured_again():
    """Charts come to a recording after it was put there: they count from the next one on."""
    shelf = Shelf(100_000, size=live_runs._size_of_result)
    for number in range(20):
        recording = shelf.of(number, lambda: record(Experiment(epochs=3)))
        once(recording, "chart", lambda: np.zeros(2500))
    assert 60_000 < shelf.nbytes <= 100_000 + 20_000  # the last chart is not known yet
    assert 3 <= len(shelf) <= 5


def test_what_a_result_is_about_takes_room_too():
    """A table that travels in a link is part of its experiment: however small the results, so many keys find no room."""
    shelf: Shelf[bytes] = Shelf(10_000)
    for number in range(20):
        shelf.of(f"{number:02}" * 1000, lambda: b"1")
    assert len(shelf) == 4  # 2,000 letters each, and 3 bytes
    assert shelf.nbytes <= 10_000


def test_what_nobody_asks_for_goes():
    """After a while; what was asked for since stays."""
    shelf: Shelf[bytes] = Shelf(1000)
    shelf.of("old", lambda: b"1")
    shelf.of("asked for", lambda: b"2")
    now = time.monotonic()
    shelf.get("asked for")
    assert shelf.clear(now)
    assert "old" not in shelf
    assert "asked for" in shelf
    assert not shelf.clear(now)


def test_a_class_that_asks_together_has_it_worked_out_once():
    """Thirty at the same moment: one works it out, the others wait for it; a mistake is everyone's own, and tried again."""
    shelf: Shelf[bytes] = Shelf(1000)
    together, made, got = Barrier(30), [], []

    def work() -> bytes:
        made.append(1)
        time.sleep(0.05)
        return b"done"

    def ask() -> None:
        together.wait()
        got.append(shelf.of("run", work))

    threads = [Thread(target=ask) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(got), len(set(map(id, got)))) == (1, 30, 1)
    with pytest.raises(ZeroDivisionError):
        shelf.of("wrong", lambda: bytes(1 // 0))
    assert shelf.of("wrong", lambda: b"right") == b"right"


def test_rows_are_shared_by_all_rates(monkeypatch):
    """Of 40 rates, rules and lengths on 10,000 rows, what is kept is little more than of one: the rows are there once."""
    monkeypatch.setattr(live_runs, "_for_all", everyone := live_runs.Shelves())
    base = Experiment.default("two-features")
    base = replace(base, points=10_000, epochs=5)
    _, parabola, _ = live_runs.known(base)
    live_runs.recorded(base)
    one = everyone.data.nbytes
    assert one > 10_000 * (2 + 1 + 3) * 8  # x, y and Φ
    for number in range(40):
        other = replace(base, learning_rate=0.01 + number / 1000, optimizer=("momentum", "adam")[number % 2])
        assert live_runs.known(other)[1] is parabola
        live_runs.recorded(other)
    assert len(everyone.data) == 1
    assert everyone.data.nbytes <= one + live_runs.KEPT_FORECASTS * live_runs.FORECAST
    assert everyone.results.nbytes < 0.2 * one


def test_after_many_experiments_the_room_is_kept(monkeypatch):
    """A hundred data sets with their runs take no more than the room for all visitors, and the last ones are there."""
    room = {"data": 2_000_000, "results": 300_000, "summaries": 300_000}
    monkeypatch.setattr(live_runs, "_for_all", everyone := live_runs.Shelves(room))
    base = replace(Experiment.default("two-features"), points=2000, epochs=20)
    one, recording = base, None
    for seed in range(100):
        one = replace(base, data_seed=seed)
        recording, curvature = live_runs.recorded(one), live_runs.known(one)[1]
        assert isinstance(curvature, Curvature)
        once(recording, "chart", lambda: np.zeros(1000))
        for name, shelf in vars(everyone).items():
            assert shelf.nbytes <= room[name] + 20_000, name  # the latest chart is counted with the next run
    assert len(everyone.data) > 5
    assert live_runs.recorded(one) is recording
