"""Each page's own title and description in the HTML that is sent first, which is what a link shows where it is shared.

Streamlit sends the same file for every page, and a browser gives it its title later. Who only looks at a link, such as a
search engine or a messenger, runs no script. What all pages look like stands there too: a style sheet that comes with a page's
elements has a browser work out anew what all of them look like.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from html import escape
from pathlib import Path
from typing import Any

from pages.ui.look import ahead
from pages.ui.look.navigation import LESSONS

NAME = "Gradient Descent Lab"
DESCRIPTIONS = {
    "": "Watch gradient descent fit a curve, live, and be told in plain words what it did and why.",
    "compare": "Up to eight runs of gradient descent side by side under one player.",
    "one_parameter": "A point on a parabola, its slope and its step: predict where it goes, then watch.",
    "four_steps": "Training is a loop of four steps. Watch each light up, and judge where a published run stops.",
    "gradient": "Every row pulls at every parameter. The gradient is the mean of these pulls: see them as bars.",
    "learning_rate": "The same problem at four learning rates: which one ends lowest, and which flies away?",
    "landscape": "The loss as a valley seen from above: which direction keeps a run waiting?",
    "variants": "Batches and update rules race from one start: momentum, AdaGrad, RMSProp, Adam and more.",
    "hills": "A loss with many valleys: which one does a run end in, from here, from a top, with momentum, by single rows?",
    "deep_networks": "What the first layer of a deep network hears of the error, live, for up to 30 layers.",
    "broadcasting": "A published run whose loss falls in every epoch. Is its model right?",
    "glossary": "The words of gradient descent in short answers, each with an experiment that shows it.",
}
TITLES = {"": NAME, "compare": f"Compare · {NAME}"} | {
    page: f"{title} · {NAME}" for page, title in LESSONS.items()
}

SHEET = Path(__file__).with_name("look.css").read_text(encoding="utf-8")  # what all pages look like
_serves = False

Scope = MutableMapping[str, Any]
Send = Callable[[Scope], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]


def serves() -> bool:
    """Whether this process sends pages' HTML, and with it the style sheet."""
    return _serves


def described(html: str, page: str) -> str:
    """Streamlit's file with a page's title and description in its head, what is to be fetched at once, and the style sheet.

    That stands in the body: of two rules that say as much the later one holds, and Streamlit adds its own to the head.
    """
    title, text = escape(TITLES[page]), escape(DESCRIPTIONS[page])
    head = (
        f'<title>{title}</title><meta name="description" content="{text}">'
        f'<meta property="og:title" content="{title}"><meta property="og:description" content="{text}">'
    )
    charts = page not in ahead.WITHOUT_CHARTS
    fetched = ahead.links(html, charts=charts) + f"<script>{ahead.script(charts=charts)}</script>"
    html = html.replace("<title>Streamlit</title>", head, 1).replace("</head>", f"{fetched}</head>", 1)
    return html.replace("<body>", f"<body><style>{SHEET}</style>", 1)


class Described:
    """A server around another, which fills in the head of each page."""

    def __init__(self, app: App) -> None:
        global _serves
        self.app, _serves = app, True

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        """Answer a request."""
        page = scope.get("path", "").rpartition("/")[2]
        if scope["type"] != "http" or scope["method"] != "GET" or page not in DESCRIPTIONS:
            await self.app(scope, receive, send)
            return
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        start: Scope = {}
        body = b""

        async def fill(message: Scope) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            headers = dict(start["headers"])
            if headers.get(b"content-type", b"").startswith(b"text/html") and body:
                body = described(body.decode(), page).encode()
                headers[b"content-length"] = str(len(body)).encode()
            await send({**start, "headers": list(headers.items())})
            await send({**message, "body": body})

        await self.app({**scope, "headers": plain}, receive, fill)
