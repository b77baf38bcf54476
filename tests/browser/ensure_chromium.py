"""Make sure that the browser tests have a Chromium. Silent when there is one; otherwise install one.

In Python and not in shell, so that it asks `chromium.executable_path`, the very function that the tests ask.
"""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from chromium import executable_path

PLAYWRIGHT = (sys.executable, "-m", "playwright")
SORRY = (
    "The browser tests need Chromium, and it could not be installed. Install Chromium or Chrome, "
    "or set CHROMIUM to the path of one."
)


def main() -> int:
    """Find one, or install one: Debian's package first, then Playwright's own download."""
    path = executable_path()
    if path and not shutil.which(path):
        print(f"CHROMIUM must be the path of an executable file. Got {path}.", file=sys.stderr)
        return 1
    # Chromium alone brings no font, and every letter in a chart would be a box; Playwright needs libatomic1.
    packages = ("chromium", "fonts-dejavu-core", "libatomic1")
    if is_ready() or (install_debian(*packages) and is_ready()) or (install_playwrights_own() and is_ready()):
        return 0
    print(SORRY, file=sys.stderr)
    return 1


def is_ready() -> bool:
    """Whether Playwright itself starts, which on a bare system lacks a library, and has a Chromium to drive."""
    if subprocess.run([*PLAYWRIGHT, "--version"], capture_output=True).returncode != 0:
        return False
    if executable_path():
        return True
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def install_debian(*packages: str) -> bool:
    """Debian only, since Ubuntu's package of this name is a snap; and only where no password is asked for."""
    if not shutil.which("apt-get") or platform.freedesktop_os_release().get("ID") != "debian":
        return False
    as_root = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    if as_root and not (shutil.which("sudo") and subprocess.run([*as_root, "true"]).returncode == 0):
        return False
    apt_get = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    run(*apt_get, "update")
    installed = run(*apt_get, "install", "--yes", "--no-install-recommends", *packages)
    executable_path.cache_clear()
    return installed


def install_playwrights_own() -> bool:
    """Its download; with the system's libraries where we may install them, which Playwright does by apt-get."""
    with_deps = ["--with-deps"] if shutil.which("apt-get") and os.geteuid() == 0 else []
    return run(*PLAYWRIGHT, "install", *with_deps, "chromium")


def run(*command: str) -> bool:
    """Say the command, run it, and tell whether it succeeded."""
    print("$", *command, flush=True)
    return subprocess.run(command, stdin=subprocess.DEVNULL).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
