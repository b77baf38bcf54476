"""Small matrices on one processor core, in this thread only.

A product of 64 × 32 and 32 × 32 numbers takes 10 µs. MKL splits it over all cores all the same, and then each half
waits for the other: with other work on two cores, an epoch of 20 layers took 830 ms instead of 31.
`torch.set_num_threads` would change that for every other visitor of the server too.
"""

import ctypes
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import torch


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


@cache
def _library() -> ctypes.CDLL | None:
    """The library that torch computes with on Linux; None elsewhere."""
    with suppress(OSError):
        return ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
    return None
