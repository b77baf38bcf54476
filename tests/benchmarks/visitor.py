"""A visitor without a browser: the messages that Streamlit's page exchanges with its server, and what they weigh.

It does as a browser does where that changes the server's work: it names the fragment of a button that it presses, and the
messages that it keeps, so that the server sends them by reference.
"""

import json
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

KEPT_FOR = 2  # answers for which a browser keeps a message that it was not sent again: Streamlit's maxCachedMessageAge
CHARTS = ("arrow_vega_lite_chart", "vega_lite_chart")


@dataclass
class Answer:
    """What the server said to one request.

    Attributes:
        seconds: Until its script had finished.
        last_chart: Until the last chart that was sent; None without one.
        sizes: Bytes by kind of element.
        errors: Exceptions that it showed.
        text: Its addresses' query, if it set one.
    """

    seconds: float = 0.0
    last_chart: float | None = None
    sizes: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """All bytes."""
        return self.sizes.total()


class Visitor:
    """One connection. Make it with `visiting`."""

    def __init__(self, socket: ClientConnection, page: str, query: str) -> None:
        self._socket, self._page, self._query = socket, page, query
        self._page_hash = ""
        # messages by hash: the kind of their element, and in which answer they last came
        self._kept: dict[str, tuple[str, int]] = {}
        self._answers = 0  # to requests for the whole page
        self.query = query  # as the address would have it now
        self.buttons: dict[str, tuple[str, str]] = {}  # label ↦ its id, and the fragment it stands in
        self.looks: dict[str, float] = {}  # a fragment that runs by itself ↦ seconds between two of its runs
        self.progress = ""  # what the bar on the page says that was sent last
        self._components: dict[str, str] = {}  # name ↦ its id

    async def open(self) -> Answer:
        """Ask for the page."""
        return await self._ask(BackMsg())

    async def press(self, label: str) -> Answer:
        """Press a button.

        Raises:
            KeyError: If the page has none of that name.
        """
        return await self._ask(self._pressed(label))

    async def press_in_haste(self, label: str) -> None:
        """Ask for the page, press a button, and ask for the page once more, as fast as these can be sent."""
        for message in (BackMsg(), self._pressed(label), BackMsg()):
            await self._send(message)

    async def sees(self, label: str) -> None:
        """Wait for a button of this name, which may have been there before."""
        self.buttons.pop(label, None)
        while label not in self.buttons:
            self._take(Answer(), 0.0, bytes(await self._socket.recv(decode=False)))

    async def tell(self, component: str, event: str, value: str) -> Answer:
        """What one of the page's own components tells the server."""
        message = BackMsg()
        told = message.rerun_script.widget_states.widgets.add()
        told.id = _make_trigger_id(self._components[component], "events")
        told.json_trigger_value = json.dumps([{"event": event, "value": value}])
        return await self._ask(message)

    async def look(self, fragment: str) -> Answer:
        """Have a fragment run that does so by itself: a browser asks for it each time."""
        message = BackMsg()
        message.rerun_script.fragment_id, message.rerun_script.is_auto_rerun = fragment, True
        return await self._ask(message)

    def _pressed(self, label: str) -> BackMsg:
        message, (name, fragment) = BackMsg(), self.buttons[label]
        message.rerun_script.fragment_id = fragment
        pressed = message.rerun_script.widget_states.widgets.add()
        pressed.id, pressed.trigger_value = name, True
        return message

    async def _send(self, message: BackMsg) -> None:
        request = message.rerun_script
        request.page_name, request.query_string = self._page, self.query
        request.page_script_hash = self._page_hash
        request.cached_message_hashes.extend(self._kept)
        await self._socket.send(message.SerializeToString())
        self._answers += not request.fragment_id

    async def _ask(self, message: BackMsg) -> Answer:
        answer, begun = Answer(), time.perf_counter()
        await self._send(message)
        while not self._take(answer, begun, bytes(await self._socket.recv(decode=False))):
            pass
        self._kept = {key: kept for key, kept in self._kept.items() if self._answers - kept[1] <= KEPT_FOR}
        answer.seconds = time.perf_counter() - begun
        return answer

    def _take(self, answer: Answer, begun: float, raw: bytes) -> bool:
        """Read a message; whether it is the last."""
        message = ForwardMsg.FromString(raw)
        kind = message.WhichOneof("type") or "nothing"
        element = kind
        if kind == "ref_hash":
            element, _ = self._kept[message.ref_hash]
            self._kept[message.ref_hash] = element, self._answers
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            new = message.delta.new_element
            element = new.WhichOneof("type") or "empty"
            if element == "button":
                self.buttons[new.button.label] = new.button.id, message.delta.fragment_id
            if element == "progress":
                self.progress = new.progress.text
            if element == "bidi_component":
                self._components[new.bidi_component.component_name] = new.bidi_component.id
            if element == "exception":
                answer.errors.append(new.exception.message)
            if message.metadata.cacheable:
                self._kept[message.hash] = element, self._answers
        elif kind == "new_session":
            self._page_hash = message.new_session.page_script_hash
        elif kind == "navigation":  # which page an address without a hash has led to
            self._page_hash = message.navigation.page_script_hash
        elif kind == "auto_rerun":
            self.looks[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        answer.sizes[element if kind != "ref_hash" else "by reference"] += len(raw)
        if element in CHARTS:
            answer.last_chart = time.perf_counter() - begun
        return kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN


@asynccontextmanager
async def visiting(
    url: str, page: str = "", query: str = "", headers: dict[str, str] | None = None
) -> AsyncGenerator[Visitor]:
    """A visitor of a running app, who leaves at the end."""
    address = f"ws://{urlsplit(url).netloc}/_stcore/stream"
    async with connect(
        address,
        subprotocols=["streamlit"],
        origin=url,
        max_size=None,
        additional_headers=headers,
        ping_interval=None,
    ) as socket:
        yield Visitor(socket, page, query)
