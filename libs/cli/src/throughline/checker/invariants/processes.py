"""I11: no service spins while idle, or grows without bound."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from throughline.checker.result import Failures, Result, judged

CPU_SHARE_MAX = 0.9
RESIDENT_BYTES_MAX = 512 * 1024**2


@dataclass(frozen=True, slots=True)
class Sample:
    """One service's process over about a second: its share of one core, and what it keeps in memory."""

    name: str
    pid: int
    cpu_share: float
    resident_bytes: int


def processes_are_calm(samples: Iterable[Sample], stopped: Iterable[str], *, settled: bool = True) -> Result:
    """I11. `stopped` are services that a record names and that do not run although others do."""
    failures = Failures()
    shown = {}
    for sample in samples:
        percent, mebibytes = round(sample.cpu_share * 100), sample.resident_bytes // 1024**2
        shown[sample.name] = f"{percent} % of a core, {mebibytes} MiB"
        if sample.cpu_share > CPU_SHARE_MAX and settled:
            failures.add(f"{sample.name} (pid {sample.pid}): {percent} % of a core while nothing is to be done")
        if sample.resident_bytes > RESIDENT_BYTES_MAX:
            failures.add(f"{sample.name} (pid {sample.pid}): {mebibytes} MiB in memory")
    for name in stopped:
        failures.add(f"{name}: it was started and does not run")
    return judged("I11", "Processes are calm and bounded", failures, processes=shown)
