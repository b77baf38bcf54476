"""A word from another process, which a test waits for without looking again and again."""

import os
import select
import subprocess
from pathlib import Path


class Pipe:
    """A named pipe that stands open for reading, so that who writes into it need not wait."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def heard(self, process: subprocess.Popen[str], seconds: float) -> str:
        """What was said, once something was. A process that ends before fails the test, and so does its silence."""
        for _ in range(int(seconds)):
            if select.select([self._end], [], [], 1)[0]:
                return os.read(self._end, 4096).decode()
            assert process.poll() is None, "The process has ended without a word."
        raise AssertionError(f"Nothing was heard in {seconds} seconds.")

    def close(self) -> None:
        os.close(self._end)
