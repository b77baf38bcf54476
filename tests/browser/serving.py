"""The app on a port of its own, for the browser tests, the benchmarks and the screenshots."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds; a cold machine reads torch from its disk


class Server(NamedTuple):
    """A running app: its address and its process."""

    url: str
    pid: int


@contextmanager
def serving(
    app: str = "app.py",
    port: int | None = None,
    flags: Sequence[str] = (),
    module: Sequence[str] = ("streamlit", "run"),
    log: int | IO[bytes] = subprocess.DEVNULL,
    when: str = "/_stcore/health",
) -> Generator[Server]:
    """Start an app on a free loopback port, wait until it answers, and end just that process afterwards.

    Otherwise it is started as the README says, so what is measured and tested is what users have.

    Args:
        app: The file to run, from the root.
        port: Its port, if it must be a certain one.
        flags: Further flags, where a test is about them.
        module: What runs it, where it is not Streamlit's own command.
        log: Where its log goes.
        when: What it answers when it is waited for no longer. That it is well, it says when all is loaded.
    """
    port = port or free_port()
    command = [sys.executable, "-m", *module, app, "--server.address", "127.0.0.1"]
    command += ["--server.port", str(port), "--server.headless", "true", *flags]
    process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}{when}", process)
        yield Server(url, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until the address answers; an error if the process ends before, or after much patience."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The app ended with code {process.returncode} before it answered.")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"The app did not answer within {PATIENCE} seconds.")
