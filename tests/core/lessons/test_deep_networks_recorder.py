"""Training a deep network: all at once or in slices, to its end or until it overflows."""

import math
import os
from threading import Barrier, Thread

import pytest
import torch

from gd_core.lessons.deep_networks.model import Deep, flat_loss
from gd_core.lessons.deep_networks.network import Network
from gd_core.lessons.deep_networks.recorder import DRAWN_EPOCHS, DeepRecorder, record, stride_of
from gd_core.objective import value_and_gradient
from gd_core.one_thread import _library, in_parts, one_thread

QUICK = Network(depth=4, width=8, activation="tanh", learning_rate=0.05, epochs=60)
OVERFLOW = Network(depth=20, activation="relu", initialisation="large", learning_rate=0.02, epochs=50)


def same(one, other):
    """Whether two recordings hold the same numbers."""
    tensors = ("loss", "norms", "drawn", "curves", "moved")
    return all(getattr(one, name).equal(getattr(other, name)) for name in tensors)


def test_a_slice_after_another_is_the_same_as_at_once():
    """However often it is looked at while it trains, the numbers are the same."""
    recorder = DeepRecorder(QUICK)
    lengths = []
    while not recorder.complete:
        recorder.advance(0.0)
        lengths.append(recorder.recording().epochs)
    assert lengths[0] == 1
    assert lengths == sorted(lengths)
    assert same(recorder.recording(), record(QUICK))


def test_the_same_network_trains_the_same_way_again():
    """Two trainings of one seed agree in every bit; another seed does not."""
    assert same(record(QUICK), record(QUICK))
    assert not same(record(QUICK), record(Network(**{**vars(QUICK), "seed": 1})))


def test_it_starts_with_its_start():
    """Before it is trained there is epoch 0: the start's loss, norms and curve, and nothing has moved."""
    recording = DeepRecorder(QUICK).recording()
    deep = Deep(QUICK)
    loss, gradient = value_and_gradient(deep, deep.start())
    assert recording.epochs == 0
    assert not recording.complete
    assert float(recording.loss[0]) == pytest.approx(float(loss), rel=1e-12)
    assert recording.norms[0].numpy() == pytest.approx(deep.norms(gradient).numpy())
    assert recording.curves[0].numpy() == pytest.approx(
        deep.predict(deep.start(), deep.data[0]).numpy(), rel=1e-6
    )
    assert not recording.moved.any()


def test_the_curves_belong_to_the_losses():
    """The mean squared error of every kept curve is the loss at its epoch."""
    recording = record(QUICK)
    y = Deep(QUICK).data[1][:, 0]
    errors = (recording.curves.double() - y).square().mean(1)
    torch.testing.assert_close(errors, recording.loss[recording.drawn], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("epochs", [1, 400, 401, 2000])
def test_at_most_so_many_curves_are_kept(epochs):
    """Every stride-th epoch and the last: what goes over the wire does not grow with the epochs."""
    network = Network(depth=1, width=2, epochs=epochs)
    recording = record(network)
    drawn = recording.drawn.tolist()
    assert len(drawn) <= DRAWN_EPOCHS + 2
    assert drawn[0] == 0
    assert drawn[-1] == epochs
    assert all(epoch % stride_of(epochs) == 0 for epoch in drawn[:-1])
    assert len(recording.curves) == len(drawn)


def test_an_overflow_is_a_result():
    """Large weights under 20 ReLU layers: the loss is 10²² at the start and no number after one step; epoch 0 is kept."""
    recording = record(OVERFLOW)
    assert recording.diverged_at == 1
    assert math.isnan(recording.diverged_loss) or math.isinf(recording.diverged_loss)
    assert recording.complete
    assert recording.epochs == 0
    assert recording.loss.isfinite().all()
    assert recording.norms.isfinite().all()
    assert float(recording.loss[0]) > 1e15


def test_a_rate_that_is_too_high_diverges():
    """The last epoch below a million times the first loss is kept."""
    recording = record(Network(depth=2, width=16, activation="relu", learning_rate=10.0, epochs=300))
    assert recording.diverged_at == recording.epochs + 1
    assert float(recording.loss.max()) <= 1e6 * max(1, float(recording.loss[0]))


@pytest.mark.parametrize("residual", [False, True])
def test_the_largest_start_there_is_fits_into_a_number(residual):
    """30 ReLU layers of 64 with large weights: the first loss is finite, so that there is a start to show."""
    network = Network(depth=30, width=64, activation="relu", initialisation="large", residual=residual)
    recording = DeepRecorder(network).recording()
    assert recording.loss.isfinite().all()
    assert recording.norms.isfinite().all()
    assert recording.curves.isfinite().all()


def test_a_silent_network_learns_the_mean_and_no_more():
    """20 sigmoid layers end at the loss of a flat line, layer 1 where it was to 1e−9 of its weights."""
    recording = record(Network(depth=20, width=8, learning_rate=0.05, epochs=150))
    assert float(recording.loss[-1]) == pytest.approx(flat_loss(), rel=1e-3)
    assert float(recording.moved[0]) < 1e-9


def test_one_thread_is_local():
    """Inside, torch computes on one core; another thread, and this one afterwards, on as many as before."""
    before = torch.get_num_threads()
    seen = []
    with one_thread():
        inside = torch.get_num_threads()
        other = Thread(target=lambda: seen.append(torch.get_num_threads()))
        other.start()
        other.join()
    assert inside == 1
    assert seen == [before]
    assert torch.get_num_threads() == before


def test_one_thread_survives_an_error():
    """What was set is set back also when what stands inside fails."""
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), one_thread():
        raise ZeroDivisionError
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("own", [0, 2])
def test_mkl_is_set_back_too(own):
    """MKL's own setting for this thread, which torch does not show: 1 inside, and afterwards what it was (0 is none)."""
    local = getattr(_library(), "MKL_Set_Num_Threads_Local", None)
    if local is None:
        pytest.skip("torch computes without MKL here")
    torch.get_num_threads()  # at its first call in a thread, torch sets MKL's own too
    before = local(own)
    try:
        with one_thread():
            assert local(1) == 1
        assert local(own) == own
    finally:
        local(before)


def test_parts_are_worked_out_on_one_core_each_and_come_in_order():
    """Each part once, with one core for its thread; together they need two threads at least where a part waits for another."""
    meet, seen = Barrier(2, timeout=20), []

    def work(part):
        if (os.cpu_count() or 1) > 1 and part < 2:
            meet.wait()  # a part that waits for another one has a thread of its own
        seen.append(torch.get_num_threads())
        return 10 * part

    assert in_parts(work, range(5)) == [0, 10, 20, 30, 40]
    assert seen == [1] * 5
    assert in_parts(work, [3]) == [30]


def test_a_part_that_fails_is_heard_of():
    """Whichever thread has met it."""
    for bad in range(3):
        with pytest.raises(ZeroDivisionError):
            in_parts(lambda part, bad=bad: 1 / (part - bad), range(3))
