"""What a server takes: processor time, and memory. On Linux, where both can be read of another process."""

import gc
import os
import time
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """Processor time of a process since its start, all threads, in nanoseconds' steps.

    The clock of another process has this number by definition: clock_getcpuclockid(3).
    """
    return time.clock_gettime((~pid << 3) | 2)


def resident(pid: int | str) -> float:
    """Memory that a process holds, in MB."""
    return _status(pid, "VmRSS")


def peak(pid: int | str = "self") -> float:
    """The most memory that a process has held, in MB."""
    return _status(pid, "VmHWM")


def open_files(pid: int) -> int:
    """How many files, sockets and the like a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def has_mapped(pid: int, library: str) -> bool:
    """Whether a process has loaded compiled code of a library."""
    return f"/{library}/" in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


def _status(pid: int | str, name: str) -> float:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name}:")]
    return int(line.split()[1]) * 1024 / 1e6


def forget_peak() -> None:
    """Let `peak` of this process begin anew."""
    gc.collect()
    Path(f"/proc/{os.getpid()}/clear_refs").write_text("5", encoding="utf-8")
