"""A moving picture in the making: by a process of its own that ends with it, one at a time for all visitors."""

import threading
from collections.abc import Hashable, Mapping
from typing import Any

from pages.ui.takeaway.converter_process import ConversionError, Workshop

# Of two at once each would take twice as long, and pages would be slow for all.
_turn = threading.Semaphore(1)
_LOOK_EVERY = 0.5  # seconds; while it waits, whether it has been stopped


class _StoppedError(Exception):
    """Nobody wants it any more."""


class Film:
    """One moving picture.

    Attributes:
        asked: What it is of: of something else it is another one.
        of: How many pictures it consists of.
        drawn: How many of them are drawn.
        waits: Whether it is another visitor's turn.
        made: The file, when it is ready.
        sentence: What went wrong.
    """

    def __init__(self, asked: Hashable, spec: Mapping[str, Any]) -> None:
        self.asked = asked
        self.of = len(spec["frames"])
        self.drawn = 0
        self.waits = False
        self.made = b""
        self.sentence = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._make, args=(spec,), daemon=True)
        self._thread.start()

    @property
    def at_work(self) -> bool:
        """Whether it is neither ready nor given up."""
        return self._thread.is_alive() and not self._stopped.is_set()

    def stop(self) -> None:
        """Make no more of it: its process ends with the picture that it is drawing."""
        self._stopped.set()

    def _make(self, spec: Mapping[str, Any]) -> None:
        self.waits = True
        while not _turn.acquire(timeout=_LOOK_EVERY):
            if self._stopped.is_set():
                return
        try:
            self.waits = False
            if not self._stopped.is_set():
                self._draw(spec)
        finally:
            _turn.release()

    def _draw(self, spec: Mapping[str, Any]) -> None:
        shop = Workshop()
        try:
            self.made = shop.make("film", spec, self._told)
        except ConversionError as error:
            self.sentence = str(error)
        except _StoppedError:
            pass
        finally:
            shop.close()

    def _told(self, drawn: int) -> None:
        self.drawn = drawn
        if self._stopped.is_set():
            raise _StoppedError
