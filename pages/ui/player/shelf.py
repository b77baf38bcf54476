"""What is worked out once and asked for again: kept up to so many bytes, and no longer than somebody asks for it."""

import time
from collections.abc import Callable, Hashable, Mapping
from threading import RLock
from typing import Any, Generic, TypeVar

import numpy as np
import pyarrow as pa
import torch

from pages.ui.charts.model import View

T = TypeVar("T")
OURS = ("gd_core.", "pages.")


class _Slot:
    """A place on a shelf: what is there, how large it was when last measured, and when it was last asked for."""

    def __init__(self, key: Hashable) -> None:
        self.key_size = len(repr(key))  # about: a table that travels in a link is part of its experiment
        self.making = RLock()  # of a class that asks for the same at once, one works it out
        self.made = False
        self.value: Any = None
        self.size: int | None = None  # None since it was last asked for: charts may have come to it
        self.asked = 0.0


class Shelf(Generic[T]):
    """Results by what they are about; the one not asked for longest makes room for a new one."""

    def __init__(self, room: int, least: int = 1, size: Callable[[T], int] | None = None) -> None:
        """An empty one.

        Args:
            room: Bytes.
            least: So many of the latest stay, however large they are.
            size: Bytes of a result; by default those of all numbers in it.
        """
        self.room, self._least, self._size = room, least, size or size_of
        self._slots: dict[Hashable, _Slot] = {}
        self._lock = RLock()

    def of(self, key: Hashable, make: Callable[[], T]) -> T:
        """The result that is there, or that `make` works out."""
        slot = self._asked_for(key)
        with slot.making:
            if not slot.made:
                slot.value, slot.made = make(), True
                self._make_room()
            return slot.value

    def get(self, key: Hashable) -> T | None:
        """The result that is there, or None."""
        with self._lock:
            return self._asked_for(key).value if key in self._slots else None

    def put(self, key: Hashable, value: T) -> None:
        """A new result in the place of one that may be there."""
        with self._lock:
            self._slots.pop(key, None)
        slot = self._asked_for(key)
        slot.value, slot.made = value, True
        self._make_room()

    def clear(self, since: float | None = None) -> bool:
        """Let go of all, or of what nobody has asked for since then, in monotonic seconds. Whether there was any."""
        with self._lock:
            old = [key for key, slot in self._slots.items() if since is None or slot.asked < since]
            for key in old:
                del self._slots[key]
        return bool(old)

    @property
    def nbytes(self) -> int:
        """Bytes of all that is there now, with what it is about."""
        with self._lock:
            slots = list(self._slots.values())
        return sum(self._size(slot.value) + slot.key_size for slot in slots if slot.made)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._slots

    def __len__(self) -> int:
        return len(self._slots)

    def _asked_for(self, key: Hashable) -> _Slot:
        """Its slot, from now on the latest."""
        with self._lock:
            slot = self._slots.pop(key, None) or _Slot(key)
            slot.asked, slot.size = time.monotonic(), None
            self._slots[key] = slot
            return slot

    def _make_room(self) -> None:
        with self._lock:
            slots = list(self._slots.items())
            for _, slot in slots:
                if slot.size is None and slot.made:
                    slot.size = self._size(slot.value) + slot.key_size
            total = sum(slot.size or 0 for _, slot in slots)
            for key, slot in slots[: -self._least]:
                if total <= self.room:
                    break
                total -= slot.size or 0
                self._slots.pop(key, None)
            _, newest = slots[-1]
            newest.size = None  # what belongs to it is still to be made, so it is measured again


def size_of(value: Any) -> int:
    """Bytes of the numbers and texts in a value: of tensors, arrays and tables, each piece of memory once."""
    pieces: dict[int, int] = {}
    seen: set[int] = set()
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, torch.Tensor):
            storage = one.untyped_storage()
            pieces[storage.data_ptr()] = storage.nbytes()
        elif id(one) in seen or isinstance(one, type):
            continue
        elif isinstance(one, np.ndarray):
            pieces[id(one) if one.base is None else id(one.base)] = one.nbytes
        elif isinstance(one, pa.Table):
            pieces[id(one)] = one.nbytes
        elif isinstance(one, View):  # charts of a kind share their specification
            todo.append((one.tables, one.text))
        elif isinstance(one, str | bytes):
            pieces[id(one)] = len(one)
        elif isinstance(one, Mapping):
            todo.extend(one.values())
        elif isinstance(one, list | tuple | set | frozenset):
            todo.extend(one)
        elif type(one).__module__.startswith(OURS):
            todo.extend(getattr(one, "__dict__", {}).values())
        seen.add(id(one))
    return sum(pieces.values())
