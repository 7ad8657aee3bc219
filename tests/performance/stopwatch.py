"""Time and memory of a piece of work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path
from time import perf_counter


def seconds_of(work: Callable[[], object]) -> float:
    """Wall time of one run."""
    began = perf_counter()
    work()
    return perf_counter() - began


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest rank: the smallest value that so many percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]


def peak_memory_mb(pid: int) -> float:
    """The most memory that a running process has ever had resident."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"process {pid} tells no peak memory")


def cpu_seconds(pid: int) -> float:
    """User and system time that a running process has used."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / 100


def family_cpu_seconds(pid: int) -> float:
    """The same of a process with all that descend from it; what a child that ended has used is its parent's."""
    try:
        fields = _stat(pid)
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) / 100 + sum(family_cpu_seconds(int(child)) for child in children)


def _stat(pid: int) -> list[str]:
    """The fields of a process's `stat` after its name."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
