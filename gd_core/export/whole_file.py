"""A file that is there as a whole or not at all."""

import os
import re
import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TextIO

try:
    import fcntl
except ImportError:  # Windows, where no file that is open can be taken away
    fcntl = None

LEFT = 60  # seconds without a change, after which a draft that nobody holds is one that was left


@contextmanager
def whole_file(name: str | Path) -> Generator[TextIO]:
    """A text file that appears, or takes an older one's place, only once it is complete and on the disk.

    It is written under another name in the same folder, and then renamed: a disk that is full, or a machine that
    stops, leaves the older file as it was.

    Raises:
        OSError: If it cannot be written.
    """
    path = _behind_links(name)
    _take_away_left_drafts(path)
    draft = _draft_of(path)
    try:
        with draft.open("x", encoding="utf-8", newline="") as file:
            _hold(file)
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


def _take_away_left_drafts(path: Path) -> None:
    """Delete the drafts of this file whose process was killed: nobody holds them any more."""
    head = _draft_of(path).name.rpartition(".")[0]
    with suppress(OSError):  # a folder that may be written to, and not read
        for old in list(path.parent.iterdir()):
            begin, _, end = old.name.rpartition(".")
            if begin != head or not re.fullmatch(r"[0-9a-f]{16}", end):
                continue
            with suppress(OSError):
                if time.time() - old.stat().st_mtime > LEFT:
                    with old.open("rb") as file:
                        _hold(file)
                    old.unlink()


def _hold(file: IO[str] | IO[bytes]) -> None:
    """Hold a file for as long as it is open and its process lives.

    Raises:
        BlockingIOError: If somebody else does.
    """
    if fcntl:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # a file system without locks
            pass
