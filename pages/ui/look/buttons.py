"""How a button looks in the components: a style sheet that each of them starts with."""

from pathlib import Path


def with_buttons(style: Path) -> str:
    """A component's style sheet after the rules of `buttons.css`."""
    return "\n".join(
        path.read_text(encoding="utf-8") for path in (Path(__file__).with_name("buttons.css"), style)
    )
