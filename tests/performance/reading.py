"""How fast an 835 is read, balanced at three levels and made canonical, and how much memory that takes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter

import pyx12.params
import pyx12.x12file
import pyx12.x12n_document
from sandbox.world.bulk import generate_remittance

from tests.performance.figures import Bar, Baseline, Figure, Sums
from tests.performance.stopwatch import seconds_of

BAR = Bar(10_000, 30_000)
MEMORY_BAR_MB = 150
PAYMENT_DATE = date(2026, 6, 1)
VALIDATED_CLAIMS = 1_000
CHILD_SECONDS_MAX = 1_200


@dataclass(frozen=True, slots=True)
class Sample:
    """A remittance in a file, with what it must add up to."""

    path: Path
    claim_count: int
    paid_minor: int


def reading(folder: Path, claim_counts: tuple[int, ...], stream_megabytes: int) -> list[Figure]:
    """A row for each size; only the smallest is compared with others' readers. The last is a stream that stands on no disk."""
    smallest = _generated(folder, claim_counts[0])
    times = max(1, stream_megabytes * 1_000_000 // smallest.path.stat().st_size)
    figures = [_read_alone(smallest, 1, _bare_split(smallest), _peers_notes(folder, smallest))]
    figures += [_read_alone(smallest, count // smallest.claim_count) for count in claim_counts[1:]]
    return [*figures, _read_alone(smallest, times)]


def _read_alone(sample: Sample, times: int, baseline: Baseline | None = None, notes: tuple[str, ...] = ()) -> Figure:
    """Reads in a process of its own, whose peak memory is the reader's and nobody else's."""
    command = [sys.executable, "-m", "tests.performance.reading_alone", str(sample.path)]
    command += [str(sample.paid_minor), str(times)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=CHILD_SECONDS_MAX)
    told = json.loads(done.stdout)
    claims, size = sample.claim_count * times, told["bytes"] / 1_000_000
    return Figure(
        row="read",
        work=f"835 bytes → canonical claims, balanced at three levels: {claims:,} claims, {size:,.0f} MB",
        value=told["claims"] / told["seconds"],
        unit="claims/s",
        bar=BAR,
        baseline=baseline,
        memory_mb=told["peak_memory_mb"],
        memory_bar_mb=MEMORY_BAR_MB,
        details=notes,
        sums=(
            Sums("claims read", str(claims), str(told["claims"])),
            Sums("claims balanced", "accepted", told["verdict"]),
            Sums("CLP04 in all", str(sample.paid_minor * times), str(told["paid_minor"])),
        ),
    )


def _generated(folder: Path, claim_count: int) -> Sample:
    remittance = generate_remittance(claim_count, PAYMENT_DATE)
    path = folder / f"{claim_count}.835"
    path.write_bytes(remittance.content)
    return Sample(path, claim_count, remittance.amount.minor)


def _bare_split(sample: Sample) -> Baseline:
    """Segments and elements by two nested splits: nothing is checked, summed or kept."""
    content = sample.path.read_bytes()

    def split() -> None:
        for segment in content.split(b"~"):
            segment.split(b"*")

    return Baseline("bytes.split into segments and elements, nothing read", sample.claim_count / seconds_of(split))


def _peers_notes(folder: Path, sample: Sample) -> tuple[str, ...]:
    """What pyx12 needs for the same: to cut the file into segments, and to hold the guide against a smaller one."""
    began = perf_counter()
    with sample.path.open(encoding="ascii") as file:
        segments = sum(1 for _ in pyx12.x12file.X12Reader(file))
    tokenized = sample.claim_count / (perf_counter() - began)
    small = _generated(folder, min(VALIDATED_CLAIMS, sample.claim_count))
    began = perf_counter()
    with small.path.open(encoding="ascii") as file:
        pyx12.x12n_document.x12n_document(pyx12.params.params(), file, None, None, None)
    validated = small.claim_count / (perf_counter() - began)
    return (
        f"pyx12's tokenizer alone: {tokenized:,.0f} claims/s ({segments:,} segments)",
        f"pyx12's validator, by the guide's rules and not by its sums: {validated:,.0f} claims/s ({small.claim_count:,} claims)",
    )
