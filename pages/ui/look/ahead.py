"""Streamlit's own files that a first view of ours needs, and where its server is, named in the HTML that is sent first.

Streamlit's page asks for the code of an element when the first message about one arrives, and for the charts' last. A browser
that knows of them fetches them beside the shell, and makes the charts' ready while it waits for the server's first message.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from streamlit import file_util

EVERYWHERE = ("BidiComponent", "Html", "PageLink")
CHARTS = "ArrowVegaLiteChart"
WITH_CHARTS = (CHARTS, *EVERYWHERE, "Button", "TextInput")
WITHOUT_CHARTS = {"compare", "glossary"}  # before a run is pinned, nor then a side bar
# Streamlit's page would ask below its own address first, as if the app stood there, and on for another tenth of a second.
SERVER = "globalThis.__streamlit ??= { BACKEND_BASE_URL: new URL('.', location.href).href };"
# The side bar comes last, and who is new is told late where to begin: their room is kept from the first byte on, or what stands
# beside and below them would be drawn twice. Not where Streamlit opens the side bar folded.
ROOM = """ try {
    const asked = new URLSearchParams(location.search), root = document.documentElement;
    if (!localStorage.getItem('gradient-descent-lab.no-longer-new')) root.classList.add('lab-new');
    const folded = ([name, text]) => name.startsWith('stSidebarCollapsed-') && text === 'true';
    const without = asked.get('view') === 'projector' || (asked.has('embed') && innerWidth <= 800);
    if (innerWidth > 768 && !without && !Object.entries(localStorage).some(folded)) {
        root.style.setProperty('--lab-side-bar', `${localStorage.getItem('sidebarWidth') || 281.25}px`);
        new MutationObserver((_, watch) => {
            if (!document.querySelector('[data-testid=stSidebar]')) return;
            root.style.removeProperty('--lab-side-bar');
            watch.disconnect();
        }).observe(root, { childList: true, subtree: true });
    }
} catch { /* a browser that keeps nothing */ }"""
_IMPORT = re.compile(r'\b(?:from|import)"\./([^"]+\.js)"')
_HEAD = 20_000  # characters at the beginning of a file, where its imports stand


def _folder() -> Path:
    return Path(file_util.get_static_dir(), "static", "js")


def _files(element: str) -> Iterator[str]:
    """The file with an element's code; none where this Streamlit calls it otherwise."""
    return (file.name for file in _folder().glob(f"{element}.*.js"))


@lru_cache(2)
def links(html: str, *, charts: bool) -> str:
    """For the head of Streamlit's HTML: what the first view needs and the HTML does not name itself."""
    known: dict[str, None] = {}

    def need(file: str) -> None:
        if file in known or file in html:
            return
        known[file] = None
        with (_folder() / file).open(encoding="utf-8") as text:
            for other in _IMPORT.findall(text.read(_HEAD)):
                need(other)

    for element in WITH_CHARTS if charts else EVERYWHERE:
        for file in _files(element):
            need(file)
    return "".join(f'<link rel="modulepreload" crossorigin href="./static/js/{file}">' for file in known)


@lru_cache(2)
def script(*, charts: bool) -> str:
    """Says where the server is, keeps the side bar's room, and has the charts' code run when the browser first has nothing to do."""
    if not charts:
        return SERVER
    imports = "".join(f"import('./static/js/{file}');" for file in _files(CHARTS))
    return SERVER + ROOM + (f" globalThis.requestIdleCallback?.(() => {{ {imports} }})" if imports else "")
