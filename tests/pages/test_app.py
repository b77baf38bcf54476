"""`streamlit run app.py` serves, and at home it opens a browser, as it does for every other Streamlit app."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pipe import Pipe

from serving import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds
# on Linux, Streamlit opens a browser with this
XDG_OPEN = """#!/bin/sh
echo "$1" > "$(dirname "$0")/opened"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems open a browser in another way")
def test_at_home_a_browser_opens(tmp_path):
    """With a display, the app's address is opened once all is loaded, and nobody is asked for an email address before."""
    opener, opened, port = tmp_path / "xdg-open", Pipe(tmp_path / "opened"), free_port()
    opener.write_text(XDG_OPEN)
    opener.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"],
        cwd=ROOT,
        env=os.environ | {"HOME": str(tmp_path), "DISPLAY": ":9", "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert opened.heard(process, PATIENCE).strip() == f"http://localhost:{port}"
    finally:
        opened.close()
        process.kill()
        process.wait()
