"""Where charts become files: a process beside the server, which starts when it is needed and ends when it is idle."""

import atexit
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # seconds for one request; one picture takes a third of a second
_SCRIPT = Path(__file__).with_name("converter.py")


class ConversionError(RuntimeError):
    """A chart could not be made into a file."""


class Workshop:
    """One such process. Requests of several visitors wait for each other."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def make(self, make: str, spec: Mapping[str, Any], told: Callable[[int], object] | None = None) -> bytes:
        """See `converter.answer`.

        Raises:
            ConversionError: With a sentence, if it could not be made.
        """
        request = json.dumps({"make": make, "spec": dict(spec)}).encode() + b"\n"
        with self._lock:
            try:
                return self._asked(request, told)
            except OSError:  # it was idle for too long and has ended
                self._end()
            try:
                return self._asked(request, told)
            except OSError as error:
                self._end()
                raise ConversionError("The file could not be made: the converter does not answer.") from error

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _asked(self, request: bytes, told: Callable[[int], object] | None) -> bytes:
        process = self._process = self._process or subprocess.Popen(
            [sys.executable, "-P", str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the server alone, which ends this process
        )
        assert process.stdin
        assert process.stdout
        head, made = b"=", b""
        while head[:1] == b"=":
            late = threading.Timer(PATIENCE, process.kill)
            late.start()
            try:
                if request:
                    process.stdin.write(request)
                    process.stdin.flush()
                    request = b""
                head = process.stdout.read(9)
                length = 0 if head[:1] == b"=" else int.from_bytes(head[1:], "big")
                made = process.stdout.read(length)
            finally:
                late.cancel()
            if len(head) < 9 or len(made) < length:
                raise OSError("the converter has ended")
            if head[:1] == b"=" and told:
                told(int.from_bytes(head[1:], "big"))
        if head[:1] != b"+":
            raise ConversionError(f"The file could not be made: {made.decode(errors='replace')[:200]}")
        return made

    def _end(self) -> None:
        ended, self._process = self._process, None
        if ended is None:
            return
        ended.kill()
        ended.wait()
        for pipe in (ended.stdin, ended.stdout):
            if pipe:
                with suppress(OSError):  # what it did not read any more
                    pipe.close()


_charts = Workshop()
atexit.register(_charts.close)
_runtime: list[bytes] = []
_making = threading.Lock()


def png(spec: Mapping[str, Any]) -> bytes:
    """A specification with its data in it as a PNG of two pixels for each of its own."""
    return _charts.make("png", spec)


def svg(spec: Mapping[str, Any]) -> bytes:
    """The same as an SVG."""
    return _charts.make("svg", spec)


def runtime() -> str:
    """JavaScript that sets `window.vegaEmbed`. Made once in the server's life: it takes seconds."""
    with _making:
        if not _runtime:
            own = Workshop()
            try:
                _runtime.append(own.make("runtime", {}))
            finally:
                own.close()
    return _runtime[0].decode()


def warm_up() -> None:
    """Start what a visitor is about to need, without waiting for it."""
    blank = {"data": {"values": [{}]}, "mark": "point"}
    for work in (lambda: _charts.make("png", blank), runtime):
        threading.Thread(target=_quietly, args=(work,), daemon=True).start()


def _quietly(work: Callable[[], object]) -> None:
    with suppress(ConversionError):  # it is tried again when someone asks, who is then told
        work()
