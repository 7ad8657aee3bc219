"""How fast an 835 is read, balanced at three levels and made canonical, and how much memory that takes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import perf_counter

import pyx12.x12file
from sandbox.world.bulk import generate_remittance

from tests.performance.figures import Bar, Baseline, Figure, Sums
from tests.performance.stopwatch import seconds_of

BAR = Bar(10_000, 30_000)
MEMORY_BAR_MB = 150
PAYMENT_DATE = date(2026, 6, 1)
GENERATED_TOGETHER_MAX = 20_000
CHILD_SECONDS_MAX = 300


@dataclass(frozen=True, slots=True)
class Sample:
    """A remittance in a file, with what it must add up to."""

    path: Path
    claim_count: int
    paid_minor: int


def reading(folder: Path, claim_counts: tuple[int, ...]) -> list[Figure]:
    """A row for each size; only the smallest is compared with others' readers."""
    smallest = _generated(folder, claim_counts[0])
    figures = []
    for count in claim_counts:
        sample = _repeated(folder, smallest, count)
        baseline = _bare_split(sample) if sample is smallest else None
        figures.append(_read_alone(sample, baseline, _tokenizer_note(sample) if sample is smallest else ()))
    return figures


def _read_alone(sample: Sample, baseline: Baseline | None, notes: tuple[str, ...]) -> Figure:
    """Reads in a process of its own, whose peak memory is the reader's and nobody else's."""
    command = [sys.executable, "-m", "tests.performance.reading_alone", str(sample.path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=CHILD_SECONDS_MAX)
    told = json.loads(done.stdout)
    size = sample.path.stat().st_size / 1_000_000
    return Figure(
        row="read",
        work=f"835 bytes → canonical claims, balanced at three levels: {sample.claim_count:,} claims, {size:.0f} MB",
        value=told["claims"] / told["seconds"],
        unit="claims/s",
        bar=BAR,
        baseline=baseline,
        memory_mb=told["peak_memory_mb"],
        memory_bar_mb=MEMORY_BAR_MB,
        details=notes,
        sums=(
            Sums("claims read", str(sample.claim_count), str(told["claims"])),
            Sums("claims balanced", "accepted", told["verdict"]),
            Sums("CLP04 in all", str(sample.paid_minor), str(told["paid_minor"])),
        ),
    )


def _generated(folder: Path, claim_count: int) -> Sample:
    remittance = generate_remittance(claim_count, PAYMENT_DATE)
    path = folder / f"{claim_count}.835"
    path.write_bytes(remittance.content)
    return Sample(path, claim_count, remittance.amount.minor)


def _repeated(folder: Path, sample: Sample, claim_count: int) -> Sample:
    """A larger remittance, made of the smaller one's claims over and over, with totals and counts set right."""
    times = claim_count // sample.claim_count
    if times <= 1:
        return sample
    content = sample.path.read_bytes()
    start, end = content.index(b"CLP*"), content.rindex(b"SE*")
    head, claims, tail = content[:start], content[start:end], content[end:]
    paid = sample.paid_minor * times
    _, amount, rest = head.partition(b"BPR*I*")
    old_amount, _, after = rest.partition(b"*")
    assert amount, f"no payment in the sample: {old_amount!r}"
    head = head[: head.index(b"BPR*I*")] + b"BPR*I*%d.%02d*" % (paid // 100, paid % 100) + after
    old_count = int(tail.split(b"*")[1])
    in_head = old_count - claims.count(b"~")
    tail = tail.replace(b"SE*%d*" % old_count, b"SE*%d*" % (in_head + claims.count(b"~") * times), 1)
    path = folder / f"{claim_count}.835"
    with path.open("wb") as file:
        file.write(head)
        for _ in range(times):
            file.write(claims)
        file.write(tail)
    return Sample(path, sample.claim_count * times, paid)


def _bare_split(sample: Sample) -> Baseline:
    """Segments and elements by two nested splits: nothing is checked, summed or kept."""
    content = sample.path.read_bytes()

    def split() -> None:
        for segment in content.split(b"~"):
            segment.split(b"*")

    return Baseline("bytes.split into segments and elements, nothing read", sample.claim_count / seconds_of(split))


def _tokenizer_note(sample: Sample) -> tuple[str, ...]:
    """What pyx12 needs to cut the same file into segments, without validating."""
    began = perf_counter()
    with sample.path.open(encoding="ascii") as file:
        segments = sum(1 for _ in pyx12.x12file.X12Reader(file))
    seconds = perf_counter() - began
    return (f"pyx12's tokenizer alone: {sample.claim_count / seconds:,.0f} claims/s ({segments:,} segments)",)
