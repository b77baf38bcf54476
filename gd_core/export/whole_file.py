"""A file that is there as a whole or not at all."""

import os
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
    path = Path(os.path.realpath(name))  # behind a link, not in its place
    if path.exists() and not path.is_file():
        raise OSError(0, "not a file")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
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
