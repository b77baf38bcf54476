"""What reading one hostile input may cost, and what may be said of it. A failure quotes the input."""

import gc
import time
import tracemalloc
from collections.abc import Callable
from typing import TypeVar

SECONDS = 0.2  # of the thread's processor time
BYTES = 20_000_000
LONGEST = 600  # characters of a sentence
T = TypeVar("T")


def bounds(
    what: object, work: Callable[[], T], *, forget: Callable[[], None] = lambda: None, traced: bool = False
) -> T:
    """The result of `work`, which may take so long and, if it is traced (several times as slow), so much memory.

    Args:
        what: The input, for the failure.
        work: Reads it.
        forget: Empties the caches before each try.
        traced: Look at the memory, not at the time.
    """
    try:
        forget()
        if traced:
            tracemalloc.start()
            try:
                result = work()
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            assert peak <= BYTES, f"{peak / 1e6:.0f} MB"
            return result
        took = 0.0
        for _ in range(3):  # what another process or a collection took is not taken three times
            forget()
            begun = time.thread_time()
            result = work()
            if (took := time.thread_time() - begun) <= SECONDS:
                return result
            gc.collect()
        raise AssertionError(f"{took:.2f} s")
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}\nwith {what!a:.3000}") from error


def one_sentence(what: object, sentence: str, begins: tuple[str, ...]) -> None:
    """A refusal is a sentence on one line, which can be sent to a browser, and begins with what it is about."""
    fine = (
        "\n" not in sentence,
        sentence.strip() == sentence and len(sentence) <= LONGEST,
        sentence.endswith((".", "…", "more like it)")) and "Traceback" not in sentence,
        sentence.startswith(begins),
        sentence.encode(errors="replace").decode() == sentence,
    )
    assert all(fine), f"no sentence about a parameter, {fine}: {sentence!a:.500}\nwith {what!a:.3000}"
