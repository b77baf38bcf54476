"""Training a deep network, all at once or a slice of time after another, and what is kept of it."""

import math
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from gd_core.in_slices import InSlices
from gd_core.lessons.deep_networks.backpropagation import Backpropagated, backpropagated
from gd_core.lessons.deep_networks.model import Deep
from gd_core.lessons.deep_networks.network import Network
from gd_core.one_thread import one_thread
from gd_core.optimizers import OPTIMIZERS
from gd_core.training import Step, has_diverged, train

DRAWN_EPOCHS = 400  # at most about this many curves are kept; 64 numbers each


@dataclass(frozen=True, eq=False)
class DeepRecording:
    """A network's training so far. E epochs, one update each; L hidden layers and the output layer after them.

    A network of 30 layers has 30,000 weights, so θ itself is not kept.

    Attributes:
        loss: At the start and after each epoch, [E + 1].
        norms: ‖∂L/∂Wₗ‖ at the same points, the output layer last, [E + 1, L + 1].
        drawn: Epochs whose curve is kept: every `stride`-th, and the last so far, [M].
        curves: ŷ at the data's x at these epochs, [M, N], float32.
        moved: ‖Wₗ − Wₗ at the start‖ / ‖Wₗ at the start‖ at the last epoch, [L + 1].
        back: The signal's way back at the start.
        diverged_at: The epoch at which the loss passed the bound, or None. The recording ends before it.
        diverged_loss: The loss at that epoch.
        complete: Whether nothing is left to train: all epochs are done, or the run has diverged.
        stopped: Whether someone stopped it before.
    """

    network: Network
    loss: Tensor
    norms: Tensor
    drawn: Tensor
    curves: Tensor
    moved: Tensor
    back: Backpropagated
    diverged_at: int | None = None
    diverged_loss: float = math.nan
    complete: bool = True
    stopped: bool = False

    @property
    def epochs(self) -> int:
        """Whole epochs recorded, E."""
        return len(self.loss) - 1

    @property
    def share(self) -> Tensor:
        """‖∂L/∂W₁‖ / ‖∂L/∂W_L‖ at each epoch, [E + 1]; NaN where both are 0."""
        return self.norms[:, 0] / self.norms[:, -2]


class DeepRecorder(InSlices[Step, DeepRecording]):
    """A network in training, an epoch after another; `at_least` so many also when it has diverged: see `recorder.Recorder`."""

    @one_thread()
    def __init__(self, network: Network, at_least: int = 0) -> None:
        self.network = network
        self._at_least = at_least
        self.deep = Deep(network)
        self.start = self.deep.start()
        rule = OPTIMIZERS[network.optimizer](network.learning_rate)
        super().__init__(islice(train(self.deep, self.start, rule), network.epochs + 1))
        self._back = backpropagated(self.deep, self.start)
        self._loss: list[float] = []
        self._norms: list[Tensor] = []
        self._curves: list[Tensor] = []
        self._diverged_loss = math.nan
        self._gone: int | None = None  # the epoch at which the loss passed the bound
        self._take(next(self._steps))

    @property
    def stride(self) -> int:
        """Of how many epochs the curve of one is kept."""
        return stride_of(self.network.epochs)

    @one_thread()
    def advance(self, seconds: float | None = None) -> None:
        super().advance(seconds)

    def keep(self, step: Step) -> int | None:
        if self._gone is None and has_diverged(step.loss.item(), self._loss[0]):
            self._gone, self._diverged_loss = step.update, step.loss.item()
        if self._gone and not (
            step.update <= self._at_least and all(bool(one.isfinite().all()) for one in step[1:])
        ):
            return self._gone
        self._take(step)
        return None

    @one_thread()
    def recording(self) -> DeepRecording:
        last = len(self._loss) - 1
        drawn = torch.arange(0, last + 1, self.stride)
        curves = torch.stack(self._curves)
        if drawn[-1] != last:
            drawn = torch.cat([drawn, torch.tensor([last])])
            curves = torch.cat([curves, self._curve().unsqueeze(0)])
        return DeepRecording(
            network=self.network,
            loss=torch.tensor(self._loss, dtype=torch.float64),
            norms=torch.stack(self._norms),
            drawn=drawn,
            curves=curves,
            moved=self.deep.norms(self._theta - self.start) / self.deep.norms(self.start),
            back=self._back,
            diverged_at=self.diverged_at or self._gone,
            diverged_loss=self._diverged_loss,
            complete=self.complete,
            stopped=self.stopped,
        )

    def _take(self, step: Step) -> None:
        self._theta = step.theta
        self._loss.append(step.loss.item())
        self._norms.append(self.deep.norms(step.gradient))
        if step.update % self.stride == 0:
            self._curves.append(self._curve())

    def _curve(self) -> Tensor:
        with torch.no_grad():
            return self.deep.predict(self._theta, self.deep.data[0]).float()


def stride_of(epochs: int) -> int:
    """Of how many epochs the curve of one is kept."""
    return -(-epochs // DRAWN_EPOCHS)


def record(network: Network) -> DeepRecording:
    """Train a network to its end."""
    recorder = DeepRecorder(network)
    recorder.advance()
    return recorder.recording()
