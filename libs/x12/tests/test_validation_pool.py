"""Validation in other processes: the same answer, bounded, and nothing left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from time import monotonic, sleep

import pytest
from canonical.money import Money
from x12 import validation_pool
from x12.professional_claim import ProfessionalClaim, ProfessionalLine
from x12.professional_claim_writer import write_professional_claims
from x12.validation import validate
from x12.validation_pool import ValidationPool, ValidatorUnavailable

from libs.x12.tests.generated_claims import CLINIC, ENVELOPE, PLAN, RECEIVER, ROBIN, SUBMITTER

LINE = ProfessionalLine("99213", Money.of("100.50"), date(2026, 3, 1), "L1")
GOOD = write_professional_claims(
    ENVELOPE, SUBMITTER, RECEIVER, [ProfessionalClaim("PCN1", "11", ("R0789",), (LINE,), CLINIC, ROBIN, PLAN)]
)
BAD = GOOD.replace(b"19800102*F", b"19800102*Q")


@pytest.fixture
def pool() -> Iterator[ValidationPool]:
    with ValidationPool(1) as pool:
        yield pool


def children(parent: int | None = None) -> set[int]:
    pid = parent or os.getpid()
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def gone(pids: set[int]) -> bool:
    deadline = monotonic() + 10
    while not all(map(ended, pids)) and monotonic() < deadline:
        sleep(0.02)
    return all(map(ended, pids))


def test_the_answer_is_that_of_the_validator(pool: ValidationPool) -> None:
    assert pool.validate(GOOD) == []
    assert pool.validate(BAD) == validate(BAD) != []


def test_a_worker_is_kept_for_the_next_file(pool: ValidationPool) -> None:
    before = children()
    pool.validate(GOOD)
    (worker,) = children() - before
    pool.validate(BAD)
    assert children() - before == {worker}


def test_threads_share_the_workers_and_no_answer_is_anothers() -> None:
    with ValidationPool(2) as pool, ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(pool.validate, [GOOD, BAD] * 6))
    assert [bool(answer) for answer in answers] == [False, True] * 6


def test_a_worker_that_dies_is_told_and_replaced(pool: ValidationPool) -> None:
    before = children()
    pool.validate(GOOD)
    (worker,) = children() - before
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(ValidatorUnavailable, match="died"):
        pool.validate(GOOD)
    assert pool.validate(GOOD) == []


def test_a_worker_that_is_too_slow_is_ended() -> None:
    before = children()
    with ValidationPool(1, timeout_seconds=0.01) as pool, pytest.raises(ValidatorUnavailable, match="too long"):
        pool.validate(GOOD)
    assert gone(children() - before)


def test_closing_leaves_nothing_running_and_refuses_what_comes_later() -> None:
    before = children()
    pool = ValidationPool(2)
    pool.validate(GOOD)
    started = children() - before
    pool.close()
    pool.close()
    assert started
    assert gone(started)
    with pytest.raises(ValidatorUnavailable, match="closed"):
        pool.validate(GOOD)


def test_workers_end_with_a_process_that_is_killed() -> None:
    program = (
        "import sys, time\nfrom x12.validation_pool import ValidationPool\npool = ValidationPool(1)\n"
        "pool.validate(sys.stdin.buffer.read())\nprint(flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin
        assert holder.stdout
        holder.stdin.write(GOOD)
        holder.stdin.close()
        holder.stdout.readline()
        workers = children(holder.pid)
        holder.kill()
    assert workers
    assert gone(workers)


def test_a_pool_is_bounded(monkeypatch: pytest.MonkeyPatch, pool: ValidationPool) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        ValidationPool(0)
    monkeypatch.setattr(validation_pool, "BYTES_MAX", 10)
    with pytest.raises(ValueError, match="more than 10 bytes"):
        pool.validate(GOOD)
