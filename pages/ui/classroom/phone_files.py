"""The two pages that a phone loads, and their scripts: small files, compressed once, in the app's own colours."""

import gzip
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from streamlit import config

from pages.ui.look.palette import palette

_HERE = Path(__file__).parent / "phone"
PAGES = ("join", "remote")
# A script's address, beside the page, and the file that it is. Both pages share one.
SCRIPTS = {f"{page}/{name}.js": f"{name}.js" for page in PAGES for name in (page, "wire")}


class File(NamedTuple):
    """What is sent, and the same compressed."""

    plain: bytes
    packed: bytes
    kind: str
    tag: str  # tells a browser whether it has this one already


def sent(file: File, request: Request) -> Response:
    """The answer to who asks for a file."""
    headers = {"ETag": file.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, media_type=file.kind, headers={**headers, "Content-Encoding": "gzip"})
    return Response(file.plain, media_type=file.kind, headers=headers)


@lru_cache(len(PAGES))
def page(name: str) -> File:
    """A page with its style inside: a request less."""
    style = Template(_read("phone.css")).substitute(colours=_colours())
    return _file(Template(_read(f"{name}.html")).substitute(style=style), "text/html")


@lru_cache(len(SCRIPTS))
def script(address: str) -> File:
    """A script by its address."""
    return _file(_read(SCRIPTS[address]), "text/javascript")


def _colours() -> str:
    """The palette as custom properties, for light and dark."""
    serif = config.get_option("theme.headingFont") or "serif"
    return f":root {{ --serif: {serif}; {_theme('light')} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {_theme('dark')} }} }}"


def _theme(name: str) -> str:
    colours = palette(name)
    named = {
        "paper": colours.paper,
        "ink": colours.ink,
        "run": colours.run,
        "on-run": colours.on_run,
        "data": colours.data,
        "optimum": colours.optimum,
        "surface": config.get_option(f"theme.{name}.secondaryBackgroundColor") or colours.paper,
        "edge": colours.data,
    }
    return " ".join(f"--{key}: {value};" for key, value in named.items())


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _file(text: str, kind: str) -> File:
    plain = text.encode()
    return File(plain, gzip.compress(plain, mtime=0), kind, f'"{sha256(plain).hexdigest()[:16]}"')
