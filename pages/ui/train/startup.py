"""What a server does before its first page: load PyTorch and the rest, and train once what the page opens with.

Meanwhile it sends Streamlit's own files, so that who opens the page at once has its shell by then. Whether the server is well,
which a page asks before it speaks with it, is answered when all is loaded.
"""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import cli_util, config
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.server import server_util

from pages.ui.classroom import connection
from pages.ui.look.described import DESCRIPTIONS
from pages.ui.train import giving_back

_loaded = asyncio.Event()


@asynccontextmanager
async def lifespan(_: Any) -> AsyncGenerator[None]:
    """For the server: it answers from here on, and `Waiting` says what."""
    # it watches the whole folder for changes, .venv too, and warns when torch opens its thousands of files there
    logging.getLogger("watchdog").setLevel(logging.ERROR)
    keep_what_is_unsent()
    PagesManager.uses_pages_directory = False  # as the first `st.navigation` sets it: see `navigation.enter`
    task = asyncio.create_task(_prepare())
    open_browser()
    yield
    task.cancel()


def keep_what_is_unsent() -> None:
    """Have the run of a fragment leave alone what the page's run before it has said and the server not sent yet.

    On a busy machine Streamlit 1.67 drops of it what stands in the fragment, since that is sent again. But the browser hears
    first that the page has ended: the fragment's place is gone for it, what stands behind moves up, and is drawn over.
    """
    clear = ForwardMsgQueue.clear

    @wraps(clear)
    def keep(
        self: ForwardMsgQueue,
        retain_lifecycle_msgs: bool = False,
        fragment_ids_this_run: list[str] | None = None,
    ) -> None:
        of_none = None if fragment_ids_this_run is None else []
        clear(self, retain_lifecycle_msgs, of_none)

    ForwardMsgQueue.clear = keep


async def _prepare() -> None:
    """Load all in a thread, let in who waits for it, and tidy up from then on. A server that cannot load ends.

    Until then this thread may import nothing of what is loaded: it would wait, and with it everyone who asks for a file.
    """
    try:
        await asyncio.to_thread(load)
    except Exception:
        logging.getLogger(__name__).exception("The app could not be loaded.")
        signal.raise_signal(signal.SIGTERM)
        return
    _loaded.set()
    connection.at_start()
    await giving_back.for_ever()


class Waiting:
    """ASGI middleware: until all is loaded, only Streamlit's own files and the HTML of a page are sent; all else waits."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or open one websocket."""
        if scope["type"] in ("http", "websocket") and not _is_of_the_shell(scope):
            await _loaded.wait()
        await self._app(scope, receive, send)


def _is_of_the_shell(scope: Scope) -> bool:
    path = scope["path"]
    return scope["type"] == "http" and ("/static/" in path or path.rpartition("/")[2] in DESCRIPTIONS)


def load() -> None:
    """Import what Train imports, and use it once: much of torch and Altair is loaded at the first use."""
    # pyarrow reads it when it is imported; its own allocator sets 6 MB aside, and our tables have a few kilobytes
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    from gd_core import verdict
    from gd_core.settings.examples import OPENING
    from pages.ui.charts.error import error
    from pages.ui.charts.fit import fit
    from pages.ui.charts.loss_map import landscape
    from pages.ui.charts.model import RecordedRun
    from pages.ui.look.palette import palette
    from pages.ui.player import live_runs, player, tabs

    assert tabs
    problem, curvature, forecast = live_runs.foreseen(OPENING.experiment)
    run = RecordedRun(OPENING.experiment, problem, curvature, live_runs.recorded(OPENING.experiment))
    colours = palette("light")
    player.table(run, verdict.of_steps(run.recording, run.experiment, forecast))
    fit(run, colours, 300)
    error(run, colours, 300)
    names = list(run.experiment.info.parameters)
    landscape(run, (0, 1), names, colours, 300)
    live_runs.settle()


def open_browser() -> None:
    """What `streamlit run` does at home when it runs a script, and does not when it serves an `st.App`."""
    if config.get_option("server.headless"):
        return
    named = [name for name in ("browser.serverAddress", "server.address") if config.is_manually_set(name)]
    host = config.get_option(named[0]) if named else "localhost"
    cli_util.open_browser(server_util.get_url(server_util.get_display_address(host)))
