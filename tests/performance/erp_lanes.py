"""How long a patient's payment takes to be confirmed by an ERP that takes few calls at once: idle, and beside a burst of remittances."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from chassis.eventstore.postgres import PostgresEventStore
from ledger_adapter.main import SHAPE
from sandbox.folders import private_folder

from tests.faults.erp_intents import Intent
from tests.faults.erp_storm import LEDGER, OPEN, books_of, intend
from tests.faults.erp_subjects import Subject, netsuite, tryton
from tests.integration.story import until
from tests.integration.suite import Bench
from tests.performance.figures import Bar, Baseline, Figure, Sums
from tests.performance.intake_load import own_folder
from tests.performance.sizes import Sizes
from tests.performance.stopwatch import percentile

AT_ONCE, LATENCY_MS = 5, 20
BURST = 10
PAUSE_SECONDS = 0.2
KINDS = 3
SEED = 4
TAKEN = """
SELECT extract(epoch FROM changed_at - intended_at)::float8 * 1000 FROM journals
WHERE lane = 0 AND state = 'confirmed' AND intended_at >= %s
"""
Open = Callable[[Bench, Path], AbstractContextManager[Subject]]
ERPS: Mapping[str, Open] = {
    f"NetSuite, {AT_ONCE} calls at once of {LATENCY_MS} ms": partial(netsuite, at_once=AT_ONCE, latency_ms=LATENCY_MS),
    "Tryton": tryton,
}


def erp_lanes(folder: Path, sizes: Sizes) -> list[Figure]:
    """A row an ERP; the real service posts, and is told of intents by the commits of this process."""
    bench = Bench(own_folder(folder, "erp-lanes"))
    bench.start_servers()
    try:
        bench.prepare()
        return [_measured(bench, title, open_erp, sizes.lane_payments) for title, open_erp in ERPS.items()]
    finally:
        bench.stop()


def _measured(bench: Bench, title: str, open_erp: Open, payments: int) -> Figure:
    bench.renew()
    folder = private_folder(bench.folder / f"erp-{title.split(',')[0].lower()}")
    dsn = bench.database(LEDGER).app_dsn
    with (
        open_erp(bench, folder) as subject,
        PostgresEventStore(dsn, SHAPE.registry(), SHAPE.all_projections, SHAPE.all_tables) as store,
    ):
        bench.start_service(LEDGER, books_of(folder, subject))
        try:
            lane = Lane(bench, store)
            lane.run(5, 0)
            idle, beside = lane.run(payments, 0), lane.run(payments, BURST)
        finally:
            bench.kill_services()
        return _figure(title, payments, idle, beside, subject, len(lane.intended))


def _figure(
    title: str, payments: int, idle: Sequence[float], beside: Sequence[float], subject: Subject, intended: int
) -> Figure:
    slowest = percentile(idle, 95)
    return Figure(
        row="erp-lanes",
        work=f"{title}: a payment to its confirmation, {BURST} remittances beside each (p95)",
        value=percentile(beside, 95),
        unit="ms",
        bar=Bar(2 * slowest, slowest),
        baseline=Baseline("payments alone (p95)", slowest),
        details=(
            f"alone: p50 {percentile(idle, 50):.0f}, at most {max(idle):.0f} ms; "
            f"beside: p50 {percentile(beside, 50):.0f}, at most {max(beside):.0f} ms",
            f"calls refused as too many: {subject.refused()}",
        ),
        sums=(
            Sums("payments confirmed", str(2 * payments), str(len(idle) + len(beside))),
            Sums("documents at the ERP", str(intended), str(len(subject.moves()))),
        ),
    )


@dataclass
class Lane:
    """Payments at a steady pace, with so many remittances beside each."""

    bench: Bench
    store: PostgresEventStore

    def __post_init__(self) -> None:
        self.intended: list[Intent] = []

    def run(self, payments: int, beside: int) -> list[float]:
        """The milliseconds that each payment took, once all of it is confirmed."""
        began = datetime.now(UTC)
        for _ in range(payments):
            intend(self.store, self._next(beside, place=1))
            intend(self.store, self._next(1, place=0))
            time.sleep(PAUSE_SECONDS)
        until(lambda: self.bench.count(LEDGER, OPEN) == 0, "everything is confirmed")
        with self.bench.admin(LEDGER) as store:
            return [float(str(taken)) for (taken,) in store.execute(TAKEN, [began])]

    def _next(self, count: int, *, place: int) -> list[Intent]:
        """Intents of the kind in that place: patients' payments, or remittances."""
        first = len(self.intended)
        made = [Intent(KINDS * (first + each) + place, SEED) for each in range(count)]
        self.intended += made
        return made
