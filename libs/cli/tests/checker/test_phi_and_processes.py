"""Planted PHI is found wherever it stands, and processes that spin or grow are named."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from throughline.checker.invariants.processes import RESIDENT_BYTES_MAX, Sample, processes_are_calm
from throughline.checker.invariants.secrets_kept import BLOCK_BYTES, Canaries, Search, no_phi
from throughline.checker.reading.processes import sample_processes
from throughline.checker.reading.texts import search_logs

NAMES = ["Maribel Quintero", "MRNN0005000027", "19 Alder Lane", "Quint7"]


def hits(data: bytes) -> list[int]:
    return Canaries(NAMES).found_in(data)


@pytest.mark.parametrize("prefix", ["", "x", "xy", "xyz"])
def test_a_canary_is_found_as_it_is_and_in_base64(prefix: str) -> None:
    text = f"{prefix} patient MRNN0005000027 was registered here today"
    assert hits(text.encode()) == [2]
    assert hits(base64.b64encode((prefix + text).encode())) == [2]


def test_canaries_that_begin_alike_are_told_apart() -> None:
    canaries = Canaries(["MRNN0005000027", "MRNN0005000028", "MRNN00050000271"])
    assert canaries.found_in(b"MRNN0005000028 MRNN0005000027x") == [1, 2]
    assert canaries.found_in(b"MRNN00050000271") == [3]
    assert canaries.found_in(b"MRNN0005000") == []


def test_a_short_canary_counts_only_as_a_word() -> None:
    assert hits(b'{"name": "Quint7"}') == [4]
    assert hits(b"aGVsbQuint7Zw") == []


def test_nothing_planted_finds_nothing() -> None:
    assert Canaries([]).found_in(b"anything") == []
    assert Canaries(["", "  "]).count == 0


def test_a_hit_names_the_place_and_never_the_canary() -> None:
    search = Search(Canaries(NAMES))
    search.look("events", "intake event 7 (intake.patient.registered)", b'{"details": "sealed"}')
    search.look("events", "intake event 8 (intake.patient.registered)", b'{"details": "Maribel Quintero"}')
    result = no_phi(search, 4, {})
    assert result.failures == ("intake event 8 (intake.patient.registered): canary 1",)
    assert "Maribel" not in json.dumps(result.as_json())


def test_everything_is_searched_however_much_there_is() -> None:
    search = Search(Canaries(NAMES))
    search.look("tables", "first", b"x" * (BLOCK_BYTES - 1))
    search.look("tables", "second", b"19 Alder Lane")
    search.look("tables", "third", b"x")
    assert no_phi(search, 4, {}).failures == ("second: canary 3",)


def test_logs_are_searched_across_the_cuts_of_reading(tmp_path: Path) -> None:
    log = tmp_path / "services" / "intake" / "intake.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"y" * (1_000_000 - 8) + b"Maribel Quintero" + b"y" * 100)
    search = Search(Canaries(NAMES))
    assert search_logs([tmp_path / "services", tmp_path / "not there"], search) == 1
    assert no_phi(search, 4, {}).failures == ("log intake.log from byte 1000000: canary 1",)


def sample(cpu_share: float = 0.01, resident_bytes: int = 100_000_000) -> Sample:
    return Sample("claims", 42, cpu_share, resident_bytes)


def test_calm_processes_hold() -> None:
    result = processes_are_calm([sample()], [])
    assert result.holds
    assert result.value["processes"] == {"claims": "1 % of a core, 95 MiB"}


def test_a_spinning_a_growing_and_a_dead_process_are_named() -> None:
    samples = [sample(cpu_share=0.99), sample(resident_bytes=RESIDENT_BYTES_MAX + 1)]
    assert len(processes_are_calm(samples, ["intake"]).failures) == 3


def test_a_busy_process_is_no_failure_while_there_is_work() -> None:
    assert processes_are_calm([sample(cpu_share=0.99)], [], settled=False).holds


def test_a_running_process_is_sampled_and_an_ended_one_is_named(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        running = {"name": "claims", "pid": child.pid, "started_ticks": int(fields[19]), "boot_id": boot_id}
        other = {"name": "intake", "pid": os.getpid(), "started_ticks": 1, "boot_id": boot_id}
        for record in (running, other):
            (tmp_path / f"{record['name']}.json").write_text(json.dumps(record))
        files = [tmp_path / name for name in ("claims.json", "intake.json", "never.json")]
        samples, stopped = sample_processes(files)
    finally:
        child.kill()
        child.wait()
    assert [found.name for found in samples] == ["claims"]
    assert samples[0].cpu_share < 0.9
    assert samples[0].resident_bytes > 0
    assert stopped == ["intake"]
