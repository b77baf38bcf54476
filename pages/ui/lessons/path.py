"""The end of the lessons: what was predicted, right and wrong, from this browser's own memory. It is never sent here."""

from pathlib import Path

from streamlit.components.v2 import component

from pages.ui.look.buttons import with_buttons
from pages.ui.look.navigation import LESSONS

_HERE = Path(__file__).parent
_LOOK = _HERE.parent / "look"
_path = component(
    "path",
    html=(_HERE / "path.html").read_text(encoding="utf-8"),
    css=with_buttons(_HERE / "path.css"),
    js="\n".join(
        script.read_text(encoding="utf-8") for script in (_LOOK / "predicted.js", _HERE / "path.js")
    ),
)


def summary() -> None:
    """List the predictions by lesson, to print or to take along."""
    _path(key="path", data={"titles": tuple(LESSONS.items())})
