"""Streamlit's scripts and style sheets are sent packed to who takes them so, once worked out for all."""

import asyncio
import gzip
from pathlib import Path

import pytest
from starlette.applications import Starlette
from streamlit import config, file_util
from streamlit.web.server.starlette.starlette_static_routes import create_streamlit_static_assets_routes
from visit import awaited

from pages.ui.train.packed import Packed

STATIC = Path(file_util.get_static_dir())
SCRIPT = next((STATIC / "static" / "js").glob("index.*.js"))
STYLE = next((STATIC / "static" / "css").glob("index.*.css"))
TAKES_IT = {"accept-encoding": "gzip, deflate, br, zstd"}
OF_THE_ENCODING = {"content-encoding", "content-length", "vary", "etag", "last-modified", "accept-ranges"}


def answered(path, headers=TAKES_IT, base="", method="GET", times=1):
    """Status, headers and body that Streamlit's own routes give, with packing around them."""
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", base)
    try:
        app = Packed(Starlette(routes=create_streamlit_static_assets_routes(base)))
    finally:
        config.set_option("server.baseUrlPath", before)
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        await asyncio.Event().wait()  # nobody goes away

    async def ask():
        for _ in range(times):
            sent.clear()
            pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
            scope = {"type": "http", "path": path, "method": method, "headers": pairs}
            await app(scope | {"query_string": b"", "root_path": ""}, receive, send)

    awaited(asyncio.wait_for(ask(), 20))
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize("file", [SCRIPT, STYLE], ids=["script", "style"])
@pytest.mark.parametrize("base", ["", "lab"])
def test_what_is_packed_is_the_file(file: Path, base: str):
    """A third of its bytes or less, and all else is said of it that Streamlit says."""
    path = f"{f'/{base}' if base else ''}/static/{file.parent.name}/{file.name}"
    status, headers, body = answered(path, base=base, times=2)
    assert (status, headers["content-encoding"], headers["vary"]) == (200, "gzip", "Accept-Encoding")
    assert gzip.decompress(body) == file.read_bytes()
    assert int(headers["content-length"]) == len(body) < file.stat().st_size / 3
    _, plain, as_it_is = answered(path, {}, base)
    assert as_it_is == file.read_bytes()
    # what a server has set Python to call a script: Streamlit's says so
    plain["content-type"] = plain["content-type"].replace(
        "text/javascript; charset=utf-8", "application/javascript"
    )
    assert {name: value for name, value in headers.items() if name not in OF_THE_ENCODING} == {
        name: value for name, value in plain.items() if name not in OF_THE_ENCODING
    }


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"accept-encoding": "br"},
        {"accept-encoding": "gzip;q=0"},
        TAKES_IT | {"range": "bytes=0-9"},
        TAKES_IT | {"if-none-match": '"other"'},
    ],
)
def test_who_does_not_take_it_gets_what_streamlit_sends(headers):
    """So does who asks for a part, or whether the file is still the same."""
    status, found, body = answered(f"/static/js/{SCRIPT.name}", headers)
    assert status in (200, 206)
    assert "content-encoding" not in found
    assert body == SCRIPT.read_bytes()[: 10 if status == 206 else None]


@pytest.mark.parametrize("path", ["/static/js/none.js", f"/static/js/../js/{SCRIPT.name}", "/static/js/"])
def test_what_is_no_file_is_left_to_streamlit(path):
    """Only the names that are there are kept: whoever asks for others fills no memory."""
    status, found, _ = answered(path)
    assert status == 404 or "content-encoding" not in found
