"""What a page's first view is made of: messages of its server, nodes of its document, widgets, bytes of its files."""

from collections import Counter
from dataclasses import dataclass, field

from playwright.sync_api import Page, WebSocket
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

# All nodes below the document, of shadow trees too: elements, and with their texts and comments.
_NODES = """() => {
    let nodes = 0, elements = 0;
    const walk = (root) => {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_ALL);
        for (let node; (node = walker.nextNode()); nodes++) {
            elements += node.nodeType === Node.ELEMENT_NODE;
            if (node.shadowRoot) walk(node.shadowRoot);
        }
    };
    walk(document);
    return [elements, nodes];
}"""
_FILES = "performance.getEntriesByType('resource').map((one) => one.transferSize)"
WIDGETS = (
    "button", "button_group", "checkbox", "download_button", "number_input", "page_link", "popover", "selectbox",
    "slider", "text_area", "text_input",
)  # fmt: skip


@dataclass
class FirstView:
    """Listens to a page from before it is opened.

    Attributes:
        kinds: Messages by what they bring: an element, a container, or something about the session.
    """

    page: Page
    kinds: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._hear)

    def _hear(self, frame: str | bytes) -> None:
        if not isinstance(frame, bytes):
            return
        message = ForwardMsg.FromString(frame)
        kind = message.WhichOneof("type") or "nothing"
        if kind == "delta":
            delta = message.delta
            block = delta.WhichOneof("type") == "add_block"
            kind = (delta.add_block if block else delta.new_element).WhichOneof("type") or "empty"
        self.kinds[kind] += 1

    @property
    def messages(self) -> int:
        return self.kinds.total()

    @property
    def widgets(self) -> int:
        """Controls of Streamlit's that can be pressed, typed into or chosen from; our own components are not counted."""
        return sum(self.kinds[kind] for kind in WIDGETS)

    @property
    def elements(self) -> int:
        """Elements of the document and its shadow trees."""
        return self.page.evaluate(_NODES)[0]

    @property
    def nodes(self) -> int:
        """The same with their texts."""
        return self.page.evaluate(_NODES)[1]

    @property
    def files(self) -> list[int]:
        """Bytes of each file that was fetched, 0 for one that the browser had."""
        return self.page.evaluate(_FILES)
