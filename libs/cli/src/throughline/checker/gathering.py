"""Reads everything once nothing moves any more, and reads again where something moved meanwhile."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from throughline.checker.evidence import Evidence
from throughline.checker.folding import Sources
from throughline.checker.invariants.erp_agreement import ErpBooks, books_of_all
from throughline.checker.invariants.processes import Sample
from throughline.checker.invariants.secrets_kept import Canaries, Search
from throughline.checker.invariants.streams import Nats, floors
from throughline.checker.reading.erp import ErpUnreadable, TrytonReader
from throughline.checker.reading.erp_exports import read_export
from throughline.checker.reading.keys import known_keys
from throughline.checker.reading.processes import sample_processes
from throughline.checker.reading.stores import log_end, read_store
from throughline.checker.reading.streams import NatsReader
from throughline.checker.reading.texts import search_logs, search_metrics
from throughline.checker.world import World

STILL_SECONDS = 0.3
READINGS_MAX = 3

Mark = tuple[object, ...]


@dataclass(slots=True)
class Gathered:
    """Everything that was read. `erp` is the reason where there are no books to compare with."""

    world: World
    nats: Nats
    erp: ErpBooks | str
    erp_is_expected: bool
    search: Search | None
    canary_count: int
    not_searched: Mapping[str, str]
    samples: list[Sample]
    stopped: list[str]
    is_still: bool
    readings: int


def gather(evidence: Evidence, *, wait_seconds: float) -> Gathered:
    """
    Raises:
        NatsUnreadable, psycopg.Error: a store or the streams cannot be read.
    """
    with NatsReader(evidence.nats) as nats, ThreadPoolExecutor(1) as threads:
        is_still = _wait_until_still(evidence, nats, wait_seconds)
        calm = threads.submit(sample_processes, evidence.processes)
        for reading in range(1, READINGS_MAX + 1):
            before = _mark(evidence, nats)
            gathered = _read(evidence, nats)
            gathered.readings = reading
            gathered.is_still = is_still and before == _mark(evidence, nats)
            if before == _mark(evidence, nats):
                break
        gathered.samples, gathered.stopped = calm.result()
        return gathered


def _read(evidence: Evidence, nats: NatsReader) -> Gathered:
    canaries = _canaries(evidence)
    search = Search(canaries) if canaries is not None else None
    survey = nats.survey(evidence.replicas)
    stores = {}
    for service, dsn in evidence.dsns.items():
        first, last = nats.bounds(service)
        sources = Sources(nats.messages(service, first, last), trimmed=first > 1, search=search)
        stores[service] = read_store(service, dsn, sources)
    keys = known_keys(evidence.keys_dsn) if evidence.keys_dsn else None
    world = World(stores, floors(survey), settled=evidence.settled, keys=keys)
    erp = _erp(evidence, search)
    not_searched = _search_texts(evidence, search) if search is not None else {}
    return Gathered(
        world=world,
        nats=survey,
        erp=erp,
        erp_is_expected=evidence.has_erp,
        search=search,
        canary_count=canaries.count if canaries is not None else 0,
        not_searched=not_searched,
        samples=[],
        stopped=[],
        is_still=True,
        readings=1,
    )


def _erp(evidence: Evidence, search: Search | None) -> ErpBooks | str:
    if not evidence.has_erp:
        return evidence.no_erp
    try:
        books = [TrytonReader(evidence.erp_info, search).books()] if evidence.erp_info else []
        return books_of_all([*books, *(read_export(path, search) for path in evidence.erp_exports)])
    except (ErpUnreadable, OSError, KeyError, TypeError, ValueError) as error:
        return f"the ERP cannot be read: {error}"


def _canaries(evidence: Evidence) -> Canaries | None:
    if evidence.canaries is None or not evidence.canaries.is_file():
        return None
    return Canaries(evidence.canaries.read_text(encoding="utf-8").splitlines())


def _search_texts(evidence: Evidence, search: Search) -> dict[str, str]:
    """Searches logs and metrics; what could not be searched, and why."""
    not_searched = {}
    if search_logs(evidence.logs, search) == 0:
        not_searched["logs"] = "there are none"
    silent = search_metrics(evidence.metrics, search)
    if silent or not evidence.metrics:
        not_searched["metrics"] = f"{len(silent)} of {len(evidence.metrics)} services do not answer"
    return not_searched


def _wait_until_still(evidence: Evidence, nats: NatsReader, wait_seconds: float) -> bool:
    """Waits until nothing is pending and no log grows; whether that came in time."""
    deadline = time.monotonic() + wait_seconds
    mark = _mark(evidence, nats)
    while True:
        time.sleep(STILL_SECONDS)
        latest = _mark(evidence, nats)
        if latest == mark and not latest[-1]:
            return True
        if time.monotonic() > deadline:
            return False
        mark = latest


def _mark(evidence: Evidence, nats: NatsReader) -> Mark:
    """Where every log and stream ends, and how much is pending; equal marks mean that nothing has moved."""
    survey = nats.survey(evidence.replicas)
    pending = 0
    for answers in survey.consumers.values():
        for answer in answers:
            for name in ("num_pending", "num_ack_pending"):
                value = answer.get(name)
                pending += value if isinstance(value, int) else 0
    ends = [nats.bounds(service) for service in evidence.dsns]
    return (*(log_end(dsn) for dsn in evidence.dsns.values()), *ends, pending)
