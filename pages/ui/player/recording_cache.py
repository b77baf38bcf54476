"""What is worked out from a recording is worked out once, for all who look at it, and kept as long as the recording is."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from gd_core.training import Epochs

MOST = 24  # results kept of one recording: its charts in two sizes, and what is said of it
T = TypeVar("T")
_kept: WeakKeyDictionary[Epochs, dict[Hashable, Any]] = WeakKeyDictionary()


def once(recording: Epochs, what: Hashable, work: Callable[[], T]) -> T:
    """The result of `work`, which must depend on nothing but the recording's run and `what`.

    Two visitors who ask at the same moment may both work it out; they get the same.
    """
    results = _kept.setdefault(recording, {})
    if (found := results.get(what)) is not None:
        return found
    made = work()
    if made is recording:  # kept beside itself it would never go
        return made
    results[what] = made
    for oldest in list(results)[:-MOST]:
        results.pop(oldest, None)
    return made


def kept_of(recording: Epochs) -> list[Any]:
    """All that is kept of a recording now."""
    return list(_kept.get(recording, {}).values())
