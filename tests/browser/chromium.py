"""Which Chromium the browser tests and the screenshots use."""

import os
import shutil
import subprocess
from functools import cache

COMMANDS = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")


@cache
def executable_path() -> str | None:
    """The path for Playwright's `launch(executable_path=…)`; None means Playwright's own Chromium.

    $CHROMIUM decides where it is set; then the first of `COMMANDS` on the PATH that works.
    """
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        return shutil.which(chosen) or chosen
    paths = map(shutil.which, COMMANDS)
    return next((path for path in paths if path and _works(path)), None)


def _works(path: str) -> bool:
    """Whether it says its version and is no snap: Ubuntu's stub does not, and a snap cannot see our /tmp."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return "snap" not in answer.stdout
