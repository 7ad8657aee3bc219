"""The ledger adapter, put together: shape, reactions, sweeps, ERPs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from canonical.master_data import MasterData
from chassis.eventstore import EventStore
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.messaging import BatchConsumer
from chassis.runtime import ServiceCore, ServiceShape, Sweep

from ledger_adapter.application.drafting import BatchingRules, ChargeBatching, RemittanceDrafting
from ledger_adapter.application.ports import ErpDirectory
from ledger_adapter.application.posting import JournalPosting
from ledger_adapter.application.publishing import publish
from ledger_adapter.application.queries import PROJECTIONS, TABLES
from ledger_adapter.application.reactions import reactions_by_upstream
from ledger_adapter.domain.charge_batches import ChargeBatches
from ledger_adapter.domain.journal_entry import JournalEntry
from ledger_adapter.domain.manifest import RemittanceManifest
from ledger_adapter.domain.subledger import SubledgerPosting

NAME = "ledger"
DEFAULT_BATCHING = BatchingRules()
SHAPE = ServiceShape(
    name=NAME,
    aggregates=(SubledgerPosting, RemittanceManifest, ChargeBatches, JournalEntry),
    tables=TABLES,
    projections=PROJECTIONS,
    publishing=publish,
)


def assemble(
    store: EventStore,
    clock: Callable[[], datetime],
    master: MasterData,
    erps: ErpDirectory,
    *,
    batching: BatchingRules = DEFAULT_BATCHING,
    crash_point: CrashPoint = no_crash,
) -> ServiceCore:
    """The service without its transports."""
    consumers = {
        upstream: BatchConsumer(f"{NAME}-{upstream}", store, reactions, clock, crash_point=crash_point)
        for upstream, reactions in reactions_by_upstream(master).items()
    }
    sweeps = (
        Sweep("draft_remittances", 0.5, RemittanceDrafting(store, clock).run),
        Sweep("close_charge_batches", 0.5, ChargeBatching(store, clock, batching).run),
        Sweep("post_journals", 0.5, JournalPosting(store, clock, erps, crash_point=crash_point).run),
    )
    return ServiceCore(shape=SHAPE, store=store, clock=clock, consumers=consumers, sweeps=sweeps)
