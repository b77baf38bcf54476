"""What every answer of the server carries, and what is not answered."""

import pytest
from streamlit import config
from visit import awaited

from pages.ui.train.http import Rules


def answered(path, kind="http", headers=(), **options):
    """The messages that a visitor of a stand-in for Streamlit gets, which says 200 to everything, or opens the websocket."""
    sent = []

    async def streamlit(scope, receive, send):
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"x-app", b"yes")]})
            await send({"type": "http.response.body", "body": b"ok"})

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    before = {name: config.get_option(name) for name in options}
    try:
        for name, value in options.items():
            config.set_option(name, value)
        scope = {"type": kind, "path": path, "method": "GET", "headers": list(headers)}
        awaited(Rules(streamlit)(scope, receive, send))
    finally:
        for name, value in before.items():
            config.set_option(name, value)
    return sent


def headers_of(sent):
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize("path", ["/", "/variants", "/_stcore/health", "/static/js/x.js", "/media/x", "/a/b"])
def test_every_answer_has_the_three_headers(path):
    """Pages, files, what Streamlit answers and what we refuse: types are not guessed, addresses not told, scripts not let in."""
    headers = headers_of(answered(path))
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert "unsafe" not in policy["script-src"]
    assert "frame-ancestors" not in policy
    assert "https:" not in policy["connect-src"].split()


def test_where_streamlit_counts_visits_it_may_send_them():
    """As on Community Cloud, which switches that on."""
    policy = headers_of(answered("/", **{"browser.gatherUsageStats": True}))["content-security-policy"]
    assert "connect-src 'self' ws: wss: https:;" in policy


@pytest.mark.parametrize(
    ("path", "base", "start"),
    [
        ("/a/b", "", "../"),
        ("/variants/x/y", "", "../../"),
        ("/lab/a/b", "lab", "../"),
        ("/deep/lab/a/b/", "deep/lab", "../"),
        ("/static", "", None),
        ("/lab/variants", "lab", None),
        ("/deep/lab/", "/deep/lab/", None),
        ("/lab/static/js/x.js", "lab", None),
        ("/join/vote", "", None),
        ("/lab/join/events", "lab", None),
        ("/join/elsewhere", "", "../"),
        # Streamlit's page asks for it, and takes its 404 for an answer.
        ("/variants/_stcore/health", "", None),
    ],
)
def test_an_address_below_a_page_is_answered(path, base, start):
    """With 404 and a link that leads to the start from there; what is Streamlit's is left to it, under any path."""
    sent = answered(path, **{"server.baseUrlPath": base})
    assert sent[0]["status"] == (404 if start else 200)
    assert start is None or f'<a href="{start}"' in sent[1]["body"].decode()


@pytest.mark.parametrize(("path", "base"), [("/_stcore/metrics", ""), ("/lab/_stcore/metrics/", "lab")])
def test_metrics_are_not_public(path, base):
    """Who is here and how much memory it takes is told to nobody."""
    sent = answered(path, **{"server.baseUrlPath": base})
    assert sent[0]["status"] == 404
    assert "x-app" not in headers_of(sent)


def test_a_websocket_says_where_it_is_from():
    """As every browser's does; where the operator has switched the checks off, nobody asks."""
    stream, origin = "/_stcore/stream", (b"origin", b"http://localhost:8501")
    assert answered(stream, "websocket") == [{"type": "websocket.close", "code": 1008}]
    assert answered(stream, "websocket", [origin]) == [{"type": "websocket.accept"}]
    assert answered(stream, "websocket", **{"server.enableCORS": False}) == [{"type": "websocket.accept"}]
