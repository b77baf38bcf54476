"""What every answer of the server carries, and what is not answered: around Streamlit's own server, which stays as it is."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config, file_util

from pages.ui.classroom import routes
from pages.ui.look import ahead

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
# Where Streamlit answers below the first part of a path. For all other paths it sends its page, which looks for its files
# beside them and stays blank.
_DEEP = {"_stcore", "static", "media", "component"}
_NO_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"><title>No page here</title></head>
<body style="font: 1.1rem/1.5 sans-serif; max-width: 36rem; margin: 4rem auto; padding: 0 1rem"><main>
<h1 style="font: 600 1.5rem serif">There is no page here</h1>
<p>Every page of the Gradient Descent Lab has an address of one word, such as /variants.
<a href="{start}" style="color: inherit">Begin at Train</a>.</p></main></body></html>
"""


class Rules:
    """ASGI middleware: headers on every answer, and what is refused."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._base = (config.get_option("server.baseUrlPath") or "").strip("/")
        self._headers = {
            "X-Content-Type-Options": "nosniff",
            # an address holds a run, a table, an answer: no other site is told it by a link that is followed
            "Referrer-Policy": "same-origin",
            "Content-Security-Policy": content_security_policy(),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or open one websocket."""
        if scope["type"] == "websocket" and not _says_where_from(Headers(scope=scope)):
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: answered with 403
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await (self._refusal(scope["path"]) or self._app)(scope, receive, with_headers)

    def _refusal(self, path: str) -> Response | None:
        """The answer where there is nothing for a visitor; None where Streamlit has one."""
        parts = path.strip("/").removeprefix(self._base).strip("/").split("/")
        # sessions, caches, memory: nobody's business, and no setting ends it
        if parts == ["_stcore", "metrics"]:
            return PlainTextResponse("Not Found", 404)
        if "/".join(parts) in routes.PATHS:
            return None
        if len(parts) > 1 and parts[0] not in _DEEP and "_stcore" not in parts:
            return HTMLResponse(_NO_PAGE.format(start="../" * (len(parts) - 1)), 404)
        return None


def _says_where_from(headers: Headers) -> bool:
    """Whether a websocket names the site that it belongs to, as every browser's does. Streamlit judges which it may be."""
    return "origin" in headers or not config.get_option("server.enableCORS")


def content_security_policy() -> str:
    """What a page may load and run: nothing from elsewhere, and no script in the page but Streamlit's own and that of `ahead`.

    Who may show the app in a frame is left open, for the pages of courses. Streamlit styles the page from within, and has the
    scripts of a component as blob:. Not every browser takes a websocket to the same server for 'self'.
    """
    page = Path(file_util.get_static_dir(), "index.html").read_text(encoding="utf-8")
    inline = [*_INLINE.findall(page), *(ahead.script(charts=charts) for charts in (True, False))]
    digests = (b64encode(sha256(script.encode()).digest()).decode() for script in inline)
    scripts = " ".join(f"'sha256-{digest}'" for digest in digests)
    # Community Cloud counts visits
    counted = " https:" if config.get_option("browser.gatherUsageStats") else ""
    return (
        f"default-src 'self'; script-src 'self' blob: {scripts}; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:{counted}; "
        "object-src 'none'; base-uri 'self'; form-action 'self'"
    )
