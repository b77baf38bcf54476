"""What a room's phones hear by themselves: one event stream for each, one look for all of a room.

Everybody in a room is sent the same bytes; what a phone's owner has said it knows from its own requests. A phone that locks, or
finds the server gone, comes back by itself: see `phone/join.js`.
"""

import asyncio
import json
import signal
from collections.abc import AsyncGenerator, Callable
from typing import Any

TICK = 0.5  # seconds between two looks
BEAT = 20  # ticks after which a stream says that it is there: proxies end silent ones after a minute or so
NOTHING = b":\n\n"  # a comment, which a browser does not show its page


class Feed:
    """The stream of one room, as long as somebody listens.

    Args:
        look: Gives what the room shows, as a value for JSON; None when there is nothing to come any more. Takes a moment, so it
            is called in `run`, and must not raise.
        run: Runs it in another thread.
    """

    def __init__(self, look: Callable[[], Any], run: Callable[[Callable[[], Any]], Any]) -> None:
        self._look, self._run = look, run
        self._event = b""
        self._turn = asyncio.Event()  # set, and replaced by another, whenever there is something to send
        self._task: asyncio.Task[None] | None = None
        self.over = False
        self.listeners = 0

    async def listen(self) -> AsyncGenerator[bytes]:
        """The stream of one phone: first how the room stands, then what changes."""
        self.listeners += 1
        if self._task is None:
            self._task = asyncio.create_task(self._go_on())
        try:
            sent = b""
            while not self.over:
                turn = self._turn
                if self._event:
                    yield self._event if self._event != sent else NOTHING
                    sent = self._event
                await turn.wait()
        finally:
            self.listeners -= 1

    async def _go_on(self) -> None:
        silent = 0
        while self.listeners and not self.over:
            shown = await self._run(self._look)
            event = f"data: {json.dumps(shown, ensure_ascii=False)}\n\n".encode() if shown else self._event
            self.over = not shown or stopping()
            silent += 1
            if event != self._event or silent >= BEAT or self.over:
                self._event = event
                self._turn.set()
                self._turn, silent = asyncio.Event(), 0
            if not self.over:
                await asyncio.sleep(TICK)
        self._task = None


def stopping() -> bool:
    """Whether the server was told to stop. It waits until every answer is sent, and a stream is one without an end.

    Uvicorn has the signal's handler as a method, and says there whether it came.
    """
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return bool(getattr(server, "should_exit", False))
