"""Streamlit's own scripts and style sheets, packed: a quarter of their bytes, which a first visitor waits for.

Streamlit sends them as they are: it would pack them anew for everyone who asks. Here each is packed once and kept, for all.
"""

import asyncio
import gzip
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config, file_util

TYPES = {".js": "application/javascript", ".css": "text/css"}
# as Streamlit has it: another content has another name
HEADERS = {
    "Content-Encoding": "gzip",
    "Vary": "Accept-Encoding",
    "Cache-Control": "public, immutable, max-age=31536000",
}
AS_IT_IS = ("range", "if-none-match", "if-modified-since")  # a request with one of these is for Streamlit
LEVEL = 6


class Packed:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        static = Path(file_util.get_static_dir())
        base = f"/{(config.get_option('server.baseUrlPath') or '').strip('/')}".rstrip("/")
        files = (file for folder in ("js", "css") for file in (static / "static" / folder).iterdir())
        # what may be asked for: so what is kept has an end
        self._files = {
            f"{base}/{file.relative_to(static).as_posix()}": file for file in files if file.suffix in TYPES
        }
        self._kept: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        file = self._files.get(scope.get("path", ""))
        if (
            file is None
            or scope["type"] != "http"
            or scope["method"] != "GET"
            or not _takes_it(Headers(scope=scope))
        ):
            await self._app(scope, receive, send)
            return
        if scope["path"] not in self._kept:
            self._kept[scope["path"]] = await asyncio.to_thread(
                lambda: gzip.compress(file.read_bytes(), LEVEL)
            )
        answer = Response(self._kept[scope["path"]], headers=HEADERS, media_type=TYPES[file.suffix])
        await answer(scope, receive, send)


def _takes_it(headers: Headers) -> bool:
    takes = {part.strip() for part in headers.get("accept-encoding", "").split(",")}
    return "gzip" in takes and not any(name in headers for name in AS_IT_IS)
