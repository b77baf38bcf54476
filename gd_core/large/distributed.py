"""Several processes that train as one, started by `torchrun` on one machine or on many.

Process r of W reads its own shard of the rows. What is added up goes through `torch.distributed`: gloo between
processors, nccl between GPUs. Without `torchrun` there is one process, and nothing is sent.

Everything here is called by all processes together and in the same order.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Self

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from gd_core.moments import Moments
from gd_core.tables.chunks import Shard
from gd_core.words import counted

TIMEOUT = 60  # seconds without a word from another process, after which it counts as gone
HEARTBEAT = 1.0  # seconds between two signs of life of rank 0 while it trains alone
DEVICES = ("cpu", "cuda")


class Unconnected(Exception):
    """The processes cannot be brought together; the message is a sentence."""


class PeerLost(Exception):
    """Another process of the run has ended."""


class Group:
    """The processes of a run; by itself just this one.

    Attributes:
        rank: Which one this is, r.
        size: How many there are, W.
        device: What this process computes on.
    """

    def __init__(self, rank: int = 0, size: int = 1, device: str = "cpu", store: Store | None = None) -> None:
        self.rank, self.size, self.device = rank, size, torch.device(device)
        self._store = store
        self._last_beat = 0.0

    @classmethod
    def join(cls, device: str = "cpu", environment: Mapping[str, str] = os.environ) -> Self:
        """The processes that `torchrun` started, or this one alone.

        Raises:
            Unconnected: If there is no such device, or the others cannot be reached.
        """
        if device not in DEVICES:
            raise Unconnected(f"device must be one of {', '.join(DEVICES)}. Got {device}.")
        if device == "cuda":
            device = f"cuda:{_gpu(int(environment.get('LOCAL_RANK', '0')))}"
        if not is_launched(environment):
            return cls(device=device)
        rank, size = int(environment["RANK"]), int(environment["WORLD_SIZE"])
        if device != "cpu":
            torch.cuda.set_device(torch.device(device))
        wait = timedelta(seconds=TIMEOUT)
        try:
            whole, rank, size = next(rendezvous("env://", rank, size, timeout=wait))
            # torchrun may keep the store for the next attempt, with the addresses of processes that have gone
            store = PrefixStore(f"attempt {restarts(environment)}", whole)
            backend = "gloo" if device == "cpu" else "nccl"
            dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=wait)
        except (RuntimeError, ValueError) as error:  # also dist.DistError
            raise Unconnected(_why_not(error, environment)) from None
        return cls(rank, size, device, store)

    @property
    def shard(self) -> Shard:
        """The part of the rows that this process reads."""
        return Shard(self.rank, self.size)

    def close(self) -> None:
        """Part from the others."""
        if self.size > 1:
            with suppress(RuntimeError):
                dist.destroy_process_group()

    def sum(self, numbers: Tensor) -> Tensor:
        """The sum over all processes, element by element; the same bits in each."""
        if self.size == 1:
            return numbers
        total = numbers.to(self.device, copy=True)
        with _losing_peers():
            dist.all_reduce(total)
        return total.to(numbers.device)

    def shared(self, value: Any) -> Any:
        """What rank 0 has, in every process."""
        if self.size == 1:
            return value
        box = [value]
        with _losing_peers():
            dist.broadcast_object_list(box, src=0, device=self.device)
        return box[0]

    def failure(self, sentence: str | None) -> str | None:
        """The sentence of the first process that has one; None while all is well."""
        if self.size == 1:
            return sentence
        failed = torch.tensor([float(sentence is not None)], dtype=torch.float64)
        if not self.sum(failed).item():
            return None
        sentences: list[str | None] = [None] * self.size
        with _losing_peers():
            dist.all_gather_object(sentences, sentence)
        return next(one for one in sentences if one is not None)

    def moments(self, own: Moments) -> Moments:
        """The moments of the rows of all processes, in each: added up along a binary tree, then sent to everybody.

        2 ⌈log₂ W⌉ messages of (P + 1)² numbers, one after another.
        """
        if self.size == 1:
            return own
        step = 1
        with _losing_peers():
            while step < self.size:
                if self.rank % (2 * step) == step:
                    self._send(own, self.rank - step)
                    break
                if self.rank + step < self.size:
                    own = own + self._received(own, self.rank + step)
                step *= 2
            whole = torch.cat([own.factor.flatten(), torch.tensor([own.rows], dtype=torch.float64)])
            whole = whole.to(self.device)
            dist.broadcast(whole, src=0)
        return _moments_in(whole, own)

    def _send(self, own: Moments, to: int) -> None:
        message = torch.cat([own.factor.flatten(), torch.tensor([own.rows], dtype=torch.float64)])
        dist.send(message.to(self.device), to)

    def _received(self, like: Moments, sender: int) -> Moments:
        message = torch.empty(like.factor.numel() + 1, dtype=torch.float64, device=self.device)
        dist.recv(message, sender)
        return _moments_in(message, like)

    def beat(self, *, last: bool = False) -> None:
        """Rank 0 trains alone and says from time to time that it lives; this is how it hears of a process that does not.

        Raises:
            PeerLost: If one does not listen any more.
        """
        if self.size > 1 and (last or time.monotonic() - self._last_beat > HEARTBEAT):
            with _losing_peers():
                self.sum(torch.tensor([float(last)], dtype=torch.float64))
            self._last_beat = time.monotonic()

    def follow(self) -> None:
        """Wait for rank 0 while it trains alone."""
        while not self.sum(torch.zeros(1, dtype=torch.float64)).item():
            pass

    def first_to_notice(self) -> bool:
        """Whether this process is the first to ask, among those that are left: one of them has to say what happened."""
        try:
            return self._store is None or self._store.add("noticed", 1) == 1
        except (RuntimeError, ValueError):  # the store was a part of the process that has gone
            return self.rank <= 1


def is_launched(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `torchrun`, or someone like it, has started this process as one of several, or as the only one."""
    return environment.get("RANK", "").isdecimal() and environment.get("WORLD_SIZE", "").isdecimal()


def restarts(environment: Mapping[str, str] = os.environ) -> int:
    """How often `torchrun` has started this run again after a process had ended."""
    return int(environment.get("TORCHELASTIC_RESTART_COUNT", "0"))


class _losing_peers:
    """Turn what torch says about a broken connection into `PeerLost`."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, (RuntimeError, ValueError)):
            raise PeerLost(str(error)) from None


def _moments_in(message: Tensor, like: Moments) -> Moments:
    *_, rows = message.cpu().tolist()
    return Moments(message[:-1].cpu().view_as(like.factor), int(rows))


def _gpu(local_rank: int) -> int:
    """The GPU of a process: one each."""
    if not torch.cuda.is_available():
        built = "this PyTorch is built without CUDA" if torch.version.cuda is None else "PyTorch finds no GPU"
        raise Unconnected(f"device must be cpu here: {built}. Got cuda.")
    if local_rank >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise Unconnected(
            f"nproc-per-node must be at most the {counted(count, 'GPU')} of the machine. Got more."
        )
    return local_rank


def _why_not(error: Exception, environment: Mapping[str, str]) -> str:
    address = f"{environment.get('MASTER_ADDR', '')}:{environment.get('MASTER_PORT', '')}"
    text = str(error)
    if "EADDRINUSE" in text or "address already in use" in text.lower():
        return (
            f"master-port must be a port that is free. Got {environment.get('MASTER_PORT')}, which another program uses: "
            "take another, or torchrun --standalone on a single machine."
        )
    if "imeout" in text or "imed out" in text:
        return f"All {environment['WORLD_SIZE']} processes must start within {TIMEOUT} seconds at {address}. Some did not."
    return f"The processes could not be connected at {address}: {' '.join(text.split())[:200]}."
