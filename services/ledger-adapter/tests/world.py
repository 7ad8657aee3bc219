"""The service in memory with a fake ERP, and a reader for what it booked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from canonical.envelope import PublicEvent
from canonical.events.claims import (
    ClaimAdjudicated,
    ClaimPaymentUnknown,
    ClaimRevised,
    DenialReleased,
    DenialWrittenOff,
)
from canonical.events.intake import ChargesRevised, PostedCharges
from canonical.events.payments import RemittanceAccepted
from canonical.ids import derive
from canonical.master_data import MasterData
from chassis.eventstore import Row, Table
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.postgres import PostgresEventStore
from chassis.exceptions import CASES
from chassis.runtime import ServiceCore
from chassis.testing import FixedClock
from ledger_adapter.adapters.fake_erp import FakeErp, OneErpForAll
from ledger_adapter.application.drafting import BatchingRules
from ledger_adapter.application.queries import BALANCES, JOURNALS
from ledger_adapter.domain.period_calendar import LatePolicy
from ledger_adapter.domain.site_rules import NO_SITE_RULES, SiteRules
from ledger_adapter.main import SHAPE, assemble

from .examples import MASTER, delivery

ROUNDS_MAX = 50
REMITTANCES = [derive("test-remittance", number) for number in range(1, 4)]


@dataclass
class World:
    """Drives the consumers and sweeps as the runtime does, one thread, a clock that stands still."""

    erp: FakeErp = field(default_factory=FakeErp)
    clock: FixedClock = field(default_factory=FixedClock)
    master: MasterData = MASTER
    site_rules: SiteRules = NO_SITE_RULES
    late_policy: LatePolicy = LatePolicy.NEXT_OPEN
    store: MemoryEventStore | PostgresEventStore = field(
        default_factory=lambda: MemoryEventStore(SHAPE.registry(), SHAPE.all_projections)
    )

    def __post_init__(self) -> None:
        self.core: ServiceCore = self.started()

    def started(self) -> ServiceCore:
        """A fresh process on the same store and ERP."""
        erps = OneErpForAll(self.erp, ("NORTH", "SOUTH"), self.late_policy)
        batching = BatchingRules(quiet=timedelta(seconds=2), oldest=timedelta(seconds=60), postings_max=100)
        return assemble(self.store, self.clock, self.master, erps, batching=batching, site_rules=self.site_rules)

    def deliver(self, *events: PublicEvent, sequence: int = 0) -> None:
        """Each event to its consumer, in this order, each batch alone; then whatever was waiting."""
        for event in events:
            consumer = self.core.consumers[event.SERVICE]
            handled = consumer.handle([delivery(event, key_of(event), sequence or sequence_of(event))])
            touched = handled.touched
            while touched:
                released = [other.release(touched) for other in self.core.consumers.values()]
                touched = set().union(*(one.touched for one in released))

    def sweep(self) -> None:
        """Runs every sweep until none has anything to do."""
        for _ in range(ROUNDS_MAX):
            if not sum(sweep.run() for sweep in self.core.sweeps):
                return
        raise AssertionError("the sweeps never come to rest")

    def settle(self) -> None:
        """Lets the quiet time pass, and sweeps."""
        self.clock.advance(seconds=3)
        self.sweep()

    def rows(self, table: Table, **where: object) -> list[Row]:
        return self.store.rows(table, where)

    def journals(self) -> dict[str, list[str]]:
        """States of journal entries by kind."""
        found: dict[str, list[str]] = {}
        for row in self.rows(JOURNALS):
            found.setdefault(str(row["kind"]), []).append(str(row["state"]))
        return {kind: sorted(states) for kind, states in sorted(found.items())}

    def cases(self) -> list[str]:
        """Codes of the open cases."""
        return sorted(str(row["code"]) for row in self.rows(CASES, state="open"))

    def balances(self, column: str = "subledger_minor") -> dict[str, int]:
        """What is not zero, by entity, account and party, in cents."""
        return {
            " ".join(filter(None, (str(row["entity"]), str(row["account"]), str(row["party"])))): int(str(row[column]))
            for row in self.rows(BALANCES)
            if row[column]
        }

    def at_the_erp(self, entity: str = "NORTH") -> dict[str, int]:
        return {
            " ".join(filter(None, (entity, balance.account.value, balance.party))): balance.amount.minor
            for balance in self.erp.balances(entity)
            if balance.amount
        }


def sequence_of(event: PublicEvent) -> int:
    """Where an event stands in its aggregate's story: a claim tells many, each of which has its own number."""
    if isinstance(event, ClaimAdjudicated):
        remittance = REMITTANCES.index(event.remittance_id) if event.remittance_id in REMITTANCES else len(REMITTANCES)
        return 1 + 1000 * remittance + 10 * event.remittance_position + event.match
    if isinstance(event, ClaimRevised):
        return 5000 + event.revision
    return 1 + event.revision if isinstance(event, ChargesRevised) else 1


def key_of(event: PublicEvent) -> UUID:
    """The aggregate upstream that announces such an event."""
    if isinstance(event, PostedCharges):
        return event.encounter_id
    if isinstance(event, ClaimAdjudicated | ClaimRevised | DenialReleased | DenialWrittenOff):
        return event.claim_id
    if isinstance(event, ClaimPaymentUnknown):
        return derive("unknown", event.remittance_id, event.remittance_position)
    if isinstance(event, RemittanceAccepted):
        return event.summary.remittance_id
    return derive("test-key", event.TYPE, event.model_dump_json())
