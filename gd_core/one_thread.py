"""Small matrices on one processor core, in this thread only; and of many of them a part in a thread of its own.

A product of 64 × 32 and 32 × 32 numbers takes 10 µs. MKL splits it over all cores all the same, and then each half
waits for the other: with other work on two cores, an epoch of 20 layers took 830 ms instead of 31.
`torch.set_num_threads` would change that for every other visitor of the server too.
"""

import ctypes
import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TypeVar

import torch

A = TypeVar("A")
B = TypeVar("B")


@contextmanager
def one_thread() -> Generator[None]:
    """Keep what torch computes in this thread, meanwhile, on one core. Where there is no MKL or OpenMP, nothing changes.

    Both libraries hold this setting for each thread by itself; torch offers no way to it.
    """
    before = torch.get_num_threads()  # at its first call in a thread, torch sets the thread up
    library = _library()
    openmp = getattr(library, "omp_set_num_threads", None)
    mkl = getattr(library, "MKL_Set_Num_Threads_Local", None)
    mkl_before = mkl(1) if mkl else 0
    if openmp:
        openmp(1)
    try:
        yield
    finally:
        if openmp:
            openmp(before)
        if mkl:
            mkl(mkl_before)


def in_parts(work: Callable[[A], B], parts: Sequence[A]) -> list[B]:
    """What becomes of each part, in their order, each on one core: here, and on another core where one is free.

    Whoever is free takes the next part, so where the other core has no time all is done here. Which thread has worked a part out
    changes none of its numbers.
    """
    left, done = iter(enumerate(parts)), dict[int, B]()

    def until_none_is_left() -> None:
        with one_thread():
            for number, part in left:
                done[number] = work(part)

    helper = _helper().submit(until_none_is_left) if len(parts) > 1 < (os.cpu_count() or 1) else None
    until_none_is_left()
    if helper and not helper.cancel():
        helper.result()
    return [done[number] for number in range(len(parts))]


@cache
def _helper() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "part")


@cache
def _library() -> ctypes.CDLL | None:
    """The library that torch computes with on Linux; None elsewhere."""
    with suppress(OSError):
        # not `CDLL`, which lets go of Python's lock for each of these calls and waits for it again
        return ctypes.PyDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
    return None
