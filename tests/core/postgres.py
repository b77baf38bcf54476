"""A PostgreSQL of the tests' own: no password, no port, gone when they end."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

SORRY = (
    "The tests of the class's store need PostgreSQL's server, and there is none. Install it: "
    "apt-get install postgresql, or put its initdb on the PATH."
)
DEBIAN = "/usr/lib/postgresql"


def programs() -> Path | None:
    """The folder of initdb and postgres, the newest one; None if there is none."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve().parent] if on_path else []
    found += sorted(Path(DEBIAN).glob("*/bin"), key=lambda one: float(one.parent.name), reverse=True)
    return next((one for one in found if (one / "postgres").exists()), None)


class Postgres:
    """A server on a socket in a folder of its own."""

    def __init__(self) -> None:
        found = programs()
        if found is None:
            raise FileNotFoundError(SORRY)
        self._programs = found
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        # it refuses to run as root, and Debian's package brings a user for it
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, "postgres", "postgres")
        made = subprocess.run(
            [found / "initdb", "-D", self.folder / "data", "-U", "lab", "--auth=trust", "--no-sync", "-E", "UTF8"],
            capture_output=True, text=True, cwd=self.folder, user=self._user, group=self._user,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        self.url = f"postgresql+psycopg://lab@/postgres?host={self.folder}"
        self.start()

    def start(self) -> None:
        """Listen, and return when it does."""
        settings = {"unix_socket_directories": self.folder, "listen_addresses": "", "fsync": "off"}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.folder / "data", *flags],
                stdout=log, stderr=log, cwd=self.folder, user=self._user, group=self._user,
            )  # fmt: skip
        until = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < until, "PostgreSQL does not begin to listen"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            psycopg.connect(host=str(self.folder), user="lab", dbname="postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """End it at once, as when its machine goes down."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)

    def remove(self) -> None:
        """End it and take its folder away."""
        self.stop()
        shutil.rmtree(self.folder)
