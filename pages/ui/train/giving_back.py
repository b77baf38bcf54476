"""What a server gives back while nobody asks: visits that have ended, results that nobody wants any more, free memory.

Streamlit forgets a visit that ended two minutes ago when the next one ends: after a lesson, that may be tomorrow. And
what Python frees, the C library keeps for later, in pieces: a server whose visitors had left stayed at twice its size.
"""

import asyncio
import ctypes
import gc
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path

from streamlit.runtime import get_instance

EVERY = 20.0  # seconds
GROWN = 64_000_000  # bytes more than after the last time: there is garbage then that Python has not found


async def for_ever() -> None:
    """Give back every so often what can be."""
    from pages.ui.player import live_runs

    last = _resident()
    while True:
        await asyncio.sleep(EVERY)
        try:
            ended = _end_visits()
            unasked = live_runs.let_go()
            if ended or unasked or _resident() > last + GROWN:
                gc.collect()  # a visit's parts hold each other
                await asyncio.to_thread(trim)
                last = _resident()
        except Exception:
            logging.getLogger(__name__).exception("Nothing was given back this time.")


def _end_visits() -> bool:
    """Have Streamlit forget the visits that may not be come back to any more; whether there were any.

    It has no way to ask for that. The latest one its loop holds until the next comes: so each is emptied.
    """
    with suppress(AttributeError):
        sessions = get_instance()._session_mgr
        ended = sessions._session_storage._cache.expire()  # type: ignore[attr-defined]
        for _, visit in ended:
            visit.session.shutdown()
            visit.session.session_state.clear()
        if ended and not sessions.list_sessions():
            forget_titles()
        return bool(ended)
    return False


def forget_titles() -> None:
    """Let go of how charts are drawn: the titles on their axes are the names of visitors' columns."""
    for name, module in list(sys.modules.items()):
        if name.startswith("pages.ui.charts."):
            for one in vars(module).values():
                if hasattr(one, "cache_clear"):
                    one.cache_clear()


def _resident() -> int:
    """Bytes of memory that the process has; 0 where the system does not say it in Linux's way."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def trim() -> None:
    """Give free memory back to the system, where the C library is glibc."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
