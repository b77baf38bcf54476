"""How often something may be asked for: a moment's rush, then a steady rate. In memory, by words that nobody has to give a name to."""

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_KEYS = 10_000


class Limit:
    """A bucket of tokens for each key (a token bucket): `rush` at once, then so many a second.

    Args:
        rush: What a full bucket holds.
        a_second: What comes back.
        clock: Seconds that only go forward.
    """

    def __init__(self, rush: float, a_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rush, self._a_second, self._clock = rush, a_second, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def left(self, key: str = "") -> float:
        """How many there are for this key."""
        at = self._clock()
        left, since = self._left.get(key, (self._rush, at))
        return min(self._rush, left + (at - since) * self._a_second)

    def take(self, key: str = "") -> bool:
        """Take one. Returns whether there was one."""
        left = self.left(key)
        if left < 1:
            return False
        self._left[key] = left - 1, self._clock()
        self._left.move_to_end(key)
        if len(self._left) > MOST_KEYS:
            self._left.popitem(last=False)
        return True
