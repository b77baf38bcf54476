"""One component's JavaScript alone: on a blank page without Streamlit, mounted with data as Streamlit mounts it."""

from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from lab import Lab
from pages.ui.look.numbers import with_numbers
from pages.ui.player import player

FOLDER = Path(__file__).resolve().parents[2] / "pages" / "ui"
SUFFIXES = ("html", "css", "js")
# `alone.update(data)` is a run of the page, `alone.sent` what the component has told the server since, and
# `alone.pass(seconds)` lets animation frames go by, sixty a second: nothing moves between them.
# What is packed arrives as a list of bytes.
MOUNT = """async ({ html, css, js, data }) => {
    const waiting = new Map();
    let now = 0, number = 0;
    const root = document.getElementById('host').attachShadow({ mode: 'open' });
    root.innerHTML = `<style>${css}</style>${html}`;
    const tell = (name, value) => void alone.sent.push([name, value]);
    let component = null, leave = null;
    window.alone = {
        sent: [],
        requestAnimationFrame: (callback) => (waiting.set(++number, callback), number),
        cancelAnimationFrame: (one) => void waiting.delete(one),
        update(data) {
            leave?.();
            if (Array.isArray(data)) data = Uint8Array.from(data);
            leave = component({ parentElement: root, data, setTriggerValue: tell, setStateValue: tell });
        },
        pass(seconds) {
            for (let left = Math.round(60 * seconds); left > 0; left--) {
                now += 1000 / 60;
                const due = [...waiting.values()];
                waiting.clear();
                for (const callback of due) callback(now);
            }
        },
    };
    const ours = 'const { requestAnimationFrame, cancelAnimationFrame } = window.alone;'; // the browser's stay real
    const source = new Blob([ours, js], { type: 'text/javascript' });
    component = (await import(URL.createObjectURL(source))).default;
    alone.update(data);
}"""


def _given(data: dict[str, Any]) -> Any:
    """As the server sends it: with a table among it, packed for the player."""
    if "table" not in data:
        return data
    columns = {name: np.asarray(values, np.float32) for name, values in data["table"].items()}
    return list(player.packed({name: value for name, value in data.items() if name != "table"}, columns))


class Component(Lab):
    """A component of `pages/ui` by its name. What `Lab` knows of the player's buttons and of charts works here, too.

    Args:
        page: An empty page.
        name: The name that its html, css and js have.
        data: What the server gives it.
        around: HTML of the page around it.
    """

    def __init__(self, page: Page, name: str, data: dict[str, Any], around: str = "") -> None:
        super().__init__(page, "")
        page.set_content(f'<!doctype html><title>{name}</title>{around}<div id="host"></div>')
        (folder,) = {file.parent for file in FOLDER.rglob(f"{name}.html")}
        parts = {suffix: (folder / f"{name}.{suffix}").read_text(encoding="utf-8") for suffix in SUFFIXES}
        parts["js"] = with_numbers(folder / f"{name}.js")
        page.evaluate(MOUNT, parts | {"data": _given(data)})
        self.data = data

    def update(self, **changes: Any) -> "Component":
        """Let the server give it other data."""
        self.data = self.data | changes
        self.page.evaluate("data => alone.update(data)", _given(self.data))
        return self

    def frames(self, seconds: float) -> "Component":
        """Let animation frames go by, for so many seconds of theirs."""
        self.page.evaluate("seconds => alone.pass(seconds)", seconds)
        return self

    def sent(self) -> list[tuple[str, Any]]:
        """What it has told the server since this was last asked: names and values."""
        return [(name, value) for name, value in self.page.evaluate("alone.sent.splice(0)")]
