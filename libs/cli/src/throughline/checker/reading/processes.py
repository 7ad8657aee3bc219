"""The services' processes, by the records that the suite keeps of them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from throughline.checker.invariants.processes import Sample

SAMPLE_SECONDS = 1.0
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One process as its record names it. A pid alone is not enough: the kernel gives it to another process later."""

    name: str
    pid: int
    started_ticks: int
    boot_id: str

    @classmethod
    def read(cls, file: Path) -> Recorded:
        content = json.loads(file.read_text(encoding="utf-8"))
        return cls(content["name"], content["pid"], content["started_ticks"], content["boot_id"])

    def busy_ticks(self) -> int | None:
        """The time its threads have used so far; None where this run has ended."""
        try:
            text = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The second field is the program's name in brackets and may itself hold spaces and brackets.
        fields = text.rpartition(")")[2].split()
        is_this_run = (
            int(fields[19]) == self.started_ticks and BOOT_ID.read_text(encoding="ascii").strip() == self.boot_id
        )
        return int(fields[11]) + int(fields[12]) if is_this_run and fields[0] not in "ZX" else None

    def resident_bytes(self) -> int:
        pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


def sample_processes(files: Iterable[Path]) -> tuple[list[Sample], list[str]]:
    """What runs, sampled over a second, and the names of what was started and does not run."""
    recorded = [Recorded.read(file) for file in files if file.is_file()]
    before = {process: process.busy_ticks() for process in recorded}
    running = [process for process, ticks in before.items() if ticks is not None]
    stopped = [process.name for process in recorded if before[process] is None]
    if not running:
        return [], stopped
    began = time.monotonic()
    time.sleep(SAMPLE_SECONDS)
    seconds = time.monotonic() - began
    samples = []
    for process in running:
        after = process.busy_ticks()
        if after is None:
            stopped.append(process.name)
            continue
        busy = (after - (before[process] or 0)) / os.sysconf("SC_CLK_TCK")
        samples.append(Sample(process.name, process.pid, busy / seconds, process.resident_bytes()))
    return samples, stopped
