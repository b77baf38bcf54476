"""A file that is there as a whole or not at all."""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO


@contextmanager
def whole_file(name: str | Path) -> Generator[TextIO]:
    """A text file that appears, or takes an older one's place, only once it is complete and on the disk.

    It is written under another name in the same folder, and then renamed: a disk that is full, or a machine that
    stops, leaves the older file as it was.

    Raises:
        OSError: If it cannot be written.
    """
    path = _behind_links(name)
    draft = _draft_of(path)
    try:
        with draft.open("x", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        with suppress(OSError):  # the rename too; a folder cannot be opened on Windows
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    finally:
        draft.unlink(missing_ok=True)


def try_whole_file(name: str | Path) -> None:
    """Find out whether such a file could be written; an older one stays as it is.

    Raises:
        OSError: If it cannot.
    """
    draft = _draft_of(_behind_links(name))
    draft.touch(exist_ok=False)
    draft.unlink()


def is_same_file(one: str | Path, other: str | Path) -> bool:
    """Whether two names are of one file, which need not be there yet: by another spelling, or behind a link."""
    first, second = (os.path.normcase(os.path.realpath(name)) for name in (one, other))
    with suppress(OSError):  # one is not there, or too long for a name
        return first == second or Path(first).samefile(second)
    return False


def _behind_links(name: str | Path) -> Path:
    """The file itself: a link to it stays one."""
    path = Path(os.path.realpath(name))
    if path.exists() and not path.is_file():
        raise OSError(0, "not a file")
    return path


def _draft_of(path: Path) -> Path:
    """A name that nobody has."""
    # not by the process number, which in a container is always the same: what a killed one left would be in the way
    return path.with_name(f".{path.name[:50]}.{secrets.token_hex(8)}")
