"""Several processes behind nginx with docs/nginx.conf: does each visitor stay at one, and what if that one dies?

Run by hand: `PYTHONPATH=.:tests/browser .venv/bin/python tests/benchmarks/affinity.py`. It needs nginx (Debian: apt install
nginx-light), starts everything on free ports of the loopback interface, and ends all that it started.
"""

import argparse
import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from chromium import executable_path
from lab import Lab
from page import query
from process import cpu_seconds
from serving import ROOT, Server, free_port, serving, wait_for
from visitor import visiting

PORTS = ("8501", "8502", "8503")  # of the file in docs
LOG = 'log_format who "$upstream_addr $status $request_uri"; access_log %s/access.log who;'


def main() -> int:
    """Start, try, and say what was seen; 1 if it was not what the documentation says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=30)
    count = parser.parse_args().visitors
    if shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") is None:
        print("nginx is not here. Debian: apt install nginx-light")
        return 1
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        servers = [stack.enter_context(serving()) for _ in PORTS]
        url, log = stack.enter_context(proxy(servers, Path(folder)))
        visitors = [asyncio.run(twice(url)) for _ in range(count)]
        places = upstreams(log)
        pairs = list(zip(places[::2], places[1::2], strict=True))
        stayed = sum(first == again for first, again in pairs)
        print(f"{len(visitors)} visitors, each connected twice: {stayed} came to the same process again.")
        print(f"Visitors by process: {sorted(Counter(first for first, _ in pairs).values())}.")
        shown = one_dies(url, servers)
        return 0 if stayed == count and all(visitors) and shown else 1


@contextmanager
def proxy(servers: list[Server], folder: Path) -> Generator[tuple[str, Path]]:
    """nginx with the file in docs, on a port of its own, in front of these. Its address, and its log."""
    text, port = (ROOT / "docs" / "nginx.conf").read_text(encoding="utf-8"), free_port()
    for old, server in zip(PORTS, servers, strict=True):
        assert text.count(f"127.0.0.1:{old}") == 1
        text = text.replace(f"127.0.0.1:{old}", server.url.removeprefix("http://"))
    assert text.count("listen 80;") == 1
    text = text.replace("listen 80;", f"listen 127.0.0.1:{port};")
    (folder / "lab.conf").write_text(text, encoding="utf-8")
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    around = f"daemon off; pid {folder}/pid; events {{ worker_connections 4096; }} http {{ {LOG % folder} {places} include {folder}/lab.conf; }}"
    (folder / "nginx.conf").write_text(around, encoding="utf-8")
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    process = subprocess.Popen(command, env={"PATH": "/usr/sbin:/usr/bin:/usr/local/sbin"})
    try:
        wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield f"http://127.0.0.1:{port}", folder / "access.log"
    finally:
        process.terminate()
        process.wait(10)


async def twice(url: str) -> bool:
    """A visitor gets the cookie, trains, leaves, and comes back. Whether all was there both times."""
    with urllib.request.urlopen(url) as answer:
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    good = True
    for _ in range(2):
        async with visiting(url, query=query(), headers={"Cookie": cookie}) as visitor:
            opened, pressed = await visitor.open(), await visitor.press("Train")
            good &= not opened.errors + pressed.errors and pressed.last_chart is not None
    return good


def upstreams(log: Path) -> list[str]:
    """To which process each websocket went, in the order in which they ended."""
    lines = log.read_text(encoding="utf-8").splitlines()
    return [line.split()[0] for line in lines if line.split()[-2] == "101"]


def one_dies(url: str, servers: list[Server]) -> bool:
    """A visitor in a browser, whose process is killed: does the page go on with another?"""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable_path(), args=["--no-sandbox", "--disable-gpu"]
        )
        lab = Lab(browser.new_page(), url)
        took = {one.pid: -cpu_seconds(one.pid) for one in servers}
        lab.open_page(f"/?{query(7)}").train().to_end()
        before, sentence = lab.query, lab.summary.inner_text()
        home = max(took, key=lambda pid: took[pid] + cpu_seconds(pid))  # the process that has worked for it
        runs = lab.count("runs")
        os.kill(home, signal.SIGKILL)
        lab.page.wait_for_function("(before) => watch.runs > before", arg=runs)  # it connects again by itself
        lab.settled()
        kept = lab.query == before
        lab.train().to_end()
        same = lab.summary.inner_text() == sentence
        browser.close()
    print(
        f"Its process killed, its visitor finds {'the same' if kept else 'ANOTHER'} experiment in the address,"
    )
    print(f"and Train ended with {'the same sentence' if same else 'ANOTHER SENTENCE'}: {sentence}")
    return kept and same


if __name__ == "__main__":
    sys.exit(main())
